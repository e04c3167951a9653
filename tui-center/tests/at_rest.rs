//! Nothing personal and nothing secret lies open in the center's folders: after a run that exercises joining, mail,
//! letters, wrong turns, operators and rotation, every file is searched for every datum in every common encoding.

mod common;

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use common::{LIMIT, OPERATOR, Place, act, applicant::Applicant};
use data_encoding::{
    BASE32_NOPAD, BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER, Specification,
};
use ledger::request::OperatorRole;
use secrecy::SecretString;
use tui_center::{
    acts::{Act, Identity, JoiningAct, Outcome, Passphrase, PeopleAct, StaffAct},
    books::cabinet::index::Who,
    keys,
    lines::postman::State,
    places::Places,
};
use wire::{
    admission::{ActivationCode, Way},
    id::Role,
    key::SigningKey,
    sheet::SheetRole,
};

/// What a window of the search is long; every needle is at least as long.
const WINDOW: usize = 8;
const BEN: &str = "ben's own long passphrase";
const SSH: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ben@center";

/// All that is looked for, in all its forms, found by its first eight bytes.
#[derive(Default)]
struct Needles {
    by_window: HashMap<u64, Vec<(Vec<u8>, String)>>,
}

impl Needles {
    fn text(&mut self, what: &str, text: &str) {
        self.bytes(what, text.as_bytes());
        let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        self.add(what, "UTF-16 LE", wide(u16::to_le_bytes));
        self.add(what, "UTF-16 BE", wide(u16::to_be_bytes));
        for (name, plain) in [("URL-encoded", false), ("wholly URL-encoded", true)] {
            let escaped = |byte: &u8| match byte {
                b if !plain && (b.is_ascii_alphanumeric() || b"-._~".contains(b)) => {
                    char::from(*b).to_string()
                }
                b => format!("%{b:02X}"),
            };
            let encoded: String = text.bytes().map(|byte| escaped(&byte)).collect();
            self.add(what, name, encoded.to_lowercase().into_bytes());
            self.add(what, name, encoded.into_bytes());
        }
        let json: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        self.add(what, "JSON escapes", json.into_bytes());
        let joined: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
        for (name, form) in [
            ("without signs", joined.clone()),
            ("small", text.to_lowercase()),
            ("capital", text.to_uppercase()),
            ("without signs, small", joined.to_lowercase()),
        ] {
            self.add(what, name, form.into_bytes());
        }
        self.add(what, "backwards", text.chars().rev().collect::<String>().into_bytes());
    }

    fn bytes(&mut self, what: &str, bytes: &[u8]) {
        self.add(what, "raw", bytes.to_vec());
        self.add(what, "reversed", bytes.iter().rev().copied().collect());
        self.add(what, "hex", HEXLOWER.encode(bytes).into_bytes());
        self.add(what, "HEX", HEXUPPER.encode(bytes).into_bytes());
        let mut crockford = Specification::new();
        crockford.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
        let crockford = crockford.encoding().unwrap();
        let aligned: [(&str, &Encoding, usize, usize); 4] = [
            ("base 64", &BASE64_NOPAD, 6, 3),
            ("base 64 for URLs", &BASE64URL_NOPAD, 6, 3),
            ("base 32", &BASE32_NOPAD, 5, 5),
            ("Crockford's base 32", &crockford, 5, 5),
        ];
        for (name, encoding, bits, group) in aligned {
            for before in 0..group {
                let encoded = encoding.encode(&[&vec![0; before][..], bytes].concat());
                let first = (before * 8).div_ceil(bits);
                let last = (before + bytes.len()) * 8 / bits;
                self.add(what, name, encoded[first..last].to_lowercase().into_bytes());
                self.add(what, name, encoded.as_bytes()[first..last].to_vec());
            }
        }
        self.add(what, "as numbers", format!("{bytes:?}").replace(' ', "").into_bytes());
    }

    fn add(&mut self, what: &str, form: &str, needle: Vec<u8>) {
        let Some(window) = needle.first_chunk::<WINDOW>() else { return };
        let known = self.by_window.entry(u64::from_le_bytes(*window)).or_default();
        known.push((needle, format!("{what}, {form}")));
    }

