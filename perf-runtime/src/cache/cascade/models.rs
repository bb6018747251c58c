//! Caches that depend on each other, under the model checker's schedules: `scripts/models.sh`.
//!
//! However the threads take turns: who calls after a change was said gets what is computed from the new value, and so does everybody
//! when all is quiet.

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicU32, Ordering};
use shuttle::thread;

use crate::cache::argument::{Argument, Fit as _};
use crate::cache::{
    Binding, CacheHandle, CacheSite, Found, KeepAny, KeepOkShareErr, Policy, depends_on_tag, invalidate_tag,
    look_up,
};
use crate::models::check;
use crate::site::Site;

static SITE: Site = Site::new(|| "model", "", 0, 0, 0);

/// Three functions, each computed from the one before, the first from a number.
struct World {
    source: AtomicU32,
    /// Of its own: caches live on from one schedule to the next.
    tag: String,
    levels: [&'static CacheSite; 3],
}

impl World {
    fn new() -> Arc<Self> {
        let site = || &*Box::leak(Box::new(CacheSite::new(&SITE).max_size(2).policy(Policy::Lru)));
        let levels = [site(), site(), site()];
        let tag = format!("source of {}", levels[0].number());
        Arc::new(World { source: AtomicU32::new(1), tag, levels })
    }

    /// Leaves nothing in the index for the next schedule.
    fn clear(&self) {
        self.levels.iter().for_each(|site| _ = site.clear());
    }

    /// What generated code does.
    fn call(&self, level: usize, key: u32) -> u32 {
        let instance = self.levels[level].instance(());
        match look_up(instance, &key, |key| (Argument(key).__perfkit_part(), ()), KeepAny) {
            Found::Hit(result) => result,
            Found::Miss(miss) => miss.run(|| match level {
                0 => {
                    depends_on_tag(&self.tag);
                    self.source.load(Ordering::SeqCst)
                }
                level => self.call(level - 1, key) * 10,
            }),
        }
    }

    /// A result that is not kept, but shared by those who ask at once.
    fn fail(&self) -> Result<u32, u32> {
        let instance = self.levels[1].instance(());
        match look_up(instance, &0, |key| (Argument(key).__perfkit_part(), ()), KeepOkShareErr) {
            Found::Hit(result) => result,
            Found::Miss(miss) => miss.run(|| Err(self.call(0, 0))),
        }
    }

    fn handle<'a>(&self, level: usize) -> CacheHandle<&'a u32, u32, impl Binding<&'a u32, u32> + Copy> {
        let instance = self.levels[level].instance(());
        CacheHandle::new(instance, |key: &'a u32| (Argument(key).__perfkit_part(), ()), KeepAny)
    }
}

/// One thread reads `top` and one changes the source and says so by `change`; others do `besides`.
fn changes(top: usize, change: fn(&World), besides: &'static [fn(&World)]) {
    check(move || {
        let world = World::new();
        let factor = 10_u32.pow(top as u32);
        let reader = Arc::clone(&world);
        let mut threads = vec![thread::spawn(move || {
            let seen = reader.call(top, 0);
            assert!(seen == factor || seen == 2 * factor, "{seen}");
        })];
        for work in besides {
            let world = Arc::clone(&world);
            threads.push(thread::spawn(move || work(&world)));
        }
        world.source.store(2, Ordering::SeqCst);
        change(&world);
        assert_eq!(world.call(top, 0), 2 * factor, "it was said before");
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(world.call(top, 0), 2 * factor, "when all is quiet");
        world.clear();
    });
}

#[test]
fn a_key_is_invalidated_while_it_is_computed_from() {
    changes(1, |world| _ = world.handle(0).invalidate(&0), &[]);
}

#[test]
fn a_function_is_cleared_while_it_is_computed_from() {
    changes(1, |world| _ = world.levels[0].clear(), &[]);
}

#[test]
fn a_tag_is_invalidated_over_two_steps() {
    changes(2, |world| _ = invalidate_tag(&world.tag), &[]);
}

#[test]
fn a_result_is_put_in_while_it_is_computed_from() {
    changes(1, |world| world.handle(0).insert(&0, &2), &[]);
}

#[test]
fn a_key_is_invalidated_while_others_wait_and_evict() {
    changes(
        1,
        |world| _ = world.handle(0).invalidate(&0),
        &[|world| {
            world.call(1, 0);
            world.call(0, 1);
            world.call(0, 2);
        }],
    );
}

#[test]
fn two_changes_at_once() {
    changes(1, |world| _ = world.handle(0).invalidate(&0), &[|world| _ = world.handle(1).invalidate(&0)]);
    changes(1, |world| _ = world.levels[0].clear(), &[|world| _ = invalidate_tag(&world.tag)]);
}

#[test]
fn an_err_that_is_waited_for_is_of_now() {
    check(|| {
        let world = World::new();
        let other = Arc::clone(&world);
        let other = thread::spawn(move || other.fail());
        world.source.store(2, Ordering::SeqCst);
        world.handle(0).invalidate(&0);
        assert_eq!(world.fail(), Err(2), "it was said before");
        assert!(other.join().unwrap().is_err());
        world.clear();
    });
}

#[test]
fn a_cache_shrinks_while_it_is_filled() {
    check(|| {
        let world = World::new();
        world.levels[0].resize(4);
        let filler = Arc::clone(&world);
        let filler = thread::spawn(move || (0..4).for_each(|key| _ = filler.call(0, key)));
        world.levels[0].resize(1);
        filler.join().unwrap();
        assert!(world.levels[0].stats().len <= 1);
        assert_eq!(world.call(0, 3), 1);
        world.clear();
    });
}
