//! Screens over screens: what every screen of a program has in common, written once.
//!
//! A program implements [`World`] for what all of its screens see, and [`Screen`] for each of them. A [`Stack`] keeps
//! the screens that lie over one another and gives them the rest: dispatch from their action tables, help, palette,
//! footer, the digits that lead to the main screens ([`Room`]s), notices, Esc and quitting. What a screen wants done it
//! says in [`Step`]s; what concerns the outside world comes out as the program's own effects.
//!
//! The program's [`crate::App`] hands its events to the stack and turns its messages into news for the screens.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::app::{Act, Effects, Errand, Now};
use crate::clip;
use crate::detail::Detail;
use crate::keys::{Action, Actions, Bindings, Keys, Outline, Pressed};
use crate::progress;
use crate::theme::{Look, Tone};
use crate::time::Zone;
use crate::toast::Toasts;
use crate::ui::{Page, Ui};

/// Rows that a page needs before the main screens are listed at its head; the digits work without.
const ROWS_FOR_ROOMS: u16 = 16;

/// What all screens of a program see and share.
pub trait World: Sized + 'static {
    /// What the program asks of the outside world.
    type Effect: 'static;
    /// What screens are told.
    type News;

    /// The main screens. The first is home, which lies below the others.
    const ROOMS: &'static [Room<Self>];

    /// The moment of the event that comes next.
    fn set_now(&mut self, now: Now);

    /// The keys that the person has chosen.
    fn bindings(&self) -> &Bindings;

    /// The zone of all times.
    fn zone(&self) -> &Zone;

    /// What stands at the right of every page's head.
    fn status(&self) -> String;

    /// Whether the person wants nothing to move by itself: no running seconds.
    fn is_calm(&self) -> bool {
        false
    }

    /// How many things wait in a main screen.
    fn waiting_in(&self, _room: &str) -> usize {
        0
    }
}

/// A main screen: one that a digit leads to from everywhere inside.
pub struct Room<W: World> {
    /// Its [`Screen::NAME`].
    pub name: &'static str,
    /// The key that leads there.
    pub key: &'static str,
    /// One word for it.
    pub label: &'static str,
    /// What is there, in a sentence.
    pub help: &'static str,
    /// Makes it.
    pub open: fn() -> Box<dyn Layer<W>>,
}

/// What a screen wants done, in order.
pub type Steps<W> = Vec<Step<W>>;

/// One thing that a screen wants done.
pub enum Step<W: World> {
    /// An effect outside the screens.
    Own(W::Effect),
    /// Another screen over this one.
    Push(Box<dyn Layer<W>>),
    /// Another screen instead of this one.
    Swap(Box<dyn Layer<W>>),
    /// Another screen instead of all.
    Enter(Box<dyn Layer<W>>),
    /// One of the main screens, by its name.
    Go(&'static str),
    /// This screen ends; the one below is seen again.
    Back,
    /// A notice at the foot of the screen.
    Say(Tone, String),
    /// A text into the clipboard.
    Copy {
        /// The text.
        text: String,
        /// What it is, for the notice that says so.
        what: &'static str,
    },
    /// Another look from now on.
    Look(Look),
    /// The terminal lent to another program until it ends; see [`crate::app::Act::Lend`].
    Lend(Errand),
    /// All notices of the session, over this screen.
    Notices,
    /// The end.
    Quit,
}

/// One screen's own part.
pub trait Screen<W: World> {
    /// The screen's own actions.
    type Do: Clone + 'static;

    /// Its name in the table of keys.
    const NAME: &'static str;

    /// Whether the ways to the main screens are open from here.
    const INSIDE: bool = true;

    /// What stands at the head.
    fn title(&self, world: &W) -> String;

    /// Its actions now, the most wanted first.
    fn actions(&self, world: &W) -> Vec<Action<Self::Do>>;

    /// Does one of them.
    fn run(&mut self, todo: Self::Do, world: &mut W) -> Steps<W>;

    /// Takes a key before the action table does: for text fields and for moving in lists. None: the table gets it.
    fn key(&mut self, _key: KeyEvent, _world: &mut W) -> Option<Steps<W>> {
        None
    }

    /// Takes pasted text.
    fn paste(&mut self, _pasted: &str, _world: &W) {}

    /// It comes to the top for the first time.
    fn opened(&mut self, _world: &mut W) -> Steps<W> {
        Steps::new()
    }

    /// Takes news, on top or not.
    fn told(&mut self, _news: &W::News, _world: &mut W) -> Steps<W> {
        Steps::new()
    }

