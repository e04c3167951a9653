//! Certifying a terminal of staff, giving it other rights, and taking them away.

use tui_kit::{
    KeyEvent,
    detail::Row,
    form::{Field, Form, Pressed},
    keys::Action,
    ratatui::layout::Rect,
    review::Review,
    stack::Screen,
    ui::Ui,
};
use wire::{
    amount::{Amount, Currency},
    key::VerificationKey,
    payload::CashierRights,
    text::Line,
    till::{CashierRequest, Right},
};

use crate::{
    act::{Act, CashierAct},
    screen::{News, Steps, cashiers::may, shared::Shared, signing::Signing},
    view::CashierRow,
};

const REQUEST: &str = "request";
const NAME: &str = "name";
const SELL: &str = "sell";
const DELIVER: &str = "deliver";
const SEE_DAY: &str = "see-day";
const LIMIT: &str = "limit";
/// The longest request that fits the field, generously.
const REQUEST_CHARS_MAX: usize = 2_000;
/// The most characters of a cashier's name.
const NAME_CHARS_MAX: usize = 60;

/// Certifying a terminal, or giving it other rights.
pub(super) struct Certify {
    /// The terminal, where it is certified already.
    known: Option<(VerificationKey, String)>,
    step: At,
}

enum At {
    Form(Form),
    Signing { signing: Box<Signing>, key: VerificationKey, rights: CashierRights },
}

impl Certify {
    /// A new terminal.
    pub(super) fn new(shared: &Shared) -> Self {
        let store = shared.snapshot.store;
        let request = Field::text(REQUEST, "Request")
            .required()
            .max(REQUEST_CHARS_MAX)
            .hint("The line that “till join” printed on the cashier's terminal: inkan-cashier:…")
            .check(move |text| {
                let request = text.parse::<CashierRequest>().map_err(|error| error.to_string())?;
                if Some(request.store) == store {
                    Ok(())
                } else {
                    Err(format!("it is for the store {}, which this is not", request.store))
                }
            });
        let fields = [request].into_iter().chain(rights_fields(None, currency(shared)));
        Self { known: None, step: At::Form(Form::new("Review", fields)) }
    }

    /// Other rights for a cashier.
    pub(super) fn again(row: &CashierRow, shared: &Shared) -> Self {
        let form = Form::new("Review", rights_fields(Some(row), currency(shared)));
        Self { known: Some((row.key, row.fingerprint.clone())), step: At::Form(form) }
    }

    fn review(&mut self, shared: &Shared) {
        let At::Form(form) = &self.step else { return };
        let request = form.text(REQUEST).parse::<CashierRequest>().ok();
        let key = self.known.as_ref().map(|(key, _)| *key).or(request.map(|request| request.key));
        let limit = form.amount(LIMIT).and_then(Amount::new).unwrap_or(Amount::ZERO);
        let (Some(key), Ok(name)) = (key, Line::new(&form.text(NAME))) else { return };
        let rights = CashierRights {
            name,
            sell: form.is_on(SELL),
            deliver: form.is_on(DELIVER),
            refund_limit: limit,
            see_day: form.is_on(SEE_DAY),
        };
        let rows = rights_rows(&key.fingerprint(), &rights, currency(shared));
        let review = Review::new("Certify", "Sign and send", rows).warn(
            "Compare the key with the one on the cashier's terminal. Whoever holds it may do this in the store's name.",
        );
        self.step = At::Signing { signing: Box::new(Signing::new(review, shared)), key, rights };
    }
}

