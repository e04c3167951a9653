//! Bringing a store back on a new machine, with invitation and recovery phrase: also when both passwords are forgotten.
//!
//! The center finds the account by the recovery key and hands out the deposited copy of the vault. Where there is none, or
//! its keys are not the ones in force any more, the recovery key puts this vault's keys in force.

use std::{path::Path, sync::Arc, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use vault::{
    Aside, Opening, Passwords, PinnedCenter, RecoveryPhrase, Surroundings, Vault, recovery::open_copy,
};
use wire::{
    codec,
    id::{AccountNumber, StoreNumber},
    key::VerificationKey,
    message::{Verdict, Welcome},
    payload::{KeyEvent, KeyRole},
    sheet::Invitation,
    terminal::{self, Changer, Line},
    text,
    time::Timestamp,
};

use crate::{
    act::Failure,
    book::role_words,
    center::{ANSWER_LIMIT, seen},
    keep::Keep,
    record::{Ending, Purpose, Record, Restored},
    sign::{self, By},
    view::Moment,
};

/// How long connecting to one address may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long one piece of the copy may take.
const PIECE_LIMIT: Duration = Duration::from_secs(60);

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

/// A store that was brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// Its number.
    pub store: StoreNumber,
    /// The center's name.
    pub center: text::Line,
    /// When the copy was made; none where only the phrase brought it back, without orders and receipts.
    pub copied: Option<Moment>,
    /// How many records came back.
    pub records: u64,
    /// The keys that were put in force anew, in words.
    pub renewed: Vec<String>,
    /// The name, in the same folder, of the vault that was here before and is moved aside.
    pub set_aside: Option<String>,
}

/// Brings a store back into a profile, under new passwords. It may take seconds.
///
/// # Errors
/// In words: no account has this phrase, the copy is not to be believed, the line, the disk. Before the copy is checked
/// nothing is written and nothing is moved.
pub async fn restore(profile: &Path, returning: Returning) -> Result<Recovered, Failure> {
    let Returning { invitation, phrase, passwords, set_aside } = returning;
    let invitation = &invitation;
    passwords.check()?;
    if !set_aside {
        vacant(profile)?;
    }
    let (line, pushes) = terminal::connect(invitation, 0, CONNECT_LIMIT).await?;
    drop(pushes);
    let welcome = line.recover(&phrase.recovery_key(), None, ANSWER_LIMIT).await?;
    let AccountNumber::Store(store) = welcome.account else {
        return Err(Failure::not_possible(format!(
            "the phrase is that of {}, a member; use tui-member to bring it back",
            welcome.account
        )));
    };
    let copy = match welcome.copy {
        Some(view) => Some(line.take_copy(view, PIECE_LIMIT).await?),
        None => None,
    };
    let pinned = PinnedCenter {
        root: invitation.root,
        addresses: invitation.addresses.iter().map(ToString::to_string).collect(),
        sheet: Some(line.hello.sheet.clone()),
        checkpoint: Some(welcome.checkpoint.note().to_owned()),
        account: Some(welcome.account),
    };
    let signers: Vec<VerificationKey> = welcome
        .keys
        .iter()
        .filter(|event| event.role == KeyRole::Terminal)
        .filter_map(|event| event.key)
        .collect();
    let (folder, password_b) = (profile.to_owned(), password_b(&passwords));
    let made = tokio::task::spawn_blocking(move || {
        let contents = copy.map(|copy| open_copy(&copy, &phrase, Some(&signers)));
        let contents = contents.transpose().map_err(vault::Error::from)?;
        let aside = if set_aside { Aside::put(&folder)? } else { None };
        let surroundings = Surroundings::system();
        let made = match &contents {
            Some(contents) => Vault::restore(&folder, &passwords, contents, surroundings),
            None => Vault::restore_without_copy(&folder, &passwords, &phrase, surroundings),
        };
        let (mut vault, aside) = match made {
            Ok(vault) => (vault, aside.map(Aside::into_name)),
            Err(error) => {
                if let Some(Err(left)) = aside.map(Aside::back) {
                    tracing::warn!("{left}");
                }
                return Err(error.into());
            }
        };
        let copied = contents.as_ref().map(|contents| contents.made_at);
        let records = contents.as_ref().map_or(0, |contents| contents.len() as u64);
        vault.pin_center(&pinned)?;
        let records_kept = vault.program_records()?;
        let keep = Keep::new(Opening { vault, records: records_kept, findings: Vec::new() })?;
        Ok::<_, Failure>((keep, phrase, copied, records, aside))
    });
    let (keep, phrase, copied, records, set_aside) = made.await.map_err(Failure::machine)??;
    keep.record(vec![Record::Center(seen(&line))]).await?;
    let renewed = renew_keys(&keep, &line, &welcome, (&phrase, copied.is_none()), &password_b).await?;
    let name = settle_in(&keep, invitation, store).await?;
    if copied.is_none() {
        keep.record(vec![Record::Restored(Restored { at: Timestamp::now(), store, name })]).await?;
    }
    Ok(Recovered {
        store,
        center: line.hello.name.clone(),
        copied: copied.map(Moment::from),
        records,
        renewed: renewed.into_iter().map(|role| role_words(role).to_owned()).collect(),
        set_aside,
    })
}

