//! `backup`, `restore`, `resume`, `lost`.

use std::path::PathBuf;

use serde_json::Value;
use tui_kit::{
    cli::{self, Exit},
    profile::Profile,
};

use super::{
    Context, PROGRAM, print,
    progress::{BEAT, Bar},
    reach::open_told,
};
use crate::{
    acts::Act,
    backup::{
        Running,
        restore::restore,
        resume::{ResumeError, Resumption, resume},
    },
    books::verify::Progress,
    keys,
};

#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// The folder of the backup; made where there is none
    folder: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// The folder of the backup
    folder: PathBuf,
    /// The profile to make of it, where that is not --profile
    #[arg(long, value_name = "PROFILE")]
    into: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Resume {
    /// The sealed root key, where it does not lie in the profile
    #[arg(long, value_name = "FILE")]
    root_key: Option<PathBuf>,
    /// The second admin, where the center has two
    #[arg(long, value_name = "NAME")]
    second: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Lost {
    /// Try again to enter those that wait
    #[arg(long)]
    again: bool,
}

impl Backup {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        context.founded()?;
        let act = Act::Backup { folder: std::path::absolute(self.folder)? };
        let mut reach = context.reach();
        let mut making = std::pin::pin!(reach.act(act));
        let mut bar = Bar::new(context.out);
        let mut beat = tokio::time::interval(BEAT);
        let outcome = loop {
            tokio::select! {
                outcome = &mut making => break outcome?,
                _ = beat.tick() => {
                    let asked: Option<Value> = context.reach().running(Act::Backups).await.ok();
                    let running = asked.and_then(|asked| {
                        serde_json::from_value::<Running>(asked["data"]["running"].clone()).ok()
                    });
                    if let Some(running) = running {
                        bar.show(Progress { entries: 0, bytes: running.percent, total: 100 });
                    }
                }
            }
        };
        drop(bar);
        print::outcome(context.out, &outcome)?;
        Ok(Exit::Ok)
    }
}

impl Restore {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let profile = match &self.into {
            Some(into) => Profile::locate(PROGRAM, Some(into))?,
            None => context.profile.clone(),
        };
        let folder = std::path::absolute(self.folder)?;
        let restored = tokio::task::spawn_blocking(move || {
            restore(&folder, &profile, &crate::backup::Progress::default())
        });
        let restored =
            restored.await.map_err(|_| cli::Failure::refused("internal", "the restore was interrupted"))?;
        let restored = restored.map_err(|error| cli::Failure::refused("backup", error.to_string()))?;
        context.out.answer(&restored, |to| {
            writeln!(
                to,
                "{} entries of {} are restored in {}",
                restored.entries,
                restored.name,
                restored.profile.display()
            )?;
            writeln!(to, "root key {}: compare it with the one on paper", restored.fingerprint)?;
            writeln!(to, "the center starts stopped; resume it with the root key: tui-center resume")
        })?;
        Ok(Exit::Ok)
    }
}

impl Resume {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        context.founded()?;
        let file = std::path::absolute(self.root_key.unwrap_or_else(|| context.places().root_key))?;
        if !file.exists() {
            let words =
                format!("the sealed root key is not in {}; name its file with --root-key", file.display());
            return Err(cli::Failure::refused("keys", words));
        }
        let by = (context.operator_name()?, context.operator.read()?);
        let second = match self.second {
            Some(name) => Some((name, context.second.read()?)),
            None => None,
        };
        let (root, service, profile) =
            (context.root.read()?, context.service.read()?, context.profile.clone());
        let resumed = tokio::task::spawn_blocking(move || {
            let root = keys::open_root(&file, &root).map_err(|error| ResumeError::Open(error.into()))?;
            resume(&profile, &service, &Resumption { by, second, root })
        });
        let resumed =
            resumed.await.map_err(|_| cli::Failure::refused("internal", "resuming was interrupted"))?;
        let resumed = resumed.map_err(|error| match error {
            ResumeError::Open(error) => open_told(&error),
            ResumeError::Refused(words) => cli::Failure::refused("refused", words),
        })?;
        context.out.answer(&resumed, |to| {
            writeln!(to, "the log goes on from {} entries, root {}", resumed.size, resumed.root)?;
            writeln!(
                to,
                "as {}, with key sheet {} entered as {}",
                resumed.log, resumed.sheet, resumed.entry
            )?;
            writeln!(to, "start the center; terminals hand in receipts of what is lost: tui-center lost")
        })?;
        Ok(Exit::Ok)
    }
}

impl Lost {
    pub(super) fn act(&self) -> Act {
        if self.again { Act::LostAgain } else { Act::Lost }
    }
}
