//! Everything that a person can do here, as data: subcommands, the control socket and the screens speak it alike.

use std::fmt;

use serde::{Deserialize, Serialize};
use wire::{
    id::{CardNumber, EntryNumber, StoreNumber, TelegramId},
    text::Line,
};

pub use tui_kit::cli::{FailureKind, Password};

use crate::view::{
    CardRow, Exported, FetchedGoods, Findings, FundingRow, ItemRow, Offered, OutboxRow, PurchaseDetail,
    PurchaseRow, Resolved, Snapshot, StoreRow, Verification,
};

/// One thing of a store's catalogue that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The item's id.
    pub item: Line,
    /// How many.
    pub quantity: u32,
}

/// One line of the cart that is kept between visits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    /// The store.
    pub store: StoreNumber,
    /// The name it trades under.
    pub store_name: Line,
    /// The item's id.
    pub item: Line,
    /// Its title, as it was when it was put into the cart.
    pub title: Line,
    /// Its price in minor units then; the offer says what it costs now.
    pub price: wire::amount::Amount,
    /// How many.
    pub quantity: u32,
}

/// What can be asked of a member's program whose vault is open.
///
/// `order` is an order's hash, an unambiguous beginning of it of at least six digits, or the transaction number of its
/// payment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Act {
    /// All that the home screen shows. → [`Outcome::Status`]
    Status,
    /// Logs in, takes the mail, asks about everything unknown, asks for the cards. → [`Outcome::Status`]
    Sync,
    /// Asks for a prepaid card, paid by bank transfer. → [`Outcome::Funding`]
    RequestCard {
        /// How much it is to hold, as a person writes it.
        amount: String,
        /// Opens the signature key.
        password_b: Password,
    },
    /// The cards with their balances, asked from the center where it can be reached. → [`Outcome::Cards`]
    Cards,
    /// The directory of stores. → [`Outcome::Stores`]
    Stores {
        /// What the name must contain; empty for all.
        query: String,
    },
    /// A store's catalogue. → [`Outcome::Items`]
    Items {
        /// The store.
        store: StoreNumber,
        /// What title, tags or description must contain; empty for all.
        query: String,
    },
    /// One item. → [`Outcome::Item`]
    Item {
        /// The store.
        store: StoreNumber,
        /// The item's id.
        item: Line,
    },
    /// Orders, and gets the store's offer: what the review shows. → [`Outcome::Offered`]
    Order {
        /// The store.
        store: StoreNumber,
        /// What is wanted.
        lines: Vec<Wanted>,
        /// Words to the store.
        note: String,
    },
    /// Pays an offered order. → [`Outcome::Purchase`]
    Pay {
        /// Which order.
        order: String,
        /// From which card; without one, the first that holds enough.
        card: Option<CardNumber>,
        /// Opens the signature key.
        password_b: Password,
    },
    /// Fetches a paid order's goods, or goes on where it was interrupted, and signs for them. → [`Outcome::Fetched`]
    Fetch {
        /// Which order.
        order: String,
    },
    /// Where a fetched order's goods lie. → [`Outcome::Fetched`]
    Open {
        /// Which order.
        order: String,
    },
    /// All purchases, newest first. → [`Outcome::History`]
    History,
    /// One purchase in full. → [`Outcome::Purchase`]
    Purchase {
        /// Which order.
        order: String,
    },
    /// A receipt as a file that verifies offline. → [`Outcome::Receipt`]
    ExportReceipt {
        /// The transaction number on it.
        number: EntryNumber,
        /// Whether the order is opened in it, for whoever shall see what was bought.
        with_order: bool,
    },
    /// Looks at everything in a receipt file under the root key that this vault pins. → [`Outcome::Verification`]
    VerifyReceipt {
        /// The file's content.
        content: String,
    },
    /// The telegrams that wait, and those that ended. → [`Outcome::Outbox`]
    Outbox,
    /// Asks the center about every telegram that waits. → [`Outcome::Resolved`]
    Resolve,
    /// Takes back a telegram that has not left, or asks the center to void one that may have. → [`Outcome::Resolved`]
    Withdraw {
        /// Which.
        telegram: TelegramId,
    },
    /// Looks at keys, clock and connection. → [`Outcome::Doctor`]
    Doctor,
    /// Replaces the cart. → [`Outcome::Done`]
    KeepCart {
        /// Its lines.
        lines: Vec<CartLine>,
    },
    /// Changes password A. → [`Outcome::Done`]
    ChangePasswordA {
        /// The old one.
        old: Password,
        /// The new one.
        new: Password,
    },
    /// Changes password B. → [`Outcome::Done`]
    ChangePasswordB {
        /// The old one.
        old: Password,
        /// The new one.
        new: Password,
    },
}

