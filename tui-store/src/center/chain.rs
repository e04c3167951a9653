//! The store's own chain of keys, checked at every login.
//!
//! What the center states is signed by it and complete. Every event in it must be this terminal's own making, or one that
//! the owner has acknowledged, or older than the registration of a terminal that replaces a lost one; anything else is an
//! alarm, and nothing is sent before it is acknowledged.

use std::{collections::BTreeSet, sync::Arc};

use vault::State;
use wire::{
    id::EntryNumber,
    key::VerificationKey,
    message::{WaitingKey, Welcome},
    payload::{KeyChange, KeyEvent, KeyRole, Registration},
    telegram::{Kind, Telegram},
    time::Timestamp,
};

use crate::{
    act::Failure,
    book::role_words,
    keep::Keep,
    record::{self, Ending, Record, Strange},
};

/// Turns the vault's waiting keys as the chain says, keeps the chain, and raises the alarm where it is not our making.
///
/// # Errors
/// In words, with the kind of a contradiction: nothing may be sent then.
pub(super) async fn check(keep: &Arc<Keep>, welcome: &Welcome) -> Result<(), Failure> {
    let chain: Vec<KeyEvent> = welcome.keys.clone().into_vec();
    turn_keys(keep, &chain, welcome.waiting.as_ref()).await?;
    let own = own_making(keep).await?;
    let (known, waiting_alarm) = {
        let book = keep.book();
        (book.custody.chain.clone(), book.custody.strange.clone())
    };
    if !chain.starts_with(&known) {
        return Err(alarmed(keep, welcome, chain, waiting_alarm.as_ref()).await?);
    }
    let strange = chain[known.len()..].iter().any(|event| !own.made(event));
    if strange {
        return Err(alarmed(keep, welcome, chain, waiting_alarm.as_ref()).await?);
    }
    if known != chain {
        keep.record(vec![Record::Chain(chain.clone())]).await?;
    }
    for role in [KeyRole::Signature, KeyRole::Terminal] {
        let stated = chain.iter().rfind(|event| event.role == role).and_then(|event| event.key);
        if stated.is_none() || stated != own.in_use(role) {
            return Err(Failure::contradiction(format!(
                "the {} in this vault is not the one in force at the center; bring the store back with the recovery \
                 phrase (recovery restore), or ask the center",
                role_words(role)
            )));
        }
    }
    Ok(())
}

/// The words of a chain that is not only this terminal's making.
pub(crate) fn words(chain: &[KeyEvent], known: &[KeyEvent]) -> String {
    let new = if chain.starts_with(known) { &chain[known.len()..] } else { chain };
    let events: Vec<String> = new
        .iter()
        .map(|event| match &event.key {
            Some(key) => format!("{}: {} {}", event.entry, role_words(event.role), key.fingerprint()),
            None => format!("{}: the {} was revoked", event.entry, role_words(event.role)),
        })
        .collect();
    format!(
        "The center's signed statement of this store's keys has what this terminal did not make: {}. Nothing is sent to \
         the center before this is acknowledged.",
        events.join("; ")
    )
}

/// What this terminal has made.
struct Own {
    keys: BTreeSet<VerificationKey>,
    revoked: Vec<KeyRole>,
    /// The entry of this terminal's registration. What is older is of the terminal that it replaces.
    registered: Option<EntryNumber>,
    in_use: [Option<VerificationKey>; 2],
}

impl Own {
    fn made(&self, event: &KeyEvent) -> bool {
        if self.registered.is_some_and(|registered| event.entry < registered) {
            return true;
        }
        match &event.key {
            Some(key) => self.keys.contains(key),
            None => self.revoked.contains(&event.role),
        }
    }

    fn in_use(&self, role: KeyRole) -> Option<VerificationKey> {
        match role {
            KeyRole::Signature => self.in_use[0],
            KeyRole::Terminal => self.in_use[1],
            KeyRole::Recovery => None,
        }
    }
}

/// All keys that are in the vault or were named in telegrams of its outbox, and the roles that were revoked from here.
async fn own_making(keep: &Arc<Keep>) -> Result<Own, Failure> {
    keep.vault(|vault| {
        let roles = [KeyRole::Signature, KeyRole::Terminal, KeyRole::Recovery];
        let mut keys: BTreeSet<VerificationKey> =
            roles.iter().flat_map(|role| [vault.in_use(*role), vault.waiting(*role)]).flatten().collect();
        let (mut revoked, mut registered) = (Vec::new(), None);
        for item in vault.outbox().items() {
            name_keys(&item.telegram, &mut keys, &mut revoked);
            if let State::Closed { outcome, .. } = &item.state
                && let Ok(Ending::Registered { entry, .. }) = record::value("outcome", outcome)
            {
                registered = Some(entry);
            }
        }
        let in_use = [vault.in_use(KeyRole::Signature), vault.in_use(KeyRole::Terminal)];
        Own { keys, revoked, registered, in_use }
    })
    .await
}

