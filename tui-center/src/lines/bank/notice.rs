//! What the bank tells: credit and debit notices (camt.054.001.08) and payment status reports (pain.002).
//!
//! Reading is lenient about what a bank adds and strict about what the books rely on: amount, currency, direction,
//! booked or not, and the bank's reference.

mod shapes;

use wire::{amount::Amount, amount::Currency, id::Digest, text::Line};

use self::shapes::{
    CamtAmount, CamtDocument, CamtEntry, CamtMessage, CamtTransaction, Counterparty, StatusDocument,
    StatusReason, StatusReport,
};

/// The largest file that is read.
pub const FILE_MAX: u64 = 16 << 20;
/// The most movements of one file.
const MOVEMENTS_MAX: usize = 10_000;

/// What one file of the bank tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Movements on the center's account.
    Movements(Vec<Movement>),
    /// What becomes of transfers that the center ordered.
    Statuses(Vec<Status>),
}

/// One booked movement on the center's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Whether the account grew.
    pub direction: Direction,
    /// How much, never nothing.
    pub amount: Amount,
    /// In which currency, as the bank wrote it.
    pub currency: Currency,
    /// The bank's own reference for it.
    pub bank_reference: Line,
    /// The id that the center gave a transfer, where the movement belongs to one.
    pub end_to_end: Option<Line>,
    /// What the payer gave as reference: the structured one, else the unstructured words.
    pub reference: Option<Line>,
    /// Who is on the other side.
    pub party: Party,
    /// Why a transfer came back, where it did.
    pub returned: Option<Line>,
}

/// Whether money came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It came in.
    Credit,
    /// It went out.
    Debit,
}

/// The other side of a movement, in the bank's words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// The name.
    pub name: Line,
    /// The account, as IBAN or otherwise.
    pub account: Line,
    /// The BIC of its bank.
    pub bic: Line,
    /// Unstructured words.
    pub words: Line,
}

/// What becomes of one transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The id that the center gave it.
    pub end_to_end: Line,
    /// What the bank says.
    pub outcome: StatusOutcome,
}

/// What a bank says of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusOutcome {
    /// Received, checked, being worked on.
    Pending,
    /// Settled; the reference under which the bank says so.
    Settled(Line),
    /// Rejected, with the bank's words.
    Rejected(Line),
}

/// Reads a file of the bank.
///
/// `account` is the center's own number: a notice about another account is refused.
///
/// # Errors
/// In words that name the place.
pub fn read(xml: &str, account: &str) -> Result<Notice, String> {
    let root = root_content(xml)?;
    match root.as_str() {
        "BkToCstmrDbtCdtNtfctn" => {
            let document: CamtDocument = parse(xml)?;
            movements(document.notice, account).map(Notice::Movements)
        }
        "CstmrPmtStsRpt" => {
            let document: StatusDocument = parse(xml)?;
            statuses(&document.report).map(Notice::Statuses)
        }
        other => Err(format!("it holds “{}”, not a camt.054 or pain.002 message", short(other))),
    }
}

/// Binds a notice and its place in it: what the same file told twice shares.
pub fn digest(file_name: &str, content: &[u8]) -> Digest {
    Digest::of(&[b"inkan/v1/bank-notice", &Digest::of(&[file_name.as_bytes()]).0, content])
}

