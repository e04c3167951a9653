//! The drawer of what was published for each hour.

use wire::checkpoint::{Hour, SignedCheckpoint};

use super::{BooksError, Cabinet};

impl Cabinet {
    /// Keeps the checkpoint of an hour, durably.
    pub fn put_hour(&self, hour: Hour, note: &SignedCheckpoint) -> Result<(), BooksError> {
        self.0.hours.put(&hour.to_string(), note.note().as_bytes(), true)
    }

    /// All hours that are kept, ascending, with their checkpoints; none where one can't be read any more.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn hours(&self) -> Result<Vec<(Hour, Option<SignedCheckpoint>)>, BooksError> {
        // An hour's name sorts as the hour does.
        let named = self.0.hours.names()?.into_iter().filter_map(|name| Some((name.parse().ok()?, name)));
        let kept = named.map(|(hour, name)| {
            let note = self.0.hours.take(&name).ok().flatten();
            let note = note.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok());
            (hour, note.filter(|note: &SignedCheckpoint| note.hour() == Some(hour)))
        });
        Ok(kept.collect())
    }

    /// Takes out what is too old to be shown.
    pub fn drop_hour(&self, hour: Hour) -> Result<(), BooksError> {
        self.0.hours.destroy(&hour.to_string())
    }
}
