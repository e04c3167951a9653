//! The center's keys change while it runs and whatever dies; members come back with their recovery phrase; one person's
//! data is found, shown, handed out and erased.

mod common;

use std::fs;

use common::{LIMIT, Place, Sale, Terminal, act, admin, applicant::Applicant, check_books};
use secrecy::SecretString;
use tui_center::{
    acts::{ActError, Outcome, Passphrase, PeopleAct, PeopleOutcome, StaffAct},
    books::cabinet::{
        Cabinet, Certificate,
        index::{Query, Who},
    },
    keys,
    places::Places,
    serve::Server,
};
use wire::{
    id::{AccountNumber, EntryNumber, Role},
    key::SigningKey,
    limits,
    link::LinkError,
    message::{Beside, Effect, ProblemKind, Verdict},
    payload::KeyRole,
    receipt::Receipt,
    sheet::{SheetError, SheetRole},
    terminal::{self, Changer, LineError},
    time::Timestamp,
};

fn secret(text: &str) -> Passphrase {
    Passphrase(SecretString::from(text))
}

async fn rotate(place: &Place, server: &Server, roles: &[SheetRole]) -> Result<Outcome, ActError> {
    let rotate = StaffAct::Rotate {
        roles: roles.to_vec(),
        root_file: place.founded.root_key_file.clone(),
        root: secret("root passphrase"),
    };
    act(server, rotate.into()).await
}

