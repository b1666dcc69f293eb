//! Reading: the text of a template to our own tree, by way of minijinja's parser. What a template must not do is
//! reported here.

use minijinja::machinery::{self, ast};
use minijinja::syntax::SyntaxConfig;

use super::escape::Format;
use super::settle::settle;
use super::template::{At, For, If, Layout, Macro, Stmt, Template};
use crate::diag::codes::{self, Code};
use crate::diag::{Diag, Findings, similar_name};
use crate::pack::expr::Anchor;
use crate::pack::expr::read::Reader;
use crate::pack::expr::tree::{Op, Term};
use crate::source::{FileId, PlaceId, Sources, Span};
use crate::value::Str;

/// Deepest nesting of statements.
const DEPTH: usize = 24;
/// Most `elif`s of a template: minijinja nests them.
const ELIFS: usize = 300;

impl Template {
    /// Reads a template of `format` from the file that holds its text. What is wrong is reported, all of it; the result
    /// is then `None`.
    pub fn parse(
        name: &str,
        file: FileId,
        sources: &mut Sources,
        format: Format,
        findings: &mut Findings,
    ) -> Option<Self> {
        let source = sources.file(file);
        let text: Str = source.text.clone();
        let starts = source.line_starts().to_vec();
        let ends = starts.iter().skip(1).copied().chain([text.len() as u32]);
        let spans: Vec<Span> = starts.iter().zip(ends).map(|(s, e)| Span::new(file, *s as usize, e as usize)).collect();
        let lines = spans.into_iter().map(|span| sources.place(span)).collect();
        let anchor = Anchor::exact(Span::new(file, 0, text.len()), PlaceId::NONE);
        let mut template = Template {
            name: name.into(),
            format,
            text: text.clone(),
            anchor,
            lines,
            starts,
            body: Vec::new(),
            macros: Vec::new(),
        };
        let mut statements = Statements {
            text: &text,
            expressions: Reader::new(&text, &anchor, findings),
            macros: Vec::new(),
            imports: Vec::new(),
            captures: Vec::new(),
            read: Vec::new(),
            depth: 0,
        };
        template.body = statements.whole()?;
        template.macros = statements.read;
        if statements.expressions.failed {
            return None;
        }
        settle(&mut template, findings).then_some(template)
    }
}

/// The delimiters of templates: text with braces of its own passes untouched.
fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder()
        .variable_delimiters("<{", "}>")
        .block_delimiters("<%", "%>")
        .comment_delimiters("<#", "#>")
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .expect("the delimiters are distinct and not empty")
}

pub(super) struct Statements<'r> {
    pub(super) text: &'r str,
    pub(super) expressions: Reader<'r>,
    /// The names of this template's macros.
    pub(super) macros: Vec<Str>,
    /// Macros of other templates: name here, template, name there.
    pub(super) imports: Vec<(Str, Str, Str)>,
    /// The names of captured text that are known at this point.
    pub(super) captures: Vec<Str>,
    /// The macros read so far.
    pub(super) read: Vec<Macro>,
    pub(super) depth: usize,
}

