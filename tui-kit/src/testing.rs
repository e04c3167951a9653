//! Screens as text, keys as text: for tests of views and of whole apps, without a terminal and without a clock.

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::{Position, Size};

use crate::app::{Act, App, Effects, Event, Now};
use crate::idle::Idle;
use crate::keys::Chord;
use crate::session::{Abilities, clamp};
use crate::text;
use crate::theme::{Look, Theme};
use crate::ui::Ui;

/// The sizes that every view has to survive.
pub const SIZES: [(u16, u16); 8] = [(1, 1), (2, 1), (1, 5), (5, 2), (12, 4), (40, 12), (80, 24), (500, 200)];

/// 2026-11-22 16:00:00 UTC, the moment at which tests begin.
pub const START_UNIX_MS: i64 = 1_795_363_200_000;

/// Reads keys written as text: characters as they are, others as `<enter>`, `<ctrl-p>`, `<lt>` for `<`.
///
/// # Panics
/// When a name in brackets is no key: a test that can't type what it means has to fail.
pub fn keys(script: &str) -> Vec<KeyEvent> {
    let mut keys = Vec::new();
    let mut rest = script;
    while let Some(c) = rest.chars().next() {
        let name = rest.strip_prefix('<').and_then(|inner| inner.split_once('>'));
        match name {
            Some(("lt", behind)) => {
                keys.push(chord("<").event());
                rest = behind;
            }
            Some((name, behind)) if !name.is_empty() => {
                keys.push(chord(name).event());
                rest = behind;
            }
            _ => {
                keys.push(KeyEvent::from(ratatui::crossterm::event::KeyCode::Char(c)));
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    keys
}

/// Draws a view of a size, with default abilities, and returns what is seen, line by line, without trailing spaces.
pub fn draw(width: u16, height: u16, view: impl FnOnce(&mut Ui<'_, '_>)) -> String {
    draw_with(width, height, &Abilities::default(), Now { unix_ms: START_UNIX_MS, ..Now::default() }, view).0
}

/// Like [`draw`], for other abilities and another moment; also says where the cursor stands, if it is seen.
///
/// # Panics
/// When the view does.
pub fn draw_with(
    width: u16,
    height: u16,
    abilities: &Abilities,
    now: Now,
    view: impl FnOnce(&mut Ui<'_, '_>),
) -> (String, Option<Position>) {
    let theme = Theme::new(Look::Terminal, abilities);
    let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
    let mut cursor = None;
    let Ok(_) = terminal.draw(|frame| {
        view(&mut Ui::new(frame, &theme, abilities, now));
    });
    if terminal.backend().cursor_visible() {
        cursor = Some(terminal.backend().cursor_position());
    }
    (shown(terminal.backend().buffer()), cursor)
}

/// What a buffer shows, line by line, without trailing spaces.
pub fn shown(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut lines = Vec::with_capacity(usize::from(area.height));
    for y in area.rows().map(|row| row.y) {
        let mut line = String::new();
        let mut skip = 0;
        for x in area.columns().map(|column| column.x) {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = text::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

/// An app on a stage: events go in, effects and screens come out, time passes when it is told to.
#[derive(Debug)]
pub struct Stage<A: App> {
    /// The app, for looking inside.
    pub app: A,
    /// What the session's screen can do.
    pub abilities: Abilities,
    size: Size,
    now: Now,
    acts: Vec<Act<A::Effect>>,
    /// When the app wants its tick, in time since the start.
    tick_at: Option<Duration>,
    idle: Idle,
}

impl<A: App> Stage<A> {
    /// Puts an app on a stage of a size and starts it.
    pub fn new(app: A, width: u16, height: u16) -> Self {
        let now = Now { unix_ms: START_UNIX_MS, running: Duration::ZERO };
        let size = Size::new(width, height);
        let abilities = Abilities::default();
        let idle = Idle::new(now);
        let mut stage = Self { app, abilities, size, now, acts: Vec::new(), tick_at: None, idle };
        let effects = stage.app.start(now);
        stage.take(effects);
        stage
    }

    /// Types keys, written as for [`keys`].
    pub fn keys(&mut self, script: &str) -> &mut Self {
        for key in keys(script) {
            self.event(Event::Key(key));
        }
        self
    }

    /// Pastes a text.
    pub fn paste(&mut self, pasted: &str) -> &mut Self {
        self.event(Event::Paste(pasted.to_owned()))
    }

    /// Tells the app something.
    pub fn message(&mut self, message: A::Msg) -> &mut Self {
        self.event(Event::Msg(message))
    }

    /// Resizes the screen.
    pub fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.size = clamp(Size::new(width, height));
        self.event(Event::Resize(self.size))
    }

    /// Hands in any event.
    pub fn event(&mut self, event: Event<A::Msg>) -> &mut Self {
        if matches!(event, Event::Key(_) | Event::Paste(_) | Event::Mouse(_)) {
            self.idle.touch(self.now);
        }
        let effects = self.app.update(self.now, event);
        self.take(effects);
        self
    }

    /// Lets time pass; the app gets the ticks that it asked for, and hears when nothing was done for long enough.
    pub fn pass(&mut self, time: Duration) -> &mut Self {
        let end = self.now.running + time;
        while let Some((at, idles)) = self.next_moment().filter(|(at, _)| *at <= end) {
            // An app that asks for a tick at once would keep time standing still.
            let least = if idles { self.now.running } else { self.now.running + Duration::from_millis(1) };
            self.move_to(at.max(least).min(end));
            if !idles {
                self.event(Event::Tick);
            } else if self.app.idle().is_some_and(|limit| self.idle.is_over(self.now, limit)) {
                let effects = self.app.idled(self.now);
                self.take(effects);
            }
            if !idles && self.now.running >= end {
                break;
            }
        }
        self.move_to(end);
        self
    }

    /// What is seen now.
    pub fn screen(&self) -> String {
        self.draw().0
    }

    /// Where the cursor stands, if it is seen.
    pub fn cursor(&self) -> Option<Position> {
        self.draw().1
    }

    /// The program's own effects since the last call.
    pub fn effects(&mut self) -> Vec<A::Effect> {
        self.acts()
            .into_iter()
            .filter_map(|act| match act {
                Act::Own(effect) => Some(effect),
                _ => None,
            })
            .collect()
    }

    /// Everything asked for since the last call, also quitting and copying.
    pub fn acts(&mut self) -> Vec<Act<A::Effect>> {
        std::mem::take(&mut self.acts)
    }

    fn draw(&self) -> (String, Option<Position>) {
        draw_with(self.size.width, self.size.height, &self.abilities, self.now, |ui| self.app.view(ui))
    }

    fn take(&mut self, effects: Effects<A::Effect>) {
        self.acts.extend(effects.into_acts());
        self.tick_at = self.app.tick(self.now).map(|wait| self.now.running + wait);
    }

    /// What comes next by the passing of time alone: a tick, or, where the bool says so, that nothing was done.
    fn next_moment(&self) -> Option<(Duration, bool)> {
        let idle_at = self
            .app
            .idle()
            .and_then(|limit| self.idle.rest(self.now, limit))
            .map(|rest| (self.now.running + rest, true));
        [idle_at, self.tick_at.map(|at| (at, false))].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn move_to(&mut self, running: Duration) {
        let passed = running.saturating_sub(self.now.running);
        self.now.unix_ms += i64::try_from(passed.as_millis()).unwrap_or(i64::MAX);
        self.now.running = running;
    }
}

fn chord(name: &str) -> Chord {
    name.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_of_keys_are_read() {
        let names: Vec<String> =
            keys("a<enter><ctrl-p><lt>日<").into_iter().map(|key| Chord::from(key).to_string()).collect();
        assert_eq!(names, ["a", "Enter", "Ctrl-P", "<", "日", "<"]);
    }

    #[test]
    fn wide_characters_take_their_columns_once() {
        let shown = draw(8, 1, |ui| {
            let area = ui.area();
            ui.line(area, "日本 x");
        });
        assert_eq!(shown, "日本 x");
    }

    #[derive(Default)]
    struct Left {
        locked: u32,
        ticks: u32,
    }

    impl App for Left {
        type Msg = ();
        type Effect = ();

        fn update(&mut self, _now: Now, event: Event<()>) -> Effects<()> {
            self.ticks += u32::from(event == Event::Tick);
            Effects::none()
        }

        fn view(&self, _ui: &mut Ui<'_, '_>) {}

        fn tick(&self, _now: Now) -> Option<Duration> {
            Some(Duration::from_secs(60))
        }

        fn idle(&self) -> Option<Duration> {
            Some(Duration::from_secs(300))
        }

        fn idled(&mut self, _now: Now) -> Effects<()> {
            self.locked += 1;
            Effects::one(())
        }
    }

    #[test]
    fn an_app_that_is_left_alone_hears_of_it_once() {
        let mut stage = Stage::new(Left::default(), 20, 2);
        stage.pass(Duration::from_secs(299)).keys("a").pass(Duration::from_secs(299));
        assert_eq!(stage.app.locked, 0);
        stage.pass(Duration::from_secs(3_600));
        assert_eq!((stage.app.locked, stage.effects().len()), (1, 1));
        assert!(stage.app.ticks > 60, "{} ticks beside it", stage.app.ticks);
        stage.keys("a").pass(Duration::from_secs(301));
        assert_eq!(stage.app.locked, 2);
    }
}
