//! Checking at load: every expression of a template against the types of the names that it sees.

use super::Templates;
use super::escape::{Context, Format};
use super::read::no_template;
use super::render::TemplateSet;
use super::template::{Call, For, Macro, Stmt, Template};
use crate::diag::{Diag, Findings, codes, similar_name};
use crate::pack::Pack;
use crate::pack::expr::kinds::{describe, scalar};
use crate::pack::expr::table::{any_form, elements};
use crate::pack::expr::{Checker, Env};
use crate::shape::{Field, Struct, Type};
use crate::value::Str;

/// Checks a template that is rendered by itself, with all that it includes and calls.
pub fn check_template(template: &Template, env: &Env<'_>, set: &dyn TemplateSet, findings: &mut Findings) {
    let mut found = Findings::default();
    let mut check = Check { env, set, findings: &mut found, chain: vec![template.name.clone()], called: Vec::new() };
    check.body(template, &template.body, &mut Vec::new());
    let called = std::mem::take(&mut check.called);
    for m in &template.macros {
        if !called.iter().any(|(home, name)| *home == template.name && *name == m.name) {
            let mut names: Vec<(Str, Type)> = m.params.iter().map(|(n, _)| (n.clone(), Type::Any)).collect();
            check.body(template, &m.body, &mut names);
        }
    }
    // A body that several calls reach is checked for each of them, and reported once.
    found.sort();
    findings.extend(found);
}

/// Checks the template of every artifact of a pack. `env` has the names of the pack and `ir`; `products`, `tree` and the
/// names of an artifact's loops are added to them.
pub fn check_templates(pack: &Pack, templates: &Templates, env: &Env<'_>, findings: &mut Findings) {
    let mut found = Findings::default();
    for rule in &pack.artifacts {
        let mut names: Names = vec![("products".into(), products()), ("tree".into(), tree())];
        for (name, list) in &rule.head.for_each {
            // What is wrong with the list is said where the pack is verified.
            let list = list.check(&env.child(&names), &mut Findings::default());
            names.push((name.clone(), elements(&list).unwrap_or(Type::Any)));
        }
        let template = Format::from_name(&rule.format).and_then(|f| templates.get(&rule.template, f));
        if let Some((template, set)) = template {
            check_template(template, &env.child(&names), &set, &mut found);
        }
    }
    found.sort();
    findings.extend(found);
}

struct Check<'c> {
    env: &'c Env<'c>,
    set: &'c dyn TemplateSet,
    findings: &'c mut Findings,
    /// The templates and macros that are being checked, outermost first.
    chain: Vec<Str>,
    called: Vec<(Str, Str)>,
}

type Names = Vec<(Str, Type)>;

