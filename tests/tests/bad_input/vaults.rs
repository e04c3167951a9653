//! Vault files that are damaged or torn: what is lost is named, the rest opens, the center's word mends what it can.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt as _,
    path::PathBuf,
};

use crate::{
    house::{House, PRICE},
    words::{clear, printed},
};

/// What every record in a vault file begins with.
const MARK: &[u8] = b"INKR";

/// A member who has bought one note, its vault, and the places of the records written since it had joined.
fn bought() -> (House, PathBuf, Vec<usize>) {
    let mut house = House::open();
    let shop = house.shop();
    house.member("mina", 5_000);
    let vault = house.network.member_profile("mina").join("vault.inkan");
    let joined = fs::read(&vault).expect("the vault").len();
    house.does("mina", &["buy", &shop, "note"]);
    let bytes = fs::read(&vault).expect("the vault");
    let records = (joined..bytes.len()).filter(|at| bytes[*at..].starts_with(MARK)).collect();
    (house, vault, records)
}

fn findings(house: &House) -> Vec<String> {
    let status = house.does("mina", &["status"]);
    let findings = status["findings"].as_array().expect("findings");
    findings.iter().map(|finding| clear(finding.as_str().expect("words")).to_owned()).collect()
}

#[test]
fn damaged_records_are_named_and_everything_else_still_opens() {
    let (house, vault, records) = bought();
    assert!(records.len() > 3, "a purchase is written down: {records:?}");
    let whole = fs::read(&vault).expect("the vault");
    for record in records {
        fs::write(&vault, &whole).expect("mended");
        let file = OpenOptions::new().write(true).open(&vault).expect("the vault");
        let at = record as u64 + 40;
        file.write_all_at(&[whole[record + 40] ^ 0x20], at).expect("damage");
        let found = findings(&house);
        assert!(found.iter().any(|words| words.contains("is damaged")), "{found:?}");
        let (code, said) = printed(house.in_words("tui-member", "members/mina", &["history"]));
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("vault: record"), "the damage is said beside the history: {said}");
        assert_eq!(house.balance("mina"), 5_000 - PRICE as i64, "the center knows better");
    }
}

#[test]
fn a_torn_tail_is_cut_off_once_and_the_center_says_what_was_lost_with_it() {
    let (house, vault, records) = bought();
    let whole = fs::read(&vault).expect("the vault");
    for record in records {
        fs::write(&vault, &whole[..record + 30]).expect("torn");
        let found = findings(&house);
        assert!(found.iter().any(|words| words.contains("cut short")), "{found:?}");
        assert_eq!(findings(&house), Vec::<String>::new(), "it is told once");
        house.does("mina", &["resolve"]);
        house.does("mina", &["sync"]);
        assert_eq!(house.balance("mina"), 5_000 - PRICE as i64);
        let history = house.does("mina", &["history"]);
        let states = history["purchases"].as_array().expect("purchases");
        assert!(states.iter().all(|purchase| purchase["state"] != "unknown"), "{history}");
    }
}

#[test]
fn a_file_that_is_no_vault_is_said_to_be_none() {
    let house = House::open();
    house.member("mina", 0);
    let vault = house.network.member_profile("mina").join("vault.inkan");
    let whole = fs::read(&vault).expect("the vault");
    for (bytes, words) in [
        (Vec::new(), "vault"),
        (b"#!/bin/sh\necho hello\n".to_vec(), "is not a vault"),
        (vec![0; 20_000], "vault"),
        (whole[..5_000].to_vec(), "vault"),
        ([&[0xff; 8_192][..], &whole[8_192..]].concat(), "vault"),
    ] {
        fs::write(&vault, bytes).expect("written");
        let reply = house.says("mina", &["history"]);
        crate::words::refused_with(&reply, 1, "machine", words);
    }
    fs::write(&vault, whole).expect("mended");
    house.does("mina", &["history"]);
}
