//! From an invitation to a number, with everything that can go wrong between.

use std::{path::Path, sync::Arc};

use tempfile::TempDir;
use vault::{Language, RecoveryPhrase};
use wire::{admission::ActivationCode, bounded::List, payload::KeyRole};

use super::*;
use crate::{
    act::FailureKind,
    testing::{FakeCenter, PASSWORD_A, PASSWORD_B, STORE, form},
};

const VALUES: [(&str, &str); 2] = [("trade_name", "Sakura Press"), ("bank_account", "0009/202/7654321")];

fn values() -> Vec<(String, String)> {
    VALUES.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
}

fn invitation(center: &FakeCenter) -> Invitation {
    let address = text::Line::new(&center.address).unwrap();
    Invitation { root: center.root().verification_key(), addresses: List::first([address]) }
}

/// A newcomer beside a center that nobody has joined.
struct Door {
    folder: TempDir,
    center: FakeCenter,
}

impl Door {
    async fn open() -> Self {
        let center = FakeCenter::empty().await;
        center.publish_kit(1, 1);
        Self { folder: tempfile::tempdir().unwrap(), center }
    }

    fn profile(&self) -> &Path {
        self.folder.path()
    }

    async fn begin(&self) -> Newcomer {
        let phrase = RecoveryPhrase::generate(Language::English, &Surroundings::system());
        let passwords = Passwords::Two { a: PASSWORD_A.into(), b: PASSWORD_B.into() };
        let setup = Setup { passwords, autograph: None, phrase: Some(Arc::new(phrase)), confirmed: true };
        begin(self.profile(), &invitation(&self.center), setup).await.unwrap()
    }

    async fn reopen(&self) -> Newcomer {
        Newcomer::open(self.profile(), &PASSWORD_A.into()).await.unwrap()
    }

    /// An application that the center has, with the terms accepted.
    async fn applied(&self) -> Newcomer {
        let newcomer = self.begin().await;
        newcomer.apply(&form(), &values(), None, PASSWORD_B.into()).await.unwrap();
        newcomer.fetch_kit().await.unwrap();
        newcomer.accept_terms(1).await.unwrap();
        newcomer
    }
}

async fn stage(newcomer: &Newcomer) -> Stage {
    newcomer.standing().await.unwrap().stage
}

async fn register(newcomer: &Newcomer, code: ActivationCode, prepare: bool) -> Result<Registered, Failure> {
    newcomer.register(STORE, code, PASSWORD_B.into(), prepare).await
}

#[tokio::test]
async fn seven_steps_lead_to_a_number_and_each_survives_a_restart() {
    let door = Door::open().await;
    let shown = welcome(&invitation(&door.center)).await.unwrap();
    assert!(shown.guide.text.contains("How to join") && shown.form == form());

    assert_eq!(stage(&door.begin().await).await, Stage::Unsigned);
    let newcomer = door.reopen().await;
    let applied = newcomer.apply(&shown.form, &values(), None, PASSWORD_B.into()).await.unwrap();
    assert_eq!(applied.state, "waiting");
    let again = newcomer.apply(&shown.form, &values(), None, PASSWORD_B.into()).await.unwrap_err();
    assert!(again.message.contains("stands already"), "{again}");
    drop(newcomer);

    let newcomer = door.reopen().await;
    assert_eq!(stage(&newcomer).await, Stage::Applied);
    let code = door.center.admit();
    assert_eq!(newcomer.ask().await.unwrap().state, "admitted");
    let early = register(&newcomer, code.clone(), false).await.unwrap_err();
    assert!(early.message.contains("terms of use were not accepted"), "{early}");
    newcomer.fetch_kit().await.unwrap();
    assert!(newcomer.accept_terms(2).await.unwrap_err().message.contains("read them again"));
    newcomer.accept_terms(1).await.unwrap();
    drop(newcomer);

    let newcomer = door.reopen().await;
    let Registered::Joined(joined) = register(&newcomer, code, false).await.unwrap() else {
        panic!("it was to be sent at once")
    };
    assert_eq!((joined.store, stage(&newcomer).await), (STORE, Stage::Joined));
    let recovery = door.center.in_force(KeyRole::Recovery).0.fingerprint();
    assert_eq!(newcomer.standing().await.unwrap().recovery.unwrap().key, recovery);
    drop(newcomer);
    let found = crate::testing::reopen(door.profile());
    let held =
        found.vault(|vault| vault.unlock_held_recovery_key(&PASSWORD_B.into()).map(|held| held.is_some()));
    assert!(!held.await.unwrap().unwrap(), "the recovery key is gone from the vault once it is registered");
}

