use sitec::diag::Findings;
use sitec::schema::Schema;
use sitec::source::{Role, Sources};

#[test]
fn timing() {
    for f in ["pseven-production", "nuvla"] {
        let text = std::fs::read_to_string(format!("/work/shared/design/specs/{f}.yaml")).unwrap();
        let t = std::time::Instant::now();
        let mut sources = Sources::default();
        let mut findings = Findings::default();
        let file = sources.add("s.yaml", text, Role::Spec);
        let node = sitec::parse::parse(&mut sources, file, &mut findings).unwrap();
        eprintln!("parse {:?}", t.elapsed());
        let t = std::time::Instant::now();
        let schema = Schema::new(&[]);
        eprintln!("schema {:?}", t.elapsed());
        let t = std::time::Instant::now();
        let poisoned = sitec::validate::validate(&node, &schema, &mut findings);
        eprintln!("validate {:?}", t.elapsed());
        let t = std::time::Instant::now();
        let spec = sitec::decode::decode(&node, &schema, &poisoned, &mut findings);
        eprintln!("decode {:?}", t.elapsed());
        for d in findings.iter() {
            eprintln!("{} {} {:?} {:?}", d.code, d.message, d.primary.as_ref().map(|p| sources.show(p.span)), d.help);
        }
        let t = std::time::Instant::now();
        let site = sitec::resolve::resolve(&spec, &schema, &[], &sources, &mut findings);
        eprintln!("resolve {:?}", t.elapsed());
        for d in findings.iter() {
            eprintln!("{} {} {:?} {:?}", d.code, d.message, d.primary.as_ref().map(|p| sources.show(p.span)), d.help);
        }
        dump(&site.root, 0);
        eprintln!("{:#?}", site.defaults);
    }
}

fn dump(v: &sitec::value::Tracked, depth: usize) {
    use sitec::value::Value;
    match &v.value {
        Value::Map(m) => {
            eprintln!();
            for (k, v) in m.iter() {
                eprint!("{}{k}: ", "  ".repeat(depth));
                dump(v, depth + 1);
            }
        }
        Value::List(l) => {
            eprintln!();
            for v in l.iter() {
                eprint!("{}- ", "  ".repeat(depth));
                dump(v, depth + 1);
            }
        }
        other => eprintln!("{:?}", other),
    }
}
