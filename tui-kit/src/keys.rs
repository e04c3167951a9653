//! One table of actions per screen feeds dispatch, footer, help overlay, command palette and documentation.
//!
//! A screen builds its [`Actions`] from its state whenever it is asked: each [`Action`] says its keys, its words and
//! whether it can be done now, or why not. [`Keys`] holds what is open over the screen (help, palette) and turns a
//! key into an action.

mod bindings;
mod chord;
mod overlay;

pub use bindings::{Bindings, Outline, OutlineRow};
pub use chord::Chord;
pub use overlay::{Keys, Pressed};

use ratatui::crossterm::event::KeyEvent;
use ratatui::text::{Line, Span};

use crate::text;
use crate::theme::Theme;

/// The most hints that a footer shows beside help.
const HINTS_MAX: usize = 6;

/// One thing that can be done on a screen. `A` is the screen's own name for it, usually a small enum.
#[derive(Debug, Clone)]
pub struct Action<A> {
    /// What the screen's `update` gets.
    pub act: A,
    /// The name in the TOML table of keys and in the documentation: `pay`, `copy-json`.
    pub id: &'static str,
    /// The keys; the first is shown in hints.
    pub keys: Vec<Chord>,
    /// One to three words, for hints and the palette.
    pub label: &'static str,
    /// A sentence, for the help overlay.
    pub help: &'static str,
    /// Whether it can be done now, or why not.
    pub enabled: Result<(), String>,
    /// Whether the footer may show it.
    pub hint: bool,
}

impl<A> Action<A> {
    /// An action with its keys, written as in the TOML table and separated by spaces: `"p enter"`, `"ctrl-d"`.
    ///
    /// # Panics
    /// In debug builds, when a key can't be read; otherwise it is left out.
    pub fn new(act: A, id: &'static str, keys: &str, label: &'static str, help: &'static str) -> Self {
        let read = |key: &str| {
            let chord: Result<Chord, _> = key.parse();
            debug_assert!(chord.is_ok(), "action {id}: \"{key}\" is no key");
            chord.ok()
        };
        let keys = keys.split_whitespace().filter_map(read).collect();
        Self { act, id, keys, label, help, enabled: Ok(()), hint: true }
    }

    /// Can be done only while `possible`; otherwise the reason is shown.
    pub fn when(self, possible: bool, otherwise: impl Into<String>) -> Self {
        let enabled = if possible { self.enabled } else { Err(otherwise.into()) };
        Self { enabled, ..self }
    }

    /// Left out of the footer.
    pub fn quiet(self) -> Self {
        Self { hint: false, ..self }
    }
}

/// Keys that a widget takes by itself: they are in no table of actions and can't be rebound, but the help lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnKeys {
    /// The keys as they are shown, separated by spaces: `PgUp PgDn`.
    pub keys: &'static str,
    /// One to three words.
    pub label: &'static str,
    /// A sentence.
    pub help: &'static str,
}

/// The actions of one screen at one moment.
#[derive(Debug, Clone)]
pub struct Actions<A> {
    screen: &'static str,
    list: Vec<Action<A>>,
    typing: bool,
}

impl<A: Clone> Actions<A> {
    /// The actions of a screen, the most wanted first. `screen` is its name in the TOML table of keys.
    pub fn new(screen: &'static str, actions: impl IntoIterator<Item = Action<A>>) -> Self {
        Self { screen, list: actions.into_iter().collect(), typing: false }
    }

    /// Whether letters are typed into fields here: the footer then shows the key of help that is never typed.
    pub fn typing(self, typing: bool) -> Self {
        Self { typing, ..self }
    }

    /// More actions behind these, such as those that every screen has.
    pub fn with(mut self, more: impl IntoIterator<Item = Action<A>>) -> Self {
        self.list.extend(more);
        self
    }

    /// The table with the keys that the person has chosen.
    pub fn bound(mut self, bindings: &Bindings) -> Self {
        for action in &mut self.list {
            if let Some(keys) = bindings.keys(self.screen, action.id) {
                action.keys = keys.to_vec();
            }
        }
        self
    }

