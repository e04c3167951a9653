//! What lies in the cabinet of those who are joining: applications and the hashes of activation codes.
//!
//! An application is sealed under a random key of its own, like the particulars of a member: destroying the key erases
//! the applicant. Once the applicant is registered, less is kept, under another name and another key: a crash in between
//! leaves one of both whole. What is written here is on the disk when the call returns.

use std::str::FromStr as _;

use wire::{
    id::{ApplicationNumber, EntryNumber},
    limits,
};
use zeroize::Zeroizing;

use super::{BooksError, Cabinet, drawer, drawer::Drawer};
use crate::seal::{self, Key};

/// The most bytes of what is kept of an activation code.
pub(super) const CODE: usize = 1024;
/// The most bytes of an application: its telegram, its particulars, and what the desk notes on it.
const APPLICATION: usize = limits::TELEGRAM + limits::PARTICULARS + (64 << 10);

/// What the name of an application ends with once its applicant is registered.
const REGISTERED: &str = ".registered";

/// Where the last application's number stands.
const LAST: &str = "applications";

impl Cabinet {
    /// Keeps an application; a newer version of it takes its place.
    ///
    /// # Errors
    /// When it is too long, or the file system refuses.
    pub fn put_application(&self, number: ApplicationNumber, bytes: &[u8]) -> Result<(), BooksError> {
        self.put_under_own_key(&number.to_string(), bytes)
    }

    /// Keeps what is left of an application whose applicant is registered, under a new key: nothing that was kept before
    /// can be opened any more. Called again, it finishes what was interrupted.
    ///
    /// # Errors
    /// When it is too long, or the file system refuses.
    pub fn reduce_application(&self, number: ApplicationNumber, bytes: &[u8]) -> Result<(), BooksError> {
        self.put_under_own_key(&reduced(number), bytes)?;
        self.destroy_with_own_key(&number.to_string())
    }

    /// An application; `None` when it was erased or never kept.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn application(&self, number: ApplicationNumber) -> Result<Option<Zeroizing<Vec<u8>>>, BooksError> {
        for name in [reduced(number), number.to_string()] {
            if let Some(own) = self.own_key(&name)?
                && let Some(kept) = self.application_drawer(own).take(&name)?
            {
                return Ok(Some(kept));
            }
        }
        Ok(None)
    }

    /// The numbers of the applications that are there, ascending.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn applications(&self) -> Result<Vec<ApplicationNumber>, BooksError> {
        let names = self.application_drawer(Key::default()).names()?;
        let number =
            |name: &String| ApplicationNumber::from_str(name.strip_suffix(REGISTERED).unwrap_or(name)).ok();
        let mut numbers: Vec<_> = names.iter().filter_map(number).collect();
        numbers.sort_unstable();
        // One that is being reduced lies here twice.
        numbers.dedup();
        Ok(numbers)
    }

    /// Erases an application: the key first, then what lay under it.
    ///
    /// # Errors
    /// What the file system refuses; it may then be called again.
    pub fn erase_application(&self, number: ApplicationNumber) -> Result<(), BooksError> {
        self.destroy_with_own_key(&number.to_string())?;
        self.destroy_with_own_key(&reduced(number))
    }

    /// Keeps what is known of an admission's activation code: never the code.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn put_code(&self, admission: EntryNumber, bytes: &[u8]) -> Result<(), BooksError> {
        self.0.codes.put(&admission.to_string(), bytes, true)
    }

    /// What is known of an admission's activation code.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn code(&self, admission: EntryNumber) -> Result<Option<Zeroizing<Vec<u8>>>, BooksError> {
        self.0.codes.take(&admission.to_string())
    }

    /// Destroys what is known of an admission's activation code: it has been used.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn destroy_code(&self, admission: EntryNumber) -> Result<(), BooksError> {
        self.0.codes.destroy(&admission.to_string())
    }

    /// The last application's number; 0 where there was none. It is never given out again, also after the application
    /// was erased.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn last_application(&self) -> Result<ApplicationNumber, BooksError> {
        let Some(bytes) = self.0.counters.take(LAST)? else { return Ok(ApplicationNumber(0)) };
        let bytes = <[u8; 8]>::try_from(bytes.as_slice())
            .map_err(|_| BooksError::Cabinet(format!("counters/{LAST} is not a number")))?;
        Ok(ApplicationNumber(u64::from_le_bytes(bytes)))
    }

    /// Gives out an application's number.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn set_last_application(&self, number: ApplicationNumber) -> Result<(), BooksError> {
        self.0.counters.put(LAST, &number.0.to_le_bytes(), true)
    }

    /// What activation codes are hashed under.
    pub(crate) fn code_key(&self) -> Key {
        self.0.code_key.clone()
    }

    fn put_under_own_key(&self, name: &str, bytes: &[u8]) -> Result<(), BooksError> {
        let own = match self.own_key(name)? {
            Some(own) => own,
            None => {
                let own: Key = Zeroizing::new(seal::random());
                self.0.keys.put(name, &*own, true)?;
                own
            }
        };
        self.application_drawer(own).put(name, bytes, true)
    }

    /// The key first: without it what lies under it is nothing.
    fn destroy_with_own_key(&self, name: &str) -> Result<(), BooksError> {
        self.0.keys.destroy(name)?;
        drawer::destroy(&self.0.applications, name)
    }

    fn own_key(&self, name: &str) -> Result<Option<Key>, BooksError> {
        let Some(own) = self.0.keys.take(name)? else { return Ok(None) };
        let own: [u8; 32] = own
            .as_slice()
            .try_into()
            .map_err(|_| BooksError::Cabinet(format!("keys/{name} does not hold a key")))?;
        Ok(Some(Zeroizing::new(own)))
    }

    fn application_drawer(&self, own: Key) -> Drawer {
        Drawer::at(self.0.applications.clone(), "applications", own, APPLICATION)
    }
}

