//! `#[cached]` on futures: one computation per key across tasks, dropped futures, and nobody waits for ever.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures::StreamExt as _;
use perfkit::cached;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// Longer than anything here takes; only what hangs gets there.
const FOR_EVER: Duration = Duration::from_secs(30);

fn count(runs: &AtomicU32) -> u32 {
    runs.fetch_add(1, Ordering::SeqCst) + 1
}

fn get(runs: &AtomicU32) -> u32 {
    runs.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_that_miss_one_key_run_the_body_once() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(ttl = 600)]
    async fn fetch(id: u32, name: &str) -> Result<String, String> {
        count(&RUNS);
        sleep(Duration::from_millis(30)).await;
        Ok(format!("{id} {name}"))
    }

    let tasks: Vec<_> = (0..64).map(|_| tokio::spawn(fetch(7, "x"))).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), "7 x");
    }
    assert_eq!(get(&RUNS), 1);
    let stats = fetch::stats();
    assert_eq!((stats.hits + stats.misses, stats.loads), (64, 1));
    assert_eq!(fetch::peek(&7, "x"), Some(Ok("7 x".into())));
    assert_eq!(fetch::uncached(7, "x").await.unwrap(), "7 x");
    assert_eq!(fetch::prime(7, "x").await.unwrap(), "7 x");
    assert_eq!(get(&RUNS), 3);
    assert!(stats.load_time >= Duration::from_millis(29), "{stats:?}");
}

#[tokio::test]
async fn one_task_may_ask_twice_at_once() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached]
    async fn fetch(id: u32) -> u32 {
        count(&RUNS);
        sleep(Duration::from_millis(5)).await;
        id
    }

    assert_eq!(tokio::join!(fetch(1), fetch(1), fetch(2), fetch(1)), (1, 1, 2, 1));
    assert_eq!(get(&RUNS), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_future_that_computes_is_dropped_the_next_one_computes() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached]
    async fn fetch(id: u32) -> u32 {
        if count(&RUNS) == 1 {
            std::future::pending::<()>().await;
        }
        id
    }

    let first = tokio::spawn(fetch(1));
    while get(&RUNS) == 0 {
        tokio::task::yield_now().await;
    }
    let others: Vec<_> = (0..8).map(|_| tokio::spawn(fetch(1))).collect();
    sleep(Duration::from_millis(20)).await;
    first.abort();
    for other in others {
        assert_eq!(timeout(FOR_EVER, other).await.expect("it hangs").unwrap(), 1);
    }
    assert_eq!(get(&RUNS), 2);
    let stats = fetch::stats();
    assert_eq!((stats.loads, stats.load_errors, stats.len), (2, 1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_goes_to_the_task_that_ran_the_body() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached]
    async fn fetch(id: u32) -> u32 {
        sleep(Duration::from_millis(10)).await;
        assert!(count(&RUNS) > 1, "on purpose");
        id
    }

    let tasks: Vec<_> = (0..8).map(|_| tokio::spawn(fetch(1))).collect();
    let mut panics = 0;
    for task in tasks {
        match timeout(FOR_EVER, task).await.expect("it hangs") {
            Ok(id) => assert_eq!(id, 1),
            Err(error) => {
                assert!(error.is_panic());
                panics += 1;
            }
        }
    }
    assert_eq!((panics, get(&RUNS)), (1, 2));
}

#[tokio::test]
async fn a_future_that_waits_may_be_dropped() {
    static GO: Notify = Notify::const_new();

    #[cached]
    async fn fetch(id: u32) -> u32 {
        GO.notified().await;
        id
    }

    let leader = tokio::spawn(fetch(1));
    tokio::task::yield_now().await;
    for _ in 0..1_000 {
        assert!(timeout(Duration::ZERO, fetch(1)).await.is_err());
    }
    let follower = tokio::spawn(fetch(1));
    tokio::task::yield_now().await;
    GO.notify_one();
    assert_eq!((leader.await.unwrap(), follower.await.unwrap()), (1, 1));
    assert_eq!(fetch::stats().loads, 1);
}

