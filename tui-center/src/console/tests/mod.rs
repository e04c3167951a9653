//! Screens and keys of the console, from fixed data.

mod acts;
mod data;
mod desks;
mod feed;
mod screens;
mod settings;

use tui_kit::{keys::Bindings, testing::Stage};

use super::{Console, Effect, Host, Msg};
use crate::acts::{Act, JoiningAct, JoiningOutcome, Outcome, PeopleAct, StaffAct};

/// A console at the door.
fn door(host: Host, width: u16, height: u16) -> Stage<Console> {
    Stage::new(Console::new(host, None, Bindings::default()), width, height)
}

/// A console of the clerk Aiko's, or whoever has the role, with an overview.
fn inside(role: ledger::request::OperatorRole, width: u16, height: u16) -> Stage<Console> {
    let mut stage = door(Host::Attached, width, height);
    stage.message(Msg::SignedIn(Ok(data::operator(role))));
    stage.message(Msg::Overview(data::overview().into()));
    stage.effects();
    stage
}

/// What the console asks the center now, with the tickets.
fn asked(stage: &mut Stage<Console>) -> Vec<(u64, Act)> {
    let asked = stage.effects().into_iter().filter_map(|effect| match effect {
        Effect::Ask { ticket, act, .. } => Some((ticket, act)),
        _ => None,
    });
    asked.collect()
}

/// Answers everything that the console asks from the fixed data, until it asks no more.
fn settle(stage: &mut Stage<Console>) {
    loop {
        let asked = asked(stage);
        if asked.is_empty() {
            return;
        }
        for (ticket, act) in asked {
            stage.message(Msg::Answer(ticket, Ok(answer(&act))));
        }
    }
}

fn answer(act: &Act) -> Outcome {
    match act {
        Act::Members(_) => Outcome::Members { members: data::members() },
        Act::Stores(_) => Outcome::Stores { stores: data::stores() },
        Act::Keys(_) => Outcome::Keys { keys: data::keys() },
        Act::Transactions { .. } => Outcome::Transactions { transactions: data::transactions(), next: None },
        Act::Desk => Outcome::Desk { desk: data::desk() },
        Act::Errors(_) => Outcome::Errors { errors: data::errors() },
        Act::Report { .. } => Outcome::Report(data::report()),
        Act::Show { number } if number.starts_with("T-") => Outcome::Detail(data::payment()),
        Act::Show { .. } => Outcome::Detail(data::member()),
        Act::Joining(JoiningAct::Applications { .. }) => {
            Outcome::Joining(JoiningOutcome::Applications { applications: data::desks::applications() })
        }
        Act::Joining(JoiningAct::Application { number, reveal: None }) => {
            Outcome::Joining(JoiningOutcome::Application(Box::new(data::desks::application(*number))))
        }
        Act::Joining(JoiningAct::Document { document }) => data::settings::document(*document),
        Act::Joining(JoiningAct::Kit) => data::settings::kit(),
        Act::Joining(JoiningAct::Post) => data::desks::post(),
        Act::People(PeopleAct::Find { .. }) => data::desks::people(),
        Act::Staff(StaffAct::Operators) => data::settings::operators(),
        Act::Staff(StaffAct::Proposals) => data::desks::proposals(),
        Act::Staff(StaffAct::Proposal { proposal }) => data::desks::proposal(*proposal),
        Act::Staff(StaffAct::Limits) => data::settings::limits(),
        Act::Staff(StaffAct::KeySheet) => data::settings::key_sheet(),
        other => panic!("nobody looks this up: {other:?}"),
    }
}
