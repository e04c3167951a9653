//! Sending telegrams and learning what became of them.
//!
//! A telegram is on disk as having left before it leaves. From then on only the center's verified word ends it; where
//! no word comes, or one that its own evidence contradicts, it stays *unknown*, and is asked about with exactly the
//! same bytes until the center says settled, refused, void or expired.

use std::{sync::Arc, time::Duration};

use vault::outbox::{Parcel, State};
use wire::{
    codec,
    id::TelegramId,
    message::{Beside, Problem, ProblemKind, Refusal, Verdict},
    receipt::MemberPart,
    telegram::{Kind, Telegram},
    terminal::LineError,
};

use crate::{
    act::{Failure, FailureKind},
    center::{Center, Session, failure},
    keep::ending_words,
    record::{Adopted, Ending, Purpose, Record},
    view::Resolved,
};

/// How often a telegram is sent again to a center that is too busy to hear it.
const BUSY_TRIES: u32 = 4;
/// The first wait between those tries, where the center names none; it doubles.
const BUSY_WAIT: Duration = Duration::from_millis(250);

/// Puts a signed telegram on disk, sends it and waits for the center's word.
///
/// # Errors
/// [`FailureKind::Unknown`] when nobody said what became of it; the telegram waits in the outbox then.
pub(crate) async fn dispatch(
    center: &Center,
    session: &Session,
    (telegram, beside): (Telegram, Beside),
    purpose: Purpose,
) -> Result<Verdict, Failure> {
    let sending = center.sending(telegram.id());
    let beside = encoded(&beside);
    tui_kit::failpoint::at("outbox.post");
    let parcel = center.keep.with(move |kept| kept.post(telegram, beside, purpose)).await?;
    tui_kit::failpoint::at("outbox.posted");
    let verdict = deliver(center, session, &parcel).await;
    drop(sending);
    verdict
}

/// What travels beside a telegram, as the outbox keeps it; nothing where there is nothing.
pub(crate) fn encoded(beside: &Beside) -> Vec<u8> {
    match beside {
        Beside::Nothing => Vec::new(),
        beside => codec::encode(beside),
    }
}

/// Asks about everything that may have left. What was prepared waits until someone sends it.
pub(crate) async fn resolve(center: &Center, session: &Session) -> Result<Vec<Resolved>, Failure> {
    let waiting = center.keep.with(|kept| {
        let open = kept.vault.outbox().open();
        open.filter(|item| item.telegram.kind != Kind::Registration && item.state != State::Prepared)
            .map(|item| item.telegram.id())
            .collect::<Vec<_>>()
    });
    let mut resolved = Vec::new();
    for id in waiting.await {
        if !center.is_sending(&id) {
            resolved.push(resolve_one(center, session, id).await?);
        }
    }
    adopt_all(center, session).await?;
    Ok(resolved)
}

/// Asks about one telegram, or sends it where it never left.
pub(crate) async fn resolve_one(
    center: &Center,
    session: &Session,
    id: TelegramId,
) -> Result<Resolved, Failure> {
    let never_left = center.keep.with(move |kept| kept.vault.outbox().ready(&id).is_some()).await;
    let parcel = center.keep.with(move |kept| kept.parcel(&id)).await?;
    let purpose = center
        .keep
        .with(move |kept| kept.vault.outbox().item(&id).and_then(|item| Purpose::decode(&item.note).ok()));
    let purpose = purpose.await;
    let verdict = match parcel {
        // It is open no more: another act has ended it meanwhile.
        None => center.keep.with(move |kept| ended(kept, &id)).await,
        Some(parcel) if never_left => deliver(center, session, &parcel).await,
        Some(parcel) => inquire(center, session, parcel.telegram()).await,
    };
    let (outcome, words) = match verdict {
        Ok(verdict) => (outcome(&verdict).to_owned(), ending_words(&Ending::Verdict(verdict))),
        Err(failure) => ("unknown".to_owned(), failure.message),
    };
    Ok(Resolved {
        telegram: id,
        kind: purpose.map_or("unreadable", Purpose::noun).to_owned(),
        order: purpose.and_then(Purpose::order),
        outcome,
        words,
    })
}

/// The stable word for a verdict.
pub(crate) fn outcome(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Done { effect: wire::message::Effect::Paid { .. }, .. } => "settled",
        Verdict::Done { .. } => "done",
        Verdict::Refused { .. } => "refused",
        Verdict::Void { .. } => "void",
        Verdict::Expired => "expired",
    }
}

/// Sends what is on disk as having left. Where the first answer fails to come, a fresh line is asked once.
async fn deliver(center: &Center, session: &Session, parcel: &Parcel) -> Result<Verdict, Failure> {
    let mut wait = BUSY_WAIT;
    for attempt in 1.. {
        let (telegram, beside) = (parcel.telegram().clone(), beside_of(parcel)?);
        match session.line.submit(telegram, beside, session.answer()).await {
            Ok(verdict) => return settle(center, session, parcel.telegram(), verdict).await,
            Err(LineError::Problem(problem)) if is_busy(&problem) && attempt < BUSY_TRIES => {
                // It knows best when; without its word the waits grow.
                tokio::time::sleep(problem.retry_after().unwrap_or(wait)).await;
                wait *= 2;
            }
            // It was not entered now; the question makes sure that it never will be.
            Err(LineError::Problem(problem)) => {
                return match inquire(center, session, parcel.telegram()).await {
                    Ok(Verdict::Void { .. }) => {
                        Err(Failure::refused(format!("{problem}; nothing was entered")))
                    }
                    other => other,
                };
            }
            Err(error) => return ask_anew(center, parcel, &error).await,
        }
    }
    unreachable!("the loop ends by returning")
}

