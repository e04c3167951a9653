//! Prepaid cards, and how to pay for those that were asked for.

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::layout::Rect,
    stack::{Screen, layer},
    table::{Cell, Column, Pressed, Rows, Table},
    theme::Tone,
    ui::Ui,
};
use wire::id::{CardNumber, EntryNumber};

use crate::{
    act::Act,
    screen::{News, Step, Steps, request, shared::Shared, words},
    view::{CardRow, FundingRow, Snapshot},
};

/// One row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Card(CardNumber),
    Request(EntryNumber),
}

/// Cards, then requests that wait for money.
pub(crate) struct Cards {
    table: Table<Key>,
}

impl Default for Cards {
    fn default() -> Self {
        let columns = [
            Column::fixed("Card", 11),
            Column::fixed("Amount", 13).right(),
            Column::growing("State", 8),
            Column::fixed("As of", 14).rank(1),
        ];
        let empty = "No card yet. A prepaid card pays at every store of this center; c requests one, and its balance \
                     stands here once your bank transfer has arrived.";
        Self { table: Table::new(columns, empty) }
    }
}

/// What can be done with cards.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Open,
    Request,
    Ask,
    Copy,
    CopyAll,
}

impl Cards {
    fn chosen(&self, snapshot: &Snapshot) -> Option<Chosen> {
        Some(match self.table.selected()? {
            Key::Card(card) => Chosen::Card(snapshot.cards.iter().find(|row| row.card == *card)?.clone()),
            Key::Request(request) => {
                Chosen::Funding(snapshot.funding.iter().find(|row| row.request == *request)?.clone())
            }
        })
    }
}

impl Screen<Shared> for Cards {
    type Do = Do;
    const NAME: &'static str = "cards";

    fn title(&self, _shared: &Shared) -> String {
        "Cards".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let some = self.table.selected().is_some();
        let none = "no card is selected";
        vec![
            Action::new(Do::Open, "open", "enter", "Open", "The card, or how to pay for it.")
                .when(some, none),
            Action::new(
                Do::Request,
                "request-card",
                "c n",
                "Request card",
                "Asks for a prepaid card of an amount.",
            ),
            Action::new(Do::Ask, "ask", "r", "Ask center", "Asks the center for cards and balances."),
            Action::new(
                Do::Copy,
                "copy",
                "y",
                "Copy number",
                "Copies the card's number, or the reference to transfer with.",
            )
            .when(some, none),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies all of it as JSON.")
                .when(some, none),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match (todo, self.chosen(&shared.snapshot)) {
            (Do::Request, _) => vec![Step::Push(layer(request::Request::new()))],
            (Do::Ask, _) => {
                vec![shared.order(Act::Cards), Step::Say(Tone::Plain, "asking the center".into())]
            }
            (Do::Open, Some(chosen)) => vec![Step::Push(layer(Sheet::new(chosen)))],
            (Do::Copy, Some(chosen)) => vec![chosen.copy()],
            (Do::CopyAll, Some(chosen)) => vec![chosen.copy_all()],
            (_, None) => Steps::new(),
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let pressed = self.table.press(key, &List(&shared.snapshot));
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) => Some(self.run(Do::Open, shared)),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, shared: &Shared) {
        self.table.paste(pasted, &List(&shared.snapshot));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.table.refresh(&List(&shared.snapshot));
        Steps::new()
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Snapshot = news {
            self.table.refresh(&List(&shared.snapshot));
        }
        Steps::new()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.table.view(ui, area, &List(&shared.snapshot));
    }
}

/// The rows: cards, then requests.
struct List<'a>(&'a Snapshot);

impl List<'_> {
    fn place(&self, index: usize) -> Result<&CardRow, &FundingRow> {
        match index.checked_sub(self.0.cards.len()) {
            None => Ok(&self.0.cards[index]),
            Some(index) => Err(&self.0.funding[index]),
        }
    }
}

