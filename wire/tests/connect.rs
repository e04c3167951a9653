//! Opening connections over real loopback sockets: the right peer, the wrong one, and none at all.

#![cfg(feature = "net")]

mod host;

use std::sync::Arc;

use host::{AMPLE, BRIEF, Host};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use wire::{
    key::SigningKey,
    link::{LinkError, accept, connect},
    tls,
};

#[tokio::test]
async fn both_sides_agree_on_key_and_exporter() {
    let host = Host::new().await;
    let config = tls::server_config(&host.key);
    let server = async { *accept(host.socket().await, &config, AMPLE).await.unwrap().exporter() };
    let config = tls::client_config_pinned(host.key.verification_key());
    let addresses = [host.address.clone()];
    let client = async { connect(&addresses, &config, AMPLE).await.unwrap().peer().clone() };
    let (exporter, peer) = tokio::join!(server, client);
    assert_eq!(peer.exporter, exporter);
    assert_eq!(peer.key, host.key.verification_key());
    assert_eq!(peer.address, host.address);
}

#[tokio::test]
async fn what_speaks_no_tls_is_told_apart() {
    let host = Host::new().await;
    let server = async {
        let mut socket = host.socket().await;
        socket.write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n").await.unwrap();
        socket
    };
    let config = tls::client_config();
    let addresses = [host.address.clone()];
    let (error, _socket) = tokio::join!(connect(&addresses, &config, AMPLE), server);
    let error = error.unwrap_err();
    assert_eq!(error.to_string(), "the other side cannot be understood: it does not speak TLS 1.3");

    let config = tls::server_config(&host.key);
    let client = async {
        let mut socket = TcpStream::connect(&host.address).await.unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        socket
    };
    let (socket, _socket) = tokio::join!(host.socket(), client);
    let error = accept(socket, &config, AMPLE).await.unwrap_err();
    assert!(matches!(error, LinkError::PeerIncompatible(_)), "{error:?}");
}

#[tokio::test]
async fn a_peer_of_another_protocol_is_refused() {
    let host = Host::new().await;
    let config = tls::server_config(&host.key);
    let mut foreign = (*tls::client_config()).clone();
    foreign.alpn_protocols.clear();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(foreign));
    let client = async {
        let socket = TcpStream::connect(&host.address).await.unwrap();
        connector.connect(tls::server_name(), socket).await
    };
    let server = async { accept(host.socket().await, &config, AMPLE).await };
    let (_client, server) = tokio::join!(client, server);
    assert!(matches!(server, Err(LinkError::PeerIncompatible(_))), "{server:?}");
}

#[tokio::test]
async fn a_wrong_pinned_key_is_named_and_outranks_dead_addresses() {
    let host = Host::new().await;
    let dead = Host::new().await;
    let dead_address = dead.address.clone();
    drop(dead);
    let config = tls::server_config(&host.key);
    let server = async { accept(host.socket().await, &config, AMPLE).await.map(|_| ()) };
    let expected = SigningKey::generate().verification_key();
    let config = tls::client_config_pinned(expected);
    let addresses = [dead_address.clone(), host.address.clone(), dead_address];
    let (refused, server) = tokio::join!(connect(&addresses, &config, AMPLE), server);
    let LinkError::WrongKey(wrong) = refused.unwrap_err() else { panic!("not told apart") };
    assert_eq!((wrong.expected, wrong.shown), (expected, host.key.verification_key()));
    assert!(server.unwrap_err().to_string().contains("does not accept the key"));
}

#[tokio::test]
async fn addresses_are_tried_in_turn_and_each_failure_is_told() {
    let host = Host::new().await;
    let dead = Host::new().await;
    let dead_address = dead.address.clone();
    drop(dead);
    let addresses = [dead_address.clone(), "no port".into(), host.address.clone()];
    let (_ready, peer) = tokio::join!(host.ready(), async {
        let connected = connect(&addresses, &tls::client_config(), AMPLE).await.unwrap();
        connected.peer().address.clone()
    });
    assert_eq!(peer, host.address);
    let error = connect(&addresses[..2], &tls::client_config(), AMPLE).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "nobody could be reached: {dead_address}: nobody listens there; no port: it is not of the form host:port"
        )
    );
    let nowhere: [String; 0] = [];
    let error = connect(&nowhere, &tls::client_config(), AMPLE).await.unwrap_err();
    assert_eq!(error.to_string(), "nobody could be reached: there is no address to try");
}

#[tokio::test]
async fn a_handshake_or_a_greeting_that_never_comes_times_out() {
    let host = Host::new().await;
    let addresses = [host.address.clone()];
    let config = tls::client_config();
    let (silent, error) = tokio::join!(host.socket(), connect(&addresses, &config, BRIEF));
    drop(silent);
    let error = error.unwrap_err();
    assert!(error.to_string().contains("timed out waiting for the connection to open"), "{error}");

    let (client, socket) = tokio::join!(TcpStream::connect(&host.address), host.socket());
    let error = accept(socket, &tls::server_config(&host.key), BRIEF).await.unwrap_err();
    assert_eq!(error.to_string(), "timed out waiting for the TLS handshake");
    drop(client);

    let server_config = tls::server_config(&host.key);
    let server = async { accept(host.socket().await, &server_config, AMPLE).await.unwrap() };
    let (accepted, connected) = tokio::join!(server, connect(&addresses, &config, AMPLE));
    let error = connected.unwrap().hello::<String>(BRIEF).await.unwrap_err();
    assert_eq!(error.to_string(), "timed out waiting for the other side's first words");
    drop(accepted);
}

#[tokio::test]
async fn any_bytes_at_the_door_end_in_words() {
    let host = Host::new().await;
    let config = tls::server_config(&host.key);
    for seed in 0..40u32 {
        let bytes: Vec<u8> =
            (0..seed * 7).map(|at| (at.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 13) as u8).collect();
        let client = async {
            let mut socket = TcpStream::connect(&host.address).await.unwrap();
            // The server may hang up before all is written.
            let _ = socket.write_all(&bytes).await;
            let _ = socket.shutdown().await;
            let _ = socket.read_to_end(&mut Vec::new()).await;
        };
        let server = async { accept(host.socket().await, &config, AMPLE).await.unwrap_err() };
        let (error, ()) = tokio::join!(server, client);
        assert!(!matches!(error, LinkError::Timeout { .. }), "{error}");
    }
}
