//! What must hold of the repository itself: its files, its words, its packs.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use sitec::compile::{check_templates, embedded_packs};
use sitec::diag::{Findings, human};
use sitec::emit::Templates;
use sitec::pack::{load, verify};
use sitec::schema::Schema;
use sitec::source::Sources;

/// What may stand at the top of the repository; `.git` and `target` come and go.
const TOP: &[&str] = &[
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "build.rs",
    "clippy.toml",
    "deny.toml",
    "fixtures",
    "fuzz",
    "golden",
    "rustfmt.toml",
    "schema",
    "src",
    "templates",
    "tests",
];

/// Packs that are no product: every site has the one, and the other is the tutorial.
const NO_PRODUCTS: &[&str] = &["base", "demo"];

/// A file of this many lines does more than one thing.
const LONGEST: usize = 700;

fn root() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `src`, with its text.
fn sources() -> BTreeMap<Utf8PathBuf, String> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root().join("src")).into_iter().filter_map(Result::ok) {
        let path = Utf8Path::from_path(entry.path()).expect("paths are UTF-8");
        if path.extension() == Some("rs") {
            let below = path.strip_prefix(root()).expect("below the root").to_owned();
            files.insert(below, fs::read_to_string(path).expect("readable"));
        }
    }
    assert!(files.len() > 50, "only {} Rust files were found", files.len());
    files
}

/// The lines of all sources on which `wrong` holds, as `path:line: text`.
fn lines(wrong: impl Fn(&Utf8Path, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources() {
        let hits = text.lines().enumerate().filter(|(_, line)| wrong(&path, line));
        found.extend(hits.map(|(n, line)| format!("{path}:{}: {}", n + 1, line.trim())));
    }
    found
}

#[test]
fn the_top_of_the_repository_holds_only_what_belongs_there() {
    let entries = root().read_dir_utf8().expect("the repository");
    let mut names: Vec<String> = entries.map(|e| e.expect("readable").file_name().to_owned()).collect();
    names.retain(|n| !TOP.contains(&n.as_str()) && !matches!(n.as_str(), ".git" | "target" | "out"));
    assert!(names.is_empty(), "not at the top: {names:?}");
    let missing: Vec<&&str> = TOP.iter().filter(|n| !root().join(n).exists()).collect();
    assert!(missing.is_empty(), "missing at the top: {missing:?}");
}

#[test]
fn no_rust_file_names_a_product() {
    let packs = embedded_packs();
    let products: Vec<String> = packs.iter().map(|p| p.name.to_lowercase()).collect();
    let products: Vec<&String> = products.iter().filter(|n| !NO_PRODUCTS.contains(&n.as_str())).collect();
    assert!(!products.is_empty(), "there is no product to look for");
    let word = |line: &str, name: &str| {
        line.match_indices(name).any(|(at, _)| {
            let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            !letter(line[..at].chars().next_back()) && !letter(line[at + name.len()..].chars().next())
        })
    };
    let found = lines(|_, line| products.iter().any(|name| word(&line.to_lowercase(), name)));
    assert!(found.is_empty(), "what is known about a product belongs in its pack:\n{}", found.join("\n"));
}

#[test]
fn nothing_is_left_to_do() {
    let marks = ["todo!(", "unimplemented!(", "dbg!(", "FIXME", "XXX"];
    let found = lines(|_, line| marks.iter().any(|m| line.contains(m)));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The clock, the environment and hash order reach no pass; lists of test cases may measure time.
#[test]
fn passes_see_only_their_inputs() {
    let found = lines(|path, line| {
        let shell = path.starts_with("src/cmd");
        let test = path.file_name() == Some("tests.rs");
        (!shell && line.contains("env::var")) || (!shell && !test && line.contains("Instant::now"))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn files_have_one_rooms_worth_of_work() {
    let long = |(path, text): &(Utf8PathBuf, String)| {
        let lines = text.lines().count();
        // A list of test cases grows with what is tested.
        (lines > LONGEST && path.file_name() != Some("tests.rs")).then(|| format!("{path}: {lines} lines"))
    };
    let found: Vec<String> = sources().into_iter().collect::<Vec<_>>().iter().filter_map(long).collect();
    assert!(
        found.is_empty(),
        "more than {LONGEST} lines: look for the second thing that it does\n{}",
        found.join("\n")
    );
}

#[test]
fn rust_files_open_with_what_they_are() {
    let found: Vec<Utf8PathBuf> =
        sources().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();
    assert!(found.is_empty(), "no `//!` in the first line: {found:?}");
}

/// Verifying a pack includes that every template is used and every expression has a type. No run of the program does
/// it again for these packs.
#[test]
fn embedded_packs_load_and_verify_without_findings() {
    let packs = embedded_packs();
    for name in NO_PRODUCTS {
        assert!(packs.iter().any(|p| &*p.name == *name), "the pack `{name}` is not embedded");
    }
    for files in packs {
        let (mut sources, mut findings) = (Sources::default(), Findings::default());
        let pack = load(&files, &mut sources, &mut findings).expect("an embedded pack has a form");
        let schema = Schema::new(&[(files.name.clone(), &*pack.settings_schema)]);
        verify::verify(&pack, &files.name, &schema, &sources, &mut findings);
        let templates = Templates::parse(&pack, &mut sources, &mut findings);
        check_templates(&pack, &files.name, &templates, &schema, &mut findings);
        let report = human::render(&findings, &sources, human::Options::default());
        assert!(findings.iter().next().is_none(), "{}:\n{report}", files.name);
        assert!(files.files.iter().any(|(path, _)| &**path == "pack.toml"));
    }
}

#[test]
fn packs_of_products_have_a_page_and_a_fixture() {
    for pack in embedded_packs().iter().filter(|p| &*p.name != "base") {
        for file in ["README.md", "settings.schema.json"] {
            assert!(root().join("templates").join(&*pack.name).join(file).is_file(), "{} has no {file}", pack.name);
        }
        let fixtures = root().join("fixtures").read_dir_utf8().expect("fixtures");
        let mut names = fixtures.map(|e| e.expect("readable").file_name().to_owned());
        assert!(names.any(|n| n.starts_with(&*pack.name)), "{} has no fixture", pack.name);
    }
}

#[test]
fn the_schema_is_json_with_an_id() {
    let text = fs::read_to_string(root().join("schema/site.schema.json")).expect("the schema");
    let schema: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let id = schema["$id"].as_str().expect("an `$id`");
    assert!(id.starts_with("https://") && id.ends_with("/site.schema.json"), "{id}");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}
