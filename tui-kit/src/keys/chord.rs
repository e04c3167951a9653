//! A key with its modifiers, as it is written in the TOML table and shown in hints.

use std::fmt;
use std::str::FromStr;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers: `q`, `?`, `ctrl-p`, `alt-enter`, `shift-tab`, `f1`, `space`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Why a key can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no key; write for example q, ?, ctrl-p, alt-x, shift-tab, enter, f1 or space")]
pub struct NoSuchKey(String);

/// The keys with names, as they are written and as they are shown.
const NAMED: [(&str, KeyCode, &str); 18] = [
    ("enter", KeyCode::Enter, "Enter"),
    ("esc", KeyCode::Esc, "Esc"),
    ("tab", KeyCode::Tab, "Tab"),
    ("space", KeyCode::Char(' '), "Space"),
    ("backspace", KeyCode::Backspace, "Backspace"),
    ("delete", KeyCode::Delete, "Delete"),
    ("insert", KeyCode::Insert, "Insert"),
    ("up", KeyCode::Up, "Up"),
    ("down", KeyCode::Down, "Down"),
    ("left", KeyCode::Left, "Left"),
    ("right", KeyCode::Right, "Right"),
    ("home", KeyCode::Home, "Home"),
    ("end", KeyCode::End, "End"),
    ("pgup", KeyCode::PageUp, "PgUp"),
    ("pgdn", KeyCode::PageDown, "PgDn"),
    ("backtab", KeyCode::BackTab, "Shift-Tab"),
    ("minus", KeyCode::Char('-'), "-"),
    ("plus", KeyCode::Char('+'), "+"),
];

impl Chord {
    /// Ctrl-Z: stops the process.
    pub const SUSPEND: Self = Self::ctrl('z');
    /// Ctrl-L: draws everything anew.
    pub const REDRAW: Self = Self::ctrl('l');
    /// `?`: the help overlay.
    pub const HELP: Self = Self { code: KeyCode::Char('?'), modifiers: KeyModifiers::NONE };
    /// F1: the help overlay, also while typing.
    pub const HELP_ANYWHERE: Self = Self { code: KeyCode::F(1), modifiers: KeyModifiers::NONE };
    /// `:`: the command palette.
    pub const PALETTE: Self = Self { code: KeyCode::Char(':'), modifiers: KeyModifiers::NONE };
    /// Ctrl-P: the command palette, also while typing.
    pub const PALETTE_ANYWHERE: Self = Self::ctrl('p');
    /// The keys that every screen keeps for itself.
    pub const RESERVED: [Self; 6] =
        [Self::SUSPEND, Self::REDRAW, Self::HELP, Self::HELP_ANYWHERE, Self::PALETTE, Self::PALETTE_ANYWHERE];

    /// A letter with Ctrl.
    pub const fn ctrl(letter: char) -> Self {
        Self { code: KeyCode::Char(letter), modifiers: KeyModifiers::CONTROL }
    }

    /// Whether a key event is this chord. Shift counts only for keys that are not characters: an upper-case letter
    /// already is another character.
    pub fn is(&self, key: &KeyEvent) -> bool {
        Self::from(*key) == *self
    }

    /// The event that this chord makes.
    pub fn event(&self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

impl From<KeyEvent> for Chord {
    fn from(key: KeyEvent) -> Self {
        let (mut code, mut modifiers) = (key.code, key.modifiers);
        if code == KeyCode::Tab && modifiers.contains(KeyModifiers::SHIFT) {
            code = KeyCode::BackTab;
        }
        if matches!(code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        if let (KeyCode::Char(c), true) = (code, modifiers.contains(KeyModifiers::CONTROL)) {
            code = KeyCode::Char(c.to_ascii_lowercase());
        }
        Self { code, modifiers }
    }
}

impl FromStr for Chord {
    type Err = NoSuchKey;

    fn from_str(written: &str) -> Result<Self, NoSuchKey> {
        let wrong = || NoSuchKey(written.to_owned());
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = written;
        while let Some((prefix, behind)) = rest.split_once('-').filter(|(_, behind)| !behind.is_empty()) {
            modifiers |= match prefix.to_ascii_lowercase().as_str() {
                "ctrl" | "c" => KeyModifiers::CONTROL,
                "alt" | "a" | "m" => KeyModifiers::ALT,
                "shift" | "s" => KeyModifiers::SHIFT,
                _ => return Err(wrong()),
            };
            rest = behind;
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(c),
            _ => named(&rest.to_ascii_lowercase()).ok_or_else(wrong)?,
        };
        Ok(Self::from(KeyEvent::new(code, modifiers)))
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in
            [(KeyModifiers::CONTROL, "Ctrl-"), (KeyModifiers::ALT, "Alt-"), (KeyModifiers::SHIFT, "Shift-")]
        {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        if let Some((_, _, shown)) = NAMED.iter().find(|(_, code, _)| *code == self.code) {
            return f.write_str(shown);
        }
        match self.code {
            KeyCode::Char(c) if self.modifiers.contains(KeyModifiers::CONTROL) => {
                write!(f, "{}", c.to_uppercase())
            }
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(number) => write!(f, "F{number}"),
            _ => f.write_str("?"),
        }
    }
}

fn named(name: &str) -> Option<KeyCode> {
    if let Some((_, code, _)) = NAMED.iter().find(|(known, _, _)| *known == name) {
        return Some(*code);
    }
    let number: u8 = name.strip_prefix('f')?.parse().ok()?;
    (1..=24).contains(&number).then_some(KeyCode::F(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_and_show() {
        for (written, shown) in [
            ("q", "q"),
            ("Q", "Q"),
            ("?", "?"),
            ("-", "-"),
            ("ctrl-p", "Ctrl-P"),
            ("C-p", "Ctrl-P"),
            ("ctrl--", "Ctrl--"),
            ("alt-enter", "Alt-Enter"),
            ("shift-tab", "Shift-Tab"),
            ("space", "Space"),
            ("F12", "F12"),
            ("日", "日"),
        ] {
            assert_eq!(written.parse::<Chord>().map(|chord| chord.to_string()).as_deref(), Ok(shown));
        }
        for wrong in ["", "ctrl-", "hyper-x", "entre", "f0", "f99"] {
            assert!(wrong.parse::<Chord>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn shift_is_part_of_the_character() {
        let upper: Chord = "G".parse().expect("a key");
        assert!(upper.is(&KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT)));
        assert!(upper.is(&KeyEvent::new(KeyCode::Char('G'), KeyModifiers::NONE)));
        assert!(!upper.is(&KeyEvent::new(KeyCode::Char('g'), KeyModifiers::NONE)));
        let back: Chord = "shift-tab".parse().expect("a key");
        assert!(back.is(&KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT)));
    }
}
