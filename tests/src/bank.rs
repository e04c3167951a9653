//! A bank that keeps one customer's account and speaks ISO 20022 through two folders, as a bank's host-to-host
//! connection does: it takes the customer's `pain.001.001.09` and gives `pain.002.001.10` and `camt.054.001.08`.
//!
//! It shares no code with the center, so that a mistake in the center's reading or writing is not repeated here. Its
//! own books are a file of JSON lines, written and synced before anything is said; tests reconcile against them.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use color_eyre::eyre::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

mod transfers;

pub use transfers::{Transfer, Transfers, read_transfers};

/// How a bank can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Misbehaviour {
    /// Rejects every transfer, with a reason.
    Reject,
    /// Says nothing to anything.
    Silent,
    /// Tells everything twice, in two files.
    Twice,
    /// Writes its answers in two pieces, the second one a moment later.
    Torn,
    /// Writes a file of nonsense before every answer.
    Nonsense,
}

/// One movement of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// The bank's reference.
    pub bank_reference: String,
    /// Minor units: positive came in, negative went out.
    pub minor: i64,
    /// The remittance reference, or the end-to-end id of a transfer.
    pub reference: String,
    /// The other party.
    pub party: String,
}

/// Where the bank works.
#[derive(Debug, Clone)]
pub struct Bank {
    /// Where the customer leaves `pain.001` files.
    pub from_customer: PathBuf,
    /// Where the bank leaves its own.
    pub to_customer: PathBuf,
    /// The bank's books: one [`Movement`] a line.
    pub books: PathBuf,
    /// The customer's account, as an IBAN or another id.
    pub account: String,
    /// The account's currency.
    pub currency: String,
    /// Digits behind the decimal point.
    pub digits: u32,
}

impl Bank {
    /// Every movement so far.
    pub fn movements(&self) -> Result<Vec<Movement>> {
        match fs::read_to_string(&self.books) {
            Ok(text) => {
                text.lines().map(|line| serde_json::from_str(line).wrap_err("the bank's books")).collect()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).wrap_err("the bank's books"),
        }
    }

    /// A payer transfers money to the customer: books it, then tells it in a `camt.054`.
    pub fn credit(
        &self,
        minor: u64,
        reference: &str,
        payer: &str,
        misbehave: Option<Misbehaviour>,
    ) -> Result<Movement> {
        let movement = Movement {
            bank_reference: format!("CR{:010}", self.movements()?.len() + 1),
            minor: i64::try_from(minor)?,
            reference: reference.to_owned(),
            party: payer.to_owned(),
        };
        self.book(&movement)?;
        self.tell(&format!("camt054-{}", movement.bank_reference), &self.notice(&movement), misbehave)?;
        Ok(movement)
    }

    /// Tells a movement again, in a file of another name: what a customer's host may get after a repair.
    pub fn repeat(&self, bank_reference: &str) -> Result<()> {
        let movements = self.movements()?;
        let Some(movement) = movements.iter().find(|movement| movement.bank_reference == bank_reference)
        else {
            bail!("the bank knows no movement {bank_reference}");
        };
        self.tell(&format!("camt054-{bank_reference}-again"), &self.notice(movement), None)
    }

    /// Takes the customer's new `pain.001` files, executes them, and answers each with a `pain.002` and, for what
    /// was executed, a `camt.054` debit. A message id that was executed before is answered, not executed again.
    pub fn work(&self, misbehave: Option<Misbehaviour>) -> Result<usize> {
        let mut taken = 0;
        let done = self.from_customer.join("taken");
        fs::create_dir_all(&done)?;
        let mut files: Vec<PathBuf> = fs::read_dir(&self.from_customer)?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
            .collect();
        files.sort();
        for file in files {
            let text = fs::read_to_string(&file)?;
            let order =
                read_transfers(&text).wrap_err_with(|| format!("{} is no pain.001", file.display()))?;
            self.execute(&order, misbehave)?;
            let name = file.file_name().unwrap_or_default();
            fs::rename(&file, done.join(name))?;
            taken += 1;
        }
        Ok(taken)
    }

