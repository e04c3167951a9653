//! Inkan's settlement center: server, books and live console in one program.
//!
//! | room | does |
//! |---|---|
//! | [`reception`] | accepts terminals: TLS, sessions, verification; everything a terminal may ask |
//! | [`guard`] | keeps intruders out: limits and lock-outs, each of them told to the operators |
//! | [`settlement`] | the desk: the single writer that turns verified requests into durable entries |
//! | [`books`] | journal, tree, registers, cabinet |
//! | [`lines`] | the outside: the bank's files, mail, letters |
//! | [`inquiry`] | what can be looked at: overview, registers, transactions, bank desk, reports |
//! | [`admission`] | joining: documents, applications, codes, the admission kit |
//! | [`acts`] | what can be done, and by whom |
//! | [`console`] | the operators' screens |
//! | [`center`] | the rooms of one running center, joined |
//! | [`serve`] | a center from start to orderly end |
//! | [`voice`] | the keys with which it speaks, and how others take their place |
//! | [`init`], [`keys`], [`config`], [`operators`], [`errors`] | founding, custody, settings, staff, the error log |
//! | [`cmd`] | the command line |
//!
//! A payment's path: [`reception`] verifies the telegram under the registered key, the desk in [`settlement`] decides
//! it by the rules of the `ledger` crate and appends it to [`books`], and only what is durable there is answered.

pub mod acts;
pub mod admission;
pub mod backup;
pub mod books;
pub mod center;
pub mod cmd;
pub mod config;
pub mod console;
pub mod errors;
pub mod guard;
pub mod hours;
pub mod init;
pub mod inquiry;
pub mod keys;
pub mod lines;
pub mod operators;
pub mod places;
pub mod reception;
mod seal;
pub mod serve;
pub mod settlement;
pub mod voice;
