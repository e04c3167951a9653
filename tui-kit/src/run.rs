//! The runner: takes what waits, updates, executes effects, draws once, and sleeps until something happens.

mod clock;

use std::io;
use std::time::Duration;

use ratatui::layout::Size;
use tokio::time::Instant;

use self::clock::{Clock, at};
use crate::app::{Act, App, Effects, Ending, Event, Handler, Mailbox};
use crate::clip;
use crate::idle::Idle;
use crate::keys::Chord;
use crate::session::{Incoming, Session, SessionError, clamp};

/// Messages that may wait for an app whose caller doesn't say.
const MAILBOX_CAPACITY: usize = 256;

/// Events taken before a frame is drawn at the latest, so that a flood doesn't freeze the screen.
const EVENTS_PER_FRAME_MAX: usize = 1024;

/// How long a far end may take nothing while a frame waits for it.
const STALL_MAX: Duration = Duration::from_secs(30);

/// Runs an app on a session until it ends, with a mailbox of its own.
///
/// # Errors
/// When the terminal refuses an operation. A terminal that is gone is not an error but [`Ending::HungUp`].
pub async fn run<A: App>(
    app: &mut A,
    session: &mut Session,
    handler: impl Handler<A>,
) -> Result<Ending, SessionError> {
    run_with(app, session, handler, Mailbox::new(MAILBOX_CAPACITY)).await
}

/// Runs an app on a session until it ends.
///
/// All waiting messages and keys are taken before one frame is drawn, and only if something changed; frames keep the
/// session's distance; with nothing to do the task sleeps. Ctrl-Z and Ctrl-L are taken care of here. A local session
/// also ends on SIGTERM and SIGHUP; SIGINT and SIGQUIT are ignored, because in raw mode nobody types them at this
/// program.
///
/// # Errors
/// As [`run`].
pub async fn run_with<A: App>(
    app: &mut A,
    session: &mut Session,
    handler: impl Handler<A>,
    mailbox: Mailbox<A::Msg>,
) -> Result<Ending, SessionError> {
    let clock = Clock::start();
    let mut runner = Runner {
        app,
        session,
        handler,
        mailbox,
        idle: Idle::new(clock.now()),
        clock,
        mouse: false,
        dirty: true,
        escape_since: None,
        ending: None,
    };
    match runner.drive().await {
        Ok(ending) => Ok(ending),
        Err(error) if is_gone(&error) => {
            runner.close(Ending::HungUp);
            Ok(Ending::HungUp)
        }
        Err(error) => Err(error.into()),
    }
}

struct Runner<'a, A: App, H> {
    app: &'a mut A,
    session: &'a mut Session,
    handler: H,
    mailbox: Mailbox<A::Msg>,
    clock: Clock,
    idle: Idle,
    /// Whether the app has asked for the mouse.
    mouse: bool,
    dirty: bool,
    escape_since: Option<Instant>,
    ending: Option<Ending>,
}

/// What woke the runner.
enum Woke<M> {
    Incoming(Result<Incoming, Ending>),
    Escape,
    Msg(Option<M>),
    Tick,
    Idle,
    Draw,
    Stalled,
}

