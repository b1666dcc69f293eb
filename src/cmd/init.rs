//! `sitec init`: a first spec with comments, made of the core's skeleton and of what the chosen packs ask for.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value as Json;

use super::packs::{find, manifest, text};
use super::{Exit, Shell, Stop};
use crate::cli::InitArgs;
use crate::compile::PackFiles;

/// The part that every site has. `null` is unanswered: the spec compiles to questions.
const CORE: &str = include_str!("new/site.yaml");

pub fn run(args: &InitArgs, shell: &Shell) -> Result<Exit, Stop> {
    let project = shell.project()?;
    let packs = args.pack.iter().map(|name| find(name, &project)).collect::<Result<Vec<_>, _>>()?;
    shell.print(&first_spec(&packs)?)?;
    Ok(Exit::Fine)
}

/// A spec that uses each pack once, with every answer open.
pub fn first_spec(packs: &[PackFiles]) -> Result<String, Stop> {
    let mut out = CORE.to_string();
    if packs.is_empty() {
        out.push_str("\n# Which products run here; `sitec packs` lists what there is.\nproducts: {}\n");
        return Ok(out);
    }
    out.push_str("\n# Which products run here, by the name of the instance.\nproducts:\n");
    for pack in packs {
        product(&mut out, pack)?;
    }
    Ok(out)
}

fn product(out: &mut String, pack: &PackFiles) -> Result<(), Stop> {
    let manifest = manifest(pack)?;
    let summary = manifest.get("pack").map(|head| text(head, "summary")).unwrap_or_default();
    if !summary.is_empty() {
        comment(out, 2, &summary);
    }
    let _ = write!(out, "  {name}:\n    pack: {name}\n    version: null\n", name = pack.name);
    for (key, description) in read_by_pack(pack) {
        comment(out, 4, &description);
        let _ = writeln!(out, "    {key}: null");
    }
    let schema = pack.files.iter().find(|(path, _)| &**path == "settings.schema.json");
    let schema: Json = schema.and_then(|(_, text)| serde_json::from_str(text).ok()).unwrap_or_default();
    if let Some(Json::Object(properties)) =
        schema.get("properties").filter(|p| p.as_object().is_some_and(|p| !p.is_empty()))
    {
        out.push_str("    settings:\n");
        settings(out, 6, properties);
    }
    Ok(())
}

/// The keys of a product's entry that the pack reads (`product.cluster`), with what the schema says about them.
fn read_by_pack(pack: &PackFiles) -> Vec<(String, String)> {
    let manifest = pack.files.iter().find(|(path, _)| &**path == "pack.toml").map_or("", |(_, text)| text);
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let read: BTreeSet<&str> = manifest
        .match_indices("product.")
        .filter(|(at, _)| !manifest[..*at].ends_with(|c| word(c) || c == '.'))
        .filter_map(|(at, lead)| manifest[at + lead.len()..].split(|c| !word(c)).next())
        .collect();
    let schema: Json = serde_json::from_str(crate::schema::TEXT).unwrap_or_default();
    let Some(Json::Object(known)) = schema.pointer("/$defs/product/properties") else { return Vec::new() };
    let elsewhere = ["pack", "version", "settings", "extra", "facts", "note"];
    let keys = known.iter().filter(|(key, _)| read.contains(key.as_str()) && !elsewhere.contains(&key.as_str()));
    let description = |schema: &Json| schema.get("description").and_then(Json::as_str).unwrap_or("").to_string();
    keys.map(|(key, schema)| (key.clone(), description(schema))).collect()
}

/// Every setting as a line: what has a default as a comment, what has none unanswered.
fn settings(out: &mut String, indent: usize, properties: &serde_json::Map<String, Json>) {
    let pad = " ".repeat(indent);
    for (name, schema) in properties {
        if let Some(description) = schema.get("description").and_then(Json::as_str) {
            comment(out, indent, description);
        }
        let choices: Vec<String> = schema
            .get("enum")
            .and_then(Json::as_array)
            .map_or(Vec::new(), |choices| choices.iter().filter(|c| !c.is_null()).map(Json::to_string).collect());
        let choices = if choices.is_empty() { String::new() } else { format!("  # {}", choices.join(" | ")) };
        match (schema.get("default").filter(|d| !d.is_null()), schema.get("properties")) {
            (Some(default), _) => {
                let _ = writeln!(out, "{pad}# {name}: {default}{choices}");
            }
            (None, Some(Json::Object(below))) if !below.is_empty() => {
                let open = below.values().any(|schema| schema.get("default").is_none_or(Json::is_null));
                // A map whose keys are all comments would be null.
                let _ = writeln!(out, "{pad}{}{name}:", if open { "" } else { "# " });
                if open {
                    settings(out, indent + 2, below);
                } else {
                    let mut inner = String::new();
                    settings(&mut inner, indent, below);
                    out.push_str(&inner.replace(&format!("{pad}# "), &format!("{pad}#   ")));
                }
            }
            _ => {
                let _ = writeln!(out, "{pad}{name}: null{choices}");
            }
        }
    }
}

/// A comment of up to 100 columns.
fn comment(out: &mut String, indent: usize, text: &str) {
    let pad = " ".repeat(indent);
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.chars().count() + word.chars().count() + 3 > 100 {
            let _ = writeln!(out, "{pad}# {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        let _ = writeln!(out, "{pad}# {line}");
    }
}
