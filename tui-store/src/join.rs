//! Joining: from an invitation to a number in the store register.
//!
//! | step | here |
//! |---|---|
//! | guide page and form | [`welcome`]; nothing about the newcomer is sent |
//! | vault, keys, recovery phrase | [`begin`] |
//! | application | [`Newcomer::apply`], and [`Newcomer::ask`] how it stands |
//! | admission kit, terms | [`Newcomer::fetch_kit`], [`Newcomer::accept_terms`] |
//! | number and code | [`Newcomer::register`]: sent at once, or prepared and sent later with [`Newcomer::resume`] |
//!
//! What is signed is on disk before it is sent. So a crash anywhere in between is taken up by joining again: the same
//! keys, the same telegram, to which the center gives the same answer.

mod register;

use std::{path::Path, sync::Arc, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use vault::{Autograph, Opening, Passwords, PinnedCenter, RecoveryPhrase, Surroundings, Vault};
use wire::{
    admission::{ApplicationState, ApplyCall, Guide, Kit},
    bounded::{Bytes, List},
    codec,
    id::{AccountNumber, ApplicationNumber, EntryNumber, Role, Salt, StoreNumber},
    message::{Form, ProblemKind, field},
    sheet::{Invitation, KeySheet},
    telegram::Kind,
    terminal::{self, Applicant, Line, LineError},
    text,
    time::Timestamp,
};

use crate::{
    act::Failure,
    center::{ANSWER_LIMIT, seen},
    keep::Keep,
    record::{Accepted, Applying, Record},
    view::{ApplicationRow, KitRow},
};

pub use register::Registered;

/// How long connecting to one address may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// What a newcomer sees before filling in anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The center's name.
    pub center: text::Line,
    /// Its root key's fingerprint, to compare with what the center publishes.
    pub fingerprint: String,
    /// The guide page for stores.
    pub guide: Guide,
    /// The form for stores.
    pub form: Form,
}

/// A store's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The number.
    pub store: StoreNumber,
    /// The entry that entered it: the key event of both keys.
    pub entry: EntryNumber,
    /// The center's name.
    pub center: text::Line,
    /// The signature key's fingerprint, as it stands in the key register.
    pub key: String,
}

/// Where a profile stands on its way into the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// A vault that has applied for nothing, or whose application was not taken: form and password B are needed.
    Unsigned,
    /// The application is signed and may have left: only password A is needed.
    Applying,
    /// The center has the application; it can be asked how it stands, and number and code can be entered.
    Applied,
    /// The registration is signed and was never sent.
    Prepared,
    /// The registration is signed and may have left.
    Sent,
    /// In the register.
    Joined,
}

/// Where a profile stands, with what is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Where.
    pub stage: Stage,
    /// The center's invitation, as far as it is known.
    pub invitation: Option<String>,
    /// The application as the center last spoke of it.
    pub application: Option<ApplicationRow>,
    /// Why the center did not take the newest application.
    pub not_taken: Option<String>,
    /// The admission kit that is kept.
    pub kit: Option<KitRow>,
    /// Whether the terms of that kit were accepted.
    pub terms_accepted: bool,
    /// What is known of the recovery phrase.
    pub recovery: Option<crate::view::RecoveryRow>,
}

/// What a vault is made of.
#[derive(Debug)]
pub struct Setup {
    /// Its passwords.
    pub passwords: Passwords,
    /// Mixed into the signature key and kept as the drawn seal.
    pub autograph: Option<Autograph>,
    /// The recovery phrase that was shown, where one is wanted.
    pub phrase: Option<Arc<RecoveryPhrase>>,
    /// Whether words of it were asked back and right.
    pub confirmed: bool,
}

/// Reaches the center of an invitation and asks for guide page and form. Nothing about the newcomer is sent.
///
/// # Errors
/// In words, when the center can't be reached or is not the invitation's.
pub async fn welcome(invitation: &Invitation) -> Result<Welcome, Failure> {
    let line = connect(invitation, 0).await?;
    let guide = line.guide(Role::Store, ANSWER_LIMIT).await?;
    let form = line.form(Role::Store, ANSWER_LIMIT).await?;
    Ok(Welcome { center: line.hello.name.clone(), fingerprint: invitation.root.fingerprint(), guide, form })
}

/// The center's newest admission kit, verified under the invitation; nothing is kept.
///
/// # Errors
/// In words.
pub async fn kit(invitation: &Invitation) -> Result<Kit, Failure> {
    Ok(connect(invitation, 0).await?.kit(0, ANSWER_LIMIT).await?)
}

