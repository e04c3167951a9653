//! How the small center takes applicants in.

use super::*;

/// The terms of use of every kit.
const TERMS: &str = "Be good.";

/// What stands in the place of the mail.
pub(crate) struct Letter {
    pub(crate) number: MemberNumber,
    pub(crate) code: ActivationCode,
}

impl FakeCenter {
    /// From now on applications wait for [`FakeCenter::admit`].
    pub(crate) fn decide_by_hand(&self) {
        self.books().rule = false;
    }

    /// The newest kit offers this program.
    pub(crate) fn offer_build(&self, bytes: Vec<u8>) {
        let mut books = self.books();
        books.build = bytes;
        books.kit += 1;
    }

    /// How many pieces of programs were handed out.
    pub(crate) fn pieces(&self) -> u32 {
        self.books().pieces
    }

    /// Admits the newest application and writes the letter.
    pub(crate) fn admit(&self) -> Letter {
        let mut books = self.books();
        let applicant = books.applicants.last_mut().expect("an application");
        let code = ActivationCode::generate();
        applicant.code = Some(code.clone());
        applicant.view.state = ApplicationState::Admitted {
            ways: List::first([Way::Mail]),
            until: Timestamp::now().plus_ms(86_400_000),
        };
        Letter { number: applicant.number, code }
    }

    /// The letter of the newest application, which the rule admitted.
    pub(crate) fn letter(&self) -> Letter {
        let books = self.books();
        let applicant = books.applicants.last().expect("an application");
        Letter { number: applicant.number, code: applicant.code.clone().expect("admitted") }
    }

    /// Decides otherwise about the newest application.
    pub(crate) fn decide_so(&self, state: ApplicationState) {
        self.books().applicants.last_mut().expect("an application").view.state = state;
    }

    /// How many applications there are.
    pub(crate) fn applications(&self) -> usize {
        self.books().applicants.len()
    }

    pub(super) fn form(&self, role: wire::id::Role) -> Form {
        let field = |key, label: &str, kind| Field {
            key: Line::new(key).unwrap(),
            label: Line::new(label).unwrap(),
            help: Line::default(),
            kind,
            required: true,
            max_chars: 100,
        };
        let mut fields =
            vec![field("name", "Name", FieldKind::Line), field("born", "Date of birth", FieldKind::Date)];
        if self.books().lie == Lie::OtherForm {
            fields[1].label = Line::new("Date of birth, and consent to everything").unwrap();
        }
        Form { role, version: 1, fields: List::first(fields), terms: Prose::new(TERMS).unwrap() }
    }

    pub(super) fn apply(&self, call: &ApplyCall) -> Answer {
        let id = call.telegram.id();
        let asked = call.telegram.verify_self::<Application>().expect("signed").into_payload();
        assert_eq!(particulars_hash(&call.salt, &call.particulars), asked.particulars);
        let lie = self.books().lie;
        let mut books = self.books();
        if let Some(known) = books.applicants.iter().find(|one| one.telegram == id) {
            return Answer::Application(known.view.clone());
        }
        if lie == Lie::Busy {
            return Answer::Problem(Problem::new(ProblemKind::Busy, "busy"));
        }
        let state = match books.rule {
            true => ApplicationState::Admitted {
                ways: List::first([Way::Mail]),
                until: Timestamp::now().plus_ms(86_400_000),
            },
            false => ApplicationState::Waiting,
        };
        let code = books.rule.then(ActivationCode::generate);
        if let Some(amended) = asked.amends {
            let before = books.applicants.iter_mut().find(|one| one.view.number == amended);
            let before = before.expect("the application that is amended");
            assert_eq!(before.asked.verification_key, asked.verification_key, "the same key amends");
            (before.telegram, before.asked, before.view.state, before.code) = (id, asked, state, code);
            return Answer::Application(before.view.clone());
        }
        let number = match asked.replaces {
            Some(AccountNumber::Member(member)) => member,
            _ => MemberNumber(books.applicants.len() as u64 + 1),
        };
        let view = ApplicationView {
            number: ApplicationNumber(books.applicants.len() as u64 + 1),
            received: Timestamp::now(),
            since: Timestamp::now(),
            state,
        };
        books.applicants.push(Applicant { telegram: id, asked, view: view.clone(), number, code });
        Answer::Application(view)
    }

    pub(super) fn application(
        &self,
        number: ApplicationNumber,
        signature: &wire::key::Signature,
        exporter: &[u8; 32],
    ) -> Answer {
        let books = self.books();
        let message = application_message(&self.sheet.center, number, exporter);
        match books.applicants.iter().find(|one| one.view.number == number) {
            Some(known) if known.asked.terminal_key.verify(&message, signature).is_ok() => {
                Answer::Application(known.view.clone())
            }
            _ => Answer::Problem(Problem::new(ProblemKind::NotFound, "there is no such application")),
        }
    }

