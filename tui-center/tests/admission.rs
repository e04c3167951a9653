//! Joining step by step over real sockets, and every wrong turn on the way.

mod common;

use std::{fs, path::Path};

use common::{
    LIMIT, Place,
    applicant::{Applicant, values},
    check_books,
    desk::{admission, admit, decline, detail, joining, list, problem, set, size},
};
use ledger::request::Document;
use secrecy::SecretString;
use tui_center::{
    acts::{JoiningAct, JoiningOutcome, Outcome},
    center::Custody,
};
use wire::{
    admission::{ActivationCode, ApplicationState, Way},
    id::{AccountNumber, ApplicationNumber, MemberNumber, Role},
    key::SigningKey,
    message::ProblemKind,
};

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
    let error = joining(&server, admission(&server, refused.number, None).await).await.unwrap_err();
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

    let thief = Applicant { signature: SigningKey::generate(), ..applicant.twin() };
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
    let mut changed = applicant.twin();
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

    let before = common::desk::size(&server);
    let twice = Applicant { recovery: Some(applicant.terminal.clone()), ..applicant.twin() };
    for _ in 0..3 {
        let call = twice.registration(&line, account, &code).await;
        assert_eq!(problem(line.register(call, LIMIT).await).0, ProblemKind::NotAllowed);
    }
    assert_eq!(common::desk::size(&server), before, "who holds a code can't fill the journal with refusals");

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
    let copy = Applicant { terminal: SigningKey::generate(), ..applicant.twin() };
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
    joining(&server, admission(&server, applicant.number, letter).await).await.unwrap();
    let names = server.center().cabinet().outward_names().unwrap();
    assert!(names.len() == 1 && names[0].starts_with("letter-"), "{names:?}");
    server.stop().await.unwrap();

    // As if it had died right after the entry.
    empty(&place, &["outward", "codes"]);
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
async fn what_died_after_the_code_was_made_goes_on_with_the_same_code() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut applicant = Applicant::new(&place, Role::Member, &line).await;
    applicant.apply(&line).await;
    let letter = Some(Way::Letter);
    joining(&server, admission(&server, applicant.number, letter).await).await.unwrap();
    let names = server.center().cabinet().outward_names().unwrap();
    server.stop().await.unwrap();
    empty(&place, &["outward", "codes"]);
    let code = ActivationCode::generate();
    {
        let custody = Custody::open(&place.profile, &SecretString::from("service passphrase")).unwrap();
        let entry = names[0].trim_start_matches("letter-").trim_end_matches(".pdf");
        custody.cabinet.put_outward(&format!("code-{entry}"), code.print().as_bytes()).unwrap();
    }
    let server = place.serve().await;
    assert_eq!(server.center().cabinet().outward_names().unwrap(), names, "the code by itself is gone");
    let (line, _pushes) = place.line().await;
    let account = AccountNumber::Member(MemberNumber(1));
    let call = applicant.registration(&line, account, &code).await;
    line.register(call, LIMIT).await.unwrap();
    server.stop().await.unwrap();
}

/// Takes everything out of drawers of the cabinet.
fn empty(place: &Place, drawers: &[&str]) {
    let cabinet = place.dir.path().join("center/cabinet");
    for drawer in drawers {
        for item in fs::read_dir(cabinet.join(drawer)).unwrap() {
            fs::remove_file(item.unwrap().path()).unwrap();
        }
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
