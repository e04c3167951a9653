//! Several lines of text being edited: by grapheme, in NFC, wrapped between words, the real cursor where it is seen.
//!
//! General text-area crates edit by code point and paint a cursor of their own; names with combining marks and input
//! methods need better, so this stands beside [`crate::edit::Editor`] and has its keys.

mod rows;

pub use rows::AreaWindow;

use std::cell::Cell;
use std::fmt;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use zeroize::Zeroizing;

use self::rows::Span;
use crate::text;

/// How many steps can be undone.
const UNDO_MAX: usize = 100;

/// A text and where the cursor stood in it.
type Moment = (Zeroizing<String>, usize);

/// Several lines of text being edited.
#[derive(Clone)]
pub struct Area {
    text: Zeroizing<String>,
    /// A byte offset on a grapheme boundary.
    cursor: usize,
    /// The most characters (Unicode scalar values) that it takes, line feeds included.
    chars_max: usize,
    killed: Zeroizing<String>,
    undone: Vec<Moment>,
    done: Vec<Moment>,
    /// Whether the last key typed a character: a run of them is undone at once.
    typing: bool,
    /// The display column that Up and Down keep to.
    goal: Option<usize>,
    /// Columns and rows at the last drawing, and the first row in sight.
    columns: Cell<usize>,
    page: Cell<usize>,
    top: Cell<usize>,
}

impl Area {
    /// An empty text that takes so many characters.
    pub fn new(chars_max: usize) -> Self {
        Self {
            text: Zeroizing::new(String::new()),
            cursor: 0,
            chars_max,
            killed: Zeroizing::new(String::new()),
            undone: Vec::new(),
            done: Vec::new(),
            typing: false,
            goal: None,
            columns: Cell::new(80),
            page: Cell::new(1),
            top: Cell::new(0),
        }
    }

    /// A text to go on with, the cursor at its beginning.
    pub fn with_text(chars_max: usize, text: &str) -> Self {
        let mut area = Self::new(chars_max);
        area.set(text);
        area.cursor = 0;
        area
    }

    /// The text, with line feeds between its lines.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The characters in it.
    pub fn chars(&self) -> usize {
        self.text.chars().count()
    }

    /// How many characters it takes.
    pub fn chars_max(&self) -> usize {
        self.chars_max
    }

    /// Line and column of the cursor as people count them, from 1.
    pub fn place(&self) -> (usize, usize) {
        let line = self.text[..self.cursor].matches('\n').count() + 1;
        let column = self.text[self.line_start()..self.cursor].graphemes(true).count() + 1;
        (line, column)
    }

    /// Puts the cursor at the beginning of a line, counted from 1; the last if there are fewer.
    pub fn go_to_line(&mut self, line: usize) {
        let starts = std::iter::once(0).chain(self.text.match_indices('\n').map(|(at, _)| at + 1));
        self.cursor = starts.take(line.max(1)).last().unwrap_or(0);
        self.settle();
    }

    /// Replaces the text (cleaned, cut to the limit) and puts the cursor at its end; what was done before can't be
    /// undone.
    pub fn set(&mut self, text: &str) {
        self.text.clear();
        self.cursor = 0;
        self.insert(text);
        self.done.clear();
        self.undone.clear();
    }

    /// Inserts pasted text: cleaned, as much of it as there is room for.
    pub fn paste(&mut self, pasted: &str) {
        self.remember();
        self.typing = false;
        self.insert(pasted);
    }

