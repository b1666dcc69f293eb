//! The examples of every page: the wrong one gets the page's finding, the right one does not.
//!
//! An example is compiled as it stands, below a head that makes it a whole spec or a whole pack. Codes whose examples
//! are no text of a spec or pack (commands, folders) are listed with the reason.

use std::collections::BTreeMap;

use sitec::compile::{Compilation, Depth, Inputs, PackFiles, compile};
use sitec::diag::codes;

/// Codes whose examples are no specs and no packs that stand for themselves, with what they need.
const OTHERWISE: &[(&str, &str)] = &[
    ("S0000", "a command"),
    ("S0001", "bytes that are no text; see fixtures/errors"),
    ("S0005", "longer than a page; see fixtures/errors"),
    ("S0006", "a size; see tests/bad_input.rs"),
    ("S0007", "longer than a page; see fixtures/errors"),
    ("S0502", "two packs; see tests/claims.rs"),
    ("S0510", "a pack; see tests/databases.rs"),
    ("S0536", "a pack; see tests/checks.rs"),
    ("S0537", "a pack; see tests/checks.rs"),
    ("S0538", "a pack; see tests/checks.rs"),
    ("S0540", "a pack; see tests/checks.rs"),
    ("S0541", "a pack; see tests/checks.rs"),
    ("S0548", "a pack; see tests/checks.rs"),
    ("S0549", "a pack; see tests/checks.rs"),
    ("S0550", "the whole of a site; see fixtures/errors"),
    ("S0553", "what packs ask for; see fixtures/errors"),
    ("S0568", "the whole of a site; see fixtures/errors"),
    ("S0569", "a pack; see fixtures/errors"),
    ("S0554", "a pack; see tests/checks.rs"),
    ("S0555", "a pack; see tests/checks.rs"),
    ("S0556", "a pack; see tests/checks.rs"),
    ("S0560", "the whole of a site; see fixtures/errors"),
    ("S0557", "two packs; see tests/claims.rs"),
    ("S0532", "the whole of a site; see fixtures/errors"),
    ("S0539", "the whole of a site; see fixtures/errors"),
    ("S0546", "the whole of a site; see fixtures/errors"),
    ("S0552", "the whole of a site; see fixtures/errors"),
    ("S0520", "an archive beside the spec; see fixtures/errors"),
    ("S0521", "an archive beside the spec; see fixtures/errors"),
    ("S0522", "an archive beside the spec; see fixtures/errors"),
    ("S0523", "an archive beside the spec; see fixtures/errors"),
    ("S0580", "a pack; see tests/outside_pack.rs"),
    ("S0581", "a pack; see tests/outside_pack.rs"),
    ("S0582", "a pack; see tests/outside_pack.rs"),
    ("S0583", "a pack; see tests/outside_pack.rs"),
    ("S0584", "a pack; see tests/outside_pack.rs"),
    ("S0610", "a folder; see the tests of src/pack/load.rs"),
    ("S0611", "a value that depends on the site"),
    ("S0631", "a value that depends on the site"),
    ("S0632", "longer than a page"),
    ("S0704", "two templates"),
    ("S0708", "longer than a page"),
    ("S0710", "a value that depends on the site; see the tests of src/emit"),
    ("S0711", "a value that depends on the site; see the tests of src/emit"),
    ("S0712", "a value that depends on the site; see the tests of src/emit"),
    ("S0730", "a format that cannot hold a value; see tests/hostile_spec.rs"),
    ("S0801", "a bug of the compiler; see tests/prove.rs"),
    ("S0802", "a bug of the compiler; see tests/prove.rs"),
    ("S0803", "a step of a pack and the tree; see tests/prove.rs"),
    ("S0901", "a session; see tests/write.rs"),
    ("S0902", "a session; see tests/write.rs"),
    ("S0903", "a session; see tests/write.rs"),
    ("S0904", "a path of an artifact; see tests/write.rs"),
    ("S0905", "a file of the output; see tests/write.rs"),
    ("S0906", "two builds; see tests/write.rs"),
    ("S0907", "a session; see tests/write.rs"),
    ("S0908", "a session; see tests/write.rs"),
    ("S0909", "a session; see tests/write.rs"),
];

/// What an example of a few lines may speak of.
const FRAME: &str = r#"
networks:
  servers: { cidrs: [10.30.8.0/24], role: servers }
  users: { cidrs: [10.20.0.0/16], role: users }
  admin: { cidrs: [10.21.250.0/28], role: management }
hosts:
  w[1-2]: { addresses: ["10.30.8.[21-22]"], os: debian-12, cpu: 4, memory: 8 GiB }
  cp1: { addresses: [10.30.8.11], os: debian-12, cpu: 4, memory: 8 GiB }
  nfs1: { addresses: [10.30.8.31], os: debian-12 }
  proxy1: { addresses: [10.30.8.5], os: debian-12 }
  pg1: { addresses: [10.30.8.41], os: debian-12 }
