//! The keys with which the center speaks, and how others take their place while it runs.
//!
//! A rotation takes the desk for itself: the sheet names the number of its own entry, so nothing may come in between.
//!
//! | step | on the disk | a center that dies here starts with |
//! |---|---|---|
//! | 1 | the new keys lie beside those in force | the old ones |
//! | 2 | the signed sheet lies in the cabinet | the old ones |
//! | 3 | the entry that names the sheet; its checkpoint is the old key's last | the new ones |
//! | 4 | the new keys are those in force, the old ones forgotten | the new ones |
//!
//! Then the line shows the new key, and every connection made under the old sheet ends: its terminal comes back, sees
//! the higher sheet and follows. An answer that was made after the change is not given on such a connection, since it may
//! bear a signature that the terminal does not know yet; the terminal asks again on the next one.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use ledger::Request;
use rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use wire::{
    checkpoint::{Checkpoint, Hour, SignedCheckpoint},
    codec,
    id::EntryNumber,
    key::SigningKey,
    sheet::{KeySheet, SheetRole},
    telegram::Telegram,
    tls,
};

use crate::{
    books::{
        BooksError, CheckpointKey, Record,
        cabinet::{Cabinet, Certificate},
    },
    errors::{ErrorLog, Room, Weight},
    keys::{KeyFileError, Locked, RoleKeys, Service},
    settlement::{Held, Work},
};

/// What the center speaks with, until it is replaced as a whole.
pub struct Speaking {
    roles: Locked<RoleKeys>,
    sheet: Telegram,
    key_sheet: KeySheet,
    line: Arc<ServerConfig>,
    replaced: CancellationToken,
}

impl Speaking {
    fn new(roles: RoleKeys, sheet: Telegram, key_sheet: KeySheet) -> Arc<Self> {
        let line = tls::server_config(&roles.tls);
        let replaced = CancellationToken::new();
        Arc::new(Self { roles: Locked::new(roles), sheet, key_sheet, line, replaced })
    }

    /// The keys.
    pub fn roles(&self) -> &RoleKeys {
        &self.roles
    }

    /// The signed key sheet.
    pub fn sheet(&self) -> &Telegram {
        &self.sheet
    }

    /// What it says.
    pub fn key_sheet(&self) -> &KeySheet {
        &self.key_sheet
    }

    /// How the line shows the TLS key.
    pub(crate) fn line(&self) -> &Arc<ServerConfig> {
        &self.line
    }

    /// Cancelled when other keys are in force.
    pub(crate) fn replaced(&self) -> &CancellationToken {
        &self.replaced
    }
}

/// The center's voice: what it speaks with at present, and the file that keeps it.
pub(crate) struct Voice {
    file: PathBuf,
    service: Mutex<Service>,
    checkpoint: CheckpointKey,
    current: RwLock<Arc<Speaking>>,
}

impl Voice {
    /// Speaks with the keys that a sheet names; a rotation that was begun ends by it.
    ///
    /// # Errors
    /// When the file holds no such keys, or can't be written.
    pub(crate) fn open(
        file: PathBuf,
        mut service: Service,
        checkpoint: CheckpointKey,
        sheet: Telegram,
        key_sheet: KeySheet,
    ) -> Result<Self, KeyFileError> {
        service.settle(&file, &key_sheet)?;
        checkpoint.follow(&key_sheet, &[]);
        let current = RwLock::new(Speaking::new(service.roles().clone(), sheet, key_sheet));
        Ok(Self { file, service: Mutex::new(service), checkpoint, current })
    }

    /// What the center speaks with now.
    pub(crate) fn speaking(&self) -> Arc<Speaking> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The checkpoint that is published for an hour over a journal that was signed before; none where the key for its
    /// size is not in force any more, which the next entry mends.
    pub(crate) fn sign_hour(&self, signed: &Checkpoint, hour: Hour) -> Option<SignedCheckpoint> {
        let speaking = self.speaking();
        let ours = speaking.key_sheet().log_origin == signed.origin;
        let key = speaking.key_sheet().signer_of(signed).ok().filter(|_| ours)?;
        let held = &speaking.roles().checkpoint;
        (held.verification_key() == key).then(|| SignedCheckpoint::sign_hour(signed, hour, held))
    }

    fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A rotation on its way through the desk.
pub(crate) struct Rotation {
    pub(crate) voice: Arc<Voice>,
    pub(crate) cabinet: Cabinet,
    pub(crate) errors: ErrorLog,
    /// Needed for this one signature.
    pub(crate) root: SigningKey,
    /// The roles that get new keys.
    pub(crate) roles: Vec<SheetRole>,
    /// The operator.
    pub(crate) by: String,
    pub(crate) begun: Option<Begun>,
}

/// What follows if the books take it.
pub(crate) struct Begun {
    roles: RoleKeys,
    sheet: Telegram,
    key_sheet: KeySheet,
}

impl Held for Rotation {
    fn begin(&mut self, number: EntryNumber) -> Result<Work, String> {
        let speaking = self.voice.speaking();
        let roles = speaking.roles().rotated(&self.roles);
        let key_sheet = roles.next_sheet(speaking.key_sheet(), number.0).map_err(|_| {
            "the key sheet holds as many keys as it can; this center can't change its keys any more"
                .to_owned()
        })?;
        let sheet = key_sheet.sign(&self.root);
        let begun = Begun { roles, sheet, key_sheet };
        let kept = self.keep(&begun);
        let request = Request::Sheet {
            number: begun.key_sheet.number,
            digest: begun.sheet.digest(),
            by: Some(self.by.clone()),
        };
        let evidence = codec::encode(&begun.sheet);
        self.begun = Some(begun);
        let work = kept.and_then(|()| {
            Work::own(request, evidence).ok_or_else(|| "a sheet is no telegram's request".into())
        });
        if work.is_err() {
            self.undone();
        }
        work
    }

    fn done(&mut self, _record: &Record) {
        let Some(Begun { roles, sheet, key_sheet }) = self.begun.take() else { return };
        if let Err(error) = self.voice.service().settle(&self.voice.file, &key_sheet) {
            let words = format!(
                "The center speaks with its new keys, but the old ones could not be taken out of their file yet: {error}."
            );
            self.errors.tell(Room::Operators, Weight::Warning, words);
        }
        let new = Speaking::new(roles, sheet, key_sheet);
        let old =
            std::mem::replace(&mut *self.voice.current.write().unwrap_or_else(PoisonError::into_inner), new);
        old.replaced.cancel();
    }

    fn undone(&mut self) {
        let Some(begun) = self.begun.take() else { return };
        let speaking = self.voice.speaking();
        self.voice.checkpoint.follow(speaking.key_sheet(), &[]);
        let dropped = self.cabinet.drop_certificate(Certificate::Sheet(begun.key_sheet.number));
        let settled = self.voice.service().settle(&self.voice.file, speaking.key_sheet());
        let left = [dropped.err().map(|it| it.to_string()), settled.err().map(|it| it.to_string())];
        for error in left.into_iter().flatten() {
            let words = format!("What a rotation of keys that came to nothing left is still there: {error}.");
            self.errors.tell(Room::Operators, Weight::Warning, words);
        }
    }
}

impl Rotation {
    /// Steps 1 and 2.
    fn keep(&self, begun: &Begun) -> Result<(), String> {
        self.voice
            .service()
            .begin_rotation(&self.voice.file, begun.roles.clone())
            .map_err(|error| error.to_string())?;
        self.cabinet
            .put_certificate(Certificate::Sheet(begun.key_sheet.number), &begun.sheet)
            .map_err(|error: BooksError| error.to_string())?;
        self.voice.checkpoint.follow(&begun.key_sheet, &[&begun.roles.checkpoint]);
        Ok(())
    }
}
