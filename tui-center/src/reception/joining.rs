//! What a visitor asks before there is an account: guide, form, application, kit.

use std::net::IpAddr;

use wire::{
    admission::{Application, ApplicationState, ApplicationView, ApplyCall, application_message},
    bounded::Bytes,
    id::{ApplicationNumber, Digest, Role},
    key::Signature,
    limits,
    message::{Answer, Problem, ProblemKind},
    payload::particulars_hash,
    telegram::SelfSigned,
    time::Timestamp,
};

use crate::{
    admission::{
        applications::Row,
        form,
        kit::PieceError,
        rule,
        standing::{self, standing},
    },
    books::cabinet::index::Who,
    center::Center,
    errors::{Room, Weight},
};

/// The guide page for a role.
pub(super) async fn guide(center: &Center, role: Role) -> Result<Answer, Problem> {
    let asked = center.clone();
    let told = move || {
        asked
            .admission()
            .library
            .guide(asked.desk(), role)
            .map_err(|why| cannot(&asked, why))
            .map(Answer::Guide)
    };
    center.off_thread(told).await
}

/// The form for a role.
pub(super) async fn form(center: &Center, role: Role) -> Result<Answer, Problem> {
    let asked = center.clone();
    let told = move || {
        asked
            .admission()
            .library
            .form(asked.desk(), role)
            .map_err(|why| cannot(&asked, why))
            .map(Answer::Form)
    };
    center.off_thread(told).await
}

/// The newest admission kit.
pub(super) async fn kit(center: &Center) -> Result<Answer, Problem> {
    let asked = center.clone();
    center
        .off_thread(move || {
            asked.kit().map(|(_, telegram)| Answer::Kit(telegram)).map_err(|why| cannot(&asked, why))
        })
        .await
}

/// A piece of a program that the kit offers.
pub(super) async fn build(center: &Center, digest: Digest, offset: u64) -> Result<Answer, Problem> {
    let asked = center.clone();
    center
        .off_thread(move || {
            let piece = asked.admission().kits.piece(digest, offset).map_err(|error| match error {
                PieceError::NotOffered => {
                    Problem::new(ProblemKind::NotFound, "the admission kit offers no such program")
                }
                PieceError::Damaged(why) => {
                    let words = format!("A program of the admission kit is not sent: {why}.");
                    asked.errors().tell(Room::Reception, Weight::Alarm, words);
                    let told = "the program is damaged at the center; its operators have been told";
                    Problem::new(ProblemKind::NotFound, told)
                }
            })?;
            let bytes = Bytes::new(piece).map_err(|error| Problem::new(ProblemKind::NotFound, error))?;
            Ok(Answer::Piece { offset, bytes })
        })
        .await
}

/// How an application stands, told to whoever holds its terminal key.
pub(super) async fn state(
    center: &Center,
    number: ApplicationNumber,
    signature: Signature,
    exporter: [u8; 32],
) -> Result<Answer, Problem> {
    let asked = center.clone();
    center
        .off_thread(move || {
            let words = "the center knows no such application with this terminal key";
            let wrong = || Problem::new(ProblemKind::NotAuthentic, words);
            let row = asked.admission().applications.row(number).ok_or_else(wrong)?;
            let message = application_message(&asked.settings().center, number, &exporter);
            row.terminal_key.verify(&message, &signature).map_err(|_| wrong())?;
            view(&asked, &row).map(Answer::Application)
        })
        .await
}

/// Takes an application: verifies it, checks what was filled in, keeps it durably, and applies the admission rule, also to
/// one that is sent again: the center may have died before the rule was applied.
pub(super) async fn apply(center: &Center, peer: IpAddr, call: ApplyCall) -> Result<Answer, Problem> {
    let taking = center.clone();
    let row = center.off_thread(move || take(&taking, peer, &call)).await?;
    rule::apply(center, row.number).await;
    let looking = center.clone();
    center.off_thread(move || view(&looking, &row).map(Answer::Application)).await
}

