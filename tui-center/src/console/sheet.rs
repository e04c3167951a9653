//! One thing in full, over the screen it was opened from: its rows, and what belongs to it, which opens in its turn.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Constraint, Layout, Rect},
    text::Line,
};
use tui_kit::{
    KeyCode, KeyModifiers, Now, Tone, Ui,
    detail::{self, Detail as View},
    progress::Waiting,
    table::{self, Cell, Column, Table},
    toast::Toasts,
};

use super::{
    about::{About, Found},
    rows::Times,
    screens::Answer,
};
use crate::{
    acts::{Act, Outcome},
    inquiry::{
        detail::Subject,
        view::{ApplicationRow, TransactionRow},
    },
};

/// One thing in full.
#[derive(Debug)]
pub(super) struct Sheet {
    about: About,
    title: String,
    view: View,
    related: Vec<Related>,
    table: Table<Subject>,
    /// The answer, for copying it whole.
    found: Option<Found>,
    pending: Option<(u64, Waiting)>,
    stale: bool,
    failed: Option<String>,
}

/// Something that belongs to the thing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Related {
    subject: Subject,
    what: Cell,
    unix_ms: Option<u64>,
    amount: String,
}

struct Lines<'a>(&'a [Related], &'a Times);

impl table::Rows for Lines<'_> {
    type Key = Subject;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn key(&self, index: usize) -> Subject {
        self.0[index].subject
    }

    fn cells(&self, index: usize) -> Vec<Cell> {
        let Related { subject, what, unix_ms, amount } = &self.0[index];
        let when = unix_ms.map(|at| self.1.brief(at)).unwrap_or_default();
        vec![subject.to_string().into(), when.into(), what.clone(), amount.as_str().into()]
    }
}

impl Sheet {
    /// A sheet, as far as it can be filled in without asking.
    pub(super) fn new(about: About, times: &Times) -> Self {
        let (title, rows) = (about.title(), about.rows(times));
        Self::filled(about, title, rows, times)
    }

    /// What this session was told.
    pub(super) fn notices(toasts: &Toasts, times: &Times) -> Self {
        let mut rows = toasts.rows(&times.zone);
        if rows.is_empty() {
            rows.push(detail::Row::Words("No notice yet: what acts bring about is told here.".to_owned()));
        }
        Self::filled(About::Notices, "Notices".to_owned(), rows, times)
    }

    fn filled(about: About, title: String, rows: Vec<detail::Row>, times: &Times) -> Self {
        let columns = [
            Column::fixed("number", 10),
            Column::fixed("time", 8).rank(2),
            Column::growing("what belongs to it", 8),
            Column::fixed("amount", 16).right().rank(1),
        ];
        let mut sheet = Self {
            about,
            title,
            related: linked(&rows, None),
            view: View::new(rows),
            table: Table::new(columns, ""),
            found: None,
            pending: None,
            stale: true,
            failed: None,
        };
        sheet.table.refresh(&Lines(&sheet.related, times));
        sheet
    }

    /// What it is called.
    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// What it is about.
    pub(super) fn about(&self) -> &About {
        &self.about
    }

    /// Whether the thing is frozen; none where it can't be, or it is not known yet.
    pub(super) fn frozen(&self) -> Option<bool> {
        self.found.as_ref()?.frozen
    }

    /// The application, once it is known.
    pub(super) fn application(&self) -> Option<&ApplicationRow> {
        self.found.as_ref()?.application.as_deref()
    }

    /// The value of a row of what the center has answered.
    pub(super) fn value(&self, label: &str) -> Option<&str> {
        self.found.as_ref()?.rows.iter().find_map(|row| match row {
            detail::Row::Pair { label: found, value, .. } if found == label => Some(value.as_str()),
            _ => None,
        })
    }

    /// The center's whole answer, as JSON.
    pub(super) fn json(&self) -> Option<String> {
        self.found.as_ref().map(|found| found.json.clone())
    }

    /// What belongs to the thing and is selected.
    pub(super) fn selected(&self) -> Option<Subject> {
        self.table.selected().copied()
    }

    /// All of it as text, for the clipboard.
    pub(super) fn text(&self) -> String {
        format!("{}\n{}", self.title, self.view.text())
    }

    /// Whether an answer is awaited.
    pub(super) fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    /// What it says is old.
    pub(super) fn outdate(&mut self) {
        self.stale = true;
    }

    /// What must be asked now, if anything, under a ticket.
    pub(super) fn ask(&mut self, ticket: u64, now: Now) -> Option<Act> {
        if !self.stale || self.pending.is_some() {
            return None;
        }
        let act = self.about.ask()?;
        self.stale = false;
        self.pending = Some((ticket, Waiting::new(now, self.about.title(), "Esc goes back")));
        Some(act)
    }

