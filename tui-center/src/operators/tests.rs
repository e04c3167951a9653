use super::*;

const SSH: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl aiko@center";

fn aiko() -> Operator {
    Operator { name: "aiko".into(), role: OperatorRole::Clerk, ssh_key: SSH.into() }
}

fn open(dir: &Path) -> Operators {
    Operators::open(&dir.join("operators.json")).unwrap()
}

fn books(name: &str) -> Option<(OperatorRole, Digest)> {
    (name == "aiko").then(|| (OperatorRole::Clerk, key_digest(SSH)))
}

#[test]
fn passphrases_are_checked_and_waits_grow_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (right, wrong) = (SecretString::from("the right one"), SecretString::from("the wrong one"));
    let operators = open(dir.path());
    operators.found(&aiko(), &right).unwrap();
    let now = Timestamp(1_000_000);
    assert_eq!(operators.check("aiko", &right, now, &books), Ok(aiko()));
    assert_eq!(operators.check("nobody", &right, now, &books), Err(OperatorError::Wrong));
    for _ in 0..FREE {
        assert_eq!(operators.check("aiko", &wrong, now, &books), Err(OperatorError::Wrong));
    }
    let operators = open(dir.path());
    assert_eq!(operators.check("aiko", &right, now, &books), Err(OperatorError::Wait(1)));
    assert_eq!(operators.check("aiko", &wrong, now.plus_ms(1000), &books), Err(OperatorError::Wrong));
    assert_eq!(operators.check("aiko", &right, now.plus_ms(2000), &books), Err(OperatorError::Wait(1)));
    assert_eq!(operators.check("aiko", &right, now.plus_ms(3000), &books), Ok(aiko()));
    assert!(aiko().may(OperatorRole::Clerk).is_ok());
    assert!(aiko().may(OperatorRole::Admin).unwrap_err().to_string().contains("takes a admin"));
    let file = fs::read_to_string(dir.path().join("operators.json")).unwrap();
    assert!(!file.contains("right one"));
}

#[test]
fn whom_the_books_do_not_name_with_this_key_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let right = SecretString::from("the right one");
    let operators = open(dir.path());
    operators.found(&aiko(), &right).unwrap();
    let gone = Err(OperatorError::NotInBooks("aiko".into()));
    assert_eq!(operators.check("aiko", &right, Timestamp(1), &|_| None), gone);
    let other = |_: &str| Some((OperatorRole::Clerk, Digest([0; 32])));
    assert_eq!(operators.check("aiko", &right, Timestamp(1), &other), gone);
    let raised = |_: &str| Some((OperatorRole::Admin, key_digest(SSH)));
    let believed = operators.check("aiko", &right, Timestamp(1), &raised).unwrap();
    assert_eq!(believed.role, OperatorRole::Admin, "the role is the books'");
    let said = BTreeMap::from([
        ("aiko".to_owned(), (OperatorRole::Viewer, Digest([0; 32]))),
        ("ben".to_owned(), (OperatorRole::Admin, key_digest(SSH))),
    ]);
    let told = operators.reconcile(&said, &|_| false).unwrap();
    assert!(told[0].contains("another SSH key") && told[1].contains("ben"), "{told:?}");
}

#[test]
fn a_reset_passphrase_counts_by_its_own_proposal_only() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (SecretString::from("the old one"), SecretString::from("the new one"));
    let operators = open(dir.path());
    operators.found(&aiko(), &old).unwrap();
    let now = Timestamp(1);
    operators.prepare("aiko", SSH, &new, false).unwrap();
    operators.proposed("aiko", EntryNumber(7)).unwrap();
    let named = (OperatorRole::Clerk, key_digest(SSH));
    let said = Some(named);
    operators.settle("aiko", said, None).unwrap();
    operators.settle("aiko", said, Some(EntryNumber(6))).unwrap();
    assert!(operators.check("aiko", &old, now, &books).is_ok(), "other entries about the operator");
    let kept = BTreeMap::from([("aiko".to_owned(), named)]);
    open(dir.path()).reconcile(&kept, &|proposal| proposal == EntryNumber(7)).unwrap();
    let operators = open(dir.path());
    operators.settle("aiko", said, Some(EntryNumber(7))).unwrap();
    assert!(operators.check("aiko", &new, now, &books).is_ok());
    assert_eq!(operators.check("aiko", &old, now, &books), Err(OperatorError::Wrong));
    operators.change_own("aiko", &old).unwrap();
    assert!(operators.check("aiko", &old, now, &books).is_ok());
}

