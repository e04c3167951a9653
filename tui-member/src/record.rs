//! What this program keeps in the vault: its own kinds of records, from 100 up.
//!
//! A record's content is a version of two bytes, little endian, and the encoded value. Every version that was ever
//! written stays decodable. Telegrams and the center's answers to them lie in the vault's outbox; [`Purpose`] and
//! [`Ending`] are what this program says in an item's note and outcome.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use vault::Draft;
use wire::{
    admission::{ApplicationView, Kit},
    amount::Currency,
    bounded::List,
    checkpoint::SignedCheckpoint,
    codec::{self, Malformed},
    id::{AccountNumber, Digest, EntryNumber, OrderHash, Salt, StoreNumber},
    key::{SigningKey, VerificationKey},
    limits,
    message::{CardView, MailItem, Verdict},
    payload::{KeyEvent, KeyRole},
    receipt::Receipt,
    telegram::Telegram,
    text::{Line, Prose},
    till::PickUpCode,
    time::Timestamp,
};
use zeroize::Zeroize;

use crate::act::CartLine;

const VERSION: u16 = 1;

/// A record of this program.
#[derive(Debug, Clone)]
pub(crate) enum Record {
    /// What the center said about itself.
    Center(CenterSeen),
    /// The cards as the center listed them.
    Cards(CardsSeen),
    /// An order with its signed offer.
    Ordered(Ordered),
    /// A payment of an order by another copy of this vault.
    Adopted(Adopted),
    /// A verified piece of mail.
    Mail(MailItem),
    /// A file of an order is here, complete and with the right digest.
    Fetched(Fetched),
    /// The acknowledgement is signed.
    Acknowledged(Acknowledged),
    /// The store has the acknowledgement.
    Delivered(Delivered),
    /// Something the member must know, and the evidence for it.
    Notice(Notice),
    /// The cart.
    Cart(Vec<CartLine>),
    /// An application that is signed.
    Applying(Applying),
    /// How the application stands, as the center said.
    Applied(ApplicationView),
    /// The center did not take the newest application, in words.
    NotTaken(Prose),
    /// The newest admission kit, verified.
    Kit(Box<Kit>),
    /// A key that this vault did not make stands in the center's chain.
    KeyAlarm(KeyAlarm),
    /// The alarm with this digest was acknowledged.
    AlarmRead(Digest),
    /// The vault was brought back with the recovery phrase.
    Recovered(Recovered),
    /// Until when no money leaves the account, as the center said; none: it may leave.
    Held(Option<Timestamp>),
    /// The key under which a cashier's sale is taken up, kept before the store hears of it.
    TakingUp(TakingUp),
    /// A checkpoint that the center published for an hour, verified.
    Hour(SignedCheckpoint),
    /// The center contradicts itself; the evidence is an encoded [`wire::evidence::Evidence`].
    Contradiction(KeyAlarm),
    /// Receipts of entries that the center lost were handed in.
    HandedIn(HandedIn),
}

/// Receipts of entries that the center lost, and that it has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HandedIn {
    pub(crate) at: Timestamp,
    pub(crate) lost: Vec<Lost>,
}

/// An entry that the center lost. Its number is, or will be, another entry's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lost {
    pub(crate) entry: EntryNumber,
    /// The hash of its leaf.
    pub(crate) leaf: Digest,
    /// The entry that took its place.
    pub(crate) again: Option<EntryNumber>,
}

/// An application with all that travels beside it, kept before it is sent: the registration binds the same particulars
/// under the same salt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Applying {
    pub(crate) at: Timestamp,
    pub(crate) telegram: Telegram,
    /// The encoded particulars.
    pub(crate) particulars: Vec<u8>,
    pub(crate) salt: Salt,
}

/// What the owner has to know before anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyAlarm {
    pub(crate) at: Timestamp,
    pub(crate) words: Prose,
    /// The center's signed statement, as it came.
    pub(crate) evidence: Vec<u8>,
}

