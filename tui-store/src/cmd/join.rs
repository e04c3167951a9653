//! `join`, `replace`, `guide`: from an invitation to a number, in as many steps as it takes.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde_json::json;
use tui_kit::cli::{self, Exit, SecretFrom, SecretName, facts};
use vault::{Autograph, Passwords, Vault};
use wire::{
    admission::ActivationCode,
    id::{AccountNumber, Role, StoreNumber},
    message::Form,
    sheet::Invitation,
};

use super::{
    Context,
    phrase::PhraseOptions,
    reach::{Reach, told},
};
use crate::{
    act::Failure,
    join::{self, Joined, Newcomer, Registered, Setup, Stage, Standing, Welcome},
    view::ApplicationRow,
};

/// The longest autograph file that is read.
const AUTOGRAPH_BYTES_MAX: u64 = 1 << 20;

/// The activation code.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code;

impl SecretName for Code {
    const FILE: &'static str = "code-file";
    const DESCRIPTOR: &'static str = "code-fd";
    const WORDS: &'static str = "the activation code";
}

/// Join a center, or go on where joining stands.
#[derive(Debug, clap::Args)]
pub(super) struct Join {
    /// The invitation: inkan:KEY@host:port; not needed once there is a vault
    invitation: Option<String>,
    #[command(flatten)]
    making: Making,
    /// The number that came by mail or letter: signs and registers
    #[arg(long, value_name = "NUMBER")]
    number: Option<AccountNumber>,
    #[command(flatten)]
    code: SecretFrom<Code>,
    /// Sign the registration and keep it in the outbox; nothing is sent
    #[arg(long, requires = "number")]
    prepare: bool,
}

/// Replace a lost terminal whose recovery phrase is lost, too.
#[derive(Debug, clap::Args)]
pub(super) struct Replace {
    /// The invitation: inkan:KEY@host:port
    invitation: String,
    /// The store whose terminal was lost
    account: StoreNumber,
    #[command(flatten)]
    making: Making,
}

/// What a new vault is made of, and the form.
#[derive(Debug, clap::Args)]
pub(super) struct Making {
    /// A field of the center's form; what is missing is asked for
    #[arg(long = "field", value_name = "KEY=VALUE", value_parser = field)]
    fields: Vec<(String, String)>,
    /// Make a vault with one password, which is asked again at every signing
    #[arg(long)]
    single_password: bool,
    /// A file whose text, or whose strokes as JSON, is mixed into the signature key and kept as the drawn seal
    #[arg(long, value_name = "FILE")]
    autograph_file: Option<PathBuf>,
    #[command(flatten)]
    phrase: PhraseOptions,
}

fn field(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a field is KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

impl Join {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        if !Vault::exists(context.profile.data()) {
            if self.number.is_some() {
                let words = "there is no application in this profile that a number could belong to";
                return Err(
                    cli::Failure::refused("not-joined", words).hint("apply first: tui-store join INVITATION")
                );
            }
            let invitation = self.invitation.ok_or_else(|| {
                cli::Failure::usage("give the center's invitation; it looks like inkan:KEY@host:port")
            })?;
            return self.making.begin(context, &read(&invitation)?, None).await;
        }
        let newcomer = match context.reach().await? {
            Reach::Own(handle) if handle.snapshot().store.is_none() => handle.newcomer(),
            Reach::Own(handle) => {
                let store = handle.snapshot().store.map(|store| store.to_string()).unwrap_or_default();
                let words = format!("this profile has joined already, as {store}");
                return Err(told(Failure::not_possible(words)));
            }
            Reach::Running(_) => {
                return Err(told(Failure::not_possible(
                    "this profile has joined already, and its counter is open",
                )));
            }
        };
        let given = self.invitation.as_deref().map(read).transpose()?;
        if let (Some(given), Some(pinned)) = (given, newcomer.invitation().await.map_err(told)?)
            && given.root != pinned.root
        {
            let words =
                "this profile's vault is pinned to another center; choose another profile with --profile";
            return Err(told(Failure::not_possible(words)));
        }
        match self.number {
            Some(AccountNumber::Store(store)) => self.register(context, &newcomer, store).await,
            Some(other) => {
                Err(cli::Failure::usage(format!("{other} is no store's number; it begins with S-")))
            }
            None => self.making.go_on(context, &newcomer).await,
        }
    }

    /// The last step: number and code.
    async fn register(
        &self,
        context: &Context,
        newcomer: &Newcomer,
        store: StoreNumber,
    ) -> Result<Exit, cli::Failure> {
        let standing = newcomer.standing().await.map_err(told)?;
        if matches!(standing.stage, Stage::Prepared | Stage::Sent) {
            let words = "a registration waits in the outbox already; “outbox send” sends it";
            return Err(told(Failure::not_possible(words)));
        }
        let typed = self.code.read()?;
        let code: ActivationCode = secrecy::ExposeSecret::expose_secret(&typed)
            .parse()
            .map_err(|error| told(Failure::not_possible(error)))?;
        if !self.prepare || standing.kit.is_none() {
            newcomer.fetch_kit().await.map_err(told)?;
        }
        if let Some(terms) = newcomer.terms() {
            context.out.say(&format!(
                "by signing you accept the terms of use, version {}; “tui-store kit” shows them",
                terms.version
            ));
            newcomer.accept_terms(terms.version).await.map_err(told)?;
        }
        let password_b = context.password_b.read()?;
        match newcomer.register(store, code, password_b, self.prepare).await.map_err(told)? {
            Registered::Joined(joined) => show_joined(context, &joined),
            Registered::Prepared(telegram) => {
                let data = json!({ "prepared": telegram });
                context.out.answer(&data, |to| {
                    writeln!(to, "signed and kept in the outbox; “tui-store outbox send” sends it")
                })?;
                Ok(Exit::Ok)
            }
        }
    }
}

