//! The SMTP line against a server that speaks SMTP over real sockets, with TLS where the test asks for it.

use std::sync::{Arc, Mutex};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufStream},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use wire::{
    id::{CenterId, EntryNumber},
    time::Timestamp,
};

use super::*;
use crate::lines::mail::{Draft, message};

/// How a server behaves.
#[derive(Clone, Default)]
struct Manner {
    starttls: bool,
    tls: bool,
    auth: bool,
    /// The answer to this command is this line.
    refuse: Option<(&'static str, &'static str)>,
    /// It says nothing at all.
    silent: bool,
}

/// Each message as it came: whether under TLS, envelope, content.
type Mail = Mutex<Vec<(bool, Vec<String>, String)>>;

struct Server {
    address: String,
    mail: Arc<Mail>,
    certificate: String,
}

impl Server {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mail = Arc::<Mail>::default();
        let kept = mail.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (manner, acceptor, kept) = (manner.clone(), acceptor.clone(), kept.clone());
                tokio::spawn(async move {
                    // A client that hangs up ends the conversation, which is no fault here.
                    if manner.silent {
                        std::future::pending::<()>().await;
                    } else if manner.tls {
                        let Ok(stream) = acceptor.accept(stream).await else { return };
                        let _ = converse(&mut BufStream::new(stream), &manner, true, &kept).await;
                    } else {
                        let mut stream = BufStream::new(stream);
                        if let Ok(true) = converse(&mut stream, &manner, false, &kept).await {
                            let Ok(stream) = acceptor.accept(stream.into_inner()).await else { return };
                            let _ = converse(&mut BufStream::new(stream), &manner, true, &kept).await;
                        }
                    }
                });
            }
        });
        Self { address, mail, certificate: made.cert.pem() }
    }

    fn line(&self, dir: &tempfile::TempDir, more: &str) -> Smtp {
        let ca = dir.path().join("ca.pem");
        fs::write(&ca, &self.certificate).unwrap();
        let text = format!(
            "from = \"Inkan <office@center.example>\"\nserver = \"{}\"\nca_file = \"{}\"\n{more}",
            self.address,
            ca.display()
        );
        Smtp::open(&toml::from_str(&text).unwrap(), &dir.path().join("data")).unwrap()
    }
}

/// Speaks SMTP until the client quits; true when the client asked for TLS.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    manner: &Manner,
    protected: bool,
    kept: &Mail,
) -> std::io::Result<bool> {
    let mut envelope = Vec::new();
    // After STARTTLS the client speaks first (RFC 3207, 4.2).
    if !(protected && manner.starttls) {
        say(stream, "220 test ESMTP").await?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let line = line.trim_end();
        if let Some((command, answer)) = manner.refuse
            && line.starts_with(command)
        {
            say(stream, answer).await?;
            continue;
        }
        match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => {
                let mut answer = "250-test\r\n250-8BITMIME\r\n".to_owned();
                if manner.starttls && !protected {
                    answer.push_str("250-STARTTLS\r\n");
                }
                if manner.auth {
                    answer.push_str("250-AUTH PLAIN\r\n");
                }
                say(stream, &format!("{answer}250 SIZE 100000")).await?;
            }
            "STARTTLS" => {
                say(stream, "220 go on").await?;
                return Ok(true);
            }
            "AUTH" => {
                let right = data_encoding::BASE64.encode(b"\0center\0correct horse");
                let known = line == format!("AUTH PLAIN {right}");
                say(stream, if known { "235 welcome" } else { "535 5.7.8 bad credentials" }).await?;
            }
            "MAIL" | "RCPT" => {
                envelope.push(line.to_owned());
                say(stream, "250 ok").await?;
            }
            "DATA" => {
                say(stream, "354 go on").await?;
                let mut content = String::new();
                while !content.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut content).await? == 0 {
                        return Ok(false);
                    }
                }
                if let Some(("content", answer)) = manner.refuse {
                    say(stream, answer).await?;
                    continue;
                }
                kept.lock().unwrap().push((protected, std::mem::take(&mut envelope), content));
                say(stream, "250 2.0.0 queued as 4711").await?;
            }
            "QUIT" => {
                say(stream, "221 bye").await?;
                return Ok(false);
            }
            _ => say(stream, "500 what?").await?,
        }
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    line: &str,
) -> std::io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    stream.flush().await
}

fn letter() -> Outgoing {
    let sender = "office@center.example".parse().unwrap();
    let draft = Draft {
        center: CenterId([7; 32]),
        entry: EntryNumber(5),
        at: Timestamp(1_795_000_000_000),
        to: "ada@example.org",
        subject: "Your number",
        body: "Code ABCD-EFGH-JKMN-PQRS\n.\n",
    };
    message(&sender, &draft).ok().unwrap()
}

const CLEAR: &str = "security = \"none\"\n";

