//! What the read-only page shows of this center.

use ledger::request::Document;
use wire::id::Role;

use super::document;
use crate::{
    center::Center,
    reception::page::{Build, PageSource},
};

/// The center, as the page asks it.
pub(crate) struct Source(pub(crate) Center);

impl PageSource for Source {
    fn center(&self) -> String {
        self.0.settings().name.clone()
    }

    fn guide(&self, role: Role) -> (String, String) {
        let title = match role {
            Role::Member => "For members",
            Role::Store => "For stores",
        };
        let guide = self.0.admission().library.guide(self.0.desk(), role);
        let text = match guide {
            Ok(guide) => guide.text.to_string(),
            Err(why) => {
                tracing::warn!("the {} for the page: {why}", document::noun(Document::Guide(role)));
                String::new()
            }
        };
        (title.into(), text)
    }

    /// Only builds whose files are what the kit names.
    fn builds(&self) -> Vec<Build> {
        let kit = match self.0.kit() {
            Ok((kit, _)) => kit,
            Err(why) => {
                tracing::warn!("the admission kit for the page: {why}");
                return Vec::new();
            }
        };
        let offered = kit.builds.iter().filter_map(|build| {
            let path = self.0.admission().kits.file(build.digest).ok()?;
            Some(Build {
                program: build.program.to_string(),
                version: build.version.to_string(),
                platform: build.platform.to_string(),
                file: format!("{}-{}-{}", build.program, build.version, build.platform),
                sha256: build.digest,
                length: build.length,
                path,
            })
        });
        offered.collect()
    }

    fn invitation(&self) -> String {
        self.0.config().invitation().map(|invitation| invitation.to_string()).unwrap_or_default()
    }
}
