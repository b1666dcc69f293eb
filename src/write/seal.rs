//! Artifact tree in, sealed tree out: `MANIFEST.json` and `SHA256SUMS` added; and a manifest on disk read back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::artifact::{Artifact, ArtifactTree};
use crate::spread::spread;

/// Lists every file but itself and [`SUMS`], with all that is known about each.
pub const MANIFEST: &str = "MANIFEST.json";
/// Lists every file but itself, in the form that `sha256sum -c` reads.
pub const SUMS: &str = "SHA256SUMS";

/// The version of the manifest's form; a reader refuses a higher one.
const MANIFEST_VERSION: u32 = 1;

/// The SHA-256 of a file's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(|d| matches!(d, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let digit = |d: u8| if d <= b'9' { d - b'0' } else { d - b'a' + 10 };
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
        Some(Self(hash))
    }

    pub fn hex(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.0.iter().flat_map(|b| [b >> 4, b & 15]).map(|d| char::from(DIGITS[usize::from(d)])).collect()
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hex())
    }
}

/// The exact set of files of a site's folder, by path: the artifacts, their manifest and their checksums.
pub fn seal(tree: &ArtifactTree) -> BTreeMap<String, Vec<u8>> {
    let seal = Seal::of(tree, 0);
    let mut files: BTreeMap<String, Vec<u8>> = tree.files.iter().map(|(p, a)| (p.clone(), a.bytes.clone())).collect();
    files.insert(MANIFEST.to_string(), seal.manifest);
    files.insert(SUMS.to_string(), seal.sums);
    files
}

/// The hashes of a tree and the two files made of them.
pub(super) struct Seal {
    /// In the order of the tree's files.
    pub hashes: Vec<Hash>,
    pub manifest: Vec<u8>,
    pub sums: Vec<u8>,
}

impl Seal {
    pub fn of(tree: &ArtifactTree, threads: usize) -> Self {
        let files: Vec<(&String, &Artifact)> = tree.files.iter().collect();
        let hashes = spread(threads, &files, |(_, artifact)| Hash::of(&artifact.bytes));
        let manifest = manifest_text(tree, &hashes);
        let mut listed: BTreeMap<&str, Hash> =
            files.iter().map(|(p, _)| p.as_str()).zip(hashes.iter().copied()).collect();
        listed.insert(MANIFEST, Hash::of(&manifest));
        let sums = sums_text(&listed);
        Self { hashes, manifest, sums }
    }
}

/// One file of the manifest; keys that do not apply to it are left out.
#[derive(Serialize)]
struct Row<'a> {
    path: &'a str,
    sha256: String,
    size: usize,
    format: &'a str,
    placement: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apply: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<&'a str>,
    pack: &'a str,
}

/// JSON with one line per file, so that a line-by-line comparison of two manifests names the files that changed.
fn manifest_text(tree: &ArtifactTree, hashes: &[Hash]) -> Vec<u8> {
    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).expect("strings and numbers always become JSON")
    }
    fn lines(text: &mut String, open: &str, rows: impl Iterator<Item = String>, close: &str) {
        text.push_str(open);
        let mut separator = "\n";
        for row in rows {
            text.push_str(separator);
            text.push_str("    ");
            text.push_str(&row);
            separator = ",\n";
        }
        if separator != "\n" {
            text.push_str("\n  ");
        }
        text.push_str(close);
    }
    let mut text = format!("{{\n  \"manifest\": {MANIFEST_VERSION},\n  \"site\": {},\n", json(&tree.site));
    let answered = tree.immutable.iter().filter_map(|(pointer, fixed)| Some((pointer, fixed.value.as_ref()?)));
    let immutable = answered.map(|(pointer, value)| format!("{}: {}", json(pointer), json(value)));
    lines(&mut text, "  \"immutable\": {", immutable, "},\n");
    let files = tree.files.iter().zip(hashes).map(|((path, a), hash)| {
        json(&Row {
            path,
            sha256: hash.hex(),
            size: a.bytes.len(),
            format: &a.format,
            placement: a.placement.name(),
            host: a.host.as_deref(),
            target: a.target.as_deref(),
            owner: a.owner.as_deref(),
            mode: a.mode.as_deref(),
            apply: a.apply.as_deref(),
            check: a.check.as_deref(),
            pack: &a.pack,
        })
    });
    lines(&mut text, "  \"files\": [", files, "]\n}\n");
    text.into_bytes()
}

fn sums_text(hashes: &BTreeMap<&str, Hash>) -> Vec<u8> {
    let mut text = String::with_capacity(hashes.len() * 110);
    for (path, hash) in hashes {
        text.push_str(&hash.hex());
        text.push_str("  ");
        text.push_str(path);
        text.push('\n');
    }
    text.into_bytes()
}

/// What a manifest on disk says: the files that an earlier build wrote, and the values that must stay.
#[derive(Debug, Default)]
pub struct Written {
    pub files: BTreeMap<String, Hash>,
    pub immutable: BTreeMap<String, String>,
}

