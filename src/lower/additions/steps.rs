//! Steps that the site adds to the runbook: what the spec says of them in, drafts for the order of steps out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Additions, is_faulty, reason};
use crate::check::places::spec_span;
use crate::diag::codes::{UNKNOWN_NAME, UNWRITABLE};
use crate::diag::{Diag, similar_name};
use crate::emit::escape::{Context, Format, escape};
use crate::instance::Run;
use crate::ir::{F, Step, StepCommand};
use crate::lower::peers::deep_origins;
use crate::lower::steps::{Draft, Neighbour};
use crate::source::Sources;
use crate::value::{Origins, Str, Tracked, Value};

/// The phase that they stand under.
pub const PHASE: &str = "Additions of the site";

/// Adds the drafts of all additions behind those of the packs.
pub(in crate::lower) fn steps(additions: &[Additions], sources: &Sources, drafts: &mut Vec<Draft>, run: &mut Run) {
    let first = drafts.len();
    for (index, addition) in additions.iter().enumerate() {
        for (number, (_, entry)) in addition.entries("steps").filter(|(_, e)| !is_faulty(e)).enumerate() {
            let mut write = Writing { entry, exists: deep_origins(entry), sources, run };
            let step = write.step(addition.product, number);
            let exists = write.exists;
            let before = names(entry, "before");
            // Behind all others; what something waits for does not wait for the rest of the additions.
            let last = usize::MAX - usize::from(!before.is_empty());
            let mut draft = Draft::new(step, (last, index, number), exists);
            draft.after = names(entry, "after");
            draft.before = before;
            drafts.push(draft);
        }
    }
    let known: BTreeSet<Str> = drafts.iter().map(|d| d.step.id.value.clone()).collect();
    for draft in &drafts[first..] {
        for neighbour in draft.after.iter().chain(&draft.before).filter(|n| !known.contains(&n.id)) {
            let span = spec_span(&neighbour.origins, sources);
            let message = format!("the runbook of this site has no step `{}`", neighbour.id);
            let mut diag = Diag::new(UNKNOWN_NAME, message).at_maybe(span, "named here");
            if let Some(near) = similar_name(&neighbour.id, known.iter().map(|k| &**k)) {
                diag = diag.help(format!("there is a step `{near}`"));
            }
            run.findings.push(diag);
        }
    }
}

fn names(entry: &Tracked, key: &str) -> Vec<Neighbour> {
    let items = entry.get(key).map(Tracked::items).unwrap_or_default();
    let name = |i: &Tracked| Some(Neighbour { id: i.value.text()?, anywhere: true, origins: i.origins.clone() });
    items.iter().filter_map(name).collect()
}

/// Writes the texts of one step.
struct Writing<'a, 'r> {
    entry: &'a Tracked,
    exists: Origins,
    sources: &'a Sources,
    run: &'r mut Run,
}

impl Writing<'_, '_> {
    fn step(&mut self, product: &Str, number: usize) -> Step {
        let field = |text: Str, exists: &Origins| F::new(text, exists.clone());
        let exists = self.exists.clone();
        let id = self.entry.get("id").and_then(|id| id.value.text());
        let id: Str = id.unwrap_or_else(|| format!("{product}-addition-{}", number + 1).into());
        let (text, commands) = match self.entry.get("do").map(|d| &d.value) {
            Some(Value::List(items)) => (None, items.iter().filter_map(|i| i.value.text()).collect()),
            _ => (self.markdown("do"), Vec::new()),
        };
        let commands = commands.into_iter().map(|text| Arc::new(StepCommand { text: field(text, &exists) })).collect();
        let none = || F::new(Vec::new(), exists.clone());
        Step {
            product: field(product.clone(), &exists),
            number: F::new(0, exists.clone()),
            phase: field(PHASE.into(), &exists),
            opens_phase: F::new(false, exists.clone()),
            title: field(self.markdown("title").unwrap_or_else(|| id.clone()), &exists),
            place: field(self.markdown("where").unwrap_or_default(), &exists),
            text: F::new(text, exists.clone()),
            commands: F::new(commands, exists.clone()),
            files: F::new(Vec::new(), exists.clone()),
            verify: none(),
            verify_text: F::new(self.markdown("verify"), exists.clone()),
            undo: none(),
            undo_text: F::new(self.markdown("undo"), exists.clone()),
            warnings: F::new(Vec::new(), exists.clone()),
            fails: F::new(Vec::new(), exists.clone()),
            why: field(reason(self.entry).value, &exists),
            departs: F::new(None, exists.clone()),
            id: field(id, &exists),
        }
    }

    /// A text in which nothing is markup; blank lines part paragraphs.
    fn markdown(&mut self, key: &str) -> Option<Str> {
        let value = self.entry.get(key)?;
        let text = value.value.text()?;
        let mut paragraphs = Vec::new();
        for paragraph in text.split("\n\n").map(str::trim).filter(|p| !p.is_empty()) {
            match escape(Format::Markdown, Context::TOKEN, &Value::str(paragraph)) {
                Ok(written) => paragraphs.push(written),
                Err(refusal) => {
                    let span = spec_span(&value.origins, self.sources);
                    let mut diag = Diag::new(UNWRITABLE, refusal.message).at_maybe(span, "");
                    diag.help = refusal.help;
                    self.run.findings.push(diag);
                    return None;
                }
            }
        }
        Some(paragraphs.join("\n\n").into())
    }
}
