//! What telegrams say.
//!
//! Every payload that an account signs names the center it is for, the account, the key event that put the signing
//! key in force, a nonce and the instant until which it may be entered. Golden bytes in the tests pin each encoding.

use serde::{Deserialize, Serialize};

use crate::{
    amount::{Amount, Currency},
    bounded::List,
    id::{
        AccountNumber, ApplicationNumber, CardNumber, CenterId, Digest, EntryNumber, MemberNumber, Nonce,
        OrderHash, StoreNumber, TelegramId,
    },
    key::VerificationKey,
    limits,
    telegram::{Kind, Payload, Telegram},
    text::Line,
    time::Timestamp,
};

macro_rules! payload {
    ($($name:ident => $kind:ident),+ $(,)?) => { $(
        impl Payload for $name {
            const KIND: Kind = Kind::$kind;
        }
    )+ };
}

payload! {
    Registration => Registration,
    TerminalCertificate => TerminalCertificate,
    KeyChange => KeyChange,
    CardRequest => CardRequest,
    Payment => Payment,
    Refund => Refund,
    Claim => Claim,
    Offer => Offer,
    Delivery => Delivery,
    CardCertificate => CardCertificate,
    DirectoryPage => DirectoryPage,
    ChainHead => ChainHead,
    KeyCancel => KeyCancel,
    CashierChange => CashierChange,
}

/// The last step of joining: the wish to be entered in the registers under the number that the center reserved. Signed
/// with the signature key that is to be registered.
///
/// The same telegram puts new keys in the place of all former ones where the center admitted a lost terminal's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The center it is for.
    pub center: CenterId,
    /// The application that was admitted.
    pub application: ApplicationNumber,
    /// The number that came with the activation code.
    pub account: AccountNumber,
    /// The public half of the signature key.
    pub verification_key: VerificationKey,
    /// The terminal's line identity.
    pub terminal_key: VerificationKey,
    /// The recovery key, if a recovery phrase was made.
    pub recovery_key: Option<VerificationKey>,
    /// [`particulars_hash`] of what travels beside: the particulars that were admitted.
    pub particulars: Digest,
    /// [`crate::admission::ActivationCode::hash`] of the code that travels beside.
    pub code: Digest,
    /// Hash of the terms that were accepted.
    pub terms: Digest,
    /// Makes it unlike every other.
    pub nonce: Nonce,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// What a key signs to prove that whoever hands it in holds its private half:
/// `inkan/v1/possession ‖ 0 ‖ center ‖ role ‖ telegram id`, where the telegram is the one that names the key and the role
/// is one byte: 0 signature, 1 terminal, 2 recovery.
pub fn possession_message(center: &CenterId, role: KeyRole, telegram: &TelegramId) -> Vec<u8> {
    let role = match role {
        KeyRole::Signature => 0,
        KeyRole::Terminal => 1,
        KeyRole::Recovery => 2,
    };
    [b"inkan/v1/possession\0".as_slice(), &center.0, &[role], &telegram.0].concat()
}

/// Binds particulars to a registration without telling them: `SHA-256("inkan/v1/particulars" ‖ salt ‖ bytes)`.
pub fn particulars_hash(salt: &crate::id::Salt, bytes: &[u8]) -> Digest {
    Digest::of(&[b"inkan/v1/particulars", &salt.0, bytes])
}

/// What a terminal key may do at a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rights {
    /// The owner's own terminal: line identity, acknowledging, offers.
    Owner,
    /// A member of staff.
    Cashier(CashierRights),
}

/// What a cashier's terminal may do. The store's serving program enforces it; the center checks refunds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashierRights {
    /// A name for the owner's lists. It stands in the certificate only: what is sent to the center leaves it empty, so
    /// that no name of the staff comes into the journal.
    pub name: Line,
    /// May make offers.
    pub sell: bool,
    /// May deliver.
    pub deliver: bool,
    /// May refund up to this much a business day; zero is none.
    pub refund_limit: Amount,
    /// May see the day's figures.
    pub see_day: bool,
}

/// A store's owner certifies a cashier's terminal key, changes its rights or takes them away. Signed with the signature
/// key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashierChange {
    /// The center it is for.
    pub center: CenterId,
    /// Whose cashier.
    pub store: StoreNumber,
    /// The key event that put the signing key in force.
    pub key_event: EntryNumber,
    /// The cashier's terminal key.
    pub key: VerificationKey,
    /// What it may do from now on; `None` is nothing any more.
    pub rights: Option<CashierRights>,
    /// Makes it unlike every other.
    pub nonce: Nonce,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// The signature key says: this terminal key speaks on the line for me. Signed with the signature key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalCertificate {
    /// The center at which it counts.
    pub center: CenterId,
    /// The terminal key.
    pub terminal_key: VerificationKey,
    /// What it may do.
    pub rights: Rights,
    /// Since when.
    pub issued: Timestamp,
}

