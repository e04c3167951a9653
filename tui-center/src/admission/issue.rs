//! Makes the codes of admissions, and the mails and letters that bear them.
//!
//! Of each entry that intends a code (an admission, or a code sent again) there lie in the cabinet, one after the other:
//!
//! 1. the code itself, among what goes outward, under a name that derives from the entry's number;
//! 2. its keyed hash, naming the entry: from now on it can be tried, and a former code counts no more;
//! 3. mail and letter, made from the same code;
//! 4. then the code by itself is destroyed. Mail and letter are destroyed when they have gone out.
//!
//! Whatever dies between two of them, the next start goes on where it was: as long as the first is there, the rest is
//! made again from it, and comes out the same.

use std::{str::FromStr as _, sync::PoisonError};

use ledger::{Request, state::AdmissionState};
use wire::{
    admission::{ActivationCode, Way},
    id::{AccountNumber, EntryNumber, Role},
    message::{Particulars, field},
    time::Timestamp,
};
use zeroize::Zeroizing;

use super::{codes::Issued, form, policy::Filling, settle, standing};
use crate::{
    center::Center,
    errors::{Room, Weight},
    lines::{
        mail::{self, Draft},
        post::{self, Fonts, Letter},
        postman::{Kind, Outgoing},
    },
};

/// Whether an application could be answered by these ways: everything is made as it would be sent, and thrown away.
/// Blocks.
///
/// # Errors
/// In words for the operator: no way out, no usable address, a letter that can't be set.
pub fn try_out(center: &Center, particulars: &Particulars, role: Role, ways: &[Way]) -> Result<(), String> {
    let account = match role {
        Role::Member => AccountNumber::Member(wire::id::MemberNumber(0)),
        Role::Store => AccountNumber::Store(wire::id::StoreNumber(0)),
    };
    let intent = Intent { entry: EntryNumber(0), at: Timestamp::now(), account, until: Timestamp::now() };
    let code = ActivationCode::generate();
    ways.iter().try_for_each(|way| compose(center, &intent, particulars, &code, *way).map(drop))
}

/// The ways out that there are, of those the policy names; a letter where there is none of them.
///
/// # Errors
/// In words, when the policy can't be read, or the wanted way is not there.
pub fn ways(center: &Center, wanted: Option<Way>) -> Result<Vec<Way>, String> {
    let there = |way: &Way| *way == Way::Letter || center.config().mail.is_some();
    match wanted {
        Some(way) if there(&way) => Ok(vec![way]),
        Some(_) => Err("the settings name no way out for mail; send a letter, or add [mail]".into()),
        None => {
            let mut ways = center.admission().library.policy(center.desk())?.ways;
            ways.retain(there);
            Ok(if ways.is_empty() { vec![Way::Letter] } else { ways })
        }
    }
}

/// Makes everything that is missing: at the start, and after acts that another room entered. What can't be made is told
/// in the error log. Blocks.
pub fn catch_up(center: &Center) {
    let open: Vec<EntryNumber> = {
        let state = center.desk().state();
        let open = state.admissions().filter(|(_, admitted)| admitted.state == AdmissionState::Open);
        open.map(|(entry, _)| entry).collect()
    };
    for admission in open {
        if let Err(why) = issue(center, admission) {
            let words = format!(
                "Number and code of {admission} could not be made: {why}. Send a new code when that is put right."
            );
            center.errors().tell(Room::Operators, Weight::Alarm, words);
        }
    }
    settle::catch_up(center);
}

