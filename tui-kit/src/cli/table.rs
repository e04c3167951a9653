//! Rows for people: columns that line up by display width; with `--plain`, one `name: value` per line.

use std::io::{self, Write};

use super::Out;
use crate::text::{Align, clean, fit, width};

/// Rows under headings. The last column is not padded.
#[derive(Debug, Clone)]
pub struct Table {
    heads: &'static [(&'static str, Align)],
    rows: Vec<Vec<String>>,
    empty: &'static str,
}

impl Table {
    /// An empty table; `empty` is said where nothing comes to stand in it.
    pub fn new(heads: &'static [(&'static str, Align)], empty: &'static str) -> Self {
        Self { heads, rows: Vec::new(), empty }
    }

    /// One more row, a cell for each heading; each is made safe to show.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| clean(&cell).into_owned()).collect());
    }

    /// Writes it.
    ///
    /// # Errors
    /// When `to` takes nothing.
    pub fn write(&self, out: Out, to: &mut dyn Write) -> io::Result<()> {
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
        let columns: Vec<usize> = (0..self.heads.len())
            .map(|at| {
                let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell));
                cells.max().unwrap_or(0).max(width(self.heads[at].0))
            })
            .collect();
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

/// Writes labelled values below each other, each made safe to show on one line.
///
/// # Errors
/// When `to` takes nothing.
pub fn facts<'a>(to: &mut dyn Write, rows: impl IntoIterator<Item = (&'a str, String)>) -> io::Result<()> {
    let rows: Vec<(&str, String)> = rows.into_iter().collect();
    let column = rows.iter().map(|(label, _)| width(label)).max().unwrap_or(0);
    for (label, value) in rows {
        writeln!(to, "{}  {}", fit(label, column, Align::Left), clean(&value))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Form;

    fn written(form: Form, rows: &[[&str; 2]]) -> String {
        let mut table = Table::new(&[("Item", Align::Left), ("Price", Align::Right)], "Nothing is sold.");
        for row in rows {
            table.row(row.map(str::to_owned));
        }
        let mut bytes = Vec::new();
        table.write(Out { form }, &mut bytes).expect("memory takes everything");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn columns_line_up_by_display_width() {
        let rows = [["印鑑", "5 EUR"], ["seal", "12 EUR"]];
        assert_eq!(written(Form::Human, &rows), "Item  Price\n印鑑  5 EUR\nseal  12 EUR\n");
        assert_eq!(written(Form::Plain, &rows), "Item: 印鑑\nPrice: 5 EUR\n\nItem: seal\nPrice: 12 EUR\n\n");
        assert_eq!(written(Form::Human, &[]), "Nothing is sold.\n");
    }

    #[test]
    fn nothing_written_escapes_its_line() {
        assert!(!written(Form::Human, &[["a\u{1b}[2J\nb", "1"]]).contains('\u{1b}'));
        let mut bytes = Vec::new();
        facts(&mut bytes, [("Note", "one\ntwo".to_owned()), ("By", "Ada".to_owned())]).expect("written");
        assert_eq!(String::from_utf8(bytes).expect("text"), "Note  one two\nBy    Ada\n");
    }
}
