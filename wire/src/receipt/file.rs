//! Receipt files: evidence that anyone can check offline with a program of this house and the center's root key.
//!
//! A file holds the key sheet, the receipt, the telegram that it answers, the evidence of who its signer is, and, if its
//! owner wants to show what was bought, the opened order with its salt and offer. Members and stores write the same
//! files; in which notation is for the programs to choose.

use serde::{Deserialize, Serialize};

use super::{Check, EntryKind, MemberPart, Receipt, Side, StorePart};
use crate::{
    amount::{Amount, Currency},
    bounded::Bytes,
    id::{AccountNumber, Digest, EntryNumber, OrderHash, Salt},
    key::VerificationKey,
    limits,
    order::{Order, order_hash},
    payload::{CardRequest, Claim, KeyCancel, KeyChange, KeyRole, Offer, Payment, Refund, Registration},
    sheet::KeySheet,
    telegram::{Kind, Signer, Telegram},
    time::Timestamp,
};

/// The schema of a receipt file.
pub const SCHEMA: &str = "inkan/receipt/1";
/// The longest file that is read, in bytes.
pub const FILE_BYTES: usize = 4 << 20;

/// A receipt file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptFile {
    /// [`SCHEMA`].
    pub schema: String,
    /// The newest key sheet of the center.
    pub sheet: Telegram,
    /// The receipt.
    pub receipt: Receipt,
    /// What the account signed, where the entry answers one of its telegrams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telegram: Option<Telegram>,
    /// The receipt of the key event that put the telegram's key in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Receipt>,
    /// What was bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OpenedOrder>,
}

/// An order that is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedOrder {
    /// Its exact bytes.
    pub order: Bytes<{ limits::ORDER }>,
    /// The salt of its hash.
    pub salt: Salt,
    /// The signed offer for it.
    pub offer: Telegram,
}

impl ReceiptFile {
    /// A file with nothing but what every receipt needs.
    pub fn new(sheet: Telegram, receipt: Receipt) -> Self {
        Self { schema: SCHEMA.into(), sheet, receipt, telegram: None, signer: None, order: None }
    }

    /// Looks at everything in the file under a pinned root key; each check is named. Nothing but the file and the key is
    /// needed. It is evidence only if every outcome is `Ok`. `clock` prints instants.
    pub fn checks(&self, root: &VerificationKey, clock: &dyn Fn(Timestamp) -> String) -> Vec<Check> {
        let Self { sheet, receipt, telegram, signer, order, .. } = self;
        let mut checks = receipt.checks(sheet, root);
        let center = KeySheet::verify(sheet, root).ok().map(|sheet| sheet.center);
        let mut look = |name, outcome| checks.push(Check { name, outcome });
        look("entry", self.says(clock));
        if let Some(telegram) = telegram {
            look("telegram", answers(receipt, telegram));
            if let Some(signer) = signer {
                look("signature", signed_by(telegram, signer, sheet, root));
            }
            if let (Ok(payment), Some(center)) = (telegram.peek::<Payment>(), center) {
                let ours = payment.center == center;
                let words = "the payment names this center";
                look("center", if ours { Ok(words.into()) } else { Err(OTHER_CENTER.into()) });
            }
        }
        if let Some(opened) = order {
            look("offer", offered(receipt, opened, root));
            look("order", opens(receipt, opened));
        }
        checks
    }

    /// What the opened part says, in words.
    fn says(&self, clock: &dyn Fn(Timestamp) -> String) -> Result<String, String> {
        let currency = self.currency();
        let money = |amount: Amount| match currency {
            Some(currency) => currency.print(amount),
            None => format!("{} minor units", amount.minor()),
        };
        let words = match self.receipt.side {
            Side::Member => self.receipt.member_part().map_err(text)?.words(&money),
            Side::Store => self.receipt.store_part().map_err(text)?.words(&money),
            Side::Center => return Err("it opens the center's part, which no receipt shows".into()),
        };
        Ok(format!("{} of {}: {words}", self.receipt.leaf.entry, clock(self.receipt.leaf.at)))
    }

    /// The currency stands in telegrams and offers alone.
    fn currency(&self) -> Option<Currency> {
        let offer = self.order.as_ref().and_then(|opened| opened.offer.peek::<Offer>().ok());
        let telegram = self.telegram.as_ref();
        telegram
            .and_then(|telegram| match telegram.kind {
                Kind::Payment => telegram.peek::<Payment>().ok().map(|said| said.currency),
                Kind::CardRequest => telegram.peek::<CardRequest>().ok().map(|said| said.currency),
                Kind::Refund => telegram.peek::<Refund>().ok().map(|said| said.currency),
                Kind::Claim => telegram.peek::<Claim>().ok().map(|said| said.currency),
                _ => None,
            })
            .or(offer.map(|offer| offer.currency))
    }
}

