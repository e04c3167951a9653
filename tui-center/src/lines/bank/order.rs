//! What the center tells the bank: one credit transfer a file, as pain.001.001.09.
//!
//! Everything in it follows from the entry that intended the transfer and from the account it goes to, so that making
//! it again gives the same bytes. Message id, payment information id and end-to-end id are one and the same: the
//! center's first eight digits and the transaction number.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use quick_xml::escape::escape;
use wire::{
    amount::{Amount, Currency},
    id::{CenterId, EntryNumber},
    message::BankAccount,
    time::Timestamp,
};

use super::account::is_iban;

/// A transfer to be ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Which center.
    pub center: CenterId,
    /// The entry that intended it.
    pub entry: EntryNumber,
    /// When.
    pub at: Timestamp,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// The center's account.
    pub from: BankAccount,
    /// The account that gets it.
    pub to: BankAccount,
    /// Words for whoever gets it.
    pub words: String,
}

/// The id of a transfer, at most 35 characters of the set that every bank takes.
pub fn id(center: &CenterId, entry: EntryNumber) -> String {
    format!("{}-{entry}", &center.to_string()[..8])
}

/// The entry that an id of this center names.
pub fn entry_of(center: &CenterId, id: &str) -> Option<EntryNumber> {
    id.strip_prefix(&center.to_string()[..8])?.strip_prefix('-')?.parse().ok()
}

/// The name of the file.
pub fn file_name(entry: EntryNumber) -> String {
    format!("pain001-{entry}.xml")
}

impl Order {
    /// The exact bytes of the file.
    pub fn bytes(&self) -> Vec<u8> {
        let id = id(&self.center, self.entry);
        let instant =
            jiff::Timestamp::from_millisecond(i64::try_from(self.at.0).unwrap_or(0)).unwrap_or_default();
        let made = instant.to_zoned(TimeZone::UTC);
        let (made, day) = (made.strftime("%Y-%m-%dT%H:%M:%SZ"), made.strftime("%Y-%m-%d"));
        let amount = self.currency.plain(self.amount);
        let currency = self.currency.code();
        let (from, to) = (&self.from, &self.to);
        let words = typed(&self.words);
        let mut xml = String::with_capacity(2_000);
        // Writing into a string cannot fail.
        let _ = write!(
            xml,
            r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">
  <CstmrCdtTrfInitn>
    <GrpHdr>
      <MsgId>{id}</MsgId>
      <CreDtTm>{made}</CreDtTm>
      <NbOfTxs>1</NbOfTxs>
      <CtrlSum>{amount}</CtrlSum>
      <InitgPty><Nm>{debtor}</Nm></InitgPty>
    </GrpHdr>
    <PmtInf>
      <PmtInfId>{id}</PmtInfId>
      <PmtMtd>TRF</PmtMtd>
      <NbOfTxs>1</NbOfTxs>
      <CtrlSum>{amount}</CtrlSum>
      <ReqdExctnDt><Dt>{day}</Dt></ReqdExctnDt>
      <Dbtr><Nm>{debtor}</Nm></Dbtr>
      <DbtrAcct>{debtor_account}</DbtrAcct>
      <DbtrAgt>{debtor_agent}</DbtrAgt>
      <CdtTrfTxInf>
        <PmtId><EndToEndId>{id}</EndToEndId></PmtId>
        <Amt><InstdAmt Ccy="{currency}">{amount}</InstdAmt></Amt>
{creditor_agent}        <Cdtr><Nm>{creditor}</Nm></Cdtr>
        <CdtrAcct>{creditor_account}</CdtrAcct>
        <RmtInf><Ustrd>{words}</Ustrd></RmtInf>
      </CdtTrfTxInf>
    </PmtInf>
  </CstmrCdtTrfInitn>
</Document>
"#,
            debtor = typed(&from.holder),
            debtor_account = account_id(from),
            debtor_agent = agent(from),
            creditor_agent = creditor_agent(to),
            creditor = typed(&to.holder),
            creditor_account = account_id(to),
        );
        xml.into_bytes()
    }
}

