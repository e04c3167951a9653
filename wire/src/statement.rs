//! Text receipts: what a receipt says, in plain words under the center's signature, for courts and accountants that have
//! none of this house's programs. The stock `ssh-keygen -Y verify` checks them.
//!
//! The text is worked out from the receipt alone, by the same code at both ends; the center signs it with its *statement*
//! key, and the terminal takes it only if its own text is the signed one.

use std::fmt::Write as _;

use data_encoding::BASE64;

use crate::{
    amount::Currency,
    checkpoint,
    codec::Malformed,
    id::AccountNumber,
    key::{Signature, SigningKey, VerificationKey},
    receipt::{MemberPart, Receipt, Side, StorePart, side_of},
    sshsig,
};

/// The namespace of the signature.
pub const NAMESPACE: &str = "receipt.v1@inkan";

/// Whom a text receipt names, besides what the receipt itself says.
#[derive(Debug, Clone, Copy)]
pub struct Parties<'a> {
    /// The center's name.
    pub center: &'a str,
    /// Its root key.
    pub root: &'a VerificationKey,
    /// Its currency.
    pub currency: Currency,
    /// The account whose part the receipt opens.
    pub account: AccountNumber,
}

/// A text receipt with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextReceipt {
    /// The text, as it is signed.
    pub text: String,
    /// The statement key.
    pub key: VerificationKey,
    /// Its signature.
    pub signature: Signature,
    principal: String,
}

impl Parties<'_> {
    /// The text of a receipt.
    ///
    /// # Errors
    /// When the receipt opens no part of this account, or one that can't be read.
    pub fn text(&self, receipt: &Receipt) -> Result<String, Malformed> {
        if receipt.side != side_of(self.account) {
            return Err(Malformed { what: "receipt", why: format!("it opens no part for {}", self.account) });
        }
        let money = |amount| format!("{} {}", self.currency.plain(amount), self.currency.code());
        let (what, amount, order) = match receipt.side {
            Side::Store => {
                let part = receipt.store_part()?;
                let (amount, order) = match &part {
                    StorePart::Paid { total, order, .. } => (Some(*total), Some(*order)),
                    StorePart::Claimed { total, .. } => (Some(*total), None),
                    StorePart::Refunded { amount, .. }
                    | StorePart::RefundedByCenter { amount, .. }
                    | StorePart::Payout { amount, .. } => (Some(*amount), None),
                    _ => (None, None),
                };
                (part.words(&money), amount, order)
            }
            _ => {
                let part = receipt.member_part()?;
                let (amount, order) = match &part {
                    MemberPart::Paid { total, order, .. } => (Some(*total), Some(*order)),
                    MemberPart::Refunded { amount, .. }
                    | MemberPart::CardIssued { amount, .. }
                    | MemberPart::CardRequested { amount, .. } => (Some(*amount), None),
                    _ => (None, None),
                };
                (part.words(&money), amount, order)
            }
        };
        let (leaf, tree) = (&receipt.leaf, receipt.checkpoint.claimed());
        let mut text = String::from("Inkan text receipt, version 1\n\n");
        let mut row = |name: &str, value: &dyn std::fmt::Display| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name:<10}{value}");
        };
        row("Center:", &self.center);
        row("Root key:", &self.root.fingerprint());
        row("Account:", &self.account);
        row("Entry:", &leaf.entry);
        row("When:", &checkpoint::instant(leaf.at));
        row("Kind:", &leaf.kind);
        row("What:", &what);
        if let Some(amount) = amount {
            row("Amount:", &money(amount));
        }
        if let Some(order) = order {
            row("Order:", &order);
        }
        row("Journal:", &tree.origin);
        row("Entries:", &tree.size);
        row("Root:", &BASE64.encode(&tree.root.0));
        row("Leaf:", &BASE64.encode(&leaf.hash().0));
        Ok(text)
    }

    /// Signs the text of a receipt with the statement key.
    ///
    /// # Errors
    /// As [`Parties::text`].
    pub fn sign(&self, receipt: &Receipt, statement: &SigningKey) -> Result<Signature, Malformed> {
        Ok(sshsig::sign(NAMESPACE, self.text(receipt)?.as_bytes(), statement))
    }

    /// The text receipt, if the signature is the statement key's over the text of this receipt.
    ///
    /// # Errors
    /// As [`Parties::text`]; when the signature is over another text.
    pub fn take(
        &self,
        receipt: &Receipt,
        statement: &VerificationKey,
        signature: Signature,
    ) -> Result<TextReceipt, Malformed> {
        let text = self.text(receipt)?;
        if !sshsig::verifies(NAMESPACE, text.as_bytes(), statement, &signature) {
            let why = "the center's signature is not over what the receipt says".to_owned();
            return Err(Malformed { what: "text receipt", why });
        }
        let principal = format!("{}@inkan", &self.root.fingerprint().replace(' ', "")[..16]);
        Ok(TextReceipt { text, key: *statement, signature, principal })
    }
}

