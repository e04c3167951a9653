//! How a text of several lines lies in rows of a width.

use unicode_segmentation::UnicodeSegmentation;

use crate::text;

/// The part of a text that is seen in a given width and height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaWindow {
    /// The rows that are seen.
    pub lines: Vec<String>,
    /// The number of the line that begins on each row, from 1; none where a row goes on.
    pub numbers: Vec<Option<usize>>,
    /// In which column and row of it the cursor stands.
    pub cursor: (u16, u16),
    /// The first row that is seen.
    pub top: usize,
    /// How many rows there are in all.
    pub total: usize,
}

/// One row: a range of bytes without its line feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The line that begins here, from 1.
    number: Option<usize>,
}

impl AreaWindow {
    pub(super) fn new(
        content: &str,
        spans: &[Span],
        top: usize,
        rows: usize,
        columns: usize,
        (column, row): (usize, usize),
    ) -> Self {
        let seen = || spans.iter().skip(top).take(rows);
        let short = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        Self {
            // Spaces that hang over the edge are not seen.
            lines: seen()
                .map(|span| text::head(&content[span.start..span.end], columns).to_owned())
                .collect(),
            numbers: seen().map(|span| span.number).collect(),
            cursor: (short(column), short(row)),
            top,
            total: spans.len(),
        }
    }
}

/// The rows of a text: broken at line feeds, between words, around wide characters, and inside a word only when it is
/// longer than a row. Never empty.
pub(super) fn lay_out(content: &str, columns: usize) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = 0;
    for (line, number) in content.split('\n').zip(1..) {
        lay_out_line(line, start, number, columns, &mut spans);
        start += line.len() + 1;
    }
    spans
}

/// The row on which a place is drawn: where two meet, the later.
pub(super) fn row_of(spans: &[Span], at: usize) -> usize {
    spans.iter().rposition(|span| span.start <= at).unwrap_or(0)
}

fn lay_out_line(line: &str, offset: usize, number: usize, columns: usize, spans: &mut Vec<Span>) {
    let mut number = Some(number);
    let (mut start, mut used, mut break_at) = (0, 0, None);
    for (at, cluster) in line.grapheme_indices(true) {
        let wide = text::width(cluster);
        let space = cluster.chars().all(char::is_whitespace);
        if wide > 1 && at > start {
            break_at = Some(at);
        }
        // Spaces may hang over the edge; anything else begins a row, as does the word that it belongs to.
        if used + wide > columns && !space && at > start {
            let end = break_at.filter(|end| *end > start).unwrap_or(at);
            spans.push(Span { start: offset + start, end: offset + end, number: number.take() });
            start = end;
            used = text::width(&line[start..at]);
            break_at = None;
        }
        used += wide;
        if space || wide > 1 {
            break_at = Some(at + cluster.len());
        }
    }
    spans.push(Span { start: offset + start, end: offset + line.len(), number: number.take() });
}
