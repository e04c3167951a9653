//! What people and scripts see of the state: plain rows, ready to be drawn or printed as JSON.

mod custody;

use std::{path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use tui_kit::{pad::Drawing, time::Zone};
use wire::{
    amount::{Amount, Currency},
    id::{CardNumber, Digest, EntryNumber, MemberNumber, OrderHash, StoreNumber, TelegramId},
    text::{Line, Prose},
    time::Timestamp,
};

use crate::act::CartLine;

pub use custody::*;

/// An amount with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub minor: u64,
    /// `1,500 JPY`.
    pub text: String,
}

impl Money {
    /// An amount of a currency.
    pub fn new(amount: Amount, currency: Currency) -> Self {
        Self { minor: amount.minor(), text: currency.print(amount) }
    }
}

/// An instant with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub unix_ms: u64,
    /// `yy/mm/dd hh:mm` in the machine's zone.
    pub text: String,
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self { unix_ms: at.0, text: Zone::local().stamp(calendar_ms(at)) }
    }
}

/// An instant as [`Zone`] takes it; one beyond its range lies outside the calendar as well.
pub(crate) fn calendar_ms(at: Timestamp) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

/// Everything at one moment. Cheap to clone: rows that did not change are shared with the snapshot before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Counts up with every change.
    pub generation: u64,
    /// The member's number; none before joining has ended.
    pub member: Option<MemberNumber>,
    /// The center, once it has been seen.
    pub center: Option<CenterRow>,
    /// The line to it.
    pub line: LineView,
    /// Cards, oldest first.
    pub cards: Vec<CardRow>,
    /// Card requests that wait for money.
    pub funding: Vec<FundingRow>,
    /// Purchases, newest first.
    pub purchases: Vec<Arc<PurchaseRow>>,
    /// Messages, newest first.
    pub messages: Vec<MessageRow>,
    /// What waits in the outbox, oldest first.
    pub outbox: Vec<OutboxRow>,
    /// The cart.
    pub cart: Vec<CartLine>,
    /// What was found wrong with the vault when it was opened.
    pub findings: Vec<String>,
    /// Keys, alarm, recovery, what the center offers.
    pub custody: CustodyRow,
    /// A program on its way from the center.
    pub download: Option<Download>,
    /// The member's drawn seal. It is for the eyes of whoever signs here and leaves the program nowhere.
    #[serde(skip)]
    pub seal: Option<Drawing>,
}

/// The center as the vault knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CenterRow {
    /// Its name.
    pub name: Line,
    /// The root key's fingerprint.
    pub fingerprint: String,
    /// Its currency.
    pub currency: Currency,
    /// Its time zone.
    pub zone: Line,
    /// Whom to turn to.
    pub help: Line,
    /// Where it listens.
    pub addresses: Vec<Line>,
    /// The number of the newest key sheet seen.
    pub sheet: u64,
}

/// How the line to the center stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum LineView {
    /// Nobody has asked for it.
    Idle,
    /// Being made.
    Connecting {
        /// Since when.
        since: Moment,
    },
    /// Logged in.
    Connected {
        /// Through which address.
        address: String,
        /// Since when.
        since: Moment,
        /// Whether the center takes payments now.
        payments: bool,
    },
    /// Not there.
    Down {
        /// Why, in a sentence.
        why: String,
        /// When it is tried again; none when nothing tries.
        retry: Option<Moment>,
    },
}

impl LineView {
    /// Words for the status line.
    pub fn words(&self) -> String {
        match self {
            Self::Idle => "not connected".into(),
            Self::Connecting { since } => format!("connecting since {}", since.text),
            Self::Connected { address, payments: true, .. } => format!("connected to {address}"),
            Self::Connected { address, payments: false, .. } => {
                format!("connected to {address}; the center takes no payments now")
            }
            Self::Down { why, retry: Some(retry) } => format!("{why}; next try at {}", retry.text),
            Self::Down { why, retry: None } => why.clone(),
        }
    }
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardRow {
    /// Its number.
    pub card: CardNumber,
    /// What it held at `as_of`.
    pub balance: Money,
    /// When the center said so.
    pub as_of: Moment,
    /// Whether it is frozen.
    pub frozen: bool,
    /// When it was issued.
    pub issued: Moment,
}

/// A card request that waits for money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundingRow {
    /// The entry of the request.
    pub request: EntryNumber,
    /// The exact amount to transfer.
    pub amount: Money,
    /// Who holds the account.
    pub holder: Line,
    /// The account: an IBAN, or `bank/branch/number`.
    pub account: Line,
    /// The bank's BIC.
    pub bic: Option<Line>,
    /// The reference to give (ISO 11649).
    pub reference: Line,
    /// The request lapses after this.
    pub expires: Moment,
}

