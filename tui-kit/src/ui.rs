//! What a view draws on: a frame with the session's theme, abilities and moment.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use crate::app::Now;
use crate::keys::OwnKeys;
use crate::session::Abilities;
use crate::text;
use crate::theme::{Theme, Tone};

/// A frame being drawn for one session.
pub struct Ui<'f, 'b> {
    /// ratatui's frame, for any widget of its own.
    pub frame: &'f mut Frame<'b>,
    theme: &'f Theme,
    abilities: &'f Abilities,
    now: Now,
    own_keys: Vec<OwnKeys>,
}

/// The chrome around a page: one line at its head, one at its foot.
#[derive(Debug, Clone, Default)]
pub struct Page<'a> {
    /// Where the person is.
    pub title: &'a str,
    /// What stands at the right of the head: account, line state, time zone.
    pub status: &'a str,
    /// The key hints, usually [`crate::keys::Actions::footer`].
    pub footer: Line<'a>,
}

impl<'f, 'b> Ui<'f, 'b> {
    /// Wraps a frame.
    pub fn new(frame: &'f mut Frame<'b>, theme: &'f Theme, abilities: &'f Abilities, now: Now) -> Self {
        Self { frame, theme, abilities, now, own_keys: Vec::new() }
    }

    /// The session's styles. They live longer than the borrow of this frame.
    pub fn theme(&self) -> &'f Theme {
        self.theme
    }

    /// What the session's screen can do.
    pub fn abilities(&self) -> &'f Abilities {
        self.abilities
    }

    /// The moment of this frame.
    pub fn now(&self) -> Now {
        self.now
    }

    /// Says which keys a widget takes by itself; [`crate::keys::Keys::view`], called last, lists them in the help.
    pub fn takes(&mut self, keys: &[OwnKeys]) {
        for own in keys {
            if !self.own_keys.contains(own) {
                self.own_keys.push(*own);
            }
        }
    }

    /// The keys that the widgets of this frame take by themselves.
    pub(crate) fn own_keys(&self) -> &[OwnKeys] {
        &self.own_keys
    }

    /// The whole screen.
    pub fn area(&self) -> Rect {
        self.frame.area()
    }

    /// Draws a ratatui widget; nothing outside the screen is touched.
    pub fn widget(&mut self, area: Rect, widget: impl Widget) {
        let area = area.intersection(self.frame.area());
        if !area.is_empty() {
            self.frame.render_widget(widget, area);
        }
    }

    /// Empties an area, to draw over what is there. A wide character that reaches in from the left goes as a whole: its
    /// half would be drawn over what comes.
    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.frame.area());
        if let Some(x) = area.x.checked_sub(1).filter(|_| !area.is_empty()) {
            for y in area.top()..area.bottom() {
                let cell = &mut self.frame.buffer_mut()[(x, y)];
                if text::width(cell.symbol()) > 1 {
                    cell.set_symbol(" ");
                }
            }
        }
        self.widget(area, Clear);
    }

    /// Draws one line at the top of an area, cut with an ellipsis where it is too long.
    pub fn line<'l>(&mut self, area: Rect, line: impl Into<Line<'l>>) {
        let area = Rect { height: area.height.min(1), ..area };
        let line = cut(line.into(), usize::from(area.width));
        self.widget(area, line);
    }

    /// Draws lines from the top of an area as far as they fit.
    pub fn lines<'l>(&mut self, area: Rect, lines: impl IntoIterator<Item = Line<'l>>) {
        for (row, line) in area.rows().zip(lines) {
            self.line(row, line);
        }
    }

    /// Draws a text in a style on one line.
    pub fn styled(&mut self, area: Rect, text: &str, style: Style) {
        self.line(area, Line::styled(text::clean(text).into_owned(), style));
    }

    /// Draws a text wrapped to an area and returns the rows it took.
    pub fn paragraph(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        let lines = text::wrap(&text::clean_lines(text), usize::from(area.width));
        let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height);
        self.lines(area, lines.into_iter().map(|line| Line::styled(line, style)));
        rows
    }

    /// Puts the real cursor into a cell: the one that is edited. Input methods need it there.
    pub fn cursor(&mut self, x: u16, y: u16) {
        let area = self.frame.area();
        if area.contains(Position { x, y }) {
            self.frame.set_cursor_position((x, y));
        }
    }

    /// Draws a border with a title and returns what is inside. Where there is no room for a border, none is drawn.
    pub fn panel(&mut self, area: Rect, title: &str) -> Rect {
        if area.height < 3 || area.width < 4 {
            return area;
        }
        let title = text::truncate(&text::clean(title), usize::from(area.width) - 4).into_owned();
        let mut block = Block::bordered().border_style(self.theme.border);
        block = if self.abilities.unicode {
            block.border_type(BorderType::Rounded)
        } else {
            block.border_set(ASCII_BORDER)
        };
        if !title.is_empty() {
            block = block.title(Line::styled(format!(" {title} "), self.theme.title));
        }
        let inner = block.inner(area);
        self.widget(area, block);
        inner
    }

    /// Clears the middle of the screen for a dialogue of at most this size, with border and title, and returns what
    /// is inside.
    pub fn dialogue(&mut self, width: u16, height: u16, title: &str) -> Rect {
        let screen = self.area();
        let (width, height) = (width.min(screen.width), height.min(screen.height));
        let area = Rect {
            x: screen.x + (screen.width - width) / 2,
            y: screen.y + (screen.height - height) / 2,
            width,
            height,
        };
        self.clear(area);
        self.panel(area, title)
    }

    /// Draws the chrome of a page and returns the room between head and foot.
    pub fn page(&mut self, page: Page<'_>) -> Rect {
        let area = self.area();
        if area.height < 3 {
            return area;
        }
        let [head, body, foot] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(area);
        let columns = usize::from(head.width);
        let status = text::truncate(&text::clean(page.status), columns / 2).into_owned();
        let room = columns.saturating_sub(text::width(&status) + 3);
        let title = text::fit(&text::clean(page.title), room, text::Align::Left);
        self.line(head, Line::styled(format!(" {title} {status} "), self.theme.bar));
        self.line(foot, page.footer);
        body
    }

    /// Writes the page's footer, the last row, where it was not known when the page was begun.
    pub fn foot(&mut self, footer: Line<'_>) {
        let area = self.area();
        if area.height >= 3 {
            self.line(Rect { y: area.bottom() - 1, height: 1, ..area }, footer);
        }
    }

    /// A span in a tone, with its mark in front where the tone has one.
    pub fn toned(&self, tone: Tone, words: &str) -> Span<'static> {
        let mark = self.theme.mark(tone);
        let words = text::clean(words);
        let words = if mark.is_empty() { words.into_owned() } else { format!("{mark} {words}") };
        Span::styled(words, self.theme.tone(tone))
    }
}

