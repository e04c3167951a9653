//! Acts of the admission desk: applications, documents, the admission kit, mail and letters. What it decides about
//! applicants is done in `decisions`.

use std::path::PathBuf;

use ledger::{
    Request,
    request::{Document, OperatorAct, OperatorRole, Person},
};
use serde::{Deserialize, Serialize};
use wire::{
    admission::Way,
    id::{ApplicationNumber, Digest, EntryNumber, TelegramId},
    key::VerificationKey,
};

use super::{ActError, Outcome, stated};
use crate::{
    admission::{applications::Row as Kept, document, kit::NewBuild},
    center::Center,
    errors::{Room, Weight},
    inquiry::{
        applications,
        view::{ApplicationDetail, ApplicationRow, BuildRow, Moment},
    },
    lines::postman::{LineState, PostState},
};

/// What can be asked of the admission desk.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum JoiningAct {
    /// The applications, newest first.
    Applications {
        /// Words: a number, or the beginning of names, or a whole e-mail address.
        query: String,
        /// Only those that stand so: `waiting`, `asked-back`, `refused`, `admitted`, `code-spent`, `registered`.
        state: Option<String>,
        /// How many.
        most: usize,
    },
    /// One application; with a reason also what was filled in, which is entered before it is shown.
    Application {
        /// Which.
        number: ApplicationNumber,
        /// Why it must be seen.
        reveal: Option<String>,
    },
    /// Admits an applicant: number and code go out.
    Admit {
        /// Which.
        number: ApplicationNumber,
        /// The version that the operator saw, [`ApplicationRow::version`]: one that was amended since is not admitted.
        seen: TelegramId,
        /// How; as the policy says where nothing is said.
        way: Option<Way>,
    },
    /// Refuses an applicant, or asks the application back.
    Decline {
        /// Which.
        number: ApplicationNumber,
        /// Whether it may be amended.
        ask_back: bool,
        /// Words for the applicant.
        reason: String,
    },
    /// Sends a new code; the former one counts no more.
    Recode {
        /// Which application.
        number: ApplicationNumber,
        /// How; as the policy says where nothing is said.
        way: Option<Way>,
        /// Another key than the one that applied may register from now on.
        key: Option<VerificationKey>,
        /// Why; it stands in the books.
        reason: String,
    },
    /// A document as it is in force.
    Document {
        /// Which.
        document: Document,
    },
    /// Gives a document a new version.
    SetDocument {
        /// Which.
        document: Document,
        /// Its content.
        text: String,
        /// The version that it was written over; nothing where whatever is in force gives way.
        over: Option<u32>,
    },
    /// What the admission kit offers.
    Kit,
    /// Puts a program into the admission kit.
    KitAdd {
        /// A file of this machine.
        file: PathBuf,
        /// The program's name.
        program: String,
        /// Its platform, a target triple.
        platform: String,
        /// Its version.
        version: String,
    },
    /// Offers a program no more.
    KitRemove {
        /// Its SHA-256.
        digest: Digest,
    },
    /// Mail and letters on their way.
    Post,
    /// Tries one again now.
    PostRetry {
        /// Its name.
        name: String,
    },
    /// Gives one up.
    PostGiveUp {
        /// Its name.
        name: String,
    },
    /// Hands out the letter of an application, which then counts as printed.
    Letter {
        /// Which application.
        number: ApplicationNumber,
    },
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum JoiningOutcome {
    /// To [`JoiningAct::Applications`].
    Applications {
        /// The newest first.
        applications: Vec<ApplicationRow>,
    },
    /// To [`JoiningAct::Application`].
    Application(Box<ApplicationDetail>),
    /// To [`JoiningAct::Document`].
    Document {
        /// Which.
        document: Document,
        /// Counts from 1.
        version: u32,
        /// The entry whose evidence it is.
        entry: EntryNumber,
        /// The content.
        text: String,
    },
    /// To [`JoiningAct::Kit`].
    Kit {
        /// Its number.
        number: u64,
        /// When it was signed.
        issued: Moment,
        /// The version of the terms in it.
        terms: u32,
        /// The programs that it offers.
        builds: Vec<BuildRow>,
    },
    /// To [`JoiningAct::KitAdd`] and [`JoiningAct::KitRemove`].
    Build {
        /// The program that came or went.
        build: BuildRow,
        /// The number of the kit without or with it.
        kit: u64,
    },
    /// To [`JoiningAct::Post`].
    Post {
        /// Oldest first.
        post: Vec<PostState>,
        /// The lines.
        lines: Vec<LineState>,
    },
    /// To [`JoiningAct::Letter`].
    Letter(Letter),
}

