//! Random streams of requests: what must hold holds after every entry, whatever is asked.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::{DAY_MS, START, World, bytes, failed_at_bank, paid_by_bank, settings, yen};
use ledger::{
    Account, Decision, Entry, Outcome, Request, State, decide,
    request::{
        DeskLimits, Document, OperatorRole, Person, PostResult, Proposed, Standing, TransferResult, Void,
    },
    state::{AdmissionState, Loading, Section},
};
use proptest::prelude::*;
use wire::{
    admission::Way,
    codec,
    id::{
        AccountNumber, ApplicationNumber, CardNumber, Digest, EntryNumber, MemberNumber, OrderHash, Role,
        StoreNumber, TelegramId,
    },
    payload::KeyRole,
    time::Timestamp,
};

/// One random step: which kind of request, and numbers from which its fields are chosen.
#[derive(Debug, Clone)]
struct Step {
    kind: u8,
    a: u8,
    b: u8,
    c: u8,
    wait_ms: u32,
}

fn step() -> impl Strategy<Value = Step> {
    let wait_ms = prop_oneof![4 => Just(0), 4 => 0..5_000u32, 1 => 0..90_000_000u32];
    (0..36u8, any::<u8>(), any::<u8>(), any::<u8>(), wait_ms).prop_map(|(kind, a, b, c, wait_ms)| Step {
        kind,
        a,
        b,
        c,
        wait_ms,
    })
}

fn amount(choice: u8) -> u64 {
    [0, 1, 99, 100, 101, 250, 1_000, 5_000, 1_000_000, 1_000_000_000_000][usize::from(choice) % 10]
}

/// An entry among the last few, so that it often is one of the right kind.
fn recent(world: &World, choice: u8) -> EntryNumber {
    EntryNumber(world.state.next().0.saturating_sub(1 + u64::from(choice % 24)))
}

/// Few telegrams, which therefore repeat. Its time is part of a telegram, so one id always has the same.
fn repeated(choice: u8) -> (TelegramId, Timestamp) {
    let choice = u64::from(choice % 32);
    (TelegramId(bytes(b'T', choice)), Timestamp(crate::world::START + choice * crate::world::DAY_MS / 4))
}

fn request(world: &mut World, step: &Step) -> Request {
    let Step { a, b, c, .. } = *step;
    let member = MemberNumber(1 + u64::from(a % 4));
    let store = StoreNumber(1 + u64::from(b % 3));
    let card = CardNumber(1 + u64::from(a % 6));
    let operator = ["anna", "sue", "clara", "vic", "ghost"][usize::from(c % 5)].to_owned();
    match step.kind {
        0 => Request::Register(world.registration(Role::Member)),
        1 => Request::Register(world.registration(Role::Store)),
        2 | 3 => Request::RequestCard(world.card_request(member, amount(b))),
        4..=6 => {
            let of = recent(world, a);
            let reference = ledger::reference::make(of);
            let exact = world.state.requested(of).map_or(amount(b), |requested| requested.amount.minor());
            let sum = if c % 4 == 0 { amount(b) } else { exact };
            let mut credit = world.credit((c % 8 != 1).then_some(&reference), sum);
            if c % 8 == 2 {
                credit.bank_reference = "BANK-AGAIN".into();
            }
            Request::Credit(credit)
        }
        7..=11 => {
            let mut payment = world.payment(card, store, amount(c) / 10);
            // Few orders, each with one offer, so that they are often paid twice.
            payment.order = OrderHash(bytes(b'h', u64::from(b % 16)));
            payment.offer_expires = Timestamp(crate::world::START + u64::from(b % 16) * crate::world::DAY_MS);
            if c % 16 == 0 {
                (payment.telegram, payment.valid_until) = repeated(a);
            }
            Request::Pay(payment)
        }
        12 => {
            let (telegram, valid_until) = repeated(a);
            Request::Void(Void { telegram, account: AccountNumber::Member(member), valid_until })
        }
        13 | 14 => {
            let payment = recent(world, a);
            let paid = world.state.payment(payment).map(|paid| (paid.store, paid.total.minor()));
            let (whose, total) = paid.unwrap_or((store, amount(b)));
            let whose = if c % 8 == 0 { store } else { whose };
            let total = if c % 8 == 1 { amount(b) } else { total };
            Request::Refund(world.refund(whose, payment, total))
        }
        15..=17 => {
            let mut payments: Vec<EntryNumber> =
                (0..=c % 5).map(|at| recent(world, a.wrapping_add(at * 3))).collect();
            payments.sort();
            payments.dedup();
            let whose =
                payments.iter().find_map(|payment| world.state.payment(*payment)).map(|paid| paid.store);
            let whose = whose.unwrap_or(store);
            payments
                .retain(|it| c % 8 == 0 || world.state.payment(*it).is_some_and(|paid| paid.store == whose));
            let mut claim = world.claim(whose, &payments);
            if c % 8 == 1 {
                claim.proofs.pop();
            }
            Request::Claim(claim)
        }
        18 => {
            Request::PayClaim { claim: world.state.claims_due(world.now).next().unwrap_or(recent(world, a)) }
        }
        19 => {
            let transit = world.state.payouts().map(|(number, _)| number).nth(usize::from(a % 8));
            let result = if c % 2 == 0 { paid_by_bank("B") } else { failed_at_bank() };
            Request::PayoutResult { payout: transit.unwrap_or(recent(world, a)), result }
        }
        20 => Request::AssignReceipt { by: operator, receipt: recent(world, a), request: recent(world, b) },
        21 => Request::ReturnReceipt { by: operator, receipt: recent(world, a) },
        22 => {
            let of = match b % 3 {
                0 => Standing::Card(card),
                1 => Standing::Account(AccountNumber::Member(member)),
                _ => Standing::Account(AccountNumber::Store(store)),
            };
            Request::Standing { by: operator, of, frozen: a % 4 == 0, reason: "test".into() }
        }
        23 => match a % 3 {
            0 => Request::Lapse { request: recent(world, b) },
            1 => {
                let role = [KeyRole::Signature, KeyRole::Terminal, KeyRole::Recovery][usize::from(b % 3)];
                let by = [KeyRole::Signature, KeyRole::Recovery][usize::from(c % 2)];
                Request::ChangeKey(world.key_change(AccountNumber::Member(member), by, role))
            }
            _ => Request::Operator {
                name: operator,
                role: (b % 2 == 0).then_some(OperatorRole::Clerk),
                key: Digest([b; 32]),
                by: Some("anna".into()),
            },
        },
        _ => people(world, step, operator),
    }
}

