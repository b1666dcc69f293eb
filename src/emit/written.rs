//! One interpolation while it is rendered: a value to text, or the finding why there is none.

use std::sync::Arc;

use indexmap::IndexMap;

use super::escape::{Refusal, escape};
use super::render::{Renderer, term_text};
use super::template::{Template, Write};
use crate::diag::{Diag, codes};
use crate::pack::expr::text::evaluate;
use crate::pack::expr::{Reads, Unanswered};
use crate::source::{Role, Span};
use crate::value::{Origins, Tracked, Value};

/// What has been written of lists that many artifacts have in common.
#[derive(Debug, Default)]
pub struct KnownLists {
    /// By the list and the place that it is written at, as both lie in memory, with the list, so that it stays there. It is
    /// never gone through.
    known: IndexMap<(usize, usize), (Value, String)>,
}

impl KnownLists {
    /// What to remember a list by: only one that others hold as well will come again.
    fn key(write: &Write, found: &Tracked) -> Option<(usize, usize)> {
        match &found.value {
            Value::List(items) if Arc::strong_count(items) > 1 => {
                Some((Arc::as_ptr(items).addr(), std::ptr::from_ref(write).addr()))
            }
            _ => None,
        }
    }
}

impl<'r> Renderer<'r> {
    pub(super) fn write(&mut self, template: &'r Template, write: &'r Write) {
        let open = self.reads.unanswered.len();
        let Some(found) = self.eval(template, &write.term) else { return };
        if found.value.is_null() {
            let missing: Vec<Unanswered> = self.reads.unanswered.split_off(open);
            let found = self.with_origins(template, write).unwrap_or(found);
            self.nothing(template, write, &found, &missing);
            return;
        }
        let shared = KnownLists::key(write, &found).filter(|_| !self.sink.traced());
        if let Some((_, text)) = shared.and_then(|key| self.written.known.get(&key)) {
            self.sink.text.push_str(text);
            return;
        }
        match self.token(template, write, &found) {
            Ok(Some((text, origins))) => {
                let line = template.line_place(write.at.0);
                self.sink.write(&text, line, &origins, &self.frame);
                if let Some(key) = shared {
                    self.written.known.insert(key, (found.value, text));
                }
            }
            Ok(None) => self.poisoned = true,
            Err(refusal) => {
                let found = self.with_origins(template, write).unwrap_or(found);
                self.refused(template, write, &found, refusal);
            }
        }
    }

    /// The value once more, with what it comes from: that is put together for lines that are traced and for findings.
    fn with_origins(&self, template: &Template, write: &Write) -> Option<Tracked> {
        let scope = self.scope.child(&self.locals);
        evaluate(&template.text, template.anchor, &write.term, &scope, &mut Reads::default()).ok()
    }

    /// The text of a value at its place; `None` when an item is faulty.
    fn token(
        &mut self,
        template: &Template,
        write: &Write,
        found: &Tracked,
    ) -> Result<Option<(String, Origins)>, Refusal> {
        let one = |value: &Value| match (write.raw, value.text()) {
            (true, Some(text)) => Ok(text.to_string()),
            (true, None) => Err(Refusal::new(format!("{} has no text", value.kind()))),
            (false, _) => escape(template.format, write.context, value),
        };
        let (Some(separator), Value::List(items)) = (&write.separator, &found.value) else {
            let mut origins = found.origins.clone();
            if let Value::List(items) = &found.value {
                origins = origins.union(&Origins::all(items.iter().map(|i| &i.origins)));
            }
            return one(&found.value).map(|text| Some((text, origins)));
        };
        let mut text = String::new();
        for (i, item) in items.iter().enumerate() {
            if matches!(item.value, Value::Poison) {
                return Ok(None);
            }
            if i > 0 {
                text.push_str(separator);
            }
            text.push_str(&one(&item.value)?);
            self.reads.note(&item.origins);
        }
        let origins = Origins::all(items.iter().map(|i| &i.origins).chain([&found.origins]));
        Ok(Some((text, origins)))
    }

    /// There is no value: the finding stands where the answer belongs.
    fn nothing(&mut self, template: &Template, write: &Write, found: &Tracked, missing: &[Unanswered]) {
        let here = template.span((write.term.start, write.term.end));
        let (path, origins) = match missing.first() {
            Some(first) => (first.pointer.as_deref().unwrap_or(&first.path).to_owned(), &first.origins),
            None => (term_text(template, &write.term), &found.origins),
        };
        let diag = Diag::new(codes::TEMPLATE_NOTHING, format!("nothing to write: `{path}` is unanswered"));
        let diag = match self.best_place(origins) {
            Some(span) => diag.at(span, "the answer belongs here").and(here, "and is written here"),
            None => diag.at(here, ""),
        };
        self.found.push(diag.help("answer it in the spec, or let the template test `is answered` first"));
    }

    fn refused(&mut self, template: &Template, write: &Write, found: &Tracked, refusal: Refusal) {
        let here = template.span((write.term.start, write.term.end));
        let format = template.format.name();
        let diag = Diag::new(codes::UNWRITABLE, refusal.message);
        let diag = match self.best_place(&found.origins) {
            Some(span) => diag.at(span, "").and(here, format!("cannot be written here in {format}")),
            None => diag.at(here, format!("cannot be written here in {format}")),
        };
        self.found.push(match refusal.help {
            Some(help) => diag.help(help),
            None => diag,
        });
    }

    /// The innermost place of the spec among the origins, or else of a pack.
    pub(super) fn best_place(&self, origins: &Origins) -> Option<Span> {
        let spans = origins.as_slice().iter().filter_map(|p| self.sources.span_of(*p));
        spans.min_by_key(|s| {
            let rank = match self.sources.file(s.file).role {
                Role::Spec => 0,
                Role::Pack => 1,
                _ => 2,
            };
            (rank, s.end - s.start, *s)
        })
    }
}
