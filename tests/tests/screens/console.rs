//! The center's console, on the program's own terminal and attached to it: the screen ends, the center goes on.

use std::time::Duration;

use inkan_tests::{
    network::{Network, secrets},
    screen::Screen,
};
use rustix::process::Signal;

use crate::world::{MEMBER, SIZES, Town, USUAL, column, command, done, fit, row, rows, sit};

/// The keys and titles of the console's screens.
const SCREENS: [(&str, &str); 16] = [
    ("1", "Overview"),
    ("2", "Members"),
    ("3", "Stores"),
    ("4", "Keys"),
    ("5", "Transactions"),
    ("6", "Bank desk"),
    ("7", "Errors"),
    ("8", "Report"),
    ("9", "Applications"),
    ("0", "Proposals"),
    ("F", "People"),
    ("M", "Post"),
    ("D", "Documents"),
    ("S", "Staff"),
    ("K", "Kit"),
    ("H", "Key sheet"),
];

/// The center's program on a terminal of its own, with nobody signed in yet.
fn serve(network: &Network, size: (u16, u16)) -> Screen {
    let secret = network.secret("service");
    let arguments = ["--service-passphrase-file", secret.to_str().expect("a path in UTF-8"), "--as", "ada"];
    let screen = sit("tui-center", &network.center_profile(), &arguments, size);
    screen.wait("assphrase").expect("the door");
    screen
}

/// The console of a running center, with nobody signed in yet.
fn attach(network: &Network, size: (u16, u16)) -> Screen {
    let screen = sit("tui-center", &network.center_profile(), &["--as", "ada", "attach"], size);
    screen.wait("assphrase").expect("the door");
    screen
}

pub(crate) fn sign_in(screen: &Screen) {
    screen.type_text(secrets::OPERATOR).expect("typed");
    screen.keys("<enter>").expect("typed");
    screen.wait("books balance").expect("the overview");
}

/// An attached console with the operator signed in.
pub(crate) fn console(network: &Network, size: (u16, u16)) -> Screen {
    let screen = attach(network, size);
    sign_in(&screen);
    screen
}

/// A town whose center runs on a screen of its own.
fn town_with_console() -> (Town, Screen) {
    let mut town = Town::new();
    assert_eq!(town.network.stop_center().expect("an orderly end"), 0);
    let screen = serve(&town.network, USUAL);
    (town, screen)
}

/// Whether this screen of the console is shown: the head names it, and not just the row of all their titles.
pub(crate) fn is_on(screen: &Screen, title: &str) -> bool {
    row(screen, 0).trim_start().starts_with(title)
}

/// The center answers, and its books balance.
#[track_caller]
fn goes_on(network: &Network) {
    let status = done(network.center(&["status"]));
    assert_eq!(status["light"]["balanced"], true, "{status}");
}

#[test]
fn every_screen_of_the_console_is_whole_at_every_size() {
    let town = Town::new();
    let screen = attach(&town.network, USUAL);
    for size in SIZES {
        fit(&screen, size);
        screen
            .wait_until("both fields", |shown| shown.contains("Operator") && shown.contains("Passphrase"))
            .expect("the door");
    }
    sign_in(&screen);
    for size in SIZES {
        fit(&screen, size);
        for (key, title) in SCREENS {
            screen.keys(key).expect("typed");
            let whole = |screen: &Screen| {
                let foot = row(screen, size.1 - 1);
                is_on(screen, title) && foot.trim_end().ends_with("help") && !foot.contains('…')
            };
            let shown = screen.wait_for(title, whole).expect("head and foot");
            let holds = match title {
                "Overview" => "balanced",
                // Names are masked until a reason is entered.
                "Members" => "M-000001",
                // On the smallest screen the name gives way to what is owed.
                "Stores" => "さくら",
                "Keys" => "signature",
                "Transactions" => "T-0000",
                "Applications" => "A-0000",
                _ => continue,
            };
            screen.wait(holds).unwrap_or_else(|error| panic!("{title} at {size:?}: {error:#}\n{shown}"));
        }
    }
    for (columns, rows) in [(1, 1), (500, 200), (3, 2), (200, 1), (1, 200), USUAL] {
        screen.resize(columns, rows).expect("resized");
        screen.keys("<tab><c-l>").expect("typed");
    }
    screen.keys("<f1>").expect("typed");
    screen.wait("Keys on this screen").expect("it still runs");
    goes_on(&town.network);
}