/// What an act brought.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The whole state.
    Status(Box<Snapshot>),
    /// How to pay for the card that was asked for.
    Funding(FundingRow),
    /// The cards.
    Cards(Vec<CardRow>),
    /// Stores.
    Stores(Vec<StoreRow>),
    /// Items of a catalogue.
    Items(Vec<ItemRow>),
    /// An item.
    Item(ItemRow),
    /// A signed offer to review.
    Offered(Box<Offered>),
    /// A purchase.
    Purchase(Box<PurchaseDetail>),
    /// Goods on disk.
    Fetched(FetchedGoods),
    /// Purchases.
    History(Vec<PurchaseRow>),
    /// A receipt file.
    Receipt(Exported),
    /// What became of every check.
    Verification(Verification),
    /// The outbox.
    Outbox(Vec<OutboxRow>),
    /// What became of what waited.
    Resolved(Vec<Resolved>),
    /// Keys, clock and connection.
    Doctor(Box<Findings>),
    /// Done; there is nothing to say.
    Done,
}

impl Outcome {
    /// The `data` of the JSON envelope: an object; lists stand under their name.
    pub fn data(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Self::Status(snapshot) => json!(snapshot),
            Self::Funding(funding) => json!(funding),
            Self::Cards(cards) => json!({ "cards": cards }),
            Self::Stores(stores) => json!({ "stores": stores }),
            Self::Items(items) => json!({ "items": items }),
            Self::Item(item) => json!(item),
            Self::Offered(offered) => json!(offered),
            Self::Purchase(purchase) => json!(purchase),
            Self::Fetched(goods) => json!(goods),
            Self::History(purchases) => json!({ "purchases": purchases }),
            Self::Receipt(exported) => json!(exported),
            Self::Verification(verification) => json!(verification),
            Self::Outbox(telegrams) => json!({ "telegrams": telegrams }),
            Self::Resolved(telegrams) => json!({ "telegrams": telegrams }),
            Self::Doctor(findings) => json!(findings),
            Self::Done => json!({}),
        }
    }
}

/// Why an act was not done, in one sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure, for scripts and for what is offered next.
    pub kind: FailureKind,
    /// What is wrong, where, and what to do.
    pub message: String,
    /// After how many milliseconds a password may be tried, where one came too soon to be tried at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_ms: Option<u64>,
}

impl Failure {
    /// A failure in words.
    pub fn new(kind: FailureKind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string(), retry_ms: None }
    }

    /// The center or the store said no.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Refused, message)
    }

    /// Nobody said what became of it.
    pub fn unknown(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Unknown, message)
    }

    /// Nobody could be reached.
    pub fn offline(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Offline, message)
    }

    /// What came contradicts what was signed or seen.
    pub fn contradiction(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Contradiction, message)
    }

    /// There is no such thing.
    pub fn not_found(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::NotFound, message)
    }

    /// Not in this state.
    pub fn not_possible(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::NotPossible, message)
    }

    /// The machine did not do it.
    pub fn machine(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Machine, message)
    }
}

impl From<vault::Error> for Failure {
    fn from(error: vault::Error) -> Self {
        let kind = match &error {
            vault::Error::WrongPassword { .. } | vault::Error::TooSoon { .. } => FailureKind::WrongPassword,
            vault::Error::Held { .. } => FailureKind::Held,
            vault::Error::Unfit { .. } => FailureKind::NotPossible,
            vault::Error::NoVault(_) => FailureKind::NotFound,
            _ => FailureKind::Machine,
        };
        let retry_ms = match &error {
            vault::Error::TooSoon { retry_after, .. } => u64::try_from(retry_after.as_millis()).ok(),
            _ => None,
        };
        Self { retry_ms, ..Self::new(kind, error) }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_password_never_shows_itself() {
        let act = Act::Pay { order: "abc".into(), card: None, password_b: "correct horse".into() };
        assert!(!format!("{act:?}").contains("horse"));
        let told = serde_json::to_string(&act).unwrap();
        let Act::Pay { password_b, .. } = serde_json::from_str(&told).unwrap() else { panic!("another act") };
        assert_eq!(password_b.0.expose_secret(), "correct horse");
    }
}
