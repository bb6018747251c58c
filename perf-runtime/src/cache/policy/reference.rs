//! Each policy beside a plain model of it, under random operations.

use proptest::collection::vec;
use proptest::prelude::*;

use core::cell::RefCell;

use super::{Details, Entries, MOST_USES, Order, Policy};

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

/// For policies that look at uses and ages.
const NOTHING: Details = Details { expires: u64::MAX, weight: 0 };

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
                order.insert(slot, slot, &NOTHING);
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
                    let uses = order.insert(slot, entries.hash(slot), &NOTHING);
                    entries.set_uses(slot, uses);
                    inside.push(slot);
                }
                Operation::Touch(choice) if !inside.is_empty() => {
                    entries.touch(inside[choice % inside.len()]);
                }
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

    #[test]
    fn ttl(steps in steps()) {
        check_ranked(Policy::Ttl, steps, |rank| Details { expires: rank, weight: 0 }, |rank| rank)?;
    }

    #[test]
    fn size(steps in steps()) {
        check_ranked(Policy::Size, steps, |rank| Details { expires: 0, weight: rank }, |rank| u64::MAX - rank)?;
    }
}

/// Slots by number, ranks by a few values, so that there are many equals.
#[derive(Clone, Copy, Debug)]
enum Step {
    Insert(u32, u64),
    Update(u32, u64),
    Touch(u32),
    Remove(u32),
    Evict,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let slot = 0..48_u32;
    let rank = prop_oneof![0..6_u64, Just(u64::MAX), any::<u64>()];
    let step = prop_oneof![
        5 => (slot.clone(), rank.clone()).prop_map(|(slot, rank)| Step::Insert(slot, rank)),
        2 => (slot.clone(), rank).prop_map(|(slot, rank)| Step::Update(slot, rank)),
        1 => slot.clone().prop_map(Step::Touch),
        1 => slot.prop_map(Step::Remove),
        2 => Just(Step::Evict),
    ];
    vec(step, 0..400)
}

/// A policy that looks at one number of each entry, beside a list that is searched. `place` is what is least for what gives way first.
fn check_ranked(
    policy: Policy,
    steps: Vec<Step>,
    details: fn(u64) -> Details,
    place: fn(u64) -> u64,
) -> Result<(), TestCaseError> {
    // Slots with what they are ordered by, in the order in which they came.
    let (mut order, mut model) = (Order::new(policy), Vec::<(u32, u64)>::new());
    let next = |model: &[(u32, u64)]| model.iter().min_by_key(|slot| slot.1).map(|slot| slot.0);
    let forget = |model: &mut Vec<(u32, u64)>, slot| model.retain(|other| Some(other.0) != slot);
    for step in steps {
        let at = |slot| model.iter().position(|other| other.0 == slot);
        match step {
            Step::Insert(slot, rank) if at(slot).is_none() => {
                order.insert(slot, slot, &details(rank));
                model.push((slot, place(rank)));
            }
            Step::Update(slot, rank) => {
                if let Some(at) = at(slot) {
                    order.update(slot, &details(rank));
                    model[at].1 = place(rank);
                }
            }
            Step::Touch(slot) if at(slot).is_some() => order.touch(slot),
            Step::Remove(slot) if at(slot).is_some() => {
                order.remove(slot);
                forget(&mut model, Some(slot));
            }
            Step::Evict => {
                let expected = next(&model);
                prop_assert_eq!(order.evict(&Uses::new()), expected);
                forget(&mut model, expected);
            }
            Step::Insert(..) | Step::Touch(_) | Step::Remove(_) => {}
        }
    }
    while let Some(expected) = next(&model) {
        prop_assert_eq!(order.evict(&Uses::new()), Some(expected));
        forget(&mut model, Some(expected));
    }
    prop_assert_eq!(order.evict(&Uses::new()), None);
    Ok(())
}
