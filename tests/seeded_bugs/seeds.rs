//! Text in, the same text with one bug in it out: at the first, a middle and the last place where such a bug fits.

use std::collections::BTreeSet;
use std::ops::Range;

use ipnet::IpNet;
use sitec::netset::{Addresses, Family};
use sitec::value::Ports;

/// A port that no fixture uses.
pub const STRANGE_PORT: u16 = 64999;
/// Addresses that no fixture has.
pub const STRANGER_V4: &str = "203.0.113.199";
pub const STRANGER_V6: &str = "2001:db8:ffff::c7";

/// A text with a bug.
pub struct Seed {
    pub what: String,
    pub text: String,
}

/// Gathers the bugs of one file.
pub struct Seeds<'a> {
    pub text: &'a str,
    pub list: Vec<Seed>,
}

impl<'a> Seeds<'a> {
    pub fn of(text: &'a str) -> Self {
        Self { text, list: Vec::new() }
    }

    /// Changes the first, a middle and the last of the places that `change` takes; `None` leaves a place alone.
    pub fn at(&mut self, what: &str, places: &[Range<usize>], change: impl Fn(&str) -> Option<String>) {
        let fits = places.iter().filter_map(|place| {
            let old = &self.text[place.clone()];
            change(old).filter(|new| new != old).map(|new| (place.clone(), new))
        });
        let fits: Vec<_> = fits.collect();
        for index in chosen(fits.len()) {
            let (place, new) = &fits[index];
            let mut text = self.text.to_owned();
            text.replace_range(place.clone(), new);
            let line = self.text[..place.start].matches('\n').count() + 1;
            self.list.push(Seed { what: format!("line {line}: {what}"), text });
        }
    }

    /// Replaces a word in the first, a middle and the last of the places that have it.
    pub fn word(&mut self, places: &[Range<usize>], old: &str, new: &str) {
        let what = format!("`{}` instead of `{}`", new.trim(), old.trim());
        self.at(&what, places, |text| text.contains(old).then(|| text.replacen(old, new, 1)));
    }

    /// Deletes the first, a middle and the last of the places.
    pub fn deleted(&mut self, what: &str, places: &[Range<usize>]) {
        self.at(&format!("{what} is missing"), places, |_| Some(String::new()));
    }

    /// Puts text before the first, a middle and the last of the places.
    pub fn before(&mut self, what: &str, places: &[Range<usize>], new: &str) {
        self.at(what, places, |text| Some(format!("{new}{text}")));
    }

    /// The whole text as something else.
    pub fn whole(&mut self, what: &str, text: String) {
        if text != self.text {
            self.list.push(Seed { what: what.to_owned(), text });
        }
    }

    /// Lists of ports: one lost, one too many, one wider, one narrower, another one.
    pub fn ports(&mut self, lists: &[Range<usize>], joint: &str, dash: char) {
        for place in ["first", "middle", "last"] {
            let pick = |n: usize| match place {
                "first" => 0,
                "middle" => n / 2,
                _ => n.saturating_sub(1),
            };
            let changed = |text: &str, change: &dyn Fn(&mut Vec<Ports>, usize)| {
                let read = |word: &str| word.replace(dash, "-").parse::<Ports>().ok();
                let old: Vec<Ports> = text.split(joint).map(read).collect::<Option<_>>()?;
                let mut new = old.clone();
                change(&mut new, pick(old.len()));
                // A port that another rule has may be permitted anyway.
                let (was, is) = (numbers(&old), numbers(&new));
                let known = new.len() == old.len() && is.difference(&was).any(|p| self.text.contains(&p.to_string()));
                let differs = !new.is_empty() && !known && is != was;
                let write = |p: &Ports| p.to_string().replace('-', &dash.to_string());
                differs.then(|| new.iter().map(write).collect::<Vec<_>>().join(joint))
            };
            let what = |verb: &str| format!("the {place} port {verb}");
            self.at(&what("is lost"), lists, |text| changed(text, &|list, i| _ = list.remove(i)));
            self.at(&what("is another one"), lists, |text| {
                changed(text, &|list, i| list[i] = Ports::one(STRANGE_PORT))
            });
            self.at(&what("is wider"), lists, |text| {
                changed(text, &|list, i| list[i].high = list[i].high.saturating_add(1))
            });
            self.at(&what("begins lower"), lists, |text| {
                changed(text, &|list, i| list[i].low = list[i].low.saturating_sub(1).max(1))
            });
            self.at(&what("is narrower"), lists, |text| {
                changed(text, &|list, i| list[i].high = list[i].high.max(list[i].low + 1) - 1)
            });
        }
        self.at("a port too many", lists, |text| {
            let number = text.starts_with(|c: char| c.is_ascii_digit());
            number.then(|| format!("{text}{joint}{STRANGE_PORT}"))
        });
        self.at("every port", lists, |text| {
            let number = text.starts_with(|c: char| c.is_ascii_digit());
            number.then(|| format!("1{dash}65535"))
        });
    }

