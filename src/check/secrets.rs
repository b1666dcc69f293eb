//! Secrets that somebody wrote into a spec: found by key, by shape and by disorder, reported without their value, and
//! hidden in everything that a report shows.

use std::collections::BTreeSet;

use crate::diag::codes::SECRET_IN_SPEC;
use crate::diag::{Diag, Findings};
use crate::node::{Data, Node};
use crate::source::{FileId, Sources, Span};
use crate::value::Str;

/// A value that looks like a secret.
#[derive(Clone, Debug)]
pub struct Suspect {
    span: Span,
    text: Str,
    pointer: String,
    why: String,
    /// Whether only its key gives it away, so that the name of a secret may stand there.
    by_key: bool,
}

/// Finds what looks like a secret in one file.
pub fn suspects(node: &Node) -> Vec<Suspect> {
    let mut found = Vec::new();
    node.walk(&mut String::new(), &mut |pointer, node| {
        let text = match &node.data {
            Data::Text(text) => text,
            Data::Int { raw, .. } | Data::Float { raw, .. } => raw,
            _ => return,
        };
        let key = pointer.rsplit('/').find(|step| step.parse::<usize>().is_err()).unwrap_or_default();
        let shape = if matches!(node.data, Data::Text(_)) { shape(text, key) } else { None };
        let (why, by_key) = match shape {
            Some(shape) => (format!("it looks like {shape}"), false),
            None if names_secret(key) && !is_reference(text, pointer) => (format!("it stands under `{key}`"), true),
            None => return,
        };
        found.push(Suspect { span: node.span, text: text.clone(), pointer: pointer.to_owned(), why, by_key });
    });
    found
}

/// Hides all suspects, and reports those that are no names of entries of `secrets`.
pub fn report(suspects: &[Suspect], spec: Option<&Node>, sources: &mut Sources, findings: &mut Findings) {
    let table = spec.and_then(|s| s.get("secrets")).map(Node::entries).unwrap_or_default();
    let names: BTreeSet<&str> = table.iter().map(|e| &*e.key).collect();
    for suspect in suspects.iter().filter(|s| !s.by_key || !names.contains(&*s.text)) {
        sources.hide(suspect.span, &suspect.text);
        let Some(spec) = spec else { continue };
        let at = suspect.pointer.rsplit_once('/').map_or("", |(at, _)| at);
        let message = "a secret stands in the spec";
        let mut diag = Diag::new(SECRET_IN_SPEC, message).at(suspect.span, &*suspect.why);
        if let Some(table) = spec.entry("secrets") {
            diag = diag.and(table.key_span, "secrets are declared here, without their values");
        }
        diag.pointer.clone_from(&suspect.pointer);
        diag.waivable = true;
        diag =
            diag.note("the value is not shown here; it is in the file and in its history, so that it must be changed");
        let help = match at.ends_with("/settings")
            || names_secret(suspect.pointer.rsplit('/').next().unwrap_or_default())
        {
            true => {
                "declare it under `secrets` (`name: { kind: password, owner: … }`) and write `{ secret: name }` here"
            }
            false => {
                "keep it where its owner keeps it, and declare it under `secrets` with a name, a kind and an owner"
            }
        };
        findings.push(diag.help(help));
    }
}

/// Hides what looks like a secret in a file that cannot be read as a tree: behind a key that names one, and by shape.
pub fn hide_in_text(file: FileId, sources: &mut Sources) {
    let text = sources.file(file).text.clone();
    let mut hidden: Vec<(usize, usize)> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        for (colon, _) in line.match_indices([':', '=']) {
            let key = line[..colon].trim_end().trim_end_matches(['"', '\'']);
            let from = key.rfind(|c: char| !(c.is_alphanumeric() || "_-.".contains(c))).map_or(0, |i| i + 1);
            let from = if key.is_char_boundary(from) { from } else { continue };
            let value = &line[colon + 1..];
            let begin = colon + 1 + (value.len() - value.trim_start().len());
            let value = value.trim_start();
            let end = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => value[1..].find(quote).map_or(value.trim_end().len(), |i| i + 2),
                Some('{' | '[' | '&' | '*' | '|' | '>') | None => continue,
                Some(_) => value.find([',', '}', ']', '#', '\n', '\r']).unwrap_or(value.len()),
            };
            let word = value[..end].trim_end();
            let bare = word.trim_matches(['"', '\'']);
            let suspect = shape(bare, &key[from..]).is_some()
                || (names_secret(&key[from..]) && !bare.is_empty() && !is_reference(bare, ""));
            if suspect {
                hidden.push((start + begin, start + begin + word.len()));
            }
        }
        start += line.len();
    }
    for (from, to) in hidden {
        let value: Str = text[from..to].trim_matches(['"', '\'']).into();
        sources.hide(Span::new(file, from, to), &value);
    }
}

