//! The screens behind the door: tabs, what is opened over them, and the act that is being prepared.

mod offers;
mod selected;

use std::{path::PathBuf, sync::Arc, time::Duration};

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Constraint, Layout, Rect},
    widgets::Clear,
};
use tui_kit::{
    KeyCode, Now, Page, Tone, Ui,
    keys::{Bindings, Chord, Keys, Pressed},
    progress,
    time::Zone,
    toast::Toasts,
};

use super::{
    about::About,
    dialogue::{self, Dialogue},
    editing::{self, Editing},
    keys::{self, Do},
    rows::{self, Times},
    screens::{Screen as _, Screens},
    sheet::Sheet,
    tabs::{self, Counts, Tab},
};
use crate::{
    acts::{Act, ActError, JoiningOutcome, Outcome, PeopleOutcome},
    errors::{ErrorLine, Weight},
    inquiry::view::Overview,
    operators::{Operator, role_name},
};

/// The fewest lines of a screen whose bar has two of them.
const TALL: u16 = 16;

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
    /// An act, under a ticket; what it hands out goes into a file where there is one.
    Act(u64, Act, Option<PathBuf>),
}

/// The screens of one operator.
#[derive(Debug)]
pub(super) struct Inside {
    operator: Arc<Operator>,
    times: Times,
    tab: Tab,
    counts: Counts,
    screens: Screens,
    /// What is open over the tab, the newest last.
    sheets: Vec<Sheet>,
    /// The document that is being edited.
    editing: Option<Editing>,
    dialogue: Option<Dialogue>,
    /// Acts whose dialogue was left before their outcome was told.
    left: Vec<u64>,
    overlay: Keys<Do>,
    toasts: Toasts,
    tickets: u64,
}

impl Inside {
    /// The screens of an operator who has just signed in.
    pub(super) fn new(operator: Operator, now: Now) -> Self {
        Self {
            operator: Arc::new(operator),
            times: Times { zone: Zone::utc(), now_unix_ms: now.unix_ms },
            tab: Tab::Overview,
            counts: Counts::default(),
            screens: Screens::new(),
            sheets: Vec::new(),
            editing: None,
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
            let table = if self.editing.is_some() { keys::editor() } else { self.table(serving, bindings) };
            let pressed = self.overlay.press(&table, key);
            return self.pressed(now, key, pressed);
        }
        if let Some(dialogue) = self.dialogue.take() {
            return self.press_dialogue(now, dialogue, key);
        }
        if self.editing.is_some() {
            self.press_editor(key);
            return Wish::Nothing;
        }
        if self.sheets.is_empty() {
            let screen = self.screens.get_mut(self.tab);
            if screen.is_typing() && screen.press(key, &self.times) {
                return Wish::Nothing;
            }
        }
        if key.code == KeyCode::Esc && self.toasts.read(now) {
            return Wish::Nothing;
        }
        let pressed = self.overlay.press(&self.table(serving, bindings), key);
        self.pressed(now, key, pressed)
    }

    fn press_dialogue(&mut self, now: Now, dialogue: Dialogue, key: KeyEvent) -> Wish {
        let (dialogue, step) = dialogue.press(key);
        match step {
            dialogue::Step::Stay => self.dialogue = Some(dialogue),
            dialogue::Step::Close => self.left.extend(dialogue.ticket()),
            dialogue::Step::Do(act, into) => {
                let ticket = self.ticket();
                self.dialogue = Some(dialogue.doing(ticket, now));
                return Wish::Act(ticket, act, into);
            }
        }
        Wish::Nothing
    }

    fn press_editor(&mut self, key: KeyEvent) {
        let Some(editing) = &mut self.editing else { return };
        // Ctrl-C would leave the screen, and what was written with it.
        let key = if Chord::ctrl('c').is(&key) { KeyEvent::from(KeyCode::Esc) } else { key };
        match editing.press(key) {
            editing::Step::Stay => {}
            editing::Step::Close => self.editing = None,
            editing::Step::Review(dialogue) => self.dialogue = Some(dialogue),
            editing::Step::Free => {
                // The editor has no actions: help alone opens.
                let _ = self.overlay.press(&keys::editor(), key);
            }
        }
    }

    fn pressed(&mut self, now: Now, key: KeyEvent, pressed: Pressed<Do>) -> Wish {
        match pressed {
            Pressed::Run(what) => return self.run(now, what),
            Pressed::Refused(why) => self.toasts.say(now, Tone::Warn, why),
            Pressed::Taken => {}
            Pressed::Free => match self.sheets.last_mut() {
                Some(sheet) => sheet.press(key, &self.times),
                None => {
                    self.screens.get_mut(self.tab).press(key, &self.times);
                }
            },
        }
        Wish::Nothing
    }

