//! What must always hold. The checks on every entry run in production; [`State::audit`] recomputes all of it.

use std::collections::{BTreeMap, BTreeSet};

use wire::id::{AccountNumber, CardNumber, EntryNumber, StoreNumber};

use super::{AdmissionState, ClaimState, PaymentState, PayoutState, ReceiptState, State};
use crate::{
    account::{Account, sum},
    entry::{Entry, Purpose},
};

/// What does not hold. The center stops taking payments and says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Imbalance {
    /// Not the entry that comes next.
    #[error("entry {found} came where {expected} belongs")]
    OutOfOrder {
        /// The number that comes next.
        expected: EntryNumber,
        /// The entry's.
        found: EntryNumber,
    },
    /// Earlier than the entry before it.
    #[error("entry {0} is dated before the entry that precedes it")]
    BackInTime(EntryNumber),
    /// The postings are unequal, hold a zero, or stand beside a refusal.
    #[error("the postings of entry {0} do not balance")]
    Postings(EntryNumber),
    /// It does not go with what the books hold.
    #[error("entry {0} contradicts the books: {1}")]
    Contradiction(EntryNumber, &'static str),
    /// Debits and credits differ over all accounts.
    #[error("debits and credits over all accounts differ by {0}")]
    Sum(i128),
    /// A card's balance is not its account's, or below zero.
    #[error("the balance of card {0} is not what was posted to it")]
    Card(CardNumber),
    /// What is owed to a store is not the sum of its open payments.
    #[error("what is owed to store {0} is not the sum of its payments")]
    Payable(StoreNumber),
    /// Payouts in transit, or unmatched receipts, differ from their account.
    #[error("the account “{0}” is not the sum of what stands in it")]
    Control(Account),
    /// A claim is not the sum of its payments, or they do not name it.
    #[error("claim {0} is not the sum of its payments")]
    Claim(EntryNumber),
    /// An index names what does not exist.
    #[error("an index of the books names {0}, which does not fit")]
    Index(String),
}

impl State {
    /// Whether an entry may be applied at all; looks at the entry and the books' position only.
    pub(super) fn admits(&self, entry: &Entry) -> Result<(), Imbalance> {
        let number = entry.number;
        if number != self.next {
            return Err(Imbalance::OutOfOrder { expected: self.next, found: number });
        }
        if entry.at < self.at {
            return Err(Imbalance::BackInTime(number));
        }
        if !entry.is_for_the_journal() {
            return Err(Imbalance::Contradiction(number, "it answers without being entered"));
        }
        let moves = !entry.postings.is_empty();
        let empty = entry.postings.iter().any(|posting| posting.amount.is_zero());
        if sum(&entry.postings) != 0 || empty || (moves && entry.refusal().is_some()) {
            return Err(Imbalance::Postings(number));
        }
        Ok(())
    }

