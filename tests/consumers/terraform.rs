//! Terraform: `terraform fmt`, which parses a file before it lays it out.

use super::program::{command, run, say, words};
use super::trees::{Verdict, files};

#[test]
fn terraform() {
    // Not part of the packages that CI installs, so never demanded.
    if !std::process::Command::new("terraform").arg("version").output().is_ok_and(|o| o.status.success()) {
        return say("skipped: terraform: `terraform` is not installed (hashicorp.com)");
    }
    let mut verdict = Verdict::new("terraform");
    verdict.sample(true, "a list", judge("locals {\n  a = [1, 2]\n}\n"));
    verdict.sample(false, "a list without its end", judge("locals {\n  a = [1, 2\n}\n"));
    for file in files(|f| f.name.ends_with(".tf")) {
        verdict.file(&file, judge(&file.text()));
    }
    verdict.end();
}

fn judge(text: &str) -> Result<(), String> {
    let mut fmt = command("terraform");
    let out = run(fmt.args(["fmt", "-"]), text.as_bytes());
    if out.status.success() { Ok(()) } else { Err(words(&out)) }
}
