//! The outbox: telegrams that wait, or whose outcome is unknown.

mod import;

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::layout::Rect,
    review::{Pressed as Reviewed, Review},
    stack::{Screen, layer},
    table::{self, Cell, Column, Pressed, Rows, Table},
    theme::Tone,
    ui::Ui,
};
use wire::id::TelegramId;

use self::import::Import;
use crate::{
    act::{Act, Outcome},
    app::{Effect, Folder},
    screen::{News, Step, Steps, asked::Asked, shared::Shared, words},
    view::{ExportedTelegram, OutboxRow, Resolved},
};

/// The list of telegrams.
pub(crate) struct Outbox {
    table: Table<TelegramId>,
    asked: Asked<Vec<Resolved>>,
    exporting: Asked<ExportedTelegram>,
}

impl Default for Outbox {
    fn default() -> Self {
        let columns = [
            Column::fixed("Signed", 14).rank(2),
            Column::fixed("Telegram", 18),
            Column::fixed("Amount", 14).right().rank(1),
            Column::fixed("Valid until", 14).rank(3),
            Column::growing("Where it stands", 16),
        ];
        let empty = "Nothing waits. What is signed stands here until the center has said what became of it.";
        Self { table: Table::new(columns, empty), asked: Asked::Not, exporting: Asked::Not }
    }
}

/// What can be done with telegrams.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Open,
    Send,
    SendAll,
    Resolve,
    Withdraw,
    Export,
    Import,
    Copy,
    CopyAll,
}

impl Outbox {
    fn chosen<'a>(&self, shared: &'a Shared) -> Option<&'a OutboxRow> {
        shared.snapshot.outbox.iter().find(|row| Some(&row.telegram) == self.table.selected())
    }
}

impl Screen<Shared> for Outbox {
    type Do = Do;
    const NAME: &'static str = "outbox";

    fn title(&self, _shared: &Shared) -> String {
        "Outbox".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let some = self.chosen(shared).is_some();
        let none = "nothing waits";
        vec![
            Action::new(Do::Open, "open", "enter", "Open", "The telegram in full.").when(some, none),
            Action::new(Do::Send, "send", "s", "Send", "Sends what was prepared, or asks what became of it.")
                .when(some, none),
            Action::new(Do::SendAll, "send-all", "S", "Send all", "The same with everything here.")
                .when(some, none),
            Action::new(
                Do::Resolve,
                "resolve",
                "r",
                "Ask center",
                "Asks what became of everything that was sent.",
            )
            .when(some, none),
            Action::new(
                Do::Withdraw,
                "withdraw",
                "w",
                "Withdraw",
                "Takes it back, or has the center void it.",
            )
            .when(some, none),
            Action::new(
                Do::Export,
                "export",
                "e",
                "Export",
                "Writes it into a sealed file beside the vault.",
            )
            .when(some, none),
            Action::new(Do::Import, "import", "i", "Import", "Takes in a telegram that was exported here."),
            Action::new(Do::Copy, "copy", "y", "Copy id", "Copies the telegram's id.").when(some, none),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the row as JSON.")
                .when(some, none)
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        if let Do::Import = todo {
            return vec![Step::Push(layer(Import::new()))];
        }
        let Some(row) = self.chosen(shared).cloned() else { return Steps::new() };
        vec![match todo {
            Do::Send => {
                let act = Act::Send { telegram: Some(row.telegram) };
                self.asked.ask(act, "the center's word about it", shared)
            }
            Do::SendAll => {
                self.asked.ask(Act::Send { telegram: None }, "the center's word about each of them", shared)
            }
            Do::Export => {
                let act = Act::ExportTelegram { telegram: row.telegram };
                self.exporting.ask(act, "the telegram as a file", shared)
            }
            Do::Import => return Steps::new(),
            Do::Resolve => self.asked.ask(Act::Resolve, "the center's word about each of them", shared),
            Do::Open => Step::Push(layer(Telegram::new(row.clone()))),
            Do::Withdraw => Step::Push(layer(Withdrawal::new(row.clone()))),
            Do::Copy => Step::Copy { text: row.telegram.to_string(), what: "the telegram's id" },
            Do::CopyAll => words::copy_json(&row, "the telegram"),
        }]
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let pressed = self.table.press(key, &rows(&shared.snapshot.outbox));
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) => Some(self.run(Do::Open, shared)),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, shared: &Shared) {
        self.table.paste(pasted, &rows(&shared.snapshot.outbox));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.table.refresh(&rows(&shared.snapshot.outbox));
        Steps::new()
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Snapshot = news {
            self.table.refresh(&rows(&shared.snapshot.outbox));
        }
        if self.asked.told(news, resolved) {
            return answers(&mut self.asked);
        }
        if self.exporting.told(news, exported) {
            return match std::mem::replace(&mut self.exporting, Asked::Not) {
                Asked::Here(exported) => vec![save(&exported)],
                Asked::Failed(failure) => vec![Step::Say(Tone::Bad, failure.message)],
                Asked::Not | Asked::Waiting { .. } => Steps::new(),
            };
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.table.view(ui, area, &rows(&shared.snapshot.outbox));
        if let Asked::Waiting { waiting, .. } = &self.asked {
            let foot = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
            waiting.view(ui, foot);
        }
    }
}

fn rows(outbox: &[OutboxRow]) -> impl Rows<Key = TelegramId> {
    table::rows(
        outbox,
        |row| row.telegram,
        |row| {
            vec![
                row.signed.text.as_str().into(),
                row.kind.as_str().into(),
                row.amount.as_ref().map(|amount| amount.text.as_str()).unwrap_or_default().into(),
                row.valid_until.as_ref().map(|until| until.text.as_str()).unwrap_or_default().into(),
                Cell::toned(if row.open { Tone::Warn } else { Tone::Dim }, row.words.as_str()),
            ]
        },
    )
}

fn resolved(outcome: &Outcome) -> Option<Vec<Resolved>> {
    if let Outcome::Resolved(resolved) = outcome { Some(resolved.clone()) } else { None }
}

fn exported(outcome: &Outcome) -> Option<ExportedTelegram> {
    if let Outcome::Telegram(exported) = outcome { Some(exported.clone()) } else { None }
}

/// Writes an exported telegram into the profile, in base 64: sealed, so that only this vault takes it in.
fn save(exported: &ExportedTelegram) -> Step {
    Step::Own(Effect::Save {
        folder: Folder::Telegrams,
        name: format!("{}.inkan", exported.telegram.short()),
        content: exported.content.clone(),
    })
}

/// Says what the center answered about each telegram.
fn answers(asked: &mut Asked<Vec<Resolved>>) -> Steps {
    match std::mem::replace(asked, Asked::Not) {
        Asked::Here(resolved) if resolved.is_empty() => {
            vec![Step::Say(Tone::Good, "nothing waits any more".into())]
        }
        Asked::Here(resolved) => {
            let said = resolved.into_iter().map(|one| {
                let tone = match one.outcome.as_str() {
                    "settled" | "done" | "registered" | "withdrawn" => Tone::Good,
                    "unknown" => Tone::Warn,
                    _ => Tone::Plain,
                };
                Step::Say(tone, format!("{}: {}", one.kind, one.words))
            });
            said.collect()
        }
        Asked::Failed(failure) => vec![Step::Say(Tone::Bad, failure.message)],
        Asked::Not | Asked::Waiting { .. } => Steps::new(),
    }
}

/// One telegram in full.
struct Telegram {
    row: OutboxRow,
    detail: Detail,
}

impl Telegram {
    fn new(row: OutboxRow) -> Self {
        Self { detail: Detail::new(facts(&row)), row }
    }
}

fn facts(row: &OutboxRow) -> Vec<Row> {
    let mut rows = vec![Row::pair("Telegram", row.kind.as_str())];
    rows.extend(row.amount.as_ref().map(|amount| Row::pair("Amount", amount.text.as_str())));
    rows.push(Row::pair("Signed", row.signed.text.as_str()));
    rows.extend(row.valid_until.as_ref().map(|until| Row::pair("Valid until", until.text.as_str())));
    rows.push(Row::toned("State", if row.open { Tone::Warn } else { Tone::Dim }, row.words.as_str()));
    rows.extend(row.order.map(|order| Row::pair("Order", order.to_string())));
    rows.push(Row::pair("Id", row.telegram.to_string()));
    rows
}

impl Screen<Shared> for Telegram {
    type Do = Do;
    const NAME: &'static str = "outbox";

