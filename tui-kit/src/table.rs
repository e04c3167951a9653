//! A table of rows to choose from: virtual, filtered as one types, with the selection kept by key.
//!
//! The rows stay where they are; [`Rows`] says how many there are and what one looks like. Only those in sight are
//! ever formatted, so a hundred thousand are as fast as ten. After the rows have changed, call [`Table::refresh`]:
//! the selection stays on the row with the same key.
//!
//! A screen hands a key to the table first while [`Table::is_typing`], and otherwise what its actions leave free.

mod view;

use std::cell;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::edit::Editor;
use crate::keys::OwnKeys;
use crate::text::Align;
use crate::theme::Tone;

/// Rows of the page that Ctrl-U and Ctrl-D move by before the table was drawn once.
const PAGE_ROWS: usize = 10;

/// What a table shows.
pub trait Rows {
    /// What tells one row from all others, also after a refresh.
    type Key: Clone + PartialEq;

    /// How many rows there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A row's key.
    fn key(&self, index: usize) -> Self::Key;

    /// A row's cells, one per column.
    fn cells(&self, index: usize) -> Vec<Cell>;

    /// Whether a row stays under a filter; `needle` is in lower case. By default: when one of its cells contains it.
    fn matches(&self, index: usize, needle: &str) -> bool {
        self.cells(index).iter().any(|cell| cell.text.to_lowercase().contains(needle))
    }
}

/// What stands in one cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// The words; cleaned when drawn.
    pub text: String,
    /// What they say besides. A tone with a mark puts the mark in front.
    pub tone: Tone,
}

impl Cell {
    /// Words in a tone.
    pub fn toned(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    title: &'static str,
    align: Align,
    columns_min: u16,
    grows: bool,
    rank: u8,
}

impl Column {
    /// A column of exactly so many display columns.
    pub fn fixed(title: &'static str, columns: u16) -> Self {
        Self { title, align: Align::Left, columns_min: columns, grows: false, rank: 0 }
    }

    /// A column that takes what the others leave, but no less than so many display columns.
    pub fn growing(title: &'static str, columns_min: u16) -> Self {
        Self { grows: true, ..Self::fixed(title, columns_min) }
    }

    /// Flush right: numbers.
    pub fn right(self) -> Self {
        Self { align: Align::Right, ..self }
    }

    /// Left out where there is no room; the highest rank goes first. Columns without a rank stay.
    pub fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}

/// What a key has done to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pressed<K> {
    /// The selection or the filter changed, or the key was used up otherwise.
    Taken,
    /// This row is to be opened.
    Open(K),
    /// The table has no use for the key.
    Free,
}

/// The state of a table: selection, scrolling, filter.
#[derive(Debug, Clone)]
pub struct Table<K> {
    columns: Vec<Column>,
    empty: &'static str,
    selected: Option<K>,
    /// The selected row's place among those shown.
    place: usize,
    /// The rows that match the filter; none without a filter.
    matching: Option<Vec<usize>>,
    total: usize,
    filter: Editor,
    typing: bool,
    follow: bool,
    /// What the last drawing found out: the first row in sight and how many fit. Nothing but scrolling reads it.
    top: cell::Cell<usize>,
    page: cell::Cell<usize>,
}