impl TextReceipt {
    /// The signature, as a file beside the text.
    pub fn armored(&self) -> String {
        sshsig::armored(NAMESPACE, &self.key, &self.signature)
    }

    /// Who signs, as `ssh-keygen -I` takes it.
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// The line that lets the center's key sign receipts. Whoever checks takes it from the center, not from whoever shows
    /// the receipt.
    pub fn allowed_signer(&self) -> String {
        sshsig::allowed_signer(&self.principal, NAMESPACE, &self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        amount::Amount,
        bounded::{Bytes, List},
        checkpoint::{Checkpoint, SignedCheckpoint},
        codec,
        id::{CardNumber, Digest, EntryNumber, MemberNumber, OrderHash, StoreNumber, TelegramId},
        receipt::{EntryKind, Leaf, part_hash},
        text::Line,
        time::Timestamp,
    };

    fn receipt() -> Receipt {
        let part = codec::encode(&MemberPart::Paid {
            telegram: TelegramId([1; 32]),
            card: CardNumber(2),
            store: StoreNumber(3),
            offer: Digest([4; 32]),
            order: OrderHash([5; 32]),
            total: Amount::new(123_456).unwrap(),
            balance: Amount::new(7).unwrap(),
        });
        let salt = [6; 32];
        let leaf = Leaf {
            entry: EntryNumber(42),
            at: Timestamp(1_795_384_800_000),
            kind: EntryKind::Payment,
            member: part_hash(&salt, &part),
            store: Digest([7; 32]),
            center: Digest([8; 32]),
        };
        let checkpoint =
            Checkpoint { origin: Line::new("test/log").unwrap(), size: 50, root: Digest([9; 32]) };
        Receipt {
            leaf,
            side: Side::Member,
            salt,
            part: Bytes::new(part).unwrap(),
            proof: List::default(),
            checkpoint: SignedCheckpoint::sign(&checkpoint, &SigningKey::from_seed(&[2; 32])),
        }
    }

    #[test]
    fn the_text_says_who_what_how_much_and_when_and_never_the_balance() {
        let root = SigningKey::from_seed(&[1; 32]).verification_key();
        let parties = Parties {
            center: "Center",
            root: &root,
            currency: Currency::of_code("EUR").unwrap(),
            account: AccountNumber::Member(MemberNumber(9)),
        };
        let statement = SigningKey::from_seed(&[3; 32]);
        let signature = parties.sign(&receipt(), &statement).unwrap();
        let taken = parties.take(&receipt(), &statement.verification_key(), signature).unwrap();
        for said in [
            &format!("Account:  {}\n", MemberNumber(9)),
            &format!("Entry:    {}\n", EntryNumber(42)),
            "When:     2026-11-22T22:00:00.000Z\n",
            "Amount:   1234.56 EUR\n",
            &format!("{} paid 1234.56 EUR to {}\n", CardNumber(2), StoreNumber(3)),
            "Entries:  50\n",
        ] {
            assert!(taken.text.contains(said), "{said} in {}", taken.text);
        }
        assert!(!taken.text.contains("0.07"));

        let mut other = receipt();
        other.leaf.at = other.leaf.at.plus_ms(1);
        assert!(parties.take(&other, &statement.verification_key(), signature).is_err());
        let store = Parties { account: AccountNumber::Store(StoreNumber(3)), ..parties };
        assert!(store.text(&receipt()).is_err(), "it opens the member's part");
    }
}
