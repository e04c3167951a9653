//! What the subcommands of the three programs share: arguments, output, exit codes.
//!
//! Standard output is data, standard error is talk. With `--json` the data is one object per answer that names its
//! schema; with `--plain` it is unadorned lines for screen readers and pipes.

mod act;
mod arguments;
mod manual;
mod secret;
mod table;

pub use act::{FailureKind, Password};
pub use arguments::arguments;
pub use clap_complete::Shell;
pub use manual::{completions, man};
pub use secret::{PasswordA, PasswordB, SecretError, SecretFrom, SecretName, Source, prompt, prompt_new};
pub use table::{Table, facts};

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

use crate::control::ControlError;
use crate::profile::ProfileError;
use crate::session::SessionError;
use crate::text::clean;

/// The name of the JSON that is printed; it changes only when something is taken away or changes its meaning.
pub const SCHEMA: &str = "inkan/1";

/// The arguments of every subcommand.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Common {
    /// Where state lives: a name, or a directory (with a '/' in it)
    #[arg(long, global = true, value_name = "DIR|NAME")]
    pub profile: Option<String>,
    /// Print one JSON object (schema inkan/1)
    #[arg(long, global = true, conflicts_with = "plain")]
    pub json: bool,
    /// Print plain lines: no columns, no marks
    #[arg(long, global = true)]
    pub plain: bool,
}

impl Common {
    /// Where this subcommand's answer goes.
    pub fn out(&self) -> Out {
        let form = match (self.json, self.plain) {
            (true, _) => Form::Json,
            (false, true) => Form::Plain,
            (false, false) => Form::Human,
        };
        Out { form }
    }
}

/// How a program ends; stable, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Refused or failed; nothing happened.
    Refused = 1,
    /// The arguments make no sense.
    Usage = 2,
    /// Nobody reads the output any more.
    BrokenPipe = 3,
    /// Sent, but the answer is unknown: it may have happened.
    Unknown = 4,
    /// An error in the program itself.
    Bug = 255,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a subcommand did not do what it was asked, in words and as a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// A stable word for scripts: `refused`, `locked`, `wrong-password`.
    pub code: String,
    /// A sentence for people.
    pub words: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl Failure {
    /// Refused or failed; nothing happened.
    pub fn refused(code: impl Into<String>, words: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, code: code.into(), words: words.into(), hint: None }
    }

    /// The arguments make no sense.
    pub fn usage(words: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, code: "usage".to_owned(), words: words.into(), hint: None }
    }

    /// It may have happened.
    pub fn unknown(code: impl Into<String>, words: impl Into<String>) -> Self {
        Self { exit: Exit::Unknown, code: code.into(), words: words.into(), hint: None }
    }

    /// With advice.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self {
                exit: Exit::BrokenPipe,
                ..Self::refused("broken-pipe", "nobody reads the output")
            };
        }
        Self::refused("io", crate::text::trouble(&error))
    }
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        let code = match &error {
            ProfileError::InUse { .. } => "in-use",
            ProfileError::Name(_) => return Self::usage(error.to_string()),
            _ => "profile",
        };
        Self::refused(code, error.to_string())
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Refused(refusal) => Self::refused(refusal.code, refusal.words),
            ControlError::Unanswered => Self::unknown("unanswered", error.to_string()),
            ControlError::NotRunning => Self::refused("not-running", error.to_string()),
            ControlError::Io(error) => error.into(),
            other => Self::refused("control", other.to_string()),
        }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::refused("terminal", error.to_string())
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        Self::refused("password", error.to_string())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Human,
    Plain,
    Json,
}

/// Where a subcommand's answer goes, and in which form.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    form: Form,
}

impl Out {
    /// Whether data is printed as JSON.
    pub fn is_json(&self) -> bool {
        self.form == Form::Json
    }

    /// Whether data is printed without columns and marks.
    pub fn is_plain(&self) -> bool {
        self.form == Form::Plain
    }

    /// Prints an answer: the value as JSON, or what `words` writes for people.
    ///
    /// # Errors
    /// When standard output takes nothing; a broken pipe ends the program with code 3.
    pub fn answer(
        &self,
        value: &impl Serialize,
        words: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        if self.is_json() {
            writeln!(stdout, "{}", envelope(value)?)?;
        } else {
            words(&mut stdout)?;
        }
        Ok(stdout.flush()?)
    }

    /// Says something beside the data, on standard error; with JSON nothing is said.
    pub fn say(&self, words: &str) {
        if !self.is_json() {
            // Talk that nobody hears changes nothing.
            let _ = writeln!(io::stderr(), "{words}");
        }
    }

