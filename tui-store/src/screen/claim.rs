//! Claiming money: what is claimed, password B, and what became of it.

use tui_kit::{
    KeyEvent,
    detail::Row,
    keys::Action,
    ratatui::layout::Rect,
    stack::Screen,
    text::{self, Align},
    ui::Ui,
};
use wire::id::EntryNumber;

use crate::{
    act::{Act, Outcome},
    screen::{News, Steps, asked::Asked, shared::Shared, signing::Signing},
    view::{Claimable, ClaimableRow},
};

/// Claiming money.
pub(super) struct Claim {
    /// Which payments; with none, all that can be claimed.
    only: Vec<EntryNumber>,
    /// What can be claimed, as it is when the review is made.
    asked: Asked<Claimable>,
    signing: Option<Signing>,
    payments: Vec<EntryNumber>,
}

impl Claim {
    /// Claiming all that can be claimed.
    pub(super) fn all() -> Self {
        Self { only: Vec::new(), asked: Asked::Not, signing: None, payments: Vec::new() }
    }

    /// Claiming one payment.
    pub(super) fn one(payment: EntryNumber) -> Self {
        Self { only: vec![payment], ..Self::all() }
    }

    /// What was looked up becomes the review: exactly what is read there is claimed.
    fn review(&mut self, claimable: Claimable, shared: &Shared) {
        let wanted = |row: &ClaimableRow| self.only.is_empty() || self.only.contains(&row.payment);
        let rows: Vec<ClaimableRow> = claimable.payments.into_iter().filter(wanted).collect();
        if rows.is_empty() {
            return;
        }
        let total = shared.sum(rows.iter().map(|row| &row.total));
        let count = if rows.len() == 1 { "1 payment".to_owned() } else { format!("{} payments", rows.len()) };
        let mut lines = vec![Row::pair("In all", format!("{} in {count}", total.text)), Row::Gap];
        let columns = rows.iter().map(|row| text::width(&row.total.text)).max().unwrap_or(0);
        lines.extend(rows.iter().map(|row| {
            let amount = text::fit(&row.total.text, columns, Align::Right);
            Row::pair(row.payment.to_string(), format!("{amount}  delivered {}", row.delivered.text))
        }));
        let warning =
            "What is claimed can't be given back any more. The center pays it to your registered account.";
        self.payments = rows.iter().map(|row| row.payment).collect();
        self.signing = Some(Signing::of_money(format!("Claim {}", total.text), lines, Some(warning), shared));
    }
}

impl Screen<Shared> for Claim {
    type Do = ();
    const NAME: &'static str = "claim";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        match &self.signing {
            Some(signing) if signing.is_over() => "Claims › What became of it",
            _ => "Claims › Review",
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
        let payments = self.payments.clone();
        let signing = self.signing.as_mut()?;
        let sending = signing.sending();
        signing.key(key, shared, |password_b| Act::Claim { payments, password_b, sending })
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        if let Some(signing) = &mut self.signing {
            signing.paste(pasted);
        }
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        vec![self.asked.ask(Act::Claimable, "what can be claimed", shared)]
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        let pick = |outcome: &Outcome| match outcome {
            Outcome::Claimable(claimable) => Some(claimable.clone()),
            _ => None,
        };
        if self.asked.told(news, shared, pick)
            && let Some(claimable) = self.asked.here().cloned()
        {
            self.review(claimable, shared);
        }
        if let Some(signing) = &mut self.signing {
            signing.told(news, shared);
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting() || self.signing.as_ref().is_some_and(Signing::is_waiting)
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match (&self.signing, &self.asked) {
            (Some(signing), _) => signing.view(ui, area),
            (None, Asked::Here(_)) => {
                let style = ui.theme().dim;
                ui.paragraph(
                    area,
                    "Nothing of it can be claimed: it is not delivered, or claimed already.",
                    style,
                );
            }
            (None, asked) => asked.view(ui, area, "Esc goes back"),
        }
    }
}
