//! Flows that the site adds: a row `users -> proxy1 : 443/tcp HTTPS` or a record in, permitted traffic out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use indexmap::IndexMap;
use ipnet::IpNet;

use super::{Additions, is_faulty, reason, text};
use crate::check::places::spec_span;
use crate::check::redundant::Addition;
use crate::diag::codes::{EMPTY_END, MALFORMED, UNKNOWN_NAME};
use crate::diag::{Diag, MOST_SUGGESTIONS, NearNames};
use crate::instance::{Run, ports_of};
use crate::ir::{F, Flow, Peers, Transport};
use crate::lower::addresses::HostAddresses;
use crate::lower::firewalls::node_ports;
use crate::lower::peers::{deep_origins, merged, peers};
use crate::lower::rows::{is_inside, ranges, scope_between};
use crate::pack::expr::fits;
use crate::pack::flow::{Wrong, group};
use crate::pack::manifest::PortGroup;
use crate::site::Site;
use crate::source::{Sources, Span};
use crate::spread::{spread, spread_with};
use crate::value::{Origins, Ports, Ref, Str, Tracked, Value};

/// The tables whose entries a flow can begin or end at.
const TABLES: [&str; 4] = ["hosts", "networks", "external", "clusters"];

/// A flow as the spec says it.
struct Row {
    from: Vec<End>,
    to: Vec<End>,
    groups: Vec<Group>,
}

/// A word for an end of a flow, at an offset of a text. Only what is wrong with it asks where that stands.
struct End {
    word: Str,
    text: Str,
    offset: usize,
    /// Where the spec has the text.
    span: Option<Span>,
}

impl End {
    /// Where the word stands: exactly, where the spec writes the text as it is, without escapes and line breaks.
    fn place(&self, sources: &Sources) -> Option<Place> {
        let span = self.span?;
        let exact = sources.text(span).find(&*self.text).map(|at| span.within(at + self.offset, self.word.len()));
        Some(Place { span: exact.unwrap_or(span), exact: exact.is_some() })
    }
}

/// Where a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    span: Span,
    /// Whether the span is that of the word alone, not of the text around it.
    exact: bool,
}

struct Group {
    ports: Vec<Ports>,
    transports: Vec<Transport>,
    application: Str,
}

/// The flows of all additions, one addition after the other. The result does not depend on the number of threads.
pub fn flows(additions: &[Additions], site: &Site, sources: &Sources, threads: usize, run: &mut Run) -> Vec<Addition> {
    let written: Vec<Written> = additions
        .iter()
        .flat_map(|addition| {
            let entries = addition.entries("flows").filter(|(_, e)| !is_faulty(e));
            entries.map(move |(pointer, entry)| Written { addition, pointer, entry })
        })
        .collect();
    if written.is_empty() {
        return Vec::new();
    }
    // What a row says is its own affair; what its ends are is found out once for all rows.
    let rows = spread_with(
        threads,
        &written,
        || run.beside(),
        |beside, written| (written.row(sources, beside), beside.taken().map(Box::new)),
    );
    let mut known = Known::of(site);
    let mut drafts = Vec::with_capacity(rows.len());
    for (written, (row, beside)) in written.iter().zip(rows) {
        if let Some(beside) = beside {
            run.absorb(*beside);
        }
        let Some(row) = row else { continue };
        let mut ends = |ends: &[End], key: &str| -> Vec<Arc<Peer>> {
            let mut lookup = Lookup { written, key, site, sources, known: &mut known };
            ends.iter().filter_map(|end| lookup.end(end, run)).collect()
        };
        let (from, to) = (ends(&row.from, "from"), ends(&row.to, "to"));
        drafts.push(Draft { written, from, to, groups: row.groups });
    }
    known.report(run);
    spread(threads, &drafts, |draft| {
        let Written { entry, pointer, .. } = draft.written;
        Addition { origins: entry.origins.clone(), flows: draft.flows(&known), pointer: pointer.clone() }
    })
}

/// A flow among the additions of a site.
struct Written<'a> {
    addition: &'a Additions<'a>,
    pointer: String,
    entry: &'a Tracked,
}

impl Written<'_> {
    fn row(&self, sources: &Sources, run: &mut Run) -> Option<Row> {
        let short = match &self.entry.value {
            Value::Str(row) => Some((row.clone(), self.entry)),
            _ => self.entry.get("flow").and_then(|f| Some((f.value.text()?, f))),
        };
        match &short {
            Some((row, place)) => parsed(row, place, sources, run),
            None => record(self.addition, self.entry, &self.pointer, sources, run),
        }
    }
}

