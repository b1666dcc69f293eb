//! Configurations of reverse proxies.

use super::*;

fn proxy(kind: &str) -> Arc<Proxy> {
    let upstream = |host: &str, address: &str| {
        Arc::new(Upstream {
            host: s(host),
            address: f(address.parse().expect("an address")),
            port: f(30080),
            endpoint: s(""),
            health_endpoint: f(None),
        })
    };
    Arc::new(Proxy {
        host: s("proxy1"),
        product: s("simula"),
        kind: s(kind),
        server_name: s("simula.acme.example"),
        addresses: f(vec!["10.30.8.5".parse().expect("v4"), "fd00::5".parse().expect("v6")]),
        port: f(443),
        certificate_file: f(Some("/etc/ssl/a.pem".into())),
        key_file: f(Some("/etc/ssl/a.key".into())),
        upstreams: f(vec![upstream("w01", "10.30.8.21"), upstream("w02", "fd00::22")]),
        upstream: s("simula"),
        health_port: f(Some(30081)),
        health_path: f(Some("/ping".into())),
        body_bytes: f(0),
        body_size: f("0".into()),
        buffer_bytes: f(128 << 10),
        buffer_size: f("128k".into()),
        websocket: f(true),
    })
}

#[test]
fn nginx() {
    let ir = Ir { proxies: vec![proxy("nginx")], ..Ir::default() };
    let path = "hosts/proxy1/root/etc/nginx/conf.d/simula.conf";
    let good = tree(&[(
        path,
        "nginx",
        Some("proxy1"),
        r#"map $http_upgrade $sitec_connection {
    default upgrade;
    ""      close;
}
upstream simula {
    least_conn;
    server 10.30.8.21:30080 max_fails=3 fail_timeout=10s;
    server [fd00::22]:30080 max_fails=3 fail_timeout=10s;
    keepalive 32;
}
server {
    listen 443 ssl http2;
    listen [::]:443 ssl http2;
    server_name simula.acme.example;
    ssl_certificate /etc/ssl/a.pem;
    ssl_certificate_key /etc/ssl/a.key;
    client_max_body_size 0;
    proxy_buffer_size 131072;
    proxy_buffers 4 128k;
    proxy_busy_buffers_size 131072;
    location / {
        proxy_pass http://simula;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $sitec_connection;
    }
}
"#,
    )]);
    let caught: &[(&str, &str)] = &[
        ("10.30.8.21:30080", "10.30.8.22:30080"),
        ("10.30.8.21:30080", "10.30.8.21:30081"),
        (
            "    server [fd00::22]:30080 max_fails=3 fail_timeout=10s;
",
            "",
        ),
        ("[fd00::22]:30080", "[fd00::22]:30080 backup"),
        (
            "    keepalive",
            "    server 10.30.8.23:30080 max_fails=3 fail_timeout=10s;
    keepalive",
        ),
        ("max_fails=3 ", ""),
        ("upstream simula", "upstream other"),
        ("http://simula", "http://other"),
        ("listen 443 ssl", "listen 443"),
        ("listen 443", "listen 8443"),
        (
            "    listen [::]:443 ssl http2;
",
            "",
        ),
        ("server_name simula", "server_name other"),
        ("a.pem", "b.pem"),
        ("a.key", "b.key"),
        (
            "    ssl_certificate_key /etc/ssl/a.key;
",
            "",
        ),
        ("size 0", "size 1m"),
        (
            "    client_max_body_size 0;
",
            "",
        ),
        ("proxy_buffer_size 131072", "proxy_buffer_size 8k"),
        ("proxy_buffers 4 128k", "proxy_buffers 4 64k"),
        ("busy_buffers_size 131072", "busy_buffers_size 512k"),
        ("Host $host", "Host $proxy_host"),
        (
            "        proxy_set_header X-Real-IP $remote_addr;
",
            "",
        ),
        ("X-Forwarded-For $remote_addr", "X-Forwarded-For $http_x_forwarded_for"),
        (
            "        proxy_set_header Upgrade $http_upgrade;
",
            "",
        ),
        ("default upgrade", "default close"),
        ("Connection $sitec_connection", "Connection close"),
        ("http_version 1.1", "http_version 1.0"),
        ("$host;", "$host"),
        ("    location", "    deny all;\n    location"),
        ("    location", "    return 503;\n    location"),
        ("location /", "location /x"),
        ("upstream simula", "include x;\nupstream simula"),
        ("server_name simula.acme.example;", "server_name simula.acme.example \"x;"),
    ];
    let mutations: Vec<_> = caught.iter().map(|(from, to)| (path, *from, *to)).collect();
    assert_mutations_are_caught(&ir, &good, &mutations);
}

#[test]
fn traefik() {
    let ir = Ir { proxies: vec![proxy("traefik")], ..Ir::default() };
    let (fixed, dynamic) =
        ("hosts/proxy1/root/etc/traefik/traefik.yaml", "hosts/proxy1/root/etc/traefik/dynamic/simula.yaml");
    let good = tree(&[
        (
            fixed,
            "yaml",
            Some("proxy1"),
            "entryPoints:\n  websecure:\n    address: \":443\"\n    forwardedHeaders:\n      insecure: false\n\
             \x20   transport:\n      respondingTimeouts:\n        readTimeout: 0s\n\
             providers:\n  file:\n    directory: /etc/traefik/dynamic\n    watch: true\n",
        ),
        (
            dynamic,
            "yaml",
            Some("proxy1"),
            r#"http:
  routers:
    simula:
      rule: "Host(`simula.acme.example`)"
      entryPoints:
        - websecure
      service: simula
      tls: {}
  services:
    simula:
      loadBalancer:
        passHostHeader: true
        healthCheck:
          path: /ping
          port: 30081
          interval: 10s
        servers:
          - url: "http://10.30.8.21:30080"
          - url: "http://[fd00::22]:30080"
tls:
  certificates:
    - certFile: /etc/ssl/a.pem
      keyFile: /etc/ssl/a.key
  options:
    default:
      minVersion: VersionTLS12
"#,
        ),
    ]);
    assert_mutations_are_caught(
        &ir,
        &good,
        &[
            (fixed, ":443", ":8443"),
            (fixed, "websecure", "web"),
            (fixed, "insecure: false", "insecure: true"),
            (fixed, "readTimeout: 0s", "readTimeout: 60s"),
            (fixed, "    watch: true", "    wach: true"),
            (dynamic, "Host(`simula.acme.example`)", "Host(`acme.example`)"),
            (dynamic, "- websecure", "- web"),
            (dynamic, "service: simula", "service: other"),
            (dynamic, "      tls: {}\n", ""),
            (dynamic, "passHostHeader: true", "passHostHeader: false"),
            (dynamic, "/ping", "/pong"),
            (dynamic, "30081", "30080"),
            (dynamic, "10.30.8.21", "10.30.8.23"),
            (dynamic, "          - url: \"http://[fd00::22]:30080\"\n", ""),
            (dynamic, "http://10", "https://10"),
            (dynamic, "a.pem", "b.pem"),
            (dynamic, "      keyFile: /etc/ssl/a.key\n", ""),
            (dynamic, "VersionTLS12", "VersionTLS99"),
            (dynamic, "certificates:", "certificate:"),
        ],
    );
}
