//! Long YAML text read in parts side by side: cut before lines that are keys of block maps, and put together again.
//!
//! The result is that of reading the text as a whole, places and their numbers included. Where that is not certain
//! (a finding, an anchor, a key given twice, lists or scalars around the cut) there is none, and the text is read as a
//! whole, which says what is wrong.

use std::ops::Range;

use super::tree::Tree;
use super::{VALUES_LIMIT, yaml};
use crate::diag::Findings;
use crate::node::{Data, Entry, Node};
use crate::source::{FileId, Sources, Span};
use crate::spread::{allowed, spread_all};

/// The least length of a part, in bytes: a shorter one is read in less time than a thread takes to begin.
const LEAST: usize = 64 << 10;
/// Into how many parts a text is cut at most.
const MOST: usize = 16;
/// How many lines behind the place that is wanted are looked at for one where a cut can be.
const LINES: usize = 32;

/// A line before which a text is cut.
#[derive(Debug, PartialEq)]
struct Cut {
    /// Where the line begins.
    at: usize,
    /// How far its key is indented.
    column: usize,
    /// The keys that it stands under, the outermost first: where each line begins, and its key.
    above: Vec<(usize, Range<usize>)>,
}

/// Reads a text, the offsets of which count from `base` of the file. `None` where it has to be read as a whole; nothing
/// has been added to `sources` then.
pub(super) fn read(text: &str, base: usize, file: FileId, threads: usize, sources: &mut Sources) -> Option<Node> {
    let parts = if allowed(threads) > 1 { (text.len() / LEAST).min(MOST) } else { 1 };
    let mut cuts: Vec<Cut> = Vec::new();
    for part in 1..parts {
        cuts.extend(near(text, text.len() / parts * part, cuts.last()));
    }
    read_cut(text, base, file, threads, &cuts, sources)
}

/// The first cut that can be made behind a place; `before` is another one before that.
fn near(text: &str, place: usize, before: Option<&Cut>) -> Option<Cut> {
    let ends = text.as_bytes().iter().enumerate().skip(place).filter(|(_, byte)| **byte == b'\n');
    ends.take(LINES).find_map(|(end, _)| cut(text, end + 1, before))
}

/// The cut before the line that begins at an offset: it has to be a key at the begin of a line, all that it stands
/// under has to be keys with nothing behind them, and the line above it has to be complete. What stands above another cut
/// `before` it is known.
fn cut(text: &str, at: usize, before: Option<&Cut>) -> Option<Cut> {
    let line = text[at..].lines().next()?;
    let column = key(line)?.start;
    let (mut indent, mut above, mut last) = (column, Vec::new(), true);
    let mut rest = &text[..at];
    while rest.len() > before.map_or(0, |before| before.at) {
        let start = rest.trim_end_matches('\n').rfind('\n').map_or(0, |end| end + 1);
        let line = rest[start..].trim_end();
        rest = &rest[..start];
        let blanks = line.len() - line.trim_start().len();
        let is_key = || key(line).filter(|key| is_open(line, key));
        match line.trim_start().chars().next() {
            None | Some('#') => continue,
            Some('.' | '-') if blanks == 0 => return None,
            // Its value begins with the line of the cut, or is nothing.
            _ if last && is_key().is_some() => return None,
            _ => last = false,
        }
        if blanks < indent {
            let key = is_key()?;
            above.push((start, start + key.start..start + key.end));
            indent = blanks;
        }
        // What comes above the outermost key has nothing to do with it.
        if indent == 0 {
            break;
        }
    }
    for (start, key) in before.iter().flat_map(|before| before.above.iter().rev()) {
        if key.start - start < indent {
            above.push((*start, key.clone()));
            indent = key.start - start;
        }
    }
    above.reverse();
    (indent == 0 && !last).then_some(Cut { at, column, above })
}

