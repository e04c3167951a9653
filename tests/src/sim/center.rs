//! The center's side: the real books on a simulated disk, the real desk stepped by hand, the real verification and
//! answers. Only the connections and the login's bookkeeping are stand-ins for the reception's.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use fastrand::Rng;
use tui_center::{
    books::{Books, BooksError, Journal, Presented, snapshot::Pace},
    settlement::{self, Desk, Listener, Mailboxes, Opening, Standing, Stepper, Work, heard, said},
};
use wire::{
    bounded::List,
    checkpoint::SignedCheckpoint,
    codec,
    id::{AccountNumber, EntryNumber},
    key::Signature,
    limits,
    message::{
        Answer, MailItem, MailPage, Problem, ProblemKind, Push, Request, Verdict, Welcome, login_message,
    },
    payload::{ChainHead, KeyRole, chain_hash},
    sheet::SheetRole,
    telegram::Telegram,
};

use super::{
    clock::SimClock,
    disk::{End, SimDisk},
    flaw::{Flaw, Flawed},
    net::{Content, Packet, Party},
    people::{self, Image},
};

/// Mailbox cursors that lag: an end may take any of them back to what it was before.
#[derive(Debug, Clone, Default)]
pub struct Cursors(Arc<Mutex<BTreeMap<AccountNumber, Vec<EntryNumber>>>>);

/// The center, running or not.
pub struct Center {
    image: &'static Image,
    /// Its disk.
    pub disk: SimDisk,
    clock: SimClock,
    cursors: Cursors,
    flaw: Option<Flaw>,
    rng: Rng,
    snapshots: u64,
    running: Option<Running>,
}

struct Running {
    desk: Desk,
    stepper: Stepper,
    lines: BTreeMap<u64, Connection>,
    waiting: Vec<Waiting>,
    last: Option<SignedCheckpoint>,
}

struct Connection {
    terminal: usize,
    account: Option<AccountNumber>,
    listener: Option<Listener>,
    last: heard::LastKey,
}

/// A request whose entry is not durable yet.
struct Waiting {
    line: u64,
    number: u64,
    answer: Pin<Box<dyn Future<Output = Option<Answer>>>>,
}

/// What was seen when a center was started.
pub enum Started {
    /// It runs.
    Runs,
    /// A fault that was put there kept it from starting; it may be tried again.
    Failed(String),
    /// It refuses to open its books.
    Refuses(String),
}

impl settlement::Cursors for Cursors {
    fn load(&self) -> Result<BTreeMap<AccountNumber, EntryNumber>, BooksError> {
        let cursors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(cursors.iter().filter_map(|(account, kept)| Some((*account, *kept.last()?))).collect())
    }

    fn keep(&self, account: AccountNumber, upto: EntryNumber) -> Result<(), BooksError> {
        let mut cursors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cursors.entry(account).or_default().push(upto);
        Ok(())
    }
}

impl Cursors {
    fn fall_back(&self, rng: &mut Rng) {
        let mut cursors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for kept in cursors.values_mut() {
            kept.truncate(rng.usize(..=kept.len()));
        }
    }
}

