//! The packs that are part of the program, as `build.rs` found them.

use super::load::PackFiles;

include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// The names of the embedded packs, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

/// The files of an embedded pack; `None` when there is none of this name.
pub fn pack(name: &str) -> Option<PackFiles> {
    let (name, files) = EMBEDDED.iter().find(|(own, _)| *own == name)?;
    Some(PackFiles {
        name: (*name).into(),
        dir: format!("templates/{name}").into(),
        files: files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect(),
    })
}
