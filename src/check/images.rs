//! Images that artifacts name, against those that are mirrored into the site, and tags that say nothing.

use std::collections::BTreeSet;

use super::places::label;
use super::requirements::spec_spans;
use crate::diag::codes::{IMAGE_NOT_MIRRORED, UNPINNED_IMAGE};
use crate::diag::{Diag, Findings};
use crate::ir::Ir;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Origins, Str, Tracked, Value};

/// Checks the images of objects and of the list to be mirrored.
pub fn images(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
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
            diag = label(diag, super::places::place(&registry.origins, sources), "the nodes pull from here");
            findings.push(diag.help("mirror the image, or name the one that is mirrored"));
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
    let mut diag = at_all(Diag::new(UNPINNED_IMAGE, message), origins, sources);
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
