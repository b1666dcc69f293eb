//! Specs in three syntaxes, as nodes or as findings.

use super::*;

/// A tree without places, for comparisons: scalars as `kind:raw`.
fn plain(node: &Node) -> String {
    match &node.data {
        Data::Null => "null".into(),
        Data::Bool { value, raw } => format!("bool:{value}:{raw}"),
        Data::Int { value, raw } => format!("int:{value}:{raw}"),
        Data::Float { value, raw } => format!("float:{value}:{raw}"),
        Data::Text(t) => format!("{t:?}"),
        Data::Poison => "POISON".into(),
        Data::List(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(",")),
        Data::Map(entries) => {
            let mut rows: Vec<_> = entries.iter().map(|e| format!("{}={}", e.key, plain(&e.value))).collect();
            rows.sort();
            format!("{{{}}}", rows.join(","))
        }
    }
}

fn read(name: &str, text: &str) -> (Sources, Option<Node>, Vec<Diag>) {
    let (mut sources, mut findings) = (Sources::default(), Findings::default());
    let file = sources.add(name, text, Role::Spec);
    let node = parse(&mut sources, file, &mut findings);
    findings.sort();
    (sources, node, findings.iter().cloned().collect())
}

/// `code line:col message` of each finding.
fn said(name: &str, text: &str) -> Vec<String> {
    let (sources, _, diags) = read(name, text);
    let place = |d: &Diag| {
        d.primary.as_ref().map_or(String::new(), |l| {
            let (line, col) = sources.line_col(l.span);
            format!("{line}:{col} [{}]", sources.text(l.span))
        })
    };
    diags.iter().map(|d| format!("{} {} {}", d.code, place(d), d.message)).collect()
}

fn tree(name: &str, text: &str) -> String {
    let (_, node, diags) = read(name, text);
    assert!(diags.is_empty(), "{diags:?}");
    plain(&node.expect("a text without findings has a tree"))
}

/// Every value's source text, by pointer.
fn places(name: &str, text: &str) -> Vec<String> {
    let (sources, node, _) = read(name, text);
    let mut rows = Vec::new();
    let node = node.expect("the text is sound");
    node.walk(&mut String::new(), &mut |pointer, n| {
        assert_eq!(sources.span_of(n.place), Some(n.span));
        rows.push(format!("{pointer} {}", sources.text(n.span)));
    });
    rows
}

#[test]
fn three_syntaxes_give_equal_trees() {
    let yaml = "a: {b: [1, 2.50, true, \"x\"], 'c d': é}\ne: |\n  x\n  y\nf: -3\n";
    let json = r#"{"a": {"b": [1, 2.50, true, "x"], "c d": "\u00e9"}, "e": "x\ny\n", "f": -3}"#;
    let toml = "f = -3\ne = '''\nx\ny\n'''\n[a]\nb = [1, 2.50, true, \"x\"]\n\"c d\" = \"é\"\n";
    assert_eq!(tree("s.yaml", yaml), tree("s.json", json));
    assert_eq!(tree("s.yaml", yaml), tree("s.TOML", toml));
}

#[test]
fn spans_of_yaml() {
    let text = "a:\n  b: [x, 'y']   # c\n  e:\n  t: |\n    one\n    two\n\nl:\n- p: 1\n-\nm: two\n  lines\n";
    assert_eq!(
        places("s.yaml", text)[1..],
        [
            "/a b: [x, 'y']   # c\n  e:\n  t: |\n    one\n    two",
            "/a/b [x, 'y']",
            "/a/b/0 x",
            "/a/b/1 'y'",
            "/a/e ",
            "/a/t one\n    two",
            "/l - p: 1\n-",
            "/l/0 p: 1",
            "/l/0/p 1",
            "/l/1 ",
            "/m two\n  lines",
        ]
    );
    // A missing value has its place right behind the colon, where it would be written.
    let (_, node, _) = read("s.yaml", "k:  # c\n");
    let span = node.and_then(|n| n.get("k").map(|n| n.span)).expect("k is there");
    assert_eq!((span.start, span.end), (2, 2));
}

#[test]
fn spans_of_toml_and_json() {
    let toml = "a.b = 'x'\n[[t]]\nn = 1\n[[t]]\nn = { c = [1, 2] }\n";
    assert_eq!(
        places("s.toml", toml)[1..],
        [
            "/a b = 'x'",
            "/a/b 'x'",
            "/t n = 1\n[[t]]\nn = { c = [1, 2] }",
            "/t/0 n = 1",
            "/t/0/n 1",
            "/t/1 n = { c = [1, 2] }",
            "/t/1/n { c = [1, 2] }",
            "/t/1/n/c [1, 2]",
            "/t/1/n/c/0 1",
            "/t/1/n/c/1 2",
        ]
    );
    let json = " {\"a\": [null, \"x\"]} ";
    assert_eq!(places("s.json", json), [" {\"a\": [null, \"x\"]}", "/a [null, \"x\"]", "/a/0 null", "/a/1 \"x\""]);
}

