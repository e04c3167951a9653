//! The phrase and the copy: what they bring back, and what they refuse.

use std::fs;

use vault::{
    Error, FILE, Finding, PinnedCenter, RecoveryPhrase, RestoredContents, State, Vault,
    recovery::{CopyError, open_copy},
};
use wire::{key::SigningKey, payload::KeyRole};

use crate::bench::{Bench, HISTORY, RECORDS, a, autograph, b, phrase, telegram, two};

fn center() -> PinnedCenter {
    let root = SigningKey::from_seed(&[1; 32]).verification_key();
    PinnedCenter { root, addresses: vec!["[::1]:7000".into()], sheet: None, checkpoint: None, account: None }
}

/// A vault with something of everything, its phrase, and a copy of it.
fn lived_in(bench: &Bench) -> (Vault, RecoveryPhrase, Vec<u8>) {
    let surroundings = bench.surroundings.clone();
    let mut vault = Vault::create(&bench.profile, &two(), Some(&autograph("Hanako")), surroundings).unwrap();
    let phrase = phrase();
    vault.keep_recovery(&phrase, &b()).unwrap();
    vault.pin_center(&center()).unwrap();
    vault.keep_settings(&"dark".to_owned()).unwrap();
    vault.append(HISTORY, "bought a lantern").unwrap();
    let gone = vault.append(HISTORY, "bought a secret").unwrap();
    vault.leave_out(|record| record.sequence == gone).unwrap();
    drop(vault.put(telegram(1), b"beside".to_vec(), b"note".to_vec()).unwrap());
    let left = vault.post(telegram(2), vec![], vec![]).unwrap();
    bench.pass_seconds(5);
    let closed = vault.post(telegram(3), vec![], vec![]).unwrap();
    vault.close(closed.id(), b"paid".to_vec(), vec![]).unwrap();
    drop(left);
    let copy = vault.copy_for_deposit().unwrap();
    (vault, phrase, copy)
}

fn restore(bench: &Bench, contents: &RestoredContents) -> Vault {
    let passwords = vault::Passwords::Two { a: "new outer drawer".into(), b: "new inner drawer".into() };
    Vault::restore(&bench.profile, &passwords, contents, bench.surroundings.clone()).unwrap()
}

#[test]
fn the_phrase_brings_everything_back_with_both_passwords_forgotten() {
    let bench = Bench::new();
    let (mut vault, phrase, copy) = lived_in(&bench);
    let typed = RecoveryPhrase::parse(&phrase.words().join(" ").into()).unwrap();
    let signer = vault.terminal_key().unwrap().verification_key();
    let contents = open_copy(&copy, &typed, Some(&[signer])).unwrap();
    assert_eq!(contents.made_at.0, 1_005_000);
    let elsewhere = Bench::new();
    drop(restore(&elsewhere, &contents));

    let mut opening = elsewhere.try_open(&"new outer drawer".into()).unwrap();
    assert!(opening.findings.is_empty(), "{:?}", opening.findings);
    assert_eq!(opening.records.len(), 1);
    assert_eq!(opening.records[0].decode::<String>("entry").unwrap(), "bought a lantern");
    assert_eq!(opening.vault.program_records().unwrap(), opening.records);
    let restored = &mut opening.vault;
    let hand = restored.unlock_signing(&"new inner drawer".into()).unwrap();
    assert_eq!(hand.verification_key(), vault.unlock_signing(&b()).unwrap().verification_key());
    assert_eq!(restored.terminal_key().unwrap().verification_key(), signer);
    assert_eq!(restored.center(), Some(&center()));
    assert_eq!(restored.settings().unwrap(), Some("dark".to_owned()));
    assert_eq!(restored.autograph(), Some(autograph("Hanako")));
    assert_eq!(restored.recovery().unwrap().keys, phrase.public());
    assert!(restored.recovery().unwrap().confirmed_at.is_some(), "the phrase was just typed");
    let items = |vault: &Vault| vault.outbox().items().cloned().collect::<Vec<_>>();
    assert_eq!(items(restored), items(&vault), "what waited waits as it did");
    assert!(matches!(items(restored)[1].state, State::MayHaveLeft { since } if since.0 == 1_000_000));
    assert_eq!(restored.read(5).unwrap().bytes, vault.read(5).unwrap().bytes, "at its number");
    assert_ne!(elsewhere.bytes()[24..72], bench.bytes()[24..72], "another vault id, another salt");
    // Neither the old passwords nor exported telegrams of the old file open the new one.
    assert!(elsewhere.try_open(&a()).is_err());
}

