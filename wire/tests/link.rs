//! Calls, answers and pushes over real loopback sockets, and everything a peer can do wrong with them.

#![cfg(feature = "net")]

mod host;

use std::sync::Arc;

use host::{AMPLE, BRIEF, Host};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    sync::{Notify, mpsc},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;
use wire::{
    frame::Frames,
    link::{
        FromServer, Greeted, Link, LinkError, NoPush, NotPushed, Pace, Pusher, ToServer, connect, pushes,
    },
    tls,
};

/// One connection of a server that speaks TLS and greets, but then says what the test writes.
async fn raw(host: &Host) -> tokio_rustls::server::TlsStream<TcpStream> {
    let acceptor = TlsAcceptor::from(tls::server_config(&host.key));
    let mut stream = acceptor.accept(host.socket().await).await.unwrap();
    let mut hello = Frames::<_, (), String>::new(&mut stream);
    hello.send(&"hello".to_owned()).await.unwrap();
    drop(hello);
    stream
}

async fn greeted(address: &str) -> Greeted {
    let connected = connect(&[address], &tls::client_config(), AMPLE).await.unwrap();
    let (hello, greeted) = connected.hello::<String>(AMPLE).await.unwrap();
    assert_eq!(hello, "hello");
    greeted
}

/// A link to a server that handles each number with `handle` and keeps `pace`.
async fn linked<F>(
    pace: Pace,
    handle: impl Fn(u32, Pusher<String>) -> F + Send + Sync + 'static,
) -> (Link<u32, String>, mpsc::Receiver<String>, Pusher<String>, JoinHandle<Result<(), LinkError>>)
where
    F: Future<Output = String> + Send + 'static,
{
    let host = Host::new().await;
    let address = host.address.clone();
    let (pusher, queue) = pushes();
    let kept = pusher.clone();
    let server = tokio::spawn(async move {
        let ready = host.ready().await;
        ready.serve(pace, queue, |number| handle(number, kept.clone())).await
    });
    let (link, pushed) = greeted(&address).await.start(Pace::default());
    (link, pushed, pusher, server)
}

