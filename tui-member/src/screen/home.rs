//! Home: cards with their balance, what waits or is unknown, the last purchases and messages, and the line.

use tui_kit::{
    keys::Action,
    ratatui::{
        layout::Rect,
        text::{Line, Span},
    },
    sections::{self, Section},
    stack::{Screen, layer},
    text::{self, Align},
    theme::Tone,
    ui::Ui,
};

use crate::{
    act::{Act, CustodyAct, Outcome},
    screen::{
        News, Step, Steps, purchase, request,
        shared::{Shared, Ticket},
        take_up, words,
    },
    view::{MessageRow, PurchaseState},
};

/// Rows of one section at the most.
const ROWS_MAX: usize = 8;

/// The home screen. It shows the snapshot; of its own it only knows what it asked for.
#[derive(Default)]
pub(crate) struct Home {
    download: Option<Ticket>,
}

/// What can be done at home.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Ask,
    Request,
    Shop,
    TakeUp,
    Last,
    Download,
}

impl Screen<Shared> for Home {
    type Do = Do;
    const NAME: &'static str = "home";

    fn title(&self, _shared: &Shared) -> String {
        "Home".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let bought = !shared.snapshot.purchases.is_empty();
        let newer = shared.snapshot.custody.kit.as_ref().is_some_and(|kit| kit.newer.is_some());
        let fetching = shared.snapshot.download.is_some();
        vec![
            Action::new(Do::Shop, "shop", "s enter", "Shop", "The directory of stores."),
            Action::new(
                Do::Request,
                "request-card",
                "c",
                "Request card",
                "Asks for a prepaid card, paid by bank transfer.",
            ),
            Action::new(
                Do::Ask,
                "ask",
                "r",
                "Ask center",
                "Takes the mail, asks what became of everything unknown, and for the balances.",
            ),
            Action::new(Do::Last, "last", "l", "Last purchase", "Shows the newest purchase in full.")
                .when(bought, "nothing was bought yet"),
            Action::new(
                Do::TakeUp,
                "take-up",
                "u",
                "Take up",
                "Takes up what a cashier sold, with the code that the cashier shows.",
            ),
            Action::new(
                Do::Download,
                "download",
                "D",
                "Download program",
                "Fetches the newer program that the center offers, and checks it; it is never installed.",
            )
            .when(newer, "the center offers no newer program")
            .when(!fetching, "it is being fetched")
            .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::Ask => vec![shared.order(Act::Sync), Step::Say(Tone::Plain, "asking the center".into())],
            Do::Request => vec![Step::Push(layer(request::Request::new()))],
            Do::Shop => vec![Step::Go("stores")],
            Do::TakeUp => vec![Step::Push(layer(take_up::TakeUp::new(None)))],
            Do::Download => {
                let (ticket, step) = shared.ask(Act::Custody(CustodyAct::Download));
                self.download = Some(ticket);
                vec![step]
            }
            Do::Last => {
                let newest = shared.snapshot.purchases.first().map(|row| row.order);
                newest.map(|order| Step::Push(layer(purchase::Purchase::new(order)))).into_iter().collect()
            }
        }
    }

    fn told(&mut self, news: &News, _shared: &mut Shared) -> Steps {
        let News::Done(ticket, result) = news else { return Steps::new() };
        if self.download != Some(*ticket) {
            return Steps::new();
        }
        self.download = None;
        vec![match result {
            Ok(Outcome::Build(build)) => Step::Say(
                Tone::Good,
                format!("{} lies checked in {}; install it yourself", build.version, build.file.display()),
            ),
            Ok(_) => return Steps::new(),
            Err(failure) => Step::Say(Tone::Bad, failure.message.clone()),
        }]
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let width = area.width;
        let parts = vec![
            Section { title: "Cards", lines: cards(shared, ui, width), keep: 2 },
            Section { title: "Waiting", lines: waiting(shared, ui, width), keep: 2 },
            Section { title: "Last purchases", lines: purchases(shared, ui, width), keep: 3 },
            Section { title: "Messages", lines: messages(shared, ui, width), keep: 1 },
        ];
        let mut rest = vec![line_state(shared, ui)];
        rest.extend(sections::lay_out(ui, parts, area.height.saturating_sub(1)));
        ui.lines(area, rest);
    }
}

fn line_state(shared: &Shared, ui: &Ui<'_, '_>) -> Line<'static> {
    let center = shared.snapshot.center.as_ref().map_or("the center", |center| center.name.as_str());
    let words = format!("{}: {}", center, shared.snapshot.line.words());
    Line::from(ui.toned(words::line_tone(&shared.snapshot.line), &words))
}

fn cards(shared: &Shared, ui: &Ui<'_, '_>, width: u16) -> Vec<Line<'static>> {
    if shared.snapshot.cards.is_empty() {
        return sections::nothing(ui, "No card yet. It pays at every store here; c requests one.", width);
    }
    let money = shared.snapshot.cards.iter().map(|card| text::width(&card.balance.text)).max().unwrap_or(0);
    let rows = shared.snapshot.cards.iter().take(ROWS_MAX).map(|card| {
        let frozen = if card.frozen { "  ! frozen" } else { "" };
        Line::from(vec![
            Span::raw(format!("  {:<13} ", card.card)),
            Span::styled(text::fit(&card.balance.text, money.max(12), Align::Right), ui.theme().strong),
            Span::styled(format!("  as of {}", card.as_of.text), ui.theme().dim),
            Span::styled(frozen, ui.theme().warn),
        ])
    });
    rows.collect()
}

