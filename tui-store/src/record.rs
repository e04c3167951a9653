//! What this program keeps in the vault: its own kinds of records, from 100 up.
//!
//! A record's content is a version of two bytes, little endian, and the encoded value. Every version that was ever
//! written stays decodable. Telegrams and the center's answers to them lie in the vault's outbox; [`Purpose`] and
//! [`Ending`] are what this program says in an item's note and outcome.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use vault::Draft;
use wire::{
    amount::Currency,
    codec::{self, Malformed},
    id::{AccountNumber, EntryNumber, OrderHash, Salt},
    key::VerificationKey,
    message::{MailItem, Verdict},
    receipt::Receipt,
    telegram::Telegram,
    text::{Line, Prose},
    time::Timestamp,
};

const VERSION: u16 = 1;

/// A record of this program.
#[derive(Debug, Clone)]
pub(crate) enum Record {
    /// What the center said about itself.
    Center(CenterSeen),
    /// An order with the offer that was made for it.
    Taken(Taken),
    /// A verified piece of mail.
    Mail(Box<MailItem>),
    /// The buyer's acknowledgement.
    Delivered(Delivered),
    /// An order that cannot be delivered.
    Undeliverable(Undeliverable),
    /// Something the store must know, and the evidence for it.
    Notice(Notice),
}

/// The center as a line showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CenterSeen {
    pub(crate) name: Line,
    pub(crate) currency: Currency,
    pub(crate) zone: Line,
    pub(crate) help: Line,
}

/// An order with its offer, kept before the offer is handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Taken {
    pub(crate) at: Timestamp,
    /// The exact bytes of the order.
    pub(crate) order: Vec<u8>,
    pub(crate) salt: Salt,
    pub(crate) buyer_key: VerificationKey,
    /// The signed offer.
    pub(crate) offer: Telegram,
}

/// The buyer signed for the goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivered {
    pub(crate) at: Timestamp,
    pub(crate) order: OrderHash,
    pub(crate) delivery: Telegram,
}

/// The goods of an order are not on the shelf any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Undeliverable {
    pub(crate) at: Timestamp,
    pub(crate) order: OrderHash,
    pub(crate) why: Line,
}

/// Something the store must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) at: Timestamp,
    pub(crate) words: Prose,
    /// The bytes that prove it, as they came; empty where there are none.
    pub(crate) evidence: Vec<u8>,
}

/// What a telegram in the outbox is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    Registration { trade_name: Line },
    Refund,
    Claim,
}

/// What ended a telegram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ending {
    /// The center's verified verdict.
    Verdict(Verdict),
    /// The center's verified answer to a registration.
    Registered { account: AccountNumber, entry: EntryNumber, receipt: Receipt },
    /// The center said of a registration that it is not acceptable and was not entered.
    NotEntered { words: Prose },
}

/// What travels beside a registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RegistrationBeside {
    pub(crate) certificate: Telegram,
    pub(crate) particulars: Vec<u8>,
    pub(crate) salt: Salt,
}

impl Record {
    /// The record, ready to be appended.
    pub(crate) fn draft(&self) -> Result<Draft, vault::Error> {
        match self {
            Self::Center(value) => Draft::new(100, &(VERSION, value)),
            Self::Taken(value) => Draft::new(101, &(VERSION, value)),
            Self::Mail(value) => Draft::new(102, &(VERSION, value)),
            Self::Delivered(value) => Draft::new(103, &(VERSION, value)),
            Self::Undeliverable(value) => Draft::new(104, &(VERSION, value)),
            Self::Notice(value) => Draft::new(105, &(VERSION, value)),
        }
    }

    /// Reads a record of the vault.
    pub(crate) fn read(record: &vault::Record) -> Result<Self, Malformed> {
        let bytes = &record.bytes;
        match record.kind {
            100 => value("center", bytes).map(Self::Center),
            101 => value("order", bytes).map(Self::Taken),
            102 => value("mail", bytes).map(Self::Mail),
            103 => value("delivery", bytes).map(Self::Delivered),
            104 => value("undeliverable order", bytes).map(Self::Undeliverable),
            105 => value("notice", bytes).map(Self::Notice),
            kind => Err(Malformed {
                what: "record",
                why: format!("its kind {kind} is unknown; use a newer program"),
            }),
        }
    }
}

/// A note or outcome of an outbox item, as bytes.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    codec::encode(&(VERSION, value))
}

/// A note or outcome of an outbox item.
pub(crate) fn value<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, Malformed> {
    let (version, rest) = bytes
        .split_first_chunk::<2>()
        .ok_or_else(|| Malformed { what, why: "it ends before its version".into() })?;
    match u16::from_le_bytes(*version) {
        VERSION => codec::decode(what, rest, vault::MAX_CONTENT),
        newer => Err(Malformed { what, why: format!("version {newer} needs a newer program") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_kinds_are_fixed_and_foreign_ones_are_named() {
        let notice = Notice { at: Timestamp(5), words: Prose::new("w").unwrap(), evidence: vec![7] };
        let bytes = encode(&notice);
        assert_eq!(bytes[..10], [1, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(value::<Notice>("notice", &bytes), Ok(notice));
        let newer = [&[2, 0], &bytes[2..]].concat();
        assert!(value::<Notice>("notice", &newer).unwrap_err().why.contains("newer program"));
        assert!(value::<Notice>("notice", &[1]).is_err());
    }
}
