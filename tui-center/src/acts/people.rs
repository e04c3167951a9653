//! Acts about one person's data: to find, reveal, export and erase it; and to revoke a person's key.
//!
//! Finding shows numbers only. Whoever sees personal data, or takes it out, has said why before, in an entry.

use ledger::{
    Request,
    request::{OperatorRole, Person},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::{
    id::{AccountNumber, Digest, EntryNumber},
    message::Particulars,
    payload::KeyRole,
};

use super::{Act, ActError, Outcome, stated};
use crate::{
    admission::standing::erase_words,
    books::{
        BooksError,
        cabinet::index::{Query, Who},
    },
    center::Center,
    errors::{Room, Weight},
    inquiry::{view::Moment, words},
    lines::postman::Kind,
};

/// The most entries of one person that an export holds; what is older stands in the books.
const ENTRIES: usize = 10_000;

/// What can be asked about people.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum PeopleAct {
    /// Members, stores and applicants by what they filled in.
    Find {
        /// By what.
        query: Query,
    },
    /// What somebody filled in.
    Reveal {
        /// Whose.
        of: Who,
        /// Why; it stands in the books.
        reason: String,
    },
    /// Everything about somebody.
    Export {
        /// About whom.
        of: Who,
        /// Why; it stands in the books.
        reason: String,
    },
    /// Erases somebody's personal data, for ever.
    Erase {
        /// Whose.
        of: Who,
        /// Why; it stands in the books.
        reason: String,
    },
    /// Revokes a key of a member or store.
    RevokeKey {
        /// Whose.
        account: AccountNumber,
        /// Which key.
        role: KeyRole,
        /// Why; it stands in the books.
        reason: String,
    },
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum PeopleOutcome {
    /// To [`PeopleAct::Find`].
    Found {
        /// Ascending: members, stores, applicants.
        people: Vec<PersonRow>,
    },
    /// To [`PeopleAct::Reveal`].
    Revealed {
        /// Whose.
        who: Who,
        /// The entry that says who saw it, and why.
        entry: EntryNumber,
        /// Field keys and what was filled in.
        fields: Vec<(String, String)>,
    },
    /// To [`PeopleAct::Export`].
    Exported {
        /// The entry that says who took it, and why.
        entry: EntryNumber,
        /// The person's data.
        person: Value,
    },
}

/// Somebody who was found. It holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// Who.
    pub who: Who,
    /// What the number stands for, in words.
    pub words: String,
    /// Since when.
    pub since: Option<Moment>,
}

impl PeopleAct {
    /// What it takes.
    pub fn needs(&self) -> OperatorRole {
        match self {
            Self::Find { .. } => OperatorRole::Viewer,
            Self::Reveal { .. } => OperatorRole::Clerk,
            Self::RevokeKey { .. } => OperatorRole::Supervisor,
            Self::Export { .. } | Self::Erase { .. } => OperatorRole::Admin,
        }
    }
}

impl Center {
    /// Does an act about people for an operator who may.
    pub(super) async fn people(&self, by: String, act: PeopleAct) -> Result<Outcome, ActError> {
        match act {
            PeopleAct::Find { query } => {
                let found = self.cabinet().index().find(&query);
                let people = found.into_iter().map(|who| self.person_row(who)).collect();
                Ok(Outcome::People(PeopleOutcome::Found { people }))
            }
            PeopleAct::Reveal { of, reason } => {
                let reason = stated(&reason)?;
                let entry = self.disclosed(Request::Reveal { by, of: person(of), reason }).await?;
                let center = self.clone();
                let filled = look(move || center.filled_in(of)).await?;
                let filled = filled.ok_or_else(|| self.nothing_of(of))?;
                let fields = filled.fields.iter().map(|(key, value)| (key.to_string(), value.to_string()));
                Ok(Outcome::People(PeopleOutcome::Revealed { who: of, entry, fields: fields.collect() }))
            }
            PeopleAct::Export { of, reason } => {
                let reason = stated(&reason)?;
                let entry = self.disclosed(Request::Export { by, of: person(of), reason }).await?;
                let center = self.clone();
                let person = look(move || center.export(of)).await?;
                Ok(Outcome::People(PeopleOutcome::Exported { entry, person }))
            }
            PeopleAct::Erase { of, reason } => {
                let request = Request::Erase { by, of: person(of), reason: stated(&reason)? };
                let entered = self.enter_request(request, Vec::new()).await?;
                let center = self.clone();
                look(move || center.erase_person(of)).await?;
                Ok(entered)
            }
            PeopleAct::RevokeKey { account, role, reason } => {
                let request = Request::Revoke { by: by.clone(), account, role, reason: stated(&reason)? };
                self.enter_own(&by, request, Vec::new()).await
            }
        }
    }

