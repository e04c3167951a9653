//! The postman: brings what lies in the cabinet to a line, again and again until the line has taken it.
//!
//! | part | does |
//! |---|---|
//! | [`Postman`] | delivers what lies in the cabinet, oldest first; shows how each thing stands; takes operators' words |
//! | [`Outgoing`] | something that goes out: kind, entry, recipient, exact bytes |
//! | [`Carrier`] | a way out: SMTP server, pickup folder, printer |
//! | [`Backoff`] | how long to wait after a failure |
//! | `folder` | folders that lie between the center and another program |
//!
//! The intent is an entry first; then the exact bytes lie sealed in the cabinet under a name that derives from the
//! entry's number ([`Postman::give`]). When the line has taken them, [`Settle`] enters that, and only after that are the
//! bytes destroyed: they may bear an activation code.
//!
//! How often something was tried is kept in memory only. After a restart all that lies in the cabinet is tried again,
//! also what the line took in the moment of the crash. A mail is then sent twice with the same `Message-ID`, by which
//! the recipient's server or program may know it; a letter is printed twice, identically. Both are better than one
//! that never arrives.

mod backoff;
pub(in crate::lines) mod folder;
mod outgoing;
mod round;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    str::FromStr as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use wire::{id::EntryNumber, time::Timestamp};
use zeroize::Zeroizing;

pub use self::{
    backoff::Backoff,
    outgoing::{Outgoing, id, masked, redacted},
};
use crate::{
    books::{BooksError, cabinet::Cabinet},
    errors::{ErrorLog, Room},
};

/// How many things that are done with are still shown.
const SHOWN: usize = 200;

/// What kind of thing goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// E-mail.
    Mail,
    /// A letter on paper.
    Letter,
}

/// How something that goes out stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It will be tried, at `next_try` where that is known; else an operator has to do something.
    Waiting,
    /// It is being tried.
    Sending,
    /// The other side refused it for good; an operator tries it again or gives it up.
    Failed,
    /// The mail server, or the program that empties the pickup folder, has it.
    Accepted,
    /// The printer has it, or it lies in the folder for printing, or an operator printed it.
    Printed,
    /// An operator gave it up.
    GivenUp,
}

/// Something that goes out, for the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostState {
    /// Its name in the cabinet; acts name it so.
    pub name: String,
    /// Mail or letter.
    pub kind: Kind,
    /// The entry that intends it.
    pub entry: EntryNumber,
    /// Whom it is for, as [`masked`] shows it.
    pub to_masked: String,
    /// The entry's time.
    pub since: Timestamp,
    /// How often it was tried since the start.
    pub tries: u32,
    /// What was said of it last; empty before the first try.
    pub last_words: String,
    /// When it is tried next.
    pub next_try: Option<Timestamp>,
    /// How it stands.
    pub state: State,
}

/// How a line stands, for the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineState {
    /// What goes over it.
    pub kind: Kind,
    /// Whether the settings name a way out.
    pub on: bool,
    /// Which way, in words.
    pub way: String,
    /// When the other side last gave a sign of life; `None` since the start.
    pub last_sign: Option<Timestamp>,
    /// What is wrong with the line at present.
    pub trouble: Option<String>,
    /// How many wait or are being tried.
    pub waiting: usize,
    /// How many failed for good and need an operator.
    pub failed: usize,
}

/// The end of something that went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Its name.
    pub name: String,
    /// Mail or letter.
    pub kind: Kind,
    /// The entry that intended it.
    pub entry: EntryNumber,
    /// [`State::Accepted`], [`State::Printed`] or [`State::GivenUp`].
    pub end: State,
    /// What the other side said, cleaned and without the recipient.
    pub words: String,
}

/// Enters the end of something. The bytes are destroyed when it has answered `Ok`; with words, it is asked again later
/// while nothing is sent a second time. It may be told of the same end again after a crash.
pub type Settle = Arc<dyn Fn(Settled) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Why something did not go out, in words without a recipient, a code or a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The line is at fault: whatever else waits would fare no better now.
    Line(String),
    /// This one is not taken now.
    Later(String),
    /// This one will never be taken as it is.
    Never(String),
}

/// A way out. A try is bounded in time by the carrier; it is dropped when the center stops.
pub trait Carrier: Send + Sync + 'static {
    /// Which way, in words: “mail.center.example:587”.
    fn way(&self) -> String;

    /// Tries once. On success it gives what the other side said.
    fn carry<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<String, Trouble>>;
}

