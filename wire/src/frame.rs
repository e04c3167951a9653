//! Frames: a length of four bytes, big endian, and so many bytes of one encoded value.
//!
//! A length beyond [`limits::FRAME`] is refused before anything is allocated for it. An end between two frames is
//! [`LinkError::Closed`]; an end within a frame's length or content is misbehaviour. (An end right after the length
//! passes for the former: nothing of a value is lost.)

use std::{fmt, io, marker::PhantomData};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt as _};
use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec, LengthDelimitedCodecError};

use crate::{codec, limits, tls::WrongKey};

/// Why a connection could not be made, or ended.
///
/// One value can be told to every caller that waits on the connection, so it is `Clone` and holds words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The other side, or this one, hung up.
    #[error("the connection was closed")]
    Closed,
    /// Something did not come in time.
    #[error("timed out waiting for {what}")]
    Timeout {
        /// What was awaited, as a noun with its article.
        what: &'static str,
    },
    /// The other side did what no working peer does.
    #[error("the other side broke the protocol: {0}")]
    PeerMisbehaved(String),
    /// The other side speaks something else, or another version.
    #[error("the other side cannot be understood: {0}")]
    PeerIncompatible(String),
    /// The server showed another key than the pinned one.
    #[error(transparent)]
    WrongKey(WrongKey),
    /// No address led to anyone.
    #[error("nobody could be reached: {}", Attempts(.attempts))]
    Unreachable {
        /// Each address that was tried, in order, and what came of it.
        attempts: Vec<Attempt>,
    },
    /// What was to be sent does not fit a frame. The connection is unharmed.
    #[error("what was to be sent is {bytes} bytes long; at most {} fit", limits::FRAME)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The operating system's word.
    #[error("{0}")]
    Io(String),
}

/// One address that was tried in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The address, cleaned for showing.
    pub address: String,
    /// What came of it, in words.
    pub outcome: String,
}

impl From<io::Error> for LinkError {
    fn from(error: io::Error) -> Self {
        if let Some(codec) =
            error.get_ref().and_then(|inner| inner.downcast_ref::<LengthDelimitedCodecError>())
        {
            return Self::PeerMisbehaved(codec.to_string());
        }
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return tls_words(tls);
        }
        match error.kind() {
            // Without TLS's own farewell the peer was cut off; what it owed is lost either way.
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected => Self::Closed,
            _ => Self::Io(error.to_string()),
        }
    }
}

/// Encodes a value as the content of one frame.
///
/// # Errors
/// [`LinkError::TooLong`].
pub fn frame<T: Serialize>(value: &T) -> Result<Bytes, LinkError> {
    let bytes = codec::encode(value);
    if bytes.len() > limits::FRAME {
        return Err(LinkError::TooLong { bytes: bytes.len() });
    }
    Ok(bytes.into())
}

/// A byte stream that carries values: `In` comes, `Out` goes.
pub struct Frames<S, In, Out> {
    reader: FrameReader<ReadHalf<S>, In>,
    writer: FrameWriter<WriteHalf<S>, Out>,
}

impl<S: AsyncRead + AsyncWrite, In: DeserializeOwned, Out: Serialize> Frames<S, In, Out> {
    /// Frames over a byte stream.
    pub fn new(stream: S) -> Self {
        let (read, write) = tokio::io::split(stream);
        Self { reader: FrameReader::new(read), writer: FrameWriter::new(write) }
    }

    /// The next value; see [`FrameReader::receive`].
    pub async fn receive(&mut self) -> Result<In, LinkError> {
        self.reader.receive().await
    }

    /// Sends a value and waits until it is handed to the operating system.
    pub async fn send(&mut self, value: &Out) -> Result<(), LinkError> {
        self.writer.feed(value).await?;
        self.writer.flush().await
    }

    /// The two directions, for two tasks.
    pub fn split(self) -> (FrameReader<ReadHalf<S>, In>, FrameWriter<WriteHalf<S>, Out>) {
        (self.reader, self.writer)
    }

