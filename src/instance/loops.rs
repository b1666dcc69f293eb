//! Running the items of a pack: their loops and conditions, each evaluated as seldom as can be.

use super::each::{Answer, OpenFile, Run, behind};
use crate::pack::expr::{Expr, Reads, Scope, Text, Unanswered};
use crate::pack::manifest::Head;
use crate::value::{Origins, Str, Tracked, Value};

/// How the loops and the condition of an item are gone through.
struct Order<'a> {
    head: &'a Head,
    settled_at: usize,
}

/// The origins of a value and of every record within it.
fn whole_origins(value: &Tracked) -> Origins {
    let parts: Vec<Origins> = match &value.value {
        Value::Record(record) => record.fields().iter().filter_map(|f| Some(record.field(f)?.origins)).collect(),
        Value::List(items) => items.iter().map(whole_origins).collect(),
        Value::Map(map) => {
            map.values().filter(|v| matches!(v.value, Value::Record(_) | Value::List(_))).map(whole_origins).collect()
        }
        _ => return value.origins.clone(),
    };
    Origins::all(&parts).union(&value.origins)
}

impl Run {
    /// Runs an item: once for each tuple of its loops for which its condition holds. The origins given to `f` are the
    /// item's place and what the loops and the condition read. What is left open is added to `open`.
    pub fn each(
        &mut self,
        head: &Head,
        scope: &Scope,
        open: &mut Vec<Unanswered>,
        f: &mut dyn FnMut(&Scope, &Origins, &mut Run),
    ) {
        let order = Order { head, settled_at: head.settled_at() };
        self.nested(&order, 0, false, scope, &Origins::from(head.place), open, f);
    }

    #[expect(clippy::too_many_arguments, reason = "what a loop knows, and what it was asked with")]
    fn nested(
        &mut self,
        order: &Order,
        level: usize,
        holds: bool,
        scope: &Scope,
        origins: &Origins,
        open: &mut Vec<Unanswered>,
        f: &mut dyn FnMut(&Scope, &Origins, &mut Run),
    ) {
        let head = order.head;
        let Some((name, list)) = head.for_each.get(level) else {
            return match holds {
                true => f(scope, origins, self),
                false => self.conditional(head, scope, origins, open, f),
            };
        };
        // A condition that says nothing of the loops from here on is asked before them: where it is false, nobody has to
        // answer for their lists. Left open, it is asked again within them, for whom it concerns.
        let met;
        let (holds, origins) = match head.when.as_ref().filter(|_| !holds && order.settled_at == level) {
            None => (holds, origins),
            Some(when) => {
                let mut reads = self.fresh_reads();
                let result = when.eval_condition(scope, self.traced, &mut reads);
                self.scratch = reads;
                match result {
                    Ok(Tracked { value: Value::Bool(holds), origins: read }) => {
                        self.seen.note(&self.scratch);
                        met = origins.union(&read);
                        if !holds {
                            return self.is_absent(|| met.clone());
                        }
                        (true, &met)
                    }
                    _ => (false, origins),
                }
            }
        };
        // The outermost list is often that of another item: the hosts of one kind.
        let list = if level == 0 { self.list(list, scope) } else { self.eval(list, scope) };
        match list {
            Answer::Poison => self.lost += 1,
            Answer::Open(unanswered) => self.left_open(unanswered, scope, origins, open),
            Answer::Known(found) => {
                let origins = origins.union(&found.origins);
                let one = [found.clone()];
                let items: &[Tracked] = match &found.value {
                    Value::List(items) => items,
                    Value::Str(text) if &**text == "none" => &[],
                    _ => &one,
                };
                if items.is_empty() {
                    self.is_absent(|| origins.clone());
                }
                // Of most lists each item is one of a few kinds, and each rule is for one of them.
                let innermost = level + 1 == head.for_each.len() && !holds && !self.traced;
                let kind = head.when.as_ref().filter(|_| innermost).and_then(|when| when.kind_of(name));
                for item in items {
                    if kind.is_some_and(|(field, wanted)| self.is_of_another(item, field, wanted)) {
                        continue;
                    }
                    let inner = scope.with(name, item);
                    let own = self.item_origins(item);
                    self.nested(order, level + 1, holds, &inner, &origins.union(&own), open, f);
                }
            }
        }
    }

