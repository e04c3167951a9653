//! A thin connection to the center: TLS, login, and frames as bytes.
//!
//! It speaks the protocol of [`wire::link`] with [`wire::tls`], and leaves out what a terminal does for its owner:
//! answers are told by their tags, and only what is asked for is decoded.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Buf as _, Bytes, BytesMut};
use color_eyre::eyre::{Result, bail, ensure, eyre};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream, rustls::ClientConfig};
use wire::{
    codec,
    id::{AccountNumber, CenterId},
    key::{SigningKey, VerificationKey},
    limits,
    link::{FromServer, ToServer},
    message::{Answer, Problem, ProblemKind, Push, Request, ServerHello, Verdict, Welcome, login_message},
    sheet::KeySheet,
    telegram::Telegram,
    tls,
};

use super::payments::framed;

/// How long a connection may take to be opened, and to be answered at its login.
const OPENING: Duration = Duration::from_secs(30);
/// How many loopback addresses connections come from, so that none runs out of ports.
const SOURCES: usize = 200;
/// The id of a login.
const LOGIN: u32 = 1;
/// How much is read at once.
const READ: usize = 32 << 10;

/// Where the center is, and what is known of it.
#[derive(Debug)]
pub struct Target {
    address: SocketAddr,
    root: VerificationKey,
    center: CenterId,
    config: Arc<ClientConfig>,
    sheet: OnceLock<(Telegram, KeySheet)>,
}

/// A connection.
pub struct Line {
    stream: TlsStream<TcpStream>,
    inbox: BytesMut,
}

/// What a frame of the center's is, as far as its tags tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// An answer.
    Answer {
        /// To which request.
        id: u32,
        /// What kind.
        answer: Answered,
    },
    /// A payment notice for a store, of the entry of this number.
    Notice(u64),
    /// Anything else: a pong, another push.
    Other,
}

/// Kinds of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// A verdict: done.
    Done,
    /// A verdict: refused, void or expired.
    NotDone,
    /// Not heard.
    Problem(ProblemKind),
    /// Any other answer.
    Else,
}

impl Target {
    /// A center at an address, whose root key is known.
    pub fn new(address: SocketAddr, root: VerificationKey) -> Arc<Self> {
        let config = tls::client_config();
        Arc::new(Self { address, root, center: root.center(), config, sheet: OnceLock::new() })
    }

    /// The key sheet and the root key, once a connection has been open.
    pub fn evidence(&self) -> Option<(&Telegram, &VerificationKey)> {
        self.sheet.get().map(|(sheet, _)| (sheet, &self.root))
    }

    /// Opens a connection and reads the center's first frame. The first one verifies the key sheet under the root key;
    /// all others must be shown the same sheet and a key that it names. `number` chooses the address it comes from.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub async fn open(&self, number: usize) -> Result<(Line, [u8; 32])> {
        timeout(OPENING, self.opened(number))
            .await
            .map_err(|_| eyre!("the center let a connection wait for {OPENING:?}"))?
    }

    async fn opened(&self, number: usize) -> Result<(Line, [u8; 32])> {
        let socket = connect(self.address, number).await?;
        let stream = TlsConnector::from(self.config.clone()).connect(tls::server_name(), socket).await?;
        let connection = stream.get_ref().1;
        ensure!(
            connection.alpn_protocol() == Some(tls::ALPN),
            "it speaks something else than the network's protocol"
        );
        let key = tls::presented_key(connection).ok_or_else(|| eyre!("it shows no Ed25519 key"))?;
        let exporter = tls::exporter(connection)?;
        let mut line = Line { stream, inbox: BytesMut::with_capacity(READ) };
        let hello: ServerHello = codec::decode("hello", &line.frame().await?, limits::FRAME)?;
        match self.sheet.get() {
            Some((known, _)) => {
                ensure!(*known == hello.sheet, "the center shows another key sheet than before")
            }
            None => {
                let sheet = KeySheet::verify_line(&hello.sheet, &self.root, 0, &key)?;
                // Another connection may have been first; then it verified the same.
                let _ = self.sheet.set((hello.sheet, sheet));
            }
        }
        Ok((line, exporter))
    }

    /// Opens a connection and logs in.
    ///
    /// # Errors
    /// As [`Target::open`], and when the center does not welcome the account.
    pub async fn login(
        &self,
        account: AccountNumber,
        key: &SigningKey,
        number: usize,
    ) -> Result<(Line, Welcome)> {
        let (mut line, exporter) = self.open(number).await?;
        let signature = key.sign(&login_message(&self.center, account, &exporter));
        line.call(LOGIN, Request::Login { account, signature, checkpoint: None }).await?;
        let answered = timeout(OPENING, line.answer(LOGIN)).await;
        match answered.map_err(|_| eyre!("the center let a login wait for {OPENING:?}"))?? {
            Answer::Welcome(welcome) => Ok((line, *welcome)),
            Answer::Problem(problem) => bail!("the center does not welcome {account}: {problem}"),
            _ => bail!("the center answered the login of {account} with something else"),
        }
    }
}

