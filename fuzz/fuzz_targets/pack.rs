//! Any bytes as the `pack.toml` of a pack that a sound site uses: loading, checking and emitting never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sitec::compile::{Depth, Inputs, PackFiles, compile};
use sitec::diag::human;

const SITE: &str = "\
sitec: 1
site: { name: fuzzed, domain: fuzzed.example }
networks: { servers: { cidrs: [10.30.8.0/24], role: servers } }
hosts:
  w[1-2]: { addresses: [\"10.30.8.[21-22]\"], os: ubuntu-22.04, cpu: 4, memory: 8 GiB, disk: 100 GiB }
  nfs1: { addresses: [10.30.8.31], os: ubuntu-22.04 }
clusters: { main: { kind: kubernetes, version: 1.28.4, control_plane: [w1], workers: [w2] } }
storage: { data: { server: nfs1, path: /srv/data } }
products: { fuzzed: { cluster: main, namespace: fuzzed } }
";

/// Stands in for the pack that every site has, so that the time goes into the one that is fuzzed.
const BASE: &str = "[pack]\nname = \"base\"\ntitle = \"base\"\n";

fuzz_target!(|data: &[u8]| {
    let Ok(manifest) = std::str::from_utf8(data) else { return };
    let pack = PackFiles {
        name: "fuzzed".into(),
        dir: "fuzzed".into(),
        files: vec![("pack.toml".into(), manifest.into()), ("a.j2".into(), "<{ site.name }>\n".into())],
    };
    let read = |path: &str| if path == "site.yaml" { Ok(SITE.into()) } else { Err("no such file".to_owned()) };
    let base = PackFiles { name: "base".into(), dir: "base".into(), files: vec![("pack.toml".into(), BASE.into())] };
    let packs = [base, pack];
    let inputs = Inputs { entry: "site.yaml".to_owned(), read: &read, packs: &packs, depth: Depth::Build, threads: 1 };
    let compiled = compile(&inputs);
    human::render(&compiled.findings, &compiled.sources, human::Options::default());
});
