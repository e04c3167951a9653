//! Registering: number and code, the signed registration, and the center's answer to it.

use vault::outbox::{Parcel, State};
use wire::{
    codec,
    id::{AccountNumber, TelegramId},
    key::SigningKey,
    message::{ProblemKind, RegisterCall},
    payload::Registration,
    telegram::Kind,
    terminal::{Line, LineError, Registrant as Signing},
    time::Timestamp,
};

use super::{Joined, Registered, Registrant, line_to_center};
use crate::{
    act::Failure,
    center::{Patience, failure},
    join::kit,
    keep::{Keep, Kept},
    record::{Ending, Purpose},
};

/// Signs a registration and sends it, or leaves it in the outbox. Over a line the kit is looked at first, so that no
/// terms are accepted that are not in force any more.
///
/// # Errors
/// In words.
pub(crate) async fn register(
    keep: &Keep,
    registrant: Registrant,
    patience: Patience,
) -> Result<Registered, Failure> {
    let line = if registrant.prepare { None } else { Some(line_to_center(keep, patience).await?) };
    if let Some(line) = &line {
        kit::fetch(keep, line, patience).await?;
    }
    let now = line.as_ref().map_or_else(Timestamp::now, Line::now);
    let call = keep.with(move |kept| sign(kept, registrant, now)).await?;
    let (telegram, beside) = (call.telegram.clone(), codec::encode(&call));
    let Some(line) = line else {
        let put = keep.with(move |kept| kept.prepare(telegram, beside, Purpose::Registration));
        return put.await.map(Registered::Prepared);
    };
    let parcel = keep.with(move |kept| kept.post(telegram, beside, Purpose::Registration)).await?;
    send(keep, &line, parcel, patience).await.map(Registered::Joined)
}

/// Sends a registration that is on disk, for the first time or once more.
///
/// # Errors
/// In words; when the center says that it is not acceptable, number and code can be typed anew.
pub(crate) async fn send_registration(keep: &Keep, patience: Patience) -> Result<Joined, Failure> {
    let line = line_to_center(keep, patience).await?;
    let none = || Failure::not_possible("no registration waits in this vault");
    let parcel = keep.with(|kept| {
        let mut open = kept.vault.outbox().open();
        let id = open.find(|item| item.telegram.kind == Kind::Registration)?.telegram.id();
        drop(open);
        Some(kept.parcel(&id))
    });
    let parcel = parcel.await.ok_or_else(none)??.ok_or_else(none)?;
    send(keep, &line, parcel, patience).await
}

fn sign(kept: &mut Kept, registrant: Registrant, now: Timestamp) -> Result<RegisterCall, Failure> {
    let Registrant { member, code, terms, phrase, password_b, prepare: _ } = registrant;
    let waits = |item: &vault::Item| {
        item.telegram.kind == Kind::Registration && matches!(item.state, State::MayHaveLeft { .. })
    };
    if kept.vault.outbox().open().any(waits) {
        return Err(Failure::not_possible(
            "a registration was sent before, and its outcome is unknown; run join again to learn it",
        ));
    }
    let custody = &kept.book.custody;
    let taken = custody.taken.clone().ok_or_else(|| {
        Failure::not_possible(
            "the center has no application of this vault; run join with an invitation first",
        )
    })?;
    let application = custody.applied.as_ref().map(|view| view.number).ok_or_else(|| {
        Failure::not_possible("the application has no number yet; run join again to learn how it stands")
    })?;
    let kit = custody.kit.as_ref().ok_or_else(|| {
        Failure::not_possible("the admission kit is not here yet; fetch it with “kit” while a line is there")
    })?;
    if kit.terms.hash() != terms {
        return Err(Failure::not_possible(format!(
            "the terms have changed to version {} since they were accepted; read them again",
            kit.terms.version
        )));
    }
    let center = kept.pinned()?.root.center();
    if let Some(phrase) = &phrase {
        known_phrase(kept, phrase)?;
        if kept.vault.recovery().is_none() {
            kept.vault.keep_recovery(phrase, &password_b.0)?;
        }
        if kept.vault.recovery().is_some_and(|known| known.confirmed_at.is_none()) {
            kept.vault.confirm_recovery()?;
        }
    }
    let typed = phrase.map(|phrase| phrase.recovery_key());
    let held = match typed {
        Some(_) => None,
        None => kept.vault.unlock_held_recovery_key(&password_b.0)?,
    };
    let terminal = kept.vault.terminal_key()?.clone();
    let signed = kept.sign(Some(&password_b), |key| {
        let sign = |recovery_key: Option<&SigningKey>| {
            Signing {
                center,
                application,
                account: AccountNumber::Member(member),
                code: &code,
                terminal_key: &terminal,
                recovery_key,
                particulars: &taken.particulars,
                salt: taken.salt,
                terms,
                now,
            }
            .sign(key)
        };
        match held {
            Some(held) => held.act(|key| sign(Some(key))),
            None => sign(typed.as_ref()),
        }
    });
    signed?.map_err(Failure::machine)
}

