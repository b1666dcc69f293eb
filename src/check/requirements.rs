//! What packs demand of the site: each requirement judged, a finding where it fails, a question where it cannot be told.

use std::cmp::Ordering;

use super::limits::{compare, typed};
use super::places::{spec_span, spec_spans};
use crate::diag::codes::PACK_EVALUATION;
use crate::diag::{Diag, Level};
use crate::instance::{Answer, Asked, Bound, Instance, Run};
use crate::lower::storage::pointer;
use crate::pack::expr::{Scope, Unanswered, fits};
use crate::pack::manifest::{Band, Judgement, Limit, Requirement, Waive};
use crate::site::Site;
use crate::source::{Sources, Span};
use crate::value::{Origins, Tracked, Value};

/// Judges the requirements and bindings of one instance.
pub fn requirements(instance: &Instance, site: &Site, sources: &Sources, run: &mut Run) {
    bindings(instance, site, sources, run);
    let world = instance.world(site);
    let scope = Scope::new(&instance.names, &world);
    for rule in &instance.pack.requirements {
        let mut open = Vec::new();
        run.each(&rule.head, &scope, &mut open, &mut |scope, origins, run| {
            Judge { instance, rule, scope, origins, sources, site }.judge(run);
        });
        // A condition that cannot be told is a question only where the pack has words for it.
        if !open.is_empty() {
            let why = instance.pack.source_text(&rule.head.source);
            let code = format!("requirement `{}/{}`", instance.pack.name, rule.code);
            run.withheld.push(crate::instance::Withheld {
                product: instance.name.clone(),
                what: code,
                unanswered: open,
                why,
                ..Default::default()
            });
        }
    }
}

/// A binding that the site does not have: an error when the product needs it, a warning when something is lost.
fn bindings(instance: &Instance, site: &Site, sources: &Sources, run: &mut Run) {
    let world = instance.world(site);
    let scope = Scope::new(&instance.names, &world);
    for (name, bound) in &instance.bound {
        let Bound::Absent(origins) = bound else { continue };
        let rule = &instance.pack.bindings[name];
        // A binding whose own condition rules it out is not missing.
        if rule.head.when.is_some() && !rule.required && rule.without.is_none() {
            continue;
        }
        let pack = &instance.pack.name;
        let source = instance.pack.source_text(&rule.head.source);
        let span = || spec_span(origins, sources).or_else(|| spec_span(&instance.product.origins, sources));
        let pointer = format!("/products/{}", instance.name);
        if rule.required {
            run.findings.push(
                Diag::with_code(
                    format!("{pack}/needs-{name}"),
                    Level::Error,
                    format!("`{}` needs {}, and the site has none", instance.name, rule.label),
                )
                .at_maybe(span(), "")
                .note(source.to_string())
                .help(format!("declare it in the spec; `sitec packs show {pack}` lists what the product uses"))
                .pointer(pointer),
            );
        } else if let Some(without) = &rule.without
            && let Answer::Known(text) = run.text(without, &scope)
        {
            let mut diag = Diag::with_code(
                format!("{pack}/without-{name}"),
                Level::Warning,
                format!("without {}: {}", rule.label, text.value.text().unwrap_or_default()),
            )
            .at_maybe(span(), "there is none")
            .note(source.to_string())
            .pointer(pointer);
            diag.waivable = true;
            diag.help = Some(format!("declare one in the spec, or {}", waiver(&diag)));
            run.findings.push(diag);
        }
    }
}

struct Judge<'a> {
    instance: &'a Instance<'a>,
    rule: &'a Requirement,
    scope: &'a Scope<'a>,
    /// What the loops and the condition read.
    origins: &'a Origins,
    sources: &'a Sources,
    site: &'a Site,
}

/// How a place fell short.
struct Failure<'r> {
    limit: Value,
    band: Option<&'r Band>,
}

