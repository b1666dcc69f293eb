//! Text of an nftables file → one table with its chains, and from a chain the exact traffic that it permits.
//!
//! Source of the syntax: nft(8). Understood is one `table inet <name>` that replaces its former self and nothing else
//! of the machine's ruleset, with named sets and base chains. Jumps, maps, negations, variables and includes are
//! refused.

mod rule;
mod tokens;

use std::collections::BTreeMap;

use super::fault::{Fault, Read};
use super::packets::{self, Hook, Permits, Rule};
use rule::SetValue;
use tokens::{Kind, Tokens, list_of};

/// What one file declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruleset {
    pub table: String,
    /// In the order of the text.
    pub chains: Vec<Chain>,
}

/// A base chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    pub name: String,
    pub hook: Hook,
    /// The priority as a number: `filter` is 0, `mangle` is -150.
    pub priority: i32,
    /// Whether what no rule decides is dropped.
    pub drops: bool,
    /// In the order of the text.
    pub rules: Vec<Rule>,
    pub line: usize,
}

impl Chain {
    /// What its rules permit.
    pub fn permits(&self) -> Read<Permits> {
        packets::permits(&self.rules, self.hook)
    }
}

/// The sets that one has read by their text, flags and type: the hosts of a site have most of theirs in common.
#[derive(Default)]
pub struct KnownSets<'a>(BTreeMap<(&'a str, &'a str, Flags), SetValue>);

/// Reads a ruleset file.
pub fn read(text: &str) -> Read<Ruleset> {
    read_with(text, &mut KnownSets::default())
}

/// Reads a ruleset file; sets that are known are not read again.
pub fn read_with<'a>(text: &'a str, known: &mut KnownSets<'a>) -> Read<Ruleset> {
    let mut tokens = Tokens::of(text)?;
    let mut state = Replacing::Nothing;
    let mut table: Option<&str> = None;
    let mut chains = None;
    loop {
        tokens.skip_ends();
        let Some(first) = tokens.next() else { break };
        let line = first.line;
        let verb = first.word()?;
        if chains.is_some() {
            return Err(Fault::new(line, format!("`{verb}` behind the table")));
        }
        let verb = if matches!(verb, "add" | "delete" | "destroy") {
            tokens.expect_word("table")?;
            verb
        } else {
            verb
        };
        if !matches!(verb, "table" | "add" | "delete" | "destroy") {
            return Err(Fault::new(
                line,
                match verb {
                    "flush" => "`flush` touches what is not ours or leaves old sets behind".to_owned(),
                    other => format!("`{other}` is not understood"),
                },
            ));
        }
        tokens.expect_word("inet")?;
        let name = tokens.name("a table's name")?;
        if *table.get_or_insert(name) != name {
            return Err(Fault::new(line, format!("a second table, `{name}`")));
        }
        if verb == "table" && tokens.next_is('{') {
            if state != Replacing::Deleted {
                return Err(Fault::new(line, "the table is not deleted first, so that old rules would stay"));
            }
            chains = Some(table_body(&mut tokens, known)?);
        } else {
            state = match (verb, state) {
                ("table" | "add", Replacing::Nothing) => Replacing::Declared,
                ("delete", Replacing::Declared) | ("destroy", Replacing::Nothing) => Replacing::Deleted,
                ("delete", _) => return Err(Fault::new(line, "a table is deleted that need not exist yet")),
                _ => return Err(Fault::new(line, format!("`{verb}` stands where it has no use"))),
            };
        }
        tokens.expect_end()?;
    }
    match (table, chains) {
        (Some(table), Some(chains)) => Ok(Ruleset { table: table.to_owned(), chains }),
        _ => Err(Fault::new(0, "no table")),
    }
}

/// How far the idiom has come that replaces a table in one transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Replacing {
    Nothing,
    Declared,
    Deleted,
}

/// A named set of addresses or ports.
pub(super) struct NamedSet<'a> {
    kind: &'a str,
    value: SetValue,
}

/// What a set says of its elements.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flags {
    /// They may be networks and ranges.
    interval: bool,
    /// They may overlap.
    merged: bool,
}

/// The elements of a set as they were found.
enum Elements<'a> {
    Line(&'a str),
    Words(Vec<&'a str>),
}

/// What follows `table inet <name> {`, with its closing brace.
fn table_body<'a>(tokens: &mut Tokens<'a>, known: &mut KnownSets<'a>) -> Read<Vec<Chain>> {
    let mut sets = BTreeMap::new();
    let mut chains: Vec<Chain> = Vec::new();
    loop {
        tokens.skip_ends();
        if tokens.next_is('}') {
            return Ok(chains);
        }
        let Some(first) = tokens.next() else { return Err(Fault::new(tokens.line(), "the table is not closed")) };
        let line = first.line;
        let word = first.word()?;
        let name = tokens.name("a name")?;
        tokens.expect('{')?;
        match word {
            "set" => {
                let set = set_body(tokens, line, known)?;
                if sets.insert(name, set).is_some() {
                    return Err(Fault::new(line, format!("the set `{name}` is declared twice")));
                }
            }
            "chain" => {
                if chains.iter().any(|c| c.name == name) {
                    return Err(Fault::new(line, format!("the chain `{name}` is declared twice")));
                }
                chains.push(chain_body(tokens, name, line, &sets)?);
            }
            other => return Err(Fault::new(line, format!("`{other}` is not understood in a table"))),
        }
        tokens.expect_end()?;
    }
}

