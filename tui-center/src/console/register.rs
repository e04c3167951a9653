//! A register on the screen: rows, a search that the center answers, and a selection that stays with its line.
//!
//! At most one question is on its way. While the person types, rows that are here already are filtered at once, and
//! the center is asked anew whenever its last answer has come, so that no slow register builds up a queue.

use std::time::Duration;

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Constraint, Layout, Rect},
    text::Line,
};
use tui_kit::{
    KeyCode, Now, Tone, Ui,
    progress::Waiting,
    table::{self, Cell, Table},
    text,
};

use super::{
    about::About,
    rows::{Note, Row, Times},
    screens::{Answer, Screen},
};
use crate::acts::{Act, List};

/// Rows that are asked for at once.
const PAGE: usize = 200;
/// Rows that a screen holds at most; beyond, a search is the way.
const MOST: usize = 5_000;
/// How far from the last row more is asked for.
const AHEAD: usize = 50;
/// How often a register in sight is read anew while entries come in.
const ANEW: Duration = Duration::from_secs(1);

/// A register on the screen.
#[derive(Debug)]
pub(super) struct Register<R> {
    rows: Vec<R>,
    more: bool,
    notes: Vec<Note>,
    table: Table<String>,
    most: usize,
    /// What the rows answer; none before the first answer.
    answered: Option<List>,
    pending: Option<Pending>,
    asked: Duration,
    stale: bool,
    /// What could not be answered, and why.
    failed: Option<(List, String)>,
}

#[derive(Debug)]
struct Pending {
    ticket: u64,
    list: List,
    waiting: Waiting,
}

/// The rows as the table sees them.
struct Lines<'a, R> {
    rows: &'a [R],
    times: &'a Times,
    /// The search that the center has answered: its rows fit, whatever their cells show.
    answered: Option<&'a str>,
}

impl<R: Row> table::Rows for Lines<'_, R> {
    type Key = String;

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn key(&self, index: usize) -> String {
        self.rows[index].key()
    }

    fn cells(&self, index: usize) -> Vec<Cell> {
        self.rows[index].cells(self.times)
    }

    fn matches(&self, index: usize, needle: &str) -> bool {
        (R::SEARCHED && self.answered.is_some_and(|answered| answered.to_lowercase() == needle))
            || self.cells(index).iter().any(|cell| cell.text.to_lowercase().contains(needle))
    }
}

impl<R: Row> Register<R> {
    /// A register that nobody has looked at yet.
    pub(super) fn new() -> Self {
        Self {
            rows: Vec::new(),
            more: false,
            notes: Vec::new(),
            table: Table::new(R::columns(), R::EMPTY).following(),
            most: PAGE,
            answered: None,
            pending: None,
            asked: Duration::ZERO,
            stale: false,
            failed: None,
        }
    }

    /// The selected line.
    pub(super) fn selected(&self) -> Option<&R> {
        self.rows.get(self.table.selected_index()?)
    }

    /// The line with a key.
    pub(super) fn find(&self, key: &str) -> Option<&R> {
        self.rows.iter().find(|row| row.key() == key)
    }

    /// Selects the line so many lines further down, or up.
    pub(super) fn step(&mut self, by: isize, times: &Times) {
        let lines = lines(&self.rows, &self.answered, times);
        let key = KeyEvent::from(if by < 0 { KeyCode::Up } else { KeyCode::Down });
        for _ in 0..by.unsigned_abs() {
            self.table.press(key, &lines);
        }
    }

    fn extent(&self) -> String {
        let count = text::thousands(u64::try_from(self.rows.len()).unwrap_or(u64::MAX));
        match (self.rows.len(), self.more) {
            (0, _) => String::new(),
            (MOST.., true) => format!("the first {count} that fit; search with / for others"),
            (_, true) => format!("the first {count} that fit; more come as you go down"),
            (1, false) => "1 line".to_owned(),
            (_, false) => format!("{count} lines"),
        }
    }
}

impl<R: Row> Screen for Register<R> {
    fn is_typing(&self) -> bool {
        self.table.is_typing()
    }

    fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    fn press(&mut self, key: KeyEvent, times: &Times) -> bool {
        let lines = lines(&self.rows, &self.answered, times);
        self.table.press(key, &lines) != table::Pressed::Free
    }

    fn paste(&mut self, pasted: &str, times: &Times) {
        let lines = lines(&self.rows, &self.answered, times);
        self.table.paste(pasted, &lines);
    }

    fn outdate(&mut self) {
        self.stale = true;
    }

    fn news(&mut self, now: Now) {
        // Rows that are read page by page stay as they are: reading thousands anew every second would tell nobody
        // anything.
        if self.most == PAGE && self.answered.is_some() && now.running.saturating_sub(self.asked) >= ANEW {
            self.stale = true;
        }
    }

