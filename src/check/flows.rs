//! Flows against the networks that carry them, and additions of the spec that open more than one would think.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::places::{label, place};
use crate::diag::codes::{FAMILIES_APART, FLOW_WITHOUT_WAY, OPENS_WIDE, POOLER_UNUSED, REQUEST_WITHOUT_OWNER};
use crate::diag::{Diag, Findings};
use crate::ir::{Flow, Ir, Nets, Scope};
use crate::lower::peers::peers;
use crate::lower::storage::pointer;
use crate::site::Site;
use crate::source::{Sources, Span};
use crate::value::{Str, Tracked, Value};

/// More ports than these are more than a service.
const PORTS_MOST: u16 = 1000;
/// Flows that a finding names.
const SHOWN: usize = 4;

/// Checks all flows.
pub fn flows(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    ways(ir, site, sources, findings);
    additions(ir, site, sources, findings);
    families(ir, site, sources, findings);
    owners(ir, site, sources, findings);
    poolers(ir, site, sources, findings);
}

/// What of a flow one network pair carries.
struct Crossing<'a> {
    flows: Vec<&'a Flow>,
}

/// Pairs of networks that flows cross although nothing joins them: neither has a gateway, and no boundary stands between
/// them. Where no network of the site has a gateway, the spec does not tell about them at all.
fn ways(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let given = |n: &Tracked, key: &str| n.get(key).is_some_and(|g| matches!(g.value, Value::Address(_)));
    let routed: BTreeMap<&Str, bool> =
        site.table("networks").map(|(name, n)| (name, given(n, "gateway") || given(n, "gateway6"))).collect();
    if !routed.values().any(|has| *has) {
        return;
    }
    let list = site.at("/firewall/boundaries").map(Tracked::items).unwrap_or_default();
    let boundaries: Vec<(Nets, Nets)> = list
        .iter()
        .filter_map(|b| Some((peers(b.get("from")?, site)?.value.nets, peers(b.get("to")?, site)?.value.nets)))
        .collect();
    let mut pairs: BTreeMap<(&Str, &Str), Crossing> = BTreeMap::new();
    for flow in ir.flows.iter().filter(|f| *f.scope == Scope::Site) {
        let of = |nets: &[IpNet]| {
            let mut names: Vec<&Str> = nets
                .iter()
                .filter_map(|n| site.network_of(n.addr()).filter(|(_, cidr)| cidr.contains(n)))
                .map(|(name, _)| name)
                .filter(|name| !routed.get(name).is_some_and(|has| *has))
                .collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let (from, to) = (of(&flow.from_hosts.nets), of(&flow.to_hosts.nets));
        for a in &from {
            for b in to.iter().filter(|b| b != &a) {
                let pair = if a < b { (*a, *b) } else { (*b, *a) };
                pairs.entry(pair).or_insert_with(|| Crossing { flows: Vec::new() }).flows.push(flow);
            }
        }
    }
    for ((a, b), crossing) in pairs {
        let nets = |name: &str| site.entry("networks", name).and_then(|n| peers(n, site)).map(|p| p.value.nets);
        let (Some(of_a), Some(of_b)) = (nets(a), nets(b)) else { continue };
        let meet = |x: &[IpNet], y: &[IpNet]| x.iter().any(|n| y.iter().any(|m| n.contains(m) || m.contains(n)));
        let joined = boundaries
            .iter()
            .any(|(from, to)| (meet(from, &of_a) && meet(to, &of_b)) || (meet(from, &of_b) && meet(to, &of_a)));
        if joined {
            continue;
        }
        let message = format!("flows need a way between the networks `{a}` and `{b}`, and the spec has none");
        let mut diag = Diag::new(FLOW_WITHOUT_WAY, message);
        for name in [a, b] {
            let span = site.entry("networks", name).and_then(|n| place(&n.origins, sources));
            diag = label(diag, span, format!("`{name}` has no gateway"));
        }
        for flow in crossing.flows.iter().take(SHOWN) {
            let (from, to) = (&*flow.from, &*flow.to);
            diag = diag.note(format!("`{}`: {from} -> {to} : {}", *flow.product, flow.service()));
        }
        if crossing.flows.len() > SHOWN {
            diag = diag.note(format!("and {} more", crossing.flows.len() - SHOWN));
        }
        diag.waivable = true;
        diag = diag.pointer(pointer(&["networks", b]));
        findings.push(diag.help("give the networks their `gateway`, or write the firewall between them as a boundary"));
    }
}

/// Flows that the site adds, from every address or to a great many ports.
fn additions(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let rows = added_rows(site, sources);
    for flow in ir.flows.iter().filter(|f| f.why.starts_with("site: ")) {
        let any = |nets: &[IpNet]| nets.iter().any(|n| n.prefix_len() == 0);
        let count = flow.ports.value.map_or(0, |p| p.high - p.low);
        let what = match (any(&flow.from_hosts.nets), any(&flow.to_hosts.nets)) {
            (true, _) => "from every address".to_string(),
            (_, true) => "to every address".to_string(),
            _ if count >= PORTS_MOST => format!("on {} ports", u32::from(count) + 1),
            _ => continue,
        };
        let (from, to) = (&*flow.from, &*flow.to);
        let message = format!("the added flow {from} -> {to} : {} opens {what}", flow.service());
        let mut diag = Diag::new(OPENS_WIDE, message);
        let spans = flow.why.origins.as_slice().iter().filter_map(|p| sources.span_of(*p));
        diag = label(diag, spans.into_iter().find(|s| rows.binary_search(s).is_ok()), "");
        if let (true, Some(span)) = (any(&flow.from_hosts.nets), place(&flow.from_hosts.origins, sources)) {
            diag = label(diag, Some(span), "every address");
        }
        diag.waivable = true;
        diag = diag.pointer("/extra/flows");
        findings.push(diag.help("name the hosts or networks, and the ports, that are needed"));
    }
}

/// Flows between ends that have no address family in common: no target can carry them, and nothing is written for them.
fn families(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let of = |nets: &[IpNet]| (nets.iter().any(|n| n.addr().is_ipv4()), nets.iter().any(|n| n.addr().is_ipv6()));
    let word = |v4: bool| if v4 { "IPv4" } else { "IPv6" };
    let mut apart: BTreeMap<(&Str, &Str, &Str), Vec<&Flow>> = BTreeMap::new();
    for flow in ir.flows.iter().filter(|f| *f.scope != Scope::Cluster) {
        let (from, to) = (of(&flow.from_hosts.nets), of(&flow.to_hosts.nets));
        let given = !flow.from_hosts.nets.is_empty() && !flow.to_hosts.nets.is_empty();
        if given && !(from.0 && to.0) && !(from.1 && to.1) {
            apart.entry((&flow.product.value, &flow.from.value, &flow.to.value)).or_default().push(flow);
        }
    }
    let rows = if apart.is_empty() { Vec::new() } else { added_rows(site, sources) };
    for ((product, from, to), flows) in apart {
        let first = flows[0];
        let (source, target) = (of(&first.from_hosts.nets).0, of(&first.to_hosts.nets).0);
        let count = match flows.len() {
            1 => "a flow goes".to_owned(),
            n => format!("{n} flows go"),
        };
        let (a, b) = (word(source), word(target));
        let message = format!("{count} from `{from}` to `{to}`, and one has only {a} addresses, the other only {b}");
        let mut diag = Diag::new(FAMILIES_APART, message);
        let mut spans = first.why.origins.as_slice().iter().filter_map(|p| sources.span_of(*p));
        diag = label(diag, spans.find(|s| rows.binary_search(s).is_ok()), "nothing carries it");
        for (end, v4) in [(&first.from_hosts, source), (&first.to_hosts, target)] {
            let entry = site.table("hosts").chain(site.table("networks")).chain(site.table("external"));
            let meets = |e: &&Tracked| {
                peers(e, site)
                    .is_some_and(|p| !p.value.nets.is_empty() && p.value.nets.iter().all(|n| end.nets.contains(n)))
            };
            let span = entry.map(|(_, e)| e).find(meets).and_then(|e| place(&e.origins, sources));
            diag = label(diag, span, format!("only {}", word(v4)));
        }
        for flow in flows.iter().take(SHOWN) {
            diag = diag.note(format!("`{product}`: {from} -> {to} : {} ({})", flow.service(), *flow.why));
        }
        if flows.len() > SHOWN {
            diag = diag.note(format!("and {} more", flows.len() - SHOWN));
        }
        diag.waivable = true;
        diag = diag.pointer("/hosts");
        findings.push(diag.help("give both ends an address of one family"));
    }
}

/// A request for the firewalls in which nobody answers for some of the rows.
fn owners(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let Some(asked) = ir.flow_tables.iter().find(|t| **t.name == *"request") else { return };
    let open = ir.zone_flows.iter().filter(|f| *f.crosses && f.owner.is_empty());
    let products: BTreeMap<&str, usize> = open.fold(BTreeMap::new(), |mut map, f| {
        *map.entry(&**f.product).or_default() += 1;
        map
    });
    let Some((first, _)) = products.iter().next() else { return };
    let rows: usize = products.values().sum();
    let names: Vec<String> = products.keys().map(|name| format!("`{name}`")).collect();
    let message = format!("who answers for the {rows} rows of {} in the request for the firewalls?", names.join(", "));
    let diag =
        Diag::new(REQUEST_WITHOUT_OWNER, message).at_maybe(place(&asked.name.origins, sources), "asked for here");
    let at = match site.entry("products", first) {
        Some(_) if products.len() == 1 => pointer(&["products", first, "owner"]),
        _ => "/site/owner".to_owned(),
    };
    findings.push(diag.help(format!("answer at `{at}`")).pointer(at));
}

/// The rows of the spec that add flows, sorted by their places.
pub(super) fn added_rows(site: &Site, sources: &Sources) -> Vec<Span> {
    let extras = site.root.get("extra").into_iter();
    let extras = extras.chain(site.table("products").filter_map(|(_, p)| p.get("extra")));
    let rows = extras.filter_map(|e| e.get("flows")).flat_map(Tracked::items);
    let mut rows: Vec<Span> = rows.filter_map(|row| place(&row.origins, sources)).collect();
    rows.sort_unstable();
    rows
}

/// Poolers in front of database servers that products use, to which nothing connects.
fn poolers(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    for (name, database) in site.table("databases") {
        let Some(pooler) = database.get("pooler") else { continue };
        let (Some(host), Some(port)) = (pooler.get("host"), pooler.get("port")) else { continue };
        let (Value::Ref(pool), Some(number)) = (&host.value, port.value.text()) else { continue };
        let uses = |product: &Tracked| {
            let own = product.get("database").into_iter();
            let all = own.chain(product.get("databases").into_iter().flat_map(Tracked::entries).map(|(_, d)| d));
            let server =
                |d: &Tracked| matches!(d.get("server").map(|s| &s.value), Some(Value::Ref(r)) if *r.name == **name);
            all.into_iter().any(server)
        };
        if !site.table("products").any(|(_, p)| uses(p)) {
            continue;
        }
        let own = site.host_addresses(&pool.name);
        let reaches = |f: &Flow| {
            f.ports.is_some_and(|p| p.to_string() == *number)
                && own.iter().any(|a| f.to_hosts.nets.iter().any(|n| n.contains(&a.value)))
        };
        if own.is_empty() || ir.flows.iter().any(|f| reaches(f)) {
            continue;
        }
        let message = format!("nothing connects to the pooler of database server `{name}`");
        let mut diag = Diag::new(POOLER_UNUSED, message).at_maybe(place(&pooler.origins, sources), "");
        diag = label(diag, database.get("port").and_then(|p| place(&p.origins, sources)), "products connect here");
        diag.waivable = true;
        diag = diag.pointer(pointer(&["databases", name, "pooler"]));
        findings.push(diag.help("remove the pooler (`pooler: none`), or let the products use it"));
    }
}