const OTHER: &str = "the entry answers another telegram";
const OTHER_CENTER: &str = "the payment is for another center";

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Whether the kind that the leaf shows fits what its opened part says.
pub(super) fn kind_fits(receipt: &Receipt) -> bool {
    let kind = receipt.leaf.kind;
    match receipt.side {
        Side::Member => match receipt.member_part() {
            Ok(MemberPart::Paid { .. }) => kind == EntryKind::Payment,
            Ok(MemberPart::Refunded { .. }) => kind == EntryKind::Refund,
            Ok(MemberPart::Voided { .. }) => kind == EntryKind::Void,
            Ok(_) => true,
            Err(_) => false,
        },
        Side::Store => match receipt.store_part() {
            Ok(StorePart::Paid { .. }) => kind == EntryKind::Payment,
            Ok(StorePart::Claimed { .. }) => kind == EntryKind::Claim,
            Ok(StorePart::Voided { .. }) => kind == EntryKind::Void,
            Ok(_) => true,
            Err(_) => false,
        },
        // Whatever the center keeps of an entry is not a receipt's to know.
        Side::Center => true,
    }
}

/// Whether the entry is about this telegram and says what it says.
fn answers(receipt: &Receipt, telegram: &Telegram) -> Result<String, String> {
    let id = telegram.id();
    let change = || telegram.peek::<KeyChange>();
    let same = match receipt.side {
        Side::Member => match receipt.member_part().map_err(text)? {
            MemberPart::Paid { telegram: answered, card, store, offer, order, total, .. } => {
                let asked = telegram.peek::<Payment>().map_err(text)?;
                let paid = (asked.card, asked.store, asked.offer, asked.order, asked.total);
                if (card, store, offer, order, total) != paid {
                    return Err("the entry paid something else than the telegram says".into());
                }
                answered == id
            }
            MemberPart::CardRequested { telegram: answered, .. }
            | MemberPart::Refused { telegram: answered, .. }
            | MemberPart::Voided { telegram: answered } => answered == id,
            MemberPart::Registered { key, .. } => registers(telegram, &key)?,
            MemberPart::KeyChanged { role, key } => change().is_ok_and(|it| (it.role, it.key) == (role, key)),
            MemberPart::KeyChangeWaits { key, .. } => change().is_ok_and(|it| it.key == Some(key)),
            MemberPart::KeyChangeCancelled { change } => cancels(telegram, change),
            _ => false,
        },
        Side::Store => match receipt.store_part().map_err(text)? {
            StorePart::Refunded { telegram: answered, payment, amount, .. } => {
                let asked = telegram.peek::<Refund>().map_err(text)?;
                if (asked.payment, asked.amount) != (payment, amount) {
                    return Err("the entry gave back something else than the telegram says".into());
                }
                answered == id
            }
            StorePart::Claimed { telegram: answered, payments, total } => {
                let asked = telegram.peek::<Claim>().map_err(text)?;
                if (asked.payments, asked.total) != (payments, total) {
                    return Err("the entry claimed something else than the telegram says".into());
                }
                answered == id
            }
            StorePart::Refused { telegram: answered, .. }
            | StorePart::Voided { telegram: answered }
            | StorePart::CashierChanged { telegram: answered, .. } => answered == id,
            StorePart::Registered { key, .. } => registers(telegram, &key)?,
            StorePart::KeyChanged { role, key } => change().is_ok_and(|it| (it.role, it.key) == (role, key)),
            StorePart::KeyChangeWaits { key, .. } => change().is_ok_and(|it| it.key == Some(key)),
            StorePart::KeyChangeCancelled { change } => cancels(telegram, change),
            _ => false,
        },
        Side::Center => false,
    };
    if same { Ok("the entry answers exactly this telegram".into()) } else { Err(OTHER.into()) }
}

fn registers(telegram: &Telegram, key: &VerificationKey) -> Result<bool, String> {
    let asked = telegram.verify_self::<Registration>().map_err(text)?;
    Ok(asked.payload().verification_key == *key && asked.key() == *key)
}

fn cancels(telegram: &Telegram, change: EntryNumber) -> bool {
    telegram.peek::<KeyCancel>().is_ok_and(|cancel| cancel.change == change)
}