    /// Whether a field of an item is known to be something else than is wanted, which rules the item out.
    fn is_of_another(&mut self, item: &Tracked, field: &str, wanted: &Value) -> bool {
        let Value::Record(record) = &item.value else { return false };
        let Some(found) = record.field(field) else { return false };
        let other = matches!((&found.value, wanted), (Value::Str(found), Value::Str(wanted)) if found != wanted);
        if other {
            self.seen.note_one(&item.origins);
            self.seen.note_one(&found.origins);
        }
        other
    }

    /// Evaluates a list, unless one of this text was evaluated with the same inputs before.
    fn list(&mut self, expr: &Expr, scope: &Scope) -> Answer {
        let inputs: Option<Vec<Tracked>> = expr.names().iter().map(|name| scope.get(name).cloned()).collect();
        let Some(inputs) = inputs else { return self.eval(expr, scope) };
        let same = |(before, _): &&(Vec<Tracked>, Tracked)| before.iter().zip(&inputs).all(|(a, b)| a.is_same(b));
        let known = self.lists.get(expr.text()).filter(same).map(|(_, value)| value.clone());
        let Some(Tracked { value, origins }) = known.or_else(|| {
            let value = expr.known(scope)?;
            self.lists.insert(expr.text().clone(), (inputs, value.clone()));
            Some(value)
        }) else {
            return self.eval(expr, scope);
        };
        Answer::Known(Tracked { value, origins: origins.union(&Origins::from(expr.anchor().place)) })
    }

    fn conditional(
        &mut self,
        head: &Head,
        scope: &Scope,
        origins: &Origins,
        open: &mut Vec<Unanswered>,
        f: &mut dyn FnMut(&Scope, &Origins, &mut Run),
    ) {
        let Some(when) = &head.when else { return f(scope, origins, self) };
        // Most items of a large site are ruled out, and only lines that are traced ask why.
        let mut reads = self.fresh_reads();
        let result = when.eval_condition(scope, self.traced, &mut reads);
        self.seen.note(&reads);
        let answer = self.answer(result, reads);
        match self.truth(answer, when, scope) {
            Answer::Known(value) if value.value == Value::Bool(true) => {
                f(scope, &origins.union(&value.origins), self);
            }
            Answer::Known(value) => self.is_absent(|| origins.union(&value.origins)),
            Answer::Open(unanswered) => self.left_open(unanswered, scope, origins, open),
            Answer::Poison => self.lost += 1,
        }
    }

    fn left_open(
        &mut self,
        mut unanswered: Vec<Unanswered>,
        scope: &Scope,
        origins: &Origins,
        open: &mut Vec<Unanswered>,
    ) {
        behind(&mut unanswered, origins);
        self.leave_file_open(&unanswered, scope);
        self.is_absent(|| Origins::all(unanswered.iter().map(|u| &u.reads)));
        open.extend(unanswered);
    }

    /// Notes that the file of the item at work is not known as a whole.
    pub fn leave_file_open(&mut self, unanswered: &[Unanswered], scope: &Scope) {
        if self.watched.is_empty() {
            return;
        }
        let name = |text: &Text| match text.eval(scope, &mut Reads::default()).ok().and_then(|found| found.value.text())
        {
            Some(known) => vec![Some(known)],
            None => text.literals().map(|piece| piece.map(Str::from)).collect(),
        };
        let names = self.watched.iter().map(name).collect();
        let reads = Origins::all(unanswered.iter().flat_map(|u| [&u.origins, &u.reads]));
        self.open_files.push(OpenFile { names, reads });
    }

    /// The origins of an item of a list. An item of the `Ir` is there because of all its fields, a group of them because
    /// of all its items; these are put together only when somebody asks for origins.
    fn item_origins(&self, item: &Tracked) -> Origins {
        if self.traced { whole_origins(item) } else { item.origins.clone() }
    }
}
