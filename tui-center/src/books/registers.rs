//! The registers: members, stores, keys, day totals and settings, for looking up and searching.
//!
//! They are a projection of the journal in a sled tree, follow it on a thread of their own, and may be thrown away at
//! any time: [`Registers::rebuild`] makes them anew. Nothing that moves money reads them.
//!
//! What sled 0.34 needs to do no harm:
//!
//! * One tree, one writing thread, one atomic batch per step, with the watermark in the same batch; keys are short and
//!   ascend, values are far below the size from which sled keeps them in files that it never syncs, and no row is
//!   written per payment.
//! * `flush` is not durable on Linux, so after it `<dir>/db` is synced through a handle of our own. Only then a
//!   step *counts*, and the file `counted` says so. If sled ever comes back with less than counted, or with the state
//!   of another journal, the registers are made anew.
//! * A half-written snapshot makes opening fail; such files are removed before.
//! * Some damage makes it panic: opening, following and asking are each caught and said in words.

mod follow;
mod picture;
mod project;
mod row;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc::SyncSender},
    thread::JoinHandle,
    time::Duration,
};

use jiff::civil::Date;
use ledger::request::Settings;
use wire::id::{AccountNumber, EntryNumber, Role};

pub use self::{
    follow::Progress,
    picture::{Picture, Projection},
    row::{DayTotal, Holder, KeyRow, OperatorRow},
};
use self::{
    follow::{Follower, Shown},
    row::Key,
};
use super::{BooksError, Reader, make_dir};

/// How much sled may cache, in bytes; it uses a few times as much memory.
const CACHE: u64 = 64 << 20;

/// The registers, and the thread that keeps them up with the journal. Cheap to clone.
#[derive(Clone)]
pub struct Registers(Arc<Inner>);

struct Inner {
    db: sled::Db,
    shown: Arc<Shown>,
    bell: Mutex<Option<SyncSender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The rows, ascending.
    pub rows: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<C>,
}

impl Registers {
    /// Opens the registers in a folder of their own, or makes them there, and begins to follow the journal. Where they
    /// are not those of this journal they are made anew, which takes its time; [`Registers::progress`] tells.
    ///
    /// # Errors
    /// [`BooksError::Registers`] when they are damaged: then [`Registers::rebuild`] helps.
    pub fn open(dir: &Path, reader: Reader) -> Result<Self, BooksError> {
        make_dir(dir)?;
        remove_half_snapshots(dir)?;
        let db = guarded("opening", || open_sled(dir))?;
        let shown = Arc::new(Shown::default());
        let follower = Follower::new(dir, db.clone(), reader, shown.clone())?;
        let (bell, rung) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("registers".into())
            .spawn(move || follower.run(&rung))
            .map_err(BooksError::io("starting the registers' thread"))?;
        let (bell, thread) = (Mutex::new(Some(bell)), Mutex::new(Some(thread)));
        Ok(Self(Arc::new(Inner { db, shown, bell, thread })))
    }

    /// Throws the registers away and makes them anew from the journal; returns when they are up with it.
    ///
    /// # Errors
    /// What the file system or the journal refuses.
    pub fn rebuild(dir: &Path, reader: Reader) -> Result<Self, BooksError> {
        if dir.exists() {
            fs::remove_dir_all(dir).map_err(BooksError::io(format!("removing {}", dir.display())))?;
        }
        let size = reader.size();
        let registers = Self::open(dir, reader)?;
        while !registers.wait(size, Duration::from_secs(1)) {
            registers.sound()?;
        }
        Ok(registers)
    }

    /// Says that the journal has grown. The thread reads what is new from the journal itself, so this never waits, and
    /// a call that is missed is made good by the next.
    pub fn follow(&self) {
        if let Some(bell) = &*self.0.bell.lock().unwrap_or_else(PoisonError::into_inner) {
            // A full channel is a bell that rings already.
            let _ = bell.try_send(());
        }
    }

    /// How far the registers are.
    pub fn progress(&self) -> Progress {
        self.0.shown.progress()
    }

