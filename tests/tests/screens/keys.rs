//! Keys: help, palette, filter, and the way back.

use crate::world::{Door, TERMINALS, Town, USUAL, row};

#[test]
fn help_lists_the_keys_of_this_screen_filters_them_and_runs_one() {
    let town = Town::new();
    let screen = town.member(USUAL);
    screen.keys("?").expect("typed");
    let help = screen.wait("Keys on this screen").expect("help");
    assert!(help.contains("Request card") && !help.contains("Copy number"), "not the keys of home:\n{help}");
    screen.keys("zzzz").expect("typed");
    screen.wait("nothing matches").expect("filtered to nothing");
    screen.keys("<esc>").expect("typed");
    let help =
        screen.wait_until("the filter cleared", |shown| !shown.contains("nothing matches")).expect("cleared");
    assert!(help.contains("Keys on this screen"), "Esc clears the filter before it closes help:\n{help}");
    screen.keys("<esc>").expect("typed");
    screen.wait_until("help closed", |shown| !shown.contains("Keys on this screen")).expect("closed");

    screen.keys("5").expect("typed");
    screen.wait("俳句集").expect("the history");
    screen.keys("?").expect("typed");
    let help = screen.wait("Keys on this screen").expect("help");
    assert!(
        help.contains("Copy number") && !help.contains("Request card"),
        "not the keys of the history:\n{help}"
    );
    screen.keys("directory").expect("typed");
    screen.wait("1/").expect("one entry is about the directory");
    screen.keys("<enter>").expect("typed");
    screen.wait_for("the stores", |screen| row(screen, 0).contains("Stores")).expect("Enter runs the entry");
}

#[test]
fn the_palette_runs_an_entry_from_anywhere() {
    let town = Town::new();
    let screen = town.member(USUAL);
    screen.keys(":hist").expect("typed");
    screen.wait("Commands").expect("the palette");
    screen.keys("<enter>").expect("typed");
    screen.wait_for("the history", |screen| row(screen, 0).contains("History")).expect("it ran");
    screen.keys("<c-p>cart<enter>").expect("typed");
    screen.wait_for("the cart", |screen| row(screen, 0).contains("Cart")).expect("it ran");
}

#[test]
fn the_palette_is_reached_from_within_a_field() {
    let door = Door::new();
    for program in TERMINALS {
        let mut screen = door.enter(program, USUAL);
        // A question mark would be typed: the footer names the key that works here, and it does.
        assert!(row(&screen, USUAL.1 - 1).contains("F1 help"), "{program}:\n{}", screen.text());
        screen.keys("<f1>").expect("typed");
        screen.wait("Keys on this screen").expect("help");
        screen.keys("<esc>").expect("typed");
        screen.wait_until("help closed", |shown| !shown.contains("Keys on this screen")).expect("closed");
        screen.keys("<c-p>quit").expect("typed");
        screen.wait("Commands").expect("the palette");
        screen.keys("<enter>").expect("typed");
        assert_eq!(screen.ended().expect("an end"), 0, "{program}");
        screen.restored().expect("the terminal as it was found");
    }
}

#[test]
fn a_filter_counts_and_esc_goes_one_step_back_at_a_time() {
    let town = Town::new();
    let screen = town.member(USUAL);
    screen.keys("5").expect("typed");
    screen.wait("俳句集").expect("the history");
    screen.keys("/map").expect("typed");
    let shown = screen.wait("1/3").expect("the counter");
    assert!(shown.contains("An old map") && !shown.contains("俳句集"), "{shown}");
    screen.keys("<enter><enter>").expect("typed");
    screen
        .wait_until("the purchase in full", |shown| shown.contains("T-0") && !shown.contains("1/3"))
        .expect("opened");
    screen.keys("<esc>").expect("typed");
    screen.wait("1/3").expect("back to the filtered history");
    screen.keys("<esc>").expect("typed");
    screen
        .wait_until("all of the history", |shown| shown.contains("俳句集") && !shown.contains("1/3"))
        .expect("cleared");
    screen.keys("<esc>").expect("typed");
    screen.wait_for("home", |screen| row(screen, 0).contains("Home")).expect("back");
    // From home there is no further step: the program goes on.
    screen.keys("<esc><esc><up>5").expect("typed");
    screen.wait_for("the history", |screen| row(screen, 0).contains("History")).expect("it still runs");
}

#[test]
fn the_store_has_the_same_manners() {
    let mut town = Town::new();
    let screen = town.store(USUAL);
    screen.keys("3/俳句").expect("typed");
    screen.wait("1/3").expect("the counter");
    screen.keys("<esc>").expect("typed");
    screen.wait("An old map").expect("cleared");
    screen.keys("?").expect("typed");
    screen.wait("Keys on this screen").expect("help");
    screen.keys("<esc>").expect("typed");
    screen.wait_until("help closed", |shown| !shown.contains("Keys on this screen")).expect("closed");
    screen.keys(":orders<enter>").expect("typed");
    screen.wait_for("the orders", |screen| row(screen, 0).contains("Orders")).expect("the palette ran it");
    screen.keys("<esc>").expect("typed");
    screen.wait_for("home", |screen| row(screen, 0).contains("Home")).expect("back");
}
