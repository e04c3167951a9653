//! Joining: from an invitation to a number in the store register.
//!
//! The vault is made first, with its keys inside; the registration is on disk before it is sent. So a crash anywhere
//! in between is taken up by joining again: the same keys, the same telegram, to which the center gives the same answer.

use std::{path::Path, sync::Arc, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use vault::{Opening, Parcel, Passwords, PinnedCenter, Surroundings, Vault};
use wire::{
    bounded::{Bytes, List},
    codec,
    id::{AccountNumber, EntryNumber, Nonce, Role, Salt, StoreNumber, TelegramId},
    limits,
    message::{Form, Particulars, ProblemKind, RegisterCall, field},
    payload::{Registration, Rights, TerminalCertificate, particulars_hash},
    receipt::{EntryKind, Receipt, StorePart},
    sheet::{Invitation, KeySheet},
    telegram::{Kind, Telegram},
    terminal::{self, Line, LineError},
    text,
};

use crate::{
    act::Failure,
    center::{ANSWER_LIMIT, prose, seen},
    fields,
    keep::Keep,
    record::{Ending, Purpose, Record, RegistrationBeside},
};

pub use crate::fields::check as check_field;

/// How long a registration may be entered after it was signed, in milliseconds: long enough for a newcomer's line to
/// come back tomorrow, short of the 7 days that are the limit.
const VALID_MS: u64 = 6 * 24 * 60 * 60 * 1000;
/// How long connecting to one address may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// What a newcomer sees before filling in anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The center's name.
    pub center: text::Line,
    /// Its root key's fingerprint, to compare with what the center publishes.
    pub fingerprint: String,
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
}

/// Where a profile stands on its way into the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A vault whose registration is not signed: the form and password B are needed.
    Unsigned,
    /// The registration is signed and may have left: only password A is needed.
    Sent,
    /// In the register.
    Joined,
}

/// Reaches the center of an invitation and asks for the stores' form. Nothing about the newcomer is sent.
///
/// # Errors
/// In words, when the center can't be reached or is not the invitation's.
pub async fn welcome(invitation: &Invitation) -> Result<Welcome, Failure> {
    let line = connect(invitation, 0).await?;
    let form = line.form(Role::Store, ANSWER_LIMIT).await?;
    Ok(Welcome { center: line.hello.name.clone(), fingerprint: invitation.root.fingerprint(), form })
}