/// The account's chain of keys when the vault was brought back: what stands in it is not this vault's making, and known.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Recovered {
    pub(crate) at: Timestamp,
    pub(crate) account: AccountNumber,
    pub(crate) chain: List<KeyEvent, { limits::PAGE }>,
}

/// The center as a line showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CenterSeen {
    pub(crate) name: Line,
    pub(crate) currency: Currency,
    pub(crate) zone: Line,
    pub(crate) help: Line,
}

/// The cards at an instant of the center's clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CardsSeen {
    pub(crate) at: Timestamp,
    pub(crate) cards: List<CardView, { limits::PAGE }>,
}

/// The seed of a buyer key. It is wiped when dropped and has no `Debug` of its content.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Seed([u8; 32]);

impl Seed {
    pub(crate) fn of(key: &SigningKey) -> Self {
        Self(*key.seed())
    }

    pub(crate) fn key(&self) -> SigningKey {
        SigningKey::from_seed(&self.0)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// An order with its offer, kept before anything is paid: without buyer key and salt nobody gets the goods.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ordered {
    pub(crate) at: Timestamp,
    /// The exact bytes of the order.
    pub(crate) order: Vec<u8>,
    pub(crate) salt: Salt,
    pub(crate) buyer: Seed,
    /// The signed offer, verified.
    pub(crate) offer: Telegram,
    pub(crate) store_name: Line,
    /// The store's registered key when it offered.
    pub(crate) store_key: VerificationKey,
}

/// The key for a sale of a cashier: the store knows one buyer key for a code, so that whoever asks again after a crash must
/// come with the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TakingUp {
    pub(crate) at: Timestamp,
    pub(crate) store: StoreNumber,
    pub(crate) code: PickUpCode,
    pub(crate) buyer: Seed,
}

/// A settled payment that this vault did not sign.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Adopted {
    pub(crate) order: OrderHash,
    pub(crate) receipt: Receipt,
}

/// A file of an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fetched {
    pub(crate) order: OrderHash,
    pub(crate) line: u32,
    /// Its name below the profile's goods folder.
    pub(crate) file: String,
    pub(crate) at: Timestamp,
}

/// A signed acknowledgement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Acknowledged {
    pub(crate) order: OrderHash,
    pub(crate) delivery: Telegram,
}

/// The store's confirmation of the acknowledgement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Delivered {
    pub(crate) order: OrderHash,
    pub(crate) at: Timestamp,
}

/// Something the member must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) at: Timestamp,
    pub(crate) number: Option<EntryNumber>,
    pub(crate) words: Prose,
    pub(crate) alarm: bool,
    /// The bytes that prove it, as they came; empty where there are none.
    pub(crate) evidence: Vec<u8>,
}

