//! The outbox: telegrams that wait, or whose outcome is unknown, and on demand those that ended.

mod import;

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::layout::Rect,
    review::{Pressed as Reviewed, Review},
    stack::{self, Screen},
    table::{self, Cell, Column, Pressed, Rows, Table},
    theme::Tone,
    ui::Ui,
};
use wire::id::TelegramId;

use crate::{
    act::{Act, Outcome},
    app::Effect,
    screen::{News, Step, Steps, asked::Asked, shared::Shared, words},
    view::{ExportedTelegram, OutboxRow, Resolved, TelegramState},
};

use import::Import;

/// The list of telegrams.
pub(crate) struct Outbox {
    /// Whether those that ended are shown too.
    all: bool,
    shown: Vec<OutboxRow>,
    rows: Asked<Vec<OutboxRow>>,
    table: Table<TelegramId>,
    resolving: Asked<Vec<Resolved>>,
    exporting: Asked<ExportedTelegram>,
}

impl Default for Outbox {
    fn default() -> Self {
        let columns = [
            Column::fixed("Signed", 14).rank(2),
            Column::growing("Telegram", 16),
            Column::fixed("Valid until", 14).rank(3),
            Column::fixed("State", 14),
            Column::growing("In words", 16).rank(1),
        ];
        let empty = "Nothing waits. What is signed stands here until the center has said what became of it; a shows \
                     what ended.";
        Self {
            all: false,
            shown: Vec::new(),
            rows: Asked::Not,
            table: Table::new(columns, empty),
            resolving: Asked::Not,
            exporting: Asked::Not,
        }
    }
}

/// What can be done with telegrams.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Open,
    Resolve,
    Send,
    SendAll,
    Withdraw,
    Export,
    Import,
    All,
    Copy,
    CopyAll,
}

impl Outbox {
    fn chosen(&self) -> Option<&OutboxRow> {
        self.shown.iter().find(|row| Some(&row.telegram) == self.table.selected())
    }

    /// Takes the rows from the snapshot, or asks for all.
    fn fill(&mut self, shared: &mut Shared) -> Steps {
        if self.all {
            return if self.rows.is_waiting() {
                Steps::new()
            } else {
                vec![self.rows.ask(Act::Outbox, "all telegrams", shared)]
            };
        }
        self.set(shared.snapshot.outbox.clone());
        Steps::new()
    }

    fn set(&mut self, rows: Vec<OutboxRow>) {
        self.shown = rows;
        let Self { shown, table, .. } = self;
        table.refresh(&table_rows(shown));
    }
}

fn is_open(row: &OutboxRow) -> bool {
    matches!(row.state, TelegramState::Prepared | TelegramState::Unknown)
}

impl Screen<Shared> for Outbox {
    type Do = Do;
    const NAME: &'static str = "outbox";

    fn title(&self, _shared: &Shared) -> String {
        if self.all { "Outbox: all telegrams" } else { "Outbox" }.into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let chosen = self.chosen();
        let (some, none) = (chosen.is_some(), "no telegram is selected");
        vec![
            Action::new(
                Do::Resolve,
                "resolve",
                "r",
                "Ask center",
                "Asks what became of everything that may have left.",
            )
            .when(
                shared.snapshot.outbox.iter().any(|row| row.state == TelegramState::Unknown),
                "the outcome of nothing is unknown",
            ),
            Action::new(
                Do::Withdraw,
                "withdraw",
                "w",
                "Withdraw",
                "Takes it back, or has the center void it.",
            )
            .when(chosen.is_some_and(is_open), "no telegram that waits is selected"),
            Action::new(Do::Send, "send", "s", "Send", "Sends what was prepared and never left.").when(
                chosen.is_some_and(|row| row.state == TelegramState::Prepared),
                "no prepared telegram is selected",
            ),
            Action::new(Do::SendAll, "send-all", "S", "Send all", "Sends all that was prepared.")
                .when(
                    shared.snapshot.outbox.iter().any(|row| row.state == TelegramState::Prepared),
                    "nothing is prepared",
                )
                .quiet(),
            Action::new(Do::Open, "open", "enter", "Open", "The telegram in full.").when(some, none),
            Action::new(
                Do::Export,
                "export",
                "e",
                "Export",
                "Writes it to a file that only this vault takes in.",
            )
            .when(chosen.is_some_and(is_open), "no telegram that waits is selected")
            .quiet(),
            Action::new(Do::Import, "import", "i", "Import", "Takes an exported telegram in.").quiet(),
            Action::new(Do::All, "all", "a", "All", "Shows those that ended too, or only those that wait."),
            Action::new(Do::Copy, "copy", "y", "Copy id", "Copies the telegram's id.").when(some, none),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the row as JSON.")
                .when(some, none)
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::Resolve => {
                return vec![self.resolving.ask(
                    Act::Resolve,
                    "the center's word about each of them",
                    shared,
                )];
            }
            Do::SendAll => {
                let act = Act::Send { telegram: None };
                return vec![self.resolving.ask(act, "the center's word about each of them", shared)];
            }
            Do::Import => return vec![Step::Push(stack::layer(Import::new()))],
            Do::All => {
                self.all = !self.all;
                return self.fill(shared);
            }
            _ => {}
        }
        let Some(row) = self.chosen() else { return Steps::new() };
        let telegram = row.telegram;
        match todo {
            Do::Send => {
                let act = Act::Send { telegram: Some(telegram) };
                return vec![self.resolving.ask(act, "the center's word", shared)];
            }
            Do::Export => {
                return vec![self.exporting.ask(Act::ExportTelegram { telegram }, "the vault", shared)];
            }
            _ => {}
        }
        vec![match todo {
            Do::Open => Step::Push(stack::layer(Telegram::new(row.clone()))),
            Do::Withdraw => Step::Push(stack::layer(Withdrawal::new(row))),
            Do::Copy => Step::Copy { text: row.telegram.to_string(), what: "the telegram's id" },
            _ => words::copy_json(row, "the telegram"),
        }]
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let Self { shown, table, .. } = self;
        let pressed = table.press(key, &table_rows(shown));
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) => Some(self.run(Do::Open, shared)),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        let Self { shown, table, .. } = self;
        table.paste(pasted, &table_rows(shown));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.fill(shared)
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Snapshot = news {
            return self.fill(shared);
        }
        let rows = |outcome: &Outcome| match outcome {
            Outcome::Outbox(rows) => Some(rows.clone()),
            _ => None,
        };
        if self.rows.told(news, shared, rows)
            && let Asked::Here(rows) = std::mem::replace(&mut self.rows, Asked::Not)
            && self.all
        {
            self.set(rows);
        }
        let exported = |outcome: &Outcome| match outcome {
            Outcome::Telegram(exported) => Some(exported.clone()),
            _ => None,
        };
        if self.exporting.told(news, shared, exported) {
            return match std::mem::take(&mut self.exporting) {
                Asked::Here(exported) => vec![Step::Own(Effect::Export(exported))],
                Asked::Failed(failure) => vec![Step::Say(Tone::Bad, failure.message)],
                Asked::Not | Asked::Waiting { .. } => Steps::new(),
            };
        }
        if self.resolving.told(news, shared, resolved) {
            return answers(&mut self.resolving);
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.resolving.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.table.view(ui, area, &table_rows(&self.shown));
        if self.resolving.is_waiting() {
            let foot = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
            self.resolving.view(ui, foot, "");
        }
    }
}

