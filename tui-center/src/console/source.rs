//! What a console needs from the center, and nothing more.
//!
//! A console never touches the center's rooms: it looks ([`Source::look`]), it acts ([`Source::act`]), and the newest
//! [`Overview`] comes by itself. Looks are data, so that a screen's tests say what is asked and what is answered.

use std::{future::Future, sync::Arc};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use wire::id::{AccountNumber, CardNumber, EntryNumber};

use crate::{
    errors::ErrorLine,
    inquiry::view::{Detail, DeskRow, KeyRow, MemberRow, Overview, Report, StoreRow, TransactionRow},
    operators::Operator,
};

/// What a console needs from the center. Clones are the same center.
pub trait Source: Clone + Send + Sync + 'static {
    /// The newest overview, whenever it changes.
    fn overview(&self) -> watch::Receiver<Arc<Overview>>;

    /// Believes an operator who knows the passphrase.
    ///
    /// # Errors
    /// In words for the person who types.
    fn sign_in(
        &self,
        name: String,
        passphrase: SecretString,
    ) -> impl Future<Output = Result<Operator, String>> + Send;

    /// Looks something up.
    ///
    /// # Errors
    /// In words: what can't be found or read.
    fn look(&self, operator: &Operator, look: Look) -> impl Future<Output = Result<Found, String>> + Send;

    /// Does something in the name of an operator; what came of it in words.
    ///
    /// # Errors
    /// In words: what was refused, or why it can't be known whether it was done.
    fn act(&self, operator: &Operator, act: Deed) -> impl Future<Output = Result<String, String>> + Send;

    /// Ends the program in order. The screen ends with it.
    fn stop(&self, operator: &Operator);
}

/// A part of a register: the first rows that fit a search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// What must occur in a row; everything when empty.
    pub query: String,
    /// How many rows at most, from the first.
    pub most: usize,
}

/// What can be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// The member register.
    Members(Page),
    /// The store register.
    Stores(Page),
    /// The key register.
    Keys(Page),
    /// The transaction register, newest first.
    Transactions(Page),
    /// The bank desk: what waits first, newest first.
    Desk(Page),
    /// The error log, newest first.
    Errors(Page),
    /// The report of a business day, `YYYY-MM-DD`; today's when empty.
    Report(String),
    /// Something in full.
    Detail(Subject),
}

/// The answer to a [`Look`], variant by variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Rows of the member register.
    Members(Rows<MemberRow>),
    /// Rows of the store register.
    Stores(Rows<StoreRow>),
    /// Rows of the key register.
    Keys(Rows<KeyRow>),
    /// Rows of the transaction register.
    Transactions(Rows<TransactionRow>),
    /// Rows of the bank desk.
    Desk(Rows<DeskRow>),
    /// Rows of the error log.
    Errors(Rows<ErrorLine>),
    /// A day's report.
    Report(Report),
    /// Something in full.
    Detail(Detail),
}

/// Rows, and whether there are more that fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows<R> {
    /// The first that fit.
    pub rows: Vec<R>,
    /// Whether more fit than were asked for.
    pub more: bool,
}

impl<R> Rows<R> {
    /// Cuts a list that was read one row longer than `most`, to learn whether there are more.
    pub fn cut(mut rows: Vec<R>, most: usize) -> Self {
        let more = rows.len() > most;
        rows.truncate(most);
        Self { rows, more }
    }
}

/// What has a page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// A member or store.
    Account(AccountNumber),
    /// A card.
    Card(CardNumber),
    /// An entry.
    Entry(EntryNumber),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account(account) => account.fmt(f),
            Self::Card(card) => card.fmt(f),
            Self::Entry(entry) => entry.fmt(f),
        }
    }
}

/// What an operator can do from the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Issues the card that was asked for with an unmatched receipt.
    AssignReceipt {
        /// The receipt's entry.
        receipt: EntryNumber,
        /// The card request's entry.
        request: EntryNumber,
    },
    /// Sends an unmatched receipt back.
    ReturnReceipt {
        /// The receipt's entry.
        receipt: EntryNumber,
    },
    /// Freezes or releases a card or an account.
    Standing {
        /// What.
        of: ledger::request::Standing,
        /// Whether it is frozen from now on.
        frozen: bool,
        /// Why.
        reason: String,
    },
    /// Says that the clock, which jumped, is right.
    AcceptClock,
}
