//! The script that mirrors images, run with a stand-in for each tool that keeps what it is told in folders.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use sitec::compile::{Depth, Inputs, compile};

/// Plays `docker`, `podman` and `skopeo`: a registry and a cache are folders of files named by the reference.
const STAND_IN: &str = r#"#!/bin/sh
printf '%s %s\n' "${0##*/}" "$*" >> "$STATE/calls"
file() { printf '%s/%s' "$STATE/$1" "$(printf '%s' "${2#docker://}" | tr '/:' '__')"; }
case "$*" in
*fail-this*) exit 1 ;;
esac
case $1 in
login) cat > "$STATE/password" ;;
pull) shift; [ "$1" = --platform ] && shift 2; cp "$(file registry "$1")" "$(file cache "$1")" ;;
tag) cp "$(file cache "$2")" "$(file cache "$3")" ;;
push) cp "$(file cache "$2")" "$(file registry "$2")" ;;
save) cp "$(file cache "$4")" "$3" ;;
load) cp "$3" "$(file cache "$(cat "$3")")" ;;
image) case $2 in
    rm) shift 2; for i; do rm "$(file cache "$i")"; done ;;
    inspect) printf 'a@sha256:good\n' ;;
    esac ;;
manifest) for i; do :; done; [ -e "$(file registry "$i")" ] ;;
inspect) for i; do :; done; [ -e "$(file registry "$i")" ] && printf 'sha256:good\n' ;;
copy) shift; [ "$1" = --all ] && shift; case $1 in --dest*) shift ;; esac
    case $1 in docker://*) from=$(file registry "$1") ;; *) from=${1#oci-archive:} ;; esac
    case $2 in docker://*) to=$(file registry "$2") ;; *) to=${2#oci-archive:} ;; esac
    cp "$from" "$to" ;;
esac
"#;

const SITE: &str = "sitec: 1
extends: fixtures/demo-airgapped/site.yaml
";

struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// The artifacts of `images/` for a tool, the stand-in for it, and a source registry that has the image.
    fn new(tool: &str) -> Self {
        Self::with(tool, "")
    }

    /// The same with further lines in the spec.
    fn with(tool: &str, more: &str) -> Self {
        let tools =
            if tool == "skopeo" { String::new() } else { format!("tools: {{ skopeo: null, {tool}: 1.2.3 }}\n") };
        let spec = format!("{SITE}{tools}{more}");
        let read = |path: &str| match path {
            "site.yaml" => Ok(spec.clone().into_bytes()),
            path => fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).map_err(|e| e.to_string()),
        };
        let inputs = Inputs { entry: "site.yaml".into(), read: &read, packs: &[], depth: Depth::Build, threads: 1 };
        let compiled = compile(&inputs);
        assert!(!compiled.findings.has_errors(), "{:?}", compiled.findings);
        let tree = compiled.tree.expect("a tree");
        let folder = tempfile::tempdir().expect("a folder");
        let site = Self { folder };
        for name in ["images", "bin", "state/registry", "state/cache"] {
            fs::create_dir_all(site.path(name)).expect("a folder");
        }
        for (path, artifact) in tree.files.iter().filter(|(p, _)| p.starts_with("images/")) {
            fs::write(site.path(path), &artifact.bytes).expect("a file");
        }
        fs::write(site.path(&format!("bin/{tool}")), STAND_IN).expect("a file");
        let all = fs::Permissions::from_mode(0o755);
        fs::set_permissions(site.path(&format!("bin/{tool}")), all).expect("the mode");
        let source = "registry.demo.example/guestbook:1.4.2";
        fs::write(site.path(&format!("state/registry/{}", source.replace(['/', ':'], "_"))), source).expect("a file");
        site
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap_or_default());
        let mut sh = Command::new("sh");
        sh.arg(self.path("images/mirror.sh")).args(arguments).current_dir(self.folder.path());
        sh.env("PATH", path).env("STATE", self.path("state")).output().expect("sh runs")
    }

    fn good(&self, arguments: &[&str]) -> String {
        let out = self.run(arguments);
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    fn calls(&self) -> String {
        let calls = fs::read_to_string(self.path("state/calls")).unwrap_or_default();
        let _ = fs::remove_file(self.path("state/calls"));
        calls
    }

    fn target(&self) -> std::path::PathBuf {
        self.path("state/registry/registry.acme.example_5000_mirror_guestbook_1.4.2")
    }
}

