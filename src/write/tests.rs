//! A build is stopped after every single operation; the next one must leave exactly what an undisturbed one leaves.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::disk::Disk;
use super::*;
use crate::artifact::{Artifact, Placement};

fn tree(files: &[(&str, &str)]) -> ArtifactTree {
    let artifact = |path: &str, text: &str| Artifact {
        format: "text".into(),
        bytes: text.into(),
        placement: Placement::Carry,
        host: None,
        target: None,
        owner: None,
        mode: path.ends_with(".sh").then(|| "0755".into()),
        apply: None,
        check: None,
        pack: "base".into(),
    };
    ArtifactTree {
        site: "acme".to_string(),
        files: files.iter().map(|(p, t)| (p.to_string(), artifact(p, t))).collect(),
        immutable: BTreeMap::new(),
    }
}

fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
    (folder, path.join("out"))
}

/// Every file below a folder; links and empty folders as marks.
fn contents(root: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    let survey = disk::survey(root).expect("readable");
    let read = |path: &str, kind: Kind| match kind {
        Kind::File => fs::read(root.join(path)).expect("readable"),
        kind => kind.name().into(),
    };
    let empty = |path: &str| survey.range(format!("{path}/")..format!("{path}0")).next().is_none();
    let kept = survey.iter().filter(|(path, kind)| **kind != Kind::Dir || empty(path));
    kept.map(|(path, kind)| (path.clone(), read(path, *kind))).collect()
}

const OLD: &[(&str, &str)] = &[
    ("a.txt", "one"),
    ("hosts/h1/etc/fstab", "x"),
    ("hosts/h2/etc/fstab", "y"),
    ("swap", "file"),
    ("turn/over", "folder"),
];
const NEW: &[(&str, &str)] = &[
    ("a.txt", "two"),
    ("hosts/h1/etc/fstab", "x"),
    ("hosts/h3/run.sh", "#!/bin/sh\n"),
    ("swap/now", "folder"),
    ("turn", "file"),
];
const THIRD: &[(&str, &str)] = &[("a.txt", "three"), ("hosts/h3/run.sh", "#!/bin/dash\n"), ("turn/over", "again")];

/// Writes `before`, then stops a build of `during` after `n` operations, then builds `after`.
fn killed(before: Option<&[(&str, &str)]>, during: &[(&str, &str)], after: &[(&str, &str)], n: usize) -> bool {
    let (_guard, out) = temporary();
    let options = Options::default();
    let mut expected = seal(&tree(after));
    if let Some(before) = before {
        write(&tree(before), &out, options).expect("a first build");
        fs::write(out.join("acme/hosts/notes.txt"), "mine").expect("a foreign file");
        expected.insert("hosts/notes.txt".to_string(), b"mine".to_vec());
    }
    let disk = Disk::new();
    disk.fuel.store(n, std::sync::atomic::Ordering::SeqCst);
    let stopped = write_on(&disk, &tree(during), &out, options).is_err();
    let staleness = check(&tree(after), &out, 1).expect("a look at what the kill has left");
    assert!(!stopped || !staleness.is_fresh() || after == during, "after {n} operations");
    if let Err(e) = write(&tree(after), &out, options) {
        panic!("after {n} operations: {e:?}");
    }
    assert_eq!(contents(&out.join("acme")), expected, "after {n} operations");
    assert_eq!(fs::read_dir(&out).expect("readable").count(), 1, "leftovers after {n} operations");
    stopped
}

fn at_every_point(before: Option<&[(&str, &str)]>, during: &[(&str, &str)], after: &[(&str, &str)]) {
    let points = (0..).take_while(|n| killed(before, during, after, *n)).count();
    assert!(points > 10, "only {points} points");
}

#[test]
fn a_new_folder_survives_a_kill() {
    at_every_point(None, OLD, OLD);
    at_every_point(None, OLD, NEW);
}

#[test]
fn an_update_survives_a_kill() {
    at_every_point(Some(OLD), NEW, NEW);
    at_every_point(Some(NEW), OLD, OLD);
}

#[test]
fn an_update_to_something_else_survives_a_kill() {
    at_every_point(Some(OLD), NEW, THIRD);
    at_every_point(Some(NEW), OLD, THIRD);
    at_every_point(Some(OLD), NEW, OLD);
}

#[test]
fn finishing_survives_a_kill() {
    let (_guard, out) = temporary();
    for (n, m) in (12..30).flat_map(|n| (0..16).map(move |m| (n, m))) {
        let _ = fs::remove_dir_all(&out);
        write(&tree(OLD), &out, Options::default()).expect("a first build");
        for fuel in [n, m] {
            let disk = Disk::new();
            disk.fuel.store(fuel, std::sync::atomic::Ordering::SeqCst);
            let _ = write_on(&disk, &tree(NEW), &out, Options::default());
        }
        write(&tree(NEW), &out, Options::default()).expect("a last build");
        assert_eq!(contents(&out.join("acme")), seal(&tree(NEW)), "{n} and {m} operations");
    }
}

/// Stops an update of `OLD` to `NEW` when its journal is written and `done` steps of it are taken.
fn with_pending_journal(out: &Utf8Path) {
    write(&tree(OLD), out, Options::default()).expect("a first build");
    for n in 0.. {
        let disk = Disk::new();
        disk.fuel.store(n, std::sync::atomic::Ordering::SeqCst);
        assert!(write_on(&disk, &tree(NEW), out, Options::default()).is_err(), "no journal was ever pending");
        let place = Place::of("acme", out).expect("a plain name");
        if journal::is_pending(&place).expect("readable") {
            return;
        }
    }
}

#[test]
fn an_edit_after_a_kill_is_not_overwritten() {
    let (_guard, out) = temporary();
    with_pending_journal(&out);
    fs::write(out.join("acme/a.txt"), "by hand").expect("an edit");
    let error = write(&tree(NEW), &out, Options::default()).expect_err("an edit");
    let WriteError::Findings(findings) = error else { panic!("{error}") };
    assert_eq!(findings.iter().map(|d| d.code.as_ref()).collect::<Vec<_>>(), ["S0901"]);
    assert_eq!(fs::read_to_string(out.join("acme/a.txt")).expect("still there"), "by hand");
    assert!(check(&tree(NEW), &out, 1).expect("readable").unfinished);
    let report = write(&tree(NEW), &out, Options { force: true, threads: 1 }).expect("forced");
    assert!(report.finished);
    assert_eq!(contents(&out.join("acme")), seal(&tree(NEW)));
}

#[test]
fn a_broken_or_hostile_journal_is_forgotten() {
    let hostile = r#"{"journal":1,"remove":[{"path":"../../victim","old":""}],"empty":[],"put":[]}"#;
    for journal in ["", "{", "\u{0}", hostile] {
        let (_guard, out) = temporary();
        with_pending_journal(&out);
        let victim = out.parent().expect("a parent").join("victim");
        fs::write(&victim, "").expect("a file outside");
        fs::write(out.join(".acme.sitec/journal"), journal).expect("a broken journal");
        write(&tree(NEW), &out, Options::default()).expect("a build");
        assert_eq!(contents(&out.join("acme")), seal(&tree(NEW)));
        assert!(victim.exists());
    }
}

#[test]
fn a_removed_folder_is_written_anew_despite_a_journal() {
    let (_guard, out) = temporary();
    with_pending_journal(&out);
    fs::remove_dir_all(out.join("acme")).expect("removed by hand");
    write(&tree(NEW), &out, Options::default()).expect("a build");
    assert_eq!(contents(&out.join("acme")), seal(&tree(NEW)));
}
