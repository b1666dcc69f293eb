//! `secrets.sh`, run by a real shell with a `kubectl` and an `ssh` that write down what they get: no secret is ever on a
//! command line, and each arrives where it belongs.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use sitec::compile::{Depth, Inputs, PackFiles, compile};
use sitec::diag::human;

const SPEC: &str = "
sitec: 1
site: { name: acme, domain: acme.example }
networks: { servers: { cidrs: [10.0.0.0/24] } }
hosts: { web1: { addresses: [10.0.0.1] } }
clusters: { main: { kind: kubernetes, cni: calico, control_plane: [web1], workers: [web1] } }
secrets:
  db: { kind: password, owner: DBA }
  token: { kind: token, owner: app team }
  key: { kind: private-key, owner: security }
  pull: { kind: account, owner: platform }
products: { shop: { pack: shop, cluster: main, namespace: shop } }
";

const PACK: &str = r#"
[pack]
name = "shop"

[[secrets]]
name = "db"
place = "Secret shop-db"
cluster = '{{ cluster }}'
namespace = '{{ product.namespace }}'
object = "shop-db"
key = "password"
addition = "test"

[[secrets]]
name = "token"
place = "Secret shop-db"
cluster = '{{ cluster }}'
namespace = '{{ product.namespace }}'
object = "shop-db"
key = "api.token"
addition = "test"

[[secrets]]
name = "key"
place = "Secret shop-tls"
cluster = '{{ cluster }}'
namespace = '{{ product.namespace }}'
object = "shop-tls"
form = "tls"
certificate = "shop.pem"
addition = "test"

[[secrets]]
name = "pull"
place = "Secret shop-pull"
cluster = '{{ cluster }}'
namespace = '{{ product.namespace }}'
object = "shop-pull"
form = "registry"
server = "registry.acme.example:5000"
user = "puller"
addition = "test"

[[secrets]]
name = "key"
place = "the web server"
host = "web1"
file = "/etc/ssl/it's mine/shop.key"
mode = "0640"
owner = "root:ssl-cert"
addition = "test"
"#;

/// The script in a folder of its own, beside stand-ins for `kubectl` and `ssh`.
fn folder() -> tempfile::TempDir {
    let pack =
        PackFiles { name: "shop".into(), dir: "packs/shop".into(), files: vec![("pack.toml".into(), PACK.into())] };
    let read = |_: &str| Ok(SPEC.as_bytes().to_vec());
    let c =
        compile(&Inputs { entry: "site.yaml".into(), read: &read, packs: &[pack], depth: Depth::Build, threads: 1 });
    let report = human::render(&c.findings, &c.sources, human::Options::default());
    let tree = c.tree.unwrap_or_else(|| panic!("no tree\n{report}"));
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("secrets.sh"), &tree.files["secrets.sh"].bytes).expect("the script");
    fs::write(folder.path().join("shop.pem"), "certificate\n").expect("a certificate");
    fs::write(folder.path().join("key.pem"), "-----KEY-----\nline two\n").expect("a key");
    for (name, text) in [
        // What the files hold is shown as it would arrive.
        (
            "kubectl",
            "printf 'kubectl %s\\n' \"$*\" >>log\ncase $1 in apply) cat >/dev/null; exit ;; esac\n\
          for a; do case $a in --from-file=*) f=${a##*=} ;; *) continue ;; esac\n\
          printf '%s holds [%s]\\n' \"$a\" \"$(cat \"$f\")\" >>held; done; echo object\n",
        ),
        ("ssh", "printf 'ssh %s\\n' \"$*\" >>log\ncat >arrived\n"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}")).expect("a stand-in");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    }
    folder
}

fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let mut child = Command::new("sh")
        .arg("secrets.sh")
        .args(arguments)
        .current_dir(folder)
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sh runs");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("input is taken");
    child.wait_with_output().expect("sh ends")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn file(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_default()
}

const ODD: &str = "p'a \"s\\s$w%s rd ";

#[test]
fn every_secret_arrives_and_none_is_on_a_command_line() {
    let folder = folder();
    let folder = folder.path();
    // In the order of the names: db, key, pull, token.
    let output = run(folder, &["ask"], &format!("{ODD}\n{ODD}\nkey.pem\npw\npw\ntok\ntok\n"));
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(file(folder, "secrets/db"), ODD);
    assert_eq!(file(folder, "secrets/key"), "-----KEY-----\nline two\n");
    let mode = |name: &str| fs::metadata(folder.join(name)).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode("secrets"), mode("secrets/db"), mode("secrets/key")), (0o700, 0o600, 0o600));

    let output = run(folder, &["apply", "main"], "");
    assert!(output.status.success(), "{}", text(&output));
    let (log, held) = (file(folder, "log"), file(folder, "held"));
    assert!(held.contains(&format!("--from-file=password=./secrets/db holds [{ODD}]")), "{held}");
    assert!(held.contains("--from-file=api.token=./secrets/token holds [tok]"), "{held}");
    // `puller:pw`
    assert!(held.contains(r#"holds [{"auths":{"registry.acme.example:5000":{"auth":"cHVsbGVyOnB3"}}}]"#), "{held}");
    assert!(log.contains("create secret tls shop-tls -n shop --key ./secrets/key --cert shop.pem"), "{log}");
    assert_eq!(log.matches("apply --server-side").count(), 3, "{log}");

    let output = run(folder, &["place"], "");
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(file(folder, "arrived"), "-----KEY-----\nline two\n");
    let log = file(folder, "log");
    assert!(log.contains("ssh root@web1 umask 077 && cat > '/etc/ssl/it'\\''s mine/shop.key.new'"), "{log}");
    assert!(log.contains("chown 'root:ssl-cert'") && log.contains("chmod '0640'"), "{log}");
    for secret in [ODD, "tok\n", "cHVsbGVyOnB3", "KEY"] {
        assert!(!log.contains(secret), "{secret} is on a command line: {log}");
    }

    assert!(run(folder, &["file", "db", "db-password"], "").status.success());
    assert_eq!((file(folder, "db-password"), mode("db-password")), (ODD.to_owned(), 0o600));
    assert!(run(folder, &["forget"], "").status.success());
    assert!(!folder.join("secrets").exists());
}

#[test]
fn what_is_wrong_is_said() {
    let folder = folder();
    let folder = folder.path();
    for (arguments, input, words) in [
        (&["ask", "db"][..], "a\nb\n", "the two entries for db differ"),
        (&["ask", "db"], "\n\n", "db is empty"),
        (&["ask", "nothing"], "", "the plan has no secret nothing"),
        (&["ask", "key"], "no-such-file\n", "there is nothing in 'no-such-file'"),
        (&["apply", "main"], "", "is not there yet"),
        (&["apply", "other"], "", "no Secrets in a cluster other"),
        (&["place", "other"], "", "no key files on other"),
        (&["place"], "", "key is not there yet"),
    ] {
        let output = run(folder, arguments, input);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains(words), "{arguments:?}: {}", text(&output));
        assert_eq!(file(folder, "secrets/db"), "", "{arguments:?} leaves a secret behind");
    }
    for arguments in [&[][..], &["nonsense"], &["apply"], &["file", "db"]] {
        assert_eq!(run(folder, arguments, "").status.code(), Some(2), "{arguments:?}");
    }
    let list = text(&run(folder, &["list"], ""));
    assert!(list.contains("db (password), kept by DBA\n    Secret shop-db\n"), "{list}");
}