/// Requests that move no money, or only with an operator's hand.
fn people(world: &mut World, step: &Step, operator: String) -> Request {
    let Step { a, b, c, .. } = *step;
    let account = match b % 2 {
        0 => AccountNumber::Member(MemberNumber(1 + u64::from(a % 4))),
        _ => AccountNumber::Store(StoreNumber(1 + u64::from(a % 3))),
    };
    let role = [KeyRole::Signature, KeyRole::Terminal, KeyRole::Recovery][usize::from(c % 3)];
    let (by, reason) = (operator, "test".to_owned());
    let admission = world.state.admissions().map(|(entry, _)| entry).nth(usize::from(a % 16));
    let admission = admission.unwrap_or(recent(world, a));
    match step.kind {
        24 => Request::Admit(world.admission(account.role())),
        25 => match world.state.admission(admission).is_some() {
            true => Request::Register(world.registration_of(admission)),
            false => Request::Register(world.registration(account.role())),
        },
        26 => {
            let act = Proposed::of(&Request::Admit(world.replacement(account))).expect("an act for two");
            Request::Propose { by, act: Box::new(act) }
        }
        27 => {
            let (until, key, ways) = (world.soon(), (c % 2 == 0).then(|| world.key()), vec![Way::Letter]);
            Request::Recode { by, admission, until, key, ways, reason }
        }
        28 => {
            let application = world.state.admission(admission).map(|it| it.application);
            let application = application.unwrap_or(ApplicationNumber(1_000_000 + u64::from(b)));
            let (particulars, reason) = (Digest([2; 32]), Digest([8; 32]));
            Request::Decline { by: Some(by), application, ask_back: c % 2 == 0, particulars, reason }
        }
        29 => {
            let intent = world.state.unposted().map(|(entry, _)| entry).next().unwrap_or(recent(world, a));
            let way = if b % 4 == 0 { Way::Letter } else { Way::Mail };
            let result = if c % 4 == 0 { PostResult::GivenUp { by } } else { PostResult::Done };
            Request::Posted { intent, way, result }
        }
        30 => match world.state.holder(account).and_then(|holder| holder.waiting_key) {
            Some(waiting) if c % 2 == 0 => {
                Request::CancelKeyChange(world.key_cancel(account, waiting.change))
            }
            Some(waiting) => Request::KeyInForce { account, change: waiting.change },
            None => {
                let by = if c % 4 == 0 { KeyRole::Recovery } else { KeyRole::Signature };
                Request::ChangeKey(world.key_change(account, by, KeyRole::Recovery))
            }
        },
        31 => Request::Revoke { by, account, role, reason },
        32 => {
            let store = StoreNumber(1 + u64::from(a % 2));
            let holder = world.state.holder(AccountNumber::Store(store));
            let known = holder.and_then(|holder| holder.cashiers.keys().next().copied());
            let key = known.filter(|_| c % 2 == 0).unwrap_or_else(|| world.key());
            Request::Cashier(world.cashier_change(store, key, (b % 4 > 0).then_some(amount(b) / 10)))
        }
        33 => {
            let payment = recent(world, a);
            let paid = world.state.payment(payment).map(|paid| (paid.store, paid.total.minor()));
            let (store, total) = paid.unwrap_or((StoreNumber(1), 1));
            let holder = world.state.holder(AccountNumber::Store(store));
            match holder.and_then(|holder| holder.cashiers.keys().next().copied()) {
                Some(key) => Request::Refund(world.cashier_refund(store, key, payment, total)),
                None => Request::CenterRefund { by, payment, reason },
            }
        }
        34 => match c % 6 {
            0 => Request::Reveal { by, of: Person::Account(account), reason },
            1 => Request::Erase { by, of: Person::Account(account), reason },
            2 => {
                let limits = DeskLimits { refund_alone: yen(amount(a)), receipt_alone: yen(amount(b)) };
                Request::Limits { by, limits }
            }
            _ => {
                let document = Document::Guide(account.role());
                let version = world.state.document(document).map_or(0, |it| it.version) + u32::from(c % 2);
                Request::Document {
                    by: Some(by),
                    document,
                    version,
                    digest: Digest(bytes(b'd', world.fresh())),
                }
            }
        },
        _ => {
            let proposal = world.state.proposals(world.now).map(|(entry, _)| entry).next();
            match proposal {
                Some(proposal) if c % 5 == 0 => Request::Withdraw { by, proposal },
                Some(proposal) => world.confirmation(&by, proposal),
                None => {
                    let act = match b % 3 {
                        0 => Proposed::CenterRefund { payment: recent(world, a), reason },
                        1 => Proposed::ReturnReceipt { receipt: recent(world, a) },
                        _ => Proposed::Revoke { account, role, reason },
                    };
                    Request::Propose { by, act: Box::new(act) }
                }
            }
        }
    }
}

