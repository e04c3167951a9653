//! A center served in this process, and terminals that talk to it over real sockets.

#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses its part of it")]

pub mod applicant;
pub mod desk;
pub mod money;

use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use self::applicant::Applicant;
use ledger::{
    request::{Document, OperatorRole},
    state::PaymentState,
};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tui_center::{
    acts::{Act, ActError, JoiningAct, Outcome, Passphrase, StaffAct},
    admission::document,
    config,
    init::{Founded, Founding, found},
    operators::Operator,
    serve::Server,
};
use tui_kit::profile::Profile;
use wire::{
    amount::{Amount, Currency},
    bounded::List,
    id::{
        AccountNumber, CardNumber, CenterId, Digest, EntryNumber, MemberNumber, Nonce, OrderHash, Role, Salt,
        StoreNumber,
    },
    key::SigningKey,
    message::{Beside, Effect, FundingTerms, Mail, MailItem, Push, Verdict, Welcome},
    order::{goods_hash, order_hash},
    payload::{self, ClaimEvidence, Funding},
    sheet::Invitation,
    telegram::{Payload, Signer, Telegram},
    terminal::{self, Line, LineError},
    time::Timestamp,
};

/// How long anything may take.
pub const LIMIT: Duration = Duration::from_secs(20);
/// The first operator's passphrase.
pub const OPERATOR: &str = "operator passphrase";

/// A founded center in a directory of its own.
pub struct Place {
    pub dir: TempDir,
    pub profile: Profile,
    pub founded: Founded,
    /// Where the center's mail is put.
    pub pickup: PathBuf,
    /// Whether newcomers are admitted at once.
    pub by_rule: bool,
    people: [AtomicU32; 2],
}

impl Place {
    /// A center that admits whoever resembles nobody.
    pub fn found() -> Self {
        Self { by_rule: true, ..Self::with_desk() }
    }

    /// A center at which operators admit.
    pub fn with_desk() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let profile = Profile::locate("tui-center", dir.path().join("center").to_str()).unwrap();
        let pickup = dir.path().join("pickup");
        let founding = Founding {
            name: "Garden Club".into(),
            currency: Currency::YEN,
            listen: vec![format!("{}:0", own_address())],
            announce: Vec::new(),
            zone: "Asia/Tokyo".into(),
            day_end: 1440,
            bank_holder: "Garden Club".into(),
            bank_number: "0005/101/1234567".into(),
            bank_bic: None,
            bank_inbox: None,
            bank_outbox: None,
            mail: Some(config::Mail {
                from: "office@garden.example".into(),
                server: None,
                security: config::Security::StartTls,
                user: None,
                password_file: None,
                ca_file: None,
                timeout_s: 10,
                pickup: Some(pickup.clone()),
            }),
            post: None,
            page: None,
            help: "help@garden.example".into(),
            operator: "ada".into(),
            operator_key:
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFgHwBDU2U0AvLvw4HTDkqvVk1Nyd1lzdaXx1aUcOQXg ada".into(),
            root_passphrase: SecretString::from("root passphrase"),
            service_passphrase: SecretString::from("service passphrase"),
            operator_passphrase: SecretString::from(OPERATOR),
        };
        let founded = found(&profile, &founding, Timestamp::now()).unwrap();
        let config = profile.config_file();
        let quick = fs::read_to_string(&config).unwrap().replace("poll_ms = 400", "poll_ms = 20");
        fs::write(&config, quick).unwrap();
        Self { dir, profile, founded, pickup, by_rule: false, people: Default::default() }
    }

    pub async fn serve(&self) -> Server {
        let server =
            Server::start(&self.profile, SecretString::from("service passphrase"), None).await.unwrap();
        if self.by_rule {
            let text = document::first(Document::Policy).replace("admit = \"desk\"", "admit = \"rule\"");
            let rule = JoiningAct::SetDocument { document: Document::Policy, text, over: None };
            act(&server, Act::Joining(rule)).await.unwrap();
        }
        server
    }

    /// Which newcomer of a role this is: 0 for the first.
    pub fn another(&self, role: Role) -> u32 {
        self.people[usize::from(role == Role::Store)].fetch_add(1, Ordering::Relaxed)
    }

    pub fn center(&self) -> CenterId {
        self.founded.center
    }

    /// Opens a line and believes nothing but this center.
    pub async fn line(&self) -> (Line, mpsc::Receiver<Push>) {
        terminal::connect(&self.founded.invitation, 0, LIMIT).await.unwrap()
    }

    /// Drops a file into the bank's inbox as a bank does: under another name first.
    pub fn bank_says(&self, name: &str, xml: &str) {
        let inbox = &self.founded.bank_inbox;
        let part = inbox.join(format!("{name}.part"));
        fs::write(&part, xml).unwrap();
        fs::rename(part, inbox.join(name)).unwrap();
    }

    pub fn inbox(&self, folder: &str) -> Vec<String> {
        names(&self.founded.bank_inbox.join(folder))
    }

    pub fn outbox(&self) -> Vec<PathBuf> {
        let names = names(&self.founded.bank_outbox);
        names
            .into_iter()
            .filter(|name| name.ends_with(".xml"))
            .map(|name| self.founded.bank_outbox.join(name))
            .collect()
    }
}

