//! A store's catalogue, and one item of it.

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    ratatui::{
        layout::{Constraint, Layout, Rect},
        text::{Line, Span},
    },
    stack::{Screen, layer},
    table::{self, Column, Pressed, Rows, Table},
    text,
    theme::Tone,
    ui::Ui,
};
use wire::{amount::Amount, id::StoreNumber, limits, text::Line as TextLine};

use crate::{
    act::{Act, CartLine, Outcome},
    screen::{News, Step, Steps, asked::Asked, shared::Shared, words},
    view::ItemRow,
};

/// What a store sells.
pub(crate) struct Catalogue {
    shop: Shop,
    asked: Asked<Vec<ItemRow>>,
    table: Table<TextLine>,
}

/// Whose catalogue it is.
#[derive(Debug, Clone)]
struct Shop {
    store: StoreNumber,
    name: TextLine,
}

/// What can be done with the items of a store.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Open,
    Add,
    Remove,
    Cart,
    Ask,
    Copy,
    CopyAll,
}

impl Catalogue {
    pub(crate) fn new(store: StoreNumber, name: TextLine) -> Self {
        let columns = [
            Column::growing("Item", 14),
            Column::fixed("Tags", 18).rank(3),
            Column::fixed("Size", 9).right().rank(2),
            Column::fixed("Price", 14).right(),
            Column::fixed("Cart", 4).right().rank(1),
        ];
        let empty = "The store sells nothing now. r asks again.";
        Self { shop: Shop { store, name }, asked: Asked::Not, table: Table::new(columns, empty) }
    }

    fn items(&self) -> &[ItemRow] {
        self.asked.here().map_or(&[], Vec::as_slice)
    }

    fn chosen(&self) -> Option<&ItemRow> {
        self.items().iter().find(|row| Some(&row.id) == self.table.selected())
    }

    fn ask(&mut self, shared: &mut Shared) -> Steps {
        let act = Act::Items { store: self.shop.store, query: String::new() };
        vec![self.asked.ask(act, "the store's catalogue", shared)]
    }
}

impl Screen<Shared> for Catalogue {
    type Do = Do;
    const NAME: &'static str = "catalogue";

    fn title(&self, _shared: &Shared) -> String {
        format!("Stores › {}", self.shop.name)
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let some = self.chosen().is_some();
        let held = self.chosen().is_some_and(|item| self.shop.quantity(&item.id, shared) > 0);
        let none = "no item is selected";
        vec![
            Action::new(Do::Open, "open", "enter", "Look", "The item in full.").when(some, none),
            Action::new(Do::Add, "add", "a +", "Add to cart", "One more of it into the cart.")
                .when(some, none),
            Action::new(Do::Remove, "remove", "d -", "Take out", "One less of it in the cart.")
                .when(held, "it is not in the cart"),
            Action::new(Do::Cart, "order", "o", "Cart", "To the cart, to order.")
                .when(!shared.cart.is_empty(), "the cart is empty"),
            Action::new(Do::Ask, "ask", "r", "Ask again", "Asks the store for its catalogue.").quiet(),
            Action::new(Do::Copy, "copy", "y", "Copy id", "Copies the item's id.").when(some, none).quiet(),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the row as JSON.")
                .when(some, none)
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match (todo, self.chosen()) {
            (Do::Ask, _) => self.ask(shared),
            (Do::Cart, _) => vec![Step::Go("cart")],
            (Do::Open, Some(item)) => vec![Step::Push(layer(Item::new(self.shop.clone(), item.clone())))],
            (Do::Add, Some(item)) => self.shop.change(item, 1, shared),
            (Do::Remove, Some(item)) => self.shop.change(item, -1, shared),
            (Do::Copy, Some(item)) => vec![Step::Copy { text: item.id.to_string(), what: "the item's id" }],
            (Do::CopyAll, Some(item)) => vec![words::copy_json(item, "the item")],
            (_, None) => Steps::new(),
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let Self { asked, table, shop } = self;
        let pressed = table.press(key, &rows(asked.here().map_or(&[], Vec::as_slice), shop, shared));
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) => Some(self.run(Do::Open, shared)),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, shared: &Shared) {
        let Self { asked, table, shop } = self;
        table.paste(pasted, &rows(asked.here().map_or(&[], Vec::as_slice), shop, shared));
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.ask(shared)
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        let pick = |outcome: &Outcome| match outcome {
            Outcome::Items(items) => Some(items.clone()),
            _ => None,
        };
        if self.asked.told(news, pick) {
            let Self { asked, table, shop } = self;
            table.refresh(&rows(asked.here().map_or(&[], Vec::as_slice), shop, shared));
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        if self.asked.here().is_none() {
            self.asked.view(ui, area, "r asks again");
            return;
        }
        let [list, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(area);
        self.table.view(ui, list, &rows(self.items(), &self.shop, shared));
        ui.line(foot, cart_line(shared, ui));
    }
}

/// What is in the cart, in one line.
fn cart_line(shared: &Shared, ui: &Ui<'_, '_>) -> Line<'static> {
    if shared.cart.is_empty() {
        return Line::styled("the cart is empty; a adds the selected item", ui.theme().dim);
    }
    let pieces: u64 = shared.cart.iter().map(|line| u64::from(line.quantity)).sum();
    let total = Amount::sum(shared.cart.iter().filter_map(|line| line.price.times(line.quantity)));
    let total = total.map(|total| format!(", {}", shared.money(total))).unwrap_or_default();
    Line::from(vec![
        Span::raw(format!("in the cart: {pieces}{total}  ")),
        Span::styled("o", ui.theme().key),
        Span::styled(" orders", ui.theme().dim),
    ])
}

fn rows<'a>(items: &'a [ItemRow], shop: &'a Shop, shared: &'a Shared) -> impl Rows<Key = TextLine> {
    table::rows(
        items,
        |row| row.id.clone(),
        move |row| {
            let tags: Vec<&str> = row.tags.iter().map(|tag| tag.as_str()).collect();
            let held = shop.quantity(&row.id, shared);
            vec![
                row.title.as_str().into(),
                tags.join(" ").into(),
                text::bytes(row.size).into(),
                row.price.text.as_str().into(),
                if held > 0 { held.to_string() } else { String::new() }.into(),
            ]
        },
    )
}

impl Shop {
    fn quantity(&self, item: &TextLine, shared: &Shared) -> u32 {
        let held = shared.cart.iter().find(|line| line.store == self.store && line.item == *item);
        held.map_or(0, |line| line.quantity)
    }

