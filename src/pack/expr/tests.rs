//! Expressions in, values, findings and reads out.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::shape::{Field, Struct};
use crate::source::{FileId, PlaceId, Span};
use crate::value::{Map, Origins, Quantity, Ref, Unit, Value, Version};

/// A small site: every leaf has a place of its own.
struct Site {
    tables: BTreeMap<(String, String), Tracked>,
    names: Vec<(Str, Tracked)>,
    types: Vec<(Str, Type)>,
    root: Type,
    /// What each place is.
    places: Vec<String>,
}

impl Tables for Site {
    fn entry(&self, table: &str, name: &str) -> Option<&Tracked> {
        self.tables.get(&(table.to_owned(), name.to_owned()))
    }

    fn pointer(&self, name: &str) -> Option<String> {
        (name == "settings").then(|| "/products/main/settings".to_owned())
    }

    fn blank(&self, name: &str) -> Option<Tracked> {
        (name == "admin_url").then(|| Tracked::new("........ (A2)", Origins::None))
    }
}

fn structure(name: &str, fields: &[(&str, Type)]) -> Type {
    let fields =
        fields.iter().map(|(k, ty)| ((*k).into(), Field { ty: ty.clone(), default: None, doc: "".into() })).collect();
    Type::Struct(Arc::new(Struct { name: name.into(), fields, ..Struct::default() }))
}

impl Site {
    fn place(&mut self, name: &str) -> Origins {
        self.places.push(name.to_owned());
        Origins::One(PlaceId(self.places.len() as u32 - 1))
    }

    fn leaf(&mut self, name: &str, value: impl Into<Value>) -> Tracked {
        let origins = self.place(name);
        Tracked { value: value.into(), origins }
    }

    fn host(&mut self, name: &str, cpu: i64, memory: &str, iops: Option<i64>) {
        let mut map = Map::new();
        let at = |field: &str| format!("{name}.{field}");
        map.insert("cpu".into(), self.leaf(&at("cpu"), cpu));
        map.insert("memory".into(), self.leaf(&at("memory"), Quantity::parse(memory, Unit::Bytes).unwrap()));
        map.insert("iops".into(), self.leaf(&at("iops"), iops));
        map.insert("version".into(), self.leaf(&at("version"), "1.9".parse::<Version>().unwrap()));
        map.insert("address".into(), self.leaf(&at("address"), "10.30.8.21".parse::<std::net::IpAddr>().unwrap()));
        let origins = self.place(name);
        self.tables.insert(("hosts".into(), name.into()), Tracked { value: Value::map(map), origins });
    }