/// Reads the short form; what is wrong with it is a finding at the word.
fn parsed(row: &Str, place: &Tracked, sources: &Sources, run: &mut Run) -> Option<Row> {
    let span = spec_span(&place.origins, sources);
    let at = |word: &str| span.map(|span| word_in(span, row, word, sources));
    let wrong = |message: String, word: &str| {
        let diag = Diag::new(MALFORMED, message).at_maybe(at(word), "");
        diag.help("write it as `users -> proxy1 : 443/tcp HTTPS`")
    };
    let Some((from, rest)) = row.split_once("->") else {
        run.findings.push(wrong(format!("the flow `{row}` has no `->` between its ends"), row));
        return None;
    };
    let Some((to, ports)) = rest.split_once(" : ") else {
        run.findings.push(wrong(format!("the flow `{row}` does not say its ports"), row));
        return None;
    };
    let names = |list, offset| words(list, offset, row, span).filter(|e| !e.word.is_empty()).collect::<Vec<End>>();
    let (from, to) = (names(from, 0), names(to, row.len() - rest.len()));
    if from.is_empty() || to.is_empty() {
        run.findings.push(wrong(format!("the flow `{row}` needs a name on both sides of `->`"), row));
        return None;
    }
    let mut groups = Vec::new();
    for part in ports.split(';').map(str::trim).filter(|g| !g.is_empty()) {
        match group(part) {
            Ok(Some(PortGroup::Literal { ports, transports, application })) => {
                groups.push(Group { ports, transports, application });
            }
            Ok(_) => run.findings.push(wrong(format!("`{part}` is not a port with its transport"), part)),
            Err(Wrong { message, word, help, instead }) => {
                let diag = Diag::new(MALFORMED, message).at_maybe(at(word), "").help(help);
                run.findings.push(match instead.zip(at(word)) {
                    Some((instead, span)) => diag.replace(span, instead, false),
                    None => diag,
                });
            }
        }
    }
    (!groups.is_empty()).then_some(Row { from, to, groups })
}

/// The words of a list, which stands at an offset of a text.
fn words(list: &str, offset: usize, text: &Str, span: Option<Span>) -> impl Iterator<Item = End> {
    let mut begin = offset;
    list.split(',').map(move |part| {
        let at = begin + part.len() - part.trim_start().len();
        begin += part.len() + 1;
        End { word: part.trim().into(), text: text.clone(), offset: at, span }
    })
}

/// The place of a word of a value's text, which stands at a span.
fn word_in(span: Span, text: &str, word: &str, sources: &Sources) -> Span {
    let offset = word.as_ptr() as usize - text.as_ptr() as usize;
    crate::parse::inside(sources, span, text, offset..offset + word.len())
}

/// Reads the long form; it waits for what is unanswered.
fn record(addition: &Additions, entry: &Tracked, pointer: &str, sources: &Sources, run: &mut Run) -> Option<Row> {
    let what = "a flow among the additions of the site";
    let word = |key: &str| text(entry, key).map(|t| t.value);
    let transport = word("transport").and_then(|name| Transport::from_name(&name));
    let keys: &[&str] = match transport.is_none_or(Transport::has_ports) {
        true => &["from", "to", "ports", "transport"],
        false => &["from", "to"],
    };
    for key in keys {
        if entry.get(key).is_none_or(|v| v.value.is_null()) {
            addition.wait(what, pointer, key, entry, run);
            return None;
        }
    }
    let transport = transport?;
    let ports = if transport.has_ports() { ports_of(&entry.get("ports")?.value)? } else { Vec::new() };
    let application = word("application").unwrap_or_default();
    let names = |key: &str| {
        let (list, value) = (word(key)?, entry.get(key)?);
        Some(words(&list, 0, &list, spec_span(&value.origins, sources)).collect())
    };
    Some(Row {
        from: names("from")?,
        to: names("to")?,
        groups: vec![Group { ports, transports: vec![transport], application }],
    })
}

/// What the additions of a site have in common, looked up once.
struct Known<'a> {
    /// The name of each host, and its range of node ports if it is the node of a cluster.
    hosts: Vec<(&'a Str, Option<F<Option<Ports>>>)>,
    addresses: HostAddresses,
    /// What words stand for, by the word. It is never gone through.
    ends: IndexMap<Str, Arc<Peer>>,
    /// The numbers of the hosts in the order of their names.
    sorted: Vec<usize>,
    /// Words that name nothing, with their places.
    unknown: BTreeMap<Str, BTreeSet<Place>>,
    /// What says where the site ends.
    ranges: Origins,
    site: &'a Site,
}

/// What a word stands for.
struct Peer {
    /// The word, one text for all flows.
    word: Str,
    peers: F<Peers>,
    /// Whether it lies in the networks of the site.
    inside: bool,
    /// The numbers of the hosts with these addresses.
    hosts: BTreeSet<usize>,
}

