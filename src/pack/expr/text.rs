//! Strings with `{{ expressions }}` in them, as `pack.toml` writes names, paths, messages and commands.

use super::anchor::Anchor;
use super::check::Checker;
use super::env::Env;
use super::eval::{EvalError, Evaluator};
use super::kinds;
use super::read::read_text;
use super::scope::{Reads, Scope};
use super::tree::Term;
use crate::diag::Findings;
use crate::shape::Type;
use crate::source::PlaceId;
use crate::value::{Origins, Str, Tracked, Value};

/// A string with expressions in it.
#[derive(Clone, Debug)]
pub struct Text {
    source: Str,
    anchor: Anchor,
    parts: Vec<Part>,
}

/// One piece of a string as read.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Literal(Str),
    Value(Term),
}

/// One piece of an evaluated string.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Text of the pack, to be written as it is.
    Literal(Str),
    /// A value, to be written as the format at hand wants it.
    Value(Tracked),
}

impl Text {
    /// Reads a string. What is wrong is reported; the result is then `None`.
    pub fn parse(text: &str, at: Anchor, findings: &mut Findings) -> Option<Self> {
        let parts = match text.contains("{{") {
            true => read_text(text, &at, findings)?,
            false => vec![Part::Literal(text.into())],
        };
        Some(Self { source: text.into(), anchor: at, parts })
    }

    /// A text without expressions, for what stands at a place.
    pub fn literally(text: &str, at: Anchor) -> Self {
        Self { source: text.into(), anchor: at, parts: vec![Part::Literal(text.into())] }
    }

