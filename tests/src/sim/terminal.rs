//! A member's or a store's terminal: what it signs lies on its disk before it is sent, and only the center's word, with
//! evidence that holds, ends what it does not know.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use fastrand::Rng;
use wire::{
    bounded::List,
    checkpoint::SignedCheckpoint,
    codec,
    id::{AccountNumber, Digest, EntryNumber},
    limits,
    message::{
        Answer, Beside, MailItem, Problem, ProblemKind, Push, Request, Verdict, Welcome, login_message,
    },
    payload::{self, ClaimEvidence},
    receipt::Receipt,
    sheet::SheetRole,
    telegram::{Kind, Telegram},
    terminal::{mail_fits, verdict_fits},
};

use super::{
    center::exporter,
    disk::{End, Faults, SimDisk},
    log::{Kept, Log},
    net::{Content, Packet, Party},
    people::{Image, Person},
};

/// What a terminal has learnt that whoever watches must hold against all else.
#[derive(Debug)]
pub enum Learnt {
    /// What became of a telegram; it is kept.
    Ended(Telegram, Verdict),
    /// A piece of mail; it is kept.
    Mail(MailItem),
    /// A checkpoint with the center's signature.
    Checkpoint(SignedCheckpoint),
    /// The center stopped payments because of what was presented.
    Fork,
}

/// A telegram of its own.
pub struct Item {
    /// The exact bytes that were signed.
    pub telegram: Telegram,
    /// What the center said became of it.
    pub verdict: Option<Verdict>,
    sent: bool,
}

/// The terminal.
pub struct Terminal {
    at: usize,
    image: &'static Image,
    /// Whose it is.
    pub person: &'static Person,
    disk: SimDisk,
    log: Option<Log>,
    /// What it signed, oldest first.
    pub items: Vec<Item>,
    /// The mail it has, by entry.
    pub mail: BTreeMap<EntryNumber, Digest>,
    /// The newest checkpoint it keeps.
    pub kept: Option<SignedCheckpoint>,
    line: Option<Line>,
    next: u64,
    mail_is_read: bool,
}

struct Line {
    number: u64,
    logged_in: bool,
    asked: BTreeMap<u64, Asked>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Presenting a checkpoint of this size.
    Login(u64),
    Item(usize),
    Mail,
    Acknowledge,
}

impl Terminal {
    /// A new one, with an empty disk.
    pub fn new(at: usize, image: &'static Image, rng: &mut Rng) -> Self {
        Self {
            at,
            image,
            person: &image.people[at],
            disk: SimDisk::new(rng.fork()),
            log: None,
            items: Vec::new(),
            mail: BTreeMap::new(),
            kept: None,
            line: None,
            next: 0,
            mail_is_read: false,
        }
    }

    /// Whether it belongs to a store.
    pub fn is_store(&self) -> bool {
        matches!(self.person.account, AccountNumber::Store(_))
    }

    /// Whether there is nothing that it does not know, and no mail that it has not acknowledged.
    pub fn is_at_rest(&self) -> bool {
        self.log.is_some() && self.mail_is_read && self.items.iter().all(|item| item.verdict.is_some())
    }

    /// From now on, its disk does this.
    pub fn set_faults(&self, faults: Faults) {
        self.disk.set_faults(faults);
    }

    /// It ends and starts again with what its disk holds. Says whether a line was cut by it.
    pub fn restart(&mut self, end: End) -> Option<Packet> {
        self.disk.restart(end);
        self.log = None;
        self.hang_up()
    }

    /// Looks at the mail again before it rests.
    pub fn wake(&mut self) {
        self.mail_is_read = false;
    }

    /// Cuts its line.
    pub fn hang_up(&mut self) -> Option<Packet> {
        let line = self.line.take()?;
        Some(self.packet(line.number, Content::Closed))
    }

