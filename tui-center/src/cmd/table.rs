//! Rows for people: columns that line up by display width; with `--plain`, one `name: value` per line.

use std::io::{self, Write};

use tui_kit::{
    cli::Out,
    text::{Align, clean, fit, width},
};

/// Rows under headings. The last column is not padded.
pub(super) struct Table {
    heads: &'static [(&'static str, Align)],
    rows: Vec<Vec<String>>,
    empty: &'static str,
}

impl Table {
    /// An empty table; `empty` is said where nothing comes to stand in it.
    pub(super) fn new(heads: &'static [(&'static str, Align)], empty: &'static str) -> Self {
        Self { heads, rows: Vec::new(), empty }
    }

    /// One more row, a cell for each heading.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.iter().map(|cell| clean(cell).into_owned()).collect());
    }

    /// Writes it.
    pub(super) fn write(&self, out: Out, to: &mut dyn Write) -> io::Result<()> {
        if self.rows.is_empty() {
            return writeln!(to, "{}", self.empty);
        }
        if out.is_plain() {
            for row in &self.rows {
                for ((head, _), cell) in self.heads.iter().zip(row) {
                    writeln!(to, "{head}: {cell}")?;
                }
                writeln!(to)?;
            }
            return Ok(());
        }
        let widest = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell));
            cells.max().unwrap_or(0).max(width(self.heads[at].0))
        };
        let columns: Vec<usize> = (0..self.heads.len()).map(widest).collect();
        let heads: Vec<String> = self.heads.iter().map(|(head, _)| (*head).to_owned()).collect();
        for row in std::iter::once(&heads).chain(&self.rows) {
            let last = row.len().saturating_sub(1);
            let cells = row.iter().enumerate().map(|(at, cell)| match self.heads.get(at) {
                Some((_, align)) if at < last => fit(cell, columns[at], *align),
                _ => cell.clone(),
            });
            writeln!(to, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// Writes labelled values below each other.
pub(super) fn facts<'a>(
    to: &mut dyn Write,
    rows: impl IntoIterator<Item = (&'a str, String)>,
) -> io::Result<()> {
    let rows: Vec<(&str, String)> = rows.into_iter().collect();
    let column = rows.iter().map(|(label, _)| width(label)).max().unwrap_or(0);
    for (label, value) in rows {
        writeln!(to, "{}  {}", fit(label, column, Align::Left), clean(&value))?;
    }
    Ok(())
}