/// Where a purchase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PurchaseState {
    /// Offered, not paid.
    Offered,
    /// The offer ran out unpaid.
    OfferExpired,
    /// The payment is signed and has not left.
    Signed,
    /// The payment may have left; what became of it is not known.
    Unknown,
    /// Paid: the receipt is checked.
    Settled,
    /// The goods are here; the store has not confirmed the acknowledgement.
    Fetched,
    /// The goods are here and signed for.
    Delivered,
    /// The center refused the payment.
    Refused,
    /// The payment was entered as never to be paid.
    Void,
    /// The payment ran out before it was entered.
    Expired,
    /// The money came back.
    Refunded,
}

impl PurchaseState {
    /// Words for lists.
    pub fn words(self) -> &'static str {
        match self {
            Self::Offered => "offered, not paid",
            Self::OfferExpired => "offer expired, not paid",
            Self::Signed => "signed, not sent",
            Self::Unknown => "sent, outcome unknown",
            Self::Settled => "settled, goods not fetched",
            Self::Fetched => "fetched, not yet acknowledged",
            Self::Delivered => "delivered",
            Self::Refused => "refused, nothing paid",
            Self::Void => "void, nothing paid",
            Self::Expired => "expired, nothing paid",
            Self::Refunded => "refunded",
        }
    }
}

/// A purchase in the shopping history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseRow {
    /// The order.
    pub order: OrderHash,
    /// `yy/mm/dd`, of the payment where there is one, else of the order.
    pub day: String,
    /// The same instant in full.
    pub at: Moment,
    /// The store.
    pub store: StoreNumber,
    /// The name it trades under.
    pub store_name: Line,
    /// What was bought, in one line.
    pub goods: String,
    /// How much.
    pub total: Money,
    /// Where it stands.
    pub state: PurchaseState,
    /// The same in words, with the reason where there is one.
    pub words: String,
    /// The payment's transaction number.
    pub number: Option<EntryNumber>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRow {
    /// The item's id.
    pub item: Line,
    /// Its title.
    pub title: Line,
    /// How many.
    pub quantity: u32,
    /// What one costs.
    pub price: Money,
    /// The length of the goods in bytes.
    pub size: u64,
    /// SHA-256 of the goods.
    pub digest: Digest,
    /// Where the goods lie, once they are here.
    pub file: Option<PathBuf>,
}

/// A purchase in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseDetail {
    /// What the history shows.
    #[serde(flatten)]
    pub row: PurchaseRow,
    /// What was ordered.
    pub lines: Vec<LineRow>,
    /// Words to the store.
    pub note: Prose,
    /// When the order was made.
    pub ordered: Moment,
    /// Until when the offer can be paid.
    pub offer_expires: Moment,
    /// The card that paid.
    pub card: Option<CardNumber>,
    /// What the card held afterwards.
    pub balance: Option<Money>,
    /// The telegram of the newest payment.
    pub telegram: Option<TelegramId>,
    /// When the store confirmed the acknowledgement.
    pub acknowledged: Option<Moment>,
    /// The transaction number of the refund.
    pub refund: Option<EntryNumber>,
}

/// A signed offer, with all that the review shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// The order.
    pub order: OrderHash,
    /// The store.
    pub store: StoreNumber,
    /// The name it trades under.
    pub store_name: Line,
    /// What is ordered.
    pub lines: Vec<LineRow>,
    /// How much.
    pub total: Money,
    /// Until when it can be paid.
    pub expires: Moment,
    /// The card that would pay: the first that holds enough.
    pub card: Option<CardNumber>,
    /// What that card holds.
    pub balance_before: Option<Money>,
    /// What it would hold afterwards.
    pub balance_after: Option<Money>,
    /// What the buyer should know before paying.
    pub warnings: Vec<String>,
}