#[tokio::test]
async fn a_registration_prepared_offline_waits_and_is_sent_later() {
    let door = Door::open().await;
    let newcomer = door.applied().await;
    let code = door.center.admit();
    newcomer.ask().await.unwrap();
    door.center.hang_up();
    let Registered::Prepared(_) = register(&newcomer, code.clone(), true).await.unwrap() else {
        panic!("nothing was to be sent")
    };
    drop(newcomer);
    let newcomer = door.reopen().await;
    assert_eq!(stage(&newcomer).await, Stage::Prepared);
    let second = register(&newcomer, code.clone(), false).await.unwrap_err();
    assert!(second.message.contains("waits in the outbox already"), "{second}");
    newcomer.withdraw().await.unwrap();
    assert_eq!(stage(&newcomer).await, Stage::Applied);
    register(&newcomer, code, true).await.unwrap();
    assert_eq!(newcomer.resume().await.unwrap().store, STORE);
    assert!(newcomer.resume().await.unwrap_err().message.contains("no registration waits"));
}

#[tokio::test]
async fn a_wrong_code_is_said_and_the_right_one_still_works() {
    let door = Door::open().await;
    let newcomer = door.applied().await;
    let code = door.center.admit();
    let refused = register(&newcomer, ActivationCode::generate(), false).await.unwrap_err();
    assert_eq!(
        (refused.kind, refused.message.as_str()),
        (FailureKind::Refused, "the activation code is another")
    );
    assert_eq!(door.center.wrong_codes(), 1);
    assert_eq!(stage(&newcomer).await, Stage::Applied, "number and code can be entered again");
    assert!(matches!(register(&newcomer, code, false).await, Ok(Registered::Joined(_))));
}

#[tokio::test]
async fn a_wrong_password_b_registers_nothing() {
    let door = Door::open().await;
    let newcomer = door.applied().await;
    let code = door.center.admit();
    let wrong = newcomer.register(STORE, code, "not the password".into(), false).await.unwrap_err();
    assert_eq!(wrong.kind, FailureKind::WrongPassword);
    assert_eq!((stage(&newcomer).await, door.center.wrong_codes()), (Stage::Applied, 0));
}

#[tokio::test]
async fn what_is_asked_back_is_amended_under_the_same_number() {
    let door = Door::open().await;
    let newcomer = door.applied().await;
    door.center.ask_back("your trade register number, please");
    let row = newcomer.ask().await.unwrap();
    assert!(row.state == "asked-back" && row.words.contains("trade register number"), "{}", row.words);
    assert_eq!(stage(&newcomer).await, Stage::Unsigned);
    let (form, empty) = (form(), [("trade_name".to_owned(), String::new())]);
    let wrong = newcomer.apply(&form, &empty, None, PASSWORD_B.into()).await.unwrap_err();
    assert!(
        wrong.message.contains("Trade name is missing") && wrong.message.contains("Bank account"),
        "{wrong}"
    );
    let amended = newcomer.apply(&form, &values(), None, PASSWORD_B.into()).await.unwrap();
    assert_eq!((amended.application, amended.state.as_str()), (row.application, "waiting"));
}