/// A letter that an operator prints. It bears a code: it never prints itself.
#[derive(Clone, Serialize, Deserialize)]
pub struct Letter {
    /// Its name.
    pub name: String,
    /// The PDF, in base 64.
    pub pdf: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({})", self.name)
    }
}

impl JoiningAct {
    /// What it takes.
    pub fn needs(&self) -> OperatorRole {
        match self {
            Self::Applications { .. }
            | Self::Application { reveal: None, .. }
            | Self::Document { .. }
            | Self::Kit
            | Self::Post => OperatorRole::Viewer,
            Self::Application { reveal: Some(_), .. }
            | Self::Admit { .. }
            | Self::Decline { .. }
            | Self::PostRetry { .. }
            | Self::PostGiveUp { .. }
            | Self::Letter { .. } => OperatorRole::Clerk,
            Self::Recode { .. } => OperatorRole::Supervisor,
            Self::SetDocument { .. } | Self::KitAdd { .. } | Self::KitRemove { .. } => OperatorRole::Admin,
        }
    }
}

impl Center {
    /// Does an act of the admission desk for an operator who may.
    pub(super) async fn join(&self, by: String, act: JoiningAct) -> Result<Outcome, ActError> {
        match act {
            JoiningAct::Application { number, reveal: Some(reason) } => {
                let reason = stated(&reason)?;
                self.application_row(number)?;
                let of = Person::Application(number);
                // Entered before anything is shown.
                self.enter_own(&by, Request::Reveal { by: by.clone(), of, reason }, Vec::new()).await?;
                self.looked(move |center| center.application(number, true)).await
            }
            JoiningAct::Admit { number, seen, way } => self.admit(by, number, seen, way).await,
            JoiningAct::Decline { number, ask_back, reason } => {
                self.decline(by, number, ask_back, &reason).await
            }
            JoiningAct::Recode { number, way, key, reason } => {
                self.recode(by, number, way, key, &reason).await
            }
            JoiningAct::SetDocument { document, text, over } => {
                self.set_document(by, document, text, over).await
            }
            JoiningAct::Letter { number } => self.letter(by, number).await,
            JoiningAct::KitAdd { file, program, platform, version } => {
                self.kit_add(by, file, NewBuild { program, platform, version }).await
            }
            JoiningAct::KitRemove { digest } => self.kit_remove(by, digest).await,
            JoiningAct::PostRetry { name } => {
                let name = name.trim().to_owned();
                self.note(&by, OperatorAct::PostRetry { name: name.clone() }).await?;
                self.post_retry(&name).map_err(refused)?;
                Ok(Outcome::Done { words: format!("{name} is tried again now.") })
            }
            look => self.looked(move |center| center.look_at_joining(&by, look)).await,
        }
    }

    fn look_at_joining(&self, by: &str, look: JoiningAct) -> Result<Outcome, ActError> {
        let outcome = match look {
            JoiningAct::Applications { query, state, most } => {
                let most = most.clamp(1, super::ROWS_MAX);
                let applications =
                    applications::list(self, &query, state.as_deref(), most).map_err(unreadable)?;
                JoiningOutcome::Applications { applications }
            }
            JoiningAct::Application { number, .. } => return self.application(number, false),
            JoiningAct::Document { document } => {
                let stored = self.admission().library.get(self.desk(), document).map_err(unreadable)?;
                let (version, entry, text) = (stored.version, stored.entry, stored.text.clone());
                JoiningOutcome::Document { document, version, entry, text }
            }
            JoiningAct::Kit => {
                let (kit, _) = self.kit().map_err(unreadable)?;
                JoiningOutcome::Kit {
                    number: kit.number,
                    issued: self.local().moment(kit.issued),
                    terms: kit.terms.version,
                    builds: kit.builds.iter().map(BuildRow::of).collect(),
                }
            }
            JoiningAct::Post => {
                let (post, lines) = self.post();
                JoiningOutcome::Post { post, lines }
            }
            JoiningAct::PostGiveUp { name } => {
                self.post_give_up(name.trim(), by).map_err(refused)?;
                return Ok(Outcome::Done { words: format!("{} is given up.", name.trim()) });
            }
            JoiningAct::KitAdd { .. }
            | JoiningAct::KitRemove { .. }
            | JoiningAct::PostRetry { .. }
            | JoiningAct::Admit { .. }
            | JoiningAct::Decline { .. }
            | JoiningAct::Recode { .. }
            | JoiningAct::SetDocument { .. }
            | JoiningAct::Letter { .. } => {
                return Err(ActError::new("internal", "this is nothing to look at"));
            }
        };
        Ok(Outcome::Joining(outcome))
    }

