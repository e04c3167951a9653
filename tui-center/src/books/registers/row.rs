//! The rows and their keys.
//!
//! | key, numbers big endian | row |
//! |---|---|
//! | `c` `operator/` name | [`OperatorRow`] |
//! | `c` `settings` | [`Settings`](ledger::request::Settings) |
//! | `d` day (4, yyyymmdd) store (8, 0 for all) kind (1) | [`DayTotal`] |
//! | `h` role (1) number (8) | [`Holder`] |
//! | `k` role (1) number (8) entry (8) key role (1) | [`KeyRow`] |
//! | `w` | [`Watermark`] |
//!
//! Store numbers in day totals are one higher than the store's own, so that 0 is free.

use std::ops::{Bound, RangeInclusive};

use jiff::civil::Date;
use ledger::request::OperatorRole;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use wire::{
    codec,
    id::{AccountNumber, Digest, EntryNumber, MemberNumber, Role, StoreNumber},
    key::VerificationKey,
    payload::KeyRole,
    receipt::EntryKind,
    time::Timestamp,
};

/// The most bytes of one row: well below the size from which sled writes files that it never syncs.
pub(super) const ROW: usize = 32 << 10;

/// A member or store, as registered and as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its number.
    pub account: AccountNumber,
    /// The entry that registered it.
    pub entry: EntryNumber,
    /// When.
    pub at: Timestamp,
    /// A store's public name.
    pub trade_name: Option<String>,
    /// The signature key in force; `None` when revoked.
    pub signature_key: Option<VerificationKey>,
    /// The terminal key in force.
    pub terminal_key: Option<VerificationKey>,
    /// The recovery key in force.
    pub recovery_key: Option<VerificationKey>,
    /// The hash of the particulars in the cabinet.
    pub particulars: Digest,
    /// Whether an operator froze it.
    pub frozen: bool,
}

impl Holder {
    /// The bare number.
    pub fn number(&self) -> u64 {
        match self.account {
            AccountNumber::Member(number) => number.0,
            AccountNumber::Store(number) => number.0,
        }
    }
}

/// An event of an account's chain of keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// Whose key.
    pub account: AccountNumber,
    /// The entry that made it.
    pub entry: EntryNumber,
    /// When.
    pub at: Timestamp,
    /// Which key.
    pub role: KeyRole,
    /// The key from then on; `None` when revoked.
    pub key: Option<VerificationKey>,
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorRow {
    /// The name.
    pub name: String,
    /// The role; `None` when taken off.
    pub role: Option<OperatorRole>,
    /// The entry that said so last.
    pub entry: EntryNumber,
    /// When.
    pub at: Timestamp,
    /// Which operator did it; `None` at the founding.
    pub by: Option<String>,
}

/// What was booked on a business day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTotal {
    /// The business day.
    #[serde(with = "civil")]
    pub day: Date,
    /// At which store; `None` over all.
    pub store: Option<StoreNumber>,
    /// What.
    pub kind: EntryKind,
    /// How many were done.
    pub done: u64,
    /// How many were refused, or came back from the bank.
    pub refused: u64,
    /// How much was moved or promised by those that were done, in minor units.
    pub amount: u128,
}

/// How far the rows are, in the same batch as they.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watermark {
    /// The form of the rows; with another, they are made anew.
    pub(super) form: u16,
    /// How many entries were taken in.
    pub(super) size: u64,
    /// The root of the tree over them: by it the journal is known.
    pub(super) root: Digest,
}

