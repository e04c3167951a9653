//! A center of a few lines on a real socket, so that what a terminal believes can be tried one lie at a time.

use tokio::net::TcpListener;

use super::*;
use crate::{
    admission::{ApplicationState, ApplicationView, Build, Kit, Terms, VaultPolicy},
    amount::{Amount, Currency},
    id::{ApplicationNumber, Digest, MemberNumber, Nonce, OrderHash},
    link::{accept, pushes},
    merkle::Tree,
    message::{CopyView, Effect, Mail},
    payload::{KeyEvent, KeyRole, Refund, RefundReason, chain_hash},
    receipt::{EntryKind, Leaf, Side, StorePart, part_hash},
    sheet::SheetKey,
    telegram::Signer,
    text::{Line as Words, Prose},
    time::Timestamp,
};

const LIMIT: Duration = Duration::from_secs(10);
const ACCOUNT: AccountNumber = AccountNumber::Store(StoreNumber(1));

/// What the fake center says; a test changes one thing.
#[derive(Clone)]
struct Fake {
    root: SigningKey,
    key: SigningKey,
    sheet_number: u64,
    listed: VerificationKey,
    min_version: u16,
    head_account: AccountNumber,
    size: u64,
    kit: Option<Telegram>,
    copy: Vec<u8>,
}

impl Fake {
    fn honest() -> Self {
        let (root, key) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        let listed = key.verification_key();
        Self {
            root,
            key,
            sheet_number: 3,
            listed,
            min_version: 1,
            head_account: ACCOUNT,
            size: 2,
            kit: None,
            copy: Vec::new(),
        }
    }

    fn sheet(&self) -> KeySheet {
        let entry = |role| SheetKey { role, key: self.listed, from_size: 0, until_size: None };
        KeySheet {
            number: self.sheet_number,
            center: self.root.verification_key().center(),
            log_origin: Words::new("inkan.test/1").unwrap(),
            keys: List::first(
                [SheetRole::Tls, SheetRole::Checkpoint, SheetRole::Directory, SheetRole::Statement]
                    .map(entry),
            ),
        }
    }

    fn hello(&self) -> ServerHello {
        ServerHello {
            min_version: self.min_version,
            max_version: 9,
            sheet: self.sheet().sign(&self.root),
            name: Words::new("Test").unwrap(),
            currency: Currency::YEN,
            zone: Words::new("UTC").unwrap(),
            help: Words::default(),
            at: Timestamp(1),
        }
    }

    fn checkpoint(&self, root: Digest) -> SignedCheckpoint {
        let origin = self.sheet().log_origin;
        SignedCheckpoint::sign(&Checkpoint { origin, size: self.size, root }, &self.key)
    }

    fn welcome(&self) -> Welcome {
        let keys = vec![KeyEvent { entry: EntryNumber(1), role: KeyRole::Signature, key: None }];
        let root = Digest([7; 32]);
        let head = ChainHead {
            center: self.sheet().center,
            account: self.head_account,
            head: chain_hash(ACCOUNT, &keys),
            size: self.size,
            root,
        };
        Welcome {
            account: ACCOUNT,
            checkpoint: self.checkpoint(root),
            keys: List::new(keys).unwrap(),
            head: Telegram::sign_as_key(&head, &self.key),
            mail: 0,
            open: true,
            held: None,
            waiting: None,
            kit: 0,
            copy: None,
        }
    }

