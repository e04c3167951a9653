//! `operator`, `proposals`, `confirm`, `withdraw`, `refund`, `limits`, `keys sheet`, `keys rotate`, `passphrase`.

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use ledger::request::OperatorRole;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tui_kit::{
    cli::{self, Exit, Table},
    text::Align::Left,
};
use wire::{amount::Amount, id::EntryNumber, sheet::SheetRole};

use super::{Context, Query};
use crate::{
    acts::{Act, Passphrase, StaffAct},
    keys::{self, KeyFile, KeyFileError},
};

/// The longest public key file that is read, in bytes.
const PUBLIC_KEY: u64 = 16 << 10;

#[derive(Debug, Subcommand)]
pub(super) enum Operator {
    /// Add an operator, known by an SSH public key and an own passphrase
    Add {
        /// The name, which entries of the books bear
        name: String,
        /// What the operator may do
        #[arg(long)]
        role: Role,
        /// The SSH public key's file: Ed25519, also of a security key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Give an operator another role
    Role {
        /// Whose
        name: String,
        /// The new role
        role: Role,
    },
    /// Take an operator off
    Remove {
        /// Whom
        name: String,
    },
    /// Change a passphrase: the own one, or, as an admin, somebody else's
    Passphrase {
        /// Whose; the own where nothing is said
        name: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Role {
    Viewer,
    Clerk,
    Supervisor,
    Admin,
}

#[derive(Debug, Args)]
pub(super) struct Refund {
    /// The payment's transaction number
    payment: EntryNumber,
    /// Why; it stands in the books
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum Limits {
    /// Show up to how much one operator acts alone
    Show,
    /// Change it; amounts are in the currency's smallest unit
    Set {
        /// Refunds by the center
        #[arg(long, value_name = "N")]
        refund_alone: Option<u64>,
        /// Unmatched receipts at the bank desk
        #[arg(long, value_name = "N")]
        receipt_alone: Option<u64>,
    },
}

/// The key register, or the center's own keys.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Keys {
    #[command(flatten)]
    query: Query,
    #[command(subcommand)]
    command: Option<KeysCommand>,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Show the center's own key sheet
    Sheet,
    /// Give the center new keys: takes the root key and its passphrase
    Rotate {
        /// Which keys; all where none is named
        roles: Vec<KeyOf>,
        /// The sealed root key, where it does not lie in the profile
        #[arg(long, value_name = "FILE")]
        root_file: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KeyOf {
    Tls,
    Checkpoint,
    Card,
    Directory,
    Statement,
}

#[derive(Debug, Subcommand)]
pub(super) enum Slots {
    /// List the passphrases of a key file
    List(WhichFile),
    /// Add a passphrase; --printed makes one to be printed and locked away
    Add {
        #[command(flatten)]
        file: WhichFile,
        /// What tells it from the others, such as a person or a place
        #[arg(long)]
        name: String,
        /// Make one, and print it once
        #[arg(long)]
        printed: bool,
    },
    /// Take a passphrase away; one that stays is asked for
    Remove {
        #[command(flatten)]
        file: WhichFile,
        /// Its name
        #[arg(long)]
        name: String,
    },
    /// Put a new passphrase in the place of one
    Change(WhichFile),
}

#[derive(Debug, Args)]
pub(super) struct WhichFile {
    /// Whose passphrases
    which: Which,
    /// The sealed root key, where it does not lie in the profile
    #[arg(long, value_name = "FILE")]
    root_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Service,
    Root,
}

impl Operator {
    pub(super) fn act(self, context: &Context) -> Result<Act, cli::Failure> {
        let new = || Ok::<_, cli::Failure>(Passphrase(context.fresh.read_new()?));
        let act = match self {
            Self::Add { name, role, key } => {
                let ssh_key = public_key(&key)?;
                StaffAct::Add { name, role: role.into(), ssh_key, passphrase: new()? }
            }
            Self::Role { name, role } => StaffAct::Role { name, role: role.into() },
            Self::Remove { name } => StaffAct::Remove { name },
            Self::Passphrase { name } => StaffAct::SetPassphrase { name, passphrase: new()? },
        };
        Ok(act.into())
    }
}

impl Refund {
    pub(super) fn act(self) -> Act {
        StaffAct::Refund { payment: self.payment, reason: self.reason }.into()
    }
}

impl Limits {
    pub(super) fn act(self) -> Result<Act, cli::Failure> {
        let amount = |minor: Option<u64>| {
            let too_much =
                || cli::Failure::usage("a limit is at most 1,000,000,000,000 of the smallest unit");
            minor.map(|minor| Amount::new(minor).ok_or_else(too_much)).transpose()
        };
        let act = match self {
            Self::Show => StaffAct::Limits,
            Self::Set { refund_alone: None, receipt_alone: None } => {
                return Err(cli::Failure::usage("say which limit: --refund-alone N, --receipt-alone N"));
            }
            Self::Set { refund_alone, receipt_alone } => StaffAct::SetLimits {
                refund_alone: amount(refund_alone)?,
                receipt_alone: amount(receipt_alone)?,
            },
        };
        Ok(act.into())
    }
}

impl Keys {
    pub(super) fn act(self, context: &Context) -> Result<Act, cli::Failure> {
        match self.command {
            None => Ok(Act::Keys(self.query.list())),
            Some(KeysCommand::Sheet) => Ok(StaffAct::KeySheet.into()),
            Some(KeysCommand::Rotate { roles, root_file }) => {
                let root_file = std::path::absolute(root_file.unwrap_or_else(|| context.places().root_key))?;
                if !root_file.exists() {
                    let words = format!(
                        "the sealed root key is not in {}; name its file with --root-file",
                        root_file.display()
                    );
                    return Err(cli::Failure::refused("keys", words));
                }
                let root = Passphrase(context.root.read()?);
                let roles = roles.into_iter().map(SheetRole::from).collect();
                Ok(StaffAct::Rotate { roles, root_file, root }.into())
            }
        }
    }
}

impl Slots {
    /// Works on the file itself: a center that runs has its keys open and does not read it again.
    pub(super) fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        context.founded()?;
        match self {
            Self::List(file) => file.list(context),
            Self::Add { file, name, printed } => {
                let (path, which) = file.place(context);
                let known = file.read(context)?;
                let new = if printed { keys::printed_passphrase() } else { context.fresh.read_new()? };
                keys::add_passphrase(&path, which, &known, &name, &new, printed).map_err(told)?;
                if !printed {
                    return done(
                        context,
                        &format!("{} opens the {} key as well", name.trim(), which.words()),
                    );
                }
                // The one moment at which it is shown; whoever asked for it prints it and locks it away.
                let data = json!({ "name": name.trim(), "passphrase": new.expose_secret() });
                context.out.answer(&data, |to| writeln!(to, "{}", new.expose_secret()))?;
                context.out.say("print it and lock it away: it is never shown again");
                Ok(Exit::Ok)
            }
            Self::Remove { file, name } => {
                let (path, which) = file.place(context);
                context.out.say("a passphrase that stays is asked for");
                let staying = file.read(context)?;
                keys::remove_passphrase(&path, which, &name, &staying).map_err(told)?;
                done(context, &format!("{} opens the {} key no more", name.trim(), which.words()))
            }
            Self::Change(file) => {
                let (path, which) = file.place(context);
                let old = file.read(context)?;
                let new = context.fresh.read_new()?;
                let name = keys::change_passphrase(&path, which, &old, &new).map_err(told)?;
                done(context, &format!("the {} passphrase “{name}” is changed", which.words()))
            }
        }
    }
}

impl WhichFile {
    fn place(&self, context: &Context) -> (PathBuf, KeyFile) {
        let places = context.places();
        match self.which {
            Which::Service => (places.service_key, KeyFile::Service),
            Which::Root => (self.root_file.clone().unwrap_or(places.root_key), KeyFile::Root),
        }
    }

    fn read(&self, context: &Context) -> Result<secrecy::SecretString, cli::Failure> {
        Ok(match self.which {
            Which::Service => context.service.read()?,
            Which::Root => context.root.read()?,
        })
    }

    fn list(&self, context: &Context) -> Result<Exit, cli::Failure> {
        let (path, which) = self.place(context);
        let slots = keys::passphrases(&path, which).map_err(told)?;
        context.out.answer(&json!({ "passphrases": slots }), |to| {
            let mut table = Table::new(&[("NAME", Left), ("PRINTED", Left)], "there are none");
            for slot in &slots {
                table.row([slot.name.clone(), if slot.printed { "yes" } else { "no" }.into()]);
            }
            table.write(context.out, to)
        })?;
        Ok(Exit::Ok)
    }
}

/// Says what was done to a file.
fn done(context: &Context, words: &str) -> Result<Exit, cli::Failure> {
    context.out.answer(&json!({ "words": words }), |to| writeln!(to, "{words}"))?;
    Ok(Exit::Ok)
}

fn told(error: KeyFileError) -> cli::Failure {
    let code = match error {
        KeyFileError::WrongPassphrase(_) => "wrong-passphrase",
        KeyFileError::File { .. } => "keys",
        KeyFileError::Passphrase(_) => "refused",
    };
    cli::Failure::refused(code, error.to_string())
}

/// The first line of a public key's file that says something.
fn public_key(path: &std::path::Path) -> Result<String, cli::Failure> {
    let unreadable = |why: &dyn std::fmt::Display| {
        cli::Failure::refused("file", format!("the public key {} cannot be read: {why}", path.display()))
    };
    let length = fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if length > PUBLIC_KEY {
        return Err(unreadable(&"it is too long for a public key"));
    }
    let text = fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    line.map(str::to_owned).ok_or_else(|| unreadable(&"it is empty"))
}

impl From<Role> for OperatorRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Clerk => Self::Clerk,
            Role::Supervisor => Self::Supervisor,
            Role::Admin => Self::Admin,
        }
    }
}

impl From<KeyOf> for SheetRole {
    fn from(of: KeyOf) -> Self {
        match of {
            KeyOf::Tls => Self::Tls,
            KeyOf::Checkpoint => Self::Checkpoint,
            KeyOf::Card => Self::Card,
            KeyOf::Directory => Self::Directory,
            KeyOf::Statement => Self::Statement,
        }
    }
}