    /// Puts some of an item into the cart, or takes some out.
    fn change(&self, item: &ItemRow, by: i64, shared: &mut Shared) -> Steps {
        let quantity =
            (i64::from(self.quantity(&item.id, shared)) + by).clamp(0, i64::from(limits::QUANTITY));
        let quantity = u32::try_from(quantity).unwrap_or(0);
        let mut lines = shared.cart.clone();
        let Some(price) = Amount::new(item.price.minor) else {
            return vec![Step::Say(Tone::Bad, "the item's price is beyond what this network moves".into())];
        };
        let held = lines.iter_mut().find(|line| line.store == self.store && line.item == item.id);
        match held {
            Some(line) => (line.quantity, line.price) = (quantity, price),
            None if quantity > 0 => lines.push(CartLine {
                store: self.store,
                store_name: self.name.clone(),
                item: item.id.clone(),
                title: item.title.clone(),
                price,
                quantity,
            }),
            None => {}
        }
        lines.retain(|line| line.quantity > 0);
        vec![shared.keep_cart(lines)]
    }
}

/// One item in full.
struct Item {
    shop: Shop,
    item: ItemRow,
    detail: Detail,
}

impl Item {
    fn new(shop: Shop, item: ItemRow) -> Self {
        let tags: Vec<&str> = item.tags.iter().map(|tag| tag.as_str()).collect();
        let rows = [
            Row::Heading(item.title.to_string()),
            Row::Words(item.description.to_string()),
            Row::Gap,
            Row::pair("Price", item.price.text.as_str()),
            Row::pair("Store", format!("{} ({})", shop.name, shop.store)),
            Row::pair("File", format!("{}, {}", item.file_name, text::bytes(item.size))),
            Row::pair("Tags", if tags.is_empty() { "none".into() } else { tags.join(" ") }),
            Row::pair("Item", item.id.as_str()),
            Row::pair("SHA-256", item.digest.to_string()),
        ];
        Self { detail: Detail::new(rows), shop, item }
    }
}

impl Screen<Shared> for Item {
    type Do = Do;
    // The same actions as in the list, so one table of keys holds for both.
    const NAME: &'static str = "catalogue";

    fn title(&self, _shared: &Shared) -> String {
        format!("Stores › {} › {}", self.shop.name, self.item.title)
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let held = self.shop.quantity(&self.item.id, shared) > 0;
        vec![
            Action::new(Do::Add, "add", "a + enter", "Add to cart", "One more of it into the cart."),
            Action::new(Do::Remove, "remove", "d -", "Take out", "One less of it in the cart.")
                .when(held, "it is not in the cart"),
            Action::new(Do::Cart, "order", "o", "Cart", "To the cart, to order.")
                .when(!shared.cart.is_empty(), "the cart is empty"),
            Action::new(Do::Copy, "copy", "y", "Copy id", "Copies the item's id."),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the item as JSON."),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::Add => self.shop.change(&self.item, 1, shared),
            Do::Remove => self.shop.change(&self.item, -1, shared),
            Do::Cart => vec![Step::Go("cart")],
            Do::Copy => vec![Step::Copy { text: self.item.id.to_string(), what: "the item's id" }],
            Do::CopyAll => vec![words::copy_json(&self.item, "the item")],
            Do::Open | Do::Ask => Steps::new(),
        }
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        self.detail.press(key).then(Steps::new)
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let [body, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(area);
        self.detail.view(ui, body);
        ui.line(foot, cart_line(shared, ui));
    }
}