clusters: { main: { kind: kubernetes, version: 1.28.4, control_plane: [cp1], workers: ["w*"] } }
storage: { data: { server: nfs1, path: /srv/data } }
"#;

/// A whole site with a product and without findings, for what only the whole of a site shows.
const GUESTBOOK: &str = include_str!("../fixtures/errors/guestbook.yaml");

/// The fenced or indented blocks of a part of a page: language and text.
fn blocks(page: &str, part: &str) -> Vec<(String, String)> {
    let text = page.split(&format!("\n## {part}\n")).nth(1).unwrap_or("").split("\n## ").next().unwrap_or("");
    let (mut blocks, mut fence): (Vec<(String, String)>, bool) = (Vec::new(), false);
    let mut indented = false;
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            if !fence {
                blocks.push((language.to_owned(), String::new()));
            }
            fence = !fence;
        } else if fence {
            if let Some((_, text)) = blocks.last_mut() {
                text.push_str(&format!("{line}\n"));
            }
        } else if let Some(code) = line.strip_prefix("    ") {
            if !indented {
                blocks.push(("yaml".to_owned(), String::new()));
            }
            indented = true;
            if let Some((_, text)) = blocks.last_mut() {
                text.push_str(&format!("{code}\n"));
            }
        } else if !line.is_empty() {
            indented = false;
        }
    }
    blocks
}

fn compiled(files: &BTreeMap<&str, String>, packs: &[PackFiles]) -> Compilation {
    let entry = files.keys().find(|name| name.starts_with("page.")).expect("an entry").to_string();
    let read = |name: &str| match files.get(name) {
        Some(text) => Ok(text.clone().into_bytes()),
        None => Err("no such file".to_owned()),
    };
    compile(&Inputs { entry, read: &read, packs, depth: Depth::Check, threads: 1 })
}

/// The findings of a spec as it stands, below the shortest head, and on top of the frame.
fn of_spec(language: &str, text: &str) -> Vec<Compilation> {
    let head = "sitec: 1\nsite: { name: page }\n";
    if language == "json" || language == "toml" {
        let name = if language == "json" { "page.json" } else { "page.toml" };
        return vec![compiled(&[(name, text.to_owned())].into(), &[])];
    }
    // `# lyon.yaml` on a line of its own begins a file.
    let mut files: BTreeMap<&str, String> =
        [("../base.yaml", FRAME.to_owned()), ("common.yaml", FRAME.to_owned())].into();
    let mut at = "page.yaml";
    for line in text.lines() {
        match line {
            "# common.yaml" => drop(files.insert("common.yaml", String::new()).map(|_| at = "common.yaml")),
            line => files.entry(at).or_default().push_str(&format!("{line}\n")),
        }
    }
    if text.contains("extends:") {
        for text in files.values_mut() {
            *text = text.replace("extends: lyon.yaml", "extends: page.yaml");
        }
        return vec![compiled(&files, &[])];
    }
    let whole = text.lines().any(|line| line.starts_with("sitec:"));
    let mut tries = vec![compiled(&[("page.yaml", text.to_owned())].into(), &[])];
    if !whole {
        tries.push(compiled(&[("page.yaml", format!("{head}{text}"))].into(), &[]));
        let frame = format!("{head}{FRAME}");
        let page = format!("extends: frame.yaml\n{text}");
        tries.push(compiled(&[("page.yaml", page.clone()), ("frame.yaml", frame)].into(), &[]));
        tries.push(compiled(&[("page.yaml", page), ("frame.yaml", GUESTBOOK.to_owned())].into(), &[]));
    }
    tries
}

fn has(compilation: &Compilation, code: &str) -> bool {
    compilation.findings.iter().any(|d| d.code == code)
}

#[test]
fn examples_of_specs_do_what_their_pages_say() {
    let (mut wrong, mut judged) = (Vec::new(), 0);
    for row in codes::TABLE {
        let spec = |(language, _): &(String, String)| matches!(language.as_str(), "yaml" | "json" | "toml" | "");
        let of_pack = row.code.starts_with("S06") || row.code.starts_with("S07");
        if of_pack || OTHERWISE.iter().any(|(code, _)| *code == row.code) {
            continue;
        }
        let bad = blocks(row.page, "Wrong").into_iter().find(spec);
        let good = blocks(row.page, "Right").into_iter().find(spec);
        let (Some((language, bad)), Some((good_language, good))) = (bad, good) else {
            wrong.push(format!("{}: no example", row.code));
            continue;
        };
        let tries = of_spec(&language, &bad);
        let Some(which) = tries.iter().position(|c| has(c, row.code)) else {
            let found: Vec<_> = tries.iter().map(|c| c.findings.iter().map(|d| &d.code).collect::<Vec<_>>()).collect();
            wrong.push(format!("{}: the wrong example gets {found:?}", row.code));
            continue;
        };
        let tries = of_spec(&good_language, &good);
        if tries.get(which.min(tries.len() - 1)).is_some_and(|c| has(c, row.code)) {
            wrong.push(format!("{}: the right example gets it too", row.code));
        }
        judged += 1;
    }
    assert!(wrong.is_empty(), "{judged} are right\n{}", wrong.join("\n"));
    assert!(judged > 30, "only {judged} pages");
}

