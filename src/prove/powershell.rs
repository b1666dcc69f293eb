//! Text of the PowerShell script of a Windows host's firewall → the exact traffic that its rules permit.
//!
//! Source: the reference of the NetSecurity module. Read are exactly the statements that are written: a frame that is the
//! same at every host, a table of peers, one line per rule, the profiles. Answers to permitted connections and loopback
//! are let through by Windows itself.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::fault::{Fault, Read, plain_lines};
use super::packets::{self, Hook, Match, Permits, Protocols, Rule, Verdict};
use crate::ir::Transport;
use crate::netset::{Addresses, Family};
use crate::value::Ports;

/// Peers by their names.
pub type Peers = BTreeMap<String, (Family, Addresses)>;

/// What a script says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    pub peers: Peers,
    /// One for each direction that is filtered.
    pub sides: Vec<Side>,
}

/// The rules for one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    pub hook: Hook,
    pub permits: Permits,
    /// Whether what no rule permits is blocked.
    pub drops: bool,
    /// How many rules name peers.
    pub rules: usize,
    pub line: usize,
}

/// What the script does before it comes to the table of peers.
const HEAD: &[&str] = &[
    "param([switch]$Undo)",
    "$ErrorActionPreference = 'Stop'",
    "$folder = Join-Path $env:ProgramData 'sitec'",
    "$noted = Join-Path $folder 'firewall-noted.txt'",
    "function Restore-Noted {",
    "    Get-NetFirewallRule -Group 'sitec' -ErrorAction SilentlyContinue | Remove-NetFirewallRule",
    "    if (Test-Path $noted) {",
    "        Get-Content $noted | ForEach-Object { Enable-NetFirewallRule -Name $_ -ErrorAction SilentlyContinue }",
    "        Remove-Item $noted",
    "    }",
    "    Set-NetFirewallProfile -All -DefaultOutboundAction Allow",
    "}",
    "function Add-Rule([hashtable]$What) {",
    "    New-NetFirewallRule -Group 'sitec' -Enabled True -Profile Any -Action Allow @What | Out-Null",
    "}",
    "function Disable-Others([string]$Direction) {",
    "    New-Item -ItemType Directory -Force $folder | Out-Null",
    "    Get-NetFirewallRule -PolicyStore PersistentStore -Direction $Direction -Enabled True -Action Allow |",
    "        Where-Object { $_.Group -ne 'sitec' } |",
    "        ForEach-Object { Add-Content $noted $_.Name; Disable-NetFirewallRule -Name $_.Name }",
    "}",
    "if ($Undo) { Restore-Noted; exit }",
    "$peers = @{",
];

/// What stands between the table of peers and the rules.
const MIDDLE: &[&str] =
    &["}", "try {", "    Get-NetFirewallRule -Group 'sitec' -ErrorAction SilentlyContinue | Remove-NetFirewallRule"];

/// What stands behind the profiles.
const TAIL: &[&str] = &["}", "catch {", "    Restore-Noted", "    throw", "}"];

const PROFILE: &str =
    "    Set-NetFirewallProfile -All -Enabled True -DefaultInboundAction Block -DefaultOutboundAction ";
const LOCAL_RULES: &str = " -AllowInboundRules True -AllowLocalFirewallRules True";
const LOG: &str = "    Set-NetFirewallProfile -All -LogBlocked True -LogMaxSizeKilobytes ";

