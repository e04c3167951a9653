//! `catalogue`, `status`, `sync`, `orders`, `order`.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use serde_json::json;
use tui_kit::{
    cli::{self, Exit, Table, facts},
    text::Align,
};
use wire::amount::Currency;

use super::{Context, reach::want};
use crate::{
    act::{Act, Outcome},
    catalogue::{self, Fault},
    view::{CatalogueView, Money, OrderDetail, OrderRow, OrderStanding, Snapshot},
};

/// How many orders and messages the status shows.
const LATEST: usize = 5;

/// Catalogues.
#[derive(Debug, clap::Subcommand)]
pub(super) enum CatalogueCommand {
    /// Check a catalogue's folder; nothing is published
    Check {
        /// The folder with catalogue.toml
        folder: PathBuf,
        /// The currency of its prices
        #[arg(long, default_value = "JPY", value_parser = currency)]
        currency: Currency,
    },
    /// List what is sold
    Show,
    /// Sell from this folder from now on
    Use {
        /// The folder with catalogue.toml
        folder: PathBuf,
    },
}

/// How an order stands, by its name.
pub(super) fn standing(name: &str) -> Result<OrderStanding, String> {
    let found = OrderStanding::ALL.into_iter().find(|standing| standing.name() == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = OrderStanding::ALL.iter().map(|standing| standing.name()).collect();
        format!("orders are {}", names.join(", "))
    })
}

fn currency(code: &str) -> Result<Currency, String> {
    Currency::of_code(code)
        .ok_or_else(|| format!("there is no currency “{code}”; write a code such as JPY or EUR"))
}

impl CatalogueCommand {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        match self {
            Self::Check { folder, currency } => check(context, folder, currency),
            Self::Show => show_catalogue(context, Act::Catalogue).await,
            Self::Use { folder } => {
                let folder = std::path::absolute(folder)?;
                show_catalogue(context, Act::ChooseCatalogue { folder }).await
            }
        }
    }
}

/// `catalogue check`: needs no vault and no network.
fn check(context: &Context, folder: PathBuf, currency: Currency) -> Result<Exit, cli::Failure> {
    let (items, faults) = match catalogue::read(&folder, currency) {
        Ok(entries) => (entries, Vec::new()),
        Err(faults) => (Vec::new(), faults),
    };
    let fault = |fault: &Fault| {
        let (line, column) = fault.place.unzip();
        json!({ "line": line, "column": column, "item": fault.item, "message": fault.to_string() })
    };
    let data = json!({
        "folder": folder,
        "valid": faults.is_empty(),
        "items": items.len(),
        "faults": faults.iter().map(fault).collect::<Vec<_>>(),
    });
    context.out.answer(&data, |to| {
        for fault in &faults {
            writeln!(to, "{fault}")?;
        }
        if faults.is_empty() {
            let mut table =
                Table::new(&[("Item", Align::Left), ("Price", Align::Right), ("Title", Align::Left)], NONE);
            for item in &items {
                table.row([item.id.to_string(), currency.print(item.price), item.title.to_string()]);
            }
            table.write(context.out, to)?;
        }
        Ok(())
    })?;
    Ok(if faults.is_empty() { Exit::Ok } else { Exit::Refused })
}

const NONE: &str = "The catalogue has no items yet; add [[item]] to catalogue.toml.";

async fn show_catalogue(context: &Context, act: Act) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(act).await?;
    let view: Box<CatalogueView> = want!(outcome, Outcome::Catalogue(view) => view);
    context.out.answer(&view, |to| {
        writeln!(to, "{}", view.folder.display())?;
        for fault in &view.faults {
            writeln!(to, "{fault}")?;
        }
        let heads = &[
            ("Item", Align::Left),
            ("Price", Align::Right),
            ("Bytes", Align::Right),
            ("Title", Align::Left),
        ];
        let mut table = Table::new(heads, NONE);
        for item in &view.items {
            table.row([
                item.id.to_string(),
                item.price.text.clone(),
                item.size.to_string(),
                item.title.to_string(),
            ]);
        }
        table.write(context.out, to)
    })?;
    Ok(if view.faults.is_empty() { Exit::Ok } else { Exit::Refused })
}

/// `status`
pub(super) async fn status(context: &Context) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::Status).await?;
    show_status(context, outcome)
}

/// `sync`
pub(super) async fn sync(context: &Context) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::Sync).await?;
    show_status(context, outcome)
}

fn show_status(context: &Context, outcome: Outcome) -> Result<Exit, cli::Failure> {
    let snapshot = want!(outcome, Outcome::Status(snapshot) => snapshot);
    context.out.answer(&snapshot, |to| home(context, &snapshot, to))?;
    Ok(Exit::Ok)
}

/// `orders`
pub(super) async fn list(context: &Context, state: Option<OrderStanding>) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::Orders { state }).await?;
    let data = outcome.data();
    let rows = want!(outcome, Outcome::Orders(rows) => rows);
    context.out.answer(&data, |to| orders(&rows).write(context.out, to))?;
    Ok(Exit::Ok)
}

