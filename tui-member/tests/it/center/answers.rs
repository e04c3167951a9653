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
        if self.books().lie == Lie::Busy && !matches!(request, Request::Login { .. }) {
            return problem(ProblemKind::Busy, "the center has more to do than it can; try again soon");
        }
        Some(match request {
            Request::Form(role) => Answer::Form(self.form(role)),
            Request::Register(call) => self.register(&call),
            Request::Login { account: number, signature, .. } => {
                let AccountNumber::Member(member) = number else {
                    return problem(ProblemKind::NotAuthentic, "members only");
                };
                let proof = login_message(&self.sheet.center, number, exporter);
                let known =
                    self.books().members.iter().find(|one| one.number == member).map(|one| one.terminal);
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

    fn form(&self, role: wire::id::Role) -> Form {
        let field = |key, label: &str, kind| Field {
            key: Line::new(key).unwrap(),
            label: Line::new(label).unwrap(),
            help: Line::default(),
            kind,
            required: true,
            max_chars: 100,
        };
        let fields =
            [field("name", "Name", FieldKind::Line), field("born", "Date of birth", FieldKind::Date)];
        Form { role, version: 1, fields: List::first(fields), terms: Prose::new("Be good.").unwrap() }
    }

    fn register(&self, call: &RegisterCall) -> Answer {
        let id = call.telegram.id();
        let lie = self.books().lie;
        let asked = call.telegram.verify_self::<Registration>().expect("signed").into_payload();
        call.certificate.verify_self::<TerminalCertificate>().expect("certified");
        assert_eq!(particulars_hash(&call.salt, &call.particulars), asked.particulars);
        assert_eq!(self.form(asked.role).terms_hash(), asked.terms);
        let known = self.books().registered.get(&id).copied();
        let (member, entry) = known.unwrap_or_else(|| {
            let member = MemberNumber(self.books().members.len() as u64 + 1);
            let entry = self.enter(
                EntryKind::Registration,
                MemberPart::Registered { member, key: asked.verification_key },
            );
            let mut books = self.books();
            books.registered.insert(id, (member, entry));
            books.members.push(Member {
                number: member,
                signature: asked.verification_key,
                terminal: asked.terminal_key,
                event: entry,
            });
            (member, entry)
        });
        let entry = if lie == Lie::TamperedReceipt { EntryNumber(0) } else { entry };
        Answer::Registered { account: AccountNumber::Member(member), entry, receipt: self.receipt(entry) }
    }

    fn welcome(&self, member: MemberNumber) -> Welcome {
        let account = AccountNumber::Member(member);
        let books = self.books();
        let known = books.members.iter().find(|one| one.number == member).expect("checked");
        let foreign = books.lie == Lie::ForeignKey;
        let signature = if foreign { SigningKey::generate().verification_key() } else { known.signature };
        let keys = [(KeyRole::Signature, signature), (KeyRole::Terminal, known.terminal)];
        let keys = keys.map(|(role, key)| KeyEvent { entry: known.event, role, key: Some(key) });
        let size = if books.lie == Lie::ShorterJournal { 1 } else { books.tree.size() };
        let checkpoint = self.checkpoint_at(&books.tree, size);
        let head = ChainHead {
            center: self.sheet.center,
            account,
            head: chain_hash(account, &keys),
            size,
            root: books.tree.root_at(size).unwrap(),
        };
        Welcome {
            account,
            checkpoint,
            keys: List::first(keys),
            head: Telegram::sign_as_key(&head, &self.keys[&SheetRole::Statement]),
            mail: 0,
            open: true,
        }
    }

    fn decide(&self, telegram: &Telegram, member: MemberNumber) -> Verdict {
        let id = telegram.id();
        if self.books().verdicts.contains_key(&id) {
            return self.verdict(&id);
        }
        let (key, event) = {
            let books = self.books();
            let known = books.members.iter().find(|one| one.number == member).expect("logged in");
            (known.signature, known.event)
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

    fn verdict(&self, id: &TelegramId) -> Verdict {
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
