//! Looks: no colour where none is wanted, and columns that line up under wide characters.

use inkan_tests::screen::Screen;

use crate::world::{Door, TERMINALS, Town, USUAL, column, enter, fit, row, rows};

/// Every parameter of every "select graphic rendition" sequence in what was written.
fn graphics(raw: &[u8]) -> Vec<u16> {
    let mut found = Vec::new();
    for piece in String::from_utf8_lossy(raw).split("\x1b[").skip(1) {
        let end = piece.find(|c: char| ('@'..='~').contains(&c)).unwrap_or(piece.len());
        if piece[end..].starts_with('m') {
            let parameters = piece[..end].split([';', ':']);
            found.extend(parameters.map(|parameter| parameter.parse::<u16>().unwrap_or(0)));
        }
    }
    found
}

/// Those that have to do with colour, be it only with the usual one.
pub(crate) fn colours(raw: &[u8]) -> Vec<u16> {
    graphics(raw).into_iter().filter(|parameter| matches!(parameter, 30..=49 | 58..=59 | 90..=107)).collect()
}

#[test]
fn no_color_means_not_one_colour_sequence() {
    let town = Town::new();
    let secret = town.network.secret("a");
    let profile = town.network.member_profile("hanako");
    let walk = |wanted: Option<&str>| {
        let arguments = ["--password-a-file", secret.to_str().expect("a path in UTF-8")];
        let mut command = crate::world::command("tui-member", &profile, &arguments);
        if let Some(value) = wanted {
            command = command.env("NO_COLOR", value);
        }
        let mut screen = Screen::start(command, USUAL.0, USUAL.1).expect("a pseudo-terminal");
        screen.wait("C-0").expect("home");
        screen.keys("5").expect("typed");
        screen.wait("✓ delivered").expect("the history");
        screen.keys("?").expect("typed");
        screen.wait("Keys on this screen").expect("help");
        screen.keys("stats<c-u>settings<enter>").expect("typed");
        screen.wait("Reduced motion").expect("the settings");
        screen.keys("q").expect("typed");
        assert_eq!(screen.ended().expect("an end"), 0);
        screen.raw()
    };
    let plain = walk(Some("1"));
    assert_eq!(colours(&plain), Vec::<u16>::new(), "colours in spite of NO_COLOR");
    assert!(graphics(&plain).iter().any(|parameter| matches!(parameter, 1 | 7)), "no emphasis is left");
    // An empty NO_COLOR is none.
    for wanted in [None, Some("")] {
        assert!(
            colours(&walk(wanted)).iter().any(|parameter| matches!(parameter, 31..=38 | 91..=97)),
            "no colour at all"
        );
    }
}

#[test]
fn no_color_holds_at_the_door_as_well() {
    let door = Door::new();
    for program in TERMINALS {
        let command = door.command(program).env("NO_COLOR", "1");
        let screen = Screen::start(command, USUAL.0, USUAL.1).expect("a pseudo-terminal");
        enter(&screen);
        screen.keys("x<enter>").expect("typed");
        screen.wait("inkan:").expect("what is wrong with it");
        assert_eq!(colours(&screen.raw()), Vec::<u16>::new(), "{program}");
    }
}

/// The columns at which a text begins, row by row, where it occurs; all must be the same.
#[track_caller]
fn line_up(screen: &Screen, text: &str, times: usize) {
    let columns: Vec<u16> = rows(screen).filter_map(|row| column(screen, row, text)).collect();
    assert!(columns.len() >= times, "“{text}” occurs {} times:\n{}", columns.len(), screen.text());
    assert!(columns.windows(2).all(|pair| pair[0] == pair[1]), "“{text}” at {columns:?}:\n{}", screen.text());
}

#[test]
fn columns_line_up_under_japanese_names() {
    let mut town = Town::new();
    let member = town.member(USUAL);
    member.keys("5").expect("typed");
    member.wait_for("the history", |screen| row(screen, 0).contains("History")).expect("shown");
    line_up(&member, " JPY", 3);
    line_up(&member, "✓ delivered", 3);
    fit(&member, (40, 12));
    line_up(&member, " JPY", 3);
    fit(&member, USUAL);
    member.keys("3").expect("typed");
    member.wait_until("both stores", |shown| shown.matches("✓ open").count() == 2).expect("listed");
    // The foot names the selected store as well; the list's numbers stand apart from the names.
    line_up(&member, "   S-00000", 2);
    line_up(&member, "✓ open", 2);

    let store = town.store(USUAL);
    store.keys("2").expect("typed");
    store.wait_for("the orders", |screen| row(screen, 0).contains("Orders")).expect("listed");
    line_up(&store, " JPY", 2);
    line_up(&store, "✓ delivered", 2);
    store.keys("3").expect("typed");
    store
        .wait_until("the catalogue", |shown| shown.contains("An old map") && shown.contains("12,000 JPY"))
        .expect("listed");
    line_up(&store, " JPY", 3);
    let wide = rows(&store).find_map(|row| column(&store, row, "俳句集").map(|at| (row, at)));
    let (line, at) = wide.expect("the wide title is on the screen");
    let halves =
        |at| store.look(|seen| seen.cell(line, at).map(|cell| (cell.is_wide(), cell.is_wide_continuation())));
    assert_eq!(halves(at), Some((true, false)), "{}", row(&store, line));
    assert_eq!(halves(at + 1), Some((false, true)), "{}", row(&store, line));
}
