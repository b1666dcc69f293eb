//! Hostile strings, written by the escapers, go through the real readers and must come back as they were.
//!
//! Each reader is called once for all strings. A missing program is a printed skip, or a failure with
//! `SITEC_CONSUMERS=required`.

#[path = "../src/emit/escape/hostile.rs"]
mod hostile;
#[path = "consumers/program.rs"]
#[allow(dead_code)]
mod program;
#[path = "consumers/server.rs"]
#[allow(dead_code)]
mod server;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use program::{command, given, is_root, output, present, run, say, words, write};
use sitec::emit::escape::{Context, Form, Format, escape};
use sitec::value::Value;

const PYTHON: &str = "Debian: apt-get install python3";

/// The strings with their written form, for those that are not refused.
fn written(format: Format, context: Context, strings: Vec<String>) -> Vec<(String, String)> {
    let write = |s: String| Some((escape(format, context, &Value::str(s.as_str())).ok()?, s));
    strings.into_iter().filter_map(write).collect()
}

fn by(form: Form) -> Context {
    Context::By(form)
}

/// All tricky strings and `count` random ones.
fn strings(count: usize) -> Vec<String> {
    let mut strings = hostile::tricky();
    strings.extend(hostile::random(count));
    strings
}

/// What a reader returned must be what went in, one by one.
fn compare(reader: &str, pairs: &[(String, String)], read: &[String]) {
    assert_eq!(read.len(), pairs.len(), "{reader} sees another number of values");
    for (read, (written, original)) in read.iter().zip(pairs) {
        assert_eq!(read, original, "{reader} reads {written} otherwise");
    }
    say(&format!("{reader} reads {} hostile strings as they are", pairs.len()));
}

/// Runs Python on a script that prints a JSON list of strings.
fn python(script: &str, input: &str) -> Vec<String> {
    let out = output(command("python3").args(["-c", script]), input.as_bytes());
    serde_json::from_slice(&out).expect("the script prints a JSON list of strings")
}

#[test]
fn yaml_through_pyyaml() {
    if !present("PyYAML", &[("python3", PYTHON), ("python3 -m yaml", "PyPI: pip install PyYAML")]) {
        return;
    }
    let pairs = written(Format::Yaml, Context::TOKEN, strings(20_000));
    let mut text = String::new();
    for (token, _) in &pairs {
        text.push_str(&format!("- {{k: [a, {token}]}}\n- k: {token}\n"));
    }
    for loader in ["SafeLoader", "CSafeLoader"] {
        let script = format!(
            "import sys, json, yaml\nitems = yaml.load(sys.stdin.buffer.read(), Loader=getattr(yaml, '{loader}', \
             yaml.SafeLoader))\nflow = [i['k'][1] for i in items[::2]]\nblock = [i['k'] for i in items[1::2]]\n\
             assert flow == block\njson.dump(block, sys.stdout)"
        );
        compare(&format!("PyYAML's {loader}"), &pairs, &python(&script, &text));
    }
    let keys = written(Format::Yaml, by(Form::Key), strings(2_000));
    let text: String = keys.iter().map(|(key, _)| format!("- {key}: 1\n")).collect();
    let script =
        "import sys, json, yaml\njson.dump([list(i)[0] for i in yaml.safe_load(sys.stdin.buffer.read())], sys.stdout)";
    compare("PyYAML (keys)", &keys, &python(script, &text));
}

