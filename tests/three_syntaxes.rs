//! One spec in three syntaxes: written as YAML, TOML and JSON, each fixture compiles to the same site and tree.

use std::collections::BTreeMap;
use std::fs;

use sitec::compile::{Compilation, Depth, Inputs, compile};
use sitec::node::{Data, Node};
use sitec::value::Value;

fn compile_text(entry: &str, text: &str) -> Compilation {
    let read = |path: &str| if path == entry { Ok(text.into()) } else { Err("no such file".to_owned()) };
    compile(&Inputs { entry: entry.to_owned(), read: &read, packs: &[], depth: Depth::Build, threads: 1 })
}

#[test]
fn yaml_toml_and_json_give_the_same_site() {
    let mut compared = 0;
    for folder in fs::read_dir("fixtures").expect("there are fixtures") {
        let path = folder.expect("the fixtures can be read").path().join("site.yaml");
        let Ok(text) = fs::read_to_string(&path) else { continue };
        if text.lines().any(|line| line.starts_with("extends:")) {
            continue;
        }
        let yaml = compile_text("site.yaml", &text);
        let spec = yaml.spec.as_ref().unwrap_or_else(|| panic!("{} has no tree", path.display()));
        let (mut json, mut toml) = (String::new(), String::new());
        write_json(spec, &mut json);
        for entry in spec.entries().iter().filter(|e| !e.value.is_null()) {
            toml.push_str(&format!("{} = ", quoted(&entry.key)));
            write_toml(&entry.value, &mut toml);
            toml.push('\n');
        }
        for (entry, text) in [("site.json", json), ("site.toml", toml)] {
            let other = compile_text(entry, &text);
            assert_eq!(said(&yaml), said(&other), "{} as {entry}", path.display());
            assert_eq!(values(&yaml), values(&other), "{} as {entry}", path.display());
            let (ours, theirs) = (texts(&yaml), texts(&other));
            for (file, text) in &ours {
                let other = theirs.get(file).map_or("", String::as_str);
                let difference = similar::TextDiff::from_lines(text.as_str(), other).unified_diff().to_string();
                assert!(difference.is_empty(), "{} as {entry}: {file}\n{difference}", path.display());
            }
            let files = |c: &Compilation| c.tree.as_ref().map(|t| (t.site.clone(), t.files.clone()));
            assert!(files(&yaml) == files(&other), "{} as {entry}: places, owners or modes differ", path.display());
            assert_eq!(immutable(&yaml), immutable(&other), "{} as {entry}", path.display());
        }
        compared += 1;
    }
    assert!(compared > 0);
}

/// The files of the tree by path.
fn texts(compilation: &Compilation) -> BTreeMap<String, String> {
    let files = compilation.tree.iter().flat_map(|t| &t.files);
    files.map(|(path, a)| (path.clone(), String::from_utf8_lossy(&a.bytes).into_owned())).collect()
}

/// The values that can never change, without their places in the text.
fn immutable(compilation: &Compilation) -> Vec<(String, Option<String>)> {
    let values = compilation.tree.iter().flat_map(|t| &t.immutable);
    values.map(|(pointer, i)| (pointer.clone(), i.value.clone())).collect()
}

/// What the findings say, without places. YAML alone has scalars that its versions read differently.
fn said(compilation: &Compilation) -> Vec<String> {
    let mut said: Vec<String> = compilation
        .findings
        .iter()
        .filter(|d| d.code != "S0009")
        .map(|d| format!("{} {} {}", d.code, d.pointer, d.message))
        .collect();
    said.sort();
    said
}

/// The resolved values, one line each.
fn values(compilation: &Compilation) -> Vec<String> {
    let mut rows = Vec::new();
    if let Some(site) = &compilation.site {
        collect(&site.root.value, "", &mut rows);
    }
    rows
}

fn collect(value: &Value, pointer: &str, rows: &mut Vec<String>) {
    match value {
        // A key that is not there and one that is `null` mean the same; TOML has no `null`.
        Value::Null => {}
        Value::Map(map) => map.iter().for_each(|(k, v)| collect(&v.value, &format!("{pointer}/{k}"), rows)),
        Value::List(items) => {
            items.iter().enumerate().for_each(|(i, v)| collect(&v.value, &format!("{pointer}/{i}"), rows));
        }
        value => rows.push(format!("{pointer} {} {:?}", value.kind(), value.text())),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write_json(node: &Node, out: &mut String) {
    match &node.data {
        Data::Null | Data::Poison => out.push_str("null"),
        Data::Bool { value, .. } => out.push_str(&value.to_string()),
        Data::Int { raw, .. } | Data::Float { raw, .. } => out.push_str(raw),
        Data::Text(text) => out.push_str(&quoted(text)),
        Data::List(items) => joined(out, ['[', ']'], items.iter(), write_json),
        Data::Map(entries) => joined(out, ['{', '}'], entries.iter(), |entry, out| {
            out.push_str(&quoted(&entry.key));
            out.push_str(": ");
            write_json(&entry.value, out);
        }),
    }
}

fn write_toml(node: &Node, out: &mut String) {
    match &node.data {
        Data::List(items) => joined(out, ['[', ']'], items.iter(), write_toml),
        Data::Map(entries) => {
            joined(out, ['{', '}'], entries.iter().filter(|e| !e.value.is_null()), |entry, out| {
                out.push_str(&quoted(&entry.key));
                out.push_str(" = ");
                write_toml(&entry.value, out);
            });
        }
        _ => write_json(node, out),
    }
}

fn joined<T>(
    out: &mut String,
    brackets: [char; 2],
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(T, &mut String),
) {
    out.push(brackets[0]);
    for (index, item) in items.enumerate() {
        out.push_str(if index > 0 { ", " } else { "" });
        write(item, out);
    }
    out.push(brackets[1]);
}
