//! The test of origins that counts: every leaf of a fixture's spec is changed once, the site is compiled again, and every
//! line that differs, old or new, must name that leaf.

mod trees;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use camino::Utf8Path;
use sitec::compile::{Compilation, Depth, Inputs, compile};
use sitec::node::{Data, Node};
use sitec::schema;
use sitec::source::PlaceId;
use trees::{fixtures, root};

/// One scalar of a spec: where it is in the merged spec, and where its text stands.
#[derive(Clone)]
struct Leaf {
    pointer: String,
    file: String,
    start: usize,
    end: usize,
    text: String,
    place: PlaceId,
}

/// What became of one leaf.
#[derive(Default)]
struct Verdict {
    changed: bool,
    /// How many changes were compiled until one was sound.
    compiled: usize,
    /// Differing lines, and those of them that do not name the leaf.
    lines: usize,
    faults: Vec<String>,
}

/// One test per fixture, so that they run beside each other and can be asked for by name.
macro_rules! one_test_per_fixture {
    ($($test:ident: $fixture:literal,)*) => {
        $(
            #[test]
            fn $test() {
                assert_lines_name_their_leaves($fixture);
            }
        )*

        #[test]
        fn every_fixture_has_its_test() {
            let mut listed = [$(Utf8Path::new(concat!("fixtures/", $fixture, "/site.yaml"))),*];
            listed.sort_unstable();
            assert_eq!(fixtures(), listed);
        }
    };
}

one_test_per_fixture! {
    campus: "campus",
    demo: "demo",
    demo_airgapped: "demo-airgapped",
    firewalls: "firewalls",
    knovvu_cloud: "knovvu-cloud",
    knovvu_kubernetes: "knovvu-kubernetes",
    knovvu_openshift: "knovvu-openshift",
    nuvla_production: "nuvla-production",
    nuvla_swarm: "nuvla-swarm",
    nuvla_targets: "nuvla-targets",
    pseven_native: "pseven-native",
    pseven_production: "pseven-production",
    pseven_test: "pseven-test",
    pseven_traefik: "pseven-traefik",
    rafay_converged_multi: "rafay-converged-multi",
    rafay_converged_multi_four: "rafay-converged-multi-four",
    rafay_converged_single: "rafay-converged-single",
    rafay_dedicated_multi: "rafay-dedicated-multi",
    rafay_dedicated_single: "rafay-dedicated-single",
    vre_cern: "vre-cern",
    vre_data: "vre-data",
    vre_jupyter: "vre-jupyter",
    vre_nodeport: "vre-nodeport",
}

/// Changes every leaf of a fixture once.
fn assert_lines_name_their_leaves(fixture: &str) {
    let start = Instant::now();
    let fixture = &Utf8Path::new("fixtures").join(fixture).join("site.yaml");
    let base = run(fixture, None);
    let leaves = leaves(&base);
    let words = words();
    let verdicts: Vec<Mutex<Verdict>> = leaves.iter().map(|_| Mutex::default()).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(index) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|i| *i < leaves.len()) {
                    *verdicts[index].lock().expect("no panic") = judge(fixture, &base, &leaves[index], &words);
                }
            });
        }
    });
    let verdicts: Vec<Verdict> = verdicts.into_iter().map(|v| v.into_inner().expect("no panic")).collect();
    let changed = verdicts.iter().filter(|v| v.changed).count();
    let compiled: usize = verdicts.iter().map(|v| v.compiled).sum();
    let lines: usize = verdicts.iter().map(|v| v.lines).sum();
    let (named, all) = needless(&base, &leaves, &verdicts);
    let mut report = format!(
        "origins: {fixture}: {} leaves, {changed} of them changed to something that compiles, {lines} lines differ; \
         a line names {named} leaves on average, {all} leaves changed nothing; {compiled} compilations in {} s\n",
        leaves.len(),
        start.elapsed().as_secs(),
    );
    let faults: Vec<&String> = verdicts.iter().flat_map(|v| &v.faults).collect();
    for fault in &faults {
        let _ = writeln!(report, "  {fault}");
    }
    eprintln!("{report}");
    assert!(faults.is_empty(), "{report}");
    assert!(changed * 2 > leaves.len(), "too few leaves can be changed: {changed} of {}", leaves.len());
}

