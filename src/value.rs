//! Values as expressions and templates see them: typed, three-valued, and each with the places it comes from.

use std::fmt;
use std::sync::Arc;

use ipnet::IpNet;
use std::net::IpAddr;

mod map;
mod origins;

pub use map::Map;
pub use origins::Origins;

/// An immutable shared string.
pub type Str = Arc<str>;

/// A value together with where it comes from. Two of them are equal when their values are.
#[derive(Clone, Debug, Default)]
pub struct Tracked {
    pub value: Value,
    pub origins: Origins,
}

impl PartialEq for Tracked {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Tracked {
    pub fn new(value: impl Into<Value>, origins: impl Into<Origins>) -> Self {
        Self { value: value.into(), origins: origins.into() }
    }

    /// The value under a key of a map; `None` for a missing key and for what is no map.
    pub fn get(&self, key: &str) -> Option<&Tracked> {
        match &self.value {
            Value::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// Whether two are one, value and origins, told without looking into them. Two that are equal may be told apart.
    pub fn is_same(&self, other: &Tracked) -> bool {
        self.is_same_value(other) && self.origins.is_same(&other.origins)
    }

    /// The same of the values alone.
    pub fn is_same_value(&self, other: &Tracked) -> bool {
        match (&self.value, &other.value) {
            (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b),
            (Value::Map(a), Value::Map(b)) => Arc::ptr_eq(a, b),
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Ref(a), Value::Ref(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            _ => false,
        }
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> impl Iterator<Item = (&Str, &Tracked)> {
        let map: Option<&Map> = match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        };
        map.into_iter().flatten()
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Tracked] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }
}

/// One value. There are many of them: what is larger than a text is behind a pointer.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Unanswered. Its [`Tracked::origins`] name the place that should hold the answer, if the spec has that place.
    #[default]
    Null,
    /// A finding has been reported about it; whatever reads it is silent.
    Poison,
    Bool(bool),
    Int(i64),
    Str(Str),
    Quantity(Arc<Quantity>),
    Version(Arc<Version>),
    Address(IpAddr),
    Cidr(IpNet),
    Ports(Ports),
    /// The name of something in a table of the site (`hosts`, `networks`, …): prints as its name, and an attribute
    /// read from it is read from what it names.
    Ref(Arc<Ref>),
    List(Arc<Vec<Tracked>>),
    Map(Arc<Map>),
    /// An item of the `Ir`, or another Rust value with named fields.
    Record(Arc<dyn Record>),
}

/// A typed item whose fields can be read by name.
pub trait Record: fmt::Debug + Send + Sync {
    /// The field, or `None` when there is no such field.
    fn field(&self, name: &str) -> Option<Tracked>;
    /// The names of all fields, in a fixed order.
    fn fields(&self) -> &'static [&'static str];
}

/// A name bound to an entry of one of the site's tables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ref {
    /// The table's key in the spec: `hosts`, `networks`, `clusters`, `storage`, …
    pub table: Str,
    pub name: Str,
}

/// What a quantity measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    Bytes,
    BitsPerSecond,
    Milliseconds,
    /// Thousandths of a CPU core.
    Millicores,
}

