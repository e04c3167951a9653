//! A serving center, from start to orderly end.
//!
//! The order of the end: accept nobody more, answer what has been asked, drain the desk, close the books. A closed
//! window (SIGHUP) ends a screen and never the server.

use std::{pin::Pin, sync::Arc};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};
use tui_kit::{
    control::{Answer, Link, Listener},
    profile::Profile,
};
use wire::time::Timestamp;

use crate::{
    acts::{Act, ActError, Identity, Outcome},
    admission,
    backup::schedule,
    center::{Center, OpenError},
    errors::{Room, Weight},
    lines::bank,
    reception::{Reception, page::ReadingRoom},
};

/// How often the guard forgets who has been quiet.
const TIDY: std::time::Duration = std::time::Duration::from_secs(60);

/// The operators' screens, as far as serving needs them: something that can be shown on a terminal here, or on one at
/// the other end of a link.
pub trait Screens: Send + Sync {
    /// Shows the console on this process's own terminal until it is left.
    fn local(
        &self,
        center: Center,
        name: Option<String>,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

    /// Shows the console to an attached terminal until it is left. Nobody has signed in yet.
    fn attached(
        &self,
        center: Center,
        name: Option<String>,
        link: Link,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// What comes through the control socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// To do an act.
    Act {
        /// Who acts, where that is needed.
        identity: Option<Identity>,
        /// What.
        act: Act,
    },
    /// To become a console.
    Attach {
        /// The operator who is expected to sign in.
        name: Option<String>,
    },
}

/// A center that serves.
pub struct Server {
    center: Center,
    reception: Reception,
    page: Option<ReadingRoom>,
    tasks: Vec<JoinHandle<()>>,
    control: JoinHandle<()>,
}

/// What serves besides the center itself.
type Serving = (Reception, Option<ReadingRoom>, Vec<JoinHandle<()>>, JoinHandle<()>);

impl Server {
    /// Opens a center and serves: terminals, the bank's folders, mail and letters, the page, the control socket.
    ///
    /// # Errors
    /// When the center does not open, or listens nowhere.
    pub async fn start(
        profile: &Profile,
        passphrase: SecretString,
        screens: Option<Arc<dyn Screens>>,
    ) -> Result<Self, OpenError> {
        let opening = profile.clone();
        let opened = tokio::task::spawn_blocking(move || Center::open(&opening, &passphrase)).await;
        let center = opened.map_err(|_| {
            OpenError::Unfit("the center could not be opened: an error in the program".into())
        })??;
        match Self::serve(&center, screens).await {
            Ok((reception, page, tasks, control)) => Ok(Self { center, reception, page, tasks, control }),
            Err(words) => {
                let _ = center.close().await;
                Err(OpenError::Unfit(words))
            }
        }
    }

    /// The center.
    pub fn center(&self) -> &Center {
        &self.center
    }

    /// The addresses it listens on.
    pub fn addresses(&self) -> &[String] {
        self.reception.addresses()
    }

    /// The address of the read-only page, where there is one.
    pub fn page(&self) -> Option<std::net::SocketAddr> {
        self.page.as_ref().map(ReadingRoom::address)
    }

    /// Serves until a signal or an operator ends it, then ends in order.
    ///
    /// # Errors
    /// When the books could not be closed in order. Every answered entry is durable all the same.
    pub async fn run(self) -> Result<(), String> {
        let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
        let mut hangup = signal(SignalKind::hangup()).map_err(|error| error.to_string())?;
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                () = self.center.stopping().cancelled() => break,
                // The window is gone; the server stays.
                _ = hangup.recv() => {}
            }
        }
        self.stop().await
    }