/// A pack around an example: its manifest below a head, or its template as the text of an artifact.
fn of_pack(language: &str, text: &str) -> Compilation {
    let cites = "[cites]\nkernel = \"1 Kernel\"\nstorage = \"2 Storage\"\nhw = \"4 Hardware\"\nnet = \"5 Network\"\n";
    let head = format!(
        "[pack]\nname = \"page\"\ntitle = \"Page\"\nsummary = \"a page\"\n\n{cites}\n[bindings.workers]\n\
         is = \"cluster.workers\"\nask = \"which hosts?\"\nwho = \"customer\"\naddition = \"an example\"\n\n"
    );
    let artifact = "[[artifacts]]\npath = 'hosts/w1/root/etc/page.conf'\ntemplate = \"a.j2\"\nformat = \"yaml\"\n                    host = 'w1'\ntarget = '/etc/page.conf'\nplacement = \"file\"\naddition = \"an example\"\n";
    let (manifest, template) = match language {
        "toml" if text.contains("[pack]") => (text.to_owned(), None),
        "toml" => (format!("{head}{text}"), None),
        _ => (format!("{head}{artifact}"), Some(text)),
    };
    let manifest = match text.contains("[cites]") {
        true => manifest.replace(cites, ""),
        false => manifest,
    };
    let settings = r#"{ "type": "object", "additionalProperties": false, "properties": {
        "repo": { "type": "string" }, "tag": { "type": "string" }, "service_mesh": { "type": "boolean" },
        "windows": { "type": "object", "properties": { "nodes": { "type": "array", "items": { "type": "string" } } } }
    } }"#;
    let files = [
        Some(("pack.toml", manifest.as_str())),
        Some(("settings.schema.json", settings)),
        Some(template.map_or(("values.yaml.j2", "a: 1\n"), |text| ("a.j2", text))),
        (row_needs_two(text)).then_some(("quota.yaml.j2", "a: 1\n")),
    ];
    let files = files.into_iter().flatten().map(|(path, text)| (path.into(), text.into())).collect();
    let pack = PackFiles { name: "page".into(), dir: "page".into(), files };
    let spec = format!(
        "sitec: 1\nsite: {{ name: page }}\n{FRAME}products: {{ page: {{ cluster: main, namespace: page }} }}\n"
    );
    let read = |_: &str| Ok(spec.clone().into_bytes());
    compile(&Inputs { entry: "page.yaml".into(), read: &read, packs: &[pack], depth: Depth::Build, threads: 1 })
}

/// Whether an example speaks of a second template in the folder of the pack.
fn row_needs_two(text: &str) -> bool {
    text.contains("quota.yaml.j2")
}

#[test]
fn examples_of_packs_do_what_their_pages_say() {
    let (mut wrong, mut judged) = (Vec::new(), 0);
    for row in codes::TABLE.iter().filter(|row| row.code.starts_with("S06") || row.code.starts_with("S07")) {
        if OTHERWISE.iter().any(|(code, _)| *code == row.code) {
            continue;
        }
        let text = |(language, _): &(String, String)| matches!(language.as_str(), "toml" | "jinja");
        let bad = blocks(row.page, "Wrong").into_iter().find(text);
        let good = blocks(row.page, "Right").into_iter().find(text);
        let (Some((language, bad)), Some((good_language, good))) = (bad, good) else {
            wrong.push(format!("{}: no example", row.code));
            continue;
        };
        let found = of_pack(&language, &bad);
        if !has(&found, row.code) {
            let codes: Vec<_> = found.findings.iter().map(|d| format!("{} {}", d.code, d.message)).collect();
            wrong.push(format!("{} ({language}): the wrong example gets {codes:?}", row.code));
        } else if has(&of_pack(&good_language, &good), row.code) {
            wrong.push(format!("{}: the right example gets it too", row.code));
        } else {
            judged += 1;
        }
    }
    assert!(wrong.is_empty(), "{judged} are right\n{}", wrong.join("\n"));
}
