//! The member's engine against a center and a store in this process, over real TLS on loopback, which can be told to
//! lie, to die and to stay silent.

mod acts;
mod center;
mod custody;
mod joining;
mod lies;
mod outbox;
mod store;
mod world;
