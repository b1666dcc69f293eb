//! What expressions come to.

use super::*;

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
