//! The operations that change the disk, each one idempotent and with modes that no umask changes; and what stands
//! where, without following symbolic links.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};

use super::WriteError;

/// What stands at a path, a symbolic link being a thing of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Dir,
    Link,
    /// A socket, a device, a pipe.
    Other,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::File => "a file",
            Kind::Dir => "a folder",
            Kind::Link => "a symbolic link",
            Kind::Other => "neither a file nor a folder",
        }
    }
}

impl From<fs::FileType> for Kind {
    fn from(kind: fs::FileType) -> Self {
        match (kind.is_symlink(), kind.is_dir(), kind.is_file()) {
            (true, _, _) => Kind::Link,
            (_, true, _) => Kind::Dir,
            (_, _, true) => Kind::File,
            _ => Kind::Other,
        }
    }
}

/// What stands at `path`; `None` where nothing does.
pub fn kind_of(path: &Utf8Path) -> Result<Option<Kind>, WriteError> {
    match fs::symlink_metadata(path) {
        Ok(data) => Ok(Some(data.file_type().into())),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(WriteError::io("look at", path, e)),
    }
}

/// Everything below a folder that is itself no link, by path relative to it. Names that are not UTF-8 appear with
/// replacement characters: they are never ours.
pub fn survey(root: &Utf8Path) -> Result<BTreeMap<String, Kind>, WriteError> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root).min_depth(1).follow_links(false).follow_root_links(false) {
        let entry = entry.map_err(|e| {
            let path = e.path().map_or_else(|| root.to_string(), |p| p.to_string_lossy().into_owned());
            WriteError::io("look at", Utf8Path::new(&path), e.into())
        })?;
        let path = entry.path().strip_prefix(root.as_std_path()).unwrap_or(entry.path());
        let steps: Vec<_> = path.iter().map(|step| step.to_string_lossy()).collect();
        found.insert(steps.join("/"), entry.file_type().into());
    }
    Ok(found)
}

/// The bytes of a file, and whether its owner may execute it.
pub fn read(path: &Utf8Path) -> Result<(Vec<u8>, bool), WriteError> {
    let both = || {
        let mut file = File::open(path)?;
        let data = file.metadata()?;
        let mut bytes = Vec::with_capacity(usize::try_from(data.len()).unwrap_or(0));
        io::Read::read_to_end(&mut file, &mut bytes)?;
        Ok((bytes, is_executable(&data)))
    };
    both().map_err(|e| WriteError::io("read", path, e))
}

/// The one way to the disk. In tests it fails for good after a given number of operations, as a kill would.
pub struct Disk {
    #[cfg(test)]
    pub fuel: std::sync::atomic::AtomicUsize,
}

/// How often a folder that another build keeps taking away is made again.
const RETRIES: usize = 1000;

impl Disk {
    pub fn new() -> Self {
        Self {
            #[cfg(test)]
            fuel: usize::MAX.into(),
        }
    }

