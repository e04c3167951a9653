//! A small center that never changes.

pub(super) mod desks;
pub(super) mod settings;

use ledger::request::OperatorRole;
use tui_kit::{testing::START_UNIX_MS, time::Zone};
use wire::{
    amount::{Amount, Currency},
    bounded::List,
    id::{AccountNumber, CardNumber, EntryNumber, MemberNumber, StoreNumber},
    key::VerificationKey,
    payload::KeyRole,
    receipt::EntryKind,
    sheet::Invitation,
    text::{Line, Prose},
    time::Timestamp,
};

use crate::{
    backup::schedule::BackupView,
    errors::{ErrorLine, Room, Weight},
    guard::GuardCounts,
    inquiry::verify::Verifying,
    inquiry::view::{
        DeskKind, DeskRow, Detail, KeyRow, Light, MemberRow, Moment, Money, Overview, Report, ReportLine,
        ReportStore, Row, StoreRow, TransactionRow,
    },
    operators::Operator,
};

/// Aiko, in a role.
pub(super) fn operator(role: OperatorRole) -> Operator {
    Operator { name: "aiko".into(), role, ssh_key: String::new() }
}

/// So many seconds before the tests begin.
fn ago(seconds: u64) -> Moment {
    let unix_ms = u64::try_from(START_UNIX_MS).unwrap() - seconds * 1000;
    let tokyo = Zone::named("Asia/Tokyo").unwrap();
    let text = tokyo.full(i64::try_from(unix_ms).unwrap());
    Moment { unix_ms, text: text.trim_end_matches(" +09:00").to_owned() }
}

fn yen(minor: u64) -> Money {
    Money::of(Currency::YEN, Amount::new(minor).unwrap())
}

pub(super) fn overview() -> Overview {
    let address = Line::new("center.example:7070").unwrap();
    Overview {
        name: "Sakura Center".into(),
        center: "c0ffee".into(),
        fingerprint: "ABCD EFGH".into(),
        invitation: Invitation { root: VerificationKey([7; 32]), addresses: List::first([address]) },
        currency: Currency::YEN,
        zone: "Asia/Tokyo".into(),
        pid: 4242,
        since: ago(86_400),
        at: ago(0),
        listening: vec!["0.0.0.0:7070".into(), "[::]:7070".into()],
        open: true,
        standing: String::new(),
        light: Light { balanced: true, words: "recomputed over 48213 entries at 2026-11-23 00:59:31".into() },
        backup: BackupView {
            words: "3 h ago".into(),
            proved: Some(ago(10_800)),
            entries: Some(47_000),
            folder: Some("/mnt/backup".into()),
            failed: None,
            alarm: false,
            running: None,
        },
        verifying: Verifying { words: "not verified since the start".into(), ..Verifying::default() },
        entries: 48_213,
        root: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        connections: 1_204,
        logged_in: 1_187,
        stores_here: 23,
        payments_per_second: 51.4,
        payments_recent: (0..60u32).map(|second| 20 + (second * 7) % 45).collect(),
        queue: 3,
        members: 8_120,
        stores: 41,
        cards: 9_003,
        on_cards: yen(123_456_789),
        owed_to_stores: yen(9_876_543),
        at_bank: yen(133_334_332),
        desk: 2,
        applications: 3,
        proposals: 1,
        post: 1,
        guard: GuardCounts {
            connections: 1_204,
            refused_connections: 2,
            refused_requests: 31,
            wrong_logins: 5,
            locked: 1,
        },
        newest: transactions(),
    }
}

pub(super) fn transactions() -> Vec<TransactionRow> {
    let (member, store) = (MemberNumber(17), StoreNumber(3));
    let row = |number: u64, seconds, kind, words: &str, amount: Option<u64>, refused| TransactionRow {
        number: EntryNumber(number),
        at: ago(seconds),
        kind,
        words: words.into(),
        amount: amount.map(yen),
        member: Some(member),
        store: (kind == EntryKind::Payment).then_some(store),
        card: Some(CardNumber(21)),
        refused,
    };
    vec![
        row(48_212, 1, EntryKind::Payment, &format!("{member} pays {store}"), Some(1_980), false),
        row(
            48_211,
            3,
            EntryKind::Payment,
            &format!("{member} pays {store}: refused, the card holds too little"),
            Some(99_000),
            true,
        ),
        row(48_210, 75, EntryKind::CardRequest, &format!("{member} asks for a card"), Some(5_000), false),
        row(48_209, 90_000, EntryKind::Registration, &format!("a member registers: {member}"), None, false),
    ]
}

pub(super) fn members() -> Vec<MemberRow> {
    let row = |number, name: &str, email: &str, frozen| MemberRow {
        member: MemberNumber(number),
        name: name.into(),
        email: email.into(),
        phone: "+81 3 1234 5678".into(),
        cards: 1,
        balance: yen(number * 1_234),
        registered: ago(86_400 * number),
        frozen,
    };
    vec![
        row(17, "山田 花子", "hanako@garden.example", false),
        row(16, "Bruno Almeida-Nascimento dos Santos", "bruno@mar.example", true),
        row(15, "", "", false),
    ]
}

