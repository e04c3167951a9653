//! Opening connections: TCP, TLS and the server's first frame.

use std::{fmt, io, ops::Deref, sync::Arc, time::Duration};

use rustls::{ClientConfig, ServerConfig};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::{Attempt, LinkError, within};
use crate::{frame::Frames, key::VerificationKey, text::Line, tls};

/// Whom a client is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The address that answered.
    pub address: String,
    /// The key it showed and proved to hold.
    pub key: VerificationKey,
    /// What both ends of this connection alone know; a login signs it.
    pub exporter: [u8; 32],
}

/// A client's connection after the handshake; nothing has been said yet.
pub struct Connected {
    stream: client::TlsStream<TcpStream>,
    peer: Peer,
}

/// A client's connection after the server's first frame.
pub struct Greeted {
    pub(super) frames: Frames<client::TlsStream<TcpStream>, (), ()>,
    peer: Peer,
}

/// A server's connection after the handshake; nothing has been said yet.
pub struct Accepted<S = TcpStream> {
    stream: server::TlsStream<S>,
    exporter: [u8; 32],
}

/// A server's connection after its first frame.
pub struct Ready<S = TcpStream> {
    pub(super) frames: Frames<server::TlsStream<S>, (), ()>,
    exporter: [u8; 32],
}

/// Opens a connection to the first of `addresses` (`host:port`) that answers as it should, trying each in turn for at
/// most `limit`.
///
/// # Errors
/// When none does: [`LinkError::Unreachable`] with the words for each, or, if one was reached but showed a wrong key or
/// spoke something else, that error, because it is the one to look into.
pub async fn connect(
    addresses: &[impl Deref<Target = str>],
    config: &Arc<ClientConfig>,
    limit: Duration,
) -> Result<Connected, LinkError> {
    let mut attempts = Vec::new();
    let mut wrong = None;
    for address in addresses.iter().map(Deref::deref) {
        let error = match within(limit, "the connection to open", open(address, config)).await {
            Ok(connected) => return Ok(connected),
            Err(error) => error,
        };
        attempts.push(Attempt { address: shown(address), outcome: error.to_string() });
        let reached = !matches!(error, LinkError::Io(_) | LinkError::Timeout { .. } | LinkError::Closed);
        // A wrong key outranks every other finding.
        if reached && (wrong.is_none() || matches!(error, LinkError::WrongKey(_))) {
            wrong = Some(error);
        }
    }
    Err(wrong.unwrap_or(LinkError::Unreachable { attempts }))
}

/// Takes a connection that a listener accepted through the TLS handshake, which may last at most `limit`.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    config: &Arc<ServerConfig>,
    limit: Duration,
) -> Result<Accepted<S>, LinkError> {
    let acceptor = TlsAcceptor::from(config.clone());
    within(limit, "the TLS handshake", async {
        let stream = acceptor.accept(stream).await?;
        let connection = stream.get_ref().1;
        spoken(connection.alpn_protocol())?;
        let exporter = tls::exporter(connection).map_err(|error| LinkError::Io(error.to_string()))?;
        Ok(Accepted { stream, exporter })
    })
    .await
}

impl Connected {
    /// Whom this leads to.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Reads the server's first frame, which may take at most `limit`. What it says must be checked against
    /// [`Greeted::peer`] before it is believed.
    pub async fn hello<H: DeserializeOwned>(self, limit: Duration) -> Result<(H, Greeted), LinkError> {
        let mut frames = Frames::<_, H, ()>::new(self.stream);
        let hello = within(limit, "the other side's first words", frames.receive()).await?;
        Ok((hello, Greeted { frames: frames.carrying(), peer: self.peer }))
    }
}

impl Greeted {
    /// Whom this leads to.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Accepted<S> {
    /// What both ends of this connection alone know; a login signs it.
    pub fn exporter(&self) -> &[u8; 32] {
        &self.exporter
    }

    /// Sends the first frame, which the client must take within `limit`.
    pub async fn greet<H: Serialize>(self, hello: &H, limit: Duration) -> Result<Ready<S>, LinkError> {
        let mut frames = Frames::<_, (), &H>::new(self.stream);
        within(limit, "the other side to read", frames.send(&hello)).await?;
        Ok(Ready { frames: frames.carrying(), exporter: self.exporter })
    }
}

impl<S> Ready<S> {
    /// What both ends of this connection alone know; a login signs it.
    pub fn exporter(&self) -> &[u8; 32] {
        &self.exporter
    }
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connected({})", self.peer.address)
    }
}

impl fmt::Debug for Greeted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Greeted({})", self.peer.address)
    }
}

impl<S> fmt::Debug for Accepted<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accepted")
    }
}

impl<S> fmt::Debug for Ready<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ready")
    }
}

async fn open(address: &str, config: &Arc<ClientConfig>) -> Result<Connected, LinkError> {
    let socket = TcpStream::connect(address).await.map_err(|error| LinkError::Io(words(&error)))?;
    // Requests and answers are small and someone waits for each.
    socket.set_nodelay(true)?;
    let stream = TlsConnector::from(config.clone()).connect(tls::server_name(), socket).await?;
    let connection = stream.get_ref().1;
    spoken(connection.alpn_protocol())?;
    let key = tls::presented_key(connection)
        .ok_or_else(|| LinkError::PeerMisbehaved("it shows no Ed25519 key".into()))?;
    let exporter = tls::exporter(connection).map_err(|error| LinkError::Io(error.to_string()))?;
    Ok(Connected { stream, peer: Peer { address: shown(address), key, exporter } })
}

/// Why no connection came about.
fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nobody listens there".into(),
        io::ErrorKind::TimedOut => "nobody answers there".into(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => "no way leads there".into(),
        io::ErrorKind::InvalidInput => "it is not of the form host:port".into(),
        _ => error.to_string(),
    }
}

/// A peer that ignores ALPN is some other service that happens to take raw keys.
fn spoken(protocol: Option<&[u8]>) -> Result<(), LinkError> {
    if protocol == Some(tls::ALPN) {
        return Ok(());
    }
    Err(LinkError::PeerIncompatible("it speaks TLS, but not this network's protocol".into()))
}

/// An address as it may be shown: it may stem from another party.
fn shown(address: &str) -> String {
    Line::new(address).map_or_else(|_| "an address that is too long".into(), |address| address.to_string())
}
