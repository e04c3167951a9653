//! `bank-host`: a bank's host-to-host end, for tests and the demonstration.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};
use color_eyre::eyre::{Result, eyre};
use inkan_tests::bank::{Bank, Misbehaviour};

/// A bank that keeps the center's account: takes pain.001, gives pain.002 and camt.054.
#[derive(Parser)]
struct Options {
    /// The folder that the center writes pain.001 files to.
    #[arg(long)]
    from_center: PathBuf,
    /// The folder that the center reads notices from.
    #[arg(long)]
    to_center: PathBuf,
    /// The bank's own books, a file of JSON lines.
    #[arg(long)]
    books: PathBuf,
    /// The center's account at this bank.
    #[arg(long)]
    account: String,
    /// The account's currency.
    #[arg(long, default_value = "JPY")]
    currency: String,
    /// How to go wrong.
    #[arg(long, value_enum)]
    misbehave: Option<Misbehaviour>,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Take and answer transfers until stopped by a signal.
    Serve,
    /// Take and answer what is there, once.
    Work,
    /// A payer transfers money to the center.
    Credit {
        /// How much, in the currency's own notation.
        amount: String,
        /// What the payer writes as reference.
        #[arg(long, default_value = "")]
        reference: String,
        /// Who pays.
        #[arg(long, default_value = "A Payer")]
        payer: String,
    },
    /// Tell a movement again.
    Repeat {
        /// The bank's reference of it.
        bank_reference: String,
    },
    /// List the movements.
    Movements,
}

fn main() -> Result<()> {
    color_eyre::install()?;
    let options = Options::parse();
    let currency =
        wire::amount::Currency::of_code(&options.currency).ok_or_else(|| eyre!("unknown currency"))?;
    let bank = Bank {
        from_customer: options.from_center,
        to_customer: options.to_center,
        books: options.books,
        account: options.account,
        currency: currency.code().to_owned(),
        digits: currency.digits(),
    };
    match options.act {
        Act::Serve => loop {
            if let Err(error) = bank.work(options.misbehave) {
                eprintln!("bank-host: {error:#}");
            }
            std::thread::sleep(Duration::from_millis(200));
        },
        Act::Work => println!("{} files taken", bank.work(options.misbehave)?),
        Act::Credit { amount, reference, payer } => {
            let movement =
                bank.credit(currency.parse(&amount)?.minor(), &reference, &payer, options.misbehave)?;
            println!("{}", serde_json::to_string(&movement)?);
        }
        Act::Repeat { bank_reference } => bank.repeat(&bank_reference)?,
        Act::Movements => {
            for movement in bank.movements()? {
                println!("{}", serde_json::to_string(&movement)?);
            }
        }
    }
    Ok(())
}
