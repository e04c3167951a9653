//! Recovery: the deposited copy of a vault, and speaking with a recovery key.

use std::time::Duration;

use super::{Line, LineError};
use crate::{
    bounded::{Bytes, List},
    checkpoint::SignedCheckpoint,
    id::Digest,
    key::SigningKey,
    limits,
    message::{self, Answer, CashierView, CopyView, Request, Welcome},
};

impl Line {
    /// Speaks as the account of a recovery key, to take the deposited copy and to change keys. The welcome is verified
    /// as at a login.
    ///
    /// # Errors
    /// [`LineError::Problem`] when no account has this recovery key; [`LineError::Contradiction`] names what does not hold.
    pub async fn recover(
        &self,
        recovery_key: &SigningKey,
        kept: Option<&SignedCheckpoint>,
        limit: Duration,
    ) -> Result<Welcome, LineError> {
        let key = recovery_key.verification_key();
        let message = message::recover_message(&self.sheet.center, &key, &self.peer.exporter);
        let request = Request::Recover { key, signature: recovery_key.sign(&message) };
        let welcome = expect!(self, request, limit, Answer::Recovering(welcome) => *welcome)?;
        self.check_welcome(welcome.account, &welcome, kept).map_err(LineError::Contradiction)?;
        Ok(welcome)
    }

    /// Takes the deposited copy, checked against the digest that the welcome named. `limit` is for each piece.
    ///
    /// # Errors
    /// [`LineError::Contradiction`] when other bytes come than were named.
    pub async fn take_copy(&self, view: CopyView, limit: Duration) -> Result<Vec<u8>, LineError> {
        let other = || LineError::Contradiction("the copy of the vault is not the one it named".into());
        if view.length > limits::VAULT_COPY {
            return Err(other());
        }
        let mut copy = Vec::new();
        while (copy.len() as u64) < view.length {
            let offset = copy.len() as u64;
            let piece = self.piece(Request::Copy { offset }, offset, limit).await?;
            if piece.is_empty() || offset + piece.len() as u64 > view.length {
                return Err(other());
            }
            copy.extend_from_slice(&piece);
        }
        if Digest::of(&[&copy]) == view.digest { Ok(copy) } else { Err(other()) }
    }

    /// Deposits a sealed copy of the vault, piece by piece; the former one is kept until the last piece is there.
    ///
    /// # Errors
    /// [`LineError::Problem`] when the center does not take it.
    pub async fn deposit(&self, copy: &[u8], limit: Duration) -> Result<(), LineError> {
        let (length, digest) = (copy.len() as u64, Digest::of(&[copy]));
        let mut offset = 0;
        for piece in copy.chunks(limits::CHUNK) {
            let bytes =
                Bytes::new(piece.to_vec()).map_err(|error| LineError::Contradiction(error.to_string()))?;
            let request = Request::Deposit { length, digest, offset, bytes };
            expect!(self, request, limit, Answer::Done => ())?;
            offset += piece.len() as u64;
        }
        Ok(())
    }

    /// The store's cashiers as the center has entered them.
    pub async fn cashiers(
        &self,
        limit: Duration,
    ) -> Result<List<CashierView, { limits::CASHIERS }>, LineError> {
        expect!(self, Request::Cashiers, limit, Answer::Cashiers(cashiers) => cashiers)
    }

    /// A piece of something long: it must begin where it was asked to.
    pub(super) async fn piece(
        &self,
        request: Request,
        offset: u64,
        limit: Duration,
    ) -> Result<Vec<u8>, LineError> {
        let (at, bytes) = expect!(self, request, limit, Answer::Piece { offset, bytes } => (offset, bytes))?;
        if at != offset {
            return Err(LineError::Contradiction("it sent another piece than was asked".into()));
        }
        Ok(bytes.into_vec())
    }
}
