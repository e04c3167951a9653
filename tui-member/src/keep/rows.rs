//! What the vault and the book say, as rows for screens and scripts.

use tui_kit::pad::Drawing;
use vault::{Autograph, outbox::State};
use wire::{
    amount::Currency,
    payload::{CardRequest, KeyCancel, KeyChange, KeyRole, Payment, Registration},
    telegram::{Kind, Telegram},
    text::Line,
    time::Timestamp,
};

use super::Kept;
use crate::{
    book::custody::digest,
    join,
    record::{Ending, Purpose},
    view::{
        AlarmRow, CardRow, CenterRow, ChainRow, CustodyRow, FundingRow, KeyRow, KeysView, KitRow, LineView,
        MessageRow, Moment, Money, OutboxRow, RecoveryRow, Snapshot,
    },
};

/// How many messages a snapshot shows.
const MESSAGES_SHOWN: usize = 500;

impl Kept {
    /// The outbox as rows, newest first.
    pub(crate) fn outbox_rows(&self, open_only: bool) -> Vec<OutboxRow> {
        let items = self.vault.outbox().items().rev();
        items.filter(|item| !open_only || item.state.is_open()).map(|item| self.outbox_row(item)).collect()
    }

    fn outbox_row(&self, item: &vault::Item) -> OutboxRow {
        let purpose = Purpose::decode(&item.note).ok();
        let amount = match purpose {
            Some(Purpose::Payment { .. }) => {
                item.telegram.peek::<Payment>().ok().map(|said| (said.total, said.currency))
            }
            Some(Purpose::CardRequest) => {
                item.telegram.peek::<CardRequest>().ok().map(|said| (said.amount, said.currency))
            }
            _ => None,
        };
        let words = match &item.state {
            State::Prepared => "prepared: signed, not sent".to_owned(),
            State::MayHaveLeft { since } => {
                format!("sent, outcome unknown since {}; resolve asks the center", Moment::from(*since).text)
            }
            State::Withdrawn { .. } => "withdrawn before it left".to_owned(),
            State::Closed { outcome, .. } => Ending::decode(outcome).map_or_else(
                |error| format!("answered, but the answer is unreadable: {error}"),
                |ending| ending_words(&ending),
            ),
        };
        OutboxRow {
            telegram: item.telegram.id(),
            kind: purpose.map_or("unreadable", Purpose::noun).to_owned(),
            order: purpose.and_then(Purpose::order),
            amount: amount.map(|(amount, currency)| Money::new(amount, currency)),
            signed: item.prepared_at.into(),
            valid_until: valid_until(&item.telegram).map(Moment::from),
            sent: matches!(item.state, State::MayHaveLeft { .. }),
            open: item.state.is_open(),
            words,
        }
    }

    /// Everything at this moment.
    pub(super) fn snapshot(&self, generation: u64, line: LineView) -> Snapshot {
        let now = Timestamp::now();
        let mut messages: Vec<_> = self.book.messages.iter().collect();
        messages.sort_by_key(|message| std::cmp::Reverse((message.at, message.number)));
        let message = |message: &crate::book::Message| MessageRow {
            at: message.at.into(),
            number: message.number,
            words: message.words.clone(),
            alarm: message.alarm,
        };
        Snapshot {
            generation,
            member: self.book.account().ok().and_then(wire::message::member_of),
            center: self.center_row(),
            line,
            cards: self.card_rows(),
            funding: self.funding_rows(),
            purchases: self.book.history(now),
            messages: messages.into_iter().take(MESSAGES_SHOWN).map(message).collect(),
            outbox: self.outbox_rows(true),
            cart: self.book.cart.clone(),
            findings: self.findings.clone(),
            custody: self.custody_row(),
            download: None,
            seal: self.vault.autograph().as_ref().and_then(drawing),
        }
    }

    fn center_row(&self) -> Option<CenterRow> {
        let (seen, pinned) = (self.book.center.as_ref()?, self.vault.center()?);
        Some(CenterRow {
            name: seen.name.clone(),
            fingerprint: pinned.root.fingerprint(),
            currency: seen.currency,
            zone: seen.zone.clone(),
            help: seen.help.clone(),
            addresses: pinned.addresses.iter().filter_map(|address| Line::new(address).ok()).collect(),
            sheet: self.sheet_number(),
        })
    }

    /// The cards as rows.
    pub(crate) fn card_rows(&self) -> Vec<CardRow> {
        let Some(seen) = &self.book.center else { return Vec::new() };
        let row = |(number, card): (&wire::id::CardNumber, &crate::book::Card)| CardRow {
            card: *number,
            balance: Money::new(card.balance, seen.currency),
            as_of: card.as_of.into(),
            frozen: card.frozen,
            issued: card.issued.into(),
        };
        self.book.cards.iter().map(row).collect()
    }

    /// The card requests that wait for money, as rows.
    pub(crate) fn funding_rows(&self) -> Vec<FundingRow> {
        let Some(seen) = &self.book.center else { return Vec::new() };
        self.book.funding.values().map(|terms| funding_row(terms, seen.currency)).collect()
    }

    /// Keys, alarm, recovery and what the center offers, as a snapshot shows them.
    fn custody_row(&self) -> CustodyRow {
        let custody = &self.book.custody;
        let alarm = custody.unread().map(|(about, alarm)| AlarmRow {
            about,
            digest: digest(alarm),
            at: alarm.at.into(),
            words: alarm.words.to_string(),
        });
        let kit = custody.kit.as_ref().map(|kit| KitRow {
            number: kit.number,
            terms: kit.terms.version,
            newer: join::newer_build(kit).map(|build| build.version.clone()),
            outdated: custody.chain.as_ref().is_some_and(|chain| chain.kit > kit.number),
        });
        CustodyRow {
            alarm,
            kit,
            recovery: self.recovery_row(),
            signing_until: self.signing.as_ref().map(|(_, until)| (*until).into()),
            held: custody.held(Timestamp::now()).map(Moment::from),
        }
    }

