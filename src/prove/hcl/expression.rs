//! The expressions of HCL: literals, collections, names, calls and strings; operators and loops as far as their names go.

use super::Expr;
use super::reader::{DEPTH_MOST, Reader};
use crate::prove::fault::Read;

const OPERATORS: [&str; 13] = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%"];

impl Reader<'_> {
    pub(super) fn expression(&mut self, depth: usize) -> Read<Expr> {
        if depth > DEPTH_MOST {
            return self.fault("expressions stand too deep within each other");
        }
        let mut value = self.operand(depth)?;
        loop {
            let before = self.at;
            self.blanks(false)?;
            if let Some(operator) = OPERATORS.iter().find(|o| self.rest().starts_with(**o)) {
                self.at += operator.len();
                self.blanks(false)?;
                self.operand(depth + 1)?;
                value = Expr::Other;
            } else if self.take("?") {
                self.blanks(false)?;
                self.expression(depth + 1)?;
                self.blanks(false)?;
                self.need(":")?;
                self.blanks(false)?;
                self.expression(depth + 1)?;
                value = Expr::Other;
            } else {
                self.at = before;
                return Ok(value);
            }
        }
    }

    fn operand(&mut self, depth: usize) -> Read<Expr> {
        if depth > DEPTH_MOST {
            return self.fault("expressions stand too deep within each other");
        }
        if self.take("!") || (self.rest().starts_with('-') && !self.is_number(1)) {
            self.take("-");
            self.blanks(false)?;
            self.operand(depth + 1)?;
            return Ok(Expr::Other);
        }
        let value = self.primary(depth)?;
        if matches!(value, Expr::Reference(_)) {
            return Ok(value);
        }
        // What follows a call, a list or brackets is a step of it.
        let mut stepped = false;
        loop {
            let rest = self.rest();
            if rest.starts_with('.') && !rest.starts_with("...") {
                self.at += 1;
                if !self.take("*") && self.identifier().is_none() && !self.digits() {
                    return self.fault("a name is expected behind the dot");
                }
            } else if rest.starts_with('[') && !matches!(value, Expr::Text(_) | Expr::Number(_)) {
                self.within(
                    "[",
                    "]",
                    |reader| {
                        if reader.take("*") { Ok(()) } else { reader.expression(depth + 1).map(drop) }
                    },
                )?;
            } else {
                break;
            }
            stepped = true;
        }
        Ok(if stepped { Expr::Other } else { value })
    }

    fn primary(&mut self, depth: usize) -> Read<Expr> {
        match self.peek() {
            Some('"') => self.string(depth),
            Some('[') => self.list(depth),
            Some('{') => self.map(depth),
            Some('(') => {
                self.within("(", ")", |reader| reader.expression(depth + 1).map(drop))?;
                Ok(Expr::Other)
            }
            Some('<') if self.rest().starts_with("<<") => self.heredoc(depth),
            Some('-' | '0'..='9') => self.number(),
            _ => self.name(depth),
        }
    }

    /// What stands between brackets.
    fn within<T>(&mut self, open: &str, close: &str, inside: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.need(open)?;
        self.brackets += 1;
        self.blanks(true)?;
        let found = inside(self)?;
        self.blanks(true)?;
        self.brackets -= 1;
        self.need(close)?;
        Ok(found)
    }

    fn is_number(&self, skip: usize) -> bool {
        self.rest().as_bytes().get(skip).is_some_and(u8::is_ascii_digit)
    }

    fn digits(&mut self) -> bool {
        let end = self.rest().find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest().len());
        self.at += end;
        end > 0
    }

    fn number(&mut self) -> Read<Expr> {
        let begin = self.at;
        self.take("-");
        if !self.digits() {
            return self.fault("a number is expected");
        }
        if self.rest().starts_with('.') && self.is_number(1) {
            self.at += 1;
            self.digits();
        }
        if self.rest().starts_with(['e', 'E']) {
            self.at += 1;
            let _ = self.take("+") || self.take("-");
            self.digits();
        }
        Ok(Expr::Number(self.text[begin..self.at].to_owned()))
    }

    fn list(&mut self, depth: usize) -> Read<Expr> {
        self.within("[", "]", |reader| {
            if reader.is_loop() {
                return reader.comprehension(depth, false);
            }
            let mut items = Vec::new();
            loop {
                reader.blanks(true)?;
                if reader.rest().starts_with(']') {
                    return Ok(Expr::List(items));
                }
                items.push(reader.expression(depth + 1)?);
                reader.blanks(true)?;
                if !reader.take(",") && !reader.rest().starts_with(']') {
                    return reader.fault("a comma is expected in the list");
                }
            }
        })
    }

    fn map(&mut self, depth: usize) -> Read<Expr> {
        let around = std::mem::take(&mut self.brackets);
        self.need("{")?;
        self.blanks(true)?;
        if self.is_loop() {
            self.brackets = around + 1;
            let found = self.comprehension(depth, true)?;
            self.blanks(true)?;
            self.brackets = around;
            self.need("}")?;
            return Ok(found);
        }
        let mut entries: Vec<(String, Expr)> = Vec::new();
        loop {
            self.blanks(true)?;
            if self.take("}") {
                self.brackets = around;
                return Ok(Expr::Map(entries));
            }
            let key = self.map_key(depth)?;
            self.blanks(false)?;
            if !self.take("=") && !self.take(":") {
                return self.fault(format!("`=` is expected behind the key `{key}`"));
            }
            self.blanks(false)?;
            let value = self.expression(depth + 1)?;
            if entries.iter().any(|(k, _)| *k == key) {
                return self.fault(format!("the key `{key}` stands twice"));
            }
            entries.push((key, value));
            self.blanks(false)?;
            if !self.take(",") && !self.rest().starts_with(['\n', '}']) {
                return self.fault("two entries of a map stand on one line without a comma");
            }
        }
    }

    fn map_key(&mut self, depth: usize) -> Read<String> {
        if let Some(name) = self.identifier() {
            return Ok(name.to_owned());
        }
        let begin = self.at;
        match self.primary(depth + 1)? {
            Expr::Text(text) => Ok(text),
            _ => Ok(self.text[begin..self.at].to_owned()),
        }
    }

    fn is_loop(&self) -> bool {
        self.rest().strip_prefix("for").is_some_and(|rest| rest.starts_with([' ', '\t', '\n']))
    }

    /// `for a, b in list : value if condition`, in a map `key => value`.
    fn comprehension(&mut self, depth: usize, of_map: bool) -> Read<Expr> {
        self.need("for")?;
        let open = self.locals.len();
        let mut names = Vec::new();
        loop {
            self.blanks(true)?;
            match self.identifier() {
                Some(name) => names.push(name.to_owned()),
                None => return self.fault("the name of a loop is expected"),
            }
            self.blanks(true)?;
            if !self.take(",") {
                break;
            }
        }
        self.need("in")?;
        self.blanks(true)?;
        self.expression(depth + 1)?;
        self.locals.extend(names);
        self.blanks(true)?;
        self.need(":")?;
        self.blanks(true)?;
        self.expression(depth + 1)?;
        self.blanks(true)?;
        if of_map {
            self.need("=>")?;
            self.blanks(true)?;
            self.expression(depth + 1)?;
            self.take("...");
            self.blanks(true)?;
        }
        if self.rest().starts_with("if") {
            self.at += 2;
            self.blanks(true)?;
            self.expression(depth + 1)?;
        }
        self.locals.truncate(open);
        Ok(Expr::Other)
    }

    /// A keyword, a call, or a name with its steps.
    fn name(&mut self, depth: usize) -> Read<Expr> {
        let (begin, line) = (self.at, self.line());
        let Some(first) = self.identifier() else {
            let found: String = self.rest().chars().take(12).collect();
            return self.fault(format!("a value is expected, not `{}`", found.escape_debug()));
        };
        match first {
            "null" => return Ok(Expr::Null),
            "true" | "false" => return Ok(Expr::Bool(first == "true")),
            _ => {}
        }
        if self.rest().starts_with('(') || self.rest().starts_with("::") {
            while self.take("::") {
                self.identifier();
            }
            return self.call(self.text[begin..self.at].to_owned(), depth);
        }
        let mut plain = true;
        loop {
            let rest = self.rest();
            if rest.starts_with('.') && !rest.starts_with("...") {
                self.at += 1;
                if !self.take("*") && self.identifier().is_none() && !self.digits() {
                    return self.fault("a name is expected behind the dot");
                }
            } else if rest.starts_with('[') {
                let known = self.references.len();
                self.within("[", "]", |reader| {
                    if reader.take("*") {
                        return Ok(());
                    }
                    plain &= matches!(reader.expression(depth + 1)?, Expr::Number(_) | Expr::Text(_));
                    Ok(())
                })?;
                plain &= self.references.len() == known;
            } else {
                break;
            }
        }
        let text = self.text[begin..self.at].to_owned();
        if !self.locals.iter().any(|name| name == first) {
            self.references.push((text.clone(), line));
        }
        Ok(if plain { Expr::Reference(text) } else { Expr::Other })
    }

    fn call(&mut self, name: String, depth: usize) -> Read<Expr> {
        let args = self.within("(", ")", |reader| {
            let mut args = Vec::new();
            loop {
                reader.blanks(true)?;
                if reader.rest().starts_with(')') {
                    return Ok(args);
                }
                args.push(reader.expression(depth + 1)?);
                reader.blanks(true)?;
                let _ = reader.take("...");
                if !reader.take(",") && !reader.rest().starts_with(')') {
                    return reader.fault("a comma is expected between arguments");
                }
            }
        })?;
        Ok(Expr::Call(name, args))
    }

    /// A string in quotes, with what is put in.
    fn string(&mut self, depth: usize) -> Read<Expr> {
        self.need("\"")?;
        let mut parts: Vec<Expr> = Vec::new();
        let mut text = String::new();
        loop {
            let Some(c) = self.peek() else { return self.fault("a string has no end") };
            match c {
                '"' => {
                    self.at += 1;
                    break;
                }
                '\n' => return self.fault("a string goes over the end of its line"),
                '\\' => text.push(self.escape()?),
                _ if self.rest().starts_with("$${") || self.rest().starts_with("%%{") => {
                    text.push(c);
                    text.push('{');
                    self.at += 3;
                }
                _ if self.rest().starts_with("${") || self.rest().starts_with("%{") => {
                    if !text.is_empty() {
                        parts.push(Expr::Text(std::mem::take(&mut text)));
                    }
                    parts.push(self.inserted(depth)?);
                }
                c => {
                    text.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
        if parts.is_empty() {
            return Ok(Expr::Text(text));
        }
        if !text.is_empty() {
            parts.push(Expr::Text(text));
        }
        Ok(Expr::Join(parts))
    }

    /// `${ expression }`, or a directive, of which only the names count.
    fn inserted(&mut self, depth: usize) -> Read<Expr> {
        let directive = self.rest().starts_with('%');
        self.at += 2;
        self.take("~");
        self.brackets += 1;
        self.blanks(true)?;
        let mut found = Expr::Other;
        if directive {
            let word = self.identifier().unwrap_or_default();
            self.blanks(true)?;
            match word {
                "if" => drop(self.expression(depth + 1)?),
                "for" => return self.fault("a loop in a string is not understood"),
                _ => {}
            }
        } else {
            found = self.expression(depth + 1)?;
        }
        self.blanks(true)?;
        self.brackets -= 1;
        self.take("~");
        self.need("}")?;
        Ok(found)
    }

    fn escape(&mut self) -> Read<char> {
        self.at += 1;
        let Some(c) = self.peek() else { return self.fault("a string has no end") };
        self.at += c.len_utf8();
        let length = match c {
            'n' => return Ok('\n'),
            't' => return Ok('\t'),
            'r' => return Ok('\r'),
            '"' | '\\' => return Ok(c),
            'u' => 4,
            'U' => 8,
            other => return self.fault(format!("`\\{other}` is no escape")),
        };
        let code = self.rest().get(..length).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code.and_then(char::from_u32) {
            Some(c) => {
                self.at += length;
                Ok(c)
            }
            None => self.fault("an escape names no character"),
        }
    }

    /// A text over several lines.
    fn heredoc(&mut self, depth: usize) -> Read<Expr> {
        self.at += 2;
        self.take("-");
        let Some(mark) = self.identifier() else { return self.fault("the mark of a here-document is expected") };
        self.need("\n")?;
        loop {
            let rest = self.rest();
            let line = rest.split('\n').next().unwrap_or_default();
            if line.trim() == mark {
                self.at += line.len();
                return Ok(Expr::Other);
            }
            if !rest.contains('\n') {
                return self.fault(format!("the here-document `{mark}` has no end"));
            }
            let end = self.at + line.len();
            while self.at < end {
                let rest = self.rest();
                if rest.starts_with("$${") || rest.starts_with("%%{") {
                    self.at += 3;
                } else if rest.starts_with("${") {
                    self.inserted(depth)?;
                } else {
                    self.at += rest.chars().next().map_or(1, char::len_utf8);
                }
            }
            if !self.take("\n") {
                return self.fault("something put in goes over the end of its line");
            }
        }
    }
}