/// Whether a profile has room for a vault.
///
/// # Errors
/// With what to do when it has one.
pub fn vacant(profile: &Path) -> Result<(), Failure> {
    if !Vault::exists(profile) {
        return Ok(());
    }
    Err(Failure::not_possible(
        "this profile has a vault already; choose another with --profile, or, where its passwords are forgotten, set it \
         aside with --set-aside",
    ))
}

/// Puts new signature and terminal keys in force where others than this vault's are, with the recovery key; which ones.
/// A vault made without a copy has `fresh` keys that nobody knows; else new ones are made, because a key that was in force
/// once never is again.
async fn renew_keys(
    keep: &Arc<Keep>,
    line: &Line,
    welcome: &Welcome,
    (phrase, fresh): (&RecoveryPhrase, bool),
    password_b: &SecretString,
) -> Result<Vec<KeyRole>, Failure> {
    let mut renewed = Vec::new();
    let in_force = |role| welcome.keys.iter().rfind(|event| event.role == role).and_then(|event| event.key);
    let key_event =
        welcome.keys.iter().rfind(|event| event.role == KeyRole::Recovery).map(|event| event.entry);
    let key_event = key_event.ok_or_else(|| Failure::contradiction("the account has no recovery key"))?;
    for role in [KeyRole::Signature, KeyRole::Terminal] {
        let stated = in_force(role);
        let fits = keep.vault(move |vault| {
            if stated.is_some() && vault.waiting(role) == stated {
                vault.promote(role)?;
            }
            Ok::<_, vault::Error>(stated.is_some() && vault.in_use(role) == stated)
        });
        if fits.await?? {
            continue;
        }
        let now = line.now();
        let terminal_key = match (role, in_force(KeyRole::Terminal)) {
            (KeyRole::Signature, Some(key)) => key,
            _ => keep.terminal_key().verification_key(),
        };
        let changer = Changer { center: line.sheet.center, account: welcome.account, key_event, now };
        let (by, password) = (By::Phrase(copy_of(phrase)?), password_b.clone());
        let signed = keep.vault(move |vault| {
            if vault.waiting(role).is_some() {
                vault.drop_waiting(role)?;
            }
            if role == KeyRole::Terminal {
                if !fresh {
                    vault.prepare_terminal_key()?;
                }
                return sign::new_terminal_key(vault, &changer, &by, &password);
            }
            if !fresh {
                vault.prepare_signature_key(&password, None)?;
            }
            sign::new_signature_key(vault, &changer, terminal_key, &by, &password)
        });
        let (telegram, beside) = signed.await??;
        let parcel = keep.post(telegram, codec::encode(&beside), Purpose::KeyChange { role }).await?;
        let (telegram, _) = parcel.into_parts();
        let verdict = line.submit(telegram.clone(), beside, ANSWER_LIMIT).await?;
        line.check_verdict(&telegram, &verdict).map_err(Failure::contradiction)?;
        let refused = match &verdict {
            Verdict::Done { .. } => None,
            Verdict::Refused { reason, .. } => Some(reason.to_string()),
            Verdict::Void { .. } | Verdict::Expired => Some("it was never entered".to_owned()),
        };
        keep.close(telegram.id(), Ending::Verdict(verdict)).await?;
        if let Some(reason) = refused {
            return Err(Failure::refused(format!("the new {} was not entered: {reason}", role_words(role))));
        }
        renewed.push(role);
    }
    keep.refresh_terminal_key().await?;
    Ok(renewed)
}

/// Logs in with the terminal key, believes the chain as it stands now (whoever has the phrase answers for it), and gives
/// the name under which the directory lists the store.
async fn settle_in(
    keep: &Arc<Keep>,
    invitation: &Invitation,
    store: StoreNumber,
) -> Result<text::Line, Failure> {
    let (line, pushes) = terminal::connect(invitation, 0, CONNECT_LIMIT).await?;
    drop(pushes);
    let account = AccountNumber::Store(store);
    let welcome = line.login(account, &keep.terminal_key(), None, ANSWER_LIMIT).await?;
    let chain: Vec<KeyEvent> = welcome.keys.into_vec();
    keep.record(vec![Record::Chain(chain)]).await?;
    let after = store.0.checked_sub(1).map(StoreNumber);
    let page = line.directory(text::Line::default(), after, ANSWER_LIMIT).await;
    // A store that the directory does not list is one without a name until it is listed.
    let listed = page.ok().and_then(|page| page.stores.iter().find(|entry| entry.store == store).cloned());
    Ok(listed.map(|entry| entry.name).unwrap_or_default())
}

fn password_b(passwords: &Passwords) -> SecretString {
    match passwords {
        Passwords::Two { b, .. } | Passwords::One(b) => b.clone(),
    }
}

/// Another value of the same phrase, for a task that needs one of its own.
fn copy_of(phrase: &RecoveryPhrase) -> Result<RecoveryPhrase, Failure> {
    RecoveryPhrase::parse(&phrase.words().join(" ").into()).map_err(Failure::machine)
}

#[cfg(test)]
mod tests;
