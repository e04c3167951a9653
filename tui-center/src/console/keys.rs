//! What can be done on the console's screens, from one table.

use tui_kit::keys::{Action, Actions};

use super::tabs::Tab;

/// A thing that a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Do {
    /// Open what is selected.
    Open,
    /// One step back.
    Back,
    /// Type a search.
    Search,
    /// Read anew.
    Reload,
    /// Show a screen.
    Go(Tab),
    /// The next screen.
    Next,
    /// The screen before.
    Previous,
    /// An act with what is selected or shown.
    Act(Deed),
    /// The report of the day before.
    DayBefore,
    /// The report of the day after.
    DayAfter,
    /// Today's report.
    Today,
    /// Copy what is selected.
    Copy,
    /// Copy it whole, as JSON.
    CopyJson,
    /// The notices of this session.
    Notices,
    /// Sign out.
    Lock,
    /// Leave the screen, or end the program.
    Leave,
}

/// What can be done with what is selected or shown. Most of it goes to the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Freeze.
    Freeze,
    /// Release what is frozen.
    Release,
    /// Assign a receipt to a card request.
    Assign,
    /// Send a receipt back.
    GiveBack,
    /// Accept the clock.
    AcceptClock,
    /// Verify the books.
    Verify,
    /// End the verification that runs.
    StopVerifying,
    /// Show personal data.
    Reveal,
    /// Admit an applicant.
    Admit,
    /// Ask an application back.
    AskBack,
    /// Refuse an applicant.
    Refuse,
    /// Send a new code.
    Recode,
    /// Let another key register.
    Override,
    /// Hand out a letter.
    Letter,
    /// Open the application behind this one.
    Further,
    /// Open the application before this one.
    Former,
    /// Edit a document.
    Edit,
    /// The versions of a document.
    Versions,
    /// Try something that goes out again.
    Retry,
    /// Give up something that goes out.
    GiveUp,
    /// Put a program into the kit.
    AddBuild,
    /// Take a program out of the kit.
    RemoveBuild,
    /// Write all of a person's data into a file.
    Export,
    /// Erase a person's data.
    Erase,
    /// Revoke a key.
    RevokeKey,
    /// Give a payment back.
    Refund,
    /// Confirm what another proposed.
    Confirm,
    /// Drop a proposal.
    Withdraw,
    /// Add an operator.
    AddOperator,
    /// Give an operator another role.
    ChangeRole,
    /// Take an operator off.
    RemoveOperator,
    /// Give an operator another passphrase.
    SetPassphrase,
    /// Look at the limits.
    Limits,
    /// Set the limits.
    SetLimits,
    /// Give the center new keys.
    Rotate,
}

