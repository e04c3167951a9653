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

/// An act that goes to the desk.
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
}

impl Deed {
    /// All of them.
    #[cfg(test)]
    pub(super) const ALL: [Self; 5] =
        [Self::Freeze, Self::Release, Self::Assign, Self::GiveBack, Self::AcceptClock];

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
        };
        Action::new(Do::Act(self), id, keys, label, help)
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

    #[test]
    fn no_act_shares_a_key_with_what_every_screen_has() {
        for deed in Deed::ALL {
            for (register, report) in [(true, false), (false, true)] {
                let offers = vec![Offer { deed, refused: None }];
                let possible =
                    Possible { open: true, back: true, register, report, offers, ..Possible::default() };
                for serving in [true, false] {
                    let table = table(&Possible { serving, ..possible.clone() });
                    let problems = Bindings::default().problems(&[table.outline()]);
                    assert_eq!(problems, Vec::<String>::new(), "{deed:?}");
                }
            }
        }
        assert_eq!(Bindings::default().problems(&[door(true).outline()]), Vec::<String>::new());
    }
}
