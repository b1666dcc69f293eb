//! What a change of a spec comes to: two sealed trees in, their differences out, the traffic that opens or closes
//! apart.

pub mod can;
pub mod flows;
pub mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use flows::FlowChanges;

/// Every file of a sealed tree by path, as [`crate::write::seal`] makes it.
pub type Sealed = BTreeMap<String, Vec<u8>>;

/// Where the table of flows lies in a tree.
const FLOWS: &str = "firewall/flows.csv";

/// All differences of two trees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// What belongs to the site as a whole first, then the hosts, clusters and releases by name.
    pub groups: BTreeMap<Group, Vec<FileChange>>,
    pub flows: FlowChanges,
}

/// Whose files these are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Site,
    Host(String),
    Cluster(String),
    Release(String),
}

/// What happens to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    pub path: String,
    pub kind: ChangeKind,
    /// Changes of what the manifest says about the file, except for what follows from its bytes: `mode 0644 -> 0755`.
    pub attributes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The number of lines; `None` for what is no text.
    New(Option<usize>),
    Removed(Option<usize>),
    /// The unified diff; empty when only attributes change.
    Changed(String),
}

/// Compares two trees. The checksums are left out, since they follow from the rest; of the manifest only what does
/// not.
pub fn diff(old: &Sealed, new: &Sealed) -> Review {
    let (old_rows, new_rows) = (manifest_rows(old), manifest_rows(new));
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut review = Review::default();
    for path in paths.into_iter().filter(|p| *p != crate::write::MANIFEST && *p != crate::write::SUMS) {
        let lines = |bytes: &[u8]| text::as_text(bytes).map(|text| text.lines().count());
        let mut attributes = Vec::new();
        let kind = match (old.get(path), new.get(path)) {
            (Some(old), None) => ChangeKind::Removed(lines(old)),
            (None, Some(new)) => ChangeKind::New(lines(new)),
            (Some(old), Some(new)) => {
                attributes = changed_attributes(old_rows.get(path), new_rows.get(path));
                if old == new && attributes.is_empty() {
                    continue;
                }
                ChangeKind::Changed(text::unified(&format!("old/{path}"), &format!("new/{path}"), old, new))
            }
            (None, None) => continue,
        };
        review.groups.entry(Group::of(path)).or_default().push(FileChange { path: path.clone(), kind, attributes });
    }
    let table = |tree: &Sealed| tree.get(FLOWS).map(|b| String::from_utf8_lossy(b).into_owned()).unwrap_or_default();
    review.flows = flows::changes(&table(old), &table(new));
    review
}

impl Group {
    fn of(path: &str) -> Self {
        let mut steps = path.split('/');
        match (steps.next(), steps.next(), steps.next()) {
            (Some("hosts"), Some(host), Some(_)) => Group::Host(host.to_string()),
            (Some("clusters"), Some(cluster), Some(_)) => Group::Cluster(cluster.to_string()),
            (Some("helm"), Some(release), Some(_)) => Group::Release(release.to_string()),
            _ => Group::Site,
        }
    }

    /// `host w01`, `cluster main`, `release web`, `site`.
    pub fn title(&self) -> String {
        match self {
            Group::Site => "site".to_string(),
            Group::Host(name) => format!("host {name}"),
            Group::Cluster(name) => format!("cluster {name}"),
            Group::Release(name) => format!("release {name}"),
        }
    }
}

type Rows = BTreeMap<String, serde_json::Map<String, serde_json::Value>>;

/// What the manifest of a tree says about each file; nothing when it cannot be read.
fn manifest_rows(tree: &Sealed) -> Rows {
    let manifest = tree.get(crate::write::MANIFEST).and_then(|bytes| serde_json::from_slice(bytes).ok());
    let rows = match manifest {
        Some(serde_json::Value::Object(mut manifest)) => manifest.remove("files"),
        _ => None,
    };
    let Some(serde_json::Value::Array(rows)) = rows else { return Rows::new() };
    let named = rows.into_iter().filter_map(|row| match row {
        serde_json::Value::Object(row) => Some((row.get("path")?.as_str()?.to_string(), row)),
        _ => None,
    });
    named.collect()
}

fn changed_attributes(
    old: Option<&serde_json::Map<String, serde_json::Value>>,
    new: Option<&serde_json::Map<String, serde_json::Value>>,
) -> Vec<String> {
    let (Some(old), Some(new)) = (old, new) else { return Vec::new() };
    let text = |value: Option<&serde_json::Value>| match value {
        None => "none".to_string(),
        Some(serde_json::Value::String(text)) => format!("`{text}`"),
        Some(other) => other.to_string(),
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| !matches!(name.as_str(), "path" | "sha256" | "size") && old.get(*name) != new.get(*name))
        .map(|name| format!("{name} {} -> {}", text(old.get(name)), text(new.get(name))))
        .collect()
}