impl Center {
    /// A center on a copy of the founded books; not started yet.
    pub fn new(image: &'static Image, clock: SimClock, flaw: Option<Flaw>, rng: &mut Rng) -> Self {
        let disk = image.disk(rng.fork());
        disk.set_slip(flaw.and_then(Flaw::slip));
        let snapshots = rng.u64(4..40);
        let (cursors, rng) = (Cursors::default(), rng.fork());
        Self { image, disk, clock, cursors, flaw, rng, snapshots, running: None }
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The desk, while it runs.
    pub fn desk(&self) -> Option<&Desk> {
        self.running.as_ref().map(|running| &running.desk)
    }

    /// Why payments are stopped, if they are.
    pub fn stopped(&self) -> Option<String> {
        match &*self.desk()?.standing().borrow() {
            Standing::Stopped(words) => Some(words.clone()),
            Standing::Open | Standing::ClockJumped(_) => None,
        }
    }

    /// Opens the books and the desk.
    pub fn start(&mut self) -> Started {
        self.disk.take_injected();
        match self.open() {
            Ok(running) => {
                self.running = Some(running);
                Started::Runs
            }
            Err(error) if self.disk.is_dead() || self.disk.take_injected() => {
                Started::Failed(error.to_string())
            }
            Err(error) => Started::Refuses(error.to_string()),
        }
    }

    fn open(&mut self) -> Result<Running, BooksError> {
        let shelf = people::shelf(&self.disk).with_snapshots(Pace::Each(self.snapshots));
        let mut opening = Opening::new(Mailboxes::open(Arc::new(self.cursors.clone()))?);
        let books = Books::resume(shelf, people::checkpoint_key(), &mut opening)?;
        let journal: Box<dyn Journal> = match self.flaw {
            Some(flaw) => Box::new(Flawed::new(books, flaw, self.rng.fork())),
            None => Box::new(books),
        };
        let mut seeds = self.rng.fork();
        let clock = Box::new(self.clock.clone());
        let (desk, stepper) = Desk::stepped(journal, opening, clock, move || seeds.u128(..).to_le_bytes())?;
        Ok(Running { desk, stepper, lines: BTreeMap::new(), waiting: Vec::new(), last: None })
    }

    /// It ends, however it stands: nobody hears anything of what was not sent yet. Says which lines are cut by it.
    pub fn end(&mut self, end: End) -> Vec<Packet> {
        let lines = self.running.take().map(|running| running.lines).unwrap_or_default();
        self.disk.restart(end);
        self.cursors.fall_back(&mut self.rng);
        lines.into_iter().map(|(line, connection)| closed(connection.terminal, line)).collect()
    }

    /// It ends in order.
    pub fn close(&mut self) -> Vec<Packet> {
        if let Some(Running { stepper, lines, .. }) = self.running.take() {
            // What fails here was answered all the same.
            let _ = stepper.close();
            return lines.into_iter().map(|(line, connection)| closed(connection.terminal, line)).collect();
        }
        Vec::new()
    }

    /// A packet comes in.
    pub fn receive(&mut self, packet: Packet) -> Vec<Packet> {
        let Some(running) = &mut self.running else { return vec![closed(packet.terminal, packet.line)] };
        let (number, bytes) = match packet.content {
            Content::Request(number, bytes) => (number, bytes),
            Content::Closed => {
                running.lines.remove(&packet.line);
                running.waiting.retain(|waiting| waiting.line != packet.line);
                return Vec::new();
            }
            Content::Answer(..) | Content::Push(_) => return Vec::new(),
        };
        let terminal = packet.terminal;
        let Ok(request) = codec::decode::<Request>("request", &bytes, limits::FRAME) else {
            return vec![closed(terminal, packet.line)];
        };
        let line = packet.line;
        running.lines.entry(line).or_insert_with(|| Connection {
            terminal,
            account: None,
            listener: None,
            last: heard::LastKey::default(),
        });
        let answer = running.answer(self.image, self.flaw, line, number, request);
        answer.map(|answer| said(terminal, line, number, &answer)).into_iter().collect()
    }

    /// The desk works once. What it says then is on its way, unless the machine died at it.
    pub fn step(&mut self) -> Vec<Packet> {
        let Some(running) = &mut self.running else { return Vec::new() };
        running.stepper.step();
        if self.disk.is_dead() {
            return Vec::new();
        }
        let mut packets = running.answered(self.flaw, &mut self.rng);
        packets.extend(running.pushed(self.flaw));
        running.last = Some(running.desk.reader().checkpoint());
        if self.rng.u8(..4) == 0 {
            running.desk.mailboxes().keep_cursors();
        }
        packets
    }
}

impl Running {
    fn answer(
        &mut self,
        image: &'static Image,
        flaw: Option<Flaw>,
        line: u64,
        number: u64,
        request: Request,
    ) -> Option<Answer> {
        let connection = self.lines.get_mut(&line)?;
        if let Request::Login { account, signature, checkpoint } = request {
            if connection.account.is_some() {
                return Some(not_allowed("this connection has logged in already"));
            }
            let kept = checkpoint.as_ref();
            return Some(self.login(image, line, account, &signature, kept).unwrap_or_else(Answer::Problem));
        }
        let Some(account) = connection.account else {
            return Some(not_allowed("this is answered only after a login"));
        };
        let work = match request {
            Request::Submit { telegram, beside } => {
                heard::submitted_with(&connection.last, &self.desk, account, &telegram, &beside)
            }
            Request::Inquire(telegram) => heard::inquired(&self.desk, account, &telegram),
            Request::Mail { after } => return Some(self.mail(account, after, flaw)),
            Request::Acknowledge { upto } => {
                self.desk.mailboxes().acknowledge(account, upto);
                return Some(Answer::Done);
            }
            _ => return Some(not_allowed("the simulation asks no such thing")),
        };
        match work {
            Ok(work) => {
                let answer = Box::pin(settled(self.desk.clone(), work));
                self.waiting.push(Waiting { line, number, answer });
                // It stands in the queue once it was asked for the first time.
                let mut packets = Vec::new();
                self.poll(&mut packets);
                debug_assert!(packets.len() <= 1, "only what is refused at once is answered before a step");
                packets.pop().map(|(_, answer)| answer)
            }
            Err(problem) => Some(Answer::Problem(problem)),
        }
    }

