//! A cashier's terminal with its vault open: the line to the store, and the acts.

mod join;
mod refund;
mod sell;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use secrecy::SecretString;
use tui_kit::profile::Profile;
use vault::{Surroundings, Vault};
use wire::{
    amount::{Amount, Currency},
    id::{CenterId, OrderHash},
    key::SigningKey,
    payload::CashierRights,
    telegram::Telegram,
    text::Line,
    till::{CashierRequest, StoreLine, TillAnswer, TillDetail, TillRefusal, TillRequest, TillWelcome},
};

use super::{
    act::{Act, Outcome},
    evidence,
    line::{NotAnswered, Till, nonsense},
    record::{self, Admitted},
    view::{DayView, PausedView, RightsView, TillView, order_detail, order_row},
};
use crate::{
    act::Failure,
    settle::outbox_rows,
    view::{Money, OrderDetail},
};

pub use join::join;

/// The most orders that are fetched for a list.
const ORDERS_MAX: usize = 1_000;

/// A cashier's terminal. Clones are the same terminal.
#[derive(Debug, Clone)]
pub struct Terminal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    vault: Mutex<Vault>,
    key: SigningKey,
    line: StoreLine,
    wished: Line,
    known: RwLock<Known>,
    /// The connection, while it lives; held while one is being made, so that there is one only.
    till: tokio::sync::Mutex<Option<Till>>,
    /// One refund at a time: nothing is asked about while it is being sent.
    turn: tokio::sync::Mutex<()>,
    findings: Vec<String>,
}

/// What the store has said about this terminal.
#[derive(Debug, Default)]
struct Known {
    admitted: Option<Admitted>,
    rights: Option<CashierRights>,
    left: Option<Amount>,
    /// Why there is no connection.
    why: Option<String>,
}

impl Terminal {
    /// Opens the vault of a cashier's profile.
    ///
    /// # Errors
    /// In words: no vault, a wrong password, another program that has it, a vault that is no cashier's.
    pub async fn open(profile: &Profile, password: &SecretString) -> Result<Self, Failure> {
        let (folder, password) = (profile.data().to_owned(), password.clone());
        let opening = tokio::task::spawn_blocking(move || {
            Vault::open(&folder, &password, Surroundings::system()).map_err(one_password)
        });
        Self::of(opening.await.map_err(Failure::machine)??)
    }

    pub(super) fn of(opening: vault::Opening) -> Result<Self, Failure> {
        let vault::Opening { vault, records, findings } = opening;
        let (joined, admitted) = record::read(&records).map_err(Failure::machine)?;
        let joined =
            joined.ok_or_else(|| Failure::not_possible("this profile is not a cashier's terminal"))?;
        let key = vault.terminal_key()?.clone();
        let center = joined.line.center.root.center();
        let certificate = admitted.as_ref().map(|admitted| &admitted.certificate);
        let rights = certificate.and_then(|it| evidence::rights(it, &center, &key.verification_key()).ok());
        Ok(Self(Arc::new(Inner {
            vault: Mutex::new(vault),
            key,
            line: joined.line,
            wished: joined.name,
            known: RwLock::new(Known { admitted, rights, left: None, why: None }),
            till: tokio::sync::Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            findings: findings.iter().map(ToString::to_string).collect(),
        })))
    }

    /// What is wrong with the vault, in sentences.
    pub fn findings(&self) -> &[String] {
        &self.0.findings
    }

