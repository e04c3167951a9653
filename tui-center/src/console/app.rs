//! The console as an app: the door, and behind it the screens; what it asks for and what it is told, as data.

use std::{path::PathBuf, sync::Arc, time::Duration};

use secrecy::SecretString;
use tui_kit::{
    App, Effects, Event, Now, Page, Ui,
    keys::{Bindings, Keys, Pressed},
    progress,
    review::{self, Review},
};

use super::{
    dialogue,
    inside::{Inside, Wish},
    keys::{self, Do},
    sign_in::{self, SignIn},
};
use crate::{
    acts::{Act, ActError, Outcome},
    errors::ErrorLine,
    inquiry::view::Overview,
    operators::Operator,
};

/// Where the screen stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// On the terminal of the program that serves: leaving it means to end the program, after the word.
    Serving,
    /// Attached from elsewhere: leaving it leaves the center alone.
    Attached,
}

/// What the console asks for.
#[derive(Debug)]
pub enum Effect {
    /// Whether an operator is believed.
    SignIn {
        /// The name.
        name: String,
        /// The passphrase.
        passphrase: SecretString,
    },
    /// The newest overview and errors as they come, from now on.
    Watch,
    /// No more of them: the operator has signed out.
    Unwatch,
    /// Something is looked up or done; the answer bears the ticket.
    Ask {
        /// The ticket.
        ticket: u64,
        /// Who asks.
        operator: Arc<Operator>,
        /// What.
        act: Act,
        /// What it hands out is written into this new file of the center's machine.
        into: Option<PathBuf>,
    },
    /// The program ends in order.
    Stop {
        /// Who has typed the word; none at the door of the program's own terminal.
        operator: Option<Arc<Operator>>,
    },
}

/// What the console is told.
#[derive(Debug)]
pub enum Msg {
    /// Whether the operator was believed.
    SignedIn(Result<Operator, ActError>),
    /// A newer overview.
    Overview(Arc<Overview>),
    /// Something went wrong at the center.
    Error(ErrorLine),
    /// What was looked up, or what became of an act.
    Answer(u64, Result<Outcome, ActError>),
}

/// One operator's console.
#[derive(Debug)]
pub struct Console {
    host: Host,
    bindings: Bindings,
    /// Fills in the name at the door.
    name: Option<String>,
    stage: Stage,
    /// The program is about to be ended, once the word is typed.
    stopping: Option<Box<Review>>,
}

#[derive(Debug)]
enum Stage {
    Door(Box<Door>),
    Inside(Box<Inside>),
}

/// The door, and what is open over it.
#[derive(Debug)]
struct Door {
    form: SignIn,
    overlay: Keys<Do>,
}

impl Door {
    fn new(name: Option<&str>) -> Box<Self> {
        Box::new(Self { form: SignIn::new(name), overlay: Keys::new() })
    }
}

impl Console {
    /// A console with nobody signed in; `name` is filled in at the door.
    pub fn new(host: Host, name: Option<String>, bindings: Bindings) -> Self {
        let door = Door::new(name.as_deref());
        Self { host, bindings, name, stage: Stage::Door(door), stopping: None }
    }

    fn is_serving(&self) -> bool {
        self.host == Host::Serving
    }

    /// Leaves the screen; on the program's own terminal that means to end the program, which takes the word.
    fn leave(&mut self) -> Effects<Effect> {
        if self.host == Host::Attached {
            return Effects::quit();
        }
        let rows = [tui_kit::detail::Row::Words(
            "The center ends in order: it takes no more requests, answers those that it has, and closes its books. \
             Members and stores can't pay until it is started again."
                .to_owned(),
        )];
        let review = Review::new("Stop the center", "Stop the center", rows)
            .warn("To leave only this screen, close the window: the center goes on.")
            .typed("the word", "stop");
        self.stopping = Some(Box::new(review));
        Effects::none()
    }

    fn stop(&mut self) -> Effects<Effect> {
        let operator = match &self.stage {
            Stage::Door(..) => None,
            Stage::Inside(inside) => Some(inside.operator()),
        };
        Effects::one(Effect::Stop { operator })
    }

    fn key(&mut self, now: Now, key: tui_kit::KeyEvent) -> Effects<Effect> {
        if let Some(review) = &mut self.stopping {
            match review.press(key) {
                review::Pressed::Commit(_) => {
                    review.wait(now, "the center to end in order");
                    return self.stop();
                }
                review::Pressed::Back => self.stopping = None,
                review::Pressed::Free if tui_kit::keys::Chord::ctrl('c').is(&key) => self.stopping = None,
                review::Pressed::Free | review::Pressed::Taken => {}
            }
            return Effects::none();
        }
        let wish = match &mut self.stage {
            Stage::Door(door) => {
                let Door { form: door, overlay } = &mut **door;
                let table = keys::door(self.host == Host::Serving).bound(&self.bindings);
                if !overlay.is_open() {
                    match door.press(key, now) {
                        sign_in::Step::Stay => return Effects::none(),
                        sign_in::Step::Check(name, passphrase) => {
                            return Effects::one(Effect::SignIn { name, passphrase });
                        }
                        sign_in::Step::Back => return self.leave(),
                        sign_in::Step::Free => {}
                    }
                }
                match overlay.press(&table, key) {
                    Pressed::Run(Do::Leave) => Wish::Leave,
                    Pressed::Run(_) | Pressed::Taken | Pressed::Refused(_) | Pressed::Free => Wish::Nothing,
                }
            }
            Stage::Inside(inside) => inside.key(now, key, self.host == Host::Serving, &self.bindings),
        };
        self.grant(wish)
    }

