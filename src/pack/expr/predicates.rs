//! The table of tests: `value is name(arguments)`, one row each.

use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;

use super::eval::EvalError;
use super::functions::literal;
use super::operators;
use super::table::{Call, Row, Typing, Unknown, any_form, value};
use super::{kinds, members};
use crate::shape::Type;
use crate::value::{Str, Unit, Value};

const PASSES: Unknown = Unknown::Passes;

/// All tests.
pub const TESTS: &[Row] = &[
    Row {
        name: "answered",
        params: &[],
        unknown: Unknown::Seen,
        doc: "whether the spec answers it; asking does not count as a question, and `none` is an answer",
        ty: |_| Type::Bool,
        run: |c| Ok(Value::Bool(!c.input.is_null())),
    },
    Row {
        name: "defined",
        params: &[],
        unknown: Unknown::Seen,
        doc: "the same as `answered`",
        ty: |_| Type::Bool,
        run: |c| Ok(Value::Bool(!c.input.is_null())),
    },
    Row {
        name: "absent",
        params: &[],
        unknown: PASSES,
        doc: "whether the spec says `none`: there is no such thing",
        ty: |_| Type::Bool,
        run: |c| Ok(Value::Bool(operators::is_none(&c.input))),
    },
    Row {
        name: "at_least",
        params: &[value("least")],
        unknown: PASSES,
        doc: "whether it is not less; a string is read as what the value is: `version is at_least('1.28')`",
        ty: compared_type,
        run: |c| Ok(Value::Bool(compare(c)?.is_ge())),
    },
    Row {
        name: "at_most",
        params: &[value("most")],
        unknown: PASSES,
        doc: "whether it is not more; a string is read as what the value is",
        ty: compared_type,
        run: |c| Ok(Value::Bool(compare(c)?.is_le())),
    },
    Row {
        name: "above",
        params: &[value("limit")],
        unknown: PASSES,
        doc: "whether it is more; a string is read as what the value is",
        ty: compared_type,
        run: |c| Ok(Value::Bool(compare(c)?.is_gt())),
    },
    Row {
        name: "below",
        params: &[value("limit")],
        unknown: PASSES,
        doc: "whether it is less; a string is read as what the value is",
        ty: compared_type,
        run: |c| Ok(Value::Bool(compare(c)?.is_lt())),
    },
    Row {
        name: "in",
        params: &[value("haystack")],
        unknown: PASSES,
        doc: "the same as the operator `in`",
        ty: |t| {
            if let Some(Some(haystack)) = t.args.first()
                && !kinds::containable(&t.input, haystack)
            {
                t.report(kinds::cannot_contain(&t.input, haystack));
            }
            Type::Bool
        },
        run: |c| {
            let haystack = c.args[0].clone().unwrap_or_default();
            let needle = c.input.clone();
            c.evaluator.contains(c.term, &needle, &haystack)
        },
    },
    Row {
        name: "containing",
        params: &[value("needle")],
        unknown: PASSES,
        doc: "the operator `in` the other way round: `list is containing(item)`",
        ty: |t| {
            if let Some(Some(needle)) = t.args.first()
                && !kinds::containable(needle, &t.input)
            {
                t.report(kinds::cannot_contain(needle, &t.input));
            }
            Type::Bool
        },
        run: |c| {
            let needle = c.args[0].clone().unwrap_or_default();
            let haystack = c.input.clone();
            c.evaluator.contains(c.term, &needle, &haystack)
        },
    },
    Row {
        name: "empty",
        params: &[],
        unknown: PASSES,
        doc: "whether a list, a map or a string holds nothing",
        ty: |t| {
            t.expect("a list, a map or a string", |t| {
                matches!(t, Type::List(_) | Type::Table(_) | Type::Keyed { .. } | Type::Struct(_) | Type::Text)
            });
            Type::Bool
        },
        run: |c| {
            Ok(Value::Bool(match &c.input {
                Value::List(items) => {
                    let items = items.clone();
                    items.iter().for_each(|i| c.depend(&i.origins));
                    items.is_empty()
                }
                Value::Map(map) => map.is_empty(),
                Value::Str(text) => text.is_empty(),
                _ => return Err(c.refuse("a list, a map or a string")),
            }))
        },
    },
    Row {
        name: "odd",
        params: &[],
        unknown: PASSES,
        doc: "whether a whole number is odd",
        ty: int,
        run: |c| parity(c, 1),
    },
    Row {
        name: "even",
        params: &[],
        unknown: PASSES,
        doc: "whether a whole number is even",
        ty: int,
        run: |c| parity(c, 0),
    },
    Row {
        name: "starting_with",
        params: &[value("text")],
        unknown: PASSES,
        doc: "whether the text begins so",
        ty: text_type,
        run: |c| Ok(Value::Bool(text(c)?.starts_with(&*c.text(0)?))),
    },
    Row {
        name: "ending_with",
        params: &[value("text")],
        unknown: PASSES,
        doc: "whether the text ends so",
        ty: text_type,
        run: |c| Ok(Value::Bool(text(c)?.ends_with(&*c.text(0)?))),
    },
    Row {
        name: "covered_by",
        params: &[value("names")],
        unknown: PASSES,
        doc: "whether a certificate with these names is good for the host name; `*.acme.example` stands for one label",
        ty: |t| {
            t.expect("a host name", kinds::scalar);
            t.expect_arg(0, "a list of names", |t| super::table::elements(t).is_some());
            Type::Bool
        },
        run: |c| {
            let host = text(c)?.trim_end_matches('.').to_ascii_lowercase();
            let names = match c.args[0].clone().unwrap_or_default() {
                Value::List(names) => names,
                _ => return Err(c.refuse("a list of names")),
            };
            let covers = |name: &str| {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                match (name.strip_prefix("*."), host.split_once('.')) {
                    (Some(domain), Some((_, parent))) => domain == parent,
                    _ => name == host,
                }
            };
            Ok(Value::Bool(names.iter().any(|n| n.value.text().is_some_and(|n| covers(&n)))))
        },
    },
    Row {
        name: "matching",
        params: &[value("glob")],
        unknown: PASSES,
        doc: "whether the whole text fits a pattern in which `*` is any text, `?` any character and `[0-9a]` one of these",
        ty: text_type,
        run: |c| {
            let (text, glob) = (text(c)?, c.text(0)?);
            Ok(Value::Bool(fits(&glob, &text)))
        },
    },
    Row {
        name: "ipv4",
        params: &[],
        unknown: PASSES,
        doc: "whether an address or network is of IPv4",
        ty: address_type,
        run: |c| family(c, true),
    },
    Row {
        name: "ipv6",
        params: &[],
        unknown: PASSES,
        doc: "whether an address or network is of IPv6",
        ty: address_type,
        run: |c| family(c, false),
    },
];

