//! The values and annotations of a chart in, the images that it names out.

use super::ChartImage;
use crate::node::{Data, Node};
use crate::parse::parse;
use crate::source::{Role, Sources};
use crate::value::Str;

/// The annotation in which a chart lists its images.
const ANNOTATION: &str = "artifacthub.io/images";

/// Images of a chart's values: `image: registry/name:tag` and `{ registry, repository, tag }`, wherever they stand.
pub fn of_values(node: &Node, app_version: Option<&Str>) -> Vec<ChartImage> {
    let mut found = Vec::new();
    walk(node, "", false, app_version, &mut found);
    found
}

fn walk(node: &Node, key: &str, image: bool, app_version: Option<&Str>, found: &mut Vec<ChartImage>) {
    if image
        && node.get("repository").is_some()
        && let Some(repository) = text(node.get("repository")).filter(|r| !r.is_empty())
    {
        let registry = text(node.get("registry")).filter(|r| !r.is_empty());
        let tag = text(node.get("tag")).filter(|t| !t.is_empty());
        let whole = registry.as_ref().map_or_else(|| repository.to_string(), |r| format!("{r}/{repository}"));
        if let Some(mut image) = reference(&whole) {
            (image.key, image.holds) = match registry {
                Some(_) => (format!("{key}.registry").into(), "registry".into()),
                None => (format!("{key}.repository").into(), "image".into()),
            };
            image.tag = image.tag.or(tag).or_else(|| app_version.cloned());
            image.place = node.place;
            found.push(image);
        }
        return;
    }
    for entry in node.entries() {
        let below = if key.is_empty() { entry.key.to_string() } else { format!("{key}.{}", entry.key) };
        let image = image || entry.key.to_ascii_lowercase().contains("image");
        match &entry.value.data {
            Data::Text(text) if image => {
                if let Some(mut image) = reference(text).filter(|i| !i.registry.is_empty()) {
                    image.key = below.into();
                    image.tag = image.tag.or_else(|| app_version.cloned());
                    image.place = entry.value.place;
                    found.push(image);
                }
            }
            _ => walk(&entry.value, &below, image, app_version, found),
        }
    }
    for item in node.items() {
        match &item.data {
            Data::Text(text) if image => found.extend(reference(text).map(|mut image| {
                image.place = item.place;
                image.tag = image.tag.take().or_else(|| app_version.cloned());
                image
            })),
            _ => walk(item, key, image, app_version, found),
        }
    }
}

/// Images of the annotation, a YAML list of `{ name, image }` in a text.
pub fn of_annotations(chart: &Node, file: &str, sources: &mut Sources) -> Vec<ChartImage> {
    let Some(annotation) = chart.get("annotations").and_then(|a| text(a.get(ANNOTATION))) else { return Vec::new() };
    let place = chart.get("annotations").and_then(|a| a.get(ANNOTATION)).map(|n| n.place).unwrap_or_default();
    let id = sources.add(format!("{file}, {ANNOTATION}"), annotation, Role::Chart);
    let list = parse(sources, id, &mut Default::default());
    let items = list.as_ref().map(Node::items).unwrap_or_default().iter();
    items
        .filter_map(|item| {
            let image = reference(&text(item.get("image"))?)?;
            Some(ChartImage { place, ..image })
        })
        .collect()
}

fn text(node: Option<&Node>) -> Option<Str> {
    node.and_then(Node::scalar_text).cloned()
}

/// An image reference, `[registry/]name[:tag][@digest]`; `None` for any other text.
fn reference(text: &str) -> Option<ChartImage> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let (path, tag) = match rest.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (rest, None),
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/:".contains(c);
    let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let good = !path.is_empty()
        && !text.contains("://")
        && path.chars().all(plain)
        && path.split('/').all(|step| !step.is_empty())
        && tag.is_none_or(|t| !t.is_empty() && t.len() <= 128 && t.chars().all(word))
        && digest.is_none_or(|d| d.starts_with("sha256:"));
    if !good {
        return None;
    }
    let (registry, name) = match path.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
        _ => ("", path),
    };
    (!name.contains(':')).then(|| ChartImage {
        key: "".into(),
        holds: if tag.is_some() { "tagged" } else { "image" }.into(),
        source: path.into(),
        registry: registry.into(),
        name: name.into(),
        tag: tag.map(Str::from),
        place: Default::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_other_texts() {
        let parts = |text: &str| {
            reference(text).map(|i| format!("{}|{}|{}", i.registry, i.name, i.tag.as_deref().unwrap_or("-")))
        };
        assert_eq!(parts("registry.acme.example/app").as_deref(), Some("registry.acme.example|app|-"));
        assert_eq!(parts("localhost:5000/a/b:1.2").as_deref(), Some("localhost:5000|a/b|1.2"));
        assert_eq!(parts("bitnami/redis:7").as_deref(), Some("|bitnami/redis|7"));
        for text in ["https://a.example/b", "IfNotPresent", "", "a//b", "a b", "x:y:z/"] {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}
