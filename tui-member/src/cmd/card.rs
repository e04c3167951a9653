//! `card` and `cards`.

use tui_kit::{
    cli::{self, Exit, Table, facts},
    text::Align,
};

use super::{Context, reach::want};
use crate::{
    act::{Act, Outcome},
    view::{CardRow, FundingRow},
};

/// Prepaid cards.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Card {
    /// Ask for a card of an amount, and learn how to pay for it
    Request {
        /// How much it is to hold: 10000, 10,000, 12.50
        amount: String,
        /// Sign without a line; it waits in the outbox
        #[arg(long)]
        prepare: bool,
    },
}

impl Card {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let Self::Request { amount, prepare } = self;
        let mut reach = context.reach().await?;
        let password_b = Some(context.password_b()?);
        let outcome = reach.act(Act::RequestCard { amount, password_b, prepare }).await?;
        if let Outcome::Prepared(row) = &outcome {
            return super::outbox::prepared(context, row);
        }
        let funding = want!(outcome, Outcome::Funding(row) => row);
        context.out.answer(&funding, |to| {
            writeln!(to, "Transfer exactly this, with exactly this reference:")?;
            facts(to, funding_facts(&funding))
        })?;
        Ok(Exit::Ok)
    }
}

/// `cards`
pub(super) async fn cards(context: &Context) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::Cards).await?;
    let data = outcome.data();
    let cards = want!(outcome, Outcome::Cards(cards) => cards);
    context.out.answer(&data, |to| table(&cards).write(context.out, to))?;
    Ok(Exit::Ok)
}

pub(super) fn table(cards: &[CardRow]) -> Table {
    let heads =
        &[("Card", Align::Left), ("Balance", Align::Right), ("As of", Align::Left), ("State", Align::Left)];
    let mut table = Table::new(heads, "No card yet; “card request AMOUNT” asks for one.");
    for card in cards {
        let state = if card.frozen { "frozen" } else { "in use" };
        table.row([
            card.card.to_string(),
            card.balance.text.clone(),
            card.as_of.text.clone(),
            state.to_owned(),
        ]);
    }
    table
}

pub(super) fn funding_facts(funding: &FundingRow) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("Amount", funding.amount.text.clone()),
        ("Reference", funding.reference.to_string()),
        ("Holder", funding.holder.to_string()),
        ("Account", funding.account.to_string()),
    ];
    rows.extend(funding.bic.iter().map(|bic| ("BIC", bic.to_string())));
    rows.push(("Until", funding.expires.text.clone()));
    rows.push(("Request", funding.request.to_string()));
    rows
}