impl Rows for List<'_> {
    type Key = Key;

    fn len(&self) -> usize {
        self.0.cards.len() + self.0.funding.len()
    }

    fn key(&self, index: usize) -> Key {
        self.place(index).map_or_else(|row| Key::Request(row.request), |row| Key::Card(row.card))
    }

    fn cells(&self, index: usize) -> Vec<Cell> {
        match self.place(index) {
            Ok(card) => vec![
                card.card.to_string().into(),
                card.balance.text.as_str().into(),
                if card.frozen {
                    Cell::toned(Tone::Warn, "frozen")
                } else {
                    Cell::toned(Tone::Good, "ready")
                },
                card.as_of.text.as_str().into(),
            ],
            Err(request) => vec![
                "requested".into(),
                request.amount.text.as_str().into(),
                Cell::toned(Tone::Warn, "waits for your transfer"),
                String::new().into(),
            ],
        }
    }
}

/// A card or a request, in full.
#[derive(Debug, Clone)]
enum Chosen {
    Card(CardRow),
    Funding(FundingRow),
}

impl Chosen {
    fn copy(&self) -> Step {
        match self {
            Self::Card(card) => Step::Copy { text: card.card.to_string(), what: "the card's number" },
            Self::Funding(row) => Step::Copy { text: row.reference.to_string(), what: "the reference" },
        }
    }

    fn copy_all(&self) -> Step {
        match self {
            Self::Card(card) => words::copy_json(card, "the card"),
            Self::Funding(row) => words::copy_json(row, "the transfer's details"),
        }
    }

    fn rows(&self) -> Vec<Row> {
        match self {
            Self::Card(card) => vec![
                Row::pair("Card", card.card.to_string()),
                Row::pair("Balance", card.balance.text.as_str()),
                Row::pair("As of", card.as_of.text.as_str()),
                Row::pair("Issued", card.issued.text.as_str()),
                match card.frozen {
                    true => Row::toned("State", Tone::Warn, "frozen; ask the center"),
                    false => Row::toned("State", Tone::Good, "ready"),
                },
            ],
            Self::Funding(row) => {
                let mut rows = vec![
                    Row::Words(
                        "Transfer exactly this amount with exactly this reference. The card is issued when the money \
                         has arrived."
                            .into(),
                    ),
                    Row::Gap,
                    Row::toned("Amount", Tone::Strong, row.amount.text.as_str()),
                    Row::pair("Holder", row.holder.as_str()),
                    Row::pair("Account", row.account.as_str()),
                ];
                rows.extend(row.bic.as_ref().map(|bic| Row::pair("BIC", bic.as_str())));
                rows.extend([
                    Row::toned("Reference", Tone::Strong, row.reference.as_str()),
                    Row::pair("Expires", row.expires.text.as_str()),
                    Row::pair("Request", row.request.to_string()),
                ]);
                rows
            }
        }
    }
}

/// A card, or how to pay for it, in full.
pub(crate) struct Sheet {
    chosen: Chosen,
    detail: Detail,
}

impl Sheet {
    fn new(chosen: Chosen) -> Self {
        Self { detail: Detail::new(chosen.rows()), chosen }
    }

    /// How to pay for a card that was asked for.
    pub(crate) fn funding(row: FundingRow) -> Self {
        Self::new(Chosen::Funding(row))
    }
}

impl Screen<Shared> for Sheet {
    type Do = Do;
    const NAME: &'static str = "cards";

    fn title(&self, _shared: &Shared) -> String {
        match &self.chosen {
            Chosen::Card(card) => format!("Cards › {}", card.card),
            Chosen::Funding(_) => "Cards › Bank transfer".into(),
        }
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let (label, help) = match &self.chosen {
            Chosen::Card(_) => ("Copy number", "Copies the card's number."),
            Chosen::Funding(_) => ("Copy reference", "Copies the reference to transfer with."),
        };
        vec![
            Action::new(Do::Copy, "copy", "y", label, help),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies all of it as JSON."),
        ]
    }

    fn run(&mut self, todo: Do, _shared: &mut Shared) -> Steps {
        match todo {
            Do::Copy => vec![self.chosen.copy()],
            Do::CopyAll => vec![self.chosen.copy_all()],
            Do::Open | Do::Request | Do::Ask => Steps::new(),
        }
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.detail.press(key).then(Steps::new)
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let (News::Snapshot, Chosen::Card(shown)) = (news, &self.chosen)
            && let Some(card) = shared.snapshot.cards.iter().find(|card| card.card == shown.card)
        {
            self.chosen = Chosen::Card(card.clone());
            self.detail.set(self.chosen.rows());
        }
        Steps::new()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.detail.view(ui, area);
    }
}
