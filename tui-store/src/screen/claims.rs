//! What can be claimed, and the claims with their payouts.

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
use wire::id::EntryNumber;

use crate::{
    act::{Act, Outcome},
    screen::{News, Step, Steps, asked::Asked, claim::Claim, order::Order, shared::Shared, words},
    view::{Claimable, ClaimableRow, PayoutRow},
};

/// Claims and payouts.
pub(crate) struct Claims {
    side: Side,
    asked: Asked<Claimable>,
    /// The newest answer; it stays in sight while the engine is asked again.
    claimable: Vec<ClaimableRow>,
    claimable_table: Table<EntryNumber>,
    payouts_table: Table<EntryNumber>,
}

/// Which of the two lists is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Claimable,
    Payouts,
}

impl Default for Claims {
    fn default() -> Self {
        let claimable = [
            Column::fixed("Payment", 13),
            Column::growing("Delivered", 14),
            Column::fixed("Amount", 16).right(),
        ];
        let payouts = [
            Column::fixed("Claim", 13),
            Column::fixed("Claimed", 14).rank(2),
            Column::fixed("Payments", 8).right().rank(3),
            Column::fixed("Amount", 16).right(),
            Column::growing("Payout", 12).rank(1),
        ];
        Self {
            side: Side::Claimable,
            asked: Asked::Not,
            claimable: Vec::new(),
            claimable_table: Table::new(
                claimable,
                "Nothing can be claimed yet. A payment stands here once its buyer has signed for the goods.",
            ),
            payouts_table: Table::new(
                payouts,
                "Nothing was claimed yet. c claims what was delivered; the payout that follows stands here.",
            ),
        }
    }
}

/// What can be done with claims.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Claim,
    ClaimOne,
    Turn,
    Open,
    Copy,
    CopyAll,
}

impl Claims {
    fn chosen(&self) -> Option<&ClaimableRow> {
        let row = self.claimable.iter().find(|row| Some(&row.payment) == self.claimable_table.selected());
        row.filter(|_| self.side == Side::Claimable)
    }

    fn payout<'a>(&self, shared: &'a Shared) -> Option<&'a PayoutRow> {
        let row =
            shared.snapshot.payouts.iter().find(|row| Some(&row.claim) == self.payouts_table.selected());
        row.filter(|_| self.side == Side::Payouts)
    }

    fn ask(&mut self, shared: &mut Shared) -> Steps {
        vec![self.asked.ask(Act::Claimable, "what can be claimed", shared)]
    }
}

impl Screen<Shared> for Claims {
    type Do = Do;
    const NAME: &'static str = "claims";

