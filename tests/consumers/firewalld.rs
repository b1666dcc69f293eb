//! firewalld: `firewall-offline-cmd --check-config` on the whole folder of a host, with a configuration beside it that the
//! package would bring. It takes ranges of ports the wrong way round and sets that nobody defines; the reader that every
//! build runs does not.

use std::collections::BTreeMap;

use super::program::{command, present, run, words, write};
use super::trees::{File, Verdict, files, folder};

const FOLDER: &str = "/root/etc/firewalld/";

#[test]
fn firewalld() {
    if !present("firewalld", &[("firewall-offline-cmd", "Debian: apt-get install firewalld")]) {
        return;
    }
    let mut verdict = Verdict::new("firewalld");
    let rule = |inner: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<zone target=\"DROP\">\n  <rule family=\"ipv4\">\n{inner}\n    \
             <accept/>\n  </rule>\n</zone>\n"
        )
    };
    for (good, inner) in [
        (true, "<source address=\"10.0.0.0/8\"/><port port=\"80-90\" protocol=\"tcp\"/>"),
        (false, "<source address=\"10.0.0.0/99\"/><port port=\"80\" protocol=\"tcp\"/>"),
        (false, "<source address=\"10.0.0.0/8\"/><port port=\"80\" protocol=\"tpc\"/>"),
        (false, "<icmp-type name=\"echo\"/>"),
    ] {
        verdict.sample(good, inner, judge(&[("zones/sitec.xml".into(), rule(inner))]));
    }
    let mut hosts: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for file in files(|f| f.name.contains(FOLDER)) {
        let folder = file.path.to_string_lossy().split(FOLDER).next().unwrap_or_default().to_owned();
        hosts.entry(folder).or_default().push(file);
    }
    for list in hosts.values() {
        let texts: Vec<(String, String)> =
            list.iter().filter_map(|f| Some((f.name.split_once(FOLDER)?.1.to_owned(), f.text()))).collect();
        verdict.file(&list[0], judge(&texts));
    }
    verdict.end();
}

fn judge(texts: &[(String, String)]) -> Result<(), String> {
    let folder = folder();
    for (name, text) in texts {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        write(&path, text);
    }
    write(&folder.path().join("firewalld.conf"), "DefaultZone=sitec\n");
    let mut check = command("firewall-offline-cmd");
    let out = run(check.arg("--system-config").arg(folder.path()).arg("--check-config"), b"");
    let said = words(&out);
    // It also complains by words alone.
    if out.status.success() && !said.contains("ERROR") && !said.contains("WARNING") { Ok(()) } else { Err(said) }
}
