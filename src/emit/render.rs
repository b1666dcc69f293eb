//! Rendering: a template and a scope to text, and on demand to the origins of every line. One way for both.

use super::template::{At, Call, If, Macro, Stmt, Template};
use super::trace::{Sink, Trace};
use super::written::KnownLists;
use crate::diag::{Diag, codes};
use crate::pack::expr::text::evaluate;
use crate::pack::expr::tree::Term;
use crate::pack::expr::{Reads, Scope, Unanswered};
use crate::source::{PlaceId, Sources};
use crate::value::{Origins, Str, Tracked, Value};

/// The templates that others may include.
pub trait TemplateSet {
    fn template(&self, name: &str) -> Option<&Template>;

    /// Every name, for suggestions.
    fn names(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Whether the origins of lines are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Plain,
    Traced,
}

/// What comes of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Rendered {
    Text {
        text: String,
        /// In [`Mode::Traced`] only.
        trace: Option<Trace>,
        /// Every place that was read. In [`Mode::Traced`] only.
        reads: Origins,
    },
    /// Something faulty was read, about which a finding exists: there is no such artifact.
    Poisoned,
}

/// The largest text that a template may write.
const SIZE: usize = 64 << 20;
/// How many statements may run.
const FUEL: u32 = 20_000_000;
/// How deeply templates may include and macros call each other.
const DEPTH: usize = 24;
/// After this many findings a template has said enough.
const FINDINGS: usize = 200;

/// Renders a template. The error is every finding that one pass over it brings. `written` is what was written before of
/// the same templates.
pub fn render(
    template: &Template,
    scope: &Scope<'_>,
    set: &dyn TemplateSet,
    sources: &Sources,
    mode: Mode,
    written: &mut KnownLists,
) -> Result<Rendered, Vec<Diag>> {
    let mut renderer = Renderer {
        written,
        scope,
        set,
        sources,
        sink: Sink::new(mode == Mode::Traced),
        locals: Vec::new(),
        captured: Vec::new(),
        frame: Origins::None,
        reads: if mode == Mode::Traced { Reads::default() } else { Reads::without_places() },
        found: Vec::new(),
        poisoned: false,
        fuel: FUEL,
        depth: 0,
        stopped: false,
    };
    renderer.body(template, &template.body);
    if !renderer.found.is_empty() {
        return Err(renderer.found);
    }
    if renderer.poisoned {
        return Ok(Rendered::Poisoned);
    }
    let reads = renderer.reads.origins();
    let (text, trace) = renderer.sink.finish();
    Ok(Rendered::Text { text, trace, reads })
}

pub(super) struct Renderer<'r> {
    pub(super) written: &'r mut KnownLists,
    pub(super) scope: &'r Scope<'r>,
    pub(super) set: &'r dyn TemplateSet,
    pub(super) sources: &'r Sources,
    pub(super) sink: Sink,
    /// Names of loops and macros, the innermost last.
    pub(super) locals: Vec<(Str, Tracked)>,
    pub(super) captured: Vec<(Str, Sink)>,
    /// What all open control frames read.
    pub(super) frame: Origins,
    pub(super) reads: Reads,
    pub(super) found: Vec<Diag>,
    pub(super) poisoned: bool,
    pub(super) fuel: u32,
    pub(super) depth: usize,
    /// Set when going on makes no sense.
    pub(super) stopped: bool,
}

impl<'r> Renderer<'r> {
    pub(super) fn body(&mut self, template: &'r Template, body: &'r [Stmt]) {
        let captured = self.captured.len();
        for stmt in body {
            if self.stopped {
                break;
            }
            self.fuel = self.fuel.saturating_sub(1);
            if self.fuel == 0 || self.sink.text.len() > SIZE || self.found.len() > FINDINGS {
                self.stop(template, stmt);
                break;
            }
            self.statement(template, stmt);
        }
        self.captured.truncate(captured);
    }

