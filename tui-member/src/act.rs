//! Everything that a person can do here, as data: subcommands, the control socket and the screens speak it alike.

mod custody;
mod failure;

use serde::{Deserialize, Serialize};
use wire::{
    id::{CardNumber, EntryNumber, StoreNumber, TelegramId},
    text::Line,
    till::PickUpCode,
};

pub use custody::CustodyAct;
pub use failure::Failure;
pub use tui_kit::cli::{FailureKind, Password};

use crate::view::{
    CardRow, DrillRow, Exported, ExportedTelegram, FetchedBuild, FetchedGoods, Findings, FundingRow, ItemRow,
    KeysView, KitView, Offered, OutboxRow, PurchaseDetail, PurchaseRow, Resolved, Snapshot, Standing,
    StoreRow, TextReceiptFiles, Verification,
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
    /// Asks for a prepaid card, paid by bank transfer. → [`Outcome::Funding`], or [`Outcome::Prepared`]
    RequestCard {
        /// How much it is to hold, as a person writes it.
        amount: String,
        /// Opens the signature key; none while it is open for a while.
        password_b: Option<Password>,
        /// Whether it is signed without a line and waits in the outbox.
        #[serde(default)]
        prepare: bool,
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
    /// Takes up what a cashier of a store sold, with the code that the cashier shows, and gets the store's offer: what the
    /// review shows. → [`Outcome::Offered`]
    TakeUp {
        /// The store.
        store: StoreNumber,
        /// The code.
        code: PickUpCode,
    },
    /// Pays an offered order. → [`Outcome::Purchase`], or [`Outcome::Prepared`]
    Pay {
        /// Which order.
        order: String,
        /// From which card; without one, the first that holds enough.
        card: Option<CardNumber>,
        /// Opens the signature key; none while it is open for a while.
        password_b: Option<Password>,
        /// Whether it is signed without a line and waits in the outbox.
        #[serde(default)]
        prepare: bool,
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
    /// A receipt as text under the center's signature, which OpenSSH verifies; asks the center. →
    /// [`Outcome::TextReceipt`]
    TextReceipt {
        /// The transaction number on it.
        number: EntryNumber,
    },
    /// Looks at everything in a receipt file, or a file of evidence, under the root key that this vault pins. →
    /// [`Outcome::Verification`]
    VerifyReceipt {
        /// The file's content.
        content: String,
    },
    /// The telegrams that wait, and those that ended. → [`Outcome::Outbox`]
    Outbox,
    /// Asks the center about every telegram that may have left. → [`Outcome::Resolved`]
    Resolve,
    /// Sends a telegram that was prepared, or all of them; one that may have left is asked about.
    /// → [`Outcome::Resolved`]
    Send {
        /// Which; none for all.
        telegram: Option<TelegramId>,
    },
    /// A telegram that waits, as a sealed file. → [`Outcome::Telegram`]
    ExportTelegram {
        /// Which.
        telegram: TelegramId,
    },
    /// Takes an exported telegram in again, on the same profile. → [`Outcome::Prepared`]
    ImportTelegram {
        /// The file's content in base 64.
        content: String,
    },
    /// Takes back a telegram that has not left, or asks the center to void one that may have. → [`Outcome::Resolved`]
    Withdraw {
        /// Which.
        telegram: TelegramId,
    },
    /// Looks at keys, clock and connection. → [`Outcome::Doctor`]
    Doctor,
    /// Keys, recovery, the admission kit, joining.
    Custody(CustodyAct),
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
    /// A receipt as text.
    TextReceipt(Box<TextReceiptFiles>),
    /// What became of every check.
    Verification(Verification),
    /// The outbox.
    Outbox(Vec<OutboxRow>),
    /// What became of what waited.
    Resolved(Vec<Resolved>),
    /// Keys, clock and connection.
    Doctor(Box<Findings>),
    /// What was signed and waits in the outbox.
    Prepared(Box<OutboxRow>),
    /// A telegram as a file.
    Telegram(ExportedTelegram),
    /// All keys.
    Keys(Box<KeysView>),
    /// A drill that gave back everything.
    Drill(DrillRow),
    /// The admission kit.
    Kit(Box<KitView>),
    /// A program from the kit.
    Build(FetchedBuild),
    /// Where joining stands.
    Standing(Box<Standing>),
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
            Self::TextReceipt(files) => json!(files),
            Self::Verification(verification) => json!(verification),
            Self::Outbox(telegrams) => json!({ "telegrams": telegrams }),
            Self::Resolved(telegrams) => json!({ "telegrams": telegrams }),
            Self::Doctor(findings) => json!(findings),
            Self::Prepared(row) => json!({ "prepared": row }),
            Self::Telegram(telegram) => json!(telegram),
            Self::Keys(keys) => json!(keys),
            Self::Drill(drill) => json!(drill),
            Self::Kit(kit) => json!(kit),
            Self::Build(build) => json!(build),
            Self::Standing(standing) => json!(standing),
            Self::Done => json!({}),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_password_never_shows_itself() {
        let act = Act::Pay {
            order: "abc".into(),
            card: None,
            password_b: Some("correct horse".into()),
            prepare: false,
        };
        assert!(!format!("{act:?}").contains("horse"));
        let told = serde_json::to_string(&act).unwrap();
        let Act::Pay { password_b, .. } = serde_json::from_str(&told).unwrap() else { panic!("another act") };
        assert_eq!(password_b.unwrap().0.expose_secret(), "correct horse");
    }
}