    /// Esc: true when the screen had something of its own to step back from.
    fn step_back(&mut self, _world: &mut W) -> bool {
        false
    }

    /// Whether it is to be drawn every second, because it shows how long something takes.
    fn lively(&self, _world: &W) -> bool {
        false
    }

    /// Whether something is filled in or awaited here that a stray letter must not leave: letters then reach no action.
    fn guards(&self) -> bool {
        false
    }

    /// Draws what is between head and foot.
    fn view(&self, world: &W, ui: &mut Ui<'_, '_>, area: Rect);
}

/// A screen on the stack, whatever its actions are. Made by [`layer`].
pub trait Layer<W: World> {
    /// It comes to the top for the first time.
    fn opened(&mut self, world: &mut W) -> Steps<W>;
    /// Takes a key.
    fn key(&mut self, key: KeyEvent, world: &mut W) -> Steps<W>;
    /// Takes pasted text.
    fn paste(&mut self, pasted: &str, world: &W);
    /// Takes news.
    fn told(&mut self, news: &W::News, world: &mut W) -> Steps<W>;
    /// Whether it is to be drawn every second.
    fn lively(&self, world: &W) -> bool;
    /// Draws the whole page and returns the room between head and foot.
    fn view(&self, world: &W, ui: &mut Ui<'_, '_>) -> Rect;
    /// Draws what lies over everything else: help or palette.
    fn view_over(&self, ui: &mut Ui<'_, '_>);
    /// Its action table as plain data.
    fn outline(&self, world: &W) -> Outline;
}

/// Puts a screen into the frame that all have.
pub fn layer<W: World, S: Screen<W> + 'static>(screen: S) -> Box<dyn Layer<W>> {
    Box::new(Framed { screen, keys: Keys::new() })
}

/// The screens that lie over one another, and the notices over them.
pub struct Stack<W: World> {
    /// What all screens see.
    pub world: W,
    /// Never empty; the last is on top. The number tells a layer from those that had its place before.
    layers: Vec<(u64, Box<dyn Layer<W>>)>,
    made: u64,
    toasts: Toasts,
    now: Now,
}

impl<W: World> Stack<W> {
    /// A stack with its first screen.
    pub fn new(world: W, first: Box<dyn Layer<W>>) -> Self {
        Self { world, layers: vec![(0, first)], made: 0, toasts: Toasts::default(), now: Now::default() }
    }

    /// Takes note of the moment; before every event.
    pub fn set_now(&mut self, now: Now) {
        self.now = now;
        self.world.set_now(now);
    }

    /// Gives a notice.
    pub fn say(&mut self, tone: Tone, words: impl Into<String>) {
        self.toasts.say(self.now, tone, words);
    }

    /// Takes a key. Esc first puts away the errors that wait to be read; Ctrl-C only says how to end.
    pub fn key(&mut self, key: KeyEvent) -> Effects<W::Effect> {
        if key.code == KeyCode::Char('c') && key.modifiers == KeyModifiers::CONTROL {
            self.say(Tone::Plain, "Esc goes back; q, or “Quit” from Ctrl-P, ends the program");
            return Effects::none();
        }
        if key.code == KeyCode::Esc && self.toasts.has_unread_error() {
            self.toasts.read(self.now);
            return Effects::none();
        }
        let Some((id, top)) = self.layers.last_mut() else { return Effects::unchanged() };
        let (id, steps) = (*id, top.key(key, &mut self.world));
        self.take(id, steps)
    }

    /// Takes pasted text.
    pub fn paste(&mut self, pasted: &str) -> Effects<W::Effect> {
        if let Some((_, top)) = self.layers.last_mut() {
            top.paste(pasted, &self.world);
        }
        Effects::none()
    }

    /// Tells every screen.
    pub fn tell(&mut self, news: &W::News) -> Effects<W::Effect> {
        let ids: Vec<u64> = self.layers.iter().map(|(id, _)| *id).collect();
        let mut effects = Effects::none();
        for id in ids {
            // A screen may be gone by what another did about the same news.
            let Some((_, told)) = self.layers.iter_mut().find(|(other, _)| *other == id) else { continue };
            let steps = told.told(news, &mut self.world);
            effects = effects.then(self.take(id, steps));
        }
        effects
    }

    /// Another screen instead of all.
    pub fn enter(&mut self, first: Box<dyn Layer<W>>) -> Effects<W::Effect> {
        self.layers.clear();
        let (id, steps) = self.push(first);
        self.take(id, steps)
    }