/// Makes a vault in a profile and joins with it. It may take seconds: the passwords are made costly.
///
/// # Errors
/// In words. When a vault was made before the failure, it is there: go on with [`Newcomer::open`].
pub async fn join(
    profile: &Path,
    invitation: &Invitation,
    values: &[(String, String)],
    passwords: Passwords,
) -> Result<Joined, Failure> {
    passwords.check()?;
    // The form is looked at first: a newcomer with a wrong invitation or a wrong field should have no vault yet.
    let line = connect(invitation, 0).await?;
    let form = line.form(Role::Store, ANSWER_LIMIT).await?;
    let particulars = filled(&form, values)?;
    let password_b = match &passwords {
        Passwords::Two { b, .. } | Passwords::One(b) => b.clone(),
    };
    let (profile, pinned) = (profile.to_owned(), pinned(invitation, &line));
    let made = tokio::task::spawn_blocking(move || {
        let mut vault = Vault::create(&profile, &passwords, None, Surroundings::system())?;
        vault.pin_center(&pinned)?;
        Keep::new(Opening { vault, records: Vec::new(), findings: Vec::new() })
    });
    let keep = made.await.map_err(Failure::machine)??;
    register(&keep, &line, &form, &particulars, password_b).await
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

    /// Where it stands.
    ///
    /// # Errors
    /// When the vault cannot be read.
    pub async fn stage(&self) -> Result<Stage, Failure> {
        if self.keep.book().identity.is_some() {
            return Ok(Stage::Joined);
        }
        let signed = self.registration().await?.is_some();
        Ok(if signed { Stage::Sent } else { Stage::Unsigned })
    }

    /// What was given when it joined.
    pub fn joined(&self) -> Option<Joined> {
        let book = self.keep.book();
        let identity = book.identity.as_ref()?;
        let center = book.center.as_ref().map(|center| center.name.clone()).unwrap_or_default();
        Some(Joined { store: identity.store, entry: identity.key_event, center })
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

    /// Sends a registration that is on disk once more.
    ///
    /// # Errors
    /// In words; when the center says that it is not acceptable, it is [`Stage::Unsigned`] again.
    pub async fn resume(&self, invitation: &Invitation) -> Result<Joined, Failure> {
        let line = self.reconnect(invitation).await?;
        let id = self.registration().await?;
        let id = id.ok_or_else(|| Failure::not_possible("no registration waits in this vault"))?;
        let parcel = self.keep.parcel(id).await?;
        send(&self.keep, &line, parcel).await
    }

    /// Signs a registration with the keys of this vault, and sends it.
    ///
    /// # Errors
    /// In words.
    pub async fn register(
        &self,
        invitation: &Invitation,
        values: &[(String, String)],
        password_b: SecretString,
    ) -> Result<Joined, Failure> {
        let line = self.reconnect(invitation).await?;
        let form = line.form(Role::Store, ANSWER_LIMIT).await?;
        let particulars = filled(&form, values)?;
        register(&self.keep, &line, &form, &particulars, password_b).await
    }

    async fn registration(&self) -> Result<Option<TelegramId>, Failure> {
        let waiting = self.keep.waiting().await?;
        Ok(waiting
            .iter()
            .find(|item| item.telegram.kind == Kind::Registration)
            .map(|item| item.telegram.id()))
    }

    async fn reconnect(&self, invitation: &Invitation) -> Result<Line, Failure> {
        let kept = self.keep.vault(|vault| vault.center().cloned()).await?;
        let sheet = kept.as_ref().and_then(|center| center.sheet.as_ref());
        let sheet = sheet.and_then(|sheet| KeySheet::verify(sheet, &invitation.root).ok());
        let line = connect(invitation, sheet.map_or(0, |sheet| sheet.number)).await?;
        let account = kept.and_then(|center| center.account);
        let pinned = PinnedCenter { account, ..pinned(invitation, &line) };
        self.keep.vault(move |vault| vault.pin_center(&pinned)).await??;
        Ok(line)
    }
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

fn filled(form: &Form, values: &[(String, String)]) -> Result<Particulars, Failure> {
    fields::fill(form, values).map_err(|wrong| {
        let words: Vec<String> = wrong.into_iter().map(|(_, why)| why).collect();
        Failure::not_possible(words.join("; "))
    })
}

async fn register(
    keep: &Arc<Keep>,
    line: &Line,
    form: &Form,
    particulars: &Particulars,
    password_b: SecretString,
) -> Result<Joined, Failure> {
    let (center, terms, now) = (line.sheet.center, form.terms_hash(), line.hello.at);
    let trade_name = text::Line::new(particulars.field(field::TRADE_NAME)).unwrap_or_default();
    let particulars = codec::encode(particulars);
    if particulars.len() > limits::PARTICULARS {
        return Err(Failure::not_possible("what was filled in is too long in all; shorten it"));
    }
    keep.record(vec![Record::Center(seen(line))]).await?;
    let (telegram, beside) = keep
        .vault(move |vault| {
            let salt = Salt::random();
            let terminal_key = vault.terminal_key()?.verification_key();
            let hand = vault.unlock_signing(&password_b)?;
            let registration = Registration {
                center,
                role: Role::Store,
                verification_key: hand.verification_key(),
                terminal_key,
                recovery_key: None,
                particulars: particulars_hash(&salt, &particulars),
                terms,
                nonce: Nonce::random(),
                valid_until: now.plus_ms(VALID_MS),
            };
            let certificate =
                TerminalCertificate { center, terminal_key, rights: Rights::Owner, issued: now };
            let (telegram, certificate) = hand.act(|key| {
                (Telegram::sign_as_key(&registration, key), Telegram::sign_as_key(&certificate, key))
            });
            Ok::<_, vault::Error>((telegram, RegistrationBeside { certificate, particulars, salt }))
        })
        .await??;
    let parcel = keep.post(telegram, codec::encode(&beside), Purpose::Registration { trade_name }).await?;
    send(keep, line, parcel).await
}

/// Sends what is on disk, verifies the answer, and ends the registration with it.
async fn send(keep: &Arc<Keep>, line: &Line, parcel: Parcel) -> Result<Joined, Failure> {
    let id = parcel.id();
    let (telegram, beside) = parcel.into_parts();
    let beside: RegistrationBeside =
        codec::decode("registration", &beside, vault::MAX_CONTENT).map_err(Failure::machine)?;
    let call = RegisterCall {
        telegram: telegram.clone(),
        certificate: beside.certificate,
        particulars: Bytes::new(beside.particulars).map_err(Failure::machine)?,
        salt: beside.salt,
    };
    let (account, entry, receipt) = match line.register(call, ANSWER_LIMIT).await {
        Ok(answer) => answer,
        Err(error) => return Err(not_registered(keep, id, error).await),
    };
    let store = check(line, &telegram, account, entry, &receipt).map_err(|why| {
        Failure::contradiction(format!("the center's answer to the registration is not believed: {why}"))
    })?;
    keep.close(id, Ending::Registered { account, entry, receipt }).await?;
    keep.vault(move |vault| {
        let Some(mut center) = vault.center().cloned() else { return Ok(()) };
        center.account = Some(account);
        vault.pin_center(&center)
    })
    .await??;
    Ok(Joined { store, entry, center: line.hello.name.clone() })
}

/// What an answer that is no number means. A center that is busy or stopped may be asked again; words about the
/// registration itself end it, so that another can be signed.
async fn not_registered(keep: &Arc<Keep>, id: TelegramId, error: LineError) -> Failure {
    let passing = [ProblemKind::Busy, ProblemKind::Limited, ProblemKind::Stopped];
    match error {
        LineError::Problem(problem) if passing.contains(&problem.kind) => {
            Failure::refused(format!("{problem} (run join again to finish joining)"))
        }
        LineError::Problem(problem) => {
            match keep.close(id, Ending::NotEntered { words: prose(&problem.words) }).await {
                Ok(()) => Failure::refused(problem),
                Err(failure) => failure,
            }
        }
        error @ LineError::Link(_) => Failure::unknown(format!(
            "{error}; whether the store is registered is unknown. Run join again: the same registration is sent once more"
        )),
        error => error.into(),
    }
}

/// Whether the answer's evidence says that exactly this key was entered under this number.
fn check(
    line: &Line,
    telegram: &Telegram,
    account: AccountNumber,
    entry: EntryNumber,
    receipt: &Receipt,
) -> Result<StoreNumber, String> {
    line.check_receipt(receipt).map_err(|error| error.to_string())?;
    let asked = telegram.peek::<Registration>().map_err(|error| error.to_string())?;
    let AccountNumber::Store(store) = account else { return Err("it gives a member's number".into()) };
    if receipt.leaf.entry != entry || receipt.leaf.kind != EntryKind::Registration {
        return Err("its evidence is about another entry".into());
    }
    match receipt.store_part().map_err(|error| error.to_string())? {
        StorePart::Registered { store: entered, key }
            if entered == store && key == asked.verification_key =>
        {
            Ok(store)
        }
        _ => Err("its evidence does not say that this key was entered".into()),
    }
}
