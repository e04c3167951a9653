//! The fake center's cashiers: whom it has entered, and what each gave back.

use std::collections::HashMap;

use wire::{
    amount::Amount,
    bounded::List,
    id::EntryNumber,
    key::VerificationKey,
    message::{Answer, CashierView, Effect, Refusal, Verdict},
    payload::{CashierChange, CashierRights, KeyRole, Refund},
    receipt::{EntryKind, Receipt, StorePart},
    telegram::Telegram,
};

use super::FakeCenter;

/// Whom the center has entered: key event, rights, and how much was given back.
pub(super) type Staff = HashMap<VerificationKey, (EntryNumber, CashierRights, Amount)>;

impl FakeCenter {
    /// Enters a cashier's rights.
    pub(crate) fn enter_cashier(&self, telegram: &Telegram, rights: Option<&CashierRights>) -> Receipt {
        let key = telegram.peek::<CashierChange>().unwrap().key;
        let part = StorePart::CashierChanged { telegram: telegram.id(), key, in_force: rights.is_some() };
        let receipt = self.enter(EntryKind::Cashier, &part);
        let staff = &mut self.lock().staff;
        match rights {
            Some(rights) => staff.insert(key, (receipt.leaf.entry, rights.clone(), Amount::ZERO)),
            None => staff.remove(&key),
        };
        receipt
    }

    /// Enters rights, or takes them away, that no telegram of this store's vault asked for.
    pub(crate) fn change_cashier(&self, key: VerificationKey, rights: Option<CashierRights>) {
        let telegram = wire::id::TelegramId([0; 32]);
        let part = StorePart::CashierChanged { telegram, key, in_force: rights.is_some() };
        let entry = self.enter(EntryKind::Cashier, &part).leaf.entry;
        let staff = &mut self.lock().staff;
        match rights {
            Some(rights) => staff.insert(key, (entry, rights, Amount::ZERO)),
            None => staff.remove(&key),
        };
    }

    /// The cashiers that the center has entered.
    pub(super) fn name_cashiers(&self) -> Answer {
        let view = |(key, (entry, rights, _)): (&VerificationKey, &(EntryNumber, CashierRights, Amount))| {
            CashierView { key: *key, rights: rights.clone(), entry: *entry }
        };
        Answer::Cashiers(List::first(self.lock().staff.iter().map(view)))
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
        let Some((_, rights, given)) = staff.get_mut(key).filter(|(entry, ..)| *entry == refund.key_event)
        else {
            return Some(Refusal::KeyNotInForce);
        };
        let left = rights.refund_limit.minus(*given).unwrap_or(Amount::ZERO);
        if refund.amount > left {
            return Some(Refusal::CashierLimit { left });
        }
        *given = given.plus(refund.amount).unwrap();
        None
    }
}
