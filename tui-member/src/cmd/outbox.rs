//! `outbox`, `resolve`, `withdraw`.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use serde_json::json;
use tui_kit::{
    cli::{self, Exit, Table},
    text::Align,
};
use wire::id::TelegramId;

use super::{
    Context,
    reach::{Reach, want},
};
use crate::{
    act::{Act, Outcome},
    view::{OutboxRow, Resolved},
};

/// The most bytes of a file that is imported: what a vault takes, with room for the sealing.
const IMPORT_BYTES_MAX: u64 = 4 << 20;

/// The telegrams that wait, and those that ended.
#[derive(Debug, clap::Args)]
pub(super) struct Outbox {
    #[command(subcommand)]
    command: Option<OutboxCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum OutboxCommand {
    /// List what waits, and what ended
    List,
    /// Send what was prepared, one telegram or all; ask about what may have left
    Send {
        /// The telegram's id, as the list shows it
        telegram: Option<String>,
    },
    /// Take back a telegram that has not left, or ask the center to void one that may have
    Withdraw {
        /// The telegram's id
        telegram: String,
    },
    /// Write a telegram that waits into a sealed file, which only this profile takes in again
    Export {
        /// The telegram's id
        telegram: String,
        /// The file to write; it must not be there yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Take in a telegram that was exported from this profile
    Import {
        /// The file
        file: PathBuf,
    },
}

impl Outbox {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let mut reach = context.reach().await?;
        match self.command {
            None | Some(OutboxCommand::List) => list(context, &mut reach).await,
            Some(OutboxCommand::Send { telegram }) => {
                let telegram = match telegram {
                    Some(name) => Some(find(&mut reach, &name).await?),
                    None => None,
                };
                show(context, reach.act(Act::Send { telegram }).await?)
            }
            Some(OutboxCommand::Withdraw { telegram }) => {
                let telegram = find(&mut reach, &telegram).await?;
                show(context, reach.act(Act::Withdraw { telegram }).await?)
            }
            Some(OutboxCommand::Export { telegram, out }) => {
                export(context, &mut reach, &telegram, &out).await
            }
            Some(OutboxCommand::Import { file }) => import(context, &mut reach, &file).await,
        }
    }
}

async fn list(context: &Context, reach: &mut Reach) -> Result<Exit, cli::Failure> {
    let outcome = reach.act(Act::Outbox).await?;
    let data = outcome.data();
    let rows = want!(outcome, Outcome::Outbox(rows) => rows);
    let heads = &[
        ("Telegram", Align::Left),
        ("Kind", Align::Left),
        ("Amount", Align::Right),
        ("Signed", Align::Left),
        ("Valid until", Align::Left),
        ("State", Align::Left),
    ];
    let mut table = Table::new(heads, "Nothing was ever sent from here.");
    for row in rows {
        let amount = row.amount.map(|amount| amount.text).unwrap_or_default();
        let until = row.valid_until.map(|until| until.text).unwrap_or_default();
        table.row([row.telegram.short(), row.kind, amount, row.signed.text, until, row.words]);
    }
    context.out.answer(&data, |to| table.write(context.out, to))?;
    Ok(Exit::Ok)
}

/// `resolve`
pub(super) async fn resolve(context: &Context) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::Resolve).await?;
    show(context, outcome)
}

/// `withdraw`
pub(super) async fn withdraw(context: &Context, telegram: TelegramId) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::Withdraw { telegram }).await?;
    show(context, outcome)
}

/// Says what was signed and waits now.
pub(super) fn prepared(context: &Context, row: &OutboxRow) -> Result<Exit, cli::Failure> {
    let data = json!({ "prepared": row });
    context.out.answer(&data, |to| writeln!(to, "{} {}: {}", row.kind, row.telegram.short(), row.words))?;
    Ok(Exit::Ok)
}

async fn export(context: &Context, reach: &mut Reach, name: &str, out: &Path) -> Result<Exit, cli::Failure> {
    let telegram = find(reach, name).await?;
    let outcome = reach.act(Act::ExportTelegram { telegram }).await?;
    let exported = want!(outcome, Outcome::Telegram(exported) => exported);
    let failed = |error: &dyn std::fmt::Display| {
        cli::Failure::refused("machine", format!("writing {} failed: {error}", out.display()))
    };
    let bytes = BASE64.decode(exported.content.as_bytes()).map_err(|error| failed(&error))?;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(out)
        .map_err(|error| failed(&error))?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(|error| failed(&error))?;
    let data = json!({ "telegram": telegram, "file": out });
    context.out.answer(&data, |to| writeln!(to, "{} is in {}", telegram.short(), out.display()))?;
    Ok(Exit::Ok)
}

async fn import(context: &Context, reach: &mut Reach, path: &Path) -> Result<Exit, cli::Failure> {
    let failed = |error: io::Error| {
        cli::Failure::refused("machine", format!("reading {} failed: {error}", path.display()))
    };
    let mut bytes = Vec::new();
    fs::File::open(path).map_err(failed)?.take(IMPORT_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    let act = Act::ImportTelegram { content: BASE64.encode(&bytes) };
    let row = want!(reach.act(act).await?, Outcome::Prepared(row) => row);
    prepared(context, &row)
}

/// The telegram that a person means: its whole id, or an unambiguous beginning of at least six digits.
async fn find(reach: &mut Reach, name: &str) -> Result<TelegramId, cli::Failure> {
    if let Ok(whole) = name.parse::<TelegramId>() {
        return Ok(whole);
    }
    let digits = name.trim_end_matches('…').to_ascii_lowercase();
    let none = |words: String| cli::Failure::refused("not-found", words);
    if digits.len() < 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(none(
            "give the telegram's id as the outbox lists it, or at least six digits of its beginning".into(),
        ));
    }
    let outcome = reach.act(Act::Outbox).await?;
    let rows: Vec<OutboxRow> = want!(outcome, Outcome::Outbox(rows) => rows);
    let mut found = rows.iter().filter(|row| row.telegram.to_string().starts_with(&digits));
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row.telegram),
        (None, _) => Err(none(format!("no telegram in the outbox begins with {digits}"))),
        (Some(_), Some(_)) => Err(none(format!("more than one telegram begins with {digits}"))),
    }
}

fn show(context: &Context, outcome: Outcome) -> Result<Exit, cli::Failure> {
    let data = outcome.data();
    let rows: Vec<Resolved> = want!(outcome, Outcome::Resolved(rows) => rows);
    let mut table = Table::new(
        &[("Telegram", Align::Left), ("Kind", Align::Left), ("Outcome", Align::Left), ("", Align::Left)],
        "Nothing waits for an answer.",
    );
    let unknown = rows.iter().any(|row| row.outcome == "unknown");
    for row in rows {
        table.row([row.telegram.short(), row.kind, row.outcome, row.words]);
    }
    context.out.answer(&data, |to| table.write(context.out, to))?;
    Ok(if unknown { Exit::Unknown } else { Exit::Ok })
}
