//! Rows that a copy shares with its original.
//!
//! Rows lie on boards; a copy takes the boards' addresses, and whoever changes a row first copies its board. So a copy
//! of a state of millions of payments costs microseconds to make, and memory only for what changes after it.

use std::sync::Arc;

use wire::id::EntryNumber;

/// How many bytes a board has, about: the price of the first change to it after a copy was made.
const BOARD_BYTES: usize = 32 << 10;

/// Rows, counted from 0.
#[derive(Clone)]
pub(super) struct Rows<T> {
    boards: Vec<Arc<Vec<T>>>,
    len: usize,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { boards: Vec::new(), len: 0 }
    }
}

impl<T: Clone> Rows<T> {
    /// Rows of a board: a power of two.
    const BOARD: usize = {
        let fit = BOARD_BYTES / if size_of::<T>() == 0 { 1 } else { size_of::<T>() };
        let most = if fit > 512 { 512 } else { fit };
        if most < 64 { 64 } else { 1 << (usize::BITS - 1 - most.leading_zeros()) }
    };

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, at: usize) -> Option<&T> {
        self.boards.get(at / Self::BOARD)?.get(at % Self::BOARD)
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        Self::own(self.boards.get_mut(at / Self::BOARD)?).get_mut(at % Self::BOARD)
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.boards.last()?.last()
    }

    pub(super) fn push(&mut self, row: T) {
        match self.boards.last_mut() {
            Some(board) if board.len() < Self::BOARD => Self::own(board).push(row),
            _ => {
                let mut board = Vec::with_capacity(Self::BOARD);
                board.push(row);
                self.boards.push(Arc::new(board));
            }
        }
        self.len += 1;
    }

    /// Makes them at least so many.
    pub(super) fn fill(&mut self, len: usize, row: &T) {
        while self.len < len {
            self.push(row.clone());
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.boards.iter().flat_map(|board| board.iter())
    }

    pub(super) fn iter_from(&self, at: usize) -> impl Iterator<Item = &T> {
        let boards = self.boards.get(at / Self::BOARD..).unwrap_or_default();
        boards.iter().flat_map(|board| board.iter()).skip(at % Self::BOARD)
    }

    /// How many rows at the beginning `before` says yes to, where it says no to all that follow.
    fn partition(&self, before: impl Fn(&T) -> bool) -> usize {
        let board = self.boards.partition_point(|board| board.last().is_some_and(&before));
        let within = self.boards.get(board).map_or(0, |board| board.partition_point(before));
        board * Self::BOARD + within
    }

    /// The board, not shared with a copy any more.
    fn own(board: &mut Arc<Vec<T>>) -> &mut Vec<T> {
        if Arc::get_mut(board).is_none() {
            // With room for all its rows, which a plain copy would not have.
            let mut own = Vec::with_capacity(Self::BOARD);
            own.extend_from_slice(board);
            *board = Arc::new(own);
        }
        Arc::make_mut(board)
    }
}

/// What entries made, by their numbers, ascending.
#[derive(Clone)]
pub(super) struct Series<T>(Rows<(EntryNumber, T)>);

impl<T> Default for Series<T> {
    fn default() -> Self {
        Self(Rows::default())
    }
}

impl<T: Clone> Series<T> {
    pub(super) fn get(&self, number: EntryNumber) -> Option<&T> {
        self.0.get(self.find(number)).filter(|(at, _)| *at == number).map(|(_, made)| made)
    }

    pub(super) fn get_mut(&mut self, number: EntryNumber) -> Option<&mut T> {
        let at = self.find(number);
        self.0.get(at).filter(|(at, _)| *at == number)?;
        self.0.get_mut(at).map(|(_, made)| made)
    }

    /// Adds what the newest entry made.
    pub(super) fn push(&mut self, number: EntryNumber, made: T) {
        debug_assert!(self.0.last().is_none_or(|(last, _)| *last < number));
        self.0.push((number, made));
    }

    pub(super) fn contains(&self, number: EntryNumber) -> bool {
        self.get(number).is_some()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (EntryNumber, &T)> {
        self.0.iter().map(|(number, made)| (*number, made))
    }

    fn find(&self, number: EntryNumber) -> usize {
        self.0.partition(|(at, _)| *at < number)
    }
}

/// Where in rows that ascend by a number the one of this number stands.
pub(super) fn place_of<T: Clone>(
    rows: &Rows<T>,
    number: EntryNumber,
    of: impl Fn(&T) -> EntryNumber,
) -> Option<usize> {
    let at = rows.partition(|row| of(row) < number);
    rows.get(at).is_some_and(|row| of(row) == number).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_does_not_see_what_changes_after_it() {
        let mut rows = Rows::default();
        for at in 0..5_000u64 {
            rows.push(at);
        }
        let copy = rows.clone();
        *rows.get_mut(777).unwrap() = 9;
        rows.push(5_000);
        assert_eq!((copy.get(777), copy.len(), copy.get(5_000)), (Some(&777), 5_000, None));
        assert_eq!((rows.get(777), rows.len(), rows.last()), (Some(&9), 5_001, Some(&5_000)));
        assert!(copy.iter().copied().eq(0..5_000));
        assert!(copy.iter_from(1_023).copied().eq(1_023..5_000));
        assert_eq!(copy.iter_from(9_999).count(), 0);
    }

    #[test]
    fn a_series_is_found_by_number() {
        let mut series = Series::default();
        for number in 0..3_000u64 {
            series.push(EntryNumber(3 * number + 1), number);
        }
        for number in 0..9_000u64 {
            let due = (number % 3 == 1).then_some(number / 3);
            assert_eq!(series.get(EntryNumber(number)).copied(), due);
        }
        *series.get_mut(EntryNumber(4)).unwrap() = 50;
        assert_eq!(series.iter().nth(1), Some((EntryNumber(4), &50)));
        assert!(series.get_mut(EntryNumber(5)).is_none());
    }
}
