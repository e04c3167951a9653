//! Operators, proposals, limits and revealed data in full.

use tui_kit::{Tone, detail::Row};
use wire::id::EntryNumber;

use super::super::{
    editing::changes,
    rows::staff::{fingerprint, four_eyes},
};
use crate::{
    acts::{FourEyes, OperatorRow, ProposalRow, ProposedText},
    inquiry::view::Money,
    operators::role_name,
};

/// An operator.
pub(super) fn operator_rows(row: &OperatorRow) -> Vec<Row> {
    let signs_in = match row.can_sign_in {
        true => Row::toned("signs in", Tone::Good, "yes"),
        false => Row::toned(
            "signs in",
            Tone::Warn,
            "not here: this machine does not have the key that the books name; add the operator anew",
        ),
    };
    vec![
        Row::toned("name", Tone::Strong, row.name.clone()),
        Row::pair("role", role_name(row.role)),
        signs_in,
        Row::pair("fingerprint", fingerprint(&row.ssh_key).unwrap_or_else(|| "no key here".to_owned())),
        Row::pair("SSH key", row.ssh_key.clone()),
    ]
}

/// What waits for a second operator.
pub(super) fn proposal_rows(row: &ProposalRow) -> Vec<Row> {
    vec![
        Row::pair("proposed by", row.by.clone()),
        Row::toned("what", Tone::Strong, row.words.clone()),
        Row::pair("takes at least a", role_name(row.role)),
        Row::pair("lapses", row.until.text.clone()),
        Row::pair("entry", row.number.to_string()),
    ]
}

/// What a proposed document changes.
pub(super) fn proposed_rows(proposed: &ProposedText) -> Vec<Row> {
    let head = format!("What changes in the {}, version {}", proposed.document, proposed.version);
    let mut rows = vec![Row::Gap, Row::Heading(head)];
    rows.extend(changes(&proposed.former, &proposed.text));
    rows
}

/// Up to how much one operator acts alone.
pub(super) fn limit_rows(refund_alone: &Money, receipt_alone: &Money, rows: &[FourEyes]) -> Vec<Row> {
    let mut shown = vec![
        Row::Heading("What one operator does alone".to_owned()),
        Row::pair("a payment given back", format!("up to {}", refund_alone.text)),
        Row::pair("a receipt at the bank desk", format!("up to {}", receipt_alone.text)),
        Row::Gap,
        Row::Heading("Four eyes".to_owned()),
    ];
    shown.extend(
        rows.iter()
            .zip(four_eyes(rows))
            .map(|(row, (tone, words))| Row::toned(if row.on { "on" } else { "off" }, tone, words)),
    );
    shown
}

/// What somebody filled in, revealed.
pub(super) fn data_rows(entry: EntryNumber, fields: &[(String, String)]) -> Vec<Row> {
    let mut rows = vec![Row::pair("that you look", entry.to_string()), Row::Gap];
    rows.extend(fields.iter().map(|(key, value)| Row::pair(key.replace('_', " "), value.clone())));
    rows
}
