//! Keeps intruders out: limits for each address and each account, and lock-outs after wrong logins.
//!
//! An address of IPv6 stands for its network of 64 bits, because whoever has one address of it has them all.
//!
//! Everything it does is a line of the error log, told once per address and minute, so that a flood of attempts is
//! not a flood of lines. Its memory is bounded: limiters forget who has been quiet, and the list of wrong logins
//! keeps the newest [`WATCHED`] addresses.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use serde::{Deserialize, Serialize};
use wire::id::AccountNumber;

use crate::{
    config::Limits,
    errors::{ErrorLog, Room, Weight},
};

/// How many addresses with wrong logins are remembered.
pub const WATCHED: usize = 20_000;
/// The longest lock-out.
const LOCK_MAX: Duration = Duration::from_secs(60 * 60);
/// A wrong login is forgotten after this long without another.
const FORGET: Duration = Duration::from_secs(2 * 60 * 60);
/// Pieces of programs that go out to one address in a second: some 30 MB.
const PIECES_PER_SECOND: NonZeroU32 = NonZeroU32::new(500).expect("500 is not 0");
/// How long a piece may have to wait.
const PIECE_WAIT: Duration = Duration::from_secs(2);
/// How often one address is written about.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Copies of its vault that an account may deposit in a minute, after those that it may deposit at once.
const DEPOSITS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(4).expect("four is not zero");
const DEPOSITS_AT_ONCE: NonZeroU32 = NonZeroU32::new(30).expect("thirty is not zero");

/// Why someone is turned away, in words for the one who is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TurnedAway {
    /// The center is full.
    #[error("the center has as many connections as it can serve; try again soon")]
    Full,
    /// Too many connections at one time from one address.
    #[error("too many connections from your address at one time")]
    TooManyAtOnce,
    /// Too many new connections from one address.
    #[error("too many new connections from your address; wait a moment")]
    TooFast,
    /// Too many requests.
    #[error("too many requests; wait a moment")]
    TooManyRequests,
    /// Too many applications; the next one is taken after so many seconds.
    #[error("too many applications came from your address; try again in {}", minutes(*.0))]
    TooManyApplications(u64),
    /// Too many wrong logins.
    #[error("too many wrong logins from your address; wait {0} seconds")]
    Locked(u64),
}

/// What the guard has done since the start, for the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GuardCounts {
    /// Connections at present.
    pub connections: u64,
    /// Connections turned away.
    pub refused_connections: u64,
    /// Requests turned away.
    pub refused_requests: u64,
    /// Wrong logins.
    pub wrong_logins: u64,
    /// Addresses that are locked out at present.
    pub locked: u64,
}

/// The guard. Clones share it.
#[derive(Clone)]
pub struct Guard {
    shared: Arc<Shared>,
}

struct Shared {
    limits: Limits,
    errors: ErrorLog,
    arrivals: DefaultKeyedRateLimiter<IpAddr>,
    strangers: DefaultKeyedRateLimiter<IpAddr>,
    accounts: DefaultKeyedRateLimiter<AccountNumber>,
    deposits: DefaultKeyedRateLimiter<AccountNumber>,
    applications: DefaultKeyedRateLimiter<IpAddr>,
    pieces: DefaultKeyedRateLimiter<IpAddr>,
    watched: Mutex<Watched>,
    refused_connections: AtomicU64,
    refused_requests: AtomicU64,
    wrong_logins: AtomicU64,
}

#[derive(Default)]
struct Watched {
    at_present: HashMap<IpAddr, u32>,
    connections: u32,
    wrong: HashMap<IpAddr, Wrong>,
    told: HashMap<IpAddr, Instant>,
}

#[derive(Clone, Copy)]
struct Wrong {
    count: u32,
    last: Instant,
    until: Instant,
}

/// A place among the connections; it is given back when dropped.
pub struct Place {
    guard: Guard,
    address: IpAddr,
}

