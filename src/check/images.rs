//! Images that artifacts name, against those that are mirrored into the site and against the hosts that run them, and
//! tags that say nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::places::{label, place, spec_spans, words};
use crate::diag::codes::{
    ARCHITECTURE_UNSAID, IMAGE_ARCHITECTURE, IMAGE_NOT_MIRRORED, ONE_ARCHITECTURE, UNPINNED_IMAGE,
};
use crate::diag::{Diag, Findings, Level};
use crate::ir::{Image, Ir};
use crate::lower::storage::pointer;
use crate::site::Site;
use crate::source::{Sources, Span};
use crate::value::{Origins, Str, Tracked, Value};

/// Hosts that one finding points at.
const SHOWN: usize = 4;

/// Checks the images of objects and of the list to be mirrored.
pub fn images(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    architectures(ir, site, sources, findings);
    unsaid(ir, site, sources, findings);
    copied(ir, site, sources, findings);
    let mut named: Vec<(Str, String, Origins)> = Vec::new();
    for object in &ir.objects {
        let what = format!("the {} `{}`", *object.kind, *object.name);
        collect(&Tracked { value: object.body.value.clone(), origins: object.body.origins.clone() }, &what, &mut named);
    }
    for stack in &ir.stacks {
        let what = format!("stack `{}`", *stack.name);
        collect(&Tracked { value: stack.body.value.clone(), origins: Origins::None }, &what, &mut named);
    }
    let mirrored: BTreeSet<String> = ir
        .images
        .iter()
        .flat_map(|i| {
            let tagged = i.tag.as_ref().map(|tag| format!("{}:{tag}", *i.reference));
            std::iter::once(i.reference.to_string()).chain(tagged)
        })
        .collect();
    let registry = site.root.get("registry").filter(|r| matches!(r.value, Value::Map(_)));
    let mut reported: BTreeSet<Str> = BTreeSet::new();
    for (image, what, origins) in &named {
        if !reported.insert(image.clone()) {
            continue;
        }
        if let Some(registry) = registry.filter(|_| !mirrored.is_empty() && !mirrored.contains(&**image)) {
            let message = format!("{what} uses the image `{image}`, which is not mirrored into the site");
            let mut diag = at_all(Diag::new(IMAGE_NOT_MIRRORED, message), origins, sources);
            diag = label(diag, place(&registry.origins, sources), "the nodes pull from here");
            let name = repository(image);
            let near = ir.images.iter().find(|i| *i.reference.value == *name && !i.to.is_empty());
            let help = match near {
                Some(other) => {
                    diag = label(diag, place(&other.tag.origins, sources), format!("`{}` is", *other.to));
                    format!("name `{}`, which is mirrored, or mirror the other one too", *other.to)
                }
                None => "mirror the image, or name the one that is mirrored".to_owned(),
            };
            findings.push(diag.help(help));
            continue;
        }
        unpinned(image, what, origins, sources, findings);
    }
    for image in &ir.images {
        let text: Str = match &image.tag.value {
            Some(tag) => format!("{}:{tag}", *image.reference).into(),
            // The tag is an open question, and asked as such.
            None => continue,
        };
        if reported.insert(text.clone()) {
            unpinned(&text, &format!("`{}`", *image.product), &image.origins(), sources, findings);
        }
    }
}

