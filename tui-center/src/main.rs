//! The settlement center's program; see the library of the same name.

use std::sync::Arc;

fn main() -> std::process::ExitCode {
    tui_center::cmd::run(Some(Arc::new(tui_center::console::Consoles)))
}
