//! Filters on numbers, quantities and ports: their amounts and their written forms.

use crate::pack::expr::eval::EvalError;
use crate::pack::expr::table::{Call, Row, Typing, Unknown, value, word};
use crate::shape::Type;
use crate::value::{Quantity, Unit, Value};

const PASSES: Unknown = Unknown::Passes;

pub const FILTERS: &[Row] = &[
    Row {
        name: "bytes",
        params: &[],
        unknown: PASSES,
        doc: "how many bytes, as a whole number",
        ty: |t| amount_type(t, Unit::Bytes),
        run: |c| amount(c, Unit::Bytes, 1),
    },
    Row {
        name: "mib",
        params: &[],
        unknown: PASSES,
        doc: "how many whole MiB, rounded down",
        ty: |t| amount_type(t, Unit::Bytes),
        run: |c| amount(c, Unit::Bytes, 1 << 20),
    },
    Row {
        name: "gib",
        params: &[],
        unknown: PASSES,
        doc: "how many whole GiB, rounded down",
        ty: |t| amount_type(t, Unit::Bytes),
        run: |c| amount(c, Unit::Bytes, 1 << 30),
    },
    Row {
        name: "binary",
        params: &[],
        unknown: PASSES,
        doc: "a size whose decimal unit is read as the binary one: `16 GB` as 16 GiB",
        ty: |t| {
            t.expect("a quantity of bytes", |t| *t == Type::Quantity(Unit::Bytes));
            Type::Quantity(Unit::Bytes)
        },
        run: |c| {
            let given = quantity(c, Unit::Bytes)?;
            let digits = given.source.trim_end_matches(|c: char| !c.is_ascii_digit());
            let unit = given.source[digits.len()..].trim_start();
            let binary = match unit {
                "kB" | "KB" => "KiB".to_string(),
                "MB" | "GB" | "TB" | "PB" => format!("{}iB", &unit[..1]),
                _ => return Ok(given.into()),
            };
            Ok(Quantity::parse(&format!("{digits} {binary}"), Unit::Bytes).unwrap_or(given).into())
        },
    },
    Row {
        name: "cores",
        params: &[],
        unknown: PASSES,
        doc: "how many whole CPU cores, rounded down",
        ty: |t| amount_type(t, Unit::Millicores),
        run: |c| amount(c, Unit::Millicores, 1000),
    },
    Row {
        name: "seconds",
        params: &[],
        unknown: PASSES,
        doc: "how many whole seconds, rounded down",
        ty: |t| amount_type(t, Unit::Milliseconds),
        run: |c| amount(c, Unit::Milliseconds, 1000),
    },
    Row {
        name: "millicores",
        params: &[],
        unknown: PASSES,
        doc: "an amount of CPU as Kubernetes writes it: `4000m`",
        ty: |t| {
            t.expect("an amount of CPU", |t| *t == Type::Quantity(Unit::Millicores));
            Type::Text
        },
        run: |c| Ok(Value::str(format!("{}m", quantity(c, Unit::Millicores)?.amount))),
    },
    Row {
        name: "write",
        params: &[word("Mi")],
        unknown: PASSES,
        doc: "a quantity in whole units of the suffix, rounded down: `write('Mi')` gives `8192Mi`",
        ty: |t| {
            let unit = t.literal(0).and_then(suffix);
            match unit {
                Some((unit, _)) => t.expect("a quantity of the suffix's kind", |t| *t == Type::Quantity(unit)),
                None => t.report("the suffix is one of `Ki Mi Gi Ti`, `K M G T`, `m`, `s`, `ms`".into()),
            }
            Type::Text
        },
        run: write,
    },
    Row {
        name: "write_up",
        params: &[word("Mi")],
        unknown: PASSES,
        doc: "the same as `write`, rounded up: what must not be less than the amount",
        ty: |t| {
            let unit = t.literal(0).and_then(suffix);
            match unit {
                Some((unit, _)) => t.expect("a quantity of the suffix's kind", |t| *t == Type::Quantity(unit)),
                None => t.report("the suffix is one of `Ki Mi Gi Ti`, `K M G T`, `m`, `s`, `ms`".into()),
            }
            Type::Text
        },
        run: |c| {
            let text = c.text(0)?;
            let Some((unit, factor)) = suffix(&text) else {
                return Err(c.fault(format!("`{text}` is not a suffix that `write_up` knows")));
            };
            Ok(Value::str(format!("{}{text}", quantity(c, unit)?.amount.div_ceil(factor))))
        },
    },
    Row {
        name: "percent",
        params: &[value("n")],
        unknown: PASSES,
        doc: "so many hundredths of a whole number or a quantity, rounded up: `percent(130)` adds 30 %",
        ty: |t| {
            t.expect("a whole number or a quantity", |t| matches!(t, Type::Int | Type::Quantity(_)));
            t.expect_arg(0, "a whole number", |t| *t == Type::Int);
            t.input.clone()
        },
        run: percent,
    },
    Row {
        name: "ceil_div",
        params: &[value("n")],
        unknown: PASSES,
        doc: "the quotient, rounded up",
        ty: |t| {
            t.expect("a whole number or a quantity", |t| matches!(t, Type::Int | Type::Quantity(_)));
            t.expect_arg(0, "a whole number", |t| *t == Type::Int);
            t.input.clone()
        },
        run: ceil_div,
    },
    Row {
        name: "low",
        params: &[],
        unknown: PASSES,
        doc: "the first port of a range",
        ty: ports_type,
        run: |c| port(c, |p| p.low),
    },
    Row {
        name: "high",
        params: &[],
        unknown: PASSES,
        doc: "the last port of a range",
        ty: ports_type,
        run: |c| port(c, |p| p.high),
    },
];

