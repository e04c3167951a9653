//! `books verify`, `books rebuild`.

use std::sync::Arc;

use serde_json::{Value, json};
use tui_kit::{
    cli::{self, Exit},
    control::{self, ControlError},
};

use super::{
    Context, print,
    progress::{BEAT, Bar},
    reach::open_told,
};
use crate::{
    acts::{Act, Outcome},
    books::{
        Books as Journal,
        registers::Registers,
        verify::{Progress, Watch},
    },
    center::Custody,
    inquiry::verify::{self, Running},
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Books {
    /// Look at everything that must hold: chain, checkpoints, every signature and posting, registers, cabinet
    Verify,
    /// Make the registers anew from the journal; the center must not run
    Rebuild,
}

impl Books {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        match self {
            Self::Verify => verify(context).await,
            Self::Rebuild => rebuild(context).await,
        }
    }
}

async fn verify(context: &Context) -> Result<Exit, cli::Failure> {
    let outcome = match control::connect(&context.places().control).await {
        Ok(_) => running(context).await?,
        // Not opened for it: damaged books are to be looked at as they lie.
        Err(ControlError::NotRunning) => {
            let (passphrase, profile, places) =
                (context.service.read()?, context.profile.clone(), context.places());
            let watch = Arc::new(Watch::default());
            let watched = watch.clone();
            let looked = tokio::task::spawn_blocking(move || {
                let custody = Custody::open(&profile, &passphrase)?;
                Ok(verify::resting(&places, &custody, &watched))
            });
            let looked = super::audit::watched(context.out, &watch, looked).await?;
            let looked = looked.map_err(|error| open_told(&error))?;
            serde_json::to_value(Outcome::Verified(looked))
                .map_err(|error| cli::Failure::refused("internal", error.to_string()))?
        }
        Err(error) => return Err(error.into()),
    };
    let holds = outcome["data"]["holds"] == true;
    print::outcome(context.out, &outcome)?;
    Ok(if holds { Exit::Ok } else { Exit::Refused })
}

/// A running center verifies its own books; how far it is comes by another connection.
async fn running(context: &Context) -> Result<Value, cli::Failure> {
    let mut reach = context.reach();
    let mut verifying = std::pin::pin!(reach.running(Act::Verify));
    let mut bar = Bar::new(context.out);
    let mut beat = tokio::time::interval(BEAT);
    loop {
        tokio::select! {
            outcome = &mut verifying => return outcome,
            _ = beat.tick() => {
                let asked = context.reach().running(Act::Verifying).await.ok();
                let running = asked.and_then(|asked| {
                    serde_json::from_value::<Running>(asked["data"]["running"].clone()).ok()
                });
                if let Some(Running { entries, percent }) = running {
                    bar.show(Progress { entries, bytes: percent, total: 100 });
                }
            }
            _ = tokio::signal::ctrl_c() => {
                // Its refusal changes nothing: the outcome is still waited for.
                let _ = context.reach().running(Act::StopVerifying).await;
            }
        }
    }
}

async fn rebuild(context: &Context) -> Result<Exit, cli::Failure> {
    let (passphrase, profile, places) = (context.service.read()?, context.profile.clone(), context.places());
    let rebuilt = tokio::task::spawn_blocking(move || {
        let custody = Custody::open(&profile, &passphrase)?;
        let books = Journal::open(&places.books, custody.checkpoint_key(), |_| {})?;
        let registers = Registers::rebuild(&places.registers, books.reader())?;
        let entries = registers.progress().entries;
        registers.close();
        books.close()?;
        Ok(entries)
    });
    let rebuilt = rebuilt
        .await
        .map_err(|_| cli::Failure::refused("internal", "the registers could not be made anew"))?;
    let entries = rebuilt.map_err(|error| open_told(&error))?;
    let data = json!({ "entries": entries });
    context.out.answer(&data, |to| writeln!(to, "the registers were made anew from {entries} entries"))?;
    Ok(Exit::Ok)
}
