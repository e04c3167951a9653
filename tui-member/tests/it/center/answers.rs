//! What the small center answers, honestly or not.

use super::*;

impl FakeCenter {
    /// `None`: the connection dies without an answer.
    pub(super) fn answer(
        &self,
        request: Request,
        exporter: &[u8; 32],
        account: &Mutex<Option<MemberNumber>>,
    ) -> Option<Answer> {
        let problem = |kind, words: &str| Some(Answer::Problem(Problem::new(kind, words)));
        let greeting = matches!(request, Request::Login { .. } | Request::Consistency(_) | Request::Hours);
        if self.books().lie == Lie::Busy && !greeting {
            return problem(ProblemKind::Busy, "the center has more to do than it can; try again soon");
        }
        Some(match request {
            Request::Form(role) => Answer::Form(self.form(role)),
            Request::Guide(role) => Answer::Guide(Guide {
                role,
                version: 2,
                text: Prose::new("# Joining\n- Bring your papers.").unwrap(),
            }),
            Request::Apply(call) => self.apply(&call),
            Request::Application { number, signature } => self.application(number, &signature, exporter),
            Request::Kit => Answer::Kit(self.kit()),
            Request::Build { offset, .. } => self.build_piece(offset),
            Request::Register(call) => self.register(&call),
            Request::Recover { key, signature } => {
                return Some(self.recover(key, &signature, exporter, account));
            }
            Request::Login { account: number, signature, .. } => {
                let AccountNumber::Member(member) = number else {
                    return problem(ProblemKind::NotAuthentic, "members only");
                };
                let proof = login_message(&self.sheet.center, number, exporter);
                let known = self
                    .books()
                    .members
                    .iter()
                    .find(|one| one.number == member)
                    .and_then(|one| one.key(KeyRole::Terminal));
                if known.is_none_or(|key| key.verify(&proof, &signature).is_err()) {
                    return problem(ProblemKind::NotAuthentic, "the login does not fit");
                }
                *account.lock().unwrap() = Some(member);
                Answer::Welcome(Box::new(self.welcome(member)))
            }
            other => {
                let Some(member) = *account.lock().unwrap() else {
                    return problem(ProblemKind::NotLoggedIn, "log in first");
                };
                return self.serve_member(other, member);
            }
        })
    }

    fn serve_member(&self, request: Request, member: MemberNumber) -> Option<Answer> {
        Some(match request {
            Request::Consistency(pairs) => {
                let books = self.books();
                let prove = |(old, new)| books.tree.consistency(old, new).ok().map(List::first);
                Answer::Consistency(List::first(pairs.into_iter().map(prove)))
            }
            Request::Hours => Answer::Hours(List::default()),
            Request::Copy { offset } => self.copy_piece(member, offset),
            Request::Deposit { length, digest, offset, bytes } => {
                self.take_deposit(member, (length, digest), offset, &bytes)
            }
            Request::Submit { telegram, beside }
                if matches!(telegram.kind, Kind::KeyChange | Kind::KeyCancel) =>
            {
                self.books().submissions += 1;
                let lie = self.books().lie;
                if lie == Lie::HangUpBeforeEntry {
                    return None;
                }
                let verdict = self.change_keys(&telegram, &beside, member);
                if lie == Lie::SilentAfterEntry {
                    return None;
                }
                Answer::Verdict(Box::new(verdict))
            }
            Request::Submit { telegram, .. } => {
                self.books().submissions += 1;
                let lie = self.books().lie;
                if lie == Lie::HangUpBeforeEntry {
                    return None;
                }
                let verdict = self.decide(&telegram, member);
                if lie == Lie::SilentAfterEntry {
                    return None;
                }
                Answer::Verdict(Box::new(self.maybe_tampered(verdict)))
            }
            Request::Inquire(telegram) => {
                if self.books().lie == Lie::ExpiredEarly {
                    return Some(Answer::Verdict(Box::new(Verdict::Expired)));
                }
                let id = telegram.id();
                if !self.books().verdicts.contains_key(&id) {
                    let entry = self.enter(EntryKind::Void, MemberPart::Voided { telegram: id });
                    self.books().verdicts.insert(id, (entry, None, None));
                }
                Answer::Verdict(Box::new(self.maybe_tampered(self.verdict(&id))))
            }
            Request::Cards => {
                let books = self.books();
                let cards = books.cards.iter().filter(|(_, (holder, ..))| *holder == member);
                Answer::Cards(List::first(cards.map(|(card, (_, balance, certificate))| CardView {
                    card: *card,
                    balance: *balance,
                    frozen: false,
                    issued: Timestamp(1),
                    certificate: certificate.clone(),
                })))
            }
            Request::Funding => Answer::Funding(List::default()),
            Request::Directory { after, .. } => {
                let books = self.books();
                let stores =
                    books.directory.iter().filter(|entry| after.is_none_or(|after| entry.store > after));
                let page = DirectoryPage {
                    center: self.sheet.center,
                    at: Timestamp::now(),
                    stores: List::first(stores.cloned()),
                    more: false,
                };
                Answer::Directory(Telegram::sign_as_key(&page, &self.keys[&SheetRole::Directory]))
            }
            Request::Mail { after } => {
                let mail = self.books().mail.clone();
                let acknowledged = self.books().acknowledged;
                let waits = |entry: EntryNumber| acknowledged.is_none_or(|upto| entry > upto);
                let items = mail
                    .iter()
                    .filter(|(entry, to, _)| {
                        *to == member && waits(*entry) && after.is_none_or(|a| *entry > a)
                    })
                    .map(|piece| self.mail_item(piece));
                Answer::Mail(MailPage { items: List::first(items), more: false })
            }
            Request::Acknowledge { upto } => {
                self.books().acknowledged = Some(upto);
                Answer::Done
            }
            Request::Evidence { entry } => Answer::Evidence(self.receipt(entry)),
            _ => Answer::Problem(Problem::new(ProblemKind::NotAllowed, "not for members")),
        })
    }

