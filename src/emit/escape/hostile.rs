//! Strings that were chosen, or made by a fixed generator, to escape from the place that they are written to.

/// Strings that some reader takes for another type or for syntax.
pub fn tricky() -> Vec<String> {
    let words = "y Y yes Yes YES n N no No NO true True TRUE false False FALSE on On ON off Off OFF null Null NULL ~ none \
        None nil nan NaN .nan .NaN .NAN inf .inf .Inf .INF -.inf +.inf -.INF Infinity t f T F \
        0 -0 +0 1 -1 +1 007 0644 0o17 0O17 0o8 0x1F 0XFF 0xg 0b101 0b2 1_000 0_1 1__0 685_230.15 _1 1_ 1. .5 -.5 +.5 1.10 \
        1.30 1e3 1E3 1e+3 1.5e3 1.0e+20 1e20 .e5 e5 6.8523015e+5 12:30 12:30:45 1:30 190:20:30 190:20:30.15 -1:30 \
        2024-01-02 2024-1-2 2001-12-14t21:59:43.10-05:00 2001-12-14 2001-12-14T21:59:43Z 20240102 1.2.3 v1.28.4 1.28 \
        10.0.0.1 fd00:30:8::/64 :: ::1 10.0.0.0/8 16Gi 500m 8192Mi 1Ki 443 1024-2048 \
        = == << < > >> | || - -- --- ... . .. ? : :: , [ ] { } [] {} [a] {a} & * ! % @ ` # \" ' \\ / // * ** & &a *a !a \
        !!str %YAML |- >- |+ ?a -a :a a: a:b a#b #a a:# ,a a, [a a] {a a} @a `a %a 'a a' \"a a\" '' \"\" \\n \\ \\\\ \
        $ $HOME ${HOME} $(id) `id` $$ %{ ${ $${ %%{ %i %n %% ; ;id && || !! ~root ~ * ? [a-z] {a,b} a=b =a -rf --help \
        if then done esac for case while function all replication sameuser samenet +role /pattern @file include \
        accept drop table chain default default_server _ *.example.com ~^a ^~ <a> </a> <!-- --> <script> &amp; &lt; \
        [x](y) ![x](y) *a* _a_ __a__ `a` ``` ~~~ ~~a~~ |a| # ## - + 1. 1) > http://a.b www.a.b a@b.c <b> \\* === *** \
        =1+1 +1 -1+1 @SUM(1) '=1 EOF EOT EOF2 */ /* -- <# #> {{ }} {% %} <{ }> ]]> javascript:alert(1)";
    let mut out: Vec<String> = words.split_ascii_whitespace().map(String::from).collect();
    let others = [
        "",
        " ",
        "  ",
        " a",
        "a ",
        "a  b",
        "a b",
        "a: b",
        "a :b",
        "a #b",
        "- a",
        "? a",
        "| a",
        "> a",
        "a, b",
        "key: [a, b]",
        "no way",
        "it's",
        "say \"hi\"",
        "back\\slash",
        "back\\ slash",
        "tail\\",
        "\\'",
        "';id;'",
        "'; DROP TABLE a; --",
        "\"; id; \"",
        "a\nb",
        "a\n",
        "\na",
        "a\n\nb",
        "a\n b",
        "a\r\nb",
        "a\rb",
        "a\tb",
        "\ta",
        "a\t",
        "a\u{85}b",
        "a\u{a0}b",
        "a\u{2028}b",
        "a\u{2029}b",
        "a\u{feff}b",
        "\u{feff}a",
        "a\u{202e}b",
        "a\u{2066}b",
        "a\u{200b}b",
        "a\u{7f}b",
        "a\u{1}b",
        "a\u{1b}[31mb",
        "a\0b",
        "é",
        "naïve café",
        "日本語",
        "😀",
        "a😀b",
        "\u{fffd}",
        "\u{e000}",
        "\u{10ffff}",
        "‘a’",
        "‛a‚",
        "“a”",
        "＝1+1",
        "＋1",
        "－1",
        "＠a",
        " =1",
        "\t=1",
        "a;b",
        "a,b",
        "a|b",
        "a&b",
        "a\\,b",
        "/srv/user data",
        "/srv/#1",
        "/srv/a\\040b",
        "/srv/\"a\"",
        "host (rw)",
        "*(rw,no_root_squash)",
        "rw) *(rw",
        "10.0.0.1 *(rw)",
        "defaults,exec",
        "UUID=1c2d",
        "a;\ninclude /etc/passwd;",
        "} server {",
        "$uri",
        "a$b",
        "ct state new accept",
        "{ 10.0.0.0/8 }",
        "[Service]\nExecStart=/bin/sh",
        "# comment",
        "// comment",
        "-- comment",
        "EOF\nid",
        "```\nid\n```",
        "</script><script>",
        "' onload='a",
        "\" onload=\"a",
        "data:text/html,a",
        "]]>",
        "-->",
    ];
    out.extend(others.iter().map(|s| s.to_string()));
    out.push("long ".repeat(60));
    out.push("x".repeat(300));
    out.push("a:".repeat(200));
    out
}

/// Strings from an alphabet of syntax, always the same ones. Marsaglia's xorshift with 64 bits.
pub fn random(count: usize) -> Vec<String> {
    const PIECES: &[&str] = &[
        "a", "b", "z", "A", "0", "1", "7", "9", "_", "-", ".", ":", "/", "\\", "'", "\"", "`", "$", "{", "}", "(", ")",
        "[", "]", "<", ">", "|", "&", ";", ",", "#", "%", "@", "!", "?", "*", "+", "=", "~", "^", " ", "  ", "\n",
        "\t", "\r", "no", "null", "true", "0x", "1e", "${", "%{", "$(", "--", "/*", "*/", "```", "<<", "é", "😀",
        "\u{2019}", "\u{2028}", "\u{85}", "\u{feff}", "\u{202e}", "\0", "\u{7f}", "EOF", ": ", " #", "- ", "\n- ",
        "\\\n", "''", "\"\"",
    ];
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("a remainder below a usize is a usize")
    };
    (0..count).map(|_| (0..=next(8)).map(|_| PIECES[next(PIECES.len())]).collect()).collect()
}
