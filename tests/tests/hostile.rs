//! One hostile connection, or one address of them, slows the others by no more than its share.
//!
//! Each way of being hostile goes on beside honest members who pay; what they get done is held against what they get done
//! in peace, interleaved. In the suite the bound is generous, for the machine is shared; what acts is said beside each.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use color_eyre::eyre::{Result, ensure, eyre};
use inkan_tests::load::{
    cast::{self, Cast, Sizes},
    center::Center,
    drive::{Pace, Plan, run},
    line::{Line, Target, connect},
    payments::{framed, piles},
    prepare,
    stores::Stores,
    tally,
};
use tokio::{io::AsyncWriteExt as _, time::timeout};
use wire::{
    id::{AccountNumber, MemberNumber, Role},
    key::SigningKey,
    limits,
    link::ToServer,
    message::Request,
};

/// Honest members, each with a connection.
const HONEST: usize = 4;
/// What each of them pays in one run.
const EACH: usize = 400;
/// How often peace and each attack alternate.
const TURNS: usize = 2;
/// What must be left of the honest members' throughput. The bound is generous: the machine is shared, and what an account
/// may ask in a second (500 requests, by the settings) is lifted here, so that the connection's own bounds alone act.
const LEFT: f64 = 0.12;
/// The member who turns hostile.
const TRAITOR: usize = HONEST;
/// The address that hostile connections come from.
const SOURCE: usize = 150;

/// A frame of four bytes that is no message.
const RUBBISH: [u8; 8] = [0, 0, 0, 4, 0xa5, 0xa5, 0xa5, 0xa5];

type Doing<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// A way of being hostile: its name, what acts against it, and what is done again and again.
struct Attack {
    name: &'static str,
    defence: &'static str,
    act: for<'a> fn(&'a World) -> Doing<'a>,
}

struct World {
    target: Arc<Target>,
    address: SocketAddr,
    cast: Cast,
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "pays in a pipeline and reads no answer",
        defence: "64 unanswered requests are taken of one connection, and nothing more is read of it until it reads",
        act: |world| Box::pin(never_reads(world)),
    },
    Attack {
        name: "pays in a pipeline as fast as it can",
        defence: "a connection's requests are heard sixteen at a time, by turns with others'",
        act: |world| Box::pin(floods(world)),
    },
    Attack {
        name: "writes a byte now and then",
        defence: "an unfinished frame costs its bytes; a connection that says nothing whole for 45 seconds is closed",
        act: |world| Box::pin(drips(world)),
    },
    Attack {
        name: "sends frames of rubbish",
        defence: "the first frame that does not decode closes the connection",
        act: |world| Box::pin(sends(world, &RUBBISH)),
    },
    Attack {
        name: "announces a frame of four gigabytes",
        defence: "a length beyond the limit closes the connection before anything is kept for it",
        act: |world| Box::pin(sends(world, &[0xff; 8])),
    },
    Attack {
        name: "opens connections and never finishes the handshake",
        defence: "a handshake has ten seconds, and an address so many connections",
        act: |world| Box::pin(half_open(world)),
    },
    Attack {
        name: "logs in with wrong keys",
        defence: "after five wrong logins the address is locked out, and a locked out one costs no signature",
        act: |world| Box::pin(guesses(world)),
    },
];

#[test]
fn a_hostile_connection_slows_the_others_by_no_more_than_its_share() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let profile = dir.path().join("center");
    let cast = prepare::center(&profile, Sizes::of(HONEST + 1, 3), 0, &mut |_| {}).expect("prepared");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let endured = runtime.block_on(async {
        let center = Center::start(&profile)?;
        let world = World { target: center.target()?, address: center.address(), cast };
        let stores = Stores::open(&world.target, &world.cast).await?;
        for attack in ATTACKS {
            endure(&world, &stores, &center, attack).await?;
        }
        drop(stores);
        center.stop()
    });
    endured.unwrap_or_else(|error| panic!("{error:#}"));
}

