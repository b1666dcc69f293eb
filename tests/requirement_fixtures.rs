//! Every requirement that a pack can report is reported by an error fixture of that pack, each row of a table of
//! minimums and each band on its own: a finding that nobody has ever seen is not one to rely on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sitec::compile::embedded_packs;
use sitec::diag::Findings;
use sitec::pack::expr::Text;
use sitec::pack::load;
use sitec::pack::manifest::{Judgement, Limit, Pack};
use sitec::source::Sources;

/// What a pack can report: a code, and the words by which a message is known to come from this very entry.
struct Entry {
    code: String,
    /// Literal text of the message, in order.
    words: Vec<String>,
    /// The limit that the message has, which tells rows with the same words apart.
    limit: Option<String>,
}

impl Entry {
    fn of(code: &str, says: &Text, limit: Option<&Limit>) -> Self {
        let literal = |limit: &Limit| match limit {
            Limit::Literal(value) => value.value.text().map(|t| t.to_string()),
            Limit::Expr(_) => None,
        };
        Self {
            code: code.to_owned(),
            words: says.literals().flatten().map(str::to_owned).collect(),
            limit: limit.filter(|_| says.source().contains("{{ limit }}")).and_then(literal),
        }
    }

    /// Whether a message was made from this entry.
    fn made(&self, message: &str) -> bool {
        let mut rest = message;
        for word in &self.words {
            let Some(at) = rest.find(word.as_str()) else { return false };
            rest = &rest[at + word.len()..];
        }
        self.limit.as_ref().is_none_or(|limit| message.contains(&format!(" {limit}")))
    }
}

/// Everything that a pack can report under a code of its own.
fn entries(pack: &Pack) -> Vec<Entry> {
    let mut entries = Vec::new();
    for rule in &pack.requirements {
        match &rule.judgement {
            Judgement::Bands(bands) => entries.extend(
                bands.iter().map(|b| Entry::of(&rule.code, b.says.as_ref().unwrap_or(&rule.says), Some(&b.below))),
            ),
            Judgement::Min(limit) => entries.push(Entry::of(&rule.code, &rule.says, Some(limit))),
            _ => entries.push(Entry::of(&rule.code, &rule.says, None)),
        }
    }
    for (name, binding) in &pack.bindings {
        if let Some(without) = &binding.without {
            entries.push(Entry::of(&format!("without-{name}"), without, None));
        }
    }
    entries
}

/// What the blessed reports of a pack's error fixtures say: code without the pack's name, and message. That each
/// fixture gets its report is what the test of error fixtures is about.
fn reported(pack: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in walkdir::WalkDir::new(Path::new("fixtures/errors").join(pack)).into_iter().filter_map(Result::ok) {
        if file.file_name() != "report.txt" {
            continue;
        }
        let report = fs::read_to_string(file.path()).expect("a report is text");
        found.extend(report.lines().filter_map(|line| {
            let (head, message) = line.split_once("]: ")?;
            let (_, code) = head.split_once('[')?;
            Some((code.strip_prefix(pack)?.strip_prefix('/')?.to_owned(), message.to_owned()))
        }));
    }
    found
}

#[test]
fn every_requirement_has_an_error_fixture() {
    let mut missing: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut judged = 0;
    for files in embedded_packs() {
        let pack =
            load(&files, &mut Sources::default(), &mut Findings::default()).expect("an embedded pack has a form");
        let found = reported(&files.name);
        for entry in entries(&pack) {
            judged += 1;
            if !found.iter().any(|(code, message)| *code == entry.code && entry.made(message)) {
                let limit = entry.limit.map(|l| format!(" (limit {l})")).unwrap_or_default();
                missing.entry(files.name.to_string()).or_default().push(format!("{}{limit}", entry.code));
            }
        }
    }
    assert!(judged > 100, "only {judged} entries were looked at");
    assert!(missing.is_empty(), "no fixture in fixtures/errors/<pack> reports these:\n{missing:#?}");
}
