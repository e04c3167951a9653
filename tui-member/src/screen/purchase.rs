//! One purchase in full: what was bought, the receipt's checks by name, and its goods.

use std::path::PathBuf;

use tui_kit::{
    Errand, KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    progress,
    ratatui::layout::{Constraint, Layout, Rect},
    stack::{Screen, layer},
    text,
    theme::Tone,
    ui::Ui,
};
use wire::id::OrderHash;

use crate::{
    act::{Act, Outcome},
    app::{Effect, Folder},
    screen::{News, Step, Steps, asked::Asked, pay::Pay, shared::Shared, words},
    view::{Exported, FetchedGoods, PurchaseDetail, PurchaseState, Transfer, Verification},
};

const NO_OPENER: &str = "config.toml names no opener; c copies where they lie";

/// A purchase.
pub(crate) struct Purchase {
    order: OrderHash,
    /// Whether its goods are to be fetched as soon as it is shown.
    fetch_first: bool,
    shown: Option<PurchaseDetail>,
    detail: Detail,
    asked: Asked<Box<PurchaseDetail>>,
    receipt: Asked<Exported>,
    checks: Asked<Verification>,
    export: Asked<Exported>,
    fetch: Asked<FetchedGoods>,
    /// Whether the person has stopped the last fetch.
    stopped: bool,
}

/// What can be done with a purchase.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Fetch,
    Stop,
    Open,
    CopyPath,
    Export { with_order: bool },
    Check,
    Pay,
    Ask,
    Copy,
    CopyAll,
}

impl Purchase {
    pub(crate) fn new(order: OrderHash) -> Self {
        Self {
            order,
            fetch_first: false,
            shown: None,
            detail: Detail::default(),
            asked: Asked::Not,
            receipt: Asked::Not,
            checks: Asked::Not,
            export: Asked::Not,
            fetch: Asked::Not,
            stopped: false,
        }
    }

    /// The same, and its goods are fetched at once.
    pub(crate) fn fetching(self) -> Self {
        Self { fetch_first: true, ..self }
    }

    fn named(&self) -> String {
        self.order.to_string()
    }

    fn ask(&mut self, shared: &mut Shared) -> Step {
        let act = Act::Purchase { order: self.named() };
        self.asked.ask(act, "the purchase", shared)
    }

    fn fetch(&mut self, shared: &mut Shared) -> Step {
        self.stopped = false;
        let act = Act::Fetch { order: self.named() };
        self.fetch.ask(act, "the store", shared)
    }

    /// Takes the receipt out of the vault, to look at it as anybody else could.
    fn check(&mut self, shared: &mut Shared) -> Steps {
        let Some(number) = self.shown.as_ref().and_then(|shown| shown.row.number) else {
            return Steps::new();
        };
        let act = Act::ExportReceipt { number, with_order: true };
        vec![self.receipt.ask(act, "the receipt", shared)]
    }

    fn show(&mut self, detail: PurchaseDetail, shared: &mut Shared) -> Steps {
        let first = self.shown.is_none();
        let newly_paid =
            detail.row.number.is_some() && matches!(self.checks, Asked::Not) && !self.receipt.is_waiting();
        self.shown = Some(detail);
        let mut steps = Steps::new();
        if newly_paid {
            steps.extend(self.check(shared));
        }
        if first && std::mem::take(&mut self.fetch_first) {
            steps.push(self.fetch(shared));
        }
        self.lay_out();
        steps
    }

    fn lay_out(&mut self) {
        if let Some(shown) = &self.shown {
            self.detail.set(rows(shown, &self.receipt, &self.checks));
        }
    }

    fn transfer<'a>(&self, shared: &'a Shared) -> Option<&'a Transfer> {
        shared.transfers.iter().find(|transfer| transfer.order == self.order)
    }

    fn state(&self) -> Option<PurchaseState> {
        self.shown.as_ref().map(|shown| shown.row.state)
    }
}

impl Screen<Shared> for Purchase {
    type Do = Do;
    const NAME: &'static str = "purchase";

