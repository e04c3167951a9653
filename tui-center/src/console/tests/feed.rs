//! The console on a real loop: floods of news make few frames, and the screen's end ends what feeds it.

use std::sync::Arc;

use ledger::request::OperatorRole;
use ratatui::layout::Size;
use tokio::sync::{broadcast, mpsc, watch};
use tui_kit::{
    Ending, Session,
    session::{Abilities, Incoming, OutputReader, queue},
};

use super::{
    super::{Host, attend, source::Source},
    answer, data,
};
use crate::{
    acts::{Act, ActError, Identity, Outcome},
    errors::ErrorLine,
    inquiry::view::Overview,
    operators::Operator,
};

/// A center that only tells.
#[derive(Clone)]
struct Teller {
    overview: watch::Sender<Arc<Overview>>,
    errors: broadcast::Sender<ErrorLine>,
}

impl Source for Teller {
    fn overview(&self) -> watch::Receiver<Arc<Overview>> {
        self.overview.subscribe()
    }

    fn errors(&self) -> broadcast::Receiver<ErrorLine> {
        self.errors.subscribe()
    }

    async fn sign_in(&self, _: Identity) -> Result<Operator, ActError> {
        Ok(data::operator(OperatorRole::Viewer))
    }

    async fn act(&self, _: Option<Arc<Operator>>, act: Act) -> Result<Outcome, ActError> {
        Ok(answer(&act))
    }
}

async fn until(reader: &mut OutputReader, wanted: &str) -> usize {
    let mut seen = String::new();
    let mut frames = 0;
    while let Some(chunk) = reader.next().await {
        reader.taken(chunk.len());
        frames += 1;
        seen.push_str(&String::from_utf8_lossy(&chunk));
        if seen.contains(wanted) {
            return frames;
        }
    }
    panic!("{wanted:?} was never drawn");
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_overviews_make_few_frames() {
    let teller = Teller {
        overview: watch::Sender::new(Arc::new(data::overview())),
        errors: broadcast::Sender::new(16),
    };
    let (output, mut reader) = queue(1 << 20);
    let (typed, incoming) = mpsc::channel(8);
    let mut session = Session::bare(Abilities::default(), Size::new(80, 24), incoming, output).unwrap();
    let telling = teller.clone();
    let person = async move {
        until(&mut reader, "Passphrase").await;
        let bytes = |text: &'static [u8]| Incoming::Bytes(bytes::Bytes::from_static(text));
        typed.send(bytes(b"secret\r")).await.unwrap();
        until(&mut reader, "Sakura").await;
        let flood = tokio::spawn(async move {
            for entries in 0..10_000u64 {
                let overview = Overview { entries, ..data::overview() };
                telling.overview.send_replace(Arc::new(overview));
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            // Only what changed is drawn, so that only words that are wholly new can be looked for.
            telling.overview.send_replace(Arc::new(Overview { standing: "XYZ".into(), ..data::overview() }));
        });
        let frames = until(&mut reader, "XYZ").await;
        // They come over ten seconds, of which each has ten frames at most.
        assert!(frames < 110, "{frames} frames");
        flood.await.unwrap();
        typed.send(bytes(b"q")).await.unwrap();
    };
    let attending = attend(teller.clone(), Host::Attached, Some("aiko".into()), &mut session);
    let both = async { tokio::join!(attending, person) };
    let (ended, ()) = tokio::time::timeout(std::time::Duration::from_secs(60), both).await.expect("it ends");
    assert_eq!(ended.unwrap(), Ending::Quit);
    // What fed the screen ends with it.
    while teller.overview.receiver_count() > 0 || teller.errors.receiver_count() > 0 {
        tokio::task::yield_now().await;
    }
}
