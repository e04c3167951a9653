//! Recovery: bringing an account back on a new machine, depositing copies, and the drill that proves it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tui_kit::profile::Profile;
use vault::{
    Aside, Opening, Passwords, PinnedCenter, Vault,
    recovery::{RecoveryPhrase, open_copy},
};
use wire::{
    id::MemberNumber,
    message::{CopyView, Welcome, member_of},
    payload::KeyRole,
    sheet::Invitation,
    terminal::{self, Line},
    text::Line as TextLine,
    time::Timestamp,
};

use crate::{
    act::{Failure, FailureKind, Password},
    center::{Center, Means, Patience, Session, failure, remember, seen},
    engine::Handle,
    keep::Keep,
    keys::{self, Change},
    record::{Record, Recovered},
    view::{DrillRow, Moment},
};

/// How long after a copy was deposited the next one may follow where no key has changed, in milliseconds.
pub(crate) const DEPOSIT_EVERY_MS: u64 = 10 * 60 * 1000;

/// Everything that someone gives who comes back.
#[derive(Debug)]
pub struct Returning {
    /// Where to.
    pub invitation: Invitation,
    /// The phrase that was written down.
    pub phrase: RecoveryPhrase,
    /// The passwords of the vault that is made.
    pub passwords: Passwords,
    /// Whether a vault that is here, whose passwords are forgotten, makes room; it is moved aside, never deleted.
    pub set_aside: bool,
}

/// What was brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The member's number.
    pub member: MemberNumber,
    /// The center's name.
    pub center: TextLine,
    /// When the copy was made that brought back history and receipts; none where there was no copy.
    pub copied_at: Option<Moment>,
    /// The keys that had to be made anew.
    pub new_keys: Vec<String>,
    /// The name, in the same folder, of the vault that was here before and is moved aside.
    pub set_aside: Option<String>,
}

/// An account that was not brought back, or not wholly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct Unrestored {
    /// Why, in words.
    pub failure: Failure,
    /// Whether the vault is made all the same: open it and go on with [`Handle::finish_restoring`]. Otherwise everything
    /// is as it was.
    pub made: bool,
}

impl From<Failure> for Unrestored {
    fn from(failure: Failure) -> Self {
        Self { failure, made: false }
    }
}

/// Brings an account back into a profile: the center finds it by the recovery key and hands out the
/// copy that the old terminal deposited. Keys in it that are not in force any more are changed for fresh ones.
///
/// # Errors
/// In words, and whether the vault is made.
pub async fn restore(
    profile: Profile,
    returning: Returning,
    means: impl Into<Means>,
) -> Result<(Restored, Handle), Unrestored> {
    let Returning { invitation, phrase, passwords, set_aside } = returning;
    passwords.check().map_err(Failure::from)?;
    let Means { patience, vault: surroundings } = means.into();
    let failed = |error: terminal::LineError| failure(&error);
    let (line, pushes) = terminal::connect(&invitation, 0, patience.connect).await.map_err(failed)?;
    drop(pushes);
    let welcome = line.recover(&phrase.recovery_key(), None, patience.answer).await.map_err(failed)?;
    let member =
        member_of(welcome.account).ok_or_else(|| Failure::not_possible("this phrase is that of a store"))?;
    let copy = match welcome.copy {
        Some(view) => Some(line.take_copy(view, patience.answer).await.map_err(failed)?),
        None => None,
    };
    let signers: Vec<_> = welcome
        .keys
        .iter()
        .filter(|event| event.role == KeyRole::Terminal)
        .filter_map(|event| event.key)
        .collect();
    let password_b = Password(match &passwords {
        Passwords::Two { b, .. } | Passwords::One(b) => b.clone(),
    });
    profile.create().map_err(Failure::machine)?;
    let data = profile.data().to_owned();
    let made = tokio::task::spawn_blocking(move || {
        let contents = copy.map(|copy| open_copy(&copy, &phrase, Some(&signers)));
        let contents = contents.transpose().map_err(Failure::contradiction)?;
        let aside = if set_aside { Aside::put(&data)? } else { None };
        let made = match &contents {
            Some(contents) => Vault::restore(&data, &passwords, contents, surroundings),
            None => Vault::restore_without_copy(&data, &passwords, &phrase, surroundings),
        };
        match made {
            Ok(vault) => {
                let copied_at = contents.map(|contents| contents.made_at);
                Ok((vault, phrase, copied_at, aside.map(Aside::into_name)))
            }
            Err(error) => {
                if let Some(Err(left)) = aside.map(Aside::back) {
                    tracing::warn!("{left}");
                }
                Err(Failure::from(error))
            }
        }
    });
    let (vault, phrase, copied_at, set_aside) = made.await.map_err(Failure::machine)??;
    let restored = Restored {
        member,
        center: line.hello.name.clone(),
        copied_at: copied_at.map(Moment::from),
        new_keys: Vec::new(),
        set_aside,
    };
    let finished = begin_again((profile, patience), vault, (&invitation, line, welcome), phrase, password_b);
    let (new_keys, handle) = finished.await.map_err(|failure| Unrestored { failure, made: true })?;
    Ok((Restored { new_keys, ..restored }, handle))
}

