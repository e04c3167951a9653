//! Frames: a length of four bytes, big endian, and so many bytes of one encoded value.
//!
//! A length beyond [`limits::FRAME`] is refused before anything is allocated for it. An end between two frames is
//! [`LinkError::Closed`]; an end within one is misbehaviour.
//!
//! The framing is `tokio_util`'s length-delimited one, done here over buffers that are given back whenever a connection
//! is idle, so that ten thousand quiet ones cost little; values are encoded straight into what is sent, and what waits
//! goes out in one write.

use std::{
    fmt, io,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf};

use crate::{codec, limits, tls::WrongKey};

/// What stands before each value.
const LENGTH: usize = 4;
/// How much is read at once, and made room for at once within a long frame.
const READ: usize = 8 << 10;
/// With so many bytes waiting to be sent a writer takes its time before it gathers more.
pub(crate) const ENOUGH: usize = 64 << 10;

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
    ///
    /// # Errors
    /// [`LinkError::TooLong`] harms nothing; any other error is the stream's end.
    pub async fn send(&mut self, value: &Out) -> Result<(), LinkError> {
        self.writer.put(value)?;
        self.writer.flush().await
    }

    /// The two directions, for two tasks.
    pub fn split(self) -> (FrameReader<ReadHalf<S>, In>, FrameWriter<WriteHalf<S>, Out>) {
        (self.reader, self.writer)
    }

    /// The same stream, from here on carrying values of other types. Bytes that have already come are kept.
    pub fn carrying<I, O>(self) -> Frames<S, I, O> {
        Frames {
            reader: FrameReader {
                read: self.reader.read,
                buffer: self.reader.buffer,
                begin: self.reader.begin,
                end: self.reader.end,
                carries: PhantomData,
            },
            writer: FrameWriter {
                write: self.writer.write,
                buffer: self.writer.buffer,
                taken: self.writer.taken,
                carries: PhantomData,
            },
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
    read: R,
    /// Room for what comes; none while nothing has come.
    buffer: Vec<u8>,
    /// Where in it lies what has come and was not decoded yet.
    begin: usize,
    end: usize,
    carries: PhantomData<fn() -> In>,
}

impl<R: AsyncRead + Unpin, In: DeserializeOwned> FrameReader<R, In> {
    /// Reads frames from a byte stream.
    pub fn new(read: R) -> Self {
        Self { read, buffer: Vec::new(), begin: 0, end: 0, carries: PhantomData }
    }

    /// The next value. A dropped future loses nothing: what came of the frame is kept for the next call.
    ///
    /// # Errors
    /// [`LinkError::Closed`] at a clean end; [`LinkError::PeerMisbehaved`] for an oversized length, an end within a
    /// frame, or bytes that are no `In`. After any error the stream must be given up.
    pub async fn receive(&mut self) -> Result<In, LinkError> {
        std::future::poll_fn(|cx| self.poll_receive(cx)).await
    }

    /// As [`FrameReader::receive`].
    pub(crate) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<In, LinkError>> {
        loop {
            let missing = match self.decoded()? {
                Ok(value) => return Poll::Ready(Ok(value)),
                Err(missing) => missing,
            };
            self.make_room(missing);
            let mut room = ReadBuf::new(&mut self.buffer[self.end..]);
            match Pin::new(&mut self.read).poll_read(cx, &mut room) {
                Poll::Ready(Ok(())) if room.filled().is_empty() => {
                    return Poll::Ready(Err(if self.begin == self.end {
                        LinkError::Closed
                    } else {
                        LinkError::PeerMisbehaved("the connection ended within a frame".into())
                    }));
                }
                Poll::Ready(Ok(())) => self.end += room.filled().len(),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                Poll::Pending => {
                    if self.begin == self.end {
                        (self.buffer, self.begin, self.end) = (Vec::new(), 0, 0);
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    /// The first value that has come, or how many bytes of it are still to come, as far as is known.
    fn decoded(&mut self) -> Result<Result<In, usize>, LinkError> {
        let come = &self.buffer[self.begin..self.end];
        let Some(head) = come.first_chunk::<LENGTH>() else { return Ok(Err(LENGTH - come.len())) };
        let length = u32::from_be_bytes(*head) as usize;
        if length > limits::FRAME {
            return Err(LinkError::PeerMisbehaved("frame size too big".into()));
        }
        let Some(content) = come.get(LENGTH..LENGTH + length) else {
            return Ok(Err(LENGTH + length - come.len()));
        };
        let value = codec::decode("frame", content, limits::FRAME)
            .map_err(|error| LinkError::PeerMisbehaved(error.to_string()))?;
        self.begin += LENGTH + length;
        Ok(Ok(value))
    }

    /// Makes room for what is missing, but for no more at once than a read takes: who only announces a long frame gets
    /// no room for it.
    fn make_room(&mut self, missing: usize) {
        if self.begin > 0 {
            self.buffer.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
        }
        if self.buffer.len() - self.end < missing.min(READ) {
            // Doubled, so that a long frame is not copied again for every read.
            self.buffer.resize((self.end + READ).max(self.end * 2), 0);
        }
    }
}

impl<R, In> fmt::Debug for FrameReader<R, In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameReader")
    }
}

/// The outgoing direction.
pub struct FrameWriter<W, Out> {
    write: W,
    /// What waits to be sent; nothing is kept for it while nothing does.
    buffer: Vec<u8>,
    /// How much of it the stream has taken.
    taken: usize,
    carries: PhantomData<fn(Out)>,
}

impl<W: AsyncWrite + Unpin, Out: Serialize> FrameWriter<W, Out> {
    /// Writes frames to a byte stream.
    pub fn new(write: W) -> Self {
        Self { write, buffer: Vec::new(), taken: 0, carries: PhantomData }
    }

    /// Adds a value to what [`FrameWriter::flush`] sends. Whoever adds many flushes when much [waits](Self::waiting).
    ///
    /// # Errors
    /// [`LinkError::TooLong`]; nothing was added then.
    pub fn put(&mut self, value: &Out) -> Result<(), LinkError> {
        let begin = self.buffer.len();
        self.buffer.extend_from_slice(&[0; LENGTH]);
        codec::encode_into(&mut self.buffer, value);
        let bytes = self.buffer.len() - begin - LENGTH;
        match u32::try_from(bytes) {
            Ok(length) if bytes <= limits::FRAME => {
                self.buffer[begin..begin + LENGTH].copy_from_slice(&length.to_be_bytes());
                Ok(())
            }
            _ => {
                self.buffer.truncate(begin);
                Err(LinkError::TooLong { bytes })
            }
        }
    }

    /// How many bytes wait to be sent.
    pub fn waiting(&self) -> usize {
        self.buffer.len() - self.taken
    }

    /// Sends all that was added.
    pub async fn flush(&mut self) -> Result<(), LinkError> {
        std::future::poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Sends all that was added and says farewell.
    pub async fn close(&mut self) -> Result<(), LinkError> {
        std::future::poll_fn(|cx| self.poll_close(cx)).await
    }

    /// As [`FrameWriter::flush`]; what of it the other side has taken is told by [`FrameWriter::waiting`].
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        while self.taken < self.buffer.len() {
            let taken = ready!(Pin::new(&mut self.write).poll_write(cx, &self.buffer[self.taken..]))?;
            if taken == 0 {
                return Poll::Ready(Err(LinkError::Closed));
            }
            self.taken += taken;
        }
        (self.buffer, self.taken) = (Vec::new(), 0);
        Poll::Ready(Ok(ready!(Pin::new(&mut self.write).poll_flush(cx))?))
    }

    /// As [`FrameWriter::close`].
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        ready!(self.poll_flush(cx))?;
        Poll::Ready(Ok(ready!(Pin::new(&mut self.write).poll_shutdown(cx))?))
    }
}

impl<W, Out> fmt::Debug for FrameWriter<W, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameWriter")
    }
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
