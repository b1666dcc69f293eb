//! Reading what a pack demands of a site: requirements, and tables of minimums that become requirements.

use super::expr::{Anchor, Expr, Text};
use super::fields::{Reader, Table};
use super::manifest::{Band, Head, Judgement, Limit, Requirement, Waive};
use crate::diag::Level;
use crate::node::{Data, Node};
use crate::value::Str;

/// Reads one requirement.
pub fn requirement(node: &Node, r: &mut Reader) -> Option<Requirement> {
    let mut t = Table::new(node, "requirement");
    let head = r.head(&mut t);
    let code = r.required_string(&mut t, "code");
    let says = r.required_text(&mut t, "says");
    let level = r.level(&mut t, "level").unwrap_or(Level::Error);
    let judgement = judgement(&mut t, r);
    let requirement = Requirement {
        head,
        code: code?,
        level,
        of: r.expr(&mut t, "of"),
        at: r.expr(&mut t, "at"),
        judgement: judgement?,
        says: says?,
        help: r.text(&mut t, "help"),
        waive: waive(&mut t, r),
        contradiction: r.string(&mut t, "contradiction"),
        ask: r.text(&mut t, "ask"),
        who: r.string(&mut t, "who").unwrap_or_else(|| "customer".into()),
    };
    r.finish(&t);
    if requirement.of.is_none() && !matches!(requirement.judgement, Judgement::That(_)) {
        r.wrong(node, "a requirement with `of`, the place that is judged");
    }
    Some(requirement)
}

fn judgement(t: &mut Table, r: &mut Reader) -> Option<Judgement> {
    let mut found = Vec::new();
    if let Some(expr) = r.expr(t, "that") {
        found.push(Judgement::That(expr));
    }
    for (key, make) in
        [("min", Judgement::Min as fn(Limit) -> Judgement), ("max", Judgement::Max), ("below", Judgement::Below)]
    {
        if let Some(limit) = t.get(key).and_then(|n| r.limit_of(n)) {
            found.push(make(limit));
        }
    }
    for (key, make) in [("one_of", Judgement::OneOf as fn(Vec<Limit>) -> Judgement), ("none_of", Judgement::NoneOf)] {
        if let Some(node) = t.get(key) {
            found.push(make(node.items().iter().filter_map(|n| r.limit_of(n)).collect()));
        }
    }
    if let Some(glob) = r.string(t, "matches") {
        found.push(Judgement::Matches(glob));
    }
    if let Some(node) = t.get("bands") {
        found.push(Judgement::Bands(node.items().iter().filter_map(|n| band(n, r)).collect()));
    }
    if found.len() != 1 {
        r.wrong(
            t.node,
            "a requirement with exactly one of `that`, `min`, `max`, `below`, `one_of`, `none_of`, `matches`, `bands`",
        );
    }
    found.pop()
}

fn band(node: &Node, r: &mut Reader) -> Option<Band> {
    let mut t = Table::new(node, "band");
    let below = t.get("below").and_then(|n| r.limit_of(n));
    let source = match node.get("cite").is_some() || node.get("addition").is_some() {
        true => r.source(&mut t),
        false => None,
    };
    let band = Band {
        below: below?,
        level: r.level(&mut t, "level").unwrap_or(Level::Error),
        waive: waive(&mut t, r),
        says: r.text(&mut t, "says"),
        source,
        place: node.place,
    };
    r.finish(&t);
    Some(band)
}

fn waive(t: &mut Table, r: &mut Reader) -> Waive {
    match t.get("waive") {
        None => Waive::Always,
        Some(node) => match node.scalar_text().map(|s| &**s) {
            Some("always") => Waive::Always,
            Some("never") => Waive::Never,
            _ => r.expr_of(node).map_or(Waive::Always, Waive::When),
        },
    }
}

/// Reads a table of minimums: one requirement per row and column that has a bound.
pub fn minimums(node: &Node, r: &mut Reader) -> Option<Vec<Requirement>> {
    let mut t = Table::new(node, "table of minimums");
    let shared = r.head(&mut t);
    let level = r.level(&mut t, "level").unwrap_or(Level::Error);
    let who = r.string(&mut t, "who").unwrap_or_else(|| "customer".into());
    let help = t.get("help");
    let basis = r.string(&mut t, "basis");
    let columns = r.strings(&mut t, "columns");
    let names = t.get("names");
    let code = r.string(&mut t, "code");
    let rows = t.get("rows").map(Node::items).unwrap_or_default();
    r.finish(&t);
    let mut list = Vec::new();
    for row in rows {
        let cells = row.items();
        let Some(each) = cells.first().and_then(Node::scalar_text) else {
            r.wrong(row, "a row that begins with the expression it is about");
            continue;
        };
        if cells.len() != columns.len() {
            r.wrong(row, &format!("a row of {} cells", columns.len()));
            continue;
        }
        let short = each.rsplit('.').next().unwrap_or(each).replace('_', "-");
        let name = names.and_then(|n| n.get(each)).and_then(Node::scalar_text).cloned();
        let row = Row {
            node: &cells[0],
            each: each.clone(),
            short: match &code {
                Some(prefix) => format!("{prefix}-{short}"),
                None => short.clone(),
            },
            name: name.unwrap_or_else(|| short.replace('-', " ").into()),
            basis: basis.as_ref().map(|b| format!(" ({b})")).unwrap_or_default(),
        };
        for (cell, (column, _)) in cells.iter().zip(&columns).skip(1) {
            if matches!(&cell.data, Data::Text(t) if &**t == "-") {
                continue;
            }
            list.extend(minimum(&row, column, cell, &shared, level, &who, help, r));
        }
    }
    Some(list)
}

