//! The center's key sheet: which key speaks for the center, in which role, for which sizes of the journal.
//!
//! It is signed by the root key, which an invitation pins. A terminal believes nothing from a center until the
//! newest sheet verifies, is not lower than the one it keeps, and names the TLS key that the line showed.

use std::{fmt, str::FromStr};

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};

use crate::{
    bounded::List,
    id::CenterId,
    key::{SigningKey, VerificationKey},
    limits,
    telegram::{Kind, Payload, Telegram, TelegramError},
    text::Line,
};

/// What a key of the center speaks for. Variants are only ever appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SheetRole {
    /// The line.
    Tls,
    /// The journal's tree.
    Checkpoint,
    /// Card certificates.
    Card,
    /// Directory pages.
    Directory,
    /// Chain heads, kits, text receipts.
    Statement,
}

impl fmt::Display for SheetRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tls => "TLS",
            Self::Checkpoint => "checkpoint",
            Self::Card => "card",
            Self::Directory => "directory",
            Self::Statement => "statement",
        })
    }
}

/// One key of the sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetKey {
    /// What it speaks for.
    pub role: SheetRole,
    /// The key.
    pub key: VerificationKey,
    /// In force from this size of the journal on.
    pub from_size: u64,
    /// In force up to and including this size; `None` while no other replaced it.
    pub until_size: Option<u64>,
}

/// The numbered key sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySheet {
    /// Counts up from 1; a terminal never goes back.
    pub number: u64,
    /// The center.
    pub center: CenterId,
    /// The origin line of its checkpoints.
    pub log_origin: Line,
    /// Its keys, old ones included.
    pub keys: List<SheetKey, { limits::SHEET_KEYS }>,
}

impl Payload for KeySheet {
    const KIND: Kind = Kind::KeySheet;
}

/// Why a sheet is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// The signature or the form is wrong.
    #[error("the center's key sheet is not valid: {0}")]
    Telegram(#[from] TelegramError),
    /// Signed by another root than the invitation pinned.
    #[error("this is another center: its root key is {found}, the invitation names {pinned}")]
    OtherRoot {
        /// The fingerprint that came.
        found: String,
        /// The fingerprint that was pinned.
        pinned: String,
    },
    /// Lower than the one the terminal keeps.
    #[error("the center shows key sheet {found}, but {kept} was seen before")]
    Older {
        /// The number that came.
        found: u64,
        /// The number that is kept.
        kept: u64,
    },
    /// The line's key is not on it.
    #[error("the line is protected by a key that the center's key sheet does not name")]
    ForeignLine,
}

impl KeySheet {
    /// Signs the sheet with the root key.
    pub fn sign(&self, root: &SigningKey) -> Telegram {
        Telegram::sign_as_key(self, root)
    }

    /// Verifies a sheet under the pinned root key.
    pub fn verify(telegram: &Telegram, root: &VerificationKey) -> Result<Self, SheetError> {
        let sheet = telegram.verify_self::<Self>()?;
        if sheet.key() != *root || sheet.payload().center != root.center() {
            return Err(SheetError::OtherRoot {
                found: sheet.key().fingerprint(),
                pinned: root.fingerprint(),
            });
        }
        Ok(sheet.into_payload())
    }

    /// Verifies what a line showed: the sheet under the root, not lower than `kept`, naming the line's TLS key.
    pub fn verify_line(
        telegram: &Telegram,
        root: &VerificationKey,
        kept: u64,
        line: &VerificationKey,
    ) -> Result<Self, SheetError> {
        let sheet = Self::verify(telegram, root)?;
        if sheet.number < kept {
            return Err(SheetError::Older { found: sheet.number, kept });
        }
        let current = |entry: &SheetKey| entry.role == SheetRole::Tls && entry.until_size.is_none();
        if !sheet.keys.iter().any(|entry| current(entry) && entry.key == *line) {
            return Err(SheetError::ForeignLine);
        }
        Ok(sheet)
    }

    /// The key that speaks for `role` at this size of the journal.
    pub fn key_at(&self, role: SheetRole, size: u64) -> Option<VerificationKey> {
        let in_force = |entry: &&SheetKey| {
            entry.role == role
                && entry.from_size <= size
                && entry.until_size.is_none_or(|until| size <= until)
        };
        self.keys.iter().find(in_force).map(|entry| entry.key)
    }

    /// The key that speaks for `role` now.
    pub fn current(&self, role: SheetRole) -> Option<VerificationKey> {
        self.keys.iter().find(|entry| entry.role == role && entry.until_size.is_none()).map(|entry| entry.key)
    }
}

