//! Review, then commit: what an act will do, in rows, and one deliberate step to do it.
//!
//! Acts that move money or can't be undone end here. The step is a key, the amount or number typed again, or a
//! password. What is entered leaves only through [`Pressed::Commit`]; the act itself is the app's.

use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use secrecy::SecretString;
use unicode_normalization::UnicodeNormalization;

use crate::app::Now;
use crate::detail::{Detail, Row};
use crate::edit::Editor;
use crate::pad::Drawing;
use crate::progress::Waiting;
use crate::text::{self, Align};
use crate::theme::Tone;
use crate::ui::Ui;

/// The most characters of a password or a typed confirmation.
const ENTRY_CHARS_MAX: usize = 256;

/// The cells of the drawn seal, and of it with its caption below.
const SEAL: (u16, u16) = (16, 6);
const SEAL_ROWS: u16 = SEAL.1 + 1;

/// What stands below the drawn seal.
const SEAL_CAPTION: &str = "your drawn seal";

/// Columns and lines of rows beside or above which the seal has a place.
const ROWS_COLUMNS_MIN: u16 = 36;
const ROWS_LINES_MIN: u16 = 6;

/// The deliberate step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// Enter does it: for what can be undone by the opposite act.
    Key,
    /// Something shown above is typed again: for what can't be undone.
    Typed {
        /// What is to be typed: `the amount`.
        what: String,
        /// What it has to be. Separators, currency signs and case don't count.
        expected: String,
    },
    /// A password is entered: `Password B`.
    Password {
        /// What it is called.
        label: String,
    },
}

/// What the person gave.
#[derive(Debug)]
pub enum Consent {
    /// The key, or the right words.
    Given,
    /// A password, to be tried.
    Password(SecretString),
}

/// What a key has done to a review.
#[derive(Debug)]
pub enum Pressed {
    /// Used up.
    Taken,
    /// Not for the review.
    Free,
    /// Back, without doing it.
    Back,
    /// Do it.
    Commit(Consent),
}

/// A review.
#[derive(Debug, Clone)]
pub struct Review {
    title: String,
    detail: Detail,
    warnings: Vec<String>,
    seal: Option<Drawing>,
    act: String,
    commit: Commit,
    entry: Editor,
    error: Option<String>,
    waiting: Option<Waiting>,
}

impl Review {
    /// A review of rows. `act` is the verb on the button: `Pay`.
    pub fn new(
        title: impl Into<String>,
        act: impl Into<String>,
        rows: impl IntoIterator<Item = Row>,
    ) -> Self {
        Self {
            title: title.into(),
            detail: Detail::new(rows),
            warnings: Vec::new(),
            seal: None,
            act: act.into(),
            commit: Commit::Key,
            entry: Editor::new(ENTRY_CHARS_MAX),
            error: None,
            waiting: None,
        }
    }

    /// With a warning above the step.
    pub fn warn(mut self, words: impl Into<String>) -> Self {
        self.warnings.push(words.into());
        self
    }

    /// With the drawn seal of the person who signs: a prompt that doesn't show it is false.
    pub fn seal(self, drawing: Drawing) -> Self {
        Self { seal: Some(drawing), ..self }
    }

    /// Committed by typing something again, such as the amount.
    pub fn typed(self, what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { commit: Commit::Typed { what: what.into(), expected: expected.into() }, ..self }
    }

