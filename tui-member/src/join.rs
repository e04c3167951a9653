//! Joining: from an invitation to a number in the member register.
//!
//! The vault is made first, with its keys inside; the registration is on disk before it is sent. So a crash anywhere
//! in between is taken up by joining again: the same keys, the same telegram, to which the center gives the same answer.

use serde::{Deserialize, Serialize};
use tui_kit::profile::Profile;
use vault::{Opening, Passwords, PinnedCenter, Vault, outbox::Parcel};
use wire::{
    bounded::Bytes,
    codec,
    id::{AccountNumber, EntryNumber, MemberNumber, Nonce, Role, Salt},
    limits,
    message::{Form, Particulars, ProblemKind, RegisterCall},
    payload::{Registration, Rights, TerminalCertificate, particulars_hash},
    receipt::{EntryKind, MemberPart, Receipt},
    sheet::Invitation,
    telegram::{Kind, Telegram},
    terminal::{self, Line, LineError},
    text::{Line as TextLine, Prose},
};

use crate::{
    act::Failure,
    center::{Means, Patience, failure, seen},
    engine::Handle,
    fields,
    keep::Keep,
    record::{Ending, Purpose, Record, RegistrationBeside},
};

/// How long a registration may be entered after it was signed, in milliseconds: long enough for a newcomer's line to
/// come back tomorrow, short of the 7 days that are the limit.
const VALID_MS: u64 = 6 * 24 * 60 * 60 * 1000;

/// What a newcomer sees before filling in anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The center's name.
    pub center: TextLine,
    /// Its root key's fingerprint, to compare with what the center publishes.
    pub fingerprint: String,
    /// The form for members.
    pub form: Form,
}

/// A member's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The number.
    pub member: MemberNumber,
    /// The entry that entered it: the key event of both keys.
    pub entry: EntryNumber,
    /// The center's name.
    pub center: TextLine,
}

/// Where a vault stands on its way into the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A vault whose registration is not signed: password B is needed.
    Unsigned,
    /// The registration is signed and may have left: only password A is needed.
    Sent,
    /// In the register.
    Joined,
}

/// Reaches the center of an invitation and asks for the members' form. Nothing about the newcomer is sent.
///
/// # Errors
/// In words, when the center can't be reached or is not the invitation's.
pub async fn welcome(invitation: &Invitation, patience: Patience) -> Result<Welcome, Failure> {
    let line = connect(invitation, 0, patience).await?;
    let form = line.form(Role::Member, patience.answer).await.map_err(|error| failure(&error))?;
    Ok(Welcome { center: line.hello.name.clone(), fingerprint: invitation.root.fingerprint(), form })
}

/// Makes a vault in a profile and joins with it. It may take seconds: the passwords are made costly.
///
/// # Errors
/// In words. When a vault was made before the failure, it is there: open it and go on with
/// [`Handle::resume_joining`] or [`Handle::register_again`], as [`Handle::stage`] says.
pub async fn join(
    profile: Profile,
    invitation: &Invitation,
    values: &[(String, String)],
    passwords: Passwords,
    means: impl Into<Means>,
) -> Result<(Joined, Handle), Failure> {
    passwords.check()?;
    let Means { patience, vault: surroundings } = means.into();
    // The form is looked at first: a newcomer with a wrong invitation or a wrong date should have no vault yet.
    let line = connect(invitation, 0, patience).await?;
    let form = line.form(Role::Member, patience.answer).await.map_err(|error| failure(&error))?;
    let particulars = filled(&form, values)?;
    profile.create().map_err(Failure::machine)?;
    let (data, pinned) = (profile.data().to_owned(), pinned(invitation, &line));
    let password_b = match &passwords {
        Passwords::Two { b, .. } | Passwords::One(b) => b.clone(),
    };
    let made = tokio::task::spawn_blocking(move || {
        let mut vault = Vault::create(&data, &passwords, None, surroundings)?;
        vault.pin_center(&pinned)?;
        Ok::<_, Failure>(Keep::new(Opening { vault, records: Vec::new(), findings: Vec::new() }))
    });
    let keep = made.await.map_err(Failure::machine)??;
    let joined = register(&keep, &line, &form, particulars, password_b, patience).await?;
    Ok((joined, Handle::over(profile, keep, patience)))
}

