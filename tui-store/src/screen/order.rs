//! One order in full, with the refund beside it.

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::layout::Rect,
    stack::{self, Screen},
    text,
    theme::Tone,
    ui::Ui,
};
use wire::id::OrderHash;

use crate::{
    act::{Act, Outcome},
    app::Effect,
    screen::{
        News, Step, Steps,
        asked::Asked,
        refund::{Refund, Target},
        shared::Shared,
        words,
    },
    view::{Exported, OrderDetail},
};

/// One order.
pub(crate) struct Order {
    order: OrderHash,
    asked: Asked<Box<OrderDetail>>,
    /// The newest answer; it stays in sight while the engine is asked again.
    detail: Option<Box<OrderDetail>>,
    shown: Detail,
    receipt: Asked<Exported>,
}

/// What can be done with an order.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Refund,
    Receipt,
    Copy,
    CopyAll,
}

impl Order {
    pub(crate) fn new(order: OrderHash) -> Self {
        Self { order, asked: Asked::Not, detail: None, shown: Detail::default(), receipt: Asked::Not }
    }

    fn ask(&mut self, shared: &mut Shared) -> Steps {
        vec![self.asked.ask(Act::Order { order: self.order.to_string() }, "the order", shared)]
    }

    fn target(&self) -> Result<Target, String> {
        let detail = self.detail.as_ref().ok_or("the order is not here yet")?;
        let mut target = Target::of_row(&detail.row)?;
        target.why = detail.undeliverable.as_ref().map(ToString::to_string);
        Ok(target)
    }
}

impl Screen<Shared> for Order {
    type Do = Do;
    const NAME: &'static str = "order";

    fn title(&self, _shared: &Shared) -> String {
        "Orders › Order".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let here = self.detail.is_some();
        let paid = self.detail.as_ref().is_some_and(|detail| detail.row.payment.is_some());
        vec![
            Action {
                enabled: self.target().map(drop),
                ..Action::new(Do::Refund, "refund", "R", "Refund", "Gives the payment back, whole.")
            },
            Action::new(
                Do::Receipt,
                "receipt",
                "e",
                "Export receipt",
                "Writes the payment's receipt as a file.",
            )
            .when(paid, "it is not paid"),
            Action::new(
                Do::Copy,
                "copy",
                "y",
                "Copy number",
                "Copies the payment's number, or the order's hash.",
            )
            .when(here, "the order is not here yet"),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies all of it as JSON.")
                .when(here, "the order is not here yet"),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        let Some(detail) = &self.detail else { return Steps::new() };
        vec![match todo {
            Do::Refund => match self.target() {
                Ok(target) => Step::Push(stack::layer(Refund::new(vec![target], shared))),
                Err(why) => Step::Say(Tone::Warn, why),
            },
            Do::Receipt => {
                let Some(number) = detail.row.payment else { return Steps::new() };
                self.receipt.ask(Act::ExportReceipt { number, with_order: false }, "the receipt", shared)
            }
            Do::Copy => match detail.row.payment {
                Some(payment) => Step::Copy { text: payment.to_string(), what: "the payment's number" },
                None => Step::Copy { text: self.order.to_string(), what: "the order's hash" },
            },
            Do::CopyAll => words::copy_json(detail, "the order"),
        }]
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.shown.press(key).then(Steps::new)
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.ask(shared)
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Snapshot = news {
            let row = shared.snapshot.orders.iter().find(|row| row.order == self.order);
            let changed =
                row.is_some_and(|row| self.detail.as_ref().is_some_and(|detail| detail.row != *row));
            return if changed && !self.asked.is_waiting() { self.ask(shared) } else { Steps::new() };
        }
        let order = |outcome: &Outcome| match outcome {
            Outcome::Order(detail) => Some(detail.clone()),
            _ => None,
        };
        if self.asked.told(news, shared, order)
            && let Asked::Here(detail) = &self.asked
        {
            self.shown.set(rows(detail));
            self.detail = Some(detail.clone());
        }
        let receipt = |outcome: &Outcome| match outcome {
            Outcome::Receipt(exported) => Some(exported.clone()),
            _ => None,
        };
        if self.receipt.told(news, shared, receipt) {
            return match std::mem::replace(&mut self.receipt, Asked::Not) {
                Asked::Here(Exported { number, content }) => {
                    vec![Step::Own(Effect::Save { name: format!("{number}.receipt.json"), content })]
                }
                Asked::Failed(failure) => vec![Step::Say(Tone::Bad, failure.message)],
                Asked::Not | Asked::Waiting { .. } => Steps::new(),
            };
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.detail.is_none() && self.asked.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        if self.detail.is_some() {
            self.shown.view(ui, area);
        } else {
            self.asked.view(ui, area, "Esc goes back");
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
    rows.extend(detail.sold.as_ref().map(|sold| Row::pair("Sold by", sold.cashier.as_str())));
    rows.extend(detail.claim.map(|claim| Row::pair("Claim", claim.to_string())));
    rows.extend(detail.refund.map(|refund| Row::pair("Refund", refund.to_string())));
    rows.extend(
        detail.undeliverable.as_ref().map(|why| Row::toned("Can't deliver", Tone::Warn, why.to_string())),
    );
    rows.extend([Row::Gap, Row::Heading("Goods".into())]);
    for line in &detail.lines {
        let goods = format!(
            "{} × {}  {}\n{}, {}",
            line.quantity,
            line.title,
            line.unit_price.text,
            line.file_name,
            text::bytes(line.size)
        );
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