    fn run(&mut self, now: Now, what: Do) -> Wish {
        match what {
            Do::Leave => return Wish::Leave,
            Do::Lock => return Wish::Lock,
            Do::Open => {
                if let Some(about) = self.opens() {
                    self.sheets.push(Sheet::new(about, &self.times));
                }
            }
            Do::Back => {
                self.sheets.pop();
            }
            Do::Search => {
                let slash = KeyEvent::from(KeyCode::Char('/'));
                self.screens.get_mut(self.tab).press(slash, &self.times);
            }
            Do::Reload => self.outdate(),
            Do::Go(tab) => self.show(tab),
            Do::Next => self.show(self.tab.turned(false)),
            Do::Previous => self.show(self.tab.turned(true)),
            Do::DayBefore => self.screens.day.turn(-1),
            Do::DayAfter => self.screens.day.turn(1),
            Do::Today => self.screens.day.today(),
            Do::Act(deed) => self.begin(now, deed),
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
        } else if let Some(editing) = &mut self.editing {
            editing.paste(pasted);
        } else if self.sheets.is_empty() {
            self.screens.get_mut(self.tab).paste(pasted, &self.times);
        }
    }

    /// Takes a newer overview.
    pub(super) fn overview(&mut self, now: Now, overview: Arc<Overview>) {
        if let Ok(zone) = Zone::named(&overview.zone) {
            self.times.zone = zone;
        }
        self.times.now_unix_ms = now.unix_ms;
        let proposals = overview.proposals;
        // What waits since before this operator has signed in is counted in the bar.
        let begun = self.screens.glance.overview().is_some();
        if begun && proposals > self.counts.proposals && self.tab != Tab::Proposals {
            let words = match proposals {
                1 => "1 act waits for a second operator; 0 shows it".to_owned(),
                some => format!("{some} acts wait for a second operator; 0 shows them"),
            };
            self.toasts.say(now, Tone::Warn, words);
        }
        self.counts = Counts {
            bank: overview.desk,
            applications: overview.applications,
            proposals: overview.proposals,
            post: overview.post,
        };
        self.screens.glance.take(overview, &self.times);
        self.screens.get_mut(self.tab).news(now);
    }

    /// Something went wrong at the center: whatever is on the screen, warnings are said and alarms stay.
    pub(super) fn error(&mut self, now: Now, line: &ErrorLine) {
        if line.weight != Weight::Note {
            self.toasts.say(now, rows::tone(line.weight), line.words.as_str());
        }
        self.screens.errors.news(now);
    }

    /// Takes an answer to whoever asked under its ticket.
    pub(super) fn answer(&mut self, now: Now, ticket: u64, answer: Result<Outcome, ActError>) {
        let doing = self.dialogue.as_ref().and_then(Dialogue::ticket) == Some(ticket);
        let left =
            self.left.iter().position(|left| *left == ticket).map(|at| self.left.swap_remove(at)).is_some();
        if doing || left {
            return self.acted(now, doing, answer);
        }
        let mut answer = Some(answer);
        for sheet in &mut self.sheets {
            sheet.take(ticket, &mut answer, &self.times);
        }
        self.screens.take(ticket, &mut answer, &self.times);
    }

    /// Tells what became of an act. A refusal stands in its dialogue, so that it can be mended and tried again; what
    /// nobody knows does not, because trying again might do it twice.
    fn acted(&mut self, now: Now, doing: bool, answer: Result<Outcome, ActError>) {
        let outcome = match answer {
            Ok(outcome) => Some(outcome),
            Err(error) if doing && !error.unknown => {
                self.dialogue = self.dialogue.take().map(|dialogue| dialogue.refuse(&error.words));
                return;
            }
            Err(error) if error.unknown => {
                self.toasts.say(now, Tone::Bad, format!("it is unknown whether it was done: {error}"));
                None
            }
            Err(error) => {
                self.toasts.say(now, Tone::Bad, format!("refused: {error}"));
                None
            }
        };
        if doing {
            self.dialogue = None;
            // What was written is in force or proposed; or nobody knows, and it can be looked up.
            self.editing = None;
        }
        if doing && self.sheets.last().is_some_and(|sheet| sheet.about().is_past_once_done()) {
            self.sheets.pop();
        }
        self.outdate();
        if let Some(outcome) = outcome {
            self.toasts.say(now, Tone::Good, said(&outcome));
            self.show_what_came(&outcome);
        }
    }

    /// What an act has brought to light is shown, once: it is not asked for again by itself.
    fn show_what_came(&mut self, outcome: &Outcome) {
        let Some(about) = About::brought(outcome) else { return };
        if self.sheets.last().is_none_or(|sheet| *sheet.about() != about) {
            self.sheets.push(Sheet::new(about, &self.times));
        }
        if let Some(sheet) = self.sheets.last_mut() {
            sheet.show(outcome, &self.times);
        }
    }

