//! What things look like: five looks over the terminal's own colours, and marks so that colour never speaks alone.

use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Serialize};

use crate::session::{Abilities, Depth};

/// The five looks a person can choose; `mono` is also what `NO_COLOR` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// The terminal's own sixteen colours on its own background.
    #[default]
    Terminal,
    /// For a light background.
    Light,
    /// For a dark background.
    Dark,
    /// The strongest contrasts only.
    HighContrast,
    /// No colour: bold, reverse and underline.
    Mono,
}

/// What a text wants to say besides its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// Less important.
    Dim,
    /// More important.
    Strong,
    /// Done, balanced, settled.
    Good,
    /// Waiting, unknown, to be looked at.
    Warn,
    /// Refused, failed, broken.
    Bad,
}

/// Signs that stand beside coloured words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say what each sign marks")]
pub struct Marks {
    pub good: &'static str,
    pub warn: &'static str,
    pub bad: &'static str,
    pub pointer: &'static str,
    pub bullet: &'static str,
    pub mask: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub left: &'static str,
    pub right: &'static str,
    pub rule: &'static str,
    pub full: &'static str,
    pub empty: &'static str,
}

/// The styles of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Which look this is.
    pub look: Look,
    /// Ordinary text.
    pub text: Style,
    /// Hints, labels, what is less important.
    pub dim: Style,
    /// What is more important.
    pub strong: Style,
    /// Titles of pages and panels.
    pub title: Style,
    /// The bar at the head and foot of a page.
    pub bar: Style,
    /// Keys in hints.
    pub key: Style,
    /// The selected row, tab or button.
    pub selected: Style,
    /// Borders and rules.
    pub border: Style,
    /// A field that is not being edited.
    pub field: Style,
    /// The field that is being edited.
    pub field_focused: Style,
    /// Done, balanced, settled.
    pub good: Style,
    /// Waiting, unknown, to be looked at.
    pub warn: Style,
    /// Refused, failed, broken.
    pub bad: Style,
    /// The signs beside the words.
    pub marks: Marks,
}

impl Theme {
    /// The theme of a look, as far as the session is able to show it: without colour it is always [`Look::Mono`].
    pub fn new(look: Look, abilities: &Abilities) -> Self {
        let look = if abilities.depth == Depth::None { Look::Mono } else { look };
        let marks = if abilities.unicode { UNICODE_MARKS } else { ASCII_MARKS };
        let plain = Style::new();
        match look {
            Look::Terminal => Self {
                look,
                text: plain,
                dim: plain.add_modifier(Modifier::DIM),
                strong: plain.add_modifier(Modifier::BOLD),
                title: plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
                bar: plain.add_modifier(Modifier::REVERSED),
                key: plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
                selected: plain.add_modifier(Modifier::REVERSED),
                border: plain.fg(Color::DarkGray),
                field: plain.add_modifier(Modifier::UNDERLINED),
                field_focused: plain.fg(Color::Cyan).add_modifier(Modifier::UNDERLINED),
                good: plain.fg(Color::Green),
                warn: plain.fg(Color::Yellow),
                bad: plain.fg(Color::Red).add_modifier(Modifier::BOLD),
                marks,
            },
            Look::Light => Self {
                text: plain.fg(Color::Black),
                dim: plain.fg(Color::DarkGray),
                title: plain.fg(Color::Blue).add_modifier(Modifier::BOLD),
                bar: plain.fg(Color::White).bg(Color::Blue),
                key: plain.fg(Color::Blue).add_modifier(Modifier::BOLD),
                selected: plain.fg(Color::White).bg(Color::Blue),
                border: plain.fg(Color::Gray),
                field_focused: plain.fg(Color::Blue).add_modifier(Modifier::UNDERLINED),
                warn: plain.fg(Color::Magenta),
                ..Self::new(Look::Terminal, abilities).named(look)
            },
            Look::Dark => Self {
                text: plain.fg(Color::Gray),
                dim: plain.fg(Color::DarkGray),
                strong: plain.fg(Color::White).add_modifier(Modifier::BOLD),
                title: plain.fg(Color::LightCyan).add_modifier(Modifier::BOLD),
                bar: plain.fg(Color::Black).bg(Color::Cyan),
                key: plain.fg(Color::LightCyan),
                selected: plain.fg(Color::Black).bg(Color::LightCyan),
                field_focused: plain.fg(Color::LightCyan).add_modifier(Modifier::UNDERLINED),
                good: plain.fg(Color::LightGreen),
                warn: plain.fg(Color::LightYellow),
                bad: plain.fg(Color::LightRed).add_modifier(Modifier::BOLD),
                ..Self::new(Look::Terminal, abilities).named(look)
            },
            Look::HighContrast => Self {
                text: plain.fg(Color::White),
                dim: plain.fg(Color::White),
                strong: plain.fg(Color::White).add_modifier(Modifier::BOLD),
                title: plain.fg(Color::LightYellow).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
                bar: plain.fg(Color::Black).bg(Color::White).add_modifier(Modifier::BOLD),
                key: plain.fg(Color::LightYellow).add_modifier(Modifier::BOLD),
                selected: plain.fg(Color::Black).bg(Color::LightYellow).add_modifier(Modifier::BOLD),
                border: plain.fg(Color::White),
                field_focused: plain
                    .fg(Color::LightYellow)
                    .add_modifier(Modifier::UNDERLINED | Modifier::BOLD),
                good: plain.fg(Color::LightGreen).add_modifier(Modifier::BOLD),
                warn: plain.fg(Color::LightYellow).add_modifier(Modifier::BOLD),
                bad: plain.fg(Color::LightRed).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
                ..Self::new(Look::Terminal, abilities).named(look)
            },
            Look::Mono => {
                let bold = plain.add_modifier(Modifier::BOLD);
                Self {
                    look,
                    text: plain,
                    dim: plain,
                    strong: bold,
                    title: bold,
                    bar: plain.add_modifier(Modifier::REVERSED),
                    key: bold,
                    selected: plain.add_modifier(Modifier::REVERSED),
                    border: plain,
                    field: plain.add_modifier(Modifier::UNDERLINED),
                    field_focused: plain.add_modifier(Modifier::UNDERLINED | Modifier::BOLD),
                    good: plain,
                    warn: bold,
                    bad: plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
                    marks,
                }
            }
        }
    }

