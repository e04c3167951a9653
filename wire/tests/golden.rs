//! Golden bytes: what was ever signed or sent must be read for ever, so every encoding is pinned here by its SHA-256.
//! A test that fails means that old telegrams would no longer be understood: add a variant instead of changing one.

use wire::{
    admission::{ActivationCode, Application, Build, Kit, Terms, VaultPolicy},
    amount::{Amount, Currency},
    bounded::{Bytes, List},
    checkpoint::{Checkpoint, SignedCheckpoint},
    codec,
    id::{
        AccountNumber, ApplicationNumber, CardNumber, CenterId, Digest, EntryNumber, MemberNumber, Nonce,
        OrderHash, Role, Salt, StoreNumber,
    },
    key::{Signature, SigningKey, VerificationKey},
    message::{Answer, Beside, KeyEvidence, RegisterCall, Request},
    payload::{
        CardCertificate, CardRequest, CashierChange, CashierRights, ChainHead, Claim, Delivery,
        DirectoryEntry, DirectoryPage, Funding, KeyCancel, KeyChange, KeyEvent, KeyRole, Offer, Payment,
        Refund, RefundReason, Registration, Rights, TerminalCertificate, chain_hash, possession_message,
    },
    sheet::{KeySheet, LogBreak, ResumedSheet, SheetKey, SheetRole},
    shop::{ShopRefusal, StoreAnswer, StoreRequest},
    telegram::{Kind, Payload, Signer, Telegram},
    text::{Line, Prose},
    till::{PickUpCode, Standing, TillAnswer, TillRequest, TillSale},
    time::Timestamp,
};

const CENTER: CenterId = CenterId([1; 32]);
const MEMBER: MemberNumber = MemberNumber(7);
const STORE: StoreNumber = StoreNumber(8);
const CARD: CardNumber = CardNumber(9);
const EVENT: EntryNumber = EntryNumber(5);
const NONCE: Nonce = Nonce([2; 16]);
const AT: Timestamp = Timestamp(1_700_000_000_000);
const DIGEST: Digest = Digest([3; 32]);
const ORDER: OrderHash = OrderHash([4; 32]);
const SIGNATURE: Signature = Signature([5; 64]);

fn key(seed: u8) -> VerificationKey {
    VerificationKey([seed; 32])
}

fn line(text: &str) -> Line {
    Line::new(text).unwrap()
}

