//! Fetching goods: prove the buyer key, stream what is missing, check the digest, sign for it.
//!
//! What arrives goes into a temporary file beside its place. When the digest is right it is synced and renamed; only
//! then is it noted in the vault, and only when every line is here is the acknowledgement signed. An interruption at
//! any point is taken up where it stopped.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tokio::{
    fs::{self, File, OpenOptions},
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};
use wire::{
    id::{Digest, OrderHash},
    limits,
    order::{OrderLine, goods_hash},
    payload::Delivery,
    shop::OrderState,
    telegram::Telegram,
    time::Timestamp,
};

use crate::{
    act::Failure,
    keep::Keep,
    record::{Acknowledged, Delivered, Fetched, Record},
    shop::Counter,
    view::Transfer,
};

/// Pieces asked for ahead.
const AHEAD: usize = 8;
/// How long a store may take to hear of a payment that the center has settled.
const NOTICE_WAIT: Duration = Duration::from_secs(20);
/// How often it is asked meanwhile.
const NOTICE_POLL: Duration = Duration::from_millis(300);
/// How often progress is told.
const TELL: Duration = Duration::from_millis(100);
/// The longest file name, in bytes, before our own number.
const NAME_MAX: usize = 180;

/// One order's goods on their way.
pub(crate) struct Delivering<'a> {
    pub(crate) keep: &'a Keep,
    pub(crate) counter: &'a Counter,
    /// The folder below which every order has its own.
    pub(crate) goods: PathBuf,
    pub(crate) order: OrderHash,
    /// Is told how a transfer goes.
    pub(crate) tell: &'a (dyn Fn(Transfer) + Send + Sync),
}

impl Delivering<'_> {
    /// Fetches what is missing and signs for all of it; true when the store has confirmed the acknowledgement.
    pub(crate) async fn run(&self) -> Result<bool, Failure> {
        let order = self.order;
        let facts = self.keep.with(move |kept| {
            let purchase = kept.book.purchase(&order)?;
            Some((purchase.buyer_key(), purchase.order.lines.clone(), purchase.files.clone()))
        });
        let (buyer, lines, files) =
            facts.await.ok_or_else(|| Failure::not_found("there is no such order here"))?;
        let state = self.counter.prove(order, &buyer).await?;
        let missing: Vec<(u32, &OrderLine)> =
            (0..).zip(&lines).filter(|(line, _)| !files.contains_key(line)).collect();
        if !missing.is_empty() {
            self.until_paid(state).await?;
        }
        for (at, line) in missing {
            let file = self.fetch(at, line, file_name(&lines, at, line)).await?;
            tui_kit::failpoint::at("goods.fetched");
            let fetched = Fetched { order, line: at, file, at: Timestamp::now() };
            self.keep.with(move |kept| kept.append(Record::Fetched(fetched))).await?;
        }
        self.acknowledge().await
    }

    /// The store learns of the payment from the center, which may take a moment longer than the receipt took.
    async fn until_paid(&self, mut state: OrderState) -> Result<(), Failure> {
        let deadline = Instant::now() + NOTICE_WAIT;
        loop {
            match state {
                OrderState::Paid | OrderState::Delivered => return Ok(()),
                OrderState::Refunded => {
                    return Err(Failure::refused(
                        "the store has refunded this order; there is nothing to fetch",
                    ));
                }
                OrderState::AwaitingPayment | OrderState::Expired if Instant::now() < deadline => {
                    tokio::time::sleep(NOTICE_POLL).await;
                    state = self.counter.state(self.order).await?;
                }
                OrderState::AwaitingPayment | OrderState::Expired => {
                    return Err(Failure::refused(
                        "the store has not heard of the payment yet; your receipt proves it. Fetch again later",
                    ));
                }
            }
        }
    }

    /// Fetches one line's goods; gives the file's name below the goods folder.
    async fn fetch(&self, at: u32, line: &OrderLine, name: String) -> Result<String, Failure> {
        let folder = self.order.to_string()[..16].to_owned();
        let place = self.goods.join(&folder);
        let part = place.join(format!(".{name}.part"));
        fs::create_dir_all(&place).await.map_err(failed("making", &place))?;
        let (mut file, mut hasher, offset) = resume(&part, line.size).await?;
        self.stream(at, line, &mut file, &mut hasher, offset).await.map_err(|stop| match stop {
            Stop::Failure(failure) => failure,
            Stop::Disk(error) => failed("writing", &part)(error),
        })?;
        if Digest(hasher.finalize().into()) != line.digest {
            drop(file);
            fs::remove_file(&part).await.map_err(failed("removing", &part))?;
            return Err(Failure::contradiction(format!(
                "“{}” is not what was ordered: its digest is another. It is thrown away and nothing was signed for; \
                 fetch again, or ask the store for a refund",
                line.title
            )));
        }
        file.sync_all().await.map_err(failed("saving", &part))?;
        drop(file);
        let target = place.join(&name);
        fs::rename(&part, &target).await.map_err(failed("naming", &target))?;
        let directory = File::open(&place).await.map_err(failed("opening", &place))?;
        directory.sync_all().await.map_err(failed("saving", &place))?;
        Ok(format!("{folder}/{name}"))
    }

    /// Streams from `offset` to the end, several pieces asked for ahead.
    async fn stream(
        &self,
        at: u32,
        line: &OrderLine,
        file: &mut File,
        hasher: &mut Sha256,
        offset: u64,
    ) -> Result<(), Stop> {
        let chunk = limits::CHUNK as u64;
        let offsets = (offset..line.size).step_by(limits::CHUNK);
        let mut pieces = stream::iter(offsets)
            .map(|offset| async move { (offset, self.counter.chunk(self.order, at, offset).await) })
            .buffered(AHEAD);
        let (start, mut told) = (Instant::now(), None::<Instant>);
        let (resumed_at, mut done) = (offset, offset);
        while let Some((offset, piece)) = pieces.next().await {
            let piece = piece.map_err(Stop::Failure)?;
            if piece.len() as u64 != chunk.min(line.size - offset) {
                let words =
                    format!("the store sent a piece of “{}” of the wrong length; fetch again", line.title);
                return Err(Stop::Failure(Failure::contradiction(words)));
            }
            file.write_all(&piece).await.map_err(Stop::Disk)?;
            hasher.update(&piece[..]);
            done += piece.len() as u64;
            if done == line.size || told.is_none_or(|told| told.elapsed() >= TELL) {
                told = Some(Instant::now());
                (self.tell)(self.transfer(line, done, done - resumed_at, start));
            }
        }
        file.flush().await.map_err(Stop::Disk)
    }

    fn transfer(&self, line: &OrderLine, done: u64, fresh: u64, start: Instant) -> Transfer {
        let passed_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = fresh.saturating_mul(1000) / passed_ms;
        Transfer {
            order: self.order,
            file_name: line.file_name.clone(),
            done,
            total: line.size,
            rate,
            left_ms: (line.size - done).saturating_mul(1000).checked_div(rate),
        }
    }

    /// Signs for the goods, on disk before it is sent, and hands the acknowledgement to the store.
    async fn acknowledge(&self) -> Result<bool, Failure> {
        let order = self.order;
        let delivery = self.keep.with(move |kept| {
            let Some(purchase) = kept.book.purchase(&order).filter(|purchase| purchase.complete()) else {
                return Err(Failure::not_possible("not all goods of this order are here yet"));
            };
            if let Some(delivery) = &purchase.delivery {
                return Ok(delivery.clone());
            }
            let goods = goods_hash(&purchase.ordered.salt, &purchase.goods_digest());
            let delivery = Telegram::sign_as_key(&Delivery { order, goods }, &purchase.buyer_key());
            kept.append(Record::Acknowledged(Acknowledged { order, delivery: delivery.clone() }))?;
            Ok(delivery)
        });
        let delivery = delivery.await?;
        tui_kit::failpoint::at("goods.acknowledged");
        let state = self.counter.delivered(delivery).await?;
        tui_kit::failpoint::at("goods.delivered");
        if state != OrderState::Delivered {
            return Ok(false);
        }
        let delivered = Delivered { order, at: Timestamp::now() };
        self.keep.with(move |kept| kept.append(Record::Delivered(delivered))).await?;
        Ok(true)
    }
}

