//! A sealed tree and a folder on disk in, what would have to change out; reads the disk, changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::disk::{Kind, read, survey};
use super::journal::{Put, Removal};
use super::seal::{Hash, MANIFEST, SUMS, Seal, Written, fault_of_path};
use super::trouble::Trouble;
use super::{Place, WriteError};
use crate::artifact::ArtifactTree;
use crate::review::text::unified;
use crate::spread::spread;

/// One file as it has to be.
pub struct Wanted<'a> {
    pub bytes: &'a [u8],
    pub hash: Hash,
    pub executable: bool,
}

/// Every file of the sealed tree by path; the two that seal it included.
pub type WantedFiles<'a> = BTreeMap<&'a str, Wanted<'a>>;

pub fn wanted<'a>(tree: &'a ArtifactTree, seal: &'a Seal) -> WantedFiles<'a> {
    let executable =
        |mode: Option<&str>| mode.and_then(|m| u32::from_str_radix(m, 8).ok()).is_some_and(|m| m & 0o111 != 0);
    let files = tree.files.iter().zip(&seal.hashes).map(|((path, a), hash)| {
        (path.as_str(), Wanted { bytes: &a.bytes, hash: *hash, executable: executable(a.mode.as_deref()) })
    });
    let added = [(MANIFEST, &seal.manifest), (SUMS, &seal.sums)]
        .map(|(path, bytes)| (path, Wanted { bytes, hash: Hash::of(bytes), executable: false }));
    files.chain(added).collect()
}

/// Paths of a tree that must not be written: those that leave the folder, and files where others need a folder.
pub fn unsafe_paths(tree: &ArtifactTree) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    for path in tree.files.keys() {
        let file_above = || ancestors(path).find(|a| tree.files.contains_key(*a));
        if let Some(fault) = fault_of_path(path) {
            troubles.push(Trouble::Unsafe { path: path.clone(), fault: fault.to_string() });
        } else if let Some(above) = file_above() {
            let fault = format!("lies below `{above}`, which is a file");
            troubles.push(Trouble::Unsafe { path: path.clone(), fault });
        }
    }
    troubles
}

/// The folders above a path, the nearest first.
pub fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/'), |(parent, _)| parent.rsplit_once('/')).map(|(parent, _)| parent)
}

/// What a folder on disk lacks to be the sealed tree.
#[derive(Default)]
pub struct Plan {
    /// Sorted by path, the checksums and the manifest last.
    pub puts: Vec<Put>,
    pub removals: Vec<Removal>,
    /// Folders that the removals may leave empty, deepest first.
    pub empty: Vec<String>,
    /// Unchanged files whose right to execute is not as it has to be, with what it has to be.
    pub modes: Vec<(String, bool)>,
    pub unchanged: usize,
    /// What is not ours, named by its topmost folder; folders end in `/`.
    pub foreign: Vec<String>,
    pub troubles: Vec<Trouble>,
}

/// What was found at the path of a file that is ours or is to be.
enum Found {
    Same { executable: bool },
    Differs(Hash),
}

