//! The runbook: steps of all packs, expanded, ordered by dependency, numbered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::additions::Additions;
use crate::diag::Diag;
use crate::diag::codes::PACK_CYCLE;
use crate::emit::escape::Format;
use crate::instance::{Answer, Instance, Run, Withheld};
use crate::ir::{Blank, F, Failure, Step, StepCommand};
use crate::pack::expr::{Scope, Text};
use crate::pack::manifest::StepRule;
use crate::site::Site;
use crate::source::{Sources, Span};
use crate::value::{Origins, Str, Tracked, Value};

/// Instance, phase, and the order of the file.
type Rank = (usize, usize, usize);

/// A step before its place in the order is known.
pub(super) struct Draft {
    pub(super) step: Step,
    /// Instance and phase, then the order of the file.
    rank: Rank,
    exists: Origins,
    pub(super) after: Vec<Neighbour>,
    pub(super) before: Vec<Neighbour>,
    needs: Vec<Str>,
    provides: Vec<Str>,
    /// Per failure, the step to go to.
    gotos: Vec<Option<Str>>,
    /// The item in `pack.toml`; `None` for an addition of the site.
    span: Option<Span>,
}

/// A step that another one comes before or after.
pub(super) struct Neighbour {
    pub(super) id: Str,
    /// Whether it may be a step of any product, not only of the same one.
    pub(super) anywhere: bool,
    /// Where the spec asks for the order; nothing where a pack does.
    pub(super) origins: Origins,
}

impl Draft {
    /// A step that depends on nothing.
    pub(super) fn new(step: Step, rank: (usize, usize, usize), exists: Origins) -> Self {
        let (after, before, needs, provides, gotos) = Default::default();
        Self { step, rank, exists, after, before, needs, provides, gotos, span: None }
    }
}

/// The steps of all instances, sorted and numbered from 1. `ir` is what has been lowered so far.
pub fn steps(
    instances: &[Instance],
    additions: &[Additions],
    ir: &Tracked,
    site: &Site,
    sources: &Sources,
    run: &mut Run,
) -> Vec<Arc<Step>> {
    let mut drafts = Vec::new();
    let mut absent = Vec::new();
    // Steps for items that are not there are not there either.
    let gone = Origins::all(&std::mem::take(&mut run.absent));
    for (index, instance) in instances.iter().enumerate() {
        let names = [("ir".into(), ir.clone())];
        let world = instance.world(site);
        let base = Scope::new(&instance.names, &world);
        let scope = base.child(&names);
        for (number, rule) in instance.pack.steps.iter().enumerate() {
            let phase = instance.pack.phases.iter().position(|p| *p == rule.phase).unwrap_or(usize::MAX);
            let why = instance.pack.source_text(&rule.head.source);
            let mut open = Vec::new();
            run.absent.clear();
            run.each(&rule.head, &scope, &mut open, &mut |scope, exists, run| {
                let rank = (index, phase, number);
                drafts.push(draft(rule, rank, instance, scope, exists, &why, run));
            });
            let gone = Origins::all(&std::mem::take(&mut run.absent));
            absent.push(((index, phase, number), gone));
            if !open.is_empty() {
                let what = format!("runbook step `{}`", rule.id);
                run.withheld.push(Withheld {
                    product: instance.name.clone(),
                    what,
                    unanswered: open,
                    why,
                    ..Default::default()
                });
            }
        }
    }
    super::additions::steps::steps(additions, sources, &mut drafts, run);
    let order = order(&drafts, run);
    numbered(drafts, &order, absent, &gone)
}