    /// Does what a cashier asks.
    ///
    /// # Errors
    /// In words, with the kind of failure.
    pub async fn act(&self, act: Act) -> Result<Outcome, Failure> {
        match act {
            Act::Status => {
                // Without a line the terminal still says what it knows; why there is none stands in the view.
                let _ = self.till().await;
                Ok(Outcome::Status(Box::new(self.view().await?)))
            }
            Act::Orders => self.orders().await,
            Act::Order { order } => {
                let detail = self.order(&order).await?;
                self.shown_with_sale(&detail).await
            }
            Act::Deliver { order } => {
                let order = self.order(&order).await?.row.order;
                match self.ask(TillRequest::Deliver(order)).await? {
                    TillAnswer::Order(detail) => Ok(self.shown(&detail)),
                    _ => Err(nonsense()),
                }
            }
            Act::Refund { order, reason, password } => {
                self.refund(&order, reason, password.0).await.map(|one| Outcome::Resolved(vec![one]))
            }
            Act::Outbox => {
                let items = self.vault(|vault| vault.outbox().items().cloned().collect::<Vec<_>>()).await?;
                Ok(Outcome::Outbox(outbox_rows(&items, self.currency())))
            }
            Act::Resolve => self.resolve().await.map(Outcome::Resolved),
            Act::Day => match self.ask(TillRequest::Day).await? {
                TillAnswer::Day(day) => Ok(Outcome::Day(Box::new(DayView::new(&day, self.currency())))),
                _ => Err(nonsense()),
            },
            Act::Pause { item, paused } => {
                let item = Line::new(&item).map_err(Failure::not_possible)?;
                match self.ask(TillRequest::Pause { item, paused }).await? {
                    TillAnswer::Paused(paused) => {
                        Ok(Outcome::Paused(PausedView { paused: paused.into_vec() }))
                    }
                    _ => Err(nonsense()),
                }
            }
            Act::Items => self.items().await,
            Act::Sell { items, note } => self.sell(items, &note).await,
            Act::Await { order, since } => self.stands_otherwise(&order, since).await,
            Act::ChangePassword { old, new } => {
                let changed = self.vault(move |vault| vault.change_password_a(&old.0, &new.0)).await?;
                changed.map_err(one_password)?;
                Ok(Outcome::Done)
            }
        }
    }

    /// How this terminal stands, as far as it knows without asking anybody.
    ///
    /// # Errors
    /// When the vault's writer failed.
    pub async fn view(&self) -> Result<TillView, Failure> {
        let unknown = self.vault(|vault| vault.outbox().open_count()).await?;
        let inner = &self.0;
        // While a connection is being made there is none.
        let connected =
            inner.till.try_lock().is_ok_and(|till| till.as_ref().is_some_and(|till| !till.is_closed()));
        let known = inner.known.read().unwrap_or_else(PoisonError::into_inner);
        let currency = known.admitted.as_ref().map_or(Currency::YEN, |admitted| admitted.currency);
        let left = known.left.map(|left| Money::new(left, currency));
        let line = match (&known.why, connected) {
            (_, true) => "connected".to_owned(),
            (Some(why), false) => why.clone(),
            (None, false) => "not connected".to_owned(),
        };
        let request = CashierRequest::new(self.center(), inner.line.store, inner.wished.clone(), &inner.key);
        Ok(TillView {
            store: inner.line.store,
            store_name: known.admitted.as_ref().map(|admitted| admitted.store.clone()).unwrap_or_default(),
            name: known.rights.as_ref().map_or_else(|| inner.wished.clone(), |rights| rights.name.clone()),
            fingerprint: inner.key.verification_key().fingerprint(),
            currency,
            request: request.to_string(),
            rights: known.rights.as_ref().map(|rights| RightsView::new(rights, left, currency)),
            line,
            connected,
            unknown,
        })
    }

    /// The terminal key, for a test that signs what the terminal would not.
    #[cfg(test)]
    pub(crate) fn signing_key(&self) -> SigningKey {
        self.0.key.clone()
    }

    async fn orders(&self) -> Result<Outcome, Failure> {
        let mut rows = Vec::new();
        let mut after: Option<OrderHash> = None;
        loop {
            let TillAnswer::Orders { orders, more } = self.ask(TillRequest::Orders { after }).await? else {
                return Err(nonsense());
            };
            let last = orders.last().map(|order| order.order);
            rows.extend(orders.iter().map(|order| order_row(order, self.currency())));
            // A page that brings nothing would be asked for without end.
            if !more || last.is_none() || last == after || rows.len() >= ORDERS_MAX {
                return Ok(Outcome::Orders(rows));
            }
            after = last;
        }
    }

    async fn order(&self, named: &str) -> Result<TillDetail, Failure> {
        let named = Line::new(named).map_err(Failure::not_found)?;
        match self.ask(TillRequest::Order(named)).await? {
            TillAnswer::Order(detail) => Ok(*detail),
            _ => Err(nonsense()),
        }
    }

