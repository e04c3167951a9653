//! What can be asked of the books.
//!
//! | part | requests |
//! |---|---|
//! | `joining` | applications that are decided, codes, registrations |
//! | `keys` | key changes, cashiers |
//! | `money` | cards, credits, payments, refunds, claims |
//! | `staff` | settings, operators, acts for two |

mod joining;
mod keys;
mod money;
mod staff;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use wire::{
    admission::Way,
    id::{AccountNumber, ApplicationNumber, Digest, EntryNumber, TelegramId},
    key::VerificationKey,
    payload::KeyRole,
    time::Timestamp,
};

pub use self::{
    joining::{Admission, Document, PostResult, Registration},
    keys::{CashierChange, KeyCancel, KeyChange},
    money::{CardRequest, Claim, Credit, DeliveryProof, Payment, Refund, TransferResult, Void},
    staff::{DeskLimits, OperatorRole, Person, Proposed, Settings, Standing},
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
        /// Who did it; `None` at the founding.
        by: Option<String>,
    },
    /// An operator is added or changed.
    Operator {
        /// The operator's name.
        name: String,
        /// The role; `None` takes the operator off.
        role: Option<OperatorRole>,
        /// The digest of the operator's public SSH key, as it stands in a line of `authorized_keys`.
        key: Digest,
        /// Who did it; `None` at the founding.
        by: Option<String>,
    },
    /// Someone who was admitted registers.
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
    /// An applicant is admitted.
    Admit(Admission),
    /// Someone who was admitted gets a new activation code; the former one counts no more. The entry is the intent of the
    /// mail or letter.
    Recode {
        /// The operator.
        by: String,
        /// The admission's entry.
        admission: EntryNumber,
        /// The new code counts until then.
        until: Timestamp,
        /// Another key than the one that applied may register from now on.
        key: Option<VerificationKey>,
        /// How the new code goes out; at least one, none twice.
        ways: Vec<Way>,
        /// Why.
        reason: String,
    },
    /// An applicant is refused or asked back. The words lie in the cabinet.
    Decline {
        /// The operator; `None` where the center lets an application lapse.
        by: Option<String>,
        /// Which application.
        application: ApplicationNumber,
        /// Whether the applicant may amend it; otherwise it is refused for ever.
        ask_back: bool,
        /// The salted hash of the particulars that were looked at.
        particulars: Digest,
        /// What binds the words.
        reason: Digest,
    },
    /// What became of a mail or letter that an entry intended.
    Posted {
        /// The entry that intended it.
        intent: EntryNumber,
        /// Which way.
        way: Way,
        /// What became of it.
        result: PostResult,
    },
    /// A recovery key that waits is cancelled.
    CancelKeyChange(KeyCancel),
    /// The desk puts a recovery key in force whose time to be cancelled is over.
    KeyInForce {
        /// Whose.
        account: AccountNumber,
        /// The entry of the change.
        change: EntryNumber,
    },
    /// An operator revokes an account's key.
    Revoke {
        /// The operator.
        by: String,
        /// Whose key.
        account: AccountNumber,
        /// Which key.
        role: KeyRole,
        /// Why.
        reason: String,
    },
    /// A store certifies a cashier or takes the rights away.
    Cashier(CashierChange),
    /// An operator gives a payment back to the card it came from.
    CenterRefund {
        /// The operator.
        by: String,
        /// The payment's entry.
        payment: EntryNumber,
        /// Why.
        reason: String,
    },
    /// A document gets a new version. The content is the entry's evidence.
    Document {
        /// The operator; `None` for the first version, which comes with the founding.
        by: Option<String>,
        /// Which.
        document: Document,
        /// One more than the version in force; the first is 1.
        version: u32,
        /// What binds the content.
        digest: Digest,
    },
    /// The limits up to which one operator acts alone are set.
    Limits {
        /// The operator.
        by: String,
        /// The limits.
        limits: DeskLimits,
    },
    /// Personal data is about to be shown to an operator.
    Reveal {
        /// The operator.
        by: String,
        /// Whose.
        of: Person,
        /// Why.
        reason: String,
    },
    /// All personal data of one person is about to be handed out.
    Export {
        /// The operator.
        by: String,
        /// Whose.
        of: Person,
        /// Why.
        reason: String,
    },
    /// The personal data of one person is about to be erased.
    Erase {
        /// The operator.
        by: String,
        /// Whose.
        of: Person,
        /// Why.
        reason: String,
    },
    /// An operator proposes an act, which another is to confirm.
    Propose {
        /// The operator.
        by: String,
        /// The act.
        act: Box<Proposed>,
    },
    /// Another operator confirms a proposal, which is done by that.
    Confirm {
        /// The operator.
        by: String,
        /// The proposal's entry.
        proposal: EntryNumber,
        /// What is confirmed: the act of the proposal, as it was seen.
        act: Box<Proposed>,
    },
    /// A proposal is dropped, by whoever proposed it or another.
    Withdraw {
        /// The operator.
        by: String,
        /// The proposal's entry.
        proposal: EntryNumber,
    },
    /// An operator did something that changes nothing in the books; it is entered so that it is known.
    Note {
        /// The operator.
        by: String,
        /// What was done.
        act: OperatorAct,
    },
}

/// What an operator does beside the books. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperatorAct {
    /// A program is about to be offered in the admission kit.
    KitAdd {
        /// Its SHA-256.
        digest: Digest,
    },
    /// A program is about to be offered no more.
    KitRemove {
        /// Its SHA-256.
        digest: Digest,
    },
    /// The clock, which jumped, is right.
    AcceptClock,
    /// The operator took another passphrase.
    OwnPassphrase,
    /// A mail or letter is tried again.
    PostRetry {
        /// Its name, which derives from an entry.
        name: String,
    },
}

impl OperatorAct {
    /// The least role that may do it.
    pub fn needs(&self) -> OperatorRole {
        match self {
            Self::KitAdd { .. } | Self::KitRemove { .. } | Self::AcceptClock => OperatorRole::Admin,
            Self::PostRetry { .. } => OperatorRole::Clerk,
            Self::OwnPassphrase => OperatorRole::Viewer,
        }
    }
}

/// What every request that came as a telegram has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// Its telegram.
    pub telegram: TelegramId,
    /// The account that signed it; whoever registers has none yet.
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
            Self::CancelKeyChange(it) => signed(it.telegram, Some(it.account), it.valid_until),
            Self::Cashier(it) => signed(it.telegram, store(it.store), it.valid_until),
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
            | Self::Lapse { .. }
            | Self::Admit(_)
            | Self::Recode { .. }
            | Self::Decline { .. }
            | Self::Posted { .. }
            | Self::KeyInForce { .. }
            | Self::Revoke { .. }
            | Self::CenterRefund { .. }
            | Self::Document { .. }
            | Self::Limits { .. }
            | Self::Reveal { .. }
            | Self::Note { .. }
            | Self::Export { .. }
            | Self::Erase { .. }
            | Self::Propose { .. }
            | Self::Confirm { .. }
            | Self::Withdraw { .. } => None,
        }
    }

    /// What is done where it is done: a confirmation's act as the request of whoever confirms it, everything else itself.
    /// Whoever looks at what an entry brought about looks at this.
    pub fn effective(&self) -> Cow<'_, Self> {
        match self {
            Self::Confirm { by, act, .. } => Cow::Owned(act.request(by)),
            other => Cow::Borrowed(other),
        }
    }
}
