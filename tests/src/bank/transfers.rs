//! Reading `pain.001.001.09` as a bank reads it.

use color_eyre::eyre::{Result, bail};

use super::minor;

/// What a `pain.001` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfers {
    /// The message's id.
    pub message_id: String,
    /// The account to debit.
    pub debtor_account: String,
    /// The transfers.
    pub transfers: Vec<Transfer>,
}

/// One credit transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The payment information block that holds it.
    pub block: String,
    /// The customer's id for it.
    pub end_to_end: String,
    /// The amount as it was written.
    pub amount: String,
    /// Its currency.
    pub currency: String,
    /// Who gets it.
    pub creditor: String,
    /// On which account.
    pub creditor_account: String,
}

/// Reads a `pain.001`; checks the control sum and the number of transactions, as a bank would.
pub fn read_transfers(xml: &str) -> Result<Transfers> {
    let document: pain001::Document = quick_xml::de::from_str(xml)?;
    let initiation = document.initiation;
    let mut transfers = Vec::new();
    let mut debtor_account = None;
    for block in initiation.blocks {
        let account = block.debtor_account.id.text();
        if debtor_account.get_or_insert(account.clone()) != &account {
            bail!("two debtor accounts in one message");
        }
        for transfer in block.transfers {
            transfers.push(Transfer {
                block: block.id.clone(),
                end_to_end: transfer.id.end_to_end,
                amount: transfer.amount.instructed.value,
                currency: transfer.amount.instructed.currency,
                creditor: transfer.creditor.name.unwrap_or_default(),
                creditor_account: transfer.creditor_account.id.text(),
            });
        }
    }
    if transfers.len().to_string() != initiation.header.count {
        bail!("the header counts {} transactions, there are {}", initiation.header.count, transfers.len());
    }
    if let Some(sum) = initiation.header.sum {
        let total: u64 = transfers.iter().map(|transfer| minor(&transfer.amount, 2)).sum::<Result<u64>>()?;
        if total != minor(&sum, 2)? {
            bail!("the control sum {sum} is not the sum of the transfers");
        }
    }
    let Some(debtor_account) = debtor_account else { bail!("no payment information block") };
    Ok(Transfers { message_id: initiation.header.message_id, debtor_account, transfers })
}

/// The shapes of `pain.001` that a bank reads.
mod pain001 {
    use serde::Deserialize;

    #[derive(Deserialize)]
    pub(super) struct Document {
        #[serde(rename = "CstmrCdtTrfInitn")]
        pub(super) initiation: Initiation,
    }

    #[derive(Deserialize)]
    pub(super) struct Initiation {
        #[serde(rename = "GrpHdr")]
        pub(super) header: Header,
        #[serde(rename = "PmtInf")]
        pub(super) blocks: Vec<Block>,
    }

    #[derive(Deserialize)]
    pub(super) struct Header {
        #[serde(rename = "MsgId")]
        pub(super) message_id: String,
        #[serde(rename = "NbOfTxs")]
        pub(super) count: String,
        #[serde(rename = "CtrlSum")]
        pub(super) sum: Option<String>,
    }

    #[derive(Deserialize)]
    pub(super) struct Block {
        #[serde(rename = "PmtInfId")]
        pub(super) id: String,
        #[serde(rename = "DbtrAcct")]
        pub(super) debtor_account: Account,
        #[serde(rename = "CdtTrfTxInf")]
        pub(super) transfers: Vec<Transfer>,
    }

    #[derive(Deserialize)]
    pub(super) struct Account {
        #[serde(rename = "Id")]
        pub(super) id: AccountId,
    }

    #[derive(Deserialize)]
    pub(super) struct AccountId {
        #[serde(rename = "IBAN")]
        iban: Option<String>,
        #[serde(rename = "Othr")]
        other: Option<Other>,
    }

    impl AccountId {
        pub(super) fn text(&self) -> String {
            self.iban
                .clone()
                .or_else(|| self.other.as_ref().map(|other| other.id.clone()))
                .unwrap_or_default()
        }
    }

    #[derive(Deserialize)]
    struct Other {
        #[serde(rename = "Id")]
        id: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Transfer {
        #[serde(rename = "PmtId")]
        pub(super) id: PaymentId,
        #[serde(rename = "Amt")]
        pub(super) amount: Amount,
        #[serde(rename = "Cdtr")]
        pub(super) creditor: Party,
        #[serde(rename = "CdtrAcct")]
        pub(super) creditor_account: Account,
    }

    #[derive(Deserialize)]
    pub(super) struct PaymentId {
        #[serde(rename = "EndToEndId")]
        pub(super) end_to_end: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Amount {
        #[serde(rename = "InstdAmt")]
        pub(super) instructed: Instructed,
    }

    #[derive(Deserialize)]
    pub(super) struct Instructed {
        #[serde(rename = "@Ccy")]
        pub(super) currency: String,
        #[serde(rename = "$text")]
        pub(super) value: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Party {
        #[serde(rename = "Nm")]
        pub(super) name: Option<String>,
    }
}
