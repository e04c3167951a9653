//! A member with a past, without clock, zone or path.

use std::sync::Arc;

use tui_kit::{keys::Bindings, pad::Drawing, testing, time::Zone};
use vault::recovery::RecoveryPhrase;
use wire::{
    admission::{ApplicationState, ApplicationView, Guide, Kit, Terms, VaultPolicy},
    amount::{Amount, Currency},
    bounded::List,
    id::{
        ApplicationNumber, CardNumber, Digest, EntryNumber, MemberNumber, OrderHash, Role, StoreNumber,
        TelegramId,
    },
    key::SigningKey,
    message::{Field, FieldKind, Form},
    sheet::Invitation,
    text::{Line, Prose},
    time::Timestamp,
};

use crate::{
    act::{Failure, Outcome},
    app::{Door, Effect, Entered, Fresh, Member, Msg, Place, Preferences, Progress, Ticket},
    join::{Stage, Welcome},
    view::*,
};

/// The screens on a stage.
pub(crate) type Stand = testing::Stage<Member>;

pub(crate) const ORDER: OrderHash = OrderHash([0x5a; 32]);
pub(crate) const UNKNOWN: OrderHash = OrderHash([0x77; 32]);

pub(crate) fn line(text: &str) -> Line {
    Line::new(text).unwrap()
}

pub(crate) fn money(minor: u64) -> Money {
    Money::new(Amount::new(minor).unwrap(), Currency::YEN)
}

pub(crate) fn moment(text: &str) -> Moment {
    Moment { unix_ms: 1_795_363_200_000, text: text.into() }
}

fn place() -> Place {
    Place { profile: "hanako".into(), zone: Zone::named("Asia/Tokyo").unwrap(), opener: Some("less".into()) }
}

/// The program before anything is known.
pub(crate) fn at_the_door(door: Door, width: u16, height: u16) -> Stand {
    testing::Stage::new(
        Member::new(door, place(), Preferences::default(), Bindings::default()),
        width,
        height,
    )
}

/// The program at home, with this state.
pub(crate) fn at_home(snapshot: Snapshot, width: u16, height: u16) -> Stand {
    let mut stand = at_the_door(Door::Locked, width, height);
    stand.keys("horse battery<enter>");
    stand.effects();
    stand.message(Msg::Unlocked(Ok(entered(snapshot))));
    stand
}

pub(crate) fn entered(snapshot: Snapshot) -> Entered {
    Entered { snapshot: Arc::new(snapshot), progress: progress(Stage::Joined) }
}

/// An application that stands so.
pub(crate) fn applied(state: ApplicationState) -> Stage {
    let at = Timestamp(1_795_363_200_000);
    let number = ApplicationNumber(12);
    Stage::Applied(Box::new(ApplicationView { number, received: at, since: at, state }))
}

/// The kit that an applicant has.
pub(crate) fn kit() -> Kit {
    let center = SigningKey::from_seed(&[3; 32]);
    let sheet = wire::sheet::KeySheet {
        number: 1,
        center: center.verification_key().center(),
        log_origin: line("center.example/log"),
        breaks: wire::bounded::List::default(),
        keys: List::default(),
    };
    Kit {
        center: sheet.center,
        number: 7,
        issued: Timestamp(1_795_363_200_000),
        sheet: sheet.sign(&center),
        terms: Terms {
            version: 4,
            text: Prose::new("# Terms\n- A card is prepaid.\n- What is paid is final.").unwrap(),
        },
        vault: VaultPolicy { memory_kib: 64 << 10, passes: 3 },
        currency: Currency::YEN,
        builds: List::default(),
    }
}

/// How far joining has come, without a clock or a zone in it.
pub(crate) fn progress(stage: Stage) -> Box<Progress> {
    let words = match &stage {
        Stage::Applied(view) if view.state == ApplicationState::Waiting => {
            "A-000012 waits for the center to decide".into()
        }
        stage => stage.words(),
    };
    Box::new(Progress {
        standing: Standing {
            application: Some(ApplicationNumber(12)),
            state: stage.word().into(),
            words,
            center: Some(line("Inkan Center 東京")),
            fingerprint: Some("q7ma 2lkd 9fjw 0ske".into()),
            kit: Some(7),
            member: None,
            registration: None,
        },
        stage,
        invitation: Some(invitation()),
        kit: Some(Box::new(kit())),
        wants_phrase: false,
        joined: None,
    })
}