    fn stop(&mut self, template: &Template, stmt: &Stmt) {
        self.stopped = true;
        let at = match stmt {
            Stmt::Raw(text, offset) => (*offset, *offset + text.len() as u32),
            Stmt::Write(write) => write.at,
            _ => (0, 0),
        };
        let message = if self.fuel == 0 {
            format!("the template runs more than {FUEL} statements")
        } else if self.sink.text.len() > SIZE {
            format!("the template writes more than {} MiB", SIZE >> 20)
        } else {
            return;
        };
        self.found.push(Diag::new(codes::TEMPLATE_RUNAWAY, message).at(template.span(at), ""));
    }

    fn statement(&mut self, template: &'r Template, stmt: &'r Stmt) {
        match stmt {
            Stmt::Raw(text, offset) => self.raw(template, text, *offset),
            Stmt::Write(write) => self.write(template, write),
            Stmt::If(branches) => self.branches(template, branches),
            Stmt::For(l) => self.repeat(template, l),
            Stmt::Include(name, at) => match self.set.template(name) {
                Some(other) => self.nested(template, *at, |r| r.body(other, &other.body)),
                None => {
                    let known = self.set.names();
                    self.found.push(super::read::no_template(name, template.span(*at), known));
                }
            },
            Stmt::Capture { name, layout, body } => {
                let mut sink = self.apart(|r| r.body(template, body));
                if layout.indent > 0 {
                    let mut laid = Sink::new(sink.traced());
                    laid.paste(&sink, *layout, &Origins::None);
                    sink = laid;
                }
                self.captured.push((name.clone(), sink));
            }
            Stmt::Paste { name, layout } => {
                if let Some((_, captured)) = self.captured.iter().rev().find(|(n, _)| n == name) {
                    self.sink.paste(captured, *layout, &self.frame);
                }
            }
            Stmt::Call(call) => self.call(template, call),
            Stmt::Laid { layout, body } => {
                let sink = self.apart(|r| r.body(template, body));
                self.sink.paste(&sink, *layout, &Origins::None);
            }
        }
    }

    /// Runs something whose text goes elsewhere.
    fn apart(&mut self, f: impl FnOnce(&mut Self)) -> Sink {
        let own = Sink::new(self.sink.traced());
        let outer = std::mem::replace(&mut self.sink, own);
        f(self);
        std::mem::replace(&mut self.sink, outer)
    }

    /// Runs another body, unless bodies nest too deeply.
    fn nested(&mut self, template: &Template, at: At, f: impl FnOnce(&mut Self)) {
        if self.depth >= DEPTH {
            self.stopped = true;
            let diag = Diag::new(codes::TEMPLATE_RUNAWAY, "templates or macros use each other without end");
            self.found.push(diag.at(template.span(at), ""));
            return;
        }
        self.depth += 1;
        f(self);
        self.depth -= 1;
    }

    fn raw(&mut self, template: &Template, text: &str, offset: u32) {
        if !self.sink.traced() {
            self.sink.text.push_str(text);
            return;
        }
        let mut at = offset;
        for line in text.split_inclusive('\n') {
            self.sink.write(line, template.line_place(at), &Origins::None, &self.frame);
            at += line.len() as u32;
        }
    }

    /// Evaluates an expression; `None` after a finding, or when it is faulty.
    pub(super) fn eval(&mut self, template: &Template, term: &Term) -> Option<Tracked> {
        let scope = self.scope.child(&self.locals);
        match evaluate(&template.text, template.anchor, term, &scope, &mut self.reads) {
            Ok(Tracked { value: Value::Poison, .. }) => {
                self.poisoned = true;
                None
            }
            Ok(found) => Some(found),
            Err(error) => {
                self.found.push(error.diag());
                None
            }
        }
    }

    /// A condition and what it read; `None` after a finding, or when it is faulty.
    pub(super) fn condition(&mut self, template: &Template, term: &Term) -> Option<(bool, Origins)> {
        let open = self.reads.unanswered.len();
        let found = self.eval(template, term)?;
        match found.value {
            Value::Bool(b) => Some((b, found.origins)),
            Value::Null => {
                let missing: Vec<Unanswered> = self.reads.unanswered.split_off(open);
                self.open_header(template, term, &missing);
                None
            }
            other => {
                let message = format!("a condition is true or false, and this is {}", other.kind());
                let span = template.span((term.start, term.end));
                self.found.push(Diag::new(codes::EXPR_CONDITION, message).at(span, ""));
                None
            }
        }
    }

