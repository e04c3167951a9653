//! Applying: the vault, the form, the application, and how it stands.

use tui_kit::profile::Profile;
use vault::{Opening, Passwords, Vault, recovery::RecoveryPhrase};
use wire::{
    admission::{ApplicationView, ApplyCall},
    bounded::Bytes,
    codec,
    id::{AccountNumber, Role, Salt},
    limits,
    message::{Form, Particulars, ProblemKind},
    terminal::{Applicant, Line, LineError},
};

use super::{Filled, Newcomer, Stage, connect, line_to_center, pinned, stage_of};
use crate::{
    act::{Failure, Password},
    center::{Means, Patience, failure, seen},
    engine::Handle,
    join::kit,
    keep::Keep,
    record::{Applying, Record},
};

/// Makes a vault in a profile, applies with it, and fetches the admission kit. It may take seconds: the passwords are
/// made costly.
///
/// # Errors
/// In words. When a vault was made before the failure, it is there: open it and go on as [`Handle::stage`] says.
pub async fn join(
    profile: Profile,
    newcomer: Newcomer,
    means: impl Into<Means>,
) -> Result<(Stage, Handle), Failure> {
    let Newcomer { invitation, filled, passwords, autograph, phrase, replaces } = newcomer;
    let words: Vec<&str> = filled.values.iter().map(|(_, value)| value.as_str()).collect();
    passwords.check_for(&words)?;
    let Means { patience, vault: surroundings } = means.into();
    // The form is looked at first: a newcomer with a wrong invitation or a wrong date should have no vault yet.
    let line = connect(&invitation, 0, patience).await?;
    let particulars = particulars(&line, &filled, patience).await?;
    profile.create().map_err(Failure::machine)?;
    let (data, center) = (profile.data().to_owned(), pinned(&invitation, &line));
    let password_b = Password(match &passwords {
        Passwords::Two { b, .. } | Passwords::One(b) => b.clone(),
    });
    let made = tokio::task::spawn_blocking(move || {
        let mut vault = Vault::create(&data, &passwords, autograph.as_ref(), surroundings)?;
        vault.pin_center(&center)?;
        Ok::<_, Failure>(Keep::new(Opening { vault, records: Vec::new(), findings: Vec::new() }))
    });
    let keep = made.await.map_err(Failure::machine)??;
    let seen = seen(&line);
    keep.with(move |kept| kept.append(Record::Center(seen))).await?;
    if let Some(phrase) = phrase {
        keep_phrase(&keep, phrase, password_b.clone()).await?;
    }
    sign(&keep, &line, particulars, replaces, password_b).await?;
    let stage = send(&keep, &line, patience).await?;
    fetch_kit(&keep, &line, patience).await?;
    Ok((stage, Handle::over(profile, keep, patience)))
}

/// Signs another application: the first of a vault that has none, or one that amends what was asked back.
///
/// # Errors
/// In words.
pub(crate) async fn apply_again(
    keep: &Keep,
    filled: &Filled,
    password_b: Password,
    patience: Patience,
) -> Result<Stage, Failure> {
    let line = line_to_center(keep, patience).await?;
    let particulars = particulars(&line, filled, patience).await?;
    let replaces = keep.with(|kept| {
        let before = kept.book.custody.taken.as_ref();
        before.and_then(|one| one.telegram.peek::<wire::admission::Application>().ok()?.replaces)
    });
    let replaces = replaces.await;
    sign(keep, &line, particulars, replaces, password_b).await?;
    let stage = send(keep, &line, patience).await?;
    fetch_kit(keep, &line, patience).await?;
    Ok(stage)
}

/// Sends once more the application that is on disk.
///
/// # Errors
/// In words; when the center does not take it, the vault is [`Stage::Unsigned`] again.
pub(crate) async fn send_application(keep: &Keep, patience: Patience) -> Result<Stage, Failure> {
    let line = line_to_center(keep, patience).await?;
    let stage = send(keep, &line, patience).await?;
    fetch_kit(keep, &line, patience).await?;
    Ok(stage)
}

/// Asks how the application stands.
///
/// # Errors
/// In words, when the center can't be reached or is not believed.
pub(crate) async fn refresh(keep: &Keep, patience: Patience) -> Result<Stage, Failure> {
    let asked = keep.with(|kept| {
        let number = kept.book.custody.applied.as_ref().map(|view| view.number);
        Ok::<_, Failure>((number, kept.vault.terminal_key()?.clone()))
    });
    let (number, key) = asked.await?;
    let number =
        number.ok_or_else(|| Failure::not_possible("the center has no application of this vault"))?;
    let line = line_to_center(keep, patience).await?;
    let view = line.application(number, &key, patience.answer).await.map_err(|error| failure(&error))?;
    stands(keep, view).await
}

