//! Templates in, text, traces and findings out.

use std::collections::BTreeMap;

use super::escape::Format;
use super::*;
use crate::diag::Findings;
use crate::pack::expr::{Env, NoTables, Scope};
use crate::shape::{Field, Struct, Type};
use crate::source::{PlaceId, Role, Sources};
use crate::value::{Map, Origins, Str, Tracked, Value};

/// Templates by name, and a spec in which each leaf has its line.
#[derive(Default)]
struct Bench {
    sources: Sources,
    templates: BTreeMap<String, Template>,
    findings: Findings,
    names: Vec<(Str, Tracked)>,
}

impl TemplateSet for Bench {
    fn template(&self, name: &str) -> Option<&Template> {
        self.templates.get(name)
    }

    fn names(&self) -> Vec<&str> {
        self.templates.keys().map(|k| &**k).collect()
    }
}

impl Bench {
    /// `spec` is lines `name = value`; a value is `true`, a number, `null`, `poison`, words in brackets, or text.
    fn new(spec: &str) -> Self {
        let mut bench = Bench::default();
        let file = bench.sources.add("site.yaml", spec, Role::Spec);
        let mut at = 0;
        for line in spec.lines() {
            let span = crate::source::Span::new(file, at, at + line.len());
            at += line.len() + 1;
            let place = bench.sources.place(span);
            let (name, text) = line.split_once(" = ").expect("name = value");
            let value = match text.strip_prefix('[') {
                Some(items) => {
                    let items = items.trim_end_matches(']').split(' ').filter(|i| !i.is_empty());
                    Value::list(items.map(|i| Tracked::new(scalar(i), bench.sources.place(span))).collect())
                }
                None => scalar(text),
            };
            bench.names.push((name.into(), Tracked::new(value, place)));
        }
        bench
    }

    fn add(&mut self, name: &str, format: Format, text: &str) -> &mut Self {
        let file = self.sources.add(name, text, Role::Template);
        let template = Template::parse(name, file, &mut self.sources, format, &mut self.findings);
        self.templates.extend(template.map(|t| (name.to_owned(), t)));
        self
    }

    fn render(&self, mode: Mode) -> Result<Rendered, Vec<String>> {
        let scope = Scope::new(&self.names, &NoTables);
        let found = render(&self.templates["main"], &scope, self, &self.sources, mode, &mut KnownLists::default());
        found.map_err(|diags| diags.iter().map(|d| self.show(d)).collect())
    }

    fn show(&self, diag: &crate::diag::Diag) -> String {
        let place = |span| format!("{} `{}`", self.sources.show(span), self.sources.text(span));
        let mut text = format!("{} {}", diag.code, diag.message);
        for label in diag.primary.iter().chain(&diag.secondary) {
            text.push_str(&format!(" @ {}", place(label.span)));
        }
        text
    }

    fn check(&mut self, types: &[(Str, Type)]) -> Vec<String> {
        let mut findings = std::mem::take(&mut self.findings);
        if let Some(template) = self.templates.get("main") {
            check_template(template, &Env::new(types, &Type::Any), self, &mut findings);
        }
        findings.iter().map(|d| self.show(d)).collect()
    }
}

fn scalar(text: &str) -> Value {
    match text {
        "null" => Value::Null,
        "poison" => Value::Poison,
        "true" | "false" => Value::Bool(text == "true"),
        _ => text.parse().map(Value::Int).unwrap_or_else(|_| Value::str(text)),
    }
}

/// The text of a template over a spec; plain and traced must agree.
fn text(spec: &str, format: Format, template: &str) -> String {
    let mut bench = Bench::new(spec);
    bench.add("main", format, template);
    let findings: Vec<String> = bench.findings.iter().map(|d| bench.show(d)).collect();
    assert!(findings.is_empty(), "{findings:?}");
    match (bench.render(Mode::Plain), bench.render(Mode::Traced)) {
        (Ok(Rendered::Text { text: plain, trace: None, .. }), Ok(Rendered::Text { text, trace: Some(trace), .. })) => {
            assert_eq!(plain, text);
            assert_eq!(trace.line_count(), text.lines().count().max(1));
            text
        }
        (plain, traced) => {
            assert_eq!(plain, traced);
            format!("{plain:?}")
        }
    }
}

