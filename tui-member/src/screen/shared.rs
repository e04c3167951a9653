//! What every screen sees beside its own model.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tui_kit::{
    Look, Now,
    keys::Bindings,
    review::{Consent, Review},
    stack::{Room, World},
    time::Zone,
};
use wire::{
    amount::{Amount, Currency},
    id::Digest,
};

use crate::{
    act::{Act, CartLine, CustodyAct, Password},
    app::{ALARM_TITLE, Effect, JOURNAL_TITLE},
    screen::{self, News, Step, Steps},
    view::{CustodyRow, LineView, Money, Snapshot, Transfer},
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Preferences {
    /// After how many minutes without a key the vault is closed; 0 for never.
    pub lock_minutes: u16,
    /// The colours.
    pub look: Look,
    /// Nothing moves by itself that need not.
    pub reduced_motion: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { lock_minutes: 15, look: Look::default(), reduced_motion: false }
    }
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
    /// The alarm that was raised last.
    pub(crate) raised: Option<Digest>,
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
            raised: None,
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

    /// Forgets everything that came out of the vault.
    pub(crate) fn forget(&mut self) {
        let (place, preferences) = (self.place.clone(), self.preferences.clone());
        let bindings = std::mem::take(&mut self.bindings);
        let (now, tickets) = (self.now, self.tickets);
        *self = Self { now, tickets, ..Self::new(place, preferences, bindings) };
    }

    /// A review of something that is signed: with the drawn seal, and password B unless the signature key is open.
    pub(crate) fn signing(&self, review: Review) -> Review {
        let review = match &self.snapshot.seal {
            Some(seal) => review.seal(seal.clone()),
            None => review,
        };
        if self.snapshot.custody.signing_until.is_some() { review } else { review.password("Password B") }
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
        let Some(member) = self.snapshot.member else { return self.place.profile.clone() };
        let custody = &self.snapshot.custody;
        let signing = custody.signing_until.as_ref().map(|until| {
            let left = i64::try_from(until.unix_ms).unwrap_or(i64::MAX).saturating_sub(self.now.unix_ms);
            format!("B open {} min · ", left.max(0).div_euclid(60_000) + 1)
        });
        format!(
            "{}{member} {line} · {} · {}",
            signing.unwrap_or_default(),
            custody.recovery.short(),
            self.place.zone.name()
        )
    }

    fn acknowledged(&mut self, title: &str) -> Option<Effect> {
        let alarm = self.raised.filter(|_| [ALARM_TITLE, JOURNAL_TITLE].contains(&title))?;
        let act = Act::Custody(CustodyAct::Acknowledge { alarm });
        match self.order(act) {
            Step::Own(effect) => Some(effect),
            _ => None,
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
        custody: CustodyRow::default(),
        download: None,
        seal: None,
    }
}

/// What a review warns of where there is no line.
pub(crate) const PREPARED_WORDS: &str = "There is no line to the center now: this is signed and waits in the outbox, from \
                                         where you send it when a line is there.";

/// What a review gave: password B, or nothing where the signature key is open.
pub(crate) fn password_b(consent: Consent) -> Option<Password> {
    match consent {
        Consent::Password(password) => Some(password.into()),
        Consent::Given => None,
    }
}
