//! What a build was about to do to an existing folder, kept beside it until it is done; and the doing, which can be
//! repeated from any point.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::disk::{Disk, Kind, kind_of, read};
use super::plan::ancestors;
use super::seal::{Hash, MANIFEST, SUMS, fault_of_path};
use super::trouble::Trouble;
use super::{Place, WriteError};

/// The steps of an update, in their order: files removed, folders left empty removed, files put in place, the
/// checksums and the manifest last.
#[derive(Debug, Serialize, Deserialize)]
pub struct Journal {
    /// The version of this form.
    journal: u32,
    pub remove: Vec<Removal>,
    pub empty: Vec<String>,
    pub put: Vec<Put>,
}

/// A file that goes, and the hash of what may be removed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Removal {
    pub path: String,
    pub old: String,
}

/// A file that comes: the `n`th one waits as `files/<n>` until it is renamed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Put {
    pub path: String,
    /// The hash of what may be replaced, if there is something.
    pub old: Option<String>,
    pub new: String,
}

impl Journal {
    pub fn new(remove: Vec<Removal>, empty: Vec<String>, put: Vec<Put>) -> Self {
        Self { journal: 1, remove, empty, put }
    }

    fn faulty(&self) -> bool {
        let mut paths = self.remove.iter().map(|r| &r.path).chain(&self.empty).chain(self.put.iter().map(|p| &p.path));
        self.journal != 1 || paths.any(|p| p != MANIFEST && p != SUMS && fault_of_path(p).is_some())
    }
}

/// Where an update waits.
pub fn staged(place: &Place, n: usize) -> Utf8PathBuf {
    place.staging.join("files").join(n.to_string())
}

fn file(place: &Place) -> Utf8PathBuf {
    place.staging.join("journal")
}

/// Whether an update has begun and not ended.
pub fn is_pending(place: &Place) -> Result<bool, WriteError> {
    Ok(kind_of(&place.staging)? == Some(Kind::Dir) && kind_of(&file(place))? == Some(Kind::File))
}

/// The point of no return: from here on the update is finished by whoever comes next.
pub fn commit(disk: &Disk, place: &Place, journal: &Journal) -> Result<(), WriteError> {
    let part = place.staging.join("journal.part");
    let text = serde_json::to_vec(journal).expect("strings always become JSON");
    disk.write(&part, &text, false)?;
    disk.rename(&part, &file(place))
}

/// Finishes the update that an earlier build began, if there is one; says whether there was.
pub fn finish_found(disk: &Disk, place: &Place, force: bool) -> Result<bool, WriteError> {
    if !is_pending(place)? {
        return Ok(false);
    }
    let (bytes, _) = read(&file(place))?;
    let journal = serde_json::from_slice::<Journal>(&bytes).ok().filter(|j| !j.faulty());
    // A journal that cannot be read, or whose folder is gone, can only be forgotten: the plan that follows compares
    // every file with the manifest anyway.
    if let (Some(journal), Some(Kind::Dir)) = (journal, kind_of(&place.target)?) {
        let troubles = troubles_of(&journal, place)?;
        Trouble::stop(troubles, force)?;
        apply(disk, place, &journal)?;
    } else {
        disk.remove(&file(place))?;
    }
    Ok(true)
}

/// What has changed in the folder since the journal was written and stands in its way.
fn troubles_of(journal: &Journal, place: &Place) -> Result<Vec<Trouble>, WriteError> {
    let mut troubles = Vec::new();
    let mut parents = BTreeSet::new();
    let mut judge = |path: &str, allowed: &[&str]| -> Result<(), WriteError> {
        for parent in Utf8Path::new(path).ancestors().skip(1).filter(|p| !p.as_str().is_empty()) {
            if parents.insert(parent.to_owned()) && kind_of(&place.target.join(parent))? == Some(Kind::Link) {
                troubles.push(Trouble::Link { path: parent.to_string() });
                return Ok(());
            }
        }
        match kind_of(&place.target.join(path))? {
            None => {}
            Some(Kind::File) => {
                let hash = Hash::of(&read(&place.target.join(path))?.0).hex();
                if !allowed.contains(&hash.as_str()) {
                    troubles.push(Trouble::Edited { path: path.to_string(), diff: None });
                }
            }
            Some(Kind::Link) => troubles.push(Trouble::Link { path: path.to_string() }),
            Some(kind) => troubles.push(Trouble::InTheWay { path: path.to_string(), kind, diff: None }),
        }
        Ok(())
    };
    let folders: BTreeSet<&str> = journal.put.iter().flat_map(|put| ancestors(&put.path)).collect();
    let going: BTreeSet<&str> = journal.empty.iter().map(String::as_str).collect();
    // A path can go as a file and come back as a folder, and the other way round.
    for removal in journal.remove.iter().filter(|r| !folders.contains(r.path.as_str())) {
        judge(&removal.path, &[&removal.old])?;
    }
    for (n, put) in journal.put.iter().enumerate() {
        if kind_of(&staged(place, n))?.is_some() && !going.contains(put.path.as_str()) {
            let old = put.old.as_deref().unwrap_or(&put.new);
            judge(&put.path, &[old, &put.new])?;
        }
    }
    Ok(troubles)
}

/// Does what the journal says and forgets it. Each step that is done already is passed over.
pub fn apply(disk: &Disk, place: &Place, journal: &Journal) -> Result<(), WriteError> {
    let target = &place.target;
    for removal in &journal.remove {
        if kind_of(&target.join(&removal.path))? == Some(Kind::File) {
            disk.remove(&target.join(&removal.path))?;
        }
    }
    for folder in &journal.empty {
        disk.remove_empty(&target.join(folder))?;
    }
    let mut made = BTreeSet::new();
    for (n, put) in journal.put.iter().enumerate() {
        let from = staged(place, n);
        if kind_of(&from)?.is_some() {
            make_parents(disk, target, &put.path, &mut made)?;
            disk.rename(&from, &target.join(&put.path))?;
        }
    }
    disk.remove(&file(place))
}

/// Makes the folders above a path below `root`, each once.
pub fn make_parents<'a>(
    disk: &Disk,
    root: &Utf8Path,
    path: &'a str,
    made: &mut BTreeSet<&'a str>,
) -> Result<(), WriteError> {
    let Some((parent, _)) = path.rsplit_once('/') else { return Ok(()) };
    if made.insert(parent) {
        make_parents(disk, root, parent, made)?;
        disk.make_dir(&root.join(parent))?;
    }
    Ok(())
}
