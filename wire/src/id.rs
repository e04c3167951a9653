//! Digests and numbers.
//!
//! Numbers that people read, write down or say on the phone carry a check digit after Damm (H. M. Damm, *Total
//! anti-symmetrische Quasigruppen*, 2004): every single wrong digit and every swap of neighbours is noticed.
//! In human-readable formats (JSON, TOML) an id is its printed form; on the wire it is its fixed-width bytes.

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};

/// Words for an id that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not of the expected form; the expected form follows.
    #[error("“{0}” is not a {1}")]
    Form(String, &'static str),
    /// The check digit does not fit the number.
    #[error("“{0}” has a wrong digit: its check digit does not fit")]
    CheckDigit(String),
}

/// Makes a newtype of 32 bytes that prints as lower-case hex.
macro_rules! digest {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The first eight hex digits, for lists and logs.
            pub fn short(&self) -> String {
                self.to_string()[..8].to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER_PERMISSIVE.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let form = || IdError::Form(text.chars().take(80).collect(), $what);
                let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map_err(|_| form())?;
                Ok(Self(bytes.try_into().map_err(|_| form())?))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    $crate::id::quarters(&self.0).serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
                } else {
                    <[u64; 4]>::deserialize(deserializer).map(|quarters| Self($crate::id::joined(quarters)))
                }
            }
        }
    };
}
pub(crate) use digest;

/// 32 bytes as four numbers: with fixed-width little-endian integers they have the same encoding, which is then written
/// in four steps instead of 32.
pub(crate) fn quarters(bytes: &[u8; 32]) -> [u64; 4] {
    let (quarters, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|at| u64::from_le_bytes(quarters[at]))
}

/// The other way round.
pub(crate) fn joined(quarters: [u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (chunks, _) = bytes.as_chunks_mut::<8>();
    for (chunk, quarter) in chunks.iter_mut().zip(quarters) {
        *chunk = quarter.to_le_bytes();
    }
    bytes
}

digest!(
    /// A SHA-256 digest.
    Digest, "digest of 64 hex digits"
);
digest!(
    /// A center, named by its root key: `SHA-256("inkan/v1/center" ‖ root key)`.
    CenterId, "center id of 64 hex digits"
);
digest!(
    /// A telegram, named by the hash of its domain tag and signed bytes.
    TelegramId, "telegram id of 64 hex digits"
);
digest!(
    /// What binds an order without telling it: `SHA-256("inkan/v1/order" ‖ salt ‖ order bytes)`.
    OrderHash, "order hash of 64 hex digits"
);

impl Digest {
    /// SHA-256 over the parts, one after the other. The first part is a domain tag of fixed length per use, so
    /// that parts of varying length stand last.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

/// Makes a newtype of `u64` that prints as `P-000123-4`: prefix, at least six digits, check digit.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl $name {
            /// The number after this one.
            ///
            /// # Panics
            /// When 2⁶⁴ numbers have been given out.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.checked_add(1).expect("2^64 numbers are never given out"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Through one string, so that width and alignment in format strings work.
                let digits = format!("{:06}", self.0);
                f.pad(&format!("{}-{digits}-{}", $prefix, check_digit(&digits)))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_number(text, $prefix, $what).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
                } else {
                    u64::deserialize(deserializer).map(Self)
                }
            }
        }
    };
}

number!(
    /// A member's number.
    MemberNumber, "M", "member number like M-000001-3"
);
number!(
    /// A store's number.
    StoreNumber, "S", "store number like S-000001-3"
);
number!(
    /// A card's number.
    CardNumber, "C", "card number like C-000001-3"
);
number!(
    /// An entry's number in the journal, counted from 0. Printed, it is the *transaction number*: the same on
    /// receipt, notice, claim, payout report and console.
    EntryNumber, "T", "transaction number like T-000001-3"
);
number!(
    /// The number under which the center looks at an application to join.
    ApplicationNumber, "A", "application number like A-000001-3"
);

/// A member or a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AccountNumber {
    /// A general member.
    Member(MemberNumber),
    /// A store member.
    Store(StoreNumber),
}

impl AccountNumber {
    /// The role that this account plays.
    pub fn role(self) -> Role {
        match self {
            Self::Member(_) => Role::Member,
            Self::Store(_) => Role::Store,
        }
    }
}

impl fmt::Display for AccountNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(number) => number.fmt(f),
            Self::Store(number) => number.fmt(f),
        }
    }
}

