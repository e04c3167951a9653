//! The screens: one module each, with its model, its action table and its view.
//!
//! A screen implements [`Screen`]; [`Frame`] gives it what all have in common: dispatch from its table, help,
//! palette, footer, the ways to the other screens. What a screen wants done it says in [`Step`]s.

pub mod desk;
pub(crate) mod shared;

pub(crate) mod cards;
pub(crate) mod cart;
pub(crate) mod catalogue;
pub(crate) mod history;
pub(crate) mod home;
pub(crate) mod join;
pub(crate) mod messages;
pub(crate) mod outbox;
pub(crate) mod pay;
pub(crate) mod purchase;
pub(crate) mod request;
pub(crate) mod settings;
pub(crate) mod stores;
pub(crate) mod unlock;
mod asked;
mod words;

#[cfg(test)]
mod tests;

use tui_kit::{
    KeyEvent, Page,
    keys::{Action, Keys, Outline, Pressed, Table},
    ratatui::{
        layout::{Constraint, Layout, Rect},
        text::{Line, Span},
    },
    theme::Tone,
    ui::Ui,
};

use crate::{
    act::{Failure, Outcome},
    app::{Door, Effect, Joined, LockedOut},
    join::Welcome,
    screen::shared::{Preferences, Shared, Ticket},
};

/// What a screen wants done, in order.
pub(crate) type Steps = Vec<Step>;

/// One thing that a screen wants done.
pub(crate) enum Step {
    /// An effect outside the screens.
    Own(Effect),
    /// Another screen over this one.
    Push(Box<dyn Layer>),
    /// Another screen instead of this one.
    Swap(Box<dyn Layer>),
    /// Another screen instead of all.
    Enter(Box<dyn Layer>),
    /// One of the main screens over home.
    Go(MainScreen),
    /// The screen below.
    Back,
    /// Words at the foot of the screen.
    Say(Tone, String),
    /// A text into the clipboard.
    Copy {
        /// The text.
        text: String,
        /// What it is, for the words that say so.
        what: &'static str,
    },
    /// Other preferences from now on.
    Prefer(Preferences),
    /// The end.
    Quit,
}

/// What screens are told.
pub(crate) enum News {
    /// The snapshot in [`Shared`] is another.
    Snapshot,
    /// A second is over.
    Tick,
    /// Password A did not open the vault.
    LockedOut(LockedOut),
    /// A center has said who it is.
    Met(Result<Box<Welcome>, Failure>),
    /// The registration was entered, or not.
    Joined(Result<Joined, (Failure, Door)>),
    /// An act is done, or not.
    Done(Ticket, Result<Outcome, Failure>),
}

/// One screen's own part.
pub(crate) trait Screen {
    /// The screen's own actions.
    type Do: Clone + 'static;

    /// Its name in the table of keys.
    const NAME: &'static str;

    /// Whether the ways to the other screens are open from here.
    const INSIDE: bool = true;

    /// What stands at the head.
    fn title(&self, shared: &Shared) -> String;

    /// Its actions now, the most wanted first.
    fn actions(&self, shared: &Shared) -> Vec<Action<Self::Do>>;

    /// Does one of them.
    fn run(&mut self, todo: Self::Do, shared: &mut Shared) -> Steps;

    /// Takes a key before the table does: for text fields and for moving in lists. None: the table gets it.
    fn key(&mut self, _key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        None
    }

    /// Takes pasted text.
    fn paste(&mut self, _pasted: &str, _shared: &Shared) {}

    /// It comes to the top for the first time.
    fn opened(&mut self, _shared: &mut Shared) -> Steps {
        Steps::new()
    }

    /// Takes news, on top or not.
    fn told(&mut self, _news: &News, _shared: &mut Shared) -> Steps {
        Steps::new()
    }

    /// Esc inside the screen: true when the screen had something of its own to step back from.
    fn step_back(&mut self, _shared: &mut Shared) -> bool {
        false
    }

    /// Whether it wants to be told every second, because it shows how long something takes.
    fn lively(&self, _shared: &Shared) -> bool {
        false
    }

    /// Draws what is between head and foot.
    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect);
}

/// A screen on the stack, whatever its actions are.
pub(crate) trait Layer {
    fn opened(&mut self, shared: &mut Shared) -> Steps;
    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Steps;
    fn paste(&mut self, pasted: &str, shared: &Shared);
    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps;
    fn lively(&self, shared: &Shared) -> bool;
    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>);
    fn outline(&self, shared: &Shared) -> Outline;
}

/// Puts a screen into its frame.
pub(crate) fn layer<S: Screen + 'static>(screen: S) -> Box<dyn Layer> {
    Box::new(Frame { screen, keys: Keys::new() })
}

/// The screens that a digit leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MainScreen {
    Home,
    Cards,
    Stores,
    Cart,
    History,
    Outbox,
    Messages,
    Settings,
}

