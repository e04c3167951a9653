//! The line for letters: a PDF for a window envelope, printed by a command, put into a folder, or printed by an operator.
//!
//! | part | does |
//! |---|---|
//! | [`letter`](letter()) | a letter as a PDF, the same bytes whenever it is made again |
//! | [`Fonts`] | which fonts a letter is set in |
//! | [`carrier`] | the way out that the settings name |
//! | `sheet` | what stands where on the pages, and the PDF of it |
//!
//! What goes out lies in the cabinet and is delivered by the [`Postman`](super::postman::Postman):
//!
//! ```text
//! let fonts = Fonts::open(post.font.as_deref())?;             // at the start; words when the settings are at fault
//! let carrier = post::carrier(&post, &places.data)?;          // `None`: operators print
//! let (postman, task) = Postman::start(Bag { kind: Kind::Letter, carrier, … });
//! postman.give(&post::letter(&letter, &fonts)?)?;             // after the entry that intends it
//! ```
//!
//! “Printed” means that the print command has ended with 0; without one, that the file lies in the folder. What lies in
//! the folder is the operators' from then on: the center neither looks at it nor removes it.

mod fonts;
mod letter;
mod printer;
mod sheet;

use std::{path::Path, sync::Arc};

use self::printer::Printer;
pub use self::{
    fonts::Fonts,
    letter::{ADDRESS_LINES, Letter, LetterError, PAGES, Terms, letter},
};
use super::postman::Carrier;
use crate::config;

/// The way out that the settings name, if they name one. `data` is the center's data directory, in which the folder
/// may not lie. Blocks on the disk.
///
/// # Errors
/// In words, when the folder can't be used.
pub fn carrier(post: &config::Post, data: &Path) -> Result<Option<Arc<dyn Carrier>>, String> {
    let printer = Printer::open(post, data)?;
    Ok(printer.map(|printer| Arc::new(printer) as Arc<dyn Carrier>))
}
