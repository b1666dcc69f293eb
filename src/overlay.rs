//! Overlay: a spec and the files it `extends` in, one tree out, in which each value keeps the place of its own file.

use std::collections::BTreeMap;

use crate::check::secrets;
use crate::diag::{Diag, Findings, codes};
use crate::node::{Data, Entry, Node};
use crate::parse;
use crate::source::{FileId, Role, Sources, Span};

/// How many files may extend each other in a row.
pub const CHAIN_LIMIT: usize = 16;

/// Parses the entry file and everything it extends, and lays the later files over the earlier ones.
///
/// `extends` is a path or a list of paths, relative to the file that says so, resolved by their text (`a/../b` is
/// `b`). Later files win over earlier ones, the file that extends wins over all of them. Maps merge key by key;
/// anything else replaces, a written `null` too. `extends` itself is not part of the result. `read` gives the bytes
/// of a file or the reason why it cannot.
///
/// `None` when a file is missing, extends itself, or has no tree; the findings say so.
pub fn overlay(
    sources: &mut Sources,
    entry: FileId,
    read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    findings: &mut Findings,
) -> Option<Node> {
    let overlaid = overlay_unsearched(sources, entry, 1, read, findings);
    let suspects = overlaid.search();
    overlaid.hide(suspects, sources, findings)
}

/// The same with at most so many threads, 0 leaving it to the machine, but secrets may still stand in the tree: nothing of it may be shown before they are hidden.
pub fn overlay_unsearched(
    sources: &mut Sources,
    entry: FileId,
    threads: usize,
    read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    findings: &mut Findings,
) -> Overlaid {
    let name = clean(&sources.file(entry).name);
    let chain = vec![Link { name, said: None }];
    let mut pass =
        Pass { sources, threads, read, findings, done: BTreeMap::new(), chain, suspects: Vec::new(), searched: true };
    let node = pass.resolve(entry);
    Overlaid { node, suspects: pass.suspects, searched: pass.searched }
}

/// A tree, and what is known of the secrets in its files.
pub struct Overlaid {
    pub node: Option<Node>,
    suspects: Vec<secrets::Suspect>,
    searched: bool,
}

impl Overlaid {
    /// Looks for what is like a secret, wherever that has not been done.
    pub fn search(&self) -> Vec<secrets::Suspect> {
        self.node.iter().filter(|_| !self.searched).flat_map(secrets::suspects).collect()
    }

    /// Hides what was found, and gives the tree.
    pub fn hide(self, found: Vec<secrets::Suspect>, sources: &mut Sources, findings: &mut Findings) -> Option<Node> {
        let mut suspects = self.suspects;
        suspects.extend(found);
        secrets::report(&suspects, self.node.as_ref(), sources, findings);
        self.node
    }
}

struct Pass<'a> {
    sources: &'a mut Sources,
    /// The most threads to use; 0 leaves it to the machine.
    threads: usize,
    read: &'a mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    findings: &'a mut Findings,
    /// Files that are resolved, by path; `None` when that failed.
    done: BTreeMap<String, Option<Node>>,
    /// The files being resolved, each extended by the one before it.
    chain: Vec<Link>,
    /// What looks like a secret in one of the files, overruled by another one or not.
    suspects: Vec<secrets::Suspect>,
    /// Whether every file has been searched for them. The tree of one that is all by itself can be searched later.
    searched: bool,
}

struct Link {
    name: String,
    /// Where the file is named; `None` for the entry.
    said: Option<Span>,
}

