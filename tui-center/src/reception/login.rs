//! Who speaks: a terminal key signs what only the two ends of this connection know.

use wire::{
    bounded::List,
    checkpoint::SignedCheckpoint,
    id::AccountNumber,
    key::{Signature, VerificationKey},
    message::{Problem, ProblemKind, WaitingKey, Welcome, login_message},
    payload::{ChainHead, KeyRole, chain_hash},
    telegram::Telegram,
    time::Timestamp,
};

use crate::{
    backup::stopped::{Stopped, Why},
    books::Presented,
    center::Center,
    errors::{Room, Weight},
    voice::Speaking,
};

/// Whether the signature is the account's terminal key's, over this very connection.
///
/// An unknown account and a wrong key are told apart by nobody.
pub(super) fn believe(
    center: &Center,
    account: AccountNumber,
    exporter: &[u8; 32],
    signature: &Signature,
) -> Result<VerificationKey, Problem> {
    let words = "the center knows no such account with this terminal key";
    let wrong = || Problem::new(ProblemKind::NotAuthentic, words);
    let (key, _) = center.desk().state().key(account, KeyRole::Terminal).ok_or_else(wrong)?;
    let message = login_message(&center.settings().center, account, exporter);
    key.verify(&message, signature).map_err(|_| wrong())?;
    Ok(key)
}

/// Compares the newest checkpoint that a terminal keeps with the journal. One that bears the center's signature and
/// that the tree lacks means that the books were cut or forked: payments stop.
pub(super) fn compare(
    center: &Center,
    speaking: &Speaking,
    account: AccountNumber,
    kept: Option<&SignedCheckpoint>,
) -> Result<(), Problem> {
    let Some(kept) = kept else { return Ok(()) };
    let size = kept.claimed().size;
    let Ok(key) = speaking.key_sheet().signer_of(kept.claimed()) else { return Ok(()) };
    match center.desk().reader().presented(kept, &key) {
        Presented::Contained | Presented::NotOurs | Presented::Lost => Ok(()),
        Presented::Contradicts if kept.claimed().origin != speaking.key_sheet().log_origin => {
            // The root key has said what the log goes on from; this terminal can't follow it.
            let words = format!(
                "{account} presents a checkpoint over {size} entries that this center signed before it was resumed, \
                 and that is not of the entries which it went on from."
            );
            center.errors().tell(Room::Books, Weight::Alarm, words);
            let told = "the center has signed another journal than the one that it goes on from; ask its help contact";
            Err(Problem::new(ProblemKind::Fork, told))
        }
        Presented::Contradicts => {
            let words = format!(
                "{account} presents a checkpoint over {size} entries that this center signed and its journal lacks: \
                 the journal was cut or forked. Restore the books before anything else is entered"
            );
            center.errors().tell(Room::Books, Weight::Alarm, format!("{words}."));
            center.hold(Stopped {
                why: Why::Forked,
                words: format!("{words}, or resume the center from what it has: tui-center resume"),
                at: Timestamp::now(),
                size: center.desk().reader().size(),
                note: Some(kept.note().to_owned()),
            });
            let told = "the center has signed another journal than the one it shows; payments are stopped, ask its help contact";
            Err(Problem::new(ProblemKind::Fork, told))
        }
    }
}

/// What a terminal learns when it has logged in: the newest checkpoint, its keys as the center states them, and what
/// waits for it.
pub(super) fn welcome(
    center: &Center,
    speaking: &Speaking,
    account: AccountNumber,
    mail: u64,
) -> Result<Welcome, Problem> {
    let none = |words: &str| Problem::new(ProblemKind::NotFound, words);
    let (checkpoint, keys, held, waiting) = {
        // While the books are read nothing is published, so that the chain is no older than the checkpoint beside it.
        let state = center.desk().state();
        let checkpoint = center.desk().reader().checkpoint();
        let holder =
            state.holder(account).ok_or_else(|| none("the account is not in the registers any more"))?;
        let keys = List::new(holder.chain.clone())
            .map_err(|_| none("the account has had too many keys to list; ask the center"))?;
        let waiting =
            holder.waiting_key.map(|it| WaitingKey { change: it.change, key: it.key, from: it.from });
        (checkpoint, keys, holder.held(Timestamp::now()), waiting)
    };
    let head = ChainHead {
        center: center.settings().center,
        account,
        head: chain_hash(account, &keys),
        size: checkpoint.claimed().size,
        root: checkpoint.claimed().root,
    };
    let head = Telegram::sign_as_key(&head, &speaking.roles().statement);
    let open = center.desk().standing().borrow().is_open();
    let kit = center.kit().map_or(0, |(kit, _)| kit.number);
    let copy = center.cabinet().copies().view(account).unwrap_or_else(|error| {
        let words = format!("The deposited copy of {account}'s vault is lost: {error}.");
        center.errors().tell(Room::Books, Weight::Alarm, words);
        None
    });
    Ok(Welcome { account, checkpoint, keys, head, mail, open, held, waiting, kit, copy })
}
