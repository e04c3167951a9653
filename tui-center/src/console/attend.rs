//! Runs a console on a terminal: executes what it asks for, and tells it what happens.

use std::{pin::Pin, time::Duration};

use tokio::{
    sync::broadcast::error::RecvError,
    task::{AbortHandle, JoinSet},
};
use tui_kit::{
    Ending, Handler, Local, Reply, Session, SessionError, control::Link, keys::Bindings, remote, run,
};

use super::{
    app::{Console, Effect, Host, Msg},
    handout,
    source::Source,
};
use crate::{
    acts::{Act, Identity, JoiningAct, Passphrase, PeopleAct, StaffAct},
    center::Center,
    serve::Screens,
};

/// The least time between two overviews that a screen is told.
const BEAT: Duration = Duration::from_millis(100);

/// The operators' screens, as serving shows them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Consoles;

impl Screens for Consoles {
    fn local(
        &self,
        center: Center,
        name: Option<String>,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> {
        Box::pin(async move {
            // Ctrl-Z would stop the server with the screen.
            let options = Local { suspend: false, ..Local::default() };
            let mut session = Session::local(options).map_err(|error| error.to_string())?;
            let stopping = center.stopping().clone();
            let ended = tokio::select! {
                ended = attend(center, Host::Serving, name, &mut session) => ended.map(|_| ()),
                () = stopping.cancelled() => Ok(()),
            };
            session.finish().await;
            ended.map_err(|error| error.to_string())
        })
    }

    fn attached(
        &self,
        center: Center,
        name: Option<String>,
        link: Link,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let stopping = center.stopping().clone();
            let mut attached = match remote::accept(link).await {
                Ok(attached) => attached,
                Err(error) => return tracing::info!("a console could not be attached: {error}"),
            };
            let words = tokio::select! {
                ended = attend(center, Host::Attached, name, &mut attached.session) => match ended {
                    Ok(_) => "You have left the console. The center goes on.".to_owned(),
                    Err(error) => error.to_string(),
                },
                () = stopping.cancelled() => "The center is closing.".to_owned(),
            };
            attached.end(&words).await;
        })
    }
}

/// Runs a console on a session until it is left or its terminal is gone. The center goes on either way.
///
/// # Errors
/// When the terminal refuses an operation.
pub async fn attend<S: Source>(
    source: S,
    host: Host,
    name: Option<String>,
    session: &mut Session,
) -> Result<Ending, SessionError> {
    let mut console = Console::new(host, name, Bindings::default());
    run(&mut console, session, Attendant::new(source)).await
}

/// Executes the effects of one console. When it is dropped, what only looks is given up; what acts goes on.
struct Attendant<S> {
    source: S,
    looks: JoinSet<()>,
    feeds: Vec<AbortHandle>,
}

impl<S: Source> Attendant<S> {
    fn new(source: S) -> Self {
        Self { source, looks: JoinSet::new(), feeds: Vec::new() }
    }

    fn unwatch(&mut self) {
        self.feeds.drain(..).for_each(|feed| feed.abort());
    }
}

impl<S: Source> Handler<Console> for Attendant<S> {
    fn handle(&mut self, effect: Effect, reply: &Reply<Msg>) {
        // Those that have ended are let go.
        while self.looks.try_join_next().is_some() {}
        let (source, reply) = (self.source.clone(), reply.clone());
        match effect {
            Effect::SignIn { name, passphrase } => {
                self.looks.spawn(async move {
                    let identity = Identity { name, passphrase: Passphrase(passphrase) };
                    let believed = source.sign_in(identity).await;
                    reply.send(Msg::SignedIn(believed)).await;
                });
            }
            Effect::Watch => {
                self.unwatch();
                self.feeds.push(self.looks.spawn(overviews(source.clone(), reply.clone())));
                self.feeds.push(self.looks.spawn(errors(source, reply)));
            }
            Effect::Unwatch => self.unwatch(),
            Effect::Ask { ticket, operator, act, into } => {
                let looks = is_look(&act);
                let ask = async move {
                    let answer = match into {
                        Some(path) => handout::ask(&source, operator, act, path).await,
                        None => source.act(Some(operator), act).await,
                    };
                    reply.send(Msg::Answer(ticket, answer)).await;
                };
                if looks {
                    self.looks.spawn(ask);
                } else {
                    tokio::spawn(ask);
                }
            }
            Effect::Stop { operator } => {
                tokio::spawn(async move {
                    // It is refused to nobody; the screen ends with the program.
                    let _ = source.act(operator, Act::Stop).await;
                });
            }
        }
    }
}

/// Whether an act only looks, so that it may be given up when nobody waits for it any more.
fn is_look(act: &Act) -> bool {
    match act {
        Act::Status
        | Act::Invitation
        | Act::Members(_)
        | Act::Stores(_)
        | Act::Keys(_)
        | Act::Transactions { .. }
        | Act::Show { .. }
        | Act::Desk
        | Act::Errors(_)
        | Act::Report { .. }
        | Act::Backups
        | Act::Lost
        | Act::Verify
        | Act::Verifying => true,
        Act::Joining(act) => matches!(
            act,
            JoiningAct::Applications { .. }
                | JoiningAct::Application { reveal: None, .. }
                | JoiningAct::Document { .. }
                | JoiningAct::Kit
                | JoiningAct::Post
        ),
        Act::People(act) => matches!(act, PeopleAct::Find { .. }),
        Act::Staff(act) => {
            matches!(
                act,
                StaffAct::Operators
                    | StaffAct::Proposals
                    | StaffAct::Proposal { .. }
                    | StaffAct::Limits
                    | StaffAct::KeySheet
            )
        }
        _ => false,
    }
}

/// Tells the newest overview, a few times a second at most: what came in between is not told.
async fn overviews<S: Source>(source: S, reply: Reply<Msg>) {
    let mut news = source.overview();
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let newest = news.borrow_and_update().clone();
        if !reply.send(Msg::Overview(newest)).await || news.changed().await.is_err() {
            return;
        }
    }
}

/// Tells errors as they come. In a flood those that a screen is too slow for are left out: the log has them.
async fn errors<S: Source>(source: S, reply: Reply<Msg>) {
    let mut news = source.errors();
    loop {
        match news.recv().await {
            Ok(line) => {
                if !reply.send(Msg::Error(line)).await {
                    return;
                }
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
