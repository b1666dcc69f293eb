//! Trees written to real folders: what is replaced, what is left alone, what is refused.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use sitec::artifact::{Artifact, ArtifactTree, Immutable, Placement};
use sitec::diag::Findings;
use sitec::write::{MANIFEST, Options, Report, SUMS, WriteError, check, seal, write};

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

const FILES: &[(&str, &str)] =
    &[("a.txt", "one\n"), ("hosts/h1/root/etc/fstab", "x\n"), ("hosts/h1/run.sh", "#!/bin/sh\n")];

struct Folder {
    _guard: tempfile::TempDir,
    out: Utf8PathBuf,
}

impl Folder {
    fn empty() -> Self {
        let guard = tempfile::tempdir().expect("a temporary folder");
        let out = Utf8PathBuf::from_path_buf(guard.path().to_owned()).expect("UTF-8").join("out");
        Self { _guard: guard, out }
    }

    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::empty();
        folder.build(files);
        folder
    }

    fn build(&self, files: &[(&str, &str)]) -> Report {
        write(&tree(files), &self.out, Options::default()).expect("a build")
    }

    fn force(&self, files: &[(&str, &str)]) -> Report {
        write(&tree(files), &self.out, Options { force: true, threads: 0 }).expect("a forced build")
    }

    fn refused(&self, tree: &ArtifactTree, force: bool) -> Findings {
        match write(tree, &self.out, Options { force, threads: 0 }) {
            Err(WriteError::Findings(findings)) => findings,
            other => panic!("not refused: {other:?}"),
        }
    }

    fn path(&self, path: &str) -> Utf8PathBuf {
        self.out.join("acme").join(path)
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).expect("readable")
    }

    fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.path(path)).expect("there").mode() & 0o777
    }
}

fn codes(findings: &Findings) -> Vec<&str> {
    findings.iter().map(|d| d.code.as_ref()).collect()
}

#[test]
fn a_new_folder_has_exactly_the_sealed_files() {
    let folder = Folder::with(FILES);
    for (path, bytes) in seal(&tree(FILES)) {
        assert_eq!(fs::read(folder.path(&path)).expect("there"), bytes, "{path}");
    }
    assert!(check(&tree(FILES), &folder.out, 0).expect("readable").is_fresh());
    assert_eq!(fs::read_dir(&folder.out).expect("readable").count(), 1);
}

#[test]
fn sha256sum_accepts_the_checksums() {
    let folder = Folder::with(FILES);
    let run =
        Command::new("sha256sum").args(["--check", "--strict", "--quiet", SUMS]).current_dir(folder.path("")).output();
    match run {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(e) => eprintln!("skipped: sha256sum: {e}"),
    }
}

#[test]
fn unchanged_files_are_not_touched() {
    let folder = Folder::with(FILES);
    let stamp = |path: &str| {
        let data = fs::metadata(folder.path(path)).expect("there");
        (data.ino(), data.mtime(), data.mtime_nsec())
    };
    let before = (stamp("a.txt"), stamp("hosts/h1/run.sh"), stamp(MANIFEST));
    let report = folder.build(FILES);
    assert_eq!((report.unchanged, report.replaced.len(), report.created.len()), (5, 0, 0));
    assert_eq!(before, (stamp("a.txt"), stamp("hosts/h1/run.sh"), stamp(MANIFEST)));
    let report = folder.build(&[("a.txt", "two\n"), FILES[1], FILES[2]]);
    assert_eq!(report.replaced, [MANIFEST, SUMS, "a.txt"]);
    assert_eq!(before.1, stamp("hosts/h1/run.sh"));
    assert_eq!(folder.text("a.txt"), "two\n");
}

#[test]
fn what_is_no_longer_made_is_pruned_with_its_folders() {
    let folder = Folder::with(FILES);
    let report = folder.build(&FILES[..1]);
    assert_eq!(report.pruned, ["hosts/h1/root/etc/fstab", "hosts/h1/run.sh"]);
    assert!(!folder.path("hosts").exists());
}

