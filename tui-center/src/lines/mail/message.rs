//! A message as RFC 5322 writes it: plain text in UTF-8, to one recipient.
//!
//! It is the same bytes whenever it is made again: `Message-ID` derives from the center's id and the entry's number,
//! `Date` is the entry's time, and `lettre` picks the transfer encoding by the text alone. Addresses are parsed, and
//! header values encoded, by `lettre`, so that nothing typed can become a header of its own.

use std::time::{Duration, UNIX_EPOCH};

use lettre::{
    Address, Message,
    message::{
        Mailbox,
        header::{ContentType, MIME_VERSION_1_0},
    },
};
use wire::{
    id::{CenterId, EntryNumber},
    time::Timestamp,
};
use zeroize::Zeroizing;

use crate::lines::postman::{Kind, Outgoing, id};

/// What a message is made of.
#[derive(Clone)]
pub struct Draft<'a> {
    /// The center that sends it.
    pub center: CenterId,
    /// The entry that intends it.
    pub entry: EntryNumber,
    /// The entry's time.
    pub at: Timestamp,
    /// The recipient's address, without a name.
    pub to: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// The text; its lines end with `\n`.
    pub body: &'a str,
}

/// Makes a message from `sender`, which [`config::Mail::sender`](crate::config::Mail::sender) gives.
///
/// # Errors
/// In words that do not repeat it: when the recipient's address can't be used.
pub fn message(sender: &Mailbox, draft: &Draft<'_>) -> Result<Outgoing, String> {
    let to = address(draft.to)?;
    let message_id = format!("<inkan-{}@{}>", id(&draft.center, draft.entry), sender.email.domain());
    // Without line breaks before it is encoded: they would only fold it at odd places.
    let subject: String = draft.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let built = Message::builder()
        .from(sender.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(subject)
        .message_id(Some(message_id))
        // Seconds, as the header has them.
        .date(UNIX_EPOCH + Duration::from_secs(draft.at.0 / 1000))
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN)
        .body(draft.body.to_owned());
    let built = built.map_err(|error| format!("the message cannot be made: {error}"))?;
    Ok(Outgoing {
        kind: Kind::Mail,
        entry: draft.entry,
        at: draft.at,
        to: to.to_string(),
        bytes: Zeroizing::new(built.formatted()),
    })
}

/// An address as it may stand in an envelope.
pub(super) fn address(text: &str) -> Result<Address, String> {
    let wrong = || "the recipient's mail address is not one: it is written like name@example.org".to_owned();
    let address: Address = text.trim().parse().map_err(|_| wrong())?;
    // RFC 5321, 4.5.3.1.
    if address.user().len() > 64 || address.domain().len() > 255 || text.chars().any(char::is_control) {
        return Err(wrong());
    }
    if !address.to_string().is_ascii() {
        return Err("the recipient's mail address has letters beyond ASCII, which few servers take".into());
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft<'a>(to: &'a str, subject: &'a str, body: &'a str) -> Draft<'a> {
        let at = Timestamp(1_795_000_000_999);
        Draft { center: CenterId([7; 32]), entry: EntryNumber(123), at, to, subject, body }
    }

    fn made(to: &str, subject: &str, body: &str) -> Result<String, String> {
        let sender = "Inkan Center <office@center.example>".parse().unwrap();
        let outgoing = message(&sender, &draft(to, subject, body))?;
        assert!(
            message(&sender, &draft(to, subject, body)).is_ok_and(|again| again == outgoing),
            "made again, the same"
        );
        Ok(String::from_utf8(outgoing.bytes.to_vec()).unwrap())
    }

    #[test]
    fn a_message_names_its_entry_and_says_the_text() {
        let text = made("ada@example.org", "Your membership", "Number M-000001-3\nCode ABCD-EFGH\n").unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let id = EntryNumber(123);
        for line in [
            "From: \"Inkan Center\" <office@center.example>",
            "To: ada@example.org",
            "Subject: Your membership",
            &format!("Message-ID: <inkan-07070707-{id}@center.example>"),
            "Date: Wed, 18 Nov 2026 11:06:40 +0000",
            "Content-Type: text/plain; charset=utf-8",
            "MIME-Version: 1.0",
        ] {
            assert!(head.lines().any(|found| found == line), "{line} in\n{head}");
        }
        assert_eq!(body, "Number M-000001-3\r\nCode ABCD-EFGH\r\n");
    }

    #[test]
    fn japanese_is_encoded() {
        let text = made("hanako@example.jp", "会員番号のお知らせ", "山田花子様\n番号 M-000001-3\n").unwrap();
        assert!(text.is_ascii() && text.contains("Subject: =?utf-8?"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 78), "{text}");
    }

    #[test]
    fn nothing_typed_becomes_a_header() {
        let text = made("ada@example.org", "Hello\r\nBcc: spy@example.org\r\n\r\nbody", "Hi\n").unwrap();
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
        for address in [
            "ada@example.org\r\nBcc: spy@example.org",
            "ada@example.org\nRCPT TO:<spy@example.org>",
            "ada@example.org, spy@example.org",
            "Ada <ada@example.org>",
            "ada@exa mple.org",
            "<ada@example.org>",
            "ada.lovelace",
            "@example.net",
            "",
            "花子@example.jp",
            &format!("{}@example.org", "a".repeat(65)),
        ] {
            let words = made(address, "Hello", "Hi\n").err();
            assert!(words.is_some_and(|words| address.is_empty() || !words.contains(address)), "{address}");
        }
    }
}