/// `order`
pub(super) async fn show(context: &Context, order: String) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::Order { order }).await?;
    let order = want!(outcome, Outcome::Order(order) => order);
    context.out.answer(&order, |to| detail(context, &order, to))?;
    Ok(Exit::Ok)
}

fn home(context: &Context, snapshot: &Snapshot, to: &mut dyn Write) -> io::Result<()> {
    let mut rows = Vec::new();
    rows.extend(snapshot.store.map(|store| ("Store", format!("{store} {}", snapshot.name))));
    rows.extend(
        snapshot.center.iter().map(|center| ("Center", format!("{} ({})", center.name, center.fingerprint))),
    );
    rows.push(("Line", snapshot.line.words()));
    let listening = &snapshot.counter.listening;
    rows.push(("Counter", if listening.is_empty() { "closed".into() } else { listening.join(", ") }));
    let payments = if snapshot.today_payments == 1 { "payment" } else { "payments" };
    rows.push(("Today", format!("{} in {} {payments}", snapshot.today.text, snapshot.today_payments)));
    let Money { text: unclaimed, .. } = &snapshot.unclaimed;
    rows.push(("Unclaimed", format!("{unclaimed}, of which {} can be claimed", snapshot.claimable.text)));
    let counts = snapshot.standings.iter().filter(|standing| standing.count > 0);
    let counts: Vec<String> =
        counts.map(|standing| format!("{} {}", standing.count, standing.state.words())).collect();
    rows.push(("Orders", if counts.is_empty() { "none yet".into() } else { counts.join(", ") }));
    rows.extend(snapshot.catalogue.faults.iter().map(|fault| ("Catalogue", fault.clone())));
    rows.extend(snapshot.findings.iter().map(|finding| ("Vault", finding.clone())));
    facts(to, rows)?;
    for due in &snapshot.refunds {
        writeln!(to, "\n{} over {} is to be given back: {}", due.payment, due.total.text, due.why)?;
    }
    for waiting in &snapshot.outbox {
        writeln!(to, "\n{}: {}", waiting.what, waiting.words)?;
    }
    writeln!(to)?;
    orders(&snapshot.orders[..snapshot.orders.len().min(LATEST)]).write(context.out, to)?;
    for message in snapshot.messages.iter().take(LATEST) {
        writeln!(to, "{}  {}", message.at.text, message.words)?;
    }
    Ok(())
}

pub(super) fn orders(rows: &[OrderRow]) -> Table {
    let heads = &[
        ("Taken", Align::Left),
        ("Goods", Align::Left),
        ("Amount", Align::Right),
        ("Payment", Align::Left),
        ("Order", Align::Left),
        ("State", Align::Left),
    ];
    let mut table =
        Table::new(heads, "No orders; members find the store in the directory while it is open (“serve”).");
    for row in rows {
        table.row([
            row.taken.text.clone(),
            row.goods.clone(),
            row.total.text.clone(),
            row.payment.map(|number| number.to_string()).unwrap_or_default(),
            row.order.short(),
            row.state.words().to_owned(),
        ]);
    }
    table
}

pub(super) fn detail(context: &Context, order: &OrderDetail, to: &mut dyn Write) -> io::Result<()> {
    let row = &order.row;
    let mut rows = vec![
        ("Order", row.order.to_string()),
        ("State", row.state.words().to_owned()),
        ("Taken", row.taken.text.clone()),
        ("Payable until", order.expires.text.clone()),
        ("Total", row.total.text.clone()),
    ];
    if let Some(sold) = &order.sold {
        rows.push(("Sold by", format!("{} ({})", sold.cashier, sold.fingerprint)));
        rows.extend(sold.code.iter().map(|code| ("Pick-up code", code.clone())));
    }
    rows.extend(row.payment.map(|number| ("Payment", number.to_string())));
    rows.extend(order.paid.iter().map(|at| ("Paid", at.text.clone())));
    rows.extend(order.delivered.iter().map(|at| ("Delivered", at.text.clone())));
    rows.extend(order.undeliverable.iter().map(|why| ("Cannot be delivered", why.to_string())));
    rows.extend(order.refund.map(|number| ("Refund", number.to_string())));
    rows.extend(order.claim.map(|number| ("Claim", number.to_string())));
    if !order.note.is_empty() {
        rows.push(("Note", order.note.to_string()));
    }
    facts(to, rows)?;
    writeln!(to)?;
    let heads =
        &[("Item", Align::Left), ("Title", Align::Left), ("Quantity", Align::Right), ("Price", Align::Right)];
    let mut table = Table::new(heads, "");
    for line in &order.lines {
        let price = line.unit_price.text.clone();
        table.row([line.item.to_string(), line.title.to_string(), line.quantity.to_string(), price]);
    }
    table.write(context.out, to)
}
