//! A center, a store and a member who has joined.

use std::{path::Path, sync::Arc, time::Duration};

use secrecy::SecretString;
use tempfile::TempDir;
use tui_kit::profile::Profile;
use tui_member::{
    Means, Patience,
    act::{Act, Failure, FailureKind, Outcome, Wanted},
    engine::Handle,
    join::{self, Filled, Newcomer, Registered, Registrant},
    view::{FundingRow, Offered, PurchaseRow, Snapshot},
};
use vault::{
    Cost, Passwords, Surroundings,
    recovery::{Language, RecoveryPhrase},
};
use wire::{
    amount::Amount,
    id::{CardNumber, OrderHash},
    text::Line,
};

use crate::{
    center::{FakeCenter, Letter},
    store::{self, FakeStore},
};

pub(crate) const A: &str = "a window to the history";
pub(crate) const B: &str = "behind the second door";

pub(crate) struct World {
    pub(crate) center: Arc<FakeCenter>,
    pub(crate) store: Arc<FakeStore>,
    pub(crate) member: Handle,
    pub(crate) folder: TempDir,
}

pub(crate) fn profile(folder: &Path) -> Profile {
    Profile::locate("tui-member", folder.to_str()).unwrap()
}

pub(crate) fn passwords() -> Passwords {
    Passwords::Two { a: A.into(), b: B.into() }
}

pub(crate) fn fields() -> Vec<(String, String)> {
    vec![("name".into(), "Ada Lovelace".into()), ("born".into(), "1815-12-10".into())]
}

/// Someone who wants to join with these fields.
pub(crate) fn newcomer(center: &FakeCenter, values: Vec<(String, String)>) -> Newcomer {
    Newcomer {
        invitation: center.invitation(),
        filled: Filled { form: None, values },
        passwords: passwords(),
        autograph: None,
        phrase: None,
        replaces: None,
    }
}

/// The registration of someone to whom this letter came.
pub(crate) async fn registrant(member: &Handle, letter: Letter) -> Registrant {
    Registrant {
        member: letter.number,
        code: letter.code,
        terms: member.kit().await.expect("a kit").terms.hash(),
        phrase: None,
        password_b: B.into(),
        prepare: false,
    }
}

/// A member who has gone through all seven steps.
pub(crate) async fn joined(center: &FakeCenter, folder: &Path, phrase: Option<RecoveryPhrase>) -> Handle {
    let newcomer = Newcomer { phrase, ..newcomer(center, fields()) };
    let (_, member) = join::join(profile(folder), newcomer, means()).await.unwrap();
    let registrant = registrant(&member, center.letter()).await;
    let registered = member.register(registrant).await.unwrap();
    assert!(matches!(registered, Registered::Joined(_)));
    member
}

/// Impatient, and with passwords that cost nothing.
pub(crate) fn means() -> Means {
    let patience = Patience { connect: Duration::from_secs(5), answer: Duration::from_secs(5) };
    Means { patience, vault: Surroundings { cost: Cost::Weak, ..Surroundings::system() } }
}

impl World {
    /// Joined, with a card of 1,000 yen.
    pub(crate) async fn with_card() -> Self {
        Self::with_goods(b"Blossoms fall.\n".to_vec()).await
    }

    pub(crate) async fn with_goods(goods: Vec<u8>) -> Self {
        let world = Self::joined(goods).await;
        world.fund(1_000).await;
        world
    }

    pub(crate) async fn joined(goods: Vec<u8>) -> Self {
        let center = FakeCenter::start().await;
        let store = FakeStore::start(&center, goods).await;
        let folder = tempfile::tempdir().unwrap();
        let member = joined(&center, folder.path(), None).await;
        Self { center, store, member, folder }
    }

    /// Joined with a recovery phrase, with a card of 1,000 yen.
    pub(crate) async fn with_phrase() -> (Self, SecretString) {
        let center = FakeCenter::start().await;
        let store = FakeStore::start(&center, b"Blossoms fall.\n".to_vec()).await;
        let folder = tempfile::tempdir().unwrap();
        let phrase = RecoveryPhrase::generate(Language::English, &means().vault);
        let words = SecretString::from(phrase.words().join(" "));
        let member = joined(&center, folder.path(), Some(phrase)).await;
        let world = Self { center, store, member, folder };
        world.fund(1_000).await;
        (world, words)
    }

    /// The same vault opened anew, as after an end of the program.
    pub(crate) async fn reopened(self) -> Self {
        let Self { center, store, member, folder } = self;
        drop(member);
        let member = open(folder.path()).await.unwrap();
        Self { center, store, member, folder }
    }

    pub(crate) async fn fund(&self, amount: u64) -> CardNumber {
        let funding = self.request_card(&amount.to_string()).await.unwrap();
        let member = self.snapshot().member.unwrap();
        let card = self.center.fund(member, funding.request, Amount::new(amount).unwrap());
        self.member.act(Act::Sync).await.unwrap();
        card
    }

    pub(crate) async fn request_card(&self, amount: &str) -> Result<FundingRow, Failure> {
        let act = Act::RequestCard { amount: amount.into(), password_b: Some(B.into()), prepare: false };
        match self.member.act(act).await? {
            Outcome::Funding(row) => Ok(row),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn order(&self, quantity: u32) -> Result<Offered, Failure> {
        let lines = vec![Wanted { item: Line::new("book").unwrap(), quantity }];
        match self.member.act(Act::Order { store: store::NUMBER, lines, note: String::new() }).await? {
            Outcome::Offered(offered) => Ok(*offered),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn pay(&self, order: &OrderHash) -> Result<PurchaseRow, Failure> {
        pay(&self.member, order).await
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.member.snapshot()
    }

    /// What the history says of an order.
    pub(crate) fn row(&self, order: &OrderHash) -> PurchaseRow {
        let snapshot = self.snapshot();
        snapshot
            .purchases
            .iter()
            .find(|row| row.order == *order)
            .map(|row| (**row).clone())
            .expect("a purchase")
    }

    pub(crate) fn balance(&self) -> u64 {
        self.snapshot().cards[0].balance.minor
    }

    pub(crate) fn alarms(&self) -> Vec<String> {
        self.snapshot().messages.iter().filter(|one| one.alarm).map(|one| one.words.clone()).collect()
    }
}

pub(crate) async fn pay(member: &Handle, order: &OrderHash) -> Result<PurchaseRow, Failure> {
    let order = order.to_string();
    let act = Act::Pay { order, card: None, password_b: Some(B.into()), prepare: false };
    match member.act(act).await? {
        Outcome::Purchase(purchase) => Ok(purchase.row),
        other => panic!("{other:?}"),
    }
}

/// Opens a vault, waiting until what had it before has let go.
pub(crate) async fn open(path: &Path) -> Result<Handle, Failure> {
    for _ in 0..500 {
        match open_with(path, A).await {
            Err(failure) if failure.kind == FailureKind::Held => {
                tokio::time::sleep(Duration::from_millis(10)).await
            }
            other => return other,
        }
    }
    panic!("the vault is still held")
}

pub(crate) async fn open_with(path: &Path, password: &str) -> Result<Handle, Failure> {
    Handle::open(profile(path), SecretString::from(password), means()).await
}
