//! Text of `SHA256SUMS` and `MANIFEST.json` → what they list; and whether that is exactly what is there.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::bugs::{At, Bugs};
use super::fault::{Fault, Read, plain_lines};
use crate::diag::Findings;

const MANIFEST: &str = "MANIFEST.json";
const SUMS: &str = "SHA256SUMS";

/// Reads a checksum file as `sha256sum --strict -c` does: path → 64 hexadecimal digits.
pub fn read(text: &str) -> Read<BTreeMap<String, String>> {
    let mut list = BTreeMap::new();
    for (i, text) in plain_lines(text)?.enumerate() {
        let (line, hex) = (i + 1, |s: &str| s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
        let Some((sum, path)) = text.split_once("  ").filter(|(s, p)| s.len() == 64 && hex(s) && !p.is_empty()) else {
            return Err(Fault::new(line, format!("`{text}` is not a checksum, two blanks and a path")));
        };
        if path.starts_with(['/', '\\', ' ', '*']) || path.split('/').any(|p| matches!(p, "" | "." | "..")) {
            return Err(Fault::new(line, format!("`{path}` is not a path below the folder")));
        }
        if list.insert(path.to_owned(), sum.to_owned()).is_some() {
            return Err(Fault::new(line, format!("`{path}` stands twice")));
        }
    }
    Ok(list)
}

/// Reads a manifest: path → checksum.
pub fn read_manifest(text: &str) -> Read<BTreeMap<String, String>> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|e| Fault::new(e.line(), "it is not JSON"))?;
    let files = json.get("files").and_then(|f| f.as_array()).ok_or_else(|| Fault::new(0, "it lists no files"))?;
    let mut list = BTreeMap::new();
    for file in files {
        let text = |key: &str| file.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        let (Some(path), Some(sum)) = (text("path"), text("sha256")) else {
            return Err(Fault::new(0, "a file without its path or checksum"));
        };
        if list.insert(path.clone(), sum).is_some() {
            return Err(Fault::new(0, format!("`{path}` stands twice")));
        }
    }
    Ok(list)
}

/// Whether a sealed folder is whole: the manifest lists every file but itself and the checksum file, the checksum file
/// every file but itself, and each checksum is right. `files` are all files of the folder by path.
pub fn sealed(files: &BTreeMap<String, Vec<u8>>, findings: &mut Findings) {
    let mut bugs = Bugs::new(findings);
    let sums: BTreeMap<&str, String> =
        files.iter().map(|(path, bytes)| (path.as_str(), hex(&Sha256::digest(bytes)))).collect();
    listed(SUMS, read, &[SUMS], files, &sums, &mut bugs);
    listed(MANIFEST, read_manifest, &[SUMS, MANIFEST], files, &sums, &mut bugs);
}

fn listed(
    name: &str,
    reader: fn(&str) -> Read<BTreeMap<String, String>>,
    unlisted: &[&str],
    files: &BTreeMap<String, Vec<u8>>,
    sums: &BTreeMap<&str, String>,
    bugs: &mut Bugs,
) {
    let text = files.get(name).map(|bytes| String::from_utf8_lossy(bytes));
    let Some(text) = text else { return bugs.missing(name, "everything: it is not there") };
    let mut list = match reader(&text) {
        Ok(list) => list,
        Err(fault) => return bugs.unreadable(name, &fault),
    };
    let at = At { path: name, line: 0 };
    for (path, sum) in sums.iter().filter(|(path, _)| !unlisted.contains(path)) {
        match list.remove(*path) {
            None => bugs.missing(name, &format!("the file `{path}`")),
            Some(other) => bugs.same(at, &|| format!("the checksum of `{path}`"), &other, sum, &|s| s.clone()),
        }
    }
    for path in list.keys() {
        bugs.extra(at, &format!("the file `{path}`"));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
