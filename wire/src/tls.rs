//! TLS 1.3 with raw public keys (RFC 7250, Ed25519): no certificates, no authorities.
//!
//! A server shows its Ed25519 key and proves that it holds it; which key may stand there is decided by whoever knows
//! that: for a center, by the key sheet in the server's first frame (so [`client_config`] checks possession only and
//! the caller reads the key from [`presented_key`]); for a store, by the directory ([`client_config_pinned`]). Clients
//! show no key: they log in over the channel's [`exporter`].
//!
//! The key exchange prefers the post-quantum hybrid X25519MLKEM768. Sessions are never resumed: a resumed session
//! would pass by the verifier and be bound to an earlier key, and connections here live long.

use std::{
    fmt,
    sync::{Arc, RwLock},
};

use rustls::{
    CertificateError, ClientConfig, ConnectionCommon, DigitallySignedStruct, Error, ServerConfig,
    SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
    version::TLS13,
};
use zeroize::Zeroizing;

use crate::key::{SigningKey, VerificationKey};

/// The application protocol (ALPN) of this network.
pub const ALPN: &[u8] = b"inkan/1";
/// The label of the exported secret that logins sign.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-inkan-v1-login";

/// What stands before the 32 bytes of an Ed25519 public key in a SubjectPublicKeyInfo (RFC 8410, section 4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What stands before the 32 bytes of an Ed25519 seed in a PKCS #8 private key (RFC 8410, section 7).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The server showed another key than the one expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key shown is {}, expected was {}: this is not the store that the directory names, or someone sits in between", shown.fingerprint(), expected.fingerprint())]
pub struct WrongKey {
    /// The key that was pinned.
    pub expected: VerificationKey,
    /// The key that the server showed.
    pub shown: VerificationKey,
}

/// The key that a server shows, replaceable while it runs: connections made afterwards see the new one.
pub struct ServerKey {
    current: RwLock<(VerificationKey, Arc<CertifiedKey>)>,
}

impl ServerKey {
    /// A server that shows this key.
    pub fn new(key: &SigningKey) -> Arc<Self> {
        Arc::new(Self { current: RwLock::new(certified(key)) })
    }

    /// Shows another key from the next handshake on.
    pub fn replace(&self, key: &SigningKey) {
        *self.current.write().unwrap_or_else(std::sync::PoisonError::into_inner) = certified(key);
    }

    /// The key shown at present.
    pub fn shown(&self) -> VerificationKey {
        self.current.read().unwrap_or_else(std::sync::PoisonError::into_inner).0
    }

    /// The configuration of a server that shows this key, whatever it is at the time of each handshake.
    pub fn config(self: &Arc<Self>) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .expect("the provider has suites for TLS 1.3")
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        Arc::new(config)
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerKey(showing {})", self.shown().short())
    }
}

impl ResolvesServerCert for ServerKey {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(std::sync::PoisonError::into_inner).1.clone())
    }

    fn only_raw_public_keys(&self) -> bool {
        true
    }
}

/// The configuration of a server that shows one key for as long as it lives.
pub fn server_config(key: &SigningKey) -> Arc<ServerConfig> {
    ServerKey::new(key).config()
}

/// The configuration of a client that takes any Ed25519 key whose possession the server proves. The caller must look
/// at [`presented_key`] before it believes or sends anything.
pub fn client_config() -> Arc<ClientConfig> {
    client(None)
}

/// The configuration of a client that refuses every key but this one with [`WrongKey`].
pub fn client_config_pinned(key: VerificationKey) -> Arc<ClientConfig> {
    client(Some(key))
}

/// The name that connections are opened under. It is sent to nobody: a raw key has no name to check.
pub fn server_name() -> ServerName<'static> {
    ServerName::try_from("inkan.invalid").expect("a valid host name")
}

/// The key that the server showed; `None` before the handshake is done.
pub fn presented_key<D>(connection: &ConnectionCommon<D>) -> Option<VerificationKey> {
    connection.peer_certificates()?.first().and_then(|shown| key_of_spki(shown))
}

/// 32 bytes that both ends of this one TLS connection know and nobody else (RFC 8446, section 7.5): a login signs
/// them, so that its signature is worth nothing on another connection.
///
/// # Errors
/// Before the handshake is done.
pub fn exporter<D>(connection: &ConnectionCommon<D>) -> Result<[u8; 32], Error> {
    connection.export_keying_material([0; 32], EXPORTER_LABEL, None)
}

/// A key as DER SubjectPublicKeyInfo, which is what TLS carries as a raw public key.
pub fn spki(key: &VerificationKey) -> Vec<u8> {
    [&SPKI_PREFIX[..], &key.0].concat()
}

/// The Ed25519 key of a SubjectPublicKeyInfo; `None` for another algorithm or other bytes.
pub fn key_of_spki(der: &[u8]) -> Option<VerificationKey> {
    let key = der.strip_prefix(&SPKI_PREFIX)?;
    key.try_into().ok().map(VerificationKey)
}

/// A private key as PKCS #8 DER (RFC 8410); wiped when dropped.
pub fn pkcs8(key: &SigningKey) -> Zeroizing<Vec<u8>> {
    let mut der = Zeroizing::new(Vec::with_capacity(PKCS8_PREFIX.len() + 32));
    der.extend_from_slice(&PKCS8_PREFIX);
    der.extend_from_slice(&*key.seed());
    der
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn certified(key: &SigningKey) -> (VerificationKey, Arc<CertifiedKey>) {
    let shown = key.verification_key();
    let der = pkcs8(key);
    let signer = aws_lc_rs::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(&der[..]))
        .expect("every 32-byte seed is an Ed25519 key");
    (shown, Arc::new(CertifiedKey::new(vec![CertificateDer::from(spki(&shown))], signer)))
}