    /// Keeps a telegram, which may be sent from then on.
    pub fn sign(&mut self, telegram: Telegram) -> Option<Packet> {
        let item = Item { telegram: telegram.clone(), verdict: None, sent: false };
        if self.keep(&Kept::Signed(telegram)) {
            self.items.push(item);
            return None;
        }
        self.restart(End::Killed)
    }

    /// Does what is to be done next: opens its log, connects, sends, asks, fetches. `beside` finds what travels beside a
    /// telegram; `again` says whether what was asked before is asked once more, since the answer does not come.
    pub fn act(
        &mut self,
        line: u64,
        again: bool,
        rng: &mut Rng,
        beside: &dyn Fn(&Telegram) -> Beside,
    ) -> Vec<Packet> {
        if self.log.is_none() && self.open().is_err() {
            // A power failure is over when the terminal is started again.
            self.disk.restart(if self.disk.is_dead() { End::PowerFailed } else { End::Killed });
            return Vec::new();
        }
        let Some(open) = &mut self.line else {
            return self.connect(line).into_iter().collect();
        };
        if again {
            open.asked.retain(|_, asked| matches!(asked, Asked::Login(_)));
            if !open.logged_in && rng.u8(..4) == 0 {
                return self.hang_up().into_iter().collect();
            }
        }
        if !open.logged_in {
            return Vec::new();
        }
        let busy: BTreeSet<usize> = open
            .asked
            .values()
            .filter_map(|asked| if let Asked::Item(at) = asked { Some(*at) } else { None })
            .collect();
        let mut requests = Vec::new();
        for (at, item) in self.items.iter_mut().enumerate() {
            if item.verdict.is_some() || busy.contains(&at) {
                continue;
            }
            let telegram = item.telegram.clone();
            // What was sent before is asked about; what was not may also be withdrawn, which is the same question.
            let submits = if item.sent { rng.u8(..4) == 0 } else { rng.u8(..12) > 0 };
            item.sent = true;
            let request = if submits {
                Request::Submit { beside: beside(&telegram), telegram }
            } else {
                Request::Inquire(telegram)
            };
            requests.push((Asked::Item(at), request));
        }
        let asks_mail = !open.asked.values().any(|asked| *asked == Asked::Mail);
        if !self.mail_is_read && asks_mail {
            requests.push((Asked::Mail, Request::Mail { after: None }));
        }
        requests.into_iter().filter_map(|(asked, request)| self.ask(asked, &request)).collect()
    }

    /// A packet comes in: what it teaches, and what is sent because of it.
    ///
    /// # Errors
    /// What the center said that does not hold, in words.
    pub fn receive(&mut self, packet: Packet) -> Result<(Vec<Learnt>, Vec<Packet>), String> {
        let Some(line) = self.line.as_mut().filter(|line| line.number == packet.line) else {
            return Ok(Default::default());
        };
        match packet.content {
            Content::Closed => {
                self.line = None;
                Ok(Default::default())
            }
            Content::Request(..) => Ok(Default::default()),
            Content::Push(bytes) => {
                let push: Push = codec::decode("push", &bytes, limits::FRAME).map_err(|it| it.to_string())?;
                match push {
                    Push::Mail(item) => {
                        self.mail_is_read = false;
                        self.take_mail(*item)
                    }
                    _ => Ok(Default::default()),
                }
            }
            Content::Answer(number, bytes) => {
                let Some(asked) = line.asked.remove(&number) else { return Ok(Default::default()) };
                let answer = codec::decode("answer", &bytes, limits::FRAME).map_err(|it| it.to_string())?;
                self.answered(asked, answer)
            }
        }
    }

