//! What the desk and terminals answer about money.

use ledger::Account;
use tui_center::{
    acts::{Act, Outcome},
    inquiry::view::DeskRow,
    serve::Server,
};
use wire::{
    id::EntryNumber,
    message::{Effect, Refusal, Verdict},
};

use super::act;

/// The bank desk.
pub async fn desk(server: &Server) -> Vec<DeskRow> {
    match act(server, Act::Desk).await.unwrap() {
        Outcome::Desk { desk } => desk,
        other => panic!("{other:?}"),
    }
}

pub fn paid(verdict: &Verdict) -> (EntryNumber, u64) {
    match verdict {
        Verdict::Done { effect: Effect::Paid { balance }, receipt } => (receipt.leaf.entry, balance.minor()),
        other => panic!("{other:?}"),
    }
}

pub fn refused(verdict: &Verdict) -> &Refusal {
    match verdict {
        Verdict::Refused { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

pub fn balance(server: &Server, account: Account) -> i128 {
    server.center().desk().state().balance(account)
}
