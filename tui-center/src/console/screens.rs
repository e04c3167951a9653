//! What every screen of the console can do, and all of them side by side.

use std::time::Duration;

use ratatui::{crossterm::event::KeyEvent, layout::Rect};
use tui_kit::{Now, Ui, progress};

use super::{
    about::About, documents::Documents, overview::Glance, register::Register, report::Day, rows::Times,
    tabs::Tab,
};
use crate::{
    acts::{Act, ActError, OperatorRow, Outcome, PersonRow, ProposalRow, SheetKeyRow},
    errors::ErrorLine,
    inquiry::view::{ApplicationRow, BuildRow, DeskRow, KeyRow, MemberRow, StoreRow, TransactionRow},
    lines::postman::PostState,
};

/// An answer on its way to whoever asked: the one whose ticket it bears takes it.
pub(super) type Answer = Option<Result<Outcome, ActError>>;

/// A screen: what is shown, what moves in it, what it asks the center for.
pub(super) trait Screen {
    /// Whether a search is being typed.
    fn is_typing(&self) -> bool {
        false
    }

    /// Whether an answer is awaited.
    fn is_waiting(&self) -> bool {
        false
    }

    /// Takes a key that does nothing by itself: movement, mostly. False for others.
    fn press(&mut self, key: KeyEvent, times: &Times) -> bool;

    /// Takes pasted text.
    fn paste(&mut self, _pasted: &str, _times: &Times) {}

    /// What it shows is old: someone asks for it anew, or an act has changed it.
    fn outdate(&mut self) {}

    /// Entries came in.
    fn news(&mut self, _now: Now) {}

    /// What must be asked now, if anything, under a ticket.
    fn ask(&mut self, _ticket: u64, _now: Now, _times: &Times) -> Option<Act> {
        None
    }

    /// Takes an answer; what was asked under another ticket is passed over.
    fn take(&mut self, _ticket: u64, _answer: &mut Answer, _times: &Times) {}

    /// Draws it.
    fn view(&self, times: &Times, ui: &mut Ui<'_, '_>, area: Rect);

    /// What Enter opens.
    fn opens(&self) -> Option<About> {
        None
    }

    /// What is selected, as text.
    fn text(&self) -> Option<String>;

    /// What is selected, whole, as JSON.
    fn json(&self) -> Option<String>;
}

/// All screens.
#[derive(Debug)]
pub(super) struct Screens {
    pub(super) glance: Glance,
    pub(super) day: Day,
    pub(super) errors: Register<ErrorLine>,
    pub(super) members: Register<MemberRow>,
    pub(super) stores: Register<StoreRow>,
    pub(super) keys: Register<KeyRow>,
    pub(super) transactions: Register<TransactionRow>,
    pub(super) bank: Register<DeskRow>,
    pub(super) applications: Register<ApplicationRow>,
    pub(super) post: Register<PostState>,
    pub(super) people: Register<PersonRow>,
    pub(super) proposals: Register<ProposalRow>,
    pub(super) documents: Documents,
    pub(super) staff: Register<OperatorRow>,
    pub(super) sheet: Register<SheetKeyRow>,
    pub(super) kit: Register<BuildRow>,
}

impl Screens {
    /// Screens that nobody has looked at yet.
    pub(super) fn new() -> Self {
        Self {
            glance: Glance::new(),
            day: Day::default(),
            errors: Register::new(),
            members: Register::new(),
            stores: Register::new(),
            keys: Register::new(),
            transactions: Register::new(),
            bank: Register::new(),
            applications: Register::new(),
            post: Register::new(),
            people: Register::new(),
            proposals: Register::new(),
            documents: Documents::new(),
            staff: Register::new(),
            sheet: Register::new(),
            kit: Register::new(),
        }
    }

    /// One of them.
    pub(super) fn get(&self, tab: Tab) -> &dyn Screen {
        match tab {
            Tab::Overview => &self.glance,
            Tab::Report => &self.day,
            Tab::Errors => &self.errors,
            Tab::Members => &self.members,
            Tab::Stores => &self.stores,
            Tab::Keys => &self.keys,
            Tab::Transactions => &self.transactions,
            Tab::Bank => &self.bank,
            Tab::Applications => &self.applications,
            Tab::Post => &self.post,
            Tab::People => &self.people,
            Tab::Proposals => &self.proposals,
            Tab::Documents => &self.documents,
            Tab::Staff => &self.staff,
            Tab::Sheet => &self.sheet,
            Tab::Kit => &self.kit,
        }
    }

    /// One of them, to be changed.
    pub(super) fn get_mut(&mut self, tab: Tab) -> &mut dyn Screen {
        match tab {
            Tab::Overview => &mut self.glance,
            Tab::Report => &mut self.day,
            Tab::Errors => &mut self.errors,
            Tab::Members => &mut self.members,
            Tab::Stores => &mut self.stores,
            Tab::Keys => &mut self.keys,
            Tab::Transactions => &mut self.transactions,
            Tab::Bank => &mut self.bank,
            Tab::Applications => &mut self.applications,
            Tab::Post => &mut self.post,
            Tab::People => &mut self.people,
            Tab::Proposals => &mut self.proposals,
            Tab::Documents => &mut self.documents,
            Tab::Staff => &mut self.staff,
            Tab::Sheet => &mut self.sheet,
            Tab::Kit => &mut self.kit,
        }
    }

    /// Hands an answer to whichever has asked.
    pub(super) fn take(&mut self, ticket: u64, answer: &mut Answer, times: &Times) {
        for tab in Tab::all() {
            self.get_mut(tab).take(ticket, answer, times);
        }
    }

    /// When something on one of them moves by itself.
    pub(super) fn tick(&self) -> Option<Duration> {
        Tab::all().any(|tab| self.get(tab).is_waiting()).then_some(progress::TICK)
    }
}
