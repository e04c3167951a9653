//! `till`: a cashier's own terminal.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use tui_kit::{
    cli::{self, Exit, SecretFrom, Table, facts},
    control::{self, ControlError},
    text::Align,
};
use wire::{text::Line, till::StoreLine};

use super::{
    Context,
    about::NewPassword,
    money::{Reason, show_sent},
    orders,
    reach::{told, want},
};
use crate::{
    act::{Failure, FailureKind, Password},
    cashier::{
        self,
        act::{Act, Outcome},
        screen::desk::{self, Ended},
        terminal::{self, Terminal},
        view::{DayView, TillView},
    },
};

/// How long another subcommand may have the vault before this one gives up.
const HELD_WAIT: Duration = Duration::from_secs(10);

/// A cashier's own terminal: a profile of its own kind.
#[derive(Debug, clap::Subcommand)]
pub(super) enum TillCommand {
    /// Make a cashier's terminal of this profile, with the line that “cashier invite” printed; prints the request that
    /// the store's owner certifies it with
    Join {
        /// The line: inkan-till:S-…:KEY@host:port+KEY@host:port
        line: StoreLine,
        /// The name that the store's lists shall show
        #[arg(long, default_value = "Cashier")]
        name: String,
    },
    /// Print the request for the store's owner again
    Request,
    /// Log in, and say what this terminal may do
    Status,
    /// List what the store sells
    Items,
    /// List the store's orders, newest first
    Orders,
    /// Show one order
    Order {
        /// Its hash, at least six digits of it, or its payment's number
        order: String,
    },
    /// Put the goods of a paid order out for its buyer, again too
    Deliver {
        /// Its hash, at least six digits of it, or its payment's number
        order: String,
    },
    /// Give the payment of an order back, whole; the password is asked for
    Refund {
        /// Its hash, at least six digits of it, or its payment's number
        order: String,
        /// Why
        #[arg(long, value_enum, default_value = "agreed")]
        reason: Reason,
    },
    /// List the refunds that were signed here
    Refunds,
    /// Ask what became of every refund whose outcome is unknown
    Resolve,
    /// Show the day's figures
    Day,
    /// Stop the sale of an item for now
    Pause {
        /// The item's id
        item: String,
    },
    /// Sell an item again
    Resume {
        /// The item's id
        item: String,
    },
    /// Change this terminal's password
    Password {
        #[command(flatten)]
        new: SecretFrom<NewPassword>,
    },
    /// Sell to a buyer at the counter; prints the code that the buyer takes the sale up with
    Sell {
        /// The items' ids, each with how many: ITEM or ITEM=QUANTITY
        #[arg(required = true, value_parser = quantity)]
        items: Vec<(String, u32)>,
        /// Words on the order, which the buyer sees
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Wait until an order is paid, or its offer has expired
    Await {
        /// Its hash, at least six digits of it, or its payment's number
        order: String,
    },
}

impl TillCommand {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let act = match self {
            Self::Join { line, name } => return join(context, line, &name).await,
            Self::Request => return request(context).await,
            Self::Status => Act::Status,
            Self::Items => Act::Items,
            Self::Orders => Act::Orders,
            Self::Order { order } => Act::Order { order },
            Self::Deliver { order } => Act::Deliver { order },
            Self::Refund { order, reason } => {
                let mut reach = reach(context).await?;
                // Asked for even where the screens have the vault open: it is given for this one refund.
                let password = Password(reach.password(context)?);
                let act = Act::Refund { order, reason: reason.into(), password };
                return show(context, reach.act(act).await?);
            }
            Self::Password { new } => {
                let mut reach = reach(context).await?;
                let old = Password(reach.password(context)?);
                let act = Act::ChangePassword { old, new: new.read_new()?.into() };
                return show(context, reach.act(act).await?);
            }
            Self::Refunds => Act::Outbox,
            Self::Resolve => Act::Resolve,
            Self::Day => Act::Day,
            Self::Pause { item } => Act::Pause { item, paused: true },
            Self::Resume { item } => Act::Pause { item, paused: false },
            Self::Sell { items, note } => Act::Sell { items, note },
            Self::Await { order } => return paid(context, order).await,
        };
        let outcome = reach(context).await?.act(act).await?;
        show(context, outcome)
    }
}

