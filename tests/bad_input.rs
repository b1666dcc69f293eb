//! Bad input: whatever bytes are given as a spec, there is a report with place, reason and way out, soon, and no panic.

use std::time::{Duration, Instant};

use sitec::compile::{Compilation, Depth, Inputs, compile};
use sitec::diag::{Level, explain, human, json, short};

/// Runs all passes on bytes as a spec.
fn compile_bytes(name: &str, bytes: &[u8]) -> Compilation {
    let read = |path: &str| match path {
        "self.yaml" => Ok(b"extends: self.yaml\n".to_vec()),
        "base.yaml" => Ok(b"hosts: { nfs1: { cpu: 4 } }\nlist: [1, 2]\n".to_vec()),
        path if path == name => Ok(bytes.to_vec()),
        _ => Err("no such file".to_owned()),
    };
    compile(&Inputs { entry: name.to_owned(), read: &read, packs: &[], depth: Depth::Build, threads: 1 })
}

/// Compiles and checks what holds for every input. The codes of the findings come back, in order.
fn judge(name: &str, bytes: &[u8]) -> Vec<String> {
    let Compilation { sources, findings, spec: node, tree, .. } = compile_bytes(name, bytes);
    assert!(tree.is_some() || findings.has_errors(), "no tree, and no error says why");
    for diag in findings.iter() {
        for label in diag.primary.iter().chain(&diag.secondary) {
            let text = &sources.file(label.span.file).text;
            let range = label.span.start as usize..label.span.end as usize;
            assert!(text.get(range.clone()).is_some(), "{} has a place outside of the text: {range:?}", diag.code);
        }
        assert!(diag.level != Level::Error || diag.primary.is_some(), "{} has no place: {}", diag.code, diag.message);
        let of_syntax = diag.code.starts_with("S00") || diag.code.starts_with("S01");
        assert!(!of_syntax || diag.help.is_some(), "{} has no way out: {}", diag.code, diag.message);
        assert!(diag.code.contains('/') || explain(&diag.code).is_some(), "{} has no page", diag.code);
        assert!(!diag.message.ends_with('.') && !diag.message.is_empty());
    }
    if let Some(node) = node {
        node.walk(&mut String::new(), &mut |pointer, n| {
            let text = &sources.file(n.span.file).text;
            assert!(text.get(n.span.start as usize..n.span.end as usize).is_some(), "{pointer} has no sound span");
            for entry in n.entries() {
                let key = entry.key_span;
                let text = &sources.file(key.file).text;
                assert!(text.get(key.start as usize..key.end as usize).is_some(), "{pointer} has no sound key");
            }
        });
    }
    let shown = human::render(&findings, &sources, human::Options::default());
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "control characters in {shown:?}");
    assert_eq!(short::render(&findings, &sources).lines().count(), findings.len());
    assert!(serde_json::from_str::<serde_json::Value>(&json::render(&findings, &sources)).is_ok());
    findings.iter().map(|d| d.code.to_string()).collect()
}

/// What a named bad input gets, and that it gets it soon (generous for a busy machine and an unoptimised build).
fn expect(name: &str, bytes: &[u8], code: &str) {
    let start = Instant::now();
    let codes = judge(name, bytes);
    let took = start.elapsed();
    assert!(codes.iter().any(|c| c == code), "{name} gets no {code}: {codes:?}");
    assert!(took < Duration::from_secs(5), "{code} took {took:?}");
    println!("{code} {:>9} bytes {:>8.1} ms", bytes.len(), took.as_secs_f64() * 1e3);
}

