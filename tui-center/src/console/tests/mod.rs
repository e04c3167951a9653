//! Screens and keys of the console.
