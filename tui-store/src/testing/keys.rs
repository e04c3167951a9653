//! The fake center's keys: changes, the recovery key, the deposited copy.

use wire::{
    bounded::{Bytes, List},
    id::{AccountNumber, Digest, EntryNumber},
    key::VerificationKey,
    limits,
    message::{
        Answer, Beside, CopyView, Effect, Problem, ProblemKind, Refusal, Request, Verdict, WaitingKey,
    },
    payload::{
        DirectoryPage, KeyCancel, KeyChange, KeyEvent, KeyRole, TerminalCertificate, possession_message,
    },
    receipt::{EntryKind, StorePart},
    telegram::{Kind, Telegram},
    time::Timestamp,
};

use super::{FakeCenter, STORE};

/// What the center keeps about keys beside the chain.
#[derive(Default)]
pub(super) struct Custody {
    pub(super) waiting: Option<WaitingKey>,
    copy: Option<(Vec<u8>, Timestamp)>,
    incoming: Vec<u8>,
    refuses_copies: bool,
}

impl Custody {
    pub(super) fn copy_view(&self) -> Option<CopyView> {
        let (copy, at) = self.copy.as_ref()?;
        Some(CopyView { length: copy.len() as u64, digest: Digest::of(&[copy]), at: *at })
    }
}

impl FakeCenter {
    /// The key in force in a role, and its event.
    pub(crate) fn in_force(&self, role: KeyRole) -> (VerificationKey, EntryNumber) {
        let state = self.lock();
        let event = state.chain.iter().rfind(|event| event.role == role).unwrap();
        (event.key.unwrap(), event.entry)
    }

    /// Somebody else's key slips into the chain.
    pub(crate) fn slip_in(&self, role: KeyRole, key: Option<VerificationKey>) {
        let receipt = self.enter(EntryKind::KeyChange, &StorePart::KeyChanged { role, key });
        let entry = receipt.leaf.entry;
        self.lock().chain.push(KeyEvent { entry, role, key });
    }

    /// Somebody with the signature key asks for another recovery key.
    pub(crate) fn make_wait(&self, key: VerificationKey) {
        let from = Timestamp::now().plus_ms(limits::CAUTION_MS);
        let receipt = self.enter(EntryKind::KeyChange, &StorePart::KeyChangeWaits { key, from });
        self.lock().custody.waiting = Some(WaitingKey { change: receipt.leaf.entry, key, from });
    }

    /// The 72 hours are over.
    pub(crate) fn wait_is_over(&self) {
        let waiting = self.lock().custody.waiting.take().unwrap();
        self.slip_in(KeyRole::Recovery, Some(waiting.key));
    }

    /// The deposited copy of the vault is lost.
    pub(crate) fn lose_copy(&self) {
        self.lock().custody.copy = None;
    }

    /// From now on no copy is taken: the one that is there gets old.
    pub(crate) fn refuse_copies(&self) {
        self.lock().custody.refuses_copies = true;
    }

    /// Whether a copy lies here.
    pub(crate) fn copied(&self) -> bool {
        self.lock().custody.copy.is_some()
    }