/// Why streaming stopped.
enum Stop {
    Failure(Failure),
    Disk(std::io::Error),
}

/// Opens a temporary file at its end, with the digest of what is in it already.
async fn resume(part: &Path, size: u64) -> Result<(File, Sha256, u64), Failure> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(part).await.map_err(failed("opening", part))?;
    let found = file.metadata().await.map_err(failed("reading", part))?.len();
    // Whole pieces only, so that the offsets are those of a fetch without interruption.
    let kept = if found > size { 0 } else { found - found % limits::CHUNK as u64 };
    file.set_len(kept).await.map_err(failed("preparing", part))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; limits::CHUNK];
    loop {
        let read = file.read(&mut buffer).await.map_err(failed("reading", part))?;
        if read == 0 {
            return Ok((file, hasher, kept));
        }
        hasher.update(&buffer[..read]);
    }
}

/// The cleaned name of a line's file; with the line's number before it where another line has the same.
fn file_name(lines: &[OrderLine], at: u32, line: &OrderLine) -> String {
    let name = clean_name(&line.file_name);
    let same = lines.iter().filter(|other| clean_name(&other.file_name) == name).count();
    if same > 1 { format!("{}-{name}", at + 1) } else { name }
}

/// A file name from what the store calls it: no path, nothing hidden, nothing that a shell or another system trips over.
pub(crate) fn clean_name(name: &str) -> String {
    let kept: String =
        name.chars().map(|c| if c.is_control() || "/\\:*?\"<>|".contains(c) { '_' } else { c }).collect();
    let kept = kept.trim().trim_start_matches('.');
    let mut end = kept.len().min(NAME_MAX);
    while !kept.is_char_boundary(end) {
        end -= 1;
    }
    if kept[..end].is_empty() { "goods".into() } else { kept[..end].to_owned() }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::machine(format!("{doing} {path} failed: {}", tui_kit::text::trouble(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_never_a_path() {
        for (given, kept) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("/etc/passwd", "_etc_passwd"),
            ("..", "goods"),
            (".bashrc", "bashrc"),
            ("a\\b:c", "a_b_c"),
            ("", "goods"),
            ("お茶.txt", "お茶.txt"),
        ] {
            assert_eq!(clean_name(given), kept, "{given}");
        }
        assert!(clean_name(&"あ".repeat(200)).len() <= NAME_MAX);
    }

    #[tokio::test]
    async fn a_temporary_file_is_taken_up_at_a_whole_piece() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("x.part");
        let bytes = vec![7; limits::CHUNK + 100];
        std::fs::write(&part, &bytes).unwrap();
        let (_, hasher, offset) = resume(&part, 1_000_000).await.unwrap();
        assert_eq!(offset, limits::CHUNK as u64);
        assert_eq!(hasher.finalize()[..], Sha256::digest(&bytes[..limits::CHUNK])[..]);
        let (_, _, offset) = resume(&part, 10).await.unwrap();
        assert_eq!(offset, 0, "longer than the goods: begun anew");
    }
}
