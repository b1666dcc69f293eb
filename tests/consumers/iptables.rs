//! iptables: `iptables-restore --test`, then a real load in a network namespace, since the test accepts a jump to a chain
//! that does not exist.

use super::program::{command, given, is_root, present, run, words};
use super::trees::{File, Verdict, files};

#[test]
fn iptables() {
    let get = "Debian: apt-get install iptables";
    let programs = [("iptables-restore", get), ("ip6tables-restore", get), ("unshare", "Debian: util-linux")];
    if !present("iptables", &programs) || !given("iptables", is_root(), "needs root for a network namespace") {
        return;
    }
    let mut verdict = Verdict::new("iptables");
    for (good, rules) in [
        (true, "-A INPUT -s 10.0.0.0/8 -p tcp --dport 22 -m comment --comment \"a \\\"b\\\"\" -j ACCEPT\n"),
        (false, "-A INPUT -j NOWHERE\n"),
        (false, "-A INPUT -s 10.0.0.0/99 -j ACCEPT\n"),
    ] {
        let text = format!("*filter\n:INPUT DROP [0:0]\n{rules}COMMIT\n");
        verdict.sample(good, rules, judge("iptables-restore", &text));
    }
    for file in files(|f| restore(f).is_some()) {
        let program = restore(&file).expect("only these were selected");
        verdict.file(&file, judge(program, &file.text()));
    }
    verdict.end();
}

/// The program that loads a file, by the file's name.
fn restore(file: &File) -> Option<&'static str> {
    let name = file.name.rsplit('/').next().unwrap_or("");
    match name {
        _ if !file.name.contains("iptables") => None,
        n if n.contains("v6") || n.starts_with("ip6tables") => Some("ip6tables-restore"),
        n if n.contains("v4") || n.ends_with(".rules") => Some("iptables-restore"),
        _ => None,
    }
}

fn judge(program: &str, text: &str) -> Result<(), String> {
    let script = format!("{program} --test \"$1\" && {program} \"$1\"");
    let folder = super::trees::folder();
    let path = folder.path().join("rules");
    super::program::write(&path, text);
    let out = run(command("unshare").args(["-n", "sh", "-c", &script, "sh"]).arg(&path), b"");
    if out.status.success() && out.stderr.is_empty() { Ok(()) } else { Err(words(&out)) }
}
