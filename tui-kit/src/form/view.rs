//! How a form is drawn: labels beside fields, or above them where it is narrow; scrolled to the focus.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Form;
use super::field::{Field, Kind, Strength};
use crate::code;
use crate::text::{self, Align};
use crate::theme::Tone;
use crate::ui::Ui;

/// The widest column of labels.
const LABEL_COLUMNS_MAX: usize = 24;

/// Where less than this is left for the fields, labels stand above them.
const FIELD_COLUMNS_MIN: usize = 20;

/// The widest field for words, on one line and on several.
const WORDS_COLUMNS_MAX: u16 = 40;
const PROSE_COLUMNS_MAX: u16 = 60;

/// The most rows of a text of several lines, otherwise and while it is edited.
const PROSE_ROWS: usize = 2;
const PROSE_ROWS_FOCUSED: usize = 5;

/// The cells of a strength's bar for each step.
const STRENGTH_CELLS: usize = 3;

/// A line of the form, laid out but not yet placed.
struct Strip {
    line: Line<'static>,
    /// In which column the cursor stands, on the line that is edited.
    cursor: Option<u16>,
    /// Whether the line belongs to what has the focus.
    focused: bool,
}

impl Form {
    /// Draws the form, scrolled so that the field with the focus, its error and its hint are in sight.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        if area.is_empty() {
            return;
        }
        ui.takes(Self::KEYS);
        let strips = self.lay_out(ui, area.width);
        let top = self.scroll_to(&strips, area.height);
        for (strip, row) in strips.into_iter().skip(usize::from(top)).zip(area.rows()) {
            ui.line(row, strip.line);
            if let Some(column) = strip.cursor {
                ui.cursor(row.x.saturating_add(column).min(row.right().saturating_sub(1)), row.y);
            }
        }
    }

    fn lay_out(&self, ui: &Ui<'_, '_>, columns: u16) -> Vec<Strip> {
        let label_columns = self
            .fields
            .iter()
            .map(|field| text::width(&field.label))
            .max()
            .unwrap_or(0)
            .min(LABEL_COLUMNS_MAX);
        let narrow = usize::from(columns) < label_columns + 2 + FIELD_COLUMNS_MIN;
        let indent = if narrow { 0 } else { label_columns + 2 };
        let mut strips = Vec::new();
        for (at, field) in self.fields.iter().enumerate() {
            let focused = at == self.focus;
            lay_out_field(ui, field, focused, narrow, indent, columns, &mut strips);
        }
        let theme = ui.theme();
        let focused = self.focus == self.fields.len();
        let style = if focused { theme.selected } else { theme.text };
        strips.push(Strip { line: Line::default(), cursor: None, focused });
        strips.push(Strip {
            line: Line::from(vec![
                Span::raw(" ".repeat(indent)),
                Span::styled(format!("[ {} ]", text::clean(&self.button)), style),
            ]),
            cursor: None,
            focused,
        });
        strips
    }

    /// The first line in sight: as it was, moved no further than the focus needs.
    fn scroll_to(&self, strips: &[Strip], rows: u16) -> u16 {
        let line = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        let first = line(strips.iter().position(|strip| strip.focused).unwrap_or(0));
        let last = line(strips.iter().rposition(|strip| strip.focused).unwrap_or(0));
        let end = line(strips.len()).saturating_sub(rows);
        let lowest = (last + 1).saturating_sub(rows).min(first);
        let top = self.top.get().max(lowest).min(first).min(end);
        self.top.set(top);
        top
    }
}

fn lay_out_field(
    ui: &Ui<'_, '_>,
    field: &Field,
    focused: bool,
    narrow: bool,
    indent: usize,
    columns: u16,
    strips: &mut Vec<Strip>,
) {
    let theme = ui.theme();
    let label_style = if focused { theme.strong } else { theme.text };
    let label = text::clean(&field.label);
    let head = if narrow {
        let line = Line::styled(text::truncate(&label, usize::from(columns)).into_owned(), label_style);
        strips.push(Strip { line, cursor: None, focused });
        Span::raw("")
    } else {
        let label = text::fit(&label, indent.saturating_sub(2), Align::Left);
        Span::styled(format!("{label}  "), label_style)
    };
    let start = u16::try_from(indent).unwrap_or(u16::MAX);
    let room = columns.saturating_sub(start);
    if field.kind == Kind::Prose {
        lay_out_prose(ui, field, focused, head, start, room, strips);
    } else {
        let (mut spans, cursor) = lay_out_entry(ui, field, focused, room);
        spans.insert(0, head);
        let cursor = cursor.map(|column| start.saturating_add(column));
        strips.push(Strip { line: Line::from(spans), cursor, focused });
    }

    if let Some(strength) = &field.strength {
        lay_out_strength(ui, strength, focused, indent, room, strips);
    }
    let below = match &field.error {
        Some(error) => {
            let error = format!("{} {error}", theme.mark(Tone::Bad));
            Some((error, theme.bad))
        }
        None if focused && !field.hint.is_empty() => Some((field.hint.clone(), theme.dim)),
        None => None,
    };
    if let Some((words, style)) = below {
        for line in text::wrap(&text::clean(&words), usize::from(room)) {
            let line = Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(line, style)]);
            strips.push(Strip { line, cursor: None, focused });
        }
    }
}

