//! How much a visitor's address may ask for.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Connections in all.
const CONNECTIONS_MAX: usize = 1_024;
/// Connections from one address.
const CONNECTIONS_PER_ADDRESS_MAX: usize = 128;
/// Requests from one address, by the second; ten times as many in a burst.
const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(500).expect("not zero");
/// Orders from one address, by the second: each is a synced write.
const ORDERS_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).expect("not zero");
/// Orders from one address in a burst.
const ORDERS_BURST: NonZeroU32 = NonZeroU32::new(400).expect("not zero");
/// Pick-up codes from one address that were none, before no more are heard.
const MISSES_MAX: u32 = 10;
/// How long misses count, from the first of them. With a code's forty bits and all offers open that there can be, whoever
/// guesses from one address meets a sale once in a hundred years.
const MISSES_COUNT: Duration = Duration::from_secs(10 * 60);
/// After so many new connections, addresses that have not asked for anything lately are forgotten.
const FORGET_EVERY: usize = 1_000;

/// The counters of every address.
#[derive(Debug)]
pub(super) struct Limits {
    connections: Arc<Mutex<Connections>>,
    requests: DefaultKeyedRateLimiter<IpAddr>,
    orders: DefaultKeyedRateLimiter<IpAddr>,
    misses: Mutex<HashMap<IpAddr, Misses>>,
}

/// Pick-up codes from one address that were none.
#[derive(Debug, Clone, Copy)]
struct Misses {
    since: Instant,
    count: u32,
}

#[derive(Debug, Default)]
struct Connections {
    by_address: HashMap<IpAddr, usize>,
    open: usize,
    ever: usize,
}

/// A connection's place; dropping it makes room for another.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Mutex<Connections>>,
    address: IpAddr,
}

impl Limits {
    pub(super) fn new() -> Self {
        let burst = REQUESTS_PER_SECOND.saturating_mul(NonZeroU32::new(10).unwrap_or(NonZeroU32::MIN));
        Self {
            connections: Arc::default(),
            requests: RateLimiter::keyed(Quota::per_second(REQUESTS_PER_SECOND).allow_burst(burst)),
            orders: RateLimiter::keyed(Quota::per_second(ORDERS_PER_SECOND).allow_burst(ORDERS_BURST)),
            misses: Mutex::default(),
        }
    }

    /// A place for a connection, if there is room.
    pub(super) fn place(&self, address: IpAddr) -> Option<Place> {
        let address = group(address);
        let mut connections = lock(&self.connections);
        connections.ever += 1;
        if connections.ever.is_multiple_of(FORGET_EVERY) {
            self.requests.retain_recent();
            self.orders.retain_recent();
            lock(&self.misses).retain(|_, misses| misses.since.elapsed() < MISSES_COUNT);
        }
        // Who is turned away leaves no trace: a flood from many addresses must not fill the memory.
        let here = connections.by_address.get(&address).copied().unwrap_or(0);
        if connections.open >= CONNECTIONS_MAX || here >= CONNECTIONS_PER_ADDRESS_MAX {
            return None;
        }
        connections.by_address.insert(address, here + 1);
        connections.open += 1;
        drop(connections);
        Some(Place { connections: self.connections.clone(), address })
    }

    /// Whether one more request is heard now.
    pub(super) fn request(&self, address: IpAddr) -> bool {
        self.requests.check_key(&group(address)).is_ok()
    }

    /// Whether one more order is taken now.
    pub(super) fn order(&self, address: IpAddr) -> bool {
        self.orders.check_key(&group(address)).is_ok()
    }

    /// Whether one more pick-up code is heard now.
    pub(super) fn may_try(&self, address: IpAddr) -> bool {
        let misses = lock(&self.misses).get(&group(address)).copied();
        misses.is_none_or(|misses| misses.count < MISSES_MAX || misses.since.elapsed() >= MISSES_COUNT)
    }

    /// A pick-up code was none.
    pub(super) fn missed(&self, address: IpAddr) {
        let fresh = Misses { since: Instant::now(), count: 0 };
        let mut all = lock(&self.misses);
        let misses = all.entry(group(address)).or_insert(fresh);
        if misses.since.elapsed() >= MISSES_COUNT {
            *misses = fresh;
        }
        misses.count = misses.count.saturating_add(1);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut connections = lock(&self.connections);
        connections.open -= 1;
        if let Some(here) = connections.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                connections.by_address.remove(&self.address);
            }
        }
    }
}

/// One holder of addresses: of IPv6, where everyone has billions, the network of 64 bits.
fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

fn lock<T>(counted: &Mutex<T>) -> MutexGuard<'_, T> {
    counted.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place() {
        let limits = Limits::new();
        let (greedy, other) = ("2001:db8::1".parse().unwrap(), "2001:db9::1".parse().unwrap());
        let mut places: Vec<Place> =
            (0..CONNECTIONS_PER_ADDRESS_MAX).filter_map(|_| limits.place(greedy)).collect();
        assert_eq!(places.len(), CONNECTIONS_PER_ADDRESS_MAX);
        assert!(limits.place("2001:db8::ffff".parse().unwrap()).is_none(), "the same network");
        assert!(limits.place(other).is_some());
        places.pop();
        assert!(limits.place(greedy).is_some());
        drop(places);
        assert!(lock(&limits.connections).by_address.is_empty());
    }

    #[test]
    fn who_is_turned_away_leaves_no_trace() {
        let limits = Limits::new();
        let address = |number: usize| Ipv6Addr::from_bits((number as u128) << 64).into();
        let places: Vec<Place> =
            (0..CONNECTIONS_MAX).filter_map(|number| limits.place(address(number))).collect();
        assert_eq!(places.len(), CONNECTIONS_MAX);
        assert!(limits.place(address(CONNECTIONS_MAX)).is_none());
        assert_eq!(lock(&limits.connections).by_address.len(), CONNECTIONS_MAX);
    }

    #[test]
    fn wrong_codes_are_counted_by_address() {
        let limits = Limits::new();
        let (guesser, other) = ("2001:db8::1".parse().unwrap(), "2001:db9::1".parse().unwrap());
        for _ in 0..MISSES_MAX {
            assert!(limits.may_try(guesser));
            limits.missed(guesser);
        }
        assert!(!limits.may_try("2001:db8::2".parse().unwrap()), "the same network");
        assert!(limits.may_try(other));
        let long_ago = Instant::now().checked_sub(MISSES_COUNT).unwrap();
        lock(&limits.misses).values_mut().for_each(|misses| misses.since = long_ago);
        assert!(limits.may_try(guesser), "it is forgotten in time");
        limits.missed(guesser);
        assert!(limits.may_try(guesser), "and counted from one again");
    }

    #[test]
    fn orders_are_limited_by_address() {
        let limits = Limits::new();
        let address = "192.0.2.1".parse().unwrap();
        let taken = (0..2_000).filter(|_| limits.order(address)).count();
        assert!((400..1_000).contains(&taken), "{taken}");
        assert!(limits.order("192.0.2.2".parse().unwrap()));
    }
}