impl Guard {
    /// A guard with these limits.
    pub fn new(limits: Limits, errors: ErrorLog) -> Self {
        let quota = |per_second: u32, burst: u32| {
            let positive = |value| NonZeroU32::new(value).unwrap_or(NonZeroU32::MIN);
            Quota::per_second(positive(per_second)).allow_burst(positive(per_second.saturating_mul(burst)))
        };
        let shared = Shared {
            arrivals: RateLimiter::keyed(quota(limits.arrivals_per_second, 20)),
            strangers: RateLimiter::keyed(quota(limits.strangers_per_second, 4)),
            accounts: RateLimiter::keyed(quota(limits.requests_per_second, 4)),
            pieces: RateLimiter::keyed(Quota::per_second(PIECES_PER_SECOND)),
            applications: RateLimiter::keyed(Quota::per_hour(
                NonZeroU32::new(limits.applications_per_hour).unwrap_or(NonZeroU32::MIN),
            )),
            deposits: RateLimiter::keyed(
                Quota::per_minute(DEPOSITS_PER_MINUTE).allow_burst(DEPOSITS_AT_ONCE),
            ),
            limits,
            errors,
            watched: Mutex::default(),
            refused_connections: AtomicU64::new(0),
            refused_requests: AtomicU64::new(0),
            wrong_logins: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Lets a connection in, or not.
    pub fn arrive(&self, address: IpAddr) -> Result<Place, TurnedAway> {
        let address = group(address);
        let turned_away = self.admit(address).err();
        if let Some(reason) = turned_away {
            self.shared.refused_connections.fetch_add(1, Ordering::Relaxed);
            self.tell(address, Weight::Warning, || {
                format!("A connection from {address} was turned away: {reason}.")
            });
            return Err(reason);
        }
        Ok(Place { guard: self.clone(), address })
    }

    /// Whether a request may be heard from someone who has not logged in.
    pub fn stranger_asks(&self, address: IpAddr) -> Result<(), TurnedAway> {
        let address = group(address);
        if self.shared.strangers.check_key(&address).is_ok() {
            return Ok(());
        }
        self.shared.refused_requests.fetch_add(1, Ordering::Relaxed);
        self.tell(address, Weight::Warning, || {
            format!("Requests from {address} come faster than they are heard.")
        });
        Err(TurnedAway::TooManyRequests)
    }

    /// Lets a piece of a program go out to an address: at the pace that all its connections share, so that whoever fetches
    /// a program waits a little instead of being refused.
    ///
    /// # Errors
    /// When so much is asked for that the wait would be long.
    pub async fn piece(&self, address: IpAddr) -> Result<(), TurnedAway> {
        let (address, clock) = (group(address), DefaultClock::default());
        let paced = async {
            while let Err(not_until) = self.shared.pieces.check_key(&address) {
                tokio::time::sleep(not_until.wait_time_from(clock.now())).await;
            }
        };
        tokio::time::timeout(PIECE_WAIT, paced).await.map_err(|_| TurnedAway::TooManyRequests)
    }

    /// Whether an application to join from this address is taken.
    pub fn applies(&self, address: IpAddr) -> Result<(), TurnedAway> {
        let address = group(address);
        let Err(not_until) = self.shared.applications.check_key(&address) else { return Ok(()) };
        let wait = not_until.wait_time_from(DefaultClock::default().now());
        self.shared.refused_requests.fetch_add(1, Ordering::Relaxed);
        self.tell(address, Weight::Warning, || {
            format!("Applications from {address} come faster than they are taken.")
        });
        Err(TurnedAway::TooManyApplications(wait.as_secs().saturating_add(1)))
    }

    /// Whether a request of an account may be heard.
    pub fn account_asks(&self, account: AccountNumber, address: IpAddr) -> Result<(), TurnedAway> {
        if self.shared.accounts.check_key(&account).is_ok() {
            return Ok(());
        }
        self.shared.refused_requests.fetch_add(1, Ordering::Relaxed);
        let address = group(address);
        self.tell(address, Weight::Warning, || {
            format!("Requests of {account} come faster than they are heard.")
        });
        Err(TurnedAway::TooManyRequests)
    }

    /// Whether an account may deposit a copy of its vault: each is written to the disk as a whole.
    pub fn may_deposit(&self, account: AccountNumber) -> Result<(), TurnedAway> {
        if self.shared.deposits.check_key(&account).is_ok() {
            return Ok(());
        }
        self.shared.refused_requests.fetch_add(1, Ordering::Relaxed);
        Err(TurnedAway::TooManyRequests)
    }

    /// Whether a login from this address is looked at.
    pub fn may_login(&self, address: IpAddr) -> Result<(), TurnedAway> {
        let now = Instant::now();
        let watched = self.watched();
        match watched.wrong.get(&group(address)) {
            Some(wrong) if wrong.until > now => {
                Err(TurnedAway::Locked((wrong.until - now).as_secs().saturating_add(1)))
            }
            _ => Ok(()),
        }
    }

    /// A login was wrong: the next ones wait, each time twice as long.
    pub fn wrong_login(&self, address: IpAddr, who: impl fmt::Display) {
        let (address, now) = (group(address), Instant::now());
        self.shared.wrong_logins.fetch_add(1, Ordering::Relaxed);
        let lock = {
            let mut watched = self.watched();
            if watched.wrong.len() >= WATCHED && !watched.wrong.contains_key(&address) {
                watched.forget(now);
            }
            let wrong = watched.wrong.entry(address).or_insert(Wrong { count: 0, last: now, until: now });
            wrong.count = wrong.count.saturating_add(1);
            let lock = lock_out(wrong.count, self.shared.limits.wrong_logins);
            (wrong.last, wrong.until) = (now, now + lock);
            lock
        };
        let waits =
            if lock.is_zero() { String::new() } else { format!(" It must wait {} s.", lock.as_secs()) };
        self.tell(address, Weight::Warning, || format!("A wrong login as {who} came from {address}.{waits}"));
    }

    /// A login was right.
    pub fn right_login(&self, address: IpAddr) {
        self.watched().wrong.remove(&group(address));
    }

    /// What it has done.
    pub fn counts(&self) -> GuardCounts {
        let now = Instant::now();
        let watched = self.watched();
        GuardCounts {
            connections: u64::from(watched.connections),
            refused_connections: self.shared.refused_connections.load(Ordering::Relaxed),
            refused_requests: self.shared.refused_requests.load(Ordering::Relaxed),
            wrong_logins: self.shared.wrong_logins.load(Ordering::Relaxed),
            locked: watched.wrong.values().filter(|wrong| wrong.until > now).count() as u64,
        }
    }

    /// Forgets who has been quiet; called every minute or so.
    pub fn tidy(&self) {
        self.shared.arrivals.retain_recent();
        self.shared.strangers.retain_recent();
        self.shared.accounts.retain_recent();
        self.shared.deposits.retain_recent();
        self.shared.applications.retain_recent();
        self.shared.pieces.retain_recent();
        let now = Instant::now();
        let mut watched = self.watched();
        watched.wrong.retain(|_, wrong| now - wrong.last < FORGET || wrong.until > now);
        watched.told.retain(|_, told| now - *told < TELL_EVERY);
    }

    fn admit(&self, address: IpAddr) -> Result<(), TurnedAway> {
        if self.shared.arrivals.check_key(&address).is_err() {
            return Err(TurnedAway::TooFast);
        }
        let mut watched = self.watched();
        if watched.connections >= self.shared.limits.connections {
            return Err(TurnedAway::Full);
        }
        let here = watched.at_present.get(&address).copied().unwrap_or(0);
        if here >= self.shared.limits.connections_per_address {
            return Err(TurnedAway::TooManyAtOnce);
        }
        watched.at_present.insert(address, here + 1);
        watched.connections += 1;
        Ok(())
    }

    fn tell(&self, address: IpAddr, weight: Weight, words: impl FnOnce() -> String) {
        let now = Instant::now();
        {
            let mut watched = self.watched();
            if watched.told.get(&address).is_some_and(|told| now - *told < TELL_EVERY) {
                return;
            }
            if watched.told.len() >= WATCHED {
                watched.told.clear();
            }
            watched.told.insert(address, now);
        }
        self.shared.errors.tell(Room::Guard, weight, words());
    }

    fn watched(&self) -> std::sync::MutexGuard<'_, Watched> {
        self.shared.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut watched = self.guard.watched();
        watched.connections = watched.connections.saturating_sub(1);
        if let Some(here) = watched.at_present.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                watched.at_present.remove(&self.address);
            }
        }
    }
}

