//! How the small center changes keys, keeps copies, and hears a recovery key.

use super::*;

impl FakeCenter {
    /// The keys of a member as the center has them in force.
    pub(crate) fn key(&self, member: MemberNumber, role: KeyRole) -> Option<VerificationKey> {
        self.books().member(member).key(role)
    }

    /// A key slips into a member's chain that its terminal never made.
    pub(crate) fn slip_in(&self, member: MemberNumber, role: KeyRole) {
        let key = SigningKey::generate().verification_key();
        let entry = self.enter(EntryKind::KeyChange, MemberPart::KeyChanged { role, key: Some(key) });
        self.books().member_mut(member).chain.push(KeyEvent { entry, role, key: Some(key) });
    }

    /// The 72 hours are over: what waits is in force.
    pub(crate) fn three_days_pass(&self, member: MemberNumber) {
        let waiting = self.books().member_mut(member).waiting.take().expect("a key that waits");
        let part = MemberPart::KeyChanged { role: KeyRole::Recovery, key: Some(waiting.key) };
        let entry = self.enter(EntryKind::KeyChange, part);
        let event = KeyEvent { entry, role: KeyRole::Recovery, key: Some(waiting.key) };
        self.books().member_mut(member).chain.push(event.clone());
        self.post(entry, member, Mail::KeyChanged(event));
    }

    /// How many copies were deposited.
    pub(crate) fn deposits(&self) -> u32 {
        self.books().deposits
    }

    /// The deposited copy, byte for byte.
    pub(crate) fn copy(&self, member: MemberNumber) -> Option<Vec<u8>> {
        self.books().member(member).copy.as_ref().map(|(copy, _)| copy.clone())
    }

    /// The center has this copy.
    pub(crate) fn put_copy(&self, member: MemberNumber, copy: Vec<u8>) {
        self.books().member_mut(member).copy = Some((copy, Timestamp::now()));
    }

    /// No money leaves a member's account until then.
    pub(crate) fn hold(&self, member: MemberNumber, until: Option<Timestamp>) {
        self.books().member_mut(member).held = until;
    }

    /// The center loses the copy.
    pub(crate) fn lose_copy(&self, member: MemberNumber) {
        self.books().member_mut(member).copy = None;
    }

    pub(super) fn recover(
        &self,
        key: VerificationKey,
        signature: &wire::key::Signature,
        exporter: &[u8; 32],
        account: &Mutex<Option<MemberNumber>>,
    ) -> Answer {
        let message = recover_message(&self.sheet.center, &key, exporter);
        let found = self
            .books()
            .members
            .iter()
            .find(|one| one.key(KeyRole::Recovery) == Some(key))
            .map(|one| one.number);
        match found {
            Some(member) if key.verify(&message, signature).is_ok() => {
                *account.lock().unwrap() = Some(member);
                Answer::Recovering(Box::new(self.welcome(member)))
            }
            _ => Answer::Problem(Problem::new(
                ProblemKind::NotAuthentic,
                "no account has this recovery key; look at the words again",
            )),
        }
    }

    pub(super) fn welcome(&self, member: MemberNumber) -> Welcome {
        let account = AccountNumber::Member(member);
        let books = self.books();
        let known = books.member(member);
        let mut keys = known.chain.clone();
        if books.lie == Lie::ForeignKey {
            keys[0].key = Some(SigningKey::generate().verification_key());
        }
        let size = if books.lie == Lie::ShorterJournal { 1 } else { books.tree.size() };
        let checkpoint = self.checkpoint_at(&books.tree, size);
        let head = ChainHead {
            center: self.sheet.center,
            account,
            head: chain_hash(account, &keys),
            size,
            root: books.tree.root_at(size).unwrap(),
        };
        let copy = known.copy.as_ref().map(|(copy, at)| CopyView {
            length: copy.len() as u64,
            digest: Digest::of(&[copy]),
            at: *at,
        });
        Welcome {
            account,
            checkpoint,
            keys: List::first(keys),
            head: Telegram::sign_as_key(&head, &self.keys[&SheetRole::Statement]),
            mail: 0,
            open: true,
            held: known.held,
            waiting: known.waiting,
            kit: books.kit,
            copy,
        }
    }

    pub(super) fn copy_piece(&self, member: MemberNumber, offset: u64) -> Answer {
        let books = self.books();
        let copy = books.member(member).copy.as_ref().expect("a copy").0.clone();
        let start = usize::try_from(offset).unwrap();
        let mut bytes = copy[start..(start + wire::limits::CHUNK).min(copy.len())].to_vec();
        if books.lie == Lie::OtherCopy && offset == 0 {
            bytes[80] ^= 1;
        }
        Answer::Piece { offset, bytes: Bytes::new(bytes).unwrap() }
    }

