//! The report of a business day: counts and sums per kind and per store.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Constraint, Layout, Rect},
};
use tui_kit::{
    Now, Tone, Ui,
    detail::{Detail as View, Row},
    progress::Waiting,
    text::{self, Align},
    time::Date,
};

use super::{
    rows::Times,
    screens::{Answer, Screen},
};
use crate::{
    acts::{Act, Outcome},
    inquiry::view::Report,
};

/// The report on the screen.
#[derive(Debug, Default)]
pub(super) struct Day {
    /// The day that is wanted; today's when none.
    wanted: Option<Date>,
    report: Option<Report>,
    view: View,
    pending: Option<(u64, Waiting)>,
    read: bool,
    failed: Option<String>,
}

impl Day {
    /// Another day, so many days from the one that is shown.
    pub(super) fn turn(&mut self, days: i64) {
        let shown = self.report.as_ref().and_then(|report| report.day.parse::<Date>().ok());
        let turned = shown.and_then(|day| day.checked_add(jiff::Span::new().try_days(days).ok()?).ok());
        if let Some(turned) = turned {
            self.wanted = Some(turned);
            self.read = false;
        }
    }

    /// Today again.
    pub(super) fn today(&mut self) {
        self.wanted = None;
        self.read = false;
    }
}

impl Screen for Day {
    fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    fn outdate(&mut self) {
        self.read = false;
    }

    fn ask(&mut self, ticket: u64, now: Now, _times: &Times) -> Option<Act> {
        if self.read || self.pending.is_some() {
            return None;
        }
        self.read = true;
        self.pending = Some((ticket, Waiting::new(now, "the day's report", "")));
        Some(Act::Report { day: self.wanted.map(|day| day.to_string()) })
    }

    fn take(&mut self, ticket: u64, answer: &mut Answer, _times: &Times) {
        if self.pending.take_if(|(asked, _)| *asked == ticket).is_none() {
            return;
        }
        match answer.take() {
            Some(Ok(Outcome::Report(report))) => {
                self.failed = None;
                self.view.set(rows(&report));
                self.report = Some(report);
            }
            Some(Ok(_)) => self.failed = Some("the answer is to something else".to_owned()),
            Some(Err(error)) => self.failed = Some(error.to_string()),
            None => {}
        }
    }

    fn press(&mut self, key: KeyEvent, _times: &Times) -> bool {
        self.view.press(key)
    }

    fn view(&self, _times: &Times, ui: &mut Ui<'_, '_>, area: Rect) {
        let noticed = self.failed.is_some() || self.pending.is_some();
        let [body, notice] =
            Layout::vertical([Constraint::Min(0), Constraint::Length(u16::from(noticed))]).areas(area);
        self.view.view(ui, body);
        if let Some(failed) = &self.failed {
            let words = ui.toned(Tone::Bad, &format!("{failed} (r reads it again)"));
            ui.line(notice, words);
        } else if let Some((_, waiting)) = &self.pending {
            waiting.view(ui, notice);
        }
    }

    fn text(&self) -> Option<String> {
        self.report.as_ref().map(|_| self.view.text())
    }

    fn json(&self) -> Option<String> {
        serde_json::to_string_pretty(self.report.as_ref()?).ok()
    }
}

fn rows(report: &Report) -> Vec<Row> {
    let mut rows = vec![
        Row::Heading(format!("Business day {}", report.day)),
        Row::pair("from", report.from.text.clone()),
        Row::pair("until", report.until.text.clone()),
    ];
    if !report.complete {
        rows.push(Row::toned(
            "counted",
            Tone::Warn,
            "not every entry: the day has more than one report counts",
        ));
    }
    let off = |acts: &String| Row::toned("four eyes", Tone::Warn, format!("OFF for {acts}"));
    rows.extend(report.four_eyes_off.iter().map(off));
    rows.push(Row::Gap);
    rows.push(Row::Heading("What was entered".to_owned()));
    if report.kinds.is_empty() {
        rows.push(Row::Words("Nothing yet on this day.".to_owned()));
    }
    let sums = || report.kinds.iter().map(|line| line.sum.text.as_str());
    let widest = sums().map(text::width).max().unwrap_or(0);
    rows.extend(report.kinds.iter().map(|line| {
        let sum = if line.sum.minor == 0 { "" } else { line.sum.text.as_str() };
        Row::pair(line.kind.noun(), figures(line.count, sum, widest))
    }));
    if report.refused > 0 {
        rows.push(Row::toned("refused", Tone::Warn, text::thousands(report.refused)));
    }
    if !report.stores.is_empty() {
        rows.push(Row::Gap);
        rows.push(Row::Heading("Payments by store".to_owned()));
    }
    let widest = report.stores.iter().map(|store| text::width(&store.paid.text)).max().unwrap_or(0);
    rows.extend(report.stores.iter().map(|store| {
        let mut words = figures(store.payments, &store.paid.text, widest);
        if store.refunds > 0 {
            words.push_str(&format!(
                ", {} refunded: {}",
                text::thousands(store.refunds),
                store.refunded.text
            ));
        }
        Row::pair(format!("{} {}", store.store, store.name), words)
    }));
    rows
}

fn figures(count: u64, sum: &str, widest: usize) -> String {
    format!(
        "{}  {}",
        text::fit(&text::thousands(count), 9, Align::Right),
        text::fit(sum, widest, Align::Right)
    )
}
