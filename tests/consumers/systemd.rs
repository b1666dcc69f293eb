//! Units: `systemd-analyze verify`. Programs and units that are not installed here are discounted.

use super::program::{command, present, run, words, write};
use super::trees::{Verdict, files, folder};

const SUFFIXES: &[&str] = &[".service", ".timer", ".socket", ".mount", ".automount", ".target", ".path", ".slice"];

#[test]
fn systemd() {
    if !present("systemd", &[("systemd-analyze", "Debian: apt-get install systemd")]) {
        return;
    }
    let mut verdict = Verdict::new("systemd");
    for (good, text) in [
        (
            true,
            "[Unit]\nDescription=100%% \"sure\"\nAfter=nowhere.service\n[Service]\nExecStart=/usr/sbin/nothing -F\n",
        ),
        (false, "[Service]\nExecStart=/bin/true\nTyp=simple\n"),
        (false, "[Servise]\nExecStart=/bin/true\n"),
        (false, "[Service]\nType=forkin\nExecStart=/bin/true\n"),
    ] {
        let folder = folder();
        let path = folder.path().join("sample.service");
        write(&path, text);
        verdict.sample(good, text, judge(&path));
    }
    let unit = |t: &str| t.starts_with("etc/systemd/system/") && SUFFIXES.iter().any(|s| t.ends_with(s));
    for file in files(|f| f.target().is_some_and(unit)) {
        verdict.file(&file, judge(&file.path));
    }
    verdict.end();
}

fn judge(path: &std::path::Path) -> Result<(), String> {
    let out = run(command("systemd-analyze").args(["verify", "--man=no"]).arg(path), b"");
    let said = words(&out);
    let elsewhere = |l: &str| l.ends_with(" not found.") || l.ends_with("is not executable: No such file or directory");
    let faults: Vec<&str> = said.lines().filter(|l| !elsewhere(l)).collect();
    // The exit status counts what was discounted as well, so only the words decide.
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}
