//! A center that is founded and filled through the ledger core, ready for a real `tui-center serve`.
//!
//! The founding is the program's own; after it every entry is decided by `ledger`, applied, and appended to the books
//! with the evidence that a terminal would have sent: registrations with their certificates, card requests and payments,
//! each with a real signature. Signing takes all cores, deciding and appending one.
//!
//! What is simpler than in life: all members gave the same particulars under the same salt, so that one file in the
//! cabinet is everybody's; bank credits come from no bank; all mail counts as acknowledged.

use std::{fs, path::Path, sync::mpsc, thread};

use color_eyre::eyre::{Context as _, Result, bail, eyre};
use ledger::{
    Decision, Outcome, Request, State, decide,
    request::{Admission, CardRequest, Credit, Payment, Registration, Settings},
};
use secrecy::SecretString;
use tui_center::{
    books::{Books, CheckpointKey, Record},
    center::Custody,
    init::{self, Founding},
    places::Places,
};
use tui_kit::profile::Profile;
use wire::{
    admission::{ActivationCode, Way},
    amount::{Amount, Currency},
    bounded::List,
    codec,
    id::{AccountNumber, ApplicationNumber, CenterId, Digest, EntryNumber, MemberNumber, Nonce, Role, Salt},
    key::SigningKey,
    message::{Beside, Particulars, RegisterCall, field},
    payload::{self, Funding, particulars_hash},
    telegram::{Signer, Telegram},
    terminal::{Registrant, VALID_MS},
    text::{Line, Prose},
    time::Timestamp,
};

use super::{
    cast::{self, Cast, LOADED, OPERATOR, PASSPHRASE, Sizes},
    ending,
    payments::{Dice, Payer, Zipf},
    spread,
};

/// Entries of one batch of the journal.
const BATCH: usize = 4_096;
/// Telegrams that are signed ahead.
const AHEAD: usize = 50_000;
/// The salt of everybody's particulars.
const SALT: Salt = Salt([6; 32]);
/// How much a payment's entry takes on the disk, at the most, in bytes: for saying beforehand how much is needed.
pub const ENTRY_BYTES: u64 = 500;

/// Founds a center in a profile and fills its books: members, stores, cards and so many payments. `say` hears how far it is.
///
/// # Errors
/// When there is a center already, and whatever the file system refuses.
pub fn center(profile: &Path, sizes: Sizes, payments: usize, say: &mut dyn FnMut(&str)) -> Result<Cast> {
    let located = Profile::locate("tui-center", profile.to_str())?;
    let root = init::found(&located, &founding(profile), Timestamp::now())?.invitation.root;
    let passphrase = SecretString::from(PASSPHRASE);
    let custody = Custody::open(&located, &passphrase)?;
    let mut state = State::new();
    let mut applied = Ok(());
    let each = |record: &Record| {
        if applied.is_ok() {
            applied = state.apply(&record.entry);
        }
    };
    let mut books = Books::open(Places::of(&located).books.as_path(), custody.checkpoint_key(), each)?;
    applied?;
    for role in [Role::Member, Role::Store] {
        let particulars = particulars(role);
        custody.cabinet.put_person(particulars_hash(&SALT, &particulars), &SALT, &particulars)?;
    }
    let mut clerk = Clerk::new(&mut books, &mut state);
    let events = clerk.join_all(root.center(), sizes)?;
    let mut cast = Cast::new(root.center(), root, sizes, events);
    clerk.issue_cards(&cast)?;
    say(&format!(
        "{} members, {} cards and {} stores are entered",
        sizes.members,
        sizes.cards(),
        sizes.stores
    ));
    clerk.pay(&cast, payments, say)?;
    clerk.flush()?;
    let last = EntryNumber(books.reader().size() - 1);
    for (role, count) in [(Role::Member, sizes.members), (Role::Store, sizes.stores)] {
        for index in 0..count {
            custody.cabinet.set_cursor(cast::account(role, index), last)?;
        }
    }
    (cast.entries, cast.payments) = (books.reader().size(), payments as u64);
    books.close()?;
    cast.write(profile)?;
    Ok(cast)
}

