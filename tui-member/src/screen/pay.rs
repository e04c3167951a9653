//! Paying an order: the store's offer, the review, password B, and an honest state in words.

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::layout::{Constraint, Layout, Rect},
    review::{Pressed, Review},
    stack::{Screen, layer},
    theme::Tone,
    ui::Ui,
};
use wire::{id::StoreNumber, text::Line, till::PickUpCode};

use crate::{
    act::{Act, Failure, FailureKind, Outcome, Wanted},
    screen::{
        News, Step, Steps,
        asked::Asked,
        purchase::Purchase,
        shared::{PREPARED_WORDS, Shared, password_b},
    },
    view::{LineRow, LineView, Money, Offered, OutboxRow, PurchaseDetail, PurchaseRow, PurchaseState},
};

/// A payment on its way.
pub(crate) struct Pay {
    store_name: Line,
    /// What the store is asked for; none when the order came from the history.
    wanted: Option<Asking>,
    at: At,
}

/// What the store is asked for.
enum Asking {
    /// An order, which can be made again when the offer has expired.
    Order(StoreNumber, Vec<Wanted>, String),
    /// What a cashier sold under a code.
    Sold(StoreNumber, PickUpCode),
}

impl Asking {
    fn act(&self) -> Act {
        match self {
            Self::Order(store, lines, note) => {
                Act::Order { store: *store, lines: lines.clone(), note: note.clone() }
            }
            Self::Sold(store, code) => Act::TakeUp { store: *store, code: *code },
        }
    }
}

/// Where the payment stands.
enum At {
    /// Waiting for the store's offer, or there is none.
    Ordering(Asked<Box<Offered>>),
    /// The offer is here; nothing is signed.
    Review {
        offered: Box<Offered>,
        review: Box<Review>,
        /// There is no line: it is signed and waits in the outbox.
        prepare: bool,
    },
    /// Password B was given.
    Paying { offered: Box<Offered>, asked: Asked<Box<PurchaseDetail>> },
    /// The receipt is checked.
    Settled(Box<PurchaseDetail>),
    /// Nothing was paid.
    Refused { why: String },
    /// It may have been paid.
    Unknown { offered: Box<Offered>, why: String },
}

/// What can be done with a payment.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Again,
    Fetch,
    Show,
    Ask,
    Cart,
}

impl Pay {
    /// Orders from a store, and pays what it offers.
    pub(crate) fn order(store: StoreNumber, store_name: Line, lines: Vec<Wanted>, note: String) -> Self {
        let wanted = Some(Asking::Order(store, lines, note));
        Self { store_name, wanted, at: At::Ordering(Asked::Not) }
    }

    /// Takes up what a cashier of a store sold, and pays it.
    pub(crate) fn sold(store: StoreNumber, store_name: Line, code: PickUpCode) -> Self {
        Self { store_name, wanted: Some(Asking::Sold(store, code)), at: At::Ordering(Asked::Not) }
    }

    /// Pays an offer of the history that has not expired.
    pub(crate) fn offered(detail: &PurchaseDetail, shared: &Shared) -> Self {
        let total = detail.row.total.minor;
        let card = shared.snapshot.cards.iter().find(|card| !card.frozen && card.balance.minor >= total);
        let after = card.and_then(|card| wire::amount::Amount::new(card.balance.minor - total));
        let offered = Offered {
            order: detail.row.order,
            store: detail.row.store,
            store_name: detail.row.store_name.clone(),
            lines: detail.lines.clone(),
            total: detail.row.total.clone(),
            expires: detail.offer_expires.clone(),
            card: card.map(|card| card.card),
            balance_before: card.map(|card| card.balance.clone()),
            balance_after: after.map(|after| Money::new(after, shared.currency())),
            warnings: match card {
                Some(_) => Vec::new(),
                None => vec![format!("no card holds {}", detail.row.total.text)],
            },
        };
        Self { store_name: offered.store_name.clone(), wanted: None, at: reviewed(Box::new(offered), shared) }
    }

    fn ask(&mut self, shared: &mut Shared) -> Steps {
        let (Some(wanted), At::Ordering(asked)) = (&self.wanted, &mut self.at) else {
            return Steps::new();
        };
        vec![asked.ask(wanted.act(), "the store's offer", shared)]
    }

