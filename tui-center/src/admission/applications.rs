//! The applications in the cabinet.
//!
//! An application is no entry: strangers may not fill the journal. It is durable before it is answered, gets a number
//! that is never given out again, and is known by its telegram, so that the same one sent twice is one application. In
//! memory lies only what says nothing of the applicant as a person.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use wire::{
    admission::Application,
    bounded::Bytes,
    codec,
    id::{AccountNumber, ApplicationNumber, Digest, Role, Salt, TelegramId},
    key::VerificationKey,
    limits,
    message::Particulars,
    telegram::Telegram,
    time::Timestamp,
};
use zeroize::Zeroizing;

use crate::books::{BooksError, cabinet::Cabinet};

/// How many applications lie in the cabinet at most, decided or not: of those decided on the numbers are kept for a while.
/// How many may be open is a setting, [`crate::config::Limits::applications_open`].
pub const MOST: usize = 100_000;
/// The most bytes of a kept application.
const KEPT: usize = limits::TELEGRAM + limits::PARTICULARS + 1024;
const VERSION: u16 = 1;

/// What can be said of an application without naming the applicant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub number: ApplicationNumber,
    /// As what.
    pub role: Role,
    /// The key that will be registered.
    pub key: VerificationKey,
    /// The terminal key, which asks how it stands.
    pub terminal_key: VerificationKey,
    /// The salted hash of the particulars.
    pub particulars: Digest,
    /// The account whose lost terminal it replaces.
    pub replaces: Option<AccountNumber>,
    /// Its telegram; of an amended one the newest.
    pub telegram: TelegramId,
    /// When it came.
    pub received: Timestamp,
    /// When it came as it is now: it may have been amended.
    pub since: Timestamp,
}

/// An application with what was filled in, wiped when dropped.
pub struct Filled {
    /// The salt under which it binds the particulars.
    pub salt: Salt,
    /// The encoded particulars, as they came.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// The applications. Every method blocks on the disk.
pub struct Applications {
    cabinet: Cabinet,
    /// Held only for as long as memory takes, since whoever looks may not be kept waiting by the disk.
    rows: Mutex<Rows>,
    /// What changes the cabinet comes one after the other.
    writing: Mutex<()>,
}

#[derive(Default)]
struct Rows {
    all: BTreeMap<ApplicationNumber, Row>,
    telegrams: HashMap<TelegramId, ApplicationNumber>,
    keys: HashMap<VerificationKey, ApplicationNumber>,
}

/// The kept form.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u16,
    received: Timestamp,
    since: Timestamp,
    telegram: Telegram,
    salt: Salt,
    /// `None` since the applicant was registered: then they are the member's or store's.
    particulars: Option<Bytes<{ limits::PARTICULARS }>>,
}

