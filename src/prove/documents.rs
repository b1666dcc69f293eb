//! Paths that documents and steps name, against the tree: each must be in it. What else a document states goes on to
//! whoever knows it, since a document is read once.

use std::cell::Cell;

use super::bugs::{At, Bugs};
use super::{Emitted, Texts};
use super::{markdown, traffic};
use crate::artifact::ArtifactTree;
use crate::diag::similar_name;
use crate::emit::escape::Format;
use crate::ir::Ir;

/// Files that sealing adds to the tree.
const SEALS: [&str; 2] = ["MANIFEST.json", "SHA256SUMS"];

/// Every step's files, and every path below a folder of the tree that a Markdown document names.
pub fn paths(ir: &Ir, tree: &ArtifactTree, texts: &Texts, said: &dyn Fn(&str) -> bool, bugs: &mut Bugs) {
    let known = Known { tree, said, waits: !ir.questions.is_empty(), searched: Cell::new(0) };
    let runbook = At { path: "RUNBOOK.md", line: 0 };
    for step in &ir.steps {
        for file in step.files.iter().filter(|f| !known.has(f)) {
            bugs.dangling(runbook, file, known.similar(file), known.waits);
        }
    }
    for file in texts.of(Format::Markdown) {
        document(ir, file, &known, bugs);
    }
}

fn document(ir: &Ir, file: &Emitted, known: &Known, bugs: &mut Bugs) {
    let outline = match markdown::read(file.text) {
        Ok(outline) => outline,
        // What a pack writes by itself may use more of the language than is understood here.
        Err(_) if !file.is_own() => return,
        Err(fault) => return bugs.unreadable(file.path, &fault),
    };
    for (target, line) in &outline.links {
        if target.starts_with('#') || target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let path = beside(file.path, target.split('#').next().unwrap_or_default());
        if !known.has(&path) {
            bugs.dangling(file.at(*line), &path, known.similar(&path), known.waits);
        }
    }
    for (code, line) in &outline.code {
        for word in code.split(|c: char| c.is_whitespace() || "'\"`;()<>=,".contains(c)) {
            let word = word.trim_start_matches("./").trim_end_matches(['.', ':']);
            if known.claims(word) && !known.has(word) && !(known.said)(word) {
                bugs.dangling(file.at(*line), word, known.similar(word), known.waits);
            }
        }
    }
    traffic::flow_document(ir, file, outline, bugs);
}

/// A link's path from the tree's root, given the path of the document that has it.
fn beside(document: &str, target: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The paths of the tree.
struct Known<'a> {
    tree: &'a ArtifactTree,
    /// Whether the spec says a path by itself, as that of a folder of a repository.
    said: &'a dyn Fn(&str) -> bool,
    /// Whether some file may wait for an answer.
    waits: bool,
    /// How many paths were looked for among all files.
    searched: Cell<usize>,
}

/// For so many paths that are not there a near one is looked for: where more are missing, none was mistyped.
const SEARCHED_MOST: usize = 64;

impl<'a> Known<'a> {
    /// The folders at the tree's root; a path that begins with one claims to be in the tree.
    const FOLDERS: [&'static str; 5] = ["clusters", "firewall", "helm", "hosts", "images"];

    /// Whether a text looks like a path in the tree.
    fn claims(&self, text: &str) -> bool {
        let Some((folder, rest)) = text.split_once('/') else { return false };
        !rest.is_empty() && Self::FOLDERS.contains(&folder) && !text.contains(['$', '{', '*', '?'])
    }

    /// Whether a path is that of a file or of a folder with files.
    fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        if path.is_empty() || SEALS.contains(&path) || self.tree.files.contains_key(path) {
            return true;
        }
        let folder = format!("{path}/");
        let next = self.tree.files.range(folder.clone()..).next();
        next.is_some_and(|(file, _)| file.starts_with(&folder))
    }

    fn similar(&self, path: &str) -> Option<&'a str> {
        self.searched.set(self.searched.get() + 1);
        if self.searched.get() > SEARCHED_MOST {
            return None;
        }
        similar_name(path, self.tree.files.keys().map(String::as_str))
    }
}
