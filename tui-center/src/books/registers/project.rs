//! What an entry changes in the registers.

use std::collections::BTreeMap;

use jiff::civil::Date;
use ledger::{
    Calendar, Decision, Entry, Outcome, Request,
    request::{Settings, Standing},
};
use serde::{Serialize, de::DeserializeOwned};
use wire::{
    amount::Amount,
    codec,
    id::{AccountNumber, StoreNumber},
    key::VerificationKey,
    payload::KeyRole,
};

use super::row::{self, DayTotal, Holder, Key, KeyRow, OperatorRow, ROW, RowError, Watermark};

/// Rows as they stand before a step.
pub(super) trait Rows: Sync {
    fn row(&self, key: &Key) -> Result<Option<Vec<u8>>, RowError>;
}

impl Rows for sled::Db {
    fn row(&self, key: &Key) -> Result<Option<Vec<u8>>, RowError> {
        Ok(self.get(key)?.map(|row| row.to_vec()))
    }
}

/// The rows that a step changes, over those that stand.
pub(super) struct Step<'a> {
    before: &'a dyn Rows,
    changed: BTreeMap<Key, Vec<u8>>,
}

impl<'a> Step<'a> {
    pub(super) fn new(before: &'a dyn Rows) -> Self {
        Self { before, changed: BTreeMap::new() }
    }

    /// The rows that were changed so far.
    pub(super) fn rows(&self) -> &BTreeMap<Key, Vec<u8>> {
        &self.changed
    }

    /// Takes an entry in. `calendar` is filled from the founding.
    pub(super) fn take(&mut self, entry: &Entry, calendar: &mut Option<Calendar>) -> Result<(), RowError> {
        if let Request::Found(settings) = &entry.request {
            *calendar = Some(self.found(settings)?);
        }
        if let Some(calendar) = calendar {
            self.count(entry, calendar.day(entry.at))?;
        }
        match &entry.decision {
            Decision::Done(outcome) => self.done(entry, outcome),
            Decision::Refused(_) => Ok(()),
        }
    }

    /// The finished batch.
    pub(super) fn finish(mut self, watermark: &Watermark) -> Result<sled::Batch, RowError> {
        self.put(Key::watermark(), watermark)?;
        let mut batch = sled::Batch::default();
        for (key, row) in self.changed {
            batch.insert(key.as_ref(), row);
        }
        Ok(batch)
    }

    fn found(&mut self, settings: &Settings) -> Result<Calendar, RowError> {
        self.put(Key::settings(), settings)?;
        Calendar::new(settings).map_err(|why| codec::Malformed { what: "setting", why }.into())
    }

    fn done(&mut self, entry: &Entry, outcome: &Outcome) -> Result<(), RowError> {
        match (&*entry.request.effective(), outcome) {
            (Request::Operator { name, role, by, .. }, _) => {
                let (name, role, by) = (name.clone(), *role, by.clone());
                self.put(
                    Key::operator(&name),
                    &OperatorRow { name, role, entry: entry.number, at: entry.at, by },
                )
            }
            (Request::Register(it), Outcome::Registered(account)) => {
                let keys = [
                    (KeyRole::Signature, Some(it.signature_key)),
                    (KeyRole::Terminal, Some(it.terminal_key)),
                    (KeyRole::Recovery, it.recovery_key),
                ];
                // Where a lost terminal is replaced, the account goes on with new keys in the place of all former ones.
                let former = self.read::<Holder>(&Key::holder(*account))?;
                let had = former.as_ref().and_then(|former| former.recovery_key).is_some();
                for (role, key) in keys {
                    if key.is_some() || had {
                        self.key(entry, *account, role, key)?;
                    }
                }
                let (registered, at, frozen) = former.map_or((entry.number, entry.at, false), |former| {
                    (former.entry, former.at, former.frozen)
                });
                let holder = Holder {
                    account: *account,
                    entry: registered,
                    at,
                    trade_name: it.trade_name.clone(),
                    signature_key: Some(it.signature_key),
                    terminal_key: Some(it.terminal_key),
                    recovery_key: it.recovery_key,
                    particulars: it.particulars,
                    frozen,
                };
                self.put(Key::holder(*account), &holder)
            }
            (Request::ChangeKey(it), Outcome::Entered) => {
                self.key_changed(entry, it.account, it.role, it.key)
            }
            (Request::KeyInForce { account, .. }, Outcome::KeyInForce(key)) => {
                self.key_changed(entry, *account, KeyRole::Recovery, Some(*key))
            }
            (Request::Revoke { account, role, .. }, Outcome::Entered) => {
                self.key_changed(entry, *account, *role, None)
            }
            (Request::Standing { of: Standing::Account(account), frozen, .. }, _) => {
                self.change(*account, |holder| holder.frozen = *frozen)
            }
            _ => Ok(()),
        }
    }

