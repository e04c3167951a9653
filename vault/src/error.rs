//! What can go wrong, in sentences for people.

use std::{borrow::Cow, fmt, io, path::PathBuf, time::Duration};

use wire::{id::TelegramId, payload::KeyRole};

use crate::recovery::{CopyError, PhraseError};

/// One of the two passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The outer one: opens the vault.
    A,
    /// The inner one: opens the signature key. With a single password it stands for the question at signing.
    B,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::A => "password A",
            Self::B => "password B",
        })
    }
}

/// Why the vault did not do what it was asked. Nothing here holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no vault at this path.
    #[error("there is no vault at {}; make one first", .0.display())]
    NoVault(PathBuf),
    /// A vault is there already and is never overwritten.
    #[error("there is already a vault at {}; move it away to make another", .0.display())]
    Exists(PathBuf),
    /// Another process holds the vault.
    #[error("the vault at {} is in use by {}; end that program or use its control socket", path.display(), holder(*pid))]
    Held {
        /// The vault.
        path: PathBuf,
        /// The holder, where it left its process id.
        pid: Option<u32>,
    },
    /// The file does not begin as a vault does.
    #[error("{} is not a vault", .0.display())]
    NotAVault(PathBuf),
    /// A newer program made the vault.
    #[error("the vault is of format {0}, this program knows formats 1 and 2; use a newer program")]
    Newer(u16),
    /// Neither copy of the header is intact.
    #[error("both copies of the header of {} are damaged; restore the file from a copy", .0.display())]
    HeaderDamaged(PathBuf),
    /// The password derivation is set weaker or costlier than this program accepts.
    #[error("the vault's password derivation is not acceptable: {0}")]
    Derivation(String),
    /// A password that may not be chosen.
    #[error("{which} {why}")]
    Unfit {
        /// Which one.
        which: Which,
        /// What it lacks, as a predicate.
        why: Cow<'static, str>,
    },
    /// The password does not fit.
    #[error("{which} is wrong; the next attempt is possible in {}", words(*retry_after))]
    WrongPassword {
        /// Which one.
        which: Which,
        /// How long the next attempt must wait.
        retry_after: Duration,
    },
    /// An attempt before the wait was over. It was not tried and does not count.
    #[error("wait {} before trying {which} again", words(*retry_after))]
    TooSoon {
        /// Which one.
        which: Which,
        /// How long is left.
        retry_after: Duration,
    },
    /// The record of a key is missing or damaged.
    #[error("the {0} is missing or damaged in this vault; restore the file from a copy")]
    KeyLost(&'static str),
    /// A record is not there.
    #[error("the vault has no intact record {0}")]
    NoRecord(u64),
    /// A record whose content is not what its kind says.
    #[error("record {sequence} is unreadable: {why}")]
    Content {
        /// The record.
        sequence: u64,
        /// What is wrong with it.
        why: wire::codec::Malformed,
    },
    /// Kinds below 100 belong to the vault.
    #[error("record kind {0} belongs to the vault itself")]
    Reserved(u16),
    /// A record longer than [`crate::MAX_CONTENT`].
    #[error("a record of {0} bytes is too long for the vault; at most {max} fit", max = crate::MAX_CONTENT)]
    TooLong(usize),
    /// A center is pinned once and for all.
    #[error("this vault is pinned to another center; a vault serves one center only")]
    OtherCenter,
    /// The outbox has this telegram already.
    #[error("telegram {} is in the outbox already", .0.short())]
    AlreadyThere(TelegramId),
    /// The outbox does not have this telegram.
    #[error("telegram {} is not in the outbox", .0.short())]
    UnknownTelegram(TelegramId),
    /// Too many telegrams wait.
    #[error("{max} telegrams wait in the outbox; settle some of them first", max = crate::outbox::OPEN_MAX)]
    OutboxFull,
    /// It may have left: only the center can say what became of it.
    #[error("telegram {} may have left; only the center's answer can end it", .0.short())]
    MayHaveLeft(TelegramId),
    /// It is closed or withdrawn.
    #[error("telegram {} is ended already", .0.short())]
    Ended(TelegramId),
    /// An exported telegram that does not belong into this outbox.
    #[error("the exported telegram {0}")]
    Export(&'static str),
    /// An autograph that can't be taken.
    #[error("the autograph {0}")]
    Autograph(&'static str),
    /// The vault has no recovery phrase.
    #[error("this vault has no recovery phrase; make one first")]
    NoRecovery,
    /// The signature key is not sealed to the phrase, so that a copy would not bring it back.
    #[error(
        "the signature key is not sealed to the recovery phrase; give password B once, for example to sign, and it will be"
    )]
    NotSealedToPhrase,
    /// A key of this role waits already.
    #[error("a new {} waits for the center's answer already; take that change back first", role(*.0))]
    Waiting(KeyRole),
    /// No key of this role waits.
    #[error("no new {} waits for the center's answer", role(*.0))]
    NothingWaits(KeyRole),
    /// A recovery phrase that is none.
    #[error(transparent)]
    Phrase(#[from] PhraseError),
    /// A copy of a vault that can't be restored.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// A copy that the center would not take.
    #[error("a copy of this vault takes {0} bytes, at most {max} can be deposited", max = wire::limits::VAULT_COPY)]
    CopyTooLong(u64),
    /// A restore drill that did not give back what the vault holds.
    #[error("the restored vault is not this one: {0}; make a new copy and try again")]
    Drill(String),
    /// The time that password B was given for is over.
    #[error("the time for signing is over; give password B again")]
    SessionOver,
    /// A policy that no vault can follow.
    #[error(
        "the center asks for passwords that take {memory_kib} KiB of memory and {passes} passes, more than a vault takes"
    )]
    Policy {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
    },
    /// Reading or writing failed.
    #[error("{doing} {} failed: {}", path.display(), system(source))]
    Io {
        /// What was being done, as a gerund.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An earlier write failed in a way that leaves the file's state on disk unsure.
    #[error("an earlier write to {} failed and could not be undone; close the vault and open it again", .0.display())]
    Unsure(PathBuf),
}

impl Error {
    /// How long the next attempt at a password must wait, when that is what stands in the way.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::WrongPassword { retry_after, .. } | Self::TooSoon { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

/// The key of a role in words.
pub(crate) fn role(role: KeyRole) -> &'static str {
    match role {
        KeyRole::Signature => "signature key",
        KeyRole::Terminal => "terminal key",
        KeyRole::Recovery => "recovery key",
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another program".to_owned(), |pid| format!("process {pid}"))
}

/// The system's word without its number; a disk that is full or can only be read is said as people say it.
fn system(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full; make room and try again".into(),
        io::ErrorKind::QuotaExceeded => "the disk quota is used up; make room and try again".into(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk can only be read".into(),
        _ => {
            let words = error.to_string();
            words.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

fn words(wait: Duration) -> String {
    let seconds = wait.as_millis().div_ceil(1000);
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}
