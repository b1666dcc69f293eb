//! What products claim of shared things, against each other and against the items of the `Ir`: claims of one thing that
//! cannot all hold are one finding with both places and both citations.

use std::collections::BTreeMap;

use super::places::spec_span;
use crate::diag::codes::CLAIM_CONFLICT;
use crate::diag::{Diag, Findings, Level};
use crate::instance::{Answer, Instance, Run, Withheld};
use crate::ir::Ir;
use crate::lower::items::field_value;
use crate::pack::expr::{Scope, Unanswered};
use crate::pack::manifest::{Claim, Field};
use crate::site::Site;
use crate::source::{Sources, Span};
use crate::value::{Origins, Str, Tracked, Value};

/// One claim of one product, evaluated.
#[derive(Debug)]
struct Claimed {
    product: Str,
    value: Option<Tracked>,
    forbid: Vec<Tracked>,
    level: Level,
    /// Citation or reason.
    why: Str,
    /// The item in `pack.toml`.
    span: Span,
    /// What of the spec and the pack the claim was made of.
    origins: Origins,
}

/// Claims by what they are about: subject and key.
type Claims = BTreeMap<(Str, Str), Vec<Claimed>>;

/// Judges the claims of all instances. A subject `export:<host>:<path>` or `filesystem:<host>:<mount>` with the key
/// `options`, and `kernel:<host>:<name>` with the key `value`, speak of the item of the `Ir` too: it must hold the value
/// that is claimed, and nothing that is forbidden.
pub fn claims(instances: &[Instance], ir: &Ir, site: &Site, sources: &Sources, run: &mut Run) {
    let mut claims = Claims::new();
    for instance in instances {
        let world = instance.world(site);
        let scope = Scope::new(&instance.names, &world);
        for claim in &instance.pack.claims {
            evaluate(claim, instance, &scope, &mut claims, run);
        }
    }
    if claims.is_empty() {
        return;
    }
    let facts = facts(ir);
    for ((subject, key), list) in &claims {
        let what = format!("`{key}` of `{subject}`");
        between(list, &what, sources, &mut run.findings);
        if let Some(fact) = facts.get(&(subject.clone(), key.clone())) {
            against(list, fact, &what, sources, &mut run.findings);
        }
    }
}

/// Adds what one claim of a pack comes to; an unanswered part makes it wait.
fn evaluate(claim: &Claim, instance: &Instance, scope: &Scope, claims: &mut Claims, run: &mut Run) {
    let why = instance.pack.source_text(&claim.head.source);
    let mut open = Vec::new();
    let mut inner = Vec::new();
    run.each(&claim.head, scope, &mut open, &mut |scope, exists, run| {
        let subject = known(run.text(&claim.subject, scope), &mut inner);
        let key = known(run.text(&claim.key, scope), &mut inner);
        let value = claim.value.as_ref().map(|field| field_of(field, scope, &mut inner, run));
        let forbid: Option<Vec<Tracked>> =
            claim.forbid.iter().map(|field| field_of(field, scope, &mut inner, run)).collect();
        let (Some(subject), Some(key), Some(forbid)) = (subject, key, forbid) else { return };
        let value = match value {
            Some(None) => return,
            Some(found) => found,
            None => None,
        };
        let (Some(subject_text), Some(key_text)) = (subject.value.text(), key.value.text()) else {
            let faulty = if subject.value.text().is_none() { &subject } else { &key };
            return run.not_a(claim.head.span, "one text", &faulty.value);
        };
        let origins =
            Origins::all([exists, &subject.origins, &key.origins].into_iter().chain(value.iter().map(|v| &v.origins)));
        claims.entry((subject_text, key_text)).or_default().push(Claimed {
            product: instance.name.clone(),
            value,
            forbid,
            level: claim.level,
            why: why.clone(),
            span: claim.head.span,
            origins,
        });
    });
    open.extend(inner);
    if !open.is_empty() {
        let what = format!("a claim of the {} pack", instance.pack.title);
        run.withheld.push(Withheld {
            product: instance.name.clone(),
            what,
            unanswered: open,
            why,
            ..Withheld::default()
        });
    }
}

fn known(answer: Answer, open: &mut Vec<Unanswered>) -> Option<Tracked> {
    match answer {
        Answer::Known(value) => Some(value),
        Answer::Open(unanswered) => {
            open.extend(unanswered);
            None
        }
        Answer::Poison => None,
    }
}

fn field_of(field: &Field, scope: &Scope, open: &mut Vec<Unanswered>, run: &mut Run) -> Option<Tracked> {
    known(field_value(field, scope, run), open)
}

/// What the `Ir` says of the things that claims can be about.
fn facts(ir: &Ir) -> BTreeMap<(Str, Str), Tracked> {
    let mut facts = BTreeMap::new();
    for export in &ir.exports {
        let subject = format!("export:{}:{}", *export.host, *export.path);
        facts.insert((subject.into(), "options".into()), export.options.tracked());
    }
    for system in &ir.filesystems {
        let subject = format!("filesystem:{}:{}", *system.host, *system.mount);
        facts.insert((subject.into(), "options".into()), system.options.tracked());
    }
    for parameter in &ir.kernel {
        let subject = format!("kernel:{}:{}", *parameter.host, *parameter.key);
        facts.insert((subject.into(), "value".into()), parameter.value.tracked());
    }
    facts
}