/// What follows in a vault just brought back: its center, its account, and fresh keys for those that are out of force.
async fn begin_again(
    (profile, patience): (Profile, Patience),
    mut vault: Vault,
    (invitation, line, welcome): (&Invitation, Line, Welcome),
    phrase: RecoveryPhrase,
    password_b: Password,
) -> Result<(Vec<String>, Handle), Failure> {
    if vault.center().is_some_and(|center| center.root != invitation.root) {
        return Err(Failure::contradiction("the copy that the center gave is of another center's vault"));
    }
    vault.pin_center(&pinned(invitation, &line, &welcome))?;
    let records = vault.program_records()?;
    let keep = Keep::new(Opening { vault, records, findings: Vec::new() });
    let (seen, chain, account) = (seen(&line), welcome.keys.clone(), welcome.account);
    keep.with(move |kept| {
        kept.append(Record::Center(seen))?;
        kept.append(Record::Recovered(Recovered { at: Timestamp::now(), account, chain }))
    })
    .await?;
    drop(line);
    let handle = Handle::over(profile, keep, patience);
    let new_keys = finish(handle.center(), phrase, password_b).await?;
    Ok((new_keys, handle))
}

/// Changes those keys of a restored vault for fresh ones that the center has not in force, signed by the recovery key.
/// Gives the roles that were changed.
///
/// # Errors
/// In words; it can be done again.
pub(crate) async fn finish(
    center: &Center,
    phrase: RecoveryPhrase,
    password_b: Password,
) -> Result<Vec<String>, Failure> {
    let mut changed = Vec::new();
    let (_, mut welcome) = center.recover(&phrase.recovery_key()).await?;
    for role in [KeyRole::Signature, KeyRole::Terminal] {
        if stands(center, &welcome, role).await? {
            continue;
        }
        let change = if role == KeyRole::Signature { Change::Signature(None) } else { Change::Terminal };
        keys::change(center, change, password_b.clone(), Some(phrase.recovery_key())).await?;
        changed.push(crate::keep::role_name(role).to_owned());
        (_, welcome) = center.recover(&phrase.recovery_key()).await?;
    }
    Ok(changed)
}

/// Whether the vault's key of a role is the one in force; a waiting one that is by now is put in force here too.
async fn stands(center: &Center, welcome: &Welcome, role: KeyRole) -> Result<bool, Failure> {
    let in_force = welcome.keys.iter().rev().find(|event| event.role == role).and_then(|event| event.key);
    let welcome = welcome.clone();
    center
        .keep
        .with(move |kept| {
            remember(kept, &welcome)?;
            if in_force.is_some() && kept.vault.waiting(role) == in_force {
                kept.vault.promote(role)?;
            }
            Ok(in_force.is_some() && kept.vault.in_use(role) == in_force)
        })
        .await
}

/// Deposits a copy of the vault with the center where something has changed: at once when `now`, else not more often
/// than [`DEPOSIT_EVERY_MS`]. Whether it did is said.
///
/// # Errors
/// In words, when the center does not take it.
pub(crate) async fn deposit(keep: &Keep, session: &Session, now: bool) -> Result<bool, Failure> {
    let copied = keep.with(move |kept| {
        let soon = Timestamp::now().0.saturating_sub(DEPOSIT_EVERY_MS);
        let rested = kept.vault.deposited_at().is_none_or(|at| at.0 <= soon);
        if !kept.vault.copy_is_due() || !(now || rested) || kept.book.custody.recovery_registered().is_none()
        {
            return Ok(None);
        }
        let up_to = kept.vault.newest();
        Ok::<_, Failure>(Some((kept.vault.copy_for_deposit()?, up_to)))
    });
    let Some((copy, up_to)) = copied.await? else { return Ok(false) };
    session.line.deposit(&copy, session.answer()).await.map_err(|error| failure(&error))?;
    keep.with(move |kept| {
        kept.vault.note_deposit(up_to)?;
        kept.touch();
        Ok(true)
    })
    .await
}

/// The restore drill: takes the deposited copy with the phrase, restores it into a scratch folder, compares it with the
/// vault record for record, and notes the date.
///
/// # Errors
/// In words: what differs, or why there is nothing to compare.
pub(crate) async fn drill(
    center: &Center,
    phrase: RecoveryPhrase,
    scratch: PathBuf,
) -> Result<DrillRow, Failure> {
    let (session, welcome) = center.recover(&phrase.recovery_key()).await?;
    let view: CopyView = welcome.copy.ok_or_else(|| {
        Failure::not_found("the center keeps no copy of this vault yet; “sync” deposits one")
    })?;
    let copy = session.line.take_copy(view, session.answer()).await.map_err(|error| failure(&error))?;
    center
        .keep
        .with(move |kept| {
            let drilled = kept.vault.drill(&copy, &phrase, Path::new(&scratch));
            let drilled = drilled.map_err(|error| match error {
                vault::Error::Drill(_) | vault::Error::Copy(_) => {
                    Failure::new(FailureKind::Contradiction, error)
                }
                other => other.into(),
            })?;
            kept.touch();
            Ok(DrillRow {
                at: drilled.at.into(),
                copied_at: drilled.copied_at.into(),
                compared: drilled.compared,
                newer: drilled.newer,
            })
        })
        .await
}

fn pinned(invitation: &Invitation, line: &Line, welcome: &Welcome) -> PinnedCenter {
    PinnedCenter {
        root: invitation.root,
        addresses: invitation.addresses.iter().map(ToString::to_string).collect(),
        sheet: Some(line.hello.sheet.clone()),
        checkpoint: Some(welcome.checkpoint.note().to_owned()),
        account: Some(welcome.account),
    }
}
