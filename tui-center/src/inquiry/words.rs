//! Entries in words, one line each.

use ledger::{
    Decision, Entry, Outcome, Request,
    entry::{Mismatch, Purpose},
    request::{Document, OperatorAct, Person, PostResult, Proposed, Standing, TransferResult},
};
use wire::{amount::Amount, id::Role, payload::KeyRole};

use super::view::{Local, TransactionRow};
use crate::books;

/// The line of the transaction register for an entry.
pub fn row(entry: &Entry, local: &Local) -> TransactionRow {
    TransactionRow {
        number: entry.number,
        at: local.moment(entry.at),
        kind: entry.kind(),
        words: words(entry, local),
        amount: amount(entry).map(|amount| local.money(amount)),
        member: entry.concerns.member,
        store: entry.concerns.store,
        card: entry.concerns.card,
        refused: entry.refusal().is_some(),
    }
}

/// What was asked and what came of it.
pub fn words(entry: &Entry, local: &Local) -> String {
    let asked = asked(&entry.request);
    match &entry.decision {
        Decision::Refused(refusal) => format!("{asked}: refused, {}", books::said(refusal)),
        Decision::Done(outcome) => match done(outcome, local) {
            Some(done) => format!("{asked}: {done}"),
            None => asked,
        },
    }
}

/// How much an entry is about, whether or not it was done.
pub fn amount(entry: &Entry) -> Option<Amount> {
    match (&*entry.request.effective(), &entry.decision) {
        (
            _,
            Decision::Done(
                Outcome::CardIssued { amount, .. }
                | Outcome::Refunded { amount, .. }
                | Outcome::PayoutIntended { amount, .. }
                | Outcome::PayoutSettled { amount, .. },
            ),
        ) => Some(*amount),
        (Request::RequestCard(it), _) => Some(it.amount),
        (Request::Credit(it), _) => Some(it.amount),
        (Request::Pay(it), _) => Some(it.total),
        (Request::Refund(it), _) => Some(it.amount),
        (Request::Claim(it), _) => Some(it.total),
        _ => None,
    }
}

/// Why a credit fits no open card request.
pub fn mismatch(mismatch: &Mismatch, local: &Local) -> String {
    let print = |amount: &Amount| local.money(*amount).text;
    match mismatch {
        Mismatch::UnknownReference => "no card request has this reference".into(),
        Mismatch::TooLittle { request, expected } => {
            format!("too little for card request {request}, which asks for {}", print(expected))
        }
        Mismatch::TooMuch { request, expected } => {
            format!("too much for card request {request}, which asks for {}", print(expected))
        }
        Mismatch::AlreadyPaid { request } => format!("card request {request} was paid before"),
        Mismatch::Lapsed { request } => format!("card request {request} had lapsed"),
    }
}

/// What a transfer was for.
pub fn purpose(purpose: Purpose) -> String {
    match purpose {
        Purpose::Claim(claim) => format!("claim {claim}"),
        Purpose::Return(receipt) => format!("return of receipt {receipt}"),
    }
}

