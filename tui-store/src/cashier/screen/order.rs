//! One order in full, with what a cashier may do about it.

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::layout::Rect,
    stack::{self, Screen},
    theme::Tone,
    ui::Ui,
};
use wire::{id::OrderHash, till::Right};

use super::{News, Shared, Step, Steps, asked::Asked, copy_json, refund::Refund};
use crate::{
    cashier::act::{Act, Outcome},
    screen::words,
    view::{OrderDetail, OrderStanding},
};

/// One order.
pub(super) struct Order {
    order: OrderHash,
    asked: Asked<Box<OrderDetail>>,
    /// The newest answer; it stays in sight while the store is asked again.
    detail: Option<Box<OrderDetail>>,
    shown: Detail,
    delivering: Asked<Box<OrderDetail>>,
}

/// What can be done with an order.
#[derive(Debug, Clone)]
pub(super) enum Do {
    Refund,
    Deliver,
    Again,
    Copy,
    CopyAll,
}

impl Order {
    pub(super) fn new(order: OrderHash) -> Self {
        Self { order, asked: Asked::Not, detail: None, shown: Detail::default(), delivering: Asked::Not }
    }

    fn ask(&mut self, shared: &mut Shared) -> Steps {
        vec![self.asked.ask(Act::Order { order: self.order.to_string() }, "the order", shared)]
    }

    fn refundable(&self, shared: &Shared) -> Result<&OrderDetail, String> {
        let detail = self.detail.as_deref().ok_or("the order is not here yet")?;
        detail.row.payment.ok_or("it is not paid")?;
        match detail.row.state {
            OrderStanding::Refunded => return Err("it was given back already".into()),
            OrderStanding::Claimed => {
                return Err("it is claimed; what was claimed can't be given back".into());
            }
            _ => {}
        }
        shared.may(Right::Refund).map(|()| detail)
    }

    fn deliverable(&self, shared: &Shared) -> Result<(), String> {
        let detail = self.detail.as_deref().ok_or("the order is not here yet")?;
        match detail.row.state {
            OrderStanding::AwaitingPayment | OrderStanding::AwaitingBuyer | OrderStanding::Expired => {
                Err("it is not paid".into())
            }
            OrderStanding::Refunded => Err("its payment was given back".into()),
            _ => shared.may(Right::Deliver),
        }
    }

    fn show(&mut self, detail: Box<OrderDetail>) {
        self.shown.set(rows(&detail));
        self.detail = Some(detail);
    }
}

impl Screen<Shared> for Order {
    type Do = Do;
    const NAME: &'static str = "order";

    fn title(&self, _shared: &Shared) -> String {
        "Orders › Order".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let (here, none) = (self.detail.is_some(), "the order is not here yet");
        vec![
            Action {
                enabled: self.refundable(shared).map(drop),
                ..Action::new(Do::Refund, "refund", "R", "Refund", "Gives the payment back, whole.")
            },
            Action {
                enabled: self.deliverable(shared),
                ..Action::new(
                    Do::Deliver,
                    "deliver",
                    "d",
                    "Deliver",
                    "Puts the goods out for the buyer to fetch, again too.",
                )
            },
            Action::new(Do::Again, "again", "r", "Ask again", "Asks the store for the order again."),
            Action::new(
                Do::Copy,
                "copy",
                "y",
                "Copy number",
                "Copies the payment's number, or the order's hash.",
            )
            .when(here, none),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies all of it as JSON.")
                .when(here, none)
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::Again => self.ask(shared),
            Do::Deliver => {
                let act = Act::Deliver { order: self.order.to_string() };
                vec![self.delivering.ask(act, "the store", shared)]
            }
            Do::Refund => match self.refundable(shared) {
                Ok(detail) => vec![Step::Push(stack::layer(Refund::new(detail)))],
                Err(why) => vec![Step::Say(Tone::Warn, why)],
            },
            Do::Copy | Do::CopyAll => {
                let Some(detail) = &self.detail else { return Steps::new() };
                vec![match (todo, detail.row.payment) {
                    (Do::CopyAll, _) => copy_json(detail, "the order"),
                    (_, Some(payment)) => {
                        Step::Copy { text: payment.to_string(), what: "the payment's number" }
                    }
                    (_, None) => Step::Copy { text: self.order.to_string(), what: "the order's hash" },
                }]
            }
        }
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.shown.press(key).then(Steps::new)
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.ask(shared)
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        let order = |outcome: &Outcome| match outcome {
            Outcome::Order(detail) => Some(detail.clone()),
            _ => None,
        };
        if self.asked.told(news, shared, order) {
            if !self.asked.is_failed()
                && let Some(Ok(detail)) = self.asked.take()
            {
                self.show(detail);
            }
            return Steps::new();
        }
        if self.delivering.told(news, shared, order) {
            return match self.delivering.take() {
                Some(Ok(detail)) => {
                    self.show(detail);
                    vec![Step::Say(Tone::Good, "the goods are out; the buyer can fetch them".into())]
                }
                Some(Err(failure)) => vec![Step::Say(Tone::Bad, failure.message)],
                None => Steps::new(),
            };
        }
        match news {
            // The screen below follows a sale until it is paid.
            News::Done(_, Ok(Outcome::Order(detail))) if detail.row.order == self.order => {
                self.show(detail.clone());
                Steps::new()
            }
            // A refund of it has ended, one way or another.
            News::Done(_, Ok(Outcome::Resolved(_))) if !self.asked.is_waiting() => self.ask(shared),
            _ => Steps::new(),
        }
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.detail.is_none() && self.asked.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        if self.detail.is_some() {
            self.shown.view(ui, area);
        } else {
            self.asked.view(ui, area, "r asks again");
        }
    }
}

fn rows(detail: &OrderDetail) -> Vec<Row> {
    let row = &detail.row;
    let mut rows = vec![
        Row::toned("State", words::standing_tone(row.state), row.state.words()),
        Row::pair("Total", row.total.text.as_str()),
        Row::pair("Taken", row.taken.text.as_str()),
    ];
    match (&detail.paid, row.payment) {
        (Some(paid), Some(payment)) => rows.push(Row::pair("Paid", format!("{}  {payment}", paid.text))),
        (None, Some(payment)) => rows.push(Row::pair("Payment", payment.to_string())),
        (_, None) => rows.push(Row::pair("Offer ends", detail.expires.text.as_str())),
    }
    rows.extend(detail.delivered.as_ref().map(|at| Row::pair("Delivered", at.text.as_str())));
    if let Some(sold) = &detail.sold {
        rows.push(Row::pair("Sold by", sold.cashier.as_str()));
        rows.extend(sold.code.iter().map(|code| Row::toned("Pick-up code", Tone::Strong, code.as_str())));
    }
    rows.extend(detail.claim.map(|claim| Row::pair("Claim", claim.to_string())));
    rows.extend(detail.refund.map(|refund| Row::pair("Refund", refund.to_string())));
    rows.extend(
        detail.undeliverable.as_ref().map(|why| Row::toned("Can't deliver", Tone::Warn, why.to_string())),
    );
    rows.extend([Row::Gap, Row::Heading("Goods".into())]);
    for line in &detail.lines {
        let goods =
            format!("{} × {}  {}\n{}", line.quantity, line.title, line.unit_price.text, line.file_name);
        rows.push(Row::pair(line.item.to_string(), goods));
    }
    if !detail.note.is_empty() {
        rows.extend([
            Row::Gap,
            Row::Heading("The buyer's words".into()),
            Row::Words(detail.note.to_string()),
        ]);
    }
    rows.extend([Row::Gap, Row::pair("Order", row.order.to_string())]);
    rows
}
