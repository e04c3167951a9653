//! What every screen sees beside its own model.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tui_kit::{
    Look, Now,
    keys::Bindings,
    stack::{Room, World},
    time::Zone,
};
use wire::amount::{Amount, Currency};

use crate::{
    act::{Act, CartLine},
    app::Effect,
    screen::{self, News, Step, Steps},
    view::{LineView, Money, Snapshot, Transfer},
};

/// Names one question to the engine, so that its answer finds the one who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// Where the program runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The profile's name or directory, for the door.
    pub profile: String,
    /// The zone of all times, shown once.
    pub zone: Zone,
    /// The program that opens fetched goods, where the settings name one.
    pub opener: Option<String>,
}

/// How a person wants the screens; kept in the profile's settings file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Preferences {
    /// The colours.
    pub look: Look,
    /// Nothing moves by itself that need not.
    pub reduced_motion: bool,
}

/// What every screen sees beside its own model.
pub struct Shared {
    /// The moment of the event in hand.
    pub(crate) now: Now,
    /// The newest state.
    pub(crate) snapshot: Arc<Snapshot>,
    /// The cart as it is on the screen; the vault follows.
    pub(crate) cart: Vec<CartLine>,
    /// Transfers under way.
    pub(crate) transfers: Vec<Transfer>,
    /// Where the program runs.
    pub(crate) place: Place,
    /// How the screens shall look.
    pub(crate) preferences: Preferences,
    /// The keys that the person has chosen.
    pub(crate) bindings: Bindings,
    tickets: u64,
    /// Writes of the cart that the engine has not confirmed; until then its snapshots are older than the screen.
    cart_writes: Vec<Ticket>,
    /// Questions whose failure nobody but the foot of the screen will tell.
    unasked: Vec<Ticket>,
}

impl Shared {
    pub(crate) fn new(place: Place, preferences: Preferences, bindings: Bindings) -> Self {
        Self {
            now: Now::default(),
            snapshot: Arc::new(nothing()),
            cart: Vec::new(),
            transfers: Vec::new(),
            place,
            preferences,
            bindings,
            tickets: 0,
            cart_writes: Vec::new(),
            unasked: Vec::new(),
        }
    }

    /// Takes a newer state; one that was overtaken on its way is passed over.
    pub(crate) fn see(&mut self, snapshot: Arc<Snapshot>) {
        if snapshot.generation < self.snapshot.generation {
            return;
        }
        if self.cart_writes.is_empty() {
            self.cart.clone_from(&snapshot.cart);
        }
        self.snapshot = snapshot;
    }

    /// Asks the engine; the asker takes answer and failure.
    pub(crate) fn ask(&mut self, act: Act) -> (Ticket, Step) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        (ticket, Step::Own(Effect::Do { ticket, act }))
    }

    /// Asks the engine for something whose answer shows in the next snapshot; a failure is told at the foot.
    pub(crate) fn order(&mut self, act: Act) -> Step {
        let (ticket, step) = self.ask(act);
        self.unasked.push(ticket);
        step
    }

    /// Replaces the cart, here at once and in the vault.
    pub(crate) fn keep_cart(&mut self, lines: Vec<CartLine>) -> Step {
        self.cart.clone_from(&lines);
        let (ticket, step) = self.ask(Act::KeepCart { lines });
        self.cart_writes.push(ticket);
        self.unasked.push(ticket);
        step
    }

    /// Strikes a question off; true when its failure must be told at the foot.
    pub(crate) fn answered(&mut self, ticket: Ticket) -> bool {
        self.cart_writes.retain(|other| *other != ticket);
        let before = self.unasked.len();
        self.unasked.retain(|other| *other != ticket);
        self.unasked.len() < before
    }

    /// An amount in the center's currency.
    pub(crate) fn money(&self, amount: Amount) -> String {
        Money::new(amount, self.currency()).text
    }

    /// The center's currency; yen until it is known.
    pub(crate) fn currency(&self) -> Currency {
        self.snapshot.center.as_ref().map_or(Currency::YEN, |center| center.currency)
    }

    /// Other preferences from now on.
    pub(crate) fn prefer(&mut self, preferences: Preferences) -> Steps {
        self.preferences = preferences.clone();
        let look = preferences.look;
        vec![Step::Own(Effect::Keep(preferences)), Step::Look(look)]
    }
}

impl World for Shared {
    type Effect = Effect;
    type News = News;
    const ROOMS: &'static [Room<Self>] = screen::ROOMS;

    fn set_now(&mut self, now: Now) {
        self.now = now;
    }

    fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    fn zone(&self) -> &Zone {
        &self.place.zone
    }

    fn is_calm(&self) -> bool {
        self.preferences.reduced_motion
    }

    /// The account, the line, the zone.
    fn status(&self) -> String {
        let line = match &self.snapshot.line {
            LineView::Idle => "not connected",
            LineView::Connecting { .. } => "connecting",
            LineView::Connected { payments: true, .. } => "connected",
            LineView::Connected { payments: false, .. } => "no payments now",
            LineView::Down { .. } => "offline",
        };
        match self.snapshot.member {
            Some(member) => format!("{member} · {line} · {}", self.place.zone.name()),
            None => self.place.profile.clone(),
        }
    }

    fn waiting_in(&self, room: &str) -> usize {
        match room {
            "cart" => self.cart.len(),
            "outbox" => self.snapshot.outbox.iter().filter(|row| row.open).count(),
            _ => 0,
        }
    }
}

/// The state before anything is known.
fn nothing() -> Snapshot {
    Snapshot {
        generation: 0,
        member: None,
        center: None,
        line: LineView::Idle,
        cards: Vec::new(),
        funding: Vec::new(),
        purchases: Vec::new(),
        messages: Vec::new(),
        outbox: Vec::new(),
        cart: Vec::new(),
        findings: Vec::new(),
    }
}