/// Reads a script.
pub fn read(text: &str) -> Read<Script> {
    // Without the mark, Windows takes the text for one of its old code pages.
    let Some(rest) = text.strip_prefix('\u{feff}') else {
        return Err(Fault::new(1, "no mark of UTF-8 at the beginning"));
    };
    drop(plain_lines(rest)?);
    let statements = rest.lines().enumerate().map(|(i, line)| (i + 1, line));
    let mut lines = Lines(
        statements.filter(|(_, l)| !l.trim().is_empty() && !l.trim_start().starts_with('#')).collect::<Vec<_>>(),
        0,
    );
    lines.these(HEAD)?;
    let mut peers = Peers::new();
    while let Some((line, text)) = lines.next_if(|l| l.starts_with("    '")) {
        let mut reader = Reader { text: &text[4..], line };
        let name = reader.string()?;
        reader.take(" = ")?;
        let list = reader.list()?;
        reader.end()?;
        let set = addresses(&list).ok_or_else(|| Fault::new(line, "peers of no family, or of two"))?;
        if peers.insert(name.clone(), set).is_some() {
            return Err(Fault::new(line, format!("the peers `{name}` stand twice")));
        }
    }
    lines.these(MIDDLE)?;
    let first = lines.line();
    let (mut inbound, mut outbound) = (Vec::new(), Vec::new());
    while let Some((line, text)) = lines.next_if(|l| l.starts_with("    Add-Rule ")) {
        let (hook, rule) = rule(&mut Reader { text: &text["    Add-Rule ".len()..], line }, &peers)?;
        if hook == Hook::Output { outbound.push(rule) } else { inbound.push(rule) }
    }
    lines.these(&["    Disable-Others 'Inbound'"])?;
    let filters = lines.next_if(|l| l == "    Disable-Others 'Outbound'").is_some();
    let (line, profile) = lines.next_if(|_| true).unwrap_or_default();
    let action = profile.strip_prefix(PROFILE).and_then(|p| p.strip_suffix(LOCAL_RULES));
    if action != Some(if filters { "Block" } else { "Allow" }) {
        return Err(Fault::new(line, "profiles that are not those of the rules"));
    }
    if let Some((line, log)) = lines.next_if(|l| l.starts_with(LOG)) {
        log[LOG.len()..].parse::<u16>().map_err(|_| Fault::new(line, "a log without its size"))?;
    }
    lines.these(TAIL)?;
    if let Some((line, _)) = lines.next_if(|_| true) {
        return Err(Fault::new(line, "a statement behind the last one"));
    }
    let side = |hook, rules: &[Rule]| {
        let mut permits = packets::permits(rules, hook)?;
        (permits.established, permits.loopback) = (true, true);
        let named = rules.iter().filter(|r| r.matches.peers.is_some()).count();
        Ok(Side { hook, permits, drops: true, rules: named, line: first })
    };
    let mut sides = vec![side(Hook::Input, &inbound)?];
    match filters {
        true => sides.push(side(Hook::Output, &outbound)?),
        false if outbound.is_empty() => {}
        false => return Err(Fault::new(first, "rules for what leaves a host that lets everything out")),
    }
    Ok(Script { peers, sides })
}

/// The statements, and how many are read.
struct Lines<'a>(Vec<(usize, &'a str)>, usize);

impl<'a> Lines<'a> {
    fn next_if(&mut self, fits: impl Fn(&str) -> bool) -> Option<(usize, &'a str)> {
        let next = self.0.get(self.1).copied().filter(|(_, l)| fits(l))?;
        self.1 += 1;
        Some(next)
    }

    fn line(&self) -> usize {
        self.0.get(self.1).map_or(0, |(line, _)| *line)
    }

    fn these(&mut self, wanted: &[&str]) -> Read<()> {
        for statement in wanted {
            if self.next_if(|l| l == *statement).is_none() {
                return Err(Fault::new(self.line(), format!("`{}` was to stand here", statement.trim())));
            }
        }
        Ok(())
    }
}

/// `@{ Key = value; … }` as a rule.
fn rule(reader: &mut Reader, peers: &Peers) -> Read<(Hook, Rule)> {
    let line = reader.line;
    let fault = |what: String| Fault::new(line, what);
    let (mut m, mut hook, mut protocol, mut named, mut types) = (Match::default(), None, None, false, None);
    reader.take("@{ ")?;
    loop {
        let key = reader.word();
        reader.take(" = ")?;
        let twice = |has: bool| if has { Err(fault(format!("`{key}` stands twice"))) } else { Ok(()) };
        match &*key {
            "DisplayName" => {
                twice(std::mem::replace(&mut named, true))?;
                reader.string()?;
            }
            "Direction" => {
                let found = match &*reader.string()? {
                    "Inbound" => Hook::Input,
                    "Outbound" => Hook::Output,
                    other => return Err(fault(format!("`{other}` is no direction"))),
                };
                twice(hook.replace(found).is_some())?;
            }
            "Protocol" => twice(protocol.replace(reader.scalar()?).is_some())?,
            "LocalPort" | "RemotePort" if hook == Some(if key == "LocalPort" { Hook::Input } else { Hook::Output }) => {
                let list = reader.list()?;
                let list: Option<Vec<Ports>> = list.iter().map(|p| ports(p)).collect();
                let list = list.filter(|l| !l.is_empty()).ok_or_else(|| fault("ports that are none".into()))?;
                twice(m.ports.replace(list).is_some())?;
            }
            "IcmpType" => twice(types.replace(reader.list()?).is_some())?,
            "RemoteAddress" => {
                reader.take("$peers.Item(")?;
                let name = reader.string()?;
                reader.take(")")?;
                let (family, addresses) =
                    peers.get(&name).ok_or_else(|| fault(format!("there are no peers `{name}`")))?.clone();
                twice(m.peers.replace(addresses).is_some())?;
                m.family = Some(family);
            }
            other => return Err(fault(format!("`{other}` is not understood here"))),
        }
        if reader.take("; ").is_err() {
            break;
        }
    }
    reader.take(" }")?;
    reader.end()?;
    let hook = hook.ok_or_else(|| fault("a rule without its direction".into()))?;
    let protocol = protocol.ok_or_else(|| fault("a rule without its protocol".into()))?;
    let (number, of) = match &*protocol {
        "TCP" => (Transport::Tcp.number(false), None),
        "UDP" => (Transport::Udp.number(false), None),
        "ICMPv4" => (Transport::Icmp.number(false), Some(Family::V4)),
        "ICMPv6" => (Transport::Icmp.number(true), Some(Family::V6)),
        other => match other.parse::<u8>() {
            // The names of these say the family, and only they take ports.
            Ok(n) if n > 0 && ![1, 6, 17, 58].contains(&n) => (n, None),
            _ => return Err(fault(format!("the protocol `{other}` is not understood"))),
        },
    };
    let ports = m.ports.is_some();
    if ports != matches!(&*protocol, "TCP" | "UDP") {
        return Err(fault("ports of a protocol that has none, or none of one that has".into()));
    }
    if of.is_some() && m.family.is_some() && of != m.family {
        return Err(fault("ICMP of another family than its peers".into()));
    }
    m.protocols = Some(Protocols::of([number]));
    match (types, of) {
        (None, _) if m.peers.is_none() => return Err(fault("a rule for everybody".into())),
        (None, _) => {}
        (Some(list), Some(family)) if m.peers.is_none() => {
            m.family = Some(family);
            let list: Option<_> = list.iter().map(|t| Some((family, t.parse().ok()?))).collect();
            m.icmp_types = Some(list.ok_or_else(|| fault("types of ICMP that are not numbers".into()))?);
        }
        _ => return Err(fault("types of what is not ICMP from everybody".into())),
    }
    if !named {
        return Err(fault("a rule without its name".into()));
    }
    Ok((hook, Rule { matches: m, verdict: Verdict::Accept, line }))
}

