//! Values laid out in each format.

use super::*;
use crate::diag::Findings;
use crate::node::{Data, Node};
use crate::source::{Role, Sources};
use crate::value::Map;

fn value(node: &Node) -> Tracked {
    let value = match &node.data {
        Data::Null | Data::Poison => Value::Null,
        Data::Bool { value, .. } => Value::Bool(*value),
        Data::Int { value, .. } => Value::Int(*value),
        Data::Float { raw, .. } => Value::Str(raw.clone()),
        Data::Text(text) => Value::Str(text.clone()),
        Data::List(items) => Value::list(items.iter().map(value).collect()),
        Data::Map(entries) => Value::map(entries.iter().map(|e| (e.key.clone(), value(&e.value))).collect::<Map>()),
    };
    Tracked::new(value, Origins::None)
}

fn page(format: Format, toml: &str) -> Page {
    let (mut sources, mut findings) = (Sources::default(), Findings::default());
    let file = sources.add("x.toml", toml, Role::Pack);
    let root = crate::parse::parse(&mut sources, file, &mut findings).expect("good TOML");
    let mut page = Page::new(format, Origins::None);
    page.write(&value(&root));
    page
}

fn text(format: Format, toml: &str) -> String {
    let page = page(format, toml);
    assert!(page.refused.is_empty(), "{:?}", page.refused);
    page.lines.iter().map(|l| format!("{}\n", &**l.text)).collect()
}

const BODY: &str = r#"
name = "yes"
ports = [80, [81, 82], { a = 1, b = [] }]
empty = {}
[nested."a.b"]
on = true
[[tables]]
x = "1"
[[tables]]
y.z = "two\nlines"
"#;

#[test]
fn yaml() {
    assert_eq!(
        text(Format::Yaml, BODY),
        "name: \"yes\"\nports:\n  - 80\n  - - 81\n    - 82\n  - a: 1\n    b: []\nempty: {}\nnested:\n  a.b:\n    \"on\": true\n\
         tables:\n  - x: \"1\"\n  - \"y\":\n      z: \"two\\nlines\"\n"
    );
}

#[test]
fn json() {
    let found = text(Format::Json, BODY);
    let read: serde_json::Value = serde_json::from_str(&found).expect("good JSON");
    assert_eq!(read["ports"][2]["b"], serde_json::json!([]));
    assert_eq!(read["tables"][1]["y"]["z"], "two\nlines");
    assert!(found.starts_with("{\n  \"name\": \"yes\",\n"), "{found}");
}

#[test]
fn toml() {
    let found = text(Format::Toml, BODY);
    let read: ::toml::Value = ::toml::from_str(&found).expect("good TOML");
    let meant: ::toml::Value = ::toml::from_str(BODY).expect("good TOML");
    assert_eq!(read, meant, "{found}");
}

#[test]
fn hcl() {
    let body = r#"
"block terraform"."block required_providers" = { helm = { source = "hashicorp/helm", version = "~> 2.9" } }
"block resource helm_release hub" = { name = "hub", values = [{ call = "yamlencode", args = [{ a = 1, "b.c" = "${x}" }] }] }
"block resource a b" = { "block set" = [{ name = "x", value = { ref = "var.host" } }, { name = "y" }] }
"block output url" = { value = { join = ["https://", { ref = "var.host" }, "/"] } }
"#;
    assert_eq!(
        text(Format::Hcl, body),
        "terraform {\n  required_providers {\n    helm = {\n      source  = \"hashicorp/helm\"\n      version = \"~> 2.9\"\n    }\n  }\n}\n\n\
         resource \"helm_release\" \"hub\" {\n  name = \"hub\"\n  values = [\n    yamlencode({\n      a     = 1\n      \"b.c\" = \"$${x}\"\n    }),\n  ]\n}\n\n\
         resource \"a\" \"b\" {\n  set {\n    name  = \"x\"\n    value = var.host\n  }\n  set {\n    name = \"y\"\n  }\n}\n\n\
         output \"url\" {\n  value = \"https://${var.host}/\"\n}\n"
    );
}

#[test]
fn what_a_format_cannot_write_is_refused() {
    for body in ["a = { ref = \"x y\" }", "\"a b\" = 1", "\"block a\" = 1", "a = { join = [\"$\", { ref = \"x\" }] }"] {
        assert_eq!(page(Format::Hcl, body).refused.len(), 1, "{body}");
    }
}
