//! What is seen at the sizes that people have.

use std::{path::PathBuf, sync::Arc};

use tui_kit::{
    Abilities,
    keys::Bindings,
    testing::{SIZES, Stage},
    text,
};

use super::fixture::{settle, snapshot, stage, stage_of};
use crate::{
    act::Failure,
    app::{Msg, Store},
    screen::outlines,
    view::{CatalogueView, LineView, Snapshot},
};

const LOOKED_AT: [(u16, u16); 3] = [(120, 40), (80, 24), (40, 12)];

/// Every place that keys lead to.
const PLACES: [(&str, &str); 21] = [
    ("home", ""),
    ("orders", "2"),
    ("order", "2<down><down><enter>"),
    ("refunds", "u"),
    ("refund", "2<down><down>R"),
    ("refund-reason", "2GR"),
    ("catalogue", "3"),
    ("item", "3<enter>"),
    ("folder", "3f"),
    ("claims", "4"),
    ("payouts", "4<tab>"),
    ("claim", "4c"),
    ("outbox", "5"),
    ("messages", "6"),
    ("settings", "7"),
    ("keys", "8"),
    ("rotate", "8s"),
    ("drill", "8d"),
    ("hold", "7m"),
    ("import", "5i"),
    ("help", "?"),
];

fn go(stage: &mut Stage<Store>, script: &str) {
    for key in tui_kit::testing::keys(script) {
        stage.event(tui_kit::Event::Key(key));
        settle(stage);
    }
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
fn a_resize_keeps_the_place() {
    let mut stage = stage(120, 40);
    go(&mut stage, "2<down><down>");
    let chosen = |shown: &str| shown.lines().any(|line| line.contains('▸') && line.contains("季節の便り"));
    assert!(chosen(&stage.screen()), "{}", stage.screen());
    stage.resize(40, 12);
    assert!(chosen(&stage.screen()), "{}", stage.screen());
}

#[test]
fn amounts_end_in_one_column() {
    for script in ["2", "4", "3"] {
        let mut stage = stage(80, 24);
        go(&mut stage, script);
        let shown = stage.screen();
        let ends: Vec<usize> = shown
            .lines()
            .filter(|line| line.contains(" JPY") && !line.contains("Tab"))
            .map(|line| text::width(&line[..line.find(" JPY").unwrap()]))
            .collect();
        assert!(ends.len() > 1 && ends.iter().all(|end| *end == ends[0]), "{ends:?}\n{shown}");
    }
}

#[test]
fn without_colour_nothing_is_lost() {
    for (name, script) in PLACES {
        let (mut plain, mut coloured) = (stage(80, 24), stage(80, 24));
        plain.abilities = Abilities::from_env(|variable| match variable {
            "NO_COLOR" => Some("1".into()),
            "TERM" => Some("xterm-256color".into()),
            "LANG" => Some("C.UTF-8".into()),
            _ => None,
        });
        coloured.abilities = Abilities { depth: tui_kit::session::Depth::True, ..plain.abilities.clone() };
        go(&mut plain, script);
        go(&mut coloured, script);
        assert_eq!(plain.screen(), coloured.screen(), "{name}");
    }
}

#[test]
fn a_new_store_is_told_what_to_do() {
    let empty = Snapshot {
        orders: Vec::new(),
        standings: Vec::new(),
        refunds: Vec::new(),
        outbox: Vec::new(),
        messages: Vec::new(),
        payouts: Vec::new(),
        catalogue: Arc::new(CatalogueView {
            folder: PathBuf::from("/srv/shop/catalogue"),
            items: Vec::new(),
            faults: Vec::new(),
            loaded: None,
        }),
        line: LineView::Idle,
        ..snapshot()
    };
    let mut stage = stage_of(empty, 80, 24);
    for (script, words) in [
        ("1", "nothing is sold yet"),
        ("2", "No orders here"),
        ("3", "Nothing is sold"),
        ("4<tab>", "Nothing was claimed"),
        ("5", "Nothing waits"),
        ("6", "No messages"),
    ] {
        go(&mut stage, script);
        assert!(stage.screen().contains(words), "{words}\n{}", stage.screen());
    }
}

#[test]
fn a_closed_counter_is_seen_and_can_be_opened_again() {
    let mut stage = stage(100, 24);
    stage.message(Msg::Serving(Err(Failure::machine("0.0.0.0:7100 is taken by another program"))));
    stage.keys("<esc>");
    assert!(stage.screen().contains("closed; o tries again. 0.0.0.0:7100 is taken"), "{}", stage.screen());
    let effects = stage.keys("o").effects();
    assert!(matches!(effects.as_slice(), [crate::app::Effect::Serve]), "{effects:?}");
    stage.message(Msg::Serving(Ok(())));
    assert!(stage.screen().contains("open at shop.example:7100, 2 visitors"));
}

#[test]
fn the_keys_do_not_collide() {
    assert_eq!(Bindings::default().problems(&outlines()), Vec::<String>::new());
}
