//! `guide`, `join`, `replace`: from an invitation to a number.

use std::io::{self, BufRead, IsTerminal, Write};

use serde_json::json;
use tui_kit::cli::{self, Exit, SecretFrom, SecretName, facts};
use vault::{Passwords, Vault};
use wire::{admission::ActivationCode, id::AccountNumber, message::Form, sheet::Invitation};

use super::{
    Context, phrase,
    reach::{self, told},
};
use crate::{
    act::Failure,
    engine::Handle,
    join::{self, Filled, Joined, Newcomer, Registered, Registrant, Stage},
    view::Standing,
};

/// The code that came by mail or letter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code;

impl SecretName for Code {
    const FILE: &'static str = "code-file";
    const DESCRIPTOR: &'static str = "code-fd";
    const WORDS: &'static str = "the activation code";
}

/// Join a center: apply, ask how it stands, and register with the number and code that came by mail or letter.
#[derive(Debug, clap::Args)]
pub(super) struct Join {
    /// The invitation: inkan:KEY@host:port; needed the first time only
    invitation: Option<String>,
    #[command(flatten)]
    given: Given,
    /// The member's number that came with the activation code: signs and registers
    #[arg(long, value_name = "M-…")]
    number: Option<AccountNumber>,
    #[command(flatten)]
    code: SecretFrom<Code>,
    #[command(flatten)]
    phrase: SecretFrom<phrase::Phrase>,
    /// Sign the registration without a line; it waits in the outbox
    #[arg(long, requires = "number")]
    prepare: bool,
}

/// Put a new terminal in the place of one that is lost, without its recovery phrase: the center has to admit it.
#[derive(Debug, clap::Args)]
pub(super) struct Replace {
    /// The invitation: inkan:KEY@host:port
    invitation: String,
    /// The member's number
    account: AccountNumber,
    #[command(flatten)]
    given: Given,
}

/// What an applicant gives.
#[derive(Debug, clap::Args)]
struct Given {
    /// A field of the center's form; what is missing is asked for
    #[arg(long = "field", value_name = "KEY=VALUE", value_parser = field)]
    fields: Vec<(String, String)>,
    /// Make a vault with one password, which is asked again at every signing
    #[arg(long)]
    single_password: bool,
    #[command(flatten)]
    making: phrase::Making,
    /// A file whose text, or whose strokes as JSON, is mixed into the signature key
    #[arg(long, value_name = "FILE")]
    autograph_file: Option<std::path::PathBuf>,
}

fn field(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a field is KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

/// `guide`
pub(super) async fn guide(context: &Context, invitation: &str) -> Result<Exit, cli::Failure> {
    let welcome = join::welcome(&read(invitation)?, context.config.patience()).await.map_err(told)?;
    let data = json!({
        "center": welcome.center,
        "fingerprint": welcome.fingerprint,
        "version": welcome.guide.version,
        "text": welcome.guide.text,
        "form": welcome.form,
    });
    context.out.answer(&data, |to| {
        writeln!(to, "{} (root key {})\n\n{}", welcome.center, welcome.fingerprint, welcome.guide.text)
    })?;
    Ok(Exit::Ok)
}

impl Replace {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        if Vault::exists(context.profile.data()) {
            return Err(cli::Failure::refused(
                "not-possible",
                "this profile has a vault already; a replaced terminal begins with another --profile",
            ));
        }
        let (stage, handle) = self.given.apply(context, &self.invitation, Some(self.account)).await?;
        show(context, &stage, &handle.standing().await)
    }
}

