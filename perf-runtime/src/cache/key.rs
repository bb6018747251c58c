//! Arguments as a key: hashed and compared where they are, made into something that can be kept only on a miss.
//!
//! A key is a list of parts, `(a, (b, (c, ())))`, so that two impls serve any number of arguments. What is kept of a part is what
//! [`ToOwned`] makes of it: a `Vec<T>` of a `&[T]`, a clone of anything else but texts, which are kept as a [`Text`].

pub(super) mod hash;
pub(super) mod text;

use core::borrow::Borrow;
use core::hash::{BuildHasher, Hash, Hasher};
use core::marker::PhantomData;
use std::borrow::ToOwned;

use self::text::Text;
use super::weigh::{Weigh as _, Weigher};

/// What can be part of a key that stays on its thread.
pub trait HashableHere: Hash + Eq + ToOwned<Owned: 'static> {}

impl<T: Hash + Eq + ToOwned<Owned: 'static> + ?Sized> HashableHere for T {}

/// What can be part of the key of a cache: whatever can be hashed, compared, owned and shared.
pub trait Hashable: Hash + Eq + ToOwned<Owned: Send + Sync + 'static> {}

impl<T: Hash + Eq + ToOwned<Owned: Send + Sync + 'static> + ?Sized> Hashable for T {}

/// What generated code demands of an argument that is not [`Hashable`]. Nothing has it, so that the demand is one error, in these words,
/// and what depends on it is none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a cache's key",
    label = "not `Hash + Eq + Clone + Send + Sync`",
    note = "derive `Hash`, `PartialEq`, `Eq` and `Clone` for it, leave the argument out with `skip(…)`, or say with `key = …` what the result depends on, \
            such as `key = x.to_bits()` for a float"
)]
pub trait CacheKey {
    /// What would be the part.
    type Part;
}

/// A key as a call has it.
pub trait Key {
    /// The key as a cache has it.
    type Owned: 'static;

    /// Hashes the parts.
    fn feed(&self, hasher: &mut impl Hasher);

    /// Whether this is the key.
    fn is(&self, owned: &Self::Owned) -> bool;

    /// Whether two kept keys are the same.
    fn are_same(one: &Self::Owned, other: &Self::Owned) -> bool;

    /// The key to keep.
    fn own(&self) -> Self::Owned;

    /// All weigh the same.
    const IS_FLAT: bool = true;

    /// Bytes of a kept key, estimated.
    #[inline]
    fn weigh(owned: &Self::Owned) -> usize {
        size_of_val(owned)
    }

    /// The hash of the whole key.
    #[inline]
    fn hash(&self, state: &impl BuildHasher) -> u64 {
        let mut hasher = state.build_hasher();
        self.feed(&mut hasher);
        hasher.finish()
    }
}

/// A key that all threads share.
pub trait SharedKey: Key<Owned: Send + Sync> {}

impl<Q: Key<Owned: Send + Sync>> SharedKey for Q {}

/// The end of a list of parts.
impl Key for () {
    type Owned = ();

    #[inline]
    fn feed(&self, _: &mut impl Hasher) {}

    #[inline]
    fn is(&self, (): &()) -> bool {
        true
    }

    fn are_same((): &(), (): &()) -> bool {
        true
    }

    fn own(&self) {}
}

/// A part and the rest.
impl<A: Key, B: Key> Key for (A, B) {
    type Owned = (A::Owned, B::Owned);

    const IS_FLAT: bool = A::IS_FLAT && B::IS_FLAT;

    #[inline]
    fn feed(&self, hasher: &mut impl Hasher) {
        self.0.feed(hasher);
        self.1.feed(hasher);
    }

    #[inline]
    fn is(&self, owned: &Self::Owned) -> bool {
        self.0.is(&owned.0) && self.1.is(&owned.1)
    }

    fn are_same(one: &Self::Owned, other: &Self::Owned) -> bool {
        A::are_same(&one.0, &other.0) && B::are_same(&one.1, &other.1)
    }

    fn own(&self) -> Self::Owned {
        (self.0.own(), self.1.own())
    }