    fn title(&self, _shared: &Shared) -> String {
        match &self.shown {
            Some(shown) => match shown.row.number {
                Some(number) => format!("History › {number}"),
                None => format!("History › order {}", self.order.short()),
            },
            None => "History › Purchase".into(),
        }
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let state = self.state();
        let fetching = self.fetch.is_waiting() || self.transfer(shared).is_some();
        let fetchable = matches!(state, Some(PurchaseState::Settled | PurchaseState::Fetched));
        let here =
            self.shown.as_ref().is_some_and(|shown| shown.lines.iter().any(|line| line.file.is_some()));
        let number = self.shown.as_ref().and_then(|shown| shown.row.number).is_some();
        let payable = state == Some(PurchaseState::Offered);
        let open = matches!(state, Some(PurchaseState::Signed | PurchaseState::Unknown));
        let not_here = "its goods are not here yet; f fetches them";
        let unpaid = "there is no receipt: nothing was paid";
        vec![
            Action::new(
                Do::Fetch,
                "fetch",
                "f",
                "Fetch goods",
                "Fetches the goods, or goes on where it was interrupted.",
            )
            .when(
                fetchable && !fetching,
                if fetching { "they are being fetched" } else { "nothing is to be fetched" },
            ),
            Action::new(Do::Stop, "stop", "x", "Stop", "Stops fetching; what has arrived is kept.")
                .when(fetching, "nothing is being fetched"),
            Action::new(Do::Pay, "pay", "p", "Pay", "Reviews the store's offer, to pay it.")
                .when(payable, "there is no open offer"),
            Action::new(Do::Ask, "resolve", "r", "Ask center", "Asks what became of the payment.")
                .when(open, "its outcome is known"),
            Action::new(
                Do::Open,
                "open",
                "o",
                "Open goods",
                "Opens the goods with the program that config.toml names.",
            )
            .when(here, not_here)
            .when(!here || shared.place.opener.is_some(), NO_OPENER),
            Action::new(
                Do::Export { with_order: false },
                "export",
                "e",
                "Export receipt",
                "Writes the receipt into the profile.",
            )
            .when(number, unpaid),
            Action::new(
                Do::Export { with_order: true },
                "export-order",
                "E",
                "Export with order",
                "Writes the receipt with the order opened in it, for whoever shall see what was bought.",
            )
            .when(number, unpaid)
            .quiet(),
            Action::new(
                Do::Check,
                "check",
                "v",
                "Check receipt",
                "Looks at everything in the receipt again.",
            )
            .when(number, unpaid)
            .quiet(),
            Action::new(
                Do::Copy,
                "copy",
                "y",
                "Copy number",
                "Copies the transaction number, or the order's hash.",
            ),
            Action::new(Do::CopyPath, "copy-path", "c", "Copy path", "Copies where the goods lie.")
                .when(here, not_here)
                .quiet(),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies all of it as JSON.").quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        let Some(shown) = &self.shown else { return Steps::new() };
        let files: Vec<_> = shown.lines.iter().filter_map(|line| line.file.clone()).collect();
        vec![match todo {
            Do::Fetch => self.fetch(shared),
            Do::Stop => {
                self.stopped = true;
                Step::Own(Effect::CancelFetch(self.order))
            }
            Do::Pay => Step::Push(layer(Pay::offered(shown, shared))),
            Do::Ask => shared.order(Act::Resolve),
            Do::Open => {
                let Some(opener) = &shared.place.opener else { return Steps::new() };
                Step::Lend(Errand {
                    program: opener.into(),
                    arguments: files.into_iter().map(PathBuf::into_os_string).collect(),
                })
            }
            Do::CopyPath => {
                let paths: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
                Step::Copy { text: paths.join("\n"), what: "the path" }
            }
            Do::Export { with_order } => {
                let Some(number) = shown.row.number else { return Steps::new() };
                self.export.ask(Act::ExportReceipt { number, with_order }, "the receipt", shared)
            }
            Do::Check => return self.check(shared),
            Do::Copy => match shown.row.number {
                Some(number) => Step::Copy { text: number.to_string(), what: "the transaction number" },
                None => Step::Copy { text: self.order.to_string(), what: "the order's hash" },
            },
            Do::CopyAll => words::copy_json(shown, "the purchase"),
        }]
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.detail.press(key).then(Steps::new)
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        vec![self.ask(shared)]
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Snapshot = news {
            let row = shared.snapshot.purchases.iter().find(|row| row.order == self.order);
            let changed = row.zip(self.shown.as_ref()).is_some_and(|(row, shown)| **row != shown.row);
            return if changed && !self.asked.is_waiting() { vec![self.ask(shared)] } else { Steps::new() };
        }
        if self.asked.told(news, purchase) {
            return match std::mem::replace(&mut self.asked, Asked::Not) {
                Asked::Here(detail) => self.show(*detail, shared),
                asked => {
                    self.asked = asked;
                    Steps::new()
                }
            };
        }
        if self.receipt.told(news, exported) {
            let content = self.receipt.here().map(|exported| exported.content.clone());
            let act = content.map(|content| Act::VerifyReceipt { content });
            let step = act.map(|act| self.checks.ask(act, "the checks", shared));
            self.lay_out();
            return step.into_iter().collect();
        }
        let verification = |outcome: &Outcome| match outcome {
            Outcome::Verification(verification) => Some(verification.clone()),
            _ => None,
        };
        if self.checks.told(news, verification) {
            self.lay_out();
            return Steps::new();
        }
        if self.export.told(news, exported) {
            return vec![match std::mem::replace(&mut self.export, Asked::Not) {
                Asked::Here(exported) => Step::Own(Effect::Save {
                    folder: Folder::Receipts,
                    name: format!("{}.json", exported.number),
                    content: exported.content,
                }),
                Asked::Failed(failure) => Step::Say(Tone::Bad, failure.message),
                Asked::Not | Asked::Waiting { .. } => return Steps::new(),
            }];
        }
        let fetched = |outcome: &Outcome| match outcome {
            Outcome::Fetched(goods) => Some(goods.clone()),
            _ => None,
        };
        if self.fetch.told(news, fetched) {
            return match &self.fetch {
                Asked::Here(goods) => {
                    let words = match goods.acknowledged {
                        true => "the goods are here, checked and signed for",
                        false => {
                            "the goods are here and checked; the store has not confirmed yet that you signed for them"
                        }
                    };
                    vec![Step::Say(Tone::Good, words.into()), self.ask(shared)]
                }
                // A stop that was asked for is no error to be read.
                Asked::Failed(failure) => {
                    let tone = if self.stopped { Tone::Plain } else { Tone::Bad };
                    vec![Step::Say(tone, failure.message.clone())]
                }
                Asked::Not | Asked::Waiting { .. } => Steps::new(),
            };
        }
        Steps::new()
    }

    fn lively(&self, shared: &Shared) -> bool {
        self.asked.is_waiting() || self.fetch.is_waiting() || self.transfer(shared).is_some()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        if self.shown.is_none() {
            self.asked.view(ui, area, "Esc goes back");
            return;
        }
        let transfer = self.transfer(shared);
        let rows = match (&self.fetch, transfer) {
            (_, Some(_)) => 3,
            (Asked::Waiting { .. }, None) => 1,
            _ => 0,
        };
        let [body, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(rows)]).areas(area);
        self.detail.view(ui, body);
        match (transfer, &self.fetch) {
            (Some(transfer), _) => view_transfer(transfer, ui, foot),
            (None, Asked::Waiting { waiting, .. }) => waiting.view(ui, foot),
            _ => {}
        }
    }
}

