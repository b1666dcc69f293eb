//! From small templates to the contexts of their interpolations, or to the violation.

use super::super::{Context, Form, Format, Inner};
use super::*;

/// Walks a template without tags; `<{ }>` holds the filter alone.
fn walk(format: Format, template: &str) -> Result<Vec<Context>, Violation> {
    let mut lexer = Lexer::new(format);
    let mut found = Vec::new();
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once("<{") {
        lexer.feed(literal)?;
        let (filter, after) = after.split_once("}>").unwrap();
        let mut words = filter.split_whitespace();
        let context = match words.next() {
            None => Context::TOKEN,
            Some(name) => Context::from_filter(name, &words.collect::<Vec<_>>()).unwrap().unwrap(),
        };
        let next = after.split("<{").next().unwrap();
        found.push(lexer.interpolation(context, next)?);
        rest = after;
    }
    lexer.feed(rest)?;
    Ok(found)
}

fn good(format: Format, template: &str, contexts: &[Context]) {
    assert_eq!(walk(format, template).as_deref(), Ok(contexts), "{format:?}: {template}");
}

fn bad(format: Format, templates: &[&str]) {
    for template in templates {
        let walked = walk(format, template);
        assert!(walked.is_err(), "{format:?}: {template:?} gives {walked:?}");
    }
}

const T: Context = Context::TOKEN;

fn by(form: Form) -> Context {
    Context::By(form)
}

#[test]
fn yaml() {
    use Format::Yaml;
    for template in [
        "a: <{}>\n",
        "a: <{}>",
        "- <{}>\n",
        "- - <{}>\n",
        "a: [<{}>, b]\n",
        "a: [b, <{}>]\n",
        "a: { b: <{}> }\n",
        "a:\n  <{}>\n",
        "a: <{}> # why\n",
        "a: !!str <{}>\n",
        "a: &x <{}>\n",
        "? <{}>\n: b\n",
        "--- \n- <{}>\n",
        "a: 'it''s'\nb: <{}>\n",
        "a: \"x\\\"y\"\nb: <{}>\n",
        "a: \"x\\\\\"\nb: <{}>\n",
        "a: it's\nb: <{}>\n",
        "a: |\n  text: 'x\nb: <{}>\n",
        "- a: |\n    x\n  b: <{}>\n",
        "- |\n  it's\n- <{}>\n",
        "a: b#c\nd: <{}>\n",
        "a: {{ .Values.x }}\nb: <{}>\n",
        "a: [b,\n  <{}>]\n",
        "a: >-\n\n  x\n\nb: <{}>\n",
    ] {
        good(Yaml, template, &[T]);
    }
    good(Yaml, "<{}>: <{}>\n", &[by(Form::Key), T]);
    good(Yaml, "a:\n  <{}>:\n    b: 1\n", &[by(Form::Key)]);
    good(Yaml, "- <{}>: x\n", &[by(Form::Key)]);
    good(Yaml, "a: { <{}>: x }\n", &[by(Form::Key)]);
    good(Yaml, "a: <{flow}>\n", &[by(Form::Flow)]);
    good(Yaml, "# for <{comment}>.\na: 1 # <{comment}>\n", &[Context::Comment, Context::Comment]);
    good(
        Yaml,
        "a: |\n  x <{block}>;\n  <{block nginx}>;\nb: <{}>\n",
        &[Context::Block(None), Context::Block(Some((Format::Nginx, Form::Token))), T],
    );
    good(Yaml, "a: |\n  x\n<{}>: b\n", &[by(Form::Key)]);
    good(Yaml, "|\n  <{block}>\n", &[Context::Block(None)]);
    bad(
        Yaml,
        &[
            "a: <{}>:<{}>\n",
            "a: x<{}>\n",
            "a: <{}>x\n",
            "a: \"<{}>\"\n",
            "a: '<{}>'\n",
            "a: 'x <{}> y'\n",
            "a: x <{}>\n",
            "a: <{}> x\n",
            "a: <{}><{}>\n",
            "a: <{}> <{}>\n",
            "# <{}>\n",
            "a: |\n  <{}>\n",
            "a: |\n  x\n  <{}>\n",
            "a:<{}>\n",
            "-<{}>\n",
            "a: b\n  <{}>\n",
            "a: <{block}>\n",
            "a: <{comment}>\n",
            "a: >\n    x\n   <{}>\n",
            "a: [b<{}>]\n",
            "a: <{}>:x\n",
            "a: http://<{}>\n",
            "a: &<{}> x\n",
            "a: \"x\\\"<{}>\n",
            "a: <{literal}>x\n",
            "a: <{code}>\n",
            "a: |\n  x <{block nginx}>y;\n",
        ],
    );
}

