//! The public keys of a center as a text file: what an auditor is given, on paper or by mail.
//!
//! ```text
//! # everything behind a number sign is for people
//! inkan:KEY@center.example:7070      an invitation; of it only the root key counts
//! root 3d4017c3e843895a…              the root key in 64 hex digits; the word may be left out
//! sheet AAAA…                         a signed key sheet, in base 64
//! ```
//!
//! One line is enough. Sheets alone do as well: then the key that signed them is the root key.

use std::fmt;

use data_encoding::BASE64;
use wire::{
    codec,
    key::VerificationKey,
    limits,
    sheet::{Invitation, KeySheet},
    telegram::{Signer, Telegram},
};

/// A root key, and the key sheets that came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyring {
    root: VerificationKey,
    /// Ascending by number.
    sheets: Vec<(KeySheet, Telegram)>,
}

impl Keyring {
    /// These keys. A sheet that the root key did not sign is left out.
    pub fn new(root: VerificationKey, sheets: Vec<Telegram>) -> Self {
        let signed = |sheet: Telegram| Some((KeySheet::verify(&sheet, &root).ok()?, sheet));
        let mut sheets: Vec<_> = sheets.into_iter().filter_map(signed).collect();
        sheets.sort_by_key(|(sheet, _)| sheet.number);
        Self { root, sheets }
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// In words, with the line: something is no key, or not all of it is of one center.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut root: Option<VerificationKey> = None;
        let mut sheets = Vec::new();
        for (at, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            let wrong = |why: &dyn fmt::Display| format!("line {at}: {why}");
            let found = if line.is_empty() {
                continue;
            } else if line.starts_with("inkan:") {
                line.parse::<Invitation>().map_err(|error| wrong(&error))?.root
            } else if let Some(sheet) = line.strip_prefix("sheet ") {
                let (key, sheet) = sheet_of(sheet.trim()).map_err(|why| wrong(&why))?;
                sheets.push(sheet);
                key
            } else {
                let key = line.strip_prefix("root ").unwrap_or(line).trim();
                let key: VerificationKey = key.parse().map_err(|_| {
                    wrong(&"an invitation, a root key of 64 hex digits or a key sheet belongs here")
                })?;
                key.check().map_err(|error| wrong(&error))?;
                key
            };
            if root.is_some_and(|root| root != found) {
                return Err(wrong(&"this is another center's than the line before"));
            }
            root = Some(found);
        }
        let root = root.ok_or_else(|| "there is no key in it".to_owned())?;
        Ok(Self::new(root, sheets))
    }

    /// The root key.
    pub fn root(&self) -> &VerificationKey {
        &self.root
    }

    /// The newest key sheet.
    pub fn newest(&self) -> Option<&KeySheet> {
        self.sheets.last().map(|(sheet, _)| sheet)
    }

    /// The sheets, ascending: what each says, and as it was signed.
    pub fn sheets(&self) -> impl Iterator<Item = (&KeySheet, &Telegram)> {
        self.sheets.iter().map(|(sheet, telegram)| (sheet, telegram))
    }
}

impl fmt::Display for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Root key {}", self.root.fingerprint())?;
        writeln!(f, "root {}", self.root)?;
        for (sheet, telegram) in &self.sheets {
            writeln!(f, "# Key sheet {}, log {}", sheet.number, sheet.log_origin)?;
            writeln!(f, "sheet {}", BASE64.encode(&codec::encode(telegram)))?;
        }
        Ok(())
    }
}

/// A sheet, and the root key that signed it.
fn sheet_of(text: &str) -> Result<(VerificationKey, Telegram), String> {
    let bytes = BASE64.decode(text.as_bytes()).map_err(|_| "the key sheet is not in base 64".to_owned())?;
    // A telegram's bytes, and what the envelope adds.
    let limit = limits::TELEGRAM + 1024;
    let sheet: Telegram = codec::decode("key sheet", &bytes, limit).map_err(|error| error.to_string())?;
    let Signer::Key(root) = sheet.signer else { return Err("a key sheet is signed by a root key".into()) };
    root.check().map_err(|error| error.to_string())?;
    KeySheet::verify(&sheet, &root).map_err(|error| error.to_string())?;
    Ok((root, sheet))
}

#[cfg(test)]
mod tests {
    use wire::{key::SigningKey, text::Line};

    use super::*;
    use crate::keys::RoleKeys;

    #[test]
    fn every_form_of_the_keys_is_read_and_strangers_are_named_by_line() {
        let (root, other) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        let sheet = RoleKeys::generate().sheet(&root, Line::new("inkan/x/1").unwrap());
        let ring = Keyring::new(root.verification_key(), vec![sheet]);
        let text = ring.to_string();
        assert_eq!(Keyring::parse(&text), Ok(ring.clone()));
        let sheets: String = text.lines().filter(|line| line.starts_with("sheet")).collect();
        assert_eq!(Keyring::parse(&sheets), Ok(ring.clone()), "a sheet alone");
        let key = root.verification_key();
        assert_eq!(Keyring::parse(&format!("\n  {key}  # by telephone\n")).unwrap().root(), &key);
        let addresses = wire::bounded::List::new(vec![Line::new("center.example:7070").unwrap()]).unwrap();
        let invitation = Invitation { root: key, addresses };
        assert_eq!(Keyring::parse(&invitation.to_string()).unwrap().root(), &key);

        let foreign = format!("{text}root {}\n", other.verification_key());
        for (wrong, words) in [
            ("", "there is no key"),
            ("# only words", "there is no key"),
            ("3d40", "line 1: an invitation"),
            ("\nsheet %%", "line 2: the key sheet is not in base 64"),
            ("sheet AAAA", "line 1: not a well-formed key sheet"),
            (&foreign, "line 5: this is another center's"),
            (&format!("root {}", "00".repeat(32)), "line 1: the key is weak"),
        ] {
            let error = Keyring::parse(wrong).unwrap_err();
            assert!(error.starts_with(words), "{wrong}: {error}");
        }
    }
}
