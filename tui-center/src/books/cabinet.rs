//! The cabinet: what must be erasable, and what is no entry.
//!
//! | drawer | holds | bound by |
//! |---|---|---|
//! | `people`, `keys` | the particulars of members and stores, each under a random key of its own | the registration's salted hash |
//! | `notes` | what a payer wrote, for the bank desk | the credit's salted hash |
//! | `outward` | the exact bytes of bank files, until confirmed | the entry number in their name |
//! | `certificates` | public telegrams: of terminals, of cards, key sheets, the admission kit | their signatures |
//! | `copies` | sealed copies of vaults, for those who lost theirs ([`copies`]) | their owner's signature |
//! | `index` | keyed hashes by which people are found ([`index`]) | nothing: it is made anew from the particulars |
//! | `cursors` | how far each account has acknowledged its mail | nothing: a lagging one only repeats mail |
//! | `applications`, `keys` | applications to join, each under a random key of its own | their own signature |
//! | `codes` | keyed hashes of activation codes and how often they were mistyped | the entry number in their name |
//! | `counters` | the last application's number | nothing |
//! | `lost` | receipts of entries that the journal lost, as terminals handed them in | the former log's signature |
//! | `hours` | the checkpoints published for the newest hours | their signatures |
//!
//! Everything is sealed with XChaCha20-Poly1305 under keys derived from the service key, also what is public, so that
//! a copied folder tells only how much there is. What an entry names is durable before the call returns, so that
//! the entry can follow. Making the registers anew never touches the cabinet.
//!
//! A person's own key lies under the service key in a file of its own. Destroying that file erases the person,
//! also from every copy of `people` that has no copy of `keys` beside it; the books stay whole, for they hold the
//! hash only.

pub mod copies;
mod drawer;
mod hours;
pub mod index;
mod joining;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use hkdf::Hkdf;
use sha2::Sha256;
use wire::{
    codec,
    id::{AccountNumber, CardNumber, Digest, EntryNumber, MemberNumber, Salt, StoreNumber},
    key::VerificationKey,
    limits,
    payload::particulars_hash,
    telegram::Telegram,
};
use zeroize::Zeroizing;

use self::{copies::Copies, drawer::Drawer, index::PeopleIndex};
use super::{BooksError, make_dir, sync_dir};
use crate::seal::{self, Key};

/// The most bytes of something outward: a bank file with some ten thousand transfers.
pub const OUTWARD: usize = 16 << 20;

/// The open cabinet. Cheap to clone.
#[derive(Clone)]
pub struct Cabinet(Arc<Drawers>);

struct Drawers {
    people: PathBuf,
    erased: PathBuf,
    keys: Drawer,
    notes: Drawer,
    outward: Drawer,
    certificates: Drawer,
    cursors: Drawer,
    copies: Copies,
    index: PeopleIndex,
    applications: PathBuf,
    codes: Drawer,
    code_key: Key,
    counters: Drawer,
    hours: Drawer,
    lost: Drawer,
}

/// The particulars of a member or store, wiped when dropped.
#[derive(Clone)]
pub struct Person {
    /// The salt under which the registration binds them.
    pub salt: Salt,
    /// The encoded [`wire::message::Particulars`], as they came.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// Which public telegram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// The [`wire::payload::TerminalCertificate`] of this terminal key.
    Terminal(VerificationKey),
    /// The one that a change of either key brought, so that it lies beside the former until the change is entered.
    Changed {
        /// The terminal key.
        terminal: VerificationKey,
        /// The signature key.
        signature: VerificationKey,
    },
    /// The [`wire::payload::CardCertificate`] of this card.
    Card(CardNumber),
    /// The [`wire::sheet::KeySheet`] of this number.
    Sheet(u64),
    /// The newest [`wire::admission::Kit`].
    Kit,
}

/// How the particulars behind a registration's hash stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There, and what the hash binds.
    Kept,
    /// Erased on purpose.
    Erased,
    /// Not there, and nobody erased them.
    Missing,
}

