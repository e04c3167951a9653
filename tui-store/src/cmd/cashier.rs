//! `cashier`: staff of the store.

use std::{fs, path::PathBuf};

use tui_kit::{
    cli::{self, Exit, Table, facts},
    text::Align,
};
use wire::{
    amount::{Amount, Currency},
    key::VerificationKey,
    payload::CashierRights,
    text::Line,
    till::CashierRequest,
};

use super::{
    Context,
    money::show_sent,
    reach::{Reach, want},
};
use crate::act::{Act, CashierAct, Outcome};

/// Certify staff's terminals, list them, take their rights away.
#[derive(Debug, clap::Subcommand)]
pub(super) enum CashierCommand {
    /// Print the line that a cashier's terminal joins with (“till join”)
    Invite {
        /// Where the counter is reached, in place of what the directory shows
        #[arg(long, value_name = "HOST:PORT")]
        address: Vec<String>,
    },
    /// Certify a cashier's terminal key, or give it other rights
    Add(Add),
    /// List everybody who is or was a cashier
    List,
    /// Take a cashier's rights away
    Revoke {
        /// The terminal key, at least six digits of it, or the name
        cashier: String,
    },
}

/// Certify a cashier.
#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// The name in the store's lists
    name: String,
    /// The terminal key, 64 hex digits
    #[arg(long, conflicts_with = "request_file", required_unless_present = "request_file")]
    key: Option<VerificationKey>,
    /// The request that “till join” printed, in a file
    #[arg(long, value_name = "FILE")]
    request_file: Option<PathBuf>,
    /// May make offers, and stop and resume the sale of items
    #[arg(long)]
    sell: bool,
    /// May put goods out for their buyers again
    #[arg(long)]
    deliver: bool,
    /// May give back up to this much a day
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    refund_limit: String,
    /// May see the day's figures
    #[arg(long)]
    see_day: bool,
}

impl CashierCommand {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        match self {
            Self::Invite { address } => invite(context, address).await,
            Self::Add(add) => add.run(context).await,
            Self::List => list(context).await,
            Self::Revoke { cashier } => {
                let mut reach = context.reach().await?;
                let password_b = Some(context.password_b()?);
                show_sent(context, ask(&mut reach, CashierAct::Revoke { cashier, password_b }).await?)
            }
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let request = self.request_file.as_ref().map(|file| {
            let text = fs::read_to_string(file)?;
            text.parse::<CashierRequest>()
                .map_err(|error| cli::Failure::usage(format!("{}: {error}", file.display())))
        });
        let request = request.transpose()?;
        let key = self.key.or(request.as_ref().map(|request| request.key));
        let key = key.ok_or_else(|| cli::Failure::usage("name the key, with --key or --request-file"))?;
        let name = Line::new(&self.name).map_err(|error| cli::Failure::usage(error.to_string()))?;

        let mut reach = context.reach().await?;
        let snapshot = want!(reach.act(Act::Status).await?, Outcome::Status(snapshot) => snapshot);
        let center = snapshot.center.as_ref();
        if let Some(request) = &request
            && Some(request.store) != snapshot.store
        {
            let words = format!("the request is for the store {}, which this is not", request.store);
            return Err(cli::Failure::refused("not-possible", words));
        }
        let currency = center.map_or(Currency::YEN, |center| center.currency);
        let refund_limit = limit(&self.refund_limit, currency)?;
        let rights = CashierRights {
            name,
            sell: self.sell,
            deliver: self.deliver,
            refund_limit,
            see_day: self.see_day,
        };
        let password_b = Some(context.password_b()?);
        show_sent(context, ask(&mut reach, CashierAct::Certify { key, rights, password_b }).await?)
    }
}

async fn invite(context: &Context, addresses: Vec<String>) -> Result<Exit, cli::Failure> {
    let mut reach = context.reach().await?;
    let outcome = ask(&mut reach, CashierAct::Invite { addresses }).await?;
    let row = want!(outcome, Outcome::StoreLine(row) => row);
    context.out.answer(&row, |to| {
        writeln!(to, "{}", row.line)?;
        facts(to, [("Store's key", row.fingerprint.clone())])
    })?;
    Ok(Exit::Ok)
}

async fn list(context: &Context) -> Result<Exit, cli::Failure> {
    let mut reach = context.reach().await?;
    let outcome = ask(&mut reach, CashierAct::List).await?;
    let data = outcome.data();
    let rows = want!(outcome, Outcome::Cashiers(rows) => rows);
    let heads = &[
        ("Name", Align::Left),
        ("State", Align::Left),
        ("May", Align::Left),
        ("Limit", Align::Right),
        ("Left today", Align::Right),
        ("Key", Align::Left),
    ];
    let mut table = Table::new(
        heads,
        "No cashiers; “cashier invite” prints the line that a terminal of staff joins with.",
    );
    for row in rows {
        let may = [(row.sell, "sell"), (row.deliver, "deliver"), (row.see_day, "see the day")];
        let may: Vec<&str> = may.into_iter().filter(|(has, _)| *has).map(|(_, may)| may).collect();
        table.row([
            row.name.to_string(),
            row.state.words().to_owned(),
            may.join(", "),
            row.refund_limit.text,
            row.left_today.text,
            row.fingerprint,
        ]);
    }
    context.out.answer(&data, |to| table.write(context.out, to))?;
    Ok(Exit::Ok)
}

async fn ask(reach: &mut Reach, what: CashierAct) -> Result<Outcome, cli::Failure> {
    reach.act(Act::Cashiers { what }).await
}

/// An amount as it is typed on a command line.
fn limit(text: &str, currency: Currency) -> Result<Amount, cli::Failure> {
    currency.parse(text).map_err(|error| cli::Failure::usage(format!("--refund-limit: {error}")))
}