/// A phrase that is the same in every test.
pub(crate) const PHRASE: &str = "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount \
                                 doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless";

pub(crate) fn fresh() -> Box<Fresh> {
    Box::new(Fresh { phrase: RecoveryPhrase::parse(&PHRASE.into()).unwrap(), asked: [2, 3, 24] })
}

/// A drawn seal: a circle of a few strokes.
pub(crate) fn drawing() -> Drawing {
    let points = [(20, 10), (45, 20), (50, 45), (30, 60), (10, 45), (12, 20), (20, 10)];
    let points = points.map(|(x, y)| tui_kit::pad::Point { x: x * 1_000, y: y * 1_000, ms: 0 });
    Drawing::new(vec![tui_kit::pad::Stroke { points: points.to_vec() }]).unwrap()
}

pub(crate) fn keys_view() -> KeysView {
    let key = |role: &str, fingerprint: Option<&str>| KeyRow {
        role: role.into(),
        fingerprint: fingerprint.map(Into::into),
        waits: None,
    };
    let event = |entry, role: &str, fingerprint: &str, own| ChainRow {
        entry: EntryNumber(entry),
        role: role.into(),
        fingerprint: Some(fingerprint.into()),
        own,
    };
    KeysView {
        own: vec![
            key("signature", Some("k3jf 8d2m 1qpz 7xwc")),
            key("terminal", Some("a9sk 2mfp 4wqn 8zrt")),
            key("recovery", Some("h1vd 6tgb 3ycu 5jkl")),
        ],
        chain: vec![
            event(7, "signature", "k3jf 8d2m 1qpz 7xwc", true),
            event(7, "terminal", "a9sk 2mfp 4wqn 8zrt", true),
            event(90, "recovery", "z0z0 z0z0 z0z0 z0z0", false),
        ],
        chain_as_of: Some(moment("26/11/22 15:59")),
        waiting_change: Some(EntryNumber(91)),
        waiting_from: Some(moment("26/11/25 15:59")),
        held: None,
        recovery: newcomer().custody.recovery,
    }
}

/// The ticket of the only act that is asked for, and the act.
pub(crate) fn asked(stand: &mut Stand) -> (Ticket, crate::act::Act) {
    let mut effects = stand.effects();
    assert_eq!(effects.len(), 1, "{effects:?}");
    match effects.remove(0) {
        Effect::Do { ticket, act } => (ticket, act),
        other => panic!("another effect: {other:?}"),
    }
}

/// Answers the only act that is asked for, which must be of this kind.
pub(crate) fn answer(stand: &mut Stand, kind: &str, result: Result<Outcome, Failure>) {
    let (ticket, act) = asked(stand);
    let told = format!("{act:?}");
    assert!(told.starts_with(kind), "asked for {told} instead of {kind}");
    stand.message(Msg::Done { ticket, result: Box::new(result) });
}

/// Lets the screens see the next state.
pub(crate) fn see(stand: &mut Stand, mut snapshot: Snapshot, change: impl FnOnce(&mut Snapshot)) {
    snapshot.generation += 1;
    change(&mut snapshot);
    stand.message(Msg::Snapshot(Arc::new(snapshot)));
}

pub(crate) fn newcomer() -> Snapshot {
    Snapshot {
        generation: 1,
        member: Some(MemberNumber(1)),
        center: Some(CenterRow {
            name: line("Inkan Center 東京"),
            fingerprint: "q7ma 2lkd 9fjw 0ske".into(),
            currency: Currency::YEN,
            zone: line("Asia/Tokyo"),
            help: line("help@center.example"),
            addresses: vec![line("center.example:7070")],
            sheet: 1,
        }),
        line: LineView::Connected {
            address: "center.example:7070".into(),
            since: moment("26/11/22 15:00"),
            payments: true,
        },
        cards: Vec::new(),
        funding: Vec::new(),
        purchases: Vec::new(),
        messages: Vec::new(),
        outbox: Vec::new(),
        cart: Vec::new(),
        findings: Vec::new(),
        custody: CustodyRow {
            recovery: RecoveryRow {
                phrase: true,
                registered: true,
                confirmed: Some(moment("26/11/01 09:00")),
                proved: Some(moment("26/11/20 08:00")),
                deposited: Some(moment("26/11/22 15:00")),
                due: false,
            },
            ..CustodyRow::default()
        },
        download: None,
        seal: None,
    }
}

