//! The emitted script that brings secrets to their places against the `Ir`'s secrets, both ways.

use std::collections::BTreeMap;

use super::bugs::Bugs;
use super::fault::{Fault, Read, plain_lines};
use super::{Emitted, Texts};
use crate::ir::{Ir, SecretObject};

/// The script's path; it carries everything that this room proves.
const PATH: &str = "secrets.sh";

/// The functions of the script whose lines name items, one item a line.
const LISTS: [&str; 5] = ["secrets", "objects", "sealed", "mixtures", "files"];

/// A function and the words of one of its lines.
type Entry = (&'static str, Vec<String>);

/// Secrets with their places, Secrets of clusters, files on hosts.
pub fn script(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let file = texts.files.iter().find(|f| f.is_own() && f.path == PATH);
    let meant = meant(ir);
    let Some(file) = file else {
        if !ir.secrets.is_empty() {
            bugs.missing("the tree", &format!("`{PATH}`"));
        }
        return;
    };
    if let Some(found) = file.read(read, bugs) {
        compare(file, found, meant, bugs);
    }
}

fn compare(file: &Emitted, found: Vec<(Entry, usize)>, meant: Vec<Entry>, bugs: &mut Bugs) {
    let mut left: BTreeMap<Entry, usize> = BTreeMap::new();
    for (entry, line) in found {
        if left.contains_key(&entry) {
            bugs.extra(file.at(line), &format!("a second time {}", shown(&entry)));
        }
        left.insert(entry, line);
    }
    for entry in meant {
        if left.remove(&entry).is_none() {
            bugs.missing(file.path, &shown(&entry));
        }
    }
    for (entry, line) in left {
        bugs.extra(file.at(line), &shown(&entry));
    }
}

fn shown((function, words): &Entry) -> String {
    format!("`{}` in `{function}`", words.join(" "))
}

/// Every line that the items ask for.
fn meant(ir: &Ir) -> Vec<Entry> {
    let mut list = Vec::new();
    for secret in &ir.secrets {
        // The command that each entry is given to.
        let mut words = vec!["$1", &secret.name, &secret.kind, &secret.owner];
        words.extend(secret.uses.iter().map(|used| &**used.place));
        list.push(("secrets", owned(&words)));
        for used in secret.uses.iter() {
            if let (Some(host), Some(path)) = (&*used.host, &*used.file) {
                list.push(("files", owned(&["on_host", host, path, &used.owner, &used.mode, &secret.name])));
            }
        }
    }
    for object in &ir.secret_objects {
        match &*object.sealed {
            None => list.push(("objects", object_words(object))),
            Some(file) => {
                let mut words = owned(&["seal", file, &object.controller, &object.controller_namespace]);
                words.extend(object_words(object));
                list.push(("sealed", words));
            }
        }
        for m in object.mixtures.iter() {
            list.push(("mixtures", owned(&["mixture", &m.name, &m.secret, &m.encoding, &m.before, &m.after])));
        }
    }
    list
}

fn object_words(object: &SecretObject) -> Vec<String> {
    let command = match &**object.form {
        form @ ("tls" | "registry" | "swarm") => form,
        _ => "opaque",
    };
    let mut words = vec![command, &object.cluster];
    words.extend((command != "swarm").then_some(&**object.namespace));
    words.push(&object.name);
    words.extend(object.parts.iter().map(|part| &**part));
    match command {
        "tls" => words.push(&object.certificate),
        "registry" => words.extend([&**object.server, &**object.user]),
        _ => {}
    }
    owned(&words)
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The lines of the functions that name items, as a shell splits them; a quoted text may go over several. The functions'
/// last line is `:`.
fn read(text: &str) -> Read<Vec<(Entry, usize)>> {
    let mut found = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let mut inside: Option<&'static str> = None;
    let mut begun: Option<(String, usize)> = None;
    for (i, text) in plain_lines(text)?.enumerate() {
        let fault = |what: &str| Fault::new(i + 1, format!("`{text}` {what}"));
        let Some(function) = inside else {
            inside = text.strip_suffix("() {").and_then(|name| LISTS.into_iter().find(|list| *list == name));
            if let Some(function) = inside {
                if seen.contains(&function) {
                    return Err(fault("stands twice"));
                }
                seen.push(function);
            }
            continue;
        };
        let (line, number) = match begun.take() {
            Some((before, number)) => (format!("{before}\n{text}"), number),
            None => (text.to_owned(), i + 1),
        };
        match (line.trim(), words(line.trim())) {
            ("}", _) => inside = None,
            (":", _) => {}
            (_, Words::Whole(words)) => found.push(((function, words), number)),
            (_, Words::Begun) => begun = Some((line, number)),
            (_, Words::Faulty) => return Err(fault("is not quoted so that a shell leaves it alone")),
        }
    }
    match seen.len() == LISTS.len() && inside.is_none() {
        true => Ok(found),
        false => Err(Fault::new(0, format!("it lacks one of the functions `{}`", LISTS.join("`, `")))),
    }
}

/// What a shell finds in a line.
enum Words {
    Whole(Vec<String>),
    /// A quoted text that goes on in the next line.
    Begun,
    Faulty,
}

/// The words of a line that a shell leaves alone; `None` where it would find more in one than its text.
pub fn plain_words(line: &str) -> Option<Vec<String>> {
    match words(line.trim()) {
        Words::Whole(words) => Some(words),
        _ => None,
    }
}

/// The words of a line; faulty where a shell would find more in one than its text. The command that a secret is given to
/// is the only thing that it may put in.
fn words(line: &str) -> Words {
    let (command, rest) = match line.strip_prefix("\"$1\" ") {
        Some(rest) => (Some("$1".to_owned()), rest),
        None => (None, line),
    };
    let (mut quoted, mut escaped) = (false, false);
    for c in rest.chars() {
        match c {
            '\'' if !escaped => quoted = !quoted,
            _ if quoted => {}
            '\'' => escaped = false,
            _ if escaped => return Words::Faulty,
            '\\' => escaped = true,
            ' ' => {}
            c if c.is_ascii_alphanumeric() || "_-./:,=@%+".contains(c) => {}
            _ => return Words::Faulty,
        }
    }
    if quoted {
        return Words::Begun;
    }
    match shlex::split(rest).filter(|words| !words.is_empty()) {
        Some(rest) => Words::Whole(command.into_iter().chain(rest).collect()),
        None => Words::Faulty,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "secrets() {\n    \"$1\" key private-key 'security office' 'a file on edge1'\n    :\n}\n\
                        objects() {\n    :\n}\nsealed() {\n    :\n}\nmixtures() {\n    :\n}\nfiles() {\n    on_host edge1 /k root:root 0600 key\n    :\n}\n";

    #[test]
    fn reads_the_lines_that_name_items() {
        let found = read(TEXT).expect("good");
        assert_eq!(
            found[0],
            (("secrets", owned(&["$1", "key", "private-key", "security office", "a file on edge1"])), 2)
        );
        assert_eq!(found[1].0, ("files", owned(&["on_host", "edge1", "/k", "root:root", "0600", "key"])));
    }

    #[test]
    fn a_quoted_text_may_go_over_lines() {
        let found = read(&TEXT.replace("security office", "security\n}\noffice")).expect("good");
        assert_eq!(found[0].0.1[3], "security\n}\noffice");
    }

    #[test]
    fn refuses_what_is_no_such_script() {
        for text in [
            TEXT.replace("objects() {", "others() {"),
            TEXT.replace("'a file", "a file"),
            TEXT.replace("'a file on edge1'", "$file"),
            TEXT.replace("'a file on edge1'", "\"a file\""),
            format!("{TEXT}{TEXT}"),
            TEXT.trim_end_matches("    :\n}\n").to_owned() + "\n",
        ] {
            assert!(read(&text).is_err(), "{text}");
        }
    }
}
