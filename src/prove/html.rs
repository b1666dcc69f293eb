//! Text of an HTML page → its tables as plain text, and the places that links within the page lead to.
//!
//! Source of the syntax: the HTML standard, section 13.1, as far as pages here use it: every element is closed, every
//! attribute is quoted, nothing is loaded, and nothing is executed but one script, known by its checksum, that hides rows.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::fault::{Fault, Read};

/// What a page holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub title: String,
    pub tables: Vec<Table>,
    pub ids: BTreeSet<String>,
    /// Where links lead, with their lines.
    pub links: Vec<(String, usize)>,
}

/// One table. Cells are plain text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub id: String,
    pub caption: String,
    pub header: Vec<String>,
    /// Rows of the body, with their lines.
    pub rows: Vec<(Vec<String>, usize)>,
    pub line: usize,
}

/// Elements that have no content.
const VOID: [&str; 3] = ["meta", "br", "hr"];
/// Elements that a page may have. None of them loads anything.
const KNOWN: [&str; 28] = [
    "html", "head", "title", "style", "script", "body", "header", "main", "section", "nav", "footer", "div", "h1",
    "h2", "h3", "p", "ul", "li", "a", "em", "code", "table", "caption", "thead", "tbody", "tr", "th", "td",
];

/// The SHA-256 of the only script, as browsers compare it: the filter of rows.
const SCRIPT: &str = "Hec6QfSUMV5kxT/X6el0CM4FvG37MeG92vGwSdz+zQg=";
/// What a page lets a browser do.
const POLICY: &str = "Content-Security-Policy";

/// The policy under which nothing is loaded and no other script runs.
fn policy() -> String {
    format!("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{SCRIPT}'")
}

