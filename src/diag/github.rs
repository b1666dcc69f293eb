//! Findings in, workflow commands of GitHub Actions out: one annotation for each, at its line in the review.

use super::{Diag, Findings, Level};
use crate::source::Sources;

/// Renders all findings, one line each: `::error file=site.yaml,line=4,col=5,endColumn=11,title=S0201::message`.
pub fn render(findings: &Findings, sources: &Sources) -> String {
    findings.iter().map(|diag| annotation(diag, sources)).collect()
}

fn annotation(diag: &Diag, sources: &Sources) -> String {
    // GitHub has three levels; a question is nobody's fault.
    let command = match diag.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Question | Level::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(label) = &diag.primary {
        let file = sources.file(label.span.file);
        let (line, column) = sources.line_col(label.span);
        let (end_line, end_column) = sources.line_col(crate::source::Span { start: label.span.end, ..label.span });
        properties.push(format!("file={}", property(&file.name)));
        properties.push(format!("line={line}"));
        properties.push(format!("col={column}"));
        if end_line == line {
            // The end is inclusive, and columns are only taken for a single line.
            properties.push(format!("endColumn={}", end_column.saturating_sub(1).max(column)));
        }
    }
    properties.push(format!("title={}", property(&format!("{}[{}]", diag.level.name(), diag.code))));
    let mut text = diag.message.clone();
    for label in &diag.secondary {
        let said = if label.text.is_empty() { "see also" } else { &label.text };
        text.push_str(&format!("\n{said}: {}", sources.show(label.span)));
    }
    for note in &diag.notes {
        text.push_str(&format!("\nnote: {note}"));
    }
    if let Some(help) = super::human::help(diag) {
        text.push_str(&format!("\nhelp: {help}"));
    }
    format!("::{command} {}::{}\n", properties.join(","), message(&text))
}

/// What a command would read as its own end is written in percent.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// In a property `:` and `,` have a meaning as well.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::codes;
    use crate::source::{Role, Span};

    #[test]
    fn one_annotation_for_each_and_nothing_breaks_out() {
        let mut sources = Sources::default();
        let file = sources.add("a,b:c%.yaml", "x: 1\ny: é zz\n", Role::Spec);
        let mut findings = Findings::default();
        let at = Span::new(file, 11, 13);
        findings
            .push(Diag::new(codes::SYNTAX, "bad\n::error::100%").at(at, "").help("h").and(Span::new(file, 0, 1), ""));
        findings.push(Diag::with_code("demo/x", Level::Question, "who knows?"));
        assert_eq!(
            render(&findings, &sources),
            "::error file=a%2Cb%3Ac%25.yaml,line=2,col=6,endColumn=7,title=error[S0002]::\
             bad%0A::error::100%25%0Asee also: a,b:c%25.yaml:1:1%0Ahelp: h\n\
             ::notice title=question[demo/x]::who knows?\n"
        );
    }
}