/// What an outsider who only sees the entries knows of the bank's account.
fn at_bank(entries: &[Entry]) -> i128 {
    let moved = |entry: &Entry| -> i128 {
        match (&entry.request, &entry.decision) {
            (Request::Credit(it), Decision::Done(_)) => it.amount.minor().into(),
            (
                Request::PayoutResult { result: TransferResult::Paid { .. }, .. },
                Decision::Done(Outcome::PayoutSettled { amount, .. }),
            ) => -i128::from(amount.minor()),
            _ => 0,
        }
    };
    entries.iter().map(moved).sum()
}

/// The state that is read from another's form.
fn reread(state: &State) -> State {
    let mut loading = Loading::default();
    for section in Section::ALL {
        state.write(section, &mut |piece| loading.take(section, piece).unwrap());
    }
    loading.finish().unwrap()
}

fn run(steps: &[Step]) -> World {
    let mut settings = settings();
    settings.refusals_per_minute = 30;
    let mut world = World::with(settings);
    for _ in 0..3 {
        world.member();
    }
    world.store();
    world.store();
    for member in 1..=3 {
        world.card(MemberNumber(member), 5_000);
    }
    for step in steps {
        world.now = world.now.plus_ms(step.wait_ms.into());
        let request = request(&mut world, step);
        let before: Vec<(Account, i128)> = world.state.balances().collect();
        // `ask` audits after every entry.
        let entry = world.ask(request);
        if entry.refusal().is_some() {
            assert!(entry.postings.is_empty());
            assert_eq!(world.state.balances().collect::<Vec<_>>(), before, "a refusal moved money");
        }
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn money_is_conserved_and_nothing_is_paid_twice(steps in prop::collection::vec(step(), 1..160)) {
        let world = run(&steps);
        prop_assert_eq!(world.state.balance(Account::Bank), at_bank(&world.entries));
        let mut orders = BTreeSet::new();
        let mut telegrams = BTreeMap::new();
        for entry in &world.entries {
            if let (Request::Pay(it), Decision::Done(_)) = (&entry.request, &entry.decision) {
                prop_assert!(orders.insert((it.store, it.order)), "an order was paid twice: {}", entry.number);
            }
            if let Some(signed) = entry.request.signed() {
                let first = telegrams.insert(signed.telegram, entry.number);
                prop_assert_eq!(first, None, "a telegram was entered twice");
            }
        }
        let owed: i128 = world.state.balances().filter(|(account, _)| *account != Account::Bank).map(|(_, it)| it).sum();
        prop_assert_eq!(world.state.balance(Account::Bank), -owed, "the bank holds what is owed");
    }

    #[test]
    fn nobody_registers_twice_and_keys_are_never_used_again(steps in prop::collection::vec(step(), 1..160)) {
        let world = run(&steps);
        let mut admissions = BTreeSet::new();
        let mut keys = BTreeSet::new();
        for entry in world.entries.iter().filter(|entry| entry.refusal().is_none()) {
            let fresh: Vec<_> = match &entry.request {
                Request::Register(it) => {
                    prop_assert!(admissions.insert(it.admission), "{} was registered twice", it.application);
                    let state = world.state.admission(it.admission).map(|admitted| admitted.state);
                    prop_assert_eq!(state, Some(AdmissionState::Registered(entry.number)));
                    [Some(it.signature_key), Some(it.terminal_key), it.recovery_key].into_iter().flatten().collect()
                }
                Request::ChangeKey(it) => it.key.into_iter().collect(),
                _ => Vec::new(),
            };
            for key in fresh {
                prop_assert!(keys.insert(key), "a key was put in force twice by {}", entry.number);
            }
        }
        for (account, holder) in world.state.holders() {
            prop_assert!(holder.chain.len() <= wire::limits::PAGE, "{}", account);
        }
    }

    #[test]
    fn replay_gives_the_same_state(
        steps in prop::collection::vec(step(), 1..80),
        next in step(),
        now in START..START + 30 * DAY_MS,
    ) {
        let world = run(&steps);
        let mut replayed = State::new();
        for entry in &world.entries {
            // As the journal keeps it.
            let kept: Entry = codec::decode("entry", &codec::encode(entry), 1 << 20).unwrap();
            replayed.apply(&kept).unwrap();
        }
        prop_assert_eq!(replayed.digest(), world.state.digest());
        let read = reread(&replayed);
        prop_assert_eq!(read.digest(), world.state.digest());
        prop_assert_eq!(read.audit(), Ok(()));
        // It answers alike, and goes on alike.
        let mut going = [world.state.clone(), read];
        let request = request(&mut run(&steps), &next);
        let decided = going.each_ref().map(|state| decide(state, &request, Timestamp(now)));
        prop_assert_eq!(&decided[0], &decided[1]);
        if decided[0].is_for_the_journal() {
            for state in &mut going {
                state.apply(&decided[0]).unwrap();
            }
            prop_assert_eq!(going[0].digest(), going[1].digest());
        }
        let mut shorter = State::new();
        for entry in &world.entries[..world.entries.len() - 1] {
            shorter.apply(entry).unwrap();
        }
        prop_assert_ne!(shorter.digest(), world.state.digest());
    }

    #[test]
    fn whatever_decodes_is_decided_without_panic(
        steps in prop::collection::vec(step(), 1..40),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        step in step(),
        now in any::<u64>(),
    ) {
        let mut world = run(&steps);
        let mut encoded = codec::encode(&request(&mut world, &step));
        for (at, byte) in flips {
            let at = at.index(encoded.len());
            encoded[at] = byte;
        }
        if let Ok(request) = codec::decode::<Request>("request", &encoded, 1 << 20) {
            let entry = decide(&world.state, &request, Timestamp(now));
            if entry.is_for_the_journal() {
                world.state.apply(&entry).unwrap();
                world.state.audit().unwrap();
            }
        }
    }

    #[test]
    fn a_forged_entry_is_refused_or_balances(
        steps in prop::collection::vec(step(), 1..40),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        which in any::<prop::sample::Index>(),
    ) {
        let world = run(&steps);
        let at = which.index(world.entries.len());
        let mut state = State::new();
        for entry in &world.entries[..at] {
            state.apply(entry).unwrap();
        }
        let mut encoded = codec::encode(&world.entries[at]);
        for (at, byte) in flips {
            let at = at.index(encoded.len());
            encoded[at] = byte;
        }
        if let Ok(entry) = codec::decode::<Entry>("entry", &encoded, 1 << 20) {
            // Whatever it says: no panic, and no entry that leaves debits and credits unequal.
            if state.apply(&entry).is_ok() {
                prop_assert_eq!(state.balances().map(|(_, balance)| balance).sum::<i128>(), 0);
            }
        }
    }
}