    /// Whether the accounts that an entry posted to agree with what the books hold beside them.
    pub(super) fn agrees(&self, entry: &Entry) -> Result<(), Imbalance> {
        for posting in &entry.postings {
            match posting.account {
                Account::Card(card) => self.card_agrees(card)?,
                owed @ (Account::Payable(_) | Account::PayoutsInTransit | Account::Unmatched)
                    if self.balance(owed) > 0 =>
                {
                    return Err(match owed {
                        Account::Payable(store) => Imbalance::Payable(store),
                        _ => Imbalance::Control(owed),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Recomputes everything that must hold. Costs time in proportion to the books.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn audit(&self) -> Result<(), Imbalance> {
        let sum: i128 = self.balances.values().sum();
        if sum != 0 {
            return Err(Imbalance::Sum(sum));
        }
        self.audit_cards()?;
        self.audit_claims()?;
        self.audit_stores()?;
        self.audit_bank()?;
        self.audit_indexes()
    }

    fn card_agrees(&self, card: CardNumber) -> Result<(), Imbalance> {
        let posted = -self.balance(Account::Card(card));
        match self.cards.get(&card) {
            Some(held) if i128::from(held.balance.minor()) == posted => Ok(()),
            _ => Err(Imbalance::Card(card)),
        }
    }

    fn audit_cards(&self) -> Result<(), Imbalance> {
        for (number, card) in &self.cards {
            self.card_agrees(*number)?;
            let holder = self.holders.get(&AccountNumber::Member(card.holder));
            if !holder.is_some_and(|holder| holder.cards.contains(number)) {
                return Err(Imbalance::Card(*number));
            }
        }
        let strangers = self.balances.keys().find_map(|account| match account {
            Account::Card(card) if !self.cards.contains_key(card) => Some(*card),
            _ => None,
        });
        strangers.map_or(Ok(()), |card| Err(Imbalance::Card(card)))
    }

    fn audit_claims(&self) -> Result<(), Imbalance> {
        for (number, claim) in &self.claims {
            // Payments of a failed claim are open again and may stand in a later one.
            let bound = claim.state != ClaimState::Failed;
            let mut total = 0u128;
            for payment in &claim.payments {
                let fits = self.payments.get(payment).filter(|it| {
                    it.store == claim.store && (!bound || it.state == PaymentState::Claimed(*number))
                });
                total += u128::from(fits.ok_or(Imbalance::Claim(*number))?.total.minor());
            }
            let due = claim.state == ClaimState::Due;
            if total != u128::from(claim.total.minor()) || due != self.claims_due.contains(number) {
                return Err(Imbalance::Claim(*number));
            }
        }
        Ok(())
    }

    fn audit_stores(&self) -> Result<(), Imbalance> {
        let mut owed: BTreeMap<StoreNumber, i128> = BTreeMap::new();
        for payment in self.payments.values() {
            let owing = match payment.state {
                PaymentState::Open => true,
                PaymentState::Claimed(claim) => {
                    self.claims.get(&claim).is_some_and(|claim| claim.state == ClaimState::Due)
                }
                PaymentState::Refunded(_) => false,
            };
            *owed.entry(payment.store).or_default() +=
                if owing { i128::from(payment.total.minor()) } else { 0 };
        }
        let posted = self.balances.keys().filter_map(|account| match account {
            Account::Payable(store) => Some(*store),
            _ => None,
        });
        let stores: Vec<StoreNumber> = owed.keys().copied().chain(posted).collect();
        for store in stores {
            if owed.get(&store).copied().unwrap_or(0) != -self.balance(Account::Payable(store)) {
                return Err(Imbalance::Payable(store));
            }
        }
        Ok(())
    }

    fn audit_bank(&self) -> Result<(), Imbalance> {
        let transit = self.payouts.values().filter(|payout| payout.state == PayoutState::InTransit);
        let transit: i128 = transit.map(|payout| i128::from(payout.amount.minor())).sum();
        if transit != -self.balance(Account::PayoutsInTransit) {
            return Err(Imbalance::Control(Account::PayoutsInTransit));
        }
        let unmatched = self.receipts.values().filter(|receipt| receipt.state == ReceiptState::Waiting);
        let unmatched: i128 = unmatched.map(|receipt| i128::from(receipt.amount.minor())).sum();
        if unmatched != -self.balance(Account::Unmatched) {
            return Err(Imbalance::Control(Account::Unmatched));
        }
        for (number, payout) in &self.payouts {
            let known = match payout.purpose {
                Purpose::Claim(claim) => self.claims.contains_key(&claim),
                Purpose::Return(receipt) => self.receipts.contains_key(&receipt),
            };
            if !known {
                return Err(Imbalance::Index(number.to_string()));
            }
        }
        Ok(())
    }

    fn audit_indexes(&self) -> Result<(), Imbalance> {
        for ((store, order), payment) in &self.orders {
            let fits = self.payments.get(payment).is_some_and(|it| it.store == *store && it.order == *order);
            if !fits {
                return Err(Imbalance::Index(payment.to_string()));
            }
        }
        for (account, holder) in &self.holders {
            let chain = holder.chain.iter().filter_map(|event| event.key);
            let waiting = holder.waiting_key.map(|waiting| waiting.key);
            let mut keys = chain.chain(waiting).chain(holder.cashiers.keys().copied());
            let ripens = holder.waiting_key.is_none_or(|it| self.ripening.contains(&(it.from, *account)));
            if !keys.all(|key| self.keys.get(&key) == Some(account)) || !ripens {
                return Err(Imbalance::Index(account.to_string()));
            }
        }
        self.audit_joining()?;
        let waiting = self.holders.values().map(|holder| holder.waiting.len()).sum::<usize>();
        if waiting != self.waiting.len() {
            return Err(Imbalance::Index("card requests that wait".into()));
        }
        Ok(())
    }

    /// Numbers are reserved once, whoever registered was admitted, and only what can still go out waits to.
    fn audit_joining(&self) -> Result<(), Imbalance> {
        let mut reserved = BTreeSet::new();
        for (number, admitted) in &self.admissions {
            let below = match admitted.account {
                AccountNumber::Member(member) => member <= self.reserved.0,
                AccountNumber::Store(store) => store <= self.reserved.1,
            };
            let once = admitted.replaces || reserved.insert(admitted.account);
            let stands = match admitted.state {
                AdmissionState::Registered(_) => self.holders.contains_key(&admitted.account),
                AdmissionState::Open => true,
                AdmissionState::Spent => !self.posts.contains_key(&admitted.code),
            };
            if !below || !once || !stands {
                return Err(Imbalance::Index(number.to_string()));
            }
        }
        if let Some(account) = self.holders.keys().find(|account| !reserved.contains(account)) {
            return Err(Imbalance::Index(account.to_string()));
        }
        if self.ripening.len() != self.holders.values().filter(|it| it.waiting_key.is_some()).count() {
            return Err(Imbalance::Index("recovery keys that wait".into()));
        }
        Ok(())
    }
}
