//! One run: who does what next, and what goes wrong.

use std::collections::VecDeque;

use fastrand::Rng;
use wire::{id::AccountNumber, message::Mail, telegram::Telegram};

use super::{
    Plan, Report,
    center::{Center, Started},
    check::Checker,
    clock::SimClock,
    disk::{End, Faults},
    net::{Content, Net, Packet, Party, Weather},
    people::{self, Image, START},
    terminal::{self, Learnt, Terminal},
    trade::Trade,
};

/// How much of what happened is kept to be told.
const HISTORY: usize = 400;
/// After so many rounds without faults all must be at rest.
const ROUNDS: u32 = 400;

/// Everything there is.
pub(super) struct World {
    plan: Plan,
    image: &'static Image,
    rng: Rng,
    clock: SimClock,
    center: Center,
    terminals: Vec<Terminal>,
    net: Net,
    trade: Trade,
    checker: Checker,
    weather: Weather,
    trouble: Trouble,
    faults: Faults,
    lines: u64,
    report: Report,
    /// What happened, when it is to be told.
    told: Option<VecDeque<String>>,
}

/// What goes wrong between operations, each in parts of a thousand steps.
#[derive(Debug, Clone, Copy, Default)]
struct Trouble {
    power: u16,
    kill: u16,
    orderly: u16,
    terminal: u16,
    cut: u16,
    jump: u16,
    full: u16,
}

impl World {
    pub(super) fn new(plan: &Plan, tells: bool) -> Self {
        let image = Image::get();
        let mut rng = Rng::with_seed(plan.seed);
        let clock = SimClock::at(START + 60_000);
        let center = Center::new(image, clock.clone(), plan.flaw, &mut rng);
        let terminals = (0..image.people.len()).map(|at| Terminal::new(at, image, &mut rng)).collect();
        // Each run has some of the troubles only, so that none hides another.
        let some = |rng: &mut Rng, most: u16| if rng.bool() { rng.u16(1..=most) } else { 0 };
        let hundred = |rng: &mut Rng, most: u8| if rng.bool() { rng.u8(1..=most) } else { 0 };
        let (weather, mut trouble, mut faults) = if plan.death.is_some() {
            Default::default()
        } else {
            let r = &mut rng;
            (
                Weather { drop: hundred(r, 20), twice: hundred(r, 10), disorder: hundred(r, 100) },
                Trouble {
                    power: some(r, 20),
                    kill: some(r, 20),
                    orderly: some(r, 10),
                    terminal: some(r, 20),
                    cut: some(r, 30),
                    jump: some(r, 10),
                    full: some(r, 10),
                },
                Faults {
                    death: some(r, 150),
                    write: some(r, 100),
                    sync: some(r, 150),
                    read: some(r, 60),
                    ..Faults::default()
                },
            )
        };
        if plan.lying {
            trouble = Trouble { power: 15, cut: 10, ..Trouble::default() };
            faults = Faults { lying: true, ..Faults::default() };
        }
        if let Some((change, after)) = plan.death {
            center.disk.die_at(change, after);
        }
        Self {
            plan: *plan,
            image,
            rng,
            clock,
            center,
            terminals,
            net: Net::default(),
            trade: Trade::new(image),
            checker: Checker::default(),
            weather,
            trouble,
            faults,
            lines: 0,
            report: Report::default(),
            told: tells.then(VecDeque::new),
        }
    }

    /// At which step it is.
    pub(super) fn step(&self) -> u64 {
        self.report.steps
    }

    /// What happened, oldest first, when it was to be told.
    pub(super) fn history(self) -> Vec<String> {
        self.told.into_iter().flatten().collect()
    }

    /// Both parts.
    ///
    /// # Errors
    /// What must never be, in words.
    pub(super) fn run(&mut self) -> Result<Report, String> {
        self.start()?;
        self.set_faults(self.faults);
        for _ in 0..self.plan.steps {
            self.report.steps += 1;
            self.chance()?;
            self.look()?;
            if self.report.found_out {
                return Ok(self.finish());
            }
        }
        self.calm()?;
        Ok(self.finish())
    }

    fn finish(&mut self) -> Report {
        let (entries, payments) = self.checker.figures();
        let mut report = std::mem::take(&mut self.report);
        (report.entries, report.payments) = (entries, payments);
        report.changes = self.center.disk.changes();
        report.root = self.checker.newest();
        report
    }

