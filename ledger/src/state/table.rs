//! Tables that find by a key, and that a copy shares with its original as [`Rows`] are.
//!
//! Slots lie on small pages, and the table grows by one page at a time (linear hashing, Litwin 1980): no insertion ever
//! waits for the whole table to be moved. Where a slot lies depends on what was entered before it, so nothing may depend
//! on the order of a table; whatever is encoded is sorted first.
//!
//! Keys are hashes and public keys, mixed to 32 bits. Whoever grinds telegrams to share a page makes that one page
//! longer, and slows down little but the telegrams that land on it.

use std::sync::Arc;

use wire::{
    id::{ApplicationNumber, Digest, OrderHash, StoreNumber, TelegramId},
    key::VerificationKey,
};

use super::rows::Rows;

/// How many slots a page has on average.
const FILL: usize = 64;

/// Slots under 32-bit tags.
#[derive(Clone)]
pub(super) struct Table<S> {
    pages: Rows<Arc<Page<S>>>,
    len: usize,
    /// The page that is swept next.
    broom: usize,
}

#[derive(Clone)]
struct Page<S> {
    tags: Vec<u32>,
    slots: Vec<S>,
}

impl<S> Default for Table<S> {
    fn default() -> Self {
        Self { pages: Rows::default(), len: 0, broom: 0 }
    }
}

impl<S: Clone> Table<S> {
    /// A table of many slots at once, page after page, each under the tag that `tag` gives it. `same` says that two have one
    /// key; `None` where there are two such.
    pub(super) fn of(slots: &[S], tag: impl Fn(&S) -> u32, same: impl Fn(&S, &S) -> bool) -> Option<Self> {
        let mut table = Self::default();
        let pages = slots.len().div_ceil(FILL);
        // Page, tag and place of each: to tell a tag again may mean to look elsewhere for it.
        let mut order: Vec<(u32, u32, u32)> = Vec::with_capacity(slots.len());
        for (at, slot) in (0..).zip(slots) {
            let tag = tag(slot);
            order.push((u32::try_from(address(tag, pages)?).ok()?, tag, at));
        }
        order.sort_unstable();
        let mut rest = &order[..];
        for number in 0..pages {
            let here = rest.iter().take_while(|(address, ..)| *address as usize == number).count();
            let (these, others) = rest.split_at(here);
            let mut page = Page { tags: Vec::with_capacity(here), slots: Vec::with_capacity(here) };
            for (_, tag, at) in these {
                let slot = slots.get(*at as usize)?;
                if page.place(*tag, |other| same(other, slot)).is_some() {
                    return None;
                }
                page.tags.push(*tag);
                page.slots.push(slot.clone());
            }
            table.pages.push(Arc::new(page));
            rest = others;
        }
        table.len = slots.len();
        Some(table)
    }

    /// The slot that `is` says yes to, of those under a tag.
    pub(super) fn find(&self, tag: u32, is: impl Fn(&S) -> bool) -> Option<&S> {
        let page = self.pages.get(address(tag, self.pages.len())?)?;
        page.place(tag, is).map(|at| &page.slots[at])
    }

    /// Puts a slot in the place of the one that `is` says yes to, and gives that back, or else adds it.
    pub(super) fn put(&mut self, tag: u32, slot: S, is: impl Fn(&S) -> bool) -> Option<S> {
        if self.len >= self.pages.len() * FILL {
            self.split();
        }
        let address = address(tag, self.pages.len())?;
        let page = Arc::make_mut(self.pages.get_mut(address)?);
        if let Some(at) = page.place(tag, is) {
            return Some(std::mem::replace(&mut page.slots[at], slot));
        }
        page.tags.push(tag);
        page.slots.push(slot);
        self.len += 1;
        None
    }

