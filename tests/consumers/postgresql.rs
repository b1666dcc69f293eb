//! PostgreSQL: the view `pg_hba_file_rules` and `psql -v ON_ERROR_STOP=1` on a server of the test's own.

use super::program::{run, words};
use super::server::Server;
use super::trees::{Verdict, files};

#[test]
fn postgresql() {
    let Some(server) = Server::start("postgresql") else {
        return;
    };
    let mut verdict = Verdict::new("pg_hba.conf");
    for (good, text) in [
        (true, "host \"all\" a,b 10.0.0.0/8 scram-sha-256 # why\nhostssl all all fd00::/8 md5\n"),
        (false, "host all all 10.0.0.0/8 scram\n"),
        (false, "host all all 10.0.0.1 scram-sha-256\n"),
        (false, "host all 10.0.0.0/8 scram-sha-256\n"),
    ] {
        verdict.sample(good, text, rules(&server, text));
    }
    for file in files(|f| f.name.ends_with("pg_hba.conf")) {
        verdict.file(&file, rules(&server, &file.text()));
    }
    verdict.end();

    // From here on the server must let us in again.
    server.hba_rules("local all all trust\n");
    let mut verdict = Verdict::new("SQL");
    verdict.sample(true, "role", script(&server, "CREATE ROLE \"it's\"; DROP ROLE \"it's\";\n"));
    verdict.sample(false, "typo", script(&server, "CREAT ROLE a;\n"));
    for file in files(|f| f.name.ends_with(".sql")) {
        verdict.file(&file, script(&server, &file.text()));
    }
    verdict.end();
}

fn rules(server: &Server, text: &str) -> Result<(), String> {
    let written = text.lines().filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#')).count();
    let rules = server.hba_rules(text);
    if let Some(bad) = rules.iter().find(|r| !r["error"].is_null()) {
        return Err(format!("line {}: {}", bad["line_number"], bad["error"]));
    }
    if rules.len() == written { Ok(()) } else { Err(format!("{written} rules are written, {} are read", rules.len())) }
}

fn script(server: &Server, text: &str) -> Result<(), String> {
    let out = run(&mut server.psql(), text.as_bytes());
    if out.status.success() { Ok(()) } else { Err(words(&out)) }
}