    /// One step in which anything may happen.
    fn chance(&mut self) -> Result<(), String> {
        let passes = match self.rng.u8(..20) {
            0 => self.rng.u64(..60_000),
            1 => self.rng.u64(..1_000),
            _ => self.rng.u64(..20),
        };
        self.clock.pass(passes);
        self.misfortune();
        if !self.center.is_running() {
            if self.rng.u8(..4) == 0 {
                return self.start();
            }
        } else if self.center.stopped().is_some() && self.rng.u8(..4) == 0 {
            // Somebody looks at the screen and starts the center anew.
            self.end(End::Killed, "the center, which had stopped, is ended");
        }
        match self.rng.u8(..10) {
            0..4 => (0..self.rng.u8(1..6)).try_for_each(|_| self.deliver()),
            4..6 => {
                self.work();
                Ok(())
            }
            _ => {
                let at = self.rng.usize(..self.terminals.len());
                self.wish(at);
                self.act(at);
                Ok(())
            }
        }
    }

    fn misfortune(&mut self) {
        let hits = |rng: &mut Rng, of_thousand: u16| rng.u16(..1_000) < of_thousand;
        let trouble = self.trouble;
        if hits(&mut self.rng, trouble.power) {
            self.end(End::PowerFailed, "the center's power fails");
        }
        if hits(&mut self.rng, trouble.kill) {
            self.end(End::Killed, "the center is killed");
        }
        if hits(&mut self.rng, trouble.orderly) {
            self.tell(|| "the center ends in order".into());
            let cut = self.center.close();
            self.send(cut);
            self.center.end(End::Killed);
        }
        if hits(&mut self.rng, trouble.terminal) {
            let at = self.rng.usize(..self.terminals.len());
            let end = if self.rng.bool() { End::PowerFailed } else { End::Killed };
            self.tell(|| format!("terminal {at} ends: {end:?}"));
            let cut = self.terminals[at].restart(end);
            self.send(cut);
        }
        if hits(&mut self.rng, trouble.cut) {
            let at = self.rng.usize(..self.terminals.len());
            let cut = self.terminals[at].hang_up();
            self.send(cut);
        }
        if hits(&mut self.rng, trouble.jump) {
            let ms = if self.rng.bool() { 0 } else { self.rng.i64(-10_000_000..10_000_000) };
            self.tell(|| format!("the center's clock is {ms} ms wrong"));
            self.clock.jump(ms);
            if let (Some(desk), true) = (self.center.desk(), self.rng.bool()) {
                desk.accept_clock();
            }
        }
        if hits(&mut self.rng, trouble.full) {
            self.faults.full = !self.faults.full;
            let full = self.faults.full;
            self.tell(|| format!("the center's disk is full: {full}"));
            self.set_faults(self.faults);
        }
    }

    fn set_faults(&self, faults: Faults) {
        self.center.disk.set_faults(faults);
        // A terminal's disk fails less often, and never lies.
        let part = |often: u16| often / 4;
        let faults = Faults {
            death: part(faults.death),
            write: part(faults.write),
            sync: part(faults.sync),
            read: 0,
            full: false,
            lying: false,
        };
        for terminal in &self.terminals {
            terminal.set_faults(faults);
        }
    }

    /// The next packet comes in.
    fn deliver(&mut self) -> Result<(), String> {
        let Some(packet) = self.net.next(&self.weather, &mut self.rng) else { return Ok(()) };
        match packet.to {
            Party::Center => {
                let said = self.center.receive(packet);
                self.send(said);
                Ok(())
            }
            Party::Terminal(at) => {
                let received = self.terminals[at].receive(packet);
                match received {
                    Ok((learnt, packets)) => {
                        self.send(packets);
                        learnt.into_iter().try_for_each(|learnt| self.learn(at, learnt))
                    }
                    // What a center that lost entries says may contradict anything; that it is stopped is what counts.
                    Err(_) if self.report.lost => Ok(()),
                    Err(words) => Err(words),
                }
            }
        }
    }

