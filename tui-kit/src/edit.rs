//! One line of text being edited: by grapheme, in NFC, with readline's keys and the cursor where it is seen.
//!
//! A secret line is kept in one allocation that is wiped when it is dropped; nothing of it is copied anywhere before
//! it is taken out. That is why this is not built on a general input crate.

use std::fmt;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use secrecy::SecretString;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use zeroize::{Zeroize, Zeroizing};

use crate::text;

/// The most bytes of UTF-8 that one character takes.
const CHAR_BYTES_MAX: usize = 4;

/// One line of text being edited.
#[derive(Clone)]
pub struct Editor {
    text: Zeroizing<String>,
    /// A byte offset on a grapheme boundary.
    cursor: usize,
    /// The most characters (Unicode scalar values) that it takes.
    chars_max: usize,
    secret: bool,
    killed: Zeroizing<String>,
}

/// The part of a line that is seen in a given width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// What is seen.
    pub text: String,
    /// In which column of it the cursor stands.
    pub cursor: u16,
}

impl Editor {
    /// An empty line that takes so many characters.
    pub fn new(chars_max: usize) -> Self {
        Self {
            text: Zeroizing::new(String::new()),
            cursor: 0,
            chars_max,
            secret: false,
            killed: Zeroizing::new(String::new()),
        }
    }

    /// An empty line whose text is never shown, copied or printed, and is wiped from memory.
    pub fn secret(chars_max: usize) -> Self {
        // Reserved whole: growing would leave copies behind.
        let text = Zeroizing::new(String::with_capacity(chars_max * CHAR_BYTES_MAX));
        Self { text, secret: true, ..Self::new(chars_max) }
    }

    /// A line with a text in it, the cursor at its end.
    pub fn with_text(chars_max: usize, text: &str) -> Self {
        let mut editor = Self::new(chars_max);
        editor.set(text);
        editor
    }

    /// The text. Of a secret line, take [`Editor::expose`] instead.
    pub fn text(&self) -> &str {
        if self.secret { "" } else { &self.text }
    }

    /// The secret, in NFC, so that the same password typed on another system is the same.
    pub fn expose(&self) -> SecretString {
        let bytes: usize = self.text.nfc().map(char::len_utf8).sum();
        let mut normal = String::with_capacity(bytes);
        normal.extend(self.text.nfc());
        SecretString::from(normal)
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether the text is never shown.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// The characters in it.
    pub fn chars(&self) -> usize {
        self.text.chars().count()
    }

    /// Replaces the text (cleaned, cut to the limit) and puts the cursor at its end.
    pub fn set(&mut self, text: &str) {
        self.clear();
        self.paste(text);
    }

    /// Empties the line, and wipes it where it is secret.
    pub fn clear(&mut self) {
        if self.secret {
            self.text.zeroize();
        }
        self.text.clear();
        self.cursor = 0;
    }

    /// Inserts pasted text: cleaned, on one line, as much of it as there is room for.
    pub fn paste(&mut self, pasted: &str) {
        let pasted = pasted.trim_end_matches(['\r', '\n']);
        if self.secret {
            for c in pasted.chars().filter(|c| !c.is_control()) {
                self.insert(c);
            }
            return;
        }
        let room = self.chars_max.saturating_sub(self.chars());
        let cleaned: String = text::clean(pasted).chars().take(room).collect();
        self.text.insert_str(self.cursor, &cleaned);
        self.cursor += cleaned.len();
        self.settle();
    }

    /// Takes a key if it edits; what it leaves alone (Enter, Tab, Esc, function keys, other Ctrl keys) is false.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        let modifiers = key.modifiers.difference(KeyModifiers::SHIFT);
        match (key.code, modifiers) {
            (KeyCode::Char(c), KeyModifiers::NONE) => self.insert(c),
            (KeyCode::Char('a'), KeyModifiers::CONTROL) | (KeyCode::Home, _) => self.cursor = 0,
            (KeyCode::Char('e'), KeyModifiers::CONTROL) | (KeyCode::End, _) => self.cursor = self.text.len(),
            (KeyCode::Char('b'), KeyModifiers::CONTROL) | (KeyCode::Left, KeyModifiers::NONE) => {
                self.cursor = self.before(self.cursor);
            }
            (KeyCode::Char('f'), KeyModifiers::CONTROL) | (KeyCode::Right, KeyModifiers::NONE) => {
                self.cursor = self.behind(self.cursor);
            }
            (KeyCode::Char('b'), KeyModifiers::ALT)
            | (KeyCode::Left, KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                self.cursor = self.word_before();
            }
            (KeyCode::Char('f'), KeyModifiers::ALT)
            | (KeyCode::Right, KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                self.cursor = self.word_behind();
            }
            (KeyCode::Char('h'), KeyModifiers::CONTROL) | (KeyCode::Backspace, KeyModifiers::NONE) => {
                self.remove(self.before(self.cursor), self.cursor, false);
            }
            (KeyCode::Char('d'), KeyModifiers::CONTROL) | (KeyCode::Delete, _) => {
                self.remove(self.cursor, self.behind(self.cursor), false);
            }
            (KeyCode::Char('w'), KeyModifiers::CONTROL) | (KeyCode::Backspace, KeyModifiers::ALT) => {
                self.remove(self.word_before(), self.cursor, true);
            }
            (KeyCode::Char('d'), KeyModifiers::ALT) => self.remove(self.cursor, self.word_behind(), true),
            (KeyCode::Char('u'), KeyModifiers::CONTROL) => self.remove(0, self.cursor, true),
            (KeyCode::Char('k'), KeyModifiers::CONTROL) => self.remove(self.cursor, self.text.len(), true),
            (KeyCode::Char('y'), KeyModifiers::CONTROL) => {
                let killed = std::mem::take(&mut self.killed);
                self.paste(&killed);
                self.killed = killed;
            }
            _ => return false,
        }
        true
    }