#[test]
fn foreign_files_stay_and_are_named() {
    let folder = Folder::with(FILES);
    fs::write(folder.path("hosts/h1/notes.txt"), "mine").expect("written");
    fs::create_dir_all(folder.path("mine/deep")).expect("made");
    fs::write(folder.path("mine/deep/x"), "mine").expect("written");
    symlink("/etc/passwd", folder.path("link")).expect("linked");
    let report = folder.build(&FILES[..1]);
    assert_eq!(report.foreign, ["hosts/h1/notes.txt", "link", "mine/"]);
    assert_eq!(folder.text("hosts/h1/notes.txt"), "mine");
    assert!(!folder.path("hosts/h1/root").exists());
    let staleness = check(&tree(&FILES[..1]), &folder.out, 0).expect("readable");
    // The folder above the foreign file is nobody's now.
    assert_eq!(staleness.strays, ["hosts/", "link", "mine/"]);
    assert_eq!(codes(&staleness.findings()), ["S0908"]);
}

#[test]
fn a_foreign_file_in_the_way_stops_the_build() {
    let folder = Folder::with(&FILES[..1]);
    fs::create_dir_all(folder.path("hosts/h1")).expect("made");
    fs::write(folder.path("hosts/h1/run.sh"), "mine\n").expect("written");
    let findings = folder.refused(&tree(FILES), false);
    assert_eq!(codes(&findings), ["S0902"]);
    assert_eq!(folder.text("hosts/h1/run.sh"), "mine\n");
    folder.force(FILES);
    assert_eq!(folder.text("hosts/h1/run.sh"), "#!/bin/sh\n");
    assert_eq!(folder.mode("hosts/h1/run.sh"), 0o755);
}

#[test]
fn a_file_where_a_folder_belongs_and_a_folder_where_a_file_belongs_stop_even_a_forced_build() {
    let folder = Folder::with(&FILES[..1]);
    fs::write(folder.path("hosts"), "mine\n").expect("written");
    fs::create_dir_all(folder.path("b.txt/empty")).expect("made");
    let wanted = [FILES[0], FILES[1], ("b.txt", "b\n")];
    for force in [false, true] {
        assert_eq!(codes(&folder.refused(&tree(&wanted), force)), ["S0902", "S0902"]);
    }
    assert_eq!(folder.text("hosts"), "mine\n");
}

#[test]
fn a_hand_edit_stops_the_build_and_is_shown() {
    let folder = Folder::with(FILES);
    fs::write(folder.path("a.txt"), "one\nby hand\n").expect("edited");
    fs::write(folder.path("hosts/h1/run.sh"), "by hand\n").expect("edited");
    let findings = folder.refused(&tree(&[("a.txt", "two\n"), FILES[1]]), false);
    assert_eq!(codes(&findings), ["S0901", "S0901"]);
    let diag = findings.iter().next().expect("a finding");
    assert!(diag.notes[0].contains("-two\n+one\n+by hand"), "{}", diag.notes[0]);
    assert_eq!(folder.text("a.txt"), "one\nby hand\n");
    assert_eq!(folder.text("hosts/h1/root/etc/fstab"), "x\n");

    let staleness = check(&tree(FILES), &folder.out, 0).expect("readable");
    assert_eq!(codes(&staleness.findings()), ["S0901", "S0901"]);

    folder.force(&[("a.txt", "two\n"), FILES[1]]);
    assert_eq!(folder.text("a.txt"), "two\n");
    assert!(!folder.path("hosts/h1/run.sh").exists());
}

#[test]
fn an_edit_that_equals_the_new_build_is_no_edit() {
    let folder = Folder::with(FILES);
    fs::write(folder.path("a.txt"), "two\n").expect("edited");
    let report = folder.build(&[("a.txt", "two\n"), FILES[1], FILES[2]]);
    assert_eq!(report.replaced, [MANIFEST, SUMS]);
}

#[test]
fn a_deleted_file_is_written_again() {
    let folder = Folder::with(FILES);
    fs::remove_file(folder.path("a.txt")).expect("removed");
    assert_eq!(check(&tree(FILES), &folder.out, 0).expect("readable").missing, ["a.txt"]);
    assert_eq!(folder.build(FILES).created, ["a.txt"]);
}

#[test]
fn a_deleted_manifest_is_written_again_over_equal_files() {
    let folder = Folder::with(FILES);
    fs::remove_file(folder.path(MANIFEST)).expect("removed");
    assert_eq!(folder.build(FILES).created, [MANIFEST]);
}

