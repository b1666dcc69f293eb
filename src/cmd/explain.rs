//! `sitec explain`: the page of a code, or the list of all codes, those of the packs too.

use std::fmt::Write as _;

use super::packs::available;
use super::pages::pages;
use super::{Exit, Shell, Stop};
use crate::cli::{ExplainArgs, Format};
use crate::diag::{codes, similar_name};

pub fn run(args: &ExplainArgs, shell: &Shell) -> Result<Exit, Stop> {
    let page = match &args.code {
        None => list(shell)?,
        Some(code) => match codes::find(code) {
            Some(row) => row.page.to_string(),
            None => page_of_pack(code, shell)?,
        },
    };
    shell.print(&page)?;
    Ok(Exit::Fine)
}

fn list(shell: &Shell) -> Result<String, Stop> {
    let mut of_packs = Vec::new();
    for pack in available(&shell.project()?) {
        of_packs.extend(pages(&pack)?);
    }
    if shell.format == Format::Json {
        let own = codes::TABLE
            .iter()
            .map(|row| serde_json::json!({ "code": row.code, "name": row.name, "level": row.level.name() }));
        let others = of_packs
            .iter()
            .map(|page| serde_json::json!({ "code": page.code, "name": null, "level": page.level.name() }));
        let codes: Vec<_> = own.chain(others).collect();
        return Ok(format!("{:#}\n", serde_json::json!({ "version": 1, "codes": codes })));
    }
    let mut out = String::new();
    for row in codes::TABLE {
        let _ = writeln!(out, "{}  {:<9} {}", row.code, row.level.name(), row.name);
    }
    out.push_str("\nRequirements of packs:\n");
    let width = of_packs.iter().map(|page| page.code.len()).max().unwrap_or(0);
    for page in &of_packs {
        let _ = writeln!(out, "{:<width$}  {:<9} {}", page.code, page.level.name(), page.says);
    }
    Ok(out)
}

/// The page of a pack's code, made from its `pack.toml`.
fn page_of_pack(code: &str, shell: &Shell) -> Result<String, Stop> {
    let Some((pack, name)) = code.split_once('/') else {
        let known = codes::TABLE.iter().flat_map(|row| [row.code, row.name]);
        return Err(Stop::Usage(match similar_name(code, known) {
            Some(near) => format!("there is no code `{code}`; there is `{near}`"),
            None => format!("there is no code `{code}`; `sitec explain` lists them all"),
        }));
    };
    let packs = available(&shell.project()?);
    let Some(files) = packs.iter().find(|p| &*p.name == pack) else {
        let message = match similar_name(pack, packs.iter().map(|p| &*p.name)) {
            Some(near) => format!("there is no pack `{pack}`; there is `{near}`"),
            None => format!("there is no pack `{pack}`; is `--packs DIR` missing?"),
        };
        return Err(Stop::Usage(message));
    };
    let pages = pages(files)?;
    if let Some(page) = pages.iter().find(|page| page.code == code) {
        return Ok(page.text.clone());
    }
    let known = pages.iter().filter_map(|page| Some(page.code.split_once('/')?.1));
    Err(Stop::Usage(match similar_name(name, known) {
        Some(near) => format!("the pack `{pack}` has no requirement `{name}`; there is `{near}`"),
        None => format!("the pack `{pack}` has no requirement `{name}`; see `sitec packs show {pack}`"),
    }))
}
