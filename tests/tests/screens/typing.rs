//! Typing: fields get raw keys first, a paste is text, and nothing typed is lost.

use crate::world::{Door, TERMINALS, Town, USUAL, row};

#[test]
fn letters_that_are_commands_elsewhere_are_text_in_a_field() {
    let door = Door::new();
    for program in TERMINALS {
        let screen = door.enter(program, USUAL);
        screen.keys("q?/:!1jk").expect("typed");
        let shown = screen.wait("q?/:!1jk").expect("typed as text");
        assert!(
            shown.contains("Join a center") && !shown.contains("Keys on this screen"),
            "{program}:\n{shown}"
        );
    }
}

#[test]
fn the_cursor_stands_where_one_types() {
    let door = Door::new();
    for program in TERMINALS {
        let screen = door.enter(program, USUAL);
        screen.keys("日本x<left>").expect("typed");
        screen.wait("日本x").expect("typed as text");
        screen
            .wait_for("the cursor behind 日本", |screen| {
                screen.look(|seen| {
                    let (line, column) = seen.cursor_position();
                    let before =
                        |back: u16| Some(seen.cell(line, column.checked_sub(back)?)?.contents().to_owned());
                    let here = seen.cell(line, column).map(|cell| cell.contents().to_owned());
                    !seen.hide_cursor() && here.as_deref() == Some("x") && before(2).as_deref() == Some("本")
                })
            })
            .unwrap_or_else(|error| panic!("{program}: {error:#}"));
    }
}

#[test]
fn ctrl_c_loses_nothing_that_was_typed() {
    let door = Door::new();
    for program in TERMINALS {
        let screen = door.enter(program, USUAL);
        screen.keys("half an invitation").expect("typed");
        screen.wait("half an invitation").expect("typed as text");
        screen.keys("<c-c><c-c><c-c>").expect("typed");
        let shown = screen.wait("ends the program").expect("it says how to end");
        assert!(shown.contains("half an invitation"), "{program}:\n{shown}");
        screen.resize(40, 12).expect("resized");
        screen
            .wait_until("the text at another size", |shown| shown.contains("half an invitation"))
            .expect("kept");
    }
}

#[test]
fn ctrl_c_keeps_a_form_that_asks_for_money() {
    let town = Town::new();
    let screen = town.member(USUAL);
    screen.keys("c").expect("typed");
    screen.wait_until("the form", |shown| shown.contains("Amount")).expect("shown");
    screen.keys("4321<c-c>").expect("typed");
    let shown = screen.wait("ends the program").expect("it says how to end");
    assert!(shown.contains("4321") || shown.contains("4,321"), "{shown}");
    // The letter that quits elsewhere does not leave a form either.
    screen.keys("<tab>q").expect("typed");
    screen.keys("<backtab>5").expect("typed");
    screen
        .wait_until("the amount, longer by one digit", |shown| {
            shown.contains("43215") || shown.contains("43,215")
        })
        .expect("it still runs");
}

#[test]
fn a_paste_into_a_field_is_text_and_sends_nothing() {
    let door = Door::new();
    for program in TERMINALS {
        let screen = door.enter(program, USUAL);
        screen.paste("pasted\nq\r\x1b[31m\x03text").expect("pasted");
        let shown = screen.wait("text").expect("pasted as text");
        assert!(shown.contains("pasted") && shown.contains("Join a center"), "{program}:\n{shown}");
        assert!(
            !shown.contains("asking") && !shown.contains("Asking"),
            "{program}: a paste must not send:\n{shown}"
        );
    }
}

#[test]
fn a_paste_outside_of_fields_runs_nothing() {
    let mut town = Town::new();
    let member = town.member(USUAL);
    let store = town.store(USUAL);
    for screen in [&member, &store] {
        screen.paste("q\r5\n:quit\r").expect("pasted");
        // The key behind the paste is taken after it.
        screen.keys("?").expect("typed");
        screen.wait("Keys on this screen").expect("help");
        assert!(row(screen, 0).contains("Home"), "the paste was run:\n{}", screen.text());
    }
}

#[test]
fn a_search_gets_the_letters_of_commands() {
    let town = Town::new();
    let screen = town.member(USUAL);
    screen.keys("5").expect("typed");
    screen.wait("俳句集").expect("the history");
    screen.keys("/q?:1").expect("typed");
    let shown = screen.wait("0/3").expect("searched for");
    assert!(shown.contains("/q?:1"), "{shown}");
    screen.keys("<esc>").expect("typed");
    screen.wait("俳句集").expect("all of the history");
    screen.keys("/").expect("typed");
    screen.paste("俳句").expect("pasted");
    screen.wait("1/3").expect("a paste is searched for as well");
}
