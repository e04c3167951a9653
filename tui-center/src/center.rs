//! One center: its rooms, joined.
//!
//! A [`Center`] is opened from its profile with the service passphrase. It then answers inquiries and acts; whether it
//! also listens for terminals and looks into the bank's folders is up to [`crate::serve`].

use std::{
    sync::{
        Arc, OnceLock, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ledger::{State, request::Settings};
use secrecy::SecretString;
use tokio::sync::{broadcast::error::RecvError, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tui_kit::profile::{Profile, ProfileLock};
use wire::{
    id::{AccountNumber, Digest, EntryNumber},
    key::SigningKey,
    message::{BankAccount, Particulars, Problem, ProblemKind},
    payload::CardCertificate,
    sheet::KeySheet,
    telegram::Telegram,
    time::Timestamp,
};

use crate::{
    admission::{self, Admission},
    backup::{schedule::Backups, stopped::Stopped},
    books::{
        Books, BooksError, CheckpointKey, Opened, Reader,
        cabinet::{Cabinet, Certificate},
        registers::Registers,
    },
    config::Config,
    errors::{ErrorLog, Room, Weight},
    guard::Guard,
    hours::{self, Hours},
    inquiry::{
        self,
        verify::Verifier,
        view::{Local, Overview},
    },
    keys::{self, RoleKeys, Service},
    operators::Operators,
    places::Places,
    reception::{
        presence::Presence,
        sessions::{self, Sessions},
    },
    settlement::{Cursors, Desk, Mailboxes, Opening, SystemClock},
    voice::{Speaking, Voice},
};

/// How long an inquiry waits for the registers.
const CATCH_UP: Duration = Duration::from_secs(2);

/// A center. Clones are the same center.
#[derive(Clone)]
pub struct Center(Arc<Rooms>);

struct Rooms {
    places: Places,
    config: Config,
    voice: Arc<Voice>,
    settings: Settings,
    local: Local,
    bank_account: BankAccount,
    desk: Desk,
    cabinet: Cabinet,
    hours: Hours,
    admission: Admission,
    registers: Registers,
    operators: Operators,
    errors: ErrorLog,
    verifier: Verifier,
    guard: Guard,
    presence: Presence,
    sessions: Sessions,
    counters: Counters,
    since: Timestamp,
    opened: Opened,
    backups: Backups,
    stopped: RwLock<Option<Stopped>>,
    listening: RwLock<Vec<String>>,
    overview: OnceLock<watch::Receiver<Arc<Overview>>>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Held until the center is dropped, so that no other process opens it.
    _lock: ProfileLock,
}

/// What sessions count.
#[derive(Debug, Default)]
pub struct Counters {
    /// Terminals that have logged in at present.
    pub logged_in: AtomicU64,
    /// Requests that an error in the program left unanswered.
    pub failures: AtomicU64,
}

/// Why a center can't be opened: a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no center in the profile.
    #[error("there is no center in {0}; found one with: tui-center init")]
    NotFounded(String),
    /// Another process has it, or the profile can't be used.
    #[error(transparent)]
    Profile(#[from] tui_kit::profile::ProfileError),
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The service passphrase is wrong, or its file.
    #[error(transparent)]
    Keys(#[from] keys::KeyFileError),
    /// The books don't open.
    #[error(transparent)]
    Books(#[from] BooksError),
    /// Something in the profile does not fit the rest.
    #[error("{0}")]
    Unfit(String),
}

/// What the service passphrase opens besides the books: for looking at books that may be damaged.
pub struct Custody {
    /// The settings.
    pub config: Config,
    /// The cabinet.
    pub cabinet: Cabinet,
    /// What the newest key sheet in the cabinet says.
    pub key_sheet: KeySheet,
    pub(crate) service: Service,
    /// The newest sheet first. The books may not have taken it yet; then the one before it is in force.
    sheets: Vec<(Telegram, KeySheet)>,
    _lock: ProfileLock,
}

impl Custody {
    /// Takes the profile for this process and unlocks its keys; takes as long as Argon2id.
    pub fn open(profile: &Profile, passphrase: &SecretString) -> Result<Self, OpenError> {
        let places = Places::of(profile);
        if !places.config.exists() {
            return Err(OpenError::NotFounded(places.data.display().to_string()));
        }
        profile.create()?;
        let lock = profile.lock()?;
        let config = Config::read(&places.config)?;
        let service = keys::open_service(&places.service_key, passphrase)?;
        let cabinet = Cabinet::open(&places.cabinet, service.cabinet_key())?;
        let sheets = newest_sheets(&cabinet)?.into_iter().map(|sheet| {
            let said = KeySheet::verify(&sheet, &config.root_key);
            said.map(|said| (sheet, said)).map_err(|error| OpenError::Unfit(error.to_string()))
        });
        let sheets = sheets.collect::<Result<Vec<_>, _>>()?;
        let unfit = |words: &str| OpenError::Unfit(words.to_owned());
        let Some((_, key_sheet)) = sheets.first() else {
            return Err(unfit("the key sheet is missing from the cabinet"));
        };
        let stands = |keys: &RoleKeys| keys.stand_on(key_sheet);
        if !stands(service.roles()) && !service.next().is_some_and(stands) {
            return Err(unfit("the role keys are not those that the key sheet names"));
        }
        let key_sheet = key_sheet.clone();
        Ok(Self { config, cabinet, key_sheet, service, sheets, _lock: lock })
    }

    /// What the journal's checkpoints are signed with.
    pub fn checkpoint_key(&self) -> CheckpointKey {
        let next = self.service.next().map(|roles| &roles.checkpoint);
        let retired = self.service.retired().map(|(_, key)| key);
        let held: Vec<&SigningKey> =
            [Some(&self.service.roles().checkpoint), next, retired].into_iter().flatten().collect();
        CheckpointKey::of_sheet(&self.key_sheet, &held)
    }

    fn sheet_named(&self, named: Option<(u64, Digest)>) -> Option<&KeySheet> {
        let is_it = |(sheet, said): &&(Telegram, KeySheet)| named == Some((said.number, sheet.digest()));
        self.sheets.iter().find(is_it).map(|(_, said)| said)
    }

    /// The sheet that the books name. A newer one, of a rotation that was never entered, is taken out of the cabinet.
    pub(crate) fn in_force(
        &mut self,
        named: Option<(u64, Digest)>,
    ) -> Result<(Telegram, KeySheet), OpenError> {
        let is_it = |(sheet, said): &(Telegram, KeySheet)| named == Some((said.number, sheet.digest()));
        let Some(at) = self.sheets.iter().position(is_it) else {
            let words = "the books name another key sheet than the cabinet holds";
            return Err(OpenError::Unfit(words.into()));
        };
        for (_, newer) in &self.sheets[..at] {
            self.cabinet.drop_certificate(Certificate::Sheet(newer.number))?;
        }
        Ok(self.sheets.swap_remove(at))
    }
}

impl Center {
    /// Opens a center: unlocks its keys, reads the journal, opens the desk. It takes as long as Argon2id and the
    /// journal take; call it on a thread that may be kept busy, inside a tokio runtime.
    pub fn open(profile: &Profile, passphrase: &SecretString) -> Result<Self, OpenError> {
        let mut custody = Custody::open(profile, passphrase)?;
        let key = custody.checkpoint_key();
        let places = Places::of(profile);
        let errors = ErrorLog::open(&places.state);
        let unfit = |words: String| OpenError::Unfit(words);
        let mailboxes = Mailboxes::open(Arc::new(KeptCursors(custody.cabinet.clone())))?;
        let mut stopped = Stopped::read(&places.books);
        let held = stopped.as_ref().map(|stopped| stopped.words.clone());
        let mut opening = Opening::new(mailboxes).held(held.clone());
        let mut books = match &held {
            None => Books::resume(&places.books, key.clone(), &mut opening)?,
            Some(words) => Books::held(&places.books, key.clone(), &mut opening, words)?,
        };
        let named = opening.state().sheet();
        let ended =
            |stopped: &Stopped| custody.sheet_named(named).is_some_and(|sheet| stopped.is_ended_by(sheet));
        if stopped.as_ref().is_some_and(ended) {
            // A crash came between the entry that ends the stop and the removal of its file.
            drop(books);
            opening = opening.held(None);
            books = Books::resume(&places.books, key.clone(), &mut opening)?;
            Stopped::clear(&places.books).map_err(|error| OpenError::Unfit(error.to_string()))?;
            stopped = None;
        }
        let opened = books.opened().clone();
        errors.tell(Room::Books, Weight::Note, format!("The books were opened from {opened}."));
        for notice in books.notices() {
            errors.tell(Room::Books, Weight::Warning, format!("At opening: {notice}."));
        }
        let settings =
            opening.state().settings().cloned().ok_or_else(|| unfit("the books have no founding".into()))?;
        let (sheet, key_sheet) = custody.in_force(opening.state().sheet())?;
        let Custody { config, cabinet, service, _lock: lock, .. } = custody;
        let local = Local::new(&settings).map_err(unfit)?;
        let operators = open_operators(&places, opening.state(), &errors).map_err(unfit)?;
        let bank_account = config.bank_account().map_err(unfit)?;
        let guard = Guard::new(config.limits.clone(), errors.clone());
        let hours = Hours::open(&cabinet)?;
        let admission = Admission::open(&places.cabinet, &cabinet, &key_sheet, &errors)?;
        let voice = Voice::open(places.service_key.clone(), service, key, sheet, key_sheet)?;
        let voice = Arc::new(voice);
        let registers = open_registers(&places, books.reader(), &errors)?;
        let backups_in = places.state.clone();
        let desk = Desk::open(Box::new(books), opening, Box::new(SystemClock::start()))?;
        let rooms = Rooms {
            places,
            config,
            voice,
            settings,
            local,
            bank_account,
            desk,
            cabinet,
            hours,
            admission,
            registers,
            operators,
            errors,
            verifier: Verifier::default(),
            guard,
            presence: Presence::default(),
            sessions: Sessions::default(),
            counters: Counters::default(),
            since: Timestamp::now(),
            opened,
            backups: Backups::open(&backups_in),
            stopped: RwLock::new(stopped),
            listening: RwLock::default(),
            overview: OnceLock::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            _lock: lock,
        };
        let center = Self(Arc::new(rooms));
        center.0.tasks.spawn(follow(
            center.desk().clone(),
            center.registers().clone(),
            center.0.stop.clone(),
        ));
        center.0.tasks.spawn(sessions::watch(
            center.sessions().clone(),
            center.desk().clone(),
            center.0.stop.clone(),
        ));
        center.finish_erasures();
        center.complete_the_index();
        admission::issue::catch_up(&center);
        center.0.tasks.spawn(admission::follow(center.clone()));
        center.0.tasks.spawn(hours::follow(center.clone()));
        Ok(center)
    }

    /// Where its files lie.
    pub fn places(&self) -> &Places {
        &self.0.places
    }

    /// Its settings.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// What the founding fixed.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Its currency, zone and business day.
    pub fn local(&self) -> &Local {
        &self.0.local
    }

    /// The keys and the key sheet with which it speaks at present. Keep it for as long as one thing is said, so that all of
    /// it fits together.
    pub fn speaking(&self) -> Arc<Speaking> {
        self.0.voice.speaking()
    }

    pub(crate) fn voice(&self) -> &Arc<Voice> {
        &self.0.voice
    }

    /// Its bank account.
    pub fn bank_account(&self) -> &BankAccount {
        &self.0.bank_account
    }

    /// The desk.
    pub fn desk(&self) -> &Desk {
        &self.0.desk
    }

    /// The cabinet.
    pub fn cabinet(&self) -> &Cabinet {
        &self.0.cabinet
    }

    /// What it has published for the newest hours.
    pub fn hours(&self) -> &Hours {
        &self.0.hours
    }

    /// The room of joining.
    pub fn admission(&self) -> &Admission {
        &self.0.admission
    }

    /// The registers, up with the journal: waits a moment for them to take in what was just entered.
    ///
    /// Registers that stay behind answer with what they have; [`Registers::progress`] tells why.
    pub fn registers_now(&self) -> &Registers {
        self.0.registers.wait(self.desk().reader().size(), CATCH_UP);
        &self.0.registers
    }

    /// The registers.
    pub fn registers(&self) -> &Registers {
        &self.0.registers
    }

    /// The staff.
    pub fn operators(&self) -> &Operators {
        &self.0.operators
    }

    /// The error log.
    pub fn errors(&self) -> &ErrorLog {
        &self.0.errors
    }

    /// The verifications of its books.
    pub fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    /// The backups that were made of it.
    pub fn backups(&self) -> &Backups {
        &self.0.backups
    }

    /// What stops it for longer than a restart, if anything does: then it takes nothing and signs nothing.
    pub fn held(&self) -> Option<Stopped> {
        self.0.stopped.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Stops payments, and keeps them stopped over restarts: the first that was seen stays. Blocks on the disk.
    pub(crate) fn hold(&self, stopped: Stopped) {
        self.desk().stop(stopped.words.clone());
        let mut held = self.0.stopped.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if held.is_some() {
            return;
        }
        if let Err(error) = stopped.write(&self.places().books) {
            let words = format!(
                "That the center is stopped could not be kept, and a restart would forget it; do not start it again: {error}."
            );
            self.errors().tell(Room::Books, Weight::Alarm, words);
        }
        *held = Some(stopped);
    }

    /// The guard.
    pub fn guard(&self) -> &Guard {
        &self.0.guard
    }

    /// Which stores are here.
    pub fn presence(&self) -> &Presence {
        &self.0.presence
    }

    /// The sessions that speak for an account.
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// What sessions count.
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Since when it is open.
    pub fn since(&self) -> Timestamp {
        self.0.since
    }

    /// What the books were opened from.
    pub fn opened(&self) -> &Opened {
        &self.0.opened
    }

    /// The addresses it listens on.
    pub fn listening(&self) -> Vec<String> {
        self.0.listening.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub(crate) fn now_listening(&self, addresses: &[String]) {
        *self.0.listening.write().unwrap_or_else(std::sync::PoisonError::into_inner) = addresses.to_vec();
    }

    /// How it stands, whenever that changes: at most once a second. The first look begins the watching.
    pub fn overview(&self) -> watch::Receiver<Arc<Overview>> {
        let begin = || {
            let (sender, receiver) = watch::channel(Arc::new(inquiry::overview::look(self)));
            self.0.tasks.spawn(inquiry::overview::watch(self.clone(), sender, self.0.stop.clone()));
            receiver
        };
        self.0.overview.get_or_init(begin).clone()
    }

    /// The newest overview, if anybody watches.
    pub(crate) fn watched(&self) -> Option<Arc<Overview>> {
        self.0.overview.get().map(|overview| overview.borrow().clone())
    }

    /// Asks the program to end in order; [`crate::serve`] does it.
    pub fn stop(&self) {
        self.0.stop.cancel();
    }

    /// Cancelled when the program is to end.
    pub fn stopping(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// Ends in order: drains the desk and closes the books. Whoever still has a clone gets refusals.
    pub async fn close(&self) -> Result<(), BooksError> {
        self.0.stop.cancel();
        self.0.verifier.cancel();
        self.0.tasks.close();
        // Watching tasks end with the token; a slow one is not waited for.
        let _ = tokio::time::timeout(Duration::from_secs(2), self.0.tasks.wait()).await;
        let closed = self.0.desk.close().await;
        let registers = self.0.registers.clone();
        // They follow the journal to its end; what they miss they take in at the next opening.
        let _ = tokio::task::spawn_blocking(move || registers.close()).await;
        closed
    }

    /// Signs a card's certificate. Ed25519 is deterministic: the same card has the same certificate at any time, so
    /// none needs to be kept.
    pub fn certify(&self, certificate: &CardCertificate) -> Telegram {
        Telegram::sign_as_key(certificate, &self.speaking().roles().card)
    }

    /// What a member or store filled in; `None` when it was erased or can't be read. Blocks on the disk.
    pub fn particulars(&self, account: AccountNumber) -> Option<Particulars> {
        let digest: Digest = self.desk().state().holder(account)?.particulars;
        let person = self.cabinet().person(digest);
        let person =
            person.inspect_err(|error| tracing::warn!("the particulars of {account}: {error}")).ok()??;
        wire::codec::decode("form", &person.bytes, wire::limits::PARTICULARS).ok()
    }

    /// Does what blocks on the disk or the processor on a thread of its own.
    pub async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| {
            self.counters().failures.fetch_add(1, Ordering::Relaxed);
            Err(Problem::new(ProblemKind::Busy, "the center could not do this: an error in the program"))
        })
    }
}

/// The operators' file as the books have it; what does not go with them is told.
fn open_operators(places: &Places, state: &State, errors: &ErrorLog) -> Result<Operators, String> {
    let said = state
        .operators()
        .filter_map(|(name, role)| state.operator_key(name).map(|key| (name.to_owned(), (role, key))));
    let now = Timestamp::now();
    let open = |number| state.proposal(number).is_some_and(|proposal| now <= proposal.until);
    let operators = Operators::open(&places.operators).map_err(|error| error.to_string())?;
    for words in operators.reconcile(&said.collect(), &open).map_err(|error| error.to_string())? {
        errors.tell(Room::Operators, Weight::Alarm, format!("{words}."));
    }
    Ok(operators)
}

/// Damaged registers are made anew: nothing stands in them that the journal does not have.
fn open_registers(places: &Places, reader: Reader, errors: &ErrorLog) -> Result<Registers, BooksError> {
    Registers::open(&places.registers, reader.clone()).or_else(|error| {
        errors.tell(
            Room::Books,
            Weight::Alarm,
            format!("The registers do not open and are made anew: {error}."),
        );
        Registers::rebuild(&places.registers, reader)
    })
}

/// Tells the registers of every growth of the journal.
async fn follow(desk: Desk, registers: Registers, stop: CancellationToken) {
    let mut entries = desk.subscribe();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            entered = entries.recv_batch() => match entered {
                // They read the journal themselves: whoever lags has missed nothing.
                Ok(_) | Err(RecvError::Lagged(_)) => registers.follow(),
                Err(RecvError::Closed) => return,
            },
        }
    }
}

/// The two newest sheets, the newest first. They are numbered without gaps.
fn newest_sheets(cabinet: &Cabinet) -> Result<Vec<Telegram>, BooksError> {
    let mut newest = Vec::new();
    for number in 1.. {
        let Some(sheet) = cabinet.certificate(Certificate::Sheet(number))? else { break };
        newest.insert(0, sheet);
        newest.truncate(2);
    }
    Ok(newest)
}

/// Mail cursors lie in the cabinet.
struct KeptCursors(Cabinet);

impl Cursors for KeptCursors {
    fn load(&self) -> Result<std::collections::BTreeMap<AccountNumber, EntryNumber>, BooksError> {
        self.0.cursors()
    }

    fn keep(&self, account: AccountNumber, upto: EntryNumber) -> Result<(), BooksError> {
        self.0.set_cursor(account, upto)
    }
}
