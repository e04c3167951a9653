//! A whole store beside a center of a few lines.

use std::fs;

use tui_kit::control::ControlError;
use wire::{
    amount::Amount,
    id::{Digest, OrderHash},
};

use super::*;
use crate::testing::{Shop, reopen};

const LIMIT: Duration = Duration::from_secs(20);

async fn seen(handle: &Handle, what: impl FnMut(&Arc<Snapshot>) -> bool) -> Arc<Snapshot> {
    let mut snapshots = handle.snapshots();
    let found = tokio::time::timeout(LIMIT, snapshots.wait_for(what)).await;
    found.expect("the state is reached").expect("the store lives").clone()
}

#[tokio::test]
async fn a_store_serves_is_reached_by_subcommands_and_ends_in_order() {
    let shop = Shop::joined().await;
    let catalogue = shop.folder.path().join("catalogue");
    fs::create_dir(&catalogue).unwrap();
    fs::write(catalogue.join("a.txt"), "a").unwrap();
    let list = "[[item]]\nid = \"a\"\ntitle = \"A\"\nprice = 5\nfile = \"a.txt\"\n";
    fs::write(catalogue.join("catalogue.toml"), list).unwrap();
    shop.center.pay(OrderHash([8; 32]), Digest([8; 32]), Amount::new(70).unwrap());

    let profile = Profile::locate("tui-store", shop.folder.path().to_str()).unwrap();
    let handle = Handle::of(profile.clone(), shop.keep.clone()).await.unwrap();
    assert_eq!(handle.snapshot().name.as_str(), "Books & Maps");
    let options = ServeOptions { listen: Some(vec!["127.0.0.1:0".into()]), catalogue: None };
    let serving = handle.serve(options).await.unwrap();
    let state = seen(&handle, |state| state.refunds.len() == 1).await;
    assert_eq!(state.catalogue.items.len(), 1);
    assert_eq!(state.today.minor, 70, "{state:?}");
    assert_eq!(shop.center.announced(), serving.announced);
    assert_eq!(serving.announced, [serving.listening[0].to_string()]);
    assert!(matches!(state.line, LineView::Connected { .. }));

    let mut client = control::connect(&profile.control_socket()).await.unwrap();
    let answer: Result<Outcome, Failure> =
        serde_json::from_value(client.call(Act::Orders { state: None }).await.unwrap()).unwrap();
    assert!(matches!(answer, Ok(Outcome::Orders(orders)) if orders.is_empty()));
    let nonsense = client.call(serde_json::json!({ "act": "dance" })).await.unwrap_err();
    assert!(matches!(nonsense, ControlError::Refused(refusal) if refusal.code == "unknown-act"));

    serving.stop().await;
    assert!(shop.center.announced().is_empty(), "the directory was told");
    assert!(matches!(control::connect(&profile.control_socket()).await, Err(ControlError::NotRunning)));
    let Shop { folder, keep, .. } = shop;
    drop((client, handle));
    // What the closed line and the closed socket leave behind ends by itself.
    let alone = async {
        while Arc::strong_count(&keep) > 1 {
            tokio::task::yield_now().await
        }
    };
    tokio::time::timeout(LIMIT, alone).await.expect("nothing holds the vault");
    drop(keep);
    let found = reopen(folder.path());
    assert_eq!(found.book().payments.len(), 1);
}

#[tokio::test]
async fn a_line_that_breaks_is_made_again_and_told_meanwhile() {
    let shop = Shop::joined().await;
    let profile = Profile::locate("tui-store", shop.folder.path().to_str()).unwrap();
    let handle = Handle::of(profile, shop.keep.clone()).await.unwrap();
    let options = ServeOptions { listen: Some(vec!["127.0.0.1:0".into()]), catalogue: None };
    let serving = handle.serve(options).await.unwrap();
    let state = seen(&handle, |state| matches!(state.line, LineView::Connected { .. })).await;
    assert!(
        state.catalogue.faults[0].contains("cannot be read"),
        "a missing catalogue is no reason not to open"
    );
    shop.center.hang_up();
    let state = seen(&handle, |state| matches!(state.line, LineView::Down { .. })).await;
    assert!(state.line.words().contains("it is tried again"), "{}", state.line.words());
    seen(&handle, |state| matches!(state.line, LineView::Connected { .. })).await;
    serving.stop().await;
}