#[tokio::test]
async fn a_message_arrives_as_it_was_made() {
    let dir = tempfile::tempdir().unwrap();
    for (manner, security, protected) in [
        (Manner::default(), "none", false),
        (Manner { starttls: true, ..Manner::default() }, "starttls", true),
        (Manner { tls: true, ..Manner::default() }, "tls", true),
    ] {
        let server = Server::start(manner).await;
        let line = server.line(&dir, &format!("security = \"{security}\"\n"));
        let words = line.carry(&letter()).await.unwrap();
        assert_eq!(words, "250 2.0.0 queued as 4711", "{security}");
        let mail = server.mail.lock().unwrap().clone();
        assert_eq!(mail.len(), 1);
        assert_eq!(mail[0].0, protected);
        assert_eq!(mail[0].1, ["MAIL FROM:<office@center.example>", "RCPT TO:<ada@example.org>"]);
        let content = mail[0].2.strip_suffix("\r\n.\r\n").unwrap().replace("\r\n..", "\r\n.");
        let sent = String::from_utf8(letter().bytes.to_vec()).unwrap();
        assert_eq!(content.trim_end(), sent.trim_end(), "{security}");
    }
}

#[tokio::test]
async fn the_password_is_said_under_tls_and_a_wrong_one_is_the_lines_trouble() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Manner { starttls: true, auth: true, ..Manner::default() }).await;
    let file = dir.path().join("password");
    let keep = |text: &str, mode: u32| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    };
    keep("correct horse\n", 0o600);
    let more = format!("user = \"center\"\npassword_file = \"{}\"\n", file.display());
    let line = server.line(&dir, &more);
    line.carry(&letter()).await.unwrap();
    keep("wrong\n", 0o600);
    match line.carry(&letter()).await {
        Err(Trouble::Line(words)) => {
            assert!(words.contains("refuses the center's user name or password: 535"), "{words}");
            assert!(!words.contains("wrong"), "{words}");
        }
        other => panic!("{other:?}"),
    }
    keep("correct horse\n", 0o644);
    let refused = line.carry(&letter()).await;
    assert!(matches!(&refused, Err(Trouble::Line(words)) if words.contains("chmod")), "{refused:?}");
    let config = |path: &Path| {
        let text = format!(
            "from = \"office@center.example\"\nserver = \"{}\"\nuser = \"center\"\npassword_file = \"{}\"",
            server.address,
            path.display()
        );
        Smtp::open(&toml::from_str(&text).unwrap(), &dir.path().join("data")).err().unwrap()
    };
    assert!(config(&dir.path().join("none")).contains("cannot be used"));
    assert!(config(&dir.path().join("data/password")).contains("outside"));
    assert_eq!(server.mail.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_cannot_be_believed() {
    let dir = tempfile::tempdir().unwrap();
    let plain = Server::start(Manner::default()).await;
    let stranger = Server::start(Manner { tls: true, ..Manner::default() }).await;
    let downgraded = plain.line(&dir, "").carry(&letter()).await;
    assert!(
        matches!(&downgraded, Err(Trouble::Line(words)) if words.contains("does not offer STARTTLS")),
        "{downgraded:?}"
    );
    // Another house's certificate.
    let mut line = stranger.line(&dir, "security = \"tls\"\n");
    line.tls = Some(tls("127.0.0.1", None).unwrap());
    let refused = line.carry(&letter()).await;
    assert!(matches!(&refused, Err(Trouble::Line(words)) if words.contains("certificate")), "{refused:?}");
    assert!(plain.mail.lock().unwrap().is_empty() && stranger.mail.lock().unwrap().is_empty());
}

#[tokio::test]
async fn answers_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    for (command, answer, expected) in [
        ("RCPT", "550 5.1.1 no such user", Trouble::Never(String::new())),
        ("RCPT", "451 4.7.1 come back later", Trouble::Later(String::new())),
        ("content", "554 5.7.1 looks like spam", Trouble::Never(String::new())),
        ("content", "452 4.3.1 disk full", Trouble::Later(String::new())),
        ("MAIL", "530 5.7.0 log in first", Trouble::Line(String::new())),
        ("DATA", "421 4.3.2 going down", Trouble::Line(String::new())),
        ("EHLO", "554 no service for you", Trouble::Line(String::new())),
    ] {
        let server = Server::start(Manner { refuse: Some((command, answer)), ..Manner::default() }).await;
        let trouble = server.line(&dir, CLEAR).carry(&letter()).await.unwrap_err();
        assert_eq!(
            std::mem::discriminant(&trouble),
            std::mem::discriminant(&expected),
            "{answer}: {trouble:?}"
        );
        let (Trouble::Line(words) | Trouble::Later(words) | Trouble::Never(words)) = trouble;
        assert!(words.contains(answer), "{words}");
    }
}

#[tokio::test]
async fn a_server_that_is_silent_or_not_there_is_told_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let silent = Server::start(Manner { silent: true, ..Manner::default() }).await;
    let trouble = silent.line(&dir, "security = \"none\"\ntimeout_s = 1\n").carry(&letter()).await;
    assert!(
        matches!(&trouble, Err(Trouble::Line(words)) if words.contains("within 1 seconds") || words.contains("timed out")),
        "{trouble:?}"
    );
    let mut gone = silent.line(&dir, CLEAR);
    // Bound and dropped again, so that nobody listens there.
    gone.port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let trouble = gone.carry(&letter()).await;
    assert!(matches!(&trouble, Err(Trouble::Line(words)) if words.contains("refused")), "{trouble:?}");
}