/// What a center hands to people who shall join: its addresses and its root key, on one line.
///
/// Printed as `inkan:BASE32KEY@host:port,host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The root key.
    pub root: VerificationKey,
    /// Where the center listens, as `host:port`.
    pub addresses: List<Line, { limits::ADDRESSES }>,
}

/// Words for an invitation that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not an invitation: {0}; it looks like inkan:KEY@host:port")]
pub struct InvitationError(&'static str);

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<&str> = self.addresses.iter().map(|address| address.as_str()).collect();
        write!(f, "inkan:{}@{}", BASE32_NOPAD.encode(&self.root.0), addresses.join(","))
    }
}

impl FromStr for Invitation {
    type Err = InvitationError;

    fn from_str(text: &str) -> Result<Self, InvitationError> {
        let rest =
            text.trim().strip_prefix("inkan:").ok_or(InvitationError("it does not begin with inkan:"))?;
        let (key, addresses) =
            rest.split_once('@').ok_or(InvitationError("the @ before the addresses is missing"))?;
        let key = BASE32_NOPAD.decode(key.to_ascii_uppercase().as_bytes()).ok();
        let key =
            key.and_then(|key| key.try_into().ok()).ok_or(InvitationError("its key has wrong letters"))?;
        let root = VerificationKey(key);
        root.check().map_err(|_| InvitationError("its key is not a valid key"))?;
        let addresses: Option<Vec<Line>> = addresses.split(',').map(address).collect();
        let addresses = addresses.ok_or(InvitationError("an address is not of the form host:port"))?;
        let addresses = List::new(addresses).map_err(|_| InvitationError("it has too many addresses"))?;
        Ok(Self { root, addresses })
    }
}

fn address(text: &str) -> Option<Line> {
    let (host, port) = text.rsplit_once(':')?;
    let well_formed =
        !host.is_empty() && !host.contains(char::is_whitespace) && port.parse::<u16>().is_ok_and(|p| p > 0);
    if well_formed { Line::new(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invitations_print_and_parse() {
        let root = SigningKey::from_seed(&[3; 32]).verification_key();
        let addresses =
            ["127.0.0.1:7070", "[::1]:7071", "center.example:7070"].map(|a| Line::new(a).unwrap());
        let invitation = Invitation { root, addresses: List::new(addresses.to_vec()).unwrap() };
        let printed = invitation.to_string();
        assert_eq!(printed.parse(), Ok(invitation.clone()));
        assert_eq!(printed.to_lowercase().parse(), Ok(invitation), "typed in small letters");
        for (text, word) in [
            ("http://x", "inkan:"),
            ("inkan:ABC", "@"),
            ("inkan:ABC@h:1", "wrong letters"),
            (&printed.replace(":7071", ""), "host:port"),
            (&printed.replace(":7071", ":99999"), "host:port"),
        ] {
            assert!(text.parse::<Invitation>().unwrap_err().to_string().contains(word), "{text}");
        }
    }

    #[test]
    fn a_sheet_counts_only_under_its_root_and_never_backwards() {
        let (root, tls, other) = ([1, 2, 3]).map(|seed| SigningKey::from_seed(&[seed; 32])).into();
        let sheet = KeySheet {
            number: 2,
            center: root.verification_key().center(),
            log_origin: Line::new("inkan.example/1").unwrap(),
            keys: List::first([
                SheetKey {
                    role: SheetRole::Tls,
                    key: tls.verification_key(),
                    from_size: 0,
                    until_size: None,
                },
                SheetKey {
                    role: SheetRole::Checkpoint,
                    key: root.verification_key(),
                    from_size: 0,
                    until_size: Some(9),
                },
                SheetKey {
                    role: SheetRole::Checkpoint,
                    key: tls.verification_key(),
                    from_size: 10,
                    until_size: None,
                },
            ]),
        };
        let (root_key, tls_key, other_key) =
            (root.verification_key(), tls.verification_key(), other.verification_key());
        let signed = sheet.sign(&root);
        assert_eq!(KeySheet::verify_line(&signed, &root_key, 2, &tls_key), Ok(sheet.clone()));
        assert!(matches!(
            KeySheet::verify_line(&signed, &root_key, 3, &tls_key),
            Err(SheetError::Older { .. })
        ));
        assert_eq!(KeySheet::verify_line(&signed, &root_key, 2, &other_key), Err(SheetError::ForeignLine));
        assert!(matches!(KeySheet::verify(&signed, &other_key), Err(SheetError::OtherRoot { .. })));
        assert!(matches!(
            KeySheet::verify(&sheet.sign(&other), &root_key),
            Err(SheetError::OtherRoot { .. })
        ));
        assert_eq!(sheet.key_at(SheetRole::Checkpoint, 9), Some(root_key));
        assert_eq!(sheet.key_at(SheetRole::Checkpoint, 10), Some(tls_key));
    }
}
