//! What is wrong with a pack by itself: names that name nothing, expressions that cannot work, templates nobody uses.

use std::collections::BTreeSet;

use super::expr::{Env, Expr, Text, join, record_type, type_of};
use super::load::unlike;
use super::manifest::*;
use crate::diag::codes::{PACK_UNKNOWN_NAME, PACK_UNUSED, TEMPLATE_POSITION};
use crate::diag::{Diag, Findings, similar_name};
use crate::emit::escape::Format;
use crate::emit::escape::position::contexts;
use crate::ir::Ir;
use crate::schema::Schema;
use crate::shape::{Struct, Type};
use crate::source::{Sources, Span};
use crate::value::{Str, Tracked};

/// Verifies a loaded pack against the schema of the spec, in which the pack's settings stand at this instance.
pub fn verify(pack: &Pack, instance: &str, schema: &Schema, sources: &Sources, findings: &mut Findings) {
    names(pack, findings);
    templates(pack, sources, findings);
    let blanks: Vec<Str> = pack.blanks.keys().cloned().collect();
    let names = environment(pack, instance, schema, &blanks);
    let env = Env::new(&names, schema.root()).with_blanks(&blanks);
    Walk { pack, env: &env, findings }.all();
}

/// The types of the names that the pack's expressions see.
pub fn environment(pack: &Pack, instance: &str, schema: &Schema, blanks: &[Str]) -> Vec<(Str, Type)> {
    let at = |pointer: String| schema.at(&pointer).unwrap_or(Type::Any);
    let mut product = at(format!("/products/{instance}"));
    if let Type::Struct(s) = &mut product {
        let mut own = Struct::clone(s);
        own.fields.insert("instance".into(), crate::shape::Field { ty: Type::Text, default: None, doc: "".into() });
        product = Type::Struct(own.into());
    }
    let settings = at(format!("/products/{instance}/settings"));
    let tables = pack.tables.iter().map(|(k, rows)| (k.clone(), rows_type(rows)));
    let mut names: Vec<(Str, Type)> = vec![
        ("site".into(), schema.root().clone()),
        ("product".into(), product),
        ("settings".into(), settings),
        ("cluster".into(), Type::Ref("clusters".into())),
        ("chart".into(), chart_type()),
        ("tables".into(), fields(tables)),
        ("bind".into(), Type::Any),
        ("ports".into(), fields(pack.ports.keys().map(|k| (k.clone(), Type::Any)))),
        ("values".into(), Type::Any),
    ];
    // Bindings and values read each other, so their types settle in two rounds; findings come in the walk.
    let mut quiet = Findings::default();
    for _ in 0..2 {
        let (bind, values): (Vec<_>, Vec<_>) = {
            let env = Env::new(&names, schema.root()).with_blanks(blanks);
            (
                pack.bindings.iter().map(|(k, b)| (k.clone(), b.is.check(&env, &mut quiet))).collect(),
                pack.values.iter().map(|(k, v)| (k.clone(), v.is.check(&env, &mut quiet))).collect(),
            )
        };
        for (name, ty) in [("bind", fields(bind.into_iter())), ("values", fields(values.into_iter()))] {
            if let Some(slot) = names.iter_mut().find(|(n, _)| &**n == name) {
                slot.1 = ty;
            }
        }
    }
    names
}

/// The type of a table of the pack: its columns have the types of their cells.
fn rows_type(rows: &Tracked) -> Type {
    let mut columns: Vec<(Str, Type)> = Vec::new();
    for (name, cell) in rows.items().iter().flat_map(Tracked::entries) {
        let ty = type_of(&cell.value);
        match columns.iter_mut().find(|(n, _)| n == name) {
            Some((_, known)) => *known = join(std::mem::replace(known, Type::Any), ty),
            None => columns.push((name.clone(), ty)),
        }
    }
    Type::List(fields(columns.into_iter()).into())
}

/// The type of `chart`, what the archive of the product's chart says.
fn chart_type() -> Type {
    let texts = |names: &[&str]| names.iter().map(|n| ((*n).into(), Type::Text)).collect::<Vec<(Str, Type)>>();
    let image = fields(texts(&["key", "holds", "source", "registry", "name", "tag"]).into_iter());
    let mut all = texts(&["file", "name", "version", "app_version"]);
    all.push(("keys".into(), Type::List(Type::Text.into())));
    all.push(("images".into(), Type::List(image.into())));
    fields(all.into_iter())
}

