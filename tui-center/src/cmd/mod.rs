//! The command line.

mod about;
mod audit;
mod backup;
mod books;
mod init;
mod joining;
mod people;
mod print;
mod progress;
mod reach;
mod serve;
mod staff;

use std::{process::ExitCode, sync::Arc};

use clap::{CommandFactory as _, Parser, Subcommand};
use ledger::request::{Document, Standing};
use tui_kit::{
    cli::{self, Common, Exit, Out, SecretFrom, SecretName},
    profile::Profile,
};
use wire::{
    id::{AccountNumber, CardNumber, EntryNumber},
    receipt::EntryKind,
};

use crate::{
    acts::{Act, List, ROWS_MAX, StaffAct},
    serve::Screens,
};

/// The program's name.
pub const PROGRAM: &str = "tui-center";

/// The settlement center of Inkan: a prepaid settlement network that lives in the terminal.
///
/// Without a subcommand it unlocks, serves and shows the console. Every act of the console is also a subcommand.
#[derive(Debug, Parser)]
#[command(name = PROGRAM, version)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    root: SecretFrom<RootPassphrase>,
    #[command(flatten)]
    service: SecretFrom<ServicePassphrase>,
    #[command(flatten)]
    operator: SecretFrom<OperatorPassphrase>,
    #[command(flatten)]
    fresh: SecretFrom<NewPassphrase>,
    #[command(flatten)]
    second: SecretFrom<SecondPassphrase>,
    /// The operator who acts; not needed where there is only one
    #[arg(id = "acting operator", long = "as", global = true, value_name = "NAME")]
    name: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Found a center: keys, books, settings; what is missing is asked for
    Init(Box<init::Init>),
    /// Unlock and serve; with the console, unless --headless
    Serve(serve::Serve),
    /// Open the console of a running center on this terminal
    Attach,
    /// End a running center in order
    Stop,
    /// Print the invitation for members and stores
    Invitation,
    /// Show how a running center stands
    Status,
    /// List the member register
    Members(Query),
    /// List the store register
    Stores(Query),
    /// List the key register; or show or rotate the center's own keys
    Keys(staff::Keys),
    /// List the transaction register, newest first
    Transactions(Transactions),
    /// Show a member, store, card or transaction in full
    Show {
        /// M-..., S-..., C-... or T-...
        number: String,
    },
    /// List the bank desk: what waits first
    Desk,
    /// Issue the card that was asked for with an unmatched receipt
    DeskAssign {
        /// The receipt's transaction number
        receipt: EntryNumber,
        /// The card request's transaction number
        request: EntryNumber,
    },
    /// Send an unmatched receipt back to whoever paid it
    DeskReturn {
        /// The receipt's transaction number
        receipt: EntryNumber,
    },
    /// List the error log, newest first
    Errors(Query),
    /// Show a business day in figures
    Report {
        /// YYYY-MM-DD; today where nothing is said
        day: Option<String>,
    },
    /// Freeze a card, a member or a store
    Freeze(Freeze),
    /// Release what was frozen
    Release(Freeze),
    /// List applications to join, newest first; nobody is named
    Applications(joining::Applications),
    /// Show an application
    Application(joining::Application),
    /// Admit an applicant: number and code go out
    Admit(joining::Admit),
    /// Refuse an applicant
    Refuse(joining::Decline),
    /// Ask an application back, to be amended
    AskBack(joining::Decline),
    /// Send a new activation code; the former one counts no more
    Recode(joining::Recode),
    /// Let another key register with a new code
    Override(joining::Override),
    /// Show or change the guide pages
    #[command(subcommand)]
    Guide(joining::OfRole),
    /// Show or change the forms
    #[command(subcommand)]
    Form(joining::OfRole),
    /// Show or change the terms of use
    #[command(subcommand)]
    Terms(joining::OfAll),
    /// Show or change the policy of admission
    #[command(subcommand)]
    Policy(joining::OfAll),
    /// The admission kit: the programs that the center offers
    #[command(subcommand)]
    Kit(joining::Kit),
    /// Mail and letters on their way
    Post(joining::Post),
    /// Write an applicant's letter to a file, to be printed by hand
    Letter(joining::Letter),
    /// Say that this computer's clock, which jumped, is right
    AcceptClock,
    /// List the operators
    Operators,
    /// Add an operator, change a role or passphrase, take one off
    #[command(subcommand)]
    Operator(staff::Operator),
    /// List what waits for a second operator, or show one of these
    Proposals {
        /// The proposal's transaction number
        proposal: Option<EntryNumber>,
    },
    /// Do what another operator proposed
    Confirm {
        /// The proposal's transaction number
        proposal: EntryNumber,
    },
    /// Drop a proposal
    Withdraw {
        /// The proposal's transaction number
        proposal: EntryNumber,
    },
    /// Give a payment back
    Refund(staff::Refund),
    /// Show or change up to how much one operator acts alone
    #[command(subcommand)]
    Limits(staff::Limits),
    /// Find, show, export or erase one person's data
    #[command(subcommand)]
    Person(people::Person),
    /// Revoke a key of a member or store
    RevokeKey(people::RevokeKey),
    /// The passphrases of the service key and of the root key
    #[command(subcommand)]
    Passphrase(staff::Slots),
    /// Look at the books, or make the registers anew
    #[command(subcommand)]
    Books(books::Books),
    /// Copy all that the center needs to a folder, while payments run, and prove the copy
    Backup(backup::Backup),
    /// Make a profile of a backup; its center is stopped
    Restore(backup::Restore),
    /// Resume a center that was restored or has forked, with the root key; it must not run
    Resume(backup::Resume),
    /// List the entries that the journal lost and terminals handed in
    Lost(backup::Lost),
    /// Verify a journal with public keys alone: no books, no network, no passphrase
    Audit(audit::Audit),
    /// Print the newest checkpoint, as it was signed
    Checkpoint,
    /// Publish the tree for other people's tools
    #[command(subcommand)]
    Tiles(audit::Tiles),
    /// Show the settings
    #[command(subcommand)]
    Config(about::ConfigCommand),
    /// Look at paths, versions, terminal and keys
    Doctor,
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: cli::Shell,
    },
    /// Print the manual page
    Man,
}