impl Deed {
    /// The act as the table lists it.
    fn action(self) -> Action<Do> {
        let (id, keys, label, help) = match self {
            Self::Freeze => {
                ("freeze", "f", "Freeze", "Freezes what is shown: nothing of it is taken any more.")
            }
            Self::Release => ("release", "f", "Release", "Releases what is shown and frozen."),
            Self::Assign => {
                ("assign", "a", "Assign", "Issues the card that was asked for with this receipt.")
            }
            Self::GiveBack => ("give-back", "b", "Send back", "Sends this receipt back to the payer."),
            Self::AcceptClock => {
                ("accept-clock", "c", "Accept clock", "Says that the clock, which jumped, is right.")
            }
            Self::Verify => {
                ("verify", "v", "Verify", "Looks at everything that must hold in the books, every signature.")
            }
            Self::StopVerifying => {
                ("stop-verifying", "v", "End verifying", "Ends the verification that runs.")
            }
            Self::Reveal => {
                ("reveal", "v", "Show data", "Shows the personal data, for a reason that is entered first.")
            }
            Self::Admit => ("admit", "a", "Admit", "Admits the applicant: number and code go out."),
            Self::AskBack => {
                ("ask-back", "b", "Ask back", "Gives the application back to be mended, with words.")
            }
            Self::Refuse => ("refuse", "x", "Refuse", "Refuses the applicant for ever, with words."),
            Self::Recode => ("recode", "e", "New code", "Sends a new code; the former one counts no more."),
            Self::Override => {
                ("override", "o", "Other key", "Lets another key register than the one that applied.")
            }
            Self::Letter => {
                ("letter", "w", "Letter", "Hands the letter out into a file, to be printed elsewhere.")
            }
            Self::Further => ("further", "n", "Next", "Opens the next application in the list."),
            Self::Former => ("former", "p", "Before", "Opens the application before in the list."),
            Self::Edit => ("edit", "e", "Edit", "Edits the document in its place."),
            Self::Versions => ("versions", "v", "Versions", "Lists the entries that gave it a version."),
            Self::Retry => ("retry", "e", "Try again", "Tries it again now."),
            Self::GiveUp => ("give-up", "x", "Give up", "Gives it up: it is never sent."),
            Self::AddBuild => ("add-build", "a", "Offer", "Puts a program into the admission kit."),
            Self::RemoveBuild => ("remove-build", "x", "Offer no more", "Takes it out of the admission kit."),
            Self::Export => ("export", "w", "Hand out", "Writes all that is kept of the person into a file."),
            Self::Erase => {
                ("erase", "E", "Erase", "Erases the person's data for ever; the books stay whole.")
            }
            Self::RevokeKey => {
                ("revoke-key", "x", "Revoke", "Revokes the key: what it signs is refused from now on.")
            }
            Self::Refund => ("refund", "b", "Give back", "Gives the payment back to the card it came from."),
            Self::Confirm => ("confirm", "a", "Confirm", "Does what another operator proposed."),
            Self::Withdraw => ("withdraw", "x", "Drop", "Drops the proposal."),
            Self::AddOperator => ("add-operator", "a", "Add", "Adds an operator."),
            Self::ChangeRole => ("change-role", "e", "Role", "Gives the operator another role."),
            Self::RemoveOperator => ("remove-operator", "x", "Take off", "Takes the operator off."),
            Self::SetPassphrase => {
                ("set-passphrase", "w", "Passphrase", "Gives the operator another passphrase; you your own.")
            }
            Self::Limits => ("limits", "l", "Limits", "Shows up to how much one operator acts alone."),
            Self::SetLimits => ("set-limits", "e", "Set", "Sets up to how much one operator acts alone."),
            Self::Rotate => ("rotate", "a", "New keys", "Gives the center new keys, with the root key."),
        };
        let action = Action::new(Do::Act(self), id, keys, label, help);
        // It is wanted now and then; its line on the overview names the key.
        if self == Self::Verify { action.quiet() } else { action }
    }
}

/// An act that what is selected or shown allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    /// Which.
    pub(super) deed: Deed,
    /// Why it can't be done now.
    pub(super) refused: Option<String>,
}

/// What can be done at this moment; an act that can't says why.
#[derive(Debug, Clone, Default)]
pub(super) struct Possible {
    /// Something is selected that opens.
    pub(super) open: bool,
    /// Something is open over the screen.
    pub(super) back: bool,
    /// The screen is a register.
    pub(super) register: bool,
    /// The screen is the report.
    pub(super) report: bool,
    /// The acts, the most wanted first.
    pub(super) offers: Vec<Offer>,
    /// Leaving ends the program.
    pub(super) serving: bool,
}