    /// Ends in order.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub async fn stop(self) -> Result<(), String> {
        self.center.stop();
        if let Some(page) = &self.page {
            page.close().await;
        }
        self.reception.close().await;
        for task in self.tasks {
            // Each ends at the token; one that panicked has told so already.
            let _ = task.await;
        }
        let closed = self
            .center
            .close()
            .await
            .map_err(|error| format!("the books could not be closed in order: {error}"));
        self.center.errors().tell(Room::Program, Weight::Note, "The center was closed.");
        // Last, so that whoever asked for the end hears of it.
        self.control.abort();
        let _ = self.control.await;
        closed
    }

    async fn serve(center: &Center, screens: Option<Arc<dyn Screens>>) -> Result<Serving, String> {
        let listener = Listener::bind(&center.places().control).await.map_err(|error| error.to_string())?;
        let line = bank::Line::open(center)
            .map_err(|error| format!("the bank's folders cannot be used: {error}"))?;
        let reception = Reception::open(center).await?;
        center.now_listening(reception.addresses());
        let page = match &center.config().page {
            Some(page) => {
                let source = Arc::new(admission::page::Source(center.clone()));
                Some(ReadingRoom::open(page, source, center.errors().clone()).await?)
            }
            None => None,
        };
        let ruling = admission::rule::catch_up(center.clone());
        let backing_up = tokio::spawn(schedule::follow(center.clone()));
        let mut tasks = vec![
            tokio::spawn(line.work()),
            tokio::spawn(tidy(center.clone())),
            tokio::spawn(ruling),
            backing_up,
        ];
        let posting = center.clone();
        let post = tokio::task::spawn_blocking(move || posting.start_post()).await;
        tasks.extend(post.map_err(|error| error.to_string())??);
        // Watched from the start, so that the first console finds a history, and broken books stop payments unasked.
        let watched = center.clone();
        tokio::task::spawn_blocking(move || watched.overview()).await.map_err(|error| error.to_string())?;
        let serving = center.clone();
        let control = tokio::spawn(async move {
            let handling = serving.clone();
            let handle = move |_, call| handle(handling.clone(), screens.clone(), call);
            if let Err(error) = listener.serve(handle).await {
                let words =
                    format!("The control socket failed: {error}. Subcommands cannot reach this center.");
                serving.errors().tell(Room::Program, Weight::Alarm, words);
            }
        });
        let words = format!("The center serves on {}.", reception.addresses().join(", "));
        center.errors().tell(Room::Program, Weight::Note, words);
        Ok((reception, page, tasks, control))
    }
}

async fn handle(center: Center, screens: Option<Arc<dyn Screens>>, call: Value) -> Answer {
    match serde_json::from_value(call) {
        Ok(Call::Act { identity, act }) => answer(center.act_as(identity, act).await),
        Ok(Call::Attach { name }) => match screens {
            Some(screens) => {
                Answer::upgrade(move |link| async move { screens.attached(center, name, link).await })
            }
            None => {
                Answer::refuse("no-console", "this center was started without screens; use the subcommands")
            }
        },
        Err(error) => Answer::refuse("unknown-act", format!("this center does not know the act: {error}")),
    }
}

fn answer(done: Result<Outcome, ActError>) -> Answer {
    match done {
        Ok(outcome) => Answer::value(outcome),
        Err(error) => Answer::refuse(error.kind, error.words),
    }
}

async fn tidy(center: Center) {
    let stop = center.stopping().clone();
    let mut ticks = tokio::time::interval(TIDY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {
                center.guard().tidy();
                let tidying = center.clone();
                if tokio::task::spawn_blocking(move || admission::tidy(&tidying, Timestamp::now())).await.is_err() {
                    let words = "Old applications could not be looked at: an error in the program.";
                    center.errors().tell(Room::Program, Weight::Alarm, words);
                }
            }
        }
    }
}

/// Opens a center for one act that needs no server, does it, and closes it.
///
/// # Errors
/// When it does not open, or the act is refused.
pub async fn once(
    profile: &Profile,
    passphrase: SecretString,
    identity: Option<Identity>,
    act: Act,
) -> Result<Outcome, OnceError> {
    let opening = profile.clone();
    let opened = tokio::task::spawn_blocking(move || Center::open(&opening, &passphrase)).await;
    let center = opened
        .map_err(|_| OpenError::Unfit("the center could not be opened: an error in the program".into()))??;
    let done = center.act_as(identity, act).await;
    if let Err(error) = center.close().await {
        center.errors().tell(
            Room::Books,
            Weight::Alarm,
            format!("The books could not be closed in order: {error}."),
        );
    }
    Ok(done?)
}

/// Why an act on a center that does not serve was not done.
#[derive(Debug, thiserror::Error)]
pub enum OnceError {
    /// The center does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The act was refused.
    #[error(transparent)]
    Act(#[from] ActError),
}
