//! What a Compose file says in its several forms: the resources that services name, the ports that they publish.

use crate::ir::Transport;
use crate::value::{Origins, Ports, Str, Tracked, Value};

/// The tables at the top of a file that services name entries of.
pub const TABLES: [(&str, &str); 4] =
    [("networks", "network"), ("secrets", "secret"), ("configs", "config"), ("volumes", "volume")];

/// A name of an entry, with where it stands.
pub struct Named {
    pub name: Str,
    pub origins: Origins,
}

/// The entries of one table that a service names.
pub fn named(service: &Tracked, table: &str) -> Vec<Named> {
    let Some(given) = service.get(table) else { return Vec::new() };
    let of_item = |item: &Tracked| -> Option<Named> {
        let origins = item.origins.union(&given.origins);
        match (&item.value, table) {
            (Value::Map(_), _) => {
                let named_volume = item.get("type").is_none_or(|t| t.value == Value::str("volume"));
                let name =
                    item.get("source").and_then(|s| s.value.text()).filter(|_| table != "volumes" || named_volume)?;
                Some(Named { name, origins })
            }
            (_, "volumes") => {
                let text = item.value.text()?;
                // A path of the host, or a volume without a name.
                let (name, _) = text.split_once(':')?;
                let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric());
                is_name.then(|| Named { name: name.into(), origins })
            }
            _ => Some(Named { name: item.value.text()?, origins }),
        }
    };
    match &given.value {
        Value::Map(map) => map
            .iter()
            .map(|(name, entry)| Named { name: name.clone(), origins: entry.origins.union(&given.origins) })
            .collect(),
        _ => given.items().iter().filter_map(of_item).collect(),
    }
}

/// What an external entry is called outside the file; `None` for an entry that the file makes.
pub fn external(key: &Str, entry: &Tracked) -> Option<Str> {
    let external = entry.get("external")?;
    let own = || entry.get("name").and_then(|n| n.value.text()).unwrap_or_else(|| key.clone());
    match &external.value {
        Value::Bool(true) => Some(own()),
        Value::Map(_) => Some(external.get("name").and_then(|n| n.value.text()).unwrap_or_else(own)),
        _ => None,
    }
}

/// A published port.
pub struct Port {
    pub ports: Ports,
    pub transport: Transport,
    pub origins: Origins,
}

/// The ports that a service publishes; `Err` holds what is no port.
pub fn published(service: &Tracked) -> Vec<Result<Port, (String, Origins)>> {
    let list = service.get("ports");
    let items = list.map(Tracked::items).unwrap_or_default();
    items.iter().filter_map(|item| port(item, &list.map(|l| l.origins.clone()).unwrap_or_default())).collect()
}

fn port(item: &Tracked, around: &Origins) -> Option<Result<Port, (String, Origins)>> {
    let origins = item.origins.union(around);
    let (outer, transport) = match &item.value {
        Value::Map(_) => {
            let text = |key: &str| item.get(key).and_then(|v| v.value.text());
            (text("published")?, text("protocol").unwrap_or_else(|| "tcp".into()))
        }
        other => {
            let text = other.text()?;
            let (rest, transport) = text.rsplit_once('/').unwrap_or((&text, "tcp"));
            let (outer, _) = rest.rsplit_once(':')?;
            let outer = outer.rsplit_once(':').map_or(outer, |(_, port)| port);
            (outer.into(), transport.into())
        }
    };
    let transport = match &*transport {
        "tcp" => Transport::Tcp,
        "udp" => Transport::Udp,
        "sctp" => Transport::Sctp,
        other => return Some(Err((format!("`{other}` is no protocol of a port"), origins))),
    };
    Some(match outer.parse::<Ports>() {
        Ok(ports) => Ok(Port { ports, transport, origins }),
        Err(why) => Err((why, origins)),
    })
}