    /// Draws the screen on top and the notices.
    pub fn view(&self, ui: &mut Ui<'_, '_>) {
        if let Some((_, top)) = self.layers.last() {
            let body = top.view(&self.world, ui);
            self.toasts.view(ui, body);
            top.view_over(ui);
        }
    }

    /// After what time something on it moves by itself.
    pub fn tick(&self, now: Now) -> Option<Duration> {
        let lively =
            !self.world.is_calm() && self.layers.last().is_some_and(|(_, top)| top.lively(&self.world));
        let second = lively.then_some(progress::TICK);
        [second, self.toasts.tick(now)].into_iter().flatten().min()
    }

    /// Puts a screen on top; what it wants done at once, and its number.
    fn push(&mut self, mut screen: Box<dyn Layer<W>>) -> (u64, Steps<W>) {
        self.made += 1;
        let steps = screen.opened(&mut self.world);
        self.layers.push((self.made, screen));
        (self.made, steps)
    }

    /// Does what a screen asked for.
    fn take(&mut self, asker: u64, steps: Steps<W>) -> Effects<W::Effect> {
        let mut effects = Effects::none();
        for step in steps {
            effects = match step {
                Step::Own(effect) => effects.and(effect),
                Step::Push(screen) => {
                    let (id, steps) = self.push(screen);
                    effects.then(self.take(id, steps))
                }
                Step::Swap(screen) => {
                    self.layers.retain(|(id, _)| *id != asker);
                    let (id, steps) = self.push(screen);
                    effects.then(self.take(id, steps))
                }
                Step::Enter(screen) => effects.then(self.enter(screen)),
                Step::Go(name) => {
                    self.layers.truncate(1);
                    match W::ROOMS.iter().skip(1).find(|room| room.name == name) {
                        None => effects,
                        Some(room) => {
                            let (id, steps) = self.push((room.open)());
                            effects.then(self.take(id, steps))
                        }
                    }
                }
                Step::Back => {
                    if self.layers.first().is_some_and(|(id, _)| *id != asker) {
                        self.layers.retain(|(id, _)| *id != asker);
                    }
                    effects
                }
                Step::Say(tone, words) => {
                    self.say(tone, words);
                    effects
                }
                Step::Copy { text, what } if text.len() > clip::BYTES_MAX => {
                    self.say(Tone::Warn, format!("{what} is too long for the clipboard"));
                    effects
                }
                Step::Copy { text, what } => {
                    self.say(Tone::Good, format!("{what} copied"));
                    effects.then(Effects::copy(text))
                }
                Step::Notices => {
                    let notices = Notices(Detail::new(self.toasts.rows(self.world.zone())));
                    self.push(layer(notices));
                    effects
                }
                Step::Look(look) => effects.then(Effects::look(look)),
                Step::Lend(errand) => effects.then(Effects::act(Act::Lend(errand))),
                Step::Quit => effects.then(Effects::quit()),
            };
        }
        effects
    }
}

/// A screen with what all screens have.
struct Framed<S, D> {
    screen: S,
    keys: Keys<Do<D>>,
}

/// An action of a screen's own, or one that all have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Do<D> {
    Own(D),
    Go(&'static str),
    Notices,
    Back,
    Quit,
}

impl<S, D: Clone> Framed<S, D> {
    fn table<W: World>(&self, world: &W) -> Actions<Do<D>>
    where
        S: Screen<W, Do = D>,
    {
        let own = self.screen.actions(world).into_iter().map(|action| Action {
            act: Do::Own(action.act),
            id: action.id,
            keys: action.keys,
            label: action.label,
            help: action.help,
            enabled: action.enabled,
            hint: action.hint,
        });
        let ways = W::ROOMS
            .iter()
            .filter(|_| S::INSIDE)
            .map(|room| Action::new(Do::Go(room.name), room.name, room.key, room.label, room.help).quiet());
        let mut back = Action::new(Do::Back, "back", "esc", "Back", "One step back.");
        // Nothing lies below home.
        back.hint = W::ROOMS.first().is_none_or(|home| home.name != S::NAME);
        let mut quit =
            Action::new(Do::Quit, "quit", "q", "Quit", "Ends the program; what waits stays in the vault.");
        // Outside the rooms there are fields, into which a q is typed; so it is while letters are guarded against.
        quit.hint = S::INSIDE && !self.screen.guards();
        let ends = [
            Action::new(
                Do::Notices,
                "notices",
                "!",
                "Notices",
                "What was said at the foot of the screen so far.",
            )
            .quiet(),
            back,
            quit,
        ];
        Actions::new(S::NAME, own).with(ways).with(ends).bound(world.bindings())
    }
}

