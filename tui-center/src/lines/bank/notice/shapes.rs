//! The shapes of camt.054 and pain.002, as far as the center reads them; what a bank adds is passed over.

use serde::Deserialize;

use super::Direction;

#[derive(Deserialize)]
pub(super) struct CamtDocument {
    #[serde(rename = "BkToCstmrDbtCdtNtfctn")]
    pub(super) notice: CamtMessage,
}

#[derive(Deserialize)]
pub(super) struct CamtMessage {
    #[serde(rename = "Ntfctn", default)]
    pub(super) notifications: Vec<CamtNotification>,
}

#[derive(Deserialize)]
pub(super) struct CamtNotification {
    #[serde(rename = "Acct")]
    pub(super) account: Account,
    #[serde(rename = "Ntry", default)]
    pub(super) entries: Vec<CamtEntry>,
}

#[derive(Deserialize)]
pub(super) struct CamtEntry {
    #[serde(rename = "NtryRef")]
    pub(super) reference: Option<String>,
    #[serde(rename = "Amt")]
    pub(super) amount: CamtAmount,
    #[serde(rename = "CdtDbtInd")]
    pub(super) direction: String,
    #[serde(rename = "RvslInd", default)]
    pub(super) reversal: bool,
    #[serde(rename = "Sts")]
    pub(super) status: Option<Code>,
    #[serde(rename = "AcctSvcrRef")]
    pub(super) servicer_reference: Option<String>,
    #[serde(rename = "NtryDtls", default)]
    pub(super) details: Vec<CamtDetails>,
}

#[derive(Deserialize)]
pub(super) struct CamtDetails {
    #[serde(rename = "TxDtls", default)]
    pub(super) transactions: Vec<CamtTransaction>,
}

#[derive(Clone, Default, Deserialize)]
pub(super) struct CamtTransaction {
    #[serde(rename = "Refs", default)]
    pub(super) references: References,
    #[serde(rename = "Amt")]
    pub(super) amount: Option<CamtAmount>,
    #[serde(rename = "CdtDbtInd")]
    pub(super) direction: Option<String>,
    #[serde(rename = "RltdPties", default)]
    pub(super) parties: Parties,
    #[serde(rename = "RltdAgts", default)]
    pub(super) agents: Agents,
    #[serde(rename = "RmtInf", default)]
    pub(super) remittance: Remittance,
    #[serde(rename = "RtrInf")]
    pub(super) returned: Option<StatusReason>,
}

#[derive(Clone, Default, Deserialize)]
pub(super) struct References {
    #[serde(rename = "AcctSvcrRef")]
    pub(super) servicer: Option<String>,
    #[serde(rename = "EndToEndId")]
    pub(super) end_to_end: Option<String>,
}

#[derive(Clone, Deserialize)]
pub(super) struct CamtAmount {
    #[serde(rename = "@Ccy")]
    pub(super) currency: String,
    #[serde(rename = "$text", default)]
    pub(super) value: String,
}

#[derive(Clone, Default, Deserialize)]
pub(super) struct Parties {
    #[serde(rename = "Dbtr")]
    pub(super) debtor: Option<Counterparty>,
    #[serde(rename = "DbtrAcct")]
    pub(super) debtor_account: Option<Account>,
    #[serde(rename = "Cdtr")]
    pub(super) creditor: Option<Counterparty>,
    #[serde(rename = "CdtrAcct")]
    pub(super) creditor_account: Option<Account>,
}

/// Version 8 wraps the party; earlier versions, which some banks still write inside it, do not.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Counterparty {
    #[serde(rename = "Pty")]
    pub(super) party: Option<Named>,
    #[serde(rename = "Nm")]
    pub(super) name: Option<String>,
}

impl Counterparty {
    pub(super) fn into_name(self) -> String {
        self.party.and_then(|party| party.name).or(self.name).unwrap_or_default()
    }
}

