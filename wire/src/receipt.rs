//! Receipts and payment notices: evidence that verifies offline.
//!
//! A [`Leaf`] of the center's tree is short: entry number, time, kind, and a salted hash each of what the member,
//! the store and the center itself may see. A receipt opens one of the three with its own salt and proves that the
//! leaf stands in the tree that a checkpoint signs; about the other two it tells nothing.

pub mod file;
mod words;

use std::fmt;

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{
    amount::Amount,
    bounded::{Bytes, List},
    checkpoint::SignedCheckpoint,
    codec::{self, Malformed},
    id::{AccountNumber, CardNumber, Digest, EntryNumber, MemberNumber, OrderHash, StoreNumber, TelegramId},
    key::VerificationKey,
    limits, merkle,
    message::Refusal,
    payload::{KeyRole, RefundReason},
    sheet::KeySheet,
    telegram::Telegram,
    time::Timestamp,
};

/// What an entry is about; the number stands in its leaf. Variants are only ever appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// The center was founded: its settings.
    Founding,
    /// A key sheet came into force.
    KeySheet,
    /// An operator was added or changed.
    Operator,
    /// A setting was changed.
    Setting,
    /// A member or store was entered in the registers.
    Registration,
    /// A key of an account was changed.
    KeyChange,
    /// A member asked for a card.
    CardRequest,
    /// Money came in at the bank.
    BankCredit,
    /// A payment from a card to a store.
    Payment,
    /// A telegram id was entered as never to be paid.
    Void,
    /// A payment was given back.
    Refund,
    /// A store claimed.
    Claim,
    /// A transfer to a bank account was intended.
    Payout,
    /// The bank confirmed a transfer, or said it failed.
    PayoutResult,
    /// An operator settled something on the bank desk.
    DeskAct,
    /// A card or account was frozen or released.
    Standing,
    /// A time-out the desk made: a card request lapsed.
    Lapse,
    /// An applicant was admitted, refused or asked back, or got a new code.
    Admission,
    /// A mail was accepted, a letter printed, or either given up.
    Post,
    /// An operator proposed an act that takes another's confirmation, or it was dropped.
    Proposal,
    /// Personal data was shown to an operator, handed out, or erased.
    Disclosure,
    /// A store certified a cashier, or took the rights away.
    Cashier,
}

impl EntryKind {
    /// A noun for lists.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Founding => "founding",
            Self::KeySheet => "key sheet",
            Self::Operator => "operator",
            Self::Setting => "setting",
            Self::Registration => "registration",
            Self::KeyChange => "key change",
            Self::CardRequest => "card request",
            Self::BankCredit => "bank credit",
            Self::Payment => "payment",
            Self::Void => "void",
            Self::Refund => "refund",
            Self::Claim => "claim",
            Self::Payout => "payout",
            Self::PayoutResult => "payout result",
            Self::DeskAct => "desk act",
            Self::Standing => "standing",
            Self::Lapse => "lapse",
            Self::Admission => "admission",
            Self::Post => "post",
            Self::Proposal => "proposal",
            Self::Disclosure => "disclosure",
            Self::Cashier => "cashier",
        }
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.noun())
    }
}

/// What the tree holds of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// The entry's number; the leaf's index in the tree.
    pub entry: EntryNumber,
    /// The entry's time.
    pub at: Timestamp,
    /// What it is about.
    pub kind: EntryKind,
    /// [`part_hash`] of the member's part.
    pub member: Digest,
    /// [`part_hash`] of the store's part.
    pub store: Digest,
    /// [`part_hash`] of everything else.
    pub center: Digest,
}

impl Leaf {
    /// The leaf's hash in the tree (RFC 6962).
    pub fn hash(&self) -> Digest {
        merkle::leaf_hash(&codec::encode(self))
    }
}

/// The three parts of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// What the member may see.
    Member,
    /// What the store may see.
    Store,
    /// Everything else.
    Center,
}

/// The salt of one part, from the entry's random seed: HKDF-SHA-256 (RFC 5869) with info `inkan/v1/part/<side>`.
pub fn part_salt(seed: &[u8; 16], side: Side) -> [u8; 32] {
    let [member, store, center] = part_salts(seed);
    match side {
        Side::Member => member,
        Side::Store => store,
        Side::Center => center,
    }
}

/// The salts of the member's, the store's and the center's part, as [`part_salt`] tells each; the three share what HKDF
/// extracts from the seed.
pub fn part_salts(seed: &[u8; 16]) -> [[u8; 32]; 3] {
    let extracted = Hkdf::<Sha256>::new(None, seed);
    [&b"inkan/v1/part/member"[..], b"inkan/v1/part/store", b"inkan/v1/part/center"].map(|info| {
        let mut salt = [0; 32];
        extracted.expand(info, &mut salt).expect("32 bytes are within HKDF's output limit");
        salt
    })
}

