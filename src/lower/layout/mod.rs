//! From a value to the lines of a file in its format, each line with what it comes from.

mod hcl;
mod json;
mod toml;
mod yaml;

use std::sync::Arc;

use crate::emit::escape::{Context, Form, Format, Refusal, escape};
use crate::ir::{F, TextLine};
use crate::value::{Origins, Tracked, Value};

/// The formats that a value can be laid out in.
pub const FORMATS: [Format; 5] = [Format::Yaml, Format::Json, Format::Toml, Format::Hcl, Format::Compose];

/// A file while it is written.
#[derive(Debug)]
pub struct Page {
    format: Format,
    /// What every line comes from beside its own reasons.
    always: Origins,
    pub lines: Vec<Arc<TextLine>>,
    /// What the format has no way to write, with its origins.
    pub refused: Vec<(Refusal, Origins)>,
}

impl Page {
    pub fn new(format: Format, always: Origins) -> Self {
        Self { format, always, lines: Vec::new(), refused: Vec::new() }
    }

    /// Adds a value as a whole file, or as one more document of it.
    pub fn write(&mut self, body: &Tracked) {
        match self.format {
            Format::Json => json::write(self, body),
            Format::Toml => toml::write(self, body),
            Format::Hcl => hcl::write(self, body),
            _ => yaml::write(self, body),
        }
    }

    fn line(&mut self, text: String, origins: &Origins) {
        let text = F::new(text.into(), origins.union(&self.always));
        self.lines.push(Arc::new(TextLine { text }));
    }

    /// A scalar as the format has it; nothing where it cannot be written, which is noted.
    fn scalar(&mut self, value: &Value, origins: &Origins) -> String {
        self.written(Form::Token, value, origins)
    }

    /// A key in a map.
    fn key(&mut self, key: &str, origins: &Origins) -> String {
        self.written(Form::Key, &Value::str(key), origins)
    }

    fn written(&mut self, form: Form, value: &Value, origins: &Origins) -> String {
        match escape(self.format, Context::By(form), value) {
            Ok(text) => text,
            Err(refusal) => {
                self.refused.push((refusal, origins.clone()));
                String::new()
            }
        }
    }

    fn refuse(&mut self, why: String, help: &str, origins: &Origins) {
        self.refused.push((Refusal::new(why).help(help), origins.clone()));
    }
}

/// A part of a value, with the reasons of the whole.
fn below(part: &Tracked, whole: &Origins) -> Tracked {
    Tracked { value: part.value.clone(), origins: part.origins.union(whole) }
}

fn pad(depth: usize) -> String {
    "  ".repeat(depth)
}

#[cfg(test)]
mod tests;
