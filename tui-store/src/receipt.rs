//! Receipt files: evidence that anyone can check offline with this program and the center's root key.

use serde::{Deserialize, Serialize};
use tui_kit::time::Zone;
use vault::{State, Vault};
use wire::{
    id::EntryNumber,
    key::VerificationKey,
    message::MailItem,
    payload::{KeyCancel, KeyChange},
    receipt::{Check, Receipt, Side, StorePart},
    telegram::{Signer, Telegram},
};

use crate::{
    act::Failure,
    book::Book,
    record::{self, Ending, Record},
    view::{CheckRow, Exported, Verification},
};

/// The schema of a receipt file, the same as a member's.
const SCHEMA: &str = "inkan/receipt/1";
/// The longest file that is read.
pub(crate) const FILE_BYTES_MAX: usize = 4 << 20;

/// A receipt file of a store.
#[derive(Debug, Serialize, Deserialize)]
struct ReceiptFile {
    schema: String,
    /// The newest key sheet of the center.
    sheet: Telegram,
    receipt: Receipt,
    /// What the store signed; a payment notice answers none of its telegrams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    telegram: Option<Telegram>,
}

/// Makes a receipt file from the vault. Blocks.
///
/// # Errors
/// When the vault has no receipt of this number.
pub(crate) fn export(vault: &Vault, book: &Book, number: EntryNumber) -> Result<Exported, Failure> {
    let sheet = vault.center().and_then(|center| center.sheet.clone());
    let sheet =
        sheet.ok_or_else(|| Failure::not_possible("no key sheet of the center is kept; run sync first"))?;
    let (receipt, telegram) = match book.mail.get(&number) {
        Some(sequence) => (mail(vault, *sequence)?.receipt, None),
        None => answer(vault, number)
            .ok_or_else(|| Failure::not_found(format!("there is no receipt {number} in this vault")))?,
    };
    let file = ReceiptFile { schema: SCHEMA.into(), sheet, receipt, telegram };
    let content = serde_json::to_string_pretty(&file).map_err(Failure::machine)?;
    Ok(Exported { number, content: content + "\n" })
}

/// Looks at everything in a receipt file under a root key. Nothing but the file and the key is needed.
///
/// # Errors
/// When it is no receipt file at all.
pub(crate) fn verify(content: &str, root: &VerificationKey) -> Result<Verification, Failure> {
    let foreign = |words: String| Failure::not_possible(format!("this is no receipt file: {words}"));
    if content.len() > FILE_BYTES_MAX {
        return Err(foreign("it is longer than 4 MiB".into()));
    }
    let file: ReceiptFile = serde_json::from_str(content)
        .map_err(|error| foreign(error.to_string().chars().take(200).collect()))?;
    if file.schema != SCHEMA {
        return Err(foreign(format!("this program knows {SCHEMA}")));
    }
    let mut checks = file.receipt.checks(&file.sheet, root);
    checks.push(Check { name: "entry", outcome: says(&file.receipt) });
    if let Some(telegram) = &file.telegram {
        checks.push(Check { name: "telegram", outcome: answers(&file.receipt, telegram) });
    }
    let row = |check: Check| {
        let pass = check.outcome.is_ok();
        let words = check.outcome.unwrap_or_else(|words| words);
        CheckRow { name: check.name.to_owned(), pass, words }
    };
    let checks: Vec<CheckRow> = checks.into_iter().map(row).collect();
    Ok(Verification { valid: checks.iter().all(|check| check.pass), checks })
}

fn mail(vault: &Vault, sequence: u64) -> Result<MailItem, Failure> {
    match Record::read(&vault.read(sequence)?).map_err(Failure::machine)? {
        Record::Mail(item) => Ok(*item),
        _ => Err(Failure::machine(format!("record {sequence} of the vault holds no mail"))),
    }
}

