//! The clipboard of the person at the screen, reached through the terminal (OSC 52), also over SSH.

use data_encoding::BASE64;

/// The most bytes that are copied: what common terminals take (xterm: 100,000 characters of base64).
pub const BYTES_MAX: usize = 74_994;

/// The escape sequence that copies a text; none when it is longer than terminals take.
pub fn sequence(text: &str) -> Option<Vec<u8>> {
    (text.len() <= BYTES_MAX)
        .then(|| format!("\x1b]52;c;{}\x07", BASE64.encode(text.as_bytes())).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_osc_52() {
        assert_eq!(sequence("hi").as_deref(), Some(&b"\x1b]52;c;aGk=\x07"[..]));
        assert_eq!(sequence(&"x".repeat(BYTES_MAX + 1)), None);
    }
}