#[test]
fn json_toml_csv_html_through_python() {
    if !present("python3", &[("python3", PYTHON)]) {
        return;
    }
    let pairs = written(Format::Json, Context::TOKEN, strings(5_000));
    let text = format!("[{}]", pairs.iter().map(|p| p.0.as_str()).collect::<Vec<_>>().join(","));
    let script = "import sys, json\njson.dump(json.loads(sys.stdin.buffer.read()), sys.stdout)";
    compare("Python's json", &pairs, &python(script, &text));

    let pairs = written(Format::Toml, Context::TOKEN, strings(5_000));
    let text: String = pairs.iter().enumerate().map(|(i, p)| format!("k{i} = {}\n", p.0)).collect();
    let script = "import sys, json, tomllib\njson.dump(list(tomllib.loads(sys.stdin.buffer.read().decode()).values()), sys.stdout)";
    if given(
        "Python's tomllib",
        run(command("python3").args(["-c", "import tomllib"]), b"").status.success(),
        "needs 3.11",
    ) {
        compare("Python's tomllib", &pairs, &python(script, &text));
    }

    let pairs = written(Format::Csv, Context::TOKEN, strings(5_000));
    let text: String = pairs.iter().map(|p| format!("{},x\n", p.0)).collect();
    let script = "import sys, json, csv, io\ntext = sys.stdin.buffer.read().decode()\n\
                  json.dump([r[0] for r in csv.reader(io.StringIO(text, newline=''), strict=True)], sys.stdout)";
    let read = python(script, &text);
    let formula = |s: &str| s.trim_start().starts_with(['=', '+', '-', '@']);
    assert!(!read.iter().any(|cell| formula(cell)));
    // The apostrophe is what keeps a spreadsheet from computing the cell.
    let bare = |(cell, (_, s)): (&String, &(String, String))| {
        if s.starts_with('\'') { cell.clone() } else { cell.strip_prefix('\'').unwrap_or(cell).to_string() }
    };
    compare("Python's csv", &pairs, &read.iter().zip(&pairs).map(bare).collect::<Vec<_>>());

    let texts = written(Format::Html, Context::TOKEN, strings(5_000));
    let attributes = written(Format::Html, by(Form::Attribute), strings(5_000));
    let page: String = texts.iter().zip(&attributes).map(|(t, a)| format!("<p title={}>{}</p>", a.0, t.0)).collect();
    let script = "import sys, json, html.parser\nout = []\nclass P(html.parser.HTMLParser):\n  \
                  def handle_starttag(self, tag, attrs):\n    assert tag == 'p' and len(attrs) == 1 and attrs[0][0] == 'title'\n    \
                  self.title = attrs[0][1]; self.text = ''\n  def handle_data(self, d): self.text += d\n  \
                  def handle_endtag(self, tag):\n    assert self.text == self.title\n    out.append(self.text)\n\
                  p = P(); p.feed(sys.stdin.buffer.read().decode()); p.close()\njson.dump(out, sys.stdout)";
    compare("Python's html.parser", &texts, &python(script, &page));
}

#[test]
fn shell_words_and_heredocs() {
    for shell in ["dash", "bash"] {
        if !present(shell, &[(shell, &format!("Debian: apt-get install {shell}"))]) {
            continue;
        }
        let pairs = written(Format::Shell, by(Form::Literal), strings(10_000));
        let script: String = pairs.iter().map(|p| format!("printf '%s\\0' {}\n", p.0)).collect();
        compare(shell, &pairs, &split_nul(output(&mut command(shell), script.as_bytes())));
        for (context, mark) in [(Context::Heredoc(None), "'EOF'"), (Context::OpenHeredoc(None), "EOF")] {
            let pairs = written(Format::Shell, context, strings(3_000));
            // A final mark keeps `$( )`-free reading exact: `cat` writes each line and a NUL after it.
            let script: String = pairs.iter().map(|p| format!("cat <<{mark}\n{}\nEOF\nprintf '\\0'\n", p.0)).collect();
            let read = split_nul(output(&mut command(shell), script.as_bytes()));
            let read: Vec<String> = read.iter().map(|r| r.strip_suffix('\n').unwrap_or(r).to_string()).collect();
            compare(&format!("{shell} (<<{mark})"), &pairs, &read);
        }
    }
}

fn split_nul(bytes: Vec<u8>) -> Vec<String> {
    let text = String::from_utf8(bytes).expect("what went in was UTF-8");
    let mut parts: Vec<String> = text.split('\0').map(String::from).collect();
    assert_eq!(parts.pop().as_deref(), Some(""));
    parts
}