/// What a telegram in the outbox is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    Registration,
    CardRequest,
    Payment { order: OrderHash },
    KeyChange { role: KeyRole },
    Revocation { role: KeyRole },
    KeyCancel,
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
    /// The record's kind in the vault.
    pub(crate) fn kind(&self) -> u16 {
        match self {
            Self::Center(_) => 100,
            Self::Cards(_) => 101,
            Self::Ordered(_) => 102,
            Self::Adopted(_) => 103,
            Self::Mail(_) => 104,
            Self::Fetched(_) => 105,
            Self::Acknowledged(_) => 106,
            Self::Delivered(_) => 107,
            Self::Notice(_) => 108,
            Self::Cart(_) => 109,
            Self::Applying(_) => 110,
            Self::Applied(_) => 111,
            Self::NotTaken(_) => 112,
            Self::Kit(_) => 113,
            Self::KeyAlarm(_) => 114,
            Self::AlarmRead(_) => 115,
            Self::Recovered(_) => 116,
            Self::Held(_) => 117,
            Self::TakingUp(_) => 118,
            Self::Hour(_) => 119,
            Self::Contradiction(_) => 120,
            Self::HandedIn(_) => 121,
        }
    }

    /// The record, ready to be appended.
    pub(crate) fn draft(&self) -> Result<Draft, vault::Error> {
        let kind = self.kind();
        match self {
            Self::Center(value) => Draft::new(kind, &(VERSION, value)),
            Self::Cards(value) => Draft::new(kind, &(VERSION, value)),
            Self::Ordered(value) => Draft::new(kind, &(VERSION, value)),
            Self::Adopted(value) => Draft::new(kind, &(VERSION, value)),
            Self::Mail(value) => Draft::new(kind, &(VERSION, value)),
            Self::Fetched(value) => Draft::new(kind, &(VERSION, value)),
            Self::Acknowledged(value) => Draft::new(kind, &(VERSION, value)),
            Self::Delivered(value) => Draft::new(kind, &(VERSION, value)),
            Self::Notice(value) => Draft::new(kind, &(VERSION, value)),
            Self::Cart(value) => Draft::new(kind, &(VERSION, value)),
            Self::Applying(value) => Draft::new(kind, &(VERSION, value)),
            Self::Applied(value) => Draft::new(kind, &(VERSION, value)),
            Self::NotTaken(value) => Draft::new(kind, &(VERSION, value)),
            Self::Kit(value) => Draft::new(kind, &(VERSION, value)),
            Self::KeyAlarm(value) => Draft::new(kind, &(VERSION, value)),
            Self::AlarmRead(value) => Draft::new(kind, &(VERSION, value)),
            Self::Recovered(value) => Draft::new(kind, &(VERSION, value)),
            Self::Held(value) => Draft::new(kind, &(VERSION, value)),
            Self::TakingUp(value) => Draft::new(kind, &(VERSION, value)),
            Self::Hour(value) => Draft::new(kind, &(VERSION, value)),
            Self::Contradiction(value) => Draft::new(kind, &(VERSION, value)),
            Self::HandedIn(value) => Draft::new(kind, &(VERSION, value)),
        }
    }

    /// The record of a kind and content; `None` for a kind that this program does not know, which a newer one wrote.
    pub(crate) fn decode(kind: u16, bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        Ok(Some(match kind {
            100 => Self::Center(value("center record", bytes)?),
            101 => Self::Cards(value("cards record", bytes)?),
            102 => Self::Ordered(value("order record", bytes)?),
            103 => Self::Adopted(value("record of another copy's payment", bytes)?),
            104 => Self::Mail(value("mail record", bytes)?),
            105 => Self::Fetched(value("goods record", bytes)?),
            106 => Self::Acknowledged(value("acknowledgement record", bytes)?),
            107 => Self::Delivered(value("delivery record", bytes)?),
            108 => Self::Notice(value("notice record", bytes)?),
            109 => Self::Cart(value("cart record", bytes)?),
            110 => Self::Applying(value("application record", bytes)?),
            111 => Self::Applied(value("record of an application's state", bytes)?),
            112 => Self::NotTaken(value("record of an application not taken", bytes)?),
            113 => Self::Kit(value("admission kit record", bytes)?),
            114 => Self::KeyAlarm(value("key alarm record", bytes)?),
            115 => Self::AlarmRead(value("acknowledgement of an alarm", bytes)?),
            116 => Self::Recovered(value("recovery record", bytes)?),
            117 => Self::Held(value("record of an account that is held", bytes)?),
            118 => Self::TakingUp(value("record of a sale being taken up", bytes)?),
            119 => Self::Hour(value("record of an hourly checkpoint", bytes)?),
            120 => Self::Contradiction(value("record of a contradiction", bytes)?),
            121 => Self::HandedIn(value("record of receipts handed in", bytes)?),
            _ => return Ok(None),
        }))
    }
}

impl Purpose {
    /// The note of an outbox item.
    pub(crate) fn encode(&self) -> Vec<u8> {
        versioned(self)
    }

    /// The purpose in a note.
    pub(crate) fn decode(note: &[u8]) -> Result<Self, Malformed> {
        value("purpose of a telegram", note)
    }

