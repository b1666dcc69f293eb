//! CSV tables: Python's reader in its strict mode; every row has as many cells as the head, no line ends with CR, and no
//! cell would be computed by a spreadsheet.

use super::program::{command, present, run, words};
use super::trees::{Verdict, files};

const PYTHON: &str = "import sys, csv, io\n\
                      text = sys.stdin.buffer.read().decode()\n\
                      rows = list(csv.reader(io.StringIO(text, newline=''), strict=True))\n\
                      assert '\\r' not in text, 'a line ends with CR'\n\
                      assert len({len(r) for r in rows}) == 1, 'rows differ in length'\n\
                      assert not [c for r in rows for c in r if c[:1] in ('=', '+', '-', '@')], 'a cell is a formula'";

#[test]
fn csv() {
    if !present("csv", &[("python3", "Debian: apt-get install python3")]) {
        return;
    }
    let mut verdict = Verdict::new("csv");
    for (good, text) in
        [(true, "a,b\n1,\"x, \"\"y\"\"\"\n"), (false, "a,b\n1\n"), (false, "a\n=1\n"), (false, "a,b\n1,\"x\"y\n")]
    {
        verdict.sample(good, text, judge(text));
    }
    for file in files(|f| f.name.ends_with(".csv")) {
        verdict.file(&file, judge(&file.text()));
    }
    verdict.end();
}

fn judge(text: &str) -> Result<(), String> {
    let out = run(command("python3").args(["-c", PYTHON]), text.as_bytes());
    if out.status.success() { Ok(()) } else { Err(words(&out)) }
}
