//! The table of functions: typed literals, ranges, blanks.

use super::eval::EvalError;
use super::table::{Call, Row, Typing, Unknown, optional, value, word};
use crate::shape::Type;
use crate::value::{Origins, Ports, Quantity, Tracked, Unit, Value, Version};

const PASSES: Unknown = Unknown::Passes;
/// The longest list that `range` makes.
const RANGE: i64 = 100_000;

/// All functions.
pub const FUNCTIONS: &[Row] = &[
    Row {
        name: "ver",
        params: &[value("text")],
        unknown: PASSES,
        doc: "a version: `ver('1.28')`",
        ty: |t| literal_type(t, Type::Version),
        run: run_literal,
    },
    Row {
        name: "qty",
        params: &[value("text")],
        unknown: PASSES,
        doc: "a quantity of bytes, a data rate or a duration, by its suffix: `qty('16 GB')`, `qty('1 Gb/s')`, `qty('30 s')`",
        ty: |t| {
            let found = t.literal(0).and_then(|text| quantity(text).ok());
            let ty = found.map_or(Type::Any, |v| super::kinds::type_of(&v));
            literal_type(t, ty)
        },
        run: run_literal,
    },
    Row {
        name: "cpu",
        params: &[value("text")],
        unknown: PASSES,
        doc: "an amount of CPU: `cpu('4')`, `cpu('500m')`, `cpu(4)`",
        ty: |t| {
            t.expect_arg(0, "a string or a whole number", |t| matches!(t, Type::Text | Type::Int));
            Type::Quantity(Unit::Millicores)
        },
        run: run_literal,
    },
    Row {
        name: "addr",
        params: &[value("text")],
        unknown: PASSES,
        doc: "an IP address: `addr('10.30.8.1')`",
        ty: |t| literal_type(t, Type::Address),
        run: run_literal,
    },
    Row {
        name: "cidr",
        params: &[value("text")],
        unknown: PASSES,
        doc: "a network: `cidr('10.30.8.0/24')`",
        ty: |t| literal_type(t, Type::Cidr),
        run: run_literal,
    },
    Row {
        name: "ports",
        params: &[value("text")],
        unknown: PASSES,
        doc: "a port or a range of ports: `ports('30000-32767')`, `ports(443)`",
        ty: |t| {
            t.expect_arg(0, "a string or a whole number", |t| matches!(t, Type::Text | Type::Int));
            Type::Ports { range: true }
        },
        run: run_literal,
    },
    Row {
        name: "range",
        params: &[value("n"), optional(value("to"))],
        unknown: PASSES,
        doc: "the whole numbers from 0 below `n`, or from `n` below `to`",
        ty: |t| {
            t.expect_arg(0, "a whole number", |t| *t == Type::Int);
            t.expect_arg(1, "a whole number", |t| *t == Type::Int);
            Type::List(Type::Int.into())
        },
        run: |c| {
            let (from, to) = if c.args[1].is_some() { (c.int(0)?, c.int(1)?) } else { (0, c.int(0)?) };
            if to.saturating_sub(from) > RANGE {
                return Err(c.fault(format!("`range` makes at most {RANGE} numbers")));
            }
            Ok(Value::list((from..to).map(|n| Tracked::new(n, Origins::None)).collect()))
        },
    },
    Row {
        name: "blank",
        params: &[word("name")],
        unknown: PASSES,
        doc: "the line to fill in for something that only the installation reveals",
        ty: |_| Type::Text,
        run: |c| {
            let name = c.text(0)?;
            match c.evaluator.scope.tables.blank(&name) {
                Some(blank) => Ok(c.take(&blank)),
                None => Err(c.fault(format!("there is no blank `{name}`"))),
            }
        },
    },
];

fn literal_type(t: &mut Typing<'_, '_, '_>, ty: Type) -> Type {
    t.expect_arg(0, "a string", |t| *t == Type::Text || *t == ty);
    ty
}

/// Whether the value is of the type that the function makes.
fn is_already(function: &str, value: &Value) -> bool {
    matches!(
        (function, value),
        ("ver", Value::Version(_))
            | ("qty", Value::Quantity(_))
            | ("addr", Value::Address(_))
            | ("cidr", Value::Cidr(_))
            | ("ports", Value::Ports(_))
    )
}

fn run_literal(c: &mut Call<'_, '_>) -> Result<Value, EvalError> {
    let value = c.args[0].clone().unwrap_or_default();
    if is_already(c.apply.row.name, &value) {
        return Ok(value);
    }
    match literal(c.apply.row.name, &value) {
        Some(Ok(value)) => Ok(value),
        Some(Err(message)) => Err(c.fault(message)),
        None => Err(c.fault(format!("`{}` takes a string, not {}", c.apply.row.name, value.kind()))),
    }
}

/// What a typed literal is worth; `None` when the function is none of them or does not take such a value.
pub fn literal(function: &str, value: &Value) -> Option<Result<Value, String>> {
    if function == "cpu"
        && let Value::Int(n) = value
    {
        return Some(Quantity::parse(&n.to_string(), Unit::Millicores).map(Value::from));
    }
    if function == "ports"
        && let Value::Int(n) = value
    {
        return Some(n.to_string().parse::<Ports>().map(Value::Ports));
    }
    let Value::Str(text) = value else { return None };
    Some(match function {
        "ver" => text.parse::<Version>().map(Value::from),
        "qty" => quantity(text),
        "cpu" => Quantity::parse(text, Unit::Millicores).map(Value::from),
        "addr" => text.parse().map(Value::Address).map_err(|_| format!("`{text}` is not an IP address")),
        "cidr" => text.parse().map(Value::Cidr).map_err(|_| format!("`{text}` is not a network such as `10.0.0.0/8`")),
        "ports" => text.parse::<Ports>().map(Value::Ports),
        _ => return None,
    })
}

/// A quantity whose suffix tells its unit.
fn quantity(text: &str) -> Result<Value, String> {
    [Unit::Bytes, Unit::BitsPerSecond, Unit::Milliseconds]
        .into_iter()
        .find_map(|unit| Quantity::parse(text, unit).ok())
        .map(Value::from)
        .ok_or_else(|| format!("`{text}` is not a quantity such as `16 GB`, `1 Gb/s` or `30 s`"))
}