#[test]
fn what_is_no_text() {
    expect("s.yaml", b"", "S0003");
    expect("s.yaml", b"\xef\xbb\xbf\n# nothing\n", "S0003");
    expect("s.toml", b"# nothing\n", "S0003");
    expect("s.json", b" \n", "S0003");
    expect("s.yaml", b"site: \xff\xfe\n", "S0001");
    expect("s.yaml", b"\xff\xfes\0i\0t\0e\0", "S0001");
    expect("s.yaml", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0", "S0001");
    let noise: Vec<u8> = Random(7).bytes(1 << 20);
    expect("s.yaml", &noise, "S0001");
}

#[test]
fn what_is_no_spec() {
    expect("s.yaml", b"hosts:\n\tnfs1: {}\n", "S0002");
    expect("s.yaml", b"a: 1\na: 2\n", "S0004");
    expect("s.toml", b"a = 1\na = 2\n", "S0004");
    expect("s.json", b"{\"a\": 1, \"a\": 2}", "S0004");
    expect("s.yaml", b"extends: nowhere.yaml\n", "S0101");
    expect("s.yaml", b"extends: s.yaml\n", "S0102");
    expect("s.yaml", b"extends: self.yaml\n", "S0102");
}

#[test]
fn what_would_exhaust_the_machine() {
    for (name, unit) in [
        ("s.yaml", "["),
        ("s.yaml", "{a: "),
        ("s.yaml", "- "),
        ("s.yaml", "? "),
        ("s.json", "["),
        ("s.json", "{\"a\":"),
    ] {
        expect(name, unit.repeat(10_000).as_bytes(), "S0005");
    }
    let mut indented = String::new();
    for i in 0..2_000 {
        indented.push_str(&format!("{}a:\n", " ".repeat(i)));
    }
    expect("s.yaml", indented.as_bytes(), "S0005");
    expect("s.toml", format!("a = {}1", "[".repeat(10_000)).as_bytes(), "S0005");
    expect("s.toml", format!("{}a = 1", "a.".repeat(10_000)).as_bytes(), "S0005");
    expect("s.toml", format!("[{}a]\nb = 1", "a.".repeat(10_000)).as_bytes(), "S0005");
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..30 {
        bomb.push_str(&format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", ")));
    }
    expect("s.yaml", bomb.as_bytes(), "S0007");
    expect("s.yaml", &vec![b'a'; 50 << 20], "S0006");
    expect("s.json", format!("[{}1]", "1,".repeat(1_100_000)).as_bytes(), "S0006");
    expect("s.toml", format!("a = [{}1]", "1,".repeat(1_100_000)).as_bytes(), "S0006");
    // Near the limit of size: long keys, long lines, many anchors, many duplicates of one key.
    expect("s.yaml", format!("a: \"{}", "x".repeat(4 << 20)).as_bytes(), "S0002");
    expect("s.json", format!("[{}", "1,".repeat(100_000)).as_bytes(), "S0002");
    expect("s.yaml", "a: 1\n".repeat(20_000).as_bytes(), "S0004");
    expect("s.yaml", "- no\n".repeat(100_000).as_bytes(), "S0009");
    expect("s.toml", "a = 1\n".repeat(2_000).as_bytes(), "S0004");
    expect("s.toml", format!("a = [{}", "x ".repeat(100_000)).as_bytes(), "S0002");
    expect("s.toml", "a = x\n".repeat(20_000).as_bytes(), "S0002");
    let anchors: String = (0..2_000).map(|i| format!("- &a{i} [*a{}]\n", i.max(1) - 1)).collect();
    assert!(!judge("s.yaml", anchors.as_bytes()).is_empty());
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

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

const NAMES: [&str; 3] = ["s.yaml", "s.toml", "s.json"];

/// Pieces that mean something to one of the syntaxes.
const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    "\r",
    " ",
    "  ",
    "\t",
    ":",
    ": ",
    "- ",
    "-",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\\",
    "\\u",
    "\\x",
    "#",
    " # ",
    "&a ",
    "*a",
    "*",
    "<<: ",
    "!!str ",
    "!",
    "|",
    ">",
    "|+2\n",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "~",
    "null",
    "no",
    "0644",
    "1_000",
    "12:30",
    ".nan",
    "1e999",
    "a",
    "w[01-05]",
    "10.30.8.[11-13]",
    "extends: base.yaml\n",
    "extends: self.yaml\n",
    "[a.b]\n",
    "[[a]]\n",
    "a = 1\n",
    "a.b = ",
    "1979-05-27",
    "\"a\": ",
    "é",
    "\u{feff}",
    "\u{202e}",
    "\u{1b}[31m",
    "\u{85}",
    "\u{2028}",
    "😀",
    "\u{7f}",
    "\u{0}",
    "@",
    "`",
    "%",
];

const SEEDS: &[&str] = &[
    "sitec: 1\nhosts:\n  w[01-05]: { addresses: [\"10.30.8.[21-25]\"], cpu: 8 }\n  nfs1:\n    fs:\n    - a\n    - b: 1\n",
    "text: |\n  one\n  two\nfolded: >-\n  a\n  b\nq: \"x\\ty\"\ns: 'it''s'\nm: &a { k: v }\nn: *a\n",
    "sitec = 1\n[hosts.nfs1]\naddresses = [\"10.30.8.31\"]\ncpu = 4\n[[list]]\nx = '''a\nb'''\n",
    "{\"sitec\": 1, \"hosts\": {\"nfs1\": {\"addresses\": [\"10.30.8.31\"], \"cpu\": 4.5, \"x\": \"\\u00e9\"}}}",
];

#[test]
fn any_bytes() {
    let mut random = Random(0x5EED);
    for round in 0..300 {
        let length = random.below(80);
        judge(NAMES[round % 3], &random.bytes(length));
    }
}

#[test]
fn any_sequence_of_pieces() {
    let mut random = Random(0xBAD);
    for round in 0..1200 {
        let count = 1 + random.below(24);
        let text: String = (0..count).map(|_| *random.pick(PIECES)).collect();
        judge(NAMES[round % 3], text.as_bytes());
    }
}

#[test]
fn mutated_specs() {
    let mut random = Random(0xC0FFEE);
    for round in 0..1200 {
        let mut bytes = random.pick(SEEDS).as_bytes().to_vec();
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len() + 1);
            let end = (at + random.below(12)).min(bytes.len());
            match random.below(5) {
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
                3 => bytes.truncate(at),
                _ => {
                    let byte = random.next() as u8;
                    if let Some(b) = bytes.get_mut(at) {
                        *b = byte;
                    }
                }
            }
        }
        judge(NAMES[round % 3], &bytes);
    }
}