    /// The screen's name.
    pub fn screen(&self) -> &'static str {
        self.screen
    }

    /// All actions, in order.
    pub fn list(&self) -> &[Action<A>] {
        &self.list
    }

    /// The action of a key; where several share it, the first that can be done, else the first.
    pub fn find(&self, key: &KeyEvent) -> Option<&Action<A>> {
        let mut fallback = None;
        for action in self.list.iter().filter(|action| action.keys.iter().any(|chord| chord.is(key))) {
            if action.enabled.is_ok() {
                return Some(action);
            }
            fallback = fallback.or(Some(action));
        }
        fallback
    }

    /// The key hints for the foot of a page: up to six that can be done now, as many as fit, and always help.
    pub fn footer(&self, columns: u16, theme: &Theme) -> Line<'static> {
        let mut room = usize::from(columns);
        let mut spans = Vec::new();
        let help = if self.typing { Chord::HELP_ANYWHERE } else { Chord::HELP };
        let help = (help.to_string(), "help");
        let cost = |key: &str, label: &str| text::width(key) + text::width(label) + 4;
        room = room.saturating_sub(cost(&help.0, help.1));
        let hints = self
            .list
            .iter()
            .filter(|action| action.hint && action.enabled.is_ok())
            .filter_map(|action| action.keys.first().map(|key| (key.to_string(), action.label)))
            .take(HINTS_MAX);
        for (key, label) in hints {
            let needed = cost(&key, label);
            if needed > room {
                break;
            }
            room -= needed;
            push_hint(&mut spans, key, label, theme);
        }
        push_hint(&mut spans, help.0, help.1, theme);
        Line::from(spans)
    }

    /// The table as plain data: for conflicts and for documentation.
    pub fn outline(&self) -> Outline {
        let rows = self.list.iter().map(|action| OutlineRow {
            id: action.id,
            keys: action.keys.clone(),
            label: action.label,
            help: action.help,
        });
        Outline { screen: self.screen, rows: rows.collect() }
    }
}

fn push_hint(spans: &mut Vec<Span<'static>>, key: String, label: &'static str, theme: &Theme) {
    spans.push(Span::raw(" "));
    spans.push(Span::styled(key, theme.key));
    spans.push(Span::styled(format!(" {label}  "), theme.dim));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Abilities;
    use crate::theme::Look;

    fn table(balance: u32) -> Actions<&'static str> {
        Actions::new(
            "home",
            [
                Action::new("pay", "pay", "p enter", "Pay", "Pays the order.")
                    .when(balance > 0, "the card is empty"),
                Action::new("load", "load", "l", "Load", "Loads the card."),
                Action::new("secret", "secret", "x", "Secret", "Not in the footer.").quiet(),
                Action::new("quit", "quit", "q", "Quit", "Leaves."),
            ],
        )
    }

    fn press(key: &str) -> KeyEvent {
        key.parse::<Chord>().expect("a key").event()
    }

    #[test]
    fn dispatch_and_footer_come_from_the_same_table() {
        assert_eq!(table(1).find(&press("enter")).map(|found| found.act), Some("pay"));
        assert_eq!(
            table(0).find(&press("p")).map(|found| found.enabled.clone()),
            Some(Err("the card is empty".into()))
        );
        assert!(table(1).find(&press("z")).is_none());

        let theme = Theme::new(Look::Terminal, &Abilities::default());
        assert_eq!(table(1).footer(80, &theme).to_string(), " p Pay   l Load   q Quit   ? help  ");
        assert_eq!(table(0).footer(80, &theme).to_string(), " l Load   q Quit   ? help  ");
        assert_eq!(table(1).footer(18, &theme).to_string(), " p Pay   ? help  ");
        assert_eq!(table(1).footer(1, &theme).to_string(), " ? help  ");
        assert_eq!(table(1).typing(true).footer(18, &theme).to_string(), " p Pay   F1 help  ");
    }

    #[test]
    fn a_shared_key_goes_to_what_can_be_done() {
        let shared = Actions::new(
            "s",
            [
                Action::new(1, "one", "a", "One", "").when(false, "not now"),
                Action::new(2, "two", "a", "Two", ""),
            ],
        );
        assert_eq!(shared.find(&press("a")).map(|found| found.act), Some(2));
    }
}
