//! Text of a pg_hba.conf → its records.
//!
//! Source of the syntax: PostgreSQL 15, chapter 21.1. Includes, ident maps of other files and masks in a field of their
//! own are refused.

use ipnet::IpNet;

use super::fault::{Fault, Read, plain_lines};

/// One record, in the order of the text, which decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `local`, `host`, `hostssl`, `hostnossl`.
    pub kind: String,
    pub databases: Vec<String>,
    pub users: Vec<String>,
    /// `None` for `local`.
    pub address: Option<Source>,
    pub method: String,
    pub options: Vec<String>,
    pub line: usize,
}

/// Where a connection comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Net(IpNet),
    Name(String),
    /// `all`, `samehost`, `samenet`.
    Word(String),
}

/// Reads the records.
pub fn read(text: &str) -> Read<Vec<Record>> {
    let mut list = Vec::new();
    for (i, text) in plain_lines(text)?.enumerate() {
        let fields = fields(text, i + 1)?;
        if !fields.is_empty() {
            list.push(record(fields, i + 1)?);
        }
    }
    Ok(list)
}

fn record(fields: Vec<(String, bool)>, line: usize) -> Read<Record> {
    let mut fields = fields.into_iter();
    let mut next = |what: &str| fields.next().ok_or_else(|| Fault::new(line, format!("a record without its {what}")));
    let (kind, _) = next("type")?;
    if !matches!(&*kind, "local" | "host" | "hostssl" | "hostnossl") {
        return Err(Fault::new(line, format!("the type `{kind}` is not understood")));
    }
    let databases = names(next("databases")?, line)?;
    let users = names(next("users")?, line)?;
    let address = if kind == "local" { None } else { Some(address(&next("address")?.0, line)?) };
    let (method, _) = next("method")?;
    if !matches!(&*method, "scram-sha-256" | "md5" | "reject" | "peer" | "cert" | "ldap" | "trust" | "gss" | "pam") {
        return Err(Fault::new(line, format!("the method `{method}` is not understood")));
    }
    let options: Vec<String> = fields.map(|(text, _)| text).collect();
    if let Some(other) = options.iter().find(|o| !o.contains('=')) {
        return Err(Fault::new(line, format!("the option `{other}` is not `name=value`")));
    }
    Ok(Record { kind, databases, users, address, method, options, line })
}

/// A list separated by commas; in quotes a single name.
fn names((text, quoted): (String, bool), line: usize) -> Read<Vec<String>> {
    let list: Vec<String> = if quoted { vec![text] } else { text.split(',').map(str::to_owned).collect() };
    match list.iter().any(|n| n.is_empty() || (!quoted && n.starts_with(['@', '/']))) {
        true => Err(Fault::new(line, "a name that is empty or stands for a file or a pattern")),
        false => Ok(list),
    }
}

fn address(text: &str, line: usize) -> Read<Source> {
    if matches!(text, "all" | "samehost" | "samenet") {
        return Ok(Source::Word(text.to_owned()));
    }
    match text.parse::<IpNet>() {
        Ok(net) if net.addr() == net.network() => Ok(Source::Net(net)),
        Ok(_) => Err(Fault::new(line, format!("the network `{text}` has bits beyond its mask"))),
        Err(_) if text.parse::<std::net::IpAddr>().is_ok() => {
            Err(Fault::new(line, format!("the address `{text}` lacks its mask")))
        }
        Err(_) if text.contains('/') => Err(Fault::new(line, format!("`{text}` is not a network"))),
        Err(_) => Ok(Source::Name(text.to_owned())),
    }
}

/// The fields of a line, each with whether it stood in quotes.
fn fields(text: &str, line: usize) -> Read<Vec<(String, bool)>> {
    let mut list = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (field, tail) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (field, tail) =
                    quoted.split_once('"').ok_or_else(|| Fault::new(line, "a quote that is not closed"))?;
                ((field.to_owned(), true), tail)
            }
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                ((rest[..end].to_owned(), false), &rest[end..])
            }
        };
        if !field.1 && field.0.contains(['"', '#']) || !(tail.is_empty() || tail.starts_with(char::is_whitespace)) {
            return Err(Fault::new(line, "a quote or a comment inside a field"));
        }
        list.push(field);
        rest = tail.trim_start();
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_records() {
        let text =
            "# x\nlocal all postgres peer\nhostssl \"My Db\",x app 10.30.8.0/24 scram-sha-256 clientcert=verify-ca\n";
        assert!(read(text).is_err());
        let text = text.replace("\"My Db\",x", "\"My Db\"");
        let list = read(&text).expect("good");
        assert_eq!((list[0].address.clone(), list[0].line), (None, 2));
        assert_eq!(list[1].databases, ["My Db"]);
        assert_eq!(list[1].options, ["clientcert=verify-ca"]);
    }

    #[test]
    fn refuses_what_the_server_refuses_or_takes_differently() {
        for text in [
            "host all all 10.30.8.1/24 md5\n",
            "host all all 10.30.8.1 md5\n",
            "host all all 10.30.8.0/33 md5\n",
            "host all all md5\n",
            "hosts all all all md5\n",
            "host all all all\n",
            "host all, all all md5\n",
            "host all @f all md5\n",
            "host all all all password\n",
            "host all \"a all md5\n",
            "host all all all md5 x\n",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
