//! The terminal guard and the local session in a real pseudo-terminal: whatever ends a screen, the terminal is as it
//! was found.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use pty_process::{Command, Pty, Size};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::termios::{Termios, tcgetattr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tui_kit::control::{Answer, Listener};
use tui_kit::guard::{ENTER, LEAVE};
use tui_kit::{App, Effects, Event, KeyCode, Now, Ui, remote};

/// Far longer than anything here takes, far shorter than a person's patience with a hung test.
const PATIENCE: Duration = Duration::from_secs(20);

struct Screen {
    pty: Pty,
    child: Child,
    raw: Vec<u8>,
    emulator: vt100::Parser,
    found: Termios,
    reports: tempfile::TempDir,
}

impl Screen {
    fn open() -> Self {
        Self::open_with(None)
    }

    fn open_with(socket: Option<&Path>) -> Self {
        let (pty, pts) = pty_process::open().expect("a pty");
        pty.resize(Size::new(10, 60)).expect("resized");
        let found = tcgetattr(&pty).expect("a terminal");
        let reports = tempfile::tempdir().expect("a folder");
        let child = Command::new(program())
            .arg(reports.path())
            .args(socket)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .spawn(pts)
            .expect("the example is built beside its test");
        Self { pty, child, raw: Vec::new(), emulator: vt100::Parser::new(10, 60, 0), found, reports }
    }

    async fn shows(&mut self, wanted: &str) {
        let seen = async {
            while !self.emulator.screen().contents().contains(wanted) {
                assert!(self.read().await, "ended before it showed {wanted:?}: {:?}", self.output());
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("{wanted:?} never came"));
    }

    /// Reads some output; false at its end, which Linux reports as EIO.
    async fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.pty.read(&mut buffer).await {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.raw.extend_from_slice(&buffer[..count]);
                self.emulator.process(&buffer[..count]);
                true
            }
        }
    }

    async fn types(&mut self, keys: &str) {
        self.pty.write_all(keys.as_bytes()).await.expect("typed");
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    fn pid(&self) -> Pid {
        let id = self.child.id().expect("not waited for yet");
        Pid::from_raw(id.cast_signed()).expect("a pid")
    }

    async fn ends(&mut self) -> ExitStatus {
        let end = async {
            while self.read().await {}
            self.child.wait().await.expect("waited for")
        };
        tokio::time::timeout(PATIENCE, end).await.expect("it never ended")
    }

    fn output(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// The modes were set and restored equally often, restored last, and the terminal is cooked again.
    fn is_restored(&self, times: usize) {
        let count =
            |sequence: &[u8]| self.raw.windows(sequence.len()).filter(|window| *window == sequence).count();
        assert_eq!((count(ENTER), count(LEAVE)), (times, times), "{:?}", self.output());
        assert!(!self.emulator.screen().alternate_screen() && !self.emulator.screen().hide_cursor());
        assert!(!self.emulator.screen().bracketed_paste());
        let now = tcgetattr(&self.pty).expect("a terminal");
        assert_eq!(now.local_modes, self.found.local_modes);
        assert_eq!(now.input_modes, self.found.input_modes);
        assert_eq!(now.output_modes, self.found.output_modes);
    }

    fn reports(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.reports.path()).expect("readable");
        entries
            .map(|entry| std::fs::read_to_string(entry.expect("readable").path()).expect("readable"))
            .collect()
    }
}

fn program() -> PathBuf {
    let test = std::env::current_exe().expect("known");
    let built = test.parent().and_then(Path::parent).expect("target/debug/deps");
    built.join("examples").join("ends")
}

#[tokio::test]
async fn quitting_restores() {
    let mut screen = Screen::open();
    screen.shows("typed: at 60x10").await;
    screen.types("日本\x1b[200~x\ny\x1b[201~").await;
    screen.shows("typed:日本<x").await;
    screen.types("q").await;
    assert_eq!(screen.ends().await.code(), Some(0));
    screen.is_restored(1);
    assert!(screen.output().ends_with("ended: Quit\r\n"), "{:?}", screen.output());
}

