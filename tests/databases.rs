//! Names on a database server that nothing declares, and products that disagree about one role or database.

use sitec::compile::{Compilation, Depth, Inputs, PackFiles, compile};

/// A pack of its own for the test, with these lines in its manifest.
fn pack(name: &str, lines: &str) -> PackFiles {
    let manifest = format!(
        "[pack]\nname = \"{name}\"\ntitle = \"{name}\"\n[pack.document]\nid = \"d\"\ntitle = \"guide of {name}\"\n\
         [cites]\ndb = \"Database\"\n{lines}"
    );
    PackFiles {
        name: name.into(),
        dir: format!("packs/{name}").into(),
        files: vec![("pack.toml".into(), manifest.into())],
    }
}

const SITE: &str = "sitec: 1
site: { name: acme }
networks: { servers: { cidrs: [10.30.8.0/24], role: servers } }
hosts: { pg1: { addresses: [10.30.8.41], os: rocky-9 }, w1: { addresses: [10.30.8.21], os: rocky-9 } }
databases:
  main: { engine: postgresql, version: \"15\", host: pg1, port: 5432, pooler: { kind: pgbouncer, host: pg1, port: 6432 } }
products:
  one: {}
";

fn compiled(packs: &[PackFiles], more: &str) -> Compilation {
    let spec = format!("{SITE}{more}");
    let read = move |_: &str| Ok(spec.clone().into_bytes());
    compile(&Inputs { entry: "site.yaml".into(), read: &read, packs, depth: Depth::Build, threads: 1 })
}

fn messages(compilation: &Compilation, code: &str) -> Vec<String> {
    compilation.findings.iter().filter(|d| d.code == code).map(|d| d.message.clone()).collect()
}

const ROLE: &str = "[[roles]]\nserver = \"main\"\nname = \"portal\"\ncite = \"db\"\n";
const DATABASE: &str = "[[databases]]\nserver = \"main\"\nname = \"portal\"\nowner = \"portal\"\ncite = \"db\"\n";

#[test]
fn names_that_nothing_declares_are_found() {
    let owner = compiled(&[pack("one", &DATABASE.replace("owner = \"portal", "owner = \"portals"))], "");
    assert_eq!(
        messages(&owner, "S0510"),
        ["the database `portal` names the role `portals`, and nothing declares it on `main`"]
    );
    let pooler = "[[poolers]]\nserver = \"main\"\ndatabases = [\"wiki\"]\nusers = [\"portal\"]\ncite = \"db\"\n";
    let pooled = compiled(&[pack("one", &format!("{ROLE}{DATABASE}{pooler}"))], "");
    assert_eq!(messages(&pooled, "S0510"), ["the pooler names the database `wiki`, and nothing declares it on `main`"]);
    let access = "[[access]]\nserver = \"main\"\ndatabase = \"portal\"\nuser = \"reader\"\nclients = '{{ site.hosts.w1 }}'\n\
                  cite = \"db\"\n";
    let access = compiled(&[pack("one", &format!("{ROLE}{DATABASE}{access}"))], "");
    assert_eq!(
        messages(&access, "S0510"),
        ["an access line names the role `reader`, and nothing declares it on `main`"]
    );
    let whole = compiled(&[pack("one", &format!("{ROLE}{DATABASE}"))], "");
    assert!(!whole.findings.has_errors(), "{:?}", whole.findings);
}

#[test]
fn two_owners_of_one_database_are_a_conflict() {
    let other = "[[roles]]\nserver = \"main\"\nname = \"wiki\"\ncite = \"db\"\n[[databases]]\nserver = \"main\"\n\
                 name = \"portal\"\nowner = \"wiki\"\ncite = \"db\"\n";
    let packs = [pack("one", &format!("{ROLE}{DATABASE}")), pack("two", other)];
    let found = compiled(&packs, "  two: {}\n");
    assert_eq!(
        messages(&found, "S0501"),
        ["`one` and `two` give different values for the owner of the database `portal`"]
    );
    assert_eq!(messages(&found, "S0511"), ["`one` and `two` share the database `portal` on `main`"]);
}

#[test]
fn grants_schemas_and_extensions_are_written_and_read_back() {
    let more = "[[roles]]\nserver = \"main\"\nname = \"reports\"\nlogin = false\nconnection_limit = 5\n\
                member_of = [\"pg_monitor\"]\ncite = \"db\"\n";
    let database = DATABASE.replace(
        "cite",
        "locale = \"C\"\nextensions = [\"pgcrypto\"]\nschemas = [\"own\"]\ngrants = [{ role = \"reports\", rights = \"read\" }, \
         { role = \"reports\", schema = \"own\", rights = \"write\" }]\ncite",
    );
    let found = compiled(&[pack("one", &format!("{ROLE}{more}{database}"))], "");
    assert!(!found.findings.has_errors(), "{:?}", found.findings);
    let tree = found.tree.expect("there are no errors");
    let script = tree.files.get("hosts/pg1/postgresql/main.sql").expect("there is a script");
    let text = String::from_utf8(script.bytes.clone()).expect("text");
    for line in [
        "ALTER ROLE \"reports\" NOLOGIN;",
        "ALTER ROLE \"reports\" CONNECTION LIMIT 5;",
        "GRANT \"pg_monitor\" TO \"reports\";",
        "CREATE EXTENSION IF NOT EXISTS \"pgcrypto\";",
        "GRANT SELECT ON ALL TABLES IN SCHEMA \"public\" TO \"reports\";",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \"own\" TO \"reports\";",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!tree.files.contains_key("hosts/pg1/postgresql/main-passwords.sql"), "no role has a password");
}
