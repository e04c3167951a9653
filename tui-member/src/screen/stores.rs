//! The directory of stores.

use tui_kit::{
    KeyEvent,
    keys::Action,
    ratatui::layout::{Constraint, Layout, Rect},
    stack::{Screen, layer},
    table::{self, Cell, Column, Pressed, Rows, Table},
    theme::Tone,
    ui::Ui,
};
use wire::id::StoreNumber;

use crate::{
    act::{Act, Outcome},
    screen::{News, Step, Steps, asked::Asked, catalogue::Catalogue, shared::Shared, take_up::TakeUp, words},
    view::StoreRow,
};

/// The list of stores.
pub(crate) struct Stores {
    asked: Asked<Vec<StoreRow>>,
    table: Table<StoreNumber>,
}

impl Default for Stores {
    fn default() -> Self {
        let columns =
            [Column::growing("Store", 16), Column::fixed("Number", 12).rank(1), Column::fixed("Now", 8)];
        let empty = "The directory is empty: no store has joined this center yet. r asks again.";
        Self { asked: Asked::Not, table: Table::new(columns, empty) }
    }
}

/// What can be done with stores.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Open,
    TakeUp,
    Ask,
    Copy,
    CopyAll,
}

impl Stores {
    fn stores(&self) -> &[StoreRow] {
        self.asked.here().map_or(&[], Vec::as_slice)
    }

    fn chosen(&self) -> Option<&StoreRow> {
        self.stores().iter().find(|row| Some(&row.store) == self.table.selected())
    }

    fn ask(&mut self, shared: &mut Shared) -> Steps {
        vec![self.asked.ask(Act::Stores { query: String::new() }, "the directory of stores", shared)]
    }
}

impl Screen<Shared> for Stores {
    type Do = Do;
    const NAME: &'static str = "stores";

    fn title(&self, _shared: &Shared) -> String {
        "Stores".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let some = self.chosen().is_some();
        let none = "no store is selected";
        vec![
            Action::new(Do::Open, "open", "enter", "Visit", "What the store sells.").when(some, none),
            Action::new(Do::Ask, "ask", "r", "Ask again", "Asks the center for the directory."),
            Action::new(
                Do::TakeUp,
                "take-up",
                "u",
                "Take up",
                "Takes up what a cashier sold, with the code that the cashier shows.",
            ),
            Action::new(Do::Copy, "copy", "y", "Copy number", "Copies the store's number.").when(some, none),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the row as JSON.")
                .when(some, none)
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        if let Do::Ask = todo {
            return self.ask(shared);
        }
        if let Do::TakeUp = todo {
            return vec![Step::Push(layer(TakeUp::new(self.chosen())))];
        }
        let Some(store) = self.chosen() else { return Steps::new() };
        vec![match todo {
            Do::Open => Step::Push(layer(Catalogue::new(store.store, store.name.clone()))),
            Do::Copy => Step::Copy { text: store.store.to_string(), what: "the store's number" },
            Do::CopyAll | Do::Ask | Do::TakeUp => words::copy_json(store, "the store"),
        }]
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let Self { asked, table } = self;
        let pressed = table.press(key, &rows(asked.here().map_or(&[], Vec::as_slice)));
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) => Some(self.run(Do::Open, shared)),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        let Self { asked, table } = self;
        table.paste(pasted, &rows(asked.here().map_or(&[], Vec::as_slice)));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.ask(shared)
    }

    fn told(&mut self, news: &News, _shared: &mut Shared) -> Steps {
        let pick = |outcome: &Outcome| match outcome {
            Outcome::Stores(stores) => Some(stores.clone()),
            _ => None,
        };
        if self.asked.told(news, pick) {
            let Self { asked, table } = self;
            table.refresh(&rows(asked.here().map_or(&[], Vec::as_slice)));
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        if self.asked.here().is_none() {
            self.asked.view(ui, area, "r asks again");
            return;
        }
        let [list, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(area);
        self.table.view(ui, list, &rows(self.stores()));
        if let Some(store) = self.chosen() {
            let words = format!("{} key {}", store.store, store.fingerprint);
            ui.styled(foot, &words, ui.theme().dim);
        }
    }
}

fn rows(stores: &[StoreRow]) -> impl Rows<Key = StoreNumber> {
    table::rows(
        stores,
        |row| row.store,
        |row| {
            let now =
                if row.open { Cell::toned(Tone::Good, "open") } else { Cell::toned(Tone::Dim, "closed") };
            vec![row.name.as_str().into(), row.store.to_string().into(), now]
        },
    )
}