/// Books without a center around them, and the state that they give: for measuring in this process.
///
/// # Errors
/// Whatever the file system refuses.
pub fn bare(dir: &Path, sizes: Sizes) -> Result<(Books, State, Cast)> {
    let key = SigningKey::generate();
    let root = key.verification_key();
    let settings = Settings {
        center: root.center(),
        name: "Measured".into(),
        currency: Currency::YEN,
        zone: "Asia/Tokyo".into(),
        day_end: 1440,
        card_least: yen(1)?,
        card_most: yen(LOADED)?,
        funding_ms: VALID_MS,
        refusals_per_minute: 100,
    };
    let mut state = State::new();
    let entry = decide(&state, &Request::Found(settings), Timestamp::now());
    state.apply(&entry)?;
    let key = CheckpointKey::new(Line::new("inkan.measured/books")?, key);
    let mut books = Books::create(dir, key, &[Record::new(entry, Vec::new())])?;
    let mut clerk = Clerk::new(&mut books, &mut state);
    let events = clerk.join_all(root.center(), sizes)?;
    let cast = Cast::new(root.center(), root, sizes, events);
    clerk.issue_cards(&cast)?;
    clerk.flush()?;
    Ok((books, state, cast))
}

/// A payment's telegram as the ledger takes it, and the evidence that the journal keeps of it.
pub fn asked(payment: &payload::Payment, telegram: &Telegram) -> (Request, Vec<u8>) {
    let request = Request::Pay(Payment {
        telegram: telegram.id(),
        member: payment.member,
        event: payment.key_event,
        card: payment.card,
        store: payment.store,
        offer: payment.offer,
        order: payment.order,
        total: payment.total,
        currency: payment.currency,
        offer_expires: payment.offer_expires,
        valid_until: payment.valid_until,
    });
    (request, evidence(telegram))
}

/// Decides, applies and appends.
struct Clerk<'a> {
    books: &'a mut Books,
    state: &'a mut State,
    now: Timestamp,
    waiting: Vec<Record>,
}

impl<'a> Clerk<'a> {
    fn new(books: &'a mut Books, state: &'a mut State) -> Self {
        Self { books, state, now: Timestamp::now(), waiting: Vec::new() }
    }

    fn enter(&mut self, request: &Request, evidence: Vec<u8>) -> Result<(EntryNumber, Outcome)> {
        let entry = decide(self.state, request, self.now);
        let number = entry.number;
        let outcome = match &entry.decision {
            Decision::Done(outcome) => outcome.clone(),
            Decision::Refused(refusal) => {
                bail!("the books refuse {number}: {}", tui_center::books::said(refusal))
            }
        };
        self.state.apply(&entry)?;
        self.waiting.push(Record::new(entry, evidence));
        if self.waiting.len() >= BATCH {
            self.flush()?;
        }
        Ok((number, outcome))
    }

