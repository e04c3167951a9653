//! An act that password B signs: its review, the wait for the center, and what became of it, in words.

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    ratatui::layout::Rect,
    review::{Consent, Pressed, Review},
    theme::Tone,
    ui::Ui,
};

use crate::{
    act::{Act, Failure, FailureKind, Outcome, Password, Sending},
    screen::{News, Steps, asked::Asked, shared::Shared, words},
    view::{LineView, Resolved, TelegramState},
};

/// What an unknown outcome means and what to do about it.
const UNKNOWN_ADVICE: &str = "Unknown: what was signed waits in the outbox (5), where r asks the center. Nothing is \
                              lost and nothing is done twice.";

/// What a telegram that was signed without a line means and what to do about it.
const PREPARED_ADVICE: &str = "Nothing was sent. It waits in the outbox (5): s sends it when the center can be reached \
                               again, w takes it back. Until then nothing else is signed for these payments.";
/// The same before it is signed.
const PREPARED_WORDS: &str =
    "The line is down: it is signed and kept in the outbox, and leaves when you send it from there.";

/// An act that password B signs.
pub(super) struct Signing {
    review: Review,
    sending: Sending,
    asked: Asked<Vec<Resolved>>,
    /// What became of it, once something did.
    became: Option<Detail>,
}

impl Signing {
    /// Rows and warnings to be read, with the drawn seal, and the field for password B below them; while password B is
    /// open, Enter signs.
    pub(super) fn new(review: Review, shared: &Shared) -> Self {
        let review = shared.sealed(review);
        match &shared.snapshot.signing_until {
            Some(until) => {
                Self::of(review.warn(format!("Password B is open until {}: Enter signs.", until.text)))
            }
            None => Self::asking(review),
        }
    }

    /// The same for a refund or claim: while the line is down it is prepared and not sent.
    pub(super) fn of_money(
        title: impl Into<String>,
        rows: Vec<Row>,
        warning: Option<&str>,
        shared: &Shared,
    ) -> Self {
        let down = matches!(shared.snapshot.line, LineView::Down { .. });
        let (button, sending) = match down {
            true => ("Sign and keep", Sending::Later),
            false => ("Sign and send", Sending::IfReached),
        };
        let warnings = warning.into_iter().chain(down.then_some(PREPARED_WORDS));
        let review = warnings.fold(Review::new(title, button, rows), Review::warn);
        Self { sending, ..Self::new(review, shared) }
    }

    /// A review of what always asks for password B, and needs the line.
    pub(super) fn asking(review: Review) -> Self {
        Self::of(review.password("Password B"))
    }

    fn of(review: Review) -> Self {
        Self { review, sending: Sending::AtOnce, asked: Asked::Not, became: None }
    }

    /// When what is signed leaves.
    pub(super) fn sending(&self) -> Sending {
        self.sending
    }

    /// Takes a key; `act` makes the act out of password B, of none while it is open. None: nobody here wants the key.
    pub(super) fn key(
        &mut self,
        key: KeyEvent,
        shared: &mut Shared,
        act: impl FnOnce(Option<Password>) -> Act,
    ) -> Option<Steps> {
        if let Some(became) = &mut self.became {
            return became.press(key).then(Steps::new);
        }
        match self.review.press(key) {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Free | Pressed::Back => None,
            Pressed::Commit(Consent::Given) => Some(self.send(act(None), shared)),
            Pressed::Commit(Consent::Password(password_b)) => {
                Some(self.send(act(Some(Password(password_b))), shared))
            }
        }
    }

    fn send(&mut self, act: Act, shared: &mut Shared) -> Steps {
        let awaited = if self.sending == Sending::Later { "the vault" } else { "the center's word" };
        self.review.wait_or(shared.now, awaited, "Esc leaves it to the outbox");
        vec![self.asked.ask(act, awaited, shared)]
    }

    pub(super) fn paste(&mut self, pasted: &str) {
        if self.became.is_none() {
            self.review.paste(pasted);
        }
    }

    pub(super) fn told(&mut self, news: &News, shared: &mut Shared) {
        let resolved = |outcome: &Outcome| match outcome {
            Outcome::Resolved(resolved) => Some(resolved.clone()),
            _ => None,
        };
        if !self.asked.told(news, shared, resolved) {
            return;
        }
        match std::mem::replace(&mut self.asked, Asked::Not) {
            Asked::Here(resolved) => self.became = Some(Detail::new(rows(&resolved))),
            Asked::Failed(Failure { kind: FailureKind::Unknown, message }) => {
                let rows =
                    [Row::toned("State", Tone::Warn, message), Row::Gap, Row::Words(UNKNOWN_ADVICE.into())];
                self.became = Some(Detail::new(rows));
            }
            Asked::Failed(failure) => self.review.refuse(failure.message),
            Asked::Not | Asked::Waiting { .. } => {}
        }
    }

    /// Whether the center's word is awaited.
    pub(super) fn is_waiting(&self) -> bool {
        self.review.is_waiting() && self.became.is_none()
    }

    /// Whether it has ended, one way or another.
    pub(super) fn is_over(&self) -> bool {
        self.became.is_some()
    }

    pub(super) fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        match &self.became {
            Some(became) => became.view(ui, area),
            None => self.review.view(ui, area),
        }
    }
}

/// What became of each telegram.
fn rows(resolved: &[Resolved]) -> Vec<Row> {
    let mut rows = Vec::new();
    for one in resolved {
        if !rows.is_empty() {
            rows.push(Row::Gap);
        }
        let payments: Vec<String> = one.payments.iter().map(ToString::to_string).collect();
        rows.push(Row::Heading(one.what.clone()));
        rows.push(Row::toned("State", words::telegram_tone(one.state), words::telegram_state(one.state)));
        rows.push(Row::pair("In words", one.words.as_str()));
        rows.extend(one.number.map(|number| Row::pair("Number", number.to_string())));
        rows.extend(one.total.as_ref().map(|total| Row::pair("Amount", total.text.as_str())));
        if !payments.is_empty() {
            rows.push(Row::pair("Payments", payments.join(", ")));
        }
    }
    let any = |state: TelegramState| resolved.iter().any(|one| one.state == state);
    if any(TelegramState::Prepared) {
        rows.extend([Row::Gap, Row::Words(PREPARED_ADVICE.into())]);
    }
    if any(TelegramState::Unknown) {
        rows.extend([Row::Gap, Row::Words(UNKNOWN_ADVICE.into())]);
    }
    rows
}
