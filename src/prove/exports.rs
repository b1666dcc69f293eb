//! Text of an exports file → exported directories with their clients and options.
//!
//! Source of the syntax: exports(5). Understood are a path, plain or in double quotes, with octal escapes, and clients
//! `host(option,…)` without a space between; default options (`-ro`), netgroups and continued lines are refused, since
//! nothing here writes them.

use ipnet::IpNet;
use std::net::IpAddr;

use super::fault::{Fault, Read, octal_unescaped, plain_lines};

/// One exported directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExportLine {
    pub path: String,
    /// In the order of the text.
    pub clients: Vec<ExportClient>,
    pub line: usize,
}

/// One client of an exported directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExportClient {
    pub who: Who,
    /// In the order of the text.
    pub options: Vec<String>,
}

/// Who may mount.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Everyone,
    Net(IpNet),
    /// A host name or a pattern of names.
    Name(String),
}

/// Reads an exports file; the result is sorted by path.
pub fn read(text: &str) -> Read<Vec<ExportLine>> {
    let mut list: Vec<ExportLine> = Vec::new();
    for (i, text) in plain_lines(text)?.enumerate() {
        let line = i + 1;
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        let export = export_line(text, line)?;
        if let Some(first) = list.iter().find(|e| e.path == export.path) {
            return Err(Fault::new(line, format!("`{}` is exported on line {} already", export.path, first.line)));
        }
        list.push(export);
    }
    list.sort();
    Ok(list)
}

fn export_line(text: &str, line: usize) -> Read<ExportLine> {
    let (path, rest) = path(text, line)?;
    let mut clients: Vec<ExportClient> = Vec::new();
    for word in rest.split_ascii_whitespace() {
        let client = client(word, line)?;
        if clients.iter().any(|c| c.who == client.who) {
            return Err(Fault::new(line, format!("the client of `{word}` stands twice")));
        }
        clients.push(client);
    }
    if clients.is_empty() {
        return Err(Fault::new(line, format!("`{path}` has no client, which exports it to the whole world")));
    }
    Ok(ExportLine { path, clients, line })
}

/// The path at the line's beginning, and what follows it.
fn path(text: &str, line: usize) -> Read<(String, &str)> {
    let (raw, rest) = match text.strip_prefix('"') {
        Some(quoted) => {
            quoted.split_once('"').ok_or_else(|| Fault::new(line, "a quoted path without its closing quote"))?
        }
        None => text.split_at(text.find([' ', '\t']).unwrap_or(text.len())),
    };
    if raw.contains('"') || !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return Err(Fault::new(line, format!("a quote inside the path `{raw}`")));
    }
    let path = octal_unescaped(raw, line)?;
    if !path.starts_with('/') {
        return Err(Fault::new(line, format!("the path `{path}` is not absolute")));
    }
    Ok((path, rest))
}

fn client(word: &str, line: usize) -> Read<ExportClient> {
    let fault = |what: &str| Err(Fault::new(line, format!("{what}: `{word}`")));
    if word.starts_with('(') {
        return fault("options without a client, which opens the export to the whole world");
    }
    let Some((who, options)) = word.strip_suffix(')').and_then(|w| w.split_once('(')) else {
        return fault("a client without its options in parentheses");
    };
    if options.contains(['(', ')', '"', '\\', '#']) || who.contains(['"', '\\', '#', ')']) {
        return fault("quotes, escapes or comments in a client");
    }
    let options: Vec<String> = options.split(',').map(str::to_owned).collect();
    if options.iter().any(String::is_empty) {
        return fault("an empty option");
    }
    Ok(ExportClient { who: self::who(who, line)?, options })
}

fn who(text: &str, line: usize) -> Read<Who> {
    if text == "*" {
        return Ok(Who::Everyone);
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Who::Net(address.into()));
    }
    if text.contains('/') {
        return match text.parse::<IpNet>() {
            Ok(net) if net.addr() == net.network() => Ok(Who::Net(net)),
            Ok(_) => Err(Fault::new(line, format!("the network `{text}` has bits beyond its mask"))),
            Err(_) => Err(Fault::new(line, format!("`{text}` is not a network"))),
        };
    }
    let named = text.chars().all(|c| c.is_ascii_alphanumeric() || ".-*?".contains(c));
    if named && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '*') {
        return Ok(Who::Name(text.to_owned()));
    }
    Err(Fault::new(line, format!("`{text}` is not a client")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
# exports of nfs1
/srv/a\t10.30.8.0/24(rw,sync,no_root_squash) fd00:30:8::/64(rw,sync,no_root_squash)
\"/srv/with space\" 10.30.8.21(ro)
/srv/oct\\040al *(ro,all_squash)
/srv/named w*.acme.example(rw)
";

    #[test]
    fn reads_paths_clients_and_options() {
        let list = read(GOOD).expect("good");
        let paths: Vec<&str> = list.iter().map(|e| &*e.path).collect();
        assert_eq!(paths, ["/srv/a", "/srv/named", "/srv/oct al", "/srv/with space"]);
        assert_eq!(list[0].clients.len(), 2);
        assert_eq!(list[0].clients[0].options, ["rw", "sync", "no_root_squash"]);
        assert_eq!(list[2].clients[0].who, Who::Everyone);
        assert_eq!(list[3].clients[0].who, Who::Net("10.30.8.21/32".parse().expect("a net")));
        assert_eq!(list[1].clients[0].who, Who::Name("w*.acme.example".into()));
    }

    #[test]
    fn refuses_what_means_something_else() {
        for (text, word) in [
            ("/srv/a 10.0.0.1 (rw)\n", "without its options"),
            ("/srv/a (rw)\n", "whole world"),
            ("/srv/a\n", "whole world"),
            ("/srv/a 10.0.0.1/24(rw)\n", "beyond its mask"),
            ("/srv/a 10.0.0.0/33(rw)\n", "not a network"),
            ("/srv/a 10.0.0.1(rw,)\n", "empty option"),
            ("/srv/a 10.0.0.1(rw) 10.0.0.1(ro)\n", "twice"),
            ("/srv/a 10.0.0.1(rw)\n/srv/a 10.0.0.2(rw)\n", "already"),
            ("/srv/a b 10.0.0.1(rw)\n", "without its options"),
            ("\"/srv/a 10.0.0.1(rw)\n", "closing quote"),
            ("/srv/\\9 10.0.0.1(rw)\n", "octal"),
            ("srv 10.0.0.1(rw)\n", "not absolute"),
            ("/srv/a -ro 10.0.0.1(rw)\n", "without its options"),
            ("/srv/a 10.0.0.1(rw) \\\n", "without its options"),
            ("/srv/a 10.0.0.1(rw)", "line end"),
            ("/srv/a 10.0.0.1(rw)\r\n", "control character"),
            ("/srv/a @group(rw)\n", "not a client"),
            ("/srv/a 10.0.0.1(rw) # why\n", "without its options"),
        ] {
            let fault = read(text).expect_err(text);
            assert!(fault.what.contains(word), "{text}: {fault}");
        }
    }
}
