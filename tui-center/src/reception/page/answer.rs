//! What is at which address.

use std::{io, path::Path, sync::Arc};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Frame,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
};

use super::{Build, PageSource, words};

/// How much of a file is read at a time.
const PIECE: usize = 64 * 1024;

type Body = BoxBody<Bytes, io::Error>;
/// Why there is no answer, in words for the operators.
type Failed = String;

/// What is asked for.
enum Place {
    Guide,
    Invitation,
    Sums,
    Build(String),
    Nowhere,
}

/// Answers a request. Whatever comes in its body is not read.
pub(super) async fn answer<B>(
    source: Arc<dyn PageSource>,
    url: Arc<str>,
    request: Request<B>,
) -> Result<Response<Body>, Failed> {
    let head = request.method() == Method::HEAD;
    if !head && request.method() != Method::GET {
        let mut refused =
            text(StatusCode::METHOD_NOT_ALLOWED, "This page is for reading: GET and HEAD only.\n".into());
        refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(finish(refused, head));
    }
    let html = wants_html(request.headers());
    let answered = match place(request.uri().path()) {
        Place::Guide => {
            let asked = asked(source, move |source| words::page(source, &url, html)).await?;
            let mut answer = text(StatusCode::OK, asked);
            if html {
                set(&mut answer, header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            }
            set(&mut answer, header::VARY, HeaderValue::from_static("accept"));
            answer
        }
        Place::Invitation => {
            text(StatusCode::OK, asked(source, |source| format!("{}\n", source.invitation())).await?)
        }
        Place::Sums => {
            text(StatusCode::OK, asked(source, |source| words::sums(&words::offered(source))).await?)
        }
        Place::Build(name) => {
            let builds = asked(source, words::offered).await?;
            match builds.into_iter().find(|build| build.file == name) {
                Some(build) => file(&build, request.headers(), head).await?,
                None => nowhere(),
            }
        }
        Place::Nowhere => nowhere(),
    };
    Ok(finish(answered, head))
}

/// What is said when there is no answer.
pub(super) fn failed(head: bool) -> Response<Body> {
    let words = "The center cannot show this at present; its operators have been told.\n";
    finish(text(StatusCode::SERVICE_UNAVAILABLE, words.into()), head)
}

fn place(path: &str) -> Place {
    match path {
        "/" | "/index.html" => Place::Guide,
        "/invitation" => Place::Invitation,
        "/kit/SHA256SUMS" => Place::Sums,
        // A name is looked for among the builds and never made into a path.
        _ => path.strip_prefix("/kit/").map_or(Place::Nowhere, |name| Place::Build(name.to_owned())),
    }
}

/// Browsers ask for HTML by name; `curl` takes whatever comes, and gets what a terminal can show.
fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accept.flat_map(|value| value.split(',')).any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/html") || kind.eq_ignore_ascii_case("application/xhtml+xml")
    })
}

/// Asks the source on a thread of its own.
async fn asked<T: Send + 'static>(
    source: Arc<dyn PageSource>,
    ask: impl FnOnce(&dyn PageSource) -> T + Send + 'static,
) -> Result<T, Failed> {
    let asked = tokio::task::spawn_blocking(move || ask(&*source)).await;
    asked.map_err(|_| "an error in the program".into())
}