    /// Waits until so many entries count, at most as long as `patience`; whether they do.
    pub fn wait(&self, entries: u64, patience: Duration) -> bool {
        self.follow();
        self.0.shown.wait(entries, patience)
    }

    /// Ends the thread, after it has taken in what is there.
    pub fn close(&self) {
        self.0.bell.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic was caught inside and is told by `progress`.
            let _ = thread.join();
        }
    }

    /// A member or store.
    ///
    /// # Errors
    /// [`BooksError::Registers`], as every question.
    pub fn holder(&self, account: AccountNumber) -> Result<Option<Holder>, BooksError> {
        self.ask(|db| row::read(db, &Key::holder(account)))
    }

    /// Members or stores after a number, of those that `wanted` says yes to, at most `limit`.
    pub fn holders(
        &self,
        role: Role,
        after: Option<u64>,
        limit: usize,
        wanted: impl Fn(&Holder) -> bool,
    ) -> Result<Page<Holder, u64>, BooksError> {
        self.ask(|db| {
            let mut page = Page { rows: Vec::new(), next: None };
            for item in db.range(Key::holders_after(role, after)) {
                let holder: Holder = row::decode(&item?.1)?;
                if !wanted(&holder) {
                    continue;
                }
                if page.rows.len() >= limit {
                    page.next = page.rows.last().map(|last: &Holder| last.number());
                    break;
                }
                page.rows.push(holder);
            }
            Ok(page)
        })
    }

    /// Key events after one, by account and then by entry, of those that `wanted` says yes to. The events of one entry
    /// are not parted, so a page may be two longer than `limit`.
    pub fn keys(
        &self,
        after: Option<(AccountNumber, EntryNumber)>,
        limit: usize,
        wanted: impl Fn(&KeyRow) -> bool,
    ) -> Result<Page<KeyRow, (AccountNumber, EntryNumber)>, BooksError> {
        self.ask(|db| {
            let mut page = Page { rows: Vec::new(), next: None };
            let place = |row: &KeyRow| (row.account, row.entry);
            for item in db.range(Key::keys_after(after)) {
                let key: KeyRow = row::decode(&item?.1)?;
                if !wanted(&key) {
                    continue;
                }
                let last = page.rows.last().map(place);
                if page.rows.len() >= limit && last != Some(place(&key)) {
                    page.next = last;
                    break;
                }
                page.rows.push(key);
            }
            Ok(page)
        })
    }

    /// The key events of one account, oldest first.
    pub fn keys_of(&self, account: AccountNumber) -> Result<Vec<KeyRow>, BooksError> {
        self.ask(|db| {
            let rows = db.scan_prefix(Key::keys_of(account));
            rows.map(|item| row::decode(&item?.1)).collect()
        })
    }

    /// What was booked on the business days `from..=to`, by day, store and kind; the rows without a store are the
    /// center's sums over all.
    pub fn days(&self, from: Date, to: Date) -> Result<Vec<DayTotal>, BooksError> {
        self.ask(|db| {
            let rows = db.range(Key::days(from, to));
            rows.map(|item| row::decode(&item?.1)).collect()
        })
    }

    /// The center's settings, once its founding was taken in.
    pub fn settings(&self) -> Result<Option<Settings>, BooksError> {
        self.ask(|db| row::read(db, &Key::settings()))
    }

    /// The operators, by name, those that were taken off included.
    pub fn operators(&self) -> Result<Vec<OperatorRow>, BooksError> {
        self.ask(|db| db.scan_prefix(Key::operators()).map(|item| row::decode(&item?.1)).collect())
    }

    /// # Errors
    /// What stopped the thread, if it was stopped by something.
    fn sound(&self) -> Result<(), BooksError> {
        self.progress().trouble.map_or(Ok(()), |words| Err(BooksError::Registers(words)))
    }

    fn ask<T>(&self, question: impl FnOnce(&sled::Db) -> Result<T, row::RowError>) -> Result<T, BooksError> {
        self.sound()?;
        guarded("reading", || question(&self.0.db))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.bell.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

/// Does something with sled; a panic in there is as good as an error.
fn guarded<T>(doing: &str, act: impl FnOnce() -> Result<T, row::RowError>) -> Result<T, BooksError> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(BooksError::Registers(format!("{doing} them: {error}"))),
        Err(_) => Err(BooksError::Registers(format!("{doing} them failed on damaged files"))),
    }
}

