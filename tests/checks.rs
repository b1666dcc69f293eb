//! Checks over the items of the `Ir` that the packs in the repository give no cause for.

use sitec::compile::{Compilation, Depth, Inputs, PackFiles, compile};
use sitec::diag::Level;

const SITE: &str = "sitec: 1
site: { name: acme }
networks: { servers: { cidrs: [10.30.8.0/24], role: servers } }
hosts:
  nfs1: { addresses: [10.30.8.31], os: ubuntu-22.04 }
  w1: { addresses: [10.30.8.21], os: ubuntu-22.04 }
  w2: { addresses: [10.30.8.22], os: ubuntu-22.04 }
clusters: { main: { kind: kubernetes, version: 1.31.2, cni: cilium, workers: [w1, w2], control_plane: [w1] } }
";

const VOLUME: &str = "[[volumes]]\ncluster = 'main'\nnamespace = 'one'\nstorage = '{{ product.stores.data.name }}'\n\
                      name = 'data'\nclaim = 'data'\nmount_options = ['nfsvers=4.2']\ncite = \"storage\"\n";

const EXPORT: &str = "[[exports]]\nstorage = '{{ product.stores.data.name }}'\noptions = ['{{ product.stores.data.access }}']\n\
                      clients = '{{ product.stores.data.clients if product.stores.data.clients is answered else cluster.workers }}'\n\
                      cite = \"storage\"\n";

/// The findings of a site with a pack of these lines and with this storage: code and level.
fn found(lines: &str, storage: &str, more: &str) -> Vec<(String, Level)> {
    judged(
        lines,
        format!(
            "{SITE}storage: {{ data: {{ server: nfs1, path: /srv/data, {storage} }} }}\n\
             products: {{ one: {{ cluster: main, namespace: one, stores: {{ data: data }} }} }}\n{more}"
        ),
    )
}

/// What becomes of a spec with a pack of these lines.
fn compiled(lines: &str, spec: String) -> Compilation {
    let manifest = format!(
        "[pack]\nname = \"one\"\ntitle = \"one\"\n[pack.document]\nid = \"d\"\ntitle = \"guide\"\n\
         [cites]\nstorage = \"Storage\"\n{lines}"
    );
    let pack =
        PackFiles { name: "one".into(), dir: "packs/one".into(), files: vec![("pack.toml".into(), manifest.into())] };
    let read = move |_: &str| Ok(spec.clone().into_bytes());
    compile(&Inputs { entry: "site.yaml".into(), read: &read, packs: &[pack], depth: Depth::Check, threads: 1 })
}

/// The findings of a spec with a pack of these lines: code and level.
fn judged(lines: &str, spec: String) -> Vec<(String, Level)> {
    let compilation = compiled(lines, spec);
    let own = compilation.findings.iter().filter(|d| d.code.starts_with("S05") || d.level == Level::Error);
    own.map(|d| (d.code.to_string(), d.level)).collect()
}

/// The messages of one code.
fn messages(lines: &str, spec: String, code: &str) -> Vec<String> {
    compiled(lines, spec).findings.iter().filter(|d| d.code == code).map(|d| d.message.clone()).collect()
}

fn codes(lines: &str, storage: &str, more: &str) -> Vec<String> {
    found(lines, storage, more).into_iter().map(|(code, _)| code).collect()
}

#[test]
fn a_sound_chain_is_silent() {
    assert_eq!(codes(&format!("{VOLUME}{EXPORT}"), "nfs_version: \"4.2\"", ""), [""; 0]);
}

#[test]
fn a_volume_needs_an_export() {
    assert_eq!(codes(VOLUME, "nfs_version: \"4.2\"", ""), ["S0537"]);
    let above = "extra: { exports: [{ server: nfs1, path: /srv, clients: [servers], options: [rw] }] }\n";
    assert_eq!(codes(VOLUME, "nfs_version: \"4.2\"", above), [""; 0], "a folder above is exported");
}

#[test]
fn all_nodes_must_be_clients() {
    let both = format!("{VOLUME}{EXPORT}");
    let judged = |clients: &str| found(&both, &format!("nfs_version: \"4.2\", clients: {clients}"), "");
    assert_eq!(judged("[nfs1]"), [("S0538".to_string(), Level::Error)]);
    assert_eq!(judged("[w1]"), [("S0538".to_string(), Level::Warning)]);
    assert_eq!(judged("[w1, w2]"), []);
    assert_eq!(judged("[servers]"), []);
}

#[test]
fn the_mount_follows_the_storage() {
    let both = format!("{VOLUME}{EXPORT}");
    assert_eq!(codes(&both, "nfs_version: 3", ""), ["S0540"]);
    assert_eq!(codes(&both, "nfs_version: \"4.2\", access: ro", ""), ["S0540"]);
}

