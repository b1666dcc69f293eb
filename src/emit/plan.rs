//! Which artifacts there will be: the rules of all packs run over the site and the `Ir`, before anything is rendered.

use std::collections::BTreeMap;

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
    pub path: String,
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

impl Planned<'_> {
    /// What tells whether two are in each other's way.
    fn path_alone(self) -> Self {
        let Planned { path, rule, instance, placement, .. } = self;
        let (names, exists) = (Vec::new(), Origins::None);
        let (host, target, owner, mode, apply, check) = Default::default();
        Planned { path, rule, instance, names, exists, placement, host, target, owner, mode, apply, check }
    }
}

/// Plans the artifacts of all instances, sorted by path; no more than their paths unless there will be `artifacts`. Two
/// artifacts of one path are a finding. The result does not depend on the number of threads.
pub fn plan<'a>(
    instances: &'a [Instance<'a>],
    ir: &Tracked,
    site: &Site,
    threads: usize,
    artifacts: bool,
    run: &mut Run,
) -> Vec<Planned<'a>> {
    // The rules that go through all hosts are those of the first pack. Neighbours that go through one list share it.
    let list = |rule: &ArtifactRule| rule.head.for_each.first().map(|(_, list)| list.text().clone());
    let mut pieces: Vec<(usize, &[ArtifactRule])> = Vec::new();
    for (index, instance) in instances.iter().enumerate() {
        let pieces_of_it = instance.pack.artifacts.chunk_by(|a, b| index > 0 || list(a) == list(b));
        pieces.extend(pieces_of_it.map(|rules| (index, rules)));
    }
    let traced = run.traced;
    let results = spread_all(threads, &pieces, |(index, rules)| {
        let mut run = Run::new(traced);
        let found = planned(*index, &instances[*index], rules, ir, site, artifacts, &mut run);
        (found, run)
    });
    let mut planned: BTreeMap<String, Planned<'a>> = BTreeMap::new();
    for (found, beside) in results {
        run.absorb(beside);
        for artifact in found {
            if let Some(other) = planned.get(&artifact.path) {
                run.findings.push(
                    Diag::new(PACK_COLLISION, format!("two artifacts have the path `{}`", artifact.path))
                        .at(artifact.rule.path.anchor().span, "one is declared here")
                        .and(other.rule.path.anchor().span, "the other here"),
                );
                continue;
            }
            planned.insert(artifact.path.clone(), artifact);
        }
    }
    planned.into_values().collect()
}

/// The artifacts of some rules of an instance.
fn planned<'a>(
    index: usize,
    instance: &'a Instance<'a>,
    rules: &'a [ArtifactRule],
    ir: &Tracked,
    site: &Site,
    artifacts: bool,
    run: &mut Run,
) -> Vec<Planned<'a>> {
    let ir_name = [("ir".into(), ir.clone())];
    let world = instance.world(site);
    let base = Scope::new(&instance.names, &world);
    let scope = base.child(&ir_name);
    let mut found = Vec::new();
    for rule in rules {
        let mut open = Vec::new();
        run.each(&rule.head, &scope, &mut open, &mut |scope, origins, run| {
            let planned = one(rule, index, instance, scope, origins, run);
            found.extend(planned.map(|planned| if artifacts { planned } else { planned.path_alone() }));
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

fn one<'a>(
    rule: &'a ArtifactRule,
    index: usize,
    instance: &Instance,
    scope: &Scope,
    origins: &Origins,
    run: &mut Run,
) -> Option<Planned<'a>> {
    let traced = run.traced;
    let mut exists = origins.clone();
    let mut text = |text: &Text, format: Option<Format>, run: &mut Run| -> Result<Option<Str>, ()> {
        match run.written(text, scope, format) {
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
    let mut optional = |field: &Option<Text>, run: &mut Run| -> Result<Option<Str>, ()> {
        field.as_ref().map_or(Ok(None), |t| text(t, None, run))
    };
    let mut host = optional(&rule.host, run).ok()?;
    let mut target = optional(&rule.target, run).ok()?;
    let mut owner = optional(&rule.owner, run).ok()?;
    let mut mode = optional(&rule.mode, run).ok()?;
    // An operator pastes these into a shell.
    let mut command = |field: &Option<Text>, run: &mut Run| -> Result<Option<Str>, ()> {
        field.as_ref().map_or(Ok(None), |t| text(t, Some(Format::Shell), run))
    };
    let mut apply = command(&rule.apply, run).ok()?;
    let mut check = command(&rule.check, run).ok()?;
    let path = text(&rule.path, None, run).ok()??;
    let mut placement = rule.placement;
    if let Some(Value::Record(item)) = rule.of.as_ref().and_then(|(name, _)| Some(&scope.get(name)?.value)) {
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
    let names = rule.head.for_each.iter().filter_map(|(n, _)| Some((n.clone(), scope.get(n)?.clone()))).collect();
    Some(Planned {
        path: path.to_string(),
        rule,
        instance: index,
        names,
        exists,
        placement,
        host,
        target,
        owner,
        mode,
        apply,
        check,
    })
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