fn amount_type(t: &mut Typing<'_, '_, '_>, unit: Unit) -> Type {
    let expected = crate::pack::expr::kinds::describe(&Type::Quantity(unit));
    t.expect(&expected, |t| *t == Type::Quantity(unit));
    Type::Int
}

fn quantity(c: &Call<'_, '_>, unit: Unit) -> Result<Quantity, EvalError> {
    match &c.input {
        Value::Quantity(q) if q.unit == unit => Ok((**q).clone()),
        _ => Err(c.refuse(&crate::pack::expr::kinds::describe(&Type::Quantity(unit)))),
    }
}

fn amount(c: &Call<'_, '_>, unit: Unit, divisor: u64) -> Result<Value, EvalError> {
    let amount = quantity(c, unit)?.amount / divisor;
    i64::try_from(amount).map(Value::Int).map_err(|_| c.fault("the amount is too large"))
}

/// The unit and the factor of a suffix.
fn suffix(text: &str) -> Option<(Unit, u64)> {
    Some(match text {
        "Ki" => (Unit::Bytes, 1 << 10),
        "Mi" => (Unit::Bytes, 1 << 20),
        "Gi" => (Unit::Bytes, 1 << 30),
        "Ti" => (Unit::Bytes, 1 << 40),
        "K" | "k" => (Unit::Bytes, 1000),
        "M" => (Unit::Bytes, 1_000_000),
        "G" => (Unit::Bytes, 1_000_000_000),
        "T" => (Unit::Bytes, 1_000_000_000_000),
        "m" => (Unit::Millicores, 1),
        "s" => (Unit::Milliseconds, 1000),
        "ms" => (Unit::Milliseconds, 1),
        _ => return None,
    })
}

fn write(c: &mut Call<'_, '_>) -> Result<Value, EvalError> {
    let text = c.text(0)?;
    let Some((unit, factor)) = suffix(&text) else {
        return Err(c.fault(format!("`{text}` is not a suffix that `write` knows")));
    };
    let q = quantity(c, unit)?;
    if q.amount > 0 && q.amount < factor {
        return Err(c.fault(format!("`{}` is less than 1{text}", q.source)));
    }
    Ok(Value::str(format!("{}{text}", q.amount / factor)))
}

fn percent(c: &mut Call<'_, '_>) -> Result<Value, EvalError> {
    let n = c.int(0)?;
    let Ok(n) = u32::try_from(n) else {
        return Err(c.fault(format!("`percent` takes a number from 0 on, not {n}")));
    };
    match &c.input {
        Value::Int(a) => {
            let product = i128::from(*a) * i128::from(n);
            let up = product.div_euclid(100) + i128::from(product.rem_euclid(100) != 0);
            i64::try_from(up).map(Value::Int).map_err(|_| c.fault("the amount is too large"))
        }
        Value::Quantity(q) => {
            let up = (u128::from(q.amount) * u128::from(n)).div_ceil(100);
            let amount = u64::try_from(up).map_err(|_| c.fault("the amount is too large"))?;
            Ok(crate::pack::expr::operators::quantity(q.unit, amount))
        }
        _ => Err(c.refuse("a whole number or a quantity")),
    }
}

fn ceil_div(c: &mut Call<'_, '_>) -> Result<Value, EvalError> {
    let n = c.int(0)?;
    if n <= 0 {
        return Err(c.fault(format!("`ceil_div` divides by a number above zero, not by {n}")));
    }
    match &c.input {
        Value::Int(a) => {
            let quotient = a.div_euclid(n) + i64::from(a.rem_euclid(n) != 0);
            Ok(Value::Int(quotient))
        }
        Value::Quantity(q) => Ok(crate::pack::expr::operators::quantity(q.unit, q.amount.div_ceil(n.unsigned_abs()))),
        _ => Err(c.refuse("a whole number or a quantity")),
    }
}

fn ports_type(t: &mut Typing<'_, '_, '_>) -> Type {
    t.expect("a port or port range", |t| matches!(t, Type::Ports { .. }));
    Type::Int
}

fn port(c: &Call<'_, '_>, part: fn(&crate::value::Ports) -> u16) -> Result<Value, EvalError> {
    match &c.input {
        Value::Ports(ports) => Ok(Value::Int(part(ports).into())),
        _ => Err(c.refuse("a port or port range")),
    }
}
