//! What people and scripts see of joining, keys, recovery and the outbox.

use serde::{Deserialize, Serialize};
use wire::{
    admission::{ApplicationState, ApplicationView, Build, Kit},
    id::{ApplicationNumber, Digest, EntryNumber, TelegramId},
    text::{Line, Prose},
};

use super::Moment;

/// An application to join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationRow {
    /// Its number.
    pub application: ApplicationNumber,
    /// `waiting`, `asked-back`, `refused`, `admitted`, `code-spent` or `registered`.
    pub state: String,
    /// The state in a sentence.
    pub words: String,
    /// Since when it stands so.
    pub since: Moment,
}

impl From<&ApplicationView> for ApplicationRow {
    fn from(view: &ApplicationView) -> Self {
        let (state, words) = match &view.state {
            ApplicationState::Waiting => ("waiting", "nobody has decided yet".to_owned()),
            ApplicationState::AskedBack { words } => {
                ("asked-back", format!("something is missing; amend it: {words}"))
            }
            ApplicationState::Refused { words } => {
                ("refused", format!("the center does not admit you: {words}"))
            }
            ApplicationState::Admitted { ways, until } => {
                let ways: Vec<&str> = ways.iter().map(|way| way.words()).collect();
                let until = Moment::from(*until).text;
                (
                    "admitted",
                    format!(
                        "number and code are on their way {}; the code counts until {until}",
                        ways.join(" and ")
                    ),
                )
            }
            ApplicationState::CodeSpent => (
                "code-spent",
                "the code ran out or was mistyped too often; ask the center for another".into(),
            ),
            ApplicationState::Registered { account } => ("registered", format!("registered as {account}")),
        };
        Self { application: view.number, state: state.to_owned(), words, since: view.since.into() }
    }
}

/// An admission kit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitRow {
    /// Counts up with every change.
    pub number: u64,
    /// When the center made it.
    pub issued: Moment,
    /// The version of the terms in it.
    pub terms_version: u32,
    /// The terms of use.
    pub terms: Prose,
    /// The least memory of Argon2id in KiB, and the least passes, that passwords of a vault take.
    pub vault_floor: (u32, u32),
    /// The programs that the center offers.
    pub builds: Vec<BuildRow>,
}

/// A program that the center offers.
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
    /// Whether it is this program for this platform in a newer version.
    pub newer: bool,
}

impl From<&Kit> for KitRow {
    fn from(kit: &Kit) -> Self {
        let build = |build: &Build| BuildRow {
            program: build.program.clone(),
            platform: build.platform.clone(),
            version: build.version.clone(),
            length: build.length,
            digest: build.digest,
            newer: crate::kit::is_newer(build),
        };
        Self {
            number: kit.number,
            issued: kit.issued.into(),
            terms_version: kit.terms.version,
            terms: kit.terms.text.clone(),
            vault_floor: (kit.vault.memory_kib, kit.vault.passes),
            builds: kit.builds.iter().map(build).collect(),
        }
    }
}

/// What is known of the recovery phrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryRow {
    /// The recovery key's fingerprint.
    pub key: String,
    /// When the phrase was made or typed in.
    pub made: Moment,
    /// Whether words of it were asked back and right.
    pub confirmed: bool,
    /// When a restore with it last gave back everything.
    pub proved: Option<Moment>,
}

impl From<vault::recovery::Recovery> for RecoveryRow {
    fn from(recovery: vault::recovery::Recovery) -> Self {
        Self {
            key: recovery.keys.recovery_key.fingerprint(),
            made: recovery.made_at.into(),
            confirmed: recovery.confirmed_at.is_some(),
            proved: recovery.proved_at.map(Moment::from),
        }
    }
}

/// One key of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// `signature`, `terminal` or `recovery`.
    pub role: String,
    /// The fingerprint of the key in this vault; none where there is none.
    pub key: Option<String>,
    /// The fingerprint of a key that waits to be in force.
    pub waits: Option<String>,
    /// How it stands with the center, in words.
    pub words: String,
}

/// One event of the chain of keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyEventRow {
    /// The entry.
    pub entry: EntryNumber,
    /// Which key.
    pub role: String,
    /// The fingerprint of the key then put in force; none where it was revoked.
    pub key: Option<String>,
    /// What it was, in words.
    pub words: String,
}

/// The store's keys, and what the center states of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysView {
    /// The keys.
    pub keys: Vec<KeyRow>,
    /// The chain as this terminal last believed it, oldest first.
    pub chain: Vec<KeyEventRow>,
    /// The recovery phrase.
    pub recovery: Option<RecoveryRow>,
    /// A new recovery key that waits: its fingerprint, and from when it is in force.
    pub waiting: Option<(String, Moment)>,
    /// No money leaves the account until then.
    pub held: Option<Moment>,
    /// When a copy of the vault was last deposited with the center.
    pub deposited: Option<Moment>,
    /// Whether something changed that the deposited copy does not hold.
    pub copy_due: bool,
    /// Whether the system keeps the keys in memory out of the swap.
    pub locked: bool,
}

/// A restore drill that gave back everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillRow {
    /// When it was done.
    pub at: Moment,
    /// When the copy was made.
    pub copied: Moment,
    /// How many records were compared.
    pub compared: u64,
    /// How many records are newer than the copy.
    pub newer: u64,
}

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// Keys that this terminal did not make.
    Keys,
    /// The center's journal contradicts itself.
    Journal,
}

/// Something that has to be acknowledged before anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmRow {
    /// What it is about.
    pub about: About,
    /// When it was noticed.
    pub at: Moment,
    /// What has happened.
    pub words: String,
}

/// A telegram as a file that only the same vault takes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedTelegram {
    /// Which.
    pub telegram: TelegramId,
    /// The file, in base 64.
    pub content: String,
}