    fn new() -> Self {
        let mut s =
            Site { tables: BTreeMap::new(), names: Vec::new(), types: Vec::new(), root: Type::Any, places: Vec::new() };
        s.host("w1", 8, "16 GiB", Some(7000));
        s.host("w2", 4, "8 GiB", None);
        s.host("w3", 8, "32 GiB", Some(9000));
        let host = |name: &str| Value::Ref(Ref { table: "hosts".into(), name: name.into() });
        let refs: Vec<Tracked> = ["w1", "w2", "w3"].map(|h| s.leaf(&format!("workers.{h}"), host(h))).into();
        let workers = s.leaf("workers", refs);
        let mut settings = Map::new();
        settings.insert("mesh".into(), s.leaf("mesh", Value::Null));
        settings.insert("profile".into(), s.leaf("profile", "production"));
        settings.insert("smtp".into(), s.leaf("smtp", "none"));
        settings.insert("faulty".into(), s.leaf("faulty", Value::Poison));
        settings.insert("enabled".into(), s.leaf("enabled", true));
        settings.insert("first".into(), s.leaf("first", host("w1")));
        settings.insert("port".into(), s.leaf("port", crate::value::Ports::one(443)));
        settings.insert("net".into(), s.leaf("net", "10.30.8.0/24".parse::<ipnet::IpNet>().unwrap()));
        let mut ports = Map::new();
        ports.insert("web".into(), s.leaf("ports.web", 30080_i64));
        settings.insert("ports".into(), s.leaf("ports", ports));
        let settings = s.leaf("settings", settings);
        let w2 = s.leaf("host", host("w2"));
        s.names = vec![("workers".into(), workers), ("settings".into(), settings), ("host".into(), w2)];
        let host_type = structure(
            "host",
            &[
                ("cpu", Type::Int),
                ("memory", Type::Quantity(Unit::Bytes)),
                ("iops", Type::Int),
                ("version", Type::Version),
                ("address", Type::Address),
            ],
        );
        s.root = structure("site", &[("hosts", Type::Table(host_type.into()))]);
        let settings = structure(
            "settings",
            &[
                ("mesh", Type::Bool),
                ("profile", Type::Text),
                ("smtp", Type::OneOf(vec![Type::Text, structure("smtp", &[("port", Type::Int)])].into())),
                ("faulty", Type::Bool),
                ("enabled", Type::Bool),
                ("first", Type::Ref("hosts".into())),
                ("port", Type::Ports { range: false }),
                ("net", Type::Cidr),
                ("ports", Type::Table(Type::Int.into())),
                ("nothing", Type::Text),
            ],
        );
        let host = Type::Ref("hosts".into());
        s.types = vec![
            ("workers".into(), Type::List(host.clone().into())),
            ("settings".into(), settings),
            ("host".into(), host),
        ];
        s
    }

    fn eval(&self, text: &str, reads: &mut Reads) -> Result<Tracked, EvalError> {
        let mut findings = Findings::default();
        let expr = Expr::parse(text, anchor(text), &mut findings);
        assert!(findings.is_empty(), "{text}: {:?}", messages(&findings));
        expr.expect("no findings").eval(&Scope::new(&self.names, self), reads)
    }

    /// The value as text for comparison.
    fn show(&self, text: &str) -> String {
        match self.eval(text, &mut Reads::default()) {
            Ok(found) => show(&found.value),
            Err(error) => format!("error: {}", error.message),
        }
    }

    /// The names of the places that the value comes from.
    fn origins(&self, text: &str) -> Vec<&str> {
        let found = self.eval(text, &mut Reads::default()).expect("evaluates");
        found.origins.as_slice().iter().map(|p| &*self.places[p.0 as usize]).collect()
    }

    fn unanswered(&self, text: &str) -> Vec<String> {
        let mut reads = Reads::default();
        self.eval(text, &mut reads).expect("evaluates");
        reads.unanswered.iter().map(|u| u.pointer.clone().unwrap_or(u.path.clone())).collect()
    }