impl Unit {
    /// What may follow the number, each with the whole units that one of it is.
    pub fn suffixes(self) -> &'static [(&'static str, u64)] {
        match self {
            Unit::Bytes => &[
                ("B", 1),
                ("KB", 1000),
                ("kB", 1000),
                ("MB", 1_000_000),
                ("GB", 1_000_000_000),
                ("TB", 1_000_000_000_000),
                ("PB", 1_000_000_000_000_000),
                ("KiB", 1 << 10),
                ("Ki", 1 << 10),
                ("MiB", 1 << 20),
                ("Mi", 1 << 20),
                ("GiB", 1 << 30),
                ("Gi", 1 << 30),
                ("TiB", 1 << 40),
                ("Ti", 1 << 40),
                ("PiB", 1 << 50),
                ("Pi", 1 << 50),
            ],
            Unit::BitsPerSecond => &[
                ("b/s", 1),
                ("bps", 1),
                ("bit/s", 1),
                ("kb/s", 1000),
                ("kbps", 1000),
                ("kbit/s", 1000),
                ("Mb/s", 1_000_000),
                ("Mbps", 1_000_000),
                ("Mbit/s", 1_000_000),
                ("Gb/s", 1_000_000_000),
                ("Gbps", 1_000_000_000),
                ("Gbit/s", 1_000_000_000),
            ],
            Unit::Milliseconds => &[("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000)],
            Unit::Millicores => &[("", 1000), ("m", 1)],
        }
    }

    /// How quantities of this unit are written, for messages.
    pub fn forms(self) -> &'static str {
        match self {
            Unit::Bytes => {
                "write a number and a unit: `KiB`, `MiB`, `GiB`, `TiB` (of 1024) or `KB`, `MB`, `GB`, `TB` (of 1000)"
            }
            Unit::BitsPerSecond => "write a number and a unit: `Mb/s` or `Gb/s`",
            Unit::Milliseconds => "write a number and a unit: `ms`, `s`, `min`, `h` or `d`",
            Unit::Millicores => "write a number of cores, or thousandths with an `m`: `500m` is half a core",
        }
    }
}

/// A quantity with its unit, parsed once. `amount` counts whole units of [`Unit`].
#[derive(Clone, Debug)]
pub struct Quantity {
    pub unit: Unit,
    pub amount: u64,
    /// The text as written, for output: `16 GiB`.
    pub source: Str,
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.unit == other.unit && self.amount == other.amount
    }
}

/// A version: numbers compare as numbers, `1.9` before `1.22`; the text stays as written.
#[derive(Clone, Debug)]
pub struct Version {
    pub parts: Vec<u64>,
    /// What follows the numbers, `-rc1`; a version with such a suffix precedes the one without.
    pub suffix: Str,
    pub source: Str,
}

/// A port or an inclusive range of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ports {
    pub low: u16,
    pub high: u16,
}

impl Ports {
    pub fn one(port: u16) -> Self {
        Self { low: port, high: port }
    }

    pub fn contains(self, other: Ports) -> bool {
        self.low <= other.low && other.high <= self.high
    }

    /// The range in pieces, cut wherever one of `others` begins or ends: each of them holds a piece whole or not at all.
    pub fn cut_by(self, others: impl IntoIterator<Item = Ports>) -> Vec<Ports> {
        let (low, high) = (u32::from(self.low), u32::from(self.high) + 1);
        let edges = others.into_iter().flat_map(|o| [u32::from(o.low), u32::from(o.high) + 1]);
        let mut cuts: Vec<u32> = edges.filter(|e| low < *e && *e < high).chain([low, high]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let port = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
        cuts.windows(2).map(|w| Ports { low: port(w[0]), high: port(w[1] - 1) }).collect()
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high { write!(f, "{}", self.low) } else { write!(f, "{}-{}", self.low, self.high) }
    }
}

impl Ports {
    /// The range that is meant by one that is written from its last port to its first.
    pub fn swapped(text: &str) -> Option<String> {
        let (high, low) = text.split_once('-')?;
        let swapped = format!("{}-{}", low.trim(), high.trim());
        swapped.parse::<Ports>().is_ok().then_some(swapped)
    }
}

impl std::str::FromStr for Ports {
    type Err = String;

    /// Reads `443` or `1024-2048`; errors say in a few words what is wrong.
    fn from_str(text: &str) -> Result<Self, String> {
        let port = |t: &str| match t.trim().parse::<u32>() {
            Ok(n @ 1..=65535) => Ok(n as u16),
            Ok(n) => Err(format!("port {n} is not between 1 and 65535")),
            Err(_) => Err(format!("`{t}` is not a port number")),
        };
        match text.split_once('-') {
            None => Ok(Ports::one(port(text)?)),
            Some((low, high)) => {
                let (low, high) = (port(low)?, port(high)?);
                if low > high {
                    return Err(format!("the range begins at {low}, after its end {high}"));
                }
                Ok(Ports { low, high })
            }
        }
    }
}

impl Value {
    pub fn str(text: impl Into<Str>) -> Self {
        Value::Str(text.into())
    }

