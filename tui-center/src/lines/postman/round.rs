//! The postman's round: looks, tries, enters, waits.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use wire::{id::EntryNumber, time::Timestamp};

use super::{Item, Kind, Outgoing, Postman, SHOWN, Settled, State, Trouble, Wake, masked, redacted};
use crate::errors::Weight;

/// How long to wait before the cabinet is looked into again after it could not be read.
const AFTER_ERROR: Duration = Duration::from_secs(60);

/// How long the desk may take to enter an end.
const ENTERING: Duration = Duration::from_secs(60);

/// What is to be done next.
enum Next {
    /// To look into the cabinet.
    Look,
    /// To try this one.
    Try(EntryNumber),
    /// To enter the end of this one.
    Settle(EntryNumber),
    /// Nothing before this instant.
    Wait(Option<Instant>),
}

/// Works until the center stops.
pub(super) async fn go(postman: Postman) {
    let stop = postman.0.bag.stop.clone();
    loop {
        let next = postman.next();
        let work = async {
            match next {
                Next::Look => postman.take_stock().await,
                Next::Try(entry) => postman.attempt(entry).await,
                Next::Settle(entry) => postman.settle(entry).await,
                Next::Wait(until) => {
                    let due = async {
                        match until {
                            Some(at) => tokio::time::sleep_until(at).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        () = due => {}
                        () = postman.0.call.notified() => {}
                    }
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = work => {}
        }
    }
}

impl Postman {
    fn next(&self) -> Next {
        let mut book = self.book();
        if std::mem::take(&mut book.look) {
            return Next::Look;
        }
        let now = Instant::now();
        let due = |wake: Option<Wake>| wake.is_none_or(|wake| wake.at <= now);
        let mut earliest: Option<Instant> = None;
        let mut sooner = |wake: Option<Wake>| {
            if let Some(wake) = wake {
                earliest = Some(earliest.map_or(wake.at, |known| known.min(wake.at)));
            }
        };
        let ended = |item: &Item| {
            !item.done && matches!(item.state, State::Accepted | State::Printed | State::GivenUp)
        };
        for (entry, item) in book.items.iter().filter(|(_, item)| ended(item)) {
            if due(item.until) {
                return Next::Settle(*entry);
            }
            sooner(item.until);
        }
        if self.0.bag.carrier.is_some() {
            let line = book.line_until.filter(|wake| wake.at > now);
            for (entry, item) in book.items.iter().filter(|(_, item)| item.state == State::Waiting) {
                if due(item.until) && line.is_none() {
                    return Next::Try(*entry);
                }
                sooner([item.until, line].into_iter().flatten().max_by_key(|wake| wake.at));
            }
        }
        Next::Wait(earliest)
    }

    /// Learns of all that lies in the cabinet.
    async fn take_stock(&self) {
        let (cabinet, kind) = (self.0.bag.cabinet.clone(), self.0.bag.kind);
        let known: Vec<EntryNumber> =
            self.book().items.iter().filter(|(_, item)| !item.done).map(|(entry, _)| *entry).collect();
        let looked = tokio::task::spawn_blocking(move || {
            let names = cabinet.outward_names().map_err(|error| error.to_string())?;
            let new = names
                .iter()
                .filter_map(|name| Kind::of(name))
                .filter(|(is, entry)| *is == kind && !known.contains(entry));
            let read = |(_, entry): (Kind, EntryNumber)| {
                let name = kind.name(entry);
                let kept = cabinet.outward(&name).map_err(|error| error.to_string());
                let item = kept.and_then(|kept| kept.map(|kept| Outgoing::read(&name, &kept)).transpose());
                (entry, item)
            };
            Ok::<_, String>(
                new.map(read)
                    .map(|(entry, item)| (entry, item.map(|item| item.map(head))))
                    .collect::<Vec<_>>(),
            )
        });
        let found = looked.await.unwrap_or_else(|_| Err("an error in the program".into()));
        match found {
            Ok(found) => {
                for (entry, head) in found {
                    self.learn(entry, head);
                }
            }
            Err(why) => {
                self.tell(Weight::Alarm, format!("What waits to go out cannot be read: {why}."));
                tokio::time::sleep(AFTER_ERROR).await;
                self.book().look = true;
            }
        }
    }

    fn learn(&self, entry: EntryNumber, head: Result<Option<(String, Timestamp)>, String>) {
        let item = match head {
            Ok(None) => return,
            Ok(Some((to_masked, since))) => Item {
                to_masked,
                since,
                tries: 0,
                words: String::new(),
                until: None,
                state: State::Waiting,
                done: false,
            },
            Err(why) => {
                self.tell(Weight::Alarm, format!("{} cannot go out: {why}.", self.0.bag.kind.name(entry)));
                Item {
                    to_masked: String::new(),
                    since: Timestamp::default(),
                    tries: 0,
                    words: why,
                    until: None,
                    state: State::Failed,
                    done: false,
                }
            }
        };
        self.book().items.insert(entry, item);
    }

    async fn attempt(&self, entry: EntryNumber) {
        let name = self.0.bag.kind.name(entry);
        {
            let mut book = self.book();
            let Some(item) = book.items.get_mut(&entry).filter(|item| item.state == State::Waiting) else {
                return;
            };
            item.state = State::Sending;
            item.tries = item.tries.saturating_add(1);
        }
        let (cabinet, reading) = (self.0.bag.cabinet.clone(), name.clone());
        let read = tokio::task::spawn_blocking(move || {
            let kept = cabinet.outward(&reading).map_err(|error| error.to_string())?;
            kept.map(|kept| Outgoing::read(&reading, &kept)).transpose()
        });
        let outgoing = match read.await.unwrap_or_else(|_| Err("an error in the program".into())) {
            Ok(Some(outgoing)) => outgoing,
            Ok(None) => {
                // Whoever destroyed it meant it.
                self.book().items.remove(&entry);
                return;
            }
            Err(why) => return self.failed(entry, Trouble::Never(why)),
        };
        let Some(carrier) = self.0.bag.carrier.clone() else { return };
        let to = outgoing.to.clone();
        // In a task of its own, so that an error in it ends neither the round nor outlives the center's stop.
        let carrying = AbortOnDropHandle::new(tokio::spawn(async move { carrier.carry(&outgoing).await }));
        let carried = carrying.await.unwrap_or_else(|_| Err(Trouble::Line("an error in the program".into())));
        match carried {
            Ok(words) => self.carried(entry, redacted(&words, &to)),
            Err(trouble) => {
                let cleaned = match trouble {
                    Trouble::Line(words) => Trouble::Line(redacted(&words, &to)),
                    Trouble::Later(words) => Trouble::Later(redacted(&words, &to)),
                    Trouble::Never(words) => Trouble::Never(redacted(&words, &to)),
                };
                self.failed(entry, cleaned);
            }
        }
    }

    fn carried(&self, entry: EntryNumber, words: String) {
        let mut book = self.book();
        book.last_sign = Some(Timestamp::now());
        let was_in_trouble = book.trouble.take().is_some();
        (book.troubles, book.line_until) = (0, None);
        if let Some(item) = book.items.get_mut(&entry) {
            item.state = self.0.bag.kind.taken();
            (item.until, item.words) = (None, words);
        }
        drop(book);
        if was_in_trouble {
            self.tell(Weight::Note, format!("The line for {}s works again.", self.0.bag.kind.noun()));
        }
    }

    fn failed(&self, entry: EntryNumber, trouble: Trouble) {
        let name = self.0.bag.kind.name(entry);
        let mut book = self.book();
        let book = &mut *book;
        let Some(item) = book.items.get_mut(&entry) else { return };
        let told = match trouble {
            Trouble::Line(words) => {
                item.state = State::Waiting;
                item.words.clone_from(&words);
                book.troubles = book.troubles.saturating_add(1);
                book.line_until = Some(Wake::after(self.0.bag.backoff.wait(book.troubles)));
                let news = book.trouble.as_ref() != Some(&words);
                book.trouble = Some(words.clone());
                let words = format!(
                    "No {} goes out at present: {words}. It is tried again by itself.",
                    self.0.bag.kind.noun()
                );
                news.then_some((Weight::Warning, words))
            }
            Trouble::Later(words) => {
                book.last_sign = Some(Timestamp::now());
                (book.trouble, book.troubles, book.line_until) = (None, 0, None);
                item.state = State::Waiting;
                item.until = Some(Wake::after(self.0.bag.backoff.wait(item.tries)));
                let news = item.words != words;
                item.words.clone_from(&words);
                let words = format!("{name} is not taken yet: {words}. It is tried again by itself.");
                news.then_some((Weight::Warning, words))
            }
            Trouble::Never(words) => {
                book.last_sign = Some(Timestamp::now());
                (book.trouble, book.troubles, book.line_until) = (None, 0, None);
                item.state = State::Failed;
                item.until = None;
                item.words.clone_from(&words);
                let words = format!("{name} was refused: {words}. Try it again or give it up.");
                Some((Weight::Alarm, words))
            }
        };
        if let Some((weight, words)) = told {
            self.tell(weight, words);
        }
    }

    /// Enters an end, then destroys the bytes.
    async fn settle(&self, entry: EntryNumber) {
        let name = self.0.bag.kind.name(entry);
        let (end, words) = {
            let book = self.book();
            let Some(item) = book.items.get(&entry) else { return };
            (item.state, item.words.clone())
        };
        tui_kit::failpoint::at("post.settle");
        let settled = Settled { name: name.clone(), kind: self.0.bag.kind, entry, end, words };
        let entering = tokio::time::timeout(ENTERING, (self.0.bag.settle)(settled)).await;
        let entered = entering.unwrap_or_else(|_| Err("the desk does not answer".into()));
        let ended = match entered {
            Ok(()) => {
                tui_kit::failpoint::at("post.destroy");
                let (cabinet, name) = (self.0.bag.cabinet.clone(), name.clone());
                let destroyed = tokio::task::spawn_blocking(move || cabinet.confirm_outward(&name)).await;
                match destroyed {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(error)) => Err(format!("its bytes could not be destroyed: {error}")),
                    Err(_) => Err("its bytes could not be destroyed: an error in the program".into()),
                }
            }
            Err(why) => Err(format!("that could not be entered yet: {why}")),
        };
        let mut book = self.book();
        let Some(item) = book.items.get_mut(&entry) else { return };
        match ended {
            Ok(()) => {
                item.done = true;
                item.until = None;
                let done: Vec<_> =
                    book.items.iter().filter(|(_, item)| item.done).map(|(entry, _)| *entry).collect();
                for old in done.iter().take(done.len().saturating_sub(SHOWN)) {
                    book.items.remove(old);
                }
            }
            Err(why) => {
                item.until = Some(Wake::after(self.0.bag.backoff.wait(1)));
                drop(book);
                self.tell(
                    Weight::Alarm,
                    format!("{name} has gone out, but {why}. It is tried again by itself."),
                );
            }
        }
    }

    fn tell(&self, weight: Weight, words: String) {
        self.0.bag.errors.tell(self.0.bag.kind.room(), weight, words);
    }
}

/// What the console shows of something before it is tried.
fn head(outgoing: Outgoing) -> (String, Timestamp) {
    (masked(&outgoing.to), outgoing.at)
}
