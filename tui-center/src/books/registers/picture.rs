//! The registers held against the journal: the rows that lie there, and those that the journal gives.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use ledger::{Calendar, Entry};
use wire::id::Digest;

use super::{
    Registers, guarded, open_sled,
    project::Step,
    remove_half_snapshots,
    row::{self, DayTotal, Key, RowError, Watermark},
};
use crate::books::BooksError;

/// All rows of the registers, as they were after so many entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    watermark: Watermark,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Picture {
    /// The rows of registers that nobody has open; `None` where there are none, or nothing was taken in yet.
    ///
    /// # Errors
    /// [`BooksError::Registers`] when they are damaged.
    pub fn resting(dir: &Path) -> Result<Option<Self>, BooksError> {
        if !dir.join("db").exists() {
            return Ok(None);
        }
        remove_half_snapshots(dir)?;
        guarded("reading", || Self::of(&open_sled(dir)?))
    }

    /// How many entries were taken in.
    pub fn size(&self) -> u64 {
        self.watermark.size
    }

    /// The root of the tree over them, by which the registers know their journal.
    pub fn root(&self) -> Digest {
        self.watermark.root
    }

    fn of(db: &sled::Db) -> Result<Option<Self>, RowError> {
        let mut rows = BTreeMap::new();
        for item in db.iter() {
            let (key, row) = item?;
            rows.insert(key.to_vec(), row.to_vec());
        }
        let Some(watermark) = rows.remove(Key::watermark().as_ref()) else { return Ok(None) };
        Ok(Some(Self { watermark: row::decode(&watermark)?, rows }))
    }
}

impl Registers {
    /// All rows at one moment. The registers' thread waits meanwhile; nothing else does.
    ///
    /// # Errors
    /// [`BooksError::Registers`] when they can't be read.
    pub fn picture(&self) -> Result<Option<Picture>, BooksError> {
        self.sound()?;
        let _still = self.0.shown.still();
        guarded("reading", || Picture::of(&self.0.db))
    }
}

/// The rows that a journal gives, made in memory.
pub struct Projection {
    rows: Step<'static>,
    calendar: Option<Calendar>,
}

impl Projection {
    /// That of a journal without entries.
    pub fn new() -> Self {
        Self { rows: Step::new(&NoRows), calendar: None }
    }

    /// Takes an entry in.
    ///
    /// # Errors
    /// In words, when it gives a row that can't be kept.
    pub fn take(&mut self, entry: &Entry) -> Result<(), String> {
        // The rules of time zones are foreign code on settings that are only now looked at.
        let taken = catch_unwind(AssertUnwindSafe(|| self.rows.take(entry, &mut self.calendar)));
        match taken {
            Ok(taken) => taken.map_err(|error| error.to_string()),
            Err(_) => Err("its rows could not be made: an error in the program".into()),
        }
    }

    /// What was booked on each business day over all stores, by day and kind.
    pub fn days(&self) -> Vec<DayTotal> {
        let rows = self.rows.rows().range(Key::days(jiff::civil::Date::MIN, jiff::civil::Date::MAX));
        let totals = rows.filter_map(|(_, row)| row::decode::<DayTotal>(row).ok());
        totals.filter(|total| total.store.is_none()).collect()
    }

    /// Whether these are the rows of a picture; how many there are.
    pub(in crate::books) fn compare(&self, picture: &Picture) -> Result<String, String> {
        let ours = self.rows.rows();
        for (key, row) in ours {
            match picture.rows.get(key.as_ref()) {
                Some(found) if found == row => {}
                Some(_) => return Err(format!("the {} is not what the journal says", key.words())),
                None => return Err(format!("the {} is missing", key.words())),
            }
        }
        if let Some(key) = picture.rows.keys().find(|key| !ours.contains_key(&Key::of(key))) {
            return Err(format!("the {} is in no entry", Key::of(key).words()));
        }
        Ok(format!("{} rows are those that the journal gives at {} entries", ours.len(), picture.size()))
    }
}

impl Default for Projection {
    fn default() -> Self {
        Self::new()
    }
}

/// A tree without rows.
struct NoRows;

impl super::project::Rows for NoRows {
    fn row(&self, _: &Key) -> Result<Option<Vec<u8>>, RowError> {
        Ok(None)
    }
}