/// What a postman works with.
pub struct Bag {
    /// Mail or letters.
    pub kind: Kind,
    /// Where they lie.
    pub cabinet: Cabinet,
    /// Where failures are told.
    pub errors: ErrorLog,
    /// The way out; without one everything waits for an operator.
    pub carrier: Option<Arc<dyn Carrier>>,
    /// Who enters ends.
    pub settle: Settle,
    /// How long to wait after failures.
    pub backoff: Backoff,
    /// Ends the work.
    pub stop: CancellationToken,
}

/// A postman at work. Clones are the same one.
#[derive(Clone)]
pub struct Postman(Arc<Desk>);

struct Desk {
    bag: Bag,
    book: Mutex<Book>,
    /// There is something to do before the next try is due.
    call: Notify,
}

#[derive(Default)]
struct Book {
    items: BTreeMap<EntryNumber, Item>,
    /// The cabinet has something that `items` may not know.
    look: bool,
    last_sign: Option<Timestamp>,
    trouble: Option<String>,
    troubles: u32,
    /// Nothing is tried before, because the line is at fault.
    line_until: Option<Wake>,
}

struct Item {
    to_masked: String,
    since: Timestamp,
    tries: u32,
    words: String,
    until: Option<Wake>,
    state: State,
    /// The end is entered and the bytes are destroyed.
    done: bool,
}

/// An instant by both clocks: the one by which the postman wakes, and the one that people read.
#[derive(Debug, Clone, Copy)]
struct Wake {
    at: Instant,
    shown: Timestamp,
}

impl Kind {
    /// A noun for sentences.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Letter => "letter",
        }
    }

    /// The name of what an entry intends.
    pub fn name(self, entry: EntryNumber) -> String {
        format!("{}-{entry}{}", self.noun(), self.suffix())
    }

    /// What a name says.
    pub fn of(name: &str) -> Option<(Self, EntryNumber)> {
        [Self::Mail, Self::Letter].into_iter().find_map(|kind| {
            let number = name.strip_prefix(kind.noun())?.strip_prefix('-')?.strip_suffix(kind.suffix())?;
            // Numbers may be typed loosely; a name is written in one way only.
            let entry = EntryNumber::from_str(number).ok()?;
            (kind.name(entry) == name).then_some((kind, entry))
        })
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Mail => ".eml",
            Self::Letter => ".pdf",
        }
    }

    fn room(self) -> Room {
        match self {
            Self::Mail => Room::Mail,
            Self::Letter => Room::Post,
        }
    }

    /// The state of one that the other side has.
    fn taken(self) -> State {
        match self {
            Self::Mail => State::Accepted,
            Self::Letter => State::Printed,
        }
    }
}

impl Postman {
    /// Begins to deliver what lies in the cabinet. The task ends with `bag.stop`.
    pub fn start(bag: Bag) -> (Self, JoinHandle<()>) {
        let postman = Self(Arc::new(Desk {
            bag,
            book: Mutex::new(Book { look: true, ..Book::default() }),
            call: Notify::new(),
        }));
        let task = tokio::spawn(round::go(postman.clone()));
        (postman, task)
    }

    /// Keeps something durably and has it delivered. Giving the same again changes nothing. Blocks on the disk.
    ///
    /// # Errors
    /// As [`Cabinet::put_outward`]; also when it is of the other kind.
    pub fn give(&self, outgoing: &Outgoing) -> Result<(), BooksError> {
        if outgoing.kind != self.0.bag.kind {
            let words = format!("{} is not for this line", outgoing.name());
            return Err(BooksError::Cabinet(words));
        }
        self.0.bag.cabinet.put_outward(&outgoing.name(), &outgoing.kept())?;
        self.look();
        Ok(())
    }

    /// Has it look into the cabinet: something was put there by another way than [`Postman::give`].
    pub fn look(&self) {
        self.book().look = true;
        self.0.call.notify_one();
    }

    /// Everything on its way, oldest first, and the newest of what is done with.
    pub fn list(&self) -> Vec<PostState> {
        let book = self.book();
        book.items.iter().map(|(entry, item)| self.shown(&book, *entry, item)).collect()
    }

    /// How the line stands.
    pub fn line(&self) -> LineState {
        let book = self.book();
        let count =
            |states: &[State]| book.items.values().filter(|item| states.contains(&item.state)).count();
        LineState {
            kind: self.0.bag.kind,
            on: self.0.bag.carrier.is_some(),
            way: self.0.bag.carrier.as_ref().map(|carrier| carrier.way()).unwrap_or_default(),
            last_sign: book.last_sign,
            trouble: book.trouble.clone(),
            waiting: count(&[State::Waiting, State::Sending]),
            failed: count(&[State::Failed]),
        }
    }

