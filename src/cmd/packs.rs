//! `sitec packs`: which packs there are, what one knows, and a new one to begin with.

use std::fmt::Write as _;
use std::fs;

use camino::Utf8Path;
use serde_json::{Map as Object, Value as Json, json};

use super::input::Project;
use super::{Exit, Shell, Stop};
use crate::cli::{Format, PacksAction, PacksArgs};
use crate::compile::{PackFiles, embedded_packs};
use crate::diag::{Findings, similar_name};
use crate::node::{Data, Node};
use crate::parse::parse;
use crate::source::{Role, Sources};

pub fn run(args: &PacksArgs, shell: &Shell) -> Result<Exit, Stop> {
    match &args.action {
        None => list(shell),
        Some(PacksAction::Show { name }) => show(name, shell),
        Some(PacksAction::New { name, dir }) => new(name, dir, shell),
        Some(PacksAction::Coverage { name, write, check }) => super::coverage::run(name, *write, *check, shell),
    }
}

/// All packs that a run may use, by name; one of the user's goes before one that is built in.
pub fn available(project: &Project) -> Vec<PackFiles> {
    let mut packs: Vec<PackFiles> = project.packs.clone();
    packs.extend(embedded_packs());
    packs.sort_by(|a, b| a.name.cmp(&b.name));
    packs.dedup_by(|later, earlier| later.name == earlier.name);
    packs
}

/// The pack of a name, or what to say when there is none.
pub fn find(name: &str, project: &Project) -> Result<PackFiles, Stop> {
    let packs = available(project);
    let known: Vec<&str> = packs.iter().map(|p| &*p.name).collect();
    let message = match similar_name(name, known.iter().copied()) {
        Some(near) => format!("there is no pack `{name}`; there is `{near}`"),
        None => format!("there is no pack `{name}`; there are: {}", known.join(", ")),
    };
    packs.into_iter().find(|p| &*p.name == name).ok_or(Stop::Usage(message))
}

/// The manifest of a pack as a tree. A pack that is broken is reported by `check`, with places; here one line must do.
pub fn manifest(pack: &PackFiles) -> Result<Node, Stop> {
    let name = format!("{}/pack.toml", pack.dir);
    let (mut sources, mut findings) = (Sources::default(), Findings::default());
    let text = pack.files.iter().find(|(path, _)| &**path == "pack.toml").map(|(_, text)| text.clone());
    let Some(text) = text else { return Err(Stop::Usage(format!("the pack `{}` has no `pack.toml`", pack.name))) };
    let file = sources.add(name.as_str(), text, Role::Pack);
    parse(&mut sources, file, &mut findings).ok_or_else(|| {
        let first = findings.iter().next().map(|d| d.message.clone()).unwrap_or_default();
        Stop::Usage(format!("`{name}`: {first}"))
    })
}

fn list(shell: &Shell) -> Result<Exit, Stop> {
    let mut rows = Vec::new();
    for pack in available(&shell.project()?) {
        let manifest = manifest(&pack)?;
        let head = |key: &str| manifest.get("pack").map(|head| text(head, key)).unwrap_or_default();
        rows.push([pack.name.to_string(), pack.dir.to_string(), head("title"), head("versions"), head("summary")]);
    }
    if shell.format == Format::Json {
        let rows = rows.iter().map(|[name, dir, title, versions, summary]| {
            json!({ "name": name, "folder": dir, "title": title, "versions": versions, "summary": summary })
        });
        shell.print(&format!("{:#}\n", json!({ "version": 1, "packs": rows.collect::<Vec<_>>() })))?;
        return Ok(Exit::Fine);
    }
    let width = rows.iter().map(|row| row[0].len()).max().unwrap_or(0);
    let mut out = String::new();
    for [name, dir, title, versions, summary] in &rows {
        let versions = if versions.is_empty() { String::new() } else { format!(", versions {versions}") };
        let _ = writeln!(out, "{name:<width$}  {title}{versions} ({dir})");
        let _ = writeln!(out, "{:<width$}  {summary}", "");
    }
    shell.print(&out)?;
    Ok(Exit::Fine)
}

/// A section of a manifest as `packs show` prints it.
pub struct Section {
    pub key: &'static str,
    pub title: &'static str,
    /// The first of these keys that an item has stands at the beginning of its line; items of tables have their key
    /// there.
    lead: &'static [&'static str],
    /// Keys that follow on the line, with the words before them.
    pub more: &'static [(&'static str, &'static str)],
}