    fn learn(&mut self, at: usize, learnt: Learnt) -> Result<(), String> {
        let held = match learnt {
            Learnt::Checkpoint(checkpoint) => self.checker.checkpoint(&checkpoint),
            Learnt::Ended(telegram, verdict) => {
                self.tell(|| format!("terminal {at} keeps the end of a {}", telegram.kind));
                self.checker.ended(&telegram, &verdict)
            }
            Learnt::Mail(item) => match item.body {
                Mail::Paid { order, total, .. } => {
                    let entry = item.receipt.leaf.entry;
                    self.tell(|| format!("terminal {at} keeps the notice of {entry}"));
                    self.trade.told(entry, order, total)
                }
                _ => Ok(()),
            },
            Learnt::Fork => {
                self.tell(|| format!("terminal {at} is told that the journal lacks what it has seen"));
                self.report.found_out = true;
                if self.plan.lying || self.plan.flaw.is_some() {
                    Ok(())
                } else {
                    Err("a terminal's checkpoint is called a fork, and the disk is honest".into())
                }
            }
        };
        if self.report.lost { Ok(()) } else { held }
    }

    /// The desk works once.
    fn work(&mut self) {
        let before = self.center.desk().map(|desk| desk.reader().size());
        let said = self.center.step();
        let after = self.center.desk().map(|desk| desk.reader().size());
        if before != after {
            self.tell(|| format!("the desk enters {before:?} to {after:?}"));
        }
        self.send(said);
        self.bury();
    }

    /// The center's machine may have died of its disk.
    fn bury(&mut self) {
        if self.center.disk.is_dead() {
            let end =
                if self.rng.bool() || self.plan.death.is_some() { End::PowerFailed } else { End::Killed };
            self.end(end, "the center's machine died at its disk");
        }
    }

    fn end(&mut self, end: End, words: &str) {
        self.tell(|| format!("{words} ({end:?})"));
        let cut = self.center.end(end);
        self.send(cut);
    }

    fn start(&mut self) -> Result<(), String> {
        self.report.starts += 1;
        match self.center.start() {
            Started::Runs => self.recovered(),
            Started::Failed(words) => {
                self.tell(|| format!("the center does not start: {words}"));
                let end = if self.center.disk.is_dead() { End::PowerFailed } else { End::Killed };
                self.center.end(end);
                Ok(())
            }
            Started::Refuses(words) => {
                self.tell(|| format!("the center refuses its books: {words}"));
                if self.plan.lying {
                    self.report.found_out = true;
                    return Ok(());
                }
                Err(format!("the books do not open again: {words}"))
            }
        }
    }

    /// The center runs again: everything that anybody was told must be there.
    fn recovered(&mut self) -> Result<(), String> {
        let Some(desk) = self.center.desk() else { return Ok(()) };
        let size = desk.reader().size();
        if self.plan.lying && self.checker.contradiction(desk.reader()).is_some() {
            self.report.lost = true;
            self.tell(|| format!("the center runs with {size} entries, and has lost some"));
            return Ok(());
        }
        let looked = self.checker.look_anew(desk);
        // Whoever verifies reads on threads of their own, in an order that no seed decides.
        self.center.disk.set_faults(Faults::default());
        let verified = self.checker.verify(desk, people::shelf(&self.center.disk), &self.image.ring);
        self.center.disk.set_faults(self.faults);
        self.tell(|| format!("the center runs with {size} entries"));
        looked.and(verified)
    }

    fn look(&mut self) -> Result<(), String> {
        if self.report.lost {
            return Ok(());
        }
        let Some(desk) = self.center.desk() else { return Ok(()) };
        self.checker.look(desk)
    }

    /// Somebody wants something.
    fn wish(&mut self, at: usize) {
        if self.rng.u8(..3) > 0 || self.terminals[at].items.len() > 12 {
            return;
        }
        let now = self.clock.true_now();
        let telegram = if self.terminals[at].is_store() {
            self.trade.of_store(at, now, &mut self.rng)
        } else {
            Some(self.trade.payment(at, now, &mut self.rng))
        };
        let Some(telegram) = telegram else { return };
        self.tell(|| format!("terminal {at} signs a {} {:?}", telegram.kind, telegram.id()));
        let cut = self.terminals[at].sign(telegram);
        self.send(cut);
    }

    fn act(&mut self, at: usize) {
        self.lines += 1;
        let again = self.rng.u8(..6) == 0;
        let trade = &self.trade;
        let beside = |telegram: &Telegram| terminal::beside(telegram, &|payment| trade.delivered(payment));
        let packets = self.terminals[at].act(self.lines, again, &mut self.rng, &beside);
        self.send(packets);
    }

