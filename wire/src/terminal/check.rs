//! Whether the center's words and its evidence say the same. Signatures are verified by the caller's [`super::Line`].

use crate::{
    codec::Malformed,
    id::{AccountNumber, EntryNumber, TelegramId},
    message::{Effect, Mail, MailItem, Refusal, Verdict},
    payload::{
        CardRequest, CashierChange, Claim, KeyCancel, KeyChange, KeyEvent, KeyRole, Payment, Refund,
        Registration,
    },
    receipt::{EntryKind, MemberPart, Receipt, Side, StorePart},
    telegram::{Kind, Signer, Telegram, TelegramError},
    time::Timestamp,
};

/// How much earlier than by the terminal's reckoning the center may call a telegram expired, in milliseconds: the way
/// that the center's clock takes to the terminal.
const GRACE_MS: u64 = 1_000;

/// What does not hold, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CheckError(pub String);

impl From<Malformed> for CheckError {
    fn from(error: Malformed) -> Self {
        Self(error.to_string())
    }
}

impl From<TelegramError> for CheckError {
    fn from(error: TelegramError) -> Self {
        Self(error.to_string())
    }
}

/// Whether a verdict's evidence speaks of this telegram, opens its signer's part, and says what the verdict says.
///
/// # Errors
/// What does not fit. [`Verdict::Expired`] has no evidence: there is no entry.
pub fn verdict_fits(telegram: &Telegram, verdict: &Verdict) -> Result<(), CheckError> {
    let Some(receipt) = verdict.receipt() else { return Ok(()) };
    if !own_side(telegram, receipt.side) {
        return Err(CheckError("its evidence opens another party's part".into()));
    }
    let id = telegram.id();
    let fits = match (verdict, Part::open(receipt)?) {
        (Verdict::Done { effect, .. }, part) => done_fits(telegram, effect, part)?,
        (
            Verdict::Refused { reason, .. },
            Part::Member(MemberPart::Refused { telegram: named, reason: entered })
            | Part::Store(StorePart::Refused { telegram: named, reason: entered }),
        ) => named == id && entered == *reason,
        (
            Verdict::Void { .. },
            Part::Member(MemberPart::Voided { telegram: named })
            | Part::Store(StorePart::Voided { telegram: named }),
        ) => named == id,
        // A telegram that came after its void is answered with the void's entry.
        (Verdict::Refused { reason: Refusal::Voided, .. }, part) => part.voids(id),
        _ => false,
    };
    verdict_of(fits, "its evidence does not say what the answer says")
}

/// Whether the evidence of a registration says that its key was entered under its number.
///
/// # Errors
/// What does not fit.
pub(super) fn registration_fits(
    telegram: &Telegram,
    (account, entry): (AccountNumber, EntryNumber),
    receipt: &Receipt,
) -> Result<(), CheckError> {
    let asked = telegram.peek::<Registration>()?;
    if account != asked.account {
        return Err(CheckError(format!(
            "it gives the number {account}, but {} was asked for",
            asked.account
        )));
    }
    if receipt.leaf.entry != entry || receipt.leaf.kind != EntryKind::Registration {
        return Err(CheckError("its evidence is about another entry".into()));
    }
    let fits = match (Part::open(receipt)?, account) {
        (Part::Member(MemberPart::Registered { member, key }), AccountNumber::Member(number)) => {
            (member, key) == (number, asked.verification_key)
        }
        (Part::Store(StorePart::Registered { store, key }), AccountNumber::Store(number)) => {
            (store, key) == (number, asked.verification_key)
        }
        _ => false,
    };
    verdict_of(fits, "its evidence does not say that this key was entered under this number")
}

