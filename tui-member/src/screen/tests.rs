//! Screens as they look, and flows as they are typed.

mod custody;
mod fixture;
mod flows;
mod joining;
mod looks;