/// The type of `ir`: a list of items for each kind.
pub fn ir_type() -> Type {
    fields(Ir::KINDS.iter().map(|kind| {
        let item = Ir::fields_of(kind).map_or(Type::Any, record_type);
        ((*kind).into(), Type::List(item.into()))
    }))
}

fn fields(entries: impl Iterator<Item = (Str, Type)>) -> Type {
    let field = |ty| crate::shape::Field { ty, default: None, doc: "".into() };
    Type::Struct(Struct { fields: entries.map(|(k, ty)| (k, field(ty))).collect(), ..Struct::default() }.into())
}

/// Names of components, bindings, ports, steps, phases and contradictions that nothing declares.
fn names(pack: &Pack, findings: &mut Findings) {
    let ends: Vec<&str> = pack.components.keys().chain(pack.bindings.keys()).map(|k| &**k).collect();
    let ports: Vec<&str> = pack.ports.keys().map(|k| &**k).collect();
    let mut known = |what: &str, list: &[&str], name: &str, span: Span| {
        if list.contains(&name) {
            return;
        }
        let mut diag = Diag::new(PACK_UNKNOWN_NAME, format!("there is no {what} `{name}`")).at(span, "named here");
        if let Some(near) = similar_name(name, list.iter().copied()) {
            diag = diag.help(format!("there is a {what} `{near}`")).replace(span, near, true);
        }
        findings.push(diag);
    };
    for component in pack.components.values() {
        component.listens.iter().for_each(|(n, s)| known("port", &ports, n, *s));
        component.connects.iter().for_each(|(n, s)| known("component or binding", &ends, n, *s));
    }
    for binding in pack.bindings.values() {
        binding.listens.iter().for_each(|(n, s)| known("port", &ports, n, *s));
    }
    for flow in &pack.flows {
        flow.from.iter().chain(&flow.to).for_each(|(n, s)| known("component or binding", &ends, n, *s));
        for group in &flow.groups {
            if let PortGroup::Named(n, s) = group {
                known("port", &ports, n, *s);
            }
        }
    }
    let steps: Vec<&str> = pack.steps.iter().map(|s| &*s.id).collect();
    let phases: Vec<&str> = pack.phases.iter().map(|p| &**p).collect();
    for step in &pack.steps {
        step.after.iter().for_each(|(n, s)| known("step", &steps, n, *s));
        step.fails.iter().filter_map(|f| f.goto.as_ref()).for_each(|(n, s)| known("step", &steps, n, *s));
        if !step.phase.is_empty() {
            known("phase", &phases, &step.phase, step.head.span);
        }
    }
    let contradictions: Vec<&str> = pack.contradictions.keys().map(|k| &**k).collect();
    for rule in &pack.requirements {
        if let Some(name) = &rule.contradiction {
            known("contradiction", &contradictions, name, rule.head.span);
        }
    }
    for blank in pack.blanks.values().filter(|b| !b.revealed_by.is_empty()) {
        known("step", &steps, &blank.revealed_by, blank.head.span);
    }
    unlike("step", pack.steps.iter().map(|s| (&s.id, s.head.span)), findings);
}

/// Templates that artifacts name and the folder lacks, and the other way round.
fn templates(pack: &Pack, sources: &Sources, findings: &mut Findings) {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for artifact in &pack.artifacts {
        used.insert(&artifact.template);
        if !pack.templates.contains_key(&artifact.template) {
            let mut diag = Diag::new(PACK_UNKNOWN_NAME, format!("the pack has no template `{}`", artifact.template))
                .at(artifact.template_span, "named here");
            if let Some(near) = similar_name(&artifact.template, pack.templates.keys().map(|k| &**k)) {
                diag = diag.help(format!("there is a template `{near}`"));
            }
            findings.push(diag);
        }
    }
    for (name, file) in &pack.templates {
        // A template that another one includes is used too.
        let included = pack.templates.values().any(|f| sources.file(*f).text.contains(&format!("\"{name}\"")));
        if !used.contains(&**name) && !included {
            findings.push(
                Diag::new(PACK_UNUSED, format!("nothing uses the template `{name}`"))
                    .at(Span::new(*file, 0, 0), "name it in an artifact, or remove it"),
            );
        }
    }
}

/// The walk through every expression of a pack.
struct Walk<'a> {
    pack: &'a Pack,
    env: &'a Env<'a>,
    findings: &'a mut Findings,
}

