//! `join`: from an invitation to a number.

use std::io::{self, BufRead, IsTerminal, Write};

use tui_kit::cli::{self, Exit, facts};
use vault::{Passwords, Vault};
use wire::sheet::Invitation;

use super::{Context, reach::told};
use crate::{
    act::Failure,
    join::{self, Joined, Newcomer, Stage, Welcome},
};

/// Join a center, or finish joining where it was interrupted.
#[derive(Debug, clap::Args)]
pub(super) struct Join {
    /// The invitation: inkan:KEY@host:port
    invitation: String,
    /// A field of the center's form; what is missing is asked for
    #[arg(long = "field", value_name = "KEY=VALUE", value_parser = field)]
    fields: Vec<(String, String)>,
    /// Make a vault with one password, which is asked again at every signing
    #[arg(long)]
    single_password: bool,
}

fn field(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a field is KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

impl Join {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let invitation: Invitation =
            self.invitation.parse().map_err(|error| cli::Failure::usage(format!("{error}")))?;
        let joined = if Vault::exists(context.profile.data()) {
            self.go_on(context, &invitation).await?
        } else {
            self.begin(context, &invitation).await?
        };
        let rows = [
            ("Center", joined.center.to_string()),
            ("Store", joined.store.to_string()),
            ("Entered as", joined.entry.to_string()),
        ];
        context.out.answer(&joined, |to| facts(to, rows))?;
        Ok(Exit::Ok)
    }

    async fn begin(&self, context: &Context, invitation: &Invitation) -> Result<Joined, cli::Failure> {
        let values = self.values(context, invitation).await?;
        let a = context.password_a.read_new()?;
        let passwords = if self.single_password {
            Passwords::One(a)
        } else {
            Passwords::Two { a, b: context.password_b.read_new()? }
        };
        context.profile.create()?;
        join::join(context.profile.data(), invitation, &values, passwords).await.map_err(told)
    }

    /// A vault is here: joining was interrupted, or has ended.
    async fn go_on(&self, context: &Context, invitation: &Invitation) -> Result<Joined, cli::Failure> {
        let a = context.password_a.read()?;
        let newcomer = Newcomer::open(context.profile.data(), &a).await.map_err(told)?;
        match newcomer.stage().await.map_err(told)? {
            Stage::Joined => {
                let store = newcomer.joined().map(|joined| joined.store.to_string()).unwrap_or_default();
                Err(told(Failure::not_possible(format!("this profile has joined already, as {store}"))))
            }
            Stage::Sent => {
                context.out.say("finishing a registration that was signed before");
                newcomer.resume(invitation).await.map_err(told)
            }
            Stage::Unsigned => {
                let values = self.values(context, invitation).await?;
                let b = context.password_b.read()?;
                newcomer.register(invitation, &values, b).await.map_err(told)
            }
        }
    }

    /// The given fields; at a terminal, what is missing or wrong is asked for.
    async fn values(
        &self,
        context: &Context,
        invitation: &Invitation,
    ) -> Result<Vec<(String, String)>, cli::Failure> {
        let mut values = self.fields.clone();
        if !io::stdin().is_terminal() || context.out.is_json() {
            return Ok(values);
        }
        let welcome = join::welcome(invitation).await.map_err(told)?;
        context.out.say(&format!("{} (root key {})", welcome.center, welcome.fingerprint));
        ask(&welcome, &mut values)?;
        Ok(values)
    }
}

/// Asks for the fields that are missing or wrong, each until it is right. A value that no field takes is left for the
/// form to name.
fn ask(welcome: &Welcome, values: &mut Vec<(String, String)>) -> Result<(), cli::Failure> {
    let mut lines = io::stdin().lock().lines();
    for field in &welcome.form.fields {
        let given = values.iter().rev().find(|(key, _)| key == field.key.as_str());
        match given.map(|(_, value)| join::check_field(field, value)) {
            Some(Ok(_)) => continue,
            Some(Err(why)) => eprintln!("{why}"),
            None => {}
        }
        loop {
            eprint!("{} ({}): ", field.label, field.help);
            io::stderr().flush()?;
            let Some(typed) = lines.next().transpose()? else {
                return Err(cli::Failure::refused("not-possible", format!("{} is missing", field.label)));
            };
            match join::check_field(field, &typed) {
                Ok(value) => {
                    values.push((field.key.to_string(), value.to_string()));
                    break;
                }
                Err(why) => eprintln!("{why}"),
            }
        }
    }
    Ok(())
}
