//! What gives a secret away: its key, its shape, its disorder.

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
pub fn names_secret(key: &str) -> bool {
    let ends = |end: &&str| {
        let from = key.len().checked_sub(end.len());
        from.and_then(|from| key.get(from..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    let last = ["word", "wd", "pass", "psk", "phrase", "key", "credential", "credentials", "secret", "token"];
    if !last.iter().any(ends) {
        return false;
    }
    let words = words(key);
    let mut ends = words.iter().rev().map(String::as_str);
    let (last, before) = (ends.next().unwrap_or_default(), ends.next().unwrap_or_default());
    match last {
        "password" | "passwd" | "pwd" | "pass" | "psk" | "passphrase" | "apikey" | "credential" | "credentials" => true,
        // `existingSecret` and `imagePullSecret` are names of objects.
        "secret" => !matches!(before, "existing" | "pull" | "tls" | "image" | "kubernetes"),
        "token" => !matches!(before, "max" | "existing"),
        "key" => matches!(
            before,
            "api"
                | "access"
                | "private"
                | "shared"
                | "preshared"
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
pub fn is_reference(text: &str, pointer: &str) -> bool {
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

/// What a text looks like by itself, or one of its words.
pub fn shape(text: &str, key: &str) -> Option<&'static str> {
    let text = text.trim();
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    // What is armoured otherwise is public, whatever its letters look like.
    if text.contains("-----BEGIN ") {
        return None;
    }
    let mut before = "";
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';')).filter(|w| !w.is_empty())
    {
        if let Some(found) = word_shape(word).or_else(|| argument(before, word)) {
            return Some(found);
        }
        before = word;
    }
    disorder(text, key)
}

/// The prefixes of access tokens, as their makers give them so that they can be found.
const TOKENS: [&str; 14] = [
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
    "npm_",
];

/// The prefixes of hashed passwords.
const HASHES: [&str; 11] =
    ["$2a$", "$2b$", "$2y$", "$1$", "$5$", "$6$", "$y$", "$argon2", "$apr1$", "SCRAM-SHA-256$", "{SSHA}"];

/// What a word looks like by itself.
pub fn word_shape(word: &str) -> Option<&'static str> {
    let any = |text: &str, prefixes: &[&str], least: usize| {
        prefixes.iter().any(|p| text.strip_prefix(p).is_some_and(|rest| rest.len() >= least))
    };
    let cloud = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit();
    if any(word, &["AKIA", "ASIA"], 16) && word.len() == 20 && word.bytes().all(cloud) {
        return Some("an access key of a cloud");
    }
    if word.starts_with("eyJ") && word.len() > 40 && word.split('.').count() == 3 {
        return Some("a signed token");
    }
    // `admin:$apr1$…` is a line of an htpasswd file.
    let hashed = word.split_once(':').map_or(word, |(_, rest)| rest);
    if any(word, &HASHES, 20) || any(hashed, &HASHES, 20) {
        return Some("the hash of a password");
    }
    if any(word, &TOKENS, 16) {
        return Some("an access token");
    }
    if let Some((_, rest)) = word.split_once("://")
        && let Some((user, _)) = rest.split('/').next().and_then(|authority| authority.rsplit_once('@'))
        && user.split_once(':').is_some_and(|(_, password)| !is_stand_in(password))
    {
        return Some("an address with a password in it");
    }
    let lower = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if let Some((id, rest)) = word.split_once('.')
        && (id.len(), rest.len()) == (6, 16)
        && lower(id)
        && lower(rest)
        && changes(rest) >= 5
    {
        return Some("a token that joins a cluster");
    }
    // The token of a kubeconfig file comes behind the name of its account.
    let last = word.rsplit(':').next().unwrap_or(word);
    let is_random = |text: &str| lower(text) && changes(text) * 4 >= text.len() && entropy(text) > 4.0;
    if last.len() >= 40 && is_random(last) {
        return Some("a random key");
    }
    None
}

/// What a word is by that before it, or by its own key: `Bearer …`, `--password …`, `password=…`.
fn argument(before: &str, word: &str) -> Option<&'static str> {
    let is_code =
        |text: &str| text.len() >= 12 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_-.~".contains(&b));
    let is_given = |value: &str| !is_stand_in(value) && !is_reference(value, "");
    if matches!(before.to_ascii_lowercase().as_str(), "bearer" | "basic")
        && is_code(word)
        && word.chars().any(|c| c.is_ascii_digit() || c == '=')
    {
        return Some("what signs somebody in");
    }
    if matches!(before, "-u" | "--user") && word.split_once(':').is_some_and(|(_, password)| is_given(password)) {
        return Some("an account with its password");
    }
    if before.starts_with("--")
        && names_secret(before.trim_start_matches('-'))
        && !word.starts_with('-')
        && is_given(word)
    {
        return Some("a password on a command line");
    }
    let (key, value) = word.split_once('=')?;
    let key = key.rsplit(['?', '&']).next().unwrap_or(key);
    (names_secret(key.trim_start_matches('-')) && is_given(value)).then_some("a password in a text")
}

/// Whether what stands in the place of a password is a variable or asterisks.
fn is_stand_in(password: &str) -> bool {
    password.is_empty()
        || password.starts_with(['$', '{', '<', '%'])
        || password.chars().all(|c| matches!(c, '*' | '.' | '…' | 'x' | 'X' | '_'))
}

/// How often letters and digits follow each other.
fn changes(text: &str) -> usize {
    text.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count()
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
            "admin:$apr1$Xy3aB9fQ$8mWq0pLz1VbN4cRt6Yu7H.",
            "kubeconfig-u-abc:k7q2m9x4v1b8n3c6z5l0p2w8r4t7y1u9i3o6a5s2d8f4g7",
            "abcdef.0a1b2c3d4e5f6a7b",
            "Authorization: Bearer t0pS3cr3tT0ken-abc.def",
            "mysqldump -u app --password=Wint3rIsC0ming portal",
            "curl -u admin:Wint3rIsC0ming https://acme.example",
            "vers=3.0,username=svc,password=Wint3rIsC0ming",
            "the token is ghp_0123456789abcdefghijABCDEFGHIJ012345",
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
            ("note", "postgresql://portal:********@pg1/portal"),
            ("note", "ask the database team for the password, token or key"),
            ("note", "mysqldump --password=$DB_PASSWORD --password-file=/run/pw portal"),
            ("note", "the basic configuration of bearer services"),
            ("note", "server.example.example"),
            ("fqdn", "ip-10-30-8-21.eu-central-1.compute.internal.acme-production-environment.example"),
            ("note", "commit da39a3ee5e6b4b0d3255bfef95601890afd80709 of the deployment"),
            (
                "note",
                "registry.acme.example/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            ),
            (
                "note",
                "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A9x3LmQ27TzPq81Vb\n-----END PUBLIC KEY-----",
            ),
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
