//! `keys`, `recovery`, `kit`.

use serde_json::json;
use tui_kit::{
    cli::{self, Exit, SecretFrom, Table, facts},
    text::{self, Align},
};
use vault::Passwords;
use wire::payload::KeyRole;

use super::{
    Context, join,
    money::show_sent,
    phrase::{self, Phrase, PhraseOptions},
    reach::{Reach, told, want},
};
use crate::{
    act::{Act, Outcome, Password},
    restore::{self, Returning},
    view::{KeysView, KitRow},
};

/// Changing keys.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Keys {
    /// Put a new key in the place of the one in force
    Rotate {
        /// Which key
        role: Own,
    },
    /// Revoke a key: nothing signed with it counts from then on
    Revoke {
        /// Which key
        role: Own,
        #[command(flatten)]
        phrase: SecretFrom<Phrase>,
    },
    /// Make a new recovery phrase; with the old one it is in force at once, else after 72 hours
    NewPhrase {
        #[command(flatten)]
        options: PhraseOptions,
        #[command(flatten)]
        old: SecretFrom<Phrase>,
    },
    /// Cancel a new recovery key that waits, with the phrase in force
    CancelChange {
        #[command(flatten)]
        phrase: SecretFrom<Phrase>,
    },
    /// Acknowledge the alarm about keys that this terminal did not make
    Acknowledge,
}

/// A key that the store changes itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Own {
    /// The signature key
    Signature,
    /// The terminal key
    Terminal,
}

impl From<Own> for KeyRole {
    fn from(own: Own) -> Self {
        match own {
            Own::Signature => Self::Signature,
            Own::Terminal => Self::Terminal,
        }
    }
}

/// Recovery.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Recovery {
    /// Try a restore with the copy that lies with the center, and compare
    Drill {
        #[command(flatten)]
        phrase: SecretFrom<Phrase>,
    },
    /// Bring a store back into this profile, under new passwords
    Restore {
        /// The invitation: inkan:KEY@host:port
        invitation: String,
        #[command(flatten)]
        phrase: SecretFrom<Phrase>,
        /// Make a vault with one password, which is asked again at every signing
        #[arg(long)]
        single_password: bool,
        /// Move a vault whose passwords are forgotten aside; it is never deleted
        #[arg(long)]
        set_aside: bool,
    },
    /// Deposit a copy of the vault with the center, if something has changed
    Deposit,
}

impl Keys {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let act = match self {
            Self::Rotate { role } => {
                let mut reach = context.reach().await?;
                let act = Act::Rotate { role: role.into(), password_b: context.password_b()? };
                return show_sent(context, reach.act(act).await?);
            }
            Self::Revoke { role, phrase } => {
                let phrase = if phrase.is_given() {
                    Some(Password(phrase::joined(&phrase::read(&phrase)?)))
                } else {
                    None
                };
                let mut reach = context.reach().await?;
                let password_b = if phrase.is_none() { Some(context.password_b()?) } else { None };
                return show_sent(
                    context,
                    reach.act(Act::Revoke { role: role.into(), password_b, phrase }).await?,
                );
            }
            Self::NewPhrase { options, old } => {
                let old =
                    if old.is_given() { Some(Password(phrase::joined(&phrase::read(&old)?))) } else { None };
                let mut reach = context.reach().await?;
                let password_b = context.password_b()?;
                let made = options.make(false)?;
                let made = made.ok_or_else(|| cli::Failure::usage("a new phrase is what is asked for"))?;
                let (phrase, confirmed) = (Password(phrase::joined(&made.phrase)), made.confirmed);
                return show_sent(
                    context,
                    reach.act(Act::NewPhrase { phrase, confirmed, old, password_b }).await?,
                );
            }
            Self::CancelChange { phrase } => {
                Act::CancelChange { phrase: Password(phrase::joined(&phrase::read(&phrase)?)) }
            }
            Self::Acknowledge => {
                want!(context.reach().await?.act(Act::AcknowledgeKeys).await?, Outcome::Done => ());
                context.out.answer(&json!({ "acknowledged": true }), |to| writeln!(to, "acknowledged"))?;
                return Ok(Exit::Ok);
            }
        };
        let outcome = context.reach().await?.act(act).await?;
        show_sent(context, outcome)
    }
}