    fn shown(&self, detail: &TillDetail) -> Outcome {
        let detail: OrderDetail = order_detail(detail, self.currency());
        Outcome::Order(Box::new(detail))
    }

    pub(crate) async fn ask(&self, request: TillRequest) -> Result<TillAnswer, Failure> {
        let answer = self.till().await?.ask(request).await;
        answer.map_err(|not| self.told(not))
    }

    /// Where the store says how much is left of a limit, the words say it too, in the currency.
    fn told(&self, not: NotAnswered) -> Failure {
        match not {
            NotAnswered::Refused(refusal @ TillRefusal::OverLimit { left }) => {
                Failure::refused(format!("{refusal}; {} is left", self.currency().print(left)))
            }
            not => not.into(),
        }
    }

    /// The connection, logged in; it is made if there is none.
    async fn till(&self) -> Result<Till, Failure> {
        let inner = &self.0;
        let mut current = inner.till.lock().await;
        if let Some(till) = current.as_ref().filter(|till| !till.is_closed()) {
            return Ok(till.clone());
        }
        *current = None;
        let certificate = {
            let known = inner.known.read().unwrap_or_else(PoisonError::into_inner);
            known.admitted.as_ref().map(|admitted| admitted.certificate.clone())
        };
        let opened = Till::open(&inner.line, &inner.key, certificate).await;
        let opened = match opened.map_err(Failure::from) {
            Ok((till, welcome)) => self.welcomed(&till, welcome).await.map(|()| till),
            Err(failure) => Err(failure),
        };
        let mut known = inner.known.write().unwrap_or_else(PoisonError::into_inner);
        match opened {
            Ok(till) => {
                known.why = None;
                *current = Some(till.clone());
                Ok(till)
            }
            Err(failure) => {
                known.why = Some(failure.message.clone());
                Err(failure)
            }
        }
    }

    /// Verifies and keeps what the store said at the login.
    async fn welcomed(&self, till: &Till, welcome: TillWelcome) -> Result<(), Failure> {
        let key = self.0.key.verification_key();
        let rights =
            evidence::rights(&welcome.certificate, &self.center(), &key).map_err(Failure::contradiction)?;
        self.keep_sheet(&welcome.sheet).await?;
        let admitted = Admitted::new(till.name.clone(), &welcome);
        let new = {
            let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
            let new = known.admitted.as_ref() != Some(&admitted);
            (known.rights, known.left) = (Some(rights), Some(welcome.left));
            known.admitted = Some(admitted.clone());
            new
        };
        if new {
            let draft = admitted.draft()?;
            self.vault(move |vault| vault.append_all(vec![draft])).await??;
        }
        Ok(())
    }

    /// Verifies a key sheet of the center and keeps it.
    async fn keep_sheet(&self, sheet: &Telegram) -> Result<(), Failure> {
        let (root, sheet) = (self.0.line.center.root, sheet.clone());
        self.vault(move |vault| {
            let Some(mut pinned) = vault.center().cloned() else { return Ok(()) };
            evidence::sheet(&sheet, &root, pinned.sheet.as_ref()).map_err(Failure::contradiction)?;
            pinned.sheet = Some(sheet);
            Ok(vault.pin_center(&pinned)?)
        })
        .await?
    }

    /// Runs `work` with the vault on a blocking thread.
    async fn vault<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vault) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let inner = self.0.clone();
        let done = tokio::task::spawn_blocking(move || {
            work(&mut inner.vault.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await.map_err(|_| Failure::machine("the vault's writer failed; the log says more"))
    }

    fn center(&self) -> CenterId {
        self.0.line.center.root.center()
    }

    fn currency(&self) -> Currency {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        known.admitted.as_ref().map_or(Currency::YEN, |admitted| admitted.currency)
    }
}

/// The vault's words where there is one password: it has no letter.
fn one_password(error: vault::Error) -> Failure {
    let mut failure = Failure::from(error);
    for letter in ["password A", "password B"] {
        failure.message = failure.message.replace(letter, "the password");
    }
    failure
}
