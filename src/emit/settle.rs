//! Settling: where every interpolation of a template stands, found by following its literal text.

use super::escape::position::{Violation, Ways};
use super::template::{At, Stmt, Template};
use crate::diag::{Diag, Findings, codes};

/// Sets the context of every interpolation. Reports those that are no whole tokens; returns whether there were none.
pub(super) fn settle(template: &mut Template, findings: &mut Findings) -> bool {
    let mut walk = Walk { found: Vec::new(), loops: 0 };
    let mut body = std::mem::take(&mut template.body);
    walk.body(&mut body, &mut Ways::new(template.format), "");
    template.body = body;
    let format = template.format;
    for m in &mut template.macros {
        walk.body(&mut m.body, &mut Ways::new(format), "");
    }
    let fine = walk.found.is_empty();
    for (at, violation) in walk.found {
        let diag = Diag::new(codes::TEMPLATE_POSITION, violation.message).at(template.span(at), "");
        findings.push(diag.help(violation.help));
    }
    fine
}

struct Walk {
    found: Vec<(At, Violation)>,
    loops: usize,
}

/// Loops nested deeper than this are followed once instead of twice, which keeps the work linear.
const LOOPS: usize = 6;

impl Walk {
    /// Follows statements. `next` is the literal text that stands behind them.
    fn body(&mut self, body: &mut [Stmt], ways: &mut Ways, next: &str) {
        for i in 0..body.len() {
            let (head, tail) = body.split_at_mut(i + 1);
            let next = match tail.first() {
                Some(Stmt::Raw(text, _)) => text.clone(),
                Some(_) => "".into(),
                None => next.into(),
            };
            self.statement(&mut head[i], ways, &next);
        }
    }

    fn statement(&mut self, stmt: &mut Stmt, ways: &mut Ways, next: &str) {
        match stmt {
            Stmt::Raw(text, offset) => {
                if let Err(violation) = ways.feed(text) {
                    let at = *offset + violation.offset as u32;
                    self.found.push(((at, at + 1), violation));
                }
            }
            Stmt::Write(write) if write.raw => {}
            Stmt::Write(write) => match ways.interpolation(write.context, next) {
                Ok(context) => write.context = context,
                Err(violation) => self.found.push((write.at, violation)),
            },
            Stmt::If(branches) => {
                let before = ways.clone();
                let mut after: Option<Ways> = None;
                let arms = branches.arms.iter_mut().map(|(_, body)| body).chain([&mut branches.otherwise]);
                for body in arms {
                    let mut way = before.clone();
                    self.body(body, &mut way, next);
                    match &mut after {
                        Some(after) => after.join(way),
                        None => after = Some(way),
                    }
                }
                *ways = after.unwrap_or(before);
            }
            Stmt::For(l) => {
                let before = ways.clone();
                self.loops += 1;
                if self.loops <= LOOPS {
                    // The end of the body meets its head.
                    let mut silent = Walk { found: Vec::new(), loops: self.loops };
                    silent.body(&mut l.body.clone(), ways, "");
                    ways.join(before.clone());
                }
                let head = match l.body.first() {
                    Some(Stmt::Raw(text, _)) => text.clone(),
                    _ => next.into(),
                };
                self.body(&mut l.body, ways, &head);
                self.loops -= 1;
                let mut otherwise = before.clone();
                self.body(&mut l.otherwise, &mut otherwise, next);
                ways.join(otherwise);
            }
            Stmt::Capture { body, .. } => {
                // Text of its own, put in place later.
                let mut own = ways.fresh();
                self.body(body, &mut own, "");
            }
            Stmt::Laid { body, .. } => self.body(body, ways, next),
            Stmt::Include(..) | Stmt::Paste { .. } | Stmt::Call(_) => {}
        }
    }
}