    #[cfg(test)]
    fn spend(&self) -> io::Result<()> {
        use std::sync::atomic::Ordering::SeqCst;
        let spent = self.fuel.fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1));
        spent.map(|_| ()).map_err(|_| io::Error::other("killed"))
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the test build counts here")]
    fn spend(&self) -> io::Result<()> {
        Ok(())
    }

    /// Makes a folder with mode 0755; one that is there already stays as it is.
    pub fn make_dir(&self, path: &Utf8Path) -> Result<(), WriteError> {
        let make = || {
            self.spend()?;
            match fs::create_dir(path) {
                Ok(()) if has_mode(&fs::symlink_metadata(path)?, 0o755) => Ok(()),
                Ok(()) => set_mode(&File::open(path)?, 0o755),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && fs::symlink_metadata(path)?.is_dir() => Ok(()),
                Err(e) => Err(e),
            }
        };
        // Another build may take the folder away between two of these steps; its parent is there.
        let mut made = make();
        for _ in 0..RETRIES {
            match &made {
                Err(e) if e.kind() == io::ErrorKind::NotFound && path.parent().is_none_or(|p| p.is_dir()) => {
                    made = make()
                }
                _ => break,
            }
        }
        made.map_err(|e| WriteError::io("make the folder", path, e))
    }

    /// Makes a new file with mode 0755 or 0644.
    pub fn write(&self, path: &Utf8Path, bytes: &[u8], executable: bool) -> Result<(), WriteError> {
        let write = || {
            let mode = if executable { 0o755 } else { 0o644 };
            if let Err(killed) = self.spend() {
                if let Ok(mut file) = create(path, mode) {
                    file.write_all(&bytes[..bytes.len() / 2])?;
                }
                return Err(killed);
            }
            let mut file = create(path, mode)?;
            file.write_all(bytes)?;
            set_mode(&file, mode)
        };
        write().map_err(|e| WriteError::io("write", path, e))
    }

    /// Sets or clears the right to execute.
    pub fn set_executable(&self, path: &Utf8Path, executable: bool) -> Result<(), WriteError> {
        let set = || {
            self.spend()?;
            set_mode(&File::open(path)?, if executable { 0o755 } else { 0o644 })
        };
        set().map_err(|e| WriteError::io("change the mode of", path, e))
    }

    /// Puts `from` in the place of `to`.
    pub fn rename(&self, from: &Utf8Path, to: &Utf8Path) -> Result<(), WriteError> {
        self.spend().and_then(|()| fs::rename(from, to)).map_err(|e| WriteError::io("put in place", to, e))
    }

    /// Removes a file that may be gone already.
    pub fn remove(&self, path: &Utf8Path) -> Result<(), WriteError> {
        match self.spend().and_then(|()| fs::remove_file(path)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(WriteError::io("remove", path, e)),
            _ => Ok(()),
        }
    }

    /// Removes a folder if it is empty.
    pub fn remove_empty(&self, path: &Utf8Path) -> Result<(), WriteError> {
        use io::ErrorKind::{DirectoryNotEmpty, NotADirectory, NotFound};
        match self.spend().and_then(|()| fs::remove_dir(path)) {
            Err(e) if !matches!(e.kind(), NotFound | DirectoryNotEmpty | NotADirectory) => {
                Err(WriteError::io("remove", path, e))
            }
            _ => Ok(()),
        }
    }

    /// Removes a folder with everything in it, links as links.
    pub fn remove_all(&self, path: &Utf8Path) -> Result<(), WriteError> {
        match self.spend().and_then(|()| fs::remove_dir_all(path)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(WriteError::io("remove", path, e)),
            _ => Ok(()),
        }
    }

    /// Makes the folder and waits until no other process holds it. The lock ends with the file, or with the process.
    /// `None` where the file system knows no locks.
    pub fn lock(&self, folder: &Utf8PathBuf) -> Result<Option<File>, WriteError> {
        loop {
            self.make_dir(folder)?;
            let Ok(file) = File::open(folder) else { continue };
            if file.lock().is_err() {
                return Ok(None);
            }
            // The one who held it before may have removed it: then the lock is on a folder that has no name.
            if same_file(&file, folder) {
                return Ok(Some(file));
            }
        }
    }
}

#[cfg(unix)]
fn is_executable(data: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    data.mode() & 0o100 != 0
}

#[cfg(unix)]
fn create(path: &Utf8Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().write(true).create_new(true).mode(mode).open(path)
}

/// Sets the mode where the umask, or an access list of the folder, has made another of it.
#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if has_mode(&file.metadata()?, mode) {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(unix)]
fn has_mode(data: &fs::Metadata, mode: u32) -> bool {
    std::os::unix::fs::MetadataExt::mode(data) & 0o777 == mode
}

#[cfg(unix)]
fn same_file(file: &File, path: &Utf8Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

#[cfg(not(unix))]
fn create(path: &Utf8Path, _: u32) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn has_mode(_: &fs::Metadata, _: u32) -> bool {
    true
}

#[cfg(not(unix))]
fn same_file(_: &File, _: &Utf8Path) -> bool {
    true
}