impl Applications {
    /// Reads all that lie in the cabinet. One that can't be read is given back in words and left alone.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn open(cabinet: Cabinet) -> Result<(Self, Vec<String>), BooksError> {
        let mut rows = Rows::default();
        let mut spoilt = Vec::new();
        for number in cabinet.applications()? {
            match read(&cabinet, number) {
                Ok(Some((row, _))) => rows.put(row),
                // What a crash left between a key and what lies under it.
                Ok(None) => {}
                Err(error) => spoilt.push(format!("{number} cannot be read: {error}")),
            }
        }
        Ok((Self { cabinet, rows: Mutex::new(rows), writing: Mutex::default() }, spoilt))
    }

    /// Keeps a verified application under a new number, or, where it amends one, under that one's.
    ///
    /// # Errors
    /// [`BooksError::Cabinet`] when there are too many, and what the file system refuses.
    pub fn put(
        &self,
        application: &Application,
        telegram: &Telegram,
        salt: Salt,
        particulars: &Bytes<{ limits::PARTICULARS }>,
        now: Timestamp,
    ) -> Result<Row, BooksError> {
        let _one = self.one();
        if let Some(row) = self.of_telegram(telegram.id()) {
            return Ok(row);
        }
        let amended = application.amends.and_then(|number| self.row(number));
        let number = match amended {
            Some(row) => row.number,
            None if self.rows().all.len() >= MOST => {
                return Err(BooksError::Cabinet(format!("{MOST} applications lie here already")));
            }
            None => {
                let number = self.cabinet.last_application()?.next();
                self.cabinet.set_last_application(number)?;
                number
            }
        };
        let kept = Kept {
            version: VERSION,
            received: amended.map_or(now, |row| row.received),
            since: now,
            telegram: telegram.clone(),
            salt,
            particulars: Some(particulars.clone()),
        };
        self.cabinet.put_application(number, &Zeroizing::new(codec::encode(&kept)))?;
        let row = row(number, &kept, application);
        let mut rows = self.rows();
        if let Some(former) = amended {
            rows.take(&former);
        }
        rows.put(row);
        Ok(row)
    }

    /// What can be said of an application.
    pub fn row(&self, number: ApplicationNumber) -> Option<Row> {
        self.rows().all.get(&number).copied()
    }

    /// All of them, ascending.
    pub fn rows_now(&self) -> Vec<Row> {
        self.rows().all.values().copied().collect()
    }

    /// The one that came as this telegram.
    pub fn of_telegram(&self, telegram: TelegramId) -> Option<Row> {
        let rows = self.rows();
        rows.telegrams.get(&telegram).and_then(|number| rows.all.get(number)).copied()
    }

    /// The newest one with this key.
    pub fn of_key(&self, key: &VerificationKey) -> Option<Row> {
        let rows = self.rows();
        rows.keys.get(key).and_then(|number| rows.all.get(number)).copied()
    }

    /// What was filled in; `None` when it was erased, or became a member's or store's.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn filled(&self, number: ApplicationNumber) -> Result<Option<Filled>, BooksError> {
        let Some((_, kept)) = read(&self.cabinet, number)? else { return Ok(None) };
        let salt = kept.salt;
        Ok(kept.particulars.map(|bytes| Filled { salt, bytes: Zeroizing::new(bytes.into_vec()) }))
    }

    /// What was filled in, decoded.
    ///
    /// # Errors
    /// As [`Applications::filled`].
    pub fn particulars(&self, number: ApplicationNumber) -> Result<Option<Particulars>, BooksError> {
        let Some(filled) = self.filled(number)? else { return Ok(None) };
        Ok(Some(codec::decode("form", &filled.bytes, limits::PARTICULARS)?))
    }

    /// Lets go of what was filled in: it has become the member's or store's. What is kept still answers how the
    /// application stands.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn registered(&self, number: ApplicationNumber) -> Result<(), BooksError> {
        let _one = self.one();
        let Some((_, kept)) = read(&self.cabinet, number)? else { return Ok(()) };
        // Under a new key, so that no copy of the former file can be opened.
        self.cabinet.reduce_application(number, &codec::encode(&Kept { particulars: None, ..kept }))
    }

    /// Erases an application.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn erase(&self, number: ApplicationNumber) -> Result<(), BooksError> {
        let _one = self.one();
        self.cabinet.erase_application(number)?;
        let mut rows = self.rows();
        if let Some(row) = rows.all.get(&number).copied() {
            rows.take(&row);
        }
        Ok(())
    }

    fn one(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn put(&mut self, row: Row) {
        self.telegrams.insert(row.telegram, row.number);
        self.keys.insert(row.key, row.number);
        self.all.insert(row.number, row);
    }

    fn take(&mut self, row: &Row) {
        self.all.remove(&row.number);
        self.telegrams.remove(&row.telegram);
        if self.keys.get(&row.key) == Some(&row.number) {
            self.keys.remove(&row.key);
        }
    }
}

