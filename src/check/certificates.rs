//! Certificates as the spec declares them: the places of a certificate and of its private key against what their names and
//! the kinds of their secrets say.

use super::places::{label, place};
use crate::diag::codes::CERTIFICATE_AND_KEY;
use crate::diag::{Diag, Findings, Level};
use crate::lower::storage::pointer;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Str, Tracked, Value};

/// What a file holds, as its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Certificate,
    Key,
}

/// Reports certificates and private keys that are given for one another.
pub fn certificates(site: &Site, sources: &Sources, findings: &mut Findings) {
    for (name, certificate) in site.table("certificates") {
        // Both stand in one file there.
        let format = certificate.get("format").and_then(|f| f.value.text()).unwrap_or_default();
        if !matches!(&*format, "pkcs12" | "jks") {
            files(name, certificate, sources, findings);
        }
        secret(name, certificate, site, sources, findings);
    }
}

/// Files whose names say the contrary of their keys.
fn files(name: &Str, certificate: &Tracked, sources: &Sources, findings: &mut Findings) {
    let given = |key: &str| certificate.get(key).and_then(|v| Some((v, v.value.text()?)));
    let wrong = |key: &str, contrary: Holds| given(key).filter(|(_, path)| holds(path) == Some(contrary));
    let (file, key) = (wrong("file", Holds::Key), wrong("key_file", Holds::Certificate));
    let report = |message: String| {
        let mut diag = Diag::new(CERTIFICATE_AND_KEY, message);
        diag.waivable = true;
        diag.pointer(pointer(&["certificates", name]))
    };
    let [as_file, as_key] = ["given as the certificate", "given as the private key"];
    match (&file, &key) {
        (Some((file, _)), Some((key, _))) => {
            let message = format!("the files of certificate `{name}` and of its private key seem to be exchanged");
            let mut diag = label(report(message), place(&file.origins, sources), as_file);
            diag = label(diag, place(&key.origins, sources), as_key);
            findings.push(diag.help("give the certificate as `file` and the private key as `key_file`"));
        }
        (Some((file, path)), None) => {
            let message = format!("the file `{path}` of certificate `{name}` has the name of a private key");
            let mut diag = label(report(message), place(&file.origins, sources), as_file);
            diag = label(diag, given("key_file").and_then(|(v, _)| place(&v.origins, sources)), as_key);
            findings.push(diag.help("whoever reads the certificate would get the key: give the key as `key_file`"));
        }
        (None, Some((key, path))) => {
            let message = format!("the private key `{path}` of certificate `{name}` has the name of a certificate");
            let mut diag = label(report(message), place(&key.origins, sources), as_key);
            diag = label(diag, given("file").and_then(|(v, _)| place(&v.origins, sources)), as_file);
            findings.push(diag.help("give the private key as `key_file` and the certificate as `file`"));
        }
        (None, None) => {}
    }
    if let Some((chain, path)) = wrong("chain", Holds::Key) {
        let message = format!("the chain `{path}` of certificate `{name}` has the name of a private key");
        let diag = label(report(message), place(&chain.origins, sources), "given as the authorities' certificates");
        findings.push(diag.help("give the certificates of the authorities as `chain`, the private key as `key_file`"));
    }
}

/// A private key whose secret is declared as something else that it can never be.
fn secret(name: &Str, certificate: &Tracked, site: &Site, sources: &Sources, findings: &mut Findings) {
    let Some(given) = certificate.get("key").and_then(|key| key.get("secret")) else { return };
    let Value::Ref(secret) = &given.value else { return };
    let Some(kind) = site.entry(&secret.table, &secret.name).and_then(|s| s.get("kind")) else { return };
    let Some(declared) = kind.value.text().filter(|k| matches!(&**k, "certificate" | "password" | "license")) else {
        return;
    };
    let message = format!(
        "the private key of certificate `{name}` is the secret `{}`, which is declared as a {declared}",
        secret.name
    );
    let mut diag = Diag::with_code(CERTIFICATE_AND_KEY.row().code, Level::Error, message);
    diag = label(diag, place(&given.origins, sources), "given as the private key");
    diag = label(diag, place(&kind.origins, sources), format!("a {declared}"));
    let help = "name the secret that is the private key, or correct its `kind` to `private-key`";
    findings.push(diag.pointer(pointer(&["certificates", name])).help(help));
}

/// What the name of a file says about it; nothing where it says nothing or both.
fn holds(path: &str) -> Option<Holds> {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path).to_ascii_lowercase();
    let mut words = file.split(['.', '-', '_', ' ']).filter(|word| !word.is_empty()).rev();
    // `site-cert.pem`: where the last word is only the encoding, the one before it counts.
    let last = words.find(|word| !matches!(*word, "pem" | "der"))?;
    match last {
        "key" | "privkey" | "privatekey" | "private" | "prv" => Some(Holds::Key),
        "crt" | "cer" | "cert" | "certificate" | "fullchain" | "chain" | "bundle" | "p7b" => Some(Holds::Certificate),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_tell_what_they_hold() {
        for key in ["/etc/ssl/private/site.key", "privkey.pem", "site_key.pem", r"C:\tls\site.KEY", "site.key.der"] {
            assert_eq!(holds(key), Some(Holds::Key), "{key}");
        }
        for certificate in ["/etc/ssl/site.crt", "fullchain.pem", "site-cert.pem", "site.cer", "ca-bundle.crt"] {
            assert_eq!(holds(certificate), Some(Holds::Certificate), "{certificate}");
        }
        for nothing in ["/etc/ssl/private/site.pem", "/keys/portal.example.pem", "keystone.pem", "", "/"] {
            assert_eq!(holds(nothing), None, "{nothing}");
        }
    }
}