/// Cuts a line of several spans to a width, with an ellipsis in the style of the span that was cut.
pub(crate) fn cut(line: Line<'_>, columns: usize) -> Line<'_> {
    let total: usize = line.spans.iter().map(|span| text::width(&span.content)).sum();
    if total <= columns {
        return line;
    }
    let mut left = columns;
    let mut kept = Vec::with_capacity(line.spans.len());
    for span in line.spans {
        let wide = text::width(&span.content);
        // The span that reaches the edge is cut one column early unless it is the last thing that fits exactly.
        if wide < left {
            left -= wide;
            kept.push(span);
            continue;
        }
        let cut = if wide == left {
            match left.checked_sub(1) {
                Some(room) => format!("{}…", text::head(&span.content, room)),
                None => String::new(),
            }
        } else {
            text::truncate(&span.content, left).into_owned()
        };
        kept.push(Span::styled(cut, span.style));
        break;
    }
    Line { spans: kept, ..line }
}

const ASCII_BORDER: ratatui::symbols::border::Set<'static> = ratatui::symbols::border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_line_of_spans_is_cut_as_a_whole() {
        let line = Line::from(vec![Span::raw("abc"), Span::raw("def"), Span::raw("g")]);
        let text = |columns| cut(line.clone(), columns).to_string();
        assert_eq!(text(7), "abcdefg");
        assert_eq!(text(6), "abcde…");
        assert_eq!(text(4), "abc…");
        assert_eq!(text(3), "ab…");
        assert_eq!(text(0), "");
    }

    #[test]
    fn a_page_keeps_title_and_status_apart() {
        let shown = testing::draw(30, 4, |ui| {
            let body = ui.page(Page { title: "Register", status: "No. 12-3", footer: Line::raw("q quit") });
            ui.line(body, "body");
        });
        insta::assert_snapshot!(shown, @r"
         Register            No. 12-3
        body

        q quit
        ");
    }

    #[test]
    fn a_dialogue_cuts_no_wide_character_in_half() {
        let shown = testing::draw(12, 5, |ui| {
            ui.lines(ui.area(), ["山田花子山田"; 5].map(Line::raw));
            ui.dialogue(6, 3, "");
        });
        insta::assert_snapshot!(shown, @r"
        山田花子山田
        山 ╭────╮ 田
        山 │    │ 田
        山 ╰────╯ 田
        山田花子山田
        ");
    }

    #[test]
    fn chrome_survives_any_size() {
        for (width, height) in testing::SIZES {
            testing::draw(width, height, |ui| {
                let body = ui.page(Page { title: "T", status: "S", footer: Line::raw("f") });
                let inner = ui.panel(body, "panel 日本語");
                ui.paragraph(inner, "words that wrap", ui.theme().text);
                let inner = ui.dialogue(40, 10, "dialogue");
                ui.line(inner, "x");
                ui.cursor(u16::MAX, 0);
            });
        }
    }
}
