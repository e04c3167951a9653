//! Changing keys: a new one is made and kept before it is asked for, and put in force with the center's word.
//!
//! Whatever the signature key may ask for, the recovery key may too: it then speaks on a line of its own, which is how
//! keys come back that were lost or revoked.

use vault::{Autograph, recovery::RecoveryPhrase};
use wire::{
    id::AccountNumber,
    key::{SigningKey, VerificationKey},
    message::{Beside, Effect, Verdict},
    payload::KeyRole,
    telegram::Telegram,
    terminal::Changer,
};

use crate::{
    act::{Failure, Password},
    center::{Center, Session},
    join::known_phrase,
    keep::{Kept, ending_words},
    record::{Ending, Purpose},
    send,
};

/// Which key is to be changed, and how.
#[derive(Debug)]
pub(crate) enum Change {
    /// A new signature key, with the autograph that is mixed in.
    Signature(Option<Autograph>),
    /// A new terminal key.
    Terminal,
    /// A new recovery key: the phrase that was shown, written down and asked back.
    Recovery(RecoveryPhrase),
    /// No key in this role any more.
    Revoke(KeyRole),
}

/// Asks the center for a change, signed with the signature key, or with the recovery key `by` where that is given.
///
/// # Errors
/// In words; [`crate::act::FailureKind::Unknown`] when nobody said what became of it: the telegram waits in the outbox
/// then, and the new key with it.
pub(crate) async fn change(
    center: &Center,
    change: Change,
    password_b: Password,
    by: Option<SigningKey>,
) -> Result<Effect, Failure> {
    let session = match &by {
        Some(key) => center.recover(key).await?.0,
        None => center.session().await?.0,
    };
    let changer = changer(&session)?;
    let signed = center.keep.with(move |kept| sign(kept, &changer, &change, &password_b, by.as_ref()));
    let (telegram, beside, purpose) = signed.await?;
    done(center, &session, (telegram, beside), purpose).await
}

/// Cancels with the phrase in force a recovery key that waits.
///
/// # Errors
/// In words, also when none waits.
pub(crate) async fn cancel(center: &Center, phrase: RecoveryPhrase) -> Result<Effect, Failure> {
    let key = phrase.recovery_key();
    let (session, welcome) = center.recover(&key).await?;
    let waiting =
        welcome.waiting.ok_or_else(|| Failure::not_possible("no recovery key waits to be in force"))?;
    let telegram = changer(&session)?.cancel(waiting.change, &key);
    done(center, &session, (telegram, Beside::Nothing), Purpose::KeyCancel).await
}

async fn done(
    center: &Center,
    session: &Session,
    signed: (Telegram, Beside),
    purpose: Purpose,
) -> Result<Effect, Failure> {
    let verdict = send::dispatch(center, session, signed, purpose).await;
    // The keys of the session that is there are others now; the next act logs in with those in force.
    center.forget().await;
    match verdict? {
        Verdict::Done { effect, .. } => Ok(effect),
        Verdict::Refused { reason, .. } => Err(Failure::refused(format!("no key was changed: {reason}"))),
        other => {
            let words = ending_words(&Ending::Verdict(other));
            Err(Failure::refused(format!("no key was changed: {words}")))
        }
    }
}

fn changer(session: &Session) -> Result<Changer, Failure> {
    Ok(Changer {
        center: session.line.sheet.center,
        account: AccountNumber::Member(session.member),
        key_event: session.key_event()?,
        now: session.now(),
    })
}

/// Makes the new key, which waits from then on, and signs for it. `by` is the recovery key, where that signs.
fn sign(
    kept: &mut Kept,
    changer: &Changer,
    change: &Change,
    password_b: &Password,
    by: Option<&SigningKey>,
) -> Result<(Telegram, Beside, Purpose), Failure> {
    let role = match change {
        Change::Signature(_) => KeyRole::Signature,
        Change::Terminal => KeyRole::Terminal,
        Change::Recovery(_) => KeyRole::Recovery,
        Change::Revoke(role) => {
            let (telegram, beside) = match by {
                Some(by) => changer.revoke(*role, by),
                None => kept.sign(Some(password_b), |key| changer.revoke(*role, key))?,
            };
            return Ok((telegram, beside, Purpose::Revocation { role: *role }));
        }
    };
    clear(kept, role)?;
    let made = match change {
        Change::Signature(autograph) => signature(kept, changer, autograph.as_ref(), password_b, by),
        Change::Recovery(phrase) => recovery(kept, changer, phrase, password_b, by),
        Change::Terminal | Change::Revoke(_) => terminal(kept, changer, password_b, by),
    };
    if made.is_err() && kept.vault.waiting(role).is_some() {
        kept.vault.drop_waiting(role)?;
    }
    let (telegram, beside) = made?;
    Ok((telegram, beside, Purpose::KeyChange { role }))
}