    /// What is seen in so many columns: the whole line where it fits, else the part that ends behind the cursor.
    /// Secrets are masked, one `mask` per character that a person would count.
    pub fn window(&self, columns: usize, mask: &str) -> Window {
        if columns == 0 {
            return Window { text: String::new(), cursor: 0 };
        }
        let (shown, before): (String, usize) = if self.secret {
            let count = |part: &str| part.graphemes(true).count();
            let left = count(&self.text[..self.cursor]);
            (mask.repeat(count(&self.text)), mask.len() * left)
        } else {
            (self.text.to_string(), self.cursor)
        };
        let mut start = 0;
        // One column stays free for the cursor behind the last character.
        while text::width(&shown[start..before]) >= columns {
            start += shown[start..].graphemes(true).next().map_or(1, str::len);
        }
        let cursor = u16::try_from(text::width(&shown[start..before])).unwrap_or(u16::MAX);
        Window { text: text::head(&shown[start..], columns).to_owned(), cursor }
    }

    fn insert(&mut self, c: char) {
        if c.is_control() || self.chars() >= self.chars_max {
            return;
        }
        self.text.insert(self.cursor, c);
        self.cursor += c.len_utf8();
        self.settle();
    }

    fn remove(&mut self, from: usize, to: usize, keep: bool) {
        if keep && !self.secret && from < to {
            self.killed = Zeroizing::new(self.text[from..to].to_owned());
        }
        self.text.drain(from..to);
        self.cursor = from;
        self.settle();
    }

    /// Brings the text into NFC and the cursor onto a grapheme boundary: a combining mark may have joined what stands
    /// before it. Secrets stay as typed until they are taken out.
    fn settle(&mut self) {
        if !self.secret && !unicode_normalization::is_nfc(&self.text) {
            let before: usize = self.text[..self.cursor].nfc().map(char::len_utf8).sum();
            let normal: String = self.text.nfc().collect();
            self.cursor = before.min(normal.len());
            self.text = Zeroizing::new(normal);
        }
        while !self.text.is_char_boundary(self.cursor) {
            self.cursor += 1;
        }
        if !self.boundaries().any(|at| at == self.cursor) {
            self.cursor = self.behind(self.cursor);
        }
    }

    fn before(&self, at: usize) -> usize {
        self.boundaries().take_while(|boundary| *boundary < at).last().unwrap_or(0)
    }

    fn behind(&self, at: usize) -> usize {
        self.boundaries().find(|boundary| *boundary > at).unwrap_or(self.text.len())
    }

    /// Where a cursor may stand. Found from the start each time: a boundary depends on all that is before it, and a
    /// line is short.
    fn boundaries(&self) -> impl Iterator<Item = usize> {
        self.text.grapheme_indices(true).map(|(at, _)| at).chain([self.text.len()])
    }

    /// The start of the word before the cursor. In a secret the whole line counts as one word, so that its spaces
    /// can't be found out.
    fn word_before(&self) -> usize {
        if self.secret {
            return 0;
        }
        let start = self.text[..self.cursor]
            .split_word_bound_indices()
            .rev()
            .find(|(_, word)| !word.trim().is_empty())
            .map_or(0, |(at, _)| at);
        // Words may begin and end inside what is one grapheme.
        self.boundaries().take_while(|boundary| *boundary <= start).last().unwrap_or(0)
    }

