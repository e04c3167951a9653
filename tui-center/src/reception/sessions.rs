//! Who is connected, as which account, by which key: a session ends when its key is not in force any more.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ledger::{Request, State};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use wire::{id::AccountNumber, key::VerificationKey, payload::KeyRole};

use crate::settlement::Desk;

/// The sessions that speak for an account. Clones share the list.
#[derive(Clone, Default)]
pub struct Sessions {
    open: Arc<Mutex<HashMap<AccountNumber, Vec<Open>>>>,
}

struct Open {
    number: u64,
    role: KeyRole,
    key: VerificationKey,
    end: CancellationToken,
}

impl Sessions {
    /// A session speaks for an account from now on, believed by a key in a role. `end` is cancelled when that key is not
    /// in force any more; the caller sweeps afterwards, for the key may just have changed.
    pub(super) fn enter(
        &self,
        account: AccountNumber,
        number: u64,
        (role, key): (KeyRole, VerificationKey),
        end: CancellationToken,
    ) {
        self.lock().entry(account).or_default().push(Open { number, role, key, end });
    }

    /// A session has ended.
    pub(super) fn leave(&self, account: AccountNumber, number: u64) {
        let mut open = self.lock();
        if let Some(sessions) = open.get_mut(&account) {
            sessions.retain(|session| session.number != number);
            if sessions.is_empty() {
                open.remove(&account);
            }
        }
    }

    /// Ends the sessions of an account, or of all, whose key is not in force any more.
    pub(super) fn sweep(&self, state: &State, account: Option<AccountNumber>) {
        for (of, sessions) in &*self.lock() {
            if account.is_some_and(|account| account != *of) {
                continue;
            }
            for session in sessions {
                if state.key(*of, session.role).is_none_or(|(key, _)| key != session.key) {
                    session.end.cancel();
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountNumber, Vec<Open>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends sessions as keys change, until the center stops.
pub(crate) async fn watch(sessions: Sessions, desk: Desk, stop: CancellationToken) {
    let mut entries = desk.subscribe();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            entered = entries.recv_batch() => match entered {
                Ok(records) => {
                    for record in records.iter().filter(|record| record.entry.refusal().is_none()) {
                        if let Some(account) = changes_keys(&record.entry.request.effective()) {
                            sessions.sweep(&desk.state(), Some(account));
                        }
                    }
                }
                Err(RecvError::Lagged(_)) => sessions.sweep(&desk.state(), None),
                Err(RecvError::Closed) => return,
            },
        }
    }
}

fn changes_keys(request: &Request) -> Option<AccountNumber> {
    match request {
        Request::ChangeKey(it) => Some(it.account),
        Request::Register(it) => Some(it.account),
        Request::KeyInForce { account, .. } | Request::Revoke { account, .. } => Some(*account),
        _ => None,
    }
}