    /// Serves one connection; the address where.
    async fn serve(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let accepted = accept(stream, &tls::server_config(&self.key), LIMIT).await.unwrap();
            let exporter = *accepted.exporter();
            let ready = accepted.greet(&self.hello(), LIMIT).await.unwrap();
            let (_pusher, pushed) = pushes::<Push>();
            let handle = |request| {
                let answer = match request {
                    Request::Login { account, signature, .. } => {
                        let proof = message::login_message(&self.sheet().center, account, &exporter);
                        let terminal = SigningKey::from_seed(&[5; 32]).verification_key();
                        assert_eq!(terminal.verify(&proof, &signature), Ok(()));
                        Answer::Welcome(Box::new(self.welcome()))
                    }
                    Request::Kit => self.kit.clone().map_or(Answer::Done, Answer::Kit),
                    Request::Copy { offset } => {
                        let rest = self.copy.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
                        let piece = rest[..rest.len().min(1000)].to_vec();
                        Answer::Piece { offset, bytes: crate::bounded::Bytes::new(piece).unwrap() }
                    }
                    Request::Application { .. } => Answer::Application(ApplicationView {
                        number: ApplicationNumber(4),
                        received: Timestamp(1),
                        since: Timestamp(1),
                        state: ApplicationState::Waiting,
                    }),
                    Request::Cards => Answer::Problem(Problem::new(ProblemKind::Busy, "much to do")),
                    _ => Answer::Done,
                };
                async move { answer }
            };
            let _ = ready.serve(Pace::default(), pushed, handle).await;
        });
        address
    }

    async fn connected(self, before: &[&str]) -> Result<Line, LineError> {
        let root = Fake::honest().root.verification_key();
        let address = self.serve().await;
        let addresses = before.iter().copied().chain([address.as_str()]).map(|a| Words::new(a).unwrap());
        let invitation = Invitation { root, addresses: List::first(addresses) };
        connect(&invitation, 3, LIMIT).await.map(|(line, _pushes)| line)
    }

    async fn logged_in(self, kept: Option<SignedCheckpoint>) -> Result<Welcome, LineError> {
        let line = self.connected(&[]).await?;
        line.login(ACCOUNT, &SigningKey::from_seed(&[5; 32]), kept.as_ref(), LIMIT).await
    }

    /// Evidence of one entry, as a store sees it.
    fn receipt(&self, kind: EntryKind, part: &StorePart) -> Receipt {
        let part = crate::codec::encode(part);
        let salt = [9; 32];
        let nothing = Digest([0; 32]);
        let leaf = Leaf {
            entry: EntryNumber(0),
            at: Timestamp(5),
            kind,
            member: nothing,
            store: part_hash(&salt, &part),
            center: nothing,
        };
        let mut tree = Tree::new();
        tree.push(leaf.hash());
        let origin = self.sheet().log_origin;
        let checkpoint =
            SignedCheckpoint::sign(&Checkpoint { origin, size: 1, root: tree.root() }, &self.key);
        let part = crate::bounded::Bytes::new(part).unwrap();
        Receipt { leaf, side: Side::Store, salt, part, proof: List::default(), checkpoint }
    }
}

#[tokio::test]
async fn an_honest_center_is_found_behind_a_dead_address() {
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let line = Fake::honest().connected(&[&dead]).await.unwrap();
    assert_eq!(line.sheet.number, 3);
    let welcome = line.login(ACCOUNT, &SigningKey::from_seed(&[5; 32]), None, LIMIT).await.unwrap();
    assert_eq!(welcome.checkpoint.claimed().size, 2);
    let busy = line.cards(LIMIT).await.unwrap_err();
    assert!(matches!(&busy, LineError::Problem(problem) if problem.kind == ProblemKind::Busy));
    assert!(!busy.leaves_unknown());
    assert!(line.form(Role::Store, LIMIT).await.unwrap_err().is_alarm(), "an answer to another question");
}

#[tokio::test]
async fn nobody_at_home_is_said_for_every_address() {
    let root = SigningKey::from_seed(&[1; 32]).verification_key();
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let invitation = Invitation { root, addresses: List::first([Words::new(&dead).unwrap()]) };
    let error = connect(&invitation, 0, LIMIT).await.unwrap_err();
    assert!(error.to_string().contains(&dead), "{error}");
    assert!(!error.leaves_unknown());
}

#[tokio::test]
async fn a_center_that_does_not_prove_itself_is_refused_before_anything_is_sent() {
    let honest = Fake::honest;
    for (fake, words) in [
        (Fake { root: SigningKey::from_seed(&[8; 32]), ..honest() }, "another center"),
        (Fake { sheet_number: 2, ..honest() }, "was seen before"),
        (Fake { listed: SigningKey::from_seed(&[8; 32]).verification_key(), ..honest() }, "does not name"),
        (Fake { min_version: 2, ..honest() }, "use a newer program"),
    ] {
        let error = fake.connected(&[]).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.leaves_unknown());
    }
}

