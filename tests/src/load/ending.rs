//! A run that is asked to end (SIGINT, SIGTERM) leaves nothing running and nothing behind: whatever it does next fails, and
//! everything that it started ends with what held it.

use std::{
    process,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use color_eyre::eyre::{Result, ensure};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    sync::Notify,
};

static ASKED: AtomicBool = AtomicBool::new(false);
static BELL: Notify = Notify::const_new();

/// Listens for both signals from now on. Who asks twice does not wait.
pub fn listen() -> Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if ASKED.swap(true, Ordering::AcqRel) {
                    process::exit(130);
                }
                eprintln!("ending; once more ends at once and leaves things behind");
                BELL.notify_waiters();
            }
        });
    })?;
    Ok(())
}

/// Whether it may go on.
///
/// # Errors
/// When it was asked to end.
pub fn go_on() -> Result<()> {
    ensure!(!ASKED.load(Ordering::Acquire), "it was asked to end before it was done");
    Ok(())
}

/// Waits until it is asked to end.
pub async fn asked() {
    let bell = BELL.notified();
    if !ASKED.load(Ordering::Acquire) {
        bell.await;
    }
}
