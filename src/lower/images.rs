//! Images that the site needs, and what brings them into its registry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::items::Item;
use super::merge::{either, merge_field, unite};
use crate::emit::escape::Refusal;
use crate::instance::{Answer, Asked, Instance, Run, Withheld};
use crate::ir::{F, Image, Mirror};
use crate::pack::expr::{Scope, Unanswered};
use crate::site::Site;
use crate::value::{Origins, Str, Tracked, Value};

/// The tools that can bring images in, the best one first: one that needs no daemon and keeps all architectures.
const TOOLS: &[&str] = &["skopeo", "docker", "podman", "ctr"];

/// The architectures that a host of the spec can have.
const ARCHITECTURES: &[&str] = &["amd64", "arm64"];

/// Images, once per reference and tag.
pub fn images(items: &[Item], instances: &[Instance], site: &Site, run: &mut Run) -> Vec<Arc<Image>> {
    let nodes = nodes(items, instances, site, run);
    let mut list = Vec::new();
    for item in items {
        let (Some(source), Some(reference)) = (item.text("source", run), item.text("reference", run)) else {
            continue;
        };
        let optional = |name: &str, run: &mut Run| match item.text(name, run) {
            Some(text) => text.map(Some),
            None => F::new(None, item.get(name).map(|t| t.origins.clone()).unwrap_or_else(|| item.exists.clone())),
        };
        let (tag, digest) = (optional("tag", run), optional("digest", run));
        let known = [(&source, is_name as fn(&str) -> bool, "a reference"), (&reference, is_name, "a reference")];
        let mut good = true;
        let mut refuse = |text: &str, what: &str, origins: &Origins, run: &mut Run| {
            good = false;
            let refusal = Refusal::because(text, format!("is not {what} of an image"));
            run.refused.push((refusal, origins.clone(), item.span));
        };
        for (field, is, what) in known {
            if !is(field) {
                refuse(field, what, &field.origins, run);
            }
        }
        for (field, is, what) in [(&tag, is_tag as fn(&str) -> bool, "a tag"), (&digest, is_digest, "a digest")] {
            if let Some(text) = field.value.as_deref().filter(|t| !is(t)) {
                refuse(text, what, &field.origins, run);
            }
        }
        let architectures = item.texts("architectures", run).unwrap_or_else(|| item.field(Vec::new()));
        for text in architectures.iter().filter(|text| !ARCHITECTURES.contains(&&***text)) {
            refuse(text, "an architecture, `amd64` or `arm64`,", &architectures.origins, run);
        }
        let given = item.texts("nodes", run);
        let nodes = given.or_else(|| nodes.get(&item.product).cloned()).unwrap_or_else(|| item.field(Vec::new()));
        if good {
            list.push(Arc::new(Image {
                product: item.field(item.product.clone()),
                from: with_tag(&source, &tag),
                to: with_tag(&reference, &tag),
                source,
                reference,
                tag,
                digest,
                architectures,
                nodes,
            }));
        }
    }
    let key = |i: &Image| (i.reference.value.clone(), i.tag.value.clone(), i.source.value.clone());
    list.sort_by_cached_key(|i| key(i));
    let merge = |a: &Image, b: &Image, run: &mut Run| Image {
        digest: either(&a.digest, &b.digest, &format!("digest of the image `{}`", *a.to), run),
        architectures: common(&a.architectures, &b.architectures, &a.to, run),
        nodes: together(&a.nodes, &b.nodes),
        product: F::new(a.product.value.clone(), a.product.origins.union(&b.product.origins)),
        ..a.clone()
    };
    unite(list, run, merge, key)
}