#[test]
fn the_console_lines_up_under_japanese_names() {
    let town = Town::new();
    let screen = console(&town.network, (120, 40));
    screen.keys("3").expect("typed");
    screen
        .wait_for("the stores and nothing else", |screen| {
            let shown = screen.text();
            is_on(screen, "Stores") && shown.contains("Ume Tools") && !shown.contains("T-0000")
        })
        .expect("listed");
    let columns =
        |text: &str| -> Vec<u16> { rows(&screen).filter_map(|row| column(&screen, row, text)).collect() };
    let stores = columns("S-00000");
    assert!(stores.len() == 2 && stores[0] == stores[1], "{stores:?}\n{}", screen.text());
    screen.keys("5").expect("typed");
    screen
        .wait_for("the payments", |screen| is_on(screen, "Transactions") && screen.text().contains("pays"))
        .expect("listed");
    let amounts = columns(" JPY");
    assert!(
        amounts.len() >= 3 && amounts.windows(2).all(|pair| pair[0] == pair[1]),
        "{amounts:?}\n{}",
        screen.text()
    );
}

#[test]
fn nothing_is_shown_before_an_operator_is_believed() {
    let town = Town::new();
    let screen = attach(&town.network, USUAL);
    screen.keys("2q?/").expect("typed");
    screen.keys("<enter>").expect("typed");
    let shown = screen.wait("wrong").expect("it says so");
    assert!(!shown.contains(MEMBER) && !shown.contains("books balance"), "{shown}");
}

#[test]
fn leaving_and_closing_an_attached_console_leaves_the_center_alone() {
    let town = Town::new();
    let mut left = console(&town.network, USUAL);
    left.keys("q").expect("typed");
    assert_eq!(left.ended().expect("an end"), 0);
    left.restored().expect("the terminal as it was found");
    goes_on(&town.network);

    let mut interrupted = console(&town.network, USUAL);
    interrupted.keys("<c-z>").expect("typed");
    interrupted.stopped().expect("only the attached end stops");
    interrupted.restored().expect("the terminal as it was found, for the shell");
    goes_on(&town.network);
    interrupted.signal(Signal::CONT).expect("it is there");
    interrupted.wait("books balance").expect("drawn anew");

    for signal in [Signal::TERM, Signal::HUP] {
        let mut screen = console(&town.network, USUAL);
        screen.signal(signal).expect("it runs");
        assert_eq!(screen.ended().expect("an end"), 0, "{signal:?}");
        screen.restored().expect("the terminal as it was found");
        goes_on(&town.network);
    }
    interrupted.hang_up().expect("closed");
    assert_eq!(interrupted.ended().expect("an end"), 0);
    goes_on(&town.network);
}

#[test]
fn no_color_is_the_attached_terminals_own() {
    let town = Town::new();
    let coloured = console(&town.network, USUAL);
    let command = command("tui-center", &town.network.center_profile(), &["--as", "ada", "attach"])
        .env("NO_COLOR", "1");
    let plain = Screen::start(command, USUAL.0, USUAL.1).expect("a pseudo-terminal");
    plain.wait("assphrase").expect("the door");
    sign_in(&plain);
    assert_eq!(crate::looks::colours(&plain.raw()), Vec::<u16>::new());
    assert!(!crate::looks::colours(&coloured.raw()).is_empty(), "the other terminal shows colours");
}