    /// Drops what `keep` says no to from one page, each time from the next one.
    pub(super) fn sweep(&mut self, keep: impl Fn(&S) -> bool) {
        let Some(page) = self.pages.get(self.broom) else {
            self.broom = 0;
            return;
        };
        if !page.slots.iter().all(&keep) {
            // Only what changes is copied.
            if let Some(page) = self.pages.get_mut(self.broom) {
                let page = Arc::make_mut(page);
                let before = page.slots.len();
                let (tags, slots) = page.take();
                for (tag, slot) in tags.into_iter().zip(slots).filter(|(_, slot)| keep(slot)) {
                    page.tags.push(tag);
                    page.slots.push(slot);
                }
                self.len -= before - page.slots.len();
            }
        }
        self.broom += 1;
    }

    /// All slots, in no order that means anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = &S> {
        self.pages.iter().flat_map(|page| page.slots.iter())
    }

    /// Adds a page, and moves to it what is its own.
    fn split(&mut self) {
        let new = self.pages.len();
        let mut page = Page { tags: Vec::new(), slots: Vec::new() };
        if let Some(level) = new.checked_ilog2() {
            let half = 1usize << level;
            if let Some(old) = self.pages.get_mut(new - half) {
                let old = Arc::make_mut(old);
                let (tags, slots) = old.take();
                for (tag, slot) in tags.into_iter().zip(slots) {
                    let to = if tag as usize & (2 * half - 1) == new { &mut page } else { &mut *old };
                    to.tags.push(tag);
                    to.slots.push(slot);
                }
            }
        }
        self.pages.push(Arc::new(page));
    }
}

impl<S> Page<S> {
    fn place(&self, tag: u32, is: impl Fn(&S) -> bool) -> Option<usize> {
        let under = self.tags.iter().enumerate().filter(|(_, other)| **other == tag);
        under.map(|(at, _)| at).find(|at| is(&self.slots[*at]))
    }

    fn take(&mut self) -> (Vec<u32>, Vec<S>) {
        (std::mem::take(&mut self.tags), std::mem::take(&mut self.slots))
    }
}

/// The page of a tag among so many: with `n` pages, `n` from 2^k to below 2^(k+1), its last k + 1 bits, or its last k bits
/// where there is no such page yet.
fn address(tag: u32, pages: usize) -> Option<usize> {
    let half = 1usize << pages.checked_ilog2()?;
    let wide = tag as usize & (2 * half - 1);
    Some(if wide < pages { wide } else { wide - half })
}

/// What can be found by.
pub(super) trait Key: Copy + Eq {
    /// Its 32 bits.
    fn tag(&self) -> u32;
}

/// Values under keys.
#[derive(Clone)]
pub(super) struct Map<K, V>(Table<(K, V)>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(Table::default())
    }
}

impl<K: Key, V: Clone> Map<K, V> {
    /// Many at once; `None` where a key is there twice.
    pub(super) fn of(values: &[(K, V)]) -> Option<Self> {
        Table::of(values, |(key, _)| key.tag(), |(one, _), (other, _)| one == other).map(Self)
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.0.find(key.tag(), |(other, _)| other == key).map(|(_, value)| value)
    }

    /// Gives back what stood under the key.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.put(key.tag(), (key, value), |(other, _)| *other == key).map(|(_, former)| former)
    }

    /// As [`Table::sweep`].
    pub(super) fn sweep(&mut self, keep: impl Fn(&V) -> bool) {
        self.0.sweep(|(_, value)| keep(value));
    }

    /// All of them, in no order that means anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.0.iter()
    }

    /// All of them, ascending by something that no two share.
    pub(super) fn sorted<O: Ord>(&self, by: impl Fn(&(K, V)) -> O) -> Vec<&(K, V)> {
        let mut all: Vec<_> = self.iter().collect();
        all.sort_unstable_by_key(|it| by(it));
        all
    }
}

impl Key for TelegramId {
    fn tag(&self) -> u32 {
        mixed(0, &self.0)
    }
}

impl Key for Digest {
    fn tag(&self) -> u32 {
        mixed(0, &self.0)
    }
}

