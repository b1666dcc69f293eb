//! pgbouncer.ini: really started, since it has no check mode; it must still be running after a moment and have said
//! nothing of errors. Paths that exist only at the site are replaced by the test's own.

use super::program::{command, given, is_root, present, run, words, write};
use super::trees::{Verdict, files, folder};

#[test]
fn pgbouncer() {
    let programs = [("pgbouncer", "Debian: apt-get install pgbouncer"), ("runuser", "Debian: util-linux")];
    if !present("pgbouncer", &programs) || !given("pgbouncer", is_root(), "needs root for a network namespace") {
        return;
    }
    let mut verdict = Verdict::new("pgbouncer");
    let ini = "[databases]\na = host=10.0.0.1 port=5432 dbname=a\n[pgbouncer]\nlisten_addr = *\nlisten_port = 6432\nauth_type = md5\n\
               auth_file = /etc/pgbouncer/userlist.txt\npool_mode = session\n";
    for (good, text) in [
        (true, ini.to_string()),
        (false, ini.replace("pool_mode = session", "pool_mode = sesion")),
        (false, ini.replace("pool_mode", "pol_mode")),
        (false, ini.replace("auth_type = md5", "auth_type = md6")),
    ] {
        verdict.sample(good, &text, judge(&text));
    }
    for file in files(|f| f.name.ends_with("pgbouncer.ini")) {
        verdict.file(&file, judge(&file.text()));
    }
    verdict.end();
}

const SCRIPT: &str = r#"chown -R nobody "$1"
ip link set lo up
runuser -u nobody -- "$(command -v pgbouncer)" "$1/ini" > "$1/out" 2>&1 &
pid=$!
sleep 1
if kill -0 "$pid" 2>/dev/null; then kill "$pid"; wait "$pid"; grep -E 'ERROR|FATAL|WARNING' "$1/out" && exit 1; exit 0; fi
cat "$1/out"
exit 1"#;

fn judge(text: &str) -> Result<(), String> {
    let folder = folder();
    let base = folder.path().display().to_string();
    let mut ini = String::new();
    for line in text.lines() {
        let key = line.split('=').next().unwrap_or("").trim();
        match key {
            "logfile" | "pidfile" | "user" | "client_tls_key_file" | "client_tls_cert_file" | "client_tls_ca_file" => {}
            "client_tls_sslmode" | "server_tls_ca_file" => {}
            "auth_file" => ini.push_str(&format!("auth_file = {base}/users\n")),
            "unix_socket_dir" => ini.push_str(&format!("unix_socket_dir = {base}\n")),
            "listen_addr" => ini.push_str("listen_addr = 127.0.0.1\n"),
            "[pgbouncer]" => ini.push_str(&format!("[pgbouncer]\nunix_socket_dir = {base}\n")),
            _ => ini.push_str(&format!("{line}\n")),
        }
    }
    write(&folder.path().join("ini"), ini);
    write(&folder.path().join("users"), "\"a\" \"b\"\n");
    let out = run(command("unshare").args(["-n", "sh", "-c", SCRIPT, "sh", &base]), b"");
    if out.status.success() { Ok(()) } else { Err(words(&out)) }
}
