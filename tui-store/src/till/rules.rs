//! Whether a cashier may do what it asks. The center looks at refunds again; what it would refuse is not sent to it.

use wire::{
    amount::Amount,
    id::{AccountNumber, CenterId, OrderHash, StoreNumber},
    key::{Signature, VerificationKey},
    limits,
    payload::{Refund, Rights, TerminalCertificate},
    telegram::{Signer, Telegram},
    text::{Line, Prose},
    till::{Right, TillRefusal, login_message},
    time::Timestamp,
};

use super::{Cashier, day_of, staff::InForce};
use crate::book::{Book, Sale, Step};

/// A login as it came.
#[derive(Debug)]
pub(crate) struct Login<'a> {
    pub(crate) center: CenterId,
    pub(crate) store: StoreNumber,
    pub(crate) key: VerificationKey,
    pub(crate) certificate: Option<&'a Telegram>,
    pub(crate) signature: &'a Signature,
    pub(crate) exporter: &'a [u8; 32],
}

/// Whether a login is a cashier's; the rights as they are in force.
///
/// # Errors
/// A proof that does not fit, a stranger, somebody whose rights are gone, a certificate that is not this key's.
pub(crate) fn login<'a>(book: &'a Book, login: &Login<'_>) -> Result<&'a InForce, TillRefusal> {
    // The proof first: who does not hold the key learns nothing about it.
    let message = login_message(&login.center, login.store, &login.key, login.exporter);
    login.key.verify(&message, login.signature).map_err(|_| TillRefusal::BadProof)?;
    let in_force = cashier(book, &login.key)?;
    if let Some(shown) = login.certificate.filter(|shown| **shown != in_force.certificate) {
        certified(book, login, shown).map_err(|why| TillRefusal::BadCertificate(line(why)))?;
    }
    Ok(in_force)
}

/// The rights of a key that are in force now.
///
/// # Errors
/// When the key is nobody's, or the rights are gone.
pub(crate) fn cashier<'a>(book: &'a Book, key: &VerificationKey) -> Result<&'a InForce, TillRefusal> {
    let known: &Cashier = book.staff.cashiers.get(key).ok_or(TillRefusal::UnknownCashier)?;
    match book.staff.rights(key) {
        Some(in_force) => Ok(in_force),
        None if known.entry.is_none() => Err(TillRefusal::UnknownCashier),
        None => Err(TillRefusal::Revoked),
    }
}

/// Whether a cashier has a right.
///
/// # Errors
/// Names the right that is missing.
pub(crate) fn may<'a>(
    book: &'a Book,
    key: &VerificationKey,
    right: Right,
) -> Result<&'a InForce, TillRefusal> {
    let in_force = cashier(book, key)?;
    if right.is_in(&in_force.rights) { Ok(in_force) } else { Err(TillRefusal::NotAllowed(right)) }
}

/// What a cashier may still give back today: its limit less what it gave back, and less what it may have. The day is that
/// of the calendar; where the center's business days end at another hour than midnight, the center has the last word.
pub(crate) fn left(book: &Book, key: &VerificationKey, now: Timestamp) -> Amount {
    let Some(cashier) = book.staff.cashiers.get(key) else { return Amount::ZERO };
    let Some(in_force) = book.staff.rights(key) else { return Amount::ZERO };
    let today = day_of(book, now);
    let given = cashier.refunds.values().filter(|given| day_of(book, given.at) == today);
    let given = given.fold(Amount::ZERO, |sum, given| sum.plus(given.amount).unwrap_or(Amount::MAX));
    in_force.rights.refund_limit.minus(given).unwrap_or(Amount::ZERO)
}

/// Verifies that a refund was signed by this cashier for this store and center; nothing else about it.
///
/// # Errors
/// What does not fit.
pub(crate) fn own_refund(
    telegram: &Telegram,
    (center, store): (CenterId, StoreNumber),
    key: &VerificationKey,
) -> Result<Refund, TillRefusal> {
    let claimed: Refund = telegram.peek().map_err(bad)?;
    let verified = telegram.verify::<Refund>(key, claimed.key_event).map_err(bad)?;
    let refund = verified.payload().clone();
    if telegram.signer != Signer::Account(AccountNumber::Store(store))
        || refund.store != store
        || refund.center != center
    {
        return Err(bad("it is for another store or center"));
    }
    if refund.cashier != Some(*key) {
        return Err(bad("it names another cashier"));
    }
    Ok(refund)
}

