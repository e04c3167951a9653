//! Selling: how many of what, then the code for the buyer.

use std::collections::BTreeMap;

use tui_kit::{
    KeyEvent,
    keys::Action,
    ratatui::layout::{Constraint, Layout, Rect},
    stack::{self, Screen},
    table::{self, Column, Pressed, Rows, Table},
    theme::Tone,
    ui::Ui,
};
use wire::{
    amount::{Amount, Currency},
    limits,
    till::Right,
};

use super::{News, Shared, Step, Steps, asked::Asked, sold::Sold};
use crate::{
    cashier::{
        act::{Act, Outcome},
        view::SaleView,
    },
    view::{ItemRow, Money},
};

/// What is wanted, by the item's id.
type Wanted = BTreeMap<String, u32>;

/// The catalogue with how many of each are wanted.
pub(super) struct Sell {
    asked: Asked<Vec<ItemRow>>,
    items: Option<Vec<ItemRow>>,
    wanted: Wanted,
    table: Table<String>,
    selling: Asked<Box<SaleView>>,
}

impl Default for Sell {
    fn default() -> Self {
        let columns = [
            Column::growing("Item", 14),
            Column::fixed("Price", 14).right(),
            Column::fixed("Qty", 6).right(),
            Column::fixed("Sum", 14).right().rank(1),
        ];
        Self {
            asked: Asked::Not,
            items: None,
            wanted: Wanted::new(),
            table: Table::new(columns, "The store sells nothing now; its owner fills the catalogue."),
            selling: Asked::Not,
        }
    }
}

/// What can be done while selling.
#[derive(Debug, Clone)]
pub(super) enum Do {
    Sell,
    More,
    Less,
    Clear,
    Again,
}

impl Sell {
    fn shown(&self) -> &[ItemRow] {
        self.items.as_deref().unwrap_or_default()
    }

    fn ask(&mut self, shared: &mut Shared) -> Steps {
        vec![self.asked.ask(Act::Items, "the store's catalogue", shared)]
    }

    /// Changes how many of the selected item are wanted.
    fn change(&mut self, to: impl FnOnce(u32) -> u32) {
        let Some(item) = self.table.selected().cloned() else { return };
        let wanted = to(self.wanted.get(&item).copied().unwrap_or(0)).min(limits::QUANTITY);
        if wanted == 0 {
            self.wanted.remove(&item);
        } else {
            self.wanted.insert(item, wanted);
        }
    }

    /// What all of it costs, in words.
    fn total(&self, currency: Currency) -> String {
        let priced = self.shown().iter().filter_map(|item| Some((item, self.wanted.get(item.id.as_str())?)));
        let sum = Amount::sum(priced.filter_map(|(item, wanted)| amount(&item.price)?.times(*wanted)));
        sum.map_or_else(|| "more than this network moves at once".into(), |sum| currency.print(sum))
    }
}

impl Screen<Shared> for Sell {
    type Do = Do;
    const NAME: &'static str = "sell";