    /// Prints why nothing came of it, and gives the exit code.
    pub fn fail(&self, program: &str, failure: &Failure) -> Exit {
        if failure.exit == Exit::BrokenPipe {
            return failure.exit;
        }
        // Words may quote what the caller typed, which nobody has cleaned.
        let (words, hint) = (clean(&failure.words), failure.hint.as_deref().map(clean));
        if self.is_json() {
            let error = serde_json::json!({
                "schema": SCHEMA,
                "ok": false,
                "error": { "kind": failure.code, "message": words, "hint": hint },
            });
            let _ = writeln!(io::stdout(), "{error}");
        } else {
            let _ = writeln!(io::stderr(), "{program}: {words}");
            if let Some(hint) = &hint {
                let _ = writeln!(io::stderr(), "{program}: {hint}");
            }
        }
        failure.exit
    }
}

/// An answer as one line of JSON: `{"schema": "inkan/1", "ok": true, "data": …}`.
///
/// # Errors
/// When the value can't be written as JSON.
pub fn envelope(value: &impl Serialize) -> Result<String, Failure> {
    let wrong = |error: serde_json::Error| Failure {
        exit: Exit::Bug,
        ..Failure::refused("json", format!("the answer can't be written as JSON: {error}"))
    };
    let data = serde_json::to_value(value).map_err(wrong)?;
    serde_json::to_string(&serde_json::json!({ "schema": SCHEMA, "ok": true, "data": data })).map_err(wrong)
}

/// Runs the body of `main`: prints a failure, turns a panic into code 255 (its report is written by
/// [`crate::guard::report_panics`]), and always gives the terminal back. The process leaves no core file, in which
/// keys and passwords would lie in the clear, and shows its memory to no other process of the same user.
pub fn run(program: &str, out: Out, body: impl FnOnce() -> Result<(), Failure>) -> ExitCode {
    // A kernel that does not know it leaves the memory as readable as it was.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    // The body's state is gone after a panic; nothing broken can be seen afterwards.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
    crate::guard::restore();
    let exit = match result {
        Ok(Ok(())) => Exit::Ok,
        Ok(Err(failure)) => out.fail(program, &failure),
        Err(_) => Exit::Bug,
    };
    exit.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_name_their_schema() {
        #[derive(Serialize)]
        struct Balance {
            amount: u64,
        }
        assert_eq!(
            envelope(&Balance { amount: 5 }).expect("JSON"),
            r#"{"data":{"amount":5},"ok":true,"schema":"inkan/1"}"#
        );
        assert_eq!(envelope(&[1, 2]).expect("JSON"), r#"{"data":[1,2],"ok":true,"schema":"inkan/1"}"#);
    }

    #[test]
    fn failures_have_their_codes() {
        let code = |failure: Failure| failure.exit as u8;
        assert_eq!(code(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe))), 3);
        assert_eq!(code(Failure::from(ControlError::Unanswered)), 4);
        assert_eq!(code(Failure::from(ControlError::NotRunning)), 1);
        assert_eq!(code(Failure::from(ProfileError::Name("x y".into()))), 2);
        let bug = run("test", Out { form: Form::Human }, || {
            std::panic::resume_unwind(Box::new("quiet"));
        });
        assert_eq!(format!("{bug:?}"), format!("{:?}", ExitCode::from(255)));
    }

    #[test]
    fn common_arguments_parse_anywhere() {
        use clap::Parser;

        #[derive(Debug, Parser)]
        struct Program {
            #[command(flatten)]
            common: Common,
            #[command(flatten)]
            a: SecretFrom<PasswordA>,
            #[command(subcommand)]
            act: Option<Act>,
        }
        #[derive(Debug, clap::Subcommand)]
        enum Act {
            Pay {
                #[command(flatten)]
                b: SecretFrom<PasswordB>,
            },
        }
        let program = Program::try_parse_from([
            "p",
            "--password-a-fd",
            "3",
            "pay",
            "--json",
            "--password-b-file",
            "/b",
        ])
        .expect("parses");
        assert!(program.common.json);
        assert_eq!(program.a.source(), &Source::Descriptor(3));
        let Some(Act::Pay { b }) = program.act else { panic!("a subcommand was given") };
        assert_eq!(b.source(), &Source::File("/b".into()));
        let both = ["p", "--password-a-fd", "3", "--password-a-file", "x"];
        assert!(Program::try_parse_from(both).is_err());
        assert!(Program::try_parse_from(["p", "--json", "--plain"]).is_err());
    }
}