    fn decide(&self, telegram: &Telegram, member: MemberNumber) -> Verdict {
        let id = telegram.id();
        if self.books().verdicts.contains_key(&id) {
            return self.verdict(&id);
        }
        let (key, event) = {
            let books = self.books();
            let known = books.member(member).newest(KeyRole::Signature).expect("a key");
            (known.key.expect("in force"), known.entry)
        };
        match telegram.kind {
            Kind::CardRequest => {
                let asked = telegram.verify::<CardRequest>(&key, event).expect("authentic").payload().clone();
                let part = MemberPart::CardRequested { telegram: id, amount: asked.amount };
                let entry = self.enter(EntryKind::CardRequest, part);
                let terms = FundingTerms {
                    request: entry,
                    telegram: id,
                    amount: asked.amount,
                    account: BankAccount {
                        holder: Line::new("Garden Club").unwrap(),
                        number: Line::new("0005/101/1234567").unwrap(),
                        bic: None,
                    },
                    reference: Line::new("RF18539007547034").unwrap(),
                    expires: Timestamp::now().plus_ms(86_400_000),
                };
                self.books().verdicts.insert(id, (entry, Some(Effect::FundingOpened(terms)), None));
            }
            _ => {
                let asked = telegram.verify::<Payment>(&key, event).expect("authentic").payload().clone();
                self.pay(id, &asked);
            }
        }
        self.verdict(&id)
    }

    fn pay(&self, id: TelegramId, asked: &Payment) {
        let place = (asked.store, asked.order);
        let before = self.books().paid.get(&place).copied();
        let balance = self.books().cards.get(&asked.card).map(|card| card.1);
        let refusal = match (before, balance) {
            (Some((by, ..)), _) => Some(Refusal::AlreadyPaid { by }),
            (None, None) => Some(Refusal::UnknownCard),
            (None, Some(balance)) => match balance.minus(asked.total) {
                None => Some(Refusal::BalanceShort { by: asked.total.minus(balance).unwrap() }),
                Some(_) => None,
            },
        };
        if let Some(reason) = refusal {
            let entry =
                self.enter(EntryKind::Payment, MemberPart::Refused { telegram: id, reason: reason.clone() });
            self.books().verdicts.insert(id, (entry, None, Some(reason)));
            return;
        }
        let balance = balance.unwrap().minus(asked.total).unwrap();
        let entry = self.enter(
            EntryKind::Payment,
            MemberPart::Paid {
                telegram: id,
                card: asked.card,
                store: asked.store,
                offer: asked.offer,
                order: asked.order,
                total: asked.total,
                balance,
            },
        );
        let mut books = self.books();
        books.cards.get_mut(&asked.card).unwrap().1 = balance;
        books.paid.insert(place, (entry, asked.card, asked.total));
        books.verdicts.insert(id, (entry, Some(Effect::Paid { balance }), None));
    }

    pub(super) fn verdict(&self, id: &TelegramId) -> Verdict {
        let (entry, effect, refusal) = self.books().verdicts[id].clone();
        let receipt = self.receipt(entry);
        match (effect, refusal) {
            (Some(effect), _) => Verdict::Done { effect, receipt },
            (None, Some(reason)) => Verdict::Refused { reason, receipt },
            (None, None) => Verdict::Void { receipt },
        }
    }

    fn maybe_tampered(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Done { effect: Effect::Paid { .. }, mut receipt }
                if self.books().lie == Lie::TamperedReceipt =>
            {
                let Ok(MemberPart::Paid { telegram, card, store, offer, order, total, .. }) =
                    receipt.member_part()
                else {
                    panic!("a payment's receipt")
                };
                let balance = Amount::MAX;
                let part = MemberPart::Paid { telegram, card, store, offer, order, total, balance };
                receipt.part = Bytes::new(codec::encode(&part)).unwrap();
                Verdict::Done { effect: Effect::Paid { balance }, receipt }
            }
            verdict => verdict,
        }
    }

    pub(super) fn mail_item(&self, (entry, _, body): &(EntryNumber, MemberNumber, Mail)) -> MailItem {
        let mut body = body.clone();
        if self.books().lie == Lie::TamperedMail
            && let Mail::Refunded { amount, .. } | Mail::CardIssued { amount, .. } = &mut body
        {
            *amount = amount.plus(Amount::new(1).unwrap()).unwrap();
        }
        MailItem { body, receipt: self.receipt(*entry) }
    }
}