/// Whether a phrase is the one that this vault knows, where it knows one.
pub(crate) fn known_phrase(kept: &Kept, phrase: &vault::recovery::RecoveryPhrase) -> Result<(), Failure> {
    match kept.vault.recovery() {
        Some(known) if known.keys != phrase.public() => Err(Failure::not_possible(
            "this is a recovery phrase, but not the one that was made with this vault",
        )),
        _ => Ok(()),
    }
}

/// Sends what is on disk, verifies the answer, and ends the registration with it.
async fn send(keep: &Keep, line: &Line, parcel: Parcel, patience: Patience) -> Result<Joined, Failure> {
    let id = parcel.id();
    let (telegram, beside) = parcel.into_parts();
    let call: RegisterCall =
        codec::decode("registration", &beside, vault::MAX_CONTENT).map_err(Failure::machine)?;
    let asked = telegram.peek::<Registration>().map_err(Failure::machine)?;
    let (account, entry, receipt) = match line.register(call, patience.answer).await {
        Ok(answer) => answer,
        Err(error) => return Err(not_registered(keep, id, error).await),
    };
    let checked = line.check_registration(&telegram, (account, entry), &receipt);
    let member = wire::message::member_of(account);
    let (Ok(()), Some(member)) = (&checked, member) else {
        let why = checked.err().map_or_else(|| "it gives a store's number".into(), |error| error.to_string());
        let words = format!("the center's answer to the registration is not believed: {why}");
        let evidence = codec::encode(&(account, entry, &receipt));
        let alarm = words.clone();
        keep.with(move |kept| kept.alarm(&alarm, evidence)).await?;
        return Err(Failure::contradiction(words));
    };
    keep.with(move |kept| {
        let ending = Ending::Registered { account, entry, receipt };
        kept.close(id, &ending, Vec::new())?;
        kept.pin(|center| center.account = Some(account))
    })
    .await?;
    Ok(Joined {
        member,
        entry,
        center: line.hello.name.clone(),
        fingerprint: asked.verification_key.fingerprint(),
        recovery: asked.recovery_key.is_some(),
    })
}

/// What an answer that is no number means. A center that is busy or stopped may be asked again; words about the
/// registration itself end it, so that another can be signed.
async fn not_registered(keep: &Keep, id: TelegramId, error: LineError) -> Failure {
    let passing = [ProblemKind::Busy, ProblemKind::Limited, ProblemKind::Stopped];
    match error {
        LineError::Problem(problem) if passing.contains(&problem.kind) || problem.retry_after().is_some() => {
            Failure::refused(format!("{problem} (run join again to finish joining)"))
        }
        LineError::Problem(problem) => {
            let words = problem.words.clone();
            let ending = Ending::NotEntered { words };
            match keep.with(move |kept| kept.close(id, &ending, Vec::new())).await {
                Ok(()) => Failure::refused(problem),
                Err(failure) => failure,
            }
        }
        error @ LineError::Link(_) => Failure::unknown(format!(
            "{error}; whether you are registered is unknown. Run join again: the same registration is sent once more"
        )),
        error => failure(&error),
    }
}
