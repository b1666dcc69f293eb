//! From hostile values to escaped text and back: what a reader of the format sees must be the value.

use super::*;
use crate::value::{Ports, Quantity, Ref, Tracked, Unit, Version};

fn token(format: Format, value: impl Into<Value>) -> Result<String, Refusal> {
    escape(format, Context::TOKEN, &value.into())
}

fn form(format: Format, form: Form, value: impl Into<Value>) -> Result<String, Refusal> {
    escape(format, Context::By(form), &value.into())
}

fn all_strings() -> Vec<String> {
    let mut all = hostile::tricky();
    all.extend(hostile::random(20_000));
    all
}

fn list(items: &[&str]) -> Value {
    Value::list(items.iter().map(|i| Tracked::new(*i, crate::value::Origins::None)).collect())
}

#[test]
fn names_lead_back_to_formats() {
    for (format, name) in Format::ALL.iter().zip(Format::NAMES) {
        assert_eq!(Format::from_name(name), Some(*format));
        assert_eq!(format.name(), *name);
    }
    assert_eq!(Format::from_name("nftables"), Some(Format::Nft));
    assert_eq!(Format::from_name("yam"), None);
}

#[test]
fn nothing_lists_and_maps_are_refused() {
    for format in Format::ALL {
        assert!(token(*format, Value::Null).is_err(), "{format:?}");
        assert!(token(*format, Value::map(Default::default())).is_err(), "{format:?}");
        assert!(escape(*format, Context::Comment, &list(&["a"])).is_err(), "{format:?}");
    }
    assert!(token(Format::Yaml, list(&["a"])).is_err());
}

#[test]
fn yaml_strings_come_back_as_strings() {
    let strings: Vec<String> = all_strings().into_iter().filter(|s| !s.contains('\0')).collect();
    for place in ["- ", "- - ", "- k: ", "- [a, "] {
        let close = if place.ends_with("[a, ") { "]" } else { "" };
        let mut text = String::new();
        for s in &strings {
            text.push_str(&format!("{place}{}{close}\n", token(Format::Yaml, s.as_str()).unwrap()));
        }
        let read: Vec<serde_yaml::Value> = serde_yaml::from_str(&text).unwrap();
        assert_eq!(read.len(), strings.len());
        for (read, s) in read.iter().zip(&strings) {
            let scalar = match read {
                serde_yaml::Value::Sequence(items) => items.last().unwrap(),
                serde_yaml::Value::Mapping(map) => map.values().next().unwrap(),
                other => other,
            };
            assert_eq!(scalar.as_str(), Some(s.as_str()), "{place}");
        }
    }
}

#[test]
fn yaml_keys_come_back_as_strings() {
    for s in all_strings().iter().filter(|s| !s.contains('\0') && s.len() < 300) {
        let text = format!("{}: 1\n", form(Format::Yaml, Form::Key, s.as_str()).unwrap());
        let read: serde_yaml::Mapping = serde_yaml::from_str(&text).unwrap();
        assert_eq!(read.keys().next().and_then(|k| k.as_str()), Some(s.as_str()));
    }
    assert_eq!(form(Format::Yaml, Form::Key, 80i64).unwrap(), "\"80\"");
    assert!(form(Format::Yaml, Form::Key, "k".repeat(2000)).is_err());
}

#[test]
fn yaml_types() {
    let version: Version = "1.30".parse().unwrap();
    assert_eq!(token(Format::Yaml, version).unwrap(), "\"1.30\"");
    assert_eq!(token(Format::Yaml, Quantity::parse("500m", Unit::Millicores).unwrap()).unwrap(), "\"500m\"");
    assert_eq!(token(Format::Yaml, true).unwrap(), "true");
    assert_eq!(token(Format::Yaml, -5i64).unwrap(), "-5");
    assert_eq!(token(Format::Yaml, Ports::one(443)).unwrap(), "443");
    assert_eq!(token(Format::Yaml, Ports { low: 1, high: 9 }).unwrap(), "\"1-9\"");
    assert_eq!(token(Format::Yaml, Ref { table: "hosts".into(), name: "no".into() }).unwrap(), "\"no\"");
    assert_eq!(token(Format::Yaml, "plain text/of-words").unwrap(), "plain text/of-words");
    assert_eq!(token(Format::Compose, "a${b}").unwrap(), "\"a$${b}\"");
}