impl Line {
    /// Sends a request.
    pub async fn call(&mut self, id: u32, request: Request) -> Result<()> {
        self.send(&framed(&ToServer::Call { id, request })).await
    }

    /// Shows that it is there; a center hangs up on who says nothing for long.
    pub async fn ping(&mut self) -> Result<()> {
        self.send(&framed(&ToServer::<Request>::Ping)).await
    }

    /// Sends frames as they are.
    pub async fn send(&mut self, frames: &[u8]) -> Result<()> {
        self.stream.write_all(frames).await?;
        Ok(self.stream.flush().await?)
    }

    /// Waits for the answer to a request and decodes it; what else comes is passed over.
    pub async fn answer(&mut self, wanted: u32) -> Result<Answer> {
        loop {
            let frame = self.frame().await?;
            if let FromServer::Reply { id, answer } =
                codec::decode::<FromServer<Answer, Push>>("frame", &frame, limits::FRAME)?
                && id == wanted
            {
                return Ok(answer);
            }
        }
    }

    /// Reads what has come, and waits for at least some bytes. Nothing is lost when it is not waited for to the end.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn fill(&mut self) -> Result<()> {
        self.inbox.reserve(READ);
        match self.stream.read_buf(&mut self.inbox).await? {
            0 => bail!("the center closed the connection"),
            _ => Ok(()),
        }
    }

    /// The next whole frame that has come.
    pub fn take(&mut self) -> Option<Bytes> {
        let length = u32::from_be_bytes(*self.inbox.first_chunk::<4>()?) as usize;
        if self.inbox.len() < 4 + length {
            return None;
        }
        self.inbox.advance(4);
        Some(self.inbox.split_to(length).freeze())
    }

    async fn frame(&mut self) -> Result<Bytes> {
        loop {
            if let Some(frame) = self.take() {
                return Ok(frame);
            }
            self.fill().await?;
        }
    }
}

/// Opens a TCP connection from one of many loopback addresses.
pub async fn connect(address: SocketAddr, number: usize) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if address.ip().is_loopback() {
        let last = u8::try_from(number % SOURCES + 1).expect("fewer sources than a byte counts");
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)))?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Tells what a frame is by its tags, without decoding it: all integers have a fixed width.
pub fn tell(frame: &[u8]) -> Said {
    const REPLY: u32 = 0;
    const PUSH: u32 = 1;
    let word =
        |at: usize| frame.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    match word(0) {
        Some(REPLY) => {
            let (Some(id), Some(answer)) = (word(4), word(8)) else { return Said::Other };
            let answer = if answer == tags::verdict() {
                if word(12) == Some(tags::DONE) { Answered::Done } else { Answered::NotDone }
            } else if answer == tags::problem() {
                problem(frame).map_or(Answered::Else, Answered::Problem)
            } else {
                Answered::Else
            };
            Said::Answer { id, answer }
        }
        // Push, mail, payment notice: order, offer and total, then the receipt, which begins with the entry's number.
        Some(PUSH) if word(4) == Some(0) && word(8) == Some(0) => {
            let entry = frame.get(84..92).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
            entry.map_or(Said::Other, Said::Notice)
        }
        _ => Said::Other,
    }
}

fn problem(frame: &[u8]) -> Option<ProblemKind> {
    match codec::decode::<FromServer<Answer, Push>>("frame", frame, limits::FRAME).ok()? {
        FromServer::Reply { answer: Answer::Problem(Problem { kind, .. }), .. } => Some(kind),
        _ => None,
    }
}

/// The tags of variants, taken from the encoding itself.
mod tags {
    use super::*;

    /// The tag of [`Verdict::Done`], the first.
    pub(super) const DONE: u32 = 0;

    pub(super) fn verdict() -> u32 {
        static TAG: OnceLock<u32> = OnceLock::new();
        *TAG.get_or_init(|| of(&Answer::Verdict(Box::new(Verdict::Expired))))
    }

    pub(super) fn problem() -> u32 {
        static TAG: OnceLock<u32> = OnceLock::new();
        *TAG.get_or_init(|| of(&Answer::Problem(Problem::new(ProblemKind::Busy, ""))))
    }

    fn of(answer: &Answer) -> u32 {
        let encoded = codec::encode(answer);
        u32::from_le_bytes(*encoded.first_chunk().expect("an answer begins with its tag"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_by_their_tags() {
        let say = |answer| codec::encode(&FromServer::<Answer, Push>::Reply { id: 7, answer });
        let told = |answer, as_what| assert_eq!(tell(&say(answer)), Said::Answer { id: 7, answer: as_what });
        told(Answer::Verdict(Box::new(Verdict::Expired)), Answered::NotDone);
        told(Answer::Done, Answered::Else);
        let busy = Problem::new(ProblemKind::Busy, "busy");
        told(Answer::Problem(busy), Answered::Problem(ProblemKind::Busy));
        assert_eq!(tell(&codec::encode(&FromServer::<Answer, Push>::Push(Push::Open(true)))), Said::Other);
        assert_eq!(tell(&codec::encode(&FromServer::<Answer, Push>::Pong)), Said::Other);
        assert_eq!(tell(&[]), Said::Other);
    }
}
