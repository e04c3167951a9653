//! `stores`, `items`, `item`, `order`, `take-up`, `pay`, `buy`, `fetch`, `open`, `show`.

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process,
};

use serde::Serialize;
use tui_kit::{
    cli::{self, Exit, Table, facts},
    text::{Align, bytes},
};
use wire::{
    id::{CardNumber, StoreNumber},
    text::Line,
    till::PickUpCode,
};

use super::{
    Context,
    reach::{Reach, want},
};
use crate::{
    act::{Act, Outcome, Wanted},
    view::{FetchedGoods, Offered, PurchaseDetail},
};

/// `items`
#[derive(Debug, clap::Args)]
pub(super) struct Items {
    /// The store's number
    store: StoreNumber,
    /// What title, tags or description must contain
    query: Option<String>,
}

/// `item`
#[derive(Debug, clap::Args)]
pub(super) struct Item {
    /// The store's number
    store: StoreNumber,
    /// The item's id
    item: String,
}

/// `order` and `buy`
#[derive(Debug, clap::Args)]
pub(super) struct Order {
    /// The store's number
    store: StoreNumber,
    /// What is wanted: ITEM, or ITEM=QUANTITY
    #[arg(required = true, value_name = "ITEM[=QTY]", value_parser = wanted)]
    items: Vec<Wanted>,
    /// Words to the store
    #[arg(long, default_value = "")]
    note: String,
    /// For buying: the card that pays; without it, the first that holds enough
    #[arg(long)]
    card: Option<CardNumber>,
    /// For buying: also copy the goods into this directory
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// `take-up`
#[derive(Debug, clap::Args)]
pub(super) struct TakeUp {
    /// The store's number
    store: StoreNumber,
    /// The code that the cashier shows
    code: PickUpCode,
}

/// `pay`
#[derive(Debug, clap::Args)]
pub(super) struct Pay {
    /// The order: its hash, or the beginning of it
    order: String,
    /// The card that pays; without it, the first that holds enough
    #[arg(long)]
    card: Option<CardNumber>,
    /// Sign without a line; it waits in the outbox
    #[arg(long)]
    prepare: bool,
}

/// `fetch`
#[derive(Debug, clap::Args)]
pub(super) struct Fetch {
    /// The order: its hash, the beginning of it, or its transaction number
    order: String,
    /// Also copy the goods into this directory
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// A purchase by name.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// The order: its hash, the beginning of it, or its transaction number
    order: String,
}

fn wanted(text: &str) -> Result<Wanted, String> {
    let (item, quantity) = match text.rsplit_once('=') {
        Some((item, quantity)) => {
            (item, quantity.parse().map_err(|_| format!("“{quantity}” is no quantity; write ITEM=2"))?)
        }
        None => (text, 1),
    };
    let item = Line::new(item).map_err(|error| error.to_string())?;
    Ok(Wanted { item, quantity })
}

/// `stores`
pub(super) async fn stores(context: &Context, query: Option<String>) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::Stores { query: query.unwrap_or_default() }).await?;
    let data = outcome.data();
    let stores = want!(outcome, Outcome::Stores(stores) => stores);
    let mut table = Table::new(
        &[("Store", Align::Left), ("Name", Align::Left), ("State", Align::Left)],
        "The directory lists no such store.",
    );
    for store in stores {
        let state = if store.open { "open" } else { "away" };
        table.row([store.store.to_string(), store.name.to_string(), state.to_owned()]);
    }
    context.out.answer(&data, |to| table.write(context.out, to))?;
    Ok(Exit::Ok)
}

impl Items {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let act = Act::Items { store: self.store, query: self.query.unwrap_or_default() };
        let outcome = context.reach().await?.act(act).await?;
        let data = outcome.data();
        let items = want!(outcome, Outcome::Items(items) => items);
        let mut table = Table::new(
            &[
                ("Item", Align::Left),
                ("Title", Align::Left),
                ("Price", Align::Right),
                ("Size", Align::Right),
                ("Tags", Align::Left),
            ],
            "The catalogue has nothing like it.",
        );
        for item in items {
            let tags: Vec<&str> = item.tags.iter().map(|tag| tag.as_str()).collect();
            table.row([
                item.id.to_string(),
                item.title.to_string(),
                item.price.text.clone(),
                bytes(item.size),
                tags.join(", "),
            ]);
        }
        context.out.answer(&data, |to| table.write(context.out, to))?;
        Ok(Exit::Ok)
    }
}

