//! What must always hold. The checks on every entry run in production; [`State::audit`] recomputes all of it.

use std::collections::{BTreeMap, BTreeSet};

use wire::id::{AccountNumber, CardNumber, EntryNumber, StoreNumber};

use super::{AdmissionState, ClaimState, PaymentState, PayoutState, ReceiptState, State, Sums, holders::row};
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
            let account = posting.account;
            let (owed, imbalance) = match account {
                Account::Card(card) => {
                    self.card_agrees(card)?;
                    continue;
                }
                Account::Payable(store) => (self.sums.owed_to(store), Imbalance::Payable(store)),
                Account::PayoutsInTransit => (self.sums.in_transit, Imbalance::Control(account)),
                Account::Unmatched => (self.sums.unmatched, Imbalance::Control(account)),
                _ => continue,
            };
            if owed < 0 || owed != -self.balance(account) {
                return Err(imbalance);
            }
        }
        Ok(())
    }

    /// Recomputes everything that must hold. Costs time in proportion to the books.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn audit(&self) -> Result<(), Imbalance> {
        let sum: i128 = self.balances.iter().map(|(_, balance)| balance).sum();
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
        match self.card(card) {
            Some(held) if i128::from(held.balance.minor()) == posted => Ok(()),
            _ => Err(Imbalance::Card(card)),
        }
    }

    fn audit_cards(&self) -> Result<(), Imbalance> {
        for (number, card) in (1..).map(CardNumber).zip(self.cards.iter()) {
            self.card_agrees(number)?;
            let holder = self.holder(AccountNumber::Member(card.holder));
            if holder.is_none_or(|holder| holder.cards.binary_search(&number).is_err()) {
                return Err(Imbalance::Card(number));
            }
        }
        let strangers = self.balances.iter().find_map(|(account, _)| match account {
            Account::Card(card) if self.card(card).is_none() => Some(card),
            _ => None,
        });
        strangers.map_or(Ok(()), |card| Err(Imbalance::Card(card)))
    }

    fn audit_claims(&self) -> Result<(), Imbalance> {
        let payment = self.payments.by_entry();
        for (number, claim) in self.claims.iter() {
            // Payments of a failed claim are open again and may stand in a later one.
            let bound = claim.state != ClaimState::Failed;
            let claimed = PaymentState::Claimed(number).into();
            let mut total = 0u128;
            for paid in &claim.payments {
                let fits =
                    payment(*paid).filter(|it| it.store == claim.store && (!bound || it.state == claimed));
                total += u128::from(fits.ok_or(Imbalance::Claim(number))?.total.minor());
            }
            let due = claim.state == ClaimState::Due;
            if total != u128::from(claim.total.minor()) || due != self.claims_due.contains(&number) {
                return Err(Imbalance::Claim(number));
            }
        }
        Ok(())
    }

    fn audit_stores(&self) -> Result<(), Imbalance> {
        let mut owed: BTreeMap<StoreNumber, i128> = BTreeMap::new();
        // Payments of one claim stand close together.
        let mut last = (EntryNumber(u64::MAX), false);
        for payment in self.payments.iter() {
            self.card(payment.card).ok_or(Imbalance::Card(payment.card))?;
            let owing = match payment.state.state() {
                PaymentState::Open => true,
                PaymentState::Claimed(claim) => {
                    if last.0 != claim {
                        last = (claim, self.claim(claim).is_some_and(|it| it.state == ClaimState::Due));
                    }
                    last.1
                }
                PaymentState::Refunded(_) => false,
            };
            *owed.entry(payment.store).or_default() +=
                if owing { i128::from(payment.total.minor()) } else { 0 };
        }
        let posted = self.balances.iter().filter_map(|(account, _)| match account {
            Account::Payable(store) => Some(store),
            _ => None,
        });
        let stores: Vec<StoreNumber> = owed.keys().copied().chain(posted).collect();
        for store in stores {
            let owed = owed.get(&store).copied().unwrap_or(0);
            if owed != -self.balance(Account::Payable(store)) || owed != self.sums.owed_to(store) {
                return Err(Imbalance::Payable(store));
            }
        }
        Ok(())
    }

    fn audit_bank(&self) -> Result<(), Imbalance> {
        let transit = self.payouts.iter().filter(|(_, payout)| payout.state == PayoutState::InTransit);
        let transit: i128 = transit.map(|(_, payout)| i128::from(payout.amount.minor())).sum();
        if transit != -self.balance(Account::PayoutsInTransit) || transit != self.sums.in_transit {
            return Err(Imbalance::Control(Account::PayoutsInTransit));
        }
        let unmatched = self.receipts.iter().filter(|(_, receipt)| receipt.state == ReceiptState::Waiting);
        let unmatched: i128 = unmatched.map(|(_, receipt)| i128::from(receipt.amount.minor())).sum();
        if unmatched != -self.balance(Account::Unmatched) || unmatched != self.sums.unmatched {
            return Err(Imbalance::Control(Account::Unmatched));
        }
        for (number, payout) in self.payouts.iter() {
            let known = match payout.purpose {
                Purpose::Claim(claim) => self.claims.contains(claim),
                Purpose::Return(receipt) => self.receipts.contains(receipt),
            };
            if !known {
                return Err(Imbalance::Index(number.to_string()));
            }
        }
        Ok(())
    }

    fn audit_indexes(&self) -> Result<(), Imbalance> {
        for (account, holder) in self.holders.iter() {
            let chain = holder.chain.iter().filter_map(|event| event.key);
            let waiting = holder.waiting_key.map(|waiting| waiting.key);
            let mut keys = chain.chain(waiting).chain(holder.cashiers.keys().copied());
            let ripens = holder.waiting_key.is_none_or(|it| self.ripening.contains(&(it.from, account)));
            if !keys.all(|key| self.keys.get(&key) == Some(&account)) || !ripens {
                return Err(Imbalance::Index(account.to_string()));
            }
        }
        self.audit_joining()?;
        let waiting = self.holders.iter().map(|(_, holder)| holder.waiting.len()).sum::<usize>();
        if waiting != self.waiting.len() {
            return Err(Imbalance::Index("card requests that wait".into()));
        }
        Ok(())
    }

    /// Numbers are reserved once, whoever registered was admitted, and only what can still go out waits to.
    fn audit_joining(&self) -> Result<(), Imbalance> {
        let mut reserved = BTreeSet::new();
        for (number, admitted) in self.admissions.iter() {
            let below = match admitted.account {
                AccountNumber::Member(member) => member <= self.reserved.0,
                AccountNumber::Store(store) => store <= self.reserved.1,
            };
            let once = admitted.replaces || reserved.insert(admitted.account);
            let stands = match admitted.state {
                AdmissionState::Registered(_) => self.holders.contains(admitted.account),
                AdmissionState::Open => true,
                AdmissionState::Spent => !self.posts.contains_key(&admitted.code),
            };
            if !below || !once || !stands {
                return Err(Imbalance::Index(number.to_string()));
            }
        }
        let mut accounts = self.holders.iter().map(|(account, _)| account);
        if let Some(account) = accounts.find(|account| !reserved.contains(account)) {
            return Err(Imbalance::Index(account.to_string()));
        }
        let waiting = self.holders.iter().filter(|(_, holder)| holder.waiting_key.is_some()).count();
        if self.ripening.len() != waiting {
            return Err(Imbalance::Index("recovery keys that wait".into()));
        }
        Ok(())
    }
}

impl Sums {
    fn owed_to(&self, store: StoreNumber) -> i128 {
        row(store.0).and_then(|at| self.owed.get(at)).copied().unwrap_or(0)
    }
}
