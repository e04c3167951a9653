//! Printing: a folder, a command, or both.

#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
};

use crate::{
    config,
    lines::postman::{Carrier, Outgoing, Trouble, folder},
};

/// How much of what a print command complains is read.
const COMPLAINT: u64 = 4096;

/// Where letters go.
pub(super) struct Printer {
    folder: Option<PathBuf>,
    command: Vec<String>,
    timeout: Duration,
}

impl Printer {
    /// Opens the folder. `None` where the settings name neither folder nor command.
    pub(super) fn open(post: &config::Post, data: &Path) -> Result<Option<Self>, String> {
        if let Some(path) = &post.folder {
            folder::open("post.folder", path, data)?;
        }
        if post.folder.is_none() && post.print_command.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            folder: post.folder.clone(),
            command: post.print_command.clone(),
            timeout: Duration::from_secs(post.timeout_s),
        }))
    }

    async fn put(&self, path: &Path, outgoing: &Outgoing) -> Result<(), Trouble> {
        let (path, name, bytes) = (path.to_owned(), outgoing.name(), outgoing.bytes.clone());
        let shown = path.display().to_string();
        let put = tokio::task::spawn_blocking(move || folder::put(&path, &name, &bytes)).await;
        let trouble = |why: String| Trouble::Line(format!("the folder {shown} cannot be written to: {why}"));
        match put {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(trouble(error.to_string())),
            Err(_) => Err(trouble("an error in the program".into())),
        }
    }

    /// Gives the bytes to the command. What it prints on its standard output is not looked at.
    async fn print(&self, program: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let spawned = Command::new(program)
            .args(&self.command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let not_started =
            |error| Trouble::Line(format!("the print command {program} cannot be started: {error}"));
        let mut child = spawned.map_err(not_started)?;
        let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
        let writing = async {
            if let Some(mut stdin) = stdin {
                // A program that stops reading tells by its exit code whether that was meant.
                let _ = stdin.write_all(bytes).await;
            }
        };
        let reading = async {
            let mut complaint = Vec::new();
            if let Some(stderr) = stderr {
                let mut stderr = stderr.take(COMPLAINT);
                let _ = stderr.read_to_end(&mut complaint).await;
                // The rest is drained, so that the program is not stopped by a full pipe.
                let _ = tokio::io::copy(&mut stderr.into_inner(), &mut tokio::io::sink()).await;
            }
            complaint
        };
        let working = async { tokio::join!(writing, reading, child.wait()) };
        let Ok(((), complaint, ended)) = tokio::time::timeout(self.timeout, working).await else {
            let seconds = self.timeout.as_secs();
            let words =
                format!("the print command {program} did not end within {seconds} seconds and was ended");
            return Err(Trouble::Line(words));
        };
        let complaint = String::from_utf8_lossy(&complaint);
        let first =
            complaint.lines().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason").trim();
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                let code = status.code().map_or("by a signal".to_owned(), |code| format!("with {code}"));
                Err(Trouble::Later(format!("the print command {program} ended {code}: {first}")))
            }
            Err(error) => Err(Trouble::Line(format!("the print command {program} was lost: {error}"))),
        }
    }
}

impl Carrier for Printer {
    fn way(&self) -> String {
        let folder = self.folder.as_ref().map(|folder| format!("the folder {}", folder.display()));
        let command = self.command.first().map(|program| format!("the print command {program}"));
        folder.into_iter().chain(command).collect::<Vec<_>>().join(" and ")
    }

    fn carry<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<String, Trouble>> {
        Box::pin(async move {
            if let Some(folder) = &self.folder {
                self.put(folder, outgoing).await?;
            }
            match self.command.first() {
                Some(program) => {
                    self.print(program, &outgoing.bytes).await?;
                    Ok(format!("{program} has printed it"))
                }
                None => Ok("it lies in the folder for printing".into()),
            }
        })
    }
}