/// An address of this machine for one center alone. On one that all share, a port that was free at the founding, or before a
/// restart, may have been given to somebody's connection.
fn own_address() -> Ipv4Addr {
    let [a, b, c, ..] = Salt::random().0;
    Ipv4Addr::new(127, a.max(1), b, c.clamp(1, 254))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A member's or a store's terminal.
pub struct Terminal {
    pub center: CenterId,
    pub account: AccountNumber,
    pub key_event: EntryNumber,
    pub signature: SigningKey,
    pub terminal: SigningKey,
    pub line: Line,
    pub pushes: mpsc::Receiver<Push>,
}

impl Terminal {
    /// Joins and logs in.
    pub async fn join(place: &Place, role: Role) -> Self {
        let (line, pushes) = place.line().await;
        let mut applicant = Applicant::new(place, role, &line).await;
        applicant.apply(&line).await;
        let (account, code) = applicant.mailed(place).await;
        let call = applicant.registration(&line, account, &code).await;
        let (registered, key_event, receipt) = line.register(call, LIMIT).await.unwrap();
        assert_eq!(registered, account);
        line.check_receipt(&receipt).unwrap();
        line.login(account, &applicant.terminal, None, LIMIT).await.unwrap();
        let Applicant { signature, terminal, .. } = applicant;
        Self { center: place.center(), account, key_event, signature, terminal, line, pushes }
    }

    /// Opens a new line and logs in again.
    pub async fn again(&mut self, place: &Place) -> Welcome {
        (self.line, self.pushes) = place.line().await;
        self.line.login(self.account, &self.terminal, None, LIMIT).await.unwrap()
    }

    pub fn member(&self) -> MemberNumber {
        match self.account {
            AccountNumber::Member(member) => member,
            AccountNumber::Store(store) => panic!("{store} is no member"),
        }
    }

    pub fn store(&self) -> StoreNumber {
        match self.account {
            AccountNumber::Store(store) => store,
            AccountNumber::Member(member) => panic!("{member} is no store"),
        }
    }

    pub fn sign<P: Payload>(&self, payload: &P) -> Telegram {
        Telegram::sign(payload, Signer::Account(self.account), &self.signature)
    }

    /// Submits a telegram and checks the verdict's evidence.
    pub async fn submit(&self, telegram: &Telegram, beside: Beside) -> Result<Verdict, LineError> {
        let verdict = self.line.submit(telegram.clone(), beside, LIMIT).await?;
        self.line.check_verdict(telegram, &verdict).unwrap();
        Ok(verdict)
    }

    pub async fn inquire(&self, telegram: &Telegram) -> Verdict {
        let verdict = self.line.inquire(telegram.clone(), LIMIT).await.unwrap();
        self.line.check_verdict(telegram, &verdict).unwrap();
        verdict
    }

    /// Asks for a card.
    pub async fn ask_for_card(&self, amount: u64) -> FundingTerms {
        let request = payload::CardRequest {
            center: self.center,
            member: self.member(),
            key_event: self.key_event,
            amount: Amount::new(amount).unwrap(),
            currency: Currency::YEN,
            funding: Funding::BankTransfer,
            nonce: Nonce::random(),
            valid_until: Timestamp::now().plus_ms(60_000),
        };
        match self.submit(&self.sign(&request), Beside::Nothing).await.unwrap() {
            Verdict::Done { effect: Effect::FundingOpened(terms), .. } => terms,
            other => panic!("{other:?}"),
        }
    }

    /// A card that the bank has paid for.
    pub async fn card(&mut self, place: &Place, amount: u64) -> CardNumber {
        let terms = self.ask_for_card(amount).await;
        let name = format!("{}.xml", terms.request);
        place.bank_says(&name, &credit(&format!("CR-{}", terms.request), amount, &terms.reference));
        loop {
            let MailItem { body, receipt: _ } = self.pushed().await;
            if let Mail::CardIssued { request, amount: held, certificate } = body {
                assert_eq!((request, held.minor()), (terms.request, amount));
                let certified: payload::CardCertificate = certificate.peek().unwrap();
                return certified.card;
            }
        }
    }

    /// The next piece of mail that is pushed, checked.
    pub async fn pushed(&mut self) -> MailItem {
        loop {
            let push = tokio::time::timeout(LIMIT, self.pushes.recv())
                .await
                .expect("a push in time")
                .expect("a line");
            if let Push::Mail(item) = push {
                self.line.check_mail(&item).unwrap();
                return *item;
            }
        }
    }
}

/// What a store has offered to a member.
pub struct Sale {
    pub offer: Telegram,
    pub order: OrderHash,
    pub salt: Salt,
    pub total: u64,
    pub expires: Timestamp,
    pub buyer: SigningKey,
}

impl Sale {
    /// An offer for a fresh order.
    pub fn offered(store: &Terminal, total: u64) -> Self {
        let (salt, buyer) = (Salt::random(), SigningKey::generate());
        let order = order_hash(&salt, b"an order");
        let now = Timestamp::now();
        let expires = now.plus_ms(3_600_000);
        let offer = payload::Offer {
            center: store.center,
            store: store.store(),
            terminal_key: store.terminal.verification_key(),
            buyer_key: buyer.verification_key(),
            order,
            total: Amount::new(total).unwrap(),
            currency: Currency::YEN,
            issued: now,
            expires,
        };
        let offer = Telegram::sign_as_key(&offer, &store.terminal);
        Self { offer, order, salt, total, expires, buyer }
    }

    /// The payment instruction for it.
    pub fn payment(&self, member: &Terminal, store: &Terminal, card: CardNumber) -> Telegram {
        member.sign(&payload::Payment {
            center: member.center,
            member: member.member(),
            key_event: member.key_event,
            card,
            store: store.store(),
            offer: self.offer.digest(),
            order: self.order,
            total: Amount::new(self.total).unwrap(),
            currency: Currency::YEN,
            offer_expires: self.expires,
            nonce: Nonce::random(),
            valid_until: Timestamp::now().plus_ms(60_000),
        })
    }

    /// What proves the delivery.
    pub fn evidence(&self, payment: EntryNumber) -> ClaimEvidence {
        let goods = goods_hash(&self.salt, &Digest([7; 32]));
        let delivery = payload::Delivery { order: self.order, goods };
        ClaimEvidence {
            payment,
            offer: self.offer.clone(),
            delivery: Telegram::sign_as_key(&delivery, &self.buyer),
        }
    }
}

/// A store's claim over payments.
pub fn claim(store: &Terminal, payments: &[EntryNumber], total: u64) -> Telegram {
    store.sign(&payload::Claim {
        center: store.center,
        store: store.store(),
        key_event: store.key_event,
        payments: List::new(payments.to_vec()).unwrap(),
        total: Amount::new(total).unwrap(),
        currency: Currency::YEN,
        nonce: Nonce::random(),
        valid_until: Timestamp::now().plus_ms(60_000),
    })
}

/// A credit notice of the bank's.
pub fn credit(bank_reference: &str, amount: u64, reference: &str) -> String {
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.054.001.08\"><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>N</MsgId>\
         <CreDtTm>2026-01-01T00:00:00Z</CreDtTm></GrpHdr><Ntfctn><Id>N</Id><Acct><Id><Othr><Id>0005/101/1234567</Id></Othr></Id></Acct>\
         <Ntry><Amt Ccy=\"JPY\">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><AcctSvcrRef>{bank_reference}</AcctSvcrRef>\
         <NtryDtls><TxDtls><RltdPties><Dbtr><Pty><Nm>Hanako's bank</Nm></Pty></Dbtr><DbtrAcct><Id><Othr><Id>0001/001/7654321</Id></Othr></Id></DbtrAcct></RltdPties>\
         <RmtInf><Ustrd>{reference}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    )
}

/// A status report of the bank's.
pub fn status(end_to_end: &str, code: &str) -> String {
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt><GrpHdr><MsgId>S-1</MsgId></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{end_to_end}</OrgnlMsgId></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>x</OrgnlPmtInfId>\
         <TxInfAndSts><OrgnlEndToEndId>{end_to_end}</OrgnlEndToEndId><TxSts>{code}</TxSts></TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    )
}