    pub fn list(items: Vec<Tracked>) -> Self {
        Value::List(Arc::new(items))
    }

    pub fn map(map: Map) -> Self {
        Value::Map(Arc::new(map))
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether it is faulty, which has been reported.
    pub fn is_poison(&self) -> bool {
        matches!(self, Value::Poison)
    }

    /// What kind of value this is, for messages: `a quantity of bytes`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Poison => "a faulty value",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "a whole number",
            Value::Str(_) => "a string",
            Value::Quantity(q) => Value::quantity_kind(q.unit),
            Value::Version(_) => "a version",
            Value::Address(_) => "an address",
            Value::Cidr(_) => "a CIDR",
            Value::Ports(_) => "a port or port range",
            Value::Ref(_) => "a name",
            Value::List(_) => "a list",
            Value::Map(_) | Value::Record(_) => "a map",
        }
    }

    /// What a quantity of this unit is called in messages.
    pub fn quantity_kind(unit: Unit) -> &'static str {
        match unit {
            Unit::Bytes => "a quantity of bytes",
            Unit::BitsPerSecond => "a data rate",
            Unit::Milliseconds => "a duration",
            Unit::Millicores => "an amount of CPU",
        }
    }

    /// Appends the text of a scalar; whether it has one.
    pub fn push_text(&self, out: &mut String) -> bool {
        match self {
            Value::Str(text) => out.push_str(text),
            Value::Ref(r) => out.push_str(&r.name),
            other => match other.text() {
                Some(text) => out.push_str(&text),
                None => return false,
            },
        }
        true
    }

    /// The text of a scalar as it goes into an output before escaping; `None` for what has no single text.
    pub fn text(&self) -> Option<Str> {
        Some(match self {
            Value::Bool(b) => if *b { "true" } else { "false" }.into(),
            Value::Int(i) => i.to_string().into(),
            Value::Str(s) => s.clone(),
            Value::Quantity(q) => q.source.clone(),
            Value::Version(v) => v.source.clone(),
            Value::Address(a) => a.to_string().into(),
            Value::Cidr(c) => c.to_string().into(),
            Value::Ports(p) => p.to_string().into(),
            Value::Ref(r) => r.name.clone(),
            Value::Null | Value::Poison | Value::List(_) | Value::Map(_) | Value::Record(_) => return None,
        })
    }
}

impl PartialEq for Value {
    /// Structural equality; unlike types are unequal, records are equal when all their fields are.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) | (Value::Poison, Value::Poison) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Quantity(a), Value::Quantity(b)) => a == b,
            (Value::Version(a), Value::Version(b)) => a == b,
            (Value::Address(a), Value::Address(b)) => a == b,
            (Value::Cidr(a), Value::Cidr(b)) => a == b,
            (Value::Ports(a), Value::Ports(b)) => a == b,
            (Value::Ref(a), Value::Ref(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            (Value::Record(a), Value::Record(b)) => {
                a.fields() == b.fields() && a.fields().iter().all(|f| a.field(f) == b.field(f))
            }
            _ => false,
        }
    }
}

macro_rules! into_value {
    ($($from:ty => |$x:ident| $to:expr;)*) => {
        $(impl From<$from> for Value { fn from($x: $from) -> Self { $to } })*
    };
}

into_value! {
    bool => |x| Value::Bool(x);
    i64 => |x| Value::Int(x);
    u16 => |x| Value::Int(x.into());
    u32 => |x| Value::Int(x.into());
    &str => |x| Value::Str(x.into());
    String => |x| Value::Str(x.into());
    Str => |x| Value::Str(x);
    Quantity => |x| Value::Quantity(Arc::new(x));
    Version => |x| Value::Version(Arc::new(x));
    IpAddr => |x| Value::Address(x);
    IpNet => |x| Value::Cidr(x);
    Ports => |x| Value::Ports(x);
    Ref => |x| Value::Ref(Arc::new(x));
    Vec<Tracked> => |x| Value::list(x);
    Map => |x| Value::map(x);
}

