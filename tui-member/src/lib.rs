//! tui-member