impl Written {
    /// Reads a manifest. Errors say in a few words what is wrong with it; a path that leaves the folder is one.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Manifest {
            manifest: u32,
            #[serde(default)]
            immutable: BTreeMap<String, String>,
            files: Vec<File>,
        }
        #[derive(Deserialize)]
        struct File {
            path: String,
            sha256: String,
        }
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        if manifest.manifest > MANIFEST_VERSION {
            return Err(format!("its form is version {}, this `sitec` reads {MANIFEST_VERSION}", manifest.manifest));
        }
        let mut files = BTreeMap::new();
        for File { path, sha256 } in manifest.files {
            fault_of_path(&path).map_or(Ok(()), |fault| Err(format!("the path {path:?} {fault}")))?;
            let hash = Hash::from_hex(&sha256).ok_or_else(|| format!("`{path}` has no valid checksum"))?;
            files.insert(path, hash);
        }
        Ok(Self { files, immutable: manifest.immutable })
    }

    /// The checksums file that was written beside this manifest, whose own hash is given.
    pub(super) fn sums(&self, manifest: Hash) -> Vec<u8> {
        let mut listed: BTreeMap<&str, Hash> = self.files.iter().map(|(p, h)| (p.as_str(), *h)).collect();
        listed.insert(MANIFEST, manifest);
        sums_text(&listed)
    }
}

/// What is wrong with a path below the site's folder; `None` for one that stays inside, is written the same way by
/// every tool, and is not the name of a file that sealing adds.
pub fn fault_of_path(path: &str) -> Option<&'static str> {
    if path.is_empty() || path.split('/').any(|step| matches!(step, "" | "." | "..")) {
        return Some("is not a plain relative path");
    }
    if path.contains(|c: char| c.is_control() || c == '\\') {
        return Some("has a control character or a backslash");
    }
    if path.len() > 1024 || path.split('/').any(|step| step.len() > 255) {
        return Some("is too long for a file system");
    }
    if path.split('/').next().is_some_and(|first| first == MANIFEST || first == SUMS) {
        return Some("is the name of a file that `sitec` adds itself");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Immutable, Placement};

    fn tree() -> ArtifactTree {
        let artifact = |text: &str, mode: Option<&str>| Artifact {
            format: "text".into(),
            bytes: text.into(),
            placement: Placement::Carry,
            host: None,
            target: None,
            owner: None,
            mode: mode.map(Into::into),
            apply: None,
            check: None,
            pack: "base".into(),
        };
        ArtifactTree {
            site: "acme \"x\"".to_string(),
            files: [("b/run.sh", "#!/bin/sh\n", Some("0755")), ("a.txt", "hello\n", None), ("Z", "", None)]
                .map(|(p, t, m)| (p.to_string(), artifact(t, m)))
                .into(),
            immutable: [("/products/p/namespace", Some("ns")), ("/products/p/release", None)]
                .map(|(p, v)| (p.to_string(), Immutable { value: v.map(str::to_string), ..Immutable::default() }))
                .into(),
        }
    }

    #[test]
    fn manifest_is_json_and_reads_back() {
        let files = seal(&tree());
        let value: serde_json::Value = serde_json::from_slice(&files[MANIFEST]).expect("valid JSON");
        assert_eq!(value["site"], "acme \"x\"");
        assert_eq!(value["files"][2]["mode"], "0755");
        assert_eq!(value["files"].as_array().map(Vec::len), Some(3));
        let written = Written::read(&files[MANIFEST]).expect("own manifest");
        assert_eq!(written.immutable["/products/p/namespace"], "ns");
        assert_eq!(written.immutable.len(), 1, "what is unanswered can still be answered");
        assert_eq!(written.files["a.txt"], Hash::of(b"hello\n"));
        assert_eq!(written.sums(Hash::of(&files[MANIFEST])), files[SUMS]);
    }

    #[test]
    fn empty_tree_is_valid_json() {
        let files = seal(&ArtifactTree::default());
        let value: serde_json::Value = serde_json::from_slice(&files[MANIFEST]).expect("valid JSON");
        assert_eq!(value["files"], serde_json::json!([]));
    }

    #[test]
    fn sums_are_sorted_and_as_sha256sum_writes_them() {
        let files = seal(&tree());
        let text = String::from_utf8(files[SUMS].clone()).expect("text");
        let paths: Vec<&str> = text.lines().map(|l| &l[66..]).collect();
        assert_eq!(paths, ["MANIFEST.json", "Z", "a.txt", "b/run.sh"]);
        assert!(text.contains("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  a.txt\n"));
    }

    #[test]
    fn paths_that_leave_the_folder_have_a_fault() {
        for path in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/", "a\nb", "a\\b", MANIFEST, SUMS] {
            assert!(fault_of_path(path).is_some(), "{path:?}");
        }
        assert_eq!(fault_of_path("hosts/w01/root/etc/fstab"), None);
        assert!(Written::read(br#"{"manifest":1,"files":[{"path":"../x","sha256":""}]}"#).is_err());
        assert!(Written::read(br#"{"manifest":2,"files":[]}"#).is_err());
        assert!(Written::read(b"{").is_err());
    }
}
