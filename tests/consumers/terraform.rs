//! Terraform: `python-hcl2`, a parser of HCL, and where Terraform itself is here, `terraform fmt -check`, which never needs
//! a network. Neither knows whether what a file refers to is declared; the compiler does.

use super::program::{command, present, run, say, words};
use super::trees::{Verdict, files};

#[test]
fn hcl() {
    if !present("hcl", &[("python3 -m hcl2", "PyPI: pip install python-hcl2")]) {
        return;
    }
    let mut verdict = Verdict::new("hcl");
    let block = "resource \"a\" \"b\" {\n  name = \"x$${y}\"\n  list = [\n    var.c,\n  ]\n}\n";
    for (good, text) in [
        (true, block.to_string()),
        (false, block.replace("name = ", "name ")),
        (false, block.replace("  ]\n", "")),
        (false, block.replace("\"x", "x")),
    ] {
        verdict.sample(good, &text, parsed(&text));
    }
    for file in files(|f| f.name.ends_with(".tf")) {
        verdict.file(&file, parsed(&file.text()));
    }
    verdict.end();
}

fn parsed(text: &str) -> Result<(), String> {
    let out = run(command("python3").args(["-c", "import sys, hcl2; hcl2.load(sys.stdin)"]), text.as_bytes());
    if out.status.success() { Ok(()) } else { Err(words(&out)) }
}

#[test]
fn terraform_fmt() {
    let version = std::process::Command::new("terraform").arg("version").output();
    // Not part of the packages that CI installs, so never demanded.
    if !version.is_ok_and(|o| o.status.success()) {
        return say("skipped: terraform fmt: `terraform` is not installed");
    }
    let mut verdict = Verdict::new("terraform fmt");
    for (good, text) in
        [(true, "a \"b\" {\n  c    = 1\n  long = 2\n}\n"), (false, "a \"b\" {\n  c = 1\n  long = 2\n}\n")]
    {
        verdict.sample(good, text, formatted(text));
    }
    for file in files(|f| f.name.ends_with(".tf")) {
        verdict.file(&file, formatted(&file.text()));
    }
    verdict.end();
}

fn formatted(text: &str) -> Result<(), String> {
    let out = run(command("terraform").args(["fmt", "-check", "-diff", "-"]), text.as_bytes());
    if out.status.success() { Ok(()) } else { Err(words(&out)) }
}
