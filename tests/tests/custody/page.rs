//! The read-only page: what somebody with only a browser or `curl` gets, and does not get.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use color_eyre::eyre::{Result, ensure, eyre};
use inkan_tests::network::Network;
use sha2::{Digest as _, Sha256};

use crate::{configure, text};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

struct Answer {
    status: u16,
    body: Vec<u8>,
}

#[test]
fn a_browser_reads_the_guide_and_fetches_a_build_and_nothing_else() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = Network::found(folder.path())?;
    // A port that was free a moment ago: a proxy has to know it beforehand, and so has this test.
    let page = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    configure(&network, &format!("[page]\nlisten = \"{page}\"\npublic_url = \"http://{page}\""))?;
    let guide = folder.path().join("guide.txt");
    fs::write(&guide, "# Welcome to the garden\n\n- Bring your own <seeds>.\n")?;
    network.center(&["guide", "set", "member", &guide.display().to_string()])?.done()?;
    let build: Vec<u8> = (0..700_000_u32).map(|at| (at % 251) as u8).collect();
    let file = folder.path().join("program");
    fs::write(&file, &build)?;
    let (file, platform) = (file.display().to_string(), "x86_64-unknown-linux-gnu");
    let add = ["kit", "add", &file, "--program", "tui-member", "--platform", platform, "--version", "9.1.0"];
    network.center(&add)?.done()?;
    network.start_center()?;

    let plain = get(page, "/", "*/*")?;
    ensure!(plain.status == 200, "{}", plain.status);
    let words = String::from_utf8(plain.body)?;
    ensure!(words.contains("Bring your own <seeds>.") && words.contains(&network.invitation), "{words}");
    let name = format!("tui-member-9.1.0-{platform}");
    ensure!(words.contains(&format!("http://{page}/kit/{name}")), "no install line: {words}");
    let html = String::from_utf8(get(page, "/", "text/html")?.body)?;
    ensure!(html.contains("Bring your own &lt;seeds&gt;.") && !html.contains("<seeds>"), "{html}");

    let fetched = get(page, &format!("/kit/{name}"), "*/*")?;
    ensure!(fetched.status == 200 && fetched.body == build, "{} bytes came", fetched.body.len());
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&fetched.body));
    let sums = String::from_utf8(get(page, "/kit/SHA256SUMS", "*/*")?.body)?;
    ensure!(sums == format!("{digest}  {name}\n"), "{sums}");
    let kit = network.center(&["kit", "list"])?.done()?;
    ensure!(kit.to_string().contains(&digest), "the kit has another digest: {kit}");
    let guide = network.member("visitor", &["guide", &network.invitation])?.done()?;
    ensure!(
        text(&guide, "/text")?.contains("Bring your own <seeds>."),
        "a terminal reads another guide: {guide}"
    );

    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"] {
        let refused = ask(page, &format!("{method} / HTTP/1.1\r\nhost: here\r\ncontent-length: 0\r\n\r\n"))?;
        ensure!(matches!(refused.status, 400 | 405), "{method}: {}", refused.status);
    }
    for poison in [
        "/../config.toml",
        "/kit/../../root.key",
        "/kit/..%2f..%2froot.key",
        "/kit//etc/passwd",
        "/kit/%2e%2e/%2e%2e/service.key",
        "/kit/%00",
        "/kit/",
        "/config.toml",
        "//",
        "/kit/\u{202e}",
        "/kit/\x1b[2J",
    ] {
        let refused = get(page, poison, "*/*")?;
        ensure!(matches!(refused.status, 400 | 404), "{poison:?}: {}", refused.status);
        ensure!(!refused.body.contains(&0x1b), "{poison:?} came back as it was");
    }
    let after = get(page, "/", "*/*")?;
    ensure!(after.status == 200, "the page is gone afterwards: {}", after.status);
    Ok(())
}

fn get(page: SocketAddr, path: &str, accept: &str) -> Result<Answer> {
    ask(page, &format!("GET {path} HTTP/1.1\r\nhost: here\r\naccept: {accept}\r\n\r\n"))
}

/// Sends a request as it stands, and reads the answer to its end.
fn ask(page: SocketAddr, request: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect(page)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let none = || eyre!("no answer to {request:?}");
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(none)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(none)?;
    ensure!(!head.to_ascii_lowercase().contains("transfer-encoding"), "the body has no plain length: {head}");
    Ok(Answer { status, body: bytes.split_off(end + 4) })
}
