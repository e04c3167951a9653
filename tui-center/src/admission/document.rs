//! What the center says of itself and operators edit: guide pages, forms, terms, policy.
//!
//! Each version is an entry, and its content the entry's evidence; so the journal knows for ever what a newcomer was
//! shown. The version in force is read once and kept until the books name another.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use ledger::request::Document;
use wire::{
    admission::{Guide, Terms},
    bounded::List,
    id::{Digest, EntryNumber, Role},
    limits,
    message::{Field, Form},
    text::Prose,
};

use super::{form, policy::Policy};
use crate::{books::Reader, settlement::Desk};

/// The first form for members.
pub const FORM_MEMBER: &str = include_str!("defaults/form-member.toml");
/// The first form for stores.
pub const FORM_STORE: &str = include_str!("defaults/form-store.toml");
/// The first policy.
pub const POLICY: &str = include_str!("defaults/policy.toml");

/// Every document that a center has, in the order of the console.
pub const ALL: [Document; 6] = [
    Document::Guide(Role::Member),
    Document::Guide(Role::Store),
    Document::Form(Role::Member),
    Document::Form(Role::Store),
    Document::Terms,
    Document::Policy,
];

/// A document's version in force.
#[derive(Debug, PartialEq, Eq)]
pub struct Stored {
    /// Counts from 1.
    pub version: u32,
    /// The entry whose evidence it is.
    pub entry: EntryNumber,
    /// The content as operators edit it.
    pub text: String,
    content: Content,
}

#[derive(Debug, PartialEq, Eq)]
enum Content {
    Page(Prose),
    Fields(List<Field, { limits::FORM_FIELDS }>),
    Policy(Box<Policy>),
}

/// The documents in force.
#[derive(Default)]
pub struct Library(Mutex<BTreeMap<Document, Arc<Stored>>>);

/// A noun for people.
pub fn noun(document: Document) -> String {
    match document {
        Document::Guide(role) => format!("guide page for {role}s"),
        Document::Form(role) => format!("form for {role}s"),
        Document::Terms => "terms of use".into(),
        Document::Policy => "policy of admission".into(),
    }
}

/// What a center begins with.
pub fn first(document: Document) -> &'static str {
    match document {
        Document::Guide(Role::Member) => include_str!("defaults/guide-member.txt"),
        Document::Guide(Role::Store) => include_str!("defaults/guide-store.txt"),
        Document::Form(Role::Member) => FORM_MEMBER,
        Document::Form(Role::Store) => FORM_STORE,
        Document::Terms => include_str!("defaults/terms.txt"),
        Document::Policy => POLICY,
    }
}

/// What binds a document's content in the books: `SHA-256("inkan/v1/document" ‖ content)`.
pub fn digest(text: &str) -> Digest {
    Digest::of(&[b"inkan/v1/document", text.as_bytes()])
}

/// Whether a text may become a document's new version.
///
/// # Errors
/// In words, with the line where there is one.
pub fn check(document: Document, text: &str) -> Result<(), String> {
    read(document, text).map(drop)
}

impl Library {
    /// A document's version in force. It reads the journal when the books name another version than before.
    ///
    /// # Errors
    /// In words, when the books have none or it can't be read.
    pub fn get(&self, desk: &Desk, document: Document) -> Result<Arc<Stored>, String> {
        let named = desk.state().document(document);
        let named = named.ok_or_else(|| format!("the books have no {}", noun(document)))?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stored) = kept.get(&document).filter(|stored| stored.entry == named.entry) {
            return Ok(stored.clone());
        }
        let text = content(desk.reader(), named.entry, named.digest)
            .map_err(|why| format!("the {} in {} cannot be read: {why}", noun(document), named.entry))?;
        let content = read(document, &text)?;
        let stored = Arc::new(Stored { version: named.version, entry: named.entry, text, content });
        kept.insert(document, stored.clone());
        Ok(stored)
    }

    /// The guide page for a role.
    ///
    /// # Errors
    /// As [`Library::get`].
    pub fn guide(&self, desk: &Desk, role: Role) -> Result<Guide, String> {
        let stored = self.get(desk, Document::Guide(role))?;
        Ok(Guide { role, version: stored.version, text: stored.page() })
    }

    /// The form for a role, with the terms in force.
    ///
    /// # Errors
    /// As [`Library::get`].
    pub fn form(&self, desk: &Desk, role: Role) -> Result<Form, String> {
        let stored = self.get(desk, Document::Form(role))?;
        let fields = match &stored.content {
            Content::Fields(fields) => fields.clone(),
            Content::Page(_) | Content::Policy(_) => List::default(),
        };
        Ok(Form { role, version: stored.version, fields, terms: self.terms(desk)?.text })
    }

    /// The terms of use.
    ///
    /// # Errors
    /// As [`Library::get`].
    pub fn terms(&self, desk: &Desk) -> Result<Terms, String> {
        let stored = self.get(desk, Document::Terms)?;
        Ok(Terms { version: stored.version, text: stored.page() })
    }

    /// The policy of admission.
    ///
    /// # Errors
    /// As [`Library::get`].
    pub fn policy(&self, desk: &Desk) -> Result<Policy, String> {
        match &self.get(desk, Document::Policy)?.content {
            Content::Policy(policy) => Ok(Policy::clone(policy)),
            Content::Page(_) | Content::Fields(_) => Err("the policy is of another kind".into()),
        }
    }
}

impl Stored {
    fn page(&self) -> Prose {
        match &self.content {
            Content::Page(page) => page.clone(),
            Content::Fields(_) | Content::Policy(_) => Prose::default(),
        }
    }
}

fn read(document: Document, text: &str) -> Result<Content, String> {
    match document {
        Document::Guide(_) | Document::Terms => {
            let page = Prose::new(text.trim()).map_err(|error| error.to_string())?;
            if page.is_empty() { Err("it says nothing".into()) } else { Ok(Content::Page(page)) }
        }
        Document::Form(role) => form::read(role, text).map(Content::Fields),
        Document::Policy => Policy::read(text).map(|policy| Content::Policy(Box::new(policy))),
    }
}

fn content(reader: &Reader, entry: EntryNumber, bound: Digest) -> Result<String, String> {
    let record = reader.read(entry).map_err(|error| error.to_string())?;
    let text = String::from_utf8(record.evidence).map_err(|_| "it is not text".to_owned())?;
    if digest(&text) == bound { Ok(text) } else { Err("it is not what the entry binds".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_center_begins_with_may_be_a_document_and_nothing_may_not() {
        for document in ALL {
            check(document, first(document)).unwrap_or_else(|why| panic!("{document:?}: {why}"));
            assert!(check(document, " \n").is_err(), "{document:?}");
            assert!(check(document, &"x".repeat(limits::PROSE + 1)).is_err(), "{document:?}");
        }
        assert_ne!(digest("a"), digest("b"));
    }
}