#[test]
fn shell() {
    use Format::Shell;
    for template in [
        "a <{}> b\n",
        "$(a <{}>)\n",
        "\"$(a <{}>)\"\n",
        "a <{}>; b\n",
        "a <{}>|b\n",
        "case <{}> in\na) b;;\nesac\n",
        "a 'it' <{}>\n",
        "a \"x\\\"\" <{}>\n",
        "a \\' <{}>\n",
        "a <<'EOF'\nit's\nEOF\nb <{}>\n",
        "x=$((1 << 2))\na <{}>\n",
        "x=${a#b} y <{}>\n",
        "echo $# <{}>\n",
        "case x in a) b <{}>;; esac\n",
        "a $'it\\'s' <{}>\n",
        "a <<A <<B\n'\nA\n'\nB\nc <{}>\n",
        "a <<-EOF\n\t'\n\tEOF\nb <{}>\n",
        "a > <{}>\n",
        "(a <{}>)\n",
        "for h in <{}>; do\n",
        "# it's\na <{}>\n",
        "a <<<'x' <{}>\n",
    ] {
        good(Shell, template, &[T]);
    }
    good(Shell, "x=<{}>\nreadonly y=<{}>\n", &[by(Form::Literal), by(Form::Literal)]);
    good(Shell, "printf '%s\\n' <{literal}>\n", &[by(Form::Literal)]);
    good(Shell, "# <{comment}>\n", &[Context::Comment]);
    good(
        Shell,
        "cat <<'EOF'\nx <{heredoc}>y\n<{heredoc}>\nEOF\na <{}>\n",
        &[Context::Heredoc(None), Context::Heredoc(None), T],
    );
    good(Shell, "cat <<EOF\nx <{heredoc}>\nEOF\n", &[Context::OpenHeredoc(None)]);
    bad(
        Shell,
        &[
            "a '<{}>'\n",
            "a \"<{}>\"\n",
            "a \"x <{}> y\"\n",
            "a x<{}>\n",
            "a <{}>x\n",
            "a <{}><{}>\n",
            "# <{}>\n",
            "a `b <{}>`\n",
            "a ${b:-<{}>}\n",
            "\"$(a \" <{}> \")\"\n",
            "cat <<EOF\n<{}>\nEOF\n",
            "cat <<X\n<{heredoc}>\nX\n",
            "a $<{}>\n",
            "a <{comment}>\n",
            "\"$(a '<{}>')\"\n",
            "a ~<{}>\n",
            "\"$(`a <{}>`)\"\n",
            "cat <<'EOF'\nEO<{heredoc}>\nEOF\n",
        ],
    );
}