fn ports(text: &str) -> Option<Ports> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (low.parse().ok()?, high.parse().ok()?);
    (low <= high).then_some(Ports { low, high })
}

/// Networks of one family, none of them with bits behind its prefix.
fn addresses(list: &[String]) -> Option<(Family, Addresses)> {
    let net = |text: &String| match text.contains('/') {
        true => text.parse().ok().filter(|n: &IpNet| n.trunc() == *n && n.prefix_len() > 0),
        false => Some(IpNet::from(text.parse::<std::net::IpAddr>().ok()?)),
    };
    let nets: Vec<IpNet> = list.iter().map(net).collect::<Option<_>>()?;
    let family = Family::of(nets.first()?);
    nets.iter().all(|n| Family::of(n) == family).then(|| (family, Addresses::of_nets(family, &nets)))
}

struct Reader<'a> {
    text: &'a str,
    line: usize,
}

impl Reader<'_> {
    fn take(&mut self, text: &str) -> Read<()> {
        match self.text.strip_prefix(text) {
            Some(rest) => {
                self.text = rest;
                Ok(())
            }
            None => Err(Fault::new(self.line, format!("`{text}` was to stand before `{}`", self.text))),
        }
    }

    fn end(&self) -> Read<()> {
        match self.text.is_empty() {
            true => Ok(()),
            false => Err(Fault::new(self.line, format!("`{}` behind the statement", self.text))),
        }
    }

    fn word(&mut self) -> String {
        let end = self.text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(self.text.len());
        let (word, rest) = self.text.split_at(end);
        self.text = rest;
        word.to_owned()
    }

    /// A text in single quotes; a quote within is doubled, the typographic ones are quotes as well.
    fn string(&mut self) -> Read<String> {
        let is_quote = |c: char| matches!(c, '\'' | '\u{2018}'..='\u{201b}');
        self.take("'")?;
        let (mut out, mut chars) = (String::new(), self.text.char_indices().peekable());
        while let Some((at, c)) = chars.next() {
            if !is_quote(c) {
                out.push(c);
                continue;
            }
            match chars.next_if(|(_, next)| is_quote(*next)) {
                Some(_) => out.push(c),
                None => {
                    self.text = &self.text[at + c.len_utf8()..];
                    return Ok(out);
                }
            }
        }
        Err(Fault::new(self.line, "a text without its closing quote"))
    }

    /// A text, or a number as its digits.
    fn scalar(&mut self) -> Read<String> {
        if self.text.starts_with('\'') {
            return self.string();
        }
        match self.word() {
            number if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => Ok(number),
            other => Err(Fault::new(self.line, format!("`{other}` is neither a text nor a number"))),
        }
    }

    fn list(&mut self) -> Read<Vec<String>> {
        self.take("@(")?;
        let mut list = vec![self.scalar()?];
        while self.take(", ").is_ok() {
            list.push(self.scalar()?);
        }
        self.take(")")?;
        Ok(list)
    }
}
