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
    /// The leaves of the journal that it proves things of.
    leaves: Vec<u8>,
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
            leaves: (0..9).collect(),
        }
    }

    fn sheet(&self) -> KeySheet {
        let entry = |role| SheetKey { role, key: self.listed, from_size: 0, until_size: None };
        KeySheet {
            number: self.sheet_number,
            center: self.root.verification_key().center(),
            log_origin: Words::new("inkan.test/1").unwrap(),
            breaks: List::default(),
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
                    Request::Consistency(pairs) => {
                        let journal = tree(&self.leaves);
                        let prove = |(old, new)| journal.consistency(old, new).ok().map(List::first);
                        Answer::Consistency(List::first(pairs.into_iter().map(prove)))
                    }
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

fn tree(leaves: &[u8]) -> Tree {
    let mut tree = Tree::new();
    leaves.iter().for_each(|leaf| tree.push(crate::merkle::leaf_hash(&[*leaf])));
    tree
}

/// A checkpoint over the first so many of these leaves.
fn over(leaves: &[u8], size: u64, hour: Option<&str>) -> SignedCheckpoint {
    let fake = Fake::honest();
    let root = tree(leaves).root_at(size).unwrap();
    let checkpoint = Checkpoint { origin: fake.sheet().log_origin, size, root };
    match hour {
        Some(hour) => SignedCheckpoint::sign_hour(&checkpoint, hour.parse().unwrap(), &fake.key),
        None => SignedCheckpoint::sign(&checkpoint, &fake.key),
    }
}

#[tokio::test]
async fn checkpoints_are_joined_in_whatever_order_they_came_and_only_by_proofs() {
    let leaves: Vec<u8> = (0..200).collect();
    let line = Fake { leaves: leaves.clone(), ..Fake::honest() }.connected(&[]).await.unwrap();
    let at = |size| over(&leaves, size, None);
    let many: Vec<_> =
        (1..=200).rev().map(at).chain([at(7), over(&leaves, 7, Some("2026-11-22T22"))]).collect();
    assert_eq!(line.join(&many, LIMIT).await, Ok(()), "four requests");
    assert_eq!(line.join(&[], LIMIT).await, Ok(()));

    let forked: Vec<u8> = (0..9).chain([99; 20]).collect();
    for (chain, words) in [
        ([at(3), over(&forked, 12, None)], "does not prove"),
        ([at(12), over(&forked, 12, None)], "two different journals of 12"),
        ([at(12), over(&forked, 20, None)], "does not prove"),
    ] {
        let Err(LineError::Evidence(evidence)) = line.join(&chain, LIMIT).await else { panic!("{words}") };
        assert!(evidence.to_string().contains(words), "{evidence}");
        assert_eq!([evidence.first, evidence.second], chain);
    }
    let short = Fake { leaves: leaves[..5].to_vec(), ..Fake::honest() }.connected(&[]).await.unwrap();
    let Err(LineError::Evidence(evidence)) = short.join(&[at(3), at(8)], LIMIT).await else { panic!() };
    assert!(matches!(evidence.answered, Answered::Refused(_)), "a proof that is missing");
    assert!(LineError::Evidence(evidence).is_alarm());
}

#[test]
fn a_trail_keeps_what_was_joined_and_remembers_what_was_not() {
    let leaves: Vec<u8> = (0..9).collect();
    let at = |size| over(&leaves, size, None);
    let log = Fake::honest().sheet().log_origin;
    let mut trail = Trail::default();
    trail.saw(&at(2));
    trail.keep(at(3));
    assert!(!trail.is_loose(), "what is smaller than what is kept was joined before");
    trail.saw(&at(3));
    assert!(!trail.is_loose());
    for size in [5, 4, 5] {
        trail.saw(&at(size));
    }
    assert_eq!(trail.newest(), Some(&at(5)), "what is presented at a login need not be joined");
    assert!(trail.is_due(Timestamp(u64::MAX)) && !trail.is_due(Timestamp(0)));
    let chain = trail.chain(Timestamp(10));
    assert!(!trail.is_due(Timestamp(11)), "not once per payment");
    trail.saw(&at(6));
    assert_eq!(trail.was_joined(&chain, &log), Some(at(5)));
    assert_eq!((trail.joined(), trail.is_loose()), (Some(&at(5)), true), "one came meanwhile");
    let other = Words::new("inkan.test/2").unwrap();
    assert_eq!(trail.was_joined(&[at(5)], &other), None);
    assert!(!trail.is_loose(), "of a log that was broken off");
}

#[test]
fn hours_are_compared_and_strangers_are_passed_over() {
    let leaves: Vec<u8> = (0..9).collect();
    let hour = |size, hour: &str| over(&leaves, size, Some(hour));
    let (fake, mut trail) = (Fake::honest(), Trail::default());
    let first = [hour(3, "2026-11-22T21"), hour(4, "2026-11-22T22"), over(&leaves, 4, None)];
    let (fresh, wrong) = compare(&mut trail, &fake.sheet(), &first);
    assert_eq!((fresh.len(), wrong), (2, None));
    assert_eq!(trail.hours().to_vec(), first[..2]);
    assert_eq!(compare(&mut trail, &fake.sheet(), &first), (vec![], None), "known already");
    assert!(trail.lacks_hour(Timestamp(1_795_384_800_000 + 3_600_000)));
    assert!(!trail.lacks_hour(Timestamp(1_795_384_800_000)));

    let forged = SignedCheckpoint::sign_hour(
        hour(5, "2026-11-22T22").claimed(),
        "2026-11-22T22".parse().unwrap(),
        &SigningKey::from_seed(&[9; 32]),
    );
    assert_eq!(compare(&mut trail, &fake.sheet(), &[forged]), (vec![], None), "not the center's");
    let other = hour(5, "2026-11-22T22");
    let (_, wrong) = compare(&mut trail, &fake.sheet(), std::slice::from_ref(&other));
    assert_eq!(wrong, Some((first[1].clone(), other)), "two of one hour");

    let many = (0..60).map(|at| hour(5, &crate::checkpoint::Hour(494_000 + at).to_string()));
    let mut trail = Trail::default();
    many.for_each(|note| drop(trail.saw_hour(&note)));
    assert_eq!(trail.hours().len(), limits::HOURS);
    assert_eq!(trail.saw_hour(&hour(1, "2026-01-01T00")), Told::Known, "older than all that are remembered");
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
    assert!(line.check_mail(&forged).unwrap_err().to_string().starts_with("proof"));

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