    fn grant(&mut self, wish: Wish) -> Effects<Effect> {
        match wish {
            Wish::Nothing => Effects::none(),
            Wish::Leave => self.leave(),
            Wish::Lock => {
                let name = match &self.stage {
                    Stage::Inside(inside) => Some(inside.operator().name.clone()),
                    Stage::Door(..) => self.name.clone(),
                };
                self.stage = Stage::Door(Door::new(name.as_deref()));
                Effects::one(Effect::Unwatch)
            }
            Wish::Copy(text) => Effects::copy(text),
            Wish::Act(ticket, act, into) => match &self.stage {
                Stage::Inside(inside) => {
                    Effects::one(Effect::Ask { ticket, operator: inside.operator(), act, into })
                }
                Stage::Door(..) => Effects::none(),
            },
        }
    }

    fn told(&mut self, now: Now, message: Msg) -> Effects<Effect> {
        match (&mut self.stage, message) {
            (Stage::Door(door), Msg::SignedIn(Err(error))) => door.form.refuse(error.to_string()),
            (Stage::Door(..), Msg::SignedIn(Ok(operator))) => {
                self.stage = Stage::Inside(Box::new(Inside::new(operator, now)));
                return Effects::one(Effect::Watch);
            }
            (Stage::Inside(inside), Msg::Overview(overview)) => inside.overview(now, overview),
            (Stage::Inside(inside), Msg::Error(line)) => inside.error(now, &line),
            (Stage::Inside(inside), Msg::Answer(ticket, answer)) => inside.answer(now, ticket, answer),
            // What was asked for by somebody who has signed out since is shown to nobody.
            (Stage::Door(..), _) | (Stage::Inside(_), Msg::SignedIn(_)) => return Effects::unchanged(),
        }
        Effects::none()
    }

    fn asks(&mut self, now: Now) -> Effects<Effect> {
        let Stage::Inside(inside) = &mut self.stage else { return Effects::unchanged() };
        match inside.ask(now) {
            Some((ticket, act)) => {
                Effects::one(Effect::Ask { ticket, operator: inside.operator(), act, into: None })
            }
            None => Effects::unchanged(),
        }
    }
}

impl App for Console {
    type Msg = Msg;
    type Effect = Effect;

    fn update(&mut self, now: Now, event: Event<Msg>) -> Effects<Effect> {
        let effects = match event {
            Event::Key(key) => self.key(now, key),
            Event::Paste(pasted) => {
                match (&mut self.stopping, &mut self.stage) {
                    (Some(review), _) => review.paste(&pasted),
                    (None, Stage::Door(door)) => {
                        if !door.overlay.paste(&pasted) {
                            door.form.paste(&pasted);
                        }
                    }
                    (None, Stage::Inside(inside)) => inside.paste(&pasted),
                }
                Effects::none()
            }
            Event::Msg(message) => self.told(now, message),
            Event::Tick | Event::Resize(_) | Event::Resumed => Effects::none(),
            Event::Mouse(_) | Event::Closing(_) | Event::Returned(_) => Effects::unchanged(),
        };
        let more = self.asks(now);
        effects.then(more)
    }

    fn view(&self, ui: &mut Ui<'_, '_>) {
        match &self.stage {
            Stage::Door(door) => {
                let table = keys::door(self.is_serving()).bound(&self.bindings);
                let footer = table.typing(true).footer(ui.area().width, ui.theme());
                let body =
                    ui.page(Page { title: "Inkan settlement center", status: "nobody signed in", footer });
                door.form.view(ui, body);
                door.overlay.view(ui);
            }
            Stage::Inside(inside) => inside.view(ui, self.is_serving(), &self.bindings),
        }
        if let Some(review) = &self.stopping {
            dialogue::over(ui, review);
        }
    }

    fn tick(&self, now: Now) -> Option<Duration> {
        let waiting = match &self.stage {
            Stage::Door(door) => door.form.is_waiting().then_some(progress::TICK),
            Stage::Inside(inside) => inside.tick(now),
        };
        let stopping =
            self.stopping.as_ref().is_some_and(|review| review.is_waiting()).then_some(progress::TICK);
        [waiting, stopping].into_iter().flatten().min()
    }
}
