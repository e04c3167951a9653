//! Words of a phrase typed back: some of them after it was shown, or all of them on a new machine.

use std::cell::Cell;
use std::fmt;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::{GAP, Grid, NUMBER_COLUMNS};
use crate::edit::Editor;
use crate::keys::OwnKeys;
use crate::text::{self, Align};
use crate::theme::Tone;
use crate::ui::Ui;

/// The most characters of a word: more than any list has, so that a slip is seen.
const WORD_CHARS_MAX: usize = 24;

/// The narrowest and the widest field of a word.
const WORD_COLUMNS: std::ops::RangeInclusive<usize> = 8..=16;

/// The most completions that are shown.
const COMPLETIONS_MAX: usize = 8;

/// What a key has done.
pub enum Pressed {
    /// Used up.
    Taken,
    /// Not for the words.
    Free,
    /// Esc: one step back.
    Back,
    /// All that were asked for, in their order, as the list writes them. Whether they are right, the program says, with
    /// [`Asking::refuse`] if not.
    Given(Zeroizing<Vec<String>>),
}

/// Words that are asked for.
pub struct Asking {
    list: &'static [&'static str],
    slots: Vec<Slot>,
    /// A slot's place.
    focus: usize,
    /// An error that belongs to no single word.
    error: Option<String>,
    top: Cell<usize>,
}

/// One word that is asked for.
struct Slot {
    /// Its place in the phrase, from 1.
    number: usize,
    editor: Editor,
    error: Option<String>,
}

