//! Finding people without their data in the clear: a blind index.
//!
//! Of each value by which a person may be looked for lies only a keyed hash here, the first 16 bytes of HMAC-SHA-256
//! (RFC 2104) under a key derived from the service key. Without that key nobody can even try guessed names; with it,
//! only what is typed can be looked for, never listed.
//!
//! | looked for by | hashed |
//! |---|---|
//! | the beginning of a name, a name's sound, a trade name | the first 1 to 12 letters of each word |
//! | e-mail address | the whole address |
//! | telephone | the last nine digits, so that `+81 90-…` and `090-…` meet |
//! | date of birth | eight digits |
//! | likeness of applicants | name and birth together, bank account |
//!
//! Values are brought to one form first: Unicode NFKC, lower case, hiragana as katakana. The hashes of each person lie in
//! a sealed file of their own, which is destroyed with the person; in memory they are joined. A file that is missing or
//! can't be opened is made anew from the particulars.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    path::Path,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation as _;
use wire::{
    id::{AccountNumber, ApplicationNumber, MemberNumber, StoreNumber},
    message::{Particulars, field},
};
use zeroize::Zeroizing;

use super::{BooksError, drawer::Drawer};
use crate::seal::Key;

/// The longest beginning of a word that is found.
const PREFIX: usize = 12;
/// Words of one name that are indexed.
const WORDS: usize = 16;
/// Digits by which telephones meet.
const PHONE_DIGITS: usize = 9;
/// The most hashes of one person.
const TOKENS: usize = 1024;
/// The fields whose words are found by their beginnings.
const NAMES: [&str; 5] = [field::NAME, field::KANA, field::TRADE_NAME, field::CONTACT, field::ACCOUNT_HOLDER];

type Token = [u8; 16];

/// Whom particulars belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// A member or store.
    Account(AccountNumber),
    /// An applicant.
    Application(ApplicationNumber),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(number) => number.fmt(f),
            Self::Application(number) => number.fmt(f),
        }
    }
}

/// What to look for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Query {
    /// Words that each begin a word of a name, its sound, or a trade name.
    Name(String),
    /// A whole e-mail address.
    Email(String),
    /// A telephone number, with or without the country's.
    Phone(String),
    /// A date of birth.
    Born(String),
}

/// In what two people are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likeness {
    /// Name, or its sound, and date of birth.
    NameAndBirth,
    /// E-mail address.
    Email,
    /// Telephone number.
    Phone,
    /// Bank account.
    BankAccount,
}

impl Likeness {
    /// Words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::NameAndBirth => "name and date of birth",
            Self::Email => "e-mail address",
            Self::Phone => "telephone number",
            Self::BankAccount => "bank account",
        }
    }
}

/// Somebody else with the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flag {
    /// The same what.
    pub field: Likeness,
    /// As whom.
    pub who: Who,
}

/// The index of everybody whose particulars the center keeps.
pub struct PeopleIndex {
    drawer: Drawer,
    key: Key,
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    people: HashMap<Token, BTreeSet<Who>>,
    tokens: HashMap<Who, Vec<Token>>,
}

impl PeopleIndex {
    /// Opens the index in the cabinet's folder. What can't be read counts as missing.
    ///
    /// # Errors
    /// What the file system refuses.
    pub(super) fn open(cabinet: &Path, sealing: Key, key: Key) -> Result<Self, BooksError> {
        let drawer = Drawer::open(cabinet, "index", sealing, TOKENS * size_of::<Token>())?;
        let mut held = Held::default();
        for name in drawer.names()? {
            let Some(who) = who(&name) else { continue };
            let Ok(Some(bytes)) = drawer.take(&name) else { continue };
            let (tokens, []) = bytes.as_chunks() else { continue };
            held.add(who, tokens.to_vec());
        }
        Ok(Self { drawer, key, held: RwLock::new(held) })
    }

