//! How the screens look at the three sizes, and that none falls over at any.

use std::time::Duration;

use tui_kit::{Abilities, session::Depth, testing::SIZES};

use super::fixture::*;
use wire::{
    admission::ApplicationState,
    id::{Digest, EntryNumber, MemberNumber},
};

use crate::{
    act::{Failure, Outcome},
    app::{Door, Msg, Progress},
    join::{Joined, Stage},
    view::{About, AlarmRow, PurchaseState, Snapshot, Transfer},
};

/// The sizes that are looked at.
const LOOKED_AT: [(u16, u16); 3] = [(120, 40), (80, 24), (40, 12)];

/// Gets to a screen at a size.
type Open = fn(u16, u16) -> Stand;

/// Every screen, and how one gets there.
const SCREENS: [(&str, Open); 39] = [
    ("unlock", |width, height| at_the_door(Door::Locked, width, height)),
    ("first", |width, height| at_the_door(Door::Empty, width, height)),
    ("join", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        stand.keys("<enter>");
        stand
    }),
    ("replace", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        stand.keys("l").paste(&invitation().to_string()).keys("<tab>M-0");
        stand
    }),
    ("set-aside", |width, height| {
        let mut stand = at_the_door(Door::Locked, width, height);
        stand.keys("<ctrl-r>");
        stand
    }),
    ("keys-new-phrase", |width, height| {
        let mut stand = at_home(newcomer(), width, height);
        stand.keys("9");
        answer(&mut stand, "Custody", Ok(Outcome::Keys(Box::new(keys_view()))));
        stand.keys("p");
        stand
    }),
    ("home-held", |width, height| {
        let mut snapshot = newcomer();
        snapshot.custody.held = Some(moment("26/11/25 15:59"));
        snapshot.custody.recovery.proved = None;
        at_home(snapshot, width, height)
    }),
    ("join-guide", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        to_guide(&mut stand);
        stand
    }),
    ("join-center", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        to_guide(&mut stand);
        stand.keys("<enter>");
        stand
    }),
    ("join-particulars", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        to_guide(&mut stand);
        stand.keys("<enter><enter>山田花子<tab>東京都千代田区1-1<tab>1990-13-01<tab>");
        stand
    }),
    ("join-passwords", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        to_passwords(&mut stand);
        stand.keys("password1");
        stand
    }),
    ("join-autograph", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        to_autograph(&mut stand);
        stand
    }),
    ("join-pad", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        to_autograph(&mut stand);
        stand.keys("<enter><space><right><right><right><right><down><down><down><left><left>");
        stand
    }),
    ("join-phrase", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        to_autograph(&mut stand);
        stand.keys("s<enter>").message(Msg::Phrase(fresh()));
        stand
    }),
    ("join-asked-back", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        to_autograph(&mut stand);
        stand.keys("s<enter>").message(Msg::Phrase(fresh()));
        stand.screen();
        stand.keys("<pgdn>").screen();
        stand.keys("<enter>adv");
        stand
    }),
    ("join-review", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        to_review(&mut stand);
        stand
    }),
    ("applied", |width, height| at_application(applied(ApplicationState::Waiting), width, height)),
    ("applied-terms", |width, height| {
        let mut stand = at_application(applied(ApplicationState::Waiting), width, height);
        stand.keys("<enter>");
        stand
    }),
    ("applied-number", |width, height| {
        let mut stand = at_application(applied(ApplicationState::Waiting), width, height);
        stand.keys("<enter><enter>M-000001-3<tab>7k2m9q");
        stand
    }),
    ("register-review", |width, height| {
        let mut stand = at_application(applied(ApplicationState::Waiting), width, height);
        to_registration(&mut stand);
        stand
    }),
    ("welcome", |width, height| {
        let mut stand = at_application(applied(ApplicationState::Waiting), width, height);
        stand.message(Msg::Joining(Ok(entered_as_member())));
        stand
    }),
    ("restore-phrase", |width, height| {
        let mut stand = at_the_door(Door::Empty, width, height);
        stand.keys("r").paste(&invitation().to_string()).keys("<enter>");
        stand.paste("letter advice kage absurd amount doctor").keys("<tab>");
        stand
    }),
    ("keys", |width, height| {
        let mut stand = at_home(newcomer(), width, height);
        stand.keys("9");
        answer(&mut stand, "Custody", Ok(Outcome::Keys(Box::new(keys_view()))));
        stand
    }),
    ("keys-rotate", |width, height| {
        let mut stand = at_home(Snapshot { seal: Some(drawing()), ..newcomer() }, width, height);
        stand.keys("9");
        answer(&mut stand, "Custody", Ok(Outcome::Keys(Box::new(keys_view()))));
        stand.keys("t");
        stand
    }),
    ("alarm", |width, height| {
        let mut stand = at_home(newcomer(), width, height);
        see(&mut stand, newcomer(), alarmed);
        stand
    }),
    ("settings", |width, height| {
        let mut stand = at_home(newcomer(), width, height);
        stand.keys("8");
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

pub(super) fn to_guide(stand: &mut Stand) {
    stand.keys("<enter>").paste(&invitation().to_string()).keys("<enter>");
    stand.message(Msg::Met(Ok(Box::new(welcome()))));
}

pub(super) fn to_passwords(stand: &mut Stand) {
    to_guide(stand);
    stand.keys(
        "<enter><enter>山田花子<tab>東京都千代田区1-1<tab>1990-12-31<tab>hanako@example.org<tab><tab><enter>",
    );
}

pub(super) fn to_autograph(stand: &mut Stand) {
    to_passwords(stand);
    stand.keys("horse battery nine<tab>horse battery nine<tab>staple cloud seven<tab>staple cloud seven<tab><tab><enter>");
}

pub(super) fn to_review(stand: &mut Stand) {
    to_autograph(stand);
    stand.keys("s<enter>").message(Msg::Phrase(fresh()));
    stand.screen();
    stand.keys("<pgdn>").screen();
    stand.keys("<pgdn>").screen();
    stand.keys("<enter>advice<tab>cage<tab>bless<enter>");
    stand.effects();
}

pub(super) fn to_registration(stand: &mut Stand) {
    stand.keys("<enter><enter>M-000001-3<tab>7k2m9qxd4htv0b3e<tab><tab><enter>");
}

pub(super) fn entered_as_member() -> Box<Progress> {
    let joined = Joined {
        member: MemberNumber(1),
        entry: EntryNumber(7),
        center: line("Inkan Center 東京"),
        fingerprint: "k3jf 8d2m 1qpz 7xwc".into(),
        recovery: true,
    };
    Box::new(Progress { joined: Some(joined), ..*progress(Stage::Joined) })
}

pub(super) fn alarmed(snapshot: &mut Snapshot) {
    snapshot.custody.alarm = Some(AlarmRow {
        about: About::Keys,
        digest: Digest([4; 32]),
        at: moment("26/11/22 15:59"),
        words: "the center says since T-000090-6 that your recovery key is z0z0z0z0, which this vault did not make: if you \
                did not change it elsewhere, call the center at once"
            .into(),
    });
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
