//! The postmen of a center, and what the books learn of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use ledger::{Request, request::PostResult};
use tokio::task::JoinHandle;
use wire::{admission::Way, id::EntryNumber};
use zeroize::Zeroizing;

use super::issue;
use crate::{
    center::Center,
    errors::{Room, Weight},
    lines::{
        mail, post,
        postman::{Backoff, Bag, Carrier, Kind, LineState, PostState, Postman, Settle, Settled, State},
    },
    settlement::{Desk, Work},
};

/// The postmen at work.
pub(crate) struct Outlets {
    mail: Postman,
    letters: Postman,
    /// Which operator gave something up, until that is entered.
    given_up: GivenUp,
}

type GivenUp = Arc<Mutex<HashMap<String, String>>>;

impl Center {
    /// Begins to deliver mail and letters. Blocks on the disk; call it inside a runtime.
    ///
    /// # Errors
    /// In words, when a folder or a file that the settings name can't be used.
    pub(crate) fn start_post(&self) -> Result<Vec<JoinHandle<()>>, String> {
        let data = &self.places().data;
        let mail_out =
            self.config().mail.as_ref().map(|settings| mail::carrier(settings, data)).transpose()?;
        let letters_out = match &self.config().post {
            Some(settings) => post::carrier(settings, data)?,
            None => None,
        };
        let given_up = GivenUp::default();
        let bag = |kind, carrier: Option<Arc<dyn Carrier>>| Bag {
            kind,
            cabinet: self.cabinet().clone(),
            errors: self.errors().clone(),
            carrier,
            settle: settle(self.desk().clone(), given_up.clone()),
            backoff: Backoff::default(),
            stop: self.stopping().clone(),
        };
        let (mail, mail_task) = Postman::start(bag(Kind::Mail, mail_out));
        let (letters, letters_task) = Postman::start(bag(Kind::Letter, letters_out));
        // Started once, by the server.
        let _ = self.admission().outlets.set(Outlets { mail, letters, given_up });
        Ok(vec![mail_task, letters_task])
    }

    /// Mail and letters on their way, and those that were delivered lately; nothing where the center does not serve.
    pub fn post(&self) -> (Vec<PostState>, Vec<LineState>) {
        let Some(outlets) = self.admission().outlets.get() else { return Default::default() };
        let each = [&outlets.mail, &outlets.letters];
        let mut list: Vec<PostState> = each.iter().flat_map(|postman| postman.list()).collect();
        list.sort_by_key(|state| state.entry);
        (list, each.iter().map(|postman| postman.line()).collect())
    }

    /// Tries something again now.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn post_retry(&self, name: &str) -> Result<(), String> {
        self.postman(name)?.0.retry(name)
    }

    /// Gives something up in an operator's name.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn post_give_up(&self, name: &str, by: &str) -> Result<(), String> {
        let (postman, given_up) = self.postman(name)?;
        let mut who = given_up.lock().unwrap_or_else(PoisonError::into_inner);
        postman.give_up(name)?;
        who.insert(name.to_owned(), by.to_owned());
        Ok(())
    }

    /// The exact bytes of a letter or mail that waits, to be handed out by an operator. Blocks on the disk.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn post_take_out(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, String> {
        self.postman(name)?.0.take_out(name)
    }

    /// An operator has printed a letter, or handed a mail's words over.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn post_by_hand(&self, name: &str) -> Result<(), String> {
        self.postman(name)?.0.by_hand(name)
    }

    /// Something was put into the cabinet that goes out.
    pub(crate) fn look_at_post(&self) {
        if let Some(outlets) = self.admission().outlets.get() {
            outlets.mail.look();
            outlets.letters.look();
        }
    }

    /// Something that waits bears a code that counts no more: whoever wanted another gives it up.
    pub(crate) fn supersede(&self, name: &str, by: Option<&str>) {
        let told = match (self.postman(name), by) {
            (Ok(_), Some(by)) => self.post_give_up(name, by),
            (Ok((postman, _)), None) => postman.by_hand(name),
            (Err(words), _) => Err(words),
        };
        // No postman is at work, or it has not looked into the cabinet yet: without its bytes it goes nowhere, and the
        // next start enters its end.
        if told.is_err()
            && let Err(error) = self.cabinet().confirm_outward(name)
        {
            let words = format!("{name} should not go out any more, and cannot be destroyed: {error}.");
            self.errors().tell(Room::Books, Weight::Alarm, words);
        }
    }

    /// Enters the end of what was withdrawn while nobody served.
    pub(crate) async fn settle_the_withdrawn(&self) {
        let center = self.clone();
        let ended = tokio::task::spawn_blocking(move || issue::lost(&center)).await.unwrap_or_default();
        for (intent, way) in ended {
            let request = Request::Posted { intent, way, result: PostResult::Done };
            let Some(work) = Work::own(request, Vec::new()) else { continue };
            if let Err(error) = self.desk().submit(work).await {
                tracing::warn!("the end of {intent}: {error}");
            }
        }
    }

    fn postman(&self, name: &str) -> Result<(&Postman, &GivenUp), String> {
        let outlets = self.admission().outlets.get();
        let outlets = outlets.ok_or("the center does not serve, so nothing goes out; start it")?;
        match Kind::of(name) {
            Some((Kind::Mail, _)) => Ok((&outlets.mail, &outlets.given_up)),
            Some((Kind::Letter, _)) => Ok((&outlets.letters, &outlets.given_up)),
            None => Err(format!(
                "what goes out is named like {} or {}",
                Kind::Mail.name(EntryNumber(123)),
                Kind::Letter.name(EntryNumber(123))
            )),
        }
    }
}

/// Enters what became of something. What no entry waits for (a notice, something entered before a crash) is settled.
fn settle(desk: Desk, given_up: GivenUp) -> Settle {
    Arc::new(move |settled: Settled| {
        let (desk, given_up) = (desk.clone(), given_up.clone());
        Box::pin(async move {
            let way = match settled.kind {
                Kind::Mail => Way::Mail,
                Kind::Letter => Way::Letter,
            };
            let waits =
                desk.state().unposted().any(|(entry, ways)| entry == settled.entry && ways.contains(&way));
            if !waits {
                return Ok(());
            }
            let by = given_up.lock().unwrap_or_else(PoisonError::into_inner).get(&settled.name).cloned();
            let result = match (settled.end, by) {
                (State::GivenUp, Some(by)) => PostResult::GivenUp { by },
                (State::GivenUp, None) => return Err("nobody is known who gave it up".into()),
                _ => PostResult::Done,
            };
            let request = Request::Posted { intent: settled.entry, way, result };
            let work = Work::own(request, Vec::new()).ok_or("what went out comes as no telegram")?;
            let entered = desk.submit(work).await;
            match entered {
                // A refusal says that it was entered before.
                Ok(_) => {
                    given_up.lock().unwrap_or_else(PoisonError::into_inner).remove(&settled.name);
                    Ok(())
                }
                Err(error) => Err(error.to_string()),
            }
        })
    })
}
