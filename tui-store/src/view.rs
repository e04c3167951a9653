//! What people and scripts see of the state: plain rows, ready to be drawn or printed as JSON.

mod cashiers;
mod custody;
mod orders;

use std::{path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use tui_kit::time::Zone;
use wire::{
    amount::{Amount, Currency},
    id::{EntryNumber, OrderHash, StoreNumber, TelegramId},
    receipt::PayoutState,
    text::{Line, Prose},
    time::Timestamp,
};

pub use cashiers::{CashierRow, CashierState, StoreLineRow};
pub use custody::{
    About, AlarmRow, ApplicationRow, BuildRow, DrillRow, ExportedTelegram, KeyEventRow, KeyRow, KeysView,
    KitRow, RecoveryRow,
};

pub use orders::{LineRow, OrderDetail, OrderRow, OrderStanding, SoldRow};

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
        let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
        Self { unix_ms: at.0, text: Zone::local().stamp(ms) }
    }
}

/// A payment that is to be given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRow {
    /// The payment's transaction number.
    pub payment: EntryNumber,
    /// How much.
    pub total: Money,
    /// When it was paid.
    pub paid: Moment,
    /// Why it is due.
    pub why: String,
    /// Whether a refund of it waits in the outbox: prepared, or sent and nobody said what became of it.
    pub unknown: bool,
}

/// A payment whose money can be claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimableRow {
    /// The payment's transaction number.
    pub payment: EntryNumber,
    /// The order.
    pub order: OrderHash,
    /// How much.
    pub total: Money,
    /// When the buyer signed for the goods.
    pub delivered: Moment,
}

/// What can be claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimable {
    /// The sum.
    pub total: Money,
    /// The payments, oldest first.
    pub payments: Vec<ClaimableRow>,
}

/// A claim and its payout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutRow {
    /// The claim's transaction number.
    pub claim: EntryNumber,
    /// When the claim was entered.
    pub claimed: Moment,
    /// How many payments it holds.
    pub payments: u64,
    /// How much.
    pub total: Money,
    /// How the payout stands; none before the center has written it.
    pub state: Option<PayoutState>,
    /// The state in words.
    pub words: String,
    /// When the state was entered.
    pub at: Option<Moment>,
}

/// A telegram of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// Its id.
    pub telegram: TelegramId,
    /// What it is, for people.
    pub what: String,
    /// `prepared`, `unknown`, `done`, `refused`, `void`, `expired` or `withdrawn`.
    pub state: TelegramState,
    /// What became of it, in words.
    pub words: String,
    /// The entry that decided it.
    pub number: Option<EntryNumber>,
    /// When it was signed.
    pub prepared: Moment,
    /// Not to be entered after this.
    pub valid_until: Option<Moment>,
}

/// What became of a telegram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TelegramState {
    /// Signed and kept; never sent.
    Prepared,
    /// Sent; nobody said what became of it.
    Unknown,
    /// Entered and done.
    Done,
    /// Refused by the center.
    Refused,
    /// Entered as never to be done.
    Void,
    /// Never entered, and too old to be.
    Expired,
    /// Taken back before it left.
    Withdrawn,
}

/// One item of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemRow {
    /// Its id.
    pub id: Line,
    /// Its title.
    pub title: Line,
    /// What one costs.
    pub price: Money,
    /// The goods' file name.
    pub file_name: Line,
    /// Their length in bytes.
    pub size: u64,
    /// Words to find it by.
    pub tags: Vec<Line>,
}

/// The catalogue as it is sold now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueView {
    /// The folder.
    pub folder: PathBuf,
    /// What is sold.
    pub items: Vec<ItemRow>,
    /// What is wrong with the folder as it is now; then the last good state goes on being sold.
    pub faults: Vec<String>,
    /// When the folder was last taken over.
    pub loaded: Option<Moment>,
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
        /// Since when.
        since: Moment,
        /// Why, and what is done about it.
        why: String,
    },
}

impl LineView {
    /// One line for people.
    pub fn words(&self) -> String {
        match self {
            Self::Idle => "not connected".into(),
            Self::Connecting { since } => format!("connecting since {}", since.text),
            Self::Connected { address, since, payments } => {
                let payments = if *payments { "" } else { "; the center takes no payments now" };
                format!("connected to {address} since {}{payments}", since.text)
            }
            Self::Down { since, why } => format!("down since {}: {why}", since.text),
        }
    }
}