impl<K: Clone + PartialEq> Table<K> {
    /// The keys that it takes by itself, besides those of its actions.
    pub const KEYS: &'static [OwnKeys] = &[
        OwnKeys { keys: "/", label: "Filter", help: "Shows only rows with these words; Esc clears it." },
        OwnKeys { keys: "Up Down k j", label: "Move", help: "One row up or down." },
        OwnKeys { keys: "PgUp PgDn", label: "Page", help: "One page up or down." },
        OwnKeys { keys: "Home End g G", label: "Ends", help: "The first or the last row." },
    ];

    /// An empty table. `empty` says what would be here and the key that starts it.
    pub fn new(columns: impl IntoIterator<Item = Column>, empty: &'static str) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            empty,
            selected: None,
            place: 0,
            matching: None,
            total: 0,
            filter: Editor::new(100),
            typing: false,
            follow: false,
            top: cell::Cell::new(0),
            page: cell::Cell::new(PAGE_ROWS),
        }
    }

    /// While the first row is selected, the selection stays on the first row instead of moving away with its key: for
    /// a list whose news come at its top.
    pub fn following(self) -> Self {
        Self { follow: true, ..self }
    }

    /// Takes note that the rows have changed.
    pub fn refresh(&mut self, rows: &(impl Rows<Key = K> + ?Sized)) {
        self.total = rows.len();
        self.refilter(rows);
        if self.follow && self.place == 0 {
            self.select(rows, 0);
            return;
        }
        let found = self.selected.as_ref().and_then(|key| {
            // Most often it has not moved far; the whole is searched only when it is not where it was.
            let here = |place: usize| self.index(place).is_some_and(|index| rows.key(index) == *key);
            if here(self.place) { Some(self.place) } else { (0..self.shown()).find(|place| here(*place)) }
        });
        self.select(rows, found.unwrap_or(self.place));
    }

    /// Takes a key: movement (arrows, `j` `k` `g` `G`, pages), `/` for the filter, Enter to open.
    pub fn press(&mut self, key: KeyEvent, rows: &(impl Rows<Key = K> + ?Sized)) -> Pressed<K> {
        if self.typing {
            return self.press_filter(key, rows);
        }
        let page = self.page.get().max(1);
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let last = self.shown().saturating_sub(1);
        let target = match key.code {
            KeyCode::Char('u') if ctrl => self.place.saturating_sub(page.div_ceil(2)),
            KeyCode::Char('d') if ctrl => self.place + page.div_ceil(2),
            KeyCode::Char('b') if ctrl => self.place.saturating_sub(page),
            KeyCode::Char('f') if ctrl => self.place + page,
            _ if ctrl || key.modifiers.contains(KeyModifiers::ALT) => return Pressed::Free,
            KeyCode::Up | KeyCode::Char('k') => self.place.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.place + 1,
            KeyCode::PageUp => self.place.saturating_sub(page),
            KeyCode::PageDown => self.place + page,
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => last,
            KeyCode::Char('/') => {
                self.typing = true;
                return Pressed::Taken;
            }
            KeyCode::Esc if !self.filter.is_empty() => {
                self.clear_filter(rows);
                return Pressed::Taken;
            }
            KeyCode::Enter => return self.selected.clone().map_or(Pressed::Free, Pressed::Open),
            _ => return Pressed::Free,
        };
        self.select(rows, target);
        Pressed::Taken
    }

    /// Pastes into the filter while it is being typed; false otherwise.
    pub fn paste(&mut self, pasted: &str, rows: &(impl Rows<Key = K> + ?Sized)) -> bool {
        if self.typing {
            self.filter.paste(pasted);
            self.refilter_and_select(rows);
        }
        self.typing
    }

    /// The key of the selected row.
    pub fn selected(&self) -> Option<&K> {
        self.selected.as_ref()
    }

    /// The index of the selected row.
    pub fn selected_index(&self) -> Option<usize> {
        self.index(self.place)
    }

    /// Selects the row with a key; false where it is not shown.
    pub fn select_key(&mut self, key: &K, rows: &(impl Rows<Key = K> + ?Sized)) -> bool {
        let found =
            (0..self.shown()).find(|place| self.index(*place).is_some_and(|index| rows.key(index) == *key));
        if let Some(place) = found {
            self.select(rows, place);
        }
        found.is_some()
    }

    /// Begins typing the filter, as `/` does: for a screen that lists it among its actions.
    pub fn open_filter(&mut self) {
        self.typing = true;
    }

    /// Whether the filter is being typed: the table then gets every key first.
    pub fn is_typing(&self) -> bool {
        self.typing
    }

    /// The filter's words; empty without one.
    pub fn filter(&self) -> &str {
        self.filter.text()
    }

    /// Filters by these words, as if they were typed.
    pub fn set_filter(&mut self, words: &str, rows: &(impl Rows<Key = K> + ?Sized)) {
        self.filter.set(words);
        self.refilter_and_select(rows);
    }

    /// How many rows are shown under the filter.
    pub fn shown(&self) -> usize {
        self.matching.as_ref().map_or(self.total, Vec::len)
    }

    fn press_filter(&mut self, key: KeyEvent, rows: &(impl Rows<Key = K> + ?Sized)) -> Pressed<K> {
        match key.code {
            KeyCode::Esc => {
                self.typing = false;
                self.clear_filter(rows);
            }
            KeyCode::Enter => self.typing = false,
            KeyCode::Up => self.select(rows, self.place.saturating_sub(1)),
            KeyCode::Down => self.select(rows, self.place + 1),
            KeyCode::Backspace if self.filter.is_empty() => self.typing = false,
            _ => {
                if !self.filter.press(key) {
                    return Pressed::Free;
                }
                self.refilter_and_select(rows);
            }
        }
        Pressed::Taken
    }

    fn clear_filter(&mut self, rows: &(impl Rows<Key = K> + ?Sized)) {
        self.filter.clear();
        self.refresh(rows);
    }

    /// While words are typed, the best place to be is the first match, unless the selected row matches too.
    fn refilter_and_select(&mut self, rows: &(impl Rows<Key = K> + ?Sized)) {
        self.refilter(rows);
        let kept = self.selected.clone().is_some_and(|key| self.select_key(&key, rows));
        if !kept {
            self.select(rows, 0);
        }
    }

    fn refilter(&mut self, rows: &(impl Rows<Key = K> + ?Sized)) {
        let needle = self.filter.text().trim().to_lowercase();
        self.matching = (!needle.is_empty())
            .then(|| (0..rows.len()).filter(|index| rows.matches(*index, &needle)).collect());
        self.total = rows.len();
    }

    fn select(&mut self, rows: &(impl Rows<Key = K> + ?Sized), place: usize) {
        self.place = place.min(self.shown().saturating_sub(1));
        // A caller that has shortened the rows without a refresh finds nothing selected rather than a panic.
        self.selected =
            self.index(self.place).filter(|index| *index < rows.len()).map(|index| rows.key(index));
    }

    /// The row at a place among those shown.
    fn index(&self, place: usize) -> Option<usize> {
        match &self.matching {
            Some(matching) => matching.get(place).copied(),
            None => (place < self.total).then_some(place),
        }
    }
}

