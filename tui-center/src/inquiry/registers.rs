//! The member, store and key registers, ascending by number.

use wire::{
    id::{AccountNumber, Role},
    message::{Particulars, field},
};

use super::view::{KeyRow, MemberRow, StoreRow};
use crate::{
    books::{BooksError, registers::Holder},
    center::Center,
};

/// Members whose number, name, e-mail address or telephone number holds `query`. Names are sealed one by one, so that
/// a search opens each.
pub fn members(center: &Center, query: &str, most: usize) -> Result<Vec<MemberRow>, BooksError> {
    let query = query.trim().to_lowercase();
    let wanted = |holder: &Holder| {
        query.is_empty() || {
            let particulars = center.particulars(holder.account);
            let shown = |key| filled(particulars.as_ref(), key);
            let number = holder.account.to_string();
            holds(&query, &[&number, &shown(field::NAME), &shown(field::EMAIL), &shown(field::PHONE)])
        }
    };
    let page = center.registers_now().holders(Role::Member, None, most, wanted)?;
    Ok(page.rows.iter().filter_map(|holder| member(center, holder)).collect())
}

/// Stores whose number, name, contact or e-mail address holds `query`.
pub fn stores(center: &Center, query: &str, most: usize) -> Result<Vec<StoreRow>, BooksError> {
    let query = query.trim().to_lowercase();
    let wanted = |holder: &Holder| {
        query.is_empty() || {
            let particulars = center.particulars(holder.account);
            let shown = |key| filled(particulars.as_ref(), key);
            let (number, name) = (holder.account.to_string(), holder.trade_name.clone().unwrap_or_default());
            holds(&query, &[&number, &name, &shown(field::CONTACT), &shown(field::EMAIL)])
        }
    };
    let page = center.registers_now().holders(Role::Store, None, most, wanted)?;
    Ok(page.rows.iter().filter_map(|holder| store(center, holder)).collect())
}

/// Key events whose account, key or fingerprint holds `query`.
pub fn keys(center: &Center, query: &str, most: usize) -> Result<Vec<KeyRow>, BooksError> {
    let query = query.trim().to_lowercase();
    let page = center.registers_now().keys(None, most, |row| {
        query.is_empty() || {
            let key = row.key.map(|key| key.to_string()).unwrap_or_default();
            let fingerprint = row.key.map(|key| key.fingerprint()).unwrap_or_default();
            holds(&query, &[&row.account.to_string(), &key, &fingerprint, &row.entry.to_string()])
        }
    })?;
    let state = center.desk().state();
    let rows = page.rows.into_iter().map(|row| KeyRow {
        account: row.account,
        role: row.role,
        key: row.key.map(|key| key.to_string()).unwrap_or_default(),
        fingerprint: row.key.map(|key| key.fingerprint()).unwrap_or_default(),
        entry: row.entry,
        in_force: row.key.is_some_and(|key| state.key(row.account, row.role) == Some((key, row.entry))),
    });
    Ok(rows.collect())
}

/// Every word of a search must occur in one of the texts.
pub(super) fn holds(query: &str, texts: &[&str]) -> bool {
    query.split_whitespace().all(|word| texts.iter().any(|text| text.to_lowercase().contains(word)))
}

fn member(center: &Center, holder: &Holder) -> Option<MemberRow> {
    let AccountNumber::Member(member) = holder.account else { return None };
    let particulars = center.particulars(holder.account);
    let shown = |key| filled(particulars.as_ref(), key);
    let (cards, balance) = {
        let state = center.desk().state();
        state
            .cards_of(member)
            .fold((0, 0), |(count, sum), (_, card)| (count + 1, sum + i128::from(card.balance.minor())))
    };
    Some(MemberRow {
        member,
        name: shown(field::NAME),
        email: shown(field::EMAIL),
        phone: shown(field::PHONE),
        cards,
        balance: center.local().sum(balance),
        registered: center.local().moment(holder.at),
        frozen: holder.frozen,
    })
}

fn store(center: &Center, holder: &Holder) -> Option<StoreRow> {
    let AccountNumber::Store(store) = holder.account else { return None };
    let particulars = center.particulars(holder.account);
    let shown = |key| filled(particulars.as_ref(), key);
    let owed = center.desk().state().payable(store);
    Some(StoreRow {
        store,
        name: holder.trade_name.clone().unwrap_or_default(),
        contact: shown(field::CONTACT),
        email: shown(field::EMAIL),
        owed: center.local().money(owed),
        here: !center.presence().addresses(store).is_empty(),
        registered: center.local().moment(holder.at),
        frozen: holder.frozen,
    })
}

/// What was filled in for a key; empty when the particulars are gone.
fn filled(particulars: Option<&Particulars>, key: &str) -> String {
    particulars.map(|particulars| particulars.field(key).to_owned()).unwrap_or_default()
}