/// Whether the center had no room for it: nothing was entered, and it may come again.
fn is_busy(problem: &Problem) -> bool {
    problem.kind == ProblemKind::Busy || problem.retry_after().is_some()
}

/// What travels beside a parcel.
fn beside_of(parcel: &Parcel) -> Result<Beside, Failure> {
    if parcel.beside().is_empty() {
        return Ok(Beside::Nothing);
    }
    codec::decode("what travels beside a telegram", parcel.beside(), vault::MAX_CONTENT)
        .map_err(Failure::machine)
}

/// After a line that failed in the middle: asks on a new one what became of the telegram.
async fn ask_anew(center: &Center, parcel: &Parcel, error: &LineError) -> Result<Verdict, Failure> {
    let unknown = |why: &dyn std::fmt::Display| {
        Failure::unknown(format!(
            "it was sent, and what became of it is unknown ({why}); nothing is lost: “resolve” asks the center, and so \
             does the next connection"
        ))
    };
    if matches!(error, LineError::Contradiction(_)) {
        center.alarm(error.to_string(), Vec::new()).await?;
        return Err(unknown(error));
    }
    let (session, _): (Arc<Session>, bool) = center.session().await.map_err(|_| unknown(error))?;
    match inquire(center, &session, parcel.telegram()).await {
        Err(failure) if failure.kind == FailureKind::Offline => Err(unknown(&failure)),
        other => other,
    }
}

/// Asks the center what became of a telegram, with its exact bytes.
async fn inquire(center: &Center, session: &Session, telegram: &Telegram) -> Result<Verdict, Failure> {
    match session.line.inquire(telegram.clone(), session.answer()).await {
        Ok(verdict) => settle(center, session, telegram, verdict).await,
        Err(error) => {
            let failure = failure(&error);
            Err(Failure::unknown(format!("what became of it is still unknown: {}", failure.message)))
        }
    }
}

/// Verifies a verdict, ends the telegram with it on disk, and adopts another copy's payment where it names one. A
/// verdict that does not verify is kept as evidence and ends nothing.
async fn settle(
    center: &Center,
    session: &Session,
    telegram: &Telegram,
    verdict: Verdict,
) -> Result<Verdict, Failure> {
    if let Err(why) = session.line.check_verdict(telegram, &verdict) {
        let words = format!(
            "the center's answer about the {} {} is not believed: {why}; what became of it stays unknown, and the answer \
             is kept as evidence",
            telegram.kind,
            telegram.id().short(),
        );
        center.alarm(words.clone(), codec::encode(&(telegram, &verdict))).await?;
        return Err(Failure::unknown(words));
    }
    tui_kit::failpoint::at("outbox.answered");
    let id = telegram.id();
    let kept = verdict.clone();
    center.keep.with(move |keep| keep.close(id, &Ending::Verdict(kept), Vec::new())).await?;
    tui_kit::failpoint::at("outbox.closed");
    center.keep_up(session).await;
    if let Verdict::Refused { reason: Refusal::AlreadyPaid { .. }, .. } = &verdict {
        adopt_all(center, session).await?;
    }
    Ok(verdict)
}

/// Payments that were refused because another copy of this vault had paid the order: asks for the evidence and keeps it.
async fn adopt_all(center: &Center, session: &Session) -> Result<(), Failure> {
    let waiting = center.keep.with(|kept| {
        let paid_elsewhere = |purchase: &crate::purchase::Purchase| match &purchase.payment {
            crate::purchase::Payment::Refused { reason: Refusal::AlreadyPaid { by }, .. } => {
                Some((purchase.hash, purchase.offer.clone(), purchase.ordered.offer.digest(), *by))
            }
            _ => None,
        };
        kept.book.purchases().filter_map(paid_elsewhere).collect::<Vec<_>>()
    });
    for (order, offer, offer_digest, by) in waiting.await {
        let receipt = match session.line.evidence(by, session.answer()).await {
            Ok(receipt) => receipt,
            // It was not this member who paid; the refusal stands as it is.
            Err(LineError::Problem(_)) => continue,
            Err(error) => return Err(failure(&error)),
        };
        let fits = matches!(
            receipt.member_part(),
            Ok(MemberPart::Paid { store, offer: digest, order: paid, total, .. })
                if paid == order && store == offer.store && digest == offer_digest && total == offer.total
        );
        if fits {
            center.keep.with(move |kept| kept.append(Record::Adopted(Adopted { order, receipt }))).await?;
        } else {
            let words = format!(
                "the center says that {by} paid order {}, but its evidence says otherwise",
                order.short()
            );
            center.alarm(words, codec::encode(&receipt)).await?;
        }
    }
    Ok(())
}

/// What ended a telegram, from the disk.
fn ended(kept: &mut crate::keep::Kept, id: &TelegramId) -> Result<Verdict, Failure> {
    let item = kept
        .vault
        .outbox()
        .item(id)
        .ok_or_else(|| Failure::not_found("there is no such telegram in the outbox"))?;
    match &item.state {
        State::Closed { outcome, .. } => match Ending::decode(outcome) {
            Ok(Ending::Verdict(verdict)) => Ok(verdict),
            _ => Err(Failure::not_possible("this telegram ended in another way")),
        },
        _ => Err(Failure::not_possible("this telegram was withdrawn before it left")),
    }
}