    /// As the reception's login: who speaks, whether the journal has what they have seen, and how the account stands.
    fn login(
        &mut self,
        image: &'static Image,
        line: u64,
        account: AccountNumber,
        signature: &Signature,
        kept: Option<&SignedCheckpoint>,
    ) -> Result<Answer, Problem> {
        let wrong = || Problem::new(ProblemKind::NotAuthentic, "there is no such account with this key");
        let (key, _) = self.desk.state().key(account, KeyRole::Terminal).ok_or_else(wrong)?;
        key.verify(&login_message(&image.center(), account, &exporter(line)), signature)
            .map_err(|_| wrong())?;
        if let Some(kept) = kept
            && let Some(key) = image.key_sheet.key_at(SheetRole::Checkpoint, kept.claimed().size)
            && self.desk.reader().presented(kept, &key) == Presented::Contradicts
        {
            self.desk.stop(format!("{account} presents a checkpoint that the journal lacks"));
            return Err(Problem::new(ProblemKind::Fork, "the center has signed another journal"));
        }
        let state = self.desk.state();
        let checkpoint = self.desk.reader().checkpoint();
        let holder = state.holder(account).ok_or_else(wrong)?;
        let keys = List::first(holder.chain.clone());
        let head = ChainHead {
            center: image.center(),
            account,
            head: chain_hash(account, &keys),
            size: checkpoint.claimed().size,
            root: checkpoint.claimed().root,
        };
        let head = Telegram::sign_as_key(&head, &image.statement);
        let waiting = self.desk.mailboxes().page(account, None, usize::MAX).0;
        let welcome = Welcome {
            account,
            checkpoint,
            keys,
            head,
            mail: waiting.len() as u64,
            open: self.desk.standing().borrow().is_open(),
            held: None,
            waiting: None,
            kit: 0,
            copy: None,
        };
        if let Some(connection) = self.lines.get_mut(&line) {
            connection.account = Some(account);
            connection.listener = Some(self.desk.mailboxes().listen(account, waiting.last().copied()));
        }
        Ok(Answer::Welcome(Box::new(welcome)))
    }

    fn mail(&self, account: AccountNumber, after: Option<EntryNumber>, flaw: Option<Flaw>) -> Answer {
        let (numbers, more) = self.desk.mailboxes().page(account, after, limits::PAGE);
        let numbers = numbers.into_iter().filter(|number| !flaw.is_some_and(|flaw| flaw.hides(*number)));
        let read = |number| item(&self.desk, account, number);
        match numbers.map(read).collect::<Result<Vec<_>, _>>() {
            Ok(items) => Answer::Mail(MailPage { items: List::first(items.into_iter().flatten()), more }),
            Err(error) => Answer::Problem(Problem::new(ProblemKind::Stopped, error)),
        }
    }

