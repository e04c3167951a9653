//! Who can open what, and what a wrong password costs.

use std::time::Duration;

use secrecy::SecretString;
use vault::{Error, Finding, Locked, Mode, Passwords, Vault, Which};

use wire::admission::VaultPolicy;

use crate::bench::{Bench, HISTORY, RECORDS, a, autograph, b, two};

const SLOT: usize = 4096;

#[test]
fn a_opens_and_b_inside_it_signs() {
    let bench = Bench::with_vault();
    let mut vault = bench.open().vault;
    let public = vault.verification_key().unwrap();
    let signature = vault.unlock_signing(&b()).unwrap().act(|key| key.sign(b"act"));
    public.verify(b"act", &signature).unwrap();
    vault.terminal_key().unwrap().verification_key().check().unwrap();
    assert_ne!(vault.terminal_key().unwrap().verification_key(), public);
}

#[test]
fn a_alone_signs_nothing_and_b_alone_opens_nothing() {
    let bench = Bench::with_vault();
    let refused = bench.try_open(&b()).unwrap_err();
    assert!(matches!(refused, Error::WrongPassword { which: Which::A, .. }), "{refused}");
    bench.pass_seconds(1);
    let mut vault = bench.open().vault;
    let refused = vault.unlock_signing(&a()).unwrap_err();
    assert!(matches!(refused, Error::WrongPassword { which: Which::B, .. }), "{refused}");
}

#[test]
fn neither_key_nor_record_is_in_the_file_in_the_clear() {
    let bench = Bench::new();
    let mut vault = bench.create();
    vault.append(HISTORY, "bought a lantern").unwrap();
    let seed = *vault.terminal_key().unwrap().seed();
    let signature_seed = vault.unlock_signing(&b()).unwrap().act(|key| *key.seed());
    let bytes = bench.bytes();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(!holds(b"lantern") && !holds(&seed) && !holds(&signature_seed));
    assert!(!holds(&vault.verification_key().unwrap().0), "not even whose vault it is");
}

#[test]
fn a_locked_screen_asks_for_a_and_counts_wrong_answers() {
    let bench = Bench::new();
    let mut vault = bench.create();
    vault.check_password_a(&a()).unwrap();
    assert!(matches!(vault.check_password_a(&b()), Err(Error::WrongPassword { which: Which::A, .. })));
    assert!(matches!(vault.check_password_a(&a()), Err(Error::TooSoon { which: Which::A, .. })));
    bench.pass_seconds(1);
    vault.check_password_a(&a()).unwrap();
}

#[test]
fn a_single_password_opens_and_is_asked_again_at_signing() {
    let bench = Bench::new();
    let one = Passwords::One(a());
    let mut vault = Vault::create(&bench.profile, &one, None, bench.surroundings.clone()).unwrap();
    assert_eq!(vault.mode(), Mode::Single);
    assert!(vault.unlock_signing(&b()).is_err());
    bench.pass_seconds(1);
    let key = vault.unlock_signing(&a()).unwrap().verification_key();
    vault.change_password_a(&a(), &b()).unwrap();
    drop(vault);
    assert!(bench.try_open(&a()).is_err());
    bench.pass_seconds(1);
    let mut vault = bench.try_open(&b()).unwrap().vault;
    assert_eq!(vault.unlock_signing(&b()).unwrap().verification_key(), key);
    assert!(vault.unlock_signing(&a()).is_err());
}

#[test]
fn the_wait_after_wrong_passwords_grows_and_survives_a_restart() {
    let bench = Bench::with_vault();
    let wrong = SecretString::from("not this one");
    for expected in [1, 2, 4, 8] {
        let error = bench.try_open(&wrong).unwrap_err();
        assert!(matches!(error, Error::WrongPassword { .. }));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(expected)));
        assert!(error.to_string().ends_with(&format!("possible in {expected} s")), "{error}");
        // The right password has to wait, too, and asking early neither costs nor gains anything.
        for _ in 0..2 {
            let error = bench.try_open(&a()).unwrap_err();
            assert!(matches!(error, Error::TooSoon { .. }), "{error}");
            assert_eq!(error.retry_after(), Some(Duration::from_secs(expected)));
        }
        bench.pass_seconds(expected);
    }
    drop(bench.open());
    assert_eq!(bench.try_open(&wrong).unwrap_err().retry_after(), Some(Duration::from_secs(1)), "forgiven");
}