/// Takes hidden values out of the words of all findings, and findings about a secret as such that another pass made.
pub fn scrub(sources: &Sources, findings: &mut Findings) {
    if sources.hidden().is_empty() {
        return;
    }
    let spans: BTreeSet<Span> = sources.hidden().iter().map(|(span, _)| *span).collect();
    let own = SECRET_IN_SPEC.row().code;
    let told: BTreeSet<Span> =
        findings.iter().filter(|d| d.code == own).filter_map(|d| d.primary.as_ref().map(|l| l.span)).collect();
    findings.retain(|d| {
        d.code == own || !d.primary.as_ref().is_some_and(|l| spans.contains(&l.span) && told.contains(&l.span))
    });
    let clean = |text: &mut String| *text = sources.masked(text);
    for diag in findings.all_mut().filter(|d| d.code != own) {
        clean(&mut diag.message);
        diag.notes.iter_mut().for_each(clean);
        diag.help.iter_mut().for_each(clean);
        diag.primary.iter_mut().chain(&mut diag.secondary).for_each(|label| clean(&mut label.text));
        diag.replacements.iter_mut().for_each(|r| clean(&mut r.text));
    }
}

/// The words of a key: `clientSecret` and `client_secret` are `client`, `secret`.
fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for c in key.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && lower) {
            words.push(String::new());
        }
        lower = c.is_lowercase() || c.is_ascii_digit();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

