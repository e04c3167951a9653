//! Joining, before there is an account: guide page, application, admission kit, activation code.
//!
//! | step | said |
//! |---|---|
//! | 1 | anyone reads the [`Guide`] |
//! | 2, 3 | the visitor fetches the [`crate::message::Form`] |
//! | 4 | the [`Application`] is sent, signed by the key that will be registered; its state can be asked at any time |
//! | 5 | the terminal downloads the [`Kit`] and checks it |
//! | 6 | operators or a rule admit; number and [`ActivationCode`] go out by mail or letter |
//! | 7 | the [`crate::payload::Registration`], with the code beside it |

use std::{fmt, str::FromStr};

use data_encoding::{Encoding, Specification};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    amount::Currency,
    bounded::{Bytes, List},
    id::{AccountNumber, ApplicationNumber, CenterId, Digest, Nonce, Role, Salt},
    key::VerificationKey,
    limits,
    telegram::{Kind, Payload, Telegram},
    text::{Line, Prose},
    time::Timestamp,
};

/// What the center tells anyone who connects, before any registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guide {
    /// For whom.
    pub role: Role,
    /// Counts up with every change.
    pub version: u32,
    /// The page. Lines that begin with `#` are headings, lines that begin with `-` are points of a list.
    pub text: Prose,
}

/// The wish to be looked at. Signed with the signature key that is to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// The center it is for.
    pub center: CenterId,
    /// As what.
    pub role: Role,
    /// The public half of the signature key that will be registered.
    pub verification_key: VerificationKey,
    /// The terminal key, which asks how the application stands.
    pub terminal_key: VerificationKey,
    /// [`crate::payload::particulars_hash`] of what travels beside.
    pub particulars: Digest,
    /// The application that was asked back and is amended by this one.
    pub amends: Option<ApplicationNumber>,
    /// The account whose lost terminal this one is to replace.
    pub replaces: Option<AccountNumber>,
    /// Makes it unlike every other.
    pub nonce: Nonce,
    /// Not to be taken after this.
    pub valid_until: Timestamp,
}

impl Payload for Application {
    const KIND: Kind = Kind::Application;
}

/// An application with all that travels beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyCall {
    /// The [`Application`].
    pub telegram: Telegram,
    /// The encoded [`crate::message::Particulars`].
    pub particulars: Bytes<{ limits::PARTICULARS }>,
    /// The salt under which the application binds them, and later the registration.
    pub salt: Salt,
}

/// What a terminal key signs to ask how an application stands:
/// `inkan/v1/application-state ‖ 0 ‖ center ‖ number ‖ TLS exporter`.
pub fn application_message(center: &CenterId, number: ApplicationNumber, exporter: &[u8; 32]) -> Vec<u8> {
    [b"inkan/v1/application-state\0".as_slice(), &center.0, &number.0.to_le_bytes(), exporter].concat()
}

/// How an application stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationView {
    /// Its number.
    pub number: ApplicationNumber,
    /// When the center took it.
    pub received: Timestamp,
    /// Since when it stands so.
    pub since: Timestamp,
    /// How it stands.
    pub state: ApplicationState,
}

/// The states of an application. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApplicationState {
    /// Nobody has decided.
    Waiting,
    /// Something is missing; the applicant amends it and applies again.
    AskedBack {
        /// What.
        words: Prose,
    },
    /// The center does not admit the applicant.
    Refused {
        /// Why.
        words: Prose,
    },
    /// Number and activation code are on their way.
    Admitted {
        /// The ways they go.
        ways: List<Way, 2>,
        /// The code counts until then.
        until: Timestamp,
    },
    /// The code ran out or was mistyped too often; the center can send another.
    CodeSpent,
    /// Registered.
    Registered {
        /// Under this number.
        account: AccountNumber,
    },
}

/// How number and code reach an applicant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// By e-mail.
    Mail,
    /// By a printed letter.
    Letter,
}

impl Way {
    /// Words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Mail => "by e-mail",
            Self::Letter => "by letter",
        }
    }
}

/// What a terminal needs to join, in one piece. Signed with the sheet's statement key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kit {
    /// The center.
    pub center: CenterId,
    /// Counts up with every change.
    pub number: u64,
    /// When it was made.
    pub issued: Timestamp,
    /// The newest signed [`crate::sheet::KeySheet`].
    pub sheet: Telegram,
    /// The terms of use.
    pub terms: Terms,
    /// How costly a vault's passwords are at least.
    pub vault: VaultPolicy,
    /// The center's currency.
    pub currency: Currency,
    /// The programs that the center offers.
    pub builds: List<Build, { limits::BUILDS }>,
}