    #[inline]
    fn weigh(owned: &Self::Owned) -> usize {
        // What lies between the parts counts, too.
        let padding = size_of::<Self::Owned>() - size_of::<A::Owned>() - size_of::<B::Owned>();
        padding.saturating_add(A::weigh(&owned.0)).saturating_add(B::weigh(&owned.1))
    }
}

/// A part that is weighed in the way `W`.
#[derive(Clone, Copy, Debug)]
pub struct Weighed<P, W> {
    part: P,
    way: PhantomData<W>,
}

impl<P, W> Weighed<P, W> {
    #[inline]
    pub(super) const fn new(part: P) -> Self {
        Weighed { part, way: PhantomData }
    }
}

impl<P: Key, W: Weigher<P::Owned>> Key for Weighed<P, W> {
    type Owned = P::Owned;

    const IS_FLAT: bool = W::IS_FLAT;

    #[inline]
    fn feed(&self, hasher: &mut impl Hasher) {
        self.part.feed(hasher);
    }

    #[inline]
    fn is(&self, owned: &P::Owned) -> bool {
        self.part.is(owned)
    }

    fn are_same(one: &P::Owned, other: &P::Owned) -> bool {
        P::are_same(one, other)
    }

    fn own(&self) -> P::Owned {
        self.part.own()
    }

    #[inline]
    fn weigh(owned: &P::Owned) -> usize {
        W::weigh(owned)
    }
}

/// A part by reference.
#[derive(Clone, Copy, Debug)]
pub struct ByRef<'a, T: ?Sized>(pub &'a T);

impl<T: HashableHere + ?Sized> Key for ByRef<'_, T> {
    type Owned = T::Owned;

    #[inline]
    fn feed(&self, hasher: &mut impl Hasher) {
        self.0.hash(hasher);
    }

    #[inline]
    fn is(&self, owned: &T::Owned) -> bool {
        *self.0 == *owned.borrow()
    }

    fn are_same(one: &T::Owned, other: &T::Owned) -> bool {
        one.borrow() == other.borrow()
    }

    fn own(&self) -> T::Owned {
        self.0.to_owned()
    }
}

/// A text, by reference.
#[derive(Clone, Copy, Debug)]
pub struct ByText<'a>(pub &'a str);

impl Key for ByText<'_> {
    type Owned = Text;

    const IS_FLAT: bool = false;

    #[inline]
    fn feed(&self, hasher: &mut impl Hasher) {
        self.0.hash(hasher);
    }

    #[inline]
    fn is(&self, owned: &Text) -> bool {
        owned.is(self.0)
    }

    fn are_same(one: &Text, other: &Text) -> bool {
        one.bytes() == other.bytes()
    }

    fn own(&self) -> Text {
        Text::new(self.0)
    }

    fn weigh(owned: &Text) -> usize {
        owned.weigh()
    }
}

/// A part that an expression made.
#[derive(Clone, Copy, Debug)]
pub struct ByValue<T>(pub T);

impl<T: HashableHere> Key for ByValue<T> {
    type Owned = T::Owned;

    #[inline]
    fn feed(&self, hasher: &mut impl Hasher) {
        self.0.hash(hasher);
    }

    #[inline]
    fn is(&self, owned: &T::Owned) -> bool {
        self.0 == *owned.borrow()
    }

    fn are_same(one: &T::Owned, other: &T::Owned) -> bool {
        one.borrow() == other.borrow()
    }

    fn own(&self) -> T::Owned {
        self.0.to_owned()
    }
}

/// A reference that may be missing, kept as an owned value that may be missing.
#[derive(Clone, Copy, Debug)]
pub struct ByOption<'a, T: ?Sized>(pub Option<&'a T>);

impl<T: HashableHere + ?Sized> Key for ByOption<'_, T> {
    type Owned = Option<T::Owned>;

    #[inline]
    fn feed(&self, hasher: &mut impl Hasher) {
        self.0.hash(hasher);
    }

    #[inline]
    fn is(&self, owned: &Option<T::Owned>) -> bool {
        self.0 == owned.as_ref().map(Borrow::borrow)
    }

    fn are_same(one: &Option<T::Owned>, other: &Option<T::Owned>) -> bool {
        one.as_ref().map(Borrow::borrow) == other.as_ref().map(Borrow::borrow)
    }

    fn own(&self) -> Option<T::Owned> {
        self.0.map(ToOwned::to_owned)
    }
}