    /// Takes a key if it edits or moves; Up on the first row and Down on the last are left alone, as are Tab, Esc,
    /// function keys and other Ctrl keys.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        let modifiers = key.modifiers.difference(KeyModifiers::SHIFT);
        let control = modifiers == KeyModifiers::CONTROL;
        let alt = modifiers == KeyModifiers::ALT;
        let plain = modifiers.is_empty();
        let vertical = matches!(key.code, KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown);
        match key.code {
            KeyCode::Char(c) if plain && !c.is_control() => {
                if !self.typing {
                    self.remember();
                }
                self.insert(c.encode_utf8(&mut [0; 4]));
                self.typing = true;
                return true;
            }
            KeyCode::Enter if plain => self.edit(|area| area.insert("\n")),
            KeyCode::Up if plain => return self.move_rows(-1),
            KeyCode::Down if plain => return self.move_rows(1),
            KeyCode::PageUp if plain => {
                self.move_rows(-self.page_rows());
            }
            KeyCode::PageDown if plain => {
                self.move_rows(self.page_rows());
            }
            KeyCode::Home if control => self.cursor = 0,
            KeyCode::End if control => self.cursor = self.text.len(),
            KeyCode::Home => self.cursor = self.line_start(),
            KeyCode::Char('a') if control => self.cursor = self.line_start(),
            KeyCode::End => self.cursor = self.line_end(),
            KeyCode::Char('e') if control => self.cursor = self.line_end(),
            KeyCode::Left if plain => self.cursor = self.before(),
            KeyCode::Char('b') if control => self.cursor = self.before(),
            KeyCode::Right if plain => self.cursor = self.behind(),
            KeyCode::Char('f') if control => self.cursor = self.behind(),
            KeyCode::Left | KeyCode::Char('b') if control || alt => self.cursor = self.word_before(),
            KeyCode::Right | KeyCode::Char('f') if control || alt => self.cursor = self.word_behind(),
            KeyCode::Backspace if plain => self.edit(|area| area.remove(area.before(), area.cursor, false)),
            KeyCode::Char('h') if control => self.edit(|area| area.remove(area.before(), area.cursor, false)),
            KeyCode::Delete => self.edit(|area| area.remove(area.cursor, area.behind(), false)),
            KeyCode::Char('d') if control => {
                self.edit(|area| area.remove(area.cursor, area.behind(), false));
            }
            KeyCode::Backspace if alt => self.edit(|area| area.remove(area.word_before(), area.cursor, true)),
            KeyCode::Char('w') if control => {
                self.edit(|area| area.remove(area.word_before(), area.cursor, true));
            }
            KeyCode::Char('d') if alt => {
                self.edit(|area| area.remove(area.cursor, area.word_behind(), true));
            }
            KeyCode::Char('u') if control => {
                self.edit(|area| area.remove(area.line_start(), area.cursor, true));
            }
            KeyCode::Char('k') if control => self.edit(|area| {
                // At the end of a line, its line feed.
                let end = area.line_end();
                let end = if end == area.cursor { area.behind() } else { end };
                area.remove(area.cursor, end, true);
            }),
            KeyCode::Char('y') if control => self.edit(|area| {
                let killed = area.killed.clone();
                area.insert(&killed);
            }),
            KeyCode::Char('u') if alt => self.step_back(),
            KeyCode::Char('r') if alt => self.step_on(),
            _ => return false,
        }
        self.typing = false;
        if !vertical {
            self.goal = None;
        }
        true
    }

    /// What is seen of it in so many columns and rows, scrolled so that the cursor is in sight.
    pub fn window(&self, columns: usize, rows: usize) -> AreaWindow {
        self.columns.set(columns.max(1));
        self.page.set(rows.max(1));
        let spans = rows::lay_out(&self.text, columns.max(1));
        let at = rows::row_of(&spans, self.cursor);
        let top = self.top.get().clamp((at + 1).saturating_sub(rows.max(1)), at);
        let top = top.min(spans.len().saturating_sub(rows.max(1)));
        self.top.set(top);
        let column = text::width(&self.text[spans[at].start..self.cursor]).min(columns.saturating_sub(1));
        AreaWindow::new(&self.text, &spans, top, rows, columns, (column, at - top))
    }

    fn page_rows(&self) -> isize {
        isize::try_from(self.page.get().saturating_sub(1).max(1)).unwrap_or(1)
    }

    /// Moves so many rows up or down, as far as there are any; false when there are none.
    fn move_rows(&mut self, by: isize) -> bool {
        let spans = rows::lay_out(&self.text, self.columns.get());
        let at = rows::row_of(&spans, self.cursor);
        let target = at.saturating_add_signed(by).min(spans.len() - 1);
        self.typing = false;
        if target == at {
            return false;
        }
        let goal = *self.goal.get_or_insert_with(|| text::width(&self.text[spans[at].start..self.cursor]));
        let Span { start, end, .. } = spans[target];
        self.cursor = start + text::head(&self.text[start..end], goal).len();
        // The place behind a wrapped row is drawn at the start of the next.
        if target + 1 < spans.len() && self.cursor == spans[target + 1].start && self.cursor > start {
            self.cursor = self.before();
        }
        true
    }

    fn edit(&mut self, change: impl FnOnce(&mut Self)) {
        self.remember();
        change(self);
    }

    fn remember(&mut self) {
        if self.done.len() == UNDO_MAX {
            self.done.remove(0);
        }
        self.done.push((self.text.clone(), self.cursor));
        self.undone.clear();
        self.goal = None;
    }

    fn step_back(&mut self) {
        if let Some((text, cursor)) = self.done.pop() {
            self.undone
                .push((std::mem::replace(&mut self.text, text), std::mem::replace(&mut self.cursor, cursor)));
        }
    }

    fn step_on(&mut self) {
        if let Some((text, cursor)) = self.undone.pop() {
            self.done
                .push((std::mem::replace(&mut self.text, text), std::mem::replace(&mut self.cursor, cursor)));
        }
    }

    fn insert(&mut self, words: &str) {
        let room = self.chars_max.saturating_sub(self.chars());
        let cleaned: String = text::clean_lines(words).chars().take(room).collect();
        self.text.insert_str(self.cursor, &cleaned);
        self.cursor += cleaned.len();
        self.goal = None;
        self.settle();
    }

    fn remove(&mut self, from: usize, to: usize, keep: bool) {
        if keep && from < to {
            self.killed = Zeroizing::new(self.text[from..to].to_owned());
        }
        self.text.drain(from..to);
        self.cursor = from;
        self.settle();
    }

    /// Brings the text into NFC and the cursor onto a grapheme boundary: a combining mark may have joined what stands
    /// before it.
    fn settle(&mut self) {
        if !unicode_normalization::is_nfc(&self.text) {
            let before: usize = self.text[..self.cursor].nfc().map(char::len_utf8).sum();
            let normal: String = self.text.nfc().collect();
            self.cursor = before.min(normal.len());
            self.text = Zeroizing::new(normal);
        }
        while !self.text.is_char_boundary(self.cursor) {
            self.cursor += 1;
        }
        let (start, end) = (self.line_start(), self.line_end());
        let line = &self.text[start..end];
        let stands = |at: usize| at == end || line.grapheme_indices(true).any(|(i, _)| start + i == at);
        if !stands(self.cursor) {
            self.cursor = self.behind();
        }
    }

    fn line_start(&self) -> usize {
        self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        self.text[self.cursor..].find('\n').map_or(self.text.len(), |at| self.cursor + at)
    }

    fn before(&self) -> usize {
        let start = self.line_start();
        if self.cursor == start {
            return start.saturating_sub(1);
        }
        let line = &self.text[start..self.line_end()];
        let places = line.grapheme_indices(true).map(|(at, _)| start + at);
        places.take_while(|at| *at < self.cursor).last().unwrap_or(start)
    }

    fn behind(&self) -> usize {
        let (start, end) = (self.line_start(), self.line_end());
        if self.cursor == end {
            return (end + 1).min(self.text.len());
        }
        let line = &self.text[start..end];
        line.grapheme_indices(true).map(|(at, _)| start + at).find(|at| *at > self.cursor).unwrap_or(end)
    }

    /// The start of the word before the cursor, or the end of the line before.
    fn word_before(&self) -> usize {
        let start = self.line_start();
        if self.cursor == start {
            return self.before();
        }
        let words = self.text[start..self.cursor].split_word_bound_indices().rev();
        let word =
            words.into_iter().find(|(_, word)| !word.trim().is_empty()).map_or(start, |(at, _)| start + at);
        let line = &self.text[start..self.line_end()];
        let places = line.grapheme_indices(true).map(|(at, _)| start + at);
        places.take_while(|at| *at <= word).last().unwrap_or(start)
    }

    /// The end of the word behind the cursor, or the beginning of the next line.
    fn word_behind(&self) -> usize {
        let (start, end) = (self.line_start(), self.line_end());
        if self.cursor == end {
            return self.behind();
        }
        let mut words = self.text[self.cursor..end].split_word_bound_indices();
        let word = words
            .find(|(_, word)| !word.trim().is_empty())
            .map_or(end, |(at, word)| self.cursor + at + word.len());
        let line = &self.text[start..end];
        line.grapheme_indices(true).map(|(at, _)| start + at).find(|at| *at >= word).unwrap_or(end)
    }
}

