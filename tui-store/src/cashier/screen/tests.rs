//! A cashier's screens on a stage: what is seen from fixed states, and what keys ask for.

use tui_kit::{
    keys::Bindings,
    testing::{SIZES, Stage},
    text,
    time::Zone,
};
use wire::{
    amount::{Amount, Currency},
    id::{EntryNumber, OrderHash, StoreNumber, TelegramId},
    payload::RefundReason,
    text::{Line, Prose},
};

use super::outlines;
use crate::{
    act::{Failure, FailureKind},
    cashier::{
        act::{Act, Outcome},
        app::{Effect, Msg, Till},
        view::{DayView, RightsView, SaleView, ShareView, TillView},
    },
    view::{
        ItemRow, LineRow, Moment, Money, OrderDetail, OrderRow, OrderStanding, OutboxRow, Resolved,
        TelegramState,
    },
};

const LOOKED_AT: [(u16, u16); 3] = [(120, 40), (80, 24), (40, 12)];

/// Every place that keys lead to.
const PLACES: [(&str, &str); 12] = [
    ("orders", ""),
    ("order", "<enter>"),
    ("refund-reason", "<enter>R"),
    ("refund-review", "<enter>R<enter>"),
    ("refund-password", "<enter>R<enter>900<enter>"),
    ("refunds", "2"),
    ("day", "3"),
    ("sell", "4"),
    ("sell-chosen", "4++<down>+"),
    ("sold", "4++<enter>"),
    ("help", "?"),
    ("palette", ":"),
];

fn line(words: &str) -> Line {
    Line::new(words).unwrap()
}

fn yen(minor: u64) -> Money {
    Money::new(Amount::new(minor).unwrap(), Currency::YEN)
}

fn at(minute: u64) -> Moment {
    Moment { unix_ms: 1_795_363_200_000 + minute * 60_000, text: format!("26/11/22 16:{minute:02}") }
}

fn view() -> TillView {
    TillView {
        store: StoreNumber(7),
        store_name: line("桜書店 Sakura Books"),
        name: line("Mori"),
        fingerprint: "1a2b 3c4d 5e6f 7a8b 1a2b 3c4d 5e6f 7a8b".into(),
        currency: Currency::YEN,
        request: "inkan-cashier:ABC".into(),
        rights: Some(RightsView {
            sell: true,
            deliver: true,
            see_day: true,
            refund_limit: yen(5_000),
            left: Some(yen(4_100)),
        }),
        line: "connected".into(),
        connected: true,
        unknown: 1,
    }
}

fn orders() -> Vec<OrderRow> {
    let row = |id: u8, state, goods: &str, total, payment: Option<u64>| OrderRow {
        order: OrderHash([id; 32]),
        state,
        taken: at(id.into()),
        goods: goods.into(),
        total: yen(total),
        payment: payment.map(EntryNumber),
    };
    vec![
        row(3, OrderStanding::Paid, "Garden calendar 庭の暦", 900, Some(103)),
        row(2, OrderStanding::AwaitingPayment, "3 × 桜の写真集", 3_600, None),
        row(1, OrderStanding::Refunded, "A small program", 1_234_567, Some(101)),
    ]
}

fn detail() -> OrderDetail {
    OrderDetail {
        row: orders().remove(0),
        lines: vec![LineRow {
            item: line("calendar"),
            title: line("Garden calendar 庭の暦"),
            quantity: 1,
            unit_price: yen(900),
            size: 123_456,
            file_name: line("calendar.pdf"),
        }],
        note: Prose::new("Please be quick.").unwrap(),
        expires: at(59),
        paid: Some(at(20)),
        delivered: None,
        undeliverable: Some(line("the goods were gone from the shelf")),
        refund: None,
        claim: None,
        sold: None,
    }
}

fn items() -> Vec<ItemRow> {
    let row = |id: &str, title: &str, price| ItemRow {
        id: line(id),
        title: line(title),
        price: yen(price),
        file_name: line("file"),
        size: 1_000,
        tags: Vec::new(),
    };
    vec![row("calendar", "Garden calendar 庭の暦", 900), row("blossom", "桜の写真集", 1_200)]
}

fn sale() -> SaleView {
    SaleView {
        order: OrderHash([4; 32]),
        store: StoreNumber(7),
        code: "7K2M-9QXD".into(),
        total: yen(1_800),
        expires: at(59),
    }
}

/// The sale's order as it stands so.
fn sold(state: OrderStanding) -> OrderDetail {
    let row = OrderRow { order: sale().order, state, total: sale().total, ..orders().remove(1) };
    let payment = (state == OrderStanding::Paid).then_some(EntryNumber(104));
    OrderDetail { row: OrderRow { payment, ..row }, undeliverable: None, ..detail() }
}

fn outbox() -> Vec<OutboxRow> {
    vec![OutboxRow {
        telegram: TelegramId([9; 32]),
        what: "refund of T-000090-6 (500 JPY)".into(),
        state: TelegramState::Unknown,
        words: "sent; the center has not said what became of it".into(),
        number: None,
        prepared: at(12),
        valid_until: None,
    }]
}