/// `SHA-256("inkan/v1/part" ‖ salt ‖ part bytes)`.
pub fn part_hash(salt: &[u8; 32], part: &[u8]) -> Digest {
    Digest::of(&[b"inkan/v1/part", salt, part])
}

/// What a member learns from an entry. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemberPart {
    /// The entry does not concern a member.
    Nothing,
    /// Entered in the member register.
    Registered {
        /// The number.
        member: MemberNumber,
        /// The registered key.
        key: VerificationKey,
    },
    /// A key was changed.
    KeyChanged {
        /// Which.
        role: KeyRole,
        /// The key now in force.
        key: Option<VerificationKey>,
    },
    /// A card was asked for; it will be issued when the money is there.
    CardRequested {
        /// The telegram.
        telegram: TelegramId,
        /// How much.
        amount: Amount,
    },
    /// A card was issued.
    CardIssued {
        /// The card.
        card: CardNumber,
        /// The entry of the request.
        request: EntryNumber,
        /// What it holds.
        amount: Amount,
    },
    /// A payment was settled.
    Paid {
        /// The telegram.
        telegram: TelegramId,
        /// The card that paid.
        card: CardNumber,
        /// The store.
        store: StoreNumber,
        /// The signed offer's digest.
        offer: Digest,
        /// The order.
        order: OrderHash,
        /// How much.
        total: Amount,
        /// What the card holds afterwards.
        balance: Amount,
    },
    /// A telegram was refused.
    Refused {
        /// The telegram.
        telegram: TelegramId,
        /// Why.
        reason: Refusal,
    },
    /// A telegram can never be paid.
    Voided {
        /// The telegram.
        telegram: TelegramId,
    },
    /// A payment came back.
    Refunded {
        /// The payment's entry.
        payment: EntryNumber,
        /// The card.
        card: CardNumber,
        /// How much.
        amount: Amount,
        /// Why.
        reason: RefundReason,
        /// What the card holds afterwards.
        balance: Amount,
    },
    /// A card request lapsed: the money did not come in time.
    CardLapsed {
        /// The entry of the request.
        request: EntryNumber,
    },
    /// A new recovery key waits until it is in force.
    KeyChangeWaits {
        /// The new key.
        key: VerificationKey,
        /// In force from then on.
        from: Timestamp,
    },
    /// A recovery key that waited never comes into force.
    KeyChangeCancelled {
        /// The entry of the change.
        change: EntryNumber,
    },
}

/// What a store learns from an entry. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StorePart {
    /// The entry does not concern a store.
    Nothing,
    /// Entered in the store register.
    Registered {
        /// The number.
        store: StoreNumber,
        /// The registered key.
        key: VerificationKey,
    },
    /// A key was changed.
    KeyChanged {
        /// Which.
        role: KeyRole,
        /// The key now in force.
        key: Option<VerificationKey>,
    },
    /// An order was paid.
    Paid {
        /// The signed offer's digest.
        offer: Digest,
        /// The order.
        order: OrderHash,
        /// How much.
        total: Amount,
    },
    /// A payment was given back.
    Refunded {
        /// The telegram.
        telegram: TelegramId,
        /// The payment's entry.
        payment: EntryNumber,
        /// How much.
        amount: Amount,
        /// Why.
        reason: RefundReason,
    },
    /// A claim was accepted.
    Claimed {
        /// The telegram.
        telegram: TelegramId,
        /// The payments.
        payments: List<EntryNumber, { limits::CLAIM_ITEMS }>,
        /// Their sum.
        total: Amount,
    },
    /// A telegram was refused.
    Refused {
        /// The telegram.
        telegram: TelegramId,
        /// Why.
        reason: Refusal,
    },
    /// A telegram can never be entered.
    Voided {
        /// The telegram.
        telegram: TelegramId,
    },
    /// The claim's money is on its way, has arrived, or came back.
    Payout {
        /// The claim's entry.
        claim: EntryNumber,
        /// How much.
        amount: Amount,
        /// How it stands.
        state: PayoutState,
    },
    /// A new recovery key waits until it is in force.
    KeyChangeWaits {
        /// The new key.
        key: VerificationKey,
        /// In force from then on.
        from: Timestamp,
    },
    /// A recovery key that waited never comes into force.
    KeyChangeCancelled {
        /// The entry of the change.
        change: EntryNumber,
    },
    /// A cashier was certified, its rights changed, or taken away.
    CashierChanged {
        /// The telegram.
        telegram: TelegramId,
        /// The cashier's terminal key.
        key: VerificationKey,
        /// Whether it may do anything now.
        in_force: bool,
    },
    /// The center gave a payment back.
    RefundedByCenter {
        /// The payment's entry.
        payment: EntryNumber,
        /// How much.
        amount: Amount,
    },
}