#[tokio::test]
async fn a_body_that_asks_for_its_own_key_runs_as_without_the_attribute() {
    static DEPTH: AtomicU32 = AtomicU32::new(0);

    #[cached]
    async fn needs_itself(id: u32) -> u32 {
        tokio::task::yield_now().await;
        if count(&DEPTH) < 4 { Box::pin(needs_itself(id)).await + 1 } else { 0 }
    }

    assert_eq!(timeout(FOR_EVER, needs_itself(1)).await.expect("it hangs"), 3);
}

#[tokio::test]
async fn a_ring_of_tasks_does_not_wait_for_ever() {
    const RING: u32 = 4;
    static BEGUN: AtomicU32 = AtomicU32::new(0);

    #[cached]
    async fn link(id: u32) -> u32 {
        if count(&BEGUN) > RING {
            return 0;
        }
        while get(&BEGUN) < RING {
            tokio::task::yield_now().await;
        }
        Box::pin(link((id + 1) % RING)).await + 1
    }

    let links: Vec<_> = (0..RING).map(|id| tokio::spawn(link(id))).collect();
    for link in links {
        let length = timeout(FOR_EVER, link).await.expect("the ring hangs").unwrap();
        assert!((1..=RING).contains(&length), "{length}");
    }
}

#[tokio::test]
async fn a_future_kept_aside_by_its_own_task_is_not_waited_for() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached]
    async fn fetch(id: u32) -> u32 {
        count(&RUNS);
        sleep(Duration::from_millis(10)).await;
        id
    }

    let mut aside = pin!(fetch(1));
    // Begins to compute, and is then left alone, as after a `select!` whose other branch came first.
    poll_fn(|context| {
        assert!(aside.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    assert_eq!(timeout(FOR_EVER, fetch(1)).await.expect("it waits for a future that nobody polls"), 1);
    assert_eq!(get(&RUNS), 2);
    assert_eq!(aside.await, 1);
}

/// Futures that somebody polls one by one, only when their wakers were called: in the order in which they were pushed, the first one
/// leads. It is held back in the middle of its body, and goes on only when the others have what they want.
#[tokio::test]
async fn a_future_among_others_that_nobody_polls_any_more_is_not_waited_for() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached]
    async fn fetch(id: u32) -> u32 {
        count(&RUNS);
        sleep(Duration::from_millis(5)).await;
        id
    }

    // `buffered(1)` holds the second one back until the first has ended, but the first was begun by somebody else.
    let mut aside = Box::pin(fetch(1));
    assert!(futures::poll!(aside.as_mut()).is_pending());
    let all = futures::stream::iter((0..3).map(|_| fetch(1))).buffer_unordered(2).collect::<Vec<_>>();
    assert_eq!(timeout(FOR_EVER, all).await.expect("it waits for a future that nobody polls"), [1, 1, 1]);
    assert_eq!(get(&RUNS), 2);
    assert_eq!(aside.await, 1);

    // Forgotten, and so never dropped.
    let mut forgotten = Box::pin(fetch(2));
    assert!(futures::poll!(forgotten.as_mut()).is_pending());
    std::mem::forget(forgotten);
    assert_eq!(timeout(FOR_EVER, fetch(2)).await.expect("it waits for a future that was forgotten"), 2);

    // In a task that waits for something else, which waits for this.
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move {
        let mut aside = Box::pin(fetch(3));
        assert!(futures::poll!(aside.as_mut()).is_pending());
        receiver.await.unwrap();
        aside.await
    });
    tokio::task::yield_now().await;
    assert_eq!(timeout(FOR_EVER, fetch(3)).await.expect("it waits for another task"), 3);
    sender.send(()).unwrap();
    assert_eq!(task.await.unwrap(), 3);
}

/// Many futures of one task, of which one computes: polled one by one, it is computed once.
#[tokio::test]
async fn futures_that_are_polled_one_by_one_compute_once() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached]
    async fn fetch(id: u32) -> u32 {
        count(&RUNS);
        for _ in 0..10 {
            tokio::task::yield_now().await;
            sleep(Duration::from_millis(1)).await;
        }
        id
    }

    let all: futures::stream::FuturesUnordered<_> = (0..100).map(|_| fetch(1)).collect();
    assert_eq!(timeout(FOR_EVER, all.collect::<Vec<_>>()).await.expect("it hangs"), [1; 100]);
    let buffered = futures::stream::iter((0..100).map(|_| fetch(2))).buffered(7).collect::<Vec<_>>();
    assert_eq!(timeout(FOR_EVER, buffered).await.expect("it hangs"), [2; 100]);
    assert_eq!(get(&RUNS), 2);
}

