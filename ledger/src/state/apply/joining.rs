//! Admissions, activation codes, mail and letters, registrations.

use wire::{
    admission::Way,
    id::{AccountNumber, ApplicationNumber, EntryNumber},
    key::VerificationKey,
    limits,
    payload::{KeyEvent, KeyRole},
    time::Timestamp,
};

use super::{Applied, broken};
use crate::{
    entry::Entry,
    request::{Admission, Registration},
    state::{AdmissionState, Admitted, Decided, Holder, State},
};

impl State {
    pub(super) fn admitted(&mut self, entry: &Entry, it: &Admission, account: AccountNumber) -> Applied {
        match it.replaces {
            Some(replaced) if replaced == account && self.holders.contains(account) => {}
            None if account == self.next_account(it.role) => match account {
                AccountNumber::Member(member) => self.reserved.0 = member,
                AccountNumber::Store(store) => self.reserved.1 = store,
            },
            _ => return Err(broken(entry, "its account number is not the next one")),
        }
        let admitted = Admitted {
            application: it.application,
            account,
            key: it.key,
            particulars: it.particulars,
            replaces: it.replaces.is_some(),
            at: entry.at,
            code: entry.number,
            until: it.until,
            state: AdmissionState::Open,
        };
        self.admissions.push(entry.number, admitted);
        self.applications.insert(it.application, Decided::Admitted(entry.number));
        self.posts.insert(entry.number, it.ways.clone());
        Ok(())
    }

    pub(super) fn recoded(
        &mut self,
        entry: &Entry,
        admission: EntryNumber,
        until: Timestamp,
        key: Option<VerificationKey>,
        ways: &[Way],
    ) -> Applied {
        let open = self.admissions.get_mut(admission).filter(|it| it.state == AdmissionState::Open);
        let admitted = open.ok_or_else(|| broken(entry, "the admission is not open"))?;
        // What still waits to go out with the former code never does.
        self.posts.remove(&admitted.code);
        admitted.code = entry.number;
        admitted.until = until;
        if let Some(key) = key {
            admitted.key = key;
        }
        self.posts.insert(entry.number, ways.to_vec());
        Ok(())
    }

    pub(super) fn declined(&mut self, entry: &Entry, application: ApplicationNumber, ask_back: bool) {
        let decided =
            if ask_back { Decided::AskedBack(entry.number) } else { Decided::Refused(entry.number) };
        if let Some(Decided::Admitted(admission)) = self.applications.insert(application, decided) {
            self.spend(admission);
        }
    }

    pub(super) fn posted(&mut self, entry: &Entry, intent: EntryNumber, way: Way) -> Applied {
        let ways = self.posts.get_mut(&intent).filter(|ways| ways.contains(&way));
        let ways = ways.ok_or_else(|| broken(entry, "no such mail or letter waits"))?;
        ways.retain(|other| *other != way);
        if ways.is_empty() {
            self.posts.remove(&intent);
        }
        Ok(())
    }

    pub(super) fn registered(&mut self, entry: &Entry, it: &Registration) -> Applied {
        let open = self.admissions.get_mut(it.admission).filter(|admitted| {
            admitted.state == AdmissionState::Open
                && admitted.account == it.account
                && admitted.key == it.signature_key
        });
        let admitted = open.ok_or_else(|| broken(entry, "nobody was admitted to register so"))?;
        admitted.state = AdmissionState::Registered(entry.number);
        let (replaces, code) = (admitted.replaces, admitted.code);
        self.posts.remove(&code);
        let keys = [
            (KeyRole::Signature, Some(it.signature_key)),
            (KeyRole::Terminal, Some(it.terminal_key)),
            (KeyRole::Recovery, it.recovery_key),
        ];
        let mut events = Vec::new();
        for (role, key) in keys {
            if let Some(key) = key
                && self.keys.insert(key, it.account).is_some()
            {
                return Err(broken(entry, "one of its keys is registered already"));
            }
            events.push(KeyEvent { entry: entry.number, role, key });
        }
        if replaces { self.replaced(entry, it, events) } else { self.entered(entry, it, events) }
    }

    fn entered(&mut self, entry: &Entry, it: &Registration, events: Vec<KeyEvent>) -> Applied {
        let holder = Holder {
            entry: entry.number,
            registered: entry.at,
            particulars: it.particulars,
            terms: it.terms,
            trade_name: it.trade_name.clone(),
            chain: events.into_iter().filter(|event| event.key.is_some()).collect(),
            waiting_key: None,
            held_until: None,
            cashiers: Default::default(),
            cards: Vec::new(),
            waiting: Default::default(),
            frozen: false,
            erased: None,
            last: entry.number,
        };
        if self.holders.enter(it.account, holder) {
            return Ok(());
        }
        Err(broken(entry, "its number is another's"))
    }

    /// New keys stand in the place of all former ones, those of cashiers too: whoever has the lost terminal may have
    /// certified some.
    fn replaced(&mut self, entry: &Entry, it: &Registration, events: Vec<KeyEvent>) -> Applied {
        self.drop_waiting(it.account);
        let holder = self.holder_mut(entry, it.account)?;
        let had_recovery = holder.key(KeyRole::Recovery).is_some();
        let counts = |event: &KeyEvent| event.key.is_some() || had_recovery;
        holder.chain.extend(events.into_iter().filter(counts));
        holder.particulars = it.particulars;
        holder.terms = it.terms;
        holder.trade_name = it.trade_name.clone();
        holder.cashiers.clear();
        holder.erased = None;
        holder.held_until = Some(entry.at.plus_ms(limits::CAUTION_MS));
        // The notice to the former contact.
        self.posts.insert(entry.number, vec![Way::Mail]);
        let others: Vec<EntryNumber> = self
            .admissions
            .iter()
            .filter(|(_, other)| other.account == it.account && other.state == AdmissionState::Open)
            .map(|(number, _)| number)
            .collect();
        for other in others {
            self.spend(other);
        }
        Ok(())
    }

    /// Nobody can register with an open admission any more.
    fn spend(&mut self, admission: EntryNumber) {
        if let Some(admitted) = self.admissions.get_mut(admission)
            && admitted.state == AdmissionState::Open
        {
            admitted.state = AdmissionState::Spent;
            self.posts.remove(&admitted.code);
        }
    }
}
