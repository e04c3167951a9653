//! The page over real sockets.

use std::fs;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);
const BROWSER: &str = "accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n";

struct Source {
    builds: Vec<Build>,
}

impl PageSource for Source {
    fn center(&self) -> String {
        "Inkan & Sons".into()
    }

    fn guide(&self, role: Role) -> (String, String) {
        match role {
            Role::Member => {
                ("For members".into(), "Join <now>.\n\n<script>alert(1)</script>\u{1b}[31m\n".into())
            }
            Role::Store => ("For stores".into(), "お店の方へ\n".into()),
        }
    }

    fn builds(&self) -> Vec<Build> {
        self.builds.clone()
    }

    fn invitation(&self) -> String {
        "inkan:center.example:7070/abcdef".into()
    }
}

struct House {
    room: ReadingRoom,
    errors: ErrorLog,
    _dir: tempfile::TempDir,
}

impl House {
    async fn open(connections: u32, pace: Pace, length: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("build");
        let content: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        fs::write(&path, content).unwrap();
        let build = |file: &str, path: PathBuf, length: usize| Build {
            program: "tui-member".into(),
            version: "0.2.0".into(),
            platform: "x86_64-unknown-linux-gnu".into(),
            file: file.into(),
            sha256: Digest([0xab; 32]),
            length: length as u64,
            path,
        };
        let builds = vec![
            build("tui-member-0.2.0", path.clone(), length),
            build("tui-member-shorter", path.clone(), length + 1),
            build("$(reboot)", path.clone(), length),
            build("../etc/passwd", path, length),
        ];
        let page = Page {
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: "https://join.center.example/".into(),
            connections,
        };
        let errors = ErrorLog::open(dir.path());
        let room =
            ReadingRoom::open_at(&page, Arc::new(Source { builds }), errors.clone(), pace).await.unwrap();
        Self { room, errors, _dir: dir }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.room.address()).await.unwrap()
    }

    /// Asks and gives status line and head, and the body.
    async fn ask(&self, line: &str, more: &str) -> (String, Vec<u8>) {
        let mut stream = self.connect().await;
        let request = format!("{line} HTTP/1.1\r\nhost: x\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an answer").unwrap();
        let end = answer.windows(4).position(|part| part == b"\r\n\r\n").expect("a head");
        (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end + 4..].to_vec())
    }

    async fn words(&self, path: &str, more: &str) -> String {
        let (head, body) = self.ask(&format!("GET {path}"), more).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
        String::from_utf8(body).unwrap()
    }

    /// Waits until as many readers are here.
    async fn readers(&self, count: u32) {
        let here = async {
            while self.room.readers() != count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, here).await.unwrap_or_else(|_| panic!("{} readers", self.room.readers()));
    }
}

#[tokio::test]
async fn a_browser_gets_html_and_curl_gets_text() {
    let house = House::open(8, Pace::default(), 1000).await;
    let html = house.words("/", BROWSER).await;
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("<h1>Inkan &amp; Sons</h1>"), "{html}");
    assert!(
        html.contains("Join &lt;now&gt;.") && !html.contains("<script") && !html.contains('\u{1b}'),
        "{html}"
    );
    let text = house.words("/", "accept: */*\r\nuser-agent: curl/8\r\n").await;
    assert!(text.starts_with("Inkan & Sons\n============\n"), "{text}");
    assert!(
        text.contains("Join <now>.\n\n<script>") && text.contains("お店の方へ") && !text.contains('\u{1b}')
    );
    let sum = Digest([0xab; 32]);
    let line = format!(
        "curl -fL -C - -O https://join.center.example/kit/tui-member-0.2.0; echo '{sum}  tui-member-0.2.0' | \
         sha256sum -c - && chmod +x tui-member-0.2.0"
    );
    assert!(text.contains(&line), "{text}");
    for page in [&html, &text] {
        assert!(page.contains("inkan:center.example:7070/abcdef") && page.contains("Compare it"));
        assert!(
            !page.contains("reboot") && !page.contains("passwd"),
            "names that are no names are not offered"
        );
    }
    assert_eq!(house.words("/invitation", "").await, "inkan:center.example:7070/abcdef\n");
    let sums = house.words("/kit/SHA256SUMS", BROWSER).await;
    assert_eq!(sums, format!("{sum}  tui-member-0.2.0\n{sum}  tui-member-shorter\n"));
    house.room.close().await;
}

