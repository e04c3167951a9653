//! Asking for a prepaid card: an amount, a review, password B, then how to pay for it.

use tui_kit::{
    KeyEvent,
    detail::Row,
    form::{Field, Form, Pressed},
    keys::Action,
    ratatui::layout::{Constraint, Layout, Rect},
    review::{Pressed as Reviewed, Review},
    stack::{Screen, layer},
    theme::Tone,
    ui::Ui,
};
use wire::amount::Amount;

use crate::{
    act::{Act, Outcome},
    screen::{
        News, Step, Steps,
        asked::Asked,
        cards::Sheet,
        shared::{PREPARED_WORDS, Shared, password_b},
    },
    view::{FundingRow, LineView},
};

const AWAITED: &str = "the center to enter the request";

/// The request on its way.
pub(crate) struct Request {
    form: Option<Form>,
    step: At,
    asked: Asked<FundingRow>,
}

/// Where the request stands.
enum At {
    Amount,
    Review { amount: Amount, review: Box<Review> },
}

impl Request {
    pub(crate) fn new() -> Self {
        Self { form: None, step: At::Amount, asked: Asked::Not }
    }

    fn review(&mut self, shared: &Shared) {
        let minor = self.form.as_ref().and_then(|form| form.amount("amount"));
        let Some(amount) = minor.and_then(Amount::new) else { return };
        let center = shared.snapshot.center.as_ref().map_or("the center", |center| center.name.as_str());
        let rows = [
            Row::pair("Center", center),
            Row::pair("Card of", shared.money(amount)),
            Row::pair("Paid by", "bank transfer, which you make afterwards"),
            Row::Gap,
            Row::Words(
                "The center answers with the account and the reference to transfer to. Nothing is owed if you don't: \
                 the request lapses."
                    .into(),
            ),
        ];
        let review = Review::new("Request a card", "sign and send", rows);
        let review = match &shared.snapshot.line {
            LineView::Down { .. } => review.warn(PREPARED_WORDS),
            _ => review,
        };
        let review = shared.signing(review);
        self.step = At::Review { amount, review: Box::new(review) };
    }
}

impl Screen<Shared> for Request {
    type Do = ();
    const NAME: &'static str = "request-card";

    fn title(&self, _shared: &Shared) -> String {
        "Cards › Request a card".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        Vec::new()
    }

    fn run(&mut self, _todo: (), _shared: &mut Shared) -> Steps {
        Steps::new()
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        let currency = shared.currency();
        let digits = u8::try_from(currency.digits()).unwrap_or(0);
        let field = Field::amount("amount", "Amount", currency.code(), digits).required();
        let field = field.range(1, i128::from(Amount::MAX.minor())).hint("what the card is to hold");
        self.form = Some(Form::new("Review", [field]));
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        match &mut self.step {
            At::Amount => match self.form.as_mut()?.press(key) {
                Pressed::Taken => Some(Steps::new()),
                Pressed::Free | Pressed::Back => None,
                Pressed::Submit => {
                    self.review(shared);
                    Some(Steps::new())
                }
            },
            At::Review { amount, review } => match review.press(key) {
                Reviewed::Taken => Some(Steps::new()),
                Reviewed::Free | Reviewed::Back => None,
                Reviewed::Commit(consent) => {
                    review.wait(shared.now, AWAITED);
                    let act = Act::RequestCard {
                        amount: shared.currency().plain(*amount),
                        password_b: password_b(consent),
                        prepare: matches!(shared.snapshot.line, LineView::Down { .. }),
                    };
                    Some(vec![self.asked.ask(act, AWAITED, shared)])
                }
            },
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        match (&mut self.step, &mut self.form) {
            (At::Review { review, .. }, _) => review.paste(pasted),
            (At::Amount, Some(form)) => form.paste(pasted),
            (At::Amount, None) => {}
        }
    }

    fn guards(&self) -> bool {
        true
    }

    fn told(&mut self, news: &News, _shared: &mut Shared) -> Steps {
        let pick = |outcome: &Outcome| match outcome {
            Outcome::Funding(row) => Some(row.clone()),
            _ => None,
        };
        if let (Asked::Waiting { ticket, .. }, News::Done(answered, Ok(Outcome::Prepared(_)))) =
            (&self.asked, news)
            && ticket == answered
        {
            let words = "the card request is signed and waits here".to_owned();
            return vec![Step::Say(Tone::Good, words), Step::Go("outbox")];
        }
        if !self.asked.told(news, pick) {
            return Steps::new();
        }
        match (&self.asked, &mut self.step) {
            (Asked::Here(row), _) => vec![Step::Swap(layer(Sheet::funding(row.clone())))],
            (Asked::Failed(failure), At::Review { review, .. }) => {
                review.refuse(failure.message.clone());
                Steps::new()
            }
            _ => Steps::new(),
        }
    }

    fn step_back(&mut self, _shared: &mut Shared) -> bool {
        let back = matches!(&self.step, At::Review { .. }) && !self.asked.is_waiting();
        if back {
            self.step = At::Amount;
        }
        back
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match (&self.step, &self.form) {
            (At::Review { review, .. }, _) => review.view(ui, area),
            (At::Amount, Some(form)) => {
                let [words, fields] =
                    Layout::vertical([Constraint::Length(3), Constraint::Min(0)]).areas(area);
                let style = ui.theme().text;
                let said = "A prepaid card holds money for every store of this center. You pay for it by bank transfer.";
                ui.paragraph(words, said, style);
                form.view(ui, fields);
            }
            (At::Amount, None) => {}
        }
    }
}
