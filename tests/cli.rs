//! The program as its users call it: arguments, streams, exit codes, files.
#![cfg(unix)]

use std::fs;
use std::process::{Command, Output, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value as Json;

/// A small site that needs no product.
const TINY: &str = r#"sitec: 1
site: { name: tiny }
networks:
  servers: { cidrs: [10.30.8.0/24], role: servers }
  admin: { cidrs: [10.21.250.0/28], role: management }
hosts:
  w[01-03]: { addresses: ["10.30.8.[21-23]"], os: ubuntu-22.04 }
firewall: { targets: [nftables, csv], output: allow }
"#;

/// The same with an unknown key in its last line.
const BAD: &str = r#"sitec: 1
site: { name: tiny }
networks:
  servers: { cidrs: [10.30.8.0/24], role: servers }
hosts:
  w01: { addresses: [10.30.8.21], os: ubuntu-22.04 }
hostz: {}
"#;

struct Folder {
    _guard: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl Folder {
    fn new() -> Self {
        let guard = tempfile::tempdir().expect("a temporary folder");
        let path = Utf8PathBuf::from_path_buf(guard.path().to_owned()).expect("UTF-8");
        Self { _guard: guard, path }
    }

    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        files.iter().for_each(|(path, text)| folder.put(path, text));
        folder
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sitec"));
        command.args(arguments).current_dir(&self.path).stdin(Stdio::null());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LANG", "LC_ALL", "LC_CTYPE"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs a command line and expects an exit code.
    fn run(&self, arguments: &[&str], code: i32) -> Run {
        Run::of(self.command(arguments).output().expect("the program"), arguments, code)
    }
}

struct Run {
    out: String,
    err: String,
}

impl Run {
    fn of(output: Output, arguments: &[&str], code: i32) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let run = Self { out: text(output.stdout), err: text(output.stderr) };
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{}{}", run.out, run.err);
        run
    }

    fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }
}

#[test]
fn wrong_usage_ends_with_2_and_help_with_0() {
    let folder = Folder::new();
    assert!(folder.run(&["--help"], 0).out.contains("Examples:"));
    assert!(folder.run(&["build", "--help"], 0).out.contains("sitec build site.yaml --check"));
    folder.run(&["--version"], 0);
    folder.run(&[], 2);
    folder.run(&["compile"], 2);
    folder.run(&["build"], 2);
    assert!(folder.run(&["check", "site.yaml"], 2).err.contains("cannot read `site.yaml`"));
    assert!(folder.run(&["check", "."], 2).err.contains("no `site.yaml` below"));
    assert!(folder.run(&["check", "x", "--packs", "nowhere"], 2).err.contains("nowhere"));
    assert!(folder.run(&["explain", "S0200"], 2).err.contains("there is `S0"));
}

#[test]
fn check_reports_and_exits_by_level() {
    let folder = Folder::with(&[("good.yaml", TINY), ("bad.yaml", BAD)]);
    folder.run(&["check", "good.yaml"], 0);
    let run = folder.run(&["check", "bad.yaml"], 1);
    assert!(run.err.contains("S0201") && run.err.contains("hosts"), "{}", run.err);
    let run = folder.run(&["check", "bad.yaml", "--format", "short"], 1);
    assert!(run.err.starts_with("bad.yaml:7:1: error[S0201]"), "{}", run.err);
    let document = folder.run(&["check", "bad.yaml", "--format", "json"], 1).json();
    assert_eq!(document["findings"][0]["code"], "S0201");
    assert_eq!(document["counts"]["error"], 1);
    assert_eq!(document["spec"], "bad.yaml");
}

#[test]
fn denied_levels_and_codes_become_errors() {
    let spec = TINY.replace("role: management", "role: null");
    let folder = Folder::with(&[("site.yaml", &spec)]);
    assert!(folder.run(&["check", "site.yaml"], 0).err.contains("question"));
    folder.run(&["check", "site.yaml", "--deny", "question"], 1);
    folder.run(&["check", "site.yaml", "--strict"], 1);
    folder.run(&["check", "site.yaml", "--deny", "warning"], 0);
    folder.run(&["check", "site.yaml", "--deny", "S1001"], 1);
    let err = folder.run(&["check", "site.yaml", "--deny", "quetsions"], 2).err;
    assert!(err.contains("neither a level nor a code; there is `questions`"), "{err}");
    let err = folder.run(&["check", "site.yaml", "--deny", "demo/memroy"], 2).err;
    assert!(err.contains("there is `demo/memory`"), "{err}");
    folder.run(&["build", "site.yaml", "--strict"], 1);
    assert!(!folder.path.join("out").exists());
}

