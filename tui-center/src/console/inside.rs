//! The screens behind the door: eight tabs, what is opened over them, and the act that is being prepared.

mod selected;

use std::{sync::Arc, time::Duration};

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Constraint, Layout, Rect},
    widgets::Clear,
};
use tui_kit::{
    KeyCode, Now, Page, Tone, Ui,
    keys::{Bindings, Keys, Pressed},
    progress, table,
    tabs::Tabs,
    time::Zone,
    toast::Toasts,
};

use super::{
    dialogue::{self, Dialogue},
    keys::{self, Do},
    overview::Glance,
    register::Register,
    report::Day,
    rows::{self, Times},
    sheet::Sheet,
};
use crate::{
    acts::{Act, ActError, Outcome},
    errors::{ErrorLine, Weight},
    inquiry::view::{DeskRow, KeyRow, MemberRow, Overview, StoreRow, TransactionRow},
    operators::{Operator, role_name},
};

/// What a person wants that the screens can't do by themselves.
#[derive(Debug)]
pub(super) enum Wish {
    /// Nothing more.
    Nothing,
    /// To leave.
    Leave,
    /// To sign out.
    Lock,
    /// A text in the clipboard.
    Copy(String),
    /// An act, under a ticket.
    Act(u64, Act),
}

/// The tabs, by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Overview,
    Members,
    Stores,
    Keys,
    Transactions,
    Desk,
    Errors,
    Report,
}

const TABS: [Tab; 8] = [
    Tab::Overview,
    Tab::Members,
    Tab::Stores,
    Tab::Keys,
    Tab::Transactions,
    Tab::Desk,
    Tab::Errors,
    Tab::Report,
];

/// The screens of one operator.
#[derive(Debug)]
pub(super) struct Inside {
    operator: Arc<Operator>,
    times: Times,
    tabs: Tabs,
    glance: Glance,
    members: Register<MemberRow>,
    stores: Register<StoreRow>,
    keys: Register<KeyRow>,
    transactions: Register<TransactionRow>,
    desk: Register<DeskRow>,
    errors: Register<ErrorLine>,
    day: Day,
    /// What is open over the tab, the newest last.
    sheets: Vec<Sheet>,
    dialogue: Option<Dialogue>,
    /// Acts whose dialogue was left before their outcome was told.
    left: Vec<u64>,
    overlay: Keys<Do>,
    toasts: Toasts,
    tickets: u64,
}

/// Does the same with whichever register a tab shows.
macro_rules! with_register {
    ($inside:expr, $tab:expr, $register:ident => $does:expr, else $otherwise:expr) => {
        match $tab {
            Tab::Members => {
                let $register = &mut $inside.members;
                $does
            }
            Tab::Stores => {
                let $register = &mut $inside.stores;
                $does
            }
            Tab::Keys => {
                let $register = &mut $inside.keys;
                $does
            }
            Tab::Transactions => {
                let $register = &mut $inside.transactions;
                $does
            }
            Tab::Desk => {
                let $register = &mut $inside.desk;
                $does
            }
            Tab::Errors => {
                let $register = &mut $inside.errors;
                $does
            }
            Tab::Overview | Tab::Report => $otherwise,
        }
    };
}

impl Inside {
    /// The screens of an operator who has just signed in.
    pub(super) fn new(operator: Operator, now: Now) -> Self {
        Self {
            operator: Arc::new(operator),
            times: Times { zone: Zone::utc(), now_unix_ms: now.unix_ms },
            tabs: Tabs::new(keys::TITLES),
            glance: Glance::new(),
            members: Register::new(),
            stores: Register::new(),
            keys: Register::new(),
            transactions: Register::new(),
            desk: Register::new(),
            errors: Register::new(),
            day: Day::default(),
            sheets: Vec::new(),
            dialogue: None,
            left: Vec::new(),
            overlay: Keys::new(),
            toasts: Toasts::default(),
            tickets: 0,
        }
    }

    /// Who has signed in.
    pub(super) fn operator(&self) -> Arc<Operator> {
        self.operator.clone()
    }

