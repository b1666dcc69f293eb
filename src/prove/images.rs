//! The emitted list of images and the script that copies them against the `Ir`, both ways.

use super::bugs::Bugs;
use super::fault::{Fault, Read, plain_lines};
use super::{Emitted, Texts};
use crate::ir::{Ir, Mirror};

/// One line of the list: source, target, digest or `-`, and where it stands.
type Line = (String, String, String, usize);

/// The list and the script.
pub fn mirrors(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let own = |path: &str| texts.files.iter().find(|f| f.is_own() && f.path == path);
    let mirror = ir.mirrors.first();
    for (path, prove) in [("images/images.txt", list as fn(&Emitted, &Mirror, &mut Bugs)), ("images/mirror.sh", script)]
    {
        match (own(path), mirror) {
            (Some(file), Some(mirror)) => prove(file, mirror, bugs),
            (Some(file), None) => bugs.extra(file.at(0), "what brings images in"),
            (None, Some(_)) => bugs.missing("the tree", &format!("`{path}`")),
            (None, None) => {}
        }
    }
}

fn list(file: &Emitted, mirror: &Mirror, bugs: &mut Bugs) {
    let Some(mut found) = file.read(read, bugs) else { return };
    for image in mirror.images.iter() {
        let place = found.iter().position(|(source, target, ..)| *source == **image.from && *target == **image.to);
        match place.map(|i| found.remove(i)) {
            Some((.., digest, line)) => {
                let meant = image.digest.as_deref().unwrap_or("-");
                bugs.same(file.at(line), &|| format!("the digest of `{}`", image.from.value), &*digest, meant, &|d| {
                    d.to_owned()
                });
            }
            None => bugs.missing(file.path, &format!("`{}` as `{}`", image.from.value, image.to.value)),
        }
    }
    for (source, .., line) in found {
        bugs.extra(file.at(line), &format!("the image `{source}`"));
    }
}

/// Lines of three words.
fn read(text: &str) -> Read<Vec<Line>> {
    let mut list = Vec::new();
    for (i, text) in plain_lines(text)?.enumerate() {
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            _ if text.starts_with('#') => {}
            [source, target, digest] if words.iter().all(|w| !w.is_empty()) => {
                list.push((source.to_owned(), target.to_owned(), digest.to_owned(), i + 1));
            }
            _ => return Err(Fault::new(i + 1, format!("`{text}` is not a source, a target and a digest"))),
        }
    }
    Ok(list)
}

/// The registry and the tool that the script names, and whether it turns TLS off.
fn script(file: &Emitted, mirror: &Mirror, bugs: &mut Bugs) {
    for (key, meant) in [("registry", &*mirror.registry.value), ("tool", &*mirror.tool.value)] {
        let mut found = assigned(file.text, key);
        match (found.next(), found.next()) {
            (Some((value, line)), None) => {
                bugs.same(file.at(line), &|| format!("`{key}`"), &*value, meant, &|v| v.to_owned());
            }
            _ => bugs.missing(file.path, &format!("one line `{key}={meant}`")),
        }
    }
    // skopeo copies all architectures; the others take that of the hosts, not that of the machine they run on.
    let found: Vec<&str> = file.text.split_whitespace().skip_while(|w| *w != "--platform").skip(1).take(1).collect();
    let meant: Vec<&str> = match mirror.platforms.as_slice() {
        [one] if *mirror.tool.value != *"skopeo" => vec![one],
        _ => Vec::new(),
    };
    if found != meant {
        bugs.wrong(file.at(0), "the platform of the images is not that of the hosts");
    }
    let without = ["--dest-tls-verify=false", "--plain-http", "--insecure"];
    let plain = without.iter().any(|option| file.text.contains(option));
    if plain != *mirror.plain {
        bugs.wrong(file.at(0), if plain { "TLS is turned off" } else { "TLS is not turned off" });
    }
}

/// The lines `key=value` of a script, with the quotes of the value taken off.
fn assigned<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = (String, usize)> + 'a {
    text.lines().enumerate().filter_map(move |(i, line)| {
        let value = line.strip_prefix(key)?.strip_prefix('=')?;
        let plain = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')).unwrap_or(value);
        Some((plain.to_owned(), i + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_list_strictly() {
        let list = read("# images\na:1 r/a:1 -\n").expect("good");
        assert_eq!(list, [("a:1".into(), "r/a:1".into(), "-".into(), 2)]);
        for text in ["a:1 r/a:1\n", "a:1  r/a:1 -\n", "a b c d\n", "\n"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_what_a_script_assigns() {
        let found: Vec<_> = assigned("tool=docker\nregistry='a b'\n", "registry").collect();
        assert_eq!(found, [("a b".to_owned(), 2)]);
    }
}