fn open_sled(dir: &Path) -> Result<sled::Db, row::RowError> {
    Ok(sled::Config::new().path(dir).cache_capacity(CACHE).flush_every_ms(None).open()?)
}

fn remove_half_snapshots(dir: &Path) -> Result<(), BooksError> {
    let doing = || BooksError::io(format!("clearing up the folder {}", dir.display()));
    for item in fs::read_dir(dir).map_err(doing())? {
        let item = item.map_err(doing())?;
        let name = item.file_name();
        if name.to_str().is_some_and(|name| name.starts_with("snap.") && name.ends_with(".generating")) {
            fs::remove_file(item.path()).map_err(doing())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use wire::{id::StoreNumber, payload::KeyRole, receipt::EntryKind};

    use super::{
        super::{Books, sample},
        *,
    };

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Everything that the registers tell.
    #[derive(Debug, PartialEq)]
    struct All {
        members: Page<Holder, u64>,
        stores: Page<Holder, u64>,
        keys: Page<KeyRow, (AccountNumber, EntryNumber)>,
        days: Vec<DayTotal>,
        settings: Option<Settings>,
        operators: Vec<OperatorRow>,
    }

    fn all(registers: &Registers) -> All {
        All {
            members: registers.holders(Role::Member, None, 100, |_| true).unwrap(),
            stores: registers.holders(Role::Store, None, 100, |_| true).unwrap(),
            keys: registers.keys(None, 100, |_| true).unwrap(),
            days: registers.days(Date::MIN, Date::MAX).unwrap(),
            settings: registers.settings().unwrap(),
            operators: registers.operators().unwrap(),
        }
    }

    #[test]
    fn registers_made_anew_equal_those_that_followed() {
        let dir = tempfile::tempdir().unwrap();
        let center = sample::Center::busy(40);
        let mut books =
            Books::create(&dir.path().join("books"), sample::key(), &center.records[..3]).unwrap();
        let path = dir.path().join("registers");
        let mut registers = Registers::open(&path, books.reader()).unwrap();
        for (at, records) in center.records[3..].chunks(7).enumerate() {
            books.append(records).unwrap();
            registers.follow();
            if at % 4 == 0 {
                assert!(registers.wait(books.reader().size(), PATIENCE));
                registers.close();
                drop(registers);
                registers = Registers::open(&path, books.reader()).unwrap();
                assert_eq!(registers.progress().anew, None);
            }
        }
        assert!(registers.wait(books.reader().size(), PATIENCE));
        let followed = all(&registers);
        drop(registers);
        let registers = Registers::rebuild(&path, books.reader()).unwrap();
        assert_eq!(all(&registers), followed);

        // And both tell what the journal says.
        let member = followed.members.rows[0].clone();
        assert_eq!(registers.holder(member.account).unwrap(), Some(member.clone()));
        assert_eq!(registers.keys_of(member.account).unwrap().len(), 3);
        assert_eq!(registers.keys_of(member.account).unwrap()[2].key, member.terminal_key);
        assert_eq!(followed.stores.rows[0].trade_name.as_deref(), Some("Books & Co"));
        assert!(!followed.stores.rows[0].frozen);
        let paid = |store| {
            let rows =
                followed.days.iter().filter(|row| row.kind == EntryKind::Payment && row.store == store);
            rows.fold((0, 0, 0), |sum, row| (sum.0 + row.done, sum.1 + row.refused, sum.2 + row.amount))
        };
        let total: u128 = (0..40).map(|at| 100 + at).sum();
        assert_eq!(paid(None), (40, 1, total));
        assert_eq!(paid(Some(StoreNumber(1))), (40, 0, total), "a refusal concerns its signer only");
        let days = followed.days.iter().filter(|row| row.kind == EntryKind::Payment && row.store.is_none());
        assert!(days.count() >= 2, "the payments lie on several days");
    }

    #[test]
    fn keys_that_wait_ripen_or_are_revoked_are_followed() {
        let dir = tempfile::tempdir().unwrap();
        let center = sample::Center::peopled();
        let books = Books::create(&dir.path().join("books"), sample::key(), &center.records).unwrap();
        let registers = Registers::open(&dir.path().join("registers"), books.reader()).unwrap();
        assert!(registers.wait(books.reader().size(), PATIENCE));
        for (account, held) in center.state.holders() {
            let row = registers.holder(account).unwrap().unwrap();
            let key = |role| held.key(role).map(|(key, _)| key);
            assert_eq!(
                (row.signature_key, row.terminal_key, row.recovery_key),
                (key(KeyRole::Signature), key(KeyRole::Terminal), key(KeyRole::Recovery))
            );
            let told: Vec<_> = registers.keys_of(account).unwrap();
            let told: Vec<_> = told.iter().map(|row| (row.entry, row.role, row.key)).collect();
            let mut stands: Vec<_> = held.chain.iter().map(|it| (it.entry, it.role, it.key)).collect();
            stands.sort_by_key(|(entry, role, _)| (*entry, *role));
            assert_eq!(told, stands);
        }
    }

    #[test]
    fn pages_go_on_where_they_ended() {
        let dir = tempfile::tempdir().unwrap();
        let center = sample::Center::members(25);
        let books = Books::create(&dir.path().join("books"), sample::key(), &center.records).unwrap();
        let registers = Registers::open(&dir.path().join("registers"), books.reader()).unwrap();
        assert!(registers.wait(books.reader().size(), PATIENCE));
        let odd = |holder: &Holder| holder.number() % 2 == 1;
        let (mut numbers, mut after) = (Vec::new(), None);
        loop {
            let page = registers.holders(Role::Member, after, 4, odd).unwrap();
            numbers.extend(page.rows.iter().map(Holder::number));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(numbers, (1..=25).step_by(2).collect::<Vec<_>>());
        let (mut keys, mut after) = (0, None);
        loop {
            let page = registers.keys(after, 5, |_| true).unwrap();
            keys += page.rows.len();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(keys, 50);
        assert!(registers.holders(Role::Store, None, 4, |_| true).unwrap().rows.is_empty());
    }

    #[test]
    fn those_of_another_journal_are_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("registers");
        for (name, center) in [("one", sample::Center::busy(10)), ("two", sample::Center::members(3))] {
            let books = Books::create(&dir.path().join(name), sample::key(), &center.records).unwrap();
            let registers = Registers::open(&path, books.reader()).unwrap();
            assert!(registers.wait(books.reader().size(), PATIENCE));
            assert_eq!(registers.progress().anew.is_some(), name == "two");
            let members = registers.holders(Role::Member, None, 100, |_| true).unwrap();
            assert_eq!(members.rows.len(), if name == "one" { 1 } else { 3 });
        }
    }

    #[test]
    fn damage_is_said_in_words_and_made_good_by_making_them_anew() {
        let dir = tempfile::tempdir().unwrap();
        let center = sample::Center::busy(10);
        let books = Books::create(&dir.path().join("books"), sample::key(), &center.records).unwrap();
        let path = dir.path().join("registers");
        let registers = Registers::open(&path, books.reader()).unwrap();
        assert!(registers.wait(books.reader().size(), PATIENCE));
        let before = all(&registers);
        drop(registers);
        fs::write(path.join("snap.0000000000000001.generating"), b"half").unwrap();
        drop(Registers::open(&path, books.reader()).unwrap());
        fs::write(path.join("conf"), b"not a configuration").unwrap();
        let words = Registers::open(&path, books.reader()).err().unwrap().to_string();
        assert!(
            words.starts_with("the registers can't be used") && words.ends_with("books rebuild`"),
            "{words}"
        );
        let registers = Registers::rebuild(&path, books.reader()).unwrap();
        assert_eq!(all(&registers), before);
    }
}