impl Replace {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        if Vault::exists(context.profile.data()) {
            let words = "this profile has a vault; a new terminal begins in a profile of its own (--profile)";
            return Err(told(Failure::not_possible(words)));
        }
        self.making.begin(context, &read(&self.invitation)?, Some(AccountNumber::Store(self.account))).await
    }
}

impl Making {
    /// Makes the vault and applies.
    async fn begin(
        &self,
        context: &Context,
        invitation: &Invitation,
        replaces: Option<AccountNumber>,
    ) -> Result<Exit, cli::Failure> {
        let welcome = join::welcome(invitation).await.map_err(told)?;
        let Welcome { center, fingerprint, .. } = &welcome;
        context.out.say(&format!("{center} (root key {fingerprint})"));
        let values = self.values(context, &welcome.form)?;
        let password_a = context.password_a.read_new()?;
        let (passwords, password_b) = if self.single_password {
            (Passwords::One(password_a.clone()), password_a)
        } else {
            let b: SecretString = context.password_b.read_new()?;
            (Passwords::Two { a: password_a, b: b.clone() }, b)
        };
        passwords.check().map_err(|error| told(error.into()))?;
        let autograph = self.autograph_file.as_deref().map(read_autograph).transpose()?;
        let made = self.phrase.make(true)?;
        let confirmed = made.as_ref().is_some_and(|made| made.confirmed);
        context.profile.create()?;
        let setup = Setup { passwords, autograph, phrase: made.map(|made| made.phrase.into()), confirmed };
        let newcomer = join::begin(context.profile.data(), invitation, setup).await.map_err(told)?;
        newcomer.apply(&welcome.form, &values, replaces, password_b).await.map_err(told)?;
        self.fetch_kit(context, &newcomer).await;
        show_standing(context, &newcomer).await
    }

    /// A vault is here: what comes next, comes.
    async fn go_on(&self, context: &Context, newcomer: &Newcomer) -> Result<Exit, cli::Failure> {
        match newcomer.standing().await.map_err(told)?.stage {
            Stage::Prepared | Stage::Sent => {
                context.out.say("sending the registration that was signed before");
                return show_joined(context, &newcomer.resume().await.map_err(told)?);
            }
            Stage::Unsigned => self.apply(context, newcomer).await?,
            Stage::Applying | Stage::Applied => {
                let row = newcomer.ask().await.map_err(told)?;
                if row.state == "asked-back" && !self.fields.is_empty() {
                    self.apply(context, newcomer).await?;
                }
            }
            Stage::Joined => {}
        }
        self.fetch_kit(context, newcomer).await;
        show_standing(context, newcomer).await
    }

    async fn apply(&self, context: &Context, newcomer: &Newcomer) -> Result<(), cli::Failure> {
        let form = newcomer.form().await.map_err(told)?;
        let values = self.values(context, &form)?;
        let password_b = context.password_b.read()?;
        newcomer.apply(&form, &values, None, password_b).await.map_err(told)?;
        Ok(())
    }

    /// The kit is wanted before number and code come; without it the next step fetches it.
    async fn fetch_kit(&self, context: &Context, newcomer: &Newcomer) {
        if let Err(failure) = newcomer.fetch_kit().await {
            context.out.say(&format!("the admission kit could not be fetched now: {failure}"));
        }
    }