/// The last way for an argument, with one method that demands what nothing has.
macro_rules! unfit_argument {
    ($demand:ident) => {
        /// Not as a part of the key.
        pub trait Unfit {
            /// What lacks a trait.
            type Of: ?Sized;

            /// Never called.
            fn __perfkit_part(self) -> <Self::Of as $demand>::Part
            where
                Self::Of: $demand;
        }

        unfit_argument!($demand, Argument);
        unfit_argument!($demand, OptionalArgument);
    };
    ($demand:ident, $argument:ident) => {
        impl<T: ?Sized> Unfit for $argument<'_, T> {
            type Of = T;

            fn __perfkit_part(self) -> T::Part
            where
                T: $demand,
            {
                unreachable!("nothing has the trait")
            }
        }
    };
}

/// The same for an expression.
macro_rules! unfit_expression {
    ($demand:ident) => {
        /// Not at all.
        pub trait Unfit {
            /// What lacks a trait.
            type Of;

            /// Never called.
            fn __perfkit_part(&self) -> <Self::Of as $demand>::Part
            where
                Self::Of: $demand;
        }

        impl<T> Unfit for Expression<T> {
            type Of = T;

            fn __perfkit_part(&self) -> T::Part
            where
                T: $demand,
            {
                unreachable!("nothing has the trait")
            }
        }
    };
}

/// The ways for an argument where its weight does not matter: what is bound by this, and what lacks the demand. In the order in which they are
/// tried on a `&Argument`.
macro_rules! ways_of_an_argument {
    ([$($bounds:tt)*], $demand:ident) => {
        /// As a part of the key.
        pub trait Fit {
            /// The part.
            type Part;

            /// The part.
            fn __perfkit_part(self) -> Self::Part;
        }

        impl<'a, T: $($bounds)* + ?Sized> Fit for &Argument<'a, T> {
            type Part = ByRef<'a, T>;

            #[inline]
            fn __perfkit_part(self) -> ByRef<'a, T> {
                ByRef(self.0)
            }
        }

        impl<'a, T: $($bounds)* + ?Sized> Fit for &OptionalArgument<'a, T> {
            type Part = ByOption<'a, T>;

            #[inline]
            fn __perfkit_part(self) -> ByOption<'a, T> {
                ByOption(self.0)
            }
        }

        unfit_argument!($demand);
    };
}

/// The same for an expression, in the order in which they are tried on a `&&&Expression`.
macro_rules! ways_of_an_expression {
    ([$($bounds:tt)*], $demand:ident) => {
        /// As what it points to.
        pub trait Reference {
            /// The part.
            type Part;

            /// The part.
            fn __perfkit_part(&self) -> Self::Part;
        }

        impl<'a, T: $($bounds)* + ?Sized> Reference for &&Expression<&'a T> {
            type Part = ByRef<'a, T>;

            #[inline]
            fn __perfkit_part(&self) -> ByRef<'a, T> {
                ByRef(self.take())
            }
        }

        impl<'a, T: $($bounds)* + ?Sized> Reference for &&Expression<Option<&'a T>> {
            type Part = ByOption<'a, T>;

            #[inline]
            fn __perfkit_part(&self) -> ByOption<'a, T> {
                ByOption(self.take())
            }
        }

        /// As it is.
        pub trait Value<T> {
            /// The part.
            fn __perfkit_part(&self) -> ByValue<T>;
        }

        impl<T: $($bounds)*> Value<T> for &Expression<T> {
            #[inline]
            fn __perfkit_part(&self) -> ByValue<T> {
                ByValue(self.take())
            }
        }

        unfit_expression!($demand);
    };
}

pub(super) use {unfit_argument, unfit_expression, ways_of_an_argument, ways_of_an_expression};

/// What generated code makes of an argument. The ways to do so are told apart by the order in which methods are looked up on a
/// `&&&&Argument`.
pub mod argument {
    use super::super::weigh::{Buffer, ByBuffer, ByContent, Weigh};
    use super::{ByOption, ByRef, ByText, CacheKey, Hashable, Weighed};

