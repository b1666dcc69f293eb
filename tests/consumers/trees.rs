//! From the golden folder to the files of its trees, and from what judges say of them to one verdict.

use std::path::{Path, PathBuf};

use super::program::say;

/// One file of a tree.
#[derive(Clone, Debug)]
pub struct File {
    pub path: PathBuf,
    /// The folder of the tree.
    pub root: PathBuf,
    /// Below the tree, `/`-separated.
    pub name: String,
}

impl File {
    pub fn text(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap_or_else(|e| panic!("{}: {e}", self.path.display()))
    }

    /// The host of a file under `hosts/`, and where the file belongs there: `root/etc/exports`, `preflight.sh`.
    pub fn host(&self) -> Option<(&str, &str)> {
        self.name.strip_prefix("hosts/")?.split_once('/')
    }

    /// The path on its host of a file that is whole there or is merged into one: `etc/fstab`.
    pub fn target(&self) -> Option<&str> {
        let (_, rest) = self.host()?;
        rest.strip_prefix("root/").or_else(|| rest.strip_prefix("blocks/"))
    }
}

/// Every file of every tree that `select` wants, sorted.
pub fn files(select: impl Fn(&File) -> bool) -> Vec<File> {
    let golden = match std::env::var_os("SITEC_TREES") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("golden"),
    };
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(&golden).sort_by_file_name().into_iter().filter_map(Result::ok) {
        if entry.file_type().is_file() {
            let file = placed(&golden, entry.path());
            if select(&file) {
                files.push(file);
            }
        }
    }
    files
}

/// Finds the tree that a file is in: the nearest folder above it that holds a manifest or checksums, else the part of its
/// path before the first of a tree's own folders.
fn placed(golden: &Path, path: &Path) -> File {
    let own = ["hosts", "clusters", "helm", "images", "firewall"];
    let listed = |dir: &&Path| dir.join("MANIFEST.json").is_file() || dir.join("SHA256SUMS").is_file();
    let root = path.ancestors().skip(1).take_while(|dir| dir.starts_with(golden)).find(listed).map(Path::to_path_buf);
    let root = root.unwrap_or_else(|| {
        let below = path.strip_prefix(golden).expect("the walk began there");
        let head = below.components().take_while(|c| !own.iter().any(|o| c.as_os_str() == *o));
        let root = golden.join(head.collect::<PathBuf>());
        if root == path { path.parent().map(Path::to_path_buf).unwrap_or(root) } else { root }
    });
    let name = path.strip_prefix(&root).expect("a file is in its tree").to_string_lossy().replace('\\', "/");
    File { path: path.to_path_buf(), root, name }
}

/// Collects what a judge finds; all faults are shown at the end.
pub struct Verdict {
    judge: &'static str,
    seen: usize,
    faults: Vec<String>,
}

impl Verdict {
    pub fn new(judge: &'static str) -> Self {
        Self { judge, seen: 0, faults: Vec::new() }
    }

    /// One more file has been judged; an error says what is wrong with it.
    pub fn file(&mut self, file: &File, result: Result<(), String>) {
        self.seen += 1;
        if let Err(fault) = result {
            self.faults.push(format!("{}: {}", file.path.display(), fault.trim()));
        }
    }

    /// A sample that the judge must accept or refuse: what shows that it judges at all.
    pub fn sample(&mut self, good: bool, what: &str, result: Result<(), String>) {
        match (good, result) {
            (true, Err(fault)) => self.faults.push(format!("refuses a good sample ({what}): {}", fault.trim())),
            (false, Ok(())) => self.faults.push(format!("accepts a bad sample ({what})")),
            _ => {}
        }
    }

    pub fn end(self) {
        say(&format!("{}: {} files judged, {} refused", self.judge, self.seen, self.faults.len()));
        assert!(self.faults.is_empty(), "{}:\n{}", self.judge, self.faults.join("\n"));
    }
}

/// A folder for one file of a judge.
pub fn folder() -> tempfile::TempDir {
    // A short path: the names of sockets have 107 bytes at most.
    tempfile::Builder::new().prefix("cs").tempdir_in("/tmp").expect("a temporary folder")
}
