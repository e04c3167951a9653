//! The command line.

mod about;
mod buy;
mod card;
mod custody;
mod evidence;
mod history;
mod join;
mod outbox;
mod phrase;
mod reach;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tui_kit::{
    cli::{self, Common, Exit, Out, PasswordA, PasswordB, SecretFrom},
    profile::Profile,
};

use crate::{config::Config, screen};

/// The program's name.
pub const PROGRAM: &str = "tui-member";

/// The member's program of Inkan: a prepaid settlement network that lives in the terminal.
///
/// Without a subcommand it opens the screens. Every act of the screens is also a subcommand.
#[derive(Debug, Parser)]
#[command(name = PROGRAM, version)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    password_a: SecretFrom<PasswordA>,
    #[command(flatten)]
    password_b: SecretFrom<PasswordB>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what a center tells anyone who asks, before anything is sent
    Guide {
        /// The invitation: inkan:KEY@host:port
        invitation: String,
    },
    /// Join a center: apply, ask how it stands, register
    Join(Box<join::Join>),
    /// Put a new terminal in the place of a lost one, without its phrase
    Replace(join::Replace),
    /// Show the admission kit: terms, programs; download a newer program
    Kit(custody::Kit),
    /// Show keys and the center's chain of them; change and revoke keys
    Keys(custody::Keys),
    /// Bring an account back with its phrase, and prove that it can be
    #[command(subcommand)]
    Recovery(custody::Recovery),
    /// Show cards, what waits or is unknown, last purchases, messages
    Status,
    /// Log in, take the mail, ask about everything unknown
    Sync,
    /// Ask for a prepaid card
    #[command(subcommand)]
    Card(card::Card),
    /// List the cards with their balances
    Cards,
    /// List the stores of the directory
    Stores {
        /// What the name must contain
        query: Option<String>,
    },
    /// List a store's catalogue
    Items(buy::Items),
    /// Show one item
    Item(buy::Item),
    /// Order, and get the store's signed offer
    Order(buy::Order),
    /// Take up what a cashier sold, with the code that the cashier shows, and get the store's signed offer
    TakeUp(buy::TakeUp),
    /// Pay an offered order
    Pay(buy::Pay),
    /// Order, pay and fetch in one go
    Buy(buy::Order),
    /// Fetch the goods of a paid order, or go on where it was interrupted
    Fetch(buy::Fetch),
    /// Print where fetched goods lie, or open them with the configured program
    Open(buy::Named),
    /// The shopping history, newest first; needs no network
    History,
    /// Show one purchase in full; needs no network
    Show(buy::Named),
    /// Take receipts out, and check them offline
    #[command(subcommand)]
    Receipt(history::Receipt),
    /// Check evidence that the center contradicts itself, offline
    #[command(subcommand)]
    Evidence(evidence::Evidence),
    /// List, send, withdraw, export and import the telegrams that wait
    Outbox(outbox::Outbox),
    /// Ask the center about every telegram whose outcome is unknown
    Resolve,
    /// Take back a telegram that has not left, or ask the center to void one that may have
    Withdraw {
        /// The telegram's id, as the outbox shows it
        telegram: wire::id::TelegramId,
    },
    /// Change password A or B
    #[command(subcommand)]
    Password(about::Password),
    /// Show the settings
    #[command(subcommand)]
    Config(about::ConfigCommand),
    /// Look at paths, keys, clock and connection
    Doctor,
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: cli::Shell,
    },
    /// Print the manual page
    Man,
}

/// What every subcommand has at hand.
struct Context {
    out: Out,
    profile: Profile,
    config: Config,
    password_a: SecretFrom<PasswordA>,
    password_b: SecretFrom<PasswordB>,
}

