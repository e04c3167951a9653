//! A member joins as a person does: on the screens, with a drawn autograph and a phrase written on paper, while an
//! operator decides on the console.

use std::collections::BTreeMap;

use color_eyre::eyre::{Result, ensure, eyre};

use crate::{
    journey::{console, on_screen},
    network::{Network, member_address, secrets},
    programs::secret_file,
    screen::Screen,
};

/// Goes through the seven steps and gives the member's number. The phrase is kept where the network keeps phrases.
pub(super) fn joins(network: &Network, name: &str) -> Result<String> {
    let mut screen = on_screen(network, "tui-member", &network.member_profile(name), &[], (100, 36))?;
    screen.wait("no vault yet")?;
    screen.keys("<enter>")?;
    screen.wait("Join a center")?;
    screen.type_text(&network.invitation)?;
    screen.keys("<enter>")?;
    screen.wait("Bring your own seeds")?;
    screen.keys("<enter>")?;
    screen.wait("Compare this fingerprint")?;
    screen.keys("<enter>")?;
    fill_in(&screen, name)?;
    screen.wait("Choose passwords")?;
    for secret in [secrets::A, secrets::A, secrets::B, secrets::B] {
        screen.type_text(secret)?;
        screen.keys("<enter>")?;
    }
    screen.keys("<enter><enter>")?;
    sign_a_name(&screen)?;
    let phrase = write_down(&screen)?;
    secret_file(&network.root().join("secrets"), &format!("phrase-{name}"), &phrase)?;
    screen.wait("Review")?;
    screen.keys("<enter>")?;
    let shown = screen.wait("Application")?;
    let application = word(&shown, "A-").ok_or_else(|| eyre!("no application number:\n{shown}"))?;
    admit(network, &application)?;
    let mail = network.admission_mail(&member_address(name))?;

    screen.keys("r")?;
    screen.wait_until("the admission", |shown| shown.contains("admitted") || shown.contains("on its way"))?;
    screen.keys("<enter>")?;
    screen.wait("Terms of use")?;
    screen.keys("<enter>")?;
    screen.wait("Activation code")?;
    screen.type_text(&mail.number)?;
    screen.keys("<enter>")?;
    screen.type_text(&mail.code)?;
    screen.keys("<enter><enter><enter>")?;
    screen.wait("Review the registration")?;
    let shown = screen.wait("your drawn seal")?;
    ensure!(shown.chars().any(is_braille), "no drawn seal at the signing:\n{shown}");
    screen.type_text(secrets::B)?;
    screen.keys("<enter>")?;
    screen.wait(&format!("You are member {}", mail.number))?;
    screen.keys("<enter>")?;
    screen.wait("Home")?;
    screen.keys("q")?;
    let code = screen.ended()?;
    ensure!(code == 0, "the program ended with {code}");
    Ok(mail.number)
}

fn fill_in(screen: &Screen, name: &str) -> Result<()> {
    screen.wait("Favourite plant")?;
    let email = member_address(name);
    for field in [
        "Sakurai Hanako 桜井花子",
        "さくらい はなこ",
        "1-2-3 Sakura, Setagaya, Tokyo 154-0001",
        "1971-09-23",
        &email,
        "+81 3 5550 1234",
        "moss",
    ] {
        screen.type_text(field)?;
        // In a field of several lines Enter is a line end; Tab leaves every field.
        screen.keys("<tab>")?;
    }
    screen.keys("<enter>")
}

/// Draws the autograph with the mouse.
fn sign_a_name(screen: &Screen) -> Result<()> {
    screen.wait("An autograph may be mixed")?;
    screen.keys("<enter>")?;
    screen.wait_for("the mouse to be asked for", |screen| {
        screen.look(|seen| seen.mouse_protocol_mode() != vt100::MouseProtocolMode::None)
    })?;
    screen.wait("draw with the mouse")?;
    // SGR reports: the button pressed, dragged along a curve, released.
    for (stroke, row) in [(20_u16, 12_u16), (40, 16)] {
        screen.type_text(&format!("\x1b[<0;{stroke};{row}M"))?;
        for step in 1..15 {
            let (x, y) = (stroke + step, row + (step * step) % 5);
            screen.type_text(&format!("\x1b[<32;{x};{y}M"))?;
        }
        screen.type_text(&format!("\x1b[<0;{};{row}m", stroke + 15))?;
    }
    screen.wait_until("the drawing", |shown| shown.chars().filter(|c| is_braille(*c)).count() > 8)?;
    screen.keys("<enter>")
}

/// Writes the phrase down, and gives it back where it is asked for.
fn write_down(screen: &Screen) -> Result<String> {
    screen.wait("A recovery phrase of 24 words")?;
    screen.keys("<enter>")?;
    let shown = screen.wait("24. ")?;
    let words = numbered(&shown);
    ensure!(words.len() == 24, "{} words are shown", words.len());
    screen.keys("<enter>")?;
    let shown = screen.wait("Type these words")?;
    for number in asked(&shown) {
        let word = words.get(&number).ok_or_else(|| eyre!("word {number} is asked for"))?;
        screen.type_text(word)?;
        screen.keys("<enter>")?;
    }
    Ok(words.into_values().collect::<Vec<_>>().join(" "))
}

/// An operator looks at the application on the admission desk, and admits.
fn admit(network: &Network, application: &str) -> Result<()> {
    let mut desk = console::sign_in(network, "ada", secrets::OPERATOR)?;
    desk.keys("9")?;
    desk.wait(application)?;
    desk.keys("<enter>")?;
    desk.wait("signature key")?;
    desk.keys("a")?;
    desk.wait("Goes out")?;
    desk.keys("<tab><enter>")?;
    desk.wait("number and code go")?;
    desk.keys("<enter>")?;
    desk.wait("admitted")?;
    console::leave(&mut desk)
}

/// The words behind their numbers: `12. word`.
fn numbered(shown: &str) -> BTreeMap<usize, String> {
    let words: Vec<&str> = shown.split_whitespace().collect();
    let pairs = words.windows(2).filter_map(|pair| {
        let number = pair[0].strip_suffix('.')?.parse().ok()?;
        Some((number, pair[1].to_owned()))
    });
    pairs.collect()
}

/// The numbers of the words that are asked for.
fn asked(shown: &str) -> Vec<usize> {
    shown.split_whitespace().filter_map(|word| word.strip_suffix('.')?.parse().ok()).collect()
}

fn word(shown: &str, start: &str) -> Option<String> {
    shown.split_whitespace().find(|word| word.starts_with(start)).map(str::to_owned)
}

fn is_braille(c: char) -> bool {
    ('\u{2801}'..='\u{28ff}').contains(&c)
}
