//! The line for e-mail: through an SMTP server, or a folder from which a local mail program takes its messages.
//!
//! | part | does |
//! |---|---|
//! | [`carrier`] | the way out that the settings name |
//! | [`message`](message()) | a message for one recipient, the same bytes whenever it is made again |
//! | `smtp` | says it to a server (RFC 5321), with STARTTLS or TLS and authentication |
//! | `pickup` | puts it into a folder as an `.eml` file |
//!
//! What goes out lies in the cabinet and is delivered by the [`Postman`](super::postman::Postman):
//!
//! ```text
//! let carrier = mail::carrier(mail, &places.data)?;           // at the start; words when the settings are at fault
//! let (postman, task) = Postman::start(Bag { kind: Kind::Mail, carrier: Some(carrier), … });
//! postman.give(&mail::message(&mail.sender()?, &letter)?)?;   // after the entry that intends it
//! ```
//!
//! “Accepted” means that the server has answered 250 to the message, or that the file lies in the pickup folder.

mod message;
mod pickup;
mod smtp;

use std::{path::Path, sync::Arc};

pub use self::message::{Draft, message};
use self::{pickup::Pickup, smtp::Smtp};
use super::postman::Carrier;
use crate::config;

/// The way out that the settings name. `data` is the center's data directory, in which neither the pickup folder nor
/// the password may lie. Blocks on the disk.
///
/// # Errors
/// In words, when a folder or a file that the settings name can't be used. Whether the server is there shows later.
pub fn carrier(mail: &config::Mail, data: &Path) -> Result<Arc<dyn Carrier>, String> {
    match &mail.pickup {
        Some(folder) => Ok(Arc::new(Pickup::open(folder, data)?)),
        None => Ok(Arc::new(Smtp::open(mail, data)?)),
    }
}