struct Row<'n> {
    node: &'n Node,
    each: Str,
    short: String,
    name: Str,
    /// Where the figures come from, as the end of the messages.
    basis: String,
}

#[allow(clippy::too_many_arguments)]
fn minimum(
    row: &Row,
    column: &Str,
    cell: &Node,
    shared: &Head,
    level: Level,
    who: &Str,
    help: Option<&Node>,
    r: &mut Reader,
) -> Option<Requirement> {
    let head = Head {
        place: cell.place,
        span: cell.span,
        source: shared.source.clone(),
        when: shared.when.clone(),
        for_each: Vec::new(),
    };
    let limit = r.limit_of(cell)?;
    let field: Str = column.replace(['.', '_'], "-").into();
    let (from_row, from_cell) = (Anchor::of(r.sources, row.node, &row.each), Anchor::of(r.sources, cell, "\0"));
    let expr = |text: &str, r: &mut Reader| {
        let anchor = if *text == *row.each { from_row } else { from_cell };
        Expr::parse(text, anchor, r.findings)
    };
    let text = |text: &str, r: &mut Reader| Text::parse(text, from_cell, r.findings);
    let is_count = &**column == "count";
    let (for_each, of, says) = match is_count {
        true => (
            Vec::new(),
            expr(&format!("({})|length", row.each), r)?,
            format!(
                "the number of hosts as {} is {{{{ this }}}}, at least {{{{ limit }}}} {} needed{}",
                row.name,
                if cell.scalar_text().is_some_and(|t| &**t == "1") { "is" } else { "are" },
                row.basis
            ),
        ),
        false => (
            vec![("each".into(), expr(&row.each, r)?)],
            expr(&format!("each.{column}"), r)?,
            format!(
                "host `{{{{ each }}}}` has {{{{ this }}}} {}{}, {} {} needs {{{{ limit }}}}{}",
                if matches!(&**column, "memory" | "disk") { "of " } else { "" },
                metric(column),
                article(&row.name),
                row.name,
                row.basis
            ),
        ),
    };
    Some(Requirement {
        head: Head { for_each: for_each_of(for_each, shared), ..head },
        code: format!("{}-{field}", row.short).into(),
        level,
        of: Some(of),
        at: None,
        judgement: Judgement::Min(limit),
        says: text(&says, r)?,
        help: help.and_then(|n| r.text_of(n)),
        waive: Waive::Always,
        contradiction: None,
        ask: match is_count {
            true => None,
            false => text(&format!("{} {} does host `{{{{ each }}}}` have?", question_word(column), metric(column)), r),
        },
        who: who.clone(),
    })
}

fn for_each_of(own: Vec<(Str, Expr)>, shared: &Head) -> Vec<(Str, Expr)> {
    shared.for_each.iter().map(|(n, e)| (n.clone(), e.clone())).chain(own).collect()
}

/// How one asks for the figure of a column.
fn question_word(column: &str) -> &'static str {
    match column {
        "cpu" | "iops" | "iops.read" | "iops.write" => "how many",
        "link" => "which",
        _ => "how much",
    }
}

/// The indefinite article of a name; the letters of an abbreviation are spoken one by one.
fn article(name: &str) -> &'static str {
    let word = name.split(' ').next().unwrap_or_default();
    let spelled = word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
    let vowels = if spelled { "AEFHILMNORSX" } else { "AEIOUaeiou" };
    match word.starts_with(|c| vowels.contains(c)) {
        true => "an",
        false => "a",
    }
}

/// The words for a column of a table of minimums.
fn metric(column: &str) -> &str {
    match column {
        "cpu" => "CPU cores",
        "memory" => "memory",
        "disk" => "storage",
        "link" => "network speed",
        "iops.read" => "read IOPS",
        "iops.write" => "write IOPS",
        "iops" => "IOPS",
        other => other,
    }
}