#[test]
fn copies_at_once_and_again() {
    for tool in ["docker", "podman", "skopeo"] {
        let site = Site::new(tool);
        assert!(!site.run(&["check"]).status.success(), "{tool}: nothing is there yet");
        site.good(&["copy"]);
        assert!(site.target().exists(), "{tool}");
        assert_eq!(fs::read_dir(site.path("state/cache")).expect("a folder").count(), 0, "{tool} keeps nothing");
        site.calls();
        assert!(site.good(&["copy"]).contains("is there:"), "{tool}");
        let again = site.calls();
        assert!(!again.contains("pull") && !again.contains("copy --all"), "{tool} does it twice: {again}");
        assert!(site.good(&["check"]).contains("every image is there"), "{tool}");
    }
}

#[test]
fn what_is_copied_is_for_the_hosts_and_not_for_the_machine_that_copies() {
    for tool in ["docker", "podman"] {
        let site = Site::with(tool, "hosts:\n  w[1-2]: { arch: amd64 }\n");
        site.good(&["copy"]);
        let calls = site.calls();
        assert!(calls.contains("pull --platform linux/amd64 registry.demo.example/guestbook:1.4.2"), "{tool}: {calls}");
    }
    let site = Site::with("skopeo", "hosts:\n  w[1-2]: { arch: amd64 }\n");
    site.good(&["copy"]);
    assert!(!site.calls().contains("--platform"), "skopeo copies all architectures");
}

#[test]
fn carries_by_a_folder_and_goes_on_after_a_fault() {
    for tool in ["docker", "podman", "skopeo"] {
        let site = Site::new(tool);
        site.good(&["save", "usb stick"]);
        // A cut in the middle leaves a part, which is not taken for the whole.
        let tar = fs::read_dir(site.path("usb stick")).expect("a folder").next().expect("a file").expect("one").path();
        fs::rename(&tar, tar.with_extension("part")).expect("renamed");
        let early = site.run(&["load", "usb stick"]);
        assert!(!early.status.success(), "{tool}: half a file is not loaded");
        site.good(&["save", "usb stick"]);
        assert!(tar.exists() && !tar.with_extension("part").exists(), "{tool}");
        fs::remove_dir_all(site.path("state/cache")).expect("removed");
        fs::create_dir(site.path("state/cache")).expect("made");
        site.good(&["load", "usb stick"]);
        assert!(site.target().exists(), "{tool}");
        assert!(site.good(&["load", "usb stick"]).contains("is there:"), "{tool}");
    }
}

#[test]
fn a_wrong_digest_stops_it() {
    for tool in ["docker", "skopeo"] {
        let site = Site::new(tool);
        let list = fs::read_to_string(site.path("images/images.txt")).expect("a list");
        fs::write(site.path("images/images.txt"), list.replace(" -\n", " sha256:other\n")).expect("written");
        let out = site.run(&["copy"]);
        assert!(!out.status.success() && !site.target().exists(), "{tool}");
        assert!(String::from_utf8_lossy(&out.stderr).contains("is not sha256:other"), "{tool}");
        fs::write(site.path("images/images.txt"), list.replace(" -\n", " sha256:good\n")).expect("written");
        site.good(&["copy"]);
    }
}

#[test]
fn the_password_comes_from_a_file_and_is_no_argument() {
    let site = Site::new("docker");
    fs::write(site.path("password"), "S3cret").expect("written");
    site.good(&["login", "registry.acme.example:5000", "pusher", "password"]);
    assert_eq!(fs::read_to_string(site.path("state/password")).expect("read"), "S3cret");
    assert!(!site.calls().contains("S3cret"));
    assert!(!site.run(&["login"]).status.success());
    assert!(!site.run(&["lod", "x"]).status.success());
}
