//! What validation and decoding say about faulty values: the place, the words, the way out, and nothing twice.

use serde_json::json;

use super::{body, run, run_with};

#[test]
fn unknown_keys_are_labelled_at_the_key() {
    let run = body("hosts:\n  a: { adresses: [10.0.0.1], memory: 8 GiB }\n");
    assert_eq!(run.reports(), ["S0201 adresses: unknown key `adresses` in `a`"]);
    assert_eq!((run.help(), run.replacement()), ("a key with a similar name is `addresses`", "addresses"));
    assert_eq!(run.show("/hosts/a/memory"), "8 GiB");
    // It is taken as it is meant, so that everything else is found in the same run.
    assert_eq!(run.show("/hosts/a/addresses"), "[10.0.0.1]");
}

#[test]
fn unknown_keys_are_compared_with_their_own_siblings() {
    // `cidr` is near to `cidrs` of networks; under a host nothing is near.
    let run = body("networks: { n: { cidr: [10.0.0.0/24] } }\n");
    assert_eq!(run.replacement(), "cidrs");
    let run = body("hosts: { a: { cidr: [10.0.0.0/24] } }\n");
    assert_eq!(run.replacement(), "");
    let run = body("clusters: { c: { api: { adress: 10.0.0.1 } } }\n");
    assert_eq!(run.reports(), ["S0201 adress: unknown key `adress` in `api`"]);
    assert_eq!(run.replacement(), "address");
}

#[test]
fn the_value_of_a_secret_has_no_key() {
    let run = body("secrets: { db: { kind: password, value: hunter2 } }\n");
    assert_eq!(run.reports(), ["S0201 value: unknown key `value` in `db`"]);
    assert!(run.help().contains("stands nowhere"), "{}", run.help());
}

#[test]
fn wrong_types_say_what_is_expected() {
    let run = body("hosts: [a]\nnetworks: { n: { cidrs: 10.0.0.0/24 } }\nsmtp: [1]\nproducts: { p: 3 }\n");
    assert_eq!(
        run.reports(),
        [
            "S0202 [a]: expected a map, found a list",
            "S0202 10.0.0.0/24: expected a list, found a string",
            "S0202 [1]: expected `none` or a map, found a list",
            "S0202 3: expected a map, found a whole number",
        ]
    );
}

#[test]
fn the_form_that_fits_best_is_reported_on() {
    let run = body("smtp: { address: mail, prt: 25, security: tsl }\n");
    assert_eq!(
        run.reports(),
        ["S0201 prt: unknown key `prt` in `smtp`", "S0203 tsl: `tsl` is not one of `none`, `starttls`, `ssl`"]
    );
    let run = body("smtp: non\n");
    assert_eq!(run.reports(), ["S0202 non: expected `none` or a map, found a string"]);
    assert_eq!(run.replacement(), "none");
}

#[test]
fn words_of_an_enum_are_suggested() {
    let run = body("clusters: { c: { kind: kubernets } }\n");
    assert_eq!(run.reports(), ["S0203 kubernets: `kubernets` is not one of `kubernetes`, `swarm`"]);
    assert_eq!(run.replacement(), "kubernetes");
}

#[test]
fn missing_keys_label_the_parent() {
    assert_eq!(run("sitec: 1\nsite: { domain: a.example }\n").reports(), ["S0204 site: missing key `name`"]);
    assert_eq!(run("site: { name: a }\n").reports(), ["S0204 site: missing key `sitec`"]);
    let reports = run("sitec: 1\nsite: { name: null }\n").reports();
    assert_eq!(reports, ["S0204 name: `name` is left unanswered, but nothing can be made without it"]);
}

#[test]
fn another_format_version_stops_the_other_reports() {
    let run = run("sitec: 2\nsites: { name: a }\n");
    assert_eq!(run.reports(), ["S0207 2: `2` is not a version of the spec's format"]);
}

