//! `refund`, `claimable`, `claim`, `payouts`, `resolve`, and what became of telegrams.

use tui_kit::{
    cli::{self, Exit, Table},
    text::Align,
};
use wire::{id::EntryNumber, payload::RefundReason};

use super::{Context, reach::want};
use crate::{
    act::{Act, Outcome, Sending},
    view::{Resolved, TelegramState},
};

/// Give payments back.
#[derive(Debug, clap::Args)]
pub(super) struct Refund {
    /// The payments' transaction numbers
    payments: Vec<EntryNumber>,
    /// All payments that fit no order or cannot be delivered
    #[arg(long)]
    all_due: bool,
    /// Why; without it, what the store knows about the payment
    #[arg(long, value_enum)]
    reason: Option<Reason>,
    /// Sign without a line and keep it in the outbox; “outbox send” sends it
    #[arg(long)]
    prepare: bool,
}

/// Why a payment is given back.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Reason {
    /// The store does not know the order
    UnknownOrder,
    /// The store cannot deliver
    CannotDeliver,
    /// The amount paid is not the order's
    WrongTotal,
    /// Member and store agreed on it
    Agreed,
}

impl From<Reason> for RefundReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::UnknownOrder => Self::UnknownOrder,
            Reason::CannotDeliver => Self::CannotDeliver,
            Reason::WrongTotal => Self::WrongTotal,
            Reason::Agreed => Self::Agreed,
        }
    }
}

/// Claim money.
#[derive(Debug, clap::Args)]
pub(super) struct Claim {
    /// The payments' transaction numbers; without any, all that can be claimed
    payments: Vec<EntryNumber>,
    /// Sign without a line and keep it in the outbox; “outbox send” sends it
    #[arg(long)]
    prepare: bool,
}

impl Refund {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        if self.payments.is_empty() && !self.all_due {
            return Err(cli::Failure::usage("name the payments to give back, or give --all-due"));
        }
        let mut reach = context.reach().await?;
        let act = Act::Refund {
            payments: self.payments,
            all_due: self.all_due,
            reason: self.reason.map(RefundReason::from),
            password_b: Some(context.password_b()?),
            sending: sending(self.prepare),
        };
        show_sent(context, reach.act(act).await.map_err(or_prepare)?)
    }
}

impl Claim {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let mut reach = context.reach().await?;
        let act = Act::Claim {
            payments: self.payments,
            password_b: Some(context.password_b()?),
            sending: sending(self.prepare),
        };
        show_sent(context, reach.act(act).await.map_err(or_prepare)?)
    }
}

fn sending(prepare: bool) -> Sending {
    if prepare { Sending::Later } else { Sending::AtOnce }
}

/// Without a line there is another way.
fn or_prepare(failure: cli::Failure) -> cli::Failure {
    match failure.code.as_ref() {
        "offline" => failure.hint("with --prepare it is signed and kept in the outbox, to be sent later"),
        _ => failure,
    }
}

/// `claimable`
pub(super) async fn claimable(context: &Context) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::Claimable).await?;
    let claimable = want!(outcome, Outcome::Claimable(claimable) => claimable);
    let heads = &[
        ("Payment", Align::Left),
        ("Amount", Align::Right),
        ("Delivered", Align::Left),
        ("Order", Align::Left),
    ];
    let mut table = Table::new(heads, "Nothing can be claimed: no payment is delivered and unclaimed.");
    for row in &claimable.payments {
        let (amount, delivered) = (row.total.text.clone(), row.delivered.text.clone());
        table.row([row.payment.to_string(), amount, delivered, row.order.short()]);
    }
    context.out.answer(&claimable, |to| {
        table.write(context.out, to)?;
        writeln!(to, "{} in all", claimable.total.text)
    })?;
    Ok(Exit::Ok)
}

/// `payouts`
pub(super) async fn payouts(context: &Context) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::Payouts).await?;
    let data = outcome.data();
    let rows = want!(outcome, Outcome::Payouts(rows) => rows);
    let heads = &[
        ("Claim", Align::Left),
        ("Claimed", Align::Left),
        ("Payments", Align::Right),
        ("Amount", Align::Right),
        ("State", Align::Left),
    ];
    let mut table = Table::new(heads, "Nothing was claimed yet; “claimable” lists what can be.");
    for row in rows {
        table.row([
            row.claim.to_string(),
            row.claimed.text,
            row.payments.to_string(),
            row.total.text,
            row.words,
        ]);
    }
    context.out.answer(&data, |to| table.write(context.out, to))?;
    Ok(Exit::Ok)
}

/// `resolve`
pub(super) async fn resolve(context: &Context) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::Resolve).await?;
    resolved(context, outcome)
}

/// What became of telegrams that were asked about.
pub(super) fn resolved(context: &Context, outcome: Outcome) -> Result<Exit, cli::Failure> {
    let (_, exit) = show(context, outcome)?;
    Ok(exit)
}

/// What became of telegrams that were just sent. One that was refused alone is a failure in the center's words.
pub(super) fn show_sent(context: &Context, outcome: Outcome) -> Result<Exit, cli::Failure> {
    if let Outcome::Resolved(rows) = &outcome
        && let [only] = rows.as_slice()
    {
        match only.state {
            TelegramState::Done | TelegramState::Prepared => {}
            TelegramState::Unknown => {
                let words = format!("{}: {}", only.what, only.words);
                return Err(
                    cli::Failure::unknown("unknown", words).hint("“tui-store resolve” asks the center")
                );
            }
            _ => {
                return Err(cli::Failure::refused("refused", format!("{}: {}", only.what, only.words)));
            }
        }
    }
    let (refused, exit) = show(context, outcome)?;
    Ok(if exit == Exit::Ok && refused { Exit::Refused } else { exit })
}

/// Shows what became of telegrams; whether any was refused, and whether any is still unknown.
fn show(context: &Context, outcome: Outcome) -> Result<(bool, Exit), cli::Failure> {
    let data = outcome.data();
    let rows: Vec<Resolved> = want!(outcome, Outcome::Resolved(rows) => rows);
    let heads = &[("What", Align::Left), ("Number", Align::Left), ("State", Align::Left)];
    let mut table = Table::new(heads, "Nothing waits for an answer.");
    let unknown = rows.iter().any(|row| row.state == TelegramState::Unknown);
    let refused = rows.iter().any(|row| {
        !matches!(row.state, TelegramState::Done | TelegramState::Unknown | TelegramState::Prepared)
    });
    for row in rows {
        let number = row.number.map(|number| number.to_string()).unwrap_or_default();
        table.row([row.what, number, row.words]);
    }
    context.out.answer(&data, |to| table.write(context.out, to))?;
    Ok((refused, if unknown { Exit::Unknown } else { Exit::Ok }))
}
