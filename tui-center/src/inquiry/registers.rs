//! The member, store and key registers.

use ledger::state::Holder;
use wire::{
    id::AccountNumber,
    message::{Particulars, field},
};

use super::view::{KeyRow, MemberRow, StoreRow};
use crate::center::Center;

/// How many holders are looked at for one answer. Names are sealed one by one, so that a search opens each.
const EXAMINED: usize = 20_000;

/// Members whose number, name, e-mail address or telephone number holds `query`, the newest first.
pub fn members(center: &Center, query: &str, most: usize) -> Vec<MemberRow> {
    let query = query.trim().to_lowercase();
    let mut rows = Vec::new();
    for (account, holder) in newest(center, |account| matches!(account, AccountNumber::Member(_))) {
        let AccountNumber::Member(member) = account else { continue };
        let particulars = center.particulars(account);
        let shown = |key| filled(particulars.as_ref(), key);
        let (name, email, phone) = (shown(field::NAME), shown(field::EMAIL), shown(field::PHONE));
        if !holds(&query, &[&member.to_string(), &name, &email, &phone]) {
            continue;
        }
        let balance = {
            let state = center.desk().state();
            state.cards_of(member).map(|(_, card)| i128::from(card.balance.minor())).sum()
        };
        rows.push(MemberRow {
            member,
            name,
            email,
            phone,
            cards: holder.cards.len() as u64,
            balance: center.local().sum(balance),
            registered: center.local().moment(holder.registered),
            frozen: holder.frozen,
        });
        if rows.len() == most {
            break;
        }
    }
    rows
}

/// Stores whose number, name, contact or e-mail address holds `query`, the newest first.
pub fn stores(center: &Center, query: &str, most: usize) -> Vec<StoreRow> {
    let query = query.trim().to_lowercase();
    let mut rows = Vec::new();
    for (account, holder) in newest(center, |account| matches!(account, AccountNumber::Store(_))) {
        let AccountNumber::Store(store) = account else { continue };
        let name = holder.trade_name.clone().unwrap_or_default();
        let particulars = center.particulars(account);
        let shown = |key| filled(particulars.as_ref(), key);
        let (contact, email) = (shown(field::CONTACT), shown(field::EMAIL));
        if !holds(&query, &[&store.to_string(), &name, &contact, &email]) {
            continue;
        }
        let owed = center.desk().state().payable(store);
        rows.push(StoreRow {
            store,
            name,
            contact,
            email,
            owed: center.local().money(owed),
            here: !center.presence().addresses(store).is_empty(),
            registered: center.local().moment(holder.registered),
            frozen: holder.frozen,
        });
        if rows.len() == most {
            break;
        }
    }
    rows
}

/// Key events whose account, key or fingerprint holds `query`, the newest first.
pub fn keys(center: &Center, query: &str, most: usize) -> Vec<KeyRow> {
    let query = query.trim().to_lowercase();
    let state = center.desk().state();
    let mut rows = Vec::new();
    for (account, holder) in state.holders() {
        for event in &holder.chain {
            let key = event.key.map(|key| key.to_string()).unwrap_or_default();
            let fingerprint = event.key.map(|key| key.fingerprint()).unwrap_or_default();
            if !holds(&query, &[&account.to_string(), &key, &fingerprint, &event.entry.to_string()]) {
                continue;
            }
            let in_force = event.key.is_some() && holder.key(event.role) == event.key.map(|key| (key, event.entry));
            rows.push(KeyRow { account, role: event.role, key, fingerprint, entry: event.entry, in_force });
        }
    }
    rows.sort_by(|a, b| b.entry.cmp(&a.entry).then(a.role.cmp(&b.role)));
    rows.truncate(most);
    rows
}

/// What was filled in for a key; empty when the particulars are gone.
pub(super) fn filled(particulars: Option<&Particulars>, key: &str) -> String {
    particulars.map(|particulars| particulars.field(key).to_owned()).unwrap_or_default()
}

fn newest(center: &Center, wanted: impl Fn(AccountNumber) -> bool) -> Vec<(AccountNumber, Holder)> {
    let state = center.desk().state();
    let mut found: Vec<(AccountNumber, Holder)> =
        state.holders().filter(|(account, _)| wanted(*account)).map(|(account, holder)| (account, holder.clone())).collect();
    found.reverse();
    found.truncate(EXAMINED);
    found
}

/// Every word of a search must occur in one of the texts.
pub(super) fn holds(query: &str, texts: &[&str]) -> bool {
    query.split_whitespace().all(|word| texts.iter().any(|text| text.to_lowercase().contains(word)))
}
