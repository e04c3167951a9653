//! Which stores are here, and where they listen: only as long as the session that said so lives.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use wire::{bounded::List, id::StoreNumber, limits, text::Line};

/// Addresses as a store announces them.
pub type Addresses = List<Line, { limits::ADDRESSES }>;

/// The stores that are here. Clones share the list.
#[derive(Clone, Default)]
pub struct Presence {
    stores: Arc<Mutex<HashMap<StoreNumber, (u64, Addresses)>>>,
}

impl Presence {
    /// A session says where its store listens; the newest session that says so counts. With no address the store
    /// closes.
    pub fn announce(&self, store: StoreNumber, session: u64, addresses: Addresses) {
        let mut stores = self.lock();
        if !addresses.is_empty() {
            stores.insert(store, (session, addresses));
        } else if stores.get(&store).is_some_and(|(by, _)| *by == session) {
            stores.remove(&store);
        }
    }

    /// A session has ended: what it announced counts no more.
    pub fn leave(&self, store: StoreNumber, session: u64) {
        self.announce(store, session, Addresses::default());
    }

    /// Where a store listens; nothing while it is away.
    pub fn addresses(&self, store: StoreNumber) -> Addresses {
        self.lock().get(&store).map(|(_, addresses)| addresses.clone()).unwrap_or_default()
    }

    /// How many stores are here.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StoreNumber, (u64, Addresses)>> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks addresses that a store announces. Where it listens on every interface, its host is the address that its
/// line comes from.
///
/// # Errors
/// In words, naming the address.
pub fn check(addresses: &Addresses, peer: IpAddr) -> Result<Addresses, String> {
    let fixed = addresses.iter().map(|address| {
        let wrong = || format!("“{address}” is not of the form host:port");
        let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let everywhere = bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
        let plain = !bare.is_empty()
            && bare.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_'));
        if !plain {
            return Err(wrong());
        }
        let shown = match peer.to_canonical() {
            _ if !everywhere => address.to_string(),
            IpAddr::V4(ip) => format!("{ip}:{port}"),
            IpAddr::V6(ip) => format!("[{ip}]:{port}"),
        };
        Line::new(&shown).map_err(|error| error.to_string())
    });
    let fixed = fixed.collect::<Result<Vec<Line>, String>>()?;
    List::new(fixed).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Addresses {
        List::first(texts.iter().map(|text| Line::new(text).unwrap()))
    }

    #[test]
    fn only_the_session_that_announced_takes_it_back() {
        let presence = Presence::default();
        let store = StoreNumber(1);
        presence.announce(store, 1, addresses(&["a:1"]));
        presence.announce(store, 2, addresses(&["b:2"]));
        presence.leave(store, 1);
        assert_eq!(presence.addresses(store), addresses(&["b:2"]), "a newer session has said it anew");
        presence.announce(store, 2, Addresses::default());
        assert_eq!((presence.count(), presence.addresses(store)), (0, Addresses::default()));
    }

    #[test]
    fn addresses_are_checked_and_everywhere_becomes_the_peer() {
        let peer: IpAddr = "192.0.2.7".parse().unwrap();
        let checked =
            check(&addresses(&["0.0.0.0:70", "[::]:71", "shop.example:72", "[::1]:73"]), peer).unwrap();
        assert_eq!(checked, addresses(&["192.0.2.7:70", "192.0.2.7:71", "shop.example:72", "[::1]:73"]));
        for wrong in ["", "shop", "shop:0", "shop:70000", "a b:1", "a/b:1", ":1"] {
            assert!(check(&addresses(&[wrong]), peer).is_err(), "{wrong}");
        }
    }
}