    /// The style of a tone.
    pub fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => self.text,
            Tone::Dim => self.dim,
            Tone::Strong => self.strong,
            Tone::Good => self.good,
            Tone::Warn => self.warn,
            Tone::Bad => self.bad,
        }
    }

    /// The sign that stands beside a word of this tone; empty where the words alone are enough.
    pub fn mark(&self, tone: Tone) -> &'static str {
        match tone {
            Tone::Plain | Tone::Dim | Tone::Strong => "",
            Tone::Good => self.marks.good,
            Tone::Warn => self.marks.warn,
            Tone::Bad => self.marks.bad,
        }
    }

    fn named(self, look: Look) -> Self {
        Self { look, ..self }
    }
}

const UNICODE_MARKS: Marks = Marks {
    good: "✓",
    warn: "!",
    bad: "✗",
    pointer: "▸",
    bullet: "•",
    mask: "•",
    up: "↑",
    down: "↓",
    left: "‹",
    right: "›",
    rule: "─",
    full: "█",
    empty: "░",
};

const ASCII_MARKS: Marks = Marks {
    good: "+",
    warn: "!",
    bad: "x",
    pointer: ">",
    bullet: "*",
    mask: "*",
    up: "^",
    down: "v",
    left: "<",
    right: ">",
    rule: "-",
    full: "#",
    empty: ".",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_every_look_is_mono() {
        let abilities = Abilities { depth: Depth::None, ..Abilities::default() };
        for look in [Look::Terminal, Look::Light, Look::Dark, Look::HighContrast, Look::Mono] {
            let theme = Theme::new(look, &abilities);
            assert_eq!(theme.look, Look::Mono);
            for style in
                [theme.text, theme.title, theme.bar, theme.selected, theme.good, theme.warn, theme.bad]
            {
                assert_eq!((style.fg, style.bg), (None, None));
            }
        }
    }

    #[test]
    fn tones_that_matter_have_a_mark() {
        let theme = Theme::new(Look::Terminal, &Abilities::default());
        let marks = [Tone::Good, Tone::Warn, Tone::Bad].map(|tone| theme.mark(tone));
        assert!(marks.iter().all(|mark| !mark.is_empty()));
        assert!(marks[0] != marks[1] && marks[1] != marks[2] && marks[0] != marks[2]);
    }
}
