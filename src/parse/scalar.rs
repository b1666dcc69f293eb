//! What a plain scalar of YAML means: the core schema of YAML 1.2, and where readers of YAML 1.1 see something else.

/// A plain scalar's meaning in the core schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// `.nan`, `.inf`, or a number too large for either kind.
    NotFinite,
    Text,
}

/// Resolves a plain scalar.
pub(super) fn resolve(text: &str) -> Plain {
    match text.as_bytes() {
        [] | [b'~'] => Plain::Null,
        [b'n' | b'N' | b't' | b'T' | b'f' | b'F', ..] => match text {
            "null" | "Null" | "NULL" => Plain::Null,
            "true" | "True" | "TRUE" => Plain::Bool(true),
            "false" | "False" | "FALSE" => Plain::Bool(false),
            _ => Plain::Text,
        },
        [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => number(text),
        _ => Plain::Text,
    }
}

fn number(text: &str) -> Plain {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Plain::NotFinite;
    }
    let radix = |digits: &str, radix: u32| match i64::from_str_radix(digits, radix) {
        Ok(n) if !digits.starts_with(['+', '-']) => Plain::Int(n),
        _ => Plain::Text,
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if !unsigned.is_empty()
        && unsigned.bytes().all(|b| b.is_ascii_digit())
        && let Ok(n) = text.parse()
    {
        return Plain::Int(n);
    }
    if is_float(unsigned) {
        return match text.parse::<f64>() {
            Ok(n) if n.is_finite() => Plain::Float(n),
            _ => Plain::NotFinite,
        };
    }
    Plain::Text
}

/// Whether this is `( . digits | digits ( . digits? )? ) ( e sign? digits )?`, the sign already removed.
fn is_float(text: &str) -> bool {
    let digits = |t: &str| t.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let mut rest = &text[whole..];
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix('.') {
        fraction = digits(after);
        rest = &after[fraction..];
    }
    if whole + fraction == 0 {
        return false;
    }
    match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        None => rest.is_empty(),
    }
}

/// What readers of YAML 1.1 take a plain scalar for, when that differs from the core schema of YAML 1.2.
pub(super) fn elsewhere(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'y' | b'Y' | b'n' | b'N' | b'o' | b'O' => match text {
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some("the boolean true"),
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some("the boolean false"),
            _ => None,
        },
        b'0'..=b'9' | b'+' | b'-' | b'.' => number_elsewhere(text.strip_prefix(['+', '-']).unwrap_or(text)),
        _ => None,
    }
}

fn number_elsewhere(text: &str) -> Option<&'static str> {
    let all = |t: &str, f: fn(&u8) -> bool| !t.is_empty() && t.as_bytes().iter().all(f);
    if let Some(digits) = text.strip_prefix("0b") {
        return all(digits, |b| matches!(b, b'0' | b'1' | b'_')).then_some("a binary number");
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, |b| matches!(b, b'0'..=b'7')).then_some("a string");
    }
    if let Some(digits) = text.strip_prefix("0x") {
        let hex = all(digits, |b| b.is_ascii_hexdigit() || *b == b'_') && digits.contains('_');
        return hex.then_some("a hexadecimal number");
    }
    if all(text, u8::is_ascii_digit) {
        let octal = text.len() > 1 && text.starts_with('0');
        return octal.then(|| if all(text, |b| matches!(b, b'0'..=b'7')) { "an octal number" } else { "a string" });
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('_') {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let part = |t: &str| t.bytes().all(|b| b.is_ascii_digit() || b == b'_');
        return (part(whole) && part(fraction)).then_some("a number");
    }
    if is_sexagesimal(text) {
        return Some("a number to the base 60");
    }
    // The float of YAML 1.1 needs a point, and a sign in its exponent.
    let plain_exponent =
        text.find(['e', 'E']).is_some_and(|e| !text[..e].contains('.') || !text[e + 1..].starts_with(['+', '-']));
    (plain_exponent && is_float(text)).then_some("a string")
}

/// Whether this is `[1-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`.
fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let Some(head) = parts.next() else { return false };
    let rest: Vec<&str> = parts.collect();
    let Some((last, middle)) = rest.split_last() else { return false };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    let sixty = |t: &str| matches!(t.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    head.starts_with(|c: char| matches!(c, '1'..='9'))
        && head.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && middle.iter().all(|t| sixty(t))
        && sixty(last)
        && fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_schema() {
        for (text, want) in [
            ("~", Plain::Null),
            ("null", Plain::Null),
            ("nullx", Plain::Text),
            ("true", Plain::Bool(true)),
            ("FALSE", Plain::Bool(false)),
            ("no", Plain::Text),
            ("12", Plain::Int(12)),
            ("-3", Plain::Int(-3)),
            ("+3", Plain::Int(3)),
            ("0644", Plain::Int(644)),
            ("0o17", Plain::Int(15)),
            ("0x1F", Plain::Int(31)),
            ("0x+1", Plain::Text),
            ("1.30", Plain::Float(1.3)),
            ("1.", Plain::Float(1.0)),
            (".5", Plain::Float(0.5)),
            ("1e3", Plain::Float(1000.0)),
            ("1e", Plain::Text),
            (".", Plain::Text),
            ("-", Plain::Text),
            ("+.e1", Plain::Text),
            ("1.28.4", Plain::Text),
            ("10.0.0.0/8", Plain::Text),
            ("1_000", Plain::Text),
            (".nan", Plain::NotFinite),
            ("-.inf", Plain::NotFinite),
            ("1e999", Plain::NotFinite),
            ("99999999999999999999", Plain::Float(1e20)),
        ] {
            assert_eq!(resolve(text), want, "{text}");
        }
    }

    #[test]
    fn what_yaml_1_1_reads_otherwise() {
        for text in ["no", "On", "y", "0644", "089", "1_000", "12:30", "1:30:45", "0b11", "0o17", "1e3", "1.5e3"] {
            assert!(elsewhere(text).is_some(), "{text}");
        }
        for text in [
            "now",
            "0",
            "644",
            "1.5",
            "1.5e+3",
            "0x1F",
            "8080:80",
            "fd00:30:8::/64",
            "::1",
            "00:11:22:33:44:55",
            "1.28.4",
            "2023.09.25",
            "10.30.8.11",
            "w_1",
            "443/tcp",
            "true",
            "~",
            "16 GiB",
            "1024-2048",
        ] {
            assert_eq!(elsewhere(text), None, "{text}");
        }
    }
}
