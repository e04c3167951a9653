//! The screens: one module each, with its model, its action table and its view.
//!
//! A screen implements [`tui_kit::stack::Screen`]; the stack gives it what all have in common. What all of them see is
//! [`shared::Shared`]; what they are told is [`News`].

pub mod desk;
pub(crate) mod shared;

mod asked;
mod cashier;
mod cashiers;
mod catalogue;
mod claim;
mod claims;
mod hold;
pub(crate) mod home;
pub(crate) mod join;
mod keys;
mod messages;
mod order;
mod orders;
mod outbox;
mod password;
mod phrase;
mod refund;
mod refunds;
pub(crate) mod restore;
mod settings;
mod signing;
pub(crate) mod unlock;
pub(crate) mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tui_kit::{
    keys::Outline,
    stack::{self, Room},
};
use vault::RecoveryPhrase;

use crate::{
    act::{Failure, Outcome},
    app::{Door, LockedOut},
    join::{Joined, Standing, Welcome},
    restore::Recovered,
    screen::shared::{Place, Preferences, Shared, Ticket},
};

/// What a screen wants done, in order.
pub(crate) type Steps = stack::Steps<Shared>;

/// One thing that a screen wants done.
pub(crate) type Step = stack::Step<Shared>;

/// What screens are told.
pub enum News {
    /// The snapshot in [`Shared`] is another.
    Snapshot,
    /// Password A did not open the vault.
    LockedOut(LockedOut),
    /// A center has said who it is.
    Met(Result<Box<Welcome>, Failure>),
    /// A recovery phrase was made, with the places of the words that are asked back.
    Phrase(Arc<RecoveryPhrase>, [usize; vault::recovery::ASKED]),
    /// Where a newcomer stands, or why what was asked was not done.
    Stands(Result<Box<Standing>, Failure>),
    /// The registration was entered, or not.
    Joined(Result<Joined, Failure>),
    /// A store was brought back, or not.
    Restored(Result<Recovered, (Failure, Door)>),
    /// An act is done, or not.
    Done(Ticket, Result<Outcome, Failure>),
}

/// The screens that a digit leads to.
pub(crate) const ROOMS: &[Room<Shared>] = &[
    Room {
        name: "home",
        key: "1",
        label: "Home",
        help: "Orders by state, today's total, the line, what waits.",
        open: || stack::layer(home::Home),
    },
    Room {
        name: "orders",
        key: "2",
        label: "Orders",
        help: "All orders, by state.",
        open: || stack::layer(orders::Orders::default()),
    },
    Room {
        name: "catalogue",
        key: "3",
        label: "Catalogue",
        help: "What is sold, and what is wrong with its folder.",
        open: || stack::layer(catalogue::Catalogue::default()),
    },
    Room {
        name: "claims",
        key: "4",
        label: "Claims",
        help: "What can be claimed from the center, and the payouts.",
        open: || stack::layer(claims::Claims::default()),
    },
    Room {
        name: "outbox",
        key: "5",
        label: "Outbox",
        help: "Telegrams that wait or whose outcome is unknown.",
        open: || stack::layer(outbox::Outbox::default()),
    },
    Room {
        name: "messages",
        key: "6",
        label: "Messages",
        help: "What the center and this program had to say.",
        open: || stack::layer(messages::Messages::default()),
    },
    Room {
        name: "settings",
        key: "7",
        label: "Settings",
        help: "Passwords, looks, locking and addresses.",
        open: || stack::layer(settings::Settings::default()),
    },
    Room {
        name: "keys",
        key: "8",
        label: "Keys",
        help: "The store's keys, their chain, the recovery phrase.",
        open: || stack::layer(keys::Keys::default()),
    },
    Room {
        name: "cashiers",
        key: "9",
        label: "Cashiers",
        help: "Staff: whose terminal may do what at a till.",
        open: || stack::layer(cashiers::Cashiers::default()),
    },
];

/// The title of the alarm about keys that this terminal did not make.
pub(crate) const KEY_ALARM: &str = "Keys that this terminal did not make";
/// The title of the alarm about a journal that contradicts itself.
pub(crate) const JOURNAL_ALARM: &str = "The center contradicts itself";
/// The word that acknowledges the one about keys.
pub(crate) const KEY_ALARM_WORD: &str = "not mine";
/// The word that acknowledges the one about the journal.
pub(crate) const JOURNAL_ALARM_WORD: &str = "understood";

/// The action tables of all screens that need nothing to be shown.
pub(crate) fn outlines() -> Vec<Outline> {
    let shared = Shared::new(Place::default(), Preferences::default(), Default::default());
    let others = [stack::layer(unlock::Unlock::new()), stack::layer(refunds::Refunds::default())];
    let rooms = ROOMS.iter().map(|room| (room.open)());
    rooms.chain(others).map(|screen| screen.outline(&shared)).collect()
}
