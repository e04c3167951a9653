//! `serve`: the counter, until a signal ends it; and the screens, which serve while they are seen.

use std::path::PathBuf;

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tui_kit::{
    cli::{self, Exit, facts},
    control::{self, ControlError},
};
use vault::{Locked, Surroundings};

use super::{Context, reach::told};
use crate::{
    engine::ServeOptions,
    screen::desk::{self, Ended},
    view::Snapshot,
};

/// Open the counter.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// Without a screen: for a service
    #[arg(long)]
    headless: bool,
    /// Where to listen for members, in place of the settings; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT")]
    listen: Vec<String>,
    /// The catalogue's folder, in place of the settings
    #[arg(long, value_name = "DIR")]
    catalogue: Option<PathBuf>,
}

impl Serve {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        not_running(context).await?;
        let options = ServeOptions {
            listen: (!self.listen.is_empty()).then_some(self.listen),
            catalogue: self.catalogue,
        };
        if self.headless { headless(options, context).await } else { on_screen(options, context).await }
    }
}

/// Shows the screens and serves until they end: by the person, by a signal, or because the window is closed.
pub(super) async fn screens(context: &Context) -> Result<Exit, cli::Failure> {
    not_running(context).await?;
    on_screen(ServeOptions::default(), context).await
}

async fn not_running(context: &Context) -> Result<(), cli::Failure> {
    context.not_a_till()?;
    match control::connect(&context.profile.control_socket()).await {
        Err(ControlError::NotRunning) => Ok(()),
        Ok(_) => {
            let held = Locked::claim(context.profile.data(), Surroundings::system()).err();
            let words = held.map_or_else(
                || format!("the store of profile {} is open already", context.profile.name()),
                |error| error.to_string(),
            );
            Err(cli::Failure::refused("held", words).hint("end that program first"))
        }
        Err(error) => Err(error.into()),
    }
}

async fn on_screen(options: ServeOptions, context: &Context) -> Result<Exit, cli::Failure> {
    let password_a = if context.password_a.is_given() { Some(context.password_a.read()?) } else { None };
    match desk::run(context.profile.clone(), options, password_a).await {
        Ok(_) => Ok(Exit::Ok),
        Err(Ended::Session(error)) => Err(error.into()),
        Err(Ended::Vault(failure)) => Err(told(failure)),
    }
}

async fn headless(options: ServeOptions, context: &Context) -> Result<Exit, cli::Failure> {
    // Before anything is promised: a signal that comes early must not be lost.
    let mut ends = [SignalKind::terminate(), SignalKind::interrupt()].map(signal).into_iter();
    let (Some(term), Some(int)) = (ends.next(), ends.next()) else {
        return Err(cli::Failure::refused("machine", "signals cannot be heard"));
    };
    let (mut term, mut int) = (term?, int?);
    // A window that closes does not close the store.
    let mut hangup = signal(SignalKind::hangup())?;

    let password_a = context.password_a.read()?;
    let handle = context.open(&password_a).await?;
    drop(password_a);
    let serving = handle.serve(options).await.map_err(told)?;
    let snapshot = handle.snapshot();
    let listening: Vec<String> = serving.listening.iter().map(ToString::to_string).collect();
    let data = json!({
        "store": snapshot.store,
        "name": snapshot.name,
        "listening": listening,
        "announced": serving.announced,
        "items": snapshot.catalogue.items.len(),
        "faults": snapshot.catalogue.faults,
        "pid": std::process::id(),
    });
    context.out.answer(&data, |to| facts(to, rows(&snapshot, &listening)))?;
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = int.recv() => break,
            _ = hangup.recv() => tracing::info!("the terminal is gone; the counter stays open"),
        }
    }
    context.out.say("closing the counter");
    serving.stop().await;
    Ok(Exit::Ok)
}

fn rows(snapshot: &Snapshot, listening: &[String]) -> Vec<(&'static str, String)> {
    let store = snapshot.store.map(|store| store.to_string()).unwrap_or_default();
    let mut rows = vec![
        ("Store", format!("{store} {}", snapshot.name)),
        ("Listening", listening.join(", ")),
        (
            "Catalogue",
            format!("{} items from {}", snapshot.catalogue.items.len(), snapshot.catalogue.folder.display()),
        ),
    ];
    rows.extend(snapshot.catalogue.faults.iter().map(|fault| ("Fault", fault.clone())));
    rows.extend(snapshot.findings.iter().map(|finding| ("Vault", finding.clone())));
    rows
}
