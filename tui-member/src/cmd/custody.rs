//! `keys`, `recovery`, `kit`.

use serde_json::json;
use tui_kit::{
    cli::{self, Exit, SecretFrom, SecretName, Table, facts},
    text::Align,
};
use vault::{Passwords, Vault, recovery::RecoveryPhrase};
use wire::payload::KeyRole;

use super::{
    Context, join,
    phrase::{self, Making, Phrase},
    reach::{Reach, told, want},
};
use crate::{
    act::{Act, CustodyAct, Outcome, Password},
    engine::Handle,
    recover::{self, Restored, Returning},
    view::{KeysView, KitView},
};

/// The phrase that was in force before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Former;

impl SecretName for Former {
    const FILE: &'static str = "former-phrase-file";
    const DESCRIPTOR: &'static str = "former-phrase-fd";
    const WORDS: &'static str = "the recovery phrase in force";
}

/// Fingerprints, the center's chain of your keys, and changes of keys.
#[derive(Debug, clap::Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    command: Option<KeysCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum KeysCommand {
    /// Make a new signature or terminal key
    Rotate {
        /// Which key
        role: Role,
        #[command(flatten)]
        phrase: SecretFrom<Phrase>,
        /// A file that is mixed into a new signature key
        #[arg(long, value_name = "FILE")]
        autograph_file: Option<std::path::PathBuf>,
    },
    /// Put a key out of force, with nothing in its place
    Revoke {
        /// Which key
        role: Role,
        #[command(flatten)]
        phrase: SecretFrom<Phrase>,
    },
    /// Make a new recovery phrase: in force at once with the former one, else after 72 hours
    NewPhrase {
        #[command(flatten)]
        making: Making,
        #[command(flatten)]
        former: SecretFrom<Former>,
    },
    /// Cancel a new recovery key that waits, with the phrase in force
    CancelChange {
        #[command(flatten)]
        phrase: SecretFrom<Phrase>,
    },
    /// Say that you have read the alarm about a key that this vault did not make
    Acknowledge,
}

/// A key that can be rotated and revoked.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Role {
    /// It signs
    Signature,
    /// It logs in
    Terminal,
}

impl From<Role> for KeyRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Signature => Self::Signature,
            Role::Terminal => Self::Terminal,
        }
    }
}

/// Bring an account back, and prove that it can be.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Recovery {
    /// Restore the deposited copy into a scratch folder and compare it with this vault
    Drill {
        #[command(flatten)]
        phrase: SecretFrom<Phrase>,
    },
    /// Bring keys, cards, receipts and history back into a new profile, with invitation and phrase
    Restore {
        /// The invitation: inkan:KEY@host:port
        invitation: String,
        #[command(flatten)]
        phrase: SecretFrom<Phrase>,
        /// Make a vault with one password
        #[arg(long)]
        single_password: bool,
        /// Move a vault whose passwords are forgotten aside; it is never deleted
        #[arg(long)]
        set_aside: bool,
    },
    /// Deposit a copy of the vault with the center now
    Deposit,
}

/// The center's admission kit: terms of use, and the programs that it offers.
#[derive(Debug, clap::Args)]
pub(super) struct Kit {
    /// Print the terms of use
    #[arg(long)]
    terms: bool,
    /// Download the newer program, or go on with it; it is checked and never installed
    #[arg(long, conflicts_with = "terms")]
    download: bool,
}