#[tokio::test]
async fn a_welcome_that_contradicts_itself_or_the_past_is_an_alarm() {
    let honest = Fake::honest;
    let stranger = AccountNumber::Member(MemberNumber(1));
    let larger = Fake { size: 9, ..honest() }.checkpoint(Digest([7; 32]));
    let other = honest().checkpoint(Digest([8; 32]));
    for (fake, kept, words) in [
        (Fake { head_account: stranger, ..honest() }, None, "another account"),
        (honest(), Some(larger), "signed 9 before"),
        (honest(), Some(other), "two different journals"),
    ] {
        let error = fake.logged_in(kept).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.is_alarm());
    }
    let same = honest().checkpoint(Digest([7; 32]));
    assert!(honest().logged_in(Some(same)).await.is_ok());
}

#[tokio::test]
async fn a_kit_that_was_tampered_with_or_is_not_the_newest_is_an_alarm() {
    let honest = Fake::honest;
    let kit = |fake: &Fake, number: u64, length: u64| Kit {
        center: fake.sheet().center,
        number,
        issued: Timestamp(1),
        sheet: fake.sheet().sign(&fake.root),
        terms: Terms { version: 1, text: Prose::new("Keep your keys.").unwrap() },
        vault: VaultPolicy { memory_kib: 65_536, passes: 3 },
        currency: Currency::YEN,
        builds: List::first([Build {
            program: Words::new("tui-member").unwrap(),
            platform: Words::new("x86_64-unknown-linux-gnu").unwrap(),
            version: Words::new("0.1.0").unwrap(),
            length,
            digest: Digest([1; 32]),
        }]),
    };
    let signed = |kit: Kit| Telegram::sign_as_key(&kit, &honest().key);
    let good = signed(kit(&honest(), 5, 10));
    let asked = |telegram: Telegram| async {
        let line = Fake { kit: Some(telegram), ..honest() }.connected(&[]).await.unwrap();
        line.kit(5, LIMIT).await
    };
    assert_eq!(asked(good.clone()).await.unwrap().number, 5);
    let mut forged = good.clone();
    let mut bytes = forged.bytes.clone().into_vec();
    *bytes.last_mut().unwrap() ^= 1;
    forged.bytes = crate::bounded::Bytes::new(bytes).unwrap();
    let stranger = Fake { root: SigningKey::from_seed(&[8; 32]), ..honest() };
    let older = Fake { sheet_number: 2, ..honest() };
    for (telegram, words) in [
        (forged, "signature does not fit"),
        (Telegram::sign_as_key(&kit(&honest(), 5, 10), &SigningKey::from_seed(&[8; 32])), "statement key"),
        (signed(kit(&stranger, 5, 10)), "another center"),
        (signed(Kit { center: honest().sheet().center, ..kit(&stranger, 5, 10) }), "root key"),
        (signed(kit(&older, 5, 10)), "older than the line's"),
        (signed(kit(&honest(), 4, 10)), "5 was seen before"),
        (signed(kit(&honest(), 5, limits::BUILD + 1)), "longer than is allowed"),
    ] {
        let error = asked(telegram).await.unwrap_err();
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert!(error.is_alarm());
    }
}

#[tokio::test]
async fn another_copy_of_the_vault_than_the_one_named_is_not_taken() {
    let copy: Vec<u8> = (0..2500u32).map(|at| at as u8).collect();
    let named = CopyView { length: 2500, digest: Digest::of(&[&copy]), at: Timestamp(1) };
    let line = Fake { copy: copy.clone(), ..Fake::honest() }.connected(&[]).await.unwrap();
    assert_eq!(line.take_copy(named, LIMIT).await, Ok(copy));
    for wrong in [
        CopyView { length: 2501, ..named },
        CopyView { length: 2499, ..named },
        CopyView { digest: Digest([1; 32]), ..named },
        CopyView { length: u64::MAX, ..named },
    ] {
        assert!(line.take_copy(wrong, LIMIT).await.unwrap_err().is_alarm(), "{wrong:?}");
    }
    let key = SigningKey::from_seed(&[5; 32]);
    assert_eq!(
        line.application(ApplicationNumber(4), &key, LIMIT).await.unwrap().state,
        ApplicationState::Waiting
    );
    assert!(
        line.application(ApplicationNumber(5), &key, LIMIT).await.unwrap_err().is_alarm(),
        "another application"
    );
}

