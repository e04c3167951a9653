//! Screens over screens: what every screen of a program has in common, written once.
//!
//! A program implements [`World`] for what all of its screens see, and [`Screen`] for each of them. A [`Stack`] keeps
//! the screens that lie over one another and gives them the rest: dispatch from their action tables, help, palette,
//! footer, the digits that lead to the main screens ([`Room`]s), notices, Esc and quitting. What a screen wants done it
//! says in [`Step`]s; what concerns the outside world comes out as the program's own effects.
//!
//! The program's [`crate::App`] hands its events to the stack and turns its messages into news for the screens.

mod frame;
mod screen;

pub use frame::layer;
pub use screen::{Layer, Room, Screen, Step, Steps, World};

use std::collections::VecDeque;
use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};

use self::frame::Notices;
use crate::alarm::{self, Alarm};
use crate::app::{Act, Effects, Now};
use crate::clip;
use crate::detail::Detail;
use crate::progress;
use crate::theme::Tone;
use crate::toast::Toasts;
use crate::ui::Ui;

/// Alarms that wait to be acknowledged at once; what comes beyond is said as a notice that stays.
const ALARMS_MAX: usize = 16;

/// The screens that lie over one another, and the notices over them.
pub struct Stack<W: World> {
    /// What all screens see.
    pub world: W,
    /// Never empty; the last is on top. The number tells a layer from those that had its place before.
    layers: Vec<(u64, Box<dyn Layer<W>>)>,
    made: u64,
    toasts: Toasts,
    alarms: VecDeque<Alarm>,
    /// Whether the terminal was asked to report the mouse.
    mouse: bool,
    now: Now,
}

