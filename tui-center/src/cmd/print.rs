//! Outcomes for people and for programs.

mod joining;
mod people;
mod staff;

use std::io::{self, Write};

use serde_json::Value;
use tui_kit::{
    cli::{self, Out, Table, facts},
    text::Align::{Left, Right},
};
use wire::id::{EntryNumber, TelegramId};

use crate::{
    acts::{JoiningOutcome, Letter, Outcome},
    backup::lost::LostRow,
    errors::ErrorLine,
    inquiry::view::{DeskRow, Detail, KeyRow, MemberRow, Moment, Overview, Report, StoreRow, TransactionRow},
};

/// Prints the tagged JSON of an [`Outcome`]: its data alone with `--json`, else words.
pub(super) fn outcome(out: Out, outcome: &Value) -> Result<(), cli::Failure> {
    if out.is_json() {
        return out.answer(&outcome["data"], |_| Ok(()));
    }
    let outcome = read(outcome.clone())?;
    out.answer(&(), |to| words(out, &outcome, to))
}

/// The rows of a page of transactions, and where to go on.
pub(super) fn transactions(
    outcome: Value,
) -> Result<(Vec<TransactionRow>, Option<EntryNumber>), cli::Failure> {
    match read(outcome)? {
        Outcome::Transactions { transactions, next } => Ok((transactions, next)),
        _ => Err(mixed_up()),
    }
}

/// The letter that an operator prints.
pub(super) fn letter(outcome: Value) -> Result<Letter, cli::Failure> {
    match read(outcome)? {
        Outcome::Joining(JoiningOutcome::Letter(letter)) => Ok(letter),
        _ => Err(mixed_up()),
    }
}

/// Which version of an application an outcome shows.
pub(super) fn version(outcome: Value) -> Result<(TelegramId, Moment), cli::Failure> {
    match read(outcome)? {
        Outcome::Joining(JoiningOutcome::Application(detail)) => {
            Ok((detail.application.version, detail.application.since))
        }
        _ => Err(mixed_up()),
    }
}

/// Rows as the outcome that holds them.
pub(super) fn of_transactions(rows: &[TransactionRow]) -> Value {
    serde_json::json!({ "outcome": "transactions", "data": { "transactions": rows, "next": null } })
}

fn read(outcome: Value) -> Result<Outcome, cli::Failure> {
    serde_json::from_value(outcome).map_err(|_| mixed_up())
}

fn mixed_up() -> cli::Failure {
    cli::Failure::refused(
        "internal",
        "the running center answered in a way that this version does not understand",
    )
}

fn words(out: Out, outcome: &Outcome, to: &mut dyn Write) -> io::Result<()> {
    match outcome {
        Outcome::Status(overview) => status(overview, to),
        Outcome::Invitation { invitation, fingerprint } => {
            writeln!(to, "{invitation}")?;
            facts(to, [("Fingerprint", fingerprint.clone())])
        }
        Outcome::Members { members } => member_table(members).write(out, to),
        Outcome::Stores { stores } => store_table(stores).write(out, to),
        Outcome::Keys { keys } => key_table(keys).write(out, to),
        Outcome::Transactions { transactions, next } => {
            transaction_table(transactions).write(out, to)?;
            match next {
                Some(next) => writeln!(to, "older ones: --before {next}"),
                None => Ok(()),
            }
        }
        Outcome::Detail(detail) => detail_words(out, detail, to),
        Outcome::Desk { desk } => desk_table(desk).write(out, to),
        Outcome::Errors { errors } => error_table(errors).write(out, to),
        Outcome::Report(report) => report_words(out, report, to),
        Outcome::Verified(verified) => {
            for check in &verified.checks {
                let mark = if check.holds { "ok   " } else { "WRONG" };
                writeln!(to, "{mark}  {}: {}", check.name, tui_kit::text::clean(&check.words))?;
            }
            match &verified.first {
                Some(first) => writeln!(to, "the books do not hold; first: {}", tui_kit::text::clean(first)),
                None if verified.cancelled => writeln!(to, "cancelled: nothing is said of what lies behind"),
                None if verified.holds => writeln!(to, "the books hold"),
                None => writeln!(to, "the books do not hold"),
            }
        }
        Outcome::Verifying(verifying) => {
            if let Some(running) = &verifying.running {
                writeln!(to, "being verified: {} %, {} entries", running.percent, running.entries)?;
            }
            let at = verifying.at.as_ref().map(|at| format!("{}: ", at.text)).unwrap_or_default();
            writeln!(to, "{at}{}", tui_kit::text::clean(&verifying.words))
        }
        Outcome::Backed(backed) => {
            writeln!(to, "a backup of {} entries is proved: {}", backed.entries, backed.folder.display())?;
            writeln!(
                to,
                "{} files, {} bytes, of which {} files, {} bytes were copied now",
                backed.files, backed.bytes, backed.copied_files, backed.copied_bytes
            )?;
            match backed.root_key_file {
                true => writeln!(to, "the sealed root key lay in the profile and is in the backup as well"),
                false => {
                    writeln!(to, "the sealed root key does not lie in the profile and is not in the backup")
                }
            }
        }
        Outcome::Backups(backups) => writeln!(to, "{}", backups.words),
        Outcome::Lost { lost } => lost_table(lost).write(out, to),
        Outcome::Entered(row) => {
            writeln!(to, "entered as {}: {}", row.number, tui_kit::text::clean(&row.words))
        }
        Outcome::Proposed(row) => writeln!(
            to,
            "proposed as {}; another operator confirms it: {}",
            row.number,
            tui_kit::text::clean(&row.words)
        ),
        Outcome::Joining(outcome) => joining::words(out, outcome, to),
        Outcome::People(outcome) => people::words(out, outcome, to),
        Outcome::Staff(outcome) => staff::words(out, outcome, to),
        Outcome::Done { words } => writeln!(to, "{words}"),
    }
}

