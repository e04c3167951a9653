//! Enters newcomers. The center's policy admits at once whoever fills in the form.

use ledger::{Decision, Outcome};
use wire::{
    id::Role,
    message::{Answer, Problem, ProblemKind, RegisterCall, field},
    payload::Registration,
};

use super::{forms, session::NotEntered};
use crate::{
    books::cabinet::Certificate,
    center::Center,
    errors::{Room, Weight},
    settlement::{DeskError, heard, said},
};

/// Enters a newcomer in the registers, or gives the stored answer to one who was entered before.
///
/// The particulars and the terminal's certificate lie in the cabinet before the entry that names them is made; those
/// of a registration that comes to nothing are named by no entry.
pub(super) async fn register(center: &Center, call: &RegisterCall) -> Result<Answer, NotEntered> {
    let malformed = |words: String| Problem::new(ProblemKind::Malformed, words);
    let claimed: Registration = call.telegram.peek().map_err(|error| malformed(error.to_string()))?;
    let role = claimed.account.role();
    let particulars = forms::check(role, &call.particulars).map_err(malformed)?;
    if claimed.terms != forms::form(role).terms_hash() {
        return Err(malformed("the terms have changed; read and accept them again".into()).into());
    }
    let trade_name = (role == Role::Store).then(|| particulars.field(field::TRADE_NAME).trim().to_owned());
    let work = heard::registered(center.desk(), call, trade_name)?;
    let (keeping, beside) = (center.clone(), call.clone());
    center.off_thread(move || keep(&keeping, &claimed, &beside)).await?;
    let answer = center.desk().submit(work).await?;
    let entry = &answer.record.entry;
    match (&entry.decision, said::refused(entry)) {
        (Decision::Done(Outcome::Registered(account)), _) => {
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

fn keep(center: &Center, claimed: &Registration, call: &RegisterCall) -> Result<(), Problem> {
    let cabinet = center.cabinet();
    cabinet
        .put_person(claimed.particulars, &call.salt, &call.particulars)
        .and_then(|()| {
            cabinet.put_certificate(Certificate::Terminal(claimed.terminal_key), &call.certificate)
        })
        .map_err(|error| {
            let words = format!("A newcomer's particulars could not be kept: {error}.");
            center.errors().tell(Room::Books, Weight::Alarm, words);
            Problem::new(
                ProblemKind::Stopped,
                "the center cannot keep your particulars now; nothing was entered",
            )
        })
}