    /// `&T`.
    #[derive(Debug)]
    pub struct Argument<'a, T: ?Sized>(pub &'a T);

    /// `Option<&T>`.
    #[derive(Debug)]
    pub struct OptionalArgument<'a, T: ?Sized>(pub Option<&'a T>);

    /// A trait with one method that gives a part of the key.
    macro_rules! way {
        ($(#[$doc:meta])* $name:ident; $([$($bounds:tt)*] $argument:ty => $part:ty, $this:ident => $make:expr;)*) => {
            $(#[$doc])*
            pub trait $name {
                /// The part.
                type Part;

                /// The part.
                fn __perfkit_part(self) -> Self::Part;
            }

            $(impl<'a, T: ?Sized> $name for $argument
            where
                $($bounds)*
            {
                type Part = $part;

                #[inline]
                fn __perfkit_part(self) -> $part {
                    let $this = self;
                    $make
                }
            })*
        };
    }

    /// A text.
    pub trait Textual<'a> {
        /// The part.
        fn __perfkit_part(self) -> ByText<'a>;
    }

    impl<'a> Textual<'a> for &&&&Argument<'a, str> {
        #[inline]
        fn __perfkit_part(self) -> ByText<'a> {
            ByText(self.0)
        }
    }

    impl<'a> Textual<'a> for &&&&Argument<'a, String> {
        #[inline]
        fn __perfkit_part(self) -> ByText<'a> {
            ByText(self.0)
        }
    }

    way!(
        /// Weighed by what the type says.
        Content;
        [T: Hashable, T::Owned: Weigh] &&&Argument<'a, T> => Weighed<ByRef<'a, T>, ByContent>,
            this => Weighed::new(ByRef(this.0));
        [T: Hashable, T::Owned: Weigh] &&&OptionalArgument<'a, T> => Weighed<ByOption<'a, T>, ByContent>,
            this => Weighed::new(ByOption(this.0));
    );
    way!(
        /// Weighed by its buffer.
        Buffered;
        [T: Hashable, T::Owned: Buffer] &&Argument<'a, T> => Weighed<ByRef<'a, T>, ByBuffer>,
            this => Weighed::new(ByRef(this.0));
        [T: Hashable, T::Owned: Buffer] &&OptionalArgument<'a, T> => Weighed<ByOption<'a, T>, ByBuffer>,
            this => Weighed::new(ByOption(this.0));
    );
    // Weighed by its size, or not a part of a key at all.
    ways_of_an_argument!([Hashable], CacheKey);

    /// In an expression of `key`: a copy, so that the expression takes nothing away from the body.
    pub trait Copied<T> {
        /// The value.
        fn __perfkit_here(self) -> T;
    }

    impl<T: Copy> Copied<T> for Argument<'_, T> {
        #[inline]
        fn __perfkit_here(self) -> T {
            *self.0
        }
    }

    /// In an expression of `key`, where it cannot be copied: the reference.
    pub trait Borrowed<'a, T: ?Sized> {
        /// The reference.
        fn __perfkit_here(self) -> &'a T;
    }

    impl<'a, T: ?Sized> Borrowed<'a, T> for &Argument<'a, T> {
        #[inline]
        fn __perfkit_here(self) -> &'a T {
            self.0
        }
    }
}

/// What generated code makes of the value of an expression of `key`: a reference, also one that may be missing, is kept as what it
/// points to. Told apart as above.
pub mod expression {
    use core::cell::Cell;

    use super::super::weigh::{Buffer, ByBuffer, ByContent, Weigh};
    use super::{ByOption, ByRef, ByValue, CacheKey, Hashable, Weighed};

    /// A value, until it is asked for.
    pub struct Expression<T>(Cell<Option<T>>);

    impl<T> Expression<T> {
        /// A value.
        #[inline]
        pub const fn new(value: T) -> Self {
            Expression(Cell::new(Some(value)))
        }

        /// The value.
        #[inline]
        pub(in crate::cache) fn take(&self) -> T {
            match self.0.take() {
                Some(value) => value,
                None => unreachable!("generated code asks once"),
            }
        }
    }

