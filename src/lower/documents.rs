//! Structured files that packs give as data: items of one path are one file, laid out by its format.

use std::sync::Arc;

use super::items::Item;
use super::layout::{FORMATS, Page};
use super::merge::{either, merge_field};
use super::peers::deep_origins;
use crate::artifact::Placement;
use crate::diag::Diag;
use crate::diag::codes::PACK_EVALUATION;
use crate::emit::escape::Format;
use crate::instance::Run;
use crate::ir::{Document, DocumentPart, F};
use crate::value::{Map, Origins, Str, Tracked, Value};

/// A file while items are put together.
#[derive(Debug)]
pub struct Draft {
    pub item: Document,
    format: Format,
    parts: Vec<(Str, Tracked)>,
    span: crate::source::Span,
}

impl Draft {
    /// What is in the first document.
    pub fn body(&self) -> Option<&Tracked> {
        self.parts.first().map(|(_, body)| body)
    }
}

/// Files of all items; `absent` are the origins of items that are not there.
/// `drafts` are files that other items have made.
pub fn documents(items: &[Item], mut drafts: Vec<Draft>, absent: &Origins, run: &mut Run) -> Vec<Arc<Document>> {
    for item in items {
        let Some((path, format, body)) = required(item, run) else { continue };
        let Some(draft) = draft(item, path, format, body, run) else { continue };
        match drafts.iter_mut().find(|d| *d.item.path == *draft.item.path) {
            Some(first) => unite(first, draft, run),
            None => drafts.push(draft),
        }
    }
    // A file with a part of it missing says something else than what is meant.
    drafts.retain(|d| !run.open_files.iter().any(|file| file.is(&[&d.item.path])));
    let mut list: Vec<_> = drafts.into_iter().map(|draft| finish(draft, absent, run)).collect();
    list.sort_by_cached_key(|d| d.path.value.clone());
    list
}

fn required(item: &Item, run: &mut Run) -> Option<(F<Str>, F<Str>, Tracked)> {
    Some((item.text("path", run)?, item.text("format", run)?, item.answered("body")?.clone()))
}

/// The file of one item.
pub fn draft(item: &Item, path: F<Str>, format: F<Str>, body: Tracked, run: &mut Run) -> Option<Draft> {
    let Some(known) = Format::from_name(&format).filter(|f| FORMATS.contains(f)) else {
        let names: Vec<String> = FORMATS.iter().map(|f| format!("`{}`", f.name())).collect();
        let diag = Diag::new(PACK_EVALUATION, format!("a document has no format `{}`", *format)).at(item.span, "");
        run.findings.push(diag.help(format!("the format is one of {}", names.join(", "))));
        return None;
    };
    let mut option = |key: &str| match item.text(key, run) {
        Some(text) => text.map(Some),
        None => item.field(None),
    };
    let (title, host, target) = (option("title"), option("host"), option("target"));
    let (owner, mode, apply, check) = (option("owner"), option("mode"), option("apply"), option("check"));
    let placement = item.text("placement", run).unwrap_or_else(|| item.field(Placement::Carry.name().into()));
    if Placement::from_name(&placement).is_none() {
        run.findings.push(
            Diag::new(PACK_EVALUATION, format!("a document has no placement `{}`", *placement))
                .at(item.span, "")
                .help("the placement is one of `file`, `drop-in`, `block`, `carry`"),
        );
        return None;
    }
    let part = item.text("part", run).map(|p| p.value).unwrap_or_default();
    Some(Draft {
        format: known,
        parts: vec![(part, body)],
        span: item.span,
        item: Document {
            product: item.field(item.product.clone()),
            format: format.map(|_| known.name().into()),
            parts: item.field(Vec::new()),
            lines: item.field(Vec::new()),
            path,
            title,
            placement,
            host,
            target,
            owner,
            mode,
            apply,
            check,
        },
    })
}

/// Adds an item of the same path.
pub fn unite(first: &mut Draft, more: Draft, run: &mut Run) {
    let (a, b) = (&mut first.item, &more.item);
    a.format = merge_field(&a.format, &b.format, "format of a document", run);
    a.placement = merge_field(&a.placement, &b.placement, "placement of a document", run);
    a.path = merge_field(&a.path, &b.path, "path of a document", run);
    for (what, mine, other) in [
        ("title of a document", &mut a.title, &b.title),
        ("host of a document", &mut a.host, &b.host),
        ("target of a document", &mut a.target, &b.target),
        ("owner of a document", &mut a.owner, &b.owner),
        ("mode of a document", &mut a.mode, &b.mode),
        ("command that applies a document", &mut a.apply, &b.apply),
        ("command that checks a document", &mut a.check, &b.check),
    ] {
        *mine = either(mine, other, what, run);
    }
    for (name, body) in more.parts {
        match first.parts.iter_mut().find(|(n, _)| *n == name) {
            Some((_, mine)) => *mine = merged(mine, &body, &format!("`{}`", *first.item.path), run),
            None => first.parts.push((name, body)),
        }
    }
}

/// Two bodies as one: maps take the keys of both, lists the items of both, and what is in both must be the same.
pub fn merged(a: &Tracked, b: &Tracked, path: &str, run: &mut Run) -> Tracked {
    let both = a.origins.union(&b.origins);
    // What stands in one of the two alone does not come from the other.
    let origins = match (&a.value, &b.value) {
        (Value::Map(x), Value::Map(_)) if !x.is_empty() => a.origins.clone(),
        (Value::List(x), Value::List(y)) if !x.is_empty() && x != y => a.origins.clone(),
        _ => both,
    };
    let value = match (&a.value, &b.value) {
        (Value::Map(x), Value::Map(y)) => {
            let mut map: Map = Map::clone(x);
            for (key, more) in y.iter() {
                let one = match map.get(key) {
                    Some(mine) => merged(mine, more, path, run),
                    None => Tracked { value: more.value.clone(), origins: more.origins.union(&b.origins) },
                };
                map.insert(key.clone(), one);
            }
            Value::map(map)
        }
        (Value::List(x), Value::List(y)) if x != y => {
            let more = y.iter().map(|t| Tracked { value: t.value.clone(), origins: t.origins.union(&b.origins) });
            Value::list(x.iter().cloned().chain(more).collect())
        }
        (x, y) => {
            if x != y {
                run.conflicts.push((format!("value in {path}"), a.origins.clone(), b.origins.clone()));
            }
            x.clone()
        }
    };
    Tracked { value, origins }
}

/// Lays a file out.
fn finish(draft: Draft, absent: &Origins, run: &mut Run) -> Arc<Document> {
    let mut item = draft.item;
    let mut page = Page::new(draft.format, absent.clone());
    let exists = item.path.origins.union(absent);
    let mut parts = Vec::with_capacity(draft.parts.len());
    for (name, body) in &draft.parts {
        page.write(body);
        parts.push(Arc::new(DocumentPart {
            name: F::new(name.clone(), body.origins.clone()),
            body: F::new(body.value.clone(), deep_origins(body)),
        }));
    }
    if parts.len() > 1 && !matches!(draft.format, Format::Yaml | Format::Compose) {
        let diag = Diag::new(PACK_EVALUATION, format!("`{}` has several documents", *item.path)).at(draft.span, "");
        run.findings.push(diag.help("only a file of YAML can hold several documents"));
    }
    run.refused.extend(page.refused.into_iter().map(|(refusal, origins)| (refusal, origins, draft.span)));
    if draft.format == Format::Json {
        item.title.value = None;
    }
    item.parts = F::new(parts, exists.clone());
    item.lines = F::new(page.lines, exists);
    Arc::new(item)
}