fn findings(template: &str) -> Vec<String> {
    let mut bench = Bench::new("");
    bench.add("main", Format::Text, template);
    bench.findings.iter().map(|d| bench.show(d)).collect()
}

#[test]
fn statements() {
    for (template, result) in [
        ("plain {{ .Values.x }} {% y %} ${HOME}\n", "plain {{ .Values.x }} {% y %} ${HOME}\n"),
        ("<{ name }> <{ number }>\n", "acme 5\n"),
        ("<% if yes %>\na\n<% elif number > 3 %>\nb\n<% else %>\nc\n<% endif %>\n", "a\n"),
        ("<% if not yes %>\na\n<% elif number > 3 %>\nb\n<% else %>\nc\n<% endif %>\n", "b\n"),
        ("<% if not yes %>\na\n<% elif number > 9 %>\nb\n<% else %>\nc\n<% endif %>\n", "c\n"),
        ("<% for x in list %>\n- <{ x }>\n<% else %>\nnone\n<% endfor %>\n", "- a\n- b\n- c\n"),
        ("<% for x in empty %>\n- <{ x }>\n<% else %>\nnone\n<% endfor %>\n", "none\n"),
        (
            "<% for x in list if x != 'b' %>\n<{ loop.index ~ x }>\n<% if loop.last %>\nlast\n<% endif %>\n<% endfor %>\n",
            "1a\n2c\nlast\n",
        ),
        ("<% for key, value in {'a': 1, 'b': 2}|items %>\n<{ key }> <{ value }>\n<% endfor %>\n", "a 1\nb 2\n"),
        (
            "<% for group in list|groupby('item == \\'b\\'') %>\n<{ group.items|tokens(' ') }>\n<% endfor %>\n",
            "a c\nb\n",
        ),
        ("<{ list|tokens(', ') }>\n", "a, b, c\n"),
        ("<% macro m(a, b='x') %>\n<{ a }> <{ b }>\n<% endmacro %>\n<{ m(name) }><{ m(1, b=2) }>", "acme x\n1 2\n"),
        ("<% macro m(a) %>\n<{ a }>\nb\n\n<% endmacro %>\n<{ m(1)|indent(2, true) }>", "  1\n  b\n\n"),
        (
            "<% set block %>\n<{ name }>\n<% for x in list %>\n<{ x }>\n<% endfor %>\n<% endset %>\nx:\n  <{ block|indent(2) }>end\n",
            "x:\n  acme\n  a\n  b\n  c\nend\n",
        ),
        ("<% set block %>\n<{ name }>\n<% endset %>\n<{ block }><{ block }>", "acme\nacme\n"),
        ("<% filter indent(2, true) %>\n<{ name }>\n<% endfilter %>\n", "  acme\n"),
        ("<# comment <{ x }> #>\n<% raw %><{ x }><% endraw %>\n", "<{ x }>"),
        ("a  <%- if yes -%>  b <%- endif %>\n", "ab"),
        ("<{ '  '|raw('indentation') }><{ name }>\n", "  acme\n"),
        ("no newline", "no newline"),
        ("", ""),
    ] {
        let spec = "name = acme\nnumber = 5\nyes = true\nlist = [a b c]\nempty = []";
        assert_eq!(text(spec, Format::Text, template), result, "{template}");
    }
}

#[test]
fn values_are_written_by_the_format() {
    let spec = "name = it's\nnumber = 5\nyes = true\nno = no\nlist = [a b]";
    assert_eq!(
        text(spec, Format::Yaml, "a: <{ name }>\nb: <{ yes }>\nc: <{ no }>\n# <{ name|comment }>\n"),
        "a: \"it's\"\nb: true\nc: \"no\"\n# it's\n"
    );
    assert_eq!(text(spec, Format::Shell, "echo <{ name }> <{ number }>\n"), "echo 'it'\\''s' 5\n");
}

