//! The line to a store: the directory that names it, its catalogue, and its offers.
//!
//! A store is believed for what its terminal key signs, and that key is believed because the store's own signature key
//! certified it: a center that put another key into the directory would have to forge that certificate.

use std::{sync::Arc, time::Duration};

use wire::{
    amount::Currency,
    bounded::{Bytes, List},
    checkpoint::SignedCheckpoint,
    codec,
    id::{CenterId, OrderHash, Salt, StoreNumber},
    key::{SigningKey, VerificationKey},
    limits,
    link::{self, Link, LinkError, Pace},
    order::{Order, OrderLine, order_hash},
    payload::{DirectoryEntry, Offer, TerminalCertificate},
    shop::{self, Item, OrderState, StoreAnswer, StoreHello, StoreRequest, prove_message},
    telegram::Telegram,
    text::{Line, Prose},
    till::PickUpCode,
    time::Timestamp,
    tls,
};

use crate::{
    act::{Failure, Wanted},
    center::{Center, Patience, Session, failure},
    record::{Ordered, Seed},
    view::{ItemRow, Money, StoreRow},
};

/// How many pages of a listing are asked for at most.
const PAGES_MAX: usize = 50;

/// A line to one store.
pub(crate) struct Counter {
    pub(crate) hello: StoreHello,
    /// The store's registered verification key, by the directory.
    pub(crate) store_key: VerificationKey,
    terminal_key: VerificationKey,
    exporter: [u8; 32],
    link: Link<StoreRequest, StoreAnswer>,
    answer: Duration,
}

/// The directory's stores whose name holds `query`.
pub(crate) async fn directory(session: &Session, query: &str) -> Result<Vec<StoreRow>, Failure> {
    let query = Line::new(query).map_err(|error| Failure::not_possible(format!("the search: {error}")))?;
    let mut rows = Vec::new();
    let mut after = None;
    for _ in 0..PAGES_MAX {
        let page =
            session.line.directory(query.clone(), after, session.answer()).await.map_err(|e| failure(&e))?;
        after = page.stores.last().map(|entry| entry.store);
        rows.extend(page.stores.iter().map(|entry| StoreRow {
            store: entry.store,
            name: entry.name.clone(),
            open: !entry.addresses.is_empty(),
            fingerprint: entry.verification_key.fingerprint(),
        }));
        if !page.more || after.is_none() {
            break;
        }
    }
    Ok(rows)
}

/// Opens a line to a store, pinned to the terminal key that the directory's certificate names.
pub(crate) async fn visit(
    center: &Center,
    session: &Session,
    store: StoreNumber,
) -> Result<Counter, Failure> {
    let entry = entry(session, store).await?;
    let terminal_key = certified_key(&session.line.sheet.center, &entry).map_err(|why| {
        Failure::contradiction(format!("the directory's words about {store} are not believed: {why}"))
    });
    let terminal_key = match terminal_key {
        Ok(key) => key,
        Err(failure) => {
            center.alarm(failure.message.clone(), codec::encode(&entry)).await?;
            return Err(failure);
        }
    };
    if entry.addresses.is_empty() {
        return Err(Failure::offline(format!("{} ({store}) is away; try again later", entry.name)));
    }
    let counter = open(&entry, terminal_key, &session.line.sheet.center, center.patience).await;
    counter.map_err(|failure| Failure::new(failure.kind, format!("{} ({store}): {failure}", entry.name)))
}