impl Cabinet {
    /// Opens the cabinet in a folder of its own, and makes it where there is none.
    ///
    /// # Errors
    /// What the file system refuses. A wrong key is noticed when something is taken out.
    pub fn open(dir: &Path, service_key: &[u8; 32]) -> Result<Self, BooksError> {
        make_dir(dir)?;
        let drawer = |name, limit| Drawer::open(dir, name, derive(service_key, name), limit);
        let drawers = Drawers {
            people: dir.join("people"),
            erased: dir.join("erased"),
            keys: drawer("keys", 32)?,
            notes: drawer("notes", limits::PROSE)?,
            outward: drawer("outward", OUTWARD)?,
            certificates: drawer("certificates", limits::TELEGRAM + 1024)?,
            cursors: drawer("cursors", 8)?,
            copies: Copies::open(dir, derive(service_key, "copies"))?,
            index: PeopleIndex::open(dir, derive(service_key, "index"), derive(service_key, "index-hash"))?,
            applications: dir.join("applications"),
            codes: drawer("codes", joining::CODE)?,
            code_key: derive(service_key, "code-hash"),
            counters: drawer("counters", 8)?,
            lost: drawer("lost", limits::FRAME)?,
            hours: drawer("hours", limits::NOTE)?,
        };
        make_dir(&drawers.applications)?;
        drawer::clear_unfinished(&drawers.applications)?;
        make_dir(&drawers.people)?;
        make_dir(&drawers.erased)?;
        drawer::clear_unfinished(&drawers.people)?;
        sync_dir(dir)?;
        Ok(Self(Arc::new(drawers)))
    }

    /// Keeps the particulars that a registration binds. Keeping the same again changes nothing.
    ///
    /// # Errors
    /// When `digest` does not bind them, they are too long or were erased before, or the file system refuses.
    pub fn put_person(&self, digest: Digest, salt: &Salt, bytes: &[u8]) -> Result<(), BooksError> {
        if particulars_hash(salt, bytes) != digest {
            return Err(BooksError::Cabinet(
                "the particulars are not those that the registration binds".into(),
            ));
        }
        match self.standing(digest)? {
            Standing::Kept => return Ok(()),
            Standing::Erased => {
                return Err(BooksError::Cabinet("these particulars were erased; register anew".into()));
            }
            Standing::Missing => {}
        }
        let own: Key = Zeroizing::new(seal::random());
        let name = digest.to_string();
        self.0.keys.put(&name, &*own, true)?;
        let content = Zeroizing::new([&salt.0[..], bytes].concat());
        self.person_drawer(own).put(&name, &content, true)
    }

    /// Takes particulars out; `None` when they were erased or never kept.
    ///
    /// # Errors
    /// When they can't be opened, or are not what the hash binds.
    pub fn person(&self, digest: Digest) -> Result<Option<Person>, BooksError> {
        let name = digest.to_string();
        let Some(own) = self.0.keys.take(&name)? else { return Ok(None) };
        let own: [u8; 32] = own
            .as_slice()
            .try_into()
            .map_err(|_| BooksError::Cabinet(format!("keys/{name} does not hold a key")))?;
        let Some(content) = self.person_drawer(Zeroizing::new(own)).take(&name)? else { return Ok(None) };
        let (salt, bytes) = content
            .split_first_chunk::<32>()
            .ok_or_else(|| BooksError::Cabinet(format!("people/{name} ends too early")))?;
        let person = Person { salt: Salt(*salt), bytes: Zeroizing::new(bytes.to_vec()) };
        if particulars_hash(&person.salt, &person.bytes) != digest {
            return Err(BooksError::Cabinet(format!("people/{name} is not what the registration binds")));
        }
        Ok(Some(person))
    }

    /// Erases a person: the key first, then what lay under it. The entry keeps the hash.
    ///
    /// # Errors
    /// What the file system refuses; it may then be called again.
    pub fn erase_person(&self, digest: Digest) -> Result<(), BooksError> {
        let name = digest.to_string();
        let tombstone = self.0.erased.join(&name);
        fs::write(&tombstone, b"").map_err(BooksError::io(format!("writing {}", tombstone.display())))?;
        sync_dir(&self.0.erased)?;
        self.0.keys.destroy(&name)?;
        drawer::destroy(&self.0.people, &name)
    }