impl Check<'_> {
    fn body(&mut self, template: &Template, body: &[Stmt], names: &mut Names) {
        for stmt in body {
            self.statement(template, stmt, names);
        }
    }

    fn with<T>(&mut self, template: &Template, names: &Names, f: impl FnOnce(&mut Checker<'_, '_>) -> T) -> T {
        let env = self.env.child(names);
        f(&mut Checker::new(template.anchor, &env, self.findings))
    }

    fn statement(&mut self, template: &Template, stmt: &Stmt, names: &mut Names) {
        match stmt {
            Stmt::Raw(..) | Stmt::Paste { .. } => {}
            Stmt::Write(write) => {
                let ty = self.with(template, names, |c| c.type_of(&write.term));
                let listed = write.separator.is_some();
                let fits = |t: &Type| match t {
                    Type::List(_) if !listed => takes_lists(template.format, write.context),
                    t if listed => elements(t).is_some_and(|e| any_form(&e, &scalar)),
                    t => scalar(t) || matches!(write.context, Context::By(super::escape::Form::Flow)),
                };
                if !any_form(&ty, &fits) {
                    let what = describe(&ty);
                    let message = match listed {
                        true => format!("`tokens` writes a list of single values, and this is {what}"),
                        false => format!("{what} cannot be written as one value"),
                    };
                    let span = template.span((write.term.start, write.term.end));
                    let help = "loop over it, or write its items with `|tokens(', ')`";
                    self.findings.push(Diag::new(codes::EXPR_OPERAND, message).at(span, "").help(help));
                }
            }
            Stmt::If(branches) => {
                for (term, body) in &branches.arms {
                    self.with(template, names, |c| c.condition(term));
                    self.body(template, body, names);
                }
                self.body(template, &branches.otherwise, names);
            }
            Stmt::For(l) => self.repeat(template, l, names),
            Stmt::Include(name, at) => self.include(template, name, *at, names),
            Stmt::Capture { body, .. } | Stmt::Laid { body, .. } => self.body(template, body, names),
            Stmt::Call(call) => self.call(template, call, names),
        }
    }

    fn repeat(&mut self, template: &Template, l: &For, names: &mut Names) {
        let list = self.with(template, names, |c| c.type_of(&l.list));
        let element = elements(&list).unwrap_or_else(|| {
            let message = format!("a loop goes through a list, and this is {}", describe(&list));
            let span = template.span((l.list.start, l.list.end));
            let help = "a map is gone through by `|items`, `|keys` or `|values`";
            self.findings.push(Diag::new(codes::EXPR_OPERAND, message).at(span, "").help(help));
            Type::Any
        });
        let mark = names.len();
        match l.targets.as_slice() {
            [name] => names.push((name.clone(), element)),
            targets => {
                for (i, name) in targets.iter().enumerate() {
                    let part = match &element {
                        Type::List(part) => (**part).clone(),
                        Type::Struct(s) => s.fields.get_index(i).map_or(Type::Any, |(_, f)| f.ty.clone()),
                        _ => Type::Any,
                    };
                    names.push((name.clone(), part));
                }
            }
        }
        if let Some(filter) = &l.filter {
            self.with(template, names, |c| c.condition(filter));
        }
        if l.counts {
            names.push(("loop".into(), position()));
        }
        self.body(template, &l.body, names);
        names.truncate(mark);
        self.body(template, &l.otherwise, names);
    }

    fn include(&mut self, template: &Template, name: &Str, at: (u32, u32), names: &mut Names) {
        let span = template.span(at);
        let Some(other) = self.set.template(name) else {
            self.findings.push(no_template(name, span, self.set.names()));
            return;
        };
        if self.chain.contains(name) {
            let message = format!("the template `{name}` includes itself");
            self.findings.push(Diag::new(codes::TEMPLATE_INCLUDE, message).at(span, ""));
            return;
        }
        if other.format != template.format {
            let message = format!(
                "a template of format {} cannot stand in one of format {}",
                other.format.name(),
                template.format.name()
            );
            self.findings.push(Diag::new(codes::TEMPLATE_INCLUDE, message).at(span, ""));
        }
        self.chain.push(name.clone());
        self.body(other, &other.body, names);
        self.chain.pop();
    }

    fn call(&mut self, template: &Template, call: &Call, names: &mut Names) {
        let types: Vec<Type> =
            call.args.iter().map(|(_, term)| self.with(template, names, |c| c.type_of(term))).collect();
        let span = template.span(call.at);
        let home = match &call.from {
            None => template,
            Some(name) => match self.set.template(name) {
                Some(home) => home,
                None => {
                    self.findings.push(no_template(name, span, self.set.names()));
                    return;
                }
            },
        };
        let Some(callee) = home.macros.iter().find(|m| m.name == call.name) else {
            let diag = Diag::new(codes::TEMPLATE_MACRO, format!("`{}` has no macro `{}`", home.name, call.name));
            let near = similar_name(&call.name, home.macros.iter().map(|m| &*m.name));
            let diag = diag.at(span, "");
            self.findings.push(match near {
                Some(near) => diag.help(format!("it has `{near}`")),
                None => diag,
            });
            return;
        };
        let mut bound = self.arguments(template, callee, call, &types);
        self.called.push((home.name.clone(), callee.name.clone()));
        let key: Str = format!("{}:{}", home.name, callee.name).into();
        // What calls itself is checked once; that it ends is seen when it runs.
        if !self.chain.contains(&key) {
            self.chain.push(key);
            self.body(home, &callee.body, &mut bound);
            self.chain.pop();
        }
    }

    fn arguments(&mut self, template: &Template, callee: &Macro, call: &Call, types: &[Type]) -> Names {
        let mut used = vec![false; types.len()];
        let mut bound = Vec::with_capacity(callee.params.len());
        let mut wrong = false;
        for (i, (name, default)) in callee.params.iter().enumerate() {
            let given = call.args.iter().enumerate().position(|(position, (key, _))| match key {
                Some(key) => key == name,
                None => position == i,
            });
            match given {
                Some(given) => {
                    used[given] = true;
                    bound.push((name.clone(), types[given].clone()));
                }
                None => {
                    wrong |= default.is_none();
                    bound.push((name.clone(), Type::Any));
                }
            }
        }
        if wrong || used.contains(&false) {
            let params: Vec<&str> = callee.params.iter().map(|(n, _)| &**n).collect();
            let message = format!("`{}` is called as `{}({})`", callee.name, callee.name, params.join(", "));
            let diag = Diag::new(codes::TEMPLATE_MACRO, message).at(template.span(call.at), "");
            self.findings.push(diag);
        }
        bound
    }
}

/// Whether some list has a form of its own at such a place; which one, the escaper says when it sees it.
fn takes_lists(format: Format, context: Context) -> bool {
    use super::escape::Form;
    match context {
        Context::By(Form::Flow | Form::Option | Form::Word | Form::Exec | Form::Client) => true,
        Context::By(_) => matches!(format, Format::Nft | Format::Shell | Format::Hcl | Format::Toml | Format::Json),
        _ => false,
    }
}

/// The type of `products`: what documents say about each product of the site.
fn products() -> Type {
    let fields = [("instance", Type::Text), ("pack", Type::Text), ("title", Type::Text), ("version", Type::Version)];
    Type::List(structure("product", &fields).into())
}

fn tree() -> Type {
    Type::List(structure("entry", &[("name", Type::Text), ("packs", Type::List(Type::Text.into()))]).into())
}

/// The type of `loop`.
fn position() -> Type {
    let fields = [
        ("index", Type::Int),
        ("index0", Type::Int),
        ("first", Type::Bool),
        ("last", Type::Bool),
        ("length", Type::Int),
    ];
    structure("loop", &fields)
}

fn structure(name: &str, fields: &[(&str, Type)]) -> Type {
    let field = |ty: &Type| Field { ty: ty.clone(), default: None, doc: "".into() };
    let fields = fields.iter().map(|(name, ty)| ((*name).into(), field(ty))).collect();
    Type::Struct(Struct { name: name.into(), fields, ..Struct::default() }.into())
}