async fn pays(member: &Terminal, store: &Terminal, card: wire::id::CardNumber) -> Receipt {
    let sale = Sale::offered(store, 100);
    match member.submit(&sale.payment(member, store, card), Beside::Nothing).await.unwrap() {
        Verdict::Done { effect: Effect::Paid { .. }, receipt } => receipt,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminals_follow_new_keys_and_old_receipts_stay_evidence() {
    let place = Place::found();
    let server = place.serve().await;
    let mut member = Terminal::join(&place, Role::Member).await;
    let mut store = Terminal::join(&place, Role::Store).await;
    let card = member.card(&place, 1_000).await;
    let before = pays(&member, &store, card).await;
    let old = server.center().speaking();

    let Outcome::Entered(row) = rotate(&place, &server, &[]).await.unwrap() else { panic!("no entry") };
    let words = tokio::time::timeout(LIMIT, member.line.closed()).await.expect("the line ends");
    assert!(matches!(words, LinkError::Closed | LinkError::Io(_)), "{words}");
    let sheet = server.center().speaking().key_sheet().clone();
    assert_eq!(sheet.number, 2);
    let last = row.number.0 + 1;
    for (size, key) in [(last, old.roles()), (last + 1, server.center().speaking().roles())] {
        assert_eq!(sheet.key_at(SheetRole::Checkpoint, size), Some(key.checkpoint.verification_key()));
    }

    // Nothing was entered since: the newest checkpoint is still the old key's last.
    let welcome = member.again(&place).await;
    assert_eq!(welcome.checkpoint.claimed().size, last);
    store.again(&place).await;
    let after = pays(&member, &store, card).await;
    for receipt in [&before, &after] {
        member.line.check_receipt(receipt).unwrap();
    }
    // A terminal that has seen the new sheet believes no older one.
    assert!(terminal::connect(&place.founded.invitation, 2, LIMIT).await.is_ok());
    let newer = terminal::connect(&place.founded.invitation, 3, LIMIT).await.err().unwrap();
    assert!(matches!(newer, LineError::Sheet(SheetError::Older { found: 2, kept: 3 })), "{newer}");
    check_books(&server).await;

    rotate(&place, &server, &[SheetRole::Card]).await.unwrap();
    server.stop().await.unwrap();
    let server = place.serve().await;
    assert_eq!(server.center().speaking().key_sheet().number, 3);
    member.again(&place).await;
    pays(&member, &store_again(&place, store).await, card).await;
    check_books(&server).await;
    server.stop().await.unwrap();
}

async fn store_again(place: &Place, mut store: Terminal) -> Terminal {
    store.again(place).await;
    store
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_comes_to_nothing_leaves_nothing() {
    let place = Place::found();
    let server = place.serve().await;
    let member = Terminal::join(&place, Role::Member).await;
    let wrong = StaffAct::Rotate {
        roles: Vec::new(),
        root_file: place.founded.root_key_file.clone(),
        root: secret("another passphrase"),
    };
    assert_eq!(act(&server, wrong.into()).await.unwrap_err().kind, "wrong-passphrase");
    let foreign = place.dir.path().join("foreign.key");
    keys::create_root(&foreign, &SecretString::from("root passphrase")).unwrap();
    let other = StaffAct::Rotate { roles: Vec::new(), root_file: foreign, root: secret("root passphrase") };
    assert!(act(&server, other.into()).await.unwrap_err().words.contains("another center"));
    // Nobody was disturbed.
    assert!(!member.line.is_closed());
    assert_eq!(server.center().speaking().key_sheet().number, 1);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_center_that_dies_in_a_rotation_starts_with_the_keys_that_its_books_name() {
    let place = Place::found();
    let places = Places::of(&place.profile);
    let passphrase = SecretString::from("service passphrase");
    let server = place.serve().await;
    let size = server.center().desk().reader().size();
    server.stop().await.unwrap();
    let first = fs::read(&places.service_key).unwrap();

    // Steps 1 and 2: the keys lie beside the old ones, the sheet in the cabinet, and nothing was entered.
    let root = keys::open_root(&place.founded.root_key_file, &SecretString::from("root passphrase")).unwrap();
    let mut service = keys::open_service(&places.service_key, &passphrase).unwrap();
    let next = service.roles().rotated(&keys::ROLES);
    service.begin_rotation(&places.service_key, next.clone()).unwrap();
    for with_sheet in [false, true] {
        if with_sheet {
            let cabinet = Cabinet::open(&places.cabinet, service.cabinet_key()).unwrap();
            let sheet = cabinet.certificate(Certificate::Sheet(1)).unwrap().unwrap();
            let sheet = wire::sheet::KeySheet::verify(&sheet, &root.verification_key()).unwrap();
            let second = next.next_sheet(&sheet, size).unwrap().sign(&root);
            cabinet.put_certificate(Certificate::Sheet(2), &second).unwrap();
            service.begin_rotation(&places.service_key, next.clone()).unwrap();
        }
        let server = place.serve().await;
        assert_eq!(server.center().speaking().key_sheet().number, 1);
        assert!(server.center().cabinet().certificate(Certificate::Sheet(2)).unwrap().is_none());
        place.line().await;
        check_books(&server).await;
        server.stop().await.unwrap();
    }

    // Step 3: it was entered, and the file still has both generations.
    let server = place.serve().await;
    rotate(&place, &server, &[]).await.unwrap();
    let new = server.center().speaking();
    server.stop().await.unwrap();
    let settled = fs::read(&places.service_key).unwrap();
    fs::write(&places.service_key, first).unwrap();
    let mut service = keys::open_service(&places.service_key, &passphrase).unwrap();
    service.begin_rotation(&places.service_key, new.roles().clone()).unwrap();
    for file in [None, Some(settled)] {
        if let Some(file) = file {
            fs::write(&places.service_key, file).unwrap();
        }
        let server = place.serve().await;
        assert!(server.center().speaking().roles().stand_on(new.key_sheet()));
        place.line().await;
        check_books(&server).await;
        server.stop().await.unwrap();
    }
}

/// Joins with a recovery key.
async fn joined(place: &Place) -> (Terminal, SigningKey) {
    let (line, pushes) = place.line().await;
    let mut applicant = Applicant::new(place, Role::Member, &line).await;
    let recovery = SigningKey::generate();
    applicant.recovery = Some(recovery.clone());
    applicant.apply(&line).await;
    let (account, code) = applicant.mailed(place).await;
    let call = applicant.registration(&line, account, &code).await;
    let (account, key_event, _) = line.register(call, LIMIT).await.unwrap();
    line.login(account, &applicant.terminal, None, LIMIT).await.unwrap();
    let Applicant { center, signature, terminal, .. } = applicant;
    (Terminal { center, account, key_event, signature, terminal, line, pushes }, recovery)
}

fn problem<T: std::fmt::Debug>(answer: Result<T, LineError>) -> ProblemKind {
    match answer {
        Err(LineError::Problem(problem)) => problem.kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_phrase_brings_the_copy_back_and_changes_keys_and_nothing_else() {
    let place = Place::found();
    let server = place.serve().await;
    let (mut member, recovery) = joined(&place).await;
    let copy: Vec<u8> = (0..150_000u32).map(|at| (at % 253) as u8).collect();
    assert_eq!(problem(place.line().await.0.deposit(&copy, LIMIT).await), ProblemKind::NotLoggedIn);
    member.line.deposit(b"an older copy", LIMIT).await.unwrap();
    member.line.deposit(&copy, LIMIT).await.unwrap();
    let view = member.again(&place).await.copy.unwrap();
    assert_eq!(view.length, copy.len() as u64);

    let (line, _pushes) = place.line().await;
    assert_eq!(
        problem(line.recover(&SigningKey::generate(), None, LIMIT).await),
        ProblemKind::NotAuthentic,
        "a key that nobody has"
    );
    assert_eq!(
        problem(line.recover(&member.signature, None, LIMIT).await),
        ProblemKind::NotAuthentic,
        "a key of another role"
    );
    let welcome = line.recover(&recovery, None, LIMIT).await.unwrap();
    assert_eq!((welcome.account, welcome.copy), (member.account, Some(view)));
    assert_eq!(line.take_copy(view, LIMIT).await.unwrap(), copy);
    line.kit(0, LIMIT).await.unwrap();
    assert_eq!(problem(line.cards(LIMIT).await), ProblemKind::NotAllowed);
    assert_eq!(problem(line.mail(None, LIMIT).await), ProblemKind::NotAllowed);
    assert_eq!(problem(line.deposit(&copy, LIMIT).await), ProblemKind::NotAllowed);
    let sale = Sale::offered(&Terminal::join(&place, Role::Store).await, 5);
    let store = Terminal::join(&place, Role::Store).await;
    let payment = sale.payment(&member, &store, wire::id::CardNumber(1));
    assert_eq!(problem(line.submit(payment, Beside::Nothing, LIMIT).await), ProblemKind::NotAllowed);

    // A new terminal key, by the recovery key: the session of the lost terminal ends.
    let recovered = welcome.keys.iter().find(|event| event.role == KeyRole::Recovery).unwrap().entry;
    let changer = Changer {
        center: member.center,
        account: member.account,
        key_event: recovered,
        now: Timestamp::now(),
    };
    let fresh = SigningKey::generate();
    let (telegram, beside) = changer.terminal(&fresh, &member.signature, &recovery);
    let verdict = line.submit(telegram, beside, LIMIT).await.unwrap();
    assert!(matches!(verdict, Verdict::Done { effect: Effect::KeyChanged, .. }), "{verdict:?}");
    tokio::time::timeout(LIMIT, member.line.closed()).await.expect("the lost terminal's line ends");
    let (again, _pushes) = place.line().await;
    assert_eq!(
        problem(again.login(member.account, &member.terminal, None, LIMIT).await),
        ProblemKind::NotAuthentic
    );
    again.login(member.account, &fresh, None, LIMIT).await.unwrap();

    // An operator revokes the recovery key: the session that it opened ends.
    let revoke = PeopleAct::RevokeKey {
        account: member.account,
        role: KeyRole::Recovery,
        reason: "the phrase was found on the street".into(),
    };
    act(&server, revoke.into()).await.unwrap();
    tokio::time::timeout(LIMIT, line.closed()).await.expect("the recovering line ends");
    let (line, _pushes) = place.line().await;
    assert_eq!(problem(line.recover(&recovery, None, LIMIT).await), ProblemKind::NotAuthentic);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deposits_are_bounded_and_arrive_whole_or_not_at_all() {
    let place = Place::found();
    let server = place.serve().await;
    let mut member = Terminal::join(&place, Role::Member).await;
    member.line.deposit(b"the first copy", LIMIT).await.unwrap();
    let piece = |length: u64, digest, offset, bytes: &[u8]| wire::message::Request::Deposit {
        length,
        digest,
        offset,
        bytes: wire::bounded::Bytes::new(bytes.to_vec()).unwrap(),
    };
    let digest = wire::id::Digest::of(&[b"something else"]);
    let chunk = vec![1; limits::CHUNK];
    for (what, wrong) in [
        ("too long", piece(limits::VAULT_COPY + 1, digest, 0, &chunk)),
        ("no beginning", piece(100, digest, 50, &[0; 50])),
        ("another digest", piece(5, digest, 0, b"hello")),
    ] {
        assert_eq!(problem(member.line.call(wrong, LIMIT).await), ProblemKind::Malformed, "{what}");
    }
    // Begun, and the line is gone.
    member.line.call(piece(100_000, digest, 0, &chunk), LIMIT).await.unwrap();
    let view = member.again(&place).await.copy.unwrap();
    assert_eq!(member.line.take_copy(view, LIMIT).await.unwrap(), b"the first copy");
    let mut limited = false;
    for _ in 0..60 {
        let deposited = member.line.deposit(b"again and again", LIMIT).await;
        if deposited.is_err() {
            limited = problem(deposited) == ProblemKind::Limited;
            break;
        }
    }
    assert!(limited, "copies are written to the disk only so often");
    server.stop().await.unwrap();
}

async fn found(server: &Server, query: Query) -> Vec<Who> {
    match act(server, PeopleAct::Find { query }.into()).await.unwrap() {
        Outcome::People(PeopleOutcome::Found { people }) => people.into_iter().map(|it| it.who).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_persons_data_is_found_shown_handed_out_and_erased() {
    let place = Place::found();
    let server = place.serve().await;
    let member = Terminal::join(&place, Role::Member).await;
    let other = Terminal::join(&place, Role::Member).await;
    member.line.deposit(b"a sealed copy", LIMIT).await.unwrap();
    let who = Who::Account(member.account);
    let by_mail = || Query::Email("hanako0@garden.example".into());
    assert_eq!(found(&server, by_mail()).await, [who]);
    assert_eq!(found(&server, Query::Name("山田".into())).await, [who, Who::Account(other.account)]);
    assert_eq!(found(&server, Query::Phone("03-1234-5678".into())).await, [who]);

    let size = server.center().desk().reader().size();
    let reveal = PeopleAct::Reveal { of: who, reason: "she lost her card".into() };
    match act(&server, reveal.into()).await.unwrap() {
        Outcome::People(PeopleOutcome::Revealed { fields, entry, .. }) => {
            assert_eq!(entry, EntryNumber(size), "entered before it was shown");
            assert!(fields.iter().any(|(key, value)| key == "born" && value == "1990-04-01"));
        }
        other => panic!("{other:?}"),
    }
    let silent = PeopleAct::Reveal { of: who, reason: " ".into() };
    assert_eq!(act(&server, silent.into()).await.unwrap_err().kind, "usage");
    let export = || PeopleAct::Export { of: who, reason: "she asked for it".into() };
    match act(&server, export().into()).await.unwrap() {
        Outcome::People(PeopleOutcome::Exported { person, .. }) => {
            assert_eq!(person["particulars"]["email"], "hanako0@garden.example");
            assert_eq!(person["deposited_copy"]["length"], 13);
            assert!(person["keys"].as_array().unwrap().len() >= 2);
            assert!(!person["entries"].as_array().unwrap().is_empty());
        }
        other => panic!("{other:?}"),
    }

    let erase = || PeopleAct::Erase { of: who, reason: "she left".into() };
    act(&server, erase().into()).await.unwrap();
    assert!(found(&server, by_mail()).await.is_empty());
    let gone = PeopleAct::Reveal { of: who, reason: "to see".into() };
    let words = act(&server, gone.into()).await.unwrap_err();
    assert!(words.kind == "erased" && words.words.contains("was erased"), "{words}");
    assert!(act(&server, erase().into()).await.is_err(), "once");
    assert_eq!(problem(member.line.deposit(b"a newer copy", LIMIT).await), ProblemKind::NotAllowed);
    assert!(server.center().cabinet().copies().view(member.account).unwrap().is_none());
    check_books(&server).await;
    server.stop().await.unwrap();

    // The index is made anew where it is gone, and the erased stay unfindable.
    fs::remove_dir_all(Places::of(&place.profile).cabinet.join("index")).unwrap();
    let server = place.serve().await;
    assert_eq!(found(&server, Query::Name("山田".into())).await, [Who::Account(other.account)]);
    assert!(matches!(other.account, AccountNumber::Member(_)));
    assert_eq!(admin(&server).name, "ada");
    server.stop().await.unwrap();
}