/// Makes a vault in a profile, pinned to the center of an invitation. It may take seconds: passwords are made costly.
///
/// # Errors
/// In words; when the center can't be reached nothing is made, so that a wrong invitation leaves no vault behind.
pub async fn begin(profile: &Path, invitation: &Invitation, setup: Setup) -> Result<Newcomer, Failure> {
    setup.passwords.check()?;
    let line = connect(invitation, 0).await?;
    let (profile, pinned) = (profile.to_owned(), pinned(invitation, &line));
    let made = tokio::task::spawn_blocking(move || {
        let Setup { passwords, autograph, phrase, confirmed } = setup;
        let password_b = match &passwords {
            Passwords::Two { b, .. } | Passwords::One(b) => b.clone(),
        };
        let mut vault = Vault::create(&profile, &passwords, autograph.as_ref(), Surroundings::system())?;
        vault.pin_center(&pinned)?;
        if let Some(phrase) = phrase.as_deref() {
            vault.keep_recovery(phrase, &password_b)?;
            vault.hold_recovery_key(phrase, &password_b)?;
            if confirmed {
                vault.confirm_recovery()?;
            }
        }
        Keep::new(Opening { vault, records: Vec::new(), findings: Vec::new() })
    });
    let keep = made.await.map_err(Failure::machine)??;
    keep.record(vec![Record::Center(seen(&line))]).await?;
    Ok(Newcomer { keep })
}

/// A vault that exists and may not be in the register yet.
#[derive(Debug)]
pub struct Newcomer {
    keep: Arc<Keep>,
}

impl Newcomer {
    /// Opens a profile's vault.
    ///
    /// # Errors
    /// In words: no vault, a wrong password, another program that has it.
    pub async fn open(profile: &Path, password_a: &SecretString) -> Result<Self, Failure> {
        Ok(Self { keep: crate::engine::open_keep(profile, password_a).await? })
    }

    /// The vault of a handle.
    pub(crate) fn of(keep: Arc<Keep>) -> Self {
        Self { keep }
    }

    /// The form as the center has it now.
    ///
    /// # Errors
    /// In words.
    pub async fn form(&self) -> Result<Form, Failure> {
        Ok(self.reconnect().await?.form(Role::Store, ANSWER_LIMIT).await?)
    }

    /// The center's name and the fingerprint of its root key.
    ///
    /// # Errors
    /// When the vault cannot be read.
    pub async fn center(&self) -> Result<(String, String), Failure> {
        let root = self.keep.vault(|vault| vault.center().map(|center| center.root)).await?;
        let name = self.keep.book().center.as_ref().map(|center| center.name.to_string());
        Ok((name.unwrap_or_default(), root.map(|root| root.fingerprint()).unwrap_or_default()))
    }

    /// Where it stands. Nothing is asked of the center.
    ///
    /// # Errors
    /// When the vault cannot be read.
    pub async fn standing(&self) -> Result<Standing, Failure> {
        let invitation = self.invitation().await?;
        let waiting = self.keep.waiting().await?;
        let registration = waiting.iter().find(|item| item.telegram.kind == Kind::Registration);
        let recovery = self.keep.vault(|vault| vault.recovery()).await?;
        let book = self.keep.book();
        let custody = &book.custody;
        let stage = match registration.map(|item| &item.state) {
            _ if book.identity.is_some() => Stage::Joined,
            Some(vault::State::Prepared) => Stage::Prepared,
            Some(_) => Stage::Sent,
            None if custody.may_apply() => Stage::Unsigned,
            None if custody.application.is_none() => Stage::Applying,
            None => Stage::Applied,
        };
        Ok(Standing {
            stage,
            invitation: invitation.map(|invitation| invitation.to_string()),
            application: custody.application.as_ref().map(ApplicationRow::from),
            not_taken: custody.not_taken.as_ref().map(ToString::to_string),
            kit: custody.kit.as_ref().map(KitRow::from),
            terms_accepted: custody.terms_accepted(),
            recovery: recovery.map(Into::into),
        })
    }

    /// What was given when it joined.
    ///
    /// # Errors
    /// When the vault cannot be read.
    pub async fn joined(&self) -> Result<Option<Joined>, Failure> {
        let key = self.keep.vault(|vault| vault.verification_key()).await??;
        let book = self.keep.book();
        let Some(identity) = &book.identity else { return Ok(None) };
        let center = book.center.as_ref().map(|center| center.name.clone()).unwrap_or_default();
        let key = key.fingerprint();
        Ok(Some(Joined { store: identity.store, entry: identity.key_event, center, key }))
    }

