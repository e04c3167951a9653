//! `outbox`: what waits is listed, sent, taken back, and carried in a file.

use std::path::PathBuf;

use tui_kit::{
    cli::{self, Exit, Table},
    text::Align,
};
use wire::id::TelegramId;

use super::{
    Context,
    join::show_joined,
    money::{resolved, show_sent},
    reach::{Reach, told, want},
};
use crate::{
    act::{Act, Failure, Outcome},
    view::OutboxRow,
};

/// The longest exported telegram that is read.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// The outbox.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Outbox {
    /// List the telegrams that wait, and those that ended
    List,
    /// Send what was prepared
    Send {
        /// The telegram's id, as the outbox shows it; all when none is named
        telegram: Option<TelegramId>,
    },
    /// Take back a telegram that has not left, or ask the center to void one that may have
    Withdraw {
        /// The telegram's id
        telegram: TelegramId,
    },
    /// Write a telegram that waits to a file, which only this vault takes in
    Export {
        /// The telegram's id
        telegram: TelegramId,
        /// The file; it must not be there yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Take an exported telegram in
    Import {
        /// The file
        file: PathBuf,
    },
}

impl Outbox {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let mut reach = context.reach().await?;
        // Before a store is in the register, what waits can only be its registration.
        let newcomer = match &reach {
            Reach::Own(handle) if handle.snapshot().store.is_none() => Some(handle.newcomer()),
            _ => None,
        };
        match (self, newcomer) {
            (Self::List, _) => list(context, reach.act(Act::Outbox).await?),
            (Self::Send { .. }, Some(newcomer)) => {
                show_joined(context, &newcomer.resume().await.map_err(told)?)
            }
            (Self::Send { telegram }, None) => show_sent(context, reach.act(Act::Send { telegram }).await?),
            (Self::Withdraw { .. }, Some(newcomer)) => {
                newcomer.withdraw().await.map_err(told)?;
                list(context, reach.act(Act::Outbox).await?)
            }
            (Self::Withdraw { telegram }, None) => {
                resolved(context, reach.act(Act::Withdraw { telegram }).await?)
            }
            (Self::Export { telegram, out }, _) => {
                let exported = want!(
                    reach.act(Act::ExportTelegram { telegram }).await?, Outcome::Telegram(exported) => exported
                );
                let mut file = std::fs::OpenOptions::new();
                std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
                let mut file = file.write(true).create_new(true).open(&out)?;
                std::io::Write::write_all(&mut file, format!("{}\n", exported.content).as_bytes())?;
                file.sync_all()?;
                let data = serde_json::json!({ "telegram": exported.telegram, "file": out });
                context.out.answer(&data, |to| {
                    writeln!(
                        to,
                        "{}\nOnly this vault takes it in; it still waits in the outbox.",
                        out.display()
                    )
                })?;
                Ok(Exit::Ok)
            }
            (Self::Import { file }, _) => {
                if std::fs::metadata(&file)?.len() > FILE_BYTES_MAX {
                    return Err(told(Failure::not_possible(
                        "this is not an exported telegram: it is too long",
                    )));
                }
                let content = std::fs::read_to_string(&file)?;
                list(context, reach.act(Act::ImportTelegram { content }).await?)
            }
        }
    }
}

fn list(context: &Context, outcome: Outcome) -> Result<Exit, cli::Failure> {
    let data = outcome.data();
    let rows: Vec<OutboxRow> = want!(outcome, Outcome::Outbox(rows) => rows);
    let heads = &[
        ("Telegram", Align::Left),
        ("What", Align::Left),
        ("Signed", Align::Left),
        ("Valid until", Align::Left),
        ("State", Align::Left),
    ];
    let mut table = Table::new(heads, "Nothing was ever sent from here.");
    for row in rows {
        let valid = row.valid_until.map(|until| until.text).unwrap_or_default();
        table.row([row.telegram.short(), row.what, row.prepared.text, valid, row.words]);
    }
    context.out.answer(&data, |to| table.write(context.out, to))?;
    Ok(Exit::Ok)
}