fn status(overview: &Overview, to: &mut dyn Write) -> io::Result<()> {
    let payments = match (overview.open, overview.standing.as_str()) {
        (true, "") => "open".to_owned(),
        (true, words) => format!("open, but {words}"),
        (false, words) => format!("STOPPED: {words}"),
    };
    let balance = if overview.light.balanced { "balanced" } else { "NOT balanced" };
    facts(
        to,
        [
            ("Center", overview.name.clone()),
            ("Fingerprint", overview.fingerprint.clone()),
            ("Invitation", overview.invitation.to_string()),
            ("Listening", overview.listening.join(", ")),
            ("Since", format!("{} ({}), pid {}", overview.since.text, overview.zone, overview.pid)),
            ("Payments", payments),
            ("Books", format!("{balance}: {}", overview.light.words)),
            ("Backup", overview.backup.words.clone()),
            ("Journal", format!("{} entries, root {}", overview.entries, overview.root)),
            (
                "Connections",
                format!(
                    "{}, {} logged in, {} stores here",
                    overview.connections, overview.logged_in, overview.stores_here
                ),
            ),
            (
                "Registers",
                format!("{} members, {} stores, {} cards", overview.members, overview.stores, overview.cards),
            ),
            ("On cards", overview.on_cards.text.clone()),
            ("Owed to stores", overview.owed_to_stores.text.clone()),
            ("At the bank", overview.at_bank.text.clone()),
            ("Bank desk", format!("{} waiting", overview.desk)),
        ],
    )
}

fn lost_table(rows: &[LostRow]) -> Table {
    let mut table = Table::new(
        &[
            ("WAS", Left),
            ("KIND", Left),
            ("ENTERED", Left),
            ("OF", Left),
            ("STORE", Left),
            ("AMOUNT", Right),
            ("STANDS", Left),
        ],
        "no lost entry was handed in",
    );
    for row in rows {
        let stands = match (&row.again, &row.waits) {
            (Some(again), _) => format!("entered again as {again}"),
            (None, waits) => format!("waits: {}", waits.as_deref().unwrap_or_default()),
        };
        table.row([
            row.entry.to_string(),
            row.kind.clone(),
            row.entered.text.clone(),
            row.account.to_string(),
            row.store.clone().unwrap_or_default(),
            row.amount.as_ref().map(|amount| amount.text.clone()).unwrap_or_default(),
            stands,
        ]);
    }
    table
}

fn state(frozen: bool) -> String {
    if frozen { "frozen".into() } else { String::new() }
}

fn shown<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn member_table(members: &[MemberRow]) -> Table {
    let heads = &[
        ("NUMBER", Left),
        ("NAME", Left),
        ("E-MAIL", Left),
        ("CARDS", Right),
        ("BALANCE", Right),
        ("SINCE", Left),
        ("STATE", Left),
    ];
    let mut table = Table::new(heads, "no member fits; members join with: tui-center invitation");
    for row in members {
        table.row([
            row.member.to_string(),
            row.name.clone(),
            row.email.clone(),
            row.cards.to_string(),
            row.balance.text.clone(),
            row.registered.text.clone(),
            state(row.frozen),
        ]);
    }
    table
}