#[test]
fn quotas_need_their_service() {
    let server =
        "[[nfs_servers]]\nhost = '{{ product.stores.data.server.name }}'\nmountd = '20048'\ncite = \"storage\"\n";
    assert_eq!(codes(server, "quota: true", ""), ["S0541"]);
    assert_eq!(codes(server, "quota: true", "nfs: { ports: { rquotad: 875 } }\n"), [""; 0]);
    assert_eq!(codes(server, "quota: false", ""), [""; 0]);
}

#[test]
fn images_are_mirrored_and_pinned() {
    let pod = |image: &str| {
        format!(
            "[[objects]]\ncluster = 'main'\nnamespace = 'one'\napi_version = 'v1'\nkind = 'Pod'\nname = 'p'\n\
             body = {{ spec = {{ containers = [{{ name = 'c', image = '{image}' }}] }} }}\ncite = \"storage\"\n\
             [[images]]\nsource = 'vendor.example/app'\nreference = 'registry.acme.example/app'\ntag = '1.4'\n\
             cite = \"storage\"\n{EXPORT}"
        )
    };
    let registry = "registry: { address: registry.acme.example }\n";
    assert_eq!(codes(&pod("registry.acme.example/app:1.4"), "quota: false", registry), [""; 0]);
    assert_eq!(codes(&pod("registry.acme.example/app:1.5"), "quota: false", registry), ["S0548"]);
    assert_eq!(codes(&pod("registry.acme.example/app:latest"), "quota: false", ""), ["S0549"]);
    assert_eq!(codes(&pod("registry.acme.example/app"), "quota: false", registry), ["S0549"]);
    assert_eq!(codes(&pod("registry.acme.example/app@sha256:00"), "quota: false", ""), [""; 0]);
}

