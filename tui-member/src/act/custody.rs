//! What can be done with keys, recovery and the admission kit.

use serde::{Deserialize, Serialize};
use tui_kit::cli::Password;
use vault::Autograph;
use wire::{id::Digest, payload::KeyRole};

/// Acts of custody. Phrases are secrets like passwords: 24 words as they are typed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "custody", rename_all = "kebab-case")]
pub enum CustodyAct {
    /// All keys: this vault's, and the center's chain where a line is there. → [`super::Outcome::Keys`]
    Keys,
    /// A new signature or terminal key. → [`super::Outcome::Keys`]
    Rotate {
        /// Which.
        role: KeyRole,
        /// Opens the signature key.
        password_b: Password,
        /// The recovery phrase, where the key in force is lost or revoked.
        phrase: Option<Password>,
        /// Mixed into a new signature key, and the drawn seal from then on.
        autograph: Option<Autograph>,
    },
    /// No key in this role any more. → [`super::Outcome::Keys`]
    Revoke {
        /// Which.
        role: KeyRole,
        /// Opens the signature key, which asks for it.
        password_b: Password,
        /// The recovery phrase, where that is to ask for it.
        phrase: Option<Password>,
    },
    /// Whether a phrase is this vault's in force. → [`super::Outcome::Done`]
    CheckPhrase {
        /// The phrase.
        phrase: Password,
    },
    /// A new recovery phrase, which was shown, written down and asked back. With the former one it is in force at once,
    /// otherwise after 72 hours; the first one of an account always at once. → [`super::Outcome::Keys`]
    NewPhrase {
        /// The new phrase.
        phrase: Password,
        /// The former one.
        former: Option<Password>,
        /// Opens the signature key.
        password_b: Password,
    },
    /// Cancels a recovery key that waits. → [`super::Outcome::Keys`]
    CancelChange {
        /// The phrase in force.
        phrase: Password,
    },
    /// Changes those keys of a restored vault that the center has not in force. → [`super::Outcome::Keys`]
    FinishRestoring {
        /// The recovery phrase.
        phrase: Password,
        /// Opens the signature key.
        password_b: Password,
    },
    /// The alarm was read. → [`super::Outcome::Done`]
    Acknowledge {
        /// Which.
        alarm: Digest,
    },
    /// Opens the signature key for a while. → [`super::Outcome::Done`]
    OpenSigning {
        /// Opens the signature key.
        password_b: Password,
        /// For so many minutes, at most 60.
        minutes: u16,
    },
    /// Closes it. → [`super::Outcome::Done`]
    CloseSigning,
    /// Deposits a copy of the vault with the center now. → [`super::Outcome::Keys`]
    Deposit,
    /// Restores the deposited copy into a scratch folder and compares it. → [`super::Outcome::Drill`]
    Drill {
        /// The recovery phrase.
        phrase: Password,
    },
    /// The newest admission kit. → [`super::Outcome::Kit`]
    Kit,
    /// Downloads the newer program that the kit offers. → [`super::Outcome::Build`]
    Download,
    /// Where joining stands. → [`super::Outcome::Standing`]
    Standing,
}
