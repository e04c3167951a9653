//! Ends: whatever ends or interrupts a screen, the terminal is as it was found.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use inkan_tests::{network::Network, programs::Programs, screen::Screen};
use rustix::process::Signal;

use crate::world::{Door, TERMINALS, Town, USUAL};

/// The longest that a program may take to end after its window is closed. On an idle machine it is far below a
/// second; here others compute at the same time.
const END_WITHIN: Duration = Duration::from_secs(5);

/// The most that it may compute meanwhile, whatever the machine is busy with: less than a spinning program takes in a
/// second.
const COMPUTE_MAX: Duration = Duration::from_millis(400);

#[test]
fn ctrl_z_gives_the_terminal_back_and_comes_back_drawn_anew() {
    let door = Door::new();
    for program in TERMINALS {
        let mut screen = door.enter(program, USUAL);
        screen.keys("a draft<c-z>").expect("typed");
        screen.stopped().unwrap_or_else(|error| panic!("{program}: {error:#}"));
        screen.restored().expect("the terminal as it was found, for the shell");
        assert!(!screen.text().contains("Invitation"), "its screen is gone");
        screen.signal(Signal::CONT).expect("it is there");
        screen
            .wait_until("the draft", |shown| shown.contains("Invitation") && shown.contains("a draft"))
            .expect("drawn");
        screen.keys(" goes on").expect("typed");
        screen.wait("a draft goes on").expect("it takes keys again");
        screen.signal(Signal::TERM).expect("it is there");
        assert_eq!(screen.ended().expect("an end"), 0, "{program}");
        screen.restored().expect("the terminal as it was found");
    }
}

#[test]
fn signals_end_in_order_and_restore_the_terminal() {
    let door = Door::new();
    for program in TERMINALS {
        for signal in [Signal::TERM, Signal::HUP] {
            let mut screen = door.enter(program, USUAL);
            screen.signal(signal).expect("it runs");
            assert_eq!(screen.ended().expect("an end"), 0, "{program} at {signal:?}");
            screen.restored().unwrap_or_else(|error| panic!("{program} at {signal:?}: {error:#}"));
        }
        // In raw mode nobody types these at the program: they change nothing.
        let screen = door.enter(program, USUAL);
        screen.signal(Signal::INT).expect("it runs");
        screen.signal(Signal::QUIT).expect("it runs");
        screen.keys("still here").expect("typed");
        screen.wait("still here").unwrap_or_else(|error| panic!("{program}: {error:#}"));
    }
}

#[test]
fn signals_end_an_open_member_and_store_in_order() {
    let mut town = Town::new();
    for signal in [Signal::TERM, Signal::HUP] {
        let mut member = town.member(USUAL);
        member.wait("connected to").expect("its line");
        member.signal(signal).expect("it runs");
        assert_eq!(member.ended().expect("an end"), 0, "{signal:?}");
        member.restored().expect("the terminal as it was found");
    }
    let mut store = town.store(USUAL);
    store.keys("2").expect("typed");
    store.signal(Signal::TERM).expect("it runs");
    assert_eq!(store.ended().expect("an end"), 0);
    store.restored().expect("the terminal as it was found");
    crate::world::done(town.network.store("sakura", &["orders"]));
}

#[test]
fn a_closed_window_ends_the_program_at_once() {
    let door = Door::new();
    for program in TERMINALS {
        let mut screen = door.enter(program, USUAL);
        ends_with_its_window(&mut screen, program);
    }
    let mut town = Town::new();
    let mut member = town.member(USUAL);
    member.wait("connected to").expect("its line");
    ends_with_its_window(&mut member, "a member at home");
    let mut store = town.store(USUAL);
    store.wait("connected to").expect("its line");
    ends_with_its_window(&mut store, "a store at home");
    // Nothing holds the vaults any more.
    crate::world::done(town.network.member("hanako", &["history"]));
    crate::world::done(town.network.store("sakura", &["orders"]));
}

#[track_caller]
fn ends_with_its_window(screen: &mut Screen, whose: &str) {
    let before = screen.computed().expect("it runs");
    let since = Instant::now();
    screen.hang_up().expect("closed");
    let mut after = before;
    while let Some(computed) = screen.computed() {
        after = computed;
        assert!(since.elapsed() < END_WITHIN, "{whose} goes on without a window");
        if screen.has_ended().expect("its state") {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(
        after - before < COMPUTE_MAX,
        "{whose} computed for {:?} after its window closed",
        after - before
    );
    assert_eq!(screen.ended().expect("an end"), 0, "{whose}");
}

#[test]
fn a_dumb_terminal_gets_a_hint_and_no_screen() {
    let door = Door::new();
    for program in TERMINALS {
        let mut screen =
            Screen::start_as("dumb", door.command(program), USUAL.0, USUAL.1).expect("a pseudo-terminal");
        assert_eq!(screen.ended().expect("an end"), 1, "{program}");
        let said = String::from_utf8_lossy(&screen.raw()).into_owned();
        assert!(said.contains("TERM=dumb") && said.contains("subcommand"), "{program}: {said}");
        assert!(!said.contains('\x1b'), "{program}: escape sequences to a dumb terminal: {said:?}");
    }
}

#[test]
fn without_a_terminal_there_is_a_hint_and_no_screen() {
    let programs = Programs::find().expect("the programs are built");
    let folder = tempfile::tempdir().expect("a temporary directory");
    for program in TERMINALS {
        let mut command = programs.command(program);
        let output = command
            .env("TERM", "xterm")
            .arg("--profile")
            .arg(folder.path().join(program))
            .stdin(Stdio::null())
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(1), "{program}");
        assert!(output.stdout.is_empty(), "{program}: standard output is for data");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("no terminal") && said.contains("subcommand") && said.contains("--help"),
            "{program}: {said}"
        );
        assert!(!folder.path().join(program).exists(), "{program}: looking makes no profile");
    }
    let network = Network::found(folder.path()).expect("founded");
    let mut command = programs.command("tui-center");
    command.env("TERM", "xterm").arg("--profile").arg(network.center_profile());
    let output =
        command.arg("--service-passphrase-file").arg(network.secret("service")).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no terminal") && said.contains("serve --headless"), "{said}");
}
