//! Telegrams that move money, or are about to.

use ledger::{
    Request,
    request::{CardRequest, Claim, DeliveryProof, Payment, Refund},
};
use wire::{
    message::Beside,
    payload::{self, ClaimEvidence},
    telegram::{Authentic, SelfSigned},
};

pub(super) fn payment(authentic: &Authentic<payload::Payment>) -> Request {
    let it = authentic.payload();
    Request::Pay(Payment {
        telegram: authentic.id(),
        member: it.member,
        event: authentic.event(),
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

pub(super) fn card_request(authentic: &Authentic<payload::CardRequest>) -> Request {
    let it = authentic.payload();
    Request::RequestCard(CardRequest {
        telegram: authentic.id(),
        member: it.member,
        event: authentic.event(),
        amount: it.amount,
        currency: it.currency,
        funding: it.funding,
        valid_until: it.valid_until,
    })
}

pub(super) fn refund(authentic: &Authentic<payload::Refund>) -> Request {
    let it = authentic.payload();
    Request::Refund(Refund {
        telegram: authentic.id(),
        store: it.store,
        cashier: it.cashier,
        event: authentic.event(),
        payment: it.payment,
        amount: it.amount,
        currency: it.currency,
        reason: it.reason,
        valid_until: it.valid_until,
    })
}

/// Evidence that does not hold is left out, so that the rules name the payment as not delivered.
pub(super) fn claim(authentic: &Authentic<payload::Claim>, beside: &Beside) -> Request {
    let it = authentic.payload();
    let evidence = match beside {
        Beside::Claim(evidence) => &evidence[..],
        Beside::Nothing | Beside::Keys(_) => &[],
    };
    Request::Claim(Claim {
        telegram: authentic.id(),
        store: it.store,
        event: authentic.event(),
        payments: it.payments.to_vec(),
        total: it.total,
        currency: it.currency,
        proofs: evidence.iter().filter_map(|evidence| delivery(it, evidence)).collect(),
        valid_until: it.valid_until,
    })
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