/// Where the key of a line is; `None` of a line that does not begin with a plain one.
fn key(line: &str) -> Option<Range<usize>> {
    let start = line.len() - line.trim_start_matches(' ').len();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let end = line[start..].find(|c| !is_plain(c)).map(|length| start + length)?;
    let behind = line[end..].strip_prefix(':')?;
    let is_key = line[start..end].starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/'))
        && (behind.is_empty() || behind.starts_with(' '));
    is_key.then_some(start..end)
}

/// Whether a line has nothing behind its key.
fn is_open(line: &str, key: &Range<usize>) -> bool {
    let behind = line[key.end + 1..].trim_start_matches(' ');
    behind.is_empty() || behind.starts_with('#') && line[key.end + 1..].starts_with(' ')
}

/// Reads the parts between the cuts.
fn read_cut(
    text: &str,
    base: usize,
    file: FileId,
    threads: usize,
    cuts: &[Cut],
    sources: &mut Sources,
) -> Option<Node> {
    if cuts.is_empty() {
        return None;
    }
    let begins = [0].into_iter().chain(cuts.iter().map(|cut| cut.at));
    let ends = cuts.iter().map(|cut| cut.at).chain([text.len()]);
    let above = [None].into_iter().chain(cuts.iter().map(Some));
    let parts: Vec<_> = begins.zip(ends).zip(above).collect();
    let read = spread_all(threads, &parts, |((begin, end), cut)| {
        let above = cut.map_or(String::new(), |cut| cut.heading(text));
        // The lines above a part stand before it in the text, too, and are no longer there.
        let base = base + begin - above.len();
        part(&(above + &text[*begin..*end]), base, file)
    });
    let read: Vec<(Node, Sources)> = read.into_iter().collect::<Option<_>>()?;
    if read.iter().map(|(_, sources)| sources.places()).sum::<usize>() > VALUES_LIMIT {
        return None;
    }
    // The maps around a cut are made in both parts. As a whole they end where they end in the second one.
    let unfinished = cuts.iter().map(|cut| cut.above.len() + 1).chain([0]);
    let mut places = Vec::new();
    let mut whole: Option<Node> = None;
    for (index, ((mut node, own), unfinished)) in read.into_iter().zip(unfinished).enumerate() {
        let first = u32::try_from(places.len()).ok()?;
        own.each_place(&mut |span| places.push(span));
        moved(&mut node, first);
        whole = Some(match (whole, index.checked_sub(1)) {
            (Some(before), Some(index)) => joined(before, node, &cuts[index], text, base, &mut places)?,
            _ => node,
        });
        places.truncate(places.len().checked_sub(unfinished)?);
    }
    let mut whole = whole?;
    if cuts.iter().any(|cut| !cut.keys_differ(&whole, text)) {
        return None;
    }
    moved(&mut whole, sources.add_places(places));
    Some(whole)
}

/// The tree of a part and its places; `None` where there is anything to be said about it.
fn part(text: &str, base: usize, file: FileId) -> Option<(Node, Sources)> {
    let (mut sources, mut findings) = (Sources::default(), Findings::default());
    let mut tree = Tree::new(&mut sources, file, base, &mut findings);
    let node = yaml::read(text, &mut tree)??;
    let is_plain = !tree.repeats;
    (is_plain && findings.is_empty()).then_some((node, sources))
}

/// Counts the places of a tree on.
fn moved(node: &mut Node, by: u32) {
    if by == 0 {
        return;
    }
    node.place.0 += by;
    match &mut node.data {
        Data::List(items) => items.iter_mut().for_each(|item| moved(item, by)),
        Data::Map(entries) => entries.iter_mut().for_each(|entry| moved(&mut entry.value, by)),
        _ => {}
    }
}

impl Cut {
    /// The lines above the cut that it stands under.
    fn heading(&self, text: &str) -> String {
        let line = |(start, key): &(usize, Range<usize>)| format!("{}:\n", &text[*start..key.end]);
        self.above.iter().map(line).collect()
    }