fn reduced(number: ApplicationNumber) -> String {
    format!("{number}{REGISTERED}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reduced_application_is_there_whenever_the_program_dies() {
        let dir = tempfile::tempdir().unwrap();
        let cabinet = Cabinet::open(dir.path(), &[3; 32]).unwrap();
        let number = ApplicationNumber(1);
        cabinet.put_application(number, b"Ada Lovelace").unwrap();
        // Dead before the former one is destroyed, and before what is left was written under its key.
        cabinet.put_under_own_key(&reduced(number), b"less").unwrap();
        assert_eq!(cabinet.applications().unwrap(), [number]);
        assert_eq!(cabinet.application(number).unwrap().unwrap().as_slice(), b"less");
        drawer::destroy(&cabinet.0.applications, &reduced(number)).unwrap();
        assert_eq!(cabinet.application(number).unwrap().unwrap().as_slice(), b"Ada Lovelace");
        cabinet.reduce_application(number, b"less").unwrap();
        cabinet.reduce_application(number, b"less").unwrap();
        assert_eq!(cabinet.application(number).unwrap().unwrap().as_slice(), b"less");
        assert!(cabinet.own_key(&number.to_string()).unwrap().is_none(), "the former key is gone");
        cabinet.erase_application(number).unwrap();
        assert_eq!((cabinet.applications().unwrap().len(), cabinet.application(number).unwrap()), (0, None));
    }

    #[test]
    fn an_erased_application_leaves_nothing_and_its_number_is_not_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let cabinet = Cabinet::open(dir.path(), &[7; 32]).unwrap();
        let (first, second) = (ApplicationNumber(1), ApplicationNumber(2));
        cabinet.set_last_application(second).unwrap();
        for number in [second, first] {
            cabinet.put_application(number, b"Ada Lovelace").unwrap();
        }
        cabinet.put_application(first, b"Ada King").unwrap();
        assert_eq!(cabinet.applications().unwrap(), [first, second]);
        assert_eq!(cabinet.application(first).unwrap().unwrap().as_slice(), b"Ada King");
        cabinet.erase_application(second).unwrap();
        cabinet.erase_application(second).unwrap();
        drop(cabinet);
        let cabinet = Cabinet::open(dir.path(), &[7; 32]).unwrap();
        assert_eq!(cabinet.applications().unwrap(), [first]);
        assert!(cabinet.application(second).unwrap().is_none());
        assert_eq!(cabinet.last_application().unwrap(), second);
    }
}
