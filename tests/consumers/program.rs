//! From the name of a program to its verdict: whether it is here, how to get it, what it says about a file.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The environment variable that turns a missing program into a failure when it is `required`.
const DEMAND: &str = "SITEC_CONSUMERS";

/// Whether all programs are here. A missing one is named together with the way to get it; where consumers are
/// required, that is a failure.
pub fn present(judge: &str, programs: &[(&str, &str)]) -> bool {
    let mut here = true;
    for (program, get) in programs {
        if !found(program) {
            let text = format!("{judge}: `{program}` is not installed ({get})");
            assert!(!required(), "{text}, and {DEMAND}=required");
            say(&format!("skipped: {text}"));
            here = false;
        }
    }
    here
}

/// Whether a state of the machine that a judge needs (a user, a right) is given; as [`present`].
pub fn given(judge: &str, holds: bool, what: &str) -> bool {
    if !holds {
        assert!(!required(), "{judge}: {what}, and {DEMAND}=required");
        say(&format!("skipped: {judge}: {what}"));
    }
    holds
}

pub fn required() -> bool {
    std::env::var_os(DEMAND).is_some_and(|v| v == "required")
}

/// Prints a line past the test harness, which keeps back what a passing test prints.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "consumers: {line}");
}

fn found(program: &str) -> bool {
    if let Some(module) = program.strip_prefix("python3 -m ") {
        return Command::new("python3")
            .args(["-c", &format!("import {module}")])
            .output()
            .is_ok_and(|o| o.status.success());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin", "/usr/lib/postgresql/15/bin"].map(std::path::PathBuf::from);
    std::env::split_paths(&path).chain(usual).any(|dir| dir.join(program).is_file())
}

/// A command that finds programs of the administrator as well.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin:/usr/lib/postgresql/15/bin")).env("LC_ALL", "C.UTF-8");
    command
}

/// Runs a command with `input` on its standard input.
pub fn run(command: &mut Command, input: &[u8]) -> Output {
    let described = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{described}: {e}"));
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    let input = input.to_vec();
    // A program that answers before it has read everything must not block both sides.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap_or_else(|e| panic!("{described}: {e}"));
    let _ = writer.join();
    output
}

/// Standard output of a command that must succeed.
pub fn output(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let output = run(command, input);
    assert!(output.status.success(), "{command:?} failed: {}", words(&output));
    output.stdout
}

/// What a program said, both streams.
pub fn words(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_string();
    [text(&output.stdout), text(&output.stderr)].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n")
}

/// Writes a file, making its folder first.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).unwrap_or_else(|e| panic!("{}: {e}", parent.display()));
    }
    std::fs::write(path, bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}