fn draft(
    rule: &StepRule,
    rank: Rank,
    instance: &Instance,
    scope: &Scope,
    exists: &Origins,
    why: &Str,
    run: &mut Run,
) -> Draft {
    let mut write = Writing { instance, scope, exists, run, step: &rule.id, why, lost: Origins::None };
    let commands = |list: &[Text], write: &mut Writing| -> F<Vec<Arc<StepCommand>>> {
        let commands = list.iter().filter_map(|t| write.shell(t)).map(|text| Arc::new(StepCommand { text })).collect();
        F::new(commands, exists.union(&write.lost))
    };
    let step = Step {
        product: F::new(instance.name.clone(), exists.clone()),
        id: F::new(rule.id.clone(), exists.clone()),
        number: F::new(0, exists.clone()),
        phase: F::new(rule.phase.clone(), exists.clone()),
        opens_phase: F::new(false, exists.clone()),
        title: match write.markdown(&rule.title) {
            Some(title) => title,
            None => F::new(rule.id.clone(), exists.union(&write.lost)),
        },
        place: write.optional(rule.at.as_ref()).map(|p| p.unwrap_or_default()),
        text: write.optional(rule.text.as_ref()),
        commands: commands(&rule.run, &mut write),
        files: {
            let files: Vec<F<Str>> = rule.files.iter().flat_map(|t| write.list(t)).collect();
            let origins = Origins::all(files.iter().map(|f| &f.origins)).union(exists);
            F::new(files.into_iter().map(|f| f.value).collect(), origins)
        },
        verify: commands(&rule.verify, &mut write),
        verify_text: write.optional(rule.verify_text.as_ref()),
        undo: commands(&rule.undo, &mut write),
        undo_text: write.optional(rule.undo_text.as_ref()),
        warnings: {
            let warnings: Vec<F<Str>> = rule.warns.iter().filter_map(|t| write.markdown(t)).collect();
            let origins = Origins::all(warnings.iter().map(|f| &f.origins)).union(exists);
            F::new(warnings.into_iter().map(|f| f.value).filter(|w| !w.trim().is_empty()).collect(), origins)
        },
        fails: {
            let fails = rule.fails.iter().filter_map(|f| {
                Some(Arc::new(Failure {
                    sees: write.markdown(&f.sees)?,
                    says: f.says.as_ref().and_then(|t| write.markdown(t)).unwrap_or_default(),
                    goto: F::new(None, exists.clone()),
                }))
            });
            let fails = fails.collect();
            F::new(fails, exists.clone())
        },
        why: F::new(why.clone(), exists.clone()),
        departs: write.optional(rule.departs.as_ref()).map(|reason| reason.filter(|r| !r.trim().is_empty())),
    };
    let own = |id: &Str| Neighbour { id: id.clone(), anywhere: false, origins: Origins::None };
    let mut plain = |list: &[Text]| list.iter().filter_map(|t| write.plain(t)).map(|f| f.value).collect();
    Draft {
        needs: plain(&rule.needs),
        provides: plain(&rule.provides),
        after: rule.after.iter().map(|(id, _)| own(id)).collect(),
        before: Vec::new(),
        gotos: rule.fails.iter().map(|f| f.goto.as_ref().map(|(id, _)| id.clone())).collect(),
        span: Some(rule.head.span),
        exists: exists.clone(),
        rank,
        step,
    }
}

/// Writes the texts of one step, each in its format.
struct Writing<'a, 'r> {
    instance: &'a Instance<'a>,
    scope: &'a Scope<'a>,
    exists: &'a Origins,
    run: &'r mut Run,
    step: &'a Str,
    why: &'a Str,
    /// What lines that wait for answers read.
    lost: Origins,
}

impl Writing<'_, '_> {
    fn shell(&mut self, text: &Text) -> Option<F<Str>> {
        self.write(text, Some(Format::Shell))
    }

    fn markdown(&mut self, text: &Text) -> Option<F<Str>> {
        self.write(text, Some(Format::Markdown))
    }

    fn plain(&mut self, text: &Text) -> Option<F<Str>> {
        self.write(text, None)
    }

    /// A text that may be a list of texts.
    fn list(&mut self, text: &Text) -> Vec<F<Str>> {
        if let Answer::Known(Tracked { value: Value::List(items), origins }) = self.run.text(text, self.scope) {
            let origins = origins.union(self.exists);
            let texts = items.iter().filter_map(|item| Some(F::new(item.value.text()?, origins.union(&item.origins))));
            return texts.collect();
        }
        self.plain(text).into_iter().collect()
    }

    fn optional(&mut self, text: Option<&Text>) -> F<Option<Str>> {
        match text.and_then(|t| self.markdown(t)) {
            Some(text) => text.map(Some),
            None => F::new(None, self.exists.union(&self.lost)),
        }
    }

