//! What the center's mail and verdicts settle: payments, refunds, claims, payouts.

use std::collections::BTreeMap;

use wire::{
    amount::Amount,
    id::{Digest, EntryNumber, OrderHash, TelegramId},
    message::{Effect, Mail, MailItem, Refusal, Verdict},
    payload::{Claim, KeyRole, Refund},
    receipt::PayoutState,
    text::Prose,
    time::Timestamp,
};

use super::{Book, Claimed, Misfit, Payment, Step};
use crate::record::{HandedIn, Notice};

impl Book {
    /// What the center lost and has taken as receipts gives its number up: an order that was paid by it waits for the
    /// notice of the entry that takes its place, and stays delivered where it was.
    pub(super) fn lose(&mut self, handed_in: &HandedIn) {
        for (entry, again) in &handed_in.lost {
            self.mail.remove(entry);
            self.claims.remove(entry);
            if let Some(payment) = self.payments.remove(entry)
                && let Some(sale) = self.sales.get_mut(&payment.order)
                && sale.payment == Some(*entry)
            {
                sale.payment = None;
            }
            let became = match again {
                Some(again) => format!("it is entered again as {again}."),
                None => "it waits there until its owner or the center's operators bring it back.".to_owned(),
            };
            self.tell(
                handed_in.at,
                &format!("The center had lost {entry} and has taken the receipt of it: {became}"),
            );
        }
    }

    pub(super) fn apply_mail(&mut self, sequence: u64, item: &MailItem) {
        let entry = item.receipt.leaf.entry;
        // Mail comes at least once; the entry's number tells.
        if self.mail.insert(entry, sequence).is_some() {
            return;
        }
        let at = item.receipt.leaf.at;
        match &item.body {
            Mail::Paid { order, offer, total } => {
                let misfit = self.misfit(order, offer, *total);
                if let (None, Some(sale)) = (misfit, self.sales.get_mut(order)) {
                    sale.payment = Some(entry);
                }
                let payment =
                    Payment { order: *order, total: *total, at, misfit, refund: Step::Not, claim: Step::Not };
                self.payments.insert(entry, payment);
            }
            Mail::Payout { claim, amount, state } => {
                let claimed = self.claims.entry(*claim).or_insert_with(|| Claimed {
                    at,
                    payments: Vec::new(),
                    total: *amount,
                    payout: None,
                });
                claimed.payout = Some((*state, at));
            }
            Mail::KeyChanged(event) => {
                if event.role == KeyRole::Signature {
                    self.signature_changed(event.entry);
                }
            }
            Mail::RefundedByCenter { payment, .. } => {
                if let Some(payment) = self.payments.get_mut(payment) {
                    payment.refund = Step::Done(Some(entry));
                }
                self.tell(at, &format!("The center gave {payment} back; {entry} is its entry."));
            }
            Mail::KeyChangeWaits(waiting) => {
                let key = waiting.key.fingerprint();
                self.tell(
                    at,
                    &format!(
                        "A new recovery key ({key}) waits: {entry}. It is in force after 72 hours unless the old \
                         phrase cancels it."
                    ),
                );
            }
            Mail::KeyChangeCancelled { change } => {
                self.tell(
                    at,
                    &format!("The new recovery key of {change} was cancelled and never comes into force."),
                );
            }
            Mail::Refunded { .. } | Mail::CardIssued { .. } | Mail::CardLapsed { .. } => {}
        }
    }

    /// The newest entry that changed the signature key.
    pub(super) fn signature_changed(&mut self, entry: EntryNumber) {
        // Mail that was kept before may speak of an older change than the chain does.
        let newest = self.signature_event.map_or(entry, |known| known.max(entry));
        self.signature_event = Some(newest);
        self.identity.iter_mut().for_each(|identity| identity.key_event = newest);
    }

    /// Something that mail says in words; the mail is its evidence.
    fn tell(&mut self, at: Timestamp, words: &str) {
        let words = Prose::new(words).unwrap_or_default();
        self.notices.push(Notice { at, words, evidence: Vec::new() });
    }

    fn misfit(&self, order: &OrderHash, offer: &Digest, total: Amount) -> Option<Misfit> {
        let Some(sale) = self.sales.get(order) else { return Some(Misfit::UnknownOrder) };
        if sale.buyer.as_ref().is_none_or(|buyer| buyer.offer.digest() != *offer) {
            Some(Misfit::OtherOffer)
        } else if sale.order.total != total {
            Some(Misfit::WrongTotal)
        } else {
            sale.payment.map(|_| Misfit::SecondTime)
        }
    }

    /// Notes that a telegram about a payment waits, or waits no more.
    pub(super) fn step(
        &mut self,
        number: EntryNumber,
        telegram: TelegramId,
        step: Step,
        which: impl Fn(&mut Payment) -> &mut Step,
    ) {
        let claims = &self.claims;
        let Some(place) = self.payments.get_mut(&number).map(which) else { return };
        match (*place, step) {
            // A payout that failed makes the money claimable again.
            (Step::Done(Some(entry)), Step::Waits(_)) if failed(claims, entry) => *place = step,
            (Step::Done(_), _) => {}
            (Step::Waits(other), Step::Not) if other != telegram => {}
            _ => *place = step,
        }
    }

    pub(super) fn refund_ended(&mut self, refund: &Refund, verdict: &Verdict) {
        let Some(payment) = self.payments.get_mut(&refund.payment) else { return };
        match verdict {
            Verdict::Done { effect: Effect::Refunded, receipt } => {
                payment.refund = Step::Done(Some(receipt.leaf.entry));
            }
            Verdict::Refused { reason: Refusal::AlreadyRefunded { .. }, .. } => {
                payment.refund = Step::Done(None)
            }
            Verdict::Refused { reason: Refusal::AlreadyClaimed { .. }, .. } => {
                payment.claim = Step::Done(None)
            }
            _ => {}
        }
    }

    pub(super) fn claim_ended(&mut self, claim: &Claim, verdict: &Verdict) {
        match verdict {
            Verdict::Done { effect: Effect::Claimed, receipt } => {
                let entry = receipt.leaf.entry;
                let payout = self.claims.get(&entry).and_then(|claimed| claimed.payout);
                let payments = claim.payments.clone().into_vec();
                for number in &payments {
                    if let Some(payment) = self.payments.get_mut(number) {
                        payment.claim = Step::Done(Some(entry));
                    }
                }
                let claimed = Claimed { at: receipt.leaf.at, payments, total: claim.total, payout };
                self.claims.insert(entry, claimed);
            }
            Verdict::Refused { reason: Refusal::AlreadyClaimed { payment }, .. } => {
                if let Some(payment) = self.payments.get_mut(payment) {
                    payment.claim = Step::Done(None);
                }
            }
            Verdict::Refused { reason: Refusal::AlreadyRefunded { payment }, .. } => {
                if let Some(payment) = self.payments.get_mut(payment) {
                    payment.refund = Step::Done(None);
                }
            }
            _ => {}
        }
    }
}

/// Whether the bank did not execute a claim's payout.
pub(super) fn failed(claims: &BTreeMap<EntryNumber, Claimed>, claim: EntryNumber) -> bool {
    matches!(claims.get(&claim).and_then(|claimed| claimed.payout), Some((PayoutState::Failed, _)))
}
