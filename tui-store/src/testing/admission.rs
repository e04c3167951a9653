//! The fake center's admission: guide, form, applications, kit, codes, registrations.

use std::collections::HashMap;

use wire::{
    admission::{
        ActivationCode, Application, ApplicationState, ApplicationView, ApplyCall, Build, Guide, Kit, Terms,
        VaultPolicy, Way, application_message,
    },
    amount::Currency,
    bounded::List,
    id::{AccountNumber, ApplicationNumber, Digest, Role, TelegramId},
    message::{Answer, Field, FieldKind, Form, Problem, ProblemKind, RegisterCall, Request, field},
    payload::{KeyEvent, KeyRole, Registration, particulars_hash, possession_message},
    receipt::{EntryKind, StorePart},
    telegram::Telegram,
    text::{Line, Prose},
    time::Timestamp,
};

use super::{FakeCenter, STORE};

/// What the center knows of newcomers.
#[derive(Default)]
pub(super) struct Admissions {
    applications: HashMap<ApplicationNumber, (ApplicationView, Application)>,
    answered: HashMap<TelegramId, ApplicationNumber>,
    registered: HashMap<TelegramId, Answer>,
    code: Option<ActivationCode>,
    pub(super) kit: u64,
    terms: u32,
    pub(super) build: Vec<u8>,
    /// Whether the kit is signed by another key.
    forged: bool,
    tries: u32,
}

impl FakeCenter {
    /// Publishes a kit with terms of a version.
    pub(crate) fn publish_kit(&self, number: u64, terms: u32) {
        let mut state = self.lock();
        (state.admission.kit, state.admission.terms) = (number, terms);
    }

    /// Offers a build of this program, of version 99.
    pub(crate) fn offer_build(&self, content: &[u8]) {
        self.lock().admission.build = content.to_vec();
    }

    /// From now on kits are signed by a stranger.
    pub(crate) fn forge_kit(&self, forged: bool) {
        self.lock().admission.forged = forged;
    }

    /// Admits the application and gives the code that goes out by mail.
    pub(crate) fn admit(&self) -> ActivationCode {
        let code = ActivationCode::generate();
        let until = Timestamp::now().plus_ms(60_000);
        self.decide_application(ApplicationState::Admitted { ways: List::first([Way::Mail]), until });
        self.lock().admission.code = Some(code.clone());
        code
    }

    /// Asks back for something that is missing.
    pub(crate) fn ask_back(&self, words: &str) {
        self.decide_application(ApplicationState::AskedBack { words: Prose::new(words).unwrap() });
    }

    /// How many registrations came with a wrong code.
    pub(crate) fn wrong_codes(&self) -> u32 {
        self.lock().admission.tries
    }

    fn decide_application(&self, decided: ApplicationState) {
        let mut state = self.lock();
        for (view, _) in state.admission.applications.values_mut() {
            (view.state, view.since) = (decided.clone(), Timestamp::now());
        }
    }

    /// Answers what joining asks; none to anything else.
    pub(super) fn admission(&self, request: &Request) -> Option<Answer> {
        Some(match request.clone() {
            Request::Guide(role) => {
                let text = Prose::new("# How to join\n\n- fill in the form\n- wait for the mail").unwrap();
                Answer::Guide(Guide { role, version: 1, text })
            }
            Request::Form(Role::Store) => Answer::Form(form()),
            Request::Apply(call) => self.apply(*call),
            Request::Application { number, signature } => {
                let state = self.lock();
                let Some((view, application)) = state.admission.applications.get(&number) else {
                    return Some(Answer::Problem(Problem::new(ProblemKind::NotFound, "no such application")));
                };
                // The exporter is the connection's; that a signature of the right key came is what is looked at here.
                let message = application_message(&application.center, number, &[0; 32]);
                drop((message, signature));
                Answer::Application(view.clone())
            }
            Request::Kit => Answer::Kit(self.kit()),
            Request::Build { digest, offset } => {
                let state = self.lock();
                let build = &state.admission.build;
                assert_eq!(digest, Digest::of(&[build]));
                let from = usize::try_from(offset).unwrap().min(build.len());
                let piece = build[from..].iter().copied().take(1_000).collect();
                Answer::Piece { offset, bytes: wire::bounded::Bytes::new(piece).unwrap() }
            }
            Request::Register(call) => self.register(*call),
            _ => return None,
        })
    }

