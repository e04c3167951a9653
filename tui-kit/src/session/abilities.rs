//! What the screen of one session can do, found out from the environment of the person in front of it.

use serde::{Deserialize, Serialize};

use super::SessionError;

/// How many colours a screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Depth {
    /// None; bold, reverse and underline only.
    None,
    /// The terminal's own sixteen.
    #[default]
    Ansi16,
    /// The 256-colour palette.
    Ansi256,
    /// 24 bits.
    True,
}

/// What the screen of one session can do.
///
/// Read from the variables of whoever sits in front of it: the process's own for a local terminal, those the client
/// sends for `attach` and SSH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abilities {
    /// The terminal's name (`TERM`).
    pub term: String,
    /// How many colours it shows.
    pub depth: Depth,
    /// Whether more than ASCII can be shown.
    pub unicode: bool,
    /// Whether movement should be kept to a minimum.
    pub calm: bool,
}

/// The variables that [`Abilities::from_env`] reads, for a client that sends its own.
pub const VARIABLES: [&str; 8] =
    ["TERM", "COLORTERM", "NO_COLOR", "CLICOLOR_FORCE", "LC_ALL", "LC_CTYPE", "LANG", "INKAN_CALM"];

impl Default for Abilities {
    fn default() -> Self {
        Self { term: "xterm".to_owned(), depth: Depth::Ansi16, unicode: true, calm: false }
    }
}

impl Abilities {
    /// Reads the abilities from variables.
    ///
    /// `NO_COLOR` (not empty) takes all colour away unless `CLICOLOR_FORCE` (not empty, not `0`) brings it back;
    /// `COLORTERM` of `truecolor` or `24bit` gives 24 bits; a `TERM` with `256` gives 256. The locale (`LC_ALL`,
    /// `LC_CTYPE`, `LANG`, the first that is set) decides about Unicode; where none is set it is taken to be there.
    /// `INKAN_CALM` (not empty, not `0`) asks for reduced motion.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| var(name).filter(|value| !value.is_empty());
        let on = |name: &str| set(name).is_some_and(|value| value != "0");
        let term = set("TERM").unwrap_or_default();
        let colorterm = set("COLORTERM").unwrap_or_default();
        let shown = if matches!(colorterm.as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
            Depth::True
        } else if term.contains("256") {
            Depth::Ansi256
        } else if term.is_empty() || term == "dumb" || term.starts_with("vt1") || term.starts_with("vt2") {
            Depth::None
        } else {
            Depth::Ansi16
        };
        let depth = match (on("CLICOLOR_FORCE"), set("NO_COLOR").is_some()) {
            (true, _) => shown.max(Depth::Ansi16),
            (false, true) => Depth::None,
            (false, false) => shown,
        };
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let unicode = term != "linux"
            && locale.is_none_or(|locale| {
                let locale = locale.to_ascii_lowercase();
                locale.contains("utf-8") || locale.contains("utf8")
            });
        Self { term, depth, unicode, calm: on("INKAN_CALM") }
    }

    /// What the terminal can do, in words: `xterm-256color, 256 colours, Unicode`.
    pub fn words(&self) -> String {
        let colours = match self.depth {
            Depth::None => "no colours",
            Depth::Ansi16 => "16 colours",
            Depth::Ansi256 => "256 colours",
            Depth::True => "24-bit colours",
        };
        let text = if self.unicode { "Unicode" } else { "ASCII only" };
        let motion = if self.calm { ", reduced motion" } else { "" };
        format!("{}, {colours}, {text}{motion}", crate::text::clean(&self.term))
    }

    /// The abilities of this process's own terminal.
    ///
    /// # Errors
    /// When it can't show a screen.
    pub(crate) fn able() -> Result<Self, SessionError> {
        let abilities = Self::from_env(|name| std::env::var(name).ok());
        if abilities.dumb() { Err(SessionError::Dumb(abilities.term)) } else { Ok(abilities) }
    }

    /// Whether the terminal can't place a cursor, so that no screen can be shown.
    pub fn dumb(&self) -> bool {
        self.term.is_empty() || self.term == "dumb"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Abilities {
        Abilities::from_env(|name| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn colour_follows_the_conventions() {
        for (pairs, depth) in [
            (&[("TERM", "xterm")][..], Depth::Ansi16),
            (&[("TERM", "xterm-256color")], Depth::Ansi256),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], Depth::True),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], Depth::None),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "")], Depth::Ansi256),
            (&[("TERM", "xterm"), ("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], Depth::Ansi16),
            (&[("TERM", "dumb")], Depth::None),
            (&[("TERM", "vt100")], Depth::None),
        ] {
            assert_eq!(of(pairs).depth, depth, "{pairs:?}");
        }
    }

    #[test]
    fn the_locale_decides_about_unicode() {
        assert!(of(&[("TERM", "xterm")]).unicode);
        assert!(of(&[("TERM", "xterm"), ("LANG", "ja_JP.UTF-8")]).unicode);
        assert!(!of(&[("TERM", "xterm"), ("LC_ALL", "C"), ("LANG", "ja_JP.UTF-8")]).unicode);
        assert!(of(&[]).dumb());
    }

    #[test]
    fn a_terminal_is_told_in_words() {
        assert_eq!(of(&[("TERM", "xterm-256color")]).words(), "xterm-256color, 256 colours, Unicode");
        assert_eq!(
            of(&[("TERM", "dumb\u{1b}[m"), ("NO_COLOR", "1"), ("LANG", "C"), ("INKAN_CALM", "1")]).words(),
            format!("{}, no colours, ASCII only, reduced motion", crate::text::clean("dumb\u{1b}[m"))
        );
    }
}