/// Makes the code of an admission, its mail and its letter, as far as they are missing. Blocks.
///
/// # Errors
/// In words, without the applicant's data.
pub fn issue(center: &Center, admission: EntryNumber) -> Result<(), String> {
    let room = center.admission();
    let _one = room.issuing.lock().unwrap_or_else(PoisonError::into_inner);
    let admitted = center.desk().state().admission(admission).cloned();
    let Some(admitted) = admitted else { return Ok(()) };
    let ways = pending(center, admitted.code);
    let row = room.applications.row(admitted.application);
    // Of an application that was erased nothing goes out any more.
    let Some(row) = row.filter(|_| admitted.state == AdmissionState::Open) else { return Ok(()) };
    if row.particulars != admitted.particulars {
        return Err(format!("{} was amended at the moment it was admitted; refuse it", row.number));
    }
    let cabinet = center.cabinet();
    let plain = plain_name(admitted.code);
    let said = |error: crate::books::BooksError| error.to_string();
    let kept = cabinet.outward(&plain).map_err(said)?;
    let issued = room.codes.issued(admission).map_err(said)?;
    if kept.is_none() && issued.is_some_and(|issued| issued.entry == admitted.code) {
        return Ok(());
    }
    let code = match kept {
        Some(kept) => read_plain(&kept)?,
        None => {
            let code = ActivationCode::generate();
            cabinet.put_outward(&plain, code.print().as_bytes()).map_err(said)?;
            code
        }
    };
    if let Some(former) = issued.filter(|issued| issued.entry != admitted.code) {
        let request = standing::read(center, admitted.code)?.request.effective().into_owned();
        let by = if let Request::Recode { by, .. } = request { Some(by) } else { None };
        withdraw(center, former.entry, by.as_deref());
    }
    let new = Issued {
        entry: admitted.code,
        key: admitted.key,
        until: admitted.until,
        terms: room.library.terms(center.desk())?.hash(),
        left: room.library.policy(center.desk())?.tries,
    };
    room.codes.issue(admission, &new, &code).map_err(said)?;
    let particulars = room.applications.particulars(admitted.application).map_err(said)?;
    let particulars =
        particulars.ok_or_else(|| format!("the particulars of {} are gone", admitted.application))?;
    let at = standing::read(center, admitted.code)?.at;
    let (entry, account, until) = (admitted.code, admitted.account, admitted.until);
    let intent = Intent { entry, at, account, until };
    for way in ways {
        let outgoing = compose(center, &intent, &particulars, &code, way)?;
        // What was made before is the same; what has other bytes was made under an older policy, with the same code.
        if cabinet.outward(&outgoing.name()).map_err(said)?.is_none() {
            cabinet.put_outward(&outgoing.name(), &outgoing.kept()).map_err(said)?;
        }
    }
    cabinet.confirm_outward(&plain).map_err(said)?;
    center.look_at_post();
    Ok(())
}

/// Writes to whoever was reached by former particulars that the account's keys are being replaced: a mail that no code is
/// in. An entry that replaces keys intends it. Blocks.
///
/// # Errors
/// In words, without the owner's data.
pub fn notice(
    center: &Center,
    entry: &ledger::Entry,
    account: AccountNumber,
    former: &Particulars,
    until: Timestamp,
) -> Result<(), String> {
    let Some(settings) = &center.config().mail else {
        return Err(format!("no mail tells the owner of {account}, for the settings name no way out"));
    };
    let policy = center.admission().library.policy(center.desk())?;
    let (number, until) = (account.to_string(), center.local().moment(until).text);
    let name = form::addressee(account.role(), former);
    let filling = filling(center, &name, &number, "", &until, "");
    let outgoing = mail::message(
        &settings.sender()?,
        &Draft {
            center: center.settings().center,
            entry: entry.number,
            at: entry.at,
            to: former.field(field::EMAIL),
            subject: &policy.notice.subject(&filling),
            body: &policy.notice.body(&filling),
        },
    )?;
    center.cabinet().put_outward(&outgoing.name(), &outgoing.kept()).map_err(|error| error.to_string())?;
    center.look_at_post();
    Ok(())
}

/// What is known of an entry that intends a code.
struct Intent {
    entry: EntryNumber,
    at: Timestamp,
    account: AccountNumber,
    until: Timestamp,
}

fn compose(
    center: &Center,
    intent: &Intent,
    particulars: &Particulars,
    code: &ActivationCode,
    way: Way,
) -> Result<Outgoing, String> {
    let library = &center.admission().library;
    let (policy, terms) = (library.policy(center.desk())?, library.terms(center.desk())?);
    let role = intent.account.role();
    let name = form::addressee(role, particulars);
    let (number, code) = (intent.account.to_string(), code.print());
    let until = center.local().moment(intent.until).text;
    let filling = filling(center, &name, &number, &code, &until, &terms.text);
    let id = center.settings().center;
    match way {
        Way::Mail => {
            let settings = center.config().mail.as_ref().ok_or("the settings name no way out for mail")?;
            mail::message(
                &settings.sender()?,
                &Draft {
                    center: id,
                    entry: intent.entry,
                    at: intent.at,
                    to: particulars.field(field::EMAIL),
                    subject: &policy.mail.subject(&filling),
                    body: &policy.mail.body(&filling),
                },
            )
        }
        Way::Letter => {
            let font = center.config().post.as_ref().and_then(|post| post.font.as_deref());
            let fonts = Fonts::open(font)?;
            let sender = format!("{}, {}", center.settings().name, center.config().help);
            let mut address: Vec<&str> = match role {
                Role::Member => vec![particulars.field(field::NAME)],
                Role::Store => vec![particulars.field(field::TRADE_NAME), particulars.field(field::CONTACT)],
            };
            address.extend(particulars.field(field::ADDRESS).lines());
            let date = center.local().moment(intent.at).text;
            let title = format!("Terms of use, version {}", terms.version);
            let letter = Letter {
                center: id,
                entry: intent.entry,
                at: intent.at,
                sender: &sender,
                address: &address,
                date: date.split(' ').next().unwrap_or_default(),
                subject: &policy.letter.subject(&filling),
                body: &policy.letter.body(&filling),
                large: &[("Number", &number), ("Activation code", &code)],
                closing: "",
                terms: Some(post::Terms { title: &title, text: &terms.text }),
            };
            post::letter(&letter, &fonts).map_err(|error| error.to_string())
        }
    }
}

