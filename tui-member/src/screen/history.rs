//! The shopping history: day, store, goods, amount, state.

use std::sync::Arc;

use tui_kit::{
    KeyEvent,
    keys::Action,
    ratatui::layout::Rect,
    stack::{Screen, layer},
    table::{self, Cell, Column, Pressed, Rows, Table},
    ui::Ui,
};
use wire::id::OrderHash;

use crate::{
    screen::{News, Step, Steps, purchase, shared::Shared, words},
    view::PurchaseRow,
};

/// The list of purchases.
pub(crate) struct History {
    table: Table<OrderHash>,
}

impl Default for History {
    fn default() -> Self {
        let columns = [
            Column::fixed("Day", 8),
            Column::growing("Store", 10),
            Column::growing("Goods", 12).rank(3),
            Column::fixed("Amount", 13).right(),
            Column::fixed("State", 12).rank(2),
        ];
        let empty =
            "Nothing bought yet. Purchases stand here, with their receipts and goods; 3 shows the stores.";
        Self { table: Table::new(columns, empty).following() }
    }
}

/// What can be done in the history.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Open,
    Copy,
    CopyAll,
}

impl Screen<Shared> for History {
    type Do = Do;
    const NAME: &'static str = "history";

    fn title(&self, _shared: &Shared) -> String {
        "History".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let some = self.table.selected().is_some();
        let none = "no purchase is selected";
        vec![
            Action::new(
                Do::Open,
                "open",
                "enter",
                "Open",
                "The purchase in full, its receipt and its goods.",
            )
            .when(some, none),
            Action::new(
                Do::Copy,
                "copy",
                "y",
                "Copy number",
                "Copies the transaction number, or the order's hash.",
            )
            .when(some, none),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the row as JSON.")
                .when(some, none)
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        let chosen = self.table.selected();
        let Some(row) = shared.snapshot.purchases.iter().find(|row| Some(&row.order) == chosen) else {
            return Steps::new();
        };
        vec![match todo {
            Do::Open => Step::Push(layer(purchase::Purchase::new(row.order))),
            Do::Copy => match row.number {
                Some(number) => Step::Copy { text: number.to_string(), what: "the transaction number" },
                None => Step::Copy { text: row.order.to_string(), what: "the order's hash" },
            },
            Do::CopyAll => words::copy_json(&**row, "the purchase"),
        }]
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let pressed = self.table.press(key, &rows(&shared.snapshot.purchases));
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) => Some(self.run(Do::Open, shared)),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, shared: &Shared) {
        self.table.paste(pasted, &rows(&shared.snapshot.purchases));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.table.refresh(&rows(&shared.snapshot.purchases));
        Steps::new()
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Snapshot = news {
            self.table.refresh(&rows(&shared.snapshot.purchases));
        }
        Steps::new()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.table.view(ui, area, &rows(&shared.snapshot.purchases));
    }
}

fn rows(purchases: &[Arc<PurchaseRow>]) -> impl Rows<Key = OrderHash> {
    table::rows(
        purchases,
        |row| row.order,
        |row| {
            vec![
                row.day.as_str().into(),
                row.store_name.as_str().into(),
                row.goods.as_str().into(),
                row.total.text.as_str().into(),
                Cell::toned(words::tone(row.state), words::short(row.state)),
            ]
        },
    )
}
