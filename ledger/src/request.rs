//! What can be asked of the books.

use serde::{Deserialize, Serialize};
use wire::{
    amount::{Amount, Currency},
    id::{
        AccountNumber, CardNumber, CenterId, Digest, EntryNumber, MemberNumber, OrderHash, Role, StoreNumber,
        TelegramId,
    },
    key::VerificationKey,
    payload::{Funding, KeyRole, RefundReason},
    time::Timestamp,
};

/// What can be asked. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// The center is founded. The first entry, and only the first.
    Found(Settings),
    /// A key sheet comes into force.
    Sheet {
        /// Its number.
        number: u64,
        /// The digest of the signed sheet.
        digest: Digest,
    },
    /// An operator is added or changed.
    Operator {
        /// The operator's name.
        name: String,
        /// The role; `None` takes the operator off.
        role: Option<OperatorRole>,
        /// Who did it; `None` at the founding.
        by: Option<String>,
    },
    /// A newcomer registers.
    Register(Registration),
    /// An account's key is changed.
    ChangeKey(KeyChange),
    /// A member asks for a card.
    RequestCard(CardRequest),
    /// Money came in at the bank.
    Credit(Credit),
    /// A member pays a store.
    Pay(Payment),
    /// A telegram that has not been seen shall never be entered.
    Void(Void),
    /// A store gives a payment back.
    Refund(Refund),
    /// A store claims payments.
    Claim(Claim),
    /// The desk intends the bank transfer for an accepted claim.
    PayClaim {
        /// The claim's entry.
        claim: EntryNumber,
    },
    /// The bank said what became of a transfer.
    PayoutResult {
        /// The payout's entry.
        payout: EntryNumber,
        /// What became of it.
        result: TransferResult,
    },
    /// An operator settles an unmatched bank receipt by issuing the card that was asked for, with what came in.
    AssignReceipt {
        /// The operator.
        by: String,
        /// The receipt's entry.
        receipt: EntryNumber,
        /// The card request's entry.
        request: EntryNumber,
    },
    /// An operator sends an unmatched bank receipt back.
    ReturnReceipt {
        /// The operator.
        by: String,
        /// The receipt's entry.
        receipt: EntryNumber,
    },
    /// An operator freezes or releases a card or an account.
    Standing {
        /// The operator.
        by: String,
        /// What.
        of: Standing,
        /// Whether it is frozen from now on.
        frozen: bool,
        /// Why.
        reason: String,
    },
    /// The desk lets a card request lapse whose time is over.
    Lapse {
        /// The request's entry.
        request: EntryNumber,
    },
}

/// What every request that came as a telegram has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// Its telegram.
    pub telegram: TelegramId,
    /// The account that signed it; a newcomer has none yet.
    pub account: Option<AccountNumber>,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

impl Request {
    /// The telegram it came as, if it came as one.
    pub fn signed(&self) -> Option<Signed> {
        let signed = |telegram, account, valid_until| Some(Signed { telegram, account, valid_until });
        let member = |number| Some(AccountNumber::Member(number));
        let store = |number| Some(AccountNumber::Store(number));
        match self {
            Self::Register(it) => signed(it.telegram, None, it.valid_until),
            Self::ChangeKey(it) => signed(it.telegram, Some(it.account), it.valid_until),
            Self::RequestCard(it) => signed(it.telegram, member(it.member), it.valid_until),
            Self::Pay(it) => signed(it.telegram, member(it.member), it.valid_until),
            Self::Void(it) => signed(it.telegram, Some(it.account), it.valid_until),
            Self::Refund(it) => signed(it.telegram, store(it.store), it.valid_until),
            Self::Claim(it) => signed(it.telegram, store(it.store), it.valid_until),
            Self::Found(_)
            | Self::Sheet { .. }
            | Self::Operator { .. }
            | Self::Credit(_)
            | Self::PayClaim { .. }
            | Self::PayoutResult { .. }
            | Self::AssignReceipt { .. }
            | Self::ReturnReceipt { .. }
            | Self::Standing { .. }
            | Self::Lapse { .. } => None,
        }
    }
}

/// What is fixed at the founding, and the limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The center.
    pub center: CenterId,
    /// Its name.
    pub name: String,
    /// Its currency.
    pub currency: Currency,
    /// Its time zone (IANA).
    pub zone: String,
    /// Minutes after local midnight at which a business day ends; 1440 is midnight.
    pub day_end: u16,
    /// The least a card can be loaded with.
    pub card_least: Amount,
    /// The most a card can be loaded with.
    pub card_most: Amount,
    /// How long a card request waits for its money, in milliseconds.
    pub funding_ms: u64,
    /// How many refused telegrams a signer may cause in a minute.
    pub refusals_per_minute: u32,
}

