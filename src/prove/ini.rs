//! Text of an INI file (nfs.conf, systemd unit) → its sections with their entries.
//!
//! Understood are `[section]`, `key = value` and whole-line comments with `#` or `;`. Continued lines, quotes around
//! values and entries outside a section are refused or taken as they are; each format says in its own room what may
//! repeat.

use super::fault::{Fault, Read, plain_lines};

/// One section, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Section {
    pub name: String,
    pub entries: Vec<Entry>,
    pub line: usize,
}

/// One `key = value`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub key: String,
    pub value: String,
    pub line: usize,
}

/// Reads a file in which a section stands once and a key once in its section.
pub fn read(text: &str) -> Read<Vec<Section>> {
    let sections = read_repeating(text)?;
    for section in &sections {
        for (i, entry) in section.entries.iter().enumerate() {
            if section.entries[..i].iter().any(|e| e.key == entry.key) {
                return Err(Fault::new(entry.line, format!("the key `{}` stands twice in its section", entry.key)));
            }
        }
    }
    Ok(sections)
}

/// Reads a file in which a key may stand several times in its section.
pub fn read_repeating(text: &str) -> Read<Vec<Section>> {
    let mut sections: Vec<Section> = Vec::new();
    for (i, text) in plain_lines(text)?.enumerate() {
        let line = i + 1;
        let text = text.trim_end();
        if text.is_empty() || text.starts_with(['#', ';']) {
            continue;
        }
        if text.ends_with('\\') {
            return Err(Fault::new(line, "a line that goes on in the next one"));
        }
        if let Some(header) = text.strip_prefix('[') {
            let name = header.strip_suffix(']').filter(|n| !n.is_empty() && !n.contains(['[', ']']));
            let name = name.ok_or_else(|| Fault::new(line, format!("`{text}` is not a section")))?.to_owned();
            if sections.iter().any(|s| s.name == name) {
                return Err(Fault::new(line, format!("the section `{name}` stands twice")));
            }
            sections.push(Section { name, entries: Vec::new(), line });
            continue;
        }
        let Some((key, value)) = text.split_once('=') else {
            return Err(Fault::new(line, format!("`{text}` is neither a section nor `key = value`")));
        };
        let (key, value) = (key.trim_end(), value.trim_start());
        if key.is_empty() || key.contains(char::is_whitespace) || key.contains(['[', ']', '"']) {
            return Err(Fault::new(line, format!("`{key}` is not a key")));
        }
        let Some(section) = sections.last_mut() else {
            return Err(Fault::new(line, format!("`{key}` stands outside of a section")));
        };
        section.entries.push(Entry { key: key.to_owned(), value: value.to_owned(), line });
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sections() {
        let text = "# ports\n[lockd]\nport = 32803\nudp-port=32769\n\n[mountd]\nport = 892\n";
        let sections = read(text).expect("good");
        assert_eq!(sections[0].entries[1], Entry { key: "udp-port".into(), value: "32769".into(), line: 4 });
        assert_eq!(sections[1].name, "mountd");
    }

    #[test]
    fn refuses_what_programs_take_differently() {
        for (text, word) in [
            ("port = 1\n", "outside"),
            ("[a]\n[a]\n", "twice"),
            ("[a]\nx = 1\nx = 2\n", "twice"),
            ("[a]\nx\n", "neither"),
            ("[a\nx = 1\n", "not a section"),
            ("[a]\nx = 1\\\n", "goes on"),
            ("[a]\nx y = 1\n", "not a key"),
            ("[a]\nx = 1", "line end"),
        ] {
            let fault = read(text).expect_err(text);
            assert!(fault.what.contains(word), "{text}: {fault}");
        }
    }
}
