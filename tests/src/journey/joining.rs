//! The center starts; members and stores join it, in seven steps.

use std::fs;

use color_eyre::eyre::{Result, ensure, eyre};

use super::{Journey, copy_folder, expect, list, number, overview, text};
use crate::{
    network::{Network, member_address, store_address},
    post,
};

mod member;

/// The version of the program that the admission kit offers.
const NEWER: &str = "99.0.0";

/// The center is founded, serves, refuses a second instance, ends in order and comes back.
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

/// Steps 1 to 3: what a visitor sees before anything is sent, as operators edit it.
pub(super) fn visitors(journey: &mut Journey<'_>) {
    journey.step(
        "1 a visitor reads the guide page that an operator wrote, before anything is sent",
        |network| {
            let page = network.root().join("guide.txt");
            fs::write(&page, "# Welcome to the garden\n\n- Bring your own seeds.\n")?;
            network.center(&["guide", "set", "member", &page.display().to_string()])?.done()?;
            let guide = network.member("visitor", &["guide", &network.invitation])?.done()?;
            ensure!(text(&guide, "/text")?.contains("Bring your own seeds"), "{guide}");
            ensure!(!network.member_profile("visitor").join("vault.inkan").exists(), "reading made a vault");
            Ok(format!("version {} of {}", number(&guide, "/version")?, text(&guide, "/center")?))
        },
    );
    journey.step("2, 3 a field that an operator adds stands in the next visitor's form", |network| {
        let shown = network.center(&["form", "show", "member"])?.done()?;
        let field = "\n[[field]]\nkey = \"plant\"\nlabel = \"Favourite plant\"\nhelp = \"Whatever grows.\"\nkind = \"line\"\n\
                     required = false\nmax_chars = 40\n";
        let form = network.root().join("form.toml");
        fs::write(&form, format!("{}{field}", text(&shown, "/text")?))?;
        network.center(&["form", "set", "member", &form.display().to_string()])?.done()?;
        let guide = network.member("visitor", &["guide", &network.invitation])?.done()?;
        let labels: Vec<&str> =
            list(&guide, "/form/fields")?.iter().filter_map(|field| field["label"].as_str()).collect();
        ensure!(labels.contains(&"Favourite plant"), "the form asks for {labels:?}");
        Ok(labels.join(", "))
    });
    journey.step("5 an operator puts a program into the admission kit", |network| {
        let file = network.root().join("a-newer-program");
        fs::write(&file, vec![0x5a; 3 << 20])?;
        let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let file = file.display().to_string();
        let add =
            ["kit", "add", &file, "--program", "tui-member", "--platform", &platform, "--version", NEWER];
        let added = network.center(&add)?.done()?;
        Ok(format!("kit {}, SHA-256 {}", number(&added, "/kit")?, text(&added, "/build/digest")?))
    });
}

