//! The chart of accounts, and postings to it.

use std::fmt;

use serde::{Deserialize, Serialize};
use wire::{
    amount::Amount,
    id::{AccountNumber, CardNumber, StoreNumber},
};

/// An account of the books. Variants are only ever appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Account {
    /// Owed to the holder of a card.
    Card(CardNumber),
    /// Owed to a store for what was paid to it.
    Payable(StoreNumber),
    /// The center's bank account.
    Bank,
    /// The center's cash.
    Cash,
    /// Owed by the credit company.
    CreditCompany,
    /// Handed to the bank for a store or a payer, not yet confirmed.
    PayoutsInTransit,
    /// Money that came in and fits no card request yet; owed to whoever sent it.
    Unmatched,
    /// Held on cards for what is not final yet.
    Holds,
    /// Gifts given and not yet taken.
    GiftsInTransit,
    /// Owed by a member or store.
    Receivable(AccountNumber),
    /// Balances of expired cards; still owed.
    ExpiredBalances,
    /// Fees earned.
    Fees,
    /// What the bank charged.
    BankCharges,
    /// Cash counted more or less than booked.
    CashDifferences,
    /// The center's own.
    Equity,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Card(card) => write!(f, "card {card}"),
            Self::Payable(store) => write!(f, "payable to {store}"),
            Self::Receivable(account) => write!(f, "receivable from {account}"),
            Self::Bank => f.pad("bank"),
            Self::Cash => f.pad("cash"),
            Self::CreditCompany => f.pad("credit company"),
            Self::PayoutsInTransit => f.pad("payouts in transit"),
            Self::Unmatched => f.pad("unmatched receipts"),
            Self::Holds => f.pad("holds"),
            Self::GiftsInTransit => f.pad("gifts in transit"),
            Self::ExpiredBalances => f.pad("expired balances"),
            Self::Fees => f.pad("fees"),
            Self::BankCharges => f.pad("bank charges"),
            Self::CashDifferences => f.pad("cash differences"),
            Self::Equity => f.pad("equity"),
        }
    }
}

/// Which side of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// What the center has grows, or what it owes shrinks.
    Debit,
    /// What the center owes grows, or what it has shrinks.
    Credit,
}

/// A debit or credit of one account in an entry. The postings of an entry sum to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Which account.
    pub account: Account,
    /// Which side.
    pub side: Side,
    /// How much; never nothing.
    pub amount: Amount,
}

/// A debit of one account and a credit of another.
pub fn transfer(debit: Account, credit: Account, amount: Amount) -> Vec<Posting> {
    vec![
        Posting { account: debit, side: Side::Debit, amount },
        Posting { account: credit, side: Side::Credit, amount },
    ]
}

/// Debits less credits; zero for the postings of an entry.
pub fn sum(postings: &[Posting]) -> i128 {
    postings
        .iter()
        .map(|posting| match posting.side {
            Side::Debit => i128::from(posting.amount.minor()),
            Side::Credit => -i128::from(posting.amount.minor()),
        })
        .sum()
}