impl Walk<'_> {
    fn all(&mut self) {
        let pack = self.pack;
        let ir = [("ir".into(), ir_type())];
        pack.nodes.iter().for_each(|e| {
            e.check(self.env, self.findings);
        });
        for rule in pack.bindings.values() {
            self.item(&rule.head, self.env, &[], |w, env| {
                w.expr(Some(&rule.is), env);
                w.texts([rule.without.as_ref(), rule.ask.as_ref()], env);
            });
        }
        for rule in pack.ports.values() {
            self.item(&rule.head, self.env, &[], |w, env| {
                w.expr(rule.of.as_ref(), env);
                w.expr(rule.leads_to.as_ref(), env);
            });
        }
        for rule in pack.values.values() {
            self.item(&rule.head, self.env, &[], |w, env| w.expr(Some(&rule.is), env));
        }
        for rule in pack.components.values() {
            self.item(&rule.head, self.env, &[], |w, env| {
                w.expr(rule.published_on.as_ref(), env);
                w.texts([rule.note.as_ref()], env);
                rule.labels.iter().for_each(|(_, value)| w.texts([Some(value)], env));
            });
        }
        for rule in &pack.flows {
            self.item(&rule.head, self.env, &[], |w, env| {
                w.texts([rule.note.as_ref()], env);
                if let Some((from, to)) = &rule.ends {
                    w.texts([Some(&from.label), Some(&to.label)], env);
                    w.expr(Some(&from.is), env);
                    w.expr(Some(&to.is), env);
                }
            });
        }
        for rule in &pack.requirements {
            self.item(&rule.head, self.env, &[], |w, env| w.requirement(rule, env));
        }
        for rule in &pack.questions {
            self.item(&rule.head, self.env, &[], |w, env| {
                w.expr(Some(&rule.of), env);
                w.texts([Some(&rule.ask)], env);
            });
        }
        for rule in &pack.claims {
            self.item(&rule.head, self.env, &[], |w, env| {
                w.texts([Some(&rule.subject), Some(&rule.key)], env);
                rule.value.iter().chain(&rule.forbid).for_each(|f| w.field(f, env));
            });
        }
        for rule in &pack.immutable {
            self.item(&rule.head, self.env, &[], |w, env| {
                w.expr(Some(&rule.at), env);
                w.texts([Some(&rule.why)], env);
            });
        }
        for rule in &pack.items {
            self.item(&rule.head, self.env, &[], |w, env| rule.fields.values().for_each(|f| w.field(f, env)));
            for (name, field) in rule.fields.iter().filter(|(name, _)| rule.kind.is_command(name)) {
                match &field.data {
                    FieldData::Text(text) => self.position(Format::Shell, text),
                    FieldData::Literal(_) => {}
                    _ => self.findings.push(
                        Diag::new(TEMPLATE_POSITION, format!("`{name}` is one command"))
                            .at(field.span, "this is no text"),
                    ),
                }
            }
            // A value in the middle of a command would have to be quoted; an argument needs no quotes.
            if rule.kind.name == "probes"
                && let Some(run) = rule.fields.get("run").filter(|f| matches!(f.data, FieldData::Text(_)))
            {
                let diag = Diag::new(TEMPLATE_POSITION, "the command of a probe has a value in it").at(run.span, "");
                self.findings.push(diag.help("give the value in `args`, and write `\"$1\"` in the command"));
            }
        }
        for rule in pack.contradictions.values() {
            self.item(&rule.head, self.env, &[], |_, _| {});
        }
        for rule in pack.blanks.values() {
            self.item(&rule.head, self.env, &[], |w, env| w.texts([Some(&rule.says)], env));
        }
        for rule in &pack.artifacts {
            if let Some((name, span)) =
                rule.of.as_ref().filter(|(n, _)| !rule.head.for_each.iter().any(|(l, _)| l == n))
            {
                let diag = Diag::new(PACK_UNKNOWN_NAME, format!("there is no loop `{name}`")).at(*span, "named here");
                self.findings.push(diag.help("`of` names one of `for_each`"));
            }
            self.item(&rule.head, self.env, &ir, |w, env| {
                let texts = [&rule.host, &rule.target, &rule.owner, &rule.mode];
                w.texts([Some(&rule.path)].into_iter().chain(texts.into_iter().map(Option::as_ref)), env);
                for command in [&rule.apply, &rule.check].into_iter().flatten() {
                    command.check_command(env, w.findings);
                    w.position(Format::Shell, command);
                }
            });
        }
        for rule in &pack.steps {
            self.item(&rule.head, self.env, &ir, |w, env| w.step(rule, env));
        }
    }

    /// Checks an item's loops and condition, then what `inside` checks in their environment.
    fn item(&mut self, head: &Head, env: &Env, more: &[(Str, Type)], inside: impl FnOnce(&mut Self, &Env)) {
        let mut names: Vec<(Str, Type)> = more.to_vec();
        for (name, list) in &head.for_each {
            let item = match list.check(&env.child(&names), self.findings) {
                Type::List(of) => (*of).clone(),
                Type::OneOf(forms) => {
                    let of = forms.iter().find_map(|t| match t {
                        Type::List(of) => Some((**of).clone()),
                        _ => None,
                    });
                    of.unwrap_or(Type::Any)
                }
                other => other,
            };
            names.push((name.clone(), item));
        }
        let env = env.child(&names);
        if let Some(when) = &head.when {
            when.check_condition(&env, self.findings);
        }
        inside(self, &env);
    }

    fn expr(&mut self, expr: Option<&Expr>, env: &Env) {
        if let Some(expr) = expr {
            expr.check(env, self.findings);
        }
    }

    fn texts<'t>(&mut self, texts: impl IntoIterator<Item = Option<&'t Text>>, env: &Env) {
        for text in texts.into_iter().flatten() {
            text.check(env, self.findings);
        }
    }

    fn field(&mut self, field: &Field, env: &Env) {
        match &field.data {
            FieldData::Literal(_) => {}
            FieldData::Text(text) => {
                text.check(env, self.findings);
            }
            FieldData::List(items) => items.iter().for_each(|f| self.field(f, env)),
            FieldData::Map(entries) => {
                for (key, field) in entries {
                    self.texts([Some(key)], env);
                    self.field(field, env);
                }
            }
        }
    }

    fn requirement(&mut self, rule: &Requirement, env: &Env) {
        let of = rule.of.as_ref().map_or(Type::Any, |of| of.check(env, self.findings));
        self.expr(rule.at.as_ref(), env);
        let names = [("this".into(), of), ("limit".into(), Type::Any)];
        let inner = env.child(&names);
        self.texts([Some(&rule.says), rule.help.as_ref()], &inner);
        self.texts([rule.ask.as_ref()], env);
        if let Waive::When(expr) = &rule.waive {
            expr.check_condition(env, self.findings);
        }
        let limit = |w: &mut Self, limit: &Limit| {
            if let Limit::Expr(expr) = limit {
                expr.check(env, w.findings);
            }
        };
        match &rule.judgement {
            Judgement::That(expr) => expr.check_condition(env, self.findings),
            Judgement::Min(l) | Judgement::Max(l) | Judgement::Below(l) => limit(self, l),
            Judgement::OneOf(list) | Judgement::NoneOf(list) => list.iter().for_each(|l| limit(self, l)),
            Judgement::Matches(_) => {}
            Judgement::Bands(bands) => {
                for band in bands {
                    limit(self, &band.below);
                    self.texts([band.says.as_ref()], &inner);
                    if let Waive::When(expr) = &band.waive {
                        expr.check_condition(env, self.findings);
                    }
                }
            }
        }
    }

    fn step(&mut self, rule: &StepRule, env: &Env) {
        let single = [&rule.at, &rule.text, &rule.verify_text, &rule.undo_text, &rule.departs];
        self.texts([Some(&rule.title)].into_iter().chain(single.into_iter().map(Option::as_ref)), env);
        for list in [&rule.files, &rule.warns, &rule.needs, &rule.provides] {
            self.texts(list.iter().map(Some), env);
        }
        for fails in &rule.fails {
            self.texts([Some(&fails.sees), fails.says.as_ref()], env);
        }
        for command in rule.run.iter().chain(&rule.verify).chain(&rule.undo) {
            command.check_command(env, self.findings);
            self.position(Format::Shell, command);
        }
        let lines = [Some(&rule.title)].into_iter().chain(single.into_iter().map(Option::as_ref)).flatten();
        let failures = rule.fails.iter().flat_map(|f| [Some(&f.sees), f.says.as_ref()]).flatten();
        for text in lines.chain(&rule.warns).chain(failures) {
            self.position(Format::Markdown, text);
        }
    }

    /// Checks that each value of a text stands where its format can write it.
    fn position(&mut self, format: Format, text: &Text) {
        if let Err(violation) = contexts(format, text.literals()) {
            let diag = Diag::new(TEMPLATE_POSITION, violation.message).at(text.anchor().span, "");
            self.findings.push(diag.help(violation.help));
        }
    }
}