fn client(pinned: Option<VerificationKey>) -> Arc<ClientConfig> {
    let provider = provider();
    let verifier = RawKeyVerifier { pinned, provider: provider.clone() };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .expect("the provider has suites for TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.enable_sni = false;
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

/// Checks that the server holds the key it shows and, where one is pinned, that it is that one.
#[derive(Debug)]
struct RawKeyVerifier {
    pinned: Option<VerificationKey>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for RawKeyVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = key_of_spki(end_entity).filter(|key| key.check().is_ok());
        let (Some(shown), []) = (shown, intermediates) else {
            return Err(Error::InvalidCertificate(CertificateError::BadEncoding));
        };
        match self.pinned {
            Some(expected) if expected != shown => {
                let wrong = rustls::OtherError(Arc::new(WrongKey { expected, shown }));
                Err(Error::InvalidCertificate(CertificateError::Other(wrong)))
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Never asked: only TLS 1.3 is offered.
        Err(Error::General("TLS 1.2 is not spoken here".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(certificate.as_ref());
        verify_tls13_signature_with_raw_key(
            message,
            &key,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use rustls::{ClientConnection, NamedGroup, ServerConnection};

    use super::*;

    /// Lets two ends talk in memory until neither has anything to say, or one refuses.
    fn handshake(
        client: Arc<ClientConfig>,
        server: Arc<ServerConfig>,
    ) -> Result<(ClientConnection, ServerConnection), Error> {
        let mut client = ClientConnection::new(client, server_name())?;
        let mut server = ServerConnection::new(server)?;
        while client.is_handshaking() || server.is_handshaking() {
            let mut bytes = Vec::new();
            client.write_tls(&mut bytes).unwrap();
            server.read_tls(&mut &bytes[..]).unwrap();
            server.process_new_packets()?;
            bytes.clear();
            server.write_tls(&mut bytes).unwrap();
            client.read_tls(&mut &bytes[..]).unwrap();
            client.process_new_packets()?;
        }
        Ok((client, server))
    }

    #[test]
    fn both_ends_know_the_key_and_the_exporter_and_use_the_hybrid_exchange() {
        let key = SigningKey::generate();
        let (client, server) = handshake(client_config(), server_config(&key)).unwrap();
        assert_eq!(presented_key(&client), Some(key.verification_key()));
        assert_eq!(exporter(&client).unwrap(), exporter(&server).unwrap());
        assert_eq!(client.alpn_protocol(), Some(ALPN));
        assert_eq!(client.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
        let group = client.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(group, NamedGroup::X25519MLKEM768);
        let (other, _) = handshake(client_config(), server_config(&key)).unwrap();
        assert_ne!(exporter(&client).unwrap(), exporter(&other).unwrap(), "each connection has its own");
    }

    #[test]
    fn a_pinned_client_takes_its_key_and_names_any_other() {
        let key = SigningKey::generate();
        let pinned = client_config_pinned(key.verification_key());
        assert!(handshake(pinned.clone(), server_config(&key)).is_ok());
        let other = SigningKey::generate();
        let Err(Error::InvalidCertificate(CertificateError::Other(error))) =
            handshake(pinned, server_config(&other))
        else {
            panic!("another key was taken");
        };
        let wrong = error.0.downcast_ref::<WrongKey>().unwrap();
        assert_eq!(*wrong, WrongKey { expected: key.verification_key(), shown: other.verification_key() });
    }

    #[test]
    fn a_key_shown_but_not_held_is_refused() {
        let (held, shown) = (SigningKey::generate(), SigningKey::generate());
        let liar = ServerKey::new(&held);
        let signer = liar.current.read().unwrap().1.key.clone();
        let spki = CertificateDer::from(spki(&shown.verification_key()));
        liar.current.write().unwrap().1 = Arc::new(CertifiedKey::new(vec![spki], signer));
        assert!(handshake(client_config(), liar.config()).is_err());
    }

    #[test]
    fn a_key_can_be_replaced_while_the_server_runs() {
        let (old, new) = (SigningKey::generate(), SigningKey::generate());
        let shown = ServerKey::new(&old);
        let config = shown.config();
        let (client, _) = handshake(client_config(), config.clone()).unwrap();
        assert_eq!(presented_key(&client), Some(old.verification_key()));
        shown.replace(&new);
        let (client, _) = handshake(client_config(), config).unwrap();
        assert_eq!(presented_key(&client), Some(new.verification_key()));
        assert!(!format!("{shown:?}").contains(&new.verification_key().to_string()));
    }

    #[test]
    fn keys_are_the_examples_of_rfc_8410() {
        use data_encoding::BASE64;
        let public = BASE64.decode(b"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=").unwrap();
        let private =
            BASE64.decode(b"MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC").unwrap();
        let key = SigningKey::from_seed(private[16..].try_into().unwrap());
        assert_eq!(pkcs8(&key).to_vec(), private);
        assert_eq!(spki(&key.verification_key()), public);
        assert_eq!(key_of_spki(&public), Some(key.verification_key()));
        assert_eq!(key_of_spki(&public[..43]), None);
        assert_eq!(key_of_spki(&[&public[..], &[0]].concat()), None);
    }

    proptest::proptest! {
        #[test]
        fn no_foreign_key_panics(der in proptest::collection::vec(proptest::num::u8::ANY, 0..60)) {
            proptest::prop_assert_eq!(key_of_spki(&der), None);
        }
    }
}
