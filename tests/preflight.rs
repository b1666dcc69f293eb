//! The preflight script of a host, run by a real shell: what listens, what is refused and what gets no answer are told
//! apart, whichever tool the host has.
//!
//! Every shell and tool that is missing here is a printed skip. What drops traffic needs root and `nft`, in a network
//! namespace of its own.
#![cfg(unix)]

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sitec::artifact::ArtifactTree;
use sitec::compile::{Depth, Inputs, compile};
use sitec::diag::{Findings, human};
use sitec::ir::Ir;
use sitec::prove;

/// A site on the loopback device: `a` reaches `b` at these ports.
fn script(folder: &Path, flows: &str) -> PathBuf {
    let spec = format!(
        "sitec: 1\nsite: {{ name: loop, domain: loop.example }}\n\
         networks: {{ lo: {{ cidrs: [127.0.0.0/8] }} }}\n\
         hosts:\n  a: {{ addresses: [127.0.0.1], os: nosuch-1.0, cpu: 1, memory: 1 MiB }}\n  b: {{ addresses: [127.0.0.2] }}\n\
         extra:\n  flows:\n{flows}"
    );
    let read = |_: &str| Ok(spec.as_bytes().to_vec());
    let inputs = Inputs { entry: "site.yaml".into(), read: &read, packs: &[], depth: Depth::Build, threads: 1 };
    let c = compile(&inputs);
    let report = human::render(&c.findings, &c.sources, human::Options::default());
    let tree = c.tree.unwrap_or_else(|| panic!("no tree\n{report}"));
    let path = folder.join("preflight.sh");
    fs::write(&path, &tree.files["hosts/a/preflight.sh"].bytes).expect("a script");
    path
}

fn program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|p| p.join(name)).find(|p| p.is_file())
}

/// A folder that has only these programs, and those that every system has.
fn path_with(folder: &Path, tool: &str, programs: &[&str]) -> Option<PathBuf> {
    let bin = folder.join(format!("bin-{tool}"));
    fs::create_dir(&bin).expect("a folder");
    let always = ["sh", "cat", "sed", "grep", "tr", "head", "sort", "uname", "getconf", "df"];
    for name in programs.iter().chain(&always) {
        let Some(program) = program(name) else {
            eprintln!("skip: `{name}` is not installed");
            return None;
        };
        // What a version manager puts in place of a program looks for itself in PATH.
        let program = fs::canonicalize(&program).unwrap_or(program);
        let real = if *name == "python3" { python().unwrap_or(program) } else { program };
        symlink(real, bin.join(name)).expect("a link");
    }
    Some(bin)
}

fn python() -> Option<PathBuf> {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

fn run(shell: &str, script: &Path, arguments: &[&str], path: Option<&Path>) -> Output {
    let mut command = Command::new(shell);
    command.arg(script).args(arguments);
    if let Some(path) = path {
        command.env("PATH", path);
    }
    command.output().expect("the shell runs")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Asserts that exactly one line speaks of a port, and that it begins and ends so.
fn assert_line(text: &str, port: u16, result: &str, words: &str) {
    let lines: Vec<&str> = text.lines().filter(|l| l.contains(&format!(" {port}/"))).collect();
    assert_eq!(lines.len(), 1, "{port}: {text}");
    assert!(lines[0].starts_with(result) && lines[0].contains(words), "{port} {result} {words}: {text}");
}

#[test]
fn open_and_refused_are_told_apart_with_every_tool() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = TcpListener::bind("127.0.0.2:0").expect("a port");
    let open_port = open.local_addr().expect("bound").port();
    let closed_port = {
        let closed = TcpListener::bind("127.0.0.2:0").expect("a port");
        closed.local_addr().expect("bound").port()
    };
    let udp = UdpSocket::bind("127.0.0.2:0").expect("a port");
    let udp_port = udp.local_addr().expect("bound").port();
    let flows = format!("    - \"a -> b : {open_port}/tcp one; {closed_port}/tcp two; {udp_port}/udp three\"\n");
    let script = script(folder.path(), &flows);
    // Takes whatever comes, so that no tool waits for a greeting.
    std::thread::spawn(move || open.incoming().for_each(drop));
    for shell in ["dash", "bash"] {
        let Some(shell_path) = program(shell) else {
            eprintln!("skip: `{shell}` is not installed");
            continue;
        };
        for (tool, programs) in [
            ("python3", &["python3"][..]),
            ("bash", &["bash", "timeout"]),
            ("nc", &["nc"]),
            ("curl", &["curl"]),
            ("none", &[]),
        ] {
            let own = folder.path().join(shell);
            fs::create_dir_all(&own).expect("a folder");
            let Some(path) = path_with(&own, tool, programs) else { continue };
            let shell_path = shell_path.to_str().expect("UTF-8");
            let output = run(shell_path, &script, &["--flows", "--timeout", "2"], Some(&path));
            let text = text(&output);
            if tool == "none" {
                assert_line(&text, open_port, "skip", "there is no python3");
                assert_eq!(output.status.code(), Some(0), "{text}");
                continue;
            }
            assert_line(&text, open_port, "ok", "open, something answers");
            assert_line(&text, closed_port, "ok", "nobody listens yet");
            // A socket that is silent, and hosts without a tool for UDP: neither says anything.
            assert_line(&text, udp_port, "skip", "which says nothing with UDP");
            assert_eq!(output.status.code(), Some(0), "{shell} {tool}: {text}");
        }
    }
}

#[test]
fn what_gets_no_answer_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = script(folder.path(), "    - \"a -> b : 7001/tcp dropped; 7002/tcp rejected; 7003/tcp free\"\n");
    let rules = "table inet t { chain o { type filter hook output priority 0; tcp dport 7001 drop; \
                 tcp dport 7002 reject with icmpx type admin-prohibited; }; }";
    let inside = format!("ip link set lo up && nft '{rules}' && exec dash '{}' --flows --timeout 1", script.display());
    let output = match Command::new("unshare").args(["-n", "sh", "-c", &inside]).output() {
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains("Connections") => output,
        other => {
            eprintln!("skip: no network namespace with rules here: {other:?}");
            assert!(std::env::var_os("SITEC_CONSUMERS").is_none(), "a network namespace is required");
            return;
        }
    };
    let text = text(&output);
    assert_line(&text, 7001, "FAIL", "no answer within 1 s");
    assert_line(&text, 7002, "FAIL", "no way there, or rejected");
    assert_line(&text, 7003, "ok", "nobody listens yet");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("1 ok, 2 failed, 0 skipped"), "{text}");
}

