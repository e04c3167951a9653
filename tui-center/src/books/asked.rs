//! What a telegram asks: the request that stands in an entry, worked out of the telegram alone.
//!
//! Nothing is verified here but what travels beside a claim. Whoever makes a request live has verified the telegram
//! before ([`crate::settlement::heard`]); whoever looks at the books afterwards ([`super::verify`]) verifies it again
//! and holds what comes out against what was entered.

use ledger::{
    Request,
    request::{
        CardRequest, CashierChange, Claim, DeliveryProof, KeyCancel, KeyChange, Payment, Refund, Void,
    },
};
use wire::{
    id::{AccountNumber, CenterId, EntryNumber, TelegramId},
    key::VerificationKey,
    message::Beside,
    payload::{self, ClaimEvidence, KeyRole},
    telegram::{Payload, SelfSigned},
    time::Timestamp,
};

/// What every telegram of an account says of itself.
pub(crate) trait Ours: Payload + Clone {
    fn center(&self) -> &CenterId;
    fn account(&self) -> AccountNumber;
    fn key_event(&self) -> EntryNumber;
    fn valid_until(&self) -> Timestamp;
    /// Whose keys may sign it, the usual one first.
    fn signers() -> &'static [KeyRole] {
        &[KeyRole::Signature]
    }
    /// The key of the account's own that it names as its signer: a cashier's.
    fn cashier(&self) -> Option<VerificationKey> {
        None
    }
}

impl Ours for payload::Refund {
    fn center(&self) -> &CenterId {
        &self.center
    }
    fn account(&self) -> AccountNumber {
        AccountNumber::Store(self.store)
    }
    fn key_event(&self) -> EntryNumber {
        self.key_event
    }
    fn valid_until(&self) -> Timestamp {
        self.valid_until
    }
    fn cashier(&self) -> Option<VerificationKey> {
        self.cashier
    }
}

macro_rules! ours {
    ($($name:ident: $self:ident => $account:expr $(, $signers:expr)?;)+) => { $(
        impl Ours for payload::$name {
            fn center(&self) -> &CenterId {
                &self.center
            }
            fn account(&$self) -> AccountNumber {
                $account
            }
            fn key_event(&self) -> EntryNumber {
                self.key_event
            }
            fn valid_until(&self) -> Timestamp {
                self.valid_until
            }
            $(fn signers() -> &'static [KeyRole] {
                $signers
            })?
        }
    )+ };
}

ours! {
    Payment: self => AccountNumber::Member(self.member);
    CardRequest: self => AccountNumber::Member(self.member);
    Claim: self => AccountNumber::Store(self.store);
    CashierChange: self => AccountNumber::Store(self.store);
    KeyChange: self => self.account, &[KeyRole::Signature, KeyRole::Recovery];
    KeyCancel: self => self.account, &[KeyRole::Recovery];
}

pub(crate) fn payment(it: &payload::Payment, telegram: TelegramId) -> Request {
    Request::Pay(Payment {
        telegram,
        member: it.member,
        event: it.key_event,
        card: it.card,
        store: it.store,
        offer: it.offer,
        order: it.order,
        total: it.total,
        currency: it.currency,
        offer_expires: it.offer_expires,
        valid_until: it.valid_until,
    })
}

pub(crate) fn card_request(it: &payload::CardRequest, telegram: TelegramId) -> Request {
    Request::RequestCard(CardRequest {
        telegram,
        member: it.member,
        event: it.key_event,
        amount: it.amount,
        currency: it.currency,
        funding: it.funding,
        valid_until: it.valid_until,
    })
}

pub(crate) fn refund(it: &payload::Refund, telegram: TelegramId) -> Request {
    Request::Refund(Refund {
        telegram,
        store: it.store,
        cashier: it.cashier,
        event: it.key_event,
        payment: it.payment,
        amount: it.amount,
        currency: it.currency,
        reason: it.reason,
        valid_until: it.valid_until,
    })
}

/// Evidence that does not hold is left out, so that the rules name the payment as not delivered. This verifies up to
/// two signatures for each payment.
pub(crate) fn claim(it: &payload::Claim, telegram: TelegramId, beside: &Beside) -> Request {
    let evidence = match beside {
        Beside::Claim(evidence) => &evidence[..],
        Beside::Nothing | Beside::Keys(_) => &[],
    };
    Request::Claim(Claim {
        telegram,
        store: it.store,
        event: it.key_event,
        payments: it.payments.to_vec(),
        total: it.total,
        currency: it.currency,
        proofs: evidence.iter().filter_map(|evidence| delivery(it, evidence)).collect(),
        valid_until: it.valid_until,
    })
}

/// `by` says which of the account's keys signed it.
pub(crate) fn key_change(it: &payload::KeyChange, telegram: TelegramId, by: KeyRole) -> Request {
    Request::ChangeKey(KeyChange {
        telegram,
        account: it.account,
        by,
        event: it.key_event,
        role: it.role,
        key: it.key,
        valid_until: it.valid_until,
    })
}

pub(crate) fn key_cancel(it: &payload::KeyCancel, telegram: TelegramId) -> Request {
    Request::CancelKeyChange(KeyCancel {
        telegram,
        account: it.account,
        event: it.key_event,
        change: it.change,
        valid_until: it.valid_until,
    })
}

pub(crate) fn cashier(it: &payload::CashierChange, telegram: TelegramId) -> Request {
    Request::Cashier(CashierChange {
        telegram,
        store: it.store,
        event: it.key_event,
        key: it.key,
        rights: it.rights.clone(),
        valid_until: it.valid_until,
    })
}

/// What becomes of a telegram that is asked about before it was entered.
pub(crate) fn void<P: Ours>(it: &P, telegram: TelegramId) -> Request {
    Request::Void(Void { telegram, account: it.account(), valid_until: it.valid_until() })
}

/// What one piece of evidence proves: the offer is signed by the terminal key that it names, and the buyer key that
/// it names signed for the goods of the same order. That it is the offer which was paid, the rules see by its digest.
fn delivery(claim: &payload::Claim, evidence: &ClaimEvidence) -> Option<DeliveryProof> {
    let offered: SelfSigned<payload::Offer> = evidence.offer.verify_self().ok()?;
    let delivered: SelfSigned<payload::Delivery> = evidence.delivery.verify_self().ok()?;
    let offer = offered.payload();
    let holds = offered.key() == offer.terminal_key
        && delivered.key() == offer.buyer_key
        && delivered.payload().order == offer.order
        && offer.store == claim.store
        && offer.center == claim.center
        && offer.currency == claim.currency;
    holds.then(|| DeliveryProof {
        payment: evidence.payment,
        offer: evidence.offer.digest(),
        order: offer.order,
        total: offer.total,
    })
}
