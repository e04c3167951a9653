//! Acts that make, change and unmake operators. They come one after the other, and nothing about an operator is asked or
//! proposed while a proposal about the same operator, or of the same SSH key, waits.

use ledger::{
    Request,
    request::{OperatorAct, OperatorRole, Proposed},
};
use wire::time::Timestamp;

use super::{ActError, Outcome, Passphrase};
use crate::{
    center::Center,
    errors::{Room, Weight},
    operators::{self, OperatorError, role_name},
};

impl Center {
    /// Keeps an identity and has the books take it; whoever is not taken leaves nothing.
    pub(super) async fn identify(
        &self,
        by: String,
        name: &str,
        role: OperatorRole,
        ssh_key: String,
        passphrase: Passphrase,
    ) -> Result<Outcome, ActError> {
        let _one = self.operators().changing().await;
        self.nothing_waits_for(name)?;
        self.nobody_else_has(name, &ssh_key)?;
        let key = operators::key_digest(&ssh_key);
        // Another passphrase for somebody who has an own one already is a reset.
        let given = name != by && self.desk().state().operator(name).is_some();
        let (center, named) = (self.clone(), name.to_owned());
        blocking(move || center.operators().prepare(&named, &ssh_key, &passphrase.0, given)).await?;
        let request =
            Request::Operator { name: name.to_owned(), role: Some(role), key, by: Some(by.clone()) };
        let entered = self.enter_own(&by, request, Vec::new()).await;
        let noted = match &entered {
            Ok(Outcome::Proposed(row)) => self.operators().proposed(name, row.number),
            Ok(_) => self.operators().settle(name, Some((role, key)), None),
            // A restart finds out what became of it.
            Err(error) if error.unknown => Ok(()),
            Err(_) => self.operators().drop_waiting(name),
        };
        noted.map_err(told)?;
        entered
    }

    /// Gives an operator another role, or takes one off.
    pub(super) async fn employ(
        &self,
        by: String,
        name: &str,
        role: Option<OperatorRole>,
    ) -> Result<Outcome, ActError> {
        let _one = self.operators().changing().await;
        self.nothing_waits_for(name)?;
        let key = self.desk().state().operator_key(name);
        let key = key.ok_or_else(|| ActError::new("not-found", format!("there is no operator {name}")))?;
        let request = Request::Operator { name: name.to_owned(), role, key, by: Some(by.clone()) };
        let entered = self.enter_own(&by, request, Vec::new()).await?;
        if matches!(entered, Outcome::Entered(_)) {
            self.operators().settle(name, role.map(|role| (role, key)), None).map_err(told)?;
        }
        Ok(entered)
    }

    /// Changes the own passphrase, or resets somebody else's.
    pub(super) async fn set_passphrase(
        &self,
        by: String,
        name: Option<String>,
        passphrase: Passphrase,
    ) -> Result<Outcome, ActError> {
        let name = name.map_or_else(|| by.clone(), |name| name.trim().to_owned());
        if name == by {
            self.note(&by, OperatorAct::OwnPassphrase).await?;
            let (center, own) = (self.clone(), by.clone());
            blocking(move || center.operators().change_own(&own, &passphrase.0)).await?;
            let words = format!("{by} has a new passphrase.");
            self.errors().tell(Room::Operators, Weight::Note, &words);
            return Ok(Outcome::Done { words });
        }
        // An admin who resets a passphrase could act as somebody else: it is entered, and takes two.
        let role = self.desk().state().operator(&name);
        let role = role.ok_or_else(|| ActError::new("not-found", format!("there is no operator {name}")))?;
        let known = self.operators().list().into_iter().find(|it| it.name == name);
        let known = known.ok_or_else(|| {
            ActError::new("refused", format!("this machine has no SSH key of {name}; add {name} anew"))
        })?;
        let admin = self.desk().state().operator(&by);
        if admin != Some(OperatorRole::Admin) {
            let has = admin.map_or("no operator", role_name);
            let words = format!("{by} is {has}; another operator's passphrase takes an admin");
            return Err(ActError::new("not-allowed", words));
        }
        self.identify(by, &name, role, known.ssh_key, passphrase).await
    }

    /// Of two proposals about one operator the second would be confirmed by somebody who has not seen the first.
    pub(super) fn nothing_waits_for(&self, name: &str) -> Result<(), ActError> {
        let state = self.desk().state();
        let about = |act: &Proposed| matches!(act, Proposed::Operator { name: its, .. } if its == name);
        match state.proposals(Timestamp::now()).find(|(_, proposal)| about(&proposal.act)) {
            Some((waiting, _)) => {
                let words = format!(
                    "{waiting} proposes something about {name} already; confirm or withdraw it first"
                );
                Err(ActError::new("refused", words))
            }
            None => Ok(()),
        }
    }

    /// Two names behind one SSH key would not be two people.
    pub(super) fn nobody_else_has(&self, name: &str, ssh_key: &str) -> Result<(), ActError> {
        let waits =
            |number| self.desk().state().proposal(number).is_some_and(|it| Timestamp::now() <= it.until);
        match self.operators().same_key(name, ssh_key, &waits) {
            Some((other, None)) => {
                Err(ActError::new("refused", format!("this is the SSH key of operator {other}")))
            }
            Some((other, Some(waiting))) => {
                let words = format!("this is the SSH key that {waiting} proposes for {other}");
                Err(ActError::new("refused", words))
            }
            None => Ok(()),
        }
    }
}

/// Argon2id takes its time: not on a thread that others wait for.
async fn blocking(work: impl FnOnce() -> Result<(), OperatorError> + Send + 'static) -> Result<(), ActError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(OperatorError::Unusable("an error in the program".into()))).map_err(told)
}

pub(super) fn told(error: OperatorError) -> ActError {
    ActError::new("refused", error)
}