/// Whether a telegram may be called expired when the center's clock shows `now`. It is the one verdict without
/// evidence.
///
/// # Errors
/// When the telegram is still valid, or is of a kind that is never entered.
pub(super) fn expired_fits(telegram: &Telegram, now: Timestamp) -> Result<(), CheckError> {
    let valid_until = match telegram.kind {
        Kind::Payment => telegram.peek::<Payment>()?.valid_until,
        Kind::CardRequest => telegram.peek::<CardRequest>()?.valid_until,
        Kind::Refund => telegram.peek::<Refund>()?.valid_until,
        Kind::Claim => telegram.peek::<Claim>()?.valid_until,
        Kind::KeyChange => telegram.peek::<KeyChange>()?.valid_until,
        Kind::KeyCancel => telegram.peek::<KeyCancel>()?.valid_until,
        Kind::CashierChange => telegram.peek::<CashierChange>()?.valid_until,
        other => return Err(CheckError(format!("it calls a {other} expired, which gets no such answer"))),
    };
    let words = "it calls the telegram expired, which is still valid by the center's own clock";
    verdict_of(now.plus_ms(GRACE_MS) >= valid_until, words)
}

/// Whether a receipt opens the part of the account that signed the telegram.
fn own_side(telegram: &Telegram, side: Side) -> bool {
    match telegram.signer {
        Signer::Account(AccountNumber::Member(_)) => side == Side::Member,
        Signer::Account(AccountNumber::Store(_)) => side == Side::Store,
        Signer::Key(_) => true,
    }
}

/// Whether a piece of mail says the same as its evidence.
///
/// # Errors
/// When it does not.
pub fn mail_fits(item: &MailItem) -> Result<(), CheckError> {
    let fits = match (&item.body, Part::open(&item.receipt)?) {
        (
            Mail::Paid { order, offer, total },
            Part::Store(StorePart::Paid { offer: offer_entered, order: order_entered, total: total_entered }),
        ) => (*order, *offer, *total) == (order_entered, offer_entered, total_entered),
        (
            Mail::Refunded { payment, card, amount, reason },
            Part::Member(MemberPart::Refunded {
                payment: payment_entered,
                card: card_entered,
                amount: amount_entered,
                reason: reason_entered,
                ..
            }),
        ) => {
            (*payment, *card, *amount, *reason)
                == (payment_entered, card_entered, amount_entered, reason_entered)
        }
        (
            Mail::CardIssued { request, amount, .. },
            Part::Member(MemberPart::CardIssued { request: request_entered, amount: amount_entered, .. }),
        ) => (*request, *amount) == (request_entered, amount_entered),
        (Mail::CardLapsed { request }, Part::Member(MemberPart::CardLapsed { request: entered })) => {
            *request == entered
        }
        (
            Mail::Payout { claim, amount, state },
            Part::Store(StorePart::Payout {
                claim: claim_entered,
                amount: amount_entered,
                state: state_entered,
            }),
        ) => (*claim, *amount, *state) == (claim_entered, amount_entered, state_entered),
        (
            Mail::KeyChanged(KeyEvent { entry, role, key }),
            Part::Member(MemberPart::KeyChanged { role: role_entered, key: key_entered })
            | Part::Store(StorePart::KeyChanged { role: role_entered, key: key_entered }),
        ) => (*entry, *role, *key) == (item.receipt.leaf.entry, role_entered, key_entered),
        (
            Mail::KeyChangeWaits(waiting),
            Part::Member(MemberPart::KeyChangeWaits { key, from })
            | Part::Store(StorePart::KeyChangeWaits { key, from }),
        ) => (waiting.change, waiting.key, waiting.from) == (item.receipt.leaf.entry, key, from),
        (
            Mail::KeyChangeCancelled { change },
            Part::Member(MemberPart::KeyChangeCancelled { change: entered })
            | Part::Store(StorePart::KeyChangeCancelled { change: entered }),
        ) => *change == entered,
        (
            Mail::RefundedByCenter { payment, amount },
            Part::Store(StorePart::RefundedByCenter { payment: payment_entered, amount: amount_entered }),
        ) => (*payment, *amount) == (payment_entered, amount_entered),
        _ => false,
    };
    verdict_of(fits, "its evidence does not say what the mail says")
}

