//! What every screen sees beside its own model.

use std::{path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use tui_kit::{
    Look, Now,
    keys::Bindings,
    pad::{Drawing, Point, Stroke},
    review::Review,
    stack::{Room, World},
    time::Zone,
};
use vault::Autograph;
use wire::amount::{Amount, Currency};

use crate::{
    act::Act,
    app::Effect,
    screen::{JOURNAL_ALARM, KEY_ALARM, News, ROOMS, Step},
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Preferences {
    /// The colours.
    pub look: Look,
    /// After how many minutes without a key the screens are locked; 0 for never.
    pub lock_minutes: u32,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { look: Look::default(), lock_minutes: 10 }
    }
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
    /// The drawn seal.
    seal: Option<Drawing>,
    locked: bool,
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
            seal: None,
            locked: false,
            bindings,
            tickets: 0,
            open: Vec::new(),
        }
    }

    /// Takes a newer state; one that was overtaken on its way is passed over.
    pub(crate) fn see(&mut self, snapshot: Arc<Snapshot>) {
        if snapshot.generation >= self.snapshot.generation {
            self.seal = snapshot.seal.as_deref().and_then(drawing);
            self.snapshot = snapshot;
        }
    }

    /// Keeps the drawn seal, as far as it was drawn.
    pub(crate) fn set_seal(&mut self, autograph: Option<&Autograph>) {
        self.seal = autograph.and_then(drawing);
        self.locked = false;
    }

    /// Keeps the seal that was just drawn, for what is signed before the vault is opened again.
    pub(crate) fn show_seal(&mut self, drawing: Drawing) {
        self.seal = Some(drawing);
    }

    /// The drawn seal, for a review of something that is signed.
    pub(crate) fn sealed(&self, review: Review) -> Review {
        match &self.seal {
            Some(seal) => review.seal(seal.clone()),
            None => review,
        }
    }

    /// Locks the screens: nothing of the state is shown until password A is given again.
    pub(crate) fn lock(&mut self) {
        self.locked = true;
    }

    /// Whether the screens are locked.
    pub(crate) fn is_locked(&self) -> bool {
        self.locked
    }

    /// Asks the engine.
    pub(crate) fn ask(&mut self, act: Act) -> (Ticket, Step) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.open.push(ticket);
        (ticket, Step::Own(Effect::Do { ticket, act }))
    }

    /// Asks for an exported telegram to be read and taken in.
    pub(crate) fn ask_to_import(&mut self, path: PathBuf) -> (Ticket, Step) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.open.push(ticket);
        (ticket, Step::Own(Effect::Import { ticket, path }))
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
        let Some(store) = self.snapshot.store else { return self.place.profile.clone() };
        if self.locked {
            return format!("{store} · locked");
        }
        let open = self.snapshot.signing_until.as_ref().map(|until| {
            let left = i64::try_from(until.unix_ms).unwrap_or(i64::MAX).saturating_sub(self.now.unix_ms);
            format!("B open {} min · ", left.max(0) / 60_000 + 1)
        });
        let recovery = match &self.snapshot.recovery {
            None => "no phrase".to_owned(),
            Some(row) => match &row.proved {
                None => "restore unproved".into(),
                Some(at) => format!("proved {}", at.text.split(' ').next().unwrap_or_default()),
            },
        };
        format!("{}{store} · {line} · {recovery} · {}", open.unwrap_or_default(), self.place.zone.name())
    }

    fn acknowledged(&mut self, title: &str) -> Option<Effect> {
        [KEY_ALARM, JOURNAL_ALARM].contains(&title).then(|| match self.ask(Act::AcknowledgeKeys) {
            (_, Step::Own(effect)) => Some(effect),
            _ => None,
        })?
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

/// What was drawn of an autograph; none where it was typed.
fn drawing(autograph: &Autograph) -> Option<Drawing> {
    let point = |point: &vault::autograph::Point| Point { x: point.x, y: point.y, ms: point.ms };
    let strokes = autograph.strokes().iter();
    let strokes = strokes.map(|stroke| Stroke { points: stroke.points.iter().map(point).collect() });
    Drawing::new(strokes.collect()).ok().filter(|drawing| !drawing.is_empty())
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
        alarm: None,
        recovery: None,
        copy_due: false,
        newer: Vec::new(),
        signing_until: None,
        seal: None,
    }
}
