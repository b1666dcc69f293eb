//! What people do and answer: steps, questions, blanks, waivers; how a document is read that contradicts itself.

use std::sync::Arc;

use super::field::item;
use crate::value::Str;

item! {
    /// One command of a step, ready to be typed.
    pub struct StepCommand {
        text: Str,
    }
}

item! {
    /// What may go wrong in a step and where to go then.
    pub struct Failure {
        sees: Str,
        says: Str,
        /// Number of the step to go to, if there is one.
        goto: Option<i64>,
    }
}

item! {
    /// A step of the runbook. Sorted by dependency, numbered from 1. Identity: product, id.
    pub struct Step {
        product: Str,
        id: Str,
        number: i64,
        phase: Str,
        /// Whether it is the first of its phase.
        opens_phase: bool,
        title: Str,
        /// Where it is done: host names, `admin host`, `browser`.
        place: Str,
        text: Option<Str>,
        commands: Vec<Arc<StepCommand>>,
        /// Paths in the artifact tree that it uses.
        files: Vec<Str>,
        verify: Vec<Arc<StepCommand>>,
        verify_text: Option<Str>,
        undo: Vec<Arc<StepCommand>>,
        undo_text: Option<Str>,
        warnings: Vec<Str>,
        fails: Vec<Arc<Failure>>,
        /// Citation or reason.
        why: Str,
        /// Why its place in the order differs from the guide's.
        departs: Option<Str>,
    }
}

item! {
    /// Something that the spec does not answer. Identity: pointer, ask.
    pub struct Question {
        product: Str,
        /// JSON Pointer of the place for the answer.
        pointer: Str,
        ask: Str,
        /// Who can answer it.
        who: Str,
        why: Str,
        /// What waits for the answer: artifacts, values, steps.
        waits: Vec<Str>,
    }
}

item! {
    /// What only the installation itself reveals. Identity: product, name.
    pub struct Blank {
        product: Str,
        name: Str,
        /// Printed in place of the value: `........ (A2)`.
        mark: Str,
        says: Str,
        revealed_by: Str,
    }
}

item! {
    /// Two statements of a document that cannot both hold, where it matters here. Identity: product, code.
    pub struct Contradiction {
        product: Str,
        /// The name under which `sitec explain` has its page.
        code: Str,
        /// The document and its sections.
        reads: Str,
        /// How it is read.
        resolved: Str,
    }
}

item! {
    /// A recorded decision to live with a finding.
    pub struct WaiverRecord {
        code: Str,
        pointer: Str,
        reason: Str,
    }
}