pub(crate) fn full() -> Snapshot {
    Snapshot {
        cards: vec![
            CardRow {
                card: CardNumber(1),
                balance: money(12_500),
                as_of: moment("26/11/22 15:58"),
                frozen: false,
                issued: moment("26/11/01 09:30"),
            },
            CardRow {
                card: CardNumber(2),
                balance: money(1_234_567),
                as_of: moment("26/11/22 15:58"),
                frozen: true,
                issued: moment("26/11/02 10:00"),
            },
        ],
        funding: vec![funding()],
        purchases: vec![
            purchase(UNKNOWN, "ことり書房", "A walk through Kyoto", 3_000, PurchaseState::Unknown, None),
            purchase(ORDER, "佐藤商店", "俳句集, picture", 1_500, PurchaseState::Settled, Some(42)),
            purchase(
                OrderHash([3; 32]),
                "Sato Books",
                "Small program",
                800,
                PurchaseState::Delivered,
                Some(30),
            ),
            purchase(OrderHash([4; 32]), "Sato Books", "Old map", 20_000, PurchaseState::Refused, Some(29)),
        ],
        messages: vec![
            MessageRow {
                at: moment("26/11/22 15:40"),
                number: Some(EntryNumber(42)),
                words: "card C-000001-3 was issued with 20,000 JPY".into(),
                alarm: false,
            },
            MessageRow {
                at: moment("26/11/20 08:00"),
                number: None,
                words: "the center's list of cards is not believed: a card is another's".into(),
                alarm: true,
            },
        ],
        outbox: vec![OutboxRow {
            telegram: TelegramId([9; 32]),
            kind: "payment".into(),
            order: Some(UNKNOWN),
            amount: Some(money(3_000)),
            signed: moment("26/11/22 15:59"),
            valid_until: Some(moment("26/11/22 16:14")),
            sent: true,
            open: true,
            words: "sent, outcome unknown since 26/11/22 15:59; resolve asks the center".into(),
        }],
        ..newcomer()
    }
}

pub(crate) fn funding() -> FundingRow {
    FundingRow {
        request: EntryNumber(40),
        amount: money(30_000),
        holder: line("Inkan Center KK"),
        account: line("0001/123/1234567"),
        bic: None,
        reference: line("RF18 5390 0754 7034"),
        expires: moment("26/11/29 23:59"),
    }
}

pub(crate) fn purchase(
    order: OrderHash,
    store: &str,
    goods: &str,
    total: u64,
    state: PurchaseState,
    number: Option<u64>,
) -> Arc<PurchaseRow> {
    Arc::new(PurchaseRow {
        order,
        day: "26/11/22".into(),
        at: moment("26/11/22 15:59"),
        store: StoreNumber(1),
        store_name: line(store),
        goods: goods.into(),
        total: money(total),
        state,
        words: state.words().into(),
        number: number.map(EntryNumber),
    })
}

fn goods() -> Vec<LineRow> {
    let row = |item: &str, title: &str, price| LineRow {
        item: line(item),
        title: line(title),
        quantity: 1,
        price: money(price),
        size: 48_200,
        digest: Digest([7; 32]),
        file: None,
    };
    vec![row("haiku", "俳句集", 1_000), row("picture", "Mount Fuji in the morning", 500)]
}

pub(crate) fn offered() -> Offered {
    Offered {
        order: ORDER,
        store: StoreNumber(1),
        store_name: line("佐藤商店"),
        lines: goods(),
        total: money(1_500),
        expires: moment("26/11/22 16:30"),
        card: Some(CardNumber(1)),
        balance_before: Some(money(12_500)),
        balance_after: Some(money(11_000)),
        warnings: vec!["the store's key is another than when you last ordered there".into()],
    }
}

