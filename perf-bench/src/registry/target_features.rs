//! Whether this processor has what a function with `#[target_feature]` needs. Asked before such a benchmark runs, or nobody knows what it does.

#[cfg(target_arch = "aarch64")]
pub use std::arch::is_aarch64_feature_detected as has_feature;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
pub use std::arch::is_x86_feature_detected as has_feature;

/// Whether the processor has a feature, given by its name: where nobody can ask it, whether all code is compiled for it.
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
#[doc(hidden)]
#[macro_export]
macro_rules! has_feature {
    ($feature:tt) => {
        ::core::cfg!(target_feature = $feature)
    };
}

/// Why a benchmark cannot run here.
#[doc(hidden)]
#[must_use]
#[inline]
pub fn missing_feature(feature: &str) -> Option<String> {
    Some(format!(
        "needs `{feature}`, which this processor does not have; run it on one that has, or leave it out with `ignore`"
    ))
}
