//! A screen that can end in every way that the terminal guard has to survive; `tests/pty.rs` runs it.
//!
//! Usage: `ends REPORT_FOLDER [SOCKET]`. Keys: `q` quits, `e` fails with an error, `p` panics in `update`, `b` panics in
//! a task beside the screen, `l` lends the terminal to `cat`, `m` asks for the mouse, everything else is shown. With a socket, the terminal is
//! lent to the program that listens there.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tui_kit::cli::{self, Common, Failure};
use tui_kit::{Act, App, Effects, Errand, Event, KeyCode, Local, Now, Reply, Session, Ui};
use tui_kit::{control, remote};

#[derive(Default)]
struct Ends {
    typed: String,
    fail: bool,
}

enum Effect {
    PanicElsewhere,
}

impl App for Ends {
    type Msg = ();
    type Effect = Effect;

    fn update(&mut self, _now: Now, event: Event<()>) -> Effects<Effect> {
        match event {
            Event::Key(key) => match key.code {
                KeyCode::Char('q') => return Effects::quit(),
                KeyCode::Char('e') => {
                    self.fail = true;
                    return Effects::quit();
                }
                KeyCode::Char('p') => panic!("a panic in update"),
                KeyCode::Char('b') => return Effects::one(Effect::PanicElsewhere),
                KeyCode::Char('l') => {
                    return Effects::act(Act::Lend(Errand { program: "cat".into(), arguments: Vec::new() }));
                }
                KeyCode::Char('m') => return Effects::act(Act::Mouse(true)),
                KeyCode::Char(c) => self.typed.push(c),
                _ => {}
            },
            Event::Mouse(mouse) => self.typed.push_str(&format!("({},{})", mouse.column, mouse.row)),
            Event::Paste(text) => self.typed.push_str(&format!("<{text}>")),
            Event::Returned(ran) => self.typed.push_str(&format!("ran {ran:?}")),
            Event::Resumed => self.typed.push_str("resumed"),
            Event::Msg(()) => self.typed.push_str("beside"),
            _ => {}
        }
        Effects::none()
    }

    fn view(&self, ui: &mut Ui<'_, '_>) {
        let area = ui.area();
        ui.line(area, format!("typed:{} at {}x{}", self.typed, area.width, area.height));
    }
}

fn main() -> ExitCode {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_default());
    tui_kit::guard::report_panics("ends", "1", &folder);
    cli::run("ends", Common::default().out(), || {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            if let Some(socket) = std::env::args_os().nth(2) {
                let mut client = control::connect(Path::new(&socket)).await?;
                client.call("attach").await?;
                let words = remote::attach(client.into_link()).await?;
                eprintln!("detached: {words}");
                return Ok(());
            }
            let mut app = Ends::default();
            let mut session = Session::local(Local::default())?;
            let handler = |effect: Effect, reply: &Reply<()>| match effect {
                Effect::PanicElsewhere => {
                    let reply = reply.clone();
                    tokio::spawn(async move {
                        let beside = tokio::spawn(async { panic!("a panic beside the screen") });
                        let _: Result<(), _> = beside.await;
                        reply.send(()).await
                    });
                }
            };
            let ending = tui_kit::run(&mut app, &mut session, handler).await?;
            session.finish().await;
            eprintln!("ended: {ending:?}");
            if app.fail { Err(Failure::refused("failed", "it failed")) } else { Ok(()) }
        })
    })
}