#[derive(Clone, Deserialize)]
pub(super) struct Named {
    #[serde(rename = "Nm")]
    pub(super) name: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
pub(super) struct Agents {
    #[serde(rename = "DbtrAgt")]
    pub(super) debtor: Option<Agent>,
    #[serde(rename = "CdtrAgt")]
    pub(super) creditor: Option<Agent>,
}

impl Agents {
    pub(super) fn of(self, direction: Direction) -> String {
        let agent = if direction == Direction::Credit { self.debtor } else { self.creditor };
        agent.and_then(|agent| agent.institution.bic).unwrap_or_default()
    }
}

#[derive(Clone, Deserialize)]
pub(super) struct Agent {
    #[serde(rename = "FinInstnId", default)]
    pub(super) institution: Institution,
}

#[derive(Clone, Default, Deserialize)]
pub(super) struct Institution {
    #[serde(rename = "BICFI")]
    pub(super) bic: Option<String>,
}

#[derive(Clone, Deserialize)]
pub(super) struct Account {
    #[serde(rename = "Id")]
    pub(super) id: AccountId,
}

#[derive(Clone, Deserialize)]
pub(super) struct AccountId {
    #[serde(rename = "IBAN")]
    pub(super) iban: Option<String>,
    #[serde(rename = "Othr")]
    pub(super) other: Option<OtherId>,
}

impl AccountId {
    pub(super) fn text(&self) -> String {
        self.iban.clone().or_else(|| self.other.as_ref().map(|other| other.id.clone())).unwrap_or_default()
    }
}

#[derive(Clone, Deserialize)]
pub(super) struct OtherId {
    #[serde(rename = "Id")]
    pub(super) id: String,
}

#[derive(Clone, Default, Deserialize)]
pub(super) struct Remittance {
    #[serde(rename = "Ustrd", default)]
    pub(super) unstructured: Vec<String>,
    #[serde(rename = "Strd", default)]
    pub(super) structured: Vec<Structured>,
}

#[derive(Clone, Deserialize)]
pub(super) struct Structured {
    #[serde(rename = "CdtrRefInf")]
    pub(super) creditor_reference: Option<CreditorReference>,
}

#[derive(Clone, Deserialize)]
pub(super) struct CreditorReference {
    #[serde(rename = "Ref")]
    pub(super) reference: Option<String>,
}

#[derive(Clone, Deserialize)]
pub(super) struct Code {
    #[serde(rename = "Cd")]
    pub(super) code: Option<String>,
    #[serde(rename = "Prtry")]
    pub(super) proprietary: Option<String>,
}

impl Code {
    pub(super) fn word(&self) -> &str {
        self.code.as_deref().or(self.proprietary.as_deref()).unwrap_or("")
    }
}

#[derive(Deserialize)]
pub(super) struct StatusDocument {
    #[serde(rename = "CstmrPmtStsRpt")]
    pub(super) report: StatusReport,
}

#[derive(Deserialize)]
pub(super) struct StatusReport {
    #[serde(rename = "GrpHdr")]
    pub(super) header: StatusHeader,
    #[serde(rename = "OrgnlGrpInfAndSts")]
    pub(super) original: OriginalGroup,
    #[serde(rename = "OrgnlPmtInfAndSts", default)]
    pub(super) blocks: Vec<StatusBlock>,
}

#[derive(Deserialize)]
pub(super) struct StatusHeader {
    #[serde(rename = "MsgId")]
    pub(super) message_id: String,
}

#[derive(Deserialize)]
pub(super) struct OriginalGroup {
    #[serde(rename = "OrgnlMsgId")]
    pub(super) message_id: String,
    #[serde(rename = "GrpSts")]
    pub(super) status: Option<String>,
    #[serde(rename = "StsRsnInf", default)]
    pub(super) reasons: Vec<StatusReason>,
}

#[derive(Deserialize)]
pub(super) struct StatusBlock {
    #[serde(rename = "PmtInfSts")]
    pub(super) status: Option<String>,
    #[serde(rename = "StsRsnInf", default)]
    pub(super) reasons: Vec<StatusReason>,
    #[serde(rename = "TxInfAndSts", default)]
    pub(super) transactions: Vec<StatusTransaction>,
}

#[derive(Deserialize)]
pub(super) struct StatusTransaction {
    #[serde(rename = "OrgnlEndToEndId")]
    pub(super) end_to_end: Option<String>,
    #[serde(rename = "TxSts")]
    pub(super) status: Option<String>,
    #[serde(rename = "StsRsnInf", default)]
    pub(super) reasons: Vec<StatusReason>,
}

#[derive(Clone, Deserialize)]
pub(super) struct StatusReason {
    #[serde(rename = "Rsn")]
    pub(super) reason: Option<Code>,
    #[serde(rename = "AddtlInf", default)]
    pub(super) more: Vec<String>,
}

impl StatusReason {
    pub(super) fn words(&self) -> String {
        let code = self.reason.as_ref().map(Code::word).unwrap_or("");
        let more = self.more.join(" ");
        match (code, more.as_str()) {
            ("", more) => more.to_owned(),
            (code, "") => code.to_owned(),
            (code, more) => format!("{code}: {more}"),
        }
    }
}