    /// The same stream, from here on carrying values of other types. Bytes that have already come are kept.
    pub fn carrying<I, O>(self) -> Frames<S, I, O> {
        Frames {
            reader: FrameReader { frames: self.reader.frames, carries: PhantomData },
            writer: FrameWriter { frames: self.writer.frames, carries: PhantomData },
        }
    }
}

impl<S, In, Out> fmt::Debug for Frames<S, In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Frames")
    }
}

/// The incoming direction.
pub struct FrameReader<R, In> {
    frames: FramedRead<R, LengthDelimitedCodec>,
    carries: PhantomData<fn() -> In>,
}

impl<R: AsyncRead + Unpin, In: DeserializeOwned> FrameReader<R, In> {
    /// Reads frames from a byte stream.
    pub fn new(read: R) -> Self {
        Self { frames: FramedRead::new(read, lengths()), carries: PhantomData }
    }

    /// The next value. A dropped future loses nothing: what came of the frame is kept for the next call.
    ///
    /// # Errors
    /// [`LinkError::Closed`] at a clean end; [`LinkError::PeerMisbehaved`] for an oversized length, an end within a
    /// frame, or bytes that are no `In`. After any error the stream must be given up.
    pub async fn receive(&mut self) -> Result<In, LinkError> {
        let bytes = match self.frames.next().await {
            None => return Err(LinkError::Closed),
            Some(Ok(bytes)) => bytes,
            Some(Err(error))
                if error.kind() == io::ErrorKind::Other && !self.frames.read_buffer().is_empty() =>
            {
                return Err(LinkError::PeerMisbehaved("the connection ended within a frame".into()));
            }
            Some(Err(error)) => return Err(error.into()),
        };
        codec::decode("frame", &bytes, limits::FRAME)
            .map_err(|error| LinkError::PeerMisbehaved(error.to_string()))
    }
}

impl<R, In> fmt::Debug for FrameReader<R, In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameReader")
    }
}

/// The outgoing direction.
pub struct FrameWriter<W, Out> {
    frames: FramedWrite<W, LengthDelimitedCodec>,
    carries: PhantomData<fn(Out)>,
}

impl<W: AsyncWrite + Unpin, Out: Serialize> FrameWriter<W, Out> {
    /// Writes frames to a byte stream.
    pub fn new(write: W) -> Self {
        Self { frames: FramedWrite::new(write, lengths()), carries: PhantomData }
    }

    /// Adds a value to what [`FrameWriter::flush`] sends; waits only where much is already gathered.
    pub fn feed(&mut self, value: &Out) -> impl Future<Output = Result<(), LinkError>> {
        // Encoded before the first wait, so that the future does not hold the value.
        let bytes = frame(value);
        async move { self.feed_bytes(bytes?).await }
    }

    /// Adds an already encoded [`frame`].
    pub async fn feed_bytes(&mut self, frame: Bytes) -> Result<(), LinkError> {
        Ok(self.frames.feed(frame).await?)
    }

    /// Sends all that was added.
    pub async fn flush(&mut self) -> Result<(), LinkError> {
        Ok(SinkExt::<Bytes>::flush(&mut self.frames).await?)
    }

    /// Sends all that was added and says farewell.
    pub async fn close(&mut self) -> Result<(), LinkError> {
        Ok(SinkExt::<Bytes>::close(&mut self.frames).await?)
    }
}

impl<W, Out> fmt::Debug for FrameWriter<W, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameWriter")
    }
}

fn lengths() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .length_field_type::<u32>()
        .big_endian()
        .max_frame_length(limits::FRAME)
        .new_codec()
}