    fn word_behind(&self) -> usize {
        if self.secret {
            return self.text.len();
        }
        let end = self.text[self.cursor..]
            .split_word_bound_indices()
            .find(|(_, word)| !word.trim().is_empty())
            .map_or(self.text.len(), |(at, word)| self.cursor + at + word.len());
        self.boundaries().find(|boundary| *boundary >= end).unwrap_or(self.text.len())
    }
}

impl fmt::Debug for Editor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Editor");
        if self.secret { out.field("text", &"[secret]") } else { out.field("text", &self.text.as_str()) }
            .field("cursor", &if self.secret { 0 } else { self.cursor })
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::testing;

    fn typed(start: &str, script: &str) -> (String, usize) {
        let mut editor = Editor::with_text(40, start);
        for key in testing::keys(script) {
            editor.press(key);
        }
        (editor.text().to_owned(), editor.cursor)
    }

    #[test]
    fn readline_keys_edit() {
        for (start, script, text, cursor) in [
            ("", "abc", "abc", 3),
            ("abc", "<left><left>x", "axbc", 2),
            ("abc", "<ctrl-a>x<ctrl-e>y", "xabcy", 5),
            ("one two", "<ctrl-w>", "one ", 4),
            ("one two", "<alt-b><alt-b>x", "xone two", 1),
            ("one two", "<ctrl-a><alt-f>x", "onex two", 4),
            ("one two", "<ctrl-u>", "", 0),
            ("one two", "<ctrl-a><ctrl-k><ctrl-y><ctrl-y>", "one twoone two", 14),
            ("日本", "<backspace>語", "日語", 6),
            ("e", "\u{301}", "é", 2),
            ("👨‍👩‍👧", "<backspace>", "", 0),
            ("ab", "<home><delete>", "b", 0),
        ] {
            assert_eq!(typed(start, script), (text.to_owned(), cursor), "{start:?} + {script:?}");
        }
    }

    #[test]
    fn pastes_are_cleaned_and_cut() {
        let mut editor = Editor::new(5);
        editor.paste("a\x1b[31mb\nc\u{202e}defgh\n");
        assert_eq!(editor.text(), "ab cd");
    }

    #[test]
    fn the_window_keeps_the_cursor_in_sight() {
        let mut editor = Editor::with_text(40, "日本語の文");
        assert_eq!(editor.window(20, "*"), Window { text: "日本語の文".into(), cursor: 10 });
        assert_eq!(editor.window(6, "*"), Window { text: "の文".into(), cursor: 4 });
        editor.press(KeyEvent::from(KeyCode::Home));
        assert_eq!(editor.window(6, "*"), Window { text: "日本語".into(), cursor: 0 });
        assert_eq!(editor.window(0, "*"), Window { text: String::new(), cursor: 0 });
    }

    #[test]
    fn secrets_are_masked_and_unprinted() {
        let mut editor = Editor::secret(20);
        editor.paste("pass e\u{301}\n");
        assert_eq!(editor.window(20, "•"), Window { text: "••••••".into(), cursor: 6 });
        assert_eq!(editor.text(), "");
        assert!(!format!("{editor:?}").contains("pass"));
        assert_eq!(editor.expose().expose_secret(), "pass é");
        let before = editor.text.capacity();
        editor.paste(&"日".repeat(100));
        assert_eq!(editor.text.capacity(), before, "a secret never moves in memory");
    }

    proptest! {
        #[test]
        fn any_editing_keeps_the_invariants(
            start in "\\PC{0,20}",
            script in proptest::collection::vec(prop_oneof![
                any::<char>().prop_map(|c| KeyEvent::from(KeyCode::Char(c))),
                prop_oneof![Just('a'), Just('e'), Just('w'), Just('u'), Just('k'), Just('y'), Just('h'), Just('d'), Just('b'), Just('f')]
                    .prop_map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)),
                prop_oneof![Just('b'), Just('f'), Just('d')]
                    .prop_map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT)),
                Just(KeyEvent::from(KeyCode::Left)),
                Just(KeyEvent::from(KeyCode::Right)),
                Just(KeyEvent::from(KeyCode::Backspace)),
                Just(KeyEvent::from(KeyCode::Delete)),
            ], 0..40),
            columns in 0usize..12,
        ) {
            let mut editor = Editor::with_text(24, &start);
            for key in script {
                editor.press(key);
                let text = editor.text().to_owned();
                prop_assert!(unicode_normalization::is_nfc(&text));
                prop_assert!(text.chars().count() <= 24);
                prop_assert!(editor.cursor == text.len() || text.grapheme_indices(true).any(|(at, _)| at == editor.cursor));
                let window = editor.window(columns, "*");
                prop_assert!(crate::text::width(&window.text) <= columns);
                prop_assert!(usize::from(window.cursor) <= columns.saturating_sub(1) || columns == 0);
            }
        }
    }
}