#[tokio::test]
async fn an_error_restores_and_has_its_code() {
    let mut screen = Screen::open();
    screen.shows("typed:").await;
    screen.types("e").await;
    assert_eq!(screen.ends().await.code(), Some(1));
    screen.is_restored(1);
    assert!(screen.output().ends_with("ends: it failed\r\n"), "{:?}", screen.output());
}

#[tokio::test]
async fn a_panic_restores_reports_and_is_a_bug() {
    let mut screen = Screen::open();
    screen.shows("typed:").await;
    screen.types("p").await;
    assert_eq!(screen.ends().await.code(), Some(255));
    screen.is_restored(1);
    let after = screen.output().rsplit_once("\x1b[?1049l").expect("restored").1.to_owned();
    assert!(after.starts_with("ends: internal error; the report is in "), "{after:?}");
    assert_eq!(after.lines().count(), 1, "{after:?}");
    let reports = screen.reports();
    assert_eq!(reports.len(), 1);
    assert!(
        reports[0].contains("a panic in update") && reports[0].contains("examples/ends.rs"),
        "{}",
        reports[0]
    );
}

#[tokio::test]
async fn a_panic_beside_the_screen_leaves_the_screen_alone() {
    let mut screen = Screen::open();
    screen.shows("typed:").await;
    screen.types("b").await;
    screen.shows("typed:beside").await;
    screen.types("q").await;
    assert_eq!(screen.ends().await.code(), Some(0));
    screen.is_restored(1);
    assert!(screen.output().contains("ends: internal error; the report is in "));
    assert_eq!(screen.reports().len(), 1);
}

#[tokio::test]
async fn signals_restore() {
    for (signal, ending) in [(Signal::TERM, "Terminated"), (Signal::HUP, "HungUp")] {
        let mut screen = Screen::open();
        screen.shows("typed:").await;
        screen.signal(signal);
        assert_eq!(screen.ends().await.code(), Some(0), "{signal:?}");
        screen.is_restored(1);
        assert!(screen.output().contains(&format!("ended: {ending}")), "{signal:?}: {:?}", screen.output());
    }
}

#[tokio::test]
async fn ctrl_z_stops_with_the_terminal_given_back_and_goes_on() {
    let mut screen = Screen::open();
    screen.shows("typed:").await;
    screen.types("a\x1a").await;
    let pid = screen.pid();
    let stopped = tokio::task::spawn_blocking(move || waitpid(Some(pid), WaitOptions::UNTRACED));
    let status = tokio::time::timeout(PATIENCE, stopped).await.expect("it never stopped").expect("joined");
    let status = status.expect("a child").expect("a change").1;
    assert!(status.stopped(), "{status:?}");
    let now = tcgetattr(&screen.pty).expect("a terminal");
    assert_eq!(now.local_modes, screen.found.local_modes, "cooked while stopped");
    screen.signal(Signal::CONT);
    screen.shows("typed:aresumed").await;
    screen.types("q").await;
    assert_eq!(screen.ends().await.code(), Some(0));
    screen.is_restored(2);
}

#[tokio::test]
async fn the_mouse_is_asked_for_again_after_a_stop_and_let_go_at_the_end() {
    let mut screen = Screen::open();
    screen.shows("typed:").await;
    let mouse = |screen: &Screen| screen.emulator.screen().mouse_protocol_mode();
    assert_eq!(mouse(&screen), vt100::MouseProtocolMode::None, "nobody has asked for it");
    screen.types("m\x1b[<0;5;3M").await;
    screen.shows("typed:(4,2)").await;
    assert_eq!(mouse(&screen), vt100::MouseProtocolMode::ButtonMotion, "never any motion");
    screen.types("\x1a").await;
    let pid = screen.pid();
    let stopped = tokio::task::spawn_blocking(move || waitpid(Some(pid), WaitOptions::UNTRACED));
    tokio::time::timeout(PATIENCE, stopped)
        .await
        .expect("it never stopped")
        .expect("joined")
        .expect("a child");
    screen.signal(Signal::CONT);
    screen.shows("resumed").await;
    assert_eq!(mouse(&screen), vt100::MouseProtocolMode::ButtonMotion);
    screen.types("q").await;
    assert_eq!(screen.ends().await.code(), Some(0));
    assert_eq!(mouse(&screen), vt100::MouseProtocolMode::None);
    screen.is_restored(2);
}

