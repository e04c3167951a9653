//! Requests of joining: applications that are decided, codes and mail that go out, registrations.

use serde::{Deserialize, Serialize};
use wire::{
    admission::Way,
    id::{AccountNumber, ApplicationNumber, Digest, EntryNumber, Role, TelegramId},
    key::VerificationKey,
    time::Timestamp,
};

/// An applicant is admitted: the account number is reserved, and number and activation code go out. The entry is the
/// intent of that mail or letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    /// The operator; `None` where the center's own rule admits.
    pub by: Option<String>,
    /// Which application.
    pub application: ApplicationNumber,
    /// As what.
    pub role: Role,
    /// The signature key that applied, and that alone may register.
    pub key: VerificationKey,
    /// The salted hash of the particulars that were looked at; the registration must bind the same.
    pub particulars: Digest,
    /// The account whose lost terminal the applicant replaces.
    pub replaces: Option<AccountNumber>,
    /// The code counts until then.
    pub until: Timestamp,
    /// How number and code go out; at least one, none twice.
    pub ways: Vec<Way>,
}

/// A newcomer's registration, or that of an owner whose lost terminal is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Its telegram.
    pub telegram: TelegramId,
    /// The number that was reserved.
    pub account: AccountNumber,
    /// The application that was admitted.
    pub application: ApplicationNumber,
    /// The entry that admitted it: [`State::admission_of`](crate::State::admission_of).
    pub admission: EntryNumber,
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

/// What became of a mail or a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PostResult {
    /// The mail was accepted, the letter printed.
    Done,
    /// An operator gave it up.
    GivenUp {
        /// The operator.
        by: String,
    },
}

/// What the center says of itself and operators edit. Its content is the evidence of the entry that
/// [`State::document`](crate::State::document) names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Document {
    /// The guide page for a role.
    Guide(Role),
    /// The form for a role.
    Form(Role),
    /// The terms of use.
    Terms,
    /// How the center admits: by desk or by rule, how long a code counts, what a vault costs, the texts of mails.
    Policy,
}
