use std::{fs, process::Command, time::Duration};

use wire::codec;

use super::*;
use crate::seal::Sealed;

const CHILD: &str = "INKAN_TEST_KEY_FILE";

fn passphrase(text: &str) -> SecretString {
    SecretString::from(text)
}

#[test]
fn keys_survive_their_files_and_open_for_their_passphrase_only() {
    let dir = tempfile::tempdir().unwrap();
    let (root_path, service_path) = (dir.path().join("root"), dir.path().join("service"));
    let (mine, other) = (passphrase("root passphrase"), passphrase("another one"));
    let root = create_root(&root_path, &mine).unwrap();
    assert_eq!(open_root(&root_path, &mine).unwrap().verification_key(), root.verification_key());
    assert!(matches!(open_root(&root_path, &other), Err(KeyFileError::WrongPassphrase("root"))));
    assert!(create_root(&root_path, &mine).is_err(), "a root key is never overwritten");

    let service = create_service(&service_path, &mine).unwrap();
    let opened = open_service(&service_path, &mine).unwrap();
    assert_eq!(opened.cabinet_key(), service.cabinet_key());
    let sheet = service.roles().sheet(&root, Line::new("test.example/1").unwrap());
    let sheet = KeySheet::verify(&sheet, &root.verification_key()).unwrap();
    assert!(opened.roles().stand_on(&sheet));
    assert!(!RoleKeys::generate().stand_on(&sheet));
    assert!(open_service(&service_path, &other).is_err());

    let stored = fs::read(&service_path).unwrap();
    for role in ROLES {
        let seed = service.roles().of(role).seed();
        assert!(!stored.windows(32).any(|window| window == &seed[..]), "no key in the clear");
    }
    fs::write(&service_path, b"nonsense").unwrap();
    assert!(open_service(&service_path, &mine).unwrap_err().to_string().contains("key file"));
}

#[test]
fn files_of_the_first_version_are_read_and_become_the_second() {
    let dir = tempfile::tempdir().unwrap();
    let (root_path, service_path) = (dir.path().join("root"), dir.path().join("service"));
    let mine = passphrase("a passphrase");
    let (root, key, roles) = (SigningKey::generate(), Key::new([9; 32]), RoleKeys::generate());
    let sealed = Sealed::new(&mine, KeyFile::Root.purpose(), &*root.seed()).unwrap();
    fs::write(&root_path, codec::encode(&(1u16, root.verification_key(), sealed))).unwrap();
    let sealed = Sealed::new(&mine, KeyFile::Service.purpose(), &*key).unwrap();
    let roles_sealed = sealed_roles(&role_sealing_key(&key), &roles);
    fs::write(&service_path, codec::encode(&(1u16, vec![sealed], roles_sealed))).unwrap();

    assert_eq!(open_root(&root_path, &mine).unwrap().verification_key(), root.verification_key());
    for (path, which) in [(&root_path, KeyFile::Root), (&service_path, KeyFile::Service)] {
        assert_eq!(passphrases(path, which).unwrap()[0].name, "first");
        add_passphrase(path, which, &mine, "safe", &passphrase("the second one"), false).unwrap();
        assert_eq!(passphrases(path, which).unwrap().len(), 2);
        assert_eq!(fs::read(path).unwrap()[..2], [2, 0]);
    }
    for words in ["a passphrase", "the second one"] {
        let opened = open_service(&service_path, &passphrase(words)).unwrap();
        assert_eq!(opened.cabinet_key(), &*key);
        assert_eq!(opened.roles().card.verification_key(), roles.card.verification_key());
        open_root(&root_path, &passphrase(words)).unwrap();
    }
    fs::write(&root_path, [3, 0, 1]).unwrap();
    let words = open_root(&root_path, &mine).unwrap_err().to_string();
    assert!(words.contains("version 3"), "{words}");
}

