//! `status`, `sync`, `history`, `receipt`.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use tui_kit::{
    cli::{self, Exit, Table, facts},
    text::Align,
};
use wire::id::EntryNumber;

use super::{Context, card, evidence, reach::want};
use crate::{
    act::{Act, Outcome},
    view::{PurchaseRow, Snapshot},
};

/// How many purchases and messages the status shows.
const LATEST: usize = 5;

/// Receipts.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Receipt {
    /// Write a receipt into a file that verifies offline
    Export {
        /// The transaction number on it
        number: EntryNumber,
        /// The file to write; it must not be there yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Also show what was bought, for whoever gets the file
        #[arg(long)]
        with_order: bool,
        /// Write it as text that the center signs, for “ssh-keygen -Y verify”; asks the center
        #[arg(long, conflicts_with = "with_order")]
        ssh: bool,
    },
    /// Check a receipt file; exit code 1 if any check fails
    Verify {
        /// The file
        file: PathBuf,
        /// Check under this invitation's root key instead of the profile's
        #[arg(long)]
        invitation: Option<String>,
    },
}

/// `status`
pub(super) async fn status(context: &Context) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::Status).await?;
    show_status(context, outcome)
}

/// `sync`
pub(super) async fn sync(context: &Context) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::Sync).await?;
    show_status(context, outcome)
}

fn show_status(context: &Context, outcome: Outcome) -> Result<Exit, cli::Failure> {
    let snapshot = want!(outcome, Outcome::Status(snapshot) => snapshot);
    context.out.answer(&snapshot, |to| home(context, &snapshot, to))?;
    Ok(Exit::Ok)
}

/// `history`
pub(super) async fn history(context: &Context) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::History).await?;
    let data = outcome.data();
    let rows = want!(outcome, Outcome::History(rows) => rows);
    context.out.answer(&data, |to| purchases(rows.iter()).write(context.out, to))?;
    Ok(Exit::Ok)
}

impl Receipt {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        match self {
            Self::Export { number, out, ssh: true, .. } => evidence::export_text(context, number, &out).await,
            Self::Export { number, out, with_order, .. } => {
                let act = Act::ExportReceipt { number, with_order };
                let outcome = context.reach().await?.act(act).await?;
                let exported = want!(outcome, Outcome::Receipt(exported) => exported);
                evidence::write_new(&out, &exported.content)?;
                let data = serde_json::json!({ "number": exported.number, "file": out });
                context
                    .out
                    .answer(&data, |to| writeln!(to, "{} is in {}", exported.number, out.display()))?;
                Ok(Exit::Ok)
            }
            Self::Verify { file, invitation } => {
                let words = ["The receipt is valid.", "The receipt is NOT valid."];
                evidence::verify(context, &file, invitation.as_deref(), words).await
            }
        }
    }
}

fn home(context: &Context, snapshot: &Snapshot, to: &mut dyn Write) -> io::Result<()> {
    let mut rows = Vec::new();
    rows.extend(snapshot.member.map(|member| ("Member", member.to_string())));
    rows.extend(
        snapshot.center.iter().map(|center| ("Center", format!("{} ({})", center.name, center.fingerprint))),
    );
    rows.push(("Line", snapshot.line.words()));
    rows.push(("Recovery", snapshot.custody.recovery.words()));
    rows.extend(snapshot.custody.alarm.iter().map(|alarm| ("ALARM", alarm.words.clone())));
    let kit = snapshot.custody.kit.as_ref();
    rows.extend(
        kit.and_then(|kit| kit.newer.as_ref())
            .map(|version| ("Newer program", format!("{version} is offered; “kit --download” fetches it"))),
    );
    let held = snapshot.custody.held.as_ref();
    rows.extend(held.map(|until| ("Held", format!("no money leaves until {}", until.text))));
    rows.extend(snapshot.findings.iter().map(|finding| ("Vault", finding.clone())));
    facts(to, rows)?;
    writeln!(to)?;
    card::table(&snapshot.cards).write(context.out, to)?;
    for funding in &snapshot.funding {
        writeln!(to, "\nA card waits for this transfer:")?;
        facts(to, card::funding_facts(funding))?;
    }
    for waiting in &snapshot.outbox {
        writeln!(to, "\n{} {}: {}", waiting.kind, waiting.telegram.short(), waiting.words)?;
    }
    writeln!(to)?;
    purchases(snapshot.purchases.iter().map(|row| &**row).take(LATEST)).write(context.out, to)?;
    for message in snapshot.messages.iter().take(LATEST) {
        let mark = if message.alarm { "ALARM " } else { "" };
        writeln!(to, "{}  {mark}{}", message.at.text, message.words)?;
    }
    Ok(())
}

fn purchases<'a>(rows: impl Iterator<Item = &'a PurchaseRow>) -> Table {
    let heads = &[
        ("Day", Align::Left),
        ("Store", Align::Left),
        ("Goods", Align::Left),
        ("Amount", Align::Right),
        ("Number", Align::Left),
        ("Order", Align::Left),
        ("State", Align::Left),
    ];
    let mut table = Table::new(heads, "Nothing bought yet; “stores” lists where to.");
    for row in rows {
        table.row([
            row.day.clone(),
            row.store_name.to_string(),
            row.goods.clone(),
            row.total.text.clone(),
            row.number.map(|number| number.to_string()).unwrap_or_default(),
            row.order.short(),
            row.words.clone(),
        ]);
    }
    table
}