    /// What reading and checking report, as `code message | help @ text`.
    fn check(&self, text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        if let Some(expr) = Expr::parse(text, anchor(text), &mut findings) {
            expr.check(&Env::new(&self.types, &self.root), &mut findings);
        }
        let line = |d: &Diag| {
            let span = d.primary.as_ref().expect("has a place").span;
            let at = &text[span.start as usize..span.end as usize];
            format!("{} {} | {} @ {at}", d.code, d.message, d.help.as_deref().unwrap_or_default())
        };
        findings.iter().map(line).collect()
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => "unknown".into(),
        Value::Poison => "poison".into(),
        Value::List(items) => format!("[{}]", items.iter().map(|i| show(&i.value)).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let entries: Vec<String> = map.iter().map(|(k, v)| format!("{k}: {}", show(&v.value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.text().map_or_else(|| "?".into(), |t| t.to_string()),
    }
}

fn anchor(text: &str) -> Anchor {
    Anchor::exact(Span::new(FileId(0), 0, text.len()), PlaceId::NONE)
}

fn messages(findings: &Findings) -> Vec<String> {
    findings.iter().map(|d| d.message.clone()).collect()
}

#[test]
fn the_lies_of_plain_expressions_are_gone() {
    let s = Site::new();
    // An unanswered operand makes the result unknown, in every direction.
    assert_eq!(s.show("host.iops >= 7000"), "unknown");
    assert_eq!(s.show("host.iops < 4"), "unknown");
    assert_eq!(s.show("host.iops == 4"), "unknown");
    assert_eq!(s.show("not settings.mesh"), "unknown");
    assert_eq!(s.show("workers|selectattr('iops', 'lt', 8000)"), "unknown");
    assert_eq!(s.unanswered("host.iops >= 7000"), ["/hosts/w2/iops"]);
    assert_eq!(s.unanswered("workers|select('item.iops < 8000')"), ["/hosts/w2/iops"]);
    // Unlike types are an error, at load and when it runs.
    assert_eq!(s.show("host.version < '1.22'"), "error: a version cannot be compared with a string");
    assert_eq!(
        s.check("host.version < '1.22'"),
        ["S0625 a version cannot be compared with a string | write `ver('1.22')` @ host.version"]
    );
    assert_eq!(s.show("host.version < ver('1.22')"), "true");
    assert_eq!(s.show("'1.9' >= '1.22'"), "error: strings have no order");
    assert_eq!(
        s.check("host.memory >= 5"),
        ["S0625 a quantity of bytes cannot be compared with a whole number | write `qty('5 GB')` @ host.memory"]
    );
    assert_eq!(s.show("host.memory >= qty('8 GB')"), "true");
    assert_eq!(s.show("host.memory >= qty('9 GB')"), "false");
    // Quantities have arithmetic, fractions do not exist.
    assert_eq!(s.show("host.memory // 2"), "4 GiB");
    assert_eq!(s.show("host.memory * 3"), "24 GiB");
    assert_eq!(s.show("host.memory.bytes"), "8589934592");
    let refused = "S0630 `/` would give a fraction | `//` divides whole numbers and rounds down @ 17179869184/2";
    assert_eq!(s.check("17179869184/2"), [refused]);
    assert_eq!(s.check("1.5 * 2").len(), 1);
    assert_eq!(s.check("[h for h in hosts]").len(), 1);
    // A typo is a finding.
    assert_eq!(s.check("workers|selectattr('cpu < 8')").len(), 1);
    assert_eq!(s.check("workers|nofilter"), ["S0623 there is no filter `nofilter` |  @ nofilter"]);
    assert_eq!(s.check("host.cpu is notest"), ["S0623 there is no test `notest` |  @ notest"]);
    assert_eq!(s.check("fn_none(1)"), ["S0623 there is no function `fn_none` |  @ fn_none"]);
    assert_eq!(
        s.check("workers|map(attribute='memroy')"),
        ["S0622 a name from `hosts` has no `memroy` | it has `memory` @ memroy"]
    );
    assert_eq!(s.show("workers|sum_by('item.cpu * 2')"), "40");
    // An answer that does not matter is not asked for.
    assert_eq!(s.show("host.cpu >= 4 or host.iops >= 7000"), "true");
    assert_eq!(s.show("host.iops >= 7000 or host.cpu >= 4"), "true");
    assert!(s.unanswered("host.iops >= 7000 or host.cpu >= 4").is_empty());
    assert_eq!(s.show("host.iops is answered"), "false");
    assert!(s.unanswered("host.iops is answered").is_empty());
}

#[test]
fn three_values() {
    let s = Site::new();
    let u = "settings.mesh";
    for (text, result) in [
        (format!("true and {u}"), "unknown"),
        (format!("false and {u}"), "false"),
        (format!("{u} and false"), "false"),
        (format!("{u} and true"), "unknown"),
        (format!("true or {u}"), "true"),
        (format!("{u} or true"), "true"),
        (format!("{u} or false"), "unknown"),
        (format!("{u} or {u}"), "unknown"),
        (format!("'a' if {u} else 'b'"), "unknown"),
        (format!("{u}|default(false)"), "false"),
        (format!("{u} is not answered"), "true"),
        (format!("[{u}, 1]|length"), "2"),
        (format!("['a', {u}]|join(',')"), "unknown"),
        (format!("'a' ~ {u}"), "unknown"),
        ("settings.nothing".into(), "unknown"),
        ("settings.nothing is defined".into(), "false"),
        ("settings.smtp is absent".into(), "true"),
        ("settings.smtp is answered".into(), "true"),
        ("settings.smtp == none".into(), "true"),
        ("settings.profile == none".into(), "false"),
        ("settings.smtp.port == 25".into(), "error: what `port` is asked of is `none`"),
        ("settings.smtp is not absent and settings.smtp.port == 25".into(), "false"),
        ("settings.faulty".into(), "poison"),
        ("not settings.faulty".into(), "poison"),
        ("settings.faulty and false".into(), "false"),
        ("settings.faulty == true".into(), "poison"),
        ("7000 in workers|map('item.iops')".into(), "true"),
        ("1 in workers|map('item.iops')".into(), "unknown"),
        ("workers|any('item.iops > 8000')".into(), "true"),
        ("workers|all('item.iops > 5000')".into(), "unknown"),
        ("workers|all('item.iops > 8000')".into(), "false"),
        ("workers|map('item.iops')|min".into(), "unknown"),
        ("[]|min".into(), "unknown"),
        ("[]|sum == 0".into(), "true"),
    ] {
        assert_eq!(s.show(&text), result, "{text}");
    }
    assert_eq!(s.unanswered("workers|map('item.iops')|min"), ["/hosts/w2/iops"]);
    assert_eq!(s.unanswered("settings.nothing ~ 'x'"), ["/products/main/settings/nothing"]);
    let mut reads = Reads::default();
    s.eval("settings.faulty == true", &mut reads).unwrap();
    assert!(reads.poisoned && reads.unanswered.is_empty());
}

#[test]
fn values() {
    let s = Site::new();
    for (text, result) in [
        ("1 + 2 * 3 - 4", "3"),
        ("7 // 2", "3"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("1 <= 2 < 3", "true"),
        ("9223372036854775807 + 1", "error: the result is too large"),
        ("1 // 0", "error: division by zero"),
        ("'a' ~ 1 ~ true", "a1true"),
        ("settings.first.memory", "16 GiB"),
        ("settings.first == 'w1'", "true"),
        ("settings.first.name", "w1"),
        ("settings.first in workers", "true"),
        ("'w9' in workers", "false"),
        ("'web' in settings.ports", "true"),
        ("settings.ports['web']", "30080"),
        ("settings.port == 443", "true"),
        ("settings.port < 1024", "true"),
        ("host.address in settings.net", "true"),
        ("addr('10.31.0.1') in settings.net", "false"),
        ("addr('fd00::1') is ipv6", "true"),
        ("settings.net is ipv4", "true"),
        ("settings.net.prefix", "24"),
        ("workers[0].cpu", "8"),
        ("workers[-1]", "w3"),
        ("workers[1:]|length", "2"),
        ("workers[9]", "error: the list has 3 items and no item 9"),
        ("workers|map(attribute='cpu')|unique", "[8, 4]"),
        ("workers|map('item.memory')|min", "8 GiB"),
        ("workers|sum_by('item.memory')", "56 GiB"),
        ("workers|map('item.memory.bytes')|max // 1024", "33554432"),
        ("workers|min_by('item.memory')", "w2"),
        ("workers|sort_by('item.memory')", "[w2, w1, w3]"),
        ("workers|groupby('item.cpu')", "[{key: 4, items: [w2]}, {key: 8, items: [w1, w3]}]"),
        ("workers|groupby('item.cpu')|map('item.items|length')", "[1, 2]"),
        ("workers|select('item.cpu == 8')|map('item.name')|join(' ')", "w1 w3"),
        ("workers|reject('item.cpu == 8')|first", "w2"),
        ("workers|without([host])", "[w1, w3]"),
        ("[[1], [2, 3]]|flatten|reverse", "[3, 2, 1]"),
        ("[3, 1, 2]|sort", "[1, 2, 3]"),
        ("['b', 'a', 'b']|unique|sort", "[a, b]"),
        ("range(3)|map('item * item')|sum", "5"),
        ("host.memory|write('Mi')", "8192Mi"),
        ("qty('16 GB')|write('Mi')", "15258Mi"),
        ("cpu('4')|millicores", "4000m"),
        ("cpu('500m') * 3", "1500m"),
        ("host.memory|gib", "8"),
        ("7|ceil_div(2)", "4"),
        ("7|percent(130)", "10"),
        ("qty('1 GiB')|percent(130)|write_up('Mi')", "1332Mi"),
        ("cpu('1500m')|percent(130)|write_up('m')", "1950m"),
        ("'a.b.example' is covered_by(['*.b.example'])", "true"),
        ("'a.b.example' is covered_by(['*.example', 'b.example'])", "false"),
        ("qty('5 min') // 2", "150 s"),
        ("qty('16 GB') // qty('5 GB')", "3"),
        ("qty('1 GB') - qty('2 GB')", "error: `1 GB - 2 GB` is less than nothing"),
        ("'Ab'|lower ~ 'Ab'|upper", "abAB"),
        ("'a,b'|split(',')|last", "b"),
        ("'a-b'|replace('-', '_')", "a_b"),
        ("' 12 '|int + 1", "13"),
        ("ports('80-90')|high", "90"),
        ("85 in ports('80-90')", "true"),
        ("host.version is at_least('1.22')", "false"),
        ("host.version is below('1.22')", "true"),
        ("host.memory is at_least('8 GB')", "true"),
        ("'ubuntu-22.04' is matching('ubuntu-*')", "true"),
        ("'ubuntu-22.04' is matching('*.10')", "false"),
        ("'w1' is starting_with('w') and 'w1' is ending_with '1'", "true"),
        ("[] is empty and not workers is empty", "true"),
        ("3 is odd", "true"),
        ("{'a': 1, 'b': 2}|items|map('item.key ~ item.value')|join", "a1b2"),
        ("{'a': 1}|keys", "[a]"),
        ("{'a': 1}.a", "1"),
        ("{'a': {'b': 1}}.a.b", "1"),
        ("ver(host.version) == host.version", "true"),
        ("ver(host.memory)", "error: `ver` takes a string, not a quantity of bytes"),
        ("settings.ports|values", "[30080]"),
        ("'x' if settings.enabled else 'y'", "x"),
        ("blank('admin_url') ~ '/x'", "........ (A2)/x"),
        ("(workers|first).cpu", "8"),
        ("ver('1.28.4').minor", "28"),
        ("host.version == ver('1.9.0')", "true"),
        ("[1, 2] + [3]", "[1, 2, 3]"),
        ("5 not in [1, 2]", "true"),
        ("1 == '1'", "error: a whole number cannot be compared with a string"),
        ("not 1", "error: a condition is true or false, and this is a whole number"),
        ("host.nme", "unknown"),
        ("1.x", "error: a whole number has no attribute `x`"),
        ("nmae", "error: there is no `nmae` here"),
        ("range(1000000)", "error: `range` makes at most 100000 numbers"),
    ] {
        assert_eq!(s.show(text), result, "{text}");
    }
}

#[test]
fn findings_at_load() {
    let s = Site::new();
    for (text, finding) in [
        ("hsot.cpu", "S0621 there is no `hsot` here | a name that is known here is `host` @ hsot"),
        ("host.mmory", "S0622 a name from `hosts` has no `mmory` | it has `memory` @ mmory"),
        ("workers|map('item.mmory')|min", "S0622 a name from `hosts` has no `mmory` | it has `memory` @ mmory"),
        ("settings.profile.x", "S0622 a string has no `x` |  @ x"),
        ("host.cpu|lenght", "S0623 there is no filter `lenght` | a filter with a similar name is `length` @ lenght"),
        (
            "'a'|replace('b')",
            "S0624 `replace` is called as `replace(from, to)` | the text with every occurrence of one part replaced by another @ replace",
        ),
        (
            "workers|map(3)",
            "S0624 `map` is called as `map('item…')` | the list of what the expression gives for each `item`: `map('item.memory')` @ 3",
        ),
        ("host.cpu|map('item')", "S0629 `map` takes a list, not a whole number |  @ host.cpu"),
        ("host.cpu ~ workers", "S0629 `~` joins single values, and this is a list |  @ workers"),
        ("'a' + 'b'", "S0626 `+` does not take a string and a string | `~` joins strings @ 'a' + 'b'"),
        (
            "not host.cpu",
            "S0627 a condition is true or false, and this is a whole number | compare it with something @ host.cpu",
        ),
        (
            "workers and true",
            "S0627 a condition is true or false, and this is a list | compare it, or test `is empty` @ workers",
        ),
        ("ver('abc')", "S0628 `abc` is not a version such as `1.28.4` |  @ ver('abc')"),
        ("qty('16')", "S0628 `16` is not a quantity such as `16 GB`, `1 Gb/s` or `30 s` |  @ qty('16')"),
        (
            "host.memory >= '16 GB'",
            "S0625 a quantity of bytes cannot be compared with a string | write `qty('16 GB')` @ host.memory",
        ),
        ("host.cpu >= ver('8')", "S0625 a whole number cannot be compared with a version |  @ host.cpu"),
        (
            "'a' if settings.enabled",
            "S0630 a condition without `else` gives nothing | say what it is otherwise: `… if … else …` @ 'a' if settings.enabled",
        ),
        (
            "host.memory|write('Qi')",
            "S0629 the suffix is one of `Ki Mi Gi Ti`, `K M G T`, `m`, `s`, `ms` |  @ host.memory|write('Qi')",
        ),
        (
            "host.memory is at_least('x')",
            "S0629 `x` is not a quantity such as `16 GB`, `1 Gb/s` or `30 s` |  @ host.memory is at_least('x')",
        ),
        (
            "workers|select('item.cpu')",
            "S0627 a condition is true or false, and this is a whole number | compare it with something @ item.cpu",
        ),
        (
            "workers.append(1)",
            "S0630 only functions can be called | values have no methods; a filter may do it: `…|append` @ workers.append(1)",
        ),
        ("host.version in ['1.28']", "S0629 a list of strings cannot contain a version |  @ host.version in ['1.28']"),
        ("host.cpu in 5", "S0629 a whole number cannot contain a whole number |  @ host.cpu in 5"),
        ("", "S0620 the expression is empty |  @ "),
    ] {
        assert_eq!(s.check(text), [finding], "{text}");
    }
    for fine in [
        "settings.smtp is absent or settings.smtp.port == 25",
        "workers|map('item.memory')|min // 2",
        "workers|groupby('item.cpu')|map('item.items|sum_by(\\'item.cpu\\')')",
        "settings.ports.web + 1",
        "settings.ports[settings.profile]",
        "host.version is below('1.28')",
        "(settings.first if settings.enabled else host).memory >= qty('1 GB')",
        "workers|selectattr('cpu', 'ge', 8)|length >= 2",
        "{'a': host.cpu}.a > 3",
    ] {
        assert_eq!(s.check(fine), [] as [&str; 0], "{fine}");
    }
    assert!(s.check("1 +")[0].starts_with("S0620"));
    // Everything is reported at once.
    assert_eq!(s.check("hsot.cpu > 1 and workers|nofilter and host.mmory == qty('x')").len(), 2);
    assert_eq!(s.check("hsot.cpu > 1 and host.mmory == 5").len(), 2);
}

#[test]
fn origins_are_what_was_read() {
    let s = Site::new();
    assert_eq!(s.origins("settings.profile == 'x'"), ["profile", "settings"]);
    // A value behind a name comes from the name and from what it names.
    assert_eq!(s.origins("host.cpu"), ["w2.cpu", "w2", "host"]);
    // What is not evaluated is not read.
    assert_eq!(s.origins("settings.enabled or host.cpu > 3"), ["enabled", "settings"]);
    // A choice depends on its condition.
    assert!(s.origins("'a' if host.cpu > 3 else 'b'").contains(&"w2.cpu"));
    assert!(s.origins("(settings.first if settings.enabled else host).cpu").contains(&"enabled"));
    // The items of a list keep their own origins; the list itself knows what left others out.
    let found = s.eval("workers|select('item.cpu == 8')", &mut Reads::default()).unwrap();
    let names = |o: &Origins| o.as_slice().iter().map(|p| s.places[p.0 as usize].clone()).collect::<Vec<_>>();
    assert_eq!(names(&found.origins), ["w2.cpu", "w2", "workers.w2", "workers"]);
    let Value::List(items) = &found.value else { panic!() };
    assert_eq!(names(&items[0].origins), ["w1.cpu", "w1", "workers.w1"]);
    // A missing key points at the map that should hold it.
    assert_eq!(s.origins("settings.nothing"), ["settings"]);
    // The result of `any` depends on the item that decided it.
    assert!(!s.origins("workers|any('item.cpu == 8')").contains(&"w3.cpu"));
    // All reads are noted, those of items too.
    let mut reads = Reads::default();
    s.eval("workers|map('item.cpu')", &mut reads).unwrap();
    assert!(names(&reads.origins()).contains(&"w3.cpu".to_owned()));
}

#[test]
fn strings_with_expressions() {
    let s = Site::new();
    let scope = Scope::new(&s.names, &s);
    let eval = |text: &str| {
        let mut findings = Findings::default();
        let text = Text::parse(text, anchor(text), &mut findings).expect("reads");
        text.check(&Env::new(&s.types, &s.root), &mut findings);
        assert!(findings.is_empty());
        text.eval(&scope, &mut Reads::default()).expect("evaluates").value
    };
    assert_eq!(eval("plain"), Value::str("plain"));
    assert_eq!(eval("{{ host.cpu }}"), Value::Int(4));
    assert_eq!(eval("a {{ host }}-{{ host.cpu * 2 }} b\n"), Value::str("a w2-8 b\n"));
    assert_eq!(eval("a {{ host.iops }}"), Value::Null);
    assert_eq!(eval("{{ {'a': {'b': 1}}.a.b }}"), Value::Int(1));
    assert_eq!(eval("{% x %} {# y #} {{ '{{' }}"), Value::str("{% x %} {# y #} {{"));
    let mut findings = Findings::default();
    assert!(Text::parse("docker ls --format '{{.Name}}'", anchor("x"), &mut findings).is_none());
    assert!(findings.iter().next().unwrap().help.is_some());
    let text = "curl {{ settings.profile }}:{{ host.iops }}";
    let text = Text::parse(text, anchor(text), &mut findings).unwrap();
    let pieces = text.pieces(&scope, &mut Reads::default()).unwrap();
    assert_eq!(pieces.len(), 4);
    assert!(matches!(&pieces[1], Piece::Value(t) if t.value == Value::str("production")));
}

#[test]
fn spans_within_literal_strings() {
    let mut sources = crate::source::Sources::default();
    let toml = "when = 'hsot.cpu'\nlong = '''\nhsot.cpu'''\nescaped = \"hsot[\\\"cpu\\\"]\"\n";
    let file = sources.add("pack.toml", toml, crate::source::Role::Pack);
    let at = |written: &str| {
        let start = toml.find(written).unwrap();
        Span::new(file, start, start + written.len())
    };
    let s = Site::new();
    for (written, text, line, column, shown) in [
        ("'hsot.cpu'", "hsot.cpu", 1, 9, "hsot"),
        ("'''\nhsot.cpu'''", "hsot.cpu", 3, 1, "hsot"),
        ("\"hsot[\\\"cpu\\\"]\"", "hsot[\"cpu\"]", 4, 11, "\"hsot[\\\"cpu\\\"]\""),
    ] {
        let mut findings = Findings::default();
        let anchor = Anchor::new(&sources, at(written), PlaceId::NONE, text);
        let expr = Expr::parse(text, anchor, &mut findings).unwrap();
        expr.check(&Env::new(&s.types, &s.root), &mut findings);
        let span = findings.iter().next().unwrap().primary.as_ref().unwrap().span;
        assert_eq!(sources.line_col(span), (line, column));
        assert_eq!(sources.text(span), shown);
    }
}

#[test]
fn any_text_is_read_without_panic() {
    let mut texts: Vec<String> =
        ["((((((", "a.b.c", "-", "{'a':", "'", "\"\\", "a|", "a is", "1..2", "\u{0}", "ä|ö", "x[::"]
            .map(str::to_owned)
            .into();
    for unit in ["(", "-", "not ", "1+", "a.", "[", "{'a':", "a|b(", "a if ", "a[0]", "a is not b and "] {
        for n in [10, 90, 110, 700, 5000, 100_000] {
            texts.push(unit.repeat(n));
            texts.push(format!("{}1", unit.repeat(n)));
        }
    }
    let s = Site::new();
    for text in texts {
        let mut findings = Findings::default();
        if let Some(expr) = Expr::parse(&text, anchor(&text), &mut findings) {
            expr.check(&Env::new(&s.types, &s.root), &mut findings);
            let _ = expr.eval(&Scope::new(&s.names, &s), &mut Reads::default());
        } else {
            assert!(!findings.is_empty());
        }
        Text::parse(&format!("a {{{{ {text}"), anchor(""), &mut findings);
    }
}

#[test]
fn rows_are_described_and_distinct() {
    let mut seen = std::collections::BTreeSet::new();
    for (kind, row) in reference() {
        assert!(seen.insert((kind, row.name)), "{kind} {} is there twice", row.name);
        assert!(!row.doc.is_empty() && !row.doc.ends_with('.'), "{}", row.name);
        let optional = row.params.iter().skip_while(|p| p.required);
        assert!(optional.clone().all(|p| !p.required), "{}", row.name);
    }
}

/// Every use of every row with any values gives a value or an error, never a panic, and unknown input is never known.
#[test]
fn rows_take_anything() {
    let s = Site::new();
    let inputs = [
        "settings.mesh",
        "settings.faulty",
        "1",
        "'x'",
        "host",
        "host.memory",
        "workers",
        "settings.ports",
        "[]",
        "true",
    ];
    let args = ["1", "'x'", "workers", "host.memory", "'item'"];
    for (kind, row) in reference() {
        for input in inputs {
            for arg in args {
                let given: Vec<&str> = row
                    .params
                    .iter()
                    .map(|p| if matches!(p.kind, table::Kind::Value) { arg } else { "'item'" })
                    .collect();
                let call = if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) };
                let text = match kind {
                    "filter" => format!("{input}|{}{call}", row.name),
                    "test" => format!("{input} is {}{call}", row.name),
                    _ => format!("{}{call}", row.name),
                };
                let mut findings = Findings::default();
                let Some(expr) = Expr::parse(&text, anchor(&text), &mut findings) else { continue };
                expr.check(&Env::new(&s.types, &s.root), &mut findings);
                let result = expr.eval(&Scope::new(&s.names, &s), &mut Reads::default());
                if kind != "function" && input == "settings.mesh" && row.unknown == table::Unknown::Passes {
                    assert_eq!(result.expect("unknown is no error").value, Value::Null, "{text}");
                } else if kind != "function" && input == "settings.faulty" {
                    assert_eq!(result.expect("poison is no error").value, Value::Poison, "{text}");
                }
            }
        }
    }
}