    /// Takes an answer; what was asked under another ticket is passed over.
    pub(super) fn take(&mut self, ticket: u64, answer: &mut Answer, times: &Times) {
        if self.pending.take_if(|(asked, _)| *asked == ticket).is_none() {
            return;
        }
        match answer.take() {
            Some(Ok(outcome)) => match self.about.found(&outcome, times) {
                Some(found) => self.fill(found, times),
                None => self.failed = Some("The answer is to something else.".to_owned()),
            },
            Some(Err(error)) => self.failed = Some(error.to_string()),
            None => {}
        }
    }

    /// Shows what an act has brought to light, until it is read anew; false where that is about something else.
    pub(super) fn show(&mut self, outcome: &Outcome, times: &Times) -> bool {
        let found = self.about.found(outcome, times);
        // Reading it anew would hide it again.
        self.stale &= found.is_none();
        let shows = found.is_some();
        if let Some(found) = found {
            self.fill(found, times);
        }
        shows
    }

    /// Takes a key. Arrows choose among what belongs to the thing, pages scroll the thing itself; where nothing
    /// belongs to it, arrows scroll too.
    pub(super) fn press(&mut self, key: KeyEvent, times: &Times) {
        let pages = matches!(key.code, KeyCode::PageUp | KeyCode::PageDown | KeyCode::Char(' '));
        let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        if (self.related.is_empty() || pages) && plain {
            self.view.press(key);
        } else if key.code != KeyCode::Char('/') {
            self.table.press(key, &Lines(&self.related, times));
        }
    }

    /// Draws the sheet.
    pub(super) fn view(&self, times: &Times, ui: &mut Ui<'_, '_>, area: Rect) {
        let theme = ui.theme();
        if let Some(failed) = &self.failed {
            let words = format!("{failed} (r asks again, Esc goes back)");
            ui.paragraph(area, &words, theme.bad);
            return;
        }
        if self.view.rows().is_empty() {
            if let Some((_, waiting)) = &self.pending {
                waiting.view(ui, area);
            }
            return;
        }
        let below = match self.related.len() {
            0 => 0,
            some => u16::try_from(some + 2).unwrap_or(u16::MAX).min(area.height / 2),
        };
        let [top, rule, bottom] = Layout::vertical([
            Constraint::Min(0),
            Constraint::Length(u16::from(below > 0)),
            Constraint::Length(below.saturating_sub(1)),
        ])
        .areas(area);
        self.view.view(ui, top);
        if below > 0 {
            ui.line(rule, Line::styled(theme.marks.rule.repeat(usize::from(rule.width)), theme.border));
            self.table.view(ui, bottom, &Lines(&self.related, times));
        }
    }

    fn fill(&mut self, found: Found, times: &Times) {
        self.failed = None;
        self.title.clone_from(&found.title);
        self.related = linked(&found.rows, self.about.subject());
        let linked: Vec<Subject> = self.related.iter().map(|related| related.subject).collect();
        let history = found.history.iter().map(Related::from);
        self.related.extend(history.filter(|related| !linked.contains(&related.subject)));
        self.view.set(found.rows.clone());
        self.found = Some(found);
        self.table.refresh(&Lines(&self.related, times));
    }
}

impl From<&TransactionRow> for Related {
    fn from(row: &TransactionRow) -> Self {
        let tone = if row.refused { Tone::Warn } else { Tone::Plain };
        Self {
            subject: Subject::Entry(row.number),
            what: Cell::toned(tone, row.words.clone()),
            unix_ms: Some(row.at.unix_ms),
            amount: row.amount.as_ref().map(|amount| amount.text.clone()).unwrap_or_default(),
        }
    }
}

/// The members, stores, cards and entries that rows name, each once, without the thing itself. A printed number has
/// a check digit, so that words are not taken for one by chance.
fn linked(rows: &[detail::Row], own: Option<Subject>) -> Vec<Related> {
    let mut related: Vec<Related> = Vec::new();
    for row in rows {
        let detail::Row::Pair { label, value, .. } = row else { continue };
        for word in value.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
            let Ok(subject) = word.parse::<Subject>() else { continue };
            if Some(subject) == own {
                continue;
            }
            if !related.iter().any(|related| related.subject == subject) {
                related.push(Related {
                    subject,
                    what: label.as_str().into(),
                    unix_ms: None,
                    amount: String::new(),
                });
            }
        }
    }
    related
}
