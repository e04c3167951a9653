//! Quiet: the first frame waits for nobody, and a screen on which nothing changes costs nothing.

use std::time::{Duration, Instant};

use inkan_tests::screen::Screen;
use rustix::process::{Pid, Signal, kill_process};

use crate::world::{Town, USUAL, sit_store};

/// How long nothing may be written.
const QUIET: Duration = Duration::from_secs(2);

/// The most that a program at rest may compute meanwhile.
const COMPUTE_MAX: Duration = Duration::from_millis(100);

#[test]
fn at_rest_nothing_is_written_and_nothing_computed() {
    let mut town = Town::new();
    let member = town.member(USUAL);
    member.wait("connected to").expect("its line");
    let store = town.store(USUAL);
    store
        .wait_until("the announced counter", |shown| {
            shown.contains("connected to") && shown.contains("open at 127")
        })
        .expect("announced");
    for (screen, whose) in [(&member, "the member"), (&store, "the store")] {
        come_to_rest(screen);
        let (written, computed) = (screen.written(), screen.computed().expect("it runs"));
        // What is measured is the time itself.
        std::thread::sleep(QUIET);
        assert_eq!(screen.written(), written, "{whose} writes while nothing changes:\n{}", screen.text());
        let computed = screen.computed().expect("it runs") - computed;
        assert!(computed <= COMPUTE_MAX, "{whose} computed for {computed:?} while nothing changes");
    }
}

/// Waits until a second has passed without a byte.
fn come_to_rest(screen: &Screen) {
    let since = Instant::now();
    loop {
        let written = screen.written();
        std::thread::sleep(Duration::from_secs(1));
        if screen.written() == written {
            return;
        }
        assert!(since.elapsed() < Duration::from_secs(20), "it never comes to rest:\n{}", screen.text());
    }
}

#[test]
fn the_first_frame_and_the_history_wait_for_no_network() {
    let mut town = Town::new();
    assert_eq!(town.network.stop_store("sakura").expect("an orderly end"), 0);
    // A center that accepts and never answers is worse than one that is gone.
    let center = town.network.center_pid().and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("it runs");
    kill_process(center, Signal::STOP).expect("it runs");

    let mut member = town.member(USUAL);
    member.keys("5").expect("typed");
    let shown = member.wait("俳句集").expect("the history");
    assert!(shown.contains("12,000 JPY"), "{shown}");
    member.keys("<enter>").expect("typed");
    member.wait("T-0").expect("the purchase in full");
    member.keys("<esc>").expect("typed");
    member.wait_until("the history", |shown| !shown.contains("T-0")).expect("back");
    member.keys("3").expect("typed");
    member.wait_until("what is awaited, in words", |shown| shown.contains("directory")).expect("words");
    member.keys("q").expect("typed");
    let since = Instant::now();
    assert_eq!(member.ended().expect("an end"), 0);
    assert!(
        since.elapsed() < Duration::from_secs(5),
        "quitting waited {:?} for the network",
        since.elapsed()
    );

    let mut store = sit_store(&town.network, USUAL);
    store.wait("春のはがき").expect("the newest order");
    store.keys("2").expect("typed");
    store.wait("✓ delivered").expect("the orders");
    store.keys("q").expect("typed");
    let since = Instant::now();
    assert_eq!(store.ended().expect("an end"), 0);
    assert!(
        since.elapsed() < Duration::from_secs(5),
        "quitting waited {:?} for the network",
        since.elapsed()
    );
    kill_process(center, Signal::CONT).expect("it is there");
}

#[test]
fn a_center_that_is_gone_is_said_in_words() {
    let mut town = Town::new();
    town.network.kill_center().expect("it ran");
    let member = town.member(USUAL);
    member
        .wait_until("words about the line", |shown| {
            !shown.contains("connected to") && shown.contains("Garden Club:")
        })
        .expect("words");
    member.keys("5").expect("typed");
    member.wait("俳句集").expect("the history is there");
}