/// What to look for.
#[derive(Debug, clap::Args)]
struct Query {
    /// Words that must all occur
    query: Vec<String>,
    /// How many rows at most
    #[arg(long, value_name = "N")]
    most: Option<usize>,
}

#[derive(Debug, clap::Args)]
struct Transactions {
    #[command(flatten)]
    query: Query,
    /// Only this kind, such as payment or bank-credit
    #[arg(long, value_parser = kind)]
    kind: Option<EntryKind>,
    /// Only those before this one
    #[arg(long, value_name = "NUMBER")]
    before: Option<EntryNumber>,
    /// All of them, however many
    #[arg(long, conflicts_with = "most")]
    all: bool,
}

#[derive(Debug, clap::Args)]
struct Freeze {
    /// M-..., S-... or C-...
    number: String,
    /// Why; it stands in the books
    #[arg(long)]
    reason: String,
}

macro_rules! passphrase {
    ($name:ident, $what:literal) => {
        #[doc = concat!("The ", $what, " passphrase.")]
        #[derive(Debug, Clone, Copy)]
        struct $name;

        impl SecretName for $name {
            const FILE: &'static str = concat!($what, "-passphrase-file");
            const DESCRIPTOR: &'static str = concat!($what, "-passphrase-fd");
            const WORDS: &'static str = concat!("the ", $what, " passphrase");
        }
    };
}

passphrase!(RootPassphrase, "root");
passphrase!(ServicePassphrase, "service");
passphrase!(OperatorPassphrase, "operator");
passphrase!(NewPassphrase, "new");
passphrase!(SecondPassphrase, "second");

/// What every subcommand has at hand.
struct Context {
    out: Out,
    profile: Profile,
    root: SecretFrom<RootPassphrase>,
    service: SecretFrom<ServicePassphrase>,
    operator: SecretFrom<OperatorPassphrase>,
    fresh: SecretFrom<NewPassphrase>,
    second: SecretFrom<SecondPassphrase>,
    name: Option<String>,
    screens: Option<Arc<dyn Screens>>,
}

