//! Text of an fstab (whole, or the lines of a block) → its mounts.
//!
//! Source of the syntax: fstab(5). All six fields are required, since that is how they are written here.

use super::fault::{Fault, Read, octal_unescaped, plain_lines};

/// One line of an fstab.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FstabLine {
    pub mount: String,
    pub device: String,
    pub fstype: String,
    /// In the order of the text.
    pub options: Vec<String>,
    pub dump: i64,
    pub pass: i64,
    pub line: usize,
}

/// Reads an fstab; the result is sorted by mount point.
pub fn read(text: &str) -> Read<Vec<FstabLine>> {
    let mut list: Vec<FstabLine> = Vec::new();
    for (i, text) in plain_lines(text)?.enumerate() {
        let line = i + 1;
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        let entry = fstab_line(text, line)?;
        if let Some(first) = list.iter().find(|e| e.mount == entry.mount && e.mount != "none") {
            return Err(Fault::new(line, format!("`{}` is mounted on line {} already", entry.mount, first.line)));
        }
        list.push(entry);
    }
    list.sort();
    Ok(list)
}

fn fstab_line(text: &str, line: usize) -> Read<FstabLine> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [device, mount, fstype, options, dump, pass] = fields[..] else {
        return Err(Fault::new(line, format!("{} fields instead of six", fields.len())));
    };
    let field = |raw: &str| octal_unescaped(raw, line);
    let number = |raw: &str, max: i64| match raw.parse::<i64>() {
        Ok(n) if (0..=max).contains(&n) && raw == n.to_string() => Ok(n),
        _ => Err(Fault::new(line, format!("`{raw}` is not a number from 0 to {max}"))),
    };
    let mount = field(mount)?;
    if !mount.starts_with('/') && mount != "none" {
        return Err(Fault::new(line, format!("the mount point `{mount}` is not absolute")));
    }
    let options: Vec<String> = field(options)?.split(',').map(str::to_owned).collect();
    if options.iter().any(String::is_empty) {
        return Err(Fault::new(line, "an empty option"));
    }
    Ok(FstabLine {
        mount,
        device: field(device)?,
        fstype: field(fstype)?,
        options,
        dump: number(dump, 1)?,
        pass: number(pass, 2)?,
        line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_six_fields() {
        let list = read(
            "# block\nUUID=1c2d\t/var/Simula  ext4 defaults,usrquota 0 2\n\
             //srv/a /mnt/with\\040space nfs nfsvers=3,hard 0 0\n",
        )
        .expect("good");
        assert_eq!(list[0].mount, "/mnt/with space");
        assert_eq!(list[1].options, ["defaults", "usrquota"]);
        assert_eq!((list[1].dump, list[1].pass, list[1].line), (0, 2, 2));
    }

    #[test]
    fn refuses_what_means_something_else() {
        for (text, word) in [
            ("UUID=1 /a ext4 defaults 0\n", "5 fields"),
            ("UUID=1 /a b ext4 defaults 0 2\n", "7 fields"),
            ("UUID=1 a ext4 defaults 0 2\n", "not absolute"),
            ("UUID=1 /a ext4 defaults,,x 0 2\n", "empty option"),
            ("UUID=1 /a ext4 defaults 0 3\n", "0 to 2"),
            ("UUID=1 /a ext4 defaults 2 0\n", "0 to 1"),
            ("UUID=1 /a ext4 defaults 0 02\n", "0 to 2"),
            ("UUID=1 /a\\04 ext4 defaults 0 2\n", "octal"),
            ("UUID=1 /a ext4 defaults 0 2\nUUID=2 /a ext4 defaults 0 2\n", "already"),
            ("UUID=1 /a ext4 defaults 0 2", "line end"),
        ] {
            let fault = read(text).expect_err(text);
            assert!(fault.what.contains(word), "{text}: {fault}");
        }
    }
}
