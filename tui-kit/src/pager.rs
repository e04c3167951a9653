//! A long text to be read: guide pages, terms. Wrapped, scrolled, with its place in words.
//!
//! Of Markdown it knows what people write by themselves: headings (`#`), lists (`-`, `*`, `1.`), rules (`---`) and
//! paragraphs, whose lines flow together. All else is shown as it stands.

use std::cell::Cell;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::keys::OwnKeys;
use crate::text;
use crate::ui::Ui;

/// The widest a line is: longer ones are hard to read.
const COLUMNS_MAX: usize = 100;

/// A text that is read.
#[derive(Debug, Clone)]
pub struct Pager {
    title: String,
    content: String,
    blocks: Vec<Block>,
    top: Cell<usize>,
    /// Lines that fitted and lines there were at the last drawing: how far a key may scroll.
    page: Cell<usize>,
    lines: Cell<usize>,
    /// Whether the last line was in sight at any drawing.
    read: Cell<bool>,
}

/// A part of the text that is wrapped by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Block {
    Heading { level: usize, words: String },
    Item { indent: usize, mark: String, words: String },
    Words(String),
    Rule,
    Gap,
}

impl Pager {
    /// The keys that it takes by itself.
    pub const KEYS: &'static [OwnKeys] = &[
        OwnKeys { keys: "Up Down k j", label: "Scroll", help: "One line up or down." },
        OwnKeys { keys: "Space PgUp PgDn", label: "Page", help: "One page on, or up or down." },
        OwnKeys { keys: "Home End g G", label: "Ends", help: "The beginning or the end." },
    ];

    /// A text from its beginning.
    pub fn new(title: impl Into<String>, content: &str) -> Self {
        let content = text::clean_lines(content);
        Self {
            title: title.into(),
            blocks: read(&content),
            content,
            top: Cell::new(0),
            page: Cell::new(1),
            lines: Cell::new(0),
            read: Cell::new(false),
        }
    }

    /// The text as it came, cleaned: for the clipboard.
    pub fn text(&self) -> &str {
        &self.content
    }

    /// Whether the end of the text has been in sight: what is agreed to should have been.
    pub fn was_read(&self) -> bool {
        self.read.get()
    }

    /// Takes a scrolling key; false for others.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
            return false;
        }
        let page = self.page.get().max(1);
        let end = self.lines.get().saturating_sub(page);
        // A line of the page before stays in sight.
        let leap = page.saturating_sub(1).max(1);
        let top = match key.code {
            KeyCode::Up | KeyCode::Char('k') => self.top.get().saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.top.get() + 1,
            KeyCode::PageUp => self.top.get().saturating_sub(leap),
            KeyCode::PageDown | KeyCode::Char(' ') => self.top.get() + leap,
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => end,
            _ => return false,
        };
        self.top.set(top.min(end));
        true
    }

    /// Draws the title, the text as far as it fits, and which lines of how many are seen.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        ui.takes(Self::KEYS);
        let theme = ui.theme();
        let inner = ui.panel(area, &self.title);
        let [body, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(inner);
        let lines = self.lay_out(ui, usize::from(body.width).min(COLUMNS_MAX));
        let (page, total) = (usize::from(body.height), lines.len());
        let top = self.top.get().min(total.saturating_sub(page));
        self.page.set(page);
        self.lines.set(total);
        self.top.set(top);
        let last = (top + page).min(total);
        if last == total && !body.is_empty() {
            self.read.set(true);
        }
        ui.lines(body, lines.into_iter().skip(top));
        let percent = (last * 100).checked_div(total).unwrap_or(100);
        let words = match (total > page, last == total) {
            (false, _) => "all of it".to_owned(),
            (true, true) => format!("lines {} to {last} of {total}  end", top + 1),
            (true, false) => format!("lines {} to {last} of {total}  {percent} %  Space goes on", top + 1),
        };
        ui.line(foot, Line::styled(words, theme.dim));
    }

    fn lay_out(&self, ui: &Ui<'_, '_>, columns: usize) -> Vec<Line<'static>> {
        let theme = ui.theme();
        let mut lines = Vec::new();
        for block in &self.blocks {
            match block {
                Block::Gap => lines.push(Line::default()),
                Block::Rule => lines.push(Line::styled(theme.marks.rule.repeat(columns), theme.border)),
                Block::Words(words) => {
                    lines.extend(
                        text::wrap(words, columns).into_iter().map(|line| Line::styled(line, theme.text)),
                    );
                }
                Block::Heading { level, words } => {
                    let style = if *level <= 2 { theme.title } else { theme.strong };
                    lines
                        .extend(text::wrap(words, columns).into_iter().map(|line| Line::styled(line, style)));
                }
                Block::Item { indent, mark, words } => {
                    let mark = if mark.is_empty() { theme.marks.bullet } else { mark };
                    let indent = " ".repeat((*indent).min(columns / 4));
                    let mut head = format!("{indent}{mark} ");
                    let hang = text::width(&head);
                    for line in text::wrap(words, columns.saturating_sub(hang)) {
                        lines.push(Line::from(vec![
                            Span::styled(std::mem::replace(&mut head, " ".repeat(hang)), theme.key),
                            Span::styled(line, theme.text),
                        ]));
                    }
                }
            }
        }
        lines
    }
}