#[test]
fn a_byte_order_mark_is_accepted() {
    let (sources, node, diags) = read("s.yaml", "\u{feff}a: é\nb: x\n");
    assert!(diags.is_empty());
    let node = node.expect("the text is sound");
    let texts: Vec<&str> = node.entries().iter().map(|e| sources.text(e.value.span)).collect();
    assert_eq!(texts, ["é", "x"]);
}

#[test]
fn places_inside_of_strings() {
    for (name, text, part, want) in [
        ("p.toml", "a = 'site.x > 1'", 5..6, "x"),
        ("p.toml", r#"a = "x \"y\" \u00e9z""#, 8..9, "z"),
        ("p.toml", "a = \"\"\"\nab\\\n   cd\"\"\"", 2..4, "cd"),
        ("p.toml", "a = '''\nab\ncd'''", 3..5, "cd"),
        ("p.yaml", "a: 'it''s x'", 5..6, "x"),
        ("p.yaml", r#"a: "\tx\U0001F600y""#, 6..7, "y"),
        ("p.yaml", "a: plain x", 6..7, "x"),
        ("p.json", r#"{"a": "\ud83d\ude00y"}"#, 4..5, "y"),
        ("p.yaml", "a: >\n  one\n  two\n", 4..7, "one\n  two"),
    ] {
        let (sources, node, _) = read(name, text);
        let node = node.expect("the text is sound");
        let value = node.get("a").expect("a is there");
        let span = inside(&sources, value.span, value.scalar_text().expect("a is a string"), part);
        assert_eq!(sources.text(span), want, "{text}");
    }
}

#[test]
fn syntax_errors_of_yaml() {
    for (text, want) in [
        ("x: [w[01-05], b]", "S0002 1:5 [w[01-05]] `w[01-05]` needs quotes here"),
        ("x: { x: 10.30.8.[11-13] }", "S0002 1:9 [10.30.8.[11-13]] `10.30.8.[11-13]` needs quotes here"),
        ("x: [*]", "S0002 1:5 [*] `*` needs quotes here"),
        ("x: [*w]", "S0002 1:5 [*w] there is no anchor `&w`"),
        ("a: @x", "S0002 1:4 [@x] `@x` needs quotes here"),
        ("a:\n\tb: 1\n", "S0002 2:1 [\t] a tab is used for indentation"),
        ("a:\n  b: 1\n\tc: 2\n", "S0002 3:1 [\t] a tab is used for indentation"),
        ("a: \"x\n", "S0002 1:4 [\"] a quote is never closed"),
        ("a: {b: 1\nc: 2\n", "S0002 1:4 [{] this `{` is never closed"),
        ("a: [1, 2\nb: 3\n", "S0002 1:4 [[] this `[` is never closed"),
        ("a: b: c\n", "S0002 1:4 [b: c] text that contains `: ` needs quotes"),
        ("x:\n  a:1\n  b: 2\n", "S0002 2:4 [:] a space is missing behind `a:`"),
        ("x:\n  a: [1]\n   b: 2\n", "S0002 3:4 [b] the indentation of this line fits nothing above it"),
        ("key: [a, b]]\n", "S0002 1:12 []] a bracket closes nothing"),
        ("a: 'x' y\n", "S0002 1:8 [y] text follows a closing quote"),
        ("- a\nb: 1\n", "S0002 2:1 [b] expected an item of the list"),
        ("%YAML 1.1\n---\na: 1\n", "S0008 1:1 [%YAML 1.1] YAML directives are not supported"),
        ("a: {{ x }}\n", "S0008 1:5 [{ x }] a map cannot be a key"),
        ("a: 1\n---\nb: 2\n", "S0010 2:1 [---] a second document begins"),
        ("# only\n", "S0003 1:1 [] the file holds no values"),
        ("a: !!str 5\n", "S0008 1:4 [!!str] the tag `!!str` is not supported"),
        ("a: &a [*a]", "S0007 1:8 [*a] the alias `*a` stands inside the value that it repeats"),
    ] {
        assert_eq!(said("s.yaml", text), [want], "{text}");
    }
}

#[test]
fn all_faults_of_one_text() {
    let text = "<<: 1\n1: no\nm: 0644\nx: 1_000\ny: .nan\ny: 2\n";
    assert_eq!(
        said("s.yaml", text),
        [
            "S0008 1:1 [<<] merge keys are not supported",
            "S0008 2:1 [1] the key `1` is a number, not text",
            "S0009 2:4 [no] `no` is text here, but the boolean false to readers of YAML 1.1",
            "S0009 3:4 [0644] `0644` is the number 644 here, but an octal number to readers of YAML 1.1",
            "S0009 4:4 [1_000] `1_000` is text here, but a number to readers of YAML 1.1",
            "S0008 5:4 [.nan] `.nan` is not a number that can be used",
            "S0004 6:1 [y] the key `y` is given twice",
        ]
    );
}

#[test]
fn faults_of_toml_and_json() {
    for (name, text, want) in [
        ("s.toml", "a = 1\na = 2\n", "S0004 2:1 [a] the key `a` is given twice"),
        ("s.toml", "a = x\n", "S0002 1:5 [x] `x` is no value"),
        ("s.toml", "a = nan\n", "S0008 1:5 [nan] `nan` is not a number that can be used"),
        ("s.toml", "a = 1979-05-27\n", "S0008 1:5 [1979-05-27] the date `1979-05-27` is not supported"),
        ("s.json", "{\"a\":1,\"a\":2}", "S0004 1:8 [\"a\"] the key `a` is given twice"),
        ("s.json", "{\"a\":1,}", "S0002 1:7 [,] a comma stands before the closing `}`"),
        ("s.json", "{\"a\": 01}", "S0002 1:7 [01] `01` is not a number"),
        ("s.json", "{a: 1}", "S0002 1:2 [a] expected a key in double quotes"),
        ("s.json", "[1", "S0002 1:1 [[] this `[` is never closed"),
        ("s.json", "{\"a\":1} x", "S0002 1:9 [x] text follows the value"),
    ] {
        assert_eq!(said(name, text), [want], "{text}");
    }
    assert_eq!(said("s.toml", "a = x\nb = 1\nc = \n").len(), 2, "TOML reports several syntax errors at once");
}

#[test]
fn aliases_repeat_values_within_limits() {
    assert_eq!(tree("s.yaml", "a: &x {b: 1}\nc: *x\n"), "{a={b=int:1:1},c={b=int:1:1}}");
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let uses = vec![format!("*a{}", i - 1); 9].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{uses}]\n"));
    }
    assert!(said("s.yaml", &bomb)[0].starts_with("S0007"));
    let mut deep = format!("a0: &a0 {}{}\n", "[".repeat(100), "]".repeat(100));
    deep.push_str(&format!("a1: {}*a0{}\n", "[".repeat(100), "]".repeat(100)));
    assert!(said("s.yaml", &deep)[0].starts_with("S0005"));
}

#[test]
fn depth_is_limited_in_every_syntax() {
    for (name, text) in [
        ("s.yaml", "[".repeat(10_000)),
        ("s.yaml", "{a: ".repeat(10_000)),
        ("s.yaml", "- ".repeat(10_000)),
        ("s.json", "[".repeat(10_000)),
        ("s.toml", format!("a = {}", "[".repeat(10_000))),
        ("s.toml", format!("{}a = 1", "a.".repeat(10_000))),
    ] {
        let said = said(name, &text);
        assert!(said[0].starts_with("S0005"), "{name} {} {said:?}", &text[..8]);
    }
}

#[test]
fn bytes_that_are_no_text() {
    for (bytes, want) in [
        (&b"a: \xe9\n"[..], "the file is not UTF-8: byte 3 is 0xE9"),
        (b"\xff\xfea\0", "the file is not UTF-8: byte 0 is 0xFF"),
        (b"a\0: b", "the file is binary or not UTF-8: byte 1 is NUL"),
    ] {
        assert_eq!(decode_utf8(bytes).map_err(|d| d.message), Err(want.to_owned()));
        let (mut sources, mut findings) = (Sources::default(), Findings::default());
        assert!(load(&mut sources, "s.yaml", bytes.to_vec(), Role::Spec, &mut findings).is_none());
        assert_eq!(findings.iter().map(|d| d.message.as_str()).collect::<Vec<_>>(), [want]);
    }
}

#[test]
fn the_examples_of_the_pages_are_true() {
    for code in ["S0002", "S0003", "S0004", "S0008", "S0009", "S0010"] {
        let page = crate::diag::explain(code).expect("the code has a page");
        let blocks: Vec<&str> = page.split("```yaml\n").skip(1).filter_map(|b| b.split("```").next()).collect();
        let [wrong, right] = blocks[..] else { panic!("{code} has two examples") };
        let codes = said("s.yaml", wrong);
        assert!(!codes.is_empty() && codes.iter().all(|s| s.starts_with(code)), "{code} {codes:?}");
        assert_eq!(said("s.yaml", right), [""; 0], "{code}");
    }
}
