//! Receipt files: evidence that anyone can check offline with this program and the center's root key.
//!
//! A file is JSON: the key sheet, the receipt, the telegram that it answers, the evidence of who its signer is, and, if
//! the member wants to show what was bought, the opened order with its salt and offer.

use serde::{Deserialize, Serialize};
use tui_kit::time::Zone;
use wire::{
    amount::Amount,
    bounded::Bytes,
    id::{EntryNumber, Salt, TelegramId},
    key::VerificationKey,
    limits,
    order::{Order, order_hash},
    payload::{CardRequest, KeyRole, Offer, Payment, Registration},
    receipt::{Check, MemberPart, Receipt, Side},
    sheet::KeySheet,
    telegram::{Kind, Signer, Telegram},
};

use crate::{
    act::Failure,
    keep::Kept,
    view::{CheckRow, Exported, Verification, calendar_ms},
};

/// The schema of a receipt file.
const SCHEMA: &str = "inkan/receipt/1";
/// The longest file that is read.
pub const FILE_BYTES_MAX: usize = 4 << 20;

/// A receipt file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptFile {
    schema: String,
    /// The newest key sheet of the center.
    sheet: Telegram,
    receipt: Receipt,
    /// What the member signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    telegram: Option<Telegram>,
    /// The receipt of the registration of the key that signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signer: Option<Receipt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<OpenedOrder>,
}

/// An order that is shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenedOrder {
    order: Bytes<{ limits::ORDER }>,
    salt: Salt,
    offer: Telegram,
}

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
    let file =
        ReceiptFile { schema: SCHEMA.into(), sheet, receipt: found.receipt.clone(), telegram, signer, order };
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

/// Looks at everything in a receipt file under a root key. Nothing but the file and the key is needed.
///
/// # Errors
/// When it is no receipt file at all.
pub fn verify(content: &str, root: &VerificationKey) -> Result<Verification, Failure> {
    if content.len() > FILE_BYTES_MAX {
        return Err(Failure::not_possible("this is no receipt file: it is longer than 4 MiB"));
    }
    let file: ReceiptFile = serde_json::from_str(content).map_err(|error| {
        let words: String = error.to_string().chars().take(200).collect();
        Failure::not_possible(format!("this is no receipt file: {words}"))
    })?;
    if file.schema != SCHEMA {
        return Err(Failure::not_possible(format!(
            "this is no receipt file that this program knows ({SCHEMA})"
        )));
    }
    let mut checks = file.receipt.checks(&file.sheet, root);
    let center = KeySheet::verify(&file.sheet, root).ok().map(|sheet| sheet.center);
    checks.push(Check { name: "entry", outcome: says(&file.receipt, file.telegram.as_ref()) });
    if let Some(telegram) = &file.telegram {
        checks.push(Check { name: "telegram", outcome: answers(&file.receipt, telegram) });
        if let Some(signer) = &file.signer {
            checks.push(Check { name: "signature", outcome: signed_by(telegram, signer, &file.sheet, root) });
        }
        if let (Ok(payment), Some(center)) = (telegram.peek::<Payment>(), center) {
            let outcome = if payment.center == center {
                Ok("the payment names this center".into())
            } else {
                Err("the payment is for another center".into())
            };
            checks.push(Check { name: "center", outcome });
        }
    }
    if let Some(opened) = &file.order {
        checks.push(Check { name: "order", outcome: opens(&file.receipt, opened) });
    }
    let rows: Vec<CheckRow> = checks.into_iter().map(row).collect();
    Ok(Verification { valid: rows.iter().all(|check| check.pass), checks: rows })
}

fn row(check: Check) -> CheckRow {
    let pass = check.outcome.is_ok();
    let words = match check.outcome {
        Ok(words) | Err(words) => words,
    };
    CheckRow { name: check.name.to_owned(), pass, words }
}

/// What the opened part says, in words. The currency stands in the telegram alone.
fn says(receipt: &Receipt, telegram: Option<&Telegram>) -> Result<String, String> {
    let currency = telegram.and_then(|telegram| match telegram.kind {
        Kind::Payment => telegram.peek::<Payment>().ok().map(|said| said.currency),
        Kind::CardRequest => telegram.peek::<CardRequest>().ok().map(|said| said.currency),
        _ => None,
    });
    let money = |amount: Amount| match currency {
        Some(currency) => currency.print(amount),
        None => format!("{} minor units", amount.minor()),
    };
    if receipt.side != Side::Member {
        return Err("it opens another party's part, not the member's".into());
    }
    let part = receipt.member_part().map_err(|error| error.to_string())?;
    let words = match part {
        MemberPart::Nothing => "it does not concern a member".to_owned(),
        MemberPart::Registered { member, .. } => format!("{member} was entered in the member register"),
        MemberPart::KeyChanged { .. } => "a key was changed".into(),
        MemberPart::CardRequested { amount, .. } => {
            format!("a card of {} was asked for", money(amount))
        }
        MemberPart::CardIssued { card, amount, .. } => {
            format!("card {card} was issued with {}", money(amount))
        }
        MemberPart::Paid { card, store, total, .. } => {
            format!("{card} paid {} to {store}", money(total))
        }
        MemberPart::Refused { reason, .. } => format!("a telegram was refused: {reason}"),
        MemberPart::Voided { .. } => "a telegram was entered as never to be done".into(),
        MemberPart::Refunded { payment, amount, .. } => {
            format!("{} came back for {payment}", money(amount))
        }
        MemberPart::CardLapsed { request } => format!("card request {request} lapsed"),
        MemberPart::KeyChangeWaits { .. } => "a new recovery key was asked for, and waits".into(),
        MemberPart::KeyChangeCancelled { change } => {
            format!("the recovery key asked for in {change} was cancelled")
        }
    };
    let at = Zone::local().full(calendar_ms(receipt.leaf.at));
    Ok(format!("{} of {at}: {words}", receipt.leaf.entry))
}

