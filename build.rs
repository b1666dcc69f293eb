//! Embeds every folder of `templates/` that holds a `pack.toml`: one static table, sorted by name and path.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("templates");
    println!("cargo::rerun-if-changed=templates");
    let mut code = String::from("pub static EMBEDDED: &[(&str, &[(&str, &str)])] = &[\n");
    for name in names(&root) {
        let folder = root.join(&name);
        if !folder.join("pack.toml").is_file() {
            continue;
        }
        writeln!(code, "    ({name:?}, &[").expect("writing to a string");
        for file in names(&folder) {
            let path = folder.join(&file);
            println!("cargo::rerun-if-changed={}", path.display());
            // Made from the other files, for people.
            if path.is_file() && file != "COVERAGE.md" {
                writeln!(code, "        ({file:?}, include_str!({path:?})),").expect("writing to a string");
            }
        }
        code.push_str("    ]),\n");
    }
    code.push_str("];\n");
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("packs.rs");
    fs::write(out, code).expect("the build folder takes files");
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .map(|entries| entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect())
        .unwrap_or_default();
    names.sort();
    names
}
