//! How each host keeps its clock: from the site's time servers, or, where it is one of them, from what stands above.

use std::net::IpAddr;
use std::sync::Arc;

use super::items::Item;
use super::peers::{deep_origins, peers};
use crate::instance::{Asked, Run};
use crate::ir::{Clock, F};
use crate::pack::expr::Unanswered;
use crate::site::Site;
use crate::value::{Origins, Str, Tracked, Value};

/// What a time server claims to be while nothing stands above it: far enough down that a real clock wins.
const LOCAL_STRATUM: i64 = 10;

/// The clocks of hosts, one each.
pub fn clocks(items: &[Item], site: &Site, run: &mut Run) -> Vec<Arc<Clock>> {
    let (mut found, mut gone) = (Vec::new(), Origins::None);
    for item in items {
        found.extend(clock(item, site, run, &mut gone));
    }
    // Had the others been there, lines that name hosts would name these beside them.
    let beside = |clock: Clock| {
        let origins = clock.host.origins.union(&gone);
        Arc::new(Clock { host: F::new(clock.host.value, origins), ..clock })
    };
    let mut list: Vec<Arc<Clock>> = found.into_iter().map(beside).collect();
    let key = |c: &Clock| c.host.value.clone();
    list.sort_by_cached_key(|c| key(c));
    let merge = |a: &Clock, b: &Clock, run: &mut Run| Clock {
        sources: super::merge::merge_field(&a.sources, &b.sources, &format!("time servers of `{}`", *a.host), run),
        ..a.clone()
    };
    super::merge::unite(list, run, merge, key)
}

/// `gone` gets what keeps a clock from being there.
fn clock(item: &Item, site: &Site, run: &mut Run, gone: &mut Origins) -> Option<Clock> {
    let host = item.text("host", run)?;
    let servers = item.texts("servers", run)?;
    let serves = servers.iter().any(|s| is(&host, s, site));
    let others = || servers.iter().filter(|s| !is(&host, s, site)).cloned().collect::<Vec<_>>();
    let own = Origins::all([&servers.origins, &item.exists, &names(&host, site)]);
    let upstream = item.answered("upstream").filter(|u| u.value.text().is_none_or(|text| &*text == "none"));
    let (sources, stratum) = match (serves, upstream) {
        (false, _) => (F::new(others(), own.clone()), None),
        (true, Some(given)) => {
            let origins = own.union(&deep_origins(given));
            match &given.value {
                Value::List(_) => (F::new(item.texts("upstream", run)?.value, origins), None),
                _ => (F::new(others(), origins), Some(LOCAL_STRATUM)),
            }
        }
        (true, None) => {
            let place = site.at("/ntp/upstream").or_else(|| site.at("/ntp"));
            let origins = place.map(|ntp| ntp.origins.clone()).unwrap_or_default();
            // Steps that name hosts with such a file name one less.
            run.is_absent(|| own.union(&origins));
            *gone = gone.union(&own).union(&origins);
            run.asked.push(Asked {
                product: item.product.clone(),
                ask: "from where do the site's own time servers take the time (`none` if nothing stands above them)?"
                    .into(),
                who: "network administrator".into(),
                waits: vec![format!("time service of `{}`", *host).into()],
                unanswered: vec![Unanswered {
                    path: "site.ntp.upstream".into(),
                    pointer: Some("/ntp/upstream".into()),
                    reads: own.union(&origins),
                    origins,
                }],
                why: item.why.clone(),
                origins: own,
            });
            return None;
        }
    };
    let allow = match item.answered("allow").filter(|_| serves) {
        Some(given) => match peers(given, site) {
            Some(found) => found.map(|p| p.nets.to_vec()),
            None => {
                run.not_a(item.span, "networks for `allow`", &given.value);
                return None;
            }
        },
        None => F::new(Vec::new(), own),
    };
    let pools = item.text("pools", run).unwrap_or_else(|| item.field("".into()));
    Some(Clock {
        stratum: F::new(stratum, sources.origins.clone()),
        sources,
        allow,
        target: item.text("target", run)?,
        whole: pools.clone().map(|p| p.is_empty()),
        pools,
        drift: item.text("drift", run).unwrap_or_else(|| item.field("/var/lib/chrony/drift".into())),
        service: item.text("service", run)?,
        host,
    })
}

/// Whether a name or address is that of a host.
fn is(host: &str, server: &str, site: &Site) -> bool {
    if let Ok(address) = server.parse::<IpAddr>() {
        return site.host_addresses(host).iter().any(|a| a.value == address);
    }
    let entry = site.entry("hosts", host);
    let texts = |key: &str| -> Vec<Str> {
        match entry.and_then(|e| e.get(key)) {
            Some(Tracked { value: Value::List(items), .. }) => items.iter().filter_map(|i| i.value.text()).collect(),
            Some(one) => one.value.text().into_iter().collect(),
            None => Vec::new(),
        }
    };
    server == host || texts("fqdn").iter().chain(&texts("names")).any(|n| **n == *server)
}

/// What tells whether a host is a time server.
fn names(host: &str, site: &Site) -> Origins {
    let entry = site.entry("hosts", host);
    let parts = ["addresses", "fqdn", "names"].map(|key| entry.and_then(|e| e.get(key)).map(deep_origins));
    Origins::all(parts.iter().flatten())
}