    fn ask(&mut self, ticket: u64, now: Now, times: &Times) -> Option<Act> {
        if self.pending.is_some() {
            return None;
        }
        let query = if R::SEARCHED { self.table.filter().trim().to_owned() } else { String::new() };
        if self.answered.as_ref().is_some_and(|answered| answered.query != query) {
            self.most = PAGE;
        }
        let near_the_end = self.table.selected_index().is_some_and(|at| at + AHEAD >= self.rows.len());
        if self.more && near_the_end && self.rows.len() >= self.most && self.most < MOST {
            self.most += PAGE;
        }
        let list = List { query, most: self.most };
        // What failed is asked again when the person asks for it or for something else, not by itself without end.
        let failed = self.failed.as_ref().is_some_and(|(failed, _)| *failed == list);
        if !self.stale && (failed || self.answered.as_ref() == Some(&list)) {
            return None;
        }
        self.stale = false;
        self.asked = now.running;
        // One more than is shown tells whether there are more.
        let Some(act) = R::ask(List { most: list.most + 1, ..list.clone() }) else {
            self.rows.clear();
            self.notes.clear();
            self.more = false;
            self.table.refresh(&lines(&self.rows, &None, times));
            self.answered = Some(list);
            return None;
        };
        let waiting = Waiting::new(now, format!("the {}", R::NAME), "");
        self.pending = Some(Pending { ticket, list, waiting });
        Some(act)
    }

    fn take(&mut self, ticket: u64, answer: &mut Answer, times: &Times) {
        let Some(pending) = self.pending.take_if(|pending| pending.ticket == ticket) else { return };
        let found = match answer.take() {
            Some(Ok(outcome)) => {
                self.notes = R::notes(&outcome, times);
                R::found(outcome).ok_or_else(|| "the answer is to something else".to_owned())
            }
            Some(Err(error)) => Err(error.to_string()),
            None => return,
        };
        match found {
            Ok(mut rows) => {
                self.failed = None;
                self.more = rows.len() > pending.list.most;
                rows.truncate(pending.list.most);
                self.rows = rows;
                self.answered = Some(pending.list);
                let lines = lines(&self.rows, &self.answered, times);
                self.table.refresh(&lines);
            }
            Err(words) => self.failed = Some((pending.list, words)),
        }
    }

    fn view(&self, times: &Times, ui: &mut Ui<'_, '_>, area: Rect) {
        let columns = usize::from(area.width);
        let notes: Vec<Line<'_>> = self.notes.iter().flat_map(|note| note_lines(note, ui, columns)).collect();
        let below = u16::try_from(notes.len()).unwrap_or(u16::MAX).min(area.height / 3);
        let [body, noted, foot] = Layout::vertical([
            Constraint::Min(0),
            Constraint::Length(below),
            Constraint::Length(u16::from(area.height > 3)),
        ])
        .areas(area);
        ui.lines(noted, notes);
        if self.answered.is_some() {
            self.table.view(ui, body, &lines(&self.rows, &self.answered, times));
        }
        let theme = ui.theme();
        if let Some((_, failed)) = &self.failed {
            let words = ui.toned(Tone::Bad, &format!("{failed} (r reads it again)"));
            ui.line(if self.answered.is_some() { foot } else { body }, words);
        } else if let Some(pending) = self.pending.as_ref().filter(|pending| {
            ui.now().running.saturating_sub(pending.waiting.since) >= ANEW || self.answered.is_none()
        }) {
            // A short wait is no news; a flicker on every refresh would only disturb.
            pending.waiting.view(ui, if self.answered.is_some() { foot } else { body });
        } else {
            ui.line(foot, Line::styled(self.extent(), theme.dim));
        }
    }

    fn opens(&self) -> Option<About> {
        self.selected().and_then(Row::about)
    }

    fn text(&self) -> Option<String> {
        self.selected().map(Row::copied)
    }

    fn json(&self) -> Option<String> {
        serde_json::to_string_pretty(self.selected()?).ok()
    }
}

/// A note, wrapped, with its mark in front.
fn note_lines((tone, words): &Note, ui: &Ui<'_, '_>, columns: usize) -> Vec<Line<'static>> {
    let theme = ui.theme();
    let mark = theme.mark(*tone);
    let words = if mark.is_empty() { words.clone() } else { format!("{mark} {words}") };
    let style = theme.tone(*tone);
    text::wrap(&text::clean(&words), columns).into_iter().map(|line| Line::styled(line, style)).collect()
}

fn lines<'a, R: Row>(rows: &'a [R], answered: &'a Option<List>, times: &'a Times) -> Lines<'a, R> {
    Lines { rows, times, answered: answered.as_ref().map(|list| list.query.as_str()) }
}
