//! The center's key sheet: which key speaks for the center, in which role, for which sizes of the journal.
//!
//! It is signed by the root key, which an invitation pins. A terminal believes nothing from a center until the
//! newest sheet verifies, is not lower than the one it keeps, and names the TLS key that the line showed.
//!
//! After a restore or a fork the journal goes on under another name and with another checkpoint key. Only a sheet can say
//! so, for only the root key signs one: it names the size and root continued from as a [`LogBreak`]. What was signed
//! under the former name up to that size stays good; what was signed beyond it is evidence of entries that are lost.

use std::{fmt, str::FromStr};

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};

use crate::{
    bounded::List,
    checkpoint::Checkpoint,
    id::{CenterId, Digest, EntryNumber},
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
    /// Where the log went on under another name, the oldest first. A sheet that has some is signed as a
    /// [`ResumedSheet`], so that the form of all others stays what it was.
    #[serde(skip)]
    pub breaks: List<LogBreak, { limits::LOG_BREAKS }>,
}

impl Payload for KeySheet {
    const KIND: Kind = Kind::KeySheet;
}

/// A place where the center's log went on under another name, after a restore or a fork.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogBreak {
    /// The name until then. What it signed beyond `size` is lost.
    pub origin: Line,
    /// How many entries were continued from.
    pub size: u64,
    /// Their root.
    pub root: Digest,
}

/// A key sheet of a log that went on under another name, as it is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumedSheet {
    /// All that other sheets say.
    pub sheet: KeySheet,
    /// [`KeySheet::breaks`]; at least one.
    pub breaks: List<LogBreak, { limits::LOG_BREAKS }>,
}

impl Payload for ResumedSheet {
    const KIND: Kind = Kind::ResumedSheet;
}

impl ResumedSheet {
    fn joined(self) -> KeySheet {
        KeySheet { breaks: self.breaks, ..self.sheet }
    }
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
        if self.breaks.is_empty() {
            return Telegram::sign_as_key(self, root);
        }
        Telegram::sign_as_key(&ResumedSheet { sheet: self.clone(), breaks: self.breaks.clone() }, root)
    }

    /// What a sheet says, without believing it.
    ///
    /// # Errors
    /// When it is no sheet, or malformed.
    pub fn peek(telegram: &Telegram) -> Result<Self, TelegramError> {
        match telegram.kind {
            Kind::ResumedSheet => telegram.peek::<ResumedSheet>().map(ResumedSheet::joined),
            _ => telegram.peek(),
        }
    }

    /// Verifies a sheet under the pinned root key.
    pub fn verify(telegram: &Telegram, root: &VerificationKey) -> Result<Self, SheetError> {
        let (key, sheet) = match telegram.kind {
            Kind::ResumedSheet => {
                let signed = telegram.verify_self::<ResumedSheet>()?;
                (signed.key(), signed.into_payload().joined())
            }
            _ => {
                let signed = telegram.verify_self::<Self>()?;
                (signed.key(), signed.into_payload())
            }
        };
        if key != *root || sheet.center != root.center() {
            return Err(SheetError::OtherRoot { found: key.fingerprint(), pinned: root.fingerprint() });
        }
        Ok(sheet)
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

    /// The key that must have signed a checkpoint of this center, by the log that it names: the log in force, or a former
    /// one, whose last key also signed what is lost.
    ///
    /// # Errors
    /// In words, when no key of the sheet can have.
    pub fn signer_of(&self, claimed: &Checkpoint) -> Result<VerificationKey, &'static str> {
        let size = if claimed.origin == self.log_origin {
            if self.breaks.iter().any(|it| claimed.size <= it.size) {
                return Err("the log of this name begins only behind its size");
            }
            claimed.size
        } else {
            let former = self.breaks.iter().find(|it| it.origin == claimed.origin);
            claimed.size.min(former.ok_or("it belongs to another journal")?.size)
        };
        self.key_at(SheetRole::Checkpoint, size).ok_or("the key sheet names no checkpoint key for its size")
    }

    /// Where the log was broken off that had an entry, if the entry is lost: `origin` is the log's name on the
    /// checkpoint of its receipt.
    pub fn lost(&self, origin: &str, entry: EntryNumber) -> Option<&LogBreak> {
        let since = self.breaks.iter().skip_while(|it| it.origin.as_str() != origin);
        since.into_iter().find(|it| entry.0 >= it.size)
    }

    /// The name of the log when it had so many entries.
    pub fn origin_at(&self, size: u64) -> &Line {
        self.breaks.iter().find(|it| size <= it.size).map_or(&self.log_origin, |it| &it.origin)
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
            breaks: List::default(),
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

    #[test]
    fn a_log_that_goes_on_under_another_name_keeps_what_was_signed_under_the_former() {
        let [root, old, new] = [1, 2, 3].map(|seed| SigningKey::from_seed(&[seed; 32]));
        let named = |key: &SigningKey, from_size, until_size| SheetKey {
            role: SheetRole::Checkpoint,
            key: key.verification_key(),
            from_size,
            until_size,
        };
        let line = |text: &str| Line::new(text).unwrap();
        let sheet = KeySheet {
            number: 2,
            center: root.verification_key().center(),
            log_origin: line("log/2"),
            keys: List::first([named(&old, 0, Some(9)), named(&new, 10, None)]),
            breaks: List::first([LogBreak { origin: line("log/1"), size: 9, root: Digest([4; 32]) }]),
        };
        let signed = sheet.sign(&root);
        assert_eq!(signed.kind, Kind::ResumedSheet);
        assert_eq!(KeySheet::verify(&signed, &root.verification_key()), Ok(sheet.clone()));
        assert_eq!(KeySheet::peek(&signed), Ok(sheet.clone()));
        let claimed = |origin: &str, size| Checkpoint { origin: line(origin), size, root: Digest([0; 32]) };
        let signer = |origin: &str, size| sheet.signer_of(&claimed(origin, size));
        for size in [1, 9, 10, 70] {
            assert_eq!(signer("log/1", size), Ok(old.verification_key()), "{size} under the former name");
        }
        assert_eq!(signer("log/2", 10), Ok(new.verification_key()));
        assert!(signer("log/2", 9).is_err() && signer("log/3", 12).is_err());
        assert_eq!([9, 10].map(|size| sheet.origin_at(size).as_str()), ["log/1", "log/2"]);
        assert!(sheet.lost("log/1", EntryNumber(9)).is_some());
        assert!(
            sheet.lost("log/1", EntryNumber(8)).is_none() && sheet.lost("log/2", EntryNumber(9)).is_none()
        );
        let other = KeySheet { breaks: List::default(), ..sheet };
        assert_eq!(other.sign(&root).kind, Kind::KeySheet, "without a break the form is what it was");
    }
}
