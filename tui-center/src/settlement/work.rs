//! What goes to the desk and what comes back.

use std::sync::Arc;

use ledger::{
    Request,
    request::{Credit, OperatorRole, Standing, TransferResult},
};
use wire::id::{Digest, EntryNumber};

use crate::books::Record;

/// A request on its way to the desk, with what proves it.
///
/// There are two doors: [`super::heard`] makes work of telegrams whose signature was verified, [`Work::act`] and
/// [`Work::own`] of what the center's own rooms ask. So no telegram's request reaches the desk unverified.
#[derive(Debug)]
pub struct Work {
    pub(super) request: Request,
    pub(super) evidence: Vec<u8>,
}

/// What the center's own rooms ask of the desk; who may is checked against the operator register by the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A key sheet comes into force.
    Sheet {
        /// Its number.
        number: u64,
        /// The digest of the signed sheet.
        digest: Digest,
        /// Who does it; `None` only for the first sheet.
        by: Option<String>,
    },
    /// An operator is added, changed or taken off.
    Operator {
        /// The operator's name.
        name: String,
        /// The role; `None` takes the operator off.
        role: Option<OperatorRole>,
        /// The digest of the operator's public SSH key.
        key: Digest,
        /// Who does it; `None` only for the first operator.
        by: Option<String>,
    },
    /// Money came in at the bank.
    Credit(Credit),
    /// The bank said what became of a transfer.
    PayoutResult {
        /// The payout's entry.
        payout: EntryNumber,
        /// What became of it.
        result: TransferResult,
    },
    /// An operator issues the card that was asked for with an unmatched receipt.
    AssignReceipt {
        /// The operator.
        by: String,
        /// The receipt's entry.
        receipt: EntryNumber,
        /// The card request's entry.
        request: EntryNumber,
    },
    /// An operator sends an unmatched receipt back.
    ReturnReceipt {
        /// The operator.
        by: String,
        /// The receipt's entry.
        receipt: EntryNumber,
    },
    /// An operator freezes or releases a card or an account.
    Standing {
        /// The operator.
        by: String,
        /// What.
        of: Standing,
        /// Whether it is frozen from now on.
        frozen: bool,
        /// Why.
        reason: String,
    },
}

impl Work {
    /// Work of the center's own. It has no evidence: what a bank or an operator says beside it is personal, and lies
    /// in the cabinet.
    pub fn act(act: Act) -> Self {
        let request = match act {
            Act::Sheet { number, digest, by } => Request::Sheet { number, digest, by },
            Act::Operator { name, role, key, by } => Request::Operator { name, role, key, by },
            Act::Credit(credit) => Request::Credit(credit),
            Act::PayoutResult { payout, result } => Request::PayoutResult { payout, result },
            Act::AssignReceipt { by, receipt, request } => Request::AssignReceipt { by, receipt, request },
            Act::ReturnReceipt { by, receipt } => Request::ReturnReceipt { by, receipt },
            Act::Standing { by, of, frozen, reason } => Request::Standing { by, of, frozen, reason },
        };
        Self { request, evidence: Vec::new() }
    }

    /// Work of the center's own rooms and people with what belongs beside it: a document's content, a signed sheet.
    /// `None` for a request that comes as a telegram: those are made of verified ones alone.
    pub fn own(request: Request, evidence: Vec<u8>) -> Option<Self> {
        request.signed().is_none().then_some(Self { request, evidence })
    }

    /// What is asked.
    pub fn request(&self) -> &Request {
        &self.request
    }
}

/// Something that takes the desk for itself: what it enters closes a batch alone, and nothing is decided between its
/// beginning and its end. It runs on the desk's thread; everybody else waits.
pub trait Held: Send {
    /// What is to be entered, as the entry of this number.
    ///
    /// # Errors
    /// In words; nothing is entered then, and nothing more is called.
    fn begin(&mut self, number: EntryNumber) -> Result<Work, String>;

    /// It is entered and durable, and nobody has seen it yet.
    fn done(&mut self, record: &Record);

    /// It was not entered, or only its refusal.
    fn undone(&mut self);
}

/// A durable entry that answers.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The entry with its evidence.
    pub record: Arc<Record>,
    /// Whether it was entered before this was asked.
    pub repeated: bool,
}

impl Answer {
    /// The entry's number.
    pub fn number(&self) -> EntryNumber {
        self.record.entry.number
    }
}

/// Why there is no entry that answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// The queue is full, or the connection's share of it; nothing was entered.
    #[error("the center has more to do than it can; nothing was entered, try again {}", soon(*.retry_ms))]
    Busy {
        /// In how many milliseconds what waits now will be done.
        retry_ms: u32,
    },
    /// Payments are stopped; nothing was entered.
    #[error("payments are stopped, nothing was entered: {0}")]
    Stopped(String),
    /// It was being entered when the books failed: only a restart tells what became of it. Not to be answered as
    /// entered and not as not entered either; the terminal asks again.
    #[error("the books failed while it was being entered; ask again what became of it: {0}")]
    Unknown(String),
    /// Not of a form that can be entered; nothing was.
    #[error("{0}")]
    Malformed(String),
    /// Never entered, and its `valid_until` is past: it never will be.
    #[error("the time until which it was valid is past; it was never entered and never will be")]
    Expired,
    /// Refused, and not even entered: too many refusals of this signer.
    #[error("too many refused telegrams lately, nothing was entered; wait a minute")]
    Limited,
    /// It was entered before, and the entry could not be read.
    #[error("it was entered before, but the books can't be read: {0}")]
    Unreadable(String),
}

fn soon(retry_ms: u32) -> String {
    match retry_ms.div_ceil(1000) {
        0 | 1 => "in a moment".into(),
        seconds => format!("in {seconds} seconds"),
    }
}
