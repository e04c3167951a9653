//! From the root key to the key of each checkpoint: the key sheets that a journal holds as evidence.

use std::path::Path;

use ledger::Request;
use wire::{
    codec,
    id::EntryNumber,
    key::VerificationKey,
    limits,
    sheet::{KeySheet, SheetRole},
    telegram::Telegram,
    text::Line,
};

use crate::books::{BooksError, Record, batch, disk::Disk, keyring::Keyring, segment};

/// The key sheets that were entered so far, each proved by the root key.
#[derive(Debug, Clone)]
pub(crate) struct Sheets {
    root: VerificationKey,
    /// Oldest first.
    taken: Vec<Taken>,
}

/// A sheet that was entered.
#[derive(Debug, Clone)]
struct Taken {
    /// The first size of the journal for which it speaks.
    begins: u64,
    signed: Telegram,
    says: KeySheet,
}

impl Sheets {
    pub(crate) fn new(root: VerificationKey) -> Self {
        Self { root, taken: Vec::new() }
    }

    /// The sheets of a ring, all of which were entered long ago.
    pub(crate) fn known(ring: &Keyring) -> Self {
        let known = ring.sheets().map(|(sheet, telegram)| Taken {
            begins: 0,
            signed: telegram.clone(),
            says: sheet.clone(),
        });
        Self { root: *ring.root(), taken: known.collect() }
    }

    /// Takes in what a record holds, if that is a key sheet that was entered; says whether it was one.
    ///
    /// # Errors
    /// In words: the evidence is not the sheet that the entry names, the root key did not sign it, it is not the next
    /// one, or it says something else of what was signed before.
    pub(crate) fn take(&mut self, record: &Record) -> Result<bool, String> {
        let Request::Sheet { number, digest, .. } = &record.entry.request else { return Ok(false) };
        if record.entry.refusal().is_some() {
            return Ok(false);
        }
        let signed = evidence(record)?;
        let says = KeySheet::verify(&signed, &self.root).map_err(|error| error.to_string())?;
        if signed.digest() != *digest || says.number != *number {
            return Err("the key sheet in its evidence is not the one that the entry names".into());
        }
        let due = self.newest().map_or(1, |newest| newest.number + 1);
        if says.number != due {
            return Err(format!("key sheet {} stands where {due} is due", says.number));
        }
        let begins = self.begins(&says, record.entry.number)?;
        self.keeps(&says, begins)?;
        self.taken.push(Taken { begins, signed, says });
        Ok(true)
    }

    /// The log's name and the checkpoint key for a size of the journal, by the sheet that was in force for it.
    pub(crate) fn at(&self, size: u64) -> Option<(Line, VerificationKey)> {
        let in_force = self.taken.iter().rev().find(|taken| taken.begins <= size);
        let sheet = &in_force.or_else(|| self.taken.first())?.says;
        Some((sheet.origin_at(size).clone(), sheet.key_at(SheetRole::Checkpoint, size)?))
    }

    pub(crate) fn newest(&self) -> Option<&KeySheet> {
        self.taken.last().map(|taken| &taken.says)
    }

    /// Every sheet as it was signed, with its number, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u64, &Telegram)> {
        self.taken.iter().map(|taken| (taken.says.number, &taken.signed))
    }

    /// The first size for which a sheet speaks. The checkpoint over its own entry is still the old key's last, except where
    /// the log goes on under another name: then it is the first of the new.
    fn begins(&self, sheet: &KeySheet, entry: EntryNumber) -> Result<u64, String> {
        let former = self.newest().map(|former| &former.breaks[..]).unwrap_or_default();
        let wrong = || format!("key sheet {} breaks the log off where it was not", sheet.number);
        match sheet.breaks.strip_prefix(former).ok_or_else(wrong)? {
            [] => Ok(entry.0 + 2),
            [fresh] if fresh.size == entry.0 => Ok(entry.0 + 1),
            _ => Err(wrong()),
        }
    }

    /// The keys of what was signed before stand in every later sheet, for whoever has only that one.
    fn keeps(&self, sheet: &KeySheet, begins: u64) -> Result<(), String> {
        let Some(former) = self.newest() else { return Ok(()) };
        let checkpoint = former.keys.iter().filter(|key| key.role == SheetRole::Checkpoint);
        let ends = checkpoint.flat_map(|key| {
            let last = key.until_size.unwrap_or(begins - 1);
            [key.from_size.min(last), last]
        });
        for size in ends {
            let of =
                |sheet: &KeySheet| (sheet.key_at(SheetRole::Checkpoint, size), sheet.origin_at(size).clone());
            if of(former) != of(sheet) {
                return Err(format!(
                    "key sheet {} names another checkpoint key or log for {size} entries than the one before it",
                    sheet.number
                ));
            }
        }
        Ok(())
    }
}

/// The log's name as the first key sheet of a journal has it: what the first segment must begin with can't be told
/// without it. Nothing is believed yet but the root key's signature.
///
/// # Errors
/// When the journal can't be read, or its first segment holds no sheet that the root key signed.
pub(crate) fn origin(disk: &dyn Disk, journal: &Path, root: &VerificationKey) -> Result<Line, BooksError> {
    if segment::numbers(disk, journal)?.is_empty() {
        return Err(BooksError::Missing(journal.to_owned()));
    }
    let (_, bytes) = segment::read(disk, journal, 1)?;
    let damaged = |offset: usize, why: String| BooksError::Damaged {
        file: segment::path(journal, 1),
        offset: offset as u64,
        why,
    };
    let mut offset = segment::HEAD;
    let mut refused = None;
    while let Some(found) = bytes.get(offset..).and_then(batch::delimit) {
        let decoded = batch::decode(found).map_err(|error| damaged(offset, error.to_string()))?;
        for (_, record) in &decoded.records {
            let mut sheets = Sheets::new(*root);
            match sheets.take(record) {
                Ok(true) => {
                    let origin = sheets.newest().map(|sheet| sheet.origin_at(0).clone());
                    return origin.ok_or_else(|| damaged(offset, "the key sheet is not there".into()));
                }
                Ok(false) => {}
                Err(words) => {
                    refused.get_or_insert(words);
                }
            }
        }
        offset += found.len();
    }
    let why = refused.unwrap_or_else(|| "no whole batch with the center's first key sheet is here".into());
    Err(damaged(segment::HEAD, why))
}

fn evidence(record: &Record) -> Result<Telegram, String> {
    // A telegram's bytes, and what the envelope adds.
    let limit = limits::TELEGRAM + 1024;
    codec::decode("key sheet", &record.evidence, limit).map_err(|error| error.to_string())
}
