//! Receipt files and evidence files: what anyone can check offline with this program and the center's root key. They are
//! JSON; what is in a receipt file, and which checks it takes, stands in [`wire::receipt::file`] and [`wire::evidence`].

use tui_kit::time::Zone;
use wire::{
    bounded::Bytes,
    evidence::{self, Evidence},
    id::EntryNumber,
    key::VerificationKey,
    payload::{CardRequest, Payment},
    receipt::{
        Check, MemberPart, Receipt,
        file::{self, OpenedOrder, ReceiptFile},
    },
    telegram::{Kind, Signer, Telegram},
};

use crate::{
    act::Failure,
    keep::Kept,
    view::{CheckRow, Exported, Verification, calendar_ms},
};

pub use wire::receipt::file::FILE_BYTES as FILE_BYTES_MAX;

/// Makes a receipt file.
///
/// # Errors
/// When the vault has no receipt of this number.
pub(crate) fn export(kept: &Kept, number: EntryNumber, with_order: bool) -> Result<Exported, Failure> {
    let none = || Failure::not_found(format!("there is no receipt {number} in this vault"));
    let found = kept.book.receipt(number).ok_or_else(none)?;
    let sheet = kept.pinned()?.sheet.clone();
    let sheet =
        sheet.ok_or_else(|| Failure::not_possible("no key sheet of the center is kept; run sync first"))?;
    let telegram =
        found.telegram.and_then(|id| kept.vault.outbox().item(&id)).map(|item| item.telegram.clone());
    let signed_by_account = telegram.as_ref().is_some_and(|one| matches!(one.signer, Signer::Account(_)));
    let signer = telegram.as_ref().filter(|_| signed_by_account).and_then(|telegram| signer(kept, telegram));
    let paid = |part: MemberPart| match part {
        MemberPart::Paid { order, .. } => Some(order),
        _ => None,
    };
    let order = found.receipt.member_part().ok().and_then(paid).filter(|_| with_order);
    let order = order.and_then(|order| kept.book.purchase(&order)).and_then(|purchase| {
        Some(OpenedOrder {
            order: Bytes::new(purchase.ordered.order.clone()).ok()?,
            salt: purchase.ordered.salt,
            offer: purchase.ordered.offer.clone(),
        })
    });
    let file = ReceiptFile { telegram, signer, order, ..ReceiptFile::new(sheet, found.receipt.clone()) };
    let content = serde_json::to_string_pretty(&file).map_err(Failure::machine)?;
    Ok(Exported { number, content: content + "\n" })
}

/// The evidence of the key that signed a telegram: the entry that the telegram names, a registration or a change of keys.
fn signer(kept: &Kept, telegram: &Telegram) -> Option<Receipt> {
    let event = match telegram.kind {
        Kind::Payment => telegram.peek::<Payment>().ok()?.key_event,
        _ => telegram.peek::<CardRequest>().ok()?.key_event,
    };
    kept.book.receipt(event).map(|found| found.receipt.clone())
}

/// Looks at everything in a receipt file or an evidence file under a root key. Nothing but the file and the key is
/// needed.
///
/// # Errors
/// When it is neither.
pub fn verify(content: &str, root: &VerificationKey) -> Result<Verification, Failure> {
    if content.len() > FILE_BYTES_MAX {
        return Err(Failure::not_possible("this is no receipt file: it is longer than 4 MiB"));
    }
    let checks = if content.contains(evidence::SCHEMA) {
        let evidence: Evidence = read("an evidence file", content)?;
        known(&evidence.schema, evidence::SCHEMA)?;
        evidence.checks(root)
    } else {
        let file: ReceiptFile = read("a receipt file", content)?;
        known(&file.schema, file::SCHEMA)?;
        file.checks(root, &|at| Zone::local().full(calendar_ms(at)))
    };
    let rows: Vec<CheckRow> = checks.into_iter().map(row).collect();
    Ok(Verification { valid: rows.iter().all(|check| check.pass), checks: rows })
}

fn read<T: serde::de::DeserializeOwned>(what: &str, content: &str) -> Result<T, Failure> {
    serde_json::from_str(content).map_err(|error| {
        let words: String = error.to_string().chars().take(200).collect();
        Failure::not_possible(format!("this is not {what}: {words}"))
    })
}

fn known(found: &str, schema: &str) -> Result<(), Failure> {
    if found == schema {
        return Ok(());
    }
    Err(Failure::not_possible(format!("this is no file that this program knows ({schema})")))
}

fn row(check: Check) -> CheckRow {
    let pass = check.outcome.is_ok();
    let words = match check.outcome {
        Ok(words) | Err(words) => words,
    };
    CheckRow { name: check.name.to_owned(), pass, words }
}