impl Pass<'_> {
    /// The tree of a file with everything under it that it extends.
    fn resolve(&mut self, file: FileId) -> Option<Node> {
        let before = self.findings.len();
        let parsed = parse::parse_with(self.sources, file, self.threads, self.findings);
        // Of a key that is given twice, say, the tree has one value.
        match parsed.is_some() && self.findings.len() == before {
            true => secrets::hide_in_remarks(file, self.sources),
            false => secrets::hide_in_text(file, parsed.as_ref(), self.sources),
        }
        let mut node = parsed?;
        if self.chain.len() == 1 && node.get("extends").is_none() {
            self.searched = false;
            return Some(node);
        }
        self.suspects.extend(secrets::suspects(&node));
        let extends = match &mut node.data {
            Data::Map(entries) => match entries.iter().position(|e| &*e.key == "extends") {
                Some(index) => entries.remove(index),
                None => return Some(node),
            },
            _ => return Some(node),
        };
        let Some(paths) = self.paths(&extends.value) else {
            return Some(node);
        };
        let folder = self.sources.file(file).name.clone();
        let bases: Vec<Option<Node>> = paths.iter().map(|(path, said)| self.base(&folder, path, *said)).collect();
        let mut merged: Option<Node> = None;
        for base in bases {
            let base = base?;
            merged = Some(match merged {
                Some(earlier) => merge(earlier, base),
                None => base,
            });
        }
        Some(match merged {
            Some(base) => merge(base, node),
            None => node,
        })
    }

    /// The paths that `extends` names; `None` when there is nothing to do or the value is faulty.
    fn paths(&mut self, value: &Node) -> Option<Vec<(String, Span)>> {
        let nodes = match &value.data {
            Data::Null | Data::Poison => return None,
            Data::List(items) => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        let mut paths = Vec::new();
        for node in nodes {
            match &node.data {
                Data::Text(path) if !path.is_empty() => paths.push((path.to_string(), node.span)),
                Data::Poison => {}
                _ => self.findings.push(
                    Diag::new(codes::WRONG_TYPE, "`extends` takes the path of a file or a list of paths")
                        .at(node.span, "not a path")
                        .help("write `extends: base.yaml` or `extends: [base.yaml, lyon.yaml]`"),
                ),
            }
        }
        Some(paths)
    }

    /// The resolved tree of one file that `folder`'s file extends.
    fn base(&mut self, folder: &str, path: &str, said: Span) -> Option<Node> {
        let name = beside(folder, path);
        if self.chain.iter().any(|l| l.name == name) {
            let diag = self.cycle(&name, said);
            self.findings.push(diag);
            return None;
        }
        if self.chain.len() >= CHAIN_LIMIT {
            self.findings.push(
                Diag::new(codes::EXTENDS_CYCLE, format!("more than {CHAIN_LIMIT} files extend each other in a row"))
                    .at(said, "this one is too much")
                    .help("put what the files share into fewer of them; `extends` takes a list"),
            );
            return None;
        }
        if let Some(done) = self.done.get(&name) {
            return done.clone();
        }
        let bytes = match (self.read)(&name) {
            Ok(bytes) => bytes,
            Err(reason) => {
                self.findings.push(
                    Diag::new(codes::EXTENDS_MISSING, format!("cannot read `{name}`: {}", sentence(&reason)))
                        .at(said, "named here")
                        .help("paths in `extends` are relative to the file that holds them"),
                );
                return None;
            }
        };
        let node = parse::load(self.sources, &name, bytes, Role::Spec, self.findings).and_then(|file| {
            self.chain.push(Link { name: name.clone(), said: Some(said) });
            let node = self.resolve(file);
            self.chain.pop();
            node
        });
        self.done.insert(name, node.clone());
        node
    }

    fn cycle(&self, name: &str, said: Span) -> Diag {
        let start = self.chain.iter().position(|l| l.name == name).unwrap_or(0);
        let round = &self.chain[start..];
        let mut diag = Diag::new(codes::EXTENDS_CYCLE, format!("`{name}` extends itself"))
            .at(said, if round.len() == 1 { "names its own file" } else { "closes the circle" })
            .help("remove one of these `extends`; let both files extend a third one that holds what they share");
        for pair in round.windows(2) {
            if let Some(span) = pair[1].said {
                diag = diag.and(span, format!("`{}` extends `{}`", pair[0].name, pair[1].name));
            }
        }
        if round.len() > 1 {
            let names: Vec<&str> = round.iter().map(|l| l.name.as_str()).chain([name]).collect();
            diag = diag.note(format!("the circle: {}", names.join(" → ")));
        }
        diag
    }
}

