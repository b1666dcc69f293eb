//! PostgreSQL: the view `pg_hba_file_rules` and `psql -v ON_ERROR_STOP=1` on a server of the test's own.

use super::program::{command, run, words, write};
use super::server::Server;
use super::trees::{File, Verdict, files, folder};

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
    verdict.sample(true, "role", script(&server, "CREATE ROLE \"it's\"; DROP ROLE \"it's\";\n", "").map(drop));
    // What a provider calls its administrator is there before the first script.
    verdict.sample(true, "administrator", script(&server, "CREATE ROLE \"admin\";\n", "").map(drop));
    verdict.sample(false, "typo", script(&server, "CREAT ROLE a;\n", "").map(drop));
    verdict.sample(false, "stopped", script(&server, "SELECT 1/0;\nSELECT 1;\n", "").map(drop));
    let after = |f: &File| ["-passwords.sql", "-userlist.sql", "-rights.sql"].iter().any(|end| f.name.ends_with(end));
    for file in files(|f| f.name.ends_with(".sql") && !after(f)) {
        // Twice, since it says of itself that it can be repeated.
        // The test's server has no languages but the one of POSIX.
        let text = file.text().replace("en_US.UTF-8", "C.UTF-8");
        verdict.file(&file, script(&server, &text, "").and_then(|_| script(&server, &text, "")).map(drop));
        let beside = |end: &str| {
            let path = file.path.to_string_lossy().replace(".sql", end);
            std::fs::read_to_string(path).ok()
        };
        if let Some(rights) = beside("-rights.sql") {
            verdict.file(&file, script(&server, &rights, "").and_then(|_| script(&server, &rights, "")).map(drop));
        }
        let Some(passwords) = beside("-passwords.sql") else { continue };
        // psql asks for each password twice.
        let answers = "S3cret\n".repeat(2 * passwords.matches("\n\\password").count());
        verdict.file(&file, script(&server, &passwords, &answers).map(drop));
        if let Some(list) = beside("-userlist.sql") {
            verdict.file(&file, script(&server, &list, "").and_then(|out| users(&out)));
        }
        verdict.file(&file, owners(&server, &text));
    }
    verdict.end();
}

/// What the script for a pooler's list prints: a user and the hash of its password on each line.
fn users(out: &str) -> Result<(), String> {
    let good = |l: &str| l.starts_with('"') && l.contains("\" \"SCRAM-SHA-256$") && l.ends_with('"');
    match !out.is_empty() && out.lines().all(good) {
        true => Ok(()),
        false => Err(format!("is not a list of users: {out}")),
    }
}

/// Each owner signs in with its password over the network's method and makes and removes a schema and a table.
fn owners(server: &Server, text: &str) -> Result<(), String> {
    server.hba_rules("local all postgres trust\nlocal all all scram-sha-256\n");
    server.ask("SELECT pg_reload_conf(); SELECT pg_sleep(0.3);");
    let mut result = Ok(());
    for line in text.lines().filter(|l| l.starts_with("ALTER DATABASE ")) {
        let names: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        let [database, owner] = names[..] else { continue };
        let mut psql = command("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", owner, "-d", database, "-h"]).arg(server.folder());
        psql.env("PGPASSWORD", "S3cret");
        let out = run(
            &mut psql,
            b"CREATE SCHEMA a; CREATE TABLE a.t (); CREATE TABLE t (); DROP TABLE t; DROP SCHEMA a CASCADE;",
        );
        // With the wrong password nobody signs in, or the right one would prove nothing.
        psql.env("PGPASSWORD", "wrong");
        let wrong = run(&mut psql, b"SELECT 1;");
        if !out.status.success() || wrong.status.success() {
            result = Err(format!("{owner} in {database}: {}", words(&out)));
        }
    }
    server.hba_rules("local all all trust\n");
    server.ask("SELECT pg_reload_conf(); SELECT pg_sleep(0.3);");
    result
}

fn rules(server: &Server, text: &str) -> Result<(), String> {
    let written = text.lines().filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#')).count();
    let rules = server.hba_rules(text);
    if let Some(bad) = rules.iter().find(|r| !r["error"].is_null()) {
        return Err(format!("line {}: {}", bad["line_number"], bad["error"]));
    }
    if rules.len() == written { Ok(()) } else { Err(format!("{written} rules are written, {} are read", rules.len())) }
}

/// Runs a script from a file, as at a site, with `answers` to what psql asks; what it prints.
fn script(server: &Server, text: &str, answers: &str) -> Result<String, String> {
    let folder = folder();
    let path = folder.path().join("script.sql");
    write(&path, text);
    let psql = server.psql();
    // Without a terminal of its own psql reads the answers where the test gives them.
    let mut alone = command("setsid");
    alone.args(["-w"]).arg(psql.get_program()).args(psql.get_args()).arg("-f").arg(&path);
    let out = run(&mut alone, answers.as_bytes());
    match out.status.success() {
        true => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        false => Err(words(&out)),
    }
}
