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
    /// The entry, the sheet as it was signed, and what it says; oldest first.
    taken: Vec<(EntryNumber, Telegram, KeySheet)>,
}

impl Sheets {
    pub(crate) fn new(root: VerificationKey) -> Self {
        Self { root, taken: Vec::new() }
    }

    /// The sheets of a ring, all of which were entered long ago.
    pub(crate) fn known(ring: &Keyring) -> Self {
        let known = ring.sheets().map(|(sheet, telegram)| (EntryNumber(0), telegram.clone(), sheet.clone()));
        Self { root: *ring.root(), taken: known.collect() }
    }

    /// Takes in what a record holds, if that is a key sheet that was entered; says whether it was one.
    ///
    /// # Errors
    /// In words: the evidence is not the sheet that the entry names, the root key did not sign it, it is not the next
    /// one, or it names another checkpoint key for a size that was signed before.
    pub(crate) fn take(&mut self, record: &Record) -> Result<bool, String> {
        let Request::Sheet { number, digest, .. } = &record.entry.request else { return Ok(false) };
        if record.entry.refusal().is_some() {
            return Ok(false);
        }
        let telegram = evidence(record)?;
        let sheet = KeySheet::verify(&telegram, &self.root).map_err(|error| error.to_string())?;
        if telegram.digest() != *digest || sheet.number != *number {
            return Err("the key sheet in its evidence is not the one that the entry names".into());
        }
        let due = self.newest().map_or(1, |newest| newest.number + 1);
        if sheet.number != due {
            return Err(format!("key sheet {} stands where {due} is due", sheet.number));
        }
        self.keeps(&sheet, record.entry.number)?;
        self.taken.push((record.entry.number, telegram, sheet));
        Ok(true)
    }

    /// The log's name and the checkpoint key for a size of the journal, by the sheet that was in force for it.
    pub(crate) fn at(&self, size: u64) -> Option<(Line, VerificationKey)> {
        // A sheet speaks for sizes beyond its own entry's: that one is still signed with the key before, unless the log
        // goes on with that very entry.
        let since = |entry: &EntryNumber, sheet: &KeySheet| entry.0 + u64::from(!goes_on(sheet, *entry));
        let in_force = self.taken.iter().rev().find(|(entry, _, sheet)| since(entry, sheet) < size);
        let (_, _, sheet) = in_force.or_else(|| self.taken.first())?;
        Some((sheet.origin_at(size).clone(), sheet.key_at(SheetRole::Checkpoint, size)?))
    }

    pub(crate) fn newest(&self) -> Option<&KeySheet> {
        self.taken.last().map(|(_, _, sheet)| sheet)
    }

    /// Every sheet as it was signed, with its number, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u64, &Telegram)> {
        self.taken.iter().map(|(_, telegram, sheet)| (sheet.number, telegram))
    }

    /// The keys of what was signed before stand in every later sheet, for whoever has only that one.
    fn keeps(&self, sheet: &KeySheet, entry: EntryNumber) -> Result<(), String> {
        let Some(former) = self.newest() else { return Ok(()) };
        let before = former.breaks.len();
        let more = if goes_on(sheet, entry) { 1 } else { 0 };
        let kept = sheet.breaks.get(..before) == Some(&former.breaks[..]);
        let named = sheet.breaks.get(before).map_or(&sheet.log_origin, |it| &it.origin);
        if !kept || sheet.breaks.len() != before + more || *named != former.log_origin {
            return Err(format!(
                "key sheet {} gives the log another name where it did not begin anew",
                sheet.number
            ));
        }
        let checkpoint = former.keys.iter().filter(|key| key.role == SheetRole::Checkpoint);
        let ends = checkpoint.flat_map(|key| {
            let last = key.until_size.unwrap_or(entry.0 + u64::from(!goes_on(sheet, entry)));
            [key.from_size.min(last), last]
        });
        for size in ends {
            let (was, is) =
                (former.key_at(SheetRole::Checkpoint, size), sheet.key_at(SheetRole::Checkpoint, size));
            if was != is {
                return Err(format!(
                    "key sheet {} names another checkpoint key for {size} entries than the one before it",
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
                    let origin = sheets.newest().map(|sheet| sheet.log_origin.clone());
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

/// Whether the log goes on under another name with the entry of this sheet.
fn goes_on(sheet: &KeySheet, entry: EntryNumber) -> bool {
    sheet.breaks.last().is_some_and(|it| it.size == entry.0)
}

fn evidence(record: &Record) -> Result<Telegram, String> {
    // A telegram's bytes, and what the envelope adds.
    let limit = limits::TELEGRAM + 1024;
    codec::decode("key sheet", &record.evidence, limit).map_err(|error| error.to_string())
}