    /// The deposited copies of vaults.
    pub fn copies(&self) -> &Copies {
        &self.0.copies
    }

    /// Finds people without their data in the clear.
    pub fn index(&self) -> &PeopleIndex {
        &self.0.index
    }

    /// How the particulars behind a hash stand.
    ///
    /// # Errors
    /// As [`Cabinet::person`].
    pub fn standing(&self, digest: Digest) -> Result<Standing, BooksError> {
        if self.0.erased.join(digest.to_string()).exists() {
            return Ok(Standing::Erased);
        }
        Ok(if self.person(digest)?.is_some() { Standing::Kept } else { Standing::Missing })
    }

    /// Keeps what goes outward, durably, before it is written anywhere. Keeping the same again changes nothing.
    ///
    /// # Errors
    /// When other bytes lie under the name already: what goes out twice must be identical. When the name has other
    /// characters than letters, digits, `.`, `-` and `_`, the bytes are more than [`OUTWARD`], or the file system refuses.
    pub fn put_outward(&self, name: &str, bytes: &[u8]) -> Result<(), BooksError> {
        match self.0.outward.take(name)? {
            Some(kept) if kept.as_slice() == bytes => Ok(()),
            Some(_) => Err(BooksError::Cabinet(format!("other bytes were kept as {name} before"))),
            None => self.0.outward.put(name, bytes, true),
        }
    }

