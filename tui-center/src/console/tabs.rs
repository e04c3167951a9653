//! The screens of the console: what they are called, which key shows them, and how they lie in groups.
//!
//! Each screen has a key of its own wherever one is, so that nobody has to know its group to get there. The bar shows
//! the groups above and the screens of the one that is open below; where there are few lines, only the screens.

use ratatui::{
    layout::Rect,
    text::{Line, Span},
};
use tui_kit::{Ui, text};

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    /// How the center stands.
    Overview,
    /// What went wrong.
    Errors,
    /// A business day in figures.
    Report,
    /// The member register.
    Members,
    /// The store register.
    Stores,
    /// Finding people by what is sealed.
    People,
    /// The key register.
    Keys,
    /// The transaction register.
    Transactions,
    /// Money that fits nothing.
    Bank,
    /// Who wants to join.
    Applications,
    /// What waits for a second operator.
    Proposals,
    /// Mail and letters on their way.
    Post,
    /// Guide pages, forms, terms, policy.
    Documents,
    /// The operators.
    Staff,
    /// The programs that the center offers.
    Kit,
    /// The keys with which the center speaks.
    Sheet,
}

/// What lies together.
struct Group {
    title: &'static str,
    tabs: &'static [Tab],
}

const GROUPS: [Group; 4] = [
    Group { title: "Center", tabs: &[Tab::Overview, Tab::Errors, Tab::Report] },
    Group {
        title: "Registers",
        tabs: &[Tab::Members, Tab::Stores, Tab::Keys, Tab::Transactions, Tab::People],
    },
    Group { title: "Desks", tabs: &[Tab::Bank, Tab::Applications, Tab::Proposals, Tab::Post] },
    Group { title: "Settings", tabs: &[Tab::Documents, Tab::Staff, Tab::Kit, Tab::Sheet] },
];

impl Tab {
    /// All, in the order in which Tab goes through them.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        GROUPS.iter().flat_map(|group| group.tabs).copied()
    }

    /// The title, which stands in the head of its page.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Errors => "Errors",
            Self::Report => "Report",
            Self::Members => "Members",
            Self::Stores => "Stores",
            Self::People => "People",
            Self::Keys => "Keys",
            Self::Transactions => "Transactions",
            Self::Bank => "Bank desk",
            Self::Applications => "Applications",
            Self::Proposals => "Proposals",
            Self::Post => "Post",
            Self::Documents => "Documents",
            Self::Staff => "Staff",
            Self::Kit => "Kit",
            Self::Sheet => "Key sheet",
        }
    }

    /// The name of the action that shows it.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Errors => "errors",
            Self::Report => "report",
            Self::Members => "members",
            Self::Stores => "stores",
            Self::People => "people",
            Self::Keys => "keys",
            Self::Transactions => "transactions",
            Self::Bank => "bank-desk",
            Self::Applications => "applications",
            Self::Proposals => "proposals",
            Self::Post => "post",
            Self::Documents => "documents",
            Self::Staff => "staff",
            Self::Kit => "kit",
            Self::Sheet => "key-sheet",
        }
    }

    /// The key that shows it. None is a letter that begins a control string or a function key behind an Esc (`P`, `O`,
    /// `X`): over a slow line Esc and such a key arrive together and would be taken for one.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Overview => "1",
            Self::Members => "2",
            Self::Stores => "3",
            Self::Keys => "4",
            Self::Transactions => "5",
            Self::Bank => "6",
            Self::Errors => "7",
            Self::Report => "8",
            Self::Applications => "9",
            Self::Proposals => "0",
            Self::People => "F",
            Self::Post => "M",
            Self::Documents => "D",
            Self::Staff => "S",
            Self::Kit => "K",
            Self::Sheet => "H",
        }
    }

    /// What it shows, as a sentence.
    pub(super) fn help(self) -> &'static str {
        match self {
            Self::Overview => "Shows how the center stands.",
            Self::Errors => "Shows what went wrong.",
            Self::Report => "Shows a business day in figures.",
            Self::Members => "Shows the member register.",
            Self::Stores => "Shows the store register.",
            Self::People => "Finds people by name, e-mail, telephone or date of birth.",
            Self::Keys => "Shows the key register.",
            Self::Transactions => "Shows the transaction register.",
            Self::Bank => "Shows money that fits nothing.",
            Self::Applications => "Shows who wants to join.",
            Self::Proposals => "Shows what waits for a second operator.",
            Self::Post => "Shows mail and letters on their way.",
            Self::Documents => "Shows guide pages, forms, terms and policy, to be edited.",
            Self::Staff => "Shows the operators.",
            Self::Kit => "Shows the programs that the center offers.",
            Self::Sheet => "Shows the keys with which the center speaks.",
        }
    }

    /// The one behind it, or before it.
    pub(super) fn turned(self, back: bool) -> Self {
        let all: Vec<Self> = Self::all().collect();
        let at = all.iter().position(|tab| *tab == self).unwrap_or(0);
        let step = if back { all.len() - 1 } else { 1 };
        all[(at + step) % all.len()]
    }

    fn group(self) -> usize {
        GROUPS.iter().position(|group| group.tabs.contains(&self)).unwrap_or(0)
    }
}

