//! The names that an expression may use, with their types.

use crate::shape::Type;
use crate::value::Str;

/// The names that an expression may use, with their types. A later name hides an earlier one.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    parent: Option<&'a Env<'a>>,
    names: &'a [(Str, Type)],
    /// The type of the whole site, in which bound names are looked up.
    site: &'a Type,
    pub(super) blanks: Option<&'a [Str]>,
}

impl<'a> Env<'a> {
    pub fn new(names: &'a [(Str, Type)], site: &'a Type) -> Self {
        Self { parent: None, names, site, blanks: None }
    }

    /// The same with the names that `blank('…')` may use.
    pub fn with_blanks(self, blanks: &'a [Str]) -> Self {
        Self { blanks: Some(blanks), ..self }
    }

    /// These names and, behind them, all of this environment.
    pub fn child<'b>(&'b self, names: &'b [(Str, Type)]) -> Env<'b> {
        Env { parent: Some(self), names, site: self.site, blanks: self.blanks }
    }

    pub fn get(&self, name: &str) -> Option<&'a Type> {
        match self.names.iter().rev().find(|(n, _)| &**n == name) {
            Some((_, ty)) => Some(ty),
            None => self.parent.and_then(|p| p.get(name)),
        }
    }

    /// The type of an entry of one of the site's tables.
    pub fn entry(&self, table: &str) -> Type {
        match self.site.field(table) {
            Some(Type::Table(entry) | Type::Keyed { of: entry, .. }) => (*entry).clone(),
            _ => Type::Any,
        }
    }

    pub(super) fn all(&self) -> Vec<&'a str> {
        let mut names: Vec<&str> = self.names.iter().map(|(n, _)| &**n).collect();
        names.extend(self.parent.map(Env::all).unwrap_or_default());
        names
    }
}