    fn title(&self, _shared: &Shared) -> String {
        "Outbox › Telegram".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        vec![
            Action::new(
                Do::Withdraw,
                "withdraw",
                "w",
                "Withdraw",
                "Takes it back, or has the center void it.",
            )
            .when(self.row.open, "its outcome is known"),
            Action::new(Do::Copy, "copy", "y", "Copy id", "Copies the telegram's id."),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies all of it as JSON."),
        ]
    }

    fn run(&mut self, todo: Do, _shared: &mut Shared) -> Steps {
        match todo {
            Do::Withdraw => vec![Step::Swap(layer(Withdrawal::new(self.row.clone())))],
            Do::Copy => vec![Step::Copy { text: self.row.telegram.to_string(), what: "the telegram's id" }],
            Do::CopyAll => vec![words::copy_json(&self.row, "the telegram")],
            Do::Open | Do::Resolve | Do::Send | Do::SendAll | Do::Export | Do::Import => Steps::new(),
        }
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.detail.press(key).then(Steps::new)
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.detail.view(ui, area);
    }
}

/// Taking a telegram back.
struct Withdrawal {
    telegram: TelegramId,
    review: Review,
    asked: Asked<Vec<Resolved>>,
}

impl Withdrawal {
    fn new(row: OutboxRow) -> Self {
        let review = Review::new("Withdraw this telegram", "withdraw", facts(&row)).warn(
            "If it has not left, it is taken back here. If it may have left, the center is asked: what it entered \
             before stands, what it has not seen is void for ever.",
        );
        Self { telegram: row.telegram, review, asked: Asked::Not }
    }
}

impl Screen<Shared> for Withdrawal {
    type Do = ();
    const NAME: &'static str = "outbox";

    fn title(&self, _shared: &Shared) -> String {
        "Outbox › Withdraw".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        Vec::new()
    }

    fn run(&mut self, _todo: (), _shared: &mut Shared) -> Steps {
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        match self.review.press(key) {
            Reviewed::Taken => Some(Steps::new()),
            Reviewed::Free | Reviewed::Back => None,
            Reviewed::Commit(_) => {
                self.review.wait(shared.now, "the center's word");
                let act = Act::Withdraw { telegram: self.telegram };
                Some(vec![self.asked.ask(act, "the center's word", shared)])
            }
        }
    }

    fn told(&mut self, news: &News, _shared: &mut Shared) -> Steps {
        if !self.asked.told(news, resolved) {
            return Steps::new();
        }
        if let Asked::Failed(failure) = &self.asked {
            self.review.refuse(failure.message.clone());
            return Steps::new();
        }
        let mut steps = answers(&mut self.asked);
        steps.push(Step::Back);
        steps
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.review.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.review.view(ui, area);
    }
}