    fn write(&mut self, text: &Text, format: Option<Format>) -> Option<F<Str>> {
        match self.run.written(text, self.scope, format) {
            Answer::Known(value) => {
                let origins = value.origins.union(self.exists);
                Some(F::new(value.value.text()?, origins))
            }
            Answer::Open(unanswered) => {
                self.lost = Origins::all(unanswered.iter().map(|u| &u.reads)).union(&self.lost);
                self.run.withheld.push(Withheld {
                    product: self.instance.name.clone(),
                    what: format!("a line of runbook step `{}`", self.step),
                    unanswered,
                    why: self.why.clone(),
                    ..Default::default()
                });
                None
            }
            Answer::Poison => None,
        }
    }
}

/// Kahn's algorithm with a sorted set: of all steps that may come next, the one with the least rank.
fn order(drafts: &[Draft], run: &mut Run) -> Vec<usize> {
    let mut successors: Vec<Vec<usize>> = vec![Vec::new(); drafts.len()];
    let mut waiting = vec![0usize; drafts.len()];
    let mut by_id: BTreeMap<(usize, &Str), Vec<usize>> = BTreeMap::new();
    let mut providers: BTreeMap<&Str, Vec<usize>> = BTreeMap::new();
    for (i, draft) in drafts.iter().enumerate() {
        by_id.entry((draft.rank.0, &draft.step.id.value)).or_default().push(i);
        for thing in &draft.provides {
            providers.entry(thing).or_default().push(i);
        }
    }
    let named = |draft: &Draft, neighbour: &Neighbour| -> Vec<usize> {
        let same = by_id.get(&(draft.rank.0, &neighbour.id)).into_iter().flatten().copied();
        match neighbour.anywhere {
            false => same.collect(),
            true => (0..drafts.len()).filter(|i| drafts[*i].step.id.value == neighbour.id).collect(),
        }
    };
    for (i, draft) in drafts.iter().enumerate() {
        for later in draft.before.iter().flat_map(|n| named(draft, n)).filter(|later| *later != i) {
            successors[i].push(later);
            waiting[later] += 1;
        }
        let mut before: BTreeSet<usize> = draft.after.iter().flat_map(|n| named(draft, n)).collect();
        for thing in &draft.needs {
            // What a product provides itself it does not wait for from others, and from products not for what any
            // site has.
            let all = providers.get(thing).map(Vec::as_slice).unwrap_or_default();
            let by = |wanted: usize| all.iter().copied().filter(move |p| drafts[*p].rank.0 == wanted);
            match (by(draft.rank.0).next(), by(0).next()) {
                (Some(_), _) => before.extend(by(draft.rank.0)),
                (None, Some(_)) => before.extend(by(0)),
                (None, None) => before.extend(all),
            }
        }
        before.remove(&i);
        for b in before {
            successors[b].push(i);
            waiting[i] += 1;
        }
    }
    let rank = |i: usize| (drafts[i].rank, i);
    let mut ready: BTreeSet<_> = (0..drafts.len()).filter(|&i| waiting[i] == 0).map(rank).collect();
    let mut order = Vec::with_capacity(drafts.len());
    while let Some((_, i)) = ready.pop_first() {
        order.push(i);
        for &next in &successors[i] {
            waiting[next] -= 1;
            if waiting[next] == 0 {
                ready.insert(rank(next));
            }
        }
    }
    if order.len() < drafts.len() {
        let mut stuck: Vec<usize> = (0..drafts.len()).filter(|i| !order.contains(i)).collect();
        let names: Vec<String> = stuck.iter().map(|&i| format!("`{}`", drafts[i].step.id.value)).collect();
        let mut diag = Diag::new(PACK_CYCLE, format!("these steps wait for each other: {}", names.join(", ")));
        for span in stuck.iter().filter_map(|&i| drafts[i].span) {
            diag = if diag.primary.is_none() { diag.at(span, "") } else { diag.and(span, "") };
        }
        run.findings.push(diag);
        order.append(&mut stuck);
    }
    order
}