/// The test of this name, with the names that Jinja has for some of them.
pub fn find(name: &str) -> Option<&'static Row> {
    let name = match name {
        "none" | "None" => "absent",
        "startingwith" | "starts_with" => "starting_with",
        "endingwith" | "ends_with" => "ending_with",
        other => other,
    };
    TESTS.iter().find(|r| r.name == name)
}

/// The function that makes a literal of this type.
fn maker(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Version => Some("ver"),
        Type::Quantity(Unit::Millicores) => Some("cpu"),
        Type::Quantity(_) => Some("qty"),
        Type::Address => Some("addr"),
        Type::Ports { .. } => Some("ports"),
        _ => None,
    }
}

/// The limit that a plain literal stands for beside a value of type `ty`.
fn as_limit(ty: &Type, limit: &Value) -> Option<Result<Value, String>> {
    match ty {
        Type::Int => match limit {
            Value::Str(s) => Some(s.trim().parse().map(Value::Int).map_err(|_| format!("`{s}` is not a whole number"))),
            _ => None,
        },
        ty => literal(maker(ty)?, limit),
    }
}

fn compared_type(t: &mut Typing<'_, '_, '_>) -> Type {
    let Some(Some(limit)) = t.args.first().cloned() else { return Type::Bool };
    if let Some(text) = t.literal(0).map(Str::from) {
        let forms = match &t.input {
            Type::OneOf(forms) => forms.to_vec(),
            ty => vec![ty.clone()],
        };
        let read: Vec<_> = forms.iter().filter_map(|ty| as_limit(ty, &Value::Str(text.clone()))).collect();
        if read.iter().any(Result::is_ok) || t.input == Type::Any {
            return Type::Bool;
        }
        if let Some(Err(message)) = read.into_iter().next() {
            t.report(message);
            return Type::Bool;
        }
    }
    let cpu = any_form(&t.input, &|t| *t == Type::Quantity(Unit::Millicores)) && limit == Type::Int;
    if !cpu && !kinds::ordered(&t.input, &limit) {
        t.report(format!("{} cannot be compared with {}", kinds::describe(&t.input), kinds::describe(&limit)));
    }
    Type::Bool
}