/// Lays `over` on `base`. Faulty parts that would have to be merged are poison.
fn merge(base: Node, over: Node) -> Node {
    let Node { place, span, data } = over;
    let data = match (base.data, data) {
        (Data::Map(base), Data::Map(over)) => Data::Map(merge_entries(base, over)),
        (Data::Poison, Data::Map(_)) => Data::Poison,
        (_, over) => over,
    };
    Node { place, span, data }
}

/// Puts an entry among others, on top of what has its key.
pub fn put(entries: &mut Vec<Entry>, entry: Entry) {
    match entries.iter_mut().find(|e| e.key == entry.key) {
        Some(below) => {
            let base = std::mem::replace(&mut below.value, entry.value.clone());
            below.value = merge(base, entry.value);
        }
        None => entries.push(entry),
    }
}

/// The keys of `base` in their order, then those that only `over` has.
fn merge_entries(base: Vec<Entry>, over: Vec<Entry>) -> Vec<Entry> {
    let mut merged: Vec<Option<Entry>> = base.into_iter().map(Some).collect();
    let index: BTreeMap<_, usize> =
        merged.iter().enumerate().filter_map(|(i, e)| e.as_ref().map(|e| (e.key.clone(), i))).collect();
    for entry in over {
        let slot = index.get(&entry.key).copied();
        match slot.and_then(|i| merged[i].take().map(|base| (i, base))) {
            Some((i, base)) => {
                let Entry { key, key_span, value } = entry;
                merged[i] = Some(Entry { key, key_span, value: merge(base.value, value) });
            }
            None => merged.push(Some(entry)),
        }
    }
    merged.into_iter().flatten().collect()
}

/// A path that a file names, relative to that file's folder.
pub fn beside(file: &str, path: &str) -> String {
    match file.rfind('/') {
        Some(end) if !path.starts_with('/') => clean(&format!("{}/{path}", &file[..end])),
        _ => clean(path),
    }
}

/// A path without `.` and with `..` resolved by its text.
fn clean(path: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|s| *s != "..") => {
                steps.pop();
            }
            ".." if path.starts_with('/') => {}
            step => steps.push(step),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", steps.join("/"))
}

