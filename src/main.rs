fn main() {
    let a: Vec<String> = std::env::args().collect();
    let read = |p: &str| std::fs::read(p).map_err(|e| e.to_string());
    let c = sitec::compile::compile(&sitec::compile::Inputs {
        entry: a[1].clone(),
        read: &read,
        packs: &[],
        depth: sitec::compile::Depth::Build,
        threads: 1,
    });
    println!("{}", sitec::diag::short::render(&c.findings, &c.sources));
    if let Some(t) = &c.tree {
        for (f, x) in &t.files {
            let p = format!("/tmp/out/{f}");
            std::fs::create_dir_all(std::path::Path::new(&p).parent().unwrap()).unwrap();
            std::fs::write(p, &x.bytes).unwrap();
        }
    }
}
