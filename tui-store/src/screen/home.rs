//! Home: the counter and the line, orders by state, today's total, what needs the person, the newest orders.

use tui_kit::{
    keys::Action,
    ratatui::{
        layout::Rect,
        text::{Line, Span},
    },
    sections::{self, Section},
    stack::{self, Screen},
    text::{self, Align},
    theme::Tone,
    ui::Ui,
};

use crate::{
    act::Act,
    app::Effect,
    screen::{Step, Steps, claim::Claim, order::Order, refunds::Refunds, shared::Shared, words},
    view::{Money, OrderStanding, TelegramState},
};

/// Rows of one section at the most.
const ROWS_MAX: usize = 8;

/// The home screen. It shows the snapshot and has no state of its own.
pub(crate) struct Home;

/// What can be done at home.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Claim,
    Refunds,
    Ask,
    Newest,
    Open,
}

impl Screen<Shared> for Home {
    type Do = Do;
    const NAME: &'static str = "home";

    fn title(&self, _shared: &Shared) -> String {
        "Home".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let snapshot = &shared.snapshot;
        vec![
            Action::new(Do::Open, "open-counter", "o", "Open counter", "Tries again to open the counter.")
                .when(shared.closed.is_some(), "it is open"),
            Action::new(Do::Refunds, "refunds", "u", "Refunds due", "Payments that are to be given back.")
                .when(!snapshot.refunds.is_empty(), "no refund is due"),
            Action::new(
                Do::Claim,
                "claim",
                "c",
                "Claim",
                "Claims all that was delivered and is not claimed yet.",
            )
            .when(snapshot.claimable.minor > 0, "nothing can be claimed yet"),
            Action::new(
                Do::Ask,
                "ask",
                "r",
                "Ask center",
                "Takes the mail and asks what became of everything unknown.",
            ),
            Action::new(Do::Newest, "newest", "l enter", "Last order", "Shows the newest order in full.")
                .when(!snapshot.orders.is_empty(), "nobody has ordered yet"),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::Ask => vec![shared.order(Act::Sync), Step::Say(Tone::Plain, "asking the center".into())],
            Do::Claim => vec![Step::Push(stack::layer(Claim::all()))],
            Do::Refunds => vec![Step::Push(stack::layer(Refunds::default()))],
            Do::Newest => {
                let newest = shared.snapshot.orders.first().map(|row| row.order);
                newest.map(|order| Step::Push(stack::layer(Order::new(order)))).into_iter().collect()
            }
            Do::Open => {
                shared.closed = None;
                vec![Step::Own(Effect::Serve), Step::Say(Tone::Plain, "opening the counter".into())]
            }
        }
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let columns = area.width;
        let mut lines = vec![line_state(shared, ui), counter_state(shared, ui)];
        let mut sections = vec![
            Section { title: "Needs you", lines: needs(shared, ui, columns), keep: 2 },
            Section { title: "Orders", lines: standings(shared, ui, columns), keep: 1 },
            Section { title: "Money", lines: money(shared, ui), keep: 2 },
            Section { title: "Last orders", lines: newest(shared, ui, columns), keep: 1 },
        ];
        if !shared.snapshot.messages.is_empty() {
            sections.push(Section { title: "Messages", lines: messages(shared, ui), keep: 0 });
        }
        lines.extend(sections::lay_out(ui, sections, area.height.saturating_sub(2)));
        ui.lines(area, lines);
    }
}

fn line_state(shared: &Shared, ui: &Ui<'_, '_>) -> Line<'static> {
    let center = shared.snapshot.center.as_ref().map_or("the center", |center| center.name.as_str());
    let words = format!("{center}: {}", shared.snapshot.line.words());
    Line::from(ui.toned(words::line_tone(&shared.snapshot.line), &words))
}

fn counter_state(shared: &Shared, ui: &Ui<'_, '_>) -> Line<'static> {
    let (snapshot, counter) = (&shared.snapshot, &shared.snapshot.counter);
    let name = if snapshot.name.is_empty() { "Counter" } else { snapshot.name.as_str() };
    if let Some(why) = &shared.closed {
        return Line::from(ui.toned(Tone::Bad, &format!("{name}: closed; o tries again. {why}")));
    }
    if counter.listening.is_empty() {
        return Line::from(ui.toned(Tone::Warn, &format!("{name}: opening the counter")));
    }
    let visitors = match counter.visitors {
        0 => String::new(),
        1 => ", 1 visitor".into(),
        many => format!(", {many} visitors"),
    };
    let announced =
        if counter.announced.is_empty() { "nowhere".to_owned() } else { counter.announced.join(", ") };
    Line::from(ui.toned(Tone::Good, &format!("{name}: open at {announced}{visitors}")))
}

fn money(shared: &Shared, ui: &Ui<'_, '_>) -> Vec<Line<'static>> {
    let snapshot = &shared.snapshot;
    let payments = match snapshot.today_payments {
        1 => "1 payment".to_owned(),
        many => format!("{many} payments"),
    };
    let unclaimed = "delivered or not";
    let claimable = if snapshot.claimable.minor > 0 { "c claims it" } else { "" };
    let rows: [(&str, &Money, &str); 3] = [
        ("Today", &snapshot.today, &payments),
        ("Claimable", &snapshot.claimable, claimable),
        ("Unclaimed", &snapshot.unclaimed, unclaimed),
    ];
    let columns = rows.iter().map(|(_, money, _)| text::width(&money.text)).max().unwrap_or(0).max(12);
    let line = |(label, money, note): (&str, &Money, &str)| {
        Line::from(vec![
            Span::styled(format!("  {}  ", text::fit(label, 9, Align::Left)), ui.theme().dim),
            Span::styled(text::fit(&money.text, columns, Align::Right), ui.theme().strong),
            Span::styled(format!("  {note}"), ui.theme().dim),
        ])
    };
    rows.into_iter().map(line).collect()
}