    pub(super) fn kit(&self) -> Telegram {
        let books = self.books();
        let (lie, number, build) = (books.lie, books.kit, books.build.clone());
        drop(books);
        let target = |arch: &str| format!("{arch}-unknown-linux-gnu");
        let builds = (!build.is_empty()).then(|| Build {
            program: Line::new("tui-member").unwrap(),
            platform: Line::new(&target(std::env::consts::ARCH)).unwrap(),
            version: Line::new("99.1.0").unwrap(),
            length: build.len() as u64,
            digest: Digest::of(&[&build]),
        });
        let kit = Kit {
            center: self.sheet.center,
            number: if lie == Lie::OlderKit { number - 1 } else { number },
            issued: Timestamp(1_000),
            sheet: self.sheet.sign(&self.root),
            terms: Terms { version: 4, text: Prose::new(TERMS).unwrap() },
            vault: VaultPolicy { memory_kib: 64 << 10, passes: 3 },
            currency: Currency::YEN,
            builds: List::first(builds),
        };
        let role = if lie == Lie::KitOfAnother { SheetRole::Card } else { SheetRole::Statement };
        Telegram::sign_as_key(&kit, &self.keys[&role])
    }

    pub(super) fn build_piece(&self, offset: u64) -> Answer {
        let mut books = self.books();
        books.pieces += 1;
        let start = usize::try_from(offset).unwrap().min(books.build.len());
        let end = (start + wire::limits::CHUNK).min(books.build.len());
        let mut bytes = books.build[start..end].to_vec();
        if books.lie == Lie::OtherBuild && offset == 0 {
            bytes[0] ^= 1;
        }
        Answer::Piece { offset, bytes: Bytes::new(bytes).unwrap() }
    }

    pub(super) fn register(&self, call: &RegisterCall) -> Answer {
        let refused = |words: &str| Answer::Problem(Problem::new(ProblemKind::NotAllowed, words));
        let id = call.telegram.id();
        let lie = self.books().lie;
        let asked = call.telegram.verify_self::<Registration>().expect("signed").into_payload();
        let AccountNumber::Member(member) = asked.account else { return refused("members only") };
        assert_eq!(particulars_hash(&call.salt, &call.particulars), asked.particulars);
        assert_eq!(asked.code, call.code.hash(&call.salt), "the telegram binds the code beside it");
        let known = self.books().registered.get(&id).copied();
        let entry = match known {
            Some((_, entry)) => entry,
            None => {
                {
                    let mut books = self.books();
                    let found = books.applicants.iter_mut().find(|one| one.view.number == asked.application);
                    let applicant = found.expect("an application");
                    if applicant.number != member {
                        return refused("this number belongs to another application");
                    }
                    if applicant.asked.verification_key != asked.verification_key {
                        return refused("the code works only with the key that applied");
                    }
                    match &applicant.view.state {
                        ApplicationState::Admitted { until, .. } if *until < Timestamp::now() => {
                            return refused("the activation code has expired; ask the center for another");
                        }
                        ApplicationState::Admitted { .. } => {}
                        _ => return refused("this code was used before"),
                    }
                    if applicant.code.as_ref() != Some(&call.code) {
                        return refused("the activation code is wrong; 4 tries are left");
                    }
                    let terms = Terms { version: 4, text: Prose::new(TERMS).unwrap() };
                    assert_eq!(asked.terms, terms.hash());
                    assert_eq!(applicant.asked.particulars, asked.particulars, "what was admitted");
                    applicant.code = None;
                    applicant.view.state = ApplicationState::Registered { account: asked.account };
                }
                self.check_possessions(&asked, call);
                let part = MemberPart::Registered { member, key: asked.verification_key };
                let entry = self.enter(EntryKind::Registration, part);
                let mut books = self.books();
                books.registered.insert(id, (member, entry));
                let event = |role, key| KeyEvent { entry, role, key: Some(key) };
                let mut chain = vec![
                    event(KeyRole::Signature, asked.verification_key),
                    event(KeyRole::Terminal, asked.terminal_key),
                ];
                chain.extend(asked.recovery_key.map(|key| event(KeyRole::Recovery, key)));
                match books.members.iter_mut().find(|one| one.number == member) {
                    Some(known) => known.chain.extend(chain),
                    None => {
                        books.members.push(Member {
                            number: member,
                            chain,
                            waiting: None,
                            copy: None,
                            held: None,
                        });
                    }
                }
                entry
            }
        };
        let entry = if lie == Lie::TamperedReceipt { EntryNumber(0) } else { entry };
        Answer::Registered { account: asked.account, entry, receipt: self.receipt(entry) }
    }

    fn check_possessions(&self, asked: &Registration, call: &RegisterCall) {
        let id = call.telegram.id();
        let certified = call.certificate.verify_self::<TerminalCertificate>().expect("certified");
        assert_eq!(
            (certified.key(), certified.payload().terminal_key),
            (asked.verification_key, asked.terminal_key)
        );
        let mut expected = vec![(KeyRole::Terminal, asked.terminal_key)];
        expected.extend(asked.recovery_key.map(|key| (KeyRole::Recovery, key)));
        assert_eq!(call.possessions.len(), expected.len());
        for ((role, signature), (wanted, key)) in call.possessions.iter().zip(expected) {
            assert_eq!(*role, wanted);
            key.verify(&possession_message(&self.sheet.center, *role, &id), signature).expect("possessed");
        }
    }
}
