//! What a program says about its own commands: completions for a shell, and the manual page.

use std::io::{self, Write};

use clap::Command;
use clap_complete::Shell;

use super::{Exit, Failure};

/// Prints the completions of a program's commands for a shell: what its `completions` does.
///
/// # Errors
/// When standard output takes nothing; a broken pipe ends the program with code 3.
pub fn completions(mut command: Command, shell: Shell) -> Result<Exit, Failure> {
    let program = command.get_name().to_owned();
    // Into memory first: the generator panics where its output breaks off.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, program, &mut text);
    print(&text)
}

/// Prints a program's manual page: what its `man` does.
///
/// # Errors
/// As [`completions`].
pub fn man(command: Command) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text)?;
    print(&text)
}

fn print(text: &[u8]) -> Result<Exit, Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text)?;
    stdout.flush()?;
    Ok(Exit::Ok)
}
