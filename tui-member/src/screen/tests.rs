//! Screens as they look, and flows as they are typed.

mod fixture;
mod flows;
mod looks;