/// The name of the element inside `Document`.
fn root_content(xml: &str) -> Result<String, String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut document = false;
    loop {
        match reader.read_event().map_err(|error| format!("it is not well-formed XML: {error}"))? {
            Event::Start(start) => {
                let name = start.local_name().into_inner().to_owned();
                if document {
                    return Ok(name);
                }
                if name != "Document" {
                    return Err(format!("its root element is “{}”, not Document", short(&name)));
                }
                document = true;
            }
            Event::DocType(_) => return Err("it declares a document type, which no bank message does".into()),
            Event::Eof => return Err("it ends before any message".into()),
            _ => {}
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(xml: &str) -> Result<T, String> {
    quick_xml::de::from_str(xml)
        .map_err(|error| format!("it is not of the expected form: {}", short(&error.to_string())))
}

fn movements(notice: CamtMessage, account: &str) -> Result<Vec<Movement>, String> {
    let mut found = Vec::new();
    for notification in notice.notifications {
        let told = notification.account.id.text();
        if compact(&told) != compact(account) {
            return Err(format!("it tells of the account “{}”, which is not the center's", short(&told)));
        }
        for entry in notification.entries {
            entry_movements(entry, &mut found)?;
            if found.len() > MOVEMENTS_MAX {
                return Err(format!("it has more than {MOVEMENTS_MAX} movements"));
            }
        }
    }
    Ok(found)
}

fn entry_movements(entry: CamtEntry, found: &mut Vec<Movement>) -> Result<(), String> {
    let booked = entry.status.as_ref().is_none_or(|status| status.word() == "BOOK");
    if !booked {
        return Ok(());
    }
    let reference = entry.servicer_reference.or(entry.reference);
    let transactions: Vec<CamtTransaction> =
        entry.details.into_iter().flat_map(|details| details.transactions).collect();
    let single = transactions.len() <= 1;
    let transactions = if transactions.is_empty() { vec![CamtTransaction::default()] } else { transactions };
    for (at, transaction) in transactions.into_iter().enumerate() {
        let own = transaction.references.servicer.clone();
        // One reference on the entry names one movement; several transactions under it are told apart by place.
        let bank_reference = match (own, &reference) {
            (Some(own), _) => own,
            (None, Some(shared)) if single => shared.clone(),
            (None, Some(shared)) => format!("{shared}/{}", at + 1),
            (None, None) => return Err("a movement in it has no reference of the bank's".into()),
        };
        let amount = transaction.amount.as_ref().unwrap_or(&entry.amount);
        if transaction.amount.is_none() && !single {
            return Err(format!(
                "“{}” has several transactions without amounts of their own",
                short(&bank_reference)
            ));
        }
        let direction = transaction.direction.as_deref().unwrap_or(&entry.direction);
        found.push(movement(bank_reference, amount, direction, entry.reversal, transaction.clone())?);
    }
    Ok(())
}

fn movement(
    bank_reference: String,
    amount: &CamtAmount,
    direction: &str,
    reversal: bool,
    transaction: CamtTransaction,
) -> Result<Movement, String> {
    let place = |what: &str| format!("“{}”: {what}", short(&bank_reference));
    let currency = Currency::of_code(&amount.currency)
        .ok_or_else(|| place(&format!("“{}” is not a currency of ISO 4217", short(&amount.currency))))?;
    let value = amount.value.trim();
    // ISO 20022 writes digits and a point, nothing else; trailing zeros beyond the currency's digits are allowed.
    let plain = value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let trimmed = if value.contains('.') { value.trim_end_matches('0').trim_end_matches('.') } else { value };
    let read = if plain {
        currency.parse(trimmed).map_err(|error| place(&error.to_string()))
    } else {
        Err(place("its amount is not a number"))
    }?;
    if read.is_zero() {
        return Err(place("its amount is nothing"));
    }
    let direction = match direction {
        "CRDT" => Direction::Credit,
        "DBIT" => Direction::Debit,
        other => return Err(place(&format!("“{}” is neither CRDT nor DBIT", short(other)))),
    };
    let remittance = transaction.remittance;
    let structured = remittance
        .structured
        .into_iter()
        .find_map(|one| one.creditor_reference.and_then(|found| found.reference));
    let words = remittance.unstructured.join(" ");
    let reference = structured.or_else(|| reference_within(&words));
    let parties = transaction.parties;
    let (party, account) = match direction {
        Direction::Credit => (parties.debtor, parties.debtor_account),
        Direction::Debit => (parties.creditor, parties.creditor_account),
    };
    let bic = transaction.agents.of(direction);
    let returned = transaction
        .returned
        .map(|returned| returned.words())
        .or_else(|| reversal.then(|| "reversed".to_owned()));
    Ok(Movement {
        direction,
        amount: read,
        currency,
        end_to_end: transaction.references.end_to_end.filter(|id| id != "NOTPROVIDED").map(|id| line(&id)),
        bank_reference: line(&bank_reference),
        reference: reference.map(|reference| line(&reference)).filter(|line| !line.is_empty()),
        party: Party {
            name: line(&party.map(Counterparty::into_name).unwrap_or_default()),
            account: line(&account.map(|account| account.id.text()).unwrap_or_default()),
            bic: line(&bic),
            words: line(&words),
        },
        returned: returned.map(|words| line(&words)),
    })
}

/// Payers type the reference anywhere in the words, with or without blanks; one that checks out is taken, else the
/// words as they are.
fn reference_within(words: &str) -> Option<String> {
    let compact: String =
        words.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
    let plausible = compact.match_indices("RF").find_map(|(at, _)| {
        let tail: String = compact[at..].chars().take_while(char::is_ascii_alphanumeric).take(25).collect();
        (5..=tail.len()).rev().find_map(|length| {
            let candidate = &tail[..length];
            ledger::reference::parse(candidate).is_some().then(|| candidate.to_owned())
        })
    });
    plausible.or_else(|| (!words.trim().is_empty()).then(|| words.to_owned()))
}

fn statuses(report: &StatusReport) -> Result<Vec<Status>, String> {
    let message = report.header.message_id.clone();
    let group = report.original.status.as_deref();
    let mut found = Vec::new();
    for block in &report.blocks {
        for transaction in &block.transactions {
            let Some(id) = &transaction.end_to_end else {
                return Err("a transaction in it names no original end-to-end id".into());
            };
            let code = transaction.status.as_deref().or(block.status.as_deref()).or(group).unwrap_or("");
            let reasons: Vec<&StatusReason> = transaction.reasons.iter().chain(&block.reasons).collect();
            found.push(Status { end_to_end: line(id), outcome: outcome(code, &reasons, &message)? });
        }
        if found.len() > MOVEMENTS_MAX {
            return Err(format!("it has more than {MOVEMENTS_MAX} transactions"));
        }
    }
    // A whole message or block that is rejected, or merely received, need not list its transactions; messages of this
    // center hold one transfer each, whose message id and end-to-end id are the same.
    if found.is_empty() {
        let block = report.blocks.first();
        let code = block.and_then(|block| block.status.as_deref()).or(group).unwrap_or("");
        let reasons: Vec<&StatusReason> = report
            .original
            .reasons
            .iter()
            .chain(block.into_iter().flat_map(|block| &block.reasons))
            .collect();
        found.push(Status {
            end_to_end: line(&report.original.message_id),
            outcome: outcome(code, &reasons, &message)?,
        });
    }
    Ok(found)
}

fn outcome(code: &str, reasons: &[&StatusReason], message: &str) -> Result<StatusOutcome, String> {
    match code {
        "ACSC" | "ACCC" => Ok(StatusOutcome::Settled(line(message))),
        "RJCT" | "CANC" => {
            let words: Vec<String> =
                reasons.iter().map(|reason| reason.words()).filter(|words| !words.is_empty()).collect();
            let words =
                if words.is_empty() { "rejected without a reason".to_owned() } else { words.join("; ") };
            Ok(StatusOutcome::Rejected(line(&words)))
        }
        "RCVD" | "ACTC" | "ACCP" | "ACSP" | "ACWC" | "ACWP" | "ACFC" | "PDNG" | "PATC" | "PART" => {
            Ok(StatusOutcome::Pending)
        }
        other => Err(format!("its status “{}” is unknown", short(other))),
    }
}

/// Cleans and cuts a text of the bank's to one line.
fn line(text: &str) -> Line {
    let mut cut: String = text.chars().take(wire::limits::LINE / 4).collect();
    loop {
        match Line::new(&cut) {
            Ok(line) => return line,
            Err(_) => {
                cut.pop();
            }
        }
    }
}

fn short(text: &str) -> String {
    line(&text.chars().take(90).collect::<String>()).to_string()
}

fn compact(account: &str) -> String {
    let compact: String = account.chars().filter(|c| !c.is_whitespace()).collect();
    compact.to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "0005/101/1234567";

    fn camt(entries: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.054.001.08\"><BkToCstmrDbtCdtNtfctn>\
             <GrpHdr><MsgId>N1</MsgId><CreDtTm>2026-01-01T00:00:00Z</CreDtTm></GrpHdr>\
             <Ntfctn><Id>1</Id><Acct><Id><Othr><Id>{ACCOUNT}</Id></Othr></Id></Acct>{entries}</Ntfctn>\
             </BkToCstmrDbtCdtNtfctn></Document>"
        )
    }

    fn entry(amount: &str, direction: &str, details: &str) -> String {
        format!(
            "<Ntry><Amt Ccy=\"JPY\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <AcctSvcrRef>B1</AcctSvcrRef>{details}</Ntry>"
        )
    }

    fn one(xml: &str) -> Movement {
        match read(xml, ACCOUNT).unwrap() {
            Notice::Movements(movements) => movements.into_iter().next().unwrap(),
            Notice::Statuses(_) => panic!("movements expected"),
        }
    }

    #[test]
    fn reads_a_credit_with_a_structured_reference_and_its_payer() {
        let details = "<NtryDtls><TxDtls><Refs><AcctSvcrRef>B7</AcctSvcrRef><EndToEndId>NOTPROVIDED</EndToEndId></Refs>\
            <RltdPties><Dbtr><Pty><Nm>Aiko &amp; Co\u{1b}[31m</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct></RltdPties>\
            <RltdAgts><DbtrAgt><FinInstnId><BICFI>DEUTDEFF</BICFI></FinInstnId></DbtrAgt></RltdAgts>\
            <RmtInf><Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls>";
        let xml = camt(&entry("1500.00", "CRDT", details)).replace('\u{1b}', "");
        let movement = one(&xml);
        assert_eq!(movement.amount.minor(), 1500);
        assert_eq!(movement.bank_reference.as_str(), "B7");
        assert_eq!(movement.reference.as_deref(), Some("RF18539007547034"));
        assert_eq!(movement.end_to_end, None);
        assert_eq!(movement.party.account.as_str(), "DE89370400440532013000");
        assert_eq!(movement.party.bic.as_str(), "DEUTDEFF");
        assert!(movement.party.name.starts_with("Aiko & Co"));
    }

    #[test]
    fn finds_a_reference_within_words() {
        let reference = ledger::reference::make(wire::id::EntryNumber(12));
        let shown = format!("Thanks! {} bye", reference);
        let details =
            format!("<NtryDtls><TxDtls><RmtInf><Ustrd>{shown}</Ustrd></RmtInf></TxDtls></NtryDtls>");
        let found = one(&camt(&entry("1500", "CRDT", &details))).reference.unwrap();
        assert_eq!(ledger::reference::parse(&found), Some(wire::id::EntryNumber(12)), "{found}");
        let details = "<NtryDtls><TxDtls><RmtInf><Ustrd>for the card</Ustrd></RmtInf></TxDtls></NtryDtls>";
        assert_eq!(one(&camt(&entry("1500", "CRDT", details))).reference.as_deref(), Some("for the card"));
        assert_eq!(one(&camt(&entry("1500", "CRDT", ""))).reference, None);
    }

    #[test]
    fn several_transactions_of_one_entry_keep_their_own_amounts_and_references() {
        let details = "<NtryDtls><TxDtls><Amt Ccy=\"JPY\">1</Amt></TxDtls><TxDtls><Amt Ccy=\"JPY\">2</Amt></TxDtls></NtryDtls>";
        let Notice::Movements(found) = read(&camt(&entry("3", "CRDT", details)), ACCOUNT).unwrap() else {
            panic!()
        };
        let shown: Vec<(u64, &str)> =
            found.iter().map(|m| (m.amount.minor(), m.bank_reference.as_str())).collect();
        assert_eq!(shown, [(1, "B1/1"), (2, "B1/2")]);
    }

    #[test]
    fn pending_entries_are_not_booked_and_what_is_wrong_is_said() {
        let pending = camt(&entry("5", "CRDT", "")).replace("BOOK", "PDNG");
        assert_eq!(read(&pending, ACCOUNT), Ok(Notice::Movements(Vec::new())));
        for (xml, words) in [
            (camt(&entry("0", "CRDT", "")), "nothing"),
            (camt(&entry("-5", "CRDT", "")), "not a number"),
            (camt(&entry("5.5", "CRDT", "")), "too many digits"),
            (camt(&entry("5", "SIDE", "")), "CRDT nor DBIT"),
            (camt(&entry("99999999999999999999", "CRDT", "")), "too large"),
            (camt(&entry("5", "CRDT", "").replace("JPY", "XYZ")), "ISO 4217"),
            (camt(&entry("5", "CRDT", "").replace("<AcctSvcrRef>B1</AcctSvcrRef>", "")), "no reference"),
            (camt(&entry("5", "CRDT", "")).replace(ACCOUNT, "1/2/3"), "not the center's"),
            ("<Document><this is not xml".to_owned(), "XML"),
            ("<Document><Other></Other></Document>".to_owned(), "not a camt.054"),
            ("<html></html>".to_owned(), "root element"),
            (String::new(), "ends before"),
            ("<!DOCTYPE x [<!ENTITY a \"b\">]><Document></Document>".to_owned(), "document type"),
        ] {
            let error = read(&xml, ACCOUNT).unwrap_err();
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    fn report(group: &str, blocks: &str) -> String {
        format!(
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt><GrpHdr><MsgId>S9</MsgId></GrpHdr>\
             <OrgnlGrpInfAndSts><OrgnlMsgId>MSG</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>{blocks}\
             </CstmrPmtStsRpt></Document>"
        )
    }

    #[test]
    fn reads_what_became_of_transfers() {
        let block = |status: &str, reason: &str| {
            format!(
                "<OrgnlPmtInfAndSts><OrgnlPmtInfId>MSG</OrgnlPmtInfId><TxInfAndSts><OrgnlEndToEndId>E1</OrgnlEndToEndId>\
                 <TxSts>{status}</TxSts>{reason}</TxInfAndSts></OrgnlPmtInfAndSts>"
            )
        };
        let reason = "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed account</AddtlInf></StsRsnInf>";
        for (xml, id, expected) in [
            (report("", &block("ACSC", "")), "E1", StatusOutcome::Settled(line("S9"))),
            (report("", &block("ACSP", "")), "E1", StatusOutcome::Pending),
            (report("", &block("RJCT", reason)), "E1", StatusOutcome::Rejected(line("AC04: closed account"))),
            (
                report("<GrpSts>RJCT</GrpSts>", ""),
                "MSG",
                StatusOutcome::Rejected(line("rejected without a reason")),
            ),
        ] {
            let expected = Status { end_to_end: line(id), outcome: expected };
            assert_eq!(read(&xml, ACCOUNT), Ok(Notice::Statuses(vec![expected])));
        }
        assert!(read(&report("", &block("WHAT", "")), ACCOUNT).unwrap_err().contains("unknown"));
    }

    proptest::proptest! {
        #[test]
        fn no_file_panics(text in "(<|>|/|Document|Ntry|Amt|RF| |[0-9]){0,60}") {
            let _ = read(&text, ACCOUNT);
        }
    }
}
