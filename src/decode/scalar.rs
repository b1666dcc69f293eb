//! One scalar and the type of its place in, a typed value or what is wrong with it out.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::diag::{Diag, codes};
use crate::node::{Data, Node};
use crate::shape::{Short, Type};
use crate::source::{PlaceId, Span};
use crate::value::{Map, Ports, Quantity, Str, Tracked, Unit, Value, Version};

/// A scalar as it was written, with what its syntax makes of it.
pub struct Scalar {
    pub text: Str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bool(bool),
    Int(i64),
    Float,
    Text,
}

/// Why a scalar is not what its place takes.
#[derive(Debug)]
pub enum Fault {
    /// It is of another kind altogether.
    Type,
    /// It is of the right kind but not well formed.
    Malformed(Box<Malformed>),
}

/// A text that is not well formed, and what would be.
#[derive(Debug, Default)]
pub struct Malformed {
    pub message: String,
    pub help: Option<String>,
    /// The text that is probably meant.
    pub replacement: Option<String>,
    /// Whether nothing else can be meant.
    pub safe: bool,
}

impl Malformed {
    /// The finding about it at its place.
    pub fn diag(self, span: Span) -> Diag {
        let mut diag = Diag::new(codes::MALFORMED, self.message).at(span, "");
        diag.help = self.help;
        match self.replacement {
            Some(text) => diag.replace(span, text, self.safe),
            None => diag,
        }
    }
}

impl From<Malformed> for Fault {
    fn from(fault: Malformed) -> Self {
        Fault::Malformed(Box::new(fault))
    }
}

fn malformed(message: impl Into<String>) -> Malformed {
    Malformed { message: message.into(), ..Malformed::default() }
}

impl Scalar {
    /// The scalar that a node holds; `None` for null, lists and maps.
    pub fn of(node: &Node) -> Option<Scalar> {
        let kind = match &node.data {
            Data::Bool { value, .. } => Kind::Bool(*value),
            Data::Int { value, .. } => Kind::Int(*value),
            Data::Float { .. } => Kind::Float,
            Data::Text(_) => Kind::Text,
            _ => return None,
        };
        Some(Scalar { text: node.scalar_text()?.clone(), kind })
    }

    /// The scalar that a text is once ranges in it are expanded.
    pub fn expanded(text: impl Into<Str>) -> Scalar {
        let text = text.into();
        let kind = text.parse().map_or(Kind::Text, Kind::Int);
        Scalar { text, kind }
    }

    /// The scalar that a JSON value is; `None` for null, arrays and objects.
    pub fn of_json(json: &serde_json::Value) -> Option<Scalar> {
        Some(match json {
            serde_json::Value::Bool(b) => Scalar { text: b.to_string().into(), kind: Kind::Bool(*b) },
            serde_json::Value::Number(n) => {
                Scalar { text: n.to_string().into(), kind: n.as_i64().map_or(Kind::Float, Kind::Int) }
            }
            serde_json::Value::String(s) => Scalar { text: s.as_str().into(), kind: Kind::Text },
            _ => return None,
        })
    }

    /// The value that this is at a place of type `ty`. Records made of a short form get `place` in each field.
    pub fn typed(&self, ty: &Type, place: PlaceId) -> Result<Value, Fault> {
        Ok(match ty {
            Type::Any => self.untyped(),
            Type::Bool => match self.kind {
                Kind::Bool(b) => Value::Bool(b),
                _ => return Err(Fault::Type),
            },
            Type::Int => match self.kind {
                Kind::Int(i) => Value::Int(i),
                _ => return Err(Fault::Type),
            },
            Type::Text | Type::Ref(_) => Value::Str(self.text.clone()),
            Type::Quantity(unit) => self.quantity(*unit)?.into(),
            Type::Version => self.version()?.into(),
            Type::Address => Value::Address(address(&self.text)?),
            Type::Cidr => Value::Cidr(cidr(&self.text)?),
            Type::Ports { range } => Value::Ports(ports(&self.text, *range)?),
            Type::OneOf(types) => return self.one_of(types, place),
            Type::Struct(s) => match s.short {
                Some(Short::Os) => Value::map(self.os(place)?),
                Some(Short::Iops) => Value::map(self.iops(place)?),
                Some(Short::Name) => Value::map(Map::from([("name".into(), self.tracked(place))])),
                None => return Err(Fault::Type),
            },
            Type::List(_) | Type::Table(_) | Type::Keyed { .. } => return Err(Fault::Type),
        })
    }

    fn untyped(&self) -> Value {
        match self.kind {
            Kind::Bool(b) => Value::Bool(b),
            Kind::Int(i) => Value::Int(i),
            Kind::Float | Kind::Text => Value::Str(self.text.clone()),
        }
    }

    fn tracked(&self, place: PlaceId) -> Tracked {
        Tracked::new(self.text.clone(), place)
    }