#[test]
fn the_copy_holds_nothing_that_a_password_opens_and_nothing_in_the_clear() {
    let bench = Bench::new();
    let (mut vault, phrase, copy) = lived_in(&bench);
    let holds = |bytes: &[u8], needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    let seeds =
        [*vault.terminal_key().unwrap().seed(), vault.unlock_signing(&b()).unwrap().act(|key| *key.seed())];
    for seed in &seeds {
        assert!(!holds(&copy, seed));
    }
    assert!(!holds(&copy, b"lantern") && !holds(&copy, b"Hanako") && !holds(&copy, b"secret"));
    let contents = open_copy(&copy, &phrase, None).unwrap();
    let elsewhere = Bench::new();
    let restored = restore(&elsewhere, &contents);
    let length = u32::from_le_bytes(bench.bytes()[RECORDS + 4..RECORDS + 8].try_into().unwrap()) as usize;
    let under_b = &bench.bytes()[RECORDS + 48..RECORDS + 24 + length];
    assert!(!holds(&elsewhere.bytes(), under_b));
    assert!(!holds(&restored.read(1).unwrap().bytes, &vault.read(1).unwrap().bytes[44..140]));
}

#[test]
fn a_waiting_key_and_a_turned_one_come_back() {
    let bench = Bench::new();
    let (mut vault, phrase, _) = lived_in(&bench);
    vault.prepare_signature_key(&b(), None).unwrap();
    vault.promote(KeyRole::Signature).unwrap();
    vault.prepare_signature_key(&b(), Some(&autograph("Hanako, again"))).unwrap();
    vault.prepare_terminal_key().unwrap();
    let contents = open_copy(&vault.copy_for_deposit().unwrap(), &phrase, None).unwrap();
    let elsewhere = Bench::new();
    let mut restored = restore(&elsewhere, &contents);
    for role in [KeyRole::Signature, KeyRole::Terminal, KeyRole::Recovery] {
        assert_eq!(restored.in_use(role), vault.in_use(role), "{role:?}");
        assert_eq!(restored.waiting(role), vault.waiting(role), "{role:?}");
    }
    let (b, waits) = ("new inner drawer".into(), vault.waiting(KeyRole::Signature));
    assert_eq!(Some(restored.unlock_waiting_signing(&b).unwrap().verification_key()), waits);
    assert_eq!(restored.autograph(), Some(autograph("Hanako")));
    restored.promote(KeyRole::Signature).unwrap();
    assert_eq!(restored.autograph(), Some(autograph("Hanako, again")));
    assert_eq!(restored.unlock_signing(&b).unwrap().verification_key(), waits.unwrap());
}

#[test]
fn a_signature_key_whose_own_record_is_damaged_comes_back_too() {
    let bench = Bench::new();
    let (vault, phrase, _) = lived_in(&bench);
    let key = vault.verification_key().unwrap();
    drop(vault);
    let mut bytes = bench.bytes();
    bytes[RECORDS + 60] ^= 1;
    bench.set_bytes(&bytes);
    let opening = bench.open();
    assert!(matches!(opening.findings[..], [Finding::Damaged { sequence: Some(1), .. }]));
    let contents = open_copy(&opening.vault.copy_for_deposit().unwrap(), &phrase, None).unwrap();
    let elsewhere = Bench::new();
    drop(restore(&elsewhere, &contents));
    let mut opening = elsewhere.try_open(&"new outer drawer".into()).unwrap();
    assert!(opening.findings.is_empty(), "{:?}", opening.findings);
    assert_eq!(opening.vault.unlock_signing(&"new inner drawer".into()).unwrap().verification_key(), key);
}

#[test]
fn another_phrase_or_signer_is_refused() {
    let bench = Bench::new();
    let (_, right, copy) = lived_in(&bench);
    let refused =
        |copy: &[u8], phrase: &RecoveryPhrase, signers| open_copy(copy, phrase, signers).unwrap_err();
    assert_eq!(refused(&copy, &phrase(), None), CopyError::OtherPhrase);
    let stranger = SigningKey::generate();
    let signers = [stranger.verification_key()];
    assert_eq!(refused(&copy, &right, Some(&signers)), CopyError::Foreign);
    // Someone signs our content with another terminal's key.
    let mut forged = copy.clone();
    forged[10..42].copy_from_slice(&stranger.verification_key().0);
    let end = forged.len() - 64;
    let signature = stranger.sign(&[b"inkan/v1/vault-copy\0", &forged[..end]].concat());
    forged[end..].copy_from_slice(&signature.0);
    assert_eq!(refused(&forged, &right, None), CopyError::Content);
    let mut newer = copy.clone();
    newer[8] = 2;
    assert_eq!(refused(&newer, &right, None), CopyError::Newer(2));
    assert_eq!(refused(b"INKANVLT and so on", &right, None), CopyError::NotACopy);
}