/// Names and remittance words have at most 140 characters in ISO 20022.
fn typed(text: &str) -> String {
    escape(text.chars().take(140).collect::<String>()).into_owned()
}

fn account_id(account: &BankAccount) -> String {
    let number = escape(account.number.as_str());
    if is_iban(&account.number) {
        format!("<Id><IBAN>{number}</IBAN></Id>")
    } else {
        format!("<Id><Othr><Id>{number}</Id></Othr></Id>")
    }
}

/// A bank is named by its BIC, by the clearing code within a domestic account number, or not at all.
fn agent(account: &BankAccount) -> String {
    let institution = match (&account.bic, account.number.split_once('/')) {
        (Some(bic), _) => format!("<BICFI>{}</BICFI>", escape(bic.as_str())),
        (None, Some((bank, _))) => format!(
            "<ClrSysMmbId><ClrSysId><Cd>JPZGN</Cd></ClrSysId><MmbId>{}</MmbId></ClrSysMmbId>",
            escape(bank)
        ),
        (None, None) => "<Othr><Id>NOTPROVIDED</Id></Othr>".into(),
    };
    format!("<FinInstnId>{institution}</FinInstnId>")
}

fn creditor_agent(account: &BankAccount) -> String {
    if account.bic.is_none() && is_iban(&account.number) {
        return String::new();
    }
    format!("        <CdtrAgt>{}</CdtrAgt>\n", agent(account))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::bank::account;

    fn order(to: BankAccount) -> Order {
        Order {
            center: CenterId([0xab; 32]),
            entry: EntryNumber(42),
            at: Timestamp(1_760_000_000_000),
            amount: Amount::new(12_345).unwrap(),
            currency: Currency::YEN,
            from: account::parse("Inkan <Center>", "5/101/1234567", "").unwrap(),
            to,
            words: "Claim T-000041-9 & more".into(),
        }
    }

    #[test]
    fn the_file_is_the_same_each_time_and_escapes_what_was_typed() {
        let order = order(account::parse("Books & Co", "DE89370400440532013000", "").unwrap());
        let text = String::from_utf8(order.bytes()).unwrap();
        assert_eq!(text.as_bytes(), order.bytes());
        for part in [
            "<MsgId>abababab-T-000042-",
            "<NbOfTxs>1</NbOfTxs>",
            "<CtrlSum>12345</CtrlSum>",
            "<InstdAmt Ccy=\"JPY\">12345</InstdAmt>",
            "<Nm>Inkan &lt;Center&gt;</Nm>",
            "<Nm>Books &amp; Co</Nm>",
            "<IBAN>DE89370400440532013000</IBAN>",
            "<MmbId>0005</MmbId>",
            "2025-10-09",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains("CdtrAgt"), "an IBAN names its bank");
        insta::assert_snapshot!(text.lines().skip(19).take(7).map(str::trim).collect::<Vec<_>>().join("\n"), @r#"
        <CdtTrfTxInf>
        <PmtId><EndToEndId>abababab-T-000042-7</EndToEndId></PmtId>
        <Amt><InstdAmt Ccy="JPY">12345</InstdAmt></Amt>
        <Cdtr><Nm>Books &amp; Co</Nm></Cdtr>
        <CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct>
        <RmtInf><Ustrd>Claim T-000041-9 &amp; more</Ustrd></RmtInf>
        </CdtTrfTxInf>
        "#);
    }

    #[test]
    fn ids_lead_back_to_their_entry_and_to_no_other_centers() {
        let center = CenterId([0xab; 32]);
        let id = id(&center, EntryNumber(42));
        assert!(id.len() <= 35);
        assert_eq!(entry_of(&center, &id), Some(EntryNumber(42)));
        assert_eq!(entry_of(&CenterId([0xac; 32]), &id), None);
        assert_eq!(entry_of(&center, "abababab-T-000042-0"), None, "its check digit is wrong");
    }
}