#[tokio::test]
async fn kits_that_are_forged_or_older_are_not_taken() {
    let door = Door::open().await;
    let newcomer = door.begin().await;
    door.center.publish_kit(5, 2);
    assert_eq!(newcomer.fetch_kit().await.unwrap().number, 5);
    door.center.publish_kit(4, 2);
    let older = newcomer.fetch_kit().await.unwrap_err();
    assert!(
        older.kind == FailureKind::Contradiction && older.message.contains("5 was seen before"),
        "{older}"
    );
    door.center.publish_kit(6, 3);
    door.center.forge_kit(true);
    let forged = newcomer.fetch_kit().await.unwrap_err();
    assert!(forged.kind == FailureKind::Contradiction && forged.message.contains("not signed"), "{forged}");
    assert_eq!(newcomer.standing().await.unwrap().kit.unwrap().number, 5);
}

#[tokio::test]
async fn a_wrong_invitation_leaves_no_vault_behind() {
    let door = Door::open().await;
    let mut other = invitation(&door.center);
    other.root = wire::key::SigningKey::from_seed(&[55; 32]).verification_key();
    let passwords = Passwords::Two { a: PASSWORD_A.into(), b: PASSWORD_B.into() };
    let setup = Setup { passwords, autograph: None, phrase: None, confirmed: false };
    let failure = begin(door.profile(), &other, setup).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Contradiction);
    assert!(!Vault::exists(door.profile()));
    let weak = Passwords::One("password1".into());
    let setup = Setup { passwords: weak, autograph: None, phrase: None, confirmed: false };
    assert!(begin(door.profile(), &invitation(&door.center), setup).await.is_err());
    assert!(!Vault::exists(door.profile()));
}

#[tokio::test]
async fn two_copies_of_one_vault_register_once() {
    let door = Door::open().await;
    let newcomer = door.applied().await;
    let code = door.center.admit();
    register(&newcomer, code.clone(), true).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(door.profile().join(vault::FILE), copy.path().join(vault::FILE)).unwrap();
    let other = Newcomer::open(copy.path(), &PASSWORD_A.into()).await.unwrap();
    assert_eq!(newcomer.resume().await.unwrap().store, STORE);
    assert_eq!(other.resume().await.unwrap().store, STORE, "the same telegram gets the same answer");
    assert_eq!(door.center.in_force(KeyRole::Signature).1, other.joined().await.unwrap().unwrap().entry);
}

#[tokio::test]
async fn a_newer_build_is_downloaded_in_pieces_taken_up_again_and_checked() {
    let door = Door::open().await;
    let program: Vec<u8> = (0..5_500_u32).flat_map(u32::to_le_bytes).collect();
    door.center.offer_build(&program);
    let newcomer = door.begin().await;
    let kit = newcomer.fetch_kit().await.unwrap();
    assert!(kit.builds[0].newer && kit.builds[0].version.as_str() == "99.0.0");
    let line = newcomer.reconnect().await.unwrap();
    let build = line.kit(0, ANSWER_LIMIT).await.unwrap().builds.iter().next().unwrap().clone();
    let folder = door.profile().join("builds");
    tui_kit::profile::private_dir(&folder).unwrap();
    let part = folder.join(format!("tui-store-99.0.0-{}.part", crate::kit::platform()));
    std::fs::write(&part, &program[..3_000]).unwrap();
    let told = std::cell::RefCell::new(Vec::new());
    let path =
        crate::kit::download(&line, &build, &folder, |have| told.borrow_mut().push(have)).await.unwrap();
    assert_eq!(told.borrow().last(), Some(&build.length), "how far it is was told to the end");
    assert_eq!(std::fs::read(&path).unwrap(), program);
    assert!(!part.exists() && path == crate::kit::download(&line, &build, &folder, |_| ()).await.unwrap());

    std::fs::remove_file(&path).unwrap();
    std::fs::write(&part, b"something else").unwrap();
    let other = crate::kit::download(&line, &build, &folder, |_| ()).await.unwrap_err();
    assert!(other.message.contains("not the one that the admission kit names"), "{other}");
    assert!(!part.exists() && !path.exists());
}