impl FromStr for AccountNumber {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.trim_start().starts_with(['S', 's']) {
            text.parse().map(Self::Store)
        } else {
            text.parse().map(Self::Member)
        }
    }
}

/// The two kinds of account holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A general member: buys.
    Member,
    /// A store member: sells.
    Store,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Member => "member",
            Self::Store => "store",
        })
    }
}

/// Sixteen random bytes that make a telegram unlike every other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Nonce(pub [u8; 16]);

impl Nonce {
    /// A fresh nonce from the operating system.
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        crate::key::random(&mut bytes);
        Self(bytes)
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({})", HEXLOWER_PERMISSIVE.encode(&self.0[..4]))
    }
}

/// Thirty-two random bytes that hide what a hash binds.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salt(pub [u8; 32]);

impl Salt {
    /// A fresh salt from the operating system.
    pub fn random() -> Self {
        let mut bytes = [0; 32];
        crate::key::random(&mut bytes);
        Self(bytes)
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

fn parse_number(text: &str, prefix: &'static str, what: &'static str) -> Result<u64, IdError> {
    let shown = || text.trim().chars().take(40).collect::<String>();
    let compact: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let digits = match compact.get(..prefix.len()) {
        Some(head) if head.eq_ignore_ascii_case(prefix) => &compact[prefix.len()..],
        _ => compact.as_str(),
    };
    if digits.len() < 2 || digits.len() > 21 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(IdError::Form(shown(), what));
    }
    let (number, check) = digits.split_at(digits.len() - 1);
    if check_digit(number).to_string() != check {
        return Err(IdError::CheckDigit(shown()));
    }
    number.parse().map_err(|_| IdError::Form(shown(), what))
}

/// Damm's check digit over decimal digits; leading zeros do not change it.
fn check_digit(digits: &str) -> u8 {
    const TABLE: [[u8; 10]; 10] = [
        [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
        [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
        [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
        [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
        [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
        [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
        [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
        [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
        [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
        [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
    ];
    digits.bytes().fold(0, |interim, digit| TABLE[interim as usize][(digit - b'0') as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_and_parse() {
        assert_eq!(check_digit("572"), 4, "the example of Damm's thesis");
        let number = MemberNumber(572);
        assert_eq!(number.to_string(), "M-000572-4");
        for text in ["M-000572-4", "m 572 4", "5724", " M-5724 "] {
            assert_eq!(text.parse::<MemberNumber>(), Ok(number), "{text}");
        }
        assert_eq!(
            EntryNumber(u64::MAX).to_string().parse::<EntryNumber>(),
            Ok(EntryNumber(u64::MAX)),
            "the largest number survives printing"
        );
    }

    #[test]
    fn a_wrong_or_swapped_digit_is_noticed() {
        let good = "1234567".to_owned() + &check_digit("1234567").to_string();
        for at in 0..good.len() {
            for digit in b'0'..=b'9' {
                let mut bad = good.clone().into_bytes();
                if bad[at] == digit {
                    continue;
                }
                bad[at] = digit;
                let bad = String::from_utf8(bad).unwrap();
                assert!(bad.parse::<CardNumber>().is_err(), "{bad}");
            }
        }
        for at in 0..good.len() - 1 {
            let mut bad = good.clone().into_bytes();
            bad.swap(at, at + 1);
            let bad = String::from_utf8(bad).unwrap();
            assert!(bad == good || bad.parse::<CardNumber>().is_err(), "{bad}");
        }
    }

    #[test]
    fn foreign_text_is_refused_in_words() {
        assert_eq!(
            "hello".parse::<StoreNumber>().unwrap_err().to_string(),
            "“hello” is not a store number like S-000001-3"
        );
        assert!("M-000572-4".parse::<StoreNumber>().is_err(), "a member number is no store number");
        assert!("S-000001-7".parse::<StoreNumber>().unwrap_err().to_string().contains("check digit"));
    }

    #[test]
    fn readable_formats_get_the_printed_form() {
        assert_eq!(serde_json::to_string(&EntryNumber(1)).unwrap(), "\"T-000001-3\"");
        assert_eq!(crate::codec::encode(&EntryNumber(1)), [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(serde_json::to_string(&Digest([0xab; 32])).unwrap(), format!("\"{}\"", "ab".repeat(32)));
    }
}
