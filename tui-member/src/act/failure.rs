//! Why something was not done.

use std::fmt;

use serde::{Deserialize, Serialize};
use tui_kit::cli::FailureKind;

/// Why an act was not done, in one sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure, for scripts and for what is offered next.
    pub kind: FailureKind,
    /// What is wrong, where, and what to do.
    pub message: String,
    /// After how many milliseconds a password may be tried, where one came too soon to be tried at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_ms: Option<u64>,
}

impl Failure {
    /// A failure in words.
    pub fn new(kind: FailureKind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string(), retry_ms: None }
    }

    /// The center or the store said no.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Refused, message)
    }

    /// Nobody said what became of it.
    pub fn unknown(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Unknown, message)
    }

    /// Nobody could be reached.
    pub fn offline(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Offline, message)
    }

    /// What came contradicts what was signed or seen.
    pub fn contradiction(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Contradiction, message)
    }

    /// There is no such thing.
    pub fn not_found(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::NotFound, message)
    }

    /// Not in this state.
    pub fn not_possible(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::NotPossible, message)
    }

    /// The machine did not do it.
    pub fn machine(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Machine, message)
    }
}

impl From<vault::Error> for Failure {
    fn from(error: vault::Error) -> Self {
        let kind = match &error {
            vault::Error::WrongPassword { .. } | vault::Error::TooSoon { .. } => FailureKind::WrongPassword,
            vault::Error::Held { .. } => FailureKind::Held,
            vault::Error::Unfit { .. } => FailureKind::NotPossible,
            vault::Error::NoVault(_) => FailureKind::NotFound,
            _ => FailureKind::Machine,
        };
        let retry_ms = match &error {
            vault::Error::TooSoon { retry_after, .. } => u64::try_from(retry_after.as_millis()).ok(),
            _ => None,
        };
        Self { retry_ms, ..Self::new(kind, error) }
    }
}