    fn execute(&self, order: &Transfers, misbehave: Option<Misbehaviour>) -> Result<()> {
        if order.debtor_account != self.account {
            bail!(
                "{} debits {}, which is not the customer's account",
                order.message_id,
                order.debtor_account
            );
        }
        let mut known = self.movements()?;
        let rejected = misbehave == Some(Misbehaviour::Reject);
        let mut executed = Vec::new();
        for transfer in &order.transfers {
            if transfer.currency != self.currency {
                bail!(
                    "{} is in {}, the account in {}",
                    transfer.end_to_end,
                    transfer.currency,
                    self.currency
                );
            }
            if rejected {
                continue;
            }
            let before =
                known.iter().find(|movement| movement.minor < 0 && movement.reference == transfer.end_to_end);
            let movement = match before {
                Some(movement) => movement.clone(),
                None => {
                    let movement = Movement {
                        bank_reference: format!("DR{:010}", known.len() + 1),
                        minor: -i64::try_from(minor(&transfer.amount, self.digits)?)?,
                        reference: transfer.end_to_end.clone(),
                        party: format!("{} {}", transfer.creditor, transfer.creditor_account),
                    };
                    self.book(&movement)?;
                    known.push(movement.clone());
                    movement
                }
            };
            executed.push(movement);
        }
        if misbehave == Some(Misbehaviour::Silent) {
            return Ok(());
        }
        self.tell(&format!("pain002-{}", order.message_id), &status_report(order, rejected), misbehave)?;
        for movement in &executed {
            self.tell(&format!("camt054-{}", movement.bank_reference), &self.notice(movement), misbehave)?;
        }
        Ok(())
    }

    fn book(&self, movement: &Movement) -> Result<()> {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&self.books)?;
        let line = serde_json::to_string(movement)? + "\n";
        file.write_all(line.as_bytes())?;
        file.sync_data()?;
        Ok(())
    }

    fn tell(&self, name: &str, xml: &str, misbehave: Option<Misbehaviour>) -> Result<()> {
        fs::create_dir_all(&self.to_customer)?;
        let put = |name: &str, text: &str| -> Result<()> {
            let temporary = self.to_customer.join(format!("{name}.xml.part"));
            let mut file = fs::File::create(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, self.to_customer.join(format!("{name}.xml")))?;
            Ok(())
        };
        match misbehave {
            Some(Misbehaviour::Silent) => Ok(()),
            Some(Misbehaviour::Twice) => put(name, xml).and_then(|()| put(&format!("{name}-twice"), xml)),
            Some(Misbehaviour::Nonsense) => {
                put(&format!("{name}-nonsense"), "<Document><this is not xml").and_then(|()| put(name, xml))
            }
            Some(Misbehaviour::Torn) => {
                // What a careless transfer program does: the final name at once, the bytes in two pieces.
                let path = self.to_customer.join(format!("{name}.xml"));
                let half = xml.floor_char_boundary(xml.len() / 2);
                let mut file = fs::File::create(path)?;
                file.write_all(&xml.as_bytes()[..half])?;
                file.sync_all()?;
                std::thread::sleep(std::time::Duration::from_millis(300));
                file.write_all(&xml.as_bytes()[half..])?;
                Ok(file.sync_all()?)
            }
            Some(Misbehaviour::Reject) | None => put(name, xml),
        }
    }

    fn notice(&self, movement: &Movement) -> String {
        let account = escape(&self.account);
        let account_id = if looks_like_iban(&account) {
            format!("<IBAN>{account}</IBAN>")
        } else {
            format!("<Othr><Id>{account}</Id></Othr>")
        };
        let indicator = if movement.minor >= 0 { "CRDT" } else { "DBIT" };
        let amount = plain(movement.minor.unsigned_abs(), self.digits);
        let (currency, reference) = (&self.currency, escape(&movement.bank_reference));
        let end_to_end = if movement.minor < 0 { escape(&movement.reference) } else { "NOTPROVIDED".into() };
        let (party, remittance) = if movement.minor >= 0 {
            let remittance = match movement.reference.as_str() {
                "" => String::new(),
                given if given.starts_with("RF") => format!(
                    "<RmtInf><Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>{}</Ref></CdtrRefInf></Strd></RmtInf>",
                    escape(given)
                ),
                given => format!("<RmtInf><Ustrd>{}</Ustrd></RmtInf>", escape(given)),
            };
            let payer = escape(&movement.party);
            (
                format!(
                    "<RltdPties><Dbtr><Pty><Nm>{payer}</Nm></Pty></Dbtr><DbtrAcct><Id><Othr><Id>0001/001/7654321</Id></Othr></Id></DbtrAcct></RltdPties>"
                ),
                remittance,
            )
        } else {
            (
                format!(
                    "<RltdPties><Cdtr><Pty><Nm>{}</Nm></Pty></Cdtr></RltdPties>",
                    escape(&movement.party)
                ),
                String::new(),
            )
        };
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let day = &now[..10];
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08">
  <BkToCstmrDbtCdtNtfctn>
    <GrpHdr><MsgId>N{reference}</MsgId><CreDtTm>{now}</CreDtTm></GrpHdr>
    <Ntfctn>
      <Id>N{reference}</Id>
      <CreDtTm>{now}</CreDtTm>
      <Acct><Id>{account_id}</Id><Ccy>{currency}</Ccy></Acct>
      <Ntry>
        <NtryRef>{reference}</NtryRef>
        <Amt Ccy="{currency}">{amount}</Amt>
        <CdtDbtInd>{indicator}</CdtDbtInd>
        <Sts><Cd>BOOK</Cd></Sts>
        <BookgDt><Dt>{day}</Dt></BookgDt>
        <AcctSvcrRef>{reference}</AcctSvcrRef>
        <BkTxCd><Prtry><Cd>TRF</Cd></Prtry></BkTxCd>
        <NtryDtls><TxDtls>
          <Refs><AcctSvcrRef>{reference}</AcctSvcrRef><EndToEndId>{end_to_end}</EndToEndId></Refs>
          <Amt Ccy="{currency}">{amount}</Amt>
          <CdtDbtInd>{indicator}</CdtDbtInd>
          {party}
          {remittance}
        </TxDtls></NtryDtls>
      </Ntry>
    </Ntfctn>
  </BkToCstmrDbtCdtNtfctn>
</Document>
"#
        )
    }
}