fn compare(c: &Call<'_, '_>) -> Result<Ordering, EvalError> {
    let limit = c.args[0].clone().unwrap_or_default();
    let limit = match as_limit(&kinds::type_of(&c.input), &limit) {
        Some(read) => read.map_err(|m| c.fault(m))?,
        None => limit,
    };
    operators::order(&c.input, &limit).map_err(|m| c.fault(m))
}

fn int(t: &mut Typing<'_, '_, '_>) -> Type {
    t.expect("a whole number", |t| matches!(t, Type::Int | Type::Ports { .. }));
    Type::Bool
}

fn parity(c: &Call<'_, '_>, wanted: i64) -> Result<Value, EvalError> {
    let number = match &c.input {
        Value::Int(n) => *n,
        other => match members::member(other, "low") {
            Some(Value::Int(n)) => n,
            _ => return Err(c.refuse("a whole number")),
        },
    };
    Ok(Value::Bool(number.rem_euclid(2) == wanted))
}

fn text_type(t: &mut Typing<'_, '_, '_>) -> Type {
    t.expect("a string", |t| kinds::scalar(t) && !matches!(t, Type::Bool | Type::Int));
    t.expect_arg(0, "a string", |t| *t == Type::Text);
    Type::Bool
}

fn text(c: &Call<'_, '_>) -> Result<Str, EvalError> {
    c.input.text().ok_or_else(|| c.refuse("a single value"))
}

fn address_type(t: &mut Typing<'_, '_, '_>) -> Type {
    t.expect("an address or a CIDR", |t| matches!(t, Type::Address | Type::Cidr));
    Type::Bool
}

fn family(c: &Call<'_, '_>, v4: bool) -> Result<Value, EvalError> {
    let is_v4 = match &c.input {
        Value::Address(address) => matches!(address, IpAddr::V4(_)),
        Value::Cidr(net) => matches!(net, IpNet::V4(_)),
        _ => return Err(c.refuse("an address or a CIDR")),
    };
    Ok(Value::Bool(is_v4 == v4))
}

/// Whether the whole text fits the pattern; linear in memory, at worst quadratic in time.
pub(crate) fn fits(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    let (mut g, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if glob.get(g) == Some(&'*') {
            star = Some((g, t));
            g += 1;
        } else if let Some(width) = glob.get(g..).and_then(|rest| one(rest, text[t])) {
            g += width;
            t += 1;
        } else {
            let Some((after, from)) = star else { return false };
            star = Some((after, from + 1));
            g = after + 1;
            t = from + 1;
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

/// How many characters of a glob stand for this one character: itself, `?`, or a class such as `[0-9a]`.
fn one(glob: &[char], c: char) -> Option<usize> {
    match glob {
        ['[', rest @ ..] if rest.contains(&']') => {
            let end = rest.iter().position(|c| *c == ']')?;
            let mut class = &rest[..end];
            while let Some((low, others)) = class.split_first() {
                let (high, others) = match others {
                    ['-', high, others @ ..] => (high, others),
                    _ => (low, others),
                };
                if (*low..=*high).contains(&c) {
                    return Some(end + 2);
                }
                class = others;
            }
            None
        }
        ['?', ..] => Some(1),
        [first, ..] if *first == c => Some(1),
        _ => None,
    }
}