/// What a failed handshake or a broken record means to a person.
fn tls_words(error: &rustls::Error) -> LinkError {
    use rustls::{AlertDescription, CertificateError, Error};
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => match other.0.downcast_ref::<WrongKey>()
        {
            Some(wrong) => LinkError::WrongKey(*wrong),
            None => LinkError::PeerMisbehaved("the key it shows is not acceptable".into()),
        },
        Error::AlertReceived(AlertDescription::CertificateUnknown | AlertDescription::BadCertificate) => {
            LinkError::PeerIncompatible("it does not accept the key shown to it".into())
        }
        Error::InvalidMessage(_) => LinkError::PeerIncompatible("it does not speak TLS 1.3".into()),
        Error::NoApplicationProtocol
        | Error::AlertReceived(
            AlertDescription::NoApplicationProtocol
            | AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::UnsupportedCertificate,
        )
        | Error::PeerIncompatible(_) => {
            LinkError::PeerIncompatible("it speaks TLS, but not this network's protocol".into())
        }
        Error::AlertReceived(_) => LinkError::PeerMisbehaved("it broke off the TLS connection".into()),
        Error::InvalidCertificate(_) => {
            LinkError::PeerMisbehaved("the key it shows is not acceptable".into())
        }
        Error::DecryptError => LinkError::PeerMisbehaved("a TLS record was damaged on the way".into()),
        _ => LinkError::PeerMisbehaved("its TLS messages are wrong".into()),
    }
}

struct Attempts<'a>(&'a [Attempt]);

impl fmt::Display for Attempts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("there is no address to try");
        }
        for (at, attempt) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", attempt.address, attempt.outcome)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::*;

    async fn received(bytes: &[u8]) -> Result<u16, LinkError> {
        let (mut near, far) = duplex(64);
        near.write_all(bytes).await.unwrap();
        drop(near);
        Frames::<_, u16, u16>::new(far).receive().await
    }

    #[tokio::test]
    async fn values_pass_both_ways_and_types_can_change_between_them() {
        let (near, far) = duplex(64);
        let (mut near, mut far) = (Frames::<_, u16, u8>::new(near), Frames::<_, u8, u16>::new(far));
        near.send(&7).await.unwrap();
        assert_eq!(far.receive().await, Ok(7));
        far.send(&300).await.unwrap();
        far.send(&301).await.unwrap();
        assert_eq!(near.receive().await, Ok(300));
        let mut near = near.carrying::<[u8; 2], u8>();
        assert_eq!(near.receive().await, Ok([45, 1]), "bytes already read are kept");
        drop(far);
        assert_eq!(near.receive().await, Err(LinkError::Closed));
    }

    #[tokio::test]
    async fn what_is_no_frame_is_refused_in_words() {
        assert_eq!(received(&[0, 0, 0, 2, 9, 0]).await, Ok(9));
        assert_eq!(received(&[]).await, Err(LinkError::Closed));
        for (bytes, words) in [
            (&[0, 0, 0, 2, 9][..], "ended within a frame"),
            (&[0, 0], "ended within a frame"),
            (&[0xff; 4], "frame size too big"),
            (&[0, 0x10, 0, 1, 0], "frame size too big"),
            (&[0, 0, 0, 1, 9], "ends too early"),
            (&[0, 0, 0, 3, 9, 0, 0], "not a well-formed frame"),
        ] {
            let error = received(bytes).await.unwrap_err();
            assert!(matches!(error, LinkError::PeerMisbehaved(_)), "{bytes:?}: {error:?}");
            assert!(error.to_string().contains(words), "{bytes:?}: {error}");
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_not_sent_and_harms_nothing() {
        let (near, far) = duplex(64);
        let (mut near, mut far) = (Frames::<_, u8, Vec<u8>>::new(near), Frames::<_, Vec<u8>, u8>::new(far));
        let error = near.send(&vec![0; limits::FRAME]).await.unwrap_err();
        assert_eq!(error, LinkError::TooLong { bytes: limits::FRAME + 8 });
        near.send(&vec![5]).await.unwrap();
        assert_eq!(far.receive().await, Ok(vec![5]));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..60)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(received(&bytes));
        }
    }
}
