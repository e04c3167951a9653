//! What can be opened over a screen: what is asked of the center for it, and the rows that show it.

use tui_kit::{Tone, detail::Row};

use super::rows::{self, Times};
use crate::{
    acts::{Act, Outcome},
    errors::ErrorLine,
    inquiry::{
        detail::Subject,
        view::{DeskRow, KeyRow, TransactionRow},
    },
};

/// What a sheet is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// Something that the center is asked for.
    Subject(Subject),
    /// An entry on the bank desk, with what the desk says of it.
    Desk(Box<DeskRow>),
    /// A key, which its line says in full.
    Key(Box<KeyRow>),
    /// An error, which its line says in full.
    Error(Box<ErrorLine>),
    /// What this session was told.
    Notices,
}

/// What the center has answered of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// What it is called.
    pub(super) title: String,
    /// Whether it is frozen; none where it can't be.
    pub(super) frozen: Option<bool>,
    /// What there is to know.
    pub(super) rows: Vec<Row>,
    /// The entries that belong to it, newest first.
    pub(super) history: Vec<TransactionRow>,
    /// The answer whole, as JSON.
    pub(super) json: String,
}

impl About {
    /// What it is called before the center has answered.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Subject(subject) => subject.to_string(),
            Self::Desk(row) => row.number.to_string(),
            Self::Key(key) => format!("Key of {}", key.account),
            Self::Error(_) => "Error".to_owned(),
            Self::Notices => "Notices".to_owned(),
        }
    }

    /// What can be shown before the center has answered, or without asking it.
    pub(super) fn rows(&self, times: &Times) -> Vec<Row> {
        match self {
            Self::Key(key) => key_rows(key),
            Self::Error(line) => error_rows(line, times),
            Self::Subject(_) | Self::Desk(_) | Self::Notices => Vec::new(),
        }
    }

    /// What the center is asked for.
    pub(super) fn ask(&self) -> Option<Act> {
        let show = |subject: Subject| Some(Act::Show { number: subject.to_string() });
        match self {
            Self::Subject(subject) => show(*subject),
            Self::Desk(row) => show(Subject::Entry(row.number)),
            Self::Key(_) | Self::Error(_) | Self::Notices => None,
        }
    }

    /// The number under which entries name it.
    pub(super) fn subject(&self) -> Option<Subject> {
        match self {
            Self::Subject(subject) => Some(*subject),
            Self::Desk(row) => Some(Subject::Entry(row.number)),
            Self::Key(_) | Self::Error(_) | Self::Notices => None,
        }
    }

    /// What an answer shows; none where it is to something else.
    pub(super) fn found(&self, outcome: &Outcome) -> Option<Found> {
        let json = serde_json::to_string_pretty(outcome).unwrap_or_default();
        match (self, outcome) {
            (Self::Subject(_) | Self::Desk(_), Outcome::Detail(detail)) => {
                let own = if let Self::Desk(row) = self { desk_rows(row) } else { Vec::new() };
                let rows = detail.rows.iter().map(|row| Row::pair(row.label.as_str(), row.value.as_str()));
                Some(Found {
                    title: detail.title.clone(),
                    frozen: detail.frozen,
                    rows: own.into_iter().chain(rows).collect(),
                    history: detail.history.clone(),
                    json: serde_json::to_string_pretty(detail).unwrap_or(json),
                })
            }
            _ => None,
        }
    }
}

fn desk_rows(row: &DeskRow) -> Vec<Row> {
    let (tone, state) =
        if row.waiting { (Tone::Warn, "waits for an operator") } else { (Tone::Good, "done") };
    let mut rows = vec![
        Row::toned("bank desk", tone, state),
        Row::pair("what is wrong", row.words.clone()),
        Row::pair("amount", row.amount.text.clone()),
        Row::pair("payer wrote", row.reference.clone()),
        Row::pair("payer", row.payer.clone()),
    ];
    if let Some(request) = row.request {
        rows.push(Row::pair("card request", request.to_string()));
    }
    rows.push(Row::Gap);
    rows
}

fn key_rows(key: &KeyRow) -> Vec<Row> {
    let (tone, state) = match (key.key.is_empty(), key.in_force) {
        (true, _) => (Tone::Bad, "revoked"),
        (false, true) => (Tone::Good, "in force"),
        (false, false) => (Tone::Dim, "not in force any more"),
    };
    vec![
        Row::pair("account", key.account.to_string()),
        Row::pair("role", rows::key_role(key.role)),
        Row::toned("state", tone, state),
        Row::pair("since entry", key.entry.to_string()),
        Row::pair("fingerprint", key.fingerprint.clone()),
        Row::pair("key", key.key.clone()),
    ]
}

fn error_rows(line: &ErrorLine, times: &Times) -> Vec<Row> {
    let at = i64::try_from(line.at.0).unwrap_or(i64::MAX);
    vec![
        Row::toned("weight", rows::tone(line.weight), rows::weight(line.weight)),
        Row::pair("time", times.zone.full(at)),
        Row::pair("room", rows::room(line.room)),
        Row::pair("what happened", line.words.to_string()),
    ]
}