/// What was filled in, encoded, once the center's form is still the one that was shown.
async fn particulars(line: &Line, filled: &Filled, patience: Patience) -> Result<Vec<u8>, Failure> {
    let form = line.form(Role::Member, patience.answer).await.map_err(|error| failure(&error))?;
    if filled.form.as_ref().is_some_and(|shown| *shown != form) {
        return Err(Failure::not_possible(
            "the center has changed its form since it was shown; look at it again before anything is signed",
        ));
    }
    let particulars = fill(&form, &filled.values)?;
    let particulars = codec::encode(&particulars);
    if particulars.len() > limits::PARTICULARS {
        return Err(Failure::not_possible("what was filled in is too long in all; shorten it"));
    }
    Ok(particulars)
}

fn fill(form: &Form, values: &[(String, String)]) -> Result<Particulars, Failure> {
    form.fill(values).map_err(|wrong| {
        let words: Vec<String> = wrong.into_iter().map(|(_, why)| why).collect();
        Failure::not_possible(words.join("; "))
    })
}

/// Keeps the public halves of a phrase, and its recovery key, sealed, until it has signed the registration.
async fn keep_phrase(keep: &Keep, phrase: RecoveryPhrase, password_b: Password) -> Result<(), Failure> {
    keep.with(move |kept| {
        kept.vault.keep_recovery(&phrase, &password_b.0)?;
        kept.vault.confirm_recovery()?;
        Ok(kept.vault.hold_recovery_key(&phrase, &password_b.0)?)
    })
    .await
}

async fn sign(
    keep: &Keep,
    line: &Line,
    particulars: Vec<u8>,
    replaces: Option<AccountNumber>,
    password_b: Password,
) -> Result<(), Failure> {
    let (center, now) = (line.sheet.center, line.now());
    keep.with(move |kept| {
        let applicant = Applicant {
            center,
            role: Role::Member,
            terminal_key: kept.vault.terminal_key()?.verification_key(),
            particulars: &particulars,
            salt: Salt::random(),
            amends: kept.book.custody.applied.as_ref().map(|view| view.number),
            replaces,
            now,
        };
        let telegram = kept.sign(Some(&password_b), |key| applicant.sign(key))?;
        let salt = applicant.salt;
        kept.append(Record::Applying(Applying { at: now, telegram, particulars, salt }))
    })
    .await
}

/// Sends the application that is on disk, if one waits there.
async fn send(keep: &Keep, line: &Line, patience: Patience) -> Result<Stage, Failure> {
    let Some(applying) = keep.with(|kept| kept.book.custody.unsent.clone()).await else {
        return Ok(super::stage(keep).await);
    };
    let call = ApplyCall {
        telegram: applying.telegram,
        particulars: Bytes::new(applying.particulars).map_err(Failure::machine)?,
        salt: applying.salt,
    };
    match line.apply(call, patience.answer).await {
        Ok(view) => stands(keep, view).await,
        Err(error) => Err(not_taken(keep, error).await),
    }
}

/// Fetches the kit after an application was sent: what is wrong with it is not about the application.
async fn fetch_kit(keep: &Keep, line: &Line, patience: Patience) -> Result<(), Failure> {
    kit::fetch(keep, line, patience).await.map(drop).map_err(|failure| Failure {
        message: format!(
            "the application is with the center, but its admission kit was not taken: {}",
            failure.message
        ),
        ..failure
    })
}

async fn stands(keep: &Keep, view: ApplicationView) -> Result<Stage, Failure> {
    keep.with(move |kept| {
        let custody = &kept.book.custody;
        if custody.unsent.is_some() || custody.applied.as_ref() != Some(&view) {
            kept.append(Record::Applied(view))?;
        }
        Ok(stage_of(kept))
    })
    .await
}

/// What an answer that is no application's state means. A center that is busy may be asked again; words about the
/// application itself end it, so that another can be signed.
async fn not_taken(keep: &Keep, error: LineError) -> Failure {
    let passing = [ProblemKind::Busy, ProblemKind::Limited, ProblemKind::Stopped];
    match error {
        LineError::Problem(problem) if passing.contains(&problem.kind) || problem.retry_after().is_some() => {
            Failure::refused(format!("{problem} (run join again to go on)"))
        }
        LineError::Problem(problem) => {
            let words = problem.words.clone();
            match keep.with(move |kept| kept.append(Record::NotTaken(words))).await {
                Ok(()) => Failure::refused(problem),
                Err(failure) => failure,
            }
        }
        error @ LineError::Link(_) => Failure::unknown(format!(
            "{error}; whether the center has the application is unknown. Run join again: the same one is sent once more"
        )),
        error => failure(&error),
    }
}