    /// What is answered now of what was asked before.
    fn answered(&mut self, flaw: Option<Flaw>, rng: &mut Rng) -> Vec<Packet> {
        let mut answers = Vec::new();
        self.poll(&mut answers);
        let mut packets = Vec::new();
        for ((line, number), mut answer) in answers {
            let Some(connection) = self.lines.get(&line) else { continue };
            if let (Some(flaw), Answer::Verdict(verdict)) = (flaw, &mut answer) {
                flaw.spoil(verdict, self.last.as_ref(), rng);
            }
            packets.push(said(connection.terminal, line, number, &answer));
        }
        packets
    }

    fn poll(&mut self, answers: &mut Vec<((u64, u64), Answer)>) {
        let context = &mut Context::from_waker(Waker::noop());
        self.waiting.retain_mut(|waiting| match waiting.answer.as_mut().poll(context) {
            Poll::Ready(answer) => {
                answers.extend(answer.map(|answer| ((waiting.line, waiting.number), answer)));
                false
            }
            Poll::Pending => true,
        });
    }

    fn pushed(&mut self, flaw: Option<Flaw>) -> Vec<Packet> {
        let mut packets = Vec::new();
        for (line, connection) in &mut self.lines {
            let (Some(account), Some(listener)) = (connection.account, &mut connection.listener) else {
                continue;
            };
            while let Some(number) = people::poll_once(listener.next()) {
                if flaw.is_some_and(|flaw| flaw.hides(number)) {
                    continue;
                }
                // Where it can't be read, the terminal fetches it by pages.
                if let Ok(Some(item)) = item(&self.desk, account, number) {
                    let content = Content::Push(codec::encode(&Push::Mail(Box::new(item))));
                    let terminal = connection.terminal;
                    packets.push(Packet { to: Party::Terminal(terminal), terminal, line: *line, content });
                }
            }
        }
        packets
    }
}

/// What both ends of a line know and nobody else: it stands for what TLS derives.
pub fn exporter(line: u64) -> [u8; 32] {
    wire::id::Digest::of(&[b"exporter", &line.to_le_bytes()]).0
}

/// As the reception answers what the desk has decided.
async fn settled(desk: Desk, work: Work) -> Option<Answer> {
    match desk.submit(work).await {
        Ok(answer) => {
            let verdict: Verdict = said::verdict(desk.reader(), &people::bank(), &answer.record).ok()?;
            Some(Answer::Verdict(Box::new(verdict)))
        }
        Err(error) => match said::unanswered(&error)? {
            Ok(verdict) => Some(Answer::Verdict(Box::new(verdict))),
            Err(problem) => Some(Answer::Problem(problem)),
        },
    }
}

fn item(desk: &Desk, account: AccountNumber, number: EntryNumber) -> Result<Option<MailItem>, BooksError> {
    let reader = desk.reader();
    let record = reader.read(number)?;
    said::mail(reader, &record, account, |card| {
        let certificate = said::card_certificate(&desk.state(), card);
        let missing = BooksError::NoEntry { entry: number, size: reader.size() };
        Ok(Telegram::sign_as_key(&certificate.ok_or(missing)?, &people::key("card", 0)))
    })
}

fn said(terminal: usize, line: u64, number: u64, answer: &Answer) -> Packet {
    let content = Content::Answer(number, codec::encode(answer));
    Packet { to: Party::Terminal(terminal), terminal, line, content }
}

fn closed(terminal: usize, line: u64) -> Packet {
    Packet { to: Party::Terminal(terminal), terminal, line, content: Content::Closed }
}

fn not_allowed(words: &str) -> Answer {
    Answer::Problem(Problem::new(ProblemKind::NotAllowed, words))
}