#[test]
fn ctrl_c_and_quitting_on_the_centers_own_terminal_ask_for_the_word() {
    let (town, mut screen) = town_with_console();
    // Nobody has signed in yet: the word is asked for at the door as well.
    for (key, inside) in [("<c-c>", false), ("<c-c>", true), ("q", true)] {
        if inside && !screen.text().contains("books balance") {
            sign_in(&screen);
        }
        screen.keys(key).expect("typed");
        screen.wait("Stop the center").expect("it asks for the word");
        screen.keys("yes<enter>").expect("typed");
        goes_on(&town.network);
        screen.keys("<esc>").expect("typed");
        screen.wait_until("the screen as before", |shown| !shown.contains("Stop the center")).expect("back");
    }
    // The whole window does not stop with Ctrl-Z: there are others whom it serves.
    screen.keys("<c-z>2").expect("typed");
    screen
        .wait_for("the members", |screen| is_on(screen, "Members") && screen.text().contains("M-000001"))
        .expect("it goes on");
    goes_on(&town.network);

    screen.keys("<c-c>").expect("typed");
    screen.wait("Stop the center").expect("it asks for the word");
    screen.keys("stop<enter>").expect("typed");
    assert_eq!(screen.ended().expect("an end"), 0);
    screen.restored().expect("the terminal as it was found");
    assert_ne!(town.network.center(&["status"]).expect("an answer").code, 0, "it has ended");
}

#[test]
fn a_closed_window_ends_the_centers_screen_and_not_the_center() {
    let (town, mut screen) = town_with_console();
    sign_in(&screen);
    screen.hang_up().expect("closed");
    goes_on(&town.network);
    // The stores have found it again since it was started on its screen: it is open for business.
    let ume = town.number("ume");
    let bought = |network: &Network| Ok(network.member("hanako", &["buy", &ume, "map"])?.code == 0);
    town.network.wait_for("a purchase", bought).expect("it sells");
    // Without its window it costs no more than with it: nothing spins on the dead terminal.
    let before = screen.computed().expect("it runs");
    std::thread::sleep(Duration::from_secs(1));
    let computed = screen.computed().expect("it runs") - before;
    assert!(computed < Duration::from_millis(400), "it computed for {computed:?} in a second");
    // The console is reached from elsewhere, and SIGTERM ends the server in order.
    let attached = console(&town.network, USUAL);
    screen.signal(Signal::TERM).expect("it runs");
    assert_eq!(screen.ended().expect("an end"), 0);
    drop(attached);
    done(town.network.center(&["books", "verify"]));
}

#[test]
fn sigterm_ends_the_server_and_restores_its_terminal() {
    let (town, mut screen) = town_with_console();
    let mut attached = console(&town.network, USUAL);
    screen.signal(Signal::TERM).expect("it runs");
    assert_eq!(screen.ended().expect("an end"), 0);
    screen.restored().expect("the terminal as it was found");
    // Those attached get their terminals back, and a sentence.
    assert_eq!(attached.ended().expect("an end"), 0);
    attached.restored().expect("the terminal as it was found");
    assert!(attached.text().contains("closing"), "{}", attached.text());
}

#[test]
fn sighup_ends_the_screen_and_gives_its_terminal_back() {
    let (town, screen) = town_with_console();
    sign_in(&screen);
    screen.signal(Signal::HUP).expect("it runs");
    screen.wait_for("its own screen left", |screen| screen.restored().is_ok()).expect("restored");
    goes_on(&town.network);
}

#[test]
fn the_console_on_a_dumb_terminal_is_a_hint_and_no_server() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let network = Network::found(directory.path()).expect("founded");
    let secret = network.secret("service");
    let arguments = ["--service-passphrase-file", secret.to_str().expect("a path in UTF-8")];
    let command = command("tui-center", &network.center_profile(), &arguments);
    let mut screen = Screen::start_as("dumb", command, USUAL.0, USUAL.1).expect("a pseudo-terminal");
    assert_eq!(screen.ended().expect("an end"), 1);
    let said = String::from_utf8_lossy(&screen.raw()).into_owned();
    assert!(said.contains("TERM=dumb") && said.contains("serve --headless"), "{said}");
}