/// What a doctor looks at where the vault is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// The store's number.
    pub store: Option<StoreNumber>,
    /// The signature key's fingerprint.
    pub signature_key: String,
    /// The terminal key's fingerprint.
    pub terminal_key: String,
    /// The center's root key's fingerprint.
    pub root_key: Option<String>,
    /// The line to the center.
    pub line: LineView,
    /// By how much this clock is ahead of the center's, in milliseconds; none without a line.
    pub clock_ahead_ms: Option<i64>,
    /// What was found wrong with the vault when it was opened.
    pub vault: Vec<String>,
}

/// The counter where members are served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterView {
    /// Where it listens; empty while it is closed.
    pub listening: Vec<String>,
    /// The addresses that the directory shows; none while there is no line to the center.
    pub announced: Vec<String>,
    /// Members connected now.
    pub visitors: u64,
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
    pub addresses: Vec<String>,
    /// The number of the newest key sheet seen.
    pub sheet: u64,
}

/// How many orders stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingCount {
    /// How they stand.
    pub state: OrderStanding,
    /// How many.
    pub count: u64,
}

/// Something the store must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// When it was noted.
    pub at: Moment,
    /// The words.
    pub words: Prose,
}

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Counts up with every change.
    pub generation: u64,
    /// The store's number; none before joining has ended.
    pub store: Option<StoreNumber>,
    /// The name it trades under.
    pub name: Line,
    /// The center, once it has been seen.
    pub center: Option<CenterRow>,
    /// The line to it.
    pub line: LineView,
    /// Where members are served.
    pub counter: CounterView,
    /// What is sold.
    pub catalogue: Arc<CatalogueView>,
    /// How many orders stand how.
    pub standings: Vec<StandingCount>,
    /// The sum of today's payments that were not given back, by the center's zone.
    pub today: Money,
    /// How many payments that is.
    pub today_payments: u64,
    /// What is not claimed yet, delivered or not.
    pub unclaimed: Money,
    /// What of it can be claimed now.
    pub claimable: Money,
    /// The newest orders, newest first, at most [`Snapshot::ORDERS_MAX`].
    pub orders: Vec<OrderRow>,
    /// Payments to be given back.
    pub refunds: Vec<RefundRow>,
    /// Claims and their payouts, newest first.
    pub payouts: Vec<PayoutRow>,
    /// What waits in the outbox, newest first.
    pub outbox: Vec<OutboxRow>,
    /// Messages, newest first.
    pub messages: Vec<MessageRow>,
    /// What was found wrong with the vault when it was opened.
    pub findings: Vec<String>,
    /// What has to be acknowledged before anything else is sent.
    pub alarm: Option<AlarmRow>,
    /// The recovery phrase; none where none was made.
    pub recovery: Option<RecoveryRow>,
    /// Whether something changed that the copy of the vault at the center does not hold.
    pub copy_due: bool,
    /// Programs that the center offers in a newer version than this one.
    pub newer: Vec<BuildRow>,
    /// Until when password B is open; none while every act asks for it.
    pub signing_until: Option<Moment>,
    /// The drawn seal, shown at every signing. It is told to nobody else: whoever can imitate it can make a false
    /// prompt look right.
    #[serde(skip)]
    pub seal: Option<Arc<vault::Autograph>>,
}

impl Snapshot {
    /// How many orders a snapshot carries; all of them come with [`crate::act::Act::Orders`].
    pub const ORDERS_MAX: usize = 500;
}

/// What became of a telegram that was sent or asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// Its id.
    pub telegram: TelegramId,
    /// What it is, for people.
    pub what: String,
    /// What became of it.
    pub state: TelegramState,
    /// In words.
    pub words: String,
    /// The entry that decided it.
    pub number: Option<EntryNumber>,
    /// The payments it is about.
    pub payments: Vec<EntryNumber>,
    /// How much it moves.
    pub total: Option<Money>,
}

/// A receipt file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// The transaction number it proves.
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

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Whether every check holds.
    pub valid: bool,
    /// Each check.
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
