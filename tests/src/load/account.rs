//! After a run: what was answered as settled, against the center's books.

use std::{collections::HashMap, path::Path};

use color_eyre::eyre::{Result, bail, ensure};
use ledger::Request;
use secrecy::SecretString;
use tui_center::{books::Books, center::Custody, places::Places};
use tui_kit::profile::Profile;
use wire::id::{EntryNumber, Role, TelegramId};

use super::{
    cast::{self, PASSPHRASE},
    line::Target,
};

/// Records that are read at once.
const PAGE: usize = 512;

/// What the books of a stopped center say of payments that were answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accounts {
    /// Payments in the books since the run began.
    pub entered: u64,
    /// Answered as settled and in the books exactly once.
    pub settled: u64,
    /// In the books and never answered: the connection or the run ended before.
    pub unanswered: u64,
}

/// How many entries a running center's books have, by its own newest checkpoint.
///
/// # Errors
/// When it does not welcome a member.
pub async fn entries(target: &Target) -> Result<u64> {
    let member = cast::account(Role::Member, 0);
    let (_, welcome) = target.login(member, &cast::terminal_key(member), 0).await?;
    Ok(welcome.checkpoint.claimed().size)
}

/// Opens the books of a center that has ended and looks for every payment that was answered as settled, among the entries
/// from `first` on.
///
/// # Errors
/// When one is missing or there twice, and when the books don't open.
pub fn reconcile(profile: &Path, first: u64, settled: &[TelegramId]) -> Result<Accounts> {
    let located = Profile::locate("tui-center", profile.to_str())?;
    let custody = Custody::open(&located, &SecretString::from(PASSPHRASE))?;
    let books = Books::open(Places::of(&located).books.as_path(), custody.checkpoint_key(), |_| {})?;
    let reader = books.reader();
    let mut found: HashMap<TelegramId, u32> = HashMap::with_capacity(settled.len());
    let mut at = first;
    while at < reader.size() {
        let records = reader.range(EntryNumber(at), PAGE)?;
        ensure!(!records.is_empty(), "the books end at entry {at}, before their size");
        at += records.len() as u64;
        for record in records {
            if let (Request::Pay(payment), None) = (&record.entry.request, record.entry.refusal()) {
                *found.entry(payment.telegram).or_default() += 1;
            }
        }
    }
    books.close()?;
    if let Some((telegram, times)) = found.iter().find(|(_, times)| **times > 1) {
        bail!("the payment {telegram} is in the books {times} times");
    }
    let missing = settled.iter().filter(|telegram| !found.contains_key(*telegram)).count();
    ensure!(
        missing == 0,
        "{missing} of {} payments that were answered as settled are not in the books",
        settled.len()
    );
    let (entered, settled) = (found.len() as u64, settled.len() as u64);
    Ok(Accounts { entered, settled, unanswered: entered - settled })
}
