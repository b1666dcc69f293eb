//! Which artifacts there will be: the rules of all packs run over the site and the `Ir`, before anything is rendered.

use std::cmp::Reverse;

use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::artifact::Placement;
use crate::diag::Diag;
use crate::diag::codes::PACK_COLLISION;
use crate::emit::escape::Format;
use crate::instance::{Answer, Instance, Run, Withheld};
use crate::pack::expr::{Scope, Text};
use crate::pack::manifest::ArtifactRule;
use crate::site::Site;
use crate::spread::spread_all;
use crate::value::{Origins, Str, Tracked, Value};

/// One artifact that will be rendered.
#[derive(Debug)]
pub struct Planned<'a> {
    pub path: Str,
    pub rule: &'a ArtifactRule,
    /// Index of its instance.
    pub instance: usize,
    /// The names of its loops, the outermost first.
    pub names: Vec<(Str, Tracked)>,
    /// The origins of the artifact's being there, its path included.
    pub exists: Origins,
    pub placement: Placement,
    pub host: Option<Str>,
    pub target: Option<Str>,
    pub owner: Option<Str>,
    pub mode: Option<Str>,
    pub apply: Option<Str>,
    pub check: Option<Str>,
}

/// Plans the artifacts of all instances, sorted by path. Two artifacts of one path are a finding. The result does not
/// depend on the number of threads.
pub fn plan<'a>(
    instances: &'a [Instance<'a>],
    ir: &Tracked,
    site: &Site,
    threads: usize,
    run: &mut Run,
) -> Vec<Planned<'a>> {
    let planned = planned(instances, ir, site, threads, run, |item, run| one(item, true, run));
    let again = collisions(planned.iter().map(|p| (&*p.path, p.rule)), run);
    let mut planned: Vec<Planned> =
        planned.into_iter().zip(again).filter(|(_, again)| !again).map(|(planned, _)| planned).collect();
    planned.sort_by(|a, b| a.path.cmp(&b.path));
    planned
}

/// The same where nothing will be rendered: only what is wrong with it is found.
pub fn check<'a>(instances: &'a [Instance<'a>], ir: &Tracked, site: &Site, threads: usize, run: &mut Run) {
    let paths = planned(instances, ir, site, threads, run, |item, run| {
        let planned = one(item, false, run)?;
        Some((planned.path, planned.rule))
    });
    collisions(paths.iter().map(|(path, rule)| (&**path, *rule)), run);
}

/// Which of the paths have been there before.
fn collisions<'p>(paths: impl Iterator<Item = (&'p str, &'p ArtifactRule)>, run: &mut Run) -> Vec<bool> {
    let mut first: IndexMap<&str, &ArtifactRule> = IndexMap::with_capacity(paths.size_hint().0);
    let mut again = Vec::with_capacity(paths.size_hint().0);
    for (path, rule) in paths {
        let other = match first.entry(path) {
            Entry::Vacant(free) => {
                free.insert(rule);
                again.push(false);
                continue;
            }
            Entry::Occupied(taken) => *taken.get(),
        };
        again.push(true);
        run.findings.push(
            Diag::new(PACK_COLLISION, format!("two artifacts have the path `{path}`"))
                .at(rule.path.anchor().span, "one is declared here")
                .and(other.path.anchor().span, "the other here"),
        );
    }
    again
}

/// The artifacts of all instances, in the order of the rules, as `make` makes of them.
fn planned<'a, T: Send>(
    instances: &'a [Instance<'a>],
    ir: &Tracked,
    site: &Site,
    threads: usize,
    run: &mut Run,
    make: impl Fn(Item<'a, '_>, &mut Run) -> Option<T> + Sync,
) -> Vec<T> {
    // The rules that go through all hosts are those of the first pack. Neighbours share a list that has to be computed.
    let list = |rule: &ArtifactRule| rule.head.for_each.first().map(|(_, list)| list.text().clone());
    let shared =
        |a: &ArtifactRule, b: &ArtifactRule| list(a) == list(b) && list(a).is_some_and(|list| list.contains('|'));
    let mut pieces: Vec<(usize, &[ArtifactRule])> = Vec::new();
    for (index, instance) in instances.iter().enumerate() {
        let pieces_of_it = instance.pack.artifacts.chunk_by(|a, b| index > 0 || shared(a, b));
        pieces.extend(pieces_of_it.map(|rules| (index, rules)));
    }
    // The longest first, so that no thread is left with one at the end.
    let length = |rule: &ArtifactRule| {
        let (_, list) = rule.head.for_each.first()?;
        let kind = list.text().strip_prefix("ir.")?.split(|c: char| !c.is_alphabetic() && c != '_').next()?;
        Some(ir.get(kind)?.items().len())
    };
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by_cached_key(|n| Reverse(pieces[*n].1.iter().filter_map(length).sum::<usize>()));
    let traced = run.traced;
    let mut results = spread_all(threads, &order, |n| {
        let (index, rules) = pieces[*n];
        let mut run = Run::new(traced);
        let found = of_rules(index, &instances[index], rules, ir, site, &make, &mut run);
        (*n, found, run)
    });
    results.sort_by_key(|(n, ..)| *n);
    let mut planned = Vec::with_capacity(results.iter().map(|(_, found, _)| found.len()).sum());
    for (_, found, beside) in results {
        run.absorb(beside);
        planned.extend(found);
    }
    planned
}