    fn title(&self, _shared: &Shared) -> String {
        "Sell".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let some = self.table.selected().is_some();
        let none = "no item is selected";
        let wanted = !self.wanted.is_empty();
        let sell =
            Action::new(Do::Sell, "sell", "s enter", "Sell", "Sells it, and shows the code for the buyer.")
                .when(wanted, "nothing is chosen; + takes one of the selected item")
                .when(!self.selling.is_waiting(), "the store is being asked");
        let sell = match shared.may(Right::Sell) {
            Ok(()) => sell,
            why => Action { enabled: why, ..sell },
        };
        vec![
            sell,
            Action::new(Do::More, "more", "+ =", "More", "One more of the selected item.").when(some, none),
            Action::new(Do::Less, "less", "-", "Less", "One less of the selected item.").when(some, none),
            Action::new(Do::Clear, "clear", "x", "Clear", "Takes everything out again.")
                .when(wanted, "nothing is chosen"),
            Action::new(Do::Again, "again", "r", "Ask again", "Asks the store for its catalogue again."),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::More => self.change(|wanted| wanted.saturating_add(1)),
            Do::Less => self.change(|wanted| wanted.saturating_sub(1)),
            Do::Clear => self.wanted.clear(),
            Do::Again => return self.ask(shared),
            Do::Sell => {
                if self.wanted.is_empty() || shared.may(Right::Sell).is_err() {
                    return vec![Step::Say(Tone::Warn, "+ takes one of the selected item".into())];
                }
                let items = self.wanted.clone().into_iter().collect();
                let act = Act::Sell { items, note: String::new() };
                return vec![self.selling.ask(act, "the store to keep the sale", shared)];
            }
        }
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let Self { items, wanted, table, .. } = self;
        let pressed = table.press(key, &rows(items.as_deref().unwrap_or_default(), wanted, currency(shared)));
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) if self.selling.is_waiting() => Some(Steps::new()),
            Pressed::Open(_) => Some(self.run(Do::Sell, shared)),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, shared: &Shared) {
        let Self { items, wanted, table, .. } = self;
        table.paste(pasted, &rows(items.as_deref().unwrap_or_default(), wanted, currency(shared)));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.ask(shared)
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        let items = |outcome: &Outcome| match outcome {
            Outcome::Items(items) => Some(items.clone()),
            _ => None,
        };
        if self.asked.told(news, shared, items) {
            if !self.asked.is_failed()
                && let Some(Ok(items)) = self.asked.take()
            {
                self.wanted.retain(|wanted, _| items.iter().any(|item| item.id.as_str() == wanted));
                self.table.refresh(&rows(&items, &self.wanted, currency(shared)));
                self.items = Some(items);
            }
            return Steps::new();
        }
        let sale = |outcome: &Outcome| match outcome {
            Outcome::Sale(sale) => Some(sale.clone()),
            _ => None,
        };
        if self.selling.told(news, shared, sale) {
            return match self.selling.take() {
                Some(Ok(sale)) => {
                    self.wanted.clear();
                    vec![Step::Push(stack::layer(Sold::new(*sale)))]
                }
                Some(Err(failure)) => vec![Step::Say(Tone::Bad, failure.message)],
                None => Steps::new(),
            };
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.selling.is_waiting() || (self.items.is_none() && self.asked.is_waiting())
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let Some(items) = &self.items else {
            self.asked.view(ui, area, "r asks again");
            return;
        };
        let [list, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(area);
        self.table.view(ui, list, &rows(items, &self.wanted, currency(shared)));
        if self.selling.is_waiting() {
            self.selling.view(ui, foot, "");
        } else if self.wanted.is_empty() {
            let style = ui.theme().dim;
            ui.styled(foot, "+ takes one of the selected item, s sells", style);
        } else {
            let style = ui.theme().strong;
            ui.styled(foot, &format!("Total {}", self.total(currency(shared))), style);
        }
    }
}

fn currency(shared: &Shared) -> Currency {
    shared.view.as_ref().map_or(Currency::YEN, |view| view.currency)
}

fn amount(price: &Money) -> Option<Amount> {
    Amount::new(price.minor)
}

fn rows<'a>(items: &'a [ItemRow], wanted: &'a Wanted, currency: Currency) -> impl Rows<Key = String> + 'a {
    table::rows(
        items,
        |item: &ItemRow| item.id.to_string(),
        move |item: &ItemRow| {
            let wanted = wanted.get(item.id.as_str()).copied();
            let sum = wanted.map(|wanted| match amount(&item.price).and_then(|price| price.times(wanted)) {
                Some(sum) => currency.print(sum),
                None => "too much".into(),
            });
            vec![
                item.title.as_str().into(),
                item.price.text.as_str().into(),
                wanted.map(|wanted| wanted.to_string()).unwrap_or_default().into(),
                sum.unwrap_or_default().into(),
            ]
        },
    )
}