impl Recovery {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        match self {
            Self::Drill { phrase } => {
                let phrase = Password(phrase::joined(&phrase::read(&phrase)?));
                let drill = want!(context.reach().await?.act(Act::Drill { phrase }).await?, Outcome::Drill(drill) => drill);
                let rows = [
                    ("Proved", drill.at.text.clone()),
                    ("Copy of", drill.copied.text.clone()),
                    ("Compared", format!("{} records, all the same", drill.compared)),
                    ("Newer than the copy", format!("{} records", drill.newer)),
                ];
                context.out.answer(&drill, |to| facts(to, rows))?;
            }
            Self::Deposit => {
                let keys =
                    want!(context.reach().await?.act(Act::Deposit).await?, Outcome::Keys(keys) => keys);
                let data = json!({ "deposited": keys.deposited, "copy_due": keys.copy_due });
                let at =
                    keys.deposited.map(|at| at.text).unwrap_or_else(|| "never: there is no phrase".into());
                context.out.answer(&data, |to| facts(to, [("Deposited", at)]))?;
            }
            Self::Restore { invitation, phrase, single_password, set_aside } => {
                if !set_aside {
                    // Said before passwords are asked for.
                    restore::vacant(context.profile.data()).map_err(told)?;
                }
                let invitation = join::read(&invitation)?;
                let phrase = phrase::read(&phrase)?;
                let a = context.password_a.read_new()?;
                let passwords = if single_password {
                    Passwords::One(a)
                } else {
                    Passwords::Two { a, b: context.password_b.read_new()? }
                };
                context.profile.create()?;
                let returning = Returning { invitation, phrase, passwords, set_aside };
                let restored = restore::restore(context.profile.data(), returning);
                let restored = restored.await.map_err(told)?;
                let mut rows = vec![
                    ("Center", restored.center.to_string()),
                    ("Store", restored.store.to_string()),
                    (
                        "Copy of",
                        restored
                            .copied
                            .as_ref()
                            .map_or("no copy lay with the center".into(), |at| at.text.clone()),
                    ),
                    ("Came back", format!("{} records", restored.records)),
                ];
                rows.extend(restored.renewed.iter().map(|key| ("New", key.clone())));
                let aside = |name: &String| ("Former vault", format!("moved aside as {name}"));
                rows.extend(restored.set_aside.iter().map(aside));
                context.out.answer(&restored, |to| facts(to, rows))?;
            }
        }
        Ok(Exit::Ok)
    }
}

/// `keys` without more: fingerprints, chain, recovery.
pub(super) async fn show(context: &Context) -> Result<Exit, cli::Failure> {
    let keys = want!(context.reach().await?.act(Act::Keys).await?, Outcome::Keys(keys) => keys);
    let mut table = Table::new(
        &[("Entry", Align::Left), ("What", Align::Left), ("Key", Align::Left)],
        "The center has stated no keys yet.",
    );
    for event in &keys.chain {
        let key = event.key.clone().unwrap_or_default();
        table.row([event.entry.to_string(), event.words.clone(), key]);
    }
    context.out.answer(&keys, |to| {
        facts(&mut *to, rows(&keys))?;
        writeln!(to)?;
        table.write(context.out, to)
    })?;
    Ok(Exit::Ok)
}