#[test]
fn password_b_has_a_wait_of_its_own() {
    let bench = Bench::with_vault();
    let mut vault = bench.open().vault;
    let wrong = SecretString::from("not this one");
    vault.unlock_signing(&wrong).unwrap_err();
    bench.pass_seconds(1);
    assert_eq!(vault.unlock_signing(&wrong).unwrap_err().retry_after(), Some(Duration::from_secs(2)));
    drop(vault);
    let mut vault = bench.open().vault;
    assert!(matches!(vault.unlock_signing(&b()), Err(Error::TooSoon { which: Which::B, .. })));
    bench.pass_seconds(2);
    vault.unlock_signing(&b()).unwrap();
}

#[test]
fn a_clock_set_back_cannot_shut_the_vault_for_longer_than_the_wait() {
    let bench = Bench::with_vault();
    bench.try_open(&b()).unwrap_err();
    bench.clock.store(5_000, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(bench.try_open(&a()).unwrap_err().retry_after(), Some(Duration::from_secs(1)));
    bench.pass_seconds(1);
    bench.open();
}

#[test]
fn a_refused_vault_stays_held_for_another_try() {
    let bench = Bench::with_vault();
    let locked = Locked::claim(&bench.profile, bench.surroundings.clone()).unwrap();
    assert_eq!(locked.mode(), Mode::Double);
    let refused = locked.unlock(&b()).unwrap_err();
    let salt = format!("{:?}", &bench.bytes()[40..72]);
    assert!(!format!("{refused:?}").contains(&salt), "nothing to try passwords against gets into a log");
    assert!(matches!(bench.try_open(&a()), Err(Error::Held { .. })));
    bench.pass_seconds(1);
    let mut opening = refused.locked.unlock(&a()).unwrap();
    opening.vault.append(HISTORY, "kept").unwrap();
    let again = opening.vault.lock().unlock(&a()).unwrap();
    assert_eq!(again.records.len(), 1);
}

#[test]
fn unfit_passwords_are_refused_at_creation() {
    let bench = Bench::new();
    let refused = |a: &str, b: &str| {
        let passwords = Passwords::Two { a: a.into(), b: b.into() };
        Vault::create(&bench.profile, &passwords, None, bench.surroundings.clone()).unwrap_err().to_string()
    };
    assert_eq!(refused("short", "long enough"), "password A needs at least 8 characters");
    assert_eq!(refused("long enough", "short"), "password B needs at least 8 characters");
    assert_eq!(refused("the same one", "the same one"), "password B must differ from password A");
    assert!(refused("password1", "inner drawer").starts_with("password A is too easy to guess. "));
    assert!(refused("outer drawer", "qwertyuiop").starts_with("password B is too easy to guess. "));
    assert_eq!(refused("inkan 123", "ｉｎｋａｎ\u{3000}１２３"), "password B must differ from password A");
    assert!(!Vault::exists(&bench.profile));
}

#[test]
fn a_vault_is_never_overwritten() {
    let bench = Bench::with_vault();
    let before = bench.bytes();
    let error = Vault::create(&bench.profile, &two(), None, bench.surroundings.clone()).unwrap_err();
    assert!(matches!(error, Error::Exists(_)), "{error}");
    assert_eq!(bench.bytes(), before);
}

#[test]
fn an_autograph_is_kept_and_makes_another_key() {
    let [plain, drawn] = [None, Some(autograph("Hanako"))].map(|autograph| {
        let bench = Bench::new();
        let mut surroundings = bench.surroundings.clone();
        surroundings.random = std::sync::Arc::new(|bytes| bytes.fill(5));
        drop(Vault::create(&bench.profile, &two(), autograph.as_ref(), surroundings).unwrap());
        let vault = bench.open().vault;
        assert_eq!(vault.autograph(), autograph);
        vault.verification_key().unwrap()
    });
    assert_ne!(plain, drawn);
}

#[test]
fn after_a_change_of_a_the_old_one_opens_nothing_in_the_file() {
    let bench = Bench::with_vault();
    let new = SecretString::from("a new outer one");
    let mut vault = bench.open().vault;
    assert!(matches!(vault.change_password_a(&b(), &new), Err(Error::WrongPassword { .. })));
    bench.pass_seconds(1);
    let refused = vault.change_password_a(&a(), &b()).unwrap_err();
    assert_eq!(refused.to_string(), "password A must differ from password B");
    vault.change_password_a(&a(), &new).unwrap();
    drop(vault);
    // Whichever of the two slots is destroyed, the other knows the new password only.
    let bytes = bench.bytes();
    for slot in [0, SLOT] {
        let mut bytes = bytes.clone();
        bytes[slot + 50] ^= 1;
        bench.set_bytes(&bytes);
        let opening = bench.try_open(&new).unwrap();
        assert_eq!(opening.findings, [Finding::HeaderSlot { number: slot / SLOT }]);
        drop(opening);
        bench.set_bytes(&bytes);
        assert!(matches!(bench.try_open(&a()), Err(Error::WrongPassword { .. })));
    }
}

#[test]
fn an_interrupted_change_of_a_is_finished_at_the_next_opening() {
    let bench = Bench::with_vault();
    let new = SecretString::from("a new outer one");
    let before = bench.bytes();
    let generation = |bytes: &[u8], slot: usize| bytes[slot + 16..slot + 24].to_vec();
    let mut vault = bench.open().vault;
    vault.change_password_a(&a(), &new).unwrap();
    drop(vault);
    // As if the second slot had not been written any more.
    let mut bytes = bench.bytes();
    let older = if generation(&bytes, 0) < generation(&bytes, SLOT) { SLOT } else { 0 };
    bytes[older..older + SLOT].copy_from_slice(&before[older..older + SLOT]);
    bench.set_bytes(&bytes);
    let opening = bench.try_open(&new).unwrap();
    assert_eq!(opening.findings, [Finding::StaleSlot]);
    drop(opening);
    assert!(bench.try_open(&new).unwrap().findings.is_empty());
}

#[test]
fn after_a_change_of_b_the_old_record_is_gone() {
    let bench = Bench::with_vault();
    let new = SecretString::from("a new inner one");
    let mut vault = bench.open().vault;
    let sequence = vault.append(HISTORY, "before").unwrap();
    let key = vault.verification_key().unwrap();
    let before = bench.bytes();
    let length = u32::from_le_bytes(before[RECORDS + 4..RECORDS + 8].try_into().unwrap()) as usize;
    let old_record = &before[RECORDS + 24..RECORDS + 24 + length];
    assert!(vault.change_password_b(&b(), &a()).unwrap_err().to_string().contains("must differ"));
    vault.change_password_b(&b(), &new).unwrap();
    assert_eq!(vault.read(sequence).unwrap().decode::<String>("entry").unwrap(), "before");
    vault.append(HISTORY, "after").unwrap();
    assert!(matches!(vault.unlock_signing(&b()), Err(Error::WrongPassword { .. })));
    drop(vault);
    let after = bench.bytes();
    for piece in old_record.chunks(32) {
        assert!(
            !after.windows(piece.len()).any(|window| window == piece),
            "a piece of the old record is left"
        );
    }
    bench.pass_seconds(1);
    let mut opening = bench.open();
    assert_eq!(opening.records.len(), 2);
    assert!(opening.findings.is_empty());
    assert_eq!(opening.vault.unlock_signing(&new).unwrap().verification_key(), key);
}

#[test]
fn tampered_parameters_are_refused_or_open_nothing() {
    let bench = Bench::with_vault();
    let intact = bench.bytes();
    let with = |at: usize, value: u32| {
        let mut bytes = intact.clone();
        for slot in [0, SLOT] {
            bytes[slot + at..slot + at + 4].copy_from_slice(&value.to_le_bytes());
            let checksum = crc32fast::hash(&bytes[slot..slot + SLOT - 4]);
            bytes[slot + SLOT - 4..slot + SLOT].copy_from_slice(&checksum.to_le_bytes());
        }
        bench.set_bytes(&bytes);
        bench.try_open(&a()).unwrap_err()
    };
    assert!(matches!(with(72, u32::MAX), Error::Derivation(_)), "4 TiB of memory");
    assert!(matches!(with(76, 1_000_000), Error::Derivation(_)), "a million passes");
    assert!(matches!(with(80, 1 << 24), Error::Derivation(_)), "16 million lanes");
    assert!(matches!(with(72, 16), Error::WrongPassword { .. }), "the parameters are bound into the wrap");
    assert!(matches!(with(8, 3), Error::Newer(3)), "another version");
}

#[test]
fn the_own_name_is_refused_where_it_is_known() {
    let passwords = Passwords::Two { a: "tsurumakihanako".into(), b: b() };
    assert!(passwords.check().is_ok());
    let refused = passwords.check_for(&["tsurumakihanako", "hanako"]).unwrap_err();
    assert!(refused.to_string().starts_with("password A is too easy to guess"), "{refused}");
}

#[test]
fn a_vault_below_the_centers_policy_is_sealed_anew_when_the_passwords_are_at_hand() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let memory =
        |bytes: &[u8], slot: usize| u32::from_le_bytes(bytes[slot + 72..slot + 76].try_into().unwrap());
    vault.keep_policy(VaultPolicy { memory_kib: 64 << 10, passes: 3 }).unwrap();
    drop(vault);
    drop(bench.open());
    assert_eq!(memory(&bench.bytes(), 0), 8, "the floor asks for nothing new");

    let policy = VaultPolicy { memory_kib: 65 << 10, passes: 1 };
    let mut vault = bench.open().vault;
    vault.keep_policy(policy).unwrap();
    let length = bench.bytes().len();
    vault.keep_policy(policy).unwrap();
    assert_eq!(bench.bytes().len(), length, "nothing new, nothing written");
    drop(vault);
    let mut opening = bench.open();
    assert!(opening.findings.is_empty(), "{:?}", opening.findings);
    assert_eq!(opening.vault.policy(), Some(policy));
    let bytes = bench.bytes();
    assert_eq!([0, SLOT].map(|slot| memory(&bytes, slot)), [65 << 10; 2]);

    let record = bench.bytes()[RECORDS..].to_vec();
    let key = opening.vault.unlock_signing(&b()).unwrap().verification_key();
    let resealed = bench.bytes()[RECORDS..].to_vec();
    assert_ne!(record, resealed, "the signature key is sealed anew");
    assert_eq!(opening.vault.unlock_signing(&b()).unwrap().verification_key(), key);
    assert_eq!(bench.bytes()[RECORDS..], resealed, "once");
    drop(opening);
    assert!(bench.open().findings.is_empty());
}

#[test]
fn a_policy_without_measure_is_refused() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let before = bench.bytes();
    for (memory_kib, passes) in [(u32::MAX, 3), (64 << 10, 1000)] {
        let refused = vault.keep_policy(VaultPolicy { memory_kib, passes }).unwrap_err();
        assert!(matches!(refused, Error::Policy { .. }), "{refused}");
    }
    assert_eq!(bench.bytes(), before);
}

#[test]
fn b_for_a_while_signs_until_its_instant() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let now = std::time::Instant::now();
    let mut session = vault.unlock_session(&b(), now + Duration::from_secs(300)).unwrap();
    for _ in 0..2 {
        let signature = session.act(now, |key| key.sign(b"act")).unwrap();
        vault.verification_key().unwrap().verify(b"act", &signature).unwrap();
    }
    assert!(matches!(session.act(now + Duration::from_secs(300), |_| ()), Err(Error::SessionOver)));
    assert!(matches!(vault.unlock_session(&a(), now), Err(Error::WrongPassword { which: Which::B, .. })));
}
