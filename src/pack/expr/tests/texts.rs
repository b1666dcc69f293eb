//! Texts with expressions in them, spans, and any text at all.

use super::*;

#[test]
fn strings_with_expressions() {
    let s = Site::new();
    let scope = Scope::new(&s.names, &s);
    let eval = |text: &str| {
        let mut findings = Findings::default();
        let text = Text::parse(text, anchor(text), &mut findings).expect("reads");
        text.check(&Env::new(&s.types, &s.root), &mut findings);
        assert!(findings.is_empty());
        text.eval(&scope, &mut Reads::default()).expect("evaluates").value
    };
    assert_eq!(eval("plain"), Value::str("plain"));
    assert_eq!(eval("{{ host.cpu }}"), Value::Int(4));
    assert_eq!(eval("a {{ host }}-{{ host.cpu * 2 }} b\n"), Value::str("a w2-8 b\n"));
    assert_eq!(eval("a {{ host.iops }}"), Value::Null);
    assert_eq!(eval("{{ {'a': {'b': 1}}.a.b }}"), Value::Int(1));
    assert_eq!(eval("{% x %} {# y #} {{ '{{' }}"), Value::str("{% x %} {# y #} {{"));
    let mut findings = Findings::default();
    assert!(Text::parse("docker ls --format '{{.Name}}'", anchor("x"), &mut findings).is_none());
    assert!(findings.iter().next().unwrap().help.is_some());
    let text = "curl {{ settings.profile }}:{{ host.iops }}";
    let text = Text::parse(text, anchor(text), &mut findings).unwrap();
    let pieces = text.pieces(&scope, &mut Reads::default()).unwrap();
    assert_eq!(pieces.len(), 4);
    assert!(matches!(&pieces[1], Piece::Value(t) if t.value == Value::str("production")));
}

#[test]
fn spans_within_literal_strings() {
    let mut sources = crate::source::Sources::default();
    let toml = "when = 'hsot.cpu'\nlong = '''\nhsot.cpu'''\nescaped = \"hsot[\\\"cpu\\\"]\"\n";
    let file = sources.add("pack.toml", toml, crate::source::Role::Pack);
    let at = |written: &str| {
        let start = toml.find(written).unwrap();
        Span::new(file, start, start + written.len())
    };
    let s = Site::new();
    for (written, text, line, column, shown) in [
        ("'hsot.cpu'", "hsot.cpu", 1, 9, "hsot"),
        ("'''\nhsot.cpu'''", "hsot.cpu", 3, 1, "hsot"),
        ("\"hsot[\\\"cpu\\\"]\"", "hsot[\"cpu\"]", 4, 11, "\"hsot[\\\"cpu\\\"]\""),
    ] {
        let mut findings = Findings::default();
        let anchor = Anchor::new(&sources, at(written), PlaceId::NONE, text);
        let expr = Expr::parse(text, anchor, &mut findings).unwrap();
        expr.check(&Env::new(&s.types, &s.root), &mut findings);
        let span = findings.iter().next().unwrap().primary.as_ref().unwrap().span;
        assert_eq!(sources.line_col(span), (line, column));
        assert_eq!(sources.text(span), shown);
    }
}

#[test]
fn any_text_is_read_without_panic() {
    let mut texts: Vec<String> =
        ["((((((", "a.b.c", "-", "{'a':", "'", "\"\\", "a|", "a is", "1..2", "\u{0}", "ä|ö", "x[::"]
            .map(str::to_owned)
            .into();
    for unit in ["(", "-", "not ", "1+", "a.", "[", "{'a':", "a|b(", "a if ", "a[0]", "a is not b and "] {
        for n in [10, 90, 110, 700, 5000, 100_000] {
            texts.push(unit.repeat(n));
            texts.push(format!("{}1", unit.repeat(n)));
        }
    }
    let s = Site::new();
    for text in texts {
        let mut findings = Findings::default();
        if let Some(expr) = Expr::parse(&text, anchor(&text), &mut findings) {
            expr.check(&Env::new(&s.types, &s.root), &mut findings);
            let _ = expr.eval(&Scope::new(&s.names, &s), &mut Reads::default());
        } else {
            assert!(!findings.is_empty());
        }
        Text::parse(&format!("a {{{{ {text}"), anchor(""), &mut findings);
    }
}

#[test]
fn rows_are_described_and_distinct() {
    let mut seen = std::collections::BTreeSet::new();
    for (kind, row) in reference() {
        assert!(seen.insert((kind, row.name)), "{kind} {} is there twice", row.name);
        assert!(!row.doc.is_empty() && !row.doc.ends_with('.'), "{}", row.name);
        let optional = row.params.iter().skip_while(|p| p.required);
        assert!(optional.clone().all(|p| !p.required), "{}", row.name);
    }
}

/// Every use of every row with any values gives a value or an error, never a panic, and unknown input is never known.
#[test]
fn rows_take_anything() {
    let s = Site::new();
    let inputs = [
        "settings.mesh",
        "settings.faulty",
        "1",
        "'x'",
        "host",
        "host.memory",
        "workers",
        "settings.ports",
        "[]",
        "true",
    ];
    let args = ["1", "'x'", "workers", "host.memory", "'item'"];
    for (kind, row) in reference() {
        for input in inputs {
            for arg in args {
                let given: Vec<&str> = row
                    .params
                    .iter()
                    .map(|p| if matches!(p.kind, table::Kind::Value) { arg } else { "'item'" })
                    .collect();
                let call = if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) };
                let text = match kind {
                    "filter" => format!("{input}|{}{call}", row.name),
                    "test" => format!("{input} is {}{call}", row.name),
                    _ => format!("{}{call}", row.name),
                };
                let mut findings = Findings::default();
                let Some(expr) = Expr::parse(&text, anchor(&text), &mut findings) else { continue };
                expr.check(&Env::new(&s.types, &s.root), &mut findings);
                let result = expr.eval(&Scope::new(&s.names, &s), &mut Reads::default());
                if kind != "function" && input == "settings.mesh" && row.unknown == table::Unknown::Passes {
                    assert_eq!(result.expect("unknown is no error").value, Value::Null, "{text}");
                } else if kind != "function" && input == "settings.faulty" {
                    assert_eq!(result.expect("poison is no error").value, Value::Poison, "{text}");
                }
            }
        }
    }
}