impl Asking {
    /// The keys that it takes by itself.
    pub const KEYS: &'static [OwnKeys] = &[
        OwnKeys { keys: "Tab Space", label: "Complete", help: "Completes the word and goes on to the next." },
        OwnKeys {
            keys: "Enter",
            label: "Next word",
            help: "Goes on to the next word; on the last one, that is all.",
        },
        OwnKeys { keys: "Up Down", label: "Move", help: "The word before or the next." },
        OwnKeys { keys: "Ctrl-S", label: "That is all", help: "Hands in the words." },
    ];

    /// Asks for the words with these numbers, counted from 1, out of a phrase whose words come from `list`.
    pub fn some(numbers: impl IntoIterator<Item = usize>, list: &'static [&'static str]) -> Self {
        let slot = |number| Slot { number, editor: Editor::new(WORD_CHARS_MAX), error: None };
        Self {
            list,
            slots: numbers.into_iter().map(slot).collect(),
            focus: 0,
            error: None,
            top: Cell::new(0),
        }
    }

    /// Asks for a whole phrase of so many words.
    pub fn all(count: usize, list: &'static [&'static str]) -> Self {
        Self::some(1..=count, list)
    }

    /// The numbers of the words that are asked for, in order.
    pub fn numbers(&self) -> impl Iterator<Item = usize> {
        self.slots.iter().map(|slot| slot.number)
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Pressed {
        let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        match key.code {
            KeyCode::Esc => return Pressed::Back,
            KeyCode::Char('s') if key.modifiers == KeyModifiers::CONTROL => return self.submit(),
            KeyCode::Enter if self.focus + 1 >= self.slots.len() => return self.submit(),
            KeyCode::Enter | KeyCode::Down if plain => self.move_to(self.focus + 1),
            KeyCode::Tab | KeyCode::Char(' ' | '\u{3000}') if plain => {
                self.complete();
                self.move_to(self.focus + 1);
            }
            KeyCode::BackTab | KeyCode::Up if plain => self.move_to(self.focus.saturating_sub(1)),
            _ => {
                let Some(slot) = self.slots.get_mut(self.focus) else { return Pressed::Free };
                if !slot.editor.press(key) {
                    return Pressed::Free;
                }
                slot.error = None;
                self.error = None;
            }
        }
        Pressed::Taken
    }

    /// Pastes: several words go into the words that are asked for, from the one that is being typed on.
    pub fn paste(&mut self, pasted: &str) {
        self.error = None;
        let cleaned = Zeroizing::new(text::clean_lines(pasted));
        // Numbers in front of the words are those that this program shows.
        let numbered = |word: &&str| !word.trim_end_matches('.').bytes().all(|b| b.is_ascii_digit());
        let words: Vec<&str> = cleaned.split_whitespace().filter(numbered).collect();
        for (at, word) in words.iter().enumerate() {
            let Some(slot) = self.slots.get_mut(self.focus) else { return };
            if at == 0 {
                slot.editor.paste(word)
            } else {
                slot.editor.set(word)
            }
            slot.error = None;
            if at + 1 < words.len() {
                if self.focus + 1 == self.slots.len() {
                    self.error = Some(format!("{} words were pasted, more than are asked for", words.len()));
                    return;
                }
                self.move_to(self.focus + 1);
            }
        }
    }

    /// The words were refused; with a number, that word is marked and gone to.
    pub fn refuse(&mut self, number: Option<usize>, why: impl Into<String>) {
        match self.slots.iter().position(|slot| Some(slot.number) == number) {
            Some(at) => {
                self.slots[at].error = Some(why.into());
                self.focus = at;
            }
            None => self.error = Some(why.into()),
        }
    }

    /// Draws the words in numbered columns, the completions of the one that is typed, and what is wrong with it.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        ui.takes(Self::KEYS);
        let theme = ui.theme();
        let widest = self.slots.iter().map(|slot| text::width(slot.editor.text()) + 1).max().unwrap_or(0);
        // One column for the mark of a wrong word.
        let widest = widest.clamp(*WORD_COLUMNS.start(), *WORD_COLUMNS.end()) + 1;
        let foot_rows = 2.min(area.height / 3);
        let [body, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(foot_rows)]).areas(area);
        let grid = Grid::new(self.slots.len(), widest, body);
        let page = usize::from(body.height).max(1);
        let row_of_focus = self.focus % grid.rows.max(1);
        let top = self.top.get().clamp((row_of_focus + 1).saturating_sub(page), row_of_focus);
        self.top.set(top);
        for (area, row) in body.rows().zip(top..grid.rows) {
            let mut spans = Vec::new();
            for (at, column) in grid.across(row).zip(0..) {
                let slot = &self.slots[at];
                let focused = at == self.focus;
                let room = widest - 1;
                let window = slot.editor.window(room, theme.marks.mask);
                let mark = if slot.error.is_some() { theme.mark(Tone::Bad) } else { " " };
                let style = match (&slot.error, focused) {
                    (Some(_), _) => theme.bad,
                    (None, true) => theme.field_focused,
                    (None, false) => theme.field,
                };
                let rest = room.saturating_sub(text::width(&window.text));
                let number_style = if focused { theme.strong } else { theme.dim };
                spans.push(Span::styled(format!("{:>2}. ", slot.number), number_style));
                spans.push(Span::styled(window.text, style));
                spans.push(Span::styled("_".repeat(rest), theme.dim));
                spans.push(Span::styled(text::fit(mark, 1 + GAP, Align::Left), theme.bad));
                if focused {
                    let left = column * (NUMBER_COLUMNS + widest + GAP) + NUMBER_COLUMNS;
                    let x = area.x.saturating_add(u16::try_from(left).unwrap_or(u16::MAX));
                    ui.cursor(x.saturating_add(window.cursor).min(area.right().saturating_sub(1)), area.y);
                }
            }
            ui.line(area, Line::from(spans));
        }
        self.view_foot(ui, foot);
    }

    fn view_foot(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let theme = ui.theme();
        let slot = self.slots.get(self.focus);
        if let Some(error) = self.error.as_ref().or(slot.and_then(|slot| slot.error.as_ref())) {
            let words = format!("{} {error}", theme.mark(Tone::Bad));
            ui.paragraph(area, &words, theme.bad);
            return;
        }
        let typed = slot.map_or("", |slot| slot.editor.text());
        if typed.is_empty() {
            let words = "Type the first letters of the word; Tab or Space completes it.";
            ui.paragraph(area, words, theme.dim);
            return;
        }
        let (fits, more) = self.completions(typed);
        let words = match (fits.is_empty(), more) {
            (true, _) => "no word of the list begins like this".to_owned(),
            (false, true) => format!("{} …", fits.join("  ")),
            (false, false) => fits.join("  "),
        };
        ui.paragraph(area, &words, if fits.is_empty() { theme.warn } else { theme.key });
    }

    /// The first words of the list that begin as typed, and whether there are more.
    fn completions(&self, typed: &str) -> (Vec<&'static str>, bool) {
        let typed = plain(typed);
        let mut fits = self.list.iter().filter(|word| plain(word).starts_with(typed.as_str()));
        let first = fits.by_ref().take(COMPLETIONS_MAX).copied().collect();
        (first, fits.next().is_some())
    }

    /// Completes the word where the list leaves no doubt.
    fn complete(&mut self) {
        let Some(slot) = self.slots.get(self.focus) else { return };
        if slot.editor.is_empty() || self.known(slot.editor.text()).is_some() {
            return;
        }
        let (fits, _) = self.completions(slot.editor.text());
        if let [only] = fits[..] {
            self.slots[self.focus].editor.set(only);
        }
    }

    /// The word of the list that was typed.
    fn known(&self, typed: &str) -> Option<&'static str> {
        let typed = plain(typed);
        self.list.iter().find(|word| *plain(word) == *typed).copied()
    }

    fn move_to(&mut self, target: usize) {
        self.check(self.focus);
        self.focus = target.min(self.slots.len().saturating_sub(1));
    }

    /// An empty word is no error before the words are handed in.
    fn check(&mut self, at: usize) {
        let Some(slot) = self.slots.get(at) else { return };
        if slot.editor.is_empty() {
            return;
        }
        let known = self.known(slot.editor.text());
        let slot = &mut self.slots[at];
        slot.error = match known {
            Some(_) => None,
            None => Some(format!("word {} is not in the list; look at it letter by letter", slot.number)),
        };
    }

    fn submit(&mut self) -> Pressed {
        let mut given = Zeroizing::new(Vec::with_capacity(self.slots.len()));
        for at in 0..self.slots.len() {
            self.check(at);
            let slot = &mut self.slots[at];
            if slot.editor.is_empty() {
                slot.error = Some(format!("word {} is needed", slot.number));
            }
            given.extend(self.known(self.slots[at].editor.text()).map(str::to_owned));
        }
        match self.slots.iter().position(|slot| slot.error.is_some()) {
            Some(wrong) => {
                self.focus = wrong;
                Pressed::Taken
            }
            None => Pressed::Given(given),
        }
    }
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asking({} words)", self.slots.len())
    }
}