/// A build, from where the client wants it.
async fn file(build: &Build, headers: &HeaderMap, head: bool) -> Result<Response<Body>, Failed> {
    let opened = open(&build.path, build.length).await;
    let mut file = opened.map_err(|why| format!("the build {} cannot be read: {why}", build.file))?;
    let tag = format!("\"{}\"", build.sha256);
    let same = |value: &HeaderValue| value.as_bytes() == tag.as_bytes();
    let resumable = headers.get(header::IF_RANGE).is_none_or(same);
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok()).filter(|_| resumable);
    let (status, first, last) = match range.and_then(|range| part(range, build.length)) {
        None => (StatusCode::OK, 0, build.length.saturating_sub(1)),
        Some(Ok((first, last))) => (StatusCode::PARTIAL_CONTENT, first, last),
        Some(Err(())) => {
            let mut refused = text(StatusCode::RANGE_NOT_SATISFIABLE, "The file has no such part.\n".into());
            set(&mut refused, header::CONTENT_RANGE, value(&format!("bytes */{}", build.length)));
            return Ok(refused);
        }
    };
    let length = if build.length == 0 { 0 } else { last - first + 1 };
    let body = if head {
        Full::default().map_err(|never| match never {}).boxed()
    } else {
        let sought = file.seek(io::SeekFrom::Start(first)).await;
        sought.map_err(|error| format!("the build {} cannot be read: {error}", build.file))?;
        pieces(file, length)
    };
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    set(&mut answer, header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    set(&mut answer, header::CONTENT_LENGTH, length.into());
    set(&mut answer, header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    set(&mut answer, header::ETAG, value(&tag));
    if status == StatusCode::PARTIAL_CONTENT {
        set(&mut answer, header::CONTENT_RANGE, value(&format!("bytes {first}-{last}/{}", build.length)));
    }
    Ok(answer)
}

async fn open(path: &Path, length: u64) -> Result<File, String> {
    let file = File::open(path).await.map_err(|error| error.to_string())?;
    let data = file.metadata().await.map_err(|error| error.to_string())?;
    if data.is_file() && data.len() == length {
        Ok(file)
    } else {
        Err(format!("it should have {length} bytes and has {}", data.len()))
    }
}

fn pieces(file: File, length: u64) -> Body {
    let stream = stream::try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; most];
        let count = file.read(&mut piece).await?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the build has become shorter"));
        }
        piece.truncate(count);
        Ok(Some((Frame::data(Bytes::from(piece)), (file, left - count as u64))))
    });
    BodyExt::boxed(StreamBody::new(stream))
}

/// The first and last byte of `bytes=N-`, `bytes=N-M` or `bytes=-N`; an error where the file has no such part, `None`
/// for what this page does not know and therefore passes over (RFC 9110, 14.2).
fn part(range: &str, length: u64) -> Option<Result<(u64, u64), ()>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let number =
        |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let (first, last) = match (first, last) {
        ("", "") => return None,
        ("", last) => (length.saturating_sub(number(last)?), length.saturating_sub(1)),
        (first, "") => (number(first)?, length.saturating_sub(1)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            (first, last.min(length.saturating_sub(1)))
        }
    };
    Some(if first < length { Ok((first, last)) } else { Err(()) })
}

fn nowhere() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "There is nothing here. Begin at / .\n".into())
}

fn text(status: StatusCode, words: String) -> Response<Body> {
    let length = words.len();
    let mut answer = Response::new(Full::from(words).map_err(|never| match never {}).boxed());
    *answer.status_mut() = status;
    set(&mut answer, header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    set(&mut answer, header::CONTENT_LENGTH, length.into());
    answer
}

/// What every answer says, and what `HEAD` leaves out.
fn finish(mut answer: Response<Body>, head: bool) -> Response<Body> {
    let always = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    for (name, words) in always {
        set(&mut answer, name, HeaderValue::from_static(words));
    }
    if head {
        // The length of what `GET` would give stays said (RFC 9110, 9.3.2).
        *answer.body_mut() = Full::default().map_err(|never| match never {}).boxed();
    }
    answer
}

fn set(answer: &mut Response<Body>, name: HeaderName, value: HeaderValue) {
    answer.headers_mut().insert(name, value);
}

/// Only digits, hexadecimal digits and signs of this file get here.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_file() {
        for (range, expected) in [
            ("bytes=0-", Some(Ok((0, 99)))),
            ("bytes=40-", Some(Ok((40, 99)))),
            ("bytes=40-49", Some(Ok((40, 49)))),
            ("bytes=40-1000", Some(Ok((40, 99)))),
            ("bytes=-10", Some(Ok((90, 99)))),
            ("bytes=-1000", Some(Ok((0, 99)))),
            ("bytes=100-", Some(Err(()))),
            ("bytes=-0", Some(Err(()))),
            ("bytes=50-40", None),
            ("bytes=0-1,5-6", None),
            ("bytes=+1-", None),
            ("bytes=99999999999999999999-", None),
            ("lines=1-2", None),
            ("bytes=-", None),
        ] {
            assert_eq!(part(range, 100), expected, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), Some(Err(())));
    }
}
