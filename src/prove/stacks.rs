//! Emitted Compose files of any origin, by themselves: what a service names is declared at the top of its file; and the
//! script that makes the networks of a swarm against the `Ir`.

use super::bugs::Bugs;
use super::fault::plain_lines;
use super::yaml::{self, Document};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{Ir, Overlay};
use crate::node::{Data, Node};
use crate::value::Str;

const TABLES: [(&str, &str); 4] =
    [("networks", "network"), ("secrets", "secret"), ("configs", "config"), ("volumes", "volume")];

/// Every Compose file that a pack writes by a template; those that are data are checked before they are written.
pub fn declared(texts: &Texts, bugs: &mut Bugs) {
    for file in texts.files.iter().filter(|f| f.format == Some(Format::Compose) && !f.given) {
        for document in file.read(yaml::any_documents, bugs).unwrap_or_default() {
            stack(file, &document, bugs);
        }
    }
}

fn stack(file: &Emitted, document: &Document, bugs: &mut Bugs) {
    let services = document.root.get("services").map(Node::entries).unwrap_or_default();
    for service in services {
        for (table, what) in TABLES {
            let declared = document.root.get(table);
            for (name, node) in named(&service.value, table) {
                let known =
                    table == "networks" && &*name == "default" || declared.is_some_and(|t| t.entry(&name).is_some());
                if !known {
                    let service = &service.key;
                    let text =
                        format!("the service `{service}` names the {what} `{name}`, which the file does not declare");
                    bugs.wrong(file.at(document.line(node)), &text);
                }
            }
        }
    }
}

/// The entries of a table that a service names.
fn named<'n>(service: &'n Node, table: &str) -> Vec<(Str, &'n Node)> {
    let Some(given) = service.get(table) else { return Vec::new() };
    let keyed = given.entries().iter().map(|e| (e.key.clone(), given));
    let listed = given.items().iter().filter_map(|item| match &item.data {
        Data::Text(text) if table == "volumes" => {
            let (name, _) = text.split_once(':')?;
            name.starts_with(|c: char| c.is_ascii_alphanumeric()).then(|| (name.into(), item))
        }
        Data::Text(text) => Some((text.clone(), item)),
        Data::Map(_) => {
            let kind = item.get("type").and_then(Node::scalar_text).map_or("volume", |t| t);
            let source = item.get("source").and_then(Node::scalar_text)?;
            (table != "volumes" || kind == "volume").then(|| (source.clone(), item))
        }
        _ => None,
    });
    keyed.chain(listed).collect()
}

/// The networks of each swarm, in their order.
pub fn networks(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let own = |f: &&Emitted| f.is_own() && f.path.starts_with("clusters/") && f.path.ends_with("/networks.sh");
    let mut found: Vec<(&str, Vec<String>, &Emitted, usize)> = Vec::new();
    for file in texts.files.iter().filter(own) {
        let cluster = file.path.split('/').nth(1).unwrap_or_default();
        for (i, line) in file.read(plain_lines, bugs).into_iter().flatten().enumerate() {
            let Some(words) = line.strip_prefix("    network ") else { continue };
            match super::secrets::plain_words(words) {
                Some(words) => found.push((cluster, words, file, i + 1)),
                None => bugs.wrong(file.at(i + 1), "it is not quoted so that a shell leaves it alone"),
            }
        }
    }
    let mut found = found.into_iter();
    for overlay in &ir.overlays {
        let meant = words_of(overlay);
        match found.next() {
            Some((cluster, words, ..)) if *cluster == **overlay.cluster && words == meant => {}
            Some((_, words, file, line)) => {
                bugs.wrong(
                    file.at(line),
                    &format!("it says `{}`, and `{}` was meant", words.join(" "), meant.join(" ")),
                );
            }
            None => {
                bugs.missing("the tree", &format!("the network `{}` of swarm `{}`", *overlay.name, *overlay.cluster))
            }
        }
    }
    for (_, words, file, line) in found {
        bugs.extra(file.at(line), &format!("the network `{}`", words.first().map_or("", |w| w)));
    }
}

/// The words behind `network`.
fn words_of(overlay: &Overlay) -> Vec<String> {
    let mut words = vec![
        overlay.name.to_string(),
        format!("{} swarm attachable={}", *overlay.driver, *overlay.attachable),
        "docker".to_owned(),
        "network".to_owned(),
        "create".to_owned(),
        format!("--driver={}", *overlay.driver),
    ];
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
    if *overlay.attachable {
        option("--attachable", String::new());
    }
    if *overlay.encrypted {
        option("--opt", "encrypted".to_owned());
    }
    overlay.options.iter().for_each(|o| option("--opt", o.to_string()));
    overlay.labels.iter().for_each(|l| option("--label", l.to_string()));
    for (name, value) in [("--subnet", &overlay.subnet.value), ("--gateway", &overlay.gateway.value)] {
        if let Some(text) = value.as_ref().and_then(|v| v.text()) {
            option(name, text.to_string());
        }
    }
    words.retain(|word| !word.is_empty());
    words.push(overlay.name.to_string());
    words
}
