//! Messages: what the center sent and what this terminal noticed.

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::layout::Rect,
    stack::{Screen, layer},
    table::{self, Cell, Column, Pressed, Rows, Table},
    theme::Tone,
    ui::Ui,
};
use wire::id::EntryNumber;

use crate::{
    screen::{News, Step, Steps, shared::Shared, words},
    view::MessageRow,
};

/// What tells one message from another.
type Key = (u64, Option<EntryNumber>, String);

/// The list of messages.
pub(crate) struct Messages {
    table: Table<Key>,
}

impl Default for Messages {
    fn default() -> Self {
        let columns =
            [Column::fixed("When", 14), Column::fixed("Number", 13).rank(1), Column::growing("Message", 16)];
        let empty = "No messages. What the center has to say, and what this terminal noticed, stands here.";
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

impl Screen<Shared> for Messages {
    type Do = Do;
    const NAME: &'static str = "messages";

    fn title(&self, _shared: &Shared) -> String {
        "Messages".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let some = self.table.selected().is_some();
        let none = "no message is selected";
        vec![
            Action::new(Do::Open, "open", "enter", "Read", "The message in full.").when(some, none),
            Action::new(Do::Copy, "copy", "y", "Copy", "Copies the message.").when(some, none),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies it as JSON.")
                .when(some, none)
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        let chosen = self.table.selected();
        let Some(row) = shared.snapshot.messages.iter().find(|row| Some(&key(row)) == chosen) else {
            return Steps::new();
        };
        vec![match todo {
            Do::Open => Step::Push(layer(Message::new(row.clone()))),
            Do::Copy => Step::Copy { text: row.words.clone(), what: "the message" },
            Do::CopyAll => words::copy_json(row, "the message"),
        }]
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let pressed = self.table.press(key, &rows(&shared.snapshot.messages));
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) => Some(self.run(Do::Open, shared)),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, shared: &Shared) {
        self.table.paste(pasted, &rows(&shared.snapshot.messages));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.table.refresh(&rows(&shared.snapshot.messages));
        Steps::new()
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Snapshot = news {
            self.table.refresh(&rows(&shared.snapshot.messages));
        }
        Steps::new()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.table.view(ui, area, &rows(&shared.snapshot.messages));
    }
}

fn key(row: &MessageRow) -> Key {
    (row.at.unix_ms, row.number, row.words.clone())
}

fn rows(messages: &[MessageRow]) -> impl Rows<Key = Key> {
    table::rows(messages, key, |row| {
        let tone = if row.alarm { Tone::Bad } else { Tone::Plain };
        vec![
            row.at.text.as_str().into(),
            row.number.map(|number| number.to_string()).unwrap_or_default().into(),
            Cell::toned(tone, row.words.as_str()),
        ]
    })
}

/// One message in full.
pub(crate) struct Message {
    message: MessageRow,
    detail: Detail,
}

impl Message {
    fn new(message: MessageRow) -> Self {
        let mut rows = vec![Row::pair("When", message.at.text.as_str())];
        rows.extend(message.number.map(|number| Row::pair("Transaction number", number.to_string())));
        if message.alarm {
            rows.push(Row::toned("Kind", Tone::Bad, "alarm"));
        }
        rows.extend([Row::Gap, Row::Words(message.words.clone())]);
        Self { message, detail: Detail::new(rows) }
    }
}

impl Screen<Shared> for Message {
    type Do = Do;
    const NAME: &'static str = "messages";

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
            Do::Copy => vec![Step::Copy { text: self.message.words.clone(), what: "the message" }],
            Do::CopyAll => vec![words::copy_json(&self.message, "the message")],
        }
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.detail.press(key).then(Steps::new)
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.detail.view(ui, area);
    }
}