    pub(super) fn take_deposit(
        &self,
        member: MemberNumber,
        (length, digest): (u64, Digest),
        offset: u64,
        bytes: &[u8],
    ) -> Answer {
        let mut books = self.books();
        if offset == 0 {
            books.deposit.clear();
        }
        assert_eq!(books.deposit.len() as u64, offset);
        books.deposit.extend_from_slice(bytes);
        if books.deposit.len() as u64 == length {
            let copy = std::mem::take(&mut books.deposit);
            assert_eq!(Digest::of(&[&copy]), digest);
            books.deposits += 1;
            books.member_mut(member).copy = Some((copy, Timestamp::now()));
        }
        Answer::Done
    }

    pub(super) fn change_keys(&self, telegram: &Telegram, beside: &Beside, member: MemberNumber) -> Verdict {
        let id = telegram.id();
        if self.books().verdicts.contains_key(&id) {
            return self.verdict(&id);
        }
        let (entry, effect, refusal) = match telegram.kind {
            Kind::KeyCancel => self.cancel(telegram, member),
            _ => self.change_key(telegram, beside, member),
        };
        self.books().verdicts.insert(id, (entry, effect, refusal));
        self.verdict(&id)
    }

    fn cancel(
        &self,
        telegram: &Telegram,
        member: MemberNumber,
    ) -> (EntryNumber, Option<Effect>, Option<Refusal>) {
        let event = self.books().member(member).newest(KeyRole::Recovery).cloned().expect("a recovery key");
        let asked =
            telegram.verify::<KeyCancel>(&event.key.expect("in force"), event.entry).expect("authentic");
        let change = asked.payload().change;
        self.books().member_mut(member).waiting = None;
        let entry = self.enter(EntryKind::KeyChange, MemberPart::KeyChangeCancelled { change });
        (entry, Some(Effect::KeyChangeCancelled), None)
    }

    fn change_key(
        &self,
        telegram: &Telegram,
        beside: &Beside,
        member: MemberNumber,
    ) -> (EntryNumber, Option<Effect>, Option<Refusal>) {
        let (signature, recovery, former) = {
            let books = self.books();
            let known = books.member(member);
            let recovery = known.newest(KeyRole::Recovery).cloned();
            (known.newest(KeyRole::Signature).cloned(), recovery, known.chain.clone())
        };
        let peeked = telegram.peek::<KeyChange>().expect("a key change");
        let signer =
            [signature, recovery.clone()].into_iter().flatten().find(|event| event.entry == peeked.key_event);
        let by_key = |event: &KeyEvent| {
            event.key.is_some_and(|key| telegram.verify::<KeyChange>(&key, event.entry).is_ok())
        };
        let events: Vec<_> = former.iter().filter(|event| event.entry == peeked.key_event).collect();
        let id = telegram.id();
        if signer.is_none() || !events.iter().any(|event| by_key(event)) {
            let reason = Refusal::KeyNotInForce;
            let part = MemberPart::Refused { telegram: id, reason: reason.clone() };
            return (self.enter(EntryKind::KeyChange, part), None, Some(reason));
        }
        let Beside::Keys(evidence) = beside else { panic!("{beside:?}") };
        if let Some(key) = peeked.key {
            assert!(!former.iter().any(|event| event.key == Some(key)), "keys are never used twice");
            let message = possession_message(&self.sheet.center, peeked.role, &id);
            key.verify(&message, &evidence.possession.expect("a proof")).expect("possessed");
            if peeked.role != KeyRole::Recovery {
                evidence
                    .certificate
                    .as_ref()
                    .unwrap()
                    .verify_self::<TerminalCertificate>()
                    .expect("certified");
            }
        }
        let by_recovery = recovery.as_ref().is_some_and(by_key);
        if peeked.role == KeyRole::Recovery && recovery.is_some() && !by_recovery {
            let from = Timestamp::now().plus_ms(wire::limits::CAUTION_MS);
            let key = peeked.key.expect("a key");
            let entry = self.enter(EntryKind::KeyChange, MemberPart::KeyChangeWaits { key, from });
            self.books().member_mut(member).waiting = Some(WaitingKey { change: entry, key, from });
            return (entry, Some(Effect::KeyChangeWaits { from }), None);
        }
        let part = MemberPart::KeyChanged { role: peeked.role, key: peeked.key };
        let entry = self.enter(EntryKind::KeyChange, part);
        let event = KeyEvent { entry, role: peeked.role, key: peeked.key };
        self.books().member_mut(member).chain.push(event);
        (entry, Some(Effect::KeyChanged), None)
    }
}
