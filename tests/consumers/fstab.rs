//! fstab: `findmnt --verify` and systemd's own generator. What is only unreachable here (devices, mount points) is
//! discounted. Beyond them: the types of file systems are a closed list, since `findmnt` knows none of NFS.

use super::program::{command, present, run, write};
use super::trees::{Verdict, files, folder};

const GENERATOR: &str = "/lib/systemd/system-generators/systemd-fstab-generator";

#[test]
fn fstab() {
    if !present("fstab", &[("findmnt", "Debian: util-linux"), ("systemd-analyze", "Debian: apt-get install systemd")]) {
        return;
    }
    let mut verdict = Verdict::new("fstab");
    for (good, text) in [
        (
            true,
            "UUID=1c2d /srv/user\\040data ext4 defaults,usrquota 0 2\n# a comment\n10.0.0.1:/srv /mnt nfs4 rw,hard 0 0\n",
        ),
        (false, "UUID=1c2d /srv\n"),
        (false, "10.0.0.1:/srv /mnt nfs44 rw 0 0\n"),
        (false, "UUID=1c2d srv ext4 defaults 0 2\n"),
        (false, "UUID=1c2d /a ext4 defaults 0 2\nUUID=1c2e /a ext4 defaults 0 2\n"),
        (false, "UUID=1c2d /srv/user data ext4 defaults 0 2\n"),
    ] {
        verdict.sample(good, text, judge(text));
    }
    for file in files(|f| f.target() == Some("etc/fstab")) {
        verdict.file(&file, judge(&file.text()));
    }
    verdict.end();
}

fn judge(text: &str) -> Result<(), String> {
    const TYPES: &[&str] = &[
        "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "vfat", "tmpfs", "swap", "nfs", "nfs4", "cifs", "none", "auto",
    ];
    let mut targets = Vec::new();
    for line in text.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, target, kind, _, dump, pass] = fields[..] else {
            return Err(format!("not six fields: {line}"));
        };
        if !TYPES.contains(&kind) {
            return Err(format!("`{kind}` is no type of file system"));
        }
        if dump.parse::<u8>().is_err() || pass.parse::<u8>().is_err() {
            return Err(format!("dump and pass are no numbers: {line}"));
        }
        if targets.contains(&target) {
            return Err(format!("`{target}` is mounted twice"));
        }
        targets.push(target);
    }
    let folder = folder();
    let tab = folder.path().join("fstab");
    write(&tab, text);
    let out = run(command("findmnt").args(["--verify", "--tab-file"]).arg(&tab), b"");
    let said = format!("{}\n{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    let fault = |l: &&str| {
        let l = l.trim_start();
        (l.starts_with("[E]") || l.starts_with("[W]") || l.contains("parse error at")) && !l.contains("unreachable")
    };
    let faults: Vec<&str> = said.lines().filter(fault).collect();
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    if !std::path::Path::new(GENERATOR).is_file() {
        return Ok(());
    }
    let units = folder.path().join("units");
    std::fs::create_dir(&units).expect("a folder");
    let mut generator = command(GENERATOR);
    generator.env("SYSTEMD_FSTAB", &tab).env("SYSTEMD_LOG_TARGET", "console").env("SYSTEMD_LOG_LEVEL", "warning");
    let out = run(generator.args([&units, &units, &units]), b"");
    let said = String::from_utf8_lossy(&out.stderr);
    if out.status.success() && said.trim().is_empty() { Ok(()) } else { Err(said.into_owned()) }
}
