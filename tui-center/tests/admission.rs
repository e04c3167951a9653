//! Joining step by step over real sockets, and every wrong turn on the way.

mod common;

use std::{fs, path::Path};

use common::{
    LIMIT, Place, act,
    applicant::{Applicant, mails, values},
    check_books,
};
use ledger::request::{Document, OperatorRole};
use tui_center::{
    acts::{Act, ActError, JoiningAct, JoiningOutcome, Outcome, StaffAct},
    admission::document,
    inquiry::view::{ApplicationDetail, ApplicationRow},
    serve::Server,
};
use wire::{
    admission::{ActivationCode, ApplicationState, Way},
    id::{AccountNumber, ApplicationNumber, Digest, MemberNumber, Role},
    key::SigningKey,
    limits,
    message::ProblemKind,
    terminal::LineError,
};

fn problem<T: std::fmt::Debug>(outcome: Result<T, LineError>) -> (ProblemKind, String) {
    match outcome {
        Err(LineError::Problem(problem)) => (problem.kind, problem.to_string()),
        other => panic!("a problem was expected: {other:?}"),
    }
}

async fn joining(server: &Server, it: JoiningAct) -> Result<Outcome, ActError> {
    act(server, Act::Joining(it)).await
}

async fn list(server: &Server, query: &str) -> Vec<ApplicationRow> {
    let it = JoiningAct::Applications { query: query.into(), state: None, most: 100 };
    match joining(server, it).await.unwrap() {
        Outcome::Joining(JoiningOutcome::Applications { applications }) => applications,
        other => panic!("{other:?}"),
    }
}

async fn detail(server: &Server, number: ApplicationNumber, reveal: Option<&str>) -> ApplicationDetail {
    let it = JoiningAct::Application { number, reveal: reveal.map(str::to_owned) };
    match joining(server, it).await.unwrap() {
        Outcome::Joining(JoiningOutcome::Application(detail)) => *detail,
        other => panic!("{other:?}"),
    }
}

async fn admit(server: &Server, number: ApplicationNumber) {
    joining(server, JoiningAct::Admit { number, way: None }).await.unwrap();
}

async fn decline(server: &Server, number: ApplicationNumber, ask_back: bool, reason: &str) {
    joining(server, JoiningAct::Decline { number, ask_back, reason: reason.into() }).await.unwrap();
}

async fn set(server: &Server, document: Document, text: &str) -> Result<Outcome, ActError> {
    joining(server, JoiningAct::SetDocument { document, text: text.into() }).await
}

