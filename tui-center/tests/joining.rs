//! Joining and logging in over real sockets.

mod common;

use common::{LIMIT, Place, Terminal, foreign};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tui_center::{
    acts::{Act, Identity, List, Outcome, Passphrase},
    center::OpenError,
    serve::Server,
};
use wire::{
    bounded,
    checkpoint::{Checkpoint, SignedCheckpoint},
    id::{AccountNumber, Digest, MemberNumber, Role, StoreNumber},
    key::SigningKey,
    message::ProblemKind,
    terminal::{self, LineError},
    text::Line,
};

fn problem<T: std::fmt::Debug>(outcome: Result<T, LineError>) -> (ProblemKind, String) {
    match outcome {
        Err(LineError::Problem(problem)) => (problem.kind, problem.to_string()),
        other => panic!("a problem was expected: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_and_stores_join_log_in_and_stand_in_the_registers() {
    let place = Place::found();
    let server = place.serve().await;
    let member = Terminal::join(&place, Role::Member).await;
    let store = Terminal::join(&place, Role::Store).await;
    assert_eq!(member.account, AccountNumber::Member(MemberNumber(1)));
    assert_eq!(store.account, AccountNumber::Store(StoreNumber(1)));

    let Ok(Outcome::Members { members }) = common::act(&server, Act::Members(List::of("花子"))).await
    else {
        panic!()
    };
    assert_eq!((members.len(), members[0].name.as_str()), (1, "山… 花…"));
    let Ok(Outcome::Members { members }) = common::act(&server, Act::Members(List::of("nobody"))).await
    else {
        panic!()
    };
    assert!(members.is_empty());
    let Ok(Outcome::Stores { stores }) = common::act(&server, Act::Stores(List::of(""))).await else {
        panic!()
    };
    assert_eq!(stores[0].name, "Sakura Press");
    let Ok(Outcome::Keys { keys }) = common::act(&server, Act::Keys(List::of(""))).await else { panic!() };
    assert_eq!(keys.iter().filter(|key| key.in_force).count(), 4, "a signature and a terminal key each");
    let show = Act::Show { number: member.account.to_string() };
    let Ok(Outcome::Detail(detail)) = common::act(&server, show).await else { panic!() };
    assert!(detail.rows.iter().any(|row| row.value == "1…") && detail.history.len() == 1);

    let page = member.line.directory(Line::default(), None, LIMIT).await.unwrap();
    assert_eq!(page.stores.len(), 1);
    assert!(page.stores[0].addresses.is_empty(), "the store has not said where it listens");
    let addresses = bounded::List::first([Line::new("0.0.0.0:7071").unwrap()]);
    store.line.announce(addresses, LIMIT).await.unwrap();
    let page = member.line.directory(Line::new("sakura").unwrap(), None, LIMIT).await.unwrap();
    assert_eq!(
        page.stores[0].addresses[0].as_str(),
        "127.0.0.1:7071",
        "everywhere is where the line comes from"
    );
    assert!(member.line.directory(Line::new("other").unwrap(), None, LIMIT).await.unwrap().stores.is_empty());
    let (kind, _) = problem(member.line.announce(bounded::List::default(), LIMIT).await);
    assert_eq!(kind, ProblemKind::NotAllowed);
    common::check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_right_center_is_believed_and_only_the_right_key_logs_in() {
    let place = Place::found();
    let server = place.serve().await;
    let member = Terminal::join(&place, Role::Member).await;
    let wrong = terminal::connect(&foreign(&place.founded.invitation), 0, LIMIT).await.unwrap_err();
    assert!(matches!(wrong, LineError::Sheet(_)), "{wrong}");

    let (line, _pushes) = place.line().await;
    assert_eq!(problem(line.cards(LIMIT).await).0, ProblemKind::NotLoggedIn);
    let stranger = SigningKey::generate();
    let nobody = AccountNumber::Member(MemberNumber(99));
    let unknown = problem(line.login(nobody, &member.terminal, None, LIMIT).await);
    let wrong = problem(line.login(member.account, &stranger, None, LIMIT).await);
    assert_eq!(unknown, wrong, "an unknown account and a wrong key are answered alike");
    for _ in 0..4 {
        let _ = line.login(member.account, &stranger, None, LIMIT).await;
    }
    assert_eq!(
        problem(line.login(member.account, &member.terminal, None, LIMIT).await).0,
        ProblemKind::Limited
    );
    assert_eq!(server.center().guard().counts().wrong_logins, 6);
    assert!(!server.center().errors().newest("wrong login", 9).is_empty());
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_the_journal_lacks_stops_payments() {
    let place = Place::found();
    let server = place.serve().await;
    let mut member = Terminal::join(&place, Role::Member).await;
    let newest = server.center().desk().reader().checkpoint();
    (member.line, member.pushes) = place.line().await;
    let welcome = member.line.login(member.account, &member.terminal, Some(&newest), LIMIT).await.unwrap();
    assert!(welcome.open, "a checkpoint of this journal is no reason for anything");

    let forged = Checkpoint { root: Digest([9; 32]), ..newest.claimed().clone() };
    let strangers = SignedCheckpoint::sign(&forged, &SigningKey::generate());
    let (line, _pushes) = place.line().await;
    let answer = line.login(member.account, &member.terminal, Some(&strangers), LIMIT).await;
    assert!(matches!(answer, Err(LineError::Contradiction(_))), "only the terminal is confused: {answer:?}");
    assert!(server.center().desk().standing().borrow().is_open(), "anybody can sign another's name");

    let forked = SignedCheckpoint::sign(&forged, &server.center().speaking().roles().checkpoint);
    let (line, _pushes) = place.line().await;
    assert_eq!(
        problem(line.login(member.account, &member.terminal, Some(&forked), LIMIT).await).0,
        ProblemKind::Fork
    );
    assert!(!server.center().desk().standing().borrow().is_open());
    let open = loop {
        match tokio::time::timeout(LIMIT, member.pushes.recv()).await.unwrap().unwrap() {
            wire::message::Push::Open(open) => break open,
            _ => continue,
        }
    };
    assert!(!open, "terminals hear of it");
    assert_eq!(server.center().errors().newest("cut or forked", 9).len(), 1);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_costs_its_sender_the_connection_and_nobody_else_anything() {
    let place = Place::found();
    let server = place.serve().await;
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &[0x16, 3, 1, 0xff, 0xff]] {
        let mut stream = tokio::net::TcpStream::connect(&server.addresses()[0]).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let read =
            tokio::time::timeout(LIMIT, stream.read_to_end(&mut rest)).await.expect("the center hangs up");
        let _ = read;
    }
    let member = Terminal::join(&place, Role::Member).await;
    assert!(member.line.cards(LIMIT).await.unwrap().is_empty());
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_prove_who_they_are_and_do_what_their_role_allows() {
    let place = Place::found();
    let server = place.serve().await;
    let center = server.center();
    let identity = |passphrase: &str| Identity {
        name: "ada".into(),
        passphrase: Passphrase(SecretString::from(passphrase)),
    };
    assert!(center.act_as(None, Act::Status).await.is_ok(), "whoever has the socket may ask how it stands");
    let error = center.act_as(None, Act::Members(List::of(""))).await.unwrap_err();
    assert_eq!(error.kind, "no-operator");
    let error =
        center.act_as(Some(identity("wrong passphrase")), Act::Members(List::of(""))).await.unwrap_err();
    assert_eq!(error.kind, "not-believed");
    assert!(center.act_as(Some(identity(common::OPERATOR)), Act::Members(List::of(""))).await.is_ok());
    let viewer = common::operator(&server, "vera", ledger::request::OperatorRole::Viewer).await;
    let error = center.act(Some(&viewer), Act::AcceptClock).await.unwrap_err();
    assert_eq!(error.kind, "not-allowed");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_instance_is_told_the_first_ones_pid() {
    let place = Place::found();
    let server = place.serve().await;
    let second = Server::start(&place.profile, SecretString::from("service passphrase"), None).await;
    let Err(OpenError::Profile(error)) = second else { panic!("a second instance opened the profile") };
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    server.stop().await.unwrap();
    let wrong = Server::start(&place.profile, SecretString::from("wrong passphrase"), None).await;
    assert!(matches!(wrong, Err(OpenError::Keys(_))));
    place.serve().await.stop().await.unwrap();
}
