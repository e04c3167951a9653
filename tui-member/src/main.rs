//! The member's program; see the library of the same name.

fn main() -> std::process::ExitCode {
    tui_member::cmd::run()
}
