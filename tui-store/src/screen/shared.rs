//! What every screen sees beside its own model.

use std::{path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use tui_kit::{
    Look, Now,
    keys::Bindings,
    stack::{Room, World},
    time::Zone,
};
use wire::amount::{Amount, Currency};

use crate::{
    act::Act,
    app::Effect,
    screen::{News, ROOMS, Step},
    view::{CatalogueView, CounterView, LineView, Money, OrderStanding, Snapshot},
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
}

impl Default for Place {
    fn default() -> Self {
        Self { profile: String::new(), zone: Zone::utc() }
    }
}

/// How a person wants the screens; kept in the profile.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Preferences {
    /// The colours.
    pub look: Look,
}

/// What every screen sees beside its own model.
#[derive(Debug)]
pub struct Shared {
    /// The moment of the event in hand.
    pub(crate) now: Now,
    /// The newest state.
    pub(crate) snapshot: Arc<Snapshot>,
    /// Why the counter could not be opened; none while it is open or being opened.
    pub(crate) closed: Option<String>,
    /// Where the program runs.
    pub(crate) place: Place,
    /// How the screens shall look.
    pub(crate) preferences: Preferences,
    bindings: Bindings,
    tickets: u64,
    /// Questions that nobody has taken the answer of.
    open: Vec<Ticket>,
}

impl Shared {
    pub(crate) fn new(place: Place, preferences: Preferences, bindings: Bindings) -> Self {
        Self {
            now: Now::default(),
            snapshot: Arc::new(nothing()),
            closed: None,
            place,
            preferences,
            bindings,
            tickets: 0,
            open: Vec::new(),
        }
    }

    /// Takes a newer state; one that was overtaken on its way is passed over.
    pub(crate) fn see(&mut self, snapshot: Arc<Snapshot>) {
        if snapshot.generation >= self.snapshot.generation {
            self.snapshot = snapshot;
        }
    }

    /// Asks the engine.
    pub(crate) fn ask(&mut self, act: Act) -> (Ticket, Step) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.open.push(ticket);
        (ticket, Step::Own(Effect::Do { ticket, act }))
    }

    /// Asks the engine for something whose answer shows in the next snapshot; a failure is told at the foot.
    pub(crate) fn order(&mut self, act: Act) -> Step {
        self.ask(act).1
    }

    /// Strikes a question off; false when it was struck off before.
    pub(crate) fn strike_off(&mut self, ticket: Ticket) -> bool {
        let before = self.open.len();
        self.open.retain(|other| *other != ticket);
        self.open.len() < before
    }

    /// The sum of amounts of money, in the center's currency; at the limit of an amount it stays there.
    pub(crate) fn sum<'a>(&self, amounts: impl IntoIterator<Item = &'a Money>) -> Money {
        let add = |sum: Amount, money: &Money| {
            Amount::new(money.minor).and_then(|amount| sum.plus(amount)).unwrap_or(Amount::MAX)
        };
        let currency = self.snapshot.center.as_ref().map_or(Currency::YEN, |center| center.currency);
        Money::new(amounts.into_iter().fold(Amount::ZERO, add), currency)
    }

    /// How many orders stand so.
    pub(crate) fn standing(&self, state: OrderStanding) -> u64 {
        self.snapshot.standings.iter().filter(|count| count.state == state).map(|count| count.count).sum()
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
        &self.place.zone
    }

    fn status(&self) -> String {
        let line = match &self.snapshot.line {
            LineView::Idle => "not connected",
            LineView::Connecting { .. } => "connecting",
            LineView::Connected { payments: true, .. } => "connected",
            LineView::Connected { payments: false, .. } => "no payments now",
            LineView::Down { .. } => "offline",
        };
        match self.snapshot.store {
            Some(store) => format!("{store} · {line} · {}", self.place.zone.name()),
            None => self.place.profile.clone(),
        }
    }

    fn waiting_in(&self, room: &str) -> usize {
        match room {
            "orders" => self.snapshot.refunds.len(),
            "catalogue" => self.snapshot.catalogue.faults.len(),
            "outbox" => self.snapshot.outbox.len(),
            _ => 0,
        }
    }
}

/// The state before anything is known.
fn nothing() -> Snapshot {
    let none = Money::new(Amount::ZERO, Currency::YEN);
    let catalogue =
        CatalogueView { folder: PathBuf::new(), items: Vec::new(), faults: Vec::new(), loaded: None };
    Snapshot {
        generation: 0,
        store: None,
        name: Default::default(),
        center: None,
        line: LineView::Idle,
        counter: CounterView { listening: Vec::new(), announced: Vec::new(), visitors: 0 },
        catalogue: Arc::new(catalogue),
        standings: Vec::new(),
        today: none.clone(),
        today_payments: 0,
        unclaimed: none.clone(),
        claimable: none,
        orders: Vec::new(),
        refunds: Vec::new(),
        payouts: Vec::new(),
        outbox: Vec::new(),
        messages: Vec::new(),
        findings: Vec::new(),
    }
}
