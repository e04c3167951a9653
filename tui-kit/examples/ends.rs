//! A screen that can end in every way that the terminal guard has to survive; `tests/pty.rs` runs it.
//!
//! Usage: `ends REPORT_FOLDER`. Keys: `q` quits, `e` fails with an error, `p` panics in `update`, `b` panics in a task
//! beside the screen, everything else is shown.

use std::path::PathBuf;
use std::process::ExitCode;

use tui_kit::cli::{self, Common, Failure};
use tui_kit::{App, Effects, Event, KeyCode, Local, Now, Reply, Session, Ui};

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
                KeyCode::Char(c) => self.typed.push(c),
                _ => {}
            },
            Event::Paste(text) => self.typed.push_str(&format!("<{text}>")),
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