#[test]
fn the_last_word_about_a_level_counts() {
    let spec = TINY.replace("role: management", "role: null");
    let folder = Folder::with(&[("site.yaml", &spec), ("bad.yaml", BAD)]);
    let check = |arguments: &[&str], code| {
        let arguments: Vec<&str> =
            ["check", "site.yaml", "--format", "short"].iter().chain(arguments).copied().collect();
        folder.run(&arguments, code).err
    };
    assert!(check(&["--deny", "questions", "--warn", "open-question"], 0).contains("warning[S1001]"));
    assert!(check(&["--warn", "open-question", "--deny", "questions"], 1).contains("error[S1001]"));
    assert!(!check(&["--strict", "--allow", "S1001"], 0).contains("S1001"));
    // An error with which nothing correct can be made is none to live with.
    for (option, about) in [("--allow", "S0201"), ("--warn", "unknown-key"), ("--allow", "errors")] {
        let err = folder.run(&["check", "bad.yaml", option, about], 2).err;
        assert!(err.contains(&format!("`{option} {about}`: ")), "{err}");
    }
    let demo = include_str!("../fixtures/demo/site.yaml").replace("memory: 8 GiB", "memory: 1 GiB");
    folder.put("demo.yaml", &demo);
    assert!(folder.run(&["check", "demo.yaml", "--format", "short"], 1).err.contains("error[demo/memory]"));
    folder.run(&["build", "demo.yaml", "--warn", "demo/memory"], 0);
    let err = folder.run(&["check", "demo.yaml", "--format", "short", "--allow", "demo/memory"], 0).err;
    assert!(!err.contains("demo/memory"), "{err}");
}

#[test]
fn reports_for_other_programs() {
    let folder = Folder::with(&[("bad.yaml", BAD), ("sites/a/site.yaml", TINY), ("sites/b/site.yaml", BAD)]);
    let log = folder.run(&["check", "bad.yaml", "--format", "sarif"], 1).json();
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "S0201");
    assert!(
        log["runs"][0]["tool"]["driver"]["rules"][0]["help"]["markdown"].as_str().expect("a page").contains("S0201")
    );
    let log = folder.run(&["check", "sites", "--format", "sarif"], 1).json();
    assert_eq!(log["runs"].as_array().expect("runs").len(), 2);
    let run = folder.run(&["check", "bad.yaml", "--format", "github"], 1);
    assert!(run.out.starts_with("::error file=bad.yaml,line=7,col=1,endColumn=5,title=error[S0201]::unknown key"));
    assert_eq!(run.err, "");
    let log = folder.run(&["build", "sites/a/site.yaml", "--format", "sarif"], 0).json();
    assert_eq!(log["runs"][0]["results"].as_array().expect("results").len(), 0);
    assert!(folder.path.join("out/tiny").exists());
    assert!(folder.run(&["show", "bad.yaml", "--format", "sarif"], 2).err.contains("not for this command"));
    assert!(folder.run(&["check", "bad.yaml", "--format", "csv"], 2).err.contains("not for this command"));
}

#[test]
fn a_report_takes_the_form_of_its_terminal() {
    let folder = Folder::with(&[("bad.yaml", BAD)]);
    let drawn = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["check", "bad.yaml"].iter().chain(arguments).copied().collect();
        folder.run(&arguments, 1).err
    };
    assert!(drawn(&[]).contains('╭') && drawn(&["--ascii"]).is_ascii());
    assert!(drawn(&["--color", "always"]).contains("\u{1b}[1;31m"));
    let widest = |text: &str| text.lines().filter(|l| l.contains("= help") || l.starts_with("       ")).count();
    assert!(widest(&drawn(&["--width", "40"])) > widest(&drawn(&["--width", "120"])));
    folder.run(&["check", "bad.yaml", "--width", "12"], 2);
    let mut plain = folder.command(&["check", "bad.yaml"]);
    let plain = plain.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").output().expect("the program");
    assert!(!String::from_utf8_lossy(&plain.stderr).contains('\u{1b}'));
}

