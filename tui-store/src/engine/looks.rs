//! Acts that look: the doctor, the catalogue, receipts.

use std::{path::PathBuf, sync::PoisonError};

use wire::id::{AccountNumber, EntryNumber};

use super::Inner;
use crate::{
    act::{Failure, Outcome},
    center::ANSWER_LIMIT,
    receipt,
    view::{Findings, TextReceiptFiles},
};

impl Inner {
    pub(super) async fn doctor(&self) -> Result<Outcome, Failure> {
        let asked = self.center.line().await;
        let ahead = |line: wire::terminal::Line| {
            // The center's clock stood at this when the line was made; afterwards both go on alike.
            let (own, theirs) = (i64::try_from(line.at.0), i64::try_from(line.hello.at.0));
            Some(own.ok()? - theirs.ok()?)
        };
        let keep = self.keep.clone();
        let (signature, terminal) =
            tokio::task::spawn_blocking(move || keep.own_keys()).await.map_err(Failure::machine)??;
        let root = self.keep.vault(|vault| vault.center().map(|center| center.root)).await?;
        Ok(Outcome::Doctor(Box::new(Findings {
            store: self.keep.book().identity.as_ref().map(|identity| identity.store),
            signature_key: signature.fingerprint(),
            terminal_key: terminal.fingerprint(),
            root_key: root.map(|root| root.fingerprint()),
            line: self.center.view(),
            clock_ahead_ms: asked.ok().and_then(ahead),
            vault: self.keep.findings.clone(),
        })))
    }

    pub(super) async fn catalogue(&self) -> Result<Outcome, Failure> {
        if self.window.view().loaded.is_none() {
            self.window.load().await?;
        }
        Ok(Outcome::Catalogue(Box::new((*self.window.view()).clone())))
    }

    pub(super) async fn choose_catalogue(&self, folder: PathBuf) -> Result<Outcome, Failure> {
        let folder = std::path::absolute(&folder).map_err(Failure::machine)?;
        self.window.choose(folder.clone()).await?;
        let mut config = self.config();
        config.catalogue = folder;
        let (path, written) = (self.profile.config_file(), config.clone());
        let writing = tokio::task::spawn_blocking(move || written.write(&path));
        writing.await.map_err(Failure::machine)?.map_err(Failure::machine)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        self.keep.touch();
        self.catalogue().await
    }

    pub(super) async fn export(&self, number: EntryNumber, with_order: bool) -> Result<Outcome, Failure> {
        let keep = self.keep.clone();
        let export = move |vault: &mut _| receipt::export(vault, &keep.book(), number, with_order);
        Ok(Outcome::Receipt(self.keep.vault(export).await??))
    }

    pub(super) async fn text_receipt(&self, number: EntryNumber) -> Result<Outcome, Failure> {
        let line = self.center.line().await?;
        let store = self.keep.book().identity.as_ref().map(|identity| identity.store);
        let store = store.ok_or_else(|| Failure::not_possible("this profile has not joined a center"))?;
        let said = line.text_receipt(AccountNumber::Store(store), number, ANSWER_LIMIT).await?;
        Ok(Outcome::TextReceipt(Box::new(TextReceiptFiles::of(number, &said))))
    }

    pub(super) async fn verify(&self, content: String) -> Result<Outcome, Failure> {
        let root = self.keep.vault(|vault| vault.center().map(|center| center.root)).await?;
        let root =
            root.ok_or_else(|| Failure::not_possible("this profile has not joined a center; join first"))?;
        receipt::verify(&content, &root).map(Outcome::Verification)
    }
}