    /// Takes a key.
    pub(super) fn key(&mut self, now: Now, key: KeyEvent, serving: bool, bindings: &Bindings) -> Wish {
        if self.overlay.is_open() {
            let pressed = self.overlay.press(&self.table(serving, bindings), key);
            return self.pressed(now, key, pressed);
        }
        if let Some(dialogue) = &mut self.dialogue {
            return match dialogue.press(key) {
                dialogue::Step::Stay => Wish::Nothing,
                dialogue::Step::Close => {
                    self.left.extend(dialogue.ticket());
                    self.dialogue = None;
                    Wish::Nothing
                }
                dialogue::Step::Do(act) => {
                    let ticket = self.ticket();
                    self.dialogue = self.dialogue.take().map(|dialogue| dialogue.doing(ticket, now));
                    Wish::Act(ticket, act)
                }
            };
        }
        let tab = self.tab();
        if self.sheets.is_empty()
            && with_register!(self, tab, register => register.is_typing(), else false)
            && with_register!(self, tab, register => register.press(key, &self.times) != table::Pressed::Free, else false)
        {
            return Wish::Nothing;
        }
        if key.code == KeyCode::Esc && self.toasts.read(now) {
            return Wish::Nothing;
        }
        let pressed = self.overlay.press(&self.table(serving, bindings), key);
        self.pressed(now, key, pressed)
    }

    fn pressed(&mut self, now: Now, key: KeyEvent, pressed: Pressed<Do>) -> Wish {
        match pressed {
            Pressed::Run(what) => return self.run(now, what),
            Pressed::Refused(why) => self.toasts.say(now, Tone::Warn, why),
            Pressed::Taken => {}
            Pressed::Free => self.move_in(key),
        }
        Wish::Nothing
    }

    /// Hands a key that does nothing by itself to what is shown: movement, mostly.
    fn move_in(&mut self, key: KeyEvent) {
        if let Some(sheet) = self.sheets.last_mut() {
            sheet.press(key, &self.times);
            return;
        }
        match self.tab() {
            Tab::Overview => {
                self.glance.press(key, &self.times);
            }
            Tab::Report => {
                self.day.press(key);
            }
            tab => with_register!(self, tab, register => { register.press(key, &self.times); }, else ()),
        }
    }

    fn run(&mut self, now: Now, what: Do) -> Wish {
        match what {
            Do::Leave => return Wish::Leave,
            Do::Lock => return Wish::Lock,
            Do::Open => self.open(),
            Do::Back => {
                self.sheets.pop();
            }
            Do::Search => {
                let slash = KeyEvent::from(KeyCode::Char('/'));
                with_register!(self, self.tab(), register => { register.press(slash, &self.times); }, else ());
            }
            Do::Reload => self.outdate(),
            Do::Go(tab) => self.show(tab),
            Do::Next => self.show((self.tabs.selected() + 1) % TABS.len()),
            Do::Previous => self.show((self.tabs.selected() + TABS.len() - 1) % TABS.len()),
            Do::DayBefore => self.day.turn(-1),
            Do::DayAfter => self.day.turn(1),
            Do::Today => self.day.today(),
            Do::Standing => {
                if let Some((of, frozen)) = self.standing() {
                    self.dialogue = Some(Dialogue::standing(of, !frozen));
                }
            }
            Do::Assign => self.dialogue = self.receipt().map(|row| Dialogue::assign(&row)),
            Do::GiveBack => self.dialogue = self.receipt().map(|row| Dialogue::give_back(&row)),
            Do::AcceptClock => {
                self.dialogue =
                    self.glance.overview().map(|overview| Dialogue::accept_clock(&overview.standing));
            }
            Do::Copy => return self.copied(now, self.text()),
            Do::CopyJson => return self.copied(now, self.json()),
            Do::Notices => self.sheets.push(Sheet::notices(&self.toasts, &self.times)),
        }
        Wish::Nothing
    }

    fn copied(&mut self, now: Now, text: Option<String>) -> Wish {
        match text {
            Some(text) => {
                self.toasts.say(now, Tone::Good, "copied");
                Wish::Copy(text)
            }
            None => {
                self.toasts.say(now, Tone::Warn, "nothing is selected to copy");
                Wish::Nothing
            }
        }
    }