    /// The next thing to ask the center, if any: what is shown comes before what is not, and what is not is not asked.
    pub(super) fn ask(&mut self, now: Now) -> Option<(u64, Act)> {
        let ticket = self.tickets + 1;
        let asked = match self.sheets.last_mut() {
            Some(sheet) => sheet.ask(ticket, now),
            None => self.screens.get_mut(self.tab).ask(ticket, now, &self.times),
        };
        let act = asked?;
        Some((self.ticket(), act))
    }

    /// When something on the screen moves by itself.
    pub(super) fn tick(&self, now: Now) -> Option<Duration> {
        let waiting = self.dialogue.as_ref().is_some_and(|dialogue| dialogue.ticket().is_some())
            || self.sheets.iter().any(Sheet::is_waiting);
        let moving = [waiting.then_some(progress::TICK), self.screens.tick(), self.toasts.tick(now)];
        moving.into_iter().flatten().min()
    }

    /// Draws everything.
    pub(super) fn view(&self, ui: &mut Ui<'_, '_>, serving: bool, bindings: &Bindings) {
        let name = self.screens.glance.overview().map_or("Inkan", |overview| overview.name.as_str());
        let title = format!("{} · {name}", self.title());
        let operator =
            format!("{}, {} · {}", self.operator.name, role_name(self.operator.role), self.times.zone.name());
        let table = if self.editing.is_some() { keys::editor() } else { self.table(serving, bindings) };
        let footer = table.footer(ui.area().width, ui.theme());
        let body = ui.page(Page { title: &title, status: &operator, footer });
        let alarm = self.alarm();
        let bar = match body.height {
            _ if self.editing.is_some() => 0,
            TALL.. => 2,
            4.. => 1,
            _ => 0,
        };
        let [bar, warned, body] = Layout::vertical([
            Constraint::Length(bar),
            Constraint::Length(u16::from(alarm.is_some() && body.height > 4)),
            Constraint::Min(0),
        ])
        .areas(body);
        tabs::view(ui, bar, self.tab, &self.counts);
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

    fn title(&self) -> String {
        match (&self.editing, self.sheets.last()) {
            (Some(editing), _) => editing.title(),
            (None, Some(sheet)) => sheet.title().to_owned(),
            (None, None) => self.tab.title().to_owned(),
        }
    }

    fn view_shown(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        if let Some(editing) = &self.editing {
            return editing.view(ui, area);
        }
        match self.sheets.last() {
            Some(sheet) => {
                ui.widget(area, Clear);
                sheet.view(&self.times, ui, area);
            }
            None => self.screens.get(self.tab).view(&self.times, ui, area),
        }
    }

    /// What every screen must say: payments are stopped, the books don't balance, the clock jumped.
    fn alarm(&self) -> Option<(Tone, String)> {
        let overview = self.screens.glance.overview()?;
        if !overview.light.balanced {
            return Some((Tone::Bad, format!("The books are NOT balanced: {}", overview.light.words)));
        }
        if !overview.open {
            return Some((Tone::Bad, format!("Payments are stopped: {}", overview.standing)));
        }
        (!overview.standing.is_empty()).then(|| (Tone::Warn, overview.standing.clone()))
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    fn table(&self, serving: bool, bindings: &Bindings) -> tui_kit::keys::Actions<Do> {
        keys::table(&self.possible(serving)).bound(bindings)
    }

    /// Shows a tab. What it showed before is shown at once and read anew.
    fn show(&mut self, tab: Tab) {
        self.sheets.clear();
        self.tab = tab;
        self.outdate();
    }

    fn outdate(&mut self) {
        if let Some(sheet) = self.sheets.last_mut() {
            sheet.outdate();
        }
        self.screens.day.outdate();
        self.screens.get_mut(self.tab).outdate();
    }
}

/// What an act has done, as a sentence.
fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Entered(row) => format!("done and entered as {}: {}", row.number, row.words),
        Outcome::Proposed(row) => {
            format!("this takes two: proposed as {}; another operator confirms it", row.number)
        }
        Outcome::People(PeopleOutcome::Revealed { who, entry, .. }) => {
            format!("that you look at {who} is entered as {entry}")
        }
        Outcome::People(PeopleOutcome::Exported { entry, .. }) => {
            format!("the data lies in the file; that you took it is entered as {entry}")
        }
        Outcome::Done { words } => words.clone(),
        Outcome::Joining(JoiningOutcome::Application(detail)) => {
            format!("that you look at {} is entered", detail.application.number)
        }
        Outcome::Joining(JoiningOutcome::Build { build, kit }) => {
            format!("{} {}: the kit is now number {kit}", build.program, build.version)
        }
        Outcome::Joining(JoiningOutcome::Letter(letter)) => {
            format!("{} lies in the file; print it, and remove the file", letter.name)
        }
        _ => "done".to_owned(),
    }
}
