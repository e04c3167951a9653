//! The last step of joining: number and code are there, and the applicant registers.
//!
//! Everything that the applicant's own signature can show is looked at before the code: only whoever holds the key that
//! applied can use up its tries. A wrong code has been counted, on the disk, before the answer leaves.

use ledger::{
    Decision, Outcome,
    state::{AdmissionState, Admitted},
};
use wire::{
    codec,
    id::{AccountNumber, ApplicationNumber, Digest, EntryNumber, Role},
    limits,
    message::{Answer, Particulars, Problem, ProblemKind, RegisterCall, field},
    payload::Registration,
    time::Timestamp,
};

use super::session::NotEntered;
use crate::{
    admission::{codes::Tried, settle},
    books::cabinet::{Certificate, index::Who},
    center::Center,
    errors::{Room, Weight},
    settlement::{DeskError, Work, heard, said},
};

/// Enters an applicant in the registers, or gives the stored answer to one who was entered before.
///
/// The particulars and the terminal's certificate lie in the cabinet before the entry that names them is made; those
/// of a registration that comes to nothing are named by no entry.
pub(super) async fn register(center: &Center, call: &RegisterCall) -> Result<Answer, NotEntered> {
    let claimed: Registration = call.telegram.peek().map_err(malformed)?;
    let (checking, beside, it) = (center.clone(), call.clone(), claimed.clone());
    let work = center.off_thread(move || admitted(&checking, &it, &beside)).await?;
    let answer = center.desk().submit(work).await?;
    let entry = &answer.record.entry;
    match (&entry.decision, said::refused(entry)) {
        (Decision::Done(Outcome::Registered(account)), _) => {
            if !answer.repeated {
                settle(center, *account, claimed.application).await;
            }
            let receipt = center.desk().reader().receipt_of(&answer.record, said::seen_by(*account));
            let receipt = receipt.map_err(|error| DeskError::Unreadable(error.to_string()))?;
            Ok(Answer::Registered { account: *account, entry: entry.number, receipt })
        }
        (_, Some(refusal)) => Err(Problem::new(ProblemKind::NotAllowed, refusal).into()),
        (Decision::Done(_) | Decision::Refused(_), None) => {
            Err(DeskError::Unreadable(format!("{} is no registration", entry.number)).into())
        }
    }
}

/// Whether it is what was admitted, signed by who applied, with the code that went out; then it is kept for the entry.
fn admitted(center: &Center, claimed: &Registration, call: &RegisterCall) -> Result<Work, Problem> {
    let particulars: Particulars =
        codec::decode("form", &call.particulars, limits::PARTICULARS).map_err(malformed)?;
    let role = claimed.account.role();
    let trade_name = (role == Role::Store).then(|| particulars.field(field::TRADE_NAME).trim().to_owned());
    let work = heard::registered(center.desk(), call, trade_name)?;
    // One that was entered gets its answer, and none of its code is left.
    if center.desk().state().seen(call.telegram.id()).is_some() {
        return Ok(work);
    }
    let (admission, admitted) = standing(center, claimed.application)?;
    fits(claimed, &admitted)?;
    unused(center, claimed)?;
    terms_hold(center, claimed, admission)?;
    try_code(center, claimed, (admission, admitted.code), call)?;
    keep(center, claimed, call, &particulars)?;
    Ok(work)
}

fn standing(center: &Center, application: ApplicationNumber) -> Result<(EntryNumber, Admitted), Problem> {
    let state = center.desk().state();
    let admission = state.admission_of(application);
    let admitted = admission.and_then(|entry| Some((entry, state.admission(entry)?.clone())));
    let (admission, admitted) =
        admitted.ok_or_else(|| not_allowed(format!("{application} was not admitted; ask how it stands")))?;
    match admitted.state {
        AdmissionState::Open => Ok((admission, admitted)),
        AdmissionState::Registered(_) => {
            Err(not_allowed(format!("{application} was registered already; its code has been used")))
        }
        AdmissionState::Spent => {
            Err(not_allowed(format!("nobody can register with {application} any more; apply again")))
        }
    }
}

fn fits(claimed: &Registration, admitted: &Admitted) -> Result<(), Problem> {
    if claimed.account != admitted.account {
        return Err(not_allowed(format!(
            "{} is not the number that came with the activation code; compare it with the mail or letter",
            claimed.account
        )));
    }
    if claimed.particulars != admitted.particulars {
        return Err(not_allowed("the particulars are not those that were admitted".to_owned()));
    }
    if claimed.verification_key != admitted.key {
        return Err(other_key());
    }
    Ok(())
}