#[test]
fn words() {
    use Format::*;
    good(Fstab, "<{}> <{}> <{}> <{}> 0 0\n", &[T, T, T, by(Form::Option)]);
    good(Fstab, "a /b ext4 rw,<{}>,acl 0 0\n# <{comment}>\n", &[by(Form::Option), Context::Comment]);
    bad(Fstab, &["<{}>:<{}> /a\n", "UUID<{}>\n", "<{}><{}>\n", "# <{}>\n", "\"<{}>\"\n"]);
    good(
        Exports,
        "<{}> <{}>(<{}>) <{}>(rw,<{}>)\n",
        &[T, by(Form::Client), by(Form::Option), by(Form::Client), by(Form::Option)],
    );
    good(Exports, "/a \\\n  <{}>(rw)\n", &[T]);
    bad(Exports, &["\"<{}>\" *(rw)\n", "/a/<{}> *\n", "/a @<{}>(rw)\n", "/a <{}>/24(rw)\n"]);
    good(Nginx, "server <{}> max_fails=<{}>;\n", &[T, by(Form::Bare)]);
    good(Nginx, "# it's <{comment}>\na <{}>;b{c <{}>;}\n", &[Context::Comment, T, T]);
    good(Nginx, "location ~ \\.x$ { a \"it's\" <{literal}>; }\n", &[by(Form::Literal)]);
    bad(Nginx, &["a \"<{}>\";\n", "a <{}>:80;\n", "a http://<{}>;\n", "a 'x <{}>';\n", "# <{}>\n", "a $<{}>;\n"]);
    good(Nft, "ip saddr { <{}>, <{}> } tcp dport <{}> accept comment <{literal}>\n", &[T, T, T, by(Form::Literal)]);
    good(Nft, "ip saddr <{}> tcp dport {<{}>} # <{comment}>\n", &[T, T, Context::Comment]);
    good(Nft, "ip saddr @<{}> accept\n", &[T]);
    bad(Nft, &["comment \"<{}>\"\n", "tcp dport <{}>-<{}>\n", "@a<{}>\n", "@<{}>b\n", "ip saddr <{}>/24\n"]);
    good(Systemd, "[Unit]\nDescription=<{}>\nAfter=<{}>\n", &[by(Form::Line), by(Form::Bare)]);
    good(Systemd, "ExecStart=<{}> --x <{}>\nEnvironment=<{}>\n", &[by(Form::Program), by(Form::Exec), by(Form::Word)]);
    good(Systemd, "[<{}>]\n<{}>=<{}>\n", &[by(Form::Key), by(Form::Key), by(Form::Line)]);
    bad(Systemd, &["Description=the <{}>x\n", "ExecStart=/a \"<{}>\"\n", "# <{}>\n", "<{}>\n", "A=x<{}>\n"]);
    good(Toml, "a = <{}>\nb = [<{}>, <{}>]\n[c.<{}>]\n# <{comment}>\n", &[T, T, T, T, Context::Comment]);
    good(Toml, "a = '''\nit's\n'''\nb = <{}>\n", &[T]);
    bad(Toml, &["a = \"<{}>\"\n", "a = '''\n<{}>\n'''\n", "a = <{}>x\n", "# <{}>\n"]);
    good(
        Sql,
        "CREATE ROLE <{ident}> PASSWORD <{literal}>; -- <{comment}>\n",
        &[by(Form::Ident), by(Form::Literal), Context::Comment],
    );
    good(
        Sql,
        "/* it's */ a <{ident}>.<{ident}>, (<{literal}>)\n",
        &[by(Form::Ident), by(Form::Ident), by(Form::Literal)],
    );
    good(Sql, "a 'it''s' \"x\"\"y\" E'it\\'s' $$it's$$ $a$ $$ $a$ <{literal}>\n", &[by(Form::Literal)]);
    bad(
        Sql,
        &[
            "a <{}>;\n",
            "a '<{literal}>';\n",
            "DO $$ a <{literal}> $$;\n",
            "a \"<{ident}>\"\n",
            "/* <{literal}> */",
            "a x<{ident}>",
            "E'it\\' <{literal}>",
        ],
    );
    good(PgHba, "host <{}> <{}>,b <{}> scram-sha-256 # <{comment}>\n", &[T, T, T, Context::Comment]);
    bad(PgHba, &["host \"<{}>\" a\n", "host +<{}> a\n", "host a b <{}>/32\n"]);
    good(Csv, "<{}>,<{}>\n<{}>,x y,<{}>\n", &[T, T, T, T]);
    bad(Csv, &["\"<{}>\"\n", "a <{}>\n", "<{}> ,b\n", "<{}><{}>\n", "<{comment}>\n"]);
    good(Json, "{\"a\": <{}>, <{}>: [<{}>]}\n", &[T, by(Form::Key), T]);
    bad(Json, &["{\"a\": \"<{}>\"}", "{\"a\": 1<{}>}", "[<{}> <{comment}>]"]);
    good(Ini, "a = <{}>\nb=<{}>\nserver <{}> iburst\nc = <{line}>\n[<{}>]\n", &[T, T, T, by(Form::Line), T]);
    bad(Ini, &["a = <{}>:1\n", "# <{}>\n", "a = \"<{}>\"\n", "a = x<{}>\n"]);
    good(Powershell, "$a = <{}>\nb @(<{}>, <{}>) # <{comment}>\n", &[T, T, T, Context::Comment]);
    bad(Powershell, &["$a = \"<{}>\"\n", "$a = '<{}>'\n", "a x<{}>\n", "# <{}>\n"]);
    good(
        Hcl,
        "a = <{}>\nb = [<{}>]\nc = <<EOT\nit's \"<{heredoc}>\nEOT\nd = <{}>\n",
        &[T, T, Context::OpenHeredoc(None), T],
    );
    bad(Hcl, &["a = \"<{}>\"\n", "a = \"${<{}>}\"\n", "a = <<EOT\n<{}>\nEOT\n", "// <{}>\n"]);
    good(Iptables, "-A INPUT -s <{}> -m comment --comment <{literal}> -j ACCEPT\n", &[T, by(Form::Literal)]);
    bad(Iptables, &["--comment \"<{}>\"\n", "-s <{}>/24\n", "# <{}>\n"]);
    good(Text, "x<{}>y<{}><{}>\n", &[T, T, T]);
}

