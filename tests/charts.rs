//! The archives of `fixtures/charts` are what their folders hold; hostile ones of every kind are findings, never more.
//! `BLESS=1 cargo test --test charts` packs the folders anew.

mod trees;

use std::fs;
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use sitec::compile::{Depth, Inputs, compile};
use sitec::diag::human;
use trees::root;

/// Each folder of a chart, and the archive that is made of it.
const CHARTS: &[(&str, &str)] = &[("guestbook", "guestbook-1.4.2.tgz"), ("pseven", "pseven-2023.09.25.tgz")];

/// A folder as an archive, the same bytes on any machine.
fn pack(folder: &Utf8Path) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let above = folder.parent().expect("a folder above");
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(|e| e.expect("readable"));
    for entry in walk.filter(|e| e.file_type().is_file()) {
        let path = Utf8PathBuf::from_path_buf(entry.into_path()).expect("UTF-8");
        let bytes = fs::read(&path).expect("readable");
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        let below = path.strip_prefix(above).expect("below the folder above");
        tar.append_data(&mut header, below, &bytes[..]).expect("in memory");
    }
    gzip(&tar.into_inner().expect("in memory"))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let builder = flate2::GzBuilder::new().mtime(0).operating_system(255);
    let mut gzip = builder.write(Vec::new(), flate2::Compression::best());
    gzip.write_all(bytes).expect("in memory");
    gzip.finish().expect("in memory")
}

#[test]
fn archives_are_what_their_folders_hold() {
    let charts = root().join("fixtures/charts");
    let bless = std::env::var_os("BLESS").is_some_and(|v| !v.is_empty() && v != "0");
    for (folder, archive) in CHARTS {
        let packed = pack(&charts.join(folder));
        if bless {
            fs::write(charts.join(archive), &packed).expect("the archive can be written");
        }
        assert_eq!(
            fs::read(charts.join(archive)).expect("the archive"),
            packed,
            "{archive} is stale; BLESS=1 packs it"
        );
    }
}

const SPEC: &str = "sitec: 1\nsite: { name: acme, domain: acme.example }\nproducts:\n  demo: { chart: c.tgz }\n";

/// The report about a spec whose chart is these bytes.
fn report(archive: &[u8]) -> String {
    let read = |path: &str| match path {
        "site.yaml" => Ok(SPEC.as_bytes().to_vec()),
        "c.tgz" => Ok(archive.to_vec()),
        _ => Err("no such file".to_owned()),
    };
    let c = compile(&Inputs { entry: "site.yaml".into(), read: &read, packs: &[], depth: Depth::Check, threads: 1 });
    let mut findings = c.findings.clone();
    findings.retain(|d| d.code == "S0520");
    human::render(&findings, &c.sources, human::Options::default())
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, *bytes).expect("in memory");
    }
    gzip(&tar.into_inner().expect("in memory"))
}

#[test]
fn charts_that_are_none_say_why() {
    let good: &[u8] = b"name: demo\nversion: 1.4.0\n";
    let inner = |bytes: &[u8]| archive(&[("demo/Chart.yaml", good), ("demo/charts/x.tgz", bytes)]);
    let mut nested = archive(&[("demo/Chart.yaml", good)]);
    for _ in 0..6 {
        nested = inner(&nested);
    }
    for (bytes, words) in [
        (archive(&[("demo/values.yaml", b"")]), "has no `<name>/Chart.yaml`"),
        (archive(&[("demo/Chart.yaml", b"{")]), "`Chart.yaml` is not YAML"),
        (archive(&[("demo/Chart.yaml", b"name: demo\n")]), "has no `version`"),
        (archive(&[("demo/Chart.yaml", good), ("demo/values.yaml", b"\xff\xfe")]), "not UTF-8"),
        (archive(&[("demo/Chart.yaml", good), ("demo/values.yaml", b"- 1\n")]), "not a YAML map"),
        (archive(&[("demo/Chart.yaml", good), ("demo/values.schema.json", b"{")]), "is not JSON"),
        (inner(b"nothing"), "not compressed with gzip"),
        (nested, "lie in each other"),
        (b"\x1f\x8b".to_vec(), "compression is broken"),
    ] {
        let report = report(&bytes);
        assert!(report.contains(words), "{words}: {report}");
    }
    assert_eq!(report(&archive(&[("demo/Chart.yaml", good)])), "");
}

/// A chart of the archive, cut off and damaged anywhere, is a finding or a chart; nothing panics.
#[test]
fn damaged_archives_are_survived() {
    let whole = fs::read(root().join("fixtures/charts").join(CHARTS[1].1)).expect("the archive");
    for step in (0..whole.len()).step_by(97) {
        assert!(report(&whole[..step]).contains("S0520"), "cut off at {step}");
        let mut damaged = whole.clone();
        damaged[step] ^= 0x55;
        report(&damaged);
    }
}