impl Payload for Kit {
    const KIND: Kind = Kind::Kit;
}

/// The terms of use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Counts up with every change.
    pub version: u32,
    /// The terms.
    pub text: Prose,
}

impl Terms {
    /// What a registration signs: `SHA-256("inkan/v1/terms" ‖ text)`.
    pub fn hash(&self) -> Digest {
        Digest::of(&[b"inkan/v1/terms", self.text.as_bytes()])
    }
}

/// The floor of Argon2id in vaults of this center.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultPolicy {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
}

/// A program that the center offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Its name, like `tui-member`.
    pub program: Line,
    /// The platform as a target triple, like `x86_64-unknown-linux-gnu`.
    pub platform: Line,
    /// Its version (semver.org).
    pub version: Line,
    /// Its length in bytes, at most [`limits::BUILD`].
    pub length: u64,
    /// Its SHA-256.
    pub digest: Digest,
}

/// The letters of Crockford's base 32 (<https://www.crockford.com/base32.html>), which leave out I, L, O and U.
pub(crate) static CROCKFORD: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    specification.translate.from.push_str("abcdefghjkmnpqrstvwxyzOoIiLl");
    specification.translate.to.push_str("ABCDEFGHJKMNPQRSTVWXYZ001111");
    specification.ignore.push_str(" -\t\r\n");
    specification.encoding().expect("the specification is of 32 letters, each once")
});

/// Eighty random bits that came by mail or letter: what an applicant types to register. It never prints by itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationCode([u8; 10]);

/// Words for a code that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an activation code has 16 letters and digits, like 7K2M-9QXD-4HTV-0B3E; compare it with the mail or letter"
)]
pub struct CodeError;

impl ActivationCode {
    /// A fresh code from the operating system's randomness.
    pub fn generate() -> Self {
        let mut bytes = [0; 10];
        crate::key::random(&mut bytes);
        Self(bytes)
    }

    /// What a registration signs of it: `SHA-256("inkan/v1/activation" ‖ salt ‖ code)`, the salt being that of the
    /// particulars.
    pub fn hash(&self, salt: &Salt) -> Digest {
        Digest::of(&[b"inkan/v1/activation", &salt.0, &self.0])
    }

    /// The ten bytes, for whoever keeps a keyed hash of them.
    pub fn bytes(&self) -> &[u8; 10] {
        &self.0
    }

    /// The code as people type it: four groups of four, for a mail or a letter.
    pub fn print(&self) -> Zeroizing<String> {
        let letters = Zeroizing::new(CROCKFORD.encode(&self.0));
        let mut groups = Zeroizing::new(String::with_capacity(19));
        for (at, letter) in letters.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                groups.push('-');
            }
            groups.push(letter);
        }
        groups
    }
}

impl FromStr for ActivationCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        // Nothing sensible is longer, and whatever is longer costs nothing.
        if text.len() > 200 {
            return Err(CodeError);
        }
        let bytes = Zeroizing::new(CROCKFORD.decode(text.as_bytes()).map_err(|_| CodeError)?);
        bytes.as_slice().try_into().map(Self).map_err(|_| CodeError)
    }
}

impl fmt::Debug for ActivationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActivationCode(..)")
    }
}

impl Drop for ActivationCode {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = ActivationCode([0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf]);
        assert_eq!(code.print().as_str(), "0123-4567-89AB-CDEF");
        for typed in
            ["0123-4567-89AB-CDEF", "o123 4567 89ab cdef", " OI23456789abcdef\n", "0l2345-6789-AB-CDEF"]
        {
            assert_eq!(typed.parse(), Ok(code.clone()), "{typed}");
        }
        for wrong in ["", "0123", "0123-4567-89AB-CDEU", "0123-4567-89AB-CDEFF", &"0".repeat(300)] {
            assert_eq!(wrong.parse::<ActivationCode>(), Err(CodeError), "{wrong}");
        }
        assert!(!format!("{code:?}").contains("0123"));
        let fresh = ActivationCode::generate();
        assert_eq!(fresh.print().parse(), Ok(fresh.clone()));
        assert_ne!(fresh.hash(&Salt([1; 32])), fresh.hash(&Salt([2; 32])));
    }
}