#[tokio::test]
async fn words_count_only_with_evidence_that_says_the_same() {
    let fake = Fake::honest();
    let line = fake.clone().connected(&[]).await.unwrap();
    let (order, offer) = (OrderHash([1; 32]), Digest([2; 32]));
    let total = Amount::new(500).unwrap();
    let receipt = fake.receipt(EntryKind::Payment, &StorePart::Paid { offer, order, total });
    let mail = |total| MailItem { body: Mail::Paid { order, offer, total }, receipt: receipt.clone() };
    assert_eq!(line.check_mail(&mail(total)), Ok(()));
    assert!(line.check_mail(&mail(Amount::new(501).unwrap())).is_err(), "another total than entered");
    let mut forged = mail(total);
    forged.receipt.leaf.at = Timestamp(6);
    assert!(line.check_mail(&forged).unwrap_err().to_string().starts_with("inclusion"));

    let refund = Refund {
        center: line.sheet.center,
        store: StoreNumber(1),
        cashier: None,
        key_event: EntryNumber(1),
        payment: EntryNumber(4),
        amount: total,
        currency: Currency::YEN,
        reason: RefundReason::CannotDeliver,
        nonce: Nonce([0; 16]),
        valid_until: Timestamp(9),
    };
    let telegram = Telegram::sign(&refund, Signer::Account(ACCOUNT), &SigningKey::from_seed(&[6; 32]));
    let entered = |telegram: &Telegram, amount| {
        let part = StorePart::Refunded {
            telegram: telegram.id(),
            payment: refund.payment,
            amount,
            reason: refund.reason,
        };
        Verdict::Done { effect: Effect::Refunded, receipt: fake.receipt(EntryKind::Refund, &part) }
    };
    assert_eq!(line.check_verdict(&telegram, &entered(&telegram, total)), Ok(()));
    assert!(line.check_verdict(&telegram, &entered(&telegram, Amount::ZERO)).is_err());
    let other = Telegram::sign(
        &Refund { nonce: Nonce([1; 16]), ..refund.clone() },
        Signer::Account(ACCOUNT),
        &SigningKey::from_seed(&[6; 32]),
    );
    assert!(
        line.check_verdict(&other, &entered(&telegram, total)).is_err(),
        "the verdict of another telegram"
    );
    let as_member = Signer::Account(AccountNumber::Member(MemberNumber(1)));
    let foreign = Telegram::sign(&refund, as_member, &SigningKey::from_seed(&[6; 32]));
    let error = line.check_verdict(&foreign, &entered(&foreign, total)).unwrap_err();
    assert!(error.to_string().contains("another party's part"), "{error}");

    assert_eq!(line.check_verdict(&telegram, &Verdict::Expired), Ok(()));
    let later = Refund { valid_until: line.now().plus_ms(60_000), ..refund.clone() };
    let valid = Telegram::sign(&later, Signer::Account(ACCOUNT), &SigningKey::from_seed(&[6; 32]));
    let error = line.check_verdict(&valid, &Verdict::Expired).unwrap_err();
    assert!(error.to_string().contains("still valid"), "{error}");
}

#[test]
fn the_wait_grows_to_half_a_minute_and_begins_anew() {
    let mut backoff = Backoff::default();
    let waits: Vec<u128> = (0..9).map(|_| backoff.after_failure().as_millis()).collect();
    assert!((187..=250).contains(&waits[0]) && (22_500..=30_000).contains(&waits[8]), "{waits:?}");
    backoff.reset();
    assert!(backoff.after_failure().as_millis() <= 250);
}
