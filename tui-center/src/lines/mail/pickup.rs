//! A folder from which a local mail program takes its messages.

use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;

use crate::lines::postman::{Carrier, Outgoing, Trouble, folder};

/// The folder.
pub(super) struct Pickup(PathBuf);

impl Pickup {
    /// Opens the folder, and makes it where there is none.
    pub(super) fn open(path: &Path, data: &Path) -> Result<Self, String> {
        folder::open("mail.pickup", path, data)?;
        Ok(Self(path.to_owned()))
    }
}

impl Carrier for Pickup {
    fn way(&self) -> String {
        format!("the folder {}", self.0.display())
    }

    fn carry<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<String, Trouble>> {
        Box::pin(async move {
            let (path, name, bytes) = (self.0.clone(), outgoing.name(), outgoing.bytes.clone());
            let put = tokio::task::spawn_blocking(move || folder::put(&path, &name, &bytes)).await;
            let trouble = |why: String| Trouble::Line(format!("{} cannot be written to: {why}", self.way()));
            match put {
                Ok(Ok(())) => Ok("it lies in the pickup folder".into()),
                Ok(Err(error)) => Err(trouble(error.to_string())),
                Err(_) => Err(trouble("an error in the program".into())),
            }
        })
    }
}