    /// The drawn seal, to be shown where something is signed.
    ///
    /// # Errors
    /// When the vault cannot be read.
    pub async fn autograph(&self) -> Result<Option<Autograph>, Failure> {
        self.keep.vault(|vault| vault.autograph()).await
    }

    /// The invitation to the center that this vault was made for, as far as it is known.
    ///
    /// # Errors
    /// When the vault cannot be read.
    pub async fn invitation(&self) -> Result<Option<Invitation>, Failure> {
        let pinned = self.keep.vault(|vault| vault.center().cloned()).await?;
        Ok(pinned.map(|center| {
            let addresses = center.addresses.iter().filter_map(|address| text::Line::new(address).ok());
            Invitation { root: center.root, addresses: List::first(addresses) }
        }))
    }

    /// Signs an application with what was filled in of `form`, the form as it was shown, and sends it. Where the former
    /// one was asked back, this one amends it. `replaces` is the account whose terminal and phrase were lost.
    ///
    /// # Errors
    /// In words; every field that is wrong is named.
    pub async fn apply(
        &self,
        form: &Form,
        values: &[(String, String)],
        replaces: Option<AccountNumber>,
        password_b: SecretString,
    ) -> Result<ApplicationRow, Failure> {
        let particulars = form.fill(values).map_err(|wrong| {
            let words: Vec<String> = wrong.into_iter().map(|(_, why)| why).collect();
            Failure::not_possible(words.join("; "))
        })?;
        let (amends, replaces) = self.amends(replaces)?;
        let line = self.reconnect().await?;
        let trade_name = text::Line::new(particulars.field(field::TRADE_NAME)).unwrap_or_default();
        let too_long = || Failure::not_possible("what was filled in is too long in all; shorten it");
        let particulars = Bytes::new(codec::encode(&particulars)).map_err(|_| too_long())?;
        let (center, now) = (line.sheet.center, line.now());
        let applying = self
            .keep
            .vault(move |vault| {
                let terminal_key = vault.terminal_key()?.verification_key();
                let salt = Salt::random();
                let applicant = Applicant {
                    center,
                    role: Role::Store,
                    terminal_key,
                    particulars: &particulars,
                    salt,
                    amends,
                    replaces,
                    now,
                };
                let telegram = vault.unlock_signing(&password_b)?.act(|key| applicant.sign(key));
                let call = ApplyCall { telegram, particulars, salt };
                Ok::<_, vault::Error>(Applying { at: Timestamp::now(), trade_name, replaces, call })
            })
            .await??;
        self.keep.record(vec![Record::Applying(Box::new(applying))]).await?;
        self.send_application(&line).await
    }

    /// How the application stands, asked of the center; one that may not have arrived is sent once more.
    ///
    /// # Errors
    /// In words.
    pub async fn ask(&self) -> Result<ApplicationRow, Failure> {
        let line = self.reconnect().await?;
        let number = self.keep.book().custody.application.as_ref().map(|view| view.number);
        let Some(number) = number else { return self.send_application(&line).await };
        let view = line.application(number, &self.keep.terminal_key(), ANSWER_LIMIT).await?;
        let row = ApplicationRow::from(&view);
        self.keep
            .record_if(move |book| {
                let known = book.custody.application.as_ref() == Some(&view);
                Ok::<_, Failure>((if known { Vec::new() } else { vec![Record::Application(view)] }, ()))
            })
            .await?;
        Ok(row)
    }

    /// Downloads the newest admission kit, verifies it, keeps it, and takes over its floor for passwords.
    ///
    /// # Errors
    /// In words; what is not believed is not kept.
    pub async fn fetch_kit(&self) -> Result<KitRow, Failure> {
        let line = self.reconnect().await?;
        take_kit(&self.keep, &line).await.map(|kit| KitRow::from(&kit))
    }

    /// The terms of the kit that is kept.
    pub fn terms(&self) -> Option<wire::admission::Terms> {
        self.keep.book().custody.kit.as_ref().map(|kit| kit.terms.clone())
    }