    /// Committed by a password.
    pub fn password(self, label: impl Into<String>) -> Self {
        let entry = Editor::secret(ENTRY_CHARS_MAX);
        Self { commit: Commit::Password { label: label.into() }, entry, ..self }
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The act was refused: the words stand beside the step, the entry is wiped, and another try is possible.
    pub fn refuse(&mut self, why: impl Into<String>) {
        self.entry.clear();
        self.waiting = None;
        self.error = Some(why.into());
    }

    /// The act is under way: nothing can be entered until it is refused or the review is left.
    pub fn wait(&mut self, now: Now, what: impl Into<String>) {
        self.wait_or(now, what, "");
    }

    /// The same, with how to stop waiting and what that means: `Esc leaves it to the outbox`. Leaving is the app's.
    pub fn wait_or(&mut self, now: Now, what: impl Into<String>, cancel: impl Into<String>) {
        self.entry.clear();
        self.error = None;
        self.waiting = Some(Waiting::new(now, what, cancel));
    }

    /// Whether the act is under way; the app then wants [`crate::progress::TICK`].
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Takes a key. While the act is under way only scrolling is possible: leaving it is the app's to decide.
    pub fn press(&mut self, key: KeyEvent) -> Pressed {
        if self.waiting.is_some() {
            return if self.detail.press(key) { Pressed::Taken } else { Pressed::Free };
        }
        match key.code {
            KeyCode::Esc => return Pressed::Back,
            KeyCode::Enter => return self.commit(),
            KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown => {
                self.detail.press(key);
                return Pressed::Taken;
            }
            _ => {}
        }
        if self.commit != Commit::Key && self.entry.press(key) {
            self.error = None;
            return Pressed::Taken;
        }
        if self.commit == Commit::Key && self.detail.press(key) { Pressed::Taken } else { Pressed::Free }
    }

    /// Pastes into the entry, if there is one.
    pub fn paste(&mut self, pasted: &str) {
        if self.commit != Commit::Key && self.waiting.is_none() {
            self.entry.paste(pasted);
        }
    }

    /// Draws the review: the rows, scrolled, and below them, always in sight, warnings and the step.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let inner = ui.panel(area, &self.title);
        let columns = usize::from(inner.width);
        let warnings: Vec<String> =
            self.warnings.iter().flat_map(|words| text::wrap(&format!("! {words}"), columns)).collect();
        // A reason that takes more than one line is read whole, as far as there is room for it.
        let error_rows = match &self.error {
            Some(error) => text::wrap(&format!("{} {error}", ui.theme().mark(Tone::Bad)), columns).len(),
            None => 1,
        };
        let error_rows = u16::try_from(error_rows).unwrap_or(u16::MAX).min((inner.height / 3).max(1));
        let step_rows = 1 + error_rows;
        let warning_rows = u16::try_from(warnings.len()).unwrap_or(u16::MAX).min(inner.height / 2);
        let [body, warned, step] = Layout::vertical([
            Constraint::Min(0),
            Constraint::Length(warning_rows),
            Constraint::Length(step_rows),
        ])
        .areas(inner);
        let rows = self.view_seal(ui, body);
        self.detail.view(ui, rows);
        let theme = ui.theme();
        ui.lines(
            warned,
            warnings.into_iter().map(|words| Line::styled(text::clean(&words).into_owned(), theme.warn)),
        );
        self.view_step(ui, step);
    }

    /// Draws the drawn seal beside the rows, else above them, and returns the room that is left; where it has none,
    /// words say that it is left out.
    fn view_seal(&self, ui: &mut Ui<'_, '_>, area: Rect) -> Rect {
        let Some(seal) = &self.seal else { return area };
        let theme = ui.theme();
        let beside = area.width >= SEAL.0 + 2 + ROWS_COLUMNS_MIN && area.height >= SEAL_ROWS;
        let above = area.height >= SEAL_ROWS + 1 + ROWS_LINES_MIN && area.width >= SEAL.0;
        let (spot, rest) = if beside {
            let [rest, spot] =
                Layout::horizontal([Constraint::Min(0), Constraint::Length(SEAL.0 + 2)]).areas(area);
            (Rect { x: spot.x + 2, width: SEAL.0, ..spot }, rest)
        } else if above {
            let [spot, rest] =
                Layout::vertical([Constraint::Length(SEAL_ROWS + 1), Constraint::Min(0)]).areas(area);
            (Rect { width: SEAL.0, ..spot }, rest)
        } else {
            let words = format!("({SEAL_CAPTION}: enlarge the window to see it)");
            let lines = text::wrap(&words, usize::from(area.width)).len();
            let lines = u16::try_from(lines).unwrap_or(u16::MAX).min(area.height / 2);
            let [spot, rest] = Layout::vertical([Constraint::Length(lines), Constraint::Min(0)]).areas(area);
            ui.paragraph(spot, &words, theme.dim);
            return rest;
        };
        seal.view(ui, Rect { height: SEAL.1, ..spot });
        let caption = Rect { y: spot.y + SEAL.1, height: 1, ..spot };
        ui.line(caption, Line::styled(SEAL_CAPTION, theme.dim));
        rest
    }