#[test]
fn includes_and_imports() {
    let mut bench = Bench::new("name = acme\nlist = [a b]");
    bench.add("part", Format::Text, "part of <{ name }> <{ x }>\n");
    bench.add("macros", Format::Text, "<% macro twice(a) %>\n<{ a }> <{ a }>\n<% endmacro %>\n");
    bench.add(
        "main",
        Format::Text,
        "<% from 'macros' import twice as t %>\n<% for x in list %>\n<% include 'part' %>\n<{ t(x) }><% endfor %>\n",
    );
    let Ok(Rendered::Text { text, .. }) = bench.render(Mode::Plain) else { panic!() };
    assert_eq!(text, "part of acme a\na a\npart of acme b\nb b\n");
    assert_eq!(bench.templates["main"].uses(), ["macros".into(), "part".into()] as [Str; 2]);
    assert_eq!(
        bench.check(&[("name".into(), Type::Text), ("list".into(), Type::List(Type::Text.into()))]),
        [] as [&str; 0]
    );
    // What includes itself is found at load, and stopped when it runs.
    let mut bench = Bench::new("name = acme");
    bench.add("main", Format::Text, "<% include 'main' %>\n<% include 'mian' %>\n");
    assert_eq!(
        bench.check(&[]),
        [
            "S0704 the template `main` includes itself @ main:1:12 `'main'`",
            "S0704 there is no template `mian` @ main:2:12 `'mian'`",
        ]
    );
    assert_eq!(bench.render(Mode::Plain).unwrap_err().len(), 1);
}

#[test]
fn refused_at_load() {
    for (template, finding) in [
        ("<% set x = 1 %>", "S0702 `set` of a value is not allowed in a template @ main:1:4 `set x = 1`"),
        ("<% do f() %>", "S0702 `do` is not allowed in a template @ main:1:4 `do f()`"),
        ("<% extends 'x' %>", "S0702 `extends` is not allowed in a template @ main:1:4 `extends 'x'`"),
        (
            "<% block x %><% endblock %>",
            "S0702 `block` is not allowed in a template @ main:1:4 `block x %><% endblock`",
        ),
        ("<% import 'x' as y %>", "S0702 `import` is not allowed in a template @ main:1:4 `import 'x' as y`"),
        (
            "<% with x = 1 %><% endwith %>",
            "S0702 `with` is not allowed in a template @ main:1:4 `with x = 1 %><% endwith`",
        ),
        ("<% for x in y %><% break %><% endfor %>", "S0702 `break` is not allowed in a template @ main:1:20 `break`"),
        ("<% include x %>", "S0702 the name of an included template is a literal string @ main:1:12 `x`"),
        (
            "<% set x %>a<% endset %><{ x|upper }>",
            "S0703 `x` is text already written, which can only be put in place @ main:1:28 `x`",
        ),
        (
            "<% set x %>a<% endset %><% if x == 'a' %><% endif %>",
            "S0703 `x` is text already written, which can only be put in place @ main:1:31 `x`",
        ),
        ("<% set x %>a<% endset %><{ x|comment }>", "S0703 `x` is text already written @ main:1:25 `<{ x|comment`"),
        ("<% set x|upper %>a<% endset %>", "S0703 text already written can only be laid out @ main:1:10 `upper`"),
        ("<{ x|raw }>", "S0707 `raw` has no reason @ main:1:6 `raw`"),
        ("<{ x|indent(2) }>", "S0707 a value is one token and has no lines to indent @ main:1:1 `<{ x|indent(2)`"),
        ("<{ x|fence('klingon') }>", "S0707 there is no format `klingon` @ main:1:6 `fence('klingon')`"),
        ("<{ x|nofilter }>", "S0623 there is no filter `nofilter` @ main:1:6 `nofilter`"),
        ("<% if x %>", "S0701 unexpected end of input, expected end of block @ main:1:11 ``"),
        ("<{ x", "S0701 unexpected end of input, expected end of variable block @ main:1:4 `x`"),
    ] {
        let found = findings(template);
        if finding.starts_with("S0701") {
            assert!(found[0].starts_with("S0701"), "{found:?}");
        } else {
            assert_eq!(found, [finding], "{template}");
        }
    }
    // All of it at once.
    assert_eq!(findings("<% set x = 1 %>\n<% do f() %>\n<{ a|nofilter }>\n").len(), 3);
}

#[test]
fn interpolations_are_whole_tokens() {
    let mut bench = Bench::new("");
    bench.add("main", Format::Yaml, "image: <{ repo }>:<{ tag }>\n");
    assert!(bench.check(&[])[0].starts_with("S0706"));
    let mut bench = Bench::new("");
    bench.add("main", Format::Yaml, "a: \"<{ x }>\"\n");
    assert!(bench.check(&[])[0].starts_with("S0706"));
    // The end of a loop's body meets its head.
    let mut bench = Bench::new("");
    bench.add("main", Format::Yaml, "<% for x in y %><{ x }><% endfor %>\n");
    assert!(bench.check(&[])[0].starts_with("S0706"));
}

