//! From a value to a word, a set or a comment string of an nftables ruleset.

use std::net::IpAddr;

use super::Form;
use super::refusal::{Refusal, one_line};
use crate::value::{Ports, Value};
use ipnet::IpNet;

/// The most bytes that nft keeps of a comment.
const COMMENT_BYTES_MAX: usize = 128;

pub(super) fn escape(form: Form, value: &Value) -> Result<String, Refusal> {
    match (form, value) {
        (Form::Literal, value) => literal(&one_line(value)?),
        (_, Value::List(items)) if !items.is_empty() => {
            let items: Result<Vec<_>, _> = items.iter().map(|i| word(&i.value)).collect();
            Ok(format!("{{ {} }}", items?.join(", ")))
        }
        (_, value) => word(value),
    }
}

/// A string in double quotes; nft knows no escape in it.
fn literal(text: &str) -> Result<String, Refusal> {
    if text.contains(['"', '\\']) {
        return Err(Refusal::because(text, "holds a double quote or a backslash, for which nft has no escape"));
    }
    if text.len() > COMMENT_BYTES_MAX {
        let reason = format!("has {} bytes, and a comment of nft holds {COMMENT_BYTES_MAX}", text.len());
        return Err(Refusal::because(text, reason));
    }
    Ok(format!("\"{text}\""))
}

/// A number, an address, a port or a name that is no word of the language.
fn word(value: &Value) -> Result<String, Refusal> {
    let text = one_line(value)?;
    if matches!(value, Value::Int(_) | Value::Address(_) | Value::Cidr(_) | Value::Ports(_)) || is_typed(&text) {
        return Ok(text.to_string());
    }
    if let Value::Bool(_) = value {
        return Err(Refusal::new("nft has no booleans"));
    }
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !begins || !text.chars().all(harmless) {
        return Err(Refusal::because(&text, "is not a single word, an address or a port of nft"));
    }
    if is_keyword(&text) {
        return Err(Refusal::because(&text, "is a word of the nft language"));
    }
    Ok(text.to_string())
}

/// A string that reads as an address, a network, a port or a range of ports.
pub(super) fn is_typed(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
        || text.parse::<IpNet>().is_ok()
        || (text.parse::<Ports>().is_ok() && text.chars().all(|c| c.is_ascii_digit() || c == '-'))
}

/// Words that decide about packets or begin a statement; protocols are ordinary values.
fn is_keyword(text: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "accept",
        "add",
        "chain",
        "comment",
        "continue",
        "counter",
        "create",
        "define",
        "delete",
        "destroy",
        "dnat",
        "drop",
        "element",
        "flush",
        "goto",
        "include",
        "insert",
        "jump",
        "list",
        "log",
        "map",
        "masquerade",
        "notrack",
        "policy",
        "queue",
        "redirect",
        "redefine",
        "reject",
        "rename",
        "replace",
        "reset",
        "return",
        "rule",
        "ruleset",
        "set",
        "snat",
        "table",
        "type",
        "undefine",
        "vmap",
    ];
    KEYWORDS.contains(&text)
}