    fn answered(&mut self, asked: Asked, answer: Answer) -> Result<(Vec<Learnt>, Vec<Packet>), String> {
        match (asked, answer) {
            (Asked::Login(presented), Answer::Welcome(welcome)) => self.welcomed(presented, *welcome),
            (Asked::Item(at), Answer::Verdict(verdict)) => self.ended(at, *verdict),
            (Asked::Mail, Answer::Mail(page)) => {
                let mut learnt = Vec::new();
                let last = page.items.iter().last().map(|item| item.receipt.leaf.entry);
                let more = page.more;
                for item in page.items {
                    let (news, packets) = self.take_mail(item)?;
                    learnt.extend(news);
                    if self.log.is_none() {
                        return Ok((learnt, packets));
                    }
                }
                // Only now, when all up to it is kept.
                let packet = match last {
                    Some(upto) => self.ask(Asked::Acknowledge, &Request::Acknowledge { upto }),
                    None => {
                        self.mail_is_read = !more;
                        None
                    }
                };
                Ok((learnt, packet.into_iter().collect()))
            }
            (Asked::Acknowledge, Answer::Done) => Ok(Default::default()),
            (_, Answer::Problem(problem)) => self.told(&problem),
            (asked, _) => Err(format!("{} is answered something else than it asked: {asked:?}", self.name())),
        }
    }

    fn told(&mut self, problem: &Problem) -> Result<(Vec<Learnt>, Vec<Packet>), String> {
        match problem.kind {
            ProblemKind::Busy | ProblemKind::Stopped | ProblemKind::Limited | ProblemKind::NotLoggedIn => {
                Ok(Default::default())
            }
            ProblemKind::Fork => Ok((vec![Learnt::Fork], self.hang_up().into_iter().collect())),
            // A login that came twice.
            ProblemKind::NotAllowed => Ok(Default::default()),
            _ => Err(format!("{} is turned away: {problem}", self.name())),
        }
    }

    fn welcomed(&mut self, presented: u64, welcome: Welcome) -> Result<(Vec<Learnt>, Vec<Packet>), String> {
        self.verify_checkpoint(&welcome.checkpoint)?;
        if welcome.checkpoint.claimed().size < presented {
            return Err(format!("{} is shown a journal shorter than it has seen", self.name()));
        }
        if let Some(line) = &mut self.line {
            line.logged_in = true;
        }
        self.mail_is_read = self.mail_is_read && welcome.mail == 0;
        let packets = self.keep_checkpoint(&welcome.checkpoint);
        Ok((vec![Learnt::Checkpoint(welcome.checkpoint)], packets))
    }

    /// The one way in which a telegram ends.
    fn ended(&mut self, at: usize, verdict: Verdict) -> Result<(Vec<Learnt>, Vec<Packet>), String> {
        let telegram = self.items[at].telegram.clone();
        verdict_fits(&telegram, &verdict).map_err(|error| format!("{}: {error}", self.name()))?;
        let mut learnt = Vec::new();
        let mut packets = Vec::new();
        if let Some(receipt) = verdict.receipt() {
            self.verify(receipt)?;
            learnt.push(Learnt::Checkpoint(receipt.checkpoint.clone()));
            packets.extend(self.keep_checkpoint(&receipt.checkpoint));
        }
        let place = u32::try_from(at).unwrap_or(u32::MAX);
        if self.log.is_some() && self.items[at].verdict.is_none() {
            if self.keep(&Kept::Ended(place, Box::new(verdict.clone()))) {
                self.items[at].verdict = Some(verdict.clone());
                learnt.push(Learnt::Ended(telegram, verdict));
            } else {
                packets.extend(self.restart(End::Killed));
            }
        }
        Ok((learnt, packets))
    }

    fn take_mail(&mut self, item: MailItem) -> Result<(Vec<Learnt>, Vec<Packet>), String> {
        self.verify(&item.receipt)?;
        mail_fits(&item).map_err(|error| format!("{}: {error}", self.name()))?;
        let (entry, leaf) = (item.receipt.leaf.entry, item.receipt.leaf.hash());
        let mut learnt = vec![Learnt::Checkpoint(item.receipt.checkpoint.clone())];
        if let Some(known) = self.mail.get(&entry) {
            if *known != leaf {
                return Err(format!("{} has {entry} twice, and not the same", self.name()));
            }
            return Ok((learnt, Vec::new()));
        }
        let mut packets = self.keep_checkpoint(&item.receipt.checkpoint);
        if self.log.is_some() && self.keep(&Kept::Mail(entry, leaf)) {
            self.mail.insert(entry, leaf);
            learnt.push(Learnt::Mail(item));
        } else {
            packets.extend(self.restart(End::Killed));
        }
        Ok((learnt, packets))
    }