#[test]
fn unanswered_values_are_no_violations() {
    body(
        "hosts: { a: { addresses: null, os: null, memory: null, iops: null }, b: null }\nsmtp: null\nfirewall: null\n\
         clusters: { c: { kind: null, workers: null, api: null, distribution: null } }\nkernel: null\n",
    )
    .clean();
}

#[test]
fn malformed_scalars_are_reported_once_with_what_is_accepted() {
    for (value, message, replacement) in [
        ("addresses: [10.0.0.300]", "`10.0.0.300` is not an IP address", ""),
        ("addresses: [10.0.0.1/24]", "`10.0.0.1/24` is not an IP address", "10.0.0.1"),
        ("addresses: [010.0.0.1]", "`010.0.0.1` is not an IP address", "10.0.0.1"),
        ("memory: 16", "`16` is not a size such as `16 GiB` or `500 GB`", ""),
        ("memory: 16 GiG", "`16 GiG` is not a size such as `16 GiB` or `500 GB`", ""),
        ("link: fast", "`fast` is not a data rate such as `1 Gb/s`", ""),
        ("cpu: -1", "`-1` is not an amount of CPU such as `4` or `500m`", ""),
        ("kernel: new", "`new` is not a version such as `1.28.4`", ""),
        ("os: ubuntu", "`ubuntu` is not an operating system such as `ubuntu-22.04`: the version is missing", ""),
        ("os: 22.10", "`22.10` is not an operating system such as `ubuntu-22.04`: the family is missing", ""),
        ("iops: -1", "`-1` is not a number of operations per second such as `7000`", ""),
    ] {
        let run = body(&format!("hosts:\n  a: {{ {value} }}\n"));
        assert_eq!(run.findings.len(), 1, "{value}: {:?}", run.reports());
        assert!(run.reports()[0].starts_with("S0206 ") && run.reports()[0].ends_with(message), "{:?}", run.reports());
        assert_eq!(run.replacement(), replacement, "{value}");
    }
}

#[test]
fn cidrs_have_no_host_bits() {
    let run = body("networks: { n: { cidrs: [10.30.8.5/24, \"fd00::1/64\", 10.0.0.1] } }\n");
    assert_eq!(
        run.reports(),
        [
            "S0206 10.30.8.5/24: `10.30.8.5/24` has bits set after its prefix of 24",
            "S0206 \"fd00::1/64\": `fd00::1/64` has bits set after its prefix of 64",
            "S0206 10.0.0.1: `10.0.0.1` is not a network in CIDR form such as `10.30.8.0/24`",
        ]
    );
    assert_eq!(run.replacement(), "10.30.8.0/24");
    assert_eq!(run.show("/networks/n/cidrs"), "[poison, poison, poison]");
}

#[test]
fn ports_are_in_their_bounds() {
    let run = body("smtp: { port: 70000 }\nldap: { port: 0 }\nregistry: { port: 80-90 }\n");
    assert_eq!(
        run.reports(),
        [
            "S0206 70000: port 70000 is not between 1 and 65535",
            "S0206 0: port 0 is not between 1 and 65535",
            "S0206 80-90: `80-90` is a range, where a single port is needed",
        ]
    );
}

#[test]
fn numbers_are_in_their_bounds() {
    let run = body("networks: { n: { vlan: 5000 } }\n");
    assert_eq!(run.reports(), ["S0205 5000: `5000` is more than 4094"]);
}

#[test]
fn names_and_repeated_items() {
    let run = body("networks: { \"a b\": {} }\nfirewall: { targets: [csv, nftables, csv] }\n");
    assert_eq!(
        run.reports(),
        ["S0206 \"a b\": `a b` is not a name", "S0208 csv: `csv` stands in the list more than once"]
    );
}

#[test]
fn versions_keep_their_text() {
    let run = body("clusters: { c: { version: 1.30 } }\ntools: { helm: 3 }\n").clean();
    assert_eq!((run.show("/clusters/c/version"), run.show("/tools/helm")), ("1.30".into(), "3".into()));
}