fn rows(keys: &KeysView) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    for row in &keys.keys {
        let label = match row.role.as_str() {
            "signature" => "Signature key",
            "terminal" => "Terminal key",
            _ => "Recovery key",
        };
        rows.push((label, format!("{}  {}", row.key.as_deref().unwrap_or("none"), row.words)));
        rows.extend(row.waits.iter().map(|key| ("  waits", key.clone())));
    }
    rows.extend(
        keys.waiting
            .iter()
            .map(|(key, from)| ("Waits at center", format!("{key}, in force from {}", from.text))),
    );
    rows.extend(keys.held.iter().map(|until| ("Money held", format!("until {}", until.text))));
    let deposited = keys.deposited.as_ref().map_or("never".to_owned(), |at| at.text.clone());
    rows.push((
        "Copy deposited",
        if keys.copy_due { format!("{deposited}; a newer one is due") } else { deposited },
    ));
    let proved = keys.recovery.as_ref().and_then(|row| row.proved.as_ref());
    rows.push((
        "Restore proved",
        proved.map_or("never; recovery drill does it".to_owned(), |at| at.text.clone()),
    ));
    rows
}

/// `kit`: the newest admission kit, and the download of a newer build.
pub(super) async fn kit(context: &Context, download: bool) -> Result<Exit, cli::Failure> {
    let mut reach = context.reach().await?;
    if let Reach::Own(handle) = &reach
        && handle.snapshot().store.is_none()
    {
        let row = handle.newcomer().fetch_kit().await.map_err(told)?;
        return show_kit(context, &row);
    }
    if download {
        let file = want!(downloaded(context, &mut reach).await?, Outcome::Build(file) => file);
        let data = json!({ "file": file });
        context.out.answer(&data, |to| {
            writeln!(to, "{}\nIts digest is the one in the kit. Nothing was installed.", file.display())
        })?;
        return Ok(Exit::Ok);
    }
    let row = want!(reach.act(Act::Kit).await?, Outcome::Kit(kit) => kit);
    show_kit(context, &row)
}

/// Downloads, and says how far it is whenever another tenth of it is there.
async fn downloaded(context: &Context, reach: &mut Reach) -> Result<Outcome, cli::Failure> {
    let mut downloads = match &*reach {
        Reach::Own(handle) => handle.downloads(),
        Reach::Running(_) => {
            context.out.say("the program that is running downloads it");
            return reach.act(Act::DownloadBuild).await;
        }
    };
    let mut act = std::pin::pin!(reach.act(Act::DownloadBuild));
    let mut said = None;
    loop {
        tokio::select! {
            done = &mut act => return done,
            Ok(()) = downloads.changed() => {
                let (have, of) = *downloads.borrow_and_update();
                let tenth = have.saturating_mul(10).checked_div(of);
                if tenth > said {
                    said = tenth;
                    context.out.say(&format!("{} of {}", text::bytes(have), text::bytes(of)));
                }
            }
        }
    }
}

fn show_kit(context: &Context, kit: &KitRow) -> Result<Exit, cli::Failure> {
    let heads = &[
        ("Program", Align::Left),
        ("Version", Align::Left),
        ("Platform", Align::Left),
        ("Bytes", Align::Right),
        ("SHA-256", Align::Left),
    ];
    let mut table = Table::new(heads, "The center offers no programs.");
    for build in &kit.builds {
        let newer = if build.newer { " (newer)" } else { "" };
        table.row([
            format!("{}{newer}", build.program),
            build.version.to_string(),
            build.platform.to_string(),
            build.length.to_string(),
            build.digest.to_string(),
        ]);
    }
    context.out.answer(kit, |to| {
        let rows = [
            ("Admission kit", format!("{} of {}", kit.number, kit.issued.text)),
            ("Passwords", format!("at least {} KiB, {} passes", kit.vault_floor.0, kit.vault_floor.1)),
            ("Terms of use", format!("version {}", kit.terms_version)),
        ];
        facts(&mut *to, rows)?;
        writeln!(to, "\n{}\n", kit.terms)?;
        table.write(context.out, to)
    })?;
    Ok(Exit::Ok)
}
