//! Wrong passwords: each makes the next try wait, longer every time, whoever starts the program anew.

use inkan_tests::programs::call;

use crate::{
    house::House,
    words::{refused, refused_with},
};

/// Tries a wrong password until it is really tried, and says how many seconds the next one must wait.
fn wrong(house: &House, a: &str, b: &str, arguments: &[&str]) -> u64 {
    let mut wait = None;
    house
        .network
        .wait_for("the wait to be over", |network| {
            let mut command = network.programs().command("tui-member");
            command.arg("--profile").arg(network.member_profile("mina")).arg("--json");
            command.arg("--password-a-file").arg(network.secret(a));
            command.arg("--password-b-file").arg(network.secret(b)).args(arguments);
            let words = refused(&call(command)?, 1, "wrong-password");
            wait = words.split_once("possible in ").map(|(_, wait)| {
                wait.trim_end_matches(" s").parse().unwrap_or_else(|_| panic!("no seconds in {words}"))
            });
            assert!(wait.is_some() || words.starts_with("wait "), "{words}");
            Ok(wait.is_some())
        })
        .expect("the password is tried");
    wait.expect("tried")
}

#[test]
fn a_wrong_password_a_makes_every_next_process_wait_longer() {
    let house = House::open();
    house.member("mina", 0);
    let waits = [(); 3].map(|()| wrong(&house, "b", "b", &["history"]));
    assert_eq!(waits, [1, 2, 4]);
    // The right one must wait as well, or waiting would tell which it is.
    refused_with(&house.says("mina", &["history"]), 1, "wrong-password", "wait ");
    house
        .network
        .wait_for("the wait to be over", |network| Ok(network.member("mina", &["history"])?.code == 0))
        .expect("the right password opens it again");
    assert_eq!(wrong(&house, "b", "b", &["history"]), 1, "a right password takes the failures back");
}

#[test]
fn a_wrong_password_b_signs_nothing_and_makes_the_next_signing_wait() {
    let house = House::open();
    house.member("mina", 0);
    let root = house.root();
    let waits = [(); 2].map(|()| wrong(&house, "a", "a", &["card", "request", "500"]));
    assert_eq!(waits, [1, 2]);
    house.does("mina", &["history"]);
    assert_eq!(house.root(), root, "nothing was entered");
    house
        .network
        .wait_for("the wait to be over", |network| {
            Ok(network.member("mina", &["card", "request", "500"])?.code == 0)
        })
        .expect("the right password signs");
}

#[test]
fn a_wrong_passphrase_opens_neither_books_nor_acts() {
    let mut house = House::open();
    let with = |house: &House, option: &str, secret: &str, arguments: &[&str]| {
        let mut command = house.network.programs().command("tui-center");
        command.arg("--profile").arg(house.network.center_profile()).args(["--json", "--as", "ada"]);
        command.arg(option).arg(house.network.secret(secret)).args(arguments);
        call(command).expect("the program ends")
    };
    let members = with(&house, "--operator-passphrase-file", "service", &["members"]);
    let words = refused(&members, 1, members.body["kind"].as_str().unwrap_or_default());
    assert!(words.contains("passphrase"), "{words}");
    assert_eq!(house.network.stop_center().expect("it ends"), 0);
    for arguments in [&["serve", "--headless"][..], &["books", "verify"], &["books", "rebuild"]] {
        let reply = with(&house, "--service-passphrase-file", "operator", arguments);
        refused_with(&reply, 1, "wrong-passphrase", "passphrase");
    }
    house.network.start_center().expect("the right one opens it");
}
