//! Slots: each holds the same secret under another passphrase, so that passphrases come and go and what the secret
//! protects is never written anew.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use wire::{text::Line, time::Timestamp};
use zeroize::Zeroizing;

use super::{KeyFile, KeyFileError};
use crate::seal::{self, Key, Sealed};

/// The most passphrases of one file.
const SLOTS: usize = 8;
/// The letters of Crockford's base 32 (<https://www.crockford.com/base32.html>).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// One passphrase's slot.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Slot {
    name: Line,
    made: Timestamp,
    /// The passphrase was printed by this program: however it is copied from paper, it is read in one form.
    printed: bool,
    sealed: Sealed,
}

/// A slot as lists show one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotView {
    /// What tells it from the others: whose it is, or where it lies.
    pub name: String,
    /// When it was made; zero for one that an older file had.
    pub made: Timestamp,
    /// Whether its passphrase was made by the program, to be printed and locked away.
    pub printed: bool,
}

/// The slots of one file.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Slots(Vec<Slot>);

impl Slots {
    /// The slots of a file's first version, which had no names.
    pub(super) fn of_former(sealed: Vec<Sealed>) -> Self {
        let named = (1..).zip(sealed).map(|(number, sealed)| {
            let name = if number == 1 { "first".to_owned() } else { format!("slot {number}") };
            Slot { name: Line::new(&name).unwrap_or_default(), made: Timestamp(0), printed: false, sealed }
        });
        Self(named.collect())
    }

    /// One slot.
    pub(super) fn first(
        which: KeyFile,
        passphrase: &SecretString,
        secret: &Key,
        now: Timestamp,
    ) -> Result<Self, KeyFileError> {
        let mut slots = Self(Vec::new());
        slots.add(which, secret, "first", passphrase, false, now)?;
        Ok(slots)
    }

    /// The secret, and which slot the passphrase opens. Takes as long as Argon2id for each slot that is tried.
    pub(super) fn open(
        &self,
        which: KeyFile,
        passphrase: &SecretString,
    ) -> Result<(Key, usize), KeyFileError> {
        for (at, slot) in self.0.iter().enumerate() {
            let opened = slot.sealed.open(&typed(passphrase, slot.printed), which.purpose());
            let Some(opened) = opened.map_err(KeyFileError::Passphrase)? else { continue };
            let mut secret = Key::default();
            if opened.len() != secret.len() {
                let words = format!("the {} key has the wrong length", which.words());
                return Err(KeyFileError::Passphrase(words));
            }
            secret.copy_from_slice(&opened);
            return Ok((secret, at));
        }
        Err(KeyFileError::WrongPassphrase(which.words()))
    }

    /// Adds a passphrase under a name that no other has.
    pub(super) fn add(
        &mut self,
        which: KeyFile,
        secret: &Key,
        name: &str,
        passphrase: &SecretString,
        printed: bool,
        now: Timestamp,
    ) -> Result<(), KeyFileError> {
        let refused = |words: String| Err(KeyFileError::Passphrase(words));
        let name = Line::new(name.trim()).unwrap_or_default();
        if name.is_empty() || name.chars().count() > 40 {
            return refused("name the new passphrase in 1 to 40 letters, like “safe” or a person".into());
        }
        if self.0.iter().any(|slot| slot.name == name) {
            return refused(format!("there is a passphrase named {name} already"));
        }
        if self.0.len() >= SLOTS {
            return refused(format!("a file has at most {SLOTS} passphrases; remove one first"));
        }
        let words = format!("the {} passphrase", which.words());
        seal::check(&words, passphrase).map_err(KeyFileError::Passphrase)?;
        self.0.push(Slot { name, made: now, printed, sealed: sealed(which, passphrase, printed, secret)? });
        Ok(())
    }

    /// Gives the slot that the old passphrase opens another one.
    pub(super) fn change(
        &mut self,
        which: KeyFile,
        old: &SecretString,
        new: &SecretString,
        now: Timestamp,
    ) -> Result<String, KeyFileError> {
        let words = format!("the new {} passphrase", which.words());
        seal::check(&words, new).map_err(KeyFileError::Passphrase)?;
        let (secret, at) = self.open(which, old)?;
        let name = self.0[at].name.clone();
        let told = name.to_string();
        self.0[at] = Slot { name, made: now, printed: false, sealed: sealed(which, new, false, &secret)? };
        Ok(told)
    }

