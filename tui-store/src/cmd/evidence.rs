//! `evidence verify`, and `receipt export --ssh`.

use std::{
    fs,
    io::{self, Read as _, Write as _},
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
    view::{TextReceiptFiles, Verification},
};

/// Evidence that the center contradicts itself.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Evidence {
    /// Check a file of evidence; exit code 0 if it proves by itself that the center contradicted itself
    Verify {
        /// The file
        file: PathBuf,
        /// Check under this invitation's root key instead of the profile's
        #[arg(long)]
        invitation: Option<String>,
    },
}

impl Evidence {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, cli::Failure> {
        let Self::Verify { file, invitation } = self;
        let proves = "This proves that the center contradicted itself.";
        let words = [proves, "This proves nothing by itself."];
        verify(context, &file, invitation.as_deref(), words).await
    }
}

/// Checks a file, of receipts or of evidence, and says each check by its name; `words` are what is said of a file that
/// holds, and of one that does not.
pub(super) async fn verify(
    context: &Context,
    path: &Path,
    invitation: Option<&str>,
    words: [&str; 2],
) -> Result<Exit, cli::Failure> {
    let failed = |error: io::Error| {
        cli::Failure::refused("machine", format!("reading {} failed: {error}", path.display()))
    };
    let mut content = String::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_string(&mut content).map_err(failed)?;
    let verification: Verification = match invitation {
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
    let [holds, fails] = words;
    context.out.answer(&verification, |to| {
        for check in &verification.checks {
            writeln!(to, "{}  {}: {}", if check.pass { "ok  " } else { "FAIL" }, check.name, check.words)?;
        }
        writeln!(to, "{}", if verification.valid { holds } else { fails })
    })?;
    Ok(if verification.valid { Exit::Ok } else { Exit::Refused })
}

/// Writes the text, and beside it the signature and the line that names the signer.
pub(super) async fn export_text(
    context: &Context,
    number: EntryNumber,
    out: &Path,
) -> Result<Exit, cli::Failure> {
    let outcome = context.reach().await?.act(Act::TextReceipt { number }).await?;
    let files: Box<TextReceiptFiles> = want!(outcome, Outcome::TextReceipt(files) => files);
    let beside = |ending: &str| {
        let mut path = out.as_os_str().to_owned();
        path.push(ending);
        PathBuf::from(path)
    };
    let (signature, signers) = (beside(".sig"), beside(".allowed_signers"));
    for (path, content) in
        [(out, &files.text), (&signature, &files.signature), (&signers, &files.allowed_signer)]
    {
        write_new(path, content)?;
    }
    let data = json!({
        "number": files.number, "file": out, "signature": signature, "allowed_signers": signers,
        "principal": files.principal, "namespace": files.namespace,
    });
    context.out.answer(&data, |to| {
        writeln!(
            to,
            "{} is in {}; whoever knows the center's key checks it with:",
            files.number,
            out.display()
        )?;
        writeln!(
            to,
            "ssh-keygen -Y verify -f {} -I {} -n {} -s {} < {}",
            signers.display(),
            files.principal,
            files.namespace,
            signature.display(),
            out.display()
        )
    })?;
    Ok(Exit::Ok)
}

/// Writes a file that must not be there yet.
pub(super) fn write_new(path: &Path, content: &str) -> Result<(), cli::Failure> {
    let failed = |error: io::Error| {
        cli::Failure::refused("machine", format!("writing {} failed: {error}", path.display()))
    };
    let mut file = fs::File::create_new(path).map_err(failed)?;
    file.write_all(content.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}