fn day() -> DayView {
    let share = |name: &str, refunds, refunded| ShareView {
        name: line(name),
        fingerprint: "1a2b 3c4d 5e6f 7a8b 1a2b 3c4d 5e6f 7a8b".into(),
        offers: 2,
        delivered: 1,
        refunds,
        refunded: yen(refunded),
    };
    DayView {
        day: line("2026-11-22"),
        orders: 14,
        paid: 12,
        paid_total: yen(1_248_947),
        refunds: 1,
        refunded_total: yen(900),
        cashiers: vec![share("Mori", 1, 900), share("佐藤", 0, 0)],
    }
}

fn stage_of(view: TillView, width: u16, height: u16) -> Stage<Till> {
    let mut stage = Stage::new(Till::entered(view, "till", Zone::utc(), Bindings::default()), width, height);
    settle(&mut stage);
    stage
}

fn stage(width: u16, height: u16) -> Stage<Till> {
    stage_of(view(), width, height)
}

/// Answers what a screen asks for when it is opened.
fn settle(stage: &mut Stage<Till>) {
    for effect in stage.effects() {
        let Effect::Do { ticket, act } = effect else { continue };
        let outcome = match act {
            Act::Orders => Outcome::Orders(orders()),
            Act::Order { .. } => Outcome::Order(Box::new(detail())),
            Act::Outbox => Outcome::Outbox(outbox()),
            Act::Day => Outcome::Day(Box::new(day())),
            Act::Items => Outcome::Items(items()),
            Act::Sell { .. } => Outcome::Sale(Box::new(sale())),
            // The buyer is not here yet.
            Act::Await { .. } => continue,
            other => panic!("nobody asked for {other:?}"),
        };
        stage.message(Msg::Done { ticket, result: Box::new(Ok(outcome)), view: Box::new(view()) });
    }
}

fn go(stage: &mut Stage<Till>, script: &str) {
    for key in tui_kit::testing::keys(script) {
        stage.event(tui_kit::Event::Key(key));
        settle(stage);
    }
}

/// The one act that was asked for since the last call.
fn asked(stage: &mut Stage<Till>) -> (super::Ticket, Act) {
    let mut effects = stage.effects();
    assert_eq!(effects.len(), 1, "{effects:?}");
    let Effect::Do { ticket, act } = effects.remove(0) else { panic!() };
    (ticket, act)
}

#[test]
fn every_place_at_every_size() {
    for (name, script) in PLACES {
        for (width, height) in LOOKED_AT {
            let mut stage = stage(width, height);
            go(&mut stage, script);
            let shown = stage.screen();
            for line in shown.lines() {
                assert!(text::width(line) <= usize::from(width), "{name}: {line}");
            }
            insta::assert_snapshot!(format!("{name}-{width}x{height}"), shown);
        }
    }
}

#[test]
fn no_size_is_too_small_or_too_large() {
    for (width, height) in SIZES {
        for (_, script) in PLACES {
            let mut stage = stage(80, 24);
            go(&mut stage, script);
            stage.resize(width, height).screen();
        }
    }
}

#[test]
fn the_door_opens_with_the_password_and_says_when_it_does_not() {
    let mut stage = Stage::new(Till::new("till", Zone::utc(), Bindings::default()), 80, 24);
    insta::assert_snapshot!("door", stage.screen());
    stage.keys("secret<enter>");
    assert!(matches!(stage.effects().as_slice(), [Effect::Unlock(_)]));
    stage.message(Msg::Unlocked(Err("the password is wrong".into())));
    assert!(stage.screen().contains("the password is wrong"), "{}", stage.screen());
    stage.message(Msg::Unlocked(Ok(Box::new(view()))));
    settle(&mut stage);
    assert!(stage.screen().contains("Garden calendar"), "{}", stage.screen());
}

#[test]
fn a_terminal_that_nobody_has_certified_is_told_what_to_do() {
    let nobody = TillView { rights: None, connected: false, line: "not connected".into(), ..view() };
    let mut stage =
        Stage::new(Till::entered(nobody.clone(), "till", Zone::utc(), Bindings::default()), 80, 24);
    let (ticket, _) = asked(&mut stage);
    let failure = Failure::refused("the store has no cashier with this key");
    stage.message(Msg::Done { ticket, result: Box::new(Err(failure)), view: Box::new(nobody) });
    insta::assert_snapshot!("not-certified", stage.screen());
}

#[test]
fn what_may_not_be_done_says_why() {
    let some = TillView {
        rights: Some(RightsView {
            sell: false,
            deliver: false,
            see_day: false,
            refund_limit: yen(0),
            left: None,
        }),
        ..view()
    };
    let mut stage =
        Stage::new(Till::entered(some.clone(), "till", Zone::utc(), Bindings::default()), 100, 30);
    let (ticket, _) = asked(&mut stage);
    stage.message(Msg::Done {
        ticket,
        result: Box::new(Ok(Outcome::Orders(orders()))),
        view: Box::new(some.clone()),
    });
    stage.keys("<enter>");
    let (ticket, _) = asked(&mut stage);
    let result = Box::new(Ok(Outcome::Order(Box::new(detail()))));
    stage.message(Msg::Done { ticket, result, view: Box::new(some) });
    stage.keys("R");
    assert!(stage.screen().contains("you may not give payments back"), "{}", stage.screen());
    stage.keys("d");
    assert!(stage.screen().contains("you may not deliver"), "{}", stage.screen());
    stage.keys("3");
    assert!(stage.effects().is_empty(), "who may not see the day does not ask");
    assert!(stage.screen().contains("see the day's figures"), "{}", stage.screen());
}

