//! An auditor's look: a journal and public keys, and nothing else. No books, no network, no passphrase.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ledger::{Account, request::Settings};
use serde::Serialize;
use wire::{id::Digest, key::VerificationKey, receipt::Check};

use super::{
    BooksError,
    disk::RealDisk,
    keyring::Keyring,
    registers::DayTotal,
    shelf::Shelf,
    verify::{self, Against, Counts, Respect, Spot, Trouble, Trust, Watch, Where},
};

/// What an audit found.
#[derive(Debug)]
pub struct Audit {
    /// The root key by which everything was believed.
    pub root_key: VerificationKey,
    /// One for each thing that was looked at.
    pub checks: Vec<Check>,
    /// What stands first of all that does not hold.
    pub first: Option<Trouble>,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// How much was looked at.
    pub counts: Counts,
    /// The root of the tree over all entries.
    pub root: Digest,
    /// The center's settings, if its founding holds.
    pub settings: Option<Settings>,
    /// The trial balance: as far as the entries hold.
    pub balances: Vec<BalanceRow>,
    /// What was booked on each business day, by day and kind.
    pub days: Vec<DayTotal>,
}

/// A line of the trial balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BalanceRow {
    /// Which account, or which kind of them.
    pub account: String,
    /// How many accounts of the kind were ever posted to.
    pub accounts: u64,
    /// Debits less credits of those where the debits are more, in minor units.
    pub debit: i128,
    /// Credits less debits of the others, in minor units.
    pub credit: i128,
}

impl Audit {
    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        !self.cancelled && self.first.is_none() && self.checks.iter().all(|check| check.outcome.is_ok())
    }
}

/// Audits the journal in a folder: its segments, or books with their journal inside.
///
/// # Errors
/// When there is no journal. Everything else that is wrong with one is what the audit finds.
pub fn audit(dir: &Path, keys: &Keyring, watch: &Watch) -> Result<Audit, BooksError> {
    let place = found(dir)?;
    let against = Against { trust: Trust::Ring(keys), own: None };
    let mut report = verify::look(&place, &against, watch);
    if !report.cancelled
        && let Err(words) = given(keys, report.sheets.as_ref())
    {
        wrong_sheets(&mut report.checks, &words);
        let trouble = Trouble { respect: Respect::KeySheets, spot: None::<Spot>, words };
        report.first.get_or_insert(trouble);
    }
    let counts = report.counts();
    Ok(Audit {
        root_key: *keys.root(),
        checks: report.checks,
        first: report.first,
        cancelled: report.cancelled,
        counts,
        root: report.root,
        settings: report.state.settings().cloned(),
        balances: balances(report.state.balances()),
        days: report.days,
    })
}

fn found(dir: &Path) -> Result<Where, BooksError> {
    let disk = RealDisk::shared();
    let inside: PathBuf = dir.join("journal");
    if inside.is_dir() {
        return Ok(Where::books(&Shelf::on(disk, dir)));
    }
    let segments =
        disk.names(dir).map_err(BooksError::io(format!("reading the folder {}", dir.display())))?;
    if segments.iter().any(|name| name.ends_with(".seg")) {
        return Ok(Where::journal(disk, dir));
    }
    Err(BooksError::NoJournal(dir.to_owned()))
}

/// Whether the sheets that the auditor was given are those of the journal.
fn given(keys: &Keyring, journal: Option<&verify::sheets::Sheets>) -> Result<(), String> {
    for (sheet, telegram) in keys.sheets() {
        let number = sheet.number;
        let mut entered = journal.into_iter().flat_map(verify::sheets::Sheets::all);
        match entered.find(|(entered, _)| *entered == number) {
            Some((_, entered)) if entered.digest() == telegram.digest() => {}
            Some(_) => {
                return Err(format!("key sheet {number} in the journal is another than the one given"));
            }
            None => {
                return Err(format!(
                    "the journal has no key sheet {number}, which was given: it ends too early"
                ));
            }
        }
    }
    Ok(())
}

fn wrong_sheets(checks: &mut [Check], words: &str) {
    for check in checks.iter_mut().filter(|check| check.name == Respect::KeySheets.name()) {
        if check.outcome.is_ok() {
            check.outcome = Err(words.to_owned());
        }
    }
}

fn balances(accounts: impl Iterator<Item = (Account, i128)>) -> Vec<BalanceRow> {
    let mut rows: BTreeMap<(u8, String), BalanceRow> = BTreeMap::new();
    for (account, balance) in accounts {
        let (order, name) = match account {
            Account::Bank | Account::Cash | Account::CreditCompany => (0, account.to_string()),
            Account::Receivable(_) => (1, "receivable from members and stores".into()),
            Account::Card(_) => (2, "cards".into()),
            Account::Payable(_) => (3, "payable to stores".into()),
            other => (4, other.to_string()),
        };
        let fresh = || BalanceRow { account: name.clone(), accounts: 0, debit: 0, credit: 0 };
        let row = rows.entry((order, name.clone())).or_insert_with(fresh);
        row.accounts += 1;
        if balance >= 0 { row.debit += balance } else { row.credit -= balance }
    }
    rows.into_values().collect()
}

#[cfg(test)]
mod tests;
