//! `receipt export`, `receipt verify`.

use std::path::{Path, PathBuf};

use serde_json::json;
use tui_kit::cli::{self, Exit};
use wire::id::EntryNumber;

use super::{Context, evidence, reach::want};
use crate::act::{Act, Outcome};

/// Receipts.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Receipt {
    /// Write a receipt into a file that verifies offline
    Export {
        /// The transaction number on it
        number: EntryNumber,
        /// The file to write; it must not be there yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Also show what was sold, for whoever gets the file
        #[arg(long)]
        with_order: bool,
        /// Write it as text that the center signs, for “ssh-keygen -Y verify”; asks the center
        #[arg(long, conflicts_with = "with_order")]
        ssh: bool,
    },
    /// Check a receipt file; exit code 1 if any check fails
    Verify {
        /// The file
        file: PathBuf,
        /// Check under this invitation's root key instead of the profile's
        #[arg(long)]
        invitation: Option<String>,
    },
}

impl Receipt {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        match self {
            Self::Export { number, out, ssh: true, .. } => evidence::export_text(context, number, &out).await,
            Self::Export { number, out, with_order, .. } => export(context, number, with_order, &out).await,
            Self::Verify { file, invitation } => {
                let words = ["The receipt is valid.", "The receipt is NOT valid."];
                evidence::verify(context, &file, invitation.as_deref(), words).await
            }
        }
    }
}

async fn export(
    context: &Context,
    number: EntryNumber,
    with_order: bool,
    out: &Path,
) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::ExportReceipt { number, with_order }).await?;
    let exported = want!(outcome, Outcome::Receipt(exported) => exported);
    evidence::write_new(out, &exported.content)?;
    let data = json!({ "number": exported.number, "file": out });
    context.out.answer(&data, |to| writeln!(to, "{} is in {}", exported.number, out.display()))?;
    Ok(Exit::Ok)
}
