//! The screens: one module each, with its model, its action table and its view, over [`tui_kit::stack`].

pub mod desk;
pub(crate) mod shared;

pub(crate) mod applicant;
mod asked;
mod cards;
mod cart;
mod catalogue;
pub(crate) mod first;
mod history;
pub(crate) mod home;
pub(crate) mod join;
mod keys;
mod messages;
mod outbox;
mod pay;
mod phrase;
mod purchase;
mod request;
mod restore;
mod seal;
mod settings;
mod stores;
mod take_up;
pub(crate) mod unlock;
mod words;

#[cfg(test)]
mod tests;

use std::cell::RefCell;

use tui_kit::{
    keys::{Bindings, Outline},
    stack::{self, Room, layer},
    time::Zone,
};
use wire::{
    id::{OrderHash, StoreNumber},
    text::Line,
};

use self::shared::{Place, Preferences, Shared, Ticket};
use crate::{
    act::{Failure, Outcome},
    app::{Fresh, Left, LockedOut, Progress},
    join::Welcome,
    recover::Restored,
};

/// What a screen wants done, in order.
pub(crate) type Steps = stack::Steps<Shared>;

/// One thing that a screen wants done.
pub(crate) type Step = stack::Step<Shared>;

/// What screens are told.
pub enum News {
    /// The snapshot in [`Shared`] is another.
    Snapshot,
    /// Password A is being tried without having been typed here.
    Opening,
    /// Password A did not open the vault.
    LockedOut(LockedOut),
    /// A center has said who it is.
    Met(Result<Box<Welcome>, Failure>),
    /// A recovery phrase is made; whoever asked for it takes it.
    Phrase(RefCell<Option<Box<Fresh>>>),
    /// Joining has come so far, or something failed.
    Joining(Result<Box<Progress>, (Failure, Left)>),
    /// The application stands otherwise than before.
    Standing(Box<Progress>),
    /// An account was brought back, or not.
    Restored(Result<Box<Restored>, (Failure, Left)>),
    /// A telegram's file was read, or not.
    Loaded(Result<String, String>),
    /// An act is done, or not.
    Done(Ticket, Result<Outcome, Failure>),
}

/// The main screens, each with the digit that leads to it.
pub(crate) const ROOMS: &[Room<Shared>] = &[
    Room {
        name: "home",
        key: "1",
        label: "Home",
        help: "Cards, what waits, the last purchases and messages.",
        open: || layer(home::Home::default()),
    },
    Room {
        name: "cards",
        key: "2",
        label: "Cards",
        help: "Prepaid cards, and how to pay for those that were asked for.",
        open: || layer(cards::Cards::default()),
    },
    Room {
        name: "stores",
        key: "3",
        label: "Stores",
        help: "The directory of stores; Enter shows what one sells.",
        open: || layer(stores::Stores::default()),
    },
    Room {
        name: "cart",
        key: "4",
        label: "Cart",
        help: "What is to be ordered.",
        open: || layer(cart::Cart::default()),
    },
    Room {
        name: "history",
        key: "5",
        label: "History",
        help: "All purchases, with receipts and goods.",
        open: || layer(history::History::default()),
    },
    Room {
        name: "outbox",
        key: "6",
        label: "Outbox",
        help: "Telegrams that wait, or whose outcome is unknown.",
        open: || layer(outbox::Outbox::default()),
    },
    Room {
        name: "messages",
        key: "7",
        label: "Messages",
        help: "What the center and this terminal had to say.",
        open: || layer(messages::Messages::default()),
    },
    Room {
        name: "settings",
        key: "8",
        label: "Settings",
        help: "Passwords, idle lock and looks.",
        open: || layer(settings::Settings::default()),
    },
    Room {
        name: "keys",
        key: "9",
        label: "Keys",
        help: "Fingerprints, the center's chain of your keys, recovery, changes.",
        open: || layer(keys::Keys::default()),
    },
];

/// The action tables of all screens as they are at the start.
pub(crate) fn outlines() -> Vec<Outline> {
    let place = Place { profile: String::new(), zone: Zone::utc(), opener: None };
    let shared = Shared::new(place, Preferences::default(), Bindings::default());
    let mut layers = vec![
        layer(unlock::Unlock::new()),
        layer(first::First),
        layer(join::Join::new()),
        layer(restore::Restore::new()),
    ];
    layers.extend(ROOMS.iter().map(|room| (room.open)()));
    layers.extend([
        layer(request::Request::new()),
        layer(take_up::TakeUp::new(None)),
        layer(pay::Pay::order(StoreNumber(0), Line::default(), Vec::new(), String::new())),
        layer(purchase::Purchase::new(OrderHash([0; 32]))),
        layer(catalogue::Catalogue::new(StoreNumber(0), Line::default())),
    ]);
    layers.iter().map(|layer| layer.outline(&shared)).collect()
}
