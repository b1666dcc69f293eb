//! Reading the steps of a pack's runbook.

use super::fields::{Reader, Table};
use super::load::list;
use super::manifest::{FailureRule, StepRule};
use crate::node::Node;

/// Reads one step.
pub fn step(node: &Node, r: &mut Reader) -> Option<StepRule> {
    let mut t = Table::new(node, "step");
    let head = r.head(&mut t);
    let id = r.required_string(&mut t, "id");
    let title = r.required_text(&mut t, "title");
    let phase = r.string(&mut t, "phase").unwrap_or_default();
    let rule = StepRule {
        head,
        id: id?,
        phase,
        title: title?,
        at: r.text(&mut t, "place"),
        text: r.text(&mut t, "text"),
        run: r.texts(&mut t, "run"),
        verify: r.texts(&mut t, "verify"),
        verify_text: r.text(&mut t, "verify_text"),
        undo: r.texts(&mut t, "undo"),
        undo_text: r.text(&mut t, "undo_text"),
        files: r.texts(&mut t, "files"),
        warns: r.texts(&mut t, "warns"),
        fails: list(&mut t, r, "fails", failure),
        after: r.strings(&mut t, "after"),
        needs: r.texts(&mut t, "needs"),
        provides: r.texts(&mut t, "provides"),
        departs: r.text(&mut t, "departs"),
    };
    r.finish(&t);
    Some(rule)
}

fn failure(node: &Node, r: &mut Reader) -> Option<FailureRule> {
    let mut t = Table::new(node, "failure");
    let sees = r.required_text(&mut t, "sees");
    let rule =
        FailureRule { sees: sees?, says: r.text(&mut t, "says"), goto: r.strings(&mut t, "goto").into_iter().next() };
    r.finish(&t);
    Some(rule)
}
