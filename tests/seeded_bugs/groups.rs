//! Bugs in the security groups of a site. The key of a rule says in words what the rule is: whoever writes a rule wrongly
//! writes its key so, too, so that most bugs are in both.

use super::seeds::{STRANGE_PORT, Seed, Seeds, between, lines, narrower, stranger, wider};

pub fn seeds(text: &str) -> Vec<Seed> {
    let mut seeds = Seeds::of(text);
    let rules = lines(text, |line| line.starts_with("{ key = "));
    let groups = lines(text, |line| line.starts_with('"') && line.ends_with("\","));
    seeds.deleted("a rule", &rules);
    seeds.at("a rule twice", &rules, |rule| Some(format!("{rule}{rule}")));
    seeds.deleted("a group", &groups);
    seeds.at("another group", &groups, |group| Some(group.replacen('"', "\"x", 1)));
    seeds.at("a group too many", &groups, |group| Some(format!("{group}    \"nobody\",\n")));
    let of_all: [(&str, &str); 7] = [
        ("every host", "icmp 8"),
        ("every host", "ipv6-icmp 128"),
        ("tcp", " tcp "),
        ("udp", " udp "),
        ("IPv4", "\"IPv4\""),
        ("IPv6", "\"IPv6\""),
        ("egress", "\"egress\""),
    ];
    for (what, word) in of_all {
        let own = lines(text, |line| line.starts_with("{ key = ") && line.contains(word));
        seeds.deleted(&format!("a rule of {what}"), &own);
    }

    // Both the field and the key.
    for (field, old, new) in [
        ("direction", "ingress", "egress"),
        ("direction", "egress", "ingress"),
        ("protocol", "tcp", "udp"),
        ("protocol", "udp", "tcp"),
        ("protocol", "tcp", "sctp"),
        ("protocol", "sctp", "tcp"),
        ("protocol", "4", "47"),
        ("protocol", "47", "50"),
        ("protocol", "50", "51"),
        ("protocol", "112", "50"),
        ("protocol", "icmp", "tcp"),
        ("protocol", "ipv6-icmp", "icmp"),
    ] {
        seeds.at(&format!("{field} `{new}` instead of `{old}`"), &rules, |rule| Rule::of(rule)?.with(field, old, new));
    }
    seeds.at("no protocol", &rules, |rule| {
        let mut rule = Rule::of(rule)?;
        rule.set("protocol", "null");
        rule.set("low", "null");
        rule.set("high", "null");
        Some(rule.text())
    });
    seeds.at("no ports", &rules, |rule| {
        let mut rule = Rule::of(rule)?;
        rule.set("low", "null");
        rule.set("high", "null");
        Some(rule.text())
    });
    for (what, change) in [
        ("another port", (|_, _| (STRANGE_PORT, STRANGE_PORT)) as fn(u16, u16) -> (u16, u16)),
        ("the port after it", |low, high| (low.saturating_add(1), high.saturating_add(1))),
        ("a wider range", |low, high| (low, high.saturating_add(1))),
        ("a range that begins lower", |low, high| (low.saturating_sub(1).max(1), high)),
        ("a narrower range", |low, high| (low, high.max(low + 1) - 1)),
        ("every port", |_, _| (1, u16::MAX)),
        ("a range the wrong way round", |low, high| (high.max(low + 1), low)),
    ] {
        seeds.at(what, &rules, |rule| {
            let mut rule = Rule::of(rule)?;
            let (low, high): (u16, u16) = (rule.get("low")?.parse().ok()?, rule.get("high")?.parse().ok()?);
            let new = change(low, high);
            rule.set("low", &new.0.to_string());
            rule.set("high", &new.1.to_string());
            Some(rule.text())
        });
    }
    let remote = |what: &str, seeds: &mut Seeds, change: &dyn Fn(&str) -> Option<String>| {
        seeds.at(what, &rules, |rule| {
            let mut rule = Rule::of(rule)?;
            let new = change(rule.get("remote")?.trim_matches('"'))?;
            rule.set("remote", &format!("\"{new}\""));
            Some(rule.text())
        });
    };
    let full = |net: &str| if net.contains(':') { 128 } else { 32 };
    remote("a wider mask", &mut seeds, &|net| wider(net, 1));
    remote("a much wider mask", &mut seeds, &|net| wider(net, 8));
    remote("a narrower mask", &mut seeds, &narrower);
    remote("a stranger", &mut seeds, &|net| Some(format!("{}/{}", stranger(net), full(net))));
    remote("everybody", &mut seeds, &|net| Some(if net.contains(':') { "::/0" } else { "0.0.0.0/0" }.into()));
    remote("bits behind the mask", &mut seeds, &|net| {
        (!net.ends_with(&format!("/{}", full(net)))).then(|| net.replacen("0/", "1/", 1).replacen("::/", "::1/", 1))
    });
    seeds.at("the rule of another host", &rules, |rule| {
        let mut rule = Rule::of(rule)?;
        let own = rule.get("group")?.to_owned();
        let other = between(text, &groups, "\"", "\"").into_iter().map(|g| format!("\"{}\"", &text[g]));
        rule.set("group", &other.clone().find(|g| *g != own)?);
        Some(rule.text())
    });
    seeds.at("the other family", &rules, |rule| {
        let mut rule = Rule::of(rule)?;
        let v4 = rule.get("ethertype")? == "\"IPv4\"";
        rule.set("ethertype", if v4 { "\"IPv6\"" } else { "\"IPv4\"" });
        rule.set("remote", if v4 { "\"fd00::1/128\"" } else { "\"10.0.0.1/32\"" });
        Some(rule.text())
    });
    seeds.at("a rule too many", &rules, |rule| {
        let mut other = Rule::of(rule)?;
        other.set("protocol", "\"tcp\"");
        other.set("low", &STRANGE_PORT.to_string());
        other.set("high", &STRANGE_PORT.to_string());
        Some(format!("{rule}{}", other.text()))
    });
    seeds.at("every protocol permitted", &rules, |rule| {
        let mut other = Rule::of(rule)?;
        ["protocol", "low", "high"].iter().for_each(|key| other.set(key, "null"));
        Some(format!("{rule}{}", other.text()))
    });

    // A field that its key does not follow.
    for (old, new) in [
        ("direction = \"ingress\"", "direction = \"egress\""),
        ("direction = \"egress\"", "direction = \"ingress\""),
        ("ethertype = \"IPv4\"", "ethertype = \"IPv6\""),
        ("ethertype = \"IPv6\"", "ethertype = \"IPv4\""),
        ("protocol = \"tcp\"", "protocol = \"udp\""),
        ("protocol = \"tcp\"", "protocol = tcp"),
        ("group = \"", "group = \"x"),
        ("low = ", "low = 1"),
        ("high = ", "high = 1"),
        ("remote = \"", "remote = \"${self.id}"),
        ("why = \"", "why = \"not "),
        ("key = \"", "key = \"x"),
        (" },", " }"),
    ] {
        seeds.word(&rules, old, new);
    }

    // What is the same at every site.
    let fixed = lines(text, |line| {
        !line.starts_with(['"', '#']) && !line.starts_with("{ key") && !line.is_empty() && line.contains('=')
    });
    for range in &fixed {
        seeds.deleted("a line of every site", std::slice::from_ref(range));
    }
    for (old, new) in [
        ("delete_default_rules = true", "delete_default_rules = false"),
        ("each.value.direction", "\"ingress\""),
        ("each.value.ethertype", "\"IPv4\""),
        ("each.value.low", "each.value.high"),
        ("each.value.high", "65535"),
        ("each.value.remote", "\"0.0.0.0/0\""),
        ("each.value.protocol", "\"tcp\""),
        ("sitec[each.value.group]", "sitec[\"fd1\"]"),
        ("remote_ip_prefix", "remote_group_id"),
        ("toset(local.sitec_groups)", "toset([])"),
        ("for rule in local.sitec_rules", "for rule in []"),
    ] {
        seeds.word(&fixed, old, new);
    }
    let entry = "resource \"openstack_networking_secgroup_rule_v2\" \"others\" {\n  direction = \"ingress\"\n}\n";
    seeds.whole("a rule of others", format!("{text}{entry}"));
    seeds.whole("a file that ends early", text[..text.len() / 2].to_owned());
    seeds.whole("an empty file", String::new());
    seeds.list
}

