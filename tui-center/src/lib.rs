//! tui-center
