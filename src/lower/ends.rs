//! From the ends of flows that are written as expressions to addresses. Expressions of one text with the same inputs
//! are evaluated once.

use super::flows::{End, State};
use super::peers::peers;
use crate::instance::{Answer, Run};
use crate::ir::{F, Peers};
use crate::pack::expr::{Expr, Scope};
use crate::pack::manifest::InlineEnd;
use crate::site::Site;
use crate::value::{Origins, Str, Tracked};

/// As many evaluations are remembered: the rules of a pack for one cluster follow each other.
const REMEMBERED: usize = 16;

/// The ends that were evaluated last.
#[derive(Default)]
pub(super) struct InlineEnds {
    remembered: Vec<Remembered>,
}

/// An expression and what it read, with what it came to. No origins of the expression's own place are in it.
struct Remembered {
    text: Str,
    inputs: Vec<Tracked>,
    peers: Option<F<Peers>>,
    origins: Origins,
}

/// The end at these addresses; `place` is what its origins lack.
fn state(found: Option<F<Peers>>, origins: &Origins, place: &Origins) -> State {
    match found {
        Some(found) if !found.nets.is_empty() || found.name.is_some() => {
            State::Present(F::new(found.value, found.origins.union(place)))
        }
        _ => State::Absent(origins.union(place)),
    }
}

impl InlineEnds {
    /// An end that is an expression; what it does not answer leaves the flow open.
    pub(super) fn end(&mut self, end: &InlineEnd, scope: &Scope, site: &Site, run: &mut Run) -> End {
        let state = match self.known(&end.is, scope, site) {
            Some(known) => state(known.peers.clone(), &known.origins, &Origins::from(end.is.anchor().place)),
            None => match run.eval(&end.is, scope) {
                Answer::Known(value) => state(peers(&value, site), &value.origins, &Origins::None),
                Answer::Open(open) => State::Open(open),
                Answer::Poison => State::Absent(Origins::None),
            },
        };
        let (label, state) = match run.text(&end.label, scope) {
            Answer::Known(found) => (found.value.text().unwrap_or_default(), state),
            Answer::Open(open) => (end.label.source().clone(), State::Open(open)),
            Answer::Poison => (end.label.source().clone(), State::Absent(Origins::None)),
        };
        End { name: label.clone(), label, component: false, state, listens: Vec::new(), published_on: None }
    }

    /// What an expression comes to; `None` when that is not known.
    fn known(&mut self, expr: &Expr, scope: &Scope, site: &Site) -> Option<&Remembered> {
        let inputs: Vec<Tracked> = expr.names().iter().map(|name| scope.get(name).cloned()).collect::<Option<_>>()?;
        let same = |r: &Remembered| {
            r.text == *expr.text() && r.inputs.iter().zip(&inputs).all(|(before, now)| before.is_same(now))
        };
        if let Some(index) = self.remembered.iter().position(same) {
            return self.remembered.get(index);
        }
        let value = expr.known(scope)?;
        if self.remembered.len() == REMEMBERED {
            self.remembered.remove(0);
        }
        let (text, peers) = (expr.text().clone(), peers(&value, site));
        self.remembered.push(Remembered { text, inputs, peers, origins: value.origins });
        self.remembered.last()
    }
}