    /// Lists of addresses: one lost, one too many, one wider, one narrower.
    pub fn addresses(&mut self, lists: &[Range<usize>], joint: &str) {
        for place in ["first", "middle", "last"] {
            let pick = |n: usize| match place {
                "first" => 0,
                "middle" => n / 2,
                _ => n.saturating_sub(1),
            };
            let changed = |text: &str, change: &dyn Fn(&str) -> Option<String>| {
                let mut words: Vec<String> = text.split(joint).map(str::to_owned).collect();
                let old = set(&words)?;
                let index = pick(words.len());
                match change(&words[index])? {
                    word if word.is_empty() => drop(words.remove(index)),
                    word => words[index] = word,
                }
                let differs = !words.is_empty() && set(&words) != Some(old);
                differs.then(|| words.join(joint))
            };
            let what = |verb: &str| format!("the {place} address {verb}");
            self.at(&what("is lost"), lists, |text| changed(text, &|_| Some(String::new())));
            self.at(&what("has a wider mask"), lists, |text| changed(text, &|word| wider(word, 1)));
            self.at(&what("has a much wider mask"), lists, |text| changed(text, &|word| wider(word, 8)));
            self.at(&what("has a narrower mask"), lists, |text| changed(text, &narrower));
            self.at(&what("is a stranger's"), lists, |text| changed(text, &|word| Some(stranger(word).to_owned())));
        }
        self.at("an address too many", lists, |text| {
            let words: Vec<String> = text.split(joint).map(str::to_owned).collect();
            set(&words).map(|_| format!("{text}{joint}{}", stranger(text)))
        });
    }
}

/// Indices of the first, a middle and the last of so many.
fn chosen(count: usize) -> BTreeSet<usize> {
    [0, count / 2, count.wrapping_sub(1)].into_iter().filter(|i| *i < count).collect()
}

fn numbers(list: &[Ports]) -> BTreeSet<u16> {
    list.iter().flat_map(|p| p.low..=p.high).collect()
}

/// The addresses of words; `None` when one of them is none.
fn set(words: &[String]) -> Option<(Addresses, Addresses)> {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for word in words {
        let (family, one) = interval(word)?;
        if family == Family::V4 { v4.push(one) } else { v6.push(one) }
    }
    Some((Addresses::union_of(v4), Addresses::union_of(v6)))
}

fn interval(word: &str) -> Option<(Family, Addresses)> {
    if let Some((low, high)) = word.split_once('-') {
        let (low, high): (std::net::IpAddr, std::net::IpAddr) = (low.parse().ok()?, high.parse().ok()?);
        return Some((Family::of(&low.into()), Addresses::between(low, high)?));
    }
    let net = net(word)?;
    Some((Family::of(&net), Addresses::of_nets(Family::of(&net), [&net])))
}

fn net(word: &str) -> Option<IpNet> {
    word.parse::<IpNet>().ok().or_else(|| word.parse::<std::net::IpAddr>().ok().map(IpNet::from))
}

/// The same network with so many bits less in its mask; a range ends one address later.
pub fn wider(word: &str, bits: u8) -> Option<String> {
    if let Some((low, high)) = word.split_once('-') {
        let next = match high.parse().ok()? {
            std::net::IpAddr::V4(a) => std::net::IpAddr::V4((u32::from(a).checked_add(bits.into())?).into()),
            std::net::IpAddr::V6(a) => std::net::IpAddr::V6((u128::from(a).checked_add(bits.into())?).into()),
        };
        return Some(format!("{low}-{next}"));
    }
    let net = net(word)?;
    let length = net.prefix_len().checked_sub(bits)?;
    IpNet::new(net.addr(), length).ok().map(|n| n.trunc().to_string())
}

/// The first half of a network or range.
pub fn narrower(word: &str) -> Option<String> {
    if let Some((low, _)) = word.split_once('-') {
        return Some(low.to_owned());
    }
    let net = net(word)?;
    let length = net.prefix_len() + 1;
    IpNet::new(net.addr(), length).ok().map(|n| n.to_string())
}

/// A stranger of the family of some text with addresses.
pub fn stranger(text: &str) -> &'static str {
    if text.contains(':') { STRANGER_V6 } else { STRANGER_V4 }
}

/// The lines of a text with their line ends, that fit.
pub fn lines(text: &str, fits: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let mut from = 0;
    let mut places = Vec::new();
    for line in text.split_inclusive('\n') {
        if fits(line.trim()) {
            places.push(from..from + line.len());
        }
        from += line.len();
    }
    places
}

/// What stands between two marks, within the places.
pub fn between(text: &str, places: &[Range<usize>], open: &str, close: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for place in places {
        let part = &text[place.clone()];
        let mut from = 0;
        while let Some(begin) = part[from..].find(open).map(|i| from + i + open.len()) {
            let Some(length) = part[begin..].find(close) else { break };
            found.push(place.start + begin..place.start + begin + length);
            from = begin + length;
        }
    }
    found
}
