//! Findings in, one line for each out, as editors and `grep` read them: `file:line:col: error[S0201]: message`.

use super::Findings;
use super::excerpt::clean;
use crate::source::Sources;

/// Renders all findings, one line each. A finding without a place begins with its level.
pub fn render(findings: &Findings, sources: &Sources) -> String {
    render_some(findings, sources, usize::MAX)
}

/// Renders at most `limit` findings, and how many more there are.
pub fn render_some(findings: &Findings, sources: &Sources, limit: usize) -> String {
    let mut out = String::new();
    for diag in findings.gravest(limit) {
        if let Some(label) = &diag.primary {
            out.push_str(&format!("{}: ", clean(&sources.show(label.span))));
        }
        out.push_str(&format!("{}[{}]: {}\n", diag.level.name(), clean(&diag.code), clean(&diag.message)));
    }
    out.push_str(&super::human::withheld(findings, limit));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Diag, Level, codes};
    use crate::source::{Role, Span};

    #[test]
    fn one_line_for_each() {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml", "x: 1\ny: é z\n", Role::Spec);
        let mut findings = Findings::default();
        findings.push(Diag::new(codes::SYNTAX, "bad\nthing").at(Span::new(file, 11, 12), ""));
        findings.push(Diag::with_code("demo/x", Level::Question, "who knows?"));
        assert_eq!(render(&findings, &sources), "a.yaml:2:6: error[S0002]: bad thing\nquestion[demo/x]: who knows?\n");
    }
}