    /// Takes pasted text.
    pub(super) fn paste(&mut self, pasted: &str) {
        if self.overlay.paste(pasted) {
            return;
        }
        if let Some(dialogue) = &mut self.dialogue {
            dialogue.paste(pasted);
        } else if self.sheets.is_empty() {
            with_register!(self, self.tab(), register => register.paste(pasted, &self.times), else ());
        }
    }

    /// Takes a newer overview.
    pub(super) fn overview(&mut self, now: Now, overview: Arc<Overview>) {
        if let Ok(zone) = Zone::named(&overview.zone) {
            self.times.zone = zone;
        }
        self.times.now_unix_ms = now.unix_ms;
        self.tabs.rename(
            TABS.iter().position(|tab| *tab == Tab::Desk).unwrap_or(0),
            match overview.desk {
                0 => "Bank desk".to_owned(),
                waiting => format!("Bank desk ({waiting})"),
            },
        );
        self.glance.take(overview, &self.times);
        with_register!(self, self.tab(), register => register.news(now), else ());
    }

    /// Something went wrong at the center: whatever is on the screen, warnings are said and alarms stay.
    pub(super) fn error(&mut self, now: Now, line: &ErrorLine) {
        if line.weight != Weight::Note {
            self.toasts.say(now, rows::tone(line.weight), line.words.as_str());
        }
        self.errors.news(now);
    }

    /// Takes an answer to whoever asked under its ticket.
    pub(super) fn answer(&mut self, now: Now, ticket: u64, answer: Result<Outcome, ActError>) {
        let doing = self.dialogue.as_ref().and_then(Dialogue::ticket) == Some(ticket);
        let left =
            self.left.iter().position(|left| *left == ticket).map(|at| self.left.swap_remove(at)).is_some();
        if doing || left {
            return self.acted(now, doing, answer);
        }
        let times = &self.times;
        let mut answer = Some(answer);
        for sheet in &mut self.sheets {
            sheet.take(ticket, &mut answer, times);
        }
        self.members.take(ticket, &mut answer, times);
        self.stores.take(ticket, &mut answer, times);
        self.keys.take(ticket, &mut answer, times);
        self.transactions.take(ticket, &mut answer, times);
        self.desk.take(ticket, &mut answer, times);
        self.errors.take(ticket, &mut answer, times);
        self.day.take(ticket, &mut answer);
    }

    /// Tells what became of an act. A refusal stands in its dialogue, so that it can be mended and tried again; what
    /// nobody knows does not, because trying again might do it twice.
    fn acted(&mut self, now: Now, doing: bool, answer: Result<Outcome, ActError>) {
        match answer {
            Ok(outcome) => {
                let words = match outcome {
                    Outcome::Entered(row) => format!("done and entered as {}: {}", row.number, row.words),
                    Outcome::Done { words } => words,
                    _ => "done".to_owned(),
                };
                self.toasts.say(now, Tone::Good, words);
            }
            Err(error) if doing && !error.unknown => {
                self.dialogue = self.dialogue.take().map(|dialogue| dialogue.refuse(&error.words));
                return;
            }
            Err(error) if error.unknown => {
                self.toasts.say(now, Tone::Bad, format!("it is unknown whether it was done: {error}"));
            }
            Err(error) => self.toasts.say(now, Tone::Bad, format!("refused: {error}")),
        }
        if doing {
            self.dialogue = None;
        }
        self.outdate();
    }

    /// The next thing to ask the center, if any: what is shown comes before what is not, and what is not is not asked.
    pub(super) fn ask(&mut self, now: Now) -> Option<(u64, Act)> {
        let ticket = self.tickets + 1;
        let asked = match self.sheets.last_mut() {
            Some(sheet) => sheet.ask(ticket, now),
            None => match self.tab() {
                Tab::Overview => None,
                Tab::Report => self.day.ask(ticket, now),
                tab => with_register!(self, tab, register => register.ask(ticket, now), else None),
            },
        };
        let act = asked?;
        Some((self.ticket(), act))
    }