pub(super) fn stores() -> Vec<StoreRow> {
    let row = |number, name: &str, here| StoreRow {
        store: StoreNumber(number),
        name: name.into(),
        contact: "佐藤 健".into(),
        email: "shop@books.example".into(),
        owed: yen(number * 400_000),
        here,
        registered: ago(86_400 * 30),
        frozen: false,
    };
    vec![row(3, "佐藤書店 Sato Books", true), row(2, "Corner Shop", false)]
}

pub(super) fn keys() -> Vec<KeyRow> {
    let row = |role, entry, in_force| KeyRow {
        account: AccountNumber::Member(MemberNumber(17)),
        role,
        key: "ab".repeat(32),
        fingerprint: "K7QX 2M4P 9RTV ZC5N".into(),
        entry: EntryNumber(entry),
        in_force,
    };
    vec![
        row(KeyRole::Signature, 48_209, true),
        row(KeyRole::Terminal, 48_209, true),
        row(KeyRole::Signature, 40_000, false),
    ]
}

pub(super) fn desk() -> Vec<DeskRow> {
    let row = |number, kind, words: &str, request, waiting| DeskRow {
        number: EntryNumber(number),
        kind,
        at: ago(4_000),
        amount: yen(4_900),
        words: words.into(),
        reference: "RF18 5390 0754 7034".into(),
        payer: "YAMADA HANAKO, 0009/202/7654321".into(),
        request,
        waiting,
    };
    vec![
        row(
            48_100,
            DeskKind::Unmatched,
            &format!(
                "Money came in: too little for card request {}, which asks for 5,000 JPY.",
                EntryNumber(48_090)
            ),
            Some(EntryNumber(48_090)),
            true,
        ),
        row(48_050, DeskKind::Duplicate, "The bank told B-17 again in another notice.", None, false),
        row(
            48_010,
            DeskKind::Unmatched,
            "Money came in: no card request has this reference. It went back.",
            None,
            false,
        ),
    ]
}

pub(super) fn errors() -> Vec<ErrorLine> {
    let line = |seconds: u64, room, weight, words: &str| ErrorLine {
        at: Timestamp(ago(seconds).unix_ms),
        room,
        weight,
        words: Prose::new(words).unwrap(),
    };
    vec![
        line(
            30,
            Room::Books,
            Weight::Alarm,
            "The journal could not be written: no space left on the device. Payments are stopped.",
        ),
        line(400, Room::Bank, Weight::Warning, "The file notice-7.xml is no camt.054; it lies in inbox/bad."),
        line(86_000, Room::Program, Weight::Note, "The center serves on 0.0.0.0:7070."),
    ]
}

pub(super) fn report() -> Report {
    Report {
        day: "2026-11-23".into(),
        from: ago(3_600),
        until: ago(0),
        kinds: vec![
            ReportLine { kind: EntryKind::Registration, count: 3, sum: yen(0) },
            ReportLine { kind: EntryKind::Payment, count: 12_345, sum: yen(23_456_789) },
        ],
        stores: vec![
            ReportStore {
                store: StoreNumber(3),
                name: "佐藤書店 Sato Books".into(),
                payments: 12_000,
                paid: yen(23_000_000),
                refunds: 1,
                refunded: yen(1_980),
            },
            ReportStore {
                store: StoreNumber(2),
                name: "Corner Shop".into(),
                payments: 345,
                paid: yen(456_789),
                refunds: 0,
                refunded: yen(0),
            },
        ],
        refused: 17,
        complete: true,
        four_eyes_off: Vec::new(),
    }
}

pub(super) fn member() -> Detail {
    let card = format!("{}: 20,978 JPY", CardNumber(21));
    Detail {
        title: format!("Member {}", MemberNumber(17)),
        frozen: Some(false),
        rows: vec![
            Row::new("Number", MemberNumber(17)),
            Row::new("State", "in good standing"),
            Row::new("Registered", format!("2026-11-06 01:00:00 by {}", EntryNumber(48_209))),
            Row::new("Name", "山田 花子"),
            Row::new("Address", "東京都千代田区千代田1-1\n100-0001"),
            Row::new("Signature key", format!("K7QX 2M4P 9RTV ZC5N since {}", EntryNumber(48_209))),
            Row::new("Card", card),
        ],
        history: transactions(),
    }
}

/// The newest payment in full.
pub(super) fn payment() -> Detail {
    Detail {
        title: format!("Transaction {}", EntryNumber(48_212)),
        frozen: None,
        rows: vec![
            Row::new("Number", EntryNumber(48_212)),
            Row::new("What", format!("{} pays {}", MemberNumber(17), StoreNumber(3))),
            Row::new("Payment", "open: neither claimed nor refunded"),
        ],
        history: Vec::new(),
    }
}
