//! The screens of the real programs in real pseudo-terminals: how they look, what keys do, and how they end.
//!
//! What a person sees is read back through a terminal emulator; what a terminal gets is looked at byte by byte.

mod console;
mod ends;
mod keys;
mod looks;
mod quiet;
mod sizes;
mod traffic;
mod typing;
mod world;
