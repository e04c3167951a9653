//! What a vault must do, tried through its public interface on real files.

mod bench;
mod damage;
mod golden;
mod held;
mod outbox;
mod passwords;
mod process;
mod records;
mod recovery;
mod rotation;
mod transfer;
