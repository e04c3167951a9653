//! Changes of accounts' keys, and of cashiers'.

use wire::{
    admission::Way,
    amount::Amount,
    id::{AccountNumber, EntryNumber},
    key::VerificationKey,
    payload::{KeyEvent, KeyRole},
    time::Timestamp,
};

use super::{Applied, broken};
use crate::{
    calendar::Day,
    entry::Entry,
    request::{CashierChange, KeyChange, Refund},
    state::{Cashier, State, WaitingKey},
};

impl State {
    pub(super) fn key_changed(&mut self, entry: &Entry, it: &KeyChange) -> Applied {
        if let Some(key) = it.key
            && self.keys.insert(key, it.account).is_some()
        {
            return Err(broken(entry, "the key is registered already"));
        }
        // Whoever holds the phrase and changes one of these keys puts an end to what the signature key began.
        if it.by == KeyRole::Recovery && it.role != KeyRole::Terminal {
            self.drop_waiting(it.account);
        }
        let holder = self.holder_mut(entry, it.account)?;
        holder.chain.push(KeyEvent { entry: entry.number, role: it.role, key: it.key });
        Ok(())
    }

    pub(super) fn key_waits(&mut self, entry: &Entry, it: &KeyChange, from: Timestamp) -> Applied {
        let key = it.key.ok_or_else(|| broken(entry, "a key that is revoked does not wait"))?;
        if self.keys.insert(key, it.account).is_some() {
            return Err(broken(entry, "the key is registered already"));
        }
        let holder = self.holder_mut(entry, it.account)?;
        if holder.waiting_key.is_some() {
            return Err(broken(entry, "a recovery key waits already"));
        }
        holder.waiting_key = Some(WaitingKey { change: entry.number, key, from });
        self.ripening.insert((from, it.account));
        self.posts.insert(entry.number, vec![Way::Mail]);
        Ok(())
    }

    /// Takes the recovery key that waits away.
    pub(super) fn waiting_ends(
        &mut self,
        entry: &Entry,
        account: AccountNumber,
        change: EntryNumber,
    ) -> Result<VerificationKey, crate::state::Imbalance> {
        let waiting = self.holder_mut(entry, account)?.waiting_key.filter(|it| it.change == change);
        let waiting = waiting.ok_or_else(|| broken(entry, "no such recovery key waits"))?;
        self.drop_waiting(account);
        Ok(waiting.key)
    }

    pub(super) fn key_in_force(
        &mut self,
        entry: &Entry,
        account: AccountNumber,
        change: EntryNumber,
        key: VerificationKey,
    ) -> Applied {
        if self.waiting_ends(entry, account, change)? != key {
            return Err(broken(entry, "another recovery key waits"));
        }
        let event = KeyEvent { entry: entry.number, role: KeyRole::Recovery, key: Some(key) };
        self.holder_mut(entry, account)?.chain.push(event);
        Ok(())
    }

    pub(super) fn revoked(&mut self, entry: &Entry, account: AccountNumber, role: KeyRole) -> Applied {
        // A recovery key that a revoked signature key asked for is as doubtful as that.
        if role == KeyRole::Signature {
            self.drop_waiting(account);
        }
        let holder = self.holder_mut(entry, account)?;
        holder.chain.push(KeyEvent { entry: entry.number, role, key: None });
        Ok(())
    }

    pub(super) fn cashier_changed(&mut self, entry: &Entry, it: &CashierChange) -> Applied {
        let account = AccountNumber::Store(it.store);
        let former = self.holder_mut(entry, account)?.cashiers.remove(&it.key);
        let Some(rights) = it.rights.clone() else {
            return former.map(|_| ()).ok_or_else(|| broken(entry, "no such cashier"));
        };
        if former.is_none() && self.keys.insert(it.key, account).is_some() {
            return Err(broken(entry, "the key is registered already"));
        }
        // What was refunded today counts against the new limit too.
        let refunded = former.and_then(|former| former.refunded);
        let cashier = Cashier { rights, entry: entry.number, refunded };
        self.holder_mut(entry, account)?.cashiers.insert(it.key, cashier);
        Ok(())
    }

    /// Counts a cashier's refund against its day.
    pub(super) fn cashier_refunded(
        &mut self,
        entry: &Entry,
        it: &Refund,
        amount: Amount,
        day: Option<Day>,
    ) -> Applied {
        let (key, day) = match (it.cashier, day) {
            (None, None) => return Ok(()),
            (Some(key), Some(day)) => (key, day),
            _ => return Err(broken(entry, "a cashier's refund counts on a day, and no other does")),
        };
        let holder = self.holder_mut(entry, AccountNumber::Store(it.store))?;
        let cashier = holder.cashiers.get_mut(&key).ok_or_else(|| broken(entry, "no such cashier"))?;
        if cashier.left(day) < amount {
            return Err(broken(entry, "it is above the cashier's limit"));
        }
        let spent = cashier.refunded.filter(|(on, _)| *on == day).map_or(Amount::ZERO, |(_, spent)| spent);
        let spent = spent.plus(amount).ok_or_else(|| broken(entry, "it is above the cashier's limit"))?;
        cashier.refunded = Some((day, spent));
        Ok(())
    }

    /// Forgets the recovery key that waits, if one does. It stays known as used.
    pub(super) fn drop_waiting(&mut self, account: AccountNumber) {
        let waiting = self.holders.get_mut(account).and_then(|holder| holder.waiting_key.take());
        if let Some(waiting) = waiting {
            self.ripening.remove(&(waiting.from, account));
        }
    }
}
