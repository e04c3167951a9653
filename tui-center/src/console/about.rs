//! What can be opened over a screen: what is asked of the center for it, and the rows that show it.

mod joining;
mod staff;

use ledger::request::Document;
use serde::Serialize;
use tui_kit::{Tone, detail::Row};
use wire::{id::ApplicationNumber, receipt::EntryKind};

use super::rows::{self, Times};
use crate::{
    acts::{
        Act, JoiningAct, JoiningOutcome, List, OperatorRow, Outcome, PeopleOutcome, ProposalRow, StaffAct,
        StaffOutcome,
    },
    admission::document::noun,
    books::cabinet::index::Who,
    errors::ErrorLine,
    inquiry::{
        detail::Subject,
        view::{ApplicationRow, BuildRow, DeskRow, KeyRow, TransactionRow},
        words,
    },
    lines::postman::PostState,
};

/// The label of the row that says what an entry is about.
pub(super) const INTENT: &str = "What";

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
    /// An application.
    Application(ApplicationNumber),
    /// A document's version in force.
    Document(Document),
    /// The entries that gave a document its versions.
    Versions(Document),
    /// A mail or a letter, which its line says in full.
    Post(Box<PostState>),
    /// A program of the kit, which its line says in full.
    Build(Box<BuildRow>),
    /// What a member or store filled in, revealed once.
    Data(Who),
    /// What waits for a second operator.
    Proposal(Box<ProposalRow>),
    /// An operator, whose line says all.
    Operator(Box<OperatorRow>),
    /// Up to how much one operator acts alone.
    Limits,
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
    /// The application as lists show it, where it is one.
    pub(super) application: Option<Box<ApplicationRow>>,
    /// The answer whole, as JSON.
    pub(super) json: String,
}

impl Found {
    fn new(title: String, rows: Vec<Row>, outcome: &impl Serialize) -> Self {
        let json = serde_json::to_string_pretty(outcome).unwrap_or_default();
        Self { title, frozen: None, rows, history: Vec::new(), application: None, json }
    }
}

impl About {
    /// What an act has brought to light that is to be shown.
    pub(super) fn brought(outcome: &Outcome) -> Option<Self> {
        match outcome {
            Outcome::Joining(JoiningOutcome::Application(detail)) => {
                Some(Self::Application(detail.application.number))
            }
            Outcome::People(PeopleOutcome::Revealed { who, .. }) => Some(Self::Data(*who)),
            _ => None,
        }
    }

    /// Whether it is another thing, or none any more, once something was done with it: then it is closed.
    pub(super) fn is_past_once_done(&self) -> bool {
        matches!(self, Self::Proposal(_) | Self::Key(_) | Self::Post(_) | Self::Build(_) | Self::Operator(_))
    }

