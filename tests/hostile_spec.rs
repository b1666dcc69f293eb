//! A hostile text in any field of a spec is refused at its place, or is written so that it stays one value there.
//!
//! Each leaf of a fixture is replaced by hostile texts, one at a time, and the site is compiled. The read-back proof must
//! have nothing to say, the templates nothing but a refusal of the value, and every YAML artifact keeps its keys.

use std::collections::BTreeMap;

use sitec::compile::{Compilation, Depth, Inputs, compile};

const HOSTILE: &[&str] = &[
    "a\nb: c",
    "'; id; '",
    "\"; id; \"",
    "a;}\nserver{",
    "$(id)`id`${HOME}",
    "a b) *(rw",
    "yes",
    "1.10",
    "a: b #c",
    "*&!|>%@`",
    "--help",
    "=cmd|'/c calc'!A1",
    "a,b\",c",
    "</td><script>a</script>|`x`[y](javascript:z)",
    "a\u{202e}b\u{2028}c\u{1b}[31m",
    "{{ a }}<{ b }><% c %>",
    "",
    " a ",
    "\\",
    "EOF",
    "```\nid\n```",
    "a\u{0}b",
];

#[test]
fn hostile_texts_stay_in_their_places() {
    let fixture = format!("{}/fixtures/pseven-production/site.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&fixture).expect("the fixture is there");
    let plain = compiled(&text);
    let skeletons = skeletons(&plain);
    let known = faults(&plain);
    let mut leaves = Vec::new();
    let spec = plain.spec.as_ref().expect("the fixture parses");
    spec.walk(&mut String::new(), &mut |pointer, node| {
        if node.scalar_text().is_some() {
            leaves.push((pointer.to_string(), node.span.start as usize..node.span.end as usize));
        }
    });
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let (leaves, skeletons, known, text) = (&leaves, &skeletons, &known, &text);
    let (mut written, mut faults) = (0, Vec::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || work(leaves, first, threads, text, skeletons, known)))
            .collect();
        for worker in workers {
            let (count, found) = worker.join().expect("no hostile text makes the compiler panic");
            written += count;
            faults.extend(found);
        }
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(written > 3, "only {written} hostile texts were written at all");
}

/// Leaves that an ordinary run tries, one text each; `SITEC_HOSTILE=<n>` tries n texts at every leaf.
const LEAVES: usize = 150;

/// Every `step`th leaf with a few of the texts each, in turn, so that all leaves and all texts have their share.
fn work(
    leaves: &[(String, std::ops::Range<usize>)],
    first: usize,
    step: usize,
    text: &str,
    skeletons: &BTreeMap<String, Vec<String>>,
    known: &[String],
) -> (usize, Vec<String>) {
    let each: Option<usize> = std::env::var("SITEC_HOSTILE").ok().and_then(|n| n.parse().ok());
    let every = if each.is_some() { 1 } else { leaves.len() / LEAVES + 1 };
    let each = each.unwrap_or(1);
    let (mut written, mut found) = (0, Vec::new());
    for (number, (pointer, range)) in leaves.iter().enumerate().step_by(every).skip(first).step_by(step) {
        for turn in 0..each.min(HOSTILE.len()) {
            let hostile = HOSTILE[(number * each + turn) % HOSTILE.len()];
            let mut changed = text.to_string();
            changed.replace_range(range.clone(), &serde_json::to_string(hostile).expect("a text is JSON"));
            let compilation = compiled(&changed);
            let unnumbered = |f: &str| f.replace(|c: char| c.is_ascii_digit(), "");
            // What the fixture has already is another test's business; only the line may have moved.
            let is_known = |f: &String| known.iter().any(|k| unnumbered(k) == unnumbered(f));
            let new: Vec<_> = faults(&compilation).into_iter().filter(|f| !is_known(f)).collect();
            found.extend(new.iter().map(|fault| format!("{pointer} = {hostile:?}: {fault}")));
            if compilation.tree.is_some() {
                written += 1;
                for (file, keys) in self::skeletons(&compilation) {
                    if let Some(expected) = skeletons.get(&file) {
                        let strange = keys.iter().find(|k| !expected.contains(k) && leads_out(k, hostile));
                        found.extend(strange.map(|k| format!("{pointer} = {hostile:?}: {file} has the key {k:?}")));
                    }
                }
            }
        }
    }
    (written, found)
}

/// Whether a key that the fixture does not have is only a part of the hostile text; the whole text may well be a key.
fn leads_out(key: &str, hostile: &str) -> bool {
    // A dotted name of a chart's key is a path of keys.
    let path: Vec<&str> = hostile.split('.').collect();
    !key.contains(hostile) && !key.is_empty() && hostile.contains(key) && !path.contains(&key)
}

fn compiled(text: &str) -> Compilation {
    let read = |_: &str| Ok(text.as_bytes().to_vec());
    compile(&Inputs { entry: "site.yaml".into(), read: &read, packs: &[], depth: Depth::Build, threads: 1 })
}

/// Findings that no spec may cause: those of the read-back, and of templates but for a value that cannot be written.
fn faults(compilation: &Compilation) -> Vec<String> {
    let bug = |code: &str| (code.starts_with("S07") && code != "S0730" && code != "S0710") || code.starts_with("S08");
    compilation.findings.iter().filter(|d| bug(&d.code)).map(|d| format!("{}: {}", d.code, d.message)).collect()
}

/// The keys of every YAML artifact.
fn skeletons(compilation: &Compilation) -> BTreeMap<String, Vec<String>> {
    use serde::Deserialize;
    let mut skeletons = BTreeMap::new();
    for (path, artifact) in compilation.tree.iter().flat_map(|t| &t.files) {
        if &*artifact.format == "yaml" {
            let mut keys = Vec::new();
            let text = String::from_utf8_lossy(&artifact.bytes);
            for document in serde_yaml::Deserializer::from_str(&text) {
                match serde_yaml::Value::deserialize(document) {
                    Ok(value) => collect(&value, &mut keys),
                    Err(e) => keys.push(format!("unreadable: {e}")),
                }
            }
            skeletons.insert(path.clone(), keys);
        }
    }
    skeletons
}

fn collect(value: &serde_yaml::Value, keys: &mut Vec<String>) {
    match value {
        serde_yaml::Value::Mapping(map) => {
            for (key, value) in map {
                keys.push(key.as_str().map_or_else(|| format!("{key:?}"), str::to_string));
                collect(value, keys);
            }
        }
        serde_yaml::Value::Sequence(items) => items.iter().for_each(|item| collect(item, keys)),
        _ => {}
    }
}
