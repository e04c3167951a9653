//! The desk's writing half by hand.

use std::time::Duration;

use super::writer::Writer;
use crate::books::BooksError;

/// Works for a desk that was opened with [`super::Desk::stepped`]; nothing is decided between its steps. When it is
/// dropped, however, the desk is as one whose process has died: whoever waits hears nothing any more.
pub struct Stepper(Writer);

impl Stepper {
    pub(super) fn new(writer: Writer) -> Self {
        Self(writer)
    }

    /// Settles one batch of what waits now, and what the desk asks itself at this time; waits for nothing. Afterwards
    /// those who submitted it have their answers.
    pub fn step(&mut self) {
        self.0.step(Duration::ZERO);
    }

    /// Ends in order, as [`super::Desk::close`] does.
    ///
    /// # Errors
    /// When the journal could not be closed in order; every answered entry is durable all the same.
    pub fn close(self) -> Result<(), BooksError> {
        self.0.end()
    }
}