#[test]
fn a_given_passphrase_is_known_as_one_until_another_is_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let (old, given) = (SecretString::from("the old one"), SecretString::from("the given one"));
    let operators = open(dir.path());
    operators.found(&aiko(), &old).unwrap();
    assert!(!operators.is_given("aiko"));
    operators.prepare("aiko", SSH, &given, true).unwrap();
    assert!(!operators.is_given("aiko"), "the present one still counts");
    operators.settle("aiko", books("aiko"), None).unwrap();
    let operators = open(dir.path());
    assert!(operators.is_given("aiko"));
    let same = operators.change_own("aiko", &given).unwrap_err().to_string();
    assert!(same.contains("another operator chose"), "{same}");
    operators.change_own("aiko", &old).unwrap();
    assert!(!open(dir.path()).is_given("aiko"));
}

#[test]
fn a_key_is_found_under_another_name_whatever_the_comment_says() {
    let dir = tempfile::tempdir().unwrap();
    let right = SecretString::from("the right one");
    let operators = open(dir.path());
    operators.found(&aiko(), &right).unwrap();
    let (again, other) = (SSH.replace("aiko@", "ben@"), SSH.replace("GKJl", "GKJm"));
    let all = |_| true;
    assert_eq!(operators.same_key("ben", &again, &all), Some(("aiko".into(), None)));
    assert_eq!(operators.same_key("aiko", &again, &all), None, "the operator's own");
    operators.prepare("cleo", &other, &right, false).unwrap();
    assert_eq!(operators.same_key("ben", &other, &all), None, "nothing was proposed yet");
    operators.proposed("cleo", EntryNumber(7)).unwrap();
    assert_eq!(operators.same_key("ben", &other, &all), Some(("cleo".into(), Some(EntryNumber(7)))));
    assert_eq!(operators.same_key("ben", &other, &|_| false), None, "what has lapsed waits no more");
    assert_eq!(operators.waiting_key("cleo", EntryNumber(7)), Some(other));
    assert_eq!(operators.waiting_key("cleo", EntryNumber(8)), None);
}

#[test]
fn a_newcomer_waits_for_the_books() {
    let dir = tempfile::tempdir().unwrap();
    let right = SecretString::from("the right one");
    let operators = open(dir.path());
    operators.prepare("aiko", SSH, &right, false).unwrap();
    assert!(operators.list().is_empty());
    assert!(operators.check("aiko", &right, Timestamp(1), &|_| None).is_err());
    operators.proposed("aiko", EntryNumber(7)).unwrap();
    open(dir.path()).reconcile(&BTreeMap::new(), &|_| true).unwrap();
    let operators = open(dir.path());
    operators.settle("aiko", books("aiko"), Some(EntryNumber(7))).unwrap();
    assert_eq!(operators.check("aiko", &right, Timestamp(1), &books), Ok(aiko()));
    operators.prepare("ben", SSH, &right, false).unwrap();
    operators.drop_waiting("ben").unwrap();
    operators.drop_waiting("aiko").unwrap();
    assert_eq!(operators.list(), [aiko()]);
    operators.settle("aiko", None, None).unwrap();
    assert!(operators.list().is_empty());
}

#[test]
fn only_public_keys_and_plain_names_are_taken() {
    assert_eq!(check_ssh_key(SSH), Ok(()));
    for key in ["", "ssh-ed25519", "ssh-rsa AAAAC3NzaC1lZDI1NTE5", "-----BEGIN OPENSSH PRIVATE KEY-----"] {
        assert!(check_ssh_key(key).is_err(), "{key}");
    }
    for name in ["", "a b", "x\u{1b}[m", &"x".repeat(41)] {
        assert!(check_name(name).is_err(), "{name}");
    }
    assert_eq!(check_name("愛子.s-1"), Ok(()));
}

#[test]
fn of_many_tries_at_one_time_no_more_are_looked_at_than_are_forgiven() {
    let dir = tempfile::tempdir().unwrap();
    let (right, wrong) = (SecretString::from("the right one"), SecretString::from("the wrong one"));
    let operators = open(dir.path());
    operators.found(&aiko(), &right).unwrap();
    let start = std::sync::Barrier::new(8);
    let tried: Vec<_> = std::thread::scope(|scope| {
        let one = || {
            start.wait();
            operators.check("aiko", &wrong, Timestamp(1_000_000), &books)
        };
        let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let looked = tried.iter().filter(|it| **it == Err(OperatorError::Wrong)).count();
    assert_eq!(looked, usize::try_from(FREE).unwrap(), "{tried:?}");
}