/// What an operator may do; each may all that the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperatorRole {
    /// Looks.
    Viewer,
    /// Works the desks.
    Clerk,
    /// Freezes, returns money.
    Supervisor,
    /// Changes settings, operators and keys.
    Admin,
}

/// A newcomer's registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Its telegram.
    pub telegram: TelegramId,
    /// Which register.
    pub role: Role,
    /// The signature key's public half.
    pub signature_key: VerificationKey,
    /// The terminal key.
    pub terminal_key: VerificationKey,
    /// The recovery key.
    pub recovery_key: Option<VerificationKey>,
    /// The salted hash of the particulars in the cabinet.
    pub particulars: Digest,
    /// The hash of the accepted terms.
    pub terms: Digest,
    /// A store's public name.
    pub trade_name: Option<String>,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// A change of an account's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange {
    /// Its telegram.
    pub telegram: TelegramId,
    /// Whose key.
    pub account: AccountNumber,
    /// Which of the account's keys signed: the signature or the recovery key.
    pub by: KeyRole,
    /// The event that put the signing key in force.
    pub event: EntryNumber,
    /// Which key.
    pub role: KeyRole,
    /// The new key; `None` revokes.
    pub key: Option<VerificationKey>,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// A wish for a prepaid card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardRequest {
    /// Its telegram.
    pub telegram: TelegramId,
    /// Who asks.
    pub member: MemberNumber,
    /// The event that put the signing key in force.
    pub event: EntryNumber,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// How it is paid for.
    pub funding: Funding,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// Money that came in at the bank, as a bank's notice told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The bank's own reference; with the center's account it names the movement for ever.
    pub bank_reference: String,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// What the payer wrote as reference.
    pub reference: Option<String>,
    /// What can be said of the payer in the books: a salted hash; the words lie in the cabinet.
    pub payer: Digest,
    /// Which notice told it: the hash of file name and content. The same one told again is not entered again.
    pub notice: Digest,
}

/// A member pays a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its telegram.
    pub telegram: TelegramId,
    /// Who pays.
    pub member: MemberNumber,
    /// The event that put the signing key in force.
    pub event: EntryNumber,
    /// From which card.
    pub card: CardNumber,
    /// Which store.
    pub store: StoreNumber,
    /// The signed offer's digest.
    pub offer: Digest,
    /// The order.
    pub order: OrderHash,
    /// How much.
    pub total: Amount,
    /// In which currency.
    pub currency: Currency,
    /// When the offer expires.
    pub offer_expires: Timestamp,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// A telegram that shall never be entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Void {
    /// Which.
    pub telegram: TelegramId,
    /// Who signed it.
    pub account: AccountNumber,
    /// Its own `valid_until`.
    pub valid_until: Timestamp,
}

/// A store gives a payment back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Its telegram.
    pub telegram: TelegramId,
    /// Who refunds.
    pub store: StoreNumber,
    /// The event that put the signing key in force.
    pub event: EntryNumber,
    /// Which payment.
    pub payment: EntryNumber,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// Why.
    pub reason: RefundReason,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// A store claims payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Its telegram.
    pub telegram: TelegramId,
    /// Who claims.
    pub store: StoreNumber,
    /// The event that put the signing key in force.
    pub event: EntryNumber,
    /// Which payments.
    pub payments: Vec<EntryNumber>,
    /// Their sum.
    pub total: Amount,
    /// In which currency.
    pub currency: Currency,
    /// What was shown for them: only evidence whose signatures hold.
    pub proofs: Vec<DeliveryProof>,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// An opened offer whose buyer key signed for the goods; both signatures were verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryProof {
    /// For which payment.
    pub payment: EntryNumber,
    /// The signed offer's digest.
    pub offer: Digest,
    /// The order that both the offer and the acknowledgement name.
    pub order: OrderHash,
    /// The offer's total.
    pub total: Amount,
}

/// What became of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferResult {
    /// Executed, under this reference of the bank's.
    Paid {
        /// The bank's reference.
        bank_reference: String,
    },
    /// Rejected or returned, with the bank's words.
    Failed {
        /// The bank's words.
        words: String,
    },
}

/// What can be frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// A card.
    Card(CardNumber),
    /// A member or store.
    Account(AccountNumber),
}
