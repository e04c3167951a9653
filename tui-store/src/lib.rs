//! tui-store
