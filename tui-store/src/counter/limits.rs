//! How much a visitor's address may ask for.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
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
/// After so many new connections, addresses that have not asked for anything lately are forgotten.
const FORGET_EVERY: usize = 1_000;

/// The counters of every address.
#[derive(Debug)]
pub(super) struct Limits {
    connections: Arc<Mutex<Connections>>,
    requests: DefaultKeyedRateLimiter<IpAddr>,
    orders: DefaultKeyedRateLimiter<IpAddr>,
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

fn lock(connections: &Mutex<Connections>) -> std::sync::MutexGuard<'_, Connections> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn orders_are_limited_by_address() {
        let limits = Limits::new();
        let address = "192.0.2.1".parse().unwrap();
        let taken = (0..2_000).filter(|_| limits.order(address)).count();
        assert!((400..1_000).contains(&taken), "{taken}");
        assert!(limits.order("192.0.2.2".parse().unwrap()));
    }
}