impl<'a> Known<'a> {
    fn of(site: &'a Site) -> Self {
        let node_ports = node_ports(site);
        let host = |(name, _): (&'a Str, &Tracked)| (name, node_ports.get(name).cloned());
        let hosts: Vec<_> = site.table("hosts").map(host).collect();
        let mut sorted: Vec<usize> = (0..hosts.len()).collect();
        sorted.sort_by_key(|n| hosts[*n].0);
        let addresses = HostAddresses::of(site.table("hosts").map(|(_, host)| Some(host)));
        Self { hosts, addresses, ends: IndexMap::new(), sorted, unknown: BTreeMap::new(), ranges: ranges(site), site }
    }

    /// The hosts that a pattern fits.
    fn fitting(&self, pattern: &Str) -> Vec<Tracked> {
        if !pattern.contains('*') {
            return Vec::new();
        }
        let begin = pattern.split(['*', '?', '[']).next().unwrap_or_default();
        let name = |n: &usize| self.hosts[*n].0;
        let from = self.sorted.partition_point(|n| &**name(n) < begin);
        let alike = self.sorted[from..].iter().take_while(|n| name(n).starts_with(begin));
        let mut hosts: Vec<usize> = alike.filter(|n| fits(pattern, name(n))).copied().collect();
        hosts.sort_unstable();
        let table = Str::from("hosts");
        let host = |n: &usize| Tracked::new(Ref { table: table.clone(), name: name(n).clone() }, Origins::None);
        hosts.iter().map(host).collect()
    }

    fn end(&self, word: &Str, peers: F<Peers>) -> Arc<Peer> {
        let (inside, hosts) = (is_inside(&peers, self.site), self.addresses.hosts_in(&peers.nets));
        Arc::new(Peer { word: word.clone(), peers, inside, hosts })
    }

    /// Whether the ports are node ports of every host that the traffic goes to, and what told so.
    fn published(&self, to: &Peer, ports: Option<Ports>) -> (bool, Origins) {
        let Some(ports) = ports else { return (false, Origins::None) };
        let mut origins = Origins::None;
        let mut published = false;
        for host in &to.hosts {
            let Some(range) = &self.hosts[*host].1 else { return (false, origins) };
            origins = origins.union(&range.origins);
            if !range.value.is_some_and(|r| r.contains(ports)) {
                return (false, origins);
            }
            published = true;
        }
        (published, origins)
    }

    /// One report per word that names nothing, with all its places; the first ones with the name that is meant.
    fn report(&self, run: &mut Run) {
        if self.unknown.is_empty() {
            return;
        }
        let near = NearNames::of(TABLES.iter().flat_map(|t| self.site.table(t)).map(|(name, _)| &**name));
        let mut unknown: Vec<_> = self.unknown.iter().collect();
        unknown.sort_by_key(|(_, places)| places.first());
        for (index, (word, places)) in unknown.into_iter().enumerate() {
            let message = format!("there is no host, network, external endpoint or cluster `{word}`");
            let mut diag = Diag::new(UNKNOWN_NAME, message);
            for place in places {
                diag = match diag.primary {
                    None => diag.at(place.span, "named here"),
                    Some(_) => diag.and(place.span, "named here as well"),
                };
            }
            if index < MOST_SUGGESTIONS
                && let Some(near) = near.nearest(word)
            {
                diag = diag.help(format!("there is `{}`", near.name));
                let all = places.iter().all(|p| p.exact);
                for place in places.iter().filter(|p| p.exact && !word.is_empty()) {
                    diag = diag.replace(place.span, near.name, near.sure && all);
                }
            }
            run.findings.push(diag);
        }
    }
}

/// A flow whose ends are known.
struct Draft<'a> {
    written: &'a Written<'a>,
    from: Vec<Arc<Peer>>,
    to: Vec<Arc<Peer>>,
    groups: Vec<Group>,
}