/// The main screen of a place; none for home, which is always there.
pub(crate) fn place(place: MainScreen) -> Option<Box<dyn Layer>> {
    Some(match place {
        MainScreen::Home => return None,
        MainScreen::Cards => layer(cards::Cards::default()),
        MainScreen::Stores => layer(stores::Stores::default()),
        MainScreen::Cart => layer(cart::Cart::default()),
        MainScreen::History => layer(history::History::default()),
        MainScreen::Outbox => layer(outbox::Outbox::default()),
        MainScreen::Messages => layer(messages::Messages::default()),
        MainScreen::Settings => layer(settings::Settings::default()),
    })
}

/// A screen with what all screens have.
struct Frame<S: Screen> {
    screen: S,
    keys: Keys<Do<S::Do>>,
}

/// An action of a screen's own, or one that all have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Do<D> {
    Own(D),
    Go(MainScreen),
    Back,
    Quit,
}

const TABS: [(MainScreen, &str, &str, &str, &str); 8] = [
    (MainScreen::Home, "home", "1", "Home", "Cards, what waits, the last purchases and messages."),
    (MainScreen::Cards, "cards", "2", "Cards", "Prepaid cards and how to pay for those that were asked for."),
    (MainScreen::Stores, "stores", "3", "Stores", "The directory of stores; Enter shows what one sells."),
    (MainScreen::Cart, "cart", "4", "Cart", "What is to be ordered."),
    (MainScreen::History, "history", "5", "History", "All purchases, with receipts and goods."),
    (MainScreen::Outbox, "outbox", "6", "Outbox", "Telegrams that wait or whose outcome is unknown."),
    (MainScreen::Messages, "messages", "7", "Messages", "What the center and this terminal had to say."),
    (MainScreen::Settings, "settings", "8", "Settings", "Passwords and looks."),
];

impl<S: Screen> Frame<S> {
    fn table(&self, shared: &Shared) -> Table<Do<S::Do>> {
        let own = self.screen.actions(shared).into_iter().map(|action| Action {
            act: Do::Own(action.act),
            id: action.id,
            keys: action.keys,
            label: action.label,
            help: action.help,
            enabled: action.enabled,
            hint: action.hint,
        });
        let ways = TABS.iter().filter(|_| S::INSIDE).map(|(place, id, key, label, help)| {
            Action::new(Do::Go(*place), id, key, label, help).quiet()
        });
        let ends = [
            Action::new(Do::Back, "back", "esc", "Back", "One step back."),
            Action::new(Do::Quit, "quit", "q", "Quit", "Ends the program; what waits stays in the vault."),
        ];
        Table::new(S::NAME, own.collect::<Vec<_>>()).with(ways).with(ends).bound(&shared.bindings)
    }

    fn run(&mut self, todo: Do<S::Do>, shared: &mut Shared) -> Steps {
        match todo {
            Do::Own(todo) => self.screen.run(todo, shared),
            Do::Go(place) => vec![Step::Go(place)],
            Do::Back if self.screen.step_back(shared) => Steps::new(),
            Do::Back => vec![Step::Back],
            Do::Quit => vec![Step::Quit],
        }
    }
}

impl<S: Screen> Layer for Frame<S> {
    fn opened(&mut self, shared: &mut Shared) -> Steps {
        self.screen.opened(shared)
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Steps {
        if !self.keys.is_open()
            && let Some(steps) = self.screen.key(key, shared)
        {
            return steps;
        }
        let table = self.table(shared);
        match self.keys.press(&table, key) {
            Pressed::Run(todo) => self.run(todo, shared),
            Pressed::Refused(why) => vec![Step::Say(Tone::Warn, why)],
            Pressed::Taken | Pressed::Free => Steps::new(),
        }
    }

    fn paste(&mut self, pasted: &str, shared: &Shared) {
        if !self.keys.paste(pasted) {
            self.screen.paste(pasted, shared);
        }
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        self.screen.told(news, shared)
    }

    fn lively(&self, shared: &Shared) -> bool {
        self.screen.lively(shared)
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>) {
        let footer = self.table(shared).footer(ui.area().width, ui.theme());
        let (title, status) = (self.screen.title(shared), shared.status());
        let mut area = ui.page(Page { title: &title, status: &status, footer });
        // Where rows are scarce the digits work without being shown.
        if S::INSIDE && area.height >= 16 {
            let [tabs, rest] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
            tab_line(S::NAME, shared, ui, tabs);
            area = rest;
        }
        let area = Rect { x: area.x + u16::from(area.width > 20), width: area.width - 2 * u16::from(area.width > 20), ..area };
        self.screen.view(shared, ui, area);
        self.keys.view(ui);
    }

    fn outline(&self, shared: &Shared) -> Outline {
        self.table(shared).outline()
    }
}

fn tab_line(name: &str, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
    let theme = ui.theme();
    let mut spans = vec![Span::raw(" ")];
    for (place, id, key, label, _) in TABS {
        let style = if id == name { theme.strong } else { theme.dim };
        let count = shared.count(place).map(|count| format!("({count})")).unwrap_or_default();
        spans.push(Span::styled(key, theme.key));
        spans.push(Span::styled(format!(" {label}{count} "), style));
    }
    ui.line(area, Line::from(spans));
}