fn name_keys(telegram: &Telegram, keys: &mut BTreeSet<VerificationKey>, revoked: &mut Vec<KeyRole>) {
    match telegram.kind {
        Kind::Registration => {
            if let Ok(registration) = telegram.peek::<Registration>() {
                keys.extend([registration.verification_key, registration.terminal_key]);
                keys.extend(registration.recovery_key);
            }
        }
        Kind::KeyChange => {
            if let Ok(change) = telegram.peek::<KeyChange>() {
                match change.key {
                    Some(key) => drop(keys.insert(key)),
                    None => revoked.push(change.role),
                }
            }
        }
        _ => {}
    }
}

/// A key that waits in the vault and stands in the chain is in force: the answer was lost, or 72 hours are over. A
/// recovery key that neither waits at the center nor stands in the chain was cancelled.
async fn turn_keys(
    keep: &Arc<Keep>,
    chain: &[KeyEvent],
    waiting: Option<&WaitingKey>,
) -> Result<(), Failure> {
    let in_force = |role| chain.iter().rfind(|event| event.role == role).and_then(|event| event.key);
    let [signature, terminal, recovery] =
        [KeyRole::Signature, KeyRole::Terminal, KeyRole::Recovery].map(in_force);
    let still_waits = waiting.map(|waiting| waiting.key);
    let turned = keep.vault(move |vault| {
        let mut turned = false;
        let stated =
            [(KeyRole::Signature, signature), (KeyRole::Terminal, terminal), (KeyRole::Recovery, recovery)];
        for (role, stated) in stated {
            let Some(waits) = vault.waiting(role) else { continue };
            if stated == Some(waits) {
                vault.promote(role)?;
                turned = true;
            } else if role == KeyRole::Recovery && still_waits != Some(waits) && !is_asked_for(vault, &waits)
            {
                vault.drop_waiting(role)?;
            }
        }
        Ok::<_, vault::Error>(turned)
    });
    if turned.await?? { keep.refresh_terminal_key().await } else { Ok(()) }
}

/// Whether a telegram that still waits asks for a key.
fn is_asked_for(vault: &vault::Vault, key: &VerificationKey) -> bool {
    vault.outbox().open().any(|item| {
        item.telegram.kind == Kind::KeyChange
            && item.telegram.peek::<KeyChange>().is_ok_and(|change| change.key == Some(*key))
    })
}

/// Keeps the alarm, once, and gives its words.
async fn alarmed(
    keep: &Arc<Keep>,
    welcome: &Welcome,
    chain: Vec<KeyEvent>,
    before: Option<&Strange>,
) -> Result<Failure, Failure> {
    let words = words(&chain, &keep.book().custody.chain);
    if before.is_none_or(|before| before.chain != chain) {
        tracing::error!("{words}");
        let strange = Strange { at: Timestamp::now(), chain, head: welcome.head.clone() };
        keep.record(vec![Record::Strange(strange)]).await?;
    }
    Ok(Failure::contradiction(words))
}

#[cfg(test)]
mod tests {
    use wire::key::SigningKey;

    use super::*;
    use crate::{act::FailureKind, center::Center, testing::Shop};

    #[tokio::test]
    async fn what_was_before_a_replacement_is_no_alarm_and_what_comes_after_it_is() {
        let shop = Shop::joined().await;
        let key = || Some(SigningKey::generate().verification_key());
        shop.center.had(KeyEvent { entry: EntryNumber(0), role: KeyRole::Recovery, key: key() });
        let center = Center::new(shop.keep.clone());
        center.line().await.unwrap();
        assert_eq!(shop.keep.book().custody.chain.len(), 3, "the lost terminal's keys are its past");

        shop.center.slip_in(KeyRole::Recovery, key());
        center.renew().await;
        let alarm = center.line().await.unwrap_err();
        assert_eq!(alarm.kind, FailureKind::Contradiction);
        assert!(alarm.message.contains("did not make"), "{alarm}");
    }
}