    /// What lies open in some bytes.
    fn found(&self, bytes: &[u8]) -> HashSet<String> {
        let mut found = HashSet::new();
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        for at in 0..end {
            let Some(window) = bytes[at..].first_chunk::<WINDOW>() else { break };
            let Some(needles) = self.by_window.get(&u64::from_le_bytes(*window)) else { continue };
            let fits = needles.iter().filter(|(needle, _)| bytes[at..].starts_with(needle));
            found.extend(fits.map(|(_, what)| what.clone()));
        }
        found
    }

    /// What lies open in a folder, with the files' names searched as well.
    fn in_folder(&self, folder: &Path) -> Vec<String> {
        let mut all = Vec::new();
        for path in files(folder) {
            let name = self.found(path.to_string_lossy().as_bytes());
            let content = match fs::read(&path) {
                Ok(content) => self.found(&content),
                // A center that runs puts files away.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => panic!("{}: {error}", path.display()),
            };
            all.extend(name.union(&content).map(|what| format!("{}: {what}", path.display())));
        }
        all
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for item in fs::read_dir(folder).unwrap() {
        let item = item.unwrap();
        let kind = item.file_type().unwrap();
        if kind.is_dir() {
            files.extend(self::files(&item.path()));
        } else if kind.is_file() {
            files.push(item.path());
        }
    }
    files
}

fn secret(text: &str) -> Passphrase {
    Passphrase(SecretString::from(text))
}

type Values = Vec<(String, String)>;

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// No word of it stands as an example in a form.
fn hanako() -> Values {
    values(&[
        ("name", "早乙女 花子"),
        ("kana", "サオトメ ハナコ"),
        ("address", "〒999-8765 鶴岡市 みどり町 4-77"),
        ("born", "1968-10-31"),
        ("email", "hanako.saotome@tsuruoka.example"),
        ("phone", "+81 235 987 6540"),
    ])
}

/// Whose letter every font can print.
fn wilhelmina() -> Values {
    values(&[
        ("name", "Wilhelmina Featherstone"),
        ("address", "17 Marmalade Crescent\nUpper Puddleby\nPB4 7QQ"),
        ("born", "1971-12-29"),
        ("email", "wilhelmina.f@puddleby.example"),
        ("phone", "+44 1632 960983"),
    ])
}

/// A store's name is public; the rest is not.
fn shop() -> Values {
    values(&[
        ("trade_name", "Sakura Press"),
        ("contact", "Bartholomew Quince"),
        ("address", "88 Gooseberry Wharf\nLower Puddleby"),
        ("email", "bart@gooseberry.example"),
        ("phone", "+44 1632 960147"),
        ("account_holder", "Quince and Daughters"),
        ("bank_account", "0031/417/8052963"),
    ])
}

#[test]
fn the_search_finds_each_form_of_what_it_looks_for() {
    let mut needles = Needles::default();
    needles.text("a name", "Wilhelmina Featherstone");
    needles.bytes("a key", &SigningKey::generate().seed()[..]);
    let all: Vec<(Vec<u8>, String)> = needles.by_window.values().flatten().cloned().collect();
    assert!(all.len() > 60, "{}", all.len());
    for (needle, what) in &all {
        let hidden = [&b"\0\x01before"[..], needle, b"behind"].concat();
        assert!(needles.found(&hidden).contains(what), "{what}");
        assert!(needles.found(&needle[..needle.len() - 1]).iter().all(|found| found != what));
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deep")).unwrap();
    let message = BASE64_NOPAD.encode(b"Dear Wilhelmina Featherstone,");
    fs::write(folder.path().join("deep/mail"), [&[0; 5000][..], message.as_bytes(), &[0; 5000]].concat())
        .unwrap();
    let found = needles.in_folder(folder.path());
    assert!(!found.is_empty() && found.iter().all(|what| what.contains("a name, base 64")), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_personal_and_nothing_secret_lies_open() {
    let place = Place::with_desk();
    let places = Places::of(&place.profile);
    let server = place.serve().await;
    let mut needles = Needles::default();

    // One joins by mail, after a wrong code; one is sent a letter; one is asked back.
    let (line, _pushes) = place.line().await;
    let form = line.form(Role::Member, LIMIT).await.unwrap();
    let mut member = Applicant::filled(&place, &form, &hanako());
    let mut letter = Applicant::filled(&place, &form, &wilhelmina());
    let form = line.form(Role::Store, LIMIT).await.unwrap();
    let mut store = Applicant::filled(&place, &form, &shop());
    for applicant in [&mut member, &mut store, &mut letter] {
        applicant.apply(&line).await;
    }
    let join = |it: JoiningAct| act(&server, Act::Joining(it));
    for (number, way) in [(member.number, Way::Mail), (store.number, Way::Mail), (letter.number, Way::Letter)]
    {
        join(common::desk::admission(&server, number, Some(way)).await).await.unwrap();
    }
    for applicant in [&mut member, &mut store] {
        let (account, code) = applicant.mailed(&place).await;
        let wrong = applicant.registration(&line, account, &ActivationCode::generate()).await;
        assert!(line.register(wrong, LIMIT).await.is_err());
        let call = applicant.registration(&line, account, &code).await;
        line.register(call, LIMIT).await.unwrap();
        needles.text("an activation code", &code.print());
        needles.bytes("an activation code's bytes", code.bytes());
        let (own, _pushes) = place.line().await;
        own.login(account, &applicant.terminal, None, LIMIT).await.unwrap();
        own.deposit(b"a copy that is sealed to its owner", LIMIT).await.unwrap();
    }
    let handed_out = join(JoiningAct::Letter { number: letter.number }).await;
    assert!(matches!(handed_out, Ok(Outcome::Joining(_))), "{handed_out:?}");

    // Operators, wrong passphrases, looks at people, new keys.
    let ben = StaffAct::Add {
        name: "ben".into(),
        role: OperatorRole::Clerk,
        ssh_key: SSH.into(),
        passphrase: secret(BEN),
    };
    act(&server, ben.into()).await.unwrap();
    let wrong = Identity { name: "ben".into(), passphrase: secret("a mistyped passphrase") };
    assert!(server.center().act_as(Some(wrong), Act::Desk).await.is_err());
    let reveal = PeopleAct::Reveal { of: Who::Application(letter.number), reason: "to call her".into() };
    act(&server, reveal.into()).await.unwrap();
    let before = server.center().speaking();
    let rotate = StaffAct::Rotate {
        roles: vec![SheetRole::Tls, SheetRole::Checkpoint],
        root_file: place.founded.root_key_file.clone(),
        root: secret("root passphrase"),
    };
    act(&server, rotate.into()).await.unwrap();
    let (post, _) = server.center().post();
    assert!(post.iter().all(|it| it.state != State::Failed), "{post:?}");

    // What must not be found: everything that was filled in but a store's name, which is public; what opens anything.
    let filled = [hanako(), wilhelmina(), shop()].concat();
    for (key, value) in filled.into_iter().filter(|(key, _)| key != "trade_name") {
        for line in value.lines() {
            needles.text(&key, line);
        }
    }
    for passphrase in ["root passphrase", "service passphrase", OPERATOR, BEN, "a mistyped passphrase"] {
        needles.text("a passphrase", passphrase);
    }
    for roles in [before.roles(), server.center().speaking().roles()] {
        for key in [&roles.tls, &roles.checkpoint, &roles.card, &roles.directory, &roles.statement] {
            needles.bytes("a role key", &key.seed()[..]);
        }
    }
    let root = keys::open_root(&place.founded.root_key_file, &SecretString::from("root passphrase")).unwrap();
    needles.bytes("the root key", &root.seed()[..]);
    let service = keys::open_service(&places.service_key, &SecretString::from("service passphrase")).unwrap();
    needles.bytes("the service key", service.cabinet_key());
    for applicant in [&member, &store, &letter] {
        needles.bytes("a signature key", &applicant.signature.seed()[..]);
        needles.bytes("a terminal key", &applicant.terminal.seed()[..]);
    }

    // The control: outside the center's folders, in the mail that went out, the same search finds them.
    let sent = needles.in_folder(&place.pickup);
    assert!(sent.iter().any(|what| what.contains("an activation code")), "{sent:?}");
    assert!(sent.iter().any(|what| what.contains("email")), "{sent:?}");
    for folder in [&places.data, &places.state] {
        assert_eq!(needles.in_folder(folder), Vec::<String>::new(), "while it runs");
    }
    server.stop().await.unwrap();
    for folder in [&places.data, &places.state] {
        assert!(!files(folder).is_empty() || *folder == places.state);
        assert_eq!(needles.in_folder(folder), Vec::<String>::new(), "after its end");
    }
}
