//! The settlement center's program; see the library of the same name.

fn main() -> std::process::ExitCode {
    tui_center::cmd::run(None)
}
