//! Traffic: while payments stream, every screen of the console comes as fast as on a quiet day.

use std::{
    process::Stdio,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    console::{console, is_on},
    world::{Town, done},
};

/// How many purchases pass.
const PURCHASES: usize = 200;

/// Who buys; each vault has one program at a time.
const BUYERS: [&str; 3] = ["aoi", "ben", "chika"];

/// How long a screen may take.
const SCREEN_WITHIN: Duration = Duration::from_secs(2);

#[test]
fn the_console_stays_responsive_while_payments_stream() {
    let town = Town::new();
    let store = town.number("ume");
    for buyer in BUYERS {
        town.network.join_member(buyer).expect("the member joins");
        town.network.fund(buyer, 1_000_000).expect("the card is funded");
    }
    let screen = console(&town.network, (120, 40));
    let (left, over) = (AtomicUsize::new(PURCHASES), AtomicBool::new(false));
    let take = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    let mut slowest = Duration::ZERO;
    let mut shown = 0;
    thread::scope(|scope| {
        let buyers = BUYERS.map(|buyer| {
            let command = || {
                let mut command = town.network.terminal("tui-member", &town.network.member_profile(buyer));
                command.args(["buy", &store, "card"]).stdout(Stdio::null()).stderr(Stdio::null());
                command
            };
            let commands: Vec<_> = (0..PURCHASES).map(|_| command()).collect();
            let (over, take) = (&over, &take);
            scope.spawn(move || {
                for mut command in commands {
                    if over.load(Ordering::Relaxed) || !take() {
                        return;
                    }
                    let status = command.status().expect("the member's program starts");
                    assert!(status.success(), "a purchase failed: {status}");
                }
            })
        });
        let screens = [
            ("5", "Transactions", "pays"),
            ("2", "Members", "M-000001-3"),
            ("3", "Stores", "Ume Tools"),
            ("4", "Keys", "signature"),
            ("8", "Report", "payment"),
            ("1", "Overview", "payments/s"),
        ];
        while !buyers.iter().all(thread::ScopedJoinHandle::is_finished) {
            for (key, title, holds) in screens {
                let since = Instant::now();
                screen.keys(key).expect("typed");
                let here =
                    screen.wait_for(title, |screen| is_on(screen, title) && screen.text().contains(holds));
                if here.is_err() {
                    over.store(true, Ordering::Relaxed);
                }
                here.expect("the screen");
                slowest = slowest.max(since.elapsed());
                shown += 1;
            }
        }
    });
    assert!(slowest < SCREEN_WITHIN, "one of {shown} screens took {slowest:?}");
    assert!(shown >= 12, "the payments were over after {shown} screens: nothing was tried");
    let status = done(town.network.center(&["status"]));
    assert_eq!(status["light"]["balanced"], true, "{status}");
    let paid = done(town.network.center(&["transactions", "--kind", "payment", "--all"]));
    let paid = paid["transactions"].as_array().map_or(0, Vec::len);
    assert_eq!(paid, PURCHASES + 3, "each purchase is one payment, with those of the town's beginning");
}