    /// Notes that the terms of the kit that is kept were read and accepted. `version` is the one that was shown.
    ///
    /// # Errors
    /// When there is no kit, or the terms are other ones meanwhile.
    pub async fn accept_terms(&self, version: u32) -> Result<(), Failure> {
        self.keep
            .record_if(move |book| {
                let kit = book.custody.kit.as_ref();
                let kit = kit
                    .ok_or_else(|| Failure::not_possible("there is no admission kit yet; fetch it first"))?;
                if kit.terms.version != version {
                    return Err(Failure::not_possible("the terms have changed meanwhile; read them again"));
                }
                if book.custody.terms_accepted() {
                    return Ok((Vec::new(), ()));
                }
                let accepted = Accepted { at: Timestamp::now(), terms: kit.terms.hash() };
                Ok((vec![Record::Accepted(accepted)], ()))
            })
            .await
    }

    /// Which application a new one amends, and which account it replaces; an error where none may be made.
    fn amends(
        &self,
        replaces: Option<AccountNumber>,
    ) -> Result<(Option<ApplicationNumber>, Option<AccountNumber>), Failure> {
        let book = self.keep.book();
        if !book.custody.may_apply() {
            return Err(Failure::not_possible("an application stands already; ask how it stands"));
        }
        let former = book.custody.applying.as_ref().and_then(|applying| applying.replaces);
        let asked_back = book
            .custody
            .application
            .as_ref()
            .filter(|view| matches!(view.state, ApplicationState::AskedBack { .. }))
            .map(|view| view.number);
        Ok((asked_back, replaces.or(former)))
    }

    /// Sends the application that is on disk.
    async fn send_application(&self, line: &Line) -> Result<ApplicationRow, Failure> {
        let applying = self.keep.book().custody.applying.clone();
        let applying = applying.ok_or_else(|| Failure::not_possible("nothing was applied for yet"))?;
        match line.apply(applying.call, ANSWER_LIMIT).await {
            Ok(view) => {
                let row = ApplicationRow::from(&view);
                self.keep.record(vec![Record::Application(view)]).await?;
                Ok(row)
            }
            Err(LineError::Problem(problem)) if is_passing(problem.kind) => {
                Err(Failure::refused(format!("{problem} (run join again to send the application)")))
            }
            Err(LineError::Problem(problem)) => {
                self.keep.record(vec![Record::NotTaken(problem.words.clone())]).await?;
                Err(Failure::refused(problem))
            }
            Err(error) if error.leaves_unknown() => Err(Failure::unknown(format!(
                "{error}; whether the center has the application is unknown. Run join again: the same one is sent once more"
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// A line to the pinned center; what it says about itself is kept.
    async fn reconnect(&self) -> Result<Line, Failure> {
        let kept = self.keep.vault(|vault| vault.center().cloned()).await?;
        let invitation = self.invitation().await?;
        let invitation =
            invitation.ok_or_else(|| Failure::not_possible("this vault is not pinned to a center"))?;
        let sheet = kept.as_ref().and_then(|center| center.sheet.as_ref());
        let sheet = sheet.and_then(|sheet| KeySheet::verify(sheet, &invitation.root).ok());
        let line = connect(&invitation, sheet.map_or(0, |sheet| sheet.number)).await?;
        let account = kept.and_then(|center| center.account);
        let pinned = PinnedCenter { account, ..pinned(&invitation, &line) };
        self.keep.vault(move |vault| vault.pin_center(&pinned)).await??;
        Ok(line)
    }
}

/// Fetches the newest kit over a line and keeps it where it is newer.
pub(crate) async fn take_kit(keep: &Arc<Keep>, line: &Line) -> Result<Kit, Failure> {
    let kept = keep.book().custody.kit.as_ref().map_or(0, |kit| kit.number);
    let kit = line.kit(kept, ANSWER_LIMIT).await?;
    if kit.number != kept {
        let policy = kit.vault;
        keep.vault(move |vault| vault.keep_policy(policy)).await??;
        keep.record(vec![Record::Kit(Box::new(kit.clone()))]).await?;
    }
    Ok(kit)
}

async fn connect(invitation: &Invitation, sheet: u64) -> Result<Line, Failure> {
    let (line, pushes) = terminal::connect(invitation, sheet, CONNECT_LIMIT).await?;
    // Nothing is pushed to one who has no account.
    drop(pushes);
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

/// Whether the center only could not hear it now.
fn is_passing(kind: ProblemKind) -> bool {
    matches!(
        kind,
        ProblemKind::Busy | ProblemKind::RetryAfter { .. } | ProblemKind::Limited | ProblemKind::Stopped
    )
}

#[cfg(test)]
mod tests;