pub const SECTIONS: &[Section] = &[
    section(
        "bindings",
        "Uses of the site",
        &[],
        &[("need", ""), ("is", "= "), ("without", "without it: "), ("ask", "asks: ")],
    ),
    section(
        "ports",
        "Ports",
        &[],
        &[("of", "= "), ("default", "default "), ("transport", "over "), ("application", "for ")],
    ),
    section("values", "Values", &[], &[("is", "= ")]),
    section("components", "Components", &[], &[("kind", ""), ("listens", "listens on "), ("connects", "connects to ")]),
    section("flows", "Flows", &["flow", "rows"], &[("note", "")]),
    section("requirements", "Requirements", &["code"], &[("level", ""), ("says", "says: "), ("help", "help: ")]),
    section("minimums", "Minimums", &["rows"], &[("columns", "of "), ("when", "when ")]),
    section("questions", "Questions", &["ask"], &[("of", "about "), ("who", "to "), ("waits", "waiting: ")]),
    section("contradictions", "Contradictions in the document", &[], &[("reads", "says "), ("resolved", "read as: ")]),
    section("claims", "Claims on what is shared", &["subject"], &[("key", ""), ("value", "= "), ("forbid", "never ")]),
    section("immutable", "Fixed after the installation", &["at"], &[("why", "")]),
    section("defaults", "Defaults", &[], &[("value", "= ")]),
    section("blanks", "Known only after the installation", &[], &[("says", ""), ("revealed_by", "revealed by ")]),
    section("namespaces", "Namespaces", &["name"], &[]),
    section("exports", "Exports", &["storage"], &[("options", "with ")]),
    section("directories", "Directories", &["path"], &[("owner", "of "), ("mode", "mode ")]),
    section("filesystems", "File systems", &["mount"], &[("add_options", "with ")]),
    section(
        "nfs_servers",
        "NFS servers",
        &["host"],
        &[("mountd", "mountd "), ("lockd", "lockd "), ("statd", "statd ")],
    ),
    section("volumes", "Volumes", &["name"], &[("claim", "claim ")]),
    section("objects", "Objects", &["name"], &[("kind", "")]),
    section("releases", "Helm releases", &["name"], &[("chart", "chart ")]),
    section("chart_values", "Chart values", &["key", "slot"], &[("value", "= ")]),
    section("images", "Images", &["reference", "source"], &[]),
    section("secrets", "Secrets", &["name"], &[("place", "in ")]),
    section("kernel", "Kernel settings", &["key"], &[("value", "= ")]),
    section("probes", "Probes of a host", &["id"], &[("says", ""), ("run", "by "), ("fails", "otherwise: ")]),
    section("units", "Units", &["name"], &[]),
    section("proxies", "Reverse proxies", &["server_name"], &[("kind", "")]),
    section("artifacts", "Artifacts", &["path"], &[("format", ""), ("target", "to "), ("apply", "apply: ")]),
    section("steps", "Steps", &["id"], &[("title", ""), ("phase", "in "), ("departs", "departs from the document: ")]),
    section("omissions", "Left out on purpose", &["reason"], &[]),
];

pub const fn section(
    key: &'static str,
    title: &'static str,
    lead: &'static [&'static str],
    more: &'static [(&'static str, &'static str)],
) -> Section {
    Section { key, title, lead, more }
}

fn show(name: &str, shell: &Shell) -> Result<Exit, Stop> {
    let pack = find(name, &shell.project()?)?;
    let manifest = manifest(&pack)?;
    if shell.format == Format::Json {
        shell.print(&format!("{:#}\n", to_json(&manifest)))?;
        return Ok(Exit::Fine);
    }
    let mut out = String::new();
    let head = |key: &str| manifest.get("pack").map(|head| text(head, key)).unwrap_or_default();
    let _ = writeln!(out, "{name}: {}", head("title"));
    let document = manifest.pointer("/pack/document/title").and_then(Node::scalar_text).map(|t| t.to_string());
    for (what, value) in
        [("", head("summary")), ("versions ", head("versions")), ("from ", document.unwrap_or_default())]
    {
        if !value.is_empty() {
            let _ = writeln!(out, "  {what}{value}");
        }
    }
    for section in SECTIONS {
        section.print(&manifest, &mut out);
    }
    shell.print(&out)?;
    Ok(Exit::Fine)
}

impl Section {
    fn print(&self, manifest: &Node, out: &mut String) {
        let items = self.items_at(manifest, self.key);
        if items.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n{} ({})", self.title, items.len());
        for (lead, item) in items {
            let more = self.more.iter().filter(|(key, _)| item.get(key).is_some());
            let more: Vec<String> = more.map(|(key, words)| format!("{words}{}", text(item, key))).collect();
            let gap = if more.is_empty() { "" } else { "  " };
            let _ = writeln!(out, "  {lead}{gap}{}", more.join("; "));
            if let Some(source) = source(item, manifest) {
                let _ = writeln!(out, "      {source}");
            }
        }
    }