#[test]
fn yaml_collections_come_back() {
    let inner = Value::map([("no".into(), Tracked::new(list(&["1.10", "~"]), crate::value::Origins::None))].into());
    let outer = Value::list(vec![
        Tracked::new(inner, crate::value::Origins::None),
        Tracked::new(list(&[]), crate::value::Origins::None),
        Tracked::new(list(&["a", "b: c"]), crate::value::Origins::None),
    ]);
    let expected: serde_json::Value = serde_json::json!([{"no": ["1.10", "~"]}, [], ["a", "b: c"]]);
    let text = yaml::block(&outer, 0, yaml::Dialect::Plain).unwrap();
    assert_eq!(text, "- \"no\":\n    - \"1.10\"\n    - \"~\"\n- []\n- - a\n  - \"b: c\"\n");
    assert_eq!(serde_yaml::from_str::<serde_json::Value>(&text).unwrap(), expected);
    let text = form(Format::Yaml, Form::Flow, outer.clone()).unwrap();
    assert_eq!(serde_yaml::from_str::<serde_json::Value>(&text).unwrap(), expected);
    let text = form(Format::Json, Form::Flow, outer).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), expected);
}

#[test]
fn json_toml_and_shell_come_back() {
    let mut refused = 0;
    for s in all_strings() {
        if s.contains('\0') {
            assert!(token(Format::Json, s.as_str()).is_err());
            continue;
        }
        let json = token(Format::Json, s.as_str()).unwrap();
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), s);
        let toml = token(Format::Toml, s.as_str()).unwrap();
        let table: ::toml::Table = format!("a = {toml}\n").parse().unwrap();
        assert_eq!(table["a"].as_str(), Some(s.as_str()));
        match form(Format::Shell, Form::Literal, s.as_str()) {
            Ok(word) => assert_eq!(shlex::split(&word), Some(vec![s])),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 100, "controls and bidi marks are refused in scripts");
}

/// Splits a CSV text by the rules of RFC 4180.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    rows
}

#[test]
fn csv_cells_come_back_and_are_no_formulas() {
    let (mut text, mut expected) = (String::new(), Vec::new());
    for s in all_strings() {
        if let Ok(cell) = token(Format::Csv, s.as_str()) {
            text.push_str(&format!("{cell},{cell}\n"));
            expected.push(s);
        }
    }
    let rows = read_csv(&text);
    assert_eq!(rows.len(), expected.len());
    for (row, s) in rows.iter().zip(&expected) {
        assert_eq!(row.len(), 2);
        assert!(row[0] == *s || row[0] == format!("'{s}"), "{row:?}");
        assert!(!row[0].trim_start().starts_with(['=', '+', '-', '@']), "{row:?}");
    }
    assert_eq!(token(Format::Csv, "=1+1").unwrap(), "\"'=1+1\"");
    assert_eq!(token(Format::Csv, -5i64).unwrap(), "-5");
}