impl<A: App, H: Handler<A>> Runner<'_, A, H> {
    async fn drive(&mut self) -> io::Result<Ending> {
        let now = self.clock.now();
        let effects = self.app.start(now);
        self.execute(effects).await?;
        let mut last_frame: Option<Instant> = None;
        let mut tick_at = self.tick_at();
        let mut idle_at = self.idle_at();
        let mut full_since: Option<Instant> = None;
        loop {
            if let Some(ending) = self.ending {
                return Ok(ending);
            }
            let has_room = self.session.output().has_room();
            full_since = if has_room { None } else { full_since.or_else(|| Some(Instant::now())) };
            let frame_at = last_frame.map(|at| at + self.session.frame_gap());
            if self.dirty && has_room && frame_at.is_none_or(|at| at <= Instant::now()) {
                let now = self.clock.now();
                self.session.draw(now, |ui| self.app.view(ui))?;
                self.dirty = false;
                last_frame = Some(Instant::now());
            }
            match self.wait(tick_at, idle_at, frame_at, full_since).await {
                Woke::Incoming(Ok(incoming)) => self.take(incoming).await?,
                Woke::Incoming(Err(ending)) => {
                    self.close(ending);
                    continue;
                }
                Woke::Escape => {
                    self.session.decoder.flush_escape();
                    self.take_decoded().await?;
                }
                Woke::Msg(Some(message)) => self.update(Event::Msg(message)).await?,
                // The runner itself holds a sender, so the mailbox never closes before the runner does.
                Woke::Msg(None) | Woke::Draw => continue,
                Woke::Tick => self.update(Event::Tick).await?,
                Woke::Idle => {
                    self.look_for_idleness().await?;
                }
                Woke::Stalled => {
                    self.close(Ending::Stalled);
                    continue;
                }
            }
            self.drain().await?;
            tick_at = self.tick_at();
            idle_at = self.idle_at();
        }
    }

    /// When the app wants its next tick.
    fn tick_at(&self) -> Option<Instant> {
        self.app.tick(self.clock.now()).map(|wait| Instant::now() + wait)
    }

    /// When the app is to hear that nothing is being done.
    fn idle_at(&self) -> Option<Instant> {
        let limit = self.app.idle()?;
        self.idle.rest(self.clock.now(), limit).map(|wait| Instant::now() + wait)
    }

    /// Tells the app if nothing was done for as long as it allows; true when it was told.
    async fn look_for_idleness(&mut self) -> io::Result<bool> {
        let now = self.clock.now();
        let over = self.app.idle().is_some_and(|limit| self.idle.is_over(now, limit));
        if over {
            let effects = self.app.idled(now);
            self.execute(effects).await?;
        }
        Ok(over)
    }

    async fn wait(
        &mut self,
        tick_at: Option<Instant>,
        idle_at: Option<Instant>,
        frame_at: Option<Instant>,
        full_since: Option<Instant>,
    ) -> Woke<A::Msg> {
        self.escape_since =
            self.session.decoder.escape_waits().then(|| self.escape_since.unwrap_or_else(Instant::now));
        let escape_at = self.escape_since.map(|since| since + crate::session::ESCAPE_WAIT);
        let draw_at = if self.dirty && full_since.is_none() { frame_at } else { None };
        let stall_at = if self.dirty { full_since.map(|at| at + STALL_MAX) } else { None };
        let output = self.session.output().clone();
        tokio::select! {
            incoming = self.session.incoming() => Woke::Incoming(incoming),
            message = self.mailbox.waiting.recv() => Woke::Msg(message),
            () = at(escape_at) => Woke::Escape,
            () = at(tick_at) => Woke::Tick,
            () = at(idle_at) => Woke::Idle,
            () = at(draw_at) => Woke::Draw,
            () = at(stall_at) => Woke::Stalled,
            () = output.room(), if self.dirty && full_since.is_some() => Woke::Draw,
        }
    }

    /// Takes everything that waits already.
    async fn drain(&mut self) -> io::Result<()> {
        for _ in 0..EVENTS_PER_FRAME_MAX {
            if self.ending.is_some() {
                return Ok(());
            }
            if let Some(incoming) = self.session.incoming_now() {
                self.take(incoming).await?;
            } else if let Ok(message) = self.mailbox.waiting.try_recv() {
                self.update(Event::Msg(message)).await?;
            } else {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn take(&mut self, incoming: Incoming) -> io::Result<()> {
        match incoming {
            Incoming::Bytes(bytes) => {
                self.session.decoder.feed(&bytes);
                self.take_decoded().await
            }
            Incoming::Resize(size) => {
                let size: Size = clamp(size);
                self.session.resize(size)?;
                self.dirty = true;
                self.update(Event::Resize(size)).await
            }
        }
    }

    async fn take_decoded(&mut self) -> io::Result<()> {
        use crate::session::Input;
        while let Some(input) = self.session.decoder.pop() {
            if self.ending.is_some() {
                return Ok(());
            }
            let slept = self.look_for_idleness().await?;
            self.idle.touch(self.clock.now());
            if slept {
                continue;
            }
            match input {
                Input::Key(key) if Chord::SUSPEND.is(&key) && self.session.may_suspend() => {
                    self.suspend().await?;
                }
                Input::Key(key) if Chord::REDRAW.is(&key) => {
                    self.session.redraw()?;
                    self.dirty = true;
                }
                Input::Key(key) => self.update(Event::Key(key)).await?,
                Input::Paste(text) => self.update(Event::Paste(text)).await?,
                Input::Mouse(mouse) => self.update(Event::Mouse(mouse)).await?,
            }
        }
        Ok(())
    }

    async fn update(&mut self, event: Event<A::Msg>) -> io::Result<()> {
        let effects = self.app.update(self.clock.now(), event);
        self.execute(effects).await
    }

    async fn execute(&mut self, effects: Effects<A::Effect>) -> io::Result<()> {
        self.dirty |= effects.changed();
        for act in effects.into_acts() {
            match act {
                Act::Own(effect) => self.handler.handle(effect, &self.mailbox.reply()),
                Act::Quit => self.ending = Some(Ending::Quit),
                Act::Copy(text) => {
                    if let Some(sequence) = clip::sequence(&text) {
                        self.session.output().send(sequence)?;
                    }
                }
                Act::Look(look) => self.session.set_look(look),
                Act::Mouse(on) => {
                    self.mouse = on;
                    self.session.output().send(mouse_modes(on).to_vec())?;
                }
                Act::Redraw => self.session.redraw()?,
                Act::Suspend if self.session.may_suspend() => Box::pin(self.suspend()).await?,
                Act::Suspend => {}
                Act::Lend(errand) => {
                    let ran = self.session.lend(&errand).await?;
                    self.dirty = true;
                    // Whoever used the other program was there.
                    self.idle.touch(self.clock.now());
                    self.capture_again()?;
                    Box::pin(self.update(Event::Returned(ran))).await?;
                }
            }
        }
        Ok(())
    }

    async fn suspend(&mut self) -> io::Result<()> {
        self.session.suspend().await?;
        self.dirty = true;
        self.capture_again()?;
        Box::pin(self.update(Event::Resumed)).await
    }

    /// Asks for the mouse once more, after the terminal was somebody else's.
    fn capture_again(&self) -> io::Result<()> {
        if self.mouse { self.session.output().send(mouse_modes(true).to_vec()) } else { Ok(()) }
    }

    /// Tells the app that the screen ends, and hands on what it wants done about it.
    fn close(&mut self, ending: Ending) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(ending);
        let effects = self.app.update(self.clock.now(), Event::Closing(ending));
        for act in effects.into_acts() {
            if let Act::Own(effect) = act {
                self.handler.handle(effect, &self.mailbox.reply());
            }
        }
    }
}

/// Buttons, drags and the wheel in SGR coordinates; never any-motion (1003), which floods slow lines.
fn mouse_modes(on: bool) -> &'static [u8] {
    if on { b"\x1b[?1000h\x1b[?1002h\x1b[?1006h" } else { b"\x1b[?1006l\x1b[?1002l\x1b[?1000l" }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use ratatui::crossterm::event::KeyCode;
    use tokio::sync::mpsc;

    use super::*;
    use crate::app::Now;
    use crate::session::{Abilities, OutputReader, queue};
    use crate::ui::Ui;

    /// Counts keys; `+` asks for more through an effect, `q` quits.
    #[derive(Default)]
    struct Counter {
        count: u32,
        closing: Option<Ending>,
        views: std::cell::Cell<u32>,
        idle: Option<Duration>,
        locked: u32,
    }

    impl App for Counter {
        type Msg = u32;
        type Effect = u32;

        fn update(&mut self, _now: Now, event: Event<u32>) -> Effects<u32> {
            match event {
                Event::Key(key) if key.code == KeyCode::Char('q') => return Effects::quit(),
                Event::Key(key) if key.code == KeyCode::Char('+') => return Effects::one(10),
                Event::Key(_) => self.count += 1,
                Event::Msg(more) => self.count += more,
                Event::Closing(ending) => self.closing = Some(ending),
                _ => return Effects::unchanged(),
            }
            Effects::none()
        }

        fn view(&self, ui: &mut Ui<'_, '_>) {
            self.views.set(self.views.get() + 1);
            let area = ui.area();
            let what = if self.locked > 0 { "locked" } else { "count" };
            ui.line(area, format!("{what} {}", self.count));
        }

        fn idle(&self) -> Option<Duration> {
            self.idle
        }

        fn idled(&mut self, _now: Now) -> Effects<u32> {
            self.locked += 1;
            Effects::none()
        }
    }

    fn session() -> (Session, mpsc::Sender<Incoming>, OutputReader) {
        let (output, reader) = queue(1 << 16);
        let (tx, rx) = mpsc::channel(8);
        let session = Session::bare(Abilities::default(), Size::new(20, 3), rx, output).expect("a told size");
        (session, tx, reader)
    }

    /// Reads what is drawn, as a terminal would, until it shows something.
    async fn screen_shows(emulator: &mut vt100::Parser, reader: &mut OutputReader, wanted: &str) {
        while !emulator.screen().contents().contains(wanted) {
            let chunk = reader.next().await.expect("the screen ended too early");
            reader.taken(chunk.len());
            emulator.process(&chunk);
        }
    }

    #[tokio::test]
    async fn keys_effects_and_messages_meet_in_update() {
        let (mut session, tx, mut reader) = session();
        let mut app = Counter::default();
        let mut emulator = vt100::Parser::new(3, 20, 0);
        let driver = async {
            screen_shows(&mut emulator, &mut reader, "count 0").await;
            tx.send(Incoming::Bytes(Bytes::from_static(b"+"))).await.expect("the runner lives");
            screen_shows(&mut emulator, &mut reader, "count 10").await;
            tx.send(Incoming::Bytes(Bytes::from_static(b"aq"))).await.expect("the runner lives");
        };
        let handler = |more: u32, reply: &crate::app::Reply<u32>| {
            let reply = reply.clone();
            tokio::spawn(async move { reply.send(more).await });
        };
        let (ending, ()) = tokio::join!(run(&mut app, &mut session, handler), driver);
        assert_eq!(ending.expect("the session holds"), Ending::Quit);
        assert_eq!(app.count, 11);
    }

    #[tokio::test]
    async fn many_messages_make_few_frames() {
        let (mut session, tx, mut reader) = session();
        let mut app = Counter::default();
        let mailbox = Mailbox::new(1_000);
        for _ in 0..1_000 {
            mailbox.reply().try_send(1).expect("there is room");
        }
        let mut emulator = vt100::Parser::new(3, 20, 0);
        let driver = async {
            screen_shows(&mut emulator, &mut reader, "count 1000").await;
            tx.send(Incoming::Bytes(Bytes::from_static(b"q"))).await.expect("the runner lives");
        };
        let (ending, ()) = tokio::join!(run_with(&mut app, &mut session, |_, _: &_| {}, mailbox), driver);
        assert_eq!(ending.expect("the session holds"), Ending::Quit);
        assert!(app.views.get() <= 4, "{} frames", app.views.get());
    }

    #[tokio::test]
    async fn a_closed_terminal_ends_the_screen_and_the_app_hears_of_it() {
        let (mut session, tx, reader) = session();
        let mut app = Counter::default();
        drop(tx);
        let ending = run(&mut app, &mut session, |_, _: &_| {}).await.expect("not an error");
        assert_eq!(ending, Ending::HungUp);
        assert_eq!(app.closing, Some(Ending::HungUp));
        drop(reader);
    }

    #[tokio::test]
    async fn an_output_that_is_gone_ends_the_screen() {
        let (mut session, tx, reader) = session();
        let mut app = Counter::default();
        drop(reader);
        let ending = run(&mut app, &mut session, |_, _: &_| {}).await.expect("not an error");
        assert_eq!(ending, Ending::HungUp);
        drop(tx);
    }

    #[tokio::test(start_paused = true)]
    async fn an_app_that_is_left_alone_hears_of_it_once() {
        let (mut session, tx, mut reader) = session();
        let mut app = Counter { idle: Some(Duration::from_secs(300)), ..Counter::default() };
        let mut emulator = vt100::Parser::new(3, 20, 0);
        let driver = async {
            screen_shows(&mut emulator, &mut reader, "count 0").await;
            tokio::time::sleep(Duration::from_secs(299)).await;
            tx.send(Incoming::Bytes(Bytes::from_static(b"a"))).await.expect("the runner lives");
            screen_shows(&mut emulator, &mut reader, "count 1").await;
            let began = Instant::now();
            screen_shows(&mut emulator, &mut reader, "locked 1").await;
            let waited = began.elapsed().as_secs_f64();
            tokio::time::sleep(Duration::from_secs(3_600)).await;
            tx.send(Incoming::Bytes(Bytes::from_static(b"q"))).await.expect("the runner lives");
            waited
        };
        let (ending, waited) = tokio::join!(run(&mut app, &mut session, |_, _: &_| {}), driver);
        assert_eq!(ending.expect("the session holds"), Ending::Quit);
        assert!((299.0..302.0).contains(&waited), "locked after {waited} s");
        assert_eq!(app.locked, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stops_reading_is_given_up() {
        let (output, mut reader) = queue(1);
        let (tx, rx) = mpsc::channel(8);
        let mut session =
            Session::bare(Abilities::default(), Size::new(20, 3), rx, output).expect("a told size");
        let mut app = Counter::default();
        let feed = async {
            reader.next().await.expect("a first frame");
            tx.send(Incoming::Bytes(Bytes::from_static(b"a"))).await.expect("the runner lives");
        };
        let (ending, ()) = tokio::join!(run(&mut app, &mut session, |_, _: &_| {}), feed);
        assert_eq!(ending.expect("not an error"), Ending::Stalled);
        assert_eq!(app.closing, Some(Ending::Stalled));
    }
}
