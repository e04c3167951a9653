//! A row of tabs: the rooms of a program.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::keys::OwnKeys;
use crate::text;
use crate::ui::Ui;

/// Titles, one of them selected. Tab and Shift-Tab turn, `1` to `9` jump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tabs {
    titles: Vec<String>,
    selected: usize,
}

impl Tabs {
    /// The keys that they take by themselves.
    pub const KEYS: &'static [OwnKeys] =
        &[OwnKeys { keys: "Tab Shift-Tab", label: "Next tab", help: "The next tab, or the one before." }];

    /// The first of these is selected.
    pub fn new(titles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { titles: titles.into_iter().map(Into::into).collect(), selected: 0 }
    }

    /// Which tab is selected.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// Selects a tab, the last if there are fewer.
    pub fn select(&mut self, tab: usize) {
        self.selected = tab.min(self.titles.len().saturating_sub(1));
    }

    /// Gives a tab another title, such as one with a count.
    pub fn rename(&mut self, tab: usize, title: impl Into<String>) {
        if let Some(old) = self.titles.get_mut(tab) {
            *old = title.into();
        }
    }

    /// Takes a turning key; false for others.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        let count = self.titles.len();
        if count == 0 || key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
            return false;
        }
        match key.code {
            KeyCode::Tab | KeyCode::Right => self.selected = (self.selected + 1) % count,
            KeyCode::BackTab | KeyCode::Left => self.selected = (self.selected + count - 1) % count,
            KeyCode::Char(digit @ '1'..='9') => {
                let tab = digit as usize - '1' as usize;
                if tab >= count {
                    return false;
                }
                self.selected = tab;
            }
            _ => return false,
        }
        true
    }

    /// Draws the titles on one line. Where there is no room for their numbers, they go without; where even the titles
    /// don't fit, the selected one and those behind it are shown.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        ui.takes(Self::KEYS);
        let theme = ui.theme();
        let columns = usize::from(area.width);
        let total = |titles: &[String]| titles.iter().map(|title| text::width(title)).sum::<usize>();
        let numbered =
            self.titles.iter().zip(1..).map(|(title, number)| format!(" {number} {} ", text::clean(title)));
        let mut titles: Vec<String> = numbered.collect();
        if total(&titles) > columns {
            let plain: Vec<String> =
                self.titles.iter().map(|title| format!(" {} ", text::clean(title))).collect();
            if total(&plain) <= columns {
                titles = plain;
            }
        }
        let total = total(&titles);
        let first = if total > columns { self.selected } else { 0 };
        let mut spans = Vec::new();
        if first > 0 {
            spans.push(Span::styled(theme.marks.left, theme.dim));
        }
        for (title, at) in titles.into_iter().zip(0..).skip(first) {
            spans.push(Span::styled(title, if at == self.selected { theme.selected } else { theme.dim }));
        }
        ui.line(area, Line::from(spans));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn tabs_turn_and_jump() {
        let mut tabs = Tabs::new(["Home", "Cards", "Shops"]);
        for (script, selected) in [("<tab>", 1), ("<tab><tab>", 0), ("<shift-tab>", 2), ("2", 1), ("9", 1)] {
            for key in testing::keys(script) {
                tabs.press(key);
            }
            assert_eq!(tabs.selected(), selected, "{script}");
        }
        assert_eq!(testing::draw(40, 1, |ui| tabs.view(ui, ui.area())), " 1 Home  2 Cards  3 Shops");
        assert_eq!(testing::draw(22, 1, |ui| tabs.view(ui, ui.area())), " Home  Cards  Shops");
        assert_eq!(testing::draw(12, 1, |ui| tabs.view(ui, ui.area())), "‹ 2 Cards  …");
        tabs.rename(1, "Cards (3)");
        assert!(testing::draw(40, 1, |ui| tabs.view(ui, ui.area())).contains("Cards (3)"));
        for (width, height) in testing::SIZES {
            testing::draw(width, height, |ui| tabs.view(ui, ui.area()));
        }
    }
}
