//! Password B for a while: the signature key in the open until a stated instant.

use std::{fmt, time::Instant};

use wire::key::{SigningKey, VerificationKey};

use crate::{error::Error, page::InPage};

/// The signature key in the open, for as long as the person said. It is wiped when the time is over and is asked for,
/// when it is locked, and when it is dropped.
///
/// It reads no clock: whoever holds it says what time it is, on the clock that no one can set. That clock stands still
/// while the machine sleeps; a program that notices the sleep locks the session.
pub struct SigningSession {
    key: Option<InPage<SigningKey>>,
    verification_key: VerificationKey,
    until: Instant,
}

impl SigningSession {
    pub(crate) fn new(key: InPage<SigningKey>, until: Instant) -> Self {
        Self { verification_key: key.verification_key(), key: Some(key), until }
    }

    /// Does one act, for example signing a telegram.
    ///
    /// # Errors
    /// [`Error::SessionOver`] from the stated instant on, and after [`SigningSession::lock`]; the key is wiped then.
    pub fn act<T>(&mut self, now: Instant, act: impl FnOnce(&SigningKey) -> T) -> Result<T, Error> {
        if self.is_over(now) {
            self.lock();
        }
        self.key.as_deref().map(act).ok_or(Error::SessionOver)
    }

    /// Whether it is over at `now`.
    pub fn is_over(&self, now: Instant) -> bool {
        self.key.is_none() || now >= self.until
    }

    /// Until when it goes.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// Wipes the key at once.
    pub fn lock(&mut self) {
        self.key = None;
    }

    /// The public half.
    pub fn verification_key(&self) -> VerificationKey {
        self.verification_key
    }
}

impl fmt::Debug for SigningSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningSession(of {})", self.verification_key.short())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_ends_at_its_instant_and_when_it_is_locked() {
        let now = Instant::now();
        let session = || {
            let key = SigningKey::from_seed(&[3; 32]);
            SigningSession::new(InPage::new(key), now + Duration::from_secs(60))
        };
        let mut timed = session();
        let key = timed.verification_key();
        let signature = timed.act(now, |key| key.sign(b"act")).unwrap();
        key.verify(b"act", &signature).unwrap();
        timed.act(now + Duration::from_secs(59), |_| ()).unwrap();
        let over = timed.act(now + Duration::from_secs(60), |_| ()).unwrap_err();
        assert!(matches!(over, Error::SessionOver), "{over}");
        assert!(timed.act(now, |_| ()).is_err(), "what is wiped does not come back with an earlier clock");

        let mut locked = session();
        locked.lock();
        assert!(locked.is_over(now) && locked.act(now, |_| ()).is_err());
    }
}