    /// Takes a slot away; `staying` must open another one, so that nobody locks everybody out.
    pub(super) fn remove(
        &mut self,
        which: KeyFile,
        name: &str,
        staying: &SecretString,
    ) -> Result<(), KeyFileError> {
        let refused = |words: String| Err(KeyFileError::Passphrase(words));
        let Some(at) = self.0.iter().position(|slot| slot.name.as_str() == name.trim()) else {
            return refused(format!("there is no passphrase named {}", name.trim()));
        };
        if self.0.len() == 1 {
            return refused("this is the only passphrase, and stays; add another first".into());
        }
        let mut rest = self.clone();
        rest.0.remove(at);
        match rest.open(which, staying) {
            Ok(_) => *self = rest,
            Err(KeyFileError::WrongPassphrase(_)) => {
                return refused("type a passphrase that stays, not the one that is removed".into());
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    /// The slots, oldest first.
    pub(super) fn views(&self) -> Vec<SlotView> {
        let view =
            |slot: &Slot| SlotView { name: slot.name.to_string(), made: slot.made, printed: slot.printed };
        self.0.iter().map(view).collect()
    }
}

fn sealed(
    which: KeyFile,
    passphrase: &SecretString,
    printed: bool,
    secret: &Key,
) -> Result<Sealed, KeyFileError> {
    Sealed::new(&typed(passphrase, printed), which.purpose(), &**secret).map_err(KeyFileError::Passphrase)
}

/// A printed passphrase without the blanks and hyphens of the paper, with letters that look like digits read as such.
fn typed(passphrase: &SecretString, printed: bool) -> SecretString {
    if !printed {
        return passphrase.clone();
    }
    let letter = |c: char| match c.to_ascii_uppercase() {
        'O' => Some('0'),
        'I' | 'L' => Some('1'),
        c if c.is_ascii_alphanumeric() => Some(c),
        _ => None,
    };
    let typed = passphrase.expose_secret();
    let mut plain = String::with_capacity(typed.len());
    plain.extend(typed.chars().filter_map(letter));
    SecretString::from(plain)
}

/// A passphrase to be printed and locked away: 160 random bits in eight groups of four letters.
pub fn printed_passphrase() -> SecretString {
    let bits: Zeroizing<[u8; 20]> = Zeroizing::new(seal::random());
    let mut text = String::with_capacity(40);
    for (at, five) in bits.chunks_exact(5).enumerate() {
        let mut value = five.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        for letter in 0..8 {
            if (at, letter) != (0, 0) && letter % 4 == 0 {
                text.push('-');
            }
            text.push(char::from(LETTERS[(value >> 35 & 31) as usize]));
            value <<= 5;
        }
    }
    SecretString::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Key {
        Key::new([7; 32])
    }

    fn passphrase(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn passphrases_come_and_go_and_the_last_one_stays() {
        let (which, now) = (KeyFile::Service, Timestamp(5));
        let mut slots = Slots::first(which, &passphrase("the first one"), &secret(), now).unwrap();
        let words = slots.remove(which, "first", &passphrase("the first one")).unwrap_err().to_string();
        assert!(words.contains("only passphrase"), "{words}");
        slots.add(which, &secret(), "night", &passphrase("the second one"), false, now).unwrap();
        assert_eq!(*slots.open(which, &passphrase("the second one")).unwrap().0, *secret());
        let words = slots.remove(which, "first", &passphrase("the first one")).unwrap_err().to_string();
        assert!(words.contains("stays"), "{words}");
        assert!(slots.remove(which, "nobody", &passphrase("the first one")).is_err());
        slots.remove(which, "first", &passphrase("the second one")).unwrap();
        assert!(matches!(
            slots.open(which, &passphrase("the first one")),
            Err(KeyFileError::WrongPassphrase("service"))
        ));
        assert_eq!(
            slots.change(which, &passphrase("the second one"), &passphrase("the third one"), now).unwrap(),
            "night"
        );
        assert!(slots.open(which, &passphrase("the second one")).is_err());
        assert!(slots.change(which, &passphrase("the third one"), &passphrase("short"), now).is_err());
        slots.open(which, &passphrase("the third one")).unwrap();
        assert!(slots.add(which, &secret(), "night", &passphrase("another one"), false, now).is_err());
        assert!(slots.add(which, &secret(), " ", &passphrase("another one"), false, now).is_err());
        assert!(slots.open(KeyFile::Root, &passphrase("the third one")).is_err(), "for one purpose only");
    }

    #[test]
    fn a_printed_passphrase_is_read_as_it_is_copied_from_paper() {
        let printed = printed_passphrase();
        let text = printed.expose_secret();
        assert_eq!((text.len(), text.matches('-').count()), (39, 7), "{text}");
        assert_ne!(text, printed_passphrase().expose_secret());
        let mut slots =
            Slots::first(KeyFile::Root, &passphrase("the first one"), &secret(), Timestamp(1)).unwrap();
        slots.add(KeyFile::Root, &secret(), "safe", &printed, true, Timestamp(2)).unwrap();
        let copied = text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(slots.open(KeyFile::Root, &passphrase(&copied)).unwrap().1, 1);
        assert!(slots.views()[1].printed);
    }
}
