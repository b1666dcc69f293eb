//! chrony.conf: `chronyd -p`, then a real start for one second, since the former accepts `allow 192.0.2.0/99`. Sources
//! are named by address here: a name cannot be resolved offline, and a start does not need it.

use super::program::{command, given, is_root, present, run, words, write};
use super::trees::{Verdict, files, folder};

#[test]
fn chrony() {
    if !present("chrony", &[("chronyd", "Debian: apt-get install chrony"), ("unshare", "Debian: util-linux")])
        || !given("chrony", is_root(), "needs root to start chronyd")
    {
        return;
    }
    let mut verdict = Verdict::new("chrony");
    for (good, text) in [
        (true, "server 192.0.2.1 iburst\nallow 192.0.2.0/24\nlocal stratum 10\n"),
        (true, "server 192.0.2.1 iburst\n"),
        (false, "server 192.0.2.1 iburst\nallow 192.0.2.0/99\n"),
        (false, "sever 192.0.2.1\n"),
    ] {
        verdict.sample(good, text, judge(text));
    }
    let here = |t: &str| t.starts_with("etc/chrony") && (t.ends_with(".conf") || t.ends_with(".sources"));
    for file in files(|f| f.target().is_some_and(here)) {
        verdict.file(&file, judge(&file.text()));
    }
    verdict.end();
}

fn judge(text: &str) -> Result<(), String> {
    let folder = folder();
    let path = folder.path().join("chrony.conf");
    // What it would write lies in the test's own folder; the command socket and its port are left out.
    let own = ["driftfile", "logdir", "keyfile", "pidfile", "bindcmdaddress", "ntsdumpdir", "dumpdir", "leapsectz"];
    let kept = text.lines().filter(|l| !own.contains(&l.split_whitespace().next().unwrap_or("")));
    let mut conf: String = kept.map(|l| format!("{l}\n")).collect();
    conf.push_str(&format!("pidfile {}\nbindcmdaddress /\ncmdport 0\nport 0\n", folder.path().join("pid").display()));
    write(&path, conf);
    let printed = run(command("chronyd").args(["-p", "-f"]).arg(&path), b"");
    if !printed.status.success() {
        return Err(words(&printed));
    }
    let mut start = command("unshare");
    start.args(["-n", "chronyd", "-x", "-d", "-U", "-t", "1", "-f"]).arg(&path);
    let started = run(&mut start, b"");
    let said = words(&started);
    let fault = said.lines().any(|l| l.contains("Fatal") || l.contains("Could not parse") || l.contains("Invalid"));
    // A clock that no server has set within that second is no fault of the file, though it decides about the status.
    let ran = started.status.success() || said.contains("Timeout reached");
    if fault || !ran { Err(said) } else { Ok(()) }
}