impl Counter {
    /// Whether the line has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.link.is_closed()
    }

    /// The catalogue's items that fit `query`.
    pub(crate) async fn catalogue(&self, query: &str) -> Result<Vec<Item>, Failure> {
        let query =
            Line::new(query).map_err(|error| Failure::not_possible(format!("the search: {error}")))?;
        let mut items = Vec::new();
        let mut after = None;
        for _ in 0..PAGES_MAX {
            match self.ask(StoreRequest::Catalogue { query: query.clone(), after }).await? {
                StoreAnswer::Catalogue { items: page, more } => {
                    after = page.last().map(|item| item.id.clone());
                    items.extend(page);
                    if !more || after.is_none() {
                        break;
                    }
                }
                _ => return Err(nonsense()),
            }
        }
        Ok(items)
    }

    /// One item.
    pub(crate) async fn item(&self, id: Line) -> Result<Item, Failure> {
        match self.ask(StoreRequest::Item(id)).await? {
            StoreAnswer::Item(item) => Ok(*item),
            _ => Err(nonsense()),
        }
    }

    /// Orders, with a fresh buyer key and salt, and verifies the offer that comes back. Nothing is kept yet.
    pub(crate) async fn order(
        &self,
        center: CenterId,
        currency: Currency,
        wanted: &[Wanted],
        note: Prose,
        now: Timestamp,
    ) -> Result<Ordered, Failure> {
        let order = self.compose(center, currency, wanted, note).await?;
        let bytes = codec::encode(&order);
        let (salt, buyer) = (Salt::random(), SigningKey::generate());
        let too_long = |_| Failure::not_possible("the order is too long; order in two parts");
        let request = StoreRequest::Order {
            order: Bytes::new(bytes.clone()).map_err(too_long)?,
            salt,
            buyer_key: buyer.verification_key(),
        };
        let StoreAnswer::Offer(offer) = self.ask(request).await? else { return Err(nonsense()) };
        let expected = Expected {
            center,
            store: order.store,
            terminal_key: self.terminal_key,
            buyer_key: buyer.verification_key(),
            order: order_hash(&salt, &bytes),
            total: order.total,
            currency,
        };
        check_offer(&offer, &expected, now).map_err(|why| {
            Failure::contradiction(format!(
                "the store's offer is not what was ordered: {why}; nothing was paid"
            ))
        })?;
        Ok(Ordered {
            at: now,
            order: bytes,
            salt,
            buyer: Seed::of(&buyer),
            offer,
            store_name: self.hello.name.clone(),
            store_key: self.store_key,
        })
    }

    /// Takes up what a cashier sold, with the buyer key that is kept for it, and verifies the order and its offer.
    pub(crate) async fn take_up(
        &self,
        (center, currency): (CenterId, Currency),
        code: PickUpCode,
        buyer: &SigningKey,
        now: Timestamp,
    ) -> Result<Ordered, Failure> {
        let buyer_key = buyer.verification_key();
        let StoreAnswer::Sale { order: bytes, salt, offer } =
            self.ask(StoreRequest::TakeUp { code, buyer_key }).await?
        else {
            return Err(nonsense());
        };
        let doubt = |why: &dyn std::fmt::Display| {
            Failure::contradiction(format!("what the store sold makes no sense: {why}; nothing was paid"))
        };
        let bytes = bytes.into_vec();
        let order = Order::decode(&bytes).map_err(|error| doubt(&error))?;
        if order.center != center || order.store != self.hello.store || order.currency != currency {
            return Err(doubt(&"it is for another store, center or currency"));
        }
        let expected = Expected {
            center,
            store: order.store,
            terminal_key: self.terminal_key,
            buyer_key,
            order: order_hash(&salt, &bytes),
            total: order.total,
            currency,
        };
        check_offer(&offer, &expected, now).map_err(|why| doubt(&why))?;
        Ok(Ordered {
            at: now,
            order: bytes,
            salt,
            buyer: Seed::of(buyer),
            offer,
            store_name: self.hello.name.clone(),
            store_key: self.store_key,
        })
    }

    /// Proves to be the buyer of an order on this connection.
    pub(crate) async fn prove(&self, order: OrderHash, buyer: &SigningKey) -> Result<OrderState, Failure> {
        let signature = buyer.sign(&prove_message(&order, &self.exporter));
        self.state_after(StoreRequest::Prove { order, signature }).await
    }

    /// How a proved order stands.
    pub(crate) async fn state(&self, order: OrderHash) -> Result<OrderState, Failure> {
        self.state_after(StoreRequest::State(order)).await
    }

    /// A piece of a proved order's goods.
    pub(crate) async fn chunk(
        &self,
        order: OrderHash,
        line: u32,
        offset: u64,
    ) -> Result<Bytes<{ limits::CHUNK }>, Failure> {
        match self.ask(StoreRequest::Fetch { order, line, offset }).await? {
            StoreAnswer::Chunk { offset: at, bytes } if at == offset => Ok(bytes),
            _ => Err(nonsense()),
        }
    }

    /// Hands over the signed acknowledgement.
    pub(crate) async fn delivered(&self, delivery: Telegram) -> Result<OrderState, Failure> {
        self.state_after(StoreRequest::Delivered(delivery)).await
    }

    /// Shows the hourly checkpoints; those that the store has come back, unverified.
    pub(crate) async fn hours(
        &self,
        own: List<SignedCheckpoint, { limits::HOURS }>,
    ) -> Result<List<SignedCheckpoint, { limits::HOURS }>, Failure> {
        match self.ask(StoreRequest::Hours(own)).await? {
            StoreAnswer::Hours(hours) => Ok(hours),
            _ => Err(nonsense()),
        }
    }

    async fn state_after(&self, request: StoreRequest) -> Result<OrderState, Failure> {
        match self.ask(request).await? {
            StoreAnswer::State(state) => Ok(state),
            _ => Err(nonsense()),
        }
    }

    async fn ask(&self, request: StoreRequest) -> Result<StoreAnswer, Failure> {
        match self.link.call(request, self.answer).await {
            Ok(StoreAnswer::Refused(refusal)) => Err(Failure::refused(refusal)),
            Ok(answer) => Ok(answer),
            Err(error) => Err(Failure::offline(format!("no line to the store: {error}"))),
        }
    }

    /// The order for what is wanted, at the prices of this moment.
    async fn compose(
        &self,
        center: CenterId,
        currency: Currency,
        wanted: &[Wanted],
        note: Prose,
    ) -> Result<Order, Failure> {
        if wanted.is_empty() {
            return Err(Failure::not_possible("nothing is ordered; name at least one item"));
        }
        let mut lines = Vec::new();
        for Wanted { item, quantity } in wanted {
            let found = self.item(item.clone()).await?;
            if found.id != *item {
                return Err(nonsense());
            }
            lines.push(OrderLine {
                item: found.id,
                title: found.title,
                quantity: *quantity,
                unit_price: found.price,
                digest: found.digest,
                size: found.size,
                file_name: found.file_name,
            });
        }
        let total =
            Order::sum(&lines).ok_or_else(|| Failure::not_possible("the order's total is too large"))?;
        let lines =
            List::new(lines).map_err(|error| Failure::not_possible(format!("too many lines: {error}")))?;
        let order = Order { center, store: self.hello.store, currency, lines, total, note };
        order.check().map_err(Failure::not_possible)?;
        Ok(order)
    }
}

