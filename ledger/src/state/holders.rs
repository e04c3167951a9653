//! Members and stores by their numbers, and what was posted to each account.

use std::{collections::BTreeMap, sync::Arc};

use wire::id::{AccountNumber, CardNumber, MemberNumber, StoreNumber};

use super::{Holder, rows::Rows};
use crate::account::Account;

/// All members and stores. Numbers are given out from 1 on, so they lie in rows; one that is only reserved has none.
#[derive(Clone, Default)]
pub(super) struct Holders {
    members: Rows<Option<Arc<Holder>>>,
    stores: Rows<Option<Arc<Holder>>>,
}

impl Holders {
    pub(super) fn get(&self, account: AccountNumber) -> Option<&Holder> {
        let (rows, at) = match account {
            AccountNumber::Member(member) => (&self.members, row(member.0)?),
            AccountNumber::Store(store) => (&self.stores, row(store.0)?),
        };
        rows.get(at)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, account: AccountNumber) -> Option<&mut Holder> {
        self.get(account)?;
        let (rows, at) = match account {
            AccountNumber::Member(member) => (&mut self.members, row(member.0)?),
            AccountNumber::Store(store) => (&mut self.stores, row(store.0)?),
        };
        rows.get_mut(at)?.as_mut().map(Arc::make_mut)
    }

    pub(super) fn contains(&self, account: AccountNumber) -> bool {
        self.get(account).is_some()
    }

    /// Enters one whose number was reserved, so that there are no more rows than numbers. Whether nobody had it.
    pub(super) fn enter(&mut self, account: AccountNumber, holder: Holder) -> bool {
        let (rows, number) = match account {
            AccountNumber::Member(member) => (&mut self.members, member.0),
            AccountNumber::Store(store) => (&mut self.stores, store.0),
        };
        let Some(at) = row(number) else { return false };
        rows.fill(at + 1, &None);
        match rows.get_mut(at) {
            Some(free @ None) => {
                *free = Some(Arc::new(holder));
                true
            }
            _ => false,
        }
    }

    /// Members, then stores, each ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (AccountNumber, &Holder)> {
        let members = (1..).map(|number| AccountNumber::Member(MemberNumber(number)));
        let members = members.zip(self.members.iter());
        let stores = (1..).map(|number| AccountNumber::Store(StoreNumber(number))).zip(self.stores.iter());
        members.chain(stores).filter_map(|(account, holder)| Some((account, holder.as_deref()?)))
    }

    /// Stores after a number, ascending.
    pub(super) fn stores_after(&self, after: u64) -> impl Iterator<Item = (StoreNumber, &Holder)> {
        let first = usize::try_from(after).unwrap_or(usize::MAX);
        // The rows come first: beyond the last of them nothing is counted on.
        let stores = self.stores.iter_from(first).zip(after.saturating_add(1)..);
        stores.filter_map(|(holder, number)| Some((StoreNumber(number), holder.as_deref()?)))
    }
}

/// Debits less credits of every account that was ever posted to.
#[derive(Clone, Default)]
pub(super) struct Balances {
    cards: Rows<Option<i128>>,
    stores: Rows<Option<i128>>,
    others: BTreeMap<Account, i128>,
}

/// How many cards and stores there are: the rows that accounts may take. What is posted beyond them is kept apart until
/// it is refused.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) cards: usize,
    pub(super) stores: usize,
}

impl Balances {
    pub(super) fn get(&self, account: Account) -> i128 {
        let dense = match account {
            Account::Card(card) => row(card.0).and_then(|at| *self.cards.get(at)?),
            Account::Payable(store) => row(store.0).and_then(|at| *self.stores.get(at)?),
            _ => None,
        };
        dense.or_else(|| self.others.get(&account).copied()).unwrap_or(0)
    }

    pub(super) fn add(&mut self, account: Account, amount: i128, room: Room) {
        let (rows, number, room) = match account {
            Account::Card(card) => (&mut self.cards, card.0, room.cards),
            Account::Payable(store) => (&mut self.stores, store.0, room.stores),
            other => return *self.others.entry(other).or_default() += amount,
        };
        match row(number).filter(|at| *at < room) {
            Some(at) => {
                rows.fill(at + 1, &None);
                if let Some(balance) = rows.get_mut(at) {
                    *balance = Some(balance.unwrap_or(0) + amount);
                }
            }
            None => *self.others.entry(account).or_default() += amount,
        }
    }

    /// By account, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Account, i128)> {
        let cards = (1..).map(|number| Account::Card(CardNumber(number))).zip(self.cards.iter());
        let stores = (1..).map(|number| Account::Payable(StoreNumber(number))).zip(self.stores.iter());
        let dense = cards.chain(stores).filter_map(|(account, balance)| Some((account, (*balance)?)));
        dense.chain(self.others.iter().map(|(account, balance)| (*account, *balance)))
    }
}

/// Which row a number has that counts from 1.
pub(super) fn row(number: u64) -> Option<usize> {
    usize::try_from(number.checked_sub(1)?).ok()
}
