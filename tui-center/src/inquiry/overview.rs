//! How the center stands, looked at once a second while something changes.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use ledger::{Account, state::Decided};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wire::{admission::ApplicationState, id::EntryNumber, time::Timestamp};

use super::{
    view::{Light, Overview, TransactionRow},
    words,
};
use crate::{
    admission::{applications::Row, standing::standing},
    backup::schedule,
    center::Center,
    settlement::Standing,
};

/// How often the center is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often the whole books are recomputed. The sums that an entry touches are checked as it is entered.
const AUDIT_EVERY: Duration = Duration::from_secs(300);
/// How many seconds of payments are remembered.
const SECONDS: usize = 60;
/// Over how many of them the rate is told.
const RATE_OVER: usize = 5;
/// How many of the newest entries are shown.
const NEWEST: u64 = 30;

/// How the center stands at this instant, with the whole books recomputed. The rate of payments is the one watched.
pub fn look(center: &Center) -> Overview {
    let mut watcher = Watcher::new(center);
    watcher.audit(center);
    let now = watcher.look(center);
    match center.watched() {
        Some(watched) => Overview {
            payments_per_second: watched.payments_per_second,
            payments_recent: watched.payments_recent.clone(),
            ..now
        },
        None => now,
    }
}

/// Looks every second and tells what changed, until the center stops or nobody watches.
pub async fn watch(center: Center, sender: watch::Sender<Arc<Overview>>, stop: CancellationToken) {
    let mut watcher = Watcher::new(&center);
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = sender.closed() => return,
            _ = ticks.tick() => {}
        }
        let looking = center.clone();
        let looked = tokio::task::spawn_blocking(move || {
            watcher.audit(&looking);
            let overview = watcher.look(&looking);
            (watcher, overview)
        });
        let Ok((back, overview)) = looked.await else { return };
        watcher = back;
        sender.send_if_modified(|shown| {
            // The time alone is no news: an idle center costs its consoles nothing.
            let news = Overview { at: shown.at.clone(), ..overview.clone() } != **shown;
            if news {
                *shown = Arc::new(overview);
            }
            news
        });
    }
}

struct Watcher {
    payments: u64,
    seconds: VecDeque<u32>,
    last: Instant,
    newest: VecDeque<TransactionRow>,
    size: u64,
    audited: Option<(Instant, u64)>,
    light: Light,
}

impl Watcher {
    fn new(center: &Center) -> Self {
        let payments = center.desk().state().totals().payments;
        let light = Light { balanced: true, words: "postings of every entry sum to zero".into() };
        Self {
            payments,
            seconds: VecDeque::from(vec![0; SECONDS]),
            last: Instant::now(),
            newest: VecDeque::new(),
            size: 0,
            audited: None,
            light,
        }
    }

    /// Recomputes what must always hold, when something was entered since the last time.
    fn audit(&mut self, center: &Center) {
        let size = center.desk().reader().size();
        let due = match self.audited {
            None => true,
            Some((at, audited)) => at.elapsed() >= AUDIT_EVERY && audited != size,
        };
        if !due {
            return;
        }
        self.audited = Some((Instant::now(), size));
        let at = center.local().moment(Timestamp::now()).text;
        self.light = match center.desk().audit() {
            Ok(()) => Light { balanced: true, words: format!("recomputed over {size} entries at {at}") },
            Err(imbalance) => Light { balanced: false, words: imbalance.to_string() },
        };
    }