fn size(server: &Server) -> u64 {
    server.center().desk().reader().size()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seven_steps_lead_from_the_guide_to_the_registers() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let guide = line.guide(Role::Member, LIMIT).await.unwrap();
    assert!(guide.text.contains("# Becoming a member") && guide.version == 1);

    let mut applicant = Applicant::new(&place, Role::Member, &line).await;
    let before = size(&server);
    let view = applicant.apply(&line).await;
    assert_eq!((view.number, view.state), (ApplicationNumber(1), ApplicationState::Waiting));
    assert_eq!(size(&server), before, "strangers make no entries");
    let stranger = SigningKey::generate();
    let wrong = problem(line.application(applicant.number, &stranger, LIMIT).await);
    let unknown = problem(line.application(ApplicationNumber(99), &stranger, LIMIT).await);
    assert_eq!(wrong, unknown, "who is no applicant learns nothing");

    let row = &list(&server, "").await[0];
    assert_eq!(
        (row.state.as_str(), row.name.as_str(), row.email.as_str()),
        ("waiting", "山… 花…", "h…@garden.example")
    );
    let masked = detail(&server, applicant.number, None).await;
    assert!(masked.fields.is_empty() && size(&server) == before);
    let shown = detail(&server, applicant.number, Some("to decide")).await;
    assert!(shown.fields.iter().any(|field| field.value == "1990-04-01"));
    assert_eq!(size(&server), before + 1, "what was seen is an entry");

    admit(&server, applicant.number).await;
    let (account, code) = applicant.mailed(&place).await;
    assert_eq!(account, AccountNumber::Member(MemberNumber(1)));
    let ApplicationState::Admitted { ways, .. } = applicant.state(&line).await else { panic!() };
    assert_eq!(ways.to_vec(), [Way::Mail]);
    let call = applicant.registration(&line, account, &code).await;
    let first = line.register(call.clone(), LIMIT).await.unwrap();
    line.check_receipt(&first.2).unwrap();
    let again = line.register(call, LIMIT).await.unwrap();
    assert_eq!((first.0, first.1), (again.0, again.1), "the same one again gets its first answer");
    assert_eq!(applicant.state(&line).await, ApplicationState::Registered { account });
    let other = applicant.registration(&line, account, &code).await;
    assert!(problem(line.register(other, LIMIT).await).1.contains("has been used"));
    let registered = detail(&server, applicant.number, None).await;
    assert_eq!(
        (registered.application.state.as_str(), registered.application.account),
        ("registered", Some(account))
    );
    common::until(&server, "the mail to be entered", || {
        server.center().desk().state().unposted().next().is_none()
    })
    .await;
    assert!(server.center().cabinet().outward_names().unwrap().is_empty(), "what bore the code is destroyed");
    check_books(&server).await;
    server.stop().await.unwrap();
    nowhere(&place.dir.path().join("center"), code.print().as_bytes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_is_known_by_its_telegram_and_its_key() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut applicant = Applicant::new(&place, Role::Store, &line).await;
    let call = applicant.call(None, None);
    let first = line.apply(call.clone(), LIMIT).await.unwrap();
    assert_eq!(line.apply(call.clone(), LIMIT).await.unwrap(), first);
    applicant.number = first.number;
    assert!(problem(line.apply(applicant.call(None, None), LIMIT).await).1.contains("applied already"));
    let amend = applicant.call(Some(first.number), None);
    assert!(problem(line.apply(amend, LIMIT).await).1.contains("was not asked back"));

    let other = Applicant::new(&place, Role::Store, &line).await;
    let mut tampered = other.call(None, None);
    tampered.telegram.signature.0[5] ^= 1;
    assert_eq!(problem(line.apply(tampered, LIMIT).await).0, ProblemKind::NotAuthentic);
    let mut swapped = other.call(None, None);
    swapped.particulars = call.particulars.clone();
    assert!(problem(line.apply(swapped, LIMIT).await).1.contains("binds"), "the form was tampered with");
    let foreign = Applicant { center: SigningKey::generate().verification_key().center(), ..other };
    assert_eq!(problem(line.apply(foreign.call(None, None), LIMIT).await).0, ProblemKind::WrongCenter);
    let nobody = Applicant { center: place.center(), ..foreign };
    let replaces = Some(AccountNumber::Store(wire::id::StoreNumber(7)));
    assert!(problem(line.apply(nobody.call(None, replaces), LIMIT).await).1.contains("no store"));
    let twin = Applicant { terminal: nobody.signature.clone(), ..nobody };
    assert!(problem(line.apply(twin.call(None, None), LIMIT).await).1.contains("must differ"));
    assert_eq!(list(&server, "").await.len(), 1);
    assert_eq!(list(&server, "sakura").await.len(), 1, "found by the beginning of a name");
    assert!(list(&server, "ume").await.is_empty());
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_back_is_amended_by_the_same_key() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut applicant = Applicant::new(&place, Role::Member, &line).await;
    applicant.apply(&line).await;
    decline(&server, applicant.number, true, "Which flat?").await;
    let ApplicationState::AskedBack { words } = applicant.state(&line).await else { panic!() };
    assert_eq!(words.as_str(), "Which flat?");
    let thief = Applicant::new(&place, Role::Member, &line).await;
    let stolen = thief.call(Some(applicant.number), None);
    assert!(problem(line.apply(stolen, LIMIT).await).1.contains("cannot be amended with this key"));

    let form = line.form(Role::Member, LIMIT).await.unwrap();
    let mut better = values(Role::Member, 0);
    better[1].1 = "1-2-3 Sakura, flat 4, Tokyo".into();
    let amended = Applicant::filled(&place, &form, &better);
    (applicant.particulars, applicant.salt) = (amended.particulars, amended.salt);
    let view = line.apply(applicant.call(Some(applicant.number), None), LIMIT).await.unwrap();
    assert_eq!((view.number, view.state), (applicant.number, ApplicationState::Waiting));
    admit(&server, applicant.number).await;
    let (account, code) = applicant.mailed(&place).await;
    let call = applicant.registration(&line, account, &code).await;
    line.register(call, LIMIT).await.unwrap();
    let filled = server.center().particulars(account).unwrap();
    assert!(filled.field("address").contains("flat 4"));

    let mut refused = Applicant::new(&place, Role::Member, &line).await;
    refused.apply(&line).await;
    decline(&server, refused.number, false, "Not here.").await;
    assert!(
        matches!(refused.state(&line).await, ApplicationState::Refused { words } if words.as_str() == "Not here.")
    );
    let error = joining(&server, JoiningAct::Admit { number: refused.number, way: None }).await.unwrap_err();
    assert!(error.words.contains("was refused"), "{error}");
    let anew = line.apply(refused.call(None, None), LIMIT).await.unwrap();
    assert_ne!(anew.number, refused.number, "whoever was refused may apply anew");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistyped_code_is_counted_and_a_new_one_kills_the_old() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut applicant = Applicant::new(&place, Role::Member, &line).await;
    applicant.apply(&line).await;
    admit(&server, applicant.number).await;
    let (account, code) = applicant.mailed(&place).await;

    let thief = Applicant { signature: SigningKey::generate(), ..clone(&applicant) };
    for _ in 0..9 {
        let call = thief.registration(&line, account, &code).await;
        let (_, words) = problem(line.register(call, LIMIT).await);
        assert!(words.contains("only with the key that applied"), "{words}");
    }
    let wrong = ActivationCode::generate();
    for left in [4, 3, 2, 1] {
        let call = applicant.registration(&line, account, &wrong).await;
        let (_, words) = problem(line.register(call, LIMIT).await);
        assert!(words.contains(&format!("({left} more")), "{words}");
    }
    let call = applicant.registration(&line, account, &wrong).await;
    assert!(problem(line.register(call, LIMIT).await).1.contains("too often"));
    assert_eq!(applicant.state(&line).await, ApplicationState::CodeSpent);
    let call = applicant.registration(&line, account, &code).await;
    assert!(
        problem(line.register(call, LIMIT).await).1.contains("too often"),
        "the right one comes too late"
    );

    let (number, way, key) = (applicant.number, None, None);
    let reason = "lost the mail".to_owned();
    joining(&server, JoiningAct::Recode { number, way, key, reason }).await.unwrap();
    let newer = applicant.mailed_after(&place, &code).await;
    let call = applicant.registration(&line, account, &code).await;
    assert!(problem(line.register(call, LIMIT).await).1.contains("wrong"), "the former code counts no more");
    let call = applicant.registration(&line, account, &newer).await;
    line.register(call, LIMIT).await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_was_admitted_is_registered() {
    let place = Place::found();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut applicant = Applicant::new(&place, Role::Member, &line).await;
    let guessed = ActivationCode::generate();
    let early = applicant.registration(&line, AccountNumber::Member(MemberNumber(1)), &guessed).await;
    assert!(problem(line.register(early, LIMIT).await).1.contains("was not admitted"));
    applicant.apply(&line).await;
    let (account, code) = applicant.mailed(&place).await;
    let mut neighbour = Applicant::new(&place, Role::Member, &line).await;
    neighbour.apply(&line).await;
    let (others, others_code) = neighbour.mailed(&place).await;

    let call = applicant.registration(&line, others, &code).await;
    assert!(problem(line.register(call, LIMIT).await).1.contains("is not the number that came"));
    let call = applicant.registration(&line, account, &others_code).await;
    assert!(problem(line.register(call, LIMIT).await).1.contains("code is wrong"));
    let form = line.form(Role::Member, LIMIT).await.unwrap();
    let mut changed = clone(&applicant);
    changed.particulars = Applicant::filled(&place, &form, &values(Role::Member, 77)).particulars;
    let call = changed.registration(&line, account, &code).await;
    assert!(problem(line.register(call, LIMIT).await).1.contains("not those that were admitted"));
    let mut swapped = applicant.registration(&line, account, &code).await;
    swapped.code = ActivationCode::generate();
    assert!(
        problem(line.register(swapped, LIMIT).await).1.contains("not the one that the registration binds")
    );
    let mut unproved = applicant.registration(&line, account, &code).await;
    unproved.possessions = wire::bounded::List::default();
    assert_eq!(problem(line.register(unproved, LIMIT).await).0, ProblemKind::NotAuthentic);
    let mut certified = applicant.registration(&line, account, &code).await;
    certified.certificate = neighbour.registration(&line, others, &others_code).await.certificate;
    assert!(problem(line.register(certified, LIMIT).await).1.contains("certificate"));

    set(&server, Document::Terms, "Other terms.").await.unwrap();
    let call = applicant.registration(&line, account, &code).await;
    line.register(call, LIMIT).await.unwrap();
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_terminals_with_one_code_one_registers() {
    let place = Place::found();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut applicant = Applicant::new(&place, Role::Member, &line).await;
    applicant.apply(&line).await;
    let (account, code) = applicant.mailed(&place).await;
    let copy = Applicant { terminal: SigningKey::generate(), ..clone(&applicant) };
    let (other_line, _other_pushes) = place.line().await;
    let (one, two) = (
        applicant.registration(&line, account, &code).await,
        copy.registration(&other_line, account, &code).await,
    );
    let (one, two) = tokio::join!(line.register(one, LIMIT), other_line.register(two, LIMIT));
    assert_eq!([one.is_ok(), two.is_ok()].iter().filter(|done| **done).count(), 1, "{one:?} {two:?}");
    assert_eq!(server.center().desk().state().holders().count(), 1);
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_center_that_starts_anew_between_any_two_steps_goes_on() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut applicant = Applicant::new(&place, Role::Member, &line).await;
    let call = applicant.call(None, None);
    applicant.number = line.apply(call.clone(), LIMIT).await.unwrap().number;
    server.stop().await.unwrap();

    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    assert_eq!(line.apply(call, LIMIT).await.unwrap().number, applicant.number, "the answer was lost");
    assert_eq!(applicant.state(&line).await, ApplicationState::Waiting);
    admit(&server, applicant.number).await;
    server.stop().await.unwrap();

    let server = place.serve().await;
    let (account, code) = applicant.mailed(&place).await;
    let (line, _pushes) = place.line().await;
    let wrong = applicant.registration(&line, account, &ActivationCode::generate()).await;
    assert!(problem(line.register(wrong, LIMIT).await).1.contains("4 more"));
    let call = applicant.registration(&line, account, &code).await;
    server.stop().await.unwrap();

    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let first = line.register(call.clone(), LIMIT).await.unwrap();
    server.stop().await.unwrap();

    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    assert_eq!(line.register(call, LIMIT).await.unwrap().1, first.1);
    assert_eq!(applicant.state(&line).await, ApplicationState::Registered { account });
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_died_between_the_entry_and_the_letter_is_made_at_the_next_start() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut applicant = Applicant::new(&place, Role::Member, &line).await;
    applicant.apply(&line).await;
    let letter = Some(Way::Letter);
    joining(&server, JoiningAct::Admit { number: applicant.number, way: letter }).await.unwrap();
    let names = server.center().cabinet().outward_names().unwrap();
    assert!(names.len() == 1 && names[0].starts_with("letter-"), "{names:?}");
    server.stop().await.unwrap();

    // As if it had died right after the entry.
    let cabinet = place.dir.path().join("center/cabinet");
    for drawer in ["outward", "codes"] {
        for item in fs::read_dir(cabinet.join(drawer)).unwrap() {
            fs::remove_file(item.unwrap().path()).unwrap();
        }
    }
    let server = place.serve().await;
    assert_eq!(server.center().cabinet().outward_names().unwrap(), names);
    let (line, _pushes) = place.line().await;
    let state = applicant.state(&line).await;
    assert!(matches!(state, ApplicationState::Admitted { ways, .. } if ways.to_vec() == [Way::Letter]));
    let taken = joining(&server, JoiningAct::Letter { number: applicant.number }).await.unwrap();
    let Outcome::Joining(JoiningOutcome::Letter(letter)) = taken else { panic!() };
    let pdf = data_encoding::BASE64.decode(letter.pdf.as_bytes()).unwrap();
    assert!(
        pdf.starts_with(b"%PDF") && letter.name == names[0] && !format!("{letter:?}").contains(&letter.pdf)
    );
    common::until(&server, "the letter to be entered", || {
        server.center().desk().state().unposted().next().is_none()
    })
    .await;
    let error = joining(&server, JoiningAct::Letter { number: applicant.number }).await.unwrap_err();
    assert_eq!(error.kind, "refused", "a letter is handed out once: {error}");
    server.stop().await.unwrap();
    let server = place.serve().await;
    assert!(server.center().errors().newest("not in the cabinet", 9).is_empty());
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_field_appears_at_the_next_visitor() {
    let place = Place::found();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let old = Applicant::new(&place, Role::Member, &line).await;
    let form = document::first(Document::Form(Role::Member));
    let bad = form.replace("kind = \"email\"", "kind = \"line\"");
    let error = set(&server, Document::Form(Role::Member), &bad).await.unwrap_err();
    assert!(error.words.contains("email"), "{error}");
    let before = size(&server);
    set(&server, Document::Form(Role::Member), form).await.unwrap();
    assert_eq!(size(&server), before, "the same content is no new version");
    let more =
        "\n[[field]]\nkey = \"club\"\nlabel = \"Club\"\nkind = \"line\"\nrequired = true\nmax_chars = 20\n";
    set(&server, Document::Form(Role::Member), &format!("{form}{more}")).await.unwrap();

    let newest = line.form(Role::Member, LIMIT).await.unwrap();
    assert_eq!((newest.version, newest.fields.last().unwrap().label.as_str()), (2, "Club"));
    let (_, words) = problem(line.apply(old.call(None, None), LIMIT).await);
    assert!(words.contains("fetch version 2"), "{words}");
    assert!(newest.fill(&values(Role::Member, 5)).is_err(), "the new field is required");
    let mut values = values(Role::Member, 5);
    values.push(("club".into(), "Chess".into()));
    let applicant = Applicant::filled(&place, &newest, &values);
    line.apply(applicant.call(None, None), LIMIT).await.unwrap();
    let (account, code) = applicant.mailed(&place).await;
    assert!(account.role() == Role::Member && !code.print().is_empty());
    set(&server, Document::Guide(Role::Store), "# Stores\n\nWelcome.").await.unwrap();
    assert_eq!(line.guide(Role::Store, LIMIT).await.unwrap().text.as_str(), "# Stores\n\nWelcome.");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_resembles_somebody_waits_for_an_operator() {
    let place = Place::found();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut first = Applicant::new(&place, Role::Member, &line).await;
    assert!(matches!(first.apply(&line).await.state, ApplicationState::Admitted { .. }));
    let form = line.form(Role::Member, LIMIT).await.unwrap();
    let mut values = values(Role::Member, 9);
    values[3].1 = first.email.to_uppercase();
    let mut second = Applicant::filled(&place, &form, &values);
    assert_eq!(second.apply(&line).await.state, ApplicationState::Waiting);
    let row = &list(&server, "").await[0];
    assert_eq!(row.number, second.number);
    assert_eq!(row.same.len(), 1);
    assert!(row.same[0].what.contains("e-mail") && row.same[0].who == first.number.to_string());
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_kit_offers_programs_and_a_tampered_one_is_not_sent() {
    let place = Place::found();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let first = line.kit(0, LIMIT).await.unwrap();
    let program: Vec<u8> = (0..limits::CHUNK + 99).map(|at| (at % 251) as u8).collect();
    let file = place.dir.path().join("tui-member");
    fs::write(&file, &program).unwrap();
    let add = JoiningAct::KitAdd {
        file,
        program: "tui-member".into(),
        platform: "x86_64-unknown-linux-gnu".into(),
        version: "0.2.0".into(),
    };
    joining(&server, add).await.unwrap();
    let kit = line.kit(first.number, LIMIT).await.unwrap();
    assert!(kit.number > first.number);
    let build = kit.builds[0].clone();
    let mut got = line.build(build.digest, 0, LIMIT).await.unwrap();
    assert_eq!(got.len(), limits::CHUNK);
    got.extend(line.build(build.digest, got.len() as u64, LIMIT).await.unwrap());
    assert_eq!(Digest::of(&[&got]), build.digest);
    assert!(problem(line.build(Digest([1; 32]), 0, LIMIT).await).1.contains("no such program"));

    let kept = place.dir.path().join("center/cabinet/kit").join(build.digest.to_string());
    let mut tampered = program.clone();
    tampered[3] ^= 1;
    fs::write(&kept, tampered).unwrap();
    assert!(problem(line.build(build.digest, 0, LIMIT).await).1.contains("damaged"));
    assert_eq!(server.center().errors().newest("is not the tui-member", 9).len(), 1);

    set(&server, Document::Terms, "Newer terms.").await.unwrap();
    let newer = line.kit(kit.number, LIMIT).await.unwrap();
    assert!(newer.number > kit.number && newer.terms.version == 2);
    joining(&server, JoiningAct::KitRemove { digest: build.digest }).await.unwrap();
    assert!(line.kit(newer.number, LIMIT).await.unwrap().builds.is_empty());
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_desk_goes_by_roles() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut applicant = Applicant::new(&place, Role::Member, &line).await;
    applicant.apply(&line).await;
    let number = applicant.number;
    let reason = || "because".to_owned();
    let viewer = common::operator(&server, "vera", OperatorRole::Viewer).await;
    let clerk = common::operator(&server, "carl", OperatorRole::Clerk).await;
    let supervisor = common::operator(&server, "grace", OperatorRole::Supervisor).await;
    for (operator, it) in [
        (&viewer, JoiningAct::Admit { number, way: None }),
        (&viewer, JoiningAct::Application { number, reveal: Some(reason()) }),
        (&viewer, JoiningAct::Decline { number, ask_back: false, reason: reason() }),
        (&clerk, JoiningAct::Recode { number, way: None, key: None, reason: reason() }),
        (&supervisor, JoiningAct::SetDocument { document: Document::Terms, text: reason() }),
    ] {
        let error = server.center().act(Some(operator), Act::Joining(it)).await.unwrap_err();
        assert_eq!(error.kind, "not-allowed");
    }
    let error =
        joining(&server, JoiningAct::Application { number, reveal: Some(" ".into()) }).await.unwrap_err();
    assert!(error.words.contains("say why"), "{error}");
    let number = ApplicationNumber(9);
    let error = joining(&server, JoiningAct::Admit { number, way: None }).await.unwrap_err();
    assert_eq!(error.kind, "not-found");
    assert!(mails(&place).is_empty());
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_registers_when_two_operators_want_it() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let supervisor = common::operator(&server, "grace", OperatorRole::Supervisor).await;
    let (line, _pushes) = place.line().await;
    let mut applicant = Applicant::new(&place, Role::Member, &line).await;
    applicant.apply(&line).await;
    admit(&server, applicant.number).await;
    let (account, code) = applicant.mailed(&place).await;
    let other = Applicant { signature: SigningKey::generate(), ..clone(&applicant) };
    let (number, key) = (applicant.number, Some(other.signature.verification_key()));
    let recode = JoiningAct::Recode { number, way: None, key, reason: "the disk died".into() };
    let Outcome::Proposed(proposed) = joining(&server, recode).await.unwrap() else { panic!() };
    let confirm = || Act::Staff(StaffAct::Confirm { proposal: proposed.number });
    act(&server, confirm()).await.unwrap_err();
    server.center().act(Some(&supervisor), confirm()).await.unwrap();
    let newer = applicant.mailed_after(&place, &code).await;
    let call = applicant.registration(&line, account, &newer).await;
    assert!(problem(line.register(call, LIMIT).await).1.contains("only with the key that applied"));
    let call = other.registration(&line, account, &newer).await;
    line.register(call, LIMIT).await.unwrap();
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_terminal_is_replaced_and_its_owner_is_told() {
    let place = Place::found();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut owner = Applicant::new(&place, Role::Member, &line).await;
    owner.apply(&line).await;
    let (account, code) = owner.mailed(&place).await;
    let call = owner.registration(&line, account, &code).await;
    line.register(call, LIMIT).await.unwrap();

    let mut again = Applicant::new(&place, Role::Member, &line).await;
    again.recovery = Some(SigningKey::generate());
    let view = line.apply(again.call(None, Some(account)), LIMIT).await.unwrap();
    assert_eq!(view.state, ApplicationState::Waiting, "no rule replaces a terminal");
    again.number = view.number;
    admit(&server, again.number).await;
    let (same, code) = again.mailed(&place).await;
    assert_eq!(same, account);
    let call = again.registration(&line, account, &code).await;
    line.register(call, LIMIT).await.unwrap();
    {
        let state = server.center().desk().state();
        let holder = state.holder(account).unwrap();
        let key = holder.key(wire::payload::KeyRole::Signature).unwrap().0;
        assert_eq!(key, again.signature.verification_key());
        assert!(holder.held(wire::time::Timestamp::now()).is_some(), "no money leaves it for a while");
    }
    line.login(account, &again.terminal, None, LIMIT).await.unwrap();
    let told = || mails(&place).iter().filter(|mail| mail.contains("are being replaced")).count();
    common::until(&server, "the notice", || told() == 1).await;
    let notice = mails(&place).into_iter().find(|mail| mail.contains("are being replaced")).unwrap();
    assert!(notice.contains(&format!("To: {}", owner.email)), "to the contact of before: {notice}");
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nothing_came_of_is_erased() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut waiting = Applicant::new(&place, Role::Member, &line).await;
    waiting.apply(&line).await;
    let mut admitted = Applicant::new(&place, Role::Member, &line).await;
    admitted.apply(&line).await;
    admit(&server, admitted.number).await;
    let later = |days: u64| wire::time::Timestamp::now().plus_ms(days * 24 * 60 * 60 * 1000);
    let center = server.center().clone();
    let tidy = move |days| tui_center::admission::tidy(&center, later(days));
    tidy(29);
    assert_eq!(list(&server, "").await.len(), 2);
    tidy(31);
    assert_eq!(list(&server, "").await.len(), 1, "the code of the other still counts");
    tidy(61);
    assert!(list(&server, "").await.is_empty());
    assert!(list(&server, "山田").await.is_empty(), "nobody finds them any more");
    assert_eq!(
        problem(line.application(waiting.number, &waiting.terminal, LIMIT).await).0,
        ProblemKind::NotAuthentic
    );
    let mut next = Applicant::new(&place, Role::Member, &line).await;
    assert_eq!(next.apply(&line).await.number, ApplicationNumber(3), "no number is given twice");
    server.stop().await.unwrap();
}

fn clone(applicant: &Applicant) -> Applicant {
    Applicant {
        center: applicant.center,
        role: applicant.role,
        signature: applicant.signature.clone(),
        terminal: applicant.terminal.clone(),
        recovery: applicant.recovery.clone(),
        particulars: applicant.particulars.clone(),
        salt: applicant.salt,
        email: applicant.email.clone(),
        number: applicant.number,
    }
}

/// No file below a folder holds these bytes.
fn nowhere(folder: &Path, bytes: &[u8]) {
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            nowhere(&path, bytes);
        } else if path.is_file() {
            let found = fs::read(&path).unwrap();
            assert!(!found.windows(bytes.len()).any(|window| window == bytes), "{}", path.display());
        }
    }
}
