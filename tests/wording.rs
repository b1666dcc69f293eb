//! The words of every blessed report: messages, labels and helps keep to one manner.
//!
//! Lower case at the beginning, no period at the end, identifiers in backticks, nothing that begs, blames or shouts;
//! a question ends with `?`, and nothing else does.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value as Json;

/// Names that are written with a capital letter wherever they stand.
const NAMES: &[&str] = &["Docker", "Helm", "Kubernetes", "Markdown", "Traefik", "Windows"];

/// Words that help nobody.
const NEVER: &[&str] = &["please", "sorry", "oops", "invalid", "illegal", "simply", "obviously", "should be able"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Message,
    Question,
    Label,
    Help,
    Note,
}

/// What is wrong with a text.
fn faults(part: Part, text: &str) -> Vec<&'static str> {
    let mut faults = Vec::new();
    let outside: String = text.split('`').step_by(2).collect::<Vec<_>>().join("x");
    let first = text.split(|c: char| c.is_whitespace() || c == ':').next().unwrap_or_default();
    let capital = first.starts_with(|c: char| c.is_uppercase());
    let name = NAMES.contains(&first) || first.chars().skip(1).any(|c| c.is_uppercase() || c.is_ascii_digit());
    // A note may be the title of a chapter.
    if capital && !name && part != Part::Note {
        faults.push("begins with a capital letter");
    }
    if text.ends_with('.') && !text.ends_with("…") {
        faults.push("ends with a period");
    }
    if text.contains('!') && outside.contains('!') {
        faults.push("shouts");
    }
    if text.ends_with('?') != (part == Part::Question) && matches!(part, Part::Message | Part::Question) {
        faults.push(if part == Part::Question { "is a question without `?`" } else { "asks without being a question" });
    }
    if text.matches('`').count() % 2 == 1 {
        faults.push("has a backtick without its fellow");
    }
    if text.contains("``") || text.contains("  ") || text.contains('\n') || text != text.trim() {
        faults.push("has white space or backticks too much");
    }
    let identifier = |word: &str| word.starts_with('/') && word.len() > 1 || word.contains('_') || word.contains("::");
    if part != Part::Note && outside.split_whitespace().any(identifier) {
        faults.push("has an identifier without backticks");
    }
    let lower = outside.to_lowercase();
    if NEVER.iter().any(|never| lower.split(|c: char| !c.is_alphabetic()).any(|word| word == *never)) {
        faults.push("has a word that helps nobody");
    }
    faults
}

#[test]
fn every_blessed_report_keeps_to_the_manner() {
    let (mut texts, mut wrong, mut codes) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
    for file in walkdir::WalkDir::new("fixtures/errors").sort_by_file_name() {
        let file = file.expect("the fixtures can be read");
        if file.file_name() != "report.json" {
            continue;
        }
        let text = fs::read_to_string(file.path()).expect("readable");
        let report: Json = serde_json::from_str(&text).expect("JSON");
        for finding in report["findings"].as_array().expect("findings") {
            let mut add = |part: Part, value: &Json| {
                let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return };
                if texts.insert(text.to_owned()) {
                    for fault in faults(part, text) {
                        wrong.push(format!("{} {fault}: {text}", finding["code"]));
                    }
                }
            };
            let asks = finding["level"] == "question";
            add(if asks { Part::Question } else { Part::Message }, &finding["message"]);
            add(Part::Help, &finding["help"]);
            add(Part::Label, &finding["primary"]["label"]);
            for label in finding["secondary"].as_array().expect("a list") {
                add(Part::Label, &label["label"]);
            }
            for note in finding["notes"].as_array().expect("a list") {
                add(Part::Note, note);
            }
            if finding["level"] == "error" && finding["primary"].is_null() {
                wrong.push(format!("{} has no place: {}", finding["code"], finding["message"]));
            }
            codes.insert(finding["code"].to_string());
        }
    }
    assert!(codes.len() > 30 && texts.len() > 100, "only {} codes and {} texts", codes.len(), texts.len());
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {} texts:\n{}", wrong.len(), texts.len(), wrong.join("\n"));
}

#[test]
fn the_judge_can_say_no() {
    for (part, text) in [
        (Part::Message, "Unknown key `x`"),
        (Part::Message, "unknown key `x`."),
        (Part::Message, "unknown key `x"),
        (Part::Message, "is this a key?"),
        (Part::Question, "which key"),
        (Part::Help, "please remove it"),
        (Part::Label, "here!"),
        (Part::Help, "set pod_cidr"),
        (Part::Help, "mount /srv/data"),
    ] {
        assert!(!faults(part, text).is_empty(), "`{text}` is accepted");
    }
    for text in ["NFS server `n` has 1 Gb/s", "`x` is no name", "PostgreSQL 9 is too old", "a tab"] {
        assert!(faults(Part::Message, text).is_empty(), "`{text}`: {:?}", faults(Part::Message, text));
    }
}