#[test]
fn a_thousand_errors_are_counted_and_a_hundred_shown() {
    let hosts: String = (0..1000).map(|n| format!("  h{n}: {{ cpu: [] }}\n")).collect();
    let spec = TINY.replace("firewall:", &format!("{hosts}firewall:"));
    let folder = Folder::with(&[("site.yaml", &spec)]);
    let shown = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["check", "site.yaml"].iter().chain(arguments).copied().collect();
        let err = folder.run(&arguments, 1).err;
        assert!(err.contains("1000 errors") || arguments.contains(&"short"), "{}", &err[err.len() - 300..]);
        (err.matches("error[S0202]").count(), err)
    };
    let (count, err) = shown(&[]);
    assert!(count == 100 && err.contains("900 more are not shown; `--all` shows everything"));
    assert_eq!(shown(&["--all"]).0, 1000);
    assert_eq!(shown(&["--limit", "3"]).0, 3);
    assert_eq!(shown(&["--format", "short"]).0, 100);
    let report = folder.run(&["check", "site.yaml", "--format", "json"], 1).json();
    assert_eq!(report["findings"].as_array().expect("a list").len(), 1000);
}

#[test]
fn fix_puts_right_what_is_safe_and_keeps_the_rest() {
    let site = [
        "# first\r\nsitec: 1\r\nextends: base.yaml\r\nsite: { name: tiny }   # kept\r\nhosts:\r\n",
        "  nfs1: { memroy: 8 GiB, addresses: [ 10.30.8.31 ] } # kept too\r\n",
        "  w1: { addresses: [10.30.8.32] , memroy: 4 GiB }\r\n",
        "storage: { a: { server: \"nsf1\", path: /srv } }",
    ];
    let site = &site.concat();
    let base = "networks:\n  servers: { cidrs: [10.30.8.7/24], role: servers }\nsmpt: none\n";
    let folder = Folder::with(&[("site.yaml", site), ("base.yaml", base)]);
    let run = folder.run(&["check", "site.yaml", "--fix", "--dry-run"], 0);
    assert!(
        run.out.contains("-  servers: { cidrs: [10.30.8.7/24]") && run.out.contains("--- base.yaml"),
        "{}",
        run.out
    );
    assert_eq!((folder.text("site.yaml"), folder.text("base.yaml")), (site.clone(), base.to_owned()));
    let run = folder.run(&["check", "site.yaml", "--fix"], 0);
    for line in [
        "site.yaml:6:11: fixed[S0201]: `memroy` becomes `memory`",
        "site.yaml:8:25: fixed[S0301]: `\"nsf1\"` becomes `\"nfs1\"`",
        "base.yaml:2:22: fixed[S0206]: `10.30.8.7/24` becomes `10.30.8.0/24`",
        "base.yaml:3:1: fixed[S0201]: `smpt` becomes `smtp`",
    ] {
        assert!(run.err.contains(line), "{line}\n{}", run.err);
    }
    assert_eq!(folder.text("site.yaml"), site.replace("memroy", "memory").replace("nsf1", "nfs1"));
    assert_eq!(folder.text("base.yaml"), base.replace("10.30.8.7/24", "10.30.8.0/24").replace("smpt", "smtp"));
    assert!(folder.run(&["check", "site.yaml", "--fix"], 0).err.contains("nothing to fix"));
    let names: Vec<_> =
        folder.path.read_dir_utf8().expect("a folder").map(|e| e.expect("readable").path().to_owned()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    folder.run(&["check", "site.yaml", "--dry-run"], 2);
}

#[test]
fn fix_keeps_links_and_modes() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::with(&[("real/site.yaml", BAD)]);
    symlink("real/site.yaml", folder.path.join("site.yaml")).expect("a link");
    fs::set_permissions(folder.path.join("real/site.yaml"), fs::Permissions::from_mode(0o640)).expect("a mode");
    folder.run(&["check", "site.yaml", "--fix"], 1);
    assert!(folder.path.join("site.yaml").is_symlink());
    let mode = fs::metadata(folder.path.join("real/site.yaml")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn questions_for_those_who_can_answer() {
    let demo = include_str!("../fixtures/demo/site.yaml");
    let folder = Folder::with(&[("site.yaml", demo)]);
    let page = folder.run(&["questions", "site.yaml"], 0).out;
    assert!(
        page.starts_with("# Open questions of acme-lyon\n\n1 question.") && page.contains("## For: customer"),
        "{page}"
    );
    let table = folder.run(&["questions", "site.yaml", "--format", "csv"], 0).out;
    let rows: Vec<&str> = table.split_terminator("\r\n").collect();
    assert_eq!(rows[0], r#""site","who","question","answer","place in the spec","waits for it","asked by","why""#);
    assert!(rows.len() == 2 && rows[1].starts_with(r#""acme-lyon","customer","which key"#), "{table}");
    let list = folder.run(&["questions", "site.yaml", "--format", "json"], 0).json();
    assert_eq!(list["questions"][0]["pointer"], "/products/demo/settings/chart/keys/database_host");
    assert!(folder.run(&["questions", "site.yaml", "--who", "vendor"], 0).out.contains("Nothing is left"));
    assert!(folder.run(&["questions", "site.yaml", "--who", "custmer"], 2).err.contains("there is `customer`"));
    // A build goes on and says so; a strict one does not.
    let run = folder.run(&["build", "site.yaml"], 0);
    assert!(run.err.contains("1 question is open; what waits for its answer is listed in out/acme-lyon/questions.md"));
    assert!(folder.text("out/acme-lyon/helm/guestbook/values.yaml").contains("# open question: which key"));
    fs::remove_dir_all(folder.path.join("out")).expect("removed");
    assert!(folder.run(&["build", "site.yaml", "--strict"], 1).err.contains("nothing was written"));
    let answered = demo.replace("database_host: null", "database_host: host");
    folder.put("site.yaml", &answered);
    assert!(folder.run(&["questions", "site.yaml"], 0).out.contains("Nothing is left unanswered"));
    folder.put("site.yaml", &demo.replace("host: pg1", "host: pg2"));
    assert!(folder.run(&["questions", "site.yaml"], 1).err.contains("error[S0301]"));
}

#[test]
fn every_code_that_a_report_names_has_a_page() {
    let folder = Folder::new();
    let list = folder.run(&["explain"], 0).out;
    for code in ["S0201", "demo/memory", "demo/without-mail"] {
        assert!(list.contains(code), "{list}");
        assert!(folder.run(&["explain", code], 0).out.starts_with(&format!("# {code}")));
    }
    let codes = folder.run(&["explain", "--format", "json"], 0).json();
    for row in codes["codes"].as_array().expect("a list").iter().filter(|row| row["name"].is_null()) {
        let code = row["code"].as_str().expect("text");
        assert!(folder.run(&["explain", code], 0).out.contains("\n## Source\n"), "{code}");
    }
}

/// What no ruleset can be made of: unknown names, nobody at an end, ranges the wrong way round, families that do not meet,
/// what a form cannot say, administrators who would be locked out.
#[test]
fn flows_that_cannot_be_write_nothing() {
    for fixture in [
        "S0206-port-range",
        "S0301-additions",
        "S0560-locked-out",
        "S0560-other-family",
        "S0560-security-groups",
        "S0565-name-without-address",
        "S0565-ports-of-windows",
        "S0570-empty-end",
        "S0571-families-apart",
    ] {
        let folder = Folder::new();
        let spec = format!("{}/fixtures/errors/{fixture}/site.yaml", env!("CARGO_MANIFEST_DIR"));
        let run = folder.run(&["build", &spec], 1);
        assert!(run.err.contains(&format!("error[{}]", &fixture[..5])), "{fixture}: {}", run.err);
        let left = folder.path.read_dir_utf8().expect("readable").count();
        assert_eq!(left, 0, "{fixture}: something is written");
    }
    // Who the administrators are is a question: everything else is written, and no ruleset is.
    let folder = Folder::new();
    let spec = format!("{}/fixtures/errors/S1001-management-network/site.yaml", env!("CARGO_MANIFEST_DIR"));
    folder.run(&["build", &spec], 0);
    assert!(folder.text("out/acme-lyon/questions.md").contains("the rulesets of hosts, the security groups"));
    for path in ["hosts/w1/root/etc/nftables.d/sitec.nft", "firewall/security-groups.tf"] {
        assert!(!folder.path.join("out/acme-lyon").join(path).exists(), "{path}");
    }
    assert!(!folder.text("out/acme-lyon/RUNBOOK.md").contains("Load the firewall"));
}

#[test]
fn build_writes_checks_refuses_and_forces() {
    let folder = Folder::with(&[("site.yaml", TINY)]);
    folder.run(&["build", "site.yaml", "--check"], 1);
    assert!(!folder.path.join("out").exists());
    let run = folder.run(&["build", "site.yaml"], 0);
    assert!(run.out.starts_with("out/tiny: "), "{}", run.out);
    for file in ["MANIFEST.json", "SHA256SUMS", "RUNBOOK.md", "firewall/flows.csv"] {
        assert!(!folder.text(&format!("out/tiny/{file}")).is_empty(), "{file}");
    }
    assert!(folder.run(&["build", "site.yaml"], 0).out.contains("unchanged"));
    folder.run(&["build", "site.yaml", "--check"], 0);

    let runbook = folder.text("out/tiny/RUNBOOK.md");
    folder.put("out/tiny/RUNBOOK.md", &format!("{runbook}by hand\n"));
    folder.put("out/tiny/notes.txt", "mine");
    let run = folder.run(&["build", "site.yaml"], 1);
    assert!(run.err.contains("S0901") && run.err.contains("+by hand"), "{}", run.err);
    let run = folder.run(&["build", "site.yaml", "--check"], 1);
    assert!(run.err.contains("S0901") && run.err.contains("S0908"), "{}", run.err);
    let run = folder.run(&["build", "site.yaml", "--force"], 0);
    assert!(run.err.contains("notes.txt"), "{}", run.err);
    assert_eq!(folder.text("out/tiny/RUNBOOK.md"), runbook);
    assert_eq!(folder.text("out/tiny/notes.txt"), "mine");

    let document = folder.run(&["build", "site.yaml", "--format", "json"], 0).json();
    assert_eq!(document["output"]["folder"], "out/tiny");
    assert_eq!(document["output"]["foreign"], serde_json::json!(["notes.txt"]));
}

#[test]
fn an_error_keeps_everything_as_it_was() {
    let folder = Folder::with(&[("site.yaml", TINY)]);
    folder.run(&["build", "site.yaml"], 0);
    let before = folder.text("out/tiny/MANIFEST.json");
    folder.put("site.yaml", &TINY.replace("10.30.8.0/24", "10.30.8.0/99"));
    let run = folder.run(&["build", "site.yaml"], 1);
    assert!(run.err.contains("nothing was written"), "{}", run.err);
    assert_eq!(folder.text("out/tiny/MANIFEST.json"), before);
}

#[test]
fn a_file_where_the_output_folder_belongs_is_an_error_of_the_system() {
    let folder = Folder::with(&[("site.yaml", TINY), ("out", "a file")]);
    folder.run(&["build", "site.yaml"], 2);
    assert_eq!(folder.text("out"), "a file");
}

#[test]
fn diff_shows_hosts_and_flows() {
    let folder = Folder::with(&[("site.yaml", TINY)]);
    folder.run(&["build", "site.yaml"], 0);
    assert_eq!(folder.run(&["diff", "site.yaml"], 0).out, "");
    let more = TINY.replace("w[01-03]", "w[01-04]").replace("[21-23]", "[21-24]");
    folder.put("new.yaml", &more);
    for arguments in [&["diff", "new.yaml"][..], &["diff", "site.yaml", "new.yaml"]] {
        let run = folder.run(arguments, 1);
        assert!(run.out.contains("# host w04\n# new     hosts/w04/"), "{}", run.out);
        assert!(run.out.contains("# opens  ") && run.out.contains("10.30.8.24"), "{}", run.out);
        assert!(run.out.trim_end().ends_with("1 opened, 0 closed"), "{}", run.out);
    }
    let document = folder.run(&["diff", "new.yaml", "--format", "json"], 1).json();
    assert_eq!(document["opens"][0]["to_hosts"], serde_json::json!(["10.30.8.24"]));
}

#[test]
fn a_folder_of_specs_is_a_fleet() {
    let other = TINY.replace("tiny", "other");
    let folder = Folder::with(&[("sites/a/site.yaml", TINY), ("sites/b/site.yaml", &other)]);
    let run = folder.run(&["build", "sites"], 0);
    assert_eq!(run.out.lines().count(), 2, "{}", run.out);
    assert!(folder.path.join("out/tiny/MANIFEST.json").exists());
    assert!(folder.path.join("out/other/MANIFEST.json").exists());
    folder.run(&["build", "sites", "--check"], 0);
    // One site's errors keep only that site from being written.
    folder.put("sites/a/site.yaml", BAD);
    folder.put("sites/b/site.yaml", &other.replace("w[01-03]", "v[01-03]"));
    let run = folder.run(&["build", "sites"], 1);
    assert!(run.out.contains("out/other: "), "{}", run.out);
    let document = folder.run(&["check", "sites", "--format", "json"], 1).json();
    assert_eq!(document["sites"][0]["counts"]["error"], 1);
    assert_eq!(document["sites"][1]["counts"]["error"], 0);
    // Two sites of one name would overwrite each other.
    folder.put("sites/a/site.yaml", &other);
    assert!(folder.run(&["build", "sites"], 2).err.contains("both name their site `other`"));
}

#[test]
fn show_prints_values_with_their_places() {
    let folder = Folder::with(&[("site.yaml", TINY)]);
    let run = folder.run(&["show", "site.yaml", "/hosts/w02"], 0);
    assert!(run.out.contains("10.30.8.22") && run.out.contains("# site.yaml:7"), "{}", run.out);
    assert!(run.out.contains("network: servers") && run.out.contains("# default"), "{}", run.out);
    let json = folder.run(&["show", "site.yaml", "/hosts/w02/addresses", "--format", "json"], 0).json();
    assert_eq!(json, serde_json::json!(["10.30.8.22"]));
    assert!(folder.run(&["show", "site.yaml", "/hosts/w09"], 2).err.contains("has no `w09`"));
}

#[test]
fn a_secret_in_the_spec_is_shown_by_no_command() {
    let title = "name: tiny, title: \"smtp://acme:Tr0ub4dor-and-4@mail.acme.example\" }";
    let more = "smtp: { address: m.acme.example, facts: { apiKey: 47114711 } }
waivers:
  - { code: S0422, at: /site/title, reason: a test }
  - { code: S0422, at: /smtp/facts/apiKey, reason: a test }
";
    let site = format!("{}{more}", TINY.replace("name: tiny }", title));
    let folder = Folder::with(&[("site.yaml", &site)]);
    let show = folder.run(&["show", "site.yaml", "/"], 0).out;
    let json = folder.run(&["show", "site.yaml", "/", "--format", "json"], 0).out;
    let start = folder.run(&["why", "site.yaml", "START-HERE.md"], 0).out;
    for text in [&show, &json, &start] {
        assert!(!text.contains("Tr0ub4dor") && !text.contains("47114711"), "{text}");
    }
    assert!(show.contains("title: ***") && json.contains("\"apiKey\": \"***\""), "{show}{json}");
    assert!(start.contains("site.yaml:2:"), "{start}");
}

#[test]
fn why_names_the_lines_of_the_spec() {
    let folder = Folder::with(&[("site.yaml", TINY)]);
    folder.run(&["build", "site.yaml"], 0);
    let csv = folder.text("out/tiny/firewall/flows.csv");
    let line = csv.lines().position(|l| l.contains("10.30.8.21")).expect("a flow to w01") + 1;
    for path in ["firewall/flows.csv", "out/tiny/firewall/flows.csv"] {
        let run = folder.run(&["why", "site.yaml", &format!("{path}:{line}")], 0);
        assert!(run.out.contains("spec") && run.out.contains("site.yaml:7:"), "{}", run.out);
        assert!(run.out.contains("pack"), "{}", run.out);
    }
    assert!(folder.run(&["why", "site.yaml", "firewall/flow.csv:1"], 2).err.contains("there is `firewall/flows.csv`"));
    folder.run(&["why", "site.yaml", "firewall/flows.csv:99999"], 2);
}

#[test]
fn can_answers_with_the_lines_that_decide() {
    let project = Folder::with(&[("site.yaml", include_str!("../fixtures/demo/site.yaml"))]);
    let run = project.run(&["can", "site.yaml", "users", "proxy1", "443"], 0);
    assert!(run.out.starts_with("yes: users -> proxy1 : 443/tcp\n"), "{}", run.out);
    assert!(run.out.contains("templates/demo/pack.toml"), "{}", run.out);
    let run = project.run(&["can", "site.yaml", "any", "pg1", "5432"], 1);
    assert!(run.out.starts_with("in part: any -> pg1 : 5432/tcp\n"), "{}", run.out);
    assert!(
        run.out.contains("no flow permits any IPv4 address but 10.30.8.21 10.30.8.22 -> 10.30.8.41"),
        "{}",
        run.out
    );
    let run = project.run(&["can", "site.yaml", "w1", "pg1", "5000-6000"], 1);
    for line in ["w1 -> pg1 : 5000-6000/tcp", "-> 10.30.8.41 : 5000-5431/tcp", "-> 10.30.8.41 : 5433-6000/tcp"] {
        assert!(run.out.contains(line), "{line}: {}", run.out);
    }
    let run = project.run(&["can", "site.yaml", "users", "pg1", "5432", "--format", "json"], 1);
    let json = run.json();
    assert_eq!(json["permitted"], "nothing");
    assert_eq!(json["toward"][0]["to"], "database");
    project.run(&["can", "site.yaml", "w1", "w1", "80/udp"], 0);
    for (from, to, port, why) in [
        ("users", "pg2", "443", "there is no host, network, external endpoint or cluster `pg2`; there is `pg1`"),
        ("users", "pg1", "443/icmp", "`icmp` has no ports; write `icmp` alone"),
        (
            "users",
            "pg1",
            "0",
            "`0` is no port between 1 and 65535, and no range of them: port 0 is not between 1 and 65535",
        ),
        ("demo/webb", "pg1", "5432", "there is no end of a flow `demo/webb`; there is `demo/web`"),
        ("cluster:mian", "pg1", "5432", "there is no cluster `mian`; there is `main`"),
    ] {
        let run = project.run(&["can", "site.yaml", from, to, port], 2);
        assert_eq!(run.err, format!("error: {why}\n"));
    }
}

#[test]
fn every_code_can_be_explained() {
    let folder = Folder::new();
    let list = folder.run(&["explain", "--format", "json"], 0).json();
    let codes = list["codes"].as_array().expect("a list");
    assert!(codes.len() > 20);
    let first = codes[0]["code"].as_str().expect("a code");
    assert!(folder.run(&["explain", first], 0).out.starts_with(&format!("# {first}")));
}

#[test]
fn the_schema_is_installed_beside_a_spec_that_still_compiles() {
    let folder = Folder::with(&[("site.yaml", TINY)]);
    let schema = folder.run(&["schema"], 0).json();
    assert!(schema["properties"]["hosts"].is_object());
    for _ in 0..2 {
        folder.run(&["schema", "--install", "site.yaml"], 0);
    }
    let text = folder.text("site.yaml");
    assert!(text.starts_with("# yaml-language-server: $schema="), "{text}");
    assert_eq!(text.lines().count(), TINY.lines().count() + 1);
    let file = text.lines().next().and_then(|l| l.split_once("$schema=")).expect("the line").1;
    let installed: Json = serde_json::from_str(&folder.text(file)).expect("JSON");
    assert_eq!(installed["title"], schema["title"]);
    folder.run(&["check", "site.yaml"], 0);
}

#[test]
fn first_specs_compile_to_questions() {
    let folder = Folder::new();
    let packs = folder.run(&["packs", "--format", "json"], 0).json();
    let names = packs["packs"].as_array().expect("a list").iter().map(|p| p["name"].as_str().expect("a name"));
    let names: Vec<&str> = names.filter(|name| *name != "base").collect();
    assert!(!names.is_empty());
    let choices = names.iter().map(|name| vec![*name]).chain([vec![], names.clone()]);
    for choice in choices {
        let spec = folder.run(&[&["init"][..], &choice].concat(), 0).out;
        folder.put("site.yaml", &spec);
        let document = folder.run(&["check", "site.yaml", "--format", "json"], 0).json();
        assert_eq!(document["counts"]["error"], 0, "{choice:?}");
        // A site without a product leaves nothing open that anybody needs.
        assert!(choice.is_empty() || document["counts"]["question"] != 0, "{choice:?}");
    }
    for name in names {
        assert!(folder.run(&["packs", "show", name], 0).out.contains('['), "{name} cites nothing");
    }
    assert!(folder.run(&["init", "nothing-of-this-name"], 2).err.contains("there is no pack"));
}

#[test]
fn a_new_pack_compiles() {
    let folder = Folder::new();
    folder.run(&["packs", "new", "mine"], 0);
    folder.run(&["packs", "new", "mine"], 2);
    folder.run(&["packs", "new", "../x"], 2);
    let spec = folder.run(&["init", "mine", "--packs", "."], 0).out;
    folder.put("site.yaml", &spec);
    folder.run(&["check", "site.yaml", "--packs", "."], 0);
    assert!(folder.run(&["check", "site.yaml"], 1).err.contains("there is no pack `mine`"));
    // Answered, it makes what it promises.
    let host = "admin1: { addresses: [10.30.8.5], os: ubuntu-22.04, memory: 4 GiB, roles: [admin] }";
    let answered = spec
        .lines()
        .map(|line| match line.trim_start() {
            l if l.starts_with("admin1:") => format!("  {host}"),
            l if l.starts_with("nodes: null") => line.replace("null", "[admin1]"),
            l if l.starts_with("servers:") => "  servers: { cidrs: [10.30.8.0/24], role: servers }".to_string(),
            _ => line.to_string(),
        })
        .collect::<Vec<_>>()
        .join("\n");
    folder.put("site.yaml", &answered);
    folder.run(&["build", "site.yaml", "--packs", "."], 0);
    let conf = folder.text("out/my-site/hosts/admin1/root/etc/mine/service.conf");
    assert!(conf.contains("listen=8080"), "{conf}");
    assert!(folder.text("out/my-site/RUNBOOK.md").contains("systemctl restart mine"));
    let explained = folder.run(&["explain", "mine/memory", "--packs", "."], 0).out;
    assert!(explained.contains("Hardware requirements"), "{explained}");
    // And it judges.
    folder.put("site.yaml", &answered.replace("4 GiB", "1 GiB"));
    assert!(folder.run(&["check", "site.yaml", "--packs", "."], 1).err.contains("mine/memory"));
}

#[test]
fn completions_exist_for_every_shell() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(folder.run(&["completions", shell], 0).out.contains("sitec"), "{shell}");
    }
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let folder = Folder::new();
    for arguments in [&["schema"][..], &["--help"], &["explain"], &["completions", "bash"]] {
        let mut child = folder.command(arguments).stdout(Stdio::piped()).spawn().expect("the program");
        drop(child.stdout.take());
        let status = child.wait().expect("an end");
        assert_eq!(status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn colours_follow_options_and_environment() {
    let folder = Folder::with(&[("bad.yaml", BAD)]);
    let colored = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = folder.command(arguments).envs(variables.iter().copied()).output().expect("the program");
        String::from_utf8_lossy(&output.stderr).contains('\u{1b}')
    };
    let check = ["check", "bad.yaml"];
    assert!(!colored(&check, &[]));
    assert!(colored(&check, &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&check, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(colored(&["check", "bad.yaml", "--color", "always"], &[("NO_COLOR", "1")]));
    assert!(!colored(&["check", "bad.yaml", "--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn specs_are_named_as_they_were_given() {
    let folder = Folder::with(&[("a/bad.yaml", BAD)]);
    let path = folder.path.join("a/bad.yaml");
    for given in ["a/bad.yaml", "./a/bad.yaml", path.as_str()] {
        let run = folder.run(&["check", given, "--format", "short"], 1);
        assert!(run.err.starts_with(&format!("{given}:7:1:")), "{}", run.err);
    }
    assert!(Utf8Path::new(&path).exists());
}