    /// When something on the screen moves by itself.
    pub(super) fn tick(&self, now: Now) -> Option<Duration> {
        let waiting = self.dialogue.as_ref().is_some_and(|dialogue| dialogue.ticket().is_some())
            || self.sheets.iter().any(Sheet::is_waiting)
            || self.members.is_waiting()
            || self.stores.is_waiting()
            || self.keys.is_waiting()
            || self.transactions.is_waiting()
            || self.desk.is_waiting()
            || self.errors.is_waiting()
            || self.day.is_waiting();
        [waiting.then_some(progress::TICK), self.toasts.tick(now)].into_iter().flatten().min()
    }

    /// Draws everything.
    pub(super) fn view(&self, ui: &mut Ui<'_, '_>, serving: bool, bindings: &Bindings) {
        let name = self.glance.overview().map_or("Inkan", |overview| overview.name.as_str());
        let shown = self.sheets.last().map_or(keys::TITLES[self.tabs.selected()], Sheet::title);
        let title = format!("{shown} · {name}");
        let operator =
            format!("{}, {} · {}", self.operator.name, role_name(self.operator.role), self.times.zone.name());
        let footer = self.table(serving, bindings).footer(ui.area().width, ui.theme());
        let body = ui.page(Page { title: &title, status: &operator, footer });
        let alarm = self.alarm();
        let [tabs, warned, body] = Layout::vertical([
            Constraint::Length(u16::from(body.height > 3)),
            Constraint::Length(u16::from(alarm.is_some() && body.height > 4)),
            Constraint::Min(0),
        ])
        .areas(body);
        self.tabs.view(ui, tabs);
        if let Some((tone, words)) = alarm {
            let words = ui.toned(tone, &words);
            ui.line(warned, words);
        }
        self.view_shown(ui, body);
        self.toasts.view(ui, body);
        if let Some(dialogue) = &self.dialogue {
            dialogue.view(ui);
        }
        self.overlay.view(ui);
    }

    fn view_shown(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        if let Some(sheet) = self.sheets.last() {
            ui.widget(area, Clear);
            return sheet.view(&self.times, ui, area);
        }
        match self.tab() {
            Tab::Overview => self.glance.view(&self.times, ui, area),
            Tab::Members => self.members.view(&self.times, ui, area),
            Tab::Stores => self.stores.view(&self.times, ui, area),
            Tab::Keys => self.keys.view(&self.times, ui, area),
            Tab::Transactions => self.transactions.view(&self.times, ui, area),
            Tab::Desk => self.desk.view(&self.times, ui, area),
            Tab::Errors => self.errors.view(&self.times, ui, area),
            Tab::Report => self.day.view(ui, area),
        }
    }

    /// What every screen must say: payments are stopped, the books don't balance, the clock jumped.
    fn alarm(&self) -> Option<(Tone, String)> {
        let overview = self.glance.overview()?;
        if !overview.light.balanced {
            return Some((Tone::Bad, format!("The books are NOT balanced: {}", overview.light.words)));
        }
        if !overview.open {
            return Some((Tone::Bad, format!("Payments are stopped: {}", overview.standing)));
        }
        (!overview.standing.is_empty()).then(|| (Tone::Warn, overview.standing.clone()))
    }

    fn tab(&self) -> Tab {
        TABS.get(self.tabs.selected()).copied().unwrap_or(Tab::Overview)
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    fn table(&self, serving: bool, bindings: &Bindings) -> tui_kit::keys::Actions<Do> {
        keys::table(&self.possible(serving)).bound(bindings)
    }

    /// Shows a tab. What it showed before is shown at once and read anew.
    fn show(&mut self, tab: usize) {
        self.sheets.clear();
        self.tabs.select(tab);
        self.outdate();
    }

    fn outdate(&mut self) {
        if let Some(sheet) = self.sheets.last_mut() {
            sheet.outdate();
        }
        self.day.outdate();
        with_register!(self, self.tab(), register => register.outdate(), else ());
    }

    fn open(&mut self) {
        if let Some(about) = self.opens() {
            self.sheets.push(Sheet::new(about, &self.times));
        }
    }
}
