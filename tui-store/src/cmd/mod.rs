//! The command line.

mod about;
mod cashier;
mod evidence;
mod join;
mod keys;
mod money;
mod orders;
mod outbox;
mod phrase;
mod reach;
mod receipt;
mod serve;
mod till;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tui_kit::{
    cli::{self, Common, Exit, Out, PasswordA, PasswordB, SecretFrom},
    profile::Profile,
};

use crate::cashier::is_till;

/// The program's name.
pub const PROGRAM: &str = "tui-store";

/// The store's program of Inkan: a prepaid settlement network that lives in the terminal.
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
    /// Join a center, or go on where joining stands
    Join(join::Join),
    /// Replace a lost terminal whose recovery phrase is lost, too
    Replace(join::Replace),
    /// Read a center's guide page
    Guide {
        /// The invitation: inkan:KEY@host:port
        invitation: String,
    },
    /// Show the center's admission kit: terms, programs
    Kit {
        /// Download the newer build of this program that the kit offers; nothing is installed
        #[arg(long)]
        download: bool,
    },
    /// Show the keys and what the center states of them, or change them
    Keys {
        #[command(subcommand)]
        change: Option<keys::Keys>,
    },
    /// Prove that the recovery phrase works, or bring a store back with it
    #[command(subcommand)]
    Recovery(keys::Recovery),
    /// Open the counter: sell, deliver, take the mail
    Serve(serve::Serve),
    /// Look at a catalogue
    #[command(subcommand)]
    Catalogue(orders::CatalogueCommand),
    /// Show orders by state, today's total, what is unclaimed, the line
    Status,
    /// Log in, take the mail, ask about everything unknown
    Sync,
    /// List the orders, newest first
    Orders {
        /// Only those that stand so: awaiting-payment, paid, refund-due, delivered, claimed, refunded, expired
        #[arg(value_parser = orders::standing)]
        state: Option<crate::view::OrderStanding>,
    },
    /// Show one order
    Order {
        /// Its hash, at least six digits of it, or its payment's number
        order: String,
    },
    /// Give payments back, each whole
    Refund(money::Refund),
    /// List what can be claimed
    Claimable,
    /// Claim money from the center
    Claim(money::Claim),
    /// List claims and their payouts, newest first
    Payouts,
    /// List, send, take back, export and import telegrams
    Outbox {
        #[command(subcommand)]
        what: Option<outbox::Outbox>,
    },
    /// Ask the center about every telegram whose outcome is unknown
    Resolve,
    /// Take back a telegram that has not left, or ask the center to void one that may have
    Withdraw {
        /// The telegram's id, as the outbox shows it
        telegram: wire::id::TelegramId,
    },
    /// Certify staff's terminals, list them, take their rights away
    #[command(subcommand)]
    Cashier(cashier::CashierCommand),
    /// Work at a till: a cashier's own terminal
    #[command(subcommand)]
    Till(till::TillCommand),
    /// Take receipts out, and check them offline
    #[command(subcommand)]
    Receipt(receipt::Receipt),
    /// Check evidence that the center contradicts itself, offline
    #[command(subcommand)]
    Evidence(evidence::Evidence),
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
    // A profile is made by joining, not by looking at what is not there.
    let _log = if profile.exists() { tui_kit::log::start(profile.state(), PROGRAM).ok() } else { None };
    let context = Context { out, profile, password_a: cli.password_a, password_b: cli.password_b };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Some(wanted) => wanted.run(&context).await,
            None if context.out.is_json() => Err(cli::Failure::usage(
                "the screens have no JSON; name what to do, “tui-store help” lists it",
            )),
            None if is_till(&context.profile) => till::screens(&context).await,
            None => serve::screens(&context).await,
        }
    })
}

impl Command {
    async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        match self {
            Self::Join(join) => join.run(context).await,
            Self::Replace(replace) => replace.run(context).await,
            Self::Guide { invitation } => join::guide(context, &invitation).await,
            Self::Kit { download } => keys::kit(context, download).await,
            Self::Keys { change: Some(change) } => change.run(context).await,
            Self::Keys { change: None } => keys::show(context).await,
            Self::Recovery(recovery) => recovery.run(context).await,
            Self::Serve(serve) => serve.run(context).await,
            Self::Catalogue(catalogue) => catalogue.run(context).await,
            Self::Status => orders::status(context).await,
            Self::Sync => orders::sync(context).await,
            Self::Orders { state } => orders::list(context, state).await,
            Self::Order { order } => orders::show(context, order).await,
            Self::Refund(refund) => refund.run(context).await,
            Self::Claimable => money::claimable(context).await,
            Self::Claim(claim) => claim.run(context).await,
            Self::Payouts => money::payouts(context).await,
            Self::Outbox { what } => what.unwrap_or(outbox::Outbox::List).run(context).await,
            Self::Resolve => money::resolve(context).await,
            Self::Withdraw { telegram } => outbox::Outbox::Withdraw { telegram }.run(context).await,
            Self::Cashier(cashier) => cashier.run(context).await,
            Self::Till(till) => till.run(context).await,
            Self::Receipt(receipt) => receipt.run(context).await,
            Self::Evidence(evidence) => evidence.run(context).await,
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
    fn what_scripts_write_is_understood() {
        let claim =
            format!("tui-store --profile ./p --json --password-a-file a claim {}", wire::id::EntryNumber(4));
        for line in [
            claim.as_str(),
            "tui-store claim --password-b-file b --password-a-file a --json --profile ./p",
            "tui-store serve --headless --listen 127.0.0.1:0 --listen [::1]:0 --catalogue ./c --password-a-fd 3",
            "tui-store refund --all-due --reason cannot-deliver --password-b-file b",
            "tui-store refund --all-due --prepare --password-b-file b",
            "tui-store claim --prepare --password-b-file b",
            "tui-store orders refund-due",
            "tui-store catalogue check ./c",
            "tui-store cashier invite --address shop.example:7100",
            "tui-store cashier add Mori --request-file r --sell --deliver --refund-limit 5,000 --see-day",
            "tui-store cashier revoke Mori --password-b-file b",
            "tui-store --profile till till refund 0a1b2c3d --reason cannot-deliver --password-a-file a --json",
            "tui-store till password --new-file n",
            "tui-store join --field trade_name=Sakura --phrase-out-file p --password-a-file a --password-b-file b",
            "tui-store join --number S-000001-3 --code-file c --prepare --password-b-file b",
            "tui-store keys rotate terminal --password-b-file b",
            "tui-store keys new-phrase --phrase-out-file p --phrase-language ja",
            "tui-store recovery drill --phrase-file p",
            "tui-store recovery restore inkan:k@h:1 --phrase-file p --set-aside",
            "tui-store outbox",
            "tui-store outbox send",
        ] {
            let matches =
                command().try_get_matches_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}"));
            assert!(Cli::from_arg_matches(&matches).is_ok(), "{line}");
        }
    }
}
