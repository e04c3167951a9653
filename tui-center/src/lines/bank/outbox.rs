//! The folder where orders for the bank are put.
//!
//! The exact bytes lie in the cabinet before the file is written, and the file appears whole or not at all. While the
//! bank has not answered, a file that is missing from the folder is written again after a restart: the same bytes
//! under the same message id, which a bank executes once. When the bank has answered the bytes are destroyed.

use std::{collections::BTreeSet, fs, io, io::Write as _, path::Path};

use ledger::{
    entry::Purpose,
    state::{Payout, PayoutState},
};
use wire::{
    id::{AccountNumber, EntryNumber},
    message::{BankAccount, field},
};

use super::{
    account,
    order::{self, Order},
};
use crate::{center::Center, inquiry};

/// Puts out the orders of all transfers that are in transit and not in `out`, which holds those put out since the
/// start. Gives the transfers for which that failed, with the reason.
pub(super) fn put_out(center: &Center, out: &mut BTreeSet<EntryNumber>) -> Vec<(EntryNumber, String)> {
    let due: Vec<(EntryNumber, Payout)> = {
        let state = center.desk().state();
        let in_transit = state.payouts().filter(|(_, payout)| payout.state == PayoutState::InTransit);
        in_transit
            .filter(|(number, _)| !out.contains(number))
            .map(|(number, payout)| (number, payout.clone()))
            .collect()
    };
    let mut failed = Vec::new();
    for (number, payout) in due {
        match put(center, number, &payout) {
            Ok(()) => {
                out.insert(number);
            }
            Err(why) => failed.push((number, why)),
        }
    }
    forget(center, out);
    failed
}

fn put(center: &Center, number: EntryNumber, payout: &Payout) -> Result<(), String> {
    let name = order::file_name(number);
    let words = |error: crate::books::BooksError| error.to_string();
    let bytes = match center.cabinet().outward(&name).map_err(words)? {
        Some(kept) => kept.to_vec(),
        None => {
            let bytes = make(center, number, payout)?.bytes();
            tui_kit::failpoint::at("bank.keep");
            center.cabinet().put_outward(&name, &bytes).map_err(words)?;
            tui_kit::failpoint::at("bank.kept");
            bytes
        }
    };
    let folder = &center.config().bank.outbox;
    write(folder, &name, &bytes).map_err(|error| format!("{}: {error}", folder.display()))
}

fn make(center: &Center, number: EntryNumber, payout: &Payout) -> Result<Order, String> {
    let (to, words) = match payout.purpose {
        Purpose::Claim(claim) => {
            let store = center.desk().state().claim(claim).map(|claim| claim.store);
            let store = store.ok_or_else(|| format!("{claim} is no claim"))?;
            (
                store_account(center, AccountNumber::Store(store))?,
                format!("{} claim {claim}", center.settings().name),
            )
        }
        Purpose::Return(receipt) => {
            (payer_account(center, receipt)?, format!("{} return of {receipt}", center.settings().name))
        }
    };
    Ok(Order {
        center: center.settings().center,
        entry: number,
        at: payout.at,
        amount: payout.amount,
        currency: center.settings().currency,
        from: center.bank_account().clone(),
        to,
        words,
    })
}

fn store_account(center: &Center, store: AccountNumber) -> Result<BankAccount, String> {
    let particulars =
        center.particulars(store).ok_or_else(|| format!("the particulars of {store} cannot be read"))?;
    let field = |key| particulars.field(key);
    account::parse(field(field::ACCOUNT_HOLDER), field(field::BANK_ACCOUNT), field(field::BIC))
        .map_err(|why| format!("the bank account of {store}: {why}"))
}

fn payer_account(center: &Center, receipt: EntryNumber) -> Result<BankAccount, String> {
    let kept = center.desk().state().receipt(receipt).cloned();
    let kept = kept.ok_or_else(|| format!("{receipt} is no bank receipt"))?;
    let party = inquiry::desk::payer(center, &kept).ok_or("the bank's words on who paid are gone")?;
    account::parse(&party.name, &party.account, &party.bic)
        .map_err(|why| format!("the payer's account: {why}"))
}

/// Destroys the bytes of transfers that the bank has answered.
fn forget(center: &Center, out: &mut BTreeSet<EntryNumber>) {
    let Ok(names) = center.cabinet().outward_names() else { return };
    for name in names {
        let number = name.strip_prefix("pain001-").and_then(|rest| rest.strip_suffix(".xml"));
        let Some(number) = number.and_then(|number| number.parse::<EntryNumber>().ok()) else { continue };
        let state = center.desk().state().payout(number).map(|payout| payout.state);
        if matches!(state, Some(PayoutState::Paid { .. } | PayoutState::Failed { .. })) {
            tui_kit::failpoint::at("bank.destroy");
            out.remove(&number);
            if let Err(error) = center.cabinet().confirm_outward(&name) {
                tracing::warn!("{name} was answered and could not be destroyed: {error}");
            }
        }
    }
}

/// A file that is there already was written whole before.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = folder.join(name);
    if path.exists() {
        return Ok(());
    }
    let draft = folder.join(format!(".{name}.part"));
    let mut file = fs::File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    tui_kit::failpoint::at("bank.name");
    fs::rename(&draft, &path)?;
    tui_kit::failpoint::at("bank.named");
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_appear_whole_and_once() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a.xml", b"one").unwrap();
        write(dir.path(), "a.xml", b"two").unwrap();
        assert_eq!(fs::read(dir.path().join("a.xml")).unwrap(), b"one");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