/// The codes that a pack of these lines gets at a site with a published port, a database server and its pooler.
fn served(lines: &str) -> Vec<String> {
    let spec = "sitec: 1
site: { name: acme }
networks: { servers: { cidrs: [10.30.8.0/24], role: servers } }
hosts:
  users1: { addresses: [10.30.8.5], os: ubuntu-22.04, roles: [admin] }
  w1: { addresses: [10.30.8.21], os: ubuntu-22.04 }
  s1: { addresses: [10.30.8.25], os: ubuntu-22.04 }
  edge1: { addresses: [10.30.8.61], os: ubuntu-22.04, roles: [edge] }
  pg1: { addresses: [10.30.8.41], os: ubuntu-22.04 }
clusters:
  main: { kind: kubernetes, version: 1.31.2, cni: cilium, workers: [w1], control_plane: [w1] }
  swarm: { kind: swarm, version: 26.1.0, managers: [s1], workers: [s1] }
databases:
  main: { engine: postgresql, version: \"15\", host: pg1, port: 5432, pooler: { kind: pgbouncer, host: pg1, port: 6432 } }
secrets: { db: { kind: password, owner: database team } }
products:
  one: { cluster: main, namespace: one, database: { server: main, name: one, user: one, password: { secret: db } } }
waivers:
  - { code: S0552, at: /clusters/swarm, reason: a cluster of others }
  - { code: S0552, at: /hosts/edge1, reason: a host of others }
";
    let found = judged(lines, spec.to_string());
    found.into_iter().map(|(code, _)| code).collect()
}

#[test]
fn what_is_published_needs_a_node() {
    let pack = |on: &str| {
        format!(
            "[ports.web]\nof = \"30080\"\napplication = \"HTTP\"\npublished = true\ncite = \"storage\"\n\
             [bindings.users]\nis = \"site.hosts.users1\"\ncite = \"storage\"\n\
             [bindings.edge]\nis = \"site.hosts.{on}\"\ncite = \"storage\"\n\
             [bindings.database]\nis = \"site.databases.main.pooler\"\nlistens = [\"pooler\"]\ncite = \"storage\"\n\
             [ports.pooler]\nof = \"6432\"\napplication = \"PostgreSQL\"\ncite = \"storage\"\n\
             [[flows]]\nflow = 'users -> edge : web'\ncite = \"storage\"\n\
             [[flows]]\nflow = 'edge -> database'\ncite = \"storage\"\n"
        )
    };
    assert_eq!(served(&pack("edge1")), ["S0536"]);
    assert_eq!(served(&pack("w1")), [""; 0]);
    assert_eq!(served(&pack("s1")), [""; 0], "a swarm publishes on its nodes, too");
}

#[test]
fn a_pooler_is_there_to_be_used() {
    let pack = |to: &str| {
        format!(
            "[bindings.workers]\nis = \"cluster.workers\"\ncite = \"storage\"\n\
             [bindings.database]\nis = \"{to}\"\nlistens = [\"database\"]\ncite = \"storage\"\n\
             [ports.database]\nof = \"bind.database.port\"\napplication = \"PostgreSQL\"\ncite = \"storage\"\n\
             [[flows]]\nflow = 'workers -> database'\ncite = \"storage\"\n"
        )
    };
    assert_eq!(served(&pack("product.database.server")), ["S0554"]);
    assert_eq!(served(&pack("product.database.server.pooler")), [""; 0]);
}

/// A product that connects to the database server, past the pooler and through it.
const SERVED: &str = "[bindings.workers]\nis = \"cluster.workers\"\ncite = \"storage\"\n\
                      [bindings.server]\nis = \"product.database.server\"\nlistens = [\"database\"]\ncite = \"storage\"\n\
                      [bindings.pooler]\nis = \"product.database.server.pooler\"\nlistens = [\"pooler\"]\ncite = \"storage\"\n\
                      [ports.database]\nof = \"5432\"\napplication = \"PostgreSQL\"\ncite = \"storage\"\n\
                      [ports.pooler]\nof = \"6432\"\napplication = \"PostgreSQL\"\ncite = \"storage\"\n\
                      [[flows]]\nflow = 'workers -> server'\ncite = \"storage\"\n\
                      [[flows]]\nflow = 'workers -> pooler'\ncite = \"storage\"\n\
                      [[databases]]\nserver = 'main'\nname = 'one'\nowner = 'one'\ncite = \"storage\"\n\
                      [[roles]]\nserver = 'main'\nname = 'one'\nsecret = 'db'\ncite = \"storage\"\n";

#[test]
fn who_connects_must_be_admitted() {
    let access = |clients: &str| {
        format!(
            "{SERVED}[[access]]\nserver = 'main'\ndatabase = 'one'\nuser = 'one'\nclients = '{{{{ {clients} }}}}'\n\
             cite = \"storage\"\n"
        )
    };
    assert_eq!(served(&access("site.hosts.pg1")), ["S0555"]);
    assert_eq!(served(&access("bind.workers")), [""; 0]);
    assert_eq!(served(&access("site.networks.servers")), [""; 0]);
}

#[test]
fn a_role_needs_a_database() {
    let role = "[[roles]]\nserver = 'main'\nname = 'reader'\nsecret = 'db'\ncite = \"storage\"\n";
    assert_eq!(served(&format!("{SERVED}{role}")), ["S0556"]);
    let group = role.replace("cite", "login = false\ncite");
    assert_eq!(served(&format!("{SERVED}{group}")), [""; 0], "a group signs in nowhere");
    let member = role.replace("cite", "member_of = ['one']\ncite");
    assert_eq!(served(&format!("{SERVED}{member}")), [""; 0]);
}

#[test]
fn what_is_needed_and_absent_is_told_once() {
    let pack = "[bindings.proxy]\nis = \"site.proxy\"\nlistens = [\"https\"]\nask = \"where?\"\ncite = \"storage\"\n\
                [ports.https]\nof = \"bind.proxy.port\"\ndefault = 443\napplication = \"HTTPS\"\ncite = \"storage\"\n\
                [values.name]\nis = \"bind.proxy.server_name\"\ncite = \"storage\"\n\
                [bindings.workers]\nis = \"cluster.workers\"\ncite = \"storage\"\n\
                [[flows]]\nflow = 'workers -> proxy'\ncite = \"storage\"\n\
                [[namespaces]]\ncluster = 'main'\nname = '{{ values.name }}'\ncite = \"storage\"\n\
                [[proxies]]\nwhen = \"bind.proxy.certificate is answered\"\nhost = '{{ bind.proxy.host }}'\n\
                kind = '{{ bind.proxy.kind }}'\nserver_name = '{{ values.name }}'\nport = '{{ ports.https }}'\nupstreams = '{{ bind.workers }}'\n\
                upstream_port = '{{ ports.https }}'\ncite = \"storage\"\n";
    let errors = |more: &str| -> Vec<String> {
        let found = found(pack, "quota: false", more).into_iter();
        found.filter(|(_, level)| *level == Level::Error).map(|(code, _)| code).collect()
    };
    assert_eq!(errors("proxy: none\n"), ["one/needs-proxy"]);
}

#[test]
fn a_question_without_words_names_the_place_of_the_spec() {
    let pack = "[[namespaces]]\nfor_each = { c = \"site.databases|values\" }\ncluster = 'main'\nname = '{{ c.version }}'\n\
                cite = \"storage\"\n";
    let asked = |databases: &str| {
        let spec = format!("{SITE}databases: {databases}\nproducts: {{ one: {{ cluster: main }} }}\n");
        messages(pack, spec, "S1001")
    };
    assert_eq!(asked("{ main: { engine: postgresql } }"), ["what is `/databases/main/version`?"]);
    assert_eq!(asked("{ main: { engine: postgresql, version: null } }"), ["what is `/databases/main/version`?"]);
}