impl Item {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let item =
            Line::new(&self.item).map_err(|error| cli::Failure::usage(format!("the item's id: {error}")))?;
        let outcome = context.reach().await?.act(Act::Item { store: self.store, item }).await?;
        let data = outcome.data();
        let item = want!(outcome, Outcome::Item(item) => item);
        context.out.answer(&data, |to| {
            let rows = [
                ("Item", item.id.to_string()),
                ("Title", item.title.to_string()),
                ("Price", item.price.text.clone()),
                ("File", format!("{}, {}", item.file_name, bytes(item.size))),
                ("SHA-256", item.digest.to_string()),
            ];
            facts(to, rows)?;
            writeln!(to, "\n{}", item.description)
        })?;
        Ok(Exit::Ok)
    }
}

impl Order {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let mut reach = context.reach().await?;
        let offered = self.order(&mut reach).await?;
        context.out.answer(&offered, |to| review(&offered, to))?;
        Ok(Exit::Ok)
    }

    /// `buy`: at a terminal the review is shown before password B is asked for.
    pub(super) async fn buy(self, context: &Context) -> Result<Exit, cli::Failure> {
        let mut reach = context.reach().await?;
        let offered = self.order(&mut reach).await?;
        if !context.out.is_json() {
            review(&offered, &mut io::stderr().lock())?;
        }
        let order = offered.order.to_string();
        let pay = Pay { order: order.clone(), card: self.card, prepare: false };
        pay.pay(context, &mut reach).await?;
        let goods = Fetch { order: order.clone(), to: self.to }.fetch(context, &mut reach).await?;
        let purchase =
            want!(reach.act(Act::Purchase { order }).await?, Outcome::Purchase(purchase) => *purchase);
        #[derive(Serialize)]
        struct Bought {
            #[serde(flatten)]
            purchase: PurchaseDetail,
            files: Vec<PathBuf>,
            delivered: bool,
        }
        let bought = Bought { purchase, files: goods.files, delivered: goods.acknowledged };
        context.out.answer(&bought, |to| {
            detail(&bought.purchase, to)?;
            bought.files.iter().try_for_each(|file| writeln!(to, "{}", file.display()))
        })?;
        Ok(Exit::Ok)
    }

    async fn order(&self, reach: &mut Reach) -> Result<Offered, cli::Failure> {
        let act = Act::Order { store: self.store, lines: self.items.clone(), note: self.note.clone() };
        Ok(want!(reach.act(act).await?, Outcome::Offered(offered) => *offered))
    }
}

impl TakeUp {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let act = Act::TakeUp { store: self.store, code: self.code };
        let outcome = context.reach().await?.act(act).await?;
        let offered = want!(outcome, Outcome::Offered(offered) => *offered);
        context.out.answer(&offered, |to| review(&offered, to))?;
        Ok(Exit::Ok)
    }
}

impl Pay {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let mut reach = context.reach().await?;
        let outcome = self.pay(context, &mut reach).await?;
        if let Outcome::Prepared(row) = &outcome {
            return super::outbox::prepared(context, row);
        }
        let purchase = want!(outcome, Outcome::Purchase(purchase) => *purchase);
        context.out.answer(&purchase, |to| detail(&purchase, to))?;
        Ok(Exit::Ok)
    }

    async fn pay(self, context: &Context, reach: &mut Reach) -> Result<Outcome, cli::Failure> {
        let Self { order, card, prepare } = self;
        reach.act(Act::Pay { order, card, password_b: Some(context.password_b()?), prepare }).await
    }
}

impl Fetch {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let mut reach = context.reach().await?;
        let goods = self.fetch(context, &mut reach).await?;
        context.out.answer(&goods, |to| {
            goods.files.iter().try_for_each(|file| writeln!(to, "{}", file.display()))?;
            writeln!(to, "{}", if goods.acknowledged { "delivered" } else { "fetched, not yet acknowledged" })
        })?;
        Ok(Exit::Ok)
    }

    async fn fetch(self, context: &Context, reach: &mut Reach) -> Result<FetchedGoods, cli::Failure> {
        let act = Act::Fetch { order: self.order };
        let outcome = match reach {
            Reach::Own(handle) if !context.out.is_json() && io::stderr().is_terminal() => {
                let mut transfers = handle.transfers();
                let watching = tokio::spawn(async move {
                    while transfers.changed().await.is_ok() {
                        for transfer in transfers.borrow_and_update().iter() {
                            let left = transfer.left_ms.map_or_else(String::new, |ms| {
                                format!(
                                    ", {} left",
                                    tui_kit::text::span(std::time::Duration::from_millis(ms))
                                )
                            });
                            eprint!(
                                "\r\x1b[K{}: {} of {}, {}/s{left}",
                                transfer.file_name,
                                bytes(transfer.done),
                                bytes(transfer.total),
                                bytes(transfer.rate)
                            );
                        }
                    }
                });
                let outcome = reach.act(act).await;
                watching.abort();
                eprint!("\r\x1b[K");
                outcome?
            }
            _ => reach.act(act).await?,
        };
        let mut goods = want!(outcome, Outcome::Fetched(goods) => goods);
        if let Some(to) = &self.to {
            goods.files = goods.files.iter().map(|file| copy(file, to)).collect::<Result<_, _>>()?;
        }
        Ok(goods)
    }
}