/// Runs the program with these screens: parses its arguments, does what they say, and gives the exit code.
pub fn run(screens: Option<Arc<dyn Screens>>) -> ExitCode {
    let cli: Cli = match cli::arguments(command()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let out = cli.common.out();
    // What is said beside the words of a success: books that do not hold.
    let mut verdict = Exit::Ok;
    let code = cli::run(PROGRAM, out, || {
        verdict = start(cli, out, screens)?;
        Ok(())
    });
    if verdict == Exit::Ok { code } else { verdict.into() }
}

/// The command with its passphrase options understood before and after the subcommand.
fn command() -> clap::Command {
    Cli::command().mut_args(|argument| {
        let is_passphrase = argument.get_id().as_str().contains("-passphrase-");
        if is_passphrase { argument.global(true) } else { argument }
    })
}

fn start(cli: Cli, out: Out, screens: Option<Arc<dyn Screens>>) -> Result<Exit, cli::Failure> {
    let profile = Profile::locate(PROGRAM, cli.common.profile.as_deref())?;
    tui_kit::guard::report_panics(PROGRAM, env!("CARGO_PKG_VERSION"), profile.state());
    // A profile is made by founding a center, not by looking at what is not there.
    let _log = if profile.exists() { tui_kit::log::start(profile.state(), PROGRAM).ok() } else { None };
    let Cli { root, service, operator, fresh, second, name, command, .. } = cli;
    let context = Context { out, profile, root, service, operator, fresh, second, name, screens };
    let command = command.unwrap_or(Command::Serve(serve::Serve::default()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(command.run(&context));
    // What still runs holds nothing that is not durable.
    runtime.shutdown_background();
    done
}

impl Command {
    async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let act = match self {
            Self::Init(init) => return init.run(context).await,
            Self::Serve(serve) => return serve.run(context).await,
            Self::Attach => return serve::attach(context).await,
            Self::Stop => return serve::stop(context).await,
            Self::Invitation => return about::invitation(context),
            Self::Operators => return about::operators(context),
            Self::Books(books) => return books.run(context).await,
            Self::Backup(backup) => return backup.run(context).await,
            Self::Restore(restore) => return restore.run(context).await,
            Self::Resume(resume) => return resume.run(context).await,
            Self::Lost(lost) => lost.act(),
            Self::Audit(audit) => return audit.run(context).await,
            Self::Checkpoint => return audit::checkpoint(context),
            Self::Tiles(tiles) => return tiles.run(context).await,
            Self::Config(config) => return config.run(context),
            Self::Doctor => return about::doctor(context).await,
            Self::Completions { shell } => return cli::completions(command(), shell),
            Self::Man => return cli::man(command()),
            Self::Transactions(wanted) if wanted.all => return wanted.every(context).await,
            Self::Status => {
                let outcome = context.reach().running(Act::Status).await?;
                print::outcome(context.out, &outcome)?;
                return Ok(Exit::Ok);
            }
            Self::Members(query) => Act::Members(query.list()),
            Self::Stores(query) => Act::Stores(query.list()),
            Self::Keys(keys) => keys.act(context)?,
            Self::Transactions(Transactions { query, kind, before, .. }) => {
                Act::Transactions { list: query.list(), kind, before }
            }
            Self::Show { number } => Act::Show { number },
            Self::Desk => Act::Desk,
            Self::DeskAssign { receipt, request } => Act::AssignReceipt { receipt, request },
            Self::DeskReturn { receipt } => Act::ReturnReceipt { receipt },
            Self::Errors(query) => Act::Errors(query.list()),
            Self::Report { day } => Act::Report { day },
            Self::Freeze(freeze) => freeze.act(true)?,
            Self::Release(freeze) => freeze.act(false)?,
            Self::Applications(wanted) => wanted.act(),
            Self::Application(wanted) => wanted.act(),
            Self::Admit(admit) => return admit.run(context).await,
            Self::Refuse(decline) => decline.act(false),
            Self::AskBack(decline) => decline.act(true),
            Self::Recode(recode) => recode.act(),
            Self::Override(other) => other.act(),
            Self::Guide(guide) => guide.act(Document::Guide)?,
            Self::Form(form) => form.act(Document::Form)?,
            Self::Terms(terms) => terms.act(Document::Terms)?,
            Self::Policy(policy) => policy.act(Document::Policy)?,
            Self::Kit(kit) => kit.act()?,
            Self::Post(post) => post.act(),
            Self::Letter(letter) => return letter.run(context).await,
            Self::AcceptClock => Act::AcceptClock,
            Self::Passphrase(slots) => return slots.run(context),
            Self::Operator(operator) => operator.act(context)?,
            Self::Proposals { proposal: None } => StaffAct::Proposals.into(),
            Self::Proposals { proposal: Some(proposal) } => StaffAct::Proposal { proposal }.into(),
            Self::Confirm { proposal } => StaffAct::Confirm { proposal }.into(),
            Self::Withdraw { proposal } => StaffAct::Withdraw { proposal }.into(),
            Self::Refund(refund) => refund.act(),
            Self::Limits(limits) => limits.act()?,
            Self::Person(person) => person.act()?,
            Self::RevokeKey(revoke) => revoke.act(),
        };
        let outcome = context.reach().act(act).await?;
        print::outcome(context.out, &outcome)?;
        Ok(Exit::Ok)
    }
}

impl Query {
    fn list(&self) -> List {
        let all = List::of(self.query.join(" "));
        List { most: self.most.unwrap_or(all.most), ..all }
    }
}

impl Transactions {
    /// Every page of the register.
    async fn every(self, context: &Context) -> Result<Exit, cli::Failure> {
        let mut reach = context.reach();
        let list = List { most: ROWS_MAX, ..self.query.list() };
        let mut all = Vec::new();
        let mut before = self.before;
        loop {
            let act = Act::Transactions { list: list.clone(), kind: self.kind, before };
            let (rows, next) = print::transactions(reach.act(act).await?)?;
            all.extend(rows);
            match next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        print::outcome(context.out, &print::of_transactions(&all))?;
        Ok(Exit::Ok)
    }
}

impl Freeze {
    fn act(self, frozen: bool) -> Result<Act, cli::Failure> {
        let text = self.number.trim();
        let is_card = text.starts_with(['C', 'c']);
        let of = if is_card {
            text.parse::<CardNumber>().map(Standing::Card)
        } else {
            text.parse::<AccountNumber>().map(Standing::Account)
        };
        let of = of.map_err(|error| cli::Failure::usage(error.to_string()))?;
        Ok(Act::Standing { of, frozen, reason: self.reason })
    }
}

/// A kind as JSON prints it: `bank-credit`.
fn kind(text: &str) -> Result<EntryKind, String> {
    serde_json::from_value(serde_json::Value::from(text.trim().to_lowercase().replace(' ', "-"))).map_err(
        |_| {
            "no such kind; kinds are for example payment, refund, claim, payout, bank-credit, registration"
                .into()
        },
    )
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn options_are_understood_on_both_sides_of_the_subcommand() {
        for line in [
            "tui-center --profile ./x --json --as ada --service-passphrase-file s status",
            "tui-center status --service-passphrase-file s --as ada --json --profile ./x",
            "tui-center operator role ben clerk --service-passphrase-file s --as ada --json --profile ./x",
            "tui-center passphrase add service --name safe --service-passphrase-file s --as ada --json",
        ] {
            let matches = command().try_get_matches_from(line.split(' ')).unwrap();
            let cli = Cli::from_arg_matches(&matches).unwrap();
            assert!(
                cli.service.is_given() && cli.common.json && cli.name.as_deref() == Some("ada"),
                "{line}"
            );
        }
    }

    #[test]
    fn kinds_are_written_as_json_prints_them() {
        assert_eq!(kind("bank-credit"), Ok(EntryKind::BankCredit));
        assert_eq!(kind("Bank Credit"), Ok(EntryKind::BankCredit));
        assert!(kind("nonsense").is_err());
    }
}