#[test]
fn facts_are_compared_with_the_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = script(folder.path(), "    - \"a -> b : 7003/tcp x\"\n");
    let output = run("sh", &script, &["--host"], None);
    let text = text(&output);
    assert!(text.contains("FAIL  system") && text.contains("planned: nosuch 1.0"), "{text}");
    assert!(text.contains("ok    cores") && text.contains("ok    memory"), "{text}");
    assert!(!text.contains("Connections"), "{text}");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(run("sh", &script, &["--help"], None).status.code(), Some(0));
    for wrong in [&["--nothing"][..], &["--timeout"], &["--timeout", "x"], &["--timeout", "0"]] {
        assert_eq!(run("sh", &script, wrong, None).status.code(), Some(2), "{wrong:?}");
    }
}

/// Every line that tries something is compared with the flows: one less, one more, another port or address is noticed.
#[test]
fn what_is_tried_is_proven() {
    let read = |path: &str| fs::read(path).map_err(|e| e.to_string());
    let entry = format!("{}/fixtures/pseven-production/site.yaml", env!("CARGO_MANIFEST_DIR"));
    let c = compile(&Inputs { entry, read: &read, packs: &[], depth: Depth::Build, threads: 0 });
    let (mut ir, mut tree) = (c.ir.expect("an Ir"), c.tree.expect("a tree"));
    // The scripts and what they are compared with, nothing else.
    tree.files.retain(|path, _| path.ends_with("/preflight.sh"));
    ir = Ir { flows: ir.flows, preflights: ir.preflights, ..Ir::default() };
    let faults = |tree: &ArtifactTree| {
        let mut findings = Findings::default();
        prove::prove(&ir, tree, &mut findings);
        findings.iter().filter(|d| prove::is_bug(d)).count()
    };
    assert_eq!(faults(&tree), 0);
    let path = "hosts/w01/preflight.sh";
    let text = String::from_utf8(tree.files[path].bytes.clone()).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    let tries: Vec<usize> = (0..lines.len()).filter(|i| lines[*i].starts_with("    try ")).collect();
    assert!(tries.len() > 10, "{text}");
    for i in tries {
        let broken = |new: Option<String>| {
            let mut all: Vec<String> = lines.iter().map(|l| l.to_string()).collect();
            match new {
                Some(line) => all[i] = line,
                None => drop(all.remove(i)),
            }
            let mut tree = tree.clone();
            tree.files.get_mut(path).expect("the file").bytes = format!("{}\n", all.join("\n")).into_bytes();
            faults(&tree)
        };
        let line = lines[i];
        let (head, last) = line.rsplit_once(' ').expect("words");
        let transport = if line.contains(" tcp ") {
            line.replacen(" tcp ", " udp ", 1)
        } else {
            line.replacen(" udp ", " tcp ", 1)
        };
        for new in [
            None,
            Some(transport),
            Some(format!("{line} 192.0.2.1")),
            Some(format!("{head} 192.0.2.1")),
            Some(format!("{line}\n    try tcp 9 x y 0 {last}")),
        ] {
            assert!(broken(new.clone()) > 0, "{line} → {new:?}");
        }
    }
}