    /// How recovery stands.
    fn recovery_row(&self) -> RecoveryRow {
        let known = self.vault.recovery();
        let registered = self.book.custody.recovery_registered();
        RecoveryRow {
            phrase: known.is_some(),
            registered: known.is_some_and(|known| registered == Some(known.keys.recovery_key)),
            confirmed: known.and_then(|known| known.confirmed_at).map(Moment::from),
            proved: known.and_then(|known| known.proved_at).map(Moment::from),
            deposited: self.vault.deposited_at().map(Moment::from),
            due: self.vault.copy_is_due(),
        }
    }

    /// Every key, this vault's and the center's, as rows.
    pub(crate) fn keys_view(&self) -> KeysView {
        let custody = &self.book.custody;
        let own: Vec<_> = [KeyRole::Signature, KeyRole::Terminal, KeyRole::Recovery]
            .into_iter()
            .map(|role| KeyRow {
                role: role_name(role).to_owned(),
                fingerprint: self.vault.in_use(role).map(|key| key.fingerprint()),
                waits: self.vault.waiting(role).map(|key| key.fingerprint()),
            })
            .collect();
        let keys: Vec<_> = [KeyRole::Signature, KeyRole::Terminal, KeyRole::Recovery]
            .into_iter()
            .flat_map(|role| [self.vault.in_use(role), self.vault.waiting(role)])
            .flatten()
            .collect();
        let chain = custody.chain.iter().flat_map(|chain| &chain.events).map(|event| ChainRow {
            entry: event.entry,
            role: role_name(event.role).to_owned(),
            fingerprint: event.key.map(|key| key.fingerprint()),
            own: custody.foreign(std::slice::from_ref(event), &keys).is_none(),
        });
        let waiting = custody.chain.as_ref().and_then(|chain| chain.waiting);
        KeysView {
            own,
            chain: chain.collect(),
            chain_as_of: custody.chain.as_ref().map(|chain| chain.at.into()),
            waiting_change: waiting.map(|waiting| waiting.change),
            waiting_from: waiting.map(|waiting| waiting.from.into()),
            held: custody.held(Timestamp::now()).map(Moment::from),
            recovery: self.recovery_row(),
        }
    }
}

/// A key's role in one word.
pub(crate) fn role_name(role: KeyRole) -> &'static str {
    match role {
        KeyRole::Signature => "signature",
        KeyRole::Terminal => "terminal",
        KeyRole::Recovery => "recovery",
    }
}

/// Until when a telegram of ours may be entered.
fn valid_until(telegram: &Telegram) -> Option<Timestamp> {
    Some(match telegram.kind {
        Kind::Registration => telegram.peek::<Registration>().ok()?.valid_until,
        Kind::CardRequest => telegram.peek::<CardRequest>().ok()?.valid_until,
        Kind::Payment => telegram.peek::<Payment>().ok()?.valid_until,
        Kind::KeyChange => telegram.peek::<KeyChange>().ok()?.valid_until,
        Kind::KeyCancel => telegram.peek::<KeyCancel>().ok()?.valid_until,
        _ => return None,
    })
}

/// What of an autograph is drawn; one that was typed shows nothing.
pub(crate) fn drawing(autograph: &Autograph) -> Option<Drawing> {
    let stroke = |stroke: &vault::autograph::Stroke| tui_kit::pad::Stroke {
        points: stroke
            .points
            .iter()
            .map(|point| tui_kit::pad::Point { x: point.x, y: point.y, ms: point.ms })
            .collect(),
    };
    let drawing = Drawing::new(autograph.strokes().iter().map(stroke).collect()).ok()?;
    (!drawing.is_empty()).then_some(drawing)
}

/// How to pay for a card, as a row.
pub(crate) fn funding_row(terms: &wire::message::FundingTerms, currency: Currency) -> FundingRow {
    FundingRow {
        request: terms.request,
        amount: Money::new(terms.amount, currency),
        holder: terms.account.holder.clone(),
        account: terms.account.number.clone(),
        bic: terms.account.bic.clone(),
        reference: terms.reference.clone(),
        expires: terms.expires.into(),
    }
}

/// What ended a telegram, in words.
pub(crate) fn ending_words(ending: &Ending) -> String {
    use wire::message::{Effect, Verdict};
    match ending {
        Ending::Verdict(Verdict::Done { effect, receipt }) => match effect {
            Effect::Paid { .. } => format!("settled as {}", receipt.leaf.entry),
            Effect::FundingOpened(_) => format!("card request entered as {}", receipt.leaf.entry),
            Effect::KeyChangeWaits { from } => format!(
                "entered as {}; the new recovery key is in force from {}, and the old phrase can cancel it until then",
                receipt.leaf.entry,
                Moment::from(*from).text
            ),
            _ => format!("done as {}", receipt.leaf.entry),
        },
        Ending::Verdict(Verdict::Refused { reason, receipt }) => {
            format!("refused as {}: {reason}", receipt.leaf.entry)
        }
        Ending::Verdict(Verdict::Void { receipt }) => {
            format!("void: entered as {} as never to be done", receipt.leaf.entry)
        }
        Ending::Verdict(Verdict::Expired) => "expired before it was entered; it never will be".into(),
        Ending::Registered { account, entry, .. } => format!("registered as {account} by {entry}"),
        Ending::NotEntered { words } => format!("not accepted, nothing was entered: {words}"),
    }
}
