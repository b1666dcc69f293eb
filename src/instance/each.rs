//! Evaluating what a pack says: expressions, texts and conditions, with what is left open kept for questions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::seen::Places;
use crate::diag::codes::{PACK_EVALUATION, TEMPLATE_POSITION, UNWRITABLE};
use crate::diag::{Diag, Findings};
use crate::emit::escape::position::{Violation, contexts};
use crate::emit::escape::{Context, Format, Refusal, escape};
use crate::pack::expr::{Expr, Piece, Reads, Scope, Text, Unanswered};
use crate::source::{PlaceId, Role, Sources, Span};
use crate::value::{Origins, Str, Tracked, Value};

/// What evaluations leave behind beside their results.
#[derive(Debug, Default)]
pub struct Run {
    pub findings: Findings,
    pub withheld: Vec<Withheld>,
    /// Fields of merged items that disagree: what it is, and the origins of both.
    pub conflicts: Vec<(String, Origins, Origins)>,
    /// Directories, by host and path, that items of two storages are in: what these disagree about follows from it.
    pub shared: BTreeSet<(Str, Str)>,
    /// Values that a text could not take: why, where they come from, and the text.
    pub refused: Vec<(Refusal, Origins, Span)>,
    /// Findings of expressions that failed, with what these read.
    pub misfits: Vec<(Diag, Origins)>,
    pub asked: Vec<Asked>,
    /// What loops and conditions read that let an item not be there, where lines are traced; whoever numbers or joins
    /// items takes it.
    pub absent: Vec<Origins>,
    /// The answers without which there would be more questions.
    pub settled: Vec<Origins>,
    /// The places that expressions have read.
    pub seen: Places,
    /// The texts that name the file of the item at work, where an open item leaves its file open.
    pub watched: Vec<Text>,
    /// The files that are open, as these texts name them.
    pub open_files: Vec<OpenFile>,
    /// Loops and conditions that came to nothing because of what is faulty.
    pub lost: usize,
    /// Kinds of which items may be missing, because an answer is or because something is faulty: that one is not there
    /// says nothing.
    pub unknown: BTreeSet<&'static str>,
    /// Whether the origins of lines are wanted.
    pub traced: bool,
    /// The lists of loops by their text, with what they read; no origins of the expression's own place are in them.
    pub(crate) lists: BTreeMap<Str, (Vec<Tracked>, Tracked)>,
    /// Fields of items by their place, and whether with the origins of everything in them: the value of those without an
    /// expression, `None` for others.
    pub(crate) constants: BTreeMap<(PlaceId, bool), Option<Tracked>>,
    /// The reads of the last evaluation, for the room that they take.
    pub(super) scratch: Reads,
    /// How the values of each text are to be written in a format: the same for every host.
    pub(crate) contexts: BTreeMap<(Span, Format, Str), Contexts>,
}

/// How each value of a text is to be written, or what is wrong with the text.
pub(crate) type Contexts = Arc<Result<Vec<Context>, Violation>>;

/// A file of which something is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenFile {
    /// For each text that names it what is known of it: the text, with `None` for what is not.
    pub names: Vec<Vec<Option<Str>>>,
    /// What leaves it open.
    pub reads: Origins,
}

impl OpenFile {
    /// Whether these texts name the file, as far as its names are known.
    pub fn is(&self, names: &[&str]) -> bool {
        self.names.len() == names.len() && self.names.iter().zip(names).all(|(known, name)| fits(known, name))
    }

    /// The text of a name that is known as a whole.
    pub fn known(&self, index: usize) -> Option<&Str> {
        match self.names.get(index)?.as_slice() {
            [Some(text)] => Some(text),
            _ => None,
        }
    }
}

/// Whether a text has the known pieces in their order.
fn fits(pieces: &[Option<Str>], text: &str) -> bool {
    let Some((first, more)) = pieces.split_first() else { return text.is_empty() };
    match first {
        Some(known) => text.strip_prefix(&**known).is_some_and(|rest| fits(more, rest)),
        None => (0..=text.len()).filter(|i| text.is_char_boundary(*i)).any(|i| fits(more, &text[i..])),
    }
}

/// A question in the words of a pack.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub product: Str,
    pub ask: Str,
    /// Who can answer it.
    pub who: Str,
    /// Citation or reason.
    pub why: Str,
    pub waits: Vec<Str>,
    pub unanswered: Vec<Unanswered>,
    /// What the words of the question read.
    pub origins: Origins,
}

/// Adds what was read on the way to open answers.
pub(super) fn behind(open: &mut [Unanswered], read: &Origins) {
    for unanswered in open {
        unanswered.reads = unanswered.reads.union(read).union(&unanswered.origins);
    }
}

/// Whether Markdown text ends inside inline code, where nothing is escaped.
fn in_code(text: &str) -> bool {
    text.rsplit('\n').next().unwrap_or_default().matches('`').count() % 2 == 1
}

/// The text of a value that can stand in inline code as it is.
fn plain(value: &Value) -> Option<Str> {
    value.text().filter(|text| !text.chars().any(|c| c == '`' || c.is_control()))
}

