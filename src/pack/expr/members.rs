//! What can be asked of a value that is no map: `memory.bytes`, `version.major`, `ports.low`, `cidr.prefix`.

use ipnet::IpNet;

use crate::shape::Type;
use crate::value::{Unit, Value};

/// The attributes of values of one type: name and type.
pub fn members(ty: &Type) -> &'static [(&'static str, Type)] {
    match ty {
        Type::Quantity(Unit::Bytes) => &[("bytes", Type::Int)],
        Type::Quantity(Unit::BitsPerSecond) => &[("bits", Type::Int)],
        Type::Quantity(Unit::Milliseconds) => &[("milliseconds", Type::Int), ("seconds", Type::Int)],
        Type::Quantity(Unit::Millicores) => &[("millicores", Type::Int)],
        Type::Version => &[("major", Type::Int), ("minor", Type::Int), ("patch", Type::Int)],
        Type::Ports { .. } => &[("low", Type::Int), ("high", Type::Int)],
        Type::Cidr => &[("network", Type::Address), ("netmask", Type::Address), ("prefix", Type::Int)],
        _ => &[],
    }
}

/// An attribute of a value; `None` when it has no such attribute. Seconds are rounded down.
pub fn member(value: &Value, name: &str) -> Option<Value> {
    let int = |n: u64| i64::try_from(n).ok().map(Value::Int);
    match (value, name) {
        (Value::Quantity(q), _) => match (q.unit, name) {
            (Unit::Bytes, "bytes")
            | (Unit::BitsPerSecond, "bits")
            | (Unit::Milliseconds, "milliseconds")
            | (Unit::Millicores, "millicores") => int(q.amount),
            (Unit::Milliseconds, "seconds") => int(q.amount / 1000),
            _ => None,
        },
        (Value::Version(v), "major" | "minor" | "patch") => {
            let index = ["major", "minor", "patch"].iter().position(|n| *n == name)?;
            int(v.parts.get(index).copied().unwrap_or(0))
        }
        (Value::Ports(p), "low") => Some(Value::Int(p.low.into())),
        (Value::Ports(p), "high") => Some(Value::Int(p.high.into())),
        (Value::Cidr(net), "network") => Some(Value::Address(net.network())),
        (Value::Cidr(net), "prefix") => Some(Value::Int(net.prefix_len().into())),
        (Value::Cidr(net), "netmask") => Some(Value::Address(match net {
            IpNet::V4(net) => net.netmask().into(),
            IpNet::V6(net) => net.netmask().into(),
        })),
        _ => None,
    }
}