#[test]
fn a_copy_changed_anywhere_is_refused() {
    let bench = Bench::new();
    let (_, phrase, copy) = lived_in(&bench);
    for at in 0..copy.len() {
        let mut changed = copy.clone();
        changed[at] ^= 4;
        assert!(open_copy(&changed, &phrase, None).is_err(), "byte {at}");
    }
    for cut in (0..copy.len()).step_by(5) {
        assert!(open_copy(&copy[..cut], &phrase, None).is_err(), "cut at {cut}");
    }
}

#[test]
fn without_a_copy_the_phrase_gives_fresh_keys_and_the_recovery_key() {
    let bench = Bench::new();
    let phrase = phrase();
    let surroundings = bench.surroundings.clone();
    drop(Vault::restore_without_copy(&bench.profile, &two(), &phrase, surroundings).unwrap());
    let opening = bench.open();
    let mut vault = opening.vault;
    assert!(opening.records.is_empty());
    assert_eq!(vault.recovery().unwrap().keys, phrase.public());
    let key = vault.unlock_signing(&b()).unwrap().verification_key();
    let contents = open_copy(&vault.copy_for_deposit().unwrap(), &phrase, None).unwrap();
    assert_eq!(contents.signature_keys().collect::<Vec<_>>(), [key]);
}

#[test]
fn a_vault_without_a_phrase_makes_no_copy() {
    let bench = Bench::new();
    let mut vault = bench.create();
    assert!(matches!(vault.copy_for_deposit(), Err(Error::NoRecovery)));
    assert!(matches!(vault.confirm_recovery(), Err(Error::NoRecovery)));
    assert!(!vault.copy_is_due());
}

#[test]
fn a_copy_is_due_after_changes_and_not_after_itself() {
    let bench = Bench::new();
    let (mut vault, ..) = lived_in(&bench);
    assert!(vault.copy_is_due());
    let up_to = vault.newest();
    vault.append(HISTORY, "while it was on its way").unwrap();
    vault.note_deposit(up_to).unwrap();
    assert!(vault.copy_is_due(), "what came after the copy is not in it");
    vault.note_deposit(vault.newest()).unwrap();
    drop(vault);
    let mut vault = bench.open().vault;
    assert!(!vault.copy_is_due());
    assert!(vault.deposited_at().is_some());
    vault.append(HISTORY, "bought another").unwrap();
    assert!(vault.copy_is_due());
}

#[test]
fn a_drill_proves_the_phrase_and_leaves_nothing_behind() {
    let bench = Bench::new();
    let (mut vault, phrase, copy) = lived_in(&bench);
    vault.append(HISTORY, "newer than the copy").unwrap();
    assert_eq!(vault.recovery().unwrap().proved_at, None);
    let scratch = bench.profile.join("drill");
    let drill = vault.drill(&copy, &phrase, &scratch).unwrap();
    assert_eq!((drill.newer, drill.copied_at.0), (1, 1_005_000));
    assert!(drill.compared >= 8, "{drill:?}");
    assert!(!scratch.exists());
    drop(vault);
    let mut vault = bench.open().vault;
    assert_eq!(vault.recovery().unwrap().proved_at, Some(drill.at));
    vault.prepare_recovery(&crate::bench::phrase(), &b()).unwrap();
    vault.promote(KeyRole::Recovery).unwrap();
    assert_eq!(vault.recovery().unwrap().proved_at, None, "the new phrase is not proved");
}

#[test]
fn a_drill_that_gives_back_something_else_says_so_and_notes_nothing() {
    let bench = Bench::new();
    let (mut vault, own_phrase, copy) = lived_in(&bench);
    let scratch = bench.profile.join("drill");
    let other = phrase();
    assert!(matches!(vault.drill(&copy, &other, &scratch), Err(Error::Copy(CopyError::OtherPhrase))));
    let stranger = Bench::new();
    let (_, phrase, foreign) = lived_in(&stranger);
    let words = vault.drill(&foreign, &phrase, &scratch).unwrap_err().to_string();
    assert!(words.starts_with("the restored vault is not this one: its signature key is another"), "{words}");
    assert!(!scratch.exists(), "also then nothing is left behind");
    fs::create_dir(&scratch).unwrap();
    fs::write(scratch.join(FILE), b"precious").unwrap();
    assert!(matches!(vault.drill(&copy, &own_phrase, &scratch), Err(Error::Exists(_))));
    assert_eq!(fs::read(scratch.join(FILE)).unwrap(), b"precious");
    let unwritable = bench.path().join("below a file");
    assert!(matches!(vault.drill(&copy, &own_phrase, &unwritable), Err(Error::Io { .. })));
    assert_eq!(vault.recovery().unwrap().proved_at, None);
}

