//! Artifact tree in, files on disk out: a new folder by one rename, an existing one through a journal, never touching
//! what is not ours.
//!
//! A build that is killed leaves either the old folder, or a journal that the next build finishes. Nothing is synced:
//! this holds against a kill, not against a power failure.

mod disk;
mod journal;
mod plan;
mod seal;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::artifact::ArtifactTree;
use crate::diag::{Diag, Findings, codes};
use disk::{Disk, Kind, kind_of};
use journal::Journal;
use plan::{Plan, WantedFiles};
pub use seal::{MANIFEST, SUMS, seal};
use seal::{Seal, Written, fault_of_path};
use trouble::Trouble;

/// How to write.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Replace what was edited by hand, and files of others that stand in the way.
    pub force: bool,
    /// The most threads to use; 0 leaves it to the machine.
    pub threads: usize,
}

/// What a build has done to the folder. Lists are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// `<out>/<site>`.
    pub folder: Utf8PathBuf,
    pub created: Vec<String>,
    pub replaced: Vec<String>,
    pub pruned: Vec<String>,
    pub unchanged: usize,
    /// What is in the folder and not ours, named by its topmost folder; folders end in `/`.
    pub foreign: Vec<String>,
    /// Whether the build before was interrupted, and has been finished now.
    pub finished: bool,
}

/// Why nothing was written, or not everything.
#[derive(Debug)]
pub enum WriteError {
    /// The folder is not as an earlier build has left it; nothing was written.
    Findings(Findings),
    /// The system refused an operation. What had been begun is finished, or forgotten, by the next build.
    Io { doing: &'static str, path: Utf8PathBuf, source: io::Error },
}

impl WriteError {
    fn io(doing: &'static str, path: &Utf8Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Findings(findings) => write!(f, "{} findings keep the tree from being written", findings.len()),
            WriteError::Io { doing, path, source } => write!(f, "cannot {doing} `{path}`: {source}"),
        }
    }
}

impl std::error::Error for WriteError {}

/// Where a site is written, and where an update of it waits.
struct Place {
    target: Utf8PathBuf,
    staging: Utf8PathBuf,
}

impl Place {
    fn of(site: &str, out: &Utf8Path) -> Result<Self, WriteError> {
        let hidden = site.starts_with('.').then_some("begins with a dot");
        let several = site.contains('/').then_some("has several parts");
        if let Some(fault) = hidden.or(several).or_else(|| fault_of_path(site)) {
            Trouble::stop(vec![Trouble::Unsafe { path: site.to_string(), fault: fault.to_string() }], false)?;
        }
        Ok(Self { target: out.join(site), staging: out.join(format!(".{site}.sitec")) })
    }
}

/// Writes the tree to `<out>/<site>/`, sealed with `MANIFEST.json` and `SHA256SUMS`.
///
/// Only files that the manifest on disk lists are replaced or removed, files that are equal are not touched, symbolic
/// links are not followed.
pub fn write(tree: &ArtifactTree, out: &Utf8Path, options: Options) -> Result<Report, WriteError> {
    write_on(&Disk::new(), tree, out, options)
}

fn write_on(disk: &Disk, tree: &ArtifactTree, out: &Utf8Path, options: Options) -> Result<Report, WriteError> {
    let place = Place::of(&tree.site, out)?;
    Trouble::stop(plan::unsafe_paths(tree), false)?;
    let seal = Seal::of(tree, options.threads);
    let wanted = plan::wanted(tree, &seal);
    if kind_of(&place.staging)? == Some(Kind::Link) {
        Trouble::stop(vec![Trouble::Link { path: place.staging.to_string() }], false)?;
    }
    std::fs::create_dir_all(out).map_err(|e| WriteError::io("make the folder", out, e))?;
    let lock = disk.lock(&place.staging)?;
    let result = write_locked(disk, tree, &wanted, &place, options);
    let cleared = match journal::is_pending(&place) {
        Ok(false) => disk.remove_all(&place.staging),
        pending => pending.map(|_| ()),
    };
    drop(lock);
    result.and_then(|report| cleared.map(|()| report))
}

fn write_locked(
    disk: &Disk,
    tree: &ArtifactTree,
    wanted: &WantedFiles<'_>,
    place: &Place,
    options: Options,
) -> Result<Report, WriteError> {
    let finished = journal::finish_found(disk, place, options.force)?;
    for rest in ["files", "new"] {
        disk.remove_all(&place.staging.join(rest))?;
    }
    disk.remove(&place.staging.join("journal.part"))?;
    let mut report = match kind_of(&place.target)? {
        None => write_new(disk, wanted, place, options)?,
        Some(Kind::Dir) => update(disk, tree, wanted, place, options)?,
        Some(kind) => {
            let path = place.target.to_string();
            let trouble = match kind {
                Kind::Link => Trouble::Link { path },
                _ => Trouble::InTheWay { path, kind: Kind::Other, diff: None },
            };
            Trouble::stop(vec![trouble], false)?;
            Report::default()
        }
    };
    report.folder = place.target.clone();
    report.finished = finished;
    Ok(report)
}

