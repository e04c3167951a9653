//! Its documents, operators, kit and keys.

use ledger::request::{Document, OperatorRole};
use wire::id::{Digest, EntryNumber};

use super::{ago, desks, yen};
use crate::{
    acts::{JoiningOutcome, OperatorRow, Outcome, SheetKeyRow, StaffOutcome},
    admission::document::{first, noun},
    inquiry::view::BuildRow,
};

pub(in super::super) const SSH: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl bruno@center";

pub(in super::super) fn document(document: Document) -> Outcome {
    let text = match document {
        Document::Form(_) | Document::Policy => first(document).to_owned(),
        _ => format!("# The {}\n\nWhoever reads this knows it.\n\n- one thing\n- another", noun(document)),
    };
    Outcome::Joining(JoiningOutcome::Document { document, version: 2, entry: EntryNumber(40_001), text })
}

pub(in super::super) fn kit() -> Outcome {
    let row = |program: &str, version: &str| BuildRow {
        program: program.into(),
        platform: "x86_64-unknown-linux-gnu".into(),
        version: version.into(),
        length: 12_345_678,
        digest: Digest([7; 32]),
    };
    Outcome::Joining(JoiningOutcome::Kit {
        number: 4,
        issued: ago(3_600),
        terms: 2,
        builds: vec![row("tui-member", "1.2.3")],
    })
}

pub(in super::super) fn operators() -> Outcome {
    let row = |name: &str, role, ssh_key: &str| OperatorRow {
        name: name.into(),
        role,
        ssh_key: ssh_key.into(),
        can_sign_in: !ssh_key.is_empty(),
    };
    let operators = vec![
        row("aiko", OperatorRole::Supervisor, SSH),
        row("bruno", OperatorRole::Clerk, SSH),
        row("chie", OperatorRole::Admin, ""),
    ];
    Outcome::Staff(StaffOutcome::Operators { operators, four_eyes: desks::four_eyes() })
}

pub(in super::super) fn limits() -> Outcome {
    Outcome::Staff(StaffOutcome::Limits {
        refund_alone: yen(10_000),
        receipt_alone: yen(0),
        four_eyes: desks::four_eyes(),
    })
}

pub(in super::super) fn key_sheet() -> Outcome {
    let row = |role: &str, from_size, until_size| SheetKeyRow {
        role: role.into(),
        fingerprint: "K7QX 2M4P 9RTV ZC5N".into(),
        from_size,
        until_size,
    };
    Outcome::Staff(StaffOutcome::KeySheet {
        number: 2,
        root: "ABCD EFGH IJKL MNOP".into(),
        keys: vec![row("TLS", 0, Some(40_000)), row("TLS", 40_000, None), row("card", 0, None)],
    })
}