    /// Makes somebody findable, durably; what was indexed of them before counts no more.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn put(&self, who: Who, particulars: &Particulars) -> Result<(), BooksError> {
        let mut tokens = self.all(particulars);
        tokens.truncate(TOKENS);
        self.drawer.put(&name(who), tokens.as_flattened(), true)?;
        self.write().add(who, tokens);
        Ok(())
    }

    /// Forgets somebody.
    ///
    /// # Errors
    /// What the file system refuses; it may then be called again.
    pub fn erase(&self, who: Who) -> Result<(), BooksError> {
        self.write().remove(who);
        self.drawer.destroy(&name(who))
    }

    /// Whether somebody is in the index.
    pub fn knows(&self, who: Who) -> bool {
        self.read().tokens.contains_key(&who)
    }

    /// Everybody whom a query fits, ascending; nobody for a query without letters or digits.
    pub fn find(&self, query: &Query) -> Vec<Who> {
        let tokens: Vec<Token> = match query {
            Query::Name(text) => {
                let begins = |word: &Zeroizing<String>| {
                    let beginning: Zeroizing<String> =
                        Zeroizing::new(word.graphemes(true).take(PREFIX).collect());
                    self.token(Kind::Name, &beginning)
                };
                words(text).iter().map(begins).collect()
            }
            Query::Email(text) => self.tokens(Kind::Email, &[whole(text)]),
            Query::Phone(text) => self.tokens(Kind::Phone, &[phone(text)]),
            Query::Born(text) => self.tokens(Kind::Born, &[born(text)]),
        };
        let held = self.read();
        let mut found = tokens.iter().map(|token| held.people.get(token).cloned().unwrap_or_default());
        let Some(first) = found.next() else { return Vec::new() };
        found.fold(first, |all, more| &all & &more).into_iter().collect()
    }

    /// Everybody who is like these particulars in something by which people are told apart, ascending.
    pub fn duplicates(&self, particulars: &Particulars) -> Vec<Flag> {
        let held = self.read();
        let mut flags = BTreeSet::new();
        for (field, tokens) in [
            (Likeness::NameAndBirth, self.same_person(particulars)),
            (Likeness::Email, self.tokens(Kind::Email, &[whole(particulars.field(field::EMAIL))])),
            (Likeness::Phone, self.tokens(Kind::Phone, &[phone(particulars.field(field::PHONE))])),
            (Likeness::BankAccount, self.tokens(Kind::Bank, &[account(particulars)])),
        ] {
            let alike = tokens.iter().filter_map(|token| held.people.get(token)).flatten();
            flags.extend(alike.map(|who| Flag { field, who: *who }));
        }
        flags.into_iter().collect()
    }

    fn all(&self, particulars: &Particulars) -> Vec<Token> {
        let mut tokens = BTreeSet::new();
        for word in NAMES.iter().flat_map(|key| words(particulars.field(key))) {
            let mut beginning = Zeroizing::new(String::with_capacity(word.len()));
            for letter in word.graphemes(true).take(PREFIX) {
                beginning.push_str(letter);
                tokens.insert(self.token(Kind::Name, &beginning));
            }
        }
        tokens.extend(self.tokens(Kind::Email, &[whole(particulars.field(field::EMAIL))]));
        tokens.extend(self.tokens(Kind::Phone, &[phone(particulars.field(field::PHONE))]));
        tokens.extend(self.tokens(Kind::Born, &[born(particulars.field(field::BORN))]));
        tokens.extend(self.tokens(Kind::Bank, &[account(particulars)]));
        tokens.extend(self.same_person(particulars));
        tokens.into_iter().collect()
    }

    fn same_person(&self, particulars: &Particulars) -> Vec<Token> {
        let born = born(particulars.field(field::BORN));
        if born.is_empty() {
            return Vec::new();
        }
        let named = |key: &&str| {
            let mut words = words(particulars.field(key));
            if words.is_empty() {
                return None;
            }
            // The family's name comes first in one country and last in another.
            words.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
            let parts: Vec<&str> = words.iter().map(|word| word.as_str()).chain([born.as_str()]).collect();
            Some(Zeroizing::new(parts.join(" ")))
        };
        let values: Vec<_> = [field::NAME, field::KANA].iter().filter_map(named).collect();
        self.tokens(Kind::Person, &values)
    }

    fn tokens(&self, kind: Kind, values: &[Zeroizing<String>]) -> Vec<Token> {
        values.iter().filter(|value| !value.is_empty()).map(|value| self.token(kind, value)).collect()
    }

    fn token(&self, kind: Kind, value: &str) -> Token {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.key).expect("HMAC takes a key of any length");
        mac.update(&[kind as u8]);
        mac.update(value.as_bytes());
        *mac.finalize().into_bytes().first_chunk().expect("SHA-256 has 32 bytes")
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn add(&mut self, who: Who, tokens: Vec<Token>) {
        self.remove(who);
        for token in &tokens {
            self.people.entry(*token).or_default().insert(who);
        }
        self.tokens.insert(who, tokens);
    }

    fn remove(&mut self, who: Who) {
        for token in self.tokens.remove(&who).unwrap_or_default() {
            if let Some(people) = self.people.get_mut(&token) {
                people.remove(&who);
                if people.is_empty() {
                    self.people.remove(&token);
                }
            }
        }
    }
}