/// Why a row can't be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowError {
    #[error("{0}")]
    Sled(#[from] sled::Error),
    #[error(transparent)]
    Malformed(#[from] codec::Malformed),
}

/// A key of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key(Vec<u8>);

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Key {
    /// A key as it was read.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// What its row is, for people.
    pub(super) fn words(&self) -> String {
        let number = |at: usize| Some(u64::from_be_bytes(*self.0.get(at..)?.first_chunk()?));
        let account = || {
            let number = number(2)?;
            Some(match self.0[1] {
                0 => MemberNumber(number).to_string(),
                _ => StoreNumber(number).to_string(),
            })
        };
        let words = match self.0.first() {
            Some(b'c') => Some(String::from_utf8_lossy(&self.0[1..]).replace('/', " ")),
            Some(b'h') => account().map(|account| format!("entry of {account}")),
            Some(b'k') => account().and_then(|account| {
                let entry = EntryNumber(number(10)?);
                Some(format!("key of {account} from {entry}"))
            }),
            Some(b'd') => self.0.get(1..).and_then(<[u8]>::first_chunk).map(|day| {
                let day = u32::from_be_bytes(*day);
                format!("total of {:04}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100)
            }),
            _ => None,
        };
        words.map_or_else(|| "row of an unknown kind".into(), |words| format!("row “{words}”"))
    }

    pub(super) fn watermark() -> Self {
        Self(b"w".to_vec())
    }

    pub(super) fn settings() -> Self {
        Self(b"csettings".to_vec())
    }

    pub(super) fn operators() -> Self {
        Self(b"coperator/".to_vec())
    }

    pub(super) fn operator(name: &str) -> Self {
        Self([b"coperator/", name.as_bytes()].concat())
    }

    pub(super) fn holder(account: AccountNumber) -> Self {
        Self([&b"h"[..], &number(account)].concat())
    }

    pub(super) fn holders_after(role: Role, after: Option<u64>) -> (Bound<Self>, Bound<Self>) {
        let of = |number| match role {
            Role::Member => Self::holder(AccountNumber::Member(MemberNumber(number))),
            Role::Store => Self::holder(AccountNumber::Store(StoreNumber(number))),
        };
        let begin = after.map_or_else(|| Bound::Included(of(0)), |after| Bound::Excluded(of(after)));
        (begin, Bound::Included(of(u64::MAX)))
    }

    pub(super) fn keys_of(account: AccountNumber) -> Self {
        Self([&b"k"[..], &number(account)].concat())
    }

    pub(super) fn event(account: AccountNumber, entry: EntryNumber, role: KeyRole) -> Self {
        Self([&b"k"[..], &number(account), &entry.0.to_be_bytes(), &[role as u8]].concat())
    }

    pub(super) fn keys_after(after: Option<(AccountNumber, EntryNumber)>) -> (Bound<Self>, Bound<Self>) {
        let begin = after.map_or_else(
            || Bound::Included(Self(b"k".to_vec())),
            |(account, entry)| {
                Bound::Excluded(Self(
                    [&b"k"[..], &number(account), &entry.0.to_be_bytes(), &[u8::MAX]].concat(),
                ))
            },
        );
        (begin, Bound::Excluded(Self(b"l".to_vec())))
    }

    pub(super) fn day(day: Date, store: Option<StoreNumber>, kind: EntryKind) -> Self {
        let store = store.map_or(0, |store| store.0.saturating_add(1));
        Self([&b"d"[..], &ordinal(day).to_be_bytes(), &store.to_be_bytes(), &[kind as u8]].concat())
    }

    pub(super) fn days(from: Date, to: Date) -> RangeInclusive<Self> {
        let end = [&b"d"[..], &ordinal(to).to_be_bytes(), &[u8::MAX; 9]].concat();
        Self([&b"d"[..], &ordinal(from).to_be_bytes()].concat())..=Self(end)
    }
}

/// Reads a row.
pub(super) fn read<T: DeserializeOwned>(db: &sled::Db, key: &Key) -> Result<Option<T>, RowError> {
    db.get(key)?.map(|bytes| decode(&bytes)).transpose()
}

/// Decodes a row.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RowError> {
    Ok(codec::decode("row of the registers", bytes, ROW)?)
}

fn number(account: AccountNumber) -> [u8; 9] {
    let (role, number) = match account {
        AccountNumber::Member(number) => (0, number.0),
        AccountNumber::Store(number) => (1, number.0),
    };
    let mut bytes = [role; 9];
    bytes[1..].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// `yyyymmdd`; years before 0 count as 0.
fn ordinal(day: Date) -> u32 {
    let part = |value: i16| u32::from(value.max(0).cast_unsigned());
    part(day.year()) * 10_000 + part(day.month().into()) * 100 + part(day.day().into())
}

/// A date as `yyyy-mm-dd`.
mod civil {
    use jiff::civil::Date;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