    fn key_changed(
        &mut self,
        entry: &Entry,
        account: AccountNumber,
        role: KeyRole,
        key: Option<VerificationKey>,
    ) -> Result<(), RowError> {
        self.key(entry, account, role, key)?;
        self.change(account, |holder| match role {
            KeyRole::Signature => holder.signature_key = key,
            KeyRole::Terminal => holder.terminal_key = key,
            KeyRole::Recovery => holder.recovery_key = key,
        })
    }

    fn key(
        &mut self,
        entry: &Entry,
        account: AccountNumber,
        role: KeyRole,
        key: Option<VerificationKey>,
    ) -> Result<(), RowError> {
        let row = KeyRow { account, entry: entry.number, at: entry.at, role, key };
        self.put(Key::event(account, entry.number, role), &row)
    }

    fn change(&mut self, account: AccountNumber, act: impl FnOnce(&mut Holder)) -> Result<(), RowError> {
        let Some(mut holder) = self.read::<Holder>(&Key::holder(account))? else { return Ok(()) };
        act(&mut holder);
        self.put(Key::holder(account), &holder)
    }

    /// Counts an entry in the sums of its day: over all, and of the store it concerns.
    fn count(&mut self, entry: &Entry, day: Date) -> Result<(), RowError> {
        self.add(entry, day, None)?;
        match entry.concerns.store {
            Some(store) => self.add(entry, day, Some(store)),
            None => Ok(()),
        }
    }

    fn add(&mut self, entry: &Entry, day: Date, store: Option<StoreNumber>) -> Result<(), RowError> {
        let kind = entry.kind();
        let key = Key::day(day, store, kind);
        let fresh = DayTotal { day, store, kind, done: 0, refused: 0, amount: 0 };
        let mut total = self.read(&key)?.unwrap_or(fresh);
        match moved(entry) {
            Some(amount) => {
                total.done += 1;
                total.amount += u128::from(amount.minor());
            }
            None => total.refused += 1,
        }
        self.put(key, &total)
    }

    fn read<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, RowError> {
        match self.changed.get(key) {
            Some(row) => row::decode(row).map(Some),
            None => self.before.row(key)?.map(|row| row::decode(&row)).transpose(),
        }
    }

    fn put<T: Serialize>(&mut self, key: Key, row: &T) -> Result<(), RowError> {
        let row = codec::encode(row);
        if row.len() > ROW {
            let why = format!("{} bytes, at most {ROW} are allowed", row.len());
            return Err(codec::Malformed { what: "row of the registers", why }.into());
        }
        self.changed.insert(key, row);
        Ok(())
    }
}

/// How much an entry moved or promised; `None` for a refusal and for a transfer that came back.
fn moved(entry: &Entry) -> Option<Amount> {
    let Decision::Done(outcome) = &entry.decision else { return None };
    match (&entry.request, outcome) {
        (_, Outcome::PayoutSettled { paid: false, .. }) => None,
        (
            _,
            Outcome::CardIssued { amount, .. }
            | Outcome::Refunded { amount, .. }
            | Outcome::PayoutIntended { amount, .. }
            | Outcome::PayoutSettled { amount, .. },
        ) => Some(*amount),
        (Request::Pay(it), _) => Some(it.total),
        (Request::RequestCard(it), _) => Some(it.amount),
        (Request::Credit(it), _) => Some(it.amount),
        (Request::Claim(it), _) => Some(it.total),
        _ => Some(Amount::ZERO),
    }
}
