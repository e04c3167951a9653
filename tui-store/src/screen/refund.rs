//! Giving payments back: why, the number typed again, password B, and what became of it.

use tui_kit::{
    KeyCode, KeyEvent,
    detail::Row,
    form::{Field, Form, Pressed},
    keys::Action,
    ratatui::layout::{Constraint, Layout, Rect},
    review::{Pressed as Reviewed, Review},
    stack::Screen,
    ui::Ui,
};
use wire::{id::EntryNumber, payload::RefundReason};

use crate::{
    act::Act,
    screen::{News, Steps, shared::Shared, signing::Signing},
    view::{Money, OrderRow, OrderStanding, RefundRow},
};

const REASON: &str = "reason";
/// The reasons that a person chooses from, where the store itself knows none.
const REASONS: [(&str, RefundReason); 2] =
    [("agreed", RefundReason::Agreed), ("cannot-deliver", RefundReason::CannotDeliver)];

/// A payment that may be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    payment: EntryNumber,
    total: Money,
    /// What was bought, where the order is known.
    goods: Option<String>,
    /// Whether a refund is due: then the reason is known.
    due: bool,
    /// Why it is due, in words.
    pub(super) why: Option<String>,
    delivered: bool,
}

impl Target {
    /// The payment of an order.
    ///
    /// # Errors
    /// Why it can't be given back.
    pub(super) fn of_row(row: &OrderRow) -> Result<Self, String> {
        let payment = row.payment.ok_or("it is not paid")?;
        match row.state {
            OrderStanding::Refunded => return Err("it was given back already".into()),
            OrderStanding::Claimed => {
                return Err("it is claimed; what was claimed can't be given back".into());
            }
            _ => {}
        }
        Ok(Self {
            payment,
            total: row.total.clone(),
            goods: Some(row.goods.clone()),
            due: row.state == OrderStanding::RefundDue,
            why: None,
            delivered: row.state == OrderStanding::Delivered,
        })
    }

    /// A payment that is due to be given back.
    pub(super) fn of_due(row: &RefundRow) -> Self {
        Self {
            payment: row.payment,
            total: row.total.clone(),
            goods: None,
            due: true,
            why: Some(row.why.clone()),
            delivered: false,
        }
    }
}

/// Giving payments back.
pub(super) struct Refund {
    targets: Vec<Target>,
    total: Money,
    reason: Option<RefundReason>,
    step: At,
}

enum At {
    /// The reason is chosen.
    Reason(Form),
    /// The number, or for several payments the sum, is typed again.
    Typed(Review),
    Signing(Signing),
}

impl Refund {
    /// Giving these payments back; at least one.
    pub(super) fn new(targets: Vec<Target>, shared: &Shared) -> Self {
        let total = shared.sum(targets.iter().map(|target| &target.total));
        let mut refund = Self { targets, total, reason: None, step: At::Reason(reasons()) };
        if refund.targets.iter().all(|target| target.due) {
            refund.step = At::Typed(refund.typed());
        }
        refund
    }

    fn typed(&self) -> Review {
        let review = Review::new("Give back", "Go on to password B", self.rows())
            .warn("The whole of it goes back to the card that paid. A refund can't be taken back.");
        let review = if self.targets.iter().any(|target| target.delivered) {
            review.warn("The goods were delivered; the buyer keeps them.")
        } else {
            review
        };
        match self.targets.as_slice() {
            [one] => review.typed("the payment's number", one.payment.to_string()),
            _ => review.typed("the sum", self.total.text.clone()),
        }
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for target in &self.targets {
            let words = [Some(target.total.text.clone()), target.goods.clone(), target.why.clone()];
            let words: Vec<String> = words.into_iter().flatten().collect();
            rows.push(Row::pair(target.payment.to_string(), words.join("\n")));
        }
        rows.extend(self.reason.map(|reason| Row::pair("Reason", reason.words())));
        if self.targets.len() > 1 {
            rows.push(Row::pair("In all", format!("{} in {} payments", self.total.text, self.targets.len())));
        }
        rows
    }

    fn reason_chosen(&mut self) {
        let At::Reason(form) = &self.step else { return };
        let chosen = form.text(REASON);
        self.reason = REASONS.iter().find(|(name, _)| *name == chosen).map(|(_, reason)| *reason);
        self.step = At::Typed(self.typed());
    }
}

impl Screen<Shared> for Refund {
    type Do = ();
    const NAME: &'static str = "refund";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        match &self.step {
            At::Reason(_) => "Refund › Reason",
            At::Typed(_) => "Refund › Review",
            At::Signing(signing) if signing.is_over() => "Refund › What became of it",
            At::Signing(_) => "Refund › Password B",
        }
        .into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        Vec::new()
    }

    fn run(&mut self, _todo: (), _shared: &mut Shared) -> Steps {
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        match &mut self.step {
            At::Reason(form) => match form.press(key) {
                // There is one field: Enter need not go to the button first.
                _ if key.code == KeyCode::Enter => self.reason_chosen(),
                Pressed::Submit => self.reason_chosen(),
                Pressed::Taken => {}
                Pressed::Free | Pressed::Back => return None,
            },
            At::Typed(review) => match review.press(key) {
                Reviewed::Taken => {}
                Reviewed::Free | Reviewed::Back => return None,
                Reviewed::Commit(_) => {
                    self.step = At::Signing(Signing::of_money("Give back", self.rows(), None, shared));
                }
            },
            At::Signing(signing) => {
                let payments = self.targets.iter().map(|target| target.payment).collect();
                let (reason, sending) = (self.reason, signing.sending());
                return signing.key(key, shared, |password_b| Act::Refund {
                    payments,
                    all_due: false,
                    reason,
                    password_b,
                    sending,
                });
            }
        }
        Some(Steps::new())
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        match &mut self.step {
            At::Reason(_) => {}
            At::Typed(review) => review.paste(pasted),
            At::Signing(signing) => signing.paste(pasted),
        }
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let At::Signing(signing) = &mut self.step {
            signing.told(news, shared);
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        matches!(&self.step, At::Signing(signing) if signing.is_waiting())
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match &self.step {
            At::Reason(form) => {
                let [words, fields] =
                    Layout::vertical([Constraint::Length(2), Constraint::Min(0)]).areas(area);
                let style = ui.theme().text;
                ui.paragraph(words, "Why does the payment go back? The member sees the reason.", style);
                form.view(ui, fields);
            }
            At::Typed(review) => review.view(ui, area),
            At::Signing(signing) => signing.view(ui, area),
        }
    }
}

fn reasons() -> Form {
    let options = REASONS.map(|(name, reason)| (name, reason.words()));
    Form::new("Review", [Field::choice(REASON, "Reason", options)])
}