/// The actions of the console.
pub(super) fn table(possible: &Possible) -> Actions<Do> {
    let mut actions = Vec::new();
    if possible.back {
        actions.push(Action::new(Do::Back, "back", "esc backspace", "Back", "Goes one step back."));
    }
    let open = Action::new(Do::Open, "open", "enter", "Open", "Opens what is selected in full.");
    actions.push(open.when(possible.open, "nothing is selected that opens"));
    actions.extend(possible.offers.iter().map(|offer| {
        offer.deed.action().when(offer.refused.is_none(), offer.refused.clone().unwrap_or_default())
    }));
    if possible.register {
        actions.push(Action::new(
            Do::Search,
            "search",
            "/",
            "Search",
            "Searches the register as you type; Esc ends it.",
        ));
    }
    if possible.report {
        actions.push(Action::new(
            Do::DayBefore,
            "day-before",
            "[ p",
            "Day before",
            "Shows the report of the day before.",
        ));
        actions.push(Action::new(
            Do::DayAfter,
            "day-after",
            "] n",
            "Day after",
            "Shows the report of the day after.",
        ));
        actions.push(Action::new(Do::Today, "today", "t", "Today", "Shows today's report."));
    }
    let always = [
        Action::new(Do::Next, "next", "tab right", "Next screen", "Shows the next screen."),
        Action::new(Do::Reload, "reload", "r", "Read anew", "Reads what is shown anew."),
        Action::new(Do::Previous, "previous", "shift-tab left", "Screen before", "Shows the screen before.")
            .quiet(),
        Action::new(Do::Copy, "copy", "y", "Copy", "Copies what is selected or shown.").quiet(),
        Action::new(
            Do::CopyJson,
            "copy-json",
            "Y",
            "Copy JSON",
            "Copies what is selected or shown, whole, as JSON.",
        )
        .quiet(),
        Action::new(Do::Notices, "notices", "N", "Notices", "Lists the notices of this session.").quiet(),
        Action::new(Do::Lock, "lock", "L", "Sign out", "Signs the operator out; the screen stays.").quiet(),
        leave(possible.serving, "q ctrl-c"),
    ];
    let screens =
        Tab::all().map(|tab| Action::new(Do::Go(tab), tab.id(), tab.key(), tab.title(), tab.help()).quiet());
    Actions::new("console", actions).with(always).with(screens)
}

/// The actions at the door, where nobody has signed in.
pub(super) fn door(serving: bool) -> Actions<Do> {
    // `q` is typed into the fields.
    Actions::new("door", [leave(serving, "ctrl-c")])
}

/// The actions in the editor: all its keys are its own.
pub(super) fn editor() -> Actions<Do> {
    Actions::new("editor", []).typing(true)
}

fn leave(serving: bool, keys: &str) -> Action<Do> {
    if serving {
        Action::new(
            Do::Leave,
            "stop",
            keys,
            "Stop",
            "Ends the center's program, after the word “stop” is typed.",
        )
    } else {
        Action::new(Do::Leave, "leave", keys, "Leave", "Leaves this screen; the center goes on.")
    }
}

#[cfg(test)]
mod tests {
    use tui_kit::keys::Bindings;

    use super::*;

    /// Those that stand in one table together.
    const TOGETHER: [&[Deed]; 16] = [
        &[Deed::Verify],
        &[Deed::StopVerifying],
        &[Deed::Freeze],
        &[Deed::Release],
        &[Deed::Assign, Deed::GiveBack],
        &[
            Deed::Reveal,
            Deed::Admit,
            Deed::AskBack,
            Deed::Refuse,
            Deed::Recode,
            Deed::Override,
            Deed::Letter,
            Deed::Erase,
            Deed::Further,
            Deed::Former,
        ],
        &[Deed::Reveal, Deed::Export, Deed::Erase, Deed::Freeze],
        &[Deed::RevokeKey],
        &[Deed::Refund],
        &[Deed::Confirm, Deed::Withdraw],
        &[Deed::AddOperator, Deed::ChangeRole, Deed::RemoveOperator, Deed::SetPassphrase, Deed::Limits],
        &[Deed::SetLimits],
        &[Deed::Rotate],
        &[Deed::Edit, Deed::Versions],
        &[Deed::Retry, Deed::Letter, Deed::GiveUp],
        &[Deed::AddBuild, Deed::RemoveBuild],
    ];

    #[test]
    fn no_two_actions_share_a_key() {
        for deeds in TOGETHER {
            for serving in [true, false] {
                let offers = deeds.iter().chain(&[Deed::AcceptClock]);
                let offers = offers.map(|deed| Offer { deed: *deed, refused: None }).collect();
                let possible = Possible {
                    open: true,
                    back: true,
                    register: true,
                    offers,
                    serving,
                    ..Possible::default()
                };
                let problems = Bindings::default().problems(&[table(&possible).outline()]);
                assert_eq!(problems, Vec::<String>::new(), "{deeds:?}");
            }
        }
        let report = Possible { report: true, ..Possible::default() };
        let problems = Bindings::default().problems(&[table(&report).outline(), door(true).outline()]);
        assert_eq!(problems, Vec::<String>::new());
    }
}
