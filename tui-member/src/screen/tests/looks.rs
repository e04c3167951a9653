//! How the screens look at the three sizes, and that none falls over at any.

use std::time::Duration;

use tui_kit::{Abilities, session::Depth, testing::SIZES};

use super::fixture::*;
use crate::{
    act::{Failure, Outcome},
    app::{Door, Msg},
    view::{PurchaseState, Transfer},
};

/// The sizes that are looked at.
const LOOKED_AT: [(u16, u16); 3] = [(120, 40), (80, 24), (40, 12)];

/// Gets to a screen at a size.
type Open = fn(u16, u16) -> Stand;

/// Every screen, and how one gets there.
const SCREENS: [(&str, Open); 18] = [
    ("unlock", |width, height| at_the_door(Door::Locked, width, height)),
    ("join", |width, height| at_the_door(Door::Empty, width, height)),
    ("join-center", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        stand.paste(&invitation().to_string()).keys("<enter>").message(Msg::Met(Ok(Box::new(welcome()))));
        stand
    }),
    ("join-particulars", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        stand.paste(&invitation().to_string()).keys("<enter>").message(Msg::Met(Ok(Box::new(welcome()))));
        stand.keys("<enter>horse battery<tab>horse battery<tab>staple cloud<tab>staple cloud<tab><enter>");
        stand.keys("山田花子<tab>東京都千代田区1-1<tab>1990-13-01<tab>");
        stand
    }),
    ("join-review", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        to_review(&mut stand);
        stand
    }),
    ("home-empty", |width, height| at_home(newcomer(), width, height)),
    ("home", |width, height| at_home(full(), width, height)),
    ("cards", |width, height| {
        let mut stand = at_home(full(), width, height);
        stand.keys("2");
        stand
    }),
    ("funding", |width, height| {
        let mut stand = at_home(full(), width, height);
        stand.keys("2G<enter>");
        stand
    }),
    ("stores", |width, height| {
        let mut stand = at_home(full(), width, height);
        stand.keys("3");
        answer(&mut stand, "Stores", Ok(Outcome::Stores(stores())));
        stand
    }),
    ("catalogue", |width, height| {
        let mut stand = at_home(full(), width, height);
        to_catalogue(&mut stand);
        stand.keys("a");
        stand.pass(Duration::from_secs(10));
        stand
    }),
    ("cart", |width, height| {
        let mut stand = at_home(full(), width, height);
        to_catalogue(&mut stand);
        stand.keys("aja+o");
        stand.pass(Duration::from_secs(10));
        stand
    }),
    ("pay-review", |width, height| {
        let mut stand = at_home(full(), width, height);
        to_offer(&mut stand);
        stand
    }),
    ("pay-waiting", |width, height| {
        let mut stand = at_home(full(), width, height);
        to_offer(&mut stand);
        stand.keys("staple cloud<enter>");
        see(&mut stand, full(), |snapshot| {
            snapshot.purchases[1] = purchase(ORDER, "佐藤商店", "俳句集", 1_500, PurchaseState::Signed, None);
        });
        stand.pass(Duration::from_secs(3));
        stand
    }),
    ("history", |width, height| {
        let mut stand = at_home(full(), width, height);
        stand.keys("5");
        stand
    }),
    ("purchase", |width, height| {
        let mut stand = at_home(full(), width, height);
        to_purchase(&mut stand);
        stand
    }),
    ("purchase-fetching", |width, height| {
        let mut stand = at_home(full(), width, height);
        to_purchase(&mut stand);
        stand.keys("f").message(Msg::Transfers(vec![Transfer {
            order: ORDER,
            file_name: line("俳句集.pdf"),
            done: 1_200_000,
            total: 4_000_000,
            rate: 300_000,
            left_ms: Some(9_333),
        }]));
        stand
    }),
    ("outbox", |width, height| {
        let mut stand = at_home(full(), width, height);
        stand.keys("6");
        stand
    }),
];

pub(super) fn to_review(stand: &mut Stand) {
    stand.paste(&invitation().to_string()).keys("<enter>").message(Msg::Met(Ok(Box::new(welcome()))));
    stand.keys("<enter>horse battery<tab>horse battery<tab>staple cloud<tab>staple cloud<tab><enter>");
    stand
        .keys("山田花子<tab>東京都千代田区1-1<tab>1990-12-31<tab>hanako@example.org<tab><tab><enter><enter>");
}

pub(super) fn to_catalogue(stand: &mut Stand) {
    stand.keys("3");
    answer(stand, "Stores", Ok(Outcome::Stores(stores())));
    stand.keys("<enter>");
    answer(stand, "Items", Ok(Outcome::Items(items())));
}

pub(super) fn to_offer(stand: &mut Stand) {
    to_catalogue(stand);
    stand.keys("ajao");
    stand.effects();
    stand.keys("o").pass(Duration::from_secs(10));
    answer(stand, "Order", Ok(Outcome::Offered(Box::new(offered()))));
}

pub(super) fn to_purchase(stand: &mut Stand) {
    stand.keys("5j<enter>");
    answer(stand, "Purchase", Ok(Outcome::Purchase(Box::new(detail(PurchaseState::Settled)))));
    answer(
        stand,
        "ExportReceipt",
        Ok(Outcome::Receipt(crate::view::Exported {
            number: wire::id::EntryNumber(42),
            content: "{}".into(),
        })),
    );
    answer(stand, "VerifyReceipt", Ok(Outcome::Verification(verification())));
}

#[test]
fn every_screen_looks_as_it_did() {
    for (name, open) in SCREENS {
        for (width, height) in LOOKED_AT {
            insta::assert_snapshot!(format!("{name}-{width}x{height}"), open(width, height).screen());
        }
    }
}

#[test]
fn no_screen_falls_over_at_any_size() {
    for (_, open) in SCREENS {
        let mut stand = open(80, 24);
        for (width, height) in SIZES {
            stand.resize(width, height).screen();
            stand.keys("?").screen();
            stand.keys("<esc>").screen();
        }
    }
}

#[test]
fn without_colour_and_unicode_the_words_still_say_it() {
    let mut stand = at_home(full(), 80, 24);
    stand.abilities = Abilities { depth: Depth::None, unicode: false, ..Abilities::default() };
    let shown = stand.screen();
    for words in ["! frozen", "outcome unknown", "settled", "refused"] {
        assert!(shown.contains(words), "{words} is missing in\n{shown}");
    }
}

#[test]
fn japanese_names_line_up() {
    let shown = at_home(full(), 80, 24).keys("5").screen();
    let ends: Vec<usize> = shown
        .lines()
        .filter_map(|line| line.find(" JPY").map(|at| tui_kit::text::width(&line[..at])))
        .collect();
    assert_eq!(ends.len(), 4);
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?} in\n{shown}");
}

#[test]
fn a_closed_center_is_said_in_words() {
    let mut stand = at_home(newcomer(), 80, 24);
    stand.keys("3");
    answer(&mut stand, "Stores", Err(Failure::offline("the center is not reached at center.example:7070")));
    assert!(stand.screen().contains("not reached"), "{}", stand.screen());
    stand.keys("r");
    answer(&mut stand, "Stores", Ok(Outcome::Stores(Vec::new())));
    assert!(stand.screen().contains("no store has joined"), "{}", stand.screen());
}
