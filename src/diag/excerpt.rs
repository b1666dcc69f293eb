//! The lines of a file that a report shows: places of a file in, a small text with the places in it out.
//!
//! Control characters are replaced, overlong lines are cut around their labels, spans are clamped to the text and to
//! their first line. miette reads line and column from here, so it never scans the file.

use std::collections::BTreeSet;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::source::{FileId, SourceFile, Sources, Span};

/// Some lines of one file.
#[derive(Debug)]
pub(super) struct Excerpt {
    name: String,
    text: String,
    lines: Vec<Line>,
    labels: Vec<At>,
}

/// Where a span stands in the excerpt.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    /// Byte offset and length in the excerpt's text.
    pub start: usize,
    pub len: usize,
    /// Line and column in the file, from 0.
    line: usize,
    column: usize,
}

#[derive(Debug)]
struct Line {
    /// Byte offset in the excerpt's text.
    start: usize,
    /// Number in the file, from 0.
    number: usize,
}

/// Characters of a line that are shown, and how many of them before the first label, in hundredths. A narrow terminal
/// gets what fits on it beside the numbers of lines.
const SHOWN: usize = 200;
const BEFORE: usize = 30;
const NARROW: usize = 100;
const NUMBERS: usize = 6;

impl Excerpt {
    /// The lines of `spans`, which all are of `file`, with one line around each. Labels are in the order of `spans`.
    pub fn of(sources: &Sources, file: FileId, spans: &[Span], width: usize) -> Self {
        let most = if width < NARROW { width.saturating_sub(NUMBERS) } else { SHOWN };
        let source = sources.file(file);
        let clamped: Vec<(usize, usize, usize)> = spans.iter().map(|s| clamp(source, *s)).collect();
        let last = last_line(source);
        let numbers: BTreeSet<usize> =
            clamped.iter().flat_map(|(line, ..)| line.saturating_sub(1)..=(line + 1).min(last.max(*line))).collect();
        let mut excerpt =
            Self { name: clean(&source.name), text: String::new(), lines: Vec::new(), labels: Vec::new() };
        let mut labels: Vec<Option<At>> = vec![None; spans.len()];
        for number in numbers {
            let (line_start, line) = line_text(source, number);
            let line = &*sources.shown(file, line_start, line);
            let on_line = |i: &usize| clamped[*i].0 == number;
            let here: Vec<usize> = (0..spans.len()).filter(on_line).collect();
            let first = here.iter().map(|i| clamped[*i].1 - line_start).min();
            let (window, cut_before, cut_after) = window(line, first.unwrap_or(0), most);
            let start = excerpt.text.len();
            excerpt.lines.push(Line { start, number });
            if cut_before {
                excerpt.text.push('…');
            }
            let body = excerpt.text.len();
            let shown = &line[window.clone()];
            excerpt.text.push_str(&clean_source(shown));
            for i in here {
                let (_, from, to) = clamped[i];
                let inside = |offset: usize| (offset - line_start).clamp(window.start, window.end) - window.start;
                let offset = |o: usize| clean_source(&shown[..inside(o)]).len();
                let before = &line[..from - line_start];
                let column = before.strip_prefix('\u{feff}').unwrap_or(before).chars().count();
                let (a, b) = (offset(from), offset(to));
                labels[i] = Some(At { start: body + a, len: b - a, line: number, column });
            }
            excerpt.text.push_str(if cut_after { "…\n" } else { "\n" });
        }
        excerpt.labels = labels.into_iter().flatten().collect();
        excerpt
    }

    pub fn labels(&self) -> &[At] {
        &self.labels
    }

    fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|l| l.start <= offset).saturating_sub(1)
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (mut first, mut last) = (self.line_of(span.offset()), self.line_of(span.offset() + span.len()));
        if before == 0 && after == 0 {
            // miette asks like this for the line and column in the headline of a frame.
            let at = self.labels.iter().find(|l| l.start == span.offset() && l.len == span.len());
            let (line, column) = at.map_or((0, 0), |l| (l.line, l.column));
            let contents = MietteSpanContents::new_named(self.name.clone(), &[], *span, line, column, 1);
            return Ok(Box::new(contents));
        }
        let follows = |i: usize| self.lines[i].number == self.lines[i - 1].number + 1;
        for _ in 0..before {
            if first > 0 && follows(first) {
                first -= 1;
            }
        }
        for _ in 0..after {
            if last + 1 < self.lines.len() && follows(last + 1) {
                last += 1;
            }
        }
        let start = self.lines.get(first).ok_or(MietteError::OutOfBounds)?.start;
        let end = self.lines.get(last + 1).map_or(self.text.len(), |l| l.start);
        let data = self.text.as_bytes().get(start..end).ok_or(MietteError::OutOfBounds)?;
        let number = self.lines[first].number;
        let range = (start, end - start).into();
        Ok(Box::new(MietteSpanContents::new_named(self.name.clone(), data, range, number, 0, last - first + 1)))
    }
}

/// Line, start and end of a span, on character boundaries within the text of its first line.
fn clamp(source: &SourceFile, span: Span) -> (usize, usize, usize) {
    let text = &*source.text;
    let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    let mut start = boundary(span.start as usize);
    if start == text.len() && text.ends_with('\n') {
        start -= 1;
    }
    let line = source.line_starts().partition_point(|l| *l as usize <= start).saturating_sub(1);
    let (line_start, shown) = line_text(source, line);
    let line_end = line_start + shown.len();
    let start = start.min(line_end);
    let end = boundary(span.end as usize).clamp(start, line_end);
    (line, start, end)
}

fn last_line(source: &SourceFile) -> usize {
    let count = source.line_starts().len();
    // A line end at the end of the text begins no further line.
    if source.text.ends_with('\n') { count.saturating_sub(2) } else { count.saturating_sub(1) }
}

/// The offset and the text of a line, without its line end.
fn line_text(source: &SourceFile, number: usize) -> (usize, &str) {
    let starts = source.line_starts();
    let start = starts.get(number).map_or(source.text.len(), |s| *s as usize);
    let end = starts.get(number + 1).map_or(source.text.len(), |s| *s as usize);
    let line = source.text.get(start..end).unwrap_or_default();
    let line = line.strip_suffix('\n').unwrap_or(line);
    (start, line.strip_suffix('\r').unwrap_or(line))
}

/// The part of a line that is shown so that the byte `first` is in it, and whether it is cut before and behind.
fn window(line: &str, first: usize, most: usize) -> (std::ops::Range<usize>, bool, bool) {
    if line.len() <= most || line.chars().nth(most).is_none() {
        return (0..line.len(), false, false);
    }
    let before = most * BEFORE / 100;
    let back = line[..first].char_indices().rev().take(before).last().map_or(first, |(i, _)| i);
    let start = if line[..first].chars().nth(most - before).is_none() { 0 } else { back };
    let end = line[start..].char_indices().nth(most).map_or(line.len(), |(i, _)| start + i);
    (start..end, start > 0, end < line.len())
}

/// Text of a message without control characters: line ends and tabs become spaces, others a replacement character.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '\n' | '\t') { ' ' } else { harmless(c) }).collect()
}

/// A piece of a line without control characters; tabs stay, a byte order mark goes.
fn clean_source(text: &str) -> String {
    text.chars().filter(|c| *c != '\u{feff}').map(|c| if c == '\t' { c } else { harmless(c) }).collect()
}

/// Replaces what a terminal would act on: control characters and those that turn the direction of text.
fn harmless(c: char) -> char {
    match c {
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}
