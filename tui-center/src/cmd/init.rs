//! `init`: founds a center. What is not given is asked for.

mod outside;

use std::{
    fs,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    path::PathBuf,
};

use tui_kit::cli::{self, Exit, facts};
use wire::{amount::Currency, time::Timestamp};

use super::Context;
use crate::init::{Founding, found, parse_day_end};

#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// The center's name
    #[arg(long)]
    name: Option<String>,
    /// The currency (ISO 4217), for ever
    #[arg(long, default_value = "JPY")]
    currency: String,
    /// An address to listen on, host:port; several may be given; port 0 is picked now
    #[arg(long, value_name = "HOST:PORT")]
    listen: Vec<String>,
    /// An address for invitations, where it differs from those to listen on
    #[arg(long, value_name = "HOST:PORT")]
    announce: Vec<String>,
    /// The time zone (IANA), for ever
    #[arg(long, default_value = "Asia/Tokyo")]
    zone: String,
    /// When the business day ends, for ever
    #[arg(long, default_value = "24:00", value_name = "HH:MM")]
    day_end: String,
    /// Who holds the center's bank account
    #[arg(long, value_name = "NAME")]
    bank_holder: Option<String>,
    /// The bank account: an IBAN, or bank/branch/number
    #[arg(long, value_name = "ACCOUNT")]
    bank_number: Option<String>,
    /// The bank's BIC, where there is one
    #[arg(long, value_name = "BIC")]
    bank_bic: Option<String>,
    /// Where the bank's files arrive; beside the profile where nothing is said
    #[arg(long, value_name = "DIR")]
    bank_inbox: Option<PathBuf>,
    /// Where files for the bank are put; beside the profile where nothing is said
    #[arg(long, value_name = "DIR")]
    bank_outbox: Option<PathBuf>,
    #[command(flatten)]
    outside: outside::Outside,
    /// Whom members and stores turn to
    #[arg(long, value_name = "TEXT")]
    help_contact: Option<String>,
    /// The first operator, who becomes admin
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// The first operator's SSH public key
    #[arg(long, value_name = "FILE.pub")]
    operator_key: Option<PathBuf>,
}

impl Init {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let founding = self.founding(context)?;
        let profile = context.profile.clone();
        let made = tokio::task::spawn_blocking(move || found(&profile, &founding, Timestamp::now())).await;
        let made = made.map_err(|_| cli::Failure::refused("internal", "the center could not be founded"))?;
        let made = made.map_err(|error| cli::Failure::refused("refused", error.to_string()))?;
        context.out.answer(&made, |to| {
            let page = made.page.iter().map(|url| ("Page", url.clone()));
            facts(
                to,
                [
                    ("Fingerprint", made.fingerprint.clone()),
                    ("Invitation", made.invitation.to_string()),
                    ("Listens on", made.listen.join(", ")),
                    ("Bank inbox", made.bank_inbox.display().to_string()),
                    ("Bank outbox", made.bank_outbox.display().to_string()),
                    ("Root key", made.root_key_file.display().to_string()),
                ]
                .into_iter()
                .chain(page),
            )
        })?;
        context.out.say(
            "The center is founded. Move the root key's file to a medium that lies in a safe: serving does not need it. \
             Hand the invitation to members and stores; they compare the fingerprint by another way.",
        );
        Ok(Exit::Ok)
    }

    fn founding(self, context: &Context) -> Result<Founding, cli::Failure> {
        let usage = |words: String| cli::Failure::usage(words);
        let currency = Currency::of_code(&self.currency).ok_or_else(|| {
            usage(format!("“{}” is not a currency of ISO 4217, like JPY or EUR", self.currency))
        })?;
        let day_end = parse_day_end(&self.day_end).map_err(usage)?;
        let name = given(self.name, "--name", "The center's name")?;
        let listen = match self.listen {
            listen if listen.is_empty() => {
                let typed =
                    given(None, "--listen", "Addresses to listen on (host:port, several with commas)")?;
                typed.split(',').map(|address| address.trim().to_owned()).collect()
            }
            listen => listen,
        };
        let bank_holder = given(self.bank_holder, "--bank-holder", "Who holds the center's bank account")?;
        let bank_number =
            given(self.bank_number, "--bank-number", "The account (an IBAN, or bank/branch/number)")?;
        let help = given(self.help_contact, "--help-contact", "Whom members and stores turn to")?;
        let operator =
            given(self.operator.or_else(|| context.name.clone()), "--operator", "The first operator's name")?;
        let key_file = match self.operator_key {
            Some(file) => file,
            None => given(None, "--operator-key", "The file of the operator's SSH public key")?.into(),
        };
        let operator_key = fs::read_to_string(&key_file)
            .map_err(|error| usage(format!("{} cannot be read: {error}", key_file.display())))?;
        let (mail, post, page) = self.outside.settings(&name, &help)?;
        Ok(Founding {
            name,
            currency,
            listen,
            announce: self.announce,
            zone: self.zone,
            day_end,
            bank_holder,
            bank_number,
            bank_bic: self.bank_bic,
            bank_inbox: self.bank_inbox,
            bank_outbox: self.bank_outbox,
            mail,
            post,
            page,
            help,
            operator,
            operator_key: operator_key
                .lines()
                .find(|line| !line.trim().is_empty())
                .unwrap_or_default()
                .trim()
                .to_owned(),
            root_passphrase: context.root.read_new()?,
            service_passphrase: context.service.read_new()?,
            operator_passphrase: context.operator.read_new()?,
        })
    }
}

/// What was given, or what a person at the terminal types.
fn given(value: Option<String>, option: &str, question: &str) -> Result<String, cli::Failure> {
    if let Some(value) = value {
        return Ok(value);
    }
    if !io::stdin().is_terminal() {
        return Err(cli::Failure::usage(format!("{option} is needed: {}", question.to_lowercase())));
    }
    write!(io::stderr(), "{question}: ")?;
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Err(cli::Failure::usage(format!("{option} is needed")));
    }
    Ok(line.trim().to_owned())
}
