//! Admission by rule: where the policy says so, whoever resembles nobody is admitted without an operator.
//!
//! The rule is looked at when an application comes, when the same one is sent again, and at the start for all that wait:
//! a program that died between the application and the rule leaves nobody waiting for it. Each application is looked at
//! alone and again just before it is entered, and the books admit nobody twice, so that it may be repeated at will: one
//! entry, and the mail whose name derives from it.
//!
//! It has a ceiling of its own, [`crate::config::Limits::admissions_by_rule_per_hour`]. It is counted in the books, so
//! that a restart does not begin it anew. Whoever comes beyond it waits for an operator, or for the rule to be looked at
//! again.

use std::collections::{BTreeSet, VecDeque};

use ledger::{Request, request::Admission as Admit, state::Decided};
use wire::{admission::ApplicationState, id::ApplicationNumber, time::Timestamp};

use super::{applications::Row, issue, policy, standing};
use crate::{
    books::cabinet::index::Who,
    center::Center,
    errors::{Room, Weight},
    settlement::Work,
};

/// Milliseconds of an hour.
const HOUR_MS: u64 = 60 * 60 * 1000;

/// What the rule remembers. Applications are looked at one after the other.
#[derive(Default)]
pub(super) struct Rule(tokio::sync::Mutex<Option<Memory>>);

struct Memory {
    /// When the rule admitted somebody within the last hour, oldest first.
    admitted: VecDeque<Timestamp>,
    /// Until when it was told that the ceiling is reached.
    told: Option<Timestamp>,
    /// Who cannot be written to: told once, and not tried again until the next start.
    left: BTreeSet<ApplicationNumber>,
}

/// Applies the rule to everybody who waits; called at the start. It ends early when the center stops.
pub(crate) async fn catch_up(center: Center) {
    for row in center.admission().applications.rows_now() {
        if center.stopping().is_cancelled() {
            return;
        }
        apply(&center, row.number).await;
    }
}

/// Applies the rule to one application, which is durable: what fails here is told, and an operator admits later.
pub(crate) async fn apply(center: &Center, number: ApplicationNumber) {
    if !undecided(center, number) {
        return;
    }
    let mut memory = center.admission().rule.0.lock().await;
    let (looking, known) = (center.clone(), memory.take());
    let looked = tokio::task::spawn_blocking(move || {
        let mut known = match known {
            Some(known) => known,
            None => Memory::read(&looking)?,
        };
        let admits = admits(&looking, number, &mut known);
        Ok::<_, String>((known, admits))
    });
    let looked = looked.await.unwrap_or_else(|_| Err("an error in the program".into()));
    let admits = match looked {
        Ok((known, admits)) => {
            *memory = Some(known);
            admits
        }
        Err(why) => Err(why),
    };
    let entered = match admits {
        Ok(Some(admit)) => enter(center, admit).await,
        Ok(None) => return,
        Err(why) => Err(why),
    };
    match (entered, memory.as_mut()) {
        (Ok(at), Some(memory)) => memory.admitted.push_back(at),
        (Ok(_), None) => {}
        (Err(why), _) => {
            let words = format!("{number} waits for an operator, for the rule cannot admit it: {why}.");
            center.errors().tell(Room::Operators, Weight::Warning, words);
        }
    }
}

/// What is entered for an application, where the rule admits it now. Blocks on the disk.
fn admits(center: &Center, number: ApplicationNumber, memory: &mut Memory) -> Result<Option<Admit>, String> {
    let room = center.admission();
    let Some(row) = room.applications.row(number) else { return Ok(None) };
    let policy = room.library.policy(center.desk())?;
    let by_rule = policy.admit == policy::Admit::Rule && row.replaces.is_none();
    if !by_rule || memory.left.contains(&number) || !waits(center, &row)? {
        return Ok(None);
    }
    let filled = room.applications.particulars(number).map_err(|error| error.to_string())?;
    let Some(particulars) = filled else { return Ok(None) };
    let flags = center.cabinet().index().duplicates(&particulars);
    if flags.iter().any(|flag| flag.who != Who::Application(number)) {
        return Ok(None);
    }
    let now = Timestamp::now();
    if !memory.has_room(center, number, now) {
        return Ok(None);
    }
    let ways = issue::ways(center, None)?;
    if let Err(why) = issue::try_out(center, &particulars, row.role, &ways) {
        memory.left.insert(number);
        return Err(format!("it cannot be written to: {why}"));
    }
    Ok(Some(Admit {
        by: None,
        application: number,
        role: row.role,
        key: row.key,
        particulars: row.particulars,
        replaces: None,
        until: now.plus_ms(u64::from(policy.code_days) * standing::DAY_MS),
        ways,
    }))
}

/// Enters an admission, makes number and code, and gives the time of the entry.
async fn enter(center: &Center, admit: Admit) -> Result<Timestamp, String> {
    let work = Work::own(Request::Admit(admit), Vec::new()).ok_or("this comes as a telegram only")?;
    let answer = center.desk().submit(work).await.map_err(|error| error.to_string())?;
    let entry = &answer.record.entry;
    if let Some(refusal) = entry.refusal() {
        return Err(crate::books::said(refusal).to_string());
    }
    let (issuing, admission) = (center.clone(), entry.number);
    // Whoever follows the journal makes them too, and tells when they cannot be made.
    let _ = tokio::task::spawn_blocking(move || issue::issue(&issuing, admission)).await;
    Ok(entry.at)
}

/// Whether nobody has decided, which takes no look at the disk.
fn undecided(center: &Center, number: ApplicationNumber) -> bool {
    matches!(center.desk().state().decided(number), None | Some(Decided::AskedBack(_)))
}

/// Whether it waits for a decision, with a key that is still nobody's.
fn waits(center: &Center, row: &Row) -> Result<bool, String> {
    let stands = standing::standing(center, row)?.view.state;
    let free = center.desk().state().key_holder(&row.key).is_none();
    Ok(stands == ApplicationState::Waiting && free)
}

impl Memory {
    /// Counts in the books whom the rule admitted within the last hour.
    fn read(center: &Center) -> Result<Self, String> {
        let now = Timestamp::now();
        let recent: Vec<_> = {
            let state = center.desk().state();
            let recent = state.admissions().filter(|(_, admitted)| admitted.at.plus_ms(HOUR_MS) > now);
            recent.map(|(entry, admitted)| (entry, admitted.at)).collect()
        };
        let mut admitted = VecDeque::new();
        for (entry, at) in recent {
            if matches!(standing::read(center, entry)?.request, Request::Admit(it) if it.by.is_none()) {
                admitted.push_back(at);
            }
        }
        Ok(Self { admitted, told: None, left: BTreeSet::new() })
    }

    /// Whether the rule may admit one more; that it may not is told once until it may again.
    fn has_room(&mut self, center: &Center, number: ApplicationNumber, now: Timestamp) -> bool {
        let most = center.config().limits.admissions_by_rule_per_hour;
        while self.admitted.front().is_some_and(|at| at.plus_ms(HOUR_MS) <= now) {
            self.admitted.pop_front();
        }
        let full = usize::try_from(most).is_ok_and(|most| self.admitted.len() >= most);
        if full && self.told.is_none_or(|told| told <= now) {
            let again = self.admitted.front().map_or(now, |at| at.plus_ms(HOUR_MS));
            self.told = Some(again);
            let words = format!(
                "{most} applicants were admitted by rule within an hour, which is as many as the settings allow: {number} \
                 and whoever comes before {} wait for an operator.",
                center.local().moment(again).text
            );
            center.errors().tell(Room::Operators, Weight::Warning, words);
        }
        !full
    }
}