impl<T: Into<Value> + Clone> From<&[T]> for Value {
    fn from(items: &[T]) -> Self {
        Value::list(items.iter().map(|i| Tracked::new(i.clone(), Origins::None)).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(x: Option<T>) -> Self {
        x.map_or(Value::Null, Into::into)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    /// Compares number by number, a missing number as 0; with equal numbers a suffix sorts before none.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let length = self.parts.len().max(other.parts.len());
        let part = |v: &Version, i: usize| v.parts.get(i).copied().unwrap_or(0);
        (0..length).map(|i| part(self, i).cmp(&part(other, i))).find(|o| o.is_ne()).unwrap_or_else(|| {
            match (self.suffix.is_empty(), other.suffix.is_empty()) {
                (true, false) => std::cmp::Ordering::Greater,
                (false, true) => std::cmp::Ordering::Less,
                _ => self.suffix.cmp(&other.suffix),
            }
        })
    }
}

impl std::str::FromStr for Version {
    type Err = String;

    /// Reads `15`, `1.28.4`, `v1.28.4-rc1`, `2023.09.25`; leading zeros are kept in the source text only.
    fn from_str(text: &str) -> Result<Self, String> {
        let source: Str = text.into();
        let body = text.strip_prefix('v').unwrap_or(text);
        let end = body.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(body.len());
        let (numbers, suffix) = body.split_at(end);
        let parts: Option<Vec<u64>> = numbers.split('.').map(|p| p.parse().ok()).collect();
        match parts {
            Some(parts) if suffix.len() <= 64 && !suffix.contains(char::is_whitespace) => {
                Ok(Version { parts, suffix: suffix.into(), source })
            }
            _ => Err(format!("`{text}` is not a version such as `1.28.4`")),
        }
    }
}

impl Quantity {
    /// Reads a quantity of the unit that its place asks for.
    ///
    /// Bytes take `B kB KB MB GB TB PB` (powers of 1000) and `KiB MiB GiB TiB PiB`, `Ki Mi Gi Ti Pi` (powers of 1024);
    /// data rates `b/s kb/s Mb/s Gb/s` and `bps kbps Mbps Gbps`; durations `ms s min h d`; CPU a number of cores
    /// or `500m`. A fraction is allowed (`1.5 TiB`) when it comes out as a whole number. Errors say what is
    /// accepted.
    pub fn parse(text: &str, unit: Unit) -> Result<Self, String> {
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
        let (number, suffix) = trimmed.split_at(split);
        let suffix = suffix.trim();
        let factor = unit.suffixes().iter().find(|(known, _)| *known == suffix).map(|(_, factor)| *factor);
        let amount = factor.and_then(|f| scaled(number, f));
        match amount {
            Some(amount) => Ok(Self { unit, amount, source: trimmed.into() }),
            None => Err(format!(
                "`{text}` is not {}",
                match unit {
                    Unit::Bytes => "a size such as `16 GiB` or `500 GB`",
                    Unit::BitsPerSecond => "a data rate such as `1 Gb/s`",
                    Unit::Milliseconds => "a duration such as `30 s` or `5 min`",
                    Unit::Millicores => "an amount of CPU such as `4` or `500m`",
                }
            )),
        }
    }
}

/// `number` times `factor` when that is a whole number that fits.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 9 || (number.contains('.') && fraction.is_empty()) {
        return None;
    }
    let base = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    if fraction.is_empty() {
        return Some(base);
    }
    let scale = 10u128.pow(u32::try_from(fraction.len()).ok()?);
    let product = fraction.parse::<u128>().ok()? * u128::from(factor);
    if product % scale != 0 {
        return None;
    }
    base.checked_add(u64::try_from(product / scale).ok()?)
}