    fn keep_checkpoint(&mut self, checkpoint: &SignedCheckpoint) -> Vec<Packet> {
        let newer = self.kept.as_ref().is_none_or(|kept| kept.claimed().size < checkpoint.claimed().size);
        if newer && self.log.is_some() {
            if !self.keep(&Kept::Checkpoint(checkpoint.clone())) {
                return self.restart(End::Killed).into_iter().collect();
            }
            self.kept = Some(checkpoint.clone());
        }
        Vec::new()
    }

    fn verify(&self, receipt: &Receipt) -> Result<(), String> {
        let root = self.image.root.verification_key();
        receipt
            .verify(&self.image.sheet, &root)
            .map_err(|words| format!("{} has evidence that does not hold: {words}", self.name()))
    }

    fn verify_checkpoint(&self, checkpoint: &SignedCheckpoint) -> Result<(), String> {
        let sheet = &self.image.key_sheet;
        let key = sheet.key_at(SheetRole::Checkpoint, checkpoint.claimed().size);
        let key = key.ok_or("the sheet names no key for a checkpoint")?;
        checkpoint.verify(&key).map(|_| ()).map_err(|error| error.to_string())
    }

    fn open(&mut self) -> io::Result<()> {
        let (log, kept) = Log::open(&self.disk)?;
        self.log = Some(log);
        self.items.clear();
        self.mail.clear();
        self.kept = None;
        self.mail_is_read = false;
        for record in kept {
            match record {
                // Whether it was sent nobody knows.
                Kept::Signed(telegram) => self.items.push(Item { telegram, verdict: None, sent: true }),
                Kept::Ended(at, verdict) => {
                    if let Some(item) = self.items.get_mut(at as usize) {
                        item.verdict = Some(*verdict);
                    }
                }
                Kept::Mail(entry, leaf) => {
                    self.mail.insert(entry, leaf);
                }
                Kept::Checkpoint(checkpoint) => self.kept = Some(checkpoint),
            }
        }
        Ok(())
    }

    fn keep(&mut self, kept: &Kept) -> bool {
        self.log.as_mut().is_some_and(|log| log.append(kept).is_ok())
    }

    fn connect(&mut self, number: u64) -> Option<Packet> {
        self.line = Some(Line { number, logged_in: false, asked: BTreeMap::new() });
        let account = self.person.account;
        let message = login_message(&self.image.center(), account, &exporter(number));
        let signature = self.person.terminal.sign(&message);
        let presented = self.kept.as_ref().map_or(0, |kept| kept.claimed().size);
        let login = Request::Login { account, signature, checkpoint: self.kept.clone() };
        self.ask(Asked::Login(presented), &login)
    }

    fn ask(&mut self, asked: Asked, request: &Request) -> Option<Packet> {
        let number = self.next;
        self.next += 1;
        let line = self.line.as_mut()?;
        line.asked.insert(number, asked);
        let at = line.number;
        Some(self.packet(at, Content::Request(number, codec::encode(request))))
    }

    fn packet(&self, line: u64, content: Content) -> Packet {
        Packet { to: Party::Center, terminal: self.at, line, content }
    }

    fn name(&self) -> String {
        self.person.account.to_string()
    }
}

/// What a store hands in beside a claim: the signed offers, and the buyers' signatures for the goods.
pub fn beside(telegram: &Telegram, evidence: &dyn Fn(EntryNumber) -> Option<ClaimEvidence>) -> Beside {
    if telegram.kind != Kind::Claim {
        return Beside::Nothing;
    }
    let Ok(claim) = telegram.peek::<payload::Claim>() else { return Beside::Nothing };
    Beside::Claim(List::first(claim.payments.iter().filter_map(|payment| evidence(*payment))))
}