/// The blocks of a text.
fn read(content: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in content.lines() {
        let (indent, words) = (line.len() - line.trim_start().len(), line.trim());
        let level = words.bytes().take_while(|b| *b == b'#').count();
        let block = if words.is_empty() {
            if matches!(blocks.last(), None | Some(Block::Gap)) {
                continue;
            }
            Block::Gap
        } else if (1..=6).contains(&level) && words[level..].starts_with(' ') {
            Block::Heading { level, words: words[level..].trim().trim_end_matches('#').trim_end().to_owned() }
        } else if words.len() >= 3 && words.bytes().all(|b| b == b'-') {
            Block::Rule
        } else if let Some((mark, words)) = item(words) {
            Block::Item { indent, mark, words: words.to_owned() }
        } else {
            match blocks.last_mut() {
                // A paragraph goes on, and so does an item whose next line is indented.
                Some(Block::Words(begun)) => {
                    join(begun, words);
                    continue;
                }
                Some(Block::Item { words: begun, .. }) if indent > 0 => {
                    join(begun, words);
                    continue;
                }
                _ => Block::Words(words.to_owned()),
            }
        };
        blocks.push(block);
    }
    if blocks.last() == Some(&Block::Gap) {
        blocks.pop();
    }
    blocks
}

/// The mark of a list's item, empty for a bullet, and its words.
fn item(line: &str) -> Option<(String, &str)> {
    if let Some(words) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return Some((String::new(), words.trim()));
    }
    let (number, words) = line.split_once(". ")?;
    let counts = (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    counts.then(|| (format!("{number}."), words.trim()))
}

/// Lets a line follow another: with a space, except between wide characters, which need none.
fn join(begun: &mut String, words: &str) {
    let wide = |c: Option<char>| c.is_some_and(|c| text::width(c.encode_utf8(&mut [0; 4])) > 1);
    if !(wide(begun.chars().next_back()) && wide(words.chars().next())) {
        begun.push(' ');
    }
    begun.push_str(words);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const GUIDE: &str = "# Welcome to Inkan\n\nAnyone may join who lives in Japan.\nIt costs nothing.\n\n\n## What you need\n\n\
        - an e-mail address\n- a postal address to which a letter can be sent, because your activation code\n  comes by mail\n\
        1. Apply.\n2. Wait for the letter.\n\n---\n\n日本語の案内は\n次のとおりです。\n";

    fn pager() -> Pager {
        Pager::new("Guide for members", &GUIDE.repeat(3))
    }

    #[test]
    fn it_is_read_on_every_screen() {
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            let shown = testing::draw(width, height, |ui| pager().view(ui, ui.area()));
            insta::assert_snapshot!(format!("pager-{width}x{height}"), shown);
        }
    }

    #[test]
    fn its_end_has_to_be_seen_to_have_been_read() {
        let mut pager = pager();
        let shown = |pager: &Pager| testing::draw(40, 12, |ui| pager.view(ui, ui.area()));
        assert!(shown(&pager).contains("lines 1 to 9 of") && !pager.was_read());
        for key in testing::keys("j<space>") {
            assert!(pager.press(key));
        }
        assert!(shown(&pager).contains("lines 10 to 18 of"), "{}", shown(&pager));
        for key in testing::keys("G<down>") {
            pager.press(key);
        }
        assert!(shown(&pager).contains("end") && pager.was_read());
        pager.press(testing::keys("g")[0]);
        assert!(shown(&pager).contains("lines 1 to 9 of") && pager.was_read());
        assert!(!pager.press(testing::keys("<enter>")[0]));
        let short = Pager::new("Guide", "One line.");
        assert!(shown(&short).contains("all of it") && short.was_read());
    }

    #[test]
    fn what_steers_a_terminal_is_not_shown() {
        let pager = Pager::new("Guide", "# a\x1b[2Jb\n\x1b]0;evil\x07text\u{202e}");
        assert_eq!(pager.text(), "# ab\ntext");
    }

    #[test]
    fn pagers_survive_any_size() {
        for (width, height) in testing::SIZES {
            let mut pager = pager();
            for key in testing::keys(" G<pgup>k") {
                testing::draw(width, height, |ui| pager.view(ui, ui.area()));
                pager.press(key);
            }
            testing::draw(width, height, |ui| Pager::new("", "").view(ui, ui.area()));
        }
    }
}
