//! What is said of expressions when they are loaded, and what they have read when they are evaluated.

use super::*;

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