/// Undoes `\ooo`.
fn unoctal(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'\\' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..3]).unwrap(), 8).unwrap());
            rest = &tail[3..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn fstab_fields_come_back() {
    for s in all_strings() {
        let Ok(field) = token(Format::Fstab, s.as_str()) else {
            continue;
        };
        assert!(!field.contains([' ', '\t', '\n', '#']), "{field}");
        assert_eq!(unoctal(&field), s);
        if let Ok(option) = form(Format::Fstab, Form::Option, s.as_str()) {
            assert!(!unoctal(&option).contains(','), "{option}");
        }
    }
    assert_eq!(token(Format::Fstab, "/srv/user data").unwrap(), "/srv/user\\040data");
    assert!(token(Format::Fstab, "a\nb").is_err());
    assert_eq!(form(Format::Fstab, Form::Option, list(&["rw", "acl"])).unwrap(), "rw,acl");
    assert_eq!(form(Format::Fstab, Form::Option, list(&[])).unwrap(), "defaults");
    assert!(form(Format::Fstab, Form::Option, "defaults,exec").is_err());
}

#[test]
fn exports_take_paths_clients_and_options_and_nothing_else() {
    for s in all_strings() {
        let path = format!("/{s}");
        if let Ok(written) = token(Format::Exports, path.as_str()) {
            assert!(!written.contains([' ', '\t', '\n', '#', '(', ')', '"']), "{written}");
            assert_eq!(unoctal(&written), path);
        }
        if let Ok(client) = form(Format::Exports, Form::Client, s.as_str()) {
            assert!(!client.contains([' ', '(', ')', '*', '?', '[', '#', '@']), "{client}");
        }
        if let Ok(option) = form(Format::Exports, Form::Option, s.as_str()) {
            assert!(!option.contains([' ', '(', ')', ',', '#']), "{option}");
        }
    }
    assert!(form(Format::Exports, Form::Client, "*").is_err());
    assert!(form(Format::Exports, Form::Client, "-rw").is_err());
    assert_eq!(form(Format::Exports, Form::Option, list(&["rw", "sec=krb5:krb5p"])).unwrap(), "rw,sec=krb5:krb5p");
}

#[test]
fn nginx_nft_iptables() {
    for s in all_strings() {
        if let Ok(word) = token(Format::Nginx, s.as_str()) {
            assert!(!s.contains(['$', '\n']));
            let quoted = word.starts_with('"');
            assert!(quoted || !word.contains([' ', ';', '{', '}', '\'', '"', '\\', '#']), "{word}");
        }
        if let Ok(word) = token(Format::Nft, s.as_str()) {
            assert!(!word.contains([' ', ';', '{', '}', '"', '#', ',', '$', '@', '*']), "{word}");
        }
        if let Ok(text) = form(Format::Nft, Form::Literal, s.as_str()) {
            assert_eq!(text.matches('"').count(), 2);
            assert!(text.len() <= 130 && !text.contains(['\n', '\\']));
        }
        if let Ok(word) = token(Format::Iptables, s.as_str()) {
            assert!(!word.contains([' ', '"', '\'', '\\', '#', '!', ',']) && !word.starts_with('-'), "{word}");
        }
    }
    assert_eq!(token(Format::Nft, list(&["10.0.0.0/8", "fd00::/8"])).unwrap(), "{ 10.0.0.0/8, fd00::/8 }");
    assert_eq!(token(Format::Nft, Ports { low: 1, high: 9 }).unwrap(), "1-9");
    assert_eq!(token(Format::Iptables, Ports { low: 1, high: 9 }).unwrap(), "1:9");
    assert_eq!(token(Format::Nginx, Quantity::parse("16 GiB", Unit::Bytes).unwrap()).unwrap(), "16g");
    assert_eq!(token(Format::Nginx, true).unwrap(), "on");
    assert!(token(Format::Nginx, "~^(.*)").is_err());
    let refusal = token(Format::Nginx, "$uri").unwrap_err();
    assert_eq!(refusal.message, "`$uri` holds `$`, which NGINX takes for a variable and has no escape for");
}

#[test]
fn systemd_words_and_lines() {
    assert_eq!(form(Format::Systemd, Form::Line, "100% \"sure\"").unwrap(), "100%% \"sure\"");
    assert_eq!(form(Format::Systemd, Form::Exec, "$HOME a").unwrap(), "\"$$HOME a\"");
    assert_eq!(form(Format::Systemd, Form::Word, "A=$b c").unwrap(), "\"A=$b c\"");
    assert!(form(Format::Systemd, Form::Program, "-/bin/sh").is_err());
    assert!(form(Format::Systemd, Form::Bare, "a b").is_err());
    for s in all_strings() {
        for f in [Form::Line, Form::Bare, Form::Word, Form::Exec, Form::Program, Form::Key] {
            if let Ok(text) = form(Format::Systemd, f, s.as_str()) {
                assert!(!text.contains('\n') && !text.ends_with('\\'), "{text}");
                assert_eq!(text.matches('%').count() % 2, 0, "{text}");
            }
        }
    }
}

#[test]
fn sql_names_and_texts() {
    assert_eq!(form(Format::Sql, Form::Ident, "a\"b").unwrap(), "\"a\"\"b\"");
    assert_eq!(form(Format::Sql, Form::Literal, "it's").unwrap(), "'it''s'");
    assert_eq!(form(Format::Sql, Form::Literal, "a\\'b").unwrap(), "E'a\\\\''b'");
    assert_eq!(form(Format::Sql, Form::Literal, 5i64).unwrap(), "5");
    assert!(form(Format::Sql, Form::Ident, "x".repeat(64)).is_err());
    assert!(token(Format::Sql, "a").is_err());
    assert_eq!(token(Format::PgHba, "all").unwrap(), "\"all\"");
    assert_eq!(token(Format::PgHba, "+role").unwrap(), "\"+role\"");
    assert_eq!(token(Format::PgHba, "10.0.0.1".parse::<std::net::IpAddr>().unwrap()).unwrap(), "10.0.0.1/32");
    assert!(token(Format::PgHba, "a\nhost all all 0.0.0.0/0 trust").is_err());
}

#[test]
fn powershell_and_hcl() {
    assert_eq!(token(Format::Powershell, "it\u{2019}s 'a'").unwrap(), "'it\u{2019}\u{2019}s ''a'''");
    assert_eq!(token(Format::Powershell, true).unwrap(), "$true");
    assert_eq!(token(Format::Hcl, "${a} %{b} \"c\"").unwrap(), "\"$${a} %%{b} \\\"c\\\"\"");
    assert!(token(Format::Hcl, "$${a}").is_err());
}

#[test]
fn markdown_text_is_text() {
    for (from, to) in [
        ("a*b*", "a\\*b\\*"),
        ("snake_case", "snake_case"),
        ("_x_", "\\_x\\_"),
        ("1. a", "1\\. a"),
        ("- a", "\\- a"),
        ("[x](y)", "\\[x\\](y)"),
        ("http://a", "http\\://a"),
        ("www.a", "www\\.a"),
        ("a|b", "a\\|b"),
        (" a ", "&#32;a&#32;"),
        // No blank behind the dot: not the marker of a list, wherever the value stands.
        ("10.20.0.0/16", "10.20.0.0/16"),
        ("10.", "10\\."),
        ("7) a", "7\\) a"),
        ("7.\ta", "7\\. a"),
        ("a\nb", "a b"),
    ] {
        assert_eq!(token(Format::Markdown, from).unwrap(), to);
    }
    assert_eq!(form(Format::Markdown, Form::Code, "a`b").unwrap(), "``a`b``");
    assert_eq!(form(Format::Markdown, Form::Code, "`a").unwrap(), "`` `a ``");
    assert_eq!(form(Format::Markdown, Form::CodeCell, "a|b").unwrap(), "`a\\|b`");
    assert_eq!(form(Format::Markdown, Form::InCode, "a*b_c").unwrap(), "a*b_c");
    assert!(form(Format::Markdown, Form::InCode, "a`b").is_err());
    assert!(form(Format::Markdown, Form::InCode, "").is_err());
    assert!(form(Format::Markdown, Form::Url, "javascript:alert(1)").is_err());
    assert_eq!(form(Format::Markdown, Form::Url, "files/a (1).md").unwrap(), "files/a%20%281%29.md");
}

#[test]
fn html_text_and_attributes() {
    assert_eq!(token(Format::Html, "<a> & \"b\"").unwrap(), "&lt;a&gt; &amp; &quot;b&quot;");
    assert_eq!(form(Format::Html, Form::Attribute, "' onload='a").unwrap(), "\"&#39; onload=&#39;a\"");
    assert!(form(Format::Html, Form::Url, "javascript:alert(1)").is_err());
    assert_eq!(form(Format::Html, Form::Url, "https://a/?b&c").unwrap(), "\"https://a/?b&amp;c\"");
}

#[test]
fn embedded_places_stay_closed() {
    let shell = Some((Format::Shell, Form::Token));
    for s in all_strings() {
        let value = Value::str(s.as_str());
        for format in Format::ALL {
            if let Ok(text) = escape(*format, Context::Comment, &value) {
                assert!(!text.contains(['\n', '\r', '\0']) && !text.ends_with('\\'), "{format:?} {text}");
                assert!(*format != Format::Html || !text.contains("--"), "{text}");
                assert!(*format != Format::Sql || !text.contains("*/"), "{text}");
            }
        }
        for context in [Context::Block(None), Context::Heredoc(None), Context::Fence(None), Context::Fence(shell)] {
            if let Ok(text) = escape(Format::Text, context, &value) {
                assert!(!text.contains(['\n', '\r', '\0', '\u{202e}']), "{context:?} {text}");
                assert!(!matches!(context, Context::Fence(_)) || !text.contains("```"), "{text}");
            }
        }
    }
    let open = |s: &str| escape(Format::Shell, Context::OpenHeredoc(None), &Value::str(s));
    assert_eq!(open("$(id) `id` \\").unwrap(), "\\$(id) \\`id\\` \\\\");
    assert!(open("EOF").is_err());
    assert_eq!(escape(Format::Markdown, Context::Fence(shell), &Value::str("a b")).unwrap(), "'a b'");
}

#[test]
fn a_refusal_shows_no_raw_controls() {
    let refusal = token(Format::Shell, "a\u{1b}[31m\u{202e}").unwrap_err();
    assert_eq!(refusal.message, "`a\\u{1b}[31m\\u{202e}` holds the control character U+001B");
}

#[test]
fn filters_choose_contexts() {
    assert_eq!(Context::from_filter("cell", &[]), Some(Ok(Context::TOKEN)));
    assert_eq!(Context::from_filter("upper", &[]), None);
    assert_eq!(
        Context::from_filter("fence", &["sql", "ident"]),
        Some(Ok(Context::Fence(Some((Format::Sql, Form::Ident)))))
    );
    assert!(Context::from_filter("fence", &["perl"]).unwrap().is_err());
    assert!(Context::from_filter("comment", &["x"]).unwrap().is_err());
    for filter in Context::FILTERS {
        assert!(Context::from_filter(filter, &[]).is_some());
    }
}
