//! What was decided: the lines of the journal.

use serde::{Deserialize, Serialize};
use wire::{
    amount::Amount,
    id::{AccountNumber, CardNumber, EntryNumber, MemberNumber, StoreNumber},
    key::VerificationKey,
    receipt::EntryKind,
    time::Timestamp,
};

use crate::{
    account::Posting,
    calendar::Day,
    request::{OperatorAct, Request},
};

/// One line of the journal: what was asked, what was decided, its postings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, counted from 0.
    pub number: EntryNumber,
    /// max(now, the last entry's time).
    pub at: Timestamp,
    /// What was asked.
    pub request: Request,
    /// What was decided.
    pub decision: Decision,
    /// Sum to zero; empty where no money moves.
    pub postings: Vec<Posting>,
    /// Whom it concerns: whose history it belongs to.
    pub concerns: Concerns,
    /// The entries before this one on the same card, member and store.
    pub previous: Previous,
}

/// Whom an entry concerns. A refused telegram concerns only the account that signed it: nobody can write into
/// another's history by being refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Concerns {
    /// The card whose balance it moves, or that it freezes.
    pub card: Option<CardNumber>,
    /// The member.
    pub member: Option<MemberNumber>,
    /// The store.
    pub store: Option<StoreNumber>,
}

impl Concerns {
    /// Nobody.
    pub const NOBODY: Self = Self { card: None, member: None, store: None };

    /// One account alone.
    pub fn account(account: AccountNumber) -> Self {
        match account {
            AccountNumber::Member(member) => Self { member: Some(member), ..Self::NOBODY },
            AccountNumber::Store(store) => Self { store: Some(store), ..Self::NOBODY },
        }
    }
}

/// The entries before, so that a history can be walked backwards through the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Previous {
    /// Of the card that it concerns.
    pub card: Option<EntryNumber>,
    /// Of the member that it concerns.
    pub member: Option<EntryNumber>,
    /// Of the store that it concerns.
    pub store: Option<EntryNumber>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// Done, with what it brought about.
    Done(Outcome),
    /// Refused; the telegram's id is final.
    Refused(Refusal),
}

/// What an entry brought about. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Entered, and nothing more to say.
    Entered,
    /// Entered in the registers under this number.
    Registered(AccountNumber),
    /// A card request waits for its money.
    CardRequested {
        /// The reference to give.
        reference: String,
        /// It lapses after this.
        expires: Timestamp,
    },
    /// A card was issued: by a matching credit or an operator's act.
    CardIssued {
        /// The card.
        card: CardNumber,
        /// The request.
        request: EntryNumber,
        /// What it holds.
        amount: Amount,
    },
    /// Money came in that fits no open card request; it waits on the bank desk.
    Unmatched(Mismatch),
    /// A payment was settled.
    Paid {
        /// What the card holds afterwards.
        balance: Amount,
    },
    /// A payment was given back.
    Refunded {
        /// To which card.
        card: CardNumber,
        /// How much.
        amount: Amount,
        /// What the card holds afterwards.
        balance: Amount,
        /// The business day against whose limit it counts, where a cashier refunded.
        day: Option<Day>,
    },
    /// A transfer to the bank was intended.
    PayoutIntended {
        /// For what.
        purpose: Purpose,
        /// How much.
        amount: Amount,
    },
    /// A transfer was executed or came back.
    PayoutSettled {
        /// For what it was.
        purpose: Purpose,
        /// How much.
        amount: Amount,
        /// Whether it was executed.
        paid: bool,
    },
    /// An applicant was admitted; this number is reserved, or is that of the account whose terminal is replaced.
    Admitted(AccountNumber),
    /// A new recovery key waits.
    KeyWaits {
        /// In force from then on, unless it is cancelled.
        from: Timestamp,
    },
    /// A recovery key that waited is in force.
    KeyInForce(VerificationKey),
    /// Another operator is to confirm it; the entry's number is the proposal's.
    Proposed,
}

/// Why money is transferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Purpose {
    /// A store's claim.
    Claim(EntryNumber),
    /// An unmatched receipt goes back.
    Return(EntryNumber),
}

/// Why a credit fits no open card request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mismatch {
    /// No reference was given, or it is not one of ours.
    UnknownReference,
    /// Less came than was asked for.
    TooLittle {
        /// The request.
        request: EntryNumber,
        /// What was asked for.
        expected: Amount,
    },
    /// More came than was asked for.
    TooMuch {
        /// The request.
        request: EntryNumber,
        /// What was asked for.
        expected: Amount,
    },
    /// The request was paid before.
    AlreadyPaid {
        /// The request.
        request: EntryNumber,
    },
    /// The request had lapsed.
    Lapsed {
        /// The request.
        request: EntryNumber,
    },
}