    fn apply(&self, call: ApplyCall) -> Answer {
        let application = call.telegram.verify_self::<Application>().unwrap().into_payload();
        assert_eq!(application.particulars, particulars_hash(&call.salt, &call.particulars));
        let mut state = self.lock();
        let id = call.telegram.id();
        if let Some(number) = state.admission.answered.get(&id) {
            return Answer::Application(state.admission.applications[number].0.clone());
        }
        let number = application.amends.unwrap_or(ApplicationNumber(1));
        let now = Timestamp::now();
        let view = ApplicationView { number, received: now, since: now, state: ApplicationState::Waiting };
        state.admission.answered.insert(id, number);
        state.admission.applications.insert(number, (view.clone(), application));
        Answer::Application(view)
    }

    fn kit(&self) -> Telegram {
        let state = self.lock();
        let admission = &state.admission;
        let line = |text: &str| Line::new(text).unwrap();
        let build = Build {
            program: line("tui-store"),
            platform: line(&crate::kit::platform()),
            version: line("99.0.0"),
            length: admission.build.len() as u64,
            digest: Digest::of(&[&admission.build]),
        };
        let kit = Kit {
            center: self.root().verification_key().center(),
            number: admission.kit,
            issued: Timestamp(1),
            sheet: self.sheet().sign(&self.root()),
            terms: Terms { version: admission.terms, text: Prose::new("Be honest.").unwrap() },
            vault: VaultPolicy { memory_kib: 64 << 10, passes: 3 },
            currency: Currency::YEN,
            builds: List::first((!admission.build.is_empty()).then_some(build)),
        };
        let key = if admission.forged { wire::key::SigningKey::from_seed(&[66; 32]) } else { self.key() };
        Telegram::sign_as_key(&kit, &key)
    }

    fn register(&self, call: RegisterCall) -> Answer {
        let id = call.telegram.id();
        if let Some(answer) = self.lock().admission.registered.get(&id) {
            return answer.clone();
        }
        let asked = call.telegram.verify_self::<Registration>().unwrap().into_payload();
        let code = self.lock().admission.code.clone();
        if code.is_none_or(|code| code != call.code || asked.code != code.hash(&call.salt)) {
            self.lock().admission.tries += 1;
            return Answer::Problem(Problem::new(ProblemKind::NotAllowed, "the activation code is another"));
        }
        let applied = self.lock().admission.applications[&asked.application].1.clone();
        assert_eq!(asked.particulars, applied.particulars, "the particulars that were admitted");
        assert_eq!(asked.account, AccountNumber::Store(STORE));
        let keys = [
            (KeyRole::Signature, Some(asked.verification_key)),
            (KeyRole::Terminal, Some(asked.terminal_key)),
            (KeyRole::Recovery, asked.recovery_key),
        ];
        for (role, signature) in &call.possessions {
            let key = keys.iter().find(|(other, _)| other == role).unwrap().1.unwrap();
            key.verify(&possession_message(&asked.center, *role, &id), signature).unwrap();
        }
        assert_eq!(call.possessions.len(), 1 + usize::from(asked.recovery_key.is_some()));
        let part = StorePart::Registered { store: STORE, key: asked.verification_key };
        let receipt = self.enter(EntryKind::Registration, &part);
        let entry = receipt.leaf.entry;
        let mut state = self.lock();
        state.admission.code = None;
        let events =
            keys.into_iter().filter_map(|(role, key)| Some(KeyEvent { entry, role, key: Some(key?) }));
        state.chain.extend(events);
        let answer = Answer::Registered { account: asked.account, entry, receipt };
        state.admission.registered.insert(id, answer.clone());
        answer
    }
}

/// The form for stores.
pub(crate) fn form() -> Form {
    let field = |key: &str, label: &str, kind| Field {
        key: Line::new(key).unwrap(),
        label: Line::new(label).unwrap(),
        help: Line::default(),
        kind,
        required: true,
        max_chars: 80,
    };
    let fields = [
        field(field::TRADE_NAME, "Trade name", FieldKind::Line),
        field(field::BANK_ACCOUNT, "Bank account", FieldKind::BankAccount),
    ];
    Form { role: Role::Store, version: 1, fields: List::first(fields), terms: Prose::default() }
}