/// Where the pods of each product with images run: the nodes that its pack names, else those of its cluster.
fn nodes(items: &[Item], instances: &[Instance], site: &Site, run: &mut Run) -> BTreeMap<Str, F<Vec<Str>>> {
    let mut found = BTreeMap::new();
    for instance in instances.iter().filter(|i| items.iter().any(|item| item.product == i.name)) {
        let world = instance.world(site);
        let known = instance.pack.nodes.as_ref().map(|expr| run.eval(expr, &Scope::new(&instance.names, &world)));
        let nodes = match known {
            Some(Answer::Known(value)) => F::new(names_of(&value), value.origins),
            Some(_) => continue,
            None => {
                let Some(Value::Ref(cluster)) = instance.product.get("cluster").map(|c| &c.value) else { continue };
                let (managers, mut all) = site.cluster_nodes(&cluster.name);
                if site.entry("clusters", &cluster.name).and_then(|c| c.get("managers")).is_some() {
                    all.extend(managers);
                }
                let origins = Origins::all(all.iter().map(|node| &node.origins));
                F::new(all.into_iter().map(|node| node.value).collect(), origins)
            }
        };
        found.insert(instance.name.clone(), nodes);
    }
    found
}

/// The hosts of a value: a host, or a list of them.
fn names_of(value: &Tracked) -> Vec<Str> {
    match &value.value {
        Value::Ref(host) if &*host.table == "hosts" => vec![host.name.clone()],
        Value::List(items) => items.iter().flat_map(names_of).collect(),
        _ => Vec::new(),
    }
}

/// The architectures that two products say an image is made for; one that says nothing follows the other.
fn common(a: &F<Vec<Str>>, b: &F<Vec<Str>>, name: &str, run: &mut Run) -> F<Vec<Str>> {
    match (a.is_empty(), b.is_empty()) {
        (false, false) => merge_field(a, b, &format!("architectures of the image `{name}`"), run),
        (true, _) => F::new(b.value.clone(), a.origins.union(&b.origins)),
        (_, true) => F::new(a.value.clone(), a.origins.union(&b.origins)),
    }
}

/// The words of both lists.
fn together(a: &F<Vec<Str>>, b: &F<Vec<Str>>) -> F<Vec<Str>> {
    let all: BTreeSet<Str> = a.iter().chain(b.iter()).cloned().collect();
    F::new(all.into_iter().collect(), a.origins.union(&b.origins))
}

/// The platforms of the hosts that run some images, as far as the spec says.
fn platforms(images: &[Arc<Image>], site: &Site) -> F<Vec<Str>> {
    // The images of one product mostly run on the same hosts: large sets of one size are taken for one.
    let mut seen: BTreeSet<(&Str, usize)> = BTreeSet::new();
    let unlike = images.iter().filter(|image| {
        seen.insert((&image.product.value, image.nodes.len())) || !image.nodes.is_empty() && image.nodes.len() < 16
    });
    let hosts: BTreeSet<&Str> = unlike.flat_map(|image| image.nodes.iter()).collect();
    let (mut found, mut origins) = (BTreeSet::new(), Origins::None);
    for host in hosts {
        let Some(arch) = site.entry("hosts", host).and_then(|h| h.get("arch")) else { continue };
        if let Some(text) = arch.value.text() {
            found.insert(Str::from(format!("linux/{text}")));
            origins = origins.union(&arch.origins);
        }
    }
    F::new(found.into_iter().collect(), origins)
}

fn with_tag(name: &F<Str>, tag: &F<Option<Str>>) -> F<Str> {
    let text = tag.value.as_ref().map_or(String::new(), |tag| format!("{}:{tag}", name.value));
    F::new(text.into(), name.origins.union(&tag.origins))
}

