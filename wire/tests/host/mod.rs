//! A server of the tests' own on a port that the system picks.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use wire::{
    key::SigningKey,
    link::{Ready, accept},
    tls,
};

/// Long enough never to be met by a test that passes.
pub(crate) const AMPLE: Duration = Duration::from_secs(20);
/// Short enough to be waited for.
pub(crate) const BRIEF: Duration = Duration::from_millis(150);

pub(crate) struct Host {
    listener: TcpListener,
    pub(crate) address: String,
    pub(crate) key: SigningKey,
}

impl Host {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self { listener, address, key: SigningKey::generate() }
    }

    pub(crate) async fn socket(&self) -> TcpStream {
        self.listener.accept().await.unwrap().0
    }

    /// One connection, greeted with the word "hello".
    pub(crate) async fn ready(&self) -> Ready {
        let accepted = accept(self.socket().await, &tls::server_config(&self.key), AMPLE).await.unwrap();
        accepted.greet(&"hello".to_owned(), AMPLE).await.unwrap()
    }
}
