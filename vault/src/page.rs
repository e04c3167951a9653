//! Keys in memory: each on a page of its own, which the system is asked never to write to the swap.

use std::ops::Deref;

/// A value on a page of its own.
///
/// A page can be locked once and is unlocked whole, so two values on one page would unlock each other. Where the system
/// refuses the lock (a low `RLIMIT_MEMLOCK`), the value is there all the same and [`InPage::locked`] says so.
pub(crate) struct InPage<T> {
    value: Box<Page<T>>,
    lock: Option<region::LockGuard>,
}

/// 4096 is the page of the platforms that Inkan runs on; where pages are larger, neighbours share a lock.
#[repr(align(4096))]
struct Page<T>(Option<T>);

impl<T> InPage<T> {
    /// Moves a value to a page of its own and locks it.
    pub(crate) fn new(value: T) -> Self {
        let mut page = Box::new(Page(None));
        let lock = region::lock(&raw const *page, size_of::<Page<T>>()).ok();
        page.0 = Some(value);
        Self { value: page, lock }
    }

    /// Whether the system keeps the page out of the swap.
    pub(crate) fn locked(&self) -> bool {
        self.lock.is_some()
    }
}

impl<T> Deref for InPage<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.0.as_ref().expect("a value leaves its page only when it is dropped")
    }
}

impl<T> Drop for InPage<T> {
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
        let [one, other] = [1u8, 2].map(InPage::new);
        let page = |value: &InPage<u8>| (&raw const *value.value).addr() / 4096;
        assert_ne!(page(&one), page(&other));
        assert_eq!((*one, *other), (1, 2));
    }
}