/// Whether the entry is about this telegram and says what it says.
fn answers(receipt: &Receipt, telegram: &Telegram) -> Result<String, String> {
    let id = telegram.id();
    let named = |named: TelegramId| {
        if named == id {
            Ok("the entry answers exactly this telegram".to_owned())
        } else {
            Err(OTHER.to_owned())
        }
    };
    match receipt.member_part().map_err(|error| error.to_string())? {
        MemberPart::Paid { telegram: answered, card, store, offer, order, total, .. } => {
            let asked = telegram.peek::<Payment>().map_err(|error| error.to_string())?;
            let same = (card, store, offer, order, total)
                == (asked.card, asked.store, asked.offer, asked.order, asked.total);
            if same {
                named(answered)
            } else {
                Err("the entry paid something else than the telegram says".into())
            }
        }
        MemberPart::CardRequested { telegram: answered, .. }
        | MemberPart::Refused { telegram: answered, .. }
        | MemberPart::Voided { telegram: answered } => named(answered),
        MemberPart::Registered { key, .. } => {
            let asked = telegram.verify_self::<Registration>().map_err(|error| error.to_string())?;
            if asked.payload().verification_key == key && asked.key() == key {
                Ok("the entry registered the key that signed this telegram".into())
            } else {
                Err(OTHER.into())
            }
        }
        _ => Err(OTHER.into()),
    }
}

const OTHER: &str = "the entry answers another telegram";

/// Whether a telegram says that this event put its signing key in force.
fn names(telegram: &Telegram, event: EntryNumber) -> bool {
    let named = match telegram.kind {
        Kind::Payment => telegram.peek::<Payment>().map(|said| said.key_event),
        _ => telegram.peek::<CardRequest>().map(|said| said.key_event),
    };
    named.is_ok_and(|named| named == event)
}

/// Whether the telegram bears the signature of a key that the center registered.
fn signed_by(
    telegram: &Telegram,
    signer: &Receipt,
    sheet: &Telegram,
    root: &VerificationKey,
) -> Result<String, String> {
    signer
        .verify(sheet, root)
        .map_err(|error| format!("the evidence of the signer does not hold: {error}"))?;
    let event = signer.leaf.entry;
    let Signer::Account(account) = telegram.signer else {
        return Err("the telegram is no account's".into());
    };
    let key = match signer.member_part().map_err(|error| error.to_string())? {
        MemberPart::Registered { member, key } => {
            if account != wire::id::AccountNumber::Member(member) {
                return Err(format!("the telegram is not {member}'s"));
            }
            key
        }
        // It names no number; the telegram itself names this entry as the event of its key, and is signed by that key.
        MemberPart::KeyChanged { role: KeyRole::Signature, key: Some(key) } if names(telegram, event) => key,
        _ => return Err("the evidence of the signer is neither a registration nor a change of keys".into()),
    };
    let verified = match telegram.kind {
        Kind::Payment => telegram.verify::<Payment>(&key, event).map(drop),
        _ => telegram.verify::<CardRequest>(&key, event).map(drop),
    };
    verified.map_err(|error| error.to_string())?;
    Ok(format!("{account} signed it with the key registered by {event}"))
}

/// Whether the order shown is the one that was paid.
fn opens(receipt: &Receipt, opened: &OpenedOrder) -> Result<String, String> {
    let MemberPart::Paid { offer, order, total, store, .. } =
        receipt.member_part().map_err(|error| error.to_string())?
    else {
        return Err("the entry is no payment".into());
    };
    if order_hash(&opened.salt, &opened.order) != order {
        return Err("the order shown is not the one that was paid".into());
    }
    if opened.offer.digest() != offer {
        return Err("the offer shown is not the one that was paid".into());
    }
    let signed = opened.offer.verify_self::<Offer>().map_err(|error| error.to_string())?;
    let content = Order::decode(&opened.order).map_err(|error| error.to_string())?;
    let fits = signed.payload().order == order && content.total == total && content.store == store;
    if !fits {
        return Err("order, offer and payment do not agree".into());
    }
    let names: Vec<String> =
        content.lines.iter().map(|line| format!("{} × {}", line.quantity, line.title)).collect();
    Ok(names.join(", "))
}