impl Screen<Shared> for Certify {
    type Do = ();
    const NAME: &'static str = "cashier";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        match (&self.step, &self.known) {
            (At::Form(_), None) => "Cashiers › Certify".into(),
            (At::Form(_), Some((_, fingerprint))) => format!("Cashiers › Rights of {fingerprint}"),
            (At::Signing { signing, .. }, _) if signing.is_over() => "Cashiers › What became of it".into(),
            (At::Signing { .. }, _) => "Cashiers › Review".into(),
        }
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        Vec::new()
    }

    fn run(&mut self, _todo: (), _shared: &mut Shared) -> Steps {
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        match &mut self.step {
            At::Form(form) => match form.press(key) {
                Pressed::Submit => self.review(shared),
                Pressed::Taken => {}
                Pressed::Free | Pressed::Back => return None,
            },
            At::Signing { signing, key: terminal, rights } => {
                let (terminal, rights) = (*terminal, rights.clone());
                return signing.key(key, shared, |password_b| Act::Cashiers {
                    what: CashierAct::Certify { key: terminal, rights, password_b },
                });
            }
        }
        Some(Steps::new())
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        match &mut self.step {
            At::Form(form) => form.paste(pasted),
            At::Signing { signing, .. } => signing.paste(pasted),
        }
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let At::Signing { signing, .. } = &mut self.step {
            signing.told(news, shared);
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        matches!(&self.step, At::Signing { signing, .. } if signing.is_waiting())
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match &self.step {
            At::Form(form) => form.view(ui, area),
            At::Signing { signing, .. } => signing.view(ui, area),
        }
    }
}

/// Taking a cashier's rights away.
pub(super) struct Revoke {
    key: VerificationKey,
    signing: Signing,
}

impl Revoke {
    pub(super) fn new(row: &CashierRow, shared: &Shared) -> Self {
        let rows = [
            Row::pair("Cashier", row.name.as_str()),
            Row::pair("Key", row.fingerprint.as_str()),
            Row::pair("May", may(row)),
            Row::pair("Gives back", format!("up to {} a day", row.refund_limit.text)),
        ];
        let review = Review::new("Revoke", "Sign and send", rows)
            .warn("The counter refuses this terminal as soon as it is signed. It can't be certified again: a new one makes a new key.");
        Self { key: row.key, signing: Signing::new(review, shared) }
    }
}

impl Screen<Shared> for Revoke {
    type Do = ();
    const NAME: &'static str = "revoke-cashier";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        if self.signing.is_over() { "Cashiers › What became of it" } else { "Cashiers › Revoke" }.into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        Vec::new()
    }

    fn run(&mut self, _todo: (), _shared: &mut Shared) -> Steps {
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let cashier = self.key.to_string();
        self.signing
            .key(key, shared, |password_b| Act::Cashiers { what: CashierAct::Revoke { cashier, password_b } })
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        self.signing.paste(pasted);
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        self.signing.told(news, shared);
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.signing.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        self.signing.view(ui, area);
    }
}

fn rights_fields(row: Option<&CashierRow>, currency: Currency) -> Vec<Field> {
    let switch = |name, label, on: Option<bool>| {
        let field = Field::switch(name, label);
        if on == Some(true) { field.with("on") } else { field }
    };
    let name = Field::text(NAME, "Name").required().max(NAME_CHARS_MAX).hint("In the store's lists.");
    let name = match row {
        Some(row) => name.with(&row.name),
        None => name,
    };
    let digits = u8::try_from(currency.digits()).unwrap_or(0);
    let limit = Field::amount(LIMIT, "Gives back", currency.code(), digits)
        .hint("Up to so much a day; empty or 0 is nothing.");
    vec![
        name,
        switch(SELL, "May sell", row.map(|row| row.sell)),
        switch(DELIVER, "May deliver", row.map(|row| row.deliver)),
        switch(SEE_DAY, "May see the day", row.map(|row| row.see_day)),
        match row.and_then(|row| Amount::new(row.refund_limit.minor)) {
            Some(amount) => limit.with(&currency.plain(amount)),
            None => limit,
        },
    ]
}

fn rights_rows(fingerprint: &str, rights: &CashierRights, currency: Currency) -> Vec<Row> {
    let may = [Right::Sell, Right::Deliver, Right::SeeDay].into_iter().filter(|right| right.is_in(rights));
    let may: Vec<&str> = may.map(Right::words).collect();
    let may = if may.is_empty() { "see orders".to_owned() } else { may.join(", ") };
    let limit = if Right::Refund.is_in(rights) {
        format!("up to {} a day", currency.print(rights.refund_limit))
    } else {
        "nothing".into()
    };
    vec![
        Row::pair("Cashier", rights.name.as_str()),
        Row::pair("Key", fingerprint),
        Row::pair("May", may),
        Row::pair("Gives back", limit),
    ]
}

fn currency(shared: &Shared) -> Currency {
    shared.snapshot.center.as_ref().map_or(Currency::YEN, |center| center.currency)
}
