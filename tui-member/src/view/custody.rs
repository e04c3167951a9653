//! Keys, recovery and joining, as rows.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wire::{
    id::{ApplicationNumber, Digest, EntryNumber, MemberNumber, TelegramId},
    text::{Line, Prose},
};

use super::Moment;

/// What every screen has to know of keys, recovery and the center's offers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyRow {
    /// A key that this vault did not make, or a center that contradicts itself; nobody has acknowledged it yet.
    pub alarm: Option<AlarmRow>,
    /// The newest admission kit that is kept.
    pub kit: Option<KitRow>,
    /// How recovery stands.
    pub recovery: RecoveryRow,
    /// The signature key is open until then, without password B.
    pub signing_until: Option<Moment>,
    /// No money leaves the account until then.
    pub held: Option<Moment>,
}

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// A key that this vault did not make.
    Keys,
    /// The center's journal contradicts itself.
    Journal,
}

/// An alarm that has to be acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmRow {
    /// What it is about.
    pub about: About,
    /// Names it.
    pub digest: Digest,
    /// When it was raised.
    pub at: Moment,
    /// What has happened.
    pub words: String,
}

/// What is known of the center's admission kit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitRow {
    /// Its number.
    pub number: u64,
    /// The version of the terms in it.
    pub terms: u32,
    /// The version of this program that it offers, where that is newer than the one that runs.
    pub newer: Option<Line>,
    /// Whether the center has a newer kit.
    pub outdated: bool,
}

/// How recovery stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryRow {
    /// Whether there is a phrase.
    pub phrase: bool,
    /// Whether its key is in force at the center.
    pub registered: bool,
    /// When its words were asked back.
    pub confirmed: Option<Moment>,
    /// When a restore was last tried and gave back everything.
    pub proved: Option<Moment>,
    /// When a copy was last deposited with the center.
    pub deposited: Option<Moment>,
    /// Whether something changed since.
    pub due: bool,
}

impl RecoveryRow {
    /// The same in two or three words, for the head of every page.
    pub fn short(&self) -> String {
        match (self.phrase, self.registered, &self.proved) {
            (false, ..) => "no phrase".into(),
            (true, false, _) => "phrase unregistered".into(),
            (true, true, None) => "no drill yet".into(),
            (true, true, Some(at)) => format!("drill {}", day(at)),
        }
    }

    /// How recovery stands, beside its label.
    pub fn words(&self) -> String {
        match (self.phrase, self.registered, &self.proved) {
            (false, ..) => "no phrase: what is lost stays lost".into(),
            (true, false, _) => "a phrase that is not registered with the center".into(),
            (true, true, None) => "the phrase is registered; no drill has proved it yet".into(),
            (true, true, Some(at)) => format!("the phrase is registered; a drill proved it on {}", day(at)),
        }
    }

    /// The copy at the center, beside its label.
    pub fn copy_words(&self) -> String {
        match (&self.deposited, self.due) {
            (None, _) => "none yet".into(),
            (Some(at), false) => format!("{}, complete", at.text),
            (Some(at), true) => format!("{}; what came since is not in it", at.text),
        }
    }
}

/// The day of a moment.
fn day(at: &Moment) -> &str {
    at.text.split(' ').next().unwrap_or(&at.text)
}

/// All keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysView {
    /// This vault's.
    #[serde(rename = "keys")]
    pub own: Vec<KeyRow>,
    /// The center's chain of key events, oldest first; empty before the first login of this run.
    pub chain: Vec<ChainRow>,
    /// When the center said so.
    pub chain_as_of: Option<Moment>,
    /// The entry of a recovery key's change that waits.
    pub waiting_change: Option<EntryNumber>,
    /// From when the recovery key that waits is in force.
    pub waiting_from: Option<Moment>,
    /// No money leaves the account until then.
    pub held: Option<Moment>,
    /// How recovery stands.
    pub recovery: RecoveryRow,
}

/// One of this vault's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// `signature`, `terminal` or `recovery`.
    pub role: String,
    /// The fingerprint of the one in force; none where there is none.
    pub fingerprint: Option<String>,
    /// The fingerprint of one that waits to be in force.
    pub waits: Option<String>,
}

/// One event of the center's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainRow {
    /// The entry that made it.
    pub entry: EntryNumber,
    /// `signature`, `terminal` or `recovery`.
    pub role: String,
    /// The key put in force; none where it was revoked.
    pub fingerprint: Option<String>,
    /// Whether this vault made it, or knew of it when it was brought back.
    pub own: bool,
}

/// A file on its way from the center.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    /// Its name.
    pub name: String,
    /// Bytes that are here.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// A program that was fetched and checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedBuild {
    /// Its version.
    pub version: Line,
    /// Where it lies.
    pub file: PathBuf,
    /// Its SHA-256, which was checked.
    pub digest: Digest,
}

/// How an application stands, for scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Its number; none before the center has it.
    pub application: Option<ApplicationNumber>,
    /// `unsigned`, `unsent`, `waiting`, `asked-back`, `refused`, `admitted`, `code-spent`, `registered`, `prepared`,
    /// `sent` or `joined`.
    pub state: String,
    /// The same in a sentence, with the center's words.
    pub words: String,
    /// The center's name.
    pub center: Option<Line>,
    /// Its root key's fingerprint.
    pub fingerprint: Option<String>,
    /// The number of the admission kit that is kept.
    pub kit: Option<u64>,
    /// The member's number, once there is one.
    pub member: Option<MemberNumber>,
    /// The registration that waits in the outbox.
    pub registration: Option<TelegramId>,
}

/// A telegram as a file that only this vault takes in again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedTelegram {
    /// Which.
    pub telegram: TelegramId,
    /// The file's content in base 64; it is sealed.
    pub content: String,
}

impl std::fmt::Debug for ExportedTelegram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExportedTelegram({})", self.telegram.short())
    }
}

/// What a restore drill found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillRow {
    /// When.
    pub at: Moment,
    /// When the copy that was restored was made.
    pub copied_at: Moment,
    /// How many records were compared.
    pub compared: u64,
    /// How many records are newer than the copy.
    pub newer: u64,
}

/// The admission kit as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitView {
    /// Its number.
    pub number: u64,
    /// When the center made it.
    pub issued: Moment,
    /// The version of the terms.
    pub terms_version: u32,
    /// The terms.
    pub terms: Prose,
    /// Their hash, as a registration signs it.
    pub terms_hash: Digest,
    /// The least memory of a vault's passwords in KiB.
    pub memory_kib: u32,
    /// The least passes.
    pub passes: u32,
    /// The version of this program that it offers, where that is newer.
    pub newer: Option<Line>,
    /// The programs that it offers.
    pub builds: Vec<BuildRow>,
}

/// A program that the kit offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRow {
    /// Its name.
    pub program: Line,
    /// The platform.
    pub platform: Line,
    /// Its version.
    pub version: Line,
    /// Its length in bytes.
    pub length: u64,
    /// Its SHA-256.
    pub digest: Digest,
}
