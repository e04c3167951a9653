//! `audit`, `checkpoint`, `tiles`: what takes no passphrase, because all of it is public or proved by what is.

use std::{
    fs,
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;
use tui_kit::{
    cli::{self, Exit, Out, Table, facts},
    text::{
        Align::{Left, Right},
        clean,
    },
};

use super::{Context, progress};
use crate::{
    books::{
        audit::{self as books_audit, Audit as Found},
        keyring::Keyring,
        tiles,
        verify::Watch,
    },
    config::Config,
    inquiry::view::Local,
};

/// The most bytes of a file of keys.
const KEYS: u64 = 1 << 20;

/// A journal and public keys, and nothing else.
#[derive(Debug, clap::Args)]
pub(super) struct Audit {
    /// The folder of the journal's segments, or of the books
    #[arg(long, value_name = "DIR")]
    journal: PathBuf,
    /// A text file with the center's invitation, its root key, or its key sheets
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// The tree for everybody.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Tiles {
    /// Bring a folder up with the newest checkpoint, in the layout of C2SP tlog-tiles
    Export {
        /// The folder; a web server can serve it as it is
        dir: PathBuf,
    },
}

impl Audit {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let keys = read_keys(&self.key)?;
        let watch = Arc::new(Watch::default());
        let (looked, journal) = (watch.clone(), self.journal);
        let audit = tokio::task::spawn_blocking(move || books_audit::audit(&journal, &keys, &looked));
        let found = watched(context.out, &watch, audit).await?;
        let found = found.map_err(|error| cli::Failure::refused("journal", error.to_string()))?;
        if found.cancelled {
            return Err(cli::Failure::refused(
                "cancelled",
                "the audit was cancelled; nothing is said of the journal",
            ));
        }
        context.out.answer(&value(&found), |to| words(context.out, &found, to))?;
        Ok(if found.holds() { Exit::Ok } else { Exit::Refused })
    }
}

impl Tiles {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let Self::Export { dir } = self;
        context.founded()?;
        let places = context.places();
        let config = Config::read(&places.config)
            .map_err(|error| cli::Failure::refused("config", error.to_string()))?;
        let to = dir.clone();
        let exported =
            tokio::task::spawn_blocking(move || tiles::export_books(&places.books, &config.root_key, &to));
        let exported = exported
            .await
            .map_err(|_| cli::Failure::refused("internal", "the tiles could not be exported"))?
            .map_err(|error| cli::Failure::refused("tiles", error.to_string()))?;
        context.out.answer(&exported, |to| {
            let (size, fresh) = (exported.size, exported.size - exported.before);
            writeln!(
                to,
                "{} shows {size} entries, {fresh} of them new; {} files were written",
                dir.display(),
                exported.written
            )
        })?;
        Ok(Exit::Ok)
    }
}

/// `checkpoint`: the newest one, as it was signed.
pub(super) fn checkpoint(context: &Context) -> Result<Exit, cli::Failure> {
    context.founded()?;
    let note = tiles::newest_of(&context.places().books).ok_or_else(|| {
        cli::Failure::refused("books", "the file with the newest checkpoint is missing or damaged; start the center, which makes it anew")
    })?;
    let claimed = note.claimed();
    let data = json!({
        "origin": claimed.origin,
        "size": claimed.size,
        "root": claimed.root,
        "note": note.note(),
    });
    context.out.answer(&data, |to| write!(to, "{note}"))?;
    Ok(Exit::Ok)
}

/// Waits for something long, shows how far it is, and lets Ctrl-C end it in order.
pub(super) async fn watched<T>(
    out: Out,
    watch: &Watch,
    mut work: tokio::task::JoinHandle<T>,
) -> Result<T, cli::Failure> {
    let mut bar = progress::Bar::new(out);
    let mut beat = tokio::time::interval(progress::BEAT);
    loop {
        tokio::select! {
            done = &mut work => {
                let failed = |_| cli::Failure::refused("internal", "this could not be looked at: an error in the program");
                return done.map_err(failed);
            }
            _ = beat.tick() => bar.show(watch.progress()),
            _ = tokio::signal::ctrl_c() => watch.cancel(),
        }
    }
}