impl<W: World, S: Screen<W, Do = D>, D: Clone> Layer<W> for Framed<S, D> {
    fn opened(&mut self, world: &mut W) -> Steps<W> {
        self.screen.opened(world)
    }

    fn key(&mut self, key: KeyEvent, world: &mut W) -> Steps<W> {
        if !self.keys.is_open()
            && let Some(steps) = self.screen.key(key, world)
        {
            return steps;
        }
        let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let letter = matches!(key.code, KeyCode::Char(c) if plain && c != '?' && c != ':');
        if letter && !self.keys.is_open() && self.screen.guards() {
            return Steps::new();
        }
        let table = self.table(world);
        match self.keys.press(&table, key) {
            Pressed::Run(Do::Own(todo)) => self.screen.run(todo, world),
            Pressed::Run(Do::Go(room)) => vec![Step::Go(room)],
            Pressed::Run(Do::Notices) => vec![Step::Notices],
            Pressed::Run(Do::Back) if self.screen.step_back(world) => Steps::new(),
            Pressed::Run(Do::Back) => vec![Step::Back],
            Pressed::Run(Do::Quit) => vec![Step::Quit],
            Pressed::Refused(why) => vec![Step::Say(Tone::Warn, why)],
            Pressed::Taken | Pressed::Free => Steps::new(),
        }
    }

    fn paste(&mut self, pasted: &str, world: &W) {
        if !self.keys.paste(pasted) {
            self.screen.paste(pasted, world);
        }
    }

    fn told(&mut self, news: &W::News, world: &mut W) -> Steps<W> {
        self.screen.told(news, world)
    }

    fn lively(&self, world: &W) -> bool {
        self.screen.lively(world)
    }

    fn view(&self, world: &W, ui: &mut Ui<'_, '_>) -> Rect {
        // Outside the rooms there are fields, into which a question mark is typed.
        let typing = !S::INSIDE || self.screen.guards();
        let footer = self.table(world).typing(typing).footer(ui.area().width, ui.theme());
        let (title, status) = (self.screen.title(world), world.status());
        let body = ui.page(Page { title: &title, status: &status, footer });
        let mut area = body;
        if S::INSIDE && area.height >= ROWS_FOR_ROOMS {
            let [rooms, _, rest] =
                Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Min(0)])
                    .areas(area);
            view_rooms(S::NAME, world, ui, rooms);
            area = rest;
        }
        let margin = u16::from(area.width > 20);
        area = Rect { x: area.x + margin, width: area.width - 2 * margin, ..area };
        self.screen.view(world, ui, area);
        body
    }

    fn view_over(&self, ui: &mut Ui<'_, '_>) {
        self.keys.view(ui);
    }

    fn outline(&self, world: &W) -> Outline {
        self.table(world).outline()
    }
}

/// The main screens with their digits and what waits in them.
fn view_rooms<W: World>(here: &str, world: &W, ui: &mut Ui<'_, '_>, area: Rect) {
    let theme = ui.theme();
    let mut spans = vec![Span::raw(" ")];
    for room in W::ROOMS {
        let style = if room.name == here { theme.strong } else { theme.dim };
        let waiting = match world.waiting_in(room.name) {
            0 => String::new(),
            count => format!("({count})"),
        };
        spans.push(Span::styled(room.key, theme.key));
        spans.push(Span::styled(format!(" {}{waiting} ", room.label), style));
    }
    ui.line(area, Line::from(spans));
}

/// What was said at the foot of the screen, newest first.
struct Notices(Detail);

impl<W: World> Screen<W> for Notices {
    type Do = ();
    const NAME: &'static str = "notices";
    const INSIDE: bool = false;

    fn title(&self, _world: &W) -> String {
        "Notices".into()
    }

    fn actions(&self, _world: &W) -> Vec<Action<()>> {
        Vec::new()
    }

    fn run(&mut self, _todo: (), _world: &mut W) -> Steps<W> {
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, _world: &mut W) -> Option<Steps<W>> {
        self.0.press(key).then(Steps::new)
    }