impl Join {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        if let Some(number) = self.number {
            return self.register(context, number).await;
        }
        if Vault::exists(context.profile.data()) {
            return self.go_on(context).await;
        }
        let Some(invitation) = &self.invitation else {
            return Err(cli::Failure::usage("this profile has no vault yet; give the center's invitation"));
        };
        let (stage, handle) = self.given.apply(context, invitation, None).await?;
        show(context, &stage, &handle.standing().await)
    }

    /// A vault is here: whatever comes next is done.
    async fn go_on(&self, context: &Context) -> Result<Exit, cli::Failure> {
        let handle = open(context).await?;
        let stage = match handle.stage().await {
            Stage::Joined => {
                let member = handle.snapshot().member.map(|member| member.to_string()).unwrap_or_default();
                let words = format!("this profile has joined already, as {member}");
                return Err(told(Failure::not_possible(words)));
            }
            Stage::Sent => {
                context.out.say("sending the registration once more");
                return joined(context, &handle.send_registration().await.map_err(told)?);
            }
            Stage::Unsent => handle.send_application().await.map_err(told)?,
            Stage::Applied(_) if self.given.fields.is_empty() => {
                handle.ask_application().await.map_err(told)?
            }
            Stage::Unsigned | Stage::Applied(_) => self.apply_again(context, &handle).await?,
            Stage::Prepared => Stage::Prepared,
        };
        show(context, &stage, &handle.standing().await)
    }

    async fn apply_again(&self, context: &Context, handle: &Handle) -> Result<Stage, cli::Failure> {
        let invitation = handle.invitation().await.ok_or_else(|| {
            told(Failure::not_possible("this vault has no center; begin anew with another --profile"))
        })?;
        let filled = self.given.filled(context, &invitation).await?;
        let password_b = context.password_b()?;
        handle.apply_again(&filled, password_b).await.map_err(told)
    }

    /// Number and code are here.
    async fn register(self, context: &Context, number: AccountNumber) -> Result<Exit, cli::Failure> {
        let member = wire::message::member_of(number)
            .ok_or_else(|| cli::Failure::usage("a member's number begins with M-"))?;
        let handle = open(context).await?;
        let typed = self.code.read()?;
        let code: ActivationCode = secrecy::ExposeSecret::expose_secret(&typed)
            .parse()
            .map_err(|error: wire::admission::CodeError| told(Failure::not_possible(error)))?;
        let phrase = match (self.phrase.is_given(), handle.wants_phrase().await) {
            (true, _) => Some(phrase::read(&self.phrase)?),
            (false, true) if io::stdin().is_terminal() => {
                context.out.say("the recovery key signs too; type the 24 words that you wrote down");
                Some(phrase::read(&self.phrase)?)
            }
            (false, wanted) => {
                if wanted {
                    context.out.say(
                        "no recovery key is registered, because its phrase was not given (--phrase-file); \
                         “keys new-phrase” registers one later",
                    );
                }
                None
            }
        };
        if !self.prepare {
            handle.fetch_kit().await.map_err(told)?;
        }
        let kit = handle.kit().await.ok_or_else(|| {
            told(Failure::not_possible(
                "the admission kit is not here yet; run join again while a line is there",
            ))
        })?;
        context.out.say(&format!(
            "accepting version {} of the terms of use; “kit --terms” shows them",
            kit.terms.version
        ));
        let password_b = context.password_b()?;
        let (terms, prepare) = (kit.terms.hash(), self.prepare);
        let registrant = Registrant { member, code, terms, phrase, password_b, prepare };
        match handle.register(registrant).await.map_err(told)? {
            Registered::Joined(entered) => joined(context, &entered),
            Registered::Prepared(telegram) => {
                let data = json!({ "registration": telegram, "state": "prepared" });
                context.out.answer(&data, |to| {
                    writeln!(
                        to,
                        "{} is signed and waits in the outbox; “outbox send” sends it",
                        telegram.short()
                    )
                })?;
                Ok(Exit::Ok)
            }
        }
    }
}

impl Given {
    async fn apply(
        &self,
        context: &Context,
        invitation: &str,
        replaces: Option<AccountNumber>,
    ) -> Result<(Stage, Handle), cli::Failure> {
        let invitation = read(invitation)?;
        let filled = self.filled(context, &invitation).await?;
        let a = context.password_a.read_new()?;
        let passwords = if self.single_password {
            Passwords::One(a)
        } else {
            Passwords::Two { a, b: context.password_b.read_new()? }
        };
        let words: Vec<&str> = filled.values.iter().map(|(_, value)| value.as_str()).collect();
        passwords.check_for(&words).map_err(|error| told(error.into()))?;
        let means = context.config.means();
        let autograph = self.autograph_file.as_deref().map(phrase::autograph).transpose()?;
        let phrase = self.making.make(context, &means.vault)?;
        let newcomer = Newcomer { invitation, filled, passwords, autograph, phrase, replaces };
        join::join(context.profile.clone(), newcomer, means).await.map_err(told)
    }

