//! Work in, its results in the same order out, computed by several threads where that pays.
//!
//! What is shared out may share out work itself. Threads are counted, and one more is begun only while fewer run than are
//! allowed; whoever has pieces left looks before each of them whether there is room by now.

use std::cmp;
use std::iter::Enumerate;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Scope;
use std::vec::IntoIter;

/// Below this many items a second thread costs more than it brings.
const WORTH_A_THREAD: usize = 256;
/// Into how many pieces the work of each thread is cut, so that one that comes later finds some left.
const PIECES: usize = 4;

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
    let pieces = items.chunks(piece(threads, items.len())).collect();
    let each = |kept: &mut S, piece: &[T]| -> Vec<R> { piece.iter().map(|item| f(kept, item)).collect() };
    joined(shared_out(threads, pieces, kept, each))
}

/// As [`spread`], for items that are changed.
pub fn spread_mut<T: Send, R: Send>(threads: usize, items: &mut [T], f: impl Fn(&mut T) -> R + Sync) -> Vec<R> {
    let pieces = items.chunks_mut(piece(threads, items.len())).collect();
    let each = |(): &mut (), piece: &mut [T]| -> Vec<R> { piece.iter_mut().map(&f).collect() };
    joined(shared_out(threads, pieces, || (), each))
}

/// How many of so many items are a piece, at least one.
fn piece(threads: usize, items: usize) -> usize {
    match (items / WORTH_A_THREAD).min(allowed(threads)) {
        0 | 1 => items.max(1),
        threads => items.div_ceil(threads * PIECES).max(WORTH_A_THREAD / 2),
    }
}

fn joined<R>(mut pieces: Vec<Vec<R>>) -> Vec<R> {
    match pieces.len() {
        1 => pieces.remove(0),
        _ => pieces.into_iter().flatten().collect(),
    }
}

/// Sorts as [`slice::sort_by`] does: equal items keep their order.
pub fn sort<T: Send>(threads: usize, items: &mut [T], order: impl Fn(&T, &T) -> cmp::Ordering + Sync) {
    let stretches = (items.len() / WORTH_A_THREAD).min(allowed(threads)).max(1);
    let stretches = items.chunks_mut(items.len().div_ceil(stretches).max(1)).collect();
    shared_out(threads, stretches, || (), |(), stretch: &mut [T]| stretch.sort_by(&order));
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
    shared_out(threads, items.iter().collect(), kept, f)
}

/// Runs tasks of unlike size, each once: the first ones first, each thread the next one when it is done with its last.
pub fn tasks(threads: usize, tasks: Vec<Box<dyn FnOnce() + Send + '_>>) {
    shared_out(threads, tasks, || (), |(), task| task());
}

/// Two results, computed side by side where there is room for another thread: that is the one of the second function.
pub fn both<A, B: Send>(threads: usize, first: impl FnOnce() -> A, second: impl FnOnce() -> B + Send) -> (A, B) {
    let Some(room) = Room::take(threads) else { return (first(), second()) };
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            let _room = room;
            second()
        });
        let first = first();
        let _idle = Idle::begin();
        (first, worker.join().expect("a worker panics only where the caller would"))
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

/// How many threads run that were begun here, less those that only wait for others.
static RUNNING: AtomicIsize = AtomicIsize::new(0);

/// The room that a thread takes up, until this is dropped.
struct Room;

impl Room {
    /// Room for another thread beside those that run, as long as these are fewer than are allowed.
    fn take(threads: usize) -> Option<Room> {
        let beside = isize::try_from(allowed(threads)).unwrap_or(isize::MAX) - 1;
        let more = |running: isize| (beside > 0 && running < beside).then_some(running + 1);
        RUNNING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Room)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// That this thread waits for others, until this is dropped.
struct Idle;

impl Idle {
    fn begin() -> Idle {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
        Idle
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        RUNNING.fetch_add(1, Ordering::Relaxed);
    }
}

/// The results of all pieces in their order. Each thread makes something to keep, and takes the next piece when it is done
/// with its last.
fn shared_out<P: Send, R: Send, S>(
    threads: usize,
    pieces: Vec<P>,
    kept: impl Fn() -> S + Sync,
    each: impl Fn(&mut S, P) -> R + Sync,
) -> Vec<R> {
    if pieces.len() < 2 || allowed(threads) < 2 {
        let mut kept = kept();
        return pieces.into_iter().map(|piece| each(&mut kept, piece)).collect();
    }
    let count = pieces.len();
    let waiting = Mutex::new(pieces.into_iter().enumerate());
    let work = Work { threads, waiting, done: Mutex::new(Vec::with_capacity(count)), kept, each };
    std::thread::scope(|scope| {
        work.run(scope);
        Idle::begin()
    });
    let mut done = work.done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Work that is shared out.
struct Work<P, R, K, F> {
    threads: usize,
    waiting: Mutex<Enumerate<IntoIter<P>>>,
    done: Mutex<Vec<(usize, R)>>,
    kept: K,
    each: F,
}

impl<P: Send, R: Send, S, K: Fn() -> S + Sync, F: Fn(&mut S, P) -> R + Sync> Work<P, R, K, F> {
    /// Takes pieces until there are none.
    fn run<'s>(&'s self, scope: &'s Scope<'s, '_>) {
        let (mut kept, mut done) = ((self.kept)(), Vec::new());
        while let Some((index, piece)) = self.next(scope) {
            done.push((index, (self.each)(&mut kept, piece)));
        }
        locked(&self.done).extend(done);
    }

    /// The next piece; where there are more and there is room, another thread begins with those.
    fn next<'s>(&'s self, scope: &'s Scope<'s, '_>) -> Option<(usize, P)> {
        let mut waiting = locked(&self.waiting);
        let next = waiting.next()?;
        let are_more = waiting.len() > 0;
        drop(waiting);
        if are_more && let Some(room) = Room::take(self.threads) {
            scope.spawn(move || {
                let _room = room;
                self.run(scope);
            });
        }
        Some(next)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Room, both, sort, spread, spread_all, spread_all_with, spread_mut, spread_with, tasks};

    #[test]
    fn room_is_given_back_and_never_more_than_there_is() {
        // Other tests run beside this one and have room of their own, or give theirs away while they wait.
        let most = || std::iter::from_fn(|| Room::take(100)).take(200).collect::<Vec<Room>>().len();
        for count in [most(), most()] {
            assert!((50..=150).contains(&count), "{count}");
        }
    }

    #[test]
    fn work_within_work_comes_to_the_same() {
        let expected: Vec<usize> = (0..40).map(|i| (0..1000).map(|n| n * i).sum()).collect();
        for threads in 0..5 {
            let numbers: Vec<usize> = (0..1000).collect();
            let outer: Vec<usize> = (0..40).collect();
            let inner = |i: &usize| {
                let (low, high) = both(
                    threads,
                    || spread(threads, &numbers[..500], |n| n * i),
                    || spread_all(threads, &numbers[500..], |n| n * i),
                );
                low.iter().chain(&high).sum::<usize>()
            };
            assert_eq!(spread_all(threads, &outer, inner), expected);
        }
    }

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
