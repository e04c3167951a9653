//! The center is killed outright between any two steps of joining, and in the middle of them.

use std::{
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use color_eyre::eyre::{Result, bail, ensure};
use inkan_tests::{
    network::{Network, member_address, store_address},
    programs::Reply,
};

use crate::{list, text};

/// How many newcomers join while the center dies at moments of its own.
const ROUNDS: u32 = 5;

#[test]
fn a_center_that_dies_between_any_two_steps_loses_none_of_them() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = Network::found(folder.path())?;
    network.set_policy(&[("admit", "\"desk\"")])?;
    network.start_center()?;
    let restart = |network: &mut Network| {
        network.kill_center()?;
        network.start_center()
    };
    type Program = fn(&Network, &[&str]) -> Result<Reply>;
    let member: Program = |network, arguments| network.member("mina", arguments);
    let store: Program = |network, arguments| network.store("shop", arguments);
    for (program, address, role) in
        [(member, member_address("mina"), "member"), (store, store_address("shop"), "store")]
    {
        let guide = program(&network, &["guide", &network.invitation])?.done()?;
        restart(&mut network)?;
        let applied = if role == "member" {
            network.apply_member("mina")?
        } else {
            network.apply_store("shop", "Shop")?
        };
        let application = text(&applied, "/application")?.to_owned();
        restart(&mut network)?;
        let asked = program(&network, &["join"])?.done()?;
        ensure!(text(&asked, "/application")? == application && asked["state"] == "waiting", "{asked}");
        restart(&mut network)?;
        let reason = ["ask-back", &application, "--reason", "Please write your street again."];
        network.center(&reason)?.done()?;
        restart(&mut network)?;
        let asked = program(&network, &["join"])?.done()?;
        ensure!(asked["state"] == "asked-back" && text(&asked, "/words")?.contains("your street"), "{asked}");
        let fields = if role == "member" {
            inkan_tests::network::member_fields("mina")
        } else {
            inkan_tests::network::store_fields("shop", "Shop")
        };
        let amend = fields.iter().flat_map(|field| ["--field", field]);
        let amended = program(&network, &[&["join"], &amend.collect::<Vec<_>>()[..]].concat())?.done()?;
        let application = text(&amended, "/application")?.to_owned();
        restart(&mut network)?;
        network.center(&["admit", &application])?.done()?;
        // The intent of the mail is entered: whatever was on its way goes out after the restart.
        restart(&mut network)?;
        let admitted = network.admission_mail(&address)?;
        restart(&mut network)?;
        network
            .try_to_register(&admitted, &["--prepare"], |arguments| program(&network, arguments))?
            .done()?;
        restart(&mut network)?;
        let joined = program(&network, &["outbox", "send"])?.done()?;
        restart(&mut network)?;
        program(&network, &["sync"])?.done()?;
        let words = program(&network, &["join"])?.refused()?;
        ensure!(words.contains(&admitted.number), "{joined}, then “{words}”; guide {guide}");
    }
    ensure!(network.stop_center()? == 0, "the center ends in order");
    network.center(&["books", "verify"])?.done()?;
    Ok(())
}

#[test]
fn a_center_that_dies_in_the_middle_of_steps_enters_each_newcomer_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = Network::found(folder.path())?;
    network.start_center()?;
    for round in 0..ROUNDS {
        let name = format!("newcomer-{round}");
        let fields = inkan_tests::network::member_fields(&name);
        let mut apply = network.terminal("tui-member", &network.member_profile(&name));
        apply.args(["join", &network.invitation, "--no-phrase"]);
        apply.args(fields.iter().flat_map(|field| ["--field", field]));
        dies_meanwhile(&mut network, apply)?;
        // Whatever became of it: the same vault goes on, and the center has one application of it.
        network.wait_for("the application to be decided", |network| {
            let reply = if network.member_profile(&name).join("vault.inkan").exists() {
                network.member(&name, &["join"])?
            } else {
                let fields = fields.iter().flat_map(|field| ["--field", field]);
                let join = [&["join", &network.invitation, "--no-phrase"][..], &fields.collect::<Vec<_>>()];
                network.member(&name, &join.concat())?
            };
            // Also where it died between the application and the rule: no operator is there.
            Ok(reply.done()?["state"] == "admitted")
        })?;
        let admitted = network.admission_mail(&member_address(&name))?;
        let code = network.secret(&format!("code-{name}"));
        inkan_tests::programs::secret_file(
            code.parent().unwrap_or(&code),
            &format!("code-{name}"),
            &admitted.code,
        )?;
        let mut register = network.terminal("tui-member", &network.member_profile(&name));
        register.args(["join", "--number", &admitted.number, "--code-file"]).arg(&code);
        dies_meanwhile(&mut network, register)?;
        let code = code.display().to_string();
        network.wait_for("the registration to be answered", |network| {
            if network.member(&name, &["sync"])?.code == 0 {
                return Ok(true);
            }
            // Signed already, it is sent again; not signed yet, it is signed now.
            if network.member(&name, &["join"])?.code != 0 {
                return Ok(false);
            }
            network.member(&name, &["join", "--number", &admitted.number, "--code-file", &code])?;
            Ok(false)
        })?;
    }
    let applications = network.center(&["applications"])?.done()?;
    let members = network.center(&["members"])?.done()?;
    let (applied, joined) = (list(&applications, "/applications")?.len(), list(&members, "/members")?.len());
    ensure!(
        (applied, joined) == (ROUNDS as usize, ROUNDS as usize),
        "{applied} applied, {joined} joined: {applications} {members}"
    );
    ensure!(network.stop_center()? == 0, "the center ends in order");
    network.center(&["books", "verify"])?.done()?;
    Ok(())
}

/// Runs a program, and kills the center at some moment of it; then the center is back.
fn dies_meanwhile(network: &mut Network, mut command: Command) -> Result<()> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let mut moment = [0; 1];
    getrandom::fill(&mut moment).map_err(|error| color_eyre::eyre::eyre!("no randomness: {error}"))?;
    thread::sleep(Duration::from_millis(u64::from(moment[0])));
    network.kill_center()?;
    let ended = child.wait()?.code();
    if !matches!(ended, Some(0 | 1 | 4)) {
        bail!("it ended with {ended:?}");
    }
    network.start_center()
}
