//! What concerns the results of several cached functions at once.
//!
//! **Dependencies.** When the body of a cached function calls another one, its result depends on the other's: invalidating that, by its
//! arguments, by a tag, or with all others of its function, removes both, over however many steps. A result that was computed
//! from something that was invalidated meanwhile is returned, but not kept.
//!
//! ```
//! use perfkit::{cache, cached};
//!
//! #[cached]
//! fn user(id: u32) -> String {
//!     // Before it is read, so that a change meanwhile is noticed.
//!     cache::depends_on_tag(&format!("user:{id}"));
//!     format!("user {id}")
//! }
//!
//! #[cached]
//! fn page(id: u32) -> String {
//!     format!("<h1>{}</h1>", user(id))
//! }
//!
//! page(7);
//! assert_eq!(cache::invalidate_tag("user:7"), 2, "the user and the page");
//! assert_eq!(page::peek(&7), None);
//! ```
//!
//! What a body reads on threads that it starts itself is not seen. A result that is only evicted or expired takes nothing along: what was
//! computed from it is as good as before.
//!
//! **Background.** [`refresh_with`] says who computes results of `async` functions anew.
//!
//! **Size.** [`set_adaptive`] lets caches grow where that helps. [`caches`](crate::caches()) are all of them.

pub use perf_runtime::cache::{depends_on_tag, invalidate_tag, refresh_with, set_adaptive};
