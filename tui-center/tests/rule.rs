//! Admission by rule whatever dies in between, and floods of applications.

mod common;

use std::fs;

use common::{
    LIMIT, Place,
    applicant::{Applicant, mails},
    check_books,
    desk::{decline, list, problem, set},
    until,
};
use ledger::request::Document;
use tui_center::{admission::document, serve::Server};
use wire::{
    admission::ApplicationState,
    id::{ApplicationNumber, Role},
    message::ProblemKind,
    terminal::Line,
};

/// Puts the rule in force at a center whose applications wait: as if it had died before the rule was applied to them.
async fn rule(server: &Server) {
    let policy = document::first(Document::Policy).replace("admit = \"desk\"", "admit = \"rule\"");
    set(server, Document::Policy, &policy).await.unwrap();
}

async fn newcomer(place: &Place, line: &Line) -> Applicant {
    let mut applicant = Applicant::new(place, Role::Member, line).await;
    applicant.apply(line).await;
    applicant
}

fn admissions(server: &Server) -> Vec<ApplicationNumber> {
    server.center().desk().state().admissions().map(|(_, admitted)| admitted.application).collect()
}

/// Gives a limit of the settings another value.
fn limit(place: &Place, name: &str, value: u32) {
    let path = place.profile.config_file();
    let text = fs::read_to_string(&path).unwrap();
    let named = format!("{name} = ");
    let changed = text.lines().map(|line| match line.strip_prefix(&named) {
        Some(_) => format!("{named}{value}\n"),
        None => format!("{line}\n"),
    });
    let changed: String = changed.collect();
    assert_ne!(changed, text, "the settings have `{name}`");
    fs::write(path, changed).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_the_rule_missed_is_admitted_at_the_start_and_only_once() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let first = newcomer(&place, &line).await;
    let second = newcomer(&place, &line).await;
    let mut twin = Applicant { signature: wire::key::SigningKey::generate(), ..second.twin() };
    twin.terminal = wire::key::SigningKey::generate();
    twin.apply(&line).await;
    let asked = newcomer(&place, &line).await;
    decline(&server, asked.number, true, "Which street?").await;
    rule(&server).await;
    assert!(admissions(&server).is_empty());
    server.stop().await.unwrap();

    for _ in 0..2 {
        let server = place.serve().await;
        until(&server, "the rule", || !admissions(&server).is_empty()).await;
        until(&server, "the mail to be accepted", || {
            server.center().desk().state().unposted().next().is_none()
        })
        .await;
        assert_eq!(admissions(&server), [first.number], "no lookalike, nobody twice");
        assert_eq!(mails(&place).len(), 1);
        let (line, _pushes) = place.line().await;
        assert!(matches!(first.state(&line).await, ApplicationState::Admitted { .. }));
        assert_eq!(second.state(&line).await, ApplicationState::Waiting);
        assert_eq!(twin.state(&line).await, ApplicationState::Waiting);
        assert!(matches!(asked.state(&line).await, ApplicationState::AskedBack { .. }));
        check_books(&server).await;
        server.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_is_sent_again_is_admitted_by_rule_once() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut applicant = Applicant::new(&place, Role::Member, &line).await;
    let call = applicant.call(None, None);
    let view = line.apply(call.clone(), LIMIT).await.unwrap();
    applicant.number = view.number;
    assert_eq!(view.state, ApplicationState::Waiting);
    assert_eq!(line.apply(call.clone(), LIMIT).await.unwrap().state, ApplicationState::Waiting);
    rule(&server).await;
    let others = [place.line().await, place.line().await, place.line().await];
    let [a, b, c] = others.each_ref().map(|(line, _)| line.apply(call.clone(), LIMIT));
    let (a, b, c) = tokio::join!(a, b, c);
    for view in [a, b, c] {
        let view = view.unwrap();
        assert_eq!(view.number, applicant.number);
        assert!(matches!(view.state, ApplicationState::Admitted { .. }), "{view:?}");
    }
    until(&server, "the mail", || server.center().desk().state().unposted().next().is_none()).await;
    assert_eq!((admissions(&server), mails(&place).len()), (vec![applicant.number], 1));
    let (account, code) = applicant.mailed(&place).await;
    let registration = applicant.registration(&line, account, &code).await;
    line.register(registration, LIMIT).await.unwrap();
    let view = line.apply(call, LIMIT).await.unwrap();
    assert_eq!(view.state, ApplicationState::Registered { account });
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_its_ceiling_the_rule_leaves_newcomers_to_an_operator() {
    let place = Place::found();
    limit(&place, "admissions_by_rule_per_hour", 2);
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut waiting = Vec::new();
    for at in 0..4 {
        let mut applicant = Applicant::new(&place, Role::Member, &line).await;
        let state = applicant.apply(&line).await.state;
        if at < 2 {
            assert!(matches!(state, ApplicationState::Admitted { .. }), "{state:?}");
        } else {
            assert_eq!(state, ApplicationState::Waiting);
            waiting.push(applicant);
        }
    }
    let told = server.center().errors().newest("as many as the settings allow", 9);
    assert_eq!(told.len(), 1, "told once: {told:?}");
    assert!(told[0].words.contains(&waiting[0].number.to_string()), "{told:?}");
    server.stop().await.unwrap();

    // A restart does not begin the hour anew; an operator is not bound by it.
    let server = place.serve().await;
    until(&server, "the rule at the start", || {
        server.center().errors().newest("as many as the settings allow", 9).len() == 2
    })
    .await;
    assert_eq!(admissions(&server).len(), 2);
    common::desk::admit(&server, waiting[1].number).await;
    assert_eq!(admissions(&server).len(), 3);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_applications_lie_open_than_the_settings_allow() {
    let place = Place::with_desk();
    limit(&place, "applications_open", 2);
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut first = newcomer(&place, &line).await;
    let second = newcomer(&place, &line).await;
    let third = Applicant::new(&place, Role::Member, &line).await;
    let call = third.call(None, None);
    for _ in 0..2 {
        let (kind, words) = problem(line.apply(call.clone(), LIMIT).await);
        assert_eq!(kind, ProblemKind::Limited);
        assert!(words.contains("try again tomorrow"), "{words}");
    }
    let told = server.center().errors().newest("newcomers are turned away", 9);
    assert_eq!(told.len(), 1, "told once: {told:?}");
    assert_eq!(list(&server, "").await.len(), 2, "nobody was dropped for somebody newer");
    // Whoever was asked back may answer all the same.
    decline(&server, first.number, true, "Which street?").await;
    first.salt = wire::id::Salt::random();
    line.apply(first.call(Some(first.number), None), LIMIT).await.unwrap();
    decline(&server, second.number, false, "Not here.").await;
    assert_eq!(line.apply(call, LIMIT).await.unwrap().state, ApplicationState::Waiting);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_is_told_when_its_next_application_is_taken() {
    let place = Place::with_desk();
    limit(&place, "applications_per_hour", 2);
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    newcomer(&place, &line).await;
    let second = newcomer(&place, &line).await;
    let third = Applicant::new(&place, Role::Member, &line).await;
    let (kind, words) = problem(line.apply(third.call(None, None), LIMIT).await);
    assert_eq!(kind, ProblemKind::Limited);
    assert!(words.contains("from your address; try again in 30 minutes"), "{words}");
    // What was taken is answered as often as it is sent.
    assert_eq!(second.state(&line).await, ApplicationState::Waiting);
    assert_eq!(list(&server, "").await.len(), 2);
    server.stop().await.unwrap();
}
