//! The settlement path in one process, over and over, with everything going wrong that can.
//!
//! What is real: the books, the desk and its rules, the verification of telegrams, verdicts, mail and receipts, every
//! signature. What is simulated: the disks ([`disk`]), the network ([`net`]), the clocks ([`clock`]), and the people at
//! the terminals ([`terminal`]). One seed decides all of it, so that a run that fails can be run again, step by step.
//!
//! A run has two parts. In the first, chance rules: packets are lost, doubled and delivered in any order, lines are cut,
//! disks fail, fill up and tear, machines die at any write or sync and between them, clocks jump. In the second all is
//! well, and everything that is unknown must come to an end. After every step [`check`] holds what is durable against
//! everything that anybody was ever told.
//!
//! | class | what must hold |
//! |---|---|
//! | honest disks | nothing that was answered is lost, doubled or contradicted, and books open again after every end |
//! | lying disks, whose syncs keep nothing | whoever presents a checkpoint that the journal lacks stops payments |
//!
//! That the simulator finds what it looks for is itself tested, with mistakes made on purpose ([`flaw`]).

pub mod center;
pub mod check;
pub mod clock;
pub mod disk;
pub mod flaw;
mod log;
pub mod net;
pub mod people;
pub mod terminal;
mod trade;
mod world;

use std::fmt;

use wire::id::Digest;

use flaw::Flaw;
use world::World;

/// How many steps chance rules, unless a plan says otherwise.
pub const STEPS: u32 = 260;

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// What decides everything.
    pub seed: u64,
    /// Whether the center's disk lies about its syncs.
    pub lying: bool,
    /// A mistake made on purpose.
    pub flaw: Option<Flaw>,
    /// For how many steps chance rules.
    pub steps: u32,
    /// Nothing goes wrong but this: the center's machine dies at this change of its disk, before or after it.
    pub death: Option<(u64, bool)>,
}

impl Plan {
    /// The run of a seed, on honest disks.
    pub fn of(seed: u64) -> Self {
        Self { seed, lying: false, flaw: None, steps: STEPS, death: None }
    }
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Steps until all was at rest.
    pub steps: u64,
    /// Entries in the journal at the end.
    pub entries: u64,
    /// Payments among them.
    pub payments: u64,
    /// How often the center was started again.
    pub starts: u64,
    /// Writes, syncs and changes of names on its disk.
    pub changes: u64,
    /// Whether a lie of the disk was found out: the books were refused, or payments stopped.
    pub found_out: bool,
    /// Whether the journal lost what somebody had seen.
    pub lost: bool,
    /// The newest root: runs that did the same have the same.
    pub root: Option<Digest>,
}

/// Something that must never be, was.
#[derive(Debug)]
pub struct Failure {
    /// The plan: it gives the same again.
    pub plan: Plan,
    /// At which step.
    pub step: u64,
    /// What, in words.
    pub words: String,
    /// What happened before, oldest first.
    pub history: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lying = if self.plan.lying { ", lying disk" } else { "" };
        writeln!(f, "seed {}{lying}, step {}: {}", self.plan.seed, self.step, self.words)?;
        self.history.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// Runs a plan.
///
/// # Errors
/// The first thing that must never be, with the history of a second run of the same plan.
pub fn run(plan: &Plan) -> Result<Report, Box<Failure>> {
    let once = |tells| {
        let mut world = World::new(plan, tells);
        let ran = world.run();
        (ran, world)
    };
    match once(false) {
        (Ok(report), _) => Ok(report),
        (Err(words), first) => {
            let (again, world) = once(true);
            let words = match again {
                Err(again) if again == words => words,
                _ => format!("{words} (and it does not come out the same a second time)"),
            };
            let step = first.step();
            Err(Box::new(Failure { plan: *plan, step, words, history: world.history() }))
        }
    }
}