impl Key for VerificationKey {
    fn tag(&self) -> u32 {
        mixed(0, &self.0)
    }
}

impl Key for ApplicationNumber {
    fn tag(&self) -> u32 {
        mixed(self.0, &[])
    }
}

impl Key for (StoreNumber, OrderHash) {
    fn tag(&self) -> u32 {
        mixed(self.0.0, &self.1.0)
    }
}

/// Every bit of the tag depends on every bit of the key, whatever the key is made of.
fn mixed(start: u64, bytes: &[u8]) -> u32 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, _) = bytes.as_chunks::<8>();
    let fold = |sum: u64, word: u64| {
        let product = u128::from(sum ^ word ^ ODD) * u128::from(ODD);
        (product >> 64) as u64 ^ product as u64
    };
    let sum = words.iter().fold(fold(0, start), |sum, word| fold(sum, u64::from_le_bytes(*word)));
    (sum >> 32) as u32 ^ sum as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn key(number: u64) -> TelegramId {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        TelegramId(bytes)
    }

    #[test]
    fn finds_what_was_put_while_it_grows() {
        let mut map = Map::default();
        for number in 0..20_000u64 {
            assert_eq!(map.insert(key(number), number), None);
        }
        assert_eq!(map.insert(key(77), 1), Some(77));
        assert_eq!(map.insert(key(77), 77), Some(1));
        assert_eq!(map.0.len, 20_000);
        for number in 0..20_000 {
            assert_eq!(map.get(&key(number)), Some(&number));
        }
        assert_eq!(map.get(&key(20_000)), None);
        let longest = map.0.pages.iter().map(|page| page.slots.len()).max().unwrap();
        assert!(longest < 4 * FILL, "one page has {longest} slots");
        let sorted: Vec<u64> =
            map.sorted(|(_, number)| *number).into_iter().map(|(_, number)| *number).collect();
        assert!(sorted.into_iter().eq(0..20_000));
    }

    #[test]
    fn a_sweep_over_all_pages_drops_all_that_is_over_and_a_copy_keeps_it() {
        let mut map =
            Map::of(&(0..5_000u64).map(|number| (key(number), number)).collect::<Vec<_>>()).unwrap();
        let copy = map.clone();
        for _ in 0..=map.0.pages.len() {
            map.sweep(|number| number % 3 == 0);
        }
        let left: BTreeMap<u64, ()> = map.iter().map(|(_, number)| (*number, ())).collect();
        assert!(left.keys().copied().eq((0..5_000).step_by(3)));
        assert_eq!((map.0.len, copy.0.len, copy.get(&key(4))), (left.len(), 5_000, Some(&4)));
        assert_eq!(map.insert(key(4), 4), None);
        assert_eq!(map.get(&key(4)), Some(&4));
    }

    #[test]
    fn a_table_made_at_once_is_as_one_that_grew() {
        let all = || (0..3_000u64).map(|number| (key(number), number));
        let mut grown = Map::default();
        all().for_each(|(key, number)| assert_eq!(grown.insert(key, number), None));
        let mut made = Map::of(&all().collect::<Vec<_>>()).unwrap();
        assert_eq!(made.0.len, grown.0.len);
        for number in 3_000..4_000 {
            assert_eq!((made.insert(key(number), number), made.get(&key(number))), (None, Some(&number)));
        }
        assert!((0..4_000).all(|number| made.get(&key(number)) == Some(&number)));
        assert!(Map::of(&all().chain([(key(5), 5)]).collect::<Vec<_>>()).is_none());
    }

    #[test]
    fn an_empty_table_holds_nothing() {
        let mut map: Map<Digest, u8> = Map::of(&[]).unwrap();
        map.sweep(|_| false);
        assert_eq!((map.get(&Digest([0; 32])), map.0.len), (None, 0));
        assert_eq!(map.insert(Digest([0; 32]), 1), None);
        assert_eq!(map.get(&Digest([0; 32])), Some(&1));
    }
}