impl Review {
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.flows == FlowChanges::default()
    }

    /// The review as people read it: file by file under its host, then the traffic, then the sum. Lines that belong
    /// to no diff begin with `#`; `patch -p1` takes the rest.
    pub fn text(&self, color: bool) -> String {
        let mut out = String::new();
        for (group, files) in &self.groups {
            self::line(&mut out, color, BOLD, &format!("# {}", group.title()));
            for file in files {
                file.print(&mut out, color);
            }
            out.push('\n');
        }
        self.print_flows(&mut out, color);
        let files: Vec<&FileChange> = self.groups.values().flatten().collect();
        let count = |f: fn(&ChangeKind) -> bool| files.iter().filter(|file| f(&file.kind)).count();
        let (new, removed) =
            (count(|k| matches!(k, ChangeKind::New(_))), count(|k| matches!(k, ChangeKind::Removed(_))));
        let changed = files.len() - new - removed;
        let (opens, closes) = (self.flows.opens.len(), self.flows.closes.len());
        let sum =
            format!("# files: {changed} changed, {new} new, {removed} removed; flows: {opens} opened, {closes} closed");
        line(&mut out, color, BOLD, &sum);
        out
    }

    fn print_flows(&self, out: &mut String, color: bool) {
        if self.flows == FlowChanges::default() {
            return;
        }
        line(out, color, BOLD, "# traffic");
        for traffic in &self.flows.closes {
            line(out, color, RED, &format!("# closes {}", traffic.text()));
        }
        for traffic in &self.flows.opens {
            line(out, color, GREEN, &format!("# opens  {}", traffic.text()));
        }
        out.push('\n');
    }
}

impl FileChange {
    fn print(&self, out: &mut String, color: bool) {
        let lines = |n: &Option<usize>| match n {
            Some(1) => "1 line".to_string(),
            Some(n) => format!("{n} lines"),
            None => "no text".to_string(),
        };
        match &self.kind {
            ChangeKind::New(n) => line(out, color, GREEN, &format!("# new     {} ({})", self.path, lines(n))),
            ChangeKind::Removed(n) => line(out, color, RED, &format!("# removed {} ({})", self.path, lines(n))),
            ChangeKind::Changed(diff) => {
                for attribute in &self.attributes {
                    line(out, color, CYAN, &format!("# {}: {attribute}", self.path));
                }
                for text in diff.lines() {
                    let style = match text.as_bytes() {
                        _ if text.starts_with("--- old/") || text.starts_with("+++ new/") => BOLD,
                        [b'@', ..] => CYAN,
                        [b'-', ..] => RED,
                        [b'+', ..] => GREEN,
                        _ => "",
                    };
                    line(out, color, style, text);
                }
            }
        }
    }
}

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";

fn line(out: &mut String, color: bool, style: &str, text: &str) {
    // Writing to a string cannot fail.
    let _ = if color && !style.is_empty() { writeln!(out, "{style}{text}\x1b[0m") } else { writeln!(out, "{text}") };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(files: &[(&str, &str)]) -> Sealed {
        files.iter().map(|(path, text)| (path.to_string(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn equal_trees_have_no_differences() {
        let tree = sealed(&[("a", "1\n"), ("SHA256SUMS", "x")]);
        let other = sealed(&[("a", "1\n"), ("SHA256SUMS", "y")]);
        assert!(diff(&tree, &other).is_empty());
    }

    #[test]
    fn files_stand_under_their_hosts_and_traffic_at_the_end() {
        let header = "product,from,from_hosts,to,to_hosts,transport,ports,application,scope,why\n";
        let flows = format!("{header}p,a,10.0.0.1,b,10.0.0.2,tcp,443,HTTPS,site,x\n");
        let old = sealed(&[("hosts/w2/x", "1\n"), ("hosts/w1/x", "1\n2\n"), ("firewall/flows.csv", header)]);
        let new = sealed(&[("hosts/w10/x", "1\n"), ("hosts/w1/x", "1\n3\n"), ("firewall/flows.csv", &flows)]);
        let text = diff(&old, &new).text(false);
        let expected = "\
# site
--- old/firewall/flows.csv
+++ new/firewall/flows.csv
@@ -1 +1,2 @@
 product,from,from_hosts,to,to_hosts,transport,ports,application,scope,why
+p,a,10.0.0.1,b,10.0.0.2,tcp,443,HTTPS,site,x

# host w1
--- old/hosts/w1/x
+++ new/hosts/w1/x
@@ -1,2 +1,2 @@
 1
-2
+3

# host w10
# new     hosts/w10/x (1 line)

# host w2
# removed hosts/w2/x (1 line)

# traffic
# opens  p: a -> b : 443/tcp HTTPS (10.0.0.1 -> 10.0.0.2)

# files: 2 changed, 1 new, 1 removed; flows: 1 opened, 0 closed
";
        assert_eq!(text, expected);
        assert!(diff(&old, &new).text(true).contains("\x1b[31m-2\x1b[0m"));
    }

    #[test]
    fn a_change_of_mode_alone_is_a_difference() {
        let manifest = |mode: &str| {
            format!(r#"{{"files":[{{"path":"run.sh","sha256":"{mode}","size":1,"mode":"{mode}","pack":"base"}}]}}"#)
        };
        let old = sealed(&[("run.sh", "x"), ("MANIFEST.json", &manifest("0644"))]);
        let new = sealed(&[("run.sh", "x"), ("MANIFEST.json", &manifest("0755"))]);
        assert!(diff(&old, &new).text(false).contains("# run.sh: mode `0644` -> `0755`"));
    }
}