    /// Erases what the books have said is erased and is still there: a program that died in between. Blocks.
    pub(crate) fn finish_erasures(&self) {
        let erased: Vec<AccountNumber> = {
            let state = self.desk().state();
            state
                .holders()
                .filter(|(_, holder)| holder.erased.is_some())
                .map(|(account, _)| account)
                .collect()
        };
        for account in erased {
            if let Err(error) = self.erase_person(Who::Account(account)) {
                let words = format!("The personal data of {account} could not be erased yet: {error}.");
                self.errors().tell(Room::Books, Weight::Alarm, words);
            }
        }
    }

    /// Makes everybody findable who is not: the index is made from the particulars. Blocks.
    pub(crate) fn complete_the_index(&self) {
        let index = self.cabinet().index();
        let accounts: Vec<AccountNumber> = {
            let state = self.desk().state();
            state
                .holders()
                .filter(|(_, holder)| holder.erased.is_none())
                .map(|(account, _)| account)
                .collect()
        };
        let applications = self.admission().applications.rows_now();
        let everybody = accounts.into_iter().map(Who::Account);
        let everybody = everybody.chain(applications.iter().map(|row| Who::Application(row.number)));
        for who in everybody.filter(|who| !index.knows(*who)) {
            let made = self.filled_in(who).and_then(|filled| match filled {
                Some(particulars) => index.put(who, &particulars),
                None => Ok(()),
            });
            if let Err(error) = made {
                let words = format!("{who} cannot be found by name: {error}.");
                self.errors().tell(Room::Books, Weight::Warning, words);
            }
        }
    }

    async fn disclosed(&self, request: Request) -> Result<EntryNumber, ActError> {
        match self.enter_request(request, Vec::new()).await? {
            Outcome::Entered(row) => Ok(row.number),
            _ => Err(ActError::new("internal", "this is no disclosure")),
        }
    }

    fn person_row(&self, who: Who) -> PersonRow {
        let (words, since) = match who {
            Who::Account(account) => {
                let state = self.desk().state();
                let holder = state.holder(account);
                let words = match holder.and_then(|holder| holder.trade_name.clone()) {
                    Some(name) => format!("store “{name}”"),
                    None => account.role().to_string(),
                };
                (words, holder.map(|holder| holder.registered))
            }
            Who::Application(number) => {
                let row = self.admission().applications.row(number);
                let words = row.map_or("applicant".to_owned(), |row| format!("applies as {}", row.role));
                (words, row.map(|row| row.received))
            }
        };
        PersonRow { who, words, since: since.map(|at| self.local().moment(at)) }
    }

    fn filled_in(&self, who: Who) -> Result<Option<Particulars>, BooksError> {
        match who {
            Who::Account(account) => {
                let digest = self.desk().state().holder(account).map(|holder| holder.particulars);
                let Some(digest) = digest else { return Ok(None) };
                let Some(person) = self.cabinet().person(digest)? else { return Ok(None) };
                Ok(Some(wire::codec::decode("form", &person.bytes, wire::limits::PARTICULARS)?))
            }
            Who::Application(number) => self.admission().applications.particulars(number),
        }
    }

    fn nothing_of(&self, who: Who) -> ActError {
        let erased = match who {
            Who::Account(account) => self.desk().state().holder(account).and_then(|holder| holder.erased),
            Who::Application(_) => None,
        };
        match erased {
            Some(entry) => {
                ActError::new("erased", format!("the personal data of {who} was erased, entered as {entry}"))
            }
            None => ActError::new("not-found", format!("there is no personal data of {who} here")),
        }
    }