fn asked(request: &Request) -> String {
    match request {
        Request::Found(settings) => format!("the center “{}” was founded", settings.name),
        Request::Sheet { number, .. } => format!("key sheet {number} came into force"),
        Request::Operator { name, role: Some(role), .. } => {
            format!("operator {name} became {}", crate::operators::role_name(*role))
        }
        Request::Operator { name, role: None, .. } => format!("operator {name} was taken off"),
        Request::Register(it) => match &it.trade_name {
            Some(name) => format!("the store “{name}” registers"),
            None => "a member registers".into(),
        },
        Request::ChangeKey(it) => {
            let does = if it.key.is_some() { "changes" } else { "revokes" };
            format!("{} {does} its {}", it.account, key_name(it.role))
        }
        Request::RequestCard(it) => format!("{} asks for a card", it.member),
        Request::Credit(it) => format!("bank credit {}", it.bank_reference),
        Request::Pay(it) => format!("{} pays {} from {}", it.member, it.store, it.card),
        Request::Void(it) => format!("a telegram of {} will never count", it.account),
        Request::Refund(it) => {
            let by = if it.cashier.is_some() { " by a cashier" } else { "" };
            format!("{} refunds {}{by}, {}", it.store, it.payment, it.reason.words())
        }
        Request::Claim(it) => format!("{} claims {} payments", it.store, it.payments.len()),
        Request::PayClaim { claim } => format!("transfer for claim {claim}"),
        Request::PayoutResult { payout, result: TransferResult::Paid { bank_reference } } => {
            format!("the bank executed {payout} as {bank_reference}")
        }
        Request::PayoutResult { payout, result: TransferResult::Failed { words } } => {
            format!("the bank did not execute {payout} ({words})")
        }
        Request::AssignReceipt { by, receipt, request } => {
            format!("{by} assigns receipt {receipt} to card request {request}")
        }
        Request::ReturnReceipt { by, receipt } => format!("{by} sends receipt {receipt} back"),
        Request::Standing { by, of, frozen, reason } => {
            let what = match of {
                Standing::Card(card) => card.to_string(),
                Standing::Account(account) => account.to_string(),
            };
            format!("{by} {} {what}: {reason}", if *frozen { "freezes" } else { "releases" })
        }
        Request::Lapse { request } => format!("card request {request} lapses: no money came in time"),
        Request::Admit(it) => match it.replaces {
            None => format!("{} admits {}", who(it.by.as_deref()), it.application),
            Some(account) => {
                format!(
                    "{} admits {} to replace the lost terminal of {account}",
                    who(it.by.as_deref()),
                    it.application
                )
            }
        },
        Request::Recode { by, admission, key, reason, .. } => {
            let key = if key.is_some() { ", for another key" } else { "" };
            format!("{by} sends a new activation code for {admission}{key}: {reason}")
        }
        Request::Decline { by, application, ask_back, .. } => {
            format!(
                "{} {} {application}",
                who(by.as_deref()),
                if *ask_back { "asks back" } else { "refuses" }
            )
        }
        Request::Posted { intent, way, result: PostResult::Done } => {
            format!("what {intent} sends went out {}", way.words())
        }
        Request::Posted { intent, way, result: PostResult::GivenUp { by } } => {
            format!("{by} gives up what {intent} sends {}", way.words())
        }
        Request::CancelKeyChange(it) => {
            format!("{} cancels the recovery key that {} asked for", it.account, it.change)
        }
        Request::KeyInForce { account, change } => {
            format!("the recovery key of {account} that {change} asked for is in force")
        }
        Request::Revoke { by, account, role, reason } => {
            format!("{by} revokes the {} of {account}: {reason}", key_name(*role))
        }
        Request::Cashier(it) => match &it.rights {
            Some(_) => format!("{} certifies the cashier {}", it.store, it.key.fingerprint()),
            None => format!("{} takes the rights of the cashier {} away", it.store, it.key.fingerprint()),
        },
        Request::CenterRefund { by, payment, reason } => format!("{by} refunds {payment}: {reason}"),
        Request::Document { by, document, version, .. } => {
            format!("{} puts version {version} of {} in force", who(by.as_deref()), document_name(*document))
        }
        Request::Limits { by, .. } => format!("{by} sets the limits up to which one operator acts alone"),
        Request::Note { by, act } => match act {
            OperatorAct::KitAdd { digest } => {
                format!("{by} offers the program {} in the admission kit", digest.short())
            }
            OperatorAct::KitRemove { digest } => {
                format!("{by} takes the program {} out of the admission kit", digest.short())
            }
            OperatorAct::AcceptClock => format!("{by} says that the center's clock, which jumped, is right"),
            OperatorAct::OwnPassphrase => format!("{by} takes another passphrase"),
            OperatorAct::PostRetry { name } => format!("{by} tries {name} again"),
        },
        Request::Reveal { by, of, reason } => {
            format!("{by} looks at the personal data of {}: {reason}", person(*of))
        }
        Request::Export { by, of, reason } => {
            format!("{by} hands out the personal data of {}: {reason}", person(*of))
        }
        Request::Erase { by, of, reason } => {
            format!("{by} erases the personal data of {}: {reason}", person(*of))
        }
        Request::Propose { by, act } => format!("{by} proposes: {}", proposed(act, by)),
        Request::Confirm { by, proposal, act } => format!("{by} confirms {proposal}: {}", proposed(act, by)),
        Request::Withdraw { by, proposal } => format!("{by} drops the proposal {proposal}"),
    }
}

/// What a proposal is to do, as a sentence about whoever does it.
pub fn proposed(act: &Proposed, by: &str) -> String {
    asked(&act.request(by))
}

/// A key's role, as a noun.
pub fn key_name(role: KeyRole) -> &'static str {
    match role {
        KeyRole::Signature => "signature key",
        KeyRole::Terminal => "terminal key",
        KeyRole::Recovery => "recovery key",
    }
}

/// A document, as a noun.
pub fn document_name(document: Document) -> &'static str {
    match document {
        Document::Guide(Role::Member) => "the members' guide page",
        Document::Guide(Role::Store) => "the stores' guide page",
        Document::Form(Role::Member) => "the members' form",
        Document::Form(Role::Store) => "the stores' form",
        Document::Terms => "the terms of use",
        Document::Policy => "the policy",
    }
}

fn person(of: Person) -> String {
    match of {
        Person::Account(account) => account.to_string(),
        Person::Application(application) => application.to_string(),
    }
}

fn who(by: Option<&str>) -> &str {
    by.unwrap_or("the center")
}

fn done(outcome: &Outcome, local: &Local) -> Option<String> {
    match outcome {
        Outcome::Entered | Outcome::Paid { .. } | Outcome::PayoutIntended { .. } => None,
        Outcome::Registered(account) => Some(format!("entered as {account}")),
        Outcome::CardRequested { reference, .. } => {
            Some(format!("waits for money with reference {reference}"))
        }
        Outcome::CardIssued { card, request, .. } => {
            Some(format!("card {card} issued for request {request}"))
        }
        Outcome::Unmatched(why) => Some(format!("on the bank desk, {}", mismatch(why, local))),
        Outcome::Refunded { card, .. } => Some(format!("back on {card}")),
        Outcome::PayoutSettled { purpose: what, paid, .. } => {
            Some(format!("{} is {}", purpose(*what), if *paid { "paid out" } else { "not paid out" }))
        }
        Outcome::Admitted(account) => Some(format!("as {account}")),
        Outcome::KeyWaits { from } => {
            Some(format!("in force from {}, unless it is cancelled", local.moment(*from).text))
        }
        Outcome::KeyInForce(key) => Some(key.fingerprint().to_string()),
        Outcome::Proposed => Some("another operator confirms it".into()),
    }
}
