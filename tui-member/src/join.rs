//! Joining: from an invitation to a number in the member register, in the seven steps that the wire names
//! ([`wire::admission`]).
//!
//! The vault is made first, with its keys inside; the application is on disk before it is sent, and so is the
//! registration. So a crash anywhere in between is taken up by joining again: the same keys, the same telegrams, to
//! which the center gives the same answers.
//!
//! | stage | what comes next | what it takes |
//! |---|---|---|
//! | [`Stage::Unsigned`] | an application is signed and sent | password B |
//! | [`Stage::Unsent`] | it is sent once more | password A |
//! | [`Stage::Applied`] | the center decides; number and code come by mail or letter | password B and the code |
//! | [`Stage::Prepared`] | the registration is sent when a line is there | password A |
//! | [`Stage::Sent`] | it is sent once more | password A |
//! | [`Stage::Joined`] | nothing | |

mod apply;
mod kit;
mod register;

use serde::{Deserialize, Serialize};
use vault::{Autograph, Passwords, PinnedCenter, recovery::RecoveryPhrase};
use wire::{
    admission::{ActivationCode, ApplicationState, ApplicationView, Guide},
    id::{AccountNumber, Digest, EntryNumber, MemberNumber, Role, TelegramId},
    message::Form,
    sheet::Invitation,
    telegram::Kind,
    terminal::{self, Line},
    text::Line as TextLine,
};

use crate::{
    act::{Failure, Password},
    center::{Patience, failure},
    keep::{Keep, Kept},
    view::{Moment, Standing},
};

pub use apply::join;
pub(crate) use apply::{apply_again, refresh, send_application};
pub(crate) use kit::{download, fetch_kit, fetch_newer_kit, newer_build};
pub(crate) use register::{known_phrase, register, send_registration};

/// What a newcomer sees before filling in anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The center's name.
    pub center: TextLine,
    /// Its root key's fingerprint, to compare with what the center publishes.
    pub fingerprint: String,
    /// What the center tells anyone.
    pub guide: Guide,
    /// The form for members.
    pub form: Form,
}

/// What a newcomer filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// The form as it was shown: what the center has by now must be the same. None takes whatever it has.
    pub form: Option<Form>,
    /// The form's keys and what was filled in.
    pub values: Vec<(String, String)>,
}

/// Everything that a newcomer gives for applying.
#[derive(Debug)]
pub struct Newcomer {
    /// Where to.
    pub invitation: Invitation,
    /// The form.
    pub filled: Filled,
    /// The passwords of the vault that is made.
    pub passwords: Passwords,
    /// Mixed into the signature key, and the drawn seal from then on.
    pub autograph: Option<Autograph>,
    /// The phrase that was shown, written down and asked back.
    pub phrase: Option<RecoveryPhrase>,
    /// The account whose lost terminal this vault is to replace.
    pub replaces: Option<AccountNumber>,
}

/// Everything that an applicant gives for registering.
#[derive(Debug)]
pub struct Registrant {
    /// The number that came by mail or letter.
    pub member: MemberNumber,
    /// The code that came with it.
    pub code: ActivationCode,
    /// [`wire::admission::Terms::hash`] of the terms that were shown and accepted.
    pub terms: Digest,
    /// The recovery phrase, where the vault holds its key no more: it signs too.
    pub phrase: Option<RecoveryPhrase>,
    /// Opens the signature key.
    pub password_b: Password,
    /// Whether it is signed without a line and waits in the outbox.
    pub prepare: bool,
}

/// What became of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// It waits in the outbox.
    Prepared(TelegramId),
    /// It was entered.
    Joined(Joined),
}

/// A member's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The number.
    pub member: MemberNumber,
    /// The entry that entered it: the key event of the keys.
    pub entry: EntryNumber,
    /// The center's name.
    pub center: TextLine,
    /// The signature key's fingerprint, as it stands in the center's key register.
    pub fingerprint: String,
    /// Whether a recovery key was registered.
    pub recovery: bool,
}

/// Where a vault stands on its way into the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// A vault without an application.
    Unsigned,
    /// An application that may or may not have reached the center.
    Unsent,
    /// An application that the center has, and how it stands.
    Applied(Box<ApplicationView>),
    /// A signed registration that has not left.
    Prepared,
    /// A signed registration that may have left.
    Sent,
    /// In the register.
    Joined,
}

impl Stage {
    /// The stable word for scripts.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Unsent => "unsent",
            Self::Applied(view) => match view.state {
                ApplicationState::Waiting => "waiting",
                ApplicationState::AskedBack { .. } => "asked-back",
                ApplicationState::Refused { .. } => "refused",
                ApplicationState::Admitted { .. } => "admitted",
                ApplicationState::CodeSpent => "code-spent",
                ApplicationState::Registered { .. } => "registered",
            },
            Self::Prepared => "prepared",
            Self::Sent => "sent",
            Self::Joined => "joined",
        }
    }

    /// What it means, and what comes next.
    pub fn words(&self) -> String {
        match self {
            Self::Unsigned => "a vault is made; nothing has been sent to the center".into(),
            Self::Unsent => "the application is signed; whether the center has it is unknown".into(),
            Self::Applied(view) => standing_words(view),
            Self::Prepared => "the registration is signed and waits in the outbox".into(),
            Self::Sent => "the registration was sent; whether the center has entered it is unknown".into(),
            Self::Joined => "in the member register".into(),
        }
    }
}

