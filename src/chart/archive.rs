//! The bytes of a gzipped tar archive in, its plain files by path out; whatever is no chart is refused in words.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

/// The most bytes that all files of an archive may have, and those of archives in it.
pub const UNPACKED_LIMIT: u64 = 64 << 20;
/// The most files of an archive.
const FILES_LIMIT: usize = 20_000;
/// The longest path of a file.
const PATH_LIMIT: usize = 1024;

/// What is left to unpack; archives inside an archive share it.
pub struct Budget {
    pub bytes: u64,
    pub files: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: UNPACKED_LIMIT, files: FILES_LIMIT }
    }
}

/// The files of an archive.
pub fn unpack(bytes: &[u8], budget: &mut Budget) -> Result<BTreeMap<String, Vec<u8>>, String> {
    if bytes.get(..2) != Some(&[0x1f, 0x8b]) {
        return Err("it is not compressed with gzip, as `helm package` does".to_owned());
    }
    // One byte more than what is allowed tells that there is too much; nothing beyond it is ever unpacked.
    let mut text = Vec::new();
    let mut reader = MultiGzDecoder::new(Cursor::new(bytes)).take(budget.bytes + 1);
    reader.read_to_end(&mut text).map_err(|e| format!("its compression is broken: {e}"))?;
    let length = text.len() as u64;
    if length > budget.bytes {
        return Err(format!("it unpacks to more than {} MiB", UNPACKED_LIMIT >> 20));
    }
    budget.bytes -= length;
    let mut files = BTreeMap::new();
    let broken = |e: std::io::Error| format!("it is no tar archive, or a broken one: {e}");
    for entry in Archive::new(Cursor::new(text)).entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path_bytes().into_owned();
        let path = String::from_utf8(path).map_err(|_| "the path of a file in it is not UTF-8".to_owned())?;
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory | EntryType::XGlobalHeader | EntryType::XHeader => continue,
            EntryType::Symlink | EntryType::Link => {
                return Err(format!("{} in it is a link, which leads out of the archive", show(&path)));
            }
            _ => return Err(format!("{} in it is no plain file", show(&path))),
        }
        let path = safe(&path)?;
        budget.files = budget.files.checked_sub(1).ok_or(format!("it has more than {FILES_LIMIT} files"))?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        if files.insert(path.clone(), content).is_some() {
            return Err(format!("{} is in it twice", show(&path)));
        }
    }
    Ok(files)
}

/// A path that stays below the folder that it is unpacked to.
fn safe(path: &str) -> Result<String, String> {
    let steps: Vec<&str> = path.split('/').filter(|s| !matches!(*s, "" | ".")).collect();
    let fine = !path.starts_with('/')
        && !path.contains(['\\', '\0'])
        && path.len() <= PATH_LIMIT
        && steps.iter().all(|s| *s != "..");
    if fine && !steps.is_empty() {
        Ok(steps.join("/"))
    } else {
        Err(format!("the path {} in it leads out of the archive", show(path)))
    }
}

/// A path for a message, whatever is in it.
fn show(path: &str) -> String {
    let plain: String = path.chars().take(80).map(|c| if c.is_control() || c == '`' { '?' } else { c }).collect();
    format!("`{plain}`")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// An archive with these entries: path, type, content.
    fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, kind, content) in entries {
            let mut header = tar::Header::new_ustar();
            // `set_path` refuses what a hostile archive has.
            header.as_ustar_mut().expect("ustar").name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append(&header, *content).expect("in memory");
        }
        gzip(&tar.into_inner().expect("in memory"))
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(bytes).expect("in memory");
        gzip.finish().expect("in memory")
    }

    fn refused(bytes: &[u8]) -> String {
        unpack(bytes, &mut Budget::default()).expect_err("refused")
    }

    #[test]
    fn plain_files_come_out() {
        let bytes = archive(&[("a/", EntryType::Directory, b""), ("./a/b.yaml", EntryType::Regular, b"x: 1\n")]);
        let files = unpack(&bytes, &mut Budget::default()).expect("fine");
        assert_eq!(files.into_iter().collect::<Vec<_>>(), [("a/b.yaml".to_owned(), b"x: 1\n".to_vec())]);
    }

    #[test]
    fn hostile_archives_are_refused() {
        for path in ["/etc/passwd", "../x", "a/../../x", "a\\..\\x"] {
            assert!(refused(&archive(&[(path, EntryType::Regular, b"x")])).contains("leads out"), "{path}");
        }
        assert!(refused(&archive(&[("a", EntryType::Symlink, b"")])).contains("is a link"));
        assert!(refused(&archive(&[("a", EntryType::Link, b"")])).contains("is a link"));
        assert!(refused(&archive(&[("a", EntryType::Fifo, b"")])).contains("no plain file"));
        let twice = archive(&[("a", EntryType::Regular, b"1"), ("./a", EntryType::Regular, b"2")]);
        assert!(refused(&twice).contains("is in it twice"));
        assert!(refused(b"PK\x03\x04").contains("not compressed with gzip"));
        assert!(refused(b"\x1f\x8bxx").contains("broken"));
        assert!(refused(&gzip(&[7; 3000])).contains("no tar archive"));
        let whole = archive(&[("a", EntryType::Regular, &[9; 40_000])]);
        assert!(refused(&whole[..whole.len() / 2]).contains("broken"));
    }

    /// A few hundred kilobytes that unpack to much more than is allowed.
    #[test]
    fn bombs_are_refused() {
        assert!(refused(&gzip(&vec![0; (UNPACKED_LIMIT + 2) as usize])).contains("unpacks to more than"));
    }
}
