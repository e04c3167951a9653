//! A cashier's screens: the door, the orders, one order, selling, a refund, the refunds that were signed here, the day.

pub mod desk;

mod asked;
mod day;
mod order;
pub(crate) mod orders;
mod outbox;
mod refund;
mod sell;
mod sold;
pub(crate) mod unlock;

#[cfg(test)]
mod tests;

use serde::Serialize;
use tui_kit::{
    Now,
    keys::{Bindings, Outline},
    stack::{self, Room, World},
    theme::Tone,
    time::Zone,
};
use wire::till::Right;

use super::{
    act::{Act, Outcome},
    app::Effect,
    view::TillView,
};
use crate::act::Failure;

/// What a screen wants done, in order.
pub(crate) type Steps = stack::Steps<Shared>;

/// One thing that a screen wants done.
pub(crate) type Step = stack::Step<Shared>;

/// What screens are told.
pub enum News {
    /// The password did not open the vault.
    LockedOut(String),
    /// An act is done, or not.
    Done(Ticket, Result<Outcome, Failure>),
}

/// Names one question, so that its answer finds the one who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// What every screen sees beside its own model.
#[derive(Debug)]
pub struct Shared {
    /// The moment of the event in hand.
    pub(crate) now: Now,
    /// How the terminal stands; none before the vault is open.
    pub(crate) view: Option<TillView>,
    /// The profile's name or directory, for the door.
    pub(crate) profile: String,
    zone: Zone,
    bindings: Bindings,
    tickets: u64,
    /// Questions that nobody has taken the answer of.
    open: Vec<Ticket>,
}

impl Shared {
    pub(crate) fn new(profile: &str, zone: Zone, bindings: Bindings) -> Self {
        Self {
            now: Now::default(),
            view: None,
            profile: profile.to_owned(),
            zone,
            bindings,
            tickets: 0,
            open: Vec::new(),
        }
    }

    /// Asks the terminal.
    pub(crate) fn ask(&mut self, act: Act) -> (Ticket, Step) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.open.push(ticket);
        (ticket, Step::Own(Effect::Do { ticket, act }))
    }

    /// Strikes a question off; false when it was struck off before.
    pub(crate) fn strike_off(&mut self, ticket: Ticket) -> bool {
        let before = self.open.len();
        self.open.retain(|other| *other != ticket);
        self.open.len() < before
    }

    /// Whether this cashier has a right, as far as the terminal knows; a sentence when not.
    pub(crate) fn may(&self, right: Right) -> Result<(), String> {
        match self.view.as_ref().and_then(|view| view.rights.as_ref()) {
            None => Err("the store's owner has not certified this terminal yet".into()),
            Some(rights) if rights.has(right) => Ok(()),
            Some(_) => Err(format!("you may not {right}; the store's owner gives rights")),
        }
    }
}

impl World for Shared {
    type Effect = Effect;
    type News = News;
    const ROOMS: &'static [Room<Self>] = ROOMS;

    fn set_now(&mut self, now: Now) {
        self.now = now;
    }

    fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    fn zone(&self) -> &Zone {
        &self.zone
    }

    fn status(&self) -> String {
        match &self.view {
            Some(view) => {
                let line = if view.connected { "connected" } else { "offline" };
                format!("{} · {} · {line} · {}", view.name, view.store, self.zone.name())
            }
            None => self.profile.clone(),
        }
    }

    fn waiting_in(&self, room: &str) -> usize {
        match (room, &self.view) {
            ("refunds", Some(view)) => view.unknown,
            _ => 0,
        }
    }
}

/// The screens that a digit leads to.
const ROOMS: &[Room<Shared>] = &[
    Room {
        name: "orders",
        key: "1",
        label: "Orders",
        help: "The store's orders, newest first.",
        open: || stack::layer(orders::Orders::default()),
    },
    Room {
        name: "refunds",
        key: "2",
        label: "Refunds",
        help: "The refunds that were signed here, and what became of them.",
        open: || stack::layer(outbox::Outbox::default()),
    },
    Room {
        name: "day",
        key: "3",
        label: "Day",
        help: "The day's figures, and what each cashier did.",
        open: || stack::layer(day::Day::default()),
    },
    Room {
        name: "sell",
        key: "4",
        label: "Sell",
        help: "What the store sells; sells to a buyer at the counter.",
        open: || stack::layer(sell::Sell::default()),
    },
];

/// Copies a whole thing.
fn copy_json(thing: &impl Serialize, what: &'static str) -> Step {
    match serde_json::to_string_pretty(thing) {
        Ok(text) => Step::Copy { text, what },
        Err(error) => Step::Say(Tone::Bad, format!("this can't be written as JSON: {error}")),
    }
}

/// The action tables of all screens that need nothing to be shown.
pub(crate) fn outlines() -> Vec<Outline> {
    let shared = Shared::new("", Zone::utc(), Bindings::default());
    let rooms = ROOMS.iter().map(|room| (room.open)());
    rooms.chain([stack::layer(unlock::Unlock::new())]).map(|screen| screen.outline(&shared)).collect()
}