    fn title(&self, _shared: &Shared) -> String {
        "Claims".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let one = self.chosen().is_some();
        let some = one || self.payout(shared).is_some();
        vec![
            Action::new(Do::Claim, "claim", "c", "Claim all", "Claims all that was delivered.")
                .when(shared.snapshot.claimable.minor > 0, "nothing can be claimed yet"),
            Action::new(Do::ClaimOne, "claim-one", "C", "Claim this", "Claims the selected payment alone.")
                .when(one, "no claimable payment is selected"),
            Action::new(
                Do::Turn,
                "turn",
                "tab",
                "Other list",
                "Turns between claimable payments and payouts.",
            ),
            Action::new(Do::Open, "open", "enter", "Order", "The order that was paid.")
                .when(one, "no claimable payment is selected"),
            Action::new(Do::Copy, "copy", "y", "Copy number", "Copies the transaction number.")
                .when(some, "nothing is selected"),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the row as JSON.")
                .when(some, "nothing is selected")
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        let (chosen, payout) = (self.chosen(), self.payout(shared));
        let step = match todo {
            Do::Claim => Some(Step::Push(stack::layer(Claim::all()))),
            Do::Turn => {
                self.side = if self.side == Side::Claimable { Side::Payouts } else { Side::Claimable };
                None
            }
            Do::ClaimOne => chosen.map(|row| Step::Push(stack::layer(Claim::one(row.payment)))),
            Do::Open => chosen.map(|row| Step::Push(stack::layer(Order::new(row.order)))),
            Do::Copy => {
                let number = chosen.map(|row| row.payment).or(payout.map(|row| row.claim));
                number.map(|number| Step::Copy { text: number.to_string(), what: "the transaction number" })
            }
            Do::CopyAll => {
                let claimable = chosen.map(|row| words::copy_json(row, "the payment"));
                claimable.or_else(|| payout.map(|row| words::copy_json(row, "the claim")))
            }
        };
        step.into_iter().collect()
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let Self { claimable, claimable_table, payouts_table, .. } = self;
        let pressed = match self.side {
            Side::Claimable => claimable_table.press(key, &claimable_rows(claimable)),
            Side::Payouts => payouts_table.press(key, &payout_rows(&shared.snapshot.payouts)),
        };
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) | Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, shared: &Shared) {
        let Self { claimable, claimable_table, payouts_table, .. } = self;
        match self.side {
            Side::Claimable => claimable_table.paste(pasted, &claimable_rows(claimable)),
            Side::Payouts => payouts_table.paste(pasted, &payout_rows(&shared.snapshot.payouts)),
        };
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.payouts_table.refresh(&payout_rows(&shared.snapshot.payouts));
        self.ask(shared)
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Snapshot = news {
            self.payouts_table.refresh(&payout_rows(&shared.snapshot.payouts));
            let here = shared.sum(self.claimable.iter().map(|row| &row.total)).minor;
            let changed = here != shared.snapshot.claimable.minor;
            return if changed && !self.asked.is_waiting() { self.ask(shared) } else { Steps::new() };
        }
        let pick = |outcome: &Outcome| match outcome {
            Outcome::Claimable(claimable) => Some(claimable.clone()),
            _ => None,
        };
        if self.asked.told(news, shared, pick)
            && let Asked::Here(answer) = &self.asked
        {
            self.claimable.clone_from(&answer.payments);
            let Self { claimable, claimable_table, .. } = self;
            claimable_table.refresh(&claimable_rows(claimable));
        }
        Steps::new()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let [head, list] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
        let theme = ui.theme();
        let tab = |side: Side, words: String| {
            Span::styled(format!(" {words} "), if self.side == side { theme.selected } else { theme.dim })
        };
        let line = vec![
            tab(Side::Claimable, format!("Claimable {}", shared.snapshot.claimable.text)),
            Span::raw(" "),
            tab(Side::Payouts, format!("Payouts {}", shared.snapshot.payouts.len())),
            Span::styled("  Tab turns", theme.dim),
        ];
        ui.line(head, Line::from(line));
        match (self.side, &self.asked) {
            (Side::Payouts, _) => self.payouts_table.view(ui, list, &payout_rows(&shared.snapshot.payouts)),
            (Side::Claimable, Asked::Failed(_)) => self.asked.view(ui, list, "4 asks again"),
            (Side::Claimable, _) => self.claimable_table.view(ui, list, &claimable_rows(&self.claimable)),
        }
    }
}

fn claimable_rows(claimable: &[ClaimableRow]) -> impl Rows<Key = EntryNumber> {
    table::rows(
        claimable,
        |row| row.payment,
        |row| {
            vec![
                row.payment.to_string().into(),
                row.delivered.text.as_str().into(),
                row.total.text.as_str().into(),
            ]
        },
    )
}

fn payout_rows(payouts: &[PayoutRow]) -> impl Rows<Key = EntryNumber> {
    table::rows(
        payouts,
        |row| row.claim,
        |row| {
            let at = row.at.as_ref().map(|at| format!(", {}", at.text)).unwrap_or_default();
            vec![
                row.claim.to_string().into(),
                row.claimed.text.as_str().into(),
                row.payments.to_string().into(),
                row.total.text.as_str().into(),
                Cell::toned(words::payout_tone(row.state), format!("{}{at}", row.words)),
            ]
        },
    )
}