impl Keys {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let mut reach = context.reach().await?;
        let act = match self.command {
            None => CustodyAct::Keys,
            Some(KeysCommand::Rotate { role, phrase, autograph_file }) => CustodyAct::Rotate {
                role: role.into(),
                phrase: phrase::given(&phrase)?,
                autograph: autograph_file.as_deref().map(phrase::autograph).transpose()?,
                password_b: context.password_b()?,
            },
            Some(KeysCommand::Revoke { role, phrase }) => CustodyAct::Revoke {
                role: role.into(),
                phrase: phrase::given(&phrase)?,
                password_b: context.password_b()?,
            },
            Some(KeysCommand::NewPhrase { making, former }) => {
                let former = if former.is_given() { Some(Password(former.read()?)) } else { None };
                let password_b = context.password_b()?;
                let made = making.must(context, &context.config.means().vault)?;
                CustodyAct::NewPhrase { phrase: Password(phrase::line(&made)), former, password_b }
            }
            Some(KeysCommand::CancelChange { phrase }) => {
                CustodyAct::CancelChange { phrase: Password(phrase.read()?) }
            }
            Some(KeysCommand::Acknowledge) => return acknowledge(context, reach).await,
        };
        let keys = want!(reach.act(Act::Custody(act)).await?, Outcome::Keys(keys) => keys);
        show(context, &keys)
    }
}

/// `keys acknowledge`
async fn acknowledge(context: &Context, mut reach: Reach) -> Result<Exit, cli::Failure> {
    let snapshot = want!(reach.act(Act::Status).await?, Outcome::Status(snapshot) => snapshot);
    let alarm = snapshot.custody.alarm.ok_or_else(|| {
        cli::Failure::refused("not-found", "there is no alarm that waits to be acknowledged")
    })?;
    reach.act(Act::Custody(CustodyAct::Acknowledge { alarm: alarm.digest })).await?;
    let data = json!({ "acknowledged": alarm });
    context.out.answer(&data, |to| writeln!(to, "acknowledged: {}", alarm.words))?;
    Ok(Exit::Ok)
}

impl Recovery {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        match self {
            Self::Drill { phrase } => {
                let mut reach = context.reach().await?;
                let act = Act::Custody(CustodyAct::Drill { phrase: Password(phrase.read()?) });
                let drill = want!(reach.act(act).await?, Outcome::Drill(drill) => drill);
                context.out.answer(&drill, |to| {
                    writeln!(
                        to,
                        "The copy of {} was restored and compared: {} records are the same, {} are newer than it.",
                        drill.copied_at.text, drill.compared, drill.newer
                    )
                })?;
                Ok(Exit::Ok)
            }
            Self::Restore { invitation, phrase, single_password, set_aside } => {
                restore(context, &invitation, &phrase, single_password, set_aside).await
            }
            Self::Deposit => {
                let outcome = context.reach().await?.act(Act::Custody(CustodyAct::Deposit)).await?;
                show(context, &*want!(outcome, Outcome::Keys(keys) => keys))
            }
        }
    }
}

async fn restore(
    context: &Context,
    invitation: &str,
    phrase: &SecretFrom<Phrase>,
    single_password: bool,
    set_aside: bool,
) -> Result<Exit, cli::Failure> {
    let invitation = join::read(invitation)?;
    let phrase = phrase::read(phrase)?;
    if !set_aside && Vault::exists(context.profile.data()) {
        return finish(context, phrase).await;
    }
    let a = context.password_a.read_new()?;
    let passwords = if single_password {
        Passwords::One(a)
    } else {
        Passwords::Two { a, b: context.password_b.read_new()? }
    };
    let returning = Returning { invitation, phrase, passwords, set_aside };
    let restored = recover::restore(context.profile.clone(), returning, context.config.means()).await;
    let (restored, _): (Restored, Handle) = restored.map_err(|unrestored| told(unrestored.failure))?;
    let copied = restored.copied_at.as_ref().map_or_else(
        || "there was no copy: history and receipts are gone".to_owned(),
        |at| format!("from the copy of {}", at.text),
    );
    let mut rows = vec![
        ("Center", restored.center.to_string()),
        ("Member", restored.member.to_string()),
        ("Brought back", copied),
    ];
    if !restored.new_keys.is_empty() {
        rows.push(("New keys", restored.new_keys.join(", ")));
    }
    rows.extend(restored.set_aside.iter().map(|name| ("Former vault", format!("moved aside as {name}"))));
    context.out.answer(&restored, |to| facts(to, rows))?;
    Ok(Exit::Ok)
}

