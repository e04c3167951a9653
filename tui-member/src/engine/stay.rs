//! Staying: a line that is kept, and the control socket.

use std::time::Duration;

use tokio::task::JoinHandle;
use tui_kit::control;
use wire::{terminal::Backoff, time::Timestamp};

use super::{Engine, Handle};
use crate::{
    act::{Act, Failure},
    center::Session,
    view::LineView,
};

/// How often it is looked at whether a copy of the vault is to be deposited.
const DEPOSIT_LOOK: Duration = Duration::from_secs(60);

impl Handle {
    /// Keeps a line to the center from now on: connects, takes mail, asks about what is unknown, and tries again after
    /// a wait that grows. Ends with [`Handle::stop`].
    pub fn stay_connected(&self) -> JoinHandle<()> {
        let engine = self.engine.clone();
        tokio::spawn(async move {
            let stop = engine.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = engine.stay() => {}
            }
        })
    }

    /// Listens on the profile's control socket, so that subcommands reach this program. Ends with [`Handle::stop`].
    ///
    /// # Errors
    /// When another program listens there.
    pub async fn serve_control(&self) -> Result<JoinHandle<()>, Failure> {
        let path = self.engine.profile.control_socket();
        let listener = control::Listener::bind(&path).await.map_err(Failure::machine)?;
        // The socket leads here as long as it is listened on, and no longer.
        let handle = self.clone();
        let stop = self.engine.stop.clone();
        Ok(tokio::spawn(async move {
            let serving = listener.serve(move |_, act| {
                let handle = handle.clone();
                async move {
                    match serde_json::from_value::<Act>(act) {
                        Ok(act) => control::Answer::value(handle.act(act).await),
                        Err(_) => {
                            control::Answer::refuse("unknown-act", "this program does not know that act")
                        }
                    }
                }
            });
            tokio::select! {
                () = stop.cancelled() => {}
                ended = serving => if let Err(error) = ended {
                    tracing::error!("the control socket ended: {error}");
                },
            }
        }))
    }

    /// Ends what stays. Acts that have begun run to their end.
    pub fn stop(&self) {
        self.engine.stop.cancel();
    }
}

impl Engine {
    async fn stay(&self) {
        let mut backoff = Backoff::default();
        loop {
            match self.line().await {
                Ok(session) => {
                    backoff.reset();
                    if let Err(failure) = self.refresh(&session).await {
                        tracing::warn!("asking for the cards: {failure}");
                    }
                    self.attend(&session).await;
                }
                Err(failure) => tracing::info!("no line to the center: {failure}"),
            }
            let wait = backoff.after_failure();
            let retry = Timestamp::now().plus_ms(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
            let why = match &self.keep.snapshot().line {
                LineView::Down { why, .. } => why.clone(),
                _ => "the line to the center ended".into(),
            };
            self.keep.set_line(LineView::Down { why, retry: Some(retry.into()) });
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.nudge.notified() => {}
            }
        }
    }

    /// Takes mail whenever the center says that there is some, until the line ends.
    async fn attend(&self, session: &Session) {
        loop {
            tokio::select! {
                _ = session.line.closed() => return,
                () = self.center.news.notified() => {
                    if let Err(failure) = self.center.take_mail(session).await {
                        tracing::warn!("taking mail: {failure}");
                    }
                }
                () = tokio::time::sleep(DEPOSIT_LOOK) => {
                    if let Err(failure) = self.deposit(session).await {
                        tracing::warn!("depositing a copy of the vault: {failure}");
                    }
                }
            }
        }
    }
}