    /// The file is brought in and looked at, then the act is entered, then the kit offers it: a program that nobody
    /// answers for is never offered.
    async fn kit_add(&self, by: String, file: PathBuf, new: NewBuild) -> Result<Outcome, ActError> {
        let center = self.clone();
        let brought =
            tokio::task::spawn_blocking(move || center.admission().kits.bring_in(&file, &new)).await;
        let build = brought.map_err(|_| internal())?.map_err(refused)?;
        self.note(&by, OperatorAct::KitAdd { digest: build.digest }).await?;
        self.looked(move |center| {
            let frame = center.kit_frame().map_err(unreadable)?;
            let statement = center.speaking().roles().statement.clone();
            center.admission().kits.offer(&build, &frame, &statement).map_err(refused)?;
            center.kit_changed(&by, "put into", &BuildRow::of(&build)).map(Outcome::Joining)
        })
        .await
    }

    async fn kit_remove(&self, by: String, digest: Digest) -> Result<Outcome, ActError> {
        if !self.admission().kits.offers(digest) {
            return Err(refused(format!("the kit offers no program with SHA-256 {digest}")));
        }
        self.note(&by, OperatorAct::KitRemove { digest }).await?;
        self.looked(move |center| {
            let frame = center.kit_frame().map_err(unreadable)?;
            let statement = center.speaking().roles().statement.clone();
            let removed = center.admission().kits.remove(digest, &frame, &statement).map_err(refused)?;
            center.kit_changed(&by, "taken out of", &BuildRow::of(&removed)).map(Outcome::Joining)
        })
        .await
    }

    /// What the kit offers is no entry; who changed it is told to everybody.
    fn kit_changed(&self, by: &str, done: &str, build: &BuildRow) -> Result<JoiningOutcome, ActError> {
        let (kit, _) = self.kit().map_err(unreadable)?;
        let words = format!(
            "{} {} for {} was {done} the admission kit by {by}; SHA-256 {}; the kit is now number {}.",
            build.program, build.version, build.platform, build.digest, kit.number
        );
        self.errors().tell(Room::Operators, Weight::Note, words);
        Ok(JoiningOutcome::Build { build: build.clone(), kit: kit.number })
    }

    fn application(&self, number: ApplicationNumber, open: bool) -> Result<Outcome, ActError> {
        let row = self.application_row(number)?;
        let detail = applications::detail(self, &row, open).map_err(unreadable)?;
        Ok(Outcome::Joining(JoiningOutcome::Application(Box::new(detail))))
    }

    async fn set_document(
        &self,
        by: String,
        document: Document,
        text: String,
        over: Option<u32>,
    ) -> Result<Outcome, ActError> {
        document::check(document, &text)
            .map_err(|why| ActError::new("refused", format!("the {}: {why}", document::noun(document))))?;
        let digest = document::digest(&text);
        let (version, former) = {
            let state = self.desk().state();
            let former = state.document(document);
            (former.map_or(1, |former| former.version + 1), former.map(|former| former.digest))
        };
        if over.is_some_and(|over| over + 1 != version) {
            let words = format!(
                "version {} of the {} came into force meanwhile; look at it, and make your change again",
                version - 1,
                document::noun(document)
            );
            return Err(ActError::new("refused", words));
        }
        if former == Some(digest) {
            let words = format!("The {} is this already; nothing was entered.", document::noun(document));
            return Ok(Outcome::Done { words });
        }
        let request = Request::Document { by: Some(by.clone()), document, version, digest };
        self.enter_own(&by, request, text.into_bytes()).await
    }

    pub(super) fn application_row(&self, number: ApplicationNumber) -> Result<Kept, ActError> {
        let row = self.admission().applications.row(number);
        row.ok_or_else(|| ActError::new("not-found", format!("there is no application {number}")))
    }

    async fn looked(
        &self,
        look: impl FnOnce(&Center) -> Result<Outcome, ActError> + Send + 'static,
    ) -> Result<Outcome, ActError> {
        let center = self.clone();
        let looked = tokio::task::spawn_blocking(move || look(&center)).await;
        looked.unwrap_or_else(|_| {
            Err(ActError::new("internal", "this could not be looked at: an error in the program"))
        })
    }
}

fn internal() -> ActError {
    ActError::new("internal", "the program could not be taken in: an error in the program")
}

pub(super) fn unreadable(why: String) -> ActError {
    ActError::new("books", why)
}

pub(super) fn refused(why: String) -> ActError {
    ActError::new("refused", why)
}