    /// The exact bytes of something that is on its way: for an operator who prints a letter, or hands it out. Blocks on
    /// the disk.
    ///
    /// # Errors
    /// In words, when nothing of that name is there or it can't be opened.
    pub fn take_out(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, String> {
        self.entry(name)?;
        match self.0.bag.cabinet.outward(name).map_err(|error| error.to_string())? {
            Some(kept) => Ok(Outgoing::read(name, &kept)?.bytes),
            None => Err(self.gone(name)),
        }
    }

    /// Tries one again now, also one that failed for good.
    ///
    /// # Errors
    /// In words, when nothing of that name waits or has failed, or there is no way out.
    pub fn retry(&self, name: &str) -> Result<(), String> {
        let entry = self.entry(name)?;
        if self.0.bag.carrier.is_none() {
            return Err(format!("there is no way out for a {}; see the settings", self.0.bag.kind.noun()));
        }
        let mut book = self.book();
        self.free(&mut book, entry, name, |item| {
            item.state = State::Waiting;
            item.until = None;
        })?;
        book.line_until = None;
        drop(book);
        self.0.call.notify_one();
        Ok(())
    }

    /// Gives one up: it is not tried again, that is entered, and its bytes are destroyed.
    ///
    /// # Errors
    /// As [`Postman::retry`].
    pub fn give_up(&self, name: &str) -> Result<(), String> {
        self.end(name, State::GivenUp)
    }

    /// An operator has delivered it: printed the letter, or told the mail's words in another way.
    ///
    /// # Errors
    /// As [`Postman::retry`].
    pub fn by_hand(&self, name: &str) -> Result<(), String> {
        self.end(name, self.0.bag.kind.taken())
    }

    fn end(&self, name: &str, end: State) -> Result<(), String> {
        let entry = self.entry(name)?;
        let mut book = self.book();
        self.free(&mut book, entry, name, |item| {
            item.state = end;
            item.until = None;
            item.words = "an operator said so".into();
        })?;
        drop(book);
        self.0.call.notify_one();
        Ok(())
    }

    /// Changes something that nobody is working on.
    fn free(
        &self,
        book: &mut Book,
        entry: EntryNumber,
        name: &str,
        change: impl FnOnce(&mut Item),
    ) -> Result<(), String> {
        let item = book.items.get_mut(&entry).ok_or_else(|| self.gone(name))?;
        match item.state {
            State::Waiting | State::Failed => {
                change(item);
                Ok(())
            }
            State::Sending => {
                Err(format!("{name} is being sent at this moment; ask again when it has ended"))
            }
            State::Accepted | State::Printed | State::GivenUp => Err(self.gone(name)),
        }
    }

    fn entry(&self, name: &str) -> Result<EntryNumber, String> {
        let named = Kind::of(name).filter(|(kind, _)| *kind == self.0.bag.kind);
        named.map(|(_, entry)| entry).ok_or_else(|| {
            let like = self.0.bag.kind.name(EntryNumber(123));
            format!("what goes out here is named like {like}")
        })
    }

    fn gone(&self, name: &str) -> String {
        format!("no {} {name} waits: it was delivered or given up, or never was", self.0.bag.kind.noun())
    }

    fn shown(&self, book: &Book, entry: EntryNumber, item: &Item) -> PostState {
        let until = [item.until, book.line_until].into_iter().flatten().max_by_key(|wake| wake.at);
        let waits = item.state == State::Waiting && self.0.bag.carrier.is_some();
        let no_way = item.state == State::Waiting && self.0.bag.carrier.is_none();
        PostState {
            name: self.0.bag.kind.name(entry),
            kind: self.0.bag.kind,
            entry,
            to_masked: item.to_masked.clone(),
            since: item.since,
            tries: item.tries,
            last_words: if no_way {
                format!(
                    "waits for an operator: the settings name no way out for a {}",
                    self.0.bag.kind.noun()
                )
            } else {
                item.words.clone()
            },
            next_try: until.filter(|_| waits).map(|wake| wake.shown),
            state: item.state,
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake {
    fn after(wait: Duration) -> Self {
        let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Self { at: Instant::now() + wait, shown: Timestamp::now().plus_ms(ms) }
    }
}
