//! Reverse proxies and the servers behind them.

use std::net::IpAddr;
use std::sync::Arc;

use super::items::Item;
use super::peers::{host_addresses, hosts};
use crate::instance::Run;
use crate::ir::{F, Proxy, Upstream};
use crate::site::Site;
use crate::value::{Origins, Str, Unit, Value};

/// The buffer for response headers when nobody says otherwise: NGINX's page of 8 KiB on 64-bit systems.
const BUFFER_BYTES_DEFAULT: i64 = 8 * 1024;

/// Proxies with their upstream servers, one per host and product.
pub fn proxies(items: &[Item], site: &Site, run: &mut Run) -> Vec<Arc<Proxy>> {
    let mut list = Vec::new();
    for item in items {
        if let Some(proxy) = proxy(item, site, run) {
            list.push(Arc::new(proxy));
        }
    }
    list.sort_by_cached_key(|p| (p.host.value.clone(), p.product.value.clone()));
    list
}

fn proxy(item: &Item, site: &Site, run: &mut Run) -> Option<Proxy> {
    let host = item.answered("host").and_then(hosts)?.into_iter().next()?;
    let kind = item.text("kind", run)?;
    let server_name = item.text("server_name", run)?;
    let upstream_port = item.port("upstream_port", run)?;
    let addresses = site.entry("hosts", &host).map(host_addresses).unwrap_or_default();
    let address_origins = Origins::all(addresses.iter().map(|a| &a.origins));
    let optional = |name: &str, run: &mut Run| match item.text(name, run) {
        Some(text) => text.map(Some),
        None => F::new(None, item.get(name).map(|t| t.origins.clone()).unwrap_or_else(|| item.exists.clone())),
    };
    let health_port = match item.port("health_port", run) {
        Some(port) => port.map(Some),
        None => item.field(None),
    };
    let (body_bytes, buffer_bytes) = (bytes(item, "body", 0, run), bytes(item, "buffer", BUFFER_BYTES_DEFAULT, run));
    Some(Proxy {
        upstreams: upstreams(item, &upstream_port, &health_port, site, run)?,
        addresses: F::new(addresses.into_iter().map(|a| a.value).collect(), address_origins.union(&item.exists)),
        port: item.port("port", run).unwrap_or_else(|| item.field(443)),
        certificate_file: optional("certificate_file", run),
        key_file: optional("key_file", run),
        health_path: optional("health_path", run),
        health_port,
        body_size: body_bytes.clone().map(|n| size(n, &["k", "m", "g"])),
        // NGINX knows `g` for request bodies and not for memory.
        buffer_size: buffer_bytes.clone().map(|n| size(n, &["k", "m"])),
        body_bytes,
        buffer_bytes,
        websocket: item.bool("websocket", run).unwrap_or_else(|| item.field(false)),
        upstream: item.field(item.product.clone()),
        // A proxy is there only when all of these are answered.
        product: F::new(
            item.product.clone(),
            Origins::all([&item.exists, &host.origins, &kind.origins, &server_name.origins, &upstream_port.origins]),
        ),
        host,
        kind,
        server_name,
    })
}

fn upstreams(
    item: &Item,
    port: &F<u16>,
    health: &F<Option<u16>>,
    site: &Site,
    run: &mut Run,
) -> Option<F<Vec<Arc<Upstream>>>> {
    let given = item.answered("upstreams")?;
    let Some(servers) = hosts(given) else {
        run.not_a(item.span, "hosts for `upstreams`", &given.value);
        return None;
    };
    let mut list = Vec::new();
    for server in servers {
        let Some(address) = site.entry("hosts", &server).map(host_addresses).and_then(|a| a.into_iter().next()) else {
            continue;
        };
        let origins = address.origins.union(&server.origins).union(&port.origins);
        list.push(Arc::new(Upstream {
            endpoint: F::new(endpoint(address.value, port.value), origins.clone()),
            health_endpoint: F::new(health.value.map(|h| endpoint(address.value, h)), origins.union(&health.origins)),
            address: F::new(address.value, origins.clone()),
            port: F::new(port.value, origins.clone()),
            host: F::new(server.value, origins),
        }));
    }
    list.sort_by_cached_key(|u| u.host.value.clone());
    Some(F::new(list, given.origins.clone()))
}

/// `address:port`, an IPv6 address in brackets.
fn endpoint(address: IpAddr, port: u16) -> Str {
    std::net::SocketAddr::new(address, port).to_string().into()
}

/// A number of bytes in the largest of the units, each 1024 of the one before, that leaves nothing over.
fn size(bytes: i64, units: &[&str]) -> Str {
    let (mut number, mut unit) = (bytes, "");
    for larger in units {
        if number == 0 || number % 1024 != 0 {
            break;
        }
        (number, unit) = (number / 1024, larger);
    }
    format!("{number}{unit}").into()
}

/// A size in bytes: a quantity, or a number of bytes.
fn bytes(item: &Item, name: &str, default: i64, run: &mut Run) -> F<i64> {
    let Some(value) = item.answered(name) else { return item.field(default) };
    let parsed = match &value.value {
        Value::Quantity(q) if q.unit == Unit::Bytes => i64::try_from(q.amount).ok(),
        Value::Int(n) => Some(*n),
        Value::Str(text) => {
            crate::value::Quantity::parse(text, Unit::Bytes).ok().and_then(|q| i64::try_from(q.amount).ok())
        }
        _ => None,
    };
    match parsed {
        Some(n) => F::new(n, value.origins.clone()),
        None => {
            run.not_a(item.span, &format!("a size for `{name}`"), &value.value);
            item.field(default)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_the_largest_unit_that_fits() {
        let body = |n| size(n, &["k", "m", "g"]).to_string();
        assert_eq!(body(0), "0");
        assert_eq!(body(1000), "1000");
        assert_eq!(body(128 << 10), "128k");
        assert_eq!(body(20 << 30), "20g");
        assert_eq!(body((1 << 30) + 512), "1073742336");
        assert_eq!(size(1 << 30, &["k", "m"]).to_string(), "1024m");
    }
}