    /// The exact bytes of something that went outward and is not confirmed.
    pub fn outward(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, BooksError> {
        self.0.outward.take(name)
    }

    /// The names of all that is not confirmed, ascending.
    pub fn outward_names(&self) -> Result<Vec<String>, BooksError> {
        self.0.outward.names()
    }

    /// Destroys what went outward and was confirmed; nothing happens where there is nothing.
    pub fn confirm_outward(&self, name: &str) -> Result<(), BooksError> {
        self.0.outward.destroy(name)
    }

    /// Keeps the words behind a hash in an entry: what a payer wrote. The caller made the hash and checks it.
    pub fn put_note(&self, digest: Digest, words: &str) -> Result<(), BooksError> {
        self.0.notes.put(&digest.to_string(), words.as_bytes(), true)
    }

    /// The words behind a hash; `None` when they were erased or never kept.
    pub fn note(&self, digest: Digest) -> Result<Option<Zeroizing<String>>, BooksError> {
        let name = digest.to_string();
        let Some(words) = self.0.notes.take(&name)? else { return Ok(None) };
        let words = String::from_utf8(words.to_vec())
            .map_err(|_| BooksError::Cabinet(format!("notes/{name} is not text")))?;
        Ok(Some(Zeroizing::new(words)))
    }

    /// Erases words.
    pub fn erase_note(&self, digest: Digest) -> Result<(), BooksError> {
        self.0.notes.destroy(&digest.to_string())
    }

    /// Keeps a public telegram, durably; a newer one of the same name takes its place.
    pub fn put_certificate(&self, which: Certificate, telegram: &Telegram) -> Result<(), BooksError> {
        self.0.certificates.put(&which.name(), &codec::encode(telegram), true)
    }

    /// Takes all certificates of a terminal key out for good.
    pub fn drop_terminal(&self, key: VerificationKey) -> Result<(), BooksError> {
        let own = Certificate::Terminal(key).name();
        for name in self.0.certificates.names()?.iter().filter(|name| name.starts_with(&own)) {
            self.0.certificates.destroy(name)?;
        }
        Ok(())
    }

    /// Takes a public telegram out for good; nothing happens where there is none.
    pub fn drop_certificate(&self, which: Certificate) -> Result<(), BooksError> {
        self.0.certificates.destroy(&which.name())
    }

    /// A public telegram.
    pub fn certificate(&self, which: Certificate) -> Result<Option<Telegram>, BooksError> {
        let Some(bytes) = self.0.certificates.take(&which.name())? else { return Ok(None) };
        Ok(Some(codec::decode("certificate", &bytes, limits::TELEGRAM + 1024)?))
    }

    /// Keeps how far an account has acknowledged its mail. It is not brought to the disk at once: after a power
    /// failure an older cursor, or none, repeats some mail.
    pub fn set_cursor(&self, account: AccountNumber, upto: EntryNumber) -> Result<(), BooksError> {
        self.0.cursors.put(&cursor_name(account), &upto.0.to_le_bytes(), false)
    }

    /// Keeps a receipt of a lost entry, durably.
    pub fn put_lost(&self, name: &str, bytes: &[u8]) -> Result<(), BooksError> {
        self.0.lost.put(name, bytes, true)
    }

    /// A receipt of a lost entry.
    pub fn lost(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, BooksError> {
        self.0.lost.take(name)
    }

    /// The names of all receipts of lost entries.
    pub fn lost_names(&self) -> Result<Vec<String>, BooksError> {
        self.0.lost.names()
    }

    /// Puts a cursor back, durably: behind it there is other mail than what was acknowledged.
    pub fn put_back_cursor(&self, account: AccountNumber, upto: EntryNumber) -> Result<(), BooksError> {
        self.0.cursors.put(&cursor_name(account), &upto.0.to_le_bytes(), true)
    }

    /// How far each account has acknowledged its mail. A cursor that is not whole counts as none.
    pub fn cursors(&self) -> Result<BTreeMap<AccountNumber, EntryNumber>, BooksError> {
        let mut cursors = BTreeMap::new();
        for name in self.0.cursors.names()? {
            let Some(account) = cursor_account(&name) else { continue };
            let Ok(Some(upto)) = self.0.cursors.take(&name) else { continue };
            if let Ok(upto) = <[u8; 8]>::try_from(upto.as_slice()) {
                cursors.insert(account, EntryNumber(u64::from_le_bytes(upto)));
            }
        }
        Ok(cursors)
    }

    /// How many certificates, notes and outward bytes can't be opened, each named. For `books verify`.
    pub(super) fn spoilt(&self) -> Result<Vec<String>, BooksError> {
        let mut spoilt = Vec::new();
        for drawer in [&self.0.notes, &self.0.outward, &self.0.certificates, &self.0.keys, &self.0.codes] {
            for name in drawer.names()? {
                if let Err(error) = drawer.take(&name) {
                    spoilt.push(error.to_string());
                }
            }
        }
        Ok(spoilt)
    }

    fn person_drawer(&self, own: Key) -> Drawer {
        Drawer::at(self.0.people.clone(), "people", own, limits::PARTICULARS + 32)
    }
}

impl Certificate {
    fn name(self) -> String {
        match self {
            Self::Terminal(key) => format!("terminal-{key}"),
            Self::Changed { terminal, signature } => format!("terminal-{terminal}-{signature}"),
            Self::Card(card) => format!("card-{}", card.0),
            Self::Sheet(number) => format!("sheet-{number}"),
            Self::Kit => "kit".into(),
        }
    }
}

fn cursor_name(account: AccountNumber) -> String {
    match account {
        AccountNumber::Member(number) => format!("m{}", number.0),
        AccountNumber::Store(number) => format!("s{}", number.0),
    }
}

fn cursor_account(name: &str) -> Option<AccountNumber> {
    let number = |digits: &str| digits.parse().ok();
    match name.split_at_checked(1)? {
        ("m", digits) => number(digits).map(|it| AccountNumber::Member(MemberNumber(it))),
        ("s", digits) => number(digits).map(|it| AccountNumber::Store(StoreNumber(it))),
        _ => None,
    }
}

/// A drawer's own key: HKDF-SHA-256 (RFC 5869) of the service key.
fn derive(service_key: &[u8; 32], drawer: &str) -> Key {
    let mut key = Key::default();
    let info = format!("inkan/v1/cabinet/{drawer}");
    Hkdf::<Sha256>::new(None, service_key)
        .expand(info.as_bytes(), &mut *key)
        .expect("32 bytes are within HKDF's output limit");
    key
}

#[cfg(test)]
mod tests;
