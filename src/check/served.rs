//! Where each DNS name leads: one that is given to two hosts, to a host and the proxy of another one, or to two products
//! in different places, can be looked up for one of them only.

use std::collections::BTreeMap;

use super::places::{label, place};
use crate::diag::codes::NAME_AT_TWO_PLACES;
use crate::diag::{Diag, Findings};
use crate::ir::Ir;
use crate::lower::storage::pointer;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Origins, Str, Tracked, Value};

/// Kinds of objects by which a cluster takes requests for a name, and where the names stand in them.
const TAKES: [(&str, &[&str]); 4] = [
    ("Ingress", &["spec", "rules", "host"]),
    ("Route", &["spec", "host"]),
    ("HTTPRoute", &["spec", "hostnames"]),
    ("IngressRoute", &["spec", "host"]),
];

/// What stands outside the site.
const EXTERNAL: &str = "external endpoint";

/// Something that a name leads to.
struct Served {
    /// What tells one place from another: a host, a cluster.
    at: (&'static str, Str),
    /// For people: ``host `w1` ``.
    words: String,
    product: Option<Str>,
    origins: Origins,
    pointer: String,
}

impl Served {
    /// Whether both can be reached by one name: they are the same machine, one machine of the cluster, or parts of one
    /// product, of which one hands on to the other.
    fn agrees(&self, other: &Self, site: &Site) -> bool {
        let is_node = |cluster: &Served, host: &Served| {
            let (control_plane, workers) = site.cluster_nodes(&cluster.at.1);
            control_plane.iter().chain(&workers).any(|node| node.value == host.at.1)
        };
        match (self.at.0, other.at.0) {
            _ if self.at == other.at => true,
            _ if self.product.is_some() && self.product == other.product => true,
            ("cluster", "host") => other.product.is_none() && is_node(self, other),
            ("host", "cluster") => self.product.is_none() && is_node(other, self),
            // What stands before the site, a load balancer say, has the names of what is behind it.
            (EXTERNAL, _) => !other.pointer.starts_with("/hosts/"),
            (_, EXTERNAL) => !self.pointer.starts_with("/hosts/"),
            _ => false,
        }
    }
}

/// Judges every name that the site or a product gives to something.
pub fn served(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut names: BTreeMap<String, Vec<Served>> = BTreeMap::new();
    let mut add = |name: &Tracked, served: Served| {
        if let Some(text) = name.value.text() {
            names.entry(text.to_lowercase()).or_default().push(served);
        }
    };
    for (table, what) in [("hosts", "host"), ("external", EXTERNAL)] {
        for (key, entry) in site.table(table) {
            let own = |origins: &Origins| Served {
                at: (what, key.clone()),
                words: format!("{what} `{key}`"),
                product: None,
                origins: origins.clone(),
                pointer: pointer(&[table, key]),
            };
            if let Some(name) = entry.get("fqdn") {
                // A full name that was made from the key of the host stands there.
                let is_derived = site.defaults.contains_key(&(pointer(&[table, key]) + "/fqdn"));
                add(name, own(if is_derived { &entry.origins } else { &name.origins }));
            }
            entry.get("names").map(Tracked::items).unwrap_or_default().iter().for_each(|n| add(n, own(&n.origins)));
        }
    }
    let mut proxies: Vec<(Tracked, Str, Option<Str>)> = Vec::new();
    if let Some(proxy) = site.root.get("proxy")
        && let Some(Value::Ref(host)) = proxy.get("host").map(|h| &h.value)
    {
        let given = proxy.get("aliases").map(Tracked::items).unwrap_or_default();
        let all = proxy.get("server_name").into_iter().chain(given);
        proxies.extend(all.map(|name| (name.clone(), host.name.clone(), None)));
    }
    proxies.extend(
        ir.proxies.iter().map(|p| (p.server_name.tracked(), p.host.value.clone(), Some(p.product.value.clone()))),
    );
    for (name, host, product) in proxies {
        let served = Served {
            words: format!("the proxy on `{host}`"),
            at: ("host", host),
            product,
            origins: name.origins.clone(),
            pointer: "/proxy".into(),
        };
        add(&name, served);
    }
    for object in &ir.objects {
        let Some((_, path)) = TAKES.iter().find(|(kind, _)| *kind == &**object.kind) else { continue };
        let body = Tracked { value: object.body.value.clone(), origins: object.body.origins.clone() };
        let mut hosts = Vec::new();
        below(&body, path, &mut hosts);
        for name in hosts {
            let served = Served {
                at: ("cluster", object.cluster.value.clone()),
                words: format!("the {} `{}` of cluster `{}`", *object.kind, *object.name, *object.cluster),
                product: Some(object.product.value.clone()),
                origins: name.origins.clone(),
                pointer: pointer(&["clusters", &object.cluster]),
            };
            add(name, served);
        }
    }
    for (name, list) in &names {
        let Some((first, other)) =
            list.iter().enumerate().find_map(|(i, a)| Some((a, list[i + 1..].iter().find(|b| !a.agrees(b, site))?)))
        else {
            continue;
        };
        let message = format!("the name `{name}` leads to {} and to {}", first.words, other.words);
        let mut diag = Diag::new(NAME_AT_TWO_PLACES, message);
        for served in [other, first] {
            diag = label(diag, place(&served.origins, sources), served.words.clone());
        }
        diag.waivable = true;
        let help = "give one of them another name; where DNS is to spread requests over both, waive this";
        findings.push(diag.pointer(other.pointer.clone()).help(help));
    }
}

/// The values at a path of keys, through all items of the lists on the way.
fn below<'a>(value: &'a Tracked, path: &[&str], found: &mut Vec<&'a Tracked>) {
    if matches!(value.value, Value::List(_)) {
        return value.items().iter().for_each(|item| below(item, path, found));
    }
    match path.split_first() {
        None => found.push(value),
        Some((key, rest)) => value.get(key).into_iter().for_each(|inner| below(inner, rest, found)),
    }
}
