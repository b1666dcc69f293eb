//! `sitec questions`: what specs leave unanswered, as a page or a table to send to those who can answer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::report::exit_of;
use super::{Exit, Shell, Stop};
use crate::cli::{Format, QuestionsArgs};
use crate::compile::{Compilation, Depth};
use crate::diag::similar_name;
use crate::ir::Question;

pub fn run(args: &QuestionsArgs, shell: &Shell) -> Result<Exit, Stop> {
    let compilations = shell.project()?.compile_all(&args.spec, Depth::Check)?;
    let mut exit = Exit::Fine;
    for (_, compilation) in &compilations {
        if exit_of(&compilation.findings) != Exit::Fine {
            exit = Exit::Findings;
            shell.report(&compilation.findings.errors(), &compilation.sources);
            shell.tell("note: with these errors there may be questions that are not listed\n");
        }
    }
    let sites: Vec<Site<'_>> = compilations.iter().map(|(spec, c)| Site::of(spec, c, &args.who)).collect();
    check_names(args, &compilations)?;
    shell.print(&match shell.format {
        Format::Json => {
            let mut documents: Vec<Json> = sites.iter().map(Site::json).collect();
            let only = if args.spec.is_dir() { None } else { documents.pop() };
            format!("{:#}\n", only.unwrap_or_else(|| json!({ "version": 1, "sites": documents })))
        }
        Format::Csv => csv(&sites),
        _ => sites.iter().map(Site::markdown).collect::<Vec<_>>().join("\n"),
    })?;
    Ok(exit)
}

/// Refuses a name under `--who` that nobody has.
fn check_names(args: &QuestionsArgs, compilations: &[(String, Compilation)]) -> Result<(), Stop> {
    let questions = compilations.iter().filter_map(|(_, c)| c.ir.as_ref()).flat_map(|ir| &ir.questions);
    let known: Vec<&str> = questions.map(|q| &*q.who.value).collect();
    for who in args.who.iter().filter(|who| !known.is_empty() && !known.contains(&who.as_str())) {
        if let Some(near) = similar_name(who, known.iter().copied()) {
            return Err(Stop::Usage(format!("nobody is called `{who}`; there is `{near}`")));
        }
    }
    Ok(())
}

/// The questions of one site, by those who can answer.
struct Site<'a> {
    spec: &'a str,
    name: String,
    by_who: BTreeMap<&'a str, Vec<&'a Question>>,
}

impl<'a> Site<'a> {
    fn of(spec: &'a str, compilation: &'a Compilation, who: &[String]) -> Self {
        let mut by_who: BTreeMap<&str, Vec<&Question>> = BTreeMap::new();
        for question in compilation.ir.iter().flat_map(|ir| &ir.questions) {
            let name = &*question.who.value;
            if who.is_empty() || who.iter().any(|w| w == name) {
                by_who.entry(name).or_default().push(question);
            }
        }
        Self { spec, name: compilation.site_name().unwrap_or_else(|| spec.to_owned()), by_who }
    }

    fn all(&self) -> impl Iterator<Item = &'a Question> {
        self.by_who.values().flatten().copied()
    }

    fn markdown(&self) -> String {
        let mut out = format!("# Open questions of {}\n", cell(&self.name));
        let count = self.all().count();
        if count == 0 {
            out.push_str("\nNothing is left unanswered.\n");
            return out;
        }
        let number = |n: usize| if n == 1 { "1 question".to_owned() } else { format!("{n} questions") };
        let _ =
            writeln!(out, "\n{}. What waits for an answer is left out of the files until it is given.", number(count));
        for (who, questions) in &self.by_who {
            let _ = writeln!(out, "\n## For: {} ({})\n", cell(who), number(questions.len()));
            out.push_str("| question | answer | place in the spec | waits for it | asked by | why |\n");
            out.push_str("| --- | --- | --- | --- | --- | --- |\n");
            for q in questions {
                let waits = q.waits.value.iter().map(|w| cell(w)).collect::<Vec<_>>().join("; ");
                let [ask, place, product, why] = [&q.ask, &q.pointer, &q.product, &q.why].map(|text| cell(text));
                let _ = writeln!(out, "| {ask} |  | {place} | {waits} | {product} | {why} |");
            }
        }
        out
    }

    fn json(&self) -> Json {
        let question = |q: &Question| {
            json!({
                "who": &*q.who.value, "question": &*q.ask.value, "pointer": &*q.pointer.value,
                "product": &*q.product.value, "why": &*q.why.value,
                "waits": q.waits.value.iter().map(|w| &**w).collect::<Vec<_>>(),
            })
        };
        json!({ "version": 1, "spec": self.spec, "site": self.name, "questions": self.all().map(question).collect::<Vec<_>>() })
    }
}

/// One table of all sites, as RFC 4180 has it, every field quoted.
fn csv(sites: &[Site<'_>]) -> String {
    let mut out = String::new();
    let mut row = |fields: &[&str]| {
        let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
        out.push_str(&fields.join(","));
        out.push_str("\r\n");
    };
    row(&["site", "who", "question", "answer", "place in the spec", "waits for it", "asked by", "why"]);
    for site in sites {
        for q in site.all() {
            let waits = q.waits.value.iter().map(|w| &**w).collect::<Vec<_>>().join("; ");
            row(&[
                &site.name,
                &q.who.value,
                &q.ask.value,
                "",
                &q.pointer.value,
                &waits,
                &q.product.value,
                &q.why.value,
            ]);
        }
    }
    out
}

/// A field of CSV. What a spreadsheet would take for a formula begins with an apostrophe.
fn quoted(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("\"{}{}\"", if formula { "'" } else { "" }, field.replace('"', "\"\""))
}

/// Text of one line for a cell of a Markdown table; code between backticks stays code.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        if index > 0 {
            out.push('`');
        }
        let in_code = index % 2 == 1;
        for c in part.chars() {
            match c {
                '\n' | '\r' | '\t' => out.push(' '),
                '|' => out.push_str("\\|"),
                '\\' | '*' | '_' | '<' | '[' | ']' | '#' if !in_code => {
                    out.push('\\');
                    out.push(c);
                }
                c => out.push(c),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_in_their_cells() {
        assert_eq!(cell("a|b `c_d|e` <x>\n*y*"), "a\\|b `c_d\\|e` \\<x> \\*y\\*");
        assert_eq!(quoted("=1+\"2\""), "\"'=1+\"\"2\"\"\"");
    }
}