fn filling<'a>(
    center: &'a Center,
    name: &'a str,
    number: &'a str,
    code: &'a str,
    until: &'a str,
    terms: &'a str,
) -> Filling<'a> {
    let (house, help) = (&center.settings().name, &center.config().help);
    Filling { name, number, code, center: house, until, help, terms }
}

/// What bears a code that counts no more needs not go out; what is on its way at this moment goes. `by` is who wanted
/// another code.
pub(super) fn withdraw(center: &Center, entry: EntryNumber, by: Option<&str>) {
    for way in [Way::Mail, Way::Letter] {
        let name = kind(way).name(entry);
        // The books may wait for it no more; what lies here would go out all the same.
        if !matches!(center.cabinet().outward(&name), Ok(None)) {
            center.supersede(&name, by);
        }
    }
    if let Err(error) = center.cabinet().confirm_outward(&plain_name(entry)) {
        center.errors().tell(Room::Books, Weight::Warning, format!("{error}."));
    }
}

/// Mail and letters that the books wait for and that are not in the cabinet. Those that bear a code that still counts are
/// told of; the others were withdrawn while nobody served, and are given back to be entered as ended.
pub(super) fn lost(center: &Center) -> Vec<(EntryNumber, Way)> {
    let (pending, wanted) = {
        let state = center.desk().state();
        let pending: Vec<(EntryNumber, Way)> =
            state.unposted().flat_map(|(entry, ways)| ways.iter().map(move |way| (entry, *way))).collect();
        let open = state.admissions().filter(|(_, admitted)| admitted.state == AdmissionState::Open);
        let there = |number| center.admission().applications.row(number).is_some();
        let wanted: Vec<EntryNumber> = open
            .filter(|(_, admitted)| there(admitted.application))
            .map(|(_, admitted)| admitted.code)
            .collect();
        (pending, wanted)
    };
    let gone = |(entry, way): &(EntryNumber, Way)| {
        matches!(center.cabinet().outward(&kind(*way).name(*entry)), Ok(None))
    };
    // A notice that could not be made yet is wanted as before.
    let notices: Vec<EntryNumber> =
        settle::unmade(center).into_iter().filter(|entry| settle::reaches(center, *entry)).collect();
    let pending = pending.into_iter().filter(|(entry, _)| !notices.contains(entry));
    let (wanted, ended): (Vec<_>, Vec<_>) =
        pending.filter(gone).partition(|(entry, _)| wanted.contains(entry));
    for (entry, way) in wanted {
        let name = kind(way).name(entry);
        let words = format!("{name} is not in the cabinet and was never delivered; send a new code.");
        center.errors().tell(Room::Operators, Weight::Warning, words);
    }
    ended
}

fn pending(center: &Center, entry: EntryNumber) -> Vec<Way> {
    let state = center.desk().state();
    let pending = state.unposted().find(|(intent, _)| *intent == entry);
    pending.map(|(_, ways)| ways.to_vec()).unwrap_or_default()
}

/// What carries a way's things.
pub fn kind(way: Way) -> Kind {
    match way {
        Way::Mail => Kind::Mail,
        Way::Letter => Kind::Letter,
    }
}

fn plain_name(entry: EntryNumber) -> String {
    format!("code-{entry}")
}

fn read_plain(kept: &Zeroizing<Vec<u8>>) -> Result<ActivationCode, String> {
    let text = std::str::from_utf8(kept).map_err(|_| "the kept code is not text".to_owned())?;
    ActivationCode::from_str(text).map_err(|_| "the kept code is none".to_owned())
}

/// Whether an entry intends a code: whoever follows the journal then calls [`issue`] for the admission.
pub fn intends_code(entry: &ledger::Entry) -> Option<EntryNumber> {
    if entry.refusal().is_some() {
        return None;
    }
    match &*entry.request.effective() {
        Request::Admit(_) => Some(entry.number),
        Request::Recode { admission, .. } => Some(*admission),
        _ => None,
    }
}
