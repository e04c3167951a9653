//! The lines of the admission desk: applications, mail and letters, the programs of the kit.

use std::cmp::Reverse;

use tui_kit::{
    Tone,
    table::{Cell, Column},
    text,
};
use wire::id::Role;

use super::{super::about::About, NUMBER, Note, Row, Times};
use crate::{
    acts::{Act, JoiningAct, JoiningOutcome, List, Outcome},
    inquiry::view::{ApplicationRow, BuildRow},
    lines::postman::{Kind, LineState, PostState, State},
};

/// Whether an application waits for an operator's decision.
pub(in super::super) fn waits(row: &ApplicationRow) -> bool {
    row.state == "waiting"
}

/// How an application stands, in a word and what it says besides.
pub(in super::super) fn standing(row: &ApplicationRow) -> (Tone, &'static str) {
    match row.state.as_str() {
        "waiting" => (Tone::Warn, "waits"),
        "asked-back" => (Tone::Dim, "asked back"),
        "refused" => (Tone::Dim, "refused"),
        "admitted" => (Tone::Plain, "admitted"),
        "code-spent" => (Tone::Warn, "code spent"),
        _ => (Tone::Good, "registered"),
    }
}

/// In what the applicant is like somebody else: “e-mail address as M-000017-4”.
pub(in super::super) fn likeness(row: &ApplicationRow) -> String {
    row.same.iter().map(|same| format!("{} as {}", same.what, same.who)).collect::<Vec<_>>().join(", ")
}

impl Row for ApplicationRow {
    const NAME: &'static str = "applications";
    const EMPTY: &'static str = "Nobody has applied yet. Whoever has the center's invitation can.";

    fn ask(list: List) -> Option<Act> {
        let List { query, most } = list;
        Some(Act::Joining(JoiningAct::Applications { query, state: None, most }))
    }

    /// What waits first, the oldest at the top; then the rest, the newest at the top.
    fn found(outcome: Outcome) -> Option<Vec<Self>> {
        let Outcome::Joining(JoiningOutcome::Applications { mut applications }) = outcome else {
            return None;
        };
        applications.sort_by_key(|row| {
            let since = row.since.unix_ms;
            if waits(row) { (0, since, Reverse(0)) } else { (1, 0, Reverse(since)) }
        });
        Some(applications)
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::fixed("number", NUMBER),
            Column::fixed("state", 12),
            Column::fixed("age", 6).right().rank(2),
            Column::fixed("as", 6).rank(3),
            Column::fixed("applicant", 9).rank(4),
            Column::growing("the same as", 12).rank(1),
        ]
    }

    fn key(&self) -> String {
        self.number.to_string()
    }

    fn cells(&self, times: &Times) -> Vec<Cell> {
        let (tone, state) = standing(self);
        let likeness = match (likeness(self), self.replaces) {
            (same, None) => same,
            (same, Some(account)) if same.is_empty() => format!("replaces the terminal of {account}"),
            (same, Some(account)) => format!("replaces the terminal of {account}, {same}"),
        };
        vec![
            self.number.to_string().into(),
            Cell::toned(tone, state),
            times.age(self.since.unix_ms).into(),
            role(self.role).into(),
            self.name.clone().into(),
            if likeness.is_empty() { Cell::default() } else { Cell::toned(Tone::Warn, likeness) },
        ]
    }

    fn about(&self) -> Option<About> {
        Some(About::Application(self.number))
    }
}

/// As what somebody applies.
pub(in super::super) fn role(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Store => "store",
    }
}

/// How something that goes out stands, in words and what it says besides.
pub(in super::super) fn post_state(state: State) -> (Tone, &'static str) {
    match state {
        State::Waiting => (Tone::Plain, "waits"),
        State::Sending => (Tone::Plain, "goes out"),
        State::Failed => (Tone::Bad, "failed"),
        State::Accepted => (Tone::Good, "accepted"),
        State::Printed => (Tone::Good, "printed"),
        State::GivenUp => (Tone::Dim, "given up"),
    }
}

impl Row for PostState {
    const NAME: &'static str = "post";
    const EMPTY: &'static str =
        "Nothing goes out. Mail and letters to those who are admitted are shown here.";

    const SEARCHED: bool = false;

    fn ask(_list: List) -> Option<Act> {
        Some(Act::Joining(JoiningAct::Post))
    }