/// Writes everything beside the place, then renames once.
fn write_new(disk: &Disk, wanted: &WantedFiles<'_>, place: &Place, options: Options) -> Result<Report, WriteError> {
    let fresh = place.staging.join("new");
    disk.make_dir(&fresh)?;
    let mut made = BTreeSet::new();
    for path in wanted.keys() {
        journal::make_parents(disk, &fresh, path, &mut made)?;
    }
    let files: Vec<_> = wanted.iter().collect();
    let results = crate::spread::spread(options.threads, &files, |(path, w)| {
        disk.write(&fresh.join(path), w.bytes, w.executable)
    });
    results.into_iter().collect::<Result<(), _>>()?;
    disk.rename(&fresh, &place.target)?;
    Ok(Report { created: wanted.keys().map(ToString::to_string).collect(), ..Report::default() })
}

/// Stages what changes, commits to it by the journal, carries it out.
fn update(
    disk: &Disk,
    tree: &ArtifactTree,
    wanted: &WantedFiles<'_>,
    place: &Place,
    options: Options,
) -> Result<Report, WriteError> {
    let Plan { puts, removals, empty, modes, unchanged, foreign, troubles } =
        plan::plan(tree, wanted, place, options.threads)?;
    Trouble::stop(troubles, options.force)?;
    for (path, executable) in &modes {
        disk.set_executable(&place.target.join(path), *executable)?;
    }
    let mut report = Report { unchanged, foreign, ..Report::default() };
    if puts.is_empty() && removals.is_empty() {
        return Ok(report);
    }
    disk.make_dir(&place.staging.join("files"))?;
    let numbered: Vec<_> = puts.iter().enumerate().collect();
    let results = crate::spread::spread(options.threads, &numbered, |(n, put)| {
        let want = &wanted[put.path.as_str()];
        disk.write(&journal::staged(place, *n), want.bytes, want.executable)
    });
    results.into_iter().collect::<Result<(), _>>()?;
    let journal = Journal::new(removals, empty, puts);
    journal::commit(disk, place, &journal)?;
    journal::apply(disk, place, &journal)?;
    let paths = |replaced: bool| {
        let mut paths: Vec<String> =
            journal.put.iter().filter(|p| p.old.is_some() == replaced).map(|p| p.path.clone()).collect();
        paths.sort();
        paths
    };
    report.created = paths(false);
    report.replaced = paths(true);
    report.pruned = journal.remove.into_iter().map(|r| r.path).collect();
    Ok(report)
}

/// How a folder on disk differs from what a build would leave there. Lists are sorted.
#[derive(Debug, Default)]
pub struct Staleness {
    /// `<out>/<site>`.
    pub folder: Utf8PathBuf,
    /// There is no such folder.
    pub absent: bool,
    /// A build was interrupted and its journal waits to be finished.
    pub unfinished: bool,
    /// Files that the tree has and the folder lacks.
    pub missing: Vec<String>,
    /// Files as an earlier build wrote them, which the tree has otherwise.
    pub stale: Vec<String>,
    /// Files of an earlier build that the tree no longer has.
    pub obsolete: Vec<String>,
    /// Files that are as they should be but for the right to execute.
    pub modes: Vec<String>,
    /// What is not ours, named by its topmost folder; folders end in `/`.
    pub strays: Vec<String>,
    /// What would keep a build from writing: hand edits, links, things in the way.
    pub obstacles: Findings,
}

impl Staleness {
    /// Whether the folder is exactly what a build would leave there.
    pub fn is_fresh(&self) -> bool {
        self.findings().is_empty()
    }

