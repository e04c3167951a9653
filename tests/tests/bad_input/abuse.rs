//! Foreign bytes, truncated frames and oversized lengths, at the ports of the center and of a store, while both go on
//! serving others.

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsConnector, client::TlsStream};
use wire::{codec, id::Role, limits, link::ToServer, message::Request, sheet::Invitation, tls};

use crate::{
    house::House,
    peer::{Peer, WAIT, line},
};

/// How long a server may take to hang up on nonsense.
const PATIENCE: Duration = Duration::from_secs(15);
/// By how much a server's memory may grow while it is abused, in KiB.
const GROWTH_MAX_KIB: u64 = 64 << 10;

/// What is no TLS at all.
fn foreign() -> Vec<Vec<u8>> {
    vec![
        b"GET / HTTP/1.1\r\nHost: center\r\n\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01".to_vec(),
        b"\x16\x03\x01\xff\xff".iter().copied().chain([0; 4_096]).collect(),
        vec![0; 10_000],
        vec![0xff; 10_000],
        b"\x1b[2J\x1b]0;pwned\x07".to_vec(),
    ]
}

/// What is no frame of this network, after a handshake as it should be. The flag: whether it is all there, so that the
/// server must hang up by itself.
fn frames() -> Vec<(Vec<u8>, bool)> {
    let framed = |content: &[u8]| [&(content.len() as u32).to_be_bytes()[..], content].concat();
    let call = codec::encode(&ToServer::Call { id: 1, request: Request::Form(Role::Member) });
    let mut unknown = call.clone();
    // The variant of the request stands behind the call's own and its id.
    unknown[8..12].copy_from_slice(&9_999_u32.to_le_bytes());
    // A list that says it is endless: `Submit`'s telegram begins with kind, signer, then the length of its bytes.
    let endless = [&call[..8], &3_u32.to_le_bytes(), &[0; 4], &[0; 4], &[0; 4], &[0; 8], &[0xff; 8]].concat();
    vec![
        (0xffff_ffff_u32.to_be_bytes().to_vec(), true),
        ((limits::FRAME as u32 + 1).to_be_bytes().to_vec(), true),
        (framed(b""), true),
        (framed(&[0xee; 300]), true),
        (framed(&vec![0; limits::FRAME]), true),
        (framed(&unknown), true),
        (framed(&endless), true),
        (framed(&[&call[..], b"more"].concat()), true),
        (framed(&call[..call.len() - 1]), true),
        (framed(&call)[..7].to_vec(), false),
        ((limits::FRAME as u32).to_be_bytes().to_vec(), false),
        (b"\0\0".to_vec(), false),
    ]
}

async fn handshake(address: &str) -> TlsStream<tokio::net::TcpStream> {
    let socket = tokio::net::TcpStream::connect(address).await.expect("it listens");
    TlsConnector::from(tls::client_config()).connect(tls::server_name(), socket).await.expect("a handshake")
}

/// Reads until the server hangs up; what it says meanwhile is of no interest.
async fn hung_up(stream: &mut TlsStream<tokio::net::TcpStream>, what: &str) {
    let reading = async {
        let mut bytes = [0; 4_096];
        while matches!(stream.read(&mut bytes).await, Ok(1..)) {}
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("it does not hang up on {what}"));
}

/// Sends everything that is nonsense. Silent strangers stay connected until the end.
async fn abuse(address: &str, still_serves: impl AsyncFn()) {
    let silent: Vec<TcpStream> = (0..40).map(|_| TcpStream::connect(address).expect("it listens")).collect();
    for bytes in foreign() {
        let mut stream = TcpStream::connect(address).expect("it listens");
        // It may hang up before it has read everything.
        let _ = stream.write_all(&bytes);
    }
    for (at, (bytes, whole)) in frames().into_iter().enumerate() {
        let mut stream = handshake(address).await;
        let _ = stream.write_all(&bytes).await;
        let _ = stream.flush().await;
        if whole {
            hung_up(&mut stream, &format!("frame {at}")).await;
        }
    }
    still_serves().await;
    // Lengths that promise much and keep nothing: the promise alone must cost nothing.
    let mut greedy = Vec::new();
    for _ in 0..50 {
        let mut stream = handshake(address).await;
        let _ = stream.write_all(&(limits::FRAME as u32).to_be_bytes()).await;
        let _ = stream.flush().await;
        greedy.push(stream);
    }
    still_serves().await;
    drop(silent);
}

fn memory_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_at_the_center_s_port_disturbs_nobody() {
    let house = House::open();
    let invitation: Invitation = house.network.invitation.parse().expect("an invitation");
    let address = invitation.addresses[0].to_string();
    let peer = Peer::join(&house.network, Role::Member, &[]).await.expect("joined");
    let pid = house.network.center_pid().expect("it runs");
    let root = house.root();
    let before = memory_kib(pid);
    abuse(&address, async || {
        peer.line.cards(WAIT).await.expect("those who were there are served");
        let newcomer = line(&house.network.invitation).await.expect("others are let in");
        newcomer.form(Role::Store, WAIT).await.expect("and served");
    })
    .await;
    let growth = memory_kib(pid).saturating_sub(before);
    assert!(growth < GROWTH_MAX_KIB, "its memory grew by {growth} KiB");
    assert_eq!(house.root(), root, "nothing was entered");
    house.errors();
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_at_a_store_s_port_disturbs_nobody() {
    let mut house = House::open();
    let shop = house.shop();
    house.member("mina", 0);
    let status = house.done(house.network.store("shop", &["status"]));
    let address = crate::house::text(&status, "/counter/listening/0");
    abuse(&address, async || {
        house.does("mina", &["items", &shop]);
        house.order("mina", &shop);
    })
    .await;
    let status = house.done(house.network.store("shop", &["status"]));
    crate::words::harmless_json("the store's status", &status);
    assert_eq!(house.network.stop_store("shop").expect("it ends"), 0, "and it still ends in order");
}

#[test]
fn nonsense_at_the_control_sockets_disturbs_nobody() {
    let mut house = House::open();
    house.shop();
    let profiles = [house.network.center_profile(), house.network.store_profile("shop")];
    for profile in &profiles {
        for bytes in [
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            vec![0xff; 100_000],
            b"\x10\x00\x00\x00".to_vec(),
            b"{\"act\":{\"nothing\":[]}}\n".to_vec(),
            [&40_u32.to_be_bytes()[..], &[b'['; 40]].concat(),
            [&1_000_000_u32.to_be_bytes()[..], &[b'['; 1_000_000]].concat(),
        ] {
            nonsense(&profile.join("control.sock"), &bytes);
        }
    }
    house.overview();
    house.done(house.network.store("shop", &["status"]));
}

/// Says something to a control socket and reads what comes back, until it hangs up or waits for more.
fn nonsense(socket: &Path, bytes: &[u8]) {
    let mut stream = UnixStream::connect(socket).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_millis(200))).expect("a limit");
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        let waits = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        assert!(waits || error.kind() == ErrorKind::ConnectionReset, "{error}");
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(!answer.contains("panicked"), "{answer}");
}
