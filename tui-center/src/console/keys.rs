//! What can be done on the console's screens, from one table.

use tui_kit::keys::{Action, Actions};

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
    Go(usize),
    /// The next screen.
    Next,
    /// The screen before.
    Previous,
    /// Freeze or release.
    Standing,
    /// Assign a receipt to a card request.
    Assign,
    /// Send a receipt back.
    GiveBack,
    /// Accept the clock.
    AcceptClock,
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
    /// What is shown can be frozen (true) or released (false).
    pub(super) standing: Option<bool>,
    /// Why what is shown can't be frozen or released.
    pub(super) standing_refused: Option<String>,
    /// What is shown is on the bank desk.
    pub(super) receipt: bool,
    /// Why it can't be assigned.
    pub(super) assign_refused: Option<String>,
    /// Why it can't be sent back.
    pub(super) give_back_refused: Option<String>,
    /// The clock jumped.
    pub(super) clock: bool,
    /// Why this operator can't accept it.
    pub(super) clock_refused: Option<String>,
    /// Leaving ends the program.
    pub(super) serving: bool,
}

/// The titles of the screens, in the order of their keys.
pub(super) const TITLES: [&str; 8] =
    ["Overview", "Members", "Stores", "Keys", "Transactions", "Bank desk", "Errors", "Report"];

/// The actions of the console.
pub(super) fn table(possible: &Possible) -> Actions<Do> {
    let mut actions = Vec::new();
    let refused = |why: &Option<String>| why.clone().unwrap_or_default();
    if possible.back {
        actions.push(Action::new(Do::Back, "back", "esc backspace", "Back", "Goes one step back."));
    }
    let open = Action::new(Do::Open, "open", "enter", "Open", "Opens what is selected in full.");
    actions.push(open.when(possible.open, "nothing is selected that opens"));
    if possible.receipt {
        let assign = Action::new(
            Do::Assign,
            "assign",
            "a",
            "Assign",
            "Issues the card that was asked for with this receipt.",
        );
        actions.push(assign.when(possible.assign_refused.is_none(), refused(&possible.assign_refused)));
        let back =
            Action::new(Do::GiveBack, "give-back", "b", "Send back", "Sends this receipt back to the payer.");
        actions.push(back.when(possible.give_back_refused.is_none(), refused(&possible.give_back_refused)));
    }
    if let Some(freeze) = possible.standing {
        let standing = if freeze {
            Action::new(
                Do::Standing,
                "freeze",
                "f",
                "Freeze",
                "Freezes what is shown: nothing of it is taken any more.",
            )
        } else {
            Action::new(Do::Standing, "release", "f", "Release", "Releases what is shown and frozen.")
        };
        actions.push(standing.when(possible.standing_refused.is_none(), refused(&possible.standing_refused)));
    }
    if possible.clock {
        let clock = Action::new(
            Do::AcceptClock,
            "accept-clock",
            "c",
            "Accept clock",
            "Says that the clock, which jumped, is right.",
        );
        actions.push(clock.when(possible.clock_refused.is_none(), refused(&possible.clock_refused)));
    }
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
    let screens = TITLES.iter().zip(SCREEN_KEYS).enumerate().map(|(at, (title, key))| {
        Action::new(Do::Go(at), SCREEN_IDS[at], key, title, "Shows this screen.").quiet()
    });
    Actions::new("console", actions).with(always).with(screens)
}

/// The actions at the door, where nobody has signed in.
pub(super) fn door(serving: bool) -> Actions<Do> {
    // `q` is typed into the fields.
    Actions::new("door", [leave(serving, "ctrl-c")])
}

const SCREEN_KEYS: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];
const SCREEN_IDS: [&str; 8] =
    ["overview", "members", "stores", "keys", "transactions", "bank-desk", "errors", "report"];

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
    fn no_two_actions_share_a_key() {
        let all = Possible {
            open: true,
            back: true,
            register: true,
            report: true,
            standing: Some(true),
            receipt: true,
            clock: true,
            ..Possible::default()
        };
        for possible in [all.clone(), Possible { serving: true, standing: Some(false), ..all }] {
            assert_eq!(Bindings::default().problems(&[table(&possible).outline()]), Vec::<String>::new());
        }
        assert_eq!(Bindings::default().problems(&[door(true).outline()]), Vec::<String>::new());
    }
}
