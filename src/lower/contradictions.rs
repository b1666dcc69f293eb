//! Where the packs' documents say two things: the contradictions that matter at this site, and how each is read.

use std::sync::Arc;

use crate::instance::{Instance, Run};
use crate::ir::{Contradiction, F};
use crate::pack::expr::Scope;
use crate::site::Site;
use crate::value::Str;

/// The contradictions of all instances, in the order of their packs.
pub fn contradictions(instances: &[Instance], site: &Site, run: &mut Run) -> Vec<Arc<Contradiction>> {
    let mut list: Vec<Arc<Contradiction>> = Vec::new();
    for instance in instances {
        let world = instance.world(site);
        let scope = Scope::new(&instance.names, &world);
        for rule in instance.pack.contradictions.values() {
            // One whose condition cannot be told yet is not read in any way yet.
            run.each(&rule.head, &scope, &mut Vec::new(), &mut |_, origins, _| {
                let field = |text: Str| F::new(text, origins.clone());
                list.push(Arc::new(Contradiction {
                    product: field(instance.name.clone()),
                    code: field(rule.code(&instance.pack.name)),
                    reads: field(instance.pack.source_text(&rule.head.source)),
                    resolved: field(rule.resolved.clone()),
                }));
            });
        }
    }
    list
}
