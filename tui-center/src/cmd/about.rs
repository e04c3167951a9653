//! `invitation`, `operators`, `config`, `doctor`: what needs no passphrase.

use ledger::request::OperatorRole;
use serde_json::json;
use tui_kit::{
    cli::{self, Exit, Table, facts},
    session::Abilities,
    text::Align::Left,
};

use super::{Context, PROGRAM};
use crate::{
    config::Config,
    operators::{Operators, role_name},
};

/// Settings.
#[derive(Debug, clap::Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the settings in force, and where they are read from
    Show,
}

impl Context {
    fn config(&self) -> Result<Config, cli::Failure> {
        let places = self.places();
        if !places.config.exists() {
            let words =
                format!("there is no center in {}; found one with: tui-center init", places.data.display());
            return Err(cli::Failure::refused("not-founded", words));
        }
        Config::read(&places.config).map_err(|error| cli::Failure::refused("config", error.to_string()))
    }
}

/// `invitation`
pub(super) fn invitation(context: &Context) -> Result<Exit, cli::Failure> {
    let invitation =
        context.config()?.invitation().map_err(|words| cli::Failure::refused("config", words))?;
    let fingerprint = invitation.root.fingerprint();
    let data = json!({ "invitation": invitation.to_string(), "fingerprint": fingerprint });
    context.out.answer(&data, |to| {
        writeln!(to, "{invitation}")?;
        context.out.say(&format!("The root key's fingerprint, to compare by another way: {fingerprint}"));
        Ok(())
    })?;
    Ok(Exit::Ok)
}

/// `operators`
pub(super) fn operators(context: &Context) -> Result<Exit, cli::Failure> {
    context.config()?;
    let operators = Operators::open(&context.places().operators)
        .map_err(|error| cli::Failure::refused("operators", error.to_string()))?
        .list();
    let least = [OperatorRole::Clerk, OperatorRole::Supervisor, OperatorRole::Admin];
    let off: Vec<&str> = least
        .into_iter()
        .filter(|least| operators.iter().filter(|it| it.role >= *least).count() < 2)
        .map(role_name)
        .collect();
    context.out.answer(&json!({ "operators": operators, "four_eyes_off_for": off }), |to| {
        let mut table =
            Table::new(&[("NAME", Left), ("ROLE", Left), ("SSH KEY", Left)], "there are no operators");
        for operator in &operators {
            table.row([operator.name.clone(), role_name(operator.role).into(), operator.ssh_key.clone()]);
        }
        table.write(context.out, to)?;
        match off.as_slice() {
            [] => writeln!(to, "four eyes: on"),
            off => writeln!(
                to,
                "four eyes: OFF for the acts of {}: fewer than two operators have that role or more",
                off.join(" and ")
            ),
        }
    })?;
    Ok(Exit::Ok)
}

impl ConfigCommand {
    pub(super) fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let Self::Show = self;
        let config = context.config()?;
        let file = context.places().config;
        context.out.answer(&json!({ "file": file, "settings": config }), |to| {
            writeln!(to, "# {}", file.display())?;
            to.write_all(config.text().as_bytes())
        })?;
        Ok(Exit::Ok)
    }
}

/// `doctor`
pub(super) async fn doctor(context: &Context) -> Result<Exit, cli::Failure> {
    let places = context.places();
    let founded = places.config.exists();
    let config = founded.then(|| Config::read(&places.config));
    let settings = match &config {
        None => "none; found a center with: tui-center init".to_owned(),
        Some(Ok(_)) => "good".into(),
        Some(Err(error)) => error.to_string(),
    };
    let config = config.and_then(Result::ok);
    let running = tui_kit::control::connect(&places.control).await.is_ok();
    let fingerprint = config.as_ref().map(|config| config.root_key.fingerprint());
    let writable = |folder: &std::path::Path| {
        rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
    };
    let folders: Vec<(&str, std::path::PathBuf, bool)> = config
        .iter()
        .flat_map(|config| {
            let pickup = config.mail.as_ref().and_then(|mail| mail.pickup.as_ref());
            let letters = config.post.as_ref().and_then(|post| post.folder.as_ref());
            [
                ("Bank inbox", Some(&config.bank.inbox)),
                ("Bank outbox", Some(&config.bank.outbox)),
                ("Mail pickup", pickup),
                ("Letters", letters),
            ]
        })
        .filter_map(|(label, folder)| Some((label, folder?)))
        .map(|(label, folder)| (label, folder.clone(), writable(folder)))
        .collect();
    let abilities = Abilities::from_env(|name| std::env::var(name).ok());
    let data = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "profile": places.data,
        "state": places.state,
        "config": places.config,
        "settings": settings,
        "root_key_here": places.root_key.exists(),
        "fingerprint": fingerprint,
        "running": running,
        "folders": folders.iter().map(|(label, folder, good)| json!({ "name": label, "path": folder, "writable": good })).collect::<Vec<_>>(),
        "terminal": abilities,
    });
    context.out.answer(&data, |to| {
        let root = if places.root_key.exists() {
            format!("{}: move it to a medium that lies in a safe", places.root_key.display())
        } else {
            "not here, as it should be".into()
        };
        let mut rows = vec![
            ("Version", format!("{PROGRAM} {}", env!("CARGO_PKG_VERSION"))),
            ("Profile", places.data.display().to_string()),
            ("Logs", places.state.display().to_string()),
            ("Settings", format!("{}: {settings}", places.config.display())),
            ("Running", if running { "yes, reached through its control socket".into() } else { "no".into() }),
            ("Terminal", abilities.words()),
        ];
        if let Some(fingerprint) = &fingerprint {
            rows.push(("Root key", fingerprint.clone()));
            rows.push(("Root key file", root));
        }
        rows.extend(folders.iter().map(|(label, folder, good)| {
            let state = if *good { "writable" } else { "NOT writable" };
            (*label, format!("{}: {state}", folder.display()))
        }));
        facts(to, rows)
    })?;
    Ok(Exit::Ok)
}
