//! What waits on its desks.

use ledger::request::OperatorRole;
use wire::{
    id::{AccountNumber, ApplicationNumber, EntryNumber, MemberNumber, Role, TelegramId},
    time::Timestamp,
};

use super::ago;
use crate::{
    acts::{
        FourEyes, JoiningOutcome, Outcome, PeopleOutcome, PersonRow, ProposalRow, ProposedText, StaffOutcome,
    },
    books::cabinet::index::Who,
    inquiry::view::{ApplicationDetail, ApplicationRow, Detail, Row, Sameness},
    lines::postman::{Kind, LineState, PostState, State},
};

/// As the center lists them: the newest first.
pub(in super::super) fn applications() -> Vec<ApplicationRow> {
    let row = |number, role, state: &str, words: &str, seconds| ApplicationRow {
        number: ApplicationNumber(number),
        version: TelegramId([7; 32]),
        role,
        state: state.into(),
        words: words.into(),
        received: ago(seconds),
        since: ago(seconds),
        name: "h*****".into(),
        email: "h*****@garden.example".into(),
        same: Vec::new(),
        replaces: None,
        account: None,
    };
    let member = AccountNumber::Member(MemberNumber(17));
    vec![
        ApplicationRow {
            same: vec![Sameness { what: "e-mail address".into(), who: member.to_string() }],
            ..row(7, Role::Member, "waiting", "waits for a decision", 90)
        },
        ApplicationRow {
            account: Some(AccountNumber::Member(MemberNumber(18))),
            ..row(6, Role::Member, "admitted", "admitted; number and code go by e-mail", 7_000)
        },
        ApplicationRow {
            replaces: Some(member),
            ..row(5, Role::Member, "waiting", "waits for a decision", 200_000)
        },
        row(4, Role::Store, "waiting", "waits for a decision", 90_000),
    ]
}

pub(in super::super) fn application(number: ApplicationNumber) -> ApplicationDetail {
    let application = applications().into_iter().find(|row| row.number == number).unwrap();
    ApplicationDetail {
        application,
        key: "ab".repeat(32),
        fingerprint: "K7QX 2M4P 9RTV ZC5N".into(),
        terminal: "9RTV ZC5N K7QX 2M4P".into(),
        decided: None,
        fields: Vec::new(),
        post: Vec::new(),
    }
}

/// The same with what was filled in.
pub(in super::super) fn revealed(number: ApplicationNumber) -> ApplicationDetail {
    let fields = vec![Row::new("Name", "山田 花子"), Row::new("E-mail", "hanako@garden.example")];
    ApplicationDetail { fields, ..application(number) }
}

pub(in super::super) fn post() -> Outcome {
    let item = |number, kind: Kind, state, words: &str| PostState {
        name: kind.name(EntryNumber(number)),
        kind,
        entry: EntryNumber(number),
        to_masked: "h*****@garden.example".into(),
        since: Timestamp(ago(600).unix_ms),
        tries: 3,
        last_words: words.into(),
        next_try: (state == State::Waiting).then(|| Timestamp(ago(0).unix_ms + 60_000)),
        state,
    };
    let post = vec![
        item(48_205, Kind::Mail, State::Accepted, "250 2.0.0 queued"),
        item(48_206, Kind::Mail, State::Failed, "550 5.1.1 no such mailbox"),
        item(48_207, Kind::Letter, State::Waiting, "the printer does not answer"),
    ];
    let line = |kind, on, trouble: Option<&str>| LineState {
        kind,
        on,
        way: "mail.center.example:587".into(),
        last_sign: None,
        trouble: trouble.map(Into::into),
        waiting: 1,
        failed: 1,
    };
    let lines = vec![line(Kind::Mail, true, Some("it refused the login")), line(Kind::Letter, false, None)];
    Outcome::Joining(JoiningOutcome::Post { post, lines })
}

/// The entry that intends a letter.
pub(in super::super) fn admission() -> Detail {
    let words = format!("aiko admits {}: as {}", ApplicationNumber(6), MemberNumber(18));
    Detail {
        title: "Transaction".into(),
        frozen: None,
        rows: vec![Row::new("What", words)],
        history: Vec::new(),
    }
}

pub(in super::super) fn people() -> Outcome {
    let row = |who, words: &str| PersonRow { who, words: words.into(), since: Some(ago(86_400)) };
    let people = vec![
        row(Who::Account(AccountNumber::Member(MemberNumber(17))), "member"),
        row(Who::Application(ApplicationNumber(7)), "applies as member"),
    ];
    Outcome::People(PeopleOutcome::Found { people })
}

/// One of them; the second changes a text.
pub(in super::super) fn proposal(number: EntryNumber) -> Outcome {
    let row = rows().into_iter().find(|row| row.number == number).unwrap();
    let document = row.words.contains("terms").then(|| ProposedText {
        document: "terms of use".into(),
        version: 3,
        former: "# Terms\n\nBe kind.\nPay in time.".into(),
        text: "# Terms\n\nBe kind.\nPay within 30 days.".into(),
    });
    Outcome::Staff(StaffOutcome::Proposal { proposal: row, document })
}

/// One that Aiko has proposed, and one of another operator's.
pub(in super::super) fn proposals() -> Outcome {
    Outcome::Staff(StaffOutcome::Proposals { proposals: rows(), four_eyes: four_eyes() })
}

fn rows() -> Vec<ProposalRow> {
    let row = |number, by: &str, words: &str, role| ProposalRow {
        number: EntryNumber(number),
        by: by.into(),
        words: words.into(),
        role,
        until: ago(0),
    };
    let payment = EntryNumber(48_212);
    vec![
        row(48_199, "bruno", &format!("bruno refunds {payment}: broken on arrival"), OperatorRole::Clerk),
        row(48_200, "aiko", "aiko puts version 3 of the terms of use in force", OperatorRole::Admin),
    ]
}

pub(in super::super) fn four_eyes() -> Vec<FourEyes> {
    let row =
        |acts: &str, role, operators| FourEyes { acts: acts.into(), role, operators, on: operators >= 2 };
    vec![
        row("refunds by the center above the limit", OperatorRole::Clerk, 2),
        row("settings, documents, limits and operators", OperatorRole::Admin, 1),
    ]
}