#[tokio::test]
async fn a_build_is_fetched_whole_and_in_parts() {
    let house = House::open(8, Pace::default(), 300_000).await;
    let (head, body) = house.ask("GET /kit/tui-member-0.2.0", "").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("accept-ranges: bytes"), "{head}");
    assert_eq!(body.len(), 300_000);
    let tag = Digest([0xab; 32]);
    let (head, rest) = house
        .ask("GET /kit/tui-member-0.2.0", &format!("range: bytes=200000-\r\nif-range: \"{tag}\"\r\n"))
        .await;
    assert!(
        head.starts_with("HTTP/1.1 206 ") && head.contains("content-range: bytes 200000-299999/300000"),
        "{head}"
    );
    assert_eq!(rest, body[200_000..]);
    let (head, again) =
        house.ask("GET /kit/tui-member-0.2.0", "range: bytes=5-\r\nif-range: \"another\"\r\n").await;
    assert!(
        head.starts_with("HTTP/1.1 200 ") && again == body,
        "a newer build is not glued to an older part"
    );
    let (head, _) = house.ask("GET /kit/tui-member-0.2.0", "range: bytes=300000-\r\n").await;
    assert!(head.starts_with("HTTP/1.1 416 ") && head.contains("bytes */300000"), "{head}");
}

#[tokio::test]
async fn heads_have_no_body_and_what_is_not_there_is_not_found() {
    let house = House::open(8, Pace::default(), 1000).await;
    for path in ["/", "/kit/tui-member-0.2.0", "/kit/SHA256SUMS"] {
        let (head, body) = house.ask(&format!("HEAD {path}"), "").await;
        let (whole, content) = house.ask(&format!("GET {path}"), "").await;
        let length = |head: &str| {
            let found =
                head.lines().find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
            found.unwrap_or_else(|| panic!("no length in {head}"))
        };
        assert!(head.starts_with("HTTP/1.1 200 ") && body.is_empty(), "{path}: {head}");
        assert_eq!(
            (length(&head), length(&whole)),
            (content.len().to_string(), content.len().to_string()),
            "{path}"
        );
        assert!(head.contains("default-src 'none'") && head.contains("nosniff"), "{head}");
    }
    for path in
        ["/nothing", "/kit/", "/kit/none", "/kit/../../etc/passwd", "/kit/$(reboot)", "/kit/%2e%2e/x", "//"]
    {
        let (head, _) = house.ask(&format!("GET {path}"), "").await;
        assert!(head.starts_with("HTTP/1.1 404 ") || head.starts_with("HTTP/1.1 400 "), "{path}: {head}");
    }
}

#[tokio::test]
async fn nothing_can_be_written_and_nonsense_is_no_request() {
    let house = House::open(8, Pace::default(), 1000).await;
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "BREW"] {
        let (head, body) = house.ask(&format!("{method} /"), "content-length: 0\r\n").await;
        assert!(head.starts_with("HTTP/1.1 405 ") && head.contains("allow: GET, HEAD"), "{method}: {head}");
        assert!(String::from_utf8(body).unwrap().contains("for reading"));
    }
    let (head, _) = house.ask("GET /", &format!("x: {}\r\n", "y".repeat(HEAD))).await;
    assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
    let (head, _) = house.ask("GET /", &"x: y\r\n".repeat(FIELDS + 1)).await;
    assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
    // A build whose file is not what it was is no build, and the operators hear of it once.
    for _ in 0..3 {
        let (head, _) = house.ask("GET /kit/tui-member-shorter", "").await;
        assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    }
    assert_eq!(house.errors.newest("should have 1001 bytes and has 1000", 10).len(), 1);
    house.readers(0).await;
}

#[tokio::test]
async fn a_slow_client_is_cut() {
    let brief = Duration::from_millis(300);
    let pace = Pace { head: brief, silence: brief, whole: PATIENCE };
    let house = House::open(8, pace, 64 << 20).await;
    // Begins a request and does not end it.
    let mut stream = house.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("cut").unwrap_or_default();
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    house.readers(0).await;
    // Asks for much and takes nothing.
    let mut stream = house.connect().await;
    stream.write_all(b"GET /kit/tui-member-0.2.0 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    house.readers(1).await;
    house.readers(0).await;
}

#[tokio::test]
async fn too_many_readers_are_told_and_places_are_given_back() {
    let house = House::open(2, Pace::default(), 1000).await;
    let (first, second) = (house.connect().await, house.connect().await);
    house.readers(2).await;
    let mut third = house.connect().await;
    let mut answer = Vec::new();
    timeout(PATIENCE, third.read_to_end(&mut answer)).await.expect("an end").unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{answer}");
    drop((first, second));
    house.readers(0).await;
    house.words("/", "").await;
}

#[test]
fn one_address_has_a_share() {
    let places = Places::new(8);
    let stranger: IpAddr = [192, 0, 2, 1].into();
    let held: Vec<_> = std::iter::from_fn(|| places.take(stranger)).collect();
    assert_eq!(held.len(), 2);
    let all: Vec<_> = std::iter::from_fn(|| places.take([127, 0, 0, 1].into())).collect();
    assert_eq!((all.len(), places.taken()), (6, 8));
    drop((held, all));
    assert_eq!(places.taken(), 0);
    assert!(places.0.lock().unwrap().by_address.is_empty());
}