/// `await`
async fn paid(context: &Context, order: String) -> Result<Exit, cli::Failure> {
    let mut reach = reach(context).await?;
    let outcome = reach.act(Act::Order { order: order.clone() }).await?;
    let mut detail = want!(outcome, Outcome::Order(detail) => detail);
    while detail.row.state.is_open() {
        let act = Act::Await { order: order.clone(), since: detail.row.state };
        detail = want!(reach.act(act).await?, Outcome::Order(detail) => detail);
    }
    let paid = detail.row.payment.is_some();
    show(context, Outcome::Order(detail))?;
    Ok(if paid { Exit::Ok } else { Exit::Refused })
}

/// The screens of a cashier's profile.
pub(super) async fn screens(context: &Context) -> Result<Exit, cli::Failure> {
    let password = if context.password_a.is_given() { Some(context.password_a.read()?) } else { None };
    match desk::run(context.profile.clone(), password).await {
        Ok(_) => Ok(Exit::Ok),
        Err(Ended::Session(error)) => Err(error.into()),
        Err(Ended::Vault(failure)) => Err(told(failure)),
    }
}

async fn join(context: &Context, line: StoreLine, name: &str) -> Result<Exit, cli::Failure> {
    let name = Line::new(name).map_err(|error| cli::Failure::usage(error.to_string()))?;
    let known = vault::Vault::exists(context.profile.data());
    let password = if known { context.password_a.read()? } else { context.password_a.read_new()? };
    let view = terminal::join(&context.profile, line, name, password).await.map_err(told)?;
    show_request(context, &view)
}

async fn request(context: &Context) -> Result<Exit, cli::Failure> {
    let outcome = reach(context).await?.act(Act::Status).await?;
    let view = want!(outcome, Outcome::Status(view) => view);
    show_request(context, &view)
}

fn show_request(context: &Context, view: &TillView) -> Result<Exit, cli::Failure> {
    context.out.answer(view, |to| writeln!(to, "{}", view.request))?;
    context.out.say(&format!(
        "give this line to the owner of {}, who certifies it: tui-store cashier add NAME --request-file FILE",
        view.store
    ));
    context.out.say(&format!("this terminal's key is {}", view.fingerprint));
    Ok(Exit::Ok)
}

/// The way to a cashier's terminal.
enum Reach {
    /// The screens have the vault open and do the acts.
    Running(Box<control::Client>),
    /// This process has the vault.
    Own(Terminal, SecretString),
}

async fn reach(context: &Context) -> Result<Reach, cli::Failure> {
    if !cashier::is_till(&context.profile) {
        let words = format!("profile {} is not a cashier's terminal", context.profile.name());
        return Err(cli::Failure::refused("not-joined", words)
            .hint("make one: tui-store --profile NAME till join STORE-LINE"));
    }
    let since = Instant::now();
    let mut password = None;
    loop {
        match control::connect(&context.profile.control_socket()).await {
            Ok(client) => return Ok(Reach::Running(Box::new(client))),
            Err(ControlError::NotRunning) => {}
            Err(error) => return Err(error.into()),
        }
        let password = match &password {
            Some(password) => password,
            None => password.insert(context.password_a.read()?),
        };
        match Terminal::open(&context.profile, password).await {
            Ok(terminal) => {
                for finding in terminal.findings() {
                    context.out.say(&format!("vault: {finding}"));
                }
                return Ok(Reach::Own(terminal, password.clone()));
            }
            // Another subcommand is at work; it will not take long.
            Err(failure) if failure.kind == FailureKind::Held && since.elapsed() < HELD_WAIT => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(failure) => return Err(told(failure)),
        }
    }
}

impl Reach {
    async fn act(&mut self, act: Act) -> Result<Outcome, cli::Failure> {
        match self {
            Self::Own(terminal, _) => terminal.act(act).await.map_err(told),
            Self::Running(client) => {
                let answer = client.call(&act).await?;
                let outcome: Result<Outcome, Failure> =
                    serde_json::from_value(answer).map_err(|_| ControlError::Malformed)?;
                outcome.map_err(told)
            }
        }
    }

    /// The password for one act: the one that has just opened the vault, else it is asked for.
    fn password(&self, context: &Context) -> Result<SecretString, cli::Failure> {
        match self {
            Self::Own(_, password) => Ok(password.clone()),
            Self::Running(_) => Ok(context.password_a.read()?),
        }
    }
}

