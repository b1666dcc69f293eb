//! Items that are one thing and want one of its fields to be different: a finding with both sides, their products and what
//! these rely on.

use super::places::spec_spans;
use crate::diag::Diag;
use crate::diag::codes::CONFLICT;
use crate::instance::{Instance, Run};
use crate::pack::manifest::ItemRule;
use crate::source::{Role, Sources, Span};
use crate::value::{Origins, Str};

/// Places that a finding names for one side.
const SHOWN: usize = 4;

/// Turns the conflicts that were noted while items were united into findings: one for all that two sides disagree about
/// because of the same line.
pub fn conflicts(instances: &[Instance], sources: &Sources, run: &mut Run) {
    let mut causes: Vec<Cause> = Vec::new();
    for (what, a, b) in std::mem::take(&mut run.conflicts) {
        let sides = [&a, &b].map(|origins| side(origins, instances, sources));
        let first = sides.iter().find_map(|side| side.places.first()).copied();
        let names = [sides[0].name(), sides[1].name()];
        match causes.iter_mut().find(|cause| first.is_some() && cause.first == first && cause.names == names) {
            Some(cause) => cause.about.push(what),
            None => causes.push(Cause { first, names, sides, about: vec![what] }),
        }
    }
    for Cause { names: [one, other], sides, about, .. } in causes {
        let what = match about.as_slice() {
            [single] => format!("the {single}"),
            [first, second] => format!("the {first} and the {second}"),
            [first, second, more @ ..] => format!("the {first}, the {second} and {} more", more.len()),
            [] => continue,
        };
        let message = match one == other {
            true => format!("{one} gives two values for {what}"),
            false => format!("{one} and {other} give different values for {what}"),
        };
        let mut diag = Diag::new(CONFLICT, message);
        let shared = |span: &Span| sides.iter().all(|side| side.places.contains(span));
        for (side, otherwise) in sides.iter().zip(["one", "the other"]) {
            let speaker = if one == other { otherwise.to_owned() } else { side.name() };
            for span in side.places.iter().filter(|span| !shared(span)) {
                let text = format!("{speaker} says so here");
                diag = if diag.primary.is_none() { diag.at(*span, text) } else { diag.and(*span, text) };
            }
        }
        // What brings both about, a rule of a pack as a rule.
        for span in sides[0].places.iter().filter(|span| shared(span)) {
            let text = "both come from here";
            diag = if diag.primary.is_none() { diag.at(*span, text) } else { diag.and(*span, text) };
        }
        for note in sides.iter().flat_map(|side| &side.notes) {
            if !diag.notes.contains(note) {
                diag = diag.note(note.clone());
            }
        }
        run.findings.push(diag.help("let one of the two follow the other, or give each of them one of its own"));
    }
}

/// What two sides disagree about because of one line.
struct Cause {
    first: Option<Span>,
    names: [String; 2],
    sides: [Side; 2],
    about: Vec<String>,
}

/// One side of a conflict.
struct Side {
    /// The products that speak; empty for the spec itself.
    products: Vec<Str>,
    /// What they rely on.
    notes: Vec<String>,
    /// Where they say so.
    places: Vec<Span>,
}

impl Side {
    fn name(&self) -> String {
        match self.products.is_empty() {
            true => "the spec".to_owned(),
            false => super::places::words(&self.products, 3),
        }
    }
}

/// Whose items a set of places speaks for.
fn side(origins: &Origins, instances: &[Instance], sources: &Sources) -> Side {
    let all: Vec<Span> = origins.as_slice().iter().filter_map(|p| sources.span_of(*p)).collect();
    let spec = spec_spans(origins, sources);
    let of_pack = |i: &&Instance| {
        !i.product.value.is_null() && i.pack.file.is_some_and(|file| all.iter().any(|s| s.file == file))
    };
    let mut speaking: Vec<&Instance> = instances.iter().filter(of_pack).collect();
    // Of the instances of one pack, that which the values come from.
    let own = |i: &&Instance| {
        let entry: Vec<Span> = spec_spans(&i.product.origins, sources);
        entry.iter().any(|e| spec.iter().any(|s| s.file == e.file && e.start <= s.start && s.end <= e.end))
    };
    let narrowed: Vec<&Instance> = speaking.iter().copied().filter(own).collect();
    if !narrowed.is_empty() {
        speaking = narrowed;
    }
    let mut notes = Vec::new();
    for instance in &speaking {
        let says = |item: &&ItemRule| {
            item.fields
                .values()
                .any(|f| all.iter().any(|s| s.file == f.span.file && f.span.start <= s.start && s.end <= f.span.end))
        };
        if let Some(item) = instance.pack.items.iter().find(says) {
            notes.push(format!("`{}`: {}", instance.name, instance.pack.source_text(&item.head.source)));
        }
    }
    // What every site has puts into files what the spec says: that it does is no reason for anything.
    let mut places = smallest(origins, sources);
    let of_every_site = |s: &Span| instances.iter().any(|i| i.product.value.is_null() && i.pack.file == Some(s.file));
    if places.iter().any(|s| !of_every_site(s)) {
        places.retain(|s| !of_every_site(s));
    }
    places.truncate(SHOWN);
    Side { products: speaking.iter().map(|i| i.name.clone()).collect(), notes, places }
}

/// The places of a set that hold no other one of it: a whole entry says less than the value in it.
fn smallest(origins: &Origins, sources: &Sources) -> Vec<Span> {
    // The whole of a file says nothing.
    let all = origins.as_slice().iter().filter_map(|p| sources.span_of(*p)).filter(|s| s.start > 0);
    let all: Vec<_> = all.filter(|s| sources.line_col(*s).0 > 1 || s.end - s.start < 200).collect();
    let holds = |o: &Span, s: &Span| o != s && o.file == s.file && s.start <= o.start && o.end <= s.end;
    let mut narrow: Vec<_> = all.iter().filter(|s| !all.iter().any(|o| holds(o, s))).copied().collect();
    // Values of the spec first, then what a pack says about them; many places say less than few.
    narrow.sort_by_key(|s| (sources.file(s.file).role != Role::Spec, s.end - s.start, *s));
    narrow
}
