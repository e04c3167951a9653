//! Messages: what the center sent and what this program noticed.

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::layout::Rect,
    stack::{self, Screen},
    table::{self, Column, Pressed, Rows, Table},
    ui::Ui,
};

use crate::{
    screen::{News, Step, Steps, shared::Shared, words},
    view::MessageRow,
};

/// What tells one message from another.
type Key = (u64, String);

/// The list of messages.
pub(crate) struct Messages {
    table: Table<Key>,
}

impl Default for Messages {
    fn default() -> Self {
        let columns = [Column::fixed("When", 14), Column::growing("Message", 16)];
        let empty = "No messages. What the center has to say, and what this program noticed, stands here.";
        Self { table: Table::new(columns, empty).following() }
    }
}

/// What can be done with messages.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Open,
    Copy,
    CopyAll,
}

impl Messages {
    fn chosen<'a>(&self, shared: &'a Shared) -> Option<&'a MessageRow> {
        shared.snapshot.messages.iter().find(|row| Some(&key(row)) == self.table.selected())
    }
}

impl Screen<Shared> for Messages {
    type Do = Do;
    const NAME: &'static str = "messages";

    fn title(&self, _shared: &Shared) -> String {
        "Messages".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let (some, none) = (self.chosen(shared).is_some(), "no message is selected");
        vec![
            Action::new(Do::Open, "open", "enter", "Read", "The message in full.").when(some, none),
            Action::new(Do::Copy, "copy", "y", "Copy", "Copies the message.").when(some, none),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies it as JSON.")
                .when(some, none)
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        let Some(row) = self.chosen(shared) else { return Steps::new() };
        vec![match todo {
            Do::Open => Step::Push(stack::layer(Message::new(row.clone()))),
            Do::Copy => Step::Copy { text: row.words.to_string(), what: "the message" },
            Do::CopyAll => words::copy_json(row, "the message"),
        }]
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let pressed = self.table.press(key, &table_rows(&shared.snapshot.messages));
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) => Some(self.run(Do::Open, shared)),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, shared: &Shared) {
        self.table.paste(pasted, &table_rows(&shared.snapshot.messages));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.table.refresh(&table_rows(&shared.snapshot.messages));
        Steps::new()
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Snapshot = news {
            self.table.refresh(&table_rows(&shared.snapshot.messages));
        }
        Steps::new()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.table.view(ui, area, &table_rows(&shared.snapshot.messages));
    }
}

fn key(row: &MessageRow) -> Key {
    (row.at.unix_ms, row.words.to_string())
}

fn table_rows(messages: &[MessageRow]) -> impl Rows<Key = Key> {
    table::rows(messages, key, |row| vec![row.at.text.as_str().into(), row.words.as_str().into()])
}

/// One message in full.
struct Message {
    row: MessageRow,
    detail: Detail,
}

impl Message {
    fn new(row: MessageRow) -> Self {
        let rows = [Row::pair("When", row.at.text.as_str()), Row::Gap, Row::Words(row.words.to_string())];
        Self { detail: Detail::new(rows), row }
    }
}

impl Screen<Shared> for Message {
    type Do = Do;
    const NAME: &'static str = "message";

    fn title(&self, _shared: &Shared) -> String {
        "Messages › Message".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        vec![
            Action::new(Do::Copy, "copy", "y", "Copy", "Copies the message."),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies it as JSON."),
        ]
    }

    fn run(&mut self, todo: Do, _shared: &mut Shared) -> Steps {
        match todo {
            Do::Open => Steps::new(),
            Do::Copy => vec![Step::Copy { text: self.row.words.to_string(), what: "the message" }],
            Do::CopyAll => vec![words::copy_json(&self.row, "the message")],
        }
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.detail.press(key).then(Steps::new)
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.detail.view(ui, area);
    }
}
