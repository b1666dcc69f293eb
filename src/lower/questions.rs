//! What the spec leaves open: one question per place, with everything that waits for its answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::places::spec_span;
use crate::diag::Diag;
use crate::diag::codes::OPEN_QUESTION;
use crate::instance::{Answer, Asked, Bound, Instance, Run};
use crate::ir::{F, Question};
use crate::node::push_step;
use crate::pack::expr::{Scope, Unanswered};
use crate::schema::Schema;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Origins, Str, Tracked, Value};

/// A question while it is being gathered.
#[derive(Default)]
struct Gathered {
    product: Str,
    ask: Option<Str>,
    path: String,
    who: Option<Str>,
    why: Str,
    waits: Vec<Str>,
    /// The places for the answer.
    origins: Vec<Origins>,
    /// Everything that made it a question.
    reads: Vec<Origins>,
}

/// Asks what the packs' own questions and bindings find unanswered; call before [`questions`].
pub fn ask(instances: &[Instance], site: &Site, run: &mut Run) {
    for instance in instances {
        let world = instance.world(site);
        let scope = Scope::new(&instance.names, &world);
        for (name, bound) in &instance.bound {
            let Bound::Open(unanswered) = bound else { continue };
            let rule = &instance.pack.bindings[name];
            let why = instance.pack.source_text(&rule.head.source);
            let ask = rule.ask.as_ref().and_then(|t| match run.text(t, &scope) {
                Answer::Known(value) => Some(F::new(value.value.text()?, value.origins)),
                _ => None,
            });
            let ask = ask.unwrap_or_default();
            run.asked.push(Asked {
                product: instance.name.clone(),
                ask: ask.value,
                origins: ask.origins,
                who: rule.who.clone(),
                why,
                waits: Vec::new(),
                unanswered: unanswered.clone(),
            });
        }
        for rule in &instance.pack.questions {
            let why = instance.pack.source_text(&rule.head.source);
            let mut open = Vec::new();
            run.each(&rule.head, &scope, &mut open, &mut |scope, origins, run| {
                let Answer::Open(unanswered) = run.eval(&rule.of, scope) else { return };
                let Answer::Known(ask) = run.text(&rule.ask, scope) else { return };
                run.asked.push(Asked {
                    product: instance.name.clone(),
                    ask: ask.value.text().unwrap_or_default(),
                    origins: ask.origins.union(origins),
                    who: rule.who.clone(),
                    why: why.clone(),
                    waits: rule.waits.clone(),
                    unanswered,
                });
            });
        }
    }
}

/// All questions, sorted by who answers and by place.
pub fn questions(run: &Run, instances: &[Instance], site: &Site, schema: &Schema) -> Vec<Arc<Question>> {
    let behind = |product: &Str, unanswered: &[Unanswered]| -> Vec<Unanswered> {
        let instance = instances.iter().find(|i| i.name == *product);
        let mut all: Vec<Unanswered> =
            unanswered.iter().flat_map(|u| instance.map_or_else(|| vec![u.clone()], |i| i.behind(u))).collect();
        for open in all.iter_mut().filter(|u| u.pointer.is_none()) {
            open.pointer = located(open, site, schema);
        }
        all
    };
    let mut gathered: BTreeMap<String, Gathered> = BTreeMap::new();
    for asked in &run.asked {
        for unanswered in &behind(&asked.product, &asked.unanswered) {
            let entry = entry(&mut gathered, unanswered, &asked.product, &asked.why);
            if entry.ask.is_none() && !asked.ask.is_empty() {
                entry.ask = Some(asked.ask.clone());
                entry.why = asked.why.clone();
            }
            entry.reads.push(asked.origins.clone());
            entry.who.get_or_insert_with(|| asked.who.clone());
            entry.waits.extend(asked.waits.iter().cloned());
        }
    }
    for withheld in &run.withheld {
        for unanswered in &behind(&withheld.product, &withheld.unanswered) {
            let entry = entry(&mut gathered, unanswered, &withheld.product, &withheld.why);
            entry.reads.push(withheld.origins.clone());
            entry.waits.push(withheld.what.as_str().into());
        }
    }
    settle(&mut gathered);
    let mut list: Vec<Arc<Question>> =
        gathered.into_iter().map(|(pointer, g)| Arc::new(question(pointer, g))).collect();
    list.sort_by_cached_key(|q| (q.who.value.clone(), q.product.value.clone(), q.pointer.value.clone()));
    list
}

/// What only the pack's expressions have a name for nobody can answer: it waits for what was asked about the same places.
fn settle(gathered: &mut BTreeMap<String, Gathered>) {
    // The network of a host follows from its addresses; two things of its system can be said in two places.
    for (end, of) in [("/network", "/addresses"), ("/arch", "/os/arch"), ("/kernel", "/os/kernel")] {
        let follows =
            |pointer: &&String| pointer.starts_with("/hosts/") && pointer.ends_with(end) && !pointer.ends_with(of);
        let pointers: Vec<String> = gathered.keys().filter(follows).cloned().collect();
        for pointer in pointers {
            let asked = format!("{}{of}", pointer.trim_end_matches(end));
            if gathered[&pointer].ask.is_some() || !gathered.contains_key(&asked) {
                continue;
            }
            let open = gathered.remove(&pointer).unwrap_or_default();
            if let Some(asked) = gathered.get_mut(&asked) {
                asked.waits.extend(open.waits);
                asked.reads.extend(open.reads);
            }
        }
    }
    let (nameless, mut asked): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(gathered)
        .into_iter()
        .partition(|(pointer, g)| g.ask.is_none() && !pointer.starts_with('/') && !g.path.ends_with('?'));
    let places = |g: &Gathered| Origins::all(g.origins.iter().chain(&g.reads));
    for (key, open) in nameless {
        let about = Origins::all(&open.origins);
        let meets = |other: &Gathered| {
            let theirs = places(other);
            about.as_slice().iter().any(|place| theirs.as_slice().contains(place))
        };
        let answers: Vec<&mut Gathered> = asked.values_mut().filter(|other| meets(other)).collect();
        if answers.is_empty() {
            gathered.insert(key, open);
            continue;
        }
        for other in answers {
            other.waits.extend(open.waits.iter().cloned());
            other.reads.extend(open.reads.iter().cloned());
        }
    }
    gathered.append(&mut asked);
}