    fn commit(&mut self) -> Pressed {
        match &self.commit {
            Commit::Key => Pressed::Commit(Consent::Given),
            Commit::Typed { what, expected } => {
                if same(self.entry.text(), expected) {
                    return Pressed::Commit(Consent::Given);
                }
                self.error = Some(format!("this is not {what}; type {expected}"));
                Pressed::Taken
            }
            Commit::Password { .. } if self.entry.is_empty() => {
                self.error = Some("nothing was entered".to_owned());
                Pressed::Taken
            }
            Commit::Password { .. } => {
                let secret = self.entry.expose();
                self.entry.clear();
                Pressed::Commit(Consent::Password(secret))
            }
        }
    }

    fn view_step(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let theme = ui.theme();
        let [entry, notice] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
        if let Some(waiting) = &self.waiting {
            waiting.view(ui, entry);
            return;
        }
        match &self.commit {
            Commit::Key => {
                let button = Span::styled(format!("[ Enter: {} ]", text::clean(&self.act)), theme.selected);
                ui.line(entry, Line::from(vec![button, Span::styled("  Esc back", theme.dim)]));
            }
            Commit::Typed { what, expected } => {
                self.view_entry(ui, entry, &format!("Type {what} ({expected})"));
            }
            Commit::Password { label } => self.view_entry(ui, entry, label),
        }
        if let Some(error) = &self.error {
            let words = format!("{} {error}", theme.mark(Tone::Bad));
            ui.paragraph(notice, &words, theme.bad);
        } else if self.commit != Commit::Key {
            ui.line(notice, Line::styled(format!("Enter: {}   Esc back", text::clean(&self.act)), theme.dim));
        }
    }

    fn view_entry(&self, ui: &mut Ui<'_, '_>, area: Rect, label: &str) {
        let theme = ui.theme();
        let label = format!("{}: ", text::truncate(&text::clean(label), usize::from(area.width) / 2));
        let label_columns = u16::try_from(text::width(&label)).unwrap_or(u16::MAX);
        let room = area.width.saturating_sub(label_columns).min(40);
        let window = self.entry.window(usize::from(room), theme.marks.mask);
        let words = text::fit(&window.text, usize::from(room), Align::Left);
        ui.line(
            area,
            Line::from(vec![Span::styled(label, theme.strong), Span::styled(words, theme.field_focused)]),
        );
        if room > 0 {
            ui.cursor(area.x.saturating_add(label_columns).saturating_add(window.cursor), area.y);
        }
    }
}

