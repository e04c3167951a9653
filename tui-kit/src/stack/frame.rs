//! The frame that all screens have: head, foot, help, palette, the digits to the main screens, Esc and quitting.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::{Layer, Room, Screen, Step, Steps, World};
use crate::detail::Detail;
use crate::keys::{Action, Actions, Keys, Outline, Pressed};
use crate::text;
use crate::theme::Tone;
use crate::ui::{Page, Ui};

/// Rows that a page needs before the main screens are listed at its head; the digits work without.
const ROWS_FOR_ROOMS: u16 = 16;

/// Puts a screen into the frame that all have.
pub fn layer<W: World, S: Screen<W> + 'static>(screen: S) -> Box<dyn Layer<W>> {
    Box::new(Framed { screen, keys: Keys::new() })
}

/// A screen with what all screens have.
struct Framed<S, D> {
    screen: S,
    keys: Keys<Do<D>>,
}

/// An action of a screen's own, or one that all have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Do<D> {
    Own(D),
    Go(&'static str),
    Notices,
    Back,
    Quit,
}

impl<S, D: Clone> Framed<S, D> {
    fn table<W: World>(&self, world: &W) -> Actions<Do<D>>
    where
        S: Screen<W, Do = D>,
    {
        let own = self.screen.actions(world).into_iter().map(|action| Action {
            act: Do::Own(action.act),
            id: action.id,
            keys: action.keys,
            label: action.label,
            help: action.help,
            enabled: action.enabled,
            hint: action.hint,
        });
        let ways = W::ROOMS
            .iter()
            .filter(|_| S::INSIDE)
            .map(|room| Action::new(Do::Go(room.name), room.name, room.key, room.label, room.help).quiet());
        let mut back = Action::new(Do::Back, "back", "esc", "Back", "One step back.");
        // Nothing lies below home.
        back.hint = W::ROOMS.first().is_none_or(|home| home.name != S::NAME);
        let mut quit =
            Action::new(Do::Quit, "quit", "q", "Quit", "Ends the program; what waits stays in the vault.");
        // Outside the rooms there are fields, into which a q is typed; so it is while letters are guarded against.
        quit.hint = S::INSIDE && !self.screen.guards();
        let ends = [
            Action::new(
                Do::Notices,
                "notices",
                "!",
                "Notices",
                "What was said at the foot of the screen so far.",
            )
            .quiet(),
            back,
            quit,
        ];
        Actions::new(S::NAME, own).with(ways).with(ends).bound(world.bindings())
    }
}

impl<W: World, S: Screen<W, Do = D>, D: Clone> Layer<W> for Framed<S, D> {
    fn opened(&mut self, world: &mut W) -> Steps<W> {
        self.screen.opened(world)
    }

    fn key(&mut self, key: KeyEvent, world: &mut W) -> Steps<W> {
        if !self.keys.is_open()
            && let Some(steps) = self.screen.key(key, world)
        {
            return steps;
        }
        let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let letter = matches!(key.code, KeyCode::Char(c) if plain && c != '?' && c != ':');
        if letter && !self.keys.is_open() && self.screen.guards() {
            return Steps::new();
        }
        let table = self.table(world);
        match self.keys.press(&table, key) {
            Pressed::Run(Do::Own(todo)) => self.screen.run(todo, world),
            Pressed::Run(Do::Go(room)) => vec![Step::Go(room)],
            Pressed::Run(Do::Notices) => vec![Step::Notices],
            Pressed::Run(Do::Back) if self.screen.step_back(world) => Steps::new(),
            Pressed::Run(Do::Back) => vec![Step::Back],
            Pressed::Run(Do::Quit) => vec![Step::Quit],
            Pressed::Refused(why) => vec![Step::Say(Tone::Warn, why)],
            Pressed::Taken | Pressed::Free => Steps::new(),
        }
    }

    fn paste(&mut self, pasted: &str, world: &W) {
        if !self.keys.paste(pasted) {
            self.screen.paste(pasted, world);
        }
    }

    fn wants_mouse(&self) -> bool {
        self.screen.wants_mouse()
    }

