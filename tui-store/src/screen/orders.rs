//! The orders: all, or those that stand in one way.

use tui_kit::{
    KeyEvent,
    keys::Action,
    ratatui::{
        layout::{Constraint, Layout, Rect},
        text::{Line, Span},
    },
    stack::{self, Screen},
    table::{self, Cell, Column, Pressed, Rows, Table},
    ui::Ui,
};
use wire::id::OrderHash;

use crate::{
    act::{Act, Outcome},
    screen::{
        News, Step, Steps,
        asked::Asked,
        order::Order,
        refund::{Refund, Target},
        refunds::Refunds,
        shared::Shared,
        words,
    },
    view::{OrderRow, OrderStanding},
};

/// The list of orders.
pub(crate) struct Orders {
    state: Option<OrderStanding>,
    shown: Vec<OrderRow>,
    /// Where there are more orders than a snapshot carries, the engine is asked for all of them.
    asked: Asked<Vec<OrderRow>>,
    table: Table<OrderHash>,
}

impl Default for Orders {
    fn default() -> Self {
        let columns = [
            Column::fixed("Taken", 14).rank(2),
            Column::growing("Goods", 12),
            Column::fixed("Total", 14).right(),
            Column::fixed("State", 18),
            Column::fixed("Payment", 13).rank(3),
        ];
        let empty = "No orders here. Members order from the catalogue while the counter is open; Tab shows other states.";
        Self {
            state: None,
            shown: Vec::new(),
            asked: Asked::Not,
            table: Table::new(columns, empty).following(),
        }
    }
}

/// What can be done with orders.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Open,
    NextState,
    StateBefore,
    Refund,
    RefundsDue,
    Copy,
    CopyAll,
}

impl Orders {
    fn chosen(&self) -> Option<&OrderRow> {
        self.shown.iter().find(|row| Some(&row.order) == self.table.selected())
    }

    /// Another state is shown.
    fn turn(&mut self, step: usize, shared: &mut Shared) -> Steps {
        let ring: Vec<Option<OrderStanding>> =
            std::iter::once(None).chain(OrderStanding::ALL.map(Some)).collect();
        let here = ring.iter().position(|state| *state == self.state).unwrap_or(0);
        self.state = ring[(here + step) % ring.len()];
        self.fill(shared)
    }

    /// Takes the rows from the snapshot, or asks for them where it does not carry all.
    fn fill(&mut self, shared: &mut Shared) -> Steps {
        let all: u64 = shared.snapshot.standings.iter().map(|count| count.count).sum();
        let carried = u64::try_from(shared.snapshot.orders.len()).unwrap_or(u64::MAX);
        let orders = shared.snapshot.orders.iter();
        let rows = orders.filter(|row| self.state.is_none_or(|state| row.state == state)).cloned().collect();
        self.set(rows);
        if all > carried && !self.asked.is_waiting() {
            return vec![self.asked.ask(Act::Orders { state: self.state }, "all orders", shared)];
        }
        Steps::new()
    }

    fn set(&mut self, rows: Vec<OrderRow>) {
        self.shown = rows;
        let Self { shown, table, .. } = self;
        table.refresh(&table_rows(shown));
    }
}

impl Screen<Shared> for Orders {
    type Do = Do;
    const NAME: &'static str = "orders";

    fn title(&self, _shared: &Shared) -> String {
        "Orders".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let chosen = self.chosen();
        let (some, none) = (chosen.is_some(), "no order is selected");
        let refundable = chosen.map_or(Err(none.to_owned()), |row| Target::of_row(row).map(drop));
        vec![
            Action::new(Do::Open, "open", "enter", "Open", "The order in full.").when(some, none),
            Action::new(
                Do::NextState,
                "next-state",
                "tab",
                "State",
                "Shows the orders that stand in the next way.",
            ),
            Action::new(
                Do::StateBefore,
                "state-before",
                "shift-tab",
                "State before",
                "The same the other way round.",
            )
            .quiet(),
            Action {
                enabled: refundable,
                ..Action::new(Do::Refund, "refund", "R", "Refund", "Gives the order's payment back.")
            },
            Action::new(Do::RefundsDue, "refunds", "u", "Refunds due", "Payments that are to be given back.")
                .when(!shared.snapshot.refunds.is_empty(), "no refund is due"),
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
            Do::NextState => return self.turn(1, shared),
            Do::StateBefore => return self.turn(OrderStanding::ALL.len(), shared),
            Do::RefundsDue => return vec![Step::Push(stack::layer(Refunds::default()))],
            _ => {}
        }
        let Some(row) = self.chosen() else { return Steps::new() };
        vec![match todo {
            Do::Open => Step::Push(stack::layer(Order::new(row.order))),
            Do::Refund => match Target::of_row(row) {
                Ok(target) => Step::Push(stack::layer(Refund::new(vec![target], shared))),
                Err(_) => return Steps::new(),
            },
            Do::Copy => match row.payment {
                Some(payment) => Step::Copy { text: payment.to_string(), what: "the payment's number" },
                None => Step::Copy { text: row.order.to_string(), what: "the order's hash" },
            },
            _ => words::copy_json(row, "the order"),
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
        let pick = |outcome: &Outcome| match outcome {
            Outcome::Orders(orders) => Some(orders.clone()),
            _ => None,
        };
        if self.asked.told(news, shared, pick)
            && let Asked::Here(rows) = std::mem::replace(&mut self.asked, Asked::Not)
        {
            // The state may have been turned on while the answer was on its way.
            let state = self.state;
            self.set(rows.into_iter().filter(|row| state.is_none_or(|state| row.state == state)).collect());
        }
        Steps::new()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let [head, list] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
        let theme = ui.theme();
        let (words, count) = match self.state {
            None => ("all", shared.snapshot.standings.iter().map(|count| count.count).sum()),
            Some(state) => (state.words(), shared.standing(state)),
        };
        let state = format!("{} {words} ({count}) {}", theme.marks.left, theme.marks.right);
        ui.line(
            head,
            Line::from(vec![Span::styled(state, theme.strong), Span::styled("  Tab turns", theme.dim)]),
        );
        self.table.view(ui, list, &table_rows(&self.shown));
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
