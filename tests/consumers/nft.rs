//! nftables: `nft -c -f`, then a real load in a network namespace, twice, since a ruleset is loaded again after each
//! change; the listing must hold every comment that the file has.

use super::program::{command, given, is_root, present, run, words};
use super::trees::{File, Verdict, files};

#[test]
fn nft() {
    if !present("nft", &[("nft", "Debian: apt-get install nftables"), ("unshare", "Debian: util-linux")])
        || !given("nft", is_root(), "needs root for a network namespace")
    {
        return;
    }
    let mut verdict = Verdict::new("nft");
    let table = |rules: &str| {
        let chain = format!("chain input {{ type filter hook input priority filter; policy drop; {rules}\n}}");
        format!("table inet s\ndelete table inet s\ntable inet s {{ {chain}\n}}\n")
    };
    for (good, text) in [
        (true, table("ip saddr { 10.0.0.0/8, 192.0.2.1 } tcp dport { 22, 80-81 } accept comment \"a\"")),
        (false, table("tcp dport 99999 accept")),
        (false, table("jump nowhere")),
        (false, table("tcp dport 22 acept")),
        // Loaded again, it would add its rules a second time.
        (false, "table inet s { chain c { tcp dport 22 accept comment \"a\"; }\n}\n".to_string()),
    ] {
        verdict.sample(good, &text, judge(&text));
    }
    for file in files(is_nft) {
        verdict.file(&file, judge(&file.text()));
    }
    verdict.end();
}

fn is_nft(file: &File) -> bool {
    let here = |t: &str| t == "etc/nftables.conf" || t.starts_with("etc/nftables.d/") || t.starts_with("etc/nftables/");
    file.name.ends_with(".nft") || file.target().is_some_and(here)
}

fn judge(text: &str) -> Result<(), String> {
    let checked = run(command("nft").args(["-c", "-f", "-"]), text.as_bytes());
    if !checked.status.success() {
        return Err(words(&checked));
    }
    let script = "rules=$(cat) && printf '%s\\n' \"$rules\" | nft -f - && printf '%s\\n' \"$rules\" | nft -f - && nft list ruleset";
    let loaded = run(command("unshare").args(["-n", "sh", "-c", script]), text.as_bytes());
    if !loaded.status.success() || !loaded.stderr.is_empty() {
        return Err(words(&loaded));
    }
    let comments = |text: &str| {
        let lines = text.lines().filter(|l| !l.trim_start().starts_with('#'));
        lines.map(|l| l.matches(" comment \"").count()).sum::<usize>()
    };
    let (written, in_force) = (comments(text), comments(&String::from_utf8_lossy(&loaded.stdout)));
    if written == in_force {
        Ok(())
    } else {
        Err(format!("{written} rules with a comment are written, {in_force} are in force after loading twice"))
    }
}