    /// The first type that takes the scalar, text and names last; when none does, the most telling fault.
    fn one_of(&self, types: &[Type], place: PlaceId) -> Result<Value, Fault> {
        let rank = |ty: &Type| match ty {
            Type::Text | Type::Ref(_) => 2,
            Type::Any => 1,
            _ => 0,
        };
        let mut fault = Fault::Type;
        for wanted in 0..=2 {
            for ty in types.iter().filter(|ty| rank(ty) == wanted) {
                match self.typed(ty, place) {
                    Ok(value) => return Ok(value),
                    Err(Fault::Type) => {}
                    Err(found) => fault = found,
                }
            }
        }
        Err(fault)
    }

    fn quantity(&self, unit: Unit) -> Result<Quantity, Malformed> {
        Quantity::parse(&self.text, unit).map_err(|message| {
            let mut fault = malformed(message);
            let meant = meant(&self.text, unit);
            fault.help = Some(if unit == Unit::BitsPerSecond && self.text.trim_end().ends_with("B/s") {
                "rates count bits, not bytes: `1 GB/s` is `8 Gb/s`".to_string()
            } else if unit != Unit::Millicores && self.text.trim().parse::<f64>().is_ok() {
                "write the unit after the number".to_string()
            } else if let Some(Meant::One { text, why, safe }) = meant {
                let help = format!("{why}: `{text}`");
                (fault.replacement, fault.safe) = (Some(text), safe);
                help
            } else if let Some(Meant::Either(binary, decimal)) = meant {
                format!("write `{binary}` (of 1024) or `{decimal}` (of 1000)")
            } else {
                unit.forms().to_string()
            });
            fault
        })
    }

    fn version(&self) -> Result<Version, Malformed> {
        if matches!(self.kind, Kind::Bool(_)) {
            return Err(malformed(format!("`{}` is not a version such as `1.28.4`", self.text)));
        }
        self.text.parse().map_err(|message: String| Malformed {
            message,
            help: Some("numbers with dots between them; a word such as `latest` can be compared with nothing".into()),
            ..Malformed::default()
        })
    }

    /// `family-version`, and after it an edition and a build in any order: a build begins with a digit.
    fn os(&self, place: PlaceId) -> Result<Map, Malformed> {
        let wrong = |reason: &str| Malformed {
            message: format!("`{}` is not an operating system such as `ubuntu-22.04`: {reason}", self.text),
            help: Some("write `family-version`, or a map with `family`, `version`, `edition`, `build`, `arch`".into()),
            ..Malformed::default()
        };
        if self.kind != Kind::Text {
            return Err(wrong("the family is missing"));
        }
        let parts: Vec<&str> = self.text.split('-').collect();
        let digit = |part: &&str| part.starts_with(|c: char| c.is_ascii_digit());
        let family = parts.iter().take_while(|part| !digit(part)).count();
        if parts.iter().any(|part| part.is_empty() || part.contains(char::is_whitespace)) {
            return Err(wrong("there is a blank or an empty part"));
        }
        if family == 0 {
            return Err(wrong("the family is missing"));
        }
        let Some(version) = parts.get(family) else { return Err(wrong("the version is missing")) };
        let version: Version = version.parse().map_err(|_| wrong("the version is no number"))?;
        let mut map = Map::from([
            ("family".into(), Tracked::new(parts[..family].join("-").to_lowercase(), place)),
            ("version".into(), Tracked::new(version, place)),
        ]);
        for part in &parts[family + 1..] {
            let key = if digit(part) { "build" } else { "edition" };
            if map.insert(key.into(), Tracked::new(*part, place)).is_some() {
                return Err(wrong("there is more after the version than an edition and a build"));
            }
        }
        Ok(map)
    }

    fn iops(&self, place: PlaceId) -> Result<Map, Malformed> {
        match self.kind {
            Kind::Int(count) if count >= 0 => Ok(Map::from([
                ("read".into(), Tracked::new(count, place)),
                ("write".into(), Tracked::new(count, place)),
            ])),
            _ => Err(Malformed {
                message: format!("`{}` is not a number of operations per second such as `7000`", self.text),
                help: Some("one number for reading and writing, or a map with `read` and `write`".into()),
                ..Malformed::default()
            }),
        }
    }
}

/// What a quantity with an unknown unit is probably meant to be.
enum Meant {
    One {
        text: String,
        why: &'static str,
        safe: bool,
    },
    /// Of 1024 or of 1000.
    Either(String, String),
}

/// Other words for a unit.
const WORDS: [(Unit, &str, &[&str]); 7] = [
    (Unit::Bytes, "B", &["byte", "bytes"]),
    (Unit::Milliseconds, "ms", &["msec", "msecs", "millisecond", "milliseconds"]),
    (Unit::Milliseconds, "s", &["sec", "secs", "second", "seconds"]),
    (Unit::Milliseconds, "min", &["m", "mins", "minute", "minutes"]),
    (Unit::Milliseconds, "h", &["hr", "hrs", "hour", "hours"]),
    (Unit::Milliseconds, "d", &["day", "days"]),
    (Unit::Millicores, "", &["core", "cores", "cpu", "cpus", "vcpu", "vcpus"]),
];