#[test]
fn sql_and_pg_hba_through_postgresql() {
    let Some(server) = server::Server::start("PostgreSQL") else {
        return;
    };
    let decode = |hex: &str| {
        let bytes: Vec<u8> = (0..hex.len() / 2)
            .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("encode writes hex"))
            .collect();
        String::from_utf8(bytes).expect("convert_to writes UTF-8")
    };
    let literals = written(Format::Sql, by(Form::Literal), strings(3_000));
    for setting in ["on", "off"] {
        let mut script = format!("SET client_encoding = 'UTF8'; SET standard_conforming_strings = {setting};\n");
        script.push_str("SET escape_string_warning = off;\n");
        for (literal, _) in &literals {
            script.push_str(&format!("SELECT encode(convert_to({literal}, 'UTF8'), 'hex');\n"));
        }
        let read: Vec<String> = server.ask(&script).lines().map(decode).collect();
        compare(&format!("psql (literals, standard_conforming_strings {setting})"), &literals, &read);
    }

    let idents = written(Format::Sql, by(Form::Ident), strings(3_000));
    let mut script = String::from("SET client_encoding = 'UTF8';\n");
    for (ident, _) in &idents {
        script.push_str(&format!("SELECT row_to_json(row_9) FROM (SELECT 1 AS {ident}) row_9;\n"));
    }
    let key = |row: &str| {
        let row: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(row).expect("row_to_json writes JSON");
        row.keys().next().expect("one column").clone()
    };
    compare("psql (names)", &idents, &server.ask(&script).lines().map(key).collect::<Vec<_>>());

    let fields = written(Format::PgHba, Context::TOKEN, strings(3_000));
    let text: String = fields.iter().map(|(f, _)| format!("host {f} {f},x 10.0.0.0/8 scram-sha-256\n")).collect();
    let rules = server.hba_rules(&text);
    let mut read = Vec::new();
    for rule in &rules {
        assert_eq!(rule["error"], serde_json::Value::Null, "{rule}");
        assert_eq!(rule["user_name"][1], "x", "{rule}");
        assert_eq!(rule["user_name"][0], rule["database"][0], "{rule}");
        assert_eq!(rule["database"].as_array().map(Vec::len), Some(1), "{rule}");
        read.push(rule["database"][0].as_str().expect("a name").to_string());
    }
    compare("pg_hba_file_rules", &fields, &read);
}

#[test]
fn nginx_parameters() {
    if !present("nginx", &[("nginx", "Debian: apt-get install nginx-light")]) {
        return;
    }
    let folder = tempfile::Builder::new().prefix("ng").tempdir_in("/tmp").expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let pairs = written(Format::Nginx, by(Form::Literal), strings(1_000));
    let mut conf = format!(
        "daemon off;\nmaster_process off;\npid {};\nerror_log {};\nevents {{}}\nhttp {{\naccess_log off;\n",
        path("pid"),
        path("log")
    );
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        conf.push_str(&format!("{kind}_temp_path {};\n", path(kind)));
    }
    conf.push_str(&format!("keepalive_requests 100000;\nserver {{\nlisten unix:{};\n", path("socket")));
    for (i, (parameter, _)) in pairs.iter().enumerate() {
        conf.push_str(&format!("location = /{i} {{ return 200 {parameter}; }}\n"));
    }
    conf.push_str("}\n}\n");
    write(&folder.path().join("nginx.conf"), &conf);
    let mut nginx = command("nginx").args(["-c", &path("nginx.conf")]).spawn().expect("nginx starts");
    let read: Vec<String> = (0..pairs.len()).map(|i| get(&path("socket"), i)).collect();
    let _ = nginx.kill();
    let _ = nginx.wait();
    compare("nginx", &pairs, &read);
}