#[tokio::test]
async fn the_terminal_is_lent_and_taken_back() {
    let mut screen = Screen::open();
    screen.shows("typed:").await;
    screen.types("al").await;
    let lent = async { while !screen.output().contains("\x1b[?1049l") && screen.read().await {} };
    tokio::time::timeout(PATIENCE, lent).await.expect("it is never lent");
    screen.types("to cat\n").await;
    // A cooked terminal echoes the line, and `cat` says it again.
    let echoed = async { while screen.output().matches("to cat").count() < 2 && screen.read().await {} };
    tokio::time::timeout(PATIENCE, echoed).await.expect("cat never answered");
    // Ctrl-C is meant for cat; the screen goes on.
    screen.types("\x03").await;
    screen.shows("typed:aran Ok(130)").await;
    screen.types("xq").await;
    assert_eq!(screen.ends().await.code(), Some(0));
    screen.is_restored(2);
}

/// What a console would be: shows what is typed at its far end.
#[derive(Default)]
struct Console(String);

impl App for Console {
    type Msg = ();
    type Effect = ();

    fn update(&mut self, _now: Now, event: Event<()>) -> Effects<()> {
        match event {
            Event::Key(key) if key.code == KeyCode::Char('q') => return Effects::quit(),
            Event::Key(key) => self.0.push_str(&format!("{:?}", key.code)),
            _ => {}
        }
        Effects::none()
    }

    fn view(&self, ui: &mut Ui<'_, '_>) {
        let area = ui.area();
        ui.line(area, format!("console:{} at {}x{}", self.0, area.width, area.height));
    }
}

#[tokio::test]
async fn a_console_is_attached_stopped_resized_and_detached() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("control.sock");
    let listener = Listener::bind(&socket).await.expect("free");
    let server = tokio::spawn(listener.serve(|_, _| async {
        Answer::upgrade(|link| async move {
            let mut attached = remote::accept(link).await.expect("a hello");
            let ended = tui_kit::run(&mut Console::default(), &mut attached.session, |(), _: &_| {}).await;
            attached.end(&format!("good-bye after {:?}", ended.expect("drawn"))).await;
        })
    }));
    let mut screen = Screen::open_with(Some(&socket));
    screen.shows("console: at 60x10").await;
    screen.types("\x1b[A").await;
    screen.shows("console:Up").await;
    screen.types("\x1a").await;
    let pid = screen.pid();
    let stopped = tokio::task::spawn_blocking(move || waitpid(Some(pid), WaitOptions::UNTRACED));
    let status = tokio::time::timeout(PATIENCE, stopped).await.expect("it never stopped").expect("joined");
    assert!(status.expect("a child").expect("a change").1.stopped());
    screen.signal(Signal::CONT);
    screen.pty.resize(Size::new(6, 40)).expect("resized");
    screen.emulator.screen_mut().set_size(6, 40);
    screen.shows("console:Up at 40x6").await;
    screen.types("q").await;
    assert_eq!(screen.ends().await.code(), Some(0));
    screen.is_restored(2);
    assert!(screen.output().ends_with("detached: good-bye after Quit\r\n"), "{:?}", screen.output());
    server.abort();
}

#[tokio::test]
async fn a_resize_is_drawn_whole() {
    let mut screen = Screen::open();
    screen.shows("60x10").await;
    screen.pty.resize(Size::new(5, 30)).expect("resized");
    screen.emulator.screen_mut().set_size(5, 30);
    screen.shows("typed: at 30x5").await;
    screen.types("q").await;
    assert_eq!(screen.ends().await.code(), Some(0));
}

#[tokio::test]
async fn a_closed_terminal_ends_the_program() {
    let mut screen = Screen::open();
    screen.shows("typed:").await;
    let Screen { pty, mut child, .. } = screen;
    drop(pty);
    let end = tokio::time::timeout(PATIENCE, child.wait()).await.expect("it never ended");
    assert!(end.is_ok());
}

#[test]
fn without_a_terminal_there_is_a_hint_and_no_screen() {
    let output = std::process::Command::new(program())
        .arg("/nonexistent")
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the example is built beside its test");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("TERM=") || words.contains("no terminal here"), "{words}");
}
