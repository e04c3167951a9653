//! Staff: who may do what at a till.

use tui_kit::{
    KeyEvent,
    keys::Action,
    ratatui::layout::{Constraint, Layout, Rect},
    stack::{self, Screen},
    table::{self, Cell, Column, Pressed, Rows, Table},
    text,
    theme::Tone,
    ui::Ui,
};
use wire::key::VerificationKey;

use crate::{
    act::{Act, CashierAct, Outcome},
    screen::{
        News, Step, Steps,
        asked::Asked,
        cashier::{Certify, Revoke},
        shared::Shared,
        words,
    },
    view::{CashierRow, CashierState, StoreLineRow},
};

/// The list of cashiers.
pub(crate) struct Cashiers {
    asked: Asked<Vec<CashierRow>>,
    /// The newest answer; it stays in sight while the engine is asked again.
    rows: Vec<CashierRow>,
    table: Table<VerificationKey>,
    invite: Asked<StoreLineRow>,
    /// The line that cashiers' terminals join with, once it was asked for.
    line: Option<StoreLineRow>,
}

impl Default for Cashiers {
    fn default() -> Self {
        let columns = [
            Column::growing("Name", 10),
            Column::fixed("State", 11),
            Column::growing("May", 12).rank(2),
            Column::fixed("A day", 12).right().rank(1),
            Column::fixed("Left today", 12).right().rank(3),
        ];
        let empty =
            "No cashiers. i makes the line that a terminal of staff joins with; a certifies that terminal.";
        Self {
            asked: Asked::Not,
            rows: Vec::new(),
            table: Table::new(columns, empty),
            invite: Asked::Not,
            line: None,
        }
    }
}

/// What can be done with cashiers.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Add,
    Invite,
    Rights,
    Revoke,
    Copy,
    CopyAll,
}

impl Cashiers {
    fn chosen(&self) -> Option<&CashierRow> {
        self.rows.iter().find(|row| Some(&row.key) == self.table.selected())
    }

    fn ask(&mut self, shared: &mut Shared) -> Steps {
        vec![self.asked.ask(Act::Cashiers { what: CashierAct::List }, "the cashiers", shared)]
    }

    /// The cashier that is selected, if its rights can be changed now.
    fn changeable(&self) -> Result<&CashierRow, String> {
        let row = self.chosen().ok_or("no cashier is selected")?;
        match row.state {
            CashierState::InForce | CashierState::Elsewhere => Ok(row),
            CashierState::Waiting => {
                Err("the center has not spoken about its rights; ask in the outbox (5)".into())
            }
            CashierState::Revoked => Err("its rights are gone; a terminal is certified once".into()),
        }
    }
}

impl Screen<Shared> for Cashiers {
    type Do = Do;
    const NAME: &'static str = "cashiers";

    fn title(&self, _shared: &Shared) -> String {
        "Cashiers".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let (some, none) = (self.chosen().is_some(), "no cashier is selected");
        let changeable = self.changeable().map(drop);
        vec![
            Action::new(Do::Add, "add", "a", "Certify", "Certifies a terminal of staff."),
            Action::new(Do::Invite, "invite", "i", "Line", "The line that a terminal of staff joins with."),
            Action {
                enabled: changeable.clone(),
                ..Action::new(Do::Rights, "rights", "e", "Rights", "Gives this cashier other rights.")
            },
            Action {
                enabled: changeable,
                ..Action::new(Do::Revoke, "revoke", "x", "Revoke", "Takes this cashier's rights away.")
            },
            Action::new(Do::Copy, "copy", "y", "Copy key", "Copies the cashier's terminal key.")
                .when(some, none),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the row as JSON.")
                .when(some, none)
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        let chosen = || self.chosen();
        match (todo, chosen()) {
            (Do::Add, _) => vec![Step::Push(stack::layer(Certify::new(shared)))],
            (Do::Invite, _) => {
                let what = CashierAct::Invite { addresses: Vec::new() };
                vec![self.invite.ask(Act::Cashiers { what }, "the line", shared)]
            }
            (Do::Rights, Some(row)) => vec![Step::Push(stack::layer(Certify::again(row, shared)))],
            (Do::Revoke, Some(row)) => vec![Step::Push(stack::layer(Revoke::new(row, shared)))],
            (Do::Copy, Some(row)) => {
                vec![Step::Copy { text: row.key.to_string(), what: "the cashier's key" }]
            }
            (Do::CopyAll, Some(row)) => vec![words::copy_json(row, "the cashier")],
            (_, None) => Steps::new(),
        }
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        let Self { rows, table, .. } = self;
        match table.press(key, &table_rows(rows)) {
            Pressed::Taken | Pressed::Open(_) => Some(Steps::new()),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        let Self { rows, table, .. } = self;
        table.paste(pasted, &table_rows(rows));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.ask(shared)
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        let rows = |outcome: &Outcome| match outcome {
            Outcome::Cashiers(rows) => Some(rows.clone()),
            _ => None,
        };
        if self.asked.told(news, shared, rows) {
            if let Asked::Here(rows) = std::mem::replace(&mut self.asked, Asked::Not) {
                self.table.refresh(&table_rows(&rows));
                self.rows = rows;
            }
            return Steps::new();
        }
        let line = |outcome: &Outcome| match outcome {
            Outcome::StoreLine(line) => Some(line.clone()),
            _ => None,
        };
        if self.invite.told(news, shared, line) {
            return match std::mem::replace(&mut self.invite, Asked::Not) {
                Asked::Here(line) => {
                    let copy =
                        Step::Copy { text: line.line.clone(), what: "the line for cashiers' terminals" };
                    self.line = Some(line);
                    vec![copy]
                }
                Asked::Failed(failure) => vec![Step::Say(Tone::Bad, failure.message)],
                Asked::Not | Asked::Waiting { .. } => Steps::new(),
            };
        }
        // What a cashier does, and what the center says of its rights, comes with the next state.
        match news {
            News::Snapshot if !self.asked.is_waiting() => self.ask(shared),
            _ => Steps::new(),
        }
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let list = match &self.line {
            Some(line) => {
                let said = format!(
                    "{}\nOn staff's terminal: tui-store --profile NAME till join LINE. The store's key is {}.",
                    line.line, line.fingerprint
                );
                let rows = text::wrap(&said, usize::from(area.width)).len() + 1;
                let rows = u16::try_from(rows).unwrap_or(u16::MAX).min(area.height / 2);
                let [head, list] =
                    Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
                let style = ui.theme().text;
                ui.paragraph(head, &said, style);
                list
            }
            None => area,
        };
        self.table.view(ui, list, &table_rows(&self.rows));
    }
}

/// What a cashier may besides giving back.
pub(super) fn may(row: &CashierRow) -> String {
    let may = [(row.sell, "sell"), (row.deliver, "deliver"), (row.see_day, "see the day")];
    let may: Vec<&str> = may.into_iter().filter(|(has, _)| *has).map(|(_, may)| may).collect();
    may.join(", ")
}

fn table_rows(rows: &[CashierRow]) -> impl Rows<Key = VerificationKey> {
    table::rows(
        rows,
        |row| row.key,
        |row| {
            let tone = match row.state {
                CashierState::InForce => Tone::Good,
                CashierState::Waiting | CashierState::Elsewhere => Tone::Warn,
                CashierState::Revoked => Tone::Dim,
            };
            vec![
                row.name.as_str().into(),
                Cell::toned(tone, row.state.words()),
                may(row).into(),
                row.refund_limit.text.as_str().into(),
                row.left_today.text.as_str().into(),
            ]
        },
    )
}