/// The roles of an account's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyRole {
    /// Registers, pays, holds, claims, refunds, changes keys.
    Signature,
    /// Line identity, login, acknowledging; at a store also offers.
    Terminal,
    /// Overrules the others.
    Recovery,
}

/// A change of one of an account's keys. Signed with the signature or the recovery key.
///
/// Beside it travel the proof that the new key is held, and, for a new signature or terminal key, the certificate of the
/// terminal key then in force under the signature key then in force. A new recovery key that the signature key asks for
/// is in force only after [`limits::CAUTION_MS`], and the old one can cancel it until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange {
    /// The center it is for.
    pub center: CenterId,
    /// Whose key.
    pub account: AccountNumber,
    /// The key event that put the signing key in force.
    pub key_event: EntryNumber,
    /// Which key.
    pub role: KeyRole,
    /// The new key; `None` revokes.
    pub key: Option<VerificationKey>,
    /// Makes it unlike every other.
    pub nonce: Nonce,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// The recovery key in force cancels a recovery key that the signature key asked for and that still waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCancel {
    /// The center it is for.
    pub center: CenterId,
    /// Whose key.
    pub account: AccountNumber,
    /// The key event that put the signing recovery key in force.
    pub key_event: EntryNumber,
    /// The entry of the change that waits.
    pub change: EntryNumber,
    /// Makes it unlike every other.
    pub nonce: Nonce,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// How a card is paid for. Variants are only ever appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Funding {
    /// The member transfers the amount to the center's bank account, with a reference.
    BankTransfer,
}

/// A member asks for a prepaid card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardRequest {
    /// The center it is for.
    pub center: CenterId,
    /// Who asks.
    pub member: MemberNumber,
    /// The key event that put the signing key in force.
    pub key_event: EntryNumber,
    /// How much the card is to hold.
    pub amount: Amount,
    /// The center's currency.
    pub currency: Currency,
    /// How it is paid for.
    pub funding: Funding,
    /// Makes it unlike every other.
    pub nonce: Nonce,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// The payment instruction: pay this offer from that card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The center it is for.
    pub center: CenterId,
    /// Who pays.
    pub member: MemberNumber,
    /// The key event that put the signing key in force.
    pub key_event: EntryNumber,
    /// The card that pays.
    pub card: CardNumber,
    /// The store that is paid.
    pub store: StoreNumber,
    /// [`Telegram::digest`] of the signed offer.
    pub offer: Digest,
    /// The order that is paid.
    pub order: OrderHash,
    /// How much.
    pub total: Amount,
    /// The center's currency.
    pub currency: Currency,
    /// When the offer expires; it equals the offer's own.
    pub offer_expires: Timestamp,
    /// Makes it unlike every other.
    pub nonce: Nonce,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// Why a store gives a payment back. Variants are only ever appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RefundReason {
    /// The store does not know the order that was paid.
    UnknownOrder,
    /// The store can't deliver what was ordered.
    CannotDeliver,
    /// The total differs from the order's.
    WrongTotal,
    /// Member and store agreed on it.
    Agreed,
    /// The center decided it.
    ByCenter,
}

impl RefundReason {
    /// Words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::UnknownOrder => "the store does not know the order",
            Self::CannotDeliver => "the store cannot deliver",
            Self::WrongTotal => "the amount paid is not the order's",
            Self::Agreed => "agreed between member and store",
            Self::ByCenter => "the center decided it",
        }
    }
}

/// A store gives a payment back to the card it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The center it is for.
    pub center: CenterId,
    /// Who refunds.
    pub store: StoreNumber,
    /// The cashier's terminal key that signs; `None` when the store's signature key does.
    pub cashier: Option<VerificationKey>,
    /// The key event that put the signing key in force; for a cashier the entry of the [`CashierChange`].
    pub key_event: EntryNumber,
    /// The payment's entry.
    pub payment: EntryNumber,
    /// How much: the whole payment.
    pub amount: Amount,
    /// The center's currency.
    pub currency: Currency,
    /// Why.
    pub reason: RefundReason,
    /// Makes it unlike every other.
    pub nonce: Nonce,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// A store asks for its money. Beside it travels a [`ClaimEvidence`] for each payment; each proves itself against
