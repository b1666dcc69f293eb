//! `SHA256SUMS`: `sha256sum --strict -c`; beyond it, every file of the tree but the list itself must be listed.

use super::program::{command, present, run, words};
use super::trees::{File, Verdict, files, folder};

#[test]
fn checksums() {
    if !present("checksums", &[("sha256sum", "Debian: coreutils")]) {
        return;
    }
    let mut verdict = Verdict::new("checksums");
    let samples = folder();
    std::fs::write(samples.path().join("a"), b"").expect("a sample");
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (good, text) in
        [(true, format!("{empty}  a\n")), (false, format!("{}  a\n", "0".repeat(64))), (false, String::new())]
    {
        let path = samples.path().join("SHA256SUMS");
        std::fs::write(&path, &text).expect("a sample");
        let file = File { path, root: samples.path().to_path_buf(), name: "SHA256SUMS".into() };
        verdict.sample(good, &text, judge(&file));
    }
    for file in files(|f| f.name == "SHA256SUMS") {
        verdict.file(&file, judge(&file));
    }
    verdict.end();
}

fn judge(file: &File) -> Result<(), String> {
    let out = run(command("sha256sum").args(["--strict", "--quiet", "-c", "SHA256SUMS"]).current_dir(&file.root), b"");
    if !out.status.success() || !out.stderr.is_empty() {
        return Err(words(&out));
    }
    let text = file.text();
    let listed: Vec<&str> = text.lines().filter_map(|l| l.split_once("  ")).map(|(_, name)| name).collect();
    for entry in walkdir::WalkDir::new(&file.root).sort_by_file_name().into_iter().filter_map(Result::ok) {
        let name = entry.path().strip_prefix(&file.root).expect("the walk began there").to_string_lossy().into_owned();
        if entry.file_type().is_file() && name != "SHA256SUMS" && !listed.contains(&name.as_str()) {
            return Err(format!("`{name}` is not listed"));
        }
    }
    Ok(())
}
