//! Reading what stands in `<{ }>`: a value with the filters that choose its place, captured text, or a macro's.

use minijinja::machinery::ast;

use super::escape::Context;
use super::read::Statements;
use super::template::{At, Call, Layout, Stmt, Write};
use crate::diag::codes;
use crate::pack::expr::tree::{Op, Term};
use crate::value::Str;

impl Statements<'_> {
    /// Reads an expression and refuses captured text in it.
    pub(super) fn term(&mut self, expr: &ast::Expr<'_>) -> Term {
        let term = self.expressions.term(expr);
        let mut used = Vec::new();
        term.walk(&mut |t| {
            if let Op::Name(name) = &t.op
                && self.captures.contains(name)
            {
                used.push(((t.start, t.end), name.clone()));
            }
        });
        for (at, name) in used {
            let message = format!("`{name}` is text already written, which can only be put in place");
            self.refuse(at, codes::TEMPLATE_CAPTURE, &message, "write it by itself, at most with `|indent(…)`");
        }
        term
    }

    /// `<{ … }>`: a value, captured text or a macro's text.
    pub(super) fn emit(&mut self, expr: &ast::Expr<'_>, at: At) -> Option<Stmt> {
        let mut inner = expr;
        let mut layout = Layout::default();
        let mut context: Option<Context> = None;
        let (mut separator, mut raw) = (None, false);
        while let ast::Expr::Filter(filter) = inner
            && let Some(input) = &filter.expr
        {
            let arguments = literals(&filter.args);
            match (filter.name, arguments.as_deref()) {
                ("indent", _) => layout = self.indent(&filter.args, self.at(filter.span()))?,
                ("tokens", Some([text])) => separator = Some(Str::from(&**text)),
                ("raw", Some([reason])) if !reason.trim().is_empty() => raw = true,
                ("raw", _) => {
                    let help = "say why the value is safe as it is: `raw('reason')`";
                    self.refuse(self.at(filter.span()), codes::TEMPLATE_CONTEXT, "`raw` has no reason", help);
                    return None;
                }
                ("tokens", _) => {
                    let help = "say what stands between the items: `tokens(', ')`";
                    self.refuse(self.at(filter.span()), codes::TEMPLATE_CONTEXT, "`tokens` has no separator", help);
                    return None;
                }
                (name, arguments) => {
                    let given: Vec<&str> = arguments.unwrap_or_default().iter().map(|a| &**a).collect();
                    match Context::from_filter(name, &given) {
                        None => break,
                        Some(Ok(chosen)) if arguments.is_some() && context.is_none() => context = Some(chosen),
                        Some(result) => {
                            let message =
                                result.err().unwrap_or_else(|| format!("the filter `{name}` cannot stand here"));
                            let help = "one filter names the place, with literal strings";
                            self.refuse(self.at(filter.span()), codes::TEMPLATE_CONTEXT, &message, help);
                            return None;
                        }
                    }
                }
            }
            inner = input;
        }
        let plain = context.is_none() && separator.is_none() && !raw;
        if let ast::Expr::Var(var) = inner
            && self.captures.iter().any(|c| &**c == var.id)
        {
            if !plain {
                let message = format!("`{}` is text already written", var.id);
                self.refuse(at, codes::TEMPLATE_CAPTURE, &message, "only `|indent(…)` applies to it");
            }
            return Some(Stmt::Paste { name: var.id.into(), layout });
        }
        if let ast::Expr::Call(call) = inner
            && let ast::Expr::Var(var) = &call.expr
            && (self.macros.iter().any(|m| &**m == var.id) || self.imports.iter().any(|(n, _, _)| &**n == var.id))
        {
            if !plain {
                let message = format!("what the macro `{}` gives is text already written", var.id);
                self.refuse(at, codes::TEMPLATE_CAPTURE, &message, "only `|indent(…)` applies to it");
            }
            return self.call(var.id, call, layout, at);
        }
        let term = self.term(inner);
        if layout != Layout::default() {
            let help = "`indent` lays out captured text and the text of macros";
            self.refuse(at, codes::TEMPLATE_CONTEXT, "a value is one token and has no lines to indent", help);
        }
        let context = context.unwrap_or(Context::TOKEN);
        Some(Stmt::Write(Write { at: (at.0, term.end.max(at.0)), term, context, separator, raw }))
    }

    fn call(&mut self, name: &str, call: &ast::Call<'_>, layout: Layout, at: At) -> Option<Stmt> {
        let mut args = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            match arg {
                ast::CallArg::Pos(expr) => args.push((None, self.term(expr))),
                ast::CallArg::Kwarg(key, expr) => args.push((Some(Str::from(*key)), self.term(expr))),
                ast::CallArg::PosSplat(_) | ast::CallArg::KwargSplat(_) => {
                    self.refuse(at, codes::TEMPLATE_MACRO, "arguments are written one by one", "leave out `*`");
                }
            }
        }
        let import = self.imports.iter().find(|(here, _, _)| &**here == name);
        let (name, from) = match import {
            Some((_, template, there)) => (there.clone(), Some(template.clone())),
            None => (name.into(), None),
        };
        Some(Stmt::Call(Box::new(Call { name, from, args, layout, at })))
    }

    /// The filters of written text: only layout.
    pub(super) fn layout(&mut self, filter: &ast::Expr<'_>) -> Option<Layout> {
        match filter {
            ast::Expr::Filter(f) if f.name == "indent" && f.expr.is_none() => {
                let at = self.at(f.span());
                self.indent(&f.args, at)
            }
            other => {
                let at = self.at(other.span());
                let message = "text already written can only be laid out";
                self.refuse(at, codes::TEMPLATE_CAPTURE, message, "the only such filter is `indent(…)`");
                None
            }
        }
    }

    /// `indent(width)` or `indent(width, true)`, which indents the first line too.
    fn indent(&mut self, args: &[ast::CallArg<'_>], at: At) -> Option<Layout> {
        let constant = |arg: &ast::CallArg<'_>| match arg {
            ast::CallArg::Pos(ast::Expr::Const(c)) | ast::CallArg::Kwarg("first", ast::Expr::Const(c)) => {
                Some(c.value.clone())
            }
            _ => None,
        };
        let values: Option<Vec<_>> = args.iter().map(constant).collect();
        let layout = match values.as_deref() {
            Some([width]) => width.as_usize().map(|indent| Layout { indent, first: false }),
            Some([width, first]) => width.as_usize().map(|indent| Layout { indent, first: first.is_true() }),
            _ => None,
        };
        let layout = layout.filter(|l| l.indent <= 80);
        if layout.is_none() {
            let help = "write `indent(4)`, or `indent(4, true)` to indent the first line too";
            self.refuse(at, codes::TEMPLATE_CONTEXT, "`indent` takes a literal number of spaces", help);
        }
        layout
    }
}

/// The arguments of a filter when all of them are literal strings.
fn literals(args: &[ast::CallArg<'_>]) -> Option<Vec<String>> {
    let literal = |arg: &ast::CallArg<'_>| match arg {
        ast::CallArg::Pos(ast::Expr::Const(c)) => c.value.as_str().map(str::to_owned),
        _ => None,
    };
    args.iter().map(literal).collect()
}