/// What brings the images in; nothing where the images come from where they are, or while one of them or its tag is not
/// known.
pub fn mirrors(images: &[Arc<Image>], site: &Site, run: &mut Run) -> Vec<Arc<Mirror>> {
    let waits = |w: &Withheld| w.what == super::items::MIRRORING;
    if run.withheld.iter().any(waits) {
        return Vec::new();
    }
    let moved: Vec<Arc<Image>> = images.iter().filter(|i| *i.source != *i.reference).cloned().collect();
    let (Some(first), Some(registry)) = (moved.first(), site.root.get("registry")) else { return Vec::new() };
    let Some(address) = registry.get("address").and_then(|a| a.value.text().map(|t| F::new(t, a.origins.clone())))
    else {
        return Vec::new();
    };
    let port = registry.get("port").cloned().unwrap_or_default();
    let number = crate::instance::ports_of(&port.value).and_then(|p| Some(p.first()?.low));
    let protocol = registry.get("protocol").cloned().unwrap_or_default();
    let login = match number {
        None | Some(443) => address.value.clone(),
        Some(number) => format!("{}:{number}", address.value).into(),
    };
    let exists = Origins::all(moved.iter().map(|i| i.origins()).collect::<Vec<_>>().iter());
    let Some(tool) = tool(site, first, &exists, run) else { return Vec::new() };
    let platforms = platforms(&moved, site);
    vec![Arc::new(Mirror {
        platforms: F::new(platforms.value, platforms.origins.union(&exists)),
        registry: F::new(login, address.origins.union(&port.origins)),
        plain: F::new(protocol.value.text().as_deref() == Some("http"), protocol.origins),
        tool,
        images: F::new(moved, exists),
    })]
}

/// The first tool of which the spec gives a version.
fn tool(site: &Site, first: &Image, exists: &Origins, run: &mut Run) -> Option<F<Str>> {
    let tools = site.root.get("tools").cloned().unwrap_or_default();
    let all = TOOLS.iter().filter_map(|name| tools.get(name)).map(|t| t.origins.clone()).collect::<Vec<_>>();
    let origins = Origins::all(all.iter()).union(&tools.origins);
    let known =
        TOOLS.iter().find(|name| tools.get(name).is_some_and(|t| !matches!(t.value, Value::Null | Value::Poison)));
    if known.is_none() {
        run.asked.push(Asked {
            product: first.product.value.clone(),
            ask:
                "which tool brings images into the registry: `skopeo`, `docker`, `podman` or `ctr`, and which version?"
                    .into(),
            who: "installer".into(),
            waits: vec![super::items::MIRRORING.into()],
            unanswered: vec![Unanswered {
                path: "site.tools.docker".into(),
                pointer: Some("/tools/docker".into()),
                origins: origins.clone(),
                reads: exists.clone(),
            }],
            why: "addition: somebody has to bring the images into the registry of the site".into(),
            origins: exists.clone(),
        });
    }
    Some(F::new((*known?).into(), origins))
}

/// `registry.acme.example:5000/suite/app`: a host with its port, then words of a path in lower case.
fn is_name(text: &str) -> bool {
    let mut parts = text.split('/');
    let host = parts.next().unwrap_or_default();
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let good_host = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && port.is_none_or(|p| p.parse::<u16>().is_ok());
    let word = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_'))
            && part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    good_host && parts.all(word)
}

/// A tag: up to 128 letters, digits, `_`, `.` and `-`, the first of them neither a dot nor a dash.
fn is_tag(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !text.is_empty() && text.len() <= 128 && text.chars().all(good) && !text.starts_with(['.', '-'])
}

/// `sha256:` and 64 hexadecimal digits.
fn is_digest(text: &str) -> bool {
    let hex = |h: &str| h.len() == 64 && h.chars().all(|c| c.is_ascii_digit() || matches!(c, 'a'..='f'));
    text.strip_prefix("sha256:").is_some_and(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_tags_and_digests() {
        for good in ["registry.acme.example:5000/suite/app", "app", "docker.io/library/nginx", "10.0.0.1/a.b_c-d"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "a b", "registry/App", "r:x/a", "a//b", "a/b:1", "-/-", "a/b@sha256"] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_tag("2023.9.25.114") && is_tag("v1_x-2"));
        assert!(!is_tag("") && !is_tag(".1") && !is_tag("1 2") && !is_tag(&"a".repeat(129)));
        assert!(is_digest(&format!("sha256:{}", "0a".repeat(32))));
        assert!(!is_digest("sha256:00") && !is_digest(&"0".repeat(64)));
    }
}