/// A vault is here: a restore that was interrupted goes on with it.
async fn finish(context: &Context, phrase: RecoveryPhrase) -> Result<Exit, cli::Failure> {
    let mut reach = context.reach().await?;
    let act = CustodyAct::FinishRestoring {
        phrase: Password(phrase::line(&phrase)),
        password_b: context.password_b()?,
    };
    let keys = want!(reach.act(Act::Custody(act)).await?, Outcome::Keys(keys) => keys);
    show(context, &keys)
}

impl Kit {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let mut reach = context.reach().await?;
        if self.download {
            let outcome = reach.act(Act::Custody(CustodyAct::Download)).await?;
            let build = want!(outcome, Outcome::Build(build) => build);
            context.out.answer(&build, |to| {
                writeln!(
                    to,
                    "{} lies checked in {}; it is not installed",
                    build.version,
                    build.file.display()
                )
            })?;
            return Ok(Exit::Ok);
        }
        let outcome = reach.act(Act::Custody(CustodyAct::Kit)).await?;
        let kit: Box<KitView> = want!(outcome, Outcome::Kit(kit) => kit);
        context.out.answer(&kit, |to| {
            if self.terms {
                return writeln!(to, "{}", kit.terms);
            }
            let mut rows = vec![
                ("Kit", format!("{} of {}", kit.number, kit.issued.text)),
                ("Terms", format!("version {}; --terms prints them", kit.terms_version)),
                (
                    "Passwords",
                    format!("at least {} KiB and {} passes of Argon2id", kit.memory_kib, kit.passes),
                ),
            ];
            rows.extend(
                kit.newer.iter().map(|version| ("Newer", format!("{version}; --download fetches it"))),
            );
            facts(to, rows)?;
            writeln!(to)?;
            builds(&kit).write(context.out, to)
        })?;
        Ok(Exit::Ok)
    }
}

fn builds(kit: &KitView) -> Table {
    let heads = &[
        ("Program", Align::Left),
        ("Version", Align::Left),
        ("Platform", Align::Left),
        ("Bytes", Align::Right),
        ("SHA-256", Align::Left),
    ];
    let mut table = Table::new(heads, "The center offers no programs.");
    for build in &kit.builds {
        table.row([
            build.program.to_string(),
            build.version.to_string(),
            build.platform.to_string(),
            build.length.to_string(),
            build.digest.to_string(),
        ]);
    }
    table
}

fn show(context: &Context, keys: &KeysView) -> Result<Exit, cli::Failure> {
    context.out.answer(keys, |to| {
        let mut rows: Vec<(&str, String)> = Vec::new();
        for key in &keys.own {
            let words = key.fingerprint.clone().unwrap_or_else(|| "none".into());
            let waits = key.waits.as_ref().map(|key| format!("; {key} waits")).unwrap_or_default();
            rows.push((key_label(&key.role), format!("{words}{waits}")));
        }
        rows.push(("Recovery", keys.recovery.words()));
        if keys.recovery.phrase {
            rows.push(("Copy at center", keys.recovery.copy_words()));
        }
        if let (Some(change), Some(from)) = (keys.waiting_change, &keys.waiting_from) {
            rows.push(("New phrase", format!("asked for in {change}, in force from {}", from.text)));
        }
        rows.extend(keys.held.iter().map(|until| ("Held", format!("no money leaves until {}", until.text))));
        facts(to, rows)?;
        writeln!(to)?;
        let heads =
            &[("Entry", Align::Left), ("Key", Align::Left), ("Fingerprint", Align::Left), ("", Align::Left)];
        let mut table = Table::new(heads, "The center's chain of keys was not seen in this run.");
        for event in &keys.chain {
            table.row([
                event.entry.to_string(),
                event.role.clone(),
                event.fingerprint.clone().unwrap_or_else(|| "revoked".into()),
                if event.own { String::new() } else { "NOT MADE HERE".into() },
            ]);
        }
        table.write(context.out, to)
    })?;
    Ok(Exit::Ok)
}

fn key_label(role: &str) -> &'static str {
    match role {
        "signature" => "Signature key",
        "terminal" => "Terminal key",
        _ => "Recovery key",
    }
}