#[test]
fn a_manifest_that_is_edited_or_broken_stops_the_build() {
    let folder = Folder::with(FILES);
    let good = folder.text(MANIFEST);
    fs::write(folder.path(MANIFEST), good.replace("\"format\":\"text\"", "\"format\":\"xxxx\"")).expect("edited");
    assert_eq!(codes(&folder.refused(&tree(FILES), false)), ["S0901"]);
    for broken in
        ["", "{", "{\"manifest\":9,\"files\":[]}", r#"{"manifest":1,"files":[{"path":"../../x","sha256":"0"}]}"#]
    {
        fs::write(folder.path(MANIFEST), broken).expect("broken");
        let findings = folder.refused(&tree(FILES), false);
        assert!(codes(&findings).contains(&"S0905"), "{broken:?}");
    }
    folder.force(FILES);
    assert_eq!(folder.text(MANIFEST), good);
}

#[test]
fn links_are_never_followed() {
    for link in ["a.txt", "hosts", "hosts/h1", "hosts/h1/root/etc", "hosts/h1/root/etc/fstab"] {
        let folder = Folder::with(FILES);
        let outside = folder.out.join("outside");
        fs::create_dir_all(outside.join("h1/root/etc")).expect("made");
        fs::write(outside.join("fstab"), "precious").expect("written");
        let place = folder.path(link);
        if place.is_dir() { fs::remove_dir_all(&place) } else { fs::remove_file(&place) }.expect("removed");
        symlink(&outside, &place).expect("linked");
        for files in [FILES, &FILES[..1], &[("hosts/h1/root/etc/fstab", "new\n")]] {
            for force in [false, true] {
                let findings = folder.refused(&tree(files), force);
                assert!(codes(&findings).contains(&"S0903"), "{link}: {findings:?}");
            }
        }
        assert_eq!(fs::read_to_string(outside.join("fstab")).expect("there"), "precious");
        assert_eq!(fs::read_dir(outside.join("h1/root/etc")).expect("there").count(), 0);
    }
}

#[test]
fn a_linked_site_folder_or_staging_folder_is_refused() {
    for name in ["acme", ".acme.sitec"] {
        let folder = Folder::empty();
        let outside = folder.out.join("outside");
        fs::create_dir_all(&outside).expect("made");
        symlink(&outside, folder.out.join(name)).expect("linked");
        assert_eq!(codes(&folder.refused(&tree(FILES), true)), ["S0903"]);
        assert_eq!(fs::read_dir(&outside).expect("there").count(), 0);
    }
}

#[test]
fn a_linked_out_folder_is_the_users_own_choice() {
    let folder = Folder::empty();
    let real = Utf8Path::new(folder.out.as_str()).with_file_name("real");
    fs::create_dir(&real).expect("made");
    symlink(&real, &folder.out).expect("linked");
    folder.build(FILES);
    assert!(real.join("acme/a.txt").exists());
}

#[test]
fn unsafe_paths_and_names_are_refused() {
    for path in ["../x", "/tmp/x", "a//b", "a/./b", "MANIFEST.json", "SHA256SUMS", "a\nb", "a.txt/below"] {
        let folder = Folder::empty();
        let findings = folder.refused(&tree(&[("a.txt", ""), (path, "")]), true);
        assert_eq!(codes(&findings), ["S0904"], "{path}");
        assert!(!folder.out.exists());
    }
    for site in ["", "..", ".hidden", "a/b", "/abs", "a\0b"] {
        let folder = Folder::empty();
        let mut tree = tree(FILES);
        tree.site = site.to_string();
        assert_eq!(codes(&folder.refused(&tree, true)), ["S0904"], "{site}");
    }
}

#[test]
fn an_immutable_value_cannot_change() {
    let folder = Folder::empty();
    let mut tree = tree(FILES);
    let fixed = |value: Option<&str>| Immutable {
        value: value.map(str::to_string),
        why: "volumes carry its name".to_string(),
        ..Immutable::default()
    };
    let place = "/products/p/namespace";
    tree.immutable.insert(place.to_string(), fixed(Some("one")));
    write(&tree, &folder.out, Options::default()).expect("a build");
    for value in [Some("two"), None] {
        tree.immutable.insert(place.to_string(), fixed(value));
        for force in [false, true] {
            let refused = folder.refused(&tree, force);
            assert_eq!(codes(&refused), ["S0906"]);
            assert!(refused.iter().all(|d| d.notes == ["volumes carry its name"] && d.pointer == place));
        }
    }
    tree.immutable.remove(place);
    tree.immutable.insert("/products/p/release".to_string(), fixed(Some("r")));
    assert_eq!(codes(&folder.refused(&tree, true)), ["S0906"], "the product is there, its value is not");
    tree.immutable.clear();
    assert_eq!(codes(&folder.refused(&tree, false)), ["S0906"]);
    write(&tree, &folder.out, Options { force: true, ..Options::default() }).expect("the product is gone");
}

#[test]
fn a_lost_right_to_execute_is_given_back_without_touching_the_file() {
    let folder = Folder::with(FILES);
    let path = folder.path("hosts/h1/run.sh");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
    assert_eq!(check(&tree(FILES), &folder.out, 0).expect("readable").modes, ["hosts/h1/run.sh"]);
    let before = fs::metadata(&path).expect("there").mtime_nsec();
    folder.build(FILES);
    assert_eq!(folder.mode("hosts/h1/run.sh"), 0o755);
    assert_eq!(fs::metadata(&path).expect("there").mtime_nsec(), before);
}

#[test]
fn check_writes_nothing_and_tells_what_is_stale() {
    let folder = Folder::empty();
    assert!(check(&tree(FILES), &folder.out, 0).expect("readable").absent);
    assert!(!folder.out.exists());
    folder.build(FILES);
    let staleness = check(&tree(&[("a.txt", "two\n"), FILES[1], ("new", "")]), &folder.out, 0).expect("readable");
    assert_eq!(staleness.stale, [MANIFEST, SUMS, "a.txt"]);
    assert_eq!(staleness.missing, ["new"]);
    assert_eq!(staleness.obsolete, ["hosts/h1/run.sh"]);
    assert_eq!(codes(&staleness.findings()), ["S0907", "S0907", "S0907"]);
    assert_eq!(folder.text("a.txt"), "one\n");
}

#[test]
fn two_builds_at_once_wait_for_each_other() {
    let folder = Folder::empty();
    let other = [("a.txt", "other\n"), ("b/c", "d\n")];
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (folder, other) = (&folder, &other);
            scope.spawn(move || folder.build(if n % 2 == 0 { FILES } else { other }));
        }
    });
    let fresh = |files| check(&tree(files), &folder.out, 0).expect("readable").is_fresh();
    assert!(fresh(FILES) || fresh(&other));
    assert_eq!(fs::read_dir(&folder.out).expect("readable").count(), 1);
}

