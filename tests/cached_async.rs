//! `#[cached]` on futures: one computation per key across tasks, dropped futures, and nobody waits for ever.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

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
}