    /// What it is called before the center has answered.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Subject(subject) => subject.to_string(),
            Self::Desk(row) => row.number.to_string(),
            Self::Key(key) => format!("Key of {}", key.account),
            Self::Error(_) => "Error".to_owned(),
            Self::Application(number) => format!("Application {number}"),
            Self::Data(who) => format!("Data of {who}"),
            Self::Proposal(row) => format!("Proposal {}", row.number),
            Self::Operator(row) => format!("Operator {}", row.name),
            Self::Limits => "Limits".to_owned(),
            Self::Document(document) => noun(*document),
            Self::Versions(document) => format!("Versions of the {}", noun(*document)),
            Self::Post(item) => item.name.clone(),
            Self::Build(build) => format!("{} {}", build.program, build.version),
            Self::Notices => "Notices".to_owned(),
        }
    }

    /// What can be shown before the center has answered, or without asking it.
    pub(super) fn rows(&self, times: &Times) -> Vec<Row> {
        match self {
            Self::Key(key) => key_rows(key),
            Self::Error(line) => error_rows(line, times),
            Self::Post(item) => joining::post_rows(item, times),
            Self::Build(build) => joining::build_rows(build),
            Self::Operator(row) => staff::operator_rows(row),
            Self::Proposal(row) => staff::proposal_rows(row),
            _ => Vec::new(),
        }
    }

    /// What the center is asked for.
    pub(super) fn ask(&self) -> Option<Act> {
        let show = |subject: Subject| Some(Act::Show { number: subject.to_string() });
        match self {
            Self::Subject(subject) => show(*subject),
            Self::Desk(row) => show(Subject::Entry(row.number)),
            Self::Application(number) => {
                Some(Act::Joining(JoiningAct::Application { number: *number, reveal: None }))
            }
            Self::Post(item) => show(Subject::Entry(item.entry)),
            Self::Proposal(row) => Some(Act::Staff(StaffAct::Proposal { proposal: row.number })),
            Self::Limits => Some(Act::Staff(StaffAct::Limits)),
            Self::Document(document) => Some(Act::Joining(JoiningAct::Document { document: *document })),
            Self::Versions(document) => {
                let list = List::of(words::document_name(*document));
                Some(Act::Transactions { list, kind: Some(EntryKind::Setting), before: None })
            }
            _ => None,
        }
    }

    /// The number under which entries name it.
    pub(super) fn subject(&self) -> Option<Subject> {
        match self {
            Self::Subject(subject) => Some(*subject),
            Self::Desk(row) => Some(Subject::Entry(row.number)),
            Self::Proposal(row) => Some(Subject::Entry(row.number)),
            _ => None,
        }
    }

    /// What an answer shows; none where it is to something else.
    pub(super) fn found(&self, outcome: &Outcome, times: &Times) -> Option<Found> {
        Some(match (self, outcome) {
            (Self::Subject(_) | Self::Desk(_), Outcome::Detail(detail)) => {
                let own = if let Self::Desk(row) = self { desk_rows(row) } else { Vec::new() };
                let rows = detail.rows.iter().map(|row| Row::pair(row.label.as_str(), row.value.as_str()));
                let rows = own.into_iter().chain(rows).collect();
                let found = Found::new(detail.title.clone(), rows, detail);
                Found { frozen: detail.frozen, history: detail.history.clone(), ..found }
            }
            (Self::Post(item), Outcome::Detail(detail)) => {
                let mut rows = joining::post_rows(item, times);
                let what = detail.rows.iter().find(|row| row.label == INTENT);
                rows.extend(what.map(|row| Row::pair(INTENT, row.value.clone())));
                Found::new(self.title(), rows, detail)
            }
            (Self::Application(number), Outcome::Joining(JoiningOutcome::Application(detail)))
                if detail.application.number == *number =>
            {
                let found = Found::new(self.title(), joining::detail_rows(detail, times), detail);
                Found { application: Some(Box::new(detail.application.clone())), ..found }
            }
            (
                Self::Document(_),
                Outcome::Joining(JoiningOutcome::Document { document, version, entry, text }),
            ) => Found::new(noun(*document), joining::document_rows(*version, *entry, text), outcome),
            (Self::Versions(_), Outcome::Transactions { transactions, .. }) => {
                let words =
                    "The entries that gave it a version, the newest first; each holds its text for ever.";
                let found = Found::new(self.title(), vec![Row::Words(words.to_owned())], outcome);
                Found { history: transactions.clone(), ..found }
            }
            (Self::Data(of), Outcome::People(PeopleOutcome::Revealed { who, entry, fields }))
                if who == of =>
            {
                Found::new(self.title(), staff::data_rows(*entry, fields), outcome)
            }
            (Self::Proposal(_), Outcome::Staff(StaffOutcome::Proposal { proposal, document })) => {
                let mut rows = staff::proposal_rows(proposal);
                rows.extend(document.iter().flat_map(staff::proposed_rows));
                Found::new(self.title(), rows, outcome)
            }
            (
                Self::Limits,
                Outcome::Staff(StaffOutcome::Limits { refund_alone, receipt_alone, four_eyes }),
            ) => Found::new(self.title(), staff::limit_rows(refund_alone, receipt_alone, four_eyes), outcome),
            _ => return None,
        })
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
