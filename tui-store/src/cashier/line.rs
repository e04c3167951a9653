//! The connection to the store's serving program.

use std::time::Duration;

use wire::{
    id::StoreNumber,
    key::SigningKey,
    link::{self, Link, LinkError, NoPush, Pace},
    shop::{self, Item, StoreAnswer, StoreHello, StoreRequest},
    telegram::Telegram,
    text::Line,
    till::{StoreLine, TillAnswer, TillRefusal, TillRequest, TillWelcome, login_message},
    tls,
};

use crate::act::{Failure, FailureKind};

/// How long connecting to one address, and the store's first words, may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long an answer may take. The store itself waits for its center meanwhile.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A connection on which this terminal has logged in. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Till {
    link: Link<StoreRequest, StoreAnswer>,
    /// The name that the store trades under.
    pub(super) name: Line,
}

/// Why a request brought no answer.
#[derive(Debug)]
pub(super) enum NotAnswered {
    /// The store said no; it has sent nothing on.
    Refused(TillRefusal),
    /// Nobody can say whether the store heard it.
    Lost(Failure),
}

impl From<NotAnswered> for Failure {
    fn from(not: NotAnswered) -> Self {
        match not {
            NotAnswered::Refused(refusal) => Self::refused(refusal),
            NotAnswered::Lost(failure) => failure,
        }
    }
}

impl Till {
    /// Connects, believing nobody but the holder of the store's key, and logs in. The welcome is not verified yet.
    pub(super) async fn open(
        line: &StoreLine,
        key: &SigningKey,
        certificate: Option<Telegram>,
    ) -> Result<(Self, TillWelcome), NotAnswered> {
        let addresses: Vec<&str> = line.addresses.iter().map(|address| address.as_str()).collect();
        let config = tls::client_config_pinned(line.key);
        let connected = link::connect(&addresses, &config, CONNECT_LIMIT).await.map_err(lost)?;
        let exporter = connected.peer().exporter;
        let (hello, greeted) = connected.hello::<StoreHello>(CONNECT_LIMIT).await.map_err(lost)?;
        let center = line.center.root.center();
        if !(hello.min_version..=hello.max_version).contains(&shop::VERSION) {
            return Err(NotAnswered::Lost(Failure::not_possible(format!(
                "the store speaks protocol {} to {}, this program speaks {}; use the same version at both ends",
                hello.min_version,
                hello.max_version,
                shop::VERSION
            ))));
        }
        if hello.center != center || hello.store != line.store {
            return Err(NotAnswered::Lost(other_store(hello.store)));
        }
        let (link, pushes) = greeted.start::<StoreRequest, StoreAnswer, NoPush>(Pace::default());
        drop(pushes);
        let till = Self { link, name: hello.name };
        let public = key.verification_key();
        let signature = key.sign(&login_message(&center, line.store, &public, &exporter));
        match till.ask(TillRequest::Login { key: public, certificate, signature }).await? {
            TillAnswer::Welcome(welcome) => Ok((till, *welcome)),
            _ => Err(NotAnswered::Lost(nonsense())),
        }
    }

    /// Asks as a cashier.
    pub(super) async fn ask(&self, request: TillRequest) -> Result<TillAnswer, NotAnswered> {
        match self.call(StoreRequest::Till(Box::new(request))).await? {
            StoreAnswer::Till(answer) => match *answer {
                TillAnswer::Refused(refusal) => Err(NotAnswered::Refused(refusal)),
                answer => Ok(answer),
            },
            _ => Err(NotAnswered::Lost(nonsense())),
        }
    }

    /// A page of the catalogue, as anyone may see it, and whether more follow.
    pub(super) async fn catalogue(&self, after: Option<Line>) -> Result<(Vec<Item>, bool), NotAnswered> {
        match self.call(StoreRequest::Catalogue { query: Line::default(), after }).await? {
            StoreAnswer::Catalogue { items, more } => Ok((items.into_vec(), more)),
            _ => Err(NotAnswered::Lost(nonsense())),
        }
    }

    /// An item of the catalogue, as anyone may see it.
    pub(super) async fn item(&self, id: Line) -> Result<Item, NotAnswered> {
        match self.call(StoreRequest::Item(id)).await? {
            StoreAnswer::Item(item) => Ok(*item),
            _ => Err(NotAnswered::Lost(nonsense())),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.link.is_closed()
    }

    async fn call(&self, request: StoreRequest) -> Result<StoreAnswer, NotAnswered> {
        match self.link.call(request, ANSWER_LIMIT).await.map_err(lost)? {
            StoreAnswer::Refused(refusal) => Err(NotAnswered::Refused(TillRefusal::Shop(refusal))),
            answer => Ok(answer),
        }
    }
}

pub(super) fn nonsense() -> Failure {
    Failure::contradiction("the store answered something else than was asked")
}

fn other_store(store: StoreNumber) -> Failure {
    Failure::contradiction(format!(
        "it says that it is {store}, another store than this terminal's line names"
    ))
}

fn lost(error: LinkError) -> NotAnswered {
    NotAnswered::Lost(match error {
        LinkError::WrongKey(_) => Failure::contradiction(format!(
            "{error}; if the store's owner has changed the terminal key, ask for a new line and run “till join” with it"
        )),
        error => Failure::new(FailureKind::Offline, format!("no line to the store: {error}")),
    })
}