/// Builds in a process of its own, since a umask belongs to the whole process.
#[test]
fn modes_do_not_depend_on_the_umask() {
    for umask in ["000", "022", "077", "177"] {
        let folder = Folder::empty();
        for _ in 0..2 {
            let status = Command::new("sh")
                .args(["-c", "umask \"$1\" && exec \"$2\" --exact --ignored builds_for_another_test", "sh", umask])
                .arg(std::env::current_exe().expect("a path"))
                .env("OUT", &folder.out)
                .output()
                .expect("a shell");
            assert!(status.status.success(), "{umask}: {status:?}");
            let modes = ["a.txt", "hosts/h1/run.sh", MANIFEST, "", "hosts/h1"].map(|p| folder.mode(p));
            assert_eq!(modes, [0o644, 0o755, 0o644, 0o755, 0o755], "{umask}");
            fs::remove_file(folder.path("a.txt")).expect("removed");
            fs::remove_file(folder.path("hosts/h1/run.sh")).expect("removed");
        }
    }
}

#[test]
#[ignore = "run by `modes_do_not_depend_on_the_umask`"]
fn builds_for_another_test() {
    let out = Utf8PathBuf::from(std::env::var("OUT").expect("set by the test"));
    fs::create_dir_all(&out).and_then(|()| fs::set_permissions(&out, fs::Permissions::from_mode(0o755))).expect("made");
    write(&tree(FILES), &out, Options::default()).expect("a build");
}
