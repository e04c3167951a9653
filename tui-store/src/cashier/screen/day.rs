//! The day's figures, and what each cashier did.

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::layout::Rect,
    stack::Screen,
    theme::Tone,
    ui::Ui,
};
use wire::till::Right;

use super::{News, Shared, Step, Steps, asked::Asked, copy_json};
use crate::cashier::{
    act::{Act, Outcome},
    view::DayView,
};

/// The day.
#[derive(Default)]
pub(super) struct Day {
    asked: Asked<Box<DayView>>,
    /// The newest answer; it stays in sight while the store is asked again.
    day: Option<Box<DayView>>,
    shown: Detail,
}

/// What can be done with the day.
#[derive(Debug, Clone)]
pub(super) enum Do {
    Again,
    CopyAll,
}

impl Day {
    fn ask(&mut self, shared: &mut Shared) -> Steps {
        vec![self.asked.ask(Act::Day, "the day's figures", shared)]
    }
}

impl Screen<Shared> for Day {
    type Do = Do;
    const NAME: &'static str = "day";

    fn title(&self, _shared: &Shared) -> String {
        "Day".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        vec![
            Action {
                enabled: shared.may(Right::SeeDay),
                ..Action::new(Do::Again, "again", "r", "Ask again", "Asks the store for the figures again.")
            },
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the figures as JSON.")
                .when(self.day.is_some(), "the figures are not here"),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match (todo, &self.day) {
            (Do::Again, _) => self.ask(shared),
            (Do::CopyAll, Some(day)) => vec![copy_json(day, "the day's figures")],
            (Do::CopyAll, None) => Steps::new(),
        }
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.shown.press(key).then(Steps::new)
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        // Who may not see it need not ask.
        if shared.may(Right::SeeDay).is_ok() { self.ask(shared) } else { Steps::new() }
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        let day = |outcome: &Outcome| match outcome {
            Outcome::Day(day) => Some(day.clone()),
            _ => None,
        };
        if !self.asked.told(news, shared, day) {
            return Steps::new();
        }
        match self.asked.take() {
            Some(Ok(day)) => {
                self.shown.set(rows(&day));
                self.day = Some(day);
                Steps::new()
            }
            Some(Err(failure)) => vec![Step::Say(Tone::Bad, failure.message)],
            None => Steps::new(),
        }
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match (&self.day, shared.may(Right::SeeDay)) {
            (Some(_), _) => self.shown.view(ui, area),
            (None, Err(why)) => {
                let style = ui.theme().text;
                ui.paragraph(area, &format!("The figures are not shown: {why}."), style);
            }
            (None, Ok(())) => self.asked.view(ui, area, "r asks again"),
        }
    }
}

fn rows(day: &DayView) -> Vec<Row> {
    let mut rows = vec![
        Row::pair("Day", day.day.as_str()),
        Row::pair("Orders taken", day.orders.to_string()),
        Row::pair("Paid", counted(day.paid, &day.paid_total.text)),
        Row::pair("Given back", counted(day.refunds, &day.refunded_total.text)),
    ];
    for share in &day.cashiers {
        rows.extend([Row::Gap, Row::Heading(share.name.to_string())]);
        rows.push(Row::pair("Key", share.fingerprint.as_str()));
        rows.push(Row::pair("Offers", share.offers.to_string()));
        rows.push(Row::pair("Put out again", share.delivered.to_string()));
        rows.push(Row::pair("Given back", counted(share.refunds, &share.refunded.text)));
    }
    rows
}

fn counted(count: u64, total: &str) -> String {
    let payments = if count == 1 { "payment" } else { "payments" };
    format!("{total} in {count} {payments}")
}