fn status_report(order: &Transfers, rejected: bool) -> String {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let status = if rejected { "RJCT" } else { "ACSC" };
    let reason = if rejected {
        "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed account</AddtlInf></StsRsnInf>"
    } else {
        ""
    };
    let message = escape(&order.message_id);
    let mut transactions = String::new();
    for transfer in &order.transfers {
        let (block, end_to_end) = (escape(&transfer.block), escape(&transfer.end_to_end));
        let _ = write!(
            transactions,
            "<OrgnlPmtInfAndSts><OrgnlPmtInfId>{block}</OrgnlPmtInfId><TxInfAndSts>\
             <OrgnlEndToEndId>{end_to_end}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason}</TxInfAndSts></OrgnlPmtInfAndSts>"
        );
    }
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">
  <CstmrPmtStsRpt>
    <GrpHdr><MsgId>S{message}</MsgId><CreDtTm>{now}</CreDtTm></GrpHdr>
    <OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>{status}</GrpSts></OrgnlGrpInfAndSts>
    {transactions}
  </CstmrPmtStsRpt>
</Document>
"#
    )
}

fn looks_like_iban(account: &str) -> bool {
    account.len() >= 15 && account.as_bytes()[..2].iter().all(u8::is_ascii_uppercase)
}

/// Reads `1234` or `12.34` as minor units.
fn minor(text: &str, digits: u32) -> Result<u64> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if fraction.len() > digits as usize {
        bail!("{text} has too many digits behind the point");
    }
    Ok(format!("{whole}{fraction:0<width$}", width = digits as usize).parse()?)
}

fn plain(minor: u64, digits: u32) -> String {
    if digits == 0 {
        return minor.to_string();
    }
    let unit = 10u64.pow(digits);
    format!("{}.{:0width$}", minor / unit, minor % unit, width = digits as usize)
}

fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// The bank of a test: folders beside the center's, books in a file.
pub fn at(center_outbox: &Path, center_inbox: &Path, books: &Path, account: &str) -> Bank {
    Bank {
        from_customer: center_outbox.to_owned(),
        to_customer: center_inbox.to_owned(),
        books: books.to_owned(),
        account: account.to_owned(),
        currency: "JPY".into(),
        digits: 0,
    }
}
