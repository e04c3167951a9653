//! The admission desk, as tests ask it.

use ledger::request::Document;
use tui_center::{
    acts::{Act, ActError, JoiningAct, JoiningOutcome, Outcome},
    inquiry::view::{ApplicationDetail, ApplicationRow},
    serve::Server,
};
use wire::{admission::Way, id::ApplicationNumber, message::ProblemKind, terminal::LineError};

use super::act;

pub fn problem<T: std::fmt::Debug>(outcome: Result<T, LineError>) -> (ProblemKind, String) {
    match outcome {
        Err(LineError::Problem(problem)) => (problem.kind, problem.to_string()),
        other => panic!("a problem was expected: {other:?}"),
    }
}

pub async fn joining(server: &Server, it: JoiningAct) -> Result<Outcome, ActError> {
    act(server, Act::Joining(it)).await
}

pub async fn list(server: &Server, query: &str) -> Vec<ApplicationRow> {
    let it = JoiningAct::Applications { query: query.into(), state: None, most: 100 };
    match joining(server, it).await.unwrap() {
        Outcome::Joining(JoiningOutcome::Applications { applications }) => applications,
        other => panic!("{other:?}"),
    }
}

pub async fn detail(server: &Server, number: ApplicationNumber, reveal: Option<&str>) -> ApplicationDetail {
    let it = JoiningAct::Application { number, reveal: reveal.map(str::to_owned) };
    match joining(server, it).await.unwrap() {
        Outcome::Joining(JoiningOutcome::Application(detail)) => *detail,
        other => panic!("{other:?}"),
    }
}

/// Admitting an application as it stands now.
pub async fn admission(server: &Server, number: ApplicationNumber, way: Option<Way>) -> JoiningAct {
    let seen = detail(server, number, None).await.application.version;
    JoiningAct::Admit { number, seen, way }
}

pub async fn admit(server: &Server, number: ApplicationNumber) {
    joining(server, admission(server, number, None).await).await.unwrap();
}

pub async fn decline(server: &Server, number: ApplicationNumber, ask_back: bool, reason: &str) {
    joining(server, JoiningAct::Decline { number, ask_back, reason: reason.into() }).await.unwrap();
}

pub async fn set(server: &Server, document: Document, text: &str) -> Result<Outcome, ActError> {
    joining(server, JoiningAct::SetDocument { document, text: text.into(), over: None }).await
}

pub fn size(server: &Server) -> u64 {
    server.center().desk().reader().size()
}
