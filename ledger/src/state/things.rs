//! What the books hold of money.

use serde::{Deserialize, Serialize};
use wire::{
    amount::Amount,
    id::{CardNumber, Digest, EntryNumber, MemberNumber, OrderHash, StoreNumber, TelegramId},
    time::Timestamp,
};

use crate::entry::{Mismatch, Purpose};

/// A prepaid card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Whose.
    pub holder: MemberNumber,
    /// What it holds.
    pub balance: Amount,
    /// Whether it is frozen.
    pub frozen: bool,
    /// When it was issued.
    pub issued: Timestamp,
    /// The entry that issued it.
    pub entry: EntryNumber,
    /// The holder's signature key event when it was issued; its certificate names it.
    pub event: EntryNumber,
    /// The last entry that concerns it.
    pub last: EntryNumber,
}

/// A card that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedCard {
    /// By whom.
    pub member: MemberNumber,
    /// With which telegram.
    pub telegram: TelegramId,
    /// How much it is to hold.
    pub amount: Amount,
    /// It lapses after this.
    pub expires: Timestamp,
    /// How it stands.
    pub state: RequestState,
}

/// How a card request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestState {
    /// For money.
    Waiting,
    /// The card is there.
    Issued(CardNumber),
    /// Its time was over.
    Lapsed,
}

/// A settled payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Who paid.
    pub member: MemberNumber,
    /// From which card.
    pub card: CardNumber,
    /// To which store.
    pub store: StoreNumber,
    /// The signed offer's digest.
    pub offer: Digest,
    /// The order.
    pub order: OrderHash,
    /// How much.
    pub total: Amount,
    /// When.
    pub at: Timestamp,
    /// How it stands.
    pub state: PaymentState,
}

/// How a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaymentState {
    /// It can be refunded or claimed.
    Open,
    /// Claimed by this entry.
    Claimed(EntryNumber),
    /// Given back by this entry.
    Refunded(EntryNumber),
}

/// An accepted claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Whose.
    pub store: StoreNumber,
    /// Which payments, ascending.
    pub payments: Vec<EntryNumber>,
    /// Their sum.
    pub total: Amount,
    /// When.
    pub at: Timestamp,
    /// How it stands.
    pub state: ClaimState,
}

/// How a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimState {
    /// Its transfer is not intended yet.
    Due,
    /// With this payout.
    Intended(EntryNumber),
    /// The bank confirmed it.
    Paid,
    /// The bank did not execute it; the payments can be claimed again.
    Failed,
}

/// An intended transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    /// Why.
    pub purpose: Purpose,
    /// How much.
    pub amount: Amount,
    /// When it was intended.
    pub at: Timestamp,
    /// How it stands.
    pub state: PayoutState,
}

/// How a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PayoutState {
    /// The bank has not said anything final.
    InTransit,
    /// Executed, says this entry.
    Paid {
        /// The entry.
        by: EntryNumber,
    },
    /// Not executed, says this entry.
    Failed {
        /// The entry.
        by: EntryNumber,
    },
}

/// Money that came in and fitted no card request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankReceipt {
    /// The bank's reference.
    pub bank_reference: String,
    /// What the payer wrote as reference.
    pub reference: Option<String>,
    /// What can be said of the payer in the books; the words lie in the cabinet under it.
    pub payer: Digest,
    /// How much.
    pub amount: Amount,
    /// When it was booked.
    pub at: Timestamp,
    /// Why it fitted none.
    pub mismatch: Mismatch,
    /// How it stands.
    pub state: ReceiptState,
}

/// How an unmatched receipt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReceiptState {
    /// On the bank desk.
    Waiting,
    /// A card was issued with it.
    Assigned(CardNumber),
    /// On its way back, by this payout.
    Returning(EntryNumber),
    /// Gone back.
    Returned,
}

/// Counts and sums since the founding, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Cards issued.
    pub cards: u64,
    /// Loaded onto cards.
    pub loaded: u128,
    /// Payments settled.
    pub payments: u64,
    /// Their sum.
    pub paid: u128,
    /// Payments given back.
    pub refunds: u64,
    /// Their sum.
    pub refunded: u128,
    /// Claims accepted.
    pub claims: u64,
    /// Their sum.
    pub claimed: u128,
    /// Transfers that the bank executed.
    pub payouts: u64,
    /// Their sum.
    pub paid_out: u128,
    /// Requests refused.
    pub refused: u64,
}