/// The artifacts of some rules of an instance.
fn of_rules<'a, T>(
    index: usize,
    instance: &'a Instance<'a>,
    rules: &'a [ArtifactRule],
    ir: &Tracked,
    site: &Site,
    make: &impl Fn(Item<'a, '_>, &mut Run) -> Option<T>,
    run: &mut Run,
) -> Vec<T> {
    let ir_name = [("ir".into(), ir.clone())];
    let world = instance.world(site);
    let base = Scope::new(&instance.names, &world);
    let scope = base.child(&ir_name);
    let mut found = Vec::new();
    for rule in rules {
        let mut open = Vec::new();
        let in_path = |field: &Option<Text>| field.as_ref().is_some_and(|text| text.is_within(&rule.path));
        let in_path = [&rule.host, &rule.target, &rule.owner, &rule.mode].map(in_path);
        run.each(&rule.head, &scope, &mut open, &mut |scope, origins, run| {
            found.extend(make(Item { rule, index, instance, in_path, scope, origins }, run));
        });
        if !open.is_empty() {
            run.withheld.push(Withheld {
                product: instance.name.clone(),
                what: format!("artifact `{}`", rule.path.source()),
                unanswered: open,
                why: instance.pack.source_text(&rule.head.source),
                ..Default::default()
            });
        }
    }
    found
}

/// One artifact of a rule, of which nothing has been evaluated.
struct Item<'a, 's> {
    rule: &'a ArtifactRule,
    /// Index of the instance.
    index: usize,
    instance: &'s Instance<'a>,
    /// Whether the path says all that the rule says of the host, the target, the owner and the mode.
    in_path: [bool; 4],
    scope: &'s Scope<'s>,
    /// The origins of its loops and of its condition.
    origins: &'s Origins,
}

/// Evaluates what a rule says of an artifact; what says nothing new only where it is `wanted`, for writing.
fn one<'a>(item: Item<'a, '_>, wanted: bool, run: &mut Run) -> Option<Planned<'a>> {
    let Item { rule, index, instance, in_path, scope, origins } = item;
    let traced = run.traced;
    let mut exists = origins.clone();
    let mut text = |text: &Text, format: Option<Format>, run: &mut Run| -> Result<Option<Str>, ()> {
        let answer = match format {
            Some(_) => run.written(text, scope, format),
            None => run.bare_text(text, scope),
        };
        match answer {
            Answer::Known(value) => {
                if run.traced {
                    exists = exists.union(&value.origins);
                }
                Ok(value.value.text())
            }
            Answer::Open(unanswered) => {
                run.withheld.push(Withheld {
                    product: instance.name.clone(),
                    what: format!("artifact `{}`", rule.path.source()),
                    unanswered,
                    why: instance.pack.source_text(&rule.head.source),
                    ..Default::default()
                });
                Err(())
            }
            Answer::Poison => Err(()),
        }
    };
    let mut optional = |field: &Option<Text>, in_path: bool, run: &mut Run| -> Result<Option<Str>, ()> {
        let field = field.as_ref().filter(|_| wanted || !in_path);
        field.map_or(Ok(None), |t| text(t, None, run))
    };
    let mut host = optional(&rule.host, in_path[0], run).ok()?;
    let mut target = optional(&rule.target, in_path[1], run).ok()?;
    let mut owner = optional(&rule.owner, in_path[2], run).ok()?;
    let mut mode = optional(&rule.mode, in_path[3], run).ok()?;
    // An operator pastes these into a shell. Where there is no value in them, nothing can be wrong with them.
    let mut command = |field: &Option<Text>, run: &mut Run| -> Result<Option<Str>, ()> {
        let field = field.as_ref().filter(|text| wanted || text.literal().is_none());
        field.map_or(Ok(None), |t| text(t, Some(Format::Shell), run))
    };
    let mut apply = command(&rule.apply, run).ok()?;
    let mut check = command(&rule.check, run).ok()?;
    let path = text(&rule.path, None, run).ok()??;
    let mut placement = rule.placement;
    let of = rule.of.as_ref().filter(|_| wanted);
    if let Some(Value::Record(item)) = of.and_then(|(name, _)| Some(&scope.get(name)?.value)) {
        let mut field = |name: &str, slot: &mut Option<Str>| {
            if let Some(found) = item.field(name).filter(|f| !f.value.is_null()) {
                if traced {
                    exists = exists.union(&found.origins);
                }
                *slot = found.value.text();
            }
        };
        let mut named = None;
        field("placement", &mut named);
        placement = named.and_then(|n| Placement::from_name(&n)).unwrap_or(placement);
        let fields = [("host", &mut host), ("target", &mut target), ("owner", &mut owner), ("mode", &mut mode)];
        fields.into_iter().for_each(|(name, slot)| field(name, slot));
        field("apply", &mut apply);
        field("check", &mut check);
    }
    if let Err(why) = safe_path(&path) {
        run.findings.push(
            Diag::new(PACK_COLLISION, format!("`{path}` cannot be the path of an artifact: {why}"))
                .at(rule.path.anchor().span, ""),
        );
        return None;
    }
    let loops = rule.head.for_each.iter().filter(|_| wanted);
    let names = loops.filter_map(|(n, _)| Some((n.clone(), scope.get(n)?.clone()))).collect();
    Some(Planned { path, rule, instance: index, names, exists, placement, host, target, owner, mode, apply, check })
}

/// Refuses paths that leave the tree or that some file system reads otherwise.
fn safe_path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() || path.len() > 512 {
        return Err("it is empty or too long");
    }
    for part in path.split('/') {
        match part {
            "" => return Err("it has an empty part"),
            "." | ".." => return Err("it leaves its folder"),
            p if p.len() > 200 => return Err("a part of it is too long"),
            p if p.chars().any(|c| c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')) => {
                return Err("it has a character that some file systems refuse");
            }
            _ => {}
        }
    }
    Ok(())
}