    /// The given fields; at a terminal, what is missing or wrong is asked for, under the form that is then signed.
    async fn filled(&self, context: &Context, invitation: &Invitation) -> Result<Filled, cli::Failure> {
        let mut values = self.fields.clone();
        if !io::stdin().is_terminal() || context.out.is_json() {
            return Ok(Filled { form: None, values });
        }
        let welcome = join::welcome(invitation, context.config.patience()).await.map_err(told)?;
        context.out.say(&format!("{} (root key {})", welcome.center, welcome.fingerprint));
        context.out.say(&welcome.guide.text);
        if let Err(wrong) = welcome.form.fill(&values) {
            ask(&welcome.form, &wrong, &mut values)?;
        }
        Ok(Filled { form: Some(welcome.form), values })
    }
}

/// Opens the vault of someone who has not joined yet.
async fn open(context: &Context) -> Result<Handle, cli::Failure> {
    match context.reach().await? {
        reach::Reach::Own(handle) => Ok(handle),
        reach::Reach::Running(_) => Err(cli::Failure::refused(
            "held",
            "this profile is open in another program, and has joined; end that program first",
        )),
    }
}

/// How joining stands.
fn show(context: &Context, stage: &Stage, standing: &Standing) -> Result<Exit, cli::Failure> {
    context.out.answer(standing, |to| {
        let mut rows = Vec::new();
        rows.extend(standing.center.iter().map(|center| ("Center", center.to_string())));
        rows.extend(standing.fingerprint.iter().map(|key| ("Root key", key.clone())));
        rows.extend(standing.application.map(|number| ("Application", number.to_string())));
        rows.push(("State", standing.words.clone()));
        rows.extend(standing.kit.map(|kit| ("Admission kit", kit.to_string())));
        facts(to, rows)?;
        match stage {
            Stage::Applied(_) => {
                writeln!(to, "\n“join” asks again; “join --number M-… ” registers with number and code")
            }
            Stage::Prepared => writeln!(to, "\n“outbox send” sends it"),
            _ => Ok(()),
        }
    })?;
    Ok(Exit::Ok)
}

fn joined(context: &Context, joined: &Joined) -> Result<Exit, cli::Failure> {
    let rows = [
        ("Center", joined.center.to_string()),
        ("Member", joined.member.to_string()),
        ("Entered as", joined.entry.to_string()),
        ("Key", joined.fingerprint.clone()),
        (
            "Recovery",
            if joined.recovery { "registered".into() } else { "no recovery key is registered".into() },
        ),
    ];
    context.out.answer(joined, |to| facts(to, rows))?;
    Ok(Exit::Ok)
}

/// An invitation as it was typed.
pub(super) fn read(text: &str) -> Result<Invitation, cli::Failure> {
    text.parse().map_err(|error| cli::Failure::usage(format!("{error}")))
}

/// Asks for the fields that are wrong, each until it is right. A value that no field takes is left for the form to
/// name.
fn ask(
    form: &Form,
    wrong: &[(String, String)],
    values: &mut Vec<(String, String)>,
) -> Result<(), cli::Failure> {
    let mut lines = io::stdin().lock().lines();
    for field in form.fields.iter().filter(|field| wrong.iter().any(|(key, _)| key == field.key.as_str())) {
        loop {
            eprint!("{} ({}): ", field.label, field.help);
            io::stderr().flush()?;
            let Some(typed) = lines.next().transpose()? else {
                return Err(cli::Failure::refused("not-possible", format!("{} is missing", field.label)));
            };
            match field.check(&typed) {
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