fn needs(shared: &Shared, ui: &Ui<'_, '_>, columns: u16) -> Vec<Line<'static>> {
    let snapshot = &shared.snapshot;
    let mut lines = Vec::new();
    for row in &snapshot.outbox {
        let key = if row.state == TelegramState::Prepared { "5 sends" } else { "r asks" };
        lines.push(with_key(ui, Tone::Warn, &words_of(&row.what, &row.words), key, columns));
    }
    for row in snapshot.refunds.iter().filter(|row| !row.unknown).take(ROWS_MAX) {
        let words = format!("refund due: {} {}, {}", row.payment, row.total.text, row.why);
        lines.push(with_key(ui, Tone::Warn, &words, "u refunds", columns));
    }
    for fault in snapshot.catalogue.faults.iter().take(ROWS_MAX) {
        lines.push(with_key(ui, Tone::Bad, &format!("catalogue: {fault}"), "3 shows", columns));
    }
    for finding in &snapshot.findings {
        lines.push(with_key(ui, Tone::Bad, &format!("vault: {finding}"), "", columns));
    }
    if snapshot.catalogue.items.is_empty() && snapshot.catalogue.faults.is_empty() {
        lines.push(with_key(ui, Tone::Plain, "nothing is sold yet", "3 catalogue", columns));
    }
    for build in &snapshot.newer {
        let words = format!(
            "{} {} is offered by the center; “kit --download” fetches it",
            build.program, build.version
        );
        lines.push(with_key(ui, Tone::Plain, &words, "", columns));
    }
    if snapshot.recovery.is_none() && snapshot.store.is_some() {
        lines.push(with_key(ui, Tone::Warn, "there is no recovery phrase", "8 keys", columns));
    }
    if lines.is_empty() {
        return sections::nothing(ui, "Nothing waits and nothing is unknown.", columns);
    }
    lines
}

fn words_of(what: &str, words: &str) -> String {
    format!("{what}: {words}")
}

/// Words with the key that helps at the right.
fn with_key(ui: &Ui<'_, '_>, tone: Tone, words: &str, key: &str, columns: u16) -> Line<'static> {
    let mark = match tone {
        Tone::Plain => ui.theme().marks.bullet,
        tone => ui.theme().mark(tone),
    };
    let room = usize::from(columns).saturating_sub(text::width(key) + 6);
    let style = ui.theme().tone(tone);
    Line::from(vec![
        Span::styled(format!("  {mark} "), style),
        Span::styled(text::fit(&text::clean(words), room, Align::Left), style),
        Span::styled(format!("  {key}"), ui.theme().key),
    ])
}

/// `2 awaiting payment · 1 paid · …`, wrapped.
fn standings(shared: &Shared, ui: &Ui<'_, '_>, columns: u16) -> Vec<Line<'static>> {
    let some: Vec<(OrderStanding, u64)> = OrderStanding::ALL
        .into_iter()
        .map(|state| (state, shared.standing(state)))
        .filter(|(_, count)| *count > 0)
        .collect();
    if some.is_empty() {
        return sections::nothing(ui, "Nobody has ordered yet.", columns);
    }
    let mut lines = Vec::new();
    let (mut spans, mut used) = (vec![Span::raw(" ")], 1);
    for (state, count) in some {
        let span = ui.toned(words::standing_tone(state), &format!("{count} {}", state.words()));
        let wide = text::width(&span.content) + 3;
        if used + wide > usize::from(columns) && spans.len() > 1 {
            lines.push(Line::from(std::mem::replace(&mut spans, vec![Span::raw(" ")])));
            used = 1;
        }
        spans.extend([Span::raw(" "), span, Span::raw("  ")]);
        used += wide;
    }
    lines.push(Line::from(spans));
    lines
}

fn newest(shared: &Shared, ui: &Ui<'_, '_>, columns: u16) -> Vec<Line<'static>> {
    let rows = &shared.snapshot.orders;
    if rows.is_empty() {
        return sections::nothing(ui, "Orders stand here as soon as a member sends one.", columns);
    }
    let money = rows.iter().take(ROWS_MAX).map(|row| text::width(&row.total.text)).max().unwrap_or(0);
    let state_columns = if columns >= 60 { 20 } else { 0 };
    let room = usize::from(columns).saturating_sub(2 + 16 + money + 2 + state_columns);
    let lines = rows.iter().take(ROWS_MAX).map(|row| {
        let mut spans = vec![
            Span::styled(format!("  {}  ", row.taken.text), ui.theme().dim),
            Span::raw(text::fit(&text::clean(&row.goods), room, Align::Left)),
            Span::raw(format!("{}  ", text::fit(&row.total.text, money, Align::Right))),
        ];
        if state_columns > 0 {
            spans.push(ui.toned(words::standing_tone(row.state), row.state.words()));
        }
        Line::from(spans)
    });
    lines.collect()
}

fn messages(shared: &Shared, ui: &Ui<'_, '_>) -> Vec<Line<'static>> {
    let rows = shared.snapshot.messages.iter().take(ROWS_MAX).map(|row| {
        let words = text::clean(row.words.as_str()).into_owned();
        Line::from(vec![Span::styled(format!("  {}  ", row.at.text), ui.theme().dim), Span::raw(words)])
    });
    rows.collect()
}
