//! What the admission desk answers.

use serde::{Deserialize, Serialize};
use wire::{
    admission::Build,
    id::{AccountNumber, ApplicationNumber, Digest, EntryNumber, Role, TelegramId},
};

use super::{Moment, Row};
use crate::lines::postman::PostState;

/// An application as lists show it: nobody is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationRow {
    /// Its number.
    pub number: ApplicationNumber,
    /// Which version of it this is: its telegram, of an amended one the newest. Whoever admits names it.
    pub version: TelegramId,
    /// As what.
    pub role: Role,
    /// How it stands, in one word for scripts: `waiting`, `asked-back`, `refused`, `admitted`, `code-spent`, `registered`.
    pub state: String,
    /// How it stands, in words.
    pub words: String,
    /// When it came.
    pub received: Moment,
    /// Since when it stands so.
    pub since: Moment,
    /// The applicant's name, masked; empty when it was registered.
    pub name: String,
    /// The e-mail address, masked.
    pub email: String,
    /// In what the applicant is like somebody else.
    pub same: Vec<Sameness>,
    /// The account whose lost terminal it replaces.
    pub replaces: Option<AccountNumber>,
    /// The number that was reserved.
    pub account: Option<AccountNumber>,
}

/// Somebody else with the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sameness {
    /// The same what.
    pub what: String,
    /// Whose: a member, a store or another application.
    pub who: String,
}

/// An application in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationDetail {
    /// As lists show it.
    #[serde(flatten)]
    pub application: ApplicationRow,
    /// The signature key that applied, in hex.
    pub key: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The terminal key's fingerprint.
    pub terminal: String,
    /// The entry that decided.
    pub decided: Option<EntryNumber>,
    /// What was filled in; empty unless it was revealed.
    pub fields: Vec<Row>,
    /// Its mail and letters on their way.
    pub post: Vec<PostState>,
}

/// A program of the admission kit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRow {
    /// Its name.
    pub program: String,
    /// Its platform.
    pub platform: String,
    /// Its version.
    pub version: String,
    /// Its length in bytes.
    pub length: u64,
    /// Its SHA-256.
    pub digest: Digest,
}

impl BuildRow {
    /// As the kit names it.
    pub fn of(build: &Build) -> Self {
        Self {
            program: build.program.to_string(),
            platform: build.platform.to_string(),
            version: build.version.to_string(),
            length: build.length,
            digest: build.digest,
        }
    }
}
