//! Work in, its results in the same order out, computed by several threads where that pays.

use std::cmp;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Below this many items a second thread costs more than it brings.
const WORTH_A_THREAD: usize = 256;

/// Applies `f` to every item. `threads` is the most that may run at once; 0 leaves the choice to the machine. The
/// result never depends on it.
pub fn spread<T: Sync, R: Send>(threads: usize, items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    spread_with(threads, items, || (), |(), item| f(item))
}

/// The same where each thread keeps something from one item to the next: what it need not find out again.
pub fn spread_with<T: Sync, R: Send, S>(
    threads: usize,
    items: &[T],
    kept: impl Fn() -> S + Sync,
    f: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<R> {
    let share = share(threads, items.len());
    in_parts(items.chunks(share).collect(), |part: &[T]| {
        let mut kept = kept();
        part.iter().map(|item| f(&mut kept, item)).collect()
    })
}

/// As [`spread`], for items that are changed.
pub fn spread_mut<T: Send, R: Send>(threads: usize, items: &mut [T], f: impl Fn(&mut T) -> R + Sync) -> Vec<R> {
    let share = share(threads, items.len());
    in_parts(items.chunks_mut(share).collect(), |part: &mut [T]| part.iter_mut().map(&f).collect())
}

/// How many items each thread takes, at least one.
fn share(threads: usize, items: usize) -> usize {
    let threads = (items / WORTH_A_THREAD).min(allowed(threads)).max(1);
    items.div_ceil(threads).max(1)
}

/// The results of all parts, one part after the other; each has a thread of its own, the first one this.
fn in_parts<P: Send, R: Send>(mut parts: Vec<P>, each: impl Fn(P) -> Vec<R> + Sync) -> Vec<R> {
    if parts.is_empty() {
        return Vec::new();
    }
    let others = parts.split_off(1);
    std::thread::scope(|scope| {
        let each = &each;
        let workers: Vec<_> = others.into_iter().map(|part| scope.spawn(move || each(part))).collect();
        let mut results: Vec<R> = parts.into_iter().flat_map(each).collect();
        for worker in workers {
            results.extend(worker.join().expect("a worker panics only where the caller would"));
        }
        results
    })
}

/// Sorts as [`slice::sort_by`] does: equal items keep their order.
pub fn sort<T: Send>(threads: usize, items: &mut [T], order: impl Fn(&T, &T) -> cmp::Ordering + Sync) {
    let share = share(threads, items.len());
    in_parts(items.chunks_mut(share).collect(), |part: &mut [T]| -> Vec<()> {
        part.sort_by(&order);
        Vec::new()
    });
    // What is sorted in stretches is only merged.
    items.sort_by(order);
}

/// As [`spread`], for few pieces of work of unlike size: each thread takes the next one when it is done with its last.
pub fn spread_all<T: Sync, R: Send>(threads: usize, items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    spread_all_with(threads, items, || (), |(), item| f(item))
}

/// The same where each thread keeps something from one item to the next.
pub fn spread_all_with<T: Sync, R: Send, S>(
    threads: usize,
    items: &[T],
    kept: impl Fn() -> S + Sync,
    f: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = |()| {
        let (mut kept, mut done) = (kept(), Vec::new());
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break done };
            done.push((index, f(&mut kept, item)));
        }
    };
    let mut results = in_parts(vec![(); items.len().min(allowed(threads))], work);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Runs tasks of unlike size, each once: the first ones first, each thread the next one when it is done with its last.
pub fn tasks(threads: usize, tasks: Vec<Box<dyn FnOnce() + Send + '_>>) {
    let threads = tasks.len().min(allowed(threads));
    if threads < 2 {
        return tasks.into_iter().for_each(|task| task());
    }
    let waiting = Mutex::new(tasks.into_iter());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        while let Some(task) = next() {
            task();
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
}

/// Two results, computed side by side where two threads are allowed. The second function runs on a thread of its own.
pub fn both<A, B: Send>(threads: usize, first: impl FnOnce() -> A, second: impl FnOnce() -> B + Send) -> (A, B) {
    if allowed(threads) < 2 {
        return (first(), second());
    }
    std::thread::scope(|scope| {
        let worker = scope.spawn(second);
        (first(), worker.join().expect("a worker panics only where the caller would"))
    })
}

/// The threads that may run at once; 0 leaves it to the machine.
pub fn allowed(threads: usize) -> usize {
    /// The machine is asked once: finding out reads several files.
    static MACHINE: OnceLock<usize> = OnceLock::new();
    match threads {
        0 => *MACHINE.get_or_init(|| std::thread::available_parallelism().map_or(1, |n| n.get().min(4))),
        some => some,
    }
}

#[cfg(test)]
mod tests {
    use super::{both, sort, spread, spread_all, spread_all_with, spread_mut, spread_with, tasks};

    #[test]
    fn order_and_results_do_not_depend_on_threads() {
        let items: Vec<usize> = (0..2000).collect();
        let expected: Vec<usize> = items.iter().map(|i| i * i).collect();
        for threads in 0..5 {
            assert_eq!(spread(threads, &items, |i| i * i), expected);
            assert_eq!(spread_all(threads, &items, |i| i * i), expected);
            assert_eq!(spread_all_with(threads, &items, || 0, |_, i| i * i), expected);
            assert!(spread(threads, &[] as &[usize], |i| *i).is_empty());
            assert!(spread_all(threads, &[] as &[usize], |i| *i).is_empty());
            let kept = |last: &mut Option<usize>, i: &usize| last.replace(*i).map_or(i * i, |last| (last + 1) * i);
            assert_eq!(spread_with(threads, &items, || None, kept), expected);
            let mut changed = items.clone();
            assert_eq!(spread_mut(threads, &mut changed, |i| std::mem::replace(i, *i * *i)), items);
            assert_eq!(changed, expected);
            // Equal ones keep their order.
            let mut mixed: Vec<(usize, usize)> = items.iter().map(|i| (i * 7 % 10, *i)).collect();
            let mut sorted = mixed.clone();
            sorted.sort();
            sort(threads, &mut mixed, |a, b| a.0.cmp(&b.0));
            assert_eq!(mixed, sorted);
            assert_eq!(both(threads, || 1, || 2), (1, 2));
            let mut squares = vec![0; 50];
            let each = squares
                .iter_mut()
                .zip(&items)
                .map(|(square, i)| -> Box<dyn FnOnce() + Send> { Box::new(move || *square = i * i) });
            tasks(threads, each.collect());
            assert_eq!(squares, expected[..50]);
        }
    }
}
