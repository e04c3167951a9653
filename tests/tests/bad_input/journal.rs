//! The center's journal, torn or changed on the disk.

use std::{fs, path::PathBuf};

use inkan_tests::programs::{Reply, call};

use crate::{
    house::House,
    words::{clear, refused_with},
};

/// Where the first batch begins in a segment file, what a batch begins with, and what stands behind it.
const HEAD: usize = 72;
const MAGIC: &[u8] = b"IkB1";

/// A center with a few entries that was killed, and its journal.
fn killed() -> (House, PathBuf, Vec<u8>, Vec<(usize, usize)>) {
    let mut house = House::open();
    house.member("mina", 1_000);
    house.network.kill_center().expect("killed");
    let segment = house.network.center_profile().join("books/journal/000001.seg");
    let bytes = fs::read(&segment).expect("the journal");
    let mut batches = Vec::new();
    let mut at = HEAD;
    while bytes[at..].starts_with(MAGIC) {
        let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().expect("four bytes")) as usize;
        batches.push((at, length));
        at += length;
    }
    assert!(batches.len() > 3, "{batches:?}");
    (house, segment, bytes, batches)
}

fn serve(house: &House) -> Reply {
    let mut command = house.network.programs().command("tui-center");
    command.arg("--profile").arg(house.network.center_profile()).args(["--json", "serve", "--headless"]);
    command.arg("--service-passphrase-file").arg(house.network.secret("service"));
    call(command).expect("it ends")
}

#[test]
fn a_torn_tail_of_the_journal_is_cut_off_and_told() {
    let (mut house, segment, bytes, batches) = killed();
    let (last, length) = *batches.last().expect("batches");
    let end = last + length;
    // A batch that was on its way when the power went: its beginning is there, its end is not.
    let mut torn = bytes.clone();
    torn.copy_within(last..last + length / 2, end);
    fs::write(&segment, torn).expect("torn");
    house.network.start_center().expect("it comes back");
    let told = house.error_of("never finished");
    assert!(told.contains("nobody had been answered"), "{told}");
    assert_eq!(house.balance("mina"), 1_000);
    house.overview();
}

#[test]
fn a_journal_that_lost_what_was_signed_is_left_alone_and_signs_nothing() {
    let (mut house, segment, bytes, batches) = killed();
    let (last, length) = *batches.last().expect("batches");
    let mut cut = bytes.clone();
    cut[last + length / 2..].fill(0);
    fs::write(&segment, &cut).expect("cut");
    refused_with(&serve(&house), 1, "books", "was signed");
    assert_eq!(fs::read(&segment).expect("the journal"), cut, "it is left as it was found");
    fs::write(&segment, bytes).expect("the copy is restored");
    house.network.start_center().expect("it comes back");
    assert_eq!(house.balance("mina"), 1_000);
}

#[test]
fn a_flipped_byte_anywhere_in_the_journal_is_named_and_nothing_is_changed() {
    let (mut house, segment, bytes, batches) = killed();
    for (at, length) in &batches[..batches.len() - 1] {
        let mut flipped = bytes.clone();
        flipped[at + length / 2] ^= 1;
        fs::write(&segment, &flipped).expect("damaged");
        let words = refused_with(&serve(&house), 1, "books", "000001.seg");
        assert!(words.contains("damaged") && words.contains("Restore"), "{words}");
        assert_eq!(fs::read(&segment).expect("the journal"), flipped, "it is left as it was found");
    }
    let verified = house.network.center(&["books", "verify"]).expect("it ends");
    assert_eq!(verified.code, 1, "{}", verified.body);
    let told = verified.body.to_string();
    assert!(told.contains("000001.seg"), "the place is named: {told}");
    crate::words::harmless_json("books verify", &verified.body);
    fs::write(&segment, bytes).expect("the copy is restored");
    house.network.start_center().expect("it comes back");
    house.overview();
}

#[test]
fn a_center_without_its_books_or_keys_says_what_is_missing() {
    let mut house = House::open();
    house.network.stop_center().expect("it ends");
    let profile = house.network.center_profile();
    let aside = house.file("aside");
    for name in ["books", "config.toml"] {
        fs::rename(profile.join(name), &aside).expect("moved away");
        let reply = serve(&house);
        assert_eq!(reply.code, 1, "{name}: {} {}", reply.body, reply.talk);
        clear(reply.body["message"].as_str().unwrap_or_else(|| panic!("{name}: {}", reply.body)));
        let _ = fs::remove_dir_all(profile.join(name));
        fs::rename(&aside, profile.join(name)).expect("moved back");
    }
    house.network.start_center().expect("it comes back");
}
