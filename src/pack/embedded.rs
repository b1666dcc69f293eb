//! The packs that are part of the program, as `build.rs` found them.

use super::load::PackFiles;

include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// The files of every embedded pack, sorted by name.
pub fn embedded() -> Vec<PackFiles> {
    let pack = |(name, files): &(&str, &[(&str, &str)])| PackFiles {
        name: (*name).into(),
        dir: format!("templates/{name}").into(),
        files: files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect(),
    };
    EMBEDDED.iter().map(pack).collect()
}