    /// The given fields; at a terminal, what is missing or wrong is asked for.
    fn values(&self, context: &Context, form: &Form) -> Result<Vec<(String, String)>, cli::Failure> {
        let mut values = self.fields.clone();
        if io::stdin().is_terminal() && !context.out.is_json() {
            ask(form, &mut values)?;
        }
        match form.fill(&values) {
            Ok(_) => Ok(values),
            Err(wrong) => {
                let words: Vec<String> = wrong.into_iter().map(|(_, why)| why).collect();
                Err(told(Failure::not_possible(words.join("; "))))
            }
        }
    }
}

/// `guide`: the guide page for stores, which anyone may read.
pub(super) async fn guide(context: &Context, invitation: &str) -> Result<Exit, cli::Failure> {
    let welcome = join::welcome(&read(invitation)?).await.map_err(told)?;
    let data = json!({
        "center": welcome.center,
        "fingerprint": welcome.fingerprint,
        "role": Role::Store,
        "version": welcome.guide.version,
        "text": welcome.guide.text,
        "form": welcome.form,
    });
    context.out.answer(&data, |to| {
        writeln!(to, "{} (root key {})\n\n{}", welcome.center, welcome.fingerprint, welcome.guide.text)
    })?;
    Ok(Exit::Ok)
}

/// An invitation as it was typed. It is parsed here and not with the arguments, so that the reason is said whatever was
/// typed.
pub(super) fn read(text: &str) -> Result<Invitation, cli::Failure> {
    text.parse().map_err(|error| cli::Failure::usage(format!("{error}")))
}

async fn show_standing(context: &Context, newcomer: &Newcomer) -> Result<Exit, cli::Failure> {
    let standing = newcomer.standing().await.map_err(told)?;
    let (center, fingerprint) = newcomer.center().await.map_err(told)?;
    let Standing { application, kit, recovery, .. } = &standing;
    let data = json!({
        "application": application.as_ref().map(|row| row.application),
        "state": application.as_ref().map(|row| row.state.as_str()),
        "words": application.as_ref().map(|row| row.words.as_str()),
        "center": center,
        "fingerprint": fingerprint,
        "kit": kit.as_ref().map(|kit| kit.number),
        "terms": kit.as_ref().map(|kit| kit.terms_version),
        "recovery": recovery,
        "stage": standing.stage,
    });
    context.out.answer(&data, |to| facts(to, rows(&standing, center, fingerprint)))?;
    Ok(Exit::Ok)
}

fn rows(standing: &Standing, center: String, fingerprint: String) -> Vec<(&'static str, String)> {
    let mut rows = vec![("Center", center), ("Fingerprint", fingerprint)];
    if let Some(ApplicationRow { application, words, since, .. }) = &standing.application {
        rows.push(("Application", application.to_string()));
        rows.push(("State", format!("{words} (since {})", since.text)));
    }
    rows.extend(standing.not_taken.iter().map(|why| ("Not taken", why.clone())));
    if let Some(kit) = &standing.kit {
        rows.push((
            "Admission kit",
            format!("{}, with terms of use version {}", kit.number, kit.terms_version),
        ));
    }
    let phrase = match &standing.recovery {
        None => "none; make one with keys new-phrase once you have joined".to_owned(),
        Some(row) if row.confirmed => format!("made, recovery key {}", row.key),
        Some(row) => format!("made, and not asked back yet; recovery key {}", row.key),
    };
    rows.push(("Recovery phrase", phrase));
    rows
}

pub(super) fn show_joined(context: &Context, joined: &Joined) -> Result<Exit, cli::Failure> {
    let rows = [
        ("Center", joined.center.to_string()),
        ("Store", joined.store.to_string()),
        ("Entered as", joined.entry.to_string()),
        ("Signature key", joined.key.clone()),
    ];
    context.out.answer(joined, |to| facts(to, rows))?;
    Ok(Exit::Ok)
}

/// An autograph's file: strokes as JSON, or what a person would have typed.
fn read_autograph(path: &Path) -> Result<Autograph, cli::Failure> {
    let length = std::fs::metadata(path)?.len();
    if length > AUTOGRAPH_BYTES_MAX {
        return Err(cli::Failure::usage(format!("{} is too long for an autograph", path.display())));
    }
    let text = std::fs::read_to_string(path)?;
    Autograph::read(&text).map_err(|error| told(error.into()))
}

/// Asks for the fields that are missing or wrong, each until it is right. A value that no field takes is left for the
/// form to name.
fn ask(form: &Form, values: &mut Vec<(String, String)>) -> Result<(), cli::Failure> {
    let mut lines = io::stdin().lock().lines();
    for field in &form.fields {
        let given = values.iter().rev().find(|(key, _)| key == field.key.as_str());
        match given.map(|(_, value)| field.check(value)) {
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
