//! What an entry leaves to be done beside the books: a registration's code and application are put away, and the owner of
//! an account is told that its keys are being replaced.
//!
//! Done as the entry becomes durable, and once more at the next start where the program died in between: a notice that
//! the books wait for and that is not in the cabinet was never made, because it is destroyed only after its end is entered.

use std::collections::BTreeSet;

use ledger::{
    Decision, Entry, Outcome, Request,
    request::{Proposed, Registration},
    state::AdmissionState,
};
use wire::{
    codec,
    id::{AccountNumber, ApplicationNumber, EntryNumber},
    limits,
    message::Particulars,
    payload::KeyRole,
    time::Timestamp,
};

use super::{issue, standing};
use crate::{
    books::{BooksError, cabinet::index::Who},
    center::Center,
    errors::{Room, Weight},
    lines::postman::Kind,
};

/// Puts away what nobody needs after a registration: the code's hash, and what the applicant filled in, which is the
/// member's or store's now. It may be repeated. Blocks on the disk.
///
/// # Errors
/// What the file system refuses.
pub(crate) fn registered(
    center: &Center,
    admission: EntryNumber,
    application: ApplicationNumber,
) -> Result<(), BooksError> {
    let room = center.admission();
    room.codes.used(admission)?;
    room.applications.registered(application)?;
    // The last step, by which an unfinished one is known.
    center.cabinet().index().erase(Who::Application(application))
}

/// Does what is still to be done after a start. What fails is told. Blocks on the disk.
pub(super) fn catch_up(center: &Center) {
    let index = center.cabinet().index();
    let unfinished: Vec<_> = {
        let state = center.desk().state();
        let done = state.admissions().filter(|(_, it)| matches!(it.state, AdmissionState::Registered(_)));
        let left = done.filter(|(_, it)| index.knows(Who::Application(it.application)));
        left.map(|(admission, it)| (admission, it.application)).collect()
    };
    for (admission, application) in unfinished {
        if let Err(error) = registered(center, admission, application) {
            let words = format!("What belongs to {application} could not be put away: {error}.");
            center.errors().tell(Room::Books, Weight::Warning, words);
        }
    }
    for entry in unmade(center) {
        match standing::read(center, entry) {
            Ok(entry) => tell(center, &entry),
            Err(why) => center.errors().tell(Room::Books, Weight::Alarm, format!("{why}.")),
        }
    }
}

/// Notices that the books wait for and that were never made.
pub(super) fn unmade(center: &Center) -> Vec<EntryNumber> {
    let waiting: Vec<EntryNumber> = {
        let state = center.desk().state();
        let codes: BTreeSet<EntryNumber> = state.admissions().map(|(_, admitted)| admitted.code).collect();
        state.unposted().map(|(entry, _)| entry).filter(|entry| !codes.contains(entry)).collect()
    };
    let there = |entry: &EntryNumber| center.cabinet().outward(&Kind::Mail.name(*entry));
    waiting.into_iter().filter(|entry| matches!(there(entry), Ok(None))).collect()
}

/// Whether an owner whom an entry warns can still be reached.
pub(super) fn reaches(center: &Center, entry: EntryNumber) -> bool {
    let warning = standing::read(center, entry).ok().and_then(|entry| warns(center, &entry));
    warning.is_some_and(|warning| warning.contact.is_some())
}

/// Writes to the owner whom an entry warns, if it warns one. What fails is told. Blocks on the disk.
pub(super) fn tell(center: &Center, entry: &Entry) {
    let Some(warning) = warns(center, entry) else { return };
    let account = warning.account;
    let told = match warning.contact {
        Some(contact) => issue::notice(center, entry, account, &contact, warning.until),
        None => Err(format!("the particulars of {account} are gone")),
    };
    if let Err(why) = told {
        let words = format!(
            "The owner of {account} could not be told that keys are being replaced ({}): {why}.",
            entry.number
        );
        center.errors().tell(Room::Operators, Weight::Warning, words);
    }
}

/// Whether an entry may warn somebody.
pub(super) fn concerns(entry: &Entry) -> bool {
    matches!(
        (&entry.request, &entry.decision),
        (Request::ChangeKey(_), Decision::Done(Outcome::KeyWaits { .. }))
            | (Request::Register(_), Decision::Done(_))
            | (Request::Propose { .. }, Decision::Done(_))
    )
}

/// Who is warned, and until when it can be stopped or no money leaves.
struct Warning {
    account: AccountNumber,
    contact: Option<Particulars>,
    until: Timestamp,
}

/// That a lost terminal is to be replaced is told when it is proposed, and again, to the contact of before, when it is
/// done; that a new recovery key waits when it begins to wait.
fn warns(center: &Center, entry: &Entry) -> Option<Warning> {
    let caution = entry.at.plus_ms(limits::CAUTION_MS);
    let present = |account, until| Warning { account, contact: center.particulars(account), until };
    match (&entry.request, &entry.decision) {
        (Request::ChangeKey(it), Decision::Done(Outcome::KeyWaits { from })) => {
            Some(present(it.account, *from))
        }
        (Request::Propose { act, .. }, Decision::Done(Outcome::Proposed)) => match &**act {
            Proposed::AdmitReplacement(it) => it.replaces.map(|account| present(account, caution)),
            _ => None,
        },
        (Request::Register(it), Decision::Done(Outcome::Registered(account))) => {
            let replaces = center.desk().state().admission(it.admission)?.replaces;
            let contact = || former(center, it, entry.number);
            replaces.then(|| Warning { account: *account, contact: contact(), until: caution })
        }
        _ => None,
    }
}

/// What the owner had filled in before a registration replaced the terminal.
fn former(center: &Center, it: &Registration, entry: EntryNumber) -> Option<Particulars> {
    let before: Vec<EntryNumber> = {
        let state = center.desk().state();
        let chain = &state.holder(it.account)?.chain;
        let earlier = chain.iter().filter(|event| event.role == KeyRole::Signature && event.entry < entry);
        earlier.map(|event| event.entry).collect()
    };
    let digest =
        before.into_iter().rev().find_map(|entry| match standing::read(center, entry).ok()?.request {
            Request::Register(former) => Some(former.particulars),
            _ => None,
        })?;
    let person = center.cabinet().person(digest).ok()??;
    codec::decode("form", &person.bytes, limits::PARTICULARS).ok()
}