    /// What failed first, then what waits, then what is done with.
    fn found(outcome: Outcome) -> Option<Vec<Self>> {
        let Outcome::Joining(JoiningOutcome::Post { mut post, .. }) = outcome else { return None };
        post.sort_by_key(|item| {
            let rank = match item.state {
                State::Failed => 0,
                State::Sending | State::Waiting => 1,
                State::Accepted | State::Printed | State::GivenUp => 2,
            };
            (rank, Reverse(item.entry))
        });
        Some(post)
    }

    fn notes(outcome: &Outcome, times: &Times) -> Vec<Note> {
        match outcome {
            Outcome::Joining(JoiningOutcome::Post { lines, .. }) => {
                lines.iter().map(|line| line_note(line, times)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::fixed("name", 22),
            Column::fixed("state", 10),
            Column::fixed("tries", 5).right().rank(3),
            Column::fixed("next", 8).rank(4),
            Column::fixed("to", 16).rank(2),
            Column::growing("said last", 12).rank(1),
        ]
    }

    fn key(&self) -> String {
        self.name.clone()
    }

    fn cells(&self, times: &Times) -> Vec<Cell> {
        let (tone, state) = post_state(self.state);
        vec![
            self.name.clone().into(),
            Cell::toned(tone, state),
            text::thousands(self.tries).into(),
            self.next_try.map(|at| times.brief(at.0)).unwrap_or_default().into(),
            self.to_masked.clone().into(),
            self.last_words.clone().into(),
        ]
    }

    fn about(&self) -> Option<About> {
        Some(About::Post(Box::new(self.clone())))
    }
}

/// How a line stands, in a sentence.
fn line_note(line: &LineState, times: &Times) -> Note {
    let name = match line.kind {
        Kind::Mail => "E-mail",
        Kind::Letter => "Letters",
    };
    match (&line.trouble, line.on) {
        (_, false) => (Tone::Warn, format!("{name}: the settings name no way out, so that all wait.")),
        (Some(trouble), true) => (Tone::Bad, format!("{name}: {}: {trouble}", line.way)),
        (None, true) => {
            let sign = line.last_sign.map(|at| format!(", answered {}", times.brief(at.0)));
            (Tone::Good, format!("{name}: {}{}.", line.way, sign.unwrap_or_default()))
        }
    }
}

impl Row for BuildRow {
    const NAME: &'static str = "admission kit";
    const EMPTY: &'static str = "The kit offers no program yet; a adds one (or: tui-center kit add).";

    const SEARCHED: bool = false;

    fn ask(_list: List) -> Option<Act> {
        Some(Act::Joining(JoiningAct::Kit))
    }

    fn found(outcome: Outcome) -> Option<Vec<Self>> {
        match outcome {
            Outcome::Joining(JoiningOutcome::Kit { builds, .. }) => Some(builds),
            _ => None,
        }
    }

    fn notes(outcome: &Outcome, _times: &Times) -> Vec<Note> {
        match outcome {
            Outcome::Joining(JoiningOutcome::Kit { number, issued, terms, .. }) => {
                let words =
                    format!("Kit {number}, signed {}, with the terms in version {terms}.", issued.text);
                vec![(Tone::Plain, words)]
            }
            _ => Vec::new(),
        }
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::fixed("program", 12),
            Column::fixed("version", 10),
            Column::growing("platform", 12).rank(1),
            Column::fixed("size", 9).right().rank(2),
            Column::growing("SHA-256", 16).rank(3),
        ]
    }

    fn key(&self) -> String {
        self.digest.to_string()
    }

    fn cells(&self, _times: &Times) -> Vec<Cell> {
        vec![
            self.program.clone().into(),
            self.version.clone().into(),
            self.platform.clone().into(),
            text::bytes(self.length).into(),
            self.digest.to_string().into(),
        ]
    }

    fn about(&self) -> Option<About> {
        Some(About::Build(Box::new(self.clone())))
    }
}

impl Times {
    /// How long ago, in the largest unit: `2 d`, `5 h`, `12 min`.
    pub(in super::super) fn age(&self, unix_ms: u64) -> String {
        let now = u64::try_from(self.now_unix_ms).unwrap_or(0);
        let minutes = now.saturating_sub(unix_ms) / 60_000;
        match minutes {
            0..60 => format!("{minutes} min"),
            60..1_440 => format!("{} h", minutes / 60),
            _ => format!("{} d", minutes / 1_440),
        }
    }
}