/// Steps 4 to 7: a member joins on the screen, another by subcommand, a store prepares offline, another is admitted by
/// rule. The mail goes through a real SMTP server.
pub(super) fn terminals(journey: &mut Journey<'_>) {
    journey.step("4-7 a member joins on the screen, and an operator admits on the console", |network| {
        let number = member::joins(network, "hanako")?;
        let members = network.center(&["members"])?.done()?;
        let listed = list(&members, "/members")?.iter().any(|row| row["member"] == number.as_str());
        ensure!(listed, "the member register does not list {number}: {members}");
        let own = network.member("hanako", &["keys"])?.done()?;
        let register = network.center(&["keys"])?.done()?;
        let fingerprint = text(&own, "/keys/0/fingerprint")?;
        let same = list(&register, "/keys")?.iter().any(|row| row["fingerprint"] == fingerprint);
        ensure!(same, "the center's key register does not show {fingerprint}: {register}");
        Ok(format!("{number}; both sides show the key {fingerprint}"))
    });
    journey.step("the newer program of the kit is downloaded, checked, and not installed", |network| {
        let kit = network.member("hanako", &["kit"])?.done()?;
        ensure!(kit["newer"] == NEWER, "nothing newer is offered: {kit}");
        let build = network.member("hanako", &["kit", "--download"])?.done()?;
        let file = fs::read(text(&build, "/file")?)?;
        ensure!(file == vec![0x5a; 3 << 20], "{} bytes came, and other ones", file.len());
        Ok(format!("{NEWER} lies in {}", text(&build, "/file")?))
    });
    journey.step("4 an application waits on the desk; SMTP is down at its admission", |network| {
        let applied = network.apply_member("taro")?;
        let application = text(&applied, "/application")?;
        ensure!(applied["state"] == "waiting", "it does not wait: {applied}");
        network.mail_server()?.close()?;
        network.center(&["admit", application])?.done()?;
        let mut words = String::new();
        network.wait_for("the failure in words", |network| {
            let post = network.center(&["post"])?.done()?;
            let tried = list(&post, "/post")?.iter().find(|item| item["state"] != "accepted");
            words = tried.and_then(|item| item["last_words"].as_str()).unwrap_or_default().to_owned();
            Ok(!words.is_empty())
        })?;
        ensure!(post::admission(&network.mail_folder(), &member_address("taro"))?.is_none(), "a mail came");
        let standing = network.member("taro", &["join"])?.done()?;
        ensure!(standing["state"] == "admitted", "the applicant is told {standing}");
        Ok(words)
    });
    journey.step("SMTP comes back, and the same mail goes out", |network| {
        network.mail_server()?.open()?;
        let post = network.center(&["post"])?.done()?;
        let waiting = list(&post, "/post")?.iter().find(|item| item["state"] != "accepted");
        let name =
            waiting.and_then(|item| item["name"].as_str()).ok_or_else(|| eyre!("nothing waits: {post}"))?;
        network.center(&["post", "retry", name])?.done()?;
        let admitted = network.admission_mail(&member_address("taro"))?;
        Ok(format!("{name}, for {}", admitted.number))
    });
    journey.step(
        "7 a wrong code is refused and counted, the right one registers, and works once",
        |network| {
            let admitted = network.admission_mail(&member_address("taro"))?;
            let taro = |network: &Network, arguments: &[&str]| network.member("taro", arguments);
            let wrong = post::Admitted { code: "0000-0000-0000-0000".into(), ..admitted.clone() };
            let words =
                network.try_to_register(&wrong, &[], |arguments| taro(network, arguments))?.refused()?;
            let other = post::Admitted { number: "M-000001-3".into(), ..admitted.clone() };
            let foreign =
                network.try_to_register(&other, &[], |arguments| taro(network, arguments))?.refused()?;
            let joined = network.register(&admitted, |arguments| taro(network, arguments))?;
            let again =
                network.try_to_register(&admitted, &[], |arguments| taro(network, arguments))?.refused()?;
            Ok(format!("“{words}”; another's number: “{foreign}”; {}; “{again}”", text(&joined, "/member")?))
        },
    );
    let goods = journey.goods.to_owned();
    let catalogue = goods.join("sakura-press");
    journey.step("7 the store Sakura Press signs offline, and sends from the outbox later", |network| {
        let applied = network.apply_store("sakura", "Sakura Press")?;
        let application = text(&applied, "/application")?;
        network.center(&["ask-back", application, "--reason", "Which house is it?"])?.done()?;
        let asked = network.store("sakura", &["join"])?.done()?;
        ensure!(asked["state"] == "asked-back" && text(&asked, "/words")?.contains("Which house"), "{asked}");
        let fields = crate::network::store_fields("sakura", "Sakura Press");
        let mut amend = vec!["join"];
        amend.extend(fields.iter().flat_map(|field| ["--field", field]));
        let amended = network.store("sakura", &amend)?.done()?;
        ensure!(amended["state"] == "waiting", "{amended}");
        network.center(&["admit", text(&amended, "/application")?])?.done()?;
        let admitted = network.admission_mail(&store_address("sakura"))?;
        // Nobody is there to be asked: what is signed now is signed without a line.
        network.stop_center()?;
        let sakura = |network: &Network, arguments: &[&str]| network.store("sakura", arguments);
        network.try_to_register(&admitted, &["--prepare"], |arguments| sakura(network, arguments))?.done()?;
        let unsent = network.store("sakura", &["outbox"])?.done()?;
        let waits = list(&unsent, "/telegrams")?.len();
        ensure!(waits == 1, "{waits} telegrams wait: {unsent}");
        let offline = network.store("sakura", &["outbox", "send"])?;
        expect(offline.code != 0, || "it was sent to nobody".into())?;
        network.start_center()?;
        let joined = network.store("sakura", &["outbox", "send"])?.done()?;
        ensure!(text(&joined, "/store")? == admitted.number, "{joined}");
        open(network, "sakura", &catalogue, "Sakura Press")
    });
    let catalogue = goods.join("ume-tools");
    journey.step(
        "6 a policy admits by rule, and the store 梅ツール Ume Tools joins and opens",
        |network| {
            network.set_policy(&[("admit", "\"rule\"")])?;
            network.join_store("ume", "梅ツール Ume Tools")?;
            open(network, "ume", &catalogue, "梅ツール Ume Tools")
        },
    );
}

/// A store copies its goods and opens.
fn open(network: &mut Network, name: &str, goods: &std::path::Path, trade_name: &str) -> Result<String> {
    let catalogue = network.root().join("catalogues").join(name);
    copy_folder(goods, &catalogue)?;
    network.serve_store(name, &catalogue)?;
    let stores = network.center(&["stores"])?.done()?;
    let here =
        list(&stores, "/stores")?.iter().any(|store| store["name"] == trade_name && store["here"] == true);
    ensure!(here, "the store register does not show it at its line: {stores}");
    let keys = network.center(&["keys"])?.done()?;
    Ok(format!("{} keys in the key register", list(&keys, "/keys")?.len()))
}