    /// The engine has answered about the payment, or said why not.
    fn answered(&mut self, result: Result<Box<PurchaseDetail>, Failure>, shared: &mut Shared) -> Steps {
        let At::Paying { offered, .. } = &self.at else { return Steps::new() };
        let offered = offered.clone();
        match result {
            Ok(detail) => self.settled(detail, shared),
            Err(failure) if matches!(failure.kind, FailureKind::WrongPassword | FailureKind::Offline) => {
                self.at = reviewed(offered, shared);
                if let At::Review { review, .. } = &mut self.at {
                    review.refuse(failure.message);
                }
                Steps::new()
            }
            Err(failure) => {
                let waits = row(shared, &offered).is_some_and(|row| is_open(row.state));
                let why = failure.message;
                self.at = match failure.kind == FailureKind::Unknown || waits {
                    true => At::Unknown { offered, why },
                    false => At::Refused { why },
                };
                Steps::new()
            }
        }
    }

    fn is_order(&self) -> bool {
        matches!(self.wanted, Some(Asking::Order(..)))
    }

    fn settled(&mut self, detail: Box<PurchaseDetail>, shared: &mut Shared) -> Steps {
        let bought = |store: StoreNumber, item: &Line| {
            store == detail.row.store && detail.lines.iter().any(|line| line.item == *item)
        };
        let left: Vec<_> =
            shared.cart.iter().filter(|line| !bought(line.store, &line.item)).cloned().collect();
        let mut steps = Steps::new();
        if self.is_order() && left.len() < shared.cart.len() {
            steps.push(shared.keep_cart(left));
        }
        self.at = At::Settled(detail);
        steps
    }

    /// While the outcome is not known here, the vault's own state may already say it.
    fn follow(&mut self, shared: &mut Shared) -> Steps {
        let At::Unknown { offered, .. } = &self.at else { return Steps::new() };
        let Some(row) = row(shared, offered) else { return Steps::new() };
        match row.state {
            PurchaseState::Settled | PurchaseState::Fetched | PurchaseState::Delivered => {
                let act = Act::Purchase { order: row.order.to_string() };
                let offered = offered.clone();
                let mut asked = Asked::Not;
                let step = asked.ask(act, "the purchase", shared);
                self.at = At::Paying { offered, asked };
                vec![step]
            }
            PurchaseState::Refused
            | PurchaseState::Void
            | PurchaseState::Expired
            | PurchaseState::Refunded => {
                self.at = At::Refused { why: row.words.clone() };
                Steps::new()
            }
            _ => Steps::new(),
        }
    }
}

impl Screen<Shared> for Pay {
    type Do = Do;
    const NAME: &'static str = "pay";

