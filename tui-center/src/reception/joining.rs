//! What a visitor asks before there is an account: guide, form, application, kit.

use std::net::IpAddr;

use ledger::{Request, request::Admission as Admit, state::Decided};
use wire::{
    admission::{Application, ApplicationState, ApplicationView, ApplyCall, application_message},
    bounded::Bytes,
    id::{ApplicationNumber, Digest, Role},
    key::Signature,
    limits,
    message::{Answer, Particulars, Problem, ProblemKind},
    payload::particulars_hash,
    telegram::SelfSigned,
    time::Timestamp,
};

use crate::{
    admission::{
        applications::Row,
        form, issue,
        kit::PieceError,
        policy,
        standing::{self, standing},
    },
    books::cabinet::index::Who,
    center::Center,
    errors::{Room, Weight},
    settlement::Work,
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

/// Takes an application: verifies it, checks what was filled in, keeps it durably, and, where the policy says so, admits
/// whoever resembles nobody.
pub(super) async fn apply(center: &Center, peer: IpAddr, call: ApplyCall) -> Result<Answer, Problem> {
    let taking = center.clone();
    let (row, admit) = center.off_thread(move || take(&taking, peer, &call)).await?;
    if let Some(admit) = admit {
        by_rule(center, admit).await;
    }
    let looking = center.clone();
    center.off_thread(move || view(&looking, &row).map(Answer::Application)).await
}

/// Verifies and keeps. With the row comes what the rule admits at once.
fn take(center: &Center, peer: IpAddr, call: &ApplyCall) -> Result<(Row, Option<Admit>), Problem> {
    let signed: SelfSigned<Application> =
        call.telegram.verify_self().map_err(|error| Problem::new(ProblemKind::NotAuthentic, error))?;
    let application = signed.payload();
    if application.center != center.settings().center {
        return Err(Problem::new(ProblemKind::WrongCenter, "this is for another center"));
    }
    let applications = &center.admission().applications;
    // The answer to the first one may have been lost.
    if let Some(row) = applications.of_telegram(signed.id()) {
        return Ok((row, None));
    }
    let now = Timestamp::now();
    check(center, &signed, call, now)?;
    let form = center.admission().library.form(center.desk(), application.role);
    let form = form.map_err(|why| cannot(center, why))?;
    let particulars = form::check(&form, &call.particulars).map_err(malformed)?;
    let _one = center.admission().take();
    if let Some(row) = applications.of_telegram(signed.id()) {
        return Ok((row, None));
    }
    let former = applications.of_key(&application.verification_key);
    may_apply(center, application, former)?;
    center.guard().applies(peer).map_err(|turned_away| Problem::new(ProblemKind::Limited, turned_away))?;
    let index = center.cabinet().index();
    let resembles: Vec<Who> = index.duplicates(&particulars).into_iter().map(|flag| flag.who).collect();
    let row = applications
        .put(application, &call.telegram, call.salt, &call.particulars, now)
        .map_err(|error| not_kept(center, error))?;
    index.put(Who::Application(row.number), &particulars).map_err(|error| not_kept(center, error))?;
    let alone = resembles.iter().all(|who| *who == Who::Application(row.number));
    Ok((row, if alone { ruled(center, &row, &particulars, now) } else { None }))
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

/// What the rule admits: newcomers who resemble nobody, where the policy says so and number and code can go out.
fn ruled(center: &Center, row: &Row, particulars: &Particulars, now: Timestamp) -> Option<Admit> {
    let policy = center.admission().library.policy(center.desk());
    let policy = policy.inspect_err(|why| drop(cannot(center, why.clone()))).ok()?;
    let decided = center.desk().state().decided(row.number);
    let undecided = matches!(decided, None | Some(Decided::AskedBack(_)));
    if policy.admit != policy::Admit::Rule || row.replaces.is_some() || !undecided {
        return None;
    }
    let ways = issue::ways(center, None)
        .and_then(|ways| issue::try_out(center, particulars, row.role, &ways).map(|()| ways));
    match ways {
        Ok(ways) => Some(Admit {
            by: None,
            application: row.number,
            role: row.role,
            key: row.key,
            particulars: row.particulars,
            replaces: None,
            until: now.plus_ms(u64::from(policy.code_days) * 24 * 60 * 60 * 1000),
            ways,
        }),
        Err(why) => {
            let words = format!("{} waits for an operator, for it cannot be written to: {why}.", row.number);
            center.errors().tell(Room::Operators, Weight::Warning, words);
            None
        }
    }
}

/// Admits. The application is durable: what fails here an operator does later.
async fn by_rule(center: &Center, admit: Admit) {
    let number = admit.application;
    let Some(work) = Work::own(Request::Admit(admit), Vec::new()) else { return };
    let entered = match center.desk().submit(work).await {
        Ok(answer) => match answer.record.entry.refusal() {
            None => Ok(answer.number()),
            Some(refusal) => Err(crate::books::said(refusal).to_string()),
        },
        Err(error) => Err(error.to_string()),
    };
    let issuing = center.clone();
    let issued = match entered {
        Ok(entry) => {
            let issued = tokio::task::spawn_blocking(move || issue::issue(&issuing, entry)).await;
            issued.unwrap_or_else(|_| Err("an error in the program".into()))
        }
        Err(why) => Err(why),
    };
    if let Err(why) = issued {
        let words = format!("{number} was to be admitted by rule: {why}.");
        center.errors().tell(Room::Operators, Weight::Warning, words);
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