    /// A trait with one method that gives a part of the key.
    macro_rules! way {
        ($(#[$doc:meta])* $name:ident;
            $([$($generics:tt)*] [$($bounds:tt)*] $expression:ty => $part:ty, $this:ident => $make:expr;)*) => {
            $(#[$doc])*
            pub trait $name {
                /// The part.
                type Part;

                /// The part.
                fn __perfkit_part(&self) -> Self::Part;
            }

            $(impl<$($generics)*> $name for $expression
            where
                $($bounds)*
            {
                type Part = $part;

                #[inline]
                fn __perfkit_part(&self) -> $part {
                    let $this = self;
                    $make
                }
            })*
        };
    }

    way!(
        /// As what it points to, weighed by what the type says.
        ReferenceContent;
        ['a, T: ?Sized] [T: Hashable, T::Owned: Weigh] &&&&&&Expression<&'a T> => Weighed<ByRef<'a, T>, ByContent>,
            this => Weighed::new(ByRef(this.take()));
        ['a, T: ?Sized] [T: Hashable, T::Owned: Weigh] &&&&&&Expression<Option<&'a T>> => Weighed<ByOption<'a, T>, ByContent>,
            this => Weighed::new(ByOption(this.take()));
    );
    way!(
        /// As what it points to, weighed by its buffer.
        ReferenceBuffered;
        ['a, T: ?Sized] [T: Hashable, T::Owned: Buffer] &&&&&Expression<&'a T> => Weighed<ByRef<'a, T>, ByBuffer>,
            this => Weighed::new(ByRef(this.take()));
        ['a, T: ?Sized] [T: Hashable, T::Owned: Buffer] &&&&&Expression<Option<&'a T>> => Weighed<ByOption<'a, T>, ByBuffer>,
            this => Weighed::new(ByOption(this.take()));
    );
    way!(
        /// As what it points to.
        Reference;
        ['a, T: ?Sized] [T: Hashable] &&&&Expression<&'a T> => ByRef<'a, T>, this => ByRef(this.take());
        ['a, T: ?Sized] [T: Hashable] &&&&Expression<Option<&'a T>> => ByOption<'a, T>, this => ByOption(this.take());
    );
    way!(
        /// As it is, weighed by what the type says.
        ValueContent;
        [T] [T: Hashable, T::Owned: Weigh] &&&Expression<T> => Weighed<ByValue<T>, ByContent>,
            this => Weighed::new(ByValue(this.take()));
    );
    way!(
        /// As it is, weighed by its buffer.
        ValueBuffered;
        [T] [T: Hashable, T::Owned: Buffer] &&Expression<T> => Weighed<ByValue<T>, ByBuffer>,
            this => Weighed::new(ByValue(this.take()));
    );
    way!(
        /// As it is.
        Value;
        [T] [T: Hashable] &Expression<T> => ByValue<T>, this => ByValue(this.take());
    );

    unfit_expression!(CacheKey);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(key: &impl Key) -> u64 {
        key.hash(&foldhash::quality::FixedState::default())
    }

    #[test]
    fn a_key_is_what_it_owns() {
        let (name, numbers) = (String::from("a"), [1_u8, 2]);
        let key = (ByRef("a"), (ByRef(&numbers[..]), (ByOption(Some("b")), (ByValue(7_u32), ()))));
        let owned = key.own();
        assert_eq!(owned, (name, (vec![1, 2], (Some("b".into()), (7, ())))));
        assert!(key.is(&owned));
        let other = (ByRef("a"), (ByRef(&numbers[..1]), (ByOption(None::<&str>), (ByValue(7_u32), ()))));
        assert!(!other.is(&owned));
        assert_ne!(hash(&key), hash(&other));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(hash(&(ByRef("ab"), (ByRef("c"), ()))), hash(&(ByRef("a"), (ByRef("bc"), ()))));
    }

    #[test]
    fn arguments_are_copied_where_they_can_be() {
        use argument::{Argument, Borrowed as _, Copied as _};
        let (number, text) = (7_u32, String::from("x"));
        let copied: u32 = Argument(&number).__perfkit_here();
        let borrowed: &String = Argument(&text).__perfkit_here();
        assert_eq!((copied, borrowed.as_str()), (7, "x"));
    }
}