#[test]
fn checked_against_types() {
    let field = |ty| Field { ty, default: None, doc: "".into() };
    let fields = [("name", Type::Text), ("cpu", Type::Int), ("nets", Type::List(Type::Cidr.into()))];
    let fields = fields.into_iter().map(|(n, ty)| (n.into(), field(ty))).collect();
    let host = Type::Struct(Struct { name: "host".into(), fields, ..Struct::default() }.into());
    let types = [("hosts".into(), Type::List(host.into()))];
    for (template, finding) in [
        ("<% for h in hosts %><{ h.nmae }>\n<% endfor %>", "S0622 `host` has no `nmae` @ main:1:26 `nmae`"),
        (
            "<% for h in hosts if h.cpu %><{ h.name }>\n<% endfor %>",
            "S0627 a condition is true or false, and this is a whole number @ main:1:22 `h.cpu`",
        ),
        ("<% for h in hsots %><% endfor %>", "S0621 there is no `hsots` here @ main:1:13 `hsots`"),
        ("<% for h in hosts %><% endfor %><{ h.name }>", "S0621 there is no `h` here @ main:1:36 `h`"),
        ("<{ hosts }>", "S0629 a list cannot be written as one value @ main:1:4 `hosts`"),
        (
            "<{ hosts|tokens(',') }>",
            "S0629 `tokens` writes a list of single values, and this is a list @ main:1:4 `hosts`",
        ),
        (
            "<% for x in 5 %><% endfor %>",
            "S0629 a loop goes through a list, and this is a whole number @ main:1:13 `5`",
        ),
        (
            "<% macro m(h) %><{ h.nmae }>\n<% endmacro %><{ m(hosts|first) }>",
            "S0622 `host` has no `nmae` @ main:1:22 `nmae`",
        ),
        ("<% macro m(h) %><{ h }>\n<% endmacro %><{ m() }>", "S0705 `m` is called as `m(h)` @ main:2:15 `<{ m()`"),
        ("<% if loop.first %><% endif %>", "S0621 there is no `loop` here @ main:1:7 `loop`"),
    ] {
        let mut bench = Bench::new("");
        bench.add("main", Format::Text, template);
        assert_eq!(bench.check(&types), [finding], "{template}");
    }
    let mut bench = Bench::new("");
    bench.add(
        "main",
        Format::Text,
        "<% for h in hosts if h.cpu > 3 %>\n<{ loop.index }> <{ h.name }> <{ h.nets|tokens(' ') }>\n<% endfor %>\n",
    );
    assert_eq!(bench.check(&types), [] as [&str; 0]);
}

#[test]
fn what_cannot_be_written_is_said_at_its_place() {
    let show = |spec: &str, template: &str| {
        let mut bench = Bench::new(spec);
        bench.add("main", Format::Text, template);
        let plain = bench.render(Mode::Plain);
        let traced = bench.render(Mode::Traced);
        assert_eq!(plain.is_ok(), traced.is_ok());
        assert_eq!(plain.as_ref().err(), traced.as_ref().err());
        plain
    };
    assert_eq!(
        show("a = 1\nx = null", "<{ x }>\n").unwrap_err(),
        ["S0710 nothing to write: `x` is unanswered @ site.yaml:2:1 `x = null` @ main:1:4 `x`"]
    );
    assert_eq!(
        show("x = null", "<% if x == 1 %>\na\n<% endif %>\n").unwrap_err(),
        ["S0711 the template decides on `x`, which is unanswered @ main:1:7 `x == 1` @ site.yaml:1:1 `x = null`"]
    );
    assert_eq!(show("x = null", "<% for y in x %>\na\n<% endfor %>\n").unwrap_err().len(), 1);
    assert_eq!(show("x = [a b]", "<{ x }>\n").unwrap_err().len(), 1);
    assert_eq!(show("x = 5", "<% if x %>\na\n<% endif %>\n").unwrap_err().len(), 1);
    // Everything in one run.
    assert_eq!(show("x = null\ny = null", "<{ x }>\n<{ y }>\n<{ x ~ y }>\n").unwrap_err().len(), 3);
    // Faulty values are silent.
    assert_eq!(show("x = poison", "<{ x }>\n"), Ok(Rendered::Poisoned));
    assert_eq!(show("x = poison", "<% if x == 1 %>\na\n<% endif %>\n"), Ok(Rendered::Poisoned));
    // An unanswered value that is asked about is no finding.
    assert!(show("x = null", "<% if x is answered and x == 1 %>\na\n<% endif %>\n").is_ok());
}

