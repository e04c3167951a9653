//! The store's orders.

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
use wire::{id::OrderHash, till::Right};

use super::{News, Shared, Step, Steps, asked::Asked, copy_json, order::Order};
use crate::{
    cashier::act::{Act, Outcome},
    screen::words,
    view::OrderRow,
};

/// The list of orders.
pub(crate) struct Orders {
    asked: Asked<Vec<OrderRow>>,
    /// The newest answer; it stays in sight while the store is asked again.
    rows: Option<Vec<OrderRow>>,
    table: Table<OrderHash>,
}

impl Default for Orders {
    fn default() -> Self {
        let columns = [
            Column::fixed("Taken", 14).rank(2),
            Column::growing("Goods", 12),
            Column::fixed("Amount", 14).right(),
            Column::fixed("State", 16).rank(1),
            Column::fixed("Payment", 13).rank(3),
        ];
        let table = Table::new(columns, "No orders yet. They stand here as members place them.");
        Self { asked: Asked::Not, rows: None, table }
    }
}

/// What can be done with orders.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Open,
    Sell,
    Again,
    Copy,
    CopyAll,
}

impl Orders {
    fn chosen(&self) -> Option<&OrderRow> {
        let chosen = self.table.selected();
        self.rows.as_deref().unwrap_or_default().iter().find(|row| Some(&row.order) == chosen)
    }

    fn ask(&mut self, shared: &mut Shared) -> Steps {
        vec![self.asked.ask(Act::Orders, "the store's orders", shared)]
    }
}

impl Screen<Shared> for Orders {
    type Do = Do;
    const NAME: &'static str = "orders";

    fn title(&self, _shared: &Shared) -> String {
        "Orders".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let (some, none) = (self.chosen().is_some(), "no order is selected");
        vec![
            Action::new(Do::Open, "open", "enter", "Open", "The order in full.").when(some, none),
            Action {
                enabled: shared.may(Right::Sell),
                ..Action::new(Do::Sell, "sell", "s", "Sell", "Sells to a buyer at the counter.")
            },
            Action::new(Do::Again, "again", "r", "Ask again", "Asks the store for its orders again.")
                .when(!self.asked.is_waiting(), "the store is being asked"),
            Action::new(
                Do::Copy,
                "copy",
                "y",
                "Copy number",
                "Copies the payment's number, or the order's hash.",
            )
            .when(some, none),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the row as JSON.")
                .when(some, none)
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::Again => return self.ask(shared),
            Do::Sell => return vec![Step::Go("sell")],
            _ => {}
        }
        let Some(row) = self.chosen() else { return Steps::new() };
        vec![match todo {
            Do::Open => Step::Push(stack::layer(Order::new(row.order))),
            Do::Copy => match row.payment {
                Some(payment) => Step::Copy { text: payment.to_string(), what: "the payment's number" },
                None => Step::Copy { text: row.order.to_string(), what: "the order's hash" },
            },
            _ => copy_json(row, "the order"),
        }]
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let Self { rows, table, .. } = self;
        let pressed = table.press(key, &table_rows(rows.as_deref().unwrap_or_default()));
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) => Some(self.run(Do::Open, shared)),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        let Self { rows, table, .. } = self;
        table.paste(pasted, &table_rows(rows.as_deref().unwrap_or_default()));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.ask(shared)
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        let pick = |outcome: &Outcome| match outcome {
            Outcome::Orders(orders) => Some(orders.clone()),
            _ => None,
        };
        if self.asked.told(news, shared, pick) {
            if !self.asked.is_failed()
                && let Some(Ok(rows)) = self.asked.take()
            {
                self.table.refresh(&table_rows(&rows));
                self.rows = Some(rows);
            }
            return Steps::new();
        }
        // Something was done to an order: the list says how it stands now.
        match news {
            News::Done(_, Ok(Outcome::Order(detail))) => {
                if let Some(row) = self.rows.iter_mut().flatten().find(|row| row.order == detail.row.order) {
                    *row = detail.row.clone();
                }
                Steps::new()
            }
            News::Done(_, Ok(Outcome::Resolved(_))) if !self.asked.is_waiting() => self.ask(shared),
            _ => Steps::new(),
        }
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.rows.is_none() && self.asked.is_waiting()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let (tone, head) = head(shared);
        let rows = text::wrap(&head, usize::from(area.width)).len();
        let rows = u16::try_from(rows).unwrap_or(u16::MAX).min(area.height / 3);
        let [top, rest] = Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
        let style = if tone == Tone::Warn { ui.theme().warn } else { ui.theme().dim };
        ui.paragraph(top, &head, style);
        let list = if self.asked.is_failed() {
            let [said, list] = Layout::vertical([Constraint::Length(2), Constraint::Min(0)]).areas(rest);
            self.asked.view(ui, said, "r asks again");
            list
        } else {
            rest
        };
        match &self.rows {
            Some(rows) => self.table.view(ui, list, &table_rows(rows)),
            None if self.asked.is_waiting() => self.asked.view(ui, list, ""),
            None => {}
        }
    }
}

/// Who this is and what it may do; or what is to be done before it may anything.
fn head(shared: &Shared) -> (Tone, String) {
    let Some(view) = &shared.view else { return (Tone::Dim, String::new()) };
    match &view.rights {
        Some(rights) => {
            let left = rights.left.as_ref().filter(|_| rights.refund_limit.minor > 0);
            let left = left.map(|left| format!(", {} left at the login", left.text)).unwrap_or_default();
            (Tone::Dim, format!("{} at {}: may {}{left}", view.name, view.store_name, rights.words()))
        }
        None => (
            Tone::Warn,
            format!(
                "Not certified yet. Give the store's owner the line that “tui-store till request” prints; the key is {}.",
                view.fingerprint
            ),
        ),
    }
}

fn table_rows(orders: &[OrderRow]) -> impl Rows<Key = OrderHash> {
    table::rows(
        orders,
        |row| row.order,
        |row| {
            vec![
                row.taken.text.as_str().into(),
                row.goods.as_str().into(),
                row.total.text.as_str().into(),
                Cell::toned(words::standing_tone(row.state), row.state.words()),
                row.payment.map(|payment| payment.to_string()).unwrap_or_default().into(),
            ]
        },
    )
}
