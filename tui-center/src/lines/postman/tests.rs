//! The postman over a line that does what the test says.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::books::cabinet::Cabinet;

const MINUTE: Duration = Duration::from_secs(60);

/// A line whose answers the test decides, and which counts.
#[derive(Default)]
struct Line {
    answer: Mutex<Option<Trouble>>,
    carried: Mutex<Vec<(EntryNumber, Vec<u8>)>>,
    tries: Mutex<Vec<EntryNumber>>,
    breaks: AtomicBool,
}

impl Line {
    fn set(&self, answer: Option<Trouble>) {
        *self.answer.lock().unwrap() = answer;
    }

    fn carried(&self) -> Vec<EntryNumber> {
        self.carried.lock().unwrap().iter().map(|(entry, _)| *entry).collect()
    }

    fn tries(&self) -> usize {
        self.tries.lock().unwrap().len()
    }
}

impl Carrier for Line {
    fn way(&self) -> String {
        "the test's line".into()
    }

    fn carry<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<String, Trouble>> {
        Box::pin(async move {
            self.tries.lock().unwrap().push(outgoing.entry);
            assert!(!self.breaks.swap(false, Ordering::SeqCst), "the test breaks this try");
            if let Some(trouble) = self.answer.lock().unwrap().clone() {
                return Err(trouble);
            }
            self.carried.lock().unwrap().push((outgoing.entry, outgoing.bytes.to_vec()));
            Ok(format!("250 queued for <{}>", outgoing.to))
        })
    }
}

struct Office {
    dir: tempfile::TempDir,
    cabinet: Cabinet,
    errors: ErrorLog,
    line: Arc<Line>,
    settled: Arc<Mutex<Vec<Settled>>>,
    refuse: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Office {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            cabinet: Cabinet::open(&dir.path().join("cabinet"), &[3; 32]).unwrap(),
            errors: ErrorLog::open(dir.path()),
            line: Arc::default(),
            settled: Arc::default(),
            refuse: Arc::default(),
            stop: CancellationToken::new(),
            dir,
        }
    }

    fn start(&self, kind: Kind, on: bool) -> (Postman, JoinHandle<()>) {
        let (settled, refuse) = (self.settled.clone(), self.refuse.clone());
        let settle: Settle = Arc::new(move |end| {
            let (settled, refuse) = (settled.clone(), refuse.clone());
            Box::pin(async move {
                if refuse.load(Ordering::SeqCst) {
                    return Err("payments are stopped".into());
                }
                settled.lock().unwrap().push(end);
                Ok(())
            })
        });
        Postman::start(Bag {
            kind,
            cabinet: self.cabinet.clone(),
            errors: self.errors.clone(),
            carrier: on.then(|| self.line.clone() as Arc<dyn Carrier>),
            settle,
            backoff: Backoff { jitter: 0, ..Backoff::default() },
            stop: self.stop.clone(),
        })
    }
}

fn outgoing(kind: Kind, entry: u64) -> Outgoing {
    Outgoing {
        kind,
        entry: EntryNumber(entry),
        at: Timestamp(1_795_000_000_000),
        to: "ada@example.org".into(),
        bytes: Zeroizing::new(format!("the code of {entry}").into_bytes()),
    }
}