/// All its keys are new. Looked at before the desk is asked, because a refusal of the books would be an entry, and whoever
/// holds a code could cause any number of them.
fn unused(center: &Center, claimed: &Registration) -> Result<(), Problem> {
    let keys = [Some(claimed.verification_key), Some(claimed.terminal_key), claimed.recovery_key];
    let state = center.desk().state();
    let known = keys.iter().flatten().any(|key| state.key_holder(key).is_some());
    if known || keys[0] == keys[1] || keys[0] == keys[2] || keys[1] == keys[2] {
        return Err(not_allowed(crate::books::said(&ledger::Refusal::KeyTaken).to_string()));
    }
    Ok(())
}

/// The terms in force, or those that went out with the code.
fn terms_hold(center: &Center, claimed: &Registration, admission: EntryNumber) -> Result<(), Problem> {
    let newest = center.admission().library.terms(center.desk()).map_err(|why| stopped(center, &why))?;
    let sent =
        center.admission().codes.issued(admission).map_err(|error| stopped(center, &error.to_string()))?;
    let accepted: [Option<Digest>; 2] = [Some(newest.hash()), sent.map(|code| code.terms)];
    if accepted.contains(&Some(claimed.terms)) {
        Ok(())
    } else {
        Err(malformed("the terms have changed; fetch the admission kit, read and accept them again"))
    }
}

fn try_code(
    center: &Center,
    claimed: &Registration,
    code: (EntryNumber, EntryNumber),
    call: &RegisterCall,
) -> Result<(), Problem> {
    let codes = &center.admission().codes;
    let tried = codes.attempt(code, &claimed.verification_key, &call.code, Timestamp::now());
    match tried.map_err(|error| stopped(center, &error.to_string()))? {
        Tried::Right => Ok(()),
        Tried::Wrong { left } => Err(not_allowed(format!(
            "the activation code is wrong; compare it with the mail or letter ({left} more {} left)",
            if left == 1 { "try is" } else { "tries are" }
        ))),
        Tried::Spent => {
            let words =
                format!("The activation code of {} has been mistyped too often.", claimed.application);
            center.errors().tell(Room::Reception, Weight::Warning, words);
            Err(not_allowed(
                "the activation code was mistyped too often and counts no more; ask the center for another"
                    .to_owned(),
            ))
        }
        Tried::Expired => {
            Err(not_allowed("the activation code has run out; ask the center for another".to_owned()))
        }
        Tried::Replaced => Err(not_allowed("a newer activation code is on its way; use that one".to_owned())),
        Tried::OtherKey => Err(other_key()),
    }
}

fn keep(
    center: &Center,
    claimed: &Registration,
    call: &RegisterCall,
    particulars: &Particulars,
) -> Result<(), Problem> {
    let cabinet = center.cabinet();
    cabinet
        .put_person(claimed.particulars, &call.salt, &call.particulars)
        .and_then(|()| {
            cabinet.put_certificate(Certificate::Terminal(claimed.terminal_key), &call.certificate)
        })
        .and_then(|()| cabinet.index().put(Who::Account(claimed.account), particulars))
        .map_err(|error| {
            let words = format!("A newcomer's particulars could not be kept: {error}.");
            center.errors().tell(Room::Books, Weight::Alarm, words);
            let told = "the center cannot keep your particulars now; nothing was entered";
            Problem::new(ProblemKind::Stopped, told)
        })
}

/// Puts away what is not needed any more. What fails is told; the registration stands.
async fn settle(center: &Center, account: AccountNumber, application: ApplicationNumber) {
    let settling = center.clone();
    let settled = tokio::task::spawn_blocking(move || {
        let admission = settling.desk().state().admission_of(application);
        admission.map_or(Ok(()), |admission| settle::registered(&settling, admission, application))
    });
    let why = match settled.await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "an error in the program".into(),
    };
    let words = format!("{account} is registered, but what belongs to it could not be put in order: {why}.");
    center.errors().tell(Room::Reception, Weight::Warning, words);
}

fn malformed(words: impl std::fmt::Display) -> Problem {
    Problem::new(ProblemKind::Malformed, words)
}

fn not_allowed(words: String) -> Problem {
    Problem::new(ProblemKind::NotAllowed, words)
}

fn other_key() -> Problem {
    not_allowed("the activation code works only with the key that applied; ask the center".to_owned())
}

fn stopped(center: &Center, why: &str) -> Problem {
    center.errors().tell(
        Room::Books,
        Weight::Alarm,
        format!("A registration could not be looked at: {why}."),
    );
    Problem::new(ProblemKind::Stopped, "the center cannot look at this now; nothing was entered")
}
