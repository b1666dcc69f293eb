//! Filters on text, and `default`.

use crate::pack::expr::check::join;
use crate::pack::expr::eval::EvalError;
use crate::pack::expr::kinds;
use crate::pack::expr::table::{Call, Row, Typing, Unknown, optional, value};
use crate::shape::Type;
use crate::value::{Origins, Str, Tracked, Value};

const PASSES: Unknown = Unknown::Passes;

pub const FILTERS: &[Row] = &[
    Row {
        name: "default",
        params: &[value("otherwise")],
        unknown: Unknown::Seen,
        doc: "the value, or the other one where the value is unanswered; no question is asked then",
        ty: |t| join(t.input.clone(), t.args[0].clone().unwrap_or(Type::Any)),
        run: |c| Ok(if c.input.is_null() { c.args[0].clone().unwrap_or_default() } else { c.input.clone() }),
    },
    Row {
        name: "lower",
        params: &[],
        unknown: PASSES,
        doc: "the text in lower case",
        ty: text_type,
        run: |c| map(c, |t| t.to_lowercase()),
    },
    Row {
        name: "upper",
        params: &[],
        unknown: PASSES,
        doc: "the text in upper case",
        ty: text_type,
        run: |c| map(c, |t| t.to_uppercase()),
    },
    Row {
        name: "trim",
        params: &[optional(value("characters"))],
        unknown: PASSES,
        doc: "the text without white space, or without the given characters, at both ends",
        ty: text_type,
        run: |c| match c.args[0] {
            None => map(c, |t| t.trim().to_owned()),
            Some(_) => {
                let set = c.text(0)?;
                map(c, |t| t.trim_matches(|ch| set.contains(ch)).to_owned())
            }
        },
    },
    Row {
        name: "replace",
        params: &[value("from"), value("to")],
        unknown: PASSES,
        doc: "the text with every occurrence of one part replaced by another",
        ty: text_type,
        run: |c| {
            let (from, to) = (c.text(0)?, c.text(1)?);
            if from.is_empty() {
                return Err(c.fault("`replace` needs a part to look for"));
            }
            map(c, |t| t.replace(&*from, &to))
        },
    },
    Row {
        name: "split",
        params: &[value("separator")],
        unknown: PASSES,
        doc: "the list of the parts between the separators",
        ty: |t| {
            text_type(t);
            Type::List(Type::Text.into())
        },
        run: |c| {
            let separator = c.text(0)?;
            if separator.is_empty() {
                return Err(c.fault("`split` needs a separator"));
            }
            let parts = text(c)?.split(&*separator).map(|p| Tracked::new(p, Origins::None)).collect();
            Ok(Value::list(parts))
        },
    },
    Row {
        name: "string",
        params: &[],
        unknown: PASSES,
        doc: "the text of a single value",
        ty: |t| {
            t.expect("a single value", kinds::scalar);
            Type::Text
        },
        run: |c| Ok(Value::Str(text(c)?)),
    },
    Row {
        name: "int",
        params: &[],
        unknown: PASSES,
        doc: "the whole number that a text spells, or a single port",
        ty: |t| {
            t.expect("a string, a number or a port", |t| matches!(t, Type::Text | Type::Int | Type::Ports { .. }));
            Type::Int
        },
        run: |c| {
            let text = text(c)?;
            text.trim().parse().map(Value::Int).map_err(|_| c.fault(format!("`{text}` is not a whole number")))
        },
    },
    Row {
        name: "pad",
        params: &[value("width")],
        unknown: PASSES,
        doc: "the text, filled with spaces at its end to the width in characters",
        ty: |t| {
            t.expect("a single value", kinds::scalar);
            t.expect_arg(0, "a whole number", |t| *t == Type::Int);
            Type::Text
        },
        run: |c| {
            let width = usize::try_from(c.int(0)?).unwrap_or(0).min(1000);
            map(c, |t| format!("{t:width$}"))
        },
    },
];

fn text_type(t: &mut Typing<'_, '_, '_>) -> Type {
    t.expect("a string", |t| matches!(t, Type::Text | Type::Ref(_) | Type::Version | Type::Address | Type::Cidr));
    for i in 0..t.args.len() {
        t.expect_arg(i, "a string", |t| matches!(t, Type::Text | Type::Ref(_)));
    }
    Type::Text
}

fn text(c: &Call<'_, '_>) -> Result<Str, EvalError> {
    c.input.text().ok_or_else(|| c.refuse("a single value"))
}

fn map(c: &Call<'_, '_>, f: impl FnOnce(&str) -> String) -> Result<Value, EvalError> {
    Ok(Value::str(f(&text(c)?)))
}