    /// The same as findings: the obstacles, then one finding per kind of difference.
    pub fn findings(&self) -> Findings {
        let mut findings = self.obstacles.clone();
        if self.unfinished {
            findings.push(
                Diag::new(codes::UNFINISHED_OUTPUT, format!("`{}` was left by an interrupted build", self.folder))
                    .help("build again without `--check`: it finishes what was begun"),
            );
        }
        if self.absent {
            let message = format!("`{}` does not exist", self.folder);
            findings.push(Diag::new(codes::STALE_OUTPUT, message).help("build without `--check`"));
            return findings;
        }
        let mut differ = |what: &str, paths: &[String]| {
            if !paths.is_empty() {
                let message = format!("`{}` is not up to date: {what}", self.folder);
                findings.push(listed(Diag::new(codes::STALE_OUTPUT, message), paths).help("build without `--check`"));
            }
        };
        differ("files are missing", &self.missing);
        differ("files differ", &self.stale);
        differ("files no longer belong to the site", &self.obsolete);
        differ("scripts are not executable", &self.modes);
        if !self.strays.is_empty() {
            let message = format!("`{}` has files that `sitec` has not written", self.folder);
            let diag = Diag::new(codes::STRAY_FILE, message).help("move them out of the folder");
            findings.push(listed(diag, &self.strays));
        }
        findings
    }
}

/// Names the first of many paths.
fn listed(diag: Diag, paths: &[String]) -> Diag {
    const SHOWN: usize = 20;
    let mut text = paths.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n");
    if paths.len() > SHOWN {
        text.push_str(&format!("\n… and {} more", paths.len() - SHOWN));
    }
    diag.note(text)
}

/// Compares `<out>/<site>/` with what [`write`] would leave there; writes nothing.
pub fn check(tree: &ArtifactTree, out: &Utf8Path, threads: usize) -> Result<Staleness, WriteError> {
    let place = Place::of(&tree.site, out)?;
    Trouble::stop(plan::unsafe_paths(tree), false)?;
    let mut staleness = Staleness { folder: place.target.clone(), ..Staleness::default() };
    staleness.unfinished = journal::is_pending(&place)?;
    match kind_of(&place.target)? {
        Some(Kind::Dir) => {}
        None => {
            staleness.absent = true;
            return Ok(staleness);
        }
        Some(kind) => {
            let path = place.target.to_string();
            let trouble = match kind {
                Kind::Link => Trouble::Link { path },
                kind => Trouble::InTheWay { path, kind, diff: None },
            };
            staleness.obstacles.push(trouble.diag());
            return Ok(staleness);
        }
    }
    let seal = Seal::of(tree, threads);
    let plan = plan::plan(tree, &plan::wanted(tree, &seal), &place, threads)?;
    let in_trouble: BTreeSet<&str> = plan.troubles.iter().filter_map(Trouble::path).collect();
    for put in plan.puts.iter().filter(|put| !in_trouble.contains(put.path.as_str())) {
        let list = if put.old.is_some() { &mut staleness.stale } else { &mut staleness.missing };
        list.push(put.path.clone());
    }
    staleness.stale.sort();
    staleness.missing.sort();
    let obsolete = plan.removals.iter().filter(|r| !in_trouble.contains(r.path.as_str()));
    staleness.obsolete = obsolete.map(|r| r.path.clone()).collect();
    // A script that nobody can run is a fault; a right too many, as some file systems give to every file, is none.
    staleness.modes = plan.modes.into_iter().filter(|(_, executable)| *executable).map(|(path, _)| path).collect();
    staleness.strays = plan.foreign;
    for trouble in plan.troubles {
        staleness.obstacles.push(trouble.diag());
    }
    Ok(staleness)
}

/// The files of `<out>/<site>/` that an earlier build wrote, as they are now, with the manifest and the checksums;
/// those that are missing, or no regular files, are left out. Empty where there is no readable manifest.
pub fn on_disk(site: &str, out: &Utf8Path) -> Result<BTreeMap<String, Vec<u8>>, WriteError> {
    let place = Place::of(site, out)?;
    let mut files = BTreeMap::new();
    if kind_of(&place.target)? != Some(Kind::Dir) {
        return Ok(files);
    }
    let disk = disk::survey(&place.target)?;
    let mut take = |path: &str| -> Result<Option<Vec<u8>>, WriteError> {
        if disk.get(path) != Some(&Kind::File) {
            return Ok(None);
        }
        let (bytes, _) = disk::read(&place.target.join(path))?;
        files.insert(path.to_string(), bytes.clone());
        Ok(Some(bytes))
    };
    let written = take(MANIFEST)?.and_then(|manifest| Written::read(&manifest).ok()).unwrap_or_default();
    take(SUMS)?;
    for path in written.files.keys() {
        take(path)?;
    }
    Ok(files)
}

/// What a tree changes of the values that its forerunner's manifest says cannot change; empty for a manifest that
/// cannot be read.
pub fn immutable_changes(tree: &ArtifactTree, manifest: &[u8]) -> Findings {
    let written = Written::read(manifest).unwrap_or_default();
    let mut findings = Findings::default();
    for trouble in plan::changed_immutable(tree, &written.immutable) {
        findings.push(trouble.diag());
    }
    findings
}
