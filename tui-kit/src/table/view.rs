//! How a table is drawn.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Cell, Column, Rows, Table};
use crate::text::{self, Align};
use crate::ui::Ui;

/// Columns between two columns.
const GAP: u16 = 2;

/// Columns of the pointer before the selected row.
const POINTER: u16 = 2;

impl<K: Clone + PartialEq> Table<K> {
    /// Draws the table into an area: the filter while there is one, the header, the rows in sight.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect, rows: &(impl Rows<Key = K> + ?Sized)) {
        ui.takes(Self::KEYS);
        let mut lines = area.rows();
        if (self.typing || !self.filter.is_empty())
            && let Some(line) = lines.next()
        {
            self.view_filter(ui, line);
        }
        if self.shown() == 0 {
            let rest =
                lines.next().map_or(Rect::ZERO, |line| Rect { height: area.bottom() - line.y, ..line });
            let words = if self.total == 0 { self.empty } else { "nothing matches; Esc clears the filter" };
            ui.paragraph(rest, words, ui.theme().dim);
            return;
        }
        let layout = arrange(&self.columns, area.width);
        if self.columns.iter().any(|column| !column.title.is_empty())
            && area.height > 2
            && let Some(line) = lines.next()
        {
            let titles: Vec<Cell> = self.columns.iter().map(|column| column.title.into()).collect();
            self.view_row(ui, line, &titles, &layout, RowLook::Head);
        }
        let lines: Vec<Rect> = lines.collect();
        let top = self.scroll_to(lines.len());
        for (line, place) in lines.into_iter().zip(top..) {
            let Some(index) = self.index(place).filter(|index| *index < rows.len()) else { break };
            let look = if place == self.place { RowLook::Selected } else { RowLook::Plain };
            self.view_row(ui, line, &rows.cells(index), &layout, look);
        }
    }

    /// The first row in sight: as it was, moved no further than the selected row needs.
    fn scroll_to(&self, page: usize) -> usize {
        self.page.set(page);
        let page = page.max(1);
        let lowest = (self.place + 1).saturating_sub(page);
        let highest = self.place;
        let end = self.shown().saturating_sub(page);
        let top = self.top.get().clamp(lowest, highest).min(end.max(lowest));
        self.top.set(top);
        top
    }

    fn view_filter(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let theme = ui.theme();
        let counter = format!("{}/{}", self.shown(), self.total);
        let room = usize::from(area.width).saturating_sub(counter.len() + 2);
        let window = self.filter.window(room, theme.marks.mask);
        let style = if self.typing { theme.field_focused } else { theme.text };
        ui.line(
            area,
            Line::from(vec![
                Span::styled("/", theme.key),
                Span::styled(window.text.clone(), style),
                Span::raw(" ".repeat(room.saturating_sub(text::width(&window.text)) + 1)),
                Span::styled(counter, theme.dim),
            ]),
        );
        if self.typing {
            ui.cursor(area.x.saturating_add(1).saturating_add(window.cursor), area.y);
        }
    }

    fn view_row(
        &self,
        ui: &mut Ui<'_, '_>,
        area: Rect,
        cells: &[Cell],
        layout: &[Option<u16>],
        look: RowLook,
    ) {
        let theme = ui.theme();
        let base = match look {
            RowLook::Head => theme.dim,
            RowLook::Selected => theme.selected,
            RowLook::Plain => theme.text,
        };
        let pointer = if look == RowLook::Selected { theme.marks.pointer } else { " " };
        let mut spans = vec![Span::styled(format!("{pointer} "), base)];
        let shown =
            self.columns.iter().zip(cells).zip(layout).filter_map(|(pair, width)| Some((pair, (*width)?)));
        for (at, ((column, cell), width)) in shown.enumerate() {
            if at > 0 {
                spans.push(Span::styled(" ".repeat(usize::from(GAP)), base));
            }
            let mark = theme.mark(cell.tone);
            let words = text::clean(&cell.text);
            let words = if mark.is_empty() { words.into_owned() } else { format!("{mark} {words}") };
            let style = if look == RowLook::Plain { base.patch(theme.tone(cell.tone)) } else { base };
            spans.push(Span::styled(text::fit(&words, usize::from(width), column.align), style));
        }
        if look == RowLook::Selected {
            // The bar reaches to the edge, so that it is seen as one row.
            let used: usize = spans.iter().map(|span| text::width(&span.content)).sum();
            spans.push(Span::styled(
                text::fit("", usize::from(area.width).saturating_sub(used), Align::Left),
                base,
            ));
        }
        ui.line(area, Line::from(spans));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RowLook {
    Head,
    Selected,
    Plain,
}

/// The width of each column; none for one that is left out because others count more.
fn arrange(columns: &[Column], width: u16) -> Vec<Option<u16>> {
    let room = width.saturating_sub(POINTER);
    let mut layout: Vec<Option<u16>> = columns.iter().map(|column| Some(column.columns_min)).collect();
    let needed = |layout: &[Option<u16>]| {
        let shown = layout.iter().flatten();
        let gaps =
            GAP.saturating_mul(u16::try_from(shown.clone().count().saturating_sub(1)).unwrap_or(u16::MAX));
        shown.fold(gaps, |sum, width| sum.saturating_add(*width))
    };
    while needed(&layout) > room {
        let least = (0..columns.len())
            .filter(|at| layout[*at].is_some() && columns[*at].rank > 0)
            .max_by_key(|at| columns[*at].rank);
        let Some(least) = least else { break };
        layout[least] = None;
    }
    let left = room.saturating_sub(needed(&layout));
    let growing: Vec<usize> =
        (0..columns.len()).filter(|at| columns[*at].grows && layout[*at].is_some()).collect();
    let count = u16::try_from(growing.len()).unwrap_or(u16::MAX);
    for (at, place) in growing.iter().zip(0u16..) {
        // What doesn't divide evenly goes to the first.
        let share = left / count + u16::from(place < left % count);
        layout[*at] = layout[*at].map(|width| width + share);
    }
    layout
}

#[cfg(test)]
mod tests {
    use super::super::rows;
    use super::*;
    use crate::testing;
    use crate::theme::Tone;

    fn columns() -> [Column; 4] {
        [
            Column::fixed("Date", 8).rank(1),
            Column::growing("Store", 6),
            Column::growing("State", 10).rank(2),
            Column::fixed("Amount", 9).right(),
        ]
    }

    fn shown(width: u16, height: u16) -> String {
        let items = [
            ("26/11/22", "佐藤書店 Sato Books", Tone::Good, "settled", "12,000"),
            ("26/11/21", "Corner\u{1b}[2J shop", Tone::Warn, "unknown", "980"),
        ];
        let rows = rows(
            &items,
            |item| item.0,
            |item| vec![item.0.into(), item.1.into(), Cell::toned(item.2, item.3), item.4.into()],
        );
        let mut table = Table::new(columns(), "No purchases yet.  b  goes to the stores.");
        table.refresh(&rows);
        testing::draw(width, height, |ui| table.view(ui, ui.area(), &rows))
    }

    #[test]
    fn columns_line_up_and_give_way() {
        insta::assert_snapshot!(shown(60, 3), @r"
          Date      Store             State                   Amount
        ▸ 26/11/22  佐藤書店 Sato B…  ✓ settled               12,000
          26/11/21  Corner shop       ! unknown                  980
        ");
        insta::assert_snapshot!(shown(34, 3), @r"
          Date      Store           Amount
        ▸ 26/11/22  佐藤書店 S…     12,000
          26/11/21  Corner shop        980
        ");
        insta::assert_snapshot!(shown(20, 3), @r"
          Store       Amount
        ▸ 佐藤書…     12,000
          Corner…        980
        ");
    }

    #[test]
    fn an_empty_table_says_what_would_be_here() {
        let none: [u8; 0] = [];
        let table: Table<u8> = Table::new(columns(), "No purchases yet.  b  goes to the stores.");
        let shown = testing::draw(24, 4, |ui| {
            table.view(ui, ui.area(), &rows(&none, |n| *n, |_| Vec::new()));
        });
        insta::assert_snapshot!(shown, @r"
        No purchases yet.  b
        goes to the stores.
        ");
    }

    #[test]
    fn tables_survive_any_size() {
        for (width, height) in testing::SIZES {
            shown(width, height);
        }
    }
}
