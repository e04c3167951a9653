//! The store's program; see the library of the same name.

fn main() -> std::process::ExitCode {
    tui_store::cmd::run()
}