/// An item as a row.
pub(crate) fn item_row(item: Item, currency: Currency) -> ItemRow {
    ItemRow {
        price: Money::new(item.price, currency),
        id: item.id,
        title: item.title,
        description: item.description,
        size: item.size,
        file_name: item.file_name,
        tags: item.tags.into_vec(),
        digest: item.digest,
    }
}

/// What an offer must say.
struct Expected {
    center: CenterId,
    store: StoreNumber,
    terminal_key: VerificationKey,
    buyer_key: VerificationKey,
    order: OrderHash,
    total: wire::amount::Amount,
    currency: Currency,
}

/// Whether an offer is signed by the store's terminal key and says exactly what was ordered.
fn check_offer(telegram: &Telegram, expected: &Expected, now: Timestamp) -> Result<(), String> {
    let signed = telegram.verify_self::<Offer>().map_err(|error| error.to_string())?;
    if signed.key() != expected.terminal_key {
        return Err("it is signed by another key than the store's terminal key".into());
    }
    let offer = signed.payload();
    let checks = [
        (offer.center == expected.center, "it is for another center"),
        (offer.store == expected.store, "it is another store's"),
        (offer.terminal_key == expected.terminal_key, "it names another terminal key"),
        (offer.buyer_key == expected.buyer_key, "it names another buyer key"),
        (offer.order == expected.order, "it is for another order"),
        (offer.total == expected.total, "its total is another"),
        (offer.currency == expected.currency, "it is in another currency"),
        (offer.expires > now, "it has expired already"),
        (offer.expires.since_ms(now) <= limits::VALIDITY_MS, "it expires more than 7 days from now"),
    ];
    checks.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, why)| Err((*why).into()))
}

/// The directory's entry of one store.
async fn entry(session: &Session, store: StoreNumber) -> Result<DirectoryEntry, Failure> {
    let after = store.0.checked_sub(1).map(StoreNumber);
    let page =
        session.line.directory(Line::default(), after, session.answer()).await.map_err(|e| failure(&e))?;
    let found = page.stores.into_iter().find(|entry| entry.store == store);
    found.ok_or_else(|| Failure::not_found(format!("the directory has no store {store}")))
}

/// The terminal key of a directory entry, if the store's own key certified it.
fn certified_key(center: &CenterId, entry: &DirectoryEntry) -> Result<VerificationKey, String> {
    let signed = entry.certificate.verify_self::<TerminalCertificate>().map_err(|error| error.to_string())?;
    if signed.key() != entry.verification_key {
        return Err("its terminal key is not certified by its registered key".into());
    }
    if signed.payload().center != *center {
        return Err("its terminal key is certified for another center".into());
    }
    signed.payload().terminal_key.check().map_err(|error| error.to_string())?;
    Ok(signed.payload().terminal_key)
}

async fn open(
    entry: &DirectoryEntry,
    terminal_key: VerificationKey,
    center: &CenterId,
    patience: Patience,
) -> Result<Counter, Failure> {
    let offline = |error: LinkError| match error {
        LinkError::WrongKey(_) => Failure::contradiction(error),
        other => Failure::offline(other),
    };
    let addresses: Vec<&str> = entry.addresses.iter().map(|address| address.as_str()).collect();
    let config = tls::client_config_pinned(terminal_key);
    let connected = link::connect(&addresses, &config, patience.connect).await.map_err(offline)?;
    let exporter = connected.peer().exporter;
    let (hello, greeted) = connected.hello::<StoreHello>(patience.connect).await.map_err(offline)?;
    if !(hello.min_version..=hello.max_version).contains(&shop::VERSION) {
        return Err(Failure::not_possible(format!(
            "the store speaks protocol {} to {}, this program speaks {}",
            hello.min_version,
            hello.max_version,
            shop::VERSION
        )));
    }
    if hello.center != *center || hello.store != entry.store {
        return Err(Failure::contradiction("it says that it is another store than the directory names"));
    }
    let (link, pushes) = greeted.start::<StoreRequest, StoreAnswer, link::NoPush>(Pace::default());
    drop(pushes);
    Ok(Counter {
        hello,
        store_key: entry.verification_key,
        terminal_key,
        exporter,
        link,
        answer: patience.answer,
    })
}

fn nonsense() -> Failure {
    Failure::contradiction("the store answered something else than was asked")
}

/// Shared lines to stores, so that a screen does not shake hands for every page.
pub(crate) type Counters = tokio::sync::Mutex<std::collections::HashMap<StoreNumber, Arc<Counter>>>;

#[cfg(test)]
mod tests;