/// The rows of a text of several lines: more of them while it is edited, with what Enter and Tab do.
fn lay_out_prose(
    ui: &Ui<'_, '_>,
    field: &Field,
    focused: bool,
    head: Span<'static>,
    start: u16,
    room: u16,
    strips: &mut Vec<Strip>,
) {
    let theme = ui.theme();
    let style = if focused { theme.field_focused } else { theme.field };
    let room = usize::from(room.min(PROSE_COLUMNS_MAX));
    let window = field.area.window(room, if focused { PROSE_ROWS_FOCUSED } else { PROSE_ROWS });
    let (column, cursor_row) = window.cursor;
    let indent = " ".repeat(usize::from(start));
    let mut head = Some(head);
    for (line, row) in window.lines.into_iter().zip(0..) {
        let rest = room.saturating_sub(text::width(&line));
        let head = head.take().unwrap_or_else(|| Span::raw(indent.clone()));
        let spans = vec![head, Span::styled(line, style), Span::styled("_".repeat(rest), theme.dim)];
        let cursor = (focused && room > 0 && row == cursor_row).then(|| start.saturating_add(column));
        strips.push(Strip { line: Line::from(spans), cursor, focused });
    }
    if focused {
        let (chars, most) = (field.area.chars() as u64, field.area.chars_max() as u64);
        let counted = format!("{} of {} characters", text::thousands(chars), text::thousands(most));
        let words = format!("{counted}; Enter begins a line, Tab goes on");
        for line in text::wrap(&words, room) {
            let line = Line::from(vec![Span::raw(indent.clone()), Span::styled(line, theme.dim)]);
            strips.push(Strip { line, cursor: None, focused });
        }
    }
}

/// A bar, a word and a sentence about a password.
fn lay_out_strength(
    ui: &Ui<'_, '_>,
    strength: &Strength,
    focused: bool,
    indent: usize,
    room: u16,
    strips: &mut Vec<Strip>,
) {
    let theme = ui.theme();
    let score = strength.score.min(Strength::SCORE_MAX);
    let bar = |mark: &str, count: u8| mark.repeat(usize::from(count) * STRENGTH_CELLS);
    let bar =
        format!("{}{}", bar(theme.marks.full, score), bar(theme.marks.empty, Strength::SCORE_MAX - score));
    let word = format!(" {score}/{} {}", Strength::SCORE_MAX, text::clean(&strength.word));
    let style = theme.tone(strength.tone());
    let pad = || Span::raw(" ".repeat(indent));
    let line = Line::from(vec![pad(), Span::styled(bar, style), Span::styled(word, style)]);
    strips.push(Strip { line, cursor: None, focused });
    for line in text::wrap(&text::clean(&strength.sentence), usize::from(room)) {
        let line = Line::from(vec![pad(), Span::styled(line, theme.dim)]);
        strips.push(Strip { line, cursor: None, focused });
    }
}

/// The part of a field that is edited, and where in it the cursor stands while it has the focus.
fn lay_out_entry(
    ui: &Ui<'_, '_>,
    field: &Field,
    focused: bool,
    room: u16,
) -> (Vec<Span<'static>>, Option<u16>) {
    let theme = ui.theme();
    let style = if focused { theme.field_focused } else { theme.field };
    let chosen = |words: &str| {
        let words = format!("{} {} {}", theme.marks.left, text::clean(words), theme.marks.right);
        vec![Span::styled(words, if focused { theme.selected } else { theme.text })]
    };
    match &field.kind {
        Kind::Choice(options) => {
            let shown = options.get(field.picked).map_or("", |(_, shown)| shown.as_str());
            let mut spans = chosen(shown);
            spans.push(Span::styled(format!("  {}/{}", field.picked + 1, options.len()), theme.dim));
            (spans, None)
        }
        Kind::Code { chars } => {
            let typed = field.editor.text();
            let missing = "_".repeat(chars.saturating_sub(typed.chars().count()));
            let shown = code::grouped(&format!("{typed}{missing}"));
            // The cursor's place in the code, and the separators before it.
            let at = usize::from(field.editor.window(chars + 1, "").cursor);
            let at = at + (at / code::GROUP).min(chars.saturating_sub(1) / code::GROUP);
            let at = u16::try_from(at.min(usize::from(room).saturating_sub(1))).unwrap_or(u16::MAX);
            (vec![Span::styled(shown, style)], (focused && room > 0).then_some(at))
        }
        Kind::Switch => (chosen(if field.picked == 1 { "yes" } else { "no" }), None),
        kind => {
            let (wanted, behind) = match kind {
                Kind::Number => (16, String::new()),
                Kind::Amount { currency, .. } => (16, format!(" {}", text::clean(currency))),
                Kind::Date => (12, String::new()),
                Kind::Phone => (24, String::new()),
                _ => (WORDS_COLUMNS_MAX, String::new()),
            };
            let room = room.saturating_sub(u16::try_from(text::width(&behind)).unwrap_or(0)).min(wanted);
            let window = field.editor.window(usize::from(room), theme.marks.mask);
            let rest = usize::from(room).saturating_sub(text::width(&window.text));
            // The empty part is drawn too: an underline alone is not seen everywhere.
            let spans = vec![
                Span::styled(window.text, style),
                Span::styled("_".repeat(rest), theme.dim),
                Span::styled(behind, theme.dim),
            ];
            (spans, (focused && room > 0).then_some(window.cursor))
        }
    }
}
