//! `password`, `config`, `doctor`.

use serde_json::json;
use tui_kit::{
    cli::{self, Exit, SecretFrom, SecretName, facts},
    session::Abilities,
};
use vault::Vault;

use super::{
    Context, PROGRAM,
    reach::{told, want},
};
use crate::{
    act::{Act, Failure, Outcome},
    config::Config,
};

/// The password that is being chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewPassword;

impl SecretName for NewPassword {
    const FILE: &'static str = "new-file";
    const DESCRIPTOR: &'static str = "new-fd";
    const WORDS: &'static str = "the new password";
}

/// Changing passwords.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Password {
    /// Change password A, which opens the vault
    A {
        #[command(flatten)]
        new: SecretFrom<NewPassword>,
    },
    /// Change password B, which opens the signature key
    B {
        #[command(flatten)]
        new: SecretFrom<NewPassword>,
    },
}

/// Settings.
#[derive(Debug, clap::Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the settings in force, and where they are read from
    Show,
}

impl Password {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        // The old password is asked for once: the vault is opened with it, or the running program is asked to change it.
        let mut reach = context.reach().await?;
        let act = match self {
            Self::A { new } => {
                let old = context.password_a.read()?.into();
                Act::ChangePasswordA { old, new: new.read_new()?.into() }
            }
            Self::B { new } => {
                let old = context.password_b()?;
                Act::ChangePasswordB { old, new: new.read_new()?.into() }
            }
        };
        want!(reach.act(act).await?, Outcome::Done => ());
        context.out.answer(&json!({ "changed": true }), |to| writeln!(to, "changed"))?;
        Ok(Exit::Ok)
    }
}

impl ConfigCommand {
    pub(super) fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let Self::Show = self;
        let file = context.profile.config_file();
        let config = Config::read(&file).map_err(|error| told(Failure::not_possible(error)))?;
        let text =
            toml::to_string(&config).map_err(|error| cli::Failure::refused("machine", error.to_string()))?;
        context.out.answer(&json!({ "file": file, "settings": config }), |to| {
            writeln!(
                to,
                "# {}{}",
                file.display(),
                if file.exists() { "" } else { " (not there: defaults)" }
            )?;
            to.write_all(text.as_bytes())
        })?;
        Ok(Exit::Ok)
    }
}

/// `doctor`: what can be seen without a password always; keys, clock and line where the vault can be opened.
pub(super) async fn doctor(context: &Context) -> Result<Exit, cli::Failure> {
    let profile = &context.profile;
    let has_vault = Vault::exists(profile.data());
    let running = tui_kit::control::connect(&profile.control_socket()).await.is_ok();
    let findings = if running || (has_vault && context.password_a.is_given()) {
        let outcome = context.reach().await?.act(Act::Doctor).await?;
        Some(want!(outcome, Outcome::Doctor(findings) => findings))
    } else {
        None
    };
    let abilities = Abilities::from_env(|name| std::env::var(name).ok());
    let data = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "profile": profile.data(),
        "state": profile.state(),
        "config": profile.config_file(),
        "vault": has_vault,
        "running": running,
        "terminal": abilities,
        "findings": findings,
    });
    context.out.answer(&data, |to| {
        let mut rows = vec![
            ("Version", format!("{PROGRAM} {}", env!("CARGO_PKG_VERSION"))),
            ("Profile", profile.data().display().to_string()),
            ("Logs", profile.state().display().to_string()),
            ("Settings", profile.config_file().display().to_string()),
            ("Vault", if has_vault { "there".into() } else { "none; join a center to make one".into() }),
            ("Running", if running { "yes, reached through its control socket".into() } else { "no".into() }),
            ("Terminal", abilities.words()),
        ];
        if let Some(found) = &findings {
            rows.extend(found.store.map(|store| ("Store", store.to_string())));
            rows.push(("Signature key", found.signature_key.clone()));
            rows.push(("Terminal key", found.terminal_key.clone()));
            rows.extend(found.root_key.iter().map(|key| ("Center's root key", key.clone())));
            rows.push(("Line", found.line.words()));
            rows.extend(found.clock_ahead_ms.map(|ms| ("Clock ahead by", format!("{ms} ms"))));
            rows.extend(found.vault.iter().map(|finding| ("Found", finding.clone())));
        } else if has_vault {
            rows.push(("Keys", "give password A to look at keys, clock and line".into()));
        }
        facts(to, rows)
    })?;
    Ok(Exit::Ok)
}