    /// A header that depends on an unanswered value.
    pub(super) fn open_header(&mut self, template: &Template, term: &Term, missing: &[Unanswered]) {
        let span = template.span((term.start, term.end));
        let path = match missing.first() {
            Some(first) => first.pointer.as_deref().unwrap_or(&first.path).to_owned(),
            None => term_text(template, term),
        };
        let message = format!("the template decides on `{path}`, which is unanswered");
        let mut diag = Diag::new(codes::TEMPLATE_OPEN_CONDITION, message).at(span, "decided here");
        if let Some(place) = missing.first().and_then(|m| self.best_place(&m.origins)) {
            diag = diag.and(place, "the answer belongs here");
        }
        self.found.push(diag.help("answer it in the spec, or let the template test `is answered` first"));
    }

    /// Runs something in a control frame; when it writes nothing, the frame stays as the reason.
    pub(super) fn framed(&mut self, line: PlaceId, header: &Origins, f: impl FnOnce(&mut Self)) {
        if !self.sink.traced() {
            f(self);
            return;
        }
        let inner = self.frame.union(header);
        let outer = std::mem::replace(&mut self.frame, inner);
        let before = self.sink.text.len();
        f(self);
        if self.sink.text.len() == before {
            self.sink.absent(line, &self.frame);
        }
        self.frame = outer;
    }

    fn branches(&mut self, template: &'r Template, branches: &'r If) {
        let mut header = Origins::None;
        let line = branches.arms.first().map_or(PlaceId::NONE, |(t, _)| template.line_place(t.start));
        for (term, body) in &branches.arms {
            let Some((holds, read)) = self.condition(template, term) else { return };
            header = header.union(&read);
            if holds {
                self.framed(line, &header, |r| r.body(template, body));
                return;
            }
        }
        self.framed(line, &header, |r| r.body(template, &branches.otherwise));
    }

    fn call(&mut self, template: &'r Template, call: &'r Call) {
        let home = match &call.from {
            None => Some(template),
            Some(name) => self.set.template(name),
        };
        let Some(home) = home else {
            let name = call.from.as_deref().unwrap_or_default();
            let known = self.set.names();
            self.found.push(super::read::no_template(name, template.span(call.at), known));
            return;
        };
        let Some(callee) = home.macros.iter().find(|m| m.name == call.name) else {
            let message = format!("`{}` has no macro `{}`", home.name, call.name);
            self.found.push(Diag::new(codes::TEMPLATE_MACRO, message).at(template.span(call.at), ""));
            return;
        };
        let Some(bound) = self.arguments(template, home, callee, call) else { return };
        // A macro sees its parameters and the names that every template sees, not those around its call.
        let outer = std::mem::replace(&mut self.locals, bound);
        let captured = std::mem::take(&mut self.captured);
        self.nested(template, call.at, |r| {
            if call.layout.indent > 0 {
                let sink = r.apart(|r| r.body(home, &callee.body));
                r.sink.paste(&sink, call.layout, &Origins::None);
            } else {
                r.body(home, &callee.body);
            }
        });
        self.locals = outer;
        self.captured = captured;
    }

    fn arguments(
        &mut self,
        template: &Template,
        home: &Template,
        callee: &Macro,
        call: &Call,
    ) -> Option<Vec<(Str, Tracked)>> {
        let mut bound = Vec::with_capacity(callee.params.len());
        for (i, (name, default)) in callee.params.iter().enumerate() {
            let given = call.args.iter().enumerate().find(|(position, (key, _))| match key {
                Some(key) => key == name,
                None => *position == i,
            });
            let value = match (given, default) {
                (Some((_, (_, term))), _) => self.eval(template, term)?,
                (None, Some(term)) => self.eval(home, term)?,
                (None, None) => {
                    let message = format!("the macro `{}` is called without `{name}`", callee.name);
                    self.found.push(Diag::new(codes::TEMPLATE_MACRO, message).at(template.span(call.at), ""));
                    return None;
                }
            };
            bound.push((name.clone(), value));
        }
        Some(bound)
    }
}

pub(super) fn term_text(template: &Template, term: &Term) -> String {
    template.text.get(term.start as usize..term.end as usize).unwrap_or_default().to_owned()
}