#[test]
fn a_refund_takes_the_amount_and_the_password() {
    let mut stage = stage(100, 30);
    go(&mut stage, "<enter>R<enter>1<enter>");
    assert!(stage.screen().contains("Review"), "another amount goes no further: {}", stage.screen());
    go(&mut stage, "<backspace>900<enter>");
    stage.keys("secret<enter>");
    let (ticket, act) = asked(&mut stage);
    let Act::Refund { order, reason, .. } = &act else { panic!("{act:?}") };
    assert_eq!((order.as_str(), *reason), (OrderHash([3; 32]).to_string().as_str(), RefundReason::Agreed));
    let wrong = Failure::new(FailureKind::WrongPassword, "the password is wrong");
    stage.message(Msg::Done { ticket, result: Box::new(Err(wrong)), view: Box::new(view()) });
    assert!(stage.screen().contains("the password is wrong"), "{}", stage.screen());
    stage.keys("right<enter>");
    let (ticket, _) = asked(&mut stage);
    let unknown = Resolved {
        telegram: TelegramId([9; 32]),
        what: "refund of T-000103-2 (900 JPY)".into(),
        state: TelegramState::Unknown,
        words: "the line broke; whether it was entered is unknown until the center says".into(),
        number: None,
        payments: vec![EntryNumber(103)],
        total: Some(yen(900)),
    };
    let result = Box::new(Ok(Outcome::Resolved(vec![unknown])));
    stage.message(Msg::Done { ticket, result, view: Box::new(view()) });
    assert!(stage.screen().contains("r asks again"), "{}", stage.screen());
}

#[test]
fn a_sale_is_made_of_what_was_chosen_and_followed_until_it_is_paid() {
    let mut stage = stage(100, 30);
    go(&mut stage, "4++<down>+-+");
    stage.keys("s");
    let (ticket, act) = asked(&mut stage);
    let Act::Sell { items, .. } = act else { panic!("{act:?}") };
    assert_eq!(items, [("blossom".to_owned(), 1), ("calendar".to_owned(), 2)]);
    let result = Box::new(Ok(Outcome::Sale(Box::new(sale()))));
    stage.message(Msg::Done { ticket, result, view: Box::new(view()) });
    assert!(stage.screen().contains("7K2M-9QXD"), "{}", stage.screen());
    for (state, next, words) in [
        (OrderStanding::AwaitingBuyer, OrderStanding::AwaitingPayment, "taken it up"),
        (OrderStanding::AwaitingPayment, OrderStanding::Paid, "T-000104"),
    ] {
        let (ticket, act) = asked(&mut stage);
        assert!(matches!(act, Act::Await { since, .. } if since == state), "{act:?}");
        let result = Box::new(Ok(Outcome::Order(Box::new(sold(next)))));
        stage.message(Msg::Done { ticket, result, view: Box::new(view()) });
        assert!(stage.screen().contains(words), "{}", stage.screen());
    }
    assert!(stage.effects().is_empty(), "what is paid is not asked about");
}

#[test]
fn an_order_in_sight_follows_its_sale() {
    let mut stage = stage(100, 30);
    go(&mut stage, "4+");
    stage.keys("s");
    let answer = |stage: &mut Stage<_>, ticket, outcome| {
        stage.message(Msg::Done { ticket, result: Box::new(Ok(outcome)), view: Box::new(view()) });
    };
    let (ticket, _) = asked(&mut stage);
    answer(&mut stage, ticket, Outcome::Sale(Box::new(sale())));
    let (awaited, _) = asked(&mut stage);
    stage.keys("o");
    let (ticket, _) = asked(&mut stage);
    answer(&mut stage, ticket, Outcome::Order(Box::new(sold(OrderStanding::AwaitingBuyer))));
    assert!(stage.screen().contains("awaiting buyer"), "{}", stage.screen());
    answer(&mut stage, awaited, Outcome::Order(Box::new(sold(OrderStanding::Paid))));
    assert!(!stage.screen().contains("awaiting buyer"), "{}", stage.screen());
    assert!(stage.screen().contains("T-000104"), "{}", stage.screen());
}

#[test]
fn unknown_refunds_are_asked_about() {
    let mut stage = stage(100, 30);
    go(&mut stage, "2");
    stage.keys("r");
    let (_, act) = asked(&mut stage);
    assert!(matches!(act, Act::Resolve));
}

#[test]
fn the_keys_do_not_collide() {
    assert_eq!(Bindings::default().problems(&outlines()), Vec::<String>::new());
}