/// Compares a folder with what it has to be. The folder exists and is no link.
pub fn plan(tree: &ArtifactTree, wanted: &WantedFiles<'_>, place: &Place, threads: usize) -> Result<Plan, WriteError> {
    let mut plan = Plan::default();
    let disk = survey(&place.target)?;
    let old = read_old(place, &disk, wanted, &mut plan.troubles)?;
    plan.troubles.extend(changed_immutable(tree, &old.immutable));
    let found = compare(wanted, &old, &disk, &place.target, threads)?;
    let ours: BTreeSet<&str> = wanted.keys().copied().chain(old.files.keys().map(String::as_str)).collect();
    let folders: BTreeSet<&str> = ours.iter().flat_map(|path| ancestors(path)).collect();
    let needed: BTreeSet<&str> = wanted.keys().flat_map(|path| ancestors(path)).collect();

    let going = |path: &str| old.files.contains_key(path) && !wanted.contains_key(path);
    for &folder in &folders {
        match disk.get(folder) {
            Some(Kind::Link) => plan.troubles.push(Trouble::Link { path: folder.to_string() }),
            Some(&kind @ (Kind::File | Kind::Other)) if needed.contains(folder) && !going(folder) => {
                let kind = if kind == Kind::File { Kind::Other } else { kind };
                plan.troubles.push(Trouble::InTheWay { path: folder.to_string(), kind, diff: None });
            }
            Some(Kind::Dir) if !needed.contains(folder) => plan.empty.push(folder.to_string()),
            _ => {}
        }
    }
    plan.empty.reverse();

    for (&path, want) in wanted {
        plan.judge_wanted(path, want, old.files.get(path), &disk, found.get(path), place, &going)?;
    }
    plan.puts.sort_by_key(|put| (put.path == MANIFEST, put.path == SUMS));
    for (path, hash) in old.files.iter().filter(|(path, _)| going(path)) {
        match (disk.get(path.as_str()), found.get(path.as_str())) {
            (Some(Kind::File), Some(Found::Differs(now))) => {
                if now != hash {
                    plan.troubles.push(Trouble::Edited { path: path.clone(), diff: None });
                }
                plan.removals.push(Removal { path: path.clone(), old: now.hex() });
            }
            (Some(Kind::Link), _) => plan.troubles.push(Trouble::Link { path: path.clone() }),
            _ => {}
        }
    }
    plan.foreign = foreign(&disk, &ours, &folders);
    Ok(plan)
}

impl Plan {
    #[expect(clippy::too_many_arguments, reason = "one file, seen from every side")]
    fn judge_wanted(
        &mut self,
        path: &str,
        want: &Wanted<'_>,
        old: Option<&Hash>,
        disk: &BTreeMap<String, Kind>,
        found: Option<&Found>,
        place: &Place,
        going: &impl Fn(&str) -> bool,
    ) -> Result<(), WriteError> {
        let put = |old| Put { path: path.to_string(), old, new: want.hash.hex() };
        match (disk.get(path), found) {
            (Some(Kind::File), Some(Found::Same { executable })) => {
                self.unchanged += 1;
                if *executable != want.executable {
                    self.modes.push((path.to_string(), want.executable));
                }
            }
            (Some(Kind::File), Some(Found::Differs(now))) => {
                if old != Some(now) {
                    let (bytes, _) = read(&place.target.join(path))?;
                    let names = (format!("{path} (as it would be written)"), format!("{path} (on disk)"));
                    let diff = Some(unified(&names.0, &names.1, want.bytes, &bytes));
                    let path = path.to_string();
                    self.troubles.push(match old {
                        Some(_) => Trouble::Edited { path, diff },
                        None => Trouble::InTheWay { path, kind: Kind::File, diff },
                    });
                }
                self.puts.push(put(Some(now.hex())));
            }
            (Some(Kind::Dir), _) => {
                let leaves = |p: &str, kind: Kind| going(p) || (kind == Kind::Dir && self.empty.iter().any(|e| e == p));
                let mut below = disk.range(format!("{path}/")..format!("{path}0"));
                if !leaves(path, Kind::Dir) || below.any(|(p, kind)| !leaves(p, *kind)) {
                    self.troubles.push(Trouble::InTheWay { path: path.to_string(), kind: Kind::Dir, diff: None });
                }
                self.puts.push(put(None));
            }
            (Some(Kind::Link), _) => self.troubles.push(Trouble::Link { path: path.to_string() }),
            (Some(&kind @ Kind::Other), _) => {
                self.troubles.push(Trouble::InTheWay { path: path.to_string(), kind, diff: None });
            }
            (None | Some(Kind::File), _) => self.puts.push(put(None)),
        }
        Ok(())
    }
}

