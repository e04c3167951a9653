//! What the screens look like.

use ledger::request::OperatorRole;
use tui_kit::{
    session::Depth,
    testing::{SIZES, Stage},
};

use super::{super::Console, Host, Msg, data, door, inside, settle};

const TABS: [(&str, &str); 16] = [
    ("1", "overview"),
    ("2", "members"),
    ("3", "stores"),
    ("4", "keys"),
    ("5", "transactions"),
    ("6", "bank-desk"),
    ("7", "errors"),
    ("8", "report"),
    ("9", "applications"),
    ("0", "proposals"),
    ("F", "people"),
    ("M", "post"),
    ("D", "documents"),
    ("S", "staff"),
    ("K", "kit"),
    ("H", "key-sheet"),
];

/// Those that are looked at on the smallest screen as well.
const SMALL: [&str; 11] = [
    "overview",
    "transactions",
    "bank-desk",
    "applications",
    "proposals",
    "people",
    "post",
    "documents",
    "staff",
    "kit",
    "key-sheet",
];

fn tab(key: &str, width: u16, height: u16) -> Stage<Console> {
    let mut stage = inside(OperatorRole::Supervisor, width, height);
    stage.keys(key);
    settle(&mut stage);
    stage
}

#[test]
fn every_tab_at_80_by_24() {
    for (key, name) in TABS {
        insta::assert_snapshot!(format!("{name}-80x24"), tab(key, 80, 24).screen());
    }
}

#[test]
fn every_tab_at_120_by_40() {
    for (key, name) in TABS {
        insta::assert_snapshot!(format!("{name}-120x40"), tab(key, 120, 40).screen());
    }
}

#[test]
fn some_tabs_at_40_by_12() {
    for (key, name) in TABS.into_iter().filter(|(_, name)| SMALL.contains(name)) {
        insta::assert_snapshot!(format!("{name}-40x12"), tab(key, 40, 12).screen());
    }
}

#[test]
fn a_member_in_full() {
    let mut stage = tab("2", 80, 24);
    stage.keys("<enter>");
    settle(&mut stage);
    insta::assert_snapshot!("member-80x24", stage.screen());
    stage.resize(40, 12);
    insta::assert_snapshot!("member-40x12", stage.screen());
}

#[test]
fn what_opens_from_the_new_desks() {
    let opened =
        [("9", "application"), ("0", "proposal"), ("M", "mail"), ("D", "document"), ("S", "operator")];
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        for (key, name) in opened {
            let mut stage = tab(key, width, height);
            stage.keys("<enter>");
            settle(&mut stage);
            insta::assert_snapshot!(format!("{name}-{width}x{height}"), stage.screen());
        }
    }
}

#[test]
fn every_key_of_every_screen_is_in_its_help() {
    for (key, _) in TABS {
        for words in ["Read anew", "Next screen", "Sign out", "Applications", "Key sheet"] {
            let mut stage = tab(key, 80, 24);
            stage.keys("?").keys(words);
            let help = stage.screen();
            let found = help.lines().filter(|line| line.contains(words)).count();
            assert!(found >= 2, "{key}: {words}\n{help}");
        }
    }
}

#[test]
fn the_door_shows_nothing_of_the_center() {
    let mut stage = door(Host::Serving, 80, 24);
    // Whatever is told to a screen with nobody at it stays out of sight.
    stage.message(Msg::Overview(data::overview().into()));
    insta::assert_snapshot!("door-80x24", stage.screen());
    assert!(!stage.screen().contains("Sakura"));
}

#[test]
fn unbalanced_books_and_a_stop_are_told_on_every_screen() {
    let mut stage = tab("2", 80, 24);
    let mut overview = data::overview();
    overview.open = false;
    overview.standing = "the disk is full".into();
    stage.message(Msg::Overview(overview.clone().into()));
    assert!(stage.screen().contains("✗ Payments are stopped: the disk is full"));
    overview.light.balanced = false;
    overview.light.words = "card C-000021-9 is below zero".into();
    stage.message(Msg::Overview(overview.into()));
    assert!(stage.screen().contains("✗ The books are NOT balanced: card C-000021-9 is below zero"));
    stage.keys("1");
    assert!(stage.screen().contains("books balance  ✗ NOT balanced"));
    assert!(stage.screen().contains("payments       ✗ STOPPED"));
}

#[test]
fn every_screen_survives_any_size_with_and_without_colour() {
    for (width, height) in SIZES {
        for (key, _) in TABS {
            let mut stage = tab(key, width, height);
            stage.screen();
            stage.abilities.depth = Depth::None;
            stage.abilities.unicode = false;
            stage.screen();
            stage.keys("<enter>");
            settle(&mut stage);
            stage.screen();
            for act in ["f", "a", "e", "x", "w", "v"] {
                stage.keys(act).screen();
                stage.keys("<esc><esc>");
                settle(&mut stage);
            }
        }
        let mut stage = door(Host::Serving, width, height);
        stage.screen();
        stage.keys("<ctrl-c>").screen();
    }
}