impl Named {
    /// `open`
    pub(super) async fn open(self, context: &Context) -> Result<Exit, cli::Failure> {
        let outcome = context.reach().await?.act(Act::Open { order: self.order }).await?;
        let goods = want!(outcome, Outcome::Fetched(goods) => goods);
        context.out.answer(&goods, |to| {
            goods.files.iter().try_for_each(|file| writeln!(to, "{}", file.display()))
        })?;
        if let (Some(opener), false) = (&context.config.opener, context.out.is_json()) {
            for file in &goods.files {
                let status = process::Command::new(opener).arg(file).status().map_err(|error| {
                    cli::Failure::refused("machine", format!("starting {opener} failed: {error}"))
                })?;
                if !status.success() {
                    return Err(cli::Failure::refused("machine", format!("{opener} ended with {status}")));
                }
            }
        }
        Ok(Exit::Ok)
    }

    /// `show`
    pub(super) async fn show(self, context: &Context) -> Result<Exit, cli::Failure> {
        let outcome = context.reach().await?.act(Act::Purchase { order: self.order }).await?;
        let purchase = want!(outcome, Outcome::Purchase(purchase) => purchase);
        context.out.answer(&purchase, |to| detail(&purchase, to))?;
        Ok(Exit::Ok)
    }
}

/// What a buyer looks at before paying.
fn review(offered: &Offered, to: &mut dyn Write) -> io::Result<()> {
    let mut rows = vec![
        ("Order", offered.order.to_string()),
        ("Store", format!("{} {}", offered.store_name, offered.store)),
    ];
    for line in &offered.lines {
        rows.push(("Goods", format!("{} × {} at {}", line.quantity, line.title, line.price.text)));
    }
    rows.push(("Total", offered.total.text.clone()));
    rows.push(("Until", offered.expires.text.clone()));
    if let (Some(card), Some(before), Some(after)) =
        (offered.card, &offered.balance_before, &offered.balance_after)
    {
        rows.push(("Card", format!("{card}: {} before, {} after", before.text, after.text)));
    }
    rows.extend(offered.warnings.iter().map(|warning| ("Note", warning.clone())));
    facts(to, rows)
}

fn detail(purchase: &PurchaseDetail, to: &mut dyn Write) -> io::Result<()> {
    let row = &purchase.row;
    let mut rows = vec![
        ("State", row.words.clone()),
        ("Store", format!("{} {}", row.store_name, row.store)),
        ("Total", row.total.text.clone()),
        ("At", row.at.text.clone()),
    ];
    rows.extend(row.number.map(|number| ("Transaction", number.to_string())));
    rows.extend(purchase.card.map(|card| ("Card", card.to_string())));
    rows.extend(purchase.balance.iter().map(|balance| ("Balance", balance.text.clone())));
    for line in &purchase.lines {
        let file = line.file.as_ref().map_or_else(String::new, |file| format!(", {}", file.display()));
        rows.push(("Goods", format!("{} × {}{file}", line.quantity, line.title)));
    }
    rows.push(("Order", row.order.to_string()));
    facts(to, rows)
}

/// Copies a fetched file into a directory of the caller's, under its own name, never over another file.
fn copy(file: &Path, to: &Path) -> Result<PathBuf, cli::Failure> {
    let own = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    fs::create_dir_all(to)?;
    let mut source = fs::File::open(file)?;
    for number in 1..1_000 {
        let name = if number == 1 { own.clone() } else { format!("{number}-{own}") };
        let target = to.join(name);
        match fs::File::create_new(&target) {
            Ok(mut made) => {
                io::copy(&mut source, &mut made)?;
                return Ok(target);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(cli::Failure::refused("machine", format!("{} holds a thousand files called {own}", to.display())))
}