    fn title(&self, _shared: &Shared) -> String {
        format!("Pay › {}", self.store_name)
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let at = &self.at;
        let failed = matches!(at, At::Ordering(Asked::Failed(_)));
        let (settled, refused) = (matches!(at, At::Settled(_)), matches!(at, At::Refused { .. }));
        let unknown = matches!(at, At::Unknown { .. });
        vec![
            Action::new(Do::Fetch, "fetch", "f enter", "Fetch goods", "Fetches what was bought.")
                .when(settled, "the payment is not settled"),
            Action::new(Do::Ask, "resolve", "r", "Ask center", "Asks what became of the payment.")
                .when(unknown, "its outcome is not unknown"),
            Action::new(Do::Again, "again", "o", "Order again", "Asks the store for a new offer.")
                .when(failed || refused, "this order is still good")
                .when(self.is_order() || (self.wanted.is_some() && failed), "order it again at the store"),
            Action::new(Do::Cart, "to-cart", "c", "Cart", "Back to the cart, to change what is ordered.")
                .when(failed || refused, "this order is still good")
                .when(self.is_order(), "it was not ordered from the cart"),
            Action::new(Do::Show, "show", "p", "Purchase", "Shows the purchase as far as it is known.")
                .when(settled || unknown || refused, "nothing is paid yet"),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match (todo, &self.at) {
            (Do::Again, _) => {
                self.at = At::Ordering(Asked::Not);
                self.ask(shared)
            }
            (Do::Cart, _) => vec![Step::Go("cart")],
            (Do::Fetch, At::Settled(detail)) => {
                vec![Step::Swap(layer(Purchase::new(detail.row.order).fetching()))]
            }
            (Do::Show, At::Settled(detail)) => vec![Step::Swap(layer(Purchase::new(detail.row.order)))],
            (Do::Show, At::Unknown { offered, .. }) => vec![Step::Swap(layer(Purchase::new(offered.order)))],
            (Do::Show, _) => vec![Step::Go("history")],
            (Do::Ask, _) => {
                vec![shared.order(Act::Resolve), Step::Say(Tone::Plain, "asking the center".into())]
            }
            (Do::Fetch, _) => Steps::new(),
        }
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.ask(shared)
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let At::Review { offered, review, prepare } = &mut self.at else { return None };
        match review.press(key) {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Free | Pressed::Back => None,
            Pressed::Commit(consent) => {
                let (order, card, prepare) = (offered.order.to_string(), offered.card, *prepare);
                let offered = offered.clone();
                let mut asked = Asked::Not;
                let act = Act::Pay { order, card, password_b: password_b(consent), prepare };
                let step = asked.ask(act, "the center's answer", shared);
                self.at = At::Paying { offered, asked };
                Some(vec![step])
            }
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        if let At::Review { review, .. } = &mut self.at {
            review.paste(pasted);
        }
    }

    fn guards(&self) -> bool {
        matches!(self.at, At::Review { .. } | At::Paying { .. })
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        match &mut self.at {
            At::Ordering(asked) => {
                let pick = |outcome: &Outcome| match outcome {
                    Outcome::Offered(offered) => Some(offered.clone()),
                    _ => None,
                };
                if asked.told(news, pick)
                    && let Some(offered) = asked.here()
                {
                    self.store_name = offered.store_name.clone();
                    self.at = reviewed(offered.clone(), shared);
                }
                Steps::new()
            }
            At::Paying { asked, .. } => {
                if let (Asked::Waiting { ticket, .. }, News::Done(answered, Ok(Outcome::Prepared(row)))) =
                    (&*asked, news)
                    && ticket == answered
                {
                    let words = format!("the payment of {} is signed and waits here", offered_total(row));
                    return vec![Step::Say(Tone::Good, words), Step::Go("outbox")];
                }
                let pick = |outcome: &Outcome| match outcome {
                    Outcome::Purchase(detail) => Some(detail.clone()),
                    _ => None,
                };
                if !asked.told(news, pick) {
                    return Steps::new();
                }
                match std::mem::replace(asked, Asked::Not) {
                    Asked::Here(detail) => self.answered(Ok(detail), shared),
                    Asked::Failed(failure) => self.answered(Err(failure), shared),
                    Asked::Not | Asked::Waiting { .. } => Steps::new(),
                }
            }
            At::Unknown { .. } => self.follow(shared),
            At::Review { .. } | At::Settled(_) | At::Refused { .. } => Steps::new(),
        }
    }

    fn step_back(&mut self, _shared: &mut Shared) -> bool {
        let At::Paying { offered, .. } = &self.at else { return false };
        let why = "you stopped waiting for the center's answer".to_owned();
        self.at = At::Unknown { offered: offered.clone(), why };
        true
    }

    fn lively(&self, _shared: &Shared) -> bool {
        match &self.at {
            At::Ordering(asked) => asked.is_waiting(),
            At::Paying { .. } => true,
            _ => false,
        }
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match &self.at {
            At::Ordering(asked) => {
                let again = if self.is_order() {
                    "o orders again, c goes back to the cart"
                } else {
                    "o asks again, Esc goes back to the code"
                };
                asked.view(ui, area, again);
            }
            At::Review { review, .. } => review.view(ui, area),
            At::Paying { offered, asked } => {
                let [facts, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(2)]).areas(area);
                Detail::new(progress(shared, offered)).view(ui, facts);
                if let Asked::Waiting { waiting, .. } = asked {
                    let waiting = tui_kit::progress::Waiting {
                        cancel: "Esc stops waiting and leaves the payment unknown".into(),
                        ..waiting.clone()
                    };
                    waiting.view(ui, foot);
                }
            }
            At::Settled(detail) => Detail::new(settled_rows(detail)).view(ui, area),
            At::Refused { why } => {
                let rows = [
                    Row::toned("State", Tone::Bad, "not paid"),
                    Row::pair("Reason", why.as_str()),
                    Row::Gap,
                    Row::Words(match self.is_order() {
                        true => "No money has moved. o orders again; Esc goes back to the cart.".into(),
                        false => "No money has moved. Ask the store to sell it again.".into(),
                    }),
                ];
                Detail::new(rows).view(ui, area);
            }
            At::Unknown { offered, why } => Detail::new(unknown_rows(shared, offered, why)).view(ui, area),
        }
    }
}

fn offered_total(row: &OutboxRow) -> &str {
    row.amount.as_ref().map_or("the order", |amount| amount.text.as_str())
}

fn row<'a>(shared: &'a Shared, offered: &Offered) -> Option<&'a PurchaseRow> {
    shared.snapshot.purchases.iter().find(|row| row.order == offered.order).map(|row| &**row)
}

