//! NGINX: `nginx -t`. Fragments are wrapped in `http {}`; certificates that the configuration names are made for the test.

use super::program::{command, output, present, run, words, write};
use super::trees::{Verdict, files, folder};

#[test]
fn nginx() {
    let programs = [("nginx", "Debian: apt-get install nginx-light"), ("openssl", "Debian: apt-get install openssl")];
    if !present("nginx", &programs) {
        return;
    }
    let mut verdict = Verdict::new("nginx");
    let server =
        |inside: &str| format!("upstream u {{ server 10.0.0.1:80; }}\nserver {{ listen 443 ssl; {inside} }}\n");
    let tls = "ssl_certificate /etc/x/a.crt; ssl_certificate_key \"/etc/x/a b.key\";";
    for (good, text) in [
        (true, server(&format!("{tls} location / {{ proxy_pass http://u; }}"))),
        (true, "# nothing yet\n".to_string()),
        (false, server(&format!("{tls} location / {{ proxy_pass http://u }}"))),
        (false, server(&format!("{tls} proxy_buffer_size 128k;"))),
        (false, server(&format!("{tls} no_such_directive on;"))),
        (false, server("ssl_certificate /etc/x/a.crt;")),
    ] {
        verdict.sample(good, &text, judge(&text));
    }
    for file in files(|f| f.target().is_some_and(|t| t.starts_with("etc/nginx/") && t.ends_with(".conf"))) {
        verdict.file(&file, judge(&file.text()));
    }
    verdict.end();
}

fn judge(text: &str) -> Result<(), String> {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let make = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    let mut openssl = command("openssl");
    openssl.args(make).args(["-subj", "/CN=judge", "-keyout", &path("key"), "-out", &path("crt")]);
    output(&mut openssl, b"");
    let mut body = String::new();
    for line in text.lines() {
        body.push_str(&with_file(
            &with_file(line, "ssl_certificate ", &path("crt")),
            "ssl_certificate_key ",
            &path("key"),
        ));
        body.push('\n');
    }
    let whole = body.lines().any(|l| l.trim_start().starts_with("events"));
    let mut conf = format!("pid {};\nerror_log {};\n", path("pid"), path("log"));
    if whole {
        conf.push_str(&body);
    } else {
        conf.push_str("events {}\nhttp {\n");
        for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            conf.push_str(&format!("{kind}_temp_path {};\n", path(kind)));
        }
        conf.push_str(&format!("access_log off;\n{body}\n}}\n"));
    }
    write(&folder.path().join("nginx.conf"), conf);
    let out = run(command("nginx").args(["-t", "-q", "-c", &path("nginx.conf")]), b"");
    if out.status.success() && words(&out).is_empty() { Ok(()) } else { Err(words(&out)) }
}

/// Puts another file in the place of a directive's parameter, wherever on the line the directive stands.
fn with_file(line: &str, directive: &str, file: &str) -> String {
    match line.split_once(directive) {
        Some((before, after)) if !before.trim_start().starts_with('#') => match after.split_once(';') {
            Some((_, rest)) => format!("{before}{directive}{file};{rest}"),
            None => line.to_string(),
        },
        _ => line.to_string(),
    }
}