fn store_table(stores: &[StoreRow]) -> Table {
    let heads = &[
        ("NUMBER", Left),
        ("NAME", Left),
        ("CONTACT", Left),
        ("OWED", Right),
        ("LINE", Left),
        ("SINCE", Left),
        ("STATE", Left),
    ];
    let mut table = Table::new(heads, "no store fits; stores join with: tui-center invitation");
    for row in stores {
        table.row([
            row.store.to_string(),
            row.name.clone(),
            row.contact.clone(),
            row.owed.text.clone(),
            if row.here { "here" } else { "away" }.into(),
            row.registered.text.clone(),
            state(row.frozen),
        ]);
    }
    table
}

fn key_table(keys: &[KeyRow]) -> Table {
    let heads = &[("ACCOUNT", Left), ("ROLE", Left), ("FINGERPRINT", Left), ("SINCE", Left), ("STATE", Left)];
    let mut table = Table::new(heads, "no key fits");
    for row in keys {
        let state = match (row.key.is_empty(), row.in_force) {
            (true, _) => "revoked",
            (false, true) => "in force",
            (false, false) => "replaced",
        };
        let role = format!("{:?}", row.role).to_lowercase();
        table.row([
            row.account.to_string(),
            role,
            row.fingerprint.clone(),
            row.entry.to_string(),
            state.into(),
        ]);
    }
    table
}

fn transaction_table(rows: &[TransactionRow]) -> Table {
    let heads = &[("NUMBER", Left), ("TIME", Left), ("KIND", Left), ("AMOUNT", Right), ("WHAT", Left)];
    let mut table = Table::new(heads, "no transaction fits");
    for row in rows {
        table.row([
            row.number.to_string(),
            row.at.text.clone(),
            row.kind.to_string(),
            row.amount.as_ref().map(|amount| amount.text.clone()).unwrap_or_default(),
            row.words.clone(),
        ]);
    }
    table
}

fn desk_table(rows: &[DeskRow]) -> Table {
    let heads = &[
        ("NUMBER", Left),
        ("TIME", Left),
        ("AMOUNT", Right),
        ("STATE", Left),
        ("REQUEST", Left),
        ("REFERENCE", Left),
        ("PAYER", Left),
        ("WHAT", Left),
    ];
    let mut table = Table::new(heads, "nothing is on the bank desk");
    for row in rows {
        table.row([
            row.number.to_string(),
            row.at.text.clone(),
            row.amount.text.clone(),
            if row.waiting { "waits" } else { "settled" }.into(),
            shown(row.request.as_ref()),
            row.reference.clone(),
            row.payer.clone(),
            row.words.clone(),
        ]);
    }
    table
}

fn error_table(lines: &[ErrorLine]) -> Table {
    let heads = &[("TIME (UTC)", Left), ("ROOM", Left), ("WEIGHT", Left), ("WHAT", Left)];
    let mut table = Table::new(heads, "the error log is empty");
    for line in lines {
        let ms = i64::try_from(line.at.0).unwrap_or(i64::MAX);
        let at = jiff::Timestamp::from_millisecond(ms).map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string());
        table.row([
            at.unwrap_or_default(),
            line.room.noun().into(),
            line.weight.noun().into(),
            line.words.to_string(),
        ]);
    }
    table
}

fn detail_words(out: Out, detail: &Detail, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "{}", detail.title)?;
    facts(to, detail.rows.iter().map(|row| (row.label.as_str(), row.value.clone())))?;
    if !detail.history.is_empty() {
        writeln!(to)?;
        transaction_table(&detail.history).write(out, to)?;
    }
    Ok(())
}

fn report_words(out: Out, report: &Report, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "Business day {}, {} to {}", report.day, report.from.text, report.until.text)?;
    let mut kinds = Table::new(&[("KIND", Left), ("COUNT", Right), ("SUM", Right)], "nothing was entered");
    for line in &report.kinds {
        kinds.row([line.kind.to_string(), line.count.to_string(), line.sum.text.clone()]);
    }
    kinds.write(out, to)?;
    if !report.stores.is_empty() {
        writeln!(to)?;
        let heads = &[
            ("STORE", Left),
            ("NAME", Left),
            ("PAYMENTS", Right),
            ("PAID", Right),
            ("REFUNDS", Right),
            ("REFUNDED", Right),
        ];
        let mut stores = Table::new(heads, "");
        for row in &report.stores {
            stores.row([
                row.store.to_string(),
                row.name.clone(),
                row.payments.to_string(),
                row.paid.text.clone(),
                row.refunds.to_string(),
                row.refunded.text.clone(),
            ]);
        }
        stores.write(out, to)?;
    }
    writeln!(to, "refused: {}", report.refused)?;
    for acts in &report.four_eyes_off {
        writeln!(to, "four eyes: OFF for {acts}")?;
    }
    if report.complete {
        Ok(())
    } else {
        writeln!(to, "the registers are still taking in the newest entries")
    }
}
