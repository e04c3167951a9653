//! Whether the center's chain of keys is of this vault's making: looked at on every login.

use vault::outbox::Item;
use wire::{
    codec,
    id::EntryNumber,
    key::VerificationKey,
    message::Welcome,
    payload::{KeyChange, KeyEvent, KeyRole},
    text::Prose,
    time::Timestamp,
};

use super::{Center, newest};
use crate::{
    act::Failure,
    book::custody::Chain,
    keep::{Kept, role_name},
    record::{KeyAlarm, Record},
};

const ROLES: [KeyRole; 3] = [KeyRole::Signature, KeyRole::Terminal, KeyRole::Recovery];

impl Center {
    /// Compares the center's chain with the keys that this vault made. A key that it did not make is an alarm, and
    /// nothing is signed until it is acknowledged; where it is the one in force, nothing is signed at all. What comes
    /// back is the event that put the signature key in force.
    pub(super) async fn compare_keys(
        &self,
        welcome: &Welcome,
    ) -> Result<Result<EntryNumber, Failure>, Failure> {
        let welcome = welcome.clone();
        self.keep.with(move |kept| compare(kept, &welcome)).await
    }
}

fn compare(kept: &mut Kept, welcome: &Welcome) -> Result<Result<EntryNumber, Failure>, Failure> {
    settle_waiting(kept, welcome)?;
    remember(kept, welcome)?;
    let keys: Vec<VerificationKey> = ROLES
        .into_iter()
        .flat_map(|role| [kept.vault.in_use(role), kept.vault.waiting(role)])
        .flatten()
        .collect();
    let mut foreign = kept.book.custody.foreign(&welcome.keys, &keys).map(words);
    if foreign.is_none()
        && let Some(waiting) = welcome.waiting.filter(|waiting| !keys.contains(&waiting.key))
    {
        foreign = Some(format!(
            "since {} a new recovery key waits that this vault did not ask for; cancel it with your recovery phrase, and \
             call the center at once",
            waiting.change
        ));
    }
    if let Some(words) = foreign
        && !kept.book.custody.was_raised(&words)
    {
        let words = Prose::new(&words).unwrap_or_default();
        kept.append(Record::KeyAlarm(KeyAlarm {
            at: Timestamp::now(),
            words,
            evidence: codec::encode(welcome),
        }))?;
    }
    for role in [KeyRole::Signature, KeyRole::Terminal] {
        let Some(event) = newest(welcome, role) else {
            let words = "the center's list of your keys lacks one of them: call the center at once";
            kept.alarm(words, codec::encode(welcome))?;
            return Ok(Err(Failure::contradiction(words)));
        };
        if event.key != kept.vault.in_use(role) {
            let foreign = kept.book.custody.foreign(std::slice::from_ref(event), &keys).is_some();
            let why = if foreign { words(event) } else { out_of_force(event) };
            return Ok(Err(Failure::contradiction(why)));
        }
    }
    if let Some((_, alarm)) = kept.book.custody.unread() {
        return Ok(Err(Failure::contradiction(format!(
            "{}; nothing is signed before you have acknowledged it",
            alarm.words
        ))));
    }
    let event = newest(welcome, KeyRole::Signature).map(|event| event.entry);
    Ok(event.ok_or_else(|| Failure::contradiction("the center lists no signature key of yours")))
}

/// Takes in what a verified welcome says of the account: the chain of keys for this run; until when no money leaves it,
/// for good.
pub(crate) fn remember(kept: &mut Kept, welcome: &Welcome) -> Result<(), Failure> {
    kept.book.custody.chain = Some(Chain::of(welcome, Timestamp::now()));
    kept.touch();
    if kept.book.custody.held_as_said() == welcome.held {
        return Ok(());
    }
    kept.append(Record::Held(welcome.held))
}

/// What a key event of ours means that leaves this vault's key out of force: a revocation, or a key of a former copy.
fn out_of_force(event: &KeyEvent) -> String {
    let role = role_name(event.role);
    format!(
        "your {role} key is out of force since {}; the recovery phrase puts a new one in force (“keys rotate {role} \
         --phrase-file FILE”, or f on the page of keys)",
        event.entry
    )
}

/// What a key event that is not ours means.
fn words(event: &KeyEvent) -> String {
    let role = role_name(event.role);
    match event.key {
        Some(key) => format!(
            "the center says since {} that your {role} key is {}, which this vault did not make: if you did not change it \
             elsewhere, call the center at once",
            event.entry,
            key.fingerprint()
        ),
        None => format!(
            "the center says since {} that your {role} key is revoked, which this vault did not ask for: if you did not \
             do it elsewhere, call the center at once",
            event.entry
        ),
    }
}

/// Puts in force what waited and now stands in the chain, and drops what was never entered and never will be.
fn settle_waiting(kept: &mut Kept, welcome: &Welcome) -> Result<(), Failure> {
    for role in ROLES {
        let Some(key) = kept.vault.waiting(role) else { continue };
        let asked = |item: &Item| {
            item.telegram.peek::<KeyChange>().is_ok_and(|asked| asked.role == role && asked.key == Some(key))
        };
        if newest(welcome, role).is_some_and(|event| event.key == Some(key)) {
            kept.vault.promote(role)?;
            if role == KeyRole::Signature {
                kept.close_signing();
            }
        } else if welcome.waiting.is_some_and(|waiting| waiting.key == key)
            || kept.vault.outbox().open().any(asked)
        {
            // It waits at the center, or on its way there.
        } else {
            kept.vault.drop_waiting(role)?;
        }
    }
    Ok(())
}
