//! Payments that are to be given back.

use tui_kit::{
    KeyEvent,
    keys::Action,
    ratatui::layout::Rect,
    stack::{self, Screen},
    table::{self, Cell, Column, Pressed, Rows, Table},
    theme::Tone,
    ui::Ui,
};
use wire::id::EntryNumber;

use crate::{
    screen::{
        News, Step, Steps,
        refund::{Refund, Target},
        shared::Shared,
        words,
    },
    view::RefundRow,
};

/// The list of refunds due.
pub(crate) struct Refunds {
    table: Table<EntryNumber>,
}

impl Default for Refunds {
    fn default() -> Self {
        let columns = [
            Column::fixed("Payment", 13),
            Column::fixed("Paid", 14).rank(2),
            Column::fixed("Amount", 14).right(),
            Column::growing("Why", 12),
        ];
        let empty =
            "No refund is due. A payment that fits no order, or that can't be delivered, stands here.";
        Self { table: Table::new(columns, empty) }
    }
}

/// What can be done with refunds due.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Refund,
    RefundAll,
    Copy,
    CopyAll,
}

impl Refunds {
    fn chosen<'a>(&self, shared: &'a Shared) -> Option<&'a RefundRow> {
        shared.snapshot.refunds.iter().find(|row| Some(&row.payment) == self.table.selected())
    }
}

/// Those that no refund was signed for yet.
fn open(shared: &Shared) -> impl Iterator<Item = &RefundRow> {
    shared.snapshot.refunds.iter().filter(|row| !row.unknown)
}

impl Screen<Shared> for Refunds {
    type Do = Do;
    const NAME: &'static str = "refunds";

    fn title(&self, _shared: &Shared) -> String {
        "Refunds due".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let chosen = self.chosen(shared);
        let refundable = match chosen {
            None => Err("no payment is selected".to_owned()),
            Some(row) if row.unknown => {
                Err("a refund waits in the outbox (5), which sends it or asks what became of it".to_owned())
            }
            Some(_) => Ok(()),
        };
        let (some, none) = (chosen.is_some(), "no payment is selected");
        vec![
            Action {
                enabled: refundable,
                ..Action::new(Do::Refund, "refund", "R enter", "Refund", "Gives this payment back, whole.")
            },
            Action::new(Do::RefundAll, "refund-all", "A", "Refund all", "Gives all of them back.")
                .when(open(shared).next().is_some(), "no refund is due"),
            Action::new(Do::Copy, "copy", "y", "Copy number", "Copies the payment's number.")
                .when(some, none),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the row as JSON.")
                .when(some, none)
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        let targets: Vec<Target> = match todo {
            Do::RefundAll => open(shared).map(Target::of_due).collect(),
            Do::Refund => self.chosen(shared).map(Target::of_due).into_iter().collect(),
            Do::Copy | Do::CopyAll => {
                let Some(row) = self.chosen(shared) else { return Steps::new() };
                return vec![match todo {
                    Do::Copy => Step::Copy { text: row.payment.to_string(), what: "the payment's number" },
                    _ => words::copy_json(row, "the payment"),
                }];
            }
        };
        if targets.is_empty() {
            return Steps::new();
        }
        vec![Step::Push(stack::layer(Refund::new(targets, shared)))]
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        match self.table.press(key, &table_rows(&shared.snapshot.refunds)) {
            Pressed::Taken => Some(Steps::new()),
            // Enter is an action of its own here: it says why where it can't be done.
            Pressed::Open(_) | Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, shared: &Shared) {
        self.table.paste(pasted, &table_rows(&shared.snapshot.refunds));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.table.refresh(&table_rows(&shared.snapshot.refunds));
        Steps::new()
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Snapshot = news {
            self.table.refresh(&table_rows(&shared.snapshot.refunds));
        }
        Steps::new()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.table.view(ui, area, &table_rows(&shared.snapshot.refunds));
    }
}

fn table_rows(refunds: &[RefundRow]) -> impl Rows<Key = EntryNumber> {
    table::rows(
        refunds,
        |row| row.payment,
        |row| {
            let why = if row.unknown {
                Cell::toned(Tone::Warn, format!("unknown: a refund was sent; {}", row.why))
            } else {
                row.why.as_str().into()
            };
            vec![
                row.payment.to_string().into(),
                row.paid.text.as_str().into(),
                row.total.text.as_str().into(),
                why,
            ]
        },
    )
}