/// Keeps a name's hash from ever meeting a telephone's. The numbers are part of what is hashed.
#[derive(Clone, Copy)]
enum Kind {
    Name = 1,
    Email = 2,
    Phone = 3,
    Born = 4,
    Bank = 5,
    Person = 6,
}

/// NFKC, lower case, hiragana as katakana.
fn normal(text: &str) -> Zeroizing<String> {
    let katakana = |c: char| match c {
        'ぁ'..='ゖ' => char::from_u32(c as u32 + 0x60).unwrap_or(c),
        _ => c,
    };
    Zeroizing::new(text.nfkc().flat_map(char::to_lowercase).map(katakana).collect())
}

fn words(text: &str) -> Vec<Zeroizing<String>> {
    let ends = |c: char| !c.is_alphanumeric() && !is_combining_mark(c);
    let normal = normal(text);
    let words = normal.split(ends).filter(|word| !word.is_empty());
    words.take(WORDS).map(|word| Zeroizing::new(word.to_owned())).collect()
}

fn whole(text: &str) -> Zeroizing<String> {
    Zeroizing::new(normal(text).split_whitespace().collect())
}

fn digits(text: &str) -> Zeroizing<String> {
    Zeroizing::new(normal(text).chars().filter(char::is_ascii_digit).collect())
}

fn phone(text: &str) -> Zeroizing<String> {
    let digits = digits(text);
    Zeroizing::new(digits[digits.len().saturating_sub(PHONE_DIGITS)..].to_owned())
}

/// `1990-01-02`, and `1990/1/2` as well.
fn born(text: &str) -> Zeroizing<String> {
    let normal = normal(text);
    let mut date = Zeroizing::new(String::new());
    for part in normal.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()) {
        if part.len() == 1 {
            date.push('0');
        }
        date.push_str(part);
    }
    date
}

fn account(particulars: &Particulars) -> Zeroizing<String> {
    let normal = normal(particulars.field(field::BANK_ACCOUNT));
    Zeroizing::new(normal.chars().filter(|c| c.is_alphanumeric()).collect())
}

fn name(who: Who) -> String {
    match who {
        Who::Account(AccountNumber::Member(number)) => format!("m{}", number.0),
        Who::Account(AccountNumber::Store(number)) => format!("s{}", number.0),
        Who::Application(number) => format!("a{}", number.0),
    }
}

