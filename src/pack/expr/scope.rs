//! What an expression is evaluated against, and what it notes while it is: names, tables, reads.

use crate::value::{Origins, Ref, Str, Tracked};

/// What lies behind names that are bound to tables of the site, and the answers that only an installation gives.
pub trait Tables {
    /// The entry `name` of the site's table `table`; `None` when there is no such entry.
    fn entry(&self, table: &str, name: &str) -> Option<&Tracked>;

    /// What `blank('name')` writes; `None` when the pack declares no such blank.
    fn blank(&self, _name: &str) -> Option<Tracked> {
        None
    }

    /// The JSON Pointer of what a name of the scope stands for; `None` for what is no place of the site.
    fn pointer(&self, name: &str) -> Option<String> {
        (name == "site").then(String::new)
    }
}

/// No tables at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTables;

impl Tables for NoTables {
    fn entry(&self, _table: &str, _name: &str) -> Option<&Tracked> {
        None
    }
}

/// The names that an expression may use. A later name hides an earlier one, a name here hides the parent's.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    parent: Option<&'a Scope<'a>>,
    names: Names<'a>,
    pub(super) tables: &'a dyn Tables,
}

#[derive(Clone, Copy)]
enum Names<'a> {
    One(&'a Str, &'a Tracked),
    Several(&'a [(Str, Tracked)]),
}

impl<'a> Scope<'a> {
    /// A scope of these names.
    pub fn new(names: &'a [(Str, Tracked)], tables: &'a dyn Tables) -> Self {
        Self { parent: None, names: Names::Several(names), tables }
    }

    /// A scope of these names and, behind them, all of this one.
    pub fn child<'b>(&'b self, names: &'b [(Str, Tracked)]) -> Scope<'b> {
        Scope { parent: Some(self), names: Names::Several(names), tables: self.tables }
    }

    /// A scope of one name and, behind it, all of this one.
    pub fn with<'b>(&'b self, name: &'b Str, value: &'b Tracked) -> Scope<'b> {
        Scope { parent: Some(self), names: Names::One(name, value), tables: self.tables }
    }

    pub fn get(&self, name: &str) -> Option<&'a Tracked> {
        let found = match self.names {
            Names::One(own, value) => (**own == *name).then_some(value),
            Names::Several(names) => names.iter().rev().find(|(own, _)| **own == *name).map(|(_, value)| value),
        };
        found.or_else(|| self.parent?.get(name))
    }

    /// What a bound name names.
    pub fn entry(&self, name: &Ref) -> Option<&'a Tracked> {
        self.tables.entry(&name.table, &name.name)
    }

    /// Every name, the innermost first.
    pub fn names(&self) -> Vec<&'a str> {
        let mut names: Vec<&str> = match self.names {
            Names::One(name, _) => vec![name],
            Names::Several(names) => names.iter().rev().map(|(name, _)| &**name).collect(),
        };
        if let Some(parent) = self.parent {
            names.extend(parent.names());
        }
        names
    }
}

/// An answer that an expression needed and did not find.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unanswered {
    /// As the expression names it: `host.iops.read`.
    pub path: String,
    /// The place in the resolved site, where it can be told: `/hosts/w1/iops/read`.
    pub pointer: Option<String>,
    /// The place that holds the open answer, or the map in which it is missing.
    pub origins: Origins,
    /// Everything that was read on the way to it, loops and conditions included.
    pub reads: Origins,
}

/// What evaluations noted. One `Reads` may gather those of several.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    /// Unanswered values that kept a result unknown.
    pub unanswered: Vec<Unanswered>,
    /// Whether a faulty value was read; the result is then [`Value::Poison`](crate::value::Value::Poison).
    pub poisoned: bool,
    /// Every place read, in the order of reading, with repetitions.
    places: Vec<Origins>,
    /// Whether nobody will ask for the places.
    pub(super) placeless: bool,
    /// Whether nobody will ask what a known value came from.
    pub bare: bool,
    /// The places that the value under evaluation depends on.
    pub(super) stack: Vec<Origins>,
}

impl Reads {
    /// Reads that do not keep the places, nor tell what a value depends on: those of a large document are many.
    pub fn without_places() -> Self {
        Self { placeless: true, ..Self::default() }
    }

    /// The set of all places read.
    pub fn origins(&self) -> Origins {
        Origins::all(&self.places)
    }

    /// The sets that were read, with repetitions.
    pub fn each(&self) -> impl Iterator<Item = &Origins> {
        self.places.iter()
    }

    /// Adds what another evaluation noted.
    pub fn absorb(&mut self, other: &Reads) {
        self.unanswered.extend(other.unanswered.iter().cloned());
        self.poisoned |= other.poisoned;
        self.keep(&other.places);
    }

    /// Keeps what is on the stack from `mark` on.
    pub(super) fn keep_from(&mut self, mark: usize) {
        if !self.placeless {
            self.places.extend_from_slice(&self.stack[mark..]);
        }
    }

    pub(super) fn keep(&mut self, places: &[Origins]) {
        if !self.placeless {
            self.places.extend_from_slice(places);
        }
    }

    /// Notes places as read.
    pub fn note(&mut self, origins: &Origins) {
        self.keep(std::slice::from_ref(origins));
    }

    pub fn clear(&mut self) {
        self.unanswered.clear();
        self.poisoned = false;
        self.bare = false;
        self.places.clear();
        self.stack.clear();
    }
}