/// Rows out of a slice and two functions.
#[derive(Clone, Copy)]
pub struct Slice<'a, T, K, C> {
    items: &'a [T],
    key: K,
    cells: C,
}

/// Rows out of a slice: `rows(&self.items, |item| item.id, |item| vec![item.name.clone().into()])`.
pub fn rows<T, Id, K, C>(items: &[T], key: K, cells: C) -> Slice<'_, T, K, C>
where
    K: Fn(&T) -> Id,
    C: Fn(&T) -> Vec<Cell>,
{
    Slice { items, key, cells }
}

impl<T, Id, K, C> Rows for Slice<'_, T, K, C>
where
    Id: Clone + PartialEq,
    K: Fn(&T) -> Id,
    C: Fn(&T) -> Vec<Cell>,
{
    type Key = Id;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn key(&self, index: usize) -> Id {
        (self.key)(&self.items[index])
    }

    fn cells(&self, index: usize) -> Vec<Cell> {
        (self.cells)(&self.items[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    struct Many(usize);

    impl Rows for Many {
        type Key = usize;

        fn len(&self) -> usize {
            self.0
        }

        fn key(&self, index: usize) -> usize {
            index
        }

        fn cells(&self, index: usize) -> Vec<Cell> {
            vec![format!("row {index}").into(), crate::text::thousands(index as u64).into()]
        }
    }

    fn table() -> Table<usize> {
        Table::new(
            [Column::growing("Name", 8), Column::fixed("Number", 9).right()],
            "No rows yet.  n  makes one.",
        )
    }

    fn press(table: &mut Table<usize>, rows: &Many, script: &str) -> Pressed<usize> {
        let mut last = Pressed::Free;
        for key in testing::keys(script) {
            last = table.press(key, rows);
        }
        last
    }

    #[test]
    fn movement_reaches_every_row_and_stops_at_the_ends() {
        let (mut table, rows) = (table(), Many(100_000));
        table.refresh(&rows);
        for (script, place) in [
            ("<up>", 0),
            ("j<down>", 2),
            ("k", 1),
            ("G", 99_999),
            ("<down>", 99_999),
            ("<pgup>", 99_989),
            ("g", 0),
        ] {
            assert_eq!(press(&mut table, &rows, script), Pressed::Taken);
            assert_eq!(table.selected(), Some(&place), "{script}");
        }
        assert_eq!(press(&mut table, &rows, "j<enter>"), Pressed::Open(1));
        assert_eq!(press(&mut table, &rows, "x"), Pressed::Free);
        assert_eq!(press(&mut table, &rows, "<esc>"), Pressed::Free);
    }

    #[test]
    fn the_filter_counts_and_esc_clears() {
        let (mut table, rows) = (table(), Many(120));
        table.refresh(&rows);
        press(&mut table, &rows, "/11");
        assert!(table.is_typing());
        // 11, and 110 to 119.
        assert_eq!((table.shown(), table.selected()), (11, Some(&11)));
        insta::assert_snapshot!(testing::draw(30, 5, |ui| table.view(ui, ui.area(), &rows)), @r"
        /11                     11/120
          Name                  Number
        ▸ row 11                    11
          row 110                  110
          row 111                  111
        ");
        assert_eq!(press(&mut table, &rows, "<enter><down><enter>"), Pressed::Open(110));
        press(&mut table, &rows, "<esc>");
        assert_eq!((table.shown(), table.selected()), (120, Some(&110)));
        press(&mut table, &rows, "/zzz");
        assert_eq!((table.shown(), table.selected()), (0, None));
        assert!(testing::draw(30, 5, |ui| table.view(ui, ui.area(), &rows)).contains("nothing matches"));
    }

    #[test]
    fn the_selection_stays_with_its_key() {
        let mut items = vec!["a", "b", "c"];
        let view = |items: &[&'static str]| items.to_vec();
        let mut table: Table<&str> = Table::new([Column::growing("Name", 3)], "Nothing.");
        let refresh = |table: &mut Table<&'static str>, items: &[&'static str]| {
            table.refresh(&rows(items, |item| *item, |item| vec![(*item).into()]));
        };
        refresh(&mut table, &view(&items));
        table.select_key(&"b", &rows(&items, |item| *item, |item| vec![(*item).into()]));
        items.insert(0, "new");
        refresh(&mut table, &view(&items));
        assert_eq!((table.selected(), table.selected_index()), (Some(&"b"), Some(2)));
        items.retain(|item| *item != "b");
        refresh(&mut table, &view(&items));
        assert_eq!(table.selected(), Some(&"c"), "a row that is gone leaves its place to the next");
        items.clear();
        refresh(&mut table, &view(&items));
        assert_eq!(table.selected(), None);
    }

    #[test]
    fn news_at_the_top_are_followed_only_from_the_top() {
        let mut table: Table<u32> = Table::new([Column::growing("N", 3)], "Nothing.").following();
        let items = |newest: u32| (0..=newest).rev().collect::<Vec<_>>();
        let refresh = |table: &mut Table<u32>, items: &[u32]| {
            table.refresh(&rows(items, |n| *n, |n| vec![n.to_string().into()]));
        };
        refresh(&mut table, &items(3));
        refresh(&mut table, &items(4));
        assert_eq!(table.selected(), Some(&4));
        table.press(KeyEvent::from(KeyCode::Down), &rows(&items(4), |n| *n, |n| vec![n.to_string().into()]));
        refresh(&mut table, &items(5));
        assert_eq!(table.selected(), Some(&3));
    }
}
