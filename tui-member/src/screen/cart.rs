//! The cart: what is to be ordered, by store. It lies in the vault and survives everything.

use tui_kit::{
    KeyCode, KeyEvent,
    edit::Editor,
    keys::Action,
    ratatui::{
        layout::{Constraint, Layout, Rect},
        text::{Line, Span},
    },
    stack::{Screen, layer},
    table::{self, Column, Pressed, Rows, Table},
    ui::Ui,
};
use wire::{amount::Amount, id::StoreNumber, limits, text::Line as TextLine};

use crate::{
    act::{CartLine, Wanted},
    screen::{News, Step, Steps, pay::Pay, shared::Shared, words},
};

/// Characters of the words to the store.
const NOTE_MAX: usize = 500;

type Key = (StoreNumber, TextLine);

/// The cart.
pub(crate) struct Cart {
    table: Table<Key>,
    note: Editor,
    /// Whether the words to the store are being typed.
    noting: bool,
}

impl Default for Cart {
    fn default() -> Self {
        let columns = [
            Column::fixed("Store", 18).rank(2),
            Column::growing("Item", 12),
            Column::fixed("Price", 13).right().rank(1),
            Column::fixed("Qty", 5).right(),
            Column::fixed("Sum", 14).right(),
        ];
        let empty = "The cart is empty. 3 shows the stores; a puts what you select into the cart.";
        Self { table: Table::new(columns, empty), note: Editor::new(NOTE_MAX), noting: false }
    }
}

/// What can be done with the cart.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Order,
    More,
    Less,
    Drop,
    Note,
    CopyAll,
}

impl Cart {
    fn chosen<'a>(&self, shared: &'a Shared) -> Option<&'a CartLine> {
        shared.cart.iter().find(|line| Some(&key(line)) == self.table.selected())
    }

    /// Changes the selected line's quantity; none of it is left at 0.
    fn change(&mut self, shared: &mut Shared, to: impl FnOnce(u32) -> u32) -> Steps {
        let mut lines = shared.cart.clone();
        if let Some(line) = lines.iter_mut().find(|line| Some(&key(line)) == self.table.selected()) {
            line.quantity = to(line.quantity).min(limits::QUANTITY);
        }
        lines.retain(|line| line.quantity > 0);
        let step = shared.keep_cart(lines);
        self.table.refresh(&rows(shared));
        vec![step]
    }
}

impl Screen<Shared> for Cart {
    type Do = Do;
    const NAME: &'static str = "cart";

    fn title(&self, _shared: &Shared) -> String {
        "Cart".into()
    }

    fn actions(&self, shared: &Shared) -> Vec<Action<Do>> {
        let some = self.chosen(shared).is_some();
        let none = "the cart is empty";
        vec![
            Action::new(
                Do::Order,
                "order",
                "o enter",
                "Order",
                "Asks the selected line's store for its offer.",
            )
            .when(some, none),
            Action::new(Do::More, "more", "+ =", "More", "One more of the selected line.").when(some, none),
            Action::new(Do::Less, "less", "-", "Less", "One less of the selected line.").when(some, none),
            Action::new(Do::Drop, "remove", "x delete", "Remove", "Takes the selected line out of the cart.")
                .when(some, none),
            Action::new(Do::Note, "note", "n", "Note", "Words to the store, which the center never sees.")
                .when(some, none),
            Action::new(Do::CopyAll, "copy-json", "Y", "Copy JSON", "Copies the cart as JSON.")
                .when(some, none)
                .quiet(),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::More => self.change(shared, |quantity| quantity + 1),
            Do::Less => self.change(shared, |quantity| quantity.saturating_sub(1)),
            Do::Drop => self.change(shared, |_| 0),
            Do::Note => {
                self.noting = true;
                Steps::new()
            }
            Do::CopyAll => vec![words::copy_json(&shared.cart, "the cart")],
            Do::Order => {
                let Some(chosen) = self.chosen(shared) else { return Steps::new() };
                let lines = shared.cart.iter().filter(|line| line.store == chosen.store);
                let lines =
                    lines.map(|line| Wanted { item: line.item.clone(), quantity: line.quantity }).collect();
                let pay =
                    Pay::order(chosen.store, chosen.store_name.clone(), lines, self.note.text().to_owned());
                vec![Step::Push(layer(pay))]
            }
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if self.noting {
            if matches!(key.code, KeyCode::Enter | KeyCode::Esc) {
                self.noting = false;
                return Some(Steps::new());
            }
            return self.note.press(key).then(Steps::new);
        }
        let pressed = self.table.press(key, &rows(shared));
        match pressed {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Open(_) => Some(self.run(Do::Order, shared)),
            Pressed::Free => None,
        }
    }

    fn paste(&mut self, pasted: &str, shared: &Shared) {
        if self.noting {
            self.note.paste(pasted);
        } else {
            self.table.paste(pasted, &rows(shared));
        }
    }

    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.table.refresh(&rows(shared));
        Steps::new()
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Snapshot | News::Done(..) = news {
            self.table.refresh(&rows(shared));
        }
        Steps::new()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let foot = if shared.cart.is_empty() { 0 } else { 2 };
        let [list, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(foot)]).areas(area);
        self.table.view(ui, list, &rows(shared));
        let [total, note] = Layout::vertical([Constraint::Length(1), Constraint::Length(1)]).areas(foot);
        if let Some(chosen) = self.chosen(shared) {
            let lines = shared.cart.iter().filter(|line| line.store == chosen.store);
            let sum = Amount::sum(lines.filter_map(|line| line.price.times(line.quantity)));
            let sum =
                sum.map_or_else(|| "more than this network moves at once".into(), |sum| shared.money(sum));
            let words = format!("{}: {sum}; the store's offer says what it costs now", chosen.store_name);
            ui.styled(total, &words, ui.theme().text);
            self.view_note(ui, note);
        }
    }
}

impl Cart {
    fn view_note(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        const LABEL: &str = "note to the store: ";
        let theme = ui.theme();
        if !self.noting && self.note.is_empty() {
            return;
        }
        let label = u16::try_from(LABEL.len()).unwrap_or(u16::MAX);
        let window = self.note.window(usize::from(area.width.saturating_sub(label)), theme.marks.mask);
        let style = if self.noting { theme.field_focused } else { theme.text };
        ui.line(area, Line::from(vec![Span::styled(LABEL, theme.dim), Span::styled(window.text, style)]));
        if self.noting {
            ui.cursor(area.x.saturating_add(label).saturating_add(window.cursor), area.y);
        }
    }
}

fn key(line: &CartLine) -> Key {
    (line.store, line.item.clone())
}

fn rows(shared: &Shared) -> impl Rows<Key = Key> {
    table::rows(&shared.cart, key, |line| {
        let sum = line.price.times(line.quantity).map_or_else(|| "too much".into(), |sum| shared.money(sum));
        vec![
            line.store_name.as_str().into(),
            line.title.as_str().into(),
            shared.money(line.price).into(),
            line.quantity.to_string().into(),
            sum.into(),
        ]
    })
}