/// What is meant by a unit with letters of the wrong case, by a plural, by another word for it. A small `b` is for bits
/// and a large one for bytes, so that one in the place of the other is never beyond doubt, and neither is an `M` for
/// thousandths or a rate that does not spell out its bits.
fn meant(text: &str, unit: Unit) -> Option<Meant> {
    let trimmed = text.trim();
    let (number, suffix) = trimmed.split_at(trimmed.find(|c: char| !c.is_ascii_digit() && c != '.')?);
    let (gap, suffix) = suffix.split_at(suffix.len() - suffix.trim_start().len());
    let with = |unit_text: &str| format!("{number}{}{unit_text}", if unit_text.is_empty() { "" } else { gap });
    let one = |unit_text: &str, why, safe| {
        let text = with(unit_text);
        Quantity::parse(&text, unit).is_ok().then_some(Meant::One { text, why, safe })
    };
    let known = |suffix: &str| {
        let mut known = unit.suffixes().iter().map(|(known, _)| *known).filter(|known| !known.is_empty());
        known.find(|known| known.eq_ignore_ascii_case(suffix))
    };
    let capital = |suffix: &str| suffix.chars().find(|c| c.eq_ignore_ascii_case(&'b')).is_some_and(|c| c == 'B');
    if let Some(known) = known(suffix) {
        let safe = match unit {
            Unit::Bytes => capital(known) == capital(suffix),
            Unit::BitsPerSecond => known.contains("bit"),
            Unit::Milliseconds => true,
            Unit::Millicores => false,
        };
        return one(known, "large and small letters differ", safe);
    }
    if unit == Unit::Bytes && matches!(suffix, "k" | "K" | "m" | "M" | "g" | "G" | "t" | "T" | "p" | "P") {
        let letter = suffix.to_ascii_uppercase();
        return Some(Meant::Either(with(&format!("{letter}iB")), with(&format!("{letter}B"))));
    }
    if let Some((_, short, _)) =
        WORDS.iter().find(|(of, _, words)| *of == unit && words.iter().any(|w| w.eq_ignore_ascii_case(suffix)))
    {
        return one(short, "units have one form each", false);
    }
    let single = suffix.strip_suffix(['s', 'S']).filter(|single| single.len() > 1)?;
    one(known(single)?, "units have no plural", false)
}

fn address(text: &str) -> Result<IpAddr, Malformed> {
    text.parse().map_err(|_| {
        let mut fault = malformed(format!("`{text}` is not an IP address"));
        if let Some((before, _)) = text.split_once('/')
            && before.parse::<IpAddr>().is_ok()
        {
            fault.help = Some("an address has no prefix length".into());
            (fault.replacement, fault.safe) = (Some(before.into()), true);
        } else if let Some(plain) = without_leading_zeros(text) {
            fault.help = Some("write the numbers without leading zeros, which some programs take for octal".into());
            fault.replacement = Some(plain);
        } else if let Some(number) = text.split('.').find(|part| part.parse::<u64>().is_ok_and(|n| n > 255)) {
            fault.help = Some(format!("`{number}` is more than 255"));
        } else if text.contains('[') {
            fault.help = Some("a range in a value needs a range in the key of its host".into());
        }
        fault
    })
}

fn without_leading_zeros(text: &str) -> Option<String> {
    let parts: Option<Vec<String>> = text.split('.').map(|p| p.parse::<u8>().ok().map(|n| n.to_string())).collect();
    let plain = parts?.join(".");
    plain.parse::<IpAddr>().is_ok().then_some(plain)
}

fn cidr(text: &str) -> Result<IpNet, Malformed> {
    match text.parse::<IpNet>() {
        Ok(net) if net == net.trunc() => Ok(net),
        Ok(net) => Err(Malformed {
            message: format!("`{text}` has bits set after its prefix of {}", net.prefix_len()),
            help: Some(format!("the network is `{}`", net.trunc())),
            replacement: Some(net.trunc().to_string()),
            safe: true,
        }),
        Err(_) => {
            let mut fault = malformed(format!("`{text}` is not a network in CIDR form such as `10.30.8.0/24`"));
            if let Ok(address) = text.parse::<IpAddr>() {
                let single = IpNet::from(address).to_string();
                fault.help = Some(format!("a single address is written `{single}`"));
                fault.replacement = Some(single);
            } else if let Some((_, prefix)) = text.split_once('/')
                && prefix.parse::<IpAddr>().is_ok()
            {
                fault.help = Some("write the prefix length instead of the mask".into());
            } else {
                let longest = if text.contains(':') { 128 } else { 32 };
                fault.help = Some(format!("write address, `/` and the length of the prefix, 0 to {longest}"));
            }
            Err(fault)
        }
    }
}

fn ports(text: &str, range: bool) -> Result<Ports, Malformed> {
    let ports: Ports = text.parse().map_err(|message: String| {
        let swapped = Ports::swapped(text);
        let help = match (&swapped, range) {
            (Some(_), _) => "the smaller number comes first",
            (None, true) => "a port such as `443`, or a range such as `30000-32767`",
            (None, false) => "a port such as `443`",
        };
        Malformed { message, help: Some(help.into()), replacement: swapped, safe: false }
    })?;
    if range || ports.low == ports.high {
        Ok(ports)
    } else {
        Err(malformed(format!("`{text}` is a range, where a single port is needed")))
    }
}