fn who(name: &str) -> Option<Who> {
    let (kind, digits) = name.split_at_checked(1)?;
    let number = digits.parse().ok()?;
    match kind {
        "m" => Some(Who::Account(AccountNumber::Member(MemberNumber(number)))),
        "s" => Some(Who::Account(AccountNumber::Store(StoreNumber(number)))),
        "a" => Some(Who::Application(ApplicationNumber(number))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use wire::{
        bounded::List,
        text::{Line, Prose},
    };

    use super::*;

    fn filled_in(fields: &[(&str, &str)]) -> Particulars {
        let fields = fields.iter().map(|(key, value)| (Line::new(key).unwrap(), Prose::new(value).unwrap()));
        Particulars { form: 1, fields: List::first(fields) }
    }

    fn aiko() -> Particulars {
        filled_in(&[
            (field::NAME, "Aiko TANAKA"),
            (field::KANA, "たなか アイコ"),
            (field::EMAIL, "Aiko@Example.org"),
            (field::PHONE, "+81 90-1234-5678"),
            (field::BORN, "1990-01-02"),
        ])
    }

    fn open(dir: &Path) -> PeopleIndex {
        PeopleIndex::open(dir, Key::new([1; 32]), Key::new([2; 32])).unwrap()
    }

    fn member(number: u64) -> Who {
        Who::Account(AccountNumber::Member(MemberNumber(number)))
    }

    #[test]
    fn people_are_found_by_what_is_typed_in_any_of_its_forms() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).put(member(1), &aiko()).unwrap();
        let index = open(dir.path());
        let found = [
            Query::Name("ta".into()),
            Query::Name("ＴＡＮＡＫＡ aiko".into()),
            Query::Name("タナ".into()),
            Query::Name("あい".into()),
            Query::Email(" aiko@example.org".into()),
            Query::Phone("090 1234 5678".into()),
            Query::Phone("+81901234-5678".into()),
            Query::Born("1990/1/2".into()),
        ];
        for query in &found {
            assert_eq!(index.find(query), [member(1)], "{query:?}");
        }
        let missed = [
            Query::Name("iko".into()),
            Query::Name("aiko suzuki".into()),
            Query::Name(" - ".into()),
            Query::Email("aiko@example.com".into()),
            Query::Email(String::new()),
            Query::Phone("5678".into()),
            Query::Born("1990-01-03".into()),
        ];
        for query in &missed {
            assert!(index.find(query).is_empty(), "{query:?}");
        }
    }

    #[test]
    fn likeness_is_told_with_its_reason() {
        let dir = tempfile::tempdir().unwrap();
        let index = open(dir.path());
        assert!(index.duplicates(&aiko()).is_empty());
        index.put(member(1), &aiko()).unwrap();
        let shop = filled_in(&[(field::TRADE_NAME, "Cafe"), (field::BANK_ACCOUNT, "0005/101/1234567")]);
        let applicant = Who::Application(ApplicationNumber(4));
        index.put(applicant, &shop).unwrap();
        let turned = filled_in(&[(field::NAME, "Tanaka Aiko"), (field::BORN, "1990-1-2")]);
        assert_eq!(index.duplicates(&turned), [Flag { field: Likeness::NameAndBirth, who: member(1) }]);
        let twin = filled_in(&[(field::NAME, "Aiko Tanaka"), (field::BORN, "1991-01-02")]);
        assert!(index.duplicates(&twin).is_empty(), "a namesake of another age");
        let other =
            filled_in(&[(field::EMAIL, "AIKO@example.org"), (field::BANK_ACCOUNT, "0005-101-1234567")]);
        assert_eq!(
            index.duplicates(&other),
            [
                Flag { field: Likeness::Email, who: member(1) },
                Flag { field: Likeness::BankAccount, who: applicant }
            ]
        );
    }

    #[test]
    fn whoever_is_erased_or_changed_is_found_no_more_as_before() {
        let dir = tempfile::tempdir().unwrap();
        let index = open(dir.path());
        index.put(member(1), &aiko()).unwrap();
        index.put(member(2), &aiko()).unwrap();
        index.put(member(2), &filled_in(&[(field::NAME, "Aiko Suzuki")])).unwrap();
        assert_eq!(index.find(&Query::Name("tanaka".into())), [member(1)]);
        index.erase(member(1)).unwrap();
        index.erase(member(1)).unwrap();
        for index in [index, open(dir.path())] {
            assert!(index.find(&Query::Name("tanaka".into())).is_empty());
            assert_eq!(index.find(&Query::Name("aiko".into())), [member(2)]);
            assert!(!index.knows(member(1)) && index.knows(member(2)));
        }
    }

    #[test]
    fn a_damaged_file_counts_as_missing() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).put(member(1), &aiko()).unwrap();
        std::fs::write(dir.path().join("index/m1"), b"IkC1 nonsense").unwrap();
        let index = open(dir.path());
        assert!(!index.knows(member(1)));
        index.put(member(1), &aiko()).unwrap();
        assert!(open(dir.path()).knows(member(1)));
    }
}
