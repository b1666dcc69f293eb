//! From a value to its text on one line, for formats without syntax.

use super::refusal::{Refusal, one_line};
use crate::value::Value;

pub(super) fn escape(value: &Value) -> Result<String, Refusal> {
    Ok(one_line(value)?.to_string())
}
