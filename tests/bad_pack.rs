//! Bad packs: whatever stands in a `pack.toml`, loading it and using it for a sound site gives a report, never a panic.

use sitec::compile::{Depth, Inputs, PackFiles, compile};
use sitec::diag::human;

const SITE: &str = "\
sitec: 1
site: { name: tested, domain: tested.example }
networks: { servers: { cidrs: [10.30.8.0/24], role: servers } }
hosts:
  w[1-2]: { addresses: [\"10.30.8.[21-22]\"], os: ubuntu-22.04, cpu: 4, memory: 8 GiB, disk: 100 GiB }
  nfs1: { addresses: [10.30.8.31], os: ubuntu-22.04 }
clusters: { main: { kind: kubernetes, version: 1.28.4, control_plane: [w1], workers: [w2] } }
storage: { data: { server: nfs1, path: /srv/data } }
products: { tested: { cluster: main, namespace: tested } }
";

const BASE: &str = "[pack]\nname = \"base\"\ntitle = \"base\"\n";

const TEMPLATE: &str = "<% for h in site.hosts %>\n# <{ h }>\n<% endfor %>\n<{ site.name }>\n";

fn run(manifest: &str, template: &str) -> usize {
    let pack = |name: &str, manifest: &str, template: Option<&str>| PackFiles {
        name: name.into(),
        dir: name.into(),
        files: [Some(("pack.toml", manifest)), template.map(|t| ("a.j2", t))]
            .into_iter()
            .flatten()
            .map(|(path, text)| (path.into(), text.into()))
            .collect(),
    };
    let packs = [pack("base", BASE, None), pack("tested", manifest, Some(template))];
    let read = |path: &str| if path == "site.yaml" { Ok(SITE.into()) } else { Err("no such file".to_owned()) };
    let inputs = Inputs { entry: "site.yaml".to_owned(), read: &read, packs: &packs, depth: Depth::Build, threads: 1 };
    let compiled = compile(&inputs);
    assert!(compiled.tree.is_some() || compiled.findings.has_errors(), "no tree, and no error says why");
    human::render(&compiled.findings, &compiled.sources, human::Options::default()).len()
}

/// A generator of pseudo-random numbers (xorshift), the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// The beginning of a sound manifest, and every table of the embedded packs as a text of its own.
fn tables() -> Vec<String> {
    let mut tables = Vec::new();
    for path in walkdir::WalkDir::new("templates").sort_by_file_name() {
        let path = path.expect("the packs can be read");
        if path.file_name() == "pack.toml" {
            let text = std::fs::read_to_string(path.path()).expect("a pack is text");
            let parts = text.split("\n[").skip(1).map(|t| format!("[{t}\n"));
            tables.extend(parts.filter(|t| t.len() < 2000 && !t.starts_with("[pack")));
        }
    }
    tables
}

const HEAD: &str =
    "[pack]\nname = \"tested\"\ntitle = \"t\"\n[pack.document]\nid = \"d\"\ntitle = \"d\"\n[cites]\na = \"A\"\n";

const PIECES: &[&str] = &[
    "'",
    "\"",
    "\n",
    "[",
    "]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "|",
    " and ",
    " is answered",
    "site.hosts",
    "bind.cluster",
    "values.a",
    "settings.x",
    "{{ ",
    " }}",
    "<{ ",
    " }>",
    "<% for x in site.hosts %>",
    "<% endfor %>",
    "<% if x %>",
    "qty('16 GB')",
    "ver('1.28')",
    "none",
    "true",
    "0",
    "-1",
    "99999999999999999999",
    "é",
    "\\u0000",
    "..",
    "/",
    "*",
    "(",
    ")",
    "not ",
    "[[exports]]\n",
    "[[steps]]\n",
    "[values.a]\nis = 'values.a'\n",
    "for_each = { h = 'site.hosts' }\n",
    "when = 'site.hosts'\n",
    "addition = \"x\"\n",
    "cite = \"a\"\n",
    "x ~ y",
    "|groupby('item.host')",
    "|first",
    "[0]",
    "[-1]",
];

fn mutate(random: &mut Random, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(12)).min(bytes.len());
        match random.below(4) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let piece = random.pick(PIECES).as_bytes();
                bytes.splice(at..at, piece.iter().copied());
            }
            2 => {
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            _ => {
                let byte = random.next() as u8 & 0x7F;
                if let Some(b) = bytes.get_mut(at) {
                    *b = byte;
                }
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn mutated_manifests_and_templates() {
    let tables = tables();
    assert!(tables.len() > 100);
    let mut random = Random(0xFACE);
    for _ in 0..600 {
        let mut manifest = HEAD.to_owned();
        for _ in 0..1 + random.below(4) {
            let table = random.pick(&tables).clone();
            manifest.push_str(&mutate(&mut random, &table));
        }
        let template = mutate(&mut random, TEMPLATE);
        run(&manifest, &template);
    }
}

#[test]
fn manifests_that_are_none() {
    let nested = format!("[values.a]\nis = '{}1{}'\naddition = \"x\"\n", "(".repeat(5000), ")".repeat(5000));
    let long = format!("[values.a]\nis = '{}1'\naddition = \"x\"\n", "1 + ".repeat(20_000));
    let many = format!("[values.a]\nis = '[{}1]'\naddition = \"x\"\n", "[1],".repeat(20_000));
    let list = format!("a = {}", "[".repeat(10_000));
    for text in ["", "x", "[pack]", "[pack]\nname = 1\n", "[[pack]]\n", "pack = 1", &nested, &long, &many, &list] {
        assert!(run(text, TEMPLATE) > 0);
        run(&format!("{HEAD}{text}"), TEMPLATE);
    }
}