/// Waits until the list is as the test wants it; with the clock paused, time passes by itself.
async fn until(postman: &Postman, what: &str, right: impl Fn(&[PostState]) -> bool) -> Vec<PostState> {
    for _ in 0..20_000 {
        let list = postman.list();
        if right(&list) {
            return list;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("{what} never came: {:?}", postman.list());
}

fn all(state: State) -> impl Fn(&[PostState]) -> bool {
    move |list| !list.is_empty() && list.iter().all(|item| item.state == state)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_for_an_hour_costs_no_mail_and_no_flood() {
    let office = Office::new();
    office.line.set(Some(Trouble::Line("the mail server cannot be reached: Connection refused".into())));
    let (postman, task) = office.start(Kind::Mail, true);
    let began = Instant::now();
    for entry in [9, 4, 7] {
        postman.give(&outgoing(Kind::Mail, entry)).unwrap();
    }
    tokio::time::sleep(60 * MINUTE).await;
    let list = postman.list();
    assert!(all(State::Waiting)(&list) && list.len() == 3, "{list:?}");
    assert!(list.iter().all(|item| item.next_try.is_some() && item.to_masked == "a…@example.org"));
    assert!(postman.line().trouble.is_some_and(|words| words.contains("refused")));
    // After 0, 1, 3, 7, 15 and 31 minutes.
    assert_eq!(office.line.tries(), 6, "the line is asked, not each mail");
    assert_eq!(office.errors.newest("no mail goes out", 10).len(), 1, "told once");
    office.line.set(None);
    until(&postman, "the end", all(State::Accepted)).await;
    assert!(began.elapsed() < 64 * MINUTE);
    assert_eq!(office.line.carried(), [4, 7, 9].map(EntryNumber), "oldest first, each once");
    assert!(postman.line().last_sign.is_some() && postman.line().trouble.is_none());
    assert_eq!(office.errors.newest("works again", 10).len(), 1);
    office.stop.cancel();
    task.await.unwrap();
    let settled = office.settled.lock().unwrap().clone();
    assert_eq!(settled.len(), 3);
    assert_eq!(settled[0].words, "250 queued for …");
    assert!(office.cabinet.outward_names().unwrap().is_empty(), "what bears a code is destroyed");
    let log = std::fs::read_to_string(office.dir.path().join("errors.jsonl")).unwrap();
    assert!(!log.contains("ada@") && !log.contains("the code"), "{log}");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_refused_waits_for_an_operator_and_holds_up_nobody() {
    let office = Office::new();
    let (postman, _task) = office.start(Kind::Mail, true);
    office.line.set(Some(Trouble::Never("answered 550 no such user ada@example.org".into())));
    postman.give(&outgoing(Kind::Mail, 1)).unwrap();
    let list = until(&postman, "the refusal", all(State::Failed)).await;
    assert_eq!((list[0].last_words.as_str(), list[0].next_try), ("answered 550 no such user …", None));
    assert_eq!(postman.line().failed, 1);
    office.line.set(None);
    postman.give(&outgoing(Kind::Mail, 2)).unwrap();
    until(&postman, "the second", |list| list.len() == 2 && list[1].state == State::Accepted).await;
    assert_eq!(office.line.carried(), [EntryNumber(2)]);
    let (first, second) = (Kind::Mail.name(EntryNumber(1)), Kind::Mail.name(EntryNumber(2)));
    assert!(postman.retry(&second).unwrap_err().contains("was delivered"));
    assert!(postman.retry("mail-1.eml").unwrap_err().contains("named like"));
    assert!(postman.retry(&Kind::Letter.name(EntryNumber(1))).is_err());
    postman.retry(&first).unwrap();
    until(&postman, "the retry", all(State::Accepted)).await;
    assert_eq!(office.line.carried(), [2, 1].map(EntryNumber));
    assert!(postman.give_up(&first).is_err(), "what is delivered cannot be given up");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_taken_yet_waits_alone() {
    let office = Office::new();
    let (postman, _task) = office.start(Kind::Mail, true);
    office.line.set(Some(Trouble::Later("answered 451 greylisted".into())));
    postman.give(&outgoing(Kind::Mail, 1)).unwrap();
    until(&postman, "the first try", |list| list.iter().any(|item| item.tries == 1)).await;
    office.line.set(None);
    postman.give(&outgoing(Kind::Mail, 2)).unwrap();
    until(&postman, "both", all(State::Accepted)).await;
    assert_eq!(office.line.carried(), [2, 1].map(EntryNumber));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_entered_is_not_sent_twice() {
    let office = Office::new();
    office.refuse.store(true, Ordering::SeqCst);
    let (postman, _task) = office.start(Kind::Mail, true);
    postman.give(&outgoing(Kind::Mail, 1)).unwrap();
    until(&postman, "the acceptance", all(State::Accepted)).await;
    tokio::time::sleep(5 * MINUTE).await;
    let name = Kind::Mail.name(EntryNumber(1));
    assert_eq!(office.cabinet.outward_names().unwrap(), [name], "kept while it is not entered");
    assert!(!office.errors.newest("payments are stopped", 10).is_empty());
    office.refuse.store(false, Ordering::SeqCst);
    tokio::time::sleep(2 * MINUTE).await;
    assert!(office.cabinet.outward_names().unwrap().is_empty());
    assert_eq!(office.line.carried().len(), 1);
    assert_eq!(office.settled.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_in_the_program_costs_one_try() {
    let office = Office::new();
    office.line.breaks.store(true, Ordering::SeqCst);
    let (postman, _task) = office.start(Kind::Mail, true);
    postman.give(&outgoing(Kind::Mail, 1)).unwrap();
    let list = until(&postman, "the second try", all(State::Accepted)).await;
    assert_eq!((list[0].tries, office.line.carried().len()), (2, 1));
    assert_eq!(office.errors.newest("an error in the program", 10).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_restart_sends_the_same_bytes_again() {
    let office = Office::new();
    office.refuse.store(true, Ordering::SeqCst);
    let (postman, task) = office.start(Kind::Mail, true);
    postman.give(&outgoing(Kind::Mail, 1)).unwrap();
    until(&postman, "the acceptance", all(State::Accepted)).await;
    task.abort();
    office.refuse.store(false, Ordering::SeqCst);
    let (postman, _task) = office.start(Kind::Mail, true);
    until(&postman, "the second acceptance", all(State::Accepted)).await;
    let carried = office.line.carried.lock().unwrap().clone();
    assert_eq!(carried.len(), 2);
    assert_eq!(carried[0], carried[1]);
}

#[tokio::test(start_paused = true)]
async fn without_a_way_out_operators_deliver() {
    let office = Office::new();
    let (postman, _task) = office.start(Kind::Letter, false);
    assert!(postman.give(&outgoing(Kind::Mail, 1)).is_err(), "a mail is no letter");
    for entry in [1, 2] {
        postman.give(&outgoing(Kind::Letter, entry)).unwrap();
    }
    let list = until(&postman, "both", |list| list.len() == 2).await;
    assert!(list[0].last_words.contains("operator") && list[0].next_try.is_none());
    let name = |entry| Kind::Letter.name(EntryNumber(entry));
    assert!(postman.retry(&name(1)).unwrap_err().contains("no way out"));
    assert_eq!(postman.take_out(&name(1)).unwrap().as_slice(), b"the code of 1");
    postman.by_hand(&name(1)).unwrap();
    postman.give_up(&name(2)).unwrap();
    until(&postman, "the ends", |_| office.settled.lock().unwrap().len() == 2).await;
    until(&postman, "the destruction", |_| office.cabinet.outward_names().unwrap().is_empty()).await;
    let ends: Vec<_> = office.settled.lock().unwrap().iter().map(|settled| settled.end).collect();
    assert_eq!(ends, [State::Printed, State::GivenUp]);
    assert!(postman.take_out(&name(1)).is_err());
}

#[tokio::test(start_paused = true)]
async fn what_others_lay_beside_it_is_left_alone_and_what_is_spoilt_is_told() {
    let office = Office::new();
    office.cabinet.put_outward("pain001-T-000001-3.xml", b"<xml/>").unwrap();
    office.cabinet.put_outward(&Kind::Mail.name(EntryNumber(5)), b"no head").unwrap();
    let (postman, _task) = office.start(Kind::Mail, true);
    let list = until(&postman, "the spoilt one", all(State::Failed)).await;
    assert_eq!(list.len(), 1);
    assert!(list[0].last_words.contains("not something that goes out"), "{list:?}");
    assert_eq!(office.line.tries(), 0);
}
