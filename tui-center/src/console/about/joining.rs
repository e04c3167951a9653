//! Applications, documents, post and programs in full.

use tui_kit::{Tone, detail::Row, text};
use wire::id::EntryNumber;

use super::super::rows::{Times, joining as said};
use crate::{
    inquiry::view::{ApplicationDetail, ApplicationRow, BuildRow},
    lines::postman::{Kind, PostState},
};

/// What an application's line says.
pub(super) fn application_rows(row: &ApplicationRow, times: &Times) -> Vec<Row> {
    let (tone, state) = said::standing(row);
    let mut rows = vec![
        Row::toned("state", tone, state),
        Row::pair("how it stands", row.words.clone()),
        Row::pair("came", format!("{}, {} ago", row.received.text, times.age(row.received.unix_ms))),
        Row::pair("stands so since", row.since.text.clone()),
        Row::pair("applies as", said::role(row.role)),
    ];
    if let Some(account) = row.replaces {
        rows.push(Row::toned("replaces the terminal of", Tone::Warn, account.to_string()));
    }
    if let Some(account) = row.account {
        rows.push(Row::pair("number", account.to_string()));
    }
    for same in &row.same {
        rows.push(Row::toned(format!("same {}", same.what), Tone::Warn, same.who.clone()));
    }
    rows
}

/// An application in full; what was filled in is masked unless it was revealed.
pub(super) fn detail_rows(detail: &ApplicationDetail, times: &Times) -> Vec<Row> {
    let row = &detail.application;
    let mut rows = application_rows(row, times);
    rows.push(Row::Gap);
    rows.push(Row::Heading("Filled in".to_owned()));
    if detail.fields.is_empty() {
        if row.name.is_empty() && row.email.is_empty() {
            rows.push(Row::Words("It has become the member's or store's, or was erased.".to_owned()));
        } else {
            rows.push(Row::pair("applicant", row.name.clone()));
            rows.push(Row::pair("e-mail", row.email.clone()));
            rows.push(Row::Words("The rest is shown with v, for a reason that is entered.".to_owned()));
        }
    }
    rows.extend(detail.fields.iter().map(|field| Row::pair(field.label.clone(), field.value.clone())));
    rows.push(Row::Gap);
    rows.push(Row::Heading("Keys".to_owned()));
    rows.push(Row::pair("signature key", detail.fingerprint.clone()));
    rows.push(Row::pair("terminal key", detail.terminal.clone()));
    if let Some(entry) = detail.decided {
        rows.push(Row::pair("decided by", entry.to_string()));
    }
    if !detail.post.is_empty() {
        rows.push(Row::Gap);
        rows.push(Row::Heading("On its way".to_owned()));
    }
    for item in &detail.post {
        let (tone, state) = said::post_state(item.state);
        rows.push(Row::toned(item.name.clone(), tone, format!("{state}. {}", item.last_words)));
    }
    rows
}

/// A document with its text.
pub(super) fn document_rows(version: u32, entry: EntryNumber, text: &str) -> Vec<Row> {
    let mut rows = vec![
        Row::pair("version", version.to_string()),
        Row::pair("in force by", entry.to_string()),
        Row::Gap,
    ];
    rows.extend(text.lines().map(|line| match line.trim() {
        "" => Row::Gap,
        _ => Row::Words(line.to_owned()),
    }));
    rows
}

/// A mail or a letter.
pub(super) fn post_rows(item: &PostState, times: &Times) -> Vec<Row> {
    let (tone, state) = said::post_state(item.state);
    let at = |at: wire::time::Timestamp| times.zone.full(i64::try_from(at.0).unwrap_or(i64::MAX));
    let mut rows = vec![
        Row::pair(
            "what",
            match item.kind {
                Kind::Mail => "an e-mail",
                Kind::Letter => "a letter",
            },
        ),
        Row::toned("state", tone, state),
        Row::pair("to", item.to_masked.clone()),
        Row::pair("intended by", item.entry.to_string()),
        Row::pair("since", at(item.since)),
        Row::pair("tries since the start", item.tries.to_string()),
        Row::pair("said last", item.last_words.clone()),
    ];
    if let Some(next) = item.next_try {
        rows.push(Row::pair("tried next", at(next)));
    }
    rows
}

/// A program of the kit.
pub(super) fn build_rows(build: &BuildRow) -> Vec<Row> {
    vec![
        Row::pair("program", build.program.clone()),
        Row::pair("version", build.version.clone()),
        Row::pair("platform", build.platform.clone()),
        Row::pair("size", text::bytes(build.length)),
        Row::pair("SHA-256", build.digest.to_string()),
    ]
}
