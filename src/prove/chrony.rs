//! Text of a file of chrony → its directives.
//!
//! Source of the syntax: chrony.conf(5) of version 4.3. Only the directives that something here can mean are understood.

use ipnet::IpNet;

use super::fault::{Fault, Read, plain_lines};

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Sources with the line of each.
    pub servers: Vec<(String, usize)>,
    pub allow: Vec<(IpNet, usize)>,
    pub stratum: Option<(i64, usize)>,
    pub drift: Option<(String, usize)>,
}

/// Reads a file.
pub fn read(text: &str) -> Read<Settings> {
    let mut found = Settings::default();
    for (i, text) in plain_lines(text)?.enumerate() {
        let line = i + 1;
        let words: Vec<&str> = text.split_whitespace().collect();
        let fault = || Err(Fault::new(line, format!("`{text}` is not understood")));
        match words[..] {
            [] => {}
            [first, ..] if first.starts_with(['#', '%', '!', ';']) => {}
            ["server", name, "iburst"] => found.servers.push((name.to_owned(), line)),
            ["allow", net] => found.allow.push((net_of(net, line)?, line)),
            ["local", "stratum", n] | ["local", "stratum", n, "orphan"] => match n.parse() {
                Ok(n @ 1..=15) if found.stratum.is_none() => found.stratum = Some((n, line)),
                _ => return fault(),
            },
            ["driftfile", path] if path.starts_with('/') && found.drift.is_none() => {
                found.drift = Some((path.to_owned(), line));
            }
            ["makestep", "1", "3"] | ["rtcsync"] | ["logdir", "/var/log/chrony"] => {}
            _ => return fault(),
        }
    }
    Ok(found)
}

/// A network, or a single address, without bits beyond its mask.
fn net_of(text: &str, line: usize) -> Read<IpNet> {
    let net = text.parse::<IpNet>().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from));
    net.filter(|n| n.addr() == n.network()).ok_or_else(|| Fault::new(line, format!("`{text}` is not a network")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sources_and_clients() {
        let text =
            "# time\nserver 10.0.0.1 iburst\nallow 10.0.0.0/8\nallow fd00::1\nlocal stratum 10 orphan\nrtcsync\n";
        let found = read(text).expect("good");
        assert_eq!(found.servers, [("10.0.0.1".to_owned(), 2)]);
        assert_eq!((found.allow.len(), found.stratum), (2, Some((10, 5))));
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for text in
            ["server a\n", "pool a iburst\n", "allow 10.0.0.1/8\n", "allow\n", "local stratum 16\n", "srver a iburst\n"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