    fn mouse(&mut self, mouse: MouseEvent, world: &mut W) -> Steps<W> {
        if self.keys.is_open() { Steps::new() } else { self.screen.mouse(mouse, world) }
    }

    fn told(&mut self, news: &W::News, world: &mut W) -> Steps<W> {
        self.screen.told(news, world)
    }

    fn lively(&self, world: &W) -> bool {
        self.screen.lively(world)
    }

    fn view(&self, world: &W, ui: &mut Ui<'_, '_>) -> Rect {
        // Outside the rooms there are fields, into which a question mark is typed.
        let typing = !S::INSIDE || self.screen.guards();
        let (title, status) = (self.screen.title(world), world.status());
        let body = ui.page(Page { title: &title, status: &status, footer: Line::default() });
        let mut area = body;
        if S::INSIDE && area.height >= ROWS_FOR_ROOMS {
            let [rooms, _, rest] =
                Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Min(0)])
                    .areas(area);
            view_rooms(S::NAME, world, ui, rooms);
            area = rest;
        }
        let margin = u16::from(area.width > 20);
        area = Rect { x: area.x + margin, width: area.width - 2 * margin, ..area };
        self.screen.view(world, ui, area);
        // What can be done may hang on what has been in sight: the footer is drawn when everything else is.
        let footer = self.table(world).typing(typing).footer(ui.area().width, ui.theme());
        ui.foot(footer);
        body
    }

    fn view_over(&self, ui: &mut Ui<'_, '_>) {
        self.keys.view(ui);
    }

    fn outline(&self, world: &W) -> Outline {
        self.table(world).outline()
    }
}

/// The main screens with their digits and what waits in them. Where there is no room for the digits they go without;
/// where even so not all fit, those before the one that is shown give way.
fn view_rooms<W: World>(here: &str, world: &W, ui: &mut Ui<'_, '_>, area: Rect) {
    let theme = ui.theme();
    let columns = usize::from(area.width);
    let label = |room: &Room<W>| match world.waiting_in(room.name) {
        0 => room.label.to_owned(),
        count => format!("{}({count})", room.label),
    };
    let labels: Vec<String> = W::ROOMS.iter().map(label).collect();
    let taken = |labels: &[String]| labels.iter().map(|label| 1 + text::width(label)).sum::<usize>();
    let digits: usize = W::ROOMS.iter().map(|room| 1 + text::width(room.key)).sum();
    let numbered = taken(&labels) + digits <= columns;
    let shown = W::ROOMS.iter().position(|room| room.name == here).unwrap_or(0);
    let first = (0..shown).find(|first| taken(&labels[*first..=shown]) <= columns).unwrap_or(shown);
    let first = if numbered || taken(&labels) <= columns { 0 } else { first };
    let mut spans = vec![Span::raw(" ")];
    for (room, label) in W::ROOMS.iter().zip(labels).skip(first) {
        let style = if room.name == here { theme.strong } else { theme.dim };
        if numbered {
            spans.push(Span::styled(room.key, theme.key));
            spans.push(Span::raw(" "));
        }
        spans.push(Span::styled(format!("{label} "), style));
    }
    ui.line(area, Line::from(spans));
}

/// What was said at the foot of the screen, newest first.
pub(super) struct Notices(pub(super) Detail);

impl<W: World> Screen<W> for Notices {
    type Do = ();
    const NAME: &'static str = "notices";
    const INSIDE: bool = false;

    fn title(&self, _world: &W) -> String {
        "Notices".into()
    }

    fn actions(&self, _world: &W) -> Vec<Action<()>> {
        Vec::new()
    }

    fn run(&mut self, _todo: (), _world: &mut W) -> Steps<W> {
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, _world: &mut W) -> Option<Steps<W>> {
        self.0.press(key).then(Steps::new)
    }

    fn view(&self, _world: &W, ui: &mut Ui<'_, '_>, area: Rect) {
        if self.0.rows().is_empty() {
            let style = ui.theme().dim;
            ui.paragraph(area, "Nothing was said yet.", style);
        }
        self.0.view(ui, area);
    }
}