impl Draft<'_> {
    fn flows(&self, known: &Known) -> Vec<Arc<Flow>> {
        let Written { addition, entry, .. } = self.written;
        let own = deep_origins(entry);
        let why = reason(entry);
        let mut flows = Vec::new();
        for from in &self.from {
            for to in &self.to {
                for group in &self.groups {
                    let ports = match group.ports.as_slice() {
                        [] => vec![None],
                        list => list.iter().map(|p| Some(*p)).collect(),
                    };
                    for (ports, transport) in ports.iter().flat_map(|p| group.transports.iter().map(move |t| (*p, *t)))
                    {
                        let (published, read) = known.published(to, ports);
                        let sets = [&own, &from.peers.origins, &to.peers.origins, &why.origins, &read];
                        let exists = Origins::all(sets);
                        let hosts = |end: &Peer| F::new(end.peers.value.clone(), end.peers.origins.union(&own));
                        let field = |value: &Str| F::new(value.clone(), exists.clone());
                        flows.push(Arc::new(Flow {
                            product: field(addition.product),
                            from: field(&from.word),
                            from_hosts: hosts(from),
                            to: field(&to.word),
                            to_hosts: hosts(to),
                            transport: F::new(transport, exists.clone()),
                            ports: F::new(ports, exists.clone()),
                            application: field(&group.application),
                            scope: F::new(scope_between(from.inside, to.inside), exists.union(&known.ranges)),
                            published: F::new(published, exists.clone()),
                            pods_of: F::new(None, exists.clone()),
                            from_component: F::new(None, exists.clone()),
                            to_component: F::new(None, exists.clone()),
                            port_name: F::new(None, exists.clone()),
                            why: field(&why.value),
                        }));
                    }
                }
            }
        }
        flows
    }
}

/// Finds out what the ends of one flow are.
struct Lookup<'a, 'k> {
    written: &'k Written<'a>,
    /// The key of the ends in the long form.
    key: &'k str,
    site: &'a Site,
    sources: &'a Sources,
    known: &'k mut Known<'a>,
}

impl Lookup<'_, '_> {
    /// The addresses that a word stands for.
    fn end(&mut self, end: &End, run: &mut Run) -> Option<Arc<Peer>> {
        let word = &end.word;
        if let Some(known) = self.known.ends.get(word) {
            return Some(known.clone());
        }
        let net = word.parse::<IpNet>().ok().or_else(|| word.parse().ok().map(|a: IpAddr| IpNet::from(a)));
        if let Some(net) = net {
            let peers = Peers { nets: merged(vec![net]).into(), ..Peers::default() };
            return Some(self.known.end(word, F::new(peers, Origins::None)));
        }
        let named = |table: &&str| self.site.entry(table, word).is_some();
        let refs: Vec<Tracked> = match TABLES.iter().find(|t| named(t)) {
            Some(&"clusters") => {
                let (control_plane, workers) = self.site.cluster_nodes(word);
                let nodes = control_plane.into_iter().chain(workers);
                nodes.map(|n| Tracked::new(Ref { table: "hosts".into(), name: n.value }, n.origins)).collect()
            }
            Some(table) => vec![Tracked::new(Ref { table: (*table).into(), name: word.clone() }, Origins::None)],
            None => self.known.fitting(word),
        };
        if refs.is_empty() && !TABLES.iter().any(named) {
            self.known.unknown.entry(word.clone()).or_default().extend(end.place(self.sources));
            return None;
        }
        if self.is_empty(word) {
            self.empty(end, run);
            return None;
        }
        // A table that is faulty itself says nothing about its names.
        let found = peers(&Tracked::new(refs, Origins::None), self.site)?;
        if found.value.nets.is_empty() && found.value.name.is_none() {
            let what = format!("the flow with `{word}` among the additions of the site");
            let read = Tracked { value: Value::Null, origins: found.origins.union(&deep_origins(self.written.entry)) };
            self.written.addition.wait(&what, &self.written.pointer, self.key, &read, run);
            return None;
        }
        let end = self.known.end(word, found);
        self.known.ends.insert(word.clone(), end.clone());
        Some(end)
    }

    /// Whether the spec gives an end no address on purpose: a list with nothing in it, a cluster without nodes.
    fn is_empty(&self, word: &str) -> bool {
        let entry = TABLES.iter().find_map(|table| self.site.entry(table, word));
        let mut lists = ["cidrs", "addresses", "control_plane", "managers", "workers"]
            .into_iter()
            .filter_map(|key| entry?.get(key))
            .filter(|v| !v.value.is_null())
            .peekable();
        lists.peek().is_some() && lists.all(|v| matches!(&v.value, Value::List(items) if items.is_empty()))
    }

    fn empty(&self, end: &End, run: &mut Run) {
        let word = &end.word;
        let mut diag = Diag::new(EMPTY_END, format!("nobody is `{word}`: the added flow would permit nothing"));
        diag = diag.at_maybe(end.place(self.sources).map(|p| p.span), "no address");
        let entry = TABLES.iter().find_map(|table| self.site.entry(table, word));
        if let Some(span) = entry.and_then(|e| spec_span(&e.origins, self.sources)) {
            diag = diag.and(span, "this list is empty");
        }
        run.findings
            .push(diag.pointer(&self.written.pointer).help("give it addresses or nodes, or take the flow away"));
    }
}