/// Verifies and keeps.
fn take(center: &Center, peer: IpAddr, call: &ApplyCall) -> Result<Row, Problem> {
    let signed: SelfSigned<Application> =
        call.telegram.verify_self().map_err(|error| Problem::new(ProblemKind::NotAuthentic, error))?;
    let application = signed.payload();
    if application.center != center.settings().center {
        return Err(Problem::new(ProblemKind::WrongCenter, "this is for another center"));
    }
    let applications = &center.admission().applications;
    // The answer to the first one may have been lost.
    if let Some(row) = applications.of_telegram(signed.id()) {
        return Ok(row);
    }
    let now = Timestamp::now();
    check(center, &signed, call, now)?;
    let form = center.admission().library.form(center.desk(), application.role);
    let form = form.map_err(|why| cannot(center, why))?;
    let particulars = form::check(&form, &call.particulars).map_err(malformed)?;
    let _one = center.admission().take();
    if let Some(row) = applications.of_telegram(signed.id()) {
        return Ok(row);
    }
    let former = applications.of_key(&application.verification_key);
    may_apply(center, application, former)?;
    let limited = |words: String| Problem::new(ProblemKind::Limited, words);
    if application.amends.is_none() && !center.takes_applications() {
        let words = "as many applications wait for the center's operators as it takes; try again tomorrow";
        return Err(limited(words.into()));
    }
    center.guard().applies(peer).map_err(|turned_away| limited(turned_away.to_string()))?;
    let row = applications
        .put(application, &call.telegram, call.salt, &call.particulars, now)
        .map_err(|error| not_kept(center, error))?;
    let index = center.cabinet().index();
    index.put(Who::Application(row.number), &particulars).map_err(|error| not_kept(center, error))?;
    Ok(row)
}

/// What can be wrong with the telegram itself, and with what travels beside it.
fn check(
    center: &Center,
    signed: &SelfSigned<Application>,
    call: &ApplyCall,
    now: Timestamp,
) -> Result<(), Problem> {
    let it = signed.payload();
    if signed.key() != it.verification_key {
        return Err(malformed("the application is not signed with the key that it names"));
    }
    for key in [it.verification_key, it.terminal_key] {
        key.check().map_err(|error| malformed(format!("a key of the application: {error}")))?;
        if center.desk().state().key_holder(&key).is_some() {
            return Err(malformed("a key of the application is registered already; make new ones"));
        }
    }
    if it.verification_key == it.terminal_key {
        return Err(malformed("signature key and terminal key must differ"));
    }
    if it.valid_until < now || it.valid_until.since_ms(now) > limits::VALIDITY_MS {
        return Err(malformed("the application's time is past, or lies more than 7 days ahead"));
    }
    if particulars_hash(&call.salt, &call.particulars) != it.particulars {
        return Err(malformed("the particulars are not those that the application binds"));
    }
    if let Some(account) = it.replaces {
        let there = center.desk().state().holder(account).is_some();
        if !there || account.role() != it.role {
            return Err(malformed(format!(
                "there is no {} {account} whose terminal could be replaced",
                it.role
            )));
        }
    }
    Ok(())
}

/// A key applies once; again where it was refused, or to amend what was asked back.
fn may_apply(center: &Center, it: &Application, former: Option<Row>) -> Result<(), Problem> {
    let not_allowed = |words: String| Problem::new(ProblemKind::NotAllowed, words);
    let Some(former) = former else {
        return match it.amends {
            None => Ok(()),
            Some(number) => Err(not_allowed(format!(
                "{number} cannot be amended with this key; use the key that applied, or apply anew"
            ))),
        };
    };
    let stands = standing(center, &former).map_err(|why| cannot(center, why))?.view.state;
    match (it.amends, stands) {
        (Some(number), ApplicationState::AskedBack { .. }) if number == former.number => {
            if (it.role, it.replaces) == (former.role, former.replaces) {
                Ok(())
            } else {
                Err(not_allowed(format!("{number} is an application for something else; apply anew")))
            }
        }
        (Some(number), _) if number == former.number => {
            Err(not_allowed(format!("{number} was not asked back, so there is nothing to amend")))
        }
        (Some(number), _) => {
            Err(not_allowed(format!("this key applied as {}, not as {number}", former.number)))
        }
        (None, ApplicationState::Refused { .. }) => Ok(()),
        (None, _) => Err(not_allowed(format!("this key has applied already, as {}", former.number))),
    }
}

fn view(center: &Center, row: &Row) -> Result<ApplicationView, Problem> {
    // An application may have been amended since the row was looked up.
    let row = center.admission().applications.row(row.number).unwrap_or(*row);
    standing::standing(center, &row).map(|standing| standing.view).map_err(|why| cannot(center, why))
}

fn malformed(words: impl std::fmt::Display) -> Problem {
    Problem::new(ProblemKind::Malformed, words)
}

/// Something of the center's own is at fault: the operators are told what.
fn cannot(center: &Center, why: String) -> Problem {
    center.errors().tell(Room::Reception, Weight::Alarm, format!("Newcomers cannot be answered: {why}."));
    Problem::new(ProblemKind::Stopped, "the center cannot answer this now; its operators have been told")
}

fn not_kept(center: &Center, error: crate::books::BooksError) -> Problem {
    center.errors().tell(Room::Books, Weight::Alarm, format!("An application could not be kept: {error}."));
    Problem::new(ProblemKind::Stopped, "the center cannot keep your application now; nothing was taken")
}
