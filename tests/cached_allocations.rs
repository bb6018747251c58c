//! A hit allocates nothing, whatever the arguments are.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use perfkit::cached;

struct Counting;

std::thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes on to the system's allocator; counting touches a number of this thread and nothing else.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are this call's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are this call's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_of<R>(work: impl FnOnce() -> R) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[cached(ttl = 600)]
fn lookup(name: &str, tags: &[String], owner: Option<&str>, id: u64) -> Arc<str> {
    format!("{name} {tags:?} {owner:?} {id}").into()
}

struct Site {
    host: String,
}

impl Site {
    #[cached(key(self.host.as_str()))]
    fn page(&self, path: &str) -> Result<u64, String> {
        if path.is_empty() { Err(String::from("no path")) } else { Ok(self.host.len() as u64) }
    }
}

#[test]
fn a_hit_allocates_nothing() {
    let (name, tags) = (String::from("a name that is not short"), vec![String::from("a"), String::from("b")]);
    let site = Site { host: "example.org".into() };
    assert!(allocations_of(|| lookup(&name, &tags, Some("owner"), 7)) > 0, "the counter works");
    site.page("/index").unwrap();
    let hits = allocations_of(|| {
        for _ in 0..5_000 {
            lookup(&name, &tags, Some("owner"), 7);
            let _ = site.page("/index");
        }
    });
    assert_eq!((hits, lookup::stats().hits, Site::page_cache().stats().hits), (0, 5_000, 5_000));
    assert_eq!(allocations_of(|| lookup::peek(&name, &tags, Some("owner"), &7)), 0);
}
