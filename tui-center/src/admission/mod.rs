//! Joining, as the center does it: from the guide page to the activation code.
//!
//! | part | does |
//! |---|---|
//! | [`document`] | guide pages, forms, terms, policy: entries that operators edit |
//! | [`form`], [`policy`] | what stands in a form and in the policy, and whether it may |
//! | [`applications`] | applications in the cabinet: durable before they are answered, under numbers never given twice |
//! | [`standing`] | how an application stands: what the books decided, what the code still bears |
//! | [`kit`] | the signed admission kit and the programs that it offers |
//! | [`codes`] | keyed hashes of activation codes, and tries |
//! | `rule` | admits whoever resembles nobody, where the policy says so |
//! | [`issue`] | makes the codes of admissions, and the mails and letters that bear them |
//! | `settle` | puts away what a registration leaves, and warns owners whose keys are replaced |
//! | `page` | what the read-only page shows |
//! | [`outlet`] | the postmen, and what the books learn of them |
//!
//! What the desk decides is an entry first. Code, mail and letter are made from the entry, under names that derive from
//! its number; what a crash left undone is done at the next start. No code is ever in the journal, in a log or in an
//! error: it lies sealed in the cabinet until it has gone out, and then nowhere.

pub mod applications;
pub mod codes;
pub mod document;
pub mod form;
pub mod issue;
pub mod kit;
pub mod outlet;
pub(crate) mod page;
pub mod policy;
pub(crate) mod rule;
pub(crate) mod settle;
pub mod standing;

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use ledger::{Decision, Entry, Request, state::Decided};
use tokio::sync::broadcast::error::RecvError;
use wire::{
    admission::{ApplicationState, Kit},
    id::{ApplicationNumber, EntryNumber},
    sheet::{KeySheet, SheetRole},
    telegram::{Signer, Telegram},
    time::Timestamp,
};

use self::{
    applications::Applications,
    codes::Codes,
    document::Library,
    kit::{Frame, Kits},
    outlet::Outlets,
    rule::Rule,
};
use crate::{
    books::{
        BooksError,
        cabinet::{Cabinet, index::Who},
    },
    center::Center,
    errors::{ErrorLog, Room, Weight},
    settlement::Standing,
};

/// The room of joining.
pub struct Admission {
    /// The applications.
    pub applications: Applications,
    /// The activation codes.
    pub codes: Codes,
    /// The documents.
    pub library: Library,
    /// The kit.
    pub kits: Kits,
    outlets: OnceLock<Outlets>,
    /// Codes are made one after the other.
    issuing: Mutex<()>,
    /// Applications are taken one after the other, so that each sees those before it.
    taking: Mutex<()>,
    rule: Rule,
    /// Until when it was told that no more applications are taken.
    told_full: Mutex<Option<Timestamp>>,
}

impl Admission {
    /// Opens what the cabinet holds of it.
    ///
    /// # Errors
    /// What the file system refuses.
    pub(crate) fn open(
        folder: &Path,
        cabinet: &Cabinet,
        sheet: &KeySheet,
        errors: &ErrorLog,
    ) -> Result<Self, BooksError> {
        let (applications, spoilt) = Applications::open(cabinet.clone())?;
        for words in spoilt {
            errors.tell(Room::Books, Weight::Alarm, format!("An application: {words}."));
        }
        let trusted = |telegram: &Telegram| {
            let keys = sheet.keys.iter().filter(|key| key.role == SheetRole::Statement);
            keys.into_iter().any(|key| telegram.signer == Signer::Key(key.key))
        };
        let (kits, fault) = Kits::open(folder, cabinet.clone(), trusted)?;
        if let Some(words) = fault {
            errors.tell(Room::Books, Weight::Alarm, format!("{words}; programs must be added again."));
        }
        Ok(Self {
            applications,
            codes: Codes::new(cabinet.clone(), cabinet.code_key()),
            library: Library::default(),
            kits,
            outlets: OnceLock::new(),
            issuing: Mutex::new(()),
            taking: Mutex::new(()),
            rule: Rule::default(),
            told_full: Mutex::default(),
        })
    }
}

impl Admission {
    /// Held while an application is looked at and kept.
    pub(crate) fn take(&self) -> MutexGuard<'_, ()> {
        self.taking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Center {
    /// Whether one more application may lie open: one that nobody has decided on, or that was asked back. That there are
    /// too many is told once a day, for then newcomers are turned away.
    pub(crate) fn takes_applications(&self) -> bool {
        let room = self.admission();
        let most = self.config().limits.applications_open;
        let open = {
            let rows = room.applications.rows_now();
            let state = self.desk().state();
            let open = |number| matches!(state.decided(number), None | Some(Decided::AskedBack(_)));
            rows.iter().filter(|row| open(row.number)).count()
        };
        if usize::try_from(most).is_ok_and(|most| open < most) {
            return true;
        }
        let now = Timestamp::now();
        let mut told = room.told_full.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told <= now) {
            *told = Some(now.plus_ms(standing::DAY_MS));
            let words = format!(
                "{open} applications lie open, which is as many as the settings allow: newcomers are turned away until some \
                 are decided on."
            );
            self.errors().tell(Room::Operators, Weight::Alarm, words);
        }
        false
    }