/// Compiles a fixture, with the text of one leaf replaced.
fn run(fixture: &Utf8Path, change: Option<(&Leaf, &str)>) -> Compilation {
    let read = |path: &str| {
        let bytes = fs::read(root().join(path)).map_err(|e| e.to_string())?;
        Ok(match change {
            Some((leaf, text)) if leaf.file == path => {
                [&bytes[..leaf.start], text.as_bytes(), &bytes[leaf.end..]].concat()
            }
            _ => bytes,
        })
    };
    compile(&Inputs { entry: fixture.to_string(), read: &read, packs: &[], depth: Depth::Trace, threads: 1 })
}

/// Every scalar of the merged spec.
fn leaves(base: &Compilation) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let root = base.spec.as_ref().expect("fixtures are specs");
    root.walk(&mut String::new(), &mut |pointer, node: &Node| {
        if matches!(node.data, Data::List(_) | Data::Map(_) | Data::Poison) || pointer == "/sitec" {
            return;
        }
        let text = base.sources.text(node.span);
        if text.is_empty() {
            return;
        }
        leaves.push(Leaf {
            pointer: pointer.into(),
            file: base.sources.file(node.span.file).name.to_string(),
            start: node.span.start as usize,
            end: node.span.end as usize,
            text: text.into(),
            place: node.place,
        });
    });
    leaves
}

/// The words of every enumeration of the schema, and the names of every table: what a word may be changed to.
fn words() -> BTreeMap<String, Vec<String>> {
    fn walk(value: &serde_json::Value, key: &str, found: &mut BTreeMap<String, Vec<String>>) {
        if let Some(words) = value.get("enum").and_then(|e| e.as_array()) {
            let words = words.iter().filter_map(|w| w.as_str()).map(str::to_string);
            found.entry(key.into()).or_default().extend(words);
        }
        match value {
            serde_json::Value::Object(map) => map.iter().for_each(|(k, v)| {
                let name = if matches!(k.as_str(), "items" | "properties" | "oneOf" | "anyOf") { key } else { k };
                walk(v, name, found);
            }),
            serde_json::Value::Array(items) => items.iter().for_each(|v| walk(v, key, found)),
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    walk(&serde_json::from_str(schema::TEXT).expect("the schema is JSON"), "", &mut found);
    found
}

/// Texts that may stand in a leaf's place, the likeliest to compile first.
fn candidates(leaf: &Leaf, base: &Compilation, words: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let bare = leaf.text.trim_matches(['"', '\'']);
    let quoted = |text: String| if leaf.text.starts_with(['"', '\'']) { format!("\"{text}\"") } else { text };
    let mut list = Vec::new();
    match bare {
        "true" => list.push("false".into()),
        "false" => list.push("true".into()),
        "null" | "~" => {}
        _ => {}
    }
    // Numbers in it: the last one, the first one; up, then down.
    let digits: Vec<(usize, usize)> = runs(bare);
    for (start, end) in digits.iter().rev().take(1).chain(digits.iter().take(1)) {
        if let Ok(n) = bare[*start..*end].parse::<u64>() {
            for n in [n + 1, n + 40, n.saturating_sub(1)] {
                let width = end - start;
                list.push(quoted(format!("{}{n:0width$}{}", &bare[..*start], &bare[*end..])));
            }
        }
    }
    // A range keeps its length.
    if let (Some(open), Some(close)) = (bare.rfind('['), bare.rfind(']'))
        && let Some((low, high)) = bare[open + 1..close].split_once('-')
        && let (Ok(low), Ok(high)) = (low.parse::<u64>(), high.parse::<u64>())
    {
        list.insert(0, quoted(format!("{}[{}-{}]{}", &bare[..open], low + 100, high + 100, &bare[close + 1..])));
    }
    let key = leaf.pointer.rsplit('/').find(|s| s.parse::<usize>().is_err()).unwrap_or_default();
    list.extend(words.get(key).into_iter().flatten().filter(|w| *w != bare).cloned());
    // Another name of a table that has this one.
    for entry in base.spec.as_ref().map(Node::entries).unwrap_or_default() {
        if entry.value.get(bare).is_some() {
            list.extend(entry.value.entries().iter().filter(|e| &*e.key != bare).map(|e| quoted(e.key.to_string())));
        }
    }
    list.push(quoted(format!("{bare}x")));
    list.push(quoted(format!("x{bare}")));
    if let Some((before, after)) = bare.rsplit_once('.') {
        list.push(quoted(format!("{before}x.{after}")));
    }
    list.push("null".into());
    list.retain(|c| *c != leaf.text);
    list.truncate(12);
    list
}

/// The runs of digits in a text.
fn runs(text: &str) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut start = None;
    for (i, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_ascii_digit(), start) {
            (true, None) => start = Some(i),
            (false, Some(s)) => {
                runs.push((s, i));
                start = None;
            }
            _ => {}
        }
    }
    runs
}

