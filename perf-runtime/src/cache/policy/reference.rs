//! Each policy beside a plain model of it, under random operations.

use proptest::collection::vec;
use proptest::prelude::*;

use core::cell::RefCell;

use super::{Entries, MOST_USES, Order, Policy};

/// Entries that are nothing but what a policy knows of them: slots of 64, whose hash is their number.
struct Uses(RefCell<[u8; 64]>);

impl Uses {
    const fn new() -> Self {
        Uses(RefCell::new([0; 64]))
    }

    fn touch(&self, slot: u32) {
        let uses = (self.uses(slot) + 1).min(MOST_USES);
        self.set_uses(slot, uses);
    }
}

impl Entries for Uses {
    fn uses(&self, slot: u32) -> u8 {
        self.0.borrow()[slot as usize]
    }

    fn set_uses(&self, slot: u32, uses: u8) {
        self.0.borrow_mut()[slot as usize] = uses;
    }

    fn hash(&self, slot: u32) -> u32 {
        slot << 20
    }
}

/// What happens to a cache; numbers choose among what is there.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Insert,
    Touch(usize),
    Remove(usize),
    Evict,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let operation = prop_oneof![
        3 => Just(Operation::Insert),
        5 => any::<usize>().prop_map(Operation::Touch),
        1 => any::<usize>().prop_map(Operation::Remove),
        2 => Just(Operation::Evict),
    ];
    vec(operation, 0..400)
}

/// Slots from the one that gives way next to the one that does last, with their uses.
type Model = Vec<(u32, usize)>;

/// Does the same to both and compares what gives way. `touch` is what a model does with the slot at a place; an insertion goes where `insert` says.
fn check(
    policy: Policy,
    operations: Vec<Operation>,
    insert: fn(&mut Model, u32),
    touch: fn(&mut Model, usize),
) -> Result<(), TestCaseError> {
    let (mut order, mut model) = (Order::new(policy), Model::new());
    let mut free: Vec<u32> = (0..64).rev().collect();
    for operation in operations {
        match operation {
            Operation::Insert => {
                let Some(slot) = free.pop() else { continue };
                order.insert(slot, slot);
                insert(&mut model, slot);
            }
            Operation::Touch(choice) if !model.is_empty() => {
                let place = choice % model.len();
                order.touch(model[place].0);
                touch(&mut model, place);
            }
            Operation::Remove(choice) if !model.is_empty() => {
                let (slot, _) = model.remove(choice % model.len());
                order.remove(slot);
                free.push(slot);
            }
            Operation::Evict => {
                let given_way = order.evict(&Uses::new());
                let expected = if model.is_empty() { None } else { Some(model.remove(0).0) };
                prop_assert_eq!(given_way, expected);
                free.extend(given_way);
            }
            Operation::Touch(_) | Operation::Remove(_) => {}
        }
    }
    // What is left, in the order in which it would give way.
    let rest: Vec<u32> = core::iter::from_fn(|| order.evict(&Uses::new())).collect();
    prop_assert_eq!(rest, model.iter().map(|(slot, _)| *slot).collect::<Vec<_>>());
    Ok(())
}

/// Behind all that have as many uses or fewer.
fn put(model: &mut Model, slot: u32, uses: usize) {
    let place = model.partition_point(|other| other.1 <= uses);
    model.insert(place, (slot, uses));
}

proptest! {
    #[test]
    fn fifo(operations in operations()) {
        check(Policy::Fifo, operations, |model, slot| model.push((slot, 0)), |_, _| {})?;
    }

    #[test]
    fn lru(operations in operations()) {
        let touch = |model: &mut Model, place| {
            let used = model.remove(place);
            model.push(used);
        };
        check(Policy::Lru, operations, |model, slot| model.push((slot, 0)), touch)?;
    }

    #[test]
    fn lfu(operations in operations()) {
        let touch = |model: &mut Model, place| {
            let (slot, uses) = model.remove(place);
            put(model, slot, (uses + 1).min(255));
        };
        check(Policy::Lfu, operations, |model, slot| put(model, slot, 0), touch)?;
    }

    /// Of the default policy a model would be the policy again; that it neither loses nor invents a slot can be said without one.
    #[test]
    fn s3fifo_gives_out_what_was_put_in(operations in operations()) {
        let mut order = Order::new(Policy::S3Fifo);
        let entries = Uses::new();
        let (mut inside, mut free): (Vec<u32>, Vec<u32>) = (Vec::new(), (0..64).collect());
        for operation in operations {
            match operation {
                Operation::Insert => {
                    let Some(slot) = free.pop() else { continue };
                    let uses = order.insert(slot, entries.hash(slot));
                    entries.set_uses(slot, uses);
                    inside.push(slot);
                }
                Operation::Touch(choice) if !inside.is_empty() => {
                    entries.touch(inside[choice % inside.len()]);
                },
                Operation::Remove(choice) if !inside.is_empty() => {
                    let slot = inside.swap_remove(choice % inside.len());
                    order.remove(slot);
                    free.push(slot);
                }
                Operation::Evict => {
                    let given_way = order.evict(&entries);
                    prop_assert_eq!(given_way.is_some(), !inside.is_empty());
                    let Some(slot) = given_way else { continue };
                    let place = inside.iter().position(|other| *other == slot);
                    prop_assert!(place.is_some(), "{} is not in", slot);
                    inside.swap_remove(place.unwrap());
                    free.push(slot);
                }
                Operation::Touch(_) | Operation::Remove(_) => {}
            }
        }
    }
}