/// Runs the program: parses its arguments, does what they say, and gives the exit code.
pub fn run() -> ExitCode {
    let cli: Cli = match cli::arguments(command()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let out = cli.common.out();
    // What a subcommand says about its success beside words: a receipt that does not verify, an outcome still unknown.
    let mut verdict = Exit::Ok;
    let code = cli::run(PROGRAM, out, || {
        verdict = start(cli, out)?;
        Ok(())
    });
    if verdict == Exit::Ok { code } else { verdict.into() }
}

/// The command with its password options understood before and after the subcommand.
fn command() -> clap::Command {
    Cli::command().mut_args(|argument| {
        let is_password = argument.get_id().as_str().starts_with("password-");
        if is_password { argument.global(true) } else { argument }
    })
}

fn start(cli: Cli, out: Out) -> Result<Exit, cli::Failure> {
    let profile = Profile::locate(PROGRAM, cli.common.profile.as_deref())?;
    tui_kit::guard::report_panics(PROGRAM, env!("CARGO_PKG_VERSION"), profile.state());
    let config = Config::read(&profile.config_file()).map_err(reach::told)?;
    // A profile is made by joining, not by looking at what is not there.
    let _log = if profile.exists() { tui_kit::log::start(profile.state(), PROGRAM).ok() } else { None };
    let context = Context { out, profile, config, password_a: cli.password_a, password_b: cli.password_b };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match cli.command {
        Some(wanted) => runtime.block_on(wanted.run(&context)),
        None if context.out.is_json() => {
            Err(cli::Failure::usage("the screens have no JSON; name what to do, “tui-member help” lists it"))
        }
        None => runtime.block_on(screens(&context)),
    }
}

/// Opens the screens. A password A that was given in a file or descriptor opens the vault at once.
async fn screens(context: &Context) -> Result<Exit, cli::Failure> {
    let password_a = if context.password_a.is_given() { Some(context.password_a.read()?) } else { None };
    screen::desk::run(context.profile.clone(), &context.config, password_a).await?;
    Ok(Exit::Ok)
}

impl Command {
    async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        match self {
            Self::Guide { invitation } => join::guide(context, &invitation).await,
            Self::Join(join) => join.run(context).await,
            Self::Replace(replace) => replace.run(context).await,
            Self::Kit(kit) => kit.run(context).await,
            Self::Keys(keys) => keys.run(context).await,
            Self::Recovery(recovery) => recovery.run(context).await,
            Self::Status => history::status(context).await,
            Self::Sync => history::sync(context).await,
            Self::Card(card) => card.run(context).await,
            Self::Cards => card::cards(context).await,
            Self::Stores { query } => buy::stores(context, query).await,
            Self::Items(items) => items.run(context).await,
            Self::Item(item) => item.run(context).await,
            Self::Order(order) => order.run(context).await,
            Self::TakeUp(take_up) => take_up.run(context).await,
            Self::Pay(pay) => pay.run(context).await,
            Self::Buy(order) => order.buy(context).await,
            Self::Fetch(fetch) => fetch.run(context).await,
            Self::Open(named) => named.open(context).await,
            Self::History => history::history(context).await,
            Self::Show(named) => named.show(context).await,
            Self::Receipt(receipt) => receipt.run(context).await,
            Self::Evidence(evidence) => evidence.run(context).await,
            Self::Outbox(outbox) => outbox.run(context).await,
            Self::Resolve => outbox::resolve(context).await,
            Self::Withdraw { telegram } => outbox::withdraw(context, telegram).await,
            Self::Password(password) => password.run(context).await,
            Self::Config(config) => config.run(context),
            Self::Doctor => about::doctor(context).await,
            Self::Completions { shell } => cli::completions(command(), shell),
            Self::Man => cli::man(command()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn passwords_are_understood_on_both_sides_of_the_subcommand() {
        for line in [
            "tui-member --profile ./p --json --password-a-file a --password-b-file b pay abc123",
            "tui-member pay abc123 --password-b-file b --password-a-file a --json --profile ./p",
        ] {
            let matches = command().try_get_matches_from(line.split(' ')).unwrap();
            let cli = Cli::from_arg_matches(&matches).unwrap();
            assert!(cli.common.json && cli.password_a.is_given() && cli.password_b.is_given(), "{line}");
        }
    }
}