pub(crate) fn detail(state: PurchaseState) -> PurchaseDetail {
    let number = (!matches!(state, PurchaseState::Offered)).then_some(42);
    PurchaseDetail {
        row: (*purchase(ORDER, "佐藤商店", "俳句集, picture", 1_500, state, number)).clone(),
        lines: goods(),
        note: Prose::new("please wrap it").unwrap(),
        ordered: moment("26/11/22 15:58"),
        offer_expires: moment("26/11/22 16:30"),
        card: Some(CardNumber(1)),
        balance: Some(money(11_000)),
        telegram: Some(TelegramId([8; 32])),
        acknowledged: None,
        refund: None,
    }
}

pub(crate) fn stores() -> Vec<StoreRow> {
    let row = |number, name: &str, open| StoreRow {
        store: StoreNumber(number),
        name: line(name),
        open,
        fingerprint: "k3jf 8d2m 1qpz 7xwc".into(),
    };
    vec![row(1, "佐藤商店", true), row(2, "Sato Books", true), row(3, "ことり書房", false)]
}

pub(crate) fn items() -> Vec<ItemRow> {
    let row = |id: &str, title: &str, price, size, tags: &[&str]| ItemRow {
        id: line(id),
        title: line(title),
        description: Prose::new("Seventeen syllables at a time, with drawings by the author.").unwrap(),
        price: money(price),
        size,
        file_name: line("haiku.pdf"),
        tags: tags.iter().map(|tag| line(tag)).collect(),
        digest: Digest([7; 32]),
    };
    vec![
        row("haiku", "俳句集", 1_000, 48_200, &["book", "poems"]),
        row("picture", "Mount Fuji in the morning", 500, 2_400_000, &["picture"]),
        row("program", "A small program", 120_000, 900, &[]),
    ]
}

pub(crate) fn invitation() -> Invitation {
    let root = SigningKey::from_seed(&[3; 32]).verification_key();
    Invitation { root, addresses: List::first([line("center.example:7070")]) }
}

pub(crate) fn welcome() -> Welcome {
    let field = |key: &str, label: &str, kind, required| Field {
        key: line(key),
        label: line(label),
        help: line("as on your papers"),
        kind,
        required,
        max_chars: 100,
    };
    let fields = [
        field("name", "Name", FieldKind::Line, true),
        field("address", "Address", FieldKind::Prose, true),
        field("born", "Date of birth", FieldKind::Date, true),
        field("email", "E-mail", FieldKind::Email, true),
        field("phone", "Phone", FieldKind::Phone, false),
    ];
    Welcome {
        center: line("Inkan Center 東京"),
        fingerprint: "q7ma 2lkd 9fjw 0ske".into(),
        guide: Guide {
            role: Role::Member,
            version: 2,
            text: Prose::new("# Welcome\nMembers pay with prepaid cards.\n- Have your papers at hand.")
                .unwrap(),
        },
        form: Form {
            role: Role::Member,
            version: 3,
            fields: List::first(fields),
            terms: Prose::new("A card is prepaid.\nWhat is paid is final, unless the store refunds it.")
                .unwrap(),
        },
    }
}

pub(crate) fn verification() -> Verification {
    let check = |name: &str, words: &str| CheckRow { name: name.into(), pass: true, words: words.into() };
    Verification {
        valid: true,
        checks: vec![
            check("key sheet", "sheet 1, signed by the root key"),
            check("checkpoint", "size 43, signed by the center's key"),
            check("proof", "entry T-000042-8 lies in the tree"),
            check("payment", "what was signed is what was entered"),
        ],
    }
}

/// The program with the vault of someone who has not joined yet.
pub(crate) fn at_application(stage: Stage, width: u16, height: u16) -> Stand {
    let mut stand = at_the_door(Door::Locked, width, height);
    stand.keys("horse battery<enter>");
    stand.effects();
    let snapshot = Snapshot { member: None, seal: Some(drawing()), ..newcomer() };
    stand.message(Msg::Unlocked(Ok(Entered { snapshot: Arc::new(snapshot), progress: progress(stage) })));
    stand
}