/// How a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PayoutState {
    /// Handed to the bank.
    InTransit,
    /// The bank confirmed it.
    Paid,
    /// The bank rejected it; the money is claimable again.
    Failed,
}

/// Evidence for one entry: leaf, opened part, inclusion proof, checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The leaf.
    pub leaf: Leaf,
    /// Which part is opened.
    pub side: Side,
    /// The part's salt.
    pub salt: [u8; 32],
    /// The part, as it was hashed.
    pub part: Bytes<{ limits::TELEGRAM }>,
    /// The inclusion proof (RFC 6962), from the leaf upwards.
    pub proof: List<Digest, 64>,
    /// The checkpoint.
    pub checkpoint: SignedCheckpoint,
}

/// One thing that was looked at, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// What was found, or what is wrong, in words.
    pub outcome: Result<String, String>,
}

impl Receipt {
    /// The opened part, as a member's.
    pub fn member_part(&self) -> Result<MemberPart, Malformed> {
        codec::decode("member part", &self.part, limits::TELEGRAM)
    }

    /// The opened part, as a store's.
    pub fn store_part(&self) -> Result<StorePart, Malformed> {
        codec::decode("store part", &self.part, limits::TELEGRAM)
    }

    /// Looks at everything that makes this evidence, under a pinned root key; each check is named. It is evidence
    /// only if every outcome is `Ok`.
    pub fn checks(&self, sheet: &Telegram, root: &VerificationKey) -> Vec<Check> {
        let verified = KeySheet::verify(sheet, root);
        let mut checks = vec![Check {
            name: "key sheet",
            outcome: match &verified {
                Ok(sheet) => {
                    Ok(format!("sheet {} is signed by the root key {}", sheet.number, root.fingerprint()))
                }
                Err(error) => Err(error.to_string()),
            },
        }];
        checks.push(Check {
            name: "leaf",
            outcome: if file::kind_fits(self) {
                Ok(format!("{} is a {}, which is what the part shown says", self.leaf.entry, self.leaf.kind))
            } else {
                Err(format!("{} is a {}, and the part shown says otherwise", self.leaf.entry, self.leaf.kind))
            },
        });
        let opened = part_hash(&self.salt, &self.part);
        let expected = match self.side {
            Side::Member => self.leaf.member,
            Side::Store => self.leaf.store,
            Side::Center => self.leaf.center,
        };
        checks.push(Check {
            name: "opened part",
            outcome: if opened == expected {
                Ok("the part shown is the one the leaf binds".into())
            } else {
                Err("the part shown is not the one the leaf binds".into())
            },
        });
        let checkpoint =
            verified.map_err(|_| "no key sheet to verify it under".to_owned()).and_then(|sheet| {
                let key = sheet.signer_of(self.checkpoint.claimed())?;
                self.checkpoint.verify(&key).map_err(|error| error.to_string())
            });
        checks.push(Check {
            name: "checkpoint",
            outcome: match &checkpoint {
                Ok(checkpoint) => Ok(format!("the center signed the journal at {} entries", checkpoint.size)),
                Err(error) => Err(error.clone()),
            },
        });
        checks.push(Check {
            name: "proof",
            outcome: checkpoint.map_err(|_| "no checkpoint to prove it against".to_owned()).and_then(
                |checkpoint| {
                    merkle::verify_inclusion(
                        &self.leaf.hash(),
                        self.leaf.entry.0,
                        checkpoint.size,
                        &self.proof,
                        &checkpoint.root,
                    )
                    .map(|()| format!("{} stands in that journal", self.leaf.entry))
                    .map_err(|error| error.to_string())
                },
            ),
        });
        checks
    }

    /// Whether every check holds.
    ///
    /// # Errors
    /// The first check that does not hold, in words.
    pub fn verify(&self, sheet: &Telegram, root: &VerificationKey) -> Result<(), String> {
        self.checks(sheet, root)
            .into_iter()
            .find_map(|check| check.outcome.err().map(|error| format!("{}: {error}", check.name)))
            .map_or(Ok(()), Err)
    }
}

/// Whether an opened part concerns this account at all.
pub fn side_of(account: AccountNumber) -> Side {
    match account {
        AccountNumber::Member(_) => Side::Member,
        AccountNumber::Store(_) => Side::Store,
    }
}
