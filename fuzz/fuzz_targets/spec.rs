//! Any bytes as a spec: all passes run, every report is rendered, nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sitec::compile::{Depth, Inputs, compile};
use sitec::diag::{human, json, short};

fuzz_target!(|data: &[u8]| {
    // The first byte chooses the syntax.
    let Some((first, text)) = data.split_first() else { return };
    let entry = ["site.yaml", "site.toml", "site.json"][usize::from(first % 3)];
    let read = |path: &str| if path == entry { Ok(text.to_vec()) } else { Err("no such file".to_owned()) };
    let inputs = Inputs { entry: entry.to_owned(), read: &read, packs: &[], depth: Depth::Build, threads: 1 };
    let compiled = compile(&inputs);
    assert!(compiled.tree.is_some() || compiled.findings.has_errors());
    human::render(&compiled.findings, &compiled.sources, human::Options::default());
    short::render(&compiled.findings, &compiled.sources);
    json::render(&compiled.findings, &compiled.sources);
});