    pub(super) fn decide_keys(&self, telegram: &Telegram, beside: &Beside) -> Verdict {
        if telegram.kind == Kind::KeyCancel {
            let (key, event) = self.in_force(KeyRole::Recovery);
            let cancel = telegram.verify::<KeyCancel>(&key, event).unwrap().payload().clone();
            let waiting = self.lock().custody.waiting.take().unwrap();
            assert_eq!(cancel.change, waiting.change);
            let receipt =
                self.enter(EntryKind::KeyChange, &StorePart::KeyChangeCancelled { change: cancel.change });
            return Verdict::Done { effect: Effect::KeyChangeCancelled, receipt };
        }
        let asked = telegram.peek::<KeyChange>().unwrap();
        let mut signers = [KeyRole::Recovery, KeyRole::Signature].into_iter().filter(|role| {
            let state = self.lock();
            state.chain.iter().rfind(|event| event.role == *role).is_some_and(|event| {
                event.key.is_some_and(|key| telegram.verify::<KeyChange>(&key, event.entry).is_ok())
            })
        });
        let Some(by) = signers.next_back() else {
            let reason = Refusal::KeyNotInForce;
            let part = StorePart::Refused { telegram: telegram.id(), reason: reason.clone() };
            return Verdict::Refused { reason, receipt: self.enter(EntryKind::KeyChange, &part) };
        };
        assert_eq!(asked.key_event, self.in_force(by).1, "the event of the key that signs");
        let reused = self.lock().chain.iter().any(|event| event.key.is_some() && event.key == asked.key);
        if reused {
            let reason = Refusal::KeyTaken;
            let part = StorePart::Refused { telegram: telegram.id(), reason: reason.clone() };
            return Verdict::Refused { reason, receipt: self.enter(EntryKind::KeyChange, &part) };
        }
        self.check_evidence(telegram, &asked, beside);
        if asked.role == KeyRole::Recovery && by == KeyRole::Signature && self.has(KeyRole::Recovery) {
            self.make_wait(asked.key.unwrap());
            let waiting = self.lock().custody.waiting.unwrap();
            let receipt = self.receipt(waiting.change);
            return Verdict::Done { effect: Effect::KeyChangeWaits { from: waiting.from }, receipt };
        }
        self.slip_in(asked.role, asked.key);
        let entry = self.lock().chain.last().unwrap().entry;
        Verdict::Done { effect: Effect::KeyChanged, receipt: self.receipt(entry) }
    }

    fn has(&self, role: KeyRole) -> bool {
        self.lock().chain.iter().any(|event| event.role == role)
    }

    /// Possession of the new key, and the certificate of the terminal key that will be in force.
    fn check_evidence(&self, telegram: &Telegram, asked: &KeyChange, beside: &Beside) {
        let Beside::Keys(evidence) = beside else { panic!("a key change without evidence") };
        let Some(new) = asked.key else {
            assert_eq!((&evidence.possession, &evidence.certificate), (&None, &None));
            return;
        };
        let message = possession_message(&asked.center, asked.role, &telegram.id());
        new.verify(&message, &evidence.possession.unwrap()).unwrap();
        let (signature, terminal) = match asked.role {
            KeyRole::Signature => (new, self.in_force(KeyRole::Terminal).0),
            KeyRole::Terminal => (self.in_force(KeyRole::Signature).0, new),
            KeyRole::Recovery => return assert_eq!(evidence.certificate, None),
        };
        let certificate =
            evidence.certificate.as_ref().unwrap().verify_self::<TerminalCertificate>().unwrap();
        assert_eq!((certificate.key(), certificate.payload().terminal_key), (signature, terminal));
    }

    /// Answers what recovery asks; none to anything else.
    pub(super) fn custody(&self, request: Request) -> Option<Answer> {
        Some(match request {
            Request::Recover { key, .. } => {
                if !self.has(KeyRole::Recovery) || self.in_force(KeyRole::Recovery).0 != key {
                    let words = "no account has this recovery key";
                    return Some(Answer::Problem(Problem::new(ProblemKind::NotAuthentic, words)));
                }
                Answer::Recovering(Box::new(self.welcome(AccountNumber::Store(STORE))))
            }
            Request::Copy { offset } => {
                let state = self.lock();
                let (copy, _) = state.custody.copy.as_ref().unwrap();
                let from = usize::try_from(offset).unwrap();
                let piece = copy[from..].iter().copied().take(limits::CHUNK).collect();
                Answer::Piece { offset, bytes: Bytes::new(piece).unwrap() }
            }
            Request::Deposit { length, digest, offset, bytes } => {
                let mut state = self.lock();
                if state.custody.refuses_copies {
                    return Some(Answer::Problem(Problem::new(
                        ProblemKind::Limited,
                        "too many copies lately",
                    )));
                }
                if offset == 0 {
                    state.custody.incoming.clear();
                }
                state.custody.incoming.extend_from_slice(&bytes);
                if state.custody.incoming.len() as u64 == length {
                    let copy = std::mem::take(&mut state.custody.incoming);
                    assert_eq!(Digest::of(&[&copy]), digest);
                    state.custody.copy = Some((copy, Timestamp::now()));
                }
                Answer::Done
            }
            Request::Directory { .. } => {
                let page = DirectoryPage {
                    center: self.root().verification_key().center(),
                    at: Timestamp::now(),
                    stores: List::default(),
                    more: false,
                };
                Answer::Directory(Telegram::sign_as_key(&page, &self.key()))
            }
            _ => return None,
        })
    }
}
