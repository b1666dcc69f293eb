//! Exports: `exportfs -ra; exportfs -s` in a private mount namespace with a root of its own, in which the exported folders
//! exist. Any word on standard error fails. Beyond it: no blank before a parenthesis, which `exportfs` takes for an export
//! to the whole world with a warning only, absolute paths, and as many exports in force as are written.

use super::program::{command, given, is_root, present, run, words, write};
use super::trees::{Verdict, files, folder};

#[test]
fn exports() {
    let get = "Debian: apt-get install nfs-kernel-server";
    if !present("exports", &[("exportfs", get), ("unshare", "Debian: util-linux")])
        || !given("exports", is_root(), "needs root for a mount namespace")
    {
        return;
    }
    let mut verdict = Verdict::new("exports");
    for (good, text) in [
        (true, "/srv/a 10.0.0.0/8(rw,sync,no_subtree_check) fd00::/8(rw,sync,no_subtree_check)\n"),
        (true, "# only a comment\n"),
        (true, "\"/srv/a b\" *(ro,sync,no_subtree_check)\n/srv/c\\040d 10.0.0.1(ro,no_subtree_check)\n"),
        (false, "/srv/a 10.0.0.0/8 (rw)\n"),
        (false, "/srv/a 10.0.0.0/8(rwx)\n"),
        (false, "/srv/a 10.0.0.0/8(rw,sync\n"),
        (false, "srv 10.0.0.0/8(rw,sync,no_subtree_check)\n"),
    ] {
        verdict.sample(good, text, judge(text));
    }
    for file in files(|f| f.target().is_some_and(|t| t == "etc/exports" || t.starts_with("etc/exports.d/"))) {
        verdict.file(&file, judge(&file.text()));
    }
    verdict.end();
}

/// The makings of a root: programs from here, everything that is written elsewhere.
const SCRIPT: &str = r#"set -e
mount -t tmpfs none "$1/r"
cd "$1/r"
mkdir usr etc proc dev sys tmp run var var/lib etc/exports.d
for d in bin sbin lib lib32 lib64 libx32; do
    if [ -L "/$d" ]; then cp -P "/$d" .; elif [ -d "/$d" ]; then mkdir "$d"; mount --bind "/$d" "$d"; fi
done
mount --rbind /usr usr; mount --rbind /proc proc; mount --rbind /dev dev
ln -s /run var/run
cp -a /var/lib/nfs var/lib/nfs
: > var/lib/nfs/etab
for f in passwd group nsswitch.conf netconfig services protocols ld.so.cache; do cp "/etc/$f" etc/ 2>/dev/null || true; done
printf '127.0.0.1 localhost\n' > etc/hosts
while IFS= read -r d; do mkdir -p "./$d"; done < "$1/folders"
: > etc/exports
cp "$1/exports" etc/exports.d/judged.exports
chroot . sh -c 'exportfs -ra && exportfs -s'"#;

fn judge(text: &str) -> Result<(), String> {
    let folder = folder();
    let mut folders = String::new();
    let mut clients = 0;
    for line in text.lines().filter(|l| !l.trim_start().starts_with('#') && !l.trim().is_empty()) {
        if line.contains(" (") || line.contains("\t(") {
            return Err(format!("a blank before `(` gives everybody the options that follow it: {line}"));
        }
        let path = path(line);
        if !path.starts_with('/') {
            return Err(format!("`{path}` is no absolute path"));
        }
        folders.push_str(&path);
        folders.push('\n');
        clients += line.matches('(').count();
    }
    write(&folder.path().join("folders"), folders);
    write(&folder.path().join("exports"), text);
    std::fs::create_dir(folder.path().join("r")).expect("a folder");
    let mut unshare = command("unshare");
    unshare.args(["-m", "sh", "-c", SCRIPT, "sh"]).arg(folder.path());
    let out = run(&mut unshare, b"");
    if !out.status.success() || !out.stderr.is_empty() {
        return Err(words(&out));
    }
    let listed = String::from_utf8_lossy(&out.stdout).lines().count();
    if listed == clients { Ok(()) } else { Err(format!("{clients} exports are written, {listed} are in force")) }
}

/// The exported path of a line, without its quotes or octal escapes.
fn path(line: &str) -> String {
    let line = line.trim_start();
    if let Some(quoted) = line.strip_prefix('"') {
        return quoted.split('"').next().unwrap_or_default().to_string();
    }
    let word = line.split_whitespace().next().unwrap_or_default();
    let mut out = Vec::new();
    let mut bytes = word.bytes();
    while let Some(b) = bytes.next() {
        if b == b'\\' {
            let digits: Vec<u8> = bytes.by_ref().take(3).map(|d| d.saturating_sub(b'0')).collect();
            out.push(digits.iter().fold(0u8, |n, d| n.wrapping_mul(8).wrapping_add(*d)));
        } else {
            out.push(b);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