/// How an application stands, in a sentence.
pub fn standing_words(view: &ApplicationView) -> String {
    let number = view.number;
    match &view.state {
        ApplicationState::Waiting => {
            format!("{number} waits since {} for the center to decide", Moment::from(view.since).text)
        }
        ApplicationState::AskedBack { words } => format!("{number} was asked back: {words}"),
        ApplicationState::Refused { words } => format!("{number} was refused: {words}"),
        ApplicationState::Admitted { ways, until } => {
            let ways: Vec<&str> = ways.iter().map(|way| way.words()).collect();
            format!(
                "{number} is admitted: number and activation code come {}; the code counts until {}",
                ways.join(" and "),
                Moment::from(*until).text
            )
        }
        ApplicationState::CodeSpent => {
            format!(
                "the activation code of {number} ran out or was mistyped too often; ask the center for another"
            )
        }
        ApplicationState::Registered { account } => format!("{number} is registered as {account}"),
    }
}

/// Reaches the center of an invitation and asks for guide page and form. Nothing about the newcomer is sent.
///
/// # Errors
/// In words, when the center can't be reached or is not the invitation's.
pub async fn welcome(invitation: &Invitation, patience: Patience) -> Result<Welcome, Failure> {
    let line = connect(invitation, 0, patience).await?;
    let guide = line.guide(Role::Member, patience.answer).await.map_err(|error| failure(&error))?;
    let form = line.form(Role::Member, patience.answer).await.map_err(|error| failure(&error))?;
    Ok(Welcome { center: line.hello.name.clone(), fingerprint: invitation.root.fingerprint(), guide, form })
}

/// Where an opened vault stands on its way into the register.
pub(crate) async fn stage(keep: &Keep) -> Stage {
    keep.with(|kept| stage_of(kept)).await
}

/// The same, of the open vault.
pub(crate) fn stage_of(kept: &Kept) -> Stage {
    if kept.book.account().is_ok() {
        return Stage::Joined;
    }
    let mut open = kept.vault.outbox().open();
    if let Some(item) = open.find(|item| item.telegram.kind == Kind::Registration) {
        let left = matches!(item.state, vault::outbox::State::MayHaveLeft { .. });
        return if left { Stage::Sent } else { Stage::Prepared };
    }
    let custody = &kept.book.custody;
    match (&custody.unsent, &custody.applied) {
        (Some(_), _) => Stage::Unsent,
        (None, Some(view)) => Stage::Applied(Box::new(view.clone())),
        (None, None) => Stage::Unsigned,
    }
}

/// How it stands, for scripts.
pub(crate) fn standing(kept: &Kept) -> Standing {
    let stage = stage_of(kept);
    let custody = &kept.book.custody;
    let registration = kept.vault.outbox().open().find(|item| item.telegram.kind == Kind::Registration);
    let words = match (&stage, &custody.not_taken) {
        (Stage::Unsigned | Stage::Applied(_), Some(words)) => {
            format!("{}; the newest application was not taken: {words}", stage.words())
        }
        _ => stage.words(),
    };
    Standing {
        application: custody.applied.as_ref().map(|view| view.number),
        state: stage.word().into(),
        words,
        center: kept.book.center.as_ref().map(|seen| seen.name.clone()),
        fingerprint: kept.vault.center().map(|center| center.root.fingerprint()),
        kit: custody.kit.as_ref().map(|kit| kit.number),
        member: kept.book.account().ok().and_then(wire::message::member_of),
        registration: registration.map(|item| item.telegram.id()),
    }
}

async fn connect(invitation: &Invitation, sheet: u64, patience: Patience) -> Result<Line, Failure> {
    let (line, pushes) =
        terminal::connect(invitation, sheet, patience.connect).await.map_err(|e| failure(&e))?;
    // Nothing is pushed to one who has no account.
    drop(pushes);
    Ok(line)
}

/// A line to the pinned center, with what it says about itself kept.
pub(crate) async fn line_to_center(keep: &Keep, patience: Patience) -> Result<Line, Failure> {
    let known = keep.with(|kept| Ok::<_, Failure>((kept.invitation()?, kept.sheet_number())));
    let (invitation, sheet) = known.await?;
    let line = connect(&invitation, sheet, patience).await?;
    let pinned = pinned(&invitation, &line);
    let seen = crate::center::seen(&line);
    keep.with(move |kept| {
        if kept.book.center.as_ref() != Some(&seen) {
            kept.append(crate::record::Record::Center(seen))?;
        }
        kept.pin(|center| center.sheet = pinned.sheet)
    })
    .await?;
    Ok(line)
}

fn pinned(invitation: &Invitation, line: &Line) -> PinnedCenter {
    PinnedCenter {
        root: invitation.root,
        addresses: invitation.addresses.iter().map(ToString::to_string).collect(),
        sheet: Some(line.hello.sheet.clone()),
        checkpoint: None,
        account: None,
    }
}