/// What waits for an operator, by screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// On the bank desk.
    pub(super) bank: u64,
    /// On the admission desk.
    pub(super) applications: u64,
    /// For a second operator.
    pub(super) proposals: u64,
    /// Mail and letters that failed.
    pub(super) post: u64,
}

impl Counts {
    /// What waits on a screen.
    pub(super) fn of(&self, tab: Tab) -> u64 {
        match tab {
            Tab::Bank => self.bank,
            Tab::Applications => self.applications,
            Tab::Proposals => self.proposals,
            Tab::Post => self.post,
            _ => 0,
        }
    }
}

/// Draws the bar: on two lines the groups and below them the screens of the open one, on one line these alone.
pub(super) fn view(ui: &mut Ui<'_, '_>, area: Rect, shown: Tab, counts: &Counts) {
    let lines = area.rows().collect::<Vec<_>>();
    let open = shown.group();
    if let [groups, ..] = lines.as_slice()
        && lines.len() > 1
    {
        let titles = GROUPS.iter().map(|group| {
            let waiting = group.tabs.iter().map(|tab| counts.of(*tab)).sum();
            counted(group.title, waiting)
        });
        view_line(ui, *groups, titles.collect(), open);
    }
    if let Some(screens) = lines.last() {
        let tabs = GROUPS[open].tabs;
        let named = tabs.iter().map(|tab| counted(tab.title(), counts.of(*tab)));
        let keyed: Vec<String> =
            tabs.iter().zip(named.clone()).map(|(tab, title)| format!("{} {title}", tab.key())).collect();
        let room = usize::from(screens.width);
        let fits =
            |titles: &[String]| titles.iter().map(|title| text::width(title) + 2).sum::<usize>() <= room;
        let titles =
            if fits(&keyed) || !fits(&named.clone().collect::<Vec<_>>()) { keyed } else { named.collect() };
        view_line(ui, *screens, titles, tabs.iter().position(|tab| *tab == shown).unwrap_or(0));
    }
}

/// Draws titles, one of them selected; where they don't fit, from the selected one on.
fn view_line(ui: &mut Ui<'_, '_>, area: Rect, titles: Vec<String>, selected: usize) {
    let theme = ui.theme();
    let wide: usize = titles.iter().map(|title| text::width(title) + 2).sum();
    let first = if wide > usize::from(area.width) { selected } else { 0 };
    let mut spans = Vec::new();
    if first > 0 {
        spans.push(Span::styled(theme.marks.left, theme.dim));
    }
    for (at, title) in titles.into_iter().enumerate().skip(first) {
        let style = if at == selected { theme.selected } else { theme.dim };
        spans.push(Span::styled(format!(" {title} "), style));
    }
    ui.line(area, Line::from(spans));
}

fn counted(title: &str, waiting: u64) -> String {
    if waiting == 0 { title.to_owned() } else { format!("{title} ({waiting})") }
}

#[cfg(test)]
mod tests {
    use tui_kit::testing;

    use super::*;

    #[test]
    fn every_screen_is_in_one_group_and_has_its_own_key() {
        let all: Vec<Tab> = Tab::all().collect();
        for (at, tab) in all.iter().enumerate() {
            assert!(!all[..at].iter().any(|other| other == tab || other.key() == tab.key()), "{tab:?}");
            assert_eq!(tab.turned(false).turned(true), *tab);
            assert!(!"POX[]^_".contains(tab.key()), "{tab:?} behind an Esc begins something else");
        }
        assert_eq!(Tab::Overview.turned(true), Tab::Sheet);
        assert_eq!(all.len(), 16);
    }

    #[test]
    fn what_waits_is_counted_in_its_screen_and_its_group() {
        let counts = Counts { bank: 2, applications: 12, proposals: 1, post: 0 };
        let shown = testing::draw(80, 2, |ui| view(ui, ui.area(), Tab::Overview, &counts));
        assert_eq!(shown, " Center  Registers  Desks (15)  Settings\n 1 Overview  7 Errors  8 Report");
        let shown = testing::draw(80, 2, |ui| view(ui, ui.area(), Tab::Bank, &counts));
        assert!(shown.ends_with(" 6 Bank desk (2)  9 Applications (12)  0 Proposals (1)  M Post"), "{shown}");
        let shown = testing::draw(40, 1, |ui| view(ui, ui.area(), Tab::Applications, &counts));
        assert!(shown.starts_with("‹ 9 Applications (12)  0 Proposals"), "{shown}");
        for (width, height) in testing::SIZES {
            testing::draw(width, height, |ui| view(ui, ui.area(), Tab::Post, &counts));
        }
    }
}