    fn look(&mut self, center: &Center) -> Overview {
        self.count(center);
        self.read(center);
        let (local, settings, config) = (center.local(), center.settings(), center.config());
        let reader = center.desk().reader();
        let checkpoint = reader.checkpoint();
        let standing = center.desk().standing().borrow().clone();
        let (open, standing) = match standing {
            Standing::Open => (true, String::new()),
            Standing::ClockJumped(words) => (true, words),
            Standing::Stopped(words) => (false, words),
        };
        let figures = figures(center);
        let recent: u32 = self.seconds.iter().rev().take(RATE_OVER).sum();
        let now = Timestamp::now();
        Overview {
            name: settings.name.clone(),
            center: settings.center.to_string(),
            fingerprint: config.root_key.fingerprint(),
            // Settings are checked when they are read: they always give an invitation.
            invitation: config.invitation().unwrap_or_else(|_| wire::sheet::Invitation {
                root: config.root_key,
                addresses: wire::bounded::List::default(),
            }),
            currency: settings.currency,
            zone: settings.zone.clone(),
            pid: std::process::id(),
            since: local.moment(center.since()),
            at: local.moment(now),
            listening: center.listening(),
            open,
            standing,
            light: self.light.clone(),
            backup: schedule::look(center),
            entries: reader.size(),
            verifying: center.verifier().verifying(center),
            root: checkpoint.claimed().root.to_string(),
            connections: center.guard().counts().connections,
            logged_in: center.counters().logged_in.load(Ordering::Relaxed),
            stores_here: center.presence().count() as u64,
            payments_per_second: f64::from(recent) / RATE_OVER as f64,
            payments_recent: self.seconds.iter().copied().collect(),
            queue: center.desk().depth() as u64,
            members: figures.members,
            stores: figures.stores,
            cards: figures.cards,
            on_cards: local.sum(figures.on_cards),
            owed_to_stores: local.sum(figures.owed),
            at_bank: local.sum(figures.at_bank),
            desk: super::desk::waiting(center),
            applications: applications(center),
            proposals: center.desk().state().proposals(now).count() as u64,
            post: center.post().1.iter().map(|line| line.failed as u64).sum(),
            guard: center.guard().counts(),
            newest: self.newest.iter().cloned().collect(),
        }
    }

    /// One value a second; seconds in which nobody looked share what was counted since.
    fn count(&mut self, center: &Center) {
        let payments = center.desk().state().totals().payments;
        let passed = self.last.elapsed().as_secs();
        if passed == 0 {
            return;
        }
        self.last += Duration::from_secs(passed);
        let new = payments.saturating_sub(self.payments);
        self.payments = payments;
        let share = u32::try_from(new / passed).unwrap_or(u32::MAX);
        for _ in 0..passed.min(SECONDS as u64) {
            self.seconds.pop_front();
            self.seconds.push_back(share);
        }
    }

    /// Reads what was entered since the last look, newest first, but never more than is shown.
    fn read(&mut self, center: &Center) {
        let reader = center.desk().reader();
        let size = reader.size();
        if size == self.size {
            return;
        }
        let from = self.size.max(size.saturating_sub(NEWEST));
        let count = usize::try_from(size - from).unwrap_or(usize::MAX);
        let Ok(records) = reader.range(EntryNumber(from), count) else { return };
        for record in records {
            self.newest.push_front(words::row(&record.entry, center.local()));
        }
        self.newest.truncate(usize::try_from(NEWEST).unwrap_or(usize::MAX));
        self.size = size;
    }
}

/// How many applications wait for a decision: those that nobody has decided on, and those that were asked back and have
/// been amended since.
fn applications(center: &Center) -> u64 {
    let rows = center.admission().applications.rows_now();
    let waits = |row: &Row| {
        let decided = center.desk().state().decided(row.number);
        match decided {
            None => true,
            Some(Decided::AskedBack(_)) if row.since > row.received => {
                standing(center, row).is_ok_and(|standing| standing.view.state == ApplicationState::Waiting)
            }
            Some(_) => false,
        }
    };
    rows.iter().filter(|row| waits(row)).count() as u64
}

#[derive(Default)]
struct Figures {
    members: u64,
    stores: u64,
    cards: u64,
    on_cards: i128,
    owed: i128,
    at_bank: i128,
}

/// What the center owes stands on the credit side, below zero in the books, above zero here.
fn figures(center: &Center) -> Figures {
    let state = center.desk().state();
    let mut figures = Figures { cards: state.totals().cards, ..Figures::default() };
    for (account, _) in state.holders() {
        match account {
            wire::id::AccountNumber::Member(_) => figures.members += 1,
            wire::id::AccountNumber::Store(_) => figures.stores += 1,
        }
    }
    for (account, balance) in state.balances() {
        match account {
            Account::Card(_) => figures.on_cards -= balance,
            Account::Payable(_) => figures.owed -= balance,
            Account::Bank => figures.at_bank += balance,
            _ => {}
        }
    }
    figures
}