    /// Everything about one person: what was filled in, keys, cards, entries, and that there is a deposited copy, which
    /// only its owner can open.
    fn export(&self, who: Who) -> Result<Value, BooksError> {
        let filled: Option<serde_json::Map<String, Value>> = self.filled_in(who)?.map(|filled| {
            filled.fields.iter().map(|(key, value)| (key.to_string(), Value::from(value.as_str()))).collect()
        });
        let Who::Account(account) = who else {
            let row = self.admission().applications.row(match who {
                Who::Application(number) => number,
                Who::Account(_) => return Ok(Value::Null),
            });
            let received = row.map(|row| self.local().moment(row.received));
            return Ok(json!({ "who": who, "received": received, "particulars": filled }));
        };
        let copy = self.cabinet().copies().view(account)?;
        let (holder, cards) = {
            let state = self.desk().state();
            let cards: Vec<Value> = match account {
                AccountNumber::Member(member) => state
                    .cards_of(member)
                    .map(|(number, card)| {
                        json!({
                            "card": number,
                            "balance": self.local().money(card.balance),
                            "issued": self.local().moment(card.issued),
                            "frozen": card.frozen,
                        })
                    })
                    .collect(),
                AccountNumber::Store(_) => Vec::new(),
            };
            (state.holder(account).cloned(), cards)
        };
        let keys: Vec<Value> = holder
            .iter()
            .flat_map(|holder| &holder.chain)
            .map(|event| {
                let key = event.key.map(|key| key.to_string());
                json!({ "entry": event.entry, "role": words::key_name(event.role), "key": key })
            })
            .collect();
        let mut entries = Vec::new();
        let mut at = holder.as_ref().map(|holder| holder.last);
        while let Some(number) = at.filter(|_| entries.len() < ENTRIES) {
            let entry = self.desk().reader().read(number)?.entry;
            entries.push(serde_json::to_value(words::row(&entry, self.local())).unwrap_or(Value::Null));
            at = match account {
                AccountNumber::Member(_) => entry.previous.member,
                AccountNumber::Store(_) => entry.previous.store,
            };
        }
        Ok(json!({
            "who": who,
            "registered": holder.as_ref().map(|holder| self.local().moment(holder.registered)),
            "erased": holder.as_ref().and_then(|holder| holder.erased),
            "trade_name": holder.as_ref().and_then(|holder| holder.trade_name.clone()),
            "particulars": filled,
            "keys": keys,
            "cards": cards,
            "entries": entries,
            "older_entries": at.is_some(),
            "deposited_copy": copy.map(|copy| json!({
                "length": copy.length, "digest": copy.digest.to_string(), "at": self.local().moment(copy.at),
            })),
        }))
    }

    /// Destroys what lies in the cabinet of a person; the books keep numbers, money and hashes. It may be repeated.
    fn erase_person(&self, who: Who) -> Result<(), BooksError> {
        let cabinet = self.cabinet();
        let mut posts: Vec<EntryNumber> = Vec::new();
        let mut digests: Vec<Digest> = Vec::new();
        {
            let state = self.desk().state();
            let concerned = state.admissions().filter(|(_, admitted)| match who {
                Who::Account(account) => admitted.account == account,
                Who::Application(number) => admitted.application == number,
            });
            for (entry, admitted) in concerned {
                posts.extend([entry, admitted.code]);
                digests.push(admitted.particulars);
            }
            if let Who::Account(account) = who
                && let Some(holder) = state.holder(account)
            {
                digests.push(holder.particulars);
            }
        }
        for digest in digests {
            cabinet.erase_person(digest)?;
        }
        cabinet.index().erase(who)?;
        for entry in posts {
            for kind in [Kind::Mail, Kind::Letter] {
                cabinet.confirm_outward(&kind.name(entry))?;
            }
            cabinet.destroy_code(entry)?;
        }
        match who {
            Who::Application(number) => {
                erase_words(self, number).map_err(BooksError::Cabinet)?;
                self.admission().applications.erase(number)
            }
            Who::Account(account) => {
                cabinet.copies().erase(account)?;
                let applications: Vec<_> = {
                    let state = self.desk().state();
                    let its = state.admissions().filter(|(_, admitted)| admitted.account == account);
                    its.map(|(_, admitted)| admitted.application).collect()
                };
                for number in applications {
                    cabinet.index().erase(Who::Application(number))?;
                    self.admission().applications.erase(number)?;
                }
                let terminals: Vec<_> = {
                    let state = self.desk().state();
                    let chain = state.holder(account).map(|holder| holder.chain.clone()).unwrap_or_default();
                    let terminal = chain.into_iter().filter(|event| event.role == KeyRole::Terminal);
                    terminal.filter_map(|event| event.key).collect()
                };
                for key in terminals {
                    cabinet.drop_terminal(key)?;
                }
                Ok(())
            }
        }
    }
}

impl From<PeopleAct> for Act {
    fn from(act: PeopleAct) -> Self {
        Self::People(act)
    }
}

fn person(who: Who) -> Person {
    match who {
        Who::Account(account) => Person::Account(account),
        Who::Application(number) => Person::Application(number),
    }
}

async fn look<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BooksError> + Send + 'static,
) -> Result<T, ActError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done =
        done.map_err(|_| ActError::new("internal", "this could not be done: an error in the program"))?;
    done.map_err(|error| ActError::new("books", error))
}
