//! What this program keeps in the vault: its own kinds of records, from 100 up.
//!
//! A record's content is a version of two bytes, little endian, and the encoded value. Every version that was ever
//! written stays decodable. Telegrams and the center's answers to them lie in the vault's outbox; [`Purpose`] and
//! [`Ending`] are what this program says in an item's note and outcome.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use vault::Draft;
use wire::{
    admission::{ApplicationView, ApplyCall, Kit},
    amount::Currency,
    checkpoint::SignedCheckpoint,
    codec::{self, Malformed},
    id::{AccountNumber, Digest, EntryNumber, OrderHash, Salt, StoreNumber},
    key::VerificationKey,
    message::{MailItem, Verdict},
    payload::{KeyEvent, KeyRole},
    receipt::Receipt,
    telegram::Telegram,
    text::{Line, Prose},
    till::PickUpCode,
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
    /// An application that is signed.
    Applying(Box<Applying>),
    /// How the application stands, as the center said.
    Application(ApplicationView),
    /// The center did not take the newest application, in words.
    NotTaken(Prose),
    /// The newest admission kit, verified.
    Kit(Box<Kit>),
    /// The terms of use were read and accepted.
    Accepted(Accepted),
    /// The store's chain of keys as the center stated it and this terminal believed it, or its owner acknowledged it.
    Chain(Vec<KeyEvent>),
    /// A chain of keys with events that this terminal did not make, and the center's signed statement of it; nobody has
    /// acknowledged it yet.
    Strange(Strange),
    /// The vault was made from the recovery phrase alone, for this account.
    Restored(Restored),
    /// A checkpoint that the center published for an hour, verified.
    Hour(SignedCheckpoint),
    /// The center contradicts itself; the evidence is an encoded [`wire::evidence::Evidence`].
    Contradiction(Notice),
    /// The contradiction with this [`wire::evidence::Evidence::digest`] was acknowledged.
    ContradictionRead(Digest),
    /// Receipts of entries that the center lost were handed in.
    HandedIn(HandedIn),
    /// What a cashier did at its terminal.
    AtTill(AtTill),
    /// What a cashier sold, before any buyer has taken it up.
    Sold(Box<Sold>),
}

/// Receipts of entries that the center lost, and that it has taken. From here on the numbers are other entries'.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HandedIn {
    pub(crate) at: Timestamp,
    /// Each with the entry that took its place.
    pub(crate) lost: Vec<(EntryNumber, Option<EntryNumber>)>,
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

/// The terms of use were read and accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Accepted {
    pub(crate) at: Timestamp,
    /// [`wire::admission::Terms::hash`].
    pub(crate) terms: Digest,
}

/// An application with all that travels beside it, kept before it is sent: the registration binds the same particulars
/// under the same salt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Applying {
    pub(crate) at: Timestamp,
    /// The name that the store will trade under.
    pub(crate) trade_name: Line,
    /// The account whose lost terminal is to be replaced.
    pub(crate) replaces: Option<AccountNumber>,
    pub(crate) call: ApplyCall,
}

/// A chain of keys that is not only this terminal's making.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Strange {
    pub(crate) at: Timestamp,
    pub(crate) chain: Vec<KeyEvent>,
    /// The center's signed [`wire::payload::ChainHead`].
    pub(crate) head: Telegram,
}

/// A vault made from the recovery phrase alone: the registration is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Restored {
    pub(crate) at: Timestamp,
    pub(crate) store: StoreNumber,
    /// The name that the directory shows.
    pub(crate) name: Line,
}

/// What a cashier did at its terminal, besides giving payments back, which its telegrams say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AtTill {
    pub(crate) at: Timestamp,
    /// The cashier's terminal key.
    pub(crate) by: VerificationKey,
    pub(crate) did: Did,
}

/// An order that a cashier made. The offer is made for the buyer key that comes with the code; the buyer's order is then
/// [`Taken`], with the same bytes and salt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sold {
    pub(crate) at: Timestamp,
    /// The cashier's terminal key.
    pub(crate) by: VerificationKey,
    /// The exact bytes of the order, which are its one encoding.
    pub(crate) order: Vec<u8>,
    pub(crate) salt: Salt,
    pub(crate) code: PickUpCode,
    /// Until when it can be taken up, and its offer paid.
    pub(crate) expires: Timestamp,
}

/// What a cashier did. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Did {
    /// It made an offer for a buyer at the counter.
    Offered(OrderHash),
    /// It put the goods of a paid order out for its buyer, again.
    Delivered(OrderHash),
    /// It stopped or resumed the sale of an item.
    Paused { item: Line, paused: bool },
}

/// What a telegram in the outbox is for. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    Registration {
        trade_name: Line,
    },
    Refund,
    Claim,
    KeyChange {
        role: KeyRole,
    },
    KeyCancel,
    /// A cashier's rights; the certificate of its terminal key, where it is given some.
    Cashier {
        certificate: Option<Telegram>,
    },
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
            Self::Applying(value) => Draft::new(106, &(VERSION, value)),
            Self::Application(value) => Draft::new(107, &(VERSION, value)),
            Self::NotTaken(value) => Draft::new(108, &(VERSION, value)),
            Self::Kit(value) => Draft::new(109, &(VERSION, value)),
            Self::Accepted(value) => Draft::new(110, &(VERSION, value)),
            Self::Chain(value) => Draft::new(111, &(VERSION, value)),
            Self::Strange(value) => Draft::new(112, &(VERSION, value)),
            Self::Restored(value) => Draft::new(113, &(VERSION, value)),
            Self::Hour(value) => Draft::new(114, &(VERSION, value)),
            Self::Contradiction(value) => Draft::new(115, &(VERSION, value)),
            Self::ContradictionRead(value) => Draft::new(116, &(VERSION, value)),
            Self::HandedIn(value) => Draft::new(117, &(VERSION, value)),
            Self::AtTill(value) => Draft::new(150, &(VERSION, value)),
            Self::Sold(value) => Draft::new(151, &(VERSION, value)),
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
            106 => value("application", bytes).map(Self::Applying),
            107 => value("state of an application", bytes).map(Self::Application),
            108 => value("application not taken", bytes).map(Self::NotTaken),
            109 => value("admission kit", bytes).map(Self::Kit),
            110 => value("acceptance of the terms", bytes).map(Self::Accepted),
            111 => value("chain of keys", bytes).map(Self::Chain),
            112 => value("strange chain of keys", bytes).map(Self::Strange),
            113 => value("restored store", bytes).map(Self::Restored),
            114 => value("hourly checkpoint", bytes).map(Self::Hour),
            115 => value("contradiction", bytes).map(Self::Contradiction),
            116 => value("acknowledgement of a contradiction", bytes).map(Self::ContradictionRead),
            117 => value("record of receipts handed in", bytes).map(Self::HandedIn),
            150 => value("act of a cashier", bytes).map(Self::AtTill),
            151 => value("sale of a cashier", bytes).map(Self::Sold),
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