/// Something that waits for an answer.
#[derive(Clone, Debug, Default)]
pub struct Withheld {
    pub product: Str,
    /// What waits, for people: ``artifact `helm/rl/values.yaml` ``.
    pub what: String,
    pub unanswered: Vec<Unanswered>,
    /// Citation or reason of the item that waits.
    pub why: Str,
    /// What `what` read.
    pub origins: Origins,
}

/// The result of an evaluation.
#[derive(Clone, Debug)]
pub enum Answer {
    Known(Tracked),
    /// Unknown, because these are unanswered.
    Open(Vec<Unanswered>),
    /// Something faulty was read, or the evaluation failed; it has been reported.
    Poison,
}

impl Run {
    /// A run that nothing has been left behind by.
    pub fn new(traced: bool) -> Run {
        Run { traced, ..Run::default() }
    }

    /// A run of its own for what is evaluated at the same time; [`Run::absorb`] takes what it leaves behind.
    pub fn beside(&self) -> Run {
        Run::new(self.traced)
    }

    /// What this run has left behind in findings and open answers, if any of them; it goes on without.
    pub fn taken(&mut self) -> Option<Run> {
        let nothing = self.findings.is_empty() && self.withheld.is_empty();
        (!nothing).then(|| std::mem::replace(self, Run::new(self.traced)))
    }

    /// Adds what another run left behind, as if it had come after everything so far.
    pub fn absorb(&mut self, other: Run) {
        self.findings.extend(other.findings);
        self.withheld.extend(other.withheld);
        self.conflicts.extend(other.conflicts);
        self.shared.extend(other.shared);
        self.lost += other.lost;
        self.unknown.extend(other.unknown);
        self.refused.extend(other.refused);
        self.misfits.extend(other.misfits);
        self.asked.extend(other.asked);
        self.absent.extend(other.absent);
        self.settled.extend(other.settled);
        self.open_files.extend(other.open_files);
        self.seen.absorb(other.seen);
    }

    /// Turns the refusals that were noted into findings at the values' places in the spec.
    pub fn report_refused(&mut self, sources: &Sources) {
        let refused = std::mem::take(&mut self.refused).into_iter();
        for (refusal, origins, text) in refused.filter(|(refusal, ..)| !refusal.is_told) {
            let spans = origins.as_slice().iter().filter_map(|p| sources.span_of(*p));
            let of_spec = spans.filter(|s| sources.file(s.file).role == Role::Spec);
            let diag = Diag::new(UNWRITABLE, refusal.message);
            let mut diag = match of_spec.min_by_key(|s| (s.end - s.start, *s)) {
                Some(span) => diag.at(span, "").and(text, "cannot be written here"),
                None => diag.at(text, ""),
            };
            diag.help = refusal.help;
            self.findings.push(diag);
        }
    }

    /// Notes that an item is not there, and what keeps it from being there: only lines that are traced ask for that.
    pub fn is_absent(&mut self, origins: impl FnOnce() -> Origins) {
        if self.traced {
            self.absent.push(origins());
        }
    }

    /// Evaluates an expression.
    pub fn eval(&mut self, expr: &Expr, scope: &Scope) -> Answer {
        let mut reads = self.fresh_reads();
        let result = expr.eval(scope, &mut reads);
        self.seen.note(&reads);
        self.answer(result, reads)
    }

    /// Evaluates what must be true or false; anything else is a finding.
    pub fn condition(&mut self, expr: &Expr, scope: &Scope) -> Answer {
        let answer = self.eval(expr, scope);
        self.truth(answer, expr, scope)
    }

    /// What a condition came to; anything but true and false is a finding.
    pub(super) fn truth(&mut self, answer: Answer, expr: &Expr, scope: &Scope) -> Answer {
        match answer {
            Answer::Known(value) if !matches!(value.value, Value::Bool(_)) => {
                let message = format!("a condition is true or false, and this is {}", value.value.kind());
                let diag = Diag::new(PACK_EVALUATION, message).at(expr.anchor().span, "");
                self.misfits.push((diag, expr.own_origins(scope).unwrap_or(value.origins)));
                Answer::Poison
            }
            answer => answer,
        }
    }

    /// Evaluates a text with its interpolations; a text that is one interpolation keeps its type.
    pub fn text(&mut self, text: &Text, scope: &Scope) -> Answer {
        self.text_of(text, scope, false)
    }

    /// The same where only who traces lines asks what a known text comes from.
    pub fn bare_text(&mut self, text: &Text, scope: &Scope) -> Answer {
        self.text_of(text, scope, !self.traced)
    }

    fn text_of(&mut self, text: &Text, scope: &Scope, bare: bool) -> Answer {
        if let Some(literal) = text.literal() {
            return Answer::Known(Tracked::new(literal.clone(), text.anchor().place));
        }
        let mut reads = self.fresh_reads();
        reads.bare = bare;
        let result = text.eval(scope, &mut reads);
        self.seen.note(&reads);
        self.answer(result, reads)
    }