impl Judge<'_> {
    fn judge(&self, run: &mut Run) {
        let place = match &self.rule.of {
            None => None,
            Some(of) => match run.eval(of, self.scope) {
                Answer::Known(value) => Some(value),
                Answer::Open(unanswered) => return self.ask(unanswered, run),
                Answer::Poison => return,
            },
        };
        let failure = match &place {
            None => match &self.rule.judgement {
                Judgement::That(that) => match run.condition(that, self.scope) {
                    Answer::Known(value) if value.value == Value::Bool(false) => {
                        return self.report(None, Failure { limit: Value::Null, band: None }, &value.origins, run);
                    }
                    Answer::Known(_) | Answer::Poison => None,
                    Answer::Open(unanswered) => return self.ask(unanswered, run),
                },
                _ => None,
            },
            Some(place) => match self.failure(place, run) {
                Ok(failure) => failure,
                Err(unanswered) => return self.ask(unanswered, run),
            },
        };
        if let (Some(place), Some(failure)) = (place, failure) {
            let origins = place.origins.clone();
            self.report(Some(place), failure, &origins, run);
        }
    }

    /// How a place falls short of the rule; what is unanswered where that keeps it from being told.
    fn failure(&self, place: &Tracked, run: &mut Run) -> Result<Option<Failure<'_>>, Vec<Unanswered>> {
        let short = |limit: &Limit, wrong: fn(Ordering) -> bool, run: &mut Run| -> Result<_, Vec<Unanswered>> {
            let Some(limit) = self.limit(limit, place, run)? else { return Ok(None) };
            match compare(&place.value, &limit) {
                Some(order) => Ok(wrong(order).then_some(limit)),
                None => {
                    self.misfit(place, &limit, run);
                    Ok(None)
                }
            }
        };
        let single = |limit: Option<Value>| Ok(limit.map(|limit| Failure { limit, band: None }));
        match &self.rule.judgement {
            Judgement::Min(limit) => single(short(limit, Ordering::is_lt, run)?),
            Judgement::Max(limit) => single(short(limit, Ordering::is_gt, run)?),
            Judgement::Below(limit) => single(short(limit, Ordering::is_ge, run)?),
            Judgement::OneOf(list) | Judgement::NoneOf(list) => {
                let wanted = matches!(self.rule.judgement, Judgement::OneOf(_));
                let mut values: Vec<Value> = Vec::with_capacity(list.len());
                for limit in list {
                    match self.limit(limit, place, run)? {
                        Some(value) => values.push(value),
                        None => return Ok(None),
                    }
                }
                // `acl: "yes"` where true or false is asked for is no answer, rather than a wrong one.
                if let Some(value) =
                    values.first().filter(|_| values.iter().all(|v| compare(&place.value, v).is_none()))
                {
                    self.misfit(place, value, run);
                    return Ok(None);
                }
                let found = values.iter().any(|v| compare(&place.value, v) == Some(Ordering::Equal));
                let names: Vec<String> = values.iter().filter_map(Value::text).map(|t| format!("`{t}`")).collect();
                single((found != wanted).then(|| Value::str(names.join(", "))))
            }
            Judgement::Matches(glob) => {
                let text = place.value.text();
                single(text.is_some_and(|text| !fits(glob, &text)).then(|| Value::Str(glob.clone())))
            }
            Judgement::Bands(bands) => {
                for band in bands {
                    if let Some(limit) = short(&band.below, Ordering::is_lt, run)? {
                        return Ok(Some(Failure { limit, band: Some(band) }));
                    }
                }
                Ok(None)
            }
            // With `of`, the condition speaks about the place that the label shows.
            Judgement::That(that) => match run.condition(that, self.scope) {
                Answer::Known(value) => single((value.value == Value::Bool(false)).then_some(Value::Null)),
                Answer::Open(unanswered) => Err(unanswered),
                Answer::Poison => Ok(None),
            },
        }
    }

    /// A limit in the type of the place it is compared with; `None` where there is none, which has been reported.
    fn limit(&self, limit: &Limit, place: &Tracked, run: &mut Run) -> Result<Option<Value>, Vec<Unanswered>> {
        match limit {
            Limit::Literal(literal) => match typed(&literal.value, &place.value) {
                Ok(value) => Ok(Some(value)),
                Err(why) => {
                    let span = literal.origins.as_slice().first().and_then(|p| self.sources.span_of(*p));
                    let diag = Diag::new(PACK_EVALUATION, why);
                    run.misfits.push((diag.at_maybe(span.or(Some(self.rule.head.span)), ""), self.own(place)));
                    Ok(None)
                }
            },
            Limit::Expr(expr) => match run.eval(expr, self.scope) {
                Answer::Known(value) => Ok(Some(value.value)),
                Answer::Open(unanswered) => Err(unanswered),
                Answer::Poison => Ok(None),
            },
        }
    }

    /// Notes that a place holds something that the limit says nothing about.
    fn misfit(&self, place: &Tracked, limit: &Value, run: &mut Run) {
        let message = format!(
            "requirement `{}/{}` asks for {}, and the answer is {}",
            self.instance.pack.name,
            self.rule.code,
            limit.kind(),
            place.value.kind()
        );
        let mut diag = Diag::new(PACK_EVALUATION, message).at(self.rule.head.span, "");
        if matches!(limit, Value::Bool(_)) {
            diag = diag.help("write `true` or `false`, without quotes");
        }
        run.misfits.push((diag, self.own(place)));
    }

    /// The origins of the place that is judged, as far as they can be told from those of what led to it.
    fn own(&self, place: &Tracked) -> Origins {
        let own = self.rule.of.as_ref().and_then(|of| of.own_origins(self.scope));
        let spelled = || Some(self.site.at(&self.spelled()?)?.origins.clone());
        own.or_else(spelled).unwrap_or_else(|| place.origins.clone())
    }

    fn report(&self, place: Option<Tracked>, failure: Failure, read: &Origins, run: &mut Run) {
        let pack = self.instance.pack;
        let names = [
            ("this".into(), place.clone().unwrap_or_default()),
            ("limit".into(), Tracked::new(failure.limit, Origins::None)),
        ];
        let scope = self.scope.child(&names);
        let says = failure.band.and_then(|b| b.says.as_ref()).unwrap_or(&self.rule.says);
        let message = match run.text(says, &scope) {
            Answer::Known(value) => value.value.text().unwrap_or_default(),
            _ => self.rule.says.source().clone(),
        };
        let level = failure.band.map_or(self.rule.level, |b| b.level);
        let source = failure.band.and_then(|b| b.source.as_ref()).unwrap_or(&self.rule.head.source);
        let mut diag = Diag::with_code(format!("{}/{}", pack.name, self.rule.code), level, message.to_string())
            .note(pack.source_text(source).to_string());
        let at = self.rule.at.as_ref().and_then(|at| match run.eval(at, self.scope) {
            Answer::Known(value) => spec_span(&value.origins, self.sources),
            _ => None,
        });
        let spelled = self.spelled().and_then(|pointer| spec_span(&self.site.at(&pointer)?.origins, self.sources));
        let own = || spec_span(&self.rule.of.as_ref()?.own_origins(self.scope)?, self.sources);
        let primary = spelled
            .or(at)
            .or_else(own)
            .or_else(|| place.as_ref().and_then(|p| spec_span(&p.origins, self.sources)))
            .or_else(|| spec_span(read, self.sources))
            .or_else(|| spec_span(&self.instance.product.origins, self.sources));
        diag = diag.at_maybe(primary, "");
        for (span, why) in self.reasons(primary) {
            diag = diag.and(span, why);
        }
        if let Some(name) = &self.rule.contradiction
            && let Some(contradiction) = pack.contradictions.get(name)
        {
            diag = diag.note(format!(
                "the document contradicts itself, see `{}` ({}): {}",
                contradiction.code(&pack.name),
                pack.sections(&contradiction.head.source),
                contradiction.resolved
            ));
        }
        diag.waivable = self.waivable(failure.band.map_or(&self.rule.waive, |b| &b.waive), run);
        diag.pointer = self.pointer(&place);
        let own = self.rule.help.as_ref().and_then(|help| match run.text(help, &scope) {
            Answer::Known(help) => help.value.text(),
            _ => None,
        });
        // A note tells what follows from an answer; there is nothing to get out of.
        diag.help = match own {
            Some(help) => Some(help.to_string()),
            None => (diag.level != Level::Note).then(|| self.way_out(&scope, &diag)),
        };
        let of = place.map(|p| p.origins).unwrap_or_default();
        diag.reads = Origins::all([self.origins, read, &of]);
        run.findings.push(diag);
    }

    /// The help of a requirement whose pack gives none: the bound, and the waiver where one is allowed.
    fn way_out(&self, scope: &Scope, diag: &Diag) -> String {
        let limit = scope.get("limit").and_then(|l| l.value.text()).unwrap_or_default();
        let change = match &self.rule.judgement {
            Judgement::Min(_) => format!("it must be {limit} or more"),
            Judgement::Max(_) => format!("it must be {limit} or less"),
            Judgement::Below(_) => format!("it must be less than {limit}"),
            Judgement::Bands(bands) => {
                let last = bands.last().and_then(|b| match &b.below {
                    Limit::Literal(value) => value.value.text(),
                    Limit::Expr(_) => None,
                });
                format!("it must be {} or more", last.unwrap_or(limit))
            }
            Judgement::OneOf(list) if list.len() == 1 => format!("it must be {limit}"),
            Judgement::OneOf(_) => format!("it must be one of {limit}"),
            Judgement::NoneOf(_) => format!("it must be other than {limit}"),
            Judgement::Matches(_) => format!("it must have the form `{limit}`"),
            Judgement::That(_) => "change what is marked here".to_owned(),
        };
        match diag.waivable {
            true => format!("{change}; or {}", waiver(diag)),
            false => format!("{change}; no waiver lifts this"),
        }
    }

    /// What the condition read, which is why the requirement holds here: the line that chose the profile, say.
    fn reasons(&self, primary: Option<Span>) -> Vec<(Span, String)> {
        let mut reasons: Vec<(Span, String)> = Vec::new();
        let mut add = |span: Span, why: String| {
            let around = |p: Span| p.file == span.file && span.start <= p.start && p.end <= span.end;
            if !primary.is_some_and(around) && reasons.len() < 4 && !reasons.iter().any(|(s, _)| *s == span) {
                reasons.push((span, why));
            }
        };
        for (pointer, read) in self.rule.head.when.iter().flat_map(|when| when.parts(self.scope)) {
            let place = pointer.as_ref().and_then(|p| Some((p, spec_span(&self.site.at(p)?.origins, self.sources)?)));
            match (place, read.value.text()) {
                (Some((pointer, span)), Some(text)) => add(span, because(pointer, &read.value, &text)),
                // What is computed has the lines that it was computed from; a default has none.
                (None, Some(_)) if pointer.is_none() => {
                    spec_spans(&read.origins, self.sources).into_iter().for_each(|s| add(s, "because of this".into()));
                }
                _ => {}
            }
        }
        reasons
    }

    fn waivable(&self, waive: &Waive, run: &mut Run) -> bool {
        match waive {
            Waive::Always => true,
            Waive::Never => false,
            Waive::When(expr) => {
                matches!(run.condition(expr, self.scope), Answer::Known(Tracked { value: Value::Bool(true), .. }))
            }
        }
    }

    /// The pointer of the place that is judged, when its expression spells one.
    fn spelled(&self) -> Option<String> {
        self.rule.of.as_ref().or(self.rule.at.as_ref())?.pointer(self.scope)
    }

    /// The pointer of the place that is judged, as far as its expression spells one; else that of the object that the
    /// innermost loop is about, else the product's.
    fn pointer(&self, place: &Option<Tracked>) -> String {
        let base = |name: &str| match &self.scope.get(name)?.value {
            Value::Ref(r) => Some(pointer(&[&r.table, &r.name])),
            _ => match name {
                "site" => Some(String::new()),
                "product" => Some(pointer(&["products", &self.instance.name])),
                "settings" => Some(pointer(&["products", &self.instance.name, "settings"])),
                _ => None,
            },
        };
        let named = || self.rule.head.for_each.iter().rev().find_map(|(name, _)| base(name));
        let own = || match place.as_ref().map(|p| &p.value) {
            Some(Value::Ref(r)) => Some(pointer(&[&r.table, &r.name])),
            _ => None,
        };
        self.spelled().or_else(named).or_else(own).unwrap_or_else(|| pointer(&["products", &self.instance.name]))
    }

    fn ask(&self, unanswered: Vec<Unanswered>, run: &mut Run) {
        let ask = self.rule.ask.as_ref().and_then(|t| match run.text(t, self.scope) {
            Answer::Known(value) => Some((value.value.text()?, value.origins)),
            _ => None,
        });
        let (ask, origins) = ask.unwrap_or_default();
        let origins = origins.union(self.origins);
        run.asked.push(Asked {
            product: self.instance.name.clone(),
            ask,
            origins,
            who: self.rule.who.clone(),
            why: self.instance.pack.source_text(&self.rule.head.source),
            waits: vec![format!("requirement `{}/{}`", self.instance.pack.name, self.rule.code).into()],
            unanswered,
        });
    }
}

/// How to live with a finding.
fn waiver(diag: &Diag) -> String {
    format!("live with it and say why: `waivers: [{{ code: {}, at: {}, reason: … }}]`", diag.code, diag.pointer)
}

/// The words at a place that a condition read.
fn because(pointer: &str, value: &Value, text: &str) -> String {
    match pointer.rsplit('/').next() {
        Some(key) if !matches!(value, Value::Ref(_)) => format!("because `{key}` is `{text}`"),
        _ => "because of this".into(),
    }
}