impl fmt::Debug for Pressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Taken => "Taken",
            Self::Free => "Free",
            Self::Back => "Back",
            Self::Given(_) => "Given",
        })
    }
}

/// A word as lists compare it (BIP-39: NFKD), whatever its case.
fn plain(word: &str) -> Zeroizing<String> {
    Zeroizing::new(word.trim().nfkd().flat_map(char::to_lowercase).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const ENGLISH: &[&str] =
        &["abandon", "ability", "able", "about", "above", "absent", "absorb", "abstract", "absurd", "zoo"];
    /// As the list of BIP-39 writes it: decomposed.
    const JAPANESE: &[&str] = &["あいこくしん", "か\u{3099}いけん", "わらう"];

    fn type_into(asking: &mut Asking, script: &str) -> Pressed {
        let mut last = Pressed::Free;
        for key in testing::keys(script) {
            last = asking.press(key);
        }
        last
    }

    fn given(pressed: Pressed) -> Vec<String> {
        match pressed {
            Pressed::Given(words) => words.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_are_completed_and_handed_in() {
        let mut asking = Asking::some([3, 17, 20], ENGLISH);
        let last = type_into(&mut asking, "aban ZO<tab>able<enter>");
        assert_eq!(given(last), ["abandon", "zoo", "able"]);
        assert_eq!(asking.numbers().collect::<Vec<_>>(), [3, 17, 20]);
        assert!(matches!(type_into(&mut asking, "<esc>"), Pressed::Back));
        assert_eq!(format!("{asking:?}"), "Asking(3 words)");
    }

    #[test]
    fn kana_are_the_same_composed_or_not() {
        let mut asking = Asking::some([1, 2], JAPANESE);
        assert_eq!(given(type_into(&mut asking, "が\u{3000}わらう<enter>")), ["か\u{3099}いけん", "わらう"]);
    }

    #[test]
    fn each_wrong_word_says_so_by_itself() {
        let mut asking = Asking::some([3, 17, 20], ENGLISH);
        assert!(matches!(type_into(&mut asking, "abl<enter>zoo<enter><enter>"), Pressed::Taken));
        let shown = testing::draw(80, 24, |ui| asking.view(ui, ui.area()));
        assert!(shown.contains("word 3 is not in the list"), "the first wrong one has the focus:\n{shown}");
        assert_eq!(shown.matches('✗').count(), 3, "two words are marked, one error is told:\n{shown}");
        type_into(&mut asking, "e<enter><enter>");
        assert_eq!(given(type_into(&mut asking, "about<enter>")), ["able", "zoo", "about"]);
        asking.refuse(Some(17), "word 17 is another");
        assert!(testing::draw(80, 24, |ui| asking.view(ui, ui.area())).contains("word 17 is another"));
        asking.refuse(None, "these words are no phrase");
        assert!(testing::draw(80, 24, |ui| asking.view(ui, ui.area())).contains("no phrase"));
    }

    #[test]
    fn a_whole_phrase_can_be_pasted() {
        let mut asking = Asking::all(12, ENGLISH);
        asking.paste(
            " 1. abandon 2. zoo\nable\u{3000}above absent absorb abstract absurd about zoo able\tzoo\n",
        );
        let words = given(type_into(&mut asking, "<ctrl-s>"));
        assert_eq!((words.len(), words[1].as_str(), words[11].as_str()), (12, "zoo", "zoo"));
        asking.paste("zoo zoo");
        assert!(testing::draw(80, 24, |ui| asking.view(ui, ui.area())).contains("more than are asked for"));
    }

    #[test]
    fn twenty_four_words_are_typed_on_every_screen() {
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            let mut asking = Asking::all(24, ENGLISH);
            type_into(&mut asking, "abandon zoo abz able<enter>ab");
            let shown = testing::draw(width, height, |ui| asking.view(ui, ui.area()));
            insta::assert_snapshot!(format!("asking-{width}x{height}"), shown);
            for number in 5..=24 {
                let shown = testing::draw(width, height, |ui| asking.view(ui, ui.area()));
                assert!(shown.contains(&format!("{number:>2}. ")), "{number} at {width}x{height}:\n{shown}");
                type_into(&mut asking, "<down>");
            }
        }
        for (width, height) in testing::SIZES {
            testing::draw(width, height, |ui| Asking::all(24, ENGLISH).view(ui, ui.area()));
            testing::draw(width, height, |ui| Asking::all(0, ENGLISH).view(ui, ui.area()));
        }
    }
}