    /// Evaluates a text, each interpolated value written by a format's rules; plainly where `format` is `None`.
    pub fn written(&mut self, text: &Text, scope: &Scope, format: Option<Format>) -> Answer {
        // A text without a value is the same in every format.
        let Some(format) = format.filter(|_| text.literal().is_none()) else { return self.text(text, scope) };
        let mut reads = self.fresh_reads();
        let pieces = match text.pieces(scope, &mut reads) {
            Ok(pieces) => pieces,
            Err(error) => {
                self.findings.push(error.diag());
                return Answer::Poison;
            }
        };
        self.seen.note(&reads);
        let contexts = self.contexts_of(text, format);
        let mut contexts = match &*contexts {
            Ok(contexts) => contexts.iter().copied(),
            Err(violation) => {
                let diag = Diag::new(TEMPLATE_POSITION, violation.message.clone()).at(text.anchor().span, "");
                self.findings.push(diag.help(violation.help.clone()));
                return Answer::Poison;
            }
        };
        let mut joined = String::new();
        let mut origins = vec![Origins::from(text.anchor().place)];
        for piece in pieces {
            let value = match piece {
                Piece::Literal(text) => {
                    joined.push_str(&text);
                    continue;
                }
                Piece::Value(value) => value,
            };
            let context = contexts.next().expect("there is a context for each value of a text");
            match &value.value {
                Value::Poison => return Answer::Poison,
                Value::Null => return self.answer(Ok(value), reads),
                Value::List(items) if items.iter().any(|item| item.value.is_poison()) => return Answer::Poison,
                // What is unanswered is a question, also as one of many.
                Value::List(items) if items.iter().any(|item| item.value.is_null()) => {
                    let open = items.iter().find(|item| item.value.is_null()).cloned().unwrap_or_default();
                    return self.answer(Ok(open), reads);
                }
                // A list in a command is as many words.
                Value::List(items) if format == Format::Shell => {
                    let words = items.iter().map(|item| escape(format, context, &item.value));
                    match words.collect::<Result<Vec<_>, _>>() {
                        Ok(words) => {
                            origins.extend(items.iter().map(|item| item.origins.clone()));
                            joined.push_str(&words.join(" "));
                        }
                        Err(refusal) => {
                            self.refused.push((refusal, value.origins, text.anchor().span));
                            return Answer::Poison;
                        }
                    }
                }
                known if format == Format::Markdown && in_code(&joined) && plain(known).is_some() => {
                    joined.push_str(&plain(known).unwrap_or_default());
                }
                known => match escape(format, context, known) {
                    Ok(written) => joined.push_str(&written),
                    Err(refusal) => {
                        self.refused.push((refusal, value.origins, text.anchor().span));
                        return Answer::Poison;
                    }
                },
            }
            origins.push(value.origins);
        }
        self.scratch = reads;
        Answer::Known(Tracked { value: Value::Str(joined.into()), origins: Origins::all(&origins) })
    }

    fn contexts_of(&mut self, text: &Text, format: Format) -> Contexts {
        let key = (text.anchor().span, format, text.source().clone());
        self.contexts.entry(key).or_insert_with(|| Arc::new(contexts(format, text.literals()))).clone()
    }

    /// Reads for an evaluation, with nothing in them; those of the last one are used again.
    pub(super) fn fresh_reads(&mut self) -> Reads {
        let mut reads = std::mem::take(&mut self.scratch);
        reads.clear();
        reads
    }

    pub(super) fn answer(&mut self, result: Result<Tracked, crate::pack::expr::EvalError>, mut reads: Reads) -> Answer {
        let answer = match result {
            Err(error) => {
                let culprit = error.culprit.clone().filter(|places| !places.as_slice().is_empty());
                self.misfits.push((error.diag(), culprit.unwrap_or_else(|| reads.origins())));
                Answer::Poison
            }
            Ok(Tracked { value: Value::Poison, .. }) => Answer::Poison,
            Ok(Tracked { value: Value::Null, origins }) => {
                let read = reads.origins().union(&origins);
                let mut open = std::mem::take(&mut reads.unanswered);
                if open.is_empty() {
                    open.push(Unanswered { path: String::new(), pointer: None, origins, reads: Origins::None });
                }
                behind(&mut open, &read);
                Answer::Open(open)
            }
            Ok(value) => Answer::Known(value),
        };
        self.scratch = reads;
        answer
    }

    /// Reports that an expression gave a value of the wrong kind.
    pub fn not_a(&mut self, span: Span, expected: &str, found: &Value) {
        self.findings
            .push(Diag::new(PACK_EVALUATION, format!("this gives {}, expected {expected}", found.kind())).at(span, ""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_code_is_told_from_text() {
        assert!(in_code("the account `"));
        assert!(!in_code("the account `a` and"));
        assert!(!in_code("an open ` on another line\n"));
    }

    #[test]
    fn a_value_leaves_inline_code_only_escaped() {
        assert_eq!(plain(&Value::str("a_b:c")).as_deref(), Some("a_b:c"));
        assert_eq!(plain(&Value::str("a` **b**")), None);
        assert_eq!(plain(&Value::str("a\nb")), None);
    }
}