#[test]
fn runaways_end() {
    let mut bench = Bench::new("x = 1");
    bench.add("main", Format::Text, "<% macro m() %><{ m() }><{ m() }><% endmacro %><{ m() }>");
    assert_eq!(bench.render(Mode::Plain).unwrap_err().len(), 1);
    let mut bench = Bench::new("x = 1");
    let line = "x".repeat(1 << 16);
    bench.add("main", Format::Text, &format!("<% for a in range(100000) %>\n{line}\n<% endfor %>\n"));
    assert!(bench.render(Mode::Plain).unwrap_err()[0].contains("writes more than 64 MiB"));
    for unit in
        ["<% if x %>", "<% for a in b %>", "<% elif x %>", "<{ (", "<% set x %>", "<%", "<{ -", "<% macro m() %>"]
    {
        for n in [20, 30, 160, 2000] {
            findings(&unit.repeat(n));
            findings(&format!("<% if x %>{}", unit.repeat(n)));
        }
    }
}

/// The names of the spec lines that each line of the output comes from.
fn origins(spec: &str, template: &str) -> Vec<(String, String)> {
    let mut bench = Bench::new(spec);
    bench.add("main", Format::Text, template);
    let Ok(Rendered::Text { text, trace: Some(trace), .. }) = bench.render(Mode::Traced) else { panic!() };
    let name = |p: &PlaceId| {
        let span = bench.sources.span_of(*p).unwrap();
        (bench.sources.file(span.file).role == Role::Spec)
            .then(|| bench.sources.text(span).split(' ').next().unwrap().to_owned())
    };
    let lines = text.lines().enumerate().map(|(i, line)| {
        let mut names: Vec<String> = trace.line_origins(i + 1).iter().filter_map(name).collect();
        names.dedup();
        (line.to_owned(), names.join(" "))
    });
    lines.collect()
}

fn pairs(found: &[(String, String)]) -> Vec<(&str, &str)> {
    found.iter().map(|(a, b)| (&**a, &**b)).collect()
}

#[test]
fn lines_know_where_they_come_from() {
    let spec = "a = 1\nb = 2\nyes = true\nlist = [x y]";
    let found = origins(
        spec,
        "head\n<{ a }>\n<% if yes %>\nin\n<{ b }>\n<% endif %>\n<% for i in list %>\n- <{ i }>\n<% endfor %>\ntail\n",
    );
    assert_eq!(
        pairs(&found),
        [("head", ""), ("1", "a"), ("in", "yes"), ("2", "b yes"), ("- x", "list"), ("- y", "list"), ("tail", ""),]
    );
    // What is not there is explained by the lines on both sides of it.
    let found = origins("no = false\na = 1", "one\n<% if no %>\nin\n<% endif %>\ntwo\nthree\n");
    assert_eq!(pairs(&found), [("one", "no"), ("two", "no"), ("three", "")]);
    // An earlier condition decides about a later branch.
    let found = origins("a = false\nb = true", "<% if a %>\nx\n<% elif b %>\ny\n<% endif %>\n");
    assert_eq!(pairs(&found), [("y", "a b")]);
    // Items left out are explained where they would stand; what counts depends on all.
    let found = origins("list = [x y]\nw = y", "<% for i in list if i != w %>\n<{ i }>\n<% endfor %>\nend\n");
    assert_eq!(pairs(&found), [("x", "list w"), ("end", "list w")]);
    // Text that is captured keeps its origins, and gains those of where it is put.
    let found = origins(
        "a = 1\nyes = true",
        "<% set t %>\n<{ a }>\nx\n<% endset %>\n<% if yes %>\n<{ t|indent(2, true) }><% endif %>\nend\n",
    );
    assert_eq!(pairs(&found), [("  1", "a yes"), ("  x", "yes"), ("end", "")]);
}