/// Where an opened vault stands on its way into the register.
pub(crate) async fn stage(keep: &Keep) -> Stage {
    keep.with(|kept| {
        if kept.book.registration.is_some() {
            return Stage::Joined;
        }
        let signed = kept.vault.outbox().open().any(|item| item.telegram.kind == Kind::Registration);
        if signed { Stage::Sent } else { Stage::Unsigned }
    })
    .await
}

/// Sends a registration that is on disk once more.
///
/// # Errors
/// In words; when the center says that it is not acceptable, the vault is [`Stage::Unsigned`] again.
pub(crate) async fn resume(
    keep: &Keep,
    invitation: &Invitation,
    patience: Patience,
) -> Result<Joined, Failure> {
    let line = reconnect(keep, invitation, patience).await?;
    let parcel = keep.with(|kept| {
        let id =
            kept.vault.outbox().open().find(|item| item.telegram.kind == Kind::Registration)?.telegram.id();
        Some(kept.parcel(&id))
    });
    let none = || Failure::not_possible("no registration waits in this vault");
    let parcel = parcel.await.ok_or_else(none)??.ok_or_else(none)?;
    send(keep, &line, parcel, patience).await
}

/// Signs a registration with the keys of a vault that was made before, and sends it.
///
/// # Errors
/// In words.
pub(crate) async fn register_again(
    keep: &Keep,
    invitation: &Invitation,
    values: &[(String, String)],
    password_b: secrecy::SecretString,
    patience: Patience,
) -> Result<Joined, Failure> {
    let line = reconnect(keep, invitation, patience).await?;
    let form = line.form(Role::Member, patience.answer).await.map_err(|error| failure(&error))?;
    let particulars = filled(&form, values)?;
    register(keep, &line, &form, particulars, password_b, patience).await
}

async fn connect(invitation: &Invitation, sheet: u64, patience: Patience) -> Result<Line, Failure> {
    let (line, pushes) =
        terminal::connect(invitation, sheet, patience.connect).await.map_err(|e| failure(&e))?;
    // Nothing is pushed to one who has no account.
    drop(pushes);
    Ok(line)
}