fn judge(fixture: &Utf8Path, base: &Compilation, leaf: &Leaf, words: &BTreeMap<String, Vec<String>>) -> Verdict {
    let mut verdict = Verdict::default();
    for candidate in candidates(leaf, base, words) {
        let changed = run(fixture, Some((leaf, &candidate)));
        verdict.compiled += 1;
        if changed.tree.is_none() || changed.findings.has_errors() {
            continue;
        }
        let place = changed.spec.as_ref().and_then(|s| s.pointer(&leaf.pointer)).map(|n| n.place);
        let Some(place) = place else { continue };
        let describe = format!("{} `{}` → `{candidate}`", leaf.pointer, leaf.text);
        verdict.changed = true;
        compare(base, &changed, leaf.place, "old", &describe, &mut verdict);
        compare(&changed, base, place, "new", &describe, &mut verdict);
        break;
    }
    verdict
}

/// Every line of `tree` that `other` does not have must name the place.
fn compare(tree: &Compilation, other: &Compilation, place: PlaceId, which: &str, change: &str, verdict: &mut Verdict) {
    let (Some(files), Some(trace)) = (&tree.tree, &tree.trace) else { return };
    let empty = Vec::new();
    for (path, artifact) in &files.files {
        let text = String::from_utf8_lossy(&artifact.bytes);
        let there = other.tree.as_ref().and_then(|t| t.files.get(path)).map(|a| &a.bytes).unwrap_or(&empty);
        if *there == artifact.bytes {
            continue;
        }
        let there = String::from_utf8_lossy(there);
        let mut fewer: BTreeMap<&str, usize> = BTreeMap::new();
        there.lines().for_each(|l| *fewer.entry(l).or_default() += 1);
        // Of several equal lines any may be the new one, so as many as are new must name the place.
        let mut equal: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let origins = trace.get(path).and_then(|lines| lines.get(number));
            let names = origins.is_some_and(|o| o.as_slice().contains(&place));
            let (first, all, named) = equal.entry(line).or_insert((number + 1, 0, 0));
            if !names && *named == *all {
                *first = number + 1;
            }
            *all += 1;
            *named += usize::from(names);
        }
        for (line, (number, all, named)) in equal {
            let new = all.saturating_sub(fewer.get(line).copied().unwrap_or_default());
            if new == 0 || line.trim().is_empty() {
                continue;
            }
            verdict.lines += new;
            if named < new && verdict.faults.len() < 4 {
                verdict.faults.push(format!("{change}: {which} {path}:{number} does not name it: {}", clip(line)));
            }
        }
    }
}

fn clip(line: &str) -> String {
    line.chars().take(110).collect()
}

/// How many leaves a line names on average, and how many leaves change nothing.
fn needless(base: &Compilation, leaves: &[Leaf], verdicts: &[Verdict]) -> (usize, usize) {
    let places: BTreeSet<PlaceId> = leaves.iter().map(|l| l.place).collect();
    let lines: Vec<usize> = base
        .trace
        .iter()
        .flat_map(|t| t.values())
        .flatten()
        .map(|o| o.as_slice().iter().filter(|p| places.contains(p)).count())
        .collect();
    let named = lines.iter().sum::<usize>() / lines.len().max(1);
    (named, verdicts.iter().filter(|v| v.changed && v.lines == 0).count())
}
