//! Paths in, compilations out: finds specs, reads packs of the user's own, compiles several specs at once.

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::Utf8Path;
use walkdir::WalkDir;

use super::progress::Progress;
use super::{Shell, Stop};
use crate::compile::{Compilation, Depth, Inputs, PackFiles, compile_at};
use crate::diag::levels::Levels;
use crate::fix::{Fixed, fix};
use crate::parse::SIZE_LIMIT;
use crate::spread;

/// The name of a spec in a fleet.
const SPEC: &str = "site.yaml";

/// The packs that a run may use, and the means to compile with them.
pub struct Project {
    pub packs: Vec<PackFiles>,
    /// What findings are to count as.
    pub levels: Levels,
    threads: usize,
}

impl Project {
    /// Reads the folders of packs that the user names.
    pub fn read(folders: &[camino::Utf8PathBuf], threads: usize) -> Result<Self, Stop> {
        let mut packs = Vec::new();
        for folder in folders {
            let before = packs.len();
            packs.extend(packs_in(folder)?);
            if packs.len() == before {
                return Err(Stop::Usage(format!("`{folder}` has no folder with a `pack.toml`")));
            }
        }
        Ok(Self { packs, levels: Levels::default(), threads })
    }

    /// Compiles one spec.
    pub fn compile(&self, spec: &Utf8Path, depth: Depth) -> Result<Compilation, Stop> {
        if spec.is_dir() {
            return Err(Stop::Usage(format!("`{spec}` is a folder, and this command takes one spec")));
        }
        let progress = Progress::begin(format!("compiling {spec}"));
        let compilation = self.compile_file(spec.as_str(), depth);
        progress.end();
        compilation
    }

    /// Compiles a spec, or every spec below a folder, each on its own; results in the order of the paths.
    pub fn compile_all(&self, path: &Utf8Path, depth: Depth) -> Result<Vec<(String, Compilation)>, Stop> {
        let specs = specs(path)?;
        let progress = Progress::begin(match specs.len() {
            1 => format!("compiling {path}"),
            n => format!("compiling {n} sites below {path}"),
        });
        let results: Vec<Mutex<Option<Result<Compilation, Stop>>>> = specs.iter().map(|_| Mutex::default()).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((spec, result)) = {
                let n = next.fetch_add(1, Ordering::Relaxed);
                specs.get(n).zip(results.get(n))
            } {
                let compilation = self.compile_file(spec, depth);
                *result.lock().expect("a panic ends the whole program") = Some(compilation);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.threads().min(specs.len()) {
                scope.spawn(work);
            }
            work();
        });
        progress.end();
        let taken = results.into_iter().map(|r| r.into_inner().expect("a panic ends the whole program"));
        let compilations = taken.map(|r| r.expect("every spec was taken by a thread"));
        specs.into_iter().zip(compilations).map(|(spec, c)| Ok((spec, c?))).collect()
    }

    fn threads(&self) -> usize {
        spread::allowed(self.threads)
    }

    /// Applies to a spec, in memory, what is safe of what its findings offer.
    pub fn fix(&self, spec: &str, depth: Depth) -> Result<Fixed, Stop> {
        // Only to have an unreadable spec refused in the same words.
        read(spec).map_err(|e| Stop::Usage(format!("cannot read `{spec}`: {e}")))?;
        let read = |path: &str| read(path).map_err(|e| e.to_string());
        let inputs = Inputs { entry: spec.to_string(), read: &read, packs: &self.packs, depth, threads: self.threads };
        Ok(fix(&inputs, &self.levels))
    }

    fn compile_file(&self, spec: &str, depth: Depth) -> Result<Compilation, Stop> {
        let text = read(spec).map_err(|e| Stop::Usage(format!("cannot read `{spec}`: {e}")))?;
        let text = Mutex::new(Some(text));
        let read = |path: &str| {
            let first = if path == spec { text.lock().ok().and_then(|mut text| text.take()) } else { None };
            first.map_or_else(|| read(path).map_err(|e| e.to_string()), Ok)
        };
        let inputs = Inputs { entry: spec.to_string(), read: &read, packs: &self.packs, depth, threads: self.threads };
        Ok(compile_at(&inputs, &self.levels))
    }
}

impl Shell {
    /// Compiles what a command's argument names, with the packs of this run.
    pub(super) fn compile(&self, spec: &Utf8Path, depth: Depth) -> Result<Compilation, Stop> {
        self.project()?.compile(spec, depth)
    }
}

/// Reads a file, at most one byte beyond what the compiler takes.
fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(SIZE_LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The spec itself, or all that a folder holds, sorted.
pub(super) fn specs(path: &Utf8Path) -> Result<Vec<String>, Stop> {
    if !path.is_dir() {
        return Ok(vec![path.to_string()]);
    }
    let mut specs = Vec::new();
    for entry in WalkDir::new(path).sort_by_file_name() {
        let entry = entry.map_err(|e| Stop::Usage(format!("cannot read `{path}`: {e}")))?;
        if entry.file_name() == SPEC && !entry.file_type().is_dir() {
            let spec = entry.path().to_str();
            let no_text = || Stop::Usage(format!("`{}` is no UTF-8 path", entry.path().display()));
            specs.push(spec.ok_or_else(no_text)?.to_string());
        }
    }
    if specs.is_empty() {
        return Err(Stop::Usage(format!("there is no `{SPEC}` below `{path}`")));
    }
    Ok(specs)
}

/// The packs in a folder, by name.
fn packs_in(folder: &Utf8Path) -> Result<Vec<PackFiles>, Stop> {
    let refuse = |e: io::Error| Stop::Usage(format!("cannot read the packs in `{folder}`: {e}"));
    let mut names = Vec::new();
    for entry in folder.read_dir_utf8().map_err(refuse)? {
        let entry = entry.map_err(refuse)?;
        if entry.path().join("pack.toml").is_file() {
            names.push(entry.file_name().to_string());
        }
    }
    names.sort();
    names.into_iter().map(|name| pack(&folder.join(&name), &name)).collect()
}

fn pack(dir: &Utf8Path, name: &str) -> Result<PackFiles, Stop> {
    let mut files = Vec::new();
    for entry in WalkDir::new(dir).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|e| Stop::Usage(format!("cannot read the pack `{dir}`: {e}")))?;
        let Some(path) = Utf8Path::from_path(entry.path()).filter(|_| entry.file_type().is_file()) else { continue };
        // Notes and pictures of a pack's author are no part of it, nor is what is made from it.
        let made = path.file_name() == Some(super::coverage::FILE);
        if made || !matches!(path.extension(), Some("toml" | "json" | "j2" | "md")) {
            continue;
        }
        let bytes = read(path.as_str()).map_err(|e| Stop::Usage(format!("cannot read `{path}`: {e}")))?;
        let text = String::from_utf8(bytes).map_err(|_| Stop::Usage(format!("`{path}` is not UTF-8 text")))?;
        let below = path.strip_prefix(dir).unwrap_or(path);
        files.push((below.as_str().into(), text.into()));
    }
    Ok(PackFiles { name: name.into(), dir: dir.as_str().into(), files })
}
