//! The center's forms and what is filled in.

use serde::{Deserialize, Serialize};

use crate::{
    bounded::List,
    id::{Digest, Role},
    limits,
    text::{Line, Prose},
};

/// What a form's field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// One line.
    Line,
    /// Several lines.
    Prose,
    /// A date, `YYYY-MM-DD`.
    Date,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A bank account: an IBAN, or `bank/branch/number`.
    BankAccount,
    /// A name's sound: hiragana, katakana, blanks and the middle dot.
    Kana,
    /// A whole number.
    Number,
    /// Yes or no.
    Consent,
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in [`Particulars`].
    pub key: Line,
    /// What stands beside it on the screen.
    pub label: Line,
    /// A sentence of help.
    pub help: Line,
    /// What it takes.
    pub kind: FieldKind,
    /// Whether it must be filled in.
    pub required: bool,
    /// The most characters it takes.
    pub max_chars: u16,
}

/// The center's form for one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// For whom.
    pub role: Role,
    /// Counts up with every change.
    pub version: u32,
    /// The fields, in the order of the screen.
    pub fields: List<Field, { limits::FORM_FIELDS }>,
    /// The terms that signing accepts.
    pub terms: Prose,
}

impl Form {
    /// The hash of the terms, which a registration signs.
    pub fn terms_hash(&self) -> Digest {
        Digest::of(&[b"inkan/v1/terms", self.terms.as_bytes()])
    }
}

/// A filled-in form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Particulars {
    /// The form's version.
    pub form: u32,
    /// Field keys and what was filled in, in the form's order.
    pub fields: List<(Line, Prose), { limits::FORM_FIELDS }>,
}

impl Particulars {
    /// What was filled in for a key; empty when nothing was.
    pub fn field(&self, key: &str) -> &str {
        self.fields.iter().find(|(name, _)| name.as_str() == key).map_or("", |(_, value)| value.as_str())
    }
}

/// The keys of the fields that the center itself reads; a form may have more.
pub mod field {
    /// A member's name.
    pub const NAME: &str = "name";
    /// How a member's name sounds.
    pub const KANA: &str = "kana";
    /// A postal address.
    pub const ADDRESS: &str = "address";
    /// A member's date of birth.
    pub const BORN: &str = "born";
    /// An e-mail address.
    pub const EMAIL: &str = "email";
    /// A telephone number.
    pub const PHONE: &str = "phone";
    /// The name a store trades under; it is public.
    pub const TRADE_NAME: &str = "trade_name";
    /// Whom to talk to at a store.
    pub const CONTACT: &str = "contact";
    /// The holder of a store's bank account.
    pub const ACCOUNT_HOLDER: &str = "account_holder";
    /// A store's bank account.
    pub const BANK_ACCOUNT: &str = "bank_account";
    /// The BIC of a store's bank, where its account is no IBAN or the bank wants it.
    pub const BIC: &str = "bic";
}