#[test]
fn operating_systems_have_a_short_form() {
    let run = body(
        "hosts:\n  a: { os: ubuntu-22.04, arch: arm64 }\n  b: { os: windows-10-20H2 }\n  \
         c: { os: windows-server-2019-standard }\n  d: { os: rhel-9.2 }\n",
    )
    .clean();
    assert_eq!(run.show("/hosts/a/os"), "{family: ubuntu, version: 22.04, arch: arm64}");
    assert_eq!(run.show("/hosts/b/os"), "{family: windows, version: 10, build: 20H2}");
    assert_eq!(run.show("/hosts/c/os"), "{family: windows-server, version: 2019, edition: standard}");
    assert_eq!(run.show("/hosts/d/os"), "{family: rhel, version: 9.2}");
}

#[test]
fn settings_of_packs_are_validated() {
    let settings = json!({
        "type": "object",
        "properties": {
            "profile": { "enum": ["demo", "production", null] },
            "nodes": { "type": ["array", "null"], "items": { "type": "string", "x-ref": "hosts" } },
            "quota": { "$ref": "#/$defs/size" },
            "password": { "$ref": "site.schema.json#/$defs/secret_ref" }
        },
        "additionalProperties": false,
        "$defs": { "size": { "type": "string", "x-type": "quantity.bytes" } }
    });
    let text = "sitec: 1\nsite: { name: a }\nhosts: { h1: {} }\nproducts:\n  portal: { pack: x, settings: { profil: demo, \
                nodes: [h*, h2], quota: much, password: { secret: nobody } } }\n  other: { settings: { free: true } }\n";
    let run = run_with(text, &[("portal", settings)], &[]);
    assert_eq!(
        run.reports(),
        [
            "S0201 profil: unknown key `profil` in `settings`",
            "S0301 h2: there is no `h2` in `hosts`",
            "S0206 much: `much` is not a size such as `16 GiB` or `500 GB`",
            "S0301 nobody: there is no `nobody` in `secrets`",
        ]
    );
    // Who is not among them nobody can tell.
    assert_eq!(run.show("/products/portal/settings/nodes"), "poison");
    assert_eq!(run.show("/products/other/settings/free"), "true");
}

#[test]
fn faults_of_the_text_are_not_reported_again() {
    let run = body("hosts: { a: { memory: 8 GiB, memory: 9 GiB } }\n");
    assert_eq!(run.findings.len(), 1, "{:?}", run.reports());
}

#[test]
fn a_mistyped_key_is_reported_even_unanswered() {
    assert_eq!(body("hosts: { a: { memry: null } }\n").reports(), ["S0201 memry: unknown key `memry` in `a`"]);
}

#[test]
fn unanswered_settings_fit_every_form() {
    let settings = json!({
        "properties": { "mode": { "oneOf": [
            { "const": "none" },
            { "type": "object", "properties": { "port": { "type": "integer" } }, "additionalProperties": false }
        ] } }
    });
    let text =
        |mode: &str| format!("sitec: 1\nsite: {{ name: a }}\nproducts: {{ p: {{ settings: {{ mode: {mode} }} }} }}\n");
    let reports = |mode: &str| run_with(&text(mode), &[("p", settings.clone())], &[]).reports();
    assert_eq!(reports("{ port: null }"), Vec::<String>::new());
    assert_eq!(reports("none"), Vec::<String>::new());
    assert_eq!(reports("{ prt: null }"), ["S0201 prt: unknown key `prt` in `mode`"]);
}

#[test]
fn roots_that_are_no_maps() {
    assert_eq!(run("- a\n").reports(), ["S0202 - a: expected a map, found a list"]);
    assert_eq!(run("text\n").reports(), ["S0202 text: expected a map, found a string"]);
}
