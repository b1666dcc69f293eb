//! Every fixture compiles to exactly its golden tree. `BLESS=1 cargo test --test golden` accepts what is new.

mod trees;

use std::collections::BTreeMap;
use std::fs;

use camino::Utf8Path;
use sitec::review::diff;
use trees::{compile, fixtures, read_tree, root};

#[test]
fn fixtures_compile_to_their_golden_trees() {
    let bless = std::env::var_os("BLESS").is_some_and(|v| !v.is_empty() && v != "0");
    let golden = root().join("golden");
    let (mut faults, mut sites) = (Vec::new(), BTreeMap::new());
    for fixture in fixtures() {
        let folder = golden.join(fixture.parent().and_then(Utf8Path::file_name).expect("fixtures have folders"));
        sites.insert(folder.file_name().unwrap_or_default().to_string(), ());
        let sealed = match compile(&fixture) {
            Ok(built) => built,
            Err(report) => {
                faults.push(format!("{fixture}: no tree\n{report}"));
                continue;
            }
        };
        let expected = read_tree(&folder);
        if expected == sealed {
            continue;
        }
        if bless {
            replace(&folder, &sealed);
            eprintln!("blessed {folder}");
        } else {
            let review = diff(&expected, &sealed);
            let differences = match review.is_empty() {
                true => "only MANIFEST.json or SHA256SUMS differ\n".to_string(),
                false => review.text(false),
            };
            faults.push(format!("{fixture}: not as {folder}\n{differences}"));
        }
    }
    faults.extend(strays(&golden, &sites, bless));
    let help = "accept with `BLESS=1 cargo test --test golden`, and read the differences";
    assert!(faults.is_empty(), "{}\n{help}", faults.join("\n"));
}

/// Golden trees whose fixture is gone.
fn strays(golden: &Utf8Path, sites: &BTreeMap<String, ()>, bless: bool) -> Vec<String> {
    let Ok(entries) = golden.read_dir_utf8() else { return Vec::new() };
    let names = entries.map(|e| e.expect("readable").file_name().to_string());
    let strays: Vec<String> = names.filter(|name| !sites.contains_key(name)).collect();
    if bless {
        for name in &strays {
            fs::remove_dir_all(golden.join(name)).expect("a golden tree without a fixture can be removed");
        }
        return Vec::new();
    }
    strays.iter().map(|name| format!("golden/{name} has no fixture\n")).collect()
}

fn replace(folder: &Utf8Path, sealed: &BTreeMap<String, Vec<u8>>) {
    if folder.exists() {
        fs::remove_dir_all(folder).expect("a golden tree can be replaced");
    }
    for (path, bytes) in sealed {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        fs::write(path, bytes).expect("a golden file");
    }
}
