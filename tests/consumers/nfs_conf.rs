//! nfs.conf: `nfsconf --dump`, whose exit status says nothing, so any word on standard error fails. Beyond it: the sections
//! and keys are a closed list, since the daemons ignore what they do not know, and ports are numbers.

use super::program::{command, present, run, words, write};
use super::trees::{Verdict, files, folder};

#[test]
fn nfs_conf() {
    if !present("nfs.conf", &[("nfsconf", "Debian: apt-get install nfs-common")]) {
        return;
    }
    let mut verdict = Verdict::new("nfs.conf");
    for (good, text) in [
        (true, "# why\n[lockd]\nport = 4045\nudp-port = 4045\n[nfsd]\nthreads = 16\n"),
        (false, "[lockd\nport = 4045\n"),
        (false, "[lockd]\nport 4045\n"),
        (false, "[lockd]\nports = 4045\n"),
        (false, "[lockd]\nport = 99999\n"),
        (false, "port = 4045\n"),
    ] {
        verdict.sample(good, text, judge(text));
    }
    for file in files(|f| f.target().is_some_and(|t| t == "etc/nfs.conf" || t.starts_with("etc/nfs.conf.d/"))) {
        verdict.file(&file, judge(&file.text()));
    }
    verdict.end();
}

/// The keys that artifacts may set.
const KEYS: &[&str] = &[
    "lockd/port",
    "lockd/udp-port",
    "mountd/port",
    "mountd/threads",
    "statd/port",
    "statd/outgoing-port",
    "nfsd/threads",
    "nfsd/host",
    "nfsd/vers2",
    "nfsd/vers3",
    "nfsd/vers4",
];

fn judge(text: &str) -> Result<(), String> {
    let folder = folder();
    let path = folder.path().join("nfs.conf");
    write(&path, text);
    let out = run(command("nfsconf").arg("--file").arg(&path).arg("--dump"), b"");
    if !out.status.success() || !out.stderr.is_empty() {
        return Err(words(&out));
    }
    let dump = String::from_utf8_lossy(&out.stdout).into_owned();
    let (mut section, mut read) = (String::new(), 0);
    for line in dump.lines().map(str::trim).filter(|l| !l.is_empty()) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_string();
            continue;
        }
        let (key, value) = line.split_once(" = ").ok_or_else(|| format!("no assignment: {line}"))?;
        if !KEYS.contains(&format!("{section}/{key}").as_str()) {
            return Err(format!("`{key}` in section `{section}` is not a setting that artifacts have"));
        }
        if key.ends_with("port") && !value.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(format!("`{value}` is no port"));
        }
        read += 1;
    }
    let written = text.lines().filter(|l| l.contains('=') && !l.trim_start().starts_with(['#', ';'])).count();
    if written == read { Ok(()) } else { Err(format!("{written} settings are written, {read} are read")) }
}
