//! Arguments that make no sense are refused as everything else is: in an envelope where JSON was asked for, and never
//! with the caller's own bytes unclean.

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use clap::{Command, FromArgMatches};

use super::{Exit, Failure, Form, Out};
use crate::text::{clean, clean_lines, truncate};

/// The most columns of a message; a caller's own words can be longer than any screen.
const COLUMNS_MAX: usize = 400;

/// Parses this process's arguments.
///
/// # Errors
/// The exit code, after help, version or what is wrong was printed.
pub fn arguments<T: FromArgMatches>(command: Command) -> Result<T, ExitCode> {
    let given: Vec<OsString> = env::args_os().collect();
    let program = command.get_name().to_owned();
    let json = wants_json(&given);
    let parsed = command.try_get_matches_from(given).and_then(|matches| T::from_arg_matches(&matches));
    parsed.map_err(|error| {
        if !error.use_stderr() {
            // Nobody reads the help any more: nothing to do about it.
            let _ = error.print();
            return Exit::Ok.into();
        }
        if json {
            return Out { form: Form::Json }.fail(&program, &misused(&program, &error)).into();
        }
        let _ = write!(io::stderr(), "{}", clean_lines(&error.render().to_string()));
        Exit::Usage.into()
    })
}

/// Whether JSON was asked for, as far as arguments that can't be parsed tell.
fn wants_json(given: &[OsString]) -> bool {
    given.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json")
}

/// What the parser says, in one sentence: its first paragraph.
fn misused(program: &str, error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let lines: Vec<&str> = paragraph.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let words = lines.join(" ");
    let words = clean(words.strip_prefix("error: ").unwrap_or(&words)).into_owned();
    Failure::usage(truncate(&words, COLUMNS_MAX)).hint(format!("“{program} --help” lists what there is"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(arguments: &[&str]) -> Failure {
        let command = Command::new("tui-test")
            .arg(clap::Arg::new("count").long("count").value_parser(clap::value_parser!(u8)))
            .arg(clap::Arg::new("name").required(true));
        misused("tui-test", &command.try_get_matches_from(arguments).expect_err("it makes no sense"))
    }

    #[test]
    fn a_mistake_is_one_clean_sentence() {
        for (arguments, words) in [
            (&["tui-test"][..], "the following required arguments were not provided: <name>"),
            (&["tui-test", "a", "--colour"], "unexpected argument '--colour' found"),
            (&["tui-test", "a", "--count", "x\u{1b}[2J"], "invalid value 'x"),
        ] {
            let failure = told(arguments);
            assert!(failure.words.starts_with(words), "{}", failure.words);
            assert!(!failure.words.contains(char::is_control), "{:?}", failure.words);
            assert_eq!(failure.exit, Exit::Usage);
        }
        assert!(told(&["tui-test", "a", "--count", &"9".repeat(100_000)]).words.len() < 2 * COLUMNS_MAX);
    }

    #[test]
    fn json_is_seen_before_the_end_of_options_only() {
        let given =
            |arguments: &[&str]| wants_json(&arguments.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(given(&["p", "dance", "--json"]));
        assert!(!given(&["p", "--", "--json"]) && !given(&["p", "json"]));
    }
}
