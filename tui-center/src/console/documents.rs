//! The documents of the center: guide pages, forms, terms, policy; which versions are in force.

use ledger::request::Document;
use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Constraint, Layout, Rect},
};
use tui_kit::{
    KeyCode, Now, Tone, Ui,
    progress::Waiting,
    table::{self, Cell, Column, Table},
};
use wire::id::EntryNumber;

use super::{
    about::About,
    rows::Times,
    screens::{Answer, Screen},
};
use crate::{
    acts::{Act, JoiningAct, JoiningOutcome, Outcome},
    admission::document::{ALL, noun},
};

/// A document's version in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InForce {
    /// Which.
    pub(super) document: Document,
    /// Counts from 1.
    pub(super) version: u32,
    /// The entry whose evidence it is.
    pub(super) entry: EntryNumber,
    /// Its content.
    pub(super) text: String,
}

/// The documents on the screen. They are asked for one after the other.
#[derive(Debug)]
pub(super) struct Documents {
    known: Vec<InForce>,
    table: Table<usize>,
    pending: Option<(u64, Waiting)>,
    /// How many of them are as new as was asked for.
    read: usize,
    failed: Option<String>,
}

struct Lines<'a>(&'a [InForce]);

impl table::Rows for Lines<'_> {
    type Key = usize;

    fn len(&self) -> usize {
        ALL.len()
    }

    fn key(&self, index: usize) -> usize {
        index
    }

    fn cells(&self, index: usize) -> Vec<Cell> {
        let document = ALL[index];
        let known = self.0.iter().find(|known| known.document == document);
        let lines = known.map(|known| known.text.lines().count().to_string());
        vec![
            noun(document).into(),
            known.map(|known| known.version.to_string()).unwrap_or_default().into(),
            lines.unwrap_or_default().into(),
            known.map(|known| known.entry.to_string()).unwrap_or_default().into(),
        ]
    }
}

impl Documents {
    /// Before anybody has looked.
    pub(super) fn new() -> Self {
        let columns = [
            Column::growing("document", 16),
            Column::fixed("version", 7).right(),
            Column::fixed("lines", 5).right().rank(2),
            Column::fixed("by entry", 10).rank(1),
        ];
        let mut table = Table::new(columns, "");
        table.refresh(&Lines(&[]));
        Self { known: Vec::new(), table, pending: None, read: 0, failed: None }
    }

    /// The selected document.
    pub(super) fn selected(&self) -> Option<Document> {
        self.table.selected().and_then(|at| ALL.get(*at)).copied()
    }

    /// A document as far as it is known.
    pub(super) fn in_force(&self, document: Document) -> Option<&InForce> {
        self.known.iter().find(|known| known.document == document)
    }
}

impl Screen for Documents {
    fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    fn press(&mut self, key: KeyEvent, _times: &Times) -> bool {
        key.code != KeyCode::Char('/') && self.table.press(key, &Lines(&self.known)) == table::Pressed::Taken
    }

    fn outdate(&mut self) {
        self.read = 0;
        self.failed = None;
    }

    fn ask(&mut self, ticket: u64, now: Now, _times: &Times) -> Option<Act> {
        if self.pending.is_some() || self.failed.is_some() {
            return None;
        }
        let document = *ALL.get(self.read)?;
        self.pending = Some((ticket, Waiting::new(now, "the documents", "")));
        Some(Act::Joining(JoiningAct::Document { document }))
    }

    fn take(&mut self, ticket: u64, answer: &mut Answer, _times: &Times) {
        if self.pending.take_if(|(asked, _)| *asked == ticket).is_none() {
            return;
        }
        match answer.take() {
            Some(Ok(Outcome::Joining(JoiningOutcome::Document { document, version, entry, text }))) => {
                self.known.retain(|known| known.document != document);
                self.known.push(InForce { document, version, entry, text });
                self.read += 1;
                self.table.refresh(&Lines(&self.known));
            }
            Some(Ok(_)) => self.failed = Some("the answer is to something else".to_owned()),
            Some(Err(error)) => self.failed = Some(error.to_string()),
            None => {}
        }
    }

    fn view(&self, _times: &Times, ui: &mut Ui<'_, '_>, area: Rect) {
        let waits = self.pending.as_ref().filter(|_| self.known.is_empty());
        let noticed = u16::from(self.failed.is_some() || waits.is_some());
        let [body, notice] = Layout::vertical([Constraint::Min(0), Constraint::Length(noticed)]).areas(area);
        self.table.view(ui, body, &Lines(&self.known));
        if let Some(failed) = &self.failed {
            let words = ui.toned(Tone::Bad, &format!("{failed} (r reads it again)"));
            ui.line(notice, words);
        } else if let Some((_, waiting)) = waits {
            waiting.view(ui, notice);
        }
    }

    fn opens(&self) -> Option<About> {
        self.selected().map(About::Document)
    }

    fn text(&self) -> Option<String> {
        self.in_force(self.selected()?).map(|known| known.text.clone())
    }

    fn json(&self) -> Option<String> {
        let InForce { document, version, entry, text } = self.in_force(self.selected()?)?;
        let whole = serde_json::json!({
            "document": document, "version": version, "entry": entry.to_string(), "text": text,
        });
        serde_json::to_string_pretty(&whole).ok()
    }
}