/// What a receipt opens.
enum Part {
    Member(MemberPart),
    Store(StorePart),
}

impl Part {
    fn open(receipt: &Receipt) -> Result<Self, CheckError> {
        match receipt.side {
            Side::Member => Ok(Self::Member(receipt.member_part()?)),
            Side::Store => Ok(Self::Store(receipt.store_part()?)),
            Side::Center => Err(CheckError("its evidence opens a part that is not a terminal's".into())),
        }
    }

    fn voids(&self, id: TelegramId) -> bool {
        match self {
            Self::Member(MemberPart::Voided { telegram }) | Self::Store(StorePart::Voided { telegram }) => {
                *telegram == id
            }
            _ => false,
        }
    }
}

fn done_fits(telegram: &Telegram, effect: &Effect, part: Part) -> Result<bool, CheckError> {
    let id = telegram.id();
    Ok(match (telegram.kind, effect, part) {
        (
            Kind::Payment,
            Effect::Paid { balance },
            Part::Member(MemberPart::Paid {
                telegram: named,
                card,
                store,
                offer,
                order,
                total,
                balance: left,
            }),
        ) => {
            let asked = telegram.peek::<Payment>()?;
            named == id
                && left == *balance
                && (card, store, offer) == (asked.card, asked.store, asked.offer)
                && (order, total) == (asked.order, asked.total)
        }
        (
            Kind::CardRequest,
            Effect::FundingOpened(terms),
            Part::Member(MemberPart::CardRequested { telegram: named, amount }),
        ) => {
            let asked = telegram.peek::<CardRequest>()?;
            named == id && terms.telegram == id && amount == asked.amount && terms.amount == asked.amount
        }
        (
            Kind::Refund,
            Effect::Refunded,
            Part::Store(StorePart::Refunded { telegram: named, payment, amount, reason }),
        ) => {
            let asked = telegram.peek::<Refund>()?;
            named == id && (payment, amount, reason) == (asked.payment, asked.amount, asked.reason)
        }
        (
            Kind::Claim,
            Effect::Claimed,
            Part::Store(StorePart::Claimed { telegram: named, payments, total }),
        ) => {
            let asked = telegram.peek::<Claim>()?;
            named == id && payments == asked.payments && total == asked.total
        }
        (
            Kind::KeyChange,
            Effect::KeyChanged,
            Part::Member(MemberPart::KeyChanged { role, key })
            | Part::Store(StorePart::KeyChanged { role, key }),
        ) => {
            let asked = telegram.peek::<KeyChange>()?;
            (role, key) == (asked.role, asked.key)
        }
        (
            Kind::KeyChange,
            Effect::KeyChangeWaits { from },
            Part::Member(MemberPart::KeyChangeWaits { key, from: entered })
            | Part::Store(StorePart::KeyChangeWaits { key, from: entered }),
        ) => {
            let asked = telegram.peek::<KeyChange>()?;
            asked.role == KeyRole::Recovery && asked.key == Some(key) && *from == entered
        }
        (
            Kind::KeyCancel,
            Effect::KeyChangeCancelled,
            Part::Member(MemberPart::KeyChangeCancelled { change })
            | Part::Store(StorePart::KeyChangeCancelled { change }),
        ) => telegram.peek::<KeyCancel>()?.change == change,
        (
            Kind::CashierChange,
            Effect::CashierChanged,
            Part::Store(StorePart::CashierChanged { telegram: named, key, in_force }),
        ) => {
            let asked = telegram.peek::<CashierChange>()?;
            named == id && key == asked.key && in_force == asked.rights.is_some()
        }
        _ => false,
    })
}

fn verdict_of(fits: bool, words: &str) -> Result<(), CheckError> {
    if fits { Ok(()) } else { Err(CheckError(words.into())) }
}