    /// The text, when there is no expression in it.
    pub fn literal(&self) -> Option<&Str> {
        match self.parts.as_slice() {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The text as written in the pack.
    pub fn source(&self) -> &Str {
        &self.source
    }

    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Checks every expression; the type is that of the value when the string is exactly one expression.
    pub fn check(&self, env: &Env<'_>, findings: &mut Findings) -> Type {
        self.check_parts(env, findings, &kinds::scalar)
    }

    /// As [`Text::check`], for a command, in which a list is as many words.
    pub fn check_command(&self, env: &Env<'_>, findings: &mut Findings) {
        let word = |ty: &Type| match ty {
            Type::List(item) => super::table::any_form(item, &kinds::scalar),
            other => kinds::scalar(other),
        };
        self.check_parts(env, findings, &word);
    }

    fn check_parts(&self, env: &Env<'_>, findings: &mut Findings, fits: &dyn Fn(&Type) -> bool) -> Type {
        let mut checker = Checker::new(self.anchor, env, findings);
        let mut types = Vec::new();
        for part in &self.parts {
            if let Part::Value(term) = part {
                types.push((term, checker.type_of(term)));
            }
        }
        match (self.parts.as_slice(), types.as_slice()) {
            ([Part::Value(_)], [(_, ty)]) => ty.clone(),
            _ => {
                for (term, ty) in types {
                    if !super::table::any_form(&ty, &fits) {
                        let message = format!("{} cannot stand within a string", kinds::describe(&ty));
                        let help = Some("join its items with `|join(', ')`, or name one of its parts".into());
                        checker.wrong_operand((term.start, term.end), message, help);
                    }
                }
                Type::Text
            }
        }
    }

    /// The whole: the typed value when the string is exactly one expression, otherwise the joined text. Unknown when
    /// one part is unknown.
    pub fn eval(&self, scope: &Scope<'_>, reads: &mut Reads) -> Result<Tracked, EvalError> {
        match self.parts.as_slice() {
            [Part::Value(term)] => return evaluate(&self.source, self.anchor, term, scope, reads),
            [Part::Literal(text)] => return Ok(Tracked::new(text.clone(), self.anchor.place)),
            _ => {}
        }
        let mut joined = String::with_capacity(self.source.len());
        let mut origins = Vec::new();
        if !reads.bare {
            origins.push(Origins::from(self.anchor.place));
        }
        let mut open = None;
        for part in &self.parts {
            match part {
                Part::Literal(text) => joined.push_str(text),
                Part::Value(term) => {
                    let found = evaluate(&self.source, self.anchor, term, scope, reads)?;
                    match &found.value {
                        Value::Null => open = open.or(Some(Value::Null)),
                        Value::Poison => open = Some(Value::Poison),
                        value if value.push_text(&mut joined) => {}
                        value => return Err(not_single(self.anchor, term, value)),
                    }
                    if !matches!(found.origins, Origins::None) {
                        origins.push(found.origins);
                    }
                }
            }
        }
        if reads.bare && open.is_some() {
            origins.push(Origins::from(self.anchor.place));
        }
        let value = open.unwrap_or_else(|| Value::Str(joined.into()));
        Ok(Tracked { value, origins: Origins::all(&origins) })
    }

    /// The pieces, for a writer that escapes each value. Unknown and faulty values stay as they are.
    pub fn pieces(&self, scope: &Scope<'_>, reads: &mut Reads) -> Result<Vec<Piece>, EvalError> {
        let piece = |part: &Part| match part {
            Part::Literal(text) => Ok(Piece::Literal(text.clone())),
            Part::Value(term) => evaluate(&self.source, self.anchor, term, scope, reads).map(Piece::Value),
        };
        self.parts.iter().map(piece).collect()
    }

    /// The literal text, with `None` where a value stands.
    pub fn literals(&self) -> impl Iterator<Item = Option<&str>> {
        self.parts.iter().map(|part| match part {
            Part::Literal(text) => Some(&**text),
            Part::Value(_) => None,
        })
    }

    /// Whether each value of this text is one of another text, too: whoever has that text has asked for all of them.
    pub fn is_within(&self, other: &Text) -> bool {
        fn values(text: &Text) -> impl Iterator<Item = Option<&str>> {
            let values = text.parts.iter().filter_map(|part| match part {
                Part::Literal(_) => None,
                Part::Value(term) => Some((term.start as usize, term.end as usize)),
            });
            values.map(|(start, end)| text.source.get(start..end))
        }
        values(self).all(|value| value.is_some() && values(other).any(|others| others == value))
    }

    /// Calls `f` with every node of every expression.
    pub fn walk<'a>(&'a self, f: &mut impl FnMut(&'a Term)) {
        for part in &self.parts {
            if let Part::Value(term) = part {
                term.walk(f);
            }
        }
    }
}

/// Evaluates a tree; the place of its text is among the origins of the result.
pub(crate) fn evaluate(
    text: &str,
    anchor: Anchor,
    term: &Term,
    scope: &Scope<'_>,
    reads: &mut Reads,
) -> Result<Tracked, EvalError> {
    evaluate_condition(text, anchor, term, scope, true, reads)
}

/// The same; unless `traced`, a value that is false has no origins.
pub(crate) fn evaluate_condition(
    text: &str,
    anchor: Anchor,
    term: &Term,
    scope: &Scope<'_>,
    traced: bool,
    reads: &mut Reads,
) -> Result<Tracked, EvalError> {
    reads.stack.clear();
    reads.stack.extend((anchor.place != PlaceId::NONE).then_some(Origins::from(anchor.place)));
    let mut evaluator = Evaluator::new(text, anchor, scope, reads);
    let value = evaluator.value(term);
    let poisoned = evaluator.poisoned;
    reads.poisoned |= poisoned;
    reads.keep_from(usize::from(anchor.place != PlaceId::NONE));
    let origins = match value {
        Ok(Value::Bool(false)) if !traced => Origins::None,
        Ok(Value::Null | Value::Poison) => Origins::all(&reads.stack),
        _ if reads.bare => Origins::None,
        _ => Origins::all(&reads.stack),
    };
    reads.stack.clear();
    Ok(Tracked { value: value?, origins })
}

fn not_single(anchor: Anchor, term: &Term, value: &Value) -> EvalError {
    EvalError {
        span: anchor.span(term.start, term.end),
        message: format!("{} cannot stand within a string", value.kind()),
        help: Some("join its items with `|join(', ')`, or name one of its parts".into()),
        culprit: None,
    }
}
