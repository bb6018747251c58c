//! Threads for what nobody waits for: results that are computed anew. There are none until there is something to do, at most as many as
//! processors, and they end when there was nothing to do for a while.
//!
//! The queue is bounded. A task that finds no place in it is dropped, which for a refresh means that the next caller asks for one again.

pub(super) mod spawn;

use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Wake;
use std::thread::{self, Thread};

use self::spawn::spawn;

/// Something to do.
type Task = Box<dyn FnOnce() + Send>;

/// A future that is somebody's to run.
type Future = Pin<Box<dyn core::future::Future<Output = ()> + Send>>;

/// Tasks that wait at most.
const MOST_WAITING: usize = 1_000;
/// How long a thread waits for more.
const PATIENCE: Duration = Duration::from_secs(5);

struct Queue {
    tasks: VecDeque<Task>,
    threads: usize,
    idle: usize,
    /// The process whose threads these are: one that was forked has none of them.
    process: u32,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue { tasks: VecDeque::new(), threads: 0, idle: 0, process: 0 });
static MORE: Condvar = Condvar::new();

#[inline]
fn queue() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does something later, on another thread.
#[inline]
pub(super) fn run(task: impl FnOnce() + Send + 'static) {
    let most = thread::available_parallelism().map_or(2, usize::from);
    let process = std::process::id();
    let mut queue = queue();
    if queue.process != process {
        (queue.threads, queue.idle, queue.process) = (0, 0, process);
    }
    let (is_full, wants_thread) =
        (queue.tasks.len() >= MOST_WAITING, queue.idle <= queue.tasks.len() && queue.threads < most);
    if is_full {
        drop(queue);
        return drop(task);
    }
    queue.tasks.push_back(Box::new(task));
    queue.threads += usize::from(wants_thread);
    drop(queue);
    MORE.notify_one();
    if wants_thread && !spawn("perfkit-cache", work) {
        let mut queue = self::queue();
        queue.threads -= 1;
        // Nobody else would ever come to it.
        let tasks = if queue.threads == 0 { core::mem::take(&mut queue.tasks) } else { VecDeque::new() };
        drop(queue);
        drop(tasks);
    }
}

/// What a thread does.
#[inline]
fn work() {
    let mut queue = queue();
    loop {
        if let Some(task) = queue.tasks.pop_front() {
            drop(queue);
            // What it stands for counts the panic; the hook has reported it.
            let _ = catch_unwind(AssertUnwindSafe(task));
            queue = self::queue();
            continue;
        }
        queue.idle += 1;
        let (again, waited) = MORE.wait_timeout(queue, PATIENCE).unwrap_or_else(PoisonError::into_inner);
        queue = again;
        queue.idle -= 1;
        if waited.timed_out() && queue.tasks.is_empty() {
            queue.threads -= 1;
            return;
        }
    }
}

/// Who runs futures.
static SPAWNER: OnceLock<fn(Future)> = OnceLock::new();

/// Has results of `async` functions computed anew by `spawn`, in place of a thread of perfkit's that polls them and knows no runtime. Only the first
/// call in a process has an effect; it returns whether this was it.
///
/// It is called where the function is awaited, and so within the runtime of whoever does that.
///
/// ```
/// perf_runtime::cache::refresh_with(|future| drop(tokio::spawn(future)));
/// ```
#[inline]
pub fn refresh_with(spawn: fn(Pin<Box<dyn core::future::Future<Output = ()> + Send>>)) -> bool {
    SPAWNER.set(spawn).is_ok()
}

/// Runs a future later.
#[inline]
pub(super) fn run_future(future: impl core::future::Future<Output = ()> + Send + 'static) {
    match SPAWNER.get() {
        Some(spawn) => spawn(Box::pin(future)),
        None => run(move || block_on(future)),
    }
}

/// Wakes a thread that polls a future.
struct Unpark(Thread);

impl Wake for Unpark {
    #[inline]
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[inline]
fn block_on(future: impl core::future::Future<Output = ()>) {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    while future.as_mut().poll(&mut context) == Poll::Pending {
        thread::park();
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn tasks_and_futures_run_also_after_a_panic() {
        let (sender, receiver) = mpsc::channel();
        run(|| std::panic::resume_unwind(Box::new("on purpose")));
        for n in 0..20 {
            let sender = sender.clone();
            if n % 2 == 0 {
                run(move || sender.send(n).unwrap());
            } else {
                run_future(async move { sender.send(n).unwrap() });
            }
        }
        let mut done: Vec<i32> = receiver.iter().take(20).collect();
        done.sort_unstable();
        assert_eq!(done, (0..20).collect::<Vec<_>>());
    }
}