/// The admin whom the founding made.
pub fn admin(server: &Server) -> Operator {
    server.center().operators().list().into_iter().find(|operator| operator.name == "ada").unwrap()
}

/// Another operator, whom the admin adds.
pub async fn operator(server: &Server, name: &str, role: OperatorRole) -> Operator {
    // The SSH wire format (RFC 8709): length and type, length and key.
    let public = SigningKey::from_seed(&Digest::of(&[name.as_bytes()]).0).verification_key().0;
    let blob = [&[0, 0, 0, 11][..], b"ssh-ed25519", &[0, 0, 0, 32], &public].concat();
    let key = format!("ssh-ed25519 {}", data_encoding::BASE64.encode(&blob));
    let add = StaffAct::Add {
        name: name.into(),
        role,
        ssh_key: format!("{key} {name}"),
        passphrase: Passphrase(SecretString::from(format!("{name}'s passphrase"))),
    };
    act(server, Act::Staff(add)).await.unwrap();
    server.center().operators().list().into_iter().find(|operator| operator.name == name).unwrap()
}

/// Does an act as the admin.
pub async fn act(server: &Server, act: Act) -> Result<Outcome, ActError> {
    server.center().act(Some(&admin(server)), act).await
}

/// Waits until something holds, woken by every entry of the journal and every line of the error log.
pub async fn until(server: &Server, what: &str, mut holds: impl FnMut() -> bool) {
    let mut entries = server.center().desk().subscribe();
    let mut errors = server.center().errors().subscribe();
    let waiting = async {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        while !holds() {
            tokio::select! {
                _ = entries.recv() => {}
                _ = errors.recv() => {}
                _ = looks.tick() => {}
            }
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("waited in vain for {what}"));
}

/// How a payment stands.
pub fn payment_state(server: &Server, payment: EntryNumber) -> PaymentState {
    server.center().desk().state().payment(payment).expect("a payment").state
}

/// The books balance, and replay gives the same.
pub async fn check_books(server: &Server) {
    match act(server, Act::Verify).await.unwrap() {
        Outcome::Verified(verified) => assert!(verified.holds, "{verified:?}"),
        other => panic!("{other:?}"),
    }
}

/// An invitation that names another root key.
pub fn foreign(invitation: &Invitation) -> Invitation {
    Invitation { root: SigningKey::generate().verification_key(), addresses: invitation.addresses.clone() }
}
