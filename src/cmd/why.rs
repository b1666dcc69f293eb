//! `sitec why`: the places that a line of an artifact comes from.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use super::report::exit_of;
use super::{Exit, Shell, Stop};
use crate::artifact::ArtifactTree;
use crate::cli::{Format, WhyArgs};
use crate::compile::Depth;
use crate::diag::similar_name;
use crate::source::{Role, Sources};
use crate::value::Origins;

pub fn run(args: &WhyArgs, shell: &Shell) -> Result<Exit, Stop> {
    let compilation = shell.compile(&args.spec, Depth::Trace)?;
    let (Some(tree), Some(trace)) = (&compilation.tree, &compilation.trace) else {
        shell.report(&compilation.findings, &compilation.sources);
        return Ok(exit_of(&compilation.findings).max(Exit::Findings));
    };
    let (path, wanted) = locate(&args.place, tree).map_err(Stop::Usage)?;
    let text = compilation.sources.masked(&String::from_utf8_lossy(&tree.files[path].bytes));
    let lines: Vec<&str> = text.lines().collect();
    let none = Vec::new();
    let origins = trace.get(path).unwrap_or(&none);
    let numbers = match wanted {
        Some(n) if n == 0 || n > lines.len() => {
            return Err(Stop::Usage(format!("`{path}` has lines 1 to {}, and no line {n}", lines.len())));
        }
        Some(n) => n..=n,
        None => 1..=lines.len(),
    };
    let answers = numbers.map(|n| Answer {
        number: n,
        line: lines[n - 1],
        places: origins.get(n - 1).map(|o| places(o, &compilation.sources)).unwrap_or_default(),
    });
    let out = match shell.format {
        Format::Json => {
            let lines: Vec<_> = answers.map(|a| a.json()).collect();
            format!("{:#}\n", json!({ "version": 1, "file": path, "lines": lines }))
        }
        _ => answers.map(|a| a.text(path)).collect::<Vec<_>>().join("\n"),
    };
    shell.print(&out)?;
    Ok(Exit::Fine)
}

/// The file of the tree and the line that are meant. The file may be given as a path below the output folder too.
fn locate<'a>(place: &str, tree: &'a ArtifactTree) -> Result<(&'a str, Option<usize>), String> {
    let numbered = place.rsplit_once(':').and_then(|(path, n)| Some((path, Some(n.parse().ok()?))));
    let (path, line) = numbered.unwrap_or((place, None));
    let path = path.strip_prefix("./").unwrap_or(path);
    if let Some((path, _)) = tree.files.get_key_value(path) {
        return Ok((path, line));
    }
    let below = |full: &&String| path.strip_suffix(full.as_str()).is_some_and(|before| before.ends_with('/'));
    let found: Vec<&String> = tree.files.keys().filter(below).collect();
    // `out/acme/hosts/w1/x` ends in `x` and in `hosts/w1/x`: the longest is meant.
    if let Some(path) = found.into_iter().max_by_key(|full| full.len()) {
        return Ok((path, line));
    }
    if path.ends_with(crate::write::MANIFEST) || path.ends_with(crate::write::SUMS) {
        return Err(format!("`{path}` comes from all files of the tree together"));
    }
    Err(match similar_name(path, tree.files.keys().map(String::as_str)) {
        Some(name) => format!("the tree has no file `{path}`; there is `{name}`"),
        None => format!("the tree has no file `{path}`; `MANIFEST.json` lists those that it has"),
    })
}

struct Answer<'a> {
    number: usize,
    line: &'a str,
    places: Vec<Place>,
}

/// A line of a source, with all that is meant on it.
pub(super) struct Place {
    role: Role,
    file: String,
    line: usize,
    column: usize,
    text: String,
}

/// The places of a set, those of the spec first, one per line of a source.
pub(super) fn places(origins: &Origins, sources: &Sources) -> Vec<Place> {
    let mut places = BTreeMap::new();
    for span in origins.as_slice().iter().filter_map(|place| sources.span_of(*place)) {
        let file = sources.file(span.file);
        let (line, column) = sources.line_col(span);
        let text = file.text.lines().nth(line - 1).unwrap_or("");
        // A line is a piece of the file's text.
        let start = text.as_ptr() as usize - file.text.as_ptr() as usize;
        let text = sources.shown(span.file, start, text).trim().to_string();
        let key = (file.role, file.name.to_string(), line);
        places.entry(key).or_insert(Place { role: file.role, file: file.name.to_string(), line, column, text });
    }
    places.into_values().collect()
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Spec => "spec",
        Role::Pack => "pack",
        Role::Template => "template",
        Role::Chart => "chart",
        Role::Schema => "default",
    }
}

impl Answer<'_> {
    fn text(&self, path: &str) -> String {
        let mut out = format!("{path}:{}: {}\n", self.number, self.line);
        for place in &self.places {
            let _ = writeln!(out, "  {}", place.text());
        }
        out
    }

    fn json(&self) -> serde_json::Value {
        let places: Vec<_> = self.places.iter().map(Place::json).collect();
        json!({ "line": self.number, "text": self.line, "places": places })
    }
}

impl Place {
    /// Its role, where it is, and its text, in columns.
    pub(super) fn text(&self) -> String {
        let at = format!("{}:{}:{}", self.file, self.line, self.column);
        format!("{:<8} {at:<40} {}", role_name(self.role), self.text)
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let role = role_name(self.role);
        json!({ "role": role, "file": self.file, "line": self.line, "column": self.column, "text": self.text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Artifact, Placement};

    #[test]
    fn files_are_found_below_the_output_folder_too() {
        let artifact = Artifact {
            format: "text".into(),
            bytes: Vec::new(),
            placement: Placement::Carry,
            host: None,
            target: None,
            owner: None,
            mode: None,
            apply: None,
            check: None,
            pack: "base".into(),
        };
        let files = ["x", "hosts/w1/x"].map(|path| (path.to_string(), artifact.clone()));
        let tree = ArtifactTree { files: files.into(), ..ArtifactTree::default() };
        assert_eq!(locate("x:3", &tree), Ok(("x", Some(3))));
        assert_eq!(locate("/tmp/out/acme/hosts/w1/x", &tree), Ok(("hosts/w1/x", None)));
        assert_eq!(locate("hosts/w1/y", &tree), Err("the tree has no file `hosts/w1/y`; there is `hosts/w1/x`".into()));
    }
}
