//! Receipt files and evidence files: what anyone can check offline with this program and the center's root key. They are
//! JSON, the same as a member's; what is in a receipt file, and which checks it takes, stands in [`wire::receipt::file`]
//! and [`wire::evidence`].

use tui_kit::time::Zone;
use vault::{State, Vault};
use wire::{
    bounded::Bytes,
    codec,
    evidence::{self, Evidence},
    id::EntryNumber,
    key::VerificationKey,
    message::MailItem,
    payload::{Claim, Refund},
    receipt::{
        Check, Receipt, StorePart,
        file::{self, OpenedOrder, ReceiptFile},
    },
    telegram::{Kind, Telegram},
};

use crate::{
    act::Failure,
    book::Book,
    record::{self, Ending, Record},
    view::{CheckRow, Exported, Verification},
};

pub(crate) use wire::receipt::file::FILE_BYTES as FILE_BYTES_MAX;

/// Makes a receipt file from the vault; `with_order` opens what was sold in it. Blocks.
///
/// # Errors
/// When the vault has no receipt of this number.
pub(crate) fn export(
    vault: &Vault,
    book: &Book,
    number: EntryNumber,
    with_order: bool,
) -> Result<Exported, Failure> {
    let sheet = vault.center().and_then(|center| center.sheet.clone());
    let sheet =
        sheet.ok_or_else(|| Failure::not_possible("no key sheet of the center is kept; run sync first"))?;
    let (receipt, telegram) = match book.mail.get(&number) {
        Some(sequence) => (mail(vault, *sequence)?.receipt, None),
        None => answer(vault, number)
            .ok_or_else(|| Failure::not_found(format!("there is no receipt {number} in this vault")))?,
    };
    let signer = telegram.as_ref().and_then(|telegram| Some(answer(vault, event_of(telegram)?)?.0));
    let order = with_order.then(|| opened(book, &receipt)).flatten();
    let file = ReceiptFile { telegram, signer, order, ..ReceiptFile::new(sheet, receipt) };
    let content = serde_json::to_string_pretty(&file).map_err(Failure::machine)?;
    Ok(Exported { number, content: content + "\n" })
}

/// The order that a payment paid, as this store took it.
fn opened(book: &Book, receipt: &Receipt) -> Option<OpenedOrder> {
    let Ok(StorePart::Paid { order, .. }) = receipt.store_part() else { return None };
    let sale = book.sales.get(&order)?;
    Some(OpenedOrder {
        order: Bytes::new(codec::encode(&sale.order)).ok()?,
        salt: sale.salt,
        offer: sale.buyer.as_ref()?.offer.clone(),
    })
}

/// Which event a telegram of the store's signature key names.
fn event_of(telegram: &Telegram) -> Option<EntryNumber> {
    match telegram.kind {
        Kind::Claim => telegram.peek::<Claim>().ok().map(|claim| claim.key_event),
        // A cashier's key is entered by another kind of event, which no receipt file shows.
        Kind::Refund => {
            let refund = telegram.peek::<Refund>().ok().filter(|refund| refund.cashier.is_none());
            refund.map(|refund| refund.key_event)
        }
        _ => None,
    }
}

/// Looks at everything in a receipt file or an evidence file under a root key. Nothing but the file and the key is
/// needed.
///
/// # Errors
/// When it is neither.
pub(crate) fn verify(content: &str, root: &VerificationKey) -> Result<Verification, Failure> {
    let foreign = |words: String| Failure::not_possible(format!("this is no receipt file: {words}"));
    if content.len() > FILE_BYTES_MAX {
        return Err(foreign("it is longer than 4 MiB".into()));
    }
    let unread = |error: serde_json::Error| foreign(error.to_string().chars().take(200).collect());
    let (schema, found, checks) = if content.contains(evidence::SCHEMA) {
        let evidence: Evidence = serde_json::from_str(content).map_err(unread)?;
        (evidence::SCHEMA, evidence.schema.clone(), evidence.checks(root))
    } else {
        let file: ReceiptFile = serde_json::from_str(content).map_err(unread)?;
        let clock = |at: wire::time::Timestamp| Zone::local().full(i64::try_from(at.0).unwrap_or(i64::MAX));
        (file::SCHEMA, file.schema.clone(), file.checks(root, &clock))
    };
    if found != schema {
        return Err(foreign(format!("this program knows {schema}")));
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