    fn send(&mut self, packets: impl IntoIterator<Item = Packet>) {
        for packet in packets {
            // The other end of a cut line is told as well.
            if let (Content::Closed, Party::Terminal(_)) = (&packet.content, packet.to) {
                self.tell(|| format!("line {} of terminal {} ends", packet.line, packet.terminal));
            }
            self.net.send(packet);
        }
    }

    /// The second part: nothing goes wrong any more, and everything comes to an end.
    fn calm(&mut self) -> Result<(), String> {
        self.tell(|| "from now on nothing goes wrong".into());
        self.weather = Weather::default();
        self.trouble = Trouble::default();
        self.faults = Faults { lying: self.plan.lying, ..Faults::default() };
        self.set_faults(self.faults);
        self.clock.jump(0);
        if let Some(desk) = self.center.desk() {
            desk.accept_clock();
        }
        for terminal in &mut self.terminals {
            terminal.wake();
        }
        if self.plan.lying {
            return self.finds_out();
        }
        if self.center.is_running() {
            // Whatever stands in memory, the disk must have it.
            self.end(End::Killed, "the center is ended");
        }
        for _ in 0..ROUNDS {
            self.report.steps += 1;
            self.clock.pass(100);
            if !self.center.is_running() {
                self.start()?;
            } else if let Some(words) = self.center.stopped() {
                return Err(format!("payments stopped, and nothing was wrong: {words}"));
            }
            for at in 0..self.terminals.len() {
                self.act(at);
            }
            while !self.net.is_empty() {
                self.deliver()?;
            }
            self.work();
            while !self.net.is_empty() {
                self.deliver()?;
            }
            self.look()?;
            if self.center.is_running() && self.terminals.iter().all(Terminal::is_at_rest) {
                return self.accounts();
            }
        }
        let unknown: usize = self
            .terminals
            .iter()
            .map(|terminal| terminal.items.iter().filter(|item| item.verdict.is_none()).count())
            .sum();
        Err(format!("after {ROUNDS} rounds without faults {unknown} telegrams are still unknown"))
    }

    /// At rest: every terminal's record is the journal's, and each payment has its one notice.
    fn accounts(&mut self) -> Result<(), String> {
        for terminal in &self.terminals {
            for item in &terminal.items {
                let verdict = item.verdict.as_ref().ok_or("a telegram has no end")?;
                self.checker.ended(&item.telegram, verdict)?;
            }
            for (entry, leaf) in &terminal.mail {
                if self.checker.leaf(*entry) != Some(*leaf) {
                    return Err(format!(
                        "{} has mail of {entry}, and the journal another entry",
                        terminal.person.account
                    ));
                }
            }
            if let AccountNumber::Store(store) = terminal.person.account {
                let untold = self.checker.payments_to(store).find(|entry| !terminal.mail.contains_key(entry));
                if let Some(entry) = untold {
                    return Err(format!("{store} was never told of {entry}"));
                }
            }
        }
        Ok(())
    }

    /// On a lying disk: everybody logs in once more. Whoever has seen what the journal lacks must stop payments.
    fn finds_out(&mut self) -> Result<(), String> {
        if !self.center.is_running() {
            self.start()?;
        }
        let Some(desk) = self.center.desk() else { return Ok(()) };
        let ahead = self.terminals.iter().filter_map(|terminal| terminal.kept.as_ref());
        let ahead = ahead.filter(|kept| !desk.reader().contains(kept.claimed())).count();
        for at in 0..self.terminals.len() {
            let cut = self.terminals[at].hang_up();
            self.send(cut);
        }
        for _ in 0..8 {
            for at in 0..self.terminals.len() {
                self.act(at);
            }
            while !self.net.is_empty() {
                self.deliver()?;
            }
        }
        if ahead > 0 && self.center.stopped().is_none() {
            return Err(format!("{ahead} terminals have seen what the journal lacks, and payments go on"));
        }
        let before = self.center.desk().map(|desk| desk.reader().size());
        self.center.step();
        if ahead > 0 && self.center.desk().map(|desk| desk.reader().size()) != before {
            return Err("something was entered after payments had stopped".into());
        }
        Ok(())
    }

    fn tell(&mut self, words: impl FnOnce() -> String) {
        let Some(told) = &mut self.told else { return };
        if told.len() == HISTORY {
            told.pop_front();
        }
        told.push_back(format!("{:>4} {}", self.report.steps, words()));
    }
}
