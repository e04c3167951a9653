//! The lines of the staff: operators, what waits for a second one, the keys of the sheet.

use ledger::request::OperatorRole;
use tui_kit::{
    Tone,
    table::{Cell, Column},
    text,
};

use super::{super::about::About, NUMBER, Note, Row, Times};
use crate::{
    acts::{Act, FourEyes, List, OperatorRow, Outcome, ProposalRow, SheetKeyRow, StaffAct, StaffOutcome},
    operators::role_name,
};

/// Where two operators are needed, and where it is off because there is one.
pub(in super::super) fn four_eyes(rows: &[FourEyes]) -> Vec<Note> {
    let note = |row: &FourEyes| {
        let role = match row.role {
            OperatorRole::Admin => role_name(row.role).to_owned(),
            less => format!("{} or above", role_name(less)),
        };
        let acts = &row.acts;
        match (row.on, row.operators) {
            (true, some) => (Tone::Good, format!("Four eyes on {acts}: {some} operators are {role}.")),
            (false, 0) => (Tone::Warn, format!("Four eyes OFF on {acts}: no operator is {role}.")),
            (false, _) => (Tone::Warn, format!("Four eyes OFF on {acts}: a single operator is {role}.")),
        }
    };
    rows.iter().map(note).collect()
}

impl Row for OperatorRow {
    const NAME: &'static str = "operators";
    const EMPTY: &'static str = "No operator yet; a adds one.";

    const SEARCHED: bool = false;

    fn ask(_list: List) -> Option<Act> {
        Some(Act::Staff(StaffAct::Operators))
    }

    fn found(outcome: Outcome) -> Option<Vec<Self>> {
        match outcome {
            Outcome::Staff(StaffOutcome::Operators { operators, .. }) => Some(operators),
            _ => None,
        }
    }

    fn notes(outcome: &Outcome, _times: &Times) -> Vec<Note> {
        match outcome {
            Outcome::Staff(StaffOutcome::Operators { four_eyes: rows, .. }) => four_eyes(rows),
            _ => Vec::new(),
        }
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::growing("name", 10),
            Column::fixed("role", 10),
            Column::fixed("signs in", 16).rank(2),
            Column::growing("SSH key", 20).rank(1),
        ]
    }

    fn key(&self) -> String {
        self.name.clone()
    }

    fn cells(&self, _times: &Times) -> Vec<Cell> {
        let signs_in = match self.can_sign_in {
            true => Cell::toned(Tone::Good, "yes"),
            false => Cell::toned(Tone::Warn, "not here"),
        };
        vec![
            self.name.clone().into(),
            role_name(self.role).into(),
            signs_in,
            fingerprint(&self.ssh_key).unwrap_or_else(|| "none".to_owned()).into(),
        ]
    }

    fn about(&self) -> Option<About> {
        Some(About::Operator(Box::new(self.clone())))
    }
}

/// The fingerprint of an SSH public key as `ssh-keygen -l` prints it: `SHA256:` and base 64 without padding.
pub(in super::super) fn fingerprint(line: &str) -> Option<String> {
    use sha2::Digest as _;
    let blob = line.split_whitespace().nth(1)?;
    let blob = data_encoding::BASE64.decode(blob.as_bytes()).ok()?;
    Some(format!("SHA256:{}", data_encoding::BASE64_NOPAD.encode(&sha2::Sha256::digest(blob))))
}

impl Row for ProposalRow {
    const NAME: &'static str = "proposals";
    const EMPTY: &'static str =
        "Nothing waits for a second operator. What one proposes appears here at once.";

    const SEARCHED: bool = false;

    fn ask(_list: List) -> Option<Act> {
        Some(Act::Staff(StaffAct::Proposals))
    }

    fn found(outcome: Outcome) -> Option<Vec<Self>> {
        match outcome {
            Outcome::Staff(StaffOutcome::Proposals { proposals, .. }) => Some(proposals),
            _ => None,
        }
    }

    fn notes(outcome: &Outcome, _times: &Times) -> Vec<Note> {
        match outcome {
            Outcome::Staff(StaffOutcome::Proposals { four_eyes: rows, .. }) => four_eyes(rows),
            _ => Vec::new(),
        }
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::fixed("proposal", NUMBER),
            Column::fixed("by", 12).rank(2),
            Column::growing("what", 16),
            Column::fixed("takes a", 10).rank(3),
            Column::fixed("until", 8).rank(1),
        ]
    }

    fn key(&self) -> String {
        self.number.to_string()
    }

    fn cells(&self, times: &Times) -> Vec<Cell> {
        vec![
            self.number.to_string().into(),
            self.by.clone().into(),
            self.words.clone().into(),
            role_name(self.role).into(),
            times.brief(self.until.unix_ms).into(),
        ]
    }

    fn about(&self) -> Option<About> {
        Some(About::Proposal(Box::new(self.clone())))
    }
}

impl Row for SheetKeyRow {
    const NAME: &'static str = "key sheet";
    const EMPTY: &'static str = "The sheet names no key.";

    const SEARCHED: bool = false;

    fn ask(_list: List) -> Option<Act> {
        Some(Act::Staff(StaffAct::KeySheet))
    }

    fn found(outcome: Outcome) -> Option<Vec<Self>> {
        match outcome {
            Outcome::Staff(StaffOutcome::KeySheet { mut keys, .. }) => {
                // Those in force first.
                keys.sort_by_key(|key| key.until_size.is_some());
                Some(keys)
            }
            _ => None,
        }
    }

    fn notes(outcome: &Outcome, _times: &Times) -> Vec<Note> {
        match outcome {
            Outcome::Staff(StaffOutcome::KeySheet { number, root, .. }) => {
                vec![(Tone::Plain, format!("Key sheet {number}, signed with the root key {root}."))]
            }
            _ => Vec::new(),
        }
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::fixed("role", 10),
            Column::growing("fingerprint", 39),
            Column::fixed("from entry", 11).right().rank(2),
            Column::fixed("until entry", 11).right().rank(3),
            Column::fixed("state", 10).rank(1),
        ]
    }

    fn key(&self) -> String {
        format!("{} {}", self.role, self.from_size)
    }

    fn cells(&self, _times: &Times) -> Vec<Cell> {
        let state = match self.until_size {
            None => Cell::toned(Tone::Good, "in force"),
            Some(_) => Cell::toned(Tone::Dim, "past"),
        };
        vec![
            self.role.clone().into(),
            self.fingerprint.clone().into(),
            text::thousands(self.from_size).into(),
            self.until_size.map(text::thousands).unwrap_or_default().into(),
            state,
        ]
    }

    fn about(&self) -> Option<About> {
        None
    }

    fn copied(&self) -> String {
        self.fingerprint.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_what_ssh_keygen_prints() {
        let line =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl aiko@center";
        let shown = fingerprint(line).unwrap();
        assert_eq!(shown, "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
        assert_eq!(fingerprint(""), None);
    }
}