/// The receipt of an entry that answered one of our telegrams, with that telegram.
fn answer(vault: &Vault, number: EntryNumber) -> Option<(Receipt, Option<Telegram>)> {
    vault.outbox().items().find_map(|item| {
        let State::Closed { outcome, .. } = &item.state else { return None };
        let receipt = match record::value::<Ending>("outcome", outcome).ok()? {
            Ending::Verdict(verdict) => verdict.receipt()?.clone(),
            Ending::Registered { receipt, .. } => receipt,
            Ending::NotEntered { .. } => return None,
        };
        (receipt.leaf.entry == number).then(|| (receipt, Some(item.telegram.clone())))
    })
}

/// What the opened part says, in words.
fn says(receipt: &Receipt) -> Result<String, String> {
    if receipt.side != Side::Store {
        return Err("it opens another party's part, not the store's".into());
    }
    let words = match receipt.store_part().map_err(|error| error.to_string())? {
        StorePart::Nothing => "it does not concern a store".to_owned(),
        StorePart::Registered { store, .. } => format!("{store} was entered in the store register"),
        StorePart::KeyChanged { .. } => "a key was changed".into(),
        StorePart::Paid { total, .. } => format!("an order was paid with {} minor units", total.minor()),
        StorePart::Refunded { payment, amount, .. } => {
            format!("{} minor units of {payment} were given back", amount.minor())
        }
        StorePart::Claimed { payments, total, .. } => {
            format!("claimed: {} in all, {} minor units", count(payments.len(), "payment"), total.minor())
        }
        StorePart::Refused { reason, .. } => format!("a telegram was refused: {reason}"),
        StorePart::Voided { .. } => "a telegram was entered as never to be done".into(),
        StorePart::Payout { claim, amount, .. } => {
            format!("the payout of {claim} over {} minor units changed its state", amount.minor())
        }
        StorePart::KeyChangeWaits { .. } => "a new recovery key waits until it is in force".into(),
        StorePart::KeyChangeCancelled { change } => format!("the key change of {change} was cancelled"),
        StorePart::CashierChanged { in_force: true, .. } => "a cashier was certified".into(),
        StorePart::CashierChanged { in_force: false, .. } => "a cashier's rights were taken away".into(),
        StorePart::RefundedByCenter { payment, amount } => {
            format!("the center gave {} minor units of {payment} back", amount.minor())
        }
    };
    let at = Zone::local().full(i64::try_from(receipt.leaf.at.0).unwrap_or(i64::MAX));
    Ok(format!("{} of {at}: {words}", receipt.leaf.entry))
}

/// `1 payment`, `2 payments`.
fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Whether the entry is about this telegram.
fn answers(receipt: &Receipt, telegram: &Telegram) -> Result<String, String> {
    let id = telegram.id();
    let same = match receipt.store_part().map_err(|error| error.to_string())? {
        StorePart::Refunded { telegram, .. }
        | StorePart::Claimed { telegram, .. }
        | StorePart::Refused { telegram, .. }
        | StorePart::Voided { telegram }
        | StorePart::CashierChanged { telegram, .. } => telegram == id,
        StorePart::Registered { key, .. } => telegram.signer == Signer::Key(key),
        StorePart::KeyChanged { role, key } => {
            telegram.peek::<KeyChange>().is_ok_and(|change| (change.role, change.key) == (role, key))
        }
        StorePart::KeyChangeWaits { key, .. } => {
            telegram.peek::<KeyChange>().is_ok_and(|change| change.key == Some(key))
        }
        StorePart::KeyChangeCancelled { change } => {
            telegram.peek::<KeyCancel>().is_ok_and(|cancel| cancel.change == change)
        }
        StorePart::Nothing
        | StorePart::RefundedByCenter { .. }
        | StorePart::Paid { .. }
        | StorePart::Payout { .. } => false,
    };
    if same {
        Ok("the entry answers exactly this telegram".into())
    } else {
        Err("the entry answers another telegram".into())
    }
}