fn is_open(state: PurchaseState) -> bool {
    matches!(state, PurchaseState::Signed | PurchaseState::Unknown)
}

/// The review of an offer.
fn reviewed(offered: Box<Offered>, shared: &Shared) -> At {
    let mut rows = vec![Row::pair("Store", format!("{} ({})", offered.store_name, offered.store))];
    rows.extend(offered.lines.iter().map(goods));
    rows.push(Row::toned("Total", Tone::Strong, offered.total.text.as_str()));
    rows.push(match &offered.card {
        Some(card) => Row::pair("Card", card.to_string()),
        None => Row::toned("Card", Tone::Bad, "none holds enough; c at home requests one"),
    });
    rows.extend(
        offered.balance_before.as_ref().map(|money| Row::pair("Balance before", money.text.as_str())),
    );
    rows.extend(offered.balance_after.as_ref().map(|money| Row::pair("Balance after", money.text.as_str())));
    rows.push(Row::pair("Offer until", offered.expires.text.as_str()));
    rows.push(Row::pair("Order", offered.order.short()));
    let review = Review::new(format!("Review: {}", offered.total.text), "sign and pay", rows);
    let review = offered.warnings.iter().fold(review, |review, words| review.warn(words.as_str()));
    let prepare = matches!(shared.snapshot.line, LineView::Down { .. });
    let review = if prepare { review.warn(PREPARED_WORDS) } else { review };
    At::Review { offered, review: Box::new(shared.signing(review)), prepare }
}

fn goods(line: &LineRow) -> Row {
    Row::pair("Goods", format!("{} × {} at {}", line.quantity, line.title, line.price.text))
}

/// What has been done so far, and what is being done, by what the vault says of the order.
fn progress(shared: &Shared, offered: &Offered) -> Vec<Row> {
    let state = row(shared, offered).map(|row| row.state);
    let (signing, sending) = match state {
        Some(PurchaseState::Signed) => {
            ((Tone::Good, "signed, and kept in the vault"), (Tone::Warn, "being sent"))
        }
        Some(PurchaseState::Unknown) => (
            (Tone::Good, "signed, and kept in the vault"),
            (Tone::Warn, "sent; the center has not answered yet"),
        ),
        Some(PurchaseState::Settled | PurchaseState::Fetched | PurchaseState::Delivered) => {
            ((Tone::Good, "signed, and kept in the vault"), (Tone::Good, "settled; the receipt is checked"))
        }
        _ => (
            (Tone::Warn, "password B opens the signature key; the payment is signed"),
            (Tone::Dim, "not sent yet"),
        ),
    };
    vec![
        Row::pair("Store", offered.store_name.as_str()),
        Row::pair("Total", offered.total.text.as_str()),
        Row::Gap,
        Row::toned("Signing", signing.0, signing.1),
        Row::toned("Sending", sending.0, sending.1),
    ]
}

fn settled_rows(detail: &PurchaseDetail) -> Vec<Row> {
    let mut rows = vec![
        Row::toned("State", Tone::Good, "settled"),
        Row::toned("Receipt", Tone::Good, "checked, and kept in the vault"),
        Row::pair("Store", detail.row.store_name.as_str()),
        Row::pair("Paid", detail.row.total.text.as_str()),
    ];
    rows.extend(detail.row.number.map(|number| Row::pair("Transaction number", number.to_string())));
    rows.extend(detail.balance.as_ref().map(|money| Row::pair("Card holds now", money.text.as_str())));
    rows.extend([Row::Gap, Row::Words("f fetches the goods now; they wait for you at the store.".into())]);
    rows
}

fn unknown_rows(shared: &Shared, offered: &Offered, why: &str) -> Vec<Row> {
    let state = row(shared, offered).map_or("not known here", |row| row.state.words());
    vec![
        Row::toned("State", Tone::Warn, "unknown"),
        Row::pair("Why", why),
        Row::pair("In the vault", state),
        Row::pair("Store", offered.store_name.as_str()),
        Row::pair("Total", offered.total.text.as_str()),
        Row::Gap,
        Row::Words(
            "The payment may have been settled. Nothing is lost and nothing is paid twice: the exact telegram is kept, and \
             only the center's word ends this. r asks now; this terminal also asks by itself with every new connection."
                .into(),
        ),
    ]
}