/// Honest members pay in peace and under an attack, by turns.
async fn endure(world: &World, stores: &Stores, center: &Center, attack: &Attack) -> Result<()> {
    let (mut peace, mut war) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        peace.push(honest(world, stores, center).await?);
        let attacking = async {
            loop {
                // However it is turned away, it comes again.
                let _ = timeout(Duration::from_secs(2), (attack.act)(world)).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let rate: Result<f64> = tokio::select! {
            rate = honest(world, stores, center) => rate,
            never = attacking => never,
        };
        war.push(rate?);
    }
    let peace = tally::median(&peace).ok_or_else(|| eyre!("nothing was measured"))?;
    let war = tally::median(&war).ok_or_else(|| eyre!("nothing was measured"))?;
    let left = war / peace;
    println!(
        "one {}: {:.0} % of {peace:.0}/s is left to the others; {}",
        attack.name,
        left * 100.0,
        attack.defence
    );
    ensure!(left >= LEFT, "one who {} leaves {:.0} % to the others", attack.name, left * 100.0);
    Ok(())
}

/// What the honest members get done: settled payments a second, each with its notice.
async fn honest(world: &World, stores: &Stores, center: &Center) -> Result<f64> {
    let plan = Plan {
        connections: HONEST,
        pace: Pace::Closed(8),
        payments: HONEST * EACH,
        sample: 10,
        first_member: 0,
    };
    let outcome = run(&world.target, &world.cast, stores, center.pid(), &plan).await?;
    let other = outcome.refused + outcome.busy + outcome.problems + outcome.unanswered;
    ensure!(other == 0, "honest members were not served: {:?}", outcome.summary(&plan));
    Ok(outcome.per_second())
}

async fn log_in(world: &World) -> Result<Line> {
    let account = cast::account(Role::Member, TRAITOR);
    Ok(world.target.login(account, &cast::terminal_key(account), SOURCE).await?.0)
}

async fn never_reads(world: &World) -> Result<()> {
    let mut line = log_in(world).await?;
    // Pages of the directory are long answers to short questions.
    for id in 2.. {
        let request = Request::Directory { query: wire::text::Line::default(), after: None };
        line.call(id, request).await?;
    }
    Ok(())
}

async fn floods(world: &World) -> Result<()> {
    let mut line = log_in(world).await?;
    let pile = piles(&world.cast, 1, limits::PIPELINE, TRAITOR).pop().ok_or_else(|| eyre!("no payments"))?;
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        // The same again: each is verified, and answered from the books.
        line.send(pile.frames(0..pile.len())).await?;
        let mut answered = 0;
        while answered < pile.len() {
            line.fill().await?;
            while line.take().is_some() {
                answered += 1;
            }
        }
    }
    Ok(())
}

async fn drips(world: &World) -> Result<()> {
    let mut line = log_in(world).await?;
    let frame = framed(&ToServer::Call { id: 2, request: Request::Cards });
    for byte in frame {
        line.send(&[byte]).await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn sends(world: &World, bytes: &[u8]) -> Result<()> {
    let (mut line, _) = world.target.open(SOURCE).await?;
    line.send(bytes).await?;
    // It is hung up on.
    while line.fill().await.is_ok() {}
    Ok(())
}

async fn half_open(world: &World) -> Result<()> {
    let mut sockets = Vec::new();
    for _ in 0..50 {
        let mut socket = connect(world.address, SOURCE).await?;
        // The beginning of a record, of a handshake, of 512 bytes.
        socket.write_all(&[22, 3, 1, 2, 0]).await?;
        sockets.push(socket);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(sockets);
    Ok(())
}

async fn guesses(world: &World) -> Result<()> {
    let account = AccountNumber::Member(MemberNumber(1));
    world.target.login(account, &SigningKey::generate(), SOURCE).await.map(drop)
}