fn show(context: &Context, outcome: Outcome) -> Result<Exit, cli::Failure> {
    let data = outcome.data();
    match outcome {
        Outcome::Status(view) => context.out.answer(&data, |to| facts(to, status(&view)))?,
        Outcome::Orders(rows) => {
            context.out.answer(&data, |to| orders::orders(&rows).write(context.out, to))?;
        }
        Outcome::Order(order) => {
            context.out.answer(&data, |to| orders::detail(context, &order, to))?;
        }
        Outcome::Resolved(rows) => {
            let shown = show_sent(context, crate::act::Outcome::Resolved(rows));
            return shown.map_err(|failure| match failure.exit {
                Exit::Unknown => failure.hint("“tui-store till resolve” asks again"),
                _ => failure,
            });
        }
        Outcome::Outbox(rows) => {
            let heads = &[("What", Align::Left), ("Signed", Align::Left), ("State", Align::Left)];
            let mut table = Table::new(heads, "No refund was signed here.");
            for row in rows {
                table.row([row.what, row.prepared.text, row.words]);
            }
            context.out.answer(&data, |to| table.write(context.out, to))?;
        }
        Outcome::Day(day) => context.out.answer(&data, |to| {
            facts(to, figures(&day))?;
            writeln!(to)?;
            shares(&day).write(context.out, to)
        })?,
        Outcome::Paused(view) => context.out.answer(&data, |to| {
            if view.paused.is_empty() {
                return writeln!(to, "Everything in the catalogue is sold.");
            }
            let paused: Vec<&str> = view.paused.iter().map(|item| item.as_str()).collect();
            writeln!(to, "Not sold now: {}", paused.join(", "))
        })?,
        Outcome::Items(items) => {
            let heads = &[("Item", Align::Left), ("Title", Align::Left), ("Price", Align::Right)];
            let mut table = Table::new(heads, "The store sells nothing now.");
            for item in items {
                table.row([item.id.to_string(), item.title.to_string(), item.price.text]);
            }
            context.out.answer(&data, |to| table.write(context.out, to))?;
        }
        Outcome::Sale(sale) => {
            let rows = [
                ("Pick-up code", sale.code.clone()),
                ("Store", sale.store.to_string()),
                ("Total", sale.total.text.clone()),
                ("Good until", sale.expires.text.clone()),
                ("Order", sale.order.to_string()),
            ];
            context.out.answer(&data, |to| facts(to, rows))?;
            context.out.say(&format!("the buyer types: tui-member take-up {} {}", sale.store, sale.code));
        }
        Outcome::Done => context.out.answer(&data, |to| writeln!(to, "changed"))?,
    }
    Ok(Exit::Ok)
}

fn status(view: &TillView) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("Store", format!("{} {}", view.store, view.store_name)),
        ("Cashier", view.name.to_string()),
        ("Key", view.fingerprint.clone()),
        ("Line", view.line.clone()),
    ];
    match &view.rights {
        Some(rights) => {
            rows.push(("May", rights.words()));
            rows.extend(rights.left.iter().map(|left| ("Left today", left.text.clone())));
        }
        None => rows.push(("May", "nothing yet: the store's owner has not certified this terminal".into())),
    }
    if view.unknown > 0 {
        rows.push(("Unknown", format!("{} refunds; “till resolve” asks", view.unknown)));
    }
    rows
}

fn figures(day: &DayView) -> Vec<(&'static str, String)> {
    vec![
        ("Day", day.day.to_string()),
        ("Orders taken", day.orders.to_string()),
        ("Paid", format!("{} in {}", day.paid_total.text, day.paid)),
        ("Given back", format!("{} in {}", day.refunded_total.text, day.refunds)),
    ]
}

fn shares(day: &DayView) -> Table {
    let heads = &[
        ("Cashier", Align::Left),
        ("Offers", Align::Right),
        ("Put out again", Align::Right),
        ("Refunds", Align::Right),
        ("Given back", Align::Right),
    ];
    let mut table = Table::new(heads, "The store has no cashiers.");
    for share in &day.cashiers {
        table.row([
            share.name.to_string(),
            share.offers.to_string(),
            share.delivered.to_string(),
            share.refunds.to_string(),
            share.refunded.text.clone(),
        ]);
    }
    table
}

/// `ITEM` or `ITEM=QUANTITY`.
fn quantity(text: &str) -> Result<(String, u32), String> {
    let Some((item, quantity)) = text.rsplit_once('=') else { return Ok((text.to_owned(), 1)) };
    let quantity = quantity.parse().map_err(|_| format!("“{quantity}” is no quantity; write ITEM=2"))?;
    Ok((item.to_owned(), quantity))
}