/// Whether a refund of this cashier may be sent to the center.
///
/// # Errors
/// The right that is missing, the limit, or what the payment does not allow.
pub(crate) fn refund(
    book: &Book,
    key: &VerificationKey,
    refund: &Refund,
    now: Timestamp,
) -> Result<(), TillRefusal> {
    let in_force = may(book, key, Right::Refund)?;
    if refund.key_event != in_force.entry {
        return Err(bad("it names rights that are not in force any more; log in again"));
    }
    if refund.valid_until <= now || refund.valid_until.since_ms(now) > limits::VALIDITY_MS {
        return Err(bad("the time until which it is valid is not acceptable; look at this terminal's clock"));
    }
    let number = refund.payment;
    let payment = book
        .payments
        .get(&number)
        .ok_or_else(|| impossible(format!("this store got no payment {number}")))?;
    match payment.refund {
        Step::Not => {}
        Step::Waits(_) => {
            return Err(impossible(format!(
                "a refund of {number} was sent and its outcome is unknown; the store asks the center"
            )));
        }
        Step::Done(_) => return Err(impossible(format!("{number} was given back already"))),
    }
    if !book.is_unclaimed(payment) {
        return Err(impossible(format!("{number} is claimed; what was claimed cannot be given back")));
    }
    if refund.currency != book.currency() || refund.amount != payment.total {
        return Err(bad("a payment is given back whole, in the center's currency"));
    }
    let left = left(book, key, now);
    if refund.amount > left {
        return Err(TillRefusal::OverLimit { left });
    }
    Ok(())
}

/// Whether an order's goods may be put out for its buyer, by a cashier with the right to deliver. `holds` says whether the
/// shelf has all of them.
///
/// # Errors
/// The right that is missing, or why not.
pub(crate) fn deliver(
    book: &Book,
    key: &VerificationKey,
    order: &OrderHash,
    holds: impl FnOnce(&Sale) -> bool,
) -> Result<(), TillRefusal> {
    may(book, key, Right::Deliver)?;
    let sale = book.sales.get(order).ok_or_else(|| impossible("the store knows no such order"))?;
    let payment = sale.payment.and_then(|number| book.payments.get(&number));
    let payment =
        payment.ok_or_else(|| impossible("the order is not paid yet, as far as the store knows"))?;
    if payment.refund != Step::Not {
        return Err(impossible("the order's payment is being given back, or was"));
    }
    if !holds(sale) {
        return Err(impossible("the goods are not on the shelf; ask the store's owner"));
    }
    Ok(())
}

/// Whether a certificate that is not the newest is one that this store's signature key made for this key.
fn certified(book: &Book, login: &Login<'_>, shown: &Telegram) -> Result<(), &'static str> {
    let signed = shown.verify_self::<TerminalCertificate>().map_err(|_| "its signature does not hold")?;
    if !book.staff.issuers.contains(&signed.key()) {
        return Err("another key than the store's has signed it");
    }
    let said = signed.payload();
    if said.center != login.center || said.terminal_key != login.key {
        return Err("it is another terminal's");
    }
    match said.rights {
        Rights::Cashier(_) => Ok(()),
        Rights::Owner => Err("it is the owner's"),
    }
}

fn bad(why: impl ToString) -> TillRefusal {
    TillRefusal::BadRefund(prose(&why.to_string()))
}

fn impossible(why: impl ToString) -> TillRefusal {
    TillRefusal::NotPossible(prose(&why.to_string()))
}

fn prose(words: &str) -> Prose {
    Prose::new(&words.chars().take(limits::LINE).collect::<String>()).unwrap_or_default()
}

fn line(words: &str) -> Line {
    Line::new(words).unwrap_or_default()
}