/// Numbers the steps. `absent` holds, by rank, what let steps not be there: they would have counted. `gone` is the same of
/// the items that steps may be for.
fn numbered(drafts: Vec<Draft>, order: &[usize], mut absent: Vec<(Rank, Origins)>, gone: &Origins) -> Vec<Arc<Step>> {
    let mut numbers_of: BTreeMap<(usize, Str), Vec<Numbered>> = BTreeMap::new();
    for (n, &i) in order.iter().enumerate() {
        let key = (drafts[i].rank.0, drafts[i].step.id.value.clone());
        numbers_of.entry(key).or_default().push((drafts[i].step.place.clone(), n as i64 + 1));
    }
    // An order that the spec asks for moves all steps between.
    let asked = drafts.iter().flat_map(|d| d.after.iter().chain(&d.before)).map(|n| &n.origins);
    let mut earlier = Origins::all(asked).union(gone);
    let mut drafts: Vec<Option<Draft>> = drafts.into_iter().map(Some).collect();
    let mut last: Rank = (0, 0, 0);
    let mut phase: Option<(usize, Str)> = None;
    let mut begun: BTreeSet<(usize, Str)> = BTreeSet::new();
    let mut steps = Vec::with_capacity(order.len());
    // What any site needs stands among the steps of a product: whatever of the product is missing before the next one of
    // these could have stood before it, too.
    let ranks: Vec<Rank> = order.iter().filter_map(|i| Some(drafts.get(*i)?.as_ref()?.rank)).collect();
    for (n, &i) in order.iter().enumerate() {
        let Some(draft) = drafts[i].take() else { continue };
        let next = ranks.iter().skip(n).find(|rank| draft.rank.0 == 0 && rank.0 != 0);
        let mut step = draft.step;
        // A number counts the steps before it, so it depends on what they depend on.
        earlier = earlier.union(&draft.exists);
        last = last.max(draft.rank).max(next.copied().unwrap_or(draft.rank));
        absent.retain(|(rank, origins)| {
            let before = *rank < last;
            if before {
                earlier = earlier.union(origins);
            }
            !before
        });
        step.number = F::new(n as i64 + 1, earlier.clone());
        let mut here = (draft.rank.0, step.phase.value.clone());
        // What any site needs stands among the steps that it waits for; a heading is not opened twice for it.
        match &phase {
            Some(open) if here.0 == 0 && *open != here && begun.contains(&here) => {
                here = open.clone();
                step.phase = F::new(here.1.clone(), earlier.clone());
            }
            _ => {
                begun.insert(here.clone());
            }
        }
        step.opens_phase = F::new(phase.as_ref() != Some(&here), earlier.clone());
        phase = Some(here);
        let fails = step.fails.value.iter().zip(&draft.gotos).map(|(failure, goto)| {
            let steps = goto.as_ref().and_then(|id| numbers_of.get(&(draft.rank.0, id.clone())));
            let mut failure = (**failure).clone();
            failure.goto = number_at(&step.place, steps.map_or(&[], |s| s), &draft.exists, gone);
            Arc::new(failure)
        });
        step.fails.value = fails.collect();
        steps.push(Arc::new(step));
    }
    steps
}

/// The place of a step, and its number.
type Numbered = (F<Str>, i64);

/// Where a failure leads: of several steps with one name, to the one at the same place, otherwise to the first.
fn number_at(place: &F<Str>, steps: &[Numbered], exists: &Origins, gone: &Origins) -> F<Option<i64>> {
    let same = steps.iter().find(|(at, _)| at.value == place.value).or(steps.first());
    let read = match steps.len() {
        0 => gone.clone(),
        1 => Origins::None,
        _ => Origins::all(steps.iter().map(|(at, _)| &at.origins)).union(&place.origins),
    };
    F::new(same.map(|(_, number)| *number), exists.union(&read))
}

/// The blanks of all instances.
pub fn blanks(instances: &[Instance], site: &Site, run: &mut Run) -> Vec<Arc<Blank>> {
    let mut list = Vec::new();
    for instance in instances {
        let world = instance.world(site);
        let scope = Scope::new(&instance.names, &world);
        for (index, rule) in instance.pack.blanks.values().enumerate() {
            let mut open = Vec::new();
            run.each(&rule.head, &scope, &mut open, &mut |scope, exists, run| {
                let Answer::Known(says) = run.text(&rule.says, scope) else { return };
                let field = |text: Str| F::new(text, exists.clone());
                list.push(Arc::new(Blank {
                    product: field(instance.name.clone()),
                    name: field(rule.name.clone()),
                    mark: field(crate::instance::blank_mark(index).into()),
                    says: F::new(says.value.text().unwrap_or_default(), says.origins.union(exists)),
                    revealed_by: field(rule.revealed_by.clone()),
                }));
            });
        }
    }
    list
}