/// Images on hosts whose processors they are not made for: one finding for each host and set of architectures.
fn architectures(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut unfit: BTreeMap<(&Str, &[Str]), Vec<&Image>> = BTreeMap::new();
    for image in ir.images.iter().filter(|image| !image.architectures.is_empty()) {
        for node in image.nodes.iter() {
            if arch_of(node, site).is_some_and(|(_, arch)| !image.architectures.contains(&arch)) {
                unfit.entry((node, &image.architectures)).or_default().push(image);
            }
        }
    }
    // That several hosts have one architecture is one cause.
    let mut reported: BTreeSet<(Str, &[Str])> = BTreeSet::new();
    for ((node, made_for), images) in &unfit {
        let (Some((arch, text)), [first, ..]) = (arch_of(node, site), images.as_slice()) else { continue };
        if !reported.insert((text.clone(), made_for)) {
            continue;
        }
        let same =
            |other: &&(&Str, &[Str])| other.1 == *made_for && arch_of(other.0, site).is_some_and(|(_, t)| t == text);
        let nodes: Vec<&Str> = unfit.keys().filter(same).map(|(node, _)| *node).collect();
        let names = words(images.iter().map(|i| i.reference.rsplit('/').next().unwrap_or_default()), 3);
        let (is, are) = if images.len() > 1 { ("images", "are") } else { ("image", "is") };
        let (hosts, have) = if nodes.len() > 1 { ("hosts", "are") } else { ("host", "is") };
        let message = format!(
            "the {is} {names} of `{}` {are} made for {}, and {hosts} {}, which may run {}, {have} {text}",
            *first.product,
            made_for.join(" and "),
            words(&nodes, 4),
            if images.len() > 1 { "them" } else { "it" },
        );
        // Where another host fits, pods can be kept on it.
        let fits = first.nodes.iter().any(|n| arch_of(n, site).is_none_or(|(_, arch)| made_for.contains(&arch)));
        let level = if fits { Level::Warning } else { Level::Error };
        let mut diag = Diag::with_code(IMAGE_ARCHITECTURE.row().code, level, message);
        diag = label(diag, place(&arch.origins, sources), "");
        for (other, _) in nodes.iter().skip(1).take(3).filter_map(|n| arch_of(n, site)) {
            diag = label(diag, place(&other.origins, sources), "and here");
        }
        diag = label(diag, place(&first.architectures.origins, sources), "what the images are made for");
        for span in spec_spans(&first.nodes.origins, sources).into_iter().take(2) {
            diag = label(diag, Some(span), "where they run");
        }
        diag.waivable = fits;
        diag = diag.pointer(pointer(&["hosts", node]));
        findings.push(diag.help("take hosts of the architecture of the images, or keep these out of the cluster"));
    }
}

/// Hosts that may run images made for certain architectures, and of whose processors nothing is said: one finding for all
/// of them, since they are answered in one place mostly.
fn unsaid(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let mut judged: Vec<&Image> = Vec::new();
    let mut nodes: BTreeSet<&Str> = BTreeSet::new();
    for image in ir.images.iter().filter(|image| !image.architectures.is_empty()) {
        let open: Vec<&Str> = image.nodes.iter().filter(|n| is_open(n, site)).collect();
        if !open.is_empty() {
            judged.push(image);
            nodes.extend(open);
        }
    }
    let ([first, ..], Some(node)) = (judged.as_slice(), nodes.first()) else { return };
    let made_for: BTreeSet<&Str> = judged.iter().flat_map(|image| image.architectures.iter()).collect();
    let images: BTreeSet<&str> = judged.iter().filter_map(|i| i.reference.rsplit('/').next()).collect();
    let (host, they) = if nodes.len() > 1 { ("hosts", "they") } else { ("host", "it") };
    let message = format!(
        "nothing is said about the processor of {host} {}, and {they} may run {}, made for {}",
        words(nodes.iter().copied(), 4),
        words(&images, 3),
        made_for.iter().map(|m| &***m).collect::<Vec<_>>().join(" and "),
    );
    let mut diag = Diag::new(ARCHITECTURE_UNSAID, message);
    for host in nodes.iter().take(SHOWN).filter_map(|n| site.entry("hosts", n)) {
        let at = host.get("arch").and_then(|arch| place(&arch.origins, sources));
        diag = label(diag, at.or_else(|| place(&host.origins, sources)), "no `arch`");
    }
    diag = label(diag, place(&first.architectures.origins, sources), "what the images are made for");
    diag.waivable = true;
    diag = diag.pointer(pointer(&["hosts", node]));
    let help =
        "say it with `arch` (`uname -m`: `x86_64` is amd64, `aarch64` is arm64); then images are held against it";
    findings.push(diag.help(help));
}

