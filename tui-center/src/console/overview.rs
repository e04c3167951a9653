//! The first screen: how the center stands, and its newest entries as they come.

use std::sync::Arc;

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};
use tui_kit::{
    KeyCode, Tone, Ui,
    table::{self, Cell, Table},
    text::{self, Align},
};
use wire::id::EntryNumber;

use super::{
    about::About,
    rows::{Row as _, Times},
    screens::Screen,
};
use crate::backup::schedule::BackupView;
use crate::inquiry::{
    detail::Subject,
    verify::Verifying,
    view::{Overview, TransactionRow},
};

/// Columns that a label takes.
const LABEL: usize = 15;

/// Lines that the newest entries keep where there is little room: that they move says that the center lives.
const ENTRIES: u16 = 4;

/// The overview on the screen.
#[derive(Debug)]
pub(super) struct Glance {
    overview: Option<Arc<Overview>>,
    table: Table<EntryNumber>,
}

struct Newest<'a>(&'a [TransactionRow], &'a Times);

impl table::Rows for Newest<'_> {
    type Key = EntryNumber;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn key(&self, index: usize) -> EntryNumber {
        self.0[index].number
    }

    fn cells(&self, index: usize) -> Vec<Cell> {
        self.0[index].cells(self.1)
    }
}

impl Glance {
    /// Before the first overview has come.
    pub(super) fn new() -> Self {
        Self {
            overview: None,
            table: Table::new(TransactionRow::columns(), TransactionRow::EMPTY).following(),
        }
    }

    /// The newest overview.
    pub(super) fn overview(&self) -> Option<&Overview> {
        self.overview.as_deref()
    }

    /// Takes a newer overview.
    pub(super) fn take(&mut self, overview: Arc<Overview>, times: &Times) {
        self.table.refresh(&Newest(&overview.newest, times));
        self.overview = Some(overview);
    }
}

impl Screen for Glance {
    fn press(&mut self, key: KeyEvent, times: &Times) -> bool {
        let Some(overview) = self.overview.as_deref().filter(|_| key.code != KeyCode::Char('/')) else {
            return false;
        };
        self.table.press(key, &Newest(&overview.newest, times)) == table::Pressed::Taken
    }

    fn view(&self, times: &Times, ui: &mut Ui<'_, '_>, area: Rect) {
        let theme = ui.theme();
        let Some(overview) = self.overview() else {
            ui.styled(area, "The center's figures are on their way.", theme.dim);
            return;
        };
        let figures = figures(overview, ui, usize::from(area.width), area.width >= 70);
        let tall = u16::try_from(figures.len()).unwrap_or(u16::MAX);
        let tall = tall.min(area.height.saturating_sub(ENTRIES)).max(area.height.min(2));
        let [top, rule, entries] =
            Layout::vertical([Constraint::Length(tall), Constraint::Length(1), Constraint::Min(0)])
                .areas(area);
        ui.lines(top, figures);
        let columns = usize::from(rule.width);
        let words = format!("Newest entries {}", theme.marks.rule.repeat(columns));
        ui.styled(rule, text::head(&words, columns), theme.border);
        self.table.view(ui, entries, &Newest(&overview.newest, times));
    }

    fn opens(&self) -> Option<About> {
        self.table.selected().map(|entry| About::Subject(Subject::Entry(*entry)))
    }

    fn text(&self) -> Option<String> {
        self.table.selected().map(EntryNumber::to_string)
    }

    fn json(&self) -> Option<String> {
        serde_json::to_string_pretty(self.overview()?).ok()
    }
}

