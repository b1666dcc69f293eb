//! Text of the Terraform file of a site's security groups → the groups and their rules.
//!
//! Source: the documentation of the OpenStack provider, networking_secgroup_v2 and networking_secgroup_rule_v2. Read are
//! exactly the statements that are written: two tables between parts that are the same at every site.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::fault::{Fault, Read, plain_lines};
use crate::netset::Family;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRule {
    pub group: String,
    pub ingress: bool,
    pub family: Family,
    /// `None` for every protocol.
    pub protocol: Option<String>,
    pub low: Option<u16>,
    pub high: Option<u16>,
    pub remote: IpNet,
    pub why: String,
    pub line: usize,
}

/// The groups of a file, and their rules by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    pub groups: BTreeSet<String>,
    pub rules: BTreeMap<String, GroupRule>,
}

const HEAD: &str = "terraform {\n  required_providers {\n    openstack = {\n      \
    source = \"terraform-provider-openstack/openstack\"\n    }\n  }\n}\nlocals {\n  sitec_groups = [\n";

const MIDDLE: &str = "  ]\n  sitec_rules = [\n";

const TAIL: &str = "  ]\n}\nresource \"openstack_networking_secgroup_v2\" \"sitec\" {\n  \
    for_each             = toset(local.sitec_groups)\n  name                 = \"sitec-${each.key}\"\n  \
    description          = \"Written by sitec\"\n  delete_default_rules = true\n}\n\
    resource \"openstack_networking_secgroup_rule_v2\" \"sitec\" {\n  for_each          = { for rule in local.sitec_rules : rule.key => rule }\n  \
    security_group_id = openstack_networking_secgroup_v2.sitec[each.value.group].id\n  \
    direction         = each.value.direction\n  ethertype         = each.value.ethertype\n  \
    protocol          = each.value.protocol\n  port_range_min    = each.value.low\n  \
    port_range_max    = each.value.high\n  remote_ip_prefix  = each.value.remote\n  \
    description       = each.value.why\n}\noutput \"sitec_groups\" {\n  \
    value = { for name, group in openstack_networking_secgroup_v2.sitec : name => group.id }\n}\n";

/// Reads a file.
pub fn read(text: &str) -> Read<Groups> {
    let is_statement = |(_, line): &(usize, &str)| !line.trim().is_empty() && !line.starts_with('#');
    let all: Vec<(usize, &str)> =
        plain_lines(text)?.enumerate().map(|(i, l)| (i + 1, l)).filter(is_statement).collect();
    let mut rest = all.as_slice();
    let mut read = Groups::default();
    these(HEAD, &mut rest)?;
    while let Some((&(line, text), more)) = rest.split_first().filter(|((_, l), _)| l.starts_with("    \"")) {
        let mut reader = Reader { text: &text[4..], line };
        let group = reader.string()?;
        reader.take(",")?;
        reader.end()?;
        if !read.groups.insert(group) {
            return Err(Fault::new(line, "a group stands twice"));
        }
        rest = more;
    }
    these(MIDDLE, &mut rest)?;
    while let Some((&(line, text), more)) = rest.split_first().filter(|((_, l), _)| l.starts_with("    {")) {
        let mut reader = Reader { text: &text[4..], line };
        reader.take("{ key = ")?;
        let key = reader.string()?;
        let rule = reader.rule()?;
        if read.rules.insert(key, rule).is_some() {
            return Err(Fault::new(line, "a rule stands twice"));
        }
        rest = more;
    }
    these(TAIL, &mut rest)?;
    match rest.first() {
        None => Ok(read),
        Some((line, _)) => Err(Fault::new(*line, "a statement behind the last one")),
    }
}

/// Takes lines that are the same at every site.
fn these(part: &str, rest: &mut &[(usize, &str)]) -> Read<()> {
    for wanted in part.lines() {
        match rest.split_first() {
            Some(((_, line), more)) if *line == wanted => *rest = more,
            other => {
                let line = other.map_or(0, |((line, _), _)| *line);
                return Err(Fault::new(line, format!("`{}` was to stand here", wanted.trim())));
            }
        }
    }
    Ok(())
}

struct Reader<'a> {
    text: &'a str,
    line: usize,
}

impl Reader<'_> {
    fn fault<T>(&self, what: impl Into<String>) -> Read<T> {
        Err(Fault::new(self.line, what))
    }

    fn take(&mut self, text: &str) -> Read<()> {
        match self.text.strip_prefix(text) {
            Some(rest) => {
                self.text = rest;
                Ok(())
            }
            None => self.fault(format!("`{text}` was to stand before `{}`", self.text)),
        }
    }

    fn end(&self) -> Read<()> {
        if self.text.is_empty() { Ok(()) } else { self.fault(format!("`{}` behind the entry", self.text)) }
    }

    /// A text in double quotes, in which nothing is interpolated.
    fn string(&mut self) -> Read<String> {
        self.take("\"")?;
        let (mut out, mut chars) = (String::new(), self.text.char_indices());
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.text = &self.text[at + 1..];
                    let plain = out.replace("$${", "").replace("%%{", "");
                    return match plain.contains("${") || plain.contains("%{") {
                        true => self.fault("a text that is interpolated"),
                        false => Ok(out.replace("$${", "${").replace("%%{", "%{")),
                    };
                }
                '\\' => match chars.next() {
                    Some((_, c @ ('"' | '\\'))) => out.push(c),
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, 't')) => out.push('\t'),
                    Some((_, 'r')) => out.push('\r'),
                    _ => return self.fault("an escape that is not understood"),
                },
                c => out.push(c),
            }
        }
        self.fault("a text without its closing quote")
    }

    /// A text, or `null`.
    fn maybe_string(&mut self) -> Read<Option<String>> {
        if self.take("null").is_ok() { Ok(None) } else { self.string().map(Some) }
    }

    fn maybe_number(&mut self) -> Read<Option<u16>> {
        if self.take("null").is_ok() {
            return Ok(None);
        }
        let end = self.text.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.text.len());
        let number = self.text[..end].parse();
        self.text = &self.text[end..];
        number.map(Some).or_else(|_| self.fault("neither a port nor `null`"))
    }

    fn rule(&mut self) -> Read<GroupRule> {
        self.take(", group = ")?;
        let group = self.string()?;
        self.take(", direction = ")?;
        let ingress = match &*self.string()? {
            "ingress" => true,
            "egress" => false,
            other => return self.fault(format!("`{other}` is no direction")),
        };
        self.take(", ethertype = ")?;
        let family = match &*self.string()? {
            "IPv4" => Family::V4,
            "IPv6" => Family::V6,
            other => return self.fault(format!("`{other}` is no family")),
        };
        self.take(", protocol = ")?;
        let protocol = self.maybe_string()?;
        self.take(", low = ")?;
        let low = self.maybe_number()?;
        self.take(", high = ")?;
        let high = self.maybe_number()?;
        self.take(", remote = ")?;
        let text = self.string()?;
        let remote = text.parse().ok().filter(|n: &IpNet| n.trunc() == *n && text.contains('/'));
        let Some(remote) = remote.filter(|n| Family::of(n) == family) else {
            return self.fault(format!("`{text}` is no CIDR of the family"));
        };
        self.take(", why = ")?;
        let why = self.string()?;
        self.take(" },")?;
        self.end()?;
        Ok(GroupRule { group, ingress, family, protocol, low, high, remote, why, line: self.line })
    }
}