fn set_body<'a>(tokens: &mut Tokens<'a>, line: usize, known: &mut KnownSets<'a>) -> Read<NamedSet<'a>> {
    let (mut kind, mut elements, mut flags) = (None, Elements::Words(Vec::new()), Flags::default());
    loop {
        tokens.skip_ends();
        if tokens.next_is('}') {
            break;
        }
        let Some(first) = tokens.next() else { return Err(Fault::new(line, "the set is not closed")) };
        match first.word()? {
            "type" => kind = Some(tokens.name("a type")?),
            "flags" => {
                tokens.expect_word("interval")?;
                flags.interval = true;
            }
            "auto-merge" => flags.merged = true,
            "comment" => {
                tokens.string("a comment")?;
            }
            "elements" => {
                tokens.expect('=')?;
                elements = match tokens.next_list() {
                    Some(text) => Elements::Line(text),
                    None => {
                        tokens.expect('{')?;
                        Elements::Words(tokens.elements()?)
                    }
                };
            }
            other => return Err(Fault::new(first.line, format!("`{other}` is not understood in a set"))),
        }
        tokens.expect_end()?;
    }
    let Some(kind) = kind else { return Err(Fault::new(line, "a set without a type")) };
    let value = match elements {
        Elements::Words(words) => rule::set_value(kind, &words, flags, line)?,
        Elements::Line(text) => match known.0.get(&(text, kind, flags)) {
            Some(value) => value.clone(),
            None => {
                let value = rule::set_value(kind, &list_of(text, line)?, flags, line)?;
                known.0.insert((text, kind, flags), value.clone());
                value
            }
        },
    };
    Ok(NamedSet { kind, value })
}

fn chain_body<'a>(
    tokens: &mut Tokens<'a>,
    name: &str,
    line: usize,
    sets: &BTreeMap<&str, NamedSet<'a>>,
) -> Read<Chain> {
    tokens.skip_ends();
    let (hook, priority) = hook_line(tokens)?;
    let mut drops = None;
    let mut rules = Vec::new();
    loop {
        tokens.skip_ends();
        if tokens.next_is('}') {
            break;
        }
        let Some(first) = tokens.peek() else { return Err(Fault::new(line, "the chain is not closed")) };
        let at = first.line;
        if first.kind == Kind::Word("policy") {
            tokens.next();
            let policy = tokens.name("a policy")?;
            let value = match policy {
                "drop" => true,
                "accept" => false,
                other => return Err(Fault::new(at, format!("the policy `{other}` is not understood"))),
            };
            if drops.replace(value).is_some() || !rules.is_empty() {
                return Err(Fault::new(at, "a policy that does not stand beside the hook"));
            }
        } else {
            rules.push(rule::read(tokens, sets, hook)?);
        }
        tokens.expect_end()?;
    }
    let drops = drops.ok_or_else(|| Fault::new(line, format!("the chain `{name}` has no policy")))?;
    Ok(Chain { name: name.to_owned(), hook, priority, drops, rules, line })
}

/// `type filter hook input priority filter;`
fn hook_line(tokens: &mut Tokens) -> Read<(Hook, i32)> {
    for word in ["type", "filter", "hook"] {
        tokens.expect_word(word)?;
    }
    let line = tokens.line();
    let hook = match tokens.name("a hook")? {
        "input" => Hook::Input,
        "prerouting" => Hook::Prerouting,
        "output" => Hook::Output,
        other => return Err(Fault::new(line, format!("the hook `{other}` is not understood"))),
    };
    tokens.expect_word("priority")?;
    let word = tokens.name("a priority")?;
    let mut priority = match word {
        "raw" => -300,
        "mangle" => -150,
        "filter" => 0,
        "security" => 50,
        number => number.parse().map_err(|_| Fault::new(line, format!("the priority `{number}` is not understood")))?,
    };
    for (sign, factor) in [("-", -1), ("+", 1)] {
        if tokens.next_is_word(sign) {
            let offset = tokens.name("an offset")?;
            let offset: i32 =
                offset.parse().map_err(|_| Fault::new(line, format!("the offset `{offset}` is not a number")))?;
            priority += factor * offset.clamp(-1000, 1000);
        }
    }
    tokens.expect_end()?;
    Ok((hook, priority))
}

#[cfg(test)]
mod tests;