/// Reports claims of one thing whose values are unlike, or forbidden by another one of them.
fn between(list: &[Claimed], what: &str, sources: &Sources, findings: &mut Findings) {
    let mut unlike: Vec<&Claimed> = Vec::new();
    for claimed in list.iter().filter(|c| c.value.is_some()) {
        if unlike.iter().all(|u| u.value != claimed.value) {
            unlike.push(claimed);
        }
    }
    if unlike.len() > 1 {
        let wants = unlike.iter().map(|c| format!("`{}` wants `{}`", c.product, shown(&c.value)));
        let message = format!("{what} cannot be as all want it: {}", wants.collect::<Vec<_>>().join(", "));
        findings.push(report(message, &unlike, sources));
    }
    for forbidding in list {
        for claimed in unlike.iter().filter(|c| !std::ptr::eq(**c, forbidding)) {
            if let Some(word) = claimed.value.as_ref().and_then(|v| forbidden(v, &forbidding.forbid)) {
                let (wants, forbids) = (&claimed.product, &forbidding.product);
                let message = format!("`{wants}` wants `{word}` in {what}, and `{forbids}` forbids it");
                findings.push(report(message, &[claimed, forbidding], sources));
            }
        }
    }
}

/// One finding about several claims: each one's place in the spec and in its pack, and its citation.
fn report(message: String, parties: &[&Claimed], sources: &Sources) -> Diag {
    let level = parties.iter().map(|c| c.level).min().unwrap_or(Level::Error);
    let mut diag = Diag::with_code(CLAIM_CONFLICT.row().code, level, message);
    for claimed in parties {
        if let Some(span) = spec_span(&claimed.origins, sources) {
            diag = labelled(diag, span, &format!("`{}` shares it from here", claimed.product));
        }
    }
    for claimed in parties {
        diag = labelled(diag, claimed.span, &format!("what `{}` claims", claimed.product));
        diag = diag.note(format!("`{}`: {}", claimed.product, claimed.why));
    }
    diag.help("give one of the products a thing of its own, or let one follow the other")
}

/// Adds a label, the first as the primary one; a place that has one is not labelled twice.
fn labelled(diag: Diag, span: Span, text: &str) -> Diag {
    match &diag.primary {
        None => diag.at(span, text),
        Some(label) if label.span == span || diag.secondary.iter().any(|l| l.span == span) => diag,
        Some(_) => diag.and(span, text),
    }
}

/// Reports an item of the `Ir` that has what a claim forbids, or lacks what one wants.
fn against(list: &[Claimed], fact: &Tracked, what: &str, sources: &Sources, findings: &mut Findings) {
    for claimed in list {
        let product = &claimed.product;
        let message = match forbidden(fact, &claimed.forbid) {
            Some(word) => format!("{what} has `{word}`, and `{product}` forbids it"),
            None => match claimed.value.as_ref().and_then(|value| lacking(fact, value)) {
                Some(word) => format!("{what} lacks `{word}`, which `{product}` needs"),
                None => continue,
            },
        };
        let span = spec_span(&fact.origins, sources);
        // What a requirement of the product has found at this place already is the same cause.
        let told = |d: &Diag| span.is_some() && d.level == Level::Error && d.primary.as_ref().map(|l| l.span) == span;
        if findings.iter().any(told) {
            continue;
        }
        let mut diag = Diag::with_code(CLAIM_CONFLICT.row().code, claimed.level, message).at_maybe(span, "");
        let places = fact.origins.as_slice().iter().filter_map(|p| sources.span_of(*p));
        for place in places.filter(|s| Some(*s) != span) {
            if sources.file(place.file).role == crate::source::Role::Pack {
                diag = labelled(diag, place, "it is written here");
            }
        }
        diag = labelled(diag, claimed.span, &format!("what `{product}` claims"));
        findings
            .push(diag.note(format!("`{product}`: {}", claimed.why)).help("change it, or give the product its own"));
    }
}

/// The first part of a value that is forbidden.
fn forbidden(value: &Tracked, forbid: &[Tracked]) -> Option<Str> {
    let parts = match &value.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(value),
    };
    let texts: Vec<Str> = forbid.iter().filter_map(|f| f.value.text()).collect();
    parts.iter().filter_map(|p| p.value.text()).find(|p| texts.contains(p))
}

/// What of a claimed value an item does not have: of a list, a part that is missing from the item's list.
fn lacking(fact: &Tracked, claimed: &Tracked) -> Option<Str> {
    let has = |wanted: &Value| match &fact.value {
        Value::List(items) => items.iter().any(|i| i.value.text() == wanted.text()),
        one => one.text() == wanted.text(),
    };
    match &claimed.value {
        Value::List(items) => items.iter().filter(|i| !has(&i.value)).find_map(|i| i.value.text()),
        one => (!has(one)).then(|| one.text()).flatten(),
    }
}

/// A claimed value for a message.
fn shown(value: &Option<Tracked>) -> String {
    let text = |value: &Value| value.text().map_or_else(|| value.kind().to_string(), |t| t.to_string());
    match value.as_ref().map(|v| &v.value) {
        None => String::new(),
        Some(Value::List(items)) => items.iter().map(|i| text(&i.value)).collect::<Vec<_>>().join(","),
        Some(one) => text(one),
    }
}