/// A store of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreRow {
    /// Its number.
    pub store: StoreNumber,
    /// The name it trades under.
    pub name: Line,
    /// Whether it listens now.
    pub open: bool,
    /// The fingerprint of its registered key.
    pub fingerprint: String,
}

/// An item of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemRow {
    /// Its id.
    pub id: Line,
    /// Its title.
    pub title: Line,
    /// What it is.
    pub description: Prose,
    /// What one costs.
    pub price: Money,
    /// The length of the goods in bytes.
    pub size: u64,
    /// A file name.
    pub file_name: Line,
    /// Words to find it by.
    pub tags: Vec<Line>,
    /// SHA-256 of the goods.
    pub digest: Digest,
}

/// A message for the member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// When.
    pub at: Moment,
    /// The entry it is about.
    pub number: Option<EntryNumber>,
    /// What it says.
    pub words: String,
    /// Whether it is an alarm.
    pub alarm: bool,
}

/// A telegram in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// Its id.
    pub telegram: TelegramId,
    /// What it is: payment, card request, registration.
    pub kind: String,
    /// The order it pays.
    pub order: Option<OrderHash>,
    /// How much it moves.
    pub amount: Option<Money>,
    /// When it was signed.
    pub signed: Moment,
    /// Not to be entered after this.
    pub valid_until: Option<Moment>,
    /// Whether it may have left.
    pub sent: bool,
    /// Whether it still waits.
    pub open: bool,
    /// Where it stands, in words.
    pub words: String,
}

/// What became of a telegram that waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The telegram.
    pub telegram: TelegramId,
    /// What it is.
    pub kind: String,
    /// The order it pays.
    pub order: Option<OrderHash>,
    /// What became of it: `settled`, `refused`, `void`, `expired`, `done`, `registered`, `withdrawn`, or
    /// `unknown` still.
    pub outcome: String,
    /// The same in a sentence.
    pub words: String,
}

/// Fetched goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedGoods {
    /// The order.
    pub order: OrderHash,
    /// The files, in the order's lines' order.
    pub files: Vec<PathBuf>,
    /// Whether the store has confirmed the acknowledgement.
    pub acknowledged: bool,
}

/// A receipt file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// The transaction number on it.
    pub number: EntryNumber,
    /// The file's content.
    pub content: String,
}

/// A receipt as text under the center's signature: three files for OpenSSH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextReceiptFiles {
    /// The transaction number on it.
    pub number: EntryNumber,
    /// The text.
    pub text: String,
    /// The armored signature.
    pub signature: String,
    /// The line that lets the center's key sign receipts.
    pub allowed_signer: String,
    /// Who signs, as OpenSSH calls it.
    pub principal: String,
    /// What for.
    pub namespace: String,
}

impl TextReceiptFiles {
    /// What was verified, as files.
    pub(crate) fn of(number: EntryNumber, said: &wire::statement::TextReceipt) -> Self {
        Self {
            number,
            text: said.text.clone(),
            signature: said.armored(),
            allowed_signer: said.allowed_signer(),
            principal: said.principal().to_owned(),
            namespace: wire::statement::NAMESPACE.to_owned(),
        }
    }
}

/// What became of the checks of a receipt file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Whether every check holds.
    pub valid: bool,
    /// The checks in their order.
    pub checks: Vec<CheckRow>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRow {
    /// What was looked at.
    pub name: String,
    /// Whether it holds.
    pub pass: bool,
    /// What was found, or what is wrong.
    pub words: String,
}

/// What a look at keys, clock and connection found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// The member's number.
    pub member: Option<MemberNumber>,
    /// The fingerprint of the signature key's public half.
    pub signature_key: String,
    /// The fingerprint of the terminal key's public half.
    pub terminal_key: String,
    /// The fingerprint of the center's root key.
    pub root_key: Option<String>,
    /// How the line to the center stands, after one try.
    pub line: LineView,
    /// How far this machine's clock is ahead of the center's, in milliseconds; negative when it is behind.
    pub clock_ahead_ms: Option<i64>,
    /// What was found wrong with the vault when it was opened.
    pub vault: Vec<String>,
}

/// A transfer of goods under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The order.
    pub order: OrderHash,
    /// The file.
    pub file_name: Line,
    /// Bytes that are here.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
    /// Bytes per second lately.
    pub rate: u64,
    /// Milliseconds left at that rate; none while it is not known.
    pub left_ms: Option<u64>,
}