/// A body that works for long without giving way is not taken for one that nobody polls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_works_for_long_is_waited_for() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached]
    async fn fetch(id: u32) -> u32 {
        count(&RUNS);
        poll_fn(|context| {
            // Asked to be polled again while it is polled.
            context.waker().wake_by_ref();
            std::thread::sleep(Duration::from_millis(250));
            Poll::Ready(())
        })
        .await;
        id
    }

    let leader = tokio::spawn(fetch(1));
    while get(&RUNS) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fetch(1).await, 1);
    assert_eq!((leader.await.unwrap(), get(&RUNS)), (1, 1));
}

/// Wakers are somebody's code.
#[tokio::test]
async fn a_waker_that_panics_harms_nobody_else() {
    struct Fragile;
    impl std::task::Wake for Fragile {
        fn wake(self: std::sync::Arc<Self>) {
            panic!("on purpose");
        }
    }
    static GO: Notify = Notify::const_new();

    #[cached]
    async fn fetch(id: u32) -> u32 {
        GO.notified().await;
        id
    }

    let leader = tokio::spawn(fetch(1));
    tokio::task::yield_now().await;
    let fragile = std::task::Waker::from(std::sync::Arc::new(Fragile));
    let mut first = Box::pin(fetch(1));
    assert!(first.as_mut().poll(&mut std::task::Context::from_waker(&fragile)).is_pending());
    let second = tokio::spawn(fetch(1));
    tokio::task::yield_now().await;
    GO.notify_one();
    assert_eq!((leader.await.unwrap(), second.await.unwrap(), first.await), (1, 1, 1));
}

#[tokio::test]
async fn what_is_primed_is_kept_unless_it_was_invalidated_meanwhile() {
    static GO: Notify = Notify::const_new();

    #[cached]
    async fn fetch(id: u32) -> u32 {
        GO.notified().await;
        id
    }

    for dropped in [false, true] {
        let mut prime = Box::pin(fetch::prime(1));
        assert!(futures::poll!(prime.as_mut()).is_pending());
        fetch::invalidate(&1);
        if dropped {
            drop(prime);
        } else {
            GO.notify_one();
            assert_eq!(prime.await, 1);
        }
        assert_eq!(fetch::peek(&1), None);
    }
    GO.notify_one();
    assert_eq!(fetch::prime(1).await, 1);
    assert_eq!(fetch::peek(&1), Some(1));
}

struct Client {
    host: String,
}

impl Client {
    #[cached(key(self.host.as_str()), skip(retries))]
    async fn get(&self, path: String, retries: &mut u32) -> Option<String> {
        *retries += 1;
        tokio::task::yield_now().await;
        (!path.is_empty()).then(|| format!("{}/{path}", self.host))
    }
}

#[tokio::test]
async fn methods() {
    let client = Client { host: "h".into() };
    let mut retries = 0;
    for _ in 0..2 {
        assert_eq!(client.get("p".into(), &mut retries).await.as_deref(), Some("h/p"));
        assert_eq!(client.get(String::new(), &mut retries).await, None);
    }
    assert_eq!(retries, 3);
    assert_eq!(Client::get_cache().stats().hits, 1);
    assert!(Client::get_cache().invalidate((&client, &String::from("p"))));
}

/// A future that is sent between threads must be `Send`, also around a body that is generic.
#[test]
fn futures_are_send() {
    #[cached]
    async fn show<T>(value: T) -> Result<String, std::io::Error>
    where
        T: std::fmt::Debug + Clone + Eq + std::hash::Hash + Send + Sync + 'static,
    {
        tokio::task::yield_now().await;
        Ok(format!("{value:?}"))
    }

    fn assert_send<T: Send>(_: &T) {}
    let text = String::from("x");
    let future = show(text);
    assert_send(&future);
    let prime = show::prime(7_u8);
    assert_send(&prime);

    /// What it returns is not `Send`, but its future is.
    #[cached]
    async fn fragile(id: u32) -> Result<u32, std::rc::Rc<str>> {
        tokio::task::yield_now().await;
        if id == 0 { Err("no id".into()) } else { Ok(id) }
    }

    assert_send(&fragile(1));
    assert_send(&fragile::prime(1));
}
