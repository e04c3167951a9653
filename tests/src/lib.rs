//! Whole-network tests of Inkan: what they share.
//!
//! The tests themselves stand in `tests/`; they start the real programs, in real terminals where a person would sit,
//! over real sockets and files, in temporary directories, on ports that the system picks.
//!
//! | module | holds |
//! |---|---|
//! | [`programs`] | the built programs, and calling their subcommands |
//! | [`network`] | a center, its bank, stores and members in one directory |
//! | [`post`] | an SMTP server, and what an applicant reads in the mail |
//! | [`screen`] | a program in a pseudo-terminal, its screen read back |
//! | [`search`] | looking for secrets and personal data in every file, in every common encoding |
//! | [`journey`] | the whole main job, one line a step |
//! | [`kills`] | programs that die at named points and at random, and what must be true when they are back |
//! | [`bank`] | the bank's host, speaking ISO 20022 through folders |
//! | [`load`] | many members who pay and stores that are told; every measure beside what it is compared with |
//! | [`sim`] | the settlement path in one process, with everything going wrong that can |

pub mod bank;
pub mod journey;
pub mod kills;
pub mod load;
pub mod network;
pub mod post;
pub mod programs;
pub mod screen;
pub mod search;
pub mod sim;