/// Reads a page. An element that is not closed, a row of another number of cells than its header, an `id` that stands
/// twice and a link to an `id` that is not there are faults.
pub fn read(text: &str) -> Read<Page> {
    let mut lexer = Lexer { rest: text, line: 1 };
    if lexer.next()? != Some(Token::Doctype) {
        return Err(Fault::new(1, "it does not begin with `<!DOCTYPE html>`"));
    }
    let mut page = Page::default();
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut cell = String::new();
    let mut row: Option<(Vec<String>, usize)> = None;
    let (mut guarded, mut scripts) = (false, 0);
    while let Some(token) = lexer.next()? {
        let line = lexer.line;
        match token {
            Token::Doctype => return Err(Fault::new(line, "a second doctype")),
            Token::Text(text) => {
                let inside = |name: &str| open.iter().any(|(n, _)| n == name);
                if inside("td") || inside("th") || inside("caption") || inside("title") {
                    cell.push_str(&text);
                } else if (inside("table") || !inside("body")) && !text.trim().is_empty() {
                    return Err(Fault::new(line, format!("text outside of a cell: `{}`", text.trim())));
                }
            }
            Token::Open(name, attributes) => {
                let attribute = |key: &str| attributes.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
                if let Some(id) = attribute("id")
                    && !page.ids.insert(id.clone())
                {
                    return Err(Fault::new(line, format!("the id `{id}` stands twice")));
                }
                if let Some(link) = attribute("href") {
                    page.links.push((link, line));
                }
                if let Some(key) = attribute("http-equiv") {
                    if name != "meta" || key != POLICY || attribute("content") != Some(policy()) {
                        return Err(Fault::new(line, format!("`{key}` says something else than it must")));
                    }
                    guarded = scripts == 0;
                }
                let within = open.last().map_or("", |(n, _)| &**n);
                let belongs = match &*name {
                    "table" => !open.iter().any(|(n, _)| n == "table"),
                    "caption" | "thead" | "tbody" => within == "table",
                    "tr" => matches!(within, "thead" | "tbody"),
                    "td" | "th" => within == "tr",
                    // Behind everything that it filters, and once.
                    "script" => within == "body" && guarded && attributes.is_empty() && scripts == 0,
                    _ => true,
                };
                if !belongs {
                    return Err(Fault::new(line, format!("`<{name}>` within `<{within}>`")));
                }
                match &*name {
                    "table" => {
                        let id = attribute("id").ok_or_else(|| Fault::new(line, "a table without an id"))?;
                        page.tables.push(Table { id, line, ..Table::default() });
                    }
                    "tr" => row = Some((Vec::new(), line)),
                    "td" | "th" | "caption" | "title" => cell.clear(),
                    "script" => scripts += 1,
                    _ => {}
                }
                if !VOID.contains(&&*name) {
                    open.push((name, line));
                }
            }
            Token::Close(name) => {
                match open.pop() {
                    Some((last, _)) if last == name => {}
                    Some((last, begin)) => {
                        return Err(Fault::new(line, format!("`</{name}>` where `<{last}>` of line {begin} is open")));
                    }
                    None => return Err(Fault::new(line, format!("`</{name}>` closes nothing"))),
                }
                let table = page.tables.last_mut();
                match (&*name, table, &mut row) {
                    ("title", ..) => page.title = std::mem::take(&mut cell),
                    ("caption", Some(table), _) => table.caption = std::mem::take(&mut cell),
                    ("td" | "th", _, Some((cells, _))) => cells.push(std::mem::take(&mut cell)),
                    ("tr", Some(table), full) => {
                        let (cells, at) = full.take().unwrap_or_default();
                        let header = open.last().is_some_and(|(n, _)| n == "thead");
                        match header {
                            true if table.header.is_empty() => table.header = cells,
                            true => return Err(Fault::new(line, "a second header")),
                            false if cells.len() != table.header.len() => {
                                let (found, meant) = (cells.len(), table.header.len());
                                return Err(Fault::new(line, format!("{found} cells in a table of {meant} columns")));
                            }
                            false => table.rows.push((cells, at)),
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    if let Some((name, line)) = open.last() {
        return Err(Fault::new(*line, format!("`<{name}>` is not closed")));
    }
    for (link, line) in &page.links {
        if !link.strip_prefix('#').is_some_and(|id| page.ids.contains(id)) {
            return Err(Fault::new(*line, format!("the link `{link}` leads nowhere within the page")));
        }
    }
    Ok(page)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Doctype,
    Text(String),
    Open(String, Vec<(String, String)>),
    Close(String),
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Read<Option<Token>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let Some(tag) = self.rest.strip_prefix('<') else {
            let end = self.rest.find('<').unwrap_or(self.rest.len());
            let text = self.take(end);
            return Ok(Some(Token::Text(self.plain(text)?)));
        };
        if tag.starts_with("!DOCTYPE html>") {
            self.take("<!DOCTYPE html>".len());
            return Ok(Some(Token::Doctype));
        }
        let end = self.end_of_tag(tag)?;
        let whole = self.take(end + 2);
        let inner = &whole[1..whole.len() - 1];
        if let Some(name) = inner.strip_prefix('/') {
            return Ok(Some(Token::Close(self.element(name)?)));
        }
        let (name, rest) = inner.split_once(' ').unwrap_or((inner, ""));
        let (name, attributes) = (self.element(name)?, self.attributes(rest)?);
        if name == "script" {
            let Some(end) = self.rest.find("</script>") else { return Err(self.fault("`<script>` is not closed")) };
            if base64(&Sha256::digest(self.take(end))) != SCRIPT {
                return Err(self.fault("a script that is not ours"));
            }
        }
        if name == "style" {
            // Its content is no text; it may not load anything.
            let Some(end) = self.rest.find("</style>") else { return Err(self.fault("`<style>` is not closed")) };
            let style = self.take(end);
            if ["@import", "url(", "expression", "<"].iter().any(|word| style.contains(word)) {
                return Err(self.fault("a style that loads something"));
            }
        }
        Ok(Some(Token::Open(name, attributes)))
    }

    fn fault(&self, what: impl Into<String>) -> Fault {
        Fault::new(self.line, what)
    }
}

impl<'a> Lexer<'a> {
    /// Takes so many bytes and counts their lines.
    fn take(&mut self, length: usize) -> &'a str {
        let (part, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.line += part.matches('\n').count();
        self.rest = rest;
        part
    }

    /// The offset of the `>` that ends a tag, quotes skipped.
    fn end_of_tag(&self, tag: &str) -> Read<usize> {
        let mut quoted = false;
        for (i, c) in tag.char_indices() {
            match c {
                '"' => quoted = !quoted,
                '>' if !quoted => return Ok(i),
                '<' => return Err(self.fault("`<` within a tag")),
                _ => {}
            }
        }
        Err(self.fault("a tag that does not end"))
    }

    fn element(&self, name: &str) -> Read<String> {
        match KNOWN.contains(&name) || VOID.contains(&name) {
            true => Ok(name.to_owned()),
            false => Err(self.fault(format!("`<{name}>` is not an element that a page of ours has"))),
        }
    }

    /// `name="value"`, separated by single blanks. What could run a script has no place here.
    fn attributes(&self, text: &str) -> Read<Vec<(String, String)>> {
        const NAMES: [&str; 10] =
            ["lang", "charset", "name", "content", "http-equiv", "id", "class", "scope", "href", "aria-label"];
        let (mut list, mut rest): (Vec<(String, String)>, &str) = (Vec::new(), text);
        while !rest.is_empty() {
            let (name, tail) = rest.split_once("=\"").ok_or_else(|| self.fault("an attribute without quotes"))?;
            let (value, tail) = tail.split_once('"').ok_or_else(|| self.fault("an attribute without its end"))?;
            if !NAMES.contains(&name) && name != "aria-labelledby" {
                return Err(self.fault(format!("the attribute `{name}` is not one of a page of ours")));
            }
            if list.iter().any(|(n, _)| n == name) {
                return Err(self.fault(format!("the attribute `{name}` stands twice")));
            }
            list.push((name.to_owned(), self.plain(value)?));
            rest = match tail.strip_prefix(' ') {
                Some(tail) => tail,
                None if tail.is_empty() => tail,
                None => return Err(self.fault("attributes that touch")),
            };
        }
        Ok(list)
    }

    /// Text with its character references resolved.
    fn plain(&self, text: &str) -> Read<String> {
        let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(at) = rest.find('&') {
            plain.push_str(&rest[..at]);
            let Some(end) = rest[at..].find(';').map(|i| at + i) else {
                return Err(self.fault("`&` that begins no character reference"));
            };
            let c = match &rest[at + 1..end] {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "#39" => '\'',
                "#96" => '`',
                other => return Err(self.fault(format!("the character reference `&{other};` is not understood"))),
            };
            plain.push(c);
            rest = &rest[end + 1..];
        }
        plain.push_str(rest);
        match plain.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            Some(c) => Err(self.fault(format!("the control character {c:?}"))),
            None => Ok(plain),
        }
    }
}

/// Bytes in base 64, as a policy names checksums.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |part: &[u8]| {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | u32::from(part.get(i).copied().unwrap_or(0)));
        let digit = |i: usize| match i <= part.len() {
            true => char::from(DIGITS[(bits >> (18 - 6 * i) & 63) as usize]),
            false => '=',
        };
        (0..4).map(digit).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>a &amp; b</title>\n\
        <style>\ntd { color: red; }\n</style>\n</head>\n<body>\n<p><a href=\"#t\">x</a></p>\n<table id=\"t\">\n\
        <caption>c</caption>\n<thead><tr><th scope=\"col\">h</th><th scope=\"col\">i</th></tr></thead>\n<tbody>\n\
        <tr><td>&lt;1&gt;</td><td class=\"why\"></td></tr>\n</tbody>\n</table>\n</body>\n</html>\n";

    #[test]
    fn reads_tables() {
        let page = read(GOOD).expect("good");
        assert_eq!(page.title, "a & b");
        let table = &page.tables[0];
        assert_eq!((&*table.id, &*table.caption), ("t", "c"));
        assert_eq!(table.header, ["h", "i"]);
        assert_eq!(table.rows, [(vec!["<1>".to_owned(), String::new()], 16)]);
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn scripts_run_under_a_policy_only() {
        let text = std::fs::read_to_string("templates/base/flows.html.j2").expect("the template");
        let script = &text[text.find("<script>").expect("one")..text.find("</script>").expect("one") + 9];
        let guard = format!("<meta http-equiv=\"{POLICY}\" content=\"{}\">\n<meta", policy());
        let bare = GOOD.replacen("</body>", &format!("{script}\n</body>"), 1);
        let good = bare.replacen("<meta", &guard, 1);
        assert!(read(&good).is_ok(), "{:?}", read(&good));
        assert!(read(&bare).is_err(), "without the policy");
        for (from, to) in [
            ("every", "some"),
            ("'none'", "*"),
            ("'unsafe-inline'; script-src", "'unsafe-inline'; script-src 'unsafe-inline'"),
            ("<script>", "<script class=\"x\">"),
            ("</script>\n", "</script>\n<script></script>\n"),
            (POLICY, "refresh"),
        ] {
            assert!(good.contains(from), "{from}");
            assert!(read(&good.replacen(from, to, 1)).is_err(), "`{from}` → `{to}` goes unnoticed");
        }
        let inside = GOOD.replacen("<meta", &guard, 1).replacen("<p>", &format!("<p>{script}"), 1);
        assert!(read(&inside).is_err(), "a script within a paragraph");
    }

    #[test]
    fn refuses_what_is_not_plain() {
        for (from, to) in [
            ("<td>&lt;1", "<td><b>1</b>"),
            ("<td>&lt;1", "<td><script>1</script>"),
            ("<td>&lt;1", "<td><td>"),
            ("<td>&lt;1", "<td>&1"),
            ("<td>&lt;1", "<td>&nbsp;1"),
            ("&lt;1&gt;</td>", "</td>x"),
            ("<tr><td>", "x<tr><td>"),
            ("<td class=\"why\"></td>", ""),
            ("class=\"why\"", "onclick=\"why\""),
            ("class=\"why\"", "class=why"),
            ("class=\"why\"", "style=\"why\""),
            ("#t", "#u"),
            ("#t", "https://example.org/"),
            ("<p>", "<p id=\"t\">"),
            ("</table>", ""),
            ("color: red", "background: url(x)"),
            ("<!DOCTYPE html>\n", ""),
            ("</html>", "</html></html>"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            assert!(read(&GOOD.replacen(from, to, 1)).is_err(), "`{from}` → `{to}` goes unnoticed");
        }
    }
}
