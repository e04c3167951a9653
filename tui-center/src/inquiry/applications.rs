//! The admission desk: applications, masked until somebody states why they must be seen.

use std::str::FromStr as _;

use wire::{
    admission::ApplicationState,
    id::{AccountNumber, ApplicationNumber, Role},
    message::{Particulars, field},
};

use super::view::{ApplicationDetail, ApplicationRow, Row, Sameness};
use crate::{
    admission::{
        applications::Row as Kept,
        form,
        standing::{Standing, standing},
    },
    books::cabinet::index::{Flag, Likeness, Query, Who},
    center::Center,
    lines::postman::masked,
};

/// Applications, newest first: all, those of a number, or those whom the blind index finds by the beginning of a name or
/// by an e-mail address. Blocks on the disk.
///
/// # Errors
/// In words.
pub fn list(
    center: &Center,
    query: &str,
    state: Option<&str>,
    most: usize,
) -> Result<Vec<ApplicationRow>, String> {
    let query = query.trim();
    let found: Option<Vec<ApplicationNumber>> = (!query.is_empty()).then(|| find(center, query));
    let mut rows = Vec::new();
    for kept in center.admission().applications.rows_now().into_iter().rev() {
        if found.as_ref().is_some_and(|found| !found.contains(&kept.number)) {
            continue;
        }
        let stands = standing(center, &kept)?;
        if state.is_some_and(|state| state != noun(&stands.view.state)) {
            continue;
        }
        rows.push(row(center, &kept, &stands)?);
        if rows.len() == most {
            break;
        }
    }
    Ok(rows)
}

/// One application; `open` shows what was filled in, which the caller has entered. Blocks on the disk.
///
/// # Errors
/// In words.
pub fn detail(center: &Center, kept: &Kept, open: bool) -> Result<ApplicationDetail, String> {
    let stands = standing(center, kept)?;
    let filled = if open { particulars(center, kept)? } else { None };
    let fields = filled.map(|filled| {
        let form = center.admission().library.form(center.desk(), kept.role).ok();
        let labelled = form::labelled(form.as_ref(), &filled);
        labelled.into_iter().map(|(label, value)| Row::new(&label, value)).collect()
    });
    let post = center.post().0;
    let on_its_way = stands.decided.and_then(|entry| {
        let code = center.desk().state().admission(entry).map(|admitted| admitted.code)?;
        Some(post.into_iter().filter(|state| state.entry == code).collect())
    });
    Ok(ApplicationDetail {
        application: row(center, kept, &stands)?,
        key: kept.key.to_string(),
        fingerprint: kept.key.fingerprint(),
        terminal: kept.terminal_key.fingerprint(),
        decided: stands.decided,
        fields: fields.unwrap_or_default(),
        post: on_its_way.unwrap_or_default(),
    })
}

/// A stable word for scripts and lists.
pub fn noun(state: &ApplicationState) -> &'static str {
    match state {
        ApplicationState::Waiting => "waiting",
        ApplicationState::AskedBack { .. } => "asked-back",
        ApplicationState::Refused { .. } => "refused",
        ApplicationState::Admitted { .. } => "admitted",
        ApplicationState::CodeSpent => "code-spent",
        ApplicationState::Registered { .. } => "registered",
    }
}

fn find(center: &Center, query: &str) -> Vec<ApplicationNumber> {
    if let Ok(number) = ApplicationNumber::from_str(query) {
        return vec![number];
    }
    let index = center.cabinet().index();
    let query = query.to_owned();
    let found =
        if query.contains('@') { index.find(&Query::Email(query)) } else { index.find(&Query::Name(query)) };
    let application = |who| match who {
        Who::Application(number) => Some(number),
        Who::Account(_) => None,
    };
    found.into_iter().filter_map(application).collect()
}

fn row(center: &Center, kept: &Kept, stands: &Standing) -> Result<ApplicationRow, String> {
    let filled = particulars(center, kept)?;
    let (mut name, mut email, mut same) = (String::new(), String::new(), Vec::new());
    let mut stands_so = words(center, &stands.view.state);
    if let Some(filled) = &filled {
        let full = match kept.role {
            Role::Member => filled.field(field::NAME),
            Role::Store => filled.field(field::TRADE_NAME),
        };
        (name, email) = (masked(full), masked(filled.field(field::EMAIL)));
        let flags = center.cabinet().index().duplicates(filled);
        if let Some(account) = kept.replaces {
            let unlike = unlike(filled, account, &flags);
            if !unlike.is_empty() {
                stands_so = format!("{stands_so}; {account} has another {}", unlike.join(", another "));
            }
        }
        let others = flags.into_iter().filter(|flag| flag.who != Who::Application(kept.number));
        same = others
            .filter(|flag| kept.replaces.is_none_or(|account| flag.who != Who::Account(account)))
            .map(|flag| Sameness { what: flag.field.words().into(), who: flag.who.to_string() })
            .collect();
    }
    let view = &stands.view;
    Ok(ApplicationRow {
        number: kept.number,
        version: kept.telegram,
        role: kept.role,
        state: noun(&view.state).into(),
        words: stands_so,
        received: center.local().moment(kept.received),
        since: center.local().moment(view.since),
        name,
        email,
        same,
        replaces: kept.replaces,
        account: stands.account,
    })
}

/// In what an applicant who wants to replace an account's terminal is not like the account's owner.
fn unlike(filled: &Particulars, account: AccountNumber, flags: &[Flag]) -> Vec<&'static str> {
    let told_by = [
        (Likeness::NameAndBirth, field::BORN),
        (Likeness::Email, field::EMAIL),
        (Likeness::Phone, field::PHONE),
        (Likeness::BankAccount, field::BANK_ACCOUNT),
    ];
    let alike = |field| flags.iter().any(|flag| flag.field == field && flag.who == Who::Account(account));
    let said = told_by.into_iter().filter(|(_, key)| !filled.field(key).trim().is_empty());
    said.filter(|(field, _)| !alike(*field)).map(|(field, _)| field.words()).collect()
}

fn words(center: &Center, state: &ApplicationState) -> String {
    match state {
        ApplicationState::Waiting => "waits for a decision".into(),
        ApplicationState::AskedBack { words } => format!("asked back: {words}"),
        ApplicationState::Refused { words } => format!("refused: {words}"),
        ApplicationState::Admitted { ways, until } => {
            let ways: Vec<&str> = ways.iter().map(|way| way.words()).collect();
            let until = center.local().moment(*until).text;
            format!("admitted; number and code go {}, the code counts until {until}", ways.join(" and "))
        }
        ApplicationState::CodeSpent => "the code ran out or was mistyped too often; send another".into(),
        ApplicationState::Registered { account } => format!("registered as {account}"),
    }
}

fn particulars(center: &Center, kept: &Kept) -> Result<Option<Particulars>, String> {
    center.admission().applications.particulars(kept.number).map_err(|error| error.to_string())
}