    /// Whether no map around the cut has a key twice.
    fn keys_differ(&self, whole: &Node, text: &str) -> bool {
        let below = |node, (_, key): &(usize, Range<usize>)| Node::get(node, &text[key.clone()]);
        let maps = std::iter::successors(Some((whole, &self.above[..])), |(node, above)| {
            let (next, deeper) = above.split_first()?;
            Some((below(node, next)?, deeper))
        });
        let differ = |node: &Node| {
            let mut keys: Vec<&str> = node.entries().iter().map(|entry| &*entry.key).collect();
            keys.sort_unstable();
            keys.windows(2).all(|pair| pair[0] != pair[1])
        };
        maps.map(|(node, _)| node).all(differ)
    }
}

/// The tree of two parts that a cut divides; `places` are those of both.
fn joined(before: Node, behind: Node, cut: &Cut, text: &str, base: usize, places: &mut [Span]) -> Option<Node> {
    let column = |key: Span| {
        let start = key.start as usize - base;
        start - text[..start].rfind('\n').map_or(0, |end| end + 1)
    };
    // Both are one map only where their keys stand in one column.
    let mut fits = |first: &Entry| column(first.key_span) == cut.column;
    joined_below(before, behind, base, &cut.above, &mut fits, places)
}

fn joined_below(
    before: Node,
    behind: Node,
    base: usize,
    above: &[(usize, Range<usize>)],
    fits: &mut dyn FnMut(&Entry) -> bool,
    places: &mut [Span],
) -> Option<Node> {
    let Node { place, span, data: Data::Map(second) } = behind else { return None };
    let Data::Map(mut entries) = before.data else { return None };
    let span = Span { start: before.span.start, ..span };
    *places.get_mut(place.0 as usize)? = span;
    let mut second = second.into_iter();
    match above {
        [] => entries.first().filter(|first| fits(first)).map(drop)?,
        [(_, key), deeper @ ..] => {
            let (last, again) = (entries.pop()?, second.next()?);
            let is_it = last.key_span.start as usize == base + key.start && last.key == again.key;
            let value = joined_below(last.value, again.value, base, deeper, fits, places).filter(|_| is_it)?;
            entries.push(Entry { value, ..last });
        }
    }
    entries.extend(second);
    Some(Node { place, span, data: Data::Map(entries) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Role;

    /// Every cut that can be made in a text.
    fn cuts(text: &str) -> Vec<Cut> {
        text.match_indices('\n').filter_map(|(end, _)| cut(text, end + 1, None)).collect()
    }

    /// The tree of a text with all of its places, as a whole and cut.
    fn both(text: &str, cuts: &[Cut]) -> (Option<String>, Option<String>) {
        let mut sources = Sources::default();
        let file = sources.add("site.yaml", text, Role::Spec);
        let mut cut = sources.clone();
        let mut findings = Findings::default();
        let shown = |node: Node, sources: &Sources| {
            let mut places = Vec::new();
            sources.each_place(&mut |span| places.push(span));
            format!("{node:?} {places:?}")
        };
        let mut tree = Tree::new(&mut sources, file, 0, &mut findings);
        let whole = yaml::read(text, &mut tree).flatten().filter(|_| findings.is_empty());
        let whole = whole.map(|node| shown(node, &sources));
        let parts = read_cut(text, 0, file, 1, cuts, &mut cut).map(|node| shown(node, &cut));
        (whole, parts)
    }

    /// Holds each cut of a text, and all of them together, against the text as a whole; gives how many can be made.
    fn compare(name: &str, text: &str) -> usize {
        let mut made = 0;
        let cuts = cuts(text);
        for some in cuts.chunks(1).chain(cuts.chunks(2)).chain(cuts.chunks(3)) {
            let sound = some.iter().all(|cut| both(text, std::slice::from_ref(cut)).1.is_some());
            assert!(!sound || both(text, some).1.is_some(), "{name}: what can be cut at each can be cut at all");
        }
        for pair in cuts.windows(2) {
            assert_eq!(cut(text, pair[1].at, Some(&pair[0])).as_ref(), Some(&pair[1]), "{name}");
        }
        let each = cuts.chunks(1).chain((!cuts.is_empty()).then_some(&cuts[..])).chain(cuts.chunks(3));
        for some in each {
            let (whole, parts) = both(text, some);
            if parts.is_some() {
                made += 1;
                assert!(whole == parts, "{name} cut at {}", text[some[0].at..].lines().next().unwrap_or_default());
            }
        }
        made
    }

    #[test]
    fn every_fixture_can_be_cut_anywhere() {
        let mut made = 0;
        for entry in walkdir::WalkDir::new("fixtures").sort_by_file_name() {
            let path = entry.expect("a path").into_path();
            if path.extension().is_some_and(|end| end == "yaml")
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                made += compare(&path.display().to_string(), &text);
            }
        }
        assert!(made > 3000, "{made}");
    }

    #[test]
    fn a_slip_in_any_line_is_seen_as_in_the_whole() {
        let text = include_str!("../../fixtures/demo/site.yaml");
        let lines: Vec<&str> = text.lines().take(30).collect();
        let mut made = 0;
        for index in 0..lines.len() {
            let (line, others) = (lines[index], |line: String| {
                let (before, behind) = (&lines[..index], &lines[index + 1..]);
                [before, &[line.as_str()], behind].concat().join("\n") + "\n"
            });
            let slips = [
                format!(" {line}"),
                format!("  {line}"),
                line.strip_prefix(' ').unwrap_or_default().to_owned(),
                line.strip_prefix("  ").unwrap_or_default().to_owned(),
                String::new(),
                format!("{line}\n{line}"),
                format!("{line} |"),
                format!("{line} \""),
                format!("{line} ["),
                format!("# {line}"),
                format!("{line}\n..."),
            ];
            for slip in slips {
                let text = others(slip);
                made += compare(&text, &text);
            }
        }
        assert!(made > 3000, "{made}");
    }

    #[test]
    fn what_only_looks_like_keys_is_not_cut() {
        let block = "a:\n  text: |\n    b:\n      c: 1\n      d: 2\nz: 1\n";
        let quoted = "a:\n  text: \"one\n    b:\n      c: 1\n      d: 2\"\nz: 1\n";
        let flow = "a:\n  map: {\n    b: 1,\n    c: 2 }\nz: 1\n";
        let list = "a:\n  - b: 1\n    c: 2\nz: 1\n";
        let at = |text: &str| -> Vec<String> {
            cuts(text).iter().map(|cut| text[cut.at..].lines().next().unwrap_or_default().to_owned()).collect()
        };
        for text in [block, quoted, flow, list] {
            assert_eq!(at(text), ["z: 1"], "{text}");
            assert_eq!(compare("", text), 3, "{text}");
        }
        for text in ["a:\n  b:\n  c: 1\n", "a: 1\n...\nb: 2\n", "a: 1\n---\nb: 2\n", "{ a: 1,\nb: 2 }\n"] {
            assert_eq!(compare("", text), 0, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_left_to_the_whole() {
        for text in [
            "a:\n  b: 1\n  b: 2\n",
            "a: 1\nb: 2\na: 3\n",
            "a:\n    b: 1\n   c: 2\n",
            "a: one\n  two: 1\n",
            "a:\n  one\n  two: 1\n",
            "a: &x 1\nb: *x\n",
            "a: yes\nb: 1\n",
            "a: !t 1\nb: 1\n",
            "a: \"one\nb: two\"\n",
            "a: [1,\nb: 2]\n",
            "a:\n  - 1\n  b: 2\n",
            "a: 1\n b: 2\n",
        ] {
            assert_eq!(compare("", text), 0, "{text}");
        }
    }
}
