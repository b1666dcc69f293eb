//! From the text of a spec to the resolved site: schema, validation, decoding, resolving.

mod hostile;
mod resolve;
mod schema;
mod specs;
mod validate;

use sitec::diag::Findings;
use sitec::resolve::PackDefault;
use sitec::schema::Schema;
use sitec::site::Site;
use sitec::source::{Role, Sources};
use sitec::value::{Tracked, Value};

/// What the passes make of a spec's text.
struct Run {
    sources: Sources,
    findings: Findings,
    site: Site,
}

/// Runs the passes over a spec without packs.
fn run(text: &str) -> Run {
    run_with(text, &[], &[])
}

fn run_with(text: &str, packs: &[(&str, serde_json::Value)], defaults: &[PackDefault]) -> Run {
    let mut sources = Sources::default();
    let mut findings = Findings::default();
    let file = sources.add("site.yaml", text, Role::Spec);
    let node = sitec::parse::parse(&mut sources, file, &mut findings).expect("the text parses");
    let packs: Vec<_> = packs.iter().map(|(instance, settings)| ((*instance).into(), settings)).collect();
    let schema = Schema::new(&packs);
    let validated = sitec::validate::validate(&node, &schema, &sources, &mut findings);
    let meant = validated.meant.as_ref().unwrap_or(&node);
    let spec = sitec::decode::decode(meant, &schema, &validated.poisoned, 0, &mut findings);
    let site = sitec::resolve::resolve(spec.clone(), &schema, defaults, &sources, 0, &mut findings);
    findings.sort();
    Run { sources, findings, site }
}

/// Runs the passes over a spec whose head is left to this function.
fn body(text: &str) -> Run {
    run(&format!("sitec: 1\nsite: {{ name: test }}\n{text}"))
}

impl Run {
    /// Each finding as `code text-of-its-place: message`.
    fn reports(&self) -> Vec<String> {
        let report = |d: &sitec::diag::Diag| {
            let place = d.primary.as_ref().map_or("-", |label| self.sources.text(label.span));
            format!("{} {place}: {}", d.code, d.message)
        };
        self.findings.iter().map(report).collect()
    }

    fn help(&self) -> &str {
        self.findings.iter().find_map(|d| d.help.as_deref()).unwrap_or("")
    }

    fn replacement(&self) -> &str {
        self.findings.iter().find_map(|d| d.replacements.first()).map_or("", |r| r.text.as_str())
    }

    fn clean(self) -> Self {
        assert!(self.findings.is_empty(), "{:#?}", self.reports());
        self
    }

    /// The value at a pointer as short text; `-` where there is none.
    fn show(&self, pointer: &str) -> String {
        self.site.at(pointer).map_or("-".into(), show)
    }
}

/// A value as short text.
fn show(value: &Tracked) -> String {
    match &value.value {
        Value::Null => "null".into(),
        Value::Poison => "poison".into(),
        Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key}: {}", show(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Ref(r) => format!("{}/{}", r.table, r.name),
        other => other.text().map_or(other.kind().into(), |text| text.to_string()),
    }
}

/// The wrong example of each page gives the page's finding, the right one none.
#[test]
fn pages_tell_the_truth() {
    for row in sitec::diag::codes::TABLE.iter().filter(|r| r.code.starts_with("S02") || r.code.starts_with("S03")) {
        let example = |title: &str| {
            let text = row.page.split(title).nth(1).unwrap_or("").split("\n## ").next().unwrap_or("");
            let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("    ")).collect();
            lines.join("\n") + "\n"
        };
        let (wrong, right) = (example("## Wrong\n"), example("## Right\n"));
        if row.code == "S0307" || wrong.trim().is_empty() {
            continue;
        }
        let findings = |text: &str| {
            let whole = text.contains("sitec:");
            let mut reports = if whole { run(text).reports() } else { body(text).reports() };
            // An example may be shorter than a whole spec.
            reports.retain(|r| !r.starts_with("S0204") || row.code == "S0204");
            reports
        };
        assert!(findings(&wrong).iter().any(|r| r.starts_with(row.code)), "{}: {:?}", row.code, findings(&wrong));
        assert!(findings(&right).is_empty(), "{}: {:?}", row.code, findings(&right));
    }
}