/// Drops a key that waits and was never asked for; one that was waits for its answer.
fn clear(kept: &mut Kept, role: KeyRole) -> Result<(), Failure> {
    let Some(waiting) = kept.vault.waiting(role) else { return Ok(()) };
    let asked = |item: &vault::Item| {
        let change = item.telegram.peek::<wire::payload::KeyChange>();
        change.is_ok_and(|change| change.key == Some(waiting))
    };
    let chain = kept.book.custody.chain.as_ref();
    let waits_there = chain.and_then(|chain| chain.waiting).is_some_and(|there| there.key == waiting);
    if waits_there || kept.vault.outbox().open().any(asked) {
        return Err(Failure::not_possible(
            "a new key was asked for before and is not settled yet; ask the center with “resolve”, or cancel it",
        ));
    }
    kept.vault.drop_waiting(role)?;
    Ok(())
}

fn signature(
    kept: &mut Kept,
    changer: &Changer,
    autograph: Option<&Autograph>,
    password_b: &Password,
    by: Option<&SigningKey>,
) -> Result<(Telegram, Beside), Failure> {
    kept.vault.prepare_signature_key(&password_b.0, autograph)?;
    let terminal = terminal_in_force(kept)?;
    let new = kept.vault.unlock_waiting_signing(&password_b.0)?;
    match by {
        Some(by) => Ok(new.act(|new| changer.signature(new, terminal, by))),
        None => {
            let old = kept.vault.unlock_signing(&password_b.0)?;
            Ok(new.act(|new| old.act(|old| changer.signature(new, terminal, old))))
        }
    }
}

fn terminal(
    kept: &mut Kept,
    changer: &Changer,
    password_b: &Password,
    by: Option<&SigningKey>,
) -> Result<(Telegram, Beside), Failure> {
    kept.vault.prepare_terminal_key()?;
    let new = kept.vault.waiting_terminal_key()?.clone();
    kept.sign(Some(password_b), |key| changer.terminal(&new, key, by.unwrap_or(key)))
}

fn recovery(
    kept: &mut Kept,
    changer: &Changer,
    phrase: &RecoveryPhrase,
    password_b: &Password,
    by: Option<&SigningKey>,
) -> Result<(Telegram, Beside), Failure> {
    kept.vault.prepare_recovery(phrase, &password_b.0)?;
    let new = phrase.recovery_key();
    match by {
        Some(by) => Ok(changer.recovery(&new, by)),
        None => kept.sign(Some(password_b), |key| changer.recovery(&new, key)),
    }
}

/// The terminal key that the new signature key certifies: the one that the center has in force, else this vault's.
fn terminal_in_force(kept: &Kept) -> Result<VerificationKey, Failure> {
    let chain = kept.book.custody.chain.as_ref();
    let in_force = chain.and_then(|chain| chain.newest(KeyRole::Terminal)).and_then(|event| event.key);
    match in_force {
        Some(key) => Ok(key),
        None => Ok(kept.vault.terminal_key()?.verification_key()),
    }
}

/// Reads a phrase as it was typed, and looks whether it is this vault's.
///
/// # Errors
/// In words: which word is not in the list, or that one is wrong.
pub(crate) fn read_phrase(typed: &Password) -> Result<RecoveryPhrase, Failure> {
    RecoveryPhrase::parse(&typed.0).map_err(Failure::not_possible)
}

/// The same, of this vault's own phrase in force.
///
/// # Errors
/// As [`read_phrase`], and when it is another vault's.
pub(crate) async fn own_phrase(center: &Center, typed: &Password) -> Result<RecoveryPhrase, Failure> {
    let phrase = read_phrase(typed)?;
    center
        .keep
        .with(move |kept| {
            known_phrase(kept, &phrase)?;
            Ok(phrase)
        })
        .await
}
