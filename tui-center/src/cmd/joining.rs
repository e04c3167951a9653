//! `applications`, `application`, `admit`, `refuse`, `ask-back`, `recode`, `override`, `guide`, `form`, `terms`, `policy`,
//! `kit`, `post`, `letter`: the admission desk.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use data_encoding::BASE64;
use ledger::request::Document;
use serde_json::json;
use tui_kit::cli::{self, Exit};
use wire::{
    admission,
    id::{ApplicationNumber, Digest, Role, TelegramId},
    key::VerificationKey,
};
use zeroize::Zeroizing;

use super::{Context, Query, print};
use crate::acts::{Act, JoiningAct, ROWS};

/// The longest document that is read from a file, in bytes.
const DOCUMENT: u64 = 1 << 20;

#[derive(Debug, Args)]
pub(super) struct Applications {
    #[command(flatten)]
    query: Query,
    /// Only those that stand so
    #[arg(long, value_enum)]
    state: Option<State>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Waiting,
    AskedBack,
    Refused,
    Admitted,
    CodeSpent,
    Registered,
}

#[derive(Debug, Args)]
pub(super) struct Application {
    /// A-...
    number: ApplicationNumber,
    /// Show what was filled in; this is entered in the books first
    #[arg(long, requires = "reason")]
    reveal: bool,
    /// Why it must be seen; it stands in the books
    #[arg(long, requires = "reveal")]
    reason: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Admit {
    /// A-...
    number: ApplicationNumber,
    /// The version that you saw, as `application` prints it; as it is now where nothing is said
    #[arg(long, value_name = "HEX")]
    seen: Option<TelegramId>,
    #[command(flatten)]
    way: By,
}

/// How number and code go out.
#[derive(Debug, Args)]
struct By {
    /// How number and code go out; as the policy says where nothing is said
    #[arg(long, value_enum)]
    way: Option<Way>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Way {
    Mail,
    Letter,
}

#[derive(Debug, Args)]
pub(super) struct Decline {
    /// A-...
    number: ApplicationNumber,
    /// Words for the applicant
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Args)]
pub(super) struct Recode {
    /// A-...
    number: ApplicationNumber,
    #[command(flatten)]
    way: By,
    /// Why; it stands in the books
    #[arg(long, default_value = "the applicant asked for a new code")]
    reason: String,
}

#[derive(Debug, Args)]
pub(super) struct Override {
    /// A-...
    number: ApplicationNumber,
    /// The key that may register from now on, in hex
    #[arg(long, value_name = "HEX")]
    key: VerificationKey,
    #[command(flatten)]
    way: By,
    /// Why; it stands in the books
    #[arg(long)]
    reason: String,
}

/// A document that members and stores have each their own of.
#[derive(Debug, Subcommand)]
pub(super) enum OfRole {
    /// Print it
    Show {
        /// Whose
        #[arg(value_enum)]
        role: Whose,
    },
    /// Give it a new version
    Set {
        /// Whose
        #[arg(value_enum)]
        role: Whose,
        /// The file that holds it
        file: PathBuf,
    },
}

/// A document that there is one of.
#[derive(Debug, Subcommand)]
pub(super) enum OfAll {
    /// Print it
    Show,
    /// Give it a new version
    Set {
        /// The file that holds it
        file: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Whose {
    Member,
    Store,
}

#[derive(Debug, Subcommand)]
pub(super) enum Kit {
    /// List what the admission kit offers
    List,
    /// Put a program into the admission kit, in the place of an older version
    Add {
        /// The program's file
        file: PathBuf,
        /// Its name, like tui-member
        #[arg(long)]
        program: String,
        /// Its platform as a target triple, like x86_64-unknown-linux-gnu
        #[arg(long)]
        platform: String,
        /// Its version, like 0.2.0
        #[arg(long = "version", value_name = "VERSION")]
        release: String,
    },
    /// Offer a program no more
    Remove {
        /// Its SHA-256
        digest: Digest,
    },
}

#[derive(Debug, Args)]
pub(super) struct Post {
    #[command(subcommand)]
    command: Option<PostCommand>,
}

#[derive(Debug, Subcommand)]
enum PostCommand {
    /// List mail and letters on their way
    List,
    /// Try one again now
    Retry {
        /// Its name in the list
        name: String,
    },
    /// Give one up: it is not tried again
    GiveUp {
        /// Its name in the list
        name: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Letter {
    /// A-...
    number: ApplicationNumber,
    /// The PDF that is written; it bears the code
    #[arg(long, value_name = "F.pdf")]
    out: PathBuf,
}

impl Applications {
    pub(super) fn act(self) -> Act {
        let state = self.state.and_then(|state| state.to_possible_value());
        Act::Joining(JoiningAct::Applications {
            query: self.query.query.join(" "),
            state: state.map(|state| state.get_name().to_owned()),
            most: self.query.most.unwrap_or(ROWS),
        })
    }
}

impl Application {
    pub(super) fn act(self) -> Act {
        Act::Joining(JoiningAct::Application {
            number: self.number,
            reveal: self.reason.filter(|_| self.reveal),
        })
    }
}

impl Admit {
    /// Admits the version that was seen; where none is named, the one that is here now, which is printed.
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let (number, mut reach) = (self.number, context.reach());
        let seen = match self.seen {
            Some(seen) => seen,
            None => {
                let look = Act::Joining(JoiningAct::Application { number, reveal: None });
                let (version, since) = print::version(reach.act(look).await?)?;
                context.out.say(&format!("{number} as it stands since {}, version {version}", since.text));
                version
            }
        };
        let admit = Act::Joining(JoiningAct::Admit { number, seen, way: self.way.way() });
        print::outcome(context.out, &reach.act(admit).await?)?;
        Ok(Exit::Ok)
    }
}

impl Decline {
    pub(super) fn act(self, ask_back: bool) -> Act {
        Act::Joining(JoiningAct::Decline { number: self.number, ask_back, reason: self.reason })
    }
}

impl Recode {
    pub(super) fn act(self) -> Act {
        let (number, way) = (self.number, self.way.way());
        Act::Joining(JoiningAct::Recode { number, way, key: None, reason: self.reason })
    }
}

impl Override {
    pub(super) fn act(self) -> Act {
        let (number, way) = (self.number, self.way.way());
        Act::Joining(JoiningAct::Recode { number, way, key: Some(self.key), reason: self.reason })
    }
}

impl By {
    fn way(&self) -> Option<admission::Way> {
        self.way.map(|way| match way {
            Way::Mail => admission::Way::Mail,
            Way::Letter => admission::Way::Letter,
        })
    }
}

impl OfRole {
    pub(super) fn act(self, document: fn(Role) -> Document) -> Result<Act, cli::Failure> {
        match self {
            Self::Show { role } => Ok(show(document(role.role()))),
            Self::Set { role, file } => set(document(role.role()), &file),
        }
    }
}

impl OfAll {
    pub(super) fn act(self, document: Document) -> Result<Act, cli::Failure> {
        match self {
            Self::Show => Ok(show(document)),
            Self::Set { file } => set(document, &file),
        }
    }
}

impl Whose {
    fn role(self) -> Role {
        match self {
            Self::Member => Role::Member,
            Self::Store => Role::Store,
        }
    }
}

impl Kit {
    pub(super) fn act(self) -> Result<Act, cli::Failure> {
        Ok(Act::Joining(match self {
            Self::List => JoiningAct::Kit,
            Self::Remove { digest } => JoiningAct::KitRemove { digest },
            Self::Add { file, program, platform, release } => {
                // The center may run in another folder.
                let file = std::path::absolute(&file)
                    .map_err(|error| cli::Failure::usage(format!("{}: {error}", file.display())))?;
                JoiningAct::KitAdd { file, program, platform, version: release }
            }
        }))
    }
}

impl Post {
    pub(super) fn act(self) -> Act {
        Act::Joining(match self.command.unwrap_or(PostCommand::List) {
            PostCommand::List => JoiningAct::Post,
            PostCommand::Retry { name } => JoiningAct::PostRetry { name },
            PostCommand::GiveUp { name } => JoiningAct::PostGiveUp { name },
        })
    }
}

impl Letter {
    /// Takes the letter and writes it to a file that nobody else reads. What is in the way is found out before: the
    /// letter is handed out once.
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let told = |error: std::io::Error| {
            let why = format!("{} cannot be written: {error}", self.out.display());
            cli::Failure::refused("file", why)
        };
        let mut file =
            fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&self.out).map_err(told)?;
        let act = Act::Joining(JoiningAct::Letter { number: self.number });
        let taken = match context.reach().act(act).await {
            Ok(outcome) => print::letter(outcome),
            Err(error) => Err(error),
        };
        let written = taken.and_then(|letter| {
            let wrong = |_| cli::Failure::refused("internal", "the letter came damaged");
            let pdf = Zeroizing::new(BASE64.decode(letter.pdf.as_bytes()).map_err(wrong)?);
            file.write_all(&pdf).and_then(|()| file.sync_all()).map_err(told)?;
            Ok(letter.name)
        });
        let name = written.inspect_err(|_| {
            // An empty file would only be in the way of the next try.
            let _ = fs::remove_file(&self.out);
        })?;
        context.out.answer(&json!({ "letter": name, "file": self.out }), |to| {
            writeln!(to, "{name} is in {}; it counts as printed", self.out.display())
        })?;
        Ok(Exit::Ok)
    }
}

fn show(document: Document) -> Act {
    Act::Joining(JoiningAct::Document { document })
}

fn set(document: Document, file: &Path) -> Result<Act, cli::Failure> {
    let wrong = |why: String| cli::Failure::usage(format!("{} cannot be read: {why}", file.display()));
    let length = fs::metadata(file).map_err(|error| wrong(error.to_string()))?.len();
    if length > DOCUMENT {
        return Err(wrong(format!("it has {length} bytes, and at most {DOCUMENT} are read")));
    }
    let text = fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    Ok(Act::Joining(JoiningAct::SetDocument { document, text, over: None }))
}
