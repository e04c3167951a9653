//! Sizes: complete where it can be, usable where it is small, and never a panic.

use inkan_tests::screen::Screen;
use rustix::process::Signal;

use crate::world::{Door, SIZES, TERMINALS, Town, USUAL, fit, pointed, row};

/// The page is there from head to foot: a title, the words that matter, a footer that is not cut and ends in help.
#[track_caller]
fn is_whole(screen: &Screen, (columns, rows): (u16, u16), words: &[&str]) {
    let shown = screen.text();
    let foot = row(screen, rows - 1);
    assert!(foot.trim_end().ends_with("help"), "no footer at {columns}x{rows}:\n{shown}");
    assert!(!foot.contains('…'), "the footer is cut at {columns}x{rows}:\n{shown}");
    for word in words {
        assert!(shown.contains(word), "“{word}” is missing at {columns}x{rows}:\n{shown}");
    }
}

#[test]
fn the_door_is_whole_at_every_size() {
    let door = Door::new();
    for program in TERMINALS {
        for size in SIZES {
            let screen = door.enter(program, size);
            is_whole(&screen, size, &["Join a center", "Invitation", "Ask the center"]);
        }
    }
}

#[test]
fn home_is_whole_at_every_size() {
    let mut town = Town::new();
    for size in SIZES {
        let screen = town.member(size);
        is_whole(
            &screen,
            size,
            &["Home", "Garden Club", "Cards", "987,220 JPY", "Last purchases", "12,000 JPY"],
        );
    }
    let screen = town.store(USUAL);
    for size in SIZES {
        fit(&screen, size);
        is_whole(&screen, size, &["Home", "Garden Club", "さくら出版", "12,080 JPY"]);
    }
}

#[test]
fn no_size_is_too_small_or_too_large() {
    let door = Door::new();
    for program in TERMINALS {
        let mut screen = door.sit(program, (1, 1));
        screen
            .wait_for("the first frame", |screen| screen.look(vt100::Screen::alternate_screen))
            .expect("a screen");
        for (columns, rows) in [(500, 200), (1, 1), (3, 2), (200, 1), (1, 200), (12, 4), (1_000, 300), USUAL]
        {
            screen.resize(columns, rows).expect("resized");
            // Help lies over everything: it is laid out as well.
            screen.keys("<f1>").expect("typed");
            screen.keys("<esc>").expect("typed");
        }
        screen.wait("Join a center").expect("whole again");
        screen.signal(Signal::TERM).expect("it still runs");
        assert_eq!(screen.ended().expect("an end"), 0, "{program}");
    }
}

#[test]
fn a_resize_keeps_the_screen_the_selection_and_the_filter() {
    let town = Town::new();
    let screen = town.member(USUAL);
    screen.keys("5").expect("typed");
    screen.wait("俳句集").expect("the history");
    screen.keys("j").expect("typed");
    screen.wait_for("the second purchase", |screen| pointed(screen).contains("Ume Tools")).expect("selected");
    for size in [(120, 40), (40, 12), (1, 1), (500, 200), USUAL] {
        screen.resize(size.0, size.1).expect("resized");
        if size.0 >= 40 {
            let kept =
                |screen: &Screen| row(screen, 0).contains("History") && pointed(screen).contains("Ume Tools");
            screen.wait_for("the history with the same purchase selected", kept).expect("kept");
        }
    }
    screen.keys("/さくら").expect("typed");
    screen.wait("2/3").expect("filtered");
    screen.resize(40, 12).expect("resized");
    screen
        .wait_for("the filter", |screen| screen.text().contains("2/3") && screen.text().contains("/さくら"))
        .expect("kept");
}
