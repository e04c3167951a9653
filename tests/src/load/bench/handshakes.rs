//! Full TLS handshakes (post-quantum hybrid, raw public keys) with a login, beside bare handshakes of the same library.
//!
//! Both sides of each count, by processor time: what all cores could do in a second if nobody else used them. By the
//! clock, the two would get different shares of a machine that others use, because one has two processes and the other
//! one.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use color_eyre::eyre::{Result, ensure, eyre};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use wire::{id::Role, key::SigningKey, tls};

use super::{
    Bench, Report,
    row::{Goal, Row, figure},
};
use crate::load::{cast, cores, ending, line::connect, machine::Watch, tally::median};

/// Connections that are opened at the same time.
const AT_ONCE: usize = 32;

pub(super) fn measure(bench: &mut Bench, report: &mut Report) -> Result<()> {
    bench.say("measuring handshakes and logins");
    let lasts = bench.choose(Duration::from_millis(1_500), Duration::from_secs(4));
    let (mut logins, mut bares) = (Vec::new(), Vec::new());
    let (mut center_us, mut own_us) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds() {
        ending::go_on()?;
        let watch = Watch::begin(None);
        let count = bench.runtime.block_on(bare(lasts))?;
        let usage = watch.usage();
        bares.push(count as f64 * cores() as f64 / usage.own);
        let by_clock = count as f64 / usage.seconds;
        let watch = Watch::begin(Some(bench.house.center.pid()));
        let (target, members) = (bench.house.target.clone(), bench.house.cast.sizes.members);
        let count = bench.runtime.block_on(repeat(lasts, move |number| {
            let target = target.clone();
            async move {
                let account = cast::account(Role::Member, number % members);
                target.login(account, &cast::terminal_key(account), number).await.map(drop)
            }
        }))?;
        let usage = watch.usage();
        center_us.push(usage.center * 1e6 / count.max(1) as f64);
        own_us.push(usage.own * 1e6 / count.max(1) as f64);
        logins.push(count as f64 * cores() as f64 / (usage.center + usage.own));
        bench.say(&format!(
            "by the clock {} handshakes with login a second, {} bare; others used {:.0} % of the machine",
            figure(count as f64 / usage.seconds),
            figure(by_clock),
            usage.foreign * 100.0
        ));
    }
    let measure = "TLS handshake (post-quantum hybrid) + login, by CPU : bare rustls handshakes";
    let row = Row::new(measure, median(&logins), "a second", median(&bares), Goal::RatioLeast(0.75));
    if let (Some(false), Some(center), Some(own)) = (row.met, median(&center_us), median(&own_us)) {
        report.notes.push(format!(
            "handshake + login : each took {} µs of the center and {} µs of the generator, which does the client's half and signs the \
             login",
            figure(center),
            figure(own)
        ));
    }
    report.rows.push(row);
    Ok(())
}

/// Handshakes with a server that does nothing else: the same provider, suites, key kind and ALPN; one byte shows that the
/// client's last flight has arrived.
async fn bare(lasts: Duration) -> Result<u64> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let _server = Ended(tokio::spawn(serve(listener)).abort_handle());
    let config = tls::client_config();
    repeat(lasts, move |number| {
        let config = config.clone();
        async move { handshake(address, TlsConnector::from(config), number).await }
    })
    .await
}

async fn handshake(address: SocketAddr, connector: TlsConnector, number: usize) -> Result<()> {
    let mut stream = connector.connect(tls::server_name(), connect(address, number).await?).await?;
    ensure!(stream.read_u8().await? == 1, "the server said something else");
    Ok(())
}

async fn serve(listener: TcpListener) {
    let acceptor = TlsAcceptor::from(tls::server_config(&SigningKey::generate()));
    // Whoever fails is the client's to tell of.
    while let Ok((socket, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let _ = socket.set_nodelay(true);
            let mut stream = acceptor.accept(socket).await?;
            stream.write_u8(1).await?;
            stream.flush().await
        });
    }
}

/// Does something again and again, so many at the same time, and gives how often.
async fn repeat<F, W>(lasts: Duration, work: F) -> Result<u64>
where
    F: Fn(usize) -> W + Send + Sync + 'static,
    W: Future<Output = Result<()>> + Send,
{
    let (work, numbers) = (Arc::new(work), Arc::new(AtomicUsize::new(0)));
    let since = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (work, numbers) = (work.clone(), numbers.clone());
        tasks.spawn(async move {
            let mut done = 0_u64;
            while since.elapsed() < lasts {
                work(numbers.fetch_add(1, Ordering::Relaxed)).await?;
                done += 1;
            }
            Ok::<u64, color_eyre::Report>(done)
        });
    }
    let mut done = 0;
    while let Some(task) = tasks.join_next().await {
        done += task.map_err(|_| eyre!("a connection of the generator failed"))??;
    }
    Ok(done)
}

/// Ends a task when dropped.
struct Ended(AbortHandle);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}