/// One rule: its fields in their order.
struct Rule {
    fields: Vec<(String, String)>,
}

impl Rule {
    fn of(line: &str) -> Option<Self> {
        let mut rest = line.trim().strip_prefix("{ ")?.strip_suffix(" },")?;
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let (key, tail) = rest.split_once(" = ")?;
            let end = match tail.strip_prefix('"') {
                Some(text) => text.find('"')? + 2,
                None => tail.find(", ").unwrap_or(tail.len()),
            };
            fields.push((key.to_owned(), tail[..end].to_owned()));
            rest = tail[end..].strip_prefix(", ").unwrap_or_default();
        }
        Some(Self { fields })
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(k, _)| k == key).map(|(_, value)| &**value)
    }

    fn set(&mut self, key: &str, value: &str) {
        self.fields.iter_mut().filter(|(k, _)| k == key).for_each(|(_, old)| value.clone_into(old));
    }

    fn with(mut self, key: &str, old: &str, new: &str) -> Option<String> {
        if self.get(key)?.trim_matches('"') != old {
            return None;
        }
        self.set(key, &format!("\"{new}\""));
        Some(self.text())
    }

    /// The line, under the key that says what it is.
    fn text(&self) -> String {
        let plain = |key: &str| self.get(key).unwrap_or_default().trim_matches('"').to_owned();
        let protocol = if plain("protocol") == "null" { "any".into() } else { plain("protocol") };
        let (low, high) = (plain("low"), plain("high"));
        let wide = low.parse::<u32>().ok().zip(high.parse::<u32>().ok()).is_some_and(|(low, high)| high > low);
        let range = match (&*low, wide) {
            ("null", _) => String::new(),
            (_, true) => format!(" {low}-{high}"),
            _ => format!(" {low}"),
        };
        let key = format!("{} {} {protocol}{range} {}", plain("group"), plain("direction"), plain("remote"));
        let field = |(name, value): &(String, String)| match &**name {
            "key" => format!("key = \"{key}\""),
            _ => format!("{name} = {value}"),
        };
        format!("    {{ {} }},\n", self.fields.iter().map(field).collect::<Vec<_>>().join(", "))
    }
}
