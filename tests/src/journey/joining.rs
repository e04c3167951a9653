//! The center starts; members and stores join it.

use color_eyre::eyre::{Result, ensure};

use super::{Journey, copy_folder, list, on_screen, overview, text};
use crate::network::{Network, secrets};

/// Item 1: the center is founded, serves, refuses a second instance, ends in order and comes back.
pub(super) fn center(journey: &mut Journey<'_>) {
    journey.step("a center is founded and serves", |network| {
        ensure!(network.invitation.starts_with("inkan:"), "no invitation: {}", network.invitation);
        network.start_center()?;
        let overview = overview(network)?;
        let listening = list(&overview, "/listening")?.len();
        ensure!(listening == 2, "it listens on {listening} addresses, not on two");
        Ok(format!(
            "{} listens on {listening} addresses; root key {}",
            text(&overview, "/name")?,
            text(&overview, "/fingerprint")?
        ))
    });
    journey.step("a second center on the same books is refused with the first one's pid", |network| {
        let mut second = network.programs().command("tui-center");
        second.arg("--profile").arg(network.center_profile()).args(["--json", "serve", "--headless"]);
        second.arg("--service-passphrase-file").arg(network.secret("service"));
        let words = crate::programs::call(second)?.refused()?;
        let pid = network.center_pid().unwrap_or_default().to_string();
        ensure!(words.contains(&pid), "it does not name the pid {pid}: {words}");
        Ok(words)
    });
    journey.step("SIGTERM ends the center in order, and it comes back with the same books", |network| {
        let before = overview(network)?["root"].clone();
        let code = network.stop_center()?;
        ensure!(code == 0, "it ended with {code}");
        network.start_center()?;
        let after = overview(network)?["root"].clone();
        ensure!(before == after, "the journal's root was {before} and is {after}");
        Ok(format!("root {after}"))
    });
}

/// Item 2: a member joins on the screen, another and two stores by subcommand.
pub(super) fn terminals(journey: &mut Journey<'_>) {
    journey.step("a member joins on the screen", |network| {
        let number = join_on_screen(network, "hanako")?;
        let members = network.center(&["members", "hanako"])?.done()?;
        ensure!(
            !list(&members, "/members")?.is_empty(),
            "the member register does not list hanako: {members}"
        );
        Ok(format!("{number}, in the member register and the key register"))
    });
    journey.step("a member joins by subcommand", |network| {
        let joined = network.join_member("taro")?;
        Ok(joined.to_string())
    });
    let goods = journey.goods.to_owned();
    for (name, folder, trade_name) in
        [("sakura", "sakura-press", "Sakura Press"), ("ume", "ume-tools", "梅ツール Ume Tools")]
    {
        let goods = goods.join(folder);
        journey.step(&format!("the store {trade_name} joins and opens"), |network| {
            let catalogue = network.root().join("catalogues").join(name);
            copy_folder(&goods, &catalogue)?;
            network.join_store(name, trade_name)?;
            network.serve_store(name, &catalogue)?;
            let stores = network.center(&["stores"])?.done()?;
            let here = list(&stores, "/stores")?
                .iter()
                .any(|store| store["name"] == trade_name && store["here"] == true);
            ensure!(here, "the store register does not show it at its line: {stores}");
            let keys = network.center(&["keys"])?.done()?;
            Ok(format!("{} keys in the key register", list(&keys, "/keys")?.len()))
        });
    }
}

/// Goes through the join screens as a person does.
fn join_on_screen(network: &Network, name: &str) -> Result<String> {
    let mut screen = on_screen(network, "tui-member", &network.member_profile(name), &[], (100, 32))?;
    screen.wait("Join a center")?;
    screen.type_text(&network.invitation)?;
    screen.keys("<enter>")?;
    screen.wait("Garden Club")?;
    screen.keys("<enter>")?;
    screen.wait("Choose passwords")?;
    for secret in [secrets::A, secrets::A, secrets::B, secrets::B] {
        screen.type_text(secret)?;
        screen.keys("<enter>")?;
    }
    screen.keys("<enter>")?;
    screen.wait("Your particulars")?;
    let fields = [
        "hanako Sakurai 桜井花子",
        "1-2-3 Sakura, Setagaya, Tokyo",
        "1990-04-01",
        "hanako@garden.example",
        "+81 3 1234 5678",
    ];
    for field in fields {
        screen.type_text(field)?;
        screen.keys("<enter>")?;
    }
    screen.keys("<enter>")?;
    screen.wait("Terms")?;
    screen.keys("<enter>")?;
    screen.wait("Review")?;
    screen.keys("<enter>")?;
    let shown = screen.wait("You are member M-")?;
    let number = shown.split_whitespace().find(|word| word.starts_with("M-")).unwrap_or_default().to_owned();
    screen.keys("<enter>")?;
    screen.wait("Home")?;
    screen.keys("q")?;
    let code = screen.ended()?;
    ensure!(code == 0, "the program ended with {code}");
    Ok(number.trim_end_matches(['.', ',']).to_owned())
}