#[test]
fn markdown() {
    use Format::Markdown;
    let shell: Inner = Some((Format::Shell, Form::Token));
    good(Markdown, "# <{}>\n\n**<{}>** (<{}>).\n", &[T, T, T]);
    good(Markdown, "| <{}> | <{code}> |\n<{code}>.\n", &[T, by(Form::CodeCell), by(Form::Code)]);
    good(Markdown, "[<{}>](<{}>)\n", &[T, by(Form::Url)]);
    good(
        Markdown,
        "```sh\na <{fence shell}> b\n<{fence}>\n```\n<{}>\n",
        &[Context::Fence(shell), Context::Fence(None), T],
    );
    good(Markdown, "````\n```\n<{fence}>\n````\n<{}>\n", &[Context::Fence(None), T]);
    good(Markdown, "- x\n\n  ~~~\n  ` <{fence}>\n  ~~~\n\n`a` <{}> ``a`b`` <{}>\n", &[Context::Fence(None), T, T]);
    good(Markdown, "<!-- it's <{comment}> -->\n<{}>\n", &[Context::Comment, T]);
    good(Markdown, "a \\` <{}>\n", &[T]);
    bad(
        Markdown,
        &[
            "`<{}>`\n",
            "`a <{}> b`\n",
            "`<{code}>`\n",
            "<{code}>`\n",
            "```\n<{}>\n```\n",
            "```<{}>\n",
            "<!-- <{}> -->\n",
            "<a href=\"<{}>\">\n",
            "<{fence}>\n",
            "```sh\na '<{fence shell}>'\n```\n",
            "```sh\na \"x <{fence shell}>\"\n```\n",
            "```sh\na x<{fence shell}>\n```\n",
            "```sh\na <{fence shell}>x\n```\n",
            "```sql\na <{fence sql}>\n```\n",
            "1. ```\n   <{}>\n   ```\n",
        ],
    );
}

#[test]
fn html() {
    use Format::Html;
    good(Html, "<!DOCTYPE html><title><{}></title><p>a<{}>b</p>\n", &[T, T]);
    good(
        Html,
        "<a href=<{}> title=<{}>>x</a><!-- <{comment}> --><{}>",
        &[by(Form::Url), by(Form::Attribute), Context::Comment, T],
    );
    good(Html, "<script>if (a < b) {}</script><{}>", &[T]);
    bad(
        Html,
        &[
            "<a href=\"<{}>\">",
            "<a title='x <{}>'>",
            "<a <{}>>",
            "<script><{}></script>",
            "<style>a{<{}>}</style>",
            "<!-- <{}> -->",
            "<a onclick=<{}>>",
            "<<{}>>",
            "<a title=<{}>x>",
            "<a title=<{}><{}>>",
        ],
    );
}

#[test]
fn ways_meet_again() {
    let mut ways = Ways::new(Format::Yaml);
    ways.feed("a: ").unwrap();
    let mut other = ways.clone();
    ways.interpolation(T, "").unwrap();
    other.feed("none").unwrap();
    ways.join(other);
    assert_eq!(ways.0.len(), 2);
    ways.feed("\nb: ").unwrap();
    assert_eq!(ways.0.len(), 1, "behind the line both ways are the same");
    // A loop whose body is a bare interpolation glues its turns together.
    let mut ways = Ways::new(Format::Shell);
    ways.interpolation(T, "").unwrap();
    assert!(ways.interpolation(T, "").is_err());
}

#[test]
fn a_violation_says_where_and_what() {
    let v = walk(Format::Yaml, "a: <{}>:<{}>\n").unwrap_err();
    assert_eq!(v.message, "`:` touches the interpolation before it");
    let v = walk(Format::Yaml, "a: \"<{}>\"\n").unwrap_err();
    assert_eq!(v.message, "the interpolation stands inside quotes");
    let mut lexer = Lexer::new(Format::Yaml);
    lexer.feed("a: ").unwrap();
    lexer.interpolation(T, "").unwrap();
    assert_eq!(lexer.feed(" x\n").unwrap_err().offset, 1);
}

#[test]
fn texts_of_packs() {
    let walk = |format, text: &str| {
        let parts: Vec<Option<&str>> = text
            .split("{}")
            .enumerate()
            .flat_map(|(i, t)| if i == 0 { vec![Some(t)] } else { vec![None, Some(t)] })
            .collect();
        contexts(format, parts)
    };
    let in_code = by(Form::InCode);
    assert_eq!(walk(Format::Markdown, "set {} to `{}` in `a {}.b`, {}"), Ok(vec![T, in_code, in_code, T]));
    assert_eq!(walk(Format::Shell, "a {} > {} && b=`c`"), Ok(vec![T, T]));
    assert!(walk(Format::Shell, "a '{}'").is_err());
    assert!(walk(Format::Shell, "a {}.txt").is_err());
    assert!(walk(Format::Markdown, "```\n{}\n```").is_err());
}
