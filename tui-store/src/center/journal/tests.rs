use std::path::PathBuf;

use super::*;
use crate::{act::FailureKind, receipt, testing::Shop};

fn evidence(shop: &Shop) -> Vec<PathBuf> {
    let files = fs::read_dir(shop.folder.path().join(FOLDER));
    files.map(|files| files.map(|file| file.unwrap().path()).collect()).unwrap_or_default()
}

/// An hour that a running clock has not reached, so that the stand-in's hours are the newest.
const HOUR: u64 = 900_000;

#[tokio::test]
async fn a_newer_checkpoint_is_kept_only_once_it_is_joined() {
    let shop = Shop::joined().await;
    let center = Center::new(shop.keep.clone());
    center.line().await.unwrap();
    let kept =
        || async { shop.keep.vault(|vault| vault.center().unwrap().checkpoint.clone()).await.unwrap() };
    let before = kept().await.unwrap();

    shop.center.fork();
    center.renew().await;
    let failure = center.line().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Contradiction);
    assert!(failure.message.contains("does not prove"), "{failure}");
    assert_eq!(kept().await.unwrap(), before, "the kept one stays");

    let files = evidence(&shop);
    let content = fs::read_to_string(&files[0]).unwrap();
    let found: Evidence = serde_json::from_str(&content).unwrap();
    assert_eq!(found.first.note(), before);
    let checked = receipt::verify(&content, &shop.center.root().verification_key()).unwrap();
    let passed: Vec<bool> = checked.checks.iter().map(|check| check.pass).collect();
    assert_eq!(passed, [true, true, true, false], "signed, and not joined: no proof by itself");
    assert!(checked.checks[3].words.contains("another root"), "{:?}", checked.checks[3]);

    let (_, notice) = shop.keep.book().custody.contradiction().map(|(at, it)| (at, it.clone())).unwrap();
    assert!(notice.words.contains(&files[0].display().to_string()), "{notice:?}");
    center.line().await.unwrap_err();
    assert_eq!((evidence(&shop).len(), shop.keep.book().notices.len()), (1, 1), "once");
}

#[tokio::test]
async fn two_journals_of_one_hour_are_proof_and_stop_the_store_until_they_are_acknowledged() {
    let shop = Shop::joined().await;
    let own = shop.center.publish(HOUR, false);
    let center = Center::new(shop.keep.clone());
    center.line().await.unwrap();

    let shown = shop.center.publish(HOUR, true);
    let hours = center.exchange(&List::first([shown.clone()])).await.unwrap();
    assert_eq!(hours.to_vec(), std::slice::from_ref(&own), "the visitor gets what this store has");
    let content = fs::read_to_string(&evidence(&shop)[0]).unwrap();
    let checked = receipt::verify(&content, &shop.center.root().verification_key()).unwrap();
    assert!(checked.valid, "{checked:?}");

    center.renew().await;
    let failure = center.line().await.unwrap_err();
    assert!(failure.message.contains("two different journals"), "{failure}");
    let (digest, _) = shop.keep.book().custody.contradiction().map(|(at, it)| (at, it.clone())).unwrap();
    shop.keep.record(vec![Record::ContradictionRead(digest)]).await.unwrap();
    center.line().await.unwrap();
    center.exchange(&List::first([shown])).await.unwrap();
    assert!(shop.keep.book().custody.contradiction().is_none(), "the same is not said twice");

    let (_folder, keep) = shop.after_a_crash();
    let again = Center::new(keep);
    assert_eq!(again.trail().hours().to_vec(), [own], "hours are remembered");
}

#[tokio::test]
async fn what_a_visitor_shows_is_joined_by_the_center_and_noise_is_not() {
    let shop = Shop::joined().await;
    let center = Center::new(shop.keep.clone());
    let line = center.line().await.unwrap();
    let honest = shop.center.publish(HOUR, false);
    let stranger = wire::key::SigningKey::from_seed(&[99; 32]);
    let noise = SignedCheckpoint::sign_hour(honest.claimed(), wire::checkpoint::Hour(HOUR + 2), &stranger);
    center.exchange(&List::first([noise])).await.unwrap();
    assert!(center.trail().hours().is_empty());

    center.exchange(&List::first([honest])).await.unwrap();
    center.join_with(&line, None).await.unwrap();
    assert!(evidence(&shop).is_empty());
    shop.center.fork();
    let forked = shop.center.publish(HOUR + 1, false);
    center.exchange(&List::first([forked.clone()])).await.unwrap();
    assert!(evidence(&shop).is_empty(), "it may go on from what is known");
    let failure = center.join_with(&line, None).await.unwrap_err();
    assert!(failure.message.contains("does not prove"), "{failure}");
    let found: Evidence = serde_json::from_slice(&fs::read(&evidence(&shop)[0]).unwrap()).unwrap();
    assert_eq!(found.second, forked);
}
