//! The same spec gives the same bytes wherever, whenever and by whomever it is built.
#![cfg(unix)]

mod trees;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use trees::{fixtures, read_tree, root};

const SITEC: &str = env!("CARGO_BIN_EXE_sitec");

/// One way to call the compiler: its program, the folder it works in, the spec as given, and what is around it.
struct Setting {
    name: &'static str,
    program: Utf8PathBuf,
    work: Utf8PathBuf,
    spec: Utf8PathBuf,
    umask: &'static str,
    threads: &'static str,
    environment: &'static [(&'static str, &'static str)],
}

/// Files by path, with their modes, as a build leaves them.
type Tree = Vec<(String, u32, Vec<u8>)>;

fn build(setting: &Setting, out: &Utf8Path) -> Tree {
    let script = "umask \"$1\" && shift && exec \"$@\"";
    let output = Command::new("sh")
        .args(["-c", script, "sh", setting.umask, setting.program.as_str(), "build", setting.spec.as_str()])
        .args(["--out", out.as_str(), "--threads", setting.threads])
        .current_dir(&setting.work)
        .envs(setting.environment.iter().copied())
        .output()
        .expect("a shell");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {}\n{report}", setting.name, output.status);
    let mode = |path: &str| fs::metadata(out.join(path)).expect("there").permissions().mode() & 0o777;
    read_tree(out).into_iter().map(|(path, bytes)| (path.clone(), mode(&path), bytes)).collect()
}

#[test]
fn every_fixture_builds_to_the_same_bytes_in_unlike_surroundings() {
    let guard = tempfile::tempdir().expect("a temporary folder");
    let folder = Utf8Path::from_path(guard.path()).expect("UTF-8");
    // A copy of the program and of the specs, far from the checkout, in a folder with an awkward name.
    let far = folder.join("another café, far away").join("a b").join("c");
    fs::create_dir_all(&far).expect("made");
    let program = far.join("sitec");
    fs::copy(SITEC, &program).expect("copied");
    copy(&root().join("fixtures"), &far.join("fixtures"));

    for (n, spec) in fixtures().into_iter().enumerate() {
        let here = |name, umask, threads, environment| Setting {
            name,
            program: SITEC.into(),
            work: root().to_owned(),
            spec: spec.clone(),
            umask,
            threads,
            environment,
        };
        let spec_folder = root().join(&spec).parent().expect("a folder").to_owned();
        let settings = [
            here("the checkout", "022", "1", &[]),
            here("many threads", "022", "8", &[]),
            here(
                "far east, German",
                "022",
                "1",
                &[("TZ", "Pacific/Kiritimati"), ("LANG", "de_DE.UTF-8"), ("LC_ALL", "de_DE.UTF-8")],
            ),
            here("far west, no locale", "022", "2", &[("TZ", "Etc/GMT+12"), ("LC_ALL", "C"), ("LANG", "C")]),
            here("Turkish, a closed umask", "077", "2", &[("LC_ALL", "tr_TR.UTF-8")]),
            here(
                "an open umask, another user",
                "000",
                "2",
                &[("HOME", "/nonexistent"), ("USER", "nobody"), ("HOSTNAME", "x")],
            ),
            Setting { work: spec_folder, spec: "site.yaml".into(), ..here("the folder of the spec", "022", "2", &[]) },
            Setting {
                work: "/".into(),
                spec: root().join(&spec),
                ..here("the root, an absolute path", "022", "2", &[])
            },
            Setting { program: program.clone(), work: far.clone(), ..here("a copy elsewhere", "027", "3", &[]) },
            here("another date", "022", "2", &[("SOURCE_DATE_EPOCH", "1"), ("NO_COLOR", "1"), ("COLUMNS", "40")]),
        ];
        let trees = settings.iter().enumerate().map(|(m, s)| (s.name, build(s, &folder.join(format!("out-{n}-{m}")))));
        let mut trees = trees.collect::<Vec<_>>().into_iter();
        let (_, expected) = trees.next().expect("there are settings");
        assert!(!expected.is_empty());
        for (name, tree) in trees {
            for ((path, mode, bytes), (other, other_mode, other_bytes)) in expected.iter().zip(&tree) {
                assert_eq!((path, mode), (other, other_mode), "{spec}: {name}");
                assert!(bytes == other_bytes, "{spec}: {path} differs in the setting: {name}");
            }
            assert_eq!(expected.len(), tree.len(), "{spec}: {name}");
        }
    }
}

fn copy(from: &Utf8Path, to: &Utf8Path) {
    for (path, bytes) in read_tree(from) {
        let path = to.join(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        fs::write(path, bytes).expect("copied");
    }
}
