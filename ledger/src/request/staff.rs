//! Requests of the center's own people: settings, operators, and acts that take two of them.

use serde::{Deserialize, Serialize};
use wire::{
    admission::Way,
    amount::{Amount, Currency},
    id::{AccountNumber, ApplicationNumber, CardNumber, CenterId, Digest, EntryNumber},
    key::VerificationKey,
    payload::KeyRole,
    time::Timestamp,
};

use super::{Admission, Document, Request};

/// What is fixed at the founding, and the limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The center.
    pub center: CenterId,
    /// Its name.
    pub name: String,
    /// Its currency.
    pub currency: Currency,
    /// Its time zone (IANA).
    pub zone: String,
    /// Minutes after local midnight at which a business day ends; 1440 is midnight.
    pub day_end: u16,
    /// The least a card can be loaded with.
    pub card_least: Amount,
    /// The most a card can be loaded with.
    pub card_most: Amount,
    /// How long a card request waits for its money, in milliseconds.
    pub funding_ms: u64,
    /// How many refused telegrams a signer may cause in a minute.
    pub refusals_per_minute: u32,
}

/// What an operator may do; each may all that the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperatorRole {
    /// Looks.
    Viewer,
    /// Works the desks.
    Clerk,
    /// Freezes, returns money, revokes keys.
    Supervisor,
    /// Changes settings, operators and keys.
    Admin,
}

/// Up to how much one operator acts alone. Until the center sets them both are nothing, so that each such act takes
/// two operators where there are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeskLimits {
    /// A payment that the center gives back.
    pub refund_alone: Amount,
    /// An unmatched bank receipt that is assigned or sent back.
    pub receipt_alone: Amount,
}

/// What can be frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// A card.
    Card(CardNumber),
    /// A member or store.
    Account(AccountNumber),
}

/// Whose personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Person {
    /// A member or store.
    Account(AccountNumber),
    /// An applicant.
    Application(ApplicationNumber),
}

/// An act that one operator proposes and another confirms. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proposed {
    /// [`Request::CenterRefund`]
    CenterRefund {
        /// The payment's entry.
        payment: EntryNumber,
        /// Why.
        reason: String,
    },
    /// [`Request::AssignReceipt`]
    AssignReceipt {
        /// The receipt's entry.
        receipt: EntryNumber,
        /// The card request's entry.
        request: EntryNumber,
    },
    /// [`Request::ReturnReceipt`]
    ReturnReceipt {
        /// The receipt's entry.
        receipt: EntryNumber,
    },
    /// [`Request::Recode`] that lets another key register.
    Recode {
        /// The admission's entry.
        admission: EntryNumber,
        /// The new code counts until then.
        until: Timestamp,
        /// The key that may register from now on.
        key: VerificationKey,
        /// How the new code goes out.
        ways: Vec<Way>,
        /// Why.
        reason: String,
    },
    /// [`Request::Admit`] of an owner whose lost terminal is replaced; its `by` is `None` here.
    AdmitReplacement(Admission),
    /// [`Request::Revoke`]
    Revoke {
        /// Whose key.
        account: AccountNumber,
        /// Which key.
        role: KeyRole,
        /// Why.
        reason: String,
    },
    /// [`Request::Document`]
    Document {
        /// Which.
        document: Document,
        /// One more than the version in force.
        version: u32,
        /// What binds the content, which is the evidence of the proposal's entry.
        digest: Digest,
    },
    /// [`Request::Limits`]
    Limits(DeskLimits),
    /// [`Request::Operator`]
    Operator {
        /// The operator's name.
        name: String,
        /// The role; `None` takes the operator off.
        role: Option<OperatorRole>,
        /// The digest of the operator's public SSH key.
        key: Digest,
    },
}

impl Proposed {
    /// What an operator who asks for it alone proposes instead; `None` for a request that is never for two.
    pub fn of(request: &Request) -> Option<Self> {
        Some(match request.clone() {
            Request::CenterRefund { payment, reason, .. } => Self::CenterRefund { payment, reason },
            Request::AssignReceipt { receipt, request, .. } => Self::AssignReceipt { receipt, request },
            Request::ReturnReceipt { receipt, .. } => Self::ReturnReceipt { receipt },
            Request::Recode { admission, until, key: Some(key), ways, reason, .. } => {
                Self::Recode { admission, until, key, ways, reason }
            }
            Request::Admit(it) if it.by.is_some() && it.replaces.is_some() => {
                Self::AdmitReplacement(Admission { by: None, ..it })
            }
            Request::Revoke { account, role, reason, .. } => Self::Revoke { account, role, reason },
            Request::Document { by: Some(_), document, version, digest } => {
                Self::Document { document, version, digest }
            }
            Request::Limits { limits, .. } => Self::Limits(limits),
            Request::Operator { name, role, key, by: Some(_) } => Self::Operator { name, role, key },
            _ => return None,
        })
    }

    /// The request that does it, by an operator.
    pub fn request(&self, by: &str) -> Request {
        let by = by.to_owned();
        match self.clone() {
            Self::CenterRefund { payment, reason } => Request::CenterRefund { by, payment, reason },
            Self::AssignReceipt { receipt, request } => Request::AssignReceipt { by, receipt, request },
            Self::ReturnReceipt { receipt } => Request::ReturnReceipt { by, receipt },
            Self::Recode { admission, until, key, ways, reason } => {
                Request::Recode { by, admission, until, key: Some(key), ways, reason }
            }
            Self::AdmitReplacement(it) => Request::Admit(Admission { by: Some(by), ..it }),
            Self::Revoke { account, role, reason } => Request::Revoke { by, account, role, reason },
            Self::Document { document, version, digest } => {
                Request::Document { by: Some(by), document, version, digest }
            }
            Self::Limits(limits) => Request::Limits { by, limits },
            Self::Operator { name, role, key } => Request::Operator { name, role, key, by: Some(by) },
        }
    }

    /// The least role of both who take part in it.
    pub fn least(&self) -> OperatorRole {
        match self {
            Self::CenterRefund { .. } | Self::AssignReceipt { .. } => OperatorRole::Clerk,
            Self::ReturnReceipt { .. }
            | Self::Recode { .. }
            | Self::AdmitReplacement(_)
            | Self::Revoke { .. } => OperatorRole::Supervisor,
            Self::Document { .. } | Self::Limits(_) | Self::Operator { .. } => OperatorRole::Admin,
        }
    }
}
