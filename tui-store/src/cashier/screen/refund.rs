//! Giving a payment back at the till: why, the amount typed again, the password, and what became of it.

use tui_kit::{
    KeyCode, KeyEvent,
    detail::{Detail, Row},
    form::{Field, Form, Pressed},
    keys::Action,
    ratatui::layout::{Constraint, Layout, Rect},
    review::{Consent, Pressed as Reviewed, Review},
    stack::Screen,
    theme::Tone,
    ui::Ui,
};
use wire::{id::OrderHash, payload::RefundReason};

use super::{News, Shared, Steps, asked::Asked};
use crate::{
    act::{Failure, FailureKind, Password},
    cashier::act::{Act, Outcome},
    screen::words,
    view::{OrderDetail, OrderStanding, Resolved, TelegramState},
};

const REASON: &str = "reason";
const REASONS: [(&str, RefundReason); 2] =
    [("agreed", RefundReason::Agreed), ("cannot-deliver", RefundReason::CannotDeliver)];

/// What an unknown outcome means and what to do about it.
const UNKNOWN_ADVICE: &str = "Unknown: the refund is kept here and at the store. On the refunds screen (2), r asks again. \
                              Nothing is lost and nothing is done twice.";

/// Giving the payment of an order back.
pub(super) struct Refund {
    order: OrderHash,
    amount: String,
    rows: Vec<Row>,
    delivered: bool,
    reason: RefundReason,
    step: At,
    asked: Asked<Vec<Resolved>>,
}

enum At {
    /// The reason is chosen.
    Reason(Form),
    /// The amount is typed again.
    Typed(Review),
    /// The password is given, and the center's word awaited.
    Password(Review),
    /// What became of it.
    Became(Detail),
}

impl Refund {
    /// Giving the payment of this order back, which is paid.
    pub(super) fn new(detail: &OrderDetail) -> Self {
        let row = &detail.row;
        let mut rows =
            vec![Row::pair("Amount", row.total.text.as_str()), Row::pair("Goods", row.goods.as_str())];
        rows.extend(row.payment.map(|payment| Row::pair("Payment", payment.to_string())));
        rows.extend(
            detail.undeliverable.as_ref().map(|why| Row::toned("Can't deliver", Tone::Warn, why.to_string())),
        );
        let options = REASONS.map(|(name, reason)| (name, reason.words()));
        Self {
            order: row.order,
            // The figures alone: the currency need not be typed.
            amount: row.total.text.trim_end_matches(|c: char| c.is_ascii_uppercase() || c == ' ').to_owned(),
            rows,
            delivered: row.state == OrderStanding::Delivered,
            reason: RefundReason::Agreed,
            step: At::Reason(Form::new("Review", [Field::choice(REASON, "Reason", options)])),
            asked: Asked::Not,
        }
    }

    fn reason_chosen(&mut self) {
        let At::Reason(form) = &self.step else { return };
        let chosen = form.text(REASON);
        let reason = REASONS.iter().find(|(name, _)| *name == chosen).map(|(_, reason)| *reason);
        self.reason = reason.unwrap_or(RefundReason::Agreed);
        self.rows.push(Row::pair("Reason", self.reason.words()));
        let review = Review::new("Give back", "Go on to the password", self.rows.clone())
            .warn("The whole of it goes back to the card that paid. A refund can't be taken back.");
        let review = if self.delivered {
            review.warn("The goods were delivered; the buyer keeps them.")
        } else {
            review
        };
        self.step = At::Typed(review.typed("the amount", self.amount.clone()));
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
            At::Password(_) => "Refund › Password",
            At::Became(_) => "Refund › What became of it",
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
                    let review = Review::new("Give back", "Sign and send", self.rows.clone());
                    self.step = At::Password(review.password("Password"));
                }
            },
            At::Password(review) => match review.press(key) {
                Reviewed::Taken | Reviewed::Commit(Consent::Given) => {}
                Reviewed::Free | Reviewed::Back => return None,
                Reviewed::Commit(Consent::Password(password)) => {
                    review.wait_or(shared.now, "the center's word", "Esc leaves it to the refunds screen");
                    let (order, reason) = (self.order.to_string(), self.reason);
                    let act = Act::Refund { order, reason, password: Password(password) };
                    return Some(vec![self.asked.ask(act, "the center's word", shared)]);
                }
            },
            At::Became(detail) => return detail.press(key).then(Steps::new),
        }
        Some(Steps::new())
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        match &mut self.step {
            At::Reason(_) | At::Became(_) => {}
            At::Typed(review) | At::Password(review) => review.paste(pasted),
        }
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        let resolved = |outcome: &Outcome| match outcome {
            Outcome::Resolved(resolved) => Some(resolved.clone()),
            _ => None,
        };
        if !self.asked.told(news, shared, resolved) {
            return Steps::new();
        }
        let rows = match self.asked.take() {
            Some(Ok(resolved)) => became(&resolved),
            Some(Err(Failure { kind: FailureKind::Unknown, message })) => {
                vec![Row::toned("State", Tone::Warn, message), Row::Gap, Row::Words(UNKNOWN_ADVICE.into())]
            }
            Some(Err(failure)) => {
                if let At::Password(review) = &mut self.step {
                    review.refuse(failure.message);
                }
                return Steps::new();
            }
            None => return Steps::new(),
        };
        self.step = At::Became(Detail::new(rows));
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
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
            At::Typed(review) | At::Password(review) => review.view(ui, area),
            At::Became(detail) => detail.view(ui, area),
        }
    }
}

fn became(resolved: &[Resolved]) -> Vec<Row> {
    let mut rows = Vec::new();
    for one in resolved {
        rows.push(Row::Heading(one.what.clone()));
        rows.push(Row::toned("State", words::telegram_tone(one.state), words::telegram_state(one.state)));
        rows.push(Row::pair("In words", one.words.as_str()));
        rows.extend(one.number.map(|number| Row::pair("Number", number.to_string())));
        rows.extend(one.total.as_ref().map(|total| Row::pair("Amount", total.text.as_str())));
    }
    if resolved.iter().any(|one| one.state == TelegramState::Unknown) {
        rows.extend([Row::Gap, Row::Words(UNKNOWN_ADVICE.into())]);
    }
    rows
}