/// what the payment bound, so the claim does not sign them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The center it is for.
    pub center: CenterId,
    /// Who claims.
    pub store: StoreNumber,
    /// The key event that put the signing key in force.
    pub key_event: EntryNumber,
    /// The payments' entries, ascending, none twice.
    pub payments: List<EntryNumber, { limits::CLAIM_ITEMS }>,
    /// The sum of the payments.
    pub total: Amount,
    /// The center's currency.
    pub currency: Currency,
    /// Makes it unlike every other.
    pub nonce: Nonce,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// What proves that a payment's goods were delivered: the opened offer, and the buyer's acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimEvidence {
    /// Which payment.
    pub payment: EntryNumber,
    /// The [`Offer`], whose digest the payment signed.
    pub offer: Telegram,
    /// The [`Delivery`], signed by the offer's buyer key.
    pub delivery: Telegram,
}

/// What a store signs for an order, with the terminal key that the directory lists for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The center at which it can be paid.
    pub center: CenterId,
    /// Who offers.
    pub store: StoreNumber,
    /// The store's terminal key.
    pub terminal_key: VerificationKey,
    /// The member's fresh key for this order; whoever proves it gets the goods.
    pub buyer_key: VerificationKey,
    /// The order.
    pub order: OrderHash,
    /// How much.
    pub total: Amount,
    /// The center's currency.
    pub currency: Currency,
    /// Since when.
    pub issued: Timestamp,
    /// Not payable after this.
    pub expires: Timestamp,
}

/// The buyer says: I have the goods. Signed with the buyer key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The order.
    pub order: OrderHash,
    /// [`crate::order::goods_hash`]: binds the goods to whoever knows the order's salt, and tells others nothing.
    pub goods: Digest,
}

/// The center says: this card is registered to this holder. It never holds the balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardCertificate {
    /// The center.
    pub center: CenterId,
    /// The card.
    pub card: CardNumber,
    /// Its holder.
    pub member: MemberNumber,
    /// The holder's key event when it was issued.
    pub key_event: EntryNumber,
    /// The entry that issued it.
    pub entry: EntryNumber,
    /// When.
    pub issued: Timestamp,
}

/// A store as the directory lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryEntry {
    /// Its number.
    pub store: StoreNumber,
    /// The name it trades under.
    pub name: Line,
    /// Its registered verification key, which the certificate is checked under.
    pub verification_key: VerificationKey,
    /// The [`TerminalCertificate`] of the terminal key that its line shows.
    pub certificate: Telegram,
    /// Where it listens, as `host:port`; empty while it is away.
    pub addresses: List<Line, { limits::ADDRESSES }>,
}

/// A page of the directory. Signed with the sheet's directory key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryPage {
    /// The center.
    pub center: CenterId,
    /// When it was made.
    pub at: Timestamp,
    /// The stores, ascending by number.
    pub stores: List<DirectoryEntry, { limits::PAGE }>,
    /// Whether more follow after the last.
    pub more: bool,
}

/// One event of an account's chain of keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyEvent {
    /// The entry that made it.
    pub entry: EntryNumber,
    /// Which key.
    pub role: KeyRole,
    /// The key now in force in that role; `None` when revoked.
    pub key: Option<VerificationKey>,
}

/// The hash of a chain of key events, oldest first: `h₀ = SHA-256("inkan/v1/key-chain" ‖ account)`,
/// `hᵢ = SHA-256("inkan/v1/key-event" ‖ hᵢ₋₁ ‖ eventᵢ)`, everything encoded by [`crate::codec`].
pub fn chain_hash<'a>(account: AccountNumber, events: impl IntoIterator<Item = &'a KeyEvent>) -> Digest {
    let start = Digest::of(&[b"inkan/v1/key-chain", &crate::codec::encode(&account)]);
    events.into_iter().fold(start, |head, event| {
        Digest::of(&[b"inkan/v1/key-event", &head.0, &crate::codec::encode(event)])
    })
}

/// The center says at login: these are your keys. Signed with the sheet's statement key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// The center.
    pub center: CenterId,
    /// Whose keys.
    pub account: AccountNumber,
    /// [`chain_hash`] of all events.
    pub head: Digest,
    /// The size of the newest checkpoint.
    pub size: u64,
    /// Its root.
    pub root: Digest,
}