impl Statements<'_> {
    fn whole(&mut self) -> Option<Vec<Stmt>> {
        let text = self.text;
        let syntax = syntax();
        if text.matches("elif").count() > ELIFS {
            self.refuse((0, 0), codes::TEMPLATE_TOO_LARGE, "the template has too many branches", "split it");
            return None;
        }
        if !self.expressions.small_enough(text, false, &syntax) {
            return None;
        }
        let tree = match machinery::parse(text, "", syntax) {
            Ok(ast::Stmt::Template(tree)) => tree,
            Ok(_) => return None,
            Err(error) => {
                self.expressions.syntax_error(text, &error, codes::TEMPLATE_SYNTAX, None);
                return None;
            }
        };
        self.macros = tree
            .children
            .iter()
            .filter_map(|s| match s {
                ast::Stmt::Macro(m) => Some(m.name.into()),
                _ => None,
            })
            .collect();
        Some(self.body(&tree.children))
    }

    pub(super) fn refuse(&mut self, at: At, code: Code, message: &str, help: &str) {
        self.expressions.report(at, |s| Diag::new(code, message).at(s, "").help(help));
    }

    /// Converts statements; names of text captured in them end with them.
    fn body(&mut self, stmts: &[ast::Stmt<'_>]) -> Vec<Stmt> {
        let known = self.captures.len();
        self.depth += 1;
        let mut body = Vec::with_capacity(stmts.len());
        if self.depth > DEPTH {
            self.refuse((0, 0), codes::TEMPLATE_TOO_LARGE, "the template is nested too deeply", "split it");
        } else {
            for stmt in stmts {
                body.extend(self.statement(stmt));
            }
        }
        self.depth -= 1;
        self.captures.truncate(known);
        body
    }

    pub(super) fn at(&self, span: machinery::Span) -> At {
        self.expressions.at(span.start_offset, span.end_offset)
    }

    fn statement(&mut self, stmt: &ast::Stmt<'_>) -> Option<Stmt> {
        use ast::Stmt as S;
        let (at, what, help) = match stmt {
            S::EmitRaw(raw) => {
                let offset = (raw.raw.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
                return Some(Stmt::Raw(raw.raw.into(), u32::try_from(offset).unwrap_or(0)));
            }
            S::EmitExpr(emit) => return self.emit(&emit.expr, self.at(emit.span())),
            S::IfCond(cond) => return Some(Stmt::If(self.conditions(cond))),
            S::ForLoop(l) => return self.loops(l),
            S::Include(include) => return self.include(include),
            S::Macro(m) => {
                self.define(m, self.at(m.span()));
                return None;
            }
            S::FromImport(import) => {
                self.import(import);
                return None;
            }
            S::SetBlock(set) => return self.capture(set),
            S::FilterBlock(block) => {
                let layout = self.layout(&block.filter)?;
                return Some(Stmt::Laid { layout, body: self.body(&block.body) });
            }
            S::Set(s) => (s.span(), "`set` of a value", "compute it in `[values]` of `pack.toml`, or loop over it"),
            S::WithBlock(s) => (s.span(), "`with`", "compute it in `[values]` of `pack.toml`"),
            S::Do(s) => (s.span(), "`do`", "a template only writes"),
            S::AutoEscape(s) => (s.span(), "`autoescape`", "the format of the artifact decides how values are written"),
            S::Block(s) => (s.span(), "`block`", "include a template instead"),
            S::Extends(s) => (s.span(), "`extends`", "include a template instead"),
            S::Import(s) => (s.span(), "`import`", "write `from 'file' import macro`"),
            S::CallBlock(s) => (s.span(), "`call`", "capture the text with `set` … `endset` and pass on values"),
            S::Continue(s) => (s.span(), "`continue`", "give the loop a condition: `for x in list if …`"),
            S::Break(s) => (s.span(), "`break`", "give the loop a condition: `for x in list if …`"),
            S::Template(s) => (s.span(), "a template in a template", "include it"),
        };
        let at = self.at(at);
        let first_line = self.text.get(at.0 as usize..).and_then(|t| t.find('\n')).map_or(at.1, |n| at.0 + n as u32);
        self.refuse(
            (at.0, at.1.min(first_line)),
            codes::TEMPLATE_STATEMENT,
            &format!("{what} is not allowed in a template"),
            help,
        );
        None
    }

    fn conditions(&mut self, first: &ast::IfCond<'_>) -> If {
        let mut arms = vec![(self.term(&first.expr), self.body(&first.true_body))];
        let mut rest = &first.false_body;
        while let [ast::Stmt::IfCond(next)] = rest.as_slice() {
            arms.push((self.term(&next.expr), self.body(&next.true_body)));
            rest = &next.false_body;
        }
        If { arms, otherwise: self.body(rest) }
    }

    fn loops(&mut self, l: &ast::ForLoop<'_>) -> Option<Stmt> {
        let at = self.at(l.target.span());
        let targets: Vec<Str> = match &l.target {
            ast::Expr::Var(var) => vec![var.id.into()],
            ast::Expr::List(list) => list
                .items
                .iter()
                .filter_map(|i| match i {
                    ast::Expr::Var(var) => Some(var.id.into()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        let wanted = if let ast::Expr::List(list) = &l.target { list.items.len() } else { 1 };
        if targets.len() != wanted || targets.is_empty() {
            self.refuse(
                at,
                codes::TEMPLATE_STATEMENT,
                "a loop gives plain names",
                "write `for key, value in map|items`",
            );
            return None;
        }
        if l.recursive {
            let help = "call a macro for the inner list";
            self.refuse(at, codes::TEMPLATE_STATEMENT, "`recursive` is not allowed in a template", help);
        }
        let list = self.term(&l.iter);
        let filter = l.filter_expr.as_ref().map(|f| self.term(f));
        let body = self.body(&l.body);
        let otherwise = self.body(&l.else_body);
        let mut counts = false;
        let mut look = |t: &Term| t.walk(&mut |t| counts |= matches!(&t.op, Op::Name(n) if &**n == "loop"));
        super::template::walk(&body, &mut |stmt| match stmt {
            Stmt::Write(w) => look(&w.term),
            Stmt::If(i) => i.arms.iter().for_each(|(t, _)| look(t)),
            Stmt::For(f) => {
                look(&f.list);
                f.filter.iter().for_each(&mut look);
            }
            Stmt::Call(c) => c.args.iter().for_each(|(_, t)| look(t)),
            Stmt::Include(..) => look(&Term { start: 0, end: 0, op: Op::Name("loop".into()) }),
            _ => {}
        });
        Some(Stmt::For(Box::new(For { targets, list, filter, body, otherwise, counts })))
    }

    fn include(&mut self, include: &ast::Include<'_>) -> Option<Stmt> {
        let name = self.expressions.term(&include.name);
        let at = (name.start, name.end);
        if include.ignore_missing {
            let help = "a template that is not there is an error when the pack is loaded";
            self.refuse(at, codes::TEMPLATE_STATEMENT, "`ignore missing` is not allowed in a template", help);
        }
        match name.literal() {
            Some(name) => Some(Stmt::Include(name.clone(), at)),
            None => {
                let help = "choose with `if` between includes";
                self.refuse(
                    at,
                    codes::TEMPLATE_STATEMENT,
                    "the name of an included template is a literal string",
                    help,
                );
                None
            }
        }
    }

    fn import(&mut self, import: &ast::FromImport<'_>) {
        let file = self.expressions.term(&import.expr);
        let Some(template) = file.literal().cloned() else {
            let help = "write `from 'file' import macro`";
            self.refuse(
                (file.start, file.end),
                codes::TEMPLATE_STATEMENT,
                "the name of a template is a literal string",
                help,
            );
            return;
        };
        for (name, alias) in &import.names {
            if let (ast::Expr::Var(name), alias) = (name, alias) {
                let here = match alias {
                    Some(ast::Expr::Var(alias)) => alias.id,
                    _ => name.id,
                };
                self.imports.push((here.into(), template.clone(), name.id.into()));
            }
        }
    }

    fn define(&mut self, m: &ast::Macro<'_>, at: At) {
        if self.depth > 1 || self.read.iter().any(|r| &*r.name == m.name) {
            let message = match self.depth > 1 {
                true => "a macro stands at the top level of its template".to_owned(),
                false => format!("the macro `{}` is there twice", m.name),
            };
            self.refuse((at.0, at.0 + 5), codes::TEMPLATE_MACRO, &message, "move or rename it");
        }
        let required = m.args.len().saturating_sub(m.defaults.len());
        let mut params = Vec::with_capacity(m.args.len());
        for (i, arg) in m.args.iter().enumerate() {
            let default = i.checked_sub(required).and_then(|d| m.defaults.get(d));
            let default = default.map(|d| self.expressions.term(d));
            if let ast::Expr::Var(var) = arg {
                params.push((var.id.into(), default));
            }
        }
        let captures = std::mem::take(&mut self.captures);
        let body = self.body(&m.body);
        self.captures = captures;
        self.read.push(Macro { name: m.name.into(), params, body });
    }

    fn capture(&mut self, set: &ast::SetBlock<'_>) -> Option<Stmt> {
        let layout = match &set.filter {
            Some(filter) => self.layout(filter)?,
            None => Layout::default(),
        };
        let body = self.body(&set.body);
        match &set.target {
            ast::Expr::Var(var) => {
                self.captures.push(var.id.into());
                Some(Stmt::Capture { name: var.id.into(), layout, body })
            }
            other => {
                let at = self.at(other.span());
                self.refuse(
                    at,
                    codes::TEMPLATE_STATEMENT,
                    "captured text gets one name",
                    "write `set name` … `endset`",
                );
                None
            }
        }
    }
}

/// The finding of a template that does not exist.
pub(super) fn no_template<'a>(name: &str, span: Span, known: impl IntoIterator<Item = &'a str>) -> Diag {
    let diag = Diag::new(codes::TEMPLATE_INCLUDE, format!("there is no template `{name}`")).at(span, "");
    match similar_name(name, known) {
        Some(near) => diag.help(format!("a template with a similar name is `{near}`")),
        None => diag,
    }
}
