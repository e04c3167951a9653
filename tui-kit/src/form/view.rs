//! How a form is drawn: labels beside fields, or above them where it is narrow; scrolled to the focus.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Form;
use super::field::{Field, Kind};
use crate::text::{self, Align};
use crate::theme::Tone;
use crate::ui::Ui;

/// The widest column of labels.
const LABEL_COLUMNS_MAX: usize = 24;

/// Where less than this is left for the fields, labels stand above them.
const FIELD_COLUMNS_MIN: usize = 20;

/// The widest field for words.
const WORDS_COLUMNS_MAX: u16 = 40;

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
    let (mut spans, cursor) = lay_out_entry(ui, field, focused, room);
    spans.insert(0, head);
    let cursor = cursor.map(|column| start.saturating_add(column));
    strips.push(Strip { line: Line::from(spans), cursor, focused });

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
        Kind::Switch => (chosen(if field.picked == 1 { "yes" } else { "no" }), None),
        kind => {
            let (wanted, behind) = match kind {
                Kind::Number => (16, String::new()),
                Kind::Amount { currency, .. } => (16, format!(" {}", text::clean(currency))),
                Kind::Date => (12, String::new()),
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
