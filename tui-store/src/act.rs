//! Everything that a person can do here, as data: subcommands, the control socket and the screens speak it alike.

mod cashiers;

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};
use wire::{
    id::{EntryNumber, TelegramId},
    payload::{KeyRole, RefundReason},
    terminal::LineError,
};

pub use cashiers::CashierAct;
pub use tui_kit::cli::{FailureKind, Password};

use crate::view::{
    CashierRow, CatalogueView, Claimable, DrillRow, Exported, ExportedTelegram, Findings, KeysView, KitRow,
    OrderDetail, OrderRow, OrderStanding, OutboxRow, PayoutRow, Resolved, Snapshot, StoreLineRow,
    TextReceiptFiles, Verification,
};

/// What can be asked of a store's program whose vault is open.
///
/// `order` is an order's hash, an unambiguous beginning of it of at least six digits, or the transaction number of its
/// payment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Act {
    /// All that the home screen shows. → [`Outcome::Status`]
    Status,
    /// Logs in, takes the mail, asks about everything unknown. → [`Outcome::Status`]
    Sync,
    /// Orders, newest first. → [`Outcome::Orders`]
    Orders {
        /// Only those that stand so.
        state: Option<OrderStanding>,
    },
    /// One order in full. → [`Outcome::Order`]
    Order {
        /// Which.
        order: String,
    },
    /// Gives payments back, each whole. → [`Outcome::Resolved`]
    Refund {
        /// Which payments.
        payments: Vec<EntryNumber>,
        /// All payments that are due to be given back, besides.
        all_due: bool,
        /// Why; without it, what the store knows about the payment.
        reason: Option<RefundReason>,
        /// Opens the signature key; none while password B is open.
        password_b: Option<Password>,
        /// Whether they are sent at once.
        #[serde(default)]
        sending: Sending,
    },
    /// What can be claimed. → [`Outcome::Claimable`]
    Claimable,
    /// Claims money from the center. → [`Outcome::Resolved`]
    Claim {
        /// Which payments; with none, all that can be claimed.
        payments: Vec<EntryNumber>,
        /// Opens the signature key; none while password B is open.
        password_b: Option<Password>,
        /// Whether it is sent at once.
        #[serde(default)]
        sending: Sending,
    },
    /// Claims and their payouts, newest first. → [`Outcome::Payouts`]
    Payouts,
    /// The telegrams that wait, and those that ended. → [`Outcome::Outbox`]
    Outbox,
    /// Asks the center about every telegram that waits. → [`Outcome::Resolved`]
    Resolve,
    /// Takes back a telegram that has not left, or asks the center to void one that may have. → [`Outcome::Resolved`]
    Withdraw {
        /// Which.
        telegram: TelegramId,
    },
    /// Something about cashiers; the answer is named there.
    Cashiers {
        /// What.
        what: CashierAct,
    },
    /// Looks at keys, clock and line. → [`Outcome::Doctor`]
    Doctor,
    /// What is sold. → [`Outcome::Catalogue`]
    Catalogue,
    /// Sells from this folder from now on. → [`Outcome::Catalogue`]
    ChooseCatalogue {
        /// The folder.
        folder: PathBuf,
    },
    /// A receipt as a file that verifies offline. → [`Outcome::Receipt`]
    ExportReceipt {
        /// The transaction number on it.
        number: EntryNumber,
        /// Whether the order is opened in it, for whoever shall see what was sold.
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
    /// Sends what was prepared and never left: one telegram, or all. → [`Outcome::Resolved`]
    Send {
        /// Which; all when none is named.
        telegram: Option<TelegramId>,
    },
    /// A telegram that waits as a file, which only this vault takes in. → [`Outcome::Telegram`]
    ExportTelegram {
        /// Which.
        telegram: TelegramId,
    },
    /// Takes an exported telegram in. → [`Outcome::Outbox`]
    ImportTelegram {
        /// The file, in base 64.
        content: String,
    },
    /// The keys, and what the center states of them. → [`Outcome::Keys`]
    Keys,
    /// Puts a new key in the place of the signature or the terminal key. → [`Outcome::Resolved`]
    Rotate {
        /// Which.
        role: KeyRole,
        /// Opens the signature key.
        password_b: Password,
    },
    /// Revokes a key, with password B or with the phrase. → [`Outcome::Resolved`]
    Revoke {
        /// Which.
        role: KeyRole,
        /// Opens the signature key.
        password_b: Option<Password>,
        /// The recovery phrase.
        phrase: Option<Password>,
    },
    /// Takes a new recovery phrase. → [`Outcome::Resolved`]
    NewPhrase {
        /// The new phrase.
        phrase: Password,
        /// Whether words of it were asked back and right.
        confirmed: bool,
        /// The old one, with which the new one is in force at once.
        old: Option<Password>,
        /// Opens the signature key.
        password_b: Password,
    },
    /// Cancels a new recovery key that waits. → [`Outcome::Resolved`]
    CancelChange {
        /// The phrase in force.
        phrase: Password,
    },
    /// Tries a restore with the copy that lies with the center. → [`Outcome::Drill`]
    Drill {
        /// The phrase.
        phrase: Password,
    },
    /// Deposits a copy of the vault with the center, where something has changed. → [`Outcome::Keys`]
    Deposit,
    /// Acknowledges that the center's statement of the store's keys has what this terminal did not make.
    /// → [`Outcome::Done`]
    AcknowledgeKeys,
    /// The newest admission kit. → [`Outcome::Kit`]
    Kit,
    /// Downloads the newer build of this program that the kit offers. → [`Outcome::Build`]
    DownloadBuild,
    /// Opens password B for some minutes. → [`Outcome::Done`]
    OpenSigning {
        /// Opens the signature key.
        password_b: Password,
        /// For how many minutes, 1 to 60.
        minutes: u32,
    },
    /// Closes password B again. → [`Outcome::Done`]
    CloseSigning,
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

/// When a refund or claim that is signed leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sending {
    /// At once; without a line nothing is signed.
    #[default]
    AtOnce,
    /// Not now: it waits in the outbox until a person sends it.
    Later,
    /// At once where the center can be reached, and later where it can't.
    IfReached,
}

