//! `receipt export`, `receipt verify`.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use serde_json::json;
use tui_kit::cli::{self, Exit};
use wire::{id::EntryNumber, sheet::Invitation};

use super::{
    Context,
    reach::{told, want},
};
use crate::{
    act::{Act, Outcome},
    engine,
    receipt::FILE_BYTES_MAX,
};

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
            Self::Export { number, out } => export(context, number, &out).await,
            Self::Verify { file, invitation } => verify(context, &file, invitation.as_deref()).await,
        }
    }
}

async fn export(context: &Context, number: EntryNumber, out: &Path) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::ExportReceipt { number }).await?;
    let exported = want!(outcome, Outcome::Receipt(exported) => exported);
    let failed = |error: io::Error| {
        cli::Failure::refused("machine", format!("writing {} failed: {error}", out.display()))
    };
    let mut file = fs::File::create_new(out).map_err(failed)?;
    file.write_all(exported.content.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    let data = json!({ "number": exported.number, "file": out });
    context.out.answer(&data, |to| writeln!(to, "{} is in {}", exported.number, out.display()))?;
    Ok(Exit::Ok)
}

async fn verify(context: &Context, path: &Path, invitation: Option<&str>) -> Result<Exit, cli::Failure> {
    let failed = |error: io::Error| {
        cli::Failure::refused("machine", format!("reading {} failed: {error}", path.display()))
    };
    let mut content = String::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_string(&mut content).map_err(failed)?;
    let verification = match invitation {
        Some(text) => {
            let invitation: Invitation =
                text.parse().map_err(|error| cli::Failure::usage(format!("{error}")))?;
            engine::verify_receipt(&content, &invitation).map_err(told)?
        }
        None => {
            let outcome = context.reach().await?.act(Act::VerifyReceipt { content }).await?;
            want!(outcome, Outcome::Verification(verification) => verification)
        }
    };
    context.out.answer(&verification, |to| {
        for check in &verification.checks {
            writeln!(to, "{}  {}: {}", if check.pass { "ok  " } else { "FAIL" }, check.name, check.words)?;
        }
        writeln!(
            to,
            "{}",
            if verification.valid { "The receipt is valid." } else { "The receipt is NOT valid." }
        )
    })?;
    Ok(if verification.valid { Exit::Ok } else { Exit::Refused })
}
