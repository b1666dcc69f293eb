//! What tests over whole trees share: the fixtures, their compilation, trees on disk.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use sitec::compile::{Depth, Inputs, compile as run};
use sitec::diag::human;
use sitec::write::seal;

/// The checkout.
pub fn root() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every `fixtures/<name>/site.yaml`, relative to the checkout, sorted. There are some: a test over none proves
/// nothing.
pub fn fixtures() -> Vec<Utf8PathBuf> {
    let entries = root().join("fixtures").read_dir_utf8().expect("the fixtures");
    let names = entries.map(|e| e.expect("readable").file_name().to_string());
    let mut specs: Vec<Utf8PathBuf> =
        names.map(|name| Utf8Path::new("fixtures").join(name).join("site.yaml")).collect();
    specs.retain(|spec| root().join(spec).is_file());
    specs.sort();
    assert!(!specs.is_empty(), "there is no fixtures/<name>/site.yaml");
    specs
}

/// The sealed tree of a fixture, or the report of what is wrong with it.
pub fn compile(spec: &Utf8Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let read = |path: &str| fs::read(root().join(path)).map_err(|e| e.to_string());
    let inputs = Inputs { entry: spec.to_string(), read: &read, packs: &[], depth: Depth::Build, threads: 0 };
    let compilation = run(&inputs);
    match &compilation.tree {
        Some(tree) if !compilation.findings.has_errors() => Ok(seal(tree)),
        _ => Err(human::render(&compilation.findings, &compilation.sources, human::Options::default())),
    }
}

/// Every file below a folder; nothing when there is no folder.
pub fn read_tree(folder: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok).filter(|e| e.file_type().is_file()) {
        let path = Utf8Path::from_path(entry.path()).expect("golden paths are UTF-8");
        let below = path.strip_prefix(folder).expect("below the folder");
        files.insert(below.to_string(), fs::read(path).expect("readable"));
    }
    files
}