/// Changing one leaf changes only lines that name it: the old ones, the new ones, or those beside a gap.
#[test]
fn a_change_is_named_by_the_lines_that_differ() {
    let template = "head\n\
        <% if a %>\nA\n<% for x in list if x != skip %>\n<{ loop.index }> <{ x }> <{ word }>\n\
        <% if x == pick %>\npicked\n<% endif %>\n<% endfor %>\n<% elif b %>\nB <{ word }>\n<% else %>\n<% endif %>\n\
        middle\n<% set t %>\n<% if b %>\nb <{ number }>\n<% endif %>\n<% endset %>\n<{ t|indent(4, true) }>\
        <% macro m(v) %>\n<% if v > 3 %>\nbig\n<% else %>\nsmall\n<% endif %>\n<% endmacro %>\n<{ m(number) }>\
        <{ list|select('item != skip')|tokens(' ') }>\n<{ list|length }>\ntail\n";
    let choices: [(&str, &[&str]); 7] = [
        ("a", &["true", "false"]),
        ("b", &["true", "false"]),
        ("list", &["[x y z]", "[y x]", "[]"]),
        ("skip", &["y", "q"]),
        ("pick", &["x", "z", "q"]),
        ("word", &["w", "v"]),
        ("number", &["1", "5"]),
    ];
    let spec = |pick: &[usize]| {
        let lines: Vec<String> =
            choices.iter().zip(pick).map(|((n, v), i)| format!("{n} = {}", v[*i % v.len()])).collect();
        lines.join("\n")
    };
    let mut compared = 0;
    for seed in 0..72usize {
        let pick: Vec<usize> = (0..choices.len()).map(|i| seed / (i + 1)).collect();
        let old = origins(&spec(&pick), template);
        for leaf in 0..choices.len() {
            for other in 0..choices[leaf].1.len() {
                let mut changed = pick.clone();
                changed[leaf] = other;
                let new = origins(&spec(&changed), template);
                let (a, b): (Vec<&str>, Vec<&str>) =
                    (old.iter().map(|l| &*l.0).collect(), new.iter().map(|l| &*l.0).collect());
                for op in similar::capture_diff_slices(similar::Algorithm::Myers, &a, &b) {
                    if matches!(op, similar::DiffOp::Equal { .. }) {
                        continue;
                    }
                    for (line, names) in old[op.old_range()].iter().chain(&new[op.new_range()]) {
                        compared += 1;
                        assert!(
                            names.split(' ').any(|n| n == choices[leaf].0),
                            "`{line}` does not name `{}` but `{names}`\n{old:?}\n{new:?}",
                            choices[leaf].0
                        );
                    }
                }
            }
        }
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn reads_are_known() {
    let mut bench = Bench::new("a = 1\nb = 2\nlist = [x]");
    bench.add("main", Format::Text, "<% if a == 2 %>\n<{ b }>\n<% endif %>\n<{ list|tokens(',') }>\n");
    let Ok(Rendered::Text { reads, .. }) = bench.render(Mode::Traced) else { panic!() };
    assert_eq!(reads, Origins::from_places(vec![PlaceId(0), PlaceId(2), PlaceId(3)]));
    assert_eq!(bench.templates["main"].paths(), [vec![Str::from("a")], vec!["b".into()], vec!["list".into()]]);
}

/// An item of the `Ir` whose list does not say why it is there is explained by its fields.
#[test]
fn records_explain_themselves() {
    let mut map = Map::new();
    map.insert("x".into(), Tracked::new("y", Origins::None));
    let mut bench = Bench::new("a = 1");
    let field = |text: &str| crate::ir::F::new(text.into(), Origins::None);
    let question = crate::ir::Blank {
        product: field("demo"),
        name: field("url"),
        mark: crate::ir::F::new("A1".into(), PlaceId(0).into()),
        says: field("the address"),
        revealed_by: field("step 1"),
    };
    let item = Tracked { value: Value::Record(std::sync::Arc::new(question)), origins: Origins::None };
    bench.names.push(("blanks".into(), Tracked { value: Value::list(vec![item]), origins: Origins::None }));
    bench.add("main", Format::Text, "<% for b in blanks %>\nthere\n<% endfor %>\n");
    let Ok(Rendered::Text { trace: Some(trace), .. }) = bench.render(Mode::Traced) else { panic!() };
    assert!(trace.line_origins(1).contains(&PlaceId(0)));
}