    fn flush(&mut self) -> Result<()> {
        ending::go_on()?;
        self.books.append(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    /// Admits and registers everybody; the key events of the members.
    fn join_all(&mut self, center: CenterId, sizes: Sizes) -> Result<Vec<u64>> {
        let now = self.now;
        let everybody: Vec<AccountNumber> = (0..sizes.members)
            .map(|index| cast::account(Role::Member, index))
            .chain((0..sizes.stores).map(|index| cast::account(Role::Store, index)))
            .collect();
        let forms = [particulars(Role::Member), particulars(Role::Store)];
        let form = |role| if role == Role::Member { &forms[0] } else { &forms[1] };
        let calls = spread(everybody.len(), |index| {
            let (account, application) = (everybody[index], ApplicationNumber(index as u64 + 1));
            registration(center, account, application, form(account.role()), now)
        });
        let mut events = Vec::with_capacity(sizes.members);
        for (call, account) in calls.into_iter().zip(everybody) {
            let event = self.register(&call?, account)?;
            if account.role() == Role::Member {
                events.push(event.0);
            }
        }
        Ok(events)
    }

    fn register(&mut self, call: &RegisterCall, account: AccountNumber) -> Result<EntryNumber> {
        let said: payload::Registration = call.telegram.peek()?;
        let admission = Admission {
            by: None,
            application: said.application,
            role: account.role(),
            key: said.verification_key,
            particulars: said.particulars,
            replaces: None,
            until: said.valid_until,
            ways: vec![Way::Mail],
        };
        let (admission, _) = self.enter(&Request::Admit(admission), Vec::new())?;
        let registration = Registration {
            telegram: call.telegram.id(),
            account,
            application: said.application,
            admission,
            signature_key: said.verification_key,
            terminal_key: said.terminal_key,
            recovery_key: None,
            particulars: said.particulars,
            terms: said.terms,
            trade_name: (account.role() == Role::Store).then(|| TRADE_NAME.to_owned()),
            valid_until: said.valid_until,
        };
        let evidence = codec::encode(&(&call.telegram, &call.certificate));
        Ok(self.enter(&Request::Register(registration), evidence)?.0)
    }

    /// Every member asks for its cards, and the money comes in.
    fn issue_cards(&mut self, cast: &Cast) -> Result<()> {
        let (now, each) = (self.now, cast.sizes.cards_each);
        let signed = spread(cast.sizes.members, |index| {
            let member = cast.member(index);
            let account = AccountNumber::Member(member.number);
            let key = cast::signature_key(account);
            let ask = |_| {
                let request = payload::CardRequest {
                    center: cast.center,
                    member: member.number,
                    key_event: member.event,
                    amount: Amount::new(LOADED).unwrap_or_default(),
                    currency: Currency::YEN,
                    funding: Funding::BankTransfer,
                    nonce: Nonce::random(),
                    valid_until: now.plus_ms(VALID_MS),
                };
                Telegram::sign(&request, Signer::Account(account), &key)
            };
            (member.number, member.event, (0..each).map(ask).collect::<Vec<Telegram>>())
        });
        for (member, event, telegrams) in signed {
            for telegram in telegrams {
                self.issue_card(member, event, &telegram)?;
            }
        }
        Ok(())
    }

    fn issue_card(&mut self, member: MemberNumber, event: EntryNumber, telegram: &Telegram) -> Result<()> {
        let request = CardRequest {
            telegram: telegram.id(),
            member,
            event,
            amount: yen(LOADED)?,
            currency: Currency::YEN,
            funding: Funding::BankTransfer,
            valid_until: self.now.plus_ms(VALID_MS),
        };
        let (asked, outcome) = self.enter(&Request::RequestCard(request), evidence(telegram))?;
        let Outcome::CardRequested { reference, .. } = outcome else { bail!("{asked} is no card request") };
        let credit = Credit {
            bank_reference: format!("LOAD{}", asked.0),
            amount: yen(LOADED)?,
            currency: Currency::YEN,
            reference: Some(reference),
            payer: Digest::of(&[b"inkan/load/payer"]),
            notice: Digest::of(&[b"inkan/load/notice", &asked.0.to_le_bytes()]),
        };
        self.enter(&Request::Credit(credit), Vec::new()).map(drop)
    }

    /// So many payments, of all members in turn; signed ahead on all cores while these are entered.
    fn pay(&mut self, cast: &Cast, payments: usize, say: &mut dyn FnMut(&str)) -> Result<()> {
        let (zipf, dice, now) = (Zipf::over(cast.sizes.stores), Dice::fresh(), self.now);
        let (signed, ready) = mpsc::sync_channel(1);
        thread::scope(|scope| {
            let (zipf, dice) = (&zipf, &dice);
            scope.spawn(move || {
                for from in (0..payments).step_by(AHEAD) {
                    let count = AHEAD.min(payments - from);
                    let share = count.div_ceil(cast.sizes.members).max(1);
                    let made = spread(count.div_ceil(share), |part| {
                        let member = (from / share + part) % cast.sizes.members;
                        let mut payer = Payer::new(cast, member, zipf, dice.of(from + part), now);
                        (0..share.min(count - part * share)).map(|_| payer.pay()).collect::<Vec<_>>()
                    });
                    // An error means that entering them has failed, which is told there.
                    if signed.send(made).is_err() {
                        return;
                    }
                }
            });
            let mut done = 0;
            for made in ready {
                for (payment, telegram) in made.iter().flatten() {
                    let (request, evidence) = asked(payment, telegram);
                    self.enter(&request, evidence)?;
                }
                done += made.iter().map(Vec::len).sum::<usize>();
                if done.is_multiple_of(10 * AHEAD) || done == payments {
                    say(&format!("{done} of {payments} payments are entered"));
                }
            }
            Ok(())
        })
    }
}

/// What stores trade under.
const TRADE_NAME: &str = "A measured store";

fn founding(profile: &Path) -> Founding {
    let passphrase = || SecretString::from(PASSPHRASE);
    let key = cast::terminal_key(cast::account(Role::Store, usize::MAX >> 1)).verification_key();
    let part = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let blob = [part(b"ssh-ed25519"), part(&key.0)].concat();
    Founding {
        name: "Measured".into(),
        currency: Currency::YEN,
        listen: vec!["127.0.0.1:0".into()],
        announce: Vec::new(),
        zone: "Asia/Tokyo".into(),
        day_end: 1440,
        bank_holder: "Measured".into(),
        bank_number: "0005/101/1234567".into(),
        bank_bic: None,
        bank_inbox: Some(beside(profile, "inbox")),
        bank_outbox: Some(beside(profile, "outbox")),
        mail: None,
        post: None,
        page: None,
        help: "nobody".into(),
        operator: OPERATOR.into(),
        operator_key: format!("ssh-ed25519 {} {OPERATOR}@load", data_encoding::BASE64.encode(&blob)),
        root_passphrase: passphrase(),
        service_passphrase: passphrase(),
        operator_passphrase: passphrase(),
    }
}

/// Removes a prepared center with everything that belongs to it, if it is there.
pub fn remove(profile: &Path) -> Result<()> {
    for folder in [profile.to_owned(), beside(profile, "inbox"), beside(profile, "outbox")] {
        if folder.exists() {
            fs::remove_dir_all(&folder).wrap_err_with(|| format!("removing {}", folder.display()))?;
        }
    }
    Ok(())
}

/// A folder beside a profile: the bank's folders may not lie in it.
pub(super) fn beside(profile: &Path, what: &str) -> std::path::PathBuf {
    let name = profile.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    profile.with_file_name(format!("{name}-bank-{what}"))
}

fn particulars(role: Role) -> Vec<u8> {
    let mut fields = vec![("name", "Nobody in particular")];
    if role == Role::Store {
        fields.push((field::TRADE_NAME, TRADE_NAME));
    }
    let field = |(key, value): (&str, &str)| {
        (Line::new(key).unwrap_or_default(), Prose::new(value).unwrap_or_default())
    };
    codec::encode(&Particulars { form: 1, fields: List::first(fields.into_iter().map(field)) })
}

fn registration(
    center: CenterId,
    account: AccountNumber,
    application: ApplicationNumber,
    particulars: &[u8],
    now: Timestamp,
) -> Result<RegisterCall> {
    let registrant = Registrant {
        center,
        application,
        account,
        code: &ActivationCode::generate(),
        terminal_key: &cast::terminal_key(account),
        recovery_key: None,
        particulars,
        salt: SALT,
        terms: Digest::of(&[b"inkan/load/terms"]),
        now,
    };
    registrant.sign(&cast::signature_key(account)).wrap_err_with(|| format!("the registration of {account}"))
}

fn evidence(telegram: &Telegram) -> Vec<u8> {
    codec::encode(&(telegram, &Beside::Nothing))
}

fn yen(minor: u64) -> Result<Amount> {
    Amount::new(minor).ok_or_else(|| eyre!("{minor} is more than an amount can be"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_books_hold_everybody_and_take_payments() {
        let dir = tempfile::tempdir().unwrap();
        let sizes = Sizes { members: 3, cards_each: 2, stores: 2 };
        let (mut books, mut state, cast) = bare(&dir.path().join("books"), sizes).unwrap();
        assert_eq!(state.holders().count(), 5);
        assert_eq!(state.cards_of(MemberNumber(3)).map(|(card, _)| card.0).collect::<Vec<_>>(), [5, 6]);
        let mut clerk = Clerk::new(&mut books, &mut state);
        clerk.pay(&cast, 7, &mut |_| {}).unwrap();
        clerk.flush().unwrap();
        state.audit().unwrap();
        assert_eq!(books.reader().size(), 1 + 2 * 5 + 2 * 6 + 7);
    }
}