/// Why something was refused. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The key that signed is not in force any more.
    KeyNotInForce,
    /// It came after its `valid_until`.
    Expired,
    /// The offer expired.
    OfferExpired,
    /// It is in another currency.
    WrongCurrency,
    /// An amount of nothing.
    AmountZero,
    /// An amount outside the settings.
    AmountOutOfRange {
        /// The least.
        least: Amount,
        /// The most.
        most: Amount,
    },
    /// No such card of this member.
    UnknownCard,
    /// The card is frozen.
    CardFrozen,
    /// The account is frozen.
    AccountFrozen,
    /// No such store.
    UnknownStore,
    /// The store is frozen.
    StoreFrozen,
    /// The order was paid before.
    AlreadyPaid {
        /// By this entry.
        by: EntryNumber,
    },
    /// The card holds too little.
    BalanceShort {
        /// By so much.
        by: Amount,
    },
    /// No such payment to this store.
    UnknownPayment {
        /// Which was named.
        payment: EntryNumber,
    },
    /// Given back before.
    AlreadyRefunded {
        /// The payment.
        payment: EntryNumber,
    },
    /// Claimed before.
    AlreadyClaimed {
        /// The payment.
        payment: EntryNumber,
    },
    /// Not the amount that was paid.
    WrongAmount {
        /// What was paid.
        expected: Amount,
    },
    /// These are not proved to be delivered.
    NotDelivered {
        /// Which.
        payments: Vec<EntryNumber>,
    },
    /// A claim that names nothing, or not in ascending order.
    ClaimOutOfOrder,
    /// Too many refusals lately.
    TooManyRefusals,
    /// The key is registered already.
    KeyTaken,
    /// The same bank movement was told before, no money came in a second time; or the telegram was entered before.
    Duplicate {
        /// The entry that answered it.
        of: EntryNumber,
    },
    /// What is named does not exist or is not in the state for it; in words.
    NotPossible(String),
    /// An operator without the role for it.
    NotAllowed,
    /// No money leaves the account: its lost terminal was replaced a short while ago.
    Held {
        /// Until then.
        until: Timestamp,
    },
    /// More than the cashier may refund on one business day.
    CashierLimit {
        /// What is left of the day's limit.
        left: Amount,
    },
    /// One operator alone may not do it: it is to be proposed.
    NeedsSecond,
    /// Whoever proposed it can't confirm it.
    SamePerson,
}

impl Entry {
    /// What it is about; a confirmation is about what it does.
    pub fn kind(&self) -> EntryKind {
        match &*self.request.effective() {
            Request::Found(_) => EntryKind::Founding,
            Request::Sheet { .. } => EntryKind::KeySheet,
            Request::Operator { .. } => EntryKind::Operator,
            Request::Register(_) => EntryKind::Registration,
            Request::ChangeKey(_)
            | Request::CancelKeyChange(_)
            | Request::KeyInForce { .. }
            | Request::Revoke { .. } => EntryKind::KeyChange,
            Request::RequestCard(_) => EntryKind::CardRequest,
            Request::Credit(_) => EntryKind::BankCredit,
            Request::Pay(_) => EntryKind::Payment,
            Request::Void(_) => EntryKind::Void,
            Request::Refund(_) | Request::CenterRefund { .. } => EntryKind::Refund,
            Request::Claim(_) => EntryKind::Claim,
            Request::PayClaim { .. } => EntryKind::Payout,
            Request::PayoutResult { .. } => EntryKind::PayoutResult,
            Request::AssignReceipt { .. } | Request::ReturnReceipt { .. } => EntryKind::DeskAct,
            Request::Standing { .. } => EntryKind::Standing,
            Request::Lapse { .. } => EntryKind::Lapse,
            Request::Admit(_) | Request::Recode { .. } | Request::Decline { .. } => EntryKind::Admission,
            Request::Posted { .. } => EntryKind::Post,
            Request::Cashier(_) => EntryKind::Cashier,
            Request::Document { .. } | Request::Limits { .. } => EntryKind::Setting,
            Request::Note { act, .. } => match act {
                OperatorAct::KitAdd { .. } | OperatorAct::KitRemove { .. } | OperatorAct::AcceptClock => {
                    EntryKind::Setting
                }
                OperatorAct::OwnPassphrase => EntryKind::Operator,
                OperatorAct::PostRetry { .. } => EntryKind::Post,
            },
            Request::Reveal { .. } | Request::Export { .. } | Request::Erase { .. } => EntryKind::Disclosure,
            // What is confirmed is never itself a confirmation.
            Request::Propose { .. } | Request::Withdraw { .. } | Request::Confirm { .. } => {
                EntryKind::Proposal
            }
        }
    }

    /// Whether the journal takes it. What is said but never entered: a telegram that came after its `valid_until`
    /// (it can be repeated for ever, and the journal or its silence already answers), one that was entered before
    /// (its entry is the answer), and refusals above the signer's rate.
    pub fn is_for_the_journal(&self) -> bool {
        match self.refusal() {
            Some(Refusal::Expired | Refusal::TooManyRefusals) => false,
            Some(Refusal::Duplicate { .. }) => self.request.signed().is_none(),
            _ => true,
        }
    }

    /// Whether it was refused, and why.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.decision {
            Decision::Refused(refusal) => Some(refusal),
            Decision::Done(_) => None,
        }
    }
}
