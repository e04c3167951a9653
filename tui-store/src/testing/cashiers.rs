//! The fake center's cashiers: whom it has entered, and what each gave back.

use std::collections::HashMap;

use wire::{
    amount::Amount,
    id::EntryNumber,
    key::VerificationKey,
    message::{Effect, Refusal, Verdict},
    payload::{CashierChange, CashierRights, KeyRole, Refund},
    receipt::{EntryKind, Receipt, StorePart},
    telegram::Telegram,
};

use super::FakeCenter;

/// Whom the center has entered: key event, limit, and how much was given back.
pub(super) type Staff = HashMap<VerificationKey, (EntryNumber, Amount, Amount)>;

impl FakeCenter {
    /// Enters a cashier's rights.
    pub(crate) fn enter_cashier(&self, telegram: &Telegram, rights: Option<&CashierRights>) -> Receipt {
        let key = telegram.peek::<CashierChange>().unwrap().key;
        let part = StorePart::CashierChanged { telegram: telegram.id(), key, in_force: rights.is_some() };
        let receipt = self.enter(EntryKind::Cashier, &part);
        let staff = &mut self.lock().staff;
        match rights {
            Some(rights) => staff.insert(key, (receipt.leaf.entry, rights.refund_limit, Amount::ZERO)),
            None => staff.remove(&key),
        };
        receipt
    }

    pub(super) fn decide_cashier(&self, telegram: &Telegram) -> Verdict {
        let (signature, event) = self.in_force(KeyRole::Signature);
        let change = telegram.verify::<CashierChange>(&signature, event).unwrap().payload().clone();
        let receipt = self.enter_cashier(telegram, change.rights.as_ref());
        Verdict::Done { effect: Effect::CashierChanged, receipt }
    }

    /// Why a cashier may not give this back; the signature is verified before.
    pub(super) fn cashier_refusal(&self, key: &VerificationKey, refund: &Refund) -> Option<Refusal> {
        let staff = &mut self.lock().staff;
        let Some((_, limit, given)) = staff.get_mut(key).filter(|(entry, ..)| *entry == refund.key_event)
        else {
            return Some(Refusal::KeyNotInForce);
        };
        let left = limit.minus(*given).unwrap_or(Amount::ZERO);
        if refund.amount > left {
            return Some(Refusal::CashierLimit { left });
        }
        *given = given.plus(refund.amount).unwrap();
        None
    }
}
