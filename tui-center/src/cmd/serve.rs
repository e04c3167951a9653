//! `serve`, `attach`, `stop`.

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use tui_kit::{
    Session,
    cli::{self, Exit},
    control::{self, ControlError},
    remote,
};

use super::{Context, PROGRAM, reach::open_told};
use crate::{
    acts::Act,
    serve::{Call, Server},
};

/// How long `stop` waits for the end.
const ENDING: Duration = Duration::from_secs(60);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Debug, Default, clap::Args)]
pub(super) struct Serve {
    /// Without a screen; ends with SIGTERM or `tui-center stop`
    #[arg(long)]
    headless: bool,
}

impl Serve {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let screens = context.screens.clone().filter(|_| !self.headless);
        if !self.headless && screens.is_none() {
            return Err(cli::Failure::usage("this program has no screens; serve with --headless"));
        }
        if screens.is_some() {
            let hint = format!("{PROGRAM} serve --headless serves without a screen");
            Session::possible().map_err(|error| cli::Failure::from(error).hint(hint))?;
        }
        context.founded()?;
        let passphrase = context.service.read()?;
        let server = Server::start(&context.profile, passphrase, context.screens.clone()).await;
        let server = server.map_err(|error| open_told(&error))?;
        let center = server.center().clone();
        let Some(screens) = screens else {
            let data = json!({
                "listening": server.addresses(),
                "pid": std::process::id(),
                "opened": center.opened().to_string(),
                "invitation": center.config().invitation().map(|invitation| invitation.to_string()).unwrap_or_default(),
            });
            context.out.answer(&data, |to| {
                writeln!(to, "opened the books from {}", center.opened())?;
                writeln!(to, "serving on {}", server.addresses().join(", "))
            })?;
            server.run().await.map_err(|words| cli::Failure::refused("books", words))?;
            return Ok(Exit::Ok);
        };
        let served = CancellationToken::new();
        let done = served.clone();
        let serving = tokio::spawn(async move {
            let ended = server.run().await;
            done.cancel();
            ended
        });
        let shown = screens.local(center.clone(), context.name.clone());
        tokio::select! {
            shown = shown => match shown {
                // The screen asked for the end, or the window is gone: then the server goes on by itself.
                Ok(()) => {}
                Err(words) => context.out.say(&format!("the console ended: {words}; the center serves on without it")),
            },
            () = served.cancelled() => {}
        }
        let ended = serving.await.unwrap_or_else(|_| Err("the server ended unexpectedly".into()));
        ended.map_err(|words| cli::Failure::refused("books", words))?;
        Ok(Exit::Ok)
    }
}

/// Lends this terminal to a running center's console.
pub(super) async fn attach(context: &Context) -> Result<Exit, cli::Failure> {
    let mut client = control::connect(&context.places().control).await?;
    client.call(Call::Attach { name: context.name.clone() }).await?;
    let words = remote::attach(client.into_link()).await?;
    context.out.say(&words);
    Ok(Exit::Ok)
}

/// Asks a running center to end, and waits until it has.
pub(super) async fn stop(context: &Context) -> Result<Exit, cli::Failure> {
    context.reach().running(Act::Stop).await?;
    let waiting = async {
        loop {
            let gone =
                matches!(control::connect(&context.places().control).await, Err(ControlError::NotRunning));
            if gone && context.profile.lock().is_ok() {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    if tokio::time::timeout(ENDING, waiting).await.is_err() {
        return Err(cli::Failure::unknown(
            "unknown",
            "the center was asked to end and has not yet; it may be draining",
        ));
    }
    context.out.answer(&json!({ "stopped": true }), |to| writeln!(to, "the center has ended in order"))?;
    Ok(Exit::Ok)
}