fn entry<'g>(
    gathered: &'g mut BTreeMap<String, Gathered>,
    unanswered: &Unanswered,
    product: &Str,
    why: &Str,
) -> &'g mut Gathered {
    let key = unanswered.pointer.clone().unwrap_or_else(|| unanswered.path.clone());
    let entry = gathered.entry(key).or_default();
    if entry.product.is_empty() {
        entry.product = product.clone();
        entry.why = why.clone();
        entry.path = unanswered.path.clone();
    }
    entry.origins.push(unanswered.origins.clone());
    entry.reads.push(unanswered.reads.clone());
    entry
}

fn question(pointer: String, mut g: Gathered) -> Question {
    g.waits.sort();
    g.waits.dedup();
    let place = Origins::all(&g.origins);
    let origins = Origins::all(&g.reads).union(&place);
    let ask: Str = match g.ask {
        Some(ask) => ask,
        // The words of an unmapped slot are a sentence already.
        None if g.path.ends_with('?') => g.path.as_str().into(),
        // Names that only the pack's expressions know mean nothing to whoever answers: the place of the spec does.
        None if pointer.starts_with('/') => format!("what is `{pointer}`?").into(),
        None => match last_name(&g.path) {
            "" => "an answer is missing here: what is it?".into(),
            name => format!("what is `{name}` here?").into(),
        },
    };
    let field = |text: Str| F::new(text, origins.clone());
    Question {
        product: field(g.product),
        pointer: F::new(pointer.into(), place.clone()),
        ask: field(ask),
        who: field(g.who.unwrap_or_else(|| "customer".into())),
        why: field(g.why),
        waits: F::new(g.waits, origins.clone()),
    }
}

/// The last name of a path of an expression: `workers` of `c.workers`.
fn last_name(path: &str) -> &str {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let path = path.trim_end_matches(|c| !is_part(c));
    path.rfind(|c| !is_part(c)).map_or(path, |at| &path[at..]).trim_start_matches(|c| !is_part(c))
}

/// The pointer of an open answer that an expression reached by a name of its own: the `null` that it found, or the map
/// in which its last name is missing.
fn located(open: &Unanswered, site: &Site, schema: &Schema) -> Option<String> {
    let origins = &open.origins;
    if origins.as_slice().is_empty() {
        return None;
    }
    let name = last_name(&open.path);
    let (mut null, mut map) = (None, None);
    walk(&site.root, &mut String::new(), &mut |pointer, value| {
        let own = value.origins.as_slice();
        match &value.value {
            Value::Null if null.is_none() && !own.is_empty() && own.iter().all(|p| origins.as_slice().contains(p)) => {
                null = Some(pointer.to_owned());
            }
            Value::Map(entries)
                if map.is_none() && value.origins == *origins && !name.is_empty() && !entries.contains_key(name) =>
            {
                let mut missing = pointer.to_owned();
                push_step(&mut missing, name);
                map = schema.at(&missing).map(|_| missing);
            }
            _ => {}
        }
    });
    null.or(map)
}

/// Every value below a value, with its pointer.
fn walk(value: &Tracked, pointer: &mut String, f: &mut dyn FnMut(&str, &Tracked)) {
    f(pointer, value);
    let length = pointer.len();
    for (key, below) in value.entries() {
        push_step(pointer, key);
        walk(below, pointer, f);
        pointer.truncate(length);
    }
    for (index, below) in value.items().iter().enumerate() {
        push_step(pointer, &index.to_string());
        walk(below, pointer, f);
        pointer.truncate(length);
    }
}

/// The findings of level `question`, one per question, each at the nearest place of the spec.
pub fn findings(questions: &[Arc<Question>], site: &Site, sources: &Sources) -> Vec<Diag> {
    questions
        .iter()
        .map(|q| {
            let span = spec_span(&q.pointer.origins, sources).or_else(|| nearest(&q.pointer, site, sources));
            let mut diag = Diag::new(OPEN_QUESTION, q.ask.to_string())
                .at_maybe(span, "the answer belongs here")
                .pointer(q.pointer.to_string())
                .note(format!("asked by `{}`, to be answered by: {}", *q.product, *q.who))
                .note(q.why.to_string());
            if !q.waits.value.is_empty() {
                diag = diag.note(format!("waiting: {}", q.waits.join(", ")));
            }
            if q.pointer.starts_with('/') {
                diag = diag.help(format!("answer at `{}`", *q.pointer));
            }
            diag
        })
        .collect()
}

/// The place of the deepest part of a pointer that the spec has.
fn nearest(pointer: &str, site: &Site, sources: &Sources) -> Option<crate::source::Span> {
    let mut end = pointer.len();
    loop {
        let found = site.at(&pointer[..end]).and_then(|value| spec_span(&value.origins, sources));
        if found.is_some() || end == 0 {
            return found;
        }
        end = pointer[..end].rfind('/')?;
    }
}