async fn reconnect(keep: &Keep, invitation: &Invitation, patience: Patience) -> Result<Line, Failure> {
    let sheet = keep.with(|kept| kept.sheet_number()).await;
    let line = connect(invitation, sheet, patience).await?;
    let pinned = pinned(invitation, &line);
    keep.with(move |kept| {
        let account = kept.vault.center().and_then(|center| center.account);
        kept.vault.pin_center(&PinnedCenter { account, ..pinned })
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

fn filled(form: &Form, values: &[(String, String)]) -> Result<Particulars, Failure> {
    fields::fill(form, values).map_err(|wrong| {
        let words: Vec<String> = wrong.into_iter().map(|(_, why)| why).collect();
        Failure::not_possible(words.join("; "))
    })
}

async fn register(
    keep: &Keep,
    line: &Line,
    form: &Form,
    particulars: Particulars,
    password_b: secrecy::SecretString,
    patience: Patience,
) -> Result<Joined, Failure> {
    let (center, terms, now) = (line.sheet.center, form.terms_hash(), line.hello.at);
    let particulars = codec::encode(&particulars);
    if particulars.len() > limits::PARTICULARS {
        return Err(Failure::not_possible("what was filled in is too long in all; shorten it"));
    }
    let seen = seen(line);
    let parcel = keep.with(move |kept| {
        if kept.book.center.as_ref() != Some(&seen) {
            kept.append(Record::Center(seen))?;
        }
        let salt = Salt::random();
        let terminal_key = kept.vault.terminal_key()?.verification_key();
        let hand = kept.vault.unlock_signing(&password_b)?;
        let registration = Registration {
            center,
            role: Role::Member,
            verification_key: hand.verification_key(),
            terminal_key,
            recovery_key: None,
            particulars: particulars_hash(&salt, &particulars),
            terms,
            nonce: Nonce::random(),
            valid_until: now.plus_ms(VALID_MS),
        };
        let certificate = TerminalCertificate { center, terminal_key, rights: Rights::Owner, issued: now };
        let (telegram, certificate) = hand
            .act(|key| (Telegram::sign_as_key(&registration, key), Telegram::sign_as_key(&certificate, key)));
        let beside = codec::encode(&RegistrationBeside { certificate, particulars, salt });
        kept.post(telegram, beside, Purpose::Registration)
    });
    send(keep, line, parcel.await?, patience).await
}

/// Sends what is on disk, verifies the answer, and ends the registration with it.
async fn send(keep: &Keep, line: &Line, parcel: Parcel, patience: Patience) -> Result<Joined, Failure> {
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
    let (account, entry, receipt) = match line.register(call, patience.answer).await {
        Ok(answer) => answer,
        Err(error) => return Err(not_registered(keep, id, error).await),
    };
    let member = match check(line, &telegram, account, entry, &receipt) {
        Ok(member) => member,
        Err(why) => {
            let words = format!("the center's answer to the registration is not believed: {why}");
            let evidence = codec::encode(&(account, entry, &receipt));
            let alarm = words.clone();
            keep.with(move |kept| kept.alarm(&alarm, evidence)).await?;
            return Err(Failure::contradiction(words));
        }
    };
    keep.with(move |kept| {
        let ending = Ending::Registered { account, entry, receipt };
        kept.close(id, &ending, Vec::new())?;
        kept.pin(|center| center.account = Some(account))
    })
    .await?;
    Ok(Joined { member, entry, center: line.hello.name.clone() })
}

/// What an answer that is no number means. A center that is busy or stopped may be asked again; words about the
/// registration itself end it, so that another can be signed.
async fn not_registered(keep: &Keep, id: wire::id::TelegramId, error: LineError) -> Failure {
    let passing = [ProblemKind::Busy, ProblemKind::Limited, ProblemKind::Stopped];
    match error {
        LineError::Problem(problem) if passing.contains(&problem.kind) => {
            Failure::refused(format!("{problem} (run join again to finish joining)"))
        }
        LineError::Problem(problem) => {
            let words: Prose = problem.words.clone();
            let ending = Ending::NotEntered { words };
            match keep.with(move |kept| kept.close(id, &ending, Vec::new())).await {
                Ok(()) => Failure::refused(problem),
                Err(failure) => failure,
            }
        }
        error @ LineError::Link(_) => Failure::unknown(format!(
            "{error}; whether you are registered is unknown. Run join again: the same registration is sent once more"
        )),
        error => failure(&error),
    }
}

/// Whether the answer's evidence says that exactly this key was entered under this number.
fn check(
    line: &Line,
    telegram: &Telegram,
    account: AccountNumber,
    entry: EntryNumber,
    receipt: &Receipt,
) -> Result<MemberNumber, String> {
    line.check_receipt(receipt).map_err(|error| error.to_string())?;
    let asked = telegram.peek::<Registration>().map_err(|error| error.to_string())?;
    let AccountNumber::Member(member) = account else { return Err("it gives a store's number".into()) };
    if receipt.leaf.entry != entry || receipt.leaf.kind != EntryKind::Registration {
        return Err("its evidence is about another entry".into());
    }
    match receipt.member_part().map_err(|error| error.to_string())? {
        MemberPart::Registered { member: entered, key }
            if entered == member && key == asked.verification_key =>
        {
            Ok(member)
        }
        _ => Err("its evidence does not say that this key was entered".into()),
    }
}