fn waiting(shared: &Shared, ui: &Ui<'_, '_>, width: u16) -> Vec<Line<'static>> {
    let snapshot = &shared.snapshot;
    let mut lines = Vec::new();
    for row in snapshot.outbox.iter().filter(|row| row.open) {
        let amount = row.amount.as_ref().map(|amount| format!(" {}", amount.text)).unwrap_or_default();
        lines.push(toned(
            ui,
            Tone::Warn,
            &format!("{}{amount}: {}", row.kind, row.words),
            "r asks",
            usize::from(width),
        ));
    }
    for row in &snapshot.funding {
        let words = format!("card of {}: transfer it by {}", row.amount.text, row.expires.text);
        lines.push(toned(ui, Tone::Warn, &words, "2 shows how", usize::from(width)));
    }
    let unfetched = snapshot.purchases.iter().filter(|row| row.state == PurchaseState::Settled);
    for row in unfetched.take(ROWS_MAX) {
        let words = format!("{} from {}: paid, not fetched", row.goods, row.store_name);
        lines.push(toned(ui, Tone::Plain, &words, "5 history", usize::from(width)));
    }
    if let Some(held) = &snapshot.custody.held {
        let words = format!("no money leaves the account until {}: its terminal was replaced", held.text);
        lines.push(toned(ui, Tone::Warn, &words, "9 keys", usize::from(width)));
    }
    let recovery = &snapshot.custody.recovery;
    if snapshot.member.is_some() && recovery.proved.is_none() {
        let words = format!("recovery: {}", recovery.words());
        lines.push(toned(ui, Tone::Plain, &words, "9 keys", usize::from(width)));
    }
    if let Some(download) = &snapshot.download {
        let (done, total) = (text::bytes(download.done), text::bytes(download.total));
        let words = format!("{}: {done} of {total}", download.name);
        lines.push(toned(ui, Tone::Plain, &words, "coming", usize::from(width)));
    } else if let Some(version) = snapshot.custody.kit.as_ref().and_then(|kit| kit.newer.as_ref()) {
        let words = format!("program {version} is offered");
        lines.push(toned(ui, Tone::Plain, &words, "D downloads", usize::from(width)));
    }
    if lines.is_empty() {
        return sections::nothing(ui, "Nothing waits and nothing is unknown.", width);
    }
    lines
}

/// Words with the key that helps at the right.
fn toned(ui: &Ui<'_, '_>, tone: Tone, words: &str, key: &str, width: usize) -> Line<'static> {
    let mark = match tone {
        Tone::Plain => ui.theme().marks.bullet,
        tone => ui.theme().mark(tone),
    };
    let room = width.saturating_sub(text::width(key) + 6);
    Line::from(vec![
        Span::styled(format!("  {mark} "), ui.theme().tone(tone)),
        Span::styled(text::fit(&text::clean(words), room, Align::Left), ui.theme().tone(tone)),
        Span::styled(format!("  {key}"), ui.theme().key),
    ])
}

fn purchases(shared: &Shared, ui: &Ui<'_, '_>, width: u16) -> Vec<Line<'static>> {
    let rows = &shared.snapshot.purchases;
    if rows.is_empty() {
        return sections::nothing(ui, "Nothing bought yet; s shows the stores.", width);
    }
    let money = rows.iter().take(ROWS_MAX).map(|row| text::width(&row.total.text)).max().unwrap_or(0);
    let width = usize::from(width);
    let state = if width >= 60 { 14 } else { 0 };
    let room = width.saturating_sub(2 + 10 + money + 2 + state);
    // On a narrow screen the store alone says more than two stumps.
    let store = if room < 28 { room.saturating_sub(2) } else { (room / 3).min(20) };
    let lines = rows.iter().take(ROWS_MAX).map(|row| {
        let name = text::fit(&text::clean(&row.store_name), store, Align::Left);
        let goods = text::fit(&text::clean(&row.goods), room.saturating_sub(store + 4), Align::Left);
        let what = if goods.is_empty() { format!("{name}  ") } else { format!("{name}  {goods}  ") };
        let mut spans = vec![
            Span::styled(format!("  {}  ", row.day), ui.theme().dim),
            Span::raw(what),
            Span::raw(format!("{}  ", text::fit(&row.total.text, money, Align::Right))),
        ];
        if state > 0 {
            spans.push(ui.toned(words::tone(row.state), words::short(row.state)));
        }
        Line::from(spans)
    });
    lines.collect()
}

fn messages(shared: &Shared, ui: &Ui<'_, '_>, width: u16) -> Vec<Line<'static>> {
    if shared.snapshot.messages.is_empty() {
        return sections::nothing(ui, "No messages.", width);
    }
    let line = |row: &MessageRow| {
        let tone = if row.alarm { Tone::Bad } else { Tone::Plain };
        let words = ui.toned(tone, &row.words);
        Line::from(vec![Span::styled(format!("  {}  ", row.at.text), ui.theme().dim), words])
    };
    shared.snapshot.messages.iter().take(ROWS_MAX).map(line).collect()
}