impl fmt::Debug for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Area")
            .field("chars", &self.chars())
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing;

    fn typed(start: &str, script: &str) -> (String, (usize, usize)) {
        let mut area = Area::with_text(100, start);
        area.window(20, 5);
        for key in testing::keys(script) {
            area.press(key);
        }
        (area.text().to_owned(), area.place())
    }

    #[test]
    fn lines_are_made_joined_and_moved_in() {
        for (start, script, text, place) in [
            ("", "ab<enter>c", "ab\nc", (2, 2)),
            ("ab\ncd", "<down><end>x", "ab\ncdx", (2, 4)),
            ("ab\ncd", "<down><backspace>", "abcd", (1, 3)),
            ("ab\ncd", "<end><delete>", "abcd", (1, 3)),
            ("ab\ncd", "<end><right>x", "ab\nxcd", (2, 2)),
            ("ab\ncd", "<down><left>x", "abx\ncd", (1, 4)),
            ("one two\nx", "<end><ctrl-w>", "one \nx", (1, 5)),
            ("one two\nx", "<ctrl-k><ctrl-k><ctrl-y><ctrl-e>", "\nx", (2, 2)),
            ("abcd\nx\nabcd", "<end><down><down>y", "abcd\nx\nabcdy", (3, 6)),
            ("a\nb", "<ctrl-end>c<ctrl-home>d", "da\nbc", (1, 2)),
            ("e", "<end>\u{301}x", "éx", (1, 3)),
            ("👩‍👩‍👧b", "<right><backspace>", "b", (1, 1)),
        ] {
            assert_eq!(typed(start, script), (text.to_owned(), place), "{start:?} {script}");
        }
    }

    #[test]
    fn rows_wrap_and_up_and_down_follow_what_is_seen() {
        let mut area = Area::with_text(200, "the quick brown fox\n日本語のテキスト");
        let window = area.window(10, 5);
        assert_eq!(window.lines, ["the quick ", "brown fox", "日本語のテ", "キスト"]);
        assert_eq!(window.numbers, [Some(1), None, Some(2), None]);
        for key in testing::keys("<end><up><up>") {
            area.press(key);
        }
        assert_eq!(area.place(), (1, 10), "from behind fox to behind quick, on the row above");
        assert!(!area.press(testing::keys("<up>")[0]), "there is no row above");
        for key in testing::keys("<down><down><down>") {
            area.press(key);
        }
        assert_eq!(area.place(), (2, 9));
        assert!(!area.press(testing::keys("<down>")[0]));
    }

    #[test]
    fn what_was_done_can_be_undone() {
        let mut area = Area::with_text(100, "");
        for key in testing::keys("one<enter>two<alt-u>") {
            area.press(key);
        }
        assert_eq!(area.text(), "one\n", "a run of typing at once");
        for key in testing::keys("<alt-u><alt-u><alt-u>") {
            area.press(key);
        }
        assert_eq!(area.text(), "");
        for key in testing::keys("<alt-r><alt-r><alt-r><alt-r>") {
            area.press(key);
        }
        assert_eq!(area.text(), "one\ntwo");
    }

    #[test]
    fn pastes_are_cleaned_and_cut() {
        let mut area = Area::new(8);
        area.paste("a\r\nb\x1b[31mc\u{202e}d efghijk");
        assert_eq!(area.text(), "a\nbcd ef");
        assert_eq!(area.chars(), 8);
        assert!(format!("{area:?}").contains("chars: 8") && !format!("{area:?}").contains("bcd"));
    }

    proptest! {
        #[test]
        fn no_keys_break_the_invariants(
            start in "[a-zé日\n ]{0,30}",
            script in proptest::collection::vec(prop_oneof![
                any::<char>().prop_map(|c| KeyEvent::from(KeyCode::Char(c))),
                prop_oneof![Just('a'), Just('e'), Just('w'), Just('u'), Just('k'), Just('y'), Just('h'), Just('d')]
                    .prop_map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)),
                prop_oneof![Just('b'), Just('f'), Just('d'), Just('u'), Just('r')]
                    .prop_map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT)),
                prop_oneof![
                    Just(KeyCode::Up), Just(KeyCode::Down), Just(KeyCode::Left), Just(KeyCode::Right), Just(KeyCode::Enter),
                    Just(KeyCode::Backspace), Just(KeyCode::Delete), Just(KeyCode::PageDown), Just(KeyCode::End),
                ].prop_map(KeyEvent::from),
            ], 0..40),
            columns in 0usize..12,
            rows in 0usize..5,
        ) {
            let mut area = Area::with_text(40, &start);
            for key in script {
                area.press(key);
                prop_assert!(unicode_normalization::is_nfc(area.text()));
                prop_assert!(area.chars() <= 40);
                let window = area.window(columns, rows);
                prop_assert!(window.lines.len() <= rows);
                for line in &window.lines {
                    prop_assert!(text::width(line) <= columns);
                }
                prop_assert!(rows == 0 || usize::from(window.cursor.1) < rows);
            }
        }
    }
}