/// Whether nothing is said about the processor of a host of the site, nor anything faulty.
fn is_open(host: &str, site: &Site) -> bool {
    let Some(host) = site.entry("hosts", host) else { return false };
    let said = |value: Option<&Tracked>| value.is_some_and(|v| !v.value.is_null());
    !matches!(host.value, Value::Poison)
        && !said(host.get("arch"))
        && !said(host.get("os").and_then(|os| os.get("arch")))
}

/// What the spec says about the processor of a host.
fn arch_of<'a>(host: &str, site: &'a Site) -> Option<(&'a Tracked, Str)> {
    let arch = site.entry("hosts", host)?.get("arch")?;
    Some((arch, arch.value.text()?))
}

/// A tool that takes one architecture out of an image, where the hosts have several.
fn copied(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    for mirror in ir.mirrors.iter().filter(|m| *m.tool.value != *"skopeo" && m.platforms.len() > 1) {
        let message = format!(
            "{} copies one architecture of an image, and the hosts that run the images have {}",
            *mirror.tool,
            mirror.platforms.join(" and ")
        );
        let tool = site.root.get("tools").and_then(|tools| tools.get(&mirror.tool));
        let mut diag = Diag::new(ONE_ARCHITECTURE, message);
        diag = label(diag, tool.and_then(|t| place(&t.origins, sources)), "");
        let hosts: BTreeSet<&Str> = mirror.images.iter().flat_map(|image| image.nodes.iter()).collect();
        let mut seen = BTreeSet::new();
        for (host, (arch, text)) in hosts.iter().filter_map(|host| Some((host, arch_of(host, site)?))) {
            if seen.insert(text.clone()) {
                diag = label(diag, place(&arch.origins, sources), format!("`{host}` is {text}"));
            }
        }
        diag.waivable = true;
        diag = diag.pointer(pointer(&["tools", &mirror.tool]));
        findings.push(diag.help("bring the images in with skopeo, which copies all architectures"));
    }
}

/// The name of an image without its tag and digest.
fn repository(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    let last = name.rfind('/').map_or(0, |i| i + 1);
    name[last..].find(':').map_or(name, |i| &name[..last + i])
}

/// Every image below the key `image`.
fn collect(value: &Tracked, what: &str, named: &mut Vec<(Str, String, Origins)>) {
    for (key, inner) in value.entries() {
        match &inner.value {
            Value::Str(text) if &**key == "image" && !text.is_empty() => {
                named.push((text.clone(), what.to_string(), inner.origins.clone()));
            }
            _ => collect(inner, what, named),
        }
    }
    value.items().iter().for_each(|item| collect(item, what, named));
}

/// An image without a tag, or with one that means another image tomorrow.
fn unpinned(image: &str, what: &str, origins: &Origins, sources: &Sources, findings: &mut Findings) {
    if image.contains('@') {
        return;
    }
    let last = image.rsplit('/').next().unwrap_or_default();
    let why = match last.split_once(':') {
        None => "has no tag",
        Some((_, "latest")) => "has the tag `latest`",
        Some(_) => return,
    };
    let message = format!("the image `{image}` of {what} {why}: what it is changes with the registry");
    // Of all that the name is made of, its end is what is to be changed.
    let is_end = |span: &Span| {
        let written = sources.text(*span).trim_matches(['"', '\'']);
        !written.is_empty() && image.ends_with(written)
    };
    let end = spec_spans(origins, sources).into_iter().find(is_end);
    let mut diag = at_all(label(Diag::new(UNPINNED_IMAGE, message), end, ""), origins, sources);
    diag.waivable = true;
    findings.push(diag.help("name the version, or the digest (`@sha256:…`)"));
}

/// Labels the places of the spec, and the first one of a pack.
fn at_all(mut diag: Diag, origins: &Origins, sources: &Sources) -> Diag {
    for span in spec_spans(origins, sources).into_iter().take(3) {
        diag = label(diag, Some(span), "");
    }
    let packs = origins.as_slice().iter().filter_map(|p| sources.span_of(*p));
    let pack = packs.into_iter().find(|s| sources.file(s.file).role == crate::source::Role::Pack);
    label(diag, pack, "named here")
}