/// Whether a key is one whose value is secret.
fn names_secret(key: &str) -> bool {
    let ends = |end: &&str| {
        let from = key.len().checked_sub(end.len());
        from.and_then(|from| key.get(from..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    if !["word", "wd", "phrase", "key", "credential", "credentials", "secret", "token"].iter().any(ends) {
        return false;
    }
    let words = words(key);
    let mut ends = words.iter().rev().map(String::as_str);
    let (last, before) = (ends.next().unwrap_or_default(), ends.next().unwrap_or_default());
    match last {
        "password" | "passwd" | "pwd" | "passphrase" | "apikey" | "credential" | "credentials" => true,
        // `existingSecret` and `imagePullSecret` are names of objects.
        "secret" => !matches!(before, "existing" | "pull" | "tls" | "image" | "kubernetes"),
        "token" => !matches!(before, "max" | "existing"),
        "key" => matches!(
            before,
            "api"
                | "access"
                | "private"
                | "secret"
                | "encryption"
                | "signing"
                | "auth"
                | "master"
                | "license"
                | "licence"
        ),
        _ => false,
    }
}

/// Whether what stands under such a key refers to something: a name in a reference, a file, a variable, a key of a chart.
fn is_reference(text: &str, pointer: &str) -> bool {
    let words = ["none", "true", "false", "null", "yes", "no"];
    let path = |text: &str| text.contains('.') && text.chars().all(|c| c.is_ascii_alphabetic() || "._[]".contains(c));
    // `{ secret: name }` is how secrets are referred to.
    pointer.ends_with("/secret")
        || pointer.contains("/keys/")
        || text.is_empty()
        || words.contains(&text)
        || text.starts_with(['/', '$', '<'])
        || text.starts_with("{{")
        || path(text)
}

/// What a text looks like by itself.
fn shape(text: &str, key: &str) -> Option<&'static str> {
    let text = text.trim();
    let rest = |prefix: &str, least: usize| text.strip_prefix(prefix).is_some_and(|r| r.len() >= least);
    let any = |prefixes: &[&str], least: usize| prefixes.iter().any(|p| rest(p, least));
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    if any(&["AKIA", "ASIA"], 16)
        && text.len() == 20
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    {
        return Some("an access key of a cloud");
    }
    if text.starts_with("eyJ") && text.len() > 40 && text.split('.').count() == 3 {
        return Some("a signed token");
    }
    if any(&["$2a$", "$2b$", "$2y$", "$1$", "$5$", "$6$", "$y$", "$argon2", "$apr1$", "SCRAM-SHA-256$"], 20) {
        return Some("the hash of a password");
    }
    let tokens = [
        "ghp_",
        "gho_",
        "ghs_",
        "ghu_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "xoxp-",
        "xoxa-",
        "hvs.",
        "dckr_pat_",
        "sk_live_",
        "AIza",
    ];
    if any(&tokens, 16) && !text.contains(' ') {
        return Some("an access token");
    }
    if let Some((_, rest)) = text.split_once("://")
        && let Some((user, _)) = rest.split('/').next().and_then(|authority| authority.rsplit_once('@'))
        && user
            .split_once(':')
            .is_some_and(|(_, password)| !password.is_empty() && !password.starts_with(['$', '{', '<']))
    {
        return Some("an address with a password in it");
    }
    disorder(text, key)
}

/// Keys of values that are meant to look like chance.
const IDENTIFIERS: [&str; 14] = [
    "digest",
    "sha256",
    "sha1",
    "checksum",
    "hash",
    "commit",
    "revision",
    "uuid",
    "id",
    "serial",
    "device",
    "fingerprint",
    "thumbprint",
    "label",
];

/// A long text without order: hexadecimal of the length of a key, or letters and digits in no sequence.
fn disorder(text: &str, key: &str) -> Option<&'static str> {
    if text.len() < 20 || text.len() > 4096 || words(key).iter().any(|w| IDENTIFIERS.contains(&w.as_str())) {
        return None;
    }
    if matches!(text.len(), 32 | 40 | 48 | 64 | 96 | 128) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return (entropy(text) > 3.0).then_some("a key in hexadecimal");
    }
    if text.starts_with('/') || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b)) {
        return None;
    }
    // The longest piece that no separator of words interrupts.
    let piece = text.split(['-', '_', '/', '=']).max_by_key(|p| p.len()).unwrap_or_default();
    let class = |b: u8| (b.is_ascii_uppercase(), b.is_ascii_lowercase(), b.is_ascii_digit());
    let changes = piece.as_bytes().windows(2).filter(|p| class(p[0]) != class(p[1])).count();
    let has = |f: fn(&u8) -> bool| piece.as_bytes().iter().any(f);
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    (piece.len() >= 16 && mixed && changes * 3 >= piece.len() && entropy(text) > 3.5).then_some("a random key")
}

/// Bits per character, by how often each occurs.
fn entropy(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    text.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let length = text.len() as f64;
    counts.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / length).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_name_secrets() {
        for key in ["password", "smtp_password", "clientSecret", "api-key", "apiKey", "DB_PASSWD", "accessToken"] {
            assert!(names_secret(key), "{key}");
        }
        for key in ["password_file", "existingSecret", "key", "public_key", "tokens", "secret_name", "keys", "passport"]
        {
            assert!(!names_secret(key), "{key}");
        }
    }

    #[test]
    fn shapes_of_secrets() {
        for text in [
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
            "AKIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
            "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
            "postgres://app:hunter2@pg1.acme.example/app",
            "wJalrXUtnFEMI7K7MDENGbPxRfiCYEXAMPLEKEY",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ] {
            assert!(shape(text, "value").is_some(), "{text}");
        }
    }

    #[test]
    fn what_looks_a_little_like_one() {
        for (key, text) in [
            ("device", "UUID=4b1c6a90-0f52-4f0e-9c6d-2a7f51d3c001"),
            ("device", "9f86d081884c7d659a2feaa0c55ad015"),
            ("digest", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
            ("archive", "portal-2023.09.25.tgz"),
            ("title", "NorlundRotorOdenseComputingCentre"),
            ("url", "https://portal.acme.example/path"),
            ("path", "/var/lib/Portal7/UserData2023/Archive9"),
            ("file", "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----"),
            ("name", "w00000000000000000000000000000001"),
        ] {
            assert_eq!(shape(text, key), None, "{text}");
        }
    }
}