#[tokio::test]
async fn calls_are_answered_and_the_end_is_orderly() {
    let (link, _pushed, _pusher, server) =
        linked(Pace::default(), |number, _| async move { format!("{number}!") }).await;
    assert_eq!(link.call(7, AMPLE).await, Ok("7!".into()));
    let other = link.clone();
    drop(link);
    assert_eq!(other.call(8, AMPLE).await, Ok("8!".into()), "a clone keeps it open");
    drop(other);
    assert_eq!(server.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn answers_come_as_they_are_ready() {
    let second_answered = Arc::new(Notify::new());
    let gate = second_answered.clone();
    let (link, _pushed, _pusher, _server) = linked(Pace::default(), move |number, _| {
        let gate = gate.clone();
        async move {
            if number == 1 {
                gate.notified().await;
            }
            number.to_string()
        }
    })
    .await;
    let first = link.call(1, AMPLE);
    let second = async {
        let answer = link.call(2, AMPLE).await;
        second_answered.notify_one();
        answer
    };
    assert_eq!(tokio::join!(first, second), (Ok("1".into()), Ok("2".into())));
}

#[tokio::test]
async fn more_calls_than_the_pipeline_holds_all_get_their_own_answer() {
    let (link, _pushed, _pusher, _server) = linked(Pace::default(), |number, _| async move {
        tokio::task::yield_now().await;
        number.to_string()
    })
    .await;
    let calls: Vec<_> = (0..500)
        .map(|number| {
            let link = link.clone();
            tokio::spawn(async move { (number, link.call(number, AMPLE).await) })
        })
        .collect();
    for call in calls {
        let (number, answer) = call.await.unwrap();
        assert_eq!(answer, Ok(number.to_string()));
    }
}

#[tokio::test]
async fn pushes_arrive_in_order_between_answers() {
    let (link, mut pushed, pusher, _server) = linked(Pace::default(), |number, pusher| async move {
        pusher.push(format!("push {number}")).unwrap();
        "done".into()
    })
    .await;
    for number in 0..3 {
        assert_eq!(link.call(number, AMPLE).await, Ok("done".into()));
        assert_eq!(pushed.recv().await.unwrap(), format!("push {number}"));
    }
    for number in 0..1_000 {
        let pushing = pusher.push_waiting(number.to_string());
        let (pushing, push) = tokio::join!(pushing, pushed.recv());
        assert_eq!((pushing, push), (Ok(()), Some(number.to_string())));
    }
    drop(pushed);
    pusher.push("to nobody".into()).unwrap();
    assert_eq!(link.call(9, AMPLE).await, Ok("done".into()), "unwanted pushes stop nothing");
}

#[tokio::test]
async fn hanging_up_answers_what_was_asked_and_sends_what_was_queued() {
    let begun = Arc::new(Notify::new());
    let gate = begun.clone();
    let (link, mut pushed, pusher, server) = linked(Pace::default(), move |_, pusher| {
        let gate = gate.clone();
        async move {
            gate.notify_one();
            pusher.hang_up();
            tokio::task::yield_now().await;
            pusher.push("last".into()).unwrap();
            "answered".into()
        }
    })
    .await;
    assert_eq!(link.call(1, AMPLE).await, Ok("answered".into()));
    assert_eq!(pushed.recv().await.as_deref(), Some("last"));
    assert_eq!(link.closed().await, LinkError::Closed);
    assert_eq!(server.await.unwrap(), Ok(()));
    assert_eq!(pusher.push("late".into()), Err(NotPushed::Closed("late".into())));
}

#[tokio::test]
async fn a_server_that_dies_ends_every_pending_call() {
    let begun = Arc::new(Notify::new());
    let gate = begun.clone();
    let (link, mut pushed, _pusher, server) = linked(Pace::default(), move |_, _| {
        gate.notify_one();
        std::future::pending()
    })
    .await;
    let calls = async { tokio::join!(link.call(1, AMPLE), link.call(2, AMPLE)) };
    let death = async {
        begun.notified().await;
        server.abort();
    };
    let ((first, second), ()) = tokio::join!(calls, death);
    assert_eq!((first, second), (Err(LinkError::Closed), Err(LinkError::Closed)));
    assert_eq!(pushed.recv().await, None);
    assert!(link.is_closed());
    assert_eq!(link.call(3, AMPLE).await, Err(LinkError::Closed));
}

#[tokio::test]
async fn a_call_that_is_not_answered_in_time_harms_no_other() {
    let (link, _pushed, _pusher, _server) = linked(Pace::default(), |number, _| async move {
        if number == 1 {
            std::future::pending::<()>().await;
        }
        "here".into()
    })
    .await;
    let late = link.call(1, BRIEF).await.unwrap_err();
    assert_eq!(late.to_string(), "timed out waiting for the answer");
    assert_eq!(link.call(2, AMPLE).await, Ok("here".into()));
}

#[tokio::test]
async fn a_request_that_fits_no_frame_ends_itself_only() {
    let host = Host::new().await;
    let address = host.address.clone();
    let (_pusher, queue) = pushes::<NoPush>();
    let server = tokio::spawn(async move {
        host.ready()
            .await
            .serve(Pace::default(), queue, |bytes: Vec<u8>| async move { bytes.len() as u32 })
            .await
    });
    let (link, _) = greeted(&address).await.start::<Vec<u8>, u32, NoPush>(Pace::default());
    let error = link.call(vec![0; wire::limits::FRAME], AMPLE).await.unwrap_err();
    assert!(matches!(error, LinkError::TooLong { .. }), "{error}");
    assert_eq!(link.call(vec![0; 100_000], AMPLE).await, Ok(100_000));
    drop(link);
    assert_eq!(server.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn oversized_and_truncated_and_foreign_frames_end_the_connection_in_words() {
    for (bytes, words) in [
        (&[0xff, 0xff, 0xff, 0xff][..], "frame size too big"),
        (&[0, 0, 0, 9, 0, 0, 0], "ended within a frame"),
        (&[0, 0, 0, 4, 9, 9, 9, 9], "not a well-formed frame"),
        // An answer to a call that was never made.
        (&[0, 0, 0, 16, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "answered what was not asked"),
    ] {
        let host = Host::new().await;
        let server = async {
            let mut stream = raw(&host).await;
            stream.write_all(bytes).await.unwrap();
            stream.shutdown().await.unwrap();
            stream
        };
        let client = async {
            let (link, _pushed) = greeted(&host.address).await.start::<u32, String, String>(Pace::default());
            link.closed().await
        };
        let (error, _stream) = tokio::join!(client, server);
        assert!(matches!(error, LinkError::PeerMisbehaved(_)), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_server_drops_who_sends_what_is_no_call() {
    for bytes in [&[0xff; 8][..], &[0, 0, 0, 4, 9, 9, 9, 9], &[0, 0, 0, 9, 0, 0, 0, 0]] {
        let host = Host::new().await;
        let (pusher, queue) = pushes::<NoPush>();
        let server = async {
            let ready = host.ready().await;
            ready
                .serve(Pace::default(), queue, |_: u32| async { unreachable!("no call was made") as u32 })
                .await
        };
        let client = async {
            let socket = TcpStream::connect(&host.address).await.unwrap();
            let connector = tokio_rustls::TlsConnector::from(tls::client_config());
            let mut stream = connector.connect(tls::server_name(), socket).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream.shutdown().await.unwrap();
            stream
        };
        let (ended, _stream) = tokio::join!(server, client);
        assert!(matches!(ended, Err(LinkError::PeerMisbehaved(_))), "{ended:?}");
        assert!(pusher.is_closed());
    }
}

#[tokio::test]
async fn a_silent_client_is_dropped_and_a_pinging_one_is_kept() {
    let pace = Pace { silence: BRIEF, ..Pace::default() };
    let (silent, _pushed, _pusher, server) = linked(pace, |_, _| async { String::new() }).await;
    assert_eq!(server.await.unwrap(), Err(LinkError::Timeout { what: "any sign of life" }));
    assert_eq!(silent.closed().await, LinkError::Closed);

    let host = Host::new().await;
    let (_pusher, queue) = pushes::<NoPush>();
    let address = host.address.clone();
    let server = tokio::spawn(async move {
        host.ready()
            .await
            .serve(Pace { silence: BRIEF * 4, ..Pace::default() }, queue, |call: u32| async move { call })
            .await
    });
    let pace = Pace { ping: BRIEF / 5, silence: BRIEF * 4, ..Pace::default() };
    let (link, _pushed) = greeted(&address).await.start::<u32, u32, NoPush>(pace);
    let outlived = tokio::time::timeout(BRIEF * 12, link.closed()).await;
    assert!(outlived.is_err(), "the pings and their answers keep both sides content: {outlived:?}");
    assert_eq!(link.call(5, AMPLE).await, Ok(5));
    drop(link);
    assert_eq!(server.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_server_that_answers_no_ping_is_given_up() {
    let host = Host::new().await;
    let pace = Pace { ping: BRIEF / 3, silence: BRIEF, ..Pace::default() };
    let (_stream, error) = tokio::join!(raw(&host), async {
        let (link, _pushed) = greeted(&host.address).await.start::<u32, String, String>(pace);
        assert!(link.call(1, AMPLE).await.is_err());
        link.closed().await
    });
    assert_eq!(error, LinkError::Timeout { what: "any sign of life" });
}

#[tokio::test]
async fn a_client_that_stops_reading_is_dropped_and_its_queue_stays_bounded() {
    let host = Host::new().await;
    let (pusher, queue) = pushes::<Vec<u8>>();
    let pace = Pace { stall: BRIEF, ..Pace::default() };
    let server = async { host.ready().await.serve(pace, queue, |call: u32| async move { call }).await };
    let pushing = async {
        let mut full = false;
        while !pusher.is_closed() {
            match pusher.push(vec![0; 60_000]) {
                Ok(()) => tokio::task::yield_now().await,
                Err(NotPushed::Full(_)) => {
                    full = true;
                    pusher.closed().await;
                }
                Err(NotPushed::Closed(_)) => break,
            }
        }
        full
    };
    // It stays connected and reads nothing.
    let (ended, full, _client) = tokio::join!(server, pushing, greeted(&host.address));
    assert_eq!(ended, Err(LinkError::Timeout { what: "the other side to read" }));
    assert!(full, "the queue refused more");
}

#[tokio::test]
async fn pushes_that_nobody_takes_hold_the_peer_back_and_lose_nothing() {
    let (link, mut pushed, pusher, _server) = linked(Pace::default(), |_, _| async { "answer".into() }).await;
    let count = 3_000;
    let pushing = tokio::spawn(async move {
        for number in 0..count {
            pusher.push_waiting(format!("{number:01000}")).await.unwrap();
        }
    });
    let late = link.call(1, BRIEF).await;
    for number in 0..count {
        assert_eq!(pushed.recv().await.unwrap(), format!("{number:01000}"));
    }
    pushing.await.unwrap();
    // Whether the first answer came before the queue was full is a race; afterwards all is well again.
    assert!(matches!(late, Ok(_) | Err(LinkError::Timeout { .. })), "{late:?}");
    assert_eq!(link.call(2, AMPLE).await, Ok("answer".into()));
}

#[tokio::test]
async fn a_server_reads_no_more_calls_than_it_may_have_at_work() {
    let host = Host::new().await;
    let (_pusher, queue) = pushes::<NoPush>();
    let (begun, mut begins) = mpsc::unbounded_channel();
    let release = Arc::new(Notify::new());
    let gate = release.clone();
    let address = host.address.clone();
    let server = tokio::spawn(async move {
        let handle = |number: u32| {
            begun.send(number).unwrap();
            let gate = gate.clone();
            async move {
                gate.notified().await;
                number
            }
        };
        host.ready().await.serve(Pace::default(), queue, handle).await
    });
    // A client that keeps to no pipeline.
    let socket = TcpStream::connect(&address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(tls::client_config());
    let stream = connector.connect(tls::server_name(), socket).await.unwrap();
    let mut frames = Frames::<_, String, ToServer<u32>>::new(stream);
    assert_eq!(frames.receive().await.unwrap(), "hello");
    let mut frames = frames.carrying::<FromServer<u32, NoPush>, ToServer<u32>>();
    let calls = wire::limits::PIPELINE as u32 + 1;
    for id in 0..calls {
        frames.send(&ToServer::Call { id, request: id }).await.unwrap();
    }
    for number in 0..calls - 1 {
        assert_eq!(begins.recv().await, Some(number));
    }
    assert!(tokio::time::timeout(BRIEF, begins.recv()).await.is_err(), "the last one has to wait");
    release.notify_one();
    assert!(matches!(frames.receive().await, Ok(FromServer::Reply { .. })));
    assert_eq!(begins.recv().await, Some(calls - 1));
    release.notify_waiters();
    drop(frames);
    assert_eq!(server.await.unwrap(), Ok(()));
}