fn read_keys(path: &Path) -> Result<Keyring, cli::Failure> {
    let said = |error: &dyn std::fmt::Display| {
        cli::Failure::refused("keys", format!("the keys in {} cannot be read: {error}", path.display()))
    };
    let mut text = String::new();
    fs::File::open(path)
        .and_then(|file| file.take(KEYS).read_to_string(&mut text))
        .map_err(|error| said(&error))?;
    Keyring::parse(&text).map_err(|error| said(&error))
}

fn value(found: &Found) -> serde_json::Value {
    let checks = found.checks.iter().map(|check| {
        let (Ok(words) | Err(words)) = &check.outcome;
        json!({ "name": check.name, "holds": check.outcome.is_ok(), "words": words })
    });
    json!({
        "holds": found.holds(),
        "root_key": found.root_key.fingerprint(),
        "center": found.settings.as_ref().map(|settings| &settings.name),
        "currency": found.settings.as_ref().map(|settings| settings.currency),
        "zone": found.settings.as_ref().map(|settings| &settings.zone),
        "entries": found.counts.entries,
        "signatures": found.counts.signatures,
        "covered": found.counts.covered,
        "root": found.root,
        "checks": checks.collect::<Vec<_>>(),
        "first": found.first,
        "balances": found.balances,
        "days": found.days,
    })
}

fn words(out: Out, found: &Found, to: &mut dyn Write) -> io::Result<()> {
    let local = found.settings.as_ref().and_then(|settings| Local::new(settings).ok());
    let money = |minor: i128| match &local {
        Some(local) => local.sum(minor).text,
        None => minor.to_string(),
    };
    let name = found.settings.as_ref().map_or("not told", |settings| &settings.name);
    facts(
        to,
        [
            ("Center", clean(name).into_owned()),
            ("Root key", found.root_key.fingerprint()),
            (
                "Entries",
                format!(
                    "{}, of them {} under a signed checkpoint",
                    found.counts.entries, found.counts.covered
                ),
            ),
            ("Signatures", found.counts.signatures.to_string()),
            ("Root", found.root.to_string()),
        ],
    )?;
    writeln!(to)?;
    for check in &found.checks {
        let (Ok(words) | Err(words)) = &check.outcome;
        let mark = if check.outcome.is_ok() { "ok   " } else { "WRONG" };
        writeln!(to, "{mark}  {}: {}", check.name, clean(words))?;
    }
    writeln!(to, "\nTrial balance, as far as the entries hold")?;
    let heads = &[("ACCOUNT", Left), ("ACCOUNTS", Right), ("DEBIT", Right), ("CREDIT", Right)];
    let mut table = Table::new(heads, "nothing was ever posted");
    let amount = |minor: i128| if minor == 0 { String::new() } else { money(minor) };
    let (mut debit, mut credit) = (0, 0);
    for row in &found.balances {
        (debit, credit) = (debit + row.debit, credit + row.credit);
        table.row([row.account.clone(), row.accounts.to_string(), amount(row.debit), amount(row.credit)]);
    }
    table.row(["sum".into(), String::new(), money(debit), money(credit)]);
    table.write(out, to)?;
    let zone = found.settings.as_ref().map_or("", |settings| &settings.zone);
    writeln!(to, "\nBusiness days ({})", clean(zone))?;
    let heads = &[("DAY", Left), ("KIND", Left), ("DONE", Right), ("REFUSED", Right), ("SUM", Right)];
    let mut table = Table::new(heads, "nothing was entered");
    for day in &found.days {
        let sum = i128::try_from(day.amount).unwrap_or(i128::MAX);
        table.row([
            day.day.to_string(),
            day.kind.to_string(),
            day.done.to_string(),
            day.refused.to_string(),
            amount(sum),
        ]);
    }
    table.write(out, to)?;
    match &found.first {
        None if found.holds() => writeln!(to, "\nthe journal holds"),
        None => writeln!(to, "\nthe journal does not hold"),
        Some(first) => {
            writeln!(
                to,
                "\nthe journal does not hold; first: {}: {}",
                first.respect.name(),
                clean(&first.to_string())
            )
        }
    }
}