/// The figures, the most important first: what does not fit is left out from the end.
fn figures(overview: &Overview, ui: &Ui<'_, '_>, columns: usize, wide: bool) -> Vec<Line<'static>> {
    let theme = ui.theme();
    let light = match overview.light.balanced {
        true => ui.toned(Tone::Good, "balanced"),
        false => ui.toned(Tone::Bad, "NOT balanced"),
    };
    let open = match overview.open {
        true if overview.standing.is_empty() => ui.toned(Tone::Good, "open"),
        true => ui.toned(Tone::Warn, "open"),
        false => ui.toned(Tone::Bad, "STOPPED"),
    };
    let rate = format!("{:.1}", overview.payments_per_second);
    let rate = text::fit(&rate, 8, Align::Right);
    let room = columns.saturating_sub(LABEL + 2 + text::width(&rate)).min(60);
    let history = spark(&overview.payments_recent, room, ui.abilities().unicode);
    let label = |words: &str| Span::styled(text::fit(words, LABEL, Align::Left), theme.dim);
    let number = |value: u64| text::fit(&text::thousands(value), 8, Align::Right);
    let words = |words: &str| Span::styled(format!("  {}", text::clean(words)), theme.dim);
    let guard = &overview.guard;
    let turned_away = guard.refused_connections + guard.refused_requests;
    let mut lines = vec![
        Line::from(vec![label("books balance"), light, words(&overview.light.words)]),
        Line::from(vec![label("payments"), open, words(&overview.standing)]),
        Line::from(vec![
            label("payments/s"),
            Span::raw(rate),
            Span::raw("  "),
            Span::styled(history, theme.good),
        ]),
        Line::from(vec![
            label("connections"),
            Span::raw(number(overview.connections)),
            words(&format!("{} logged in, {} stores listening", overview.logged_in, overview.stores_here)),
        ]),
        Line::from(vec![
            label("desk queue"),
            Span::raw(number(overview.queue)),
            words(&match overview.desk {
                0 => "nothing waits on the bank desk".to_owned(),
                1 => "1 item waits on the bank desk".to_owned(),
                some => format!("{some} items wait on the bank desk"),
            }),
        ]),
        Line::from(vec![
            label("journal"),
            Span::raw(number(overview.entries)),
            words(&format!("entries, root {}", overview.root.get(..16).unwrap_or(&overview.root))),
        ]),
        Line::from(vec![label("verified"), verified(&overview.verifying, ui)]),
        Line::from(vec![label("backup"), backup(&overview.backup, ui)]),
        Line::from(vec![
            label("registers"),
            Span::raw(number(overview.members)),
            words(&format!("members, {} stores, {} cards", overview.stores, overview.cards)),
        ]),
    ];
    let sums = [
        ("on cards", &overview.on_cards),
        ("owed to stores", &overview.owed_to_stores),
        ("at the bank", &overview.at_bank),
    ];
    let widest = sums.iter().map(|(_, sum)| text::width(&sum.text)).max().unwrap_or(0).max(8);
    lines.extend(sums.iter().map(|(what, sum)| {
        Line::from(vec![label(what), Span::raw(text::fit(&sum.text, widest, Align::Right))])
    }));
    lines.push(Line::from(vec![
        label("guard"),
        Span::raw(number(turned_away)),
        words(&format!("turned away, {} wrong logins, {} locked out", guard.wrong_logins, guard.locked)),
    ]));
    if wide {
        let listening = overview.listening.join(", ");
        let since = format!("listening on {listening}, pid {}, since {}", overview.pid, overview.since.text);
        lines.push(Line::from(vec![label("center"), Span::raw(text::clean(&since).into_owned())]));
    }
    lines
}

/// How old the last proved backup is.
fn backup(backup: &BackupView, ui: &Ui<'_, '_>) -> Span<'static> {
    if let Some(running) = &backup.running {
        return ui.toned(Tone::Warn, &format!("{} %, {}", running.percent, running.doing));
    }
    let words = text::clean(&backup.words);
    match (backup.alarm, &backup.proved) {
        (true, _) => ui.toned(Tone::Bad, &words),
        (false, Some(_)) => ui.toned(Tone::Good, &words),
        (false, None) => ui.toned(Tone::Warn, &words),
    }
}

/// How verifying the books stands.
fn verified(verifying: &Verifying, ui: &Ui<'_, '_>) -> Span<'static> {
    if let Some(running) = &verifying.running {
        let words = format!("{} %, {} entries so far", running.percent, text::thousands(running.entries));
        return ui.toned(Tone::Warn, &words);
    }
    let at = verifying.at.as_ref().map(|at| format!("{}: ", at.text)).unwrap_or_default();
    let words = format!("{at}{}", text::clean(&verifying.words));
    match verifying.holds {
        Some(true) => ui.toned(Tone::Good, &words),
        Some(false) => ui.toned(Tone::Bad, &words),
        None => Span::styled(format!("{words}; v begins it"), ui.theme().dim),
    }
}

/// One sign per value, the newest at the right, the largest as tall as a line.
fn spark(values: &[u32], columns: usize, unicode: bool) -> String {
    let signs: &[char] = if unicode {
        &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
    } else {
        &['_', '.', '-', '=', '#']
    };
    let shown = &values[values.len().saturating_sub(columns)..];
    let most = shown.iter().copied().max().unwrap_or(0);
    let sign = |value: &u32| match (*value, most) {
        (0, _) | (_, 0) => ' ',
        (value, most) => {
            let steps = u64::try_from(signs.len()).unwrap_or(1);
            let step = (u64::from(value) * steps).div_ceil(u64::from(most)).clamp(1, steps);
            signs[usize::try_from(step - 1).unwrap_or(0)]
        }
    };
    shown.iter().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spark_shows_the_newest_and_scales_to_the_largest() {
        assert_eq!(spark(&[9, 0, 1, 4, 8], 4, true), " ▁▄█");
        assert_eq!(spark(&[0, 5], 10, false), " #");
        assert_eq!(spark(&[], 10, true), "");
        assert_eq!(spark(&[1, 2], 0, true), "");
        assert_eq!(spark(&[u32::MAX, 1], 2, true), "█▁");
    }
}