/// The body of `/<number>`.
fn get(socket: &str, number: usize) -> String {
    let mut tries = 0;
    let mut stream = loop {
        match UnixStream::connect(socket) {
            Ok(stream) => break stream,
            Err(e) => assert!(tries < 200, "{socket}: {e}"),
        }
        tries += 1;
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    stream.write_all(format!("GET /{number} HTTP/1.0\r\n\r\n").as_bytes()).expect("a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8(answer).expect("what went in was UTF-8");
    answer.split_once("\r\n\r\n").expect("a head and a body").1.to_string()
}

#[test]
fn nft_comments_and_words() {
    if !present("nft", &[("nft", "Debian: apt-get install nftables"), ("unshare", "Debian: util-linux")])
        || !given("nft", is_root(), "needs root for a network namespace")
    {
        return;
    }
    let comments = written(Format::Nft, by(Form::Literal), strings(1_000));
    let comments: Vec<_> = comments.into_iter().filter(|(_, s)| !s.is_empty()).collect();
    let names = written(Format::Nft, by(Form::Ident), strings(3_000));
    // The name of an interface has 15 bytes at most.
    let names: Vec<_> = names.into_iter().filter(|(_, s)| s.len() < 16).collect();
    let mut text = String::from("table inet t {\nchain c {\n");
    for (comment, _) in &comments {
        text.push_str(&format!("tcp dport 22 accept comment {comment}\n"));
    }
    text.push_str("}\n}\n");
    for (i, (name, _)) in names.iter().enumerate() {
        text.push_str(&format!("table inet n{i} {{ chain {name} {{ iifname {name} accept; }}\n}}\n"));
    }
    let script = "nft -f - && nft -j list ruleset";
    let listed = output(command("unshare").args(["-n", "sh", "-c", script]), text.as_bytes());
    let listed: serde_json::Value = serde_json::from_slice(&listed).expect("nft -j writes JSON");
    let items = listed["nftables"].as_array().expect("a list");
    let text_of = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_string();
    let rules = items.iter().map(|i| &i["rule"]).filter(|r| r["table"] == "t");
    compare("nft (comments)", &comments, &rules.map(|r| text_of(&r["comment"])).collect::<Vec<_>>());
    let chains = items.iter().map(|i| &i["chain"]).filter(|c| c.is_object() && c["table"] != "t");
    compare("nft (names)", &names, &chains.map(|c| text_of(&c["name"])).collect::<Vec<_>>());
}

#[test]
fn fstab_through_findmnt() {
    if !present("findmnt", &[("findmnt", "Debian: util-linux")]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tab = folder.path().join("fstab");
    let pairs = written(Format::Fstab, Context::TOKEN, strings(2_000));
    let text: String = pairs.iter().map(|p| format!("{} /m ext4 rw 0 0\n", p.0)).collect();
    write(&tab, &text);
    compare("findmnt (sources)", &pairs, &findmnt(&tab, "source"));
    let options = written(Format::Fstab, by(Form::Option), strings(2_000));
    let text: String = options.iter().map(|p| format!("/dev/x /m ext4 {} 0 0\n", p.0)).collect();
    write(&tab, &text);
    compare("findmnt (options)", &options, &findmnt(&tab, "options"));
}

/// One column of a table file, raw.
fn findmnt(tab: &std::path::Path, column: &str) -> Vec<String> {
    let out = output(command("findmnt").arg("--tab-file").arg(tab).args(["-J", "-o", &column.to_uppercase()]), b"");
    let json: serde_json::Value = serde_json::from_slice(&out).expect("findmnt -J writes JSON");
    let rows = json["filesystems"].as_array().expect("a list");
    rows.iter().map(|row| row[column].as_str().unwrap_or_default().to_string()).collect()
}

#[test]
fn exports_through_exportfs() {
    let get = "Debian: apt-get install nfs-kernel-server";
    if !present("exportfs", &[("exportfs", get), ("unshare", "Debian: util-linux")])
        || !given("exportfs", is_root(), "needs root for a mount namespace")
    {
        return;
    }
    let folder = tempfile::Builder::new().prefix("ex").tempdir_in("/tmp").expect("a temporary folder");
    let base = folder.path().display().to_string();
    // A folder has no slash in its name, and the kernel's tables none of its longer ones.
    let names = strings(500)
        .into_iter()
        .filter(|s| !s.contains('/') && !s.is_empty() && s != "." && s != ".." && s.len() < 200);
    let mut paths: Vec<String> = names.map(|n| format!("{base}/{n}")).collect();
    paths.sort();
    paths.dedup();
    let pairs = written(Format::Exports, Context::TOKEN, paths);
    let mut text = String::new();
    for (path, original) in &pairs {
        std::fs::create_dir(original).expect("a folder for each path");
        text.push_str(&format!("{path} 10.0.0.0/8(rw,sync,no_subtree_check)\n"));
    }
    write(&folder.path().join("exports"), &text);
    let script = format!(
        "set -e; cp -a /var/lib/nfs {base}/state; mount --bind {base}/state /var/lib/nfs; mkdir {base}/d; \
         test ! -d /etc/exports.d || mount --bind {base}/d /etc/exports.d; mount --bind {base}/exports /etc/exports; \
         exportfs -ra; cat /var/lib/nfs/etab"
    );
    let out = run(command("unshare").args(["-m", "sh", "-c", &script]), b"");
    assert!(out.status.success() && out.stderr.is_empty(), "{}", words(&out));
    let table = String::from_utf8(out.stdout).expect("paths are UTF-8");
    let mut read: Vec<String> = table.lines().map(|l| unoctal(l.split_once('\t').expect("path, client").0)).collect();
    read.sort();
    compare("exportfs", &pairs, &read);
}

/// Undoes `\ooo`.
fn unoctal(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        match tail.get(..3).filter(|_| *first == b'\\').and_then(|d| std::str::from_utf8(d).ok()) {
            Some(digits) => {
                bytes.push(u8::from_str_radix(digits, 8).expect("three octal digits"));
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).expect("what went in was UTF-8")
}
