//! A PostgreSQL server of its own for a test: from nothing to a socket, and away again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::program::{command, given, is_root, output, present, run, words, write};

/// A running server, stopped when dropped.
pub struct Server {
    folder: tempfile::TempDir,
    child: Child,
}

impl Server {
    /// Starts a server as the user `postgres`, without a network port; `None` when it cannot be had here.
    pub fn start(judge: &str) -> Option<Server> {
        let get = "Debian: apt-get install postgresql-15";
        if !present(
            judge,
            &[
                ("initdb", get),
                ("postgres", get),
                ("psql", get),
                ("runuser", "Debian: util-linux"),
                ("openssl", "Debian: apt-get install openssl"),
            ],
        ) {
            return None;
        }
        let user = Command::new("id").arg("postgres").output().is_ok_and(|o| o.status.success());
        if !given(judge, is_root() && user, "needs root and the user `postgres`") {
            return None;
        }
        // A short path: the name of a socket has 107 bytes at most.
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").expect("a temporary folder");
        output(command("chown").arg("postgres").arg(folder.path()), b"");
        let data = folder.path().join("data");
        output(as_postgres("initdb").args(["--auth=trust", "--no-sync", "--encoding=UTF8", "-D"]).arg(&data), b"");
        // With a certificate, so that `hostssl` records can match.
        let mut openssl = as_postgres("openssl");
        openssl.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ]);
        openssl
            .args(["-subj", "/CN=judge", "-keyout"])
            .arg(data.join("server.key"))
            .arg("-out")
            .arg(data.join("server.crt"));
        output(&mut openssl, b"");
        let log = std::fs::File::create(folder.path().join("log")).expect("a log file");
        let mut server = as_postgres("postgres");
        server
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "ssl=on", "-k"])
            .arg(folder.path());
        server.stdin(Stdio::null()).stdout(log.try_clone().expect("a file handle")).stderr(log);
        let child = server.spawn().expect("the server starts");
        let server = Server { folder, child };
        for _ in 0..200 {
            if run(&mut server.psql(), b"SELECT 1;").status.success() {
                return Some(server);
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
        panic!("the server does not answer: {log}");
    }

    /// `psql` as the superuser: the first error ends it, rows come bare.
    pub fn psql(&self) -> Command {
        let mut psql = command("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres", "-h"]);
        psql.arg(self.folder.path());
        psql
    }

    /// Standard output of a script that must pass.
    pub fn ask(&self, script: &str) -> String {
        String::from_utf8(output(&mut self.psql(), script.as_bytes())).expect("psql writes UTF-8")
    }

    /// The rules that the server reads from a `pg_hba.conf`: one JSON object per line of the view.
    pub fn hba_rules(&self, text: &str) -> Vec<serde_json::Value> {
        write(&self.hba(), text);
        let rows = self.ask(
            "SELECT to_json(r) FROM (SELECT line_number, type, database, user_name, address, netmask, auth_method, error \
             FROM pg_hba_file_rules ORDER BY line_number) r;",
        );
        rows.lines().map(|row| serde_json::from_str(row).expect("to_json writes JSON")).collect()
    }

    fn hba(&self) -> PathBuf {
        self.folder.path().join("data/pg_hba.conf")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // `runuser` passes the signal on; an immediate stop is good enough for data that nobody keeps.
        let pid = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap_or_default();
        if let Some(pid) = pid.lines().next() {
            let stopped = run(command("kill").args(["-QUIT", pid]), b"");
            if !stopped.status.success() {
                eprintln!("the server could not be stopped: {}", words(&stopped));
            }
        }
        let _ = self.child.wait();
    }
}

fn as_postgres(program: &str) -> Command {
    let mut command = command("runuser");
    command.args(["-u", "postgres", "--", program]).current_dir("/");
    command
}
