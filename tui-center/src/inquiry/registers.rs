//! The member, store and key registers, ascending by number. Personal data stands in them masked: who needs more states
//! why, and that is entered ([`crate::acts::PeopleAct::Reveal`]).

use std::collections::BTreeSet;

use wire::{
    id::{AccountNumber, Role},
    message::{Particulars, field},
};

use super::view::{KeyRow, MemberRow, StoreRow};
use crate::{
    books::{
        BooksError,
        cabinet::index::{Query, Who},
        registers::Holder,
    },
    center::Center,
    lines::postman::masked,
};

/// Members whose number holds `query`, or whose name it begins, or whose e-mail address or telephone number it is. What
/// they filled in is shown masked.
pub fn members(center: &Center, query: &str, most: usize) -> Result<Vec<MemberRow>, BooksError> {
    let (query, known) = (query.trim().to_lowercase(), known_by(center, query));
    let wanted = |holder: &Holder| {
        query.is_empty()
            || known.contains(&Who::Account(holder.account))
            || holds(&query, &[&holder.account.to_string()])
    };
    let page = center.registers_now().holders(Role::Member, None, most, wanted)?;
    Ok(page.rows.iter().filter_map(|holder| member(center, holder)).collect())
}

/// Stores whose number or trade name holds `query`, or who are found by it as members are.
pub fn stores(center: &Center, query: &str, most: usize) -> Result<Vec<StoreRow>, BooksError> {
    let (query, known) = (query.trim().to_lowercase(), known_by(center, query));
    let wanted = |holder: &Holder| {
        query.is_empty() || known.contains(&Who::Account(holder.account)) || {
            let (number, name) = (holder.account.to_string(), holder.trade_name.clone().unwrap_or_default());
            holds(&query, &[&number, &name])
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

/// Everybody whom the blind index knows by a name's beginning, an e-mail address or a telephone number.
fn known_by(center: &Center, query: &str) -> BTreeSet<Who> {
    let index = center.cabinet().index();
    let queries = [Query::Name(query.into()), Query::Email(query.into()), Query::Phone(query.into())];
    queries.iter().flat_map(|query| index.find(query)).collect()
}

/// What was filled in for a key, masked; empty when the particulars are gone.
fn filled(particulars: Option<&Particulars>, key: &str) -> String {
    particulars.map(|particulars| masked(particulars.field(key))).unwrap_or_default()
}
