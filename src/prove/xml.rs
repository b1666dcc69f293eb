//! Text of an XML file → its elements, as strictly as our own files are written: no documents types, no processing
//! instructions, no text beside elements, attributes in double quotes.

use super::fault::{Fault, Read, plain_lines};

/// One element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    /// In the order of the text.
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    /// Without blanks around it; an element has either children or text.
    pub text: String,
    pub line: usize,
}

const PROLOG: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

/// Reads a document: the prolog, comments, one element.
pub fn read(text: &str) -> Read<Element> {
    drop(plain_lines(text)?);
    let Some(rest) = text.strip_prefix(PROLOG) else { return Err(Fault::new(1, "the first line is not the prolog")) };
    let mut reader = Reader { text, at: text.len() - rest.len() };
    reader.blanks()?;
    let root = reader.element()?;
    reader.blanks()?;
    match reader.rest().is_empty() {
        true => Ok(root),
        false => Err(reader.fault("text behind the document's element")),
    }
}

impl Element {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| &**v)
    }

    /// Refuses attributes of other names than these.
    pub fn only(&self, names: &[&str]) -> Read<()> {
        match self.attributes.iter().find(|(n, _)| !names.contains(&&**n)) {
            None => Ok(()),
            Some((name, _)) => Err(self.fault(format!("`<{}>` has an attribute `{name}`", self.name))),
        }
    }

    /// The value of an attribute that must be there.
    pub fn need(&self, name: &str) -> Read<&str> {
        self.attribute(name).ok_or_else(|| self.fault(format!("`<{}>` has no `{name}`", self.name)))
    }

    /// Refuses an element that holds anything.
    pub fn empty(&self) -> Read<()> {
        match self.children.is_empty() && self.text.is_empty() {
            true => Ok(()),
            false => Err(self.fault(format!("`<{}>` is not empty", self.name))),
        }
    }

    pub fn fault(&self, what: impl Into<String>) -> Fault {
        Fault::new(self.line, what)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn line(&self) -> usize {
        self.text[..self.at].matches('\n').count() + 1
    }

    fn fault(&self, what: impl Into<String>) -> Fault {
        Fault::new(self.line(), what)
    }

    /// Skips blanks and comments.
    fn blanks(&mut self) -> Read<()> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches([' ', '\n']).len();
            let Some(comment) = self.rest().strip_prefix("<!--") else { return Ok(()) };
            match comment.find("--") {
                Some(end) if comment[end..].starts_with("-->") => self.at += 4 + end + 3,
                Some(_) => return Err(self.fault("`--` within a comment")),
                None => return Err(self.fault("a comment without its end")),
            }
        }
    }

    fn name(&mut self) -> Read<String> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '-')).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.fault("a name was to stand here"));
        }
        self.at += end;
        Ok(rest[..end].to_owned())
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn element(&mut self) -> Read<Element> {
        let mut element = Element { line: self.line(), ..Element::default() };
        if !self.take("<") {
            return Err(self.fault("an element was to stand here"));
        }
        element.name = self.name()?;
        while self.take(" ") {
            let name = self.name()?;
            if !self.take("=\"") {
                return Err(self.fault(format!("the attribute `{name}` has no value in double quotes")));
            }
            let rest = self.rest();
            let Some(end) = rest.find(['"', '<', '\n']).filter(|e| rest[*e..].starts_with('"')) else {
                return Err(self.fault(format!("the attribute `{name}` is not closed")));
            };
            if element.attribute(&name).is_some() {
                return Err(self.fault(format!("the attribute `{name}` stands twice")));
            }
            let value = self.plain(&rest[..end])?;
            self.at += end + 1;
            element.attributes.push((name, value));
        }
        if self.take("/>") {
            return Ok(element);
        }
        if !self.take(">") {
            return Err(self.fault(format!("`<{}` is not closed", element.name)));
        }
        let rest = self.rest();
        let text = &rest[..rest.find('<').unwrap_or(rest.len())];
        if !text.trim().is_empty() {
            element.text = self.plain(text)?;
            self.at += text.len();
        }
        loop {
            self.blanks()?;
            if self.take("</") {
                let name = self.name()?;
                return match name == element.name && self.take(">") {
                    true => Ok(element),
                    false => Err(self.fault(format!("`</{name}` where `</{}>` was to stand", element.name))),
                };
            }
            if !element.text.is_empty() {
                return Err(self.fault(format!("`<{}>` has text and elements", element.name)));
            }
            element.children.push(self.element()?);
        }
    }

    /// A text with its entities resolved.
    fn plain(&self, text: &str) -> Read<String> {
        const ENTITIES: [(&str, &str); 6] =
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#96;", "`"), ("&amp;", "&")];
        let (mut out, mut rest) = (String::new(), text);
        while let Some(at) = rest.find('&') {
            out.push_str(&rest[..at]);
            let Some((entity, means)) = ENTITIES.iter().find(|(entity, _)| rest[at..].starts_with(entity)) else {
                return Err(self.fault("a `&` that begins no entity of ours"));
            };
            out.push_str(means);
            rest = &rest[at + entity.len()..];
        }
        out.push_str(rest);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- a -->\n<zone target=\"a &amp; b\">\n  \
                        <entry>10.0.0.1</entry>\n  <x/>\n</zone>\n";

    #[test]
    fn a_document_has_its_elements_and_lines() {
        let root = read(GOOD).expect("good");
        assert_eq!(root.attribute("target"), Some("a & b"));
        assert_eq!((root.children[0].text.as_str(), root.children[1].line), ("10.0.0.1", 5));
    }

    #[test]
    fn what_is_not_plain_is_refused() {
        for (from, to) in [
            ("<?xml", "<xml"),
            ("utf-8", "utf-9"),
            ("<!-- a -->", "<!-- a -- b -->"),
            ("&amp;", "&"),
            ("</entry>", "</entri>"),
            ("<x/>", "<x>"),
            ("<x/>", "x"),
            ("<x/>", "<x a=\"1\" a=\"2\"/>"),
            ("</zone>\n", "</zone>"),
            ("</zone>\n", "</zone><a/>\n"),
            ("target=\"", "target='"),
        ] {
            assert!(read(&GOOD.replacen(from, to, 1)).is_err(), "`{from}` → `{to}`");
        }
    }
}
