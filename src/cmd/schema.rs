//! `sitec schema`: the JSON Schema of the spec, printed, or put where an editor finds it.

use std::fs;
use std::io::Write as _;

use camino::Utf8Path;

use super::{Exit, Shell, Stop};
use crate::cli::SchemaArgs;
use crate::compile::Depth;
use crate::parse::Syntax;
use crate::schema::Schema;

/// The schema's file beside a spec.
const FILE: &str = ".site.schema.json";

pub fn run(args: &SchemaArgs, shell: &Shell) -> Result<Exit, Stop> {
    match (&args.install, &args.spec) {
        (Some(spec), _) => install(spec, shell)?,
        (None, Some(spec)) => shell.print(&schema_of(spec, shell)?)?,
        (None, None) => shell.print(&text(&Schema::new(&[])))?,
    }
    Ok(Exit::Fine)
}

fn text(schema: &Schema) -> String {
    format!("{:#}\n", schema.json())
}

/// The schema with the settings of the packs that a spec uses; without them where the spec cannot be read that far.
fn schema_of(spec: &Utf8Path, shell: &Shell) -> Result<String, Stop> {
    let compilation = shell.compile(spec, Depth::Check)?;
    Ok(compilation.schema.as_ref().map_or_else(|| text(&Schema::new(&[])), text))
}

fn install(spec: &Utf8Path, shell: &Shell) -> Result<(), Stop> {
    let schema = schema_of(spec, shell)?;
    let old = fs::read_to_string(spec).map_err(|e| Stop::Usage(format!("cannot read `{spec}`: {e}")))?;
    let Some(line) = editor_line(Syntax::of(spec.as_str())) else {
        return Err(Stop::Usage(format!("`{spec}` is JSON, which has no comments: tell your editor about `{FILE}`")));
    };
    let file = spec.with_file_name(FILE);
    replace(&file, schema.as_bytes())?;
    let new = with_line(&old, &line);
    if new != old {
        replace(spec, new.as_bytes())?;
    }
    shell.print(&format!("{file}: the schema\n{spec}: {line}\n"))
}

fn editor_line(syntax: Syntax) -> Option<String> {
    match syntax {
        Syntax::Yaml => Some(format!("# yaml-language-server: $schema={FILE}")),
        Syntax::Toml => Some(format!("#:schema ./{FILE}")),
        Syntax::Json => None,
    }
}

/// The text with the editor's line at its beginning, in place of an older one.
fn with_line(text: &str, line: &str) -> String {
    let mark = if text.starts_with('\u{feff}') { "\u{feff}" } else { "" };
    let body = &text[mark.len()..];
    let end = if body.contains("\r\n") { "\r\n" } else { "\n" };
    let older = |l: &&str| l.starts_with("# yaml-language-server:") || l.starts_with("#:schema ");
    match body.lines().take(5).find(older) {
        Some(old) => format!("{mark}{}", body.replacen(old, line, 1)),
        None => format!("{mark}{line}{end}{body}"),
    }
}

/// Puts a file in the place of another at once, with the mode of the old one.
fn replace(path: &Utf8Path, bytes: &[u8]) -> Result<(), Stop> {
    let part = path.with_file_name(format!(".{}.part", path.file_name().unwrap_or("spec")));
    let write = || {
        let mut file = fs::File::create(&part)?;
        file.write_all(bytes)?;
        if let Ok(data) = fs::metadata(path) {
            file.set_permissions(data.permissions())?;
        }
        // What a link names is replaced, not the link.
        fs::rename(&part, fs::canonicalize(path).unwrap_or_else(|_| path.as_std_path().to_owned()))
    };
    write().map_err(|e| Stop::Usage(format!("cannot write `{path}`: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_put_first_once() {
        let line = editor_line(Syntax::Yaml).expect("YAML has comments");
        let once = with_line("sitec: 1\n", &line);
        assert_eq!(once, format!("{line}\nsitec: 1\n"));
        assert_eq!(with_line(&once, &line), once);
        assert_eq!(with_line("\u{feff}a\r\n", "#x"), "\u{feff}#x\r\na\r\n");
        assert_eq!(with_line("# a\n# yaml-language-server: $schema=old\nb\n", "# new"), "# a\n# new\nb\n");
    }
}