fn yen(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

fn telegram() -> Telegram {
    let delivery = Delivery { order: ORDER, goods: DIGEST };
    Telegram::sign(
        &delivery,
        Signer::Account(AccountNumber::Member(MEMBER)),
        &SigningKey::from_seed(&[6; 32]),
    )
}

fn rights() -> CashierRights {
    CashierRights { name: line("Kenji"), sell: true, deliver: false, refund_limit: yen(5000), see_day: true }
}

fn pinned<T: serde::Serialize>(what: &str, value: &T) -> (String, String) {
    (what.to_owned(), Digest::of(&[&codec::encode(value)]).to_string()[..16].to_owned())
}

fn payload<P: Payload>(payload: &P) -> (String, String) {
    pinned(&format!("{:?}", P::KIND), payload)
}

fn payloads() -> Vec<(String, String)> {
    let account = AccountNumber::Member(MEMBER);
    vec![
        payload(&Registration {
            center: CENTER,
            application: ApplicationNumber(3),
            account,
            verification_key: key(1),
            terminal_key: key(2),
            recovery_key: Some(key(3)),
            particulars: DIGEST,
            code: DIGEST,
            terms: DIGEST,
            nonce: NONCE,
            valid_until: AT,
        }),
        payload(&Application {
            center: CENTER,
            role: Role::Store,
            verification_key: key(1),
            terminal_key: key(2),
            particulars: DIGEST,
            amends: Some(ApplicationNumber(3)),
            replaces: Some(account),
            nonce: NONCE,
            valid_until: AT,
        }),
        payload(&TerminalCertificate {
            center: CENTER,
            terminal_key: key(2),
            rights: Rights::Cashier(rights()),
            issued: AT,
        }),
        payload(&KeyChange {
            center: CENTER,
            account,
            key_event: EVENT,
            role: KeyRole::Terminal,
            key: Some(key(4)),
            nonce: NONCE,
            valid_until: AT,
        }),
        payload(&KeyCancel {
            center: CENTER,
            account,
            key_event: EVENT,
            change: EntryNumber(11),
            nonce: NONCE,
            valid_until: AT,
        }),
        payload(&CashierChange {
            center: CENTER,
            store: STORE,
            key_event: EVENT,
            key: key(4),
            rights: Some(rights()),
            nonce: NONCE,
            valid_until: AT,
        }),
        payload(&CardRequest {
            center: CENTER,
            member: MEMBER,
            key_event: EVENT,
            amount: yen(20_000),
            currency: Currency::YEN,
            funding: Funding::BankTransfer,
            nonce: NONCE,
            valid_until: AT,
        }),
        payload(&Payment {
            center: CENTER,
            member: MEMBER,
            key_event: EVENT,
            card: CARD,
            store: STORE,
            offer: DIGEST,
            order: ORDER,
            total: yen(1500),
            currency: Currency::YEN,
            offer_expires: AT,
            nonce: NONCE,
            valid_until: AT,
        }),
        payload(&Refund {
            center: CENTER,
            store: STORE,
            cashier: Some(key(4)),
            key_event: EVENT,
            payment: EntryNumber(12),
            amount: yen(1500),
            currency: Currency::YEN,
            reason: RefundReason::Agreed,
            nonce: NONCE,
            valid_until: AT,
        }),
        payload(&Claim {
            center: CENTER,
            store: STORE,
            key_event: EVENT,
            payments: List::first([EntryNumber(12), EntryNumber(13)]),
            total: yen(3000),
            currency: Currency::YEN,
            nonce: NONCE,
            valid_until: AT,
        }),
        payload(&Offer {
            center: CENTER,
            store: STORE,
            terminal_key: key(2),
            buyer_key: key(3),
            order: ORDER,
            total: yen(1500),
            currency: Currency::YEN,
            issued: AT,
            expires: AT,
        }),
        payload(&Delivery { order: ORDER, goods: DIGEST }),
        payload(&CardCertificate {
            center: CENTER,
            card: CARD,
            member: MEMBER,
            key_event: EVENT,
            entry: EntryNumber(10),
            issued: AT,
        }),
        payload(&DirectoryPage {
            center: CENTER,
            at: AT,
            stores: List::first([DirectoryEntry {
                store: STORE,
                name: line("梅ツール"),
                verification_key: key(1),
                certificate: telegram(),
                addresses: List::first([line("127.0.0.1:7070")]),
            }]),
            more: true,
        }),
        payload(&ChainHead { center: CENTER, account, head: DIGEST, size: 14, root: DIGEST }),
        payload(&KeySheet {
            number: 2,
            center: CENTER,
            log_origin: line("inkan/0101/1"),
            keys: List::first([SheetKey {
                role: SheetRole::Statement,
                key: key(5),
                from_size: 3,
                until_size: Some(9),
            }]),
            breaks: List::default(),
        }),
        payload(&ResumedSheet {
            sheet: KeySheet {
                number: 3,
                center: CENTER,
                log_origin: line("inkan/0101/2"),
                keys: List::default(),
                breaks: List::default(),
            },
            breaks: List::first([LogBreak { origin: line("inkan/0101/1"), size: 9, root: DIGEST }]),
        }),
        payload(&Kit {
            center: CENTER,
            number: 4,
            issued: AT,
            sheet: telegram(),
            terms: Terms { version: 2, text: Prose::new("Keep your keys.").unwrap() },
            vault: VaultPolicy { memory_kib: 65_536, passes: 3 },
            currency: Currency::YEN,
            builds: List::first([Build {
                program: line("tui-member"),
                platform: line("x86_64-unknown-linux-gnu"),
                version: line("0.1.0"),
                length: 123,
                digest: DIGEST,
            }]),
        }),
    ]
}

fn requests() -> Vec<(String, String)> {
    let code: ActivationCode = "0123-4567-89AB-CDEF".parse().unwrap();
    let call = RegisterCall {
        telegram: telegram(),
        certificate: telegram(),
        particulars: Bytes::new(vec![1, 2, 3]).unwrap(),
        salt: Salt([7; 32]),
        code,
        possessions: List::first([(KeyRole::Terminal, SIGNATURE)]),
    };
    let evidence = KeyEvidence { possession: Some(SIGNATURE), certificate: Some(telegram()) };
    vec![
        pinned("register", &Request::Register(Box::new(call))),
        pinned("submit", &Request::Submit { telegram: telegram(), beside: Beside::Keys(Box::new(evidence)) }),
        pinned("inquire", &Request::Inquire(telegram())),
        pinned("application", &Request::Application { number: ApplicationNumber(3), signature: SIGNATURE }),
        pinned("recover", &Request::Recover { key: key(3), signature: SIGNATURE }),
        pinned(
            "deposit",
            &Request::Deposit {
                length: 9,
                digest: DIGEST,
                offset: 3,
                bytes: Bytes::new(vec![8; 6]).unwrap(),
            },
        ),
        pinned("cashiers", &Request::Cashiers),
    ]
}

/// What crosses a store's counter where a cashier sells and a buyer takes it up.
fn sales() -> Vec<(String, String)> {
    let code = PickUpCode::of_bytes([1, 2, 3, 4, 5]);
    let (order, salt) = (Bytes::new(vec![1, 2, 3]).unwrap(), Salt([7; 32]));
    let sale =
        TillSale { order: ORDER, code, by: key(1), name: line("Kenji"), total: yen(1200), expires: AT };
    vec![
        pinned("sell", &StoreRequest::Till(Box::new(TillRequest::Sell { order: order.clone(), salt }))),
        pinned("sale", &StoreRequest::Till(Box::new(TillRequest::Sale(ORDER)))),
        pinned("sold", &StoreAnswer::Till(Box::new(TillAnswer::Sale(Box::new(sale))))),
        pinned("awaiting-buyer", &Standing::AwaitingBuyer),
        pinned("take-up", &StoreRequest::TakeUp { code, buyer_key: key(2) }),
        pinned("taken-up", &StoreAnswer::Sale { order, salt, offer: telegram() }),
        pinned("unknown-code", &StoreAnswer::Refused(ShopRefusal::UnknownCode)),
        pinned("too-many-tries", &StoreAnswer::Refused(ShopRefusal::TooManyTries)),
    ]
}

/// What terminals ask of the center's journal, and show each other of it.
fn comparisons() -> Vec<(String, String)> {
    let checkpoint = Checkpoint { origin: line("golden/log"), size: 9, root: DIGEST };
    let hour = "2026-11-22T22".parse().unwrap();
    let note = SignedCheckpoint::sign_hour(&checkpoint, hour, &SigningKey::from_seed(&[7; 32]));
    let proofs = [Some(List::first([DIGEST, DIGEST])), None];
    vec![
        pinned("consistency", &Request::Consistency(List::first([(1, 2), (3, 9)]))),
        pinned("ask-hours", &Request::Hours),
        pinned("ask-text-receipt", &Request::TextReceipt { entry: EVENT }),
        pinned("proofs", &Answer::Consistency(List::first(proofs))),
        pinned("hours", &Answer::Hours(List::first([note.clone()]))),
        pinned("shown-hours", &StoreRequest::Hours(List::first([note.clone()]))),
        pinned("hours-of-a-store", &StoreAnswer::Hours(List::first([note]))),
        pinned("hand-in", &Request::HandIn { items: List::default() }),
        pinned("handed-in", &Answer::HandedIn(List::first([Some(EVENT), None]))),
    ]
}

#[test]
fn every_encoding_is_the_one_that_was_signed_before() {
    let all: Vec<String> = payloads()
        .into_iter()
        .chain(requests())
        .chain(sales())
        .chain(comparisons())
        .map(|(what, digest)| format!("{what} {digest}"))
        .collect();
    let golden = include_str!("golden.txt");
    assert_eq!(all.join("\n"), golden.trim_end(), "an encoding has changed");
}

#[test]
fn every_kind_of_telegram_has_a_domain_of_its_own() {
    let pinned: Vec<String> = payloads().into_iter().map(|(kind, _)| kind).collect();
    let kinds = [
        Kind::Registration,
        Kind::TerminalCertificate,
        Kind::KeyChange,
        Kind::CardRequest,
        Kind::Payment,
        Kind::Refund,
        Kind::Claim,
        Kind::Offer,
        Kind::Delivery,
        Kind::KeySheet,
        Kind::CardCertificate,
        Kind::DirectoryPage,
        Kind::ChainHead,
        Kind::Application,
        Kind::Kit,
        Kind::KeyCancel,
        Kind::CashierChange,
        Kind::ResumedSheet,
    ];
    let mut tags: Vec<&str> = kinds.iter().map(|kind| kind.domain_tag()).collect();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), kinds.len());
    for kind in kinds {
        assert!(pinned.contains(&format!("{kind:?}")), "{kind:?} has no golden bytes");
    }
}

#[test]
fn statements_about_keys_hash_as_they_were_signed() {
    let account = AccountNumber::Store(STORE);
    let event = KeyEvent { entry: EVENT, role: KeyRole::Recovery, key: None };
    assert_eq!(chain_hash(account, [&event]).short(), "af7fbfd0");
    let possession = possession_message(&CENTER, KeyRole::Recovery, &telegram().id());
    assert_eq!(Digest::of(&[&possession]).short(), "fd8f1914");
}
