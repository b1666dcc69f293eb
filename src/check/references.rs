//! Folders of Terraform: what a file refers to is declared in some file of its folder.

use std::collections::{BTreeMap, BTreeSet};

use super::places::label;
use super::places::spec_span;
use crate::artifact::ArtifactTree;
use crate::diag::codes::UNDECLARED_REFERENCE;
use crate::diag::{Diag, Findings, similar_name};
use crate::emit::escape::Format;
use crate::ir::{Ir, Term};
use crate::prove::hcl;
use crate::source::{Role, Sources};
use crate::value::{Origins, Tracked, Value};

/// Everything that is referred to and not declared, once for each name and file. What cannot be read is left to the
/// proof of what was emitted.
pub fn references(ir: &Ir, tree: &ArtifactTree, sources: &Sources, findings: &mut Findings) {
    let mut folders: BTreeMap<&str, Vec<(&str, hcl::File)>> = BTreeMap::new();
    for (path, artifact) in &tree.files {
        if Format::from_name(&artifact.format) != Some(Format::Hcl) || !path.ends_with(".tf") {
            continue;
        }
        let text = std::str::from_utf8(&artifact.bytes).unwrap_or_default();
        let Ok(file) = hcl::read(text) else { continue };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        folders.entry(folder).or_default().push((path, file));
    }
    for (folder, files) in &folders {
        let declared: BTreeSet<String> = files.iter().flat_map(|(_, file)| declared(&file.body)).collect();
        for (path, file) in files {
            let mut told: BTreeSet<String> = BTreeSet::new();
            for (name, line) in &file.references {
                let Some(wanted) = wanted(name, &declared) else { continue };
                if declared.contains(&wanted) || !told.insert(wanted.clone()) {
                    continue;
                }
                let place = if folder.is_empty() { "the tree" } else { folder };
                let message = format!("`{path}` line {line} refers to `{wanted}`, which no file in `{place}` declares");
                let mut diag = Diag::new(UNDECLARED_REFERENCE, message);
                if let Some(origins) = origins(ir, path, name) {
                    let spans = origins.as_slice().iter().filter_map(|p| sources.span_of(*p));
                    let of_pack = spans.filter(|s| sources.file(s.file).role == Role::Pack);
                    diag = label(diag, of_pack.min_by_key(|s| s.end - s.start), "referred to here");
                    diag = label(diag, spec_span(&origins, sources), "");
                }
                let near = similar_name(&wanted, declared.iter().map(String::as_str));
                findings.push(match near {
                    Some(near) => diag.help(format!("there is `{near}`")),
                    None => diag.help("declare it in a file of the same folder, or correct the name"),
                });
            }
        }
    }
}

/// What the blocks of a file declare: `var.a`, `local.b`, `module.c`, `data.d.e`, `f.g` for a resource.
fn declared(body: &hcl::Body) -> Vec<String> {
    let mut names = Vec::new();
    for block in &body.blocks {
        match (block.kind.as_str(), block.labels.as_slice()) {
            ("variable", [name]) => names.push(format!("var.{name}")),
            ("module", [name]) => names.push(format!("module.{name}")),
            ("data", [kind, name]) => names.push(format!("data.{kind}.{name}")),
            ("resource" | "ephemeral", [kind, name]) => names.push(format!("{kind}.{name}")),
            ("locals", []) => names.extend(block.body.arguments.iter().map(|a| format!("local.{}", a.name))),
            ("provider", [name]) => {
                let alias = block.body.arguments.iter().find(|a| a.name == "alias");
                if let Some(hcl::Expr::Text(alias)) = alias.map(|a| &a.value) {
                    names.push(format!("{name}.{alias}"));
                }
            }
            _ => {}
        }
    }
    names
}

/// What a reference needs to be declared; `None` for what Terraform itself gives, and for names of types and fields.
fn wanted(name: &str, declared: &BTreeSet<String>) -> Option<String> {
    let steps: Vec<&str> = name.split(['.', '[']).collect();
    let joined = |count: usize| (steps.len() >= count).then(|| steps[..count].join("."));
    match steps[0] {
        "var" | "local" | "module" => joined(2),
        "data" => joined(3),
        "each" | "count" | "self" | "path" | "terraform" => None,
        // A type of a resource has the name of its provider before it; what has not is a field (`ignore_changes`).
        kind if kind.contains('_') || declared.iter().any(|d| d.split('.').next() == Some(kind)) => joined(2),
        _ => None,
    }
}

/// Where a document says a reference.
fn origins(ir: &Ir, path: &str, name: &str) -> Option<Origins> {
    let document = ir.documents.iter().find(|d| &**d.path == path)?;
    document
        .parts
        .iter()
        .find_map(|part| said(&Tracked { value: part.body.value.clone(), origins: Origins::None }, name))
}

fn said(value: &Tracked, name: &str) -> Option<Origins> {
    if matches!(Term::of(&value.value), Term::Reference(found) if found == name) {
        return Some(value.origins.clone());
    }
    match &value.value {
        Value::Map(map) => map.values().find_map(|inner| said(inner, name)),
        Value::List(items) => items.iter().find_map(|inner| said(inner, name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reference_needs() {
        let file = hcl::read(
            "variable \"a\" {}\nlocals { b = 1 }\ndata \"c\" \"d\" {}\nresource \"e_f\" \"g\" {}\nprovider \"h\" { alias = \"i\" }\n",
        );
        let declared: BTreeSet<String> = declared(&file.expect("good").body).into_iter().collect();
        for name in ["var.a", "local.b.x", "data.c.d[0].y", "e_f.g[0].id", "h.i"] {
            assert!(declared.contains(&wanted(name, &declared).expect(name)), "{name}");
        }
        for name in ["var.x", "data.c.x.y", "e_f.x", "k_l.m", "module.x.y"] {
            assert!(!declared.contains(&wanted(name, &declared).expect(name)), "{name}");
        }
        for name in ["each.value", "string", "metadata[0].labels", "path.module"] {
            assert_eq!(wanted(name, &declared), None, "{name}");
        }
    }
}