/// Reads the manifest on disk, and tells whether it and the checksums are as they were written.
fn read_old(
    place: &Place,
    disk: &BTreeMap<String, Kind>,
    wanted: &WantedFiles<'_>,
    troubles: &mut Vec<Trouble>,
) -> Result<Written, WriteError> {
    if disk.get(MANIFEST) != Some(&Kind::File) {
        return Ok(Written::default());
    }
    let (manifest, _) = read(&place.target.join(MANIFEST))?;
    let mut old = match Written::read(&manifest) {
        Ok(written) => written,
        Err(fault) => {
            troubles.push(Trouble::Manifest { fault });
            return Ok(Written::default());
        }
    };
    let mut manifest_hash = Hash::of(&manifest);
    let mut sums = old.sums(manifest_hash);
    if disk.get(SUMS) == Some(&Kind::File) {
        let (written, _) = read(&place.target.join(SUMS))?;
        let as_written = String::from_utf8_lossy(&written)
            .lines()
            .find_map(|line| Hash::from_hex(line.strip_suffix(MANIFEST)?.strip_suffix("  ")?));
        // With both rewritten in one way the checksums still hold; otherwise one of the two was edited.
        if let Some(hash) = as_written.filter(|hash| *hash != manifest_hash) {
            manifest_hash = hash;
            sums = written;
        }
    }
    debug_assert!(wanted.contains_key(MANIFEST), "the wanted files are sealed");
    old.files.insert(MANIFEST.to_string(), manifest_hash);
    old.files.insert(SUMS.to_string(), Hash::of(&sums));
    Ok(old)
}

/// Values that a manifest has and the tree has otherwise, or has no more.
pub fn changed_immutable(tree: &ArtifactTree, old: &BTreeMap<String, String>) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    for (pointer, before) in old {
        let now = tree.immutable.get(pointer);
        if now.is_none_or(|now| now.value.as_ref() != Some(before)) {
            let product: String = pointer.split_inclusive('/').take(3).collect();
            let gone = now.is_none() && !tree.immutable.keys().any(|p| p.starts_with(&product));
            let (pointer, old) = (pointer.clone(), before.clone());
            troubles.push(Trouble::Immutable { pointer, old, new: now.cloned(), gone });
        }
    }
    troubles
}

/// Reads every file on disk that is ours or is to be.
fn compare<'a>(
    wanted: &WantedFiles<'a>,
    old: &'a Written,
    disk: &BTreeMap<String, Kind>,
    target: &Utf8Path,
    threads: usize,
) -> Result<BTreeMap<&'a str, Found>, WriteError> {
    let mut paths: BTreeSet<&'a str> = wanted.keys().copied().collect();
    paths.extend(old.files.keys().map(String::as_str));
    // Below a link nothing is read: `survey` has not gone there, so nothing there is in `disk`.
    let paths: Vec<&'a str> = paths.into_iter().filter(|path| disk.get(*path) == Some(&Kind::File)).collect();
    let results = spread(threads, &paths, |path| {
        let (bytes, executable) = read(&target.join(path))?;
        Ok(match wanted.get(path) {
            Some(want) if want.bytes == bytes => Found::Same { executable },
            _ => Found::Differs(Hash::of(&bytes)),
        })
    });
    paths.into_iter().zip(results).map(|(path, found)| Ok((path, found?))).collect()
}

/// What is on disk and not ours.
fn foreign(disk: &BTreeMap<String, Kind>, ours: &BTreeSet<&str>, folders: &BTreeSet<&str>) -> Vec<String> {
    let mut foreign: Vec<String> = Vec::new();
    for (path, kind) in disk {
        let known = ours.contains(path.as_str()) || (folders.contains(path.as_str()) && *kind != Kind::File);
        let named = ancestors(path).any(|a| disk.contains_key(a) && !folders.contains(a) && !ours.contains(a));
        if !known && !named {
            foreign.push(if *kind == Kind::Dir { format!("{path}/") } else { path.clone() });
        }
    }
    foreign
}