#[test]
fn damage_to_the_new_records_is_named_and_the_rest_opens() {
    let bench = Bench::new();
    let (mut vault, ..) = lived_in(&bench);
    vault.prepare_signature_key(&b(), Some(&autograph("Hanako"))).unwrap();
    vault.prepare_terminal_key().unwrap();
    let (newest, length) = (vault.newest(), bench.bytes().len());
    drop(vault);
    let bytes = bench.bytes();
    for at in (RECORDS..length).step_by(13) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x41;
        bench.set_bytes(&flipped);
        let mut opening = bench.open();
        assert!(!opening.findings.is_empty(), "byte {at}");
        let intact = (1..=newest).filter(|sequence| opening.vault.read(*sequence).is_ok()).count() as u64;
        assert_eq!(intact, newest - 1, "byte {at}");
        match opening.vault.unlock_signing(&b()) {
            Ok(_) => {}
            Err(Error::KeyLost(_)) => assert!(opening.vault.read(1).is_err()),
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
}

#[test]
fn a_drill_misses_what_is_not_in_the_copy() {
    let bench = Bench::new();
    let (mut vault, phrase, _) = lived_in(&bench);
    let bought = vault.append(HISTORY, "bought a lamp").unwrap();
    drop(vault.put(telegram(9), vec![], vec![]).unwrap());
    drop(vault);
    let whole = bench.bytes();
    let at = whole
        .windows(12)
        .position(|head| head[..4] == *b"INKR" && head[8..] == (bought as u32).to_le_bytes())
        .unwrap();
    let mut damaged = whole.clone();
    damaged[at + 60] ^= 1;
    bench.set_bytes(&damaged);
    let copy = bench.open().vault.copy_for_deposit().unwrap();
    bench.set_bytes(&whole);
    let words =
        bench.open().vault.drill(&copy, &phrase, &bench.profile.join("drill")).unwrap_err().to_string();
    assert!(words.contains(&format!("record {bought} (kind 100) is another")), "{words}");
}

#[test]
fn a_drill_that_was_interrupted_is_not_in_the_way_of_the_next() {
    let bench = Bench::new();
    let (mut vault, phrase, copy) = lived_in(&bench);
    let scratch = bench.profile.join("drill");
    fs::create_dir_all(scratch.join("restored")).unwrap();
    for name in [FILE, "vault.inkan.lock", "vault.inkan.new"] {
        fs::write(scratch.join("restored").join(name), b"left over").unwrap();
    }
    vault.drill(&copy, &phrase, &scratch).unwrap();
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
}

#[test]
fn a_key_that_is_not_sealed_to_the_phrase_makes_no_copy_until_b_is_given() {
    let bench = Bench::new();
    let (mut vault, phrase, _) = lived_in(&bench);
    let before = bench.bytes().len();
    let key = vault.prepare_signature_key(&b(), None).unwrap();
    drop(vault);
    // The program was ended in the middle of the write: the key is there, what seals it to the phrase is not.
    let bytes = bench.bytes();
    let body = u32::from_le_bytes(bytes[before + 4..before + 8].try_into().unwrap()) as usize;
    bench.set_bytes(&bytes[..before + 24 + body + 30]);
    let opening = bench.open();
    assert!(matches!(opening.findings[..], [Finding::TornTail { .. }]), "{:?}", opening.findings);
    let mut vault = opening.vault;
    drop(vault.unlock_waiting_signing(&b()).unwrap());
    vault.promote(KeyRole::Signature).unwrap();
    let contents = open_copy(&vault.copy_for_deposit().unwrap(), &phrase, None).unwrap();
    assert!(contents.signature_keys().any(|found| found == key));

    // The same by damage: a copy that would not bring the key back does not replace one that does.
    let newest = vault.newest();
    let sealed = (1..=newest).rev().find(|number| vault.read(*number).unwrap().kind == 5).unwrap();
    drop(vault);
    let mut bytes = bench.bytes();
    let at = bytes
        .windows(12)
        .position(|head| head[..4] == *b"INKR" && head[8..] == (sealed as u32).to_le_bytes())
        .unwrap();
    bytes[at + 60] ^= 1;
    bench.set_bytes(&bytes);
    let mut vault = bench.open().vault;
    assert!(matches!(vault.copy_for_deposit(), Err(Error::NotSealedToPhrase)));
    drop(vault.unlock_signing(&b()).unwrap());
    let contents = open_copy(&vault.copy_for_deposit().unwrap(), &phrase, None).unwrap();
    assert!(contents.signature_keys().any(|found| found == key));
}

#[test]
fn no_copy_holds_records_yet_to_come() {
    let bench = Bench::new();
    let (mut vault, ..) = lived_in(&bench);
    vault.note_deposit(u64::MAX).unwrap();
    assert!(!vault.copy_is_due());
    vault.append(HISTORY, "after it").unwrap();
    assert!(vault.copy_is_due());
}