fn purchase(outcome: &Outcome) -> Option<Box<PurchaseDetail>> {
    if let Outcome::Purchase(detail) = outcome { Some(detail.clone()) } else { None }
}

fn exported(outcome: &Outcome) -> Option<Exported> {
    if let Outcome::Receipt(exported) = outcome { Some(exported.clone()) } else { None }
}

/// A transfer in words, and as a bar.
fn view_transfer(transfer: &Transfer, ui: &mut Ui<'_, '_>, area: Rect) {
    let [name, bar, numbers] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Length(1)]).areas(area);
    ui.styled(name, &format!("fetching {} (x stops)", transfer.file_name), ui.theme().strong);
    let line = progress::bar(ui, transfer.done, transfer.total, bar.width);
    ui.line(bar, line);
    let left = match transfer.left_ms {
        Some(ms) => format!("{} left", text::span(std::time::Duration::from_millis(ms))),
        None => "time left not known yet".into(),
    };
    let (done, total, rate) =
        (text::bytes(transfer.done), text::bytes(transfer.total), text::bytes(transfer.rate));
    ui.styled(numbers, &format!("{done} of {total}, {rate}/s, {left}"), ui.theme().text);
}

fn rows(shown: &PurchaseDetail, receipt: &Asked<Exported>, checks: &Asked<Verification>) -> Vec<Row> {
    let row = &shown.row;
    let mut rows = vec![
        Row::toned("State", words::tone(row.state), row.words.as_str()),
        Row::pair("Store", format!("{} ({})", row.store_name, row.store)),
        Row::toned("Total", Tone::Strong, row.total.text.as_str()),
        Row::pair("Day", row.at.text.as_str()),
    ];
    rows.extend(row.number.map(|number| Row::pair("Transaction number", number.to_string())));
    rows.extend(shown.card.map(|card| Row::pair("Card", card.to_string())));
    rows.extend(shown.balance.as_ref().map(|money| Row::pair("Card held then", money.text.as_str())));
    rows.extend(shown.refund.map(|number| Row::pair("Refunded as", number.to_string())));
    rows.push(Row::Gap);
    rows.push(Row::Heading("Goods".into()));
    for line in &shown.lines {
        rows.push(Row::pair(
            format!("{} ×", line.quantity),
            format!("{} at {}", line.title, line.price.text),
        ));
        rows.push(match &line.file {
            Some(file) => Row::toned("", Tone::Good, file.display().to_string()),
            None => Row::toned("", Tone::Dim, format!("{}, not fetched", text::bytes(line.size))),
        });
    }
    rows.push(Row::Gap);
    rows.push(Row::Heading("Receipt".into()));
    rows.extend(receipt_rows(row.number.is_some(), receipt, checks));
    rows.push(Row::Gap);
    rows.push(Row::Heading("Order".into()));
    if !shown.note.is_empty() {
        rows.push(Row::pair("Note", shown.note.as_str()));
    }
    rows.push(Row::pair("Ordered", shown.ordered.text.as_str()));
    rows.push(Row::pair("Offer until", shown.offer_expires.text.as_str()));
    rows.extend(shown.acknowledged.as_ref().map(|at| Row::pair("Signed for", at.text.as_str())));
    rows.push(Row::pair("Order", row.order.to_string()));
    rows.extend(shown.telegram.map(|telegram| Row::pair("Telegram", telegram.to_string())));
    rows
}

fn receipt_rows(paid: bool, receipt: &Asked<Exported>, checks: &Asked<Verification>) -> Vec<Row> {
    if !paid {
        return vec![Row::Words("none: nothing was paid".into())];
    }
    if let Asked::Failed(failure) = receipt {
        return vec![Row::toned("Checks", Tone::Bad, failure.message.as_str())];
    }
    match checks {
        Asked::Here(verification) => {
            let check = |check: &crate::view::CheckRow| {
                let tone = if check.pass { Tone::Good } else { Tone::Bad };
                Row::toned(check.name.as_str(), tone, check.words.as_str())
            };
            verification.checks.iter().map(check).collect()
        }
        Asked::Failed(failure) => vec![Row::toned("Checks", Tone::Bad, failure.message.as_str())],
        Asked::Not | Asked::Waiting { .. } => vec![Row::toned("Checks", Tone::Warn, "being made")],
    }
}
