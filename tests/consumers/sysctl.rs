//! Drop-ins of sysctl.d: `sysctl --dry-run --load`, which reads the file and writes nothing, then each parameter by name.

use super::program::{command, present, run, words, write};
use super::trees::{Verdict, files, folder};

#[test]
fn sysctl() {
    if !present("sysctl", &[("sysctl", "Debian: apt-get install procps")]) {
        return;
    }
    let mut verdict = Verdict::new("sysctl");
    for (good, text) in [
        (true, "# why\nvm.max_map_count = 262144\nnet.ipv4.ip_local_port_range = 32768 60999\n"),
        (false, "vm.max_map_count 262144\n"),
        (false, "= 1\n"),
    ] {
        verdict.sample(good, text, judge(text));
    }
    for file in files(|f| f.target().is_some_and(|t| t.starts_with("etc/sysctl.d/"))) {
        verdict.file(&file, judge(&file.text()));
    }
    verdict.end();
}

fn judge(text: &str) -> Result<(), String> {
    let folder = folder();
    let path = folder.path().join("sitec.conf");
    write(&path, text);
    let out = run(command("sysctl").args(["--dry-run", "--load"]).arg(&path), b"");
    // It prints what it would set, and goes on behind a line that it does not understand.
    let said = words(&out);
    let wanted = text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')).count();
    let set = String::from_utf8_lossy(&out.stdout).lines().count();
    let unknown = said.lines().filter(|l| l.contains("cannot stat")).count();
    match said.contains("invalid syntax") || said.contains("malformed") || set + unknown < wanted {
        true => Err(said),
        false => Ok(()),
    }
}
