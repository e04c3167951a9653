//! The refunds that were signed at this terminal, and what became of them.

use tui_kit::{
    KeyEvent,
    keys::Action,
    ratatui::layout::Rect,
    stack::Screen,
    table::{self, Cell, Column, Pressed, Rows, Table},
    theme::Tone,
    ui::Ui,
};
use wire::id::TelegramId;

use super::{News, Shared, Step, Steps, asked::Asked, copy_json};
use crate::{
    cashier::act::{Act, Outcome},
    screen::words,
    view::{OutboxRow, Resolved, TelegramState},
};

/// The refunds.
pub(super) struct Outbox {
    asked: Asked<Vec<OutboxRow>>,
    rows: Option<Vec<OutboxRow>>,
    table: Table<TelegramId>,
    resolving: Asked<Vec<Resolved>>,
}

impl Default for Outbox {
    fn default() -> Self {
        let columns = [
            Column::fixed("Signed", 14).rank(2),
            Column::growing("What", 14),
            Column::fixed("State", 12).rank(1),
            Column::growing("In words", 12).rank(3),
        ];
        let empty = "No refund was signed here. R on an order gives its payment back.";
        Self { asked: Asked::Not, rows: None, table: Table::new(columns, empty), resolving: Asked::Not }
    }
}

/// What can be done with refunds.
#[derive(Debug, Clone)]
pub(super) enum Do {
    Resolve,
    CopyAll,
}

impl Outbox {
    fn shown(&self) -> &[OutboxRow] {
        self.rows.as_deref().unwrap_or_default()
    }

    fn ask(&mut self, shared: &mut Shared) -> Steps {
        vec![self.asked.ask(Act::Outbox, "the vault", shared)]
    }
}

impl Screen<Shared> for Outbox {
    type Do = Do;
    const NAME: &'static str = "refunds";

    fn title(&self, _shared: &Shared) -> String {
        "Refunds".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let unknown = self.shown().iter().any(|row| row.state == TelegramState::Unknown);
        let asking = self.resolving.is_waiting();
        vec![
            Action::new(Do::Resolve, "resolve", "r", "Ask", "Asks what became of every unknown refund.")
                .when(
                    unknown && !asking,
                    if asking { "the store is being asked" } else { "nothing is unknown" },
                ),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the row as JSON.")
                .when(self.table.selected().is_some(), "no refund is selected"),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::Resolve => vec![self.resolving.ask(Act::Resolve, "the center's word", shared)],
            Do::CopyAll => {
                let chosen = self.table.selected();
                let row = self.shown().iter().find(|row| Some(&row.telegram) == chosen);
                row.map(|row| copy_json(row, "the refund")).into_iter().collect()
            }
        }
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        let Self { rows, table, .. } = self;
        match table.press(key, &table_rows(rows.as_deref().unwrap_or_default())) {
            Pressed::Taken | Pressed::Open(_) => Some(Steps::new()),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        let Self { rows, table, .. } = self;
        table.paste(pasted, &table_rows(rows.as_deref().unwrap_or_default()));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.ask(shared)
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        let rows = |outcome: &Outcome| match outcome {
            Outcome::Outbox(rows) => Some(rows.clone()),
            _ => None,
        };
        if self.asked.told(news, shared, rows) {
            return match self.asked.take() {
                Some(Ok(rows)) => {
                    self.table.refresh(&table_rows(&rows));
                    self.rows = Some(rows);
                    Steps::new()
                }
                Some(Err(failure)) => vec![Step::Say(Tone::Bad, failure.message)],
                None => Steps::new(),
            };
        }
        let resolved = |outcome: &Outcome| match outcome {
            Outcome::Resolved(resolved) => Some(resolved.clone()),
            _ => None,
        };
        if self.resolving.told(news, shared, resolved) {
            let mut steps: Steps = match self.resolving.take() {
                Some(Ok(resolved)) => resolved
                    .iter()
                    .map(|one| Step::Say(words::telegram_tone(one.state), words::became(one)))
                    .collect(),
                Some(Err(failure)) => vec![Step::Say(Tone::Bad, failure.message)],
                None => Steps::new(),
            };
            steps.extend(self.ask(shared));
            return steps;
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.resolving.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        if self.resolving.is_waiting() {
            self.resolving.view(ui, area, "");
        } else if self.rows.is_some() {
            self.table.view(ui, area, &table_rows(self.shown()));
        } else {
            self.asked.view(ui, area, "");
        }
    }
}

fn table_rows(rows: &[OutboxRow]) -> impl Rows<Key = TelegramId> {
    table::rows(
        rows,
        |row| row.telegram,
        |row| {
            vec![
                row.prepared.text.as_str().into(),
                row.what.as_str().into(),
                Cell::toned(words::telegram_tone(row.state), words::telegram_state(row.state)),
                row.words.as_str().into(),
            ]
        },
    )
}
