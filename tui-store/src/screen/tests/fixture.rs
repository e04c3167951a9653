//! A store in the middle of a day.

use std::{path::PathBuf, sync::Arc};

use tui_kit::{testing::Stage, time::Zone};
use vault::{
    Autograph, RecoveryPhrase,
    autograph::{Point, Stroke},
};
use wire::{
    amount::{Amount, Currency},
    id::{EntryNumber, OrderHash, StoreNumber, TelegramId},
    receipt::PayoutState,
    text::{Line, Prose},
};

use crate::{
    act::{Act, Failure, Outcome},
    app::{Effect, Entered, Msg, Place, Preferences, Store, Ticket},
    view::{
        CatalogueView, CenterRow, Claimable, ClaimableRow, CounterView, ItemRow, KeyEventRow, KeyRow,
        KeysView, LineRow, LineView, MessageRow, Moment, Money, OrderDetail, OrderRow, OrderStanding,
        OutboxRow, PayoutRow, RecoveryRow, RefundRow, Snapshot, StandingCount, TelegramState,
    },
};

pub(super) fn line(words: &str) -> Line {
    Line::new(words).unwrap()
}

pub(super) fn prose(words: &str) -> Prose {
    Prose::new(words).unwrap()
}

pub(super) fn yen(minor: u64) -> Money {
    Money::new(Amount::new(minor).unwrap(), Currency::YEN)
}

pub(super) fn at(minute: u64) -> Moment {
    Moment { unix_ms: 1_795_363_200_000 + minute * 60_000, text: format!("26/11/22 16:{minute:02}") }
}

pub(super) fn place() -> Place {
    Place { profile: "shop".into(), zone: Zone::utc() }
}

pub(super) const PAID: u8 = 2;

fn order(id: u8, state: OrderStanding, goods: &str, total: u64) -> OrderRow {
    let payment = !matches!(state, OrderStanding::AwaitingPayment | OrderStanding::Expired);
    OrderRow {
        order: OrderHash([id; 32]),
        state,
        taken: at(id.into()),
        goods: goods.into(),
        total: yen(total),
        payment: payment.then(|| EntryNumber(100 + u64::from(id))),
    }
}

pub(super) fn orders() -> Vec<OrderRow> {
    vec![
        order(6, OrderStanding::AwaitingPayment, "桜の写真集", 1_200),
        order(5, OrderStanding::Delivered, "A small program", 480),
        order(4, OrderStanding::RefundDue, "季節の便り (document)", 12_000),
        order(3, OrderStanding::Claimed, "3 × Garden calendar, 桜の写真集 and 2 more", 1_234_567),
        order(PAID, OrderStanding::Paid, "Garden calendar", 900),
    ]
}

pub(super) fn detail(id: u8) -> OrderDetail {
    let row = orders().into_iter().find(|row| row.order == OrderHash([id; 32])).unwrap();
    OrderDetail {
        lines: vec![LineRow {
            item: line("calendar"),
            title: line("Garden calendar 庭の暦"),
            quantity: 1,
            unit_price: row.total.clone(),
            size: 123_456,
            file_name: line("calendar.pdf"),
        }],
        note: prose("Please be quick."),
        expires: at(59),
        paid: row.payment.map(|_| at(20)),
        delivered: None,
        undeliverable: (row.state == OrderStanding::RefundDue)
            .then(|| line("the goods are gone from the shelf")),
        refund: None,
        claim: None,
        sold: None,
        row,
    }
}

pub(super) fn claimable() -> Claimable {
    let row = |id: u8, total| ClaimableRow {
        payment: EntryNumber(100 + u64::from(id)),
        order: OrderHash([id; 32]),
        total: yen(total),
        delivered: at(30),
    };
    Claimable { total: yen(1_235_047), payments: vec![row(5, 480), row(7, 1_234_567)] }
}

pub(super) fn snapshot() -> Snapshot {
    let item = |id: &str, title: &str, price, file: &str, size| ItemRow {
        id: line(id),
        title: line(title),
        price: yen(price),
        file_name: line(file),
        size,
        tags: vec![line("garden"), line("庭")],
    };
    let orders = orders();
    let standings = OrderStanding::ALL.map(|state| StandingCount {
        state,
        count: orders.iter().filter(|row| row.state == state).count().try_into().unwrap(),
    });
    Snapshot {
        generation: 1,
        store: Some(StoreNumber(1)),
        name: line("Sakura Press 桜"),
        center: Some(CenterRow {
            name: line("Garden Club"),
            fingerprint: "ABCD-EFGH-IJKL-MNOP".into(),
            currency: Currency::YEN,
            zone: line("Asia/Tokyo"),
            help: line("help@garden.example"),
            addresses: vec!["center.example:7000".into()],
            sheet: 1,
        }),
        line: LineView::Connected { address: "center.example:7000".into(), since: at(0), payments: true },
        counter: CounterView {
            listening: vec!["0.0.0.0:7100".into()],
            announced: vec!["shop.example:7100".into()],
            visitors: 2,
        },
        catalogue: Arc::new(CatalogueView {
            folder: PathBuf::from("/srv/shop/catalogue"),
            items: vec![
                item("calendar", "Garden calendar 庭の暦", 900, "calendar.pdf", 123_456),
                item("photos", "桜の写真集", 1_200, "sakura.png", 9_876_543),
                item("program", "A small program", 480, "program.py", 812),
            ],
            faults: vec!["catalogue.toml, line 12: item “seeds”: the price must be more than 0".into()],
            loaded: Some(at(1)),
        }),
        standings: standings.to_vec(),
        today: yen(1_248_947),
        today_payments: 4,
        unclaimed: yen(13_380),
        claimable: yen(1_235_047),
        orders,
        refunds: vec![
            RefundRow {
                payment: EntryNumber(104),
                total: yen(12_000),
                paid: at(20),
                why: "the goods are gone from the shelf".into(),
                unknown: false,
            },
            RefundRow {
                payment: EntryNumber(90),
                total: yen(500),
                paid: at(9),
                why: "it fits no order".into(),
                unknown: true,
            },
        ],
        payouts: vec![PayoutRow {
            claim: EntryNumber(80),
            claimed: at(10),
            payments: 3,
            total: yen(1_234_567),
            state: Some(PayoutState::Paid),
            words: "paid".into(),
            at: Some(at(15)),
        }],
        outbox: vec![OutboxRow {
            telegram: TelegramId([9; 32]),
            what: "refund of T-000090-6".into(),
            state: TelegramState::Unknown,
            words: "sent; the center has not said what became of it".into(),
            number: None,
            prepared: at(12),
            valid_until: Some(at(50)),
        }],
        messages: vec![MessageRow {
            at: at(2),
            words: prose("Payment T-000090-6 fits no order; a refund is due."),
        }],
        findings: Vec::new(),
        alarm: None,
        recovery: Some(recovery()),
        copy_due: false,
        newer: Vec::new(),
        signing_until: None,
        seal: Some(Arc::new(autograph())),
    }
}

