//! Keys in memory: each on pages of its own, which the system is asked never to write to the swap.

use std::ops::Deref;

/// A value on pages of its own.
///
/// A page is locked and unlocked whole, so two values on one page would unlock each other. Where the system refuses the
/// lock (a low `RLIMIT_MEMLOCK`), the value is there all the same and [`Locked::held`] says so.
pub struct Locked<T> {
    value: Box<Page<T>>,
    lock: Option<region::LockGuard>,
}

/// 4096 is the page of the platforms that Inkan runs on; where pages are larger, neighbours share a lock.
#[repr(align(4096))]
struct Page<T>(Option<T>);

impl<T> Locked<T> {
    /// Moves a value to pages of its own and locks them.
    pub fn new(value: T) -> Self {
        let mut page = Box::new(Page(None));
        let lock = region::lock(&raw const *page, size_of::<Page<T>>()).ok();
        page.0 = Some(value);
        Self { value: page, lock }
    }

    /// Whether the system keeps the value out of the swap.
    pub fn held(&self) -> bool {
        self.lock.is_some()
    }
}

impl<T> Deref for Locked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.0.as_ref().expect("a value leaves its page only when it is dropped")
    }
}

impl<T> Drop for Locked<T> {
    fn drop(&mut self) {
        // The value wipes itself, then the page is unlocked, then given back.
        self.value.0 = None;
        self.lock = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_do_not_share_pages() {
        let [one, other] = [1u8, 2].map(Locked::new);
        let page = |value: &Locked<u8>| (&raw const *value.value).addr() / 4096;
        assert_ne!(page(&one), page(&other));
        assert_eq!((*one, *other), (1, 2));
    }
}