    /// The items under a key of the manifest with their leads.
    pub fn items_at<'n>(&self, manifest: &'n Node, key: &str) -> Vec<(String, &'n Node)> {
        match manifest.get(key).map(|node| &node.data) {
            Some(Data::Map(entries)) => entries.iter().map(|e| (e.key.to_string(), &e.value)).collect(),
            Some(Data::List(items)) => items.iter().map(|item| (self.lead_of(item), item)).collect(),
            _ => Vec::new(),
        }
    }

    fn lead_of(&self, item: &Node) -> String {
        self.lead.iter().find(|key| item.get(key).is_some()).map(|key| text(item, key)).unwrap_or_default()
    }
}

/// Where an item comes from: sections of the document, or the reason why it was added.
pub fn source(item: &Node, manifest: &Node) -> Option<String> {
    if let Some(addition) = item.get("addition").and_then(Node::scalar_text) {
        return Some(format!("[addition: {addition}]"));
    }
    let cites = item.get("cite")?;
    let ids = if cites.items().is_empty() { std::slice::from_ref(cites) } else { cites.items() };
    let title = |id: &str| manifest.get("cites").and_then(|c| c.get(id)).and_then(Node::scalar_text).cloned();
    let titles = ids.iter().filter_map(Node::scalar_text).map(|id| title(id).unwrap_or_else(|| id.clone()).to_string());
    Some(format!("[{}]", titles.collect::<Vec<_>>().join("; ")))
}

/// A value of a manifest in one line.
pub fn text(node: &Node, key: &str) -> String {
    node.get(key).map(one_line).unwrap_or_default()
}

fn one_line(node: &Node) -> String {
    match &node.data {
        Data::List(items) => {
            let nested = items.iter().any(|item| !item.items().is_empty());
            items.iter().map(one_line).collect::<Vec<_>>().join(if nested { " | " } else { ", " })
        }
        Data::Map(entries) => {
            let entries = entries.iter().map(|e| format!("{}: {}", e.key, one_line(&e.value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        _ => node.scalar_text().map(|t| t.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default(),
    }
}

fn to_json(node: &Node) -> Json {
    match &node.data {
        Data::Null | Data::Poison => Json::Null,
        Data::Bool { value, .. } => (*value).into(),
        Data::Int { value, .. } => (*value).into(),
        Data::Float { value, .. } => (*value).into(),
        Data::Text(text) => (&**text).into(),
        Data::List(items) => items.iter().map(to_json).collect(),
        Data::Map(entries) => {
            Json::Object(entries.iter().map(|e| (e.key.to_string(), to_json(&e.value))).collect::<Object<_, _>>())
        }
    }
}

/// The files of a new pack, `NAME` standing for its name.
const NEW: &[(&str, &str)] = &[
    ("pack.toml", include_str!("new/pack.toml")),
    ("settings.schema.json", include_str!("new/settings.schema.json")),
    ("service.conf.j2", include_str!("new/service.conf.j2")),
    ("README.md", include_str!("new/README.md")),
];

/// The files of a new pack of this name, by path below its folder.
pub fn new_pack(name: &str) -> PackFiles {
    let files = NEW.iter().map(|(path, text)| ((*path).into(), text.replace("NAME", name).into())).collect();
    PackFiles { name: name.into(), dir: name.into(), files }
}

fn new(name: &str, dir: &Utf8Path, shell: &Shell) -> Result<Exit, Stop> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(plain) || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        let help = "lower-case letters, digits and hyphens, a letter first";
        return Err(Stop::Usage(format!("`{name}` cannot be the name of a pack: {help}")));
    }
    let folder = dir.join(name);
    let refuse = |e| Stop::Usage(format!("cannot make the pack `{folder}`: {e}"));
    fs::create_dir_all(dir).map_err(refuse)?;
    fs::create_dir(&folder).map_err(refuse)?;
    for (path, text) in new_pack(name).files {
        fs::write(folder.join(&*path), &*text).map_err(refuse)?;
    }
    shell.print(&format!(
        "{folder}: {} files\n\nNext:\n  sitec init {name} --packs {dir} > site.yaml\n  sitec build site.yaml --packs {dir}\n",
        NEW.len()
    ))?;
    Ok(Exit::Fine)
}