pub(super) fn recovery() -> RecoveryRow {
    RecoveryRow { key: "RECO-VERY".into(), made: at(1), confirmed: true, proved: Some(at(3)) }
}

/// A drawn seal of one stroke.
pub(super) fn autograph() -> Autograph {
    let point = |i: u16| Point { x: i * 1_600, y: i.abs_diff(20) * 3_000, ms: u32::from(i) * 10 };
    Autograph::new(vec![Stroke { points: (0..40).map(point).collect() }], None).unwrap()
}

pub(super) fn keys() -> KeysView {
    let key = |role: &str, key: &str, waits: Option<&str>, words: &str| KeyRow {
        role: role.into(),
        key: Some(key.into()),
        waits: waits.map(str::to_owned),
        words: words.into(),
    };
    let event = |entry, role: &str, key: &str, words: &str| KeyEventRow {
        entry: EntryNumber(entry),
        role: role.into(),
        key: Some(key.into()),
        words: words.into(),
    };
    KeysView {
        keys: vec![
            key("signature", "SIGN-ATUR", None, "in force since T-000044-0"),
            key("terminal", "TERM-INAL", None, "in force since T-000003-5"),
            key("recovery", "RECO-VERY", Some("NEXT-RECO"), "in force since T-000003-5"),
        ],
        chain: vec![
            event(3, "signature", "OLDS-IGNA", "first signature key"),
            event(3, "terminal", "TERM-INAL", "first terminal key"),
            event(3, "recovery", "RECO-VERY", "first recovery key"),
            event(44, "signature", "SIGN-ATUR", "new signature key"),
        ],
        recovery: Some(recovery()),
        waiting: Some(("NEXT-RECO".into(), at(40))),
        held: None,
        deposited: Some(at(5)),
        copy_due: true,
        locked: true,
    }
}

/// A phrase.
pub(super) fn phrase() -> Arc<RecoveryPhrase> {
    let words = "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor \
                 acoustic avoid letter advice cage absurd amount doctor acoustic bless";
    Arc::new(RecoveryPhrase::parse(&words.into()).unwrap())
}

/// The screens of an open store.
pub(super) fn stage(width: u16, height: u16) -> Stage<Store> {
    stage_of(snapshot(), width, height)
}

pub(super) fn stage_of(snapshot: Snapshot, width: u16, height: u16) -> Stage<Store> {
    let entered = Entered { snapshot: Some(Arc::new(snapshot)), standing: None, seal: None };
    let mut stage = Stage::new(
        Store::entered(entered, place(), Preferences::default(), Default::default()),
        width,
        height,
    );
    assert!(matches!(stage.effects().as_slice(), [Effect::Serve]), "a store opens its counter by itself");
    stage
}

/// The one act that was asked for since the last call.
pub(super) fn asked(stage: &mut Stage<Store>) -> (Ticket, Act) {
    let mut acts: Vec<(Ticket, Act)> = stage
        .effects()
        .into_iter()
        .filter_map(|effect| if let Effect::Do { ticket, act } = effect { Some((ticket, act)) } else { None })
        .collect();
    assert_eq!(acts.len(), 1, "one act is asked for: {acts:?}");
    acts.remove(0)
}

pub(super) fn answer(stage: &mut Stage<Store>, ticket: Ticket, result: Result<Outcome, Failure>) {
    stage.message(Msg::Done { ticket, result: Box::new(result) });
}

/// Answers what a screen asks for when it is opened.
pub(super) fn settle(stage: &mut Stage<Store>) {
    for effect in stage.effects() {
        if let Effect::Do { ticket, act } = effect {
            let outcome = match act {
                Act::Keys => Outcome::Keys(Box::new(keys())),
                Act::Claimable => Outcome::Claimable(claimable()),
                Act::Order { order } => {
                    let id = u8::from_str_radix(&order[..2], 16).unwrap();
                    Outcome::Order(Box::new(detail(id)))
                }
                Act::Orders { .. } => Outcome::Orders(orders()),
                other => panic!("nobody asked for {other:?}"),
            };
            answer(stage, ticket, Ok(outcome));
        }
    }
}