/// Whether what was typed is what was asked for, whatever its separators, signs, width and case.
fn same(typed: &str, expected: &str) -> bool {
    let plain = |words: &str| {
        text::plain_number(words)
            .nfkc()
            .filter(|c| c.is_alphanumeric() || *c == '.')
            .collect::<String>()
            .to_lowercase()
    };
    let typed = plain(typed);
    !typed.is_empty() && typed == plain(expected)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::testing;

    fn review() -> Review {
        Review::new(
            "Pay Sato Books",
            "Pay",
            [
                Row::pair("Store", "Sato Books"),
                Row::pair("Total", "¥12,000"),
                Row::pair("Balance after", "¥3,000"),
            ],
        )
    }

    fn type_into(review: &mut Review, script: &str) -> Pressed {
        let mut last = Pressed::Free;
        for key in testing::keys(script) {
            last = review.press(key);
        }
        last
    }

    #[test]
    fn a_password_leaves_only_as_consent() {
        let mut review = review().password("Password B").warn("The offer ends in 2 minutes.");
        assert!(matches!(type_into(&mut review, "<enter>"), Pressed::Taken));
        assert!(matches!(type_into(&mut review, "q?:x"), Pressed::Taken));
        insta::assert_snapshot!(testing::draw(46, 9, |ui| review.view(ui, ui.area())), @r"
        ╭ Pay Sato Books ────────────────────────────╮
        │Store          Sato Books                   │
        │Total          ¥12,000                      │
        │Balance after  ¥3,000                       │
        │                                            │
        │! The offer ends in 2 minutes.              │
        │Password B: ••••                            │
        │Enter: Pay   Esc back                       │
        ╰────────────────────────────────────────────╯
        ");
        match type_into(&mut review, "<enter>") {
            Pressed::Commit(Consent::Password(secret)) => assert_eq!(secret.expose_secret(), "q?:x"),
            other => panic!("{other:?}"),
        }
        review.refuse("wrong password; the next try is possible in 2 s");
        let shown = testing::draw(60, 9, |ui| review.view(ui, ui.area()));
        assert!(shown.contains("✗ wrong password") && !shown.contains('•'), "{shown}");
    }

    #[test]
    fn the_drawn_seal_is_shown_at_every_signing() {
        let points =
            (0..40_u16).map(|i| crate::pad::Point { x: i * 1_600, y: i.abs_diff(20) * 3_000, ms: 0 });
        let stroke = crate::pad::Stroke { points: points.collect() };
        let drawing = Drawing::new(vec![stroke]).expect("few points");
        let review = review().password("Password B").seal(drawing).warn("The offer ends in 2 minutes.");
        for (width, height) in [(120, 40), (80, 24), (40, 24), (40, 12)] {
            let shown = testing::draw(width, height, |ui| review.view(ui, ui.area()));
            assert!(shown.contains("your drawn seal") && shown.contains("Balance after"), "{shown}");
            insta::assert_snapshot!(format!("seal-{width}x{height}"), shown);
        }
        for (width, height) in testing::SIZES {
            testing::draw(width, height, |ui| review.view(ui, ui.area()));
        }
    }

    #[test]
    fn typing_the_amount_commits_and_nothing_else_does() {
        let mut review = review().typed("the amount", "12,000");
        assert!(matches!(type_into(&mut review, "1200<enter>"), Pressed::Taken));
        assert!(testing::draw(60, 9, |ui| review.view(ui, ui.area())).contains("this is not the amount"));
        assert!(matches!(type_into(&mut review, "0<enter>"), Pressed::Commit(Consent::Given)));
        assert!(same("１２ ０００", "¥12,000") && !same("", "") && !same("120.00", "12,000"));
    }

    #[test]
    fn while_it_is_under_way_nothing_is_done_twice() {
        let mut review = review();
        assert!(matches!(type_into(&mut review, "<enter>"), Pressed::Commit(Consent::Given)));
        review.wait(Now::default(), "the center's answer");
        assert!(matches!(type_into(&mut review, "<enter>"), Pressed::Free));
        assert!(matches!(type_into(&mut review, "<esc>"), Pressed::Free));
        assert!(
            testing::draw(60, 9, |ui| review.view(ui, ui.area())).contains("waiting for the center's answer")
        );
        review.refuse("the card is empty");
        assert!(matches!(type_into(&mut review, "<esc>"), Pressed::Back));
    }

    #[test]
    fn reviews_survive_any_size() {
        for (width, height) in testing::SIZES {
            let mut review = review().typed("the amount", "12,000").warn("words");
            review.refuse("no");
            testing::draw(width, height, |ui| review.view(ui, ui.area()));
        }
    }
}
