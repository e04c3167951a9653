//! The admission desk: documents, the kit, roles, acts for two, and what becomes of applications in time.

mod common;

use std::fs;

use common::{
    LIMIT, Place, act,
    applicant::{Applicant, mails, values},
    check_books,
    desk::{admission, admit, decline, joining, list, problem, set, size},
};
use ledger::request::{Document, OperatorRole};
use tui_center::{
    acts::{Act, JoiningAct, Outcome, StaffAct},
    admission::document,
};
use wire::{
    admission::ApplicationState,
    id::{ApplicationNumber, Digest, Role, TelegramId},
    key::SigningKey,
    limits,
    message::ProblemKind,
};

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
    let document = Document::Form(Role::Member);
    let stale = JoiningAct::SetDocument { document, text: format!("# mine\n{form}"), over: Some(1) };
    let error = joining(&server, stale).await.unwrap_err();
    assert!(error.words.contains("came into force meanwhile"), "{error}");
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
        (&viewer, admission(&server, number, None).await),
        (&viewer, JoiningAct::Application { number, reveal: Some(reason()) }),
        (&viewer, JoiningAct::Decline { number, ask_back: false, reason: reason() }),
        (&clerk, JoiningAct::Recode { number, way: None, key: None, reason: reason() }),
        (&supervisor, JoiningAct::SetDocument { document: Document::Terms, text: reason(), over: None }),
    ] {
        let error = server.center().act(Some(operator), Act::Joining(it)).await.unwrap_err();
        assert_eq!(error.kind, "not-allowed");
    }
    let error =
        joining(&server, JoiningAct::Application { number, reveal: Some(" ".into()) }).await.unwrap_err();
    assert!(error.words.contains("say why"), "{error}");
    let number = ApplicationNumber(9);
    let error = joining(&server, JoiningAct::Admit { number, seen: TelegramId([0; 32]), way: None })
        .await
        .unwrap_err();
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
    let other = Applicant { signature: SigningKey::generate(), ..applicant.twin() };
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
    let words = list(&server, &again.number.to_string()).await.remove(0).words;
    assert!(
        words.contains(&format!("{account} has another name and date of birth, another e-mail")),
        "{words}"
    );
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
async fn a_warning_that_died_with_the_program_goes_out_at_the_next_start() {
    let place = Place::found();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut owner = Applicant::new(&place, Role::Member, &line).await;
    owner.apply(&line).await;
    let (account, code) = owner.mailed(&place).await;
    let call = owner.registration(&line, account, &code).await;
    line.register(call, LIMIT).await.unwrap();
    let mut again = Applicant::new(&place, Role::Member, &line).await;
    again.number = line.apply(again.call(None, Some(account)), LIMIT).await.unwrap().number;
    admit(&server, again.number).await;
    let (_, code) = again.mailed(&place).await;
    // Nothing goes out any more, so that the notice is still in the cabinet when the center ends.
    let aside = place.dir.path().join("aside");
    fs::rename(&place.pickup, &aside).unwrap();
    fs::write(&place.pickup, "").unwrap();
    let call = again.registration(&line, account, &code).await;
    let (_, entry, _) = line.register(call, LIMIT).await.unwrap();
    let notice = format!("mail-{entry}.eml");
    let cabinet = server.center().cabinet().clone();
    common::until(&server, "the notice", || cabinet.outward(&notice).unwrap().is_some()).await;
    server.stop().await.unwrap();
    // As if it had died before the notice was written.
    cabinet.confirm_outward(&notice).unwrap();
    fs::remove_file(&place.pickup).unwrap();
    fs::rename(&aside, &place.pickup).unwrap();

    let server = place.serve().await;
    let told = || mails(&place).into_iter().find(|mail| mail.contains("are being replaced"));
    common::until(&server, "the notice", || told().is_some()).await;
    assert!(told().unwrap().contains(&format!("To: {}", owner.email)), "to the contact of before");
    common::until(&server, "its end", || server.center().desk().state().unposted().next().is_none()).await;
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_amended_since_it_was_proposed_is_not_confirmed() {
    let place = Place::found();
    let server = place.serve().await;
    let supervisor = common::operator(&server, "grace", OperatorRole::Supervisor).await;
    let (line, _pushes) = place.line().await;
    let mut owner = Applicant::new(&place, Role::Member, &line).await;
    owner.apply(&line).await;
    let (account, code) = owner.mailed(&place).await;
    let call = owner.registration(&line, account, &code).await;
    line.register(call, LIMIT).await.unwrap();
    let mut again = Applicant::new(&place, Role::Member, &line).await;
    again.number = line.apply(again.call(None, Some(account)), LIMIT).await.unwrap().number;
    let admit = admission(&server, again.number, None).await;
    let Outcome::Proposed(proposed) = joining(&server, admit).await.unwrap() else { panic!() };
    decline(&server, again.number, true, "Is this your address?").await;
    let form = line.form(Role::Member, LIMIT).await.unwrap();
    again.particulars = Applicant::filled(&place, &form, &values(Role::Member, 88)).particulars;
    line.apply(again.call(Some(again.number), Some(account)), LIMIT).await.unwrap();
    let confirm = Act::Staff(StaffAct::Confirm { proposal: proposed.number });
    let error = server.center().act(Some(&supervisor), confirm).await.unwrap_err();
    assert!(error.words.contains("was amended"), "{error}");
    assert_eq!(server.center().desk().state().admission_of(again.number), None);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_amended_since_it_was_seen_is_not_admitted() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut applicant = Applicant::new(&place, Role::Member, &line).await;
    applicant.apply(&line).await;
    let seen = admission(&server, applicant.number, None).await;
    decline(&server, applicant.number, true, "Is this your address?").await;
    let form = line.form(Role::Member, LIMIT).await.unwrap();
    applicant.particulars = Applicant::filled(&place, &form, &values(Role::Member, 88)).particulars;
    line.apply(applicant.call(Some(applicant.number), None), LIMIT).await.unwrap();
    let before = size(&server);
    let error = joining(&server, seen).await.unwrap_err();
    let words = &error.words;
    assert!(words.contains("was changed at") && words.contains("look at it again"), "{words}");
    assert_eq!((error.kind, size(&server)), ("refused", before), "nothing was entered");
    admit(&server, applicant.number).await;
    assert!(matches!(applicant.state(&line).await, ApplicationState::Admitted { .. }));
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_after_all_gets_no_letter() {
    let place = Place::with_desk();
    let server = place.serve().await;
    let (line, _pushes) = place.line().await;
    let mut applicant = Applicant::new(&place, Role::Member, &line).await;
    applicant.apply(&line).await;
    let letter = Some(wire::admission::Way::Letter);
    joining(&server, admission(&server, applicant.number, letter).await).await.unwrap();
    assert_eq!(server.center().cabinet().outward_names().unwrap().len(), 1);
    decline(&server, applicant.number, false, "It was a mistake.").await;
    common::until(&server, "the letter to be withdrawn", || {
        server.center().cabinet().outward_names().unwrap().is_empty()
    })
    .await;
    assert!(matches!(applicant.state(&line).await, ApplicationState::Refused { .. }));
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
    let mut refused = Applicant::new(&place, Role::Member, &line).await;
    refused.apply(&line).await;
    decline(&server, refused.number, false, "Hanako lives elsewhere.").await;
    let notes = || fs::read_dir(place.dir.path().join("center/cabinet/notes")).unwrap().count();
    let later = |days: u64| wire::time::Timestamp::now().plus_ms(days * 24 * 60 * 60 * 1000);
    let center = server.center().clone();
    let tidy = move |days| tui_center::admission::tidy(&center, later(days));
    tidy(29);
    assert_eq!((list(&server, "").await.len(), notes()), (3, 1));
    tidy(31);
    assert_eq!(list(&server, "").await.len(), 1, "the code of one still counts");
    assert_eq!(notes(), 0, "what was written to whoever was refused is gone too");
    tidy(61);
    assert!(list(&server, "").await.is_empty());
    let told = server.center().errors().newest("nobody decided on it", 9);
    assert_eq!(told.len(), 1, "nobody vanishes unread without a word: {told:?}");
    assert!(told[0].words.contains(&waiting.number.to_string()));
    assert!(list(&server, "山田").await.is_empty(), "nobody finds them any more");
    assert_eq!(
        problem(line.application(waiting.number, &waiting.terminal, LIMIT).await).0,
        ProblemKind::NotAuthentic
    );
    let mut next = Applicant::new(&place, Role::Member, &line).await;
    assert_eq!(next.apply(&line).await.number, ApplicationNumber(4), "no number is given twice");
    server.stop().await.unwrap();
}
