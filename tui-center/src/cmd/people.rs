//! `person`, `revoke-key`: one person's data and keys.

use clap::{Args, Subcommand, ValueEnum};
use tui_kit::cli;
use wire::{
    id::{AccountNumber, ApplicationNumber},
    payload::KeyRole,
};

use crate::{
    acts::{Act, PeopleAct},
    books::cabinet::index::{Query, Who},
};

#[derive(Debug, Subcommand)]
pub(super) enum Person {
    /// Find members, stores and applicants; their numbers are shown
    Find(Find),
    /// Show what somebody filled in; this is entered in the books first
    Reveal(Reason),
    /// Print everything about one person as JSON; this is entered in the books first
    Export(Reason),
    /// Erase somebody's personal data for ever; what the books must keep stays
    Erase(Reason),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Find {
    /// The beginnings of names, also of their sound, or of a trade name
    #[arg(long, value_name = "WORDS")]
    name_prefix: Option<String>,
    /// A whole e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// A telephone number
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// A date of birth, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    born: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Reason {
    /// M-..., S-... or A-...
    number: String,
    /// Why; it stands in the books
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Args)]
pub(super) struct RevokeKey {
    /// M-... or S-...
    account: AccountNumber,
    /// Which key
    role: KeyOf,
    /// Why; it stands in the books
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KeyOf {
    Signature,
    Terminal,
    Recovery,
}

impl Person {
    pub(super) fn act(self) -> Result<Act, cli::Failure> {
        let act = match self {
            Self::Find(find) => PeopleAct::Find { query: find.query()? },
            Self::Reveal(it) => PeopleAct::Reveal { of: it.who()?, reason: it.reason },
            Self::Export(it) => PeopleAct::Export { of: it.who()?, reason: it.reason },
            Self::Erase(it) => PeopleAct::Erase { of: it.who()?, reason: it.reason },
        };
        Ok(act.into())
    }
}

impl Find {
    fn query(self) -> Result<Query, cli::Failure> {
        let given = [
            self.name_prefix.map(Query::Name),
            self.email.map(Query::Email),
            self.phone.map(Query::Phone),
            self.born.map(Query::Born),
        ];
        given.into_iter().flatten().next().ok_or_else(|| cli::Failure::usage("say by what to find somebody"))
    }
}

impl Reason {
    fn who(&self) -> Result<Who, cli::Failure> {
        let text = self.number.trim();
        let who = if text.starts_with(['A', 'a']) {
            text.parse::<ApplicationNumber>().map(Who::Application).map_err(|error| error.to_string())
        } else {
            text.parse::<AccountNumber>().map(Who::Account).map_err(|error| error.to_string())
        };
        who.map_err(cli::Failure::usage)
    }
}

impl RevokeKey {
    pub(super) fn act(self) -> Act {
        let role = match self.role {
            KeyOf::Signature => KeyRole::Signature,
            KeyOf::Terminal => KeyRole::Terminal,
            KeyOf::Recovery => KeyRole::Recovery,
        };
        PeopleAct::RevokeKey { account: self.account, role, reason: self.reason }.into()
    }
}