impl Watched {
    /// Makes room by forgetting the quieter half: whoever keeps trying stays remembered.
    fn forget(&mut self, now: Instant) {
        let mut ages: Vec<Duration> = self.wrong.values().map(|wrong| now - wrong.last).collect();
        ages.sort_unstable();
        let median = ages.get(ages.len() / 2).copied().unwrap_or_default();
        self.wrong.retain(|_, wrong| now - wrong.last < median);
    }
}

/// One holder of addresses: of IPv6, where everyone has billions, the network of 64 bits.
fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

/// Seconds as a person waits for them: in minutes begun.
fn minutes(seconds: u64) -> String {
    match seconds.div_ceil(60) {
        0 | 1 => "a minute".into(),
        minutes => format!("{minutes} minutes"),
    }
}

/// Nothing for the first few, then a second, doubling.
fn lock_out(count: u32, free: u32) -> Duration {
    if count <= free {
        Duration::ZERO
    } else {
        Duration::from_secs(1 << (count - free - 1).min(20)).min(LOCK_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(limits: Limits) -> (Guard, ErrorLog, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let errors = ErrorLog::open(dir.path());
        (Guard::new(limits, errors.clone()), errors, dir)
    }

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn places_are_counted_and_given_back() {
        let (guard, errors, _dir) =
            guard(Limits { connections: 3, connections_per_address: 2, ..Limits::default() });
        let places: Vec<Place> = (0..2).map(|_| guard.arrive(A).unwrap()).collect();
        assert_eq!(guard.arrive(A).err(), Some(TurnedAway::TooManyAtOnce));
        let other = guard.arrive(B).unwrap();
        assert_eq!(guard.arrive(B).err(), Some(TurnedAway::Full));
        drop(places);
        assert_eq!(guard.counts().connections, 1);
        assert!(guard.arrive(A).is_ok());
        drop(other);
        assert_eq!(guard.counts(), GuardCounts { refused_connections: 2, ..GuardCounts::default() });
        assert_eq!(errors.newest("turned away", 10).len(), 2, "once for each address");
    }

    #[test]
    fn floods_are_not_heard() {
        let (guard, errors, _dir) = guard(Limits { strangers_per_second: 2, ..Limits::default() });
        let heard = (0..100).filter(|_| guard.stranger_asks(A).is_ok()).count();
        assert!((8..20).contains(&heard), "{heard}");
        assert!(guard.stranger_asks(B).is_ok(), "another address is not affected");
        assert_eq!(errors.newest("", 10).len(), 1, "told once");
    }

    #[tokio::test]
    async fn pieces_wait_a_little_and_not_for_ever() {
        let (guard, _errors, _dir) = guard(Limits::default());
        let begun = Instant::now();
        for _ in 0..PIECES_PER_SECOND.get() + 50 {
            guard.piece(A).await.unwrap();
        }
        assert!(begun.elapsed() >= Duration::from_millis(90), "{:?}", begun.elapsed());
        let crowd = (0..4_000).map(|_| guard.piece(A));
        let refused = futures_util::future::join_all(crowd).await;
        assert!(refused.contains(&Err(TurnedAway::TooManyRequests)));
    }

    #[test]
    fn applications_are_taken_at_a_pace() {
        let (guard, _errors, _dir) = guard(Limits { applications_per_hour: 3, ..Limits::default() });
        let taken = (0..10).filter(|_| guard.applies(A).is_ok()).count();
        assert_eq!(taken, 3);
        let refused = guard.applies(A).unwrap_err();
        assert!(matches!(refused, TurnedAway::TooManyApplications(1..=1200)), "{refused}");
        let words = refused.to_string();
        assert!(words.ends_with("try again in 20 minutes"), "{words}");
        assert!(guard.applies(B).is_ok(), "another address is not affected");
    }

    #[test]
    fn wrong_logins_lock_out_for_growing_times() {
        let (guard, _errors, _dir) = guard(Limits { wrong_logins: 2, ..Limits::default() });
        let account = AccountNumber::Member(wire::id::MemberNumber(1));
        for _ in 0..2 {
            guard.wrong_login(A, account);
            assert_eq!(guard.may_login(A), Ok(()));
        }
        guard.wrong_login(A, account);
        assert_eq!(guard.may_login(A), Err(TurnedAway::Locked(1)));
        guard.wrong_login(A, account);
        assert_eq!(guard.may_login(A), Err(TurnedAway::Locked(2)));
        assert_eq!(guard.counts().locked, 1);
        assert_eq!(guard.may_login(B), Ok(()));
        guard.right_login(A);
        assert_eq!(guard.may_login(A), Ok(()));
        assert_eq!(lock_out(u32::MAX, 2), LOCK_MAX);
    }

    #[test]
    fn an_address_is_the_same_in_both_families() {
        let (guard, _errors, _dir) = guard(Limits { connections_per_address: 1, ..Limits::default() });
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        let _place = guard.arrive(A).unwrap();
        assert_eq!(guard.arrive(mapped).err(), Some(TurnedAway::TooManyAtOnce));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let (guard, _errors, _dir) =
            guard(Limits { connections_per_address: 1, wrong_logins: 0, ..Limits::default() });
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let _place = guard.arrive(address("2001:db8::1")).unwrap();
        assert_eq!(guard.arrive(address("2001:db8::ffff")).err(), Some(TurnedAway::TooManyAtOnce));
        assert!(guard.arrive(address("2001:db8:0:1::1")).is_ok(), "another network");
        guard.wrong_login(address("2001:db8::1"), AccountNumber::Member(wire::id::MemberNumber(1)));
        assert!(guard.may_login(address("2001:db8::2")).is_err());
    }
}