fn table_rows(outbox: &[OutboxRow]) -> impl Rows<Key = TelegramId> {
    table::rows(
        outbox,
        |row| row.telegram,
        |row| {
            vec![
                row.prepared.text.as_str().into(),
                row.what.as_str().into(),
                row.valid_until.as_ref().map_or("", |until| until.text.as_str()).into(),
                Cell::toned(words::telegram_tone(row.state), words::telegram_state(row.state)),
                row.words.as_str().into(),
            ]
        },
    )
}

fn resolved(outcome: &Outcome) -> Option<Vec<Resolved>> {
    if let Outcome::Resolved(resolved) = outcome { Some(resolved.clone()) } else { None }
}

/// Says what the center answered about each telegram.
fn answers(asked: &mut Asked<Vec<Resolved>>) -> Steps {
    match std::mem::replace(asked, Asked::Not) {
        Asked::Here(resolved) if resolved.is_empty() => {
            vec![Step::Say(Tone::Good, "nothing waits for the center's word".into())]
        }
        Asked::Here(resolved) => {
            let said =
                resolved.iter().map(|one| Step::Say(words::telegram_tone(one.state), words::became(one)));
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
    let mut rows = vec![
        Row::pair("Telegram", row.what.as_str()),
        Row::pair("Signed", row.prepared.text.as_str()),
        Row::toned("State", words::telegram_tone(row.state), words::telegram_state(row.state)),
        Row::pair("In words", row.words.as_str()),
    ];
    rows.extend(row.valid_until.iter().map(|until| Row::pair("Valid until", until.text.as_str())));
    rows.extend(row.number.map(|number| Row::pair("Number", number.to_string())));
    rows.push(Row::pair("Id", row.telegram.to_string()));
    rows
}

impl Screen<Shared> for Telegram {
    type Do = Do;
    const NAME: &'static str = "telegram";

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
            .when(is_open(&self.row), "its outcome is known"),
            Action::new(Do::Copy, "copy", "y", "Copy id", "Copies the telegram's id."),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies all of it as JSON."),
        ]
    }

    fn run(&mut self, todo: Do, _shared: &mut Shared) -> Steps {
        vec![match todo {
            Do::Withdraw => Step::Swap(stack::layer(Withdrawal::new(&self.row))),
            Do::Copy => Step::Copy { text: self.row.telegram.to_string(), what: "the telegram's id" },
            _ => words::copy_json(&self.row, "the telegram"),
        }]
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
    fn new(row: &OutboxRow) -> Self {
        let review = Review::new("Withdraw this telegram", "Withdraw", facts(row)).warn(
            "If it has not left, it is taken back here. If it may have left, the center is asked: what it entered \
             before stands, what it has not seen is void for ever.",
        );
        Self { telegram: row.telegram, review, asked: Asked::Not }
    }
}

impl Screen<Shared> for Withdrawal {
    type Do = ();
    const NAME: &'static str = "withdraw";
    const INSIDE: bool = false;

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

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if !self.asked.told(news, shared, resolved) {
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