impl<W: World> Stack<W> {
    /// A stack with its first screen.
    pub fn new(world: W, first: Box<dyn Layer<W>>) -> Self {
        Self {
            world,
            layers: vec![(0, first)],
            made: 0,
            toasts: Toasts::default(),
            alarms: VecDeque::new(),
            mouse: false,
            now: Now::default(),
        }
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

    /// Raises an alarm over everything: until it is acknowledged nothing else gets a key. Of two with the same title and
    /// words one is kept.
    pub fn alarm(&mut self, alarm: Alarm) {
        if self.alarms.iter().any(|other| other.is_same(&alarm)) {
            return;
        }
        if self.alarms.len() == ALARMS_MAX {
            self.say(Tone::Bad, alarm.title().to_owned());
        } else {
            self.alarms.push_back(alarm);
        }
    }

    /// Whether an alarm waits to be acknowledged.
    pub fn is_alarmed(&self) -> bool {
        !self.alarms.is_empty()
    }

    /// Takes a key. An alarm gets it before anything else. Esc first puts away the errors that wait to be read; Ctrl-C
    /// only says how to end.
    pub fn key(&mut self, key: KeyEvent) -> Effects<W::Effect> {
        if let Some(alarm) = self.alarms.front_mut() {
            if alarm.press(key) == alarm::Pressed::Acknowledged
                && let Some(alarm) = self.alarms.pop_front()
            {
                let effect = self.world.acknowledged(alarm.title());
                return effect.map_or_else(Effects::none, Effects::one);
            }
            return Effects::none();
        }
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
        let effects = self.take(id, steps);
        self.capture(effects)
    }

    /// Takes pasted text. None of it reaches an alarm: what acknowledges one is typed.
    pub fn paste(&mut self, pasted: &str) -> Effects<W::Effect> {
        if !self.is_alarmed()
            && let Some((_, top)) = self.layers.last_mut()
        {
            top.paste(pasted, &self.world);
        }
        Effects::none()
    }

    /// Takes a button or the wheel, for the screen on top if it wants them.
    pub fn mouse(&mut self, mouse: MouseEvent) -> Effects<W::Effect> {
        if self.is_alarmed() {
            return Effects::unchanged();
        }
        let Some((id, top)) = self.layers.last_mut().filter(|(_, top)| top.wants_mouse()) else {
            return Effects::unchanged();
        };
        let (id, steps) = (*id, top.mouse(mouse, &mut self.world));
        let effects = self.take(id, steps);
        self.capture(effects)
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
        self.capture(effects)
    }

    /// Another screen instead of all.
    pub fn enter(&mut self, first: Box<dyn Layer<W>>) -> Effects<W::Effect> {
        let effects = self.replace(first);
        self.capture(effects)
    }

    /// Draws the screen on top and the notices.
    pub fn view(&self, ui: &mut Ui<'_, '_>) {
        if let Some((_, top)) = self.layers.last() {
            let body = top.view(&self.world, ui);
            self.toasts.view(ui, body);
            top.view_over(ui);
        }
        if let Some(alarm) = self.alarms.front() {
            alarm.view(ui);
        }
    }

    /// After what time something on it moves by itself.
    pub fn tick(&self, now: Now) -> Option<Duration> {
        let lively =
            !self.world.is_calm() && self.layers.last().is_some_and(|(_, top)| top.lively(&self.world));
        let second = lively.then_some(progress::TICK);
        [second, self.toasts.tick(now)].into_iter().flatten().min()
    }

    /// The same effects, and the mouse asked for or let go as the screen on top wants it: captured only where it is
    /// used, because elsewhere it selects text.
    fn capture(&mut self, effects: Effects<W::Effect>) -> Effects<W::Effect> {
        let wanted = self.layers.last().is_some_and(|(_, top)| top.wants_mouse());
        if wanted == self.mouse {
            return effects;
        }
        self.mouse = wanted;
        effects.then(Effects::act(Act::Mouse(wanted)))
    }

    fn replace(&mut self, first: Box<dyn Layer<W>>) -> Effects<W::Effect> {
        self.layers.clear();
        let (id, steps) = self.push(first);
        self.take(id, steps)
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
                Step::Enter(screen) => effects.then(self.replace(screen)),
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
                Step::Alarm(alarm) => {
                    self.alarm(alarm);
                    effects
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
#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::{MouseButton, MouseEventKind};
    use ratatui::layout::Rect;

    use super::*;
    use crate::app::{App, Event};
    use crate::keys::{Action, Bindings};
    use crate::testing::{SIZES, Stage};
    use crate::time::Zone;

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

        fn acknowledged(&mut self, _title: &str) -> Option<&'static str> {
            Some("acknowledged")
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
                Action::new('m', "mouse", "m", "Mouse", "A screen that is drawn on."),
            ]
        }

        fn run(&mut self, todo: char, _world: &mut Shop) -> Steps<Shop> {
            match todo {
                'o' => vec![Step::Push(layer(Plain("over")))],
                'm' => vec![Step::Push(layer(Plain("mouse")))],
                _ => vec![Step::Own("effect"), Step::Copy { text: "x".into(), what: "it" }],
            }
        }

        fn told(&mut self, news: &&'static str, _world: &mut Shop) -> Steps<Shop> {
            if *news == self.0 { vec![Step::Back] } else { Steps::new() }
        }

        fn wants_mouse(&self) -> bool {
            self.0 == "mouse"
        }

        fn mouse(&mut self, _mouse: MouseEvent, _world: &mut Shop) -> Steps<Shop> {
            vec![Step::Own("drawn")]
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
                Event::Mouse(mouse) => self.0.mouse(mouse),
                Event::Paste(pasted) => self.0.paste(&pasted),
                Event::Msg("alarm") => {
                    self.0.alarm(Alarm::new("A strange key", "Somebody has made a key.", "strange"));
                    Effects::none()
                }
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
    fn help_is_read_on_every_screen() {
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            let mut stage = stage(width, height);
            stage.screen();
            insta::assert_snapshot!(format!("help-{width}x{height}"), stage.keys("?").screen());
        }
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
    fn the_mouse_is_captured_only_where_it_is_drawn_with() {
        let mut stage = stage(50, 20);
        let drag = || {
            let kind = MouseEventKind::Drag(MouseButton::Left);
            Event::Mouse(MouseEvent { kind, column: 1, row: 1, modifiers: KeyModifiers::NONE })
        };
        stage.event(drag());
        assert!(stage.acts().is_empty(), "home has no use for it");
        assert_eq!(stage.keys("m").acts(), [Act::Mouse(true)]);
        assert_eq!(stage.event(drag()).effects(), ["drawn"]);
        assert_eq!(stage.keys("o").acts(), [Act::Mouse(false)], "another screen lies over it");
        assert_eq!(stage.keys("<esc>").acts(), [Act::Mouse(true)]);
        assert_eq!(stage.keys("<esc>").acts(), [Act::Mouse(false)]);
    }

    #[test]
    fn an_alarm_stands_over_everything_until_its_word_is_typed() {
        let mut stage = stage(60, 20);
        stage.message("alarm").message("alarm").keys("2<esc>q?<ctrl-c><enter>").paste("strange");
        assert!(stage.acts().is_empty(), "nothing else gets a key");
        assert!(stage.screen().contains("A strange key") && !stage.screen().contains("this is home"));
        stage.keys("<ctrl-u>strange<enter>");
        assert_eq!(stage.effects(), ["acknowledged"]);
        assert!(stage.screen().contains("this is home"), "the same alarm twice is one:\n{}", stage.screen());
    }

    #[test]
    fn the_frame_survives_any_size() {
        for (width, height) in SIZES {
            let mut stage = stage(width, height);
            stage.message("error").screen();
            stage.keys("?").screen();
            stage.message("alarm").screen();
        }
    }
}