    /// What the kit says beside its programs. Blocks on the disk where a document has changed.
    ///
    /// # Errors
    /// In words, when a document can't be read.
    pub fn kit_frame(&self) -> Result<Frame, String> {
        let library = &self.admission().library;
        Ok(Frame {
            center: self.settings().center,
            sheet: self.speaking().sheet().clone(),
            terms: library.terms(self.desk())?,
            vault: library.policy(self.desk())?.vault(),
            currency: self.settings().currency,
        })
    }

    /// The newest admission kit. Blocks on the disk where anything in it has changed.
    ///
    /// # Errors
    /// In words.
    pub fn kit(&self) -> Result<(Kit, Telegram), String> {
        let newest = self.admission().kits.newest(&self.kit_frame()?, &self.speaking().roles().statement);
        newest.map_err(|error| error.to_string())
    }
}

/// Makes codes and writes notices as the entries that intend them become durable, whoever asked for them; ends with the
/// center.
pub(crate) async fn follow(center: Center) {
    let mut entries = center.desk().subscribe();
    center.settle_the_withdrawn().await;
    loop {
        let entry = tokio::select! {
            () = center.stopping().cancelled() => return,
            entered = entries.recv() => match entered {
                Ok(record) => Some(record),
                Err(RecvError::Lagged(_)) => None,
                Err(RecvError::Closed) => return,
            },
        };
        let wanted = entry.as_ref().is_none_or(|record| concerns(&record.entry));
        if !wanted {
            continue;
        }
        let working = center.clone();
        let work = move || match entry {
            Some(record) => working.answer_entry(&record.entry),
            // They are found again by what the books say; only that a replacement was proposed is not.
            None => issue::catch_up(&working),
        };
        if tokio::task::spawn_blocking(work).await.is_err() {
            let words = "A code or a notice could not be made: an error in the program.";
            center.errors().tell(Room::Operators, Weight::Alarm, words);
        }
    }
}

/// Erases applications of which nothing has come by `now`, 30 days after their last news; none while the clock is in
/// doubt. One on which nobody decided is told of. Blocks on the disk.
pub fn tidy(center: &Center, now: Timestamp) {
    if matches!(*center.desk().standing().borrow(), Standing::ClockJumped(_)) {
        return;
    }
    let room = center.admission();
    // Reading how one stands costs a look into the journal: only those that may be old enough are read.
    let old =
        room.applications.rows_now().into_iter().filter(|row| row.since.plus_ms(standing::KEEP_MS) < now);
    for row in old {
        let erased = match standing::standing(center, &row) {
            Ok(standing) if standing.keep_until < now => erase(center, row.number).map(|()| {
                if standing.view.state == ApplicationState::Waiting {
                    let words = format!(
                        "{} waited 30 days and nobody decided on it: it is erased, and the applicant may apply anew.",
                        row.number
                    );
                    center.errors().tell(Room::Operators, Weight::Alarm, words);
                }
            }),
            Ok(_) => Ok(()),
            Err(why) => Err(why),
        };
        if let Err(why) = erased {
            let words = format!("{} is to be erased: {why}.", row.number);
            center.errors().tell(Room::Books, Weight::Warning, words);
        }
    }
}

/// Erases an applicant: what was filled in, what finds it, what the desk wrote, a code that still counted, mail and letters
/// that wait. Whether it may be erased is the caller's to say. Blocks on the disk.
///
/// # Errors
/// In words; it may then be called again.
pub fn erase(center: &Center, number: ApplicationNumber) -> Result<(), String> {
    let said = |error: BooksError| error.to_string();
    let admitted = {
        let state = center.desk().state();
        let admission = state.admission_of(number);
        admission.and_then(|entry| Some((entry, state.admission(entry)?.code)))
    };
    if let Some((admission, code)) = admitted {
        center.admission().codes.used(admission).map_err(said)?;
        issue::withdraw(center, code, None);
    }
    standing::erase_words(center, number)?;
    center.cabinet().index().erase(Who::Application(number)).map_err(said)?;
    center.admission().applications.erase(number).map_err(said)
}

impl Center {
    /// Does what an entry intends. What fails is told.
    fn answer_entry(&self, entry: &Entry) {
        if let Some(admission) = issue::intends_code(entry)
            && let Err(why) = issue::issue(self, admission)
        {
            let words = format!(
                "Number and code of {admission} could not be made: {why}. Send a new code when that is put right."
            );
            self.errors().tell(Room::Operators, Weight::Alarm, words);
        }
        if let Some((application, by)) = refuses(entry) {
            // Who was admitted before gets no code any more.
            let codes: Vec<EntryNumber> = {
                let state = self.desk().state();
                let its = state.admissions().filter(|(_, admitted)| admitted.application == application);
                its.map(|(_, admitted)| admitted.code).collect()
            };
            for code in codes {
                issue::withdraw(self, code, by);
            }
        }
        settle::tell(self, entry);
    }
}

fn concerns(entry: &Entry) -> bool {
    issue::intends_code(entry).is_some() || settle::concerns(entry) || refuses(entry).is_some()
}

/// Which application an entry refuses for good, and who did.
fn refuses(entry: &Entry) -> Option<(ApplicationNumber, Option<&str>)> {
    match (&entry.request, &entry.decision) {
        (Request::Decline { application, ask_back: false, by, .. }, Decision::Done(_)) => {
            Some((*application, by.as_deref()))
        }
        _ => None,
    }
}