/// A reader's reason in the manner of messages: no capital at the beginning, no period at the end.
fn sentence(reason: &str) -> String {
    let reason = reason.trim().trim_end_matches('.');
    let mut chars = reason.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            format!("{}{}", first.to_lowercase(), &reason[first.len_utf8()..])
        }
        _ => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(files: &[(&str, &str)]) -> (Sources, Option<Node>, Vec<Diag>) {
        let (mut sources, mut findings) = (Sources::default(), Findings::default());
        let entry = sources.add(files[0].0, files[0].1, Role::Spec);
        let mut read = |name: &str| {
            let found = files.iter().find(|f| f.0 == name);
            found.map(|f| f.1.as_bytes().to_vec()).ok_or_else(|| "No such file or directory".to_owned())
        };
        let node = overlay(&mut sources, entry, &mut read, &mut findings);
        (sources, node, findings.iter().cloned().collect())
    }

    fn flat(sources: &Sources, node: &Node) -> String {
        let mut rows = Vec::new();
        node.walk(&mut String::new(), &mut |pointer, n| {
            if n.entries().is_empty() && n.items().is_empty() {
                let text = sources.text(n.span);
                rows.push(format!("{pointer}={text}@{}", sources.file(n.span.file).name));
            }
        });
        rows.join(" ")
    }

    #[test]
    fn later_files_win_and_values_keep_their_places() {
        let (sources, node, diags) = run(&[
            ("sites/a.yaml", "extends: [../base.yaml, more.toml]\nh: {x: {cpu: 8}}\nl: [9]\n"),
            ("base.yaml", "h: {x: {cpu: 4, ram: 1}, y: {cpu: 2}}\nl: [1, 2]\nn: 1\nm: {k: 1}\n"),
            ("sites/more.toml", "m = [5]\nh.y.cpu = 3\n"),
        ]);
        assert_eq!(diags, []);
        assert_eq!(
            flat(&sources, &node.expect("sound")),
            "/h/x/cpu=8@sites/a.yaml /h/x/ram=1@base.yaml /h/y/cpu=3@sites/more.toml /l/0=9@sites/a.yaml \
             /n=1@base.yaml /m/0=5@sites/more.toml"
        );
    }

    #[test]
    fn null_replaces() {
        let (_, node, _) = run(&[("a.yaml", "extends: b.yaml\nx: null\ny:\n"), ("b.yaml", "x: 1\ny: {z: 1}\n")]);
        let node = node.expect("sound");
        assert!(node.get("x").is_some_and(Node::is_null) && node.get("y").is_some_and(Node::is_null));
    }

    #[test]
    fn a_file_shared_by_two_is_read_once() {
        let (sources, node, diags) = run(&[
            ("a.yaml", "extends: [b.yaml, c.yaml]\n"),
            ("b.yaml", "extends: d.yaml\nb: 1\n"),
            ("c.yaml", "extends: d.yaml\nc: 1\n"),
            ("d.yaml", "d: 0644\n"),
        ]);
        assert_eq!(diags.len(), 1);
        assert_eq!(flat(&sources, &node.expect("sound")), "/d=0644@d.yaml /b=1@b.yaml /c=1@c.yaml");
    }

    #[test]
    fn missing_files_and_circles() {
        let (_, node, diags) = run(&[("a.yaml", "extends: [x.yaml, y.yaml]\n")]);
        assert!(node.is_none());
        let said: Vec<&str> = diags.iter().map(|d| d.message.as_str()).collect();
        assert_eq!(
            said,
            ["cannot read `x.yaml`: no such file or directory", "cannot read `y.yaml`: no such file or directory"]
        );
        let files =
            [("a.yaml", "extends: s/b.yaml"), ("s/b.yaml", "extends: c.yaml"), ("s/c.yaml", "extends: ./b.yaml")];
        let (sources, node, diags) = run(&files);
        assert!(node.is_none());
        assert_eq!(diags[0].message, "`s/b.yaml` extends itself");
        assert_eq!(diags[0].notes, ["the circle: s/b.yaml → s/c.yaml → s/b.yaml"]);
        let labels: Vec<String> = diags[0].secondary.iter().map(|l| sources.show(l.span)).collect();
        assert_eq!(labels, ["s/b.yaml:1:10"]);
        let (_, _, diags) = run(&[("a.yaml", "extends: a.yaml")]);
        assert_eq!(diags[0].message, "`a.yaml` extends itself");
    }

    #[test]
    fn chains_are_limited() {
        let names: Vec<String> = (0..40).map(|i| format!("f{i}.yaml")).collect();
        let texts: Vec<String> = (0..40).map(|i| format!("extends: f{}.yaml\n", i + 1)).collect();
        let files: Vec<(&str, &str)> = names.iter().zip(&texts).map(|(n, t)| (n.as_str(), t.as_str())).collect();
        let (_, node, diags) = run(&files);
        assert!(node.is_none());
        assert_eq!(diags.iter().map(|d| &*d.code).collect::<Vec<_>>(), ["S0102"]);
    }

    #[test]
    fn extends_is_a_path_or_paths() {
        let (_, node, diags) = run(&[("a.yaml", "extends: {a: 1}\nb: 1\n")]);
        assert!(node.is_some_and(|n| n.get("extends").is_none()));
        assert_eq!(diags[0].message, "`extends` takes the path of a file or a list of paths");
    }
}