    /// A noun for lists.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::CardRequest => "card request",
            Self::Payment { .. } => "payment",
            Self::KeyChange { role: KeyRole::Signature } => "new signature key",
            Self::KeyChange { role: KeyRole::Terminal } => "new terminal key",
            Self::KeyChange { role: KeyRole::Recovery } => "new recovery key",
            Self::Revocation { role: KeyRole::Signature } => "signature key revoked",
            Self::Revocation { role: KeyRole::Terminal } => "terminal key revoked",
            Self::Revocation { role: KeyRole::Recovery } => "recovery key revoked",
            Self::KeyCancel => "key change cancelled",
        }
    }

    /// The order it pays.
    pub(crate) fn order(self) -> Option<OrderHash> {
        match self {
            Self::Payment { order } => Some(order),
            _ => None,
        }
    }
}

impl Ending {
    /// The outcome of an outbox item.
    pub(crate) fn encode(&self) -> Vec<u8> {
        versioned(self)
    }

    /// The ending in an outcome.
    pub(crate) fn decode(outcome: &[u8]) -> Result<Self, Malformed> {
        value("outcome of a telegram", outcome)
    }
}

fn versioned<T: Serialize>(value: &T) -> Vec<u8> {
    codec::encode(&(VERSION, value))
}

fn value<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, Malformed> {
    let (version, rest) =
        bytes.split_first_chunk::<2>().map_or((0, bytes), |(v, rest)| (u16::from_le_bytes(*v), rest));
    if version != VERSION {
        return Err(Malformed {
            what,
            why: format!("version {version}; this program knows version {VERSION}"),
        });
    }
    codec::decode(what, rest, vault::MAX_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_and_newer_ones_are_named() {
        let notice = Notice {
            at: Timestamp(5),
            number: None,
            words: Prose::default(),
            alarm: true,
            evidence: vec![1, 2],
        };
        let record = Record::Notice(notice.clone());
        let mut bytes = versioned(&notice);
        let Ok(Some(Record::Notice(found))) = Record::decode(record.kind(), &bytes) else {
            panic!("another record")
        };
        assert_eq!(found, notice);
        assert!(Record::decode(9_999, &bytes).unwrap().is_none());
        bytes[0] = 2;
        assert!(Record::decode(record.kind(), &bytes).unwrap_err().why.contains("version 2"));
    }

    #[test]
    fn a_buyer_key_never_prints() {
        let key = SigningKey::from_seed(&[7; 32]);
        assert_eq!(format!("{:?}", Seed::of(&key)), "Seed(..)");
        assert_eq!(Seed::of(&key).key().verification_key(), key.verification_key());
    }

    /// What lies in vaults already: these bytes must be read for ever.
    #[test]
    fn version_1_has_these_bytes() {
        let paid = Purpose::Payment { order: OrderHash([7; 32]) };
        let mut bytes = vec![1, 0, 2, 0, 0, 0];
        bytes.extend([7; 32]);
        assert_eq!(paid.encode(), bytes);
        assert_eq!(Purpose::decode(&bytes).unwrap(), paid);
        let change = Purpose::KeyChange { role: KeyRole::Terminal };
        assert_eq!(change.encode(), [1, 0, 3, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(Purpose::KeyCancel.encode(), [1, 0, 5, 0, 0, 0]);
        let read = Record::decode(115, &[&[1, 0][..], &[8; 32]].concat()).unwrap();
        assert!(matches!(read, Some(Record::AlarmRead(digest)) if digest == Digest([8; 32])), "{read:?}");
        let held = Record::decode(117, &[1, 0, 1, 2, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        assert!(matches!(held, Some(Record::Held(Some(Timestamp(0x0102))))), "{held:?}");
        assert_eq!(Ending::Verdict(Verdict::Expired).encode(), [1, 0, 0, 0, 0, 0, 3, 0, 0, 0]);
        let delivered = Delivered { order: OrderHash([9; 32]), at: Timestamp(0x0102) };
        let mut bytes = vec![1, 0];
        bytes.extend([9; 32]);
        bytes.extend([2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(versioned(&delivered), bytes);
        let Ok(Some(Record::Delivered(found))) = Record::decode(107, &bytes) else {
            panic!("another record")
        };
        assert_eq!((found.order, found.at), (delivered.order, delivered.at));
    }
}
