//! What was found wrong with a file while it was opened.

use std::fmt;

/// Something that was not as it should be. The vault opened all the same; the words say what is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// One of the two header slots was damaged and is written anew.
    HeaderSlot {
        /// 0 or 1.
        number: usize,
    },
    /// The older slot still held another password: a change of password A was interrupted. It is finished now.
    StaleSlot,
    /// The last write was cut short; what it left is cut off. Nothing that was reported as saved is in it.
    TornTail {
        /// Where it began, in bytes.
        offset: u64,
        /// How many bytes were cut off.
        length: u64,
    },
    /// A stretch that cannot be read; it stays in the file.
    Damaged {
        /// Where it begins, in bytes.
        offset: u64,
        /// How many bytes it takes.
        length: u64,
        /// The sequence number, if the record's head is intact.
        sequence: Option<u64>,
        /// The kind, if the record's head is intact.
        kind: Option<u16>,
    },
    /// A key that is no longer in force could not be removed from the file yet.
    OldKeys {
        /// Why, as a sentence.
        why: String,
    },
    /// Password A could not be sealed with the effort that the center asks for; it is as it was.
    BelowPolicy {
        /// Why, as a sentence.
        why: String,
    },
    /// The system does not let the keys be locked in memory, so that they may be written to the swap.
    NotLocked,
    /// Records that should be there and are not.
    Missing {
        /// The first one's sequence number.
        first: u64,
        /// The last one's sequence number.
        last: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderSlot { number } => {
                write!(f, "copy {} of the vault's header was damaged and has been written anew", number + 1)
            }
            Self::StaleSlot => f.write_str("an interrupted change of password A has been finished"),
            Self::TornTail { offset, length } => write!(
                f,
                "the last write was cut short: {length} bytes at offset {offset} are cut off; nothing that was saved is lost"
            ),
            Self::Damaged { offset, length, sequence: Some(sequence), kind: Some(kind) } => write!(
                f,
                "record {sequence} ({}) is damaged: {length} bytes at offset {offset} cannot be read",
                crate::kind::noun(*kind)
            ),
            Self::Damaged { offset, length, .. } => {
                write!(f, "{length} bytes at offset {offset} cannot be read")
            }
            Self::OldKeys { why } => write!(
                f,
                "a key no longer in force is still in the file, and its removal is tried again at the next change: {why}"
            ),
            Self::BelowPolicy { why } => write!(
                f,
                "the passwords are sealed with less effort than the center asks for, which is tried again at the next opening: {why}"
            ),
            Self::NotLocked => f.write_str(
                "the system does not let keys be locked in memory, so they may reach the swap; raise the limit of locked memory (ulimit -l)"
            ),
            Self::Missing { first, last } if first == last => write!(f, "record {first} is missing"),
            Self::Missing { first, last } => write!(f, "records {first} to {last} are missing"),
        }
    }
}
