//! The network: what is on its way between terminals and center.
//!
//! Nothing on it is in order: any packet may come next, twice, late or never. A line is one connection; when it is cut,
//! its ends learn so sometime, and what is still on its way for it may come or not.

use fastrand::Rng;

/// One of a connection's two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The center.
    Center,
    /// A terminal, by its place.
    Terminal(usize),
}

/// Something on its way.
#[derive(Debug, Clone)]
pub struct Packet {
    /// To whom.
    pub to: Party,
    /// The terminal at the line's other end, or at this one.
    pub terminal: usize,
    /// The connection, by a number that is never used twice.
    pub line: u64,
    /// What.
    pub content: Content,
}

/// What a packet holds; requests, answers and pushes in the bytes that the wire has for them.
#[derive(Debug, Clone)]
pub enum Content {
    /// A request of this number.
    Request(u64, Vec<u8>),
    /// The answer to it.
    Answer(u64, Vec<u8>),
    /// Something that was not asked for.
    Push(Vec<u8>),
    /// The connection has ended.
    Closed,
}

/// How the network fares, each in parts of a hundred packets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// Lost.
    pub drop: u8,
    /// Delivered, and kept to be delivered again.
    pub twice: u8,
    /// Not the oldest comes next but any.
    pub disorder: u8,
}

/// The packets on their way, oldest first.
#[derive(Debug, Default)]
pub struct Net {
    packets: Vec<Packet>,
}

impl Net {
    /// Sends a packet.
    pub fn send(&mut self, packet: Packet) {
        self.packets.push(packet);
    }

    /// Whether nothing is on its way.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// What comes next, if anything does.
    pub fn next(&mut self, weather: &Weather, rng: &mut Rng) -> Option<Packet> {
        if self.packets.is_empty() {
            return None;
        }
        let at = if rng.u8(..100) < weather.disorder { rng.usize(..self.packets.len()) } else { 0 };
        let packet = self.packets.remove(at);
        // That a line has ended is always learnt: whoever waits on it notices by time alone.
        if !matches!(packet.content, Content::Closed) {
            if rng.u8(..100) < weather.drop {
                return None;
            }
            if rng.u8(..100) < weather.twice {
                self.packets.push(packet.clone());
            }
        }
        Some(packet)
    }
}
