//! Whoever answers at a center's address without being the center is told nothing and believed nothing.

use std::{fs, path::Path};

use inkan_tests::{
    network::Network,
    programs::{Programs, Reply, call, secret_file},
};

use crate::{
    house::House,
    stand_in::{Impostor, StandIn},
    words::{harmless_json, refused, refused_with},
};

/// Tries to join, patient for a second only.
fn join(root: &Path, program: &str, invitation: &str) -> Reply {
    let profile = root.join(program);
    fs::create_dir_all(&profile).expect("a folder");
    if program == "tui-member" {
        fs::write(profile.join("config.toml"), "connect_seconds = 1\nanswer_seconds = 1\n")
            .expect("settings");
    }
    let password = |name, secret| secret_file(root, name, secret).expect("a file");
    let mut command = Programs::find().expect("the programs are built").command(program);
    command.arg("--profile").arg(&profile).args(["--json", "join", invitation, "--field", "name=Mina"]);
    command.arg("--password-a-file").arg(password("a", "a window to the history"));
    command.arg("--password-b-file").arg(password("b", "behind the second door"));
    call(command).expect("it ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn impostors_at_the_invitation_s_address_are_named_and_told_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (what, kind, words) in [
        (Impostor::HangsUp, "offline", "closed"),
        (Impostor::Silent, "offline", "timed out"),
        (Impostor::Web, "offline", "TLS"),
        (Impostor::Babbler, "offline", "broke the protocol"),
        (Impostor::Endless, "offline", "broke the protocol"),
        (Impostor::OtherRoot, "contradiction", "another center"),
        (Impostor::ForeignLine, "contradiction", "does not name"),
        (Impostor::Future, "not-possible", "use a newer program"),
    ] {
        let stand_in = StandIn::start(what);
        let reply = join(directory.path(), "tui-member", &stand_in.invitation);
        refused_with(&reply, 1, kind, words);
        assert_eq!(stand_in.heard(), 0, "{what:?} was told something");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_believes_an_impostor_no_more_than_a_member_does() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (what, words) in [
        (Impostor::HangsUp, "closed"),
        (Impostor::Web, "TLS"),
        (Impostor::Endless, "broke the protocol"),
        (Impostor::OtherRoot, "another center"),
        (Impostor::ForeignLine, "does not name"),
        (Impostor::Future, "use a newer program"),
    ] {
        let stand_in = StandIn::start(what);
        let reply = join(directory.path(), "tui-store", &stand_in.invitation);
        let kind = reply.body["kind"].as_str().unwrap_or_default();
        refused_with(&reply, 1, kind, words);
        assert_eq!(stand_in.heard(), 0, "{what:?} was told something");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_center_with_a_poisoned_name_harms_no_terminal() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let stand_in = StandIn::start(Impostor::Evil);
    let reply = join(directory.path(), "tui-member", &stand_in.invitation);
    assert_ne!(reply.code, 0);
    harmless_json("the refusal", &reply.body);
}

#[test]
fn an_address_where_nobody_listens_and_a_text_that_is_no_invitation_are_said_so() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let stand_in = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("its address")
    };
    let key = wire::key::SigningKey::from_seed(&[7; 32]).verification_key();
    let address = wire::text::Line::new(&stand_in.to_string()).expect("short");
    let nobody = wire::sheet::Invitation { root: key, addresses: wire::bounded::List::first([address]) };
    for program in ["tui-member", "tui-store"] {
        let reply = join(directory.path(), program, &nobody.to_string());
        refused_with(&reply, 1, "offline", "nobody listens there");
        for text in ["hello", "inkan:", "inkan:AAAA@127.0.0.1:1", "inkan:@", "\u{1b}[2J", &"x".repeat(10_000)]
        {
            refused_with(&join(directory.path(), program, text), 2, "usage", "this is not an invitation");
        }
    }
}

#[test]
fn another_center_at_the_pinned_address_is_an_alarm_and_the_true_one_is_known_again() {
    let mut house = House::open();
    house.member("mina", 1_000);
    assert_eq!(house.network.stop_center().expect("it ends"), 0);
    let settings = |network: &Network| network.center_profile().join("config.toml");
    let listen = |text: &str| {
        let table: toml::Table = text.parse().expect("settings are TOML");
        table["listen"].clone()
    };
    let other_files = tempfile::tempdir().expect("a temporary directory");
    let mut other = Network::found(other_files.path()).expect("another center");
    let address = listen(&fs::read_to_string(settings(&house.network)).expect("settings"));
    let text = fs::read_to_string(settings(&other)).expect("settings");
    let mut moved: toml::Table = text.parse().expect("settings are TOML");
    moved.insert("listen".into(), address);
    fs::write(settings(&other), moved.to_string()).expect("moved");
    other.start_center().expect("the other center serves there");

    refused_with(&house.says("mina", &["sync"]), 1, "contradiction", "another center");
    refused(&house.says("mina", &["card", "request", "500"]), 1, "contradiction");
    let status = house.does("mina", &["status"]);
    let alarms = status["messages"].as_array().expect("messages").iter();
    assert!(alarms.filter(|message| message["alarm"] == true).count() > 0, "{status}");
    assert_eq!(other.stop_center().expect("it ends"), 0);

    house.network.start_center().expect("the true one is back");
    house.does("mina", &["sync"]);
    assert_eq!(house.balance("mina"), 1_000);
}