/// Which event a telegram says to have put its signing key in force.
fn event_of(telegram: &Telegram) -> Option<EntryNumber> {
    match telegram.kind {
        Kind::Payment => telegram.peek::<Payment>().ok().map(|said| said.key_event),
        Kind::CardRequest => telegram.peek::<CardRequest>().ok().map(|said| said.key_event),
        Kind::Refund => telegram.peek::<Refund>().ok().map(|said| said.key_event),
        Kind::Claim => telegram.peek::<Claim>().ok().map(|said| said.key_event),
        _ => None,
    }
}

/// Whether the telegram bears the signature of a key that the center entered.
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
    let (named, key) = match signer.side {
        Side::Member => match signer.member_part().map_err(text)? {
            MemberPart::Registered { member, key } => (Some(AccountNumber::Member(member)), Some(key)),
            MemberPart::KeyChanged { role: KeyRole::Signature, key } => (None, key),
            _ => (None, None),
        },
        Side::Store => match signer.store_part().map_err(text)? {
            StorePart::Registered { store, key } => (Some(AccountNumber::Store(store)), Some(key)),
            StorePart::KeyChanged { role: KeyRole::Signature, key } => (None, key),
            _ => (None, None),
        },
        Side::Center => (None, None),
    };
    let key = key.ok_or("the evidence of the signer is neither a registration nor a change of keys")?;
    // A change of keys names no number; the telegram itself names that entry as the event of its key.
    if named.is_none() && event_of(telegram) != Some(event) {
        return Err("the telegram names another event of its key than the evidence is of".into());
    }
    if let Some(named) = named.filter(|named| *named != account) {
        return Err(format!("the telegram is not {named}'s"));
    }
    let verified = match telegram.kind {
        Kind::Payment => telegram.verify::<Payment>(&key, event).map(drop),
        Kind::CardRequest => telegram.verify::<CardRequest>(&key, event).map(drop),
        Kind::Refund => telegram.verify::<Refund>(&key, event).map(drop),
        Kind::Claim => telegram.verify::<Claim>(&key, event).map(drop),
        _ => return Err("telegrams of this kind are shown without their signer".into()),
    };
    verified.map_err(text)?;
    Ok(format!("{account} signed it with the key registered by {event}"))
}

/// What a payment's opened part binds of the order: offer, order, total.
fn paid(receipt: &Receipt) -> Result<(Digest, OrderHash, Amount), String> {
    let none = || "the entry is no payment".to_owned();
    match receipt.side {
        Side::Member => match receipt.member_part().map_err(text)? {
            MemberPart::Paid { offer, order, total, .. } => Ok((offer, order, total)),
            _ => Err(none()),
        },
        Side::Store => match receipt.store_part().map_err(text)? {
            StorePart::Paid { offer, order, total } => Ok((offer, order, total)),
            _ => Err(none()),
        },
        Side::Center => Err(none()),
    }
}

/// Whether the offer shown is the one that was paid, and signed by the terminal key that it names.
fn offered(receipt: &Receipt, opened: &OpenedOrder, root: &VerificationKey) -> Result<String, String> {
    let (digest, order, total) = paid(receipt)?;
    if opened.offer.digest() != digest {
        return Err("the offer shown is not the one that was paid".into());
    }
    let signed = opened.offer.verify_self::<Offer>().map_err(text)?;
    let offer = signed.payload();
    if offer.terminal_key != signed.key() || offer.center != root.center() {
        return Err("the offer is not signed by the key that it names, or is for another center".into());
    }
    if (offer.order, offer.total) != (order, total) {
        return Err("the offer is for another order or amount than the payment".into());
    }
    Ok(format!("{} offered this order for this amount", offer.store))
}

/// Whether the order shown is the one that was paid.
fn opens(receipt: &Receipt, opened: &OpenedOrder) -> Result<String, String> {
    let (_, order, total) = paid(receipt)?;
    if order_hash(&opened.salt, &opened.order) != order {
        return Err("the order shown is not the one that was paid".into());
    }
    let content = Order::decode(&opened.order).map_err(text)?;
    let store = opened.offer.peek::<Offer>().map_err(text)?.store;
    if content.total != total || content.store != store {
        return Err("order, offer and payment do not agree".into());
    }
    let names: Vec<String> =
        content.lines.iter().map(|line| format!("{} × {}", line.quantity, line.title)).collect();
    Ok(names.join(", "))
}
