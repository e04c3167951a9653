//! The directory: which stores there are, under which keys, and where they listen.

use wire::{
    bounded::List,
    codec,
    id::{AccountNumber, StoreNumber},
    key::VerificationKey,
    limits,
    message::{Problem, ProblemKind},
    payload::{DirectoryEntry, DirectoryPage, KeyRole},
    telegram::Telegram,
    text::Line,
    time::Timestamp,
};

use crate::{books::cabinet::Certificate, center::Center};

/// What a page's entries may take, so that the signed page stays below the limit of a telegram.
const PAGE_BYTES: usize = limits::TELEGRAM - 1024;
/// How many stores are looked at for one page, found or not.
const EXAMINED: usize = 100_000;

/// A signed page of stores whose name holds `query`, ascending after a number. Frozen stores are not listed.
pub(super) fn page(center: &Center, query: &Line, after: Option<StoreNumber>) -> Result<Telegram, Problem> {
    let query = query.to_lowercase();
    let found: Vec<_> = {
        let state = center.desk().state();
        state
            .stores_after(after)
            .take(EXAMINED)
            .filter(|(_, holder)| !holder.frozen)
            .filter_map(|(store, holder)| {
                let name = Line::new(holder.trade_name.as_deref()?).ok()?;
                name.to_lowercase().contains(&query).then_some(())?;
                let (key, _) = state.key(AccountNumber::Store(store), KeyRole::Signature)?;
                let (terminal, _) = state.key(AccountNumber::Store(store), KeyRole::Terminal)?;
                Some((store, name, key, terminal))
            })
            .take(limits::PAGE + 1)
            .collect()
    };
    let mut stores = Vec::new();
    let (mut bytes, mut more) = (0, false);
    for (store, name, verification_key, terminal) in found {
        // A store whose certificate is lost can't be pinned, and is not shown.
        let Some(certificate) = certificate(center, terminal, verification_key) else { continue };
        let addresses = center.presence().addresses(store);
        let entry = DirectoryEntry { store, name, verification_key, certificate, addresses };
        let size = codec::encode(&entry).len();
        if stores.len() == limits::PAGE || bytes + size > PAGE_BYTES {
            more = true;
            break;
        }
        bytes += size;
        stores.push(entry);
    }
    let stores = List::new(stores).map_err(|error| Problem::new(ProblemKind::Busy, error))?;
    let page = DirectoryPage { center: center.settings().center, at: Timestamp::now(), stores, more };
    Ok(Telegram::sign_as_key(&page, &center.speaking().roles().directory))
}

/// The certificate of the terminal key in force under the signature key in force: what the last change of either brought,
/// else that of the registration.
fn certificate(center: &Center, terminal: VerificationKey, signature: VerificationKey) -> Option<Telegram> {
    let kept = |which| center.cabinet().certificate(which).ok().flatten();
    kept(Certificate::Changed { terminal, signature }).or_else(|| kept(Certificate::Terminal(terminal)))
}