    fn view(&self, _world: &W, ui: &mut Ui<'_, '_>, area: Rect) {
        if self.0.rows().is_empty() {
            let style = ui.theme().dim;
            ui.paragraph(area, "Nothing was said yet.", style);
        }
        self.0.view(ui, area);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{App, Event};
    use crate::testing::{SIZES, Stage};

    struct Shop {
        bindings: Bindings,
        zone: Zone,
    }

    impl World for Shop {
        type Effect = &'static str;
        type News = &'static str;
        const ROOMS: &'static [Room<Self>] = &[
            Room { name: "home", key: "1", label: "Home", help: "", open: || layer(Plain("home")) },
            Room { name: "desk", key: "2", label: "Desk", help: "", open: || layer(Plain("desk")) },
        ];

        fn set_now(&mut self, _now: Now) {}

        fn bindings(&self) -> &Bindings {
            &self.bindings
        }

        fn zone(&self) -> &Zone {
            &self.zone
        }

        fn status(&self) -> String {
            "S-1".into()
        }

        fn waiting_in(&self, room: &str) -> usize {
            if room == "desk" { 2 } else { 0 }
        }
    }

    struct Plain(&'static str);

    impl Screen<Shop> for Plain {
        type Do = char;
        const NAME: &'static str = "plain";

        fn title(&self, _world: &Shop) -> String {
            self.0.into()
        }

        fn actions(&self, _world: &Shop) -> Vec<Action<char>> {
            vec![
                Action::new('o', "over", "o", "Over", "Another screen over this one."),
                Action::new('e', "effect", "e", "Effect", "Asks for something."),
            ]
        }

        fn run(&mut self, todo: char, _world: &mut Shop) -> Steps<Shop> {
            match todo {
                'o' => vec![Step::Push(layer(Plain("over")))],
                _ => vec![Step::Own("effect"), Step::Copy { text: "x".into(), what: "it" }],
            }
        }

        fn told(&mut self, news: &&'static str, _world: &mut Shop) -> Steps<Shop> {
            if *news == self.0 { vec![Step::Back] } else { Steps::new() }
        }

        fn view(&self, _world: &Shop, ui: &mut Ui<'_, '_>, area: Rect) {
            ui.line(area, format!("this is {}", self.0));
        }
    }

    struct Program(Stack<Shop>);

    impl App for Program {
        type Msg = &'static str;
        type Effect = &'static str;

        fn update(&mut self, now: Now, event: Event<&'static str>) -> Effects<&'static str> {
            self.0.set_now(now);
            match event {
                Event::Key(key) => self.0.key(key),
                Event::Msg("error") => {
                    self.0.say(Tone::Bad, "it broke");
                    Effects::none()
                }
                Event::Msg(news) => self.0.tell(&news),
                _ => Effects::none(),
            }
        }

        fn view(&self, ui: &mut Ui<'_, '_>) {
            self.0.view(ui);
        }

        fn tick(&self, now: Now) -> Option<Duration> {
            self.0.tick(now)
        }
    }

    fn stage(width: u16, height: u16) -> Stage<Program> {
        let world = Shop { bindings: Bindings::default(), zone: Zone::utc() };
        Stage::new(Program(Stack::new(world, layer(Plain("home")))), width, height)
    }

    #[test]
    fn digits_lead_to_rooms_and_esc_back() {
        let mut stage = stage(50, 20);
        assert!(stage.screen().contains("1 Home 2 Desk(2)"), "{}", stage.screen());
        assert!(stage.keys("2").screen().contains("this is desk"));
        assert!(stage.keys("o").screen().contains("this is over"));
        assert!(stage.keys("<esc>").screen().contains("this is desk"));
        assert!(stage.keys("<esc><esc><esc>").screen().contains("this is home"));
        assert_eq!(stage.keys("2e").effects(), ["effect"]);
        assert!(stage.screen().contains("it copied"));
        assert_eq!(stage.keys("q").acts(), [crate::app::Act::Quit]);
    }

    #[test]
    fn a_screen_that_ends_takes_no_other_with_it() {
        let mut stage = stage(50, 20);
        stage.keys("2o").message("desk");
        assert!(stage.screen().contains("this is over"));
        assert!(stage.keys("<esc>").screen().contains("this is home"));
        assert!(stage.message("home").screen().contains("this is home"), "the first screen stays");
    }

    #[test]
    fn errors_stay_until_esc_and_are_kept() {
        let mut stage = stage(50, 20);
        stage.keys("2").message("error").pass(Duration::from_secs(60));
        assert!(stage.screen().contains("it broke"));
        assert!(!stage.keys("<esc>").screen().contains("it broke"));
        assert!(stage.screen().contains("this is desk"), "that Esc was for the error");
        assert!(stage.keys("!").screen().contains("it broke"));
        assert!(stage.keys("<esc><ctrl-c>").screen().contains("Esc goes back"));
    }

    #[test]
    fn the_frame_survives_any_size() {
        for (width, height) in SIZES {
            let mut stage = stage(width, height);
            stage.message("error").screen();
            stage.keys("?").screen();
        }
    }
}