fn read(cabinet: &Cabinet, number: ApplicationNumber) -> Result<Option<(Row, Kept)>, BooksError> {
    let Some(bytes) = cabinet.application(number)? else { return Ok(None) };
    let kept: Kept = codec::decode("application", &bytes, KEPT)?;
    if kept.version != VERSION {
        let why = format!("it has version {}, which this program does not know", kept.version);
        return Err(codec::Malformed { what: "application", why }.into());
    }
    // It was verified when it came, and nobody else can seal.
    let application: Application =
        kept.telegram.peek().map_err(|error| BooksError::Cabinet(error.to_string()))?;
    Ok(Some((row(number, &kept, &application), kept)))
}

fn row(number: ApplicationNumber, kept: &Kept, application: &Application) -> Row {
    Row {
        number,
        role: application.role,
        key: application.verification_key,
        terminal_key: application.terminal_key,
        particulars: application.particulars,
        replaces: application.replaces,
        telegram: kept.telegram.id(),
        received: kept.received,
        since: kept.since,
    }
}

#[cfg(test)]
mod tests {
    use wire::{
        id::{CenterId, Nonce},
        key::SigningKey,
        payload::particulars_hash,
    };

    use super::*;

    fn open(dir: &std::path::Path) -> Applications {
        let (applications, spoilt) = Applications::open(Cabinet::open(dir, &[3; 32]).unwrap()).unwrap();
        assert!(spoilt.is_empty(), "{spoilt:?}");
        applications
    }

    fn apply(applications: &Applications, seed: u8, words: &[u8], amends: Option<ApplicationNumber>) -> Row {
        let (key, salt) = (SigningKey::from_seed(&[seed; 32]), Salt([seed; 32]));
        let application = Application {
            center: CenterId([1; 32]),
            role: Role::Member,
            verification_key: key.verification_key(),
            terminal_key: key.verification_key(),
            particulars: particulars_hash(&salt, words),
            amends,
            replaces: None,
            nonce: Nonce([seed; 16]),
            valid_until: Timestamp(9),
        };
        let telegram = Telegram::sign_as_key(&application, &key);
        let bytes = Bytes::new(words.to_vec()).unwrap();
        applications.put(&application, &telegram, salt, &bytes, Timestamp(u64::from(seed))).unwrap()
    }

    #[test]
    fn the_same_telegram_is_one_application_also_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let applications = open(dir.path());
        let first = apply(&applications, 1, b"Ada", None);
        assert_eq!(first.number, ApplicationNumber(1));
        assert_eq!(apply(&applications, 1, b"Ada", None), first);
        drop(applications);
        let applications = open(dir.path());
        assert_eq!(apply(&applications, 1, b"Ada", None), first);
        let second = apply(&applications, 2, b"Grace", None);
        assert_eq!(second.number, ApplicationNumber(2));
        assert_eq!(applications.of_key(&second.key), Some(second));
        applications.erase(second.number).unwrap();
        assert!(applications.row(second.number).is_none() && applications.of_key(&second.key).is_none());
        assert_eq!(apply(&applications, 3, b"Jean", None).number, ApplicationNumber(3));
    }

    #[test]
    fn an_amended_one_keeps_its_number_and_a_registered_one_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let applications = open(dir.path());
        let first = apply(&applications, 1, b"Ada", None);
        let amended = apply(&applications, 1, b"Ada King", Some(first.number));
        assert_eq!((amended.number, amended.received), (first.number, first.received));
        assert_ne!(amended.telegram, first.telegram);
        assert!(applications.of_telegram(first.telegram).is_none());
        let filled = applications.filled(first.number).unwrap().unwrap();
        assert_eq!(filled.bytes.as_slice(), b"Ada King");
        applications.registered(first.number).unwrap();
        applications.registered(first.number).unwrap();
        drop(applications);
        let applications = open(dir.path());
        assert_eq!(applications.row(first.number), Some(amended));
        assert!(applications.filled(first.number).unwrap().is_none());
    }
}
