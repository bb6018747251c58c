//! What an entry of `#[cached]` takes in memory, beside other caches.
//!
//! Each cache is asked for four times as many keys as it keeps, one after the other, so that it is full and has let others go. What is given is what it
//! holds then by the allocator's count of requested bytes, for each entry that it was made for, with the heap of keys and
//! values. Exact, and the same in each run but for what depends on the seed of a hash.
//!
//! `cargo bench -p perfkit-peers --bench cache_memory`; with `-- --quick` without the largest.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

/// Counts the bytes that are allocated now.
struct Counting;

static BYTES: AtomicIsize = AtomicIsize::new(0);

// SAFETY: all of it is the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn value(key: u64) -> u64 {
    key.wrapping_mul(3)
}

fn text_key(key: u64) -> String {
    format!("key-{key:017}")
}

fn text_value(key: &str) -> Arc<str> {
    Arc::from(key)
}

/// perfkit's functions for a number of entries.
macro_rules! with_perfkit {
    ($module:ident, $size:literal) => {
        #[allow(dead_code, reason = "not all of what stands beside a function is used")]
        mod $module {
            use super::{Arc, text_value, value};

            #[perfkit::cached(max_size = $size)]
            pub(super) fn number(key: u64) -> u64 {
                value(key)
            }

            #[perfkit::cached(max_size = $size, ttl = 3600)]
            pub(super) fn number_ttl(key: u64) -> u64 {
                value(key)
            }

            #[perfkit::cached(max_size = $size)]
            pub(super) fn text(key: &str) -> Arc<str> {
                text_value(key)
            }
        }
    };
}

with_perfkit!(small, 1_000);
with_perfkit!(middle, 10_000);
with_perfkit!(large, 100_000);
with_perfkit!(huge, 1_000_000);

/// perfkit's functions for a number of entries, and that number.
struct Size {
    entries: usize,
    number: fn(u64) -> u64,
    number_ttl: fn(u64) -> u64,
    text: fn(&str) -> Arc<str>,
}

const SIZES: [Size; 4] = [
    Size { entries: 1_000, number: small::number, number_ttl: small::number_ttl, text: small::text },
    Size { entries: 10_000, number: middle::number, number_ttl: middle::number_ttl, text: middle::text },
    Size { entries: 100_000, number: large::number, number_ttl: large::number_ttl, text: large::text },
    Size { entries: 1_000_000, number: huge::number, number_ttl: huge::number_ttl, text: huge::text },
];

/// Bytes that are there after `fill` and were not before, for each of the entries; what it returns is there until then.
fn bytes<T>(entries: usize, fill: impl FnOnce(std::ops::Range<u64>) -> T) -> f64 {
    let before = BYTES.load(Ordering::Relaxed);
    let filled = fill(0..entries as u64 * 4);
    let after = BYTES.load(Ordering::Relaxed);
    drop(filled);
    (after - before) as f64 / entries as f64
}

#[allow(clippy::too_many_lines, reason = "a row for each cache")]
fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let sizes = if is_quick { &SIZES[..2] } else { &SIZES };
    // What is allocated once for all.
    small::number(u64::MAX);
    small::number::clear();

    println!("bytes for an entry, of a full cache for so many entries");
    print!("{:38}", "");
    for size in sizes {
        print!("{:>10}", size.entries);
    }
    println!();
    type Row = (&'static str, fn(&Size) -> f64);
    let rows: [Row; 11] = [
        ("u64 to u64: perfkit", |size| {
            bytes(size.entries, |keys| {
                keys.for_each(|key| {
                    black_box((size.number)(key));
                });
            })
        }),
        ("u64 to u64: perfkit, ttl", |size| {
            bytes(size.entries, |keys| {
                keys.for_each(|key| {
                    black_box((size.number_ttl)(key));
                });
            })
        }),
        ("u64 to u64: quick_cache", |size| {
            bytes(size.entries, |keys| {
                let cache = quick_cache::sync::Cache::new(size.entries);
                keys.for_each(|key| cache.insert(key, value(key)));
                cache
            })
        }),
        ("u64 to u64: cached, LruCache", |size| {
            bytes(size.entries, |keys| {
                let mut cache =
                    cached::LruCache::builder().max_size(size.entries).build().expect("it is not 0");
                keys.for_each(|key| {
                    black_box(cached::Cached::cache_set(&mut cache, key, value(key)));
                });
                cache
            })
        }),
        ("u64 to u64: moka", |size| {
            bytes(size.entries, |keys| {
                let cache = moka::sync::Cache::new(size.entries as u64);
                keys.for_each(|key| cache.insert(key, value(key)));
                cache.run_pending_tasks();
                cache
            })
        }),
        ("u64 to u64: foyer, S3-FIFO", |size| {
            bytes(size.entries, |keys| {
                let cache: foyer_memory::Cache<u64, u64> = foyer_memory::CacheBuilder::new(size.entries)
                    .with_eviction_config(foyer_memory::S3FifoConfig::default())
                    .build();
                keys.for_each(|key| drop(cache.insert(key, value(key))));
                cache
            })
        }),
        ("&str to Arc<str>, 21 bytes: perfkit", |size| {
            bytes(size.entries, |keys| keys.for_each(|key| drop((size.text)(&text_key(key)))))
        }),
        ("&str to Arc<str>: quick_cache", |size| {
            bytes(size.entries, |keys| {
                let cache = quick_cache::sync::Cache::new(size.entries);
                keys.map(text_key).for_each(|key| {
                    let value = text_value(&key);
                    cache.insert(key, value);
                });
                cache
            })
        }),
        ("&str to Arc<str>: cached, LruCache", |size| {
            bytes(size.entries, |keys| {
                let mut cache =
                    cached::LruCache::builder().max_size(size.entries).build().expect("it is not 0");
                keys.map(text_key).for_each(|key| {
                    let value = text_value(&key);
                    drop(cached::Cached::cache_set(&mut cache, key, value));
                });
                cache
            })
        }),
        ("&str to Arc<str>: moka", |size| {
            bytes(size.entries, |keys| {
                let cache = moka::sync::Cache::new(size.entries as u64);
                keys.map(text_key).for_each(|key| {
                    let value = text_value(&key);
                    cache.insert(key, value);
                });
                cache.run_pending_tasks();
                cache
            })
        }),
        ("&str to Arc<str>: foyer, S3-FIFO", |size| {
            bytes(size.entries, |keys| {
                let cache: foyer_memory::Cache<String, Arc<str>> =
                    foyer_memory::CacheBuilder::new(size.entries)
                        .with_eviction_config(foyer_memory::S3FifoConfig::default())
                        .build();
                keys.map(text_key).for_each(|key| {
                    let value = text_value(&key);
                    drop(cache.insert(key, value));
                });
                cache
            })
        }),
    ];
    for (name, row) in rows {
        print!("{name:38}");
        for size in sizes {
            print!("{:10.1}", row(size));
        }
        println!();
    }
}
