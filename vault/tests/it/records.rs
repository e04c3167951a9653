//! The programs' records, the pinned center and the settings.

use vault::{Draft, Error, MAX_CONTENT, PinnedCenter};
use wire::key::SigningKey;

use crate::bench::{Bench, HISTORY};

#[test]
fn records_come_back_in_order_and_can_be_read_again() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let first = vault.append(HISTORY, &(1u64, "one".to_owned())).unwrap();
    let drafts = vec![Draft::new(HISTORY, "two").unwrap(), Draft::new(HISTORY + 1, "three").unwrap()];
    assert_eq!(vault.append_all(drafts).unwrap(), first + 1);
    assert_eq!(vault.read(first + 2).unwrap().decode::<String>("entry").unwrap(), "three");
    drop(vault);
    let opening = bench.open();
    assert_eq!(opening.records.iter().map(|record| record.kind).collect::<Vec<_>>(), [100, 100, 101]);
    assert_eq!(opening.records[0].decode::<(u64, String)>("entry").unwrap(), (1, "one".to_owned()));
    let error = opening.records[1].decode::<(u64, String)>("entry").unwrap_err().to_string();
    assert!(error.starts_with("record 4 is unreadable: not a well-formed entry"), "{error}");
    assert!(!format!("{:?}", opening.records[1]).contains("two"));
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let before = bench.bytes();
    assert!(matches!(vault.append(99, "vault's own"), Err(Error::Reserved(99))));
    assert!(matches!(vault.append(HISTORY, &"x".repeat(MAX_CONTENT)), Err(Error::TooLong(_))));
    assert!(matches!(vault.read(77), Err(Error::NoRecord(77))));
    assert_eq!(bench.bytes(), before);
    vault.append(HISTORY, &"x".repeat(MAX_CONTENT - 8)).unwrap();
    drop(vault);
    assert_eq!(bench.open().records.len(), 1);
}

#[test]
fn a_center_is_pinned_once_and_kept_up() {
    let bench = Bench::new();
    let mut vault = bench.create();
    assert!(vault.center().is_none());
    let root = SigningKey::from_seed(&[1; 32]).verification_key();
    let mut center = PinnedCenter {
        root,
        addresses: vec!["[::1]:7000".into()],
        sheet: None,
        checkpoint: None,
        account: None,
    };
    vault.pin_center(&center).unwrap();
    center.checkpoint = Some("inkan\n4\n".into());
    vault.pin_center(&center).unwrap();
    let length = bench.bytes().len();
    vault.pin_center(&center).unwrap();
    assert_eq!(bench.bytes().len(), length, "nothing new, nothing written");
    let other = PinnedCenter { root: SigningKey::from_seed(&[2; 32]).verification_key(), ..center.clone() };
    assert!(matches!(vault.pin_center(&other), Err(Error::OtherCenter)));
    drop(vault);
    assert_eq!(bench.open().vault.center(), Some(&center));
}

#[test]
fn settings_are_kept_in_the_programs_own_type() {
    let bench = Bench::new();
    let mut vault = bench.create();
    assert_eq!(vault.settings::<(u8, String)>().unwrap(), None);
    vault.keep_settings(&(1u8, "light".to_owned())).unwrap();
    vault.keep_settings(&(2u8, "dark".to_owned())).unwrap();
    drop(vault);
    assert_eq!(bench.open().vault.settings().unwrap(), Some((2u8, "dark".to_owned())));
}

#[test]
fn records_left_out_are_gone_and_the_others_keep_their_numbers() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let [one, two, three] = ["one", "two", "three"].map(|text| vault.append(HISTORY, text).unwrap());
    let count = vault.leave_out(|record| record.decode::<String>("entry").is_ok_and(|text| text == "two"));
    assert_eq!(count.unwrap(), 1);
    assert_eq!(vault.read(three).unwrap().decode::<String>("entry").unwrap(), "three");
    assert_eq!(vault.append(HISTORY, "four").unwrap(), three + 1);
    drop(vault);
    let opening = bench.open();
    assert!(opening.findings.is_empty(), "{:?}", opening.findings);
    assert_eq!(
        opening.records.iter().map(|record| record.sequence).collect::<Vec<_>>(),
        [one, three, three + 1]
    );
    assert!(opening.vault.read(two).unwrap().bytes.is_empty());
}
