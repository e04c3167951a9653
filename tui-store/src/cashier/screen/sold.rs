//! A sale just made: the code for the buyer, and how it stands until it is paid.

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::layout::Rect,
    stack::{self, Screen},
    theme::Tone,
    ui::Ui,
};

use super::{News, Shared, Step, Steps, asked::Asked, order::Order};
use crate::{
    act::Failure,
    cashier::{
        act::{Act, Outcome},
        view::SaleView,
    },
    screen::words,
    view::{OrderDetail, OrderStanding},
};

/// A sale whose buyer stands at the counter.
pub(super) struct Sold {
    sale: SaleView,
    /// The newest word of the store; none right after the sale.
    detail: Option<Box<OrderDetail>>,
    awaited: Asked<Box<OrderDetail>>,
    failed: Option<Failure>,
    shown: Detail,
}

/// What can be done with a sale.
#[derive(Debug, Clone)]
pub(super) enum Do {
    Show,
    Again,
    Copy,
}

impl Sold {
    pub(super) fn new(sale: SaleView) -> Self {
        let mut sold =
            Self { sale, detail: None, awaited: Asked::Not, failed: None, shown: Detail::default() };
        sold.lay_out();
        sold
    }

    fn state(&self) -> OrderStanding {
        self.detail.as_ref().map_or(OrderStanding::AwaitingBuyer, |detail| detail.row.state)
    }

    fn wait(&mut self, shared: &mut Shared) -> Steps {
        self.failed = None;
        let act = Act::Await { order: self.sale.order.to_string(), since: self.state() };
        vec![self.awaited.ask(act, "the buyer", shared)]
    }

    fn lay_out(&mut self) {
        let (sale, state) = (&self.sale, self.state());
        let mut rows = vec![
            Row::toned("State", words::standing_tone(state), state.words()),
            Row::toned("Total", Tone::Strong, sale.total.text.as_str()),
        ];
        rows.extend(
            self.detail
                .as_ref()
                .and_then(|detail| detail.row.payment)
                .map(|payment| Row::pair("Payment", payment.to_string())),
        );
        match state {
            OrderStanding::AwaitingBuyer => rows.extend([
                Row::Gap,
                Row::toned("Pick-up code", Tone::Strong, sale.code.as_str()),
                Row::pair("Store", sale.store.to_string()),
                Row::pair("Good until", sale.expires.text.as_str()),
                Row::Gap,
                Row::Words(format!(
                    "The buyer types store and code: u on the stores screen, or “tui-member take-up {} {}”. The code is \
                     good for one buyer.",
                    sale.store, sale.code
                )),
            ]),
            OrderStanding::AwaitingPayment => rows.extend([
                Row::pair("Payable until", sale.expires.text.as_str()),
                Row::Gap,
                Row::Words("The buyer has taken it up and looks at it.".into()),
            ]),
            OrderStanding::Expired => rows.extend([
                Row::Gap,
                Row::Words("Nobody paid in time; nothing has moved. Sell it again for another code.".into()),
            ]),
            _ => rows.extend([Row::Gap, Row::Words("Paid. The buyer's terminal fetches the goods.".into())]),
        }
        if let Some(failure) = &self.failed {
            rows.extend([Row::Gap, Row::toned("Store", Tone::Bad, format!("{failure}; r asks again"))]);
        }
        rows.extend([Row::Gap, Row::pair("Order", sale.order.to_string())]);
        self.shown.set(rows);
    }
}

impl Screen<Shared> for Sold {
    type Do = Do;
    const NAME: &'static str = "sold";

    fn title(&self, _shared: &Shared) -> String {
        "Sell › Sold".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let waiting = self.state() == OrderStanding::AwaitingBuyer;
        vec![
            Action::new(Do::Show, "show", "o enter", "Order", "The order in full: refund, deliver."),
            Action::new(Do::Again, "again", "r", "Ask again", "Asks the store how the sale stands.")
                .when(!self.awaited.is_waiting(), "it is being asked all the time"),
            Action::new(Do::Copy, "copy", "y", "Copy code", "Copies the pick-up code.")
                .when(waiting, "it was taken up, or is over"),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::Show => vec![Step::Push(stack::layer(Order::new(self.sale.order)))],
            Do::Again => self.wait(shared),
            Do::Copy => vec![Step::Copy { text: self.sale.code.clone(), what: "the pick-up code" }],
        }
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.shown.press(key).then(Steps::new)
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.wait(shared)
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        let order = |outcome: &Outcome| match outcome {
            Outcome::Order(detail) => Some(detail.clone()),
            _ => None,
        };
        if !self.awaited.told(news, shared, order) {
            return Steps::new();
        }
        let before = self.state();
        match self.awaited.take() {
            Some(Ok(detail)) => self.detail = Some(detail),
            Some(Err(failure)) => self.failed = Some(failure),
            None => {}
        }
        let state = self.state();
        let mut steps = Steps::new();
        if self.failed.is_none() && state.is_open() {
            steps.extend(self.wait(shared));
        }
        self.lay_out();
        if state != before && state == OrderStanding::Paid {
            steps.push(Step::Say(Tone::Good, format!("{} are paid", self.sale.total.text)));
        }
        steps
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.shown.view(ui, area);
    }
}