/// What an act brought.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The whole state.
    Status(Box<Snapshot>),
    /// Orders.
    Orders(Vec<OrderRow>),
    /// An order.
    Order(Box<OrderDetail>),
    /// What can be claimed.
    Claimable(Claimable),
    /// Payouts.
    Payouts(Vec<PayoutRow>),
    /// The outbox.
    Outbox(Vec<OutboxRow>),
    /// What became of what was sent or asked about.
    Resolved(Vec<Resolved>),
    /// The catalogue.
    Catalogue(Box<CatalogueView>),
    /// A receipt file.
    Receipt(Exported),
    /// A receipt as text.
    TextReceipt(Box<TextReceiptFiles>),
    /// What became of every check.
    Verification(Verification),
    /// What a doctor found.
    Doctor(Box<Findings>),
    /// A telegram as a file.
    Telegram(ExportedTelegram),
    /// The keys.
    Keys(Box<KeysView>),
    /// A restore drill that gave back everything.
    Drill(DrillRow),
    /// The admission kit.
    Kit(Box<KitRow>),
    /// A build of this program that was downloaded and checked.
    Build(PathBuf),
    /// Everybody who is or was a cashier.
    Cashiers(Vec<CashierRow>),
    /// The line that cashiers' terminals join with.
    StoreLine(StoreLineRow),
    /// Done; there is nothing to say.
    Done,
}

impl Outcome {
    /// The `data` of the JSON envelope: an object; lists stand under their name.
    pub fn data(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Self::Status(snapshot) => json!(snapshot),
            Self::Orders(orders) => json!({ "orders": orders }),
            Self::Order(order) => json!(order),
            Self::Claimable(claimable) => json!(claimable),
            Self::Payouts(payouts) => json!({ "payouts": payouts }),
            Self::Outbox(telegrams) => json!({ "telegrams": telegrams }),
            Self::Resolved(telegrams) => json!({ "telegrams": telegrams }),
            Self::Catalogue(catalogue) => json!(catalogue),
            Self::Receipt(exported) => json!(exported),
            Self::TextReceipt(files) => json!(files),
            Self::Verification(verification) => json!(verification),
            Self::Doctor(findings) => json!(findings),
            Self::Telegram(exported) => json!(exported),
            Self::Keys(keys) => json!(keys),
            Self::Drill(drill) => json!(drill),
            Self::Kit(kit) => json!(kit),
            Self::Build(path) => json!({ "file": path }),
            Self::Cashiers(cashiers) => json!({ "cashiers": cashiers }),
            Self::StoreLine(line) => json!(line),
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
}

impl Failure {
    /// A failure in words.
    pub fn new(kind: FailureKind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string() }
    }

    /// The center said no.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Refused, message)
    }

    /// Nobody said what became of it.
    pub fn unknown(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Unknown, message)
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
        Self::new(kind, error)
    }
}

impl From<LineError> for Failure {
    fn from(error: LineError) -> Self {
        let kind = match &error {
            LineError::Link(_) => FailureKind::Offline,
            LineError::Problem(_) | LineError::Version { .. } => FailureKind::Refused,
            LineError::Sheet(_) | LineError::Contradiction(_) | LineError::Evidence(_) => {
                FailureKind::Contradiction
            }
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_password_never_shows_itself() {
        let act = Act::Claim {
            payments: Vec::new(),
            password_b: Some("correct horse".into()),
            sending: Sending::default(),
        };
        assert!(!format!("{act:?}").contains("horse"));
        let told = serde_json::to_string(&act).unwrap();
        let Act::Claim { password_b, .. } = serde_json::from_str(&told).unwrap() else {
            panic!("another act")
        };
        assert_eq!(password_b.unwrap().0.expose_secret(), "correct horse");
    }
}