#[test]
fn a_rotation_ends_with_the_keys_that_the_books_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("service");
    let (mine, root) = (passphrase("a passphrase"), SigningKey::generate());
    let service = create_service(&path, &mine).unwrap();
    let first = service.roles().sheet(&root, Line::new("test.example/1").unwrap());
    let first = KeySheet::verify(&first, &root.verification_key()).unwrap();
    let old = service.roles().clone();
    let next = old.rotated(&[SheetRole::Tls, SheetRole::Checkpoint]);
    assert_eq!(next.card.verification_key(), old.card.verification_key());
    let second = next.next_sheet(&first, 41).unwrap();
    assert_eq!(second.number, 2);
    assert_eq!(second.key_at(SheetRole::Checkpoint, 42), Some(old.checkpoint.verification_key()));
    assert_eq!(second.key_at(SheetRole::Checkpoint, 43), Some(next.checkpoint.verification_key()));
    assert_eq!(second.current(SheetRole::Card), Some(old.card.verification_key()));

    // Begun, and the books never took it.
    open_service(&path, &mine).unwrap().begin_rotation(&path, next.clone()).unwrap();
    let mut opened = open_service(&path, &mine).unwrap();
    assert!(opened.next().unwrap().stand_on(&second) && opened.roles().stand_on(&first));
    opened.settle(&path, &first).unwrap();
    let mut opened = open_service(&path, &mine).unwrap();
    assert!(opened.next().is_none() && opened.roles().stand_on(&first) && opened.retired().is_none());

    // Begun, and the books took it.
    opened.begin_rotation(&path, next.clone()).unwrap();
    let mut opened = open_service(&path, &mine).unwrap();
    opened.settle(&path, &second).unwrap();
    opened.settle(&path, &second).unwrap();
    let mut opened = open_service(&path, &mine).unwrap();
    assert!(opened.next().is_none() && opened.roles().stand_on(&second));
    let (until, retired) = opened.retired().unwrap();
    assert_eq!((until, retired.verification_key()), (42, old.checkpoint.verification_key()));
    let words = opened.settle(&path, &first).unwrap_err().to_string();
    assert!(words.contains("key sheet"), "{words}");
}

#[test]
fn a_sheet_that_is_full_is_told() {
    let root = SigningKey::generate();
    let mut roles = RoleKeys::generate();
    let first = roles.sheet(&root, Line::new("test.example/1").unwrap());
    let mut sheet = KeySheet::verify(&first, &root.verification_key()).unwrap();
    let mut rotations = 0;
    loop {
        roles = roles.rotated(&ROLES);
        match roles.next_sheet(&sheet, sheet.number * 10) {
            Ok(next) => sheet = next,
            Err(_) => break,
        }
        rotations += 1;
    }
    assert_eq!(rotations, wire::limits::SHEET_KEYS / ROLES.len() - 1);
}

/// Changes the passphrase back and forth until it is killed; does nothing in an ordinary run.
#[test]
fn child_that_changes_passphrases() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let (one, other) = (passphrase("one passphrase"), passphrase("other passphrase"));
    let path = Path::new(&path);
    loop {
        change_passphrase(path, KeyFile::Service, &one, &other).unwrap();
        change_passphrase(path, KeyFile::Service, &other, &one).unwrap();
    }
}

#[test]
fn a_change_of_passphrase_that_is_killed_leaves_the_old_one_or_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("service");
    let (one, other) = (passphrase("one passphrase"), passphrase("other passphrase"));
    let key = *create_service(&path, &one).unwrap().cabinet_key();
    for round in 0..8 {
        let child = "keys::tests::child_that_changes_passphrases";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([child, "--exact", "--nocapture"])
            .env(CHILD, &path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Not to wait for something: this is the moment at which the process dies.
        std::thread::sleep(Duration::from_millis(20 + round * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        let opened = open_service(&path, &one).or_else(|_| open_service(&path, &other)).unwrap();
        assert_eq!(opened.cabinet_key(), &key);
        if open_service(&path, &one).is_err() {
            change_passphrase(&path, KeyFile::Service, &other, &one).unwrap();
        }
    }
}
